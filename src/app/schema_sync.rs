//! What the systems' objects look like today: fetched, compared with the project's snapshots, and written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::folder::{Selection, write_file};
use super::loaded_project::secret_file;
use super::process::{clock, runtime, transport, variable};
use super::{Failure, Folder, ProjectAt, VERSION};
use crate::base::Charset;
use crate::base::diag::{Diagnostic, render};
use crate::connector::Connector;
use crate::fault::Fault;
use crate::http::{Call, Clock as _, SystemClock};
use crate::plan::{Use, uses};
use crate::project::{Absence, Compiled, Keeper, Library, Options, compile};
use crate::run::connections;
use crate::run::schemas::{self, Drift, Fetched, State};
use crate::schema::Named;
use crate::schema::diff::Difference;
use crate::system;
use crate::value::{Json, ObjectRef};

/// What differs between the snapshots and the systems, and what the mapping says to it.
#[derive(Debug, Serialize)]
pub struct SchemaSync {
    pub version: u32,
    /// Objects that differ, or have no snapshot yet.
    pub objects: Vec<ObjectDrift>,
    /// By connection: the names of its things that are other than in the snapshot.
    pub names: BTreeMap<String, Vec<String>>,
    /// The files that were written, by their names from the project's folder.
    pub written: Vec<String>,
    /// What the check newly finds with these schemas.
    pub check: Json,
    /// The same as diagnostics.
    #[serde(skip)]
    pub found: Vec<Diagnostic>,
    /// How many objects were compared, and how many of them differ.
    #[serde(skip)]
    pub compared: usize,
    #[serde(skip)]
    pub changed: usize,
    /// Connections that do not describe themselves: their names alone were compared.
    #[serde(skip)]
    pub undescribed: Vec<String>,
    #[serde(skip)]
    pub selection: Selection,
    /// The project as it is with these schemas.
    #[serde(skip)]
    pub compiled: Compiled,
}

impl SchemaSync {
    /// Nothing differs.
    pub fn is_same(&self) -> bool {
        self.changed == 0 && self.names.is_empty()
    }

