//! `crossdock diff`: what an edit of a mapping changes for real records.

use std::path::PathBuf;

use super::lines::counted;
use super::project::{load, remark};
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::comparison::{Records, Request, compare};
use crate::testkit::compare::{Comparison, Group, Kind};
use crate::value::Json;

const EXAMPLES: &str = "\
Examples:
  crossdock diff ../acme-live . --records orders.jsonl --flow export_orders
  crossdock diff ../acme-live . --since 7d --flow export_orders
  crossdock diff old new --flow import_shipments --records shipments.json \\
      --matched order=orders.json --format json

To compare with another branch:
  git worktree add /tmp/before main
  crossdock diff /tmp/before . --records orders.jsonl --flow export_orders

Both states of the project map the same records. What differs is grouped by the edited line that causes it. With --since, the \
records and what their matches find are read from the system. Nothing is sent. Values are printed as they are, personal values \
too: use --mask where others can read the output (a ticket, a chat, a build log). Exit code 1 if something differs.";

/// Show what an edit does to records: payloads that change, records newly stopped or accepted
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder before the edit
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The project's folder after it
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// A file of records: JSON, JSONL or CSV
    #[arg(long, value_name = "FILE", required_unless_present = "since")]
    records: Option<String>,
    /// Read the records from the system: those that have changed since 7d, 12h, or 2026-11-01
    #[arg(long, value_name = "TIME", conflicts_with_all = ["records", "matched"])]
    since: Option<When>,
    /// The flow; not needed if both projects have only one
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Records of the other side for a match: NAME=FILE; the match searches them by its keys
    #[arg(long, value_name = "NAME=FILE")]
    matched: Vec<String>,
    /// Mask personal values by the data class of their field: for output that others can read, such as tickets and build logs
    #[arg(long)]
    mask: bool,
    /// The time to use as `now`, instead of the current time
    #[arg(long, value_name = "TIME")]
    now: Option<When>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let old = load(Some(&args.old), args.env.as_deref(), out)?;
    let new = load(Some(&args.new), args.env.as_deref(), out)?;
    let now = args.now.map_or_else(jiff::Timestamp::now, |now| now.at(jiff::Timestamp::now()));
    let records = match (&args.records, args.since) {
        (Some(file), _) => Records::File(file),
        (None, since) => Records::Since(since.map_or(now, |since| since.at(now))),
    };
    let request = Request { records, flow: args.flow.as_deref(), matched: &args.matched, now, mask: args.mask };
    let mut compared = compare(&old, &new, &request, &mut remark(out))?;
    if let Some(hidden) = compared.hidden.take() {
        out.hide(hidden);
    }
    match args.format {
        Format::Json => out.json(&compared)?,
        Format::Human => human(&compared.comparison, out)?,
    }
    Ok(if compared.comparison.same == compared.comparison.records { Exit::Fine } else { Exit::Findings })
}

fn human(comparison: &Comparison, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{} compared, {} the same", counted(comparison.records, "record"), comparison.same))?;
    let mut kinds: Vec<Kind> = comparison.groups.iter().map(|group| group.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let count = comparison.counts.get(kind.words()).copied().unwrap_or(0);
        out.line("")?;
        out.line(out.bold(&kind.told(count)))?;
        let mut groups: Vec<&Group> = comparison.groups.iter().filter(|group| group.kind == kind).collect();
        if groups.iter().map(|group| group.records).sum::<usize>() > count {
            out.line(out.dim("  a record that differs in several ways is counted in each of them"))?;
        }
        groups.sort_by(|a, b| (&a.file, a.line, &a.what).cmp(&(&b.file, b.line, &b.what)));
        for group in groups {
            let place = match (&group.file, group.line) {
                (Some(file), Some(line)) => format!(
                    "{}{file}:{line}{}",
                    if group.removed { "before the edit, " } else { "" },
                    if group.edited { "" } else { "; the cause is not on this line: a schema, a function or another setting" }
                ),
                _ => "the flow's `from`".to_owned(),
            };
            out.line(format!("  {}  {}", group.what, out.dim(&format!("({place})"))))?;
            let example = &group.example;
            let value = |value: &Option<Json>| value.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
            let told = match kind {
                Kind::Field => format!("{}: {} -> {}", example.record, value(&example.was), value(&example.is)),
                _ => example.record.clone(),
            };
            out.line(format!("      {}, such as {told}", counted(group.records, "record")))?;
        }
    }
    out.line("")?;
    out.line(out.dim("nothing was sent"))
}
