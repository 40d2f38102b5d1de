//! Every expression of an item, however deep.

use crate::syntax::tree::{
    Argument, Deadline, ElseOutcome, Event, ExpectClauseKind, Expr, ExprKind, FieldRow, FromClauseKind, Generator, Item, ItemKind, MatchClauseKind,
    RouteOutcome, RowValue, Rule, RuleKind, Section, SectionKind, Stop, TextPart, Write,
};

/// What is done with each expression, outer ones first.
pub(super) type Visit<'v, 't> = &'v mut dyn FnMut(&'t Expr);

pub(super) fn item<'t>(item: &'t Item, f: Visit<'_, 't>) {
    match &item.kind {
        ItemKind::Parameter(it) => it.default.iter().for_each(|e| expr(e, f)),
        ItemKind::Values(it) => {
            for row in &it.rows {
                row.from.iter().for_each(|e| expr(e, f));
                expr(&row.to, f);
                row.back.iter().for_each(|e| expr(e, f));
            }
            match it.otherwise.as_ref().map(|otherwise| &otherwise.outcome) {
                Some(ElseOutcome::Value(value)) => expr(value, f),
                Some(ElseOutcome::Stop(of)) => stop(of, f),
                None => {}
            }
        }
        ItemKind::Function(it) => {
            it.parameters.iter().filter_map(|p| p.default.as_ref()).for_each(|e| expr(e, f));
            expr(&it.body, f);
        }
        ItemKind::Flow(it) => it.sections.iter().for_each(|s| section(s, f)),
        ItemKind::Expect(it) => {
            for clause in &it.clauses {
                match &clause.kind {
                    ExpectClauseKind::Where(e) | ExpectClauseKind::Seen { deadline: Deadline::Within(e) | Deadline::Before(e), .. } => expr(e, f),
                    ExpectClauseKind::Else(of) => stop(of, f),
                    ExpectClauseKind::For(_) => {}
                }
            }
        }
        ItemKind::Table(_) | ItemKind::Test(_) | ItemKind::Remove { .. } => {}
    }
}

pub(super) fn section<'t>(of: &'t Section, f: Visit<'_, 't>) {
    match &of.kind {
        SectionKind::From(from) => {
            for clause in &from.clauses {
                match &clause.kind {
                    FromClauseKind::Where(e) | FromClauseKind::FirstWhen(e) | FromClauseKind::EveryDuration(e) => expr(e, f),
                    FromClauseKind::Changed { stamps, overlap } => stamps.iter().chain(overlap).for_each(|e| expr(e, f)),
                    _ => {}
                }
            }
        }
        SectionKind::Group(group) => std::iter::once(&group.by).chain(&group.window).for_each(|e| expr(e, f)),
        SectionKind::Match(of) => {
            of.each.iter().for_each(|each| expr(&each.generator.list, f));
            for clause in &of.clauses {
                match &clause.kind {
                    MatchClauseKind::By(e) => expr(e, f),
                    MatchClauseKind::None(of) | MatchClauseKind::Many(of) => stop(of, f),
                }
            }
        }
        SectionKind::Let(of) => expr(&of.value, f),
        SectionKind::Validate(validate) => validate.rules.iter().for_each(|r| rule(r, f)),
        SectionKind::Route(route) => {
            for row in &route.rows {
                row.condition.iter().for_each(|e| expr(e, f));
                match &row.outcome {
                    RouteOutcome::Results(results) => results.iter().for_each(|e| expr(e, f)),
                    RouteOutcome::Stop(of) => stop(of, f),
                }
            }
        }
        SectionKind::Split(split) => {
            expr(&split.generator.list, f);
            expr(&split.by, f);
        }
        SectionKind::Repeat(generator) => expr(&generator.list, f),
        SectionKind::Write(of) => write(of, f),
        SectionKind::When(when) => {
            for event in &when.events {
                if let Event::IsLate(after) = &event.node {
                    expr(after, f);
                }
            }
            when.sections.iter().for_each(|s| section(s, f));
        }
        SectionKind::Remove(_) => {}
    }
}

fn write<'t>(of: &'t Write, f: Visit<'_, 't>) {
    of.key.iter().for_each(|key| expr(&key.value, f));
    of.when.iter().for_each(|e| expr(e, f));
    rows(&of.rows, f);
    for guard in &of.guards {
        expr(&guard.condition, f);
        guard.otherwise.iter().for_each(|of| stop(of, f));
    }
}

