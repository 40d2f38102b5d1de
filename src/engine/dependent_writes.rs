//! Dependent writes: entries that need the id of a record that another entry creates, and are sent in the same call where the target can.
//!
//! A dependent write must be safe to send twice: the target itself enforces its key, and nothing is known about its record yet. It is an entry
//! like any other: durable before its call, with an outcome of its own. If it was not carried out, it is sent by itself as soon as
//! the id is known.

use std::collections::{BTreeMap, BTreeSet};

use super::open_entries::{Target, place, target};
use super::{BatchKey, Engine};
use crate::connector::{Done, Receipt, Rider, Riders};
use crate::eval::Payload;
use crate::fault::Fault;
use crate::store::{Change, Entry, EntryState, Rides, StoreResult, TargetState};
use crate::system::Guarantee;
use crate::value::Json;

impl Engine<'_> {
    /// What a payload rides on. `leaders`: the entries that were made of the same record so far, by their writes.
    pub(super) fn rides(&self, payload: &Payload, known: Option<&TargetState>, leaders: &BTreeMap<String, i64>) -> Option<Rides> {
        let ride = payload.rides.as_ref()?;
        let on = *leaders.get(&ride.on)?;
        let spec = self.write_spec(&payload.object, payload.op, payload.key_field.as_deref())?;
        (known.is_none() && spec.guarantee == Guarantee::Idempotent && !spec.replaces).then(|| Rides { on, fields: ride.fields.clone() })
    }

    /// The entries that can go in the call of a batch: of one operation on one object, none of whose records is
    /// being written. They are marked as sent.
    pub(super) fn riders_of(&self, lot: &BatchKey, entries: &[Entry]) -> StoreResult<Vec<Entry>> {
        let Some(spec) = self.spec(lot).filter(|spec| spec.carries && entries.len() <= spec.batch) else { return Ok(Vec::new()) };
        let now = self.millis();
        let mut written: BTreeSet<_> = entries.iter().flat_map(target).map(|target| place(&target)).collect();
        let mut kind: Option<std::sync::Arc<BatchKey>> = None;
        let mut ids = Vec::new();
        for leader in entries {
            for entry in self.open_entries.of_lane(&leader.flow, &leader.lane) {
                let on = entry.rides.as_ref().map(|rides| rides.on);
                let targets = entry.targets();
                let blocked = |target: &Target| {
                    let late = self.unsettled.get(target).is_some_and(|until| *until > now) && entry.doubted.is_none();
                    late || self.in_flight_targets.contains(&place(target)) || written.contains(&place(target))
                };
                let other_kind = kind.as_ref().is_some_and(|kind| *kind != entry.lot);
                if on != Some(leader.id) || entry.state != EntryState::Planned || other_kind || ids.len() >= spec.batch || targets.iter().any(blocked)
                {
                    continue;
                }
                kind = Some(std::sync::Arc::clone(&entry.lot));
                written.extend(targets.iter().map(place));
                ids.push(entry.id);
            }
        }
        self.store.entries(&ids)
    }

    /// What is sent of riders.
    pub(super) fn ridden(&self, entries: &[Entry], riders: &[Entry]) -> Option<Riders> {
        let lot = BatchKey::of(riders.first()?);
        let rider = |entry: &Entry| {
            let rides = entry.rides.as_ref()?;
            let on = entries.iter().position(|leader| leader.id == rides.on)?;
            Some(Rider { item: self.item(&lot, entry), on, fields: rides.fields.clone() })
        };
        Some(Riders { object: lot.object(), operation: lot.op(), key_field: lot.key_field.clone(), items: riders.iter().filter_map(rider).collect() })
    }

    /// What became of a rider, after what it rides on. True where its lane has to look at it.
    pub(super) fn rode(
        &mut self,
        rider: &mut Entry,
        leader: Option<&Entry>,
        outcome: Result<Done, Fault>,
        exchange: Option<i64>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<bool> {
        let made = leader.is_some_and(|leader| leader.state == EntryState::Confirmed && self.fill_in(rider, leader));
        let outcome = match outcome {
            Ok(_) if !made => Err(Fault::ambiguous("the answer says that it was done, and the record that it belongs to was not")),
            outcome => outcome,
        };
        match outcome {
            Ok(done) => {
                let lot = BatchKey::of(rider);
                self.confirmed(&lot, rider, &done, false, exchange, changes)?;
                Ok(true)
            }
            Err(Fault::Ambiguous { reason }) => {
                let ended = self.failed(rider, Fault::Ambiguous { reason }, exchange, changes)?;
                Ok(ended || made)
            }
            Err(fault) if made && !passing(&fault) => {
                self.failed(rider, fault, exchange, changes)?;
                Ok(true)
            }
            // It was not carried out: it is retried with the write that it belongs to, or by itself as soon as that outcome is known.
            Err(_) => {
                rider.state = EntryState::Planned;
                rider.attempt = rider.attempt.saturating_sub(1);
                rider.sent = rider.doubted;
                rider.due = self.millis();
                changes.push(Change::Entry(rider.clone()));
                Ok(made)
            }
        }
    }

    /// Gives a rider the id that it waited for.
    fn fill_in(&self, rider: &mut Entry, leader: &Entry) -> bool {
        let Some(rides) = rider.rides.take_if(|rides| rides.on == leader.id) else { return rider.rides.is_none() };
        let id_field = self.id_field(&BatchKey::of(leader).object());
        let told = leader.result.as_ref().and_then(|result| super::plan_entries::text(result.get(&id_field)));
        let (Some(id), Json::Object(body)) = (leader.target.clone().or(told), &mut rider.body) else {
            rider.rides = Some(rides);
            return false;
        };
        body.extend(rides.fields.into_iter().map(|name| (name, Json::String(id.clone()))));
        rider.hash = super::plan_entries::hash(&rider.body);
        true
    }

    /// Of a lane's entries, those that rode on one that has come to an end: they go by themselves now, or never.
    pub(super) fn dismount(&mut self, entries: &mut Vec<Entry>, updated: &mut Vec<Entry>, changes: &mut Vec<Change>) {
        let leaders: Vec<Entry> = entries.iter().filter(|entry| entries.iter().any(|rider| rides_on(rider, entry.id))).cloned().collect();
        for leader in leaders {
            let ended = !matches!(leader.state, EntryState::Planned | EntryState::Sending | EntryState::Ambiguous);
            let due = self.millis();
            let waits = |rider: &Entry| ended && rides_on(rider, leader.id) && rider.state == EntryState::Planned;
            for rider in entries.iter_mut().filter(|rider| waits(rider)) {
                if leader.state == EntryState::Confirmed && self.fill_in(rider, &leader) {
                    rider.due = due;
                    changes.push(Change::Entry(rider.clone()));
                } else {
                    changes.push(Change::DropEntry(rider.id));
                }
            }
            // What was dropped still says what it rides on. If it is needed after all, it is mapped anew.
            entries.retain(|rider| !waits(rider));
            updated.retain(|rider| !waits(rider));
        }
    }
}

fn rides_on(rider: &Entry, leader: i64) -> bool {
    rider.rides.as_ref().is_some_and(|rides| rides.on == leader)
}

/// Whether it costs no try.
pub(super) fn passing(fault: &Fault) -> bool {
    matches!(fault, Fault::Throttled { .. } | Fault::Transient { .. } | Fault::Denied { .. })
}

/// The receipts of a call, of its items and of its riders.
pub(super) fn parted(receipts: Vec<Receipt>, items: usize, riders: usize) -> (Vec<Result<Done, Fault>>, Vec<Result<Done, Fault>>) {
    let mut outcomes: Vec<_> = receipts.into_iter().map(|receipt| receipt.outcome).collect();
    outcomes.resize_with(items + riders, || Err(Fault::ambiguous("the answer does not mention it")));
    let rode = outcomes.split_off(items);
    (outcomes, rode)
}
