//! `crossdock queue show`: one exception, with its payload.

use super::super::project::ProjectArgs;
use crate::app::exceptions::{Exceptions, SeveralShown, Shown, several};
use crate::cli::lines::wrapped;
use crate::cli::when::{age, until};
use crate::cli::{Exit, Failure, Format, Out};
use crate::store::{EntryState, Millis};

const EXAMPLES: &str = "\
Examples:
  crossdock queue show 12                 reasons, payload and next step
  crossdock queue show 00000104           the open exceptions of a record
  crossdock queue show 12 --reveal        with personal values
  crossdock queue show 12 --payload --reveal > payload.json
                                          the payload, as `queue edit` takes it";

/// Show one exception: reasons, payload, next step, who decided
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The number of the exception, or the number, name or key of its record
    #[arg(value_name = "ID")]
    name: String,
    #[command(flatten)]
    project: ProjectArgs,
    /// Print personal values
    #[arg(long)]
    reveal: bool,
    /// The payload alone, as JSON
    #[arg(long)]
    payload: bool,
    /// Which payload, where several wait: the write's name
    #[arg(long, value_name = "WRITE", requires = "payload")]
    write: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let exceptions = Exceptions::open(&context)?;
    let found = exceptions.named(&args.name)?;
    if args.payload {
        let [one] = found.as_slice() else { return Err(several(&args.name, &found)) };
        out.json(&exceptions.payload_to_edit(one, args.write.as_deref(), args.reveal)?)?;
        if !args.reveal {
            out.note("personal values are masked; `--payload --reveal` prints the payload that `queue edit` takes");
        }
        return Ok(Exit::Fine);
    }
    let mut shown = found.iter().map(|one| exceptions.show(one, args.reveal)).collect::<Result<Vec<_>, _>>()?;
    if args.format == Format::Json {
        // Always one document: an exception, or several of one record.
        match shown.len() {
            1 => out.json(&shown.remove(0))?,
            _ => out.json(&SeveralShown::of(shown))?,
        }
        return Ok(Exit::Fine);
    }
    for (at, shown) in shown.iter().enumerate() {
        if at > 0 {
            out.line("")?;
        }
        person(shown, exceptions.now(), out)?;
    }
    Ok(Exit::Fine)
}

fn person(one: &Shown, now: Millis, out: &mut Out) -> Result<(), Failure> {
    let width = out.columns();
    let told = |word: &str, text: &str, out: &mut Out| -> Result<(), Failure> {
        let mut word = word;
        for line in wrapped(text, 9, width) {
            out.line(format!("{word:<9}{}", line.trim_start()))?;
            word = "";
        }
        Ok(())
    };
    out.line(format!("{} {} of {} ({})", one.code, one.label.as_deref().unwrap_or(&one.key), one.flow, one.key))?;
    told("cause", &one.cause, out)?;
    told("opened", &format!("{} ({})", one.opened, age(now - one.opened.0)), out)?;
    if let Some(before) = one.before {
        told("before", &format!("{before} ({})", until(before.0, now)), out)?;
    }
    if let Some(owner) = &one.owner {
        told("owner", owner, out)?;
    }
    for reason in &one.reasons {
        let place = reason.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
        let field = reason.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        told("reason", &format!("{field}{}{place}", reason.message), out)?;
    }
    for payload in &one.payloads {
        let word = if payload.state == EntryState::Refused { "refused" } else { "payload" };
        told(word, &format!("{} {} {}", payload.op, payload.object, payload.key.as_deref().unwrap_or_default()), out)?;
        out.json(&payload.body)?;
    }
    match (&one.closed, &one.closed_by) {
        (Some(closed), Some(what)) => {
            let by = one.decided.as_ref().and_then(|decided| decided.by.as_ref()).map(|by| format!(" by {by}")).unwrap_or_default();
            told("closed", &format!("{closed} {what}{by}"), out)?;
            if let Some(why) = one.decided.as_ref().and_then(|decided| decided.reason.as_ref()) {
                told("why", why, out)?;
            }
            Ok(())
        }
        _ => told("next", &one.next, out),
    }
}
