//! Mapping: lanes that wait are matched, mapped, compared with their targets, and turned into outbox entries.
//!
//! Look-ups are made for a page of lanes at once, with one query for each key field.

use std::collections::{BTreeMap, BTreeSet};

use super::open_entries::{Place, place};
use super::plan_entries::Made;
use super::records::keep_targets;
use super::targets::Targets;
use super::{CallRequest, Engine, Job, groups};
use crate::connector::Found;
use crate::eval::queries::{self, Wanted};
use crate::eval::{Inputs, Outcome, Verdict, apply};
use crate::fault::Fault;
use crate::ir::{Flow, Match, MatchOutcome};
use crate::store::{Change, EntryState, Millis, RecordStage, RecordState, StoreResult};
use crate::value::{Json, ObjectRef};

/// Entries of one kind that wait to be sent or are out, above which nothing more is mapped: some batches, so that memory is
/// bounded. A kind that goes in bulk waits for one bulk and the next batch of records.
const MOST_READY: usize = 2_000;

/// Batches of a flow that wait for look-ups, at most: one that is looked up while another is decided. Where records are only
/// looked for at their targets it is one, since what is about to be written of each waits with it.
const MOST_BATCHES: usize = 2;
/// Records that are looked up together.
const MATCHED: usize = 2_000;
/// The same of records that are only looked for at their targets: what is about to be written of them is in memory meanwhile.
const LOOKED_FOR: usize = 1_000;
/// Of them so many are decided in one commit: what they become is in memory until then.
const DECIDED: usize = 250;

/// After how long a look-up is tried again whose question was refused.
const REFUSED_AGAIN: Millis = 5 * 60_000;

pub(super) static NOTHING: BTreeMap<String, Json> = BTreeMap::new();
/// How long a creation is remembered after its end: no look-up takes as long.
const CREATED: Millis = 20 * 60_000;

static UNMATCHED: BTreeMap<String, Vec<Json>> = BTreeMap::new();

/// Lanes that are mapped together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(super) flow: usize,
    pub(super) lanes: Vec<RecordState>,
    /// By lane: the records of its group, where the flow groups.
    pub(super) groups: Vec<Vec<Json>>,
    pub(super) wanted: Vec<Vec<Wanted>>,
    /// By lane: what was found for each match.
    pub(super) matched: Vec<BTreeMap<String, Vec<Json>>>,
    /// The match and the key of it that is being looked up.
    pub(super) at: (usize, usize),
    /// By lane: what it gives, where that was found out on the way and rests on nothing that was read since.
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// By lane: the targets that were read, for the mapping. Of one to which nothing would be sent nothing stands in it.
    pub(super) targets: Vec<BTreeMap<String, Json>>,
    /// By lane: the same as they were read.
    pub(super) held: Vec<BTreeMap<String, Json>>,
    /// By lane: targets that were confirmed, and that are not there any more.
    pub(super) missing: Vec<BTreeSet<String>>,
    /// By lane: whether something at its target was looked at for the first time.
    pub(super) first: Vec<bool>,
    /// By lane: the targets of writes that go by what is there.
    pub(super) places: Vec<Vec<Place>>,
    /// What is to be read of targets: object, field, value, and for which lanes and writes.
    pub(super) need: BTreeMap<Wants, Vec<(usize, String)>>,
    /// By lane and write: the field of a target's record that holds its key, and the key. An id may have been given again.
    pub(super) keys: BTreeMap<(usize, String), (String, String)>,
    /// What is about to be written under a value that is looked for the first time, and the fields that it takes to compare.
    pub(super) bodies: BTreeMap<Wants, (Json, BTreeSet<Vec<String>>)>,
    /// By what is to be read: what helps its connector to find several at once.
    pub(super) companions: BTreeMap<(ObjectRef, String), String>,
    pub(super) found: Vec<Found>,
    pub(super) out: usize,
    pub(super) fault: Option<Fault>,
    pub(super) stage: Stage,
    pub(super) waited: bool,
    /// Targets that a write of ours came through to since the batch was taken: what was read of them may be older.
    pub(super) written: BTreeSet<Place>,
    /// When it was taken, by the steady clock.
    taken: Millis,
}

/// A record that creates what others may look for by the same value.
#[derive(Debug)]
pub(super) struct Creation {
    flow: String,
    lane: String,
    /// When its writes were seen to be done, by the steady clock.
    ended: Option<Millis>,
}

/// A value as it is compared: letters in one case, and of what has digits and signs only (a telephone number) the last digits.
fn alike(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let plain = value.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-().".contains(c));
    match plain && digits.len() >= 7 {
        true => digits[digits.len() - 7..].to_owned(),
        false => value.trim().to_lowercase(),
    }
}

