//! What is kept across restarts: where every record is, what is to be sent, what was confirmed.
//!
//! One trait, [`Store`], whose contract is stated in words at each method and held by [`contract`]; one SQL
//! model; [`sqlite`] keeps it inside the process. All times are milliseconds since 1970 (UTC).
//!
//! A store has **one writer**. It is opened with an *epoch*, one higher than any before; a commit of an
//! older epoch fails with [`StoreFault::Fenced`] and changes nothing.
//!
//! What may hold personal data (a record's body, a payload, a reason) is **sealed** before it reaches a file:
//! [`Json`] and `String` fields marked *sealed* below lie there encrypted only. Keys and ids of targets may be a person's
//! (an e-mail address) and have to be found: fields marked *hashed* lie there as keyed hashes, and what is looked for is
//! hashed in the same way.

pub mod cause;
pub mod contract;
pub mod seal;
pub mod sqlite;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::value::{Body, Json};

/// Milliseconds since 1970.
pub type Millis = i64;

/// Where a record is in its flow. One row a lane, which is a flow and a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    pub flow: String,
    /// The record's id at its source.
    pub key: String,
    /// What people call it: an order's number.
    pub label: Option<String>,
    /// Grows with every arrival: lanes go in its order.
    pub arrived: i64,
    /// Goes before all other lanes.
    pub first: bool,
    pub state: LaneState,
    /// While it is fetched again only to see whether it changed: how it had ended.
    pub was: Option<LaneState>,
    /// Hash of the newest version's fields that the mapping reads.
    pub version: String,
    /// The newest version's stamp, as text that sorts.
    pub stamp: Option<String>,
    /// The version that was delivered last.
    pub delivered: Option<String>,
    /// Not before then: a retry, or an older request that may still be carried out.
    pub due: Millis,
    /// How often the present version was tried and put off.
    pub attempt: u32,
    /// Sealed. The newest version, kept until it is settled.
    pub body: Option<Body>,
    /// Sealed. What its matches found, by their names, as long as its writes need it; under the empty name the targets
    /// that were read for writes that wait.
    pub matched: Option<Json>,
    /// In a grouped flow: the key of the group's lane that this record is counted in.
    pub group: Option<String>,
    /// Hash of the plan that mapped it last, or [`ERASED`].
    pub plan: Option<String>,
    /// What its newest version looked like at its source: eight bytes for the text of the record, and eight for each of its
    /// children's versions, so that what is listed again is told without reading it. Empty where it is not known.
    pub seen: Vec<u8>,
    /// Sealed. Why it was stopped.
    pub reasons: Vec<Reason>,
    pub updated: Millis,
}

impl Lane {
    /// The newest version.
    pub fn record(&self) -> Option<&Json> {
        self.body.as_ref().map(Body::json)
    }

    /// Whether a person had its data erased, and its source has not changed it since.
    pub fn is_erased(&self) -> bool {
        self.plan.as_deref() == Some(ERASED)
    }

    /// A lane of which nothing has arrived yet.
    pub fn new(flow: &str, key: &str, now: Millis) -> Self {
        Lane {
            flow: flow.to_owned(),
            key: key.to_owned(),
            label: None,
            arrived: 0,
            first: false,
            state: LaneState::Waiting,
            was: None,
            version: String::new(),
            stamp: None,
            delivered: None,
            due: 0,
            attempt: 0,
            body: None,
            matched: None,
            group: None,
            plan: None,
            seen: Vec::new(),
            reasons: Vec::new(),
            updated: now,
        }
    }
}

/// Stands for the plan of a record whose data was erased.
pub const ERASED: &str = "erased";

/// What has to be known of a lane to tell whether something that is listed is news.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub state: LaneState,
    /// Its newest version was read.
    pub read: bool,
    pub stamp: Option<String>,
    /// See [`Lane::seen`].
    pub seen: Vec<u8>,
}

/// The states of the first promise, and those on the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneState {
    /// It is known that it changed; it has to be fetched.
    Fetch,
    /// To be mapped.
    Waiting,
    /// Its writes are on their way.
    Sending,
    /// The target has it.
    Delivered,
    /// It was delivered before, and nothing that is sent differs.
    Unchanged,
    /// The flow's `where` leaves it out, or a match says `skip`.
    NotEligible,
    /// By the mapping's rules.
    Rejected,
    /// A person must look.
    Review,
    /// The target refused it for good, or its outcome is in doubt and nobody may repeat it.
    Failed,
    /// It is gone from the source.
    Gone,
    /// A person decided that it is not sent.
    Discarded,
}

impl LaneState {
    pub const ALL: [LaneState; 11] = [
        LaneState::Fetch,
        LaneState::Waiting,
        LaneState::Sending,
        LaneState::Delivered,
        LaneState::Unchanged,
        LaneState::NotEligible,
        LaneState::Rejected,
        LaneState::Review,
        LaneState::Failed,
        LaneState::Gone,
        LaneState::Discarded,
    ];

