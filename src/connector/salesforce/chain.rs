//! The answers that one query goes on over: as many, as long and for as long as is taken.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::base::bounds;
use crate::fault::Fault;
use crate::http::Call;

#[derive(Default)]
pub(super) struct Chain {
    /// Where it went on: an answer that leads back to one of them has no end.
    seen: HashSet<String>,
    /// Bytes of the rows so far.
    bytes: usize,
    begun: Option<Timestamp>,
}

impl Chain {
    /// Goes on at a path.
    pub(super) fn go_on(&mut self, path: &str, now: Timestamp) -> Result<(), Fault> {
        let begun = *self.begun.get_or_insert(now);
        let endless = |why: String| Err(Fault::transient(format!("the answer to a query does not end: {why}")));
        if !self.seen.insert(path.to_owned()) {
            return endless("it goes on where it was before".to_owned());
        }
        if self.seen.len() > bounds::CHAIN_ANSWERS {
            return endless(format!("it goes on for more than {} answers", bounds::CHAIN_ANSWERS));
        }
        let longest = SignedDuration::try_from(bounds::CHAIN_TIME).unwrap_or(SignedDuration::MAX);
        if now.duration_since(begun) > longest {
            return endless(format!("it goes on for more than {} minutes", longest.as_mins()));
        }
        Ok(())
    }

    /// Takes the bytes of an answer.
    pub(super) fn take(&mut self, call: &Call, bytes: usize) -> Result<(), Fault> {
        self.bytes += bytes;
        if self.bytes > bounds::CHAIN_BYTES {
            call.note_too_long();
            return Err(Fault::transient(format!("the answer to a query is longer than {} MB", bounds::CHAIN_BYTES >> 20)));
        }
        Ok(())
    }
}
