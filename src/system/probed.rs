//! What `crossdock system probe` found out by asking a system: `systems/NAME/probe.yaml`.
//!
//! Nobody but the one who wrote it vouches for the description of a client's own system. So what it says of its writes counts only
//! where the system itself was seen to keep it. Each finding is of one write as it was described then: if its description changes, it
//! has to be asked again.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

/// The findings of the last probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probed {
    pub system: String,
    /// Where it was asked.
    pub host: String,
    /// When: an instant.
    pub at: String,
    /// What was asked of the connection, and what came: the sign-in.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub connection: IndexMap<String, Finding>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub objects: IndexMap<String, ProbedObject>,
}

/// What was found of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbedObject {
    /// By what was asked: `page`, `order`, `from`, `equal_stamps`, `find number`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub reads: IndexMap<String, Finding>,
    /// By the write's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub writes: IndexMap<String, ProbedWrite>,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Whether it is as the description says; absent where the answers do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    pub found: String,
}

/// What was found of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbedWrite {
    /// The write as it was described then: [`fingerprint`].
    pub described: String,
    /// Whether a write that was sent twice had one effect, as its means says; absent where the answers do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    pub found: String,
    /// After how long what was written could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_after: Option<String>,
}

impl Probed {
    /// # Errors
    /// The text is none.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    /// What was found of a write, if its description is still the one that was asked.
    pub fn of_write(&self, object: &str, write: &str, described: &str) -> Option<&ProbedWrite> {
        self.objects.get(object)?.writes.get(write).filter(|found| found.described == described)
    }
}

/// What tells whether a write is described as before: a hash of all that its object's description says of it, and of how its records are
/// found.
pub fn fingerprint(object: &Json, write: &str) -> String {
    let said = serde_json::json!([object["writes"][write], object["find"], object["get"], object["id"], object["part_of"]]);
    let hash = Sha256::digest(said.to_string());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
