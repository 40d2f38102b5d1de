//! Amounts into a field that takes one currency only (`x-currency` of its schema), or whose currency is sent with them.
//!
//! An amount whose currency is known to differ never leaves: it does not fit. Here is told what may differ and is asked for nowhere, and
//! what has no currency where one is sent.

use std::collections::BTreeSet;

use crate::base::diag::Diagnostic;
use crate::schema::Object;
use crate::value::{Kind, Literal, WireEncoding};

use super::super::error::lints as error;
use crate::ir::{self, Expr, RowValue, walk};

/// Where an amount gets its currency from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Code(String),
    /// A field of the record: `CurrencyIsoCode`.
    Field(String),
    /// The source does not say it.
    Unsaid,
}

/// The rows of one object; those inside it are asked for by the caller.
pub(super) fn check(flow: &ir::Flow, object: &Object, rows: &[ir::Row], diags: &mut Vec<Diagnostic>) {
    for row in rows {
        let RowValue::Expr(value) = &row.value else { continue };
        let fixed = match object.fields.get(&row.name).map(|field| &field.wire) {
            Some(WireEncoding::Amount { currency: Some(fixed), .. }) => fixed,
            Some(WireEncoding::MoneyObject { .. }) => {
                if let Some(at) = row.place.span.filter(|_| has_no_currency(flow, value, 0)) {
                    diags.push(error::no_currency(&row.name, &object.name, at));
                }
                continue;
            }
            _ => continue,
        };
        let mut sources = BTreeSet::new();
        amounts(flow, value, 0, &mut sources);
        let asked = asked(flow);
        let doubt = sources.into_iter().find(|source| match source {
            From::Code(code) => code != fixed,
            From::Field(name) => !asked.contains(name.as_str()) && !asked.contains(""),
            From::Unsaid => !asked.contains(""),
        });
        let Some(doubt) = doubt else { continue };
        if let Some(at) = row.place.span {
            let from = match &doubt {
                From::Code(code) => format!("this amount is in {code}"),
                From::Field(name) => format!("this amount is in the currency of `{name}`"),
                From::Unsaid => "nothing says which currency this amount is in".to_owned(),
            };
            diags.push(error::other_currency(&row.name, &object.name, fixed, &from, matches!(doubt, From::Code(_)), at));
        }
    }
}

/// Do the rules, the route or the conditions of the flow ask in which currency an amount is?
pub(super) fn is_asked(flow: &ir::Flow) -> bool {
    !asked(flow).is_empty()
}

/// What the rules, the route and the conditions of the flow ask about currencies: names of fields that hold one, and an empty name where
/// `currency(…)` is called.
fn asked(flow: &ir::Flow) -> BTreeSet<&str> {
    let mut asked = BTreeSet::new();
    let mut fields = BTreeSet::new();
    walk::flow_exprs(flow, &mut |expr| {
        if let Expr::Field { wire: WireEncoding::Amount { currency_field: Some(name), .. }, .. } = expr {
            fields.insert(name.as_str());
        }
    });
    let mut ask = |expr: &Expr| match expr {
        Expr::Call { function, .. } if function.0.name == "currency" => {
            asked.insert("");
        }
        Expr::Field { name, .. } => {
            if let Some(field) = fields.get(&**name) {
                asked.insert(*field);
            }
        }
        Expr::Slot { slot, .. } => {
            for of in flow.lets.iter().filter(|of| of.slot == *slot) {
                walk::expr(&of.value, &mut |expr| match expr {
                    Expr::Call { function, .. } if function.0.name == "currency" => {
                        asked.insert("");
                    }
                    Expr::Field { name, .. } => {
                        if let Some(field) = fields.get(&**name) {
                            asked.insert(*field);
                        }
                    }
                    _ => {}
                });
            }
        }
        _ => {}
    };
    for rule in &flow.rules {
        walk::rule(rule, &mut ask);
    }
    flow.filter.iter().for_each(|filter| walk::expr(filter, &mut ask));
    for row in flow.routes.iter().flat_map(|route| &route.rows) {
        row.condition.iter().for_each(|condition| walk::expr(condition, &mut ask));
    }
    for write in &flow.writes {
        write.when.iter().for_each(|when| walk::expr(when, &mut ask));
    }
    asked
}

/// Whether an amount can come out of an expression that surely has no currency: it is written without one, or its source does not say it.
fn has_no_currency(flow: &ir::Flow, expr: &Expr, depth: usize) -> bool {
    if depth > 32 {
        return false;
    }
    let inner = |expr: &Expr| has_no_currency(flow, expr, depth + 1);
    match expr {
        Expr::Literal(Literal::Number(_) | Literal::Money(_)) => true,
        // Only a number is made money so.
        Expr::Coerce { kind: Kind::Money, .. } => true,
        Expr::Field { wire: WireEncoding::Amount { currency_field: None, currency: None, .. }, .. } => true,
        Expr::Field { base, kind: Kind::Money, .. } => matches!(base.as_ref(), Expr::Table { .. }),
        Expr::Slot { slot, .. } => flow.lets.iter().filter(|of| of.slot == *slot).any(|of| inner(&of.value)),
        Expr::If { then, otherwise, .. } => inner(then) || inner(otherwise),
        Expr::Fallback { value, fallback } => inner(value) || inner(fallback),
        Expr::Bind { body, .. } | Expr::Each { body, .. } => inner(body),
        Expr::Negate(value) => inner(value),
        Expr::Arithmetic { left, right, .. } => inner(left) && inner(right),
        Expr::Call { function, arguments } => {
            matches!(function.0.name, "sum" | "min" | "max" | "round" | "first" | "last") && arguments.first().is_some_and(inner)
        }
        _ => false,
    }
}

/// The amounts that an expression's value comes from.
fn amounts(flow: &ir::Flow, expr: &Expr, depth: usize, found: &mut BTreeSet<From>) {
    if depth > 32 {
        return;
    }
    let mut inner = |expr: &Expr| amounts(flow, expr, depth + 1, found);
    match expr {
        Expr::Field { kind: Kind::Money, wire, .. } => {
            found.insert(match wire {
                WireEncoding::Amount { currency: Some(code), .. } => From::Code(code.clone()),
                WireEncoding::Amount { currency_field: Some(name), .. } => From::Field(name.clone()),
                _ => From::Unsaid,
            });
        }
        // Nothing of it is money any more, or its currency is said.
        Expr::Call { function, .. } if matches!(function.0.name, "amount" | "currency") => {}
        Expr::Call { function, arguments } if function.0.name == "money" => {
            found.insert(match arguments.get(1) {
                Some(Expr::Literal(Literal::Text(code))) => From::Code(code.trim().to_uppercase()),
                _ => From::Unsaid,
            });
        }
        Expr::Slot { slot, .. } => flow.lets.iter().filter(|of| of.slot == *slot).for_each(|of| inner(&of.value)),
        Expr::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(|expr| inner(expr)),
        Expr::Fallback { value, fallback } => [value, fallback].into_iter().for_each(|expr| inner(expr)),
        Expr::Arithmetic { left, right, .. } => [left, right].into_iter().for_each(|expr| inner(expr)),
        Expr::Each { body, .. } => inner(body),
        Expr::Bind { value, body, .. } => {
            inner(body);
            if matches!(body.as_ref(), Expr::Slot { .. }) {
                inner(value);
            }
        }
        Expr::Negate(value) | Expr::Coerce { value, .. } => inner(value),
        Expr::Call { arguments, .. } => arguments.iter().for_each(inner),
        Expr::Grouped { value, .. } => value.iter().for_each(|value| inner(value)),
        _ => {}
    }
}
