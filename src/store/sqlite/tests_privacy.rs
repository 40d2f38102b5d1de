//! Tests of personal keys, retention and erasure in a store's file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rusqlite::params;
use serde_json::json;

use super::form::MIGRATIONS;
use super::*;
use crate::store::contract::tests::{entry, exception, lane};
use crate::store::{
    Before, Decided, Entry, EntryState, Erasure, Event, Exception, Exchange, Link, Old, Part, RecordStage, RecordState, Store, TargetState, Undo,
    Watch, Watched,
};
use crate::value::RawRecord;

const MAIL: &str = "canary.quill@zephyrmail.example";
const PHONE: &str = "+15128675309";

/// Everything in which a key of a person may stand.
fn of_person(key: &str, at: i64) -> Vec<Change> {
    let body = json!({"Email": MAIL, "Phone": PHONE});
    let parked = Entry { key: Some(MAIL.into()), body: body.clone(), rides: None, state: EntryState::Parked, ..entry(at * 10, key) };
    let undo = Undo {
        state: RecordStage::Review,
        was: None,
        version: "v".into(),
        attempt: 0,
        due: 0,
        entries: vec![parked.clone()],
        left_state: RecordStage::Sending,
        left_version: "v".into(),
    };
    let decided = Decided { what: "approved".into(), by: Some("quill.clerk".into()), why: Some(format!("{MAIL} rang")), at, undo: Some(undo) };
    let closed = Exception { closed: Some(at), closed_by: Some("approved".into()), decided: Some(decided), ..exception(at * 10 + 1, key) };
    let event = |kind: &str, text: &str| {
        Change::Event(Event { at, flow: "f".into(), lane: key.into(), kind: kind.into(), text: text.into(), exchange: Some(at * 10 + 3) })
    };
    let of = |key: &str, id: &str| TargetState {
        connection: "crm".into(),
        object: "Contact".into(),
        key: key.into(),
        id: Some(id.into()),
        ..TargetState::default()
    };
    let part = |lane: &str| Part { flow: "f".into(), lane: lane.into(), request: Some(format!("{{\"of\":\"{lane}\"}}")), response: None };
    vec![
        Change::Record(RecordState { state: RecordStage::Delivered, updated: at, body: Some(RawRecord::of(&body)), ..lane(key, at, false) }),
        Change::Exception(closed),
        Change::Exchange(Exchange {
            id: at * 10 + 3,
            at,
            connection: "crm".into(),
            method: "PATCH".into(),
            path: "/sobjects/Contact/Email/•••".into(),
            status: Some(200),
            took: 1,
            request: None,
            response: None,
            broken: None,
            plan: "p".into(),
            parts: vec![part(key), part("another")],
        }),
        event("sent", &format!("upsert {MAIL}")),
        event("approved", "quill.clerk decided it"),
        Change::Link(Link { flow: "f".into(), lane: key.into(), object: "crm.Contact".into(), id: MAIL.into() }),
        Change::Link(Link { flow: "f".into(), lane: key.into(), object: "crm.Contact".into(), id: PHONE.into() }),
        Change::Target(of(MAIL, "003A")),
        Change::Target(of("of:003A", MAIL)),
    ]
}

fn waiting(key: &str, at: i64) -> Vec<Change> {
    let watch = Watch { what: Watched::Settle, flow: "crm.Contact".into(), lane: MAIL.into(), since: 0, due: 5 };
    vec![
        Change::Entry(Entry { key: Some(MAIL.into()), rides: None, ..entry(at * 10, key) }),
        Change::Watch(watch),
        Change::Watch(Watch { what: Watched::Settle, flow: "crm.Contact".into(), lane: PHONE.into(), since: 0, due: 6 }),
    ]
}

