//! What flows of one project do to each other: one writes a status that another's `where` leaves out, or they make
//! records for each other without end.

use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::syntax::tree::{FromClauseKind, SectionKind};
use crate::value::Literal;

use super::super::error::feeds as error;
use super::super::logic;
use super::Input;
use crate::ir::{self, Compare, Event, Expr, Flow, Mapping, Operation, Otherwise, Policy, RowValue, Write, print, walk};

pub(super) fn check(input: &Input<'_>, mapping: &Mapping, diags: &mut Vec<Diagnostic>) {
    for flow in &mapping.flows {
        leaves_where(input, mapping, flow, diags);
        grows(flow, diags);
    }
    makes_for_itself(mapping, diags);
}

/// The records that a flow has sent, and that another flow gives a status by which they leave it.
fn leaves_where(input: &Input<'_>, mapping: &Mapping, flow: &Flow, diags: &mut Vec<Diagnostic>) {
    if flow.filter.is_empty() || flow.group.is_some() || flow.writes.iter().all(|write| write.op == Operation::Update) {
        return;
    }
    for other in mapping.flows.iter().filter(|other| other.name != flow.name) {
        // What is done when something is gone takes back on purpose.
        let later = other.follow_ups.iter().filter(|follow_up| !follow_up.events.contains(&Event::IsGone)).flat_map(|follow_up| &follow_up.writes);
        for write in other.writes.iter().chain(later).filter(|write| write.object == flow.source && write.of.is_some()) {
            for row in &write.body.rows {
                let (RowValue::Expr(value), Some(field)) = (&row.value, filtered(flow, &row.name)) else { continue };
                let mut values = Vec::new();
                literals(mapping, value, &mut values);
                let left: Vec<String> = values.iter().filter(|value| leaves_out(flow, field, value)).map(print::literal).collect();
                if left.is_empty() {
                    continue;
                }
                let Some(at) = where_clause(input, flow) else { continue };
                let from = row.place.span;
                diags.push(error::leaves_where(&flow.source_name, &row.name, &left, &other.name, at, from));
                return;
            }
        }
    }
}

/// The field of the record that a flow's `where` looks at.
fn filtered<'f>(flow: &'f Flow, name: &str) -> Option<&'f Expr> {
    let mut found = None;
    for condition in &flow.filter {
        walk::expr(condition, &mut |expr| {
            if let Expr::Field { base, name: field, .. } = expr
                && **field == *name
                && base.is_record()
            {
                found = Some(expr);
            }
        });
    }
    found
}

fn leaves_out(flow: &Flow, field: &Expr, value: &Literal) -> bool {
    let is = Expr::Compare { op: Compare::Equal, left: Box::new(field.clone()), right: Box::new(Expr::Literal(value.clone())) };
    never_with(flow, is)
}

fn never_with(flow: &Flow, condition: Expr) -> bool {
    let all: Vec<Expr> = flow.filter.iter().cloned().chain([condition]).collect();
    logic::constant(&Expr::And(all)) == Some(false)
}

/// The constants that a value may be.
fn literals(mapping: &Mapping, value: &Expr, into: &mut Vec<Literal>) {
    match value {
        Expr::Literal(literal) if *literal != Literal::Missing => into.push(literal.clone()),
        Expr::Coerce { value, .. } => literals(mapping, value, into),
        Expr::Bind { body, .. } => literals(mapping, body, into),
        Expr::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(|one| literals(mapping, one, into)),
        Expr::Fallback { value, fallback } => [value, fallback].into_iter().for_each(|one| literals(mapping, one, into)),
        Expr::Parameter(name) => into.extend(mapping.parameters.get(name).map(|parameter| parameter.value.clone())),
        Expr::Values { map, back: false, .. } => {
            if let Some(map) = mapping.values.get(*map) {
                into.extend(map.rows.iter().map(|row| row.to.clone()));
                if let Otherwise::Value { to, .. } = &map.otherwise {
                    into.push(to.clone());
                }
            }
        }
        _ => {}
    }
}

fn where_clause(input: &Input<'_>, flow: &Flow) -> Option<Span> {
    let written = input.scope.flows().find(|found| found.node.name.node == flow.name)?;
    written.node.sections.iter().find_map(|section| match &section.kind {
        SectionKind::From(from) => from.clauses.iter().find_map(|clause| match &clause.kind {
            FromClauseKind::Where(condition) => Some(condition.span),
            _ => None,
        }),
        _ => None,
    })
}

