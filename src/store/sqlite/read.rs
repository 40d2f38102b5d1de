//! The store's reads.

use std::collections::HashMap;

use rusqlite::{Params, Row, params};

use super::cells::{self, Found};
use super::rows::{self, CHECKPOINT, ENTRY, ERASURE, EVENT, EXCEPTION, EXCHANGE, HINT, LANE, LEDGER, MOVED, SEALED, WATCH};
use super::{Sqlite, fault, form};
use crate::store::seal::Place;
use crate::store::{
    Alert, Cause, Change, Checkpoint, Control, Counts, Damage, Entry, Erasure, Event, Exception, Exchange, Forgotten, Known, Link, Millis, Old, Part,
    RecordStage, RecordState, Store, StoreFault, StoreResult, TargetState, Wanted, Watch, Watched, WebhookEvent,
};
use crate::value::Json;

/// Columns with the name of their table.
pub(super) fn columns(table: &str, columns: &str) -> String {
    columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
}

/// A lane with its checksum and its body.
fn lane_columns() -> String {
    format!("{}, lane.sum, seen, seen_sum, (SELECT sealed FROM body WHERE body.flow = lane.flow AND body.key = lane.key)", columns("lane", LANE))
}

/// An entry with its checksums; `whole`: with its payload.
fn entry_columns(whole: bool) -> String {
    let sealed = if whole { format!(", {SEALED}") } else { String::new() };
    format!("{}, sum, {}, moved_sum{sealed}", columns("entry", ENTRY), columns("entry", MOVED))
}

