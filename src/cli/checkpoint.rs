//! `crossdock checkpoint`: how far each flow has read its source.

use super::decision::tell;
use super::project::{ProjectArgs, remark};
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::checkpoints;
use crate::app::operator_client::signature;
use crate::app::time::UtcTime;

/// Show how far each flow has read its source, or read it again
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(Show),
    Rewind(Rewind),
}

const SHOW: &str = "\
Examples:
  crossdock checkpoint show
  crossdock checkpoint show --format json

A line names the flow, the stream, the cursor from which the stream is read on, and when it moved. The cursor is written as its system \
takes it, with the times of that system's own zone. To read a flow again from a time, use `checkpoint rewind`: its time is UTC.";

/// Show the checkpoint of each flow
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW)]
struct Show {
    #[command(flatten)]
    project: ProjectArgs,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

const REWIND: &str = "\
Examples:
  crossdock checkpoint rewind --flow export_orders --to 2h
  crossdock checkpoint rewind --flow export_orders --to 2026-11-01T00:00:00Z

The flow reads its source again from that time on. Records that have not changed since they were read are dropped: nothing is \
sent twice.";

/// Read a flow's source again from an earlier time
#[derive(Debug, clap::Args)]
#[command(after_help = REWIND)]
struct Rewind {
    /// The flow
    #[arg(long, value_name = "NAME")]
    flow: String,
    /// One of the flow's streams, as `checkpoint show` names them; all of them by default
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// From when on: 2h or 7d (that long ago), 2026-11-01, or 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME")]
    to: When,
    /// Your name, for the history; the login name by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Show(args) => {
            let context = args.project.open(out)?;
            let found = checkpoints::checkpoints(&context)?;
            if args.format == Format::Json {
                out.json(&found)?;
                return Ok(Exit::Fine);
            }
            if found.checkpoints.iter().any(|one| one.cursor.is_some()) {
                out.note("a cursor is written as its system takes it, with the times of that system's own zone; all other times are UTC");
            }
            for one in found.checkpoints {
                let more = if one.more { ", in the middle of a poll" } else { "" };
                let (cursor, moved) = (one.cursor.as_deref().unwrap_or("-"), UtcTime(one.at));
                out.line(format!("{}  {:<12} {cursor} (moved {moved}{more})", one.flow, one.stream))?;
            }
            Ok(Exit::Fine)
        }
        What::Rewind(args) => {
            let context = args.project.open(out)?;
            let rewind = checkpoints::Rewind { flow: args.flow.clone(), stream: args.stream.clone(), to: args.to.at(jiff::Timestamp::now()) };
            let decided = checkpoints::rewind(&context, rewind, signature(args.by.as_ref(), None), &mut remark(out))?;
            tell(&decided, "checkpoints sent back", out)
        }
    }
}
