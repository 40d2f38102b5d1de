//! Upgrade of older stores: personal keys and texts about records, which were stored in clear, are hashed and sealed.
//!
//! Each batch is a transaction of its own, and rewritten rows can be told from others: if the process dies in between, the next one
//! continues. A row that did not fit its checksum before does not fit it afterwards.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, ToSql};

use super::form::{BATCH, Forms, lossy, setting};
use super::rows::{self, Summed};
use super::{cells, fault};
use crate::http::redact;
use crate::store::{Change, Decided, StoreResult};

/// Hashed keys, sealed words, the audit trail by record, and what retention looks rows up by.
pub(super) const MIGRATION: &str = "
ALTER TABLE entry RENAME COLUMN key TO sealed_key;
ALTER TABLE event RENAME COLUMN text TO sealed_text;
ALTER TABLE watch ADD COLUMN sealed_lane BLOB;
ALTER TABLE exchange ADD COLUMN sealed_parts BLOB;
CREATE INDEX watch_lane ON watch (flow, lane);
CREATE INDEX event_exchange ON event (exchange) WHERE exchange IS NOT NULL;
-- What was erased, to prove it.
CREATE TABLE erasure (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, sealed_by BLOB, records BIGINT NOT NULL, sum BIGINT);
";
/// The setting that says that nothing is in clear any more: `rows`: of the rows; `1`: of what lies between them too.
const HIDDEN: &str = "hidden";
/// Of a row that was damaged before: no checksum is negative.
const NO_SUM: i64 = -1;
/// Events of these kinds shared their texts in older forms. The texts name who decided.
const SHARED_BEFORE: [&str; 5] = ["retried", "approved", "edited", "discarded", "replayed"];

/// Whether the rows of a store have nothing in clear any more.
pub(super) fn is_hidden(forms: &Forms<'_>) -> StoreResult<bool> {
    setting(forms.db, forms.seal, HIDDEN).map(|set| set.is_some())
}

