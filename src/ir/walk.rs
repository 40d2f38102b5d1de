//! Walks over every expression of a mapping.

pub use super::expr::rows as row_parts;

use super::{Deadline, Event, Expr, Flow, Generator, Mapping, MatchOutcome, Otherwise, Repeat, RouteOutcome, Row, Rule, RuleKind, Stop, Write};

/// Calls `each` on every expression of a mapping, outer ones before their parts.
pub fn each_expr<'m>(mapping: &'m Mapping, each: &mut dyn FnMut(&'m Expr)) {
    shared_exprs(mapping, each);
    for flow in &mapping.flows {
        flow_exprs(flow, each);
    }
    for expect in &mapping.expects {
        expect.filter.iter().for_each(|filter| expr(filter, each));
        expr(&expect.message, each);
        if let Deadline::Before(time) = &expect.deadline {
            expr(time, each);
        }
    }
}

/// Calls `each` on every expression of what flows share: the value maps.
pub fn shared_exprs<'m>(mapping: &'m Mapping, each: &mut dyn FnMut(&'m Expr)) {
    for map in &mapping.values {
        if let Otherwise::Stop(found) = &map.otherwise {
            stop(found, each);
        }
    }
}

/// Calls `each` on every expression of a flow.
pub fn flow_exprs<'m>(flow: &'m Flow, each: &mut dyn FnMut(&'m Expr)) {
    flow.filter.iter().chain(&flow.first_when).for_each(|found| expr(found, each));
    flow.group.iter().flat_map(|group| std::iter::once(&group.by).chain(&group.stamp)).for_each(|of| expr(of, each));
    for found in &flow.matches {
        if let Some(of) = &found.each {
            expr(&of.generator.list, each);
        }
        found.by.iter().for_each(|key| expr(&key.equals, each));
        for outcome in [&found.none, &found.many] {
            if let MatchOutcome::Stop(found) = outcome {
                stop(found, each);
            }
        }
    }
    flow.lets.iter().for_each(|found| expr(&found.value, each));
    flow.rules.iter().for_each(|found| rule(found, each));
    for row in flow.routes.iter().flat_map(|route| &route.rows) {
        row.condition.iter().for_each(|condition| expr(condition, each));
        match &row.outcome {
            RouteOutcome::Results(results) => results.iter().for_each(|result| expr(result, each)),
            RouteOutcome::Stop(found) => stop(found, each),
        }
    }
    flow.writes.iter().for_each(|found| write(found, each));
    for follow_up in &flow.follow_ups {
        follow_up.lets.iter().for_each(|found| expr(&found.value, each));
        follow_up.writes.iter().for_each(|found| write(found, each));
        // A delay is a number by itself.
        debug_assert!(follow_up.events.iter().all(|event| !matches!(event, Event::IsLate(delay) if *delay < 0)));
    }
}

fn stop<'m>(stop: &'m Stop, each: &mut dyn FnMut(&'m Expr)) {
    expr(&stop.message, each);
    stop.before.iter().for_each(|before| expr(before, each));
}

/// Calls `each` on every expression of a rule, and of those inside it.
pub fn rule<'m>(of: &'m Rule, each: &mut dyn FnMut(&'m Expr)) {
    of.kind.parts(&mut |part| expr(part, each));
    of.kind.inner().iter().for_each(|inner| rule(inner, each));
}

impl RuleKind {
    /// Calls `each` on the rule's own expressions, not on their parts, and not on those of rules inside it.
    pub fn parts<'m>(&'m self, each: &mut dyn FnMut(&'m Expr)) {
        match self {
            RuleKind::Require { condition, message, .. } | RuleKind::Warn { condition, message, .. } => {
                [condition, message].into_iter().for_each(each)
            }
            RuleKind::Review { condition, message, before, .. } => [condition, message].into_iter().chain(before).for_each(each),
            RuleKind::Reconcile { left, right, within, message, .. } => {
                [left, right].into_iter().chain(within).chain([message]).for_each(each);
            }
            RuleKind::Each { generators, condition, .. } => generators.iter().map(|one| &one.list).chain(condition).for_each(each),
            RuleKind::When { condition, .. } => each(condition),
        }
    }

    /// The rules inside it.
    pub fn inner(&self) -> &[Rule] {
        match self {
            RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => rules,
            _ => &[],
        }
    }
}

/// Calls `each` on every expression of a write.
pub fn write<'m>(write: &'m Write, each: &mut dyn FnMut(&'m Expr)) {
    write.key.iter().for_each(|key| expr(&key.value, each));
    write.when.iter().for_each(|when| expr(when, each));
    match &write.repeat {
        Some(Repeat::Each { generators: found }) => generators(found, each),
        Some(Repeat::Split { generator, by, .. }) => {
            expr(&generator.list, each);
            expr(by, each);
        }
        None => {}
    }
    write.milestones.iter().for_each(|milestones| expr(&milestones.value, each));
    rows(&write.body.rows, each);
    for guard in &write.guards {
        expr(&guard.condition, each);
        stop(&guard.otherwise, each);
    }
}

/// Calls `each` on every expression of rows.
pub fn rows<'m>(of: &'m [Row], each: &mut dyn FnMut(&'m Expr)) {
    row_parts(of, &mut |value| expr(value, each));
}

fn generators<'m>(generators: &'m [Generator], each: &mut dyn FnMut(&'m Expr)) {
    generators.iter().for_each(|generator| expr(&generator.list, each));
}

/// Calls `each` on an expression and all inside it, outer ones first.
pub fn expr<'m>(found: &'m Expr, each: &mut dyn FnMut(&'m Expr)) {
    each(found);
    found.parts(&mut |part| expr(part, each));
}

/// Whether a part of the expression, or the whole, is one that is looked for.
pub fn any(whole: &Expr, is: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    expr(whole, &mut |part| found = found || is(part));
    found
}
