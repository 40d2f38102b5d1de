//! Damaged rows: found, named, set aside.
//!
//! A row that is read for work and does not fit its checksum, or has a value that cannot be decrypted, stops only its own record. What
//! can be trusted of it is kept, the rest is set aside, and an exception names it. A reader that is not the writer changes nothing.

use std::path::Path;

use rusqlite::{OptionalExtension as _, Row, params};

use super::cells::{self, Found};
use super::read::columns;
use super::rows::{self, DAMAGED};
use super::{Mode, Sqlite, fault, form};
use crate::store::{
    Change, Control, Damage, Entry, EntryState, Event, Exception, Millis, Reason, RecordStage, RecordState, StoreFault, StoreResult, TargetState,
    Watch, Watched, WebhookEvent,
};
use crate::system::Guarantee;
use crate::value::Json;

/// How long a late request to a target is waited for where the time that was noted cannot be relied on.
const LONGEST_SETTLE: Millis = 30 * 60_000;
/// Findings of SQLite's own check that are told.
const MOST_PAGES: u32 = 100;

/// What a check of the whole store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Rows that were held against their checksums and seals.
    pub rows: u64,
    pub damages: Vec<Damage>,
}

/// Looks at the head of a store's file: what is wrong there, SQLite tells in many other ways.
pub(super) fn header(path: &Path) -> StoreResult<()> {
    use std::io::Read as _;
    let mut head = [0_u8; 100];
    let Ok(mut file) = std::fs::File::open(path) else { return Ok(()) };
    let length = file.metadata().map_or(0, |known| known.len());
    if length == 0 {
        return Ok(());
    }
    let read = file.read_exact(&mut head);
    let wrong = |what: &str| Err(StoreFault::Damaged(format!("the head of the file {what}")));
    if read.is_err() {
        return wrong("is cut off");
    }
    let page = u16::from_be_bytes([head[16], head[17]]);
    let zero = |range: std::ops::Range<usize>| head[range].iter().all(|byte| *byte == 0);
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if &head[..16] != b"SQLite format 3\0" {
        return wrong("is not that of a store");
    }
    if !(page == 1 || (page >= 512 && page.is_power_of_two())) {
        return wrong("has an invalid page size");
    }
    let fixed = matches!((head[18], head[19]), (1 | 2, 1 | 2)) && head[20] == 0 && head[21..24] == [64, 32, 32];
    let modes = number(44) <= 4 && number(56) <= 1 && zero(52..56) && zero(64..72) && zero(72..92);
    if fixed && modes { Ok(()) } else { wrong("was changed") }
}

impl Sqlite {
    /// What of some rows can be relied on. What is damaged is put aside once, by `mend`, and told; where it is met
    /// again all the same, a list leaves it out.
    pub(super) fn sound<T>(&self, found: Vec<Found<T>>, mend: impl Fn(&Self, &mut T, &Damage) -> StoreResult<Vec<Change>>) -> StoreResult<Vec<T>> {
        let mut out = Vec::with_capacity(found.len());
        for one in found {
            let again = one.damage.as_ref().is_some_and(|damage| self.damaged.borrow().contains(&damage.identity()));
            if !again {
                out.push(self.sound_one(one, &mend)?);
            }
        }
        Ok(out)
    }

    pub(super) fn sound_one<T>(&self, found: Found<T>, mend: impl Fn(&Self, &mut T, &Damage) -> StoreResult<Vec<Change>>) -> StoreResult<T> {
        let Found { mut value, damage } = found;
        let Some(damage) = damage else { return Ok(value) };
        let new = self.damaged.borrow_mut().insert(damage.identity());
        if self.mode == Mode::Write {
            let changes = mend(self, &mut value, &damage)?;
            if new {
                // What a record was counted as is not known any more.
                self.put_aside(&changes, damage.table == "lane" && damage.is_of_row())?;
            }
        }
        if new {
            self.damages.borrow_mut().push(damage);
        }
        Ok(value)
    }

    /// `recounts`: the records of each state are counted anew.
    fn put_aside(&self, changes: &[Change], recounts: bool) -> StoreResult<()> {
        // A record whose state is damaged too, and that was not read yet, is counted when it is.
        let states: Vec<String> = RecordStage::ALL.iter().map(|state| format!("'{}'", state.word())).collect();
        let anew = format!(
            "DELETE FROM tally; INSERT INTO tally (flow, state, count) SELECT flow, state, count(*) FROM lane WHERE state IN ({}) GROUP BY flow, state;",
            states.join(", ")
        );
        self.apply(|put| {
            for change in changes {
                match change {
                    // It is told as refused; that it was damaged keeps it from being sent.
                    Change::Entry(entry) => put.entry(entry, DAMAGED)?,
                    other => put.change(other)?,
                }
            }
            if recounts { self.db.execute_batch(&anew).map_err(fault) } else { Ok(()) }
        })
    }

