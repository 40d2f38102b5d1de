//! How a builtin is called and how it refuses.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use thiserror::Error;

use super::Builtin;
use crate::value::{Currencies, Json, MAX_ITEMS, MAX_TEXT, Value};

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

/// What every function gives.
pub(super) type Outcome = Result<Value, Refusal>;

impl From<Currencies> for Refusal {
    fn from(Currencies { left, right }: Currencies) -> Self {
        Refusal::Currencies { left, right }
    }
}

impl Builtin {
    /// Calls it as the language does: a missing first argument gives a missing result (unless the
    /// parameter takes a missing value), and a result keeps to the limits of size.
    pub fn call(&self, args: &Args<'_>) -> Result<Value, Refusal> {
        let takes_missing = self.takes.first().is_none_or(|param| param.nullable);
        if !takes_missing && !args.has(0) {
            return Ok(Value::ABSENT);
        }
        let result = (self.run)(args)?;
        match &result {
            Value::Text(text) if text.len() > MAX_TEXT => Err(Refusal::TooLong { limit: MAX_TEXT }),
            Value::List(items) if items.len() > MAX_ITEMS => Err(Refusal::TooMany { limit: MAX_ITEMS }),
            _ => Ok(result),
        }
    }
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

    /// The text of an argument that has to be one: also a name, or a text inside `json`.
    pub(super) fn need_text(&self, at: usize, function: &'static str) -> Result<&str, Refusal> {
        match self.get(at) {
            Value::Text(text) => Ok(text),
            Value::Reference(reference) => Ok(&reference.name),
            Value::Json(json) => match &**json {
                Json::String(text) => Ok(text),
                _ => Err(self.unchecked(at, function)),
            },
            _ => Err(self.unchecked(at, function)),
        }
    }

    pub(super) fn need_number(&self, at: usize, function: &'static str) -> Result<Decimal, Refusal> {
        self.number(at).ok_or_else(|| self.unchecked(at, function))
    }

    /// A whole number; one that is left out is `otherwise`.
    pub(super) fn whole(&self, at: usize, otherwise: i64, function: &'static str) -> Result<i64, Refusal> {
        use rust_decimal::prelude::ToPrimitive;
        if !self.has(at) {
            return Ok(otherwise);
        }
        self.need_number(at, function)?.trunc().to_i64().ok_or(Refusal::TooLarge)
    }

    /// A count or an ordinal: a whole number that is not below 0.
    pub(super) fn count(&self, at: usize, otherwise: usize, function: &'static str) -> Result<usize, Refusal> {
        let number = self.whole(at, otherwise as i64, function)?;
        Ok(usize::try_from(number).unwrap_or(0))
    }

    /// The words of a `Words` parameter; `otherwise` where they were left out.
    pub(super) fn words<'b>(&'b self, at: usize, otherwise: &'b str) -> &'b str {
        if self.has(at) { self.text(at) } else { otherwise }
    }

    pub(super) fn unchecked(&self, at: usize, function: &'static str) -> Refusal {
        Refusal::Unchecked { function, found: self.get(at).noun() }
    }
}

/// A text as a result; one that is empty or blank is no text.
pub(super) fn text_if_any(text: impl AsRef<str>) -> Value {
    let text = text.as_ref();
    if text.trim().is_empty() { Value::ABSENT } else { Value::text(text) }
}

/// Refuses before a text of this many bytes is built.
pub(super) fn within_text(bytes: usize) -> Result<(), Refusal> {
    if bytes > MAX_TEXT { Err(Refusal::TooLong { limit: MAX_TEXT }) } else { Ok(()) }
}