/// What is looked for: an object by a field with a value. The last says whether it is for the first time.
type Wants = (ObjectRef, Vec<String>, String, bool);

impl Batch {
    /// Records are read anew from their texts where they are needed: as trees they take several times as much.
    fn forget_trees(&mut self) {
        self.lanes.iter_mut().filter_map(|lane| lane.body.as_mut()).for_each(crate::value::RawRecord::forget_tree);
    }

    pub(super) fn written_to(&mut self, place: Place) {
        self.written.insert(place);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Match,
    Targets,
}

impl Engine<'_> {
    /// Maps what goes first: by itself, so that it waits for no look-up of others, however much is to be sent and however
    /// many batches wait for look-ups.
    fn map_first(&mut self) -> StoreResult<()> {
        for at in 0..self.flows.len() {
            let (flow, _) = self.flow(at);
            if !self.flows[at].on || !self.flows[at].map || flow.first_when.is_none() || flow.group.is_some() {
                continue;
            }
            let busy = |key: &str| self.leased.contains(&(at, key.to_owned()));
            let first = self.store.due_but(&flow.name, RecordStage::Waiting, (self.millis(), self.settings.step), true, &busy)?;
            if !first.is_empty() {
                self.flows[at].backlog = self.flows[at].backlog.saturating_sub(first.len());
                self.begin_batch(at, first)?;
            }
        }
        Ok(())
    }

    pub(super) fn map(&mut self) -> StoreResult<()> {
        self.map_first()?;
        for at in 0..self.flows.len() {
            while self.flows[at].on && self.flows[at].map {
                self.full = self.ready.iter().any(|(lot, ready)| ready.len() + self.out_of(lot) > self.most_ready(lot));
                if self.full {
                    return Ok(());
                }
                let (flow, _) = self.flow(at);
                let most = if flow.matches.is_empty() { 1 } else { MOST_BATCHES };
                if self.batches.values().filter(|batch| batch.flow == at).count() >= most {
                    // The end of one of them looks on.
                    self.flows[at].map = false;
                    break;
                }
                let now = self.millis();
                // Look-ups go for a whole batch at once: the larger it is, the fewer they are.
                let looks = self.looks_at_targets(at);
                let (asks, most) = (looks || !flow.matches.is_empty(), if flow.matches.is_empty() { LOOKED_FOR } else { MATCHED });
                let step = if asks { self.settings.step.max(most) } else { self.settings.step };
                if self.flows[at].gathering && asks && self.flows[at].backlog < step {
                    self.flows[at].map = false;
                    break;
                }
                let busy = |key: &str| self.leased.contains(&(at, key.to_owned()));
                let mut lanes = self.store.due_but(&flow.name, RecordStage::Waiting, (now, step), false, &busy)?;
                if lanes.is_empty() {
                    self.flows[at].map = false;
                    self.flows[at].backlog = 0;
                    if self.flows[at].begins {
                        self.begun(at)?;
                    }
                    let next = |state| self.store.next_due(&flow.name, state, now);
                    self.flows[at].look = [next(RecordStage::Waiting)?, next(RecordStage::Fetch)?].into_iter().flatten().min();
                    break;
                }
                if flow.group.is_some() {
                    let (groups, records): (Vec<RecordState>, Vec<RecordState>) = lanes.into_iter().partition(groups::is_group);
                    if !records.is_empty() {
                        self.flows[at].backlog = self.flows[at].backlog.saturating_sub(records.len());
                        self.count_in(at, records)?;
                        continue;
                    }
                    // A group is mapped once for all that a poll brings of it.
                    if self.flows[at].streams.iter().any(super::poll::StreamState::running) || self.fetching(at) {
                        self.flows[at].map = false;
                        break;
                    }
                    if self.flows[at].begins {
                        self.begun(at)?;
                    }
                    lanes = groups;
                }
                let records = lanes.iter().filter(|lane| !groups::is_group(lane)).count();
                self.flows[at].backlog = self.flows[at].backlog.saturating_sub(records);
                self.begin_batch(at, lanes)?;
            }
        }
        Ok(())
    }

    fn most_ready(&self, lot: &super::BatchKey) -> usize {
        self.spec(lot).and_then(|spec| spec.bulk).map_or(MOST_READY, |bulk| MOST_READY.max(bulk + MATCHED))
    }

    /// Entries of a kind that are out.
    pub(super) fn out_of(&self, lot: &super::BatchKey) -> usize {
        let of = |job: &(String, Job)| match &job.1 {
            Job::Send { lot: of, out, .. } if of == lot => out.len(),
            _ => 0,
        };
        self.jobs.values().map(of).sum()
    }

