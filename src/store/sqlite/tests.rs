//! Tests of a store in a file: damage, older versions, the key, copies, the WAL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::json;
use tempfile::TempDir;

use super::form::{FORM, MIGRATIONS};
use super::rows::DAMAGED;
use super::*;
use crate::store::contract::tests::{entry, exception, lane, reason};
use crate::store::{Checkpoint, Entry, EntryState, Event, Exchange, Link, Part, RecordStage, RecordState, Store as _, TargetState, Watch, Watched};
use crate::value::RawRecord;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn write(path: &Path) -> Sqlite {
    Sqlite::open(path, None, Mode::Write).unwrap()
}

fn read(path: &Path) -> Sqlite {
    Sqlite::open(path, None, Mode::Read).unwrap()
}

fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Something in each table.
fn filled(path: &Path, lanes: i64) {
    let mut store = write(path);
    for at in 1..=lanes {
        let key = format!("k{at:03}");
        let (id, of) = (at * 10, key.as_str());
        let reasons = vec![reason()];
        let body = Some(RawRecord::of(&json!({"Id": key, "Street": format!("{at} High St"), "Notes": "ring twice ".repeat(30)})));
        let link = Link { flow: "f".into(), lane: key.clone(), object: "wms.Order".into(), id: format!("w{at}") };
        let event = Event { at, flow: "f".into(), lane: key.clone(), kind: "sent".into(), text: format!("upsert {at}"), exchange: None };
        let ledger =
            TargetState { connection: "wms".into(), object: "Order".into(), key: format!("sf-{of}"), confirmed: at, ..TargetState::default() };
        let exchange = Exchange {
            id: id + 3,
            at,
            connection: "wms".into(),
            method: "POST".into(),
            path: "/orders".into(),
            status: Some(200),
            took: 3,
            request: Some("{\"masked\": true}".repeat(20)),
            response: None,
            broken: None,
            plan: "p".into(),
            parts: vec![Part { flow: "f".into(), lane: key.clone(), request: Some("{\"masked\": true}".repeat(20)), response: None }],
        };
        let changes = [
            Change::Record(RecordState { reasons, body, matched: Some(json!({"m": []})), ..lane(of, at, false) }),
            Change::Entry(Entry { rides: None, ..entry(id, of) }),
            Change::Exception(exception(id + 1, of)),
            Change::Link(link),
            Change::Event(event),
            Change::Target(ledger),
            Change::Exchange(exchange),
            Change::Watch(Watch { what: Watched::Expectation("late".into()), flow: "f".into(), lane: key.clone(), since: 0, due: 1_000 }),
        ];
        store.commit(&changes).unwrap();
    }
    store.hint("crm", "order", &json!({"id": 1}), 3).unwrap();
    store.ask(&json!({"do": "poll", "flow": "f"}), 4).unwrap();
    store
        .commit(&[Change::Checkpoint(Checkpoint { flow: "f".into(), stream: "s".into(), cursor: Some("2026-03-02".into()), more: false, at: 9 })])
        .unwrap();
}

/// All that is in a file, as text.
fn dump(path: &Path) -> rusqlite::Result<Vec<String>> {
    let db = Connection::open(path)?;
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<String> = (0..columns).map(|at| format!("{:?}", row.get_ref(at))).collect();
            out.push(format!("{table} {}", cells.join("|")));
        }
    }
    Ok(out)
}

