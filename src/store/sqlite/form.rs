//! Versions of the database schema, and the upgrade of an older store.
//!
//! Changes of tables are one transaction. Changes of rows (sealing them again, moving them) are made in batches, each a transaction of
//! its own: if the process dies in between, the next one continues.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{self, Put, Summed};
use super::words::Words;
use super::{Mode, cells, fault, hidden};
use crate::store::seal::{Place, Seal};
use crate::store::{Change, Event, Exchange, Link, StoreFault, StoreResult};

/// The newest form of the model.
pub(super) const FORM: i64 = MIGRATIONS.len() as i64;
/// What brings each form to the next; the first makes the model anew.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    "CREATE INDEX hint_same ON hint (connection, event, body);",
    "ALTER TABLE entry ADD COLUMN rides TEXT;",
    "ALTER TABLE lane ADD COLUMN seen BLOB;",
    include_str!("compact.sql"),
    // The index has all that the list by causes needs.
    "ALTER TABLE exception ADD COLUMN cause TEXT;
     ALTER TABLE exception ADD COLUMN sealed_decided BLOB;
     CREATE INDEX exception_cause ON exception (flow, code, cause, owner, opened, before, id) WHERE closed IS NULL;",
    // Alerts are an outbox, by their causes.
    "CREATE TABLE alert (cause TEXT PRIMARY KEY, sealed_alert BLOB NOT NULL) WITHOUT ROWID;",
    hidden::MIGRATION,
];
/// The first form whose rows have checksums.
const SUMMED: i64 = 5;
/// Rows that are sealed anew or moved in one transaction.
pub(super) const BATCH: i64 = if cfg!(test) { 200 } else { 2_000 };
/// The setting that says that all of a store is sealed for its place, and has checksums.
const RESEALED: &str = "resealed";

/// What a store of some form is brought up with.
pub(super) struct Forms<'a> {
    pub(super) db: &'a Connection,
    pub(super) seal: &'a Seal,
    pub(super) words: &'a Words,
}

