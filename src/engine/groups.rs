//! Grouped flows: each record belongs to a group, and a group is mapped as one record.
//!
//! ```text
//! record -> its lane (body kept, `group` set) -> the group's lane, after its poll has ended -> matched, mapped, sent
//! ```
//!
//! No totals are stored. A group is always mapped from the records that are in it now, so a voided record, a late one or a replay
//! gives the same numbers as counting from the start. Only the membership is kept incrementally: groups are mapped again if a poll
//! has changed one of their records, or if a record has left their period.

use std::collections::BTreeMap;

use super::Engine;
use crate::eval::queries;
use crate::ir::walk;
use crate::ir::{ContextVar, Expr, Flow};
use crate::store::{Change, Millis, RecordStage, RecordState, StoreResult, Watch, Watched};
use crate::value::{Json, RawRecord};

/// What the key of a group's lane begins with. The rest is a keyed hash: the value may be an e-mail address.
pub(super) const PREFIX: &str = "group/";
/// Groups for which nothing was found that are looked up again after one poll, at most.
const LOOKED_AGAIN: usize = 1_000;

/// Whether a lane is a group's own.
pub(super) fn is_group(lane: &RecordState) -> bool {
    lane.key.starts_with(PREFIX)
}

/// The state of a lane that is to be mapped anew: a record is read again first, a group has nothing to read.
pub(super) fn anew(flow: &Flow, lane: &RecordState) -> RecordStage {
    if flow.group.is_some() && is_group(lane) { RecordStage::Waiting } else { RecordStage::Fetch }
}

/// Whether what a flow gives depends on the day, so that its groups change without any of their records changing.
pub(super) fn by_the_day(flow: &Flow) -> bool {
    let mut found = false;
    walk::flow_exprs(flow, &mut |expr| found |= matches!(expr, Expr::ContextVar(ContextVar::Now | ContextVar::Today)));
    found && flow.group.is_some()
}

