//! Makes a plan of a checked mapping.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{FlowPlan, LazyHash, Plan, Printed, projection, pushdown};
use crate::ir::{self, Body, Expr, Flow, Mapping, RowValue, walk};
use crate::schema::{Object, Schemas};
use crate::value::{Kind, ObjectRef};

/// The form of plans that this program writes.
pub const VERSION: u32 = 1;

/// Which of the systems' objects a plan holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those that its flows read and write, and all objects inside them.
    Whole,
    /// Only those that the mapping touches: enough to map records.
    Touched,
}

/// Makes a plan: gathers the schemas, finds out what each flow reads, and splits its filter.
pub fn build(mapping: Mapping, schemas: &dyn Schemas, time_zone: &str, extent: Extent) -> Plan {
    let mut gathered = Gathered { schemas, objects: BTreeMap::new(), closed: BTreeSet::new() };
    for flow in &mapping.flows {
        match extent {
            Extent::Whole => read(flow).chain(written(flow).map(|write| &write.object)).for_each(|of| gathered.with_inner(of)),
            Extent::Touched => {
                read(flow).for_each(|of| gathered.alone(of));
                written(flow).for_each(|write| gathered.body(&write.object, &write.body));
                walk::flow_exprs(flow, &mut |expr| {
                    if let Expr::Field { kind, .. } = expr {
                        inner(kind).into_iter().for_each(|of| gathered.alone(of));
                    }
                });
            }
        }
    }
    let objects = gathered.objects;
    let flows = mapping.flows.iter().map(|flow| flow_plan(flow, &mapping, &objects)).collect();
    let systems = schemas.connections().into_iter().map(|connection| (connection.name, connection.system)).collect();
    Plan {
        version: VERSION,
        mapping,
        systems,
        objects: objects.into_iter().map(|(name, object)| (name, Arc::unwrap_or_clone(object))).collect(),
        flows,
        time_zone: time_zone.to_owned(),
        hash: LazyHash::default(),
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

fn written(flow: &Flow) -> impl Iterator<Item = &ir::Write> {
    flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes))
}

fn read(flow: &Flow) -> impl Iterator<Item = &ObjectRef> {
    std::iter::once(&flow.source).chain(flow.matches.iter().map(|found| &found.object))
}

struct Gathered<'s> {
    schemas: &'s dyn Schemas,
    objects: BTreeMap<String, Arc<Object>>,
    /// Objects that all inside them were gathered of.
    closed: BTreeSet<String>,
}

impl Gathered<'_> {
    fn alone(&mut self, of: &ObjectRef) {
        let name = of.to_string();
        if !self.objects.contains_key(&name)
            && let Some(object) = self.schemas.object(of)
        {
            self.objects.insert(name, object);
        }
    }

    /// An object's schema and those of all objects inside it.
    fn with_inner(&mut self, of: &ObjectRef) {
        let mut open = vec![of.clone()];
        while let Some(of) = open.pop() {
            let name = of.to_string();
            if !self.closed.insert(name.clone()) {
                continue;
            }
            self.alone(&of);
            let Some(object) = self.objects.get(&name) else { continue };
            open.extend(object.fields.values().filter_map(|field| inner(&field.kind)).cloned());
        }
    }

    /// An object that is built, and those inside it that its rows set.
    fn body(&mut self, of: &ObjectRef, body: &Body) {
        self.alone(of);
        let Some(object) = self.objects.get(&of.to_string()).cloned() else { return };
        for row in &body.rows {
            match (&row.value, object.fields.get(&row.name).and_then(|field| inner(&field.kind))) {
                (RowValue::Object { body, .. }, _) => self.body(&body.object, body),
                (RowValue::Expr(_), Some(of)) => self.with_inner(of),
                _ => {}
            }
        }
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
    let found = projection::of(flow, &object);
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
