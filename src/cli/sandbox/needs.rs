//! What a project needs of the sandbox: the systems of its connections, and what it knows of them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::app::folder::project_around;
use crate::base::bounds;
use crate::fault::file;
use crate::project::config::FILE;
use crate::sandbox::shipstation;
use crate::schema::{self, Named, Object};
use crate::system;
use crate::value::Json;
use crate::yaml;

/// The environment that the sandbox's addresses stand in.
const SANDBOX: &str = "crossdock.sandbox.yaml";

/// The connections of a project, as far as they say which systems it needs.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
pub(super) struct Needs {
    /// The project's folder.
    #[serde(skip)]
    root: PathBuf,
    connections: BTreeMap<String, Need>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Need {
    system: Option<String>,
}

/// The connections of the project that this folder is or lies in, if there is one.
pub(super) fn needs() -> Result<Option<Needs>, Failure> {
    let Some(root) = project_around(Path::new(".")) else { return Ok(None) };
    let Some(mut all) = read(&root.join(FILE))? else { return Ok(None) };
    all.root.clone_from(&root);
    for (name, need) in read(&root.join(SANDBOX))?.unwrap_or_default().connections {
        let known = all.connections.entry(name).or_default();
        known.system = need.system.or(known.system.take());
    }
    Ok(Some(all))
}

fn read(path: &Path) -> Result<Option<Needs>, Failure> {
    let shown = path.strip_prefix(".").unwrap_or(path).display();
    match file::read_text(path, bounds::PROJECT_FILE) {
        Ok(text) => {
            let read: Result<Option<Needs>, _> = yaml::typed(&text);
            let wrong = |error: yaml::Unreadable| {
                let line = text.get(..error.at).unwrap_or_default().matches('\n').count() + 1;
                Failure::usage(format!("`{shown}` cannot be read: line {line}: {error}")).hint("crossdock check shows the place, and what to write")
            };
            Ok(Some(read.map_err(wrong)?.unwrap_or_default()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(format!("`{shown}` cannot be read: {error}")).hint("look at its permissions, and that it is a file")),
    }
}

/// The sandbox that has a system: its own, or that of the system whose name it begins with (`shipstation-v2`).
pub(super) fn sandbox_of(system: &str, imitated: &[&'static str]) -> Option<&'static str> {
    let within = |name: &&'static str| system.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    imitated.iter().copied().find(within)
}

impl Needs {
    /// Each connection with its system.
    pub(super) fn systems(&self) -> impl Iterator<Item = (&str, String)> {
        self.connections.iter().map(|(name, need)| {
            let usual =
                || system::all().find(|(_, manifest)| manifest.connections.contains(name)).map_or(name.clone(), |(system, _)| system.to_owned());
            (name.as_str(), need.system.clone().unwrap_or_else(usual))
        })
    }

    /// The snapshots of the project's Salesforce org: the sandbox has its objects, fields, picklists and relations.
    pub(super) fn objects(&self) -> Result<Vec<Object>, Failure> {
        let mut objects = Vec::new();
        for (connection, _) in self.systems().filter(|(_, system)| system == "salesforce") {
            objects.extend(objects_in(&self.root.join("schemas").join(connection), connection)?);
        }
        Ok(objects)
    }

    /// What the project's ShipStation account has: the names that its snapshots list.
    pub(super) fn lists(&self) -> Result<shipstation::Lists, Failure> {
        let mut all = BTreeMap::<String, Vec<Named>>::new();
        for (connection, _) in self.systems().filter(|(_, system)| system.starts_with("shipstation")) {
            let path = self.root.join("schemas").join(connection).join("names.json");
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Failure::io(format!("{}: {error}", path.display()))),
            };
            let wrong = |error: serde_json::Error| Failure::usage(format!("{}: {error}", path.display())).hint("crossdock check says where");
            let kinds: BTreeMap<String, Json> = serde_json::from_str(&text).map_err(wrong)?;
            for (kind, listed) in kinds.into_iter().filter(|(kind, _)| kind != "pulled") {
                all.entry(kind).or_default().extend(serde_json::from_value::<Vec<Named>>(listed).map_err(wrong)?);
            }
        }
        Ok(shipstation::Lists::of(&all))
    }
}

/// The snapshots of a folder.
pub(in crate::cli) fn objects_in(folder: &Path, connection: &str) -> Result<Vec<Object>, Failure> {
    let mut objects = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
        // Overlays and names stand beside the snapshots.
        if name.is_empty() || name == "names" || name.contains('.') {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(format!("{}: {error}", path.display())))?;
        let object = schema::read(&text, "salesforce", name, connection);
        let wrong = |error| Failure::usage(format!("{} is no snapshot of an object: {error}", path.display())).hint("crossdock check says where");
        objects.push(object.map_err(wrong)?);
    }
    Ok(objects)
}
