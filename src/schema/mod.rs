//! Object schemas: fields, kinds, keys, what is required, what a payload may hold.
//!
//! One form for both sides: a file `schemas/<system>/<Object>.json` is JSON Schema
//! (draft 2020-12) with `x-` annotations, and [`Object`] is what it says. Systems' own
//! descriptions (a Salesforce describe) are turned into it.

mod catalog;
mod classify;
mod describe;
pub mod diff;
mod error;
mod form;
pub mod gate;
mod infer;
mod node;
mod object;
mod print;
mod read;
mod select;
mod spelling;
pub mod standard;

pub use catalog::Catalog;
pub use classify::of_field as class_of_field;
pub use error::SchemaError;
pub use infer::{Reading, infer};
pub use object::{Access, Class, Field, Named, Names, Object, Size, SizeUnit, Write};
pub use print::to_json;
pub use read::{lay_over, read};
pub use select::{Comparison, Condition, FieldPath, Selection};
pub use spelling::Spelling;

use std::sync::Arc;

use crate::value::ObjectRef;

/// Where schemas are asked for. A connection's own snapshot comes before its system's
/// standard schema; that choice is the keeper's.
pub trait Schemas: Sync {
    /// The connections of the project, in its order.
    fn connections(&self) -> Vec<Connection>;

    /// The schema of an object, or `None` if the connection has none of that name.
    fn object(&self, of: &ObjectRef) -> Option<Arc<Object>>;

    /// The names of all objects of a connection.
    fn objects(&self, connection: &str) -> Vec<String>;

    /// The named things of a connection (its stores, warehouses) as of its snapshot;
    /// `None` if there is no snapshot of them.
    fn names(&self, of: &ObjectRef) -> Option<Arc<Names>>;

    /// Whether the connection has a snapshot of names, though perhaps none of some kind: then a name of such a kind is not
    /// known, and is no matter of a later pull.
    fn has_names(&self, _connection: &str) -> bool {
        false
    }
}

/// A connection of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub name: String,
    /// `salesforce`, `shipstation`, `files`.
    pub system: String,
}
