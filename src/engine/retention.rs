//! Retention: deletes old data in small steps, during normal work.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Engine;
use crate::store::{Before, Change, Millis, Old, StoreResult};

/// Rows that one step looks at.
const ROWS: u32 = 1_000;
/// How long after the end of one pass the next begins, in milliseconds.
const EVERY: Millis = 60 * 60_000;
/// How long nothing is dropped after the clock was set, in milliseconds: it may be set back.
const AFTER_CLOCK: Millis = 24 * 60 * 60_000;
/// How long what people asked for is kept after it was answered, in milliseconds.
const ANSWERED: Millis = 7 * 24 * 60 * 60_000;
/// The setting that says when the last pass ended, and by which rules.
const ENDED: &str = "retention";

/// For how long a class of data is kept, in milliseconds, by the flow or connection that it is of; under the empty name: of
/// those that have no entry of their own. `None`: for ever.
pub type Times = BTreeMap<String, Option<Millis>>;

/// For how long what is kept is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// By connection.
    pub requests: Times,
    /// These are by flow.
    pub bodies: Times,
    pub history: Times,
    pub exceptions: Times,
    pub links: Times,
    pub labels: Times,
}

impl Retention {
    /// The classes in the order in which they are gone through. A call goes before the lines that name it.
    fn class(&self, at: usize, now: Millis) -> Option<Old> {
        let before = |times: &Times| -> Before { times.iter().map(|(of, time)| (of.clone(), time.map(|time| now.saturating_sub(time)))).collect() };
        Some(match at {
            0 => Old::Exchanges(before(&self.requests)),
            1 => Old::Events(before(&self.history)),
            2 => Old::Exceptions(before(&self.exceptions)),
            3 => Old::Lanes { bodies: before(&self.bodies), links: before(&self.links), labels: before(&self.labels) },
            4 => Old::Controls(now.saturating_sub(ANSWERED)),
            _ => return None,
        })
    }
}

/// Where a pass stands.
#[derive(Debug, Default)]
pub(super) struct Pass {
    class: usize,
    /// Where the next step of the class begins.
    after: Option<String>,
    /// When the next pass begins.
    due: Millis,
    dropped: u64,
    /// Not before then, by the steady clock.
    held: Option<Millis>,
}

impl Engine<'_> {
    /// Takes up where an earlier process ended.
    pub(super) fn begin_dropping(&mut self) -> StoreResult<()> {
        let Some(rules) = self.rules() else { return Ok(()) };
        let now = self.millis();
        if let Some((at, by)) = self.store.meta(ENDED)?.as_deref().and_then(|text| text.split_once(' '))
            && let Ok(at) = at.parse::<Millis>()
            && by == rules
            // A time to come was written by a clock that was wrong.
            && at <= now
        {
            self.pass_of_retention.due = at + EVERY;
        }
        Ok(())
    }

    /// What the rules are known by: with others, a pass begins at once.
    fn rules(&self) -> Option<String> {
        let rules = serde_json::to_string(self.settings.retention.as_ref()?).ok()?;
        Some(self.store.fingerprint(rules.as_bytes()))
    }

    /// The clock was set: whether it is right now is known later.
    pub(super) fn hold_dropping(&mut self) {
        self.pass_of_retention.held = Some(self.steady() + AFTER_CLOCK);
    }

    /// Drops a little of what is old, if it is time.
    pub(super) fn drop_old(&mut self) -> StoreResult<()> {
        if !self.drops() {
            return Ok(());
        }
        let now = self.millis();
        let Some(old) = self.settings.retention.as_ref().and_then(|retention| retention.class(self.pass_of_retention.class, now)) else {
            if self.pass_of_retention.dropped > 0 {
                tracing::info!(dropped = self.pass_of_retention.dropped, "data past its retention was deleted");
            }
            let value = format!("{now} {}", self.rules().unwrap_or_default());
            self.pass_of_retention = Pass { due: now + EVERY, held: self.pass_of_retention.held, ..Pass::default() };
            return self.keep(&[Change::Meta { name: ENDED.to_owned(), value }]);
        };
        let step = self.store.forget(&old, self.pass_of_retention.after.as_deref(), ROWS)?;
        let pass = &mut self.pass_of_retention;
        pass.dropped += step.dropped;
        pass.class += usize::from(step.next.is_none());
        pass.after = step.next;
        Ok(())
    }

    /// Whether a pass has begun and not ended, or is due.
    pub(super) fn drops(&self) -> bool {
        let held = self.pass_of_retention.held.is_some_and(|held| self.steady() < held);
        self.settings.retention.is_some() && !self.settings.idle && !self.stopping && !held && self.pass_of_retention.due <= self.millis()
    }

    /// When to be asked again for it.
    pub(super) fn drops_at(&self) -> Option<Millis> {
        if self.drops() {
            return Some(self.millis());
        }
        let waits = self.settings.retention.is_some() && !self.settings.idle && !self.settings.once;
        // One that is held is asked for each hour.
        waits.then(|| self.pass_of_retention.due.max(self.millis() + if self.pass_of_retention.held.is_some() { EVERY } else { 0 }))
    }
}
