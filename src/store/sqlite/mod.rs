//! The store in SQLite, inside the process: WAL, `synchronous=FULL`.
//!
//! A lock file beside the store prevents a second writer while one is open. The epoch prevents commits of a writer that was wrongly
//! thought to be dead. Readers (`status`, `trace`) need neither.
//!
//! Every row that decisions depend on has a checksum with the store's key, and every sealed value is bound to its row. Damaged rows are
//! set aside and reported ([`damage`]); everything else continues.

mod backup;
mod cells;
mod damage;
mod files;
mod first_start;
mod forget;
mod form;
mod hidden;
mod marker;
mod read;
mod rows;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_privacy;
#[cfg(test)]
mod tests_reads;
mod trials;
mod words;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use super::seal::Seal;
use super::{Change, Damage, Millis, StoreFault, StoreResult};
use crate::base::bounds;
use crate::http::Secret;
use files::{beside, keep_private, key_file, key_of, lock};
use words::Words;

pub use backup::Backup;
pub use damage::Checked;
pub use marker::{Lost, Out};
pub use trials::Anchor;

/// The store's id, and how many commits it has seen: what its marker is held against.
const STORE_ID: &str = "store id";
const COMMITS: &str = "commits";
/// The highest `arrived` of all lanes.
const ARRIVED: &str = "highest arrival";
/// How many commits there were when the store was closed, with that of closing it; when all of its pages were last looked at.
const CLOSED: &str = "closed";
const CHECKED: &str = "checked";
/// A store that is larger, in bytes, was closed and was looked at within a day is not looked at as a whole as it is opened.
const LARGE: i64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };
const DAY: Millis = 24 * 60 * 60 * 1_000;
/// The WAL is made smaller when it is larger than this, in bytes.
const WAL_KEPT: u64 = 16 << 20;
/// Commits after which the size of the WAL is looked at.
const WAL_LOOKED_AT: u32 = 200;

/// See [`super::Store`].
pub struct Sqlite {
    pub(super) db: Connection,
    pub(super) seal: Seal,
    words: Words,
    mode: Mode,
    epoch: u64,
    next_id: Cell<i64>,
    /// The highest id that is durable.
    highest: Cell<i64>,
    next_arrival: i64,
    /// The same as it is durable.
    last_arrival: Cell<i64>,
    /// The newest time that a commit spoke of: when damage is told to be found.
    latest: Cell<Millis>,
    /// What was found damaged and nobody has been told of yet.
    damages: RefCell<Vec<Damage>>,
    /// What was found damaged since it was opened, by table and row.
    damaged: RefCell<std::collections::BTreeSet<(&'static str, String, String, String)>>,
    commits: u32,
    /// Commits of the store's life.
    count: Cell<u64>,
    marker: Option<marker::Marker>,
    /// It was taken for the newest at a person's word: when the one that was lost sent.
    recovered: Option<Lost>,
    /// Commits until a simulated death.
    lives: Option<u32>,
    unfenced: bool,
    /// The file that was opened for writing; none in memory.
    file: Option<files::Opened>,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
    /// Whether a lock of another is waited for.
    patient: Arc<AtomicBool>,
    /// Steps of SQLite's machine that reads have taken.
    #[cfg(test)]
    steps: Cell<i64>,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The one writer.
    Write,
    /// Beside a writer; it sees what was committed.
    Read,
}

impl Sqlite {
    /// Opens a store, making it where there is none (in [`Mode::Write`]). `key` seals it; without one a key
    /// lies in a file of its own beside the store. All its files are readable by their owner only.
    ///
    /// # Errors
    /// [`StoreFault::InUse`] where another process writes, [`StoreFault::Damaged`] where the check at
    /// the start finds damage, [`StoreFault::OtherKey`] where it was sealed under another key,
    /// [`StoreFault::NotTheNewest`] where its marker, or a key without a store, says that there was a newer one.
    pub fn open(path: &Path, key: Option<&Secret>, mode: Mode) -> StoreResult<Self> {
        Self::open_as(path, key, mode, false)
    }

    /// Opens a store for writing that is not the newest one, or makes one in the place of one that was lost, at a person's word:
    /// see [`Sqlite::recovered`]. The newest one is opened as always.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn recover(path: &Path, key: Option<&Secret>) -> StoreResult<Self> {
        Self::open_as(path, key, Mode::Write, true)
    }

    /// Where the store was not the newest one and was taken for it now: when the one that was lost sent.
    pub fn recovered(&self) -> Option<Lost> {
        self.recovered
    }

