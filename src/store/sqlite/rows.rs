//! From changes to SQL statements.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params};
use serde::Serialize;

use super::fault;
use super::words::Words;
use crate::store::seal::{Place, Seal};
use crate::store::{
    Change, Checkpoint, Entry, Erasure, Event, Exception, Exchange, Link, Moved, Part, RecordStage, RecordState, StoreFault, StoreResult,
    TargetState, Watch, Watched, WebhookEvent,
};

/// A lane's columns in the order of its checksum.
pub(super) const LANE: &str = "flow, key, label, arrived, first, state, version, stamp, delivered, due, attempt, plan, sealed_reasons, updated, \
     sealed_matched, was, grouped, bodied";
/// What a lane's newest version looks like at its source is written by itself too, and has a checksum of its own.
pub(super) const SEEN: &str = "flow, key, seen";
/// An entry's columns in the order of its checksum: what stays as it is was made.
pub(super) const ENTRY: &str = "id, flow, lane, version, write, after, connection, object, op, sealed_key, key_field, target, class, review_doubt, first, \
     hash, plan, created, rides";
/// What moves while it is sent has a checksum of its own.
pub(super) const MOVED: &str = "id, state, attempt, due, sent, doubted, epoch";
pub(super) const SEALED: &str = "sealed_body, sealed_held, sealed_result, sealed_error";
pub(super) const EXCEPTION: &str = "id, flow, lane, label, code, sealed_reasons, next, owner, before, parked, opened, closed, closed_by, alerted";
pub(super) const EXCHANGE: &str = "id, at, connection, method, path, status, took, sealed_request, sealed_response, broken, plan, \
     sealed_parts";
pub(super) const EVENT: &str = "at, record, kind, word, sealed_text, exchange";
pub(super) const LEDGER: &str = "connection, object, key, id, fields, confirmed";
pub(super) const CHECKPOINT: &str = "flow, stream, cursor, more, at";
pub(super) const HINT: &str = "id, connection, event, body, at";
/// The record of a watch over a target is the target's key: it is hashed, and sealed beside it.
pub(super) const WATCH: &str = "name, flow, lane, since, due, sealed_lane";
pub(super) const ERASURE: &str = "at, who, sealed_by, records";

/// The state of an entry that was found damaged. It is told as refused, and never sent.
pub(super) const DAMAGED: &str = "damaged";

/// What a ledger's key begins with where it has another key in the place of the id.
pub(super) const ALIAS: &str = "of:";

/// Events of these kinds have a text that many share. It says nothing of a record or a person.
pub(super) const SHARED: [&str; 5] = ["received", "unchanged", "counted", "gone", "history"];
/// Characters of a request or an answer that are kept.
const MOST_KEPT: usize = 64 << 10;
/// Bytes of the requests and answers of one batch that are kept.
const MOST_OF_BATCH: usize = 4 << 20;

/// Bytes over which a row's checksum goes: each value with its kind and its length.
pub(super) struct Summed<'a> {
    seal: &'a Seal,
    bytes: Vec<u8>,
}

impl<'a> Summed<'a> {
    pub(super) fn new(seal: &'a Seal, table: &str) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(table.as_bytes());
        Summed { seal, bytes }
    }

    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        let mut put = |kind: u8, bytes: &[u8]| {
            self.bytes.push(kind);
            self.bytes.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(bytes);
        };
        match value {
            ValueRef::Null => put(0, &[]),
            ValueRef::Integer(number) => put(1, &number.to_le_bytes()),
            ValueRef::Real(number) => put(2, &number.to_le_bytes()),
            ValueRef::Text(text) => put(3, text),
            ValueRef::Blob(blob) => put(4, blob),
        }
    }

    pub(super) fn sum(&self) -> i64 {
        self.seal.sum(&self.bytes)
    }
}

pub(super) fn sum(seal: &Seal, table: &str, values: &[&dyn ToSql]) -> StoreResult<i64> {
    let mut summed = Summed::new(seal, table);
    for value in values {
        match value.to_sql().map_err(fault)? {
            ToSqlOutput::Borrowed(value) => summed.add(value),
            ToSqlOutput::Owned(value) => summed.add(ValueRef::from(&value)),
            _ => return Err(StoreFault::Io("a value has no plain form".to_owned())),
        }
    }
    Ok(summed.sum())
}