#[test]
fn a_value_that_was_moved_to_another_row_is_refused_and_named() {
    let (_folder, path) = folder();
    filled(&path, 3);
    raw(&path)
        .execute_batch(
            "UPDATE body SET sealed = (SELECT sealed FROM body WHERE key = 'k002') WHERE key = 'k001';
             UPDATE payload SET sealed_body = (SELECT sealed_body FROM payload WHERE id = 30) WHERE id = 20;",
        )
        .unwrap();
    let found = read(&path).verify().unwrap().damages;
    assert_eq!(found.iter().map(|one| one.table).collect::<Vec<_>>(), ["lane", "entry"], "{found:?}");
    let mut store = write(&path);
    let due: Vec<String> = store.due("f", RecordStage::Waiting, 9, 9).unwrap().into_iter().map(|lane| lane.key).collect();
    assert_eq!(due, ["k002", "k003"], "the rest goes on");
    let lane = store.record("f", "k001").unwrap().unwrap();
    assert_eq!((lane.state, lane.body, lane.version.as_str()), (RecordStage::Failed, None, ""));
    assert_eq!(store.entries(&[10, 20, 30]).unwrap().iter().map(|entry| entry.id).collect::<Vec<_>>(), [10, 30], "it is never sent");
    assert_eq!(store.entries_of("f", "k002").unwrap()[0].state, EntryState::Refused);
    let mut named: Vec<_> = store.exceptions(true, 99).unwrap().into_iter().filter(|one| one.code == DAMAGED).map(|one| one.lane).collect();
    named.sort();
    assert_eq!(named, ["k001", "k002"]);
    assert_eq!(store.damages().len(), 2);
    assert_eq!(store.damages(), [], "it is told once");
    drop(store);
    // It was put aside: the next process finds nothing damaged.
    assert_eq!(read(&path).verify().unwrap().damages, []);
}

#[test]
fn a_write_that_may_have_been_sent_is_left_to_a_person() {
    let (_folder, path) = folder();
    let sent = Entry { guarantee: crate::system::Guarantee::Searchable, state: EntryState::Sending, sent: Some(4), rides: None, ..entry(10, "a") };
    write(&path).commit(&[Change::Record(RecordState { state: RecordStage::Sending, ..lane("a", 1, false) }), Change::Entry(sent)]).unwrap();
    raw(&path).execute("UPDATE payload SET sealed_body = x'02'", []).unwrap();
    let store = write(&path);
    assert_eq!(store.entries_of("f", "a").unwrap()[0].state, EntryState::Refused);
    let open = store.exceptions_of("f", "a").unwrap();
    assert_eq!(open.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["in_doubt"]);
    assert_eq!(store.record("f", "a").unwrap().unwrap().state, RecordStage::Failed);
}

#[test]
fn what_else_is_damaged_is_put_aside_by_its_kind() {
    let (_folder, path) = folder();
    filled(&path, 2);
    raw(&path)
        .execute_batch(
            "UPDATE exception SET sealed_reasons = x'0200' WHERE id = 11;
             UPDATE hint SET body = 'x';
             UPDATE control SET sealed_body = zeroblob(40);
             UPDATE ledger SET id = '77' WHERE confirmed = 1;
             UPDATE watch SET due = 99999999999 WHERE lane = 'k001';
             UPDATE checkpoint SET cursor = '2027-03-02';
             UPDATE meta SET value = '9' WHERE name = 'epoch';
             UPDATE lane SET due = 7777777 WHERE key = 'k002';",
        )
        .unwrap();
    let found: Vec<&str> = read(&path).verify().unwrap().damages.iter().map(|one| one.table).collect();
    assert_eq!(found, ["lane", "exception", "ledger", "checkpoint", "hint", "watch", "meta", "control"]);
    let store = write(&path);
    assert!(store.exception(11).unwrap().unwrap().reasons[0].message.contains("damaged"));
    assert_eq!((store.hints(9).unwrap(), store.controls().unwrap()), (vec![], vec![]));
    assert!(store.answer(1).unwrap().unwrap()["not"][0].as_str().unwrap().contains("ask again"));
    let ledger = store.target_state("wms", "Order", "sf-k001").unwrap().unwrap();
    assert_eq!((ledger.id, ledger.fields.len()), (None, 0), "what is not known for sure is not relied on");
    // A watch is found by its new time or not at all; all of them are gone through at the start.
    assert!(store.watches(Millis::MAX, 99).unwrap().iter().all(|watch| watch.due <= 1_000));
    assert_eq!(store.checkpoint("f", "s").unwrap().unwrap().cursor.as_deref(), Some("2026-03-02"), "from its second copy");
    assert_eq!(store.epoch(), 2, "from its second copy");
    assert_eq!(store.record("f", "k002").unwrap().unwrap().state, RecordStage::Failed);
    assert!(store.exceptions(true, 99).unwrap().iter().filter(|one| one.code == DAMAGED).count() >= 5);
}

