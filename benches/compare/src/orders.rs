//! The records of the first task: Salesforce orders of about 3.5 KB as a REST query gives them, seeded. One in a
//! hundred has something wrong with it, and one in twelve is none of the flow's.

use serde_json::{Value, json};

#[path = "../../../tests/common/orders.rs"]
#[allow(dead_code, reason = "of the tests' generator only what is needed here")]
mod generated;

use generated::Dice;

/// Fields that an org gives and no mapping reads, up to the size of a real record.
fn filler(order: &mut Value, dice: &mut Dice) {
    let fields = order.as_object_mut().expect("an order is an object");
    let id = |dice: &mut Dice, prefix: &str| json!(format!("{prefix}{:012}AAA", dice.below(1_000_000)));
    for (name, prefix) in [
        ("AccountId", "001"),
        ("OwnerId", "005"),
        ("ContractId", "800"),
        ("Pricebook2Id", "01s"),
        ("CreatedById", "005"),
        ("LastModifiedById", "005"),
    ] {
        fields.insert(name.to_owned(), id(dice, prefix));
    }
    for name in ["CreatedDate", "LastModifiedDate", "ActivatedDate", "LastViewedDate", "LastReferencedDate"] {
        fields.insert(name.to_owned(), json!(format!("2026-11-{:02}T{:02}:30:00.000+0000", 1 + dice.below(28), dice.below(24))));
    }
    for name in ["Sales_Notes__c", "Quote_Reference__c", "Campaign__c", "Approval_Comment__c"] {
        fields.insert(
            name.to_owned(),
            json!(format!("{} {}", dice.pick(&["as agreed on the phone", "see the quote", "spring campaign"]), dice.below(100_000))),
        );
    }
    for name in ["IsReductionOrder", "Is_First_Order__c", "Newsletter__c"] {
        fields.insert(name.to_owned(), json!(dice.once_in(2)));
    }
}

/// So many orders, a line each. `fate` tells what the mapping makes of one: `ready`, `not eligible`, or anything else.
pub fn orders(seed: u64, count: usize, fate: impl Fn(&Value) -> &'static str) -> String {
    let mut dice = Dice::new(seed);
    let mut text = String::new();
    let (mut made, mut number) = (0, 0);
    while made < count {
        number += 1;
        let mut order = generated::order(&mut dice, number);
        filler(&mut order, &mut dice);
        let wanted = match made % 100 {
            5 => "stopped",
            at if at % 12 == 0 => "not eligible",
            _ => "ready",
        };
        if fate(&order) == wanted {
            text.push_str(&order.to_string());
            text.push('\n');
            made += 1;
        }
    }
    text
}
