//! `idempotency_hours`: a key that was used is answered as before.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Answers by the key of their request.
#[derive(Debug, Clone)]
pub struct Once<A> {
    keep: SignedDuration,
    known: BTreeMap<String, (Timestamp, A)>,
}

impl<A: Clone> Once<A> {
    pub fn new(hours: i64) -> Self {
        Once { keep: SignedDuration::from_hours(hours), known: BTreeMap::new() }
    }

    /// The answer that a key got, where it is still known; otherwise that of carrying the request out.
    pub fn answer(&mut self, key: &str, now: Timestamp, carry_out: impl FnOnce() -> A) -> A {
        if let Some((at, answer)) = self.known.get(key)
            && now.duration_since(*at) < self.keep
        {
            return answer.clone();
        }
        let answer = carry_out();
        self.known.insert(key.to_owned(), (now, answer.clone()));
        answer
    }
}
