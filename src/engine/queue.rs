//! What people decide: about exceptions, about records that shall go again, about checkpoints.
//!
//! A decision is a [`Decision`]; a command beside a running process leaves it in the store, the process
//! carries it out and leaves an [`Answer`].

use serde::{Deserialize, Serialize};

use super::{Engine, groups};
use crate::schema::gate::{self, Purpose};
use crate::store::{Change, Checkpoint, EntryState, Exception, Kept, Lane, LaneState, Millis};
use crate::value::{Json, ObjectRef};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Decision {
    /// Reads the record again and maps it anew.
    Retry { ids: Vec<i64> },
    /// Sends the parked payload as it is.
    Approve { ids: Vec<i64> },
    /// Sends another payload in the parked one's place, once.
    Edit { id: i64, payload: Json },
    /// It is not sent, for a reason.
    Discard { ids: Vec<i64>, reason: String },
    /// Reads delivered records again and maps them with today's plan. Without keys: all of the flow.
    Replay { flow: String, keys: Vec<String> },
    /// Moves a flow's checkpoints back.
    Rewind { flow: String, stream: Option<String>, to: Millis },
    /// Reads what changed at a flow's source now.
    Poll { flow: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub done: u64,
    /// What could not be done, each in one sentence.
    pub not: Vec<String>,
}

impl Engine<'_> {
    pub(super) fn obey(&mut self, body: &Json) -> Kept<Json> {
        let answer = match serde_json::from_value::<Decision>(body.clone()) {
            Ok(decision) => self.decide(&decision)?,
            Err(error) => Answer { done: 0, not: vec![format!("this version does not know what was asked: {error}")] },
        };
        Ok(serde_json::to_value(answer).unwrap_or(Json::Null))
    }

    /// Carries out what a person decided.
    ///
    /// # Errors
    /// The store refused.
    pub fn decide(&mut self, decision: &Decision) -> Kept<Answer> {
        let mut answer = Answer { done: 0, not: Vec::new() };
        match decision {
            Decision::Retry { ids } => self.each(ids, &mut answer, Self::retry)?,
            Decision::Approve { ids } => self.each(ids, &mut answer, Self::approve)?,
            Decision::Discard { ids, reason } => {
                self.each(ids, &mut answer, |engine, exception, changes| engine.discard(exception, reason, changes))?
            }
            Decision::Edit { id, payload } => {
                self.each(std::slice::from_ref(id), &mut answer, |engine, exception, changes| engine.edit(exception, payload, changes))?;
            }
            Decision::Replay { flow, keys } => self.replay(flow, keys, &mut answer)?,
            Decision::Rewind { flow, stream, to } => self.rewind(flow, stream.as_deref(), *to, &mut answer)?,
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

    fn each(
        &mut self,
        ids: &[i64],
        answer: &mut Answer,
        mut what: impl FnMut(&mut Self, &Exception, &mut Vec<Change>) -> Kept<Result<(), String>>,
    ) -> Kept<()> {
        for id in ids {
            let exception = match self.store.exception(*id)? {
                Some(exception) if exception.closed.is_none() => exception,
                Some(_) => {
                    answer.not.push(format!("{id} is closed already"));
                    continue;
                }
                None => {
                    answer.not.push(format!("there is no exception {id}"));
                    continue;
                }
            };
            let mut changes = Vec::new();
            match what(self, &exception, &mut changes)? {
                Ok(()) => {
                    self.keep(&changes)?;
                    answer.done += 1;
                }
                Err(why) => answer.not.push(format!("{id}: {why}")),
            }
        }
        Ok(())
    }

    fn lane_of(&self, exception: &Exception) -> Kept<Result<(usize, Lane), String>> {
        let Some(at) = self.flow_named(&exception.flow) else { return Ok(Err(format!("the mapping has no flow `{}` any more", exception.flow))) };
        Ok(self.store.lane(&exception.flow, &exception.lane)?.map(|lane| (at, lane)).ok_or_else(|| "its record is not known any more".to_owned()))
    }

    fn closed(&self, exception: &Exception, by: &str) -> Change {
        let mut closed = exception.clone();
        closed.closed = Some(self.millis());
        closed.closed_by = Some(by.to_owned());
        Change::Exception(closed)
    }

    fn retry(&mut self, exception: &Exception, changes: &mut Vec<Change>) -> Kept<Result<(), String>> {
        let (at, mut lane) = match self.lane_of(exception)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("a write of it is on its way".to_owned()));
        }
        if exception.code == "in_doubt" {
            return Ok(Err("whether its write was done is not known: look at the target, then approve or discard".to_owned()));
        }
        self.drop_entries(&lane.flow, &lane.key, changes)?;
        lane.state = groups::anew(self.flow(at).0, &lane);
        lane.was = None;
        lane.version = String::new();
        lane.attempt = 0;
        lane.due = 0;
        changes.push(self.event(&lane.flow, &lane.key, "retried", "a person asked for it".to_owned(), None));
        changes.push(Change::Lane(lane));
        changes.push(self.closed(exception, "retried"));
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(Ok(()))
    }

    fn approve(&mut self, exception: &Exception, changes: &mut Vec<Change>) -> Kept<Result<(), String>> {
        let (_, mut lane) = match self.lane_of(exception)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if exception.code == "differs" {
            return self.approve_differing(exception, lane, changes);
        }
        let mut parked = 0;
        for mut entry in self.store.entries_of(&lane.flow, &lane.key)? {
            if entry.state == EntryState::Parked {
                entry.state = EntryState::Planned;
                entry.due = self.millis();
                // A person looked: what was in doubt is so no more.
                entry.review_doubt &= exception.code != "in_doubt";
                changes.push(Change::Entry(entry));
                parked += 1;
            }
        }
        if parked == 0 {
            return Ok(Err("it has no payload that waits; mend what the reason names, then retry".to_owned()));
        }
        lane.state = LaneState::Sending;
        lane.updated = self.millis();
        changes.push(self.event(&lane.flow, &lane.key, "approved", "a person let it go".to_owned(), None));
        changes.push(Change::Lane(lane));
        changes.push(self.closed(exception, "approved"));
        Ok(Ok(()))
    }

    /// The source's values go, laid over what the target holds by then: the record is read and mapped again.
    fn approve_differing(&mut self, exception: &Exception, mut lane: Lane, changes: &mut Vec<Change>) -> Kept<Result<(), String>> {
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("a write of it is on its way".to_owned()));
        }
        let Some(at) = self.flow_named(&lane.flow) else { return Ok(Err(format!("the mapping has no flow `{}` any more", lane.flow))) };
        self.decide_differing(&lane, true, changes)?;
        self.drop_entries(&lane.flow, &lane.key, changes)?;
        lane.state = groups::anew(self.flow(at).0, &lane);
        lane.was = None;
        lane.version = String::new();
        lane.updated = self.millis();
        changes.push(self.event(&lane.flow, &lane.key, "approved", "a person let the source's values go".to_owned(), None));
        changes.push(Change::Lane(lane));
        changes.push(self.closed(exception, "approved"));
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(Ok(()))
    }

    /// A person decided about fields in which source and target differ. `send`: the source's values go; otherwise those of the
    /// target stay until the source changes its own.
    fn decide_differing(&mut self, lane: &Lane, send: bool, changes: &mut Vec<Change>) -> Kept<()> {
        for entry in self.store.entries_of(&lane.flow, &lane.key)?.into_iter().filter(|entry| entry.state == EntryState::Parked) {
            let Some(key) = super::plan_entries::ledger_key(entry.key.as_deref(), entry.target.as_deref()) else { continue };
            let Some(mut ledger) = self.store.ledger(&entry.connection, &entry.object, &key)? else { continue };
            super::delta::confirm(&*self.store, &mut ledger.fields, &entry.body);
            if send {
                super::delta::forget(&mut ledger.fields, &entry.body, |_| false);
            }
            changes.push(Change::Ledger(ledger));
        }
        Ok(())
    }

    fn edit(&mut self, exception: &Exception, payload: &Json, changes: &mut Vec<Change>) -> Kept<Result<(), String>> {
        let (_, mut lane) = match self.lane_of(exception)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let parked = self.store.entries_of(&lane.flow, &lane.key)?.into_iter().find(|entry| entry.state == EntryState::Parked);
        let Some(mut entry) = parked else { return Ok(Err("it has no payload that waits; mend the record, then retry".to_owned())) };
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
        entry.body = payload.clone();
        entry.state = EntryState::Planned;
        entry.due = self.millis();
        lane.state = LaneState::Sending;
        changes.push(self.event(&lane.flow, &lane.key, "edited", "a person sent another payload in its place".to_owned(), None));
        changes.push(Change::Entry(entry));
        changes.push(Change::Lane(lane));
        changes.push(self.closed(exception, "edited"));
        Ok(Ok(()))
    }

    fn discard(&mut self, exception: &Exception, reason: &str, changes: &mut Vec<Change>) -> Kept<Result<(), String>> {
        let (_, mut lane) = match self.lane_of(exception)? {
            Ok(found) => found,
            // What was damaged need not have been a record's: a webhook, a decision.
            Err(_) if exception.code == "damaged" => {
                changes.push(self.closed(exception, &format!("discarded: {reason}")));
                return Ok(Ok(()));
            }
            Err(why) => return Ok(Err(why)),
        };
        if self.flying(&lane.flow, &lane.key) {
            return Ok(Err("a write of it is on its way".to_owned()));
        }
        if exception.code == "differs" {
            self.decide_differing(&lane, false, changes)?;
        }
        self.drop_entries(&lane.flow, &lane.key, changes)?;
        // What was late, or damaged after it was delivered, is delivered all the same.
        if exception.code != "late" && (exception.code != "damaged" || lane.state == LaneState::Failed) {
            lane.state = LaneState::Discarded;
        }
        lane.updated = self.millis();
        changes.push(self.event(&lane.flow, &lane.key, "discarded", "a person decided that it is not sent".to_owned(), None));
        changes.push(Change::Lane(lane));
        changes.push(self.closed(exception, &format!("discarded: {reason}")));
        Ok(Ok(()))
    }

    fn replay(&mut self, flow: &str, keys: &[String], answer: &mut Answer) -> Kept<()> {
        let Some(at) = self.flow_named(flow) else {
            answer.not.push(format!("there is no flow `{flow}`"));
            return Ok(());
        };
        let mut lanes = Vec::new();
        if keys.is_empty() {
            for state in [LaneState::Delivered, LaneState::Unchanged, LaneState::Rejected, LaneState::NotEligible, LaneState::Failed] {
                lanes.extend(self.store.in_state(Some(flow), state, usize::MAX)?);
            }
        }
        for key in keys {
            // By what is surest first: a search goes through all that there is.
            let mut found = self.store.lane(flow, key)?;
            if found.is_none() {
                found = self.store.lane(flow, &self.group_key(key))?;
            }
            if found.is_none() {
                found = self.store.search(key, 10)?.into_iter().find(|lane| lane.flow == flow);
            }
            match found {
                Some(lane) => lanes.push(lane),
                None => answer.not.push(format!("`{flow}` has no record {key}")),
            }
        }
        for chunk in lanes.chunks(500) {
            let mut changes = Vec::new();
            for lane in chunk {
                if self.flying(&lane.flow, &lane.key) {
                    answer.not.push(format!("{}: a write of it is on its way", lane.label.as_deref().unwrap_or(&lane.key)));
                    continue;
                }
                let mut lane = lane.clone();
                self.drop_entries(&lane.flow, &lane.key, &mut changes)?;
                lane.state = groups::anew(self.flow(at).0, &lane);
                lane.was = None;
                lane.version = String::new();
                changes.push(self.event(&lane.flow, &lane.key, "replayed", "a person asked for it".to_owned(), None));
                changes.push(Change::Lane(lane));
                answer.done += 1;
            }
            self.keep(&changes)?;
        }
        self.flows[at].fetch = true;
        self.flows[at].map = true;
        Ok(())
    }

    fn rewind(&mut self, flow: &str, stream: Option<&str>, to: Millis, answer: &mut Answer) -> Kept<()> {
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
