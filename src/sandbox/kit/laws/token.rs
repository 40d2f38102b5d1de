//! `token_ends`: how long a token is taken.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Tokens that were given.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// None: they do not end.
    keep: Option<SignedDuration>,
    given: BTreeMap<String, Timestamp>,
    count: u64,
}

impl Tokens {
    pub fn new(keep: Option<SignedDuration>) -> Self {
        Tokens { keep, given: BTreeMap::new(), count: 0 }
    }

    /// A new token. `print` makes its text of its number.
    pub fn give(&mut self, now: Timestamp, print: impl FnOnce(u64) -> String) -> String {
        self.count += 1;
        let token = print(self.count);
        let ends = self.keep.and_then(|keep| now.checked_add(keep).ok()).unwrap_or(Timestamp::MAX);
        self.given.retain(|_, ends| *ends > now);
        self.given.insert(token.clone(), ends);
        token
    }

    pub fn is_taken(&self, token: &str, now: Timestamp) -> bool {
        self.given.get(token).is_some_and(|ends| now < *ends)
    }

    /// Ends all of them.
    pub fn end(&mut self) {
        self.given.clear();
    }
}
