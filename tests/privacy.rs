//! What is kept, for how long, and how a person is erased: with the real binary against the sandbox.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Output;

use crossdock::sandbox::faults::Faults;
use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{Change, RecordStage, RecordState, Store as _};
use serde_json::{Value as Json, json};

use crate::live::World;

const CITY: &str = "Quxborough";
const MAIL: &str = "canary.quillfeather@zephyrmail.example";

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What was done at the systems by us.
fn made(world: &World) -> usize {
    world.wms_effects().iter().chain(&world.crm_effects()).filter(|effect| effect.by_api).count()
}

fn run(world: &World) {
    let run = world.command(&["run"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
}

fn open(world: &World) -> Sqlite {
    Sqlite::open(&world.store(), None, Mode::Read).unwrap()
}

/// A recipient whose address is the key of what is written.
fn customer(world: &World) {
    let to = json!({"name": "Canary Quillfeather", "street1": "1 Elm", "city": CITY, "state": "TX", "postalCode": "78701", "country": "US", "phone": "+1 512 867 5309"});
    let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
    world.wms_act_with("create", "W-1", json!({"customerEmail": MAIL, "customerUsername": "cq", "shipTo": to, "items": [item]})).unwrap();
}

#[test]
fn a_record_whose_key_is_an_address_is_found_by_it_and_erased_by_it() {
    let world = World::of("crm-customers", 1, Faults::default(), "1 second");
    customer(&world);
    run(&world);
    let before = made(&world);
    assert!(before >= 2, "the account and the contact were not made");
    for name in [MAIL, "Canary.Quillfeather@ZephyrMail.Example"] {
        let traced = world.command(&["trace", name, "--requests"]);
        assert_eq!(traced.status.code(), Some(0), "{name}: {}", said(&traced));
        let text = said(&traced);
        assert!(text.contains("upsert crm.Contact") && text.contains("•••"), "{text}");
        assert!(!text.to_lowercase().contains("zephyrmail") && !text.contains("Quillfeather"), "{text}");
    }
    let shown = world.command(&["erase", &MAIL.to_uppercase()]);
    let text = said(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    assert!(text.contains("customers") && text.contains("nothing was removed") && !text.to_lowercase().contains("zephyrmail"), "{text}");
    assert_eq!(world.command(&["trace", MAIL]).status.code(), Some(0), "looking removes nothing");
    let erased = world.command(&["erase", &MAIL.to_uppercase(), "--yes", "--by", "ops"]);
    assert_eq!(erased.status.code(), Some(0), "{}", said(&erased));
    // The order in both flows, and the group of orders to this address.
    assert!(said(&erased).contains("3 erased") && said(&erased).contains("older backups of the store"), "{}", said(&erased));
    // What is found by the address is the hash of the group alone.
    let traced = said(&world.command(&["trace", MAIL]));
    assert!(traced.contains("was erased") && !traced.contains("W-1") && !traced.contains("confirmed"), "{traced}");
    // The proof stays, and a second time finds nothing.
    let again = world.command(&["erase", MAIL, "--yes"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert!(said(&again).contains("nothing is kept of") && said(&again).contains("erased") && said(&again).contains("by ops"), "{}", said(&again));
    // Neither a poll nor a replay takes it in again, and nothing is sent again.
    run(&world);
    let key = {
        let store = open(&world);
        let lane = store.in_state(Some("customers"), RecordStage::Delivered, 9).unwrap().into_iter().find(|lane| lane.is_erased()).unwrap();
        assert!(lane.body.is_none() && lane.label.is_none());
        assert_eq!(store.events("customers", &lane.key).unwrap().iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["erased"]);
        lane.key
    };
    let replayed = world.command(&["replay", "--flow", "customers", &key]);
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
    assert!(said(&replayed).contains("it was erased"), "{}", said(&replayed));
    world.command(&["replay", "--flow", "customers", "--all"]);
    world.command(&["checkpoint", "rewind", "--flow", "customers", "--to", "2h"]);
    run(&world);
    assert_eq!(made(&world), before, "something was sent again");
    assert!(open(&world).record("customers", &key).unwrap().unwrap().body.is_none());
    // What its source changes is taken again.
    world.wms_act_with("change", "W-1", json!({"customerUsername": "another"})).unwrap();
    run(&world);
    assert!(!open(&world).record("customers", &key).unwrap().unwrap().is_erased());
}

#[test]
fn a_person_is_erased_by_what_stands_in_a_record() {
    let world = World::start(2, Faults::default());
    world.crm_act("create", "", json!({"ShippingStreet": "1 Elm", "ShippingCity": CITY, "ShippingPostalCode": "NO-ZIP"})).unwrap();
    run(&world);
    let before = made(&world);
    let json = world.command(&["erase", "quxborough", "--format", "json"]);
    let told: Json = serde_json::from_slice(&json.stdout).unwrap_or_else(|_| panic!("{}", said(&json)));
    let found = &told["records"][0];
    assert_eq!((&found["flow"], &found["state"], &found["kept"]["body"]), (&json!("export_orders"), &json!("rejected"), &json!(1)), "{told}");
    let shown = said(&world.command(&["erase", "quxborough"]));
    assert!(shown.contains("it waits for a person") && !shown.contains(CITY), "{shown}");
    let erased = world.command(&["erase", "quxborough", "--yes"]);
    assert_eq!(erased.status.code(), Some(0), "{}", said(&erased));
    assert!(said(&world.command(&["erase", "quxborough"])).contains("nothing is kept"));
    // By its number, with what is linked.
    let erased = world.command(&["erase", "00000001", "--linked", "--yes"]);
    assert_eq!(erased.status.code(), Some(0), "{}", said(&erased));
    assert_eq!(world.command(&["trace", "00000001"]).status.code(), Some(2), "what it was called is gone");
    assert_eq!(open(&world).open_exceptions().unwrap(), 0, "nobody has to decide about it");
    run(&world);
    assert_eq!(made(&world), before, "the same versions are known by their hashes");
    assert_eq!(world.command(&["erase", "ab"]).status.code(), Some(2));
}

#[test]
fn what_is_in_doubt_or_on_its_way_is_not_erased() {
    let world = World::start(1, Faults::default());
    run(&world);
    let mut store = Sqlite::open(&world.store(), None, Mode::Write).unwrap();
    let entry = |id: i64, lane: &str, state: &str, doubted: Option<i64>| -> Change {
        let entry = json!({
            "id": id, "flow": "export_orders", "lane": lane, "version": "v", "write": "order", "after": null, "connection": "wms", "object": "Order",
            "op": "upsert", "key": format!("sf-{lane}"), "key_field": "orderKey", "target": null, "class": 2, "review_doubt": true, "state": state,
            "first": false, "attempt": 1, "due": i64::MAX / 2, "sent": doubted, "doubted": doubted, "epoch": 0, "body": {"customerEmail": MAIL}, "held": null,
            "hash": "h", "result": null, "error": null, "plan": "p", "created": 3, "rides": null,
        });
        Change::Entry(serde_json::from_value(entry).unwrap())
    };
    let lane = |key: &str, state: RecordStage| {
        Change::Record(RecordState { state, label: Some(format!("no-{key}")), version: "v".into(), ..RecordState::new("export_orders", key, 5) })
    };
    let (one, other) = (store.next_id().unwrap(), store.next_id().unwrap());
    store
        .commit(&[
            lane("doubted", RecordStage::Failed),
            entry(one, "doubted", "parked", Some(4)),
            lane("moving", RecordStage::Sending),
            entry(other, "moving", "planned", None),
        ])
        .unwrap();
    drop(store);
    let erased = world.command(&["erase", MAIL, "--yes"]);
    let text = said(&erased);
    assert_eq!(erased.status.code(), Some(1), "{text}");
    assert!(text.contains("no-doubted: the outcome of its write is unknown") && text.contains("no-moving: it is in progress"), "{text}");
    assert!(text.contains("it is in progress and is not erased"), "{text}");
    let store = open(&world);
    for key in ["doubted", "moving"] {
        assert_eq!(store.entries_of("export_orders", key).unwrap().len(), 1, "{key} was broken off");
    }
}

#[test]
fn what_is_old_is_dropped_by_class_and_connection() {
    let world = World::start(3, Faults::default());
    world.crm_act("create", "", json!({"ShippingCity": CITY, "ShippingPostalCode": "NO-ZIP"})).unwrap();
    // What one flow has written is news to another.
    (0..3).for_each(|_| run(&world));
    let before = made(&world);
    let store = open(&world);
    assert!(!store.exchanges(9).unwrap().is_empty() && !store.search("00000001", 9).unwrap().is_empty());
    drop(store);
    let path = world.folder.path().join("crossdock.live.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    // An expectation looks at an order for hours, and keeps it so long: its flow's data is not old before.
    let more = "retention: { requests: 0, history: 0, bodies: 0, links: 0, labels: 0, exceptions: forever }\n";
    std::fs::write(&path, format!("{config}{more}")).unwrap();
    let doctor = said(&world.command(&["doctor"]));
    assert!(doctor.contains("wms: data is kept for this many days: requests 0") && doctor.contains("exceptions forever"), "{doctor}");
    let dry = world.command(&["run", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", said(&dry));
    assert!(!open(&world).exchanges(9).unwrap().is_empty(), "a rehearsal drops nothing");
    run(&world);
    let store = open(&world);
    let counts: u64 = store.counts().unwrap().values().sum();
    assert!(counts >= 4, "the records themselves are known still");
    let rejected = store.in_state(Some("export_orders"), RecordStage::Rejected, 9).unwrap();
    assert!(rejected.len() == 1 && rejected[0].body.is_some(), "what waits for somebody is kept");
    let watched = |flow: &str, key: &str| !store.watches_of(flow, key).unwrap().is_empty();
    let mut old = 0;
    for (flow, state) in store.counts().unwrap().keys() {
        for lane in store.in_state(Some(flow), *state, 99).unwrap() {
            let ended = matches!(lane.state, RecordStage::Delivered | RecordStage::Unchanged | RecordStage::NotEligible);
            if ended && !watched(&lane.flow, &lane.key) {
                old += 1;
                assert!(lane.body.is_none() && lane.label.is_none(), "{} {}", lane.flow, lane.key);
                assert!(store.events(&lane.flow, &lane.key).unwrap().is_empty(), "{} {}", lane.flow, lane.key);
            }
        }
    }
    assert!(old > 0, "nothing was old");
    drop(store);
    run(&world);
    assert_eq!(made(&world), before, "nothing goes again");
    // A replay after it finds that the targets have all of it.
    world.command(&["replay", "--flow", "export_orders", "--all"]);
    run(&world);
    let orders = |world: &World| world.wms_effects().iter().filter(|effect| effect.kind == "created").count();
    assert_eq!(orders(&world), 3, "an order was made twice");
    let wrong = world.folder.path().join("crossdock.wrong.yaml");
    std::fs::write(wrong, "retention: { history: a week }\n").unwrap();
    let checked = world.crossdock().args(["check", "--env", "wrong"]).output().unwrap();
    assert_ne!(checked.status.code(), Some(0), "{}", said(&checked));
    assert!(said(&checked).contains("a number of days"), "{}", said(&checked));
}

#[test]
fn what_was_sent_of_an_order_is_shown_whole_and_nothing_of_others() {
    let world = World::start(120, Faults::default());
    run(&world);
    let traced = world.command(&["trace", "00000117", "--requests", "--format", "json"]);
    let text = said(&traced);
    let json: Json = serde_json::from_slice(&traced.stdout).unwrap_or_else(|_| panic!("{text}"));
    let sent: Vec<&Json> = json["events"].as_array().unwrap().iter().filter_map(|event| event["request"]["records"].as_array()).flatten().collect();
    let order = sent.iter().find(|record| record["flow"] == "export_orders").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(order["request"]["orderNumber"], "00000117", "{text}");
    assert_eq!(order["request"]["shipTo"]["street1"], "•••", "{text}");
    assert!(order["response"]["orderId"].is_number() || order["response"]["success"] == json!(true), "{text}");
    assert!(!text.contains("00000116"), "another customer's order stands in it");
    let human = said(&world.command(&["trace", "00000117", "--requests"]));
    assert!(human.contains("sent:") && human.contains("00000117") && !human.contains("00000116"), "{human}");
    let audit = world.command(&["audit", "show", "--format", "json"]);
    let calls: Json = serde_json::from_slice(&audit.stdout).unwrap_or_else(|_| panic!("{}", said(&audit)));
    assert!(calls["calls"].as_array().unwrap().iter().any(|call| call["records"].as_array().is_some_and(|records| records.len() > 1)), "{calls}");
}

#[test]
fn a_dry_run_is_masked_unless_it_is_asked_for() {
    let world = World::start(2, Faults::default());
    world.crm_act("change", "00000001", json!({"ShippingCity": CITY})).unwrap();
    for format in ["human", "json"] {
        let masked = said(&world.command(&["run", "--dry-run", "--all", "--format", format]));
        assert!(masked.contains("•••") && masked.contains("00000001"), "{masked}");
        assert!(!masked.contains(CITY) && !masked.contains("@example.com"), "{masked}");
        let shown = said(&world.command(&["run", "--dry-run", "--all", "--reveal", "--format", format]));
        assert!(shown.contains("@example.com"), "{shown}");
    }
}

/// Two won opportunities of one account that were sent: their ids.
fn won(world: &World) -> Vec<String> {
    let account = json!({
        "Name": "Canary Quillfeather", "Email__c": MAIL, "ShippingStreet": "1 Main Street", "ShippingCity": "Springfield", "ShippingPostalCode": "62701",
        "ShippingStateCode": "IL", "ShippingCountryCode": "US",
    });
    world.crm_act("make", "Account", account).unwrap();
    let id = |won: Json| won["Id"].as_str().or_else(|| won["id"].as_str()).unwrap().to_owned();
    let made = (0..2).map(|_| id(world.crm_act("win", MAIL, json!({})).unwrap())).collect();
    run(world);
    made
}

#[test]
fn what_is_erased_and_then_deleted_at_its_source_waits_for_a_person() {
    let world = World::of("crm-closed-won", 2, Faults::default(), "1 second");
    let won = won(&world);
    let state = |key: &str| open(&world).record("closed_won", key).unwrap().map(|lane| lane.state);
    assert_eq!(state(&won[0]), Some(RecordStage::Delivered), "{}", said(&world.command(&["trace", &won[0]])));
    let erased = world.command(&["erase", &won[0], "--yes"]);
    assert_eq!(erased.status.code(), Some(0), "{}", said(&erased));
    let before = made(&world);
    world.crm_act("delete", &won[0], Json::Null).unwrap();
    run(&world);
    assert_eq!(made(&world), before, "what nobody knows any more was written");
    let queue = said(&world.command(&["queue", "list", "--each"]));
    assert!(queue.contains("gone") && queue.contains("the target still has it, and its data was"), "{queue}");
    // One that was not erased is written back by itself.
    world.crm_act("delete", &won[1], Json::Null).unwrap();
    run(&world);
    assert!(made(&world) > before, "{}", said(&world.command(&["trace", &won[1]])));
}
