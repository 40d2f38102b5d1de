//! `crossdock store`: backs up the store, and checks it.

use std::path::PathBuf;

use super::project::ProjectArgs;
use super::{Exit, Failure, Format, Out};
use crate::app::backup::{self, StoreCheck};

/// Back up the store, and check it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Backup(Backup),
    Check(Check),
}

const BACKUP: &str = "\
Examples:
  crossdock store backup /backup/crossdock-2026-03-02.db
  crossdock store backup /backup/staging.db --env staging

It can be used while `crossdock serve` runs. The copy is complete and consistent, and only its owner can read it. An existing \
file is never replaced. The key is not copied: keep it in another place (`crossdock.db.key`, or CROSSDOCK_STORE_KEY).";

/// Write a consistent copy of the store
#[derive(Debug, clap::Args)]
#[command(after_help = BACKUP)]
struct Backup {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    project: ProjectArgs,
}

const CHECK: &str = "\
Examples:
  crossdock store check
  crossdock store check --file backup.db    a copy
  crossdock store check --format json

Reads every page, row and encrypted value of the store, and changes nothing. A copy is read with the key beside it \
(backup.db.key), that of the project's store, or CROSSDOCK_STORE_KEY. Exit code 1 if something is damaged, 3 if the store \
cannot be opened.";

/// Check every page, row and sealed value of the store, and name what is damaged
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK)]
struct Check {
    /// A copy to check, instead of the project's store
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Backup(args) => backup(args, out),
        What::Check(args) => check(args, out),
    }
}

fn backup(args: &Backup, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let made = backup::backup(&context, &args.file)?;
    out.line(format!("{} has {} records in {} KB; {} rows were checked", args.file.display(), made.records, made.size / 1024, made.check.rows))?;
    out.note(format!("the copy can be opened only with the key of the store: {}. Keep the key in another place than the copy", made.key));
    if made.check.damaged.is_empty() {
        return Ok(Exit::Fine);
    }
    damages(&made.check, out)?;
    Ok(Exit::Findings)
}

fn check(args: &Check, out: &mut Out) -> Result<Exit, Failure> {
    let context = args.project.open(out)?;
    let found = match &args.file {
        Some(file) => backup::check_copy(&context, file)?,
        None => backup::check(&context)?,
    };
    if args.format == Format::Json {
        out.json(&found)?;
    } else if found.damaged.is_empty() {
        out.line(format!("{} is not damaged: {} rows and all pages were checked", found.store, found.rows))?;
    } else {
        damages(&found, out)?;
    }
    Ok(if found.damaged.is_empty() { Exit::Fine } else { Exit::Findings })
}

/// Says what is damaged.
pub(super) fn damages(check: &StoreCheck, out: &mut Out) -> Result<(), Failure> {
    const MOST: usize = 50;
    let count = check.damaged.len();
    out.line(format!("{}: {count} of {} rows and pages are damaged", check.store, check.rows))?;
    for damaged in check.damaged.iter().take(MOST) {
        out.line(format!("  {}", damaged.told))?;
    }
    if count > MOST {
        out.line(format!("  and {} more", count - MOST))?;
    }
    out.line(match check.of_pages {
        true => "the file itself is damaged, so run and serve cannot use it: restore a backup (docs/operations.md, \"Back up and restore\")",
        false => "each one stops only its own record: serve sets it aside and continues. See crossdock queue list --code damaged",
    })
}
