//! `crossdock system`: descriptions of systems.

mod new;
mod probe;

use std::path::PathBuf;

use super::lines::counted;
use super::{Exit, Failure, Out};
use crate::apispec::Style;
use crate::app::system_check;
use crate::app::system_import::{self, Asked};
use crate::base::Sources;
use crate::base::diag::Diagnostic;
use crate::base::diag::render::{View, terminal};

/// Work on the description of a system
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    New(new::New),
    Check(Check),
    Import(Import),
    Probe(probe::Probe),
}

const CHECK: &str = "\
Examples:
  crossdock system check wms
  crossdock system check wms --project client

Reads systems/<NAME>/system.yaml, and compares it with the vendor's file beside it (spec.json or spec.graphql, which \
`crossdock system import` writes): each path, parameter, field, action and value that it names. NAME can also be a described system that comes with Crossdock: \
then nothing has to be there. Exit code 1 if there is an error.";

/// Check the description of a system, and compare it with the vendor's file
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK)]
struct Check {
    /// The system: the name of its folder below systems/, or a described system that comes with Crossdock
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder that holds systems/; by default the current one
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    project: PathBuf,
}

const IMPORT: &str = "\
Examples:
  crossdock system import wms --openapi api.yaml --source https://wms.example
  crossdock system import wms --graphql schema.graphql
  crossdock system import wms            again, from systems/wms/spec.json
  crossdock system import wms --check    exit code 1 if something would change

Reads systems/<NAME>/system.yaml, applies corrections.yaml (OpenAPI Overlay) or corrections.graphql beside it, cuts the vendor's \
file to the operations that the description uses, and writes systems/<NAME>/spec.json or spec.graphql and schemas/<NAME>/*.json. \
What the description names and the vendor's file does not have is listed.";

/// Derive a system's schemas from the vendor's OpenAPI or GraphQL file
#[derive(Debug, clap::Args)]
#[command(after_help = IMPORT)]
struct Import {
    /// The system: the name of its folder below systems/
    #[arg(value_name = "NAME")]
    name: String,
    /// The vendor's OpenAPI description (2.0, 3.0 or 3.1; JSON or YAML)
    #[arg(long, value_name = "FILE", conflicts_with = "graphql")]
    openapi: Option<PathBuf>,
    /// The vendor's GraphQL schema
    #[arg(long, value_name = "FILE")]
    graphql: Option<PathBuf>,
    /// Where the vendor's file comes from; by default its name
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Compare with the files that are there, and write nothing
    #[arg(long)]
    check: bool,
    /// The folder that holds systems/ and schemas/; by default the current one
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    project: PathBuf,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::New(args) => new::run(args, out),
        What::Check(args) => check(args, out),
        What::Probe(args) => probe::run(args, out),
        What::Import(args) => import(args, out),
    }
}

fn show(found: &[Diagnostic], sources: &Sources, out: &mut Out) -> Result<(), Failure> {
    for one in found {
        out.whole(terminal(one, View::new(sources), out.look).trim_end())?;
        out.line("")?;
    }
    Ok(())
}

fn check(args: &Check, out: &mut Out) -> Result<Exit, Failure> {
    let checked = system_check::check(&args.project, &args.name)?;
    show(&checked.found, &checked.sources, out)?;
    let errors = checked.found.iter().filter(|found| found.is_error()).count();
    let told = match checked.described {
        Some((objects, writes)) => format!("{}, {}", counted(objects, "object"), counted(writes, "write")),
        None => "nothing could be read".to_owned(),
    };
    let against = match &checked.against {
        Some(origin) => format!("compared with {} ({})", origin.source, origin.retrieved),
        None if checked.built_in => "it comes with Crossdock, without the vendor's file to compare it with".to_owned(),
        None => "there is no file of the vendor to compare it with: `crossdock system import` writes it".to_owned(),
    };
    out.line(format!("{told}; {against}"))?;
    out.line(format!("{}, {}", counted(errors, "error"), counted(checked.found.len() - errors, "warning")))?;
    Ok(if errors > 0 { Exit::Findings } else { Exit::Fine })
}

fn import(args: &Import, out: &mut Out) -> Result<Exit, Failure> {
    let vendor = match (&args.openapi, &args.graphql) {
        (Some(path), _) => Some((Style::OpenApi, path.clone())),
        (None, Some(path)) => Some((Style::GraphQl, path.clone())),
        (None, None) => None,
    };
    let asked = Asked { root: args.project.clone(), name: args.name.clone(), vendor, source: args.source.clone() };
    let derived = system_import::import(&asked)?;
    show(&derived.found, &derived.sources, out)?;
    let broken = derived.found.iter().any(Diagnostic::is_error);
    if derived.schemas.is_empty() {
        return Err(Failure::findings("no schema can be derived").hint("correct the description first"));
    }
    let (mut same, mut changed) = (0, 0);
    for (name, text) in system_import::files(&asked, &derived) {
        let path = derived.root.join(&name);
        if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
            same += 1;
            continue;
        }
        changed += 1;
        if args.check {
            let what = if path.exists() { "differs from what the vendor's file gives" } else { "is missing: the import would write it" };
            out.line(format!("{} {what}", name.display()))?;
            continue;
        }
        let unwritten = |error: std::io::Error| Failure::io(format!("`{}` cannot be written: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unwritten)?;
        }
        std::fs::write(&path, text).map_err(unwritten)?;
        out.line(format!("wrote {}", name.display()))?;
    }
    for name in system_import::left_over(&asked, &derived) {
        let what = "the description has no such object any more, and mappings are still checked against this file: delete it, if nothing needs it";
        out.line(format!("{}: {what}", name.display()))?;
    }
    out.line(format!("{}, {} unchanged", counted(derived.schemas.len(), "schema"), counted(same, "file")))?;
    Ok(if broken || (args.check && changed > 0) { Exit::Findings } else { Exit::Fine })
}