    fn when(&self, known: Millis) -> Millis {
        if self.latest.get() > 0 { self.latest.get() } else { known }
    }

    /// The exception that names what is damaged, unless one is open, and the line in its history.
    fn told(&self, damage: &Damage, label: Option<&str>, code: &str, next: &str, known: Millis) -> StoreResult<Vec<Change>> {
        let at = self.when(known);
        // Names of rows may be keys, and keys may be personal: they stand in the exception's reasons, which are sealed.
        let text = format!("the store was damaged in the table `{}`: {}", damage.table, damage.what);
        let event = Change::Event(Event { at, flow: damage.flow.clone(), lane: damage.lane.clone(), kind: DAMAGED.to_owned(), text, exchange: None });
        let open: Option<i64> = self
            .db
            .prepare_cached("SELECT id FROM exception WHERE flow = ?1 AND lane = ?2 AND code = ?3 AND closed IS NULL")
            .and_then(|mut query| query.query_row(params![damage.flow, damage.lane, code], |row| row.get(0)).optional())
            .map_err(fault)?;
        if open.is_some() {
            return Ok(vec![event]);
        }
        let exception = Exception {
            id: self.id(),
            flow: damage.flow.clone(),
            lane: damage.lane.clone(),
            label: label.map(str::to_owned),
            code: code.to_owned(),
            reasons: vec![reason(damage)],
            next: next.to_owned(),
            owner: None,
            before: None,
            parked: false,
            opened: at,
            closed: None,
            closed_by: None,
            decided: None,
        };
        Ok(vec![event, Change::Exception(exception)])
    }

    /// A record is stopped, unless nothing more is done with it by itself, or it is read again anyway.
    pub(super) fn mend_lane(&self, lane: &mut RecordState, damage: &Damage) -> StoreResult<Vec<Change>> {
        let row_changed = damage.is_of_row();
        lane.body = None;
        lane.matched = None;
        let stopped = row_changed || matches!(lane.state, RecordStage::Waiting | RecordStage::Sending);
        if stopped {
            lane.state = RecordStage::Failed;
            lane.was = None;
            // Whatever its source gives next is news.
            (lane.version, lane.stamp) = (String::new(), None);
            (lane.due, lane.attempt) = (0, 0);
            lane.seen = Vec::new();
        }
        if stopped || lane.state == RecordStage::Failed {
            lane.reasons = vec![reason(damage)];
        }
        let mut changes = self.told(
            damage,
            lane.label.as_deref(),
            DAMAGED,
            "`queue retry` reads it again from its source; `store check` shows whether more is damaged",
            lane.updated,
        )?;
        changes.push(Change::Record(lane.clone()));
        Ok(changes)
    }

    /// A write is never sent once it is damaged. Where it may have been sent before, a person looks.
    pub(super) fn mend_entry(&self, entry: &mut Entry, damage: &Damage) -> StoreResult<Vec<Change>> {
        let moving = matches!(entry.state, EntryState::Sending | EntryState::Ambiguous);
        let perhaps_sent =
            entry.guarantee > Guarantee::Idempotent && (damage.is_of_row() || entry.doubted.is_some() || (moving && entry.sent.is_some()));
        let (code, next) = match perhaps_sent {
            true => ("in_doubt", "check whether it is at the target: `queue discard` if it is; `replay` sends the record again if it is not"),
            false => (DAMAGED, "`queue retry` reads the record again and sends it again"),
        };
        entry.state = EntryState::Refused;
        (entry.body, entry.held, entry.result, entry.rides) = (Json::Null, None, None, None);
        entry.error = Some(damage.to_string());
        let lane = self.found_lane(&entry.flow, &entry.lane)?.map(|found| found.value);
        let mut changes = self.told(damage, lane.as_ref().and_then(|lane| lane.label.as_deref()), code, next, entry.created)?;
        changes.push(Change::Entry(entry.clone()));
        if let Some(mut lane) = lane
            && !lane.state.settled()
        {
            lane.state = RecordStage::Failed;
            lane.reasons = vec![reason(damage)];
            if !perhaps_sent {
                (lane.version, lane.seen) = (String::new(), Vec::new());
            }
            changes.push(Change::Record(lane));
        }
        Ok(changes)
    }

    pub(super) fn mend_exception(exception: &mut Exception, damage: &Damage) -> Vec<Change> {
        exception.reasons = vec![reason(damage)];
        vec![Change::Exception(exception.clone())]
    }

