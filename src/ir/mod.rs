//! The typed tree: a mapping in which no name is left to look up and every conversion is explicit.
//!
//! It is what `check` gives and what a plan holds, so it is serialisable and says nothing that
//! differs between two runs of the checker. Overlays are merged, functions stand inlined at
//! their calls, bare names are constants or slots.

mod expr;
pub mod print;
pub mod walk;
mod words;

pub use expr::{Arithmetic, Bound, Compare, ContextVar, Expr, Generator, Part, Pattern};
pub use words::millis;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Span;
use crate::system::Guarantee;
pub use crate::system::Operation;
use crate::value::{Kind, Literal, ObjectRef, Type};

/// Where something stands in the mapping's files, for people: `orders.dock:12`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub file: Arc<str>,
    pub line: u32,
    /// The statement's own text. It is no part of the plan: one that was stored has none, and two places are one by file and line.
    #[serde(skip)]
    pub span: Option<Span>,
}

impl Place {
    /// A line of which no text is at hand.
    pub fn line(file: impl Into<Arc<str>>, line: u32) -> Self {
        Place { file: file.into(), line, span: None }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.file.cmp(&other.file).then(self.line.cmp(&other.line))
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.file.hash(state);
        self.line.hash(state);
    }
}

/// All that a project's files say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Mapping {
    pub edition: u32,
    pub parameters: IndexMap<String, Parameter>,
    /// Referred to by place in this list.
    pub values: Vec<ValueMap>,
    pub tables: Vec<Table>,
    pub flows: Vec<Flow>,
    pub expects: Vec<Expect>,
    /// `test` items; they are no part of the plan.
    #[serde(skip)]
    pub tests: Vec<Test>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    pub of: Type,
    /// The value of this environment (from `crossdock.yaml`) or the default; a reference is held
    /// by its name and resolved when a run starts.
    pub value: Literal,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueMap {
    pub name: String,
    pub doc: Option<String>,
    pub from: Kind,
    pub to: Kind,
    /// In the order of the file; a row with several left sides stands once for each.
    pub rows: Vec<ValueRow>,
    /// `<->`: the way back, one row for each right side.
    pub back: Vec<ValueRow>,
    pub otherwise: Otherwise,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueRow {
    pub from: Literal,
    pub to: Literal,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// No `else`: covered, or nothing where there is no row.
    Nothing,
    Value {
        to: Literal,
        place: Place,
    },
    /// The message may read [`ContextVar::Value`].
    Stop(Stop),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    pub name: String,
    pub doc: Option<String>,
    /// From the project's folder.
    pub path: String,
    pub keys: Vec<String>,
    /// The keys' columns first.
    pub columns: Vec<TableColumn>,
    /// One key may have many rows.
    pub many: bool,
    /// The checked rows, in the order of `columns`; a blank cell of a `T?` column is missing.
    pub rows: Vec<Vec<Literal>>,
    /// The lines of `rows` in the file, to tell which of them a value came from.
    #[serde(default)]
    pub lines: Vec<u32>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TableColumn {
    pub name: String,
    pub of: Type,
}

/// A place in the frame of a flow, where a name's value is kept while a record is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Slot(pub u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    pub name: String,
    pub doc: Option<String>,
    pub place: Place,
    pub source: ObjectRef,
    /// The name that the mapping gives the record (`order`); it is in [`Flow::RECORD`].
    pub source_name: String,
    /// Size of the frame.
    pub slots: u32,
    /// All have to hold, else the record is not eligible. Conjuncts stand apart, for push-down.
    #[serde(rename = "where")]
    pub filter: Vec<Expr>,
    /// Paths of the stamps, from the record: `["SystemModstamp"]`, `["OrderItems", "SystemModstamp"]`.
    pub changed: Vec<Vec<String>>,
    /// Milliseconds.
    pub overlap: Option<i64>,
    pub first_when: Option<Expr>,
    pub schedules: Vec<Schedule>,
    pub webhooks: Vec<String>,
    pub keep_blank: bool,
    pub including_history: bool,
    pub group: Option<Group>,
    pub matches: Vec<Match>,
    /// Evaluated when first read.
    pub lets: Vec<Let>,
    pub rules: Vec<Rule>,
    pub routes: Vec<Route>,
    pub writes: Vec<Write>,
    pub follow_ups: Vec<FollowUp>,
}

impl Flow {
    /// The slot of the record. In a grouped flow it holds one record of the group inside an aggregate.
    pub const RECORD: Slot = Slot(0);

    /// A flow that reads and writes nothing yet.
    pub fn empty(name: String, place: Place) -> Self {
        Flow {
            name,
            doc: None,
            place,
            source: ObjectRef::new("", ""),
            source_name: String::new(),
            slots: 1,
            filter: Vec::new(),
            changed: Vec::new(),
            overlap: None,
            first_when: None,
            schedules: Vec::new(),
            webhooks: Vec::new(),
            keep_blank: false,
            including_history: false,
            group: None,
            matches: Vec::new(),
            lets: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
            writes: Vec::new(),
            follow_ups: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Milliseconds.
    Every(i64),
    /// `day` or a weekday's name in lower case; `02:00`.
    Daily {
        day: String,
        #[schemars(with = "String")]
        at: jiff::civil::Time,
        zone: String,
    },
    Cron {
        cron: String,
        zone: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Reads the record; a record where it is missing is not eligible.
    pub by: Expr,
    /// The slot of the group's value.
    pub slot: Slot,
    pub name: String,
    /// Milliseconds.
    pub window: Option<i64>,
    /// The record's stamp, by which a window counts.
    pub stamp: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    pub name: String,
    pub slot: Slot,
    pub object: ObjectRef,
    /// One look-up for each element of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<MatchEach>,
    pub by: Vec<MatchKey>,
    pub none: MatchOutcome,
    /// The message may read [`ContextVar::Count`].
    pub many: MatchOutcome,
    pub place: Place,
}

/// `for each part in parts as packed`: `packed` are rows with the element by its name, and with the record that was found for it
/// by the match's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchEach {
    pub generator: Generator,
    pub rows: Slot,
    pub rows_name: String,
}

/// `order.OrderNumber == shipment.orderNumber`: a field of the other side and what it must equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchKey {
    /// The path in the matched object.
    pub field: Vec<String>,
    pub equals: Expr,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchOutcome {
    Skip,
    /// The matched record is missing, and a later `upsert … of` creates it.
    Create,
    /// The matched record is missing, and the rest goes on without it.
    Continue,
    Stop(Stop),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Let {
    pub name: String,
    pub slot: Slot,
    pub value: Expr,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its place among all rules of the flow, nested ones counted in.
    pub id: u32,
    pub kind: RuleKind,
    /// `require` rules that this one rests on: it stays silent where one of them has failed (for
    /// the same element, inside one `each`).
    pub silent_after: Vec<u32>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    Require {
        condition: Expr,
        message: Expr,
        owner: Option<String>,
    },
    Review {
        condition: Expr,
        message: Expr,
        owner: Option<String>,
        before: Option<Expr>,
    },
    Warn {
        condition: Expr,
        message: Expr,
        owner: Option<String>,
    },
    /// Rejects where the two differ by more than `within`; the message may read [`ContextVar::Difference`].
    Reconcile {
        left: Expr,
        right: Expr,
        within: Option<Expr>,
        message: Expr,
        owner: Option<String>,
    },
    Each {
        generators: Vec<Generator>,
        condition: Option<Expr>,
        index: Slot,
        rules: Vec<Rule>,
    },
    When {
        condition: Expr,
        rules: Vec<Rule>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    pub results: Vec<RouteResult>,
    pub rows: Vec<RouteRow>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteResult {
    pub name: String,
    pub slot: Slot,
    pub of: Type,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteRow {
    /// `None`: `else`.
    pub condition: Option<Expr>,
    /// The condition as written, for people; `else`.
    pub text: String,
    pub outcome: RouteOutcome,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteOutcome {
    Results(Vec<Expr>),
    Stop(Stop),
}

/// A review or a rejection that the author wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    pub review: bool,
    pub message: Expr,
    pub owner: Option<String>,
    pub before: Option<Expr>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Write {
    /// `as sent`; writes without one are called by operation and object (`upsert wms.Order`).
    pub name: String,
    pub op: Operation,
    pub object: ObjectRef,
    /// The matched or source record that is updated, or that may be created (`upsert … of`).
    pub of: Option<Slot>,
    pub key: Option<Key>,
    /// What ensures that this write has one effect at its target: by its class, 0 to 3.
    #[serde(rename = "class", with = "crate::system::by_class")]
    #[schemars(with = "u8")]
    pub guarantee: Guarantee,
    pub in_doubt: Option<InDoubt>,
    /// `when` of the write: not sent where it does not hold.
    pub when: Option<Expr>,
    pub repeat: Option<Repeat>,
    pub milestones: Option<Milestones>,
    pub body: Body,
    pub guards: Vec<Guard>,
    /// Where later writes read its result.
    pub result: Option<Slot>,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    LookUp,
    Review,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The target's field that holds it.
    pub field: Option<String>,
    /// The target keeps it to one by itself.
    pub native: bool,
    pub value: Expr,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Once for each combination of elements.
    Each { generators: Vec<Generator> },
    /// Once for each value of `by`; `part` holds a row with `key` and `lines`.
    Split { generator: Generator, by: Expr, part: Slot },
}

/// `count() reaches (10, 50)`: one write for each threshold newly passed; [`ContextVar::Reached`] holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Milestones {
    pub value: Expr,
    pub thresholds: Vec<Literal>,
}

/// The rows of a target object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    pub object: ObjectRef,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub name: String,
    pub value: RowValue,
    pub policy: Policy,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowValue {
    Expr(Expr),
    /// A nested object. With `optional`, it is left out where nothing in it is set.
    Object {
        when: Option<Expr>,
        optional: bool,
        body: Body,
    },
    /// An explicit null.
    Clear,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    #[default]
    Changed,
    Once,
    IfEmpty,
    Clear,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// Reads [`ContextVar::Target`]; where there is no target record yet, the guard does not apply.
    pub condition: Expr,
    pub otherwise: Stop,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FollowUp {
    /// Names of writes, or empty where the subject is the record itself (`when order is gone`).
    pub write: Option<String>,
    pub events: Vec<Event>,
    pub lets: Vec<Let>,
    pub writes: Vec<Write>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Fails,
    IsRejected,
    /// A person has to decide before it is sent.
    IsInReview,
    Succeeds,
    IsGone,
    /// Milliseconds.
    IsLate(i64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expect {
    pub name: String,
    pub title: Option<String>,
    #[serde(rename = "for")]
    pub flow: String,
    #[serde(rename = "where")]
    pub filter: Option<Expr>,
    pub seen: String,
    pub deadline: Deadline,
    /// Reads the record of `flow` in its slots, and [`ContextVar::SentAt`].
    pub message: Expr,
    pub review: bool,
    pub owner: Option<String>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// Milliseconds after it was sent.
    Within(i64),
    Before(Expr),
}

/// A `test` item: what is given and what must come out, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    pub name: String,
    pub flow: String,
    /// A path from the file's folder, and fields that replace those of the record.
    pub given: String,
    pub with: IndexMap<String, serde_json::Value>,
    pub matched: Vec<(String, String)>,
    pub target: Option<String>,
    pub now: Option<String>,
    pub expected: Vec<Expected>,
    /// The mapping file that it stands in.
    pub file: Arc<str>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    Sent {
        object: ObjectRef,
        fields: serde_json::Map<String, serde_json::Value>,
    },
    /// The record is through, and no write applies to it.
    Nothing,
    Rejected(Vec<String>),
    Review(Vec<String>),
    Warned(Vec<String>),
    NotEligible,
}