/// A field of the record that is made of itself: each poll finds it changed, and changes it again.
fn grows(flow: &Flow, diags: &mut Vec<Diagnostic>) {
    let own = flow.writes.iter().filter(|write| write.op == Operation::Update && write.of == Some(Flow::RECORD) && flow.group.is_none());
    for row in own.flat_map(|write| &write.body.rows) {
        let RowValue::Expr(value) = &row.value else { continue };
        if row.policy == Policy::Changed && adds_to(value, &row.name) {
            diags.extend(row.place.span.map(|at| error::grows(&flow.source_name, &row.name, at)));
        }
    }
}

fn adds_to(value: &Expr, field: &str) -> bool {
    match value {
        Expr::Coerce { value, .. } => adds_to(value, field),
        Expr::Fallback { value, fallback } => adds_to(value, field) || adds_to(fallback, field),
        Expr::Call { arguments, .. } => arguments.first().is_some_and(|first| adds_to(first, field)),
        Expr::If { then, otherwise, .. } => adds_to(then, field) && adds_to(otherwise, field),
        Expr::Arithmetic { .. } | Expr::Template { .. } => {
            let mut reads = false;
            walk::expr(value, &mut |expr| {
                reads |= matches!(expr, Expr::Field { base, name, .. }
                    if **name == *field && base.is_record());
            });
            reads
        }
        _ => false,
    }
}

/// Flows in a circle, each of which makes records that the next reads.
fn makes_for_itself(mapping: &Mapping, diags: &mut Vec<Diagnostic>) {
    let feeds = |from: &Flow, to: &Flow| -> Option<ir::Place> {
        from.writes
            .iter()
            .find(|write| write.object == to.source && makes(write) && to.group.is_none() && may_be_read(mapping, write, to))
            .map(|write| write.place.clone())
    };
    let edges: Vec<Vec<usize>> =
        mapping.flows.iter().map(|from| (0..mapping.flows.len()).filter(|to| feeds(from, &mapping.flows[*to]).is_some()).collect()).collect();
    for start in 0..mapping.flows.len() {
        // A circle is told once, at its first flow.
        let Some(way) = back_to(&edges, start) else { continue };
        if way.iter().any(|flow| *flow < start) {
            continue;
        }
        let next = way.get(1).copied().unwrap_or(start);
        let Some(at) = feeds(&mapping.flows[start], &mapping.flows[next]).and_then(|place| place.span) else { continue };
        let names: Vec<&str> = way.iter().map(|flow| mapping.flows[*flow].name.as_str()).collect();
        diags.push(error::feeds_itself(&names, &mapping.flows[next].source_name, at));
    }
}

/// The shortest way from a flow back to itself.
fn back_to(edges: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    let mut seen = vec![false; edges.len()];
    while let Some(way) = ways.pop_front() {
        for next in &edges[*way.last()?] {
            if *next == start {
                return Some(way);
            }
            if !std::mem::replace(&mut seen[*next], true) {
                ways.push_back(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}

/// A write that makes a record of its own for each record that comes. One of a match finds what is there.
fn makes(write: &Write) -> bool {
    matches!(write.op, Operation::Create | Operation::Upsert) && write.of.is_none() && write.milestones.is_none()
}

/// Whether a flow's `where` lets through what the write makes, as far as can be told.
fn may_be_read(mapping: &Mapping, write: &Write, flow: &Flow) -> bool {
    let mut names = std::collections::BTreeSet::new();
    for condition in &flow.filter {
        walk::expr(condition, &mut |expr| {
            if let Expr::Field { base, name, .. } = expr
                && base.is_record()
            {
                names.insert(name.to_string());
            }
        });
    }
    for name in &names {
        let Some(field) = filtered(flow, name) else { continue };
        let present = field.clone().is_present();
        let is_key = write.key.as_ref().and_then(|key| key.field.as_deref()) == Some(name.as_str());
        let row = write.body.rows.iter().find(|row| row.name == *name);
        let kept_out = match row.map(|row| &row.value) {
            _ if is_key => never_with(flow, present),
            Some(RowValue::Expr(value)) => {
                let mut values = Vec::new();
                literals(mapping, value, &mut values);
                !values.is_empty() && values.iter().all(|value| leaves_out(flow, field, value))
            }
            Some(_) => false,
            None => never_with(flow, Expr::Not(Box::new(present))),
        };
        if kept_out {
            return false;
        }
    }
    true
}
