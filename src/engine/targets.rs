//! What targets hold: which writes depend on it, reading it in batches, and comparing it with a payload.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::Batch;
use super::decide::NOTHING;
use super::recover::Differs;
use super::{Engine, mask};
use crate::connector::Found;
use crate::eval::{Outcome, Payload, target_of};
use crate::fault::Fault;
use crate::ir::{Flow, Policy, Write};
use crate::store::{Change, RecordStage, RecordState, StoreResult};
use crate::system::Guarantee;
use crate::value::Json;

static NOT_MISSING: BTreeSet<String> = BTreeSet::new();

impl Engine<'_> {
    /// Whether a flow's writes go by what their targets hold.
    pub(super) fn looks_at_targets(&self, at: usize) -> bool {
        let (flow, _) = self.flow(at);
        let mut writes = flow.writes.iter().chain(gone_writes(flow));
        writes.any(|write| self.looks(at, write).any())
    }

    /// How a write goes by what its target holds.
    pub(super) fn looks(&self, at: usize, write: &Write) -> Looks {
        let spec = self.write_spec(&write.object, write.op, write.key.as_ref().and_then(|key| key.field.as_deref()));
        let reads = self.flow(at).1.target_reads.get(&write.name).is_some_and(|reads| !reads.is_empty());
        Looks {
            reads: reads || !write.guards.is_empty() || spec.as_ref().is_some_and(|spec| spec.replaces),
            keeps: has_policies(&write.body),
            searched: spec.as_ref().is_some_and(|spec| spec.guarantee == Guarantee::Searchable),
            findable: spec.as_ref().is_some_and(|spec| spec.guarantee < Guarantee::Unprotected),
        }
    }

    /// Which targets have to be read before their writes: those that exist, of writes that look at them, and those that
    /// were never confirmed.
    pub(super) fn need(&mut self, batch: &mut Batch) -> StoreResult<()> {
        let (flow, _) = self.flow(batch.flow);
        let at = batch.flow;
        // Where no write ever looks at its target, one pass is enough.
        if !self.looks_at_targets(at) && self.unverified.is_none() {
            return Ok(());
        }
        for (index, lane) in batch.lanes.iter().enumerate() {
            let matched = &batch.matched[index];
            let gone = lane.was == Some(RecordStage::Gone);
            let outcome = self.outcome(at, lane, &batch.groups[index], matched, &NOTHING);
            let payloads = if gone { self.gone_payloads(at, lane, matched, &NOTHING) } else { outcome.payloads.clone() };
            let mut rests_on_target = false;
            for payload in &payloads {
                let written = flow.writes.iter().chain(gone_writes(flow)).find(|write| write.name == payload.write);
                let Some(write) = written else { continue };
                let looks = self.looks(at, write);
                if looks.any() {
                    batch.places[index].extend(super::open_entries::places(payload));
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
                        let lot = super::BatchKey {
                            connection: payload.object.connection.clone(),
                            object: payload.object.object.clone(),
                            op: payload.op.word().to_owned(),
                            key_field: payload.key_field.clone(),
                        };
                        let field = if id.is_some() { self.id_field(&payload.object) } else { self.mark_field(&lot) };
                        let marked = || super::doubt::mark_of(payload.key.as_deref(), payload.key_field.as_deref(), &payload.body, &field);
                        let Some(value) = id.or_else(marked) else { continue };
                        let mut fields: BTreeSet<Vec<String>> = BTreeSet::from([vec![self.id_field(&payload.object)]]);
                        if payload.op != crate::ir::Operation::Create {
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
    pub(super) fn companion(&self, payload: &Payload, field: &str) -> Option<String> {
        let connector = self.world.connectors.get(&payload.object.connection)?;
        let companion = connector.companion(&payload.object, &[field.to_owned()])?;
        super::plan_entries::text(payload.body.get(companion))
    }

    pub(super) fn target_read(&mut self, id: u64, values: Vec<String>, found: Result<Vec<Found>, Fault>) -> StoreResult<()> {
        let Some((mut batch, all)) = self.answered(id, values, found)? else { return Ok(()) };
        let unanswered = std::mem::take(&mut batch.unanswered);
        let asked = batch.need.iter().filter(|(wants, _)| unanswered.contains(&wants.2)).flat_map(|(_, meant)| meant);
        batch.put_off.extend(asked.map(|(lane, _)| *lane));
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
                    batch.keys.get(&(lane, name.clone())).is_some_and(|(key_field, key)| is_of_another(&found.record, key_field, key))
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

    /// Holds what was found at a lane's targets, of which this store knows nothing, against what is to be sent. True where
    /// something was found.
    pub(super) fn look_over(
        &mut self,
        at: usize,
        lane: &RecordState,
        outcome: Option<&Outcome>,
        matched: &BTreeMap<String, Vec<Json>>,
        held: &BTreeMap<String, Json>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<bool> {
        let gone = lane.was == Some(RecordStage::Gone);
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
            let text = format!("{} {name} is at the target, and this store has not written it: it is compared", payload.object);
            changes.push(Change::Target(ledger));
            changes.push(self.event(&lane.flow, &lane.key, "found", text, None));
        }
        Ok(any)
    }

    /// Marks the targets to which nothing would be sent; true where there are some.
    pub(super) fn satisfied(
        &self,
        outcome: &Outcome,
        lane: &RecordState,
        matched: &BTreeMap<String, Vec<Json>>,
        held: &BTreeMap<String, Json>,
        targets: &mut BTreeMap<String, Json>,
    ) -> StoreResult<bool> {
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
    pub(super) fn matched_targets(&self, at: usize, matched: &BTreeMap<String, Vec<Json>>) -> Vec<super::open_entries::Target> {
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

    /// How a payload differs from what its target was confirmed to hold. `held`: the target as it was read for it; `kept`: fields
    /// that are only ever set once are left out.
    pub(super) fn differing(
        &self,
        payload: &Payload,
        known: Option<&crate::store::TargetState>,
        held: Option<&Json>,
        lane: &RecordState,
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
pub(super) struct Looks {
    /// It reads it, has a guard, or replaces it.
    pub(super) reads: bool,
    /// Some of its fields are set once, or where they are empty.
    pub(super) keeps: bool,
    /// It makes a record that is found by a search only.
    pub(super) searched: bool,
    /// Its record can be found.
    pub(super) findable: bool,
}

impl Looks {
    pub(super) fn any(&self) -> bool {
        self.reads || self.keeps || self.searched
    }
}

/// What stands in a body's own fields, without objects and lists.
pub(super) fn own_fields(body: &Json) -> Json {
    let fields = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_object() && !value.is_array());
    Json::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether a target's record has another key than the one that is meant.
pub(super) fn is_of_another(record: &Json, key_field: &str, key: &str) -> bool {
    super::plan_entries::text(record.get(key_field)).is_some_and(|held| held.to_lowercase() != key.to_lowercase())
}

/// The writes of a flow for records that are gone.
pub(super) fn gone_writes(flow: &Flow) -> impl Iterator<Item = &Write> {
    flow.follow_ups.iter().filter(|after| after.events.contains(&crate::ir::Event::IsGone)).flat_map(|after| &after.writes)
}

pub(super) fn has_policies(body: &crate::ir::Body) -> bool {
    body.rows.iter().any(|row| {
        matches!(row.policy, Policy::Once | Policy::IfEmpty) || matches!(&row.value, crate::ir::RowValue::Object { body, .. } if has_policies(body))
    })
}

/// The targets of a lane's writes, as far as they were read.
pub(super) struct Targets<'a> {
    /// For the mapping: without fields where nothing would be sent to it.
    pub(super) mapped: &'a BTreeMap<String, Json>,
    pub(super) held: &'a BTreeMap<String, Json>,
    pub(super) missing: &'a BTreeSet<String>,
}

impl Targets<'static> {
    pub(super) const NONE: Targets<'static> = Targets { mapped: &NOTHING, held: &NOTHING, missing: &NOT_MISSING };
}

impl<'a> Targets<'a> {
    pub(super) fn of(read: &'a BTreeMap<String, Json>) -> Self {
        Targets { mapped: read, held: read, missing: &NOT_MISSING }
    }

    /// What is kept of them for writes that wait.
    pub(super) fn kept(&self) -> BTreeMap<String, Json> {
        let mut kept = self.mapped.clone();
        kept.extend(self.held.iter().map(|(name, record)| (name.clone(), record.clone())));
        kept
    }
}
