//! Schemas in memory: the standard ones that come with the program, and a client's snapshots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::error::SchemaError;
use super::object::{Names, Object};
use super::{Connection, Schemas, read, standard};
use crate::base::locked;
use crate::value::ObjectRef;

/// Keeps what was read; a standard schema is read when it is first asked for.
#[derive(Debug, Default)]
pub struct Catalog {
    connections: Vec<Connection>,
    objects: Mutex<BTreeMap<ObjectRef, Option<Arc<Object>>>>,
    names: BTreeMap<ObjectRef, Arc<Names>>,
}

impl Catalog {
    pub fn new(connections: Vec<Connection>) -> Self {
        Catalog { connections, ..Catalog::default() }
    }

    /// A snapshot: it stands for the standard schema of its name.
    pub fn put(&mut self, connection: &str, object: Object) {
        let key = ObjectRef::new(connection, object.name.clone());
        locked(&self.objects).insert(key, Some(Arc::new(object)));
    }

    /// Reads and puts a snapshot's text.
    ///
    /// # Errors
    /// The text is no schema.
    pub fn put_text(&mut self, connection: &str, name: &str, text: &str) -> Result<(), SchemaError> {
        let system = self.system(connection).unwrap_or_default().to_owned();
        self.put(connection, read::read(text, &system, name, connection)?);
        Ok(())
    }

    pub fn put_names(&mut self, of: ObjectRef, names: Names) {
        self.names.insert(of, Arc::new(names));
    }

    fn system(&self, connection: &str) -> Option<&str> {
        self.connections.iter().find(|known| known.name == connection).map(|known| known.system.as_str())
    }
}

impl Schemas for Catalog {
    fn connections(&self) -> Vec<Connection> {
        self.connections.clone()
    }

    fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        if let Some(known) = locked(&self.objects).get(of) {
            return known.clone();
        }
        let system = self.system(&of.connection)?;
        // A test holds that every standard schema can be read.
        let found = standard::object(system, &of.object, &of.connection).and_then(Result::ok).map(Arc::new);
        locked(&self.objects).insert(of.clone(), found.clone());
        found
    }

    fn objects(&self, connection: &str) -> Vec<String> {
        let mut names: Vec<String> = self.system(connection).into_iter().flat_map(standard::objects).map(str::to_owned).collect();
        let own = locked(&self.objects);
        names.extend(own.iter().filter(|(of, found)| of.connection == connection && found.is_some()).map(|(of, _)| of.object.clone()));
        names.sort();
        names.dedup();
        names
    }

    fn names(&self, of: &ObjectRef) -> Option<Arc<Names>> {
        self.names.get(of).cloned()
    }

    fn has_names(&self, connection: &str) -> bool {
        self.names.keys().any(|of| of.connection == connection)
    }
}
