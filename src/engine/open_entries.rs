//! Open outbox entries in memory: only the fields that decisions need. The payloads stay in the store.
//!
//! There can be tens of thousands of open entries at once. So names that many entries share are stored once, and a target is
//! represented by a number.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::{BatchKey, outbox};
use crate::eval::Payload;
use crate::store::{Entry, EntryState, Millis, Moved, Rides};
use crate::system::Guarantee;
use crate::value::Json;

/// A record at its target, named by its key or by `id:` and its id: connection, object, name.
pub(super) type Target = (String, String, String);

/// A target's place: systems that compare keys without case keep to one record what differs by it only.
///
/// It is a hash. Two records that had the same one would wait for each other, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

pub(super) fn place(target: &Target) -> Place {
    place_of(&target.0, &target.1, &target.2)
}

fn place_of(connection: &str, object: &str, name: &str) -> Place {
    let mut hasher = DefaultHasher::new();
    (connection, object).hash(&mut hasher);
    name.chars().flat_map(char::to_lowercase).for_each(|c| c.hash(&mut hasher));
    Place(hasher.finish())
}

/// The places that a payload writes to.
pub(super) fn places(payload: &Payload) -> Vec<Place> {
    let names = payload.key.iter().cloned().chain(payload.id.iter().map(|id| format!("id:{id}")));
    names.map(|name| place_of(&payload.object.connection, &payload.object.object, &name)).collect()
}

/// The records that a write touches at its target: no two writes of one record are out at once.
pub(super) fn target(entry: &Entry) -> Vec<Target> {
    targets(&entry.connection, &entry.object, entry.key.as_deref(), entry.target.as_deref())
}

fn targets(connection: &str, object: &str, key: Option<&str>, id: Option<&str>) -> Vec<Target> {
    let names = key.map(str::to_owned).into_iter().chain(id.map(|id| format!("id:{id}")));
    names.map(|name| (connection.to_owned(), object.to_owned(), name)).collect()
}

/// An entry without what is sent, what its target holds, and what it said.
#[derive(Debug, Clone)]
pub(crate) struct OpenEntry {
    pub(super) id: i64,
    pub(super) lot: Arc<BatchKey>,
    pub(super) flow: Arc<str>,
    pub(super) lane: Arc<str>,
    pub(super) version: Box<str>,
    write: Arc<str>,
    pub(super) after: Option<Arc<str>>,
    key: Option<Box<str>>,
    pub(super) target: Option<Box<str>>,
    guarantee: Guarantee,
    review_doubt: bool,
    pub(super) state: EntryState,
    pub(super) first: bool,
    pub(super) attempt: u32,
    pub(super) due: Millis,
    pub(super) sent: Option<Millis>,
    pub(super) doubted: Option<Millis>,
    epoch: u64,
    plan: Arc<str>,
    pub(super) created: Millis,
    pub(super) rides: Option<Box<Rides>>,
}

impl OpenEntry {
    /// See [`target`].
    pub(super) fn targets(&self) -> Vec<Target> {
        targets(&self.lot.connection, &self.lot.object, self.key.as_deref(), self.target.as_deref())
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.targets().iter().map(place).collect()
    }

    /// Whether it may still change its target by itself.
    pub(super) fn open(&self) -> bool {
        matches!(self.state, EntryState::Planned | EntryState::Sending | EntryState::Ambiguous)
    }

    pub(super) fn moved(&self) -> Moved {
        let OpenEntry { id, state, attempt, due, sent, doubted, epoch, .. } = *self;
        Moved { id, state, attempt, due, sent, doubted, epoch }
    }

    /// Takes what moves while it is sent.
    pub(super) fn moves(&mut self, moved: &Moved) {
        (self.state, self.attempt, self.due) = (moved.state, moved.attempt, moved.due);
        (self.sent, self.doubted, self.epoch) = (moved.sent, moved.doubted, moved.epoch);
    }

    /// This attempt had no effect and does not count: the entry is retried.
    pub(super) fn again(&self, now: Millis) -> Moved {
        Moved { state: EntryState::Planned, attempt: self.attempt.saturating_sub(1), due: now, ..self.moved() }
    }

    /// Moves its times by as much as the wall clock was set.
    pub(super) fn moved_by(&mut self, off: Millis) {
        self.due += off;
        self.created += off;
        self.sent = self.sent.map(|sent| sent + off);
        self.doubted = self.doubted.map(|doubted| doubted + off);
    }

