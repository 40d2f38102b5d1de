//! Deleting old data, and the data of one person.
//!
//! `secure_delete` is on: deleted bytes are overwritten in their page. Bytes in the write-ahead log are removed by the checkpoint at the
//! end of an erasure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use rusqlite::types::Value;
use rusqlite::{Connection, Params, params};

use super::{Sqlite, cells, fault, form, hidden};
use crate::store::seal::Place;
use crate::store::{Before, Change, Forgotten, Millis, Old, RecordStage, RecordState, StoreResult};

/// The kind of the line that proves an erasure: it is not dropped.
const PROOF: &str = "erased";

/// Nothing of it is needed any more to bring it where it belongs. A rejection waits for a person.
fn has_ended(state: RecordStage) -> bool {
    matches!(state, RecordStage::Delivered | RecordStage::Unchanged | RecordStage::NotEligible | RecordStage::Gone | RecordStage::Discarded)
}

/// Before when what is of a flow or a connection is dropped.
fn before(of: &Before, name: &str) -> Option<Millis> {
    of.get(name).or_else(|| of.get("")).copied().flatten()
}

impl Sqlite {
    pub(super) fn forgotten(&mut self, old: &Old, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        match old {
            Old::Exchanges(of) => self.old_exchanges(of, after, rows),
            Old::Events(of) => self.old_events(of, after, rows),
            Old::Exceptions(of) => self.old_exceptions(of, after, rows),
            Old::Lanes { bodies, links, labels } => self.old_lanes(&LaneClasses { bodies, links, labels }, after, rows),
            Old::Controls(before) => {
                let ids = self.read(
                    "SELECT id FROM control WHERE sealed_answer IS NOT NULL AND at < ?1 ORDER BY id LIMIT ?2",
                    params![before, rows],
                    |row| row.get::<_, i64>(0),
                )?;
                let more = ids.len() == rows as usize;
                let dropped = self.drop_ids("control", &ids)?;
                Ok(Forgotten { dropped, next: more.then(String::new) })
            }
        }
    }

