//! `crossdock test`: runs the project's cases.

use std::path::PathBuf;

use super::project::load;
use super::{Exit, Failure, Out};
use crate::app::LoadedProject;
use crate::app::cases::{self, Accepted, Covered, Judged};
use crate::testkit::accept::Size;
use crate::testkit::{Case, Ran, report};

const EXAMPLES: &str = "\
Examples:
  crossdock test                    every case of the project
  crossdock test --only \"postal\"    cases with this word in name or flow
  crossdock test --coverage         rules, rows and routes that no case uses
  crossdock test --accept           writes the new result into failing cases
  crossdock test --accept --whole   writes all fields of the result
  crossdock test --format junit     for a pipeline

Cases are in cases/*.yaml and in `test` items of mapping files. Exit code 1 if one fails.";

/// Run the project's test cases
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Only cases whose name or flow contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Show the results of failing cases, and write them into the cases: the same fields, with their new values
    #[arg(long)]
    accept: bool,
    /// With --accept: write all fields of the result
    #[arg(long, requires = "accept")]
    whole: bool,
    /// List the rules, rows and routes that no case uses
    #[arg(long)]
    coverage: bool,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, JSON, or JUnit for a pipeline
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Human,
    Json,
    Junit,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let ready = load(args.path.as_ref(), args.env.as_deref(), out)?;
    let judged = cases::judge_all(&ready, args.only.as_deref())?;
    let results = &judged.results;
    let failed = results.iter().filter(|(_, ran)| !ran.differences.is_empty()).count();
    match args.format {
        Form::Json => out.json(&judged.report())?,
        Form::Junit => out.print(report::junit(results))?,
        Form::Human => human(results, failed, out)?,
    }
    if args.accept {
        return accept(&ready, &judged, if args.whole { Size::Whole } else { Size::Kept }, out);
    }
    if args.coverage && args.format == Form::Human {
        uncovered(&cases::coverage(&ready, &judged)?, out)?;
    }
    Ok(if failed > 0 { Exit::Findings } else { Exit::Fine })
}

fn human(results: &[(Case, Ran)], failed: usize, out: &mut Out) -> Result<(), Failure> {
    for (case, ran) in results {
        if ran.differences.is_empty() {
            out.line(format!("{} {}", out.green("ok  "), case.name))?;
            continue;
        }
        let place = format!("{}:{}", case.file, case.line);
        out.line(format!("{} {} {}", out.red("FAIL"), out.bold(&case.name), out.dim(&place)))?;
        for difference in &ran.differences {
            out.line(format!("     {}", out.cyan(&difference.at)))?;
            for (at, line) in difference.expected.lines().enumerate() {
                out.whole(format!("       {}", out.red(&format!("- {} {line}", if at == 0 { "expected" } else { "        " }))))?;
            }
            for (at, line) in difference.actual.lines().enumerate() {
                out.whole(format!("       {}", out.green(&format!("+ {} {line}", if at == 0 { "came out" } else { "        " }))))?;
            }
        }
    }
    let passed = results.len() - failed;
    let summary = format!("{passed} passed, {failed} failed");
    out.line(if failed > 0 { out.red(&summary) } else { out.green(&summary) })
}

fn accept(project: &LoadedProject, judged: &Judged, size: Size, out: &mut Out) -> Result<Exit, Failure> {
    let mut left = 0;
    cases::accept(project, judged, size, &mut |accepted| match accepted {
        Accepted::Written { name } => out.line(format!("{} {name}", out.cyan("accepted"))),
        Accepted::ByHand { file, line, name } => {
            out.note(format!("{file}:{line}: \"{name}\" has to be changed by hand"));
            left += 1;
            Ok(())
        }
        Accepted::Unchanged { .. } => {
            left += 1;
            Ok(())
        }
    })?;
    Ok(if left > 0 { Exit::Findings } else { Exit::Fine })
}

fn uncovered(items: &[Covered], out: &mut Out) -> Result<(), Failure> {
    let met = items.iter().filter(|item| item.met).count();
    out.line("")?;
    for item in items.iter().filter(|item| !item.met) {
        out.line(format!("{}  {}", out.dim(&format!("{}:{}", item.file, item.line)), item.text))?;
    }
    out.line(format!("{met} of {} rules, rows and routes are used by a case", items.len()))
}
