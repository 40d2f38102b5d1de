//! A planted secret and planted personal data: nowhere in the store's files, in logs, or in what is printed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use crossdock::sandbox::faults::Faults;
use serde_json::json;

use crate::live::{PLANTED_SECRET, SECRET, World};

const STREET: &str = "77 Zanzibar Plantation Way";
const CITY: &str = "Quxborough";
const NOTE: &str = "ring Wilhelmina Plumtree at the back door";

#[test]
fn nothing_planted_is_found_anywhere() {
    let world = World::start(6, Faults { lost_reply: 60, truncated: 30, ..Faults::default() });
    let mine = json!({"ShippingStreet": STREET, "ShippingCity": CITY, "Package_Notes__c": NOTE});
    world.crm_act("create", "", mine.clone()).unwrap();
    // One that the mapping rejects by a reason that quotes the record.
    world
        .crm_act("create", "", json!({"ShippingStreet": STREET, "ShippingCity": CITY, "ShippingPostalCode": "PLANTED-ZIP", "Package_Notes__c": NOTE}))
        .unwrap();
    // One whose write-back the org refuses, in words that quote it.
    world.crm_act("rule", "", json!({"object": "Order", "field": "Tracking_Number__c", "message": format!("{CITY} is closed")})).unwrap();
    let mut printed = String::new();
    let mut say = |arguments: &[&str]| {
        let output = world.command(arguments);
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    };
    let mut serve = world.serve();
    world.listening();
    std::thread::sleep(Duration::from_secs(6));
    world.wms_act("ship_all", "").unwrap();
    std::thread::sleep(Duration::from_secs(4));
    world.terminate(&mut serve);
    say(&["run"]);
    say(&["status"]);
    say(&["queue", "list"]);
    for id in 1..60 {
        say(&["queue", "show", &id.to_string()]);
    }
    say(&["trace", "00000007", "--requests"]);
    say(&["trace", "00000008", "--requests"]);
    say(&["audit", "show"]);
    say(&["doctor"]);
    let log = world.log();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("live.db")) {
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    assert!(files.len() >= 2 && log.len() > 100 && printed.len() > 1_000, "there is too little to look through: {printed}");
    files.push(("the log".to_owned(), log.into_bytes()));
    files.push(("what was printed".to_owned(), printed.into_bytes()));
    let planted = [PLANTED_SECRET, SECRET, STREET, CITY, NOTE, "Wilhelmina", "PLANTED-ZIP"];
    for (name, bytes) in &files {
        for what in planted {
            let found = bytes.windows(what.len()).position(|part| part == what.as_bytes());
            let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(80)..(at + 60).min(bytes.len())]).into_owned());
            assert!(found.is_none(), "`{what}` stands in {name}: …{}…", around.unwrap_or_default());
        }
    }
}
