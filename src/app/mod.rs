//! What the commands do, without arguments and printing. `cli` reads arguments and prints; a server or an editor calls the
//! same functions.
//!
//! Each function takes typed inputs and gives a typed view. A view serializes: the JSON of a command is made from it.
//! Errors are [`Failure`]s: what happened, and what to do.

pub mod context;
mod failure;
pub mod folder;
pub mod loaded_project;
mod notice;
pub mod operator_client;
pub mod process;
pub mod run_connected;
pub mod stores;

pub use context::Context;
pub use failure::{Failure, Kind};
pub use folder::Folder;
pub use loaded_project::{LoadError, LoadedProject, ProjectAt};
pub use notice::{Notice, Notices};
pub use stores::{Access, OpenedStore, StoreLocation};