    /// What was confirmed of a target is not known any more: its next version is held against what the target holds.
    pub(super) fn mend_ledger(&self, ledger: &mut TargetState, damage: &Damage) -> StoreResult<Vec<Change>> {
        let confirmed = std::mem::take(&mut ledger.confirmed);
        ledger.fields.clear();
        ledger.id = None;
        let id = ledger.key.split_once(':').map_or(ledger.key.as_str(), |(_, id)| id);
        let object = format!("{}.{}", ledger.connection, ledger.object);
        let of = self.lane_linked(&object, id)?;
        let damage = of.map_or_else(|| damage.clone(), |(flow, lane)| Damage { flow, lane, ..damage.clone() });
        let next = "its next version is compared with what the target holds; `replay` does so now";
        let mut changes = self.told(&damage, None, DAMAGED, next, confirmed)?;
        changes.push(Change::Target(ledger.clone()));
        Ok(changes)
    }

    /// A webhook is only a hint: the next poll tells what it pointed to.
    pub(super) fn mend_hint(&self, hint: &mut WebhookEvent, damage: &Damage) -> StoreResult<Vec<Change>> {
        let mut changes =
            self.told(damage, None, DAMAGED, "nothing is lost: the next poll reads what it pointed to; then `queue discard`", hint.at)?;
        changes.push(Change::DropHint(hint.id));
        Ok(changes)
    }

    pub(super) fn mend_control(&self, control: &mut Control, damage: &Damage) -> StoreResult<Vec<Change>> {
        let answer = serde_json::json!({"done": 0, "not": [format!("the request cannot be read: {damage}; ask again")]});
        let mut changes = self.told(damage, None, DAMAGED, "it was not carried out: decide again, then `queue discard`", control.at)?;
        changes.push(Change::Answer { id: control.id, answer: answer.clone() });
        control.answer = Some(answer);
        Ok(changes)
    }

    /// A deadline is looked at now; a target that a late request may still change is left alone for as long as any.
    pub(super) fn mend_watch(&self, watch: &mut Watch, damage: &Damage) -> StoreResult<Vec<Change>> {
        let mut changes = self.told(damage, None, DAMAGED, "its deadline is checked now; then `queue discard`", watch.since)?;
        changes.push(Change::DropWatch { what: watch.what.clone(), flow: watch.flow.clone(), lane: watch.lane.clone() });
        watch.since = watch.since.min(self.when(watch.since));
        watch.due = match watch.what {
            Watched::Settle => self.when(watch.since) + LONGEST_SETTLE,
            _ => self.when(watch.since),
        };
        changes.push(Change::Watch(watch.clone()));
        Ok(changes)
    }