impl Forms<'_> {
    /// Brings a store to the newest form. One that is only read has to have it.
    pub(super) fn bring_up(&self, mode: Mode) -> StoreResult<()> {
        check_key(self.db, self.seal)?;
        let mut found = self.found(mode)?;
        if found > FORM {
            return Err(StoreFault::TooNew { found, known: FORM });
        }
        if mode == Mode::Read {
            let resealed = found >= SUMMED && setting(self.db, self.seal, RESEALED)?.is_some() && hidden::is_hidden(self)?;
            let older = || StoreFault::Io("the store was written by an older version: start `crossdock run` or `serve` once to upgrade it".into());
            return if found == FORM && resealed { Ok(()) } else { Err(older()) };
        }
        for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            let form = found + 1;
            self.all_or_nothing(|| {
                self.db.execute_batch(&format!("{migration} PRAGMA user_version = {form};")).map_err(fault)?;
                if form >= SUMMED { self.put().meta("form", &form.to_string()) } else { Ok(()) }
            })?;
            found = form;
        }
        if setting(self.db, self.seal, RESEALED)?.is_none() {
            self.reseal()?;
        }
        self.hide()?;
        if setting(self.db, self.seal, "key")?.is_none() {
            self.all_or_nothing(|| self.put().meta("key", &key_mark(self.seal)))?;
        }
        Ok(())
    }

    /// The form that the store has: as its header says, but for a header that was changed.
    fn found(&self, mode: Mode) -> StoreResult<i64> {
        let told: i64 = self.db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
        let spare: Option<String> = match has_table(self.db, "spare")? {
            true => setting(self.db, self.seal, "form")?,
            false => None,
        };
        match spare.and_then(|form| form.parse().ok()) {
            Some(form) if form != told => {
                // It was written with each change of the form, in the same transaction.
                if mode == Mode::Write {
                    self.db.execute_batch(&format!("PRAGMA user_version = {form};")).map_err(fault)?;
                }
                Ok(form)
            }
            _ => Ok(told),
        }
    }

    pub(super) fn put(&self) -> Put<'_> {
        Put { db: self.db, seal: self.seal, words: self.words }
    }

    pub(super) fn all_or_nothing<T>(&self, what: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        match what().and_then(|done| self.db.execute_batch("COMMIT").map_err(fault).map(|()| done)) {
            Ok(done) => Ok(done),
            Err(why) => {
                // Where it cannot be taken back either, it was never committed.
                let _ = self.db.execute_batch("ROLLBACK");
                self.words.forget();
                Err(why)
            }
        }
    }

    /// Seals all that was sealed in the first form for its place, gives each row its checksum, and moves history to
    /// its compact tables.
    fn reseal(&self) -> StoreResult<()> {
        self.sealed("body", "sealed", "flow, key", |row| place_of(row, "body", "sealed", 2))?;
        for column in ["matched", "reasons"] {
            self.sealed("lane", &format!("sealed_{column}"), "flow, key", |row| place_of(row, "lane", column, 2))?;
        }
        for column in ["body", "held", "result", "error"] {
            self.sealed("payload", &format!("sealed_{column}"), "id", |row| place_of(row, "payload", column, 1))?;
        }
        self.sealed("exception", "sealed_reasons", "id", |row| place_of(row, "exception", "reasons", 1))?;
        self.sealed("control", "sealed_body", "id, at", |row| place_of(row, "control", "body", 2))?;
        self.sealed("control", "sealed_answer", "id", |row| place_of(row, "control", "answer", 1))?;
        for (table, of, columns, sum, key) in [
            ("lane", "lane", rows::LANE, "sum", "flow, key"),
            ("lane", "seen", rows::SEEN, "seen_sum", "flow, key"),
            ("entry", "entry", rows::ENTRY, "sum", "id"),
            ("entry", "moved", rows::MOVED, "moved_sum", "id"),
            ("ledger", "ledger", rows::LEDGER, "sum", "connection, object, key"),
            ("exception", "exception", rows::EXCEPTION, "sum", "id"),
            ("hint", "hint", rows::HINT, "sum", "id"),
            ("watch", "watch", rows::WATCH, "sum", "name, flow, lane"),
        ] {
            self.summed(table, of, columns, sum, key)?;
        }
        self.settings()?;
        self.moved()?;
        self.all_or_nothing(|| self.put().meta(RESEALED, "1"))?;
        // A store from which much was moved is made smaller. Where there is no room for it, it stays as large as it was.
        let spare: i64 = self.db.query_row("PRAGMA freelist_count", [], |row| row.get(0)).map_err(fault)?;
        if spare > 1_000 {
            let _ = self.db.execute_batch("VACUUM");
        }
        Ok(())
    }

    /// Seals the values of a column that have the first form. What does not open stays as it is, and is told as damaged
    /// when it is read.
    fn sealed(&self, table: &str, column: &str, key: &str, place: impl Fn(&Row<'_>) -> rusqlite::Result<Named>) -> StoreResult<()> {
        let keys: Vec<&str> = key.split(", ").collect();
        let first = "x'01'";
        let select =
            |after: &str| format!("SELECT {key}, {column} FROM {table} WHERE substr({column}, 1, 1) = {first} {after} ORDER BY {key} LIMIT {BATCH}");
        let marks: Vec<String> = (1..=keys.len()).map(|at| format!("?{at}")).collect();
        let (begin, go_on) = (select(""), select(&format!("AND ({key}) > ({})", marks.join(", "))));
        let all: Vec<String> = keys.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", at + 2)).collect();
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {}", all.join(" AND "));
        let mut after: Vec<rusqlite::types::Value> = Vec::new();
        loop {
            let count = self.all_or_nothing(|| {
                let mut statement = self.db.prepare(if after.is_empty() { &begin } else { &go_on }).map_err(fault)?;
                let mut found = statement.query(rusqlite::params_from_iter(&after)).map_err(fault)?;
                let mut anew = Vec::new();
                while let Some(row) = found.next().map_err(fault)? {
                    let named = place(row).map_err(fault)?;
                    let sealed: Vec<u8> = row.get(keys.len()).map_err(fault)?;
                    let values: Vec<rusqlite::types::Value> =
                        (0..keys.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>().map_err(fault)?;
                    anew.push((named, sealed, values));
                }
                drop(found);
                let count = anew.len();
                for (named, sealed, values) in anew {
                    if let Ok(Some(text)) = self.seal.open_unbound(&sealed) {
                        let sealed = named.with(|place| self.seal.pack(place, &text))?;
                        let values = std::iter::once(rusqlite::types::Value::Blob(sealed)).chain(values.iter().cloned());
                        self.db.prepare_cached(&update).and_then(|mut put| put.execute(rusqlite::params_from_iter(values))).map_err(fault)?;
                    }
                    after = values;
                }
                Ok(count)
            })?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// Gives the rows of a table that have no checksum theirs.
    fn summed(&self, table: &str, of: &str, columns: &str, sum: &str, key: &str) -> StoreResult<()> {
        let count = columns.split(", ").count();
        let keys: Vec<&str> = key.split(", ").collect();
        let select = format!("SELECT {columns}, {key} FROM {table} WHERE {sum} IS NULL LIMIT {BATCH}");
        let all: Vec<String> = keys.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", at + 2)).collect();
        let update = format!("UPDATE {table} SET {sum} = ?1 WHERE {}", all.join(" AND "));
        loop {
            let done = self.all_or_nothing(|| {
                let mut statement = self.db.prepare(&select).map_err(fault)?;
                let mut found = statement.query([]).map_err(fault)?;
                let mut sums = Vec::new();
                while let Some(row) = found.next().map_err(fault)? {
                    let mut summed = Summed::new(self.seal, of);
                    for at in 0..count {
                        summed.add(row.get_ref(at).map_err(fault)?);
                    }
                    let mut values = vec![rusqlite::types::Value::Integer(summed.sum())];
                    for at in count..count + keys.len() {
                        values.push(row.get(at).map_err(fault)?);
                    }
                    sums.push(values);
                }
                drop(found);
                let mut done = 0;
                for values in sums {
                    done += self.db.prepare_cached(&update).and_then(|mut put| put.execute(rusqlite::params_from_iter(values))).map_err(fault)?;
                }
                Ok(done)
            })?;
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Settings and checkpoints get their checksums and second copies.
    fn settings(&self) -> StoreResult<()> {
        self.all_or_nothing(|| {
            let metas: Vec<(String, String)> = self.read("SELECT name, value FROM meta WHERE sum IS NULL", |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (name, value) in metas {
                self.put().meta(&name, &value)?;
            }
            let sql = format!("SELECT {}, sum FROM checkpoint WHERE sum IS NULL", rows::CHECKPOINT);
            for known in self.read(&sql, |row| Ok(cells::checkpoint(self.seal, row).value))? {
                self.put().checkpoint(&known)?;
            }
            Ok(())
        })
    }

    pub(super) fn read<T>(&self, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> StoreResult<Vec<T>> {
        let mut statement = self.db.prepare(sql).map_err(fault)?;
        let found = statement.query_map([], read).map_err(fault)?;
        found.collect::<rusqlite::Result<Vec<T>>>().map_err(fault)
    }

    /// Moves events, exchanges and links to their compact tables.
    fn moved(&self) -> StoreResult<()> {
        self.move_table("old_event", "seq, at, flow, lane, kind, text, exchange", |row| {
            Ok(Change::Event(Event {
                at: row.get(1)?,
                flow: lossy(row, 2)?,
                lane: lossy(row, 3)?,
                kind: lossy(row, 4)?,
                text: lossy(row, 5)?,
                exchange: row.get(6)?,
            }))
        })?;
        self.move_table("old_exchange", "rowid, id, at, connection, method, path, status, took, request, response, broken, plan", |row| {
            let maybe = |at| -> rusqlite::Result<Option<String>> {
                Ok(match row.get_ref(at)? {
                    rusqlite::types::ValueRef::Null => None,
                    _ => Some(lossy(row, at)?),
                })
            };
            Ok(Change::Exchange(Exchange {
                id: row.get(1)?,
                at: row.get(2)?,
                connection: lossy(row, 3)?,
                method: lossy(row, 4)?,
                path: lossy(row, 5)?,
                status: row.get(6)?,
                took: row.get(7)?,
                request: maybe(8)?,
                response: maybe(9)?,
                broken: maybe(10)?,
                plan: lossy(row, 11)?,
                parts: Vec::new(),
            }))
        })?;
        if has_table(self.db, "old_link")? {
            let flows: Vec<String> =
                self.read("SELECT DISTINCT flow FROM old_link UNION SELECT DISTINCT object FROM old_link", |row| lossy(row, 0))?;
            self.all_or_nothing(|| flows.iter().try_for_each(|flow| self.words.make(self.db, flow).map(|_| ())))?;
            // It has no row number to go by: what was moved is dropped with it.
            loop {
                let done = self.all_or_nothing(|| {
                    let sql = format!("SELECT flow, lane, object, id FROM old_link LIMIT {BATCH}");
                    let links = self.read(&sql, |row| {
                        Ok((Link { flow: lossy(row, 0)?, lane: lossy(row, 1)?, object: lossy(row, 2)?, id: lossy(row, 3)? }, raw(row)?))
                    })?;
                    let mut done = 0;
                    for (link, raw) in &links {
                        self.put().change(&Change::Link(link.clone()))?;
                        let sql = "DELETE FROM old_link WHERE flow = ?1 AND lane = ?2 AND object = ?3 AND id = ?4";
                        done += self.db.prepare_cached(sql).and_then(|mut drop| drop.execute(rusqlite::params_from_iter(raw))).map_err(fault)?;
                    }
                    Ok(done)
                })?;
                if done == 0 {
                    break;
                }
            }
            self.all_or_nothing(|| self.db.execute_batch("DROP TABLE old_link").map_err(fault))?;
        }
        Ok(())
    }

    fn move_table(&self, table: &str, columns: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<Change>) -> StoreResult<()> {
        if !has_table(self.db, table)? {
            return Ok(());
        }
        let select = format!("SELECT {columns} FROM {table} ORDER BY rowid LIMIT {BATCH}");
        loop {
            let done = self.all_or_nothing(|| {
                let changes = self.read(&select, |row| Ok((row.get::<_, i64>(0)?, read(row)?)))?;
                for (_, change) in &changes {
                    self.put().change(change)?;
                }
                if let Some((last, _)) = changes.last() {
                    self.db.execute(&format!("DELETE FROM {table} WHERE rowid <= ?1"), params![last]).map_err(fault)?;
                }
                Ok(changes.len())
            })?;
            if done == 0 {
                break;
            }
        }
        self.all_or_nothing(|| self.db.execute_batch(&format!("DROP TABLE {table}")).map_err(fault))
    }
}

/// A place that owns its row's key.
struct Named {
    table: &'static str,
    column: String,
    row: Vec<String>,
}

impl Named {
    fn with<T>(&self, what: impl FnOnce(Place<'_>) -> T) -> T {
        let row: Vec<&str> = self.row.iter().map(String::as_str).collect();
        what(Place { table: self.table, column: &self.column, row: &row })
    }
}

fn place_of(row: &Row<'_>, table: &'static str, column: &str, keys: usize) -> rusqlite::Result<Named> {
    let row: Vec<String> = (0..keys).map(|at| lossy(row, at)).collect::<rusqlite::Result<_>>()?;
    Ok(Named { table, column: column.to_owned(), row })
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Vec<rusqlite::types::Value>> {
    (0..row.as_ref().column_count()).map(|at| row.get(at)).collect()
}

/// A text, whatever stands there.
pub(super) fn lossy(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(at)? {
        ValueRef::Null => String::new(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
    })
}

pub(super) fn has_table(db: &Connection, name: &str) -> StoreResult<bool> {
    db.query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [name], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
        .map_err(fault)
}

/// A setting, from whichever of its copies is as it was written.
///
/// # Errors
/// [`StoreFault::Damaged`] where neither is.
pub(super) fn setting(db: &Connection, seal: &Seal, name: &str) -> StoreResult<Option<String>> {
    let mut first = db.prepare_cached("SELECT name, value, sum FROM meta WHERE name = ?1").map_err(fault)?;
    let first = first.query_row([name], |row| Ok(cells::meta(seal, row))).optional().map_err(fault)?;
    if let Some(found) = &first
        && found.damage.is_none()
    {
        return Ok(Some(found.value.1.clone()));
    }
    let mut second = db.prepare_cached("SELECT kind, name, value, sum FROM spare WHERE kind = 'meta' AND name = ?1").map_err(fault)?;
    let second = second.query_row([name], |row| Ok(cells::spare(seal, row))).optional().map_err(fault)?;
    match (second, first) {
        (Some(found), _) if found.damage.is_none() => Ok(Some(found.value.2)),
        (None, None) => Ok(None),
        _ => Err(StoreFault::Damaged(format!("both copies of the setting `{name}` were changed"))),
    }
}

/// A known text under the key.
fn key_mark(seal: &Seal) -> String {
    seal.fingerprint(b"crossdock")
}

/// Whether this is the key that the store was sealed with. The mark is kept twice: one that was changed does not make
/// another key of the right one.
fn check_key(db: &Connection, seal: &Seal) -> StoreResult<()> {
    if !has_table(db, "meta")? {
        return Ok(());
    }
    let mark = key_mark(seal);
    let text = |sql: &str| -> StoreResult<Option<String>> { db.query_row(sql, [], |row| lossy(row, 0)).optional().map_err(fault) };
    let mut marks = vec![text("SELECT value FROM meta WHERE name = 'key'")?];
    if has_table(db, "spare")? {
        marks.push(text("SELECT value FROM spare WHERE kind = 'meta' AND name = 'key'")?);
    }
    let known: Vec<&String> = marks.iter().flatten().collect();
    match known.as_slice() {
        [] => Ok(()),
        known if known.iter().any(|known| **known == mark) => Ok(()),
        [_] => Err(StoreFault::OtherKey),
        [one, other] if one == other => Err(StoreFault::OtherKey),
        _ => Err(StoreFault::Damaged("the mark of the store's key was changed".into())),
    }
}
