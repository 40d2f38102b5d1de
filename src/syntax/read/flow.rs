//! The sections of a flow.

use pest::iterators::Pair;

use super::super::grammar::Rule as G;
use super::super::outline::{Statement, first_word};
use super::super::tree::{
    Event, Expr, ExprKind, From, FromClause, FromClauseKind, Group, Let, Match, MatchClause, MatchClauseKind, MatchEach, Name, ObjectPath, Remove,
    RemoveSubject, Route, RouteName, RouteOutcome, RouteRow, Rule, RuleKind, Section, SectionKind, Split, Validate, When,
};
use super::{Reader, parts};
use crate::base::{Span, Spanned};

const SECTIONS: [&str; 14] =
    ["from", "group", "match", "let", "validate", "route", "split", "each", "create", "update", "upsert", "when", "remove", "guard"];

impl<'t> Reader<'t> {
    pub(super) fn section(&mut self, statement: &Statement) -> Option<Section> {
        let text = self.slice(statement.head);
        let mut inner = statement.clone();
        // `override` is allowed before a section of an overriding flow, and says nothing more there.
        if first_word(text) == "override" {
            let rest = &text["override".len()..];
            inner.head.start += text.len() - rest.trim_start().len();
        }
        let statement = &inner;
        let kind = match first_word(self.slice(statement.head)) {
            "from" => self.from(statement).map(SectionKind::From),
            "group" => self.group(statement).map(SectionKind::Group),
            "match" => self.matching(statement).map(SectionKind::Match),
            "let" => self.let_(statement).map(SectionKind::Let),
            "validate" => self.validate(statement).map(SectionKind::Validate),
            "route" => self.route(statement).map(SectionKind::Route),
            "split" => self.split(statement).map(SectionKind::Split),
            "each" => {
                self.block_wanted(statement, false);
                self.head(G::repeat_stmt, statement).and_then(|(pair, base)| {
                    let generator = parts(pair).next()?;
                    Some(SectionKind::Repeat(self.generator(generator, base)))
                })
            }
            "create" | "update" | "upsert" => self.write(statement).map(SectionKind::Write),
            "when" => self.when(statement).map(SectionKind::When),
            "remove" => self.remove(statement).map(SectionKind::Remove),
            word => {
                self.unknown_word(statement, word, &SECTIONS[..13], "a flow");
                None
            }
        }?;
        let end = if statement.block.is_some() { statement.tail.start } else { statement.head.end };
        let span = Span::new(self.file, statement.head.start, end.max(statement.head.end));
        Some(Section { doc: statement.doc.clone(), span, kind })
    }

    pub(super) fn object_path(&mut self, pair: Pair<'t, G>, base: usize) -> Option<ObjectPath> {
        let span = self.span(&pair, base);
        let mut inner = parts(pair);
        Some(ObjectPath { connection: self.name(&inner.next()?, base), object: self.name(&inner.next()?, base), span })
    }

    fn from(&mut self, statement: &Statement) -> Option<From> {
        let head = self.head(G::from_head, statement);
        self.no_tail(statement);
        let clauses = statement
            .block
            .iter()
            .flat_map(|block| &block.statements)
            .filter_map(|clause| {
                self.block_wanted(clause, false);
                Some(FromClause { kind: self.source_clause(clause)?, span: clause.head.span(self.file) })
            })
            .collect();
        let (pair, base) = head?;
        let mut inner = parts(pair);
        let object = self.object_path(inner.next()?, base)?;
        let name = inner.next().map(|name| self.name(&name, base));
        Some(From { object, name, clauses })
    }

