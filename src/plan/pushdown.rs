//! Which parts of a filter the source can apply itself.
//!
//! What is pushed down may let through more than the mapping wants (a system compares text without
//! case), never less: the whole filter is evaluated here as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ir::{Compare, Expr, Flow, Mapping};
use crate::schema::Object;
use crate::system::{self, Dialect};
use crate::value::{Kind, Literal};

/// Whether a conjunct can go into the source's own query.
pub(super) fn can(expr: &Expr, mapping: &Mapping, source: Option<&Object>, objects: &BTreeMap<String, Arc<Object>>) -> bool {
    match source.and_then(|source| system::manifest(&source.system)?.filters) {
        Some(Dialect::Soql) => {}
        // The lists of the others know a few parameters, which are not conditions.
        None => return false,
    }
    let inner = |part: &Expr| can(part, mapping, source, objects);
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(inner),
        Expr::Not(part) => matches!(**part, Expr::IsPresent(_)) && inner(part),
        Expr::IsPresent(value) => filterable(value, source, objects),
        Expr::Field { kind: Kind::Boolean, .. } => filterable(expr, source, objects),
        Expr::In { value, list } => {
            filterable(value, source, objects) && !list.is_empty() && list.iter().all(|item| constant(item, mapping).is_some())
        }
        Expr::Compare { op, left, right } => {
            let (Some((_, kind)), Some(_)) = (path(left), constant(right, mapping)) else { return false };
            if !filterable(left, source, objects) {
                return false;
            }
            match op {
                Compare::Equal => true,
                // Without case, `!=` would leave out records that differ in case only.
                Compare::NotEqual => !matches!(kind, Kind::Text),
                _ => matches!(kind, Kind::Integer | Kind::Decimal | Kind::Money | Kind::Date | Kind::Datetime),
            }
        }
        _ => false,
    }
}

/// The longest text that can be compared in a query; longer ones are text areas.
const LONGEST_FILTERED: usize = 255;

/// Whether the source can look at a field in a filter: no lists, no compound fields, no text areas.
fn filterable(expr: &Expr, source: Option<&Object>, objects: &BTreeMap<String, Arc<Object>>) -> bool {
    let (Some((steps, kind)), Some(mut at)) = (path(expr), source) else { return false };
    if matches!(kind, Kind::List(_) | Kind::Object(_) | Kind::Json | Kind::Any) {
        return false;
    }
    for step in &steps {
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
pub fn path(expr: &Expr) -> Option<(Vec<String>, &Kind)> {
    let Expr::Field { base, name, kind, .. } = expr else { return None };
    let mut steps = match &**base {
        Expr::Slot { slot, .. } if *slot == Flow::RECORD => Vec::new(),
        Expr::Field { kind: Kind::Object(of), .. } if of.object != "Address" => path(base)?.0,
        _ => return None,
    };
    steps.push(name.to_string());
    Some((steps, kind))
}

/// A value that is known before the record.
pub fn constant<'m>(expr: &'m Expr, mapping: &'m Mapping) -> Option<&'m Literal> {
    match expr {
        // A query compares numbers, whatever their currencies are.
        Expr::Literal(Literal::Missing | Literal::Amount(..)) => None,
        Expr::Literal(literal) => Some(literal),
        Expr::Treat { value, .. } => constant(value, mapping),
        // An environment's plan holds its parameters; a name is resolved when a run starts.
        Expr::Parameter(name) => {
            let parameter = mapping.parameters.get(name)?;
            (!matches!(parameter.of.kind, Kind::Reference(_)))
                .then_some(&parameter.value)
                .filter(|value| !matches!(value, Literal::Missing | Literal::Amount(..)))
        }
        _ => None,
    }
}
