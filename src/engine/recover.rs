//! Targets that this store knows nothing about: first writes, and all writes after an older copy of the store was restored.
//!
//! A store that was lost may have created records, and people may have edited them since. So a target's record is read before it is
//! written for the first time. Values that it already holds count as confirmed, and missing ones are sent. If it holds another value
//! than the source and this store cannot tell who set it, a person decides, field by field.

use super::delta;
use super::{Engine, groups};
use crate::connector::holds;
use crate::eval::Payload;
use crate::ir::Policy;
use crate::store::{Change, EntryState, Millis, Reason, RecordStage, StoreResult, TargetState};
use crate::system::Guarantee;
use crate::value::{Json, ObjectRef};

/// When the store was recovered, and when the one that was lost sent last.
const RECOVERED: &str = "recovered";
const LOST_SENT: &str = "lost sent";
const LOST_LAST: &str = "lost last";

/// How a payload differs from its target.
#[derive(Debug, Default)]
pub(super) struct Differs {
    /// Leaves that are sent.
    pub(super) send: Vec<String>,
    /// Leaves that a person decides about.
    pub(super) disputed: Vec<String>,
    /// Leaves that the target was read to hold already, and the ledger does not know.
    pub(super) held: Vec<String>,
}

impl Differs {
    pub(super) fn is_empty(&self) -> bool {
        self.send.is_empty() && self.disputed.is_empty()
    }
}

