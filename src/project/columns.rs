//! Columns that a flow reads and that the file of its records lacks. Without this check, their values would silently be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::Config;
use super::records::{self, Form};
use super::{Absence, Keeper, error};
use crate::base::diag::Diagnostic;
use crate::base::{separator_help, separators};
use crate::ir::{Flow, Mapping};
use crate::plan;
use crate::schema::Object;
use crate::value::ObjectRef;

/// What is wrong with the headings of a file, for a flow that reads its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// There are no such columns. The heading beside a name is the nearest that the file has.
    Lacking(Vec<(String, Option<String>)>),
    /// The whole first line was read as one heading, as another sign separates its cells. With it, what to do about it.
    OneHeading { line: String, help: String },
    /// A heading stands twice: which of the two is read would hang on their order.
    Twice(String),
}

impl Wrong {
    /// What is wrong, and what to do about it: a line for each cause.
    pub fn words(&self) -> (String, Vec<String>) {
        match self {
            Wrong::Twice(name) => (format!("has two columns `{name}`"), vec!["give one of them another heading".to_owned()]),
            Wrong::OneHeading { line, help } => (format!("has one heading: `{line}`"), vec![help.clone()]),
            Wrong::Lacking(names) => {
                let columns = |names: &[String]| format!("column{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "));
                let near = |(name, near): &(String, Option<String>)| {
                    Some(format!(
                        "the file calls `{name}` `{near}`: write the heading `{name}`, or `{near}` in the schema and the mapping",
                        near = near.as_ref()?
                    ))
                };
                let mut helps: Vec<String> = names.iter().filter_map(near).collect();
                let others: Vec<String> = names.iter().filter(|(_, near)| near.is_none()).map(|(name, _)| format!("`{name}`")).collect();
                if !others.is_empty() {
                    helps.push(format!("add the {} to the file, or name the right file", columns(&others)));
                }
                let all: Vec<String> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
                (format!("has no {}", columns(&all)), helps)
            }
        }
    }
}

/// Tells that the whole first line of a CSV text was read as one heading, by the text alone: another sign would cut it into several.
pub fn one_heading(path: &str, text: &str, separator: Option<u8>) -> Option<Wrong> {
    if Form::of(path) != Form::Csv {
        return None;
    }
    let [line] = <[String; 1]>::try_from(records::headings(text, separator)?).ok()?;
    let mut cut = separators().filter_map(|sign| records::headings(text, Some(sign)));
    let headings = cut.find(|headings| headings.len() > 1)?;
    let help = separator_help(path, &line, headings.iter().map(String::as_str), separator)?;
    Some(Wrong::OneHeading { line, help })
}

/// Holds the headings of a CSV text against the columns that a flow reads. `path` is the file's.
pub fn held(path: &str, text: &str, separator: Option<u8>, read: &BTreeSet<String>) -> Option<Wrong> {
    let headings = records::headings(text, separator)?;
    if let Some(twice) = read.iter().find(|name| headings.iter().filter(|heading| heading == name).count() > 1) {
        return Some(Wrong::Twice(twice.clone()));
    }
    let near = |name: &str| crate::base::nearest(name, headings.iter().map(String::as_str).filter(|heading| !read.contains(*heading)));
    let lacking: Vec<(String, Option<String>)> =
        read.iter().filter(|name| !headings.contains(name)).map(|name| (name.clone(), near(name).map(str::to_owned))).collect();
    if let ([line], true) = (headings.as_slice(), lacking.len() == read.len() && read.len() > 1)
        && let Some(help) = separator_help(path, line, read.iter().map(String::as_str), separator)
    {
        return Some(Wrong::OneHeading { line: line.clone(), help });
    }
    (!lacking.is_empty()).then_some(Wrong::Lacking(lacking))
}