    /// Whether records of a flow are being read again.
    fn fetching(&self, at: usize) -> bool {
        self.flows[at].fetch && self.leased.iter().any(|(of, _)| *of == at)
    }

    fn begin_batch(&mut self, at: usize, lanes: Vec<RecordState>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let count = lanes.len();
        let groups = lanes.iter().map(|lane| self.members(at, lane)).collect::<StoreResult<Vec<_>>>()?;
        let wanted = |(lane, group): (&RecordState, &Vec<Json>)| {
            let inputs = self.inputs(at, lane, group, &NOTHING, &UNMATCHED);
            queries::wanted(self.world.program, flow, &inputs)
        };
        let batch = Batch {
            flow: at,
            wanted: if flow.matches.is_empty() { Vec::new() } else { lanes.iter().zip(&groups).map(wanted).collect() },
            groups,
            matched: vec![BTreeMap::new(); count],
            at: (0, 0),
            outcomes: vec![None; count],
            targets: vec![BTreeMap::new(); count],
            held: vec![BTreeMap::new(); count],
            missing: vec![BTreeSet::new(); count],
            first: vec![false; count],
            places: vec![Vec::new(); count],
            need: BTreeMap::new(),
            keys: BTreeMap::new(),
            bodies: BTreeMap::new(),
            companions: BTreeMap::new(),
            found: Vec::new(),
            out: 0,
            fault: None,
            stage: Stage::Match,
            waited: false,
            written: BTreeSet::new(),
            taken: self.steady(),
            lanes,
        };
        let mut batch = batch;
        batch.forget_trees();
        self.leased.extend(batch.lanes.iter().map(|lane| (at, lane.key.clone())));
        let id = self.next_job;
        self.next_job += 1;
        self.batches.insert(id, batch);
        self.advance(id)
    }

    /// Goes on with a batch as far as it can without the outside.
    pub(super) fn advance(&mut self, id: u64) -> StoreResult<()> {
        let Some(mut batch) = self.batches.remove(&id) else { return Ok(()) };
        let (flow, _) = self.flow(batch.flow);
        let first = batch.lanes.iter().all(|lane| lane.first) && flow.first_when.is_some();
        if batch.stage == Stage::Match {
            while let Some(found) = flow.matches.get(batch.at.0) {
                let Some(by) = found.by.get(batch.at.1) else {
                    batch.at = (batch.at.0 + 1, 0);
                    if flow.matches.len() > batch.at.0 {
                        // The next one may go by what this one found.
                        let lanes = batch.lanes.iter().zip(&batch.groups).zip(&batch.matched);
                        let wanted = lanes.map(|((lane, group), matched)| {
                            queries::wanted(self.world.program, flow, &self.inputs(batch.flow, lane, group, &NOTHING, matched))
                        });
                        batch.wanted = wanted.collect();
                        batch.forget_trees();
                    }
                    continue;
                };
                let values: BTreeSet<String> = (0..batch.lanes.len())
                    .filter(|lane| found.each.is_some() || batch.matched[*lane].get(&found.name).is_none_or(Vec::is_empty))
                    .filter_map(|lane| batch.wanted[lane].get(batch.at.0)?.keys.get(batch.at.1))
                    .flat_map(|(_, values)| values.iter().cloned())
                    .collect();
                if values.is_empty() {
                    batch.at.1 += 1;
                    continue;
                }
                let fields = self.match_fields(flow, batch.flow, &found.name);
                batch.out = self.find(&found.object, &by.field, values.into_iter().collect(), &fields, |_| Job::Match { batch: id, first });
                batch.waited = true;
                self.batches.insert(id, batch);
                return Ok(());
            }
            batch.stage = Stage::Targets;
            self.need(&mut batch)?;
            batch.forget_trees();
            if !batch.need.is_empty() {
                let mut asks: BTreeMap<(ObjectRef, Vec<String>, bool), Vec<&Wants>> = BTreeMap::new();
                for wants in batch.need.keys() {
                    asks.entry((wants.0.clone(), wants.1.clone(), wants.3)).or_default().push(wants);
                }
                let mut out = 0;
                for ((object, field, unknown), wants) in asks {
                    if unknown {
                        out += self.present(&object, &field, &wants, &batch.bodies, (id, first));
                    } else {
                        let values: Vec<String> = wants.into_iter().map(|wants| wants.2.clone()).collect();
                        let companions: Vec<Option<String>> =
                            values.iter().map(|value| batch.companions.get(&(object.clone(), value.clone())).cloned()).collect();
                        out += self.find_by(&object, &field, &values, &companions, &[], |_| Job::Target { batch: id, first });
                    }
                }
                batch.out += out;
                batch.waited = true;
                batch.bodies = BTreeMap::new();
                self.batches.insert(id, batch);
                return Ok(());
            }
        }
        self.finish(batch)
    }

