//! `crossdock preview`: what would be sent for given records, and why.

mod why;

use std::path::PathBuf;

use super::project::load_for;
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::matched;
use crate::app::preview::{Preview, Previewed, Request, left_out_text, preview};
use crate::eval::{Outcome, Payload, Reason, Verdict};
use crate::ir::Flow;
use crate::run::files::whole;
use crate::testkit::runner;

const EXAMPLES: &str = "\
Examples:
  crossdock preview --flow export_orders orders.jsonl
  crossdock preview --flow export_orders orders.jsonl --key 801x0
  crossdock preview --flow export_orders fixtures/uk-order.json --why
  crossdock preview --flow import_shipments shipments.json \\
      --matched order=orders.jsonl

What --why takes:
  --why shipTo.street1    a field: which line set it, from which values
  --why warehouse         a result of the routing table
  --why \"no SKU\"          a rule, by words of its message
  --why orders.dock:56    a line of the mapping

Nothing is sent. Values are printed as they are, personal values too: use --mask where others can read the output \
(a ticket, a chat, a build log). Exit code 1 if a record is rejected.";

/// Show what would be sent for some records, and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A file of records: JSON, JSONL or CSV
    #[arg(value_name = "RECORDS")]
    records: String,
    /// The flow; not needed if the project has only one
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "PATH")]
    project: Option<PathBuf>,
    /// Only the record with this id, or whose write has this key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Say why: of a field, a route's result, a rule (words of its message), a write, a line (orders.dock:56), `rules`, `route`,
    /// `review`; without a word, of all fields
    #[arg(long, value_name = "WHAT", num_args = 0..=1, default_missing_value = "")]
    why: Option<String>,
    /// Records of the other side for a match: NAME=FILE; the match searches them by its keys
    #[arg(long, value_name = "NAME=FILE")]
    matched: Vec<String>,
    /// Mask personal values by the data class of their field: for output that others can read, such as tickets and build logs
    #[arg(long)]
    mask: bool,
    /// The record as the target holds it now
    #[arg(long, value_name = "FILE")]
    target: Option<String>,
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
    let project = args.project.clone().or_else(|| elsewhere(&args.records));
    let ready = load_for(project.as_ref(), args.flow.as_deref(), args.env.as_deref(), out)?;
    let request = Request {
        records: &args.records,
        flow: args.flow.as_deref(),
        key: args.key.as_deref(),
        matched: &args.matched,
        target: args.target.as_deref(),
        now: args.now.map(|now| now.at(jiff::Timestamp::now())),
        trace: args.format == Format::Human || args.why.is_some(),
        mask: args.mask,
    };
    let Preview { records: seen, hidden } = preview(&ready, &request)?;
    if let Some(hidden) = hidden {
        out.hide(hidden);
    }
    if seen.is_empty() {
        out.note(format!("warning: {} holds no record", args.records));
    }
    let flow = ready.flow(args.flow.as_deref())?;
    match (&args.why, seen.as_slice()) {
        _ if args.format == Format::Json => out.json(&seen)?,
        (_, []) => {}
        (Some(what), all) => {
            for (at, one) in all.iter().enumerate() {
                if all.len() > 1 {
                    out.line(format!("{}{}", if at > 0 { "\n" } else { "" }, out.bold(one.id.as_deref().unwrap_or("record"))))?;
                }
                why::explain(&why::About { seen: one, flow, plan: ready.plan()? }, what, out)?;
            }
        }
        (None, [one]) => self::one(one, flow, out)?,
        (None, all) => table(all, out)?,
    }
    let rejected = seen.iter().any(|seen| seen.outcome.verdict == Verdict::Rejected);
    Ok(if rejected { Exit::Findings } else { Exit::Fine })
}

/// The project of a record's file, where the command runs outside of any: a file named from elsewhere tells where it is.
fn elsewhere(records: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    if here.ancestors().any(|folder| folder.join(crate::project::config::FILE).is_file()) {
        return None;
    }
    let beside = PathBuf::from(records);
    beside.parent().filter(|folder| !folder.as_os_str().is_empty() && folder.is_dir()).map(PathBuf::from)
}

/// What became of a record, in a word or two.
fn word(outcome: &Outcome) -> &'static str {
    if outcome.verdict == Verdict::Ready && outcome.payloads.is_empty() { "nothing to send" } else { runner::words(outcome.verdict) }
}