/// Any bit of the file: what it does is named as damage or does nothing, and what it changes is found.
#[test]
fn no_flipped_bit_is_misnamed_or_missed() {
    let (folder, path) = folder();
    filled(&path, 150);
    drop(write(&path));
    let whole = std::fs::read(&path).unwrap();
    let before = dump(&path).unwrap();
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    let (mut seen, mut idle) = (0, 0);
    for round in 0..120 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Every eighth in the first page: the head of the file, and the tables.
        let range = if round % 8 == 0 { 4096 * 8 } else { whole.len() * 8 };
        let bit = usize::try_from(random >> 16).unwrap() % range;
        let copy = folder.path().join(format!("copy-{round}.db"));
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&copy, bytes).unwrap();
        for ending in ["key", "marker"] {
            std::fs::copy(folder.path().join(format!("store.db.{ending}")), folder.path().join(format!("copy-{round}.db.{ending}"))).unwrap();
        }
        let changed = dump(&copy).map_or(true, |after| after != before);
        let told = match Sqlite::open(&copy, None, Mode::Read).and_then(|store| store.verify()) {
            Ok(checked) => !checked.damages.is_empty(),
            Err(StoreFault::Damaged(_)) => true,
            Err(other) => panic!("bit {bit} is told as {other}"),
        };
        assert!(told || !changed, "bit {bit} changed what is read, and nobody noticed");
        if told {
            seen += 1
        } else {
            idle += 1
        }
        // A process works with it: it goes on with the rest, or says what is damaged.
        match Sqlite::open(&copy, None, Mode::Write) {
            Ok(store) => {
                let worked = store
                    .open_entries()
                    .and_then(|_| store.due("f", RecordStage::Waiting, 9, 200))
                    .and_then(|_| store.exceptions(true, 999))
                    .and_then(|_| (1..=150).try_for_each(|at| store.entry(at * 10).map(|_| ())))
                    .and_then(|()| store.hints(9))
                    .and_then(|_| store.controls())
                    .and_then(|_| store.checkpoints());
                assert!(matches!(worked, Ok(_) | Err(StoreFault::Damaged(_))), "bit {bit} is told as {worked:?}");
            }
            Err(StoreFault::Damaged(_)) => {}
            Err(other) => panic!("bit {bit} is told as {other}"),
        }
    }
    assert!(seen > 30, "{seen} were seen, {idle} lay where nothing is");
}

