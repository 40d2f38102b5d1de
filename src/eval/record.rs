//! One record through the sections of its flow.

use std::collections::HashMap;
use std::sync::Arc;

use super::evaluator::{EvalError, Evaluator};
use super::matches::Found;
use super::program::Program;
use super::reasons::is_blank;
use super::{Inputs, Outcome, Payload, Reason, RouteTaken, Verdict};
use crate::ir::{Event, Expr, Flow, Group};
use crate::value::Value;

/// Applies a flow to one record.
pub fn apply<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Outcome {
    let mut run = Run::new(program, flow, inputs);
    let way = run.through();
    run.finish(way)
}

/// What is collected on the way.
pub(super) struct Run<'a> {
    pub(super) machine: Evaluator<'a>,
    pub(super) reasons: Vec<Reason>,
    pub(super) warnings: Vec<Reason>,
    pub(super) routes: Vec<RouteTaken>,
    /// Fields that a `require` asked for and did not find.
    pub(super) asked: Vec<String>,
    /// Where `require` rules have failed: the places of the elements, outermost first.
    pub(super) failed: HashMap<u32, Vec<Vec<usize>>>,
    /// Something that the payloads read has no value: they are gated when they are mapped again.
    pub(super) unfinished: bool,
}

/// How far a record came.
enum Way {
    /// It is none of this flow's.
    NotEligible,
    /// It was stopped before there was anything to map.
    Stopped,
    /// Through all sections.
    Through(Vec<Payload>),
}

