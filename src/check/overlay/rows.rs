//! Field rows and rules of an overlay over those of its base.

use crate::base::Span;
use crate::syntax::tree::{Expr, ExprKind, FieldRow, Remove, RemoveSubject, RowValue, Rule, RuleKind};

use super::super::error::items::Absent;
use super::super::written::{dotted, ranges, spoken, written};
use super::Overlay;

impl Overlay<'_> {
    /// Lays field rows over a body. A nested object's rows are merged one by one, whether they are
    /// written `a { b = … }` or `a.b = …`; so are those of an `each … { … }`.
    pub(super) fn rows(&mut self, base: &mut Vec<FieldRow>, new: &[FieldRow], whole: Span) {
        for row in new {
            self.row(base, row.clone(), whole);
        }
    }

    fn row(&mut self, base: &mut Vec<FieldRow>, mut row: FieldRow, whole: Span) {
        let place: Vec<String> = row.place.iter().map(|name| name.node.clone()).collect();
        let is = |had: &FieldRow| had.place.iter().map(|name| &name.node).eq(place.iter());
        if let Some(at) = base.iter().position(is) {
            match (&mut base[at].value, &mut row.value) {
                (_, RowValue::Remove) => {
                    base.remove(at);
                }
                (RowValue::Object { when, rows }, RowValue::Object { when: new_when, rows: new_rows }) => {
                    if new_when.is_some() {
                        when.clone_from(new_when);
                    }
                    let new_rows = std::mem::take(new_rows);
                    self.rows(rows, &new_rows, whole);
                }
                (RowValue::Expr(list), RowValue::Object { when: None, rows: new_rows }) if has_body(list) => {
                    let new_rows = std::mem::take(new_rows);
                    if let Some(rows) = body_of(list) {
                        self.rows(rows, &new_rows, whole);
                    }
                }
                _ => base[at] = row,
            }
            return;
        }
        // `a.b = …` over `a { b = … }`.
        for had in base.iter_mut() {
            let depth = had.place.len();
            let inside = depth < place.len() && had.place.iter().zip(&place).all(|(had, new)| had.node == *new);
            let rows = match &mut had.value {
                RowValue::Object { rows, .. } => Some(rows),
                RowValue::Expr(list) => body_of(list),
                _ => None,
            };
            if let (true, Some(rows)) = (inside, rows) {
                row.place.drain(..depth);
                self.row(rows, row, whole);
                return;
            }
        }
        // `a { b = … }` over `a.b = …`.
        let deeper = |had: &FieldRow| had.place.len() > place.len() && had.place.iter().zip(&place).all(|(had, new)| had.node == *new);
        if base.iter().any(deeper) {
            match row.value {
                RowValue::Object { when: None, rows } => {
                    for mut inner in rows {
                        inner.place.splice(0..0, row.place.iter().cloned());
                        self.row(base, inner, whole);
                    }
                    return;
                }
                RowValue::Remove => {
                    base.retain(|had| !deeper(had));
                    return;
                }
                _ => {}
            }
        }
        if matches!(row.value, RowValue::Remove) {
            let known = base.iter().map(|row| dotted(&row.place)).collect();
            self.absent(Absent { removing: true, what: "field", name: &place.join("."), at: row.span, base: Some(whole), known });
        } else {
            base.push(row);
        }
    }

    /// Lays rules over those of a `validate`.
    pub(super) fn rules(&mut self, base: &mut Vec<Rule>, new: &[Rule], whole: Span) {
        for rule in new {
            if let RuleKind::Remove(remove) = &rule.kind {
                self.remove_rule(&mut [&mut *base], remove, whole);
                continue;
            }
            let same = base.iter_mut().find(|had| known_by(had) == known_by(rule));
            match same {
                Some(had) => match (&mut had.kind, &rule.kind) {
                    (RuleKind::Each { rules: old, .. }, RuleKind::Each { rules: new, .. })
                    | (RuleKind::When { rules: old, .. }, RuleKind::When { rules: new, .. }) => self.rules(old, new, whole),
                    _ => *had = rule.clone(),
                },
                None => base.push(rule.clone()),
            }
        }
    }

    /// `remove require "…"`: wherever it stands, also inside an `each`.
    pub(super) fn remove_rule(&mut self, lists: &mut [&mut Vec<Rule>], remove: &Remove, whole: Span) {
        let RemoveSubject::Message(message) = &remove.subject else { return };
        let message = spoken(message);
        let taken = lists.iter_mut().any(|rules| take_rule(rules, &remove.what.node, &message));
        if !taken {
            let mut known = Vec::new();
            lists.iter().for_each(|rules| messages(rules, &mut known));
            self.absent(Absent { removing: true, what: &remove.what.node, name: &message, at: remove.span, base: Some(whole), known });
        }
    }
}

/// The rows of `each … { rows }`.
fn body_of(list: &mut Expr) -> Option<&mut Vec<FieldRow>> {
    match list.kind.as_mut() {
        ExprKind::Each { rows, .. } => rows.as_mut(),
        ExprKind::Object(rows) => Some(rows),
        _ => None,
    }
}

fn has_body(list: &Expr) -> bool {
    matches!(list.kind.as_ref(), ExprKind::Each { rows: Some(_), .. } | ExprKind::Object(_))
}

/// By what a rule is known again: its message; without one, what it asks.
fn known_by(rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::Each { generators, condition, .. } => format!("each {}", ranges(generators, condition.as_ref())),
        RuleKind::When { condition, .. } => format!("when {}", written(condition)),
        RuleKind::Remove(_) => String::new(),
        _ => match message_of(rule) {
            Some(message) => format!("message {message}"),
            None => format!("rule {}", asked(rule)),
        },
    }
}

fn message_of(rule: &Rule) -> Option<String> {
    match &rule.kind {
        RuleKind::Require { message, .. }
        | RuleKind::Review { message, .. }
        | RuleKind::Warn { message, .. }
        | RuleKind::Reconcile { message, .. } => message.as_ref().map(spoken),
        _ => None,
    }
}

fn asked(rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::Require { condition, .. } => format!("require {}", written(condition)),
        RuleKind::Review { condition, unless, .. } => format!("review {unless} {}", written(condition)),
        RuleKind::Warn { condition, unless, .. } => format!("warn {unless} {}", written(condition)),
        RuleKind::Reconcile { left, right, .. } => format!("reconcile {} {}", written(left), written(right)),
        _ => String::new(),
    }
}

fn rule_word(rule: &Rule) -> &'static str {
    match &rule.kind {
        RuleKind::Require { .. } => "require",
        RuleKind::Review { .. } => "review",
        RuleKind::Warn { .. } => "warn",
        RuleKind::Reconcile { .. } => "reconcile",
        RuleKind::Each { .. } => "each",
        RuleKind::When { .. } => "when",
        RuleKind::Remove(_) => "remove",
    }
}

fn take_rule(rules: &mut Vec<Rule>, word: &str, message: &str) -> bool {
    if let Some(at) = rules.iter().position(|rule| rule_word(rule) == word && message_of(rule).as_deref() == Some(message)) {
        rules.remove(at);
        return true;
    }
    let found = rules.iter_mut().any(|rule| match &mut rule.kind {
        RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => take_rule(rules, word, message),
        _ => false,
    });
    // An `each` that asks nothing any more goes too.
    rules.retain(|rule| !matches!(&rule.kind, RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } if rules.is_empty()));
    found
}

fn messages(rules: &[Rule], into: &mut Vec<String>) {
    for rule in rules {
        into.extend(message_of(rule));
        if let RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } = &rule.kind {
            messages(rules, into);
        }
    }
}