/// A store as the program before the checksums left it.
fn older(path: &Path) {
    drop(write(path));
    let key = std::fs::read(beside(path, ".key")).unwrap();
    std::fs::remove_file(path).unwrap();
    // A store of that form has no marker.
    std::fs::remove_file(marker::place(path)).unwrap();
    let seal = Seal::new(&key).unwrap();
    let db = raw(path);
    for migration in &MIGRATIONS[..3] {
        db.execute_batch(migration).unwrap();
    }
    db.execute_batch("PRAGMA user_version = 3; PRAGMA journal_mode = WAL;").unwrap();
    let meta = "INSERT INTO meta (name, value) VALUES (?1, ?2)";
    db.execute(meta, ["key", &seal.fingerprint(b"crossdock")]).unwrap();
    db.execute(meta, ["epoch", "41"]).unwrap();
    db.execute(meta, ["highest id", "900"]).unwrap();
    let sealed = |text: &str| seal.unbound(text.as_bytes());
    let reasons = serde_json::to_string(&[reason()]).unwrap();
    for at in 0..900_i64 {
        let key = format!("k{at:05}");
        db.prepare_cached(
            "INSERT INTO lane (flow, key, label, arrived, first, state, version, due, attempt, sealed_reasons, updated)
             VALUES ('f', ?1, ?2, ?3, 0, 'waiting', 'v', 0, 0, ?4, 7)",
        )
        .unwrap()
        .execute(params![key, format!("no {at}"), at, (at % 2 == 0).then(|| sealed(&reasons))])
        .unwrap();
        db.prepare_cached("INSERT INTO body (flow, key, sealed) VALUES ('f', ?1, ?2)")
            .unwrap()
            .execute(params![key, sealed(&format!("{{\"Id\":\"{key}\"}}"))])
            .unwrap();
        db.prepare_cached("INSERT INTO event (at, flow, lane, kind, text, exchange) VALUES (5, 'f', ?1, 'received', 'a version', 7)")
            .unwrap()
            .execute([&key])
            .unwrap();
        db.prepare_cached("INSERT INTO link (flow, lane, object, id) VALUES ('f', ?1, 'crm.Order', ?1)").unwrap().execute([&key]).unwrap();
    }
    db.execute(
        "INSERT INTO entry (id, flow, lane, version, write, connection, object, op, key, class, review_doubt, state, first, attempt, due, epoch, hash, \
         plan, created) VALUES (12, 'f', 'k00001', 'v', 'order', 'wms', 'Order', 'upsert', 'sf-1', 0, 0, 'planned', 0, 0, 3, 0, 'abc', 'p', 3)",
        [],
    )
    .unwrap();
    db.execute("INSERT INTO payload (id, sealed_body) VALUES (12, ?1)", [sealed("{\"a\":1}")]).unwrap();
    db.execute(
        "INSERT INTO exception (id, flow, lane, code, sealed_reasons, next, parked, opened, alerted) VALUES (13, 'f', 'k00001', 'review', ?1, 'n', 1, 5, 1)",
        [sealed(&reasons)],
    )
    .unwrap();
    db.execute(
        "INSERT INTO exchange (id, at, connection, method, path, status, took, request, plan) VALUES (7, 5, 'wms', 'POST', '/orders', 200, 9, '{}', 'p')",
        [],
    )
    .unwrap();
    db.execute("INSERT INTO ledger (connection, object, key, id, fields, confirmed) VALUES ('wms', 'Order', 'sf-1', '5', '{\"a\":\"b\"}', 4)", [])
        .unwrap();
    db.execute("INSERT INTO checkpoint (flow, stream, cursor, more, at) VALUES ('f', 's', 'c', 0, 4)", []).unwrap();
    db.execute("INSERT INTO watch (name, flow, lane, since, due) VALUES ('w', 'f', 'k00001', 1, 2)", []).unwrap();
    db.execute("INSERT INTO hint (id, connection, event, body, at) VALUES (14, 'crm', 'order', '{}', 4)", []).unwrap();
    db.execute("INSERT INTO control (sealed_body, at) VALUES (?1, 6)", [sealed("{\"do\":\"poll\"}")]).unwrap();
}

fn as_it_was(store: &mut Sqlite) {
    assert_eq!(store.verify().unwrap().damages, []);
    assert_eq!(store.counts().unwrap().into_values().collect::<Vec<_>>(), [900]);
    let lane = store.record("f", "k00004").unwrap().unwrap();
    assert_eq!((lane.record().unwrap()["Id"].as_str(), lane.reasons.clone()), (Some("k00004"), vec![reason()]));
    assert_eq!(store.events("f", "k00004").unwrap()[0].text, "a version");
    assert_eq!(store.links_of("f", "k00004").unwrap()[0].object, "crm.Order");
    assert_eq!(store.entry(12).unwrap().unwrap().body, json!({"a": 1}));
    assert_eq!(store.exception(13).unwrap().unwrap().reasons, [reason()]);
    assert_eq!(store.exchange(7).unwrap().unwrap().request.as_deref(), Some("{}"));
    assert_eq!(store.target_state("wms", "Order", "sf-1").unwrap().unwrap().id.as_deref(), Some("5"));
    assert_eq!((store.checkpoints().unwrap().len(), store.hints(9).unwrap().len(), store.watches(9, 9).unwrap().len()), (1, 1, 1));
    assert_eq!(store.controls().unwrap()[0].body, json!({"do": "poll"}));
    assert!(store.next_id().unwrap() > 900);
    let first: i64 = store.db.query_row("SELECT count(*) FROM body WHERE substr(sealed, 1, 1) = x'01'", [], |row| row.get(0)).unwrap();
    assert_eq!(first, 0, "nothing is sealed without its place any more");
}