/// The files that the project names for its flows' records. One that is not there yet is told when it is read; one that is no text is
/// told by `keeper`.
pub(super) fn check(keeper: &Keeper<'_>, config: &Config, mapping: &Mapping) -> Vec<Diagnostic> {
    let objects = &keeper.met();
    let mut read: BTreeMap<&ObjectRef, BTreeSet<String>> = BTreeMap::new();
    for flow in &mapping.flows {
        read.entry(&flow.source).or_default().extend(columns(flow, objects));
    }
    let mut found = Vec::new();
    for (of, read) in read {
        let file = config.connections.get(&of.connection).and_then(|connection| connection.objects.get(&of.object));
        let Some(file) = file.filter(|file| file.schema.is_some()) else { continue };
        let path = &file.path.text;
        let text = match keeper.sample(path) {
            Ok(text) => text,
            // One outside of the project may be allowed to who reads it.
            Err(Absence::NotFound | Absence::Outside) => continue,
            Err(absence) => {
                keeper.unreadable_records(path, file.path.span, absence);
                continue;
            }
        };
        if Form::of(path) != Form::Csv {
            continue;
        }
        let Some(wrong) = held(path, &text, config.csv(path).separator, &read) else { continue };
        let schema = file.schema.as_ref().map_or("", |schema| schema.text.as_str());
        found.push(error::wrong_columns(path, file.path.span, schema, &wrong));
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
        let held = |text: &str, names: &[&str]| held("a.csv", text, None, &read(names));
        assert_eq!(held("sku;qty\nA;1\n", &["qty", "sku"]), None);
        assert_eq!(held("\u{feff}sep=;\n sku ;qty\n", &["qty", "sku"]), None);
        assert_eq!(held("Sku,qty\n", &["sku"]), Some(Wrong::Lacking(vec![("sku".to_owned(), Some("Sku".to_owned()))])));
        assert_eq!(held("a,b\n", &["quantity"]), Some(Wrong::Lacking(vec![("quantity".to_owned(), None)])));
        assert_eq!(held("sku,qty,sku\n", &["sku"]), Some(Wrong::Twice("sku".to_owned())));
        assert!(matches!(held("sku^qty\n", &["qty", "sku"]), Some(Wrong::OneHeading { help, .. }) if help.contains("separator: \"^\"")));
        assert!(matches!(super::held("a.csv", "sku,qty\n", Some(b';'), &read(&["qty", "sku"])), Some(Wrong::OneHeading { .. })));
        assert!(matches!(held("code\n", &["qty", "sku"]), Some(Wrong::Lacking(names)) if names.len() == 2));
        let alone = |text: &str, said| one_heading("a.csv", text, said).map(|wrong| wrong.words().1.join(";"));
        assert!(alone("sku,qty\nA,1\n", Some(b';')).is_some_and(|help| help.contains("has no `;`")));
        assert!(alone("sku^qty\nA^1\n", Some(b';')).is_some_and(|help| help.contains("has no `;`")));
        assert!(alone("sku^qty\nA^1\n", None).is_some_and(|help| help.contains("separator: \"^\"")));
        assert_eq!(alone("sku\nA,1\n", Some(b';')), None, "a file of one column");
        assert_eq!(alone("\"sku, old\"\nA\n", Some(b';')), None, "the quotes hold the heading together");
        assert_eq!(alone("sku;qty\nA;1\n", None), None);
        // Of what nobody reads nothing is asked, and an empty file has no headings to hold.
        assert_eq!(held("sku,note,note\n", &["sku"]), None);
        assert_eq!(held("", &["sku"]), None);
    }

    /// Without a schema the fields are those of the headings: each field of the mapping would be unknown.
    #[test]
    fn a_file_that_is_read_as_one_column_is_one_error() {
        use crate::base::diag::{Code, Diagnostic};
        use crate::project::{Options, Texts, compile};

        let mapping = "edition 1\n\nflow skus {\n  from shop.Sku as sku { every 5 minutes }\n\n  upsert wms.Order key orderKey = \"sku-{sku.sku}\" as sent {\n    \
                       orderNumber = sku.name\n    orderDate   = now\n    orderStatus = awaiting_shipment\n    billTo { name = sku.name }\n    \
                       shipTo { name = sku.name }\n  }\n}\n";
        for (feed, separator, help) in [
            ("sku,name\nA,Mug\n", "\"csv\": { feed.csv: { separator: \";\" } }", "has no `;`, which `separator` under `csv` in crossdock.yaml says"),
            ("sku^name\nA^Mug\n", "", "csv: { feed.csv: { separator: \"^\" } }"),
        ] {
            let config = format!(
                "connections:\n  crm: {{ system: salesforce }}\n  wms: {{ system: shipstation }}\n  shop: {{ system: files, object: Sku, path: feed.csv }}\n{separator}\n"
            );
            let texts = Texts::new([("crossdock.yaml", config.as_str()), ("skus.dock", mapping), ("feed.csv", feed)]);
            let found = compile(&texts, &Options::default()).diagnostics;
            let errors: Vec<&Diagnostic> = found.iter().filter(|one| one.is_error()).collect();
            assert!(errors.len() == 1 && errors[0].code == Code::ColumnMissing && errors[0].help[0].text.contains(help), "{feed}: {errors:?}");
        }
    }
}
