//! The marker beside the store: which store was here last, and how many commits it had.
//!
//! ```text
//! crossdock store marker 1
//! store   8f0e…            the store's id, created with it
//! commits 00000000000000012345
//! sent    00001772438400000   when a write whose outcome is still open was sent last, in milliseconds; 0: none is open
//! last    00001772438400000   when any write was sent last; 0: none is known
//! ```
//!
//! It is written after each commit and not synced. It survives the death of the process. After a power cut it may be older than its
//! store, which is not an error. A store that is older than its marker is a restored copy, or has lost its WAL. INVARIANT: the marker
//! is never ahead of the newest durable commit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::store::{Change, EntryState, Millis, Moved, StoreFault, StoreResult};

/// What the marker beside a store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    store: String,
    pub(super) commits: u64,
    pub(super) lost: Lost,
}

/// When a store sent, in milliseconds, as far as its marker tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// When a write went out last whose outcome is open: it may still be carried out. 0: none is open.
    pub sent: Millis,
    /// When any write went out last: a search need not find yet what it made. 0: none is known of.
    pub last: Millis,
}

impl Lost {
    /// Nobody knows what was out: it may have been sent just now.
    fn unknown_at(now: Millis) -> Self {
        Lost { sent: now, last: now }
    }

    pub(super) fn unknown() -> Self {
        Lost::unknown_at(now())
    }
}

/// A marker that is kept up to date.
#[derive(Debug)]
pub(super) struct Marker {
    file: File,
    store: String,
    commits: u64,
    out: Out,
}

/// The writes of a store whose outcome is open, as far as its commits tell.
#[derive(Debug, Clone, Default)]
pub struct Out {
    /// Writes that are out, by entry.
    by_entry: BTreeMap<i64, Millis>,
    /// When a write whose outcome is in doubt went out last.
    doubted: Millis,
    /// When any write went out last.
    last: Millis,
}

impl Out {
    /// `last`: when a write went out last before.
    pub(super) fn of(entries: &[crate::store::Entry], last: Millis) -> Self {
        let out = entries.iter().filter(|entry| entry.state == EntryState::Sending).map(|entry| (entry.id, entry.sent.unwrap_or(0)));
        let last = entries.iter().filter_map(|entry| entry.sent).max().unwrap_or(0).max(last);
        Out { by_entry: out.collect(), doubted: entries.iter().filter_map(|entry| entry.doubted).max().unwrap_or(0), last }
    }

    /// Follows a commit.
    pub fn follow(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Sent(Moved { id, state, sent, doubted, .. }) => self.moved(*id, *state, *sent, *doubted),
                Change::Entry(entry) => self.moved(entry.id, entry.state, entry.sent, entry.doubted),
                Change::DropEntry(id) => {
                    self.by_entry.remove(id);
                }
                _ => {}
            }
        }
    }

    fn moved(&mut self, id: i64, state: EntryState, sent: Option<Millis>, doubted: Option<Millis>) {
        if state == EntryState::Sending {
            self.by_entry.insert(id, sent.unwrap_or(0));
            self.last = self.last.max(sent.unwrap_or(0));
        } else {
            self.by_entry.remove(&id);
        }
        self.doubted = self.doubted.max(doubted.unwrap_or(0));
    }

    /// When its store sent.
    pub fn lost(&self) -> Lost {
        Lost { sent: self.by_entry.values().copied().max().unwrap_or(0).max(self.doubted), last: self.last }
    }
}

/// Where the marker of a store lies.
pub(super) fn place(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".marker");
    PathBuf::from(name)
}

/// Now, in milliseconds.
pub(super) fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// What is found beside a store before it is opened.
pub(super) fn read(path: &Path) -> StoreResult<Option<Marked>> {
    let name = place(path);
    let mut text = String::new();
    match File::open(&name).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // What is no text is no marker; it is told as one that says nothing.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
        Err(error) => return Err(StoreFault::Io(format!("{}: {error}", name.display()))),
    }
    let word = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let number = |name: &str| word(name).and_then(|text| text.parse::<u64>().ok());
    let time = |name: &str| number(name).and_then(|time| i64::try_from(time).ok());
    Ok(Some(Marked {
        store: word("store ").unwrap_or_default().to_owned(),
        commits: number("commits ").unwrap_or(0),
        lost: Lost { sent: time("sent ").unwrap_or(0), last: time("last ").unwrap_or(0) },
    }))
}

/// Why a store is not the newest one that was here; `None`: it is. `store`: its id and its commits, `None` where it is new.
/// `had_key`: a key lay there before it.
pub(super) fn doubt(marked: Option<&Marked>, store: Option<(Option<&str>, u64)>, had_key: bool) -> Option<&'static str> {
    match (marked, store) {
        (None, None) if !had_key => None,
        (_, None) => Some("is missing or empty, but its marker or key shows that there was one"),
        // It was made before there were markers.
        (None, Some((None, _))) => None,
        (None, Some((Some(_), _))) => Some("has no marker beside it, so it may not be the newest copy"),
        (Some(marked), Some((id, commits))) => {
            if id.is_some_and(|id| id != marked.store) {
                Some("is not the store that was here last")
            } else if id.is_none() || commits < marked.commits {
                Some("is older than its marker: an older copy was restored, or its -wal file was lost")
            } else {
                None
            }
        }
    }
}