impl<'a> Run<'a> {
    pub(super) fn new(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Self {
        Run {
            machine: Evaluator::new(program, flow, inputs),
            reasons: Vec::new(),
            warnings: Vec::new(),
            routes: Vec::new(),
            asked: Vec::new(),
            failed: HashMap::new(),
            unfinished: false,
        }
    }

    /// Forgets what went wrong so far: what comes is judged by itself.
    pub(super) fn begin_again(&mut self) {
        self.reasons.clear();
        self.unfinished = false;
    }

    /// Notes a reason, and those that were kept beside it; the same one twice is one.
    pub(super) fn reason(&mut self, halt: EvalError) {
        let more = std::mem::take(&mut self.machine.more);
        for reason in std::iter::once(*halt).chain(more) {
            // A built-in reason names its field, so that it is the same wherever it is met.
            let known = |known: &Reason| known.message == reason.message && (known.place == reason.place || reason.field.is_some());
            // The mapping has asked for it in its own words.
            let asked = is_blank(&reason) && reason.field.as_ref().is_some_and(|field| self.asked.contains(field));
            if !asked && !self.reasons.iter().any(known) {
                self.reasons.push(reason);
            }
        }
    }

    /// Notes the fields that a failed `require` asked for: what else would say of them is said by its message.
    pub(super) fn was_asked(&mut self, condition: &Expr) {
        if let Expr::And(all) = condition {
            all.iter().for_each(|one| self.was_asked(one));
        } else if let Some(of) = condition.asked() {
            let path = self.machine.path_text(of);
            self.reasons.retain(|reason| !(is_blank(reason) && reason.field.as_ref() == Some(&path)));
            self.asked.push(path);
        }
    }

    /// Notes why a value that payloads need is not there.
    pub(super) fn unfinished(&mut self, halt: EvalError) {
        self.unfinished = true;
        self.reason(halt);
    }

    fn through(&mut self) -> Way {
        let flow = self.machine.flow;
        let eligible = match &flow.group {
            None => self.eligible(),
            Some(_) => self.gather(),
        };
        if !eligible {
            return Way::NotEligible;
        }
        match self.matches() {
            Found::All => {}
            Found::Skip => return Way::NotEligible,
            Found::Stopped => return Way::Stopped,
        }
        self.rules(&flow.rules, &mut Vec::new());
        self.route();
        // A rejected record is mapped too: a value map may refuse another of its values.
        Way::Through(self.writes(&flow.writes))
    }

    /// Whether all conditions of `where` hold. One that does not hold decides; one that cannot be
    /// evaluated is a reason otherwise.
    fn eligible(&mut self) -> bool {
        let flow = self.machine.flow;
        let mut faults = Vec::new();
        for condition in &flow.filter {
            match self.machine.holds(condition) {
                Ok(true) => {}
                Ok(false) => {
                    self.machine.more.clear();
                    return false;
                }
                Err(halt) => faults.push(halt),
            }
        }
        faults.into_iter().for_each(|halt| self.reason(halt));
        true
    }

    /// The records of a group that `where` keeps and that have the group's value. None: not eligible.
    pub(super) fn gather(&mut self) -> bool {
        let flow = self.machine.flow;
        let Some(group) = &flow.group else { return false };
        let inputs = self.machine.inputs;
        let mut kept = Vec::with_capacity(inputs.group.len());
        let mut value = None;
        for record in inputs.group {
            let record = Value::Record(Arc::new(record.clone()));
            self.machine.set(Flow::RECORD, record.clone());
            if !self.eligible() {
                continue;
            }
            match self.machine.eval(&group.by) {
                Ok(by) if by.is_missing() => continue,
                Ok(by) => value.get_or_insert(by),
                Err(halt) => {
                    self.reason(halt);
                    continue;
                }
            };
            if self.within(group) {
                kept.push(record);
            }
        }
        self.machine.group = Arc::new(kept);
        if let (None, Some(was)) = (&value, inputs.was_of_group) {
            self.machine.set(Flow::RECORD, Value::Record(Arc::new(was.clone())));
            value = self.machine.eval(&group.by).ok().filter(|by| !by.is_missing());
        }
        self.machine.set(Flow::RECORD, Value::ABSENT);
        match value {
            Some(value) => self.machine.set(group.slot, value),
            None => return !self.reasons.is_empty(),
        }
        true
    }

    /// Whether the record at hand is young enough for the group's window.
    fn within(&mut self, group: &'a Group) -> bool {
        let (Some(window), Some(stamp)) = (group.window, &group.stamp) else { return true };
        let now = self.machine.inputs.now;
        self.machine.instant(stamp).is_none_or(|at| now.duration_since(at).as_millis() <= i128::from(window))
    }

    /// The group that the record at hand belongs to: none where `where` leaves it out or it has no value for it.
    pub(super) fn group_of(&mut self) -> Option<Value> {
        let group = self.machine.flow.group.as_ref()?;
        self.machine.set(Flow::RECORD, Value::Record(Arc::new(self.machine.inputs.record.clone())));
        if !self.eligible() {
            return None;
        }
        match self.machine.eval(&group.by) {
            Ok(by) => Some(by).filter(|by| !by.is_missing()),
            Err(halt) => {
                self.reason(halt);
                None
            }
        }
    }

    /// When the first record of a group leaves its window.
    pub(super) fn window_ends(&mut self) -> Option<jiff::Timestamp> {
        let group = self.machine.flow.group.as_ref()?;
        let (window, stamp) = (group.window?, group.stamp.as_ref()?);
        let kept = Arc::clone(&self.machine.group);
        let mut first: Option<jiff::Timestamp> = None;
        for record in kept.iter() {
            self.machine.set(Flow::RECORD, record.clone());
            if let Some(at) = self.machine.instant(stamp) {
                first = Some(first.map_or(at, |known| known.min(at)));
            }
        }
        self.machine.set(Flow::RECORD, Value::ABSENT);
        // A millisecond later it is out.
        first?.checked_add(jiff::SignedDuration::from_millis(window + 1)).ok()
    }

    fn finish(mut self, way: Way) -> Outcome {
        let rejected = self.reasons.iter().any(|reason| !reason.review);
        let review = self.reasons.iter().any(|reason| reason.review);
        let (verdict, payloads) = match way {
            Way::NotEligible => {
                self.reasons.clear();
                (Verdict::NotEligible, Vec::new())
            }
            _ if rejected => (Verdict::Rejected, Vec::new()),
            Way::Through(payloads) if review => (Verdict::Review, payloads),
            Way::Through(payloads) => (Verdict::Ready, payloads),
            Way::Stopped => (Verdict::Review, Vec::new()),
        };
        let follow_ups = match verdict {
            Verdict::Rejected => self.follow_ups(&Event::IsRejected),
            Verdict::Review => self.follow_ups(&Event::IsInReview),
            Verdict::Ready | Verdict::NotEligible => Vec::new(),
        };
        let (trace, decisions) = self.machine.tracer.map(|tracer| (tracer.done, tracer.decisions)).unwrap_or_default();
        Outcome {
            verdict,
            reasons: self.reasons,
            warnings: self.warnings,
            payloads,
            follow_ups,
            routes: self.routes,
            met: self.machine.met.into_iter().collect(),
            trace,
            decisions,
        }
    }

    /// The writes that a rejection or a review causes. What goes wrong in them is no reason of the record's: such
    /// a write-back is not made, and a warning says so.
    fn follow_ups(&mut self, event: &Event) -> Vec<Payload> {
        let flow = self.machine.flow;
        self.machine.words.reasons = self.reasons.iter().map(|reason| reason.message.clone()).collect();
        let kept = std::mem::take(&mut self.reasons);
        self.unfinished = false;
        let mut payloads = Vec::new();
        for after in &flow.follow_ups {
            let names_a_write = after.write.as_ref().is_some_and(|name| flow.writes.iter().any(|write| write.name == *name));
            if !(names_a_write && after.events.contains(event)) {
                continue;
            }
            for write in &after.writes {
                let made = self.writes(std::slice::from_ref(write));
                let faults = std::mem::take(&mut self.reasons);
                if faults.is_empty() {
                    payloads.extend(made);
                }
                self.unfinished = false;
                self.warnings.extend(faults.into_iter().map(|fault| Reason {
                    message: format!("{} was not written back: {}", write.object, fault.message),
                    review: false,
                    ..fault
                }));
            }
        }
        self.reasons = kept;
        payloads
    }
}
