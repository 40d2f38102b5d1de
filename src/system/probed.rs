//! What `crossdock system probe` found out by asking a system: `systems/NAME/probe.yaml`.
//!
//! Nobody but the one who wrote it vouches for the description of a client's own system. So what it says of its writes counts only
//! where the system itself was seen to keep it. Each finding is of one write as it was described then: if its description changes, it
//! has to be asked again.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

/// What probes found of a system: by the host that was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probed {
    pub system: String,
    /// Each host stands here once.
    #[serde(default)]
    pub hosts: Vec<ProbedHost>,
}

/// What was found at one host. A test system may do otherwise than the one that orders go to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbedHost {
    pub host: String,
    /// When it was asked last: an instant.
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
    /// Adds what was found at a host. What the answers do not tell takes nothing back that was seen there before.
    pub fn learn(&mut self, found: ProbedHost) {
        let Some(known) = self.hosts.iter_mut().find(|known| known.host == found.host) else {
            self.hosts.push(found);
            return;
        };
        known.at = found.at;
        learn_all(&mut known.connection, found.connection);
        for (object, found) in found.objects {
            let known = known.objects.entry(object).or_default();
            learn_all(&mut known.reads, found.reads);
            for (write, found) in found.writes {
                match known.writes.get(&write) {
                    Some(before) if found.holds.is_none() && before.holds.is_some() && before.described == found.described => {}
                    _ => drop(known.writes.insert(write, found)),
                }
            }
        }
    }

    /// The hosts at which a write was seen to be as its description says.
    pub fn seen_at(&self, object: &str, write: &str, described: &str) -> Vec<&str> {
        let holds = |host: &&ProbedHost| host.of_write(object, write, described).is_some_and(|found| found.holds == Some(true));
        self.hosts.iter().filter(holds).map(|host| host.host.as_str()).collect()
    }
}

fn learn_all(known: &mut IndexMap<String, Finding>, found: IndexMap<String, Finding>) {
    for (what, found) in found {
        match known.get(&what) {
            Some(before) if found.holds.is_none() && before.holds.is_some() => {}
            _ => drop(known.insert(what, found)),
        }
    }
}

impl ProbedHost {
    /// What was found of a write, if its description is still the one that was asked.
    fn of_write(&self, object: &str, write: &str, described: &str) -> Option<&ProbedWrite> {
        self.objects.get(object)?.writes.get(write).filter(|found| found.described == described)
    }

    /// Whether anything was found that tells whether the system is as it is described.
    pub fn tells(&self) -> bool {
        let of = |object: &ProbedObject| {
            object.reads.values().any(|found| found.holds.is_some()) || object.writes.values().any(|found| found.holds.is_some())
        };
        self.connection.values().any(|found| found.holds.is_some()) || self.objects.values().any(of)
    }

    /// Without what the answers do not tell.
    pub fn told(mut self) -> Self {
        self.connection.retain(|_, found| found.holds.is_some());
        for object in self.objects.values_mut() {
            object.reads.retain(|_, found| found.holds.is_some());
            object.writes.retain(|_, found| found.holds.is_some());
        }
        self.objects.retain(|_, object| *object != ProbedObject::default());
        self
    }
}

/// What tells whether a write is described as before: a hash of all that its object's description says of it, and of how its records are
/// found.
pub fn fingerprint(object: &Json, write: &str) -> String {
    let said = serde_json::json!([object["writes"][write], object["find"], object["get"], object["id"], object["part_of"]]);
    let hash = Sha256::digest(said.to_string());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