    /// Whether there is a store to be read. Nothing is changed.
    ///
    /// # Errors
    /// [`StoreFault::NoneYet`] where none was made, [`StoreFault::NotTheNewest`] where one was lost.
    pub fn is_readable(path: &Path) -> StoreResult<()> {
        first_start::is_readable(path)
    }

    fn open_as(path: &Path, key: Option<&Secret>, mode: Mode, recover: bool) -> StoreResult<Self> {
        let lock = match mode {
            Mode::Write => Some(lock(path)?),
            Mode::Read => None,
        };
        if mode == Mode::Read {
            first_start::is_readable(path)?;
        }
        let begun = if mode == Mode::Write { first_start::begin(path)? } else { None };
        let first = begun.is_some();
        let marked = if mode == Mode::Write { marker::read(path)? } else { None };
        let had_key = first_start::has_key(path);
        if mode == Mode::Write && !first && !recover && first_start::is_empty(path) {
            // Nothing is made before somebody has looked: neither beside it nor in its place.
            must_be_newest(path, marker::doubt(marked.as_ref(), None, had_key))?;
        }
        let newest = |known: Option<(Option<&str>, u64)>| {
            let doubt = marker::doubt(marked.as_ref(), known, had_key).filter(|_| !first);
            if recover { Ok(doubt.is_some()) } else { must_be_newest(path, doubt).map(|()| false) }
        };
        let opened = match key {
            Some(key) => key_of(key),
            None => key_file(path, mode),
        }
        .and_then(|key| {
            if mode == Mode::Write {
                // SQLite gives the files beside it the permissions of this one. Where it is there already, that is all right.
                let _ = files::private().open(path);
                keep_private(path);
            }
            let mut store = Self::open_file(path, &key, mode, lock, Some(&newest))?;
            if mode == Mode::Write {
                store.file = Some(files::Opened::at(path));
                store.mark(path, marked.as_ref())?;
                first_start::end(path)?;
            }
            Ok(store)
        });
        if let (Err(_), Some(begun)) = (&opened, &begun) {
            // A first start that cannot go on leaves nothing that stands in the way of the second.
            first_start::undo(begun);
        }
        opened
    }