    /// Asks for records of another side, in as many calls as its connector needs; gives their number. `job`: by the places of a call's
    /// values.
    pub(super) fn find(
        &mut self,
        object: &ObjectRef,
        field: &[String],
        values: Vec<String>,
        fields: &[Vec<String>],
        job: impl Fn(&[usize]) -> Job,
    ) -> usize {
        self.find_by(object, field, &values, &[], fields, job)
    }

    /// The same, with what the records' companion field is thought to hold: see [`crate::connector::Connector::companion`].
    pub(super) fn find_by(
        &mut self,
        object: &ObjectRef,
        field: &[String],
        values: &[String],
        companions: &[Option<String>],
        fields: &[Vec<String>],
        job: impl Fn(&[usize]) -> Job,
    ) -> usize {
        let Some(connector) = self.world.connectors.get(&object.connection) else { return 0 };
        let groups = connector.lookup_groups(object, field, values, companions);
        for group in &groups {
            let of = |place: &usize| companions.get(*place).cloned().flatten();
            let ask = CallRequest::Find {
                object: object.clone(),
                field: field.to_vec(),
                values: group.iter().map(|place| values[*place].clone()).collect(),
                companions: if companions.is_empty() { Vec::new() } else { group.iter().map(of).collect() },
                fields: fields.to_vec(),
            };
            self.want(&object.connection, ask, job(group));
        }
        groups.len()
    }

    /// Asks for what stands at a target under values that were never confirmed; gives the number of calls.
    pub(super) fn present(
        &mut self,
        object: &ObjectRef,
        field: &[String],
        wants: &[&Wants],
        bodies: &BTreeMap<Wants, (Json, BTreeSet<Vec<String>>)>,
        (batch, first): (u64, bool),
    ) -> usize {
        let most = self.world.connectors.get(&object.connection).map_or(1, |connector| connector.present_batch(object, field)).max(1);
        let mut calls = 0;
        for wants in wants.chunks(most) {
            let known: Vec<_> = wants.iter().filter_map(|wants| bodies.get(*wants)).collect();
            let fields: BTreeSet<&Vec<String>> = known.iter().flat_map(|(_, fields)| fields).collect();
            let ask = CallRequest::Present {
                object: object.clone(),
                field: field.to_vec(),
                values: wants.iter().map(|wants| wants.2.clone()).collect(),
                fields: fields.into_iter().cloned().collect(),
                bodies: known.iter().map(|(body, _)| body.clone()).collect(),
            };
            self.want(&object.connection, ask, Job::Target { batch, first });
            calls += 1;
        }
        calls
    }

    /// What is fetched of a matched record: what the mapping reads of it, and what it writes to it.
    fn match_fields(&self, flow: &Flow, at: usize, name: &str) -> Vec<Vec<String>> {
        let (_, reads) = self.flow(at);
        let mut fields = reads.match_reads.get(name).cloned().unwrap_or_default();
        let slot = flow.matches.iter().find(|found| found.name == name).map(|found| found.slot);
        let writes = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
        for write in writes.filter(|write| write.of.is_some() && write.of == slot) {
            fields.extend(write.body.rows.iter().map(|row| vec![row.name.clone()]));
            fields.extend(reads.target_reads.get(&write.name).cloned().unwrap_or_default());
        }
        fields.sort();
        fields.dedup();
        fields
    }

    /// Takes one of a batch's answers; gives the batch and all that was found for it, once the last one is there and none failed.
    pub(super) fn answered(&mut self, id: u64, found: Result<Vec<Found>, Fault>) -> StoreResult<Option<(Batch, Vec<Found>)>> {
        let Some(mut batch) = self.batches.remove(&id) else { return Ok(None) };
        batch.out -= 1;
        match found {
            Ok(found) => batch.found.extend(found),
            Err(fault) => batch.fault = Some(fault),
        }
        if batch.out > 0 {
            self.batches.insert(id, batch);
            return Ok(None);
        }
        if let Some(fault) = batch.fault.take() {
            self.put_off(batch, &fault)?;
            return Ok(None);
        }
        self.can_look_up(batch.flow)?;
        let found = std::mem::take(&mut batch.found);
        Ok(Some((batch, found)))
    }