/// What changes are put down with.
pub(super) struct Put<'a> {
    pub(super) db: &'a Connection,
    pub(super) seal: &'a Seal,
    pub(super) words: &'a Words,
}

impl Put<'_> {
    fn done(&self, sql: &str, values: &[&dyn ToSql]) -> StoreResult<()> {
        self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(|_| ()).map_err(fault)
    }

    /// Puts a row with its checksum in the last column in the place of one of the same key.
    fn row(&self, table: &str, columns: &str, values: &[&dyn ToSql]) -> StoreResult<()> {
        let sum = sum(self.seal, table, values)?;
        let marks: Vec<String> = (1..=values.len() + 1).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT OR REPLACE INTO {table} ({columns}, sum) VALUES ({})", marks.join(", "));
        let values: Vec<&dyn ToSql> = values.iter().copied().chain([&sum as &dyn ToSql]).collect();
        self.done(&sql, &values)
    }

    fn word(&self, text: &str) -> StoreResult<i64> {
        self.words.make(self.db, text)
    }

    pub(super) fn change(&self, change: &Change) -> StoreResult<()> {
        match change {
            Change::Record(lane) => self.lane(lane),
            Change::Seen { flow, key, seen } => {
                let sum = sum(self.seal, "seen", params![flow, key, seen])?;
                self.done("UPDATE lane SET seen = ?3, seen_sum = ?4 WHERE flow = ?1 AND key = ?2", params![flow, key, seen, sum])
            }
            Change::Entry(entry) => self.entry(entry, entry.state.word()),
            Change::Sent(moved) => self.sent(moved),
            Change::DropEntry(id) => {
                self.done("DELETE FROM payload WHERE id = ?1", params![id])?;
                self.done("DELETE FROM entry WHERE id = ?1", params![id])
            }
            Change::Target(ledger) => self.ledger(ledger),
            Change::Exception(exception) => self.exception(exception),
            Change::Event(Event { at, flow, lane, kind, text, exchange }) => {
                let record = self.words.make_record(self.db, flow, lane)?;
                let (word, own) = match SHARED.contains(&kind.as_str()) {
                    true => (Some(self.word(text)?), None),
                    false => (None, Some(self.seal.pack(event_place(&[&record.to_string(), &at.to_string()]), text.as_bytes())?)),
                };
                self.row("event", EVENT, params![at, record, self.word(kind)?, word, own, exchange])
            }
            Change::Exchange(exchange) => self.exchange(exchange),
            Change::Checkpoint(checkpoint) => self.checkpoint(checkpoint),
            Change::Hint(WebhookEvent { id, connection, event, body, at }) => {
                self.row("hint", HINT, params![id, connection, event, body.to_string(), at])
            }
            Change::DropHint(id) => self.done("DELETE FROM hint WHERE id = ?1", params![id]),
            Change::Watch(Watch { what, flow, lane, since, due }) => {
                let name = &what.text();
                let known = watched(self.seal, name, lane);
                let sealed = (known != *lane).then(|| self.seal.seal(watch_place(&[name, flow, &known]), lane.as_bytes())).transpose()?;
                self.row("watch", WATCH, params![name, flow, known, since, due, sealed])
            }
            Change::DropWatch { what, flow, lane } => {
                let name = &what.text();
                self.done("DELETE FROM watch WHERE name = ?1 AND flow = ?2 AND lane = ?3", params![name, flow, watched(self.seal, name, lane)])
            }
            Change::Link(Link { flow, lane, object, id }) => {
                let sql = "INSERT OR IGNORE INTO link (id, object, record) VALUES (?1, ?2, ?3)";
                let (object, record) = (self.word(object)?, self.words.make_record(self.db, flow, lane)?);
                self.done(sql, params![linked(self.seal, id), object, record])?;
                match crate::builtin::phone_home(id) {
                    Some(home) => self.done(sql, params![telephone(self.seal, &home), self.word(TELEPHONE)?, record]),
                    None => Ok(()),
                }
            }
            Change::Answer { id, answer } => {
                let row = id.to_string();
                let sealed = sealed(self.seal, answer_place(&[&row]), Some(answer))?;
                self.done("UPDATE control SET sealed_answer = ?2 WHERE id = ?1", params![id, sealed])
            }
            Change::Meta { name, value } => self.meta(name, value),
            Change::Alert(alert) => {
                let sealed = sealed(self.seal, alert_place(&[&alert.cause]), Some(alert))?;
                self.done("INSERT OR REPLACE INTO alert (cause, sealed_alert) VALUES (?1, ?2)", params![alert.cause, sealed])
            }
            Change::DropAlert(cause) => self.done("DELETE FROM alert WHERE cause = ?1", params![cause]),
            Change::Erasure(Erasure { at, who, by, records }) => {
                let sealed = by.as_ref().map(|by| self.seal.seal(erasure_place(&[who, &at.to_string()]), by.as_bytes())).transpose()?;
                self.row("erasure", ERASURE, params![at, who, sealed, i64::try_from(*records).unwrap_or(i64::MAX)])
            }
        }
    }

    fn ledger(&self, ledger: &TargetState) -> StoreResult<()> {
        let TargetState { connection, object, key, id, fields, confirmed } = ledger;
        let fields = serde_json::to_string(fields).unwrap_or_default();
        let hidden = self.seal.hidden(key);
        // An alias has a key in the place of the id.
        let sealed = match id {
            Some(id) if key.starts_with(ALIAS) => Some(self.seal.seal(alias_place(&[connection, object, &hex(&hidden)]), id.as_bytes())?),
            _ => None,
        };
        let id: &dyn ToSql = if sealed.is_some() { &sealed } else { id };
        self.row("ledger", LEDGER, params![connection, object, &hidden[..], id, fields, confirmed])
    }

    fn lane(&self, lane: &RecordState) -> StoreResult<()> {
        let row = [lane.flow.as_str(), lane.key.as_str()];
        match &lane.body {
            // It lies there as it is.
            Some(body) if body.is_kept() => {}
            Some(body) => self.done(
                "INSERT INTO body (flow, key, sealed) VALUES (?1, ?2, ?3) ON CONFLICT (flow, key) DO UPDATE SET sealed = excluded.sealed",
                params![lane.flow, lane.key, self.seal.pack(body_place(&row), body.text().as_bytes())?],
            )?,
            None => self.done("DELETE FROM body WHERE flow = ?1 AND key = ?2", params![lane.flow, lane.key])?,
        }
        let place = |column| Place { table: "lane", column, row: &row };
        let matched = packed(self.seal, place("matched"), lane.matched.as_ref())?;
        let reasons = packed(self.seal, place("reasons"), (!lane.reasons.is_empty()).then_some(&lane.reasons))?;
        let values: &[&dyn ToSql] = params![
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
            lane.was.map(RecordStage::word),
            lane.group,
            lane.body.is_some()
        ];
        let seen = (!lane.seen.is_empty()).then_some(&lane.seen);
        let (sum, seen_sum) = (sum(self.seal, "lane", values)?, sum(self.seal, "seen", params![lane.flow, lane.key, seen])?);
        let values: Vec<&dyn ToSql> = values.iter().copied().chain([&sum as &dyn ToSql, &seen, &seen_sum]).collect();
        // An update leaves alone the indexes of what stays as it is, a replacement does not.
        let sql = format!(
            "INSERT INTO lane ({LANE}, sum, seen, seen_sum) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
             ON CONFLICT (flow, key) DO UPDATE SET label = excluded.label, arrived = excluded.arrived, first = excluded.first, \
             state = excluded.state, version = excluded.version, stamp = excluded.stamp, delivered = excluded.delivered, \
             due = excluded.due, attempt = excluded.attempt, plan = excluded.plan, sealed_reasons = excluded.sealed_reasons, \
             updated = excluded.updated, sealed_matched = excluded.sealed_matched, was = excluded.was, grouped = excluded.grouped, \
             bodied = excluded.bodied, sum = excluded.sum, seen = excluded.seen, seen_sum = excluded.seen_sum"
        );
        self.done(&sql, &values)
    }

    /// `state`: its word, which for one that was found damaged is not that of its state.
    pub(super) fn entry(&self, entry: &Entry, state: &str) -> StoreResult<()> {
        let id = entry.id.to_string();
        let row = [id.as_str()];
        let place = |column| Place { table: "payload", column, row: &row };
        let body = sealed(self.seal, place("body"), Some(&entry.body))?;
        let held = sealed(self.seal, place("held"), entry.held.as_ref())?;
        let result = sealed(self.seal, place("result"), entry.result.as_ref())?;
        let error = sealed(self.seal, place("error"), entry.error.as_ref())?;
        self.done(
            &format!("INSERT OR REPLACE INTO payload (id, {SEALED}) VALUES (?1, ?2, ?3, ?4, ?5)"),
            params![entry.id, body, held, result, error],
        )?;
        let key = entry.key.as_ref().map(|key| self.seal.seal(key_place(&row), key.as_bytes())).transpose()?;
        let rides = entry.rides.as_ref().map(serde_json::to_string).transpose().map_err(|error| StoreFault::Io(error.to_string()))?;
        let fixed: &[&dyn ToSql] = params![
            entry.id,
            entry.flow,
            entry.lane,
            entry.version,
            entry.write,
            entry.after,
            entry.connection,
            entry.object,
            entry.op,
            key,
            entry.key_field,
            entry.target,
            entry.guarantee.class(),
            entry.review_doubt,
            entry.first,
            entry.hash,
            entry.plan,
            entry.created,
            rides
        ];
        let epoch = i64::try_from(entry.epoch).unwrap_or(i64::MAX);
        let moves: &[&dyn ToSql] = params![entry.id, state, entry.attempt, entry.due, entry.sent, entry.doubted, epoch];
        let (fixed_sum, moved_sum) = (sum(self.seal, "entry", fixed)?, sum(self.seal, "moved", moves)?);
        let values: Vec<&dyn ToSql> = fixed.iter().chain(&moves[1..]).copied().chain([&fixed_sum as &dyn ToSql, &moved_sum]).collect();
        let marks: Vec<String> = (1..=values.len()).map(|at| format!("?{at}")).collect();
        let moved = MOVED.trim_start_matches("id, ");
        self.done(&format!("INSERT OR REPLACE INTO entry ({ENTRY}, {moved}, sum, moved_sum) VALUES ({})", marks.join(", ")), &values)
    }

    fn sent(&self, Moved { id, state, attempt, due, sent, doubted, epoch }: &Moved) -> StoreResult<()> {
        let epoch = i64::try_from(*epoch).unwrap_or(i64::MAX);
        let values: &[&dyn ToSql] = params![id, state.word(), attempt, due, sent, doubted, epoch];
        let sum = sum(self.seal, "moved", values)?;
        let values: Vec<&dyn ToSql> = values.iter().copied().chain([&sum as &dyn ToSql]).collect();
        // One that was found damaged meanwhile stays so.
        self.done(
            "UPDATE entry SET state = ?2, attempt = ?3, due = ?4, sent = ?5, doubted = ?6, epoch = ?7, moved_sum = ?8 \
             WHERE id = ?1 AND state <> 'damaged'",
            &values,
        )
    }

    fn exception(&self, exception: &Exception) -> StoreResult<()> {
        let Exception { id, flow, lane, label, code, reasons, next, owner, before, parked, opened, closed, closed_by, decided } = exception;
        let row = id.to_string();
        let cause = exception.cause();
        let decided = sealed(self.seal, decided_place(&[&row]), decided.as_ref())?;
        let reasons = packed(self.seal, Place { table: "exception", column: "reasons", row: &[&row] }, Some(reasons))?;
        self.row(
            "exception",
            EXCEPTION,
            params![id, flow, lane, label, code, reasons, next, owner, before, parked, opened, closed, closed_by, true],
        )?;
        // `alerted` is of older forms: the alert of an exception is its own row.
        // The cause follows from the rest, and the decision is sealed for its row: neither is part of the checksum.
        self.done("UPDATE exception SET cause = ?2, sealed_decided = ?3 WHERE id = ?1", params![id, cause, decided])
    }

    pub(super) fn exchange(&self, exchange: &Exchange) -> StoreResult<()> {
        let Exchange { id, at, connection, method, path, status, took, request, response, broken, plan, parts } = exchange;
        let row = id.to_string();
        let pack = |column: &str, text: &Option<String>| {
            let place = Place { table: "exchange", column, row: &[&row] };
            text.as_ref().map(|text| self.seal.pack(place, shortened(text).as_bytes())).transpose()
        };
        let (request, response) = (pack("request", request)?, pack("response", response)?);
        let parts = match parts.as_slice() {
            [] => None,
            parts => packed(self.seal, Place { table: "exchange", column: "parts", row: &[&row] }, Some(&kept_of(parts)))?,
        };
        let (connection, method, plan) = (self.word(connection)?, self.word(method)?, self.word(plan)?);
        self.row("exchange", EXCHANGE, params![id, at, connection, method, path, status, took, request, response, broken, plan, parts])
    }

    pub(super) fn checkpoint(&self, checkpoint: &Checkpoint) -> StoreResult<()> {
        let Checkpoint { flow, stream, cursor, more, at } = checkpoint;
        self.row("checkpoint", CHECKPOINT, params![flow, stream, cursor, more, at])?;
        let copy = serde_json::to_string(checkpoint).map_err(|error| StoreFault::Io(error.to_string()))?;
        self.spare("checkpoint", &spare_name(flow, stream), &copy)
    }

    pub(super) fn meta(&self, name: &str, value: &str) -> StoreResult<()> {
        self.row("meta", "name, value", params![name, value])?;
        self.spare("meta", name, value)
    }

    fn spare(&self, kind: &str, name: &str, value: &str) -> StoreResult<()> {
        self.row("spare", "kind, name, value", params![kind, name, value])
    }
}

