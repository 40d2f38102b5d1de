//! Applies a plan to one record: payloads, or a rejection.
//!
//! It always ends and is deterministic: the same plan, record and inputs give the same outcome. A record can be rejected, but never
//! crash or hang the evaluation. All rules run, and all reasons are collected.

mod arithmetic;
mod body;
mod evaluator;
mod formula;
mod lists;
mod lookup;
mod matches;
mod path;
mod program;
pub mod queries;
mod reasons;
mod record;
mod route;
mod rules;
mod text;
mod trace;

pub use formula::Formula;
pub use program::{Program, Unusable};
pub use record::apply;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::ir::{Operation, Place, Policy};
use crate::plan::dependent_writes::Ride;
use crate::schema::Names;
use crate::value::{Json, ObjectRef};

/// What a record is applied with.
pub struct Inputs<'a> {
    /// The source's record as the system gave it. For a grouped flow see `group`.
    pub record: &'a Json,
    /// The records of the group, where the flow is grouped.
    pub group: &'a [Json],
    /// A record that was of the group: it tells the group's value where no record is left, so that the group is
    /// mapped as an empty one. Without it such a group is not eligible.
    pub was_of_group: Option<&'a Json>,
    pub now: Timestamp,
    /// What was found for each `match`, by its name: the records in the order of the answer.
    pub matched: &'a BTreeMap<String, Vec<Json>>,
    /// The record as the target holds it now, by the write's name, or by [`target_of`] where the write is
    /// repeated; absent where there is none, without fields where it is there and nothing had to be read of it.
    pub targets: &'a BTreeMap<String, Json>,
    /// Results of writes that went out already, by the write's name.
    pub results: &'a BTreeMap<String, Json>,
    /// Named things of connections (stores, warehouses).
    pub names: &'a BTreeMap<ObjectRef, std::sync::Arc<Names>>,
    /// Keep the trace of every field.
    pub trace: bool,
}

static NO_RECORDS: BTreeMap<String, Vec<Json>> = BTreeMap::new();
static NOTHING: BTreeMap<String, Json> = BTreeMap::new();

impl<'a> Inputs<'a> {
    /// A record alone: no group, nothing matched, nothing known of targets, no trace.
    pub fn of(record: &'a Json, now: Timestamp, names: &'a BTreeMap<ObjectRef, std::sync::Arc<Names>>) -> Self {
        Inputs { record, group: &[], was_of_group: None, now, matched: &NO_RECORDS, targets: &NOTHING, results: &NOTHING, names, trace: false }
    }
}

/// The name under which [`Inputs::targets`] holds the target of one payload of a repeated write.
pub fn target_of(write: &str, key: &str) -> String {
    format!("{write}\u{1f}{key}")
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub verdict: Verdict,
    /// Why it was rejected or goes to review, in the order of the rules. All of them.
    pub reasons: Vec<Reason>,
    pub warnings: Vec<Reason>,
    /// What would be sent: whole for `Ready`; for `Review` the parked payloads; for `Rejected`
    /// the follow-up writes that the rejection causes are in `follow_ups`, and this is empty.
    pub payloads: Vec<Payload>,
    /// Follow-up writes caused by the rejection itself.
    pub follow_ups: Vec<Payload>,
    /// Which row each route took.
    pub routes: Vec<RouteTaken>,
    /// Rules, value rows and route rows that were met, for coverage.
    pub met: Vec<Met>,
    /// One entry a target field, where a trace was asked for.
    pub trace: Vec<Trace>,
    /// Every condition that was asked on the way, where a trace was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// A condition of a rule, a routing row, a write or a nested object, and what it said of the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    pub what: Decided,
    /// As an author would write it.
    pub condition: String,
    pub answer: Answer,
    pub place: Place,
    /// The element of a list that it was asked of, from 1, outermost first.
    pub element: Vec<usize>,
    /// What it read.
    pub reads: Vec<Read>,
    /// Lines that what it read went through: names, value maps, tables, parameters.
    #[serde(skip)]
    pub behind: Vec<Place>,
}

/// What a condition decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    Require,
    Review,
    Warn,
    Reconcile,
    /// `when … { … }` around rules.
    Rules,
    RouteRow,
    Write,
    Object,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Holds,
    DoesNotHold,
    /// It was not asked, since the rule at this place has failed and says the same cause.
    Silent(Place),
    /// It could not be told.
    Unknown(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its payloads can be sent.
    Ready,
    /// A person must look first.
    Review,
    Rejected,
    /// The flow's `where` or `group by` leaves it out, or a match said `skip`.
    NotEligible,
}

/// Why a record was stopped or warned about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The author's words, or the built-in ones.
    pub message: String,
    /// `rule`, `value_map`, `route`, `match`, `guard`, or a built-in kind: `source_misfit`,
    /// `target_misfit`, `number_too_large`, `currencies`, `name_gone`, `limit`.
    pub kind: &'static str,
    /// It parks the record; otherwise it rejects (or warns).
    pub review: bool,
    pub owner: Option<String>,
    /// A deadline, where the author named one.
    pub before: Option<Timestamp>,
    /// The target or source field, where there is one.
    pub field: Option<String>,
    pub place: Option<Place>,
}

/// One write of one record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    pub write: String,
    pub op: Operation,
    pub object: ObjectRef,
    /// The idempotency key.
    pub key: Option<String>,
    pub key_field: Option<String>,
    /// The id of the record that an update writes to.
    pub id: Option<String>,
    pub body: Json,
    /// Fields with a policy of their own, by path.
    pub policies: BTreeMap<String, Policy>,
    /// Writes whose results its rows read: it is mapped when they are confirmed.
    pub waits_for: Vec<String>,
    /// Where all that it waits for is the id of one record: it may go in the call that makes that record.
    #[serde(skip)]
    pub rides: Option<Ride>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouteTaken {
    /// The results by name, printed.
    pub results: Vec<(String, String)>,
    /// The row's condition as written.
    pub text: String,
    pub place: Place,
}

/// What a case has met, for coverage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// A rule that held, or one that did not.
    Rule {
        id: u32,
        held: bool,
    },
    ValueRow {
        map: usize,
        row: usize,
        back: bool,
    },
    ValueElse {
        map: usize,
    },
    RouteRow {
        route: usize,
        row: usize,
    },
}

/// Why a target field has its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    pub write: String,
    /// `shipTo.street1`, `items[0].sku`
    pub field: String,
    /// What was sent; absent where it was left out.
    pub value: Option<Json>,
    pub place: Place,
    /// Paths that were read, in order, with what they held.
    pub reads: Vec<Read>,
    /// What was decided on the way: fallbacks, value rows, table rows, branches, conversions.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Read {
    pub path: String,
    /// `null`, and the word `absent` or `blank` beside it where it is missing.
    pub value: Json,
    pub missing: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    pub text: String,
    pub place: Option<Place>,
}