    pub(super) fn matched(&mut self, id: u64, found: Result<Vec<Found>, Fault>) -> StoreResult<()> {
        let Some((mut batch, found)) = self.answered(id, found)? else { return Ok(()) };
        let (flow, _) = self.flow(batch.flow);
        if let Some(of) = flow.matches.get(batch.at.0) {
            let mut by_value: BTreeMap<&str, Vec<&Json>> = BTreeMap::new();
            for found in &found {
                by_value.entry(&found.value).or_default().push(&found.record);
            }
            for lane in 0..batch.lanes.len() {
                let known = batch.matched[lane].entry(of.name.clone()).or_default();
                if of.each.is_none() && !known.is_empty() {
                    continue;
                }
                let values = batch.wanted[lane].get(batch.at.0).and_then(|wanted| wanted.keys.get(batch.at.1)).map_or(&[][..], |key| &key.1);
                let hits = values.iter().filter_map(|value| by_value.get(value.as_str())).flatten();
                // Several elements, or several keys, may find one record.
                let new: Vec<Json> = if of.each.is_none() {
                    hits.map(|hit| (*hit).clone()).collect()
                } else {
                    hits.filter(|hit| !known.contains(hit)).map(|hit| (*hit).clone()).collect()
                };
                known.extend(new);
            }
        }
        batch.at.1 += 1;
        self.batches.insert(id, batch);
        self.advance(id)
    }

    /// The lanes stay as they are; they are taken again when their connection works.
    pub(super) fn put_off(&mut self, batch: Batch, fault: &Fault) -> StoreResult<()> {
        self.flows[batch.flow].map = true;
        self.flows[batch.flow].fetch = true;
        for lane in &batch.lanes {
            self.leased.remove(&(batch.flow, lane.key.clone()));
        }
        let mut changes = Vec::new();
        if fault.may_pass() {
            // Until the connection is open again there is no use in trying.
            let due = self.millis() + 1_000;
            for lane in batch.lanes {
                self.later(batch.flow, &lane, due, &mut changes)?;
            }
        } else if matches!(fault, Fault::BatchRefused(_)) {
            // The question is refused, and not its values: no record is to blame, and all wait until it is mended.
            let at = batch.flow;
            if self.settings.once {
                // The next run asks again.
                self.flows[at].on = false;
            } else {
                let due = self.millis() + REFUSED_AGAIN;
                for lane in batch.lanes {
                    self.later(at, &lane, due, &mut changes)?;
                }
            }
            let message = format!("`{}` cannot look up what it matches with: {}", self.flow(at).0.name, self.words(fault).message);
            self.cannot_look_up(at, message)?;
        } else {
            let words = self.words(fault);
            for lane in batch.lanes {
                let Some(mut lane) = self.unchanged(&lane)? else {
                    self.flows[batch.flow].map = true;
                    continue;
                };
                lane.state = RecordStage::Failed;
                self.stopped(batch.flow, &mut lane, "refused", std::slice::from_ref(&words), false, &mut changes)?;
                changes.push(Change::Record(lane));
            }
        }
        self.keep(&changes)
    }

    /// The lane as it is kept now, if nothing has happened to it since it was taken. Where something has, what was
    /// asked for is about an older state, and the lane is taken again.
    fn unchanged(&mut self, taken: &RecordState) -> StoreResult<Option<RecordState>> {
        let kept = self.store.record(&taken.flow, &taken.key)?;
        Ok(kept.filter(|kept| kept.state == RecordStage::Waiting && kept.version == taken.version && kept.was == taken.was))
    }

    /// Looks at a lane again at `due`.
    fn later(&mut self, at: usize, taken: &RecordState, due: Millis, changes: &mut Vec<Change>) -> StoreResult<()> {
        match self.unchanged(taken)? {
            Some(lane) => {
                changes.push(Change::Record(RecordState { due, ..lane }));
                self.look_at(at, due);
            }
            None => self.flows[at].map = true,
        }
        Ok(())
    }

