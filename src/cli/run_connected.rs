//! `crossdock run` between systems: runs once and prints the result.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::lines::counted;
use super::project::remark;
use super::{Exit, Failure, Format, Out};
use crate::app::Context;
use crate::app::run_once::{RanOnce, Request, Watching, run_once};
use crate::app::status::InState;
use crate::engine::Engine;

/// How a run between systems was asked for.
pub(super) struct Asked<'a> {
    pub(super) context: &'a Context,
    pub(super) request: Request,
    /// Of a rehearsal: every write, field by field.
    pub(super) all: bool,
    /// Of a rehearsal: with personal values.
    pub(super) reveal: bool,
    pub(super) strict: bool,
    pub(super) format: Format,
}

/// Polls each flow once, finishes all resulting work, and prints the result.
pub(super) fn once(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    let ran = watched(|watching| run_once(asked.context, &asked.request, watching, &mut remark(out)))?;
    if asked.format == Format::Json {
        out.json(&ran)?;
    } else {
        tell(&ran, out)?;
    }
    let unfinished = ran.stopped || !ran.failures.is_empty();
    Ok(if unfinished || (asked.strict && ran.exceptions > 0) { Exit::Findings } else { Exit::Fine })
}

fn tell(ran: &RanOnce, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{} moved in {:.1} s, {}", counted(ran.moved, "record"), ran.seconds, counted(ran.calls, "call")))?;
    let records: Vec<InState> = ran.records.iter().map(|one| InState { flow: one.flow.clone(), state: one.state, records: one.records }).collect();
    super::status::table(&records, out)?;
    super::status::tell_postponed(ran.postponed, out)?;
    for failure in &ran.failures {
        out.note(format!("not read: {failure}"));
    }
    if ran.stopped {
        out.note("it was stopped before it was finished: the next run continues");
    }
    if ran.waiting > 0 {
        let (be, them) = if ran.waiting == 1 { ("is", "it") } else { ("are", "them") };
        out.line(format!("{} {be} in doubt or postponed: the next run continues {them}", counted(ran.waiting, "write")))?;
    }
    if ran.exceptions > 0 {
        let wait = if ran.exceptions == 1 { "waits" } else { "wait" };
        out.line(format!("{} {wait} for a person: crossdock queue list", counted(ran.exceptions, "record")))?;
    }
    Ok(())
}

/// Does something under a line that shows how many records are where.
pub(super) fn watched<T>(run: impl FnOnce(Watching<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    let mut last = Instant::now();
    let mut step = |engine: &Engine<'_>| {
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
    let ran = run(Watching { step: &mut step, waits: &mut |why| bar.suspend(|| drop(writeln!(anstream::stderr(), "{why}"))) });
    bar.finish_and_clear();
    ran
}
