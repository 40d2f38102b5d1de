//! What a client signs: every target field with where it comes from, every value map, every route, every reason for which a
//! record stops. [`document`] makes it from a plan and the files that it was made from; [`html`] and [`xlsx`] print it.

mod changes;
mod empty;
mod examples;
mod html;
mod make;
mod meaning;
mod sources;
mod xlsx;

#[cfg(test)]
mod tests;

pub use changes::{Change, changes};
pub use examples::Example;
pub use html::html;
pub use make::document;
pub use sources::rows_built as built;
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
    /// Lookup tables, with all their rows. A state that was signed in form 1 has none.
    #[serde(default)]
    pub tables: Vec<TablePart>,
    /// What is promised of the flows (`expect`).
    #[serde(default)]
    pub promises: Vec<PromisePart>,
    /// The hash of all that the mapping says, without lines, comments and examples.
    #[serde(default)]
    pub meaning: String,
}

/// The form of the documents that are written now. Form 1 had no tables and no promises.
pub const FORM: u32 = 2;

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
    /// What else the flow says of its records: how they are grouped, which go first.
    #[serde(default)]
    pub settings: Vec<Setting>,
    pub routes: Vec<RoutePart>,
    pub writes: Vec<WritePart>,
    pub reasons: Vec<ReasonPart>,
}

/// A word of a flow and what it says: `group by`, `first when`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    pub word: String,
    pub is: String,
}

/// A lookup table: the columns, and the rows of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePart {
    pub name: String,
    pub about: Option<String>,
    /// The file that it is read from.
    pub path: String,
    /// How many of the columns, from the left, are its key.
    pub keys: usize,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A promise: what has to be seen, by when, and what is said where it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisePart {
    pub name: String,
    pub about: Option<String>,
    pub is: String,
    pub message: String,
    pub owner: Option<String>,
    pub place: String,
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
    /// Where it is made several times for one record: for what.
    #[serde(default)]
    pub repeat: Option<String>,
    pub fields: Vec<FieldPart>,
}

/// One target field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldPart {
    /// `shipTo.street1`, `items[].sku`
    pub field: String,
    /// What people see in the system, where it is known and differs.
    #[serde(default)]
    pub label: Option<String>,
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
