//! From payloads to outbox entries: what differs, how it is sent, which record it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::open_entries::OpenEntry;
use super::targets::Targets;
use super::{BatchKey, Engine};
use crate::eval::{Payload, target_of};
use crate::ir::{Flow, Operation};
use crate::store::{Change, Entry, EntryState, Link, RecordState, StoreResult, TargetState, Watch, Watched};
use crate::system::Guarantee;
use crate::value::{Json, ObjectRef};

impl Engine<'_> {
    /// What is known of a payload's target.
    pub(super) fn known(&self, payload: &Payload) -> StoreResult<Option<TargetState>> {
        let Some(key) = ledger_key(payload.key.as_deref(), payload.id.as_deref()) else { return Ok(None) };
        self.store.target_state(&payload.object.connection, &payload.object.object, &key)
    }

    /// Whether a write loses at the target what it does not send.
    pub(super) fn replaces(&self, object: &ObjectRef, op: Operation, key_field: Option<&str>) -> bool {
        self.write_spec(object, op, key_field).is_some_and(|write| write.replaces)
    }

    /// What a write is held to by its target's connector.
    pub(super) fn write_spec(&self, object: &ObjectRef, op: Operation, key_field: Option<&str>) -> Option<crate::connector::Write> {
        let schema = self.world.plan.objects.get(&object.to_string())?;
        self.world.connectors.get(&object.connection)?.write(schema, op, key_field)
    }

    pub(super) fn id_field(&self, object: &ObjectRef) -> String {
        let schema = self.world.plan.objects.get(&object.to_string());
        schema.and_then(|schema| schema.id.clone()).unwrap_or_else(|| "id".to_owned())
    }

    /// Puts payloads into the outbox, what differs of them; gives how many.
    #[expect(clippy::too_many_arguments, reason = "what a payload is judged by, each of another kind")]
    pub(super) fn payloads(
        &mut self,
        at: usize,
        lane: &mut RecordState,
        payloads: Vec<Payload>,
        after: Option<&str>,
        matched: &BTreeMap<String, Vec<Json>>,
        targets: &Targets<'_>,
        parked: bool,
        changes: &mut Vec<Change>,
    ) -> StoreResult<Made> {
        let (flow, _) = self.flow(at);
        let now = self.millis();
        let mut made = Made { count: 0, asked: Vec::new() };
        let mut leaders: BTreeMap<String, i64> = BTreeMap::new();
        for payload in payloads {
            let known = self.known(&payload)?;
            let rides = self.rides(&payload, known.as_ref(), &leaders);
            if !payload.waits_for.is_empty() && rides.is_none() {
                // It is mapped again when what it waits for is confirmed.
                continue;
            }
            if after.is_none() && known.is_none() && self.is_history(at, lane, &payload, changes)? {
                continue;
            }
            let name = payload.key.as_deref().or(payload.id.as_deref()).map(|key| target_of(&payload.write, key));
            let missing = name.as_ref().is_some_and(|name| targets.missing.contains(name));
            let target = name.and_then(|name| targets.held.get(&name)).filter(|target| target.as_object().is_some_and(|fields| !fields.is_empty()));
            let exists = (known.is_some() || payload.id.is_some()) && !missing;
            if payload.op == Operation::Create && known.is_some() {
                continue;
            }
            let differs = self.differing(&payload, known.as_ref(), target, lane, matched, false);
            if let Some(known) = known.as_ref().filter(|_| !differs.held.is_empty()) {
                let mut known = known.clone();
                super::delta::confirm(&*self.store, &mut known.fields, &super::delta::only(&payload.body, &differs.held));
                changes.push(Change::Target(known));
            }
            if exists && differs.is_empty() {
                continue;
            }
            let label = || payload.key.clone().or_else(|| payload.id.clone()).unwrap_or_default();
            let called = format!("{} {}", payload.object, label());
            if missing && !parked {
                made.asked.push(super::recover::missing(&called));
            }
            if !differs.disputed.is_empty() && exists && !parked {
                made.asked.push(super::recover::disputed(&called, &differs.disputed));
            }
            let whole = payload.body.clone();
            let asks = |paths: &[String]| super::delta::only(&whole, paths);
            let parts: Vec<(Json, bool)> = match (exists, target.is_some()) {
                (true, true) if parked => {
                    let all: Vec<String> = differs.send.iter().chain(&differs.disputed).cloned().collect();
                    vec![(asks(&all), true)]
                }
                (true, true) => {
                    let both = [(asks(&differs.send), false), (asks(&differs.disputed), true)];
                    both.into_iter().filter(|(body, _)| body.as_object().is_some_and(|fields| !fields.is_empty())).collect()
                }
                _ => vec![(payload.body.clone(), parked || missing)],
            };
            for (body, parked) in parts {
                let op = match payload.op {
                    Operation::Upsert if payload.id.is_some() => Operation::Update,
                    op => op,
                };
                let spec = self.write_spec(&payload.object, op, payload.key_field.as_deref());
                let replaces = spec.as_ref().is_some_and(|spec| spec.replaces);
                let spec_carries = spec.as_ref().is_some_and(|spec| spec.carries);
                let body = if exists && !replaces && target.is_none() { super::delta::only(&body, &differs.send) } else { body };
                let declared =
                    flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)).find(|write| write.name == payload.write);
                let id = self.store.next_id()?;
                let hash = hash(&body);
                let entry = Entry {
                    id,
                    flow: flow.name.clone(),
                    lane: lane.key.clone(),
                    version: lane.version.clone(),
                    write: payload.write.clone(),
                    after: after.map(str::to_owned),
                    connection: payload.object.connection.clone(),
                    object: payload.object.object.clone(),
                    op: op.word().to_owned(),
                    key: payload.key.clone(),
                    key_field: payload.key_field.clone(),
                    target: payload.id.clone().or_else(|| known.as_ref().and_then(|known| known.id.clone())).filter(|_| !missing),
                    guarantee: spec.map_or_else(|| declared.map_or(Guarantee::Unprotected, |write| write.guarantee), |spec| spec.guarantee),
                    review_doubt: declared.is_some_and(|write| write.in_doubt == Some(crate::ir::InDoubt::Review)),
                    state: if parked { EntryState::Parked } else { EntryState::Planned },
                    first: lane.first,
                    attempt: 0,
                    due: now,
                    sent: None,
                    doubted: None,
                    epoch: 0,
                    body,
                    held: target.cloned(),
                    hash,
                    result: None,
                    error: None,
                    plan: self.plan_hash.clone(),
                    created: now,
                    rides: rides.clone(),
                };
                if entry.state == EntryState::Planned && after.is_none() && spec_carries {
                    leaders.insert(entry.write.clone(), id);
                }
                let persons = payload.key.as_ref().map(|key| self.persons_in(at, lane, &payload.object, &payload.body, key)).unwrap_or_default();
                for node in entry.key.iter().chain(entry.target.as_ref()).chain(&persons) {
                    changes.push(Change::Link(self.node(at, &lane.key, &payload.object, node)));
                }
                if after.is_none() {
                    self.promise(at, &entry, changes);
                }
                if !parked || made.asked.is_empty() {
                    made.count += 1;
                }
                changes.push(Change::Entry(entry));
            }
        }
        Ok(made)
    }

    /// A flow may write one record by its key and by its id. What went through by one of the names is then what the
    /// other has to differ from.
    pub(super) fn known_by_both(&self, entry: &Entry, id: Option<&str>, changes: &mut Vec<Change>) -> StoreResult<()> {
        let Some(other) = self.other_name(entry, id)? else { return Ok(()) };
        if let (Some(key), Some(id)) = (&entry.key, id) {
            let (connection, object) = (entry.connection.clone(), entry.object.clone());
            changes.push(Change::Target(TargetState {
                connection,
                object,
                key: format!("of:{id}"),
                id: Some(key.clone()),
                ..TargetState::default()
            }));
        }
        let Some(mut known) = self.store.target_state(&entry.connection, &entry.object, &other)? else { return Ok(()) };
        super::delta::confirm(&*self.store, &mut known.fields, &entry.body);
        changes.push(Change::Target(known));
        Ok(())
    }

    /// Under what the ledger keeps the record of an entry beside the entry's own name, where its flow writes it by both.
    pub(super) fn other_name(&self, entry: &Entry, id: Option<&str>) -> StoreResult<Option<String>> {
        let (Some(id), Some(at)) = (id, self.flow_named(&entry.flow)) else { return Ok(None) };
        if !self.flows[at].by_both.contains(&(entry.connection.clone(), entry.object.clone())) {
            return Ok(None);
        }
        match entry.key {
            Some(_) => Ok(Some(format!("id:{id}"))),
            None => Ok(self.store.target_state(&entry.connection, &entry.object, &format!("of:{id}"))?.and_then(|alias| alias.id)),
        }
    }

    /// Whether a payload is for a milestone that was passed before the flow ran for the first time. It is noted, so
    /// that it never fires.
    fn is_history(&self, at: usize, lane: &RecordState, payload: &Payload, changes: &mut Vec<Change>) -> StoreResult<bool> {
        let (flow, _) = self.flow(at);
        let milestone = flow.writes.iter().any(|write| write.name == payload.write && write.milestones.is_some());
        let (true, false, Some(key)) = (milestone, flow.including_history, &payload.key) else { return Ok(false) };
        if !self.counts_history(at, lane)? {
            return Ok(false);
        }
        let (connection, object) = (payload.object.connection.clone(), payload.object.object.clone());
        changes.push(Change::Target(TargetState { connection, object, key: key.clone(), confirmed: self.millis(), ..TargetState::default() }));
        changes.push(self.event(&lane.flow, &lane.key, "history", "a milestone was passed before the flow began".to_owned(), None));
        Ok(true)
    }

    /// What is watched from here on: a write that may be late.
    fn promise(&mut self, at: usize, entry: &Entry, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        for after in flow.follow_ups.iter().filter(|after| after.write.as_ref() == Some(&entry.write)) {
            for event in &after.events {
                if let crate::ir::Event::IsLate(delay) = event {
                    let what = Watched::Late { write: entry.write.clone(), after: *delay };
                    self.watch(
                        Watch { what, flow: entry.flow.clone(), lane: entry.lane.clone(), since: entry.created, due: entry.created + delay },
                        changes,
                    );
                }
            }
        }
    }

    pub(super) fn node(&self, at: usize, lane: &str, object: &ObjectRef, id: &str) -> Link {
        Link { flow: self.flow(at).0.name.clone(), lane: lane.to_owned(), object: object.to_string(), id: id.to_owned() }
    }

    /// Values of persons that a key is made of: its record is found by them, too.
    fn persons_in(&self, at: usize, lane: &RecordState, object: &ObjectRef, body: &Json, key: &str) -> Vec<String> {
        let source = &self.flow(at).0.source;
        let mut found = Vec::new();
        let mut each = |value: &str| {
            let value = value.trim();
            if value.chars().count() >= SHORTEST_PERSON && value != key && super::mask::holds(key, value) {
                found.push(value.to_owned());
            }
        };
        if let (Some(mask), Some(record)) = (self.masks.get(&source.connection), lane.record()) {
            mask.persons(Some(&source.object), record, &mut each);
        }
        if let Some(mask) = self.masks.get(&object.connection) {
            mask.persons(Some(&object.object), body, &mut each);
        }
        found.sort();
        found.dedup();
        found
    }

    /// The records that a lane has to do with: its own and those that were found for it.
    pub(super) fn link(&self, at: usize, lane: &RecordState, matched: &BTreeMap<String, Vec<Json>>, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        changes.push(Change::Link(self.node(at, &lane.key, &flow.source, &lane.key)));
        for found in &flow.matches {
            // What is looked up for elements is catalog data, such as products: no record of it belongs to this one alone.
            let Some([one]) = matched.get(&found.name).map(Vec::as_slice).filter(|_| found.each.is_none()) else { continue };
            if let Some(id) = text(one.get(self.id_field(&found.object).as_str())) {
                changes.push(Change::Link(self.node(at, &lane.key, &found.object, &id)));
            }
        }
    }

    // ---- the outbox's own lists ----

    /// Takes an entry as it now is into the lists in memory.
    pub(super) fn note(&mut self, entry: &Entry) {
        let head = self.open_entries.head(entry);
        self.list(head);
    }

    fn list(&mut self, head: OpenEntry) {
        self.unlist(head.id);
        if head.open() {
            for place in head.places() {
                *self.writing.entry(place).or_default() += 1;
            }
        }
        match head.state {
            // It goes with what it rides on, or once that is known.
            EntryState::Planned if head.rides.is_some() => {}
            EntryState::Planned if head.due <= self.millis() => {
                self.ready.entry((*head.lot).clone()).or_default().insert((!head.first, head.id));
            }
            EntryState::Planned | EntryState::Ambiguous => {
                for place in head.places() {
                    let until = self.held_off.entry(place).or_insert(head.due);
                    *until = head.due.max(*until);
                }
                self.later.insert((head.due, head.id));
            }
            EntryState::Sending => {
                self.in_flight_targets.extend(head.places());
            }
            EntryState::Confirmed | EntryState::Refused | EntryState::Parked | EntryState::Withdrawn => {}
        }
        self.open_entries.put(head);
    }

    fn unlist(&mut self, id: i64) {
        let Some(known) = self.open_entries.get(id) else { return };
        if let Some(ready) = self.ready.get_mut(&*known.lot) {
            ready.remove(&(!known.first, id));
            if ready.is_empty() {
                self.ready.remove(&*known.lot);
            }
        }
        self.later.remove(&(known.due, id));
        if known.open() {
            for place in known.places() {
                if self.held_off.get(&place) == Some(&known.due) {
                    self.held_off.remove(&place);
                }
                if let Some(count) = self.writing.get_mut(&place) {
                    *count -= 1;
                    if *count == 0 {
                        self.writing.remove(&place);
                        self.waiters.ended(place);
                        self.batches.values_mut().for_each(|batch| batch.written_to(place));
                    }
                }
            }
        }
        if known.state == EntryState::Sending {
            known.places().iter().for_each(|place| {
                self.in_flight_targets.remove(place);
            });
        }
    }

    /// Takes an entry from those that can be sent now.
    pub(super) fn not_ready(&mut self, lot: &BatchKey, id: i64) {
        let (Some(ready), Some(entry)) = (self.ready.get_mut(lot), self.open_entries.get(id)) else { return };
        ready.remove(&(!entry.first, id));
        if ready.is_empty() {
            self.ready.remove(lot);
        }
    }

    /// Entries as the store has them. What it does not have any more, or found damaged, is not waited for either.
    pub(super) fn there(&mut self, ids: &[i64]) -> StoreResult<Vec<Entry>> {
        let entries = self.store.entries(ids)?;
        if entries.len() < ids.len() {
            let there: BTreeSet<i64> = entries.iter().map(|entry| entry.id).collect();
            ids.iter().filter(|id| !there.contains(id)).for_each(|id| self.forget(*id));
        }
        Ok(entries)
    }

    pub(super) fn forget(&mut self, id: i64) {
        self.unlist(id);
        self.based.remove(&id);
        self.open_entries.remove(id);
    }

    /// Follows committed changes with the lists in memory.
    pub(super) fn note_changes(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Entry(entry) => self.note(entry),
                Change::DropEntry(id) => self.forget(*id),
                Change::Sent(moved) => {
                    if let Some(mut head) = self.open_entries.get(moved.id).cloned() {
                        head.moves(moved);
                        self.list(head);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Shorter values of persons stand in keys by chance.
const SHORTEST_PERSON: usize = 5;

/// What was made of payloads.
pub(super) struct Made {
    /// Entries that are to be sent, or that wait with their record.
    pub(super) count: usize,
    /// What a person has to decide beside them.
    pub(super) asked: Vec<crate::store::Reason>,
}

/// Objects of which a flow writes records by their key, and records by their id.
pub(super) fn by_both(flow: &Flow) -> BTreeSet<(String, String)> {
    let writes = || flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
    let of = |keyed: bool| -> BTreeSet<(String, String)> {
        writes().filter(|write| write.key.is_some() == keyed).map(|write| (write.object.connection.clone(), write.object.object.clone())).collect()
    };
    of(true).intersection(&of(false)).cloned().collect()
}

/// SHA-256 over a body, in hex.
pub(super) fn hash(body: &Json) -> String {
    Sha256::digest(body.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Under what a target's record is kept in the ledger.
pub(super) fn ledger_key(key: Option<&str>, id: Option<&str>) -> Option<String> {
    key.map(str::to_owned).or_else(|| id.map(|id| format!("id:{id}")))
}

/// An id as text.
pub(super) fn text(json: Option<&Json>) -> Option<String> {
    match json? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
