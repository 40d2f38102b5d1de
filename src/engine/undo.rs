//! Taking a decision back before it is carried out.
//!
//! What a decision releases is sent after [`Settings::undo`](super::Settings::undo). Until then, or until the record changes by itself,
//! the record and its writes can be restored. A write that was sent cannot be taken back.

use super::operator_commands::{Signature, how};
use super::{Engine, groups};
use crate::store::{Change, Entry, EntryState, Exception, RecordStage, StoreResult, Undo};

impl Engine<'_> {
    /// Takes back what was decided about an exception, or says why it is too late.
    pub(super) fn take_back(&mut self, id: i64, signature: &Signature) -> StoreResult<Result<(), String>> {
        let Some(exception) = self.store.exception(id)? else { return Ok(Err("there is no such exception".to_owned())) };
        if exception.closed.is_none() {
            return Ok(Err("nothing was decided about it: it is open".to_owned()));
        }
        let undo = exception.decided.as_ref().and_then(|decided| decided.undo.clone());
        let (Some(decided), Some(undo)) = (&exception.decided, undo) else {
            return Ok(Err(format!("no person closed it{}", how(&exception))));
        };
        let (at, mut lane) = match self.lane_of(&exception)? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let now = self.store.entries_of(&lane.flow, &lane.key)?;
        if let Some(why) = self.too_late(at, &lane, &undo, &now, &decided.what) {
            return Ok(Err(format!("it is too late: {why}")));
        }
        let mut changes = Vec::new();
        changes.extend(undo.entries.into_iter().map(Change::Entry));
        lane.state = undo.state;
        lane.was = undo.was;
        lane.version = undo.version;
        lane.attempt = undo.attempt;
        lane.due = undo.due;
        lane.updated = self.millis();
        let by = signature.by.as_deref().unwrap_or("a person");
        let what = &decided.what;
        changes.push(self.event(&lane.flow, &lane.key, "undone", format!("{by} took it back: it is not {what}"), None));
        changes.push(Change::Record(lane));
        changes.push(Change::Exception(Exception { closed: None, closed_by: None, decided: None, ..exception }));
        self.keep(&changes)?;
        Ok(Ok(()))
    }

    /// Why a decision cannot be taken back any more.
    fn too_late(&self, at: usize, lane: &crate::store::RecordState, undo: &Undo, now: &[Entry], what: &str) -> Option<String> {
        let sends = matches!(what, "approved" | "edited");
        if sends {
            for before in &undo.entries {
                match now.iter().find(|entry| entry.id == before.id) {
                    Some(entry) if entry.state == EntryState::Planned && entry.sent == before.sent => {}
                    Some(entry) if entry.sent > before.sent => {
                        let sent = entry.sent.and_then(|sent| jiff::Timestamp::from_millisecond(sent).ok());
                        let sent = sent.map(|sent| format!(" at {}", sent.strftime("%H:%M:%SZ"))).unwrap_or_default();
                        return Some(format!("its write was sent{sent}"));
                    }
                    _ => return Some(format!("its write has ended, and the record is {}", words(lane.state))),
                }
            }
        }
        if lane.version != undo.left_version || lane.state != undo.left_state {
            return Some(format!("the record has changed since, and is {}", words(lane.state)));
        }
        if self.leased.contains(&(at, lane.key.clone())) {
            return Some("the record is being read again now".to_owned());
        }
        // A group's lane keeps its state while its records change under it; its number tells.
        (groups::is_group(lane) && lane.due < self.millis() && what == "retried").then(|| "the group is being mapped now".to_owned())
    }
}

fn words(state: RecordStage) -> String {
    state.word().replace('_', " ")
}
