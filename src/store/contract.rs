//! The contract of [`super::Store`] as tests that every keeper of it runs.

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use crate::store::sqlite::Sqlite;
    use crate::store::{Change, Checkpoint, Known, Lane, LaneState, Store, StoreFault, Watch};
    use crate::value::Body;

    fn lane(key: &str, arrived: i64, first: bool) -> Lane {
        Lane {
            flow: "f".into(),
            key: key.into(),
            label: Some(format!("no {key}")),
            arrived,
            first,
            state: LaneState::Waiting,
            was: None,
            version: "v".into(),
            stamp: None,
            delivered: None,
            due: 0,
            attempt: 0,
            body: Some(Body::of(&serde_json::json!({"amount": 1.10}))),
            matched: None,
            group: None,
            plan: None,
            seen: vec![1, 2, 3],
            reasons: Vec::new(),
            updated: 7,
        }
    }

    /// What every keeper has to hold; `open` opens the same store again.
    pub(crate) fn holds(open: &dyn Fn() -> Box<dyn Store>) {
        let mut store = open();
        store.commit(&[Change::Lane(lane("b", 2, false)), Change::Lane(lane("a", 1, false)), Change::Lane(lane("c", 3, true))]).unwrap();
        let due: Vec<String> = store.due("f", LaneState::Waiting, 0, 10).unwrap().into_iter().map(|lane| lane.key).collect();
        assert_eq!(due, ["c", "a", "b"], "what goes first, then in the order of arrival");
        assert_eq!(store.lane("f", "a").unwrap(), Some(lane("a", 1, false)), "what comes back is what was put");
        let known = store.known("f", &["a", "z", "b"]).unwrap();
        assert_eq!(known.len(), 2, "a key without a lane is left out");
        assert_eq!(known["a"], Known { state: LaneState::Waiting, read: true, stamp: None, seen: vec![1, 2, 3] });
        store.commit(&[Change::Seen { flow: "f".into(), key: "b".into(), seen: vec![9] }]).unwrap();
        assert_eq!(store.lane("f", "b").unwrap(), Some(Lane { seen: vec![9], ..lane("b", 2, false) }), "nothing else is touched");
        assert_eq!(store.search("no b", 5).unwrap().len(), 1);
        let checkpoint = Checkpoint { flow: "f".into(), stream: "s".into(), cursor: Some("x".into()), more: true, at: 1 };
        let watch = Watch { name: "w".into(), flow: "f".into(), lane: "a".into(), since: 0, due: 50 };
        store.commit(&[Change::Checkpoint(checkpoint.clone()), Change::Watch(watch.clone())]).unwrap();
        assert_eq!((store.watches(49, 9).unwrap().len(), store.watches(50, 9).unwrap()), (0, vec![watch]));
        let (id, arrival) = (store.next_id(), store.next_arrival());
        store.commit(&[]).unwrap();
        // Opened again by another process: it has everything, and the older one can write no more.
        let mut other = open();
        assert!(other.epoch() > store.epoch());
        assert_eq!(other.checkpoint("f", "s").unwrap(), Some(checkpoint));
        assert!(other.next_id() > id && other.next_arrival() >= arrival);
        assert!(matches!(store.commit(&[Change::Lane(lane("d", 9, false))]), Err(StoreFault::Fenced { .. })));
        assert_eq!(other.lane("f", "d").unwrap(), None, "a commit that was refused changes nothing");
        assert_eq!(other.fingerprint(b"a"), store.fingerprint(b"a"));
    }

    #[test]
    fn sqlite_holds_the_contract() {
        holds(&|| Box::new(Sqlite::in_memory("contract").unwrap()));
    }
}
