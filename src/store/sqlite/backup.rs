//! Copies of a store, while another process may write it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension as _;

use super::files::{beside, private, sync_folder};
use super::{Sqlite, fault};
use crate::store::{StoreFault, StoreResult};

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Of the copy, in bytes.
    pub size: u64,
    /// Records in it.
    pub records: u64,
}

impl Sqlite {
    /// A copy as it is now, with what the WAL holds, sealed under the same key. The copy is there whole or not at all,
    /// and its owner alone may read it.
    ///
    /// # Errors
    /// There is such a file already, or the copy cannot be written.
    pub fn copy_to(&self, path: &Path) -> StoreResult<Backup> {
        let wrong = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreFault::Full,
            _ => StoreFault::Io(format!("{}: {error}", path.display())),
        };
        // It is claimed first, so that no other file is ever replaced.
        private().open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreFault::Io(format!("{} exists already: a copy does not replace a file", path.display())),
            _ => wrong(error),
        })?;
        let part = beside(path, ".part");
        let made = self.copied_to(path, &part, &wrong);
        if made.is_err() {
            for left in [&part, &path.to_owned()] {
                let _ = std::fs::remove_file(left);
            }
        }
        made
    }

    fn copied_to(&self, path: &Path, part: &PathBuf, wrong: &dyn Fn(std::io::Error) -> StoreFault) -> StoreResult<Backup> {
        // What a copy that was broken off has left.
        let _ = std::fs::remove_file(part);
        // SQLite writes into an empty file with the permissions that it has.
        private().open(part).map_err(wrong)?;
        self.db.execute("VACUUM INTO ?1", [part.display().to_string()]).map_err(fault)?;
        let file = File::open(part).map_err(wrong)?;
        file.sync_all().map_err(wrong)?;
        let size = file.metadata().map_err(wrong)?.len();
        let records: Option<i64> = self.db.query_row("SELECT sum(count) FROM tally", [], |row| row.get(0)).optional().map_err(fault)?.flatten();
        std::fs::rename(part, path).map_err(wrong)?;
        sync_folder(path);
        Ok(Backup { size, records: records.unwrap_or(0).unsigned_abs() })
    }
}
