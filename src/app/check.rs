//! Checks mappings against the schemas of both their ends.

use std::path::PathBuf;

use serde::Serialize;

use super::Failure;
use super::folder::{Selection, no_mapping, select};
use crate::base::Sources;
use crate::base::diag::render::{self, View};
use crate::base::diag::{Diagnostic, Severity};
use crate::project::allow::Allowed;
use crate::project::{Compiled, Options, Planned, compile};
use crate::testkit::checked;
use crate::value::Json;

/// A project that was checked.
#[derive(Debug)]
pub struct Checked {
    pub selection: Selection,
    pub compiled: Compiled,
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
            let cases = scope.spawn(|| if whole { checked::read_all(&selection.folder) } else { Vec::new() });
            let compiled = compile(&selection.folder, &options);
            (cases.join().unwrap_or_default(), compiled)
        });
        if compiled.units.is_empty() && compiled.diagnostics.is_empty() {
            return Err(no_mapping(&selection));
        }
        checked::check(&selection.folder, &cases, &mut compiled);
        all.push(Checked { selection, compiled });
    }
    Ok(all)
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
