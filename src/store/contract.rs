//! The contract of [`super::Store`], as tests that every implementation runs.

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use serde_json::json;

    use crate::store::sqlite::Sqlite;
    use crate::store::{
        Alert, Change, Checkpoint, Decided, Entry, EntryState, Erasure, Event, Exception, Exchange, Known, Link, Moved, Old, Part, Reason,
        RecordStage, RecordState, Rides, Store, StoreFault, TargetState, Wanted, Watch, Watched,
    };
    use crate::value::{Json, RawRecord};

    pub(crate) fn lane(key: &str, arrived: i64, first: bool) -> RecordState {
        RecordState {
            label: Some(format!("no {key}")),
            arrived,
            first,
            version: "v".into(),
            body: Some(RawRecord::of(&json!({"amount": 1.10}))),
            updated: 7,
            seen: vec![1, 2, 3],
            ..RecordState::new("f", key, 7)
        }
    }

    pub(crate) fn reason() -> Reason {
        Reason {
            kind: "rule".into(),
            message: "the street is missing".into(),
            field: Some("street".into()),
            place: Some("orders.dock:12".into()),
            owner: Some("ops".into()),
            before: Some(99),
            review: true,
        }
    }

    pub(crate) fn entry(id: i64, lane: &str) -> Entry {
        Entry {
            id,
            flow: "f".into(),
            lane: lane.into(),
            version: "v".into(),
            write: "order".into(),
            after: None,
            connection: "wms".into(),
            object: "Order".into(),
            op: "upsert".into(),
            key: Some(format!("sf-{lane}")),
            key_field: Some("orderKey".into()),
            target: None,
            guarantee: crate::system::Guarantee::Idempotent,
            review_doubt: false,
            state: EntryState::Planned,
            first: false,
            attempt: 0,
            due: 3,
            sent: None,
            doubted: None,
            epoch: 0,
            body: json!({"orderKey": format!("sf-{lane}"), "items": [1, 2]}),
            held: Some(json!({"a": 1})),
            hash: "abc".into(),
            result: Some(json!({"orderId": 5})),
            error: Some("no".into()),
            plan: "p".into(),
            created: 3,
            rides: Some(Rides { on: 4, fields: vec!["parent".into()] }),
        }
    }

    pub(crate) fn exception(id: i64, lane: &str) -> Exception {
        Exception {
            id,
            flow: "f".into(),
            lane: lane.into(),
            label: Some(format!("no {lane}")),
            code: "review".into(),
            reasons: vec![reason()],
            next: "look".into(),
            owner: Some("ops".into()),
            before: Some(99),
            parked: true,
            opened: 5,
            closed: None,
            closed_by: None,
            decided: None,
        }
    }

    /// What every keeper has to hold; `open` opens the same store again.
    pub(crate) fn holds(open: &dyn Fn() -> Box<dyn Store>) {
        let mut store = open();
        store.commit(&[Change::Record(lane("b", 2, false)), Change::Record(lane("a", 1, false)), Change::Record(lane("c", 3, true))]).unwrap();
        let due: Vec<String> = store.due("f", RecordStage::Waiting, 0, 10).unwrap().into_iter().map(|lane| lane.key).collect();
        assert_eq!(due, ["c", "a", "b"], "what goes first, then in the order of arrival");
        let keys = |until: (i64, usize), first: bool, leave: &str| -> Vec<String> {
            let lanes = store.due_but("f", RecordStage::Waiting, until, first, &|key| key == leave).unwrap();
            lanes.into_iter().map(|lane| lane.key).collect()
        };
        assert_eq!((keys((0, 9), true, ""), keys((0, 1), false, "c"), keys((-1, 9), false, "")), (vec!["c".into()], vec!["a".into()], vec![]));
        assert_eq!(store.record("f", "a").unwrap(), Some(lane("a", 1, false)), "what comes back is what was put");
        let known = store.known("f", &["a", "z", "b"]).unwrap();
        assert_eq!(known.len(), 2, "a key without a lane is left out");
        assert_eq!(known["a"], Known { state: RecordStage::Waiting, read: true, stamp: None, seen: vec![1, 2, 3] });
        store.commit(&[Change::Seen { flow: "f".into(), key: "b".into(), seen: vec![9] }]).unwrap();
        assert_eq!(store.record("f", "b").unwrap(), Some(RecordState { seen: vec![9], ..lane("b", 2, false) }), "nothing else is touched");
        assert_eq!(store.search("no b", 5).unwrap().len(), 1);
        let checkpoint = Checkpoint { flow: "f".into(), stream: "s".into(), cursor: Some("x".into()), more: true, at: 1 };
        let watch = Watch { what: Watched::Expectation("w".into()), flow: "f".into(), lane: "a".into(), since: 0, due: 50 };
        store.commit(&[Change::Checkpoint(checkpoint.clone()), Change::Watch(watch.clone())]).unwrap();
        assert_eq!((store.watches(49, 9).unwrap().len(), store.watches(50, 9).unwrap()), (0, vec![watch]));
        lanes(&mut *store);
        writes(&mut *store);
        queue(&mut *store);
        deadlines(&mut *store);
        history(&mut *store);
        store.is_in_place().unwrap();
        let (id, arrival) = (store.next_id().unwrap(), store.next_arrival().unwrap());
        store.commit(&[]).unwrap();
        // Opened again by another process: it has everything, and the older one can write no more.
        let mut other = open();
        assert!(other.epoch() > store.epoch());
        assert_eq!(other.checkpoint("f", "s").unwrap(), Some(checkpoint));
        assert!(other.next_id().unwrap() > id && other.next_arrival().unwrap() >= arrival);
        let old = Old::Exceptions([(String::new(), Some(980))].into());
        assert!(matches!(store.forget(&old, None, 9), Err(StoreFault::Fenced { .. })));
        assert!(matches!(store.erase(&[], &[]), Err(StoreFault::Fenced { .. })));
        assert!(matches!(store.commit(&[Change::Record(lane("d", 9, false))]), Err(StoreFault::Fenced { .. })));
        assert_eq!(other.record("f", "d").unwrap(), None, "a commit that was refused changes nothing");
        assert_eq!(other.forget(&old, None, 9).unwrap().dropped, 1);
        assert_eq!(other.counts().unwrap(), store.counts().unwrap());
        assert_eq!(other.fingerprint(b"a"), store.fingerprint(b"a"));
        assert_eq!(other.damages(), []);
    }

    /// Lanes in their states, and how many there are.
    fn lanes(store: &mut dyn Store) {
        let full = RecordState {
            state: RecordStage::Delivered,
            was: Some(RecordStage::Review),
            stamp: Some("2026-03-02T00:00:00Z".into()),
            delivered: Some("v".into()),
            due: 12,
            attempt: 3,
            matched: Some(json!({"account": [{"Id": "001"}]})),
            group: Some("group/1".into()),
            plan: Some("p".into()),
            reasons: vec![reason()],
            updated: 11,
            body: Some(RawRecord::of(&json!({"text": "long ".repeat(400)}))),
            ..lane("full", 8, true)
        };
        store.commit(&[Change::Record(full.clone())]).unwrap();
        assert_eq!(store.record("f", "full").unwrap(), Some(full.clone()));
        // What was read back is not written again, and is there all the same.
        let read = store.record("f", "full").unwrap().unwrap();
        store.commit(&[Change::Record(RecordState { due: 13, ..read })]).unwrap();
        assert_eq!(store.record("f", "full").unwrap(), Some(RecordState { due: 13, ..full }));
        assert_eq!(store.counts().unwrap().into_values().collect::<Vec<_>>(), [3, 1]);
        assert_eq!(store.in_state(None, RecordStage::Delivered, 9).unwrap().len(), 1);
        assert_eq!(store.in_state(Some("g"), RecordStage::Delivered, 9).unwrap().len(), 0);
        assert_eq!(store.members("f", "group/1").unwrap(), [json!({"text": "long ".repeat(400)})]);
        assert_eq!(store.beginning("f", "fu").unwrap().len(), 1);
        assert_eq!(store.search("full", 5).unwrap().len(), 1, "by its key");
        let gone =
            RecordState { body: None, matched: None, reasons: Vec::new(), state: RecordStage::Gone, ..store.record("f", "full").unwrap().unwrap() };
        store.commit(&[Change::Record(gone.clone())]).unwrap();
        assert_eq!(store.record("f", "full").unwrap(), Some(gone));
        assert_eq!(store.counts().unwrap().get(&("f".into(), RecordStage::Delivered)), None);
        store.commit(&[Change::Record(RecordState { due: 70, ..lane("later", 4, false) })]).unwrap();
        assert_eq!(store.next_due("f", RecordStage::Waiting, 10).unwrap(), Some(70));
        assert_eq!((store.oldest_in(RecordStage::Waiting).unwrap(), store.oldest_in(RecordStage::Delivered).unwrap()), (Some(7), None));
    }

    fn writes(store: &mut dyn Store) {
        let made = entry(100, "a");
        let ledger = TargetState {
            connection: "wms".into(),
            object: "Order".into(),
            key: "sf-a".into(),
            id: Some("5".into()),
            fields: [("street".to_owned(), "hash".to_owned())].into(),
            confirmed: 4,
        };
        store.commit(&[Change::Entry(made.clone()), Change::Target(ledger.clone()), Change::Exception(exception(101, "a"))]).unwrap();
        assert_eq!(store.entry(100).unwrap(), Some(made.clone()));
        assert_eq!(store.oldest_doubt().unwrap(), None, "it was not sent");
        assert_eq!(store.entries(&[100, 7]).unwrap(), std::slice::from_ref(&made));
        assert_eq!(store.target_state("wms", "Order", "sf-a").unwrap(), Some(ledger));
        assert_eq!(store.exceptions_of("f", "a").unwrap(), [exception(101, "a")]);
        assert_eq!((store.open_exceptions().unwrap(), store.exception(101).unwrap()), (1, Some(exception(101, "a"))));
        let moved = Moved { id: 100, state: EntryState::Sending, attempt: 1, due: 4, sent: Some(4), doubted: Some(2), epoch: 1 };
        store.commit(&[Change::Sent(moved)]).unwrap();
        let sent = Entry { state: EntryState::Sending, attempt: 1, due: 4, sent: Some(4), doubted: Some(2), epoch: 1, ..made };
        assert_eq!(store.entries_of("f", "a").unwrap(), std::slice::from_ref(&sent));
        assert_eq!(store.oldest_doubt().unwrap(), Some(4));
        let head = Entry { body: Json::Null, held: None, result: None, error: None, ..sent };
        assert_eq!(store.open_entries().unwrap(), [head]);
        let closed = Exception { closed: Some(9), closed_by: Some("mended".into()), ..exception(101, "a") };
        store.commit(&[Change::DropEntry(100), Change::Exception(closed.clone())]).unwrap();
        assert_eq!(
            (store.entry(100).unwrap(), store.exceptions(true, 9).unwrap(), store.exceptions(false, 9).unwrap()),
            (None, vec![], vec![closed])
        );
    }

    /// Exceptions by what they have in common, and who decided what.
    fn queue(store: &mut dyn Store) {
        let of = |id: i64, lane: &str, owner: Option<&str>, before: Option<i64>| Exception {
            owner: owner.map(str::to_owned),
            before,
            opened: id,
            ..exception(id, lane)
        };
        let all = [of(300, "q1", Some("ops"), Some(900)), of(301, "q2", Some("ops"), Some(800)), of(302, "q3", Some("finance"), None)];
        store.commit(&all.clone().map(Change::Exception)).unwrap();
        let causes = store.causes(&Wanted::default()).unwrap();
        let told: Vec<_> = causes.iter().map(|cause| (cause.owner.as_deref(), cause.count, cause.oldest, cause.before, cause.example)).collect();
        assert_eq!(told, [(Some("ops"), 2, 300, Some(800), 300), (Some("finance"), 1, 302, None, 302)], "what is due first comes first");
        assert_eq!(
            store.open_of_cause("f", "review", &all[0].cause()).unwrap(),
            causes.iter().filter(|one| one.id == all[0].cause()).map(|one| one.count).sum::<u64>()
        );
        assert_eq!(store.open_of_cause("g", "review", &all[0].cause()).unwrap(), 0);
        let ids = |wanted: &Wanted, closed: bool| -> Vec<i64> { store.wanted(wanted, closed, 9).unwrap().iter().map(|one| one.id).collect() };
        assert_eq!(ids(&Wanted { owner: Some("ops".into()), ..Wanted::default() }, false), [301, 300]);
        assert_eq!(ids(&Wanted { due_by: Some(850), ..Wanted::default() }, false), [301]);
        assert_eq!(ids(&Wanted { opened_by: Some(300), code: Some("review".into()), flow: Some("f".into()), ..Wanted::default() }, false), [300]);
        assert_eq!(ids(&Wanted { code: Some("refused".into()), ..Wanted::default() }, false), Vec::<i64>::new());
        assert_eq!(ids(&Wanted { cause: Some(all[2].cause()), owner: Some("finance".into()), ..Wanted::default() }, false), [302]);
        assert_eq!(store.open_by_owner().unwrap(), [(Some("finance".into()), "review".into(), 1), (Some("ops".into()), "review".into(), 2)]);
        let decided = Decided { what: "discarded".into(), by: Some("ada".into()), why: Some("a test".into()), at: 950, undo: None };
        let closed = Exception { closed: Some(950), closed_by: Some("discarded".into()), decided: Some(decided), ..all[0].clone() };
        store.commit(&[Change::Exception(closed.clone())]).unwrap();
        assert_eq!(store.decisions_of("f", "q1").unwrap(), [closed]);
        assert_eq!((store.decisions_of("f", "q2").unwrap(), store.decisions_of("g", "q1").unwrap()), (vec![], vec![]));
        let open = Wanted { owner: Some("ops".into()), ..Wanted::default() };
        let ids = |closed: bool| -> Vec<i64> { store.wanted(&open, closed, 9).unwrap().iter().map(|one| one.id).collect() };
        assert_eq!((ids(false), ids(true).contains(&300)), (vec![301], true));
        let ended = |one: &Exception| Change::Exception(Exception { closed: Some(960), closed_by: Some("mended".into()), ..one.clone() });
        store.commit(&[ended(&all[1]), ended(&all[2])]).unwrap();
        assert_eq!((store.causes(&Wanted::default()).unwrap(), store.open_by_owner().unwrap()), (vec![], vec![]));
        // Closed ones are dropped when they are old, step by step.
        let old = Old::Exceptions([(String::new(), Some(961))].into());
        let (mut dropped, mut after) = (0, None);
        loop {
            let step = store.forget(&old, after.as_deref(), 2).unwrap();
            dropped += step.dropped;
            after = step.next;
            if after.is_none() {
                break;
            }
        }
        assert!(dropped >= 3, "{dropped}");
        assert_eq!(store.decisions_of("f", "q1").unwrap(), []);
        store.commit(&[ended(&Exception { id: 303, ..all[0].clone() })]).unwrap();
    }

    /// What is looked at again at its time, what is told, and what people asked for.
    fn deadlines(store: &mut dyn Store) {
        let watch = |what: Watched, lane: &str, due: i64| Watch { what, flow: "f".into(), lane: lane.into(), since: 0, due };
        let expected = |name: &str| Watched::Expectation(name.into());
        let before = store.watching(&expected("late")).unwrap();
        store.commit(&[Change::Watch(watch(expected("late"), "w1", 20)), Change::Watch(watch(Watched::Window, "w1", 10))]).unwrap();
        assert_eq!(store.next_watch().unwrap(), Some(10));
        assert_eq!(store.watching(&expected("late")).unwrap(), before + 1);
        assert_eq!(store.watches_of("f", "w1").unwrap().iter().map(|one| one.due).collect::<Vec<_>>(), [10, 20]);
        assert_eq!((store.watches_of("f", "none").unwrap(), store.watches_of("g", "w1").unwrap()), (vec![], vec![]));
        let alert = Alert { message: "it is late".into(), owner: Some("ops".into()), ..Alert::new(7, "exception/1", 5) };
        store.commit(&[Change::Alert(alert.clone())]).unwrap();
        assert_eq!(store.alerts().unwrap(), [alert]);
        store.commit(&[Change::DropAlert("exception/1".into())]).unwrap();
        assert_eq!((store.alerts().unwrap(), store.controls().unwrap()), (vec![], vec![]));
        assert!(store.checkpoints().unwrap().iter().any(|one| (one.flow.as_str(), one.stream.as_str()) == ("f", "s")));
    }

    fn part(lane: &str) -> Part {
        Part { flow: "f".into(), lane: lane.into(), request: Some(format!("{{\"of\":\"{lane}\"}}")), response: None }
    }

    fn history(store: &mut dyn Store) {
        let event =
            |kind: &str, text: &str| Event { at: 4, flow: "f".into(), lane: "a".into(), kind: kind.into(), text: text.into(), exchange: Some(200) };
        let exchange = Exchange {
            id: 200,
            at: 4,
            connection: "wms".into(),
            method: "POST".into(),
            path: "/orders/createorders".into(),
            status: Some(200),
            took: 12,
            request: Some("[…]".repeat(300)),
            response: None,
            broken: None,
            plan: "p".into(),
            parts: vec![part("a"), part("b")],
        };
        let link = |lane: &str| Link { flow: "f".into(), lane: lane.into(), object: "wms.Order".into(), id: "5".into() };
        let events = [event("received", "a new version was read"), event("sent", "upsert 5"), event("received", "a new version was read")];
        let mut changes: Vec<Change> = events.iter().cloned().map(Change::Event).collect();
        changes.extend([Change::Exchange(exchange.clone()), Change::Link(link("a")), Change::Link(link("b")), Change::Link(link("a"))]);
        store.commit(&changes).unwrap();
        assert_eq!(store.events("f", "a").unwrap(), events);
        assert_eq!((store.exchange(200).unwrap(), store.exchanges(5).unwrap().len()), (Some(exchange), 1));
        let links = store.links_of("f", "a").unwrap();
        assert_eq!(links.iter().map(|link| (link.lane.as_str(), link.object.as_str())).collect::<Vec<_>>(), [("a", "wms.Order")]);
        assert_ne!(links[0].id, link("a").id, "it is a hash");
        assert_eq!(store.linked("f", "a", None, 9).unwrap(), [("f".to_owned(), "b".to_owned())]);
        // An account that many orders share does not hide what belongs to one order only.
        let account = |flow: &str, lane: String| Link { flow: flow.into(), lane, object: "crm.Account".into(), id: "6".into() };
        let mut shared: Vec<Change> = (0..3_000).map(|at| Change::Link(account("f", format!("z{at:04}")))).collect();
        shared.extend([Change::Link(account("f", "a".into())), Change::Link(account("g", "newest".into()))]);
        store.commit(&shared).unwrap();
        let linked = store.linked("f", "a", None, 9).unwrap();
        assert_eq!((linked.len(), &linked[0].1), (9, &"b".to_owned()));
        assert_eq!(store.linked("f", "a", Some("g"), 9).unwrap(), [("g".to_owned(), "newest".to_owned())]);
        assert_eq!(store.linked("f", "a", Some("no such flow"), 9).unwrap(), []);
        assert_eq!(store.search("5", 5).unwrap().len(), 2, "by the id at the other system");
        let telephone =
            |lane: &str, id: &str| Change::Link(Link { flow: "f".into(), lane: lane.into(), object: "crm.Contact".into(), id: id.into() });
        store.commit(&[telephone("a", "(512) 555-0199"), telephone("b", "+1 512 555 0199"), telephone("full", "5125550199")]).unwrap();
        for spelling in ["(512) 555-0199", "+15125550199", "512.555.0199", "1-512-555-0199"] {
            let found: Vec<String> = store.search(spelling, 9).unwrap().into_iter().map(|lane| lane.key).collect();
            assert_eq!(found, ["a", "b", "full"], "{spelling}");
        }
        assert_eq!(store.search("(512) 555-0198", 9).unwrap(), []);
        assert_eq!(store.links_of("f", "full").unwrap().len(), 1, "a second way to find a record is no other link");
        store.hint("crm", "order", &json!({"id": 1}), 3).unwrap();
        store.hint("crm", "order", &json!({"id": 1}), 4).unwrap();
        let hints = store.hints(9).unwrap();
        assert_eq!(hints.len(), 1, "one that waits is not kept twice");
        store.commit(&[Change::DropHint(hints[0].id), Change::Meta { name: "day".into(), value: "monday".into() }]).unwrap();
        assert_eq!((store.hints(9).unwrap(), store.meta("day").unwrap().as_deref()), (vec![], Some("monday")));
        erased(store);
    }

    /// What is of one record is removed, and what is of others of the same call stays.
    fn erased(store: &mut dyn Store) {
        let records = [("f".to_owned(), "a".to_owned())];
        let proof = Erasure { at: 8, who: "hash".into(), by: Some("ada".into()), records: 1 };
        assert_eq!(store.mentioning(&|text| text.contains("upsert 5")).unwrap(), records);
        assert!(store.erase(&records, &[Change::Erasure(proof.clone())]).unwrap() >= 4);
        assert_eq!((store.events("f", "a").unwrap(), store.links_of("f", "a").unwrap()), (vec![], vec![]));
        let left = store.exchange(200).unwrap().unwrap();
        assert_eq!((left.parts, left.request, left.status), (vec![part("b")], None, Some(200)));
        assert_eq!(store.search("5", 5).unwrap().iter().map(|lane| lane.key.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(store.record("f", "a").unwrap().is_some(), "its lane is the caller's");
        assert_eq!((store.erasures(Some("hash")).unwrap(), store.erasures(Some("other")).unwrap()), (vec![proof], vec![]));
        assert_eq!(store.mentioning(&|text| text.contains("upsert 5")).unwrap(), []);
    }

    /// What the contract does not ask of a method, no other keeper of it has to do.
    #[test]
    fn every_method_is_asked() {
        let (interface, contract) = (include_str!("mod.rs"), include_str!("contract.rs"));
        let methods = interface.split("pub trait Store").nth(1).unwrap().split("\n}\n").next().unwrap().lines();
        let named = methods.filter_map(|line| line.strip_prefix("    fn ")?.split(['(', '<']).next());
        let missing: Vec<_> = named.filter(|name| !contract.contains(&format!(".{name}("))).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn sqlite_holds_the_contract() {
        holds(&|| Box::new(Sqlite::in_memory("contract").unwrap()));
    }

    #[test]
    fn sqlite_holds_the_contract_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        // The lock keeps a second writer out: it is let go as a process that died has let it go.
        holds(&|| {
            let _ = std::fs::remove_file(folder.path().join("store.db.lock"));
            Box::new(Sqlite::open(&path, None, crate::store::sqlite::Mode::Write).unwrap())
        });
        let store = Sqlite::open(&path, None, crate::store::sqlite::Mode::Read).unwrap();
        assert_eq!(store.verify().unwrap().damages, []);
    }
}
