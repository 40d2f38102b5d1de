//! `crossdock audit`: the calls that wrote to a system, with masked requests and answers.

use super::project::ProjectArgs;
use super::{Exit, Failure, Format, Out};
use crate::app::audit::{self, Body, Call, Exchanged};
use crate::app::time::UtcTime;

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
    #[command(flatten)]
    project: ProjectArgs,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let What::Show(args) = &args.what;
    let context = args.project.open(out)?;
    match args.id {
        Some(id) => {
            let found = audit::one(&context, id)?;
            if args.format == Format::Json {
                out.json(&found)?;
            } else {
                call(&found, out)?;
                bodies(&found.whole, out)?;
            }
        }
        None => {
            let found = audit::newest(&context, args.last)?;
            if args.format == Format::Json {
                out.json(&found)?;
                return Ok(Exit::Fine);
            }
            for one in &found.calls {
                let at = UtcTime(one.at.0);
                let came = came(one);
                out.line(format!("{:>7}  {at}  {:<6} {:<6} {} -> {came} in {} ms", one.id, one.connection, one.method, one.path, one.took_ms))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// What came of a call.
fn came(one: &Call) -> String {
    one.status.map_or_else(|| one.broken.clone().unwrap_or_default(), |status| status.to_string())
}

/// One call, and what it sent and answered of its records.
pub(super) fn call(one: &Call, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("    {} {} {} -> {} in {} ms, plan {}", one.connection, one.method, one.path, came(one), one.took_ms, one.plan))?;
    one.records.iter().try_for_each(|record| bodies(record, out))
}

fn bodies(of: &Exchanged, out: &mut Out) -> Result<(), Failure> {
    for (name, body) in [("sent", &of.request), ("answered", &of.response)] {
        if let Some(Body(text)) = body {
            out.whole(format!("    {name}: {text}"))?;
        }
    }
    Ok(())
}
