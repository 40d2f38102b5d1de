//! How many records are in which state, and how the process is doing.

use serde::Serialize;

use super::time::UtcTime;
use super::{Access, Context, Failure, VERSION};
use crate::engine::Alive;
use crate::store::{Checkpoint, Counts, Millis, RecordStage, Store};

/// Records that are listed of one state, at most.
const MOST: usize = 500;

/// How many records of each flow are in each state, and what waits for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    pub version: u32,
    /// By flow and state; what has no record is left out.
    pub records: Vec<InState>,
    /// How many exceptions are open.
    pub exceptions: u64,
    pub checkpoints: Vec<Checkpoint>,
    /// How the process that ran last is doing, or was when it ended.
    pub alive: Option<Alive>,
    #[serde(skip)]
    pub postponed: Option<Postponed>,
}

/// How many records of a flow are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InState {
    pub flow: String,
    pub state: RecordStage,
    pub records: u64,
}

/// Records that are not taken up before some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Postponed {
    pub records: u64,
    /// The earliest time that one is taken up.
    pub until: UtcTime,
}

/// The records that are in one state, the newest change first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordsInState {
    pub version: u32,
    pub state: RecordStage,
    pub records: Vec<RecordInState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordInState {
    pub flow: String,
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    pub updated: UtcTime,
}

/// Where the records are; with `flow`, those of one flow.
///
/// # Errors
/// The store cannot be opened or read.
pub fn status(context: &Context, flow: Option<&str>) -> Result<Status, Failure> {
    let store = context.open_store(Access::Read)?;
    let mut counts = store.counts()?;
    counts.retain(|(of, _), _| flow.is_none_or(|wanted| wanted == of));
    // A flow that was taken out of the mapping may still have records.
    if counts.is_empty() && flow.is_some() {
        context.project.flow(flow)?;
    }
    Ok(Status {
        version: VERSION,
        exceptions: store.open_exceptions()?,
        checkpoints: store.checkpoints()?,
        alive: Alive::kept(&*store)?,
        postponed: postponed(&*store, &counts)?,
        records: in_states(&counts),
    })
}

/// The records in the state of a name: `failed`, `review`, ….
///
/// # Errors
/// There is no such state, or the store cannot be opened or read.
pub fn in_state(context: &Context, state: &str, flow: Option<&str>) -> Result<RecordsInState, Failure> {
    let store = context.open_store(Access::Read)?;
    let found = RecordStage::ALL.into_iter().find(|known| known.word() == state);
    let known = RecordStage::ALL.map(RecordStage::word).join(", ");
    let state = found.ok_or_else(|| Failure::usage(format!("`{state}` is no state")).hint(format!("states are: {known}")))?;
    let lanes = store.in_state(flow, state, MOST)?;
    if lanes.is_empty() && flow.is_some() {
        context.project.flow(flow)?;
    }
    let records =
        lanes.into_iter().map(|lane| RecordInState { flow: lane.flow, key: lane.key, label: lane.label, updated: UtcTime(lane.updated) }).collect();
    Ok(RecordsInState { version: VERSION, state, records })
}

/// Counts as a list.
pub fn in_states(counts: &Counts) -> Vec<InState> {
    counts.iter().map(|((flow, state), records)| InState { flow: flow.clone(), state: *state, records: *records }).collect()
}

/// Which records are not taken up yet: an earlier request may still take effect, or an attempt has failed.
///
/// # Errors
/// The store cannot be read.
pub fn postponed(store: &dyn Store, counts: &Counts) -> Result<Option<Postponed>, Failure> {
    let now = jiff::Timestamp::now().as_millisecond();
    let (mut records, mut next) = (0, None::<Millis>);
    for ((flow, state), count) in counts {
        if matches!(state, RecordStage::Waiting | RecordStage::Fetch)
            && let Some(due) = store.next_due(flow, *state, now)?
        {
            records += count;
            next = Some(next.map_or(due, |known| known.min(due)));
        }
    }
    Ok(next.map(|until| Postponed { records, until: UtcTime(until) }))
}
