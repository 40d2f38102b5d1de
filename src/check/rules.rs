//! `validate`: each rule, what it teaches about the record, and after which rules it stays silent.

use crate::base::Span;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::facts::Refinement;
use crate::check::flow::Building;
use crate::check::key::{Fact, Key};
use crate::ir::{ContextVar, Expr, Rule, RuleKind};
use crate::syntax::tree::{self, Generator, RuleKind as Written};
use crate::value::{Kind, Literal};

/// A rule without the rules inside it.
fn head(rule: &tree::Rule) -> Span {
    let last = match &rule.kind {
        Written::When { condition, .. } | Written::Each { condition: Some(condition), .. } => condition.span,
        Written::Each { generators, condition: None, .. } => generators.last().map_or(rule.span, |last| last.list.span),
        _ => rule.span,
    };
    Span { end: last.end, ..rule.span }
}

impl Checker<'_> {
    pub(super) fn rules(&mut self, written: &[tree::Rule], building: &mut Building<'_>) -> Vec<Rule> {
        written.iter().filter_map(|rule| self.rule(rule, building)).collect()
    }

    fn rule(&mut self, rule: &tree::Rule, building: &mut Building<'_>) -> Option<Rule> {
        let id = building.rules;
        building.rules += 1;
        let reads = std::mem::take(&mut self.reads);
        let mut learned: Option<Refinement> = None;
        let kind = match &rule.kind {
            Written::Require { condition, message, owner } => {
                let typed = self.rule_condition(condition);
                self.not_silent(rule, condition, &typed, true);
                self.says_something(rule, message.as_ref(), condition, "require");
                let message = self.rule_message(message.as_ref(), condition, "is required");
                learned = Some(typed.refinement.clone());
                RuleKind::Require { condition: truth(typed), message, owner: owner.as_ref().map(|o| o.node.clone()) }
            }
            Written::Review { unless, condition, message, owner, before } => {
                let typed = self.rule_condition(condition);
                self.not_silent(rule, condition, &typed, *unless);
                self.says_something(rule, message.as_ref(), condition, "review");
                let message = self.rule_message(message.as_ref(), condition, if *unless { "does not hold" } else { "holds" });
                let before = before.as_ref().and_then(|before| self.deadline(before));
                let condition = turned(truth(typed), *unless);
                RuleKind::Review { condition, message, owner: owner.as_ref().map(|o| o.node.clone()), before }
            }
            Written::Warn { unless, condition, message, owner } => {
                let typed = self.rule_condition(condition);
                self.says_something(rule, message.as_ref(), condition, "warn");
                let message = self.rule_message(message.as_ref(), condition, if *unless { "does not hold" } else { "holds" });
                RuleKind::Warn { condition: turned(truth(typed), *unless), message, owner: owner.as_ref().map(|o| o.node.clone()) }
            }
            Written::Reconcile { left, right, within, message, owner } => {
                self.reconcile(rule, left, right, within.as_ref(), message.as_ref(), owner.as_ref())?
            }
            Written::Each { generators, condition, rules } => self.each_rule(generators, condition.as_ref(), rules, building),
            Written::When { condition, rules } => {
                let typed = self.condition(condition);
                let known = typed.refinement.if_true.clone();
                let rules = self.with_facts(&known, |checker| checker.rules(rules, building));
                RuleKind::When { condition: truth(typed), rules }
            }
            Written::Remove(_) => {
                self.reads = reads;
                return None;
            }
        };
        let read = std::mem::replace(&mut self.reads, reads);
        self.reads.extend(read.iter().cloned());
        let mut silent_after: Vec<u32> = Vec::new();
        for (other, keys) in &building.requires {
            if *other != id && keys.iter().any(|key| read.contains(key)) {
                silent_after.push(*other);
            }
        }
        // Nested rules know for themselves what they rest on.
        if matches!(kind, RuleKind::Each { .. } | RuleKind::When { .. }) {
            silent_after.clear();
        }
        if let Some(truths) = learned {
            if truths.presence_only {
                building.requires.push((id, subjects(&truths.if_true)));
            }
            self.facts.extend(&truths.if_true);
        }
        Some(Rule { id, kind, silent_after, place: self.place(head(rule)) })
    }

    fn rule_message(&mut self, message: Option<&tree::Expr>, condition: &tree::Expr, what: &str) -> Expr {
        match message {
            Some(message) => self.message(message),
            None => Expr::Literal(Literal::Text(format!("{} {what}", self.text(condition.span)))),
        }
    }

    fn reconcile(
        &mut self,
        rule: &tree::Rule,
        left: &tree::Expr,
        right: &tree::Expr,
        within: Option<&tree::Expr>,
        message: Option<&tree::Expr>,
        owner: Option<&tree::Name>,
    ) -> Option<RuleKind> {
        let left = self.expr(left, None);
        let right = self.expr(right, None);
        let (mut left, mut right) = self.comparable(left, right, rule.span)?;
        if !matches!(left.kind, Kind::Integer | Kind::Decimal | Kind::Money) {
            self.report(error::types::mismatch(left.span, &left.kind, &Kind::Money));
            return None;
        }
        for side in [&mut left, &mut right] {
            let (presence, at, text) = (side.presence.clone(), side.span, self.text(side.span));
            self.require_present(&presence, |gap| error::presence::reconciled(at, &text, gap));
        }
        let kind = left.kind.clone();
        let within = match within {
            Some(within) => {
                let typed = self.expr(within, None);
                let (_, typed) = self.comparable(left.clone(), typed, within.span)?;
                Some(typed.expr)
            }
            None => None,
        };
        let words = [(ContextVar::Difference, "difference", kind)];
        let message = match message {
            Some(message) => self.with_context_vars(&words, |checker| checker.message(message)),
            None => Expr::Template {
                parts: vec![crate::ir::Part::Text("the amounts differ by ".into()), crate::ir::Part::Expr(Expr::ContextVar(ContextVar::Difference))],
                message: true,
            },
        };
        Some(RuleKind::Reconcile { left: left.expr, right: right.expr, within, message, owner: owner.map(|o| o.node.clone()) })
    }

    /// Rules on each element. What they require holds of all elements of the list from here on.
    fn each_rule(&mut self, written: &[Generator], condition: Option<&tree::Expr>, rules: &[tree::Rule], building: &mut Building<'_>) -> RuleKind {
        let first = building.requires.len();
        let mut lasting: Vec<Fact> = Vec::new();
        let mut renamed: Vec<(Key, Key)> = Vec::new();
        let kind = self.scoped(|checker| {
            let generators = checker.generators(written);
            for generator in &generators {
                let binding = checker.find(&generator.name);
                if let Some(list) = binding.and_then(|binding| binding.value.keys.get(1)) {
                    renamed.push((Key::slot(generator.slot), list.clone()));
                }
            }
            let condition = condition.map(|condition| {
                let typed = checker.condition(condition);
                checker.facts.extend(&typed.refinement.if_true);
                typed
            });
            let mark = checker.facts.mark();
            let lowered = checker.rules(rules, building);
            if condition.is_none() {
                lasting.extend(checker.facts.since(mark).iter().filter_map(|fact| rename(fact.present()?, &renamed)).map(Fact::Present));
            }
            let index = generators.last().and_then(|generator| generator.index).unwrap_or(crate::ir::Flow::RECORD);
            RuleKind::Each { generators, condition: condition.map(|c| c.expr), index, rules: lowered }
        });
        self.facts.extend(&lasting);
        // A later rule over the same list rests on them too.
        for (_, keys) in building.requires.iter_mut().skip(first) {
            let more: Vec<Key> = keys.iter().filter_map(|key| rename(key, &renamed)).collect();
            keys.extend(more);
        }
        kind
    }
}

/// What a rule is about: of `ship_to.street` its end. That `ship_to` is there follows from it, but a
/// rule about `ship_to.city` does not rest on the street.
fn subjects(facts: &[Fact]) -> Vec<Key> {
    let present = || facts.iter().filter_map(Fact::present);
    let leads_on = |key: &Key| present().any(|other| other.behind(key).is_some_and(|tail| tail.begins_with_field()));
    present().filter(|key| !leads_on(key)).cloned().collect()
}

/// A fact about an element, as one about every element of its list.
fn rename(key: &Key, renamed: &[(Key, Key)]) -> Option<Key> {
    renamed.iter().find_map(|(own, list)| {
        let tail = key.behind(own)?;
        (tail.is_empty() || tail.begins_with_field()).then(|| tail.from(list))
    })
}

fn truth(typed: TypedExpr) -> Expr {
    if typed.is_erroneous() { Expr::Literal(Literal::Boolean(true)) } else { typed.expr }
}

fn turned(condition: Expr, unless: bool) -> Expr {
    if unless { Expr::Not(Box::new(condition)) } else { condition }
}
