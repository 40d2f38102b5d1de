//! The project's test cases: judged, accepted, and what they cover.

use std::collections::BTreeSet;

use serde::Serialize;

use super::folder::unreadable;
use super::{Failure, LoadedProject};
use crate::base::{bounds, nearest};
use crate::eval::{apply, queries};
use crate::fault::file;
use crate::project::Library;
use crate::testkit::accept::Size;
use crate::testkit::report::{Report, report};
use crate::testkit::{Bench, Case, Coverage, Ran, accept, cases, runner};

/// How the cases went.
#[derive(Debug)]
pub struct Judged {
    pub results: Vec<(Case, Ran)>,
    /// What all cases have met, whichever were asked for.
    pub coverage: Coverage,
}

impl Judged {
    /// The same as programs read it.
    pub fn report(&self) -> Report {
        report(&self.results)
    }
}

/// A rule, a row or a route, and whether a case has met it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    pub file: String,
    pub line: u32,
    /// As the mapping says it.
    pub text: String,
    pub met: bool,
}

/// What became of a failing case that was to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "accepted", rename_all = "snake_case")]
pub enum Accepted {
    /// What it asserts was written anew.
    Written { name: String },
    /// It has to be changed by hand.
    ByHand { file: String, line: u32, name: String },
    /// Nothing of it could be written.
    Unchanged { name: String },
}

/// Runs the cases; `only`: those whose name or flow holds a text.
///
/// # Errors
/// A case cannot be read, or there is none to run.
pub fn judge_all(project: &LoadedProject, only: Option<&str>) -> Result<Judged, Failure> {
    let program = project.program()?;
    let bench = Bench {
        plan: project.plan()?,
        map: &|flow, inputs| apply(&program, flow, inputs),
        find: &|flow, inputs, given| queries::find(&program, flow, inputs, given),
        records: &|path| project.fixture(path),
        names: &project.compiled.names,
    };
    let mut results: Vec<(Case, Ran)> = Vec::new();
    let mut coverage = Coverage::default();
    let mut names = BTreeSet::new();
    for case in all(project)? {
        names.extend([case.name.clone(), case.flow.clone()]);
        let ran = runner::run(&case, &bench);
        if let Some(outcome) = &ran.outcome {
            coverage.add(&case.flow, &outcome.met);
        }
        if only.is_none_or(|text| case.name.contains(text) || case.flow.contains(text)) {
            results.push((case, ran));
        }
    }
    if results.is_empty()
        && !names.is_empty()
        && let Some(only) = only
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
    Ok(Judged { results, coverage })
}

/// The cases of files and of mappings, in the order of files and lines.
///
/// # Errors
/// One cannot be read.
pub fn all(project: &LoadedProject) -> Result<Vec<Case>, Failure> {
    let folder = project.folder();
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
                Failure::usage(format!("{}{file}:{}: {}", project.selection.prefix, fault.line, fault.message))
                    .hint("`crossdock explain E0411` shows the form of a case")
            })?);
        }
    }
    all.extend(project.plan()?.mapping.tests.iter().map(|test| cases::of_item(test, &exists)));
    Ok(all)
}

/// Writes what came out of failing cases in the place of what they assert. Each is told as soon as it is done.
///
/// # Errors
/// A file cannot be read or written, or `told` fails.
pub fn accept(project: &LoadedProject, judged: &Judged, size: Size, told: &mut dyn FnMut(&Accepted) -> Result<(), Failure>) -> Result<(), Failure> {
    let failing: Vec<_> = judged.results.iter().filter(|(_, ran)| !ran.differences.is_empty()).collect();
    // From the end of a file to its beginning, so that lines above keep their numbers.
    for (case, ran) in failing.iter().rev() {
        let (Some(outcome), Some(line)) = (&ran.outcome, case.expect_line) else {
            told(&Accepted::ByHand { file: case.file.to_string(), line: case.line, name: case.name.clone() })?;
            continue;
        };
        let path = project.folder().path(&case.file).map_err(|absence| Failure::io(format!("{}: {absence}", case.file)))?;
        let text = file::read_text(&path, bounds::PROJECT_FILE).map_err(|error| unreadable(&path, &error))?;
        let Some(text) = accept::rewrite(&text, line, &case.expected, outcome, size) else {
            told(&Accepted::Unchanged { name: case.name.clone() })?;
            continue;
        };
        std::fs::write(&path, text).map_err(|error| Failure::io(format!("{} cannot be written: {error}", path.display())))?;
        told(&Accepted::Written { name: case.name.clone() })?;
    }
    Ok(())
}

/// The rules, rows and routes of a project, and whether a case has met them.
///
/// # Errors
/// The project has no plan.
pub fn coverage(project: &LoadedProject, judged: &Judged) -> Result<Vec<Covered>, Failure> {
    let items = judged.coverage.items(&project.plan()?.mapping);
    Ok(items.into_iter().map(|item| Covered { file: item.place.file.to_string(), line: item.place.line, text: item.text, met: item.met }).collect())
}
