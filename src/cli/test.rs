//! `crossdock test`: runs the project's cases.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::project::load;
use super::{Exit, Failure, Out};
use crate::app::LoadedProject;
use crate::app::folder::unreadable;
use crate::apply::{apply, aside};
use crate::base::{bounds, nearest};
use crate::fault::file;
use crate::project::Library;
use crate::spec::accept::Size;
use crate::spec::{Bench, Case, Coverage, Ran, accept, cases, judge, report};

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
    let program = ready.program()?;
    let folder = &ready.selection.folder;
    let bench = Bench {
        plan: ready.plan()?,
        map: &|flow, inputs| apply(&program, flow, inputs),
        find: &|flow, inputs, given| aside::find(&program, flow, inputs, given),
        file: &|path| folder.read(path).map_err(|absence| absence.to_string()),
        names: &ready.compiled.names,
    };
    let mut results: Vec<(Case, Ran)> = Vec::new();
    let mut coverage = Coverage::default();
    let mut names = BTreeSet::new();
    for case in all_cases(&ready)? {
        names.extend([case.name.clone(), case.flow.clone()]);
        let ran = judge::run(&case, &bench);
        if let Some(outcome) = &ran.outcome {
            coverage.add(&case.flow, &outcome.met);
        }
        let wanted = args.only.as_ref().is_none_or(|text| case.name.contains(text) || case.flow.contains(text));
        if wanted {
            results.push((case, ran));
        }
    }
    if results.is_empty()
        && !names.is_empty()
        && let Some(only) = &args.only
    {
        let failure = Failure::usage(format!("no case and no flow of a case has `{only}` in its name"));
        return Err(match nearest(only, names.iter().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`crossdock test` without --only runs all cases and lists them"),
        });
    }
    if results.is_empty() {
        return Err(Failure::usage("there is no case to run").hint("cases are in cases/*.yaml; `crossdock explain E0411` shows their form"));
    }
    let failed = results.iter().filter(|(_, ran)| !ran.differences.is_empty()).count();
    match args.format {
        Form::Json => out.json(&report::json(&results))?,
        Form::Junit => out.print(report::junit(&results))?,
        Form::Human => human(&results, failed, out)?,
    }
    if args.accept {
        return rewrite(&ready, &results, if args.whole { Size::Whole } else { Size::Kept }, out);
    }
    if args.coverage && args.format == Form::Human {
        uncovered(&coverage, &ready, out)?;
    }
    Ok(if failed > 0 { Exit::Findings } else { Exit::Fine })
}

/// The cases of files and of mappings, in the order of files and lines.
pub(super) fn all_cases(ready: &LoadedProject) -> Result<Vec<Case>, Failure> {
    let folder = &ready.selection.folder;
    let exists = |path: &str| folder.path(path).is_ok();
    let mut all = Vec::new();
    for ending in [".yaml", ".yml"] {
        for file in folder.list(ending) {
            if !file.starts_with("cases/") && !file.contains("/cases/") {
                continue;
            }
            let text = folder.read(&file).map_err(|absence| Failure::io(format!("{file}: {absence}")))?;
            let read = cases::read(&file, &text, &exists);
            all.extend(read.map_err(|fault| {
                Failure::usage(format!("{}{file}:{}: {}", ready.selection.prefix, fault.line, fault.message))
                    .hint("`crossdock explain E0411` shows the form of a case")
            })?);
        }
    }
    all.extend(ready.plan()?.mapping.tests.iter().map(|test| cases::of_item(test, &exists)));
    Ok(all)
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
                out.line(format!("       {}", out.red(&format!("- {} {line}", if at == 0 { "expected" } else { "        " }))))?;
            }
            for (at, line) in difference.actual.lines().enumerate() {
                out.line(format!("       {}", out.green(&format!("+ {} {line}", if at == 0 { "came out" } else { "        " }))))?;
            }
        }
    }
    let passed = results.len() - failed;
    let summary = format!("{passed} passed, {failed} failed");
    out.line(if failed > 0 { out.red(&summary) } else { out.green(&summary) })
}

fn rewrite(ready: &LoadedProject, results: &[(Case, Ran)], size: Size, out: &mut Out) -> Result<Exit, Failure> {
    let mut left = 0;
    let failing: Vec<_> = results.iter().filter(|(_, ran)| !ran.differences.is_empty()).collect();
    // From the end of a file to its beginning, so that lines above keep their numbers.
    for (case, ran) in failing.iter().rev() {
        let (Some(outcome), Some(line)) = (&ran.outcome, case.expect_line) else {
            out.note(format!("{}:{}: \"{}\" has to be changed by hand", case.file, case.line, case.name));
            left += 1;
            continue;
        };
        let path = ready.selection.folder.path(&case.file).map_err(|absence| Failure::io(format!("{}: {absence}", case.file)))?;
        let text = file::read_text(&path, bounds::PROJECT_FILE).map_err(|error| unreadable(&path, &error))?;
        let Some(text) = accept::rewrite(&text, line, &case.expected, outcome, size) else {
            left += 1;
            continue;
        };
        std::fs::write(&path, text).map_err(|error| Failure::io(format!("{} cannot be written: {error}", path.display())))?;
        out.line(format!("{} {}", out.cyan("accepted"), case.name))?;
    }
    Ok(if left > 0 { Exit::Findings } else { Exit::Fine })
}

fn uncovered(coverage: &Coverage, ready: &LoadedProject, out: &mut Out) -> Result<(), Failure> {
    let items = coverage.items(&ready.plan()?.mapping);
    let met = items.iter().filter(|item| item.met).count();
    out.line("")?;
    for item in items.iter().filter(|item| !item.met) {
        out.line(format!("{}  {}", out.dim(&format!("{}:{}", item.place.file, item.place.line)), item.text))?;
    }
    out.line(format!("{met} of {} rules, rows and routes are used by a case", items.len()))
}
