//! `crossdock checkpoint`: how far each flow has read its source.

use std::path::PathBuf;

use super::decision::decide;
use super::project::context;
use super::status::time;
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::Access;
use crate::app::operator_client::signature;
use crate::engine::queue::Decision;

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
  crossdock checkpoint show --format json";

/// Show the checkpoint of each flow
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW)]
struct Show {
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
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Show(args) => {
            let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
            let store = context.open_store(Access::Read)?;
            let all = store.checkpoints()?;
            if args.format == Format::Json {
                out.json(&serde_json::json!({"version": 1, "checkpoints": all}))?;
                return Ok(Exit::Fine);
            }
            for one in all {
                let more = if one.more { ", in the midst of a poll" } else { "" };
                out.line(format!("{}  {:<12} {} (moved {}{more})", one.flow, one.stream, one.cursor.as_deref().unwrap_or("-"), time(one.at)))?;
            }
            Ok(Exit::Fine)
        }
        What::Rewind(args) => {
            let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
            let (to, now) = (args.to.at(jiff::Timestamp::now()), jiff::Timestamp::now());
            if to > now {
                return Err(Failure::usage(format!("{to} is in the future: what changes until then would not be read"))
                    .hint("name an earlier time, such as 2h (ago) or 2026-11-01T00:00:00Z"));
            }
            let to = to.as_millisecond();
            let decision = Decision::Rewind { flow: args.flow.clone(), stream: args.stream.clone(), to };
            decide(&context, decision, signature(args.by.as_ref(), None), "checkpoints sent back", out)
        }
    }
}
