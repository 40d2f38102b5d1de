//! Two lists over one source whose conditions differ; and conditions that say in many words what
//! the language says in one.

use std::collections::BTreeMap;

use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::syntax::tree::{Expr, ExprKind, Flow, Generator, Rule, RuleKind, SectionKind};
use crate::syntax::walk;

use super::super::error::lints as error;
use super::super::written::written;

/// A list that is gone through: which elements, and where that is said.
struct Use {
    condition: Option<String>,
    at: Span,
}

pub(super) fn check(flow: &Flow, diags: &mut Vec<Diagnostic>) {
    let mut lists: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for section in &flow.sections {
        // A follow-up tells of another time; what it goes through is its own.
        if matches!(section.kind, SectionKind::When(_)) {
            continue;
        }
        if let SectionKind::Validate(validate) = &section.kind {
            rules(&validate.rules, &mut lists);
            continue;
        }
        walk::section(section, &mut |expr| read(expr, &mut lists));
    }
    for (source, uses) in &lists {
        let Some(filtered) = uses.iter().find(|used| used.condition.is_some()) else { continue };
        if let Some(other) = uses.iter().find(|used| used.condition != filtered.condition) {
            diags.push(error::lists_differ(source, other.at, filtered.at, other.condition.is_none()));
        }
    }
    for section in &flow.sections {
        walk::section(section, &mut |expr| long_way(expr, diags));
    }
}

fn rules(all: &[Rule], lists: &mut BTreeMap<String, Vec<Use>>) {
    for rule in all {
        match &rule.kind {
            // A rule asks what it asks: an amount held against all lines is no second list of them.
            RuleKind::Each { generators, condition, rules: inner } => {
                note(generators, condition.as_ref(), rule.span, lists);
                rules(inner, lists);
            }
            RuleKind::When { rules: inner, .. } => rules(inner, lists),
            _ => {}
        }
    }
}

fn read(expr: &Expr, lists: &mut BTreeMap<String, Vec<Use>>) {
    match expr.kind.as_ref() {
        ExprKind::Each { generators, condition, .. } => note(generators, condition.as_ref(), expr.span, lists),
        // Whether any line is so, or which is the first, is another question than which are sent.
        ExprKind::Aggregate { function, generators, condition, .. } if matches!(function.node.as_str(), "sum" | "count" | "join" | "average") => {
            note(generators, condition.as_ref(), expr.span, lists);
        }
        _ => {}
    }
}

fn note(generators: &[Generator], condition: Option<&Expr>, at: Span, lists: &mut BTreeMap<String, Vec<Use>>) {
    let Some(first) = generators.first() else { return };
    // Only fields of a record: a name stands for one list already.
    if !is_path(&first.list) {
        return;
    }
    // Conditions on what is joined to an element say nothing of the element.
    if generators.len() > 1 && condition.is_some() {
        return;
    }
    // The element's own name counts for nothing.
    let condition = condition.map(|condition| {
        let text = written(condition);
        text.replace(&format!("{}.", first.name.node), "it.")
    });
    lists.entry(written(&first.list)).or_default().push(Use { condition, at });
}

fn is_path(expr: &Expr) -> bool {
    match expr.kind.as_ref() {
        ExprKind::Field { base, .. } => matches!(base.kind.as_ref(), ExprKind::Name(_)) || is_path(base),
        ExprKind::Paren(inner) => is_path(inner),
        _ => false,
    }
}

/// `if x is present then x else y` is `x ?? y`.
fn long_way(expr: &Expr, diags: &mut Vec<Diagnostic>) {
    let ExprKind::If { condition, then, otherwise: Some(otherwise) } = expr.kind.as_ref() else { return };
    let (tested, same, other) = match bare(condition).kind.as_ref() {
        ExprKind::IsPresent(value) => (value, then, otherwise),
        ExprKind::IsMissing(value) => (value, otherwise, then),
        _ => return,
    };
    if written(tested) == written(same) {
        diags.push(error::fallback_in_many_words(expr.span, &written(tested), &written(other)));
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => bare(inner),
        _ => expr,
    }
}
