//! The systems that a project describes itself: `systems/NAME/system.yaml`, and what probes found of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::Connection;
use super::settings::{Source, filled, source};
use super::{Absence, Library, error};
use crate::base::Source as Text;
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Sources, Span};
use crate::describe::Known;
use crate::system::{self, Manifest, Probed, SystemRef};
use crate::yaml::{self, Node};

/// The systems that a project describes, as far as its connections name them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnSystems {
    read: BTreeMap<String, Own>,
    /// The names of all that are described; known once a connection names one that is not.
    names: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Own {
    /// As long as it is not known where its connection leads.
    Usable(SystemRef, Arc<OwnSystem>),
    /// What is wrong with it was told at its place.
    Broken,
}

/// A system that a project describes.
#[derive(Debug)]
pub(super) struct OwnSystem {
    name: String,
    pub(super) known: Arc<Known>,
    probed: Option<Probed>,
}

impl OwnSystem {
    /// The system as a connection has it: what it says of its writes counts where a probe has seen it at the connection's host.
    ///
    /// # Errors
    /// What the description says of the system as a whole cannot be read.
    fn at(&self, host: Option<&str>) -> Result<SystemRef, String> {
        Manifest::of_own(self.known.said.clone(), self.probed.as_ref(), host).map(|manifest| SystemRef::own(&self.name, manifest))
    }

    /// The host that a connection leads to; none where a variable of the environment has no value.
    fn host(&self, connection: &Connection, library: &dyn Library) -> Option<String> {
        let given = |name: &str| match source(connection.options.get(name)?)? {
            Source::Text(text) => filled(text, &|variable| library.variable(variable)).ok(),
            Source::File(path) => library.read(path).ok().map(|text| text.trim().to_owned()),
        };
        let address = match connection.options.get(system::URL) {
            Some(_) => given(system::URL)?,
            None => {
                let described = self.known.described.as_ref()?;
                described.address(&described.values(&given))?
            }
        };
        url::Url::parse(address.trim()).ok()?.host_str().map(str::to_owned)
    }
}

impl OwnSystems {
    /// Gives a connection its system as it is at the host that the connection leads to.
    pub(super) fn settle(&self, connection: &mut Connection, library: &dyn Library) {
        let Some(Own::Usable(_, own)) = self.read.get(connection.system.as_str()) else { return };
        if let Ok(system) = own.at(own.host(connection, library).as_deref()) {
            connection.system = system;
        }
    }

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
            match described(name, library, sources) {
                Ok((_, _, known)) => {
                    let probed = probed(name, at, library, sources, found);
                    found.extend(known.errors.iter().cloned());
                    let lacks_schemas = known.errors.is_empty() && !has_schemas(name, library);
                    if lacks_schemas {
                        found.push(error::no_schemas(name, at));
                    }
                    // A mapping is checked against a description that has a mistake somewhere else, too.
                    let own = OwnSystem { name: name.to_owned(), known: Arc::new(known), probed };
                    let usable = own.at(None).ok().filter(|_| own.known.described.is_some() && !lacks_schemas);
                    self.read.insert(name.to_owned(), usable.map_or(Own::Broken, |system| Own::Usable(system, Arc::new(own))));
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

pub(super) fn path(name: &str) -> String {
    format!("systems/{name}/system.yaml")
}

/// A system's name is that of its folder.
fn is_name(name: &str) -> bool {
    // One that begins with `-` would be an option on the command line.
    !name.is_empty() && !name.starts_with('-') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Words that mean something else to YAML, and folders that Windows does not make.
const RESERVED: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "con", "prn", "aux", "nul"];

/// Why a name cannot be that of a system that a project describes, and what to do.
pub fn name_fault(name: &str) -> Option<(String, String)> {
    if !is_name(name) {
        return Some((format!("`{name}` is no name of a system"), "small letters, digits and `-`: `acme-warehouse`".to_owned()));
    }
    if system::names().contains(&name) {
        let hint = format!("a system of your own needs another name: `my-{name}`");
        return Some((format!("a system `{name}` comes with Crossdock"), hint));
    }
    let is_text = yaml::read(name).is_ok_and(|node| node.json().is_string());
    let is_device = ["com", "lpt"].iter().any(|device| name.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest < ":"));
    if RESERVED.contains(&name) || !is_text || is_device {
        let hint = format!("give it another name: `{name}-system`");
        return Some((format!("`{name}` means something else in YAML or to the file system, and is no name of a system"), hint));
    }
    None
}

/// The description of a system: the one reader of `systems/NAME/system.yaml`. What is wrong with it is told at its place.
///
/// # Errors
/// There is none, or it cannot be read as a text.
pub fn described(name: &str, library: &dyn Library, sources: &mut Sources) -> Result<(FileId, Arc<str>, Known), Absence> {
    let text = library.read(&path(name))?;
    let file = sources.add(Text::new(path(name), Arc::clone(&text)));
    let mut known = Known::of_system(name, file, &text);
    // What is told of the whole follows from the same text.
    if known.errors.is_empty()
        && let Err(why) = Manifest::of_own(known.said.clone(), None, None)
    {
        known.errors.push(error::unreadable_description(&path(name), Span::new(file, 0, 0), &Absence::Unreadable(why)));
    }
    Ok((file, text, known))
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

/// Whether anything is known of the system's objects.
fn has_schemas(name: &str, library: &dyn Library) -> bool {
    let folder = format!("schemas/{name}/");
    library.list(".json").iter().any(|path| path.starts_with(&folder))
}

/// What probes found.
fn probed(name: &str, at: Span, library: &dyn Library, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Option<Probed> {
    let path = format!("systems/{name}/probe.yaml");
    let text = match library.read(&path) {
        Ok(text) => text,
        Err(Absence::NotFound) => return None,
        Err(absence) => {
            found.push(error::unreadable_description(&path, at, &absence));
            return None;
        }
    };
    match yaml::typed(&text) {
        Ok(probed) => Some(probed),
        Err(why) => {
            let file = sources.add(Text::new(path, text));
            found.push(error::bad_probe(file, &why));
            None
        }
    }
}
