//! Makes a plan of a checked mapping.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{FlowPlan, Once, Plan, Printed, pushdown, reads};
use crate::check::typed::{self, Flow, Mapping};
use crate::schema::{Object, Schemas};
use crate::value::{Kind, ObjectRef};

/// The form of plans that this program writes.
pub const VERSION: u32 = 1;

/// Makes a plan: gathers the schemas, finds out what each flow reads, and splits its filter.
pub fn build(mapping: Mapping, schemas: &dyn Schemas, time_zone: &str) -> Plan {
    let mut objects = BTreeMap::new();
    for flow in &mapping.flows {
        for of in objects_of(flow) {
            gather(of, schemas, &mut objects);
        }
    }
    let flows = mapping.flows.iter().map(|flow| flow_plan(flow, &mapping, &objects)).collect();
    let systems = schemas.connections().into_iter().map(|connection| (connection.name, connection.system)).collect();
    Plan {
        version: VERSION,
        mapping,
        systems,
        objects: objects.into_iter().map(|(name, object)| (name, Arc::unwrap_or_clone(object))).collect(),
        flows,
        time_zone: time_zone.to_owned(),
        hash: Once::default(),
    }
}

/// SHA-256 over the plan's JSON, its own hash left empty. All maps in it have one order.
pub(super) fn hash(plan: &Printed<'_>) -> String {
    let mut out = BufWriter::with_capacity(16 * 1024, Hashed(Sha256::new()));
    // A plan holds nothing that JSON cannot: texts as keys, no infinite number. And hashing takes all that it is given.
    let _ = serde_json::to_writer(&mut out, plan);
    let hashed = out.into_inner().unwrap_or_else(|_| Hashed(Sha256::new()));
    hashed.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes what is written without keeping it.
struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn objects_of(flow: &Flow) -> Vec<&ObjectRef> {
    let writes = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
    let written = writes.map(|write: &typed::Write| &write.object);
    std::iter::once(&flow.source).chain(flow.matches.iter().map(|found| &found.object)).chain(written).collect()
}

/// An object's schema and those of all objects inside it.
fn gather(of: &ObjectRef, schemas: &dyn Schemas, objects: &mut BTreeMap<String, Arc<Object>>) {
    let mut open = vec![of.clone()];
    while let Some(of) = open.pop() {
        if objects.contains_key(&of.to_string()) {
            continue;
        }
        let Some(object) = schemas.object(&of) else { continue };
        for field in object.fields.values() {
            open.extend(inner(&field.kind).cloned());
        }
        objects.insert(of.to_string(), object);
    }
}

fn inner(kind: &Kind) -> Option<&ObjectRef> {
    match kind {
        Kind::Object(of) => Some(of),
        Kind::List(of) => inner(&of.kind),
        _ => None,
    }
}

fn flow_plan(flow: &Flow, mapping: &Mapping, objects: &BTreeMap<String, Arc<Object>>) -> FlowPlan {
    let object = |of: &ObjectRef| objects.get(&of.to_string()).map(|object| &**object);
    let found = reads::of(flow, &object);
    let paths = |set: BTreeSet<Vec<String>>| set.into_iter().collect::<Vec<_>>();
    FlowPlan {
        flow: flow.name.clone(),
        reads: paths(found.source),
        match_reads: found.matches.into_iter().map(|(name, set)| (name, paths(set))).collect(),
        target_reads: found.targets.into_iter().map(|(name, set)| (name, paths(set))).collect(),
        pushed_down: (0..flow.filter.len())
            .filter(|at| pushdown::can(&flow.filter[*at], mapping, objects.get(&flow.source.to_string()).map(|object| &**object), objects))
            .collect(),
    }
}
