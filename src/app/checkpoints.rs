//! How far each flow has read its source, and reading it again from an earlier time.

use serde::Serialize;

use super::operator_client::{Decided, decide};
use super::{Access, Context, Failure, Notices, VERSION};
use crate::engine::operator_commands::{Decision, Signature};
use crate::store::Checkpoint;

/// The checkpoints, as the sources printed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoints {
    pub version: u32,
    pub checkpoints: Vec<Checkpoint>,
}

/// The checkpoints of all flows.
///
/// # Errors
/// The store cannot be opened or read.
pub fn checkpoints(context: &Context) -> Result<Checkpoints, Failure> {
    Ok(Checkpoints { version: VERSION, checkpoints: context.open_store(Access::Read)?.checkpoints()? })
}

/// Which checkpoints go back, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewind {
    pub flow: String,
    /// One of its streams; all if none is named.
    pub stream: Option<String>,
    pub to: jiff::Timestamp,
}

/// Sends checkpoints back.
///
/// # Errors
/// The time is in the future, the flow has no such stream, or as [`decide`].
pub fn rewind(context: &Context, rewind: Rewind, signature: Signature, notices: Notices<'_>) -> Result<Decided, Failure> {
    let Rewind { flow, stream, to } = rewind;
    if to > jiff::Timestamp::now() {
        return Err(Failure::usage(format!("{to} is in the future: changes until then would not be read"))
            .hint("name an earlier time, such as 2h (ago) or 2026-11-01T00:00:00Z"));
    }
    context.project.flow(Some(&flow))?;
    if let Some(stream) = &stream {
        let known = context.open_store(Access::Read)?.checkpoints()?;
        let of: Vec<&str> = known.iter().filter(|one| one.flow == flow).map(|one| one.stream.as_str()).collect();
        if !of.contains(&stream.as_str()) {
            return Err(Failure::unknown("stream", stream, of));
        }
    }
    decide(context, Decision::Rewind { flow, stream, to: to.as_millisecond() }, signature, notices)
}
