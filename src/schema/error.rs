//! Why a schema cannot be used.

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    #[error("this is no JSON: {message}")]
    NotJson { message: String, line: usize, column: usize },
    /// `at` is a JSON pointer.
    #[error("{at}: {reason}")]
    Form { at: String, reason: String },
    /// A name that is none, and the one that was most likely meant. `at` is a JSON pointer to it.
    #[error("{at}: {reason}")]
    Misspelt { at: String, reason: String, name: String, near: String },
}

impl SchemaError {
    pub(super) fn form(at: impl Into<String>, reason: impl Into<String>) -> Self {
        SchemaError::Form { at: at.into(), reason: reason.into() }
    }
}
