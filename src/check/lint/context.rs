//! Conditions that what stands above them decides: a flow's `where` and its rules hold for every record that comes to a
//! later rule, to a row of a route, to `first when`.

use std::collections::BTreeSet;

use crate::base::diag::Diagnostic;
use crate::syntax::tree::{self, FromClauseKind, SectionKind};

use super::super::error::lints as error;
use super::super::logic;
use crate::ir::{self, Expr, RuleKind, walk};

pub(super) fn check(tree: &tree::Flow, flow: &ir::Flow, diags: &mut Vec<Diagnostic>) {
    let mut known: Vec<(Expr, BTreeSet<String>)> = flow.filter.iter().map(with_paths).collect();
    if let Some(first) = &flow.first_when
        && decided(&known, first) == Some(false)
        && let Some(span) = clause(tree)
    {
        diags.push(error::constant(false, span, "the flow's `where` leaves out what would go first"));
    }
    let filter = known.len();
    for rule in &flow.rules {
        let mut contradicts = false;
        let (condition, learns) = match &rule.kind {
            RuleKind::Require { condition, .. } => (condition, true),
            RuleKind::Review { condition, .. } | RuleKind::When { condition, .. } => (condition, false),
            _ => continue,
        };
        // What is so by itself was told already.
        if logic::constant(condition).is_none()
            && let Some(truth) = decided(&known, condition)
            && let Some(at) = rule.place.span
        {
            let by = if decided(&known[..filter], condition).is_some() { "the flow's `where`" } else { "the `where` and the rules above" };
            let what = match (&rule.kind, truth) {
                (RuleKind::Require { .. }, false) => Some(format!("{by} let through only what this rule rejects: every record is rejected")),
                (RuleKind::Review { .. }, false) => Some(format!("{by} leave out what this rule is about: no record ever goes to a person by it")),
                (RuleKind::Review { .. }, true) => Some(format!("{by} let through only what this rule is about: every record goes to a person")),
                (RuleKind::When { .. }, false) => Some(format!("{by} leave out what this is about: the rules under it are never asked")),
                _ => None,
            };
            contradicts = !truth;
            diags.extend(what.map(|what| error::constant(truth, at, &what)));
        }
        // Below a rule that nothing passes everything would be false.
        if learns && !contradicts && logic::constant(condition).is_none() {
            known.push(with_paths(condition));
        }
    }
    for row in flow.routes.iter().flat_map(|route| &route.rows) {
        if let Some(condition) = &row.condition
            && logic::constant(condition).is_none()
            && decided(&known, condition) == Some(false)
            && let Some(at) = row.place.span
        {
            let by =
                if decided(&known[..filter], condition) == Some(false) { "the flow's `where` leaves" } else { "the `where` and the rules leave" };
            diags.push(error::constant(false, at, &format!("{by} out what this row is for, so it is never met")));
        }
    }
}

fn clause(tree: &tree::Flow) -> Option<crate::base::Span> {
    tree.sections.iter().find_map(|section| match &section.kind {
        SectionKind::From(from) => from.clauses.iter().find_map(|clause| match &clause.kind {
            FromClauseKind::FirstWhen(condition) => Some(condition.span),
            _ => None,
        }),
        _ => None,
    })
}

/// What a condition comes to where all of these hold, if that is certain. Only what speaks of the same values counts.
fn decided(known: &[(Expr, BTreeSet<String>)], condition: &Expr) -> Option<bool> {
    let own = paths(condition);
    let mut all: Vec<Expr> = known.iter().filter(|(_, paths)| !paths.is_disjoint(&own)).map(|(expr, _)| expr.clone()).collect();
    if all.is_empty() {
        return None;
    }
    all.push(condition.clone());
    if logic::constant(&Expr::And(all.clone())) == Some(false) {
        return Some(false);
    }
    all.pop();
    all.push(Expr::Not(Box::new(condition.clone())));
    (logic::constant(&Expr::And(all)) == Some(false)).then_some(true)
}

fn with_paths(expr: &Expr) -> (Expr, BTreeSet<String>) {
    (expr.clone(), paths(expr))
}

/// The values that a condition reads.
fn paths(expr: &Expr) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk::expr(expr, &mut |expr| {
        if matches!(expr, Expr::Field { .. } | Expr::Slot { .. } | Expr::Call { .. })
            && let Some(path) = logic::path(expr)
            && path.contains(['.', '('])
        {
            found.insert(path);
        }
    });
    found
}
