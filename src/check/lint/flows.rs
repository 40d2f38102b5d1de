//! Doubts about a flow and its writes.

use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::schema::Object;
use crate::syntax::tree::{self, FromClauseKind, SectionKind};
use crate::value::{Kind, ObjectRef};

use super::super::error::lints as error;
use super::super::logic;
use super::{Input, currency, writes};
use crate::ir::{self, Event, Expr, Operation, RowValue, RuleKind, print, walk};

pub(super) fn check(input: &Input<'_>, tree: &tree::Flow, flow: &ir::Flow, broken: bool, diags: &mut Vec<Diagnostic>) {
    if !broken {
        gone(input, tree, flow, diags);
        stamps(input, tree, flow, diags);
    }
    conditions(tree, flow, diags);
    super::groups::check(input, tree, flow, diags);
    for (write, of) in pairs(&tree.sections, &flow.writes) {
        check_write(input, flow, of, write, broken, diags);
    }
    let mut follow_ups = flow.follow_ups.iter();
    for section in &tree.sections {
        if let (SectionKind::When(when), Some(typed)) =
            (&section.kind, if matches!(section.kind, SectionKind::When(_)) { follow_ups.next() } else { None })
        {
            for (write, of) in pairs(&when.sections, &typed.writes) {
                check_write(input, flow, of, write, broken, diags);
            }
        }
    }
}

/// Writes as written and typed, where none was left out.
fn pairs<'a>(sections: &'a [tree::Section], typed: &'a [ir::Write]) -> Vec<(&'a ir::Write, &'a tree::Write)> {
    let written: Vec<&tree::Write> = writes(sections).collect();
    if written.len() == typed.len() { typed.iter().zip(written).collect() } else { Vec::new() }
}

/// A record that leaves the flow's `where` after it was sent.
fn gone(input: &Input<'_>, tree: &tree::Flow, flow: &ir::Flow, diags: &mut Vec<Diagnostic>) {
    let creates = flow.writes.iter().any(|write| write.op != Operation::Update);
    let handled = flow.follow_ups.iter().any(|follow_up| follow_up.events.contains(&Event::IsGone));
    if !creates || handled || flow.filter.is_empty() || flow.group.is_some() {
        return;
    }
    // A file is mapped as it is: nobody looks for what was in it before.
    if input.environment.object(&flow.source).is_some_and(|object| object.system == "files") {
        return;
    }
    let place = tree.sections.iter().find_map(|section| match &section.kind {
        SectionKind::From(from) => from.clauses.iter().find(|clause| matches!(clause.kind, FromClauseKind::Where(_))).map(|clause| clause.span),
        _ => None,
    });
    let end = tree.sections.last().map(|section| section.span);
    diags.push(error::gone_unhandled(&flow.source_name, place.unwrap_or(tree.name.span), end));
}

/// Child records that are read and whose changes do not move the parent's stamp.
fn stamps(input: &Input<'_>, tree: &tree::Flow, flow: &ir::Flow, diags: &mut Vec<Diagnostic>) {
    if flow.changed.is_empty() {
        return;
    }
    let mut children: Vec<(String, ObjectRef)> = Vec::new();
    walk::flow_exprs(flow, &mut |expr| {
        if let Expr::Field { base, name, kind: Kind::List(of), .. } = expr
            && base.is_record()
            && let Kind::Object(child) = &of.kind
            && !children.iter().any(|(had, _)| had.as_str() == name.as_ref())
        {
            children.push((name.to_string(), child.clone()));
        }
    });
    let stamps = tree.sections.iter().find_map(|section| match &section.kind {
        SectionKind::From(from) => from.clauses.iter().find_map(|clause| match &clause.kind {
            FromClauseKind::Changed { stamps, .. } => stamps.last().map(|last| last.span),
            _ => None,
        }),
        _ => None,
    });
    for (name, child) in children {
        let Some(object) = input.environment.object(&child) else { continue };
        let (Some(stamp), Some(_)) = (&object.stamp, &object.parent) else { continue };
        if !flow.changed.iter().any(|path| path.first() == Some(&name)) {
            let at = stamps.unwrap_or(tree.name.span);
            diags.push(error::stamp_missing(&flow.source_name, &name, stamp, at));
        }
    }
}

