//! `crossdock docs`: the sign-off document for a client.

use std::path::PathBuf;

use super::lines::counted;
use super::project::load;
use super::{Exit, Failure, Out};
use crate::app::signoff::{Request, sign_off};

const EXAMPLES: &str = "\
Examples:
  crossdock docs          writes signoff/mapping.html and signoff/mapping.xlsx
  crossdock docs --sign   keeps this state as the one that was signed
  crossdock docs --records export_orders=orders.jsonl
                          takes the examples from real records

The document shows each target field with its source, rule, example and what happens when the source is empty; value maps, \
routes and reasons; what has changed since the last sign-off; and the hash of the plan. Examples come from the project's \
cases. Those from real records contain personal values. Nothing is sent.";

/// Write the sign-off document, as a page and as a workbook
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Where to write it; by default `signoff` in the project's folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Records to take examples from: FLOW=FILE
    #[arg(long, value_name = "FLOW=FILE")]
    records: Vec<String>,
    /// Keep this state as the one that was signed
    #[arg(long)]
    sign: bool,
    /// The date on the document, instead of today
    #[arg(long, value_name = "DATE")]
    date: Option<jiff::civil::Date>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let ready = load(args.path.as_ref(), args.env.as_deref(), out)?;
    let request = Request {
        env: args.env.as_deref(),
        folder: args.out.as_deref(),
        records: &args.records,
        date: args.date.unwrap_or_else(|| jiff::Zoned::now().date()),
    };
    let made = sign_off(&ready, &request)?;
    for (name, bytes) in made.files()? {
        out.line(format!("wrote {}", made.write(name, &bytes)?.display()))?;
    }
    match &made.changes {
        None if args.sign => {}
        None => out.line("no state is signed yet: `crossdock docs --sign` keeps this one, to compare with later")?,
        Some(changes) if changes.is_empty() => {
            out.line("nothing has changed since the last sign-off")?;
            if made.only_hash_differs() {
                out.line(out.dim("the hash of the plan has changed: lines have moved, or a schema was pulled again. `--sign` keeps the new hash"))?;
            }
        }
        Some(changes) => {
            let day = made.signed.as_ref().map_or("", |old| &old.made);
            let count = counted(changes.len(), "change");
            out.line(format!("{count} since the sign-off of {day}:"))?;
            for change in changes {
                out.line(format!("  {}", out.bold(&change.at)))?;
                out.line(format!("    {}", out.red(&format!("- {}", change.was.as_deref().unwrap_or("(new)")))))?;
                out.line(format!("    {}", out.green(&format!("+ {}", change.is.as_deref().unwrap_or("(gone)")))))?;
            }
        }
    }
    if args.sign {
        out.line(format!("signed: {}", made.sign()?.display()))?;
    }
    Ok(Exit::Fine)
}
