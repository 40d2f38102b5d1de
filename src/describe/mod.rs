//! Descriptions of systems: a YAML file that says how a system is read and written, which one generic connector carries out.
//!
//! Here its text becomes a typed [`Described`], every value with its place, or diagnostics. Nothing is asked of any system. The notation has
//! data only: paths, templates, and the expressions of the mapping language, which are pure and always end.

pub mod against;
mod check;
mod error;
pub mod model;
mod read;
pub mod schemas;
mod text;

#[cfg(test)]
mod tests;

pub use check::check;
pub use model::Described;
pub use text::{Filled, Filter, Formula, Missing, Path, Piece, Place, Scope, Step as PathStep, Template, printed};

use std::sync::LazyLock;

use crate::base::diag::Diagnostic;
use crate::base::{FileId, Span, bounds};
use crate::project::yaml;
use crate::system;

/// The description of a system that comes with the program.
pub fn known(system: &str) -> Option<&'static Described> {
    static READ: LazyLock<Vec<Described>> =
        LazyLock::new(|| system::descriptions().iter().filter_map(|(_, text)| read(FileId::default(), text).0).collect());
    READ.iter().find(|described| described.system.node == system)
}

/// Reads a description. What is wrong with it is told at its place; where nothing usable is left, there is no description.
pub fn read(file: FileId, text: &str) -> (Option<Described>, Vec<Diagnostic>) {
    if text.len() > bounds::MAPPING {
        return (None, vec![error::no_yaml(Span::new(file, 0, 0), "it is larger than 1 MiB")]);
    }
    let node = match yaml::read(text) {
        Ok(node) => node,
        Err(fault) => return (None, vec![error::no_yaml(Span::new(file, fault.at, fault.at.saturating_add(1).min(text.len())), &fault.message)]),
    };
    let mut reader = read::Reader { file, text, found: Vec::new(), settings: Vec::new(), given: Vec::new() };
    let described = reader.described(&node);
    let mut found = reader.found;
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    (described, found)
}
