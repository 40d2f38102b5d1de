//! Before an update is repeated, or after it has waited, its target is read again, so that it keeps what others have entered since.
//!
//! Some systems replace a record as a whole and take no condition: an update is laid over what was read before. The shorter the time
//! between the two, the less often an edit falls into it.

use std::collections::BTreeSet;

use super::doubt::AGAIN;
use super::open_entries::OpenEntry;
use super::outbox::moved;
use super::targets::is_of_another;
use super::{BatchKey, Engine, Job};
use crate::connector::Found;
use crate::fault::Fault;
use crate::store::{Change, Entry, EntryState, Millis, StoreResult};

/// For how long what was read of a target is laid under an update, in milliseconds.
pub(super) const BASE_KEPT: Millis = 5_000;
/// How often a target is read again for one try of an update. Where its answers take longer than a base is kept, it goes all the same.
const MOST_READ: u8 = 2;
/// At most so many targets are read together: what is read has to be sent soon.
const READ_TOGETHER: usize = 100;
/// At most so many updates with an old base are passed over in search of one that can go.
pub(super) const PASSED_OVER: usize = 1_000;

/// How often a read is tried that is refused, for an update that was never sent.
const MOST_REFUSED: u32 = 6;

/// A target that was read again for an update that is about to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    /// When, by the steady clock.
    at: Millis,
    times: u8,
}

impl Engine<'_> {
    /// Whether an entry of a write that replaces is an update which would lay an older state of its target over it: its outcome is not
    /// known, or it has waited. One that was tried before has waited, and so has one that an earlier process made, whatever the clock says.
    pub(super) fn has_old_base(&self, entry: &OpenEntry) -> bool {
        let keeps = self.settings.safety.keep;
        let is_old = match self.based.get(&entry.id) {
            None => {
                let has_waited = || !(0..=BASE_KEPT).contains(&(self.millis() - entry.created));
                entry.doubted.is_some() || (keeps && (entry.attempt > 0 || entry.id < self.own_entries || has_waited()))
            }
            Some(base) => keeps && base.times < MOST_READ && self.steady() - base.at > BASE_KEPT,
        };
        is_old && entry.target.is_some() && self.settings.safety.look_up
    }

    /// Of what is ready: updates whose targets were read anew.
    pub(super) fn based_among(&self, ready: &BTreeSet<(bool, i64)>) -> Vec<(bool, i64)> {
        let place = |id: &i64| self.open_entries.get(*id).map(|entry| (!entry.first, *id));
        self.based.keys().filter_map(place).filter(|place| ready.contains(place)).collect()
    }

    /// How many targets may be read together now: each may take a call, and the update that they are for has to find room behind them.
    pub(super) fn read_together(&self, connection: &str) -> usize {
        let left = self.world.connectors.get(connection).map_or(0, |connector| connector.limit().left(self.now));
        let room = left.saturating_sub(self.connections.get(connection).map_or(0, |line| line.out)).saturating_sub(1);
        usize::try_from(room).unwrap_or(READ_TOGETHER).clamp(1, READ_TOGETHER)
    }

    /// Whether targets are being read for updates. What more is read then would be old when its turn comes.
    pub(super) fn reads_bases(&self, connection: &str) -> bool {
        let reads = |job: &Job| matches!(job, Job::Base { .. });
        self.jobs.values().any(|(of, job)| of == connection && reads(job))
            || self.pending_calls.get(connection).is_some_and(|queue| queue.iter().any(|(_, job)| reads(job)))
    }

    /// Reads the targets of some entries. Until they are read, the entries wait.
    pub(super) fn read_bases(&mut self, lot: &BatchKey, ids: &[i64]) -> StoreResult<()> {
        for id in ids {
            self.not_ready(lot, *id);
        }
        let entries = self.there(ids)?;
        let (object, field) = (lot.object(), vec![self.id_field(&lot.object())]);
        let companion = self.world.connectors.get(&lot.connection).and_then(|connector| connector.companion(&object, &field));
        let named = |entry: &Entry| super::plan_entries::text(entry.held.as_ref().unwrap_or(&entry.body).get(companion?));
        let companions: Vec<Option<String>> = entries.iter().map(named).collect();
        let values: Vec<String> = entries.iter().map(|entry| entry.target.clone().unwrap_or_default()).collect();
        let job = |group: &[usize]| Job::Base { ids: group.iter().map(|at| entries[*at].id).collect() };
        self.find_by(&object, &field, &values, &companions, &[], job);
        Ok(())
    }

    /// What the targets of some entries hold now. One that is not found any more goes as it was made: its target decides.
    pub(super) fn bases_read(&mut self, ids: &[i64], found: Result<Vec<Found>, Fault>) -> StoreResult<()> {
        let now = self.millis();
        let mut changes = Vec::new();
        let mut entries = self.there(ids)?;
        // A newer version may have taken an entry's place meanwhile.
        entries.retain(|entry| self.open_entries.get(entry.id).is_some_and(|head| head.state == EntryState::Planned));
        let found = match found {
            Ok(found) => found,
            Err(fault) => return self.bases_unread(entries, &fault),
        };
        for mut entry in entries {
            self.is_answered(&entry.flow, &entry.lane);
            let of_another = |record| matches!((&entry.key_field, &entry.key), (Some(field), Some(key)) if is_of_another(record, field, key));
            let held = found.iter().find(|found| entry.target.as_ref() == Some(&found.value)).map(|found| &found.record);
            if let Some(held) = held.filter(|record| !of_another(record)) {
                entry.held = Some(held.clone());
            }
            let times = self.based.get(&entry.id).map_or(1, |base| base.times + 1);
            self.based.insert(entry.id, Base { at: self.steady(), times });
            changes.push(Change::Entry(Entry { due: now, ..entry }));
        }
        self.keep(&changes)?;
        // What waits in a half of a batch goes with that.
        for (lot, id) in self.bisected.iter().flat_map(|(lot, half)| half.iter().map(move |id| (lot.clone(), *id))).collect::<Vec<_>>() {
            self.not_ready(&lot, id);
        }
        Ok(())
    }

    /// The targets of some entries cannot be read. None of them goes over what is not known: it could take back what others have entered.
    ///
    /// What passes is waited for, and told where it lasts. A target that does not take the question is asked some times more for what was
    /// never sent, and then a person has to look.
    fn bases_unread(&mut self, entries: Vec<Entry>, fault: &Fault) -> StoreResult<()> {
        let now = self.millis();
        let mut changes = Vec::new();
        let (mut doubted, mut refused) = (Vec::new(), Vec::new());
        for entry in entries {
            let tries = self.tries(&entry.flow, &entry.lane) + 1;
            if fault.may_pass() || (entry.doubted.is_none() && tries < MOST_REFUSED) {
                let wait = self.is_unanswered(&entry.flow, &entry.lane, "what the target of a write holds now", fault)?;
                changes.push(moved(&Entry { due: now + wait.max(AGAIN), ..entry }));
            } else if entry.doubted.is_some() {
                doubted.push(entry);
            } else {
                refused.push(entry);
            }
        }
        let mut words = self.words(fault);
        self.left_to_a_person(doubted, &words, changes)?;
        words.message = format!("what its target holds cannot be read, so it was not sent: {}", words.message);
        self.never_sent(refused, &words)
    }
}
