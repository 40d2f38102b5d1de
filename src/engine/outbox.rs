//! The outbox: batches, intents and outcomes. Unknown outcomes are handled in `doubt`.

use std::collections::{BTreeMap, BTreeSet};

use super::connection_health::backoff;
use super::mask::Masked;
use super::open_entries::{OpenEntry, Out, Place, place};
use super::plan_entries::ledger_key;
use super::records::id_in;
use super::targets::gone_writes;
use super::{BatchKey, CallRequest, Effect, Engine, Job, Pass, delta, dependent_writes};
use crate::connector::{Done, Item, Receipt};
use crate::fault::Fault;
use crate::store::{Change, Entry, EntryState, Millis, Moved, RecordStage, RecordState, StoreResult, TargetState};
use crate::value::{Json, ObjectRef};

/// How long a batch that is not full waits, while more may come, where what it sends gets old; and a bulk call behind the one before.
const LINGER: Millis = 5_000;
/// How long any other batch that is not full waits for one more. It is longer than a slow machine takes to map a page.
const LINGER_FOR_ONE: Millis = 15_000;
/// How long such a batch waits in all, where more come all the time.
const LONGEST_LINGER: Millis = 60_000;
/// Items above which a system's way for bulk is used.
const BULK_ABOVE: usize = 2_000;
/// Entries of a batch that are kept whole while it is out; those of a larger one are read again when it comes back.
pub(super) const HELD: usize = 500;
/// Tries of one item before a person is asked.
const MOST_TRIES: u32 = 12;
/// How often a record that others change at the same time is read again.
const MOST_CONFLICTS: u32 = 6;

pub(super) fn moved(entry: &Entry) -> Change {
    Change::Sent(Moved {
        id: entry.id,
        state: entry.state,
        attempt: entry.attempt,
        due: entry.due,
        sent: entry.sent,
        doubted: entry.doubted,
        epoch: entry.epoch,
    })
}

