//! The plan: a checked mapping made ready to run, as a thing that can be printed, hashed and stored.
//!
//! It holds the typed mapping, the schemas that records and payloads are held to, the source
//! paths that each flow needs, and the part of each filter that the source can apply itself.

mod build;
pub mod pushdown;
mod reads;
pub mod rides;
pub mod show;
pub mod text;
mod uses;
pub mod walk;

pub use build::{VERSION, build};
pub use uses::{How, Use, uses};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::typed;
use crate::schema::Object;

/// Deterministic: the same files, schemas and parameters give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The form of the plan itself.
    pub version: u32,
    pub mapping: typed::Mapping,
    /// By connection: its system.
    pub systems: BTreeMap<String, String>,
    /// Schemas of every object that is read or written, by `connection.Object`.
    pub objects: BTreeMap<String, Object>,
    /// For each flow, in order.
    pub flows: Vec<FlowPlan>,
    /// The project's time zone.
    pub time_zone: String,
    /// SHA-256 over all of the above in canonical JSON, in hex.
    pub hash: String,
}

/// What a flow needs from its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowPlan {
    pub flow: String,
    /// Paths that the mapping reads from the source's record, sorted: `["OrderItems", "Quantity"]`.
    pub reads: Vec<Vec<String>>,
    /// The same for each matched object, by its name.
    pub match_reads: BTreeMap<String, Vec<Vec<String>>>,
    /// Paths read from `target`, by write.
    pub target_reads: BTreeMap<String, Vec<Vec<String>>>,
    /// Places in `filter` of the conjuncts that the source can apply itself.
    pub pushed_down: Vec<usize>,
}