    /// Opens a copy of a store for reading, with the key that lies beside the store that it was made of.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_copy(copy: &Path, of: &Path) -> StoreResult<Self> {
        if !copy.exists() {
            return Err(StoreFault::Io(format!("there is no file {}", copy.display())));
        }
        let key = key_file(of, Mode::Read)?;
        Self::open_file(copy, &key, Mode::Read, None, None)
    }

    fn open_file(path: &Path, key: &[u8], mode: Mode, lock: Option<File>, newest: Newest<'_>) -> StoreResult<Self> {
        damage::header(path)?;
        let flags = match mode {
            Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Mode::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fault)?;
        Self::begin(db, key, mode, lock, newest)
    }

    /// A store in memory under a name, for simulations. It lives as long as one connection to it: opened again,
    /// it is what the last one left, as a file is after its process died.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn in_memory(name: &str) -> StoreResult<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(format!("file:{name}?mode=memory&cache=shared"), flags).map_err(fault)?;
        Self::begin(db, &[7; 32], Mode::Write, None, None)
    }

    /// The process dies in the midst of its `commits`-th commit from now: that one and all later ones are not done.
    pub fn dies_after(&mut self, commits: u32) {
        self.lives = Some(commits);
    }

    /// Commits are made whatever epoch they are of: the mistake that a simulation has to find.
    pub fn unfenced(&mut self) {
        self.unfenced = true;
    }

    /// From here on this is the store that was here last.
    fn mark(&mut self, path: &Path, marked: Option<&marker::Marked>) -> StoreResult<()> {
        let id = match form::setting(&self.db, &self.seal, STORE_ID)? {
            Some(id) => id,
            None => super::seal::new_key()?[..16].iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        self.count.set(self.count.get().max(marked.map_or(0, |marked| marked.commits)));
        if self.recovered.is_some() {
            // Without a marker nobody knows what was out.
            self.recovered = Some(marked.map_or_else(Lost::unknown, |marked| marked.lost));
        }
        self.apply(|put| put.meta(STORE_ID, &id))?;
        let out = marker::Out::of(&super::Store::open_entries(self)?, marked.map_or(0, |marked| marked.lost.last));
        self.marker = Some(marker::Marker::begin(path, &id, self.count.get(), out)?);
        Ok(())
    }

    /// `newest` says of the store that is there whether it is one to be recovered.
    fn begin(mut db: Connection, key: &[u8], mode: Mode, lock: Option<File>, newest: Newest<'_>) -> StoreResult<Self> {
        let patient = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&patient);
        let waits = move |tries| asked.load(Ordering::Relaxed) && wait(tries);
        match mode {
            // Everything stands on its commits: it waits, and says so.
            Mode::Write => db.busy_handler(Some(waits)),
            Mode::Read => db.busy_timeout(bounds::STORE_READ_LOCK),
        }
        .map_err(fault)?;
        db.execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;
             PRAGMA journal_size_limit={WAL_KEPT}; PRAGMA secure_delete=ON;",
        ))
        .map_err(fault)?;
        db.set_prepared_statement_cache_capacity(128);
        let seal = Seal::new(key)?;
        let was_checked = mode == Mode::Write && was_checked(&db, &seal);
        if mode == Mode::Write && !was_checked {
            let checked: String = db.query_row("PRAGMA quick_check(1)", [], |row| form::lossy(row, 0)).map_err(fault)?;
            if checked != "ok" {
                return Err(StoreFault::Damaged(checked));
            }
        }
        let words = Words::default();
        let newest = newest.filter(|_| mode == Mode::Write);
        let is_new = db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).map_err(fault)? == 0;
        let mut recovers = match newest.filter(|_| is_new) {
            Some(newest) => newest(None)?,
            None => false,
        };
        form::Forms { db: &db, seal: &seal, words: &words }.bring_up(mode)?;
        let count = form::setting(&db, &seal, COMMITS)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        if let Some(newest) = newest.filter(|_| !is_new) {
            recovers = newest(Some((form::setting(&db, &seal, STORE_ID)?.as_deref(), count)))?;
        }
        let mut store = Sqlite {
            patient,
            db,
            seal,
            words,
            mode,
            epoch: 0,
            next_id: Cell::new(1),
            highest: Cell::new(0),
            next_arrival: 1,
            last_arrival: Cell::new(0),
            latest: Cell::new(0),
            #[cfg(test)]
            steps: Cell::new(0),
            damages: RefCell::new(Vec::new()),
            damaged: RefCell::new(std::collections::BTreeSet::new()),
            commits: 0,
            count: Cell::new(count),
            marker: None,
            recovered: recovers.then(Lost::default),
            lives: None,
            unfenced: false,
            file: None,
            _lock: lock,
        };
        let highest = |sql: &str| store.db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional().map(Option::flatten).map_err(fault);
        store.latest.set(highest("SELECT at FROM event ORDER BY seq DESC LIMIT 1")?.unwrap_or(0));
        if mode == Mode::Write {
            store.epoch = store.claim(!was_checked)?;
            let ids = [
                highest("SELECT max(id) FROM entry")?,
                highest("SELECT max(id) FROM exception")?,
                highest("SELECT max(id) FROM exchange")?,
                highest("SELECT max(id) FROM hint")?,
                // Entries are dropped when they are done: their ids stay used.
                form::setting(&store.db, &store.seal, "highest id")?.and_then(|text| text.parse().ok()),
            ];
            let arrived = match form::setting(&store.db, &store.seal, ARRIVED)?.and_then(|text| text.parse().ok()) {
                Some(arrived) => Some(arrived),
                // Of an older version: every lane is looked at, once.
                None => highest("SELECT max(arrived) FROM lane")?,
            };
            store.next_id.set(ids.into_iter().flatten().max().unwrap_or(0) + 1);
            store.next_arrival = arrived.unwrap_or(0) + 1;
            store.know_causes()?;
        }
        Ok(store)
    }

    /// Takes the next epoch. `checked`: all pages were just looked at.
    fn claim(&self, checked: bool) -> StoreResult<u64> {
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let claimed = form::setting(&self.db, &self.seal, "epoch").and_then(|known| {
            let next = known.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
            self.putting().meta("epoch", &next.to_string())?;
            if checked {
                self.putting().meta(CHECKED, &marker::now().to_string())?;
            }
            self.db.execute_batch("COMMIT").map_err(fault)?;
            Ok(next)
        });
        if claimed.is_err() {
            // Where it cannot be taken back either, it was never committed.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        claimed
    }

    fn putting(&self) -> rows::Put<'_> {
        rows::Put { db: &self.db, seal: &self.seal, words: &self.words }
    }

    fn fenced(&self) -> StoreResult<()> {
        let theirs = form::setting(&self.db, &self.seal, "epoch")?.and_then(|text| text.parse().ok()).unwrap_or(0);
        if theirs == self.epoch || self.unfenced { Ok(()) } else { Err(StoreFault::Fenced { ours: self.epoch, theirs }) }
    }

    /// One transaction that is no list of changes.
    fn pass<T>(&mut self, what: impl FnOnce(&Self, &rows::Put<'_>) -> StoreResult<T>) -> StoreResult<T> {
        self.lives_on()?;
        let mut made = None;
        self.apply(|put| {
            made = Some(what(self, put)?);
            Ok(())
        })?;
        if let Some(marker) = &mut self.marker {
            marker.committed(self.count.get(), &[]);
        }
        made.ok_or_else(|| StoreFault::Io("a transaction came to nothing".to_owned()))
    }

    /// Whether a simulated death does not come with this commit.
    fn lives_on(&mut self) -> StoreResult<()> {
        let Some(lives) = &mut self.lives else { return Ok(()) };
        *lives = lives.saturating_sub(1);
        if *lives == 0 { Err(StoreFault::Io("the process died here".to_owned())) } else { Ok(()) }
    }

    pub(super) fn write(&mut self, changes: &[Change]) -> StoreResult<()> {
        self.lives_on()?;
        let arrived = changes.iter().filter_map(|change| match change {
            Change::Record(lane) => Some(lane.arrived + 1),
            _ => None,
        });
        self.next_arrival = arrived.fold(self.next_arrival, i64::max);
        self.apply(|put| changes.iter().try_for_each(|change| put.change(change)))?;
        let latest = changes.iter().filter_map(|change| match change {
            Change::Event(event) => Some(event.at),
            Change::Record(lane) => Some(lane.updated),
            _ => None,
        });
        self.latest.set(latest.max().unwrap_or(0).max(self.latest.get()));
        if let Some(marker) = &mut self.marker {
            marker.committed(self.count.get(), changes);
        }
        self.commits += 1;
        if self.commits.is_multiple_of(WAL_LOOKED_AT) {
            self.shrink_wal();
        }
        Ok(())
    }

    /// One transaction of this epoch.
    fn apply(&self, what: impl FnOnce(&rows::Put<'_>) -> StoreResult<()>) -> StoreResult<()> {
        let tx = rusqlite::Transaction::new_unchecked(&self.db, rusqlite::TransactionBehavior::Immediate).map_err(fault)?;
        let put = self.putting();
        let (next, count, arrival) = (self.next_id.get(), self.count.get() + 1, self.next_arrival);
        let done = self
            .fenced()
            .and_then(|()| what(&put))
            .and_then(|()| if self.highest.get() != next { put.meta("highest id", &next.to_string()) } else { Ok(()) })
            .and_then(|()| if self.last_arrival.get() != arrival { put.meta(ARRIVED, &(arrival - 1).to_string()) } else { Ok(()) })
            .and_then(|()| put.meta(COMMITS, &count.to_string()));
        let done = done.and_then(|()| tx.commit().map_err(fault));
        match &done {
            Ok(()) => {
                self.highest.set(next);
                self.last_arrival.set(arrival);
                self.count.set(count);
            }
            // What was made in it is not there.
            Err(_) => self.words.forget(),
        }
        done
    }

    /// Takes what is in the WAL into the store, and makes it small again where it has grown beside a long reader. Where
    /// one is still there, the next look does it.
    fn shrink_wal(&self) {
        let wal = self.db.path().map(|path| beside(Path::new(path), "-wal"));
        if wal.and_then(|wal| std::fs::metadata(wal).ok()).is_none_or(|known| known.len() <= WAL_KEPT) {
            return;
        }
        // It waits for nobody: work goes on with a WAL that is large.
        self.patient.store(false, Ordering::Relaxed);
        let _ = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.patient.store(true, Ordering::Relaxed);
    }

    pub(super) fn ours(&self) -> u64 {
        self.epoch
    }

    pub(super) fn id(&self) -> i64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    pub(super) fn arrival(&mut self) -> i64 {
        self.next_arrival += 1;
        self.next_arrival - 1
    }

    /// Puts down what a person asks of the running process. It may be done beside a writer.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn ask(&self, body: &crate::value::Json, at: Millis) -> StoreResult<i64> {
        let tx = rusqlite::Transaction::new_unchecked(&self.db, rusqlite::TransactionBehavior::Immediate).map_err(fault)?;
        let last: Option<i64> = tx.query_row("SELECT max(id) FROM control", [], |row| row.get(0)).map_err(fault)?;
        let id = last.unwrap_or(0) + 1;
        let (name, time) = (id.to_string(), at.to_string());
        let sealed = self.seal.seal(rows::control_place(&[&name, &time]), body.to_string().as_bytes())?;
        tx.execute("INSERT INTO control (id, sealed_body, at) VALUES (?1, ?2, ?3)", params![id, sealed, at]).map_err(fault)?;
        tx.commit().map_err(fault)?;
        Ok(id)
    }

    /// The answer to [`Sqlite::ask`], once there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn answer(&self, id: i64) -> StoreResult<Option<crate::value::Json>> {
        let sealed: Option<Option<Vec<u8>>> =
            self.db.query_row("SELECT sealed_answer FROM control WHERE id = ?1", [id], |row| row.get(0)).optional().map_err(fault)?;
        let Some(sealed) = sealed.flatten() else { return Ok(None) };
        let text = self.seal.open(rows::answer_place(&[&id.to_string()]), &sealed)?;
        serde_json::from_slice(&text).map(Some).map_err(|error| StoreFault::Damaged(error.to_string()))
    }
}