/// Conditions of the flow that are the same for every record.
fn conditions(tree: &tree::Flow, flow: &ir::Flow, diags: &mut Vec<Diagnostic>) {
    if let Some(truth) = flow.filter.iter().find_map(logic::settled).or_else(|| never_all(&flow.filter)) {
        let place = tree.sections.iter().find_map(|section| match &section.kind {
            SectionKind::From(from) => from.clauses.iter().find_map(|clause| match &clause.kind {
                FromClauseKind::Where(condition) => Some(condition.span),
                _ => None,
            }),
            _ => None,
        });
        let what = if truth { "every record is fetched, with it or without it" } else { "no record is ever fetched" };
        diags.push(error::constant(truth, place.unwrap_or(tree.name.span), what));
    }
    rules(&flow.rules, diags);
    for write in &flow.writes {
        for guard in &write.guards {
            if let Some(truth) = logic::settled(&guard.condition)
                && let Some(at) = guard.place.span
            {
                diags.push(error::constant(truth, at, if truth { "the guard never stops anything" } else { "the guard stops every update" }));
            }
        }
    }
}

/// Conditions that together hold for nothing.
fn never_all(all: &[Expr]) -> Option<bool> {
    (all.len() > 1 && logic::constant(&Expr::And(all.to_vec())) == Some(false)).then_some(false)
}

fn rules(all: &[ir::Rule], diags: &mut Vec<Diagnostic>) {
    for rule in all {
        let (condition, when_true, when_false) = match &rule.kind {
            RuleKind::Require { condition, .. } => (condition, "the rule never rejects anything", "the rule rejects every record"),
            RuleKind::Review { condition, .. } => (condition, "every record goes to a person", "no record ever goes to a person by this rule"),
            RuleKind::Warn { condition, .. } => (condition, "every record is warned of", "the rule never warns"),
            RuleKind::Each { rules: inner, .. } => {
                rules(inner, diags);
                continue;
            }
            RuleKind::When { condition, rules: inner } => {
                rules(inner, diags);
                (condition, "the condition can go", "the rules under it are never asked")
            }
            RuleKind::Reconcile { .. } => continue,
        };
        if let Some(truth) = logic::settled(condition)
            && let Some(at) = rule.place.span
        {
            diags.push(error::constant(truth, at, if truth { when_true } else { when_false }));
        }
    }
}

fn check_write(input: &Input<'_>, flow: &ir::Flow, of: &tree::Write, write: &ir::Write, broken: bool, diags: &mut Vec<Diagnostic>) {
    if let (Some(condition), Some(when)) = (&of.when, &write.when) {
        let all: Vec<Expr> = flow.filter.iter().cloned().chain([when.clone()]).collect();
        match logic::settled(when) {
            Some(true) => diags.push(error::constant(true, condition.span, "the write is made for every record")),
            Some(false) => diags.push(error::never_runs(&write.name, condition.span, None)),
            None if logic::constant(&Expr::And(all)) == Some(false) => {
                diags.push(error::never_runs(&write.name, condition.span, flow.place.span));
            }
            None => {}
        }
    }
    let Some(object) = input.environment.object(&write.object) else { return };
    body(input, flow, &object, &write.body.rows, diags);
    // A follow-up that writes what the flow has sent before sends only what becomes other.
    let again = !flow.writes.iter().any(|own| std::ptr::eq(own, write)) && flow.writes.iter().any(|own| own.object == write.object);
    if !broken && !again && write.op != Operation::Update {
        commonly_needed(&write.name, &object, &write.body.rows, write.key.as_ref().and_then(|key| key.field.as_deref()), of.head, diags);
    }
}

/// Fields that most writes of this object need.
fn commonly_needed(name: &str, object: &Object, rows: &[ir::Row], key: Option<&str>, at: Span, diags: &mut Vec<Diagnostic>) {
    let missing: Vec<(&str, &str)> = object
        .fields
        .iter()
        .filter(|(field, _)| key != Some(field.as_str()) && !rows.iter().any(|row| row.name == **field))
        .filter_map(|(field, of)| of.common.as_deref().map(|why| (field.as_str(), why)))
        .collect();
    if !missing.is_empty() {
        diags.push(error::commonly_needed(name, &object.name, &missing, at));
    }
}

