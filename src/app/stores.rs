//! Where a project keeps its store, and how it is opened. This file alone names the backend: the setting `store` chooses
//! it, and all else works with [`Store`].

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::folder::unreadable;
use super::process::variable;
use super::{Failure, LoadedProject};
use crate::engine::Recovered;
use crate::fault::file;
use crate::http::Secret;
pub use crate::store::sqlite::{Backup, Checked};
use crate::store::sqlite::{Mode, Sqlite};
use crate::store::{Millis, Store, StoreFault, StoreResult};
use crate::value::Json;

/// The environment's name of the key that seals the store.
pub const STORE_KEY: &str = "CROSSDOCK_STORE_KEY";

/// Where the store is if the project says nothing.
const USUAL: &str = "crossdock.db";

/// Where a project keeps its store. Its text is what people know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLocation {
    path: PathBuf,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the one writer.
    Write,
    /// Beside a writer; what was committed is seen.
    Read,
}

impl From<Access> for Mode {
    fn from(access: Access) -> Mode {
        match access {
            Access::Write => Mode::Write,
            Access::Read => Mode::Read,
        }
    }
}

impl StoreLocation {
    /// Reads the project's setting `store`.
    ///
    /// # Errors
    /// The setting needs a variable that is not set, names a backend that there is not, or a place that the project may not
    /// reach.
    pub fn of(project: &LoadedProject) -> Result<Self, Failure> {
        let name = match &project.compiled.config.store {
            None => USUAL.to_owned(),
            Some(setting) => {
                let text = crate::project::filled(&setting.text, &variable)
                    .map_err(|unset| Failure::usage(format!("{unset}, and `store` needs it")).hint("set it in the environment"))?;
                match text.split_once(':') {
                    Some(("sqlite", path)) => path.to_owned(),
                    Some((kind, _)) if kind.len() > 1 => {
                        return Err(Failure::usage(format!("there is no store of the kind `{kind}`")).hint("write: store: sqlite:crossdock.db"));
                    }
                    _ => text,
                }
            }
        };
        let folder = project.folder();
        // What SQLite and we put beside it is written to as well.
        for beside in ["-wal", "-shm", ".key", ".lock", ".marker", ".starting"] {
            folder.reach(&format!("{name}{beside}"))?;
        }
        Ok(StoreLocation { path: folder.reach(&name)? })
    }

    /// A copy of a store, in a file.
    pub fn copy(file: &Path) -> Self {
        StoreLocation { path: file.to_owned() }
    }

    /// Whether there is a store yet, or was one.
    pub fn exists(&self) -> bool {
        !matches!(Sqlite::is_readable(&self.path), Err(StoreFault::NoneYet { .. }))
    }

    /// Whether there is none where there was one, as what is left beside it shows.
    pub fn is_lost(&self) -> bool {
        matches!(Sqlite::is_readable(&self.path), Err(StoreFault::NotTheNewest { .. }))
    }

    /// Its size in bytes, where it is known.
    pub fn size(&self) -> Option<u64> {
        std::fs::metadata(&self.path).ok().map(|known| known.len())
    }

