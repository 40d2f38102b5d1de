//! The rules of a flow: all of them run, and each cause is said once.

use super::eval::Halt;
use super::reasons::{built_in, refused};
use super::record::Run;
use super::{Met, arithmetic};
use crate::check::typed::{Arithmetic, Rule, RuleKind};
use crate::value::{Value, compare};

impl<'a> Run<'a> {
    pub(super) fn rules(&mut self, rules: &'a [Rule], places: &mut Vec<usize>) {
        for rule in rules {
            if self.silent(rule, places) {
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
    fn silent(&self, rule: &Rule, places: &[usize]) -> bool {
        let covers = |failed: &Vec<usize>| failed.starts_with(places) || places.starts_with(failed);
        rule.silent_after.iter().any(|id| self.failed.get(id).is_some_and(|failed| failed.iter().any(covers)))
    }

    fn rule(&mut self, rule: &'a Rule, places: &mut Vec<usize>) -> Result<(), Halt> {
        match &rule.kind {
            RuleKind::Require { condition, message, owner } => {
                let held = self.machine.holds(condition)?;
                self.machine.met.insert(Met::Rule { id: rule.id, held });
                if !held {
                    self.failed.entry(rule.id).or_default().push(places.clone());
                    let message = self.machine.message(message);
                    self.reason(said(rule, message, owner.clone(), false, None));
                }
            }
            RuleKind::Review { condition, message, owner, before } => {
                let meets = self.machine.holds(condition)?;
                self.machine.met.insert(Met::Rule { id: rule.id, held: !meets });
                if meets {
                    let message = self.machine.message(message);
                    let before = before.as_ref().and_then(|before| self.machine.instant(before));
                    self.reason(said(rule, message, owner.clone(), true, before));
                }
            }
            RuleKind::Warn { condition, message, owner } => {
                let meets = self.machine.holds(condition)?;
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
                let (left, right) = (self.machine.eval(left)?, self.machine.eval(right)?);
                let difference = arithmetic::apply(Arithmetic::Subtract, &left, &right).map_err(refused)?;
                let tolerance = match within {
                    Some(within) => self.machine.eval(within)?,
                    None => Value::integer(0),
                };
                let held = within_tolerance(&difference, &tolerance);
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
                if self.machine.holds(condition)? {
                    self.rules(rules, places);
                }
            }
        }
        Ok(())
    }
}

fn said(rule: &Rule, message: String, owner: Option<String>, review: bool, before: Option<jiff::Timestamp>) -> Halt {
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
