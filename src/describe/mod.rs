//! Descriptions of systems: a YAML file that says how a system is read and written, which one generic connector carries out.
//!
//! Here its text becomes a typed [`Described`], every value with its place, or diagnostics. Nothing is asked of any system. The notation has
//! data only: paths, templates, and the expressions of the mapping language, which are pure and always end.

pub mod against;
mod check;
mod error;
mod held;
pub mod model;
mod read;
pub mod schemas;
mod text;
pub mod unsupported;

#[cfg(test)]
mod tests;

pub use check::check;
pub(crate) use error::{no_field_of_names, no_such_file};
pub use model::{Described, is_object_name};
pub use text::{Filled, Filter, Formula, Missing, Path, Pattern, Piece, Place, Scope, Step as PathStep, Template, printed};

use std::sync::{Arc, LazyLock};

use crate::base::diag::Diagnostic;
use crate::base::{FileId, Span, bounds};
use crate::system;
use crate::value::Json;
use crate::yaml;

/// A description that comes with the program or with a project, and what is wrong with it.
#[derive(Debug)]
pub struct Known {
    /// None where nothing usable could be read.
    pub described: Option<Arc<Described>>,
    /// Errors; a connection of a description that has one is not opened.
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    /// The description as it is written.
    pub said: Json,
}

impl Known {
    /// Reads a description and holds it to its rules.
    pub fn of(text: &str) -> Self {
        Self::in_file(FileId::default(), text)
    }

    /// The same of a file, in which what is wrong with it is shown.
    pub fn in_file(file: FileId, text: &str) -> Self {
        let (described, said, mut found) = said(file, text);
        found.extend(described.iter().flat_map(check));
        found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
        let (errors, warnings) = found.into_iter().partition(Diagnostic::is_error);
        Known { described: described.map(Arc::new), errors, warnings, said }
    }

    /// The same of a file in the folder of a system, which is called as that is.
    pub fn of_system(name: &str, file: FileId, text: &str) -> Self {
        let mut known = Self::in_file(file, text);
        if let Some(described) = known.described.as_ref().filter(|described| described.system.node != name) {
            known.errors.insert(0, error::other_name(&described.system, name));
        }
        known
    }
}

/// The description of a system that comes with the program.
pub fn known(system: &str) -> Option<&'static Known> {
    static READ: LazyLock<Vec<(&'static str, Known)>> =
        LazyLock::new(|| system::descriptions().iter().map(|(name, text)| (*name, Known::of(text))).collect());
    READ.iter().find(|(name, _)| *name == system).map(|(_, known)| known)
}

/// Reads a description. What is wrong with it is told at its place; where nothing usable is left, there is no description.
pub fn read(file: FileId, text: &str) -> (Option<Described>, Vec<Diagnostic>) {
    let (described, _, found) = said(file, text);
    (described, found)
}

/// The same, with the description as it is written.
fn said(file: FileId, text: &str) -> (Option<Described>, Json, Vec<Diagnostic>) {
    if text.len() > bounds::MAPPING {
        return (None, Json::Null, vec![error::too_large(Span::new(file, 0, 0))]);
    }
    let node = match yaml::read(text) {
        Ok(node) => node,
        Err(fault) => return (None, Json::Null, vec![error::no_yaml(file, text, &fault)]),
    };
    let mut reader = read::Reader { file, text, found: Vec::new(), settings: Vec::new(), given: Vec::new(), unsupported: Vec::new() };
    let described = reader.described(&node);
    let mut found = reader.found;
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    (described, node.json(), found)
}
