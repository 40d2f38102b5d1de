//! From payloads to entries of the outbox: what differs, how it goes, what it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::{Engine, Lot};
use crate::apply::{Payload, target_of};
use crate::check::typed::{Flow, Op};
use crate::store::{Change, Entry, EntryState, Kept, Lane, Ledger, Link, Watch};
use crate::value::{Json, ObjectRef};

impl Engine<'_> {
    /// What is known of a payload's target.
    pub(super) fn known(&self, payload: &Payload) -> Kept<Option<Ledger>> {
        let Some(key) = ledger_key(payload.key.as_deref(), payload.id.as_deref()) else { return Ok(None) };
        self.store.ledger(&payload.object.connection, &payload.object.object, &key)
    }

    /// Whether a write loses at the target what it does not send.
    pub(super) fn replaces(&self, object: &ObjectRef, op: Op, key_field: Option<&str>) -> bool {
        self.write_spec(object, op, key_field).is_some_and(|write| write.replaces)
    }

    /// What a write is held to by its target's connector.
    pub(super) fn write_spec(&self, object: &ObjectRef, op: Op, key_field: Option<&str>) -> Option<crate::connector::Write> {
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
        lane: &mut Lane,
        payloads: Vec<Payload>,
        after: Option<&str>,
        matched: &BTreeMap<String, Vec<Json>>,
        targets: &BTreeMap<String, Json>,
        parked: bool,
        changes: &mut Vec<Change>,
    ) -> Kept<usize> {
        let (flow, _) = self.flow(at);
        let now = self.millis();
        let mut made = 0;
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
            let target = payload.key.as_deref().or(payload.id.as_deref()).and_then(|key| targets.get(&target_of(&payload.write, key)));
            let exists = known.is_some() || payload.id.is_some();
            if payload.op == Op::Create && known.is_some() {
                continue;
            }
            let fields = self.differing(&payload, known.as_ref(), lane, matched, false);
            if exists && fields.is_empty() {
                continue;
            }
            if let (Some(known), Some(target)) = (&known, target)
                && self.is_held(&payload, &fields, target)
            {
                // Somebody did there what is asked for here: it is noted as if it had been sent.
                let mut known = known.clone();
                let hashes = super::delta::hashes(&*self.store, &payload.body);
                known.fields.extend(hashes.into_iter().filter(|(name, _)| fields.contains(name)));
                changes.push(Change::Ledger(known));
                continue;
            }
            let op = match payload.op {
                Op::Upsert if payload.id.is_some() => Op::Update,
                op => op,
            };
            let spec = self.write_spec(&payload.object, op, payload.key_field.as_deref());
            let replaces = spec.as_ref().is_some_and(|spec| spec.replaces);
            let spec_carries = spec.as_ref().is_some_and(|spec| spec.carries);
            let body = match payload.body {
                Json::Object(body) if exists && !replaces => Json::Object(body.into_iter().filter(|(name, _)| fields.contains(name)).collect()),
                body => body,
            };
            let declared = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)).find(|write| write.name == payload.write);
            let id = self.store.next_id();
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
                op: word(op).to_owned(),
                key: payload.key.clone(),
                key_field: payload.key_field.clone(),
                target: payload.id.clone().or_else(|| known.and_then(|known| known.id)),
                class: spec.map_or_else(|| declared.map_or(3, |write| write.class), |spec| spec.class),
                review_doubt: declared.is_some_and(|write| write.in_doubt == Some(crate::check::typed::InDoubt::Review)),
                state: if parked { EntryState::Parked } else { EntryState::Planned },
                first: lane.first,
                attempt: 0,
                due: now,
                sent: None,
                doubted: None,
                epoch: 0,
                body,
                held: target.filter(|target| target.as_object().is_some_and(|fields| !fields.is_empty())).cloned(),
                hash,
                result: None,
                error: None,
                plan: self.plan_hash.clone(),
                created: now,
                rides,
            };
            if entry.state == EntryState::Planned && after.is_none() && spec_carries {
                leaders.insert(entry.write.clone(), id);
            }
            for node in entry.key.iter().chain(entry.target.as_ref()) {
                changes.push(Change::Link(self.node(at, &lane.key, &payload.object, node)));
            }
            if after.is_none() {
                self.promise(at, &entry, changes);
            }
            changes.push(Change::Entry(entry));
            made += 1;
        }
        Ok(made)
    }

    /// Whether the target was just read to hold all fields that would be sent, and no request of ours may still change it.
    fn is_held(&self, payload: &Payload, fields: &[String], target: &Json) -> bool {
        let names = payload.key.iter().cloned().chain(payload.id.iter().map(|id| format!("id:{id}")));
        let object = &payload.object;
        let unsettled = names.into_iter().any(|name| {
            let target = (object.connection.clone(), object.object.clone(), name);
            self.doubtful.contains_key(&target) || self.writing.contains_key(&target)
        });
        !unsettled && fields.iter().all(|name| target.get(name).is_some_and(|held| payload.body.get(name) == Some(held)))
    }

    /// A flow may write one record by its key and by its id. What went through by one of the names is then what the
    /// other has to differ from.
    pub(super) fn known_by_both(&self, entry: &Entry, id: Option<&str>, changes: &mut Vec<Change>) -> Kept<()> {
        let Some(other) = self.other_name(entry, id)? else { return Ok(()) };
        if let (Some(key), Some(id)) = (&entry.key, id) {
            let (connection, object) = (entry.connection.clone(), entry.object.clone());
            changes.push(Change::Ledger(Ledger { connection, object, key: format!("of:{id}"), id: Some(key.clone()), ..Ledger::default() }));
        }
        let Some(mut known) = self.store.ledger(&entry.connection, &entry.object, &other)? else { return Ok(()) };
        known.fields.extend(super::delta::hashes(&*self.store, &entry.body));
        changes.push(Change::Ledger(known));
        Ok(())
    }

    /// Under what the ledger keeps the record of an entry beside the entry's own name, where its flow writes it by both.
    pub(super) fn other_name(&self, entry: &Entry, id: Option<&str>) -> Kept<Option<String>> {
        let (Some(id), Some(at)) = (id, self.flow_named(&entry.flow)) else { return Ok(None) };
        if !self.flows[at].by_both.contains(&(entry.connection.clone(), entry.object.clone())) {
            return Ok(None);
        }
        match entry.key {
            Some(_) => Ok(Some(format!("id:{id}"))),
            None => Ok(self.store.ledger(&entry.connection, &entry.object, &format!("of:{id}"))?.and_then(|alias| alias.id)),
        }
    }

    /// Whether a payload is for a milestone that was passed before the flow ran for the first time. It is noted, so
    /// that it never fires.
    fn is_history(&self, at: usize, lane: &Lane, payload: &Payload, changes: &mut Vec<Change>) -> Kept<bool> {
        let (flow, _) = self.flow(at);
        let milestone = flow.writes.iter().any(|write| write.name == payload.write && write.milestones.is_some());
        let (true, false, Some(key)) = (milestone, flow.including_history, &payload.key) else { return Ok(false) };
        if !self.counts_history(at, lane)? {
            return Ok(false);
        }
        let (connection, object) = (payload.object.connection.clone(), payload.object.object.clone());
        changes.push(Change::Ledger(Ledger { connection, object, key: key.clone(), confirmed: self.millis(), ..Ledger::default() }));
        changes.push(self.event(&lane.flow, &lane.key, "history", "a milestone was passed before the flow began".to_owned(), None));
        Ok(true)
    }

    /// What is watched from here on: a write that may be late.
    fn promise(&mut self, at: usize, entry: &Entry, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        for after in flow.follow_ups.iter().filter(|after| after.write.as_ref() == Some(&entry.write)) {
            for event in &after.events {
                if let crate::check::typed::Event::IsLate(delay) = event {
                    let name = format!("late {} {delay}", entry.write);
                    self.watch(
                        Watch { name, flow: entry.flow.clone(), lane: entry.lane.clone(), since: entry.created, due: entry.created + delay },
                        changes,
                    );
                }
            }
        }
    }

    pub(super) fn node(&self, at: usize, lane: &str, object: &ObjectRef, id: &str) -> Link {
        Link { flow: self.flow(at).0.name.clone(), lane: lane.to_owned(), object: object.to_string(), id: id.to_owned() }
    }

    /// The records that a lane has to do with: its own and those that were found for it.
    pub(super) fn link(&self, at: usize, lane: &Lane, matched: &BTreeMap<String, Vec<Json>>, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        changes.push(Change::Link(self.node(at, &lane.key, &flow.source, &lane.key)));
        for found in &flow.matches {
            let Some([one]) = matched.get(&found.name).map(Vec::as_slice) else { continue };
            if let Some(id) = text(one.get(self.id_field(&found.object).as_str())) {
                changes.push(Change::Link(self.node(at, &lane.key, &found.object, &id)));
            }
        }
    }

    // ---- the outbox's own lists ----

    /// Takes an entry as it now is into the lists in memory.
    pub(super) fn note(&mut self, mut entry: Entry) {
        self.unlist(entry.id);
        entry.body = Json::Null;
        entry.held = None;
        entry.result = None;
        let lane = (entry.flow.clone(), entry.lane.clone());
        self.by_lane.entry(lane).or_default().insert(entry.id);
        if open(&entry) {
            for target in target(&entry) {
                *self.writing.entry(target).or_default() += 1;
            }
        }
        match entry.state {
            // It goes with what it rides on, or once that is known.
            EntryState::Planned if entry.rides.is_some() => {}
            EntryState::Planned if entry.due <= self.millis() => {
                self.ready.entry(Lot::of(&entry)).or_default().insert((!entry.first, entry.id));
            }
            EntryState::Planned | EntryState::Ambiguous => {
                self.later.insert((entry.due, entry.id));
            }
            EntryState::Sending => {
                self.touched.extend(target(&entry));
            }
            EntryState::Confirmed | EntryState::Refused | EntryState::Parked | EntryState::Withdrawn => {}
        }
        self.heads.insert(entry.id, entry);
    }

    fn unlist(&mut self, id: i64) {
        if let Some(known) = self.heads.get(&id) {
            let lot = Lot::of(known);
            if let Some(ready) = self.ready.get_mut(&lot) {
                ready.remove(&(!known.first, id));
                if ready.is_empty() {
                    self.ready.remove(&lot);
                }
            }
            self.later.remove(&(known.due, id));
            if open(known) {
                for target in target(known) {
                    if let Some(count) = self.writing.get_mut(&target) {
                        *count -= 1;
                        if *count == 0 {
                            self.writing.remove(&target);
                            self.batches.values_mut().for_each(|batch| batch.written_to(&target));
                        }
                    }
                }
            }
            if known.state == EntryState::Sending {
                target(known).iter().for_each(|target| {
                    self.touched.remove(target);
                });
            }
        }
    }

    pub(super) fn forget(&mut self, id: i64) {
        self.unlist(id);
        if let Some(entry) = self.heads.remove(&id) {
            let lane = (entry.flow, entry.lane);
            if let Some(ids) = self.by_lane.get_mut(&lane) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_lane.remove(&lane);
                }
            }
        }
    }

    /// Follows committed changes with the lists in memory.
    pub(super) fn note_changes(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Entry(entry) => self.note(entry.clone()),
                Change::DropEntry(id) => self.forget(*id),
                Change::Sent(moved) => {
                    if let Some(mut entry) = self.heads.get(&moved.id).cloned() {
                        entry.attempt = moved.attempt;
                        entry.sent = moved.sent;
                        entry.doubted = moved.doubted;
                        entry.epoch = moved.epoch;
                        self.unlist(moved.id);
                        self.heads.remove(&moved.id);
                        entry.state = moved.state;
                        entry.due = moved.due;
                        self.note(entry);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a write may still change its target by itself.
fn open(entry: &Entry) -> bool {
    matches!(entry.state, EntryState::Planned | EntryState::Sending | EntryState::Ambiguous)
}

/// The records that a write touches at its target: no two writes of one record are out at once.
pub(super) fn target(entry: &Entry) -> Vec<(String, String, String)> {
    let names = entry.key.iter().cloned().chain(entry.target.iter().map(|id| format!("id:{id}")));
    names.map(|name| (entry.connection.clone(), entry.object.clone(), name)).collect()
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

pub(super) fn word(op: Op) -> &'static str {
    match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Upsert => "upsert",
    }
}

/// An id as text.
pub(super) fn text(json: Option<&Json>) -> Option<String> {
    match json? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
