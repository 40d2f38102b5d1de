//! Several writes of one flow, of which later ones take the results of earlier ones.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use crate::live::World;
use crossdock::sandbox::faults::Faults;
use crossdock::store::Store as _;
use crossdock::store::sqlite::{Mode, Sqlite};
use serde_json::{Value as Json, json};

/// An org without customers, and a shop with as many orders, each of another shopper.
fn shop(orders: usize) -> World {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    ran(&world);
    for number in 0..orders {
        world.wms_act_with("create", &format!("W-{number}"), order(number)).unwrap();
    }
    world
}

fn order(number: usize) -> Json {
    let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
    let to = json!({"name": format!("Ada Number{number}"), "street1": "1 High Street", "city": "London", "postalCode": "N1 9GU", "country": "GB"});
    json!({"customerEmail": format!("ada{number}@example.com"), "customerUsername": format!("ada{number}"), "items": [item], "shipTo": to})
}

fn ran(world: &World) {
    let run = world.command(&["run", "--flow", "customers"]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stdout));
}

/// The writes that went to Salesforce, by their paths behind the version.
fn writes(world: &World) -> Vec<String> {
    let exchanges = Sqlite::open(&world.store(), None, Mode::Read).unwrap().exchanges(usize::MAX).unwrap();
    let writes = exchanges.into_iter().filter(|exchange| exchange.connection == "crm" && exchange.path.contains("/composite"));
    let mut writes: Vec<(i64, String)> = writes.map(|exchange| (exchange.id, exchange.path)).collect();
    writes.sort();
    writes.into_iter().map(|(_, path)| path.rsplit_once("v64.0/").unwrap().1.to_owned()).collect()
}

fn effects(world: &World, object: &str) -> Vec<Json> {
    world.crm_effects().into_iter().filter(|effect| effect.by_api && effect.object == object).map(|effect| effect.fields).collect()
}

#[test]
fn accounts_and_their_contacts_are_made_in_one_call() {
    let world = shop(150);
    ran(&world);
    let (accounts, contacts) = (effects(&world, "Account"), effects(&world, "Contact"));
    assert_eq!((accounts.len(), contacts.len()), (150, 150));
    let ids: std::collections::BTreeSet<&str> = contacts.iter().filter_map(|contact| contact["AccountId"].as_str()).collect();
    assert_eq!(ids.len(), 150, "each contact is of its own account: {:?}", contacts.first());
    assert_eq!(writes(&world), ["composite"]);
    // Nothing has changed since.
    ran(&world);
    assert_eq!(writes(&world), ["composite"]);
}

#[test]
fn a_text_that_would_be_taken_for_a_reference_goes_as_it_is() {
    let world = shop(3);
    let mut odd = order(0);
    odd["shipTo"]["name"] = json!("Ada @{made[0].id}");
    world.wms_act_with("change", "W-0", odd).unwrap();
    ran(&world);
    let contacts = effects(&world, "Contact");
    assert_eq!(contacts.len(), 3);
    assert!(contacts.iter().any(|contact| contact["LastName"] == "@{made[0].id}"), "{contacts:?}");
    assert_eq!(writes(&world), ["composite/sobjects/Account/Crossdock_Key__c", "composite/sobjects/Contact/Crossdock_Key__c"]);
}

#[test]
fn what_follows_a_record_that_has_not_changed_is_sent() {
    let world = shop(1);
    let mapping = world.folder.path().join("customers.dock");
    let text = std::fs::read_to_string(&mapping).unwrap();
    let edited = text.replace("order.customerUsername if empty", "order.customerUsername");
    assert_ne!(text, edited);
    std::fs::write(&mapping, edited).unwrap();
    ran(&world);
    let mut renamed = order(0);
    renamed["customerUsername"] = json!("lovelace");
    world.wms_act_with("change", "W-0", renamed).unwrap();
    ran(&world);
    let contacts = effects(&world, "Contact");
    assert_eq!(contacts.last().unwrap()["ShipStation_Customer__c"], "lovelace", "{contacts:?}");
    assert_eq!(contacts.len(), 2);
    assert_eq!(effects(&world, "Account").len(), 1, "nothing of the account has changed");
}

