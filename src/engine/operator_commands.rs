//! Decisions of people: about exceptions, records to map again, and checkpoints.
//!
//! A decision is a [`Decision`] with its [`Signature`]. While a process runs, a command leaves both in the store; the process carries
//! the decision out and leaves an [`Answer`]. What a decision releases is sent after [`Settings::undo`](super::Settings::undo), so
//! that it can be taken back until then: see [`super::undo`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::plan_entries::hash;
use super::{Engine, groups};
use crate::schema::gate::{self, Purpose};
use crate::store::{Change, Checkpoint, Decided, Entry, EntryState, Exception, Millis, RecordStage, RecordState, StoreResult, Undo};
use crate::value::{Json, ObjectRef};

/// Decisions that are made durable together.
const AT_ONCE: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Decision {
    /// Reads the record again and maps it anew.
    Retry { ids: Vec<i64> },
    /// Sends the parked payload as it is.
    Approve { ids: Vec<i64> },
    /// Sends another payload in the place of the one that waits or was refused, once. `write`: which one, where several do.
    Edit {
        id: i64,
        payload: Json,
        #[serde(default)]
        write: Option<String>,
    },
    /// It is not sent, for a reason.
    Discard { ids: Vec<i64>, reason: String },
    /// Takes decisions back that were not carried out yet.
    Undo { ids: Vec<i64> },
    /// Reads delivered records again and maps them with today's plan. Without keys: all of the flow, or those that changed
    /// since some time.
    Replay {
        flow: String,
        keys: Vec<String>,
        #[serde(default)]
        since: Option<Millis>,
    },
    /// Moves a flow's checkpoints back.
    Rewind { flow: String, stream: Option<String>, to: Millis },
    /// Reads what changed at a flow's source now.
    Poll { flow: String },
    /// Removes what is kept of some records (flow and key) besides what keeps their effects single. `who`: the hash of the
    /// identifier that they were found by.
    Erase { records: Vec<(String, String)>, who: String },
}

/// Who decided, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub by: Option<String>,
    pub why: Option<String>,
}

/// A decision as it is left for a running process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    pub decision: Decision,
    pub signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub done: u64,
    /// What could not be done, each in one sentence.
    pub not: Vec<String>,
    /// Some of it names what is not there.
    #[serde(default)]
    pub unknown: bool,
}

/// What a decision changes: what is made durable, and what takes it back.
#[derive(Debug, Default)]
struct Made {
    changes: Vec<Change>,
    entries: Vec<Entry>,
}