    pub(super) fn inputs<'a>(
        &'a self,
        at: usize,
        lane: &'a RecordState,
        group: &'a [Json],
        targets: &'a BTreeMap<String, Json>,
        matched: &'a BTreeMap<String, Vec<Json>>,
    ) -> Inputs<'a> {
        let (flow, _) = self.flow(at);
        Inputs {
            record: lane.record().unwrap_or(&Json::Null),
            group,
            // A group that was never delivered and has no record has nothing to say.
            was_of_group: lane.record().filter(|_| flow.group.is_some() && lane.delivered.is_some()),
            now: self.now,
            matched,
            targets,
            results: &NOTHING,
            names: self.world.names,
            trace: false,
        }
    }

    pub(super) fn outcome(
        &self,
        at: usize,
        lane: &RecordState,
        group: &[Json],
        matched: &BTreeMap<String, Vec<Json>>,
        targets: &BTreeMap<String, Json>,
    ) -> Outcome {
        let (flow, _) = self.flow(at);
        apply(self.world.program, flow, &self.inputs(at, lane, group, targets, matched))
    }

    pub(super) fn finish(&mut self, batch: Batch) -> StoreResult<()> {
        self.flows[batch.flow].map = true;
        self.flows[batch.flow].fetch = true;
        let Batch {
            flow: at,
            lanes,
            wanted,
            mut groups,
            mut matched,
            mut outcomes,
            mut targets,
            mut held,
            mut missing,
            first,
            places,
            waited,
            written,
            taken,
            ..
        } = batch;
        let mut changes = Vec::new();
        let mut claimed: BTreeSet<Place> = BTreeSet::new();
        self.forget_creations();
        let mut creating: BTreeMap<String, String> = BTreeMap::new();
        for (index, lane) in lanes.into_iter().enumerate() {
            self.leased.remove(&(at, lane.key.clone()));
            if index > 0 && index % DECIDED == 0 {
                self.keep(&std::mem::take(&mut changes))?;
            }
            // What is decided is let go.
            let (group, matched) = (&std::mem::take(&mut groups[index]), &std::mem::take(&mut matched[index]));
            let (held, missing, mut targets) =
                (&std::mem::take(&mut held[index]), std::mem::take(&mut missing[index]), std::mem::take(&mut targets[index]));
            // What was found is only true where no other write of ours to it was under way since it was asked for.
            let mut found: Vec<_> = self.matched_targets(at, matched).iter().map(place).collect();
            if self.settings.safety.serial {
                found.extend(places[index].iter().copied());
            }
            if found.iter().any(|target| claimed.contains(target) || written.contains(target) || self.writing.contains_key(target)) {
                // A write that waits for its time is not looked at before then.
                let held_off = found.iter().filter_map(|target| self.held_off.get(target)).copied().max();
                let due = (self.millis() + 500).max(held_off.unwrap_or(0));
                self.later(at, &lane, due, &mut changes)?;
                continue;
            }
            if first[index] {
                // What the store that was lost has sent may still come.
                let until = outcomes[index].iter().flat_map(|outcome| &outcome.payloads).map(|payload| self.lost_until(payload)).max().unwrap_or(0);
                if until > self.millis() {
                    self.later(at, &lane, until, &mut changes)?;
                    continue;
                }
                if self.look_over(at, &lane, outcomes[index].as_ref(), matched, held, &mut changes)? {
                    // It is known from now on, and mapped again as such.
                    let due = self.millis();
                    self.later(at, &lane, due, &mut changes)?;
                    continue;
                }
            }
            // Another record is about to create what this one would have found by the same value.
            let creates = self.creates(at, wanted.get(index).map_or(&[][..], Vec::as_slice), matched);
            if creates.iter().any(|value| creating.get(value).is_some_and(|other| *other != lane.key) || self.is_created(value, &lane.key, taken)) {
                let due = self.millis() + 500;
                self.later(at, &lane, due, &mut changes)?;
                continue;
            }
            claimed.extend(found);
            let read_anew = waited && !(first[index] && held.is_empty());
            let first_pass = outcomes[index].take();
            let outcome = match first_pass {
                Some(outcome) if !read_anew => outcome,
                _ => {
                    let mut outcome = self.outcome(at, &lane, group, matched, &targets);
                    // A target that holds all of it already is not written, so there is nothing to guard.
                    if !held.is_empty() && self.satisfied(&outcome, &lane, matched, held, &mut targets)? {
                        let unguarded = self.outcome(at, &lane, group, matched, &targets);
                        outcome = if outcome.payloads.is_empty() { unguarded } else { Outcome { payloads: outcome.payloads, ..unguarded } };
                    }
                    outcome
                }
            };
            if self.flow(at).0.group.as_ref().is_some_and(|group| group.window.is_some()) {
                let ends = queries::window_ends(self.world.program, self.flow(at).0, &self.inputs(at, &lane, group, &NOTHING, &UNMATCHED));
                self.watch_window(at, &lane, ends.map(|ends| ends.as_millisecond()), &mut changes);
            }
            if outcome.verdict == Verdict::Ready && !outcome.payloads.is_empty() {
                creating.extend(creates.into_iter().map(|value| (value, lane.key.clone())));
            }
            let seen = Targets { mapped: &targets, held, missing: &missing };
            self.decided(at, lane, matched, &seen, outcome, waited, &mut changes)?;
        }
        self.keep(&changes)?;
        let flow = self.flow(at).0.name.clone();
        self.creating.extend(creating.into_iter().map(|(value, lane)| (value, Creation { flow: flow.clone(), lane, ended: None })));
        Ok(())
    }

    /// The values by which a record was looked for that its matches did not find, and that it therefore creates.
    fn creates(&self, at: usize, wanted: &[Wanted], matched: &BTreeMap<String, Vec<Json>>) -> Vec<String> {
        if !self.settings.safety.serial {
            return Vec::new();
        }
        let (flow, _) = self.flow(at);
        let missing = |found: &&Match| matches!(found.none, MatchOutcome::Create) && matched.get(&found.name).is_none_or(Vec::is_empty);
        let mut values = Vec::new();
        for found in flow.matches.iter().filter(missing) {
            let keys = wanted.iter().filter(|wanted| wanted.name == found.name).flat_map(|wanted| &wanted.keys);
            for (field, of) in keys {
                values.extend(of.iter().map(|value| format!("{} {} {}", found.object, field.join("."), alike(value))));
            }
        }
        values
    }

    /// Whether another record creates what is found by a value, or has done so since the look-up was begun at `taken`.
    fn is_created(&mut self, value: &str, lane: &str, taken: Millis) -> bool {
        let steady = self.steady();
        let Some(creation) = self.creating.get(value).filter(|creation| creation.lane != lane) else { return false };
        let open = self.is_open(&creation.flow, &creation.lane);
        let Some(creation) = self.creating.get_mut(value) else { return false };
        if open {
            return true;
        }
        let ended = *creation.ended.get_or_insert(steady);
        taken <= ended
    }

    /// Whether writes of a record are planned or out.
    fn is_open(&self, flow: &str, lane: &str) -> bool {
        let open = [EntryState::Planned, EntryState::Sending, EntryState::Ambiguous];
        self.open_entries.of_lane(flow, lane).any(|entry| open.contains(&entry.state))
    }

    /// Creations that ended long ago: every look-up that was begun before has been answered.
    fn forget_creations(&mut self) {
        let steady = self.steady();
        let over: Vec<String> = self
            .creating
            .iter()
            .filter(|(_, creation)| match creation.ended {
                Some(ended) => ended + CREATED < steady,
                None => false,
            })
            .map(|(value, _)| value.clone())
            .collect();
        over.iter().for_each(|value| {
            self.creating.remove(value);
        });
        let ended: Vec<String> = self
            .creating
            .iter()
            .filter(|(_, creation)| creation.ended.is_none() && !self.is_open(&creation.flow, &creation.lane))
            .map(|(value, _)| value.clone())
            .collect();
        for value in ended {
            if let Some(creation) = self.creating.get_mut(&value) {
                creation.ended = Some(steady);
            }
        }
    }

    /// What a mapped record becomes. `waited`: something was asked for it since it was taken.
    #[expect(clippy::too_many_arguments, reason = "what a record is judged by, each of another kind")]
    fn decided(
        &mut self,
        at: usize,
        lane: RecordState,
        matched: &BTreeMap<String, Vec<Json>>,
        seen: &Targets<'_>,
        outcome: Outcome,
        waited: bool,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        // A newer version may have arrived while this one was looked up: it takes this one's place.
        if waited && self.settings.safety.lanes && self.unchanged(&lane)?.is_none() {
            self.flows[at].map = true;
            return Ok(());
        }
        let mut lane = lane;
        lane.plan = Some(self.plan_hash.clone());
        lane.updated = self.millis();
        lane.matched = (!matched.is_empty()).then(|| serde_json::to_value(matched).unwrap_or(Json::Null));
        // Writes that wait for others are mapped when those are confirmed, with what was read now.
        if !seen.mapped.is_empty() && outcome.payloads.iter().any(|payload| !payload.waits_for.is_empty()) {
            keep_targets(&mut lane, &seen.kept());
        }
        self.link(at, &lane, matched, changes);
        if !outcome.warnings.is_empty() {
            let words: Vec<String> = outcome.warnings.iter().map(|warning| warning.message.clone()).collect();
            let text = self.scrubbed(&lane, &words.join("; "))?;
            changes.push(self.event(&flow.name, &lane.key, "warned", text, None));
        }
        if matches!(outcome.verdict, Verdict::Rejected | Verdict::Review) && self.stopped_by_match(at, matched) {
            lane.version = super::version::to_look_again(&lane.version);
            lane.seen.clear();
        }
        if lane.was == Some(RecordStage::Gone) {
            return self.gone_as_matched(at, lane, "it is gone from the source", seen, changes);
        }
        match outcome.verdict {
            Verdict::NotEligible if lane.delivered.is_some() => self.gone(at, lane, "it no longer meets the flow's `where`", changes),
            Verdict::NotEligible => {
                lane.state = RecordStage::NotEligible;
                if self.skipped_by_match(at, &lane) {
                    lane.version = super::version::to_look_again(&lane.version);
                    lane.seen.clear();
                }
                lane.body = None;
                self.mend(&lane, changes)?;
                changes.push(Change::Record(lane));
                Ok(())
            }
            Verdict::Rejected => {
                lane.state = RecordStage::Rejected;
                self.stopped_by(at, &mut lane, "rejected", &outcome.reasons, false, changes)?;
                self.payloads(at, &mut lane, outcome.follow_ups, Some("is rejected"), matched, &Targets::NONE, false, changes)?;
                changes.push(Change::Record(lane));
                Ok(())
            }
            Verdict::Review => {
                lane.state = RecordStage::Review;
                let parked = self.payloads(at, &mut lane, outcome.payloads, None, matched, seen, true, changes)?;
                self.payloads(at, &mut lane, outcome.follow_ups, Some("is in review"), matched, &Targets::NONE, false, changes)?;
                self.stopped_by(at, &mut lane, "review", &outcome.reasons, parked.count > 0, changes)?;
                changes.push(Change::Record(lane));
                Ok(())
            }
            Verdict::Ready => {
                let none = outcome.payloads.is_empty();
                let waits = outcome.payloads.iter().any(|payload| !payload.waits_for.is_empty());
                let before = changes.len();
                let succeeded: Vec<String> = outcome.payloads.iter().map(|payload| payload.write.clone()).collect();
                let results = self.unchanged_results(flow, outcome.payloads.iter())?;
                let Made { mut count, asked } = self.payloads(at, &mut lane, outcome.payloads, None, matched, seen, false, changes)?;
                if waits {
                    let of_lane = |change: &Change| match change {
                        Change::Entry(entry) => Some(entry.clone()),
                        _ => None,
                    };
                    let entries: Vec<_> = changes[before..].iter().filter_map(of_lane).collect();
                    count += self.dependent(at, &mut lane, &entries, &NOTHING, matched, changes)?;
                }
                if !asked.is_empty() {
                    // It is at the target, whatever a person decides about some of its fields.
                    lane.delivered.get_or_insert_with(|| lane.version.clone());
                    let code = asked[0].kind.clone();
                    self.stopped(at, &mut lane, &code, &asked, true, changes)?;
                    lane.state = if count > 0 { RecordStage::Sending } else { RecordStage::Review };
                } else if count > 0 {
                    lane.state = RecordStage::Sending;
                } else {
                    lane.state = if lane.delivered.is_some() { RecordStage::Unchanged } else { RecordStage::Delivered };
                    let text = if none {
                        "no write of the flow applies to it: nothing was sent"
                    } else {
                        "the target has these values already: nothing was sent"
                    };
                    changes.push(self.event(&flow.name, &lane.key, "unchanged", text.to_owned(), None));
                    // What was told of it as failed, or is not known to have been told as done, is told now.
                    let untold = lane.delivered.is_none() || !self.store.exceptions_of(&lane.flow, &lane.key)?.is_empty();
                    let told = if untold { self.told_done(at, &mut lane, &succeeded, &results, matched, changes)? } else { 0 };
                    self.went_through(at, &mut lane, changes)?;
                    if told > 0 {
                        lane.state = RecordStage::Sending;
                    }
                }
                changes.push(Change::Record(lane));
                Ok(())
            }
        }
    }

    /// Whether a match that found nothing stops a record. What it belongs to may be made later, so it is looked at again whenever
    /// its source shows it again.
    fn stopped_by_match(&self, at: usize, matched: &BTreeMap<String, Vec<Json>>) -> bool {
        let (flow, _) = self.flow(at);
        let stops = |found: &Match| found.each.is_none() && matches!(found.none, MatchOutcome::Stop(_));
        flow.group.is_none() && flow.matches.iter().any(|found| stops(found) && matched.get(&found.name).is_none_or(Vec::is_empty))
    }

    /// Whether a record is of this flow, and a match that found nothing leaves it out. What it belongs to may be made later,
    /// so it is looked at again whenever its source shows it again.
    fn skipped_by_match(&self, at: usize, lane: &RecordState) -> bool {
        let (flow, _) = self.flow(at);
        let Some(record) = lane.record().filter(|_| flow.group.is_none() && !flow.matches.is_empty()) else { return false };
        self.with_inputs(record, |inputs| queries::is_eligible(self.world.program, flow, inputs))
    }
}