fn all_bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Nothing of a person stands in any file of a folder, also not between the rows.
fn nothing_in(folder: &Path, what: &str) {
    for sought in [MAIL, PHONE, "quill.clerk", "zephyrmail", "8675309"] {
        for (path, bytes) in all_bytes(folder) {
            assert!(!bytes.windows(sought.len()).any(|part| part == sought.as_bytes()), "{what}: `{sought}` stands in {}", path.display());
        }
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn write(path: &Path) -> Sqlite {
    Sqlite::open(path, None, Mode::Write).unwrap()
}

#[test]
fn a_key_of_a_person_lies_in_no_file_and_is_found() {
    let (folder, path) = folder();
    let mut store = write(&path);
    store.commit(&of_person("a", 1)).unwrap();
    store.commit(&waiting("b", 2)).unwrap();
    store.commit(&[Change::Record(lane("b", 2, false))]).unwrap();
    nothing_in(folder.path(), "while it is open");
    for name in [MAIL, "Canary.Quill@ZephyrMail.Example", PHONE, "no a", "a"] {
        assert_eq!(store.search(name, 9).unwrap().iter().map(|lane| lane.key.as_str()).collect::<Vec<_>>(), ["a"], "{name}");
    }
    assert_eq!(store.target_state("crm", "Contact", MAIL).unwrap().unwrap().id.as_deref(), Some("003A"));
    let alias = store.target_state("crm", "Contact", "of:003A").unwrap().unwrap();
    assert_eq!((alias.key.as_str(), alias.id.as_deref()), ("of:003A", Some(MAIL)));
    assert_eq!(store.target_state("crm", "Contact", &MAIL.to_uppercase()).unwrap(), None, "a target's key is what it is, to the letter");
    assert_eq!(store.entries_of("f", "b").unwrap()[0].key.as_deref(), Some(MAIL));
    let watches = store.watches(9, 9).unwrap();
    assert_eq!(watches.iter().map(|watch| watch.lane.as_str()).collect::<Vec<_>>(), [MAIL, PHONE]);
    let Watch { what, flow, lane, .. } = watches[0].clone();
    store.commit(&[Change::DropWatch { what, flow, lane }]).unwrap();
    assert_eq!(store.watches(9, 9).unwrap().len(), 1);
    assert_eq!(
        store.events("f", "a").unwrap().iter().map(|event| event.text.clone()).collect::<Vec<_>>(),
        [format!("upsert {MAIL}"), "quill.clerk decided it".to_owned()]
    );
    assert_eq!(store.verify().unwrap().damages, []);
    drop(store);
    nothing_in(folder.path(), "closed");
}

/// A store of the form before keys were hashed, with rows of `of_person` in clear.
fn in_clear(path: &Path) {
    let key = {
        drop(write(path));
        std::fs::read(beside(path, ".key")).unwrap()
    };
    for ending in ["", ".marker"] {
        std::fs::remove_file(beside(path, ending)).unwrap();
    }
    let seal = Seal::new(&key).unwrap();
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA secure_delete = OFF;").unwrap();
    for migration in &MIGRATIONS[..7] {
        db.execute_batch(migration).unwrap();
    }
    db.execute_batch("PRAGMA user_version = 7;").unwrap();
    let sum = |table: &str, values: &[&dyn rusqlite::ToSql]| rows::sum(&seal, table, values).unwrap();
    let insert = |table: &str, columns: &str, of: &str, values: &[&dyn rusqlite::ToSql]| {
        let sum = sum(of, values);
        let marks: Vec<String> = (1..=values.len() + 1).map(|at| format!("?{at}")).collect();
        let all: Vec<&dyn rusqlite::ToSql> = values.iter().copied().chain([&sum as &dyn rusqlite::ToSql]).collect();
        db.execute(&format!("INSERT INTO {table} ({columns}, sum) VALUES ({})", marks.join(", ")), all.as_slice()).unwrap();
    };
    for (name, value) in [("key", seal.fingerprint(b"crossdock")), ("epoch", "4".to_owned()), ("resealed", "1".to_owned()), ("form", "7".to_owned())]
    {
        insert("meta", "name, value", "meta", params![name, value]);
        insert("spare", "kind, name, value", "spare", params!["meta", name, value]);
    }
    for (id, word) in
        ["f", "crm.Contact", "sent", "approved", "quill.clerk decided it", "received", "a new version", "crm", "PATCH", "p"].iter().enumerate()
    {
        db.execute("INSERT INTO word (id, text) VALUES (?1, ?2)", params![id as i64 + 1, word]).unwrap();
    }
    for at in 0..450_i64 {
        let (key, mail) = (format!("k{at}"), if at == 7 { MAIL.to_owned() } else { format!("p{at}.{MAIL}") });
        db.execute("INSERT INTO record (id, flow, key) VALUES (?1, 1, ?2)", params![at + 1, key]).unwrap();
        db.execute("INSERT INTO link (id, object, record) VALUES (?1, 2, ?2)", params![mail, at + 1]).unwrap();
        insert("ledger", "connection, object, key, id, fields, confirmed", "ledger", params!["crm", "Contact", mail, "003A", "{\"a\":\"b\"}", 4]);
        let none: Option<i64> = None;
        let no_text: Option<String> = None;
        insert("event", "at, record, kind, word, text, exchange", "event", params![5, at + 1, 3, none, format!("upsert {mail} was created"), 7]);
        insert("event", "at, record, kind, word, text, exchange", "event", params![6, at + 1, 4, 5, no_text, none]);
        insert("event", "at, record, kind, word, text, exchange", "event", params![6, at + 1, 6, 7, no_text, none]);
    }
    insert("ledger", "connection, object, key, id, fields, confirmed", "ledger", params!["crm", "Contact", "of:003A", MAIL, "{}", 4]);
    for (name, flow, lane) in [("settle", "crm.Contact", MAIL), ("settle", "crm.Contact", PHONE), ("late", "f", "k7")] {
        insert("watch", "name, flow, lane, since, due", "watch", params![name, flow, lane, 1, 2]);
    }
    let blob: Option<Vec<u8>> = None;
    insert(
        "exchange",
        "id, at, connection, method, path, status, took, sealed_request, sealed_response, broken, plan",
        "exchange",
        params![7, 5, 8, 9, format!("/sobjects/Contact/Email/{MAIL}"), 200, 3, blob, blob, format!("{MAIL} broke off"), 10],
    );
    let reasons = seal.pack(crate::store::seal::Place { table: "exception", column: "reasons", row: &["13"] }, b"[]").unwrap();
    let no: Option<i64> = None;
    insert(
        "exception",
        "id, flow, lane, label, code, sealed_reasons, next, owner, before, parked, opened, closed, closed_by, alerted",
        "exception",
        params![13, "f", "k7", "no 7", "refused", reasons, "n", "ops", no, false, 5, 6, format!("discarded: {MAIL} rang"), true],
    );
    let fixed: &[&dyn rusqlite::ToSql] = params![
        12,
        "f",
        "k7",
        "v",
        "contact",
        Option::<String>::None,
        "crm",
        "Contact",
        "upsert",
        MAIL,
        "Email",
        Option::<String>::None,
        0,
        false,
        false,
        "abc",
        "p",
        3,
        Option::<String>::None
    ];
    let moves: &[&dyn rusqlite::ToSql] = params![12, "planned", 0, 3, no, no, 0];
    let (sum, moved) = (sum("entry", fixed), sum("moved", moves));
    let all: Vec<&dyn rusqlite::ToSql> =
        fixed.iter().copied().chain(moves[1..].iter().copied()).chain([&sum as &dyn rusqlite::ToSql, &moved as &dyn rusqlite::ToSql]).collect();
    let marks: Vec<String> = (1..=all.len()).map(|at| format!("?{at}")).collect();
    db.execute(
        &format!(
            "INSERT INTO entry (id, flow, lane, version, write, after, connection, object, op, key, key_field, target, class, review_doubt, first, hash, \
             plan, created, rides, state, attempt, due, sent, doubted, epoch, sum, moved_sum) VALUES ({})",
            marks.join(", ")
        ),
        all.as_slice(),
    )
    .unwrap();
    let body = seal.seal(crate::store::seal::Place { table: "payload", column: "body", row: &["12"] }, b"{\"a\":1}").unwrap();
    db.execute("INSERT INTO payload (id, sealed_body) VALUES (12, ?1)", [body]).unwrap();
    // What was deleted lies in free pages, and in the log.
    db.execute_batch(
        "CREATE TABLE gone (text TEXT); WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 300) \
         INSERT INTO gone SELECT 'canary.quill@zephyrmail.example ' || at || hex(zeroblob(400)) FROM n; DROP TABLE gone;",
    )
    .unwrap();
}

#[test]
fn an_older_store_has_nothing_in_clear_after_its_upgrade() {
    let (folder, path) = folder();
    in_clear(&path);
    assert!(all_bytes(folder.path()).iter().any(|(_, bytes)| bytes.windows(MAIL.len()).any(|part| part == MAIL.as_bytes())), "nothing is in clear");
    // One row that was damaged before is damaged after, and in clear nowhere all the same.
    Connection::open(&path).unwrap().execute("UPDATE ledger SET confirmed = 9 WHERE key = ?1", [format!("p3.{MAIL}")]).unwrap();
    let before = Sqlite::open(&path, None, Mode::Read);
    assert!(matches!(before, Err(StoreFault::Io(words)) if words.contains("older version")), "a reader waits for the upgrade");
    let store = write(&path);
    nothing_in(folder.path(), "upgraded");
    let found = store.verify().unwrap().damages;
    assert_eq!(found.iter().map(|one| one.table).collect::<Vec<_>>(), ["ledger"], "{found:?}");
    assert!(!found[0].to_string().contains("zephyrmail"), "{}", found[0]);
    assert_eq!(store.linked("f", "k7", None, 9).unwrap(), []);
    let sql = "SELECT count(*) FROM link";
    assert_eq!(store.db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 450);
    assert_eq!(store.target_state("crm", "Contact", MAIL).unwrap().unwrap().id.as_deref(), Some("003A"));
    assert_eq!(store.target_state("crm", "Contact", "of:003A").unwrap().unwrap().id.as_deref(), Some(MAIL));
    assert_eq!(store.entry(12).unwrap().unwrap().key.as_deref(), Some(MAIL));
    let texts: Vec<String> = store.events("f", "k7").unwrap().into_iter().map(|event| event.text).collect();
    assert_eq!(texts, ["upsert ••• was created", "quill.clerk decided it", "a new version"]);
    let mut watched: Vec<String> = store.watches(9, 9).unwrap().into_iter().map(|watch| watch.lane).collect();
    watched.sort();
    assert_eq!(watched, [PHONE, MAIL, "k7"]);
    assert_eq!(store.exchange(7).unwrap().unwrap().path, "/sobjects/Contact/Email/•••");
    let closed = store.exception(13).unwrap().unwrap();
    let decided = closed.decided.unwrap();
    assert_eq!((closed.closed_by.as_deref(), decided.why.as_deref()), (Some("discarded"), Some("canary.quill@zephyrmail.example rang")));
    let words: i64 = store.db.query_row("SELECT count(*) FROM word WHERE text LIKE '%clerk%'", [], |row| row.get(0)).unwrap();
    assert_eq!(words, 0);
    drop(store);
    nothing_in(folder.path(), "closed");
    // It is done once.
    let again = write(&path);
    assert_eq!(again.events("f", "k7").unwrap().len(), 3);
}

#[test]
fn an_upgrade_that_is_broken_off_goes_on() {
    let (folder, path) = folder();
    in_clear(&path);
    drop(write(&path));
    // As a process leaves it that died between two batches: some rows are done, some are not.
    let seal = Seal::new(&std::fs::read(beside(&path, ".key")).unwrap()).unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("DELETE FROM meta WHERE name = 'hidden'; DELETE FROM spare WHERE name = 'hidden';").unwrap();
    let late = "late.canary.quill@zephyrmail.example";
    let sum = rows::sum(&seal, "ledger", params!["crm", "Contact", late, "003B", "{}", 4]).unwrap();
    db.execute(
        "INSERT INTO ledger (connection, object, key, id, fields, confirmed, sum) VALUES ('crm', 'Contact', ?1, '003B', '{}', 4, ?2)",
        params![late, sum],
    )
    .unwrap();
    db.execute("INSERT INTO link (id, object, record) VALUES (?1, 2, 8)", [late]).unwrap();
    drop(db);
    let store = write(&path);
    assert_eq!(store.verify().unwrap().damages, []);
    assert_eq!(store.target_state("crm", "Contact", late).unwrap().unwrap().id.as_deref(), Some("003B"));
    assert_eq!(store.events("f", "k7").unwrap().len(), 3);
    drop(store);
    nothing_in(folder.path(), "in two goes");
}

fn before(at: i64) -> Before {
    BTreeMap::from([("f".to_owned(), Some(at)), ("crm".to_owned(), Some(at)), ("wms".to_owned(), None)])
}

fn classes(at: i64) -> Vec<Old> {
    vec![
        Old::Exchanges(before(at)),
        Old::Events(before(at)),
        Old::Exceptions(before(at)),
        Old::Lanes { bodies: before(at), links: before(at), labels: before(at) },
        Old::Controls(at),
    ]
}

/// A whole pass over all classes, in steps of some rows; how many rows were dropped.
fn pass(store: &mut Sqlite, at: i64, rows: u32) -> u64 {
    let mut dropped = 0;
    for old in classes(at) {
        let mut after = None;
        for _ in 0..10_000 {
            let step = store.forget(&old, after.as_deref(), rows).unwrap();
            dropped += step.dropped;
            after = step.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(after, None, "{old:?} does not end");
    }
    dropped
}

#[test]
fn what_is_old_is_dropped_and_what_is_needed_stays() {
    let mut store = Sqlite::in_memory("forget").unwrap();
    for (key, at) in [("old", 10), ("open", 11), ("watched", 12), ("doubted", 13), ("young", 100)] {
        store.commit(&of_person(key, at)).unwrap();
    }
    store
        .commit(&[
            Change::Record(RecordState { state: RecordStage::Rejected, updated: 11, ..lane("open", 2, false) }),
            Change::Exception(exception(900, "open")),
            Change::Watch(Watch { what: Watched::Expectation("w".into()), flow: "f".into(), lane: "watched".into(), since: 0, due: 500 }),
            Change::Entry(Entry { doubted: Some(3), rides: None, ..entry(901, "doubted") }),
            Change::Event(Event { at: 1, flow: "f".into(), lane: "old".into(), kind: "erased".into(), text: "the proof".into(), exchange: None }),
        ])
        .unwrap();
    assert!(pass(&mut store, 50, 3) >= 6);
    assert_eq!(pass(&mut store, 50, 3), 0, "a second pass finds nothing");
    let old = store.record("f", "old").unwrap().unwrap();
    assert_eq!((old.body, old.label, old.version.as_str(), old.state), (None, None, "v", RecordStage::Delivered));
    assert_eq!((store.links_of("f", "old").unwrap().len(), store.exchange(103).unwrap(), store.exception(101).unwrap()), (0, None, None));
    assert_eq!(store.events("f", "old").unwrap().iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["erased"], "the proof stays");
    assert_eq!(store.target_state("crm", "Contact", MAIL).unwrap().unwrap().id.as_deref(), Some("003A"), "nothing is sent twice");
    for (key, at) in [("open", 11), ("watched", 12), ("doubted", 13), ("young", 100)] {
        let lane = store.record("f", key).unwrap().unwrap();
        assert!(lane.body.is_some() && lane.label.is_some(), "{key}");
        assert_eq!((store.events("f", key).unwrap().len(), store.links_of("f", key).unwrap().len()), (2, 2), "{key}");
        assert!(store.exchange(at * 10 + 3).unwrap().is_some() && store.exception(at * 10 + 1).unwrap().is_some(), "{key}");
    }
    assert_eq!(store.verify().unwrap().damages, []);
}

#[test]
fn what_is_erased_lies_in_no_file_and_what_keeps_effects_single_stays() {
    let (folder, path) = folder();
    let mut store = write(&path);
    store.commit(&of_person("a", 1)).unwrap();
    store.commit(&of_person("b", 2)).unwrap();
    let sealed: Vec<u8> = store.db.query_row("SELECT sealed FROM body WHERE key = 'a'", [], |row| row.get(0)).unwrap();
    let decided: Vec<u8> = store.db.query_row("SELECT sealed_decided FROM exception WHERE lane = 'a'", [], |row| row.get(0)).unwrap();
    let records = [("f".to_owned(), "a".to_owned())];
    let fits = |text: &str| text.contains("rang");
    assert_eq!(store.mentioning(&fits).unwrap().len(), 2, "what was decided is looked through too");
    let bare = RecordState { body: None, label: None, plan: Some(crate::store::ERASED.into()), ..store.record("f", "a").unwrap().unwrap() };
    let proof = Erasure { at: 5, who: "h".into(), by: Some("quill.clerk".into()), records: 1 };
    assert!(store.erase(&records, &[Change::Record(bare), Change::Erasure(proof)]).unwrap() >= 5);
    assert_eq!(store.mentioning(&fits).unwrap(), [("f".to_owned(), "b".to_owned())]);
    assert!(store.record("f", "a").unwrap().unwrap().is_erased());
    assert_eq!(store.exchange(13).unwrap().unwrap().parts.iter().map(|part| part.lane.as_str()).collect::<Vec<_>>(), ["another"]);
    assert!(store.target_state("crm", "Contact", MAIL).unwrap().is_some());
    assert_eq!(store.verify().unwrap().damages, []);
    // Not even what was sealed is left.
    for (path, bytes) in all_bytes(folder.path()) {
        for gone in [&sealed, &decided] {
            assert!(!bytes.windows(24).any(|part| part == &gone[..24]), "sealed data is left in {}", path.display());
        }
    }
    nothing_in(folder.path(), "erased");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In whatever order and in steps of whatever size: what is erased or old is gone for good, a second time changes nothing,
    /// and what keeps effects single is as it was.
    #[test]
    fn erasing_and_dropping_are_idempotent_and_keep_what_keeps_effects_single(
        ages in prop::collection::vec(1_i64..100, 2..7),
        erased in prop::collection::vec(any::<bool>(), 7),
        at in 1_i64..100,
        rows in 1_u32..9,
        first in any::<bool>(),
    ) {
        let name = format!("law {ages:?} {erased:?} {at} {rows} {first}");
        let mut store = Sqlite::in_memory(&name).unwrap();
        let known = |store: &Sqlite| {
            let lanes: Vec<_> = (0..ages.len()).map(|n| store.record("f", &format!("k{n}")).unwrap().unwrap()).map(|lane| (lane.version, lane.state, lane.seen, lane.delivered)).collect();
            (lanes, store.target_state("crm", "Contact", MAIL).unwrap(), store.target_state("crm", "Contact", "of:003A").unwrap())
        };
        for (n, age) in ages.iter().enumerate() {
            // Numbers grow with time.
            store.commit(&of_person(&format!("k{n}"), age + 1_000 * n as i64)).unwrap();
        }
        let before = known(&store);
        let records: Vec<(String, String)> = (0..ages.len()).filter(|n| erased[*n]).map(|n| ("f".to_owned(), format!("k{n}"))).collect();
        if first { pass(&mut store, at, rows); }
        let then: Vec<Change> = records.iter().map(|(flow, key)| {
            let lane = store.record(flow, key).unwrap().unwrap();
            Change::Record(RecordState { body: None, label: None, matched: None, ..lane })
        }).collect();
        store.erase(&records, &then).unwrap();
        let of_records = |store: &Sqlite| store.mentioning(&|_| true).unwrap().into_iter().filter(|record| records.contains(record)).count();
        prop_assert_eq!(of_records(&store), 0);
        prop_assert_eq!(store.erase(&records, &then).unwrap(), 0);
        pass(&mut store, at, rows);
        prop_assert_eq!(pass(&mut store, at, 500), 0);
        prop_assert_eq!(known(&store), before);
        prop_assert_eq!(store.verify().unwrap().damages, vec![]);
    }
}

#[test]
fn a_reason_of_a_store_is_told_without_the_key() {
    let (_folder, path) = folder();
    let mut store = write(&path);
    store.commit(&of_person("a", 1)).unwrap();
    store.db.execute("UPDATE ledger SET confirmed = 99 WHERE typeof(id) = 'text'", []).unwrap();
    let ledger = store.target_state("crm", "Contact", MAIL).unwrap().unwrap();
    assert_eq!(ledger.id, None, "what is not known for sure is not relied on");
    let told: Vec<String> = store.damages().iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && !told[0].contains("zephyrmail"), "{told:?}");
    let open = store.exceptions(true, 9).unwrap();
    assert!(!format!("{open:?}").contains("zephyrmail"), "{open:?}");
}