fn verdict(outcome: &Outcome, out: &Out) -> String {
    let word = word(outcome);
    match outcome.verdict {
        Verdict::Ready if outcome.payloads.is_empty() => out.dim(word),
        Verdict::Ready => out.green(word),
        Verdict::Rejected => out.red(word),
        Verdict::Review => out.cyan(word),
        Verdict::NotEligible => out.dim(word),
    }
}

fn one(seen: &Previewed, flow: &Flow, out: &mut Out) -> Result<(), Failure> {
    let outcome = &seen.outcome;
    out.line(format!("{} {}", out.bold(seen.id.as_deref().unwrap_or("record")), verdict(outcome, out)))?;
    for one in &seen.sought {
        out.line(format!("  {}", out.dim(&matched::text(one))))?;
    }
    for one in &seen.left_out {
        why::left_out(one, out)?;
    }
    for route in &outcome.routes {
        let results: Vec<String> = route.results.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let place = out.dim(&format!("{}:{} {}", route.place.file, route.place.line, route.text));
        out.line(format!("  route    {}  {place}", results.join(", ")))?;
    }
    for reason in &outcome.reasons {
        out.line(format!("  {}   {}", if reason.review { out.cyan("review") } else { out.red("reason") }, told(reason, out)))?;
    }
    for reason in &outcome.warnings {
        out.line(format!("  warning  {}", told(reason, out)))?;
    }
    if outcome.verdict == Verdict::Ready && outcome.payloads.is_empty() {
        why::nothing_written(outcome, flow, out)?;
    }
    for payload in &outcome.payloads {
        show(payload, "", out)?;
    }
    for payload in &outcome.follow_ups {
        show(payload, "then ", out)?;
    }
    Ok(())
}

fn told(reason: &Reason, out: &Out) -> String {
    let owner = reason.owner.as_ref().map(|owner| format!("  (owner: {owner})")).unwrap_or_default();
    let place = reason.place.as_ref().map(|place| out.dim(&format!("  {}:{}", place.file, place.line))).unwrap_or_default();
    format!("{}{owner}{place}", reason.message)
}

fn show(payload: &Payload, before: &str, out: &mut Out) -> Result<(), Failure> {
    let op = format!("{:?}", payload.op).to_lowercase();
    let id = payload.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    out.line(format!("\n{}", out.bold(&format!("{before}{op} {}{id}", payload.object))))?;
    out.json(&whole(payload))
}

fn table(all: &[Previewed], out: &mut Out) -> Result<(), Failure> {
    let mut rows = comfy_table::Table::new();
    rows.load_style(comfy_table::presets::NOTHING);
    rows.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    rows.set_width(u16::try_from(out.columns()).unwrap_or(u16::MAX));
    rows.set_header(["record", "outcome", "key", "route", "why"]);
    for Previewed { id, outcome, left_out, .. } in all {
        let first = outcome.payloads.first();
        let route = outcome.routes.iter().flat_map(|route| route.results.iter().map(|(_, value)| value.as_str())).collect::<Vec<_>>().join(", ");
        let why = outcome.reasons.iter().chain(&outcome.warnings).map(|reason| reason.message.clone());
        let why = why.chain(left_out.iter().map(left_out_text)).collect::<Vec<_>>().join("; ");
        let key = first.and_then(|payload| payload.key.as_deref()).unwrap_or("");
        rows.add_row([id.as_deref().unwrap_or(""), word(outcome), key, &route, &why]);
    }
    for line in rows.to_string().lines() {
        out.line(line.trim_end())?;
    }
    let count = |verdict: Verdict| all.iter().filter(|seen| seen.outcome.verdict == verdict).count();
    let nothing = all.iter().filter(|seen| seen.outcome.verdict == Verdict::Ready && seen.outcome.payloads.is_empty()).count();
    let nothing_told = if nothing > 0 { format!("{nothing} with nothing to send, ") } else { String::new() };
    out.line(format!(
        "{} records: {} to send, {nothing_told}{} to review, {} rejected, {} not eligible",
        all.len(),
        count(Verdict::Ready) - nothing,
        count(Verdict::Review),
        count(Verdict::Rejected),
        count(Verdict::NotEligible)
    ))
}