/// The rows of one body, and of those inside it.
fn body(input: &Input<'_>, flow: &ir::Flow, object: &Object, rows: &[ir::Row], diags: &mut Vec<Diagnostic>) {
    twice(input, flow, object, rows, diags);
    currency::check(flow, object, rows, diags);
    for row in rows {
        match &row.value {
            RowValue::Expr(value) => {
                passed_through(object, row, value, diags);
                inner_bodies(input, flow, value, diags);
            }
            RowValue::Object { body: inner, .. } => {
                if let Some(object) = input.environment.object(&inner.object) {
                    body(input, flow, &object, &inner.rows, diags);
                }
            }
            RowValue::Clear => {}
        }
    }
}

fn inner_bodies(input: &Input<'_>, flow: &ir::Flow, value: &Expr, diags: &mut Vec<Diagnostic>) {
    match value {
        Expr::Object { rows, object: Some(of) } => {
            if let Some(object) = input.environment.object(of) {
                body(input, flow, &object, rows, diags);
            }
        }
        Expr::Each { body, .. } | Expr::Bind { body, .. } => inner_bodies(input, flow, body, diags),
        Expr::Coerce { value, .. } => inner_bodies(input, flow, value, diags),
        _ => {}
    }
}

/// A text of the record as it is, where the target knows a list of names.
fn passed_through(object: &Object, row: &ir::Row, value: &Expr, diags: &mut Vec<Diagnostic>) {
    let Some(Kind::Enumeration(known)) = object.fields.get(&row.name).map(|field| &field.kind) else { return };
    let plain = value.uncoerced();
    // A value of another list is told of where the two lists are compared.
    let Expr::Field { kind: Kind::Text, base, .. } = plain else { return };
    if matches!(base.as_ref(), Expr::ContextVar(ir::ContextVar::Target)) {
        return;
    }
    if let Some(at) = row.place.span {
        let some: Vec<&str> = known.names().take(4).collect();
        diags.push(error::passed_through(&print::path(plain), &row.name, &known.name, &some, at));
    }
}

/// One source field in two target fields, where one of them has a source field of its own name
/// that nothing reads: a line that was copied and half changed.
fn twice(input: &Input<'_>, flow: &ir::Flow, object: &Object, rows: &[ir::Row], diags: &mut Vec<Diagnostic>) {
    let plain: Vec<(&ir::Row, &Expr, &str, String)> = rows
        .iter()
        .filter_map(|row| {
            let RowValue::Expr(value) = &row.value else { return None };
            let value = value.uncoerced();
            let Expr::Field { base, name, .. } = value else { return None };
            Some((row, base.as_ref(), name.as_ref(), logic::path(value)?))
        })
        .collect();
    for (at, (row, base, name, path)) in plain.iter().enumerate() {
        let Some((first, ..)) = plain[..at].iter().chain(&plain[at + 1..]).find(|(other, _, _, had)| had == path && alike(&other.name, name)) else {
            continue;
        };
        if alike(&row.name, name) {
            continue;
        }
        let source = match base {
            Expr::Slot { slot, .. } if *slot == ir::Flow::RECORD => Some(flow.source.clone()),
            Expr::Field { kind: Kind::Object(of), .. } => Some(of.clone()),
            _ => None,
        };
        let Some(source) = source.and_then(|of| input.environment.object(&of)) else { continue };
        let meant = source.fields.iter().find(|(field, of)| of.readable && alike(field, &row.name)).map(|(field, _)| field.as_str());
        let Some(meant) = meant else { continue };
        let read = plain.iter().any(|(_, other, name, _)| *name == meant && logic::path(other) == logic::path(base));
        if let (false, Some(here), there) = (read, row.place.span, first.place.span) {
            let from = print::path(base);
            diags.push(error::mapped_twice(
                &format!("{from}.{name}"),
                (&first.name, &row.name),
                &format!("{from}.{meant}"),
                here,
                there,
                &object.name,
            ));
        }
    }
}

/// `postalCode` and `PostalCode`, `City` and `city__c`.
fn alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches("__c").chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    plain(a) == plain(b)
}
