//! What the commands do, without arguments and printing. `cli` reads arguments and prints; a server or an editor calls the
//! same functions.
//!
//! Each function takes typed inputs and gives a typed view. A view serializes: the JSON of a command is made from it.
//! Errors are [`Failure`]s: what happened, and what to do.

pub mod audit;
pub mod backup;
pub mod cases;
pub mod check;
pub mod checkpoints;
pub mod comparison;
pub mod context;
pub mod doctor;
pub mod erasure;
pub mod exceptions;
mod failure;
pub mod folder;
pub mod loaded_project;
pub mod masking;
pub mod matched;
mod notice;
pub mod operator_client;
pub mod own_system;
pub mod plan;
pub mod preview;
pub mod process;
pub mod records;
pub mod rehearsal;
mod rule_words;
pub mod run_connected;
pub mod run_files;
pub mod run_once;
pub mod schema_sync;
pub mod schema_watch;
pub mod signoff;
pub mod status;
pub mod stores;
pub mod system_check;
pub mod system_import;
pub mod system_new;
pub mod system_probe;
pub mod time;
pub mod trace;
pub mod unmapped;

pub use context::Context;
pub use failure::{Failure, Kind};
pub use folder::Folder;
pub use loaded_project::{LoadError, LoadedProject, ProjectAt};
pub use notice::{Notice, Notices};
pub use stores::{Access, OpenedStore, StoreLocation};

/// The version of the views that are printed as JSON: it grows when one changes in a way that a reader has to know.
const VERSION: u32 = 1;
