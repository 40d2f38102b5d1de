//! Mapping: lanes that wait are matched, mapped, held against their targets, and turned into entries.
//!
//! Look-ups go for a page of lanes at once, one query for each key, not one each.

use std::collections::{BTreeMap, BTreeSet};

use super::lanes::keep_targets;
use super::plan_entries::Made;
use super::recover::Differs;
use super::{Ask, Engine, Job, groups, mask};
use crate::apply::aside::{self, Wanted};
use crate::apply::{Inputs, Outcome, Payload, Verdict, apply, target_of};
use crate::check::typed::{Flow, Policy, Write};
use crate::connector::Found;
use crate::fault::Fault;
use crate::store::{Change, Kept, Lane, LaneState, Millis};
use crate::value::{Json, ObjectRef};

/// Entries of one kind that wait to be sent or are out, above which nothing more is mapped: some batches, so that memory is
/// bounded. A kind that goes in bulk waits for one bulk and the next batch of records.
const MOST_READY: usize = 2_000;

/// Batches of a flow that wait for look-ups, at most.
const MOST_BATCHES: usize = 2;
/// Records that are looked up together.
const MATCHED: usize = 2_000;
/// The same of records that are only looked for at their targets: what is about to be written of them is in memory meanwhile.
const LOOKED_FOR: usize = 1_000;
/// Of them so many are decided in one commit: what they become is in memory until then.
const DECIDED: usize = 250;

static NOTHING: BTreeMap<String, Json> = BTreeMap::new();
static UNMATCHED: BTreeMap<String, Vec<Json>> = BTreeMap::new();

/// Lanes that are mapped together.
#[derive(Debug)]
pub(crate) struct Batch {
    flow: usize,
    lanes: Vec<Lane>,
    /// By lane: the records of its group, where the flow groups.
    groups: Vec<Vec<Json>>,
    wanted: Vec<Vec<Wanted>>,
    /// By lane: what was found for each match.
    matched: Vec<BTreeMap<String, Vec<Json>>>,
    /// The match and the key of it that is being looked up.
    at: (usize, usize),
    /// By lane: what it gives, where that was found out on the way and rests on nothing that was read since.
    outcomes: Vec<Option<Outcome>>,
    /// By lane: the targets that were read, for the mapping. Of one to which nothing would be sent nothing stands in it.
    targets: Vec<BTreeMap<String, Json>>,
    /// By lane: the same as they were read.
    held: Vec<BTreeMap<String, Json>>,
    /// By lane: targets that were confirmed, and that are not there any more.
    missing: Vec<BTreeSet<String>>,
    /// By lane: whether something at its target was looked at for the first time.
    first: Vec<bool>,
    /// By lane: the targets of writes that go by what is there.
    places: Vec<Vec<(String, String, String)>>,
    /// What is to be read of targets: object, field, value, and for which lanes and writes.
    need: BTreeMap<Wants, Vec<(usize, String)>>,
    /// By lane and write: the field of a target's record that holds its key, and the key. An id may have been given again.
    keys: BTreeMap<(usize, String), (String, String)>,
    /// What is about to be written under a value that is looked for the first time, and the fields that it takes to compare.
    bodies: BTreeMap<Wants, (Json, BTreeSet<Vec<String>>)>,
    /// By what is to be read: what helps its connector to find several at once.
    companions: BTreeMap<(ObjectRef, String), String>,
    found: Vec<Found>,
    out: usize,
    fault: Option<Fault>,
    stage: Stage,
    waited: bool,
    /// Targets that a write of ours came through to since the batch was taken: what was read of them may be older.
    written: BTreeSet<(String, String, String)>,
}

/// What is looked for: an object by a field with a value. The last says whether it is for the first time.
type Wants = (ObjectRef, Vec<String>, String, bool);

impl Batch {
    /// Records are read anew from their texts where they are needed: as trees they take several times as much.
    fn forget_trees(&mut self) {
        self.lanes.iter_mut().filter_map(|lane| lane.body.as_mut()).for_each(crate::value::Body::forget_tree);
    }