    /// What it is called in a message that leaves this machine: without the folder that it is in.
    pub fn short_name(&self) -> String {
        self.path.file_name().map_or_else(|| "the store".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Where the key is kept that opens it: the variable that has it, or a file.
    pub fn key_location(&self) -> String {
        if variable(STORE_KEY).is_some() { STORE_KEY.to_owned() } else { self.beside(".key").display().to_string() }
    }

    /// Opens it; it is made where there is none and it is to be written.
    ///
    /// # Errors
    /// It is in use, damaged, sealed with another key, or not the newest one.
    pub fn open(&self, access: Access) -> StoreResult<OpenedStore> {
        Sqlite::open(&self.path, key().as_ref(), access.into()).map(OpenedStore)
    }

    /// Opens for writing also a store that is not the newest one. [`OpenedStore::recovered`] says what may be lost.
    ///
    /// # Errors
    /// As [`StoreLocation::open`], except for the age.
    pub fn recover(&self) -> StoreResult<OpenedStore> {
        Sqlite::recover(&self.path, key().as_ref()).map(OpenedStore)
    }

    /// Opens a copy of this store for reading, with the key that is beside the copy or with that of this store.
    ///
    /// # Errors
    /// The file cannot be read, is no store, or opens with neither key.
    pub fn open_copy(&self, file: &Path) -> Result<OpenedStore, Failure> {
        let beginning = file::beginning(file, MAGIC.len()).map_err(|error| unreadable(file, &error))?;
        if beginning != MAGIC {
            return Err(
                Failure::io(format!("{} is not a store of Crossdock", file.display())).hint("name a copy that `crossdock store backup` has written")
            );
        }
        let copy = StoreLocation::copy(file);
        if variable(STORE_KEY).is_some() || copy.beside(".key").exists() {
            return copy.open(Access::Read).map_err(cannot_be_checked);
        }
        Sqlite::open_copy(file, &self.path).map(OpenedStore).map_err(cannot_be_checked)
    }

    /// Copies the store into a folder with all that it takes to run on the copy. Where there is none yet, the copy is the
    /// place of one that is still to be made.
    ///
    /// # Errors
    /// The store cannot be opened, or the copy cannot be written.
    pub fn copy_into(&self, folder: &Path) -> Result<StoreLocation, Failure> {
        let copy = StoreLocation::copy(&folder.join("store.db"));
        if self.size().is_some_and(|size| size > 0) {
            self.open(Access::Read)?.copy_to(&copy.path)?;
        }
        for ending in [".key", ".marker"] {
            if self.beside(ending).exists() {
                std::fs::copy(self.beside(ending), copy.beside(ending))
                    .map_err(|error| Failure::io(format!("{} cannot be copied: {error}", self.beside(ending).display())))?;
            }
        }
        Ok(copy)
    }

    /// A file that lies beside the store.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

fn key() -> Option<Secret> {
    variable(STORE_KEY).map(Secret::new)
}

/// How every file of SQLite begins (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A store that is open, whatever its backend: a [`Store`], and what is done with the store as a whole.
pub struct OpenedStore(Sqlite);

impl OpenedStore {
    /// As the engine takes it.
    pub fn into_store(self) -> Box<dyn Store> {
        Box::new(self.0)
    }

    /// How to go on with a store that was not the newest one; `None` for the newest.
    pub fn recovered(&self) -> Option<Recovered> {
        self.0.recovered().map(|lost| Recovered { sent: lost.sent, last: lost.last })
    }

    /// Writes a copy as it is now, beside whoever writes it.
    ///
    /// # Errors
    /// There is such a file already, or it cannot be written.
    pub fn copy_to(&self, file: &Path) -> StoreResult<Backup> {
        self.0.copy_to(file)
    }

    /// Holds every page, row and sealed value against its checksum.
    ///
    /// # Errors
    /// The store cannot be read at all.
    pub fn verify(&self) -> StoreResult<Checked> {
        self.0.verify()
    }

    /// Holds the pages alone against each other.
    ///
    /// # Errors
    /// They do not fit.
    pub fn verify_pages(&self) -> StoreResult<()> {
        self.0.check()
    }

    /// Asks the process that has the store for something; gives the number of the request.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn ask(&self, request: &Json, at: Millis) -> StoreResult<i64> {
        self.0.ask(request, at)
    }

    /// What that process has answered, once it has.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn answer(&self, id: i64) -> StoreResult<Option<Json>> {
        self.0.answer(id)
    }
}

impl Deref for OpenedStore {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What to do about a store that cannot be opened any more.
const RESTORE: &str = "to restore a backup, see docs/operations.md, \"Back up and restore\"";

/// Why a store cannot be checked. What is so damaged that it cannot be opened, a check cannot name either.
pub(super) fn cannot_be_checked(fault: StoreFault) -> Failure {
    match fault {
        StoreFault::Damaged(_) => Failure::io(fault.to_string()).hint(RESTORE),
        other => other.into(),
    }
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        let failure = Failure::io(fault.to_string());
        match fault {
            StoreFault::InUse { .. } => {
                failure.hint("another `crossdock run` or `serve` uses it: stop that one. `crossdock status` and `queue` can be used while it runs")
            }
            StoreFault::OtherKey => failure.hint(format!("set {STORE_KEY} to the key that it was created with, or restore the .key file beside it")),
            StoreFault::Damaged(_) => failure.hint(format!("`crossdock store check` names what is damaged; {RESTORE}")),
            StoreFault::Busy => failure.hint("close the program that has it open (a database browser, a backup tool), and start again"),
            StoreFault::NotTheNewest { .. } => failure.hint(
                "bring back the newest copy with its -wal file; or, if there is none, start once with `crossdock run --recover` (or `serve --recover`): \
                 it looks at the targets before it writes",
            ),
            StoreFault::Removed { .. } => failure.hint(
                "what it did since then is not kept: bring back the newest copy, or, if there is none, start once with `crossdock run --recover` (or \
                 `serve --recover`), which looks at the targets before it writes. Stop Crossdock before its store is moved or restored",
            ),
            StoreFault::NoneYet { .. } => failure.hint(
                "nothing has run here yet: the first `crossdock run` makes the store. If it ran with another environment, name that: --env NAME",
            ),
            StoreFault::Full => failure.hint("free some space on the disk and start again: no confirmed work is lost"),
            StoreFault::TooNew { .. } => failure.hint("use the version of Crossdock that wrote it, or a newer one"),
            _ => failure,
        }
    }
}
