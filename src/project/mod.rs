//! A client's project: many files, connections, parameters; and the one door, [`compile`].

pub mod config;
mod error;
mod texts;
pub mod yaml;

pub use error::SYSTEMS;
pub use texts::Texts;

use std::sync::Arc;

use crate::base::Sources;
use crate::base::diag::Diagnostic;
use crate::plan::Plan;

/// Everything that a compilation asks of the outside. The command line keeps it over a folder,
/// tests over a map of texts.
pub trait Library {
    /// The text of a file, named from the project's folder with `/`.
    ///
    /// # Errors
    /// [`Absence`] says whether it is not there, lies outside, or cannot be read.
    fn read(&self, path: &str) -> Result<Arc<str>, Absence>;

    /// All files of the project whose names end so (`.dock`), sorted, from the project's folder.
    fn list(&self, ending: &str) -> Vec<String>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    #[error("there is no such file")]
    NotFound,
    #[error("it lies outside the project's folder")]
    Outside,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What a compilation gives.
pub struct Compiled {
    pub sources: Sources,
    /// Present if no diagnostic is an error.
    pub plan: Option<Plan>,
    pub diagnostics: Vec<Diagnostic>,
}
