//! `crossdock erase`: shows or removes what is kept of one person.

use super::decision::tell;
use super::lines::counted;
use super::project::{ProjectArgs, remark};
use super::{Exit, Failure, Format, Out};
use crate::app::erasure::{self, Kept};
use crate::app::operator_client::signature;
use crate::app::time::UtcTime;
use crate::engine::mask;
use crate::store::RecordStage;

const EXAMPLES: &str = "\
Examples:
  crossdock erase ada@example.com          shows what is kept of a person
  crossdock erase \"+1 512 555 0199\"        a telephone number, in any form
  crossdock erase \"Ada Lovelace\"           a name, a street, any other value
  crossdock erase 00000104 --linked        an order, and its shipments
  crossdock erase ada@example.com --yes    removes it

Nothing is sent to the systems. Hashes of keys stay, so that nothing is sent twice later. Erase the person at the systems \
first: a record that changes there after the erasure is read again.";

/// Show or remove what is kept of one person
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// An e-mail address, a telephone number, a name, an order's number, a record's id
    #[arg(value_name = "IDENTIFIER")]
    who: String,
    /// Include the records that belong to those that were found, such as the shipments of an order
    #[arg(long)]
    linked: bool,
    /// Remove it; without this option it is only shown
    #[arg(long)]
    yes: bool,
    /// Your name, for the proof that is kept; the login name by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let who = erasure::identifier(&args.who)?;
    let context = args.project.open(out)?;
    let kept = erasure::kept(&context, who, args.linked)?;
    if args.format == Format::Json {
        out.json(&kept)?;
    } else {
        show(args, &kept, out)?;
    }
    if kept.records.is_empty() {
        return Ok(Exit::Fine);
    }
    if !args.yes {
        out.note("nothing was removed; --yes removes it");
        return Ok(Exit::Fine);
    }
    out.note("older backups of the store still contain the data: make a new one and delete the older ones");
    let decided = erasure::erase(&context, kept, signature(args.by.as_ref(), None), &mut remark(out))?;
    tell(&decided, "erased", out)
}

/// What is kept of each record, and what was erased before.
fn show(args: &Args, kept: &Kept, out: &mut Out) -> Result<(), Failure> {
    for erased in &kept.erased_before {
        let by = erased.by.as_deref().unwrap_or("a person");
        let records = counted(erased.records, "record");
        out.line(format!("{records} of {} were erased {} by {by}", mask::key(&args.who, true), UtcTime(erased.at.0)))?;
    }
    if kept.records.is_empty() {
        out.line(format!("nothing is kept of {}", mask::key(&args.who, true)))?;
        if kept.erased_before.is_empty() {
            out.note("name it as the systems write it: an e-mail address, a telephone number, a name, an order's number, a record's id");
        }
        return Ok(());
    }
    for record in &kept.records {
        let name = record.label.as_deref().unwrap_or(&record.key);
        let what: Vec<String> = record.kept.iter().map(|(what, count)| counted(*count, what)).collect();
        let what = if what.is_empty() { "what it is called".to_owned() } else { what.join(", ") };
        out.line(format!("{} {name}, {}: {what}", record.flow, record.state.word().replace('_', " ")))?;
        match record.state {
            RecordStage::Rejected | RecordStage::Review | RecordStage::Failed => {
                out.line("    it waits for a person. If it is erased, it is discarded, and is sent only if its source changes it")?;
            }
            state if !state.settled() => out.line("    it is in progress and is not erased: erase it again when it is finished")?,
            _ => {}
        }
    }
    if kept.linked > 0 {
        let (records, are) = (counted(kept.linked, "record"), if kept.linked == 1 { "is" } else { "are" });
        out.note(format!("{records} {are} linked with these and not included: --linked includes them"));
    }
    Ok(())
}
