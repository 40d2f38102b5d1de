//! The store's reads.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Params, Row, params};

use super::rows::{ENTRY, EXCEPTION, EXCHANGE, LANE, SEALED};
use super::{Sqlite, fault, rows};
use crate::store::{
    Change, Checkpoint, Control, Counts, Entry, Event, Exception, Exchange, Hint, Kept, Known, Lane, LaneState, Ledger, Link, Millis, Store,
    StoreFault, Watch,
};
use crate::value::Json;

impl Sqlite {
    fn all<T>(&self, sql: &str, values: impl Params, read: impl Fn(&Row<'_>) -> Kept<T>) -> Kept<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql).map_err(fault)?;
        let mut found = statement.query(values).map_err(fault)?;
        let mut out = Vec::new();
        while let Some(row) = found.next().map_err(fault)? {
            out.push(read(row)?);
        }
        Ok(out)
    }

    fn one<T>(&self, sql: &str, values: impl Params, read: impl Fn(&Row<'_>) -> Kept<T>) -> Kept<Option<T>> {
        Ok(self.all(sql, values, read)?.into_iter().next())
    }

    fn number(&self, sql: &str, values: impl Params) -> Kept<Option<i64>> {
        let found: Option<Option<i64>> =
            self.db.prepare_cached(sql).and_then(|mut query| query.query_row(values, |row| row.get(0)).optional()).map_err(fault)?;
        Ok(found.flatten())
    }
}

fn checkpoint(row: &Row<'_>) -> Kept<Checkpoint> {
    let read = || -> rusqlite::Result<Checkpoint> {
        Ok(Checkpoint { flow: row.get(0)?, stream: row.get(1)?, cursor: row.get(2)?, more: row.get(3)?, at: row.get(4)? })
    };
    read().map_err(fault)
}

fn watch(row: &Row<'_>) -> Kept<Watch> {
    let read =
        || -> rusqlite::Result<Watch> { Ok(Watch { name: row.get(0)?, flow: row.get(1)?, lane: row.get(2)?, since: row.get(3)?, due: row.get(4)? }) };
    read().map_err(fault)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for Sqlite {
    fn epoch(&self) -> u64 {
        self.ours()
    }

    fn commit(&mut self, changes: &[Change]) -> Kept<()> {
        self.write(changes)
    }

    fn next_id(&mut self) -> i64 {
        self.id()
    }

    fn next_arrival(&mut self) -> i64 {
        self.arrival()
    }

    fn checkpoint(&self, flow: &str, stream: &str) -> Kept<Option<Checkpoint>> {
        self.one("SELECT flow, stream, cursor, more, at FROM checkpoint WHERE flow = ?1 AND stream = ?2", params![flow, stream], checkpoint)
    }

    fn checkpoints(&self) -> Kept<Vec<Checkpoint>> {
        self.all("SELECT flow, stream, cursor, more, at FROM checkpoint ORDER BY flow, stream", [], checkpoint)
    }

    fn lane(&self, flow: &str, key: &str) -> Kept<Option<Lane>> {
        let sql = format!("SELECT {LANE} FROM lane WHERE flow = ?1 AND key = ?2");
        self.one(&sql, params![flow, key], |row| rows::lane(&self.seal, row))
    }

    fn known(&self, flow: &str, keys: &[&str]) -> Kept<HashMap<String, Known>> {
        let sql = "SELECT key, state, version <> '', stamp, seen FROM lane WHERE flow = ?1 AND key IN (SELECT value FROM json_each(?2))";
        let asked = serde_json::to_string(keys).map_err(|error| StoreFault::Io(error.to_string()))?;
        let found = self.all(sql, params![flow, asked], |row| {
            let read = || -> rusqlite::Result<(String, String, bool, Option<String>, Option<Vec<u8>>)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            };
            let (key, state, read, stamp, seen) = read().map_err(fault)?;
            Ok((key, Known { state: rows::lane_state(&state)?, read, stamp, seen: seen.unwrap_or_default() }))
        })?;
        Ok(found.into_iter().collect())
    }

    fn due(&self, flow: &str, state: LaneState, now: Millis, limit: usize) -> Kept<Vec<Lane>> {
        // The partial index serves it only if the state stands in the text.
        let sql =
            format!("SELECT {LANE} FROM lane WHERE flow = ?1 AND state = '{}' AND due <= ?2 ORDER BY first DESC, arrived LIMIT ?3", state.word());
        self.all(&sql, params![flow, now, count(limit)], |row| rows::lane(&self.seal, row))
    }

    fn next_due(&self, flow: &str, state: LaneState, now: Millis) -> Kept<Option<Millis>> {
        self.number(&format!("SELECT min(due) FROM lane WHERE flow = ?1 AND state = '{}' AND due > ?2", state.word()), params![flow, now])
    }

    fn search(&self, text: &str, limit: usize) -> Kept<Vec<Lane>> {
        let sql = format!(
            "SELECT {LANE} FROM lane WHERE (flow, key) IN (SELECT flow, key FROM lane WHERE label = ?1 OR key = ?1
             UNION SELECT flow, lane FROM link WHERE id = ?1) ORDER BY arrived LIMIT ?2"
        );
        self.all(&sql, params![text, count(limit)], |row| rows::lane(&self.seal, row))
    }

    fn in_state(&self, flow: Option<&str>, state: LaneState, limit: usize) -> Kept<Vec<Lane>> {
        let sql = format!("SELECT {LANE} FROM lane WHERE state = ?1 AND (?2 IS NULL OR flow = ?2) ORDER BY updated DESC LIMIT ?3");
        self.all(&sql, params![state.word(), flow, count(limit)], |row| rows::lane(&self.seal, row))
    }

    fn members(&self, flow: &str, group: &str) -> Kept<Vec<Json>> {
        let sql = "SELECT body.sealed FROM lane JOIN body ON body.flow = lane.flow AND body.key = lane.key
             WHERE lane.flow = ?1 AND lane.grouped = ?2 ORDER BY lane.key";
        self.all(sql, params![flow, group], |row| rows::body(&self.seal, row))
    }

    fn beginning(&self, flow: &str, key: &str) -> Kept<Vec<Lane>> {
        // The byte after all that begins so, as the primary key is ordered.
        let sql = format!("SELECT {LANE} FROM lane WHERE flow = ?1 AND key >= ?2 AND key < ?3 ORDER BY key");
        self.all(&sql, params![flow, key, format!("{key}{}", char::MAX)], |row| rows::lane(&self.seal, row))
    }

    fn counts(&self) -> Kept<Counts> {
        let found = self.all("SELECT flow, state, count(*) FROM lane GROUP BY flow, state", [], |row| {
            let read = || -> rusqlite::Result<(String, String, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
            read().map_err(fault)
        })?;
        found.into_iter().map(|(flow, state, count)| Ok(((flow, rows::lane_state(&state)?), count.unsigned_abs()))).collect()
    }

    fn entry(&self, id: i64) -> Kept<Option<Entry>> {
        self.one(&format!("SELECT {ENTRY}, {SEALED} FROM entry JOIN payload ON payload.id = entry.id WHERE entry.id = ?1"), [id], |row| {
            rows::entry_row(&self.seal, row, true)
        })
    }

    fn entries(&self, ids: &[i64]) -> Kept<Vec<Entry>> {
        Ok(ids.iter().map(|id| self.entry(*id)).collect::<Kept<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn entries_of(&self, flow: &str, lane: &str) -> Kept<Vec<Entry>> {
        let sql =
            format!("SELECT {ENTRY}, {SEALED} FROM entry JOIN payload ON payload.id = entry.id WHERE flow = ?1 AND lane = ?2 ORDER BY entry.id");
        self.all(&sql, params![flow, lane], |row| rows::entry_row(&self.seal, row, true))
    }

    fn open_entries(&self) -> Kept<Vec<Entry>> {
        let sql = format!("SELECT {ENTRY} FROM entry ORDER BY id");
        self.all(&sql, [], |row| rows::entry_row(&self.seal, row, false))
    }

    fn ledger(&self, connection: &str, object: &str, key: &str) -> Kept<Option<Ledger>> {
        let sql = "SELECT connection, object, key, id, fields, confirmed FROM ledger WHERE connection = ?1 AND object = ?2 AND key = ?3";
        self.one(sql, params![connection, object, key], |row| {
            let read = || -> rusqlite::Result<(Ledger, String)> {
                let ledger = Ledger {
                    connection: row.get(0)?,
                    object: row.get(1)?,
                    key: row.get(2)?,
                    id: row.get(3)?,
                    fields: std::collections::BTreeMap::new(),
                    confirmed: row.get(5)?,
                };
                Ok((ledger, row.get(4)?))
            };
            let (mut ledger, fields) = read().map_err(fault)?;
            ledger.fields = serde_json::from_str(&fields).map_err(|error| StoreFault::Damaged(error.to_string()))?;
            Ok(ledger)
        })
    }

    fn exceptions(&self, open: bool, limit: usize) -> Kept<Vec<Exception>> {
        let sql = if open {
            format!("SELECT {EXCEPTION} FROM exception WHERE closed IS NULL ORDER BY before IS NULL, before, opened, id LIMIT ?1")
        } else {
            format!("SELECT {EXCEPTION} FROM exception ORDER BY id DESC LIMIT ?1")
        };
        self.all(&sql, [count(limit)], |row| rows::exception(&self.seal, row))
    }

    fn exception(&self, id: i64) -> Kept<Option<Exception>> {
        self.one(&format!("SELECT {EXCEPTION} FROM exception WHERE id = ?1"), [id], |row| rows::exception(&self.seal, row))
    }

    fn exceptions_of(&self, flow: &str, lane: &str) -> Kept<Vec<Exception>> {
        let sql = format!("SELECT {EXCEPTION} FROM exception WHERE flow = ?1 AND lane = ?2 AND closed IS NULL ORDER BY id");
        self.all(&sql, params![flow, lane], |row| rows::exception(&self.seal, row))
    }

    fn open_exceptions(&self) -> Kept<u64> {
        Ok(self.number("SELECT count(*) FROM exception WHERE closed IS NULL", [])?.unwrap_or(0).unsigned_abs())
    }

    fn events(&self, flow: &str, lane: &str) -> Kept<Vec<Event>> {
        self.all("SELECT at, flow, lane, kind, text, exchange FROM event WHERE lane = ?2 AND flow = ?1 ORDER BY seq", params![flow, lane], |row| {
            let read = || -> rusqlite::Result<Event> {
                Ok(Event { at: row.get(0)?, flow: row.get(1)?, lane: row.get(2)?, kind: row.get(3)?, text: row.get(4)?, exchange: row.get(5)? })
            };
            read().map_err(fault)
        })
    }

    fn exchange(&self, id: i64) -> Kept<Option<Exchange>> {
        self.one(&format!("SELECT {EXCHANGE} FROM exchange WHERE id = ?1"), [id], rows::exchange)
    }

    fn exchanges(&self, limit: usize) -> Kept<Vec<Exchange>> {
        self.all(&format!("SELECT {EXCHANGE} FROM exchange ORDER BY id DESC LIMIT ?1"), [count(limit)], rows::exchange)
    }

    fn hints(&self, limit: usize) -> Kept<Vec<Hint>> {
        self.all("SELECT id, connection, event, body, at FROM hint ORDER BY id LIMIT ?1", [count(limit)], |row| {
            let read = || -> rusqlite::Result<(i64, String, String, String, Millis)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            };
            let (id, connection, event, body, at) = read().map_err(fault)?;
            let body: Json = serde_json::from_str(&body).map_err(|error| StoreFault::Damaged(error.to_string()))?;
            Ok(Hint { id, connection, event, body, at })
        })
    }

    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> Kept<()> {
        let known =
            self.number("SELECT id FROM hint WHERE connection = ?1 AND event = ?2 AND body = ?3", params![connection, event, body.to_string()])?;
        if known.is_some() {
            return Ok(());
        }
        let id = self.id();
        self.write(&[Change::Hint(Hint { id, connection: connection.to_owned(), event: event.to_owned(), body: body.clone(), at })])
    }

    fn watches(&self, due: Millis, limit: usize) -> Kept<Vec<Watch>> {
        self.all(
            "SELECT name, flow, lane, since, due FROM watch WHERE due <= ?1 ORDER BY due, name, lane LIMIT ?2",
            params![due, count(limit)],
            watch,
        )
    }

    fn next_watch(&self) -> Kept<Option<Millis>> {
        self.number("SELECT min(due) FROM watch", [])
    }

    fn watches_of(&self, flow: &str, lane: &str) -> Kept<Vec<Watch>> {
        self.all("SELECT name, flow, lane, since, due FROM watch WHERE flow = ?1 AND lane = ?2 ORDER BY due", params![flow, lane], watch)
    }

    fn links_of(&self, flow: &str, lane: &str) -> Kept<Vec<Link>> {
        self.all("SELECT flow, lane, object, id FROM link WHERE flow = ?1 AND lane = ?2 ORDER BY object, id", params![flow, lane], |row| {
            let read = || -> rusqlite::Result<Link> { Ok(Link { flow: row.get(0)?, lane: row.get(1)?, object: row.get(2)?, id: row.get(3)? }) };
            read().map_err(fault)
        })
    }

    fn linked(&self, flow: &str, lane: &str) -> Kept<Vec<(String, String)>> {
        self.all(
            "SELECT DISTINCT b.flow, b.lane FROM link a JOIN link b ON a.object = b.object AND a.id = b.id
             WHERE a.flow = ?1 AND a.lane = ?2 AND (b.flow <> ?1 OR b.lane <> ?2) ORDER BY b.flow, b.lane",
            params![flow, lane],
            |row| {
                let read = || -> rusqlite::Result<(String, String)> { Ok((row.get(0)?, row.get(1)?)) };
                read().map_err(fault)
            },
        )
    }

    fn controls(&self) -> Kept<Vec<Control>> {
        self.all("SELECT id, sealed_body, at FROM control WHERE sealed_answer IS NULL ORDER BY id", [], |row| {
            let read = || -> rusqlite::Result<(i64, Vec<u8>, Millis)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
            let (id, body, at) = read().map_err(fault)?;
            Ok(Control { id, body: rows::json(&self.seal, &body)?, at, answer: None })
        })
    }

    fn meta(&self, name: &str) -> Kept<Option<String>> {
        self.db
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")
            .and_then(|mut query| query.query_row([name], |row| row.get(0)).optional())
            .map_err(fault)
    }

    fn fingerprint(&self, text: &[u8]) -> String {
        self.seal.fingerprint(text)
    }

    fn forget(&mut self, before: Millis) -> Kept<u64> {
        let dropped = |sql: &str| self.db.execute(sql, [before]).map_err(fault);
        let events = dropped("DELETE FROM event WHERE at < ?1")?;
        let exchanges = dropped("DELETE FROM exchange WHERE at < ?1")?;
        let controls = dropped("DELETE FROM control WHERE at < ?1 AND sealed_answer IS NOT NULL")?;
        let exceptions = dropped("DELETE FROM exception WHERE closed IS NOT NULL AND closed < ?1")?;
        Ok((events + exchanges + controls + exceptions) as u64)
    }
}