fn rule<'t>(of: &'t Rule, f: Visit<'_, 't>) {
    match &of.kind {
        RuleKind::Require { condition, message, .. } | RuleKind::Warn { condition, message, .. } => {
            std::iter::once(condition).chain(message).for_each(|e| expr(e, f));
        }
        RuleKind::Review { condition, message, before, .. } => std::iter::once(condition).chain(message).chain(before).for_each(|e| expr(e, f)),
        RuleKind::Reconcile { left, right, within, message, .. } => [left, right].into_iter().chain(within).chain(message).for_each(|e| expr(e, f)),
        RuleKind::Each { generators, condition, rules } => {
            ranges(generators, condition.as_ref(), f);
            rules.iter().for_each(|r| rule(r, f));
        }
        RuleKind::When { condition, rules } => {
            expr(condition, f);
            rules.iter().for_each(|r| rule(r, f));
        }
        RuleKind::Remove(_) => {}
    }
}

fn stop<'t>(of: &'t Stop, f: Visit<'_, 't>) {
    of.message.iter().chain(&of.before).for_each(|e| expr(e, f));
}

fn rows<'t>(of: &'t [FieldRow], f: Visit<'_, 't>) {
    for row in of {
        match &row.value {
            RowValue::Expr(e) => expr(e, f),
            RowValue::Object { when, rows: inner } => {
                when.iter().for_each(|e| expr(e, f));
                rows(inner, f);
            }
            RowValue::Clear | RowValue::Remove => {}
        }
    }
}

fn ranges<'t>(generators: &'t [Generator], condition: Option<&'t Expr>, f: Visit<'_, 't>) {
    generators.iter().for_each(|g| expr(&g.list, f));
    condition.into_iter().for_each(|e| expr(e, f));
}

fn arguments<'t>(of: &'t [Argument], f: Visit<'_, 't>) {
    of.iter().for_each(|argument| expr(&argument.value, f));
}

pub(super) fn expr<'t>(of: &'t Expr, f: Visit<'_, 't>) {
    f(of);
    match of.kind.as_ref() {
        ExprKind::Name(_) | ExprKind::Number(_) | ExprKind::Boolean(_) | ExprKind::Time(_) | ExprKind::Quantity { .. } | ExprKind::Broken => {}
        ExprKind::Text(text) => text.parts.iter().for_each(|part| {
            if let TextPart::Expr(e) = part {
                expr(e, f)
            }
        }),
        ExprKind::Field { base, .. } => expr(base, f),
        ExprKind::Call { arguments: all, .. } => arguments(all, f),
        ExprKind::Pipe { value, arguments: all, .. } => {
            expr(value, f);
            arguments(all, f);
        }
        ExprKind::Fallback { value, fallback } => [value, fallback].into_iter().for_each(|e| expr(e, f)),
        ExprKind::JsonPath { value, .. }
        | ExprKind::Unit { value, .. }
        | ExprKind::Negate(value)
        | ExprKind::Not(value)
        | ExprKind::IsPresent(value)
        | ExprKind::IsMissing(value)
        | ExprKind::WasSent(value)
        | ExprKind::Distinct(value)
        | ExprKind::Flatten(value)
        | ExprKind::Paren(value) => expr(value, f),
        ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|e| expr(e, f)),
        ExprKind::In { value, list, .. } => std::iter::once(value).chain(list).for_each(|e| expr(e, f)),
        ExprKind::Matches { value, pattern } => [value, pattern].into_iter().for_each(|e| expr(e, f)),
        ExprKind::Reaches { value, thresholds } => std::iter::once(value).chain(thresholds).for_each(|e| expr(e, f)),
        ExprKind::If { condition, then, otherwise } => [condition, then].into_iter().chain(otherwise).for_each(|e| expr(e, f)),
        ExprKind::Each { generators, condition, rows: body } => {
            ranges(generators, condition.as_ref(), f);
            body.iter().for_each(|body| rows(body, f));
        }
        ExprKind::Aggregate { value, generators, condition, arguments: all, .. } => {
            ranges(generators, condition.as_ref(), f);
            expr(value, f);
            arguments(all, f);
        }
        ExprKind::Group { list, by } => [&list.list, by].into_iter().for_each(|e| expr(e, f)),
        ExprKind::Sort { list, by, .. } => std::iter::once(&list.list).chain(by).for_each(|e| expr(e, f)),
        ExprKind::Object(body) => rows(body, f),
        ExprKind::List(items) => items.iter().for_each(|e| expr(e, f)),
    }
}