impl Engine<'_> {
    pub(super) fn obey(&mut self, body: &Json) -> StoreResult<Json> {
        // What an older version left has no signature.
        let signed = serde_json::from_value::<Signed>(body.clone())
            .or_else(|_| serde_json::from_value::<Decision>(body.clone()).map(|decision| Signed { decision, signature: Signature::default() }));
        let answer = match signed {
            Ok(Signed { decision, signature }) => self.decide(&decision, &signature)?,
            Err(error) => Answer { done: 0, not: vec![format!("this version does not know this request: {error}")], unknown: false },
        };
        Ok(serde_json::to_value(answer).unwrap_or(Json::Null))
    }

    /// Carries out what a person decided.
    ///
    /// # Errors
    /// The store refused.
    pub fn decide(&mut self, decision: &Decision, signature: &Signature) -> StoreResult<Answer> {
        let mut answer = Answer { done: 0, not: Vec::new(), unknown: false };
        match decision {
            Decision::Retry { ids } => self.each(ids, "retried", signature, &mut answer, Self::retry)?,
            Decision::Approve { ids } => self.each(ids, "approved", signature, &mut answer, Self::approve)?,
            Decision::Discard { ids, reason } => {
                let signature = Signature { by: signature.by.clone(), why: Some(reason.clone()) };
                self.each(ids, "discarded", &signature, &mut answer, Self::discard)?;
            }
            Decision::Edit { id, payload, write } => {
                let what = |engine: &mut Self, exception: &Exception, lane: &mut RecordState, at: usize, made: &mut Made| {
                    engine.edit(exception, lane, at, payload, write.as_deref(), made)
                };
                self.each(std::slice::from_ref(id), "edited", signature, &mut answer, what)?;
            }
            Decision::Undo { ids } => {
                for id in ids {
                    answer.unknown |= self.store.exception(*id)?.is_none();
                    match self.take_back(*id, signature)? {
                        Ok(()) => answer.done += 1,
                        Err(why) => answer.not.push(format!("{id}: {why}")),
                    }
                }
            }
            Decision::Replay { flow, keys, since } => self.replay(flow, keys, *since, signature, &mut answer)?,
            Decision::Rewind { flow, stream, to } => self.rewind(flow, stream.as_deref(), *to, &mut answer)?,
            Decision::Erase { records, who } => self.erase(records, who, signature, &mut answer)?,
            Decision::Poll { flow } => match self.flow_named(flow) {
                Some(_) => {
                    self.poll_soon(flow);
                    answer.done = 1;
                }
                None => answer.not.push(format!("there is no flow `{flow}`")),
            },
        }
        Ok(answer)
    }

    /// When what a decision sets free may go.
    fn free_at(&self) -> Millis {
        // Where nothing runs, it waits for the next run in any case.
        self.millis() + if self.settings.idle { 0 } else { self.settings.undo }
    }

    /// Decides exceptions one by one: each with its record, who decided and what takes it back. Many are one commit.
    fn each(
        &mut self,
        ids: &[i64],
        what: &str,
        signature: &Signature,
        answer: &mut Answer,
        mut decide: impl FnMut(&mut Self, &Exception, &mut RecordState, usize, &mut Made) -> StoreResult<Result<(), String>>,
    ) -> StoreResult<()> {
        let mut changes = Vec::new();
        let mut lanes: BTreeSet<(String, String)> = BTreeSet::new();
        for id in ids {
            let exception = match self.store.exception(*id)? {
                Some(exception) if exception.closed.is_none() => exception,
                Some(closed) => {
                    answer.not.push(format!("{id} is closed already{}", how(&closed)));
                    continue;
                }
                None => {
                    answer.unknown = true;
                    answer.not.push(format!("there is no exception {id}"));
                    continue;
                }
            };
            let name = (exception.flow.clone(), exception.lane.clone());
            if lanes.len() >= AT_ONCE || lanes.contains(&name) {
                // Another exception of the same record is decided by what this one leaves.
                self.keep(&std::mem::take(&mut changes))?;
                lanes.clear();
            }
            let (at, before) = match self.lane_of(&exception)? {
                Ok(found) => found,
                // What was damaged need not have been a record's: a webhook, a decision.
                Err(_) if exception.code == "damaged" && what == "discarded" => {
                    let now = self.millis();
                    let decided = Decided { what: what.to_owned(), by: signature.by.clone(), why: signature.why.clone(), at: now, undo: None };
                    let closed = Exception { closed: Some(now), closed_by: Some(what.to_owned()), decided: Some(decided), ..exception };
                    changes.push(Change::Exception(closed));
                    answer.done += 1;
                    continue;
                }
                Err(why) => {
                    answer.not.push(format!("{id}: {why}"));
                    continue;
                }
            };
            let mut lane = before.clone();
            let mut made = Made::default();
            match decide(self, &exception, &mut lane, at, &mut made)? {
                Ok(()) => {
                    let now = self.millis();
                    lane.updated = now;
                    // What was confirmed of the target meanwhile is not put back.
                    let undo = (exception.code != "differs").then(|| Undo {
                        state: before.state,
                        was: before.was,
                        version: before.version,
                        attempt: before.attempt,
                        due: before.due,
                        entries: made.entries,
                        left_state: lane.state,
                        left_version: lane.version.clone(),
                    });
                    let decided = Decided { what: what.to_owned(), by: signature.by.clone(), why: signature.why.clone(), at: now, undo };
                    let by = signature.by.as_ref().map_or_else(|| "a person decided it".to_owned(), |by| format!("{by} decided it"));
                    changes.append(&mut made.changes);
                    changes.push(self.event(&lane.flow, &lane.key, what, by, None));
                    changes.push(Change::Record(lane));
                    changes.push(Change::Exception(Exception {
                        closed: Some(now),
                        closed_by: Some(what.to_owned()),
                        decided: Some(decided),
                        ..exception
                    }));
                    lanes.insert(name);
                    answer.done += 1;
                }
                Err(why) => answer.not.push(format!("{id}: {why}")),
            }
        }
        if changes.is_empty() { Ok(()) } else { self.keep(&changes) }
    }

    pub(super) fn lane_of(&self, exception: &Exception) -> StoreResult<Result<(usize, RecordState), String>> {
        let Some(at) = self.flow_named(&exception.flow) else { return Ok(Err(format!("the mapping has no flow `{}` any more", exception.flow))) };
        Ok(self.store.record(&exception.flow, &exception.lane)?.map(|lane| (at, lane)).ok_or_else(|| "its record does not exist any more".to_owned()))
    }

    fn retry(&mut self, exception: &Exception, lane: &mut RecordState, at: usize, made: &mut Made) -> StoreResult<Result<(), String>> {
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("one of its writes is in progress".to_owned()));
        }
        if exception.code == "in_doubt" {
            return Ok(Err("the outcome of its write is unknown: look at the target, then approve or discard".to_owned()));
        }
        made.entries = self.store.entries_of(&lane.flow, &lane.key)?;
        self.drop_entries(&lane.flow, &lane.key, &mut made.changes)?;
        lane.state = groups::anew(self.flow(at).0, lane);
        lane.was = None;
        lane.version = String::new();
        lane.attempt = 0;
        lane.due = self.free_at();
        self.look_at(at, lane.due);
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(Ok(()))
    }

    fn approve(&mut self, exception: &Exception, lane: &mut RecordState, at: usize, made: &mut Made) -> StoreResult<Result<(), String>> {
        if exception.code == "differs" {
            return self.approve_differing(lane, at, made);
        }
        made.entries = self.store.entries_of(&lane.flow, &lane.key)?;
        made.entries.retain(|entry| entry.state == EntryState::Parked);
        if made.entries.is_empty() {
            return Ok(Err("it has no payload that waits; correct what the reason names, then retry".to_owned()));
        }
        for entry in made.entries.clone() {
            made.changes.push(Change::Entry(Entry { state: EntryState::Planned, due: self.free_at(), ..looked_at(entry, exception) }));
        }
        lane.state = RecordStage::Sending;
        Ok(Ok(()))
    }

    /// The source's values go, laid over what the target holds by then: the record is read and mapped again.
    fn approve_differing(&mut self, lane: &mut RecordState, at: usize, made: &mut Made) -> StoreResult<Result<(), String>> {
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("one of its writes is in progress".to_owned()));
        }
        self.decide_differing(lane, true, &mut made.changes)?;
        self.drop_entries(&lane.flow, &lane.key, &mut made.changes)?;
        lane.state = groups::anew(self.flow(at).0, lane);
        lane.was = None;
        lane.version = String::new();
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(Ok(()))
    }

    /// A person decided about fields in which source and target differ. `send`: the source's values go; otherwise those of the
    /// target stay until the source changes its own.
    fn decide_differing(&mut self, lane: &RecordState, send: bool, changes: &mut Vec<Change>) -> StoreResult<()> {
        for entry in self.store.entries_of(&lane.flow, &lane.key)?.into_iter().filter(|entry| entry.state == EntryState::Parked) {
            let Some(key) = super::plan_entries::ledger_key(entry.key.as_deref(), entry.target.as_deref()) else { continue };
            let Some(mut ledger) = self.store.target_state(&entry.connection, &entry.object, &key)? else { continue };
            super::delta::confirm(&*self.store, &mut ledger.fields, &entry.body);
            if send {
                super::delta::forget(&mut ledger.fields, &entry.body, |_| false);
            }
            changes.push(Change::Target(ledger));
        }
        Ok(())
    }

    fn edit(
        &mut self,
        exception: &Exception,
        lane: &mut RecordState,
        _: usize,
        payload: &Json,
        write: Option<&str>,
        made: &mut Made,
    ) -> StoreResult<Result<(), String>> {
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("one of its writes is in progress".to_owned()));
        }
        let all = self.store.entries_of(&lane.flow, &lane.key)?;
        let open = to_edit(&all);
        let named: Vec<&Entry> = open.iter().copied().filter(|entry| write.is_none_or(|write| entry.write == write)).collect();
        let entry = match named.as_slice() {
            [one] => (*one).clone(),
            [] if open.is_empty() => return Ok(Err("it has no payload that waits or was refused; correct the record, then retry".to_owned())),
            _ => {
                let writes: Vec<&str> = open.iter().map(|entry| entry.write.as_str()).collect();
                return Ok(Err(format!("it has several payloads: name one by --write {}", writes.join(", --write "))));
            }
        };
        let objects = &self.world.plan.objects;
        let of = ObjectRef::new(entry.connection.clone(), entry.object.clone());
        if let Some(object) = objects.get(&of.to_string()) {
            let resolve = |of: &ObjectRef| objects.get(&of.to_string());
            let purpose = if entry.op == "update" || entry.target.is_some() { Purpose::Update } else { Purpose::Create };
            let misfits = gate::fits(object, &resolve, payload, purpose);
            if !misfits.is_empty() {
                let words: Vec<String> = misfits.iter().map(|misfit| format!("{} {}", misfit.field, misfit.reason)).collect();
                return Ok(Err(format!("the payload does not fit its target: {}", words.join("; "))));
            }
        }
        if let Some((field, own)) = self.other_record(&entry, payload) {
            return Ok(Err(format!("`{field}` names the record at the target, and has to stay {own}: another one would be written")));
        }
        // The record's other payloads that wait or were refused go as they are: none may be left behind without an exception.
        made.entries = open.into_iter().cloned().collect();
        for other in &made.entries {
            let body = if other.id == entry.id { payload.clone() } else { other.body.clone() };
            let tries = if other.state == EntryState::Refused { 0 } else { other.attempt };
            made.changes.push(Change::Entry(Entry {
                hash: hash(&body),
                body,
                state: EntryState::Planned,
                attempt: tries,
                due: self.free_at(),
                error: None,
                ..looked_at(other.clone(), exception)
            }));
        }
        lane.state = RecordStage::Sending;
        Ok(Ok(()))
    }

    /// The field by which an edited payload would be of another record than its entry, and what it has to be.
    fn other_record(&self, entry: &Entry, payload: &Json) -> Option<(String, String)> {
        let lot = super::BatchKey::of(entry);
        let id_field = self.id_field(&lot.object());
        let mark = self.mark_field(&lot);
        let own = |field: &str| {
            let of_key = if entry.key_field.as_deref() == Some(field) { entry.key.clone() } else { None };
            let of_id = if field == id_field { entry.target.clone() } else { None };
            of_key.or(of_id).or_else(|| super::plan_entries::text(entry.body.get(field)))
        };
        let mut fields: Vec<&str> = entry.key_field.as_deref().into_iter().chain([id_field.as_str(), mark.as_str()]).collect();
        fields.dedup();
        fields.into_iter().find_map(|field| {
            let given = super::plan_entries::text(payload.get(field))?;
            let own = own(field);
            let is = own.clone().map_or_else(|| "absent".to_owned(), |own| format!("`{own}`"));
            (own != Some(given)).then(|| (field.to_owned(), is))
        })
    }

    fn discard(&mut self, exception: &Exception, lane: &mut RecordState, _: usize, made: &mut Made) -> StoreResult<Result<(), String>> {
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("one of its writes is in progress".to_owned()));
        }
        if exception.code == "differs" {
            self.decide_differing(lane, false, &mut made.changes)?;
        }
        made.entries = self.store.entries_of(&lane.flow, &lane.key)?;
        self.drop_entries(&lane.flow, &lane.key, &mut made.changes)?;
        // What was late, or damaged after it was delivered, is delivered all the same.
        if exception.code != "late" && (exception.code != "damaged" || lane.state == RecordStage::Failed) {
            lane.state = RecordStage::Discarded;
        }
        Ok(Ok(()))
    }

    fn replay(&mut self, flow: &str, keys: &[String], since: Option<Millis>, signature: &Signature, answer: &mut Answer) -> StoreResult<()> {
        let Some(at) = self.flow_named(flow) else {
            answer.not.push(format!("there is no flow `{flow}`"));
            return Ok(());
        };
        let mut lanes = Vec::new();
        if keys.is_empty() {
            use RecordStage::{Delivered, Failed, NotEligible, Rejected, Sending, Unchanged};
            for state in [Delivered, Unchanged, Rejected, NotEligible, Failed, Sending] {
                lanes.extend(self.store.in_state(Some(flow), state, usize::MAX)?);
            }
            lanes.retain(|lane| since.is_none_or(|since| lane.updated >= since) && !lane.is_erased());
        }
        for key in keys {
            // By what is surest first: a search goes through all that there is.
            let mut found = self.store.record(flow, key)?;
            for spelling in std::iter::once(key.clone()).chain(crate::builtin::phone_spellings(key)) {
                if found.is_none() {
                    found = self.store.record(flow, &self.group_key(&spelling))?;
                }
            }
            if found.is_none() {
                found = self.store.search(key, 10)?.into_iter().find(|lane| lane.flow == flow);
            }
            match found {
                Some(lane) if lane.is_erased() => {
                    answer.not.push(format!("{}: it was erased; it is read again when its source changes it", super::mask::key(key, true)));
                }
                Some(lane) => lanes.push(lane),
                None => {
                    answer.unknown = true;
                    answer.not.push(format!("`{flow}` has no record {}", super::mask::key(key, true)));
                }
            }
        }
        for chunk in lanes.chunks(500) {
            let mut changes = Vec::new();
            for lane in chunk {
                let mut lane = lane.clone();
                if self.flying(&lane.flow, &lane.key) {
                    // What is on its way is waited for; then it is read again.
                    lane.state = RecordStage::Sending;
                    lane.version = super::version::AGAIN.to_owned();
                } else {
                    self.drop_entries(&lane.flow, &lane.key, &mut changes)?;
                    lane.state = groups::anew(self.flow(at).0, &lane);
                    lane.version = String::new();
                }
                lane.was = None;
                let by = signature.by.as_deref().unwrap_or("a person");
                changes.push(self.event(&lane.flow, &lane.key, "replayed", format!("{by} asked for it"), None));
                changes.push(Change::Record(lane));
                answer.done += 1;
            }
            self.keep(&changes)?;
        }
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(())
    }

    fn rewind(&mut self, flow: &str, stream: Option<&str>, to: Millis, answer: &mut Answer) -> StoreResult<()> {
        let Some(at) = self.flow_named(flow) else {
            answer.not.push(format!("there is no flow `{flow}`"));
            return Ok(());
        };
        let mut changes = Vec::new();
        for known in self.store.checkpoints()? {
            if known.flow == flow && stream.is_none_or(|stream| stream == known.stream) {
                changes.push(Change::Checkpoint(Checkpoint { cursor: None, more: false, at: to, ..known }));
                answer.done += 1;
            }
        }
        if answer.done == 0 {
            answer.not.push(format!("`{flow}` has no such checkpoint"));
            return Ok(());
        }
        self.keep(&changes)?;
        self.flows[at].streams.clear();
        let empty = self.empty_state();
        let mut state = std::mem::replace(&mut self.flows[at], empty);
        self.poll_state(at, &mut state)?;
        state.next = Some(self.millis());
        self.flows[at] = state;
        Ok(())
    }
}

/// An entry as it goes after a person has decided about an exception: what was in doubt was looked at, and is so no more. An update goes
/// as it was made, without its target being read again; after a create that is refused it is still looked for what was made.
fn looked_at(entry: Entry, exception: &Exception) -> Entry {
    if exception.code != "in_doubt" {
        return entry;
    }
    Entry { review_doubt: false, doubted: entry.doubted.filter(|_| entry.target.is_none()), ..entry }
}

/// The writes of a record that a person may correct: those that wait for one, or else those that were refused.
pub fn to_edit(entries: &[Entry]) -> Vec<&Entry> {
    let of = |state: EntryState| entries.iter().filter(|entry| entry.state == state).collect::<Vec<_>>();
    let parked = of(EntryState::Parked);
    if parked.is_empty() { of(EntryState::Refused) } else { parked }
}

/// How an exception was closed, for people.
pub fn how(closed: &Exception) -> String {
    let what = closed.closed_by.as_deref().unwrap_or("closed");
    match closed.decided.as_ref().and_then(|decided| decided.by.as_deref()) {
        Some(by) => format!(": {what} by {by}"),
        None => format!(": {what}"),
    }
}
