//! `crossdock queue list`: by cause, or one by one.

use super::{Filters, Project, masked};
use crate::app::{Access, Context};
use crate::cli::lines::{Columns, wrapped};
use crate::cli::status::time;
use crate::cli::when::{age, stamp, until};
use crate::cli::{Exit, Failure, Format, Out};
use crate::store::cause::general;
use crate::store::{Cause, Exception, Store, Wanted};
use crate::value::Json;

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
    project: Project,
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

/// Exceptions that are listed one by one, at most.
const MOST: usize = 100_000;
/// Records that are named as examples of a cause.
const EXAMPLES_OF: usize = 3;

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let store = context.open_store(Access::Read)?;
    let wanted = args.filters.wanted(&context, &*store)?;
    let causes = store.causes(&wanted)?;
    let now = jiff::Timestamp::now().as_millisecond();
    if args.format == Format::Json {
        return json(args, &context, &*store, &wanted, &causes, now, out);
    }
    if args.each || args.closed {
        let found = store.wanted(&wanted, args.closed, MOST)?;
        if !found.is_empty() {
            return each(&context, &*store, &found, now, out);
        }
    }
    if causes.is_empty() {
        let open = store.open_exceptions()?;
        return match open {
            0 => out.line("no open exceptions"),
            open => out.line(format!("none of the {open} open exceptions is of that kind: crossdock queue list shows them")),
        }
        .map(|()| Exit::Fine);
    }
    by_cause(&context, &*store, &causes, now, out)
}

/// One row for each cause, with its reasons and examples below.
fn by_cause(context: &Context, store: &dyn Store, causes: &[Cause], now: i64, out: &mut Out) -> Result<Exit, Failure> {
    let width = out.columns();
    let count: u64 = causes.iter().map(|cause| cause.count).sum();
    let oldest = causes.iter().map(|cause| cause.oldest).min().unwrap_or(now);
    let noun = |n: u64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let mut head = format!("{}, {}, the oldest {}", noun(count, "open exception"), noun(causes.len() as u64, "cause"), old(now - oldest));
    if let Some(before) = causes.iter().filter_map(|cause| cause.before).min() {
        head += &format!(", the earliest deadline {}", until(before, now));
    }
    for line in wrapped(&head, 0, width) {
        out.line(line)?;
    }
    out.line("")?;
    let mut table = Columns::new(&["cause", "open", "code", "flow", "owner", "oldest", "due"], 3);
    for cause in causes {
        table.row(vec![
            cause.id.clone(),
            cause.count.to_string(),
            cause.code.clone(),
            cause.flow.clone(),
            cause.owner.clone().unwrap_or_else(|| "-".to_owned()),
            age(now - cause.oldest),
            cause.before.map_or_else(|| "-".to_owned(), |before| until(before, now)),
        ]);
    }
    let (header, rows) = table.lines(width);
    out.line(out.bold(&header))?;
    for (cause, row) in causes.iter().zip(rows) {
        out.line(row)?;
        let (reasons, examples) = told(context, store, cause)?;
        for reason in reasons {
            for line in wrapped(&reason, 10, width) {
                out.line(line)?;
            }
        }
        for line in wrapped(&examples, 10, width) {
            out.line(out.dim(&line))?;
        }
    }
    out.line("")?;
    for line in wrapped(
        "crossdock queue list --cause ID --each names the records; queue show N tells one; queue retry, approve or discard --cause ID decides all of a cause",
        0,
        width,
    ) {
        out.line(out.dim(&line))?;
    }
    Ok(Exit::Fine)
}

fn old(millis: i64) -> String {
    match age(millis).as_str() {
        "now" => "just opened".to_owned(),
        age => format!("{age} old"),
    }
}