impl Engine<'_> {
    pub(super) fn spec(&self, lot: &BatchKey) -> Option<crate::connector::Write> {
        self.write_spec(&lot.object(), lot.op(), lot.key_field.as_deref())
    }

    /// Entries whose time has come.
    pub(super) fn due_entries(&mut self) -> StoreResult<()> {
        let now = self.millis();
        let mut doubtful: BTreeMap<BatchKey, Vec<i64>> = BTreeMap::new();
        while let Some((due, id)) = self.later.first().copied().filter(|(due, _)| *due <= now) {
            self.later.remove(&(due, id));
            let Some(entry) = self.open_entries.get(id) else { continue };
            let lot = (*entry.lot).clone();
            match entry.state {
                EntryState::Ambiguous => doubtful.entry(lot).or_default().push(id),
                _ if self.is_in_half(id) => {}
                _ => {
                    self.ready.entry(lot).or_default().insert((!entry.first, id));
                }
            }
        }
        for (lot, ids) in doubtful {
            self.look_up(&lot, &ids)?;
        }
        Ok(())
    }

    /// Whether more of a lot may come soon, so that a batch that is not full is worth a wait.
    fn more_to_come(&self, lot: &BatchKey) -> bool {
        let object = lot.object();
        (0..self.flows.len()).any(|at| {
            let state = &self.flows[at];
            let (flow, _) = self.flow(at);
            let active = state.map
                || state.fetch
                || state.streams.iter().any(super::poll::StreamState::running)
                || self.leased.iter().any(|(of, _)| *of == at);
            state.on && active && self.writes_of(flow).any(|written| *written == object)
        })
    }

    /// Makes batches of what is ready. Their intents are durable before they are given out.
    pub(super) fn send(&mut self, pass: Pass, effects: &mut Vec<Effect>) -> StoreResult<()> {
        if pass == Pass::All {
            self.send_halves(effects)?;
        }
        let lots: Vec<BatchKey> = self.ready.keys().cloned().collect();
        for lot in lots {
            let Some(spec) = self.spec(&lot) else {
                // The mapping was checked against the connector's schemas: this object takes no such write.
                self.refuse_lot(&lot)?;
                continue;
            };
            while self.open(&lot.connection) {
                let Some(ready) = self.ready.get(&lot) else { break };
                let bulk = spec.bulk.filter(|_| ready.len() > BULK_ABOVE);
                let most = bulk.unwrap_or(spec.batch).max(1);
                let wanted = spec.bulk.unwrap_or(spec.batch);
                let urgent = ready.iter().next().is_some_and(|(later, _)| !*later);
                // What was read for an update gets older while it waits.
                let of_based = self.based_among(ready);
                let based = !of_based.is_empty();
                let only_based = pass == Pass::First && !urgent;
                if only_based && !based {
                    break;
                }
                let created = |id: &i64| self.open_entries.get(*id).map(|entry| entry.created);
                let oldest = ready.iter().find_map(|(_, id)| created(id)).unwrap_or(0);
                let newest = ready.iter().next_back().and_then(|(_, id)| created(id)).unwrap_or(oldest);
                // While one goes in bulk, and right after it, the next one fills.
                let fills =
                    spec.bulk.is_some() && (self.out_of(&lot) > BULK_ABOVE || self.bulk_back.is_some_and(|back| self.steady() < back + LINGER));
                // What an update was made from gets old while it waits: then its target would have to be read again.
                let until = if spec.replaces { oldest + LINGER } else { (newest + LINGER_FOR_ONE).min(oldest + LONGEST_LINGER) };
                // One that was made later than now was so before the clock was set: nothing waits for that.
                let waits = (oldest.max(newest)..until).contains(&self.millis()) || fills;
                let held = ready.len() < wanted && !urgent && !based && waits && !self.stopping && self.more_to_come(&lot);
                if held {
                    break;
                }
                // No two writes of one record at once, in this batch or any other.
                let mut ids = Vec::new();
                let (mut put_off, mut old) = (Vec::new(), Vec::new());
                let now = self.millis();
                let mut here: BTreeSet<Place> = BTreeSet::new();
                let together = if spec.replaces && !self.reads_bases(&lot.connection) { self.read_together(&lot.connection) } else { 0 };
                let mut passed_over = 0;
                let (mut some, mut all) = (of_based.iter(), ready.iter());
                let candidates: &mut dyn Iterator<Item = &(bool, i64)> = if only_based { &mut some } else { &mut all };
                for (_, id) in candidates {
                    let Some(entry) = self.open_entries.get(*id) else { continue };
                    let targets = entry.targets();
                    // An older request to the same record may still be carried out: it must not land on this one.
                    let until = targets.iter().filter_map(|target| self.unsettled.get(target)).copied().max().unwrap_or(0);
                    if until > now && entry.doubted.is_none() {
                        put_off.push((*id, until));
                        continue;
                    }
                    if spec.replaces && self.has_old_base(entry) {
                        passed_over += 1;
                        if old.len() < together {
                            old.push(*id);
                        } else if passed_over > super::base::PASSED_OVER {
                            break;
                        }
                        continue;
                    }
                    let places: Vec<_> = targets.iter().map(place).collect();
                    if places.iter().any(|place| self.in_flight_targets.contains(place) || here.contains(place)) {
                        continue;
                    }
                    here.extend(places);
                    ids.push(*id);
                    if ids.len() >= most {
                        break;
                    }
                }
                for (id, until) in put_off {
                    if let Some(moved) = self.open_entries.get(id).map(OpenEntry::moved) {
                        self.note_changes(&[Change::Sent(Moved { due: until, ..moved })]);
                    }
                }
                if !ids.is_empty() {
                    self.send_batch(&lot, &ids, effects)?;
                }
                if !old.is_empty() {
                    self.read_bases(&lot, &old)?;
                }
                if ids.is_empty() || !old.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends the halves of batches that were refused. Each goes by itself: together with others the one to blame would be looked for
    /// anew. Until it can go, and until what it lays its updates over was read again, it waits.
    fn send_halves(&mut self, effects: &mut Vec<Effect>) -> StoreResult<()> {
        for (lot, ids) in std::mem::take(&mut self.bisected) {
            let now = self.millis();
            let planned = |id: &i64| self.open_entries.get(*id).filter(|entry| entry.state == EntryState::Planned);
            let half: Vec<&OpenEntry> = ids.iter().filter_map(planned).collect();
            let ids: Vec<i64> = half.iter().map(|entry| entry.id).collect();
            let replaces = self.spec(&lot).is_some_and(|spec| spec.replaces);
            let old: Vec<i64> = half.iter().filter(|entry| replaces && self.has_old_base(entry)).map(|entry| entry.id).collect();
            // An older request to the same record may still be carried out.
            let settles = |entry: &&&OpenEntry| entry.doubted.is_none() && entry.due <= now;
            let until = |entry: &OpenEntry| entry.targets().iter().filter_map(|target| self.unsettled.get(target)).copied().max().unwrap_or(0);
            let put_off: Vec<Moved> = half.iter().filter(settles).map(|entry| Moved { due: until(entry), ..entry.moved() }).collect();
            let put_off: Vec<Change> = put_off.into_iter().filter(|moved| moved.due > now).map(Change::Sent).collect();
            let busy = |entry: &OpenEntry| entry.places().iter().any(|place| self.in_flight_targets.contains(place));
            let waits = !self.open(&lot.connection) || !put_off.is_empty() || half.iter().any(|entry| entry.due > now || busy(entry));
            self.note_changes(&put_off);
            if ids.is_empty() {
                continue;
            }
            if !waits && old.is_empty() {
                self.send_batch(&lot, &ids, effects)?;
                continue;
            }
            if !waits && !self.reads_bases(&lot.connection) {
                let together = self.read_together(&lot.connection);
                self.read_bases(&lot, &old[..old.len().min(together)])?;
            }
            self.bisected.push_back((lot, ids));
        }
        Ok(())
    }

    /// Whether an entry waits in a half of a batch that was refused: it goes with that, and not with what is ready.
    pub(super) fn is_in_half(&self, id: i64) -> bool {
        self.bisected.iter().any(|(_, half)| half.contains(&id))
    }

    fn send_batch(&mut self, lot: &BatchKey, ids: &[i64], effects: &mut Vec<Effect>) -> StoreResult<()> {
        let now = self.millis();
        // Of a large batch nothing but what is sent is kept: the rest is read again when it comes back.
        let (mut entries, mut items) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        for some in ids.chunks(HELD) {
            let mut found = self.there(some)?;
            items.extend(found.iter().map(|entry| self.item(lot, entry)));
            if ids.len() > HELD {
                found.iter_mut().for_each(|entry| (entry.body, entry.held) = (Json::Null, None));
            }
            entries.append(&mut found);
        }
        if entries.is_empty() {
            return Ok(());
        }
        let mut riders = self.riders_of(lot, &entries)?;
        let mut changes = Vec::with_capacity(entries.len() + riders.len());
        for entry in entries.iter_mut().chain(&mut riders) {
            entry.state = EntryState::Sending;
            entry.sent = Some(now);
            entry.attempt += 1;
            entry.epoch = self.store.epoch();
            self.based.remove(&entry.id);
            changes.push(moved(entry));
        }
        if self.settings.safety.intents {
            self.keep(&changes)?;
        } else {
            self.note_changes(&changes);
        }
        let riding = self.ridden(&entries, &riders);
        let ask = CallRequest::Send { object: lot.object(), op: lot.op(), key_field: lot.key_field.clone(), items, riders: riding };
        effects.push(self.begin(&lot.connection, ask, Job::Send { lot: lot.clone(), out: Out::of(entries, &riders), riders }));
        Ok(())
    }

    /// What is sent of an entry: its body with its key, laid over what the target holds where the write replaces.
    pub(super) fn item(&self, lot: &BatchKey, entry: &Entry) -> Item {
        let mut body = entry.body.clone();
        let object = self.world.plan.objects.get(&lot.object().to_string());
        if let (Json::Object(fields), Some(name), Some(key)) = (&mut body, &entry.key_field, &entry.key)
            && !fields.contains_key(name)
            && object.is_none_or(|object| object.fields.contains_key(name))
        {
            let value = self.key_value(&lot.object(), name, key);
            // With room for this one field: a batch may have ten thousand items.
            let mut whole = serde_json::Map::with_capacity(fields.len() + 1);
            whole.extend(std::mem::take(fields));
            whole.insert(name.clone(), value);
            *fields = whole;
        }
        if let (Some(held), Some(connector)) = (&entry.held, self.world.connectors.get(&lot.connection))
            && self.settings.safety.keep
            && self.spec(lot).is_some_and(|spec| spec.replaces)
        {
            body = connector.merge(&lot.object(), held, &body);
        }
        Item { key: entry.key.clone(), id: entry.target.clone(), body }
    }

    /// A key as the field of its object holds it: a number, or a text.
    pub(super) fn key_value(&self, object: &ObjectRef, field: &str, key: &str) -> Json {
        let object = self.world.plan.objects.get(&object.to_string());
        let number = object.and_then(|object| object.fields.get(field)).is_some_and(|field| field.kind == crate::value::Kind::Integer);
        key.parse::<i64>().ok().filter(|_| number).map_or_else(|| Json::String(key.to_owned()), Json::from)
    }

    fn refuse_lot(&mut self, lot: &BatchKey) -> StoreResult<()> {
        let ids: Vec<i64> = self.ready.remove(lot).into_iter().flatten().map(|(_, id)| id).collect();
        let fault = Fault::rejected("unsupported", format!("{} does not accept {}", lot.object(), lot.op), None);
        for some in ids.chunks(HELD) {
            let entries = self.store.entries(some)?;
            let receipts = entries.iter().map(|_| Receipt { outcome: Err(fault.clone()) }).collect();
            self.sent(lot, Out::Whole(entries), Vec::new(), Ok(receipts), Vec::new())?;
        }
        Ok(())
    }

    /// What became of a batch.
    pub(super) fn sent(
        &mut self,
        lot: &BatchKey,
        out: Out,
        riders: Vec<Entry>,
        sent: Result<Vec<Receipt>, Fault>,
        exchanges: Vec<Masked>,
    ) -> StoreResult<()> {
        let count = out.len();
        if count > BULK_ABOVE {
            self.bulk_back = Some(self.steady());
        }
        let mut changes = Vec::new();
        let lanes = self.lanes_of(&out, &riders);
        let exchange = self.audit(&lot.connection, exchanges, &lanes, &mut changes)?;
        let not_done = || Err(Fault::transient("the write that it was sent with was refused"));
        let (outcomes, rode) = match sent {
            Ok(receipts) => dependent_writes::parted(receipts, count, riders.len()),
            Err(Fault::BatchRefused(_)) if count > 1 => return self.bisect(lot, &out, &riders, changes),
            Err(Fault::BatchRefused(refusal)) => (vec![Err(Fault::Rejected(refusal))], vec![not_done(); riders.len()]),
            Err(fault) if dependent_writes::passing(&fault) && self.settings.safety.patience => {
                // The whole call failed: what is passing costs a record no try.
                self.goes_again(&out, &riders, |head| head.doubted, changes)?;
                return Ok(());
            }
            Err(fault) => (vec![Err(fault.clone()); count], vec![Err(fault); riders.len()]),
        };
        match out {
            Out::Whole(entries) => {
                let outcomes = entries.into_iter().zip(outcomes).collect();
                self.outcomes(lot, outcomes, riders.into_iter().zip(rode).collect(), exchange, changes)
            }
            Out::Many { ids, .. } => self.outcomes_of_many(lot, &ids, outcomes, exchange, changes),
        }
    }

    /// A large batch is settled in parts, each a commit of its own: what is left when the process ends is in doubt, as all of
    /// it would be.
    fn outcomes_of_many(
        &mut self,
        lot: &BatchKey,
        ids: &[i64],
        outcomes: Vec<Result<Done, Fault>>,
        exchange: Option<i64>,
        mut changes: Vec<Change>,
    ) -> StoreResult<()> {
        let mut outcomes = outcomes.into_iter();
        for some in ids.chunks(HELD) {
            let mut whole: BTreeMap<i64, Entry> = self.store.entries(some)?.into_iter().map(|entry| (entry.id, entry)).collect();
            // One whose row was found damaged meanwhile was sent all the same.
            let entry = |id: &i64| self.open_entries.get(*id).map(|head| head.entry(whole.remove(id)));
            let entries: Vec<Option<Entry>> = some.iter().map(entry).collect();
            let part = entries.into_iter().zip(outcomes.by_ref()).filter_map(|(entry, outcome)| Some((entry?, outcome))).collect();
            self.outcomes(lot, part, Vec::new(), exchange, std::mem::take(&mut changes))?;
        }
        Ok(())
    }

    /// The flows and lanes of what is out in a call, in the order of its items.
    fn lanes_of(&self, out: &Out, riders: &[Entry]) -> Vec<(String, String)> {
        let of = |entry: &Entry| (entry.flow.clone(), entry.lane.clone());
        let mut lanes: Vec<(String, String)> = match out {
            Out::Whole(entries) => entries.iter().map(of).collect(),
            Out::Many { ids, .. } => {
                let of = |id: &i64| self.open_entries.get(*id).map(|head| (head.flow.as_ref().to_owned(), head.lane.as_ref().to_owned()));
                ids.iter().map(|id| of(id).unwrap_or_default()).collect()
            }
        };
        lanes.extend(riders.iter().map(of));
        lanes
    }

    /// What is out in a call goes again, and this try does not count. `sent`: when its newest intent was that counts.
    fn goes_again(
        &mut self,
        out: &Out,
        riders: &[Entry],
        sent: impl Fn(&OpenEntry) -> Option<Millis>,
        mut changes: Vec<Change>,
    ) -> StoreResult<Vec<i64>> {
        let now = self.millis();
        let ids: Vec<i64> = match out {
            Out::Whole(entries) => entries.iter().map(|entry| entry.id).collect(),
            Out::Many { ids, .. } => ids.clone(),
        };
        let heads = ids.iter().copied().chain(riders.iter().map(|rider| rider.id)).filter_map(|id| self.open_entries.get(id));
        changes.extend(heads.map(|head| Change::Sent(Moved { sent: sent(head), ..head.again(now) })));
        self.keep(&changes)?;
        Ok(ids)
    }

    /// A batch that was refused as a whole goes again in halves: one of its items is to blame.
    fn bisect(&mut self, lot: &BatchKey, out: &Out, riders: &[Entry], changes: Vec<Change>) -> StoreResult<()> {
        let ids = self.goes_again(out, riders, |head| head.sent, changes)?;
        for half in ids.chunks(ids.len().div_ceil(2)) {
            for id in half {
                self.not_ready(lot, *id);
            }
            self.bisected.push_back((lot.clone(), half.to_vec()));
        }
        Ok(())
    }

    fn outcomes(
        &mut self,
        lot: &BatchKey,
        outcomes: Vec<(Entry, Result<Done, Fault>)>,
        riders: Vec<(Entry, Result<Done, Fault>)>,
        exchange: Option<i64>,
        mut changes: Vec<Change>,
    ) -> StoreResult<()> {
        let mut settled: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
        for (mut entry, outcome) in outcomes {
            let ended = match outcome {
                Ok(done) => {
                    self.confirmed(lot, &mut entry, &done, false, exchange, &mut changes)?;
                    true
                }
                Err(fault) => self.failed(&mut entry, fault, exchange, &mut changes)?,
            };
            if ended {
                settled.entry((entry.flow.clone(), entry.lane.clone())).or_default().push(entry);
            }
        }
        for (mut rider, outcome) in riders {
            let of_lane = settled.entry((rider.flow.clone(), rider.lane.clone())).or_default();
            let leader = of_lane.iter().find(|entry| rider.rides.as_ref().is_some_and(|rides| rides.on == entry.id));
            let ended = self.rode(&mut rider, leader, outcome, exchange, &mut changes)?;
            // Where what it rides on has come to an end, its lane decides what becomes of it.
            if ended || leader.is_some() {
                of_lane.push(rider);
            }
        }
        settled.retain(|_, entries| !entries.is_empty());
        // What is in memory follows at the end, with the commit: lanes look at their other entries there.
        for ((flow, key), entries) in settled {
            let Some(at) = self.flow_named(&flow) else { continue };
            let Some(lane) = self.store.record(&flow, &key)? else { continue };
            let lane = changed_lane(&changes, lane);
            self.settle_into(at, lane, entries, &mut changes)?;
        }
        self.keep(&changes)?;
        Ok(())
    }

    /// The target has it.
    pub(super) fn confirmed(
        &mut self,
        lot: &BatchKey,
        entry: &mut Entry,
        done: &Done,
        adopted: bool,
        exchange: Option<i64>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        entry.state = EntryState::Confirmed;
        let id_field = self.id_field(&lot.object());
        let id = done.id.clone().or_else(|| id_in(&done.record, &id_field)).or_else(|| entry.target.clone());
        if let Some(key) = ledger_key(entry.key.as_deref(), id.as_deref()) {
            let known = self.store.target_state(&entry.connection, &entry.object, &key)?;
            let mut ledger = known.unwrap_or_else(|| TargetState {
                connection: entry.connection.clone(),
                object: entry.object.clone(),
                key,
                ..TargetState::default()
            });
            delta::confirm(&*self.store, &mut ledger.fields, &entry.body);
            ledger.id = id.clone().or(ledger.id);
            ledger.confirmed = self.millis();
            changes.push(Change::Target(ledger));
        }
        self.known_by_both(entry, id.as_deref(), changes)?;
        if let Some(id) = &id {
            let at = self.flow_named(&entry.flow).unwrap_or(0);
            changes.push(Change::Link(self.node(at, &entry.lane, &lot.object(), id)));
        }
        entry.target = id;
        entry.result = Some(match &done.record {
            Json::Null => self.sent_with_id(lot, entry, &id_field),
            told => told.clone(),
        });
        let how = match (adopted, done.created) {
            (true, _) => "was found at the target: an earlier attempt had succeeded",
            (_, Some(true)) => "was created",
            _ => "was accepted",
        };
        changes.push(self.event(&entry.flow, &entry.lane, "confirmed", format!("{} {how}", self.named(entry)), exchange));
        Ok(())
    }

    /// What was sent of an entry, with the id of its record.
    fn sent_with_id(&self, lot: &BatchKey, entry: &Entry, id_field: &str) -> Json {
        let mut body = self.item(lot, entry).body;
        if let (Json::Object(fields), Some(id)) = (&mut body, &entry.target) {
            fields.insert(id_field.to_owned(), Json::String(id.clone()));
        }
        body
    }

    /// Whether a write went out because of what its target was read to be.
    fn is_guarded(&self, entry: &Entry) -> bool {
        let flow = self.flow_named(&entry.flow).map(|at| self.flow(at).0);
        let write = flow.and_then(|flow| flow.writes.iter().find(|write| write.name == entry.write));
        entry.held.is_some() && write.is_some_and(|write| !write.guards.is_empty())
    }

    /// It did not go. True where the entry has come to an end.
    pub(super) fn failed(&mut self, entry: &mut Entry, fault: Fault, exchange: Option<i64>, changes: &mut Vec<Change>) -> StoreResult<bool> {
        let now = self.millis();
        let salt = self.settings.seed ^ entry.id.unsigned_abs();
        let words = self.words(&fault);
        match fault {
            Fault::Throttled { .. } | Fault::Denied { .. } if !self.settings.safety.patience && entry.attempt >= MOST_TRIES => {
                self.failed(entry, Fault::transient(words.message), exchange, changes)
            }
            Fault::Throttled { until, .. } if !self.settings.safety.patience => {
                entry.state = EntryState::Planned;
                entry.due = until.map_or(now + 1_000, |until| until.as_millisecond());
                changes.push(moved(entry));
                Ok(false)
            }
            Fault::Throttled { until, .. } => {
                entry.state = EntryState::Planned;
                entry.attempt = entry.attempt.saturating_sub(1);
                entry.due = until.map_or(now + 1_000, |until| until.as_millisecond());
                changes.push(moved(entry));
                Ok(false)
            }
            Fault::Transient { .. } | Fault::Denied { .. } if entry.attempt < MOST_TRIES => {
                entry.state = EntryState::Planned;
                entry.due = now + backoff(entry.attempt, salt);
                let text = format!("{} could not be done now (attempt {}); it is retried", self.named(entry), entry.attempt);
                changes.push(self.event(&entry.flow, &entry.lane, "put_off", text, exchange));
                changes.push(moved(entry));
                Ok(false)
            }
            Fault::Ambiguous { .. } => {
                self.doubt(entry, now);
                self.settles(entry, changes);
                changes.push(self.in_doubt(entry, "its outcome is unknown", exchange));
                if entry.state == EntryState::Parked {
                    self.stop_entry(entry, "in_doubt", &words, true, changes)?;
                    return Ok(true);
                }
                if self.superseded(entry)? {
                    // Only the newest of a lane is sent again; the newer one waits until this one is settled.
                    entry.state = EntryState::Withdrawn;
                    return Ok(true);
                }
                changes.push(moved(entry));
                Ok(false)
            }
            Fault::Conflict { partly, .. } => {
                if partly {
                    // As of a refusal.
                    entry.doubted.get_or_insert(now);
                }
                let Some(lane) = self.store.record(&entry.flow, &entry.lane)? else { return Ok(false) };
                let mut lane = changed_lane(changes, lane);
                lane.attempt += 1;
                if lane.attempt > MOST_CONFLICTS {
                    entry.state = EntryState::Refused;
                    entry.error = Some(words.message.clone());
                    changes.push(Change::Record(lane));
                    self.stop_entry(entry, "refused", &words, false, changes)?;
                    return Ok(true);
                }
                if entry.after.is_some() {
                    return Ok(self.conflicting_write_back(entry, lane, exchange, changes));
                }
                lane.version = String::new();
                lane.due = now + backoff(lane.attempt, salt);
                changes.push(Change::Record(lane));
                entry.state = EntryState::Withdrawn;
                changes.push(self.event(
                    &entry.flow,
                    &entry.lane,
                    "conflict",
                    format!("{} was changed in the meantime: it is read again", self.named(entry)),
                    exchange,
                ));
                Ok(true)
            }
            Fault::Transient { .. } | Fault::Denied { .. } => {
                entry.state = EntryState::Refused;
                entry.error = Some(words.message.clone());
                self.stop_entry(entry, "exhausted", &words, false, changes)?;
                Ok(true)
            }
            // What the guard looked at may have changed since: the target is read once more, and the guard decides.
            Fault::Rejected(refusal)
                if self.is_guarded(entry) && self.store.record(&entry.flow, &entry.lane)?.is_some_and(|lane| lane.attempt == 0) =>
            {
                self.failed(entry, Fault::conflict(refusal.message), exchange, changes)
            }
            // A rejected retry does not prove failure: the earlier attempt may have succeeded.
            // Whatever was in doubt must have been carried out before what is found can be trusted.
            Fault::Rejected(_) if entry.doubted.is_some() && entry.error.is_none() && self.is_findable(entry) => {
                entry.error = Some(words.message.clone());
                entry.state = EntryState::Ambiguous;
                entry.due = now.max(entry.doubted.unwrap_or(now) + self.settle_time(entry));
                let text = format!("{} was refused, but an earlier attempt may have succeeded: it is looked up", self.named(entry));
                changes.push(self.event(&entry.flow, &entry.lane, "looks_up", text, exchange));
                changes.push(Change::Entry(entry.clone()));
                Ok(false)
            }
            Fault::Rejected(refusal) | Fault::BatchRefused(refusal) => {
                entry.state = EntryState::Refused;
                if refusal.partly {
                    // What it has tried to set may be there: the next version sends it whatever it is.
                    entry.doubted.get_or_insert(now);
                }
                entry.error = Some(words.message.clone());
                let field = refusal.field.as_ref().map(|field| format!(" on {field}")).unwrap_or_default();
                let text = format!("{} was refused: {}{field}", self.named(entry), words.message);
                changes.push(self.event(&entry.flow, &entry.lane, "refused", text, exchange));
                self.stop_entry(entry, "refused", &words, false, changes)?;
                Ok(true)
            }
        }
    }

    /// What its write-back goes to was changed meanwhile. What it tells of has happened all the same: it is sent again, over what is there
    /// now. One that goes by what is there is decided anew. True where the entry has come to an end.
    fn conflicting_write_back(&mut self, entry: &mut Entry, mut lane: RecordState, exchange: Option<i64>, changes: &mut Vec<Change>) -> bool {
        let now = self.millis();
        let due = now + backoff(lane.attempt, self.settings.seed ^ entry.id.unsigned_abs());
        let flow = self.flow_named(&entry.flow).map(|at| (at, self.flow(at).0));
        let guarded = flow.filter(|(_, flow)| gone_writes(flow).any(|write| write.name == entry.write && !write.guards.is_empty()));
        let (text, ended) = match guarded {
            Some((at, _)) => {
                entry.state = EntryState::Withdrawn;
                lane.was = Some(RecordStage::Gone);
                lane.state = RecordStage::Waiting;
                lane.due = due;
                lane.delivered.get_or_insert_with(|| entry.version.clone());
                self.look_at(at, due);
                self.flows[at].map = true;
                ("it is read again", true)
            }
            None => {
                entry.state = EntryState::Planned;
                entry.due = due;
                changes.push(moved(entry));
                ("it is sent again", false)
            }
        };
        let text = format!("{} was changed in the meantime: {text}", self.named(entry));
        changes.push(self.event(&entry.flow, &entry.lane, "conflict", text, exchange));
        changes.push(Change::Record(lane));
        ended
    }

    /// Opens the exception of an entry's record.
    pub(super) fn stop_entry(
        &mut self,
        entry: &Entry,
        code: &str,
        words: &crate::store::Reason,
        parked: bool,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        let Some(at) = self.flow_named(&entry.flow) else { return Ok(()) };
        let Some(lane) = self.store.record(&entry.flow, &entry.lane)? else { return Ok(()) };
        let mut lane = changed_lane(changes, lane);
        let mut words = words.clone();
        words.message = format!("{}: {}", self.named(entry), words.message);
        self.stopped(at, &mut lane, code, &[words], parked, changes)?;
        changes.push(Change::Record(lane));
        Ok(())
    }
}

/// A lane as this commit already changes it.
pub(super) fn changed_lane(changes: &[Change], lane: RecordState) -> RecordState {
    let newest = changes.iter().rev().find_map(|change| match change {
        Change::Record(changed) if changed.flow == lane.flow && changed.key == lane.key => Some(changed.clone()),
        _ => None,
    });
    newest.unwrap_or(lane)
}