#[test]
fn a_store_of_an_older_form_is_brought_up_also_in_two_goes() {
    let (_folder, path) = folder();
    older(&path);
    assert!(matches!(Sqlite::open(&path, None, Mode::Read), Err(StoreFault::Io(words)) if words.contains("older version")));
    let mut store = write(&path);
    assert_eq!(store.epoch(), 42);
    as_it_was(&mut store);
    drop(store);
    // A process that died in the midst: some rows are as they were, some tables are not moved.
    let key = std::fs::read(beside(&path, ".key")).unwrap();
    let seal = Seal::new(&key).unwrap();
    let db = raw(&path);
    db.execute_batch(
        "DELETE FROM meta WHERE name = 'resealed'; DELETE FROM spare WHERE name = 'resealed';
         UPDATE lane SET sum = NULL WHERE key > 'k00450';
         CREATE TABLE old_event (seq INTEGER PRIMARY KEY, at BIGINT, flow TEXT, lane TEXT, kind TEXT, text TEXT, exchange BIGINT);
         INSERT INTO old_event (at, flow, lane, kind, text) VALUES (6, 'f', 'k00004', 'sent', 'the last one');",
    )
    .unwrap();
    for at in 600..610 {
        let key = format!("k{at:05}");
        let sealed = seal.unbound(format!("{{\"Id\":\"{key}\"}}").as_bytes());
        db.execute("UPDATE body SET sealed = ?2 WHERE key = ?1", params![key, sealed]).unwrap();
    }
    drop(db);
    let mut store = write(&path);
    as_it_was(&mut store);
    assert_eq!(store.record("f", "k00605").unwrap().unwrap().record().unwrap()["Id"], "k00605");
    assert_eq!(store.events("f", "k00004").unwrap().len(), 2);
}

#[test]
fn a_store_is_told_to_have_another_key_only_if_it_has() {
    let (folder, path) = folder();
    filled(&path, 1);
    let other = Secret::new("a passphrase of some length".to_owned());
    assert!(matches!(Sqlite::open(&path, Some(&other), Mode::Write), Err(StoreFault::OtherKey)));
    assert!(matches!(Sqlite::open(&path, Some(&other), Mode::Read), Err(StoreFault::OtherKey)));
    raw(&path).execute("UPDATE meta SET value = 'x' WHERE name = 'key'", []).unwrap();
    drop(write(&path));
    // A header that was changed is held against the second copy of what it says.
    raw(&path).execute_batch(&format!("PRAGMA user_version = {}", FORM + 8)).unwrap();
    drop(read(&path));
    drop(write(&path));
    drop(folder);
}

#[test]
fn a_key_is_there_whole_or_not_at_all() {
    let (_folder, path) = folder();
    let key = beside(&path, ".key");
    // Left by a first start that could not go on.
    std::fs::write(&key, b"").unwrap();
    std::fs::write(beside(&path, ".key.new"), b"half").unwrap();
    drop(write(&path));
    assert_eq!(std::fs::read(&key).unwrap().len(), 32);
    assert!(!beside(&path, ".key.new").exists());
    // With a store beside it a key that is cut off is not replaced.
    let whole = std::fs::read(&key).unwrap();
    for (bytes, words) in [(&whole[..0], "has 0 bytes"), (&whole[..31], "has 31 bytes")] {
        std::fs::write(&key, bytes).unwrap();
        let told = Sqlite::open(&path, None, Mode::Write).err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(told.contains(words) && told.contains("restore it"), "{told}");
        assert_eq!(std::fs::read(&key).unwrap(), bytes);
    }
    std::fs::remove_file(&key).unwrap();
    let told = Sqlite::open(&path, None, Mode::Write).err().map(|fault| fault.to_string()).unwrap_or_default();
    assert!(told.contains("is not there") && !key.exists(), "{told}");
    std::fs::write(&key, whole).unwrap();
    drop(write(&path));
}