/// The reasons of a cause without what differs from record to record, and which records have it.
fn told(context: &Context, store: &dyn Store, cause: &Cause) -> Result<(Vec<String>, String), Failure> {
    let wanted = Wanted {
        owner: cause.owner.clone(),
        code: Some(cause.code.clone()),
        flow: Some(cause.flow.clone()),
        cause: Some(cause.id.clone()),
        ..Wanted::default()
    };
    let found = store.wanted(&wanted, false, EXAMPLES_OF)?;
    let Some(first) = found.first() else { return Ok((Vec::new(), String::new())) };
    let mut reasons = Vec::new();
    for (reason, text) in first.reasons.iter().zip(masked(context, store, first)?) {
        let place = reason.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let text = if cause.count > 1 { general(&text) } else { text };
        reasons.push(format!("{text}{place}"));
    }
    reasons.dedup();
    let names: Vec<String> = found.iter().map(|one| format!("{} [{}]", name(one), one.id)).collect();
    let more = cause.count.saturating_sub(found.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok((reasons, format!("{}{more}", names.join(", "))))
}

/// What people call the record.
fn name(one: &Exception) -> &str {
    one.label.as_deref().unwrap_or(&one.lane)
}

/// One line for each exception, and its reasons.
fn each(context: &Context, store: &dyn Store, found: &[Exception], now: i64, out: &mut Out) -> Result<Exit, Failure> {
    let width = out.columns();
    let mut table = Columns::new(&["id", "record", "code", "flow", "owner", "age", "due"], 3);
    for one in found {
        let due = match (&one.closed_by, one.before) {
            (Some(by), _) => {
                format!("{by}{}", one.decided.as_ref().and_then(|decided| decided.by.as_ref()).map(|by| format!(" by {by}")).unwrap_or_default())
            }
            (None, Some(before)) => until(before, now),
            (None, None) => "-".to_owned(),
        };
        table.row(vec![
            one.id.to_string(),
            crate::cli::lines::cut(name(one), 20),
            one.code.clone(),
            one.flow.clone(),
            one.owner.clone().unwrap_or_else(|| "-".to_owned()),
            age(now - one.opened),
            due,
        ]);
    }
    let (header, rows) = table.lines(width);
    out.line(out.bold(&header))?;
    for (one, row) in found.iter().zip(rows) {
        out.line(row)?;
        for reason in masked(context, store, one)? {
            for line in wrapped(&reason, 6, width) {
                out.line(line)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn json(args: &Args, context: &Context, store: &dyn Store, wanted: &Wanted, causes: &[Cause], now: i64, out: &mut Out) -> Result<Exit, Failure> {
    let mut grouped = Vec::new();
    for cause in causes {
        let (reasons, _) = told(context, store, cause)?;
        grouped.push(serde_json::json!({
            "cause": cause.id, "flow": cause.flow, "code": cause.code, "owner": cause.owner, "open": cause.count, "oldest": stamp(cause.oldest),
            "age_seconds": (now - cause.oldest) / 1_000, "before": cause.before.and_then(stamp), "reasons": reasons, "example": cause.example,
        }));
    }
    let mut all: Vec<Json> = Vec::new();
    for one in store.wanted(wanted, args.closed, MOST)? {
        all.push(serde_json::json!({
            "id": one.id, "cause": one.cause(), "flow": one.flow, "key": one.lane, "label": one.label, "code": one.code,
            "reasons": masked(context, store, &one)?, "owner": one.owner, "before": one.before.map(time), "opened": time(one.opened),
            "age_seconds": (now - one.opened) / 1_000, "closed": one.closed.map(time), "closed_by": one.closed_by, "decided": decided(&one),
            "next": one.next, "payload": one.parked,
        }));
    }
    let open: u64 = causes.iter().map(|cause| cause.count).sum();
    out.json(&serde_json::json!({"version": 1, "open": open, "causes": grouped, "exceptions": all}))?;
    Ok(Exit::Fine)
}

/// What a person decided, for programs.
pub(super) fn decided(one: &Exception) -> Json {
    one.decided
        .as_ref()
        .map_or(Json::Null, |decided| serde_json::json!({"what": decided.what, "by": decided.by, "reason": decided.why, "at": stamp(decided.at)}))
}
