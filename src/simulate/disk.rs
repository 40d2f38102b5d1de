//! A store on a disk that fails: commits that are not done, and commits that are done although they were told to have failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sandbox::rng::Rng;
use crate::store::sqlite::{Lost, Out, Sqlite};
use crate::store::{
    Alert, Cause, Change, Checkpoint, Control, Counts, Entry, Erasure, Event, Exception, Exchange, Forgotten, Known, Link, Millis, Old, RecordStage,
    RecordState, Store, StoreFault, StoreResult, TargetState, Wanted, Watch, Watched, WebhookEvent,
};
use crate::value::Json;

/// How commits end, for all processes of a run.
#[derive(Debug, Clone)]
pub(super) struct Wear(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    dice: Rng,
    /// Of a thousand commits.
    rate: u32,
    /// A page of the file is torn.
    torn: bool,
    /// The writes whose outcome is open, as the marker beside a store has them.
    out: Out,
}

/// How one commit ends.
enum Ending {
    Well,
    /// Not done, in these words.
    NotDone(StoreFault),
    /// Done, and told to have failed.
    DoneAllTheSame(StoreFault),
}

impl Wear {
    /// `rate` of a thousand commits fail.
    pub(super) fn new(seed: u64, rate: u32) -> Self {
        Wear(Arc::new(Mutex::new(State { dice: Rng::new(seed ^ 0xd15c), rate, torn: false, out: Out::default() })))
    }

    /// From now on a page of the file is torn, or another file is in its place.
    pub(super) fn tear(&self, torn: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).torn = torn;
    }

    pub(super) fn is_torn(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).torn
    }

    /// From now on no commit fails.
    pub(super) fn mended(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rate = 0;
    }

    /// When the store sent.
    pub(super) fn lost(&self) -> Lost {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).out.lost()
    }

    fn follow(&self, changes: &[Change]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).out.follow(changes);
    }

    fn ending(&self) -> Ending {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.torn {
            return Ending::NotDone(StoreFault::Damaged("database disk image is malformed".to_owned()));
        }
        let rate = state.rate;
        if !state.dice.hits(rate) {
            return Ending::Well;
        }
        let io = |words: &str| StoreFault::Io(words.to_owned());
        match state.dice.below(5) {
            0 => Ending::NotDone(StoreFault::Full),
            1 => Ending::NotDone(io("database is locked")),
            2 => Ending::NotDone(io("disk I/O error: fsync")),
            _ => Ending::DoneAllTheSame(io("disk I/O error: fsync")),
        }
    }
}

/// A store whose commits fail as its [`Wear`] says, and which may end in the midst of one.
pub(super) struct Disk {
    inner: Sqlite,
    wear: Wear,
    /// Commits until the process dies in one.
    lives: Option<u32>,
}

impl Disk {
    pub(super) fn new(inner: Sqlite, wear: Wear) -> Self {
        Disk { inner, wear, lives: None }
    }

    fn committed(&mut self, changes: &[Change]) -> StoreResult<()> {
        self.inner.commit(changes)?;
        self.wear.follow(changes);
        Ok(())
    }

    /// The process dies in the midst of its `commits`-th commit from now: that one and all later ones are not done.
    pub(super) fn dies_after(&mut self, commits: u32) {
        self.lives = Some(commits);
    }
}

/// Reads, and what no disk fails at, go through.
macro_rules! through {
    ($($name:ident($($arg:ident: $of:ty),*) -> $gives:ty;)*) => {
        $(fn $name(&self, $($arg: $of),*) -> $gives { self.inner.$name($($arg),*) })*
    };
}

impl Store for Disk {
    fn commit(&mut self, changes: &[Change]) -> StoreResult<()> {
        if let Some(lives) = &mut self.lives {
            *lives = lives.saturating_sub(1);
            if *lives == 0 {
                return Err(StoreFault::Io("the process died here".to_owned()));
            }
        }
        match self.wear.ending() {
            Ending::Well => self.committed(changes),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.committed(changes).and(Err(fault)),
        }
    }

    fn damages(&mut self) -> Vec<crate::store::Damage> {
        self.inner.damages()
    }

    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> StoreResult<()> {
        match self.wear.ending() {
            Ending::Well => self.inner.hint(connection, event, body, at),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.hint(connection, event, body, at).and(Err(fault)),
        }
    }

    fn next_id(&mut self) -> StoreResult<i64> {
        self.inner.next_id()
    }

    fn next_arrival(&mut self) -> StoreResult<i64> {
        self.inner.next_arrival()
    }

    fn forget(&mut self, old: &Old, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        match self.wear.ending() {
            Ending::Well => self.inner.forget(old, after, rows),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.forget(old, after, rows).and(Err(fault)),
        }
    }