impl Engine<'_> {
    /// The key of a group's lane, for the value that people know it by.
    pub(super) fn group_key(&self, value: &str) -> String {
        key_of(value, &|text| self.store.fingerprint(text))
    }

    /// Counts records in their groups. What they leave and what they come to is mapped later.
    pub(super) fn count_in(&mut self, at: usize, lanes: Vec<RecordState>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let mut changes = Vec::new();
        let mut touched: BTreeMap<String, Option<RawRecord>> = BTreeMap::new();
        let now = self.millis();
        for mut lane in lanes {
            let body = lane.body.clone();
            let record = body.as_ref().map_or(&Json::Null, RawRecord::json);
            let (value, reasons) = self.with_inputs(record, |inputs| queries::group_of(self.world.program, flow, inputs));
            if let Some(left) = lane.group.take() {
                touched.entry(left).or_default();
            }
            lane.plan = Some(self.plan_hash.clone());
            lane.updated = now;
            if let Some(value) = value {
                let key = self.group_key(&value);
                touched.insert(key.clone(), body.map(|body| RawRecord::of(body.json())));
                if lane.state != RecordStage::Delivered || lane.delivered.is_none() {
                    changes.push(self.event(&lane.flow, &lane.key, "counted", "it is counted in its group".to_owned(), None));
                }
                changes.push(Change::Link(self.node(at, &key, &flow.source, &lane.key)));
                lane.group = Some(key);
                lane.state = RecordStage::Delivered;
                lane.delivered = Some(lane.version.clone());
                lane.reasons.clear();
                self.mend(&lane, &mut changes)?;
            } else if reasons.is_empty() {
                lane.state = RecordStage::NotEligible;
                lane.delivered = None;
                lane.body = None;
                self.mend(&lane, &mut changes)?;
            } else {
                lane.state = RecordStage::Rejected;
                lane.delivered = None;
                self.stopped_by(at, &mut lane, "rejected", &reasons, false, &mut changes)?;
            }
            self.moved += 1;
            changes.push(Change::Record(lane));
        }
        for (key, sample) in touched {
            self.touch_group(at, &key, sample, &mut changes)?;
        }
        self.keep(&changes)
    }

    /// A group has changed: it is mapped again. `sample`: one of its records, which tells its value.
    pub(super) fn touch_group(&mut self, at: usize, key: &str, sample: Option<RawRecord>, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let known = self.store.record(&flow.name, key)?;
        let number = self.store.next_arrival()?;
        let now = self.millis();
        let mut lane = match (known, &sample) {
            (Some(known), _) => known,
            (None, Some(_)) => RecordState::new(&flow.name, key, now),
            // A group that was never mapped, and that its only record has left.
            (None, None) => return Ok(()),
        };
        // What the first run finds stays known as such until it went through once: see `counts_history`.
        if lane.arrived == 0 || (lane.state.settled() && !self.counts_history(at, &lane)?) {
            lane.arrived = number;
        }
        if sample.is_some() {
            lane.body = sample;
        }
        lane.version = format!("g{number}");
        lane.attempt = 0;
        lane.updated = now;
        self.wait(at, lane, changes)
    }

    /// All groups of a flow are mapped again.
    pub(super) fn touch_all(&mut self, at: usize) -> StoreResult<u64> {
        let (flow, _) = self.flow(at);
        let groups = self.store.beginning(&flow.name, PREFIX)?;
        let count = groups.len() as u64;
        for part in groups.chunks(500) {
            let mut changes = Vec::new();
            for group in part {
                self.touch_group(at, &group.key, None, &mut changes)?;
            }
            self.keep(&changes)?;
        }
        Ok(count)
    }

    /// Groups for which nothing was found are looked up again: what they belong to may have been made since.
    pub(super) fn look_again(&mut self, at: usize) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        if flow.matches.is_empty() {
            return Ok(());
        }
        let mut skipped = self.store.in_state(Some(&flow.name), RecordStage::NotEligible, usize::MAX)?;
        skipped.retain(is_group);
        // Where most groups belong to nothing, they take turns: a look-up or two for each poll.
        skipped.sort_by_key(|lane| lane.updated);
        let mut changes = Vec::new();
        for lane in skipped.iter().take(LOOKED_AGAIN) {
            self.touch_group(at, &lane.key, None, &mut changes)?;
        }
        self.keep(&changes)
    }

    /// A record is gone from its source: its group counts it no more.
    pub(super) fn gone_from_group(&mut self, at: usize, mut lane: RecordState, why: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        if lane.state == RecordStage::Gone {
            return Ok(());
        }
        let left = lane.group.take();
        lane.state = RecordStage::Gone;
        lane.was = None;
        lane.body = None;
        lane.delivered = None;
        lane.updated = self.millis();
        changes.push(self.event(&lane.flow, &lane.key, "gone", why.to_owned(), None));
        self.close(&lane.flow, &lane.key, "gone", changes)?;
        changes.push(Change::Record(lane));
        if let Some(left) = left {
            self.touch_group(at, &left, None, changes)?;
        }
        Ok(())
    }

    /// The records of a lane's group; none where the flow does not group.
    pub(super) fn members(&self, at: usize, lane: &RecordState) -> StoreResult<Vec<Json>> {
        let (flow, _) = self.flow(at);
        if flow.group.is_none() { Ok(Vec::new()) } else { self.store.members(&flow.name, &lane.key) }
    }

    /// Whether a group was there when the flow ran for the first time, and was never mapped since: what it has reached
    /// by then is history.
    pub(super) fn counts_history(&self, at: usize, lane: &RecordState) -> StoreResult<bool> {
        if lane.delivered.is_some() || !is_group(lane) {
            return Ok(false);
        }
        let (flow, _) = self.flow(at);
        let begun: Option<i64> = self.store.meta(&begun(flow))?.and_then(|text| text.parse().ok());
        Ok(begun.is_none_or(|begun| lane.arrived <= begun))
    }

    /// The first poll of a grouped flow has ended: what arrives from now on is no history.
    pub(super) fn first_poll_ended(&mut self, at: usize) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        if self.store.meta(&begun(flow))?.is_none() {
            // Groups are made when their records are counted, which follows the page: each gets a higher number than
            // this one only if a later poll brings its first record.
            self.flows[at].begins = true;
        }
        Ok(())
    }

    /// All that the first poll brought is counted.
    pub(super) fn begun(&mut self, at: usize) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let number = self.store.next_arrival()?;
        self.flows[at].begins = false;
        self.store.commit(&[Change::Meta { name: begun(flow), value: number.to_string() }])
    }

    /// Looks at a group again when the first of its records leaves the window.
    pub(super) fn watch_window(&mut self, at: usize, lane: &RecordState, ends: Option<Millis>, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        if let Some(due) = ends {
            let now = self.millis();
            self.watch(Watch { what: Watched::Window, flow: flow.name.clone(), lane: lane.key.clone(), since: now, due }, changes);
        }
    }

    /// Once a day, the groups of a flow whose values depend on the day are mapped again.
    pub(super) fn new_day(&mut self, at: usize) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        if !self.flows[at].by_the_day {
            return Ok(());
        }
        let today = self.now.to_zoned(self.world.program.zone().clone()).date().to_string();
        let name = format!("day {}", flow.name);
        if self.store.meta(&name)?.as_deref() != Some(today.as_str()) {
            self.touch_all(at)?;
            self.store.commit(&[Change::Meta { name, value: today }])?;
        }
        Ok(())
    }
}

fn begun(flow: &Flow) -> String {
    format!("begun {}", flow.name)
}

/// The key of a group's lane.
pub fn key_of(value: &str, fingerprint: &dyn Fn(&[u8]) -> String) -> String {
    format!("{PREFIX}{}", fingerprint(value.as_bytes()))
}
