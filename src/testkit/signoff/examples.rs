//! Examples: what real records gave.

use super::Shown;
use crate::eval::{Outcome, Trace};
use crate::ir::{Flow, Place, Write};
use crate::value::Json;

/// A record that went through a flow, with its trace.
#[derive(Debug, Clone)]
pub struct Example {
    pub flow: String,
    /// Where the record comes from: a file, or a case.
    pub record: String,
    pub outcome: Outcome,
}

/// The first example in which a field has a value; else the first in which it was left out. Two writes of one object may set the
/// same field: the row at `place` is meant.
pub(super) fn shown(examples: &[Example], flow: &Flow, write: &Write, field: &str, place: &Place) -> Option<Shown> {
    let of = || {
        examples.iter().filter(|example| example.flow == flow.name).flat_map(|example| {
            let traces = example.outcome.trace.iter().filter(|trace| trace.write == write.name);
            traces.filter(|trace| plain(&trace.field) == field && trace.place == *place).map(move |trace| (example, trace))
        })
    };
    let (example, trace) = of().find(|(_, trace)| trace.value.is_some()).or_else(|| of().next())?;
    Some(Shown { record: example.record.clone(), read: read(trace), sent: trace.value.as_ref().map(printed) })
}

/// `items[0].sku` is an example of `items[].sku`.
fn plain(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut inside = false;
    for c in field.chars() {
        inside = (inside || c == '[') && c != ']';
        if !inside || c == '[' {
            out.push(c);
        }
    }
    out
}

fn read(trace: &Trace) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for read in &trace.reads {
        let value = read.missing.map_or_else(|| printed(&read.value), |why| format!("({why})"));
        if !out.iter().any(|(path, _)| *path == read.path) {
            out.push((read.path.clone(), value));
        }
    }
    out
}

/// The longest value that is shown, in characters.
const LONGEST: usize = 200;

fn printed(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() > LONGEST { format!("{}…", text.chars().take(LONGEST).collect::<String>()) } else { text }
}
