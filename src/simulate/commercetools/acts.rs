//! What customers and people do in a day.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::simulate::orders::minutes;
use crate::simulate::scenario::Scenario;
use crate::value::Json;

fn act(verb: &str, subject: &str, settings: Json) -> Act {
    Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }
}

fn number(place: u64) -> String {
    format!("CT-{place:05}")
}

/// What people do, in order: when, at commercetools or not, what.
pub(in crate::simulate) fn schedule(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let mut acts = if scenario.hazards.restless {
        changes(dice, scenario, start)
    } else if scenario.hazards.hasty {
        second_thoughts(dice, scenario, start)
    } else {
        usual(dice, scenario, start)
    };
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

fn usual(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let orders = scenario.orders.max(1) as u64;
    let some = |dice: &mut Rng| {
        let order = number(1 + dice.below(orders));
        let act = match dice.below(16) {
            0..=2 => (true, act("create", "", Json::Null)),
            3 | 4 => (true, act("change", &order, json!({"custom.fields.deliveryInstructions": format!("note {}", dice.below(1_000))}))),
            5 | 6 => (true, act("address", &order, json!({"city": format!("Town {}", dice.below(1_000))}))),
            7 => (true, act("cancel", &order, Json::Null)),
            8 => (true, act("change", &order, json!({"orderState": "Open"}))),
            9 => (true, act("confirm", &order, Json::Null)),
            10 => (true, act("pay", &order, Json::Null)),
            11 => (true, act("fix", &order, Json::Null)),
            12 => (true, act("delete", &order, Json::Null)),
            13 => (false, act("void", &order, Json::Null)),
            14 => (false, act("ship", &order, Json::Null)),
            _ => {
                let said = ["Address validated successfully", "Address validation warning", "Address validation failed"];
                (false, act("change", &order, json!({"shipTo.addressVerified": said[dice.below(3) as usize]})))
            }
        };
        (start + minutes(dice, scenario.minutes - 5), act.0, act.1)
    };
    (0..scenario.acts).map(|_| some(dice)).collect()
}

/// Orders that wait for their payment, so that nothing locks them, and change again and again.
fn changes(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let orders = scenario.orders.max(1) as u64;
    let mut acts: Vec<(Timestamp, bool, Act)> =
        (1..=orders).map(|order| (start, true, act("change", &number(order), json!({"paymentState": "Pending"})))).collect();
    for change in 0..scenario.acts {
        let (verb, settings) = match dice.below(3) {
            0 => ("address", json!({"city": format!("Town {change}")})),
            _ => ("change", json!({"custom.fields.deliveryInstructions": format!("note {change}")})),
        };
        acts.push((start + minutes(dice, scenario.minutes - 5), true, act(verb, &number(1 + dice.below(orders)), settings)));
    }
    acts
}

/// Orders that are made, and most of them cancelled some minutes later.
fn second_thoughts(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let mut made: Vec<Timestamp> = (0..scenario.acts / 2).map(|_| start + minutes(dice, scenario.minutes - 10)).collect();
    made.sort();
    let mut acts = Vec::new();
    for (at, made) in made.into_iter().enumerate() {
        acts.push((made, true, act("create", "", Json::Null)));
        let order = number((scenario.orders + at + 1) as u64);
        acts.push((made + SignedDuration::from_mins(1) + minutes(dice, 5), true, act("cancel", &order, Json::Null)));
    }
    acts
}