#[test]
fn a_first_start_that_fails_leaves_nothing_in_the_way() {
    let (folder, path) = folder();
    // SQLite cannot make its files where a folder has their name.
    std::fs::create_dir(beside(&path, "-wal")).unwrap();
    assert!(Sqlite::open(&path, None, Mode::Write).is_err());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == "store.db" || name == "store.db.key"), "{left:?}");
    std::fs::remove_dir(beside(&path, "-wal")).unwrap();
    drop(write(&path));
}

#[cfg(unix)]
#[test]
fn no_file_of_a_store_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = folder();
    let open = |store: &Sqlite| {
        store.copy_to(&folder.path().join("copy.db")).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
        std::fs::remove_file(folder.path().join("copy.db")).unwrap();
    };
    let mut store = write(&path);
    store.commit(&[Change::Record(lane("a", 1, false))]).unwrap();
    open(&store);
    drop(store);
    // One that an older version let others read.
    for ending in ["", ".key", ".lock"] {
        std::fs::set_permissions(beside(&path, ending), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut store = write(&path);
    store.commit(&[Change::Record(lane("b", 2, false))]).unwrap();
    open(&store);
}

#[test]
fn a_copy_is_made_beside_the_writer_and_replaces_nothing() {
    let (folder, path) = folder();
    let mut store = write(&path);
    store.commit(&[Change::Record(lane("a", 1, false))]).unwrap();
    let copy = folder.path().join("copy.db");
    assert_eq!(read(&path).copy_to(&copy).unwrap().records, 1);
    store.commit(&[Change::Record(lane("b", 2, false))]).unwrap();
    let told = read(&path).copy_to(&copy).err().map(|fault| fault.to_string()).unwrap_or_default();
    assert!(told.contains("exists already"), "{told}");
    let copied = Sqlite::open_copy(&copy, &path).unwrap();
    assert_eq!((copied.record("f", "a").unwrap().is_some(), copied.record("f", "b").unwrap()), (true, None));
    assert_eq!(copied.verify().unwrap().damages, []);
    assert!(read(&path).copy_to(&folder.path().join("none/copy.db")).is_err());
    assert!(!folder.path().join("copy.db.part").exists());
}

#[test]
fn a_long_reader_does_not_leave_a_large_wal() {
    let (_folder, path) = folder();
    let mut store = write(&path);
    let wal = || std::fs::metadata(beside(&path, "-wal")).unwrap().len();
    let mut random = 1_u64;
    let mut fill = |store: &mut Sqlite, rounds: i64| {
        for at in 0..rounds {
            // What cannot be deflated.
            let text: String = (0..8_000)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'!' + u8::try_from((random >> 33) % 90).unwrap())
                })
                .collect();
            store
                .commit(&[Change::Record(RecordState {
                    body: Some(RawRecord::of(&json!({ "text": text }))),
                    ..lane(&format!("k{}", at % 40), at, false)
                })])
                .unwrap();
        }
    };
    fill(&mut store, 20);
    let reader = raw(&path);
    reader.execute_batch("BEGIN; SELECT count(*) FROM lane;").unwrap();
    fill(&mut store, 1_200);
    let grown = wal();
    assert!(grown > WAL_KEPT, "{grown} bytes are not large");
    reader.execute_batch("COMMIT").unwrap();
    fill(&mut store, i64::from(WAL_LOOKED_AT) + 10);
    assert!(wal() <= WAL_KEPT, "{} of {grown} bytes are left", wal());
    // Readers of this program hold nothing between two questions.
    let reader = read(&path);
    reader.counts().unwrap();
    fill(&mut store, 1_500);
    assert!(wal() <= WAL_KEPT, "{} bytes beside a reader that asks nothing", wal());
}

