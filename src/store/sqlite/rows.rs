//! Changes to statements, rows to values.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault;
use crate::store::seal::Seal;
use crate::store::{
    Change, Checkpoint, Entry, EntryState, Event, Exception, Exchange, Hint, Kept, Lane, LaneState, Ledger, Link, Moved, Reason, StoreFault, Watch,
};
use crate::value::{Body, Json};

const LANE_COLUMNS: &str = "flow, key, label, arrived, first, state, version, stamp, delivered, due, attempt, plan, sealed_reasons, updated, sealed_matched, \
     was, grouped, seen";
/// A lane with its body.
pub(super) const LANE: &str = "flow, key, label, arrived, first, state, version, stamp, delivered, due, attempt, \
     (SELECT sealed FROM body WHERE body.flow = lane.flow AND body.key = lane.key) AS sealed_body, plan, sealed_reasons, updated, sealed_matched, \
     was, grouped, seen";
pub(super) const ENTRY: &str = "entry.id, flow, lane, version, write, after, connection, object, op, key, key_field, target, class, review_doubt, state, \
     first, attempt, due, sent, doubted, epoch, hash, plan, created, rides";
pub(super) const SEALED: &str = "sealed_body, sealed_held, sealed_result, sealed_error";
pub(super) const EXCEPTION: &str = "id, flow, lane, label, code, sealed_reasons, next, owner, before, parked, opened, closed, closed_by, alerted";
pub(super) const EXCHANGE: &str = "id, at, connection, method, path, status, took, request, response, broken, plan";

pub(super) fn put(db: &Connection, seal: &Seal, change: &Change) -> Kept<()> {
    let done = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Kept<()> {
        db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(|_| ()).map_err(fault)
    };
    match change {
        Change::Lane(lane) => {
            match &lane.body {
                // It lies there as it is.
                Some(body) if body.is_kept() => {}
                Some(body) => done(
                    "INSERT INTO body (flow, key, sealed) VALUES (?1, ?2, ?3) ON CONFLICT (flow, key) DO UPDATE SET sealed = excluded.sealed",
                    params![lane.flow, lane.key, seal.seal(body.text().as_bytes())?],
                )?,
                None => done("DELETE FROM body WHERE flow = ?1 AND key = ?2", params![lane.flow, lane.key])?,
            }
            let matched = sealed(seal, lane.matched.as_ref())?;
            let reasons = sealed(seal, (!lane.reasons.is_empty()).then_some(&lane.reasons))?;
            // An update leaves alone the indexes of what stays as it is, a replacement does not.
            done(
                &format!(
                    "INSERT INTO lane ({LANE_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
                     ON CONFLICT (flow, key) DO UPDATE SET label = excluded.label, arrived = excluded.arrived, first = excluded.first, \
                     state = excluded.state, version = excluded.version, stamp = excluded.stamp, delivered = excluded.delivered, \
                     due = excluded.due, attempt = excluded.attempt, plan = excluded.plan, sealed_reasons = excluded.sealed_reasons, \
                     updated = excluded.updated, sealed_matched = excluded.sealed_matched, was = excluded.was, grouped = excluded.grouped, \
                     seen = excluded.seen"
                ),
                params![
                    lane.flow,
                    lane.key,
                    lane.label,
                    lane.arrived,
                    lane.first,
                    lane.state.word(),
                    lane.version,
                    lane.stamp,
                    lane.delivered,
                    lane.due,
                    lane.attempt,
                    lane.plan,
                    reasons,
                    lane.updated,
                    matched,
                    lane.was.map(LaneState::word),
                    lane.group,
                    (!lane.seen.is_empty()).then_some(&lane.seen)
                ],
            )
        }
        Change::Seen { flow, key, seen } => done("UPDATE lane SET seen = ?3 WHERE flow = ?1 AND key = ?2", params![flow, key, seen]),
        Change::Entry(entry) => self::entry(db, seal, entry),
        Change::Sent(Moved { id, state, attempt, due, sent, doubted, epoch }) => done(
            "UPDATE entry SET state = ?2, attempt = ?3, due = ?4, sent = ?5, doubted = ?6, epoch = ?7 WHERE id = ?1",
            params![id, state.word(), attempt, due, sent, doubted, i64::try_from(*epoch).unwrap_or(i64::MAX)],
        ),
        Change::DropEntry(id) => {
            done("DELETE FROM payload WHERE id = ?1", params![id])?;
            done("DELETE FROM entry WHERE id = ?1", params![id])
        }
        Change::Ledger(Ledger { connection, object, key, id, fields, confirmed }) => {
            let fields = serde_json::to_string(fields).unwrap_or_default();
            done(
                "INSERT OR REPLACE INTO ledger (connection, object, key, id, fields, confirmed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![connection, object, key, id, fields, confirmed],
            )
        }
        Change::Exception(Exception { id, flow, lane, label, code, reasons, next, owner, before, parked, opened, closed, closed_by, alerted }) => {
            let reasons = sealed(seal, Some(reasons))?;
            done(
                "INSERT OR REPLACE INTO exception (id, flow, lane, label, code, sealed_reasons, next, owner, before, parked, opened, closed, \
                 closed_by, alerted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                params![id, flow, lane, label, code, reasons, next, owner, before, parked, opened, closed, closed_by, alerted],
            )
        }
        Change::Event(Event { at, flow, lane, kind, text, exchange }) => done(
            "INSERT INTO event (at, flow, lane, kind, text, exchange) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![at, flow, lane, kind, text, exchange],
        ),
        Change::Exchange(Exchange { id, at, connection, method, path, status, took, request, response, broken, plan }) => done(
            "INSERT OR REPLACE INTO exchange (id, at, connection, method, path, status, took, request, response, broken, plan) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![id, at, connection, method, path, status, took, request, response, broken, plan],
        ),
        Change::Checkpoint(Checkpoint { flow, stream, cursor, more, at }) => done(
            "INSERT OR REPLACE INTO checkpoint (flow, stream, cursor, more, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![flow, stream, cursor, more, at],
        ),
        Change::Hint(Hint { id, connection, event, body, at }) => done(
            "INSERT OR REPLACE INTO hint (id, connection, event, body, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, connection, event, body.to_string(), at],
        ),
        Change::DropHint(id) => done("DELETE FROM hint WHERE id = ?1", params![id]),
        Change::Watch(Watch { name, flow, lane, since, due }) => {
            done("INSERT OR REPLACE INTO watch (name, flow, lane, since, due) VALUES (?1, ?2, ?3, ?4, ?5)", params![name, flow, lane, since, due])
        }
        Change::DropWatch { name, flow, lane } => done("DELETE FROM watch WHERE name = ?1 AND flow = ?2 AND lane = ?3", params![name, flow, lane]),
        Change::Link(Link { flow, lane, object, id }) => {
            done("INSERT OR IGNORE INTO link (flow, lane, object, id) VALUES (?1, ?2, ?3, ?4)", params![flow, lane, object, id])
        }
        Change::Answer { id, answer } => {
            let sealed = sealed(seal, Some(answer))?;
            done("UPDATE control SET sealed_answer = ?2 WHERE id = ?1", params![id, sealed])
        }
        Change::Meta { name, value } => done("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", params![name, value]),
    }
}

