//! `crossdock store`: a copy of the store, and whether it is as it was written.

use std::path::{Path, PathBuf};

use super::site::{STORE_KEY, Site, store_failure};
use super::{Exit, Failure, Format, Out};
use crate::store::sqlite::{Checked, Mode, Sqlite};

/// Copy the store, and check that it is whole
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

#[derive(Debug, clap::Args)]
struct Project {
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

const BACKUP: &str = "\
Examples:
  crossdock store backup /backup/crossdock-2026-03-02.db
  crossdock store backup /backup/today.db --env production

It works beside a running `crossdock serve`. The copy is complete and consistent, readable by its owner only, and
replaces no file. The key is not copied: keep it in another place (`crossdock.db.key`, or CROSSDOCK_STORE_KEY).";

/// Write a consistent copy of the store, beside a running process too
#[derive(Debug, clap::Args)]
#[command(after_help = BACKUP)]
struct Backup {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    project: Project,
}

const CHECK: &str = "\
Examples:
  crossdock store check                    every page, row and sealed value of the project's store
  crossdock store check --file backup.db   of a copy (its key: backup.db.key, that of the store, or CROSSDOCK_STORE_KEY)
  crossdock store check --format json      for a script

It reads the whole store and changes nothing. Exit code 1 if something is damaged.";

/// Check every page, row and sealed value of the store, and name what is damaged
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK)]
struct Check {
    /// Another file than the project's store: a copy
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    project: Project,
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
    let site = Site::open(args.project.project.as_ref(), args.project.env.as_deref(), out)?;
    let made = site.opened(Mode::Read)?.copy_to(&args.file).map_err(|fault| store_failure(&fault))?;
    // A copy that cannot be read is none.
    let copy = opened_copy(&site, &args.file)?;
    let checked = copy.verify().map_err(|fault| store_failure(&fault))?;
    out.line(format!(
        "{} holds {} records in {} KB, and is whole: {} rows checked",
        args.file.display(),
        made.records,
        made.size / 1024,
        checked.rows
    ))?;
    let key = key_beside(&site.store);
    let where_it_is = if super::site::variable(STORE_KEY).is_some() { STORE_KEY.to_owned() } else { key.display().to_string() };
    out.note(format!("the copy opens with the store's key only: {where_it_is}. Keep that in another place than the copy"));
    if checked.damages.is_empty() {
        return Ok(Exit::Fine);
    }
    told(&args.file, &checked, out)?;
    Ok(Exit::Findings)
}

fn check(args: &Check, out: &mut Out) -> Result<Exit, Failure> {
    let site = Site::open(args.project.project.as_ref(), args.project.env.as_deref(), out)?;
    let (path, store) = match &args.file {
        Some(file) => (file.clone(), opened_copy(&site, file)?),
        None => (site.store.clone(), site.opened(Mode::Read)?),
    };
    let checked = store.verify().map_err(|fault| store_failure(&fault))?;
    if args.format == Format::Json {
        let damages: Vec<_> = checked
            .damages
            .iter()
            .map(|damage| serde_json::json!({"table": damage.table, "row": damage.row, "flow": damage.flow, "key": damage.lane, "what": damage.what}))
            .collect();
        out.json(&serde_json::json!({"version": 1, "store": path.display().to_string(), "rows": checked.rows, "damaged": damages}))?;
    } else if checked.damages.is_empty() {
        out.line(format!("{} is whole: {} rows and all pages checked", path.display(), checked.rows))?;
    } else {
        told(&path, &checked, out)?;
    }
    Ok(if checked.damages.is_empty() { Exit::Fine } else { Exit::Findings })
}

/// Says what is damaged.
pub(super) fn told(path: &Path, checked: &Checked, out: &mut Out) -> Result<(), Failure> {
    const MOST: usize = 50;
    let count = checked.damages.len();
    out.line(format!("{}: {count} of {} rows and pages are not as they were written", path.display(), checked.rows))?;
    for damage in checked.damages.iter().take(MOST) {
        out.line(format!("  {damage}"))?;
    }
    if count > MOST {
        out.line(format!("  and {} more", count - MOST))?;
    }
    out.line(match checked.damages.iter().any(crate::store::Damage::is_of_pages) {
        true => "the file itself is damaged: run and serve refuse it; bring a backup back, as docs/operations.md says",
        false => "each concerns only its own record: serve puts it aside and goes on; crossdock queue list --code damaged",
    })?;
    Ok(())
}

/// How every file of SQLite begins (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A copy, with the key that lies beside it or that of the project's store.
fn opened_copy(site: &Site, file: &Path) -> Result<Sqlite, Failure> {
    let is_store = crate::fault::file::beginning(file, MAGIC.len()).map_err(|error| super::folder::unreadable(file, &error))?;
    if is_store != MAGIC {
        return Err(Failure::io(format!("{} is no store of Crossdock", file.display())).hint("name a copy that `crossdock store backup` has written"));
    }
    if super::site::variable(STORE_KEY).is_some() || key_beside(file).exists() {
        return super::site::open_store(file, Mode::Read);
    }
    Sqlite::open_copy(file, &site.store).map_err(|fault| store_failure(&fault))
}

fn key_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}
