//! An older copy of the store, none, or one without its WAL: nothing is doubled, and nothing that people did at the targets is
//! lost. The real binary, over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use crossdock::sandbox::faults::Faults;
use serde_json::{Value as Json, json};

use crate::live::World;

fn beside(world: &World, ending: &str) -> PathBuf {
    let mut name = world.store().into_os_string();
    name.push(ending);
    PathBuf::from(name)
}

fn remove(world: &World, endings: &[&str]) {
    for ending in endings {
        // The WAL is not there after a process that ended by itself.
        let _ = std::fs::remove_file(beside(world, ending));
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Exports orders only: labels would lock them.
fn export(world: &World, more: &[&str]) -> Output {
    world.command(&[&["run", "--flow", "export_orders"], more].concat())
}

fn exported(world: &World) {
    let run = export(world, &[]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
}

fn refused(run: &Output) {
    assert_eq!(run.status.code(), Some(3), "{}", said(run));
    assert!(said(run).contains("--recover"), "{}", said(run));
}

/// The keys of the orders that were made, each as often as it was.
fn made(world: &World) -> BTreeMap<String, u32> {
    let effects = world.wms_effects().into_iter().filter(|effect| effect.kind == "created");
    effects.fold(BTreeMap::new(), |mut all, effect| {
        *all.entry(effect.key.unwrap_or_default()).or_default() += 1;
        all
    })
}

/// What we changed of an order, the newest last.
fn ours(world: &World, key: &str) -> Vec<Json> {
    let effects = world.wms_effects().into_iter();
    effects.filter(|effect| effect.by_api && effect.kind != "created" && effect.key.as_deref() == Some(key)).map(|effect| effect.fields).collect()
}

/// Orders of which two are on hold, and one has a note of the warehouse's own.
fn worked_on() -> (World, Vec<String>) {
    let world = World::start(8, Faults::default());
    exported(&world);
    let keys: Vec<String> = made(&world).into_keys().collect();
    assert!(keys.len() >= 4, "{keys:?}");
    world.wms_act("hold", &keys[0]).unwrap();
    world.wms_act_with("change", &keys[1], json!({"internalNotes": "fragile", "carrierCode": "ups"})).unwrap();
    (world, keys)
}

fn untouched(world: &World, keys: &[String]) {
    assert!(made(world).values().all(|times| *times == 1), "{:?}", made(world));
    for key in keys {
        assert!(ours(world, key).is_empty(), "{key}: {:?}", ours(world, key));
    }
}

#[test]
fn a_store_that_is_gone_doubles_nothing_and_releases_nothing() {
    let (world, keys) = worked_on();
    remove(&world, &["", "-wal", "-shm", ".key", ".marker"]);
    exported(&world);
    untouched(&world, &keys);
    let queue = world.command(&["queue", "list"]);
    assert!(said(&queue).contains("differs"), "somebody is told of the hold: {}", said(&queue));
    // The source's own change goes out all the same, and leaves the rest as it is.
    let order = keys[0].trim_start_matches("sf-");
    world.crm_act("change", order, json!({"Package_Notes__c": "ring twice"})).unwrap();
    exported(&world);
    let sent = ours(&world, &keys[0]);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!((&sent[0]["customerNotes"], &sent[0]["orderStatus"]), (&json!("ring twice"), &json!("on_hold")));
}

#[test]
fn a_key_without_its_store_is_refused() {
    let (world, keys) = worked_on();
    remove(&world, &["", "-wal", "-shm", ".marker"]);
    refused(&export(&world, &[]));
    std::fs::write(world.store(), b"").unwrap();
    refused(&export(&world, &[]));
    refused(&world.command(&["run", "--dry-run"]));
    let recovered = export(&world, &["--recover"]);
    assert_eq!(recovered.status.code(), Some(0), "{}", said(&recovered));
    untouched(&world, &keys);
    exported(&world);
}

#[test]
fn an_older_copy_is_refused_and_recovered() {
    let world = World::start(8, Faults::default());
    exported(&world);
    let copy = world.folder.path().join("copy");
    std::fs::copy(world.store(), &copy).unwrap();
    let before: Vec<String> = made(&world).into_keys().collect();
    world.crm_act("create", "", json!({})).unwrap();
    world.crm_act("change", before[2].trim_start_matches("sf-"), json!({"Package_Notes__c": "twice"})).unwrap();
    exported(&world);
    let keys: Vec<String> = made(&world).into_keys().collect();
    assert_eq!(keys.len(), before.len() + 1);
    let new = keys.iter().find(|key| !before.contains(key)).unwrap();
    world.wms_act("hold", new).unwrap();
    world.wms_act("hold", &before[0]).unwrap();
    let sent = world.wms_effects().len();
    std::fs::copy(&copy, world.store()).unwrap();
    refused(&export(&world, &[]));
    let recovered = export(&world, &["--recover"]);
    assert_eq!(recovered.status.code(), Some(0), "{}", said(&recovered));
    assert_eq!(world.wms_effects().len(), sent, "{:?}", world.wms_effects().split_off(sent));
    // It is the newest from then on.
    exported(&world);
}

#[test]
fn a_lost_wal_is_refused_and_recovered() {
    let world = World::start(8, Faults::default());
    let mut serve = world.serve();
    world.listening();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while made(&world).len() < 4 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    serve.kill().unwrap();
    serve.wait().unwrap();
    remove(&world, &["-wal", "-shm"]);
    refused(&export(&world, &[]));
    let recovered = export(&world, &["--recover"]);
    assert_eq!(recovered.status.code(), Some(0), "{}", said(&recovered));
    assert!(made(&world).len() >= 4 && made(&world).values().all(|times| *times == 1), "{:?}", made(&world));
}

const TASKS: &str = r#"edition 1

flow milestones {
  from wms.Order as order {
    changed order.modifyDate overlap 10 minutes
    every 5 minutes
  }

  create crm.Task key Crossdock_Key__c = "order/{order.orderNumber}" in doubt look up {
    Subject  = "{order.orderNumber} came in"
    Status   = "Not Started"
    Priority = "Normal"
  }
}
"#;

#[test]
fn tasks_are_not_made_twice() {
    let world = World::of("crm-milestones", 1, Faults::default(), "10 minutes");
    std::fs::write(world.folder.path().join("milestones.dock"), TASKS).unwrap();
    let run = || {
        let run = world.command(&["run"]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    };
    for number in 0..6 {
        world.wms_act_with("create", &format!("W-{number}"), json!({})).unwrap();
    }
    run();
    let tasks = || world.crm_effects().iter().filter(|effect| effect.by_api && effect.object == "Task").count();
    assert_eq!(tasks(), 6);
    remove(&world, &["", "-wal", "-shm", ".key", ".marker"]);
    run();
    assert_eq!(tasks(), 6);
}

#[test]
fn two_orders_of_one_shopper_in_one_poll_make_one_contact_of_the_first() {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    for (number, name, company, phone) in [("W-1", "Ada Lovelace", Json::Null, "+353 1"), ("W-2", "Mum", json!("Gift Shop"), "+353 2")] {
        let to = json!({"name": name, "company": company, "phone": phone, "street1": "1 High Street", "city": "Cork", "postalCode": "T12", "country": "IE"});
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Tea", "quantity": 1, "unitPrice": 5});
        world.wms_act_with("create", number, json!({"customerEmail": "ada@example.com", "shipTo": to, "items": [item]})).unwrap();
    }
    for _ in 0..2 {
        let run = world.command(&["run", "--flow", "customers"]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    }
    let last = |object: &str| -> BTreeMap<String, Json> {
        let effects = world.crm_effects().into_iter().filter(|effect| effect.by_api && effect.object == object);
        effects.filter_map(|effect| effect.fields.as_object().cloned()).flatten().collect()
    };
    let (contact, account) = (last("Contact"), last("Account"));
    assert_eq!((&contact["FirstName"], &contact["LastName"]), (&json!("Ada"), &json!("Lovelace")), "{contact:?}");
    assert_eq!(account["Name"], json!("Ada Lovelace"), "{account:?}");
    let made = world.crm_effects().into_iter().filter(|effect| effect.by_api && effect.object == "Contact" && effect.kind == "created").count();
    assert_eq!(made, 1);
}

#[test]
fn an_update_leaves_what_the_warehouse_chose() {
    let world = World::start(4, Faults::default());
    exported(&world);
    let key = made(&world).into_keys().next().unwrap();
    world.wms_act_with("change", &key, json!({"carrierCode": "ups", "serviceCode": "ups_ground", "shipTo.phone": "555"})).unwrap();
    world.crm_act("change", key.trim_start_matches("sf-"), json!({"Package_Notes__c": "ring twice", "ShippingCity": "Elko"})).unwrap();
    exported(&world);
    let sent = ours(&world, &key);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let of = |path: &str| sent[0].pointer(path).cloned().unwrap_or_default();
    assert_eq!([of("/customerNotes"), of("/shipTo/city")], [json!("ring twice"), json!("Elko")]);
    assert_eq!([of("/carrierCode"), of("/serviceCode"), of("/shipTo/phone")], [json!("ups"), json!("ups_ground"), json!("555")]);
    assert!(!of("/items").as_array().unwrap().is_empty());
}
