//! A batch: records that are matched, mapped and compared with their targets together.
//!
//! Look-ups are made for all records of a batch at once, with one query for each key field.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::NOTHING;
use super::open_entries::Place;
use super::{Engine, Job};
use crate::connector::Found;
use crate::eval::Outcome;
use crate::eval::queries::{self, Wanted};
use crate::fault::Fault;
use crate::store::{Millis, RecordState, StoreResult};
use crate::value::{Json, ObjectRef};

pub(super) static UNMATCHED: BTreeMap<String, Vec<Json>> = BTreeMap::new();

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
    /// Values whose call has failed by something that passes.
    pub(super) unanswered: BTreeSet<String>,
    /// Lanes for which such a value was looked for: they are taken again, and the others go on.
    pub(super) put_off: BTreeSet<usize>,
    pub(super) fault: Option<Fault>,
    /// By what the newest of them has failed, and what was asked.
    pub(super) trouble: Option<(Stage, Fault)>,
    pub(super) stage: Stage,
    pub(super) waited: bool,
    /// Targets that a write of ours came through to since the batch was taken: what was read of them may be older.
    pub(super) written: BTreeSet<Place>,
    /// When it was taken, by the steady clock.
    pub(super) taken: Millis,
}

/// What is looked for: an object by a field with a value. The last says whether it is for the first time.
pub(super) type Wants = (ObjectRef, Vec<String>, String, bool);

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

impl Stage {
    /// What is asked in it, in words.
    pub(super) fn what(self) -> &'static str {
        match self {
            Stage::Match => "what it matches with",
            Stage::Targets => "what its targets hold",
        }
    }
}

impl Engine<'_> {
    pub(super) fn begin_batch(&mut self, at: usize, lanes: Vec<RecordState>) -> StoreResult<()> {
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
            unanswered: BTreeSet::new(),
            put_off: BTreeSet::new(),
            fault: None,
            trouble: None,
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
                    .filter(|lane| !batch.put_off.contains(lane))
                    .filter(|lane| found.each.is_some() || batch.matched[*lane].get(&found.name).is_none_or(Vec::is_empty))
                    .filter_map(|lane| batch.wanted[lane].get(batch.at.0)?.keys.get(batch.at.1))
                    .flat_map(|(_, values)| values.iter().cloned())
                    .collect();
                if values.is_empty() {
                    batch.at.1 += 1;
                    continue;
                }
                let fields = self.match_fields(flow, batch.flow, &found.name);
                let values: Vec<String> = values.into_iter().collect();
                let job = |of: Vec<String>| Job::Match { batch: id, first, values: of };
                batch.out = self.find(&found.object, &by.field, &values, &fields, job);
                batch.waited = true;
                self.batches.insert(id, batch);
                return Ok(());
            }
            batch.stage = Stage::Targets;
            self.need(&mut batch)?;
            batch.forget_trees();
            let put_off = &batch.put_off;
            batch.need.values_mut().for_each(|meant| meant.retain(|(lane, _)| !put_off.contains(lane)));
            batch.need.retain(|_, meant| !meant.is_empty());
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
                        let job = |of: &[usize]| Job::Target { batch: id, first, values: of.iter().map(|at| values[*at].clone()).collect() };
                        out += self.find_by(&object, &field, &values, &companions, &[], job);
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
}