    /// Holds everything against its checksum and its seal, and lets SQLite check its pages. It changes nothing.
    ///
    /// # Errors
    /// The store cannot be read at all.
    pub fn verify(&self) -> StoreResult<Checked> {
        let mut checked = Checked::default();
        let pages = self.lines(&format!("PRAGMA integrity_check({MOST_PAGES})"));
        match pages {
            Ok(lines) => checked.damages.extend(lines.into_iter().filter(|line| line != "ok").map(|line| named(Damage::PAGES, line))),
            Err(why) => checked.damages.push(named(Damage::PAGES, why.to_string())),
        }
        let seal = &self.seal;
        let lane = format!(
            "SELECT {}, lane.sum, seen, seen_sum, body.sealed FROM lane LEFT JOIN body ON body.flow = lane.flow AND body.key = lane.key",
            columns("lane", rows::LANE)
        );
        self.each(&mut checked, "lane", &lane, |row| cells::lane(seal, row).damage);
        let entry = format!(
            "SELECT {}, sum, {}, moved_sum, {} FROM entry LEFT JOIN payload ON payload.id = entry.id",
            columns("entry", rows::ENTRY),
            columns("entry", rows::MOVED),
            rows::SEALED
        );
        self.each(&mut checked, "entry", &entry, |row| cells::entry(seal, row, true).damage);
        let of = |table: &str, columns: &str| format!("SELECT {columns}, sum FROM {table}");
        self.each(&mut checked, "exception", &of("exception", rows::EXCEPTION), |row| cells::exception(seal, row).damage);
        self.each(&mut checked, "ledger", &of("ledger", rows::LEDGER), |row| cells::ledger(seal, row, None).damage);
        self.each(&mut checked, "checkpoint", &of("checkpoint", rows::CHECKPOINT), |row| cells::checkpoint(seal, row).damage);
        self.each(&mut checked, "hint", &of("hint", rows::HINT), |row| cells::hint(seal, row).damage);
        self.each(&mut checked, "watch", &of("watch", rows::WATCH), |row| cells::watch(seal, row).damage);
        self.each(&mut checked, "erasure", &of("erasure", rows::ERASURE), |row| cells::erasure(seal, row).damage);
        self.each(&mut checked, "meta", &of("meta", "name, value"), |row| cells::meta(seal, row).damage);
        self.each(&mut checked, "spare", &of("spare", "kind, name, value"), |row| cells::spare(seal, row).damage);
        self.each(&mut checked, "control", "SELECT id, sealed_body, at FROM control", |row| cells::control(seal, row).damage);
        self.each(&mut checked, "control", "SELECT id, sealed_answer FROM control WHERE sealed_answer IS NOT NULL", |row| cells::answer(seal, row));
        self.each(&mut checked, "event", &format!("SELECT {}, sum, seq FROM event", rows::EVENT), |row| cells::checked(seal, row, "event", 6, 7));
        self.each(&mut checked, "exchange", &of("exchange", rows::EXCHANGE), |row| cells::checked(seal, row, "exchange", 12, 0));
        // What belongs together, and does not find each other any more.
        for (table, sql) in [
            (
                "body",
                "SELECT flow || ' ' || key FROM body WHERE NOT EXISTS (SELECT 1 FROM lane WHERE lane.flow = body.flow AND lane.key = body.key AND bodied = 1)",
            ),
            ("payload", "SELECT id FROM payload WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.id = payload.id)"),
            ("event", "SELECT seq FROM event WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = event.record)"),
            ("link", "SELECT hex(id) FROM link WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = link.record)"),
            ("record", "SELECT key FROM record WHERE NOT EXISTS (SELECT 1 FROM word WHERE word.id = record.flow)"),
            (
                "tally",
                "SELECT flow || ' ' || state FROM (SELECT flow, state, count(*) AS n FROM lane GROUP BY flow, state) AS now \
                 WHERE n <> coalesce((SELECT count FROM tally WHERE tally.flow = now.flow AND tally.state = now.state), 0) \
                 UNION SELECT flow || ' ' || state FROM tally WHERE count <> 0 AND NOT EXISTS \
                 (SELECT 1 FROM lane WHERE lane.flow = tally.flow AND lane.state = tally.state)",
            ),
        ] {
            match self.lines(sql) {
                Ok(lines) => checked.damages.extend(lines.into_iter().map(|line| {
                    let what = if table == "tally" { "its count is wrong" } else { "what it belongs to is not there" };
                    Damage { what: what.to_owned(), ..named(table, line) }
                })),
                Err(why) => checked.damages.push(Damage { what: why.to_string(), ..named(table, "all".to_owned()) }),
            }
        }
        Ok(checked)
    }

    fn lines(&self, sql: &str) -> StoreResult<Vec<String>> {
        let mut statement = self.db.prepare(sql).map_err(fault)?;
        let found = statement.query_map([], |row| form::lossy(row, 0)).map_err(fault)?;
        found.collect::<rusqlite::Result<_>>().map_err(fault)
    }

    fn each(&self, checked: &mut Checked, table: &'static str, sql: &str, read: impl Fn(&Row<'_>) -> Option<Damage>) {
        let all = || -> StoreResult<(u64, Vec<Damage>)> {
            let (mut count, mut damages) = (0, Vec::new());
            let mut statement = self.db.prepare(sql).map_err(fault)?;
            let mut found = statement.query([]).map_err(fault)?;
            loop {
                match found.next() {
                    Ok(Some(row)) => {
                        count += 1;
                        damages.extend(read(row));
                    }
                    Ok(None) => break,
                    Err(why) => {
                        damages.push(Damage { what: fault(why).to_string(), ..named(table, "what follows".to_owned()) });
                        break;
                    }
                }
            }
            Ok((count, damages))
        };
        match all() {
            Ok((count, damages)) => {
                checked.rows += count;
                checked.damages.extend(damages);
            }
            Err(why) => checked.damages.push(Damage { what: why.to_string(), ..named(table, "all".to_owned()) }),
        }
    }

    /// Whether SQLite finds its pages whole.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] with what was found.
    pub fn check(&self) -> StoreResult<()> {
        let lines = self.lines("PRAGMA integrity_check(1)")?;
        match lines.into_iter().find(|line| line != "ok") {
            None => Ok(()),
            Some(line) => Err(StoreFault::Damaged(line)),
        }
    }
}

fn named(table: &'static str, row: String) -> Damage {
    Damage { table, row, flow: String::new(), lane: String::new(), what: String::new() }
}

fn reason(damage: &Damage) -> Reason {
    Reason {
        kind: DAMAGED.to_owned(),
        message: format!("the store is damaged: {damage}"),
        field: None,
        place: None,
        owner: None,
        before: None,
        review: true,
    }
}
