//! `crossdock audit`: what was sent and answered, masked.

use std::path::PathBuf;

use super::project::context;
use super::status::time;
use super::when::stamp;
use super::{Exit, Failure, Format, Out};
use crate::app::Access;
use crate::store::{Exchange, Part};
use crate::value::Json;

/// Show the calls that wrote to a system
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(Show),
}

const EXAMPLES: &str = "\
Examples:
  crossdock audit show            the last 20 calls that wrote
  crossdock audit show 1234       one of them, with its masked bodies
  crossdock audit show --last 200

`crossdock trace KEY` names the calls of one record.";

/// Show calls: when, to which system, with which result
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Show {
    /// The number of one call, to show it in full
    id: Option<i64>,
    /// How many of the latest calls
    #[arg(long, default_value_t = 20)]
    last: usize,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let What::Show(args) = &args.what;
    let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
    let store = context.open_store(Access::Read)?;
    match args.id {
        Some(id) => {
            let found = store.exchange(id)?;
            let found = found.ok_or_else(|| Failure::usage(format!("there is no call {id}")))?;
            if args.format == Format::Json {
                out.json(&exchange_json(&found, &|_| true))?;
            } else {
                exchange(&found, &|_| true, out)?;
                whole(&found, out)?;
            }
        }
        None if args.format == Format::Json => {
            let found = store.exchanges(args.last)?;
            let calls: Vec<Json> = found.iter().map(|one| exchange_json(one, &|_| true)).collect();
            out.json(&serde_json::json!({"version": 1, "calls": calls}))?;
        }
        None => {
            for one in store.exchanges(args.last)? {
                let came = one.status.map_or_else(|| one.broken.clone().unwrap_or_default(), |status| status.to_string());
                out.line(format!(
                    "{:>7}  {}  {:<6} {:<6} {} -> {came} in {} ms",
                    one.id,
                    time(one.at),
                    one.connection,
                    one.method,
                    one.path,
                    one.took
                ))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// One call, and what it sent and answered: of all its records, or of some of them (flow and key).
pub(super) fn exchange(one: &Exchange, of: &dyn Fn(&Part) -> bool, out: &mut Out) -> Result<(), Failure> {
    let came = one.status.map_or_else(|| one.broken.clone().unwrap_or_default(), |status| status.to_string());
    out.line(format!("    {} {} {} -> {came} in {} ms, plan {}", one.connection, one.method, one.path, one.took, one.plan))?;
    for part in one.parts.iter().filter(|part| of(part)) {
        for (name, body) in [("sent", &part.request), ("answered", &part.response)] {
            if let Some(body) = body {
                out.line(format!("    {name}: {body}"))?;
            }
        }
    }
    Ok(())
}

/// What an older version kept of a whole batch, which cannot be cut by records.
fn whole(one: &Exchange, out: &mut Out) -> Result<(), Failure> {
    for (name, body) in [("sent", &one.request), ("answered", &one.response)] {
        if let Some(body) = body {
            out.line(format!("    {name}: {body}"))?;
        }
    }
    Ok(())
}

/// The same as [`exchange`] for programs.
pub(super) fn exchange_json(one: &Exchange, of: &dyn Fn(&Part) -> bool) -> Json {
    let body = |text: &Option<String>| text.as_ref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())));
    let parts: Vec<Json> = one
        .parts
        .iter()
        .filter(|part| of(part))
        .map(|part| serde_json::json!({"flow": part.flow, "key": part.lane, "request": body(&part.request), "response": body(&part.response)}))
        .collect();
    serde_json::json!({
        "id": one.id, "at": stamp(one.at), "connection": one.connection, "method": one.method, "path": one.path, "status": one.status,
        "took_ms": one.took, "broken": one.broken, "plan": one.plan, "records": parts,
    })
}