impl Marker {
    /// Begins the marker of a store that is taken for the newest.
    pub(super) fn begin(path: &Path, store: &str, commits: u64, out: Out) -> StoreResult<Self> {
        let name = place(path);
        let wrong = |error: std::io::Error| StoreFault::Io(format!("{}: {error}", name.display()));
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&name).map_err(wrong)?;
        let mut marker = Marker { file, store: store.to_owned(), commits, out };
        let text = marker.text();
        marker.file.write_all(text.as_bytes()).map_err(wrong)?;
        marker.file.set_len(text.len() as u64).map_err(wrong)?;
        marker.file.sync_all().map_err(wrong)?;
        Ok(marker)
    }

    /// Some changes are durable.
    pub(super) fn committed(&mut self, commits: u64, changes: &[Change]) {
        self.commits = commits;
        self.out.follow(changes);
        let text = self.text();
        // A marker that stays behind says nothing against its store; one that cannot be written is no reason to stop.
        let _ = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(text.as_bytes()));
    }

    /// As long each time, so that it can be written over.
    fn text(&self) -> String {
        let Lost { sent, last } = self.out.lost();
        format!("crossdock store marker 1\nstore {}\ncommits {:020}\nsent {sent:020}\nlast {last:020}\n", self.store, self.commits)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use crate::store::sqlite::{Mode, Sqlite};
    use crate::store::{Change, Store as _, StoreFault};

    fn meta(value: &str) -> Change {
        Change::Meta { name: "test".to_owned(), value: value.to_owned() }
    }

    fn older(path: &std::path::Path) -> bool {
        matches!(Sqlite::open(path, None, Mode::Write), Err(StoreFault::NotTheNewest { .. }))
    }

    #[test]
    fn an_older_copy_is_refused_until_it_is_recovered() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy"));
        let mut store = Sqlite::open(&path, None, Mode::Write).unwrap();
        assert!(store.recovered().is_none());
        store.commit(&[meta("1")]).unwrap();
        drop(store);
        std::fs::copy(&path, &copy).unwrap();
        let mut store = Sqlite::open(&path, None, Mode::Write).unwrap();
        store.commit(&[meta("2")]).unwrap();
        drop(store);
        std::fs::copy(&copy, &path).unwrap();
        assert!(older(&path));
        let recovered = Sqlite::recover(&path, None).unwrap();
        assert!(recovered.recovered().is_some());
        assert_eq!(recovered.meta("test").unwrap().as_deref(), Some("1"));
        drop(recovered);
        assert!(!older(&path), "once it was recovered it is the newest");
        assert!(Sqlite::recover(&path, None).unwrap().recovered().is_none(), "there is nothing to recover");
        // And the same copy once more is an older one again.
        std::fs::copy(&copy, &path).unwrap();
        assert!(older(&path));
    }

    #[test]
    fn a_store_that_is_gone_is_refused_while_something_says_that_it_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let gone = |names: &[&str]| {
            drop(Sqlite::recover(&path, None).unwrap());
            for name in names {
                std::fs::remove_file(folder.path().join(name)).unwrap();
            }
        };
        gone(&["a.db"]);
        assert!(older(&path));
        gone(&["a.db", "a.db.marker"]);
        assert!(older(&path), "its key is still there");
        gone(&["a.db", "a.db.key"]);
        assert!(older(&path), "its marker is still there");
        assert!(Sqlite::recover(&path, None).unwrap().recovered().is_some());
        drop(Sqlite::recover(&path, None).unwrap());
        std::fs::write(&path, b"").unwrap();
        assert!(older(&path), "an empty file is no store");
        gone(&["a.db.marker"]);
        assert!(older(&path), "whether it is the newest is not known");
        gone(&["a.db", "a.db.key", "a.db.marker"]);
        assert!(!older(&path), "without any of them it is a new one");
    }

    #[test]
    fn a_lost_wal_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut store = Sqlite::open(&path, None, Mode::Write).unwrap();
        store.commit(&[meta("1")]).unwrap();
        // As a process that was killed leaves it: the WAL was never taken into the file.
        let left = folder.path().join("left");
        std::fs::create_dir(&left).unwrap();
        for name in ["a.db", "a.db.key", "a.db.marker"] {
            std::fs::copy(folder.path().join(name), left.join(name)).unwrap();
        }
        assert!(folder.path().join("a.db-wal").exists());
        assert!(older(&left.join("a.db")));
        drop(store);
    }
}
