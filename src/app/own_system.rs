//! A system that a project describes itself, as the commands of `crossdock system` find it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::project_around;
use super::{Failure, Folder};
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Sources, nearest};
use crate::describe::Known;
use crate::project::{self, Absence, Library as _};
use crate::system;

/// `systems/NAME`, with its description as it was read.
#[derive(Debug)]
pub(super) struct OwnSystem {
    /// The folder that holds `systems/` and `schemas/`.
    pub(super) root: PathBuf,
    /// `systems/NAME` in it.
    pub(super) folder: PathBuf,
    pub(super) sources: Sources,
    pub(super) file: FileId,
    pub(super) text: Arc<str>,
    pub(super) known: Known,
}

/// The folder that holds `systems/`: the one that is named, or the project's, if the one that is named lies in a project.
pub fn root(named: &Path) -> PathBuf {
    if named.join("systems").is_dir() { named.to_path_buf() } else { project_around(named).unwrap_or_else(|| named.to_path_buf()) }
}

/// A name that a system of a project's own can have.
///
/// # Errors
/// It cannot: the message says why, and what to do.
pub fn usable(name: &str) -> Result<(), Failure> {
    project::name_fault(name).map_or(Ok(()), |(message, hint)| Err(Failure::usage(message).hint(hint)))
}

/// Reads the description of a system of the project.
///
/// # Errors
/// The name is none, there is no such description, or it cannot be read as a text.
pub(super) fn read(named: &Path, name: &str) -> Result<OwnSystem, Failure> {
    let root = root(named);
    let folder = Folder::open(&root)?;
    is_there(&folder, name)?;
    let mut sources = Sources::default();
    let read = project::described(name, &folder, &mut sources);
    let path = format!("systems/{name}/system.yaml");
    let (file, text, known) = read.map_err(|absence| match absence {
        Absence::NotText(not) => Failure::io(format!("`{path}` cannot be read: {}", Absence::NotText(not.clone()))).hint(not.help()),
        other => Failure::io(format!("`{path}` cannot be read: {other}")).hint("look at its permissions, and that it is a file"),
    })?;
    let folder = root.join("systems").join(name);
    Ok(OwnSystem { root, folder, sources, file, text, known })
}

/// Whether a project describes a system of that name.
///
/// # Errors
/// It does not, or the name is none: the message says what could be meant, and how a description is begun.
pub(super) fn is_there(folder: &Folder, name: &str) -> Result<(), Failure> {
    if folder.exists(&format!("systems/{name}/system.yaml")) {
        return usable(name);
    }
    Err(absent(folder, name))
}

/// There is no description of that name: what could be meant, and how one is begun.
fn absent(folder: &Folder, name: &str) -> Failure {
    let shown = format!("systems/{name}/system.yaml");
    let all = names(folder);
    if let Some(near) = nearest(name, all.iter().map(String::as_str)) {
        return Failure::usage(format!("there is no `{shown}`")).hint(format!("did you mean `{near}`?"));
    }
    if system::names().contains(&name) {
        let hint = "only a system that the project describes itself, in systems/, is checked, imported and probed";
        return Failure::usage(format!("`{name}` comes with Crossdock")).hint(hint);
    }
    if let Err(failure) = usable(name) {
        return failure;
    }
    let known = if all.is_empty() { String::new() } else { format!("; described here: {}", all.join(", ")) };
    Failure::usage(format!("there is no `{shown}`")).hint(format!("`crossdock system new {name}` writes a draft of it{known}"))
}

/// The systems that are described in a folder.
fn names(folder: &Folder) -> Vec<String> {
    let name = |path: &String| Some(path.strip_prefix("systems/")?.strip_suffix("/system.yaml")?.to_owned());
    folder.list(".yaml").iter().filter_map(name).filter(|name| !name.contains('/')).collect()
}

impl OwnSystem {
    /// All that is wrong with the description.
    pub(super) fn found(&self) -> Vec<Diagnostic> {
        self.known.errors.iter().chain(&self.known.warnings).cloned().collect()
    }
}