impl Sqlite {
    fn all<T>(&self, sql: &str, values: impl Params, read: impl Fn(&Row<'_>) -> StoreResult<T>) -> StoreResult<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql).map_err(fault)?;
        #[cfg(test)]
        let before = statement.get_status(rusqlite::StatementStatus::VmStep);
        let mut found = statement.query(values).map_err(fault)?;
        let mut out = Vec::new();
        while let Some(row) = found.next().map_err(fault)? {
            out.push(read(row)?);
        }
        drop(found);
        #[cfg(test)]
        self.steps.set(self.steps.get() + i64::from(statement.get_status(rusqlite::StatementStatus::VmStep) - before));
        Ok(out)
    }

    fn one<T>(&self, sql: &str, values: impl Params, read: impl Fn(&Row<'_>) -> StoreResult<T>) -> StoreResult<Option<T>> {
        Ok(self.all(sql, values, read)?.into_iter().next())
    }

    /// Exceptions of a store that an older version wrote get the cause that they have.
    pub(super) fn know_causes(&self) -> StoreResult<()> {
        let sql = format!("SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE closed IS NULL AND cause IS NULL");
        let without = self.all(&sql, [], |row| Ok(cells::exception(&self.seal, row).value))?;
        if without.is_empty() {
            return Ok(());
        }
        // One that is interrupted is done again at the next start.
        let put = |one: &Exception| self.db.execute("UPDATE exception SET cause = ?2 WHERE id = ?1", params![one.id, one.cause()]);
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
        let done = without.iter().try_for_each(|one| put(one).map(|_| ()));
        self.db.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(fault)?;
        done.map_err(fault)
    }

    fn number(&self, sql: &str, values: impl Params) -> StoreResult<Option<i64>> {
        Ok(self.one(sql, values, |row| row.get::<_, Option<i64>>(0).map_err(fault))?.flatten())
    }

    pub(super) fn found_lane(&self, flow: &str, key: &str) -> StoreResult<Option<Found<RecordState>>> {
        let sql = format!("SELECT {} FROM lane WHERE flow = ?1 AND key = ?2", lane_columns());
        self.one(&sql, params![flow, key], |row| Ok(cells::lane(&self.seal, row)))
    }

    fn some_lanes(&self, sql: &str, values: impl Params) -> StoreResult<Vec<RecordState>> {
        let found = self.all(sql, values, |row| Ok(cells::lane(&self.seal, row)))?;
        self.sound(found, Self::mend_lane)
    }

    fn some_entries(&self, sql: &str, values: impl Params, whole: bool) -> StoreResult<Vec<Entry>> {
        let found = self.all(sql, values, |row| Ok(cells::entry(&self.seal, row, whole)))?;
        let mut entries = Vec::with_capacity(found.len());
        // One that is damaged is told as refused, however often it is met.
        for one in found {
            entries.push(self.sound_one(one, Self::mend_entry)?);
        }
        Ok(entries)
    }

    fn some_exceptions(&self, sql: &str, values: impl Params) -> StoreResult<Vec<Exception>> {
        let found = self.all(sql, values, |row| Ok(cells::exception(&self.seal, row)))?;
        let mut exceptions = Vec::with_capacity(found.len());
        for one in found {
            exceptions.push(self.sound_one(one, |_, exception, damage| Ok(Self::mend_exception(exception, damage)))?);
        }
        Ok(exceptions)
    }

    fn some_watches(&self, sql: &str, values: impl Params) -> StoreResult<Vec<Watch>> {
        let found = self.all(sql, values, |row| Ok(cells::watch(&self.seal, row)))?;
        self.sound(found, Self::mend_watch)
    }

    /// A checkpoint from whichever of its copies is as it was written.
    fn copied(&self, found: Found<Checkpoint>) -> StoreResult<Checkpoint> {
        if found.damage.is_none() {
            return Ok(found.value);
        }
        let Checkpoint { flow, stream, .. } = &found.value;
        self.spare_checkpoint(flow, stream)?
            .ok_or_else(|| StoreFault::Damaged(format!("both copies of the checkpoint `{stream}` of `{flow}` were changed")))
    }

    fn spare_checkpoint(&self, flow: &str, stream: &str) -> StoreResult<Option<Checkpoint>> {
        let sql = "SELECT kind, name, value, sum FROM spare WHERE kind = 'checkpoint' AND name = ?1";
        let found = self.one(sql, [rows::spare_name(flow, stream)], |row| Ok(cells::spare(&self.seal, row)))?;
        let copy = found.filter(|found| found.damage.is_none());
        Ok(copy.and_then(|copy| serde_json::from_str(&copy.value.2).ok()))
    }

    /// A lane that has to do with a record of a system.
    pub(super) fn lane_linked(&self, object: &str, id: &str) -> StoreResult<Option<(String, String)>> {
        let Some(object) = self.words.number(&self.db, object)? else { return Ok(None) };
        let sql = "SELECT record.flow, record.key FROM link JOIN record ON record.id = link.record WHERE link.id = ?1 AND link.object = ?2 LIMIT 1";
        self.one(sql, params![rows::linked(&self.seal, id), object], |row| self.named(row))
    }

    /// A flow by its number, and a key.
    fn named(&self, row: &Row<'_>) -> StoreResult<(String, String)> {
        Ok((self.words.text(&self.db, row.get(0).map_err(fault)?)?, form::lossy(row, 1).map_err(fault)?))
    }

    fn exchange_row(&self, row: &Row<'_>) -> StoreResult<Exchange> {
        let read = || -> rusqlite::Result<(i64, i64, i64, i64, Option<u16>, i64, i64)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?, row.get(6)?, row.get(10)?))
        };
        let (id, at, connection, method, status, took, plan) = read().map_err(fault)?;
        let name = id.to_string();
        let sealed = |at: usize, column: &str| -> StoreResult<Option<String>> {
            let sealed: Option<Vec<u8>> = row.get(at).map_err(fault)?;
            Ok(cells::unpacked(&self.seal, Place { table: "exchange", column, row: &[&name] }, sealed))
        };
        let broken: Option<Vec<u8>> = row.get_ref(9).map_err(fault)?.as_bytes_or_null().ok().flatten().map(<[u8]>::to_vec);
        Ok(Exchange {
            id,
            at,
            connection: self.words.text(&self.db, connection)?,
            method: self.words.text(&self.db, method)?,
            path: form::lossy(row, 4).map_err(fault)?,
            status,
            took,
            request: sealed(7, "request")?,
            response: sealed(8, "response")?,
            broken: broken.map(|broken| String::from_utf8_lossy(&broken).into_owned()),
            plan: self.words.text(&self.db, plan)?,
            parts: self.parts(row.get(11).map_err(fault)?, &name),
        })
    }

    /// What an exchange says of its records; what does not open says so, of no record.
    fn parts(&self, sealed: Option<Vec<u8>>, exchange: &str) -> Vec<Part> {
        let Some(sealed) = sealed else { return Vec::new() };
        let opened = self.seal.open(Place { table: "exchange", column: "parts", row: &[exchange] }, &sealed);
        let read = opened.and_then(|text| serde_json::from_slice(&text).map_err(|error| StoreFault::Damaged(error.to_string())));
        read.unwrap_or_else(|fault| vec![Part { flow: String::new(), lane: String::new(), request: None, response: Some(fault.to_string()) }])
    }

    /// The line of a history, and what keeps a text of its own.
    fn event_row(&self, row: &Row<'_>, record: i64, flow: &str, lane: &str) -> StoreResult<Event> {
        let read = || -> rusqlite::Result<(i64, i64, Option<i64>, Option<Vec<u8>>, Option<i64>)> {
            Ok((row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        };
        let (at, kind, word, own, exchange) = read().map_err(fault)?;
        let text = match (word, own) {
            (Some(word), _) => self.words.text(&self.db, word)?,
            (None, Some(sealed)) => {
                cells::unpacked(&self.seal, rows::event_place(&[&record.to_string(), &at.to_string()]), Some(sealed)).unwrap_or_default()
            }
            (None, None) => String::new(),
        };
        Ok(Event { at, flow: flow.to_owned(), lane: lane.to_owned(), kind: self.words.text(&self.db, kind)?, text, exchange })
    }
}

/// Which rows of `exception` are meant; its six values are those of [`Wanted`], in their order.
const WANTED: &str = "(?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR code = ?2) AND (?3 IS NULL OR flow = ?3) AND (?4 IS NULL OR cause = ?4) \
     AND (?5 IS NULL OR opened <= ?5) AND (?6 IS NULL OR before <= ?6)";

pub(super) fn due_sql(state: RecordStage) -> String {
    let (columns, open) = (lane_columns(), open_state(state));
    format!("SELECT {columns} FROM lane INDEXED BY lane_open WHERE flow = ?1 AND {open} AND first = ?3 AND due <= ?2 ORDER BY arrived")
}

pub(super) fn next_due_sql(state: RecordStage) -> String {
    format!("SELECT min(due) FROM lane INDEXED BY lane_open WHERE flow = ?1 AND {} AND due > ?2", open_state(state))
}

/// By the index of each flow: there is none over all of them.
pub(super) const OLDEST_IN: &str = "SELECT min(oldest) FROM (SELECT (SELECT min(updated) FROM lane INDEXED BY lane_in_state \
     WHERE lane.flow = tally.flow AND lane.state = tally.state) AS oldest FROM tally WHERE state = ?1 AND count > 0)";

/// A state of lanes that something is still to be done with, as the partial index over them is found by: its own condition has to
/// stand in the text beside it.
fn open_state(state: RecordStage) -> String {
    format!("state = '{}' AND state IN ('fetch', 'waiting')", state.word())
}

/// Lanes that have to do with one record, of which no more are looked through: an account may have any number of orders.
const SHARED: i64 = 2_000;

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for Sqlite {
    fn epoch(&self) -> u64 {
        self.ours()
    }

    fn is_in_place(&self) -> StoreResult<()> {
        self.file.as_ref().map_or(Ok(()), super::files::Opened::is_in_place)
    }

    fn commit(&mut self, changes: &[Change]) -> StoreResult<()> {
        self.write(changes)
    }

    fn next_id(&mut self) -> StoreResult<i64> {
        Ok(self.id())
    }

    fn next_arrival(&mut self) -> StoreResult<i64> {
        Ok(self.arrival())
    }

    fn checkpoint(&self, flow: &str, stream: &str) -> StoreResult<Option<Checkpoint>> {
        let sql = format!("SELECT {CHECKPOINT}, sum FROM checkpoint WHERE flow = ?1 AND stream = ?2");
        match self.one(&sql, params![flow, stream], |row| Ok(cells::checkpoint(&self.seal, row)))? {
            Some(found) => self.copied(found).map(Some),
            // It may be there under a name that was changed.
            None => self.spare_checkpoint(flow, stream),
        }
    }

    fn checkpoints(&self) -> StoreResult<Vec<Checkpoint>> {
        let sql = format!("SELECT {CHECKPOINT}, sum FROM checkpoint ORDER BY flow, stream");
        let found = self.all(&sql, [], |row| Ok(cells::checkpoint(&self.seal, row)))?;
        found.into_iter().map(|found| self.copied(found)).collect()
    }

    fn record(&self, flow: &str, key: &str) -> StoreResult<Option<RecordState>> {
        self.found_lane(flow, key)?.map(|found| self.sound_one(found, Self::mend_lane)).transpose()
    }

    fn known(&self, flow: &str, keys: &[&str]) -> StoreResult<HashMap<String, Known>> {
        let sql =
            "SELECT key, state, version <> '', stamp, flow, seen, seen_sum FROM lane WHERE flow = ?1 AND key IN (SELECT value FROM json_each(?2))";
        let asked = serde_json::to_string(keys).map_err(|error| StoreFault::Io(error.to_string()))?;
        let found = self.all(sql, params![flow, asked], |row| {
            let cell = |at| row.get_ref(at).map_err(fault);
            let seen = cells::seen(&self.seal, [cell(4)?, cell(0)?, cell(5)?, cell(6)?]).unwrap_or_default();
            let text = |at| form::lossy(row, at).map_err(fault);
            let stamp = Some(text(3)?).filter(|_| cell(3) != Ok(rusqlite::types::ValueRef::Null));
            // One whose state is damaged is as good as none: it is read.
            let known = cells::lane_state(&text(1)?).ok().map(|state| Known { state, read: row.get(2).unwrap_or(false), stamp, seen });
            known.map(|known| Ok((text(0)?, known))).transpose()
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn due_but(
        &self,
        flow: &str,
        state: RecordStage,
        (now, limit): (Millis, usize),
        first: bool,
        leave: &dyn Fn(&str) -> bool,
    ) -> StoreResult<Vec<RecordState>> {
        let mut found = Vec::new();
        // Each by the order of the index, so that nothing is sorted.
        for first in [true, false].into_iter().filter(|of| *of || !first) {
            let mut statement = self.db.prepare_cached(&due_sql(state)).map_err(fault)?;
            let mut rows = statement.query(params![flow, now, first]).map_err(fault)?;
            while found.len() < limit
                && let Some(row) = rows.next().map_err(fault)?
            {
                // The key is a lane's second column.
                if !leave(&form::lossy(row, 1).map_err(fault)?) {
                    found.push(cells::lane(&self.seal, row));
                }
            }
        }
        let mut lanes = self.sound(found, Self::mend_lane)?;
        // One that was damaged may be in another state now.
        lanes.retain(|lane| lane.state == state);
        Ok(lanes)
    }

    fn next_due(&self, flow: &str, state: RecordStage, now: Millis) -> StoreResult<Option<Millis>> {
        self.number(&next_due_sql(state), params![flow, now])
    }

    fn search(&self, text: &str, limit: usize) -> StoreResult<Vec<RecordState>> {
        let sql = format!("SELECT {} FROM lane WHERE label = ?1 ORDER BY arrived LIMIT ?2", lane_columns());
        let mut found = self.some_lanes(&sql, params![text, count(limit)])?;
        let sql = format!("SELECT {} FROM lane WHERE key = ?1 ORDER BY arrived LIMIT ?2", lane_columns());
        found.extend(self.some_lanes(&sql, params![text, count(limit)])?);
        let sql = "SELECT DISTINCT record.flow, record.key FROM link JOIN record ON record.id = link.record WHERE link.id = ?1 LIMIT ?2";
        let mut ids = vec![rows::linked(&self.seal, text)];
        // A telephone number is found in any spelling.
        ids.extend(crate::builtin::phone_spellings(text).iter().map(|spelling| rows::linked(&self.seal, spelling)));
        ids.extend(crate::builtin::phone_home(text).map(|home| rows::telephone(&self.seal, &home)));
        for id in ids {
            for (flow, key) in self.all(sql, params![id, count(limit)], |row| self.named(row))? {
                found.extend(self.record(&flow, &key)?);
            }
        }
        found.sort_by(|a, b| (a.arrived, &a.flow, &a.key).cmp(&(b.arrived, &b.flow, &b.key)));
        found.dedup_by(|a, b| a.flow == b.flow && a.key == b.key);
        found.truncate(limit);
        Ok(found)
    }

    fn in_state(&self, flow: Option<&str>, state: RecordStage, limit: usize) -> StoreResult<Vec<RecordState>> {
        let flows: Vec<String> = match flow {
            Some(flow) => vec![flow.to_owned()],
            None => self.all("SELECT flow FROM tally WHERE state = ?1 AND count > 0", [state.word()], |row| form::lossy(row, 0).map_err(fault))?,
        };
        let sql = format!("SELECT {} FROM lane WHERE flow = ?1 AND state = ?2 ORDER BY updated DESC LIMIT ?3", lane_columns());
        let mut lanes = Vec::new();
        for flow in &flows {
            lanes.extend(self.some_lanes(&sql, params![flow, state.word(), count(limit)])?);
        }
        if flows.len() > 1 {
            lanes.sort_by_key(|lane| std::cmp::Reverse(lane.updated));
            lanes.truncate(limit);
        }
        lanes.retain(|lane| lane.state == state);
        Ok(lanes)
    }

    fn members(&self, flow: &str, group: &str) -> StoreResult<Vec<Json>> {
        // By its index: SQLite would take the primary key, and go through the whole flow for each group.
        let sql = format!("SELECT {} FROM lane INDEXED BY lane_group WHERE flow = ?1 AND grouped = ?2 ORDER BY key", lane_columns());
        let lanes = self.some_lanes(&sql, params![flow, group])?;
        Ok(lanes.iter().filter_map(|lane| lane.body.as_ref()).map(crate::value::RawRecord::read).collect())
    }

    fn beginning(&self, flow: &str, key: &str) -> StoreResult<Vec<RecordState>> {
        // The byte after all that begins so, as the primary key is ordered.
        let sql = format!("SELECT {} FROM lane WHERE flow = ?1 AND key >= ?2 AND key < ?3 ORDER BY key", lane_columns());
        self.some_lanes(&sql, params![flow, key, format!("{key}{}", char::MAX)])
    }

    fn counts(&self) -> StoreResult<Counts> {
        let found = self.all("SELECT flow, state, count FROM tally WHERE count > 0", [], |row| {
            let read = || -> rusqlite::Result<(String, String, i64)> { Ok((form::lossy(row, 0)?, form::lossy(row, 1)?, row.get(2)?)) };
            read().map_err(fault)
        })?;
        // A count of what is no state is damaged; `verify` tells it.
        let of = |(flow, state, count): (String, String, i64)| Some(((flow, cells::lane_state(&state).ok()?), count.unsigned_abs()));
        Ok(found.into_iter().filter_map(of).collect())
    }

    fn entry(&self, id: i64) -> StoreResult<Option<Entry>> {
        let sql = format!(
            "SELECT {} FROM entry LEFT JOIN payload ON payload.id = entry.id WHERE entry.id = ?1 AND state <> 'damaged'",
            entry_columns(true)
        );
        // One that is found damaged now is not there any more: it is never sent.
        let found = self.one(&sql, [id], |row| Ok(cells::entry(&self.seal, row, true)))?;
        let damaged = found.as_ref().is_some_and(|found| found.damage.is_some());
        let entry = found.map(|found| self.sound_one(found, Self::mend_entry)).transpose()?;
        Ok(entry.filter(|_| !damaged))
    }

    fn entries(&self, ids: &[i64]) -> StoreResult<Vec<Entry>> {
        Ok(ids.iter().map(|id| self.entry(*id)).collect::<StoreResult<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn entries_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Entry>> {
        let sql = format!(
            "SELECT {} FROM entry LEFT JOIN payload ON payload.id = entry.id WHERE flow = ?1 AND lane = ?2 ORDER BY entry.id",
            entry_columns(true)
        );
        self.some_entries(&sql, params![flow, lane], true)
    }

    fn open_entries(&self) -> StoreResult<Vec<Entry>> {
        let sql = format!("SELECT {} FROM entry ORDER BY id", entry_columns(false));
        self.some_entries(&sql, [], false)
    }

    fn target_state(&self, connection: &str, object: &str, key: &str) -> StoreResult<Option<TargetState>> {
        let sql = format!("SELECT {LEDGER}, sum FROM ledger WHERE connection = ?1 AND object = ?2 AND key = ?3");
        let found = self.one(&sql, params![connection, object, &self.seal.hidden(key)[..]], |row| Ok(cells::ledger(&self.seal, row, Some(key))))?;
        found.map(|found| self.sound_one(found, Self::mend_ledger)).transpose()
    }

    fn exceptions(&self, open: bool, limit: usize) -> StoreResult<Vec<Exception>> {
        let sql = if open {
            format!(
                "SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE closed IS NULL ORDER BY before IS NULL, before, opened, id LIMIT ?1"
            )
        } else {
            format!("SELECT {EXCEPTION}, sum, sealed_decided FROM exception ORDER BY id DESC LIMIT ?1")
        };
        self.some_exceptions(&sql, [count(limit)])
    }

    fn exception(&self, id: i64) -> StoreResult<Option<Exception>> {
        Ok(self.some_exceptions(&format!("SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE id = ?1"), [id])?.into_iter().next())
    }

    fn exceptions_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Exception>> {
        let sql = format!("SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE flow = ?1 AND lane = ?2 AND closed IS NULL ORDER BY id");
        self.some_exceptions(&sql, params![flow, lane])
    }

    fn open_exceptions(&self) -> StoreResult<u64> {
        Ok(self.number("SELECT count(*) FROM exception WHERE closed IS NULL", [])?.unwrap_or(0).unsigned_abs())
    }

    fn causes(&self, wanted: &Wanted) -> StoreResult<Vec<Cause>> {
        let Wanted { owner, code, flow, cause, opened_by, due_by } = wanted;
        let sql = format!(
            "SELECT flow, code, cause, owner, count(*), min(opened), min(before), min(id) FROM exception WHERE closed IS NULL AND {WANTED}
             GROUP BY flow, code, cause, owner ORDER BY min(before) IS NULL, min(before), min(opened), min(id)"
        );
        self.all(&sql, params![owner, code, flow, cause, opened_by, due_by], |row| {
            let read = || -> rusqlite::Result<(Cause, i64)> {
                let cause = Cause {
                    flow: row.get(0)?,
                    code: row.get(1)?,
                    id: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                    owner: row.get(3)?,
                    count: 0,
                    oldest: row.get(5)?,
                    before: row.get(6)?,
                    example: row.get(7)?,
                };
                Ok((cause, row.get(4)?))
            };
            let (cause, count) = read().map_err(fault)?;
            Ok(Cause { count: count.unsigned_abs(), ..cause })
        })
    }

    fn wanted(&self, wanted: &Wanted, closed: bool, limit: usize) -> StoreResult<Vec<Exception>> {
        let Wanted { owner, code, flow, cause, opened_by, due_by } = wanted;
        let open = if closed { "" } else { "closed IS NULL AND " };
        let sql = format!(
            "SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE {open}{WANTED} ORDER BY before IS NULL, before, opened, id LIMIT ?7"
        );
        self.some_exceptions(&sql, params![owner, code, flow, cause, opened_by, due_by, count(limit)])
    }

    fn decisions_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Exception>> {
        let sql = format!(
            "SELECT {EXCEPTION}, sum, sealed_decided FROM exception WHERE flow = ?1 AND lane = ?2 AND sealed_decided IS NOT NULL ORDER BY closed, id"
        );
        self.some_exceptions(&sql, params![flow, lane])
    }

    fn open_of_cause(&self, flow: &str, code: &str, cause: &str) -> StoreResult<u64> {
        let sql = "SELECT count(*) FROM exception WHERE flow = ?1 AND code = ?2 AND cause = ?3 AND closed IS NULL";
        Ok(self.number(sql, params![flow, code, cause])?.unwrap_or(0).unsigned_abs())
    }

    fn open_by_owner(&self) -> StoreResult<Vec<(Option<String>, String, u64)>> {
        self.all("SELECT owner, code, count(*) FROM exception WHERE closed IS NULL GROUP BY owner, code ORDER BY owner, code", [], |row| {
            let read = || -> rusqlite::Result<(Option<String>, String, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
            read().map(|(owner, code, count)| (owner, code, count.unsigned_abs())).map_err(fault)
        })
    }

    fn alerts(&self) -> StoreResult<Vec<Alert>> {
        let rows: Vec<(String, Vec<u8>)> = self.all("SELECT cause, sealed_alert FROM alert ORDER BY cause", [], |row| {
            let read = || -> rusqlite::Result<(String, Vec<u8>)> { Ok((form::lossy(row, 0)?, row.get(1)?)) };
            read().map_err(fault)
        })?;
        // One that was damaged is told anew when it happens again; the others go on.
        let opened = |(cause, sealed): (String, Vec<u8>)| serde_json::from_slice(&self.seal.open(rows::alert_place(&[&cause]), &sealed).ok()?).ok();
        Ok(rows.into_iter().filter_map(opened).collect())
    }

    fn oldest_doubt(&self) -> StoreResult<Option<Millis>> {
        // What is done has no entry: there are as many as there is work.
        self.number("SELECT min(sent) FROM entry WHERE state IN ('sending', 'ambiguous') OR (state = 'planned' AND doubted IS NOT NULL)", [])
    }

    fn oldest_in(&self, state: RecordStage) -> StoreResult<Option<Millis>> {
        self.number(OLDEST_IN, [state.word()])
    }

    fn watching(&self, what: &Watched) -> StoreResult<u64> {
        Ok(self.number("SELECT count(*) FROM watch WHERE name = ?1", [what.text()])?.unwrap_or(0).unsigned_abs())
    }

    fn events(&self, flow: &str, lane: &str) -> StoreResult<Vec<Event>> {
        let Some(record) = self.words.record(&self.db, flow, lane)? else { return Ok(Vec::new()) };
        let sql = format!("SELECT {EVENT} FROM event WHERE record = ?1 ORDER BY seq");
        self.all(&sql, [record], |row| self.event_row(row, record, flow, lane))
    }

    fn exchange(&self, id: i64) -> StoreResult<Option<Exchange>> {
        self.one(&format!("SELECT {EXCHANGE} FROM exchange WHERE id = ?1"), [id], |row| self.exchange_row(row))
    }

    fn exchanges(&self, limit: usize) -> StoreResult<Vec<Exchange>> {
        self.all(&format!("SELECT {EXCHANGE} FROM exchange ORDER BY id DESC LIMIT ?1"), [count(limit)], |row| self.exchange_row(row))
    }

    fn hints(&self, limit: usize) -> StoreResult<Vec<WebhookEvent>> {
        let found =
            self.all(&format!("SELECT {HINT}, sum FROM hint ORDER BY id LIMIT ?1"), [count(limit)], |row| Ok(cells::hint(&self.seal, row)))?;
        let damaged: Vec<i64> = found.iter().filter(|found| found.damage.is_some()).map(|found| found.value.id).collect();
        let mut hints = self.sound(found, Self::mend_hint)?;
        hints.retain(|hint| !damaged.contains(&hint.id));
        Ok(hints)
    }

    fn hint(&mut self, connection: &str, event: &str, body: &Json, at: Millis) -> StoreResult<()> {
        let known =
            self.number("SELECT id FROM hint WHERE connection = ?1 AND event = ?2 AND body = ?3", params![connection, event, body.to_string()])?;
        if known.is_some() {
            return Ok(());
        }
        let id = self.id();
        self.write(&[Change::Hint(WebhookEvent { id, connection: connection.to_owned(), event: event.to_owned(), body: body.clone(), at })])
    }

    fn watches(&self, due: Millis, limit: usize) -> StoreResult<Vec<Watch>> {
        self.some_watches(&format!("SELECT {WATCH}, sum FROM watch WHERE due <= ?1 ORDER BY due, name, lane LIMIT ?2"), params![due, count(limit)])
    }

    fn next_watch(&self) -> StoreResult<Option<Millis>> {
        self.number("SELECT min(due) FROM watch", [])
    }

    fn watches_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Watch>> {
        self.some_watches(&format!("SELECT {WATCH}, sum FROM watch WHERE flow = ?1 AND lane = ?2 ORDER BY due"), params![flow, lane])
    }

    fn links_of(&self, flow: &str, lane: &str) -> StoreResult<Vec<Link>> {
        let Some(record) = self.words.record(&self.db, flow, lane)? else { return Ok(Vec::new()) };
        let links = "SELECT object, id FROM link WHERE record = ?1 AND object NOT IN (SELECT id FROM word WHERE text = ?2)";
        let mut links = self.all(links, params![record, rows::TELEPHONE], |row| {
            let read = || -> rusqlite::Result<(i64, Vec<u8>)> { Ok((row.get(0)?, row.get(1)?)) };
            let (object, id) = read().map_err(fault)?;
            let (object, id) = (self.words.text(&self.db, object)?, rows::hex(&id));
            Ok(Link { flow: flow.to_owned(), lane: lane.to_owned(), object, id })
        })?;
        links.sort();
        Ok(links)
    }

    fn linked(&self, flow: &str, lane: &str, of: Option<&str>, most: usize) -> StoreResult<Vec<(String, String)>> {
        let Some(record) = self.words.record(&self.db, flow, lane)? else { return Ok(Vec::new()) };
        let of = match of.map(|flow| self.words.number(&self.db, flow)).transpose()? {
            // No record of the flow was ever met.
            Some(None) => return Ok(Vec::new()),
            Some(number) => number,
            None => None,
        };
        let nodes = "SELECT id, object FROM link WHERE record = ?1 AND object NOT IN (SELECT id FROM word WHERE text = ?2)";
        let nodes = self.all(nodes, params![record, rows::TELEPHONE], |row| {
            let read = || -> rusqlite::Result<(Vec<u8>, i64)> { Ok((row.get(0)?, row.get(1)?)) };
            read().map_err(fault)
        })?;
        let sql = "SELECT record.flow, record.key FROM \
             (SELECT record AS other FROM link WHERE id = ?1 AND object = ?2 AND record <> ?3 ORDER BY record DESC LIMIT ?4) \
             JOIN record ON record.id = other WHERE ?5 IS NULL OR record.flow = ?5 LIMIT ?6";
        let mut shared = Vec::new();
        for (id, object) in nodes {
            shared.push(self.all(sql, params![id, object, record, SHARED, of, count(most)], |row| self.named(row))?);
        }
        shared.sort_by_key(Vec::len);
        let mut linked = std::collections::BTreeSet::new();
        for one in shared.into_iter().flatten() {
            if linked.len() >= most {
                break;
            }
            linked.insert(one);
        }
        Ok(linked.into_iter().collect())
    }

    fn controls(&self) -> StoreResult<Vec<Control>> {
        let sql = "SELECT id, sealed_body, at FROM control WHERE sealed_answer IS NULL ORDER BY id";
        let found = self.all(sql, [], |row| Ok(cells::control(&self.seal, row)))?;
        let mut controls = self.sound(found, Self::mend_control)?;
        // What cannot be read is answered already.
        controls.retain(|control| control.answer.is_none());
        Ok(controls)
    }

    fn meta(&self, name: &str) -> StoreResult<Option<String>> {
        form::setting(&self.db, &self.seal, name)
    }

    fn damages(&mut self) -> Vec<Damage> {
        self.damages.take()
    }

    fn fingerprint(&self, text: &[u8]) -> String {
        self.seal.fingerprint(text)
    }

    fn forget(&mut self, old: &Old, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        self.forgotten(old, after, rows)
    }

    fn mentioning(&self, fits: &dyn Fn(&str) -> bool) -> StoreResult<Vec<(String, String)>> {
        self.mentions(fits)
    }

    fn erase(&mut self, records: &[(String, String)], then: &[Change]) -> StoreResult<u64> {
        self.erased(records, then)
    }

    fn erasures(&self, who: Option<&str>) -> StoreResult<Vec<Erasure>> {
        let sql = format!("SELECT {ERASURE}, sum FROM erasure WHERE ?1 IS NULL OR who = ?1 ORDER BY id");
        self.all(&sql, [who], |row| Ok(cells::erasure(&self.seal, row).value))
    }
}
