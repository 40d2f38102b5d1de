//! `lag`: when a change shows.

use jiff::{SignedDuration, Timestamp};

/// A record's versions: the newest, and those that may still be what others see.
#[derive(Debug, Clone)]
pub struct Seen<T> {
    /// From when each shows, the oldest first. There is always one.
    versions: Vec<(Timestamp, T)>,
}

impl<T> Seen<T> {
    /// A record that is made now, and shows after `hidden`.
    pub fn new(record: T, now: Timestamp, hidden: SignedDuration) -> Self {
        Seen { versions: vec![(now.saturating_add(hidden).unwrap_or(now), record)] }
    }

    /// What the record is.
    pub fn newest(&self) -> &T {
        // There is always one: `new` puts it there, and none takes the last away.
        &self.versions[self.versions.len() - 1].1
    }

    /// What others see of it: under `lag` an older version, or nothing.
    pub fn shown(&self, now: Timestamp) -> Option<&T> {
        self.versions.iter().rev().find(|(from, _)| *from <= now).map(|(_, record)| record)
    }

    /// A change, which shows after `hidden`: at once where that is nothing.
    pub fn change(&mut self, record: T, now: Timestamp, hidden: SignedDuration) {
        let shows = now.saturating_add(hidden).unwrap_or(now);
        // What nobody sees any more is forgotten, and what would show later than this one never shows.
        self.versions.retain(|(from, _)| *from < shows);
        let visible = self.versions.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
        self.versions.drain(..visible);
        self.versions.push((shows, record));
    }
}