/// Under what the second copy of a checkpoint lies.
pub(super) fn spare_name(flow: &str, stream: &str) -> String {
    format!("{flow} {stream}")
}

pub(super) fn alert_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "alert", column: "alert", row }
}

pub(super) fn body_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "body", column: "sealed", row }
}

pub(super) fn decided_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "exception", column: "decided", row }
}

/// The row is the control's number and the time at which it was put down.
pub(super) fn control_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "control", column: "body", row }
}

pub(super) fn answer_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "control", column: "answer", row }
}

/// Parts as they are kept: of a text that is too long its beginning, and of a batch that is too long altogether the first
/// ones with their texts.
fn kept_of(parts: &[Part]) -> Vec<Part> {
    let mut left = MOST_OF_BATCH;
    let mut short = |text: &Option<String>| -> Option<String> {
        let text = shortened(text.as_ref()?);
        if text.len() > left {
            return Some(format!("({} bytes, not kept: the batch is too long)", text.len()));
        }
        left -= text.len();
        Some(text.into_owned())
    };
    parts.iter().map(|part| Part { request: short(&part.request), response: short(&part.response), ..part.clone() }).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a watch is found by: of one whose record is a target's key, the key's hash. A hash stays what it is.
pub(super) fn watched(seal: &Seal, name: &str, lane: &str) -> String {
    let hash = lane.strip_prefix('#').is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if Watched::read(name) == Watched::Settle && !hash { format!("#{}", hex(&seal.hidden(lane))) } else { lane.to_owned() }
}

/// What a link is found by. An address is the same in whatever letters.
/// The object of a second link to a record whose key is a telephone number: by it the record is found in any spelling. It links no
/// records with each other.
pub(super) const TELEPHONE: &str = "telephone";

/// What such a link is found by: the national digits of the number.
pub(super) fn telephone(seal: &Seal, home: &str) -> Vec<u8> {
    seal.hidden(&format!("{TELEPHONE} {home}")).to_vec()
}

pub(super) fn linked(seal: &Seal, id: &str) -> Vec<u8> {
    if id.contains('@') { seal.hidden(&id.to_lowercase()).to_vec() } else { seal.hidden(id).to_vec() }
}

pub(super) fn key_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "entry", column: "key", row }
}

