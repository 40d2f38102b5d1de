//! `crossdock plan`: prints what the flows will do.

use std::path::PathBuf;

use super::lines::wrapped;
use super::project::or_told;
use super::{Exit, Failure, Format, Out};
use crate::app::folder::select;
use crate::app::loaded_project;
use crate::app::plan::{self, CHANGED, EVENTS};
use crate::plan::Plan;
use crate::project::Planned;
use crate::project::config::Config;
use crate::run::cost_estimate::{Calls, by_connection};

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
        let Some(mut found) = compiled.plan else { continue };
        match args.format {
            Format::Human => {
                if let Some(flow) = &args.flow {
                    plan::has_flow(&found, flow)?;
                }
                people(&found, &compiled.config, args.flow.as_deref(), out)?;
            }
            Format::Json => {
                if let Some(flow) = &args.flow {
                    plan::only(&mut found, flow)?;
                }
                out.json(&found.printed())?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn costs(label: &str, what: &str, all: &[Calls], out: &mut Out) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    let sums: Vec<String> = by_connection(all).iter().map(|(connection, calls)| format!("{connection} {calls}")).collect();
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

fn people(found: &Plan, config: &Config, only: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    out.line(out.dim(&format!("plan {} · time zone {}", found.short_hash(), found.time_zone)))?;
    for flow in plan::steps(found, config, only) {
        out.line("")?;
        out.line(format!("{} {}", out.bold(&flow.flow), out.dim(&format!("({}:{})", flow.place.file, flow.place.line))))?;
        if let Some(doc) = &flow.doc {
            let width = out.columns();
            for line in doc.lines().flat_map(|line| wrapped(line, 2, width)) {
                out.line(out.dim(&line))?;
            }
        }
        out.print(&flow.steps)?;
        costs("calls", &format!("{EVENTS} new events"), &flow.new, out)?;
        costs("", &format!("{CHANGED} changed records"), &flow.changed, out)?;
    }
    Ok(())
}