    fn old_exchanges(&mut self, of: &Before, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        let sql = "SELECT exchange.id, at, word.text FROM exchange LEFT JOIN word ON word.id = connection WHERE exchange.id > ?1 \
             ORDER BY exchange.id LIMIT ?2";
        let found = self.read(sql, params![number(after), rows], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, form::lossy(row, 2)?)))?;
        let mut open = Open::default();
        let mut drop = Vec::new();
        for (id, at, connection) in &found {
            if before(of, connection).is_some_and(|before| *at < before) && !self.is_of_open(*id, &mut open)? {
                drop.push(*id);
            }
        }
        let young = !found.iter().any(|(_, at, connection)| before(of, connection).is_some_and(|before| *at < before));
        let next = found.last().filter(|_| !young && found.len() == rows as usize).map(|(id, ..)| id.to_string());
        Ok(Forgotten { dropped: self.drop_ids("exchange", &drop)?, next })
    }

    /// Whether a record that a call was about is still on its way, or waits.
    fn is_of_open(&self, exchange: i64, open: &mut Open) -> StoreResult<bool> {
        for record in self.read("SELECT DISTINCT record FROM event WHERE exchange = ?1", [exchange], |row| row.get::<_, i64>(0))? {
            if self.is_open(record, open)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_open(&self, record: i64, open: &mut Open) -> StoreResult<bool> {
        if let Some(known) = open.0.get(&record) {
            return Ok(*known);
        }
        let sql = "SELECT word.text, key FROM record JOIN word ON word.id = record.flow WHERE record.id = ?1";
        let is = match self.read(sql, [record], |row| Ok((form::lossy(row, 0)?, form::lossy(row, 1)?)))?.first() {
            Some((flow, key)) => self.is_needed(flow, key)?,
            None => false,
        };
        open.0.insert(record, is);
        Ok(is)
    }

    /// Whether a record has not ended, or a write, an open exception or a watch is about it.
    fn is_needed(&self, flow: &str, key: &str) -> StoreResult<bool> {
        let state = self.read("SELECT state FROM lane WHERE flow = ?1 AND key = ?2", [flow, key], |row| form::lossy(row, 0))?;
        if state.first().is_some_and(|state| cells::lane_state(state).map_or(true, |state| !has_ended(state))) {
            return Ok(true);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE flow = ?1 AND lane = ?2)
             OR EXISTS (SELECT 1 FROM exception WHERE flow = ?1 AND lane = ?2 AND closed IS NULL)
             OR EXISTS (SELECT 1 FROM watch WHERE flow = ?1 AND lane = ?2)";
        Ok(self.read(sql, [flow, key], |row| row.get::<_, bool>(0))?.first().copied().unwrap_or(false))
    }

    fn old_events(&mut self, of: &Before, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        let sql = "SELECT seq, at, record, flow.text, kind.text, EXISTS (SELECT 1 FROM exchange WHERE exchange.id = event.exchange) FROM event \
             LEFT JOIN record ON record.id = event.record LEFT JOIN word AS flow ON flow.id = record.flow \
             LEFT JOIN word AS kind ON kind.id = event.kind WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let found = self.read(sql, params![number(after), rows], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
                form::lossy(row, 3)?,
                form::lossy(row, 4)?,
                row.get::<_, bool>(5)?,
            ))
        })?;
        let is_old = |at: i64, flow: &str| before(of, flow).is_some_and(|before| at < before);
        let mut open = Open::default();
        let mut drop = Vec::new();
        for (seq, at, record, flow, kind, called) in &found {
            // By its events a call is known to be of a record.
            if is_old(*at, flow) && kind != PROOF && !called && !self.is_open(*record, &mut open)? {
                drop.push(*seq);
            }
        }
        let young = !found.iter().any(|(_, at, _, flow, ..)| is_old(*at, flow));
        let next = found.last().filter(|_| !young && found.len() == rows as usize).map(|(seq, ..)| seq.to_string());
        Ok(Forgotten { dropped: self.drop_ids("event", &drop)?, next })
    }

    fn old_exceptions(&mut self, of: &Before, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        let sql = "SELECT id, closed, flow, lane FROM exception WHERE id > ?1 ORDER BY id LIMIT ?2";
        let found = self.read(sql, params![number(after), rows], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, form::lossy(row, 2)?, form::lossy(row, 3)?))
        })?;
        let mut drop = Vec::new();
        for (id, closed, flow, lane) in &found {
            let old = closed.is_some_and(|closed| before(of, flow).is_some_and(|before| closed < before));
            if old && !self.is_needed(flow, lane)? {
                drop.push(*id);
            }
        }
        let next = found.last().filter(|_| found.len() == rows as usize).map(|(id, ..)| id.to_string());
        Ok(Forgotten { dropped: self.drop_ids("exception", &drop)?, next })
    }

    fn old_lanes(&mut self, of: &LaneClasses<'_>, after: Option<&str>, rows: u32) -> StoreResult<Forgotten> {
        if after.is_none() && !self.has_old(of)? {
            return Ok(Forgotten::default());
        }
        let (flow, key) = after.and_then(|after| after.split_once('\n')).unwrap_or(("", ""));
        let sql = "SELECT flow, key, state, updated, bodied OR sealed_matched IS NOT NULL OR sealed_reasons IS NOT NULL, grouped IS NOT NULL, \
             label IS NOT NULL FROM lane WHERE (flow, key) > (?1, ?2) ORDER BY flow, key LIMIT ?3";
        let found = self.read(sql, params![flow, key, rows], |row| {
            Ok(Looked {
                flow: form::lossy(row, 0)?,
                key: form::lossy(row, 1)?,
                state: form::lossy(row, 2)?,
                updated: row.get(3)?,
                full: row.get(4)?,
                grouped: row.get(5)?,
                labelled: row.get(6)?,
            })
        })?;
        let next = found.last().filter(|_| found.len() == rows as usize).map(|last| format!("{}\n{}", last.flow, last.key));
        let (mut lanes, mut unlinked): (Vec<RecordState>, Vec<i64>) = (Vec::new(), Vec::new());
        for one in &found {
            let old = |of: &Before| before(of, &one.flow).is_some_and(|before| one.updated < before);
            // The records of a group are counted again with each change.
            let (body, label, links) = (one.full && !one.grouped && old(of.bodies), one.labelled && old(of.labels), old(of.links));
            let ended = cells::lane_state(&one.state).is_ok_and(has_ended);
            if !ended || !(body || label || links) {
                continue;
            }
            let record = if links { self.words.record(&self.db, &one.flow, &one.key)? } else { None };
            let has = |record: &i64| -> StoreResult<bool> {
                Ok(!self.read("SELECT 1 FROM link WHERE record = ?1 LIMIT 1", [record], |_| Ok(()))?.is_empty())
            };
            let record = match record {
                Some(record) if has(&record)? => Some(record),
                _ => None,
            };
            if !(body || label || record.is_some()) || self.is_needed(&one.flow, &one.key)? {
                continue;
            }
            unlinked.extend(record);
            let Some(found) = self.found_lane(&one.flow, &one.key)?.filter(|found| found.damage.is_none() && (body || label)) else { continue };
            let mut lane = found.value;
            if body {
                (lane.body, lane.matched) = (None, None);
                lane.reasons.clear();
            }
            if label {
                lane.label = None;
            }
            lanes.push(lane);
        }
        if lanes.is_empty() && unlinked.is_empty() {
            return Ok(Forgotten { dropped: 0, next });
        }
        let dropped = (lanes.len() + unlinked.len()) as u64;
        self.pass(|store, put| {
            lanes.into_iter().try_for_each(|lane| put.change(&Change::Record(lane)))?;
            unlinked.iter().try_for_each(|record| run(&store.db, "DELETE FROM link WHERE record = ?1", [record]).map(|_| ()))
        })?;
        Ok(Forgotten { dropped, next })
    }

    /// Whether a record that has ended is older than any class of it is kept: most passes find none.
    fn has_old(&self, of: &LaneClasses<'_>) -> StoreResult<bool> {
        let flows = self.read("SELECT DISTINCT flow FROM tally WHERE count > 0", [], |row| form::lossy(row, 0))?;
        for flow in flows {
            let latest = [of.bodies, of.links, of.labels].into_iter().filter_map(|class| before(class, &flow)).max();
            for state in RecordStage::ALL.into_iter().filter(|state| latest.is_some() && has_ended(*state)) {
                let sql = "SELECT 1 FROM lane WHERE flow = ?1 AND state = ?2 AND updated < ?3 LIMIT 1";
                if !self.read(sql, params![flow, state.word(), latest], |_| Ok(()))?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Drops rows of a table by their numbers.
    fn drop_ids(&mut self, table: &str, ids: &[i64]) -> StoreResult<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let id = if table == "event" { "seq" } else { "id" };
        let sql = format!("DELETE FROM {table} WHERE {id} = ?1");
        self.pass(|store, _| ids.iter().map(|id| run(&store.db, &sql, [id])).sum())
    }

    /// Records of which something sealed fits.
    pub(super) fn mentions(&self, fits: &dyn Fn(&str) -> bool) -> StoreResult<Vec<(String, String)>> {
        let mut found = BTreeSet::new();
        // Each with the table and column of its place; the row's key is what follows the record's.
        let sources = [
            ("body", "sealed", "SELECT flow, key, sealed, flow, key FROM body"),
            ("lane", "matched", "SELECT flow, key, sealed_matched, flow, key FROM lane WHERE sealed_matched IS NOT NULL"),
            ("lane", "reasons", "SELECT flow, key, sealed_reasons, flow, key FROM lane WHERE sealed_reasons IS NOT NULL"),
            ("entry", "key", "SELECT flow, lane, sealed_key, id FROM entry WHERE sealed_key IS NOT NULL"),
            ("payload", "body", "SELECT flow, lane, sealed_body, payload.id FROM payload JOIN entry ON entry.id = payload.id"),
            (
                "payload",
                "held",
                "SELECT flow, lane, sealed_held, payload.id FROM payload JOIN entry ON entry.id = payload.id WHERE sealed_held IS NOT NULL",
            ),
            (
                "payload",
                "result",
                "SELECT flow, lane, sealed_result, payload.id FROM payload JOIN entry ON entry.id = payload.id WHERE sealed_result IS NOT NULL",
            ),
            (
                "payload",
                "error",
                "SELECT flow, lane, sealed_error, payload.id FROM payload JOIN entry ON entry.id = payload.id WHERE sealed_error IS NOT NULL",
            ),
            ("exception", "reasons", "SELECT flow, lane, sealed_reasons, id FROM exception WHERE sealed_reasons IS NOT NULL"),
            ("exception", "decided", "SELECT flow, lane, sealed_decided, id FROM exception WHERE sealed_decided IS NOT NULL"),
            (
                "event",
                "text",
                "SELECT word.text, record.key, sealed_text, record.id, at FROM event JOIN record ON record.id = event.record \
                 JOIN word ON word.id = record.flow WHERE sealed_text IS NOT NULL",
            ),
        ];
        for (table, column, sql) in sources {
            let mut statement = self.db.prepare(sql).map_err(fault)?;
            let names = statement.column_count();
            let mut read = statement.query([]).map_err(fault)?;
            while let Some(row) = read.next().map_err(fault)? {
                let text = |at: usize| form::lossy(row, at).map_err(fault);
                let sealed: Value = row.get(2).map_err(fault)?;
                let Value::Blob(sealed) = sealed else { continue };
                let keys = (3..names).map(text).collect::<StoreResult<Vec<String>>>()?;
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                // What does not open is told elsewhere.
                let Ok(opened) = self.seal.open(Place { table, column, row: &keys }, &sealed) else { continue };
                if fits(&String::from_utf8_lossy(&opened)) {
                    found.insert((text(0)?, text(1)?));
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Removes what is kept of some records, and makes some changes in the same transaction.
    pub(super) fn erased(&mut self, records: &[(String, String)], then: &[Change]) -> StoreResult<u64> {
        let of: BTreeSet<&(String, String)> = records.iter().collect();
        let removed = self.pass(|store, put| {
            let db = &store.db;
            let mut rows = 0;
            for (flow, lane) in &of {
                let named = params![flow, lane];
                rows += run(db, "DELETE FROM body WHERE flow = ?1 AND key = ?2", named)?;
                rows += run(db, "DELETE FROM payload WHERE id IN (SELECT id FROM entry WHERE flow = ?1 AND lane = ?2)", named)?;
                rows += run(db, "DELETE FROM entry WHERE flow = ?1 AND lane = ?2", named)?;
                rows += run(db, "DELETE FROM exception WHERE flow = ?1 AND lane = ?2", named)?;
                rows += run(db, "DELETE FROM watch WHERE flow = ?1 AND lane = ?2", named)?;
                let Some(record) = store.words.record(db, flow, lane)? else { continue };
                // What calls of a batch said of it is cut out; the rest of the batch stays.
                for id in store
                    .read("SELECT DISTINCT exchange FROM event WHERE record = ?1 AND exchange IS NOT NULL", [record], |row| row.get::<_, i64>(0))?
                {
                    let Some(mut exchange) = crate::store::Store::exchange(store, id)? else { continue };
                    exchange.parts.retain(|part| !of.contains(&(part.flow.clone(), part.lane.clone())));
                    // An older version kept the batch whole.
                    (exchange.request, exchange.response) = (None, None);
                    put.exchange(&exchange)?;
                    rows += 1;
                }
                let kind = store.words.number(db, PROOF)?.unwrap_or(-1);
                rows += run(db, "DELETE FROM event WHERE record = ?1 AND kind <> ?2", params![record, kind])?;
                rows += run(db, "DELETE FROM link WHERE record = ?1", [record])?;
            }
            // What was asked for and answered may hold an edited payload.
            rows += run(db, "DELETE FROM control WHERE sealed_answer IS NOT NULL", [])?;
            then.iter().try_for_each(|change| put.change(change))?;
            Ok(rows)
        })?;
        // A reader may stand in the way; what is in the log is sealed, and goes with its next turn.
        self.patient.store(false, Ordering::Relaxed);
        hidden::emptied(&self.db);
        self.patient.store(true, Ordering::Relaxed);
        Ok(removed)
    }

    fn read<T>(&self, sql: &str, values: impl Params, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> StoreResult<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql).map_err(fault)?;
        let found = statement.query_map(values, read).map_err(fault)?;
        found.collect::<rusqlite::Result<Vec<T>>>().map_err(fault)
    }
}

/// Which records were found to be open.
#[derive(Default)]
struct Open(BTreeMap<i64, bool>);

struct LaneClasses<'a> {
    bodies: &'a Before,
    links: &'a Before,
    labels: &'a Before,
}

/// What is looked at of a lane.
struct Looked {
    flow: String,
    key: String,
    state: String,
    updated: Millis,
    /// Something sealed is kept with it.
    full: bool,
    grouped: bool,
    labelled: bool,
}

fn number(after: Option<&str>) -> i64 {
    after.and_then(|after| after.parse().ok()).unwrap_or(i64::MIN)
}

fn run(db: &Connection, sql: &str, values: impl Params) -> StoreResult<u64> {
    db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(|rows| rows as u64).map_err(fault)
}