    pub(super) fn written_to(&mut self, target: &(String, String, String)) {
        self.written.insert(place(target));
    }
}

/// A target's place: systems that compare keys without case keep to one record what differs by it only.
pub(super) fn place(target: &(String, String, String)) -> (String, String, String) {
    let (connection, object, name) = target;
    (connection.clone(), object.clone(), name.to_lowercase())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Match,
    Targets,
}

impl Engine<'_> {
    /// Maps what goes first: by itself, so that it waits for no look-up of others, however much is to be sent and however
    /// many batches wait for look-ups.
    fn map_first(&mut self) -> Kept<()> {
        for at in 0..self.flows.len() {
            let (flow, _) = self.flow(at);
            if !self.flows[at].on || !self.flows[at].map || flow.first_when.is_none() || flow.group.is_some() {
                continue;
            }
            let busy = |key: &str| self.busy.contains(&(at, key.to_owned()));
            let first = self.store.due_but(&flow.name, LaneState::Waiting, (self.millis(), self.settings.step), true, &busy)?;
            if !first.is_empty() {
                self.flows[at].backlog = self.flows[at].backlog.saturating_sub(first.len());
                self.begin_batch(at, first)?;
            }
        }
        Ok(())
    }

    pub(super) fn map(&mut self) -> Kept<()> {
        self.map_first()?;
        for at in 0..self.flows.len() {
            while self.flows[at].on && self.flows[at].map {
                self.full = self.ready.iter().any(|(lot, ready)| ready.len() + self.out_of(lot) > self.most_ready(lot));
                if self.full {
                    return Ok(());
                }
                let (flow, _) = self.flow(at);
                if self.batches.values().filter(|batch| batch.flow == at).count() >= MOST_BATCHES {
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
                let busy = |key: &str| self.busy.contains(&(at, key.to_owned()));
                let mut lanes = self.store.due_but(&flow.name, LaneState::Waiting, (now, step), false, &busy)?;
                if lanes.is_empty() {
                    self.flows[at].map = false;
                    self.flows[at].backlog = 0;
                    if self.flows[at].begins {
                        self.begun(at)?;
                    }
                    let next = |state| self.store.next_due(&flow.name, state, now);
                    self.flows[at].look = [next(LaneState::Waiting)?, next(LaneState::Fetch)?].into_iter().flatten().min();
                    break;
                }
                if flow.group.is_some() {
                    let (groups, records): (Vec<Lane>, Vec<Lane>) = lanes.into_iter().partition(groups::is_group);
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

    fn most_ready(&self, lot: &super::Lot) -> usize {
        self.spec(lot).and_then(|spec| spec.bulk).map_or(MOST_READY, |bulk| MOST_READY.max(bulk + MATCHED))
    }

    /// Entries of a kind that are out.
    pub(super) fn out_of(&self, lot: &super::Lot) -> usize {
        let of = |job: &(String, Job)| match &job.1 {
            Job::Send { lot: of, entries, .. } if of == lot => entries.len(),
            _ => 0,
        };
        self.jobs.values().map(of).sum()
    }

    /// Whether records of a flow are being read again.
    fn fetching(&self, at: usize) -> bool {
        self.flows[at].fetch && self.busy.iter().any(|(of, _)| *of == at)
    }

    fn begin_batch(&mut self, at: usize, lanes: Vec<Lane>) -> Kept<()> {
        let (flow, _) = self.flow(at);
        let count = lanes.len();
        let groups = lanes.iter().map(|lane| self.members(at, lane)).collect::<Kept<Vec<_>>>()?;
        let wanted = |(lane, group): (&Lane, &Vec<Json>)| {
            let inputs = self.inputs(at, lane, group, &NOTHING, &UNMATCHED);
            aside::wanted(self.world.program, flow, &inputs)
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
            lanes,
        };
        let mut batch = batch;
        batch.forget_trees();
        self.busy.extend(batch.lanes.iter().map(|lane| (at, lane.key.clone())));
        let id = self.next_job;
        self.next_job += 1;
        self.batches.insert(id, batch);
        self.advance(id)
    }

    /// Goes on with a batch as far as it can without the outside.
    fn advance(&mut self, id: u64) -> Kept<()> {
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
                            aside::wanted(self.world.program, flow, &self.inputs(batch.flow, lane, group, &NOTHING, matched))
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
                batch.out = self.find(&found.object, &by.field, values.into_iter().collect(), &fields, || Job::Match { batch: id, first });
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
                        out += self.find_by(&object, &field, &values, &companions, &[], || Job::Target { batch: id, first });
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

    /// Asks for records of another side, in as many calls as its connector needs; gives their number.
    pub(super) fn find(&mut self, object: &ObjectRef, field: &[String], values: Vec<String>, fields: &[Vec<String>], job: impl Fn() -> Job) -> usize {
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
        job: impl Fn() -> Job,
    ) -> usize {
        let Some(connector) = self.world.connectors.get(&object.connection) else { return 0 };
        let groups = connector.find_groups(object, field, values, companions);
        for group in &groups {
            let of = |place: &usize| companions.get(*place).cloned().flatten();
            let ask = Ask::Find {
                object: object.clone(),
                field: field.to_vec(),
                values: group.iter().map(|place| values[*place].clone()).collect(),
                companions: if companions.is_empty() { Vec::new() } else { group.iter().map(of).collect() },
                fields: fields.to_vec(),
            };
            self.want(&object.connection, ask, job());
        }
        groups.len()
    }

    /// Asks for what stands at a target under values that were never confirmed; gives the number of calls.
    fn present(
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
            let ask = Ask::Present {
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

    pub(super) fn matched(&mut self, id: u64, found: Result<Vec<Found>, Fault>) -> Kept<()> {
        let Some(mut batch) = self.batches.remove(&id) else { return Ok(()) };
        let (flow, _) = self.flow(batch.flow);
        batch.out -= 1;
        match found {
            Ok(found) => batch.found.extend(found),
            Err(fault) => batch.fault = Some(fault),
        }
        if batch.out > 0 {
            self.batches.insert(id, batch);
            return Ok(());
        }
        if let Some(fault) = batch.fault.take() {
            return self.put_off(batch, &fault);
        }
        let found = std::mem::take(&mut batch.found);
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
    fn put_off(&mut self, batch: Batch, fault: &Fault) -> Kept<()> {
        self.flows[batch.flow].map = true;
        self.flows[batch.flow].fetch = true;
        for lane in &batch.lanes {
            self.busy.remove(&(batch.flow, lane.key.clone()));
        }
        let passing = matches!(fault, Fault::Throttled { .. } | Fault::Transient { .. } | Fault::Ambiguous { .. } | Fault::Denied { .. });
        let mut changes = Vec::new();
        if passing {
            // Until the connection is open again there is no use in trying.
            let due = self.millis() + 1_000;
            for lane in batch.lanes {
                self.later(batch.flow, &lane, due, &mut changes)?;
            }
        } else {
            let words = self.words(fault);
            for lane in batch.lanes {
                let Some(mut lane) = self.unchanged(&lane)? else {
                    self.flows[batch.flow].map = true;
                    continue;
                };
                lane.state = LaneState::Failed;
                self.stopped(batch.flow, &mut lane, "refused", std::slice::from_ref(&words), false, &mut changes)?;
                changes.push(Change::Lane(lane));
            }
        }
        self.keep(&changes)
    }

    /// The lane as it is kept now, if nothing has happened to it since it was taken. Where something has, what was
    /// asked for is about an older state, and the lane is taken again.
    fn unchanged(&mut self, taken: &Lane) -> Kept<Option<Lane>> {
        let kept = self.store.lane(&taken.flow, &taken.key)?;
        Ok(kept.filter(|kept| kept.state == LaneState::Waiting && kept.version == taken.version && kept.was == taken.was))
    }

    /// Looks at a lane again at `due`.
    fn later(&mut self, at: usize, taken: &Lane, due: Millis, changes: &mut Vec<Change>) -> Kept<()> {
        match self.unchanged(taken)? {
            Some(lane) => {
                changes.push(Change::Lane(Lane { due, ..lane }));
                self.look_at(at, due);
            }
            None => self.flows[at].map = true,
        }
        Ok(())
    }

    fn inputs<'a>(
        &'a self,
        at: usize,
        lane: &'a Lane,
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

    fn outcome(&self, at: usize, lane: &Lane, group: &[Json], matched: &BTreeMap<String, Vec<Json>>, targets: &BTreeMap<String, Json>) -> Outcome {
        let (flow, _) = self.flow(at);
        apply(self.world.program, flow, &self.inputs(at, lane, group, targets, matched))
    }

    /// Whether a flow's writes go by what their targets hold.
    pub(super) fn looks_at_targets(&self, at: usize) -> bool {
        let (flow, _) = self.flow(at);
        let mut writes = flow.writes.iter().chain(gone_writes(flow));
        writes.any(|write| self.looks(at, write).any())
    }

    /// How a write goes by what its target holds.
    fn looks(&self, at: usize, write: &Write) -> Looks {
        let spec = self.write_spec(&write.object, write.op, write.key.as_ref().and_then(|key| key.field.as_deref()));
        let reads = self.flow(at).1.target_reads.get(&write.name).is_some_and(|reads| !reads.is_empty());
        Looks {
            reads: reads || !write.guards.is_empty() || spec.as_ref().is_some_and(|spec| spec.replaces),
            keeps: has_policies(&write.body),
            searched: spec.as_ref().is_some_and(|spec| spec.class == 2),
            findable: spec.as_ref().is_some_and(|spec| spec.class < 3),
        }
    }

    /// Which targets have to be read before their writes: those that exist, of writes that look at them, and those that
    /// were never confirmed.
    fn need(&mut self, batch: &mut Batch) -> Kept<()> {
        let (flow, _) = self.flow(batch.flow);
        let at = batch.flow;
        // Where no write ever looks at its target, one pass is enough.
        if !self.looks_at_targets(at) && self.unverified.is_none() {
            return Ok(());
        }
        for (index, lane) in batch.lanes.iter().enumerate() {
            let matched = &batch.matched[index];
            let gone = lane.was == Some(LaneState::Gone);
            let outcome = self.outcome(at, lane, &batch.groups[index], matched, &NOTHING);
            let payloads = if gone { self.gone_payloads(at, lane, matched, &NOTHING) } else { outcome.payloads.clone() };
            let mut rests_on_target = false;
            for payload in &payloads {
                let written = flow.writes.iter().chain(gone_writes(flow)).find(|write| write.name == payload.write);
                let Some(write) = written else { continue };
                let looks = self.looks(at, write);
                if looks.any() {
                    batch.places[index].extend(super::plan_entries::places(payload));
                }
                // What was found by a match says itself what the target holds.
                let matches = write.of.is_some_and(|of| flow.matches.iter().any(|found| found.slot == of));
                let replaces = self.replaces(&payload.object, payload.op, payload.key_field.as_deref());
                if matches && payload.id.is_some() && !replaces {
                    continue;
                }
                let name = payload.key.as_deref().or(payload.id.as_deref()).map(|key| target_of(&payload.write, key));
                let Some(name) = name else { continue };
                let known = self.known(payload)?;
                match known.as_ref().filter(|known| !self.is_unverified(known)) {
                    Some(known) => {
                        rests_on_target = true;
                        let disputes = known.fields.keys().any(|name| name.starts_with('~'));
                        if self.differing(payload, Some(known), None, lane, matched, true).is_empty() {
                            // Nothing would be sent, so nothing is read.
                            batch.targets[index].insert(name, Json::Object(serde_json::Map::new()));
                            continue;
                        }
                        let field = self.id_field(&payload.object);
                        match (known.id.clone().or_else(|| payload.id.clone()), looks.reads || disputes) {
                            (Some(id), true) => {
                                if let Some(companion) = self.companion(payload, &field) {
                                    batch.companions.insert((payload.object.clone(), id.clone()), companion);
                                }
                                if let (Some(key_field), Some(key)) = (&payload.key_field, &payload.key) {
                                    batch.keys.insert((index, name.clone()), (key_field.clone(), key.clone()));
                                }
                                batch.need.entry((payload.object.clone(), vec![field], id, false)).or_default().push((index, name));
                            }
                            // It is there, and that is all that has to be known of it.
                            _ => {
                                batch.targets[index].insert(name, Json::Object(serde_json::Map::new()));
                            }
                        }
                    }
                    None if !self.settings.safety.first_look || !(looks.any() || known.is_some()) || !looks.findable => {}
                    None => {
                        let id = known.as_ref().and_then(|known| known.id.clone()).or_else(|| payload.id.clone());
                        let lot = super::Lot {
                            connection: payload.object.connection.clone(),
                            object: payload.object.object.clone(),
                            op: super::plan_entries::word(payload.op).to_owned(),
                            key_field: payload.key_field.clone(),
                        };
                        let field = if id.is_some() { self.id_field(&payload.object) } else { self.mark_field(&lot) };
                        let marked = || super::outbox::mark_of(payload.key.as_deref(), payload.key_field.as_deref(), &payload.body, &field);
                        let Some(value) = id.or_else(marked) else { continue };
                        let mut fields: BTreeSet<Vec<String>> = BTreeSet::from([vec![self.id_field(&payload.object)]]);
                        if payload.op != crate::check::typed::Op::Create {
                            fields.extend(payload.body.as_object().into_iter().flatten().map(|(name, _)| vec![name.clone()]));
                            fields.extend(self.flow(at).1.target_reads.get(&write.name).into_iter().flatten().cloned());
                        }
                        let path = field.split('.').map(str::to_owned).collect();
                        let wants = (payload.object.clone(), path, value, true);
                        let known_fields = &mut batch.bodies.entry(wants.clone()).or_insert_with(|| (own_fields(&payload.body), BTreeSet::new())).1;
                        known_fields.extend(fields);
                        batch.need.entry(wants).or_default().push((index, name));
                        batch.first[index] = true;
                    }
                }
            }
            if !rests_on_target && !gone {
                batch.outcomes[index] = Some(outcome);
            }
        }
        Ok(())
    }

    /// What a payload's target is thought to hold in the field by which its connector lists several at once.
    fn companion(&self, payload: &Payload, field: &str) -> Option<String> {
        let connector = self.world.connectors.get(&payload.object.connection)?;
        let companion = connector.companion(&payload.object, &[field.to_owned()])?;
        super::plan_entries::text(payload.body.get(companion))
    }

    pub(super) fn target_read(&mut self, id: u64, found: Result<Vec<Found>, Fault>) -> Kept<()> {
        let Some(mut batch) = self.batches.remove(&id) else { return Ok(()) };
        batch.out -= 1;
        match found {
            Ok(found) => batch.found.extend(found),
            Err(fault) => batch.fault = Some(fault),
        }
        if batch.out > 0 {
            self.batches.insert(id, batch);
            return Ok(());
        }
        if let Some(fault) = batch.fault.take() {
            return self.put_off(batch, &fault);
        }
        let all = std::mem::take(&mut batch.found);
        let mut by_value: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
        for found in &all {
            by_value.entry(&found.value).or_default().push(found);
        }
        for ((_, field, value, first), meant) in std::mem::take(&mut batch.need) {
            // Two objects may be looked for by one value: the record says by its field which one it is.
            let has = |found: &&&Found| field.iter().try_fold(&found.record, |at, name| at.get(name)).is_some() || first;
            let found = by_value.get(value.as_str()).and_then(|found| found.iter().find(has));
            for (lane, name) in meant {
                // A system that was brought back from its backup gives ids again: the record says by its key whose it is.
                let is_other = |found: &&&Found| {
                    let Some((key_field, key)) = batch.keys.get(&(lane, name.clone())) else { return false };
                    let held = super::plan_entries::text(found.record.get(key_field.as_str()));
                    held.is_some_and(|held| held.to_lowercase() != key.to_lowercase())
                };
                match found.filter(|found| !is_other(found)) {
                    Some(found) => {
                        batch.targets[lane].insert(name.clone(), found.record.clone());
                        batch.held[lane].insert(name, found.record.clone());
                    }
                    None if !first => {
                        batch.missing[lane].insert(name);
                    }
                    None => {}
                }
            }
        }
        self.finish(batch)
    }

    fn finish(&mut self, batch: Batch) -> Kept<()> {
        self.flows[batch.flow].map = true;
        self.flows[batch.flow].fetch = true;
        let Batch {
            flow: at, lanes, mut groups, mut matched, mut outcomes, mut targets, mut held, mut missing, first, places, waited, written, ..
        } = batch;
        let mut changes = Vec::new();
        let mut claimed: BTreeSet<(String, String, String)> = BTreeSet::new();
        for (index, lane) in lanes.into_iter().enumerate() {
            self.busy.remove(&(at, lane.key.clone()));
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
                found.extend(places[index].iter().cloned());
            }
            if found.iter().any(|target| claimed.contains(target) || written.contains(target) || self.writing.contains_key(target)) {
                let due = self.millis() + 500;
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
                let ends = aside::window_ends(self.world.program, self.flow(at).0, &self.inputs(at, &lane, group, &NOTHING, &UNMATCHED));
                self.watch_window(at, &lane, ends.map(|ends| ends.as_millisecond()), &mut changes);
            }
            let seen = Targets { mapped: &targets, held, missing: &missing };
            self.decided(at, lane, matched, &seen, outcome, waited, &mut changes)?;
        }
        self.keep(&changes)?;
        Ok(())
    }

    /// Holds what was found at a lane's targets, of which this store knows nothing, against what is to be sent. True where
    /// something was found.
    fn look_over(
        &mut self,
        at: usize,
        lane: &Lane,
        outcome: Option<&Outcome>,
        matched: &BTreeMap<String, Vec<Json>>,
        held: &BTreeMap<String, Json>,
        changes: &mut Vec<Change>,
    ) -> Kept<bool> {
        let gone = lane.was == Some(LaneState::Gone);
        let payloads = match outcome {
            Some(outcome) if !gone => outcome.payloads.clone(),
            _ if gone => self.gone_payloads(at, lane, matched, &NOTHING),
            _ => {
                let group = self.members(at, lane)?;
                self.outcome(at, lane, &group, matched, &NOTHING).payloads
            }
        };
        let mut any = false;
        for payload in &payloads {
            let name = payload.key.as_deref().or(payload.id.as_deref()).map(|key| target_of(&payload.write, key));
            let Some(record) = name.and_then(|name| held.get(&name)) else { continue };
            let known = self.known(payload)?;
            if known.as_ref().is_some_and(|known| !self.is_unverified(known)) {
                continue;
            }
            any = true;
            let ledger = self.reconciled(payload, known, record);
            if let Some(id) = &ledger.id {
                changes.push(Change::Link(self.node(at, &lane.key, &payload.object, id)));
            }
            let name = mask::key(payload.key.as_deref().or(payload.id.as_deref()).unwrap_or_default(), true);
            let text = format!("{} {name} is at the target, and this store has not confirmed it: it is compared", payload.object);
            changes.push(Change::Ledger(ledger));
            changes.push(self.event(&lane.flow, &lane.key, "found", text, None));
        }
        Ok(any)
    }

    /// Marks the targets to which nothing would be sent; true where there are some.
    fn satisfied(
        &self,
        outcome: &Outcome,
        lane: &Lane,
        matched: &BTreeMap<String, Vec<Json>>,
        held: &BTreeMap<String, Json>,
        targets: &mut BTreeMap<String, Json>,
    ) -> Kept<bool> {
        let mut any = false;
        for payload in &outcome.payloads {
            let name = payload.key.as_deref().or(payload.id.as_deref()).map(|key| target_of(&payload.write, key));
            let Some(name) = name else { continue };
            let Some(record) = held.get(&name) else { continue };
            let known = self.known(payload)?;
            if known.is_some() && self.differing(payload, known.as_ref(), Some(record), lane, matched, false).is_empty() {
                targets.insert(name, Json::Object(serde_json::Map::new()));
                any = true;
            }
        }
        Ok(any)
    }

    /// Matched records that the flow writes to.
    fn matched_targets(&self, at: usize, matched: &BTreeMap<String, Vec<Json>>) -> Vec<(String, String, String)> {
        let (flow, _) = self.flow(at);
        let writes = || flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
        let written = flow.matches.iter().filter(|found| writes().any(|write| write.of == Some(found.slot)));
        written
            .filter_map(|found| {
                let [one] = matched.get(&found.name)?.as_slice() else { return None };
                let id = super::plan_entries::text(one.get(self.id_field(&found.object).as_str()))?;
                Some((found.object.connection.clone(), found.object.object.clone(), format!("id:{id}")))
            })
            .collect()
    }

    /// What a mapped record becomes. `waited`: something was asked for it since it was taken.
    #[expect(clippy::too_many_arguments, reason = "what a record is judged by, each of another kind")]
    fn decided(
        &mut self,
        at: usize,
        lane: Lane,
        matched: &BTreeMap<String, Vec<Json>>,
        seen: &Targets<'_>,
        outcome: Outcome,
        waited: bool,
        changes: &mut Vec<Change>,
    ) -> Kept<()> {
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
        if lane.was == Some(LaneState::Gone) {
            return self.gone_as_matched(at, lane, "it is gone from the source", seen, changes);
        }
        match outcome.verdict {
            Verdict::NotEligible if lane.delivered.is_some() => self.gone(at, lane, "it has left the flow's `where`", changes),
            Verdict::NotEligible => {
                lane.state = LaneState::NotEligible;
                if self.skipped_by_match(at, &lane) {
                    lane.version = super::version::to_look_again(&lane.version);
                    lane.seen.clear();
                }
                lane.body = None;
                self.mend(&lane, changes)?;
                changes.push(Change::Lane(lane));
                Ok(())
            }
            Verdict::Rejected => {
                lane.state = LaneState::Rejected;
                self.stopped_by(at, &mut lane, "rejected", &outcome.reasons, false, changes)?;
                self.payloads(at, &mut lane, outcome.follow_ups, Some("is rejected"), matched, &Targets::NONE, false, changes)?;
                changes.push(Change::Lane(lane));
                Ok(())
            }
            Verdict::Review => {
                lane.state = LaneState::Review;
                let parked = self.payloads(at, &mut lane, outcome.payloads, None, matched, seen, true, changes)?;
                self.payloads(at, &mut lane, outcome.follow_ups, Some("is in review"), matched, &Targets::NONE, false, changes)?;
                self.stopped_by(at, &mut lane, "review", &outcome.reasons, parked.count > 0, changes)?;
                changes.push(Change::Lane(lane));
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
                    lane.state = if count > 0 { LaneState::Sending } else { LaneState::Review };
                } else if count > 0 {
                    lane.state = LaneState::Sending;
                } else {
                    lane.state = if lane.delivered.is_some() { LaneState::Unchanged } else { LaneState::Delivered };
                    let text = if none {
                        "no write of the flow applies to it: nothing was sent"
                    } else {
                        "the target holds all of it already: nothing was sent"
                    };
                    changes.push(self.event(&flow.name, &lane.key, "unchanged", text.to_owned(), None));
                    // What was told of it as failed, or is not known to have been told as done, is told now.
                    let untold = lane.delivered.is_none() || !self.store.exceptions_of(&lane.flow, &lane.key)?.is_empty();
                    let told = if untold { self.told_done(at, &mut lane, &succeeded, &results, matched, changes)? } else { 0 };
                    self.went_through(at, &mut lane, changes)?;
                    if told > 0 {
                        lane.state = LaneState::Sending;
                    }
                }
                changes.push(Change::Lane(lane));
                Ok(())
            }
        }
    }

    /// Whether a record is of this flow, and a match that found nothing leaves it out. What it belongs to may be made later,
    /// so it is looked at again whenever its source shows it again.
    fn skipped_by_match(&self, at: usize, lane: &Lane) -> bool {
        let (flow, _) = self.flow(at);
        let Some(record) = lane.record().filter(|_| flow.group.is_none() && !flow.matches.is_empty()) else { return false };
        self.with_inputs(record, |inputs| aside::is_eligible(self.world.program, flow, inputs))
    }

    /// How a payload differs from what its target was confirmed to hold. `held`: the target as it was read for it; `kept`: fields
    /// that are only ever set once are left out.
    pub(super) fn differing(
        &self,
        payload: &Payload,
        known: Option<&crate::store::Ledger>,
        held: Option<&Json>,
        lane: &Lane,
        matched: &BTreeMap<String, Vec<Json>>,
        kept: bool,
    ) -> Differs {
        let id_field = self.id_field(&payload.object);
        // The record as it was just read, where this write goes to it.
        let found = payload.id.as_deref().and_then(|id| {
            let own = lane.record().into_iter().filter(|_| lane.key == id);
            let found = matched.values().flatten().filter(|record| record.get(&id_field).and_then(Json::as_str) == Some(id));
            own.chain(found).next()
        });
        let mut differs = self.differs(payload, known, held, found);
        if kept {
            differs.send.retain(|name| payload.policies.get(name) != Some(&Policy::Once));
        }
        differs
    }
}

/// How a write goes by what its target holds.
struct Looks {
    /// It reads it, has a guard, or replaces it.
    reads: bool,
    /// Some of its fields are set once, or where they are empty.
    keeps: bool,
    /// It makes a record that is found by a search only.
    searched: bool,
    /// Its record can be found.
    findable: bool,
}

impl Looks {
    fn any(&self) -> bool {
        self.reads || self.keeps || self.searched
    }
}

/// What stands in a body's own fields, without objects and lists.
fn own_fields(body: &Json) -> Json {
    let fields = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_object() && !value.is_array());
    Json::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The writes of a flow for records that are gone.
fn gone_writes(flow: &Flow) -> impl Iterator<Item = &Write> {
    flow.follow_ups.iter().filter(|after| after.events.contains(&crate::check::typed::Event::IsGone)).flat_map(|after| &after.writes)
}

fn has_policies(body: &crate::check::typed::Body) -> bool {
    body.rows.iter().any(|row| {
        matches!(row.policy, Policy::Once | Policy::IfEmpty)
            || matches!(&row.value, crate::check::typed::RowValue::Object { body, .. } if has_policies(body))
    })
}

/// The targets of a lane's writes, as far as they were read.
pub(super) struct Targets<'a> {
    /// For the mapping: without fields where nothing would be sent to it.
    pub(super) mapped: &'a BTreeMap<String, Json>,
    pub(super) held: &'a BTreeMap<String, Json>,
    pub(super) missing: &'a BTreeSet<String>,
}

static NOT_MISSING: BTreeSet<String> = BTreeSet::new();

impl Targets<'static> {
    pub(super) const NONE: Targets<'static> = Targets { mapped: &NOTHING, held: &NOTHING, missing: &NOT_MISSING };
}

impl<'a> Targets<'a> {
    pub(super) fn of(read: &'a BTreeMap<String, Json>) -> Self {
        Targets { mapped: read, held: read, missing: &NOT_MISSING }
    }

    /// What is kept of them for writes that wait.
    fn kept(&self) -> BTreeMap<String, Json> {
        let mut kept = self.mapped.clone();
        kept.extend(self.held.iter().map(|(name, record)| (name.clone(), record.clone())));
        kept
    }
}
