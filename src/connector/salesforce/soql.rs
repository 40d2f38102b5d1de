//! The query that fetches a flow's records: just the fields that the mapping reads, the part of the
//! filter that SOQL can express, by key and not by offset.
//!
//! Values are escaped as the SOQL reference says (`\` and `'` by a backslash); nothing of a record
//! ever goes into a query.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Compare, Expr, Flow, Mapping};
use crate::plan::pushdown::{constant, path};
use crate::plan::{FlowPlan, Plan};
use crate::schema::Object;
use crate::value::{Kind, Literal, ObjectRef};

/// The SOQL of a flow; `:since` stands for the lower bound of the delta. `None` where its source is
/// no Salesforce object.
pub fn query(plan: &Plan, flow: &Flow, reads: &FlowPlan) -> Option<String> {
    let object = source(plan, flow)?;
    let mut conditions = pushed(plan, flow, reads);
    if let Some([stamp]) = flow.changed.first().map(Vec::as_slice) {
        conditions.push(format!("{stamp} >= :since"));
    }
    let mut query = format!("SELECT {} FROM {}", selected(plan, object, &reads.reads), flow.source.object);
    if !conditions.is_empty() {
        query.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if let Some(stamp) = &object.stamp {
        query.push_str(&format!(" ORDER BY {stamp}, Id"));
    }
    Some(query)
}

/// The schema of a flow's source, if it is a Salesforce object.
pub(super) fn source<'p>(plan: &'p Plan, flow: &Flow) -> Option<&'p Object> {
    plan.objects.get(&flow.source.to_string()).filter(|object| object.system == "salesforce")
}

/// The select list for some paths of an object: always with its id and its stamp.
pub(super) fn selected(plan: &Plan, object: &Object, paths: &[Vec<String>]) -> String {
    let mut fields: BTreeSet<String> = BTreeSet::from(["Id".to_owned()]);
    let mut children: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if let Some(stamp) = &object.stamp {
        fields.insert(stamp.clone());
    }
    for read in paths {
        select(plan, object, read, &mut fields, &mut children);
    }
    let mut selected: Vec<String> = fields.into_iter().collect();
    for (child, fields) in children {
        let inner: Vec<String> = fields.into_iter().collect();
        selected.push(format!("(SELECT {} FROM {child})", inner.join(", ")));
    }
    selected.join(", ")
}

/// The conditions that the source applies itself.
pub(super) fn pushed(plan: &Plan, flow: &Flow, reads: &FlowPlan) -> Vec<String> {
    reads.pushed_down.iter().filter_map(|at| flow.filter.get(*at)).filter_map(|conjunct| condition(conjunct, &plan.mapping)).collect()
}

/// Child records whose changes do not move their parent's stamp.
pub(super) struct Child {
    pub(super) object: String,
    /// The field that holds the parent's id.
    pub(super) parent: String,
    pub(super) stamp: String,
}

pub(super) fn children(plan: &Plan, flow: &Flow) -> Vec<Child> {
    let object = |of: &ObjectRef| plan.objects.get(&of.to_string());
    let child = |path: &Vec<String>| {
        let [list, stamp] = path.as_slice() else { return None };
        let Kind::List(of) = &object(&flow.source)?.fields.get(list)?.kind else { return None };
        let Kind::Object(of) = &of.kind else { return None };
        let parent = object(of)?.parent.clone()?;
        Some(Child { object: of.object.clone(), parent, stamp: stamp.clone() })
    };
    if source(plan, flow).is_none() {
        return Vec::new();
    }
    flow.changed.iter().filter_map(child).collect()
}

/// The queries that find records whose children have changed: such a change does not move the
/// record's own stamp, and SOQL takes no semi-join beside another condition by `OR`.
pub fn child_queries(plan: &Plan, flow: &Flow) -> Vec<String> {
    let query = |Child { object, parent, stamp }| format!("SELECT {parent} FROM {object} WHERE {stamp} >= :since ORDER BY {stamp}, Id");
    children(plan, flow).into_iter().map(query).collect()
}

/// What a path asks for: a field, a parent's field, a compound field, or a field of child records.
fn select(plan: &Plan, object: &Object, path: &[String], fields: &mut BTreeSet<String>, children: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut at = object;
    for (depth, step) in path.iter().enumerate() {
        let here = path[..=depth].join(".");
        match at.fields.get(step).map(|field| &field.kind) {
            Some(Kind::Object(of)) if of.object == "Address" => {
                fields.insert(here);
                return;
            }
            Some(Kind::Object(of)) => match plan.objects.get(&of.to_string()) {
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
                    child(plan, of, &path[depth + 1..], inner);
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

fn child(plan: &Plan, of: &ObjectRef, path: &[String], fields: &mut BTreeSet<String>) {
    if let Some(object) = plan.objects.get(&of.to_string()) {
        // Child queries do not nest further; what would is fetched by itself.
        select(plan, object, path, fields, &mut BTreeMap::new());
    }
}

fn condition(expr: &Expr, mapping: &Mapping) -> Option<String> {
    let all = |parts: &[Expr], word: &str| -> Option<String> {
        let parts: Option<Vec<String>> = parts.iter().map(|part| condition(part, mapping)).collect();
        Some(format!("({})", parts?.join(word)))
    };
    Some(match expr {
        Expr::And(parts) => all(parts, " AND ")?,
        Expr::Or(parts) => all(parts, " OR ")?,
        Expr::Not(inner) => match &**inner {
            Expr::IsPresent(value) => format!("{} = null", name(value)?),
            _ => return None,
        },
        Expr::IsPresent(value) => format!("{} != null", name(value)?),
        Expr::Field { .. } => format!("{} = true", name(expr)?),
        Expr::In { value, list } => {
            let items: Option<Vec<String>> = list.iter().map(|item| constant(item, mapping).and_then(literal)).collect();
            format!("{} IN ({})", name(value)?, items?.join(", "))
        }
        Expr::Compare { op, left, right } => {
            let sign = match op {
                Compare::Equal => "=",
                other => other.sign(),
            };
            format!("{} {sign} {}", name(left)?, constant(right, mapping).and_then(literal)?)
        }
        _ => return None,
    })
}

fn name(expr: &Expr) -> Option<String> {
    path(expr).map(|(steps, _)| steps.join("."))
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
