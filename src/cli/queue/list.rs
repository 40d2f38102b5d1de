//! `crossdock queue list`: the open exceptions, by cause or one by one.

use super::super::project::ProjectArgs;
use super::Filters;
use crate::app::exceptions::{Exceptions, OfCause, Row};
use crate::cli::lines::{Columns, counted, wrapped};
use crate::cli::when::{age, until};
use crate::cli::{Exit, Failure, Format, Out};
use crate::store::Millis;

const EXAMPLES: &str = "\
Examples:
  crossdock queue list                     by cause, most urgent first
  crossdock queue list --owner finance     what waits for one owner
  crossdock queue list --cause 3f9a2c01 --each
                                           the records of one cause
  crossdock queue list --due-within 2h     with a deadline in the next 2 hours
  crossdock queue list --older-than 7d     open for more than 7 days
  crossdock queue list --closed            closed ones too, and who decided

Then: `crossdock queue show ID`, and `crossdock queue retry`, `approve` or `discard` with `--cause ID` for all of one cause. \
Personal values are masked; `queue show ID --reveal` prints them.";

/// List the open exceptions, by cause
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    filters: Filters,
    /// One line for each exception, with its age and deadline
    #[arg(long, visible_alias = "all")]
    each: bool,
    /// All exceptions one by one, decided ones included
    #[arg(long)]
    closed: bool,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let exceptions = Exceptions::open(&context)?;
    let wanted = exceptions.checked(args.filters.wanted())?;
    if args.format == Format::Json {
        out.json(&exceptions.list(&wanted, args.closed)?)?;
        return Ok(Exit::Fine);
    }
    if args.each || args.closed {
        let found = exceptions.rows(&wanted, args.closed)?;
        if !found.is_empty() {
            return each(&found, exceptions.now(), out);
        }
    }
    let causes = exceptions.by_cause(&wanted)?;
    if causes.is_empty() {
        return match exceptions.open_count()? {
            0 => out.line("no open exceptions"),
            open => out.line(format!("none of the {open} open exceptions fits: crossdock queue list shows them")),
        }
        .map(|()| Exit::Fine);
    }
    by_cause(&causes, exceptions.now(), out)
}

/// One row for each cause, with its reasons and examples below.
fn by_cause(causes: &[OfCause], now: Millis, out: &mut Out) -> Result<Exit, Failure> {
    let width = out.columns();
    let count: u64 = causes.iter().map(|cause| cause.open).sum();
    let oldest = causes.iter().map(|cause| cause.oldest.0).min().unwrap_or(now);
    let mut head = format!("{}, {}, the oldest {}", counted(count, "open exception"), counted(causes.len(), "cause"), old(now - oldest));
    if let Some(before) = causes.iter().filter_map(|cause| cause.before).min() {
        head += &format!(", the earliest deadline {}", until(before.0, now));
    }
    for line in wrapped(&head, 0, width) {
        out.line(line)?;
    }
    out.line("")?;
    let mut table = Columns::new(&["cause", "open", "code", "flow", "owner", "oldest", "due"], 3);
    for cause in causes {
        table.row(vec![
            cause.cause.clone(),
            cause.open.to_string(),
            cause.code.clone(),
            cause.flow.clone(),
            cause.owner.clone().unwrap_or_else(|| "-".to_owned()),
            age(now - cause.oldest.0),
            cause.before.map_or_else(|| "-".to_owned(), |before| until(before.0, now)),
        ]);
    }
    let (header, rows) = table.lines(width);
    out.line(out.bold(&header))?;
    for (cause, row) in causes.iter().zip(rows) {
        out.line(row)?;
        for reason in &cause.reasons {
            for line in wrapped(reason, 10, width) {
                out.line(line)?;
            }
        }
        for line in wrapped(&examples(cause), 10, width) {
            out.line(out.dim(&line))?;
        }
    }
    out.line("")?;
    for line in wrapped(
        "crossdock queue list --cause ID --each lists the records of a cause; queue show N shows one; queue retry, approve or discard --cause ID decides all of a cause",
        0,
        width,
    ) {
        out.line(out.dim(&line))?;
    }
    Ok(Exit::Fine)
}

fn old(millis: Millis) -> String {
    match age(millis).as_str() {
        "now" => "just opened".to_owned(),
        age => format!("{age} old"),
    }
}

/// Which records have a cause.
fn examples(cause: &OfCause) -> String {
    let names: Vec<String> = cause.examples.iter().map(|one| format!("{} [{}]", one.name, one.id)).collect();
    if names.is_empty() {
        return String::new();
    }
    let more = cause.open.saturating_sub(names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// One line for each exception, and its reasons.
fn each(found: &[Row], now: Millis, out: &mut Out) -> Result<Exit, Failure> {
    let width = out.columns();
    let mut table = Columns::new(&["id", "record", "code", "flow", "owner", "age", "due"], 3);
    for one in found {
        let due = match (&one.closed_by, one.before) {
            (Some(what), _) => {
                let by = one.decided.as_ref().and_then(|decided| decided.by.as_ref()).map(|by| format!(" by {by}")).unwrap_or_default();
                format!("{what}{by}")
            }
            (None, Some(before)) => until(before.0, now),
            (None, None) => "-".to_owned(),
        };
        table.row(vec![
            one.id.to_string(),
            crate::cli::lines::cut(one.label.as_deref().unwrap_or(&one.key), 20),
            one.code.clone(),
            one.flow.clone(),
            one.owner.clone().unwrap_or_else(|| "-".to_owned()),
            age(now - one.opened.0),
            due,
        ]);
    }
    let (header, rows) = table.lines(width);
    out.line(out.bold(&header))?;
    for (one, row) in found.iter().zip(rows) {
        out.line(row)?;
        for reason in &one.reasons {
            for line in wrapped(reason, 6, width) {
                out.line(line)?;
            }
        }
    }
    Ok(Exit::Fine)
}
