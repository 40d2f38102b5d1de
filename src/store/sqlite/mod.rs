//! The store inside the process: SQLite, WAL, `synchronous=FULL`.
//!
//! A lock file beside the store keeps a second writer out while one is open; the epoch keeps out one that
//! was only thought dead. Readers (`status`, `trace`) open it without either.

mod read;
mod rows;

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use super::seal::{Seal, new_key};
use super::{Change, Kept, Millis, StoreFault};
use crate::http::Secret;

/// The newest form of the model.
const FORM: i64 = MIGRATIONS.len() as i64;
/// What brings each form to the next; the first makes the model anew.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    "CREATE INDEX hint_same ON hint (connection, event, body);",
    "ALTER TABLE entry ADD COLUMN rides TEXT;",
    "ALTER TABLE lane ADD COLUMN seen BLOB;",
];

/// See [`super::Store`].
pub struct Sqlite {
    pub(super) db: Connection,
    pub(super) seal: Seal,
    epoch: u64,
    next_id: i64,
    next_arrival: i64,
    /// Commits until a simulated death.
    lives: Option<u32>,
    unfenced: bool,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
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
    /// lies in a file of its own beside the store, readable by its owner only.
    ///
    /// # Errors
    /// [`StoreFault::InUse`] where another process writes, [`StoreFault::Damaged`] where the check at
    /// the start finds damage, [`StoreFault::OtherKey`] where it was sealed under another key.
    pub fn open(path: &Path, key: Option<&Secret>, mode: Mode) -> Kept<Self> {
        let lock = match mode {
            Mode::Write => Some(lock(path)?),
            Mode::Read => None,
        };
        if mode == Mode::Read && !path.exists() {
            return Err(StoreFault::Io(format!("there is no store at {} yet", path.display())));
        }
        let key = match key {
            Some(key) => key_of(key)?,
            None => key_file(path, mode)?,
        };
        let flags = match mode {
            Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Mode::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fault)?;
        Self::begin(db, &key, mode, lock)
    }

    /// A store in memory under a name, for simulations. It lives as long as one connection to it: opened again,
    /// it is what the last one left, as a file is after its process died.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn in_memory(name: &str) -> Kept<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(format!("file:{name}?mode=memory&cache=shared"), flags).map_err(fault)?;
        Self::begin(db, &[7; 32], Mode::Write, None)
    }

    /// The process dies in the midst of its `commits`-th commit from now: that one and all later ones are not done.
    pub fn dies_after(&mut self, commits: u32) {
        self.lives = Some(commits);
    }

    /// Commits are made whatever epoch they are of: the mistake that a simulation has to find.
    pub fn unfenced(&mut self) {
        self.unfenced = true;
    }

    fn begin(db: Connection, key: &[u8], mode: Mode, lock: Option<File>) -> Kept<Self> {
        db.busy_timeout(std::time::Duration::from_secs(10)).map_err(fault)?;
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;",
        )
        .map_err(fault)?;
        db.set_prepared_statement_cache_capacity(96);
        let seal = Seal::new(key)?;
        if mode == Mode::Write {
            let checked: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault)?;
            if checked != "ok" {
                return Err(StoreFault::Damaged(checked));
            }
        }
        migrate(&db, mode)?;
        check_key(&db, &seal, mode)?;
        let mut store = Sqlite { db, seal, epoch: 0, next_id: 1, next_arrival: 1, lives: None, unfenced: false, _lock: lock };
        if mode == Mode::Write {
            store.epoch = store.claim()?;
            let highest = |sql: &str| store.db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional().map(Option::flatten).map_err(fault);
            let ids = [
                highest("SELECT max(id) FROM entry")?,
                highest("SELECT max(id) FROM exception")?,
                highest("SELECT max(id) FROM exchange")?,
                highest("SELECT max(id) FROM hint")?,
                // Entries are dropped when they are done: their ids stay used.
                highest("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'highest id'")?,
            ];
            let arrived = highest("SELECT max(arrived) FROM lane")?;
            store.next_id = ids.into_iter().flatten().max().unwrap_or(0) + 1;
            store.next_arrival = arrived.unwrap_or(0) + 1;
        }
        Ok(store)
    }

    /// Takes the next epoch.
    fn claim(&self) -> Kept<u64> {
        self.db
            .query_row(
                "INSERT INTO meta (name, value) VALUES ('epoch', '1')
                 ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS INTEGER) + 1 AS TEXT) RETURNING CAST(value AS INTEGER)",
                [],
                |row| row.get::<_, i64>(0),
            )
            .map(i64::unsigned_abs)
            .map_err(fault)
    }

    fn fenced(db: &Connection, ours: u64) -> Kept<()> {
        let theirs: i64 = db
            .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'")
            .and_then(|mut q| q.query_row([], |row| row.get(0)))
            .map_err(fault)?;
        let theirs = theirs.unsigned_abs();
        if theirs == ours { Ok(()) } else { Err(StoreFault::Fenced { ours, theirs }) }
    }

    pub(super) fn write(&mut self, changes: &[Change]) -> Kept<()> {
        if let Some(lives) = &mut self.lives {
            *lives = lives.saturating_sub(1);
            if *lives == 0 {
                return Err(StoreFault::Io("the process died here".to_owned()));
            }
        }
        let (ours, next_id, unfenced) = (self.epoch, self.next_id, self.unfenced);
        let Sqlite { db, seal, .. } = self;
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(fault)?;
        if !unfenced {
            Self::fenced(&tx, ours)?;
        }
        for change in changes {
            rows::put(&tx, seal, change)?;
        }
        tx.prepare_cached("INSERT INTO meta (name, value) VALUES ('highest id', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .and_then(|mut put| put.execute(params![next_id.to_string()]))
            .map_err(fault)?;
        tx.commit().map_err(fault)
    }

    pub(super) fn ours(&self) -> u64 {
        self.epoch
    }

    pub(super) fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id - 1
    }

    pub(super) fn arrival(&mut self) -> i64 {
        self.next_arrival += 1;
        self.next_arrival - 1
    }

    /// Puts down what a person asks of the running process. It may be done beside a writer.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn ask(&self, body: &crate::value::Json, at: Millis) -> Kept<i64> {
        let sealed = self.seal.seal(body.to_string().as_bytes())?;
        self.db.execute("INSERT INTO control (sealed_body, at) VALUES (?1, ?2)", params![sealed, at]).map_err(fault)?;
        Ok(self.db.last_insert_rowid())
    }

    /// The answer to [`Sqlite::ask`], once there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn answer(&self, id: i64) -> Kept<Option<crate::value::Json>> {
        let sealed: Option<Option<Vec<u8>>> =
            self.db.query_row("SELECT sealed_answer FROM control WHERE id = ?1", [id], |row| row.get(0)).optional().map_err(fault)?;
        sealed.flatten().map(|sealed| rows::json(&self.seal, &sealed)).transpose()
    }

    /// A copy as it is now, for a rehearsal: sealed under the same key.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub fn copy_to(&self, path: &Path) -> Kept<()> {
        self.db.execute("VACUUM INTO ?1", [path.display().to_string()]).map(|_| ()).map_err(fault)
    }

    /// Copies nothing, checks everything: for `doctor`.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] with what was found.
    pub fn check(&self) -> Kept<()> {
        let checked: String = self.db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fault)?;
        if checked == "ok" { Ok(()) } else { Err(StoreFault::Damaged(checked)) }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Takes the lock, and leaves in it who has it.
