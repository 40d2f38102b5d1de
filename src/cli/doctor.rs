//! `crossdock doctor`: checks connections, credentials, names, the store and the clock.

use std::path::PathBuf;

use super::project::context;
use super::store::damages;
use super::{Exit, Failure, Out};
use crate::app::doctor;

const EXAMPLES: &str = "\
Examples:
  crossdock doctor
  crossdock doctor --env sandbox
  crossdock doctor --deep      also checks every row and every encrypted value

Exit code 1 if something is wrong.";

/// Check connections, credentials, names, the store and the clock
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Check every row and every encrypted value of the store, however large it is
    #[arg(long)]
    deep: bool,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = context(args.path.as_ref(), args.env.as_deref(), out)?;
    let health = doctor::examine(&context, args.deep, &mut |answer| {
        out.line(format!("{}  {}", if answer.fine { "ok " } else { "BAD" }, answer.text))?;
        if let Some(hint) = &answer.hint {
            out.line(format!("     {hint}"))?;
        }
        answer.damages.as_ref().map_or(Ok(()), |check| damages(check, out))
    })?;
    Ok(if health.is_fine() { Exit::Fine } else { Exit::Findings })
}
