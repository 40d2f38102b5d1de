//! What a mapped record becomes: entries of the outbox, an exception, or nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::batch::{Batch, UNMATCHED};
use super::creations::Creation;
use super::open_entries::{Place, place};
use super::plan_entries::Made;
use super::records::keep_targets;
use super::targets::Targets;
use crate::eval::queries;
use crate::eval::{Inputs, Outcome, Verdict, apply};
use crate::ir::{Match, MatchOutcome};
use crate::store::{Change, Millis, RecordStage, RecordState, StoreResult};
use crate::value::Json;

/// Of them so many are decided in one commit: what they become is in memory until then.
const DECIDED: usize = 250;

pub(super) static NOTHING: BTreeMap<String, Json> = BTreeMap::new();

impl Engine<'_> {
    pub(super) fn finish(&mut self, batch: Batch) -> StoreResult<()> {
        if batch.waited {
            let flow = self.flow(batch.flow).0.name.as_str();
            for (index, lane) in batch.lanes.iter().enumerate() {
                if !batch.put_off.contains(&index) {
                    self.is_answered(flow, &lane.key);
                }
            }
            if batch.put_off.len() < batch.lanes.len() {
                self.can_look_up(batch.flow)?;
            }
        }
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
            put_off,
            trouble,
            ..
        } = batch;
        let mut changes = Vec::new();
        let mut claimed: BTreeSet<Place> = BTreeSet::new();
        self.forget_creations(taken);
        let mut creating: BTreeMap<String, String> = BTreeMap::new();
        for (index, lane) in lanes.into_iter().enumerate() {
            self.leased.remove(&(at, lane.key.clone()));
            if index > 0 && index % DECIDED == 0 {
                self.keep(&std::mem::take(&mut changes))?;
            }
            if put_off.contains(&index) {
                let mut wait = 1_000;
                if let Some((stage, fault)) = &trouble {
                    wait = self.is_unanswered(&self.flow(at).0.name, &lane.key, stage.what(), fault)?;
                }
                // Until the connection is open again there is no use in trying.
                let due = self.millis() + wait.max(1_000);
                self.later(at, &lane, due, &mut changes)?;
                continue;
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
                let due = self.put_off_by(at, &lane.key, &found);
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
            let of_batch = creates.iter().any(|value| creating.get(value).is_some_and(|other| *other != lane.key));
            if let Some(due) = self.created_until(at, &creates, &lane.key, of_batch, taken) {
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
        let flow = &self.flow(at).0.name;
        self.creating.extend(creating.into_iter().map(|(value, lane)| (value, Creation::of(flow, &lane))));
        Ok(())
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

    /// The lane as it is kept now, if nothing has happened to it since it was taken. Where something has, what was
    /// asked for is about an older state, and the lane is taken again.
    pub(super) fn unchanged(&mut self, taken: &RecordState) -> StoreResult<Option<RecordState>> {
        let kept = self.store.record(&taken.flow, &taken.key)?;
        Ok(kept.filter(|kept| kept.state == RecordStage::Waiting && kept.version == taken.version && kept.was == taken.was))
    }

    /// Looks at a lane again at `due`.
    pub(super) fn later(&mut self, at: usize, taken: &RecordState, due: Millis, changes: &mut Vec<Change>) -> StoreResult<()> {
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
