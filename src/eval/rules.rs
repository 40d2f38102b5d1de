//! The rules of a flow: all of them run, and each cause is reported once.

use super::evaluator::EvalError;
use super::reasons::{built_in, refused};
use super::record::Run;
use super::trace::{Mark, Tracer};
use super::{Answer, Decided, Decision, Met, arithmetic};
use crate::ir::print;
use crate::ir::{Arithmetic, Expr, Rule, RuleKind};
use crate::value::{Value, compare};

impl<'a> Run<'a> {
    pub(super) fn rules(&mut self, rules: &'a [Rule], places: &mut Vec<usize>) {
        for rule in rules {
            if let Some(cause) = self.silent(rule, places) {
                self.was_silent(rule, places, cause);
                continue;
            }
            if let Err(mut halt) = self.rule(rule, places) {
                halt.place.get_or_insert_with(|| rule.place.clone());
                // What rests on it would say the same cause again.
                self.failed.entry(rule.id).or_default().push(places.clone());
                self.reason(halt);
            }
        }
    }

    /// Whether a rule that this one rests on has failed, for this element or for all.
    fn silent(&self, rule: &Rule, places: &[usize]) -> Option<u32> {
        let covers = |failed: &Vec<usize>| failed.starts_with(places) || places.starts_with(failed);
        rule.silent_after.iter().copied().find(|id| self.failed.get(id).is_some_and(|failed| failed.iter().any(covers)))
    }

    /// Notes what a rule's condition said, where a trace is kept: with what was read since the mark.
    fn decided(&mut self, what: Decided, condition: &Expr, asked: (Option<Mark>, &Rule, &[usize]), held: &Result<bool, EvalError>) {
        let (Some(tracer), (Some(mark), rule, places)) = (&mut self.machine.tracer, asked) else { return };
        let behind = tracer.behind(mark);
        let reads = tracer.take(mark);
        let answer = match held {
            Ok(true) => Answer::Holds,
            Ok(false) => Answer::DoesNotHold,
            Err(halt) => Answer::Unknown(halt.message.clone()),
        };
        tracer.decisions.push(Decision {
            what,
            condition: print::within(&self.machine.program.plan.mapping, condition),
            answer,
            place: rule.place.clone(),
            element: places.iter().map(|place| place + 1).collect(),
            reads,
            behind,
        });
    }

    fn was_silent(&mut self, rule: &Rule, places: &[usize], cause: u32) {
        let Some(tracer) = &mut self.machine.tracer else { return };
        let (what, condition) = match &rule.kind {
            RuleKind::Require { condition, .. } => (Decided::Require, condition),
            RuleKind::Review { condition, .. } => (Decided::Review, condition),
            RuleKind::Warn { condition, .. } => (Decided::Warn, condition),
            RuleKind::Reconcile { left, .. } => (Decided::Reconcile, left),
            RuleKind::When { condition, .. } => (Decided::Rules, condition),
            RuleKind::Each { .. } => return,
        };
        let cause = find(&self.machine.flow.rules, cause).map_or_else(|| rule.place.clone(), |cause| cause.place.clone());
        tracer.decisions.push(Decision {
            what,
            condition: print::within(&self.machine.program.plan.mapping, condition),
            answer: Answer::Silent(cause),
            place: rule.place.clone(),
            element: places.iter().map(|place| place + 1).collect(),
            reads: Vec::new(),
            behind: Vec::new(),
        });
    }

    /// Asks a rule's condition, and notes what it said.
    fn asked(&mut self, what: Decided, condition: &'a Expr, rule: &Rule, places: &[usize]) -> Result<bool, EvalError> {
        let mark = self.machine.tracer.as_mut().map(Tracer::mark);
        let held = self.machine.holds(condition);
        self.decided(what, condition, (mark, rule, places), &held);
        held
    }

