//! From rows to values. If the checksum or the seal of a row is wrong, the readable parts are returned together with the damage.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::de::DeserializeOwned;

use super::rows::{Summed, alias_place, body_place, decided_place, erasure_place, event_place, hex, watch_place};
use crate::http::redact;
use crate::store::seal::{Place, Seal};
use crate::store::{
    Checkpoint, Control, Damage, Decided, Entry, EntryState, Erasure, Exception, Reason, RecordStage, RecordState, StoreFault, StoreResult,
    TargetState, Watch, Watched, WebhookEvent,
};
use crate::system::Guarantee;
use crate::value::{Json, RawRecord};

/// A value as it was read, and what is wrong with it.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) damage: Option<Damage>,
}

/// The columns of a row. Whatever is in them, something is read: whether it can be relied on, the checksum says.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    seal: &'r Seal,
    table: &'static str,
    wrong: Vec<String>,
}

impl<'r> Cells<'r> {
    pub(super) fn new(row: &'r Row<'r>, seal: &'r Seal, table: &'static str) -> Self {
        Cells { row, seal, table, wrong: Vec::new() }
    }

    fn cell(&self, at: usize) -> ValueRef<'_> {
        // A column beyond the last one is a mistake of this program; it reads as nothing, which no checksum fits.
        self.row.get_ref(at).unwrap_or(ValueRef::Null)
    }

    /// Holds some columns against the checksum that follows them.
    fn summed(&mut self, of: &str, from: usize, count: usize) {
        let mut summed = Summed::new(self.seal, of);
        (from..from + count).for_each(|at| summed.add(self.cell(at)));
        if self.cell(from + count) != ValueRef::Integer(summed.sum()) && !self.seal.is_unchecked() {
            self.wrong.push(Damage::ROW.to_owned());
        }
    }

    pub(super) fn text(&self, at: usize) -> String {
        self.maybe_text(at).unwrap_or_default()
    }

    pub(super) fn maybe_text(&self, at: usize) -> Option<String> {
        match self.cell(at) {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
        }
    }

    pub(super) fn int(&self, at: usize) -> i64 {
        self.maybe_int(at).unwrap_or(0)
    }

    pub(super) fn maybe_int(&self, at: usize) -> Option<i64> {
        match self.cell(at) {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        }
    }

    fn small(&self, at: usize) -> u32 {
        u32::try_from(self.int(at)).unwrap_or(0)
    }

    fn flag(&self, at: usize) -> bool {
        self.int(at) != 0
    }

    fn blob(&self, at: usize) -> Option<Vec<u8>> {
        match self.cell(at) {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// What is sealed in a column; absent too where it does not open.
    fn opened<T: DeserializeOwned>(&mut self, at: usize, place: Place<'_>) -> Option<T> {
        let sealed = self.blob(at)?;
        let read = self.seal.open(place, &sealed).and_then(|text| {
            serde_json::from_slice(&text).map_err(|_| StoreFault::Damaged(format!("{}.{} has no known form", place.table, place.column)))
        });
        self.told(read)
    }

    /// A text that is sealed in a column, as it is.
    fn opened_text(&mut self, at: usize, place: Place<'_>) -> Option<String> {
        let sealed = self.blob(at)?;
        let read = self.seal.open(place, &sealed).map(|text| String::from_utf8_lossy(&text).into_owned());
        self.told(read)
    }

    fn told<T>(&mut self, read: StoreResult<T>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(StoreFault::Damaged(what)) => {
                self.wrong.push(what);
                None
            }
            Err(other) => {
                self.wrong.push(other.to_string());
                None
            }
        }
    }

    fn done<T>(self, value: T, name: impl FnOnce(&T) -> (String, String, String)) -> Found<T> {
        let damage = (!self.wrong.is_empty()).then(|| {
            let (row, flow, lane) = name(&value);
            Damage { table: self.table, row, flow, lane, what: self.wrong.join("; ") }
        });
        Found { value, damage }
    }
}

pub(super) fn lane_state(word: &str) -> StoreResult<RecordStage> {
    let found = RecordStage::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| StoreFault::Damaged(format!("`{word}` is no state of a record")))
}

