//! Fields that real records have and that no flow reads, by how often they are filled.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Failure, LoadedProject, VERSION};
use crate::value::{Json, ObjectRef, connection_nodes};

/// What is not mapped of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unmapped {
    pub version: u32,
    /// The object that the records are of.
    pub object: String,
    /// The flows that read it.
    pub flows: Vec<String>,
    /// How many records were looked at.
    pub records: usize,
    /// How many fields are filled in any of them.
    pub fields: usize,
    /// Those that no flow reads, the most filled first.
    #[serde(rename = "unmapped")]
    pub found: Vec<Field>,
    /// How many more there are that are filled in fewer records than was asked for.
    #[serde(skip)]
    pub rarer: usize,
}

/// A field that no flow reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    pub field: String,
    /// Records in which it has a value.
    pub filled: usize,
    /// The form of its first value, which says nothing of the value.
    pub example: String,
}

impl Unmapped {
    /// In how many of a hundred records a field is filled.
    pub fn percent(&self, field: &Field) -> usize {
        percent(field.filled, self.records)
    }
}

/// Holds the records of a file against what the flows read. `flow`: the flow whose source they are of; `least`: leave out
/// fields that are filled in fewer records than this, in percent.
///
/// # Errors
/// There is no such flow, or the flows read several objects and none is named.
pub fn unmapped(project: &LoadedProject, file: &str, flow: Option<&str>, least: u8) -> Result<Unmapped, Failure> {
    let source = source(project, flow)?;
    let plan = project.plan()?;
    let flows: Vec<_> = plan.mapping.flows.iter().zip(&plan.flows).filter(|(flow, _)| flow.source == source).collect();
    let reads: Vec<String> = flows.iter().flat_map(|(_, reads)| reads.reads.iter().map(|path| path.join("."))).collect();
    let records = project.records(file)?;
    let mut seen: IndexMap<String, Field> = IndexMap::new();
    for record in &records {
        let mut filled = BTreeMap::new();
        leaves(record, "", &mut filled);
        for (path, example) in filled {
            let of = seen.entry(path).or_insert_with_key(|path| Field { field: path.clone(), filled: 0, example });
            of.filled += 1;
        }
    }
    let fields = seen.len();
    let mut found: Vec<Field> = seen.into_values().filter(|seen| !reads.iter().any(|read| covers(read, &seen.field))).collect();
    found.sort_by(|a, b| b.filled.cmp(&a.filled).then_with(|| a.field.cmp(&b.field)));
    let all = found.len();
    found.retain(|field| percent(field.filled, records.len()) >= usize::from(least));
    let flows = flows.iter().map(|(flow, _)| flow.name.clone()).collect();
    let rarer = all - found.len();
    Ok(Unmapped { version: VERSION, object: source.to_string(), flows, records: records.len(), fields, found, rarer })
}

/// The object that the records are of.
fn source(project: &LoadedProject, flow: Option<&str>) -> Result<ObjectRef, Failure> {
    if flow.is_some() {
        return Ok(project.flow(flow)?.source.clone());
    }
    let flows = &project.plan()?.mapping.flows;
    let mut sources: Vec<&ObjectRef> = flows.iter().map(|flow| &flow.source).collect();
    sources.sort();
    sources.dedup();
    match sources.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::usage("the project has no flow")),
        _ => {
            let known: Vec<String> = flows.iter().map(|flow| format!("{} ({})", flow.name, flow.source)).collect();
            Err(Failure::usage("the flows read several objects").hint(format!("name one with --flow: {}", known.join(", "))))
        }
    }
}

/// Whether what is read holds a field, or is a part of it.
fn covers(read: &str, path: &str) -> bool {
    let within = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    within(read, path) || within(path, read)
}

/// The fields of a record that have a value, each with the form of it. Elements of a list stand under the list's name.
fn leaves(value: &Json, path: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Json::Null => {}
        Json::String(text) if text.trim().is_empty() => {}
        Json::Object(fields) => {
            // Salesforce's answers have their records in a wrapper, and say of each what it is.
            if let Some(records) = fields.get("records").filter(|_| fields.contains_key("totalSize")) {
                return leaves(records, path, found);
            }
            if let Some(nodes) = connection_nodes(value) {
                return nodes.into_iter().for_each(|node| leaves(node, path, found));
            }
            for (name, inner) in fields.iter().filter(|(name, _)| *name != "attributes") {
                let inside = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(inner, &inside, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        scalar => {
            found.entry(path.to_owned()).or_insert_with(|| form(scalar));
        }
    }
}

/// Characters of an example that are shown.
const SHOWN: usize = 24;

/// The form of a value: what kind of text it is, and nothing of what it says.
fn form(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Bool(_) => return "true or false".to_owned(),
        other => other.to_string(),
    };
    let shape = |c: char| match c {
        c if c.is_ascii_digit() || c.is_numeric() => '9',
        c if c.is_uppercase() => 'X',
        c if c.is_alphabetic() => 'x',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let shown: String = text.chars().take(SHOWN).map(shape).collect();
    if text.chars().count() > SHOWN { format!("{shown}…") } else { shown }
}

fn percent(part: usize, whole: usize) -> usize {
    // What is there at all is not told as none.
    (part * 100).checked_div(whole).unwrap_or(0).max(usize::from(part > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_read_in_part_or_as_a_whole_is_mapped() {
        assert!(covers("ShippingAddress", "ShippingAddress.city") && covers("Account.Name", "Account.Name"));
        assert!(!covers("Account.Name", "Account.Phone") && !covers("Account", "AccountId"));
    }

    #[test]
    fn an_example_says_nothing_of_the_value() {
        assert_eq!(form(&json!("Ada 12-b")), "Xxx 99-x");
        assert_eq!(form(&json!(12.5)), "99.9");
        let mut found = BTreeMap::new();
        leaves(
            &json!({"attributes": {"type": "Order"}, "A": "", "B": {"c": 1}, "L": {"totalSize": 1, "done": true, "records": [{"q": 2}]}}),
            "",
            &mut found,
        );
        assert_eq!(found.keys().collect::<Vec<_>>(), ["B.c", "L.q"]);
        let mut found = BTreeMap::new();
        leaves(&json!({"lines": {"edges": [{"cursor": "x", "node": {"sku": "a"}}], "pageInfo": {"hasNextPage": false}}}), "", &mut found);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["lines.sku"]);
    }
}
