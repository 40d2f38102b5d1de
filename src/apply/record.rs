//! One record through the sections of its flow.

use std::collections::HashMap;

use super::eval::{Halt, Machine, built_in};
use super::program::Program;
use super::{Inputs, Met, Outcome, Reason, RouteTaken, Verdict};
use crate::check::typed::{Event, Flow, MatchOutcome, RouteOutcome, Rule, RuleKind, Slot};
use crate::value::{Value, compare};

/// Applies a flow to one record.
pub fn apply<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Outcome {
    let mut run = Run { machine: Machine::new(program, flow, inputs), reasons: Vec::new(), warnings: Vec::new(), routes: Vec::new(), failed: HashMap::new() };
    let verdict = run.verdict();
    run.finish(verdict)
}

/// What is collected on the way.
pub(super) struct Run<'a> {
    pub(super) machine: Machine<'a>,
    pub(super) reasons: Vec<Reason>,
    warnings: Vec<Reason>,
    routes: Vec<RouteTaken>,
    /// Where `require` rules have failed: the places of the elements, outermost first.
    failed: HashMap<u32, Vec<Vec<usize>>>,
}

/// How far a record came.
enum Way {
    /// It is none of this flow's.
    NotEligible,
    /// It was stopped before there was anything to map.
    Stopped,
    /// Through all sections.
    Through(Vec<super::Payload>),
}

impl<'a> Run<'a> {
    /// Notes a reason; the same one twice is one.
    pub(super) fn reason(&mut self, halt: Halt) {
        if !self.reasons.iter().any(|known| known.message == halt.message && known.place == halt.place) {
            self.reasons.push(*halt);
        }
    }

    fn verdict(&mut self) -> Way {
        let flow = self.machine.flow;
        for condition in &flow.filter {
            match self.machine.holds(condition) {
                Ok(true) => {}
                Ok(false) => return Way::NotEligible,
                Err(halt) => self.reason(halt),
            }
        }
        if let Some(group) = &flow.group {
            // All records of a group have its value; the first one gives it.
            if let Some(first) = self.machine.inputs.group.first() {
                self.machine.set(Flow::RECORD, Value::Record(std::sync::Arc::new(first.clone())));
            }
            match self.machine.eval(&group.by) {
                Ok(value) if value.is_missing() => return Way::NotEligible,
                Ok(value) => self.machine.set(group.slot, value),
                Err(halt) => self.reason(halt),
            }
        }
        match self.matches() {
            Some(true) => {}
            Some(false) => return Way::NotEligible,
            None => return Way::Stopped,
        }
        if !self.reasons.is_empty() && flow.rules.is_empty() {
            return Way::Stopped;
        }
        self.rules(&flow.rules, &mut Vec::new());
        self.route();
        let payloads = self.writes(&flow.writes);
        Way::Through(payloads)
    }

    fn finish(mut self, way: Way) -> Outcome {
        let rejected = self.reasons.iter().any(|reason| !reason.review);
        let review = self.reasons.iter().any(|reason| reason.review);
        let (verdict, payloads) = match way {
            Way::NotEligible if self.reasons.is_empty() => (Verdict::NotEligible, Vec::new()),
            _ if rejected => (Verdict::Rejected, Vec::new()),
            Way::Through(payloads) if review => (Verdict::Review, payloads),
            Way::Through(payloads) => (Verdict::Ready, payloads),
            _ if review => (Verdict::Review, Vec::new()),
            _ => (Verdict::NotEligible, Vec::new()),
        };
        let follow_ups = if verdict == Verdict::Rejected { self.follow_ups() } else { Vec::new() };
        Outcome {
            verdict,
            reasons: self.reasons,
            warnings: self.warnings,
            payloads,
            follow_ups,
            routes: self.routes,
            met: self.machine.met.into_iter().collect(),
            trace: self.machine.tracer.map(|tracer| tracer.done).unwrap_or_default(),
        }
    }

