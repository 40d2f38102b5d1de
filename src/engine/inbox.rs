//! The inbox: records that arrive, whether they have changed, and webhooks that point to them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::groups;
use super::version::{Look, label};
use super::{CallRequest, Engine, Job, Polled};
use crate::connector::{Change as Arrived, Hint, Page, State};
use crate::eval::{Inputs, queries};
use crate::fault::Fault;
use crate::ir::Flow;
use crate::store::{Change, Event, Known, Millis, RecordStage, RecordState, StoreResult};
use crate::value::{Json, RawRecord};

/// Hints that are followed at once, at most.
const HINTS: usize = 8;
/// Hints that are looked at, at most: more than are followed, since some may be of no flow.
const HINTS_READ: usize = 200;
/// The longest that a version waits for a request of an older one, in milliseconds.
const LONGEST_WAIT: Millis = 20 * 60 * 1_000;

impl Engine<'_> {
    /// Takes what a page brought: each record that is news goes to its lane.
    pub(super) fn arrive(&mut self, at: usize, arrived: Vec<Arrived>, changes: &mut Vec<Change>) -> StoreResult<Polled> {
        let (flow, _) = self.flow(at);
        let mut keys: Vec<&str> = arrived.iter().map(|change| change.id.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = self.store.known(&flow.name, &keys)?;
        let mut refetched = BTreeSet::new();
        let mut counted = Polled { read: arrived.len() as u64, ..Polled::default() };
        for change in arrived {
            if known.get(&change.id).is_some_and(|known| self.is_known(at, &change, known)) || refetched.contains(&change.id) {
                counted.unchanged += 1;
                continue;
            }
            let lane = self.store.record(&flow.name, &change.id)?;
            match change.state {
                State::Upserted(body) => match self.record(at, lane, &change.id, change.stamp, body, changes)? {
                    true => counted.new += 1,
                    false => counted.unchanged += 1,
                },
                State::Touched | State::Part(_) | State::LeftFilter => {
                    // Records never seen before are left to polling.
                    if let Some(lane) = lane
                        && !matches!(lane.state, RecordStage::Fetch)
                    {
                        self.refetch(at, lane, changes);
                        refetched.insert(change.id);
                        counted.listed += 1;
                    }
                }
                // What could not be read with its page is read by its id, which tells what is wrong with it.
                State::Listed | State::Refused(_) => match lane {
                    None => {
                        counted.listed += 1;
                        let lane = RecordState { state: RecordStage::Fetch, ..RecordState::new(&flow.name, &change.id, self.millis()) };
                        changes.push(Change::Record(lane));
                        self.flows[at].fetch = true;
                    }
                    Some(lane)
                        if lane.state == RecordStage::Fetch
                            || (change.stamp.is_some() && change.stamp == lane.stamp && !super::version::waits_for_a_match(&lane)) =>
                    {
                        counted.unchanged += 1;
                    }
                    Some(lane) => {
                        self.refetch(at, lane, changes);
                        counted.listed += 1;
                    }
                },
                State::Gone => {
                    if let Some(mut lane) = lane {
                        if change.stamp > lane.stamp {
                            lane.stamp = change.stamp;
                        }
                        self.gone(at, lane, "it is gone from the source", changes)?;
                        counted.new += 1;
                    }
                }
            }
        }
        Ok(counted)
    }

    /// Whether what is listed was read before, so that nothing has to be read or fetched to know that it is no news.
    fn is_known(&self, at: usize, change: &Arrived, known: &Known) -> bool {
        if !self.settings.safety.dedupe || !known.read || known.state == RecordStage::Fetch {
            return false;
        }
        match &change.state {
            State::Upserted(body) => known.state != RecordStage::Gone && self.flows[at].look_of.same(body.text(), &known.seen),
            State::Part(part) => Look::has(*part, &known.seen),
            // A stamp has the resolution of the source, so it tells nothing of a record that passed when it was read.
            State::LeftFilter => {
                matches!(known.state, RecordStage::Gone | RecordStage::NotEligible) && change.stamp.is_some() && change.stamp == known.stamp
            }
            State::Touched | State::Listed | State::Gone | State::Refused(_) => false,
        }
    }

    /// The record will be read again before it is mapped.
    pub(super) fn refetch(&mut self, at: usize, mut lane: RecordState, changes: &mut Vec<Change>) {
        lane.updated = self.millis();
        self.bound_wait(&mut lane);
        if lane.state == RecordStage::Sending {
            // It is read again when its writes are done.
            lane.version = String::new();
        } else {
            lane.was = Some(lane.state).filter(|state| state.settled());
            lane.state = RecordStage::Fetch;
        }
        changes.push(Change::Record(lane));
        self.flows[at].fetch = true;
    }

    /// Takes a record's newest version into its lane. False where it is no news.
    fn record(
        &mut self,
        at: usize,
        known: Option<RecordState>,
        key: &str,
        stamp: Option<String>,
        body: RawRecord,
        changes: &mut Vec<Change>,
    ) -> StoreResult<bool> {
        let (flow, _) = self.flow(at);
        let now = self.millis();
        let record = body.read();
        let version = self.flows[at].read.version(&record);
        let seen = self.flows[at].look_of.seen(body.text(), &record);
        self.meet(at, &record);
        if let Some(known) = &known
            && self.settings.safety.dedupe
        {
            let older = matches!((&stamp, &known.stamp), (Some(new), Some(old)) if new < old);
            if older && known.state != RecordStage::Fetch {
                return Ok(false);
            }
            // What is gone and is there again (undeleted) has a stamp of its own.
            let back = known.state == RecordStage::Gone && matches!((&stamp, &known.stamp), (Some(new), Some(old)) if new > old);
            // What was to be looked at again has been done since, or somebody has decided about it.
            let decided = matches!(known.state, RecordStage::Delivered | RecordStage::Unchanged | RecordStage::Discarded)
                && known.version == super::version::to_look_again(&version);
            let same = (version == known.version || decided) && known.state != RecordStage::Fetch && !back;
            if same {
                if known.seen != seen {
                    changes.push(Change::Seen { flow: flow.name.clone(), key: key.to_owned(), seen });
                }
                return Ok(false);
            }
            // It was read again while its writes are on their way, and they are of this very version: they go on.
            if known.state == RecordStage::Sending && known.version.is_empty() && self.is_written_as(known, &version) {
                changes.push(Change::Record(RecordState { version, stamp, updated: now, ..known.clone() }));
                return Ok(false);
            }
        }
        // In a grouped flow records are counted before groups are mapped.
        let first = flow.group.is_some() || self.goes_first(at, &record);
        let body = if flow.group.is_some() { RawRecord::of(&self.flows[at].read.kept(&record)) } else { body };
        if let Some(known) = &known
            && let (RecordStage::Fetch, Some(was)) = (known.state, known.was)
            && known.version == version
            && self.settings.safety.dedupe
        {
            // Read again, and nothing that the mapping reads has changed.
            changes.push(Change::Record(RecordState { state: was, was: None, stamp, seen, ..known.clone() }));
            return Ok(false);
        }
        let looked_again = known.as_ref().is_some_and(|known| known.version == super::version::to_look_again(&version));
        let label = label(&record, self.flows[at].name.as_deref());
        let news = !self.settings.safety.dedupe || known.as_ref().is_none_or(|known| !self.has_version(known, &version));
        let mut lane = match known {
            Some(known) => known,
            None => RecordState::new(&flow.name, key, now),
        };
        if lane.arrived == 0 || lane.state.settled() {
            lane.arrived = self.store.next_arrival()?;
        }
        lane.label = label.or(lane.label);
        lane.first = first;
        lane.was = None;
        // One that is read again because its target changed meanwhile goes on counting.
        if !lane.version.is_empty() {
            lane.attempt = 0;
        }
        lane.updated = now;
        lane.stamp = stamp;
        // Somebody asked for it to be mapped again, and its writes are not done yet: that it is asked for stays.
        let replayed = lane.version.starts_with(super::version::AGAIN) && self.flying(&lane.flow, &lane.key);
        lane.version = if replayed { super::version::to_look_again(&version) } else { version };
        lane.seen = seen;
        lane.body = Some(body);
        if news && !looked_again {
            changes.push(self.event(&flow.name, key, "received", "a new version was read from its source".to_owned(), None));
        }
        self.wait(at, lane, changes)?;
        Ok(news)
    }

    /// Whether a lane's record is known to be of a version: also where it is read again for another reason, and the lane
    /// names none.
    fn has_version(&self, lane: &RecordState, version: &str) -> bool {
        if !lane.version.is_empty() {
            return lane.version == version;
        }
        let sent = self.open_entries.of_lane(&lane.flow, &lane.key).any(|entry| *entry.version == *version);
        sent || lane.delivered.as_deref() == Some(version)
    }

    /// Bounds the time that a record waits for. A record that was done keeps the settle time of its last writes, and no settle
    /// time is longer than the bound: a later one was made by a clock that was wrong.
    pub(super) fn bound_wait(&self, lane: &mut RecordState) {
        lane.due = lane.due.min(self.millis() + LONGEST_WAIT);
    }

    /// Puts a lane among those to be mapped, or leaves it to its writes that are on their way. Writes of an older
    /// version that were never sent are dropped.
    pub(super) fn wait(&mut self, at: usize, mut lane: RecordState, changes: &mut Vec<Change>) -> StoreResult<()> {
        let flying = self.settings.safety.lanes && self.flying(&lane.flow, &lane.key);
        self.bound_wait(&mut lane);
        if flying {
            lane.state = RecordStage::Sending;
        } else {
            self.drop_entries(&lane.flow, &lane.key, changes)?;
            lane.state = RecordStage::Waiting;
            self.flows[at].map = true;
            // A group is touched by many records and waits for the end of their poll: what waits for it must not hold the poll.
            self.flows[at].backlog += usize::from(!groups::is_group(&lane));
        }
        changes.push(Change::Record(lane));
        Ok(())
    }

    fn goes_first(&self, at: usize, body: &Json) -> bool {
        let (flow, _) = self.flow(at);
        if flow.first_when.is_none() {
            return false;
        }
        self.with_inputs(body, |inputs| queries::goes_first(self.world.program, flow, inputs))
    }

    /// What a mapping is given where nothing but the record is known.
    pub(super) fn with_inputs<T>(&self, body: &Json, what: impl FnOnce(&Inputs<'_>) -> T) -> T {
        what(&Inputs::of(body, self.now, self.world.names))
    }

    // ---- records that have to be fetched ----

    pub(super) fn fetch(&mut self) -> StoreResult<()> {
        for at in 0..self.flows.len() {
            if !self.flows[at].on || !self.flows[at].fetch {
                continue;
            }
            let (flow, _) = self.flow(at);
            let Some(connector) = self.world.connectors.get(&flow.source.connection) else { continue };
            let most = connector.fetch_batch(&self.source(at)).max(1);
            let busy = |key: &str| self.leased.contains(&(at, key.to_owned()));
            let lanes = self.store.due_but(&flow.name, RecordStage::Fetch, (self.millis(), most.max(50)), false, &busy)?;
            let open: Vec<(String, Millis)> = lanes.into_iter().map(|lane| (lane.key, lane.updated)).collect();
            if open.is_empty() {
                self.flows[at].fetch = false;
                // One that waits for the end of its last writes' settle time is looked for then.
                if let Some(due) = self.store.next_due(&flow.name, RecordStage::Fetch, self.millis())? {
                    self.look_at(at, due);
                }
                continue;
            }
            for some in open.chunks(most) {
                // What was read before the last of them was known to have changed may be too old.
                let asked = some.iter().map(|(_, updated)| *updated).max().and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(self.now);
                let ids: Vec<String> = some.iter().map(|(key, _)| key.clone()).collect();
                self.leased.extend(ids.iter().map(|key| (at, key.clone())));
                self.want(&flow.source.connection, CallRequest::Get { flow: at, ids: ids.clone(), asked }, Job::Fetch { flow: at, ids });
            }
        }
        Ok(())
    }

    pub(super) fn fetched(&mut self, at: usize, ids: &[String], records: Result<Vec<Arrived>, Fault>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        for key in ids {
            self.leased.remove(&(at, key.clone()));
        }
        self.flows[at].fetch = true;
        // A version that arrived otherwise meanwhile was passed over as long as this was out.
        self.flows[at].map = true;
        let mut changes = Vec::new();
        match records {
            Ok(records) => {
                for key in ids {
                    let Some(lane) = self.store.record(&flow.name, key)? else { continue };
                    match records.iter().find(|record| record.id == *key) {
                        Some(Arrived { state: State::Upserted(body), stamp, .. }) => {
                            self.record(at, Some(lane), key, stamp.clone(), body.clone(), &mut changes)?;
                        }
                        Some(Arrived { state: State::Refused(fault), .. }) => self.unreadable(at, lane, fault, &mut changes)?,
                        _ => self.gone(at, lane, "it is gone from the source", &mut changes)?,
                    }
                }
            }
            // The connection is paused as a whole; what was asked for stays as it is.
            Err(fault) if fault.may_pass() => {}
            Err(fault) => {
                for key in ids {
                    let Some(lane) = self.store.record(&flow.name, key)? else { continue };
                    self.unreadable(at, lane, &fault, &mut changes)?;
                }
            }
        }
        self.keep(&changes)
    }

    /// A record that its source does not give.
    fn unreadable(&mut self, at: usize, mut lane: RecordState, fault: &Fault, changes: &mut Vec<Change>) -> StoreResult<()> {
        lane.state = RecordStage::Failed;
        self.stopped(at, &mut lane, "refused", &[self.words(fault)], false, changes)?;
        changes.push(Change::Record(lane));
        Ok(())
    }

    // ---- webhooks ----

    pub(super) fn hints(&mut self) -> StoreResult<()> {
        if self.following.len() >= HINTS {
            return Ok(());
        }
        let mut dropped = Vec::new();
        for hint in self.store.hints(HINTS_READ)? {
            if self.following.contains(&hint.id) || self.following.len() >= HINTS {
                continue;
            }
            let meant = |flow: &Flow| flow.source.connection == hint.connection && flow.webhooks.contains(&hint.event);
            let mut flows = self.world.plan.mapping.flows.iter().enumerate().filter(|(_, flow)| meant(flow)).map(|(at, _)| at).peekable();
            let waited_for = flows.peek().is_some();
            let flow = flows.find(|at| self.flows[*at].on);
            if waited_for && flow.is_none() {
                // Its flow does not run in this process.
                continue;
            }
            let body = serde_json::from_value::<Hint>(hint.body.clone());
            match (flow, body) {
                (Some(flow), Ok(body)) => {
                    self.following.insert(hint.id);
                    self.want(&hint.connection, CallRequest::Follow { flow, hint: body }, Job::Follow { flow, hint: hint.id });
                }
                // No flow waits for it.
                _ => dropped.push(Change::DropHint(hint.id)),
            }
        }
        if dropped.is_empty() { Ok(()) } else { self.store.commit(&dropped) }
    }

    pub(super) fn followed(&mut self, at: usize, hint: i64, page: Result<Page, Fault>) -> StoreResult<()> {
        self.following.remove(&hint);
        let mut changes = Vec::new();
        match page {
            Ok(page) => {
                self.arrive(at, page.changes, &mut changes)?;
            }
            Err(fault) if fault.may_pass() => return Ok(()),
            // What it pointed to is not there: the next poll tells.
            Err(_) => {}
        }
        changes.push(Change::DropHint(hint));
        self.keep(&changes)
    }

    /// Remembers what the records of the store say of persons, those that changed last first: so many of each state.
    pub(super) fn meet_again(&mut self) -> StoreResult<()> {
        const MOST: usize = 2_000;
        for state in RecordStage::ALL {
            for lane in self.store.in_state(None, state, MOST)? {
                // Read for this alone: all of them as trees take ten times as much as their texts.
                if let (Some(at), Some(body)) = (self.flow_named(&lane.flow), &lane.body) {
                    self.meet(at, &body.read());
                }
            }
        }
        Ok(())
    }

    /// Remembers what a record says of persons.
    fn meet(&mut self, at: usize, record: &Json) {
        let source = &self.flow(at).0.source;
        if let Some(mask) = self.masks.get(&source.connection) {
            mask.persons(Some(&source.object), record, &mut |value| self.met.add(value));
        }
    }

    /// A line of a record's history. No address stands in it, whatever it says.
    pub(super) fn event(&self, flow: &str, lane: &str, kind: &str, text: String, exchange: Option<i64>) -> Change {
        let text = if text.contains('@') { crate::http::redact::shapes(&text) } else { text };
        Change::Event(Event { at: self.millis(), flow: flow.to_owned(), lane: lane.to_owned(), kind: kind.to_owned(), text, exchange })
    }

    /// When a look for lanes that were put off is due.
    pub(super) fn look_at(&mut self, at: usize, due: Millis) {
        let look = &mut self.flows[at].look;
        *look = Some(look.map_or(due, |known| known.min(due)));
    }
}