    /// The project uses an object that its system does not have, or its mapping has errors with these schemas.
    pub fn is_broken(&self) -> bool {
        self.objects.iter().any(|object| object.absent) || self.compiled.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// What differs at one object.
#[derive(Debug, Serialize)]
pub struct ObjectDrift {
    pub object: String,
    /// The system does not have it, or does not show it.
    pub absent: bool,
    /// There is no snapshot of it: it is compared with its standard schema.
    pub unknown: bool,
    pub differences: Vec<Touching>,
}

/// One difference, and what it touches.
#[derive(Debug, Serialize)]
pub struct Touching {
    pub difference: Difference,
    /// The uses of a project that it touches.
    pub touches: Vec<Use>,
}

/// Fetches what the systems' objects look like and writes it into the project. `objects`: connections, or objects as
/// `connection.Object`; everything that the project uses or keeps if none is named.
///
/// # Errors
/// There is no such connection, a system does not answer, or a file cannot be written.
pub fn pull(at: &ProjectAt<'_>, objects: &[String]) -> Result<SchemaSync, Failure> {
    let today = fetch(at, objects)?;
    let mut written = Vec::new();
    for (name, text) in texts(&today) {
        write_file(&today.selection.folder.reach(&name)?, text.as_bytes())?;
        written.push(name);
    }
    let after = compile(&today.selection.folder, &options(at));
    Ok(today.view(after, written))
}

/// The same without writing anything.
///
/// # Errors
/// There is no such connection, or a system does not answer.
pub fn compare(at: &ProjectAt<'_>, objects: &[String]) -> Result<SchemaSync, Failure> {
    let today = fetch(at, objects)?;
    let after = {
        let over = Over { folder: &today.selection.folder, texts: texts(&today).into_iter().map(|(name, text)| (name, text.into())).collect() };
        compile(&over, &options(at))
    };
    Ok(today.view(after, Vec::new()))
}

fn options(at: &ProjectAt<'_>) -> Options {
    Options { env: at.env.map(str::to_owned), ..Options::default() }
}

/// What the systems say today, beside what the project keeps.
struct Today {
    selection: Selection,
    compiled: Compiled,
    uses: Vec<Use>,
    fetched: Vec<Fetched>,
    drift: Vec<Drift>,
    /// By connection: the named things that are other than in the snapshot, whole.
    names: BTreeMap<String, BTreeMap<String, Vec<Named>>>,
    /// The same in words: said before a snapshot is written over.
    changed_names: BTreeMap<String, Vec<String>>,
    undescribed: Vec<String>,
}

impl Today {
    fn view(self, after: Compiled, written: Vec<String>) -> SchemaSync {
        let same = |a: &Diagnostic, b: &Diagnostic| a.code == b.code && a.message == b.message;
        let is_new = |found: &&Diagnostic| !self.compiled.diagnostics.iter().any(|known| same(known, found));
        let found: Vec<Diagnostic> = after.diagnostics.iter().filter(is_new).cloned().collect();
        let object = |drift: &Drift| {
            let touching = |difference: &Difference| Touching {
                difference: difference.clone(),
                touches: drift.touches(difference, &self.uses).into_iter().cloned().collect(),
            };
            ObjectDrift {
                object: drift.object.to_string(),
                absent: drift.absent,
                unknown: drift.unknown,
                differences: drift.differences.iter().map(touching).collect(),
            }
        };
        SchemaSync {
            version: VERSION,
            objects: self.drift.iter().filter(|drift| !drift.is_none() || drift.unknown).map(object).collect(),
            names: self.changed_names,
            written,
            check: render::json(&found, self.selection.view(&after)),
            found,
            compared: self.drift.len(),
            changed: self.drift.iter().filter(|drift| !drift.is_none()).count(),
            undescribed: self.undescribed,
            selection: self.selection,
            compiled: after,
        }
    }
}

fn fetch(at: &ProjectAt<'_>, asked: &[String]) -> Result<Today, Failure> {
    let selection = at.selection()?;
    let compiled = compile(&selection.folder, &options(at));
    let wanted: Vec<(&str, Option<&str>)> =
        asked.iter().map(|name| name.split_once('.').map_or((name.as_str(), None), |(connection, object)| (connection, Some(object)))).collect();
    let known: Vec<&String> = compiled.config.connections.iter().filter(|(_, c)| c.system != "files").map(|(name, _)| name).collect();
    if let Some((stranger, _)) = wanted.iter().find(|(name, _)| !known.iter().any(|known| known == name)) {
        let names: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        return Err(Failure::usage(format!("there is no connection `{stranger}` to a system")).hint(format!("there are: {}", names.join(", "))));
    }
    let chosen: BTreeSet<String> =
        known.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|(of, _)| of == *name)).map(|name| (*name).clone()).collect();
    let (transport, clock) = (transport()?, clock());
    let connectors = connections::open(&compiled.config, &chosen, &secret_file(&selection.folder), &variable, &transport, &clock)
        .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint(&compiled.config)))?;
    let runtime = runtime()?;
    let mut today = Today {
        uses: compiled.plan.as_ref().map(uses).unwrap_or_default(),
        selection,
        compiled,
        fetched: Vec::new(),
        drift: Vec::new(),
        names: BTreeMap::new(),
        changed_names: BTreeMap::new(),
        undescribed: Vec::new(),
    };
    let keeper = Keeper::new(&today.selection.folder, &today.compiled.config, &today.compiled.sources);
    for (name, connector) in &connectors {
        let connector: &Arc<dyn Connector> = connector;
        let failed =
            |fault: Fault| Failure::io(format!("the schemas of {name} could not be read: {fault}")).hint("crossdock doctor checks each connection");
        let mut objects: BTreeSet<ObjectRef> =
            wanted.iter().filter(|(of, _)| of == name).filter_map(|(of, object)| Some(ObjectRef::new(*of, (*object)?))).collect();
        let whole = objects.is_empty();
        if whole {
            objects = schemas::objects(name, &today.uses, &keeper, &today.selection.folder);
        }
        match runtime.block_on(schemas::fetch(connector.as_ref(), &objects, &keeper)).map_err(failed)? {
            Some(fetched) => {
                today.drift.extend(schemas::drift(&fetched, &keeper, &today.selection.folder));
                today.fetched.extend(fetched);
            }
            None => today.undescribed.push(name.clone()),
        }
        if whole {
            let kept: BTreeMap<String, Vec<Named>> = keeper.all_names(name).into_iter().map(|(kind, names)| (kind, names.names.clone())).collect();
            let named = wanted.iter().any(|(of, _)| of == name);
            let Some(kinds) = kinds(connector.as_ref(), name, &kept, &today.compiled, named) else { continue };
            let mut names = kept.clone();
            names.extend(runtime.block_on(connector.reference_data(&Call::default(), &kinds)).map_err(failed)?);
            if names != kept {
                today.changed_names.insert(name.clone(), changed_names(&kept, &names));
                today.names.insert(name.clone(), names);
            }
        }
    }
    Ok(today)
}

/// Which kinds of named things are fetched: those that are kept or that the mapping speaks of. An empty set means all: where there
/// is none of these, and somebody named a connection that has no description, or its mapping cannot be read yet. `None`: none.
fn kinds(connector: &dyn Connector, name: &str, kept: &BTreeMap<String, Vec<Named>>, compiled: &Compiled, named: bool) -> Option<BTreeSet<String>> {
    let mut kinds: BTreeSet<String> = kept.keys().cloned().collect();
    // A name that is not known is an error, and there is no plan: what the check asked for tells the kind.
    let spoken = compiled.plan.as_ref().map(connections::named).unwrap_or_default();
    kinds.extend(spoken.into_iter().chain(compiled.asked_names.iter().cloned()).filter(|of| of.connection == name).map(|of| of.object));
    let describes_itself = system::manifest(connector.system()).is_some_and(|manifest| manifest.describe.is_some());
    let whole = !describes_itself && (named || compiled.plan.is_none());
    (!kinds.is_empty() || whole).then_some(kinds)
}