    /// The entry, as far as it is known here. `whole`: as the store has it, where it still does.
    pub(super) fn entry(&self, whole: Option<Entry>) -> Entry {
        let mut entry = whole.unwrap_or_else(|| Entry {
            id: self.id,
            flow: self.flow.as_ref().to_owned(),
            lane: self.lane.as_ref().to_owned(),
            version: self.version.as_ref().to_owned(),
            write: self.write.as_ref().to_owned(),
            after: self.after.as_deref().map(str::to_owned),
            connection: self.lot.connection.clone(),
            object: self.lot.object.clone(),
            op: self.lot.op.clone(),
            key: self.key.as_deref().map(str::to_owned),
            key_field: self.lot.key_field.clone(),
            target: self.target.as_deref().map(str::to_owned),
            guarantee: self.guarantee,
            review_doubt: self.review_doubt,
            state: self.state,
            first: self.first,
            attempt: self.attempt,
            due: self.due,
            sent: self.sent,
            doubted: self.doubted,
            epoch: self.epoch,
            body: Json::Null,
            held: None,
            hash: String::new(),
            result: None,
            error: None,
            plan: self.plan.as_ref().to_owned(),
            created: self.created,
            rides: self.rides.as_deref().cloned(),
        });
        let Moved { id: _, state, attempt, due, sent, doubted, epoch } = self.moved();
        (entry.state, entry.attempt, entry.due, entry.sent, entry.doubted, entry.epoch) = (state, attempt, due, sent, doubted, epoch);
        entry
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct OpenEntries {
    by_id: BTreeMap<i64, Box<OpenEntry>>,
    /// By flow and lane: their ids, in the order in which they were made.
    lanes: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Vec<i64>>>,
    /// Names that many share.
    words: BTreeSet<Arc<str>>,
    lots: BTreeSet<Arc<BatchKey>>,
}

impl OpenEntries {
    pub(super) fn get(&self, id: i64) -> Option<&OpenEntry> {
        self.by_id.get(&id).map(AsRef::as_ref)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &OpenEntry> {
        self.by_id.values().map(AsRef::as_ref)
    }

    pub(super) fn moved_by(&mut self, off: Millis) {
        self.by_id.values_mut().for_each(|head| head.moved_by(off));
    }

    /// Of one lane: their ids.
    pub(super) fn ids(&self, flow: &str, lane: &str) -> &[i64] {
        self.lanes.get(flow).and_then(|lanes| lanes.get(lane)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_lane(&self, flow: &str, lane: &str) -> impl Iterator<Item = &OpenEntry> {
        self.ids(flow, lane).iter().filter_map(|id| self.get(*id))
    }

    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.words.get(text) {
            return Arc::clone(known);
        }
        let word: Arc<str> = text.into();
        self.words.insert(Arc::clone(&word));
        word
    }

    fn lot(&mut self, entry: &Entry) -> Arc<BatchKey> {
        let lot = BatchKey::of(entry);
        if let Some(known) = self.lots.get(&lot) {
            return Arc::clone(known);
        }
        let lot = Arc::new(lot);
        self.lots.insert(Arc::clone(&lot));
        lot
    }

    /// An entry as it now is.
    pub(super) fn head(&mut self, entry: &Entry) -> OpenEntry {
        let known = self.lanes.get(entry.flow.as_str()).and_then(|lanes| lanes.get_key_value(entry.lane.as_str()));
        let lane = known.map_or_else(|| entry.lane.as_str().into(), |(lane, _)| Arc::clone(lane));
        OpenEntry {
            id: entry.id,
            lot: self.lot(entry),
            flow: self.word(&entry.flow),
            lane,
            version: entry.version.as_str().into(),
            write: self.word(&entry.write),
            after: entry.after.as_ref().map(|after| self.word(after)),
            key: entry.key.as_deref().map(Into::into),
            target: entry.target.as_deref().map(Into::into),
            guarantee: entry.guarantee,
            review_doubt: entry.review_doubt,
            state: entry.state,
            first: entry.first,
            attempt: entry.attempt,
            due: entry.due,
            sent: entry.sent,
            doubted: entry.doubted,
            epoch: entry.epoch,
            plan: self.word(&entry.plan),
            created: entry.created,
            rides: entry.rides.clone().map(Box::new),
        }
    }

    pub(super) fn put(&mut self, head: OpenEntry) {
        let ids = self.lanes.entry(Arc::clone(&head.flow)).or_default().entry(Arc::clone(&head.lane)).or_default();
        if let Err(at) = ids.binary_search(&head.id) {
            ids.insert(at, head.id);
        }
        self.by_id.insert(head.id, Box::new(head));
    }

    pub(super) fn remove(&mut self, id: i64) {
        let Some(head) = self.by_id.remove(&id) else { return };
        let Some(lanes) = self.lanes.get_mut(&head.flow) else { return };
        if let Some(ids) = lanes.get_mut(&head.lane) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                lanes.remove(&head.lane);
            }
        }
    }
}

/// Entries that are out in one call.
#[derive(Debug)]
pub(crate) enum Out {
    Whole(Vec<Entry>),
    /// Of a large batch: their numbers. They are read again when it comes back. `first`: one of them goes before other work.
    Many {
        ids: Vec<i64>,
        first: bool,
    },
}

impl Out {
    /// Those on which others ride are few, and stay whole.
    pub(super) fn of(entries: Vec<Entry>, riders: &[Entry]) -> Self {
        if entries.len() <= outbox::HELD || !riders.is_empty() {
            return Out::Whole(entries);
        }
        Out::Many { first: entries.iter().any(|entry| entry.first), ids: entries.into_iter().map(|entry| entry.id).collect() }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Out::Whole(entries) => entries.len(),
            Out::Many { ids, .. } => ids.len(),
        }
    }

    pub(super) fn has_first(&self) -> bool {
        match self {
            Out::Whole(entries) => entries.iter().any(|entry| entry.first),
            Out::Many { first, .. } => *first,
        }
    }

    pub(super) fn moved_by(&mut self, off: Millis) {
        // Of a large batch the times stand in the heads.
        if let Out::Whole(entries) = self {
            entries.iter_mut().for_each(|entry| entry.moved_by(off));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn entry(id: i64, lane: &str) -> Entry {
        Entry {
            id,
            flow: "export".to_owned(),
            lane: lane.to_owned(),
            version: format!("v{id}"),
            write: "order".to_owned(),
            after: (id % 2 == 0).then(|| "succeeds".to_owned()),
            connection: "wms".to_owned(),
            object: "Order".to_owned(),
            op: "upsert".to_owned(),
            key: Some(format!("SF-{id}")),
            key_field: Some("orderKey".to_owned()),
            target: (id % 3 == 0).then(|| id.to_string()),
            guarantee: Guarantee::Token,
            review_doubt: id % 5 == 0,
            state: EntryState::Sending,
            first: id % 7 == 0,
            attempt: 3,
            due: 10,
            sent: Some(9),
            doubted: Some(8),
            epoch: 4,
            body: Json::Null,
            held: None,
            hash: String::new(),
            result: None,
            error: None,
            plan: "p".to_owned(),
            created: 7,
            rides: (id % 4 == 0).then(|| Rides { on: 1, fields: vec!["orderId".to_owned()] }),
        }
    }

    #[test]
    fn a_head_is_its_entry_without_what_is_sent() {
        let mut heads = OpenEntries::default();
        for id in 1..=60 {
            let entry = entry(id, "801");
            let head = heads.head(&entry);
            assert_eq!(head.entry(None), entry);
            assert_eq!(head.targets(), target(&entry));
            // What the store has of it is taken whole, with what moved since.
            let whole = Entry {
                body: serde_json::json!({"a": 1}),
                hash: "h".to_owned(),
                state: EntryState::Planned,
                attempt: 0,
                sent: None,
                ..entry.clone()
            };
            assert_eq!(head.entry(Some(whole)), Entry { body: serde_json::json!({"a": 1}), hash: "h".to_owned(), ..entry });
        }
    }

    #[test]
    fn what_is_done_leaves_nothing_behind() {
        let mut heads = OpenEntries::default();
        for id in (1..=100).rev() {
            let head = heads.head(&entry(id, if id % 2 == 0 { "even" } else { "odd" }));
            heads.put(head.clone());
            heads.put(head);
        }
        assert_eq!(heads.ids("export", "even").len(), 50);
        assert!(heads.ids("export", "even").is_sorted() && heads.ids("import", "even").is_empty());
        assert_eq!(heads.of_lane("export", "odd").map(|head| head.id).sum::<i64>(), 2_500);
        (1..=100).for_each(|id| heads.remove(id));
        assert!(heads.all().next().is_none() && heads.lanes.values().all(BTreeMap::is_empty));
        // Only names are left, and they are few.
        assert!(heads.words.len() <= 4 && heads.lots.len() == 1, "{heads:?}");
    }

    #[test]
    fn a_place_does_not_go_by_case() {
        let of = |object: &str, name: &str| place(&("crm".to_owned(), object.to_owned(), name.to_owned()));
        assert_eq!(of("Order", "SF-1é"), of("Order", "sf-1É"));
        assert_ne!(of("Order", "SF-1"), of("Order", "SF-2"));
        assert_ne!(of("Order", "1"), of("Order1", ""));
        let numbers: BTreeSet<Place> = (0..100_000).map(|number| of("Order", &format!("SF-{number}"))).collect();
        assert_eq!(numbers.len(), 100_000);
    }

    #[test]
    fn of_a_large_batch_only_numbers_are_held() {
        let of = |count: i64| Out::of((1..=count).map(|id| entry(id, "801")).collect(), &[]);
        assert!(matches!(of(500), Out::Whole(entries) if entries.len() == 500));
        assert!(matches!(of(501), Out::Many { ids, first: true } if ids.len() == 501));
    }
}