/// What a lane's newest version looks like at its source. Where it was changed it is not known: the record is read.
pub(super) fn seen(seal: &Seal, cells: [ValueRef<'_>; 4]) -> Option<Vec<u8>> {
    let mut summed = Summed::new(seal, "seen");
    cells[..3].iter().for_each(|cell| summed.add(*cell));
    if cells[3] != ValueRef::Integer(summed.sum()) && !seal.is_unchecked() {
        return None;
    }
    match cells[2] {
        ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        _ => Some(Vec::new()),
    }
}

/// The columns of [`super::rows::LANE`], `sum`, `seen` and its sum, and the sealed body.
pub(super) fn lane(seal: &Seal, row: &Row<'_>) -> Found<RecordState> {
    const COLUMNS: usize = 18;
    let mut cells = Cells::new(row, seal, "lane");
    cells.summed("lane", 0, COLUMNS);
    let (flow, key) = (cells.text(0), cells.text(1));
    let names = [flow.as_str(), key.as_str()];
    let place = |column| Place { table: "lane", column, row: &names };
    let reasons: Option<Vec<Reason>> = cells.opened(12, place("reasons"));
    let matched = cells.opened(14, place("matched"));
    let seen = seen(seal, [cells.cell(0), cells.cell(1), cells.cell(COLUMNS + 1), cells.cell(COLUMNS + 2)]);
    if seen.is_none() {
        cells.wrong.push(Damage::ROW.to_owned());
    }
    let body = match (cells.blob(COLUMNS + 3), cells.flag(17)) {
        (Some(sealed), _) => {
            let text = seal.open(body_place(&names), &sealed);
            let body = text.and_then(|text| RawRecord::kept(text).map_err(|error| StoreFault::Damaged(error.to_string())));
            cells.told(body)
        }
        (None, true) => {
            cells.wrong.push("its body is missing".to_owned());
            None
        }
        (None, false) => None,
    };
    let state = lane_state(&cells.text(5));
    let state = cells.told(state).unwrap_or(RecordStage::Failed);
    let was = cells.maybe_text(15).and_then(|word| lane_state(&word).ok());
    let value = RecordState {
        label: cells.maybe_text(2),
        arrived: cells.int(3),
        first: cells.flag(4),
        state,
        version: cells.text(6),
        stamp: cells.maybe_text(7),
        delivered: cells.maybe_text(8),
        due: cells.int(9),
        attempt: cells.small(10),
        body,
        plan: cells.maybe_text(11),
        seen: seen.unwrap_or_default(),
        reasons: reasons.unwrap_or_default(),
        updated: cells.int(13),
        matched,
        was,
        group: cells.maybe_text(16),
        flow,
        key,
    };
    cells.done(value, |lane| (lane.label.clone().unwrap_or_else(|| lane.key.clone()), lane.flow.clone(), lane.key.clone()))
}

/// The columns of [`super::rows::ENTRY`], `sum`, those of [`super::rows::MOVED`], `moved_sum`; and where `whole`, those
/// of [`super::rows::SEALED`]. Otherwise its body is null.
pub(super) fn entry(seal: &Seal, row: &Row<'_>, whole: bool) -> Found<Entry> {
    const FIXED: usize = 19;
    const MOVES: usize = FIXED + 1;
    const SEALED: usize = MOVES + 8;
    let mut cells = Cells::new(row, seal, "entry");
    cells.summed("entry", 0, FIXED);
    cells.summed("moved", MOVES, 7);
    let id = cells.int(0);
    let word = cells.text(MOVES + 1);
    let states = [
        EntryState::Planned,
        EntryState::Sending,
        EntryState::Ambiguous,
        EntryState::Confirmed,
        EntryState::Refused,
        EntryState::Parked,
        EntryState::Withdrawn,
    ];
    let state = match states.into_iter().find(|state| state.word() == word) {
        Some(state) => state,
        None => {
            if word != super::rows::DAMAGED {
                cells.wrong.push(format!("`{word}` is no state of a write"));
            }
            EntryState::Refused
        }
    };
    let rides = cells.maybe_text(18).map(|rides| serde_json::from_str(&rides).map_err(|error| StoreFault::Damaged(error.to_string())));
    let rides = rides.and_then(|rides| cells.told(rides));
    let name = id.to_string();
    let names = [name.as_str()];
    let place = |column| Place { table: "payload", column, row: &names };
    let (mut body, mut held, mut result, mut error) = (Json::Null, None, None, None);
    if whole {
        if cells.blob(SEALED).is_none() {
            cells.wrong.push("its payload is missing".to_owned());
        }
        body = cells.opened(SEALED, place("body")).unwrap_or(Json::Null);
        held = cells.opened(SEALED + 1, place("held"));
        result = cells.opened(SEALED + 2, place("result"));
        error = cells.opened(SEALED + 3, place("error"));
    }
    let key = cells.opened_text(9, super::rows::key_place(&names));
    let value = Entry {
        id,
        flow: cells.text(1),
        lane: cells.text(2),
        version: cells.text(3),
        write: cells.text(4),
        after: cells.maybe_text(5),
        connection: cells.text(6),
        object: cells.text(7),
        op: cells.text(8),
        key,
        key_field: cells.maybe_text(10),
        target: cells.maybe_text(11),
        // On disk it is the number of its class.
        guarantee: u64::try_from(cells.int(12)).map_or(Guarantee::Unprotected, Guarantee::of_class),
        review_doubt: cells.flag(13),
        first: cells.flag(14),
        hash: cells.text(15),
        plan: cells.text(16),
        created: cells.int(17),
        rides,
        state,
        attempt: cells.small(MOVES + 2),
        due: cells.int(MOVES + 3),
        sent: cells.maybe_int(MOVES + 4),
        doubted: cells.maybe_int(MOVES + 5),
        epoch: cells.int(MOVES + 6).unsigned_abs(),
        body,
        held,
        result,
        error,
    };
    cells.done(value, |entry| (format!("write {}", entry.id), entry.flow.clone(), entry.lane.clone()))
}

/// The columns of [`super::rows::EXCEPTION`] and `sum`.
pub(super) fn exception(seal: &Seal, row: &Row<'_>) -> Found<Exception> {
    let mut cells = Cells::new(row, seal, "exception");
    cells.summed("exception", 0, 14);
    let id = cells.int(0);
    let name = id.to_string();
    let reasons: Option<Vec<Reason>> = cells.opened(5, Place { table: "exception", column: "reasons", row: &[&name] });
    let decided: Option<Decided> = cells.opened(15, decided_place(&[&name]));
    let value = Exception {
        id,
        flow: cells.text(1),
        lane: cells.text(2),
        label: cells.maybe_text(3),
        code: cells.text(4),
        reasons: reasons.unwrap_or_default(),
        next: cells.text(6),
        owner: cells.maybe_text(7),
        before: cells.maybe_int(8),
        parked: cells.flag(9),
        opened: cells.int(10),
        closed: cells.maybe_int(11),
        closed_by: cells.maybe_text(12),
        decided,
    };
    cells.done(value, |exception| (format!("exception {}", exception.id), exception.flow.clone(), exception.lane.clone()))
}

/// The columns of [`super::rows::LEDGER`] and `sum`. `key`: the one that it was found by; without it only the hash is known.
pub(super) fn ledger(seal: &Seal, row: &Row<'_>, key: Option<&str>) -> Found<TargetState> {
    let mut cells = Cells::new(row, seal, "ledger");
    cells.summed("ledger", 0, 6);
    let fields = serde_json::from_str(&cells.text(4)).map_err(|error| StoreFault::Damaged(error.to_string()));
    let fields = cells.told(fields);
    let (connection, object, hash) = (cells.text(0), cells.text(1), hex(&cells.blob(2).unwrap_or_default()));
    let id = match cells.cell(3) {
        ValueRef::Blob(_) => cells.opened_text(3, alias_place(&[&connection, &object, &hash])),
        _ => cells.maybe_text(3),
    };
    let key = key.map_or_else(|| format!("#{hash}"), str::to_owned);
    let value = TargetState { connection, object, key, id, fields: fields.unwrap_or_default(), confirmed: cells.int(5) };
    // What names the row may be told.
    cells.done(value, |ledger| {
        let named = redact::shapes(&ledger.key);
        (format!("{}.{} {named}", ledger.connection, ledger.object), ledger.connection.clone(), named)
    })
}

/// The columns of [`super::rows::CHECKPOINT`] and `sum`.
pub(super) fn checkpoint(seal: &Seal, row: &Row<'_>) -> Found<Checkpoint> {
    let mut cells = Cells::new(row, seal, "checkpoint");
    cells.summed("checkpoint", 0, 5);
    let value = Checkpoint { flow: cells.text(0), stream: cells.text(1), cursor: cells.maybe_text(2), more: cells.flag(3), at: cells.int(4) };
    cells.done(value, |known| (format!("{} {}", known.flow, known.stream), known.flow.clone(), known.stream.clone()))
}

/// The columns of [`super::rows::HINT`] and `sum`.
pub(super) fn hint(seal: &Seal, row: &Row<'_>) -> Found<WebhookEvent> {
    let mut cells = Cells::new(row, seal, "hint");
    cells.summed("hint", 0, 5);
    let body = serde_json::from_str(&cells.text(3)).map_err(|error| StoreFault::Damaged(error.to_string()));
    let body = cells.told(body).unwrap_or(Json::Null);
    let value = WebhookEvent { id: cells.int(0), connection: cells.text(1), event: cells.text(2), body, at: cells.int(4) };
    cells.done(value, |hint| (format!("webhook {}", hint.id), hint.connection.clone(), format!("webhook {}", hint.id)))
}

/// The columns of [`super::rows::WATCH`] and `sum`.
pub(super) fn watch(seal: &Seal, row: &Row<'_>) -> Found<Watch> {
    let mut cells = Cells::new(row, seal, "watch");
    cells.summed("watch", 0, 6);
    let (name, flow, known) = (cells.text(0), cells.text(1), cells.text(2));
    let lane = cells.opened_text(5, watch_place(&[&name, &flow, &known])).unwrap_or_else(|| known.clone());
    let value = Watch { what: Watched::read(&name), flow, lane, since: cells.int(3), due: cells.int(4) };
    let named = (name, value.flow.clone(), known);
    cells.done(value, |_| named)
}

/// Its number, its sealed body, its time.
pub(super) fn control(seal: &Seal, row: &Row<'_>) -> Found<Control> {
    let mut cells = Cells::new(row, seal, "control");
    let (id, at) = (cells.int(0), cells.int(2));
    let (name, time) = (id.to_string(), at.to_string());
    let names = [name.as_str(), time.as_str()];
    if cells.blob(1).is_none() {
        cells.wrong.push("what was asked is missing".to_owned());
    }
    let body = cells.opened(1, super::rows::control_place(&names)).unwrap_or(Json::Null);
    cells.done(Control { id, body, at, answer: None }, |control| {
        (format!("decision {}", control.id), String::new(), format!("decision {}", control.id))
    })
}

/// A name and a value of the settings, and `sum`.
pub(super) fn meta(seal: &Seal, row: &Row<'_>) -> Found<(String, String)> {
    let mut cells = Cells::new(row, seal, "meta");
    // What was written beside this program's own way has none.
    if cells.maybe_int(2).is_some() {
        cells.summed("meta", 0, 2);
    }
    let value = (cells.text(0), cells.text(1));
    cells.done(value, |(name, _)| (name.clone(), String::new(), String::new()))
}

/// A kind, a name and a value of the second copies, and `sum`.
pub(super) fn spare(seal: &Seal, row: &Row<'_>) -> Found<(String, String, String)> {
    let mut cells = Cells::new(row, seal, "spare");
    cells.summed("spare", 0, 3);
    let value = (cells.text(0), cells.text(1), cells.text(2));
    cells.done(value, |(kind, name, _)| (format!("{kind} {name}"), String::new(), String::new()))
}

/// The columns of [`super::rows::ERASURE`] and `sum`.
pub(super) fn erasure(seal: &Seal, row: &Row<'_>) -> Found<Erasure> {
    let mut cells = Cells::new(row, seal, "erasure");
    cells.summed("erasure", 0, 4);
    let (at, who) = (cells.int(0), cells.text(1));
    let by = cells.opened_text(2, erasure_place(&[&who, &at.to_string()]));
    let records = cells.int(3).unsigned_abs();
    cells.done(Erasure { at, who, by, records }, |erasure| (erasure.at.to_string(), String::new(), String::new()))
}

/// Holds the columns of an event or an exchange against its checksum; its number is in the column `name`. What is sealed
/// in it is held too.
pub(super) fn checked(seal: &Seal, row: &Row<'_>, table: &'static str, count: usize, name: usize) -> Option<Damage> {
    let mut cells = Cells::new(row, seal, table);
    cells.summed(table, 0, count);
    let name = cells.text(name);
    if table == "event" && cells.blob(4).is_some() {
        let (record, at) = (cells.int(1).to_string(), cells.int(0).to_string());
        cells.opened_text(4, event_place(&[&record, &at]));
    }
    if table == "exchange" {
        for (at, column) in [(7, "request"), (8, "response"), (11, "parts")] {
            if let Some(sealed) = cells.blob(at) {
                let opened = seal.open(Place { table, column, row: &[&name] }, &sealed);
                cells.told(opened);
            }
        }
    }
    cells.done((), |()| (name, String::new(), String::new())).damage
}

/// Whether the answer to a decision opens.
pub(super) fn answer(seal: &Seal, row: &Row<'_>) -> Option<Damage> {
    let mut cells = Cells::new(row, seal, "control");
    let name = cells.text(0);
    let opened = seal.open(super::rows::answer_place(&[&name]), &cells.blob(1).unwrap_or_default());
    cells.told(opened);
    cells.done((), |()| (format!("decision {name}"), String::new(), String::new())).damage
}

/// A text that was packed into an exchange; one that does not open says so.
pub(super) fn unpacked(seal: &Seal, place: Place<'_>, sealed: Option<Vec<u8>>) -> Option<String> {
    let sealed = sealed?;
    let text = seal.open(place, &sealed).map(|text| String::from_utf8_lossy(&text).into_owned());
    Some(text.unwrap_or_else(|fault| fault.to_string()))
}
