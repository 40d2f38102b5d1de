//! How a builtin is called and how it refuses.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use thiserror::Error;

use crate::value::Value;

/// What a run gives every function.
#[derive(Debug, Clone)]
pub struct Context {
    /// The run's own now.
    pub now: Timestamp,
    /// The project's time zone: what `today` means.
    pub zone: TimeZone,
}

/// The arguments of a call, in the order of the parameters. One that was left out is missing.
pub struct Args<'a> {
    pub values: &'a [Value],
    pub context: &'a Context,
}

/// Why a computation has no result on this record: the closed list of built-in reasons.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("a number is too large")]
    TooLarge,
    #[error("a text is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("a list has more than {limit} elements")]
    TooMany { limit: usize },
    #[error("{left} and {right} are two currencies")]
    Currencies { left: String, right: String },
    /// The checker let something through: a defect of this program, never of a record.
    #[error("`{function}` was given {found} (a defect of this program)")]
    Unchecked { function: &'static str, found: &'static str },
}

impl Args<'_> {
    /// The text of an argument; empty where it has none (the checker has made sure).
    pub fn text(&self, at: usize) -> &str {
        self.values.get(at).and_then(Value::as_text).unwrap_or("")
    }

    pub fn number(&self, at: usize) -> Option<Decimal> {
        self.values.get(at).and_then(Value::as_number)
    }

    pub fn list(&self, at: usize) -> &[Value] {
        self.values.get(at).map(Value::as_list).unwrap_or_default()
    }

    pub fn get(&self, at: usize) -> &Value {
        static ABSENT: Value = Value::ABSENT;
        self.values.get(at).unwrap_or(&ABSENT)
    }

    /// Whether an argument was given and is there.
    pub fn has(&self, at: usize) -> bool {
        self.values.get(at).is_some_and(|value| !value.is_missing())
    }
}