impl Drop for Sqlite {
    /// Notes that it was closed. Where that fails, the next start looks at all pages.
    fn drop(&mut self) {
        if self.mode == Mode::Write && self.marker.is_some() && !std::thread::panicking() {
            let closed = (self.count.get() + 1).to_string();
            let _ = self.apply(|put| put.meta(CLOSED, &closed));
        }
    }
}

/// Whether all pages of a large store were looked at within a day, and no process has died with it open since.
fn was_checked(db: &Connection, seal: &Seal) -> bool {
    let number = |name: &str| form::setting(db, seal, name).ok().flatten().and_then(|text| text.parse::<i64>().ok());
    let pragma = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap_or(0);
    if pragma("page_count").saturating_mul(pragma("page_size")) < LARGE || !matches!(form::has_table(db, "spare"), Ok(true)) {
        return false;
    }
    let age = number(CHECKED).map(|at| marker::now() - at);
    age.is_some_and(|age| (0..DAY).contains(&age)) && number(CLOSED).is_some() && number(CLOSED) == number(COMMITS)
}

/// Says of a store whether it is one to be recovered, by its id and its commits; absent where there is none.
type Newest<'a> = Option<&'a dyn Fn(Option<(Option<&str>, u64)>) -> StoreResult<bool>>;

