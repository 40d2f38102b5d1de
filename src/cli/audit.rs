//! `crossdock audit`: what was sent and answered, masked.

use std::path::PathBuf;

use super::site::{Site, store_failure};
use super::status::time;
use super::{Exit, Failure, Out};
use crate::store::sqlite::Mode;
use crate::store::{Exchange, Store as _};

/// Look at the audit trail
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
  crossdock audit show             the last 20 calls that wrote
  crossdock audit show 1234        one of them, with its masked bodies
  crossdock audit show --last 200

`crossdock trace KEY` names the calls of one record.";

/// Show calls: when, to whom, what came of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Show {
    id: Option<i64>,
    #[arg(long, default_value_t = 20)]
    last: usize,
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let What::Show(args) = &args.what;
    let site = Site::open(args.project.as_ref(), args.env.as_deref(), out)?;
    let store = site.opened(Mode::Read)?;
    match args.id {
        Some(id) => {
            let found = store.exchange(id).map_err(|fault| store_failure(&fault))?;
            exchange(&found.ok_or_else(|| Failure::usage(format!("there is no call {id}")))?, out)?;
        }
        None => {
            for one in store.exchanges(args.last).map_err(|fault| store_failure(&fault))? {
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

pub(super) fn exchange(one: &Exchange, out: &mut Out) -> Result<(), Failure> {
    let came = one.status.map_or_else(|| one.broken.clone().unwrap_or_default(), |status| status.to_string());
    out.line(format!("    {} {} {} -> {came} in {} ms, plan {}", one.connection, one.method, one.path, one.took, one.plan))?;
    for (name, body) in [("sent", &one.request), ("answered", &one.response)] {
        if let Some(body) = body {
            let short: String = body.chars().take(4_000).collect();
            out.line(format!("    {name}: {short}{}", if short.len() < body.len() { " …" } else { "" }))?;
        }
    }
    Ok(())
}