    fn source_clause(&mut self, statement: &Statement) -> Option<FromClauseKind> {
        let text = self.slice(statement.head);
        let word = first_word(text);
        match word {
            "where" => {
                let (pair, base) = self.head(G::where_stmt, statement)?;
                Some(FromClauseKind::Where(self.expr(parts(pair).next()?, base)))
            }
            "changed" => {
                let (pair, base) = self.head(G::changed_stmt, statement)?;
                let mut stamps = Vec::new();
                let mut overlap = None;
                for part in parts(pair) {
                    if part.as_rule() == G::amount {
                        overlap = Some(self.expr(part, base));
                    } else {
                        stamps.push(self.expr(part, base));
                    }
                }
                Some(FromClauseKind::Changed { stamps, overlap })
            }
            "first" => {
                let (pair, base) = self.head(G::first_stmt, statement)?;
                let condition = parts(pair).find(|part| part.as_rule() == G::expr)?;
                Some(FromClauseKind::FirstWhen(self.expr(condition, base)))
            }
            "every" => {
                let rest = text[word.len()..].trim_start();
                if rest.starts_with(['"', '\'']) {
                    let (pair, base) = self.head(G::every_cron, statement)?;
                    let mut inner = parts(pair);
                    let cron = self.plain_text(&inner.next()?, base);
                    let zone = inner.next().map(|zone| self.plain_text(&zone, base));
                    Some(FromClauseKind::EveryCron { cron, zone })
                } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
                    let (pair, base) = self.head(G::every_duration, statement)?;
                    Some(FromClauseKind::EveryDuration(self.expr(parts(pair).next()?, base)))
                } else {
                    let (pair, base) = self.head(G::every_day, statement)?;
                    let mut inner = parts(pair);
                    let day = self.name(&inner.next()?, base);
                    let at = self.expr(inner.next()?, base);
                    let zone = inner.next().map(|zone| self.plain_text(&zone, base));
                    Some(FromClauseKind::EveryDay { day, at, zone })
                }
            }
            "on" => {
                let (pair, base) = self.head(G::webhook_stmt, statement)?;
                Some(FromClauseKind::Webhook(self.name(&parts(pair).next()?, base)))
            }
            "keep" => self.head(G::keep_stmt, statement).map(|_| FromClauseKind::KeepBlank),
            "including" => self.head(G::history_stmt, statement).map(|_| FromClauseKind::IncludingHistory),
            other => {
                let known = ["where", "changed", "every", "on", "first", "keep", "including"];
                self.unknown_word(statement, other, &known, "`from`");
                None
            }
        }
    }

    fn group(&mut self, statement: &Statement) -> Option<Group> {
        self.block_wanted(statement, false);
        let (pair, base) = self.head(G::group_stmt, statement)?;
        let mut inner = parts(pair);
        let mut by = self.expr(inner.next()?, base);
        let name = name_behind(&mut by);
        let mut group = Group { by, name, window: None };
        for part in inner {
            if part.as_rule() == G::amount {
                group.window = Some(self.expr(part, base));
            } else {
                group.name = Some(self.name(&part, base));
            }
        }
        Some(group)
    }

    fn matching(&mut self, statement: &Statement) -> Option<Match> {
        let head = self.head(G::match_head, statement);
        self.no_tail(statement);
        self.block_wanted(statement, true);
        let clauses = statement
            .block
            .iter()
            .flat_map(|block| &block.statements)
            .filter_map(|clause| {
                self.block_wanted(clause, false);
                Some(MatchClause { kind: self.match_clause(clause)?, span: clause.head.span(self.file) })
            })
            .collect();
        let (pair, base) = head?;
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let object = self.object_path(inner.next()?, base)?;
        let mut each: Option<MatchEach> = None;
        for part in inner {
            match (part.as_rule(), &mut each) {
                (G::generator, _) => {
                    let mut generator = self.generator(part, base);
                    let rows = name_behind(&mut generator.list);
                    each = Some(MatchEach { generator, rows });
                }
                (G::name, Some(each)) => each.rows = Some(self.name(&part, base)),
                _ => {}
            }
        }
        Some(Match { name, object, each, clauses })
    }

    fn match_clause(&mut self, statement: &Statement) -> Option<MatchClauseKind> {
        match first_word(self.slice(statement.head)) {
            "by" => {
                let (pair, base) = self.head(G::by_stmt, statement)?;
                Some(MatchClauseKind::By(self.expr(parts(pair).next()?, base)))
            }
            "none" => {
                let (pair, base) = self.head(G::none_stmt, statement)?;
                Some(MatchClauseKind::None(self.stop(parts(pair).next()?, base)))
            }
            "many" => {
                let (pair, base) = self.head(G::many_stmt, statement)?;
                Some(MatchClauseKind::Many(self.stop(parts(pair).next()?, base)))
            }
            other => {
                self.unknown_word(statement, other, &["by", "none", "many"], "a `match`");
                None
            }
        }
    }

    fn let_(&mut self, statement: &Statement) -> Option<Let> {
        let Some((pair, base)) = self.head(G::let_stmt, statement) else { return self.named_let(statement) };
        let span = self.span(&pair, base);
        let mut inner = parts(pair);
        let name = self.name(&inner.next()?, base);
        let value = inner.next().map(|expr| self.expr(expr, base));
        let value = self.with_block(statement, value, span)?;
        let value = self.tail(statement, value).0;
        Some(Let { name, value })
    }

    /// A `let` whose value cannot be read still gives its name, so that its uses are no news.
    fn named_let(&self, statement: &Statement) -> Option<Let> {
        let text = self.slice(statement.head);
        let rest = text.strip_prefix("let")?;
        let name = first_word(rest);
        let start = statement.head.start + (text.len() - rest.trim_start().len());
        let span = Span::new(self.file, start, start + name.len());
        let value = Expr::new(ExprKind::Broken, statement.head.span(self.file));
        (!name.is_empty()).then(|| Let { name: Spanned::new(name.to_owned(), span), value })
    }

    fn validate(&mut self, statement: &Statement) -> Option<Validate> {
        let head = self.head(G::validate_head, statement);
        self.no_tail(statement);
        self.block_wanted(statement, true);
        let rules = self.rules(statement);
        head.map(|_| Validate { rules })
    }

    fn rules(&mut self, statement: &Statement) -> Vec<Rule> {
        let rules = statement.block.iter().flat_map(|block| &block.statements);
        rules
            .filter_map(|rule| {
                let kind = self.rule(rule)?;
                let end = if rule.block.is_some() { rule.tail.start } else { rule.head.end };
                let span = Span::new(self.file, rule.head.start, end.max(rule.head.end));
                Some(Rule { doc: rule.doc.clone(), span, kind })
            })
            .collect()
    }

    fn rule(&mut self, statement: &Statement) -> Option<RuleKind> {
        let word = first_word(self.slice(statement.head));
        if !matches!(word, "each" | "when") {
            self.block_wanted(statement, false);
        }
        let rule = match word {
            "require" => G::require_stmt,
            "review" => G::review_stmt,
            "warn" => G::warn_stmt,
            "reconcile" => G::reconcile_stmt,
            "each" => {
                let head = self.head(G::rule_each_head, statement);
                self.no_tail(statement);
                self.block_wanted(statement, true);
                let rules = self.rules(statement);
                let (pair, base) = head?;
                let (generators, condition) = self.generators_of(pair, base);
                return Some(RuleKind::Each { generators, condition, rules });
            }
            "when" => {
                let head = self.head(G::rule_when_head, statement);
                self.no_tail(statement);
                self.block_wanted(statement, true);
                let rules = self.rules(statement);
                let (pair, base) = head?;
                let condition = parts(pair).find(|part| part.as_rule() == G::expr)?;
                return Some(RuleKind::When { condition: self.expr(condition, base), rules });
            }
            "remove" => return self.remove(statement).map(RuleKind::Remove),
            other => {
                self.unknown_word(statement, other, &["require", "review", "warn", "reconcile", "each", "when"], "`validate`");
                return None;
            }
        };
        let (pair, base) = self.head(rule, statement)?;
        let unless = pair.clone().into_inner().any(|part| part.as_rule() == G::kw_unless);
        let mut values = Vec::new();
        let (mut message, mut owner, mut before) = (None, None, None);
        for part in parts(pair) {
            match part.as_rule() {
                G::kw_when | G::kw_unless => {}
                G::message => message = Some(self.expr(part, base)),
                G::owner => owner = parts(part).next().map(|text| self.plain_text(&text, base)),
                G::deadline => before = parts(part).next().map(|expr| self.expr(expr, base)),
                _ => values.push(self.expr(part, base)),
            }
        }
        let mut values = values.into_iter();
        let condition = values.next()?;
        Some(match word {
            "require" => RuleKind::Require { condition, message, owner },
            "review" => RuleKind::Review { unless, condition, message, owner, before },
            "warn" => RuleKind::Warn { unless, condition, message, owner },
            _ => RuleKind::Reconcile { left: condition, right: values.next()?, within: values.next(), message, owner },
        })
    }

    fn route(&mut self, statement: &Statement) -> Option<Route> {
        let head = self.head(G::route_head, statement);
        self.no_tail(statement);
        self.block_wanted(statement, true);
        let mut rows = Vec::new();
        let mut removes = Vec::new();
        for row in statement.block.iter().flat_map(|block| &block.statements) {
            self.block_wanted(row, false);
            match first_word(self.slice(row.head)) {
                "when" | "else" => rows.extend(self.route_row(row)),
                "remove" => removes.extend(self.remove(row)),
                other => self.unknown_word(row, other, &["when", "else"], "a `route`"),
            }
        }
        let (pair, base) = head?;
        let names = parts(pair)
            .filter_map(|part| {
                let mut inner = parts(part);
                let name = self.name(&inner.next()?, base);
                let of = inner.next().map(|of| self.type_expr(of, base));
                Some(RouteName { name, of })
            })
            .collect();
        Some(Route { names, rows, removes })
    }

    fn route_row(&mut self, statement: &Statement) -> Option<RouteRow> {
        let (pair, base) = self.head(G::route_row, statement)?;
        let span = self.span(&pair, base);
        let conditional = pair.clone().into_inner().any(|part| part.as_rule() == G::kw_when);
        let mut condition = None;
        let mut results = Vec::new();
        let mut stop = None;
        for part in parts(pair) {
            match part.as_rule() {
                G::kw_when => {}
                G::stop => stop = Some(self.stop(part, base)),
                _ if conditional && condition.is_none() => condition = Some(self.expr(part, base)),
                _ => results.push(self.expr(part, base)),
            }
        }
        let outcome = stop.map_or(RouteOutcome::Results(results), RouteOutcome::Stop);
        Some(RouteRow { condition, outcome, span })
    }

    fn split(&mut self, statement: &Statement) -> Option<Split> {
        self.block_wanted(statement, false);
        let (pair, base) = self.head(G::split_stmt, statement)?;
        let mut inner = parts(pair);
        let generator = self.generator(inner.next()?, base);
        let mut by = self.expr(inner.next()?, base);
        let name = name_behind(&mut by).or_else(|| inner.next().map(|name| self.name(&name, base)));
        Some(Split { generator, by, name })
    }

    fn when(&mut self, statement: &Statement) -> Option<When> {
        let head = self.head(G::when_head, statement);
        self.no_tail(statement);
        self.block_wanted(statement, true);
        let sections = statement.block.iter().flat_map(|block| &block.statements).filter_map(|inner| self.section(inner)).collect();
        let (pair, base) = head?;
        let mut inner = parts(pair).filter(|part| part.as_rule() != G::kw_when);
        let subject = self.name(&inner.next()?, base);
        let events = inner
            .filter_map(|event| {
                let span = self.span(&event, base);
                let kind = parts(event).next()?;
                let event = match kind.as_rule() {
                    G::fails => Event::Fails,
                    G::is_rejected => Event::IsRejected,
                    G::in_review => Event::IsInReview,
                    G::is_gone => Event::IsGone,
                    G::succeeds => Event::Succeeds,
                    _ => Event::IsLate(Box::new(self.expr(parts(kind).next()?, base))),
                };
                Some(Spanned::new(event, span))
            })
            .collect();
        Some(When { subject, events, sections })
    }

    pub(super) fn remove(&mut self, statement: &Statement) -> Option<Remove> {
        self.block_wanted(statement, false);
        let (pair, base) = self.head(G::remove_stmt, statement)?;
        let span = self.span(&pair, base);
        let mut inner = parts(pair);
        let what = inner.next()?;
        let what = Spanned::new(what.as_str().trim().to_owned(), self.span(&what, base));
        let subject = match inner.next() {
            None => RemoveSubject::Nothing,
            Some(part) => match part.as_rule() {
                G::message => RemoveSubject::Message(self.expr(part, base)),
                G::object_path => RemoveSubject::Object(self.object_path(part, base)?),
                G::name => RemoveSubject::Name(self.name(&part, base)),
                _ => RemoveSubject::Condition(self.expr(part, base)),
            },
        };
        Some(Remove { what, subject, span })
    }
}

/// After a `key`, `group by` or `split … by` an `as` always gives a name, though the grammar of
/// expressions took it for a unit: the name is taken off the end of the expression again.
pub(super) fn name_behind(expr: &mut Expr) -> Option<Name> {
    let (value, name) = match expr.kind.as_mut() {
        ExprKind::Unit { value, unit } => (value.clone(), unit.clone()),
        ExprKind::Fallback { fallback: last, .. } | ExprKind::Binary { right: last, .. } => {
            let name = name_behind(last)?;
            expr.span.end = last.span.end;
            return Some(name);
        }
        ExprKind::Not(value) => {
            let name = name_behind(value)?;
            expr.span.end = value.span.end;
            return Some(name);
        }
        _ => return None,
    };
    *expr = value;
    Some(name)
}