/// A large store is not read as a whole at each start: only where a process died with it, or a day has passed.
#[test]
fn a_large_store_is_looked_at_as_a_whole_after_a_death() {
    let (folder, path) = folder();
    filled(&path, 700);
    assert!(std::fs::metadata(&path).unwrap().len() > LARGE.unsigned_abs());
    // A page that a start does not need is none of SQLite's kinds.
    let page: u32 = raw(&path).query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'body'", [], |row| row.get(0)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page as usize - 1) * 4096] = 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let store = Sqlite::open(&path, None, Mode::Write).unwrap();
    // What a process leaves that dies now.
    let dead = folder.path().join("dead.db");
    for ending in ["", "-wal", ".key", ".marker"] {
        std::fs::copy(beside(&path, ending), beside(&dead, ending)).unwrap();
    }
    assert!(matches!(Sqlite::open(&dead, None, Mode::Write), Err(StoreFault::Damaged(_))));
    drop(store);
    // It was closed, and it is opened within a day.
    drop(Sqlite::open(&path, None, Mode::Write).unwrap());
    let store = Sqlite::open(&path, None, Mode::Write).unwrap();
    store.apply(|put| put.meta(CHECKED, &(marker::now() - DAY).to_string())).unwrap();
    drop(store);
    assert!(matches!(Sqlite::open(&path, None, Mode::Write), Err(StoreFault::Damaged(_))));
}

/// Whatever is asked all the time costs nothing for the records that are done.
#[test]
fn what_is_done_is_not_gone_through() {
    let mut store = Sqlite::in_memory("many").unwrap();
    let done = |at: i64| Change::Record(RecordState { state: RecordStage::Delivered, updated: at, ..lane(&format!("k{at:05}"), at, false) });
    store.commit(&(0..20_000).map(done).collect::<Vec<_>>()).unwrap();
    store.commit(&[Change::Record(RecordState { due: 70, ..lane("open", 30_000, false) })]).unwrap();
    assert_eq!(store.due("f", RecordStage::Waiting, 100, 50).unwrap().len(), 1);
    assert_eq!((store.due("f", RecordStage::Fetch, 100, 50).unwrap().len(), store.next_due("f", RecordStage::Waiting, 9).unwrap()), (0, Some(70)));
    assert_eq!(store.oldest_in(RecordStage::Waiting).unwrap(), Some(7));
    // SQLite's own count of its steps.
    for sql in
        [read::due_sql(RecordStage::Waiting), read::due_sql(RecordStage::Fetch), read::next_due_sql(RecordStage::Waiting), read::OLDEST_IN.to_owned()]
    {
        let steps = store.db.prepare_cached(&sql).unwrap().get_status(rusqlite::StatementStatus::VmStep);
        assert!((1..500).contains(&steps), "{steps} steps for {sql}");
    }
}

#[test]
fn a_store_that_may_not_be_written_says_what_is_needed() {
    let (_folder, path) = folder();
    let mut store = write(&path);
    store.db.execute_batch("PRAGMA query_only=ON").unwrap();
    let refused = store.commit(&[Change::Meta { name: "test".to_owned(), value: "1".to_owned() }]);
    assert!(matches!(&refused, Err(StoreFault::Io(words)) if words.contains("needs the right to write the store's file")), "{refused:?}");
}

#[test]
fn a_store_whose_file_was_taken_away_says_so() {
    let (folder, path) = folder();
    let store = write(&path);
    store.is_in_place().unwrap();
    let away = folder.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    let told = store.is_in_place().unwrap_err().to_string();
    assert!(told.contains("was deleted") && told.contains("stopped sending"), "{told}");
    // A copy in its place is another file.
    std::fs::copy(&away, &path).unwrap();
    let told = store.is_in_place().unwrap_err().to_string();
    assert!(told.contains("was replaced by another file"), "{told}");
    std::fs::rename(&away, &path).unwrap();
    store.is_in_place().unwrap();
    assert!(Sqlite::in_memory("in place").unwrap().is_in_place().is_ok());
}
