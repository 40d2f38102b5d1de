//! `crossdock queue retry`, `approve`, `edit`, `discard`, `undo`: decisions about single exceptions, or about all of one cause.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::super::project::ProjectArgs;
use super::Filters;
use crate::app::exceptions::{Exceptions, Selected, edited_payload};
use crate::app::{Context, operator_client};
use crate::cli::decision::decide;
use crate::cli::lines::counted;
use crate::cli::{Exit, Failure, Out};
use crate::engine::operator_commands::{Decision, Signature};

/// Which exceptions, and who decides.
#[derive(Debug, clap::Args)]
struct Chosen {
    /// The numbers of the exceptions, or the numbers, names or keys of their records
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    signed: Signed,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct Signed {
    /// Your name, for the history; the login name by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Signed {
    fn signature(&self, why: Option<&String>) -> Signature {
        operator_client::signature(self.by.as_ref(), why)
    }
}

const RETRY: &str = "\
Examples:
  crossdock queue retry 12 13               two exceptions, by number
  crossdock queue retry 00000104            by the number of the record
  crossdock queue retry --cause 3f9a2c01    all of one cause, after a question
  crossdock queue retry --code refused --flow export_orders --yes

The records are read from their source again, and mapped with the current mapping.";

/// Read and map records again
#[derive(Debug, clap::Args)]
#[command(after_help = RETRY)]
pub(super) struct Retry {
    #[command(flatten)]
    chosen: Chosen,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

const APPROVE: &str = "\
Examples:
  crossdock queue approve 12
  crossdock queue approve --cause 3f9a2c01         asks before it approves all
  crossdock queue approve --owner finance --yes    does not ask

The waiting payload is sent as it is. A running `crossdock serve` sends it after ten seconds; until then `crossdock queue undo \
12` takes the approval back. Without a running `serve`, the next run sends it.";

/// Send payloads that wait for a review
#[derive(Debug, clap::Args)]
#[command(after_help = APPROVE)]
pub(super) struct Approve {
    #[command(flatten)]
    chosen: Chosen,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

const DISCARD: &str = "\
Examples:
  crossdock queue discard 12 --reason \"shipped by hand\"
  crossdock queue discard --cause 3f9a2c01 --yes \\
      --reason \"handled in ShipStation\"";

/// Decide that records are not sent
#[derive(Debug, clap::Args)]
#[command(after_help = DISCARD)]
pub(super) struct Discard {
    #[command(flatten)]
    chosen: Chosen,
    /// Why the records are not sent
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

const UNDO: &str = "\
Examples:
  crossdock queue undo 12
  crossdock queue list --closed    shows who decided what

A decision can be taken back until it takes effect. A running `crossdock serve` does that after ten seconds; without it, the \
next run does. A discarded record can be taken back until its next version arrives.";

/// Take back a decision that is not carried out yet
#[derive(Debug, clap::Args)]
#[command(after_help = UNDO)]
pub(super) struct Undo {
    /// The numbers of the exceptions
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    signed: Signed,
}

const EDIT: &str = "\
Examples:
  crossdock queue show 12 --payload --reveal > payload.json
  crossdock queue edit 12 --payload payload.json

The new payload is checked against the target's schema and sent once, in place of the one that waits or that the target \
refused. The next version of the record is mapped as usual.";

/// Send a corrected payload, once
#[derive(Debug, clap::Args)]
#[command(after_help = EDIT)]
pub(super) struct Edit {
    /// The number of the exception, or the number, name or key of its record
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    signed: Signed,
    /// The file with the new payload, as JSON
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    /// Which write the payload is for, if several wait: its name
    #[arg(long, value_name = "WRITE")]
    write: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn retry(args: &Retry, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.chosen.project.open(out)?;
    let Some(ids) = chosen(&context, &args.chosen, "retry", out)? else { return Ok(Exit::Findings) };
    decide(&context, Decision::Retry { ids }, args.chosen.signed.signature(args.reason.as_ref()), "to be mapped again", out)
}

pub(super) fn approve(args: &Approve, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.chosen.project.open(out)?;
    let Some(ids) = chosen(&context, &args.chosen, "approve", out)? else { return Ok(Exit::Findings) };
    decide(&context, Decision::Approve { ids }, args.chosen.signed.signature(args.reason.as_ref()), "approved", out)
}

pub(super) fn discard(args: &Discard, out: &mut Out) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage("the reason is empty").hint("say why it is not sent: --reason \"shipped by hand\""));
    }
    let context = args.chosen.project.open(out)?;
    let Some(ids) = chosen(&context, &args.chosen, "discard", out)? else { return Ok(Exit::Findings) };
    decide(&context, Decision::Discard { ids, reason: args.reason.clone() }, args.chosen.signed.signature(None), "discarded", out)
}

pub(super) fn undo(args: &Undo, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    decide(&context, Decision::Undo { ids: args.ids.clone() }, args.signed.signature(None), "taken back", out)
}

pub(super) fn edit(args: &Edit, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let payload = edited_payload(&args.payload)?;
    let one = Exceptions::open(&context)?.one(&args.id)?;
    let decision = Decision::Edit { id: one.id, payload, write: args.write.clone() };
    decide(&context, decision, args.signed.signature(args.reason.as_ref()), "edited", out)
}

/// The exceptions that are meant: those named, or all that fit the filters, after asking. `None`: the answer was no.
fn chosen(context: &Context, args: &Chosen, verb: &str, out: &mut Out) -> Result<Option<Vec<i64>>, Failure> {
    let exceptions = Exceptions::open(context)?;
    if !args.ids.is_empty() {
        if args.filters.any() {
            return Err(Failure::usage("name exceptions by their numbers or by a filter, not by both"));
        }
        let mut ids: Vec<i64> = Vec::new();
        for text in &args.ids {
            ids.extend(exceptions.named(text)?.iter().map(|one| one.id));
        }
        // Two names may mean the same one.
        ids.sort_unstable();
        ids.dedup();
        return Ok(Some(ids));
    }
    if !args.filters.any() {
        return Err(Failure::usage("name exceptions by their numbers, or by --cause, --owner, --code or --flow")
            .hint("crossdock queue list shows them by cause"));
    }
    let Selected { causes, ids } = exceptions.select(&exceptions.checked(args.filters.wanted())?)?;
    for cause in &causes {
        let owner = cause.owner.as_ref().map(|owner| format!(" for {owner}")).unwrap_or_default();
        out.note(format!("{:>6}  {} {} of {}{owner}", cause.count, cause.id, cause.code, cause.flow));
    }
    if args.yes {
        return Ok(Some(ids));
    }
    let count = counted(ids.len(), "exception");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("this would {verb} {count}, and nobody can confirm it here")).hint("say --yes"));
    }
    out.flush()?;
    // The question goes where it is seen when the results are piped.
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{verb} {count}? [y/N] ");
    let _ = terminal.flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| Failure::io(format!("the answer cannot be read: {error}")))?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(Some(ids));
    }
    out.note("nothing was decided");
    Ok(None)
}
