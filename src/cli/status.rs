//! `crossdock status`: where every record is, in one table.

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table};

use super::project::context;
use super::{Exit, Failure, Format, Out};
use crate::app::Access;
use crate::engine::Alive;
use crate::store::{Counts, LaneState, Store};

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
    /// List the records in this state: fetch, waiting, sending, delivered, unchanged, not_eligible, rejected, review, failed, gone, discarded
    #[arg(long, value_name = "STATE")]
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
    let store = context.open_store(Access::Read)?;
    if let Some(word) = &args.state {
        let state = LaneState::ALL.into_iter().find(|state| state.word() == word);
        let known = LaneState::ALL.map(LaneState::word).join(", ");
        let state = state.ok_or_else(|| Failure::usage(format!("`{word}` is no state")).hint(format!("states are: {known}")))?;
        let lanes = store.in_state(args.flow.as_deref(), state, 500)?;
        if args.format == Format::Json {
            let records: Vec<_> = lanes
                .iter()
                .map(|lane| serde_json::json!({"flow": lane.flow, "key": lane.key, "label": lane.label, "updated": time(lane.updated)}))
                .collect();
            out.json(&serde_json::json!({"version": 1, "state": word, "records": records}))?;
            return Ok(Exit::Fine);
        }
        for lane in &lanes {
            out.line(format!("{}  {}  {}  {}", time(lane.updated), lane.flow, lane.label.as_deref().unwrap_or("-"), lane.key))?;
        }
        out.note(format!("{} shown; crossdock trace KEY shows the history of one", lanes.len()));
        return Ok(Exit::Fine);
    }
    let mut counts = store.counts()?;
    counts.retain(|(flow, _), _| args.flow.as_ref().is_none_or(|wanted| wanted == flow));
    let open = store.open_exceptions()?;
    let checkpoints = store.checkpoints()?;
    let alive = Alive::kept(&*store)?;
    if args.format == Format::Json {
        let records: Vec<_> =
            counts.iter().map(|((flow, state), count)| serde_json::json!({"flow": flow, "state": state.word(), "records": count})).collect();
        out.json(&serde_json::json!({"version": 1, "records": records, "exceptions": open, "checkpoints": checkpoints, "alive": alive}))?;
        return Ok(Exit::Fine);
    }
    if counts.is_empty() {
        out.line("no record was met yet: crossdock run")?;
        return Ok(Exit::Fine);
    }
    table(&counts, out)?;
    tell_put_off(&*store, &counts, out)?;
    match open {
        0 => out.line("no open exceptions")?,
        1 => out.line("1 exception waits for somebody: crossdock queue list")?,
        many => out.line(format!("{many} exceptions wait for somebody: crossdock queue list"))?,
    }
    if let Some(alive) = alive {
        liveness(&alive, jiff::Timestamp::now().as_millisecond(), out)?;
    }
    Ok(Exit::Fine)
}

/// Records that are not taken up before some time, and the earliest one.
fn put_off(store: &dyn Store, counts: &crate::store::Counts) -> crate::store::Kept<Option<(u64, i64)>> {
    let now = jiff::Timestamp::now().as_millisecond();
    let (mut records, mut next) = (0, None::<i64>);
    for ((flow, state), count) in counts {
        if matches!(state, LaneState::Waiting | LaneState::Fetch)
            && let Some(due) = store.next_due(flow, *state, now)?
        {
            records += count;
            next = Some(next.map_or(due, |known| known.min(due)));
        }
    }
    Ok(next.map(|next| (records, next)))
}

/// Tells of records that are not taken up yet, and why.
pub(super) fn tell_put_off(store: &dyn Store, counts: &crate::store::Counts, out: &mut Out) -> Result<(), Failure> {
    let Some((records, next)) = put_off(store, counts)? else { return Ok(()) };
    let wait = if records == 1 { "1 record waits".to_owned() } else { format!("{records} records wait") };
    out.line(format!("{wait}, until {} at the earliest: {PUT_OFF}", time(next)))
}

/// Why a record is not taken up before some time.
pub(super) const PUT_OFF: &str = "an earlier request may still take effect, or a try has failed";

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
            out.line(format!("  {}: {trouble} since {}", connection.connection, time(since)))?;
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
pub(super) fn table(counts: &Counts, out: &mut Out) -> Result<(), Failure> {
    let states: Vec<LaneState> = LaneState::ALL.into_iter().filter(|state| counts.keys().any(|(_, known)| known == state)).collect();
    let mut flows: Vec<&String> = counts.keys().map(|(flow, _)| flow).collect();
    flows.dedup();
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once("flow".to_owned()).chain(states.iter().map(|state| state.word().replace('_', " "))));
    for flow in flows {
        let cell = |state: &LaneState| counts.get(&(flow.clone(), *state)).map_or_else(|| "-".to_owned(), ToString::to_string);
        table.add_row(std::iter::once(flow.clone()).chain(states.iter().map(cell)));
    }
    out.line(table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// A time for people: UTC, to the second.
pub(super) fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
