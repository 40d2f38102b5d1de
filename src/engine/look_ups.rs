//! What a batch asks other systems: the calls, and what becomes of their answers.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::{Batch, Wants};
use super::{CallRequest, Engine, Job};
use crate::connector::Found;
use crate::fault::Fault;
use crate::ir::Flow;
use crate::store::{Change, Millis, RecordStage, StoreResult};
use crate::value::{Json, ObjectRef};

/// After how long a look-up is tried again whose question was refused.
const REFUSED_AGAIN: Millis = 5 * 60_000;

impl Engine<'_> {
    /// Asks for records of another side, in as many calls as its connector needs; gives their number. `job`: by the values of a call.
    pub(super) fn find(
        &mut self,
        object: &ObjectRef,
        field: &[String],
        values: &[String],
        fields: &[Vec<String>],
        job: impl Fn(Vec<String>) -> Job,
    ) -> usize {
        self.find_by(object, field, values, &[], fields, |of| job(of.iter().map(|at| values[*at].clone()).collect()))
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
            let values = wants.iter().map(|wants| wants.2.clone()).collect();
            self.want(&object.connection, ask, Job::Target { batch, first, values });
            calls += 1;
        }
        calls
    }

    /// What is fetched of a matched record: what the mapping reads of it, and what it writes to it.
    pub(super) fn match_fields(&self, flow: &Flow, at: usize, name: &str) -> Vec<Vec<String>> {
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

    /// Takes one of a batch's answers; gives the batch and all that was found for it, once the last one is there. `values`: what the call
    /// looked for. A call that fails by something that passes leaves its values unanswered: where each value takes a call of its own,
    /// one that fails must not keep all others from their answers. A call that is refused ends the batch.
    pub(super) fn answered(&mut self, id: u64, values: Vec<String>, found: Result<Vec<Found>, Fault>) -> StoreResult<Option<(Batch, Vec<Found>)>> {
        let Some(mut batch) = self.batches.remove(&id) else { return Ok(None) };
        batch.out -= 1;
        match found {
            Ok(found) => batch.found.extend(found),
            Err(fault) if fault.may_pass() => {
                batch.unanswered.extend(values);
                batch.trouble = Some((batch.stage, fault));
            }
            Err(fault) => batch.fault = Some(fault),
        }
        if batch.out > 0 {
            self.batches.insert(id, batch);
            return Ok(None);
        }
        if let Some(fault) = batch.fault.take() {
            self.refused_look_up(batch, &fault)?;
            return Ok(None);
        }
        let found = std::mem::take(&mut batch.found);
        Ok(Some((batch, found)))
    }

    pub(super) fn matched(&mut self, id: u64, values: Vec<String>, found: Result<Vec<Found>, Fault>) -> StoreResult<()> {
        let Some((mut batch, found)) = self.answered(id, values, found)? else { return Ok(()) };
        let unanswered = std::mem::take(&mut batch.unanswered);
        let keys = |lane: &usize| batch.wanted[*lane].get(batch.at.0).and_then(|wanted| wanted.keys.get(batch.at.1));
        let lacks = |lane: &usize| keys(lane).is_some_and(|(_, values)| values.iter().any(|value| unanswered.contains(value)));
        let put_off: Vec<usize> = (0..batch.lanes.len()).filter(|_| !unanswered.is_empty()).filter(lacks).collect();
        batch.put_off.extend(put_off);
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

    /// What a batch asks is refused.
    pub(super) fn refused_look_up(&mut self, batch: Batch, fault: &Fault) -> StoreResult<()> {
        self.flows[batch.flow].map = true;
        self.flows[batch.flow].fetch = true;
        for lane in &batch.lanes {
            self.leased.remove(&(batch.flow, lane.key.clone()));
        }
        let mut changes = Vec::new();
        if matches!(fault, Fault::BatchRefused(_)) {
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
            let message = format!("`{}` cannot look up {}: {}", self.flow(at).0.name, batch.stage.what(), self.words(fault).message);
            let subject = self.flow(at).0.name.clone();
            self.cannot_look_up(at, &subject, message)?;
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
}
