//! What a read goes through: as much in a large store as in a small one. Lists of open exceptions are not among them: they are sorted
//! by what is due first.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use serde_json::json;

use super::Sqlite;
use crate::store::contract::tests::{entry, exception, lane};
use crate::store::{Change, Event, Link, RecordStage, RecordState, Store, TargetState, Watch, Watched};
use crate::value::RawRecord;

/// A store of one flow with so many records, five to a group, each with all that a record may have.
fn of(records: i64) -> Sqlite {
    let mut store = Sqlite::in_memory(&format!("reads{records}")).unwrap();
    for some in (1..=records).collect::<Vec<_>>().chunks(500) {
        let mut changes = Vec::new();
        for at in some {
            let (key, id) = (format!("k{at:05}"), at * 10);
            let body = Some(RawRecord::of(&json!({"Id": key})));
            let (flow, lane_key) = ("f".to_owned(), key.clone());
            let mut one = RecordState { body, group: Some(format!("g{:05}", at / 5)), ..lane(&key, *at, false) };
            one.state = if at % 100 == 0 { RecordStage::Waiting } else { RecordStage::Delivered };
            one.due = *at;
            changes.push(Change::Record(one));
            changes.push(Change::Entry(entry(id, &key)));
            changes.push(Change::Exception(exception(id + 1, &key)));
            changes.push(Change::Link(Link { flow: flow.clone(), lane: key.clone(), object: "wms.Order".into(), id: format!("w{}", at / 2) }));
            let text = "sent".to_owned();
            changes.push(Change::Event(Event { at: *at, flow: flow.clone(), lane: key.clone(), kind: "sent".into(), text, exchange: None }));
            let ledger =
                TargetState { connection: "wms".into(), object: "Order".into(), key: format!("sf-{key}"), confirmed: *at, ..TargetState::default() };
            changes.push(Change::Target(ledger));
            changes.push(Change::Watch(Watch { what: Watched::Expectation("late".into()), flow, lane: lane_key, since: 0, due: *at }));
        }
        store.commit(&changes).unwrap();
    }
    store
}

/// The steps that each read takes, by its name.
fn steps(store: &mut Sqlite, records: i64) -> Vec<(&'static str, i64)> {
    let (at, mut taken) = (records / 2, Vec::new());
    let (key, group, id) = (format!("k{at:05}"), format!("g{:05}", at / 5), at * 10);
    let mut asked = |name, read: &mut dyn FnMut(&mut Sqlite)| {
        store.steps.set(0);
        read(store);
        taken.push((name, store.steps.get()));
    };
    asked("lane", &mut |store| assert!(store.record("f", &key).unwrap().is_some()));
    asked("known", &mut |store| assert_eq!(store.known("f", &[&key, "none"]).unwrap().len(), 1));
    asked("members", &mut |store| assert_eq!(store.members("f", &group).unwrap().len(), 5));
    asked("search by label", &mut |store| assert_eq!(store.search(&format!("no {key}"), 20).unwrap().len(), 1));
    asked("search by key", &mut |store| assert_eq!(store.search(&key, 20).unwrap().len(), 1));
    asked("search by a record of it", &mut |store| assert_eq!(store.search(&format!("w{}", at / 2), 20).unwrap().len(), 2));
    asked("in_state", &mut |store| assert_eq!(store.in_state(Some("f"), RecordStage::Delivered, 5).unwrap().len(), 5));
    asked("beginning", &mut |store| assert_eq!(store.beginning("f", &key).unwrap().len(), 1));
    asked("oldest_in", &mut |store| assert!(store.oldest_in(RecordStage::Delivered).unwrap().is_some()));
    asked("counts", &mut |store| assert!(!store.counts().unwrap().is_empty()));
    asked("entry", &mut |store| assert!(store.entry(id).unwrap().is_some()));
    asked("entries", &mut |store| assert_eq!(store.entries(&[id, id + 10]).unwrap().len(), 2));
    asked("entries_of", &mut |store| assert_eq!(store.entries_of("f", &key).unwrap().len(), 1));
    asked("ledger", &mut |store| assert!(store.target_state("wms", "Order", &format!("sf-{key}")).unwrap().is_some()));
    asked("exception", &mut |store| assert!(store.exception(id + 1).unwrap().is_some()));
    asked("exceptions_of", &mut |store| assert_eq!(store.exceptions_of("f", &key).unwrap().len(), 1));
    asked("decisions_of", &mut |store| assert!(store.decisions_of("f", &key).unwrap().is_empty()));
    asked("closed exceptions", &mut |store| assert_eq!(store.exceptions(false, 5).unwrap().len(), 5));
    asked("events", &mut |store| assert_eq!(store.events("f", &key).unwrap().len(), 1));
    asked("watches", &mut |store| assert_eq!(store.watches(10_000_000, 5).unwrap().len(), 5));
    asked("next_watch", &mut |store| assert_eq!(store.next_watch().unwrap(), Some(1)));
    asked("watches_of", &mut |store| assert_eq!(store.watches_of("f", &key).unwrap().len(), 1));
    asked("links_of", &mut |store| assert_eq!(store.links_of("f", &key).unwrap().len(), 1));
    asked("linked", &mut |store| assert_eq!(store.linked("f", &key, None, 20).unwrap().len(), 1));
    asked("hints", &mut |store| assert!(store.hints(5).unwrap().is_empty()));
    asked("controls", &mut |store| assert!(store.controls().unwrap().is_empty()));
    asked("alerts", &mut |store| assert!(store.alerts().unwrap().is_empty()));
    taken
}

#[test]
fn a_read_goes_through_what_it_gives_and_no_more() {
    let (mut small, mut large) = (of(500), of(4_000));
    let (small, large) = (steps(&mut small, 500), steps(&mut large, 4_000));
    let worse: Vec<_> = small.iter().zip(&large).filter(|((_, small), (_, large))| *large > small * 2).collect();
    assert!(worse.is_empty(), "in a store that is eight times as large: {worse:#?}");
    assert!(small.iter().all(|(_, steps)| *steps > 0), "{small:?}");
}
