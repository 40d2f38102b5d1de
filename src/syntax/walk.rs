//! Every expression of an item, however deep.

use super::tree::{
    self, Deadline, ElseOutcome, Event, ExpectClauseKind, Expr, FieldRow, FromClauseKind, Item, ItemKind, MatchClauseKind, RouteOutcome, Rule,
    RuleKind, Section, SectionKind, Stop, Write,
};

/// What is done with each expression, outer ones first.
pub type Visit<'v, 't> = &'v mut dyn FnMut(&'t Expr);

/// Calls `f` with every expression of an item.
pub fn item<'t>(item: &'t Item, f: Visit<'_, 't>) {
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

/// Calls `f` with every expression of a section of a flow.
pub fn section<'t>(of: &'t Section, f: Visit<'_, 't>) {
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
            generators.iter().map(|generator| &generator.list).chain(condition).for_each(|e| expr(e, f));
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
    tree::row_parts(of, &mut |part| expr(part, f));
}

/// Calls `f` with an expression and all inside it, outer ones first.
pub fn expr<'t>(of: &'t Expr, f: Visit<'_, 't>) {
    f(of);
    of.parts(&mut |part| expr(part, f));
}
