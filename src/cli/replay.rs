//! `crossdock replay`: reads records again and maps them with the current mapping.

use super::decision::decide;
use super::project::ProjectArgs;
use super::when::When;
use super::{Exit, Failure, Out};
use crate::app::operator_client::signature;
use crate::engine::operator_commands::Decision;

const EXAMPLES: &str = "\
Examples:
  crossdock replay --flow export_orders 00000104 00000105
  crossdock replay --flow export_orders --since 7d    changed state since then
  crossdock replay --flow export_orders --all         every record of the flow

The records are read again and mapped with the current mapping. Only values that differ from what the target was last \
confirmed to hold are sent.";

/// Read and map records again with the current mapping, and send what differs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The numbers, ids or keys of the records
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// The flow
    #[arg(long, value_name = "NAME")]
    flow: String,
    /// Every record of the flow
    #[arg(long, conflicts_with = "keys")]
    all: bool,
    /// Records that changed state since 2h or 7d ago, or since 2026-11-01
    #[arg(long, value_name = "TIME", conflicts_with_all = ["keys", "all"])]
    since: Option<When>,
    /// Your name, for the history; the login name by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    if args.keys.is_empty() && !args.all && args.since.is_none() {
        return Err(Failure::usage("name the records, or say --since TIME or --all"));
    }
    let since = args.since.map(|since| since.at(jiff::Timestamp::now()).as_millisecond());
    let context = args.project.open(out)?;
    let decision = Decision::Replay { flow: args.flow.clone(), keys: args.keys.clone(), since };
    decide(&context, decision, signature(args.by.as_ref(), None), "to be read and mapped again", out)
}
