//! Which records are mapped when: those that wait are taken in batches, as far as there is room for what they become.

use super::{Engine, Job, groups};
use crate::store::{RecordStage, RecordState, StoreResult};

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

impl Engine<'_> {
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
}
