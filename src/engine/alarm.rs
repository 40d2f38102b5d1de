//! What somebody should know now.

use super::{Alert, Engine};
use crate::store::Millis;

impl Engine<'_> {
    pub(super) fn alert(&mut self, kind: &'static str, subject: &str, message: String, owner: Option<String>, before: Option<Millis>) {
        let before = before.and_then(|before| jiff::Timestamp::from_millisecond(before).ok()).map(|before| before.to_string());
        self.alerts.push(Alert { kind, subject: subject.to_owned(), message, owner, before });
    }

    /// What the store found damaged was put aside with an exception of its own; somebody is told. The name of a row may be
    /// a key, and a key may be personal: the alert says only how many there are and in which tables.
    pub(super) fn tell_damages(&mut self) {
        let damages = self.store.damages();
        if damages.is_empty() {
            return;
        }
        let tables: std::collections::BTreeSet<&str> = damages.iter().map(|damage| damage.table).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        let rows = if damages.len() == 1 { "1 row".to_owned() } else { format!("{} rows", damages.len()) };
        let message = format!(
            "{rows} of the store (table {}) did not hold what was written there. The records concerned are stopped, all others go on: crossdock queue \
             list --code damaged names them, crossdock store check looks for more",
            tables.join(", ")
        );
        self.alert("damaged", "the store", message, None, None);
    }

    /// Sources that could not be read, in words: such a run is no success.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().map(String::as_str)
    }
}
