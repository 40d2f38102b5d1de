//! `crossdock replay`: records go through the mapping again, as it is today.

use std::path::PathBuf;

use super::decision::decide;
use super::project::context;
use super::when::When;
use super::{Exit, Failure, Out};
use crate::app::operator_client::signature;
use crate::engine::queue::Decision;

const EXAMPLES: &str = "\
Examples:
  crossdock replay --flow export_orders 00000104 00000105   these two
  crossdock replay --flow export_orders --since 7d          what moved in the last seven days
  crossdock replay --flow export_orders --all               every record that the flow has met

They are read again and mapped with today's plan; what differs from what was confirmed is sent, nothing else.";

/// Map records again with today's mapping, and send what differs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Numbers, ids or keys
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    #[arg(long, value_name = "NAME")]
    flow: String,
    /// Every record of the flow
    #[arg(long, conflicts_with = "keys")]
    all: bool,
    /// Every record of the flow that moved since: 2h, 7d, 2026-11-01
    #[arg(long, value_name = "TIME", conflicts_with_all = ["keys", "all"])]
    since: Option<When>,
    /// Who asks; the login name if left out
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    if args.keys.is_empty() && !args.all && args.since.is_none() {
        return Err(Failure::usage("name the records, or say --since TIME or --all"));
    }
    let since = args.since.map(|since| since.at(jiff::Timestamp::now()).as_millisecond());
    let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
    let decision = Decision::Replay { flow: args.flow.clone(), keys: args.keys.clone(), since };
    decide(&context, decision, signature(args.by.as_ref(), None), "to be read and mapped again", out)
}
