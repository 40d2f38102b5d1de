//! Why an API description cannot be used.

use std::fmt;

/// A fault of a vendor's file, of an overlay, or of a GraphQL document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {reason}")]
pub struct SpecError {
    /// A JSON pointer into the file (`/paths/~1orders/get`), or `line 4, column 7`.
    pub at: String,
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl SpecError {
    pub(super) fn new(at: impl fmt::Display, reason: impl Into<String>) -> Self {
        SpecError { at: at.to_string(), reason: reason.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