/// The snapshots that are to be written, by their names from the project's folder.
fn texts(today: &Today) -> Vec<(String, String)> {
    let now = SystemClock.now();
    let changed = today.fetched.iter().zip(&today.drift).filter(|(_, drift)| drift.unknown || !drift.differences.is_empty());
    let objects = changed.filter_map(|(found, _)| match &found.state {
        State::Is(object) => Some((schemas::path(&found.of), schemas::text(object, now))),
        State::Absent => None,
    });
    let names = today.names.iter().map(|(connection, names)| (format!("schemas/{connection}/names.json"), schemas::names_text(names, now)));
    objects.chain(names).collect()
}

/// What is other in the names of a connection, a line each.
fn changed_names(kept: &BTreeMap<String, Vec<Named>>, names: &BTreeMap<String, Vec<Named>>) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, now) in names {
        let before = kept.get(kind).map_or(&[][..], Vec::as_slice);
        let line = |mark: &str, named: &Named| format!("{mark} {kind} {} ({})", named.name, named.id);
        lines.extend(now.iter().filter(|named| !before.contains(named)).map(|named| line("+", named)));
        lines.extend(before.iter().filter(|named| !now.contains(named)).map(|named| line("-", named)));
    }
    if lines.is_empty() {
        lines.push("the same, in another order".to_owned());
    }
    lines
}

/// The project's folder with some files laid over it.
struct Over<'a> {
    folder: &'a Folder,
    texts: BTreeMap<String, Arc<str>>,
}

impl crate::base::Spread for Over<'_> {
    fn spread(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        self.folder.spread(count, job);
    }
}

impl Library for Over<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, Absence> {
        self.texts.get(path).map_or_else(|| self.folder.read(path), |text| Ok(Arc::clone(text)))
    }

    fn read_in(&self, path: &str, charset: Charset) -> Result<Arc<str>, Absence> {
        self.texts.get(path).map_or_else(|| self.folder.read_in(path, charset), |text| Ok(Arc::clone(text)))
    }

    fn sample(&self, path: &str) -> Result<Arc<str>, Absence> {
        self.texts.get(path).map_or_else(|| self.folder.sample(path), |text| Ok(Arc::clone(text)))
    }

    fn sample_in(&self, path: &str, charset: Charset) -> Result<Arc<str>, Absence> {
        self.texts.get(path).map_or_else(|| self.folder.sample_in(path, charset), |text| Ok(Arc::clone(text)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.folder.variable(name)
    }

    fn exists(&self, path: &str) -> bool {
        self.texts.contains_key(path) || self.folder.exists(path)
    }

    fn list(&self, ending: &str) -> Vec<String> {
        let mut all: BTreeSet<String> = self.folder.list(ending).into_iter().collect();
        all.extend(self.texts.keys().filter(|name| name.ends_with(ending)).cloned());
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
connections:
  crm: { system: salesforce }
  wms: { system: shipstation }
  shop: { system: files, object: Sku, path: feed.csv }
csv:
  feed.csv: { encoding: windows-1252, separator: \"^\" }
";

    const MAPPING: &str = r#"edition 1

flow skus {
  from shop.Sku as sku { every 5 minutes }

  upsert wms.Order key orderKey = "sku-{sku.sku}" as sent {
    orderNumber = sku.name
    orderDate   = now
    orderStatus = awaiting_shipment
    billTo { name = sku.name }
    shipTo { name = sku.name }
  }
}
"#;

    /// What the check says with the schemas of today is what it says of the folder, where they are the same.
    #[test]
    fn files_of_records_are_read_as_the_project_says_also_with_the_schemas_of_today() {
        let dir = tempfile::tempdir().unwrap();
        let sign = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
        for (name, bytes) in [("crossdock.yaml", sign(CONFIG)), ("skus.dock", sign(MAPPING)), ("feed.csv", sign("sku^name\nA-1^Zo\u{eb}\n"))] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        let found = |library: &dyn Library| -> Vec<String> {
            let found = compile(library, &Options::default()).diagnostics;
            found.iter().filter(|d| d.is_error()).map(|d| format!("{}: {} {:?}", d.code, d.message, d.help)).collect()
        };
        assert_eq!(found(&folder), [""; 0]);
        assert_eq!(found(&Over { folder: &folder, texts: BTreeMap::new() }), [""; 0]);
        let texts = BTreeMap::from([("feed.csv".to_owned(), Arc::from("sku^other\nA-1^Zo\u{eb}\n"))]);
        assert!(!found(&Over { folder: &folder, texts }).is_empty(), "a text that lies over a file is sampled in its place");
    }
}
