//! `crossdock unmapped`: fields of real records that no flow reads, by how often they are filled.

use std::path::PathBuf;

use super::project::load;
use super::{Exit, Failure, Format, Out};
use crate::app::unmapped::unmapped;

const EXAMPLES: &str = "\
Examples:
  crossdock unmapped --records orders.jsonl --flow export_orders
  crossdock unmapped --records orders.jsonl --flow export_orders --least 10
  crossdock unmapped --records orders.jsonl --flow export_orders --format json

A field counts as mapped if a flow of the same source object reads it, or a part of it. Examples show the form of a value and \
not the value: letters are x, digits are 9. `--least 10` leaves out fields that fewer than 10 % of the records fill.";

/// List the fields of real records that no flow maps, by how often they are filled
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// A file of records: JSON, JSONL or CSV
    #[arg(long, value_name = "FILE")]
    records: String,
    /// The flow that reads such records; needed if the flows read several objects
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Leave out fields that are filled in fewer records than this, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    least: u8,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let project = load(args.path.as_ref(), args.env.as_deref(), out)?;
    let unmapped = unmapped(&project, &args.records, args.flow.as_deref(), args.least)?;
    if unmapped.records == 0 {
        out.note(format!("warning: {} holds no record", args.records));
    }
    if args.format == Format::Json {
        out.json(&unmapped)?;
        return Ok(Exit::Fine);
    }
    let (object, readers) = (out.bold(&unmapped.object), unmapped.flows.join(", "));
    let all = unmapped.found.len() + unmapped.rarer;
    out.line(format!("{object}, read by {readers}: {all} of {} filled fields are not mapped", unmapped.fields))?;
    let width = unmapped.found.iter().map(|field| field.field.chars().count()).max().unwrap_or(0).min(44);
    for field in &unmapped.found {
        let line = format!("  {:>3} %  {:<width$}  {}", unmapped.percent(field), field.field, out.dim(&field.example));
        out.line(line.trim_end())?;
    }
    if unmapped.rarer > 0 {
        out.line(out.dim(&format!("  and {} that are filled in less than {} % of the records", unmapped.rarer, args.least)))?;
    }
    Ok(Exit::Fine)
}
