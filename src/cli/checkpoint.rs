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

/// Show how far flows have read, or send them back
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

/// Show the checkpoints, as the sources printed them
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW)]
struct Show {
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

const REWIND: &str = "\
Examples:
  crossdock checkpoint rewind --flow export_orders --to 2h
  crossdock checkpoint rewind --flow export_orders --to 2026-11-01T00:00:00Z

What was delivered and has not changed is read again and dropped: a rewind sends nothing twice.";

/// Read a flow's source again from an earlier time
#[derive(Debug, clap::Args)]
#[command(after_help = REWIND)]
struct Rewind {
    #[arg(long, value_name = "NAME")]
    flow: String,
    /// One of its streams; all if left out
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// So long ago, or a time: 2h, 7d, 2026-11-01, 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME")]
    to: When,
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
