//! What a mapping computes with: values, their kinds, exact numbers, units.
//!
//! JSON comes in through a field's [`WireEncoding`] and goes out through the target field's.
//! Nothing here knows a system, a schema file or the language's text.

pub mod compare;
pub mod json;
mod kind;
mod literal;
mod money_object;
mod raw_record;
mod text;
mod units;

use crate::base::bounds;
pub use compare::{Currencies, compare, equal, key, same_currency, sort_order};
pub use json::{Misread, Unfit, connection_nodes, decode, encode, list_elements, to_json};
pub use kind::{Column, Enumeration, Kind, Known, ObjectRef, Type, WireEncoding};
pub use literal::Literal;
pub use raw_record::RawRecord;
pub use text::duration_text;
pub use units::{LengthUnit, WeightUnit, seconds_of};

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// JSON as it came, numbers by their digits.
pub type Json = serde_json::Value;

/// A list has at most this many elements.
pub const MAX_ITEMS: usize = bounds::ITEMS;

/// A text has at most this many bytes.
pub const MAX_TEXT: usize = bounds::TEXT;

/// Objects and lists are nested at most this deep.
pub const MAX_DEPTH: usize = bounds::DEPTH;

/// A value. Missing is a value too: what may be missing says so in its [`Type`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Missing(Missing),
    Boolean(bool),
    /// Integers and decimals alike; an integer is a decimal without places.
    Number(Decimal),
    Money(Money),
    /// Text, and the values of enumerations in the system's own spelling.
    Text(Arc<str>),
    Date(Date),
    Time(Time),
    /// An instant.
    DateTime(Timestamp),
    Duration(SignedDuration),
    Weight(Decimal, WeightUnit),
    Length(Decimal, LengthUnit),
    /// A thing of a connection known by a name (a store, a warehouse): its id there, and the name.
    Reference(Arc<Reference>),
    List(Arc<Vec<Value>>),
    /// A record of a source: its JSON, decoded field by field as it is read.
    Record(Arc<Json>),
    /// What a mapping built: a target object, a table row.
    Object(Arc<IndexMap<String, Value>>),
    /// What no schema describes.
    Json(Arc<Json>),
}

/// Why a value is not there. One thing to the author, three to `--why`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The record has no such field, or the computation gave nothing.
    Absent,
    /// The record says `null`.
    Null,
    /// The record holds a text of white space only.
    Blank,
}

/// An exact amount. The currency is the record's where it says one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Money {
    pub amount: Decimal,
    /// ISO 4217 code; `None` where the source does not say (a single-currency org).
    pub currency: Option<Arc<str>>,
}

/// A named thing of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub name: Arc<str>,
    /// The id as the system wants it in a payload (a number or a text).
    pub id: Json,
}

impl Value {
    pub const ABSENT: Value = Value::Missing(Missing::Absent);

    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::Text(text.into())
    }

    pub fn integer(number: i64) -> Self {
        Value::Number(Decimal::from(number))
    }

    pub fn list(values: Vec<Value>) -> Self {
        Value::List(Arc::new(values))
    }

    /// The value, or the missing value where there is none.
    pub fn optional(value: Option<Value>) -> Self {
        value.unwrap_or(Value::ABSENT)
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Missing(_))
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The elements; a missing list reads as an empty one.
    pub fn as_list(&self) -> &[Value] {
        match self {
            Value::List(values) => values,
            _ => &[],
        }
    }
}
