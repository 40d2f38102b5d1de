//! Kinds: what a value can be, as the checker sees it; and how it stands in JSON.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind, and whether the value may be missing (`text?`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Type {
    pub kind: Kind,
    pub nullable: bool,
}

impl Type {
    pub fn some(kind: Kind) -> Self {
        Type { kind, nullable: false }
    }

    pub fn maybe(kind: Kind) -> Self {
        Type { kind, nullable: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Money,
    Boolean,
    Date,
    Time,
    Datetime,
    Duration,
    Weight,
    Length,
    /// One of a set of texts.
    Enumeration(Arc<Enumeration>),
    /// A named thing of a connection: `a store of wms`.
    Reference(ObjectRef),
    List(Box<Type>),
    /// An object with a schema.
    Object(ObjectRef),
    /// A row of a table, an element of a grouped or split list: columns in order.
    Row(Arc<Vec<Column>>),
    Json,
    /// After a mistake: fits everything, so that one mistake gives one error.
    Any,
}

/// An object of a connection: `crm.Order`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObjectRef {
    pub connection: String,
    pub object: String,
}

impl ObjectRef {
    pub fn new(connection: impl Into<String>, object: impl Into<String>) -> Self {
        ObjectRef { connection: connection.into(), object: object.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connection, self.object)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    pub name: String,
    pub of: Type,
}

/// The values that a field takes or gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Enumeration {
    /// Where it belongs, for a person: `crm.Order.Status`.
    pub name: String,
    /// In the system's order.
    pub values: Vec<Known>,
    /// Other texts are possible too (an unrestricted picklist).
    pub open: bool,
}

/// One known value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// In the system's own spelling: `awaiting_shipment`, `Closed Won`.
    pub value: String,
    /// What people see, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Enumeration {
    /// The value that a name stands for: spelled exactly, or as a bare word (`on_hold` for
    /// `On Hold`), where just one value reads so.
    pub fn resolve(&self, name: &str) -> Option<&str> {
        if let Some(exact) = self.values.iter().find(|known| known.value == name) {
            return Some(&exact.value);
        }
        let bare = bare(name);
        let mut found = self.values.iter().filter(|known| self::bare(&known.value) == bare);
        match (found.next(), found.next()) {
            (Some(one), None) => Some(&one.value),
            _ => None,
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|known| known.value.as_str())
    }
}

/// A name with case and separators taken out.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl fmt::Display for Kind {
    /// As an author writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Text => f.write_str("text"),
            Kind::Integer => f.write_str("integer"),
            Kind::Decimal => f.write_str("decimal"),
            Kind::Money => f.write_str("money"),
            Kind::Boolean => f.write_str("boolean"),
            Kind::Date => f.write_str("date"),
            Kind::Time => f.write_str("time"),
            Kind::Datetime => f.write_str("datetime"),
            Kind::Duration => f.write_str("duration"),
            Kind::Weight => f.write_str("weight"),
            Kind::Length => f.write_str("length"),
            Kind::Enumeration(of) => f.write_str(&of.name),
            Kind::Reference(of) => write!(f, "a {} of {}", of.object.to_lowercase(), of.connection),
            Kind::List(of) => write!(f, "list of {of}"),
            Kind::Object(of) => write!(f, "{of}"),
            Kind::Row(_) => f.write_str("row"),
            Kind::Json => f.write_str("json"),
            Kind::Any => f.write_str("anything"),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, if self.nullable { "?" } else { "" })
    }
}

/// How a field's value stands in the system's JSON, where the kind alone does not say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WireEncoding {
    /// Text as a string, numbers as numbers, dates as `2026-03-01`, instants as RFC 3339.
    #[default]
    Plain,
    /// A list inside `{"totalSize": …, "done": …, "records": […]}`, as Salesforce gives child records.
    Records,
    /// A number in a string (`"12.50"`).
    NumberText,
    /// An instant without an offset, in the system's own time zone, written by a strftime pattern.
    /// Read with or without fractions of a second, with `T` or a space.
    Zoned { zone: String, pattern: String },
    /// A bare number of one weight unit.
    WeightNumber { unit: super::WeightUnit },
    /// `{"value": 12, "units": "ounces"}`; the units that the system takes, with its words for them,
    /// preferred first.
    WeightObject { value: String, units: String, words: Vec<(super::WeightUnit, String)> },
    /// A bare number of one length unit.
    LengthNumber { unit: super::LengthUnit },
    /// Money as a plain number; the record's field that holds the currency code, or the one currency in which the system takes and
    /// gives the amount, if it has one.
    Amount {
        currency_field: Option<String>,
        /// The object has no such field as far as its schema knows: it is read where a record has it, and never asked for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unlisted: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
    },
    /// Money as an object with its currency: `{"value": "12.50", "currency": "EUR"}`; or counted in the currency's smallest unit,
    /// `{"centAmount": 1250, "currencyCode": "EUR", "fractionDigits": 2}`.
    MoneyObject {
        amount: String,
        currency: String,
        /// The field with the digits of the smallest unit; where there is one, the amount counts that unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minor_digits: Option<String>,
        /// The amount is a text of digits.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        text: bool,
    },
    /// An instant as seconds since 1970-01-01T00:00:00Z: a number, or a text of digits.
    UnixSeconds,
    /// A list inside `{"edges": [{"node": …}]}`, as a GraphQL connection gives it. It is written as a plain list.
    Connection,
    /// Several texts in one, separated (`A;B`), as a Salesforce multi-select picklist.
    Separated { by: String },
}
