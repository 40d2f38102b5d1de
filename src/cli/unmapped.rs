//! `crossdock unmapped`: fields of real records that no flow reads, by how often they are filled.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::project::load;
use super::{Exit, Failure, Format, Out};
use crate::app::LoadedProject;
use crate::project::records;
use crate::value::{Json, ObjectRef};

const EXAMPLES: &str = "\
Examples:
  crossdock unmapped --records orders.jsonl --flow export_orders
  crossdock unmapped --records orders.jsonl --flow export_orders --least 10
  crossdock unmapped --records orders.jsonl --flow export_orders --format json

A field counts as mapped if a flow of the same source object reads it, or a part of it. Examples show the form of a value and \
not the value: letters are x, digits are 9. `--least 10` leaves out fields that fewer than 10 % of the records fill.";

/// List the fields of real records that no flow maps, by how often they are filled
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// A file of records: JSON, JSONL or CSV
    #[arg(long, value_name = "FILE")]
    records: String,
    /// The flow that reads such records; needed if the flows read several objects
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Leave out fields that are filled in fewer records than this, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    least: u8,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// What records say of a field.
#[derive(Debug, Default)]
struct Seen {
    /// Records in which it has a value.
    filled: usize,
    /// The form of its first value.
    example: String,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let ready = load(args.path.as_ref(), args.env.as_deref(), out)?;
    let source = source(&ready, args.flow.as_deref())?;
    let plan = ready.plan()?;
    let flows: Vec<_> = plan.mapping.flows.iter().zip(&plan.flows).filter(|(flow, _)| flow.source == source).collect();
    let reads: Vec<String> = flows.iter().flat_map(|(_, reads)| reads.reads.iter().map(|path| path.join("."))).collect();
    let text = ready.text(&args.records)?;
    let found = records::read(&args.records, &text).map_err(|fault| Failure::usage(format!("{}:{}: {}", args.records, fault.line, fault.message)))?;
    if found.is_empty() {
        return Err(Failure::usage(format!("`{}` holds no record", args.records)));
    }
    let mut seen: IndexMap<String, Seen> = IndexMap::new();
    for record in &found {
        let mut filled = BTreeMap::new();
        leaves(record, "", &mut filled);
        for (path, example) in filled {
            let of = seen.entry(path).or_insert_with(|| Seen { filled: 0, example });
            of.filled += 1;
        }
    }
    let total = seen.len();
    let mut unmapped: Vec<(String, Seen)> = seen.into_iter().filter(|(path, _)| !reads.iter().any(|read| covers(read, path))).collect();
    unmapped.sort_by(|a, b| b.1.filled.cmp(&a.1.filled).then_with(|| a.0.cmp(&b.0)));
    let all = unmapped.len();
    unmapped.retain(|(_, seen)| percent(seen.filled, found.len()) >= usize::from(args.least));
    let names: Vec<&str> = flows.iter().map(|(flow, _)| flow.name.as_str()).collect();
    if args.format == Format::Json {
        let fields: Vec<Json> =
            unmapped.iter().map(|(path, seen)| serde_json::json!({ "field": path, "filled": seen.filled, "example": seen.example })).collect();
        out.json(&serde_json::json!({
            "version": 1, "object": source.to_string(), "flows": names, "records": found.len(), "fields": total, "unmapped": fields,
        }))?;
        return Ok(Exit::Fine);
    }
    out.line(format!("{}, read by {}: {} of {total} filled fields are not mapped", out.bold(&source.to_string()), names.join(", "), all))?;
    let width = unmapped.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0).min(44);
    for (path, seen) in &unmapped {
        let line = format!("  {:>3} %  {path:<width$}  {}", percent(seen.filled, found.len()), out.dim(&seen.example));
        out.line(line.trim_end())?;
    }
    if all > unmapped.len() {
        out.line(out.dim(&format!("  and {} that are filled in less than {} % of the records", all - unmapped.len(), args.least)))?;
    }
    Ok(Exit::Fine)
}

/// The object that the records are of.
fn source(ready: &LoadedProject, flow: Option<&str>) -> Result<ObjectRef, Failure> {
    if flow.is_some() {
        return Ok(ready.flow(flow)?.source.clone());
    }
    let flows = &ready.plan()?.mapping.flows;
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
    }
}
