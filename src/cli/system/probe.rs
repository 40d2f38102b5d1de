//! `crossdock system probe`: asks a real system whether it is as its description says. Each call is shown before it is sent.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;

use super::super::lines::counted;
use super::super::{Exit, Failure, Out};
use crate::app::folder::write_file;
use crate::app::loaded_project::ProjectAt;
use crate::app::system_probe::{self, Asked, Asks, Consent, Shown};
use crate::base::{bounds, locked};
use crate::fault::file;
use crate::value::Json;

const PROBE: &str = "\
Examples:
  crossdock system probe northbay
  crossdock system probe northbay --writes --record Order=test-order.json
  crossdock system probe northbay --yes

Asks over a connection of the project: does the sign-in work, do pages follow each other in their order, is a lower bound honored, \
are records found by their ids and fields. With --writes, on a test account: what becomes of a record that is sent twice with one key, \
and how soon it can be read. Test records have the key crossdock-probe-…; nothing deletes them. \
Adds what it found to systems/<NAME>/probe.yaml, by the host that the connection leads to. From it the guarantee classes of writes to \
that host follow. Exit code 1 if something is not as the description says, or the system did not answer.";

/// Ask the real system whether it is as its description says
#[derive(Debug, clap::Args)]
#[command(after_help = PROBE)]
pub(super) struct Probe {
    /// The system: the name of its folder below systems/
    #[arg(value_name = "NAME")]
    name: String,
    /// The connection to ask over, if several are of this system
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Only these objects, separated by commas
    #[arg(long, value_name = "OBJECTS", value_delimiter = ',')]
    objects: Vec<String>,
    /// Try writes, too: makes and changes test records
    #[arg(long)]
    writes: bool,
    /// The record to send for an object (JSON), instead of one made from its schema; several times for several objects
    #[arg(long = "record", value_name = "OBJECT=FILE", requires = "writes")]
    records: Vec<String>,
    /// Send all calls without asking
    #[arg(long)]
    yes: bool,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The project's folder; by default the current one
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    project: PathBuf,
}

pub(super) fn run(args: &Probe, out: &mut Out) -> Result<Exit, Failure> {
    if !args.yes && !std::io::stdin().is_terminal() {
        return Err(
            Failure::usage("each call is sent only after a person has allowed it, and nobody is at a terminal").hint("allow all of them: --yes")
        );
    }
    let asked = Asked {
        at: ProjectAt { path: Some(&args.project), env: args.env.as_deref(), allowed: &[] },
        name: args.name.clone(),
        connection: args.connection.clone(),
        objects: args.objects.clone(),
        writes: args.writes,
        records: args.records.iter().map(|record| record_of(record)).collect::<Result<BTreeMap<_, _>, Failure>>()?,
    };
    let found = system_probe::probe(&asked, consent(args.yes))?;
    out.line("")?;
    let line = |holds: Option<bool>, what: &str, found: &str| {
        let word = match holds {
            Some(true) => "ok ",
            Some(false) => "NO ",
            None => "?  ",
        };
        format!("{word}  {what}: {found}")
    };
    for (what, finding) in &found.found.connection {
        out.line(line(finding.holds, what, &finding.found))?;
    }
    for (object, of) in &found.found.objects {
        for (what, finding) in &of.reads {
            out.line(line(finding.holds, &format!("{object}, {what}"), &finding.found))?;
        }
        for (write, finding) in &of.writes {
            let after = finding.readable_after.as_ref().map(|after| format!("; it could be read after {after}")).unwrap_or_default();
            out.line(line(finding.holds, &format!("{object}, {write}"), &format!("{}{after}", finding.found)))?;
        }
    }
    let calls = counted(found.calls, "call");
    match &found.text {
        Some(text) => {
            write_file(&found.at, text.as_bytes())?;
            out.line(format!("{calls}; wrote {}, for connections to {}", found.file.display(), found.found.host))?;
        }
        None if found.at.exists() => out.line(format!("{calls}; nothing was learnt, and {} stays as it was", found.file.display()))?,
        None => out.line(format!("{calls}; nothing was learnt, and nothing is written"))?,
    }
    if !found.left_behind.is_empty() {
        out.line(format!("test records that the system has now: {}", found.left_behind.join(", ")))?;
    }
    Ok(if found.contradicts() || !found.was_answered() { Exit::Findings } else { Exit::Fine })
}

fn record_of(text: &str) -> Result<(String, Json), Failure> {
    let (object, path) = text.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`--record {text}` does not name its object")).hint("write the object before the file: --record Order=order.json")
    })?;
    let path = PathBuf::from(path);
    let read = file::read_text(&path, bounds::WHOLE_FILE).map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))?;
    let json: Json = serde_json::from_str(&read).map_err(|error| Failure::usage(format!("`{}` is no JSON: {error}", path.display())))?;
    if !json.is_object() {
        return Err(Failure::usage(format!("`{}` is no record: an object is wanted", path.display())));
    }
    Ok((object.trim().to_owned(), json))
}

/// Shows each call; asks before it is sent, unless all are allowed.
fn consent(all: bool) -> Consent {
    let all = Mutex::new(all);
    Box::new(move |shown: &Shown| {
        let mut all = locked(&all);
        let mut stdout = std::io::stdout();
        let what = match shown.kind {
            Asks::Reads => "",
            Asks::SignsIn => "signs in ",
            Asks::Writes => "writes ",
        };
        let body = if shown.body.is_empty() || shown.kind != Asks::Writes { String::new() } else { format!("\n    {}", shown.body) };
        let _ = writeln!(stdout, "{what}{} {}{body}", shown.method, shown.url);
        if *all {
            return true;
        }
        let _ = write!(stdout, "  send it? [y]es, [a]ll, [N]o: ").and_then(|()| stdout.flush());
        let mut answer = String::new();
        if std::io::stdin().lock().read_line(&mut answer).is_err() {
            return false;
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => true,
            "a" | "all" => {
                *all = true;
                true
            }
            _ => false,
        }
    })
}
