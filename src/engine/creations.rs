//! Records that are about to create what others look for by the same value: those others wait, so that one is made and not two.

use std::collections::BTreeMap;

use super::Engine;
use super::decide::NOTHING;
use crate::eval::queries::{self, Wanted};
use crate::ir::{Match, MatchOutcome};
use crate::store::{EntryState, Millis, StoreResult};
use crate::value::Json;

/// After how long a record that waits for another one's creation asks again, at the earliest: what was made has to be found too.
const ASKED_AGAIN: Millis = 2_000;

/// A record that creates what others may look for by the same value.
#[derive(Debug)]
pub(super) struct Creation {
    flow: String,
    lane: String,
    /// When its writes were seen to be done, by the steady clock.
    ended: Option<Millis>,
}

impl Creation {
    pub(super) fn of(flow: &str, lane: &str) -> Creation {
        Creation { flow: flow.to_owned(), lane: lane.to_owned(), ended: None }
    }
}

/// A value as it is compared: letters in one case, and of what has digits and signs only (a telephone number) the last digits.
fn alike(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let plain = value.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-().".contains(c));
    match plain && digits.len() >= 7 {
        true => digits[digits.len() - 7..].to_owned(),
        false => value.trim().to_lowercase(),
    }
}

impl Engine<'_> {
    /// The values by which a record was looked for that its matches did not find, and that it therefore creates.
    pub(super) fn creates(&self, at: usize, wanted: &[Wanted], matched: &BTreeMap<String, Vec<Json>>) -> Vec<String> {
        if !self.settings.safety.serial {
            return Vec::new();
        }
        let (flow, _) = self.flow(at);
        let missing = |found: &&Match| matches!(found.none, MatchOutcome::Create) && matched.get(&found.name).is_none_or(Vec::is_empty);
        let mut values = Vec::new();
        for found in flow.matches.iter().filter(missing) {
            let keys = wanted.iter().filter(|wanted| wanted.name == found.name).flat_map(|wanted| &wanted.keys);
            for (field, of) in keys {
                values.extend(of.iter().map(|value| format!("{} {} {}", found.object, field.join("."), alike(value))));
            }
        }
        values
    }

    /// Until when a record waits for another that creates what it would have found; `None`: nothing of the kind is under way, or was
    /// since its look-up was begun at `taken`. `of_batch`: one that is decided together with it does.
    pub(super) fn created_until(&mut self, at: usize, values: &[String], lane: &str, of_batch: bool, taken: Millis) -> Option<Millis> {
        let (now, steady) = (self.millis(), self.steady());
        let flow = &self.flow(at).0.name;
        let mut until = of_batch.then_some(now);
        for value in values {
            let Some(creation) = self.creating.get(value).filter(|creation| creation.lane != lane || creation.flow != *flow) else { continue };
            let due = self.open_until(&creation.flow, &creation.lane);
            // Nothing else ends it, so it is there.
            let ended = match self.creating.get_mut(value) {
                Some(creation) if due.is_none() => *creation.ended.get_or_insert(steady),
                _ => Millis::MAX,
            };
            if taken <= ended {
                until = until.max(Some(due.unwrap_or(now)));
            }
        }
        until.map(|until| until.max(now + ASKED_AGAIN))
    }

    /// When the last of a record's writes that are planned or out goes, or is looked at again; `None`: there is none.
    fn open_until(&self, flow: &str, lane: &str) -> Option<Millis> {
        let open = [EntryState::Planned, EntryState::Sending, EntryState::Ambiguous];
        self.open_entries.of_lane(flow, lane).filter(|entry| open.contains(&entry.state)).map(|entry| entry.due).max()
    }

    /// Notes which creations have ended, and forgets those that no look-up can have missed: each that was begun before their end has
    /// been decided. `taken`: when the batch was taken that is decided now.
    pub(super) fn forget_creations(&mut self, taken: Millis) {
        let steady = self.steady();
        let oldest = self.batches.values().map(|batch| batch.taken).min().unwrap_or(taken).min(taken);
        let mut creating = std::mem::take(&mut self.creating);
        creating.retain(|_, creation| {
            if creation.ended.is_none() && self.open_until(&creation.flow, &creation.lane).is_none() {
                creation.ended = Some(steady);
            }
            creation.ended.is_none_or(|ended| oldest <= ended)
        });
        self.creating = creating;
    }

    /// What a record creates whose writes were planned by the process before.
    pub(super) fn take_up_creation(&mut self, flow: &str, lane: &str) -> StoreResult<()> {
        let Some(at) = self.flow_named(flow) else { return Ok(()) };
        let of = self.flow(at).0;
        if !of.matches.iter().any(|found| matches!(found.none, MatchOutcome::Create)) || self.open_until(flow, lane).is_none() {
            return Ok(());
        }
        let Some(state) = self.store.record(flow, lane)? else { return Ok(()) };
        let matched: BTreeMap<String, Vec<Json>> = state.matched.clone().and_then(|matched| serde_json::from_value(matched).ok()).unwrap_or_default();
        let group = self.members(at, &state)?;
        let wanted = queries::wanted(self.world.program, of, &self.inputs(at, &state, &group, &NOTHING, &matched));
        let values = self.creates(at, &wanted, &matched);
        self.creating.extend(values.into_iter().map(|value| (value, Creation::of(flow, lane))));
        Ok(())
    }
}
