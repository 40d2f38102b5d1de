//! Estimates how many calls a flow needs, from the page and batch sizes of its connectors.

use std::collections::{BTreeMap, BTreeSet};

use crate::connector::Connectors;
use crate::ir::{Expr, Flow, Operation, Repeat, Slot, Write, walk};
use crate::plan::{FlowPlan, Plan, dependent_writes};
use crate::system::Guarantee;
use crate::value::{Literal, ObjectRef};

/// One kind of call that a flow makes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Calls {
    pub connection: String,
    /// `read`, `look up crm.Account by Email__c`, `upsert crm.Contact`
    pub what: String,
    /// At the most, for all records, where every one goes through.
    pub calls: usize,
    /// What else decides, for people: `for each part`, `in bulk above 2,000`.
    pub note: Option<String>,
}

/// The calls of a flow for so many new records that arrive together. A sign-in and the names of things are not counted: they
/// are once a run.
pub fn predicted(plan: &Plan, flow: &Flow, reads: &FlowPlan, connectors: &Connectors, records: usize) -> Vec<Calls> {
    let mut found = Vec::new();
    let mut add = |connection: &str, what: String, calls: usize, note: Option<String>| {
        found.push(Calls { connection: connection.to_owned(), what, calls, note });
    };
    if let Some(source) = connectors.get(&flow.source.connection) {
        let ask = plan.selection(flow, reads, &[]);
        let reading = source.read_cost(&ask);
        let others = source.streams(&ask).len().saturating_sub(1);
        let note = (reading.each > 0).then(|| format!("{} for each record", counted(reading.each)));
        add(&flow.source.connection, format!("read {}", flow.source), records.div_ceil(reading.page) + records * reading.each + others, note);
    }
    let mut sometimes: BTreeSet<Slot> = BTreeSet::new();
    for looked in &flow.matches {
        if looked.by.iter().all(|key| is_conditional(&key.equals, &sometimes)) {
            sometimes.insert(looked.slot);
        }
        let Some(connector) = connectors.get(&looked.object.connection) else { continue };
        for (at, key) in looked.by.iter().enumerate() {
            let calls = records.div_ceil(connector.lookup_batch(&looked.object, &key.field).max(1));
            if is_conditional(&key.equals, &sometimes) {
                // How many records that are is not known before.
                let what = format!("look up {} by {}", looked.object, key.field.join("."));
                add(&looked.object.connection, what, 0, Some("more, for records whose condition gives a value to look up".to_owned()));
                continue;
            }
            // Nothing is looked up by the next key that the one before has found.
            let note = match (&looked.each, at) {
                (Some(each), _) => {
                    Some(format!("if each record has one value; `{}` may have several, and each value is looked up once", each.generator.name))
                }
                (None, 0) => None,
                (None, _) => Some("for those that were not found before".to_owned()),
            };
            add(&looked.object.connection, format!("look up {} by {}", looked.object, key.field.join(".")), calls, note);
        }
    }
    for write in &flow.writes {
        let Some(connector) = connectors.get(&write.object.connection) else { continue };
        let spec = plan.objects.get(&write.object.to_string()).and_then(|object| connector.write(object, write.op, key_field(write)));
        let Some(spec) = spec else { continue };
        let id_field = |of: &ObjectRef| plan.objects.get(&of.to_string())?.id.as_deref();
        let ride = dependent_writes::ride(flow, write, id_field).filter(|_| spec.carries && spec.guarantee == Guarantee::Idempotent);
        let note = ride.map(|ride| format!("{} a call; if both are new, in the call that creates `{}`", spec.batch, ride.on));
        let note = note.or_else(|| match (&write.repeat, &write.milestones, spec.bulk, &write.when) {
            (Some(Repeat::Each { .. }), ..) => Some("for each element".to_owned()),
            (Some(Repeat::Split { .. }), ..) => Some("for each part".to_owned()),
            (_, Some(_), ..) => Some("if a milestone is reached".to_owned()),
            (_, _, _, Some(_)) => Some("if its condition is true".to_owned()),
            (_, _, Some(most), None) => Some(format!("{} a call; one bulk job takes up to {most}", spec.batch)),
            _ => Some(format!("{} a call", spec.batch)),
        });
        add(&write.object.connection, format!("{} {}", write.op.word(), write.object), records.div_ceil(spec.batch.max(1)), note);
    }
    found
}

/// The calls of a flow for so many changed records that arrive together, each already at its targets and to be updated there:
/// those of [`predicted`], and the reads of targets that a write rests on.
pub fn of_changes(plan: &Plan, flow: &Flow, reads: &FlowPlan, connectors: &Connectors, records: usize) -> Vec<Calls> {
    let mut found = predicted(plan, flow, reads, connectors, records);
    for write in &flow.writes {
        let Some(connector) = connectors.get(&write.object.connection) else { continue };
        let Some(object) = plan.objects.get(&write.object.to_string()) else { continue };
        let Some(spec) = connector.write(object, write.op, key_field(write)) else { continue };
        let looks = reads.target_reads.get(&write.name).is_some_and(|reads| !reads.is_empty());
        // What a match has found says itself what the target holds, unless the whole record is replaced.
        let matched = write.of.is_some_and(|of| flow.matches.iter().any(|found| found.slot == of)) && !spec.replaces;
        if write.op == Operation::Create || matched || !(looks || spec.replaces || !write.guards.is_empty()) {
            continue;
        }
        let Some(id) = object.id.clone() else { continue };
        let batch = connector.lookup_batch(&write.object, std::slice::from_ref(&id)).max(1);
        let why =
            if spec.replaces { "an update replaces the whole record, so it is read first" } else { "the write depends on what its target holds" };
        let each = match connector.companion(&write.object, std::slice::from_ref(&id)) {
            Some(by) => format!("at most: records with neighboring values of {by} are read in one call; "),
            None if batch == 1 => "one call for each record; ".to_owned(),
            None => String::new(),
        };
        let what = format!("read {} by {id} before its update", write.object);
        let place =
            found.iter().position(|calls| calls.what.ends_with(&write.object.to_string()) && !calls.what.starts_with("read")).unwrap_or(found.len());
        let calls = records.div_ceil(batch);
        found.insert(place, Calls { connection: write.object.connection.clone(), what, calls, note: Some(format!("{each}{why}")) });
    }
    found
}

/// Whether a value is there under a condition only, or rests on a match that is looked up under one.
fn is_conditional(value: &Expr, sometimes: &BTreeSet<Slot>) -> bool {
    let under_one = |expr: &Expr| matches!(expr, Expr::If { otherwise, .. } if matches!(**otherwise, Expr::Literal(Literal::Missing)));
    under_one(value) || walk::any(value, |expr| matches!(expr, Expr::Slot { slot, .. } if sometimes.contains(slot)))
}

fn key_field(write: &Write) -> Option<&str> {
    write.key.as_ref().and_then(|key| key.field.as_deref())
}

/// By connection.
pub fn by_connection(calls: &[Calls]) -> BTreeMap<&str, usize> {
    calls.iter().fold(BTreeMap::new(), |mut all, one| {
        *all.entry(one.connection.as_str()).or_default() += one.calls;
        all
    })
}

fn counted(calls: usize) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}
