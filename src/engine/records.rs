//! Record states (the state of one record in one flow): how a record ends, and its exceptions.

use std::collections::BTreeMap;

use super::alerts::Raise;
use super::plan_entries::{ledger_key, text};
use super::targets::Targets;
use super::{Engine, groups, mask};
use crate::eval::queries::{self, Happened};
use crate::eval::{self, Inputs};
use crate::fault::Fault;
use crate::ir::{Event, Flow};
use crate::store::{Change, Entry, EntryState, Exception, Millis, Reason, RecordStage, RecordState, StoreResult, TargetState, Watched};
use crate::value::Json;

impl Engine<'_> {
    /// Whether a lane has a write that may be carried out while a newer one would be.
    pub(super) fn flying(&self, flow: &str, lane: &str) -> bool {
        self.open_entries.of_lane(flow, lane).any(|entry| {
            matches!(entry.state, EntryState::Sending | EntryState::Ambiguous) || (entry.after.is_some() && entry.state == EntryState::Planned)
        })
    }

    /// Drops what is planned of a lane. What was sent of it and is in doubt may hold or not: the ledger forgets it.
    pub(super) fn drop_entries(&mut self, flow: &str, lane: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        let ids = self.open_entries.ids(flow, lane).to_vec();
        let doubted = self.open_entries.of_lane(flow, lane).any(|entry| entry.doubted.is_some());
        if doubted && self.settings.safety.lanes {
            let mut entries = self.store.entries_of(flow, lane)?;
            entries.iter_mut().filter(|entry| entry.state == EntryState::Planned).for_each(|entry| entry.state = EntryState::Withdrawn);
            self.forget_doubtful(&entries, changes)?;
        }
        for id in ids {
            changes.push(Change::DropEntry(id));
            self.forget(id);
        }
        Ok(())
    }

    /// Whether a lane's writes that are not done are of a version, and none of another.
    pub(super) fn is_written_as(&self, lane: &RecordState, version: &str) -> bool {
        let mut writes = self.open_entries.of_lane(&lane.flow, &lane.key).filter(|entry| entry.after.is_none()).peekable();
        writes.peek().is_some() && writes.all(|entry| *entry.version == *version && !entry.version.is_empty())
    }

    /// Whether a flow's records are needed after they are delivered: by a write-back for those that are gone, or by
    /// an expectation's words.
    fn keeps(&self, flow: &Flow) -> bool {
        flow.follow_ups.iter().any(|after| after.events.contains(&Event::IsGone))
            || self.world.plan.mapping.expects.iter().any(|expect| expect.flow == flow.name)
    }

    /// The record was delivered, or nothing had to be: what was open about it is closed.
    pub(super) fn went_through(&mut self, at: usize, lane: &mut RecordState, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let first = lane.delivered.is_none();
        self.moved += 1;
        lane.delivered = Some(lane.version.clone());
        lane.reasons.clear();
        lane.attempt = 0;
        if !self.keeps(flow) && flow.group.is_none() {
            lane.body = None;
            lane.matched = None;
        }
        self.mend(lane, changes)?;
        self.expect(at, lane, first, changes)
    }

    /// Closes the open exceptions of a lane: it went through since.
    pub(super) fn mend(&mut self, lane: &RecordState, changes: &mut Vec<Change>) -> StoreResult<()> {
        self.close(&lane.flow, &lane.key, "mended", changes)
    }

    pub(super) fn close(&mut self, flow: &str, lane: &str, by: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        for mut exception in self.store.exceptions_of(flow, lane)? {
            exception.closed = Some(self.millis());
            exception.closed_by = Some(by.to_owned());
            changes.push(Change::Exception(exception));
        }
        Ok(())
    }

    /// Reasons of the mapping, as the store keeps them.
    pub(super) fn stopped_by(
        &mut self,
        at: usize,
        lane: &mut RecordState,
        code: &str,
        reasons: &[eval::Reason],
        parked: bool,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        let kept = |reason: &eval::Reason| Reason {
            kind: reason.kind.to_owned(),
            message: reason.message.clone(),
            field: reason.field.clone(),
            place: reason.place.as_ref().map(|place| format!("{}:{}", place.file, place.line)),
            owner: reason.owner.clone(),
            before: reason.before.map(|before| before.as_millisecond()),
            review: reason.review,
        };
        let reasons: Vec<Reason> = reasons.iter().map(kept).collect();
        self.stopped(at, lane, code, &reasons, parked, changes)
    }

    /// Opens an exception, or brings the one that is open up to date.
    pub(super) fn stopped(
        &mut self,
        at: usize,
        lane: &mut RecordState,
        code: &str,
        reasons: &[Reason],
        parked: bool,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        lane.reasons = reasons.to_vec();
        let now = self.millis();
        let open = self.store.exceptions_of(&lane.flow, &lane.key)?;
        let mut known = None;
        for mut exception in open {
            if exception.code == code && known.is_none() {
                known = Some(exception);
            } else {
                exception.closed = Some(now);
                exception.closed_by = Some("superseded".to_owned());
                changes.push(Change::Exception(exception));
            }
        }
        let owner = reasons.iter().find_map(|reason| reason.owner.clone());
        let before = reasons.iter().filter_map(|reason| reason.before).min();
        let again = known.as_ref().is_some_and(|known| known.reasons == reasons);
        let exception = Exception {
            id: match &known {
                Some(known) => known.id,
                None => self.store.next_id()?,
            },
            flow: lane.flow.clone(),
            lane: lane.key.clone(),
            label: lane.label.clone(),
            code: code.to_owned(),
            reasons: reasons.to_vec(),
            next: next(code, parked).to_owned(),
            owner: owner.clone(),
            before,
            parked,
            opened: known.as_ref().map_or(now, |known| known.opened),
            closed: None,
            closed_by: None,
            decided: None,
        };
        let words: Vec<String> = reasons.iter().map(|reason| self.scrubbed(lane, &reason.message)).collect::<StoreResult<_>>()?;
        let text = words.join("; ");
        if !again {
            changes.push(self.event(&flow.name, &lane.key, code, text.clone(), None));
        }
        let cause = cause(&exception);
        if known.as_ref().is_none_or(|known| self::cause(known) != cause) {
            let subject = lane.label.clone().unwrap_or_else(|| lane.key.clone());
            let message = format!("{code} in {}: {text}", flow.name);
            self.raise(Raise { cause, kind: "exception", subject, message, owner, before, lasting: true }, changes)?;
        }
        changes.push(Change::Exception(exception));
        Ok(())
    }

    /// The words of a fault, as a reason.
    pub(super) fn words(&self, fault: &Fault) -> Reason {
        let (kind, message, field) = match fault {
            Fault::Rejected(refusal) | Fault::BatchRefused(refusal) => {
                ("target", format!("{} ({})", refusal.message, refusal.code), refusal.field.clone())
            }
            other => (other.class(), other.to_string(), None),
        };
        let message = if self.settings.safety.scrub { self.met.taken_out(&message) } else { message };
        Reason { kind: kind.to_owned(), message, field, place: None, owner: None, before: None, review: false }
    }

    /// Words without the personal values of the record that they are about.
    pub(super) fn scrubbed(&self, lane: &RecordState, words: &str) -> StoreResult<String> {
        if !self.settings.safety.scrub {
            return Ok(words.to_owned());
        }
        let lanes = mask::quotable(&*self.store, lane)?;
        Ok(mask::of_record(&self.masks, self.world.plan, &lanes, &[], words).text(words))
    }

    /// What a write is to, for people; its key without what it says of a person.
    pub(super) fn named(&self, entry: &Entry) -> String {
        let shown = match (&entry.key, &entry.key_field, self.masks.get(&entry.connection)) {
            (Some(key), Some(field), Some(mask)) => {
                mask.shows(&entry.object, std::slice::from_ref(field)) && !mask.is_of_person(Some(&entry.object), &entry.body, key)
            }
            _ => true,
        };
        let name = entry.key.as_deref().map(|key| mask::key(key, shown)).or_else(|| entry.target.clone()).unwrap_or_default();
        format!("{} {}.{} {name}", entry.op, entry.connection, entry.object)
    }

    /// A record is gone from its source, or from its flow.
    pub(super) fn gone(&mut self, at: usize, mut lane: RecordState, why: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        if flow.group.is_some() && !groups::is_group(&lane) {
            return self.gone_from_group(at, lane, why, changes);
        }
        if matches!(lane.state, RecordStage::Gone | RecordStage::Discarded) {
            return Ok(());
        }
        if self.flying(&lane.flow, &lane.key) {
            // What is on its way is waited for; then it is looked at again.
            lane.version = String::new();
            lane.state = RecordStage::Sending;
            changes.push(Change::Record(lane));
            return Ok(());
        }
        self.drop_entries(&lane.flow, &lane.key, changes)?;
        let answered = flow.follow_ups.iter().any(|after| after.events.contains(&Event::IsGone));
        if answered && lane.delivered.is_some() && lane.body.is_none() && flow.group.is_none() {
            return self.gone_unknown(at, lane, why, changes);
        }
        if answered && lane.delivered.is_some() && (!flow.matches.is_empty() || self.looks_at_targets(at)) {
            // Its write-backs go by what they find now, not by what was there when it was delivered.
            lane.was = Some(RecordStage::Gone);
            lane.state = RecordStage::Waiting;
            self.bound_wait(&mut lane);
            changes.push(Change::Record(lane));
            self.flows[at].map = true;
            return Ok(());
        }
        self.gone_as_matched(at, lane, why, &Targets::NONE, changes)
    }

    /// A record is gone, and what its write-backs go by was read just now.
    pub(super) fn gone_as_matched(
        &mut self,
        at: usize,
        mut lane: RecordState,
        why: &str,
        seen: &Targets<'_>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let answered = flow.follow_ups.iter().any(|after| after.events.contains(&Event::IsGone));
        lane.was = None;
        lane.updated = self.millis();
        lane.state = RecordStage::Gone;
        changes.push(self.event(&flow.name, &lane.key, "gone", why.to_owned(), None));
        for expect in self.world.plan.mapping.expects.iter().filter(|expect| expect.flow == flow.name) {
            changes.push(Change::DropWatch { what: Watched::Expectation(expect.name.clone()), flow: lane.flow.clone(), lane: lane.key.clone() });
        }
        if lane.delivered.is_some() {
            self.expect_anew(&lane, changes)?;
        }
        if lane.delivered.is_none() {
            self.close(&lane.flow, &lane.key, "gone", changes)?;
            lane.body = None;
            changes.push(Change::Record(lane));
            return Ok(());
        }
        if answered {
            let (payloads, faults) = self.write_backs(at, &lane, &Happened::IsGone, &BTreeMap::new(), &[why.to_owned()], seen.mapped);
            let matched = matched_of(&lane);
            let made = self.payloads(at, &mut lane, payloads, Some("is gone"), &matched, seen, false, changes)?;
            if !faults.is_empty() {
                self.stopped_by(at, &mut lane, "gone", &faults, false, changes)?;
            } else if !made.asked.is_empty() {
                self.stopped(at, &mut lane, "gone", &made.asked, true, changes)?;
            }
        } else {
            let reason = Reason {
                kind: "gone".to_owned(),
                message: format!("{why}, and the target still has it"),
                field: None,
                place: Some(format!("{}:{}", flow.place.file, flow.place.line)),
                owner: None,
                before: None,
                review: true,
            };
            self.stopped(at, &mut lane, "gone", &[reason], false, changes)?;
        }
        lane.delivered = None;
        changes.push(Change::Record(lane));
        Ok(())
    }

    /// A record is gone of which nothing is kept any more: what its write-backs would say is not known.
    fn gone_unknown(&mut self, at: usize, mut lane: RecordState, why: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        (lane.was, lane.updated, lane.state) = (None, self.millis(), RecordStage::Gone);
        changes.push(self.event(&flow.name, &lane.key, "gone", why.to_owned(), None));
        let message = format!("{why}, the target still has it, and its data was erased or is no longer kept");
        let place = Some(format!("{}:{}", flow.place.file, flow.place.line));
        let reason = Reason { kind: "gone".to_owned(), message, field: None, place, owner: None, before: None, review: true };
        self.stopped(at, &mut lane, "gone", &[reason], false, changes)?;
        lane.delivered = None;
        changes.push(Change::Record(lane));
        Ok(())
    }

    fn write_backs(
        &self,
        at: usize,
        lane: &RecordState,
        happened: &Happened<'_>,
        results: &BTreeMap<String, Json>,
        reasons: &[String],
        targets: &BTreeMap<String, Json>,
    ) -> (Vec<eval::Payload>, Vec<eval::Reason>) {
        let (flow, _) = self.flow(at);
        let matched = matched_of(lane);
        let none = Json::Null;
        // What cannot be read now gives no write-back; the store says so itself at the commit that follows.
        let group = self.members(at, lane).unwrap_or_default();
        let inputs = Inputs {
            record: lane.record().unwrap_or(&none),
            group: &group,
            was_of_group: lane.record().filter(|_| flow.group.is_some()),
            now: self.now,
            matched: &matched,
            targets,
            results,
            names: self.world.names,
            trace: false,
        };
        queries::write_backs(self.world.program, flow, &inputs, happened, reasons)
    }

    /// The write-backs of a record that is gone, with what they go by.
    pub(super) fn gone_payloads(
        &self,
        at: usize,
        lane: &RecordState,
        matched: &BTreeMap<String, Vec<Json>>,
        targets: &BTreeMap<String, Json>,
    ) -> Vec<eval::Payload> {
        let lane = RecordState { matched: (!matched.is_empty()).then(|| serde_json::to_value(matched).unwrap_or(Json::Null)), ..lane.clone() };
        self.write_backs(at, &lane, &Happened::IsGone, &BTreeMap::new(), &["it is gone from the source".to_owned()], targets).0
    }

    /// What follows of writes for which nothing had to be sent, as of writes that went through; gives how many there are.
    pub(super) fn told_done(
        &mut self,
        at: usize,
        lane: &mut RecordState,
        writes: &[String],
        results: &BTreeMap<String, Json>,
        matched: &BTreeMap<String, Vec<Json>>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<usize> {
        let (flow, _) = self.flow(at);
        let mut told = 0;
        for write in writes.iter().filter(|write| flow.follow_ups.iter().any(|after| after.write.as_ref() == Some(*write))) {
            let (payloads, _) = self.write_backs(at, lane, &Happened::Succeeds(write), results, &[], &BTreeMap::new());
            told += self.payloads(at, lane, payloads, Some("succeeds"), matched, &Targets::NONE, false, changes)?.count;
        }
        Ok(told)
    }

    /// A write is overdue.
    pub(super) fn late(&mut self, at: usize, mut lane: RecordState, write: &str, delay: Millis, changes: &mut Vec<Change>) -> StoreResult<()> {
        if lane.state.settled() && lane.state != RecordStage::Failed {
            return Ok(());
        }
        let (payloads, _) = self.write_backs(at, &lane, &Happened::IsLate(write, delay), &BTreeMap::new(), &[], &BTreeMap::new());
        let matched = matched_of(&lane);
        self.payloads(at, &mut lane, payloads, Some("is late"), &matched, &Targets::NONE, false, changes)?;
        changes.push(self.event(&lane.flow, &lane.key, "late", format!("`{write}` is not confirmed yet"), None));
        Ok(())
    }

    /// Entries of a lane have come to an end: what follows of it, and whether the record is done.
    pub(super) fn settle(&mut self, at: usize, lane: RecordState, updated: Vec<Entry>, mut changes: Vec<Change>) -> StoreResult<()> {
        self.settle_into(at, lane, updated, &mut changes)?;
        self.keep(&changes)?;
        Ok(())
    }

    pub(super) fn settle_into(&mut self, at: usize, mut lane: RecordState, mut updated: Vec<Entry>, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let mut entries = if self.open_entries.ids(&lane.flow, &lane.key).iter().all(|id| updated.iter().any(|entry| entry.id == *id)) {
            Vec::new()
        } else {
            let mut known = self.store.entries_of(&lane.flow, &lane.key)?;
            known.retain(|entry| !updated.iter().any(|new| new.id == entry.id));
            known
        };
        entries.extend(updated.iter().cloned());
        entries.sort_by_key(|entry| entry.id);
        self.dismount(&mut entries, &mut updated, changes);
        // A write-back may be made while a newer version waits: what was carried out is told by the record's own writes.
        let own = entries.iter().rev().find(|entry| entry.after.is_none());
        let current = own.or(entries.last()).map(|entry| entry.version.clone());
        let before = changes.len();
        let mut results: BTreeMap<String, Json> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.state == EntryState::Confirmed && entry.after.is_none()) {
            results.insert(entry.write.clone(), entry.result.clone().unwrap_or_else(|| Json::Object(serde_json::Map::new())));
        }
        let matched = matched_of(&lane);
        for entry in updated.iter().filter(|entry| entry.after.is_none()) {
            let (happened, word, reasons) = match entry.state {
                EntryState::Confirmed => (Happened::Succeeds(&entry.write), "succeeds", Vec::new()),
                EntryState::Refused => (Happened::Fails(&entry.write), "fails", entry.error.iter().cloned().collect()),
                _ => continue,
            };
            if !flow.follow_ups.iter().any(|after| after.write.as_ref() == Some(&entry.write)) {
                continue;
            }
            let (payloads, _) = self.write_backs(at, &lane, &happened, &results, &reasons, &BTreeMap::new());
            self.payloads(at, &mut lane, payloads, Some(word), &matched, &Targets::NONE, false, changes)?;
        }
        let refused = entries.iter().any(|entry| entry.state == EntryState::Refused && entry.after.is_none());
        if !refused && updated.iter().any(|entry| entry.state == EntryState::Confirmed && entry.after.is_none()) {
            self.dependent(at, &mut lane, &entries, &results, &matched, changes)?;
        }
        let more = changes[before..].iter().any(|change| matches!(change, Change::Entry(_)));
        let open = entries.iter().any(|entry| matches!(entry.state, EntryState::Planned | EntryState::Sending | EntryState::Ambiguous));
        let parked = entries.iter().any(|entry| entry.state == EntryState::Parked);
        lane.updated = self.millis();
        if more || open {
            if lane.state != RecordStage::Failed {
                lane.state = RecordStage::Sending;
            }
            for entry in &updated {
                changes.push(Change::Entry(entry.clone()));
            }
            changes.push(Change::Record(lane));
            return Ok(());
        }
        let of_newer = current.as_ref().is_some_and(|current| *current != lane.version);
        // A write that met a conflict, whose record was read again with the version that it has, was not carried out.
        let newer = of_newer || entries.iter().any(|entry| entry.after.is_none() && entry.state == EntryState::Withdrawn);
        // What waits for a person is dropped where a newer version has arrived meanwhile, or the record is gone. What is in doubt
        // stays: only a person can tell whether it was done.
        let superseded = of_newer && !entries.iter().any(|entry| entry.state == EntryState::Parked && entry.doubted.is_some());
        if parked && !superseded {
            // A payload that waits for a review stays in review; one whose outcome nobody knows has failed.
            lane.state = if in_review(&lane) { RecordStage::Review } else { RecordStage::Failed };
            for entry in &updated {
                changes.push(Change::Entry(entry.clone()));
            }
            changes.push(Change::Record(lane));
            return Ok(());
        }
        // A late request of an older version must not land on a newer one.
        let settles = entries.iter().filter_map(|entry| Some(entry.doubted? + self.settle_time(entry))).max();
        self.bound_wait(&mut lane);
        if self.settings.safety.lanes {
            lane.due = lane.due.max(settles.unwrap_or(0));
        }
        self.forget_doubtful(&entries, changes)?;
        let ended = entries.iter().any(|entry| entry.after.is_none() && entry.state == EntryState::Confirmed);
        // What was refused can be corrected and sent again, with what its record's other writes gave at hand.
        let corrects = !newer && entries.iter().any(|entry| entry.state == EntryState::Refused);
        for entry in &entries {
            match entry.state {
                EntryState::Refused if corrects => {}
                EntryState::Confirmed if corrects && entry.after.is_none() => {}
                _ => {
                    changes.push(Change::DropEntry(entry.id));
                    continue;
                }
            }
            if updated.iter().any(|new| new.id == entry.id) {
                changes.push(Change::Entry(entry.clone()));
            }
        }
        if newer {
            if ended && !refused && of_newer {
                lane.delivered = current;
            }
            if !lane.version.is_empty() && of_newer {
                lane.attempt = 0;
            }
            lane.state = match lane.version.is_empty() || lane.version == super::version::AGAIN || lane.body.is_none() {
                true => groups::anew(flow, &lane),
                false => RecordStage::Waiting,
            };
            let due = lane.due;
            self.look_at(at, due);
            self.flows[at].map = true;
            self.flows[at].fetch = true;
        } else if refused {
            lane.state = RecordStage::Failed;
        } else if ended {
            lane.state = RecordStage::Delivered;
            self.went_through(at, &mut lane, changes)?;
        } else if lane.state == RecordStage::Sending {
            // Only write-backs are done; how the record itself ended stands in its reasons.
            lane.state = match lane.reasons.is_empty() {
                true => RecordStage::Delivered,
                false if in_review(&lane) => RecordStage::Review,
                false => RecordStage::Rejected,
            };
        }
        changes.push(Change::Record(lane));
        Ok(())
    }

    /// What a write in doubt tried to set is not known, if it did not go through in the end: it may hold, and it may not.
    /// The ledger knows nothing of these fields from then on, so that the next version sends them whatever they are.
    fn forget_doubtful(&self, entries: &[Entry], changes: &mut Vec<Change>) -> StoreResult<()> {
        for (at, entry) in entries.iter().enumerate() {
            let ended = matches!(entry.state, EntryState::Refused | EntryState::Withdrawn) && entry.doubted.is_some();
            let Some(key) = ledger_key(entry.key.as_deref(), entry.target.as_deref()).filter(|_| ended) else { continue };
            let other = self.other_name(entry, entry.target.as_deref())?;
            for key in std::iter::once(key).chain(other) {
                self.forget_tried(&entries[at..], &key, changes)?;
            }
        }
        Ok(())
    }

    /// The ledger forgets under a name what the first of some entries tried, but for what later ones have confirmed.
    fn forget_tried(&self, entries: &[Entry], key: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        let Some((entry, rest)) = entries.split_first() else { return Ok(()) };
        let same = |ledger: &TargetState| ledger.connection == entry.connection && ledger.object == entry.object && ledger.key == key;
        let changed = changes.iter().rev().find_map(|change| match change {
            Change::Target(ledger) if same(ledger) => Some(ledger.clone()),
            _ => None,
        });
        let known = match changed {
            Some(ledger) => Some(ledger),
            None => self.store.target_state(&entry.connection, &entry.object, key)?,
        };
        let Some(mut ledger) = known else { return Ok(()) };
        let later = |path: &str| rest.iter().any(|later| later.state == EntryState::Confirmed && super::delta::at(&later.body, path).is_some());
        let tried = match &entry.body {
            Json::Null => self.store.entries(&[entry.id])?.into_iter().next().map(|whole| whole.body),
            body => Some(body.clone()),
        };
        let before = ledger.fields.len();
        if let Some(tried) = &tried {
            super::delta::forget(&mut ledger.fields, tried, later);
        }
        if ledger.fields.len() != before {
            changes.push(Change::Target(ledger));
        }
        Ok(())
    }

    /// Writes that read the result of one that is now confirmed, or of one for which nothing had to be sent. Gives how
    /// many there are.
    pub(super) fn dependent(
        &mut self,
        at: usize,
        lane: &mut RecordState,
        entries: &[Entry],
        results: &BTreeMap<String, Json>,
        matched: &BTreeMap<String, Vec<Json>>,
        changes: &mut Vec<Change>,
    ) -> StoreResult<usize> {
        let (flow, _) = self.flow(at);
        let reads_results = flow.writes.iter().any(|write| write.result.is_some()) && flow.writes.len() > 1;
        if !reads_results {
            return Ok(0);
        }
        let targets = targets_of(lane);
        let group = self.members(at, lane)?;
        let body = lane.body.clone();
        let body = body.as_ref().map(crate::value::RawRecord::json);
        let made =
            |payload: &eval::Payload| entries.iter().any(|entry| entry.write == payload.write && entry.key == payload.key && entry.after.is_none());
        let mut results = results.clone();
        let outcome = loop {
            let inputs = Inputs {
                record: body.unwrap_or(&Json::Null),
                group: &group,
                was_of_group: body.filter(|_| flow.group.is_some()),
                now: self.now,
                matched,
                targets: &targets,
                results: &results,
                names: self.world.names,
                trace: false,
            };
            let outcome = eval::apply(self.world.program, flow, &inputs);
            let unchanged = outcome.payloads.iter().filter(|payload| !results.contains_key(&payload.write) && !made(payload));
            let found = self.unchanged_results(flow, unchanged)?;
            if found.is_empty() {
                break outcome;
            }
            results.extend(found);
        };
        let first_pass = |payload: &eval::Payload| {
            // What did not wait was judged before: nothing of it differed.
            let write = flow.writes.iter().find(|write| write.name == payload.write);
            write.is_some_and(|write| !waits(flow, write))
        };
        let new: Vec<eval::Payload> = outcome.payloads.into_iter().filter(|payload| !made(payload) && !first_pass(payload)).collect();
        if !outcome.reasons.is_empty() && new.is_empty() {
            self.stopped_by(at, lane, "rejected", &outcome.reasons, false, changes)?;
        }
        Ok(self.payloads(at, lane, new, None, matched, &Targets::of(&targets), false, changes)?.count)
    }

    /// The results of writes for which nothing had to be sent: their records are at the target as they are.
    pub(super) fn unchanged_results<'a>(
        &self,
        flow: &Flow,
        payloads: impl Iterator<Item = &'a eval::Payload>,
    ) -> StoreResult<BTreeMap<String, Json>> {
        let mut found = BTreeMap::new();
        for payload in payloads.filter(|payload| payload.waits_for.is_empty()) {
            if !flow.writes.iter().any(|write| write.name == payload.write && write.result.is_some()) {
                continue;
            }
            let known = self.known(payload)?.and_then(|known| known.id);
            let Some(id) = payload.id.clone().or(known) else { continue };
            let mut record = payload.body.as_object().cloned().unwrap_or_default();
            // The body does not repeat the key that the write goes by.
            if let (Some(field), Some(key)) = (&payload.key_field, &payload.key) {
                record.entry(field.as_str()).or_insert_with(|| self.key_value(&payload.object, field, key));
            }
            record.insert(self.id_field(&payload.object), Json::String(id));
            found.insert(payload.write.clone(), Json::Object(record));
        }
        Ok(found)
    }
}

