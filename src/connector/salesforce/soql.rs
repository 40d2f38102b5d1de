//! The query that fetches a flow's records: just the fields that the mapping reads, the part of the
//! filter that SOQL can express, by key and not by offset.
//!
//! Values are escaped as the SOQL reference says (`\` and `'` by a backslash); nothing of a record
//! ever goes into a query.

use std::collections::{BTreeMap, BTreeSet};

use crate::connector::{Comparison, Condition, Selection};
use crate::schema::Object;
use crate::value::{Kind, Literal, ObjectRef};

/// Schemas by `connection.Object`.
type Schemas = BTreeMap<String, Object>;

/// The SOQL of a flow's source; `:since` stands for the lower bound of the delta. `None` where it is no Salesforce object.
pub fn query(of: &Selection<'_>) -> Option<String> {
    let object = source(of)?;
    let mut conditions = pushed(of);
    if let Some([stamp]) = of.stamps.first().map(Vec::as_slice) {
        conditions.push(format!("{stamp} >= :since"));
    }
    let mut query = format!("SELECT {} FROM {}", selected(of.schemas, object, of.projection.iter().copied()), of.object.object);
    if !conditions.is_empty() {
        query.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if let Some(stamp) = &object.stamp {
        query.push_str(&format!(" ORDER BY {stamp}, Id"));
    }
    Some(query)
}

/// The schema of a flow's source, if it is a Salesforce object.
pub(super) fn source<'s>(of: &Selection<'s>) -> Option<&'s Object> {
    of.schema().filter(|object| object.system == super::SYSTEM)
}

/// The select list for some paths of an object: always with its id and its stamp.
pub(super) fn selected<'p>(schemas: &Schemas, object: &Object, paths: impl IntoIterator<Item = &'p [String]>) -> String {
    let mut fields: BTreeSet<String> = BTreeSet::from(["Id".to_owned()]);
    let mut children: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if let Some(stamp) = &object.stamp {
        fields.insert(stamp.clone());
    }
    for read in paths {
        select(schemas, object, read, &mut fields, &mut children);
    }
    let mut selected: Vec<String> = fields.into_iter().collect();
    for (child, fields) in children {
        let inner: Vec<String> = fields.into_iter().collect();
        selected.push(format!("(SELECT {} FROM {child})", inner.join(", ")));
    }
    selected.join(", ")
}

/// The conditions that the source applies itself.
pub(super) fn pushed(of: &Selection<'_>) -> Vec<String> {
    of.filter.iter().filter_map(condition).collect()
}

/// Child records whose changes do not move their parent's stamp.
pub(super) struct Child {
    pub(super) object: String,
    /// The field that holds the parent's id.
    pub(super) parent: String,
    pub(super) stamp: String,
}

pub(super) fn children(of: &Selection<'_>) -> Vec<Child> {
    let Some(source) = source(of) else { return Vec::new() };
    let child = |path: &Vec<String>| {
        let [list, stamp] = path.as_slice() else { return None };
        let Kind::List(inner) = &source.fields.get(list)?.kind else { return None };
        let Kind::Object(inner) = &inner.kind else { return None };
        let parent = of.schemas.get(&inner.to_string())?.parent.clone()?;
        Some(Child { object: inner.object.clone(), parent, stamp: stamp.clone() })
    };
    of.stamps.iter().filter_map(child).collect()
}

/// The queries that find records whose children have changed: such a change does not move the
/// record's own stamp, and SOQL takes no semi-join beside another condition by `OR`.
pub fn child_queries(of: &Selection<'_>) -> Vec<String> {
    let query = |Child { object, parent, stamp }| format!("SELECT {parent} FROM {object} WHERE {stamp} >= :since ORDER BY {stamp}, Id");
    children(of).into_iter().map(query).collect()
}

/// What a path asks for: a field, a parent's field, a compound field, or a field of child records.
fn select(schemas: &Schemas, object: &Object, path: &[String], fields: &mut BTreeSet<String>, children: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut at = object;
    for (depth, step) in path.iter().enumerate() {
        let here = path[..=depth].join(".");
        match at.fields.get(step).map(|field| &field.kind) {
            Some(Kind::Object(of)) if of.object == "Address" => {
                fields.insert(here);
                return;
            }
            Some(Kind::Object(of)) => match schemas.get(&of.to_string()) {
                Some(next) if depth + 1 < path.len() => at = next,
                _ => {
                    fields.insert(format!("{here}.Id"));
                    return;
                }
            },
            Some(Kind::List(of)) => {
                let inner = children.entry(here).or_default();
                inner.insert("Id".to_owned());
                if let (Kind::Object(of), true) = (&of.kind, depth + 1 < path.len()) {
                    child(schemas, of, &path[depth + 1..], inner);
                }
                return;
            }
            _ => {
                fields.insert(here);
                return;
            }
        }
    }
}

fn child(schemas: &Schemas, of: &ObjectRef, path: &[String], fields: &mut BTreeSet<String>) {
    if let Some(object) = schemas.get(&of.to_string()) {
        // Child queries do not nest further; what would is fetched by itself.
        select(schemas, object, path, fields, &mut BTreeMap::new());
    }
}

fn condition(condition: &Condition) -> Option<String> {
    let all = |parts: &[Condition], word: &str| -> Option<String> {
        let parts: Option<Vec<String>> = parts.iter().map(self::condition).collect();
        Some(format!("({})", parts?.join(word)))
    };
    Some(match condition {
        Condition::All(parts) => all(parts, " AND ")?,
        Condition::Any(parts) => all(parts, " OR ")?,
        Condition::Missing(field) => format!("{} = null", field.join(".")),
        Condition::Present(field) => format!("{} != null", field.join(".")),
        Condition::OneOf { field, values } => {
            let values: Option<Vec<String>> = values.iter().map(literal).collect();
            format!("{} IN ({})", field.join("."), values?.join(", "))
        }
        Condition::Compare { field, comparison, value } => {
            let sign = match comparison {
                Comparison::Equal => "=",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
            };
            format!("{} {sign} {}", field.join("."), literal(value)?)
        }
    })
}

fn literal(literal: &Literal) -> Option<String> {
    Some(match literal {
        Literal::Text(text) => format!("'{}'", escape(text)),
        Literal::Number(number) | Literal::Money(number) => number.to_string(),
        Literal::Boolean(truth) => truth.to_string(),
        Literal::Date(date) => date.to_string(),
        Literal::Datetime(instant) => instant.to_string(),
        _ => return None,
    })
}

/// A text between single quotes.
pub fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_quote_cannot_end_the_literal() {
        assert_eq!(escape(r"O'Brien\"), r"O\'Brien\\");
        assert_eq!(escape("a' OR Name != '"), r"a\' OR Name != \'");
    }
}
