//! Columns that a flow reads and that the file of its records lacks. Without this check, their values would silently be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::Config;
use super::records::{self, Form};
use super::{Library, error};
use crate::base::diag::Diagnostic;
use crate::ir::{Flow, Mapping};
use crate::plan;
use crate::schema::Object;
use crate::value::ObjectRef;

/// What is wrong with the headings of a file, for a flow that reads its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// There are no such columns. The heading beside a name is the nearest that the file has.
    Lacking(Vec<(String, Option<String>)>),
    /// A heading stands twice: which of the two is read would hang on their order.
    Twice(String),
}

/// Holds the headings of a CSV text against the columns that a flow reads.
pub fn held(text: &str, separator: Option<u8>, read: &BTreeSet<String>) -> Option<Wrong> {
    let headings = records::headings(text, separator)?;
    if let Some(twice) = read.iter().find(|name| headings.iter().filter(|heading| heading == name).count() > 1) {
        return Some(Wrong::Twice(twice.clone()));
    }
    let near = |name: &str| crate::base::nearest(name, headings.iter().map(String::as_str).filter(|heading| !read.contains(*heading)));
    let lacking: Vec<(String, Option<String>)> =
        read.iter().filter(|name| !headings.contains(name)).map(|name| (name.clone(), near(name).map(str::to_owned))).collect();
    (!lacking.is_empty()).then_some(Wrong::Lacking(lacking))
}

/// The files that the project names for its flows' records. One that is not there yet is told when it is read.
pub(super) fn check(library: &dyn Library, config: &Config, mapping: &Mapping, objects: &BTreeMap<ObjectRef, Arc<Object>>) -> Vec<Diagnostic> {
    let mut read: BTreeMap<&ObjectRef, BTreeSet<String>> = BTreeMap::new();
    for flow in &mapping.flows {
        read.entry(&flow.source).or_default().extend(columns(flow, objects));
    }
    let mut found = Vec::new();
    for (of, read) in read {
        let file = config.connections.get(&of.connection).and_then(|connection| connection.objects.get(&of.object));
        let Some(file) = file.filter(|file| file.schema.is_some() && Form::of(&file.path.text) == Form::Csv) else { continue };
        let form = config.csv(&file.path.text);
        let text = form.charset.map_or_else(|| library.sample(&file.path.text), |charset| library.sample_in(&file.path.text, charset));
        let Some(wrong) = text.ok().and_then(|text| held(&text, form.separator, &read)) else { continue };
        let schema = file.schema.as_ref().map_or("", |schema| schema.text.as_str());
        found.push(error::wrong_columns(&file.path.text, file.path.span, schema, &wrong));
    }
    found
}

/// The columns that a flow reads of its records.
pub fn columns(flow: &Flow, objects: &BTreeMap<ObjectRef, Arc<Object>>) -> BTreeSet<String> {
    plan::columns(flow, &|of| objects.get(of).map(|object| &**object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headings_are_held_against_what_is_read() {
        let held = |text: &str, names: &[&str]| held(text, None, &read(names));
        assert_eq!(held("sku;qty\nA;1\n", &["qty", "sku"]), None);
        assert_eq!(held("\u{feff}sep=;\n sku ;qty\n", &["qty", "sku"]), None);
        assert_eq!(held("Sku,qty\n", &["sku"]), Some(Wrong::Lacking(vec![("sku".to_owned(), Some("Sku".to_owned()))])));
        assert_eq!(held("a,b\n", &["quantity"]), Some(Wrong::Lacking(vec![("quantity".to_owned(), None)])));
        assert_eq!(held("sku,qty,sku\n", &["sku"]), Some(Wrong::Twice("sku".to_owned())));
        // Of what nobody reads nothing is asked, and an empty file has no headings to hold.
        assert_eq!(held("sku,note,note\n", &["sku"]), None);
        assert_eq!(held("", &["sku"]), None);
    }
}