/// Whether all that stopped a record is that a person has to decide.
fn in_review(lane: &RecordState) -> bool {
    !lane.reasons.is_empty() && lane.reasons.iter().all(|reason| reason.review)
}

/// Whether a write reads the result of an earlier one.
fn waits(flow: &Flow, write: &crate::ir::Write) -> bool {
    let results: Vec<_> = flow.writes.iter().filter(|other| other.name != write.name).filter_map(|other| other.result).collect();
    let mut found = false;
    crate::ir::walk::write(write, &mut |expr| {
        if let crate::ir::Expr::Slot { slot, .. } = expr {
            found |= results.contains(slot);
        }
    });
    found
}

/// Under what a lane keeps, beside what its matches found, the targets that were read for it. No match has this name.
const TARGETS: &str = "";

/// Keeps the targets that were read for a lane.
pub(super) fn keep_targets(lane: &mut RecordState, targets: &BTreeMap<String, Json>) {
    let kept = lane.matched.get_or_insert_with(|| Json::Object(serde_json::Map::new()));
    if let Json::Object(kept) = kept {
        kept.insert(TARGETS.to_owned(), Json::Object(targets.clone().into_iter().collect()));
    }
}

fn targets_of(lane: &RecordState) -> BTreeMap<String, Json> {
    let kept = lane.matched.as_ref().and_then(|kept| kept.get(TARGETS)).and_then(Json::as_object);
    kept.into_iter().flatten().map(|(name, target)| (name.clone(), target.clone())).collect()
}

