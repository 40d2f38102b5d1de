//! What commands that map records begin with: one project, checked and planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::planned;
use super::folder::{Opened, open};
use super::{Failure, Folder, Out};
use crate::apply::Program;
use crate::base::bounds;
use crate::fault::file;
use crate::ir::Flow;
use crate::plan::Plan;
use crate::project::columns::{self, Wrong};
use crate::project::records::Form;
use crate::project::{Compiled, Library, Planned};

/// A project whose mapping has no error.
pub(super) struct Ready {
    pub(super) opened: Opened,
    pub(super) compiled: Compiled,
}

impl Ready {
    /// Opens the project of a path (the current folder's if none is named). Errors of the mapping are
    /// printed.
    pub(super) fn open(path: Option<&PathBuf>, env: Option<&str>, out: &mut Out) -> Result<Self, Failure> {
        let mut opened = project(path, out)?;
        // Records run through the whole project, wherever in it the path points.
        if opened.folder.is_project() {
            opened.only = None;
        }
        let compiled = planned(&opened, env, Planned::Whole, out)?;
        Ok(Ready { opened, compiled })
    }

    /// The same for mapping a few records of one flow: where the file that holds it can be told, no other is read but what
    /// it brings in, and no object that it does not touch. A mistake in another file does not keep this flow from being
    /// looked at.
    pub(super) fn open_for(path: Option<&PathBuf>, flow: Option<&str>, env: Option<&str>, out: &mut Out) -> Result<Self, Failure> {
        let mut opened = project(path, out)?;
        if opened.folder.is_project() {
            opened.only = flow.and_then(|flow| file_of(&opened.folder, flow)).map(|file| vec![file]);
        }
        let compiled = planned(&opened, env, Planned::Touched, out)?;
        Ok(Ready { opened, compiled })
    }

    /// Holds the headings of a CSV file against the columns that a flow of a `files` connection reads.
    ///
    /// # Errors
    /// One that it reads is not there, or is there twice.
    pub(super) fn hold_headings(&self, flow: &Flow, path: &str, text: &str) -> Result<(), Failure> {
        let files = self.compiled.config.connections.get(&flow.source.connection).is_some_and(|connection| connection.system == "files");
        if !files || Form::of(path) != Form::Csv {
            return Ok(());
        }
        match columns::held(text, &columns::columns(flow, &self.compiled.objects)) {
            None => Ok(()),
            Some(Wrong::Twice(name)) => {
                Err(Failure::usage(format!("{path}:1: there are two columns `{name}`")).hint("give one of them another heading"))
            }
            Some(Wrong::Lacking(names)) => {
                let all: Vec<String> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
                let near: Vec<String> =
                    names.iter().filter_map(|(name, near)| Some(format!("the file calls `{name}` `{}`", near.as_ref()?))).collect();
                let s = if all.len() == 1 { "" } else { "s" };
                let hint = if near.is_empty() { "add it to the file, or name the right file".to_owned() } else { near.join(", ") };
                Err(Failure::usage(format!("{path}:1: there is no column{s} {}, which `{}` reads", all.join(", "), flow.name)).hint(hint))
            }
        }
    }

    pub(super) fn plan(&self) -> Result<&Plan, Failure> {
        self.compiled.plan.as_ref().ok_or_else(|| Failure::usage("the mapping has errors and cannot run"))
    }

    pub(super) fn program(&self) -> Result<Program<'_>, Failure> {
        Program::new(self.plan()?).map_err(|error| Failure::usage(format!("the plan cannot run: {error}")))
    }

    /// The flow of a name; without a name the only one, or the first that reads a system's records.
    pub(super) fn flow(&self, name: Option<&str>) -> Result<&Flow, Failure> {
        let flows = &self.plan()?.mapping.flows;
        let known = || flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => flows.iter().find(|flow| flow.name == name).ok_or_else(|| {
                let near = crate::base::nearest(name, flows.iter().map(|flow| flow.name.as_str()));
                let hint = near.map_or_else(|| format!("there are {}", known()), |near| format!("did you mean {near}?"));
                Failure::usage(format!("there is no flow `{name}`")).hint(hint)
            }),
            None => match flows.as_slice() {
                [] => Err(Failure::usage("the project has no flow")),
                [one] => Ok(one),
                _ => Err(Failure::usage("the project has several flows").hint(format!("name one with --flow: {}", known()))),
            },
        }
    }

    /// The texts of the project's mapping files, by their names.
    pub(super) fn mappings(&self) -> Result<BTreeMap<String, String>, Failure> {
        let folder = &self.opened.folder;
        let text = |name: String| {
            let text = folder.read(&name).map_err(|absence| Failure::io(format!("`{name}`: {absence}")))?;
            Ok((name, text.to_string()))
        };
        folder.list(".dock").into_iter().map(text).collect()
    }

    /// The text of a file: from the project's folder if it is there, else from where the command runs.
    pub(super) fn text(&self, path: &str) -> Result<Arc<str>, Failure> {
        text_of(&self.opened.folder, path)
    }
}

fn project(path: Option<&PathBuf>, out: &Out) -> Result<Opened, Failure> {
    let paths: Vec<PathBuf> = path.into_iter().cloned().collect();
    let opened = open(&paths)?.into_iter().next().ok_or_else(|| Failure::usage("there is no project here"))?;
    Ok(Opened { folder: opened.folder.allowing(&out.allowed), ..opened })
}

fn text_of(folder: &Folder, path: &str) -> Result<Arc<str>, Failure> {
    if let Ok(text) = folder.read(path) {
        return Ok(text);
    }
    let read = file::read_text(Path::new(path), bounds::WHOLE_FILE);
    read.map(Into::into).map_err(|error| super::folder::unreadable(Path::new(path), &error))
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