fn entry(db: &Connection, seal: &Seal, entry: &Entry) -> Kept<()> {
    let body = sealed(seal, Some(&entry.body))?;
    let (held, result, error) = (sealed(seal, entry.held.as_ref())?, sealed(seal, entry.result.as_ref())?, sealed(seal, entry.error.as_ref())?);
    let payload = format!("INSERT OR REPLACE INTO payload (id, {SEALED}) VALUES (?1, ?2, ?3, ?4, ?5)");
    let mut statement = db.prepare_cached(&payload).map_err(fault)?;
    statement.execute(params![entry.id, body, held, result, error]).map_err(fault)?;
    let sql = "INSERT OR REPLACE INTO entry (id, flow, lane, version, write, after, connection, object, op, key, key_field, target, class, review_doubt, \
         state, first, attempt, due, sent, doubted, epoch, hash, plan, created, rides) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
         ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)";
    let rides = entry.rides.as_ref().map(serde_json::to_string).transpose().map_err(|error| StoreFault::Io(error.to_string()))?;
    let mut statement = db.prepare_cached(sql).map_err(fault)?;
    let values = params![
        entry.id,
        entry.flow,
        entry.lane,
        entry.version,
        entry.write,
        entry.after,
        entry.connection,
        entry.object,
        entry.op,
        entry.key,
        entry.key_field,
        entry.target,
        entry.class,
        entry.review_doubt,
        entry.state.word(),
        entry.first,
        entry.attempt,
        entry.due,
        entry.sent,
        entry.doubted,
        i64::try_from(entry.epoch).unwrap_or(i64::MAX),
        entry.hash,
        entry.plan,
        entry.created,
        rides
    ];
    statement.execute(values).map(|_| ()).map_err(fault)
}

fn sealed<T: Serialize>(seal: &Seal, value: Option<&T>) -> Kept<Option<Vec<u8>>> {
    let Some(value) = value else { return Ok(None) };
    let text = serde_json::to_vec(value).map_err(|error| StoreFault::Io(error.to_string()))?;
    seal.seal(&text).map(Some)
}

fn opened<T: DeserializeOwned>(seal: &Seal, sealed: &[u8]) -> Kept<T> {
    let text = seal.open(sealed)?;
    serde_json::from_slice(&text).map_err(|error| StoreFault::Damaged(error.to_string()))
}

pub(super) fn json(seal: &Seal, sealed: &[u8]) -> Kept<Json> {
    opened(seal, sealed)
}

fn maybe<T: DeserializeOwned>(seal: &Seal, sealed: Option<Vec<u8>>) -> Kept<Option<T>> {
    sealed.map(|sealed| opened(seal, &sealed)).transpose()
}

/// A column of a row. A row that was written by this program has all of them.
fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, at: usize) -> Kept<T> {
    row.get(at).map_err(fault)
}

