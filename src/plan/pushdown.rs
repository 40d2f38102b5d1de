//! Push-down: which parts of a filter the source can apply itself.
//!
//! The pushed-down part may let more records through than the mapping wants (a system compares text without case), but never fewer:
//! the whole filter is evaluated here as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ir::{Compare, Expr, Flow, Mapping};
use crate::schema::{Comparison, Condition, FieldPath, Object};
use crate::system::Dialect;
use crate::value::{Kind, Literal};

/// Whether a conjunct can go into the source's own query.
pub(super) fn can(expr: &Expr, mapping: &Mapping, source: Option<&Object>, objects: &BTreeMap<String, Arc<Object>>) -> bool {
    match source.and_then(|source| source.system.manifest()?.filters) {
        Some(Dialect::Soql) => {}
        // The lists of the others know a few parameters, which are not conditions.
        None => return false,
    }
    lower(expr, mapping, &|steps, kind| filterable(steps, kind, source, objects)).is_some()
}

/// A conjunct of a filter as a condition; none where it is no condition that a query can hold. Whether its fields can be
/// filtered by was asked when the plan was made.
pub(super) fn condition(expr: &Expr, mapping: &Mapping) -> Option<Condition> {
    lower(expr, mapping, &|_, _| true)
}

fn lower(expr: &Expr, mapping: &Mapping, filterable: &dyn Fn(&[String], &Kind) -> bool) -> Option<Condition> {
    let inner = |part: &Expr| lower(part, mapping, filterable);
    Some(match expr {
        Expr::And(parts) => Condition::All(parts.iter().map(inner).collect::<Option<_>>()?),
        Expr::Or(parts) => Condition::Any(parts.iter().map(inner).collect::<Option<_>>()?),
        Expr::Not(part) => match &**part {
            Expr::IsPresent(value) => Condition::Missing(field(value, filterable)?.0),
            _ => return None,
        },
        Expr::IsPresent(value) => Condition::Present(field(value, filterable)?.0),
        Expr::Field { kind: Kind::Boolean, .. } => {
            Condition::Compare { field: field(expr, filterable)?.0, comparison: Comparison::Equal, value: Literal::Boolean(true) }
        }
        Expr::In { value, list } if !list.is_empty() => Condition::OneOf {
            field: field(value, filterable)?.0,
            values: list.iter().map(|item| constant(item, mapping).cloned()).collect::<Option<_>>()?,
        },
        Expr::Compare { op, left, right } => {
            let (steps, kind) = field(left, filterable)?;
            let value = constant(right, mapping)?.clone();
            let takes = match op {
                Compare::Equal => true,
                // Without case, `!=` would leave out records that differ in case only.
                Compare::NotEqual => !matches!(kind, Kind::Text),
                _ => matches!(kind, Kind::Integer | Kind::Decimal | Kind::Money | Kind::Date | Kind::Datetime),
            };
            if !takes {
                return None;
            }
            Condition::Compare { field: steps, comparison: comparison(*op), value }
        }
        _ => return None,
    })
}

/// A path and its kind, where it can be filtered by.
fn field<'e>(expr: &'e Expr, filterable: &dyn Fn(&[String], &Kind) -> bool) -> Option<(FieldPath, &'e Kind)> {
    path(expr).filter(|(steps, kind)| filterable(steps, kind))
}

fn comparison(op: Compare) -> Comparison {
    match op {
        Compare::Equal => Comparison::Equal,
        Compare::NotEqual => Comparison::NotEqual,
        Compare::Less => Comparison::Less,
        Compare::LessOrEqual => Comparison::LessOrEqual,
        Compare::Greater => Comparison::Greater,
        Compare::GreaterOrEqual => Comparison::GreaterOrEqual,
    }
}

/// The longest text that can be compared in a query; longer ones are text areas.
const LONGEST_FILTERED: usize = 255;

/// Whether the source can look at a field in a filter: no lists, no compound fields, no text areas.
fn filterable(steps: &[String], kind: &Kind, source: Option<&Object>, objects: &BTreeMap<String, Arc<Object>>) -> bool {
    let Some(mut at) = source else { return false };
    if matches!(kind, Kind::List(_) | Kind::Object(_) | Kind::Json | Kind::Any) {
        return false;
    }
    for step in steps {
        let Some(field) = at.fields.get(step) else { return false };
        match &field.kind {
            Kind::Object(of) => match objects.get(&of.to_string()) {
                Some(next) => at = next,
                None => return false,
            },
            _ => return field.size.is_none_or(|size| size.max <= LONGEST_FILTERED),
        }
    }
    false
}

/// A path of the record that goes through parents only, and the kind of its end.
fn path(expr: &Expr) -> Option<(FieldPath, &Kind)> {
    let Expr::Field { base, name, kind, .. } = expr else { return None };
    let mut steps = match &**base {
        Expr::Slot { slot, .. } if *slot == Flow::RECORD => Vec::new(),
        Expr::Field { kind: Kind::Object(of), .. } if of.object != "Address" => path(base)?.0,
        _ => return None,
    };
    steps.push(name.to_string());
    Some((steps, kind))
}

/// A value that is known before the record, and that a query can hold.
fn constant<'m>(expr: &'m Expr, mapping: &'m Mapping) -> Option<&'m Literal> {
    let literal = match expr {
        Expr::Literal(literal) => literal,
        Expr::Coerce { value, .. } => return constant(value, mapping),
        // An environment's plan holds its parameters; a name is resolved when a run starts.
        Expr::Parameter(name) => {
            let parameter = mapping.parameters.get(name)?;
            (!matches!(parameter.of.kind, Kind::Reference(_))).then_some(&parameter.value)?
        }
        _ => return None,
    };
    // A query compares numbers, whatever their currencies are; a time of day, a duration, a weight it has no notation for.
    let holds =
        matches!(literal, Literal::Text(_) | Literal::Number(_) | Literal::Money(_) | Literal::Boolean(_) | Literal::Date(_) | Literal::Datetime(_));
    holds.then_some(literal)
}