/// What was found for a lane's matches when it was mapped.
pub(super) fn matched_of(lane: &RecordState) -> BTreeMap<String, Vec<Json>> {
    let found = lane.matched.as_ref().and_then(Json::as_object);
    found
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != TARGETS)
        .map(|(name, records)| (name.clone(), records.as_array().cloned().unwrap_or_default()))
        .collect()
}

/// The beginning of every cause of alerts that tells of exceptions.
pub(super) const EXCEPTION: &str = "exception ";

/// The cause of the alert that tells of an exception: its flow, its code, what it has in common with others, and who sees to it.
pub(super) fn cause(exception: &Exception) -> String {
    let Exception { flow, code, owner, .. } = exception;
    format!("{EXCEPTION}{flow} {code} {} {}", exception.cause(), owner.as_deref().unwrap_or("-"))
}

/// Of such a cause: the flow, the code, and what its exceptions have in common.
pub(super) fn parts_of(cause: &str) -> Option<(&str, &str, &str)> {
    let mut parts = cause.strip_prefix(EXCEPTION)?.splitn(4, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// The suggested next step of an exception.
fn next(code: &str, parked: bool) -> &'static str {
    match (code, parked) {
        ("review", true) => "look at it, then `queue approve`, `queue edit` or `queue discard`",
        ("review", false) => "correct what the reason names, then `queue retry`; or `queue discard`",
        ("rejected", _) => "correct the record at its source: the next version is sent by itself",
        ("in_doubt", _) => "check whether it is at the target: `queue discard` if it is, `queue approve` to send it again if it is not",
        ("differs", _) => "compare both systems: `queue approve` sends the source's values, `queue discard` keeps those of the target",
        ("missing", _) => "look at the target: `queue approve` creates the record again, `queue discard` does not",
        ("refused", _) => "correct what the target names, then `queue retry`; or correct the payload: `queue edit`",
        ("exhausted", _) => "the target could not do it at many attempts: `queue retry` when the cause is gone",
        ("gone", _) => "handle it at the target, then `queue discard`",
        _ => "look at it, then `queue retry` or `queue discard`",
    }
}

/// The id that a receipt names.
pub(super) fn id_in(record: &Json, field: &str) -> Option<String> {
    text(record.get(field))
}
