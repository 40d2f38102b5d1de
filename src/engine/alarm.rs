//! What somebody should know now.

use super::{Alert, Engine};
use crate::store::Millis;

impl Engine<'_> {
    pub(super) fn alert(&mut self, kind: &'static str, subject: &str, message: String, owner: Option<String>, before: Option<Millis>) {
        let before = before.and_then(|before| jiff::Timestamp::from_millisecond(before).ok()).map(|before| before.to_string());
        self.alerts.push(Alert { kind, subject: subject.to_owned(), message, owner, before });
    }

    /// Sources that could not be read, in words: such a run is no success.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().map(String::as_str)
    }
}
