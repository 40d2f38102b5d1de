//! Records that wait for a write to their target: one that is in doubt, or that has to wait for another. They are looked at when that
//! write's time comes, and at once where it ends before.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::open_entries::Place;
use crate::store::{Change, Millis, RecordStage, RecordState, StoreResult};

/// A record that waits, by the number of its flow and its key, and until when it was put off.
#[derive(Debug)]
struct Waiter {
    flow: usize,
    key: String,
    due: Millis,
}

/// What waits for which target.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    of: BTreeMap<Place, Vec<Waiter>>,
    /// Targets whose last write has ended.
    free: BTreeSet<Place>,
}

impl Waiters {
    /// Notes that the last write to a target has ended.
    pub(super) fn ended(&mut self, place: Place) {
        if self.of.contains_key(&place) {
            self.free.insert(place);
        }
    }
}

impl Engine<'_> {
    /// Until when a record has to wait for the writes to what it has found.
    pub(super) fn put_off_by(&mut self, flow: usize, key: &str, found: &[Place]) -> Millis {
        let soon = self.millis() + 500;
        let longest = found.iter().filter_map(|place| Some((*self.held_off.get(place)?, *place))).max();
        let Some((due, place)) = longest.filter(|(until, _)| *until > soon) else { return soon };
        let waiters = self.waiters.of.entry(place).or_default();
        waiters.retain(|waiter| (waiter.flow, waiter.key.as_str()) != (flow, key));
        waiters.push(Waiter { flow, key: key.to_owned(), due });
        due
    }

    /// Looks at the records whose targets are free before it was expected.
    pub(super) fn wake_waiters(&mut self) -> StoreResult<()> {
        let now = self.millis();
        let mut changes = Vec::new();
        for place in std::mem::take(&mut self.waiters.free) {
            // It is being written again.
            if self.writing.contains_key(&place) {
                continue;
            }
            for waiter in self.waiters.of.remove(&place).unwrap_or_default() {
                let (flow, _) = self.flow(waiter.flow);
                let Some(lane) = self.store.record(&flow.name, &waiter.key)? else { continue };
                if lane.state == RecordStage::Waiting && lane.due == waiter.due && lane.due > now {
                    changes.push(Change::Record(RecordState { due: now, ..lane }));
                    self.look_at(waiter.flow, now);
                }
            }
        }
        if changes.is_empty() { Ok(()) } else { self.keep(&changes) }
    }
}
