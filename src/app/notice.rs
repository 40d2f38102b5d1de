//! What people are told while something goes on, which is no part of its result.

use std::fmt;

use serde::Serialize;

/// One such remark. Its text is what people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The names of a connection's things could not be fetched: those of the snapshot are used.
    NamesOfSnapshot { connection: String, fault: String },
    /// The store was not the newest one, and is used all the same.
    Recovered,
    /// The store is the newest one, though it was to be recovered.
    NothingToRecover,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::NamesOfSnapshot { connection, fault } => write!(f, "names of {connection} are as of their snapshot: {fault}"),
            Notice::Recovered => f.write_str("the store was recovered: what it says of the targets is held against them before anything is written"),
            Notice::NothingToRecover => f.write_str("the store is the newest one that was here: there is nothing to recover"),
        }
    }
}

/// Where notices go.
pub type Notices<'a> = &'a mut dyn FnMut(&Notice);