    /// `Some(true)` where all were found, `Some(false)` where one says `skip`, `None` where one stops.
    fn matches(&mut self) -> Option<bool> {
        let flow = self.machine.flow;
        let inputs = self.machine.inputs;
        for found in &flow.matches {
            let records = inputs.matched.get(&found.name).map_or(&[][..], Vec::as_slice);
            let outcome = match records {
                [one] => {
                    self.machine.set(found.slot, Value::Record(std::sync::Arc::new(one.clone())));
                    continue;
                }
                [] => &found.none,
                _ => &found.many,
            };
            match outcome {
                MatchOutcome::Skip => return Some(false),
                MatchOutcome::Create => self.machine.set(found.slot, Value::ABSENT),
                MatchOutcome::Stop(stop) => {
                    self.machine.words.count = Some(records.len());
                    let halt = self.machine.stopped(stop, "match");
                    self.machine.words.count = None;
                    self.reason(halt);
                    return None;
                }
            }
        }
        Some(true)
    }

    // ---- rules ----

    fn rules(&mut self, rules: &'a [Rule], places: &mut Vec<usize>) {
        for rule in rules {
            if !self.silent(rule, places) {
                if let Err(halt) = self.rule(rule, places) {
                    self.reason(halt);
                }
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
                let difference = super::arithmetic::apply(crate::check::typed::Arithmetic::Subtract, &left, &right)
                    .map_err(super::eval::refused)?;
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
                let mut elements: Vec<Vec<(Slot, Value)>> = Vec::new();
                let mut indexes = Vec::new();
                let mut nested = Vec::new();
                self.machine.nested(generators, condition.as_ref(), &mut nested, &mut |machine, at| {
                    elements.push(generators.iter().map(|generator| (generator.slot, machine.bound(generator.slot))).collect());
                    indexes.push(at.to_vec());
                    Ok(())
                })?;
                for (count, (bound, at)) in elements.into_iter().zip(indexes).enumerate() {
                    for (slot, value) in bound {
                        self.machine.set(slot, value);
                    }
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

    // ---- routes ----

    fn route(&mut self) {
        let flow = self.machine.flow;
        for (at, route) in flow.routes.iter().enumerate() {
            for (row_at, row) in route.rows.iter().enumerate() {
                let taken = match &row.condition {
                    None => Ok(true),
                    Some(condition) => self.machine.holds(condition),
                };
                match taken {
                    Ok(false) => continue,
                    Err(halt) => self.reason(halt),
                    Ok(true) => {
                        self.machine.met.insert(Met::RouteRow { route: at, row: row_at });
                        match &row.outcome {
                            RouteOutcome::Stop(stop) => {
                                let halt = self.machine.stopped(stop, "route");
                                self.reason(halt);
                            }
                            RouteOutcome::Results(results) => {
                                let mut taken = Vec::new();
                                for (result, expr) in route.results.iter().zip(results) {
                                    match self.machine.eval(expr) {
                                        Ok(value) => {
                                            taken.push((result.name.clone(), value.to_string()));
                                            self.machine.set(result.slot, value);
                                        }
                                        Err(halt) => self.reason(halt),
                                    }
                                }
                                self.routes.push(RouteTaken { results: taken, text: row.text.clone(), place: row.place.clone() });
                            }
                        }
                    }
                }
                break;
            }
        }
    }

    /// The writes that the rejection causes. What goes wrong in them is not a reason of the record's.
    fn follow_ups(&mut self) -> Vec<super::Payload> {
        let flow = self.machine.flow;
        self.machine.words.reasons = self.reasons.iter().map(|reason| reason.message.clone()).collect();
        let kept = self.reasons.clone();
        let mut payloads = Vec::new();
        for after in &flow.follow_ups {
            let names_a_write = after.write.as_ref().is_some_and(|name| flow.writes.iter().any(|write| write.name == *name));
            if names_a_write && after.events.contains(&Event::IsRejected) {
                payloads.extend(self.writes(&after.writes));
            }
        }
        self.reasons = kept;
        payloads
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
