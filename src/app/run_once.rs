//! One poll of each flow, to the end of what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::run_connected::{ConnectedRun, open_to_run, run_connected};
use super::status::{Postponed, postponed};
use super::{Access, Context, Failure, Notices, OpenedStore, VERSION};
use crate::engine::{Engine, Recovered, Settings};
use crate::run::live::Ended;
use crate::run::rehearsal::Rehearsal;
use crate::store::RecordStage;

/// How the run is to go.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only these flows; all if none is named.
    pub only: Vec<String>,
    /// Go on with a store that is not the newest one.
    pub recover: bool,
    /// At the very first run: leave out what changed before.
    pub since: Option<jiff::Timestamp>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RanOnce {
    pub version: u32,
    pub seconds: f64,
    /// Calls to systems.
    pub calls: u64,
    /// By flow and state, with what it was before the run.
    pub records: Vec<Moved>,
    /// How many exceptions are open.
    pub exceptions: u64,
    /// What could not be read or reached, in words.
    pub failures: Vec<String>,
    /// It was stopped before it was done.
    pub stopped: bool,
    /// How many records have moved.
    #[serde(skip)]
    pub moved: u64,
    /// Writes that wait longer than a run does.
    #[serde(skip)]
    pub waiting: usize,
    #[serde(skip)]
    pub postponed: Option<Postponed>,
}

/// How many records of a flow are in a state, and were before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub flow: String,
    pub state: RecordStage,
    pub records: u64,
    pub before: u64,
}

/// Who watches a run.
pub struct Watching<'a> {
    /// Called after each step.
    pub step: &'a mut dyn FnMut(&Engine<'_>),
    /// Called for each connection that has to be waited for, once.
    pub waits: &'a mut dyn FnMut(&str),
}

/// Polls each flow once and finishes what follows from it.
///
/// # Errors
/// The store cannot be opened or has failed, or a connection is not usable. What a system refused is no error.
pub fn run_once(context: &Context, request: &Request, watching: Watching<'_>, notices: Notices<'_>) -> Result<RanOnce, Failure> {
    let (store, recovered) = open_to_run(context, request.recover, notices)?;
    let before = store.counts()?;
    let began = Instant::now();
    let driven = drive(context, request, store, recovered, None, watching, notices)?;
    let open = context.open_store(Access::Read)?;
    let counts = open.counts()?;
    let was = |flow: &str, state: RecordStage| before.get(&(flow.to_owned(), state)).copied().unwrap_or(0);
    let moved = |((flow, state), records): (&(String, RecordStage), &u64)| Moved {
        flow: flow.clone(),
        state: *state,
        records: *records,
        before: was(flow, *state),
    };
    Ok(RanOnce {
        version: VERSION,
        calls: driven.calls,
        records: counts.iter().map(moved).collect(),
        exceptions: open.open_exceptions()?,
        failures: driven.failures,
        stopped: driven.stopped,
        moved: driven.moved,
        waiting: driven.waiting,
        postponed: postponed(&*open, &counts)?,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// What a drive came to.
pub(super) struct Driven {
    pub(super) failures: Vec<String>,
    pub(super) calls: u64,
    pub(super) stopped: bool,
    moved: u64,
    waiting: usize,
}

/// Runs the engine until all that follows from one poll is done; with a rehearsal nothing is sent.
pub(super) fn drive(
    context: &Context,
    request: &Request,
    store: OpenedStore,
    recovered: Option<Recovered>,
    rehearsal: Option<Arc<Rehearsal>>,
    watching: Watching<'_>,
    notices: Notices<'_>,
) -> Result<Driven, Failure> {
    let settings = Settings {
        once: true,
        only: request.only.clone(),
        since: request.since,
        seed: u64::from(std::process::id()),
        recovered,
        ..Settings::default()
    };
    let Watching { step, waits } = watching;
    let (mut moved, mut waiting) = (0, 0);
    let mut said = BTreeSet::new();
    let mut seen = |engine: &Engine<'_>| {
        step(engine);
        for wait in engine.waits_for() {
            // Once for each connection, whatever it says each time.
            if said.insert(wait.split_once(':').map_or_else(String::new, |(name, _)| name.to_owned())) {
                waits(&wait);
            }
        }
        moved = engine.moved();
        waiting = engine.waiting();
    };
    let run = ConnectedRun { settings, rehearsal, listening: &mut |_, _, _| Ok(()), seen: &mut seen };
    let ran = run_connected(context, store, run, notices)?;
    let stopped = ran.ended == Ended::Stopped;
    Ok(Driven { failures: ran.failures, calls: ran.calls, stopped, moved, waiting })
}
