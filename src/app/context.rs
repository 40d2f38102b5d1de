//! The context of an operator command: a project and its store.

use super::{Access, Failure, LoadError, LoadedProject, OpenedStore, ProjectAt, StoreLocation};

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
        Ok(Context::of(LoadedProject::open(at)?)?)
    }

    /// The same of a project that is loaded already.
    ///
    /// # Errors
    /// As [`StoreLocation::of`].
    pub fn of(project: LoadedProject) -> Result<Self, Failure> {
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
}