fn lock(path: &Path) -> Kept<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreFault::Io(format!("{}: {error}", folder.display())))?;
    }
    let name = beside(path, ".lock");
    let wrong = |error: std::io::Error| StoreFault::Io(format!("{}: {error}", name.display()));
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&name).map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut by = String::new();
            // Who holds it is a courtesy: what cannot be read is left out.
            let _ = file.read_to_string(&mut by);
            let by = if by.trim().is_empty() { String::new() } else { format!(" ({})", by.trim()) };
            return Err(StoreFault::InUse { path: path.display().to_string(), by });
        }
        Err(TryLockError::Error(error)) => return Err(wrong(error)),
    }
    file.set_len(0).map_err(wrong)?;
    file.rewind().map_err(wrong)?;
    write!(file, "process {}", std::process::id()).map_err(wrong)?;
    Ok(file)
}

/// A key of the configuration: 32 bytes in hex or Base64, or any longer passphrase, hashed.
fn key_of(key: &Secret) -> Kept<[u8; 32]> {
    use sha2::Digest as _;
    let text = key.reveal().trim();
    if text.len() < 16 {
        return Err(StoreFault::Io("the store's key is shorter than 16 characters".into()));
    }
    Ok(sha2::Sha256::digest(text.as_bytes()).into())
}

/// The key that lies beside the store.
fn key_file(path: &Path, mode: Mode) -> Kept<[u8; 32]> {
    let name = beside(path, ".key");
    let wrong = |error: std::io::Error| StoreFault::Io(format!("{}: {error}", name.display()));
    match std::fs::read(&name) {
        Ok(bytes) => bytes.try_into().map_err(|_| StoreFault::Io(format!("{} is no key of 32 bytes", name.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && mode == Mode::Write => {
            if path.exists() {
                return Err(StoreFault::Io(format!("{} is not there, and the store cannot be opened without it", name.display())));
            }
            let key = new_key()?;
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&name).map_err(wrong)?;
            file.write_all(&key).map_err(wrong)?;
            file.sync_all().map_err(wrong)?;
            Ok(key)
        }
        Err(error) => Err(wrong(error)),
    }
}

fn migrate(db: &Connection, mode: Mode) -> Kept<()> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if found > FORM {
        return Err(StoreFault::TooNew { found, known: FORM });
    }
    if found < FORM && mode == Mode::Read {
        return Err(StoreFault::Io("the store is of an older form: start `crossdock run` or `serve` once to bring it up".into()));
    }
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        db.execute_batch(&format!("BEGIN IMMEDIATE; {migration} PRAGMA user_version = {}; COMMIT;", at + 1)).map_err(fault)?;
    }
    Ok(())
}

/// A known text under the key: whether this is the key it was sealed with.
fn check_key(db: &Connection, seal: &Seal, mode: Mode) -> Kept<()> {
    let known: Option<String> = db.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0)).optional().map_err(fault)?;
    let mark = seal.fingerprint(b"crossdock");
    match known {
        Some(known) if known == mark => Ok(()),
        Some(_) => Err(StoreFault::OtherKey),
        None if mode == Mode::Write => db.execute("INSERT INTO meta (name, value) VALUES ('key', ?1)", [mark]).map(|_| ()).map_err(fault),
        None => Ok(()),
    }
}

pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    match &error {
        rusqlite::Error::SqliteFailure(code, text) => match code.code {
            ErrorCode::DiskFull => StoreFault::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreFault::Damaged(text.clone().unwrap_or_else(|| code.to_string())),
            _ => StoreFault::Io(text.clone().unwrap_or_else(|| code.to_string())),
        },
        other => StoreFault::Io(other.to_string()),
    }
}
