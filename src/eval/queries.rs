//! What is evaluated for a record besides its payloads: the keys of its matches, whether it goes first, and the write-backs of an
//! outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::program::Program;
use super::record::Run;
use super::{Inputs, Payload, Reason};
use crate::ir::{Event, Expect, Flow, Match, MatchEach, MatchOutcome, print};
use crate::value::{Json, Value};

/// What a match looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The match's name.
    pub name: String,
    /// Its keys in order: the path in the other side's object, and what it must equal. There is no value where the record
    /// has none, so that the key finds nothing; a match for each element has one for each, and none twice.
    pub keys: Vec<(Vec<String>, Vec<String>)>,
}

/// The values of a record's match keys, as far as the matches before them were found. What cannot be computed
/// finds nothing; the record's own rules say why.
pub fn wanted<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Vec<Wanted> {
    let mut run = Run::new(program, flow, inputs);
    run.gather();
    run.bind_matches();
    let of = |found: &'a Match| {
        let keys = match &found.each {
            None => found.by.iter().map(|by| (by.field.clone(), run.key_value(by).into_iter().collect())).collect(),
            Some(each) => run.keys_of_each(found, each),
        };
        Wanted { name: found.name.clone(), keys }
    };
    flow.matches.iter().map(of).collect()
}

/// What the matches of a record find among records of the other side that are given: by match, in the order of the keys. What is
/// not given finds nothing. A later match may go by what an earlier one found.
pub fn find<'a>(program: &'a Program<'a>, flow: &'a Flow, inputs: &Inputs<'a>, given: &Given) -> (BTreeMap<String, Vec<Json>>, Vec<Sought>) {
    let mut matched: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut sought = Vec::new();
    for (at, of) in flow.matches.iter().enumerate() {
        let Some(records) = given.records.get(&of.name) else { continue };
        let with = Inputs { matched: &matched, ..*inputs };
        let keys = wanted(program, flow, &with).into_iter().nth(at).map(|wanted| wanted.keys).unwrap_or_default();
        let mut hits: Vec<Json> = Vec::new();
        let mut by = None;
        for (field, values) in &keys {
            let places: BTreeSet<usize> = values.iter().flat_map(|value| given.places(&of.name, field, value)).collect();
            // What an earlier key has found is not found again.
            let new: Vec<Json> = places.iter().filter_map(|place| records.get(*place)).filter(|record| !hits.contains(record)).cloned().collect();
            hits.extend(new);
            if !hits.is_empty() {
                by.get_or_insert_with(|| field.join("."));
                if of.each.is_none() {
                    break;
                }
            }
        }
        // A record without any of the fields that the keys compare cannot be told apart: it stands for what is found.
        let unkeyed = hits.is_empty() && of.each.is_none() && (given.unkeyed(of) || given.one_is_found && records.len() == 1);
        if unkeyed {
            hits.clone_from(records);
        }
        let keys = keys.into_iter().map(|(field, values)| (field.join("."), values)).collect();
        sought.push(Sought { name: of.name.clone(), keys, among: records.len(), found: hits.len(), by, unkeyed });
        matched.insert(of.name.clone(), hits);
    }
    (matched, sought)
}

/// Records of the other side that are given, by the names of the matches that look among them.
#[derive(Debug, Default)]
pub struct Given {
    records: BTreeMap<String, Vec<Json>>,
    /// By match and field: where the records with a value stand.
    index: BTreeMap<(String, Vec<String>), HashMap<String, Vec<usize>>>,
    one_is_found: bool,
}

impl Given {
    /// The same where a match to which just one record is given finds it, whatever its keys are.
    #[must_use]
    pub fn one_is_found(self) -> Self {
        Given { one_is_found: true, ..self }
    }

