//! `crossdock run` between systems: runs once and prints the result.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::project::remark;
use super::{Exit, Failure, Format, Out};
use crate::app::process::{clock, transport};
use crate::app::run_connected::{ConnectedRun, open_to_run, run_connected};
use crate::app::{Access, Context, OpenedStore, status};
use crate::engine::{Engine, Recovered, Settings};
use crate::run::dry::Rehearsal;
use crate::run::live::Ended;

/// How a run between systems was asked for.
pub(super) struct Asked<'a> {
    pub(super) only: Vec<String>,
    pub(super) dry: bool,
    pub(super) recover: bool,
    /// Of a rehearsal: every write, field by field.
    pub(super) all: bool,
    /// Of a rehearsal: with personal values.
    pub(super) reveal: bool,
    pub(super) strict: bool,
    pub(super) format: Format,
    pub(super) since: Option<jiff::Timestamp>,
    pub(super) context: &'a Context,
}

/// Polls each flow once, finishes all resulting work, and prints the result.
pub(super) fn once(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    if asked.dry {
        return super::rehearse::rehearse(asked, out);
    }
    let (store, recovered) = open_to_run(asked.context, asked.recover, &mut remark(out))?;
    let before = store.counts()?;
    let began = Instant::now();
    let Drove { failures, after, calls, stopped } = drive(asked, store, recovered, None, out)?;
    let open = asked.context.open_store(Access::Read)?;
    let exceptions = open.exceptions(true, 1_000)?;
    let after = if stopped { After { counts: open.counts()?, ..after } } else { after };
    let moved = after.moved;
    if asked.format == Format::Json {
        let states: Vec<_> = after
            .counts
            .iter()
            .map(|((flow, state), count)| serde_json::json!({"flow": flow, "state": state.word(), "records": count, "before": before.get(&(flow.clone(), *state)).copied().unwrap_or(0)}))
            .collect();
        out.json(&serde_json::json!({
            "version": 1, "seconds": began.elapsed().as_secs_f64(), "calls": calls, "records": states, "exceptions": exceptions.len(), "failures": failures, "stopped": stopped,
        }))?;
    } else {
        let counted = |n: u64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        out.line(format!("{} moved in {:.1} s, {}", counted(moved, "record"), began.elapsed().as_secs_f64(), counted(calls, "call")))?;
        super::status::table(&status::in_states(&after.counts), out)?;
        super::status::tell_postponed(status::postponed(&*open, &after.counts)?, out)?;
        for failure in &failures {
            out.note(format!("not read: {failure}"));
        }
        if stopped {
            out.note("it was stopped before it was finished: the next run continues");
        }
        if after.waiting > 0 {
            out.line(format!("{} writes are in doubt or postponed: the next run continues them", after.waiting))?;
        }
        if !exceptions.is_empty() {
            let noun = if exceptions.len() == 1 { "record waits" } else { "records wait" };
            out.line(format!("{} {noun} for a person: crossdock queue list", exceptions.len()))?;
        }
    }
    let unfinished = stopped || !failures.is_empty();
    Ok(if unfinished || (asked.strict && !exceptions.is_empty()) { Exit::Findings } else { Exit::Fine })
}

/// What a drive came to.
pub(super) struct Drove {
    pub(super) failures: Vec<String>,
    pub(super) after: After,
    pub(super) calls: u64,
    pub(super) stopped: bool,
}

pub(super) struct After {
    pub(super) counts: crate::store::Counts,
    moved: u64,
    /// Writes that wait longer than a run does.
    waiting: usize,
}

pub(super) fn drive(
    asked: &Asked<'_>,
    store: OpenedStore,
    recovered: Option<Recovered>,
    rehearsal: Option<Arc<Rehearsal>>,
    out: &mut Out,
) -> Result<Drove, Failure> {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    let mut last = Instant::now();
    let mut seen = |engine: &Engine<'_>| {
        if last.elapsed().as_millis() < 250 || bar.is_hidden() {
            return;
        }
        last = Instant::now();
        if let Ok(counts) = engine.store().counts() {
            let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
            counts.iter().for_each(|((_, state), count)| *by_state.entry(state.word()).or_default() += count);
            let text: Vec<String> = by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
            bar.set_message(text.join(", "));
            bar.tick();
        }
    };
    let settings =
        Settings { once: true, only: asked.only.clone(), since: asked.since, seed: u64::from(std::process::id()), recovered, ..Settings::default() };
    let mut counted = None;
    let mut moved = 0;
    let mut waiting = 0;
    let mut said = std::collections::BTreeSet::new();
    let mut last_counts = |engine: &Engine<'_>| {
        seen(engine);
        for wait in engine.waits_for() {
            // Once for each connection, whatever it says each time.
            if said.insert(wait.split_once(':').map_or_else(String::new, |(name, _)| name.to_owned())) {
                bar.suspend(|| anstream::eprintln!("{wait}"));
            }
        }
        moved = engine.moved();
        waiting = engine.waiting();
        if engine.done() {
            counted = engine.store().counts().ok();
        }
    };
    let ran = run_connected(
        asked.context,
        store,
        ConnectedRun { settings, rehearsal, transport: transport()?, clock: clock(), listening: &mut |_, _, _| Ok(()), seen: &mut last_counts },
        &mut remark(out),
    );
    bar.finish_and_clear();
    let ran = ran?;
    let after = After { counts: counted.unwrap_or_default(), moved, waiting };
    Ok(Drove { failures: ran.failures, after, calls: ran.calls, stopped: ran.ended == Ended::Stopped })
}