    pub fn word(self) -> &'static str {
        match self {
            LaneState::Fetch => "fetch",
            LaneState::Waiting => "waiting",
            LaneState::Sending => "sending",
            LaneState::Delivered => "delivered",
            LaneState::Unchanged => "unchanged",
            LaneState::NotEligible => "not_eligible",
            LaneState::Rejected => "rejected",
            LaneState::Review => "review",
            LaneState::Failed => "failed",
            LaneState::Gone => "gone",
            LaneState::Discarded => "discarded",
        }
    }

    /// Nothing more happens to it by itself.
    pub fn settled(self) -> bool {
        !matches!(self, LaneState::Fetch | LaneState::Waiting | LaneState::Sending)
    }
}

/// Why a record was stopped, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// `rule`, `value_map`, `target`, `in_doubt`, …
    pub kind: String,
    pub message: String,
    pub field: Option<String>,
    /// `orders.dock:12`
    pub place: Option<String>,
    pub owner: Option<String>,
    pub before: Option<Millis>,
    pub review: bool,
}

/// A write on its way: the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub id: i64,
    pub flow: String,
    /// The lane's key.
    pub lane: String,
    /// The lane's version that it was made of.
    pub version: String,
    /// The write's name in the mapping.
    pub write: String,
    /// Which follow-up it is (`succeeds`, `fails`, …); absent for a write of the flow itself.
    pub after: Option<String>,
    pub connection: String,
    pub object: String,
    /// `create`, `update`, `upsert`
    pub op: String,
    /// Sealed. The idempotency key.
    pub key: Option<String>,
    pub key_field: Option<String>,
    /// The target record's id, where it is known.
    pub target: Option<String>,
    pub class: u8,
    /// The mapping says `in doubt review`.
    pub review_doubt: bool,
    pub state: EntryState,
    pub first: bool,
    pub attempt: u32,
    pub due: Millis,
    /// When its newest intent was made durable.
    pub sent: Option<Millis>,
    /// The first time that its outcome was in doubt.
    pub doubted: Option<Millis>,
    /// Who sent it: the epoch of the intent.
    pub epoch: u64,
    /// Sealed. What is sent, before it is merged with what the target holds.
    pub body: Json,
    /// Sealed. What the target holds, where the write replaces.
    pub held: Option<Json>,
    /// SHA-256 over the body, in hex.
    pub hash: String,
    /// Sealed. What the target said of it, for later writes of the same record.
    pub result: Option<Json>,
    /// Sealed. The target's own words.
    pub error: Option<String>,
    pub plan: String,
    pub created: Millis,
    /// It waits for the id of another entry's record, and may go in the same call.
    pub rides: Option<Rides>,
}

impl Entry {
    /// Moves its times by as much as the wall clock was set.
    pub(crate) fn moved_by(&mut self, off: Millis) {
        self.due += off;
        self.created += off;
        self.sent = self.sent.map(|sent| sent + off);
        self.doubted = self.doubted.map(|doubted| doubted + off);
    }
}

/// What an entry takes from another one of its lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rides {
    /// The other entry.
    pub on: i64,
    /// The fields of the body that get the id of the other's record. They are absent until it is known.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// To be sent when its batch is.
    Planned,
    /// The intent: durable before the first byte leaves.
    Sending,
    /// Whether it was done is not known: waits for its settle time and a look-up, or is sent again.
    Ambiguous,
    /// The target has it; kept until the record's other writes are done.
    Confirmed,
    /// The target refused it for good.
    Refused,
    /// Waits for a person.
    Parked,
    /// A newer version takes its place.
    Withdrawn,
}

impl EntryState {
    pub fn word(self) -> &'static str {
        match self {
            EntryState::Planned => "planned",
            EntryState::Sending => "sending",
            EntryState::Ambiguous => "ambiguous",
            EntryState::Confirmed => "confirmed",
            EntryState::Refused => "refused",
            EntryState::Parked => "parked",
            EntryState::Withdrawn => "withdrawn",
        }
    }
}

/// What is known of one record of a target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    pub connection: String,
    pub object: String,
    /// Hashed. The idempotency key, or `id:` and the record's id. Where a flow writes a record by both, `of:` and the
    /// record's id has the key in the place of the id.
    pub key: String,
    /// Sealed where it is a key.
    pub id: Option<String>,
    /// Keyed hashes of the fields as last confirmed, by field.
    pub fields: BTreeMap<String, String>,
    pub confirmed: Millis,
}

