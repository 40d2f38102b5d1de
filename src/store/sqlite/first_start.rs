//! The first start of a store: from its first file until it can be written to.
//!
//! A store consists of several files, which cannot be made at once. A file beside it, `.starting`, is there from before the first of them
//! until after the last. A process that died in between has sent nothing, so the next start takes what is there for unfinished and goes
//! on with it. Without that file a key or a marker without its store means that a store was lost.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::files::{beside, private, sync_folder, wrong};
use crate::store::{StoreFault, StoreResult};

const STARTING: &str = ".starting";

/// Whether a whole key lies beside the store.
pub(super) fn has_key(path: &Path) -> bool {
    std::fs::metadata(beside(path, ".key")).is_ok_and(|key| key.len() == 32)
}

/// Whether there is nothing of a store. A WAL without its file is of no use: SQLite throws it away.
pub(super) fn is_empty(path: &Path) -> bool {
    let size = |name: &Path| std::fs::metadata(name).map_or(0, |known| known.len());
    size(path) == 0 || (size(&beside(path, "-wal")) == 0 && has_no_tables(path))
}

/// Whether a file is a database in which nothing was made yet, as SQLite leaves one that was opened and let go of. The number of the
/// store's form stands at byte 60 of its head.
fn has_no_tables(path: &Path) -> bool {
    let mut head = [0_u8; 64];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head.starts_with(b"SQLite format 3\0") && head[60..64] == [0; 4]
}

/// A first start that is under way.
#[derive(Debug)]
pub(super) struct Begun {
    /// The files of a store that were not there before: what this start makes.
    own: Vec<PathBuf>,
}

/// Begins a first start where nothing of a store is there. Absent: this is none. One that goes on is one, too.
pub(super) fn begin(path: &Path) -> StoreResult<Option<Begun>> {
    let starting = beside(path, STARTING);
    let goes_on = starting.exists();
    if !goes_on && (!is_empty(path) || has_key(path) || super::marker::place(path).exists()) {
        return Ok(None);
    }
    let files = ["", "-wal", "-shm", ".key", ".marker", STARTING].map(|ending| beside(path, ending));
    let own = files.into_iter().filter(|file| !file.exists()).collect();
    if !goes_on {
        private().open(&starting).and_then(|file| file.sync_all()).map_err(wrong(&starting))?;
        sync_folder(path);
    }
    Ok(Some(Begun { own }))
}

/// All files of the store are there.
pub(super) fn end(path: &Path) -> StoreResult<()> {
    let starting = beside(path, STARTING);
    match std::fs::remove_file(&starting) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(&starting)(error)),
    }
    Ok(())
}

/// Takes away what a first start has made that cannot go on, and nothing that was there before it: that may be a store that was put
/// there. Nothing was sealed in its own files that is needed.
pub(super) fn undo(begun: &Begun) {
    for file in &begun.own {
        // What cannot be taken away is found by the next start, which goes on with it.
        let _ = std::fs::remove_file(file);
    }
}

