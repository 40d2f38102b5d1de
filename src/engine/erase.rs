//! Removes what is kept of one person, when a person asks for it.

use super::operator_commands::{Answer, Signature};
use super::{Engine, groups};
use crate::store::{Change, ERASED, EntryState, Erasure, RecordStage, RecordState, StoreResult};

impl Engine<'_> {
    /// Removes what is kept of some records besides what keeps their effects single. A record that is on its way, or of
    /// which nobody knows whether its write was done, is left as it is, and told. Nothing is sent.
    pub(super) fn erase(&mut self, records: &[(String, String)], who: &str, signature: &Signature, answer: &mut Answer) -> StoreResult<()> {
        let now = self.millis();
        let mut erased: Vec<(String, String)> = Vec::new();
        let mut then = Vec::new();
        for (flow, key) in records {
            let Some(mut lane) = self.store.record(flow, key)? else {
                answer.not.push(format!("{flow} does not have this record any more"));
                continue;
            };
            if let Some(why) = self.cannot_erase(&lane)? {
                let called = super::mask::key(lane.label.as_deref().unwrap_or(key), true);
                answer.not.push(format!("{flow} {called}: {why}"));
                continue;
            }
            // What waits for somebody is closed as ever, so that its alert ends; then it goes with the rest.
            let mut changes = Vec::new();
            self.drop_entries(flow, key, &mut changes)?;
            self.close(flow, key, ERASED, &mut changes)?;
            self.keep(&changes)?;
            if matches!(lane.state, RecordStage::Rejected | RecordStage::Review | RecordStage::Failed) || groups::is_group(&lane) {
                lane.state = RecordStage::Discarded;
            }
            (lane.body, lane.matched, lane.label, lane.group) = (None, None, None, None);
            lane.reasons.clear();
            lane.plan = Some(ERASED.to_owned());
            lane.updated = now;
            then.push(Change::Record(lane));
            let by = signature.by.as_deref().unwrap_or("a person");
            then.push(self.event(flow, key, ERASED, format!("{by} erased it: its data was removed"), None));
            erased.push((flow.clone(), key.clone()));
        }
        if erased.is_empty() {
            return Ok(());
        }
        answer.done += erased.len() as u64;
        then.push(Change::Erasure(Erasure { at: now, who: who.to_owned(), by: signature.by.clone(), records: erased.len() as u64 }));
        self.store.erase(&erased, &then)?;
        self.note_changes(&then);
        Ok(())
    }

    /// Why a record's data is needed still.
    fn cannot_erase(&self, lane: &RecordState) -> StoreResult<Option<String>> {
        let doubted = |entry: &crate::store::Entry| entry.doubted.is_some() && entry.state != EntryState::Confirmed;
        if self.store.exceptions_of(&lane.flow, &lane.key)?.iter().any(|open| open.code == "in_doubt")
            || self.store.entries_of(&lane.flow, &lane.key)?.iter().any(doubted)
        {
            return Ok(Some("the outcome of its write is unknown: decide that first (crossdock queue list), then erase it".to_owned()));
        }
        let busy = self.leased.iter().any(|(at, key)| *key == lane.key && self.flow(*at).0.name == lane.flow);
        if !lane.state.settled() || busy || self.flying(&lane.flow, &lane.key) {
            let state = lane.state.word().replace('_', " ");
            return Ok(Some(format!("it is in progress ({state}): erase it again when it is finished")));
        }
        Ok(None)
    }
}
