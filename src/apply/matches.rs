//! What was found for each `match`, and what none and many mean.

use std::sync::Arc;

use super::record::Run;
use crate::check::typed::MatchOutcome;
use crate::value::Value;

/// How the matches of a record went.
pub(super) enum Found {
    /// Each name stands for a record, or for one that is still to be created.
    All,
    /// One says `skip`.
    Skip,
    /// One says `review` or `reject`: what would be mapped is not known.
    Stopped,
}

impl<'a> Run<'a> {
    pub(super) fn matches(&mut self) -> Found {
        let flow = self.machine.flow;
        let inputs = self.machine.inputs;
        let mut result = Found::All;
        for found in &flow.matches {
            let records = inputs.matched.get(&found.name).map_or(&[][..], Vec::as_slice);
            let outcome = match records {
                [one] => {
                    self.machine.set(found.slot, Value::Record(Arc::new(one.clone())));
                    continue;
                }
                [] => &found.none,
                _ => &found.many,
            };
            match outcome {
                MatchOutcome::Skip => return Found::Skip,
                MatchOutcome::Create | MatchOutcome::Continue => self.machine.set(found.slot, Value::ABSENT),
                MatchOutcome::Stop(stop) => {
                    self.machine.words.count = Some(records.len());
                    let halt = self.machine.stopped(stop, "match");
                    self.machine.words.count = None;
                    self.reason(halt);
                    result = Found::Stopped;
                }
            }
        }
        result
    }
}
