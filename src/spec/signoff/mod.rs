//! What a client signs: every target field with where it comes from, every value map, every route, every reason for which a
//! record stops. [`document`] makes it from a plan and the files that it was made from; [`html`] and [`xlsx`] print it.

mod changes;
mod empty;
mod examples;
mod html;
mod make;
mod sources;
mod xlsx;

#[cfg(test)]
mod tests;

pub use changes::{Change, changes};
pub use examples::Example;
pub use html::html;
pub use make::document;
pub use xlsx::xlsx;

use serde::{Deserialize, Serialize};

/// A mapping as it is signed. Kept as JSON, it is what the next one is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The form of the document itself.
    pub version: u32,
    pub project: String,
    pub environment: Option<String>,
    /// The day, `2026-11-20`.
    pub made: String,
    /// The plan's hash.
    pub plan: String,
    pub time_zone: String,
    pub parameters: Vec<Named>,
    pub flows: Vec<FlowPart>,
    pub values: Vec<ValuesPart>,
}

/// A name, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub is: String,
    pub place: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowPart {
    pub name: String,
    pub about: Option<String>,
    /// `crm.Order`
    pub source: String,
    pub when: Vec<String>,
    /// Conditions that a record has to meet, all of them.
    pub eligible: Vec<String>,
    pub matches: Vec<Named>,
    /// What the mapping gives names to.
    pub lets: Vec<Named>,
    pub routes: Vec<RoutePart>,
    pub writes: Vec<WritePart>,
    pub reasons: Vec<ReasonPart>,
}

/// A decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutePart {
    pub results: Vec<String>,
    /// The condition, and a result for each column, or what stops the record.
    pub rows: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WritePart {
    /// `upsert wms.Order`
    pub name: String,
    /// Of a follow-up: what it follows.
    pub after: Option<String>,
    pub condition: Option<String>,
    pub key: Option<String>,
    /// How the record is kept to one.
    pub guarantee: String,
    pub fields: Vec<FieldPart>,
}

/// One target field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldPart {
    /// `shipTo.street1`, `items[].sku`
    pub field: String,
    /// What the target takes there.
    pub takes: String,
    pub sources: Vec<String>,
    /// As the author wrote it.
    pub rule: String,
    /// What becomes of it where the source has nothing.
    pub empty: String,
    pub example: Option<Shown>,
    pub place: String,
}

/// A value of a real record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Where the record comes from.
    pub record: String,
    /// What was read, with its values.
    pub read: Vec<(String, String)>,
    /// Absent: it is not sent.
    pub sent: Option<String>,
}

/// Why a record may stop, or be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonPart {
    /// `rejected`, `a person decides`, `warning`
    pub what: String,
    pub when: String,
    pub message: String,
    pub owner: Option<String>,
    pub place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValuesPart {
    pub name: String,
    pub about: Option<String>,
    pub from: String,
    pub to: String,
    pub rows: Vec<(String, String)>,
    pub otherwise: String,
    pub place: String,
}

/// What a document says of itself.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub project: &'a str,
    pub environment: Option<&'a str>,
    pub made: jiff::civil::Date,
}
