//! Schema snapshots: fetched from the systems, compared with the project's, and written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::connector::{Connector, Connectors};
use crate::fault::Fault;
use crate::http::Call;
use crate::plan::Use;
use crate::project::{Library, OVERLAY};
use crate::schema::diff::{Difference, diff, keep};
use crate::schema::{Named, Object, Schemas, lay_over, read, to_json};
use crate::value::{Json, ObjectRef};

/// What a system says of an object today.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    pub of: ObjectRef,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Is(Box<Object>),
    /// The system has no object of that name (any more), or does not show it to us.
    Absent,
}

/// What differs at one object between its snapshot and its system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    pub object: ObjectRef,
    /// The system does not have it.
    pub absent: bool,
    /// There is no snapshot of it: its standard schema is what it is compared with.
    pub unknown: bool,
    pub differences: Vec<Difference>,
}

impl Drift {
    pub fn is_none(&self) -> bool {
        !self.absent && self.differences.is_empty()
    }

    /// The uses of a plan that a difference touches.
    pub fn touches<'u>(&self, difference: &Difference, uses: &'u [Use]) -> Vec<&'u Use> {
        let of = |used: &&Use| used.object == self.object && difference.field.as_ref().is_none_or(|field| *field == used.field);
        uses.iter().filter(of).collect()
    }
}

/// The objects of a connection whose snapshots are kept up to date: those that have one, and those that the mapping
/// uses.
pub fn objects(connection: &str, uses: &[Use], schemas: &dyn Schemas, library: &dyn Library) -> BTreeSet<ObjectRef> {
    let folder = format!("schemas/{connection}/");
    let kept = library.list(".json");
    let kept = kept.iter().filter_map(|path| path.strip_prefix(&folder)?.strip_suffix(".json"));
    let mut all: BTreeSet<ObjectRef> =
        kept.filter(|name| *name != "names" && !name.contains(['/', '.'])).map(|name| ObjectRef::new(connection, name)).collect();
    all.extend(uses.iter().filter(|used| used.object.connection == connection).map(|used| used.object.clone()));
    // A compound field's object (an address) is no object of the system's own.
    all.retain(|of| schemas.object(of).is_none_or(|object| object.access.read || object.access.create || object.access.update));
    all
}

/// Asks a system for its description of objects. `None`: it has no description of itself.
///
/// # Errors
/// What kept it from answering; an object that it does not have is no error.
pub async fn fetch(connector: &dyn Connector, objects: &BTreeSet<ObjectRef>, schemas: &dyn Schemas) -> Result<Option<Vec<Fetched>>, Fault> {
    let mut out = Vec::new();
    for of in objects {
        let state = match connector.describe(&Call::default(), &of.object).await {
            Ok(None) => return Ok(None),
            Ok(Some(described)) => {
                let mut object = read(&described.to_string(), connector.system(), &of.object, &of.connection)
                    .map_err(|error| Fault::rejected("description", format!("its description of {of} cannot be read: {error}"), None))?;
                if let Some(known) = schemas.object(of) {
                    keep(&mut object, &known);
                }
                State::Is(Box::new(object))
            }
            Err(Fault::Rejected(refusal)) if refusal.code == "NOT_FOUND" => State::Absent,
            Err(fault) => return Err(fault),
        };
        out.push(Fetched { of: of.clone(), state });
    }
    Ok(Some(out))
}

/// What is other than in the snapshots (or, without one, the standard schemas).
pub fn drift(fetched: &[Fetched], schemas: &dyn Schemas, library: &dyn Library) -> Vec<Drift> {
    let compare = |found: &Fetched| {
        let known = schemas.object(&found.of);
        let unknown = library.read(&path(&found.of)).is_err();
        let differences = match (&found.state, &known) {
            (State::Is(new), Some(old)) => {
                // What a person says of its fields is laid over both.
                let mut new = (**new).clone();
                if let Ok(text) = library.read(&format!("schemas/{}/{}{OVERLAY}", found.of.connection, found.of.object)) {
                    // A field that the system has lost is a difference, and no reason to compare nothing.
                    let _ = lay_over(&mut new, &text, &found.of.connection);
                }
                diff(old, &new)
            }
            _ => Vec::new(),
        };
        Drift { object: found.of.clone(), absent: found.state == State::Absent, unknown, differences }
    };
    fetched.iter().map(compare).collect()
}

/// Where an object's snapshot lies, from the project's folder.
pub fn path(of: &ObjectRef) -> String {
    format!("schemas/{}/{}.json", of.connection, of.object)
}

/// A snapshot's text.
pub fn text(object: &Object, at: Timestamp) -> String {
    let mut object = object.clone();
    let title = object.system.manifest().map_or(object.system.as_str(), |manifest| manifest.title.as_str());
    object.source = format!("{title} describe, pulled {}", at.strftime("%Y-%m-%d"));
    // An object of texts and lists can always be printed.
    serde_json::to_string_pretty(&to_json(&object)).unwrap_or_default() + "\n"
}

/// The text of a connection's names (its stores, warehouses, carriers).
pub fn names_text(names: &BTreeMap<String, Vec<Named>>, at: Timestamp) -> String {
    let mut out = serde_json::Map::new();
    out.insert("pulled".to_owned(), Json::from(at.strftime("%Y-%m-%d").to_string()));
    for (kind, named) in names {
        out.insert(kind.clone(), serde_json::to_value(named).unwrap_or_default());
    }
    serde_json::to_string_pretty(&Json::Object(out)).unwrap_or_default() + "\n"
}

/// The drift of all connections that describe themselves, as one sentence for each object, for an alert.
/// With it the connections that could not be asked, and why.
pub async fn watch(
    connectors: &Connectors,
    schemas: &dyn Schemas,
    library: &dyn Library,
    uses: &[Use],
) -> (Vec<(ObjectRef, String)>, Vec<(String, Fault)>) {
    let mut told = Vec::new();
    let mut faults = Vec::new();
    for (name, connector) in connectors {
        let asked = objects(name, uses, schemas, library);
        let connector: &Arc<dyn Connector> = connector;
        match fetch(connector.as_ref(), &asked, schemas).await {
            Ok(None) => {}
            Ok(Some(fetched)) => {
                told.extend(drift(&fetched, schemas, library).iter().filter_map(|drift| Some((drift.object.clone(), sentence(drift, uses)?))));
            }
            Err(fault) => faults.push((name.clone(), fault)),
        }
    }
    (told, faults)
}

/// What an alert says of a drift; nothing where nothing of it is used.
pub fn sentence(drift: &Drift, uses: &[Use]) -> Option<String> {
    if drift.absent {
        return Some(format!("{} no longer exists, or is no longer shown to these credentials", drift.object));
    }
    let touched: Vec<String> = drift
        .differences
        .iter()
        .filter_map(|difference| {
            let places: BTreeSet<String> = drift.touches(difference, uses).iter().map(|used| format!("{} by {}", used.how.word(), used.by)).collect();
            (!places.is_empty()).then(|| format!("{difference} ({})", places.into_iter().collect::<Vec<_>>().join(", ")))
        })
        .collect();
    (!touched.is_empty()).then(|| format!("{} has changed since its snapshot: {}; see crossdock schema diff", drift.object, touched.join("; ")))
}