    pub fn new(flow: &Flow, records: BTreeMap<String, Vec<Json>>) -> Self {
        let mut index: BTreeMap<(String, Vec<String>), HashMap<String, Vec<usize>>> = BTreeMap::new();
        for of in &flow.matches {
            for (key, (at, record)) in of.by.iter().flat_map(|key| records.get(&of.name).into_iter().flatten().enumerate().map(move |one| (key, one)))
            {
                let places = index.entry((of.name.clone(), key.field.clone())).or_default();
                if let Some(value) = super::matches::held(record, &key.field) {
                    places.entry(value.trim().to_lowercase()).or_default().push(at);
                }
            }
        }
        Given { records, index, one_is_found: false }
    }

    /// Whether records are given for a match.
    pub fn has(&self, name: &str) -> bool {
        self.records.contains_key(name)
    }

    /// Whether no record that is given for a match has any of the fields that its keys compare.
    fn unkeyed(&self, of: &Match) -> bool {
        let records = self.records.get(&of.name);
        records.is_some_and(|records| {
            !records.is_empty() && records.iter().all(|record| of.by.iter().all(|key| !super::matches::has(record, &key.field)))
        })
    }

    /// Where the records stand that have a value in a field.
    fn places(&self, name: &str, field: &[String], value: &str) -> Vec<usize> {
        let index = self.index.get(&(name.to_owned(), field.to_vec()));
        let known = index.and_then(|index| index.get(&value.trim().to_lowercase())).cloned().unwrap_or_default();
        let spelled = field.last().is_some_and(|name| crate::schema::Spelling::of(name).is_some());
        // A value that may be written in another way is compared with each.
        if !spelled && (!known.is_empty() || value.len() != 15 && !value.contains('.')) {
            return known;
        }
        let records = self.records.get(name).into_iter().flatten().enumerate();
        records.filter(|(_, record)| super::matches::holds(record, field, value)).map(|(at, _)| at).collect()
    }
}

/// How a match went among given records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    pub name: String,
    /// The fields by which it was looked for, and the values.
    pub keys: Vec<(String, Vec<String>)>,
    /// The records that were given, and how many of them were found.
    pub among: usize,
    pub found: usize,
    /// The field that found them.
    pub by: Option<String>,
    /// The records have none of the fields that the keys compare: they are taken for what is found.
    pub unkeyed: bool,
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
    Match(String, crate::ir::Place, usize),
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
            found.push(LeftOut::Filter(print::within(&program.plan.mapping, condition), reads));
        }
    }
    if found.is_empty() && flow.group.is_some() && run.group_of().is_none() {
        found.push(LeftOut::Group);
    }
    if found.is_empty() {
        for of in &flow.matches {
            // Of a match for each element only elements are left out.
            if of.each.is_some() {
                continue;
            }
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
        crate::ir::Deadline::Before(before) => run.machine.instant(before),
        crate::ir::Deadline::Within(_) => None,
    };
    (applies, run.machine.message(&expect.message), before)
}

impl<'a> Run<'a> {
    /// The values that a match looks for, for all elements of its list together.
    fn keys_of_each(&mut self, found: &'a Match, each: &'a MatchEach) -> Vec<(Vec<String>, Vec<String>)> {
        let generators = std::slice::from_ref(&each.generator);
        let mut elements = Vec::new();
        // A list that cannot be made has no elements to look up for; the record's own mapping says why.
        let _ = self.machine.loop_over(generators, None, &mut |machine, _| {
            elements.push(machine.bindings(generators));
            Ok(())
        });
        let mut keys: Vec<(Vec<String>, Vec<String>)> = found.by.iter().map(|by| (by.field.clone(), Vec::new())).collect();
        for bindings in elements {
            self.machine.bind(bindings);
            for (by, (_, values)) in found.by.iter().zip(&mut keys) {
                if let Some(value) = self.key_value(by)
                    && !values.contains(&value)
                {
                    values.push(value);
                }
            }
        }
        keys
    }

    fn bind_matches(&mut self) {
        let (flow, inputs) = (self.machine.flow, self.machine.inputs);
        for found in &flow.matches {
            if let Some(each) = &found.each {
                self.rows_of(found, each, inputs.matched.get(&found.name).map_or(&[][..], Vec::as_slice), false);
                continue;
            }
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
