//! Where a plan uses a field of an object, to report what an outside change affects.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Plan;
use crate::ir::{Body, Place, RowValue};
use crate::value::{Kind, ObjectRef};

/// One use of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    pub object: ObjectRef,
    pub field: String,
    /// The flow or value map.
    pub by: String,
    pub how: How,
    pub file: String,
    /// From 1; of the flow or value map where the use has no line of its own.
    pub line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Reads,
    Writes,
    /// A value map stands over its values.
    Maps,
}

impl How {
    pub fn word(self) -> &'static str {
        match self {
            How::Reads => "read",
            How::Writes => "written",
            How::Maps => "mapped",
        }
    }
}

/// All uses, sorted, none twice.
pub fn uses(plan: &Plan) -> Vec<Use> {
    let mut found = BTreeSet::new();
    for (flow, reads) in plan.mapping.flows.iter().zip(&plan.flows) {
        let writes = || flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
        let mut read = |object: &ObjectRef, path: &[String]| {
            each_step(plan, object, path, &mut |object, field| add(&mut found, object, field, &flow.name, How::Reads, &flow.place))
        };
        reads.reads.iter().for_each(|path| read(&flow.source, path));
        for of in &flow.matches {
            reads.match_reads.get(&of.name).into_iter().flatten().for_each(|path| read(&of.object, path));
        }
        for write in writes() {
            reads.target_reads.get(&write.name).into_iter().flatten().for_each(|path| read(&write.object, path));
        }
        for write in writes() {
            if let Some(field) = write.key.as_ref().and_then(|key| key.field.as_ref()) {
                add(&mut found, &write.object, field, &flow.name, How::Writes, &write.place);
            }
            rows(&write.body, &flow.name, &mut found);
        }
    }
    for map in &plan.mapping.values {
        for kind in [&map.from, &map.to] {
            let Kind::Enumeration(of) = kind else { continue };
            let mut parts = of.name.splitn(3, '.');
            if let (Some(connection), Some(object), Some(field)) = (parts.next(), parts.next(), parts.next()) {
                add(&mut found, &ObjectRef::new(connection, object), field, &map.name, How::Maps, &map.place);
            }
        }
    }
    found.into_iter().collect()
}

fn add(found: &mut BTreeSet<Use>, object: &ObjectRef, field: &str, by: &str, how: How, place: &Place) {
    found.insert(Use { object: object.clone(), field: field.to_owned(), by: by.to_owned(), how, file: place.file.to_string(), line: place.line });
}

/// Calls `each` with every field that a path goes through, and the object it belongs to.
fn each_step(plan: &Plan, object: &ObjectRef, path: &[String], each: &mut impl FnMut(&ObjectRef, &str)) {
    let mut at = object.clone();
    for name in path {
        each(&at, name);
        let Some(field) = plan.objects.get(&at.to_string()).and_then(|object| object.fields.get(name)) else { return };
        let inner = match &field.kind {
            Kind::List(of) => &of.kind,
            kind => kind,
        };
        let Kind::Object(next) = inner else { return };
        at = next.clone();
    }
}

fn rows(body: &Body, flow: &str, found: &mut BTreeSet<Use>) {
    for row in &body.rows {
        add(found, &body.object, &row.name, flow, How::Writes, &row.place);
        if let RowValue::Object { body, .. } = &row.value {
            rows(body, flow, found);
        }
    }
}
