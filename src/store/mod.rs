//! What is kept across restarts: the state of every record, what is to be sent, what was confirmed.
//!
//! There is one trait, [`Store`]. Its contract is documented at each method and tested by [`contract`]. [`sqlite`] implements it inside
//! the process. All times are milliseconds since 1970 (UTC).
//!
//! A store has **one writer**. It is opened with an *epoch* that is higher than any before. A commit with an older epoch fails with
//! [`StoreFault::Fenced`] and changes nothing.
//!
//! What may contain personal data (a record's body, a payload, a reason) is **sealed** (encrypted) before it reaches a file: [`Json`] and
//! `String` fields marked *sealed* below. Keys and ids of targets may be personal too (an e-mail address), and records are found by
//! them: fields marked *hashed* are stored as keyed hashes, and a value to search for is hashed in the same way.

pub mod cause;
mod changes;
pub mod contract;
mod queue;
mod records;
pub mod seal;
pub mod sqlite;
mod watch;

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;

pub use self::{changes::*, queue::*, records::*, watch::*};
use crate::value::Json;

/// Milliseconds since 1970.
pub type Millis = i64;

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
    #[error("the store is locked by another program, which does not release it")]
    Busy,
    /// What was read is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// It was written by a later version.
    #[error("the store was written by a newer version of Crossdock (format {found}; this version knows up to {known})")]
    TooNew { found: i64, known: i64 },
    /// There was a store here that knew more than this one: an older copy, or none.
    #[error("the store {path} {why}")]
    NotTheNewest { path: String, why: &'static str },
    /// Its file was deleted, or another one stands in its place: what is written is lost with it.
    #[error("the store {path} {what} while this process used it: it has stopped sending")]
    Removed { path: String, what: &'static str },
    /// It was to be read, and was not made yet.
    #[error("there is no store at {path} yet")]
    NoneYet { path: String },
    /// Sealed under another key.
    #[error("the store was sealed with another key")]
    OtherKey,
    #[error("the store cannot be used: {0}")]
    Io(String),
}

pub type StoreResult<T> = Result<T, StoreFault>;

/// How many lanes of a flow are in a state.
pub type Counts = BTreeMap<(String, RecordStage), u64>;

/// Keeps everything. Reads see all commits before them.
pub trait Store: Send {
    /// This opening's epoch: higher than that of every opening before.
    fn epoch(&self) -> u64;

    /// Whether what is committed can still be found by the next process.
    ///
    /// # Errors
    /// [`StoreFault::Removed`] where it cannot.
    fn is_in_place(&self) -> StoreResult<()> {
        Ok(())
    }

    /// Makes all changes durable at once, or none. A row of the same key is replaced.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] if the store was opened since by another: then nothing is changed.
    fn commit(&mut self, changes: &[Change]) -> StoreResult<()>;

    /// The next ids for entries, exceptions and exchanges: unique over the store's life.
    ///
    /// # Errors
    /// The store gives none now: one that several processes share takes them from where it is kept.
    fn next_id(&mut self) -> StoreResult<i64>;

    /// One higher than the highest `arrived` of all lanes.
    ///
    /// # Errors
    /// As [`Store::next_id`].
    fn next_arrival(&mut self) -> StoreResult<i64>;

    fn checkpoint(&self, flow: &str, stream: &str) -> StoreResult<Option<Checkpoint>>;
    fn checkpoints(&self) -> StoreResult<Vec<Checkpoint>>;

    fn record(&self, flow: &str, key: &str) -> StoreResult<Option<RecordState>>;

    /// What is known of the lanes of some keys, in one read; a key without a lane is left out.
    fn known(&self, flow: &str, keys: &[&str]) -> StoreResult<HashMap<String, Known>>;

    /// Lanes of a flow in a state that are due, what goes first before all, then in the order of arrival.
    fn due(&self, flow: &str, state: RecordStage, now: Millis, limit: usize) -> StoreResult<Vec<RecordState>> {
        self.due_but(flow, state, (now, limit), false, &|_| false)
    }

    /// The same without lanes whose keys are left out, which costs nothing for what is left out; `first`: only those that go
    /// before all. Of each lane that waits behind the limit nothing is read.
    fn due_but(
        &self,
        flow: &str,
        state: RecordStage,
        until: (Millis, usize),
        first: bool,
        leave: &dyn Fn(&str) -> bool,
    ) -> StoreResult<Vec<RecordState>>;

    /// When the next lane of a flow in a state is due; `None` where there is none in the state.
    fn next_due(&self, flow: &str, state: RecordStage, now: Millis) -> StoreResult<Option<Millis>>;

    /// Lanes by what people call them, by their key, or by the key or id of what was written of them.
    fn search(&self, text: &str, limit: usize) -> StoreResult<Vec<RecordState>>;

    /// Lanes in a state, newest change first.
    fn in_state(&self, flow: Option<&str>, state: RecordStage, limit: usize) -> StoreResult<Vec<RecordState>>;

    /// The bodies of a group's records, in the order of their keys.
    fn members(&self, flow: &str, group: &str) -> StoreResult<Vec<Json>>;
    /// The lanes of a flow's groups: those whose keys begin so.
    fn beginning(&self, flow: &str, key: &str) -> StoreResult<Vec<RecordState>>;
    fn counts(&self) -> StoreResult<Counts>;
    /// When the oldest write was sent of which it is not known whether it was done.
    fn oldest_doubt(&self) -> StoreResult<Option<Millis>> {
        let unknown = |entry: &Entry| {
            matches!(entry.state, EntryState::Sending | EntryState::Ambiguous) || (entry.state == EntryState::Planned && entry.doubted.is_some())
        };
        Ok(self.open_entries()?.iter().filter(|entry| unknown(entry)).filter_map(|entry| entry.sent).min())
    }
    /// When the record was last touched that has been in a state for the longest.
    fn oldest_in(&self, state: RecordStage) -> StoreResult<Option<Millis>>;

    fn entry(&self, id: i64) -> StoreResult<Option<Entry>>;

    /// Entries by id; one that is not there is left out.
    fn entries(&self, ids: &[i64]) -> StoreResult<Vec<Entry>>;

    /// All entries of a lane, in the order in which they were made.
    fn entries_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Entry>>;

    /// All entries that are not done, without what is sealed in them, in the order in which they were made.
    fn open_entries(&self) -> StoreResult<Vec<Entry>>;

    fn target_state(&self, connection: &str, object: &str, key: &str) -> StoreResult<Option<TargetState>>;

    fn exceptions(&self, open: bool, limit: usize) -> StoreResult<Vec<Exception>>;
    fn exception(&self, id: i64) -> StoreResult<Option<Exception>>;
    /// The open exceptions of a lane.
    fn exceptions_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Exception>>;
    /// How many are open.
    fn open_exceptions(&self) -> StoreResult<u64>;
    /// The open exceptions by their causes: the earliest deadline first, then the oldest.
    fn causes(&self, wanted: &Wanted) -> StoreResult<Vec<Cause>>;
    /// Exceptions of a kind, the earliest deadline first, then the oldest. `closed`: those that are closed, too.
    fn wanted(&self, wanted: &Wanted, closed: bool, limit: usize) -> StoreResult<Vec<Exception>>;
    /// What was decided about a lane, the newest last: its exceptions that a person closed.
    fn decisions_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Exception>>;
    /// How many are open of one cause: see [`cause`].
    fn open_of_cause(&self, flow: &str, code: &str, cause: &str) -> StoreResult<u64>;
    /// How many are open, by owner and code.
    fn open_by_owner(&self) -> StoreResult<Vec<(Option<String>, String, u64)>>;

    /// All causes of alerts that are not over.
    fn alerts(&self) -> StoreResult<Vec<Alert>>;

    fn events(&self, flow: &str, lane: &str) -> StoreResult<Vec<Event>>;
    fn exchange(&self, id: i64) -> StoreResult<Option<Exchange>>;
    /// The newest exchanges, newest first.
    fn exchanges(&self, limit: usize) -> StoreResult<Vec<Exchange>>;

    fn hints(&self, limit: usize) -> StoreResult<Vec<WebhookEvent>>;
    /// Puts a hint durably into the inbox. The same one that still waits is not kept twice.
    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> StoreResult<()>;

    fn watches(&self, due: Millis, limit: usize) -> StoreResult<Vec<Watch>>;
    fn next_watch(&self) -> StoreResult<Option<Millis>>;
    /// How many watches there are of a kind.
    fn watching(&self, what: &Watched) -> StoreResult<u64>;
    /// Watches of a lane that have not come due.
    fn watches_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Watch>>;

    fn links_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Link>>;
    /// Other lanes (flow, key) that have to do with the same records; with `of`, those of this flow. At most `most`: those come first
    /// that share a record with few others, and of a record that many share (an account) the newest.
    fn linked(&self, flow: &str, lane: &str, of: Option<&str>, most: usize) -> StoreResult<Vec<(String, String)>>;

    /// What people asked for and nobody has answered.
    fn controls(&self) -> StoreResult<Vec<Control>>;

    fn meta(&self, name: &str) -> StoreResult<Option<String>>;

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
    fn forget(&mut self, old: &Old, after: Option<&str>, rows: u32) -> StoreResult<Forgotten>;

    /// Records (flow, key) of which something that is kept fits: a body, a payload, a reason, a call, a line of history.
    fn mentioning(&self, fits: &dyn Fn(&str) -> bool) -> StoreResult<Vec<(String, String)>>;

    /// Removes what is kept of some records (flow and key) besides their lanes and what keeps their effects single, and makes
    /// some changes with it, all at once; gives how many rows were removed.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn erase(&mut self, records: &[(String, String)], then: &[Change]) -> StoreResult<u64>;

    /// What was erased before, the newest last; `who`: of one identifier's hash only.
    fn erasures(&self, who: Option<&str>) -> StoreResult<Vec<Erasure>>;
}
