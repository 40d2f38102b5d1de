//! `crossdock diff`: what an edit of a mapping changes for real records.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::project::{context, load};
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::LoadedProject;
use crate::app::folder::unreadable;
use crate::app::process::{clock, runtime, transport};
use crate::apply::aside::{self, Given};
use crate::apply::{Inputs, Outcome, Program, apply};
use crate::base::bounds;
use crate::fault::file;
use crate::plan::FlowPlan;
use crate::project::records;
use crate::run::sample::{self, Asked, Sample};
use crate::spec::compare::{Comparison, Edited, Group, Kind};
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
too. Exit code 1 if something differs.";

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
    records: Option<PathBuf>,
    /// Read the records from the system: those that have changed since 7d, 12h, or 2026-11-01
    #[arg(long, value_name = "TIME", conflicts_with_all = ["records", "matched"])]
    since: Option<When>,
    /// The flow; not needed if both projects have only one
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Records of the other side for a match: NAME=FILE; the match searches them by its keys
    #[arg(long, value_name = "NAME=FILE")]
    matched: Vec<String>,
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
    let (before, after) = (Side::of(&old, args)?, Side::of(&new, args)?);
    let files = |path: &str| records_of(std::path::Path::new(path));
    // A match that only one state has is looked up in that one; one that neither has is a mistake.
    let of = |side: &Side<'_>, other: &Side<'_>| -> Vec<String> {
        args.matched.iter().filter(|pair| side.looks_up(pair) || !other.looks_up(pair)).cloned().collect()
    };
    let given_before = super::given::matched(&of(&before, &after), before.flow, &files)?;
    let given_after = super::given::matched(&of(&after, &before), after.flow, &files)?;
    let (was, is) = (sources(&old)?, sources(&new)?);
    let mut edited = Edited::of(&was, &is);
    // A value in crossdock.yaml is an edit of its parameter.
    let (had, has) = (&old.plan()?.mapping.parameters, &new.plan()?.mapping.parameters);
    has.iter().filter(|(name, now)| had.get(*name).is_some_and(|before| before.value != now.value)).for_each(|(_, now)| edited.mark(&now.place));
    edited.look_for_where((&was, &before.flow.place), (&is, &after.flow.place));
    let now = args.now.map_or_else(jiff::Timestamp::now, |now| now.at(jiff::Timestamp::now()));
    let given: Vec<Sample> = match (&args.records, args.since) {
        (Some(file), _) => some(file)?.into_iter().map(|record| Sample { record, matched: BTreeMap::new() }).collect(),
        (None, since) => live(&before, &after, args, since.map_or(now, |since| since.at(now)), now, out)?,
    };
    let mut comparison = Comparison::default();
    for (at, sample) in given.iter().enumerate() {
        let (was, is) = if args.records.is_some() {
            (before.among(&sample.record, &given_before, now), after.among(&sample.record, &given_after, now))
        } else {
            (before.outcome(&sample.record, &sample.matched, now), after.outcome(&sample.record, &sample.matched, now))
        };
        comparison.add(&name(&sample.record, at), &was, &is, &edited);
    }
    match args.format {
        Format::Json => {
            let mut whole = serde_json::to_value(&comparison).unwrap_or(Json::Null);
            whole["version"] = Json::from(1);
            out.json(&whole)?;
        }
        Format::Human => human(&comparison, out)?,
    }
    Ok(if comparison.same == comparison.records { Exit::Fine } else { Exit::Findings })
}

/// The texts that an edit may be in: mapping files and the tables that they read.
fn sources(side: &LoadedProject) -> Result<BTreeMap<String, String>, Failure> {
    let mut texts = side.mappings()?;
    for table in &side.plan()?.mapping.tables {
        texts.insert(table.path.clone(), side.text(&table.path)?.to_string());
    }
    Ok(texts)
}

/// One state of the project, ready to map.
struct Side<'r> {
    ready: &'r LoadedProject,
    program: Program<'r>,
    flow: &'r crate::ir::Flow,
}

