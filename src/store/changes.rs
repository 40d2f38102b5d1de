//! Changes of the store, and their parts: history, calls, positions in streams, hints, deadlines, deletions, and damage that was
//! found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Alert, Entry, EntryState, Exception, Millis, RecordState, TargetState, Watch, Watched};
use crate::value::Json;

/// One line of a record's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: Millis,
    pub flow: String,
    pub lane: String,
    /// `received`, `rejected`, `review`, `sent`, `confirmed`, `ambiguous`, …
    pub kind: String,
    /// Masked, and sealed unless many share it.
    pub text: String,
    /// The exchange that it belongs to.
    pub exchange: Option<i64>,
}

/// One request and its answer, masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub id: i64,
    pub at: Millis,
    pub connection: String,
    pub method: String,
    pub path: String,
    pub status: Option<u16>,
    pub took: Millis,
    /// Sealed, masked: what older versions kept of whole batches.
    pub request: Option<String>,
    /// As `request`.
    pub response: Option<String>,
    pub broken: Option<String>,
    pub plan: String,
    /// Sealed. What it says of each record.
    pub parts: Vec<Part>,
}

/// What an exchange sent and answered of one record, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub flow: String,
    pub lane: String,
    pub request: Option<String>,
    pub response: Option<String>,
}

/// Data of a person that was erased: what is kept to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub at: Millis,
    /// Keyed hash of the identifier that was given.
    pub who: String,
    /// Sealed. Who had it done.
    pub by: Option<String>,
    pub records: u64,
}

/// The place in a stream up to which everything is in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub flow: String,
    pub stream: String,
    /// As the source printed it.
    pub cursor: Option<String>,
    /// The poll has more pages.
    pub more: bool,
    /// When it was last moved or confirmed.
    pub at: Millis,
}

/// A webhook that was verified and answered, and still has to be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    pub id: i64,
    pub connection: String,
    pub event: String,
    /// The connector's own form; it holds known words and checked values only.
    pub body: Json,
    pub at: Millis,
}

/// A record of a flow has to do with a record of a system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub flow: String,
    pub lane: String,
    /// `crm.Order`
    pub object: String,
    /// Hashed: what is read back is the hash, in hex.
    pub id: String,
}

/// What a person asked a running process to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    pub id: i64,
    /// Sealed: it may hold an edited payload.
    pub body: Json,
    pub at: Millis,
    /// Absent while it waits.
    pub answer: Option<Json>,
}

/// An entry on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub id: i64,
    pub state: EntryState,
    pub attempt: u32,
    pub due: Millis,
    pub sent: Option<Millis>,
    pub doubted: Option<Millis>,
    pub epoch: u64,
}

/// One change of the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Record(RecordState),
    /// What a lane's newest version looks like at its source; nothing else of the lane is touched.
    Seen {
        flow: String,
        key: String,
        seen: Vec<u8>,
    },
    Entry(Entry),
    /// What moves while an entry is sent; nothing else of it is touched.
    Sent(Moved),
    DropEntry(i64),
    Target(TargetState),
    Exception(Exception),
    Event(Event),
    Exchange(Exchange),
    Checkpoint(Checkpoint),
    Hint(WebhookEvent),
    DropHint(i64),
    Watch(Watch),
    DropWatch {
        what: Watched,
        flow: String,
        lane: String,
    },
    Link(Link),
    Answer {
        id: i64,
        answer: Json,
    },
    /// A setting of the engine's own, by name.
    Meta {
        name: String,
        value: String,
    },
    Alert(Alert),
    /// By its cause.
    DropAlert(String),
    Erasure(Erasure),
}

/// Before when what is kept is dropped, by the flow or the connection that it is of; under the empty name: of all that
/// have no entry of their own. `None`: it is kept for ever.
pub type Before = BTreeMap<String, Option<Millis>>;

/// Classes of what is kept, and before when it is dropped. Of a record that is not settled, or that a write, an open
/// exception or a watch is about, nothing is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Old {
    /// Calls and what they sent and answered. By connection.
    Exchanges(Before),
    /// The lines of records' histories. By flow.
    Events(Before),
    /// Exceptions that are closed, with what was decided. By flow.
    Exceptions(Before),
    /// What is kept with records that have ended, by flow: bodies, matches and reasons (but of records that are counted in
    /// a group); the ids by which they are found; and what people call them.
    Lanes { bodies: Before, links: Before, labels: Before },
    /// What people asked for, and was answered.
    Controls(Millis),
}

/// What one step of [`Store::forget`] came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows that were dropped or emptied.
    pub dropped: u64,
    /// Where the next step begins; absent: the class is done.
    pub next: Option<String>,
}

/// A row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The table of the model.
    pub table: &'static str,
    /// What names the row within it.
    pub row: String,
    /// The record that it belongs to; empty where it belongs to none.
    pub flow: String,
    pub lane: String,
    /// What is wrong with it.
    pub what: String,
}

impl Damage {
    /// Said of a row that does not fit its checksum.
    pub(crate) const ROW: &'static str = "its row was changed";

    /// What damages of the file itself are named by, as those of a table's rows are by the table.
    pub const PAGES: &'static str = "pages";

    /// Whether the file itself is damaged, and not one row of it.
    pub fn is_of_pages(&self) -> bool {
        self.table == Damage::PAGES
    }

    /// What tells the row from all others: many deadlines have one name.
    pub(crate) fn identity(&self) -> (&'static str, String, String, String) {
        (self.table, self.row.clone(), self.flow.clone(), self.lane.clone())
    }

    /// Whether its plain columns cannot be relied on either.
    pub fn is_of_row(&self) -> bool {
        self.what.contains(Damage::ROW)
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.table {
            "lane" => "the record",
            "entry" | "payload" => "the outgoing",
            "exception" => "the",
            "ledger" => "what was confirmed of",
            "checkpoint" => "the checkpoint",
            "hint" | "control" => "the",
            "watch" => "the deadline",
            "meta" => "the setting",
            "spare" => "the second copy of",
            "event" => "the line of history",
            "exchange" => "the call",
            "body" => "the body of",
            "link" => "the link to",
            "tally" => "the count of",
            "erasure" => "the proof of an erasure,",
            "pages" => "pages:",
            other => other,
        };
        write!(f, "{kind} {}", self.row)?;
        if !self.flow.is_empty() && self.table != "checkpoint" {
            write!(f, " of {}", self.flow)?;
        }
        if self.what.is_empty() { Ok(()) } else { write!(f, ": {}", self.what) }
    }
}
