//! `crossdock plan`: prints what the flows will do.

use std::path::PathBuf;

use super::lines::wrapped;
use super::project::or_told;
use super::{Exit, Failure, Format, Out};
use crate::app::folder::select;
use crate::app::loaded_project;
use crate::base::nearest;
use crate::connector::{Connectors, registry};
use crate::plan::{Plan, show};
use crate::project::Planned;
use crate::run::calls;

const EXAMPLES: &str = "\
Examples:
  crossdock plan                         every flow
  crossdock plan --flow export_orders    one flow
  crossdock plan --format json           for a program

The first line has the hash of the plan. The same files, schemas and parameters give the same hash. The hash is that of the \
environment: with --env it may differ.";

/// Show what the flows will do: the query that is sent, the rules, the writes and their keys
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A project folder or a mapping file
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Only this flow
    #[arg(long, value_name = "FLOW")]
    flow: Option<String>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let paths: Vec<PathBuf> = args.path.iter().cloned().collect();
    for opened in select(&paths)? {
        let compiled = or_told(loaded_project::plan(&opened, args.env.as_deref(), Planned::Whole), out)?;
        let Some(mut plan) = compiled.plan else { continue };
        if let Some(flow) = &args.flow {
            let names: Vec<&str> = plan.mapping.flows.iter().map(|f| f.name.as_str()).collect();
            if !names.contains(&flow.as_str()) {
                let failure = Failure::usage(format!("there is no flow `{flow}`"));
                return Err(match nearest(flow, names.iter().copied()) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!("flows are: {}", names.join(", "))),
                });
            }
        }
        match args.format {
            Format::Human => people(&plan, args.flow.as_deref(), out)?,
            Format::Json => {
                // The hash is the whole plan's, whatever is shown of it.
                plan.hash();
                if let Some(flow) = &args.flow {
                    plan.mapping.flows.retain(|f| f.name == *flow);
                    plan.flows.retain(|f| f.flow == *flow);
                }
                out.json(&plan.printed())?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// New events that calls are told for.
const EVENTS: usize = 1_000;
/// Changed records that calls are told for.
const CHANGED: usize = 100;

fn costs(label: &str, what: &str, all: &[calls::Calls], out: &mut Out) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    let sums: Vec<String> = calls::by_connection(all).iter().map(|(connection, calls)| format!("{connection} {calls}")).collect();
    out.line(format!("  {label:<10} for {what} together: {}", sums.join(", ")))?;
    for one in all {
        let note = one.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        for (at, line) in wrapped(&format!("{}{note}", one.what), 20, out.columns()).iter().enumerate() {
            let count = if at == 0 { one.calls.to_string() } else { String::new() };
            out.line(out.dim(&format!("  {:<10} {count:>5}  {}", "", line.trim_start())))?;
        }
    }
    Ok(())
}

fn people(plan: &Plan, only: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    out.line(out.dim(&format!("plan {} · time zone {}", plan.hash().get(..12).unwrap_or(plan.hash()), plan.time_zone)))?;
    let paper = |(name, system): (&String, &String)| Some((name.clone(), registry::on_paper(name, system)?));
    let connectors: Connectors = plan.systems.iter().filter_map(paper).collect();
    for flow in plan.mapping.flows.iter().filter(|flow| only.is_none_or(|only| flow.name == only)) {
        let Some(reads) = plan.flows.iter().find(|reads| reads.flow == flow.name) else { continue };
        out.line("")?;
        out.line(format!("{} {}", out.bold(&flow.name), out.dim(&format!("({}:{})", flow.place.file, flow.place.line))))?;
        if let Some(doc) = &flow.doc {
            let width = out.columns();
            for line in doc.lines().flat_map(|line| wrapped(line, 2, width)) {
                out.line(out.dim(&line))?;
            }
        }
        let queries = connectors.get(&flow.source.connection).map(|connector| connector.queries(&plan.selection(flow, reads, &[])));
        let queries = queries.unwrap_or_default();
        out.print(show::flow(plan, flow, reads, queries.records.as_deref(), &queries.children))?;
        costs("calls", &format!("{EVENTS} new events"), &calls::predicted(plan, flow, reads, &connectors, EVENTS), out)?;
        let changed = calls::of_changes(plan, flow, reads, &connectors, CHANGED);
        // Where a change costs what a new event does, saying it once is enough.
        if changed.iter().any(|calls| calls.what.ends_with("before its update")) {
            costs("", &format!("{CHANGED} changed records"), &changed, out)?;
        }
    }
    Ok(())
}
