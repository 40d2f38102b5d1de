//! The typed tree: a mapping in which no name is left to look up and every conversion is explicit.
//!
//! It is what `check` gives and what a plan holds, so it is serialisable and says nothing that
//! differs between two runs of the checker. Overlays are merged, functions stand inlined at
//! their calls, bare names are constants or slots.

pub mod walk;

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::builtin::BuiltinRef;
use crate::system::Operation;
use crate::value::{Kind, LengthUnit, Literal, ObjectRef, Type, WeightUnit, Wire};

/// Where something stands in the mapping's files, for people: `orders.dock:12`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub file: Arc<str>,
    pub line: u32,
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
    /// The message may read [`Word::Value`].
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
    /// The message may read [`Word::Count`].
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
    /// Rejects where the two differ by more than `within`; the message may read [`Word::Difference`].
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
    pub op: Op,
    pub object: ObjectRef,
    /// The matched or source record that is updated, or that may be created (`upsert … of`).
    pub of: Option<Slot>,
    pub key: Option<Key>,
    /// Guarantee class, 0 to 3, as this write uses the target.
    pub class: u8,
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
pub enum Op {
    Create,
    Update,
    Upsert,
}

impl From<Op> for Operation {
    fn from(op: Op) -> Self {
        match op {
            Op::Create => Operation::Create,
            Op::Update => Operation::Update,
            Op::Upsert => Operation::Upsert,
        }
    }
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

/// `count() reaches (10, 50)`: one write for each threshold newly passed; [`Word::Reached`] holds it.
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
    /// Reads [`Word::Target`]; where there is no target record yet, the guard does not apply.
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
    /// Reads the record of `flow` in its slots, and [`Word::SentAt`].
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

// ---- expressions ----

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    pub slot: Slot,
    pub name: String,
    pub list: Expr,
    /// Keeps the element before it where the list is empty (the slot is then missing).
    pub optional: bool,
    /// Where `index` is read: counts from 1.
    pub index: Option<Slot>,
}

/// Words that a place provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Target,
    Now,
    Today,
    Value,
    Count,
    Reasons,
    Reached,
    Difference,
    SentAt,
}

/// An expression. Missing operands follow section 5 of the language: arithmetic, templates and
/// first arguments pass them on; comparisons other than `==` and `!=` are false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    Literal(Literal),
    /// A name's value: the record, a match, a `let`, an element, an argument, a route's result.
    Slot {
        slot: Slot,
        name: Arc<str>,
    },
    Word(Word),
    Parameter(String),
    /// A field of a record, a row or a built object. Reading a missing base gives missing.
    Field {
        base: Box<Expr>,
        name: Arc<str>,
        kind: Kind,
        wire: Wire,
        /// The schema says that it is always there: a blank is a rejection, unless the mapping asks whether it is there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        held: bool,
    },
    /// A value computed once and read by its slot in `body`: an argument of an inlined function.
    Bind {
        slot: Slot,
        name: Arc<str>,
        value: Box<Expr>,
        body: Box<Expr>,
    },
    Call {
        function: BuiltinRef,
        arguments: Vec<Expr>,
    },
    /// A value map, `back` by its way back.
    Values {
        map: usize,
        back: bool,
        value: Box<Expr>,
    },
    /// A row of a table that may be missing, or the list of rows.
    Table {
        table: usize,
        keys: Vec<Expr>,
    },
    /// Missing where a part is missing, unless it is a `message`: there it prints `(none)`.
    Template {
        parts: Vec<Part>,
        message: bool,
    },
    Fallback {
        value: Box<Expr>,
        fallback: Box<Expr>,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate(Box<Expr>),
    Compare {
        op: Compare,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    Matches {
        value: Box<Expr>,
        pattern: Pattern,
    },
    IsPresent(Box<Expr>),
    WasSent(Box<Expr>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// A list: for each combination of elements for which the condition holds, the body's value.
    Each {
        generators: Vec<Generator>,
        condition: Option<Box<Expr>>,
        body: Box<Expr>,
    },
    /// A target or function object built from rows.
    Object {
        rows: Vec<Row>,
        object: Option<ObjectRef>,
    },
    /// Rows with `key` and `items` in the order of first appearance.
    Group {
        slot: Slot,
        list: Box<Expr>,
        by: Box<Expr>,
    },
    Sort {
        slot: Slot,
        list: Box<Expr>,
        by: Box<Expr>,
        descending: bool,
    },
    /// An aggregate over the records of a group: each record stands in [`Flow::RECORD`].
    Grouped {
        function: BuiltinRef,
        value: Option<Box<Expr>>,
        condition: Option<Box<Expr>>,
        arguments: Vec<Expr>,
    },
    JsonPath {
        value: Box<Expr>,
        path: String,
    },
    /// `2 as kg`: a number becomes a weight or a length.
    Weigh {
        value: Box<Expr>,
        unit: WeightUnit,
    },
    Measure {
        value: Box<Expr>,
        unit: LengthUnit,
    },
    /// A named thing by a constant name; gone from the snapshot: a built-in rejection.
    Named {
        of: ObjectRef,
        name: String,
    },
    /// A named thing by a text of the record: missing where there is none of that name.
    LookUpName {
        of: ObjectRef,
        value: Box<Expr>,
    },
    /// The value under another kind, where only how it is treated changes: text of an enumeration
    /// as text, money as a plain amount, an integer as a decimal.
    Treat {
        value: Box<Expr>,
        kind: Kind,
    },
    List(Vec<Expr>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Text(String),
    Expr(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Missing where the divisor is 0.
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    /// The comparison that says the same with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Compare::Less => Compare::Greater,
            Compare::LessOrEqual => Compare::GreaterOrEqual,
            Compare::Greater => Compare::Less,
            Compare::GreaterOrEqual => Compare::LessOrEqual,
            same => same,
        }
    }
}

/// What a text must match as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// A regular expression of linear time; it has to match the whole text.
    Regex(String),
    /// A builtin of the family of patterns; the text is its first argument, these are the others.
    Builtin { function: BuiltinRef, arguments: Vec<Expr> },
}
