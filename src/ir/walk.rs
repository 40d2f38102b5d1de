//! Walks over every expression of a mapping.

use super::{
    Body, Deadline, Event, Expr, Flow, Generator, Mapping, MatchOutcome, Otherwise, Part, Pattern, Repeat, RouteOutcome, Row, RowValue, Rule,
    RuleKind, Stop, Write,
};

/// Calls `each` on every expression of a mapping, outer ones before their parts.
pub fn each_expr<'m>(mapping: &'m Mapping, each: &mut dyn FnMut(&'m Expr)) {
    for map in &mapping.values {
        if let Otherwise::Stop(found) = &map.otherwise {
            stop(found, each);
        }
    }
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
    rules(&flow.rules, each);
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

fn rules<'m>(found: &'m [Rule], each: &mut dyn FnMut(&'m Expr)) {
    for rule in found {
        match &rule.kind {
            RuleKind::Require { condition, message, .. } | RuleKind::Warn { condition, message, .. } => {
                expr(condition, each);
                expr(message, each);
            }
            RuleKind::Review { condition, message, before, .. } => {
                expr(condition, each);
                expr(message, each);
                before.iter().for_each(|before| expr(before, each));
            }
            RuleKind::Reconcile { left, right, within, message, .. } => {
                expr(left, each);
                expr(right, each);
                within.iter().for_each(|within| expr(within, each));
                expr(message, each);
            }
            RuleKind::Each { generators: found, condition, rules: inner, .. } => {
                generators(found, each);
                condition.iter().for_each(|condition| expr(condition, each));
                rules(inner, each);
            }
            RuleKind::When { condition, rules: inner } => {
                expr(condition, each);
                rules(inner, each);
            }
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
    body(&write.body, each);
    for guard in &write.guards {
        expr(&guard.condition, each);
        stop(&guard.otherwise, each);
    }
}

fn body<'m>(body: &'m Body, each: &mut dyn FnMut(&'m Expr)) {
    rows(&body.rows, each);
}

fn rows<'m>(rows: &'m [Row], each: &mut dyn FnMut(&'m Expr)) {
    for row in rows {
        match &row.value {
            RowValue::Expr(value) => expr(value, each),
            RowValue::Object { when, body: inner, .. } => {
                when.iter().for_each(|when| expr(when, each));
                body(inner, each);
            }
            RowValue::Clear => {}
        }
    }
}

fn generators<'m>(generators: &'m [Generator], each: &mut dyn FnMut(&'m Expr)) {
    generators.iter().for_each(|generator| expr(&generator.list, each));
}

/// Calls `each` on an expression and its parts.
pub fn expr<'m>(found: &'m Expr, each: &mut dyn FnMut(&'m Expr)) {
    each(found);
    match found {
        Expr::Literal(_) | Expr::Slot { .. } | Expr::Word(_) | Expr::Parameter(_) | Expr::Named { .. } => {}
        Expr::Field { base: inner, .. }
        | Expr::Values { value: inner, .. }
        | Expr::Negate(inner)
        | Expr::Not(inner)
        | Expr::IsPresent(inner)
        | Expr::WasSent(inner)
        | Expr::JsonPath { value: inner, .. }
        | Expr::Weigh { value: inner, .. }
        | Expr::Measure { value: inner, .. }
        | Expr::LookUpName { value: inner, .. }
        | Expr::Treat { value: inner, .. } => expr(inner, each),
        Expr::Bind { value: left, body: right, .. }
        | Expr::Fallback { value: left, fallback: right }
        | Expr::Arithmetic { left, right, .. }
        | Expr::Compare { left, right, .. }
        | Expr::Group { list: left, by: right, .. }
        | Expr::Sort { list: left, by: right, .. } => {
            expr(left, each);
            expr(right, each);
        }
        Expr::Call { arguments: parts, .. } | Expr::Table { keys: parts, .. } | Expr::And(parts) | Expr::Or(parts) | Expr::List(parts) => {
            parts.iter().for_each(|part| expr(part, each))
        }
        Expr::Template { parts, .. } => {
            for part in parts {
                if let Part::Expr(inner) = part {
                    expr(inner, each);
                }
            }
        }
        Expr::In { value, list } => {
            expr(value, each);
            list.iter().for_each(|item| expr(item, each));
        }
        Expr::Matches { value, pattern } => {
            expr(value, each);
            if let Pattern::Builtin { arguments, .. } = pattern {
                arguments.iter().for_each(|argument| expr(argument, each));
            }
        }
        Expr::If { condition, then, otherwise } => {
            expr(condition, each);
            expr(then, each);
            expr(otherwise, each);
        }
        Expr::Each { generators: found, condition, body } => {
            generators(found, each);
            condition.iter().for_each(|condition| expr(condition, each));
            expr(body, each);
        }
        Expr::Object { rows: found, .. } => rows(found, each),
        Expr::Grouped { value, condition, arguments, .. } => {
            value.iter().for_each(|value| expr(value, each));
            condition.iter().for_each(|condition| expr(condition, each));
            arguments.iter().for_each(|argument| expr(argument, each));
        }
    }
}

/// Whether a part of the expression, or the whole, is one that is looked for.
pub fn any(whole: &Expr, is: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    expr(whole, &mut |part| found = found || is(part));
    found
}

/// The parts of an expression, not their parts.
pub fn direct(whole: &Expr) -> Vec<&Expr> {
    let mut all = Vec::new();
    expr(whole, &mut |found| all.push(found));
    // The walk goes outer before inner: a part is direct if it is no part of a part seen before.
    let mut inner: std::collections::BTreeSet<*const Expr> = std::collections::BTreeSet::new();
    let mut parts = Vec::new();
    for found in all.into_iter().skip(1) {
        if inner.contains(&std::ptr::from_ref(found)) {
            continue;
        }
        parts.push(found);
        expr(found, &mut |below| {
            inner.insert(std::ptr::from_ref(below));
        });
    }
    parts
}