impl Engine<'_> {
    /// Takes up a store that was recovered.
    pub(super) fn recover(&mut self) -> StoreResult<()> {
        if let Some(recovered) = self.settings.recovered.take().filter(|_| self.settings.safety.recover) {
            let now = self.millis();
            let mut changes = vec![
                Change::Meta { name: RECOVERED.to_owned(), value: now.to_string() },
                Change::Meta { name: LOST_SENT.to_owned(), value: recovered.sent.min(now).to_string() },
                Change::Meta { name: LOST_LAST.to_owned(), value: recovered.last.min(now).to_string() },
            ];
            // What was on its way in the copy has been sent by those who went on without it, or not: it is mapped again, and
            // looked for first. What waits for a person goes on waiting.
            for entry in self.store.open_entries()? {
                if entry.state == EntryState::Parked {
                    continue;
                }
                changes.push(Change::DropEntry(entry.id));
                let (Some(at), Some(mut lane)) = (self.flow_named(&entry.flow), self.store.record(&entry.flow, &entry.lane)?) else { continue };
                if lane.state == RecordStage::Sending {
                    lane.state = groups::anew(self.flow(at).0, &lane);
                    lane.version = String::new();
                    changes.push(Change::Record(lane));
                }
            }
            self.store.commit(&changes)?;
        }
        let kept = |name: &str| -> StoreResult<Option<Millis>> { Ok(self.store.meta(name)?.and_then(|text| text.parse().ok())) };
        self.unverified = kept(RECOVERED)?;
        self.lost = super::Recovered { sent: kept(LOST_SENT)?.unwrap_or(0), last: kept(LOST_LAST)?.unwrap_or(0) };
        Ok(())
    }

    /// Moves when the store that was lost has sent by as much as the clock was set: it is waited for as long as before. When it was
    /// recovered is not moved: by that rows are told apart, whose times do not move.
    pub(super) fn move_lost(&mut self, off: Millis, changes: &mut Vec<Change>) -> StoreResult<()> {
        for (name, at) in [(LOST_SENT, &mut self.lost.sent), (LOST_LAST, &mut self.lost.last)] {
            if *at > 0 {
                *at += off;
            }
            let kept: Millis = self.store.meta(name)?.and_then(|text| text.parse().ok()).unwrap_or(0);
            if kept > 0 {
                changes.push(Change::Meta { name: name.to_owned(), value: (kept + off).max(1).to_string() });
            }
        }
        Ok(())
    }

    /// Whether what the ledger says of a target has to be held against it first: a lost store said it, or its row was damaged.
    pub(super) fn is_unverified(&self, known: &TargetState) -> bool {
        known.confirmed == 0 || self.unverified.is_some_and(|at| known.confirmed <= at)
    }

    /// Whether a leaf of a payload is at its target.
    pub(super) fn is_held(&self, object: &ObjectRef, record: &Json, path: &str, sent: &Json) -> bool {
        let held = delta::at(record, path);
        self.world.connectors.get(&object.connection).map_or_else(|| holds::same(held, sent), |connector| connector.holds(object, path, held, sent))
    }

    /// Leaves of what was sent that a target's record does not hold.
    pub(super) fn lacks(&self, object: &ObjectRef, record: &Json, sent: &Json) -> Vec<String> {
        let leaves = delta::leaves(sent).into_iter().filter(|(path, value)| !self.is_held(object, record, path, value));
        leaves.map(|(path, _)| path).collect()
    }

    /// How a payload differs from what its target was confirmed to hold. `held`: the target as it was read for it; `found`: the
    /// record that the write goes to, as a match or the source gave it.
    pub(super) fn differs(&self, payload: &Payload, known: Option<&TargetState>, held: Option<&Json>, found: Option<&Json>) -> Differs {
        let mut differs = Differs::default();
        // What the target was read to hold may still be changed by a request of ours.
        let names = payload.key.iter().cloned().chain(payload.id.clone().or_else(|| known?.id.clone()).map(|id| format!("id:{id}")));
        let unsettled = names.into_iter().any(|name| {
            let target = (payload.object.connection.clone(), payload.object.object.clone(), name);
            self.unsettled.contains_key(&target) || self.writing.contains_key(&super::open_entries::place(&target))
        });
        for (path, value) in delta::leaves(&payload.body) {
            let there = held.and_then(|held| delta::at(held, &path)).is_some_and(|value| !holds::is_blank(value));
            match payload.policies.get(&path) {
                Some(Policy::Once) if held.is_some() => continue,
                Some(Policy::IfEmpty) if there => continue,
                _ => {}
            }
            let confirmed = known.and_then(|known| delta::is_confirmed(&*self.store, &payload.body, &known.fields, &path, value));
            if confirmed == Some(true) {
                continue;
            }
            let is_held = |record: &Json| self.is_held(&payload.object, record, &path, value);
            if held.is_some_and(is_held) && !unsettled {
                // Somebody did there what is asked for here: it is noted as if it had been sent.
                differs.held.push(path);
            } else if held.is_none() && confirmed.is_none() && found.is_some_and(is_held) {
                // The record was just read by a match, or is the source's own.
            } else if there && known.is_some_and(|known| delta::is_disputed(&known.fields, &path)) {
                differs.disputed.push(path);
            } else {
                differs.send.push(path);
            }
        }
        self.send_together(payload, &mut differs);
        differs
    }

    /// Fields that mean something only together go together: somebody may have changed the others at the target.
    fn send_together(&self, payload: &Payload, differs: &mut Differs) {
        let object = self.world.plan.objects.get(&payload.object.to_string());
        let Some(rule) = object.and_then(|object| object.write_rule(payload.op, payload.key_field.as_deref())) else { return };
        for group in &rule.together {
            // A field of a group may be an object: then its leaves are of it.
            let is_of = |path: &str, field: &str| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let in_group = |path: &str| group.iter().any(|field| is_of(path, field));
            if !differs.send.iter().any(|path| in_group(path)) {
                continue;
            }
            for (path, _) in delta::leaves(&payload.body).into_iter().filter(|(path, _)| in_group(path) && !payload.policies.contains_key(path)) {
                differs.held.retain(|held| *held != path);
                if !differs.send.contains(&path) && !differs.disputed.contains(&path) {
                    differs.send.push(path);
                }
            }
        }
    }

    /// What the ledger says of a target from now on that was looked at for the first time.
    pub(super) fn reconciled(&self, payload: &Payload, known: Option<TargetState>, record: &Json) -> TargetState {
        let (connection, object) = (payload.object.connection.clone(), payload.object.object.clone());
        let key = super::plan_entries::ledger_key(payload.key.as_deref(), payload.id.as_deref()).unwrap_or_default();
        let mut ledger = known.unwrap_or_else(|| TargetState { connection, object, key, ..TargetState::default() });
        let id = super::plan_entries::text(record.get(self.id_field(&payload.object).as_str()));
        ledger.id = id.or(ledger.id);
        ledger.confirmed = self.millis();
        if payload.op == crate::ir::Operation::Create {
            return ledger;
        }
        let (mut held, mut disputed) = (Vec::new(), Vec::new());
        for (path, value) in delta::leaves(&payload.body) {
            let there = delta::at(record, &path).filter(|value| !holds::is_blank(value));
            if self.is_held(&payload.object, record, &path, value) {
                held.push(path);
                continue;
            }
            if payload.policies.get(&path).is_some_and(|policy| matches!(policy, Policy::Once | Policy::IfEmpty)) {
                continue;
            }
            match (delta::is_confirmed(&*self.store, &payload.body, &ledger.fields, &path, value), there) {
                // The source has not changed it since: whoever changed it at the target meant to.
                (Some(true), _) | (_, None) => {}
                (Some(false), Some(there)) if ledger.fields.get(&path) == Some(&delta::hash(&*self.store, there)) => {}
                // The target holds neither what was confirmed nor what the source says.
                (_, Some(_)) => disputed.push(path),
            }
        }
        delta::confirm(&*self.store, &mut ledger.fields, &delta::only(&payload.body, &held));
        delta::dispute(&mut ledger.fields, &disputed);
        ledger
    }

    /// Until when a request of the store that was lost may still be carried out, or what it made need not be found yet. The latter
    /// matters where a write that is done twice has two effects.
    pub(super) fn lost_until(&self, payload: &Payload) -> Millis {
        let Some(spec) = self.write_spec(&payload.object, payload.op, payload.key_field.as_deref()) else { return 0 };
        let connector = self.world.connectors.get(&payload.object.connection);
        let adds = spec.guarantee > Guarantee::Idempotent || connector.is_some_and(|connector| connector.repeat_adds(&payload.object, &payload.body));
        let sent = if adds { self.lost.sent.max(self.lost.last) } else { self.lost.sent };
        if sent == 0 { 0 } else { sent + spec.settle.as_millis() as Millis + super::doubt::CLOCK }
    }
}

/// Why a person has to decide about fields.
pub(super) fn disputed(name: &str, paths: &[String]) -> Reason {
    let what = if paths.len() == 1 { "another value" } else { "other values" };
    Reason {
        kind: "differs".to_owned(),
        message: format!("{name} has {what} in {} than the source, and this store cannot tell which is newer", paths.join(", ")),
        field: paths.first().cloned(),
        place: None,
        owner: None,
        before: None,
        review: true,
    }
}

/// The target has lost a record.
pub(super) fn missing(name: &str) -> Reason {
    Reason {
        kind: "missing".to_owned(),
        message: format!("{name} was confirmed, and is no longer at the target: it was deleted there, or the system was reset"),
        field: None,
        place: None,
        owner: None,
        before: None,
        review: true,
    }
}
