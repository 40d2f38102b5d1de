//! The systems that a project describes itself: `systems/NAME/system.yaml`, and what a probe found of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Absence, Library, error};
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Source, Sources, Span};
use crate::describe::{self, Known};
use crate::system::{self, Manifest, Probed, SystemRef};
use crate::yaml::Node;

/// The systems that a project describes, as far as its connections name them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnSystems {
    read: BTreeMap<String, Own>,
    /// The names of all that are described; known once a connection names one that is not.
    names: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Own {
    Usable(SystemRef, Arc<Known>),
    /// What is wrong with it was told at its place.
    Broken,
}

impl OwnSystems {
    pub(super) fn get(&self, name: &str) -> Option<&Own> {
        self.read.get(name)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the descriptions that the connections of a project's file name. What is wrong with one is told at its place in it.
    pub(super) fn read(&mut self, project: &Node, file: FileId, library: &dyn Library, sources: &mut Sources, found: &mut Vec<Diagnostic>) {
        for (name, at) in named(project, file) {
            let path = path(name);
            if !is_name(name) || self.read.contains_key(name) {
                continue;
            }
            if system::names().contains(&name) {
                if library.exists(&path) {
                    found.push(error::taken_system(name, at));
                }
                continue;
            }
            match library.read(&path) {
                Ok(text) => {
                    let own = described(name, at, &text, library, sources, found);
                    self.read.insert(name.to_owned(), own);
                }
                Err(Absence::NotFound) => self.names = all(library),
                Err(absence) => {
                    found.push(error::unreadable_description(&path, at, &absence));
                    self.read.insert(name.to_owned(), Own::Broken);
                }
            }
        }
    }
}

fn path(name: &str) -> String {
    format!("systems/{name}/system.yaml")
}

/// A system's name is that of its folder.
pub fn is_name(name: &str) -> bool {
    // One that begins with `-` would be an option on the command line.
    !name.is_empty() && !name.starts_with('-') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What the connections of a project's file name as their systems.
fn named(project: &Node, file: FileId) -> Vec<(&str, Span)> {
    let connections = project.get("connections").and_then(Node::entries).unwrap_or_default();
    let systems = connections.iter().filter_map(|entry| entry.value.get("system"));
    systems.filter_map(|node| Some((node.text()?, Span::new(file, node.start, node.end)))).collect()
}

/// The systems that the project describes.
fn all(library: &dyn Library) -> Vec<String> {
    let name = |path: &String| path.strip_prefix("systems/")?.strip_suffix("/system.yaml").filter(|name| is_name(name)).map(str::to_owned);
    library.list(".yaml").iter().filter_map(name).collect()
}

/// `at`: where the project names it.
fn described(name: &str, at: Span, text: &Arc<str>, library: &dyn Library, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Own {
    let file = sources.add(Source::new(path(name), Arc::clone(text)));
    let mut known = Known::in_file(file, text);
    if let Some(described) = known.described.as_ref().filter(|described| described.system.node != name) {
        known.errors.insert(0, describe::other_name(&described.system, name));
    }
    let probed = probed(name, library, sources, found);
    let manifest = Manifest::of_own(text, probed.as_ref());
    let is_usable = known.errors.is_empty();
    found.extend(known.errors.iter().cloned());
    match manifest {
        // A mapping is checked against a description that has a mistake somewhere else, too.
        Ok(manifest) if known.described.is_some() => {
            if is_usable && !has_schemas(name, library) {
                found.push(error::no_schemas(name, at));
                return Own::Broken;
            }
            Own::Usable(SystemRef::own(name, manifest), Arc::new(known))
        }
        Ok(_) => Own::Broken,
        Err(why) => {
            if is_usable {
                found.push(error::unreadable_description(&path(name), Span::new(file, 0, 0), &Absence::Unreadable(why)));
            }
            Own::Broken
        }
    }
}

/// Whether anything is known of the system's objects.
fn has_schemas(name: &str, library: &dyn Library) -> bool {
    let folder = format!("schemas/{name}/");
    library.list(".json").iter().any(|path| path.starts_with(&folder))
}

/// What a probe found.
fn probed(name: &str, library: &dyn Library, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Option<Probed> {
    let path = format!("systems/{name}/probe.yaml");
    let text = library.read(&path).ok()?;
    match Probed::read(&text) {
        Ok(probed) => Some(probed),
        Err(why) => {
            let length = text.len();
            let file = sources.add(Source::new(path, text));
            found.push(error::bad_probe(file, length, &why));
            None
        }
    }
}
