//! Writes of unknown outcome: whether they are retried, looked up at their target, or left to a person.

use std::collections::BTreeSet;

use super::connection_health::backoff;
use super::open_entries::target;
use super::outbox::{changed_lane, moved};
use super::plan_entries::ledger_key;
use super::records::id_in;
use super::{BatchKey, CallRequest, Engine, Job, delta};
use crate::connector::{Done, Found};
use crate::fault::Fault;
use crate::store::{Change, Entry, EntryState, Millis, StoreResult, TargetState};
use crate::system::Guarantee;
use crate::value::Json;

/// How far this machine's clock may be set forward while a settle time runs.
pub(super) const CLOCK: Millis = 120_000;
/// How long after its target could not be read an entry asks for it again.
pub(super) const AGAIN: Millis = 5_000;

impl Engine<'_> {
    /// How long a request of this write may still be carried out after it was sent, and be invisible to a search.
    pub(super) fn settle_time(&self, entry: &Entry) -> Millis {
        if !self.settings.safety.settle {
            return 0;
        }
        self.spec(&BatchKey::of(entry)).map_or(600_000, |spec| spec.settle.as_millis() as Millis) + CLOCK
    }

    /// Whether a newer version of an entry's record waits behind it.
    pub(super) fn superseded(&self, entry: &Entry) -> StoreResult<bool> {
        let newest = self.store.record(&entry.flow, &entry.lane)?;
        Ok(entry.guarantee == Guarantee::Idempotent && entry.after.is_none() && newest.is_some_and(|lane| lane.version != entry.version))
    }

    /// Tells that an entry's outcome is in doubt, and what follows.
    pub(super) fn in_doubt(&self, entry: &Entry, why: &str, exchange: Option<i64>) -> Change {
        let what = match entry.state {
            EntryState::Planned => "it is retried: the target enforces its key, so it has one effect",
            EntryState::Ambiguous => "it is looked up after its settle time",
            _ => "a person decides",
        };
        self.event(&entry.flow, &entry.lane, "ambiguous", format!("{}: {why}; {what}", self.named(entry)), exchange)
    }

    /// The outcome of an entry is not known: what is done depends on what its target enforces.
    pub(super) fn doubt(&mut self, entry: &mut Entry, now: Millis) {
        let sent = entry.sent.unwrap_or(now);
        entry.doubted = Some(sent.max(entry.doubted.unwrap_or(0)));
        if entry.review_doubt || entry.guarantee == Guarantee::Unprotected {
            entry.state = EntryState::Parked;
        } else if entry.guarantee == Guarantee::Idempotent && !(self.settings.safety.look_up && self.repeat_adds(entry)) {
            entry.state = EntryState::Planned;
            entry.due = now + backoff(entry.attempt, self.settings.seed ^ entry.id.unsigned_abs());
        } else if self.settings.safety.look_up {
            entry.state = EntryState::Ambiguous;
            entry.due = sent + self.settle_time(entry);
        } else {
            entry.state = EntryState::Planned;
            entry.due = now;
        }
    }

    /// Whether an entry that is sent twice would have another effect than one that is sent once. One that cannot be read is
    /// looked up: that is never wrong.
    fn repeat_adds(&self, entry: &Entry) -> bool {
        let Some(connector) = self.world.connectors.get(&entry.connection).filter(|_| self.is_findable(entry)) else { return false };
        let adds = |body: &Json| connector.repeat_adds(&BatchKey::of(entry).object(), body);
        // An entry that only waits is held without its payload.
        if entry.body.is_null() {
            self.store.entry(entry.id).map_or(true, |whole| whole.is_some_and(|whole| adds(&whole.body)))
        } else {
            adds(&entry.body)
        }
    }

    /// Notes that an entry's target may still be changed by a request that was sent.
    pub(super) fn settles(&mut self, entry: &Entry, changes: &mut Vec<Change>) {
        let time = self.settle_time(entry);
        if time == 0 || !self.settings.safety.lanes {
            return;
        }
        let now = self.millis();
        let due = entry.sent.unwrap_or(now) + time;
        for target in target(entry) {
            let known = self.unsettled.entry(target.clone()).or_insert(due);
            *known = due.max(*known);
            let watch = super::timers::settle(&target, now, *known);
            self.watch(watch, changes);
        }
    }

    /// Looks for the marks of entries whose outcome is in doubt.
    pub(super) fn look_up(&mut self, lot: &BatchKey, ids: &[i64]) -> StoreResult<()> {
        let field = self.mark_field(lot);
        let path: Vec<String> = field.split('.').map(str::to_owned).collect();
        let entries = self.there(ids)?;
        let most = self.world.connectors.get(&lot.connection).map_or(1, |connector| connector.lookup_batch(&lot.object(), &path)).max(1);
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let part: Vec<Entry> = entries.by_ref().take(most).collect();
            let values = part.iter().filter_map(|entry| self.mark(entry, &field)).collect();
            let fields = self.compared(&path, &part);
            let ask = CallRequest::Find { object: lot.object(), field: path.clone(), values, companions: Vec::new(), fields };
            self.want(&lot.connection, ask, Job::LookUp { entries: part });
        }
        Ok(())
    }

    /// The fields of a target that a look-up needs: those that were sent, so that one that the target has no more keeps nobody from
    /// being looked up. None means all: where other writes read what is found.
    fn compared(&self, mark: &[String], entries: &[Entry]) -> Vec<Vec<String>> {
        let reads_result = |entry: &Entry| {
            let flow = self.flow_named(&entry.flow).map(|at| self.flow(at).0);
            flow.is_none_or(|flow| flow.writes.iter().any(|write| write.name == entry.write && write.result.is_some()))
        };
        if entries.iter().any(reads_result) {
            return Vec::new();
        }
        let id = entries.first().map(|entry| vec![self.id_field(&BatchKey::of(entry).object())]);
        let sent = entries.iter().filter_map(|entry| entry.body.as_object()).flatten().map(|(name, _)| vec![name.clone()]);
        let fields: BTreeSet<Vec<String>> = id.into_iter().chain([mark.to_vec()]).chain(sent).collect();
        fields.into_iter().collect()
    }

    /// The field by which the effect of a write is found at its target.
    pub(super) fn mark_field(&self, lot: &BatchKey) -> String {
        let spec = self.spec(lot);
        // Where the target itself keeps the key, it is the mark.
        let native = lot.key_field.clone().filter(|_| spec.as_ref().is_some_and(|spec| spec.guarantee == Guarantee::Idempotent));
        native.or_else(|| spec.and_then(|spec| spec.found_by)).or_else(|| lot.key_field.clone()).unwrap_or_else(|| self.id_field(&lot.object()))
    }

    /// By what an entry's effect is found at its target.
    fn mark(&self, entry: &Entry, field: &str) -> Option<String> {
        let by_id = entry.target.clone().filter(|_| field == self.id_field(&BatchKey::of(entry).object()));
        by_id.or_else(|| mark_of(entry.key.as_deref(), entry.key_field.as_deref(), &entry.body, field))
    }

    /// Whether an entry's effect can be looked for at its target.
    pub(super) fn is_findable(&self, entry: &Entry) -> bool {
        let keyed = entry.key.is_some() && entry.key_field.is_some();
        entry.guarantee < Guarantee::Unprotected && (entry.target.is_some() || keyed)
    }

    /// Its record is at the target, and holds other values than were sent: what it holds is known from now on, and the record is
    /// mapped again on that.
    fn adopt_in_part(&mut self, lot: &BatchKey, entry: &mut Entry, found: &Found, changes: &mut Vec<Change>) -> StoreResult<()> {
        let lacks = self.lacks(&lot.object(), &found.record, &entry.body);
        let id = id_in(&found.record, &self.id_field(&lot.object())).or_else(|| entry.target.clone());
        if let Some(key) = ledger_key(entry.key.as_deref(), id.as_deref()) {
            let known = self.store.target_state(&entry.connection, &entry.object, &key)?;
            let mut ledger = known.unwrap_or_else(|| TargetState {
                connection: entry.connection.clone(),
                object: entry.object.clone(),
                key,
                ..TargetState::default()
            });
            delta::forget(&mut ledger.fields, &entry.body, |_| false);
            ledger.id = id.clone().or(ledger.id);
            ledger.confirmed = self.millis();
            changes.push(Change::Target(ledger));
        }
        entry.target = id;
        let text = format!("{} is at the target with other values in {}: it is mapped again, based on those", self.named(entry), lacks.join(", "));
        changes.push(self.event(&entry.flow, &entry.lane, "looked_up", text, None));
        let reason = entry.error.take().unwrap_or_else(|| format!("the target holds other values in {}", lacks.join(", ")));
        self.failed(entry, Fault::conflict(reason), None, changes)?;
        Ok(())
    }

    pub(super) fn looked_up(&mut self, entries: Vec<Entry>, found: Result<Vec<Found>, Fault>) -> StoreResult<()> {
        let now = self.millis();
        let Some(lot) = entries.first().map(BatchKey::of) else { return Ok(()) };
        let field = self.mark_field(&lot);
        let mut changes = Vec::new();
        let mut settled: Vec<Entry> = Vec::new();
        match found {
            Err(fault) if fault.may_pass() => {
                for mut entry in entries {
                    let wait = self.is_unanswered(&entry.flow, &entry.lane, "whether a write was done", &fault)?;
                    entry.due = now + wait.max(AGAIN);
                    changes.push(moved(&entry));
                }
            }
            // The target does not take the question, and would not if it were asked again: a person has to look.
            Err(fault) => {
                let words = self.words(&fault);
                return self.left_to_a_person(entries, &words, changes);
            }
            Ok(found) => {
                for mut entry in entries {
                    self.is_answered(&entry.flow, &entry.lane);
                    let value = self.mark(&entry, &field);
                    let hits: Vec<&Found> = found.iter().filter(|found| Some(&found.value) == value.as_ref()).collect();
                    match hits.as_slice() {
                        [] => {
                            entry.state = EntryState::Planned;
                            entry.due = now;
                            let text = format!("{} is not at the target: it is sent again", self.named(&entry));
                            changes.push(self.event(&entry.flow, &entry.lane, "looked_up", text, None));
                            changes.push(moved(&entry));
                        }
                        [one]
                            if self.settings.safety.compare
                                && entry.op != "create"
                                && !self.lacks(&lot.object(), &one.record, &entry.body).is_empty() =>
                        {
                            self.adopt_in_part(&lot, &mut entry, one, &mut changes)?;
                            settled.push(entry);
                        }
                        [one] => {
                            let id = id_in(&one.record, &self.id_field(&lot.object()));
                            let done = Done { id, created: None, record: one.record.clone() };
                            self.confirmed(&lot, &mut entry, &done, true, None, &mut changes)?;
                            settled.push(entry);
                        }
                        many => {
                            let words = format!("the target has {} records with its key", many.len());
                            let fault = Fault::rejected("several", words, None);
                            self.failed(&mut entry, fault, None, &mut changes)?;
                            settled.push(entry);
                        }
                    }
                }
            }
        }
        self.settle_each(settled, changes)
    }

    /// Entries whose outcome nobody but a person can find out.
    pub(super) fn left_to_a_person(&mut self, entries: Vec<Entry>, words: &crate::store::Reason, mut changes: Vec<Change>) -> StoreResult<()> {
        let mut settled = Vec::new();
        for mut entry in entries {
            entry.state = EntryState::Parked;
            self.stop_entry(&entry, "in_doubt", words, true, &mut changes)?;
            settled.push(entry);
        }
        self.settle_each(settled, changes)
    }

    /// Entries that were never sent, and that are not: a person has to look.
    pub(super) fn never_sent(&mut self, entries: Vec<Entry>, words: &crate::store::Reason) -> StoreResult<()> {
        let mut changes = Vec::new();
        let mut settled = Vec::new();
        for mut entry in entries {
            self.is_answered(&entry.flow, &entry.lane);
            entry.state = EntryState::Refused;
            entry.error = Some(words.message.clone());
            self.stop_entry(&entry, "refused", words, false, &mut changes)?;
            settled.push(entry);
        }
        self.settle_each(settled, changes)
    }

    fn settle_each(&mut self, settled: Vec<Entry>, mut changes: Vec<Change>) -> StoreResult<()> {
        for entry in settled {
            let Some(at) = self.flow_named(&entry.flow) else { continue };
            let Some(lane) = self.store.record(&entry.flow, &entry.lane)? else { continue };
            let lane = changed_lane(&changes, lane);
            self.settle_into(at, lane, vec![entry], &mut changes)?;
        }
        self.keep(&changes)
    }
}

/// By what a write's effect is found at its target: its key, or the field of its body that holds it.
pub(super) fn mark_of(key: Option<&str>, key_field: Option<&str>, body: &Json, field: &str) -> Option<String> {
    let in_body = super::plan_entries::text(body.get(field));
    let key = key.map(str::to_owned);
    if key_field == Some(field) { key.or(in_body) } else { in_body.or(key) }
}
