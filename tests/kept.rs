//! The store's own commands, and a store that was damaged, with the real program.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use crossdock::sandbox::faults::Faults;
use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{RecordStage, Store as _};
use serde_json::json;

use crate::live::World;

fn text(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_flipped_bit_stops_nothing_and_is_named() {
    let world = World::start(6, Faults::default());
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let whole = world.command(&["store", "check"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole));
    // One bit of one record that is kept.
    let db = rusqlite::Connection::open(world.store()).unwrap();
    let (key, mut sealed): (String, Vec<u8>) = db
        .query_row(
            "SELECT key, sealed FROM body WHERE flow = 'export_orders' AND key IN (SELECT key FROM lane WHERE state = 'delivered')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    sealed[40] ^= 4;
    db.execute("UPDATE body SET sealed = ?2 WHERE flow = 'export_orders' AND key = ?1", rusqlite::params![key, sealed]).unwrap();
    drop(db);
    let label = Sqlite::open(&world.store(), None, Mode::Read).unwrap().record("export_orders", &key).unwrap().unwrap().label.unwrap();
    for command in [&["store", "check"][..], &["doctor"], &["doctor", "--deep"]] {
        let told = world.command(command);
        assert_eq!(told.status.code(), Some(1), "{command:?}: {}", text(&told));
        assert!(text(&told).contains(&format!("the record {label} of export_orders: body.sealed cannot be decrypted")), "{}", text(&told));
    }
    for command in [&["status"][..], &["queue", "list"], &["trace", &label]] {
        let told = world.command(command);
        assert_eq!(told.status.code(), Some(0), "{command:?}: {}", text(&told));
    }
    // The rest goes on; and the record itself, as soon as its source tells of it again.
    world.crm_act("create", "", json!({})).unwrap();
    world.crm_act("change", &label, json!({"Package_Notes__c": "leave it at the door"})).unwrap();
    let ran = world.command(&["run"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    let store = Sqlite::open(&world.store(), None, Mode::Read).unwrap();
    let lane = store.record("export_orders", &key).unwrap().unwrap();
    assert_eq!((lane.state, lane.reasons), (RecordStage::Delivered, vec![]));
    assert!(store.events("export_orders", &key).unwrap().iter().any(|event| event.kind == "damaged"));
    let told: Vec<_> = store.exceptions(false, 99).unwrap().into_iter().filter(|one| one.code == "damaged").collect();
    assert!(matches!(told.as_slice(), [one] if one.lane == key && one.closed_by.as_deref() == Some("mended")), "{told:?}");
    assert_eq!(world.command(&["store", "check"]).status.code(), Some(0));
}

/// A page that was torn concerns more than one record: nothing is sent on what is left, and each command says what to do.
#[test]
fn a_torn_page_is_refused_and_told() {
    use std::os::unix::fs::FileExt as _;
    let world = World::start(40, Faults::default());
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let db = rusqlite::Connection::open(world.store()).unwrap();
    let root: u64 = db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'lane'", [], |row| row.get(0).map(i64::unsigned_abs)).unwrap();
    let size: u64 = db.query_row("PRAGMA page_size", [], |row| row.get(0).map(i64::unsigned_abs)).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    let file = std::fs::OpenOptions::new().write(true).open(world.store()).unwrap();
    file.write_all_at(&vec![0xa5; usize::try_from(size).unwrap() / 2], (root - 1) * size).unwrap();
    drop(file);
    let before = world.wms_effects().len();
    world.crm_act("create", "", json!({})).unwrap();
    for command in [&["store", "check"][..], &["doctor", "--deep"]] {
        let told = world.command(command);
        assert_eq!(told.status.code(), Some(1), "{command:?}: {}", text(&told));
        assert!(text(&told).contains("the file itself is damaged"), "{}", text(&told));
    }
    let ran = world.command(&["run"]);
    assert_eq!(ran.status.code(), Some(3), "{}", text(&ran));
    assert!(text(&ran).contains("the store is damaged") && text(&ran).contains("crossdock store check"), "{}", text(&ran));
    assert_eq!(world.wms_effects().len(), before);
}

#[test]
fn a_backup_is_made_beside_serve_and_opens() {
    let world = World::start(6, Faults::default());
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let mut serve = world.serve();
    world.listening();
    let made = world.command(&["store", "backup", "copy.db"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made));
    assert!(text(&made).contains("live.db.key"), "it says where the key is: {}", text(&made));
    let again = world.command(&["store", "backup", "copy.db"]);
    assert_eq!(again.status.code(), Some(3), "{}", text(&again));
    assert!(text(&again).contains("exists already"), "{}", text(&again));
    world.terminate(&mut serve);
    let checked = world.command(&["store", "check", "--file", "copy.db", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((checked.status.code(), &found["damaged"]), (Some(0), &json!([])), "{}", text(&checked));
    assert!(found["rows"].as_u64().unwrap() > 20, "{found}");
    let none = world.command(&["store", "check", "--file", "none.db"]);
    assert_eq!(none.status.code(), Some(3), "{}", text(&none));
    // A file that is no store is not made one, and is said to be none.
    let path = world.folder.path().join("notes.txt");
    for content in ["", "some notes\n"] {
        std::fs::write(&path, content).unwrap();
        let none = world.command(&["store", "check", "--file", "notes.txt"]);
        assert_eq!(none.status.code(), Some(3), "{}", text(&none));
        assert!(text(&none).contains("is not a store of Crossdock") && text(&none).contains("store backup"), "{}", text(&none));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}
