//! Exceptions by cause, decisions of people, alerts.

use serde::{Deserialize, Serialize};

use super::{Entry, Millis, Reason, RecordStage, cause};

/// The codes of exceptions. `docs/operations.md` has a row for each.
pub const CODES: [&str; 10] = ["review", "rejected", "refused", "in_doubt", "gone", "exhausted", "differs", "missing", "late", "damaged"];

/// Something that a person must see.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    pub id: i64,
    pub flow: String,
    pub lane: String,
    pub label: Option<String>,
    /// One of [`CODES`].
    pub code: String,
    /// Sealed.
    pub reasons: Vec<Reason>,
    /// What to do about it, in one sentence.
    pub next: String,
    pub owner: Option<String>,
    pub before: Option<Millis>,
    /// A payload waits that can be approved.
    pub parked: bool,
    pub opened: Millis,
    pub closed: Option<Millis>,
    /// `approved`, `retried`, `edited`, `discarded`, `mended`, `superseded`, `gone`
    pub closed_by: Option<String>,
    /// Sealed. What a person decided, where one did.
    pub decided: Option<Decided>,
}

impl Exception {
    /// What it has in common with others: see [`cause`].
    pub fn cause(&self) -> String {
        cause::id(&self.flow, &self.code, &self.reasons)
    }
}

/// What a person decided about an exception.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// `approved`, `retried`, `edited`, `discarded`
    pub what: String,
    /// Who decided: a login name, or the name that was given.
    pub by: Option<String>,
    /// In the decider's own words.
    pub why: Option<String>,
    pub at: Millis,
    /// What takes it back, as long as it was not carried out.
    pub undo: Option<Undo>,
}

/// A record and its writes as they were before a decision, and what the decision left, by which it is seen whether it was
/// carried out since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub state: RecordStage,
    pub was: Option<RecordStage>,
    pub version: String,
    pub attempt: u32,
    pub due: Millis,
    /// The writes that the decision changed or dropped, whole.
    pub entries: Vec<Entry>,
    pub left_state: RecordStage,
    pub left_version: String,
}

/// Which exceptions are meant. What is absent is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub owner: Option<String>,
    pub code: Option<String>,
    pub flow: Option<String>,
    /// The id of a cause: see [`cause`].
    pub cause: Option<String>,
    /// Opened then or before.
    pub opened_by: Option<Millis>,
    /// Their deadline is then or before.
    pub due_by: Option<Millis>,
}

/// Open exceptions of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// See [`cause`].
    pub id: String,
    pub flow: String,
    pub code: String,
    pub owner: Option<String>,
    pub count: u64,
    /// When the oldest was opened.
    pub oldest: Millis,
    /// The earliest deadline.
    pub before: Option<Millis>,
    /// The oldest one's id: the example.
    pub example: i64,
}

/// What somebody should know, by its cause: one row for all that has the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub cause: String,
    /// Names it in its messages, for as long as it lasts.
    pub id: i64,
    pub kind: String,
    /// The first records, or the connection.
    pub subjects: Vec<String>,
    /// Masked. The newest.
    pub message: String,
    pub owner: Option<String>,
    /// The earliest deadline.
    pub before: Option<Millis>,
    pub opened: Millis,
    pub updated: Millis,
    pub closed: Option<Millis>,
    /// It lasts until it is closed; otherwise it has happened, and that is all.
    pub lasting: bool,
    /// How often it has happened.
    pub count: u64,
    /// The count that all channels know.
    pub told: u64,
    /// When the newest message went out.
    pub told_at: Option<Millis>,
    /// A message has to go out.
    pub pending: bool,
    /// Not before then.
    pub due: Millis,
    /// How often the present message was tried.
    pub attempt: u32,
    /// The channels that have not taken it; absent: all.
    pub left: Option<Vec<String>>,
}

impl Alert {
    /// A cause of which nothing has happened yet.
    pub fn new(id: i64, cause: &str, now: Millis) -> Self {
        Alert {
            cause: cause.to_owned(),
            id,
            kind: String::new(),
            subjects: Vec::new(),
            message: String::new(),
            owner: None,
            before: None,
            opened: now,
            updated: now,
            closed: None,
            lasting: false,
            count: 0,
            told: 0,
            told_at: None,
            pending: false,
            due: now,
            attempt: 0,
            left: None,
        }
    }
}
