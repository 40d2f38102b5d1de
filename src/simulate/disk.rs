//! A store on a disk that fails: commits that are not done, and commits that are done although they were told to have failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sandbox::faults::Dice;
use crate::store::sqlite::{Lost, Out, Sqlite};
use crate::store::{
    Alert, Cause, Change, Checkpoint, Control, Counts, Entry, Erasure, Event, Exception, Exchange, Forgotten, Hint, Kept, Known, Lane, LaneState,
    Ledger, Link, Millis, Old, Store, StoreFault, Wanted, Watch, Watched,
};
use crate::value::Json;

/// How commits end, for all processes of a run.
#[derive(Debug, Clone)]
pub(super) struct Wear(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    dice: Dice,
    /// Of a thousand commits.
    rate: u32,
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
        Wear(Arc::new(Mutex::new(State { dice: Dice::new(seed ^ 0xd15c), rate, out: Out::default() })))
    }

    /// From now on all is well.
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

    fn committed(&mut self, changes: &[Change]) -> Kept<()> {
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
    fn commit(&mut self, changes: &[Change]) -> Kept<()> {
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

    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> Kept<()> {
        match self.wear.ending() {
            Ending::Well => self.inner.hint(connection, event, body, at),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.hint(connection, event, body, at).and(Err(fault)),
        }
    }

    fn next_id(&mut self) -> Kept<i64> {
        self.inner.next_id()
    }

    fn next_arrival(&mut self) -> Kept<i64> {
        self.inner.next_arrival()
    }

    fn forget(&mut self, old: &Old, after: Option<&str>, rows: u32) -> Kept<Forgotten> {
        match self.wear.ending() {
            Ending::Well => self.inner.forget(old, after, rows),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.forget(old, after, rows).and(Err(fault)),
        }
    }

    fn erase(&mut self, records: &[(String, String)], then: &[Change]) -> Kept<u64> {
        match self.wear.ending() {
            Ending::Well => self.inner.erase(records, then),
            Ending::NotDone(fault) => Err(fault),
            Ending::DoneAllTheSame(fault) => self.inner.erase(records, then).and(Err(fault)),
        }
    }

    through! {
        epoch() -> u64;
        checkpoint(flow: &str, stream: &str) -> Kept<Option<Checkpoint>>;
        checkpoints() -> Kept<Vec<Checkpoint>>;
        lane(flow: &str, key: &str) -> Kept<Option<Lane>>;
        known(flow: &str, keys: &[&str]) -> Kept<HashMap<String, Known>>;
        due_but(flow: &str, state: LaneState, until: (Millis, usize), first: bool, leave: &dyn Fn(&str) -> bool) -> Kept<Vec<Lane>>;
        next_due(flow: &str, state: LaneState, now: Millis) -> Kept<Option<Millis>>;
        search(text: &str, limit: usize) -> Kept<Vec<Lane>>;
        in_state(flow: Option<&str>, state: LaneState, limit: usize) -> Kept<Vec<Lane>>;
        members(flow: &str, group: &str) -> Kept<Vec<Json>>;
        beginning(flow: &str, key: &str) -> Kept<Vec<Lane>>;
        counts() -> Kept<Counts>;
        entry(id: i64) -> Kept<Option<Entry>>;
        entries(ids: &[i64]) -> Kept<Vec<Entry>>;
        entries_of(flow: &str, lane: &str) -> Kept<Vec<Entry>>;
        open_entries() -> Kept<Vec<Entry>>;
        ledger(connection: &str, object: &str, key: &str) -> Kept<Option<Ledger>>;
        exceptions(open: bool, limit: usize) -> Kept<Vec<Exception>>;
        exception(id: i64) -> Kept<Option<Exception>>;
        exceptions_of(flow: &str, lane: &str) -> Kept<Vec<Exception>>;
        open_exceptions() -> Kept<u64>;
        causes(wanted: &Wanted) -> Kept<Vec<Cause>>;
        wanted(wanted: &Wanted, closed: bool, limit: usize) -> Kept<Vec<Exception>>;
        decisions_of(flow: &str, lane: &str) -> Kept<Vec<Exception>>;
        open_of_cause(flow: &str, code: &str, cause: &str) -> Kept<u64>;
        open_by_owner() -> Kept<Vec<(Option<String>, String, u64)>>;
        alerts() -> Kept<Vec<Alert>>;
        oldest_in(state: LaneState) -> Kept<Option<Millis>>;
        watching(what: &Watched) -> Kept<u64>;
        events(flow: &str, lane: &str) -> Kept<Vec<Event>>;
        exchange(id: i64) -> Kept<Option<Exchange>>;
        exchanges(limit: usize) -> Kept<Vec<Exchange>>;
        hints(limit: usize) -> Kept<Vec<Hint>>;
        watches(due: Millis, limit: usize) -> Kept<Vec<Watch>>;
        next_watch() -> Kept<Option<Millis>>;
        watches_of(flow: &str, lane: &str) -> Kept<Vec<Watch>>;
        links_of(flow: &str, lane: &str) -> Kept<Vec<Link>>;
        linked(flow: &str, lane: &str, of: Option<&str>, most: usize) -> Kept<Vec<(String, String)>>;
        controls() -> Kept<Vec<Control>>;
        meta(name: &str) -> Kept<Option<String>>;
        mentioning(fits: &dyn Fn(&str) -> bool) -> Kept<Vec<(String, String)>>;
        erasures(who: Option<&str>) -> Kept<Vec<Erasure>>;
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
