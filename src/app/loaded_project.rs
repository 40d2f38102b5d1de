//! A project that is loaded, checked and planned, so that it can map records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{Selection, no_mapping, select};
use super::process::variable;
use super::records::RecordsFile;
use super::{Failure, Folder};
use crate::base::bounds;
use crate::base::diag::Diagnostic;
use crate::connector::Connectors;
use crate::eval::Program;
use crate::fault::file;
use crate::http::{Clock, Transport};
use crate::ir::Flow;
use crate::plan::Plan;
use crate::project::columns::{self, Wrong};
use crate::project::records::Form;
use crate::project::{Absence, Compiled, Library, Options, Planned, compile};
use crate::run::connections;

/// Which project is meant, and with which settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProjectAt<'a> {
    /// A path in the project; the current folder if none is named.
    pub path: Option<&'a Path>,
    /// Lays `crossdock.<env>.yaml` over `crossdock.yaml`.
    pub env: Option<&'a str>,
    /// Where the project may read and write outside its folder.
    pub allowed: &'a [PathBuf],
}

impl ProjectAt<'_> {
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        let paths: Vec<PathBuf> = self.path.into_iter().map(Path::to_path_buf).collect();
        let selection = select(&paths)?.into_iter().next().ok_or_else(|| Failure::usage("there is no project here"))?;
        Ok(Selection { folder: selection.folder.allowing(self.allowed), ..selection })
    }
}

/// Why a project was not loaded.
#[derive(Debug)]
pub enum LoadError {
    /// It was not found, or a file of it cannot be read.
    Failure(Failure),
    /// Its mapping has errors.
    Errors(Box<Findings>),
}

/// A project whose mapping has errors. Its diagnostics are the errors only.
#[derive(Debug)]
pub struct Findings {
    pub selection: Selection,
    pub compiled: Compiled,
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> Self {
        LoadError::Failure(failure)
    }
}

/// Compiles the selected files of a project to a plan.
///
/// # Errors
/// The mapping has errors.
pub fn plan(selection: &Selection, env: Option<&str>, planned: Planned) -> Result<Compiled, LoadError> {
    let options = Options { env: env.map(str::to_owned), only: selection.only.clone(), planned };
    let mut compiled = compile(&selection.folder, &options);
    if compiled.units.is_empty() && !compiled.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(no_mapping(selection).into());
    }
    if compiled.plan.is_some() {
        return Ok(compiled);
    }
    compiled.diagnostics.retain(Diagnostic::is_error);
    Err(LoadError::Errors(Box::new(Findings { selection: selection.clone(), compiled })))
}

/// A project whose mapping has no error.
#[derive(Debug)]
pub struct LoadedProject {
    pub selection: Selection,
    pub compiled: Compiled,
}

impl LoadedProject {
    /// Loads a whole project: records run through all of it, wherever in it the path points.
    ///
    /// # Errors
    /// There is no project, or its mapping has errors.
    pub fn open(at: &ProjectAt<'_>) -> Result<Self, LoadError> {
        let mut selection = at.selection()?;
        if selection.folder.is_project() {
            selection.only = None;
        }
        let compiled = plan(&selection, at.env, Planned::Whole)?;
        Ok(LoadedProject { selection, compiled })
    }

    /// Loads what it takes to map records of one flow: where the file that holds it can be told, no other is read but what
    /// it brings in, and no object that it does not touch. A mistake in another file does not keep this flow from being
    /// looked at.
    ///
    /// # Errors
    /// As [`LoadedProject::open`].
    pub fn open_for(at: &ProjectAt<'_>, flow: Option<&str>) -> Result<Self, LoadError> {
        let mut selection = at.selection()?;
        if selection.folder.is_project() {
            selection.only = flow.and_then(|flow| file_of(&selection.folder, flow)).map(|file| vec![file]);
        }
        let compiled = plan(&selection, at.env, Planned::Touched)?;
        Ok(LoadedProject { selection, compiled })
    }