    fn rule(&mut self, rule: &'a Rule, places: &mut Vec<usize>) -> Result<(), EvalError> {
        match &rule.kind {
            RuleKind::Require { condition, message, owner } => {
                let held = self.asked(Decided::Require, condition, rule, places)?;
                self.machine.met.insert(Met::Rule { id: rule.id, held });
                if !held {
                    self.failed.entry(rule.id).or_default().push(places.clone());
                    self.was_asked(condition);
                    let message = self.machine.message(message);
                    self.reason(said(rule, message, owner.clone(), false, None));
                }
            }
            RuleKind::Review { condition, message, owner, before } => {
                let meets = self.asked(Decided::Review, condition, rule, places)?;
                self.machine.met.insert(Met::Rule { id: rule.id, held: !meets });
                if meets {
                    let message = self.machine.message(message);
                    let before = before.as_ref().and_then(|before| self.machine.instant(before));
                    self.reason(said(rule, message, owner.clone(), true, before));
                }
            }
            RuleKind::Warn { condition, message, owner } => {
                let meets = self.asked(Decided::Warn, condition, rule, places)?;
                self.machine.met.insert(Met::Rule { id: rule.id, held: !meets });
                if meets {
                    let message = self.machine.message(message);
                    let warning = *said(rule, message, owner.clone(), false, None);
                    if !self.warnings.contains(&warning) {
                        self.warnings.push(warning);
                    }
                }
            }
            RuleKind::Reconcile { left, right, within, message, owner } => {
                let mark = self.machine.tracer.as_mut().map(Tracer::mark);
                let compared = self.difference(left, right, within.as_ref());
                let held = match &compared {
                    Ok((_, held)) => Ok(*held),
                    Err(halt) => Err(halt.clone()),
                };
                self.decided(Decided::Reconcile, left, (mark, rule, places), &held);
                let (difference, held) = compared?;
                self.machine.met.insert(Met::Rule { id: rule.id, held });
                if !held {
                    self.machine.words.difference = Some(difference);
                    let message = self.machine.message(message);
                    self.machine.words.difference = None;
                    self.reason(said(rule, message, owner.clone(), false, None));
                }
            }
            RuleKind::Each { generators, condition, index, rules } => {
                // The loop runs in the machine, the rules in the run: the elements are gathered first.
                let mut elements = Vec::new();
                self.machine.loop_over(generators, condition.as_ref(), &mut |machine, at| {
                    elements.push((machine.bindings(generators), at.to_vec()));
                    Ok(())
                })?;
                for (count, (bindings, at)) in elements.into_iter().enumerate() {
                    self.machine.bind(bindings);
                    self.machine.set(*index, Value::integer(count as i64 + 1));
                    let depth = places.len();
                    places.extend(at);
                    self.rules(rules, places);
                    places.truncate(depth);
                }
            }
            RuleKind::When { condition, rules } => {
                if self.asked(Decided::Rules, condition, rule, places)? {
                    self.rules(rules, places);
                }
            }
        }
        Ok(())
    }

    /// The difference of two amounts, and whether it is small enough.
    fn difference(&mut self, left: &'a Expr, right: &'a Expr, within: Option<&'a Expr>) -> Result<(Value, bool), EvalError> {
        let (left, right) = (self.machine.eval(left)?, self.machine.eval(right)?);
        let difference = arithmetic::apply(Arithmetic::Subtract, &left, &right).map_err(refused)?;
        let tolerance = match within {
            Some(within) => self.machine.eval(within)?,
            None => Value::integer(0),
        };
        let held = within_tolerance(&difference, &tolerance);
        Ok((difference, held))
    }
}

/// The rule of an id, however deep.
fn find(rules: &[Rule], id: u32) -> Option<&Rule> {
    rules.iter().find_map(|rule| match &rule.kind {
        _ if rule.id == id => Some(rule),
        RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => find(rules, id),
        _ => None,
    })
}

fn said(rule: &Rule, message: String, owner: Option<String>, review: bool, before: Option<jiff::Timestamp>) -> EvalError {
    let mut halt = built_in("rule", message, None);
    halt.review = review;
    halt.owner = owner;
    halt.before = before;
    halt.place = Some(rule.place.clone());
    halt
}

/// Whether a difference is small enough. One that cannot be computed (a part is missing) is not.
fn within_tolerance(difference: &Value, tolerance: &Value) -> bool {
    let amount = |value: &Value| match value {
        Value::Number(number) | Value::Weight(number, _) | Value::Length(number, _) => Some(*number),
        Value::Money(money) => Some(money.amount),
        _ => None,
    };
    match (amount(difference), amount(tolerance)) {
        (Some(difference), Some(tolerance)) => difference.abs() <= tolerance.abs(),
        _ => compare::equal(difference, tolerance).unwrap_or(false),
    }
}
