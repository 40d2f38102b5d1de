//! Reads that fail again and again: of what a record is matched with, of what its targets hold, of whether a write was done.
//!
//! What passes costs a record no try: it waits for as long as it takes. It is asked again after waits that grow, and where that does not
//! help somebody is told for what the record waits. The alert ends by itself with an answer.

use super::connection_health::backoff;
use super::{Engine, SOON};
use crate::fault::Fault;
use crate::store::{Change, Millis, RecordStage, StoreResult};

/// Failures in a row, or for how long, after which somebody is told.
const TOLD_AFTER: u32 = 6;
const TOLD_SINCE: Millis = 5 * 60_000;
/// The longest wait between two tries.
const LONGEST: Millis = 60_000;

/// Reads of one record that failed one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unanswered {
    tries: u32,
    /// Since when, by the steady clock.
    since: Millis,
    told: bool,
}

impl Engine<'_> {
    /// How many reads of a record failed in a row.
    pub(super) fn tries(&self, flow: &str, lane: &str) -> u32 {
        self.unanswered.get(&(flow.to_owned(), lane.to_owned())).map_or(0, |known| known.tries)
    }

    /// A read failed that a record waits for. Gives after how long it is asked again. `what` it asks, in words.
    pub(super) fn is_unanswered(&mut self, flow: &str, lane: &str, what: &str, fault: &Fault) -> StoreResult<Millis> {
        let steady = self.steady();
        let known = self.unanswered.entry((flow.to_owned(), lane.to_owned())).or_insert(Unanswered { tries: 0, since: steady, told: false });
        known.tries += 1;
        let Unanswered { tries, since, told } = *known;
        // What failed together is asked again together: in one call.
        let wait = backoff(tries, self.settings.seed).min(LONGEST);
        let lasts = tries >= TOLD_AFTER || steady - since >= TOLD_SINCE;
        let Some(at) = self.flow_named(flow).filter(|_| lasts) else { return Ok(wait) };
        if self.fails_at_its_connections(at) {
            // It is told, and given up by a run that is to end.
            return Ok(wait);
        }
        if !told {
            let label = self.store.record(flow, lane)?.and_then(|lane| lane.label);
            let message = format!("`{flow}` cannot look up {what}: {}", self.words(fault).message);
            self.cannot_look_up(at, label.as_deref().unwrap_or(lane), message)?;
            if let Some(known) = self.unanswered.get_mut(&(flow.to_owned(), lane.to_owned())) {
                known.told = true;
            }
        }
        // The next run asks again.
        Ok(if self.settings.once { 2 * SOON } else { wait })
    }

    /// A read was answered that a record waited for.
    pub(super) fn is_answered(&mut self, flow: &str, lane: &str) {
        if !self.unanswered.is_empty() {
            self.unanswered.remove(&(flow.to_owned(), lane.to_owned()));
        }
    }

    /// Whether somebody was told of a record of a flow that still waits for its reads.
    pub(super) fn waits_for_reads(&self, flow: &str) -> bool {
        self.unanswered.iter().any(|((of, _), known)| known.told && of == flow)
    }

    /// Ends what was told of flows whose records wait for no read any more: they are gone, or were decided by a person.
    pub(super) fn look_at_reads(&mut self, changes: &mut Vec<Change>) -> StoreResult<()> {
        for at in 0..self.flows.len() {
            let flow = self.flow(at).0.name.as_str();
            if !self.lasts(&super::watchdog::looking_up(flow)) {
                continue;
            }
            let told: Vec<String> =
                self.unanswered.iter().filter(|((of, _), known)| known.told && of == flow).map(|((_, lane), _)| lane.clone()).collect();
            let mut waits = false;
            for lane in told {
                let kept = self.store.record(flow, &lane)?;
                if kept.is_some_and(|kept| kept.state == RecordStage::Waiting) || !self.open_entries.ids(flow, &lane).is_empty() {
                    waits = true;
                    break;
                }
                self.is_answered(flow, &lane);
            }
            // A question that is refused keeps every record of its flow waiting, those too whose time has come.
            if !waits && self.store.in_state(Some(flow), RecordStage::Waiting, 1)?.is_empty() {
                self.resolve(&super::watchdog::looking_up(flow), changes);
            }
        }
        Ok(())
    }

    /// Whether a connection that a flow looks up in is told to fail: that is the cause.
    fn fails_at_its_connections(&self, at: usize) -> bool {
        let (flow, _) = self.flow(at);
        let mut objects = flow.matches.iter().map(|found| &found.object).chain(self.writes_of(flow));
        objects.any(|object| self.lasts(&super::watchdog::cause_of(&object.connection)))
    }
}