    /// Connectors of the connections that some flows use; of all flows, if none is named.
    ///
    /// # Errors
    /// A secret is not there, or a connection's settings are not what its system needs.
    pub fn connectors(&self, only: &[String], transport: &Arc<dyn Transport>, clock: &Arc<dyn Clock>) -> Result<Connectors, Failure> {
        let used = connections::used(self.plan()?, only);
        connections::open(&self.compiled.config, &used, &secret_file(self.folder()), &variable, transport, clock)
            .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint(&self.compiled.config)))
    }

    pub fn folder(&self) -> &Folder {
        &self.selection.folder
    }

    /// Holds the headings of a CSV file against the columns that a flow of a `files` connection reads.
    ///
    /// # Errors
    /// One that it reads is not there, or is there twice.
    pub fn hold_headings(&self, flow: &Flow, file: &RecordsFile, text: &str) -> Result<(), Failure> {
        let path = &file.name;
        if !self.reads_file(flow) || Form::of(path) != Form::Csv {
            return Ok(());
        }
        let Some(wrong) = columns::held(path, text, file.form.separator, &columns::columns(flow, &self.compiled.objects)) else { return Ok(()) };
        let (words, helps) = wrong.words();
        let reads = if matches!(wrong, Wrong::Lacking(_)) { format!(", which `{}` reads", flow.name) } else { String::new() };
        Err(Failure::usage(format!("{path}:1: the file {words}{reads}")).hint(helps.join("; ")))
    }

    /// The project's plan.
    ///
    /// # Errors
    /// There is none: the mapping has errors.
    pub fn plan(&self) -> Result<&Plan, Failure> {
        self.compiled.plan.as_ref().ok_or_else(|| Failure::usage("the mapping has errors and cannot run"))
    }

    /// The plan, ready to map records.
    ///
    /// # Errors
    /// The plan cannot run.
    pub fn program(&self) -> Result<Program<'_>, Failure> {
        Program::new(self.plan()?).map_err(|error| Failure::usage(format!("the plan cannot run: {error}")))
    }

    /// The flow of a name; without a name the only one.
    ///
    /// # Errors
    /// There is no such flow, or there are several and none is named.
    pub fn flow(&self, name: Option<&str>) -> Result<&Flow, Failure> {
        let flows = &self.plan()?.mapping.flows;
        let known = || flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => {
                flows.iter().find(|flow| flow.name == name).ok_or_else(|| Failure::unknown("flow", name, flows.iter().map(|flow| flow.name.as_str())))
            }
            None => match flows.as_slice() {
                [] => Err(Failure::usage("the project has no flow")),
                [one] => Ok(one),
                _ => Err(Failure::usage("the project has several flows").hint(format!("name one with --flow: {}", known()))),
            },
        }
    }

    /// The names of flows as they were given, several in one separated by commas.
    ///
    /// # Errors
    /// There is no flow of one of the names.
    pub fn flows_named(&self, given: &[String]) -> Result<Vec<String>, Failure> {
        let names: Vec<String> = given.iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
        names.iter().try_for_each(|name| self.flow(Some(name)).map(|_| ()))?;
        Ok(names)
    }

    /// Whether a flow reads files, and no system.
    pub fn reads_file(&self, flow: &Flow) -> bool {
        self.compiled.config.connections.get(&flow.source.connection).is_some_and(|connection| connection.system == "files")
    }

    /// The texts of the project's mapping files, by their names.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn mappings(&self) -> Result<BTreeMap<String, String>, Failure> {
        let folder = &self.selection.folder;
        let text = |name: String| {
            let text = folder.read(&name).map_err(|absence| Failure::io(format!("`{name}`: {absence}")))?;
            Ok((name, text.to_string()))
        };
        folder.list(".dock").into_iter().map(text).collect()
    }

    /// The text of a file of the project.
    ///
    /// # Errors
    /// It is not in the project, or it is no text.
    pub fn text(&self, path: &str) -> Result<Arc<str>, Failure> {
        self.file(path).map_err(|absence| Failure::io(format!("`{path}`: {absence}")))
    }

    /// The same, where the caller says in its own words what is wrong.
    pub(super) fn file(&self, path: &str) -> Result<Arc<str>, Absence> {
        match self.compiled.config.csv(path).charset {
            Some(charset) => self.folder().read_in(path, charset),
            None => self.folder().read(path),
        }
    }
}

/// The text of a secret's file that a project names.
pub fn secret_file(folder: &Folder) -> impl Fn(&str) -> Result<String, String> + '_ {
    |name| {
        let place =
            folder.reach(name).map_err(|failure| [Some(failure.message), failure.hint].into_iter().flatten().collect::<Vec<_>>().join("; "))?;
        file::read_text(&place, bounds::SECRET_FILE).map_err(|error| error.to_string())
    }
}

/// The file that a flow stands in; none where that takes more than a look at the lines: a file that extends another gives
/// the flows of both, and two files may hold flows of one name.
fn file_of(folder: &Folder, flow: &str) -> Option<String> {
    let mut found = None;
    for name in folder.list(".dock") {
        let text = folder.read(&name).ok()?;
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let first = words.next();
            if first == Some("extends") {
                return None;
            }
            // With its block: a test names its flow too.
            let begins = first == Some("flow") && line.contains('{') && words.next().is_some_and(|word| word.trim_end_matches('{') == flow);
            if begins && found.replace(name.clone()).is_some() {
                return None;
            }
        }
    }
    found
}