pub(super) fn body(seal: &Seal, row: &Row<'_>) -> Kept<Json> {
    opened(seal, &get::<Vec<u8>>(row, 0)?)
}

fn kept(seal: &Seal, sealed: Option<Vec<u8>>) -> Kept<Option<Body>> {
    let Some(sealed) = sealed else { return Ok(None) };
    Body::kept(seal.open(&sealed)?).map(Some).map_err(|error| StoreFault::Damaged(error.to_string()))
}

pub(super) fn lane(seal: &Seal, row: &Row<'_>) -> Kept<Lane> {
    let state: String = get(row, 5)?;
    let reasons: Option<Vec<Reason>> = maybe(seal, get(row, 13)?)?;
    Ok(Lane {
        flow: get(row, 0)?,
        key: get(row, 1)?,
        label: get(row, 2)?,
        arrived: get(row, 3)?,
        first: get(row, 4)?,
        state: lane_state(&state)?,
        version: get(row, 6)?,
        stamp: get(row, 7)?,
        delivered: get(row, 8)?,
        due: get(row, 9)?,
        attempt: get(row, 10)?,
        body: kept(seal, get(row, 11)?)?,
        plan: get(row, 12)?,
        reasons: reasons.unwrap_or_default(),
        updated: get(row, 14)?,
        matched: maybe(seal, get(row, 15)?)?,
        was: get::<Option<String>>(row, 16)?.as_deref().map(lane_state).transpose()?,
        group: get(row, 17)?,
        seen: get::<Option<Vec<u8>>>(row, 18)?.unwrap_or_default(),
    })
}

pub(super) fn lane_state(word: &str) -> Kept<LaneState> {
    let found = LaneState::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| StoreFault::Damaged(format!("`{word}` is no state of a record")))
}

/// `whole`: with what is sealed. Otherwise its body is null.
pub(super) fn entry_row(seal: &Seal, row: &Row<'_>, whole: bool) -> Kept<Entry> {
    let word: String = get(row, 14)?;
    let states = [
        EntryState::Planned,
        EntryState::Sending,
        EntryState::Ambiguous,
        EntryState::Confirmed,
        EntryState::Refused,
        EntryState::Parked,
        EntryState::Withdrawn,
    ];
    let state = states.into_iter().find(|state| state.word() == word);
    let epoch: i64 = get(row, 20)?;
    let rides: Option<String> = get(row, 24)?;
    let body: Vec<u8> = if whole { get(row, 25)? } else { Vec::new() };
    Ok(Entry {
        id: get(row, 0)?,
        flow: get(row, 1)?,
        lane: get(row, 2)?,
        version: get(row, 3)?,
        write: get(row, 4)?,
        after: get(row, 5)?,
        connection: get(row, 6)?,
        object: get(row, 7)?,
        op: get(row, 8)?,
        key: get(row, 9)?,
        key_field: get(row, 10)?,
        target: get(row, 11)?,
        class: get(row, 12)?,
        review_doubt: get(row, 13)?,
        state: state.ok_or_else(|| StoreFault::Damaged(format!("`{word}` is no state of a write")))?,
        first: get(row, 15)?,
        attempt: get(row, 16)?,
        due: get(row, 17)?,
        sent: get(row, 18)?,
        doubted: get(row, 19)?,
        epoch: epoch.unsigned_abs(),
        body: if whole { opened(seal, &body)? } else { Json::Null },
        held: if whole { maybe(seal, get(row, 26)?)? } else { None },
        hash: get(row, 21)?,
        result: if whole { maybe(seal, get(row, 27)?)? } else { None },
        error: if whole { maybe(seal, get(row, 28)?)? } else { None },
        plan: get(row, 22)?,
        created: get(row, 23)?,
        rides: rides.map(|rides| serde_json::from_str(&rides).map_err(|error| StoreFault::Damaged(error.to_string()))).transpose()?,
    })
}

pub(super) fn exception(seal: &Seal, row: &Row<'_>) -> Kept<Exception> {
    let reasons: Option<Vec<Reason>> = maybe(seal, get(row, 5)?)?;
    Ok(Exception {
        id: get(row, 0)?,
        flow: get(row, 1)?,
        lane: get(row, 2)?,
        label: get(row, 3)?,
        code: get(row, 4)?,
        reasons: reasons.unwrap_or_default(),
        next: get(row, 6)?,
        owner: get(row, 7)?,
        before: get(row, 8)?,
        parked: get(row, 9)?,
        opened: get(row, 10)?,
        closed: get(row, 11)?,
        closed_by: get(row, 12)?,
        alerted: get(row, 13)?,
    })
}

pub(super) fn exchange(row: &Row<'_>) -> Kept<Exchange> {
    Ok(Exchange {
        id: get(row, 0)?,
        at: get(row, 1)?,
        connection: get(row, 2)?,
        method: get(row, 3)?,
        path: get(row, 4)?,
        status: get(row, 5)?,
        took: get(row, 6)?,
        request: get(row, 7)?,
        response: get(row, 8)?,
        broken: get(row, 9)?,
        plan: get(row, 10)?,
    })
}
