//! Executes decisions and prints the result.

use super::project::remark;
use super::{Exit, Failure, Out};
use crate::app::Context;
use crate::app::operator_client::{self, CarriedOutBy, Decided};
use crate::engine::operator_commands::{Decision, Signature};

/// Has a decision carried out and says what came of it. `done`: the word for what was done, after the number of records.
pub(super) fn decide(context: &Context, decision: Decision, signature: Signature, done: &str, out: &mut Out) -> Result<Exit, Failure> {
    let decided = operator_client::decide(context, decision, signature, &mut remark(out))?;
    tell(&decided, done, out)
}

/// Says what came of a decision.
pub(super) fn tell(decided: &Decided, done: &str, out: &mut Out) -> Result<Exit, Failure> {
    for why in &decided.answer.not {
        out.note(why);
    }
    if decided.answer.done > 0 {
        let next = match (decided.by, decided.sets_free) {
            (_, false) => "",
            (CarriedOutBy::RunningProcess, true) => "; it takes effect in ten seconds. Until then, `crossdock queue undo` takes it back",
            (CarriedOutBy::NextRun, true) => "; the next `crossdock run` or `serve` acts on it. Until then, `crossdock queue undo` takes it back",
        };
        out.line(format!("{} {done}{next}", decided.answer.done))?;
    }
    Ok(match &decided.answer {
        answer if answer.not.is_empty() => Exit::Fine,
        // Nothing of what was named is there.
        answer if answer.unknown && answer.done == 0 => Exit::Usage,
        _ => Exit::Findings,
    })
}
