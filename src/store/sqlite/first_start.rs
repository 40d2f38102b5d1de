//! The first start of a store: from its first file until it can be written to.
//!
//! A store consists of several files, which cannot be made at once. A file beside it, `.starting`, is there from before the first of them
//! until after the last. A process that died in between has sent nothing, so the next start takes what is there for unfinished and goes
//! on with it. Without that file a key or a marker without its store means that a store was lost.

use std::path::Path;

use super::files::{beside, private, sync_folder, wrong};
use crate::store::{StoreFault, StoreResult};

const STARTING: &str = ".starting";

/// Whether a whole key lies beside the store.
pub(super) fn has_key(path: &Path) -> bool {
    std::fs::metadata(beside(path, ".key")).is_ok_and(|key| key.len() == 32)
}

fn is_empty(path: &Path) -> bool {
    [path.to_owned(), beside(path, "-wal")].iter().all(|name| std::fs::metadata(name).map_or(true, |known| known.len() == 0))
}

/// Begins a first start where nothing of a store is there. Gives whether this is one, also one that goes on.
pub(super) fn begin(path: &Path) -> StoreResult<bool> {
    let starting = beside(path, STARTING);
    if starting.exists() {
        return Ok(true);
    }
    if !is_empty(path) || has_key(path) || super::marker::place(path).exists() {
        return Ok(false);
    }
    private().open(&starting).and_then(|file| file.sync_all()).map_err(wrong(&starting))?;
    sync_folder(path);
    Ok(true)
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

/// Takes away what a first start has made that cannot go on. Nothing was sealed in it that is needed.
pub(super) fn undo(path: &Path) {
    for ending in ["", "-wal", "-shm", ".key", ".marker", STARTING] {
        // What cannot be taken away is found by the next start, which goes on with it.
        let _ = std::fs::remove_file(beside(path, ending));
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
