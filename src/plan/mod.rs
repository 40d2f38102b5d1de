//! The plan: a checked mapping, ready to run, that can be printed, hashed and stored.
//!
//! It contains the typed mapping, the schemas of records and payloads, the source paths that each flow needs, and the part of each
//! filter that the source can apply itself.

mod build;
pub mod dependent_writes;
mod lineage;
mod projection;
mod pushdown;
mod selection;
pub mod show;

pub use build::{Extent, VERSION, build};
pub use lineage::{How, Use, uses};
pub use projection::columns;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ir;
use crate::schema::Object;

/// Deterministic: the same files, schemas and parameters give the same bytes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The form of the plan itself.
    pub version: u32,
    pub mapping: ir::Mapping,
    /// By connection: its system.
    pub systems: BTreeMap<String, String>,
    /// Schemas of every object that is read or written, by `connection.Object`.
    pub objects: BTreeMap<String, Object>,
    /// For each flow, in order.
    pub flows: Vec<FlowPlan>,
    /// The project's time zone.
    pub time_zone: String,
    #[serde(skip)]
    hash: LazyHash,
}

/// A plan as it is printed, with its hash. The same files, schemas and parameters give the same bytes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Plan")]
pub struct Printed<'p> {
    #[serde(flatten)]
    plan: &'p Plan,
    /// SHA-256 over all of the above in canonical JSON, in hex.
    hash: &'p str,
}

/// The hash, once it was asked for: most uses of a plan need none. It says nothing that the rest does not.
#[derive(Debug, Clone, Default)]
struct LazyHash(OnceLock<String>);

impl PartialEq for LazyHash {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Plan {
    /// SHA-256 over its canonical JSON, in hex, made at the first call: a plan that is changed after it keeps that one.
    pub fn hash(&self) -> &str {
        self.hash.0.get_or_init(|| build::hash(&Printed { plan: self, hash: "" }))
    }

    /// The beginning of the hash, by which people and the store know a plan.
    pub fn short_hash(&self) -> &str {
        let hash = self.hash();
        hash.get(..12).unwrap_or(hash)
    }

    /// As it is printed, with its hash.
    pub fn printed(&self) -> Printed<'_> {
        Printed { plan: self, hash: self.hash() }
    }
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