/// The row is the connection, the object, and the hash of the key.
pub(super) fn alias_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "ledger", column: "id", row }
}

/// The row is the record's number and the time.
pub(super) fn event_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "event", column: "text", row }
}

pub(super) fn watch_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "watch", column: "lane", row }
}

/// The row is the hash of the identifier and the time.
pub(super) fn erasure_place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place { table: "erasure", column: "by", row }
}

fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(MOST_KEPT) {
        Some((end, _)) => format!("{} … ({} bytes in all)", &text[..end], text.len()).into(),
        None => text.into(),
    }
}

pub(super) fn sealed<T: Serialize>(seal: &Seal, place: Place<'_>, value: Option<&T>) -> StoreResult<Option<Vec<u8>>> {
    let Some(value) = value else { return Ok(None) };
    let text = serde_json::to_vec(value).map_err(|error| StoreFault::Io(error.to_string()))?;
    seal.seal(place, &text).map(Some)
}

fn packed<T: Serialize>(seal: &Seal, place: Place<'_>, value: Option<&T>) -> StoreResult<Option<Vec<u8>>> {
    let Some(value) = value else { return Ok(None) };
    let text = serde_json::to_vec(value).map_err(|error| StoreFault::Io(error.to_string()))?;
    seal.pack(place, &text).map(Some)
}
