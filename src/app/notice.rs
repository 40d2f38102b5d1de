//! Notices to people during a command; they are not part of its result.

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
    /// More records have changed than are compared.
    MoreRecords { compared: usize },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::NamesOfSnapshot { connection, fault } => {
                write!(f, "the names of {connection} come from the snapshot, since they could not be fetched: {fault}")
            }
            Notice::Recovered => f.write_str("the store was recovered: each record is compared with its target before it is written"),
            Notice::NothingToRecover => f.write_str("the store is the newest one of this project: there is nothing to recover"),
            Notice::MoreRecords { compared } => write!(f, "there are more: the first {compared} are compared"),
        }
    }
}

/// Where notices go.
pub type Notices<'a> = &'a mut dyn FnMut(&Notice);