/// Whether there is a store that can be read.
///
/// # Errors
/// [`StoreFault::NoneYet`] where none was ever made whole, [`StoreFault::NotTheNewest`] where there was one.
pub(super) fn is_readable(path: &Path) -> StoreResult<()> {
    let none_yet = || StoreFault::NoneYet { path: path.display().to_string() };
    if beside(path, STARTING).exists() {
        return Err(none_yet());
    }
    if !is_empty(path) {
        return Ok(());
    }
    let marked = super::marker::read(path)?;
    super::must_be_newest(path, super::marker::doubt(marked.as_ref(), None, has_key(path)))?;
    Err(none_yet())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{STARTING, beside};
    use crate::http::Secret;
    use crate::store::sqlite::{Mode, Sqlite};
    use crate::store::{Change, Store as _, StoreFault};

    /// What a first start makes, in its order.
    const MADE: [&str; 5] = [STARTING, ".key", "", "-wal", ".marker"];

    #[test]
    fn a_first_start_that_was_killed_is_carried_on_by_the_next() {
        let secret = Secret::new("a passphrase of a store");
        for (key, whole) in [(None, 0), (None, 1), (Some(&secret), 0), (Some(&secret), 1)] {
            let made = tempfile::tempdir().unwrap();
            let from = made.path().join("a.db");
            let store = Sqlite::open(&from, key, Mode::Write).unwrap();
            std::fs::write(beside(&from, STARTING), "").unwrap();
            for files in 1..=MADE.len() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("a.db");
                for (at, ending) in MADE.iter().enumerate().take(files) {
                    // The last one was begun only.
                    let body = std::fs::read(beside(&from, ending)).unwrap_or_default();
                    let kept = if at + 1 == files { body.len() * whole } else { body.len() };
                    std::fs::write(beside(&path, ending), &body[..kept]).unwrap();
                }
                let read = Sqlite::open(&path, key, Mode::Read);
                assert!(matches!(read, Err(StoreFault::NoneYet { .. })), "{files} files, {:?}", read.err());
                let mut store = Sqlite::open(&path, key, Mode::Write).unwrap_or_else(|fault| panic!("{files} files: {fault}"));
                assert!(store.recovered().is_none());
                store.commit(&[Change::Meta { name: "test".to_owned(), value: "1".to_owned() }]).unwrap();
                assert!(!beside(&path, STARTING).exists());
                drop(store);
                assert_eq!(Sqlite::open(&path, key, Mode::Read).unwrap().meta("test").unwrap().as_deref(), Some("1"));
                std::fs::remove_file(&path).unwrap();
                assert!(matches!(Sqlite::open(&path, key, Mode::Write), Err(StoreFault::NotTheNewest { .. })), "it was whole");
            }
            drop(store);
        }
    }

    /// The files beside a store.
    fn files(path: &std::path::Path) -> Vec<String> {
        let folder = std::fs::read_dir(path.parent().unwrap()).unwrap();
        let mut names: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_start_that_is_refused_leaves_nothing_behind() {
        let secret = Secret::new("a passphrase of a store");
        for (key, lost) in [(None, ""), (None, ".marker"), (None, ".key"), (Some(&secret), "")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            drop(Sqlite::open(&path, key, Mode::Write).unwrap());
            // As a process leaves it whose store was deleted underneath.
            std::fs::write(beside(&path, "-wal"), [1; 5_000]).unwrap();
            for ending in ["", lost] {
                let _ = std::fs::remove_file(beside(&path, ending));
            }
            let before = files(&path);
            // As often as it is tried, by whom it is.
            for mode in [Mode::Write, Mode::Read, Mode::Write, Mode::Read] {
                let told = Sqlite::open(&path, key, mode).err();
                assert!(matches!(told, Some(StoreFault::NotTheNewest { .. })), "without {lost:?}, {mode:?}: {told:?}");
                assert_eq!(files(&path), before);
            }
            assert!(Sqlite::recover(&path, key).unwrap().recovered().is_some());
            drop(Sqlite::open(&path, key, Mode::Write).unwrap());
        }
    }

    /// What an earlier version left behind when it refused to start.
    #[test]
    fn a_database_without_tables_is_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let database = || rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode=WAL;").unwrap();
        database();
        assert!(std::fs::metadata(&path).unwrap().len() > 0);
        assert!(matches!(Sqlite::open(&path, None, Mode::Read), Err(StoreFault::NoneYet { .. })));
        drop(Sqlite::open(&path, None, Mode::Write).unwrap());
        std::fs::remove_file(&path).unwrap();
        database();
        for mode in [Mode::Read, Mode::Write, Mode::Read] {
            assert!(matches!(Sqlite::open(&path, None, mode), Err(StoreFault::NotTheNewest { .. })), "{mode:?}");
        }
        assert!(Sqlite::recover(&path, None).unwrap().recovered().is_some());
    }

    #[test]
    fn a_first_start_that_fails_takes_away_its_own_files_only() {
        let (first, second) = (Secret::new("a passphrase of a store"), Secret::new("another passphrase"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut store = Sqlite::open(&path, Some(&first), Mode::Write).unwrap();
        store.commit(&[Change::Meta { name: "test".to_owned(), value: "1".to_owned() }]).unwrap();
        drop(store);
        // A store that was used stands where a first start was broken off.
        std::fs::write(beside(&path, STARTING), "").unwrap();
        let before = files(&path);
        assert!(matches!(Sqlite::open(&path, Some(&second), Mode::Write), Err(StoreFault::OtherKey)));
        assert!(before.iter().all(|file| files(&path).contains(file)), "{before:?}: {:?}", files(&path));
        let store = Sqlite::open(&path, Some(&first), Mode::Write).unwrap();
        assert_eq!(store.meta("test").unwrap().as_deref(), Some("1"));
        // One that makes its files itself takes them away, and nothing of others.
        let path = folder.path().join("b.db");
        std::fs::write(&path, "").unwrap();
        // SQLite cannot make its files where a folder has their name.
        std::fs::create_dir(beside(&path, "-shm")).unwrap();
        let before = files(&path);
        assert!(Sqlite::open(&path, None, Mode::Write).is_err());
        let left: Vec<String> = files(&path).into_iter().filter(|file| !before.contains(file)).collect();
        assert_eq!(left, ["b.db.lock"]);
    }

    #[test]
    fn an_empty_file_is_told_alike_by_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Sqlite::open(&path, None, Mode::Read), Err(StoreFault::NoneYet { .. })), "it never was one");
        drop(Sqlite::open(&path, None, Mode::Write).unwrap());
        std::fs::write(&path, "").unwrap();
        let _ = std::fs::remove_file(beside(&path, "-wal"));
        for mode in [Mode::Read, Mode::Write] {
            assert!(matches!(Sqlite::open(&path, None, mode), Err(StoreFault::NotTheNewest { .. })), "{mode:?}");
        }
    }
}