/// Something that a person must see.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    pub id: i64,
    pub flow: String,
    pub lane: String,
    pub label: Option<String>,
    /// `review`, `rejected`, `refused`, `in_doubt`, `gone`, `exhausted`, `over_shipped`, `late`, `damaged`
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
    pub state: LaneState,
    pub was: Option<LaneState>,
    pub version: String,
    pub attempt: u32,
    pub due: Millis,
    /// The writes that the decision changed or dropped, whole.
    pub entries: Vec<Entry>,
    pub left_state: LaneState,
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
pub struct Hint {
    pub id: i64,
    pub connection: String,
    pub event: String,
    /// The connector's own form; it holds known words and checked values only.
    pub body: Json,
    pub at: Millis,
}

/// A promise to be looked at when its time comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// An `expect`'s name, or `late` and the write's.
    pub name: String,
    pub flow: String,
    pub lane: String,
    /// When the record was sent.
    pub since: Millis,
    pub due: Millis,
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
    Lane(Lane),
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
    Ledger(Ledger),
    Exception(Exception),
    Event(Event),
    Exchange(Exchange),
    Checkpoint(Checkpoint),
    Hint(Hint),
    DropHint(i64),
    Watch(Watch),
    DropWatch {
        name: String,
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

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreFault {
    /// Another process has opened the store since.
    #[error("the store was taken over by another process (epoch {theirs}, ours {ours})")]
    Fenced { ours: u64, theirs: u64 },
    /// Another process holds it now.
    #[error("the store {path} is in use by another process{by}")]
    InUse { path: String, by: String },
    #[error("the disk is full")]
    Full,
    /// Another program holds a lock on the file, and did not let go of it in time. Nothing was changed.
    #[error("the store is locked by another program, which does not let go of it")]
    Busy,
    /// What was read is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// It was written by a later version.
    #[error("the store has the form {found}, this program knows up to {known}")]
    TooNew { found: i64, known: i64 },
    /// There was a store here that knew more than this one: an older copy, or none.
    #[error("the store {path} {why}")]
    NotTheNewest { path: String, why: &'static str },
    /// Sealed under another key.
    #[error("the store was sealed with another key")]
    OtherKey,
    #[error("the store cannot be used: {0}")]
    Io(String),
}

pub type Kept<T> = Result<T, StoreFault>;

/// How many lanes of a flow are in a state.
pub type Counts = BTreeMap<(String, LaneState), u64>;

/// Keeps everything. Reads see all commits before them.
pub trait Store: Send {
    /// This opening's epoch: higher than that of every opening before.
    fn epoch(&self) -> u64;

    /// Makes all changes durable at once, or none. A row of the same key is replaced.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] if the store was opened since by another: then nothing is changed.
    fn commit(&mut self, changes: &[Change]) -> Kept<()>;

    /// The next ids for entries, exceptions and exchanges: unique over the store's life.
    fn next_id(&mut self) -> i64;

    /// One higher than the highest `arrived` of all lanes.
    fn next_arrival(&mut self) -> i64;

    fn checkpoint(&self, flow: &str, stream: &str) -> Kept<Option<Checkpoint>>;
    fn checkpoints(&self) -> Kept<Vec<Checkpoint>>;

    fn lane(&self, flow: &str, key: &str) -> Kept<Option<Lane>>;

    /// What is known of the lanes of some keys, in one read; a key without a lane is left out.
    fn known(&self, flow: &str, keys: &[&str]) -> Kept<HashMap<String, Known>>;

    /// Lanes of a flow in a state that are due, what goes first before all, then in the order of arrival.
    fn due(&self, flow: &str, state: LaneState, now: Millis, limit: usize) -> Kept<Vec<Lane>> {
        self.due_but(flow, state, (now, limit), false, &|_| false)
    }

    /// The same without lanes whose keys are left out, which costs nothing for what is left out; `first`: only those that go
    /// before all. Of each lane that waits behind the limit nothing is read.
    fn due_but(&self, flow: &str, state: LaneState, until: (Millis, usize), first: bool, leave: &dyn Fn(&str) -> bool) -> Kept<Vec<Lane>>;

    /// When the next lane of a flow in a state is due; `None` where there is none in the state.
    fn next_due(&self, flow: &str, state: LaneState, now: Millis) -> Kept<Option<Millis>>;

    /// Lanes by what people call them, by their key, or by the key or id of what was written of them.
    fn search(&self, text: &str, limit: usize) -> Kept<Vec<Lane>>;

    /// Lanes in a state, newest change first.
    fn in_state(&self, flow: Option<&str>, state: LaneState, limit: usize) -> Kept<Vec<Lane>>;

    /// The bodies of a group's records, in the order of their keys.
    fn members(&self, flow: &str, group: &str) -> Kept<Vec<Json>>;
    /// The lanes of a flow's groups: those whose keys begin so.
    fn beginning(&self, flow: &str, key: &str) -> Kept<Vec<Lane>>;
    fn counts(&self) -> Kept<Counts>;
    /// When the record was last touched that has been in a state for the longest.
    fn oldest_in(&self, state: LaneState) -> Kept<Option<Millis>>;

    fn entry(&self, id: i64) -> Kept<Option<Entry>>;

    /// Entries by id; one that is not there is left out.
    fn entries(&self, ids: &[i64]) -> Kept<Vec<Entry>>;

    /// All entries of a lane, in the order in which they were made.
    fn entries_of(&self, flow: &str, lane: &str) -> Kept<Vec<Entry>>;

    /// All entries that are not done, without what is sealed in them, in the order in which they were made.
    fn open_entries(&self) -> Kept<Vec<Entry>>;

    fn ledger(&self, connection: &str, object: &str, key: &str) -> Kept<Option<Ledger>>;

    fn exceptions(&self, open: bool, limit: usize) -> Kept<Vec<Exception>>;
    fn exception(&self, id: i64) -> Kept<Option<Exception>>;
    /// The open exceptions of a lane.
    fn exceptions_of(&self, flow: &str, lane: &str) -> Kept<Vec<Exception>>;
    /// How many are open.
    fn open_exceptions(&self) -> Kept<u64>;
    /// The open exceptions by their causes: the earliest deadline first, then the oldest.
    fn causes(&self, wanted: &Wanted) -> Kept<Vec<Cause>>;
    /// Exceptions of a kind, the earliest deadline first, then the oldest. `closed`: those that are closed, too.
    fn wanted(&self, wanted: &Wanted, closed: bool, limit: usize) -> Kept<Vec<Exception>>;
    /// What was decided about a lane, the newest last: its exceptions that a person closed.
    fn decisions_of(&self, flow: &str, lane: &str) -> Kept<Vec<Exception>>;
    /// How many are open of one cause: see [`cause`].
    fn open_of_cause(&self, flow: &str, code: &str, cause: &str) -> Kept<u64>;
    /// How many are open, by owner and code.
    fn open_by_owner(&self) -> Kept<Vec<(Option<String>, String, u64)>>;

    /// All causes of alerts that are not over.
    fn alerts(&self) -> Kept<Vec<Alert>>;

    fn events(&self, flow: &str, lane: &str) -> Kept<Vec<Event>>;
    fn exchange(&self, id: i64) -> Kept<Option<Exchange>>;
    /// The newest exchanges, newest first.
    fn exchanges(&self, limit: usize) -> Kept<Vec<Exchange>>;

    fn hints(&self, limit: usize) -> Kept<Vec<Hint>>;
    /// Puts a hint durably into the inbox. The same one that still waits is not kept twice.
    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> Kept<()>;

    fn watches(&self, due: Millis, limit: usize) -> Kept<Vec<Watch>>;
    fn next_watch(&self) -> Kept<Option<Millis>>;
    /// How many watches have a name.
    fn watching(&self, name: &str) -> Kept<u64>;
    /// Watches of a lane that have not come due.
    fn watches_of(&self, flow: &str, lane: &str) -> Kept<Vec<Watch>>;

    fn links_of(&self, flow: &str, lane: &str) -> Kept<Vec<Link>>;
    /// Other lanes (flow, key) that have to do with the same records; with `of`, those of this flow. At most `most`: those come first
    /// that share a record with few others, and of a record that many share (an account) the newest.
    fn linked(&self, flow: &str, lane: &str, of: Option<&str>, most: usize) -> Kept<Vec<(String, String)>>;

    /// What people asked for and nobody has answered.
    fn controls(&self) -> Kept<Vec<Control>>;

    fn meta(&self, name: &str) -> Kept<Option<String>>;

    /// What was found damaged since this was asked last. It was put aside, and its record has an exception.
    fn damages(&mut self) -> Vec<Damage> {
        Vec::new()
    }

    /// A keyed hash of a text: equal for equal texts of one store, and of no use elsewhere.
    fn fingerprint(&self, text: &[u8]) -> String;

    /// Drops what is old of a class. One step looks at `rows` rows at most, from where the last one ended (`after`).
    /// What keeps an effect single stays: hashes of keys and of fields, a record's version and state.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn forget(&mut self, old: &Old, after: Option<&str>, rows: u32) -> Kept<Forgotten>;

    /// Records (flow, key) of which something that is kept fits: a body, a payload, a reason, a call, a line of history.
    fn mentioning(&self, fits: &dyn Fn(&str) -> bool) -> Kept<Vec<(String, String)>>;

    /// Removes what is kept of some records (flow and key) besides their lanes and what keeps their effects single, and makes
    /// some changes with it, all at once; gives how many rows were removed.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn erase(&mut self, records: &[(String, String)], then: &[Change]) -> Kept<u64>;

    /// What was erased before, the newest last; `who`: of one identifier's hash only.
    fn erasures(&self, who: Option<&str>) -> Kept<Vec<Erasure>>;
}