impl<'r> Side<'r> {
    fn of(ready: &'r LoadedProject, args: &Args) -> Result<Self, Failure> {
        let flow = ready.flow(args.flow.as_deref())?;
        if flow.group.is_some() {
            return Err(Failure::usage(format!("`{}` maps groups of records, and not single records", flow.name))
                .hint("name another flow, or preview one group: crossdock preview"));
        }
        Ok(Side { ready, program: ready.program()?, flow })
    }

    /// Whether a pair of `--matched` is about a match of this state.
    fn looks_up(&self, pair: &str) -> bool {
        pair.split_once('=').is_some_and(|(name, _)| self.flow.matches.iter().any(|found| found.name == name))
    }

    /// The outcome where matches look among given records.
    fn among(&self, record: &Json, given: &Given, now: jiff::Timestamp) -> Outcome {
        let inputs = Inputs::of(record, now, &self.ready.compiled.names);
        let (matched, _) = aside::find(&self.program, self.flow, &inputs, given);
        self.outcome(record, &matched, now)
    }

    fn outcome(&self, record: &Json, matched: &BTreeMap<String, Vec<Json>>, now: jiff::Timestamp) -> Outcome {
        let inputs = Inputs { matched, trace: true, ..Inputs::of(record, now, &self.ready.compiled.names) };
        apply(&self.program, self.flow, &inputs)
    }
}

/// Records as the source has them today, read for both states.
fn live(
    before: &Side<'_>,
    after: &Side<'_>,
    args: &Args,
    since: jiff::Timestamp,
    now: jiff::Timestamp,
    out: &mut Out,
) -> Result<Vec<Sample>, Failure> {
    let context = context(Some(&args.new), args.env.as_deref(), out)?;
    let flow = after.flow;
    let connectors = context.connectors(std::slice::from_ref(&flow.name), &transport()?, &clock())?;
    let reads = |side: &Side<'_>| -> Result<FlowPlan, Failure> {
        let plan = side.ready.plan()?;
        plan.flows.iter().find(|reads| reads.flow == side.flow.name).cloned().ok_or_else(|| Failure::usage("the flow has no plan"))
    };
    let (other, own) = (reads(before)?, reads(after)?);
    let plan = after.ready.plan()?;
    let asked = Asked { plan, program: &after.program, flow, reads: &own, other: &other, names: &after.ready.compiled.names, since, now };
    let read = runtime()?.block_on(sample::since(&asked, &connectors));
    let (samples, more) =
        read.map_err(|fault| Failure::io(format!("the records could not be read: {fault}")).hint("crossdock doctor checks each connection"))?;
    if more {
        out.note(format!("there are more: the first {} are compared", samples.len()));
    }
    Ok(samples)
}

/// The records to compare: without any, two states would seem to be the same.
fn some(path: &std::path::Path) -> Result<Vec<Json>, Failure> {
    let records = records_of(path)?;
    if records.is_empty() { Err(Failure::usage(format!("`{}` holds no record", path.display()))) } else { Ok(records) }
}

fn records_of(path: &std::path::Path) -> Result<Vec<Json>, Failure> {
    let text = file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error))?;
    let name = path.display().to_string();
    records::read(&name, &text).map_err(|fault| Failure::usage(format!("{name}:{}: {}", fault.line, fault.message)))
}

/// What people call a record.
fn name(record: &Json, at: usize) -> String {
    let known = ["OrderNumber", "orderNumber", "Name", "Id", "id", "orderId", "shipmentId"].iter().find_map(|name| record.get(name));
    known.map_or_else(|| format!("record {}", at + 1), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn human(comparison: &Comparison, out: &mut Out) -> Result<(), Failure> {
    let counted = |n: usize| format!("{n} record{}", if n == 1 { "" } else { "s" });
    out.line(format!("{} compared, {} the same", counted(comparison.records), comparison.same))?;
    let mut kinds: Vec<Kind> = comparison.groups.iter().map(|group| group.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let count = comparison.counts.get(kind.words()).copied().unwrap_or(0);
        out.line("")?;
        out.line(out.bold(&format!("{} of them: {}", count, kind.words())))?;
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
            out.line(format!("      {}, such as {told}", counted(group.records)))?;
        }
    }
    out.line("")?;
    out.line(out.dim("nothing was sent"))
}
