//! How many calls of the current rate-limit window the previous process has used.
//!
//! A process that starts does not know how many calls of the current window (a minute, for ShipStation) were used already. So before
//! the last calls of a window are sent, the end of the window is made durable. A process that starts within it waits for the next one.

use jiff::Timestamp;

use super::Engine;
use crate::store::{Change, Millis, StoreResult};

/// Calls that a window has left when its end is noted: those that may be out, and as many that these may ask for themselves.
const FEW: u32 = 8;
/// Longer windows than this are told by the first answer: nobody waits for the end of a day, in milliseconds.
const LONGEST: Millis = 120_000;

fn name(connection: &str) -> String {
    format!("calls used until {connection}")
}

impl Engine<'_> {
    /// Notes the windows that are nearly used up, before the calls of this step go out.
    pub(super) fn note_budgets(&mut self) -> StoreResult<()> {
        let now = self.millis();
        let mut changes = Vec::new();
        for (connection, connector) in &self.world.connectors {
            let Some(line) = self.connections.get_mut(connection) else { continue };
            let Some((ends, left)) = connector.limit().window(self.now) else { continue };
            let ends = ends.as_millisecond();
            // Answers name the end to the second: what was noted already is the same window.
            if left.saturating_sub(line.out) > FEW || ends > now + LONGEST || ends <= line.used_until + 2_000 {
                continue;
            }
            line.used_until = ends;
            changes.push(Change::Meta { name: name(connection), value: ends.to_string() });
        }
        self.keep(&changes)
    }

    /// Waits for the end of the windows that the last process has used up. `set`: by how much the clock was set since.
    pub(super) fn take_up_budgets(&mut self, set: Millis) -> StoreResult<()> {
        for (connection, connector) in &self.world.connectors {
            let until = self.store.meta(&name(connection))?.and_then(|text| text.parse::<Millis>().ok()).map(|until| until.saturating_add(set));
            // A later end was made by a clock that was wrong.
            let Some(until) = until.filter(|until| *until > self.now.as_millisecond() && *until <= self.now.as_millisecond() + LONGEST) else {
                continue;
            };
            if let Ok(until) = Timestamp::from_millisecond(until) {
                connector.limit().pause(self.now, Some(until));
            }
        }
        Ok(())
    }
}