    fn erase(&mut self, records: &[(String, String)], then: &[Change]) -> StoreResult<u64> {
        match self.wear.ending() {
            Ending::Well => self.inner.erase(records, then),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.erase(records, then).and(Err(fault)),
        }
    }

    through! {
        epoch() -> u64;
        checkpoint(flow: &str, stream: &str) -> StoreResult<Option<Checkpoint>>;
        checkpoints() -> StoreResult<Vec<Checkpoint>>;
        record(flow: &str, key: &str) -> StoreResult<Option<RecordState>>;
        known(flow: &str, keys: &[&str]) -> StoreResult<HashMap<String, Known>>;
        due_but(flow: &str, state: RecordStage, until: (Millis, usize), first: bool, leave: &dyn Fn(&str) -> bool) -> StoreResult<Vec<RecordState>>;
        next_due(flow: &str, state: RecordStage, now: Millis) -> StoreResult<Option<Millis>>;
        search(text: &str, limit: usize) -> StoreResult<Vec<RecordState>>;
        in_state(flow: Option<&str>, state: RecordStage, limit: usize) -> StoreResult<Vec<RecordState>>;
        members(flow: &str, group: &str) -> StoreResult<Vec<Json>>;
        beginning(flow: &str, key: &str) -> StoreResult<Vec<RecordState>>;
        counts() -> StoreResult<Counts>;
        entry(id: i64) -> StoreResult<Option<Entry>>;
        entries(ids: &[i64]) -> StoreResult<Vec<Entry>>;
        entries_of(flow: &str, lane: &str) -> StoreResult<Vec<Entry>>;
        open_entries() -> StoreResult<Vec<Entry>>;
        target_state(connection: &str, object: &str, key: &str) -> StoreResult<Option<TargetState>>;
        exceptions(open: bool, limit: usize) -> StoreResult<Vec<Exception>>;
        exception(id: i64) -> StoreResult<Option<Exception>>;
        exceptions_of(flow: &str, lane: &str) -> StoreResult<Vec<Exception>>;
        open_exceptions() -> StoreResult<u64>;
        causes(wanted: &Wanted) -> StoreResult<Vec<Cause>>;
        wanted(wanted: &Wanted, closed: bool, limit: usize) -> StoreResult<Vec<Exception>>;
        decisions_of(flow: &str, lane: &str) -> StoreResult<Vec<Exception>>;
        open_of_cause(flow: &str, code: &str, cause: &str) -> StoreResult<u64>;
        open_by_owner() -> StoreResult<Vec<(Option<String>, String, u64)>>;
        alerts() -> StoreResult<Vec<Alert>>;
        oldest_in(state: RecordStage) -> StoreResult<Option<Millis>>;
        watching(what: &Watched) -> StoreResult<u64>;
        events(flow: &str, lane: &str) -> StoreResult<Vec<Event>>;
        exchange(id: i64) -> StoreResult<Option<Exchange>>;
        exchanges(limit: usize) -> StoreResult<Vec<Exchange>>;
        hints(limit: usize) -> StoreResult<Vec<WebhookEvent>>;
        watches(due: Millis, limit: usize) -> StoreResult<Vec<Watch>>;
        next_watch() -> StoreResult<Option<Millis>>;
        watches_of(flow: &str, lane: &str) -> StoreResult<Vec<Watch>>;
        links_of(flow: &str, lane: &str) -> StoreResult<Vec<Link>>;
        linked(flow: &str, lane: &str, of: Option<&str>, most: usize) -> StoreResult<Vec<(String, String)>>;
        controls() -> StoreResult<Vec<Control>>;
        meta(name: &str) -> StoreResult<Option<String>>;
        mentioning(fits: &dyn Fn(&str) -> bool) -> StoreResult<Vec<(String, String)>>;
        erasures(who: Option<&str>) -> StoreResult<Vec<Erasure>>;
        fingerprint(text: &[u8]) -> String;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn meta(value: u32) -> Change {
        Change::Meta { name: "n".to_owned(), value: value.to_string() }
    }

    #[test]
    fn a_failed_commit_is_done_or_not_and_both_happen() {
        let wear = Wear::new(3, 1_000);
        let mut disk = Disk::new(Sqlite::in_memory("wear").unwrap(), wear.clone());
        let mut done = [0, 0];
        for value in 0..60 {
            assert!(disk.commit(&[meta(value)]).is_err());
            done[usize::from(disk.meta("n").unwrap() == Some(value.to_string()))] += 1;
        }
        assert!(done.iter().all(|times| *times > 5), "{done:?}");
        wear.mended();
        disk.commit(&[meta(99)]).unwrap();
        assert_eq!(disk.meta("n").unwrap().as_deref(), Some("99"));
    }

    #[test]
    fn a_store_behind_a_good_disk_holds_the_contract() {
        crate::store::contract::tests::holds(&|| Box::new(Disk::new(Sqlite::in_memory("disk").unwrap(), Wear::new(1, 0))));
    }
}