#[test]
fn what_a_person_has_entered_stays() {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    ran(&world);
    let contact = json!({"LastName": "Byron", "Email": "ada0@example.com", "Phone": "+44 1"});
    world.crm_act("make", "Contact", contact).unwrap();
    let mut first = order(0);
    first["shipTo"]["phone"] = json!("+44 2");
    world.wms_act_with("create", "W-0", first.clone()).unwrap();
    ran(&world);
    let written = |world: &World| effects(world, "Contact");
    let contacts = written(&world);
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!(contacts[0].get("ShipStation_Customer__c"), Some(&json!("ada0")), "{contacts:?}");
    assert!(contacts[0].get("AccountId").is_some_and(Json::is_string), "{contacts:?}");
    assert!(["Phone", "LastName", "Email"].iter().all(|kept| contacts[0].get(*kept).is_none()), "{contacts:?}");
    // And again, where it is known from before.
    first["shipTo"]["phone"] = json!("+44 3");
    first["shipTo"]["addressVerified"] = json!("Address validated successfully");
    world.wms_act_with("change", "W-0", first).unwrap();
    ran(&world);
    let contacts = written(&world);
    assert!(contacts.iter().all(|contact| contact.get("Phone").is_none()), "{contacts:?}");
}

const REPEATED: &str = r#"edition 1

flow milestones {
  from wms.Order as order {
    changed order.modifyDate overlap 10 minutes
    every 5 minutes
  }

  validate {
    each item in order.items {
      require item.lineItemKey "line {index} has no key"
    }
  }

  each item in order.items
  upsert crm.Task key Crossdock_Key__c = "item/{order.orderNumber}/{item.lineItemKey}" as of_item in doubt look up {
    Subject  = "{item.quantity} of {item.sku}"
    Status   = "Not Started"
    Priority = "Normal"
  }

  split item in order.items by item.name as part
  upsert crm.Task key Crossdock_Key__c = "part/{order.orderNumber}/{part.key}" as of_part in doubt look up {
    Subject  = "{count(part.lines)} lines of {part.key}"
    Status   = "Not Started"
    Priority = "Normal"
  }
}
"#;

#[test]
fn a_write_for_each_element_and_for_each_part() {
    let world = World::of("crm-milestones", 1, Faults::default(), "10 minutes");
    std::fs::write(world.folder.path().join("milestones.dock"), REPEATED).unwrap();
    let run = |what: &[&str]| {
        let run = world.command(what);
        assert_eq!(run.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    };
    let subjects = || -> Vec<String> {
        let mut subjects: Vec<String> = effects(&world, "Task").iter().map(|task| task["Subject"].as_str().unwrap_or_default().to_owned()).collect();
        subjects.sort();
        subjects
    };
    run(&["run"]);
    let item =
        |key: &str, sku: &str, name: &str, quantity: u32| json!({"lineItemKey": key, "sku": sku, "name": name, "quantity": quantity, "unitPrice": 5});
    let items = |of_second: u32| json!({"items": [item("1", "TEA-1", "Tea", 2), item("2", "TEA-2", "Tea", of_second), item("3", "CUP-1", "Cup", 1)]});
    world.wms_act_with("create", "W-1", items(3)).unwrap();
    run(&["run"]);
    let first = ["1 lines of Cup", "1 of CUP-1", "2 lines of Tea", "2 of TEA-1", "3 of TEA-2"];
    assert_eq!(subjects(), first);
    // Of a new version only the write that differs goes, and a replay is none at all.
    world.wms_act_with("change", "W-1", items(4)).unwrap();
    run(&["run"]);
    let mut second: Vec<&str> = first.to_vec();
    second.push("4 of TEA-2");
    assert_eq!(subjects(), second);
    run(&["replay", "--flow", "milestones", "--all"]);
    run(&["run"]);
    assert_eq!(subjects(), second);
}
