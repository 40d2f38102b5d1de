//! `crossdock status`: how many records are in which state, and whether the process is working.

use std::path::PathBuf;

use super::lines::{Columns, counted};
use super::project::context;
use super::{Exit, Failure, Format, Out};
use crate::app::status::{self, InState, Postponed};
use crate::app::time::UtcTime;
use crate::engine::Alive;
use crate::store::RecordStage;

const EXAMPLES: &str = "\
Examples:
  crossdock status                   how many records are in which state
  crossdock status --state failed    the records in one state
  crossdock status --format json     for a dashboard

It can be used while `crossdock serve` runs.";

/// Show how many records are in which state, and whether everything runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    #[arg(long, value_name = "STATE", help = format!("List the records in this state: {}", RecordStage::ALL.map(RecordStage::word).join(", ")))]
    state: Option<String>,
    /// Only this flow
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = context(args.path.as_ref(), args.env.as_deref(), out)?;
    if let Some(state) = &args.state {
        let found = status::in_state(&context, state, args.flow.as_deref())?;
        if args.format == Format::Json {
            out.json(&found)?;
            return Ok(Exit::Fine);
        }
        for one in &found.records {
            out.whole(format!("{}  {}  {}  {}", one.updated, one.flow, one.label.as_deref().unwrap_or("-"), one.key))?;
        }
        out.note(format!("{} shown; crossdock trace KEY shows the history of one", found.records.len()));
        return Ok(Exit::Fine);
    }
    let found = status::status(&context, args.flow.as_deref())?;
    if args.format == Format::Json {
        out.json(&found)?;
        return Ok(Exit::Fine);
    }
    if found.records.is_empty() {
        out.line("no record was read yet: crossdock run")?;
        return Ok(Exit::Fine);
    }
    table(&found.records, out)?;
    tell_postponed(found.postponed, out)?;
    match found.exceptions {
        0 => out.line("no open exceptions")?,
        1 => out.line("1 exception waits for a person: crossdock queue list")?,
        many => out.line(format!("{many} exceptions wait for a person: crossdock queue list"))?,
    }
    if let Some(alive) = &found.alive {
        liveness(alive, jiff::Timestamp::now().as_millisecond(), out)?;
    }
    Ok(Exit::Fine)
}

/// Tells of records that are not taken up yet, and why.
pub(super) fn tell_postponed(postponed: Option<Postponed>, out: &mut Out) -> Result<(), Failure> {
    let Some(Postponed { records, until }) = postponed else { return Ok(()) };
    let wait = format!("{} {}", counted(records, "record"), if records == 1 { "waits" } else { "wait" });
    out.line(format!("{wait}, until {until} at the earliest: {PUT_OFF}"))
}

/// Why a record is not taken up before some time.
pub(super) const PUT_OFF: &str = "an earlier request may still take effect, or an attempt has failed";

/// How the process that ran last is doing, or was when it ended.
fn liveness(alive: &Alive, now: i64, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("last seen running {}", ago(now, alive.at)))?;
    for flow in &alive.flows {
        let polled = flow.last_poll.map_or_else(|| "not polled yet".to_owned(), |last| format!("polled {}", ago(now, last)));
        let late = if flow.lag > 0 { format!(", {} late", length(flow.lag)) } else { String::new() };
        out.line(format!("  {}: {polled}{late}", flow.flow))?;
    }
    for connection in &alive.connections {
        if let (Some(since), Some(trouble)) = (connection.failing_since, &connection.trouble) {
            out.line(format!("  {}: {trouble} since {}", connection.connection, UtcTime(since)))?;
        }
    }
    if let Some(oldest) = alive.oldest_waiting {
        out.line(format!("  the oldest record that waits: {}", ago(now, oldest)))?;
    }
    if let Some(oldest) = alive.oldest_unresolved {
        out.line(format!("  the oldest write of unknown outcome: {}", ago(now, oldest)))?;
    }
    if alive.alerts_undelivered > 0 {
        out.line(format!("  alerts that are not delivered: {}", alive.alerts_undelivered))?;
    }
    alive.troubles.iter().try_for_each(|trouble| out.line(format!("  ! {trouble}")))
}

fn ago(now: i64, then: i64) -> String {
    format!("{} ago", length((now - then).max(0)))
}

/// A length of time by its largest unit.
fn length(millis: i64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Flows down, states across; states that no record is in are left out.
pub(super) fn table(records: &[InState], out: &mut Out) -> Result<(), Failure> {
    let states: Vec<RecordStage> = RecordStage::ALL.into_iter().filter(|state| records.iter().any(|one| one.state == *state)).collect();
    let mut flows: Vec<&String> = records.iter().map(|one| &one.flow).collect();
    flows.dedup();
    let header: Vec<String> = std::iter::once("flow".to_owned()).chain(states.iter().map(|state| state.word().replace('_', " "))).collect();
    let mut table = Columns::new(&header.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    for flow in flows {
        let cell = |state: &RecordStage| {
            let count = records.iter().find(|one| one.flow == *flow && one.state == *state).map(|one| one.records);
            count.map_or_else(|| "-".to_owned(), |count| count.to_string())
        };
        table.row(std::iter::once(flow.clone()).chain(states.iter().map(cell)).collect());
    }
    let (header, rows) = table.lines(out.columns());
    out.line(out.bold(&header))?;
    rows.into_iter().try_for_each(|row| out.line(row))
}
