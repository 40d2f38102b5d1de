//! An org that changes under a project: what has changed is told, with the lines that it touches; `pull` takes it in;
//! `serve` alerts by itself.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use crate::live::World;
use crossdock::sandbox::faults::Faults;
use serde_json::{Value as Json, json};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What an administrator does in an afternoon.
fn change(world: &World) {
    for (field, settings) in [
        ("Order.Status", json!({"value": "Backordered"})),
        ("Order.Package_Notes__c", json!({"rename": "Parcel_Notes__c"})),
        ("Order.Wrapping__c", json!({})),
        ("Shipment__c.Service__c", json!({"length": "40"})),
    ] {
        world.crm_act("schema", field, settings).unwrap();
    }
}

#[test]
fn a_changed_org_is_told_pulled_and_checked() {
    let world = World::start(3, Faults::default());
    let before = world.command(&["schema", "diff"]);
    assert_eq!((before.status.code(), said(&before).as_str()), (Some(0), "7 objects compared, 0 changed\n"), "{before:?}");
    change(&world);

    let differs = world.command(&["schema", "diff"]);
    assert_eq!(differs.status.code(), Some(1));
    insta::assert_snapshot!("schema_diff", said(&differs));
    let kept = std::fs::read_to_string(world.folder.path().join("schemas/crm/Order.json")).unwrap();
    assert!(kept.contains("Package_Notes__c"), "a comparison writes nothing");

    let told: Json = serde_json::from_slice(&world.command(&["schema", "diff", "crm.Order", "--format", "json"]).stdout).unwrap();
    let objects = told["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 1);
    let touched = objects[0]["differences"].as_array().unwrap().iter().find(|d| d["difference"]["change"] == "values").unwrap();
    assert_eq!(touched["difference"]["added"], json!(["Backordered"]));
    assert!(touched["touches"].as_array().unwrap().iter().any(|used| used["how"] == "maps" && used["by"] == "order_status"), "{touched}");

    let pulled = world.command(&["schema", "pull"]);
    assert_eq!(pulled.status.code(), Some(1), "the mapping reads a field that is gone: {}", said(&pulled));
    assert!(said(&pulled).contains("wrote schemas/crm/Order.json\nwrote schemas/crm/Shipment__c.json\n"), "{}", said(&pulled));
    let again = world.command(&["schema", "pull"]);
    assert!(said(&again).starts_with("7 objects compared, 0 changed\n"), "{}", said(&again));

    // The lines that `check` points at are edited, and the project runs.
    let path = world.folder.path().join("orders.dock");
    let text = std::fs::read_to_string(&path).unwrap().replace("Package_Notes__c", "Parcel_Notes__c");
    std::fs::write(&path, text).unwrap();
    let checked = world.command(&["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    let run = world.command(&["run", "--flow", "export_orders"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}

#[test]
fn an_object_of_any_name_is_pulled_and_an_unknown_one_is_told() {
    let world = World::start(1, Faults::default());
    let pulled = world.command(&["schema", "pull", "crm.Case"]);
    assert_eq!(pulled.status.code(), Some(0), "{pulled:?}");
    let text = std::fs::read_to_string(world.folder.path().join("schemas/crm/Case.json")).unwrap();
    assert!(serde_json::from_str::<Json>(&text).unwrap()["properties"]["Subject"].is_object());
    let shown = world.command(&["schema", "pull", "crm.Nothing__c"]);
    assert_eq!(shown.status.code(), Some(1));
    assert!(said(&shown).contains("crm.Nothing__c: the system has no such object"), "{}", said(&shown));
    let stranger = world.command(&["schema", "diff", "erp"]);
    assert_eq!(stranger.status.code(), Some(2), "{stranger:?}");
}

#[test]
fn serve_alerts_of_a_change_that_touches_the_mapping() {
    let world = World::start_with(1, Faults::default(), "10 minutes");
    change(&world);
    let environment = world.folder.path().join("crossdock.live.yaml");
    let mut text = std::fs::read_to_string(&environment).unwrap();
    text.push_str("schema_drift: 1 second\nalerts: { command: [sh, -c, \"cat >> alerts.jsonl; echo >> alerts.jsonl\"] }\n");
    std::fs::write(&environment, text).unwrap();
    let mut serve = world.serve();
    world.listening();
    let file = world.folder.path().join("alerts.jsonl");
    let until = Instant::now() + Duration::from_secs(20);
    let told = loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let told: Vec<Json> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(|alert: &Json| alert["kind"] == "schema").collect();
        if told.len() >= 2 || Instant::now() > until {
            break told;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    // Two looks later it is still told once.
    std::thread::sleep(Duration::from_secs(3));
    let lines = std::fs::read_to_string(&file).unwrap().lines().filter(|line| line.contains("\"schema\"")).count();
    world.terminate(&mut serve);
    let subjects: Vec<&str> = told.iter().filter_map(|alert| alert["subject"].as_str()).collect();
    assert_eq!(subjects, ["crm.Order", "crm.Shipment__c"], "{}", world.log());
    assert_eq!(lines, 2);
    let message = told[0]["message"].as_str().unwrap();
    assert!(message.contains("+`Backordered`") && message.contains("mapped by order_status") && !message.contains("Wrapping__c"), "{message}");
}
