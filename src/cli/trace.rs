//! `crossdock trace`: the history of one record through all systems, as a timeline.

use super::lines::{Columns, wrapped};
use super::project::ProjectArgs;
use super::{Exit, Failure, Format, Out};
use crate::app::time::UtcTime;
use crate::app::trace::{MOST_SEPARATE, Trace, Traced, trace};
use crate::store::Watched;

const EXAMPLES: &str = "\
Examples:
  crossdock trace 00000104              by order number
  crossdock trace FR-000001             by the name field of a custom object
  crossdock trace 8015g0000000068AAA    by id or key, at either system
  crossdock trace ada@example.com       a group, by its value
  crossdock trace 00000104 --requests   with the requests and answers, masked

Records of other flows that belong to it, such as its shipments, are part of the same timeline.";

/// Show the history of one record
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The number, name, id or key of the record
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    project: ProjectArgs,
    /// Also print the requests and answers of this record, masked
    #[arg(long)]
    requests: bool,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let found = trace(&context, &args.key, args.requests)?;
    if args.format == Format::Json {
        out.json(&found)?;
        return Ok(Exit::Fine);
    }
    if found.separate > MOST_SEPARATE {
        return list(args, &found, out);
    }
    found.records.iter().try_for_each(|one| record(one, &found, out))?;
    timeline(&found, out)?;
    Ok(Exit::Fine)
}

/// Where a record is, and what it waits for.
fn record(one: &Traced, found: &Trace, out: &mut Out) -> Result<(), Failure> {
    let width = out.columns();
    let plan = match &one.plan {
        Some(_) if one.erased => ", and was erased".to_owned(),
        Some(plan) => format!(", mapped by plan {plan}"),
        None => String::new(),
    };
    let label = one.label.as_deref().unwrap_or("-");
    let told = format!("{} {label} ({}) is {}{plan}", one.flow, one.key, one.state.word().replace('_', " "));
    for (at, line) in wrapped(&told, 4, width).into_iter().enumerate() {
        out.line(if at == 0 { line.trim_start() } else { &line })?;
    }
    if let Some(due) = one.due.filter(|_| one.postponed) {
        for line in wrapped(&format!("is taken up at {due}: {}", super::status::PUT_OFF), 4, width) {
            out.line(line)?;
        }
    }
    for exception in &one.exceptions {
        out.line(format!("    waits for a person: crossdock queue show {exception}"))?;
    }
    for decision in found.decisions.iter().filter(|decision| decision.flow == one.flow && decision.key == one.key) {
        let by = decision.by.as_deref().unwrap_or("a person");
        let why = decision.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let told = format!("exception {} was {} by {by}, {}{why}", decision.exception, decision.what, UtcTime(decision.at.0));
        for line in wrapped(&told, 4, width) {
            out.line(line)?;
        }
    }
    for (what, due) in &one.watches {
        out.line(match what {
            Watched::Expectation(name) => format!("    `{name}` is due by {due}"),
            Watched::Unmet(name) => format!("    `{name}` was not met in time; it is checked again at {due}"),
            Watched::Late { write, .. } => format!("    `{write}` is late if it is not confirmed by {due}"),
            Watched::Window => format!("    a record leaves the group's period at {due}"),
            Watched::Settle => continue,
        })?;
    }
    Ok(())
}

/// What has happened, day by day.
fn timeline(found: &Trace, out: &mut Out) -> Result<(), Failure> {
    let width = out.columns();
    let wide = found.records.iter().map(|one| one.flow.chars().count()).max().unwrap_or(0).min(24);
    let mut day = String::new();
    for event in &found.events {
        let at = event.at.to_string();
        let (date, clock) = at.split_once(' ').unwrap_or(("", &at));
        if date != day {
            out.line("")?;
            out.line(out.bold(date))?;
            date.clone_into(&mut day);
        }
        let exchange = event.exchange.map(|id| format!(" [{id}]")).unwrap_or_default();
        let flow = super::lines::cut(&event.flow, wide);
        let head = format!("{clock}  {flow:<wide$}  {:<11} ", event.kind.replace('_', " "));
        let indent = head.chars().count();
        let mut lines = wrapped(&format!("{}{exchange}", event.text), indent, width).into_iter();
        out.line(format!("{head}{}", lines.next().unwrap_or_default().trim_start()))?;
        for line in lines {
            out.line(line)?;
        }
        if let Some(call) = &event.request {
            super::audit::call(call, out)?;
            if call.whole.request.is_some() {
                out.line(format!("    an older version kept its batch as a whole: crossdock audit show {}", call.id))?;
            }
        }
    }
    Ok(())
}

/// Several records are called so: which they are.
fn list(args: &Args, found: &Trace, out: &mut Out) -> Result<Exit, Failure> {
    let key = crate::engine::mask::key(&args.key, true);
    out.line(format!("{} records are called {key}; name one by its key:", found.separate))?;
    out.line("")?;
    let mut table = Columns::new(&["key", "flow", "state", "changed"], 1);
    for one in found.records.iter().take(found.named) {
        table.row(vec![one.key.clone(), one.flow.clone(), one.state.word().replace('_', " "), one.updated.to_string()]);
    }
    let (header, rows) = table.lines(out.columns());
    out.line(out.bold(&header))?;
    rows.into_iter().try_for_each(|row| out.line(row))?;
    Ok(Exit::Fine)
}
