//! The base of an update that goes again: what its target holds is read anew, so that the repeat keeps what others entered since.

use super::heads::Head;
use super::outbox::moved;
use super::{Ask, Engine, Job, Lot};
use crate::connector::Found;
use crate::fault::Fault;
use crate::store::{Change, Entry, EntryState, Kept, Millis};

/// How long after a base could not be read it is asked for again.
const AGAIN: Millis = 5_000;

impl Engine<'_> {
    /// Whether an entry is an update whose outcome is not known, and which would lay an older state of its target over it.
    pub(super) fn has_old_base(&self, lot: &Lot, entry: &Head) -> bool {
        let repeats = entry.doubted.is_some() && entry.target.is_some() && !self.based.contains(&entry.id);
        repeats && self.settings.safety.look_up && self.spec(lot).is_some_and(|spec| spec.replaces)
    }

    /// Reads the targets of some entries. Until they are read, the entries wait.
    pub(super) fn read_bases(&mut self, lot: &Lot, ids: &[i64]) -> Kept<()> {
        let entries: Vec<Entry> = self.store.entries(ids)?.into_iter().filter(|entry| entry.target.is_some()).collect();
        for id in ids {
            if let (Some(ready), Some(entry)) = (self.ready.get_mut(lot), self.heads.get(*id)) {
                ready.remove(&(!entry.first, *id));
            }
        }
        self.ready.retain(|_, ready| !ready.is_empty());
        let (object, field) = (lot.object(), vec![self.id_field(&lot.object())]);
        let Some(connector) = self.world.connectors.get(&lot.connection) else { return Ok(()) };
        let values: Vec<String> = entries.iter().filter_map(|entry| entry.target.clone()).collect();
        let companion = connector.companion(&object, &field);
        let companions: Vec<Option<String>> =
            entries.iter().map(|entry| super::plan_entries::text(entry.held.as_ref().unwrap_or(&entry.body).get(companion?))).collect();
        for group in connector.find_groups(&object, &field, &values, &companions) {
            let ask = Ask::Find {
                object: object.clone(),
                field: field.clone(),
                values: group.iter().map(|at| values[*at].clone()).collect(),
                companions: group.iter().map(|at| companions[*at].clone()).collect(),
                fields: Vec::new(),
            };
            let ids = group.iter().map(|at| entries[*at].id).collect();
            self.want(&lot.connection, ask, Job::Base { ids });
        }
        Ok(())
    }

    /// What the targets of some entries hold now. One that is not found any more goes as it was made: its target decides.
    pub(super) fn bases_read(&mut self, ids: &[i64], found: Result<Vec<Found>, Fault>) -> Kept<()> {
        let now = self.millis();
        // A newer version may have taken an entry's place meanwhile.
        let is_waiting = |entry: &Entry| self.heads.get(entry.id).is_some_and(|head| head.state == EntryState::Planned);
        let entries: Vec<Entry> = self.store.entries(ids)?.into_iter().filter(is_waiting).collect();
        let mut changes = Vec::new();
        match found {
            Err(_) => changes.extend(entries.into_iter().map(|entry| moved(&Entry { due: now + AGAIN, ..entry }))),
            Ok(found) => {
                for mut entry in entries {
                    let held = found.iter().find(|found| entry.target.as_ref() == Some(&found.value));
                    let is_own = |record: &crate::value::Json| {
                        let named = entry.key_field.as_ref().and_then(|field| super::plan_entries::text(record.get(field)));
                        named.is_none() || entry.key.is_none() || named == entry.key
                    };
                    if let Some(held) = held.filter(|held| is_own(&held.record)) {
                        entry.held = Some(held.record.clone());
                    }
                    self.based.insert(entry.id);
                    changes.push(Change::Entry(Entry { due: now, ..entry }));
                }
            }
        }
        self.keep(&changes)
    }
}
