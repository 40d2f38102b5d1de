//! Loads the project that a command is about; errors of its mapping are printed.

use std::path::PathBuf;

use super::{Failure, Out};
use crate::app::loaded_project::{LoadError, LoadedProject, ProjectAt};
use crate::app::{Context, Notice};
use crate::base::diag::render;

/// Which project the arguments name.
pub(super) fn at<'a>(path: Option<&'a PathBuf>, env: Option<&'a str>, out: &'a Out) -> ProjectAt<'a> {
    ProjectAt { path: path.map(PathBuf::as_path), env, allowed: &out.allowed }
}

/// The project of a path (the current folder's if none is named).
pub(super) fn load(path: Option<&PathBuf>, env: Option<&str>, out: &mut Out) -> Result<LoadedProject, Failure> {
    let loaded = LoadedProject::open(&at(path, env, out));
    or_told(loaded, out)
}

/// The same for mapping a few records of one flow.
pub(super) fn load_for(path: Option<&PathBuf>, flow: Option<&str>, env: Option<&str>, out: &mut Out) -> Result<LoadedProject, Failure> {
    let loaded = LoadedProject::open_for(&at(path, env, out), flow);
    or_told(loaded, out)
}

/// The options that name the project of a command and its environment.
#[derive(Debug, clap::Args)]
pub(super) struct ProjectArgs {
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    pub(super) env: Option<String>,
}

impl ProjectArgs {
    pub(super) fn open(&self, out: &mut Out) -> Result<Context, Failure> {
        context(self.project.as_ref(), self.env.as_deref(), out)
    }
}

/// The project of a path, and where its store is.
pub(super) fn context(path: Option<&PathBuf>, env: Option<&str>, out: &mut Out) -> Result<Context, Failure> {
    let opened = Context::open(&at(path, env, out));
    or_told(opened, out)
}

/// What was loaded; or a failure, after the errors of the mapping were printed.
pub(super) fn or_told<T>(loaded: Result<T, LoadError>, out: &mut Out) -> Result<T, Failure> {
    loaded.map_err(|error| match error {
        LoadError::Failure(failure) => failure,
        LoadError::Errors(found) => {
            for diagnostic in &found.compiled.diagnostics {
                out.note_framed(&render::terminal(diagnostic, found.selection.view(&found.compiled), out.look));
            }
            Failure::findings("the mapping has errors and cannot run").hint("`crossdock check` shows all errors and warnings")
        }
    })
}

/// Prints what `app` remarks meanwhile.
pub(super) fn remark(out: &mut Out) -> impl FnMut(&Notice) {
    |notice| out.note(notice.to_string())
}
