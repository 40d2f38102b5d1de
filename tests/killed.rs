//! The process test: `serve` against the systems over HTTP, killed again and again while everything flows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crossdock::sandbox::faults::Faults;
use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{EntryState, RecordStage, Store as _, Watched};
use serde_json::json;

use crate::live::World;

/// Salesforce's, in milliseconds.
const LONGEST_SETTLE: i64 = 12 * 60 * 1_000;

#[test]
fn killed_twenty_times_nothing_is_lost_or_doubled() {
    let faults = Faults { lost_request: 20, lost_reply: 40, refused_before: 20, broken_after: 20, truncated: 20, ..Faults::default() };
    let world = World::start(30, faults);
    for round in 0..20_u64 {
        let mut serve = world.serve();
        world.crm_act("create", "", json!({})).unwrap();
        world.crm_act("change", &format!("{:08}", 1 + round), json!({"Package_Notes__c": format!("note {round}")})).unwrap();
        if round % 2 == 1 {
            world.wms_act("ship_all", "").unwrap();
        }
        std::thread::sleep(Duration::from_millis(700 + (round * 379) % 1_300));
        serve.kill().unwrap();
        serve.wait().unwrap();
    }
    world.set_faults(Faults::default());
    // Once more, in calm weather: until what was created is there and what was shipped is back.
    let mut serve = world.serve();
    world.listening();
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until && !world.at_rest() {
        std::thread::sleep(Duration::from_millis(500));
    }
    world.terminate(&mut serve);
    // What a poll had just begun is brought to its end; labels that are bought on the way are read by the next.
    for _ in 0..3 {
        let ended = world.command(&["run"]);
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let (wms, crm) = (world.wms_effects(), world.crm_effects());
    let mut created: BTreeMap<String, u32> = BTreeMap::new();
    let mut labels: BTreeMap<String, u32> = BTreeMap::new();
    for effect in &wms {
        let key = effect.key.clone().unwrap_or_default();
        match effect.kind.as_str() {
            "created" => *created.entry(key).or_default() += 1,
            "label" => *labels.entry(key).or_default() += 1,
            _ => {}
        }
    }
    assert!(created.len() >= 30, "{} orders were created", created.len());
    assert!(created.values().all(|times| *times == 1), "{created:?}");
    assert!(labels.values().all(|times| *times == 1), "{labels:?}");
    // ShipStation adds customs lines that are sent twice. Here no order gets another line than those it was made with.
    let mut declared: BTreeMap<String, usize> = BTreeMap::new();
    for effect in wms.iter().filter(|effect| matches!(effect.kind.as_str(), "created" | "updated")) {
        let lines = effect.fields.pointer("/internationalOptions/customsItems").and_then(|lines| Some(lines.as_array()?.len()));
        if let (Some(key), Some(lines)) = (&effect.key, lines) {
            let first = *declared.entry(key.clone()).or_insert(lines);
            assert!(lines <= first, "{key} has {lines} customs lines, and was made with {first}");
        }
    }
    assert!(declared.len() >= 10, "{declared:?}");
    // Each tracking number is back.
    let back: Vec<String> =
        crm.iter().filter(|effect| effect.by_api).filter_map(|effect| effect.fields.get("Tracking_Number__c")?.as_str().map(str::to_owned)).collect();
    // The store is whole, and every record is in a state that the first promise names.
    let store = Sqlite::open(&world.store(), None, Mode::Write).unwrap();
    store.check().unwrap();
    // A write to a record that an older request may still change waits longer than this test.
    let watches = store.watches(i64::MAX, 10_000).unwrap();
    let settling = |key: &str| watches.iter().any(|watch| watch.what == Watched::Settle && watch.lane == key);
    let missing: Vec<_> = wms
        .iter()
        .filter(|effect| effect.kind == "label")
        .filter(|effect| !settling(&format!("id:{}", effect.key.as_deref().unwrap_or_default().trim_start_matches("sf-"))))
        .filter_map(|effect| effect.fields.get("trackingNumber")?.as_str().map(str::to_owned))
        .filter(|number| !back.contains(number))
        .collect();
    let told: Vec<_> = RecordStage::ALL
        .into_iter()
        .filter(|state| *state != RecordStage::Delivered)
        .flat_map(|state| store.in_state(Some("import_shipments"), state, 100).unwrap())
        .map(|lane| (lane.key, lane.label, lane.state, lane.reasons))
        .collect();
    assert!(missing.is_empty(), "{} of {} tracking numbers did not come back: {missing:?}; {told:?}", missing.len(), labels.values().sum::<u32>());
    // Until when writes wait, and until when targets may still change by one that was lost. A record of such a target waits as long.
    let unsettled =
        |(flow, state): (String, RecordStage)| if state.settled() { Vec::new() } else { store.in_state(Some(&flow), state, 100).unwrap() };
    let held_off: Vec<i64> = store
        .counts()
        .unwrap()
        .into_keys()
        .flat_map(unsettled)
        .flat_map(|lane| store.entries_of(&lane.flow, &lane.key).unwrap())
        .filter(|entry| matches!(entry.state, EntryState::Planned | EntryState::Ambiguous))
        .map(|entry| entry.due)
        .chain(watches.iter().filter(|watch| watch.what == Watched::Settle).map(|watch| watch.due))
        .collect();
    for ((flow, state), count) in store.counts().unwrap() {
        let failed = || store.in_state(Some(&flow), state, 5).unwrap().into_iter().map(|lane| (lane.label, lane.reasons)).collect::<Vec<_>>();
        assert!(state != RecordStage::Failed, "{count} records of {flow} failed: {:?}", failed());
        // A label whose outcome is in doubt waits out its settle time, which is longer than this test.
        for lane in if state.settled() { Vec::new() } else { store.in_state(Some(&flow), state, 100).unwrap() } {
            if lane.was.is_some() {
                // It had ended, and was being read again to see whether it changed.
                continue;
            }
            let entries = store.entries_of(&lane.flow, &lane.key).unwrap();
            // So does a write whose record an older request may still change.
            let settling = store.watches(i64::MAX, 1_000).unwrap();
            let settling = |key: &Option<String>| settling.iter().any(|watch| watch.what == Watched::Settle && Some(&watch.lane) == key.as_ref());
            // And so does a newer version behind one that was in doubt: for no longer than the longest settle time.
            let now = jiff::Timestamp::now().as_millisecond();
            let doubted = store.events(&lane.flow, &lane.key).unwrap().iter().any(|event| event.kind == "ambiguous");
            let in_time = lane.due > now && lane.due <= now + LONGEST_SETTLE;
            let waits = (doubted && in_time)
                || (entries.is_empty() && in_time && held_off.iter().any(|until| lane.due <= *until))
                || entries.iter().any(|entry| {
                    entry.state == EntryState::Ambiguous || settling(&entry.key) || settling(&entry.target.as_ref().map(|id| format!("id:{id}")))
                });
            let told: Vec<String> = store
                .events(&lane.flow, &lane.key)
                .unwrap()
                .iter()
                .map(|event| format!("{} {} {}", event.at - now, event.kind, event.text))
                .collect();
            assert!(
                waits,
                "{flow} {} is {}, due in {} ms, {:?}: {entries:?}; others wait for {:?}, targets for {:?}\n{}",
                lane.key,
                state.word(),
                lane.due - now,
                lane.reasons,
                held_off.iter().map(|until| until - now).collect::<Vec<_>>(),
                watches.iter().map(|watch| (watch.lane.as_str(), watch.due - now)).collect::<Vec<_>>(),
                told.join("\n")
            );
        }
    }
}

#[test]
fn a_second_process_says_so_and_changes_nothing() {
    let world = World::start(3, Faults::default());
    let mut serve = world.serve();
    world.listening();
    let second = world.command(&["run"]);
    assert_eq!(second.status.code(), Some(3), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another process"));
    // Reading works beside it.
    assert_eq!(world.command(&["status"]).status.code(), Some(0));
    world.terminate(&mut serve);
}

/// A process that goes on without its file sends what no later one knows of.
#[test]
fn a_process_whose_store_was_taken_away_stops_and_tells_the_way_out() {
    let world = World::start(3, Faults::default());
    let mut serve = world.serve();
    world.listening();
    std::fs::remove_file(world.store()).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    let ended = loop {
        if let Some(ended) = serve.try_wait().unwrap() {
            break ended;
        }
        assert!(Instant::now() < until, "it goes on");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(ended.code(), Some(3));
    // As often as it is started, nothing stands in the way of what the message names.
    for _ in 0..2 {
        let run = world.command(&["run"]);
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(3), "{told}");
        assert!(told.contains("is missing or empty") && told.contains("--recover"), "{told}");
        assert!(!world.store().exists(), "a refused start makes no store");
        let status = world.command(&["status"]);
        assert!(String::from_utf8_lossy(&status.stderr).contains("is missing or empty"), "{}", String::from_utf8_lossy(&status.stderr));
    }
    let recovered = world.command(&["run", "--recover"]);
    assert_eq!(recovered.status.code(), Some(0), "{}", String::from_utf8_lossy(&recovered.stderr));
    assert!(world.store().exists());
}
