//! What is asked of a record beside its payloads: the keys of its matches, whether it goes first, and the
//! write-backs that an outcome causes.

use std::sync::Arc;

use super::program::Program;
use super::record::Run;
use super::{Inputs, Payload, Reason};
use crate::check::typed::{Event, Expect, Flow, MatchOutcome};
use crate::value::Value;

/// What a match looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The match's name.
    pub name: String,
    /// Its keys in order: the path in the other side's object, and what it must equal; `None` where the
    /// record has no such value, so that the key finds nothing.
    pub keys: Vec<(Vec<String>, Option<String>)>,
}

/// The values of a record's match keys, as far as the matches before them were found. What cannot be computed
/// finds nothing; the record's own rules say why.
pub fn wanted<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Vec<Wanted> {
    let mut run = Run::new(program, flow, inputs);
    run.gather();
    run.bind_matches();
    let mut key = |equals| run.machine.eval(equals).ok().and_then(|value| value.printed()).filter(|text| !text.trim().is_empty());
    let of = |found: &'a crate::check::typed::Match| found.by.iter().map(|by| (by.field.clone(), key(&by.equals))).collect();
    flow.matches.iter().map(of).zip(&flow.matches).map(|(keys, found)| Wanted { name: found.name.clone(), keys }).collect()
}

/// Whether the record goes before all others (`first when`).
pub fn goes_first<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> bool {
    let Some(first) = &flow.first_when else { return false };
    Run::new(program, flow, inputs).machine.holds(first).unwrap_or(false)
}

/// The value of the group that a record is counted in; `None` where it is in none. With the reasons why that
/// cannot be told.
pub fn group_of<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> (Option<String>, Vec<Reason>) {
    let mut run = Run::new(program, flow, inputs);
    let value = run.group_of().and_then(|value| value.printed());
    (value.filter(|text| !text.trim().is_empty()), run.reasons)
}

/// When the first record of a group leaves its window, so that the group has to be mapped again.
pub fn window_ends<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Option<jiff::Timestamp> {
    let mut run = Run::new(program, flow, inputs);
    run.gather();
    run.window_ends()
}

/// Whether the flow's `where` keeps the record.
pub fn is_eligible<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> bool {
    let mut run = Run::new(program, flow, inputs);
    flow.filter.iter().all(|condition| run.machine.holds(condition).unwrap_or(true))
}

/// Why a flow leaves a record out.
#[derive(Debug, Clone, PartialEq)]
pub enum LeftOut {
    /// A condition of `where` that does not hold, as an author would write it, and what it read.
    Filter(String, Vec<super::Read>),
    /// A match that says `skip`: its name, its place, and how many records were found.
    Match(String, crate::check::typed::Place, usize),
    /// A grouped flow has no value to group the record by.
    Group,
}

/// Why a flow leaves a record out; nothing where it does not.
pub fn left_out<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Vec<LeftOut> {
    let mut run = Run::new(program, flow, inputs);
    let mut found = Vec::new();
    for condition in &flow.filter {
        let mut tracer = super::trace::Tracer::default();
        let mark = tracer.mark();
        run.machine.tracer = Some(tracer);
        let holds = run.machine.holds(condition).unwrap_or(true);
        let reads = run.machine.tracer.take().map(|mut tracer| tracer.take(mark)).unwrap_or_default();
        if !holds {
            found.push(LeftOut::Filter(crate::plan::text::within(&program.plan.mapping, condition), reads));
        }
    }
    if found.is_empty() && flow.group.is_some() && run.group_of().is_none() {
        found.push(LeftOut::Group);
    }
    if found.is_empty() {
        for of in &flow.matches {
            let count = inputs.matched.get(&of.name).map_or(0, Vec::len);
            let outcome = if count == 0 { &of.none } else { &of.many };
            if count != 1 && *outcome == MatchOutcome::Skip {
                found.push(LeftOut::Match(of.name.clone(), of.place.clone(), count));
                break;
            }
        }
    }
    found
}

/// What happened to a write, or to the record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened<'a> {
    /// To the write of this name.
    Succeeds(&'a str),
    Fails(&'a str),
    IsRejected,
    /// With the delay of the `is late after` that has run out.
    IsLate(&'a str, i64),
    IsGone,
}

/// The write-backs that something causes, and what went wrong in making them: such a write-back is not made.
pub fn write_backs<'a>(
    program: &'a Program<'a>,
    flow: &'a Flow,
    inputs: &'a Inputs<'a>,
    happened: &Happened<'_>,
    reasons: &[String],
) -> (Vec<Payload>, Vec<Reason>) {
    let mut run = Run::new(program, flow, inputs);
    run.gather();
    run.bind_matches();
    run.route();
    run.bind_results();
    run.machine.words.reasons = reasons.to_vec();
    let (mut payloads, mut warnings) = (Vec::new(), Vec::new());
    for after in &flow.follow_ups {
        let about = after.write.as_deref();
        let meant = after.events.iter().any(|event| match (event, happened) {
            (Event::Succeeds, Happened::Succeeds(write)) | (Event::Fails, Happened::Fails(write)) => about == Some(write),
            (Event::IsRejected, Happened::IsRejected) => about.is_some(),
            (Event::IsLate(delay), Happened::IsLate(write, late)) => about == Some(write) && delay == late,
            (Event::IsGone, Happened::IsGone) => about.is_none(),
            _ => false,
        });
        if !meant {
            continue;
        }
        for write in &after.writes {
            run.begin_again();
            let made = run.writes(std::slice::from_ref(write));
            if run.reasons.is_empty() {
                payloads.extend(made);
            }
            warnings.append(&mut run.reasons);
        }
    }
    (payloads, warnings)
}

/// The words of an expectation that was not met, and the time that it names itself (`before …`).
pub fn expectation<'a>(
    program: &'a Program<'a>,
    flow: &'a Flow,
    expect: &'a Expect,
    inputs: &'a Inputs<'a>,
    sent_at: jiff::Timestamp,
) -> (bool, String, Option<jiff::Timestamp>) {
    let mut run = Run::new(program, flow, inputs);
    run.gather();
    run.bind_matches();
    run.bind_results();
    run.machine.words.sent_at = Some(sent_at);
    let applies = expect.filter.as_ref().is_none_or(|filter| run.machine.holds(filter).unwrap_or(true));
    let before = match &expect.deadline {
        crate::check::typed::Deadline::Before(before) => run.machine.instant(before),
        crate::check::typed::Deadline::Within(_) => None,
    };
    (applies, run.machine.message(&expect.message), before)
}

impl Run<'_> {
    fn bind_matches(&mut self) {
        let (flow, inputs) = (self.machine.flow, self.machine.inputs);
        for found in &flow.matches {
            match inputs.matched.get(&found.name).map(Vec::as_slice) {
                Some([one]) => self.machine.set(found.slot, Value::Record(Arc::new(one.clone()))),
                _ if matches!(found.none, MatchOutcome::Create | MatchOutcome::Continue) => self.machine.set(found.slot, Value::ABSENT),
                _ => {}
            }
        }
    }

    fn bind_results(&mut self) {
        let (flow, inputs) = (self.machine.flow, self.machine.inputs);
        for write in &flow.writes {
            if let (Some(slot), Some(result)) = (write.result, inputs.results.get(&write.name)) {
                self.machine.set(slot, Value::Record(Arc::new(result.clone())));
            }
        }
    }
}
