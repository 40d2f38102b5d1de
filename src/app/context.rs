//! The context of an operator command: a project, its store and its connections.

use std::sync::Arc;

use super::process::variable;
use super::{Access, Failure, Folder, LoadError, LoadedProject, OpenedStore, ProjectAt, StoreLocation};
use crate::base::bounds;
use crate::connector::Connectors;
use crate::fault::file;
use crate::http::{Clock, Transport};
use crate::run::connections;

/// A project with the place of its store.
pub struct Context {
    pub project: LoadedProject,
    pub store: StoreLocation,
}

impl Context {
    /// Loads a project and reads where its store is. Nothing is opened yet.
    ///
    /// # Errors
    /// As [`LoadedProject::open`] and [`StoreLocation::of`].
    pub fn open(at: &ProjectAt<'_>) -> Result<Self, LoadError> {
        let project = LoadedProject::open(at)?;
        let store = StoreLocation::of(&project)?;
        Ok(Context { project, store })
    }

    /// The project's store, opened.
    ///
    /// # Errors
    /// As [`StoreLocation::open`].
    pub fn open_store(&self, access: Access) -> Result<OpenedStore, Failure> {
        Ok(self.store.open(access)?)
    }

    /// Connectors of the connections that some flows use; of all flows, if none is named.
    ///
    /// # Errors
    /// A secret is not there, or a connection's settings are not what its system needs.
    pub fn connectors(&self, only: &[String], transport: &Arc<dyn Transport>, clock: &Arc<dyn Clock>) -> Result<Connectors, Failure> {
        let used = connections::used(self.project.plan()?, only);
        connections::open(&self.project.compiled.config, &used, &secret_file(self.project.folder()), &variable, transport, clock)
            .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint()))
    }
}

/// The text of a secret's file that a project names.
pub fn secret_file(folder: &Folder) -> impl Fn(&str) -> Result<String, String> + '_ {
    |name| {
        let place =
            folder.reach(name).map_err(|failure| [Some(failure.message), failure.hint].into_iter().flatten().collect::<Vec<_>>().join("; "))?;
        file::read_text(&place, bounds::SECRET_FILE).map_err(|error| error.to_string())
    }
}