fn must_be_newest(path: &Path, doubt: Option<&'static str>) -> StoreResult<()> {
    doubt.map_or(Ok(()), |why| Err(StoreFault::NotTheNewest { path: path.display().to_string(), why }))
}

/// Waits for a lock that another program holds (a copy that is made, a browser for databases); tells of it every 10 seconds.
/// `tries`: how often it was asked before for this lock.
fn wait(tries: i32) -> bool {
    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_millis(100);
    let tries = tries.unsigned_abs();
    // The first are short: most locks are gone at once.
    let waited = if tries < 20 { SHORT * tries } else { SHORT * 20 + LONG * (tries - 20) };
    if waited >= bounds::STORE_LOCK {
        tracing::error!("another program has held a lock on the store for {} minutes", waited.as_secs() / 60);
        return false;
    }
    if tries > 20 && (tries - 20).is_multiple_of(100) {
        tracing::warn!("another program has held a lock on the store for {} seconds; everything waits for it", waited.as_secs());
    }
    std::thread::sleep(if tries < 20 { SHORT } else { LONG });
    true
}

/// What SQLite says, in the store's own kinds.
pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    match &error {
        rusqlite::Error::SqliteFailure(code, text) => {
            let said = || text.clone().unwrap_or_else(|| code.to_string());
            match code.code {
                ErrorCode::DiskFull => StoreFault::Full,
                ErrorCode::DatabaseBusy => StoreFault::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreFault::Damaged(said()),
                // A read that ends before its page does: the file was cut off.
                ErrorCode::SystemIoFailure if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => StoreFault::Damaged(said()),
                // Every statement of this program fits its own tables: where one does not, they are not what was made.
                ErrorCode::Unknown => StoreFault::Damaged(said()),
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreFault::Io(files::not_writable(said())),
                _ => StoreFault::Io(said()),
            }
        }
        // A column that does not hold what was put there.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnName(..)
        | rusqlite::Error::InvalidColumnIndex(..) => StoreFault::Damaged(error.to_string()),
        other => StoreFault::Io(other.to_string()),
    }
}
