//! Timers in the store: expectations, late writes, and deadlines of the engine itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::alerts::Raise;
use super::records::matched_of;
use crate::eval::{Inputs, queries};
use crate::ir::{Deadline, Expect};
use crate::store::{Change, Millis, Reason, RecordStage, RecordState, StoreResult, Watch, Watched};
use crate::value::Json;

/// The beginning of every cause of expectations.
pub(super) const EXPECTATION: &str = "expectation ";
/// Records of another flow that one record's promise may be kept by, at most.
const MOST_LINKED: usize = 200;
/// How soon, and how late, one is looked at again, in milliseconds.
const SOONEST: Millis = 30_000;
const LATEST: Millis = 15 * 60_000;

pub(super) fn settle(target: &(String, String, String), since: Millis, due: Millis) -> Watch {
    let (connection, object, key) = target;
    Watch { what: Watched::Settle, flow: format!("{connection}.{object}"), lane: key.clone(), since, due }
}

/// The target that such a watch is about, and until when.
pub(super) fn target_of(watch: &Watch) -> Option<((String, String, String), Millis)> {
    let (connection, object) = watch.flow.split_once('.')?;
    Some(((connection.to_owned(), object.to_owned(), watch.lane.clone()), watch.due))
}

impl Engine<'_> {
    pub(super) fn watch(&mut self, watch: Watch, changes: &mut Vec<Change>) {
        self.watch_at = Some(self.watch_at.map_or(watch.due, |at| at.min(watch.due)));
        changes.push(Change::Watch(watch));
    }

    /// A record was delivered: what is expected of it from now on. `first`: it was never delivered before.
    ///
    /// A later version may be one that the promise is not about (a cancelled order): then nothing is expected any more. And
    /// one that the promise is about from now on is watched like a new one, unless the promise is kept or was told already.
    pub(super) fn expect(&mut self, at: usize, lane: &RecordState, first: bool, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let now = self.millis();
        let plan = self.world.plan;
        for expect in plan.mapping.expects.iter().filter(|expect| expect.flow == flow.name) {
            let (applies, _, _) = self.words_of(at, expect, lane, now);
            if !applies {
                if !first {
                    changes.push(Change::DropWatch {
                        what: Watched::Expectation(expect.name.clone()),
                        flow: lane.flow.clone(),
                        lane: lane.key.clone(),
                    });
                }
                continue;
            }
            if first || (expect.filter.is_some() && !self.is_watched(expect, lane)?) {
                self.await_seen(at, expect, lane, changes);
            }
        }
        Ok(())
    }

    /// Begins to wait for the other half of a record's promise.
    fn await_seen(&mut self, at: usize, expect: &Expect, lane: &RecordState, changes: &mut Vec<Change>) {
        let now = self.millis();
        let (applies, _, before) = self.words_of(at, expect, lane, now);
        let due = match expect.deadline {
            Deadline::Within(time) => Some(now + time),
            Deadline::Before(_) => before.map(|before| before.as_millisecond()),
        };
        if let (true, Some(due)) = (applies, due) {
            let watch = Watch { what: Watched::Expectation(expect.name.clone()), flow: lane.flow.clone(), lane: lane.key.clone(), since: now, due };
            self.watch(watch, changes);
        }
    }

    /// Whether a promise about a record is waited for, kept, or was told not to be.
    fn is_watched(&self, expect: &Expect, lane: &RecordState) -> StoreResult<bool> {
        if self.store.watches_of(&lane.flow, &lane.key)?.iter().any(|watch| watch.what == Watched::Expectation(expect.name.clone()))
            || self.is_seen(expect, &lane.flow, &lane.key)?
        {
            return Ok(true);
        }
        Ok(self.store.events(&lane.flow, &lane.key)?.iter().any(|event| matches!(event.kind.as_str(), "expectation" | "late")))
    }

    /// Whether the other half of a promise is delivered.
    fn is_seen(&self, expect: &Expect, flow: &str, key: &str) -> StoreResult<bool> {
        for (flow, key) in self.store.linked(flow, key, Some(&expect.seen), MOST_LINKED)? {
            if self.store.record(&flow, &key)?.is_some_and(|lane| lane.delivered.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What kept a promise is gone (a voided label): the records that it belonged to are waited for anew.
    pub(super) fn expect_anew(&mut self, gone: &RecordState, changes: &mut Vec<Change>) -> StoreResult<()> {
        let plan = self.world.plan;
        for expect in plan.mapping.expects.iter().filter(|expect| expect.seen == gone.flow) {
            let Some(at) = self.flow_named(&expect.flow) else { continue };
            for (flow, key) in self.store.linked(&gone.flow, &gone.key, Some(&expect.flow), MOST_LINKED)? {
                let Some(lane) = self.store.record(&flow, &key)?.filter(|lane| lane.delivered.is_some()) else { continue };
                self.await_seen(at, expect, &lane, changes);
            }
        }
        Ok(())
    }

    fn words_of(&self, at: usize, expect: &Expect, lane: &RecordState, since: Millis) -> (bool, String, Option<Timestamp>) {
        let (flow, _) = self.flow(at);
        let (matched, none) = (matched_of(lane), BTreeMap::new());
        let nothing = BTreeMap::new();
        let group = self.members(at, lane).unwrap_or_default();
        let inputs = Inputs {
            record: lane.record().unwrap_or(&Json::Null),
            group: &group,
            was_of_group: lane.record().filter(|_| flow.group.is_some()),
            now: self.now,
            matched: &matched,
            targets: &none,
            results: &nothing,
            names: self.world.names,
            trace: false,
        };
        queries::expectation(self.world.program, flow, expect, &inputs, Timestamp::from_millisecond(since).unwrap_or(self.now))
    }

    pub(super) fn timers(&mut self) -> StoreResult<()> {
        self.due_entries()?;
        let now = self.millis();
        for state in &mut self.flows {
            if state.look.is_some_and(|look| look <= now) {
                state.look = None;
                state.map = true;
                state.fetch = true;
            }
        }
        if self.watch_at.is_some_and(|at| at <= now) {
            self.due_watches()?;
        }
        self.look_around()
    }

    fn due_watches(&mut self) -> StoreResult<()> {
        const AT_ONCE: usize = 200;
        let due = self.store.watches(self.millis(), AT_ONCE)?;
        let mut changes = Vec::new();
        for watch in &due {
            changes.push(Change::DropWatch { what: watch.what.clone(), flow: watch.flow.clone(), lane: watch.lane.clone() });
            if watch.what == Watched::Settle {
                if let Some((target, _)) = target_of(watch) {
                    self.unsettled.remove(&target);
                }
                continue;
            }
            let Some(at) = self.flow_named(&watch.flow) else { continue };
            let Some(lane) = self.store.record(&watch.flow, &watch.lane)? else { continue };
            let name = match &watch.what {
                Watched::Window => {
                    self.touch_group(at, &watch.lane, None, &mut changes)?;
                    continue;
                }
                Watched::Late { write, after } => {
                    self.late(at, lane, write, *after, &mut changes)?;
                    continue;
                }
                // Done above.
                Watched::Settle => continue,
                Watched::Expectation(name) | Watched::Unmet(name) => name,
            };
            let plan = self.world.plan;
            let Some(expect) = plan.mapping.expects.iter().find(|expect| expect.name == *name) else { continue };
            let expected = self.still_expected(at, expect, &lane, watch.since)?;
            if matches!(watch.what, Watched::Unmet(_)) {
                self.look_at_unmet(expect, &lane, watch, expected, &mut changes)?;
            } else if expected {
                self.unmet(at, expect, lane, watch, &mut changes)?;
            }
        }
        self.keep(&changes)?;
        self.watch_at = self.store.next_watch()?;
        Ok(())
    }

    /// Whether what was expected of a record still is, and has not been seen: one that was cancelled since, or that left
    /// its flow, owes nothing.
    fn still_expected(&self, at: usize, expect: &Expect, lane: &RecordState, since: Millis) -> StoreResult<bool> {
        let left = matches!(lane.state, RecordStage::Gone | RecordStage::Discarded | RecordStage::NotEligible);
        Ok(!left && self.words_of(at, expect, lane, since).0 && !self.is_seen(expect, &lane.flow, &lane.key)?)
    }

    /// A promise that was broken is looked at until it is kept after all: then its alert ends.
    fn look_at_unmet(&mut self, expect: &Expect, lane: &RecordState, watch: &Watch, expected: bool, changes: &mut Vec<Change>) -> StoreResult<()> {
        let now = self.millis();
        if expected {
            // One that has been open for long is looked at less often.
            let wait = ((now - watch.since) / 100).clamp(SOONEST, LATEST);
            self.watch(Watch { due: now + wait, ..watch.clone() }, changes);
            return Ok(());
        }
        changes.push(self.event(&lane.flow, &lane.key, "expectation", format!("`{}` is met, or no longer expected", expect.name), None));
        if expect.review {
            for mut exception in self.store.exceptions_of(&lane.flow, &lane.key)?.into_iter().filter(|open| open.code == "late") {
                exception.closed = Some(now);
                exception.closed_by = Some("mended".to_owned());
                changes.push(Change::Exception(exception));
            }
        }
        Ok(())
    }

    fn unmet(&mut self, at: usize, expect: &Expect, mut lane: RecordState, watch: &Watch, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (_, message, _) = self.words_of(at, expect, &lane, watch.since);
        let masked = self.scrubbed(&lane, &message)?;
        let subject = lane.label.clone().unwrap_or_else(|| lane.key.clone());
        if expect.review {
            let reason = Reason {
                kind: "expectation".to_owned(),
                message,
                field: None,
                place: Some(format!("{}:{}", expect.place.file, expect.place.line)),
                owner: expect.owner.clone(),
                before: None,
                review: true,
            };
            let reasons = lane.reasons.clone();
            self.stopped(at, &mut lane, "late", &[reason], false, changes)?;
            // The record itself is delivered: what is stopped is its other half.
            lane.reasons = reasons;
            changes.push(Change::Record(lane));
        } else {
            changes.push(self.event(&lane.flow, &lane.key, "expectation", format!("`{}` is not met: {masked}", expect.name), None));
            let cause = format!("{EXPECTATION}{}", expect.name);
            let owner = expect.owner.clone();
            self.raise(Raise { cause, kind: "expectation", subject, message: masked, owner, before: None, lasting: true }, changes)?;
        }
        let due = self.millis() + SOONEST;
        self.watch(
            Watch { what: Watched::Unmet(expect.name.clone()), flow: watch.flow.clone(), lane: watch.lane.clone(), since: watch.since, due },
            changes,
        );
        Ok(())
    }

    /// When the engine wants to be asked again.
    pub(super) fn wake(&self) -> StoreResult<Option<SignedDuration>> {
        let now = self.millis();
        let mut at: Vec<Millis> = Vec::new();
        at.extend(self.later.first().map(|(due, _)| *due));
        at.extend(self.watch_at);
        at.extend(self.tells_at());
        at.extend(self.drops_at());
        at.push(now + self.looks_in());
        if !self.settings.once {
            at.push(self.controls_at + self.settings.controls);
        }
        for state in self.flows.iter().filter(|state| state.on) {
            at.extend(state.next);
            at.extend(state.look);
            // Where nothing more is mapped before something was sent, its answer wakes the engine.
            if (state.map && !self.full) || state.fetch {
                at.push(now + 1);
            }
        }
        for (connection, queue) in &self.pending_calls {
            if !queue.is_empty() {
                at.extend(self.opens(connection));
            }
        }
        for lot in self.ready.keys().chain(self.bisected.iter().map(|(lot, _)| lot)) {
            // What is ready and not sent waits for its connection, or for more of its kind.
            at.extend(self.opens(&lot.connection).map(|opens| if opens > now + 1 { opens } else { now + 250 }));
        }
        let first = at.into_iter().min().map(|at| at.max(now + 1));
        Ok(first.map(|at| SignedDuration::from_millis(at - now)))
    }

    pub(super) fn controls(&mut self) -> StoreResult<()> {
        let now = self.millis();
        if now < self.controls_at + self.settings.controls && self.controls_at > 0 {
            return Ok(());
        }
        self.controls_at = now;
        for control in self.store.controls()? {
            let answer = self.obey(&control.body)?;
            self.store.commit(&[Change::Answer { id: control.id, answer }])?;
        }
        Ok(())
    }
}
