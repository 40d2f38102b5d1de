//! Checks mappings against the schemas of both their ends.

use std::path::PathBuf;

use serde::Serialize;

use super::folder::{Selection, no_mapping, select};
use super::{Failure, Folder};
use crate::base::diag::render::{self, View};
use crate::base::diag::{Code, Diagnostic, Severity};
use crate::base::{Sources, Span};
use crate::connector::registry;
use crate::project::allow::Allowed;
use crate::project::{Compiled, Options, Planned, Source, compile, source};
use crate::testkit::checked;
use crate::value::Json;
use crate::yaml::Node;

/// A project that was checked.
#[derive(Debug)]
pub struct Checked {
    pub selection: Selection,
    pub compiled: Compiled,
    /// What is as the project says, and not so on this machine: it may be so where the project runs.
    pub notes: Vec<String>,
}

/// What a check has found, in one document for several projects.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// The diagnostics, and how many there are.
    #[serde(flatten)]
    pub found: Json,
    /// Warnings that the projects allow.
    pub allowed: Vec<AllowedWarning>,
}

/// A warning that a project allows, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowedWarning {
    pub code: &'static str,
    pub message: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub reason: String,
}

/// Checks the projects and files that are named; the current folder's project if none is. The cases of whole projects are
/// checked with them.
///
/// # Errors
/// A path is not there, or a project has no mapping file. What is wrong with a mapping is a diagnostic.
pub fn check(paths: &[PathBuf], env: Option<&str>) -> Result<Vec<Checked>, Failure> {
    let mut all = Vec::new();
    for selection in select(paths)? {
        let options = Options { env: env.map(str::to_owned), only: selection.only.clone(), planned: Planned::Nothing };
        // The cases are read beside the mappings. A check of single files leaves them alone.
        let whole = selection.only.is_none();
        let (cases, mut compiled) = std::thread::scope(|scope| {
            let cases = scope.spawn(|| if whole { checked::read_all(&selection.folder) } else { checked::CaseTexts::default() });
            let compiled = compile(&selection.folder, &options);
            (cases.join().unwrap_or_default(), compiled)
        });
        if compiled.units.is_empty() && compiled.diagnostics.is_empty() {
            return Err(no_mapping(&selection));
        }
        checked::check(&selection.folder, &cases, &mut compiled);
        let notes = settings(&selection.folder, &mut compiled);
        all.push(Checked { selection, compiled, notes });
    }
    Ok(all)
}

/// Adds what `run` and `serve` would refuse in the project's file, by their own rules. Values of the environment and of files are not
/// known here. Gives notes on what this machine lacks.
fn settings(folder: &Folder, compiled: &mut Compiled) -> Vec<String> {
    let config = &compiled.config;
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for (name, connection) in config.connections.iter().filter(|(_, connection)| connection.system != "files") {
        let known = |(option, node): (&String, &Node)| match source(node) {
            Some(Source::Text(text)) if !text.contains("${") => Some((option.clone(), text.to_owned())),
            _ => None,
        };
        let given = connection.options.iter().filter_map(known).collect();
        if let Err(unusable) = registry::on_paper(name, &connection.system, connection.described.as_deref(), given) {
            let names = |option: &str| unusable.message.contains(&format!("`{option}`")) || unusable.message.contains(&format!("`{option}: "));
            let at = connection.places.iter().find(|(option, _)| names(option)).map_or(connection.span, |(_, at)| *at);
            found.push(Diagnostic::new(Code::BadProject, at, unusable.to_string()).help(unusable.hint));
        }
    }
    for (what, program) in config.alerts.programs() {
        let Err(failure) = folder.program(&program.text) else { continue };
        if program.text.contains('/') && !program.text.starts_with('/') {
            // A file of the project is the same on each machine.
            let said = Diagnostic::new(Code::BadProject, program.span, failure.message).why("`run` and `serve` refuse to start with it");
            found.push(failure.hint.into_iter().fold(said, Diagnostic::help));
        } else {
            notes.push(format!("{what}: {} on this machine; where it is so, `run` and `serve` refuse to start", failure.message));
        }
    }
    // Of a setting that has a finding already, no more is said.
    let told: Vec<Span> = compiled.diagnostics.iter().map(|one| one.primary.span).collect();
    found.retain(|one| !told.contains(&one.primary.span));
    compiled.refuse(found);
    notes
}

/// Whether anything speaks against going on: an error, with `strict` a warning too.
pub fn is_bad(all: &[Checked], strict: bool) -> bool {
    all.iter().flat_map(|one| &one.compiled.diagnostics).any(|found| strict || found.severity == Severity::Error)
}

/// All that was found.
pub fn document(all: &[Checked]) -> Document {
    Document { found: merged(all, render::json, "diagnostics"), allowed: all.iter().flat_map(Checked::allowed).collect() }
}

/// All that was found, as code scanners read it.
pub fn sarif(all: &[Checked]) -> Json {
    merged(all, render::sarif, "runs")
}

impl Checked {
    /// How its diagnostics are shown.
    pub fn view(&self) -> View<'_> {
        self.selection.view(&self.compiled)
    }

    fn allowed(&self) -> Vec<AllowedWarning> {
        self.compiled.allowed.iter().map(|one| self.allowed_warning(one)).collect()
    }

    fn allowed_warning(&self, one: &Allowed) -> AllowedWarning {
        let span = one.diagnostic.primary.span;
        let source = self.compiled.sources.get(span.file);
        AllowedWarning {
            code: one.diagnostic.code.number(),
            message: one.diagnostic.message.clone(),
            file: source.map(|source| format!("{}{}", self.selection.prefix, source.name)),
            line: source.map(|source| source.position(span.start).line),
            reason: one.reason.clone(),
        }
    }
}

/// One document for several projects: the lists under `list` follow each other, counts are added.
fn merged(all: &[Checked], form: fn(&[Diagnostic], View<'_>) -> Json, list: &str) -> Json {
    let mut documents = all.iter().map(|one| form(&one.compiled.diagnostics, one.view()));
    let mut whole = documents.next().unwrap_or_else(|| form(&[], View::new(&Sources::default())));
    for document in documents {
        for count in ["errors", "warnings"] {
            if let (Some(a), Some(b)) = (whole[count].as_u64(), document[count].as_u64()) {
                whole[count] = (a + b).into();
            }
        }
        if let (Some(into), Some(from)) = (whole[list].as_array_mut(), document[list].as_array()) {
            into.extend(from.iter().cloned());
        }
    }
    if whole.get("version").is_some_and(Json::is_number) {
        whole["files"] = all.iter().map(|one| one.compiled.units.len()).sum::<usize>().into();
        whole["flows"] = all.iter().map(|one| one.compiled.flows()).sum::<usize>().into();
    }
    whole
}