impl Forms<'_> {
    /// Takes what is in clear out of sight, unless that was done.
    pub(super) fn hide(&self) -> StoreResult<()> {
        let known = setting(self.db, self.seal, HIDDEN)?;
        if known.as_deref() == Some("1") {
            return Ok(());
        }
        let mut changed = known.is_some();
        if known.is_none() {
            changed |= self.entries()?;
            changed |= self.ledger()?;
            changed |= self.links()?;
            changed |= self.watches()?;
            changed |= self.exchanges()?;
            changed |= self.events()?;
            changed |= self.exceptions()?;
            self.all_or_nothing(|| self.put().meta(HIDDEN, "rows"))?;
        }
        // What was deleted or overwritten before lies between the rows, and in the WAL.
        if !changed || wiped(self.db) {
            self.all_or_nothing(|| self.put().meta(HIDDEN, "1"))?;
        } else {
            tracing::warn!(
                "free pages of the store's file still contain unencrypted data of older versions: the disk had no space to rewrite the file; the next start does"
            );
        }
        Ok(())
    }

    fn entries(&self) -> StoreResult<bool> {
        let rest = Rest { table: "entry", of: "entry", columns: rows::ENTRY, key: "id", which: "typeof(sealed_key) = 'text'", before: usize::MAX };
        self.rewritten(&rest, |row| {
            let id = text(&row[0]);
            row[9] = Value::Blob(self.seal.seal(rows::key_place(&[&id]), text(&row[9]).as_bytes())?);
            Ok(())
        })
    }

    fn ledger(&self) -> StoreResult<bool> {
        let rest = Rest {
            table: "ledger",
            of: "ledger",
            columns: rows::LEDGER,
            key: "connection, object, key",
            which: "typeof(key) = 'text'",
            before: usize::MAX,
        };
        self.rewritten(&rest, |row| {
            let (connection, object, key) = (text(&row[0]), text(&row[1]), text(&row[2]));
            let hash = self.seal.hidden(&key);
            row[2] = Value::Blob(hash.to_vec());
            if let (true, Value::Text(id)) = (key.starts_with(rows::ALIAS), &row[3]) {
                row[3] = Value::Blob(self.seal.seal(rows::alias_place(&[&connection, &object, &rows::hex(&hash)]), id.as_bytes())?);
            }
            Ok(())
        })
    }

    fn links(&self) -> StoreResult<bool> {
        let mut any = false;
        loop {
            let done = self.all_or_nothing(|| {
                let sql = format!("SELECT id, object, record FROM link WHERE typeof(id) = 'text' LIMIT {BATCH}");
                let links = self.read(&sql, |row| Ok((lossy(row, 0)?, value(row, 0)?, value(row, 1)?, value(row, 2)?)))?;
                for (id, raw, object, record) in &links {
                    // Where both are there, they are the same.
                    let sql = "UPDATE OR REPLACE link SET id = ?1 WHERE id = ?2 AND object = ?3 AND record = ?4";
                    self.run(sql, &[&rows::linked(self.seal, id), raw, object, record])?;
                }
                Ok(links.len())
            })?;
            any |= done > 0;
            if done == 0 {
                return Ok(any);
            }
        }
    }

    fn watches(&self) -> StoreResult<bool> {
        let rest = Rest { table: "watch", of: "watch", columns: rows::WATCH, key: "name, flow, lane", which: "", before: 5 };
        self.rewritten(&rest, |row| {
            let (name, flow, lane) = (text(&row[0]), text(&row[1]), text(&row[2]));
            let known = rows::watched(self.seal, &name, &lane);
            if known != lane {
                row[5] = Value::Blob(self.seal.seal(rows::watch_place(&[&name, &flow, &known]), lane.as_bytes())?);
                row[2] = Value::Text(known);
            }
            Ok(())
        })
    }

    fn exchanges(&self) -> StoreResult<bool> {
        let rest = Rest { table: "exchange", of: "exchange", columns: rows::EXCHANGE, key: "id", which: "", before: 11 };
        self.rewritten(&rest, |row| {
            for at in [4, 9] {
                if let Value::Text(said) = &row[at] {
                    row[at] = Value::Text(redact::shapes(said));
                }
            }
            Ok(())
        })
    }

    fn events(&self) -> StoreResult<bool> {
        let shared = self.shared_before()?;
        let numbers = if shared.is_empty() { "-1".to_owned() } else { shared.join(", ") };
        let which = format!("(typeof(sealed_text) = 'text' OR (word IS NOT NULL AND kind IN ({numbers})))");
        let rest = Rest { table: "event", of: "event", columns: rows::EVENT, key: "seq", which: &which, before: usize::MAX };
        let any = self.rewritten(&rest, |row| {
            let said = match &row[3] {
                Value::Integer(word) => self.words.text(self.db, *word).unwrap_or_default(),
                _ => text(&row[4]),
            };
            let (at, record) = (text(&row[0]), text(&row[1]));
            row[3] = Value::Null;
            row[4] = Value::Blob(self.seal.pack(rows::event_place(&[&record, &at]), redact::shapes(&said).as_bytes())?);
            Ok(())
        })?;
        if any {
            self.all_or_nothing(|| {
                self.run(
                    "DELETE FROM word WHERE id NOT IN (SELECT flow FROM record UNION SELECT kind FROM event UNION SELECT word FROM event WHERE word \
                     IS NOT NULL UNION SELECT object FROM link UNION SELECT connection FROM exchange UNION SELECT method FROM exchange UNION SELECT \
                     plan FROM exchange)",
                    &[],
                )
            })?;
            self.words.forget();
        }
        Ok(any)
    }

    /// The numbers of the kinds whose events shared their texts.
    fn shared_before(&self) -> StoreResult<Vec<String>> {
        let kinds = SHARED_BEFORE.iter().map(|kind| self.words.number(self.db, kind));
        Ok(kinds.collect::<StoreResult<Vec<_>>>()?.into_iter().flatten().map(|number| number.to_string()).collect())
    }

    /// How an exception was closed had the decider's own words in it.
    fn exceptions(&self) -> StoreResult<bool> {
        let mut any = false;
        loop {
            let done = self.all_or_nothing(|| {
                let sql = format!("SELECT {}, sum, sealed_decided FROM exception WHERE instr(closed_by, ': ') > 0 LIMIT {BATCH}", rows::EXCEPTION);
                let found = self.read(&sql, |row| Ok(cells::exception(self.seal, row)))?;
                for one in &found {
                    let mut exception = one.value.clone();
                    let by = exception.closed_by.take().unwrap_or_default();
                    let (what, why) = by.split_once(": ").unwrap_or((&by, ""));
                    exception.closed_by = Some(what.to_owned());
                    if exception.decided.is_none() {
                        let at = exception.closed.unwrap_or(exception.opened);
                        exception.decided = Some(Decided { what: what.to_owned(), by: None, why: Some(why.to_owned()), at, undo: None });
                    }
                    self.put().change(&Change::Exception(exception.clone()))?;
                    if one.damage.is_some() {
                        self.run("UPDATE exception SET sum = ?1 WHERE id = ?2", &[&NO_SUM, &exception.id])?;
                    }
                }
                Ok(found.len())
            })?;
            any |= done > 0;
            if done == 0 {
                return Ok(any);
            }
        }
    }

    /// Rewrites the rows of a table that are of the older form, in the order of their keys.
    fn rewritten(&self, rest: &Rest<'_>, change: impl Fn(&mut Vec<Value>) -> StoreResult<()>) -> StoreResult<bool> {
        let Rest { table, of, columns, key, which, before } = rest;
        let (names, keys): (Vec<&str>, Vec<&str>) = (columns.split(", ").collect(), key.split(", ").collect());
        let count = names.len();
        let marks = |from: usize, count: usize| (from..from + count).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
        let select = |after: &str| {
            let wheres: Vec<&str> = [*which, after].into_iter().filter(|part| !part.is_empty()).collect();
            let wheres = if wheres.is_empty() { String::new() } else { format!("WHERE {}", wheres.join(" AND ")) };
            format!("SELECT {columns}, sum, {key} FROM {table} {wheres} ORDER BY {key} LIMIT {BATCH}")
        };
        let (begin, go_on) = (select(""), select(&format!("({key}) > ({})", marks(1, keys.len()))));
        let sets: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("{name} = ?{}", at + 1)).collect();
        let is: Vec<String> = keys.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", count + 2 + at)).collect();
        let update = format!("UPDATE OR REPLACE {table} SET {}, sum = ?{} WHERE {}", sets.join(", "), count + 1, is.join(" AND "));
        let mut after: Vec<Value> = Vec::new();
        let mut any = false;
        loop {
            let (seen, done) = self.all_or_nothing(|| {
                let mut found = Vec::new();
                {
                    let mut statement = self.db.prepare_cached(if after.is_empty() { &begin } else { &go_on }).map_err(fault)?;
                    let mut read = statement.query(rusqlite::params_from_iter(&after)).map_err(fault)?;
                    while let Some(row) = read.next().map_err(fault)? {
                        let values = (0..count + 1 + keys.len()).map(|at| value(row, at)).collect::<rusqlite::Result<Vec<Value>>>().map_err(fault)?;
                        found.push(values);
                    }
                }
                let mut done = 0;
                for values in &found {
                    let (row, sum, named) = (&values[..count], &values[count], &values[count + 1..]);
                    let fits = |count: usize| *sum == Value::Integer(self.sum_of(of, &row[..count]));
                    let new = fits(count);
                    let mut anew = row.to_vec();
                    change(&mut anew)?;
                    // One of the newest form in which nothing was in clear.
                    if new && anew == row {
                        continue;
                    }
                    let sound = new || (*before < count && fits(*before));
                    if !sound && anew == row {
                        continue;
                    }
                    let sum = if sound { self.sum_of(of, &anew) } else { NO_SUM };
                    let all: Vec<&dyn ToSql> = anew
                        .iter()
                        .map(|value| value as &dyn ToSql)
                        .chain([&sum as &dyn ToSql])
                        .chain(named.iter().map(|key| key as &dyn ToSql))
                        .collect();
                    self.run(&update, &all)?;
                    done += 1;
                }
                if let Some(last) = found.last() {
                    after = last[count + 1..].to_vec();
                }
                Ok((found.len(), done))
            })?;
            any |= done > 0;
            if seen == 0 {
                return Ok(any);
            }
        }
    }

    fn sum_of(&self, of: &str, row: &[Value]) -> i64 {
        let mut summed = Summed::new(self.seal, of);
        row.iter().for_each(|value| summed.add(ValueRef::from(value)));
        summed.sum()
    }

    fn run(&self, sql: &str, values: &[&dyn ToSql]) -> StoreResult<()> {
        self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(|_| ()).map_err(fault)
    }
}

/// Rows that may be of the older form.
struct Rest<'a> {
    table: &'a str,
    /// What its checksum begins with.
    of: &'a str,
    columns: &'a str,
    key: &'a str,
    /// Those of the older form, where that can be asked for.
    which: &'a str,
    /// How many of the columns the checksum of the older form was of, where it has more now.
    before: usize,
}

/// A value, also where a text is none any more.
fn value(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(at)? {
        ValueRef::Text(bytes) if std::str::from_utf8(bytes).is_err() => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        other => Value::try_from(other).map_err(|_| rusqlite::Error::InvalidColumnIndex(at))?,
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Rewrites a store's file without its free pages, and empties its WAL; false where there is no room for it, or a reader
/// stands in the way.
pub(super) fn wiped(db: &Connection) -> bool {
    // What is rewritten may be larger than the memory.
    let vacuumed = db.execute_batch("PRAGMA temp_store=FILE; VACUUM;").map_err(fault);
    let _ = db.execute_batch("PRAGMA temp_store=MEMORY;");
    vacuumed.is_ok() && emptied(db)
}

/// Takes the WAL into the store's file and empties it.
pub(super) fn emptied(db: &Connection) -> bool {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).is_ok_and(|busy| busy == 0)
}
