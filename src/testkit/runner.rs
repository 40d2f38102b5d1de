//! Runs a case and says in what the outcome differs from what was expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::cases::{Case, Expected};
use super::given;
use super::node::Node;
use crate::check::parameter_value;
use crate::eval::queries::{self, Given, Sought};
use crate::eval::{Inputs, Outcome, Payload, Program, Reason, Verdict, apply};
use crate::ir::Flow;
use crate::plan::Plan;
use crate::schema::Names;
use crate::value::{Json, ObjectRef};

/// What a case is run with.
pub struct Bench<'a> {
    pub plan: &'a Plan,
    /// Maps one record: `apply` with what it has compiled.
    pub map: &'a dyn Fn(&Flow, &Inputs<'_>) -> Outcome,
    /// What the matches of a record find among given records.
    pub find: &'a dyn Fn(&Flow, &Inputs<'_>, &Given) -> (BTreeMap<String, Vec<Json>>, Vec<Sought>),
    /// The records of a fixture, which is named from the project's folder.
    pub records: &'a dyn Fn(&str) -> Result<Vec<Json>, String>,
    pub names: &'a BTreeMap<ObjectRef, Arc<Names>>,
}

/// `now` of a case that names none: the same on every day.
pub const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

/// What is said of a file of records where a case needs one.
pub(super) const NO_RECORD: &str = "has no record";

/// How a case went.
#[derive(Debug, Clone)]
pub struct Ran {
    pub outcome: Option<Outcome>,
    /// Nothing: it passed.
    pub differences: Vec<Difference>,
}

/// One way in which an outcome is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// `sent wms.Order orderKey`, `rejected`, `record`.
    pub at: String,
    pub expected: String,
    pub actual: String,
}

impl Difference {
    fn new(at: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Difference { at: at.into(), expected: expected.into(), actual: actual.into() }
    }
}

/// Runs one case.
pub fn run(case: &Case, bench: &Bench<'_>) -> Ran {
    match outcome(case, bench) {
        Ok((outcome, sought)) => {
            let mut differences = compare(&case.expected, &outcome);
            if !differences.is_empty() {
                differences.extend(sought.iter().filter(|one| one.found == 0 && one.among > 0).map(unfound));
            }
            Ran { differences, outcome: Some(outcome) }
        }
        Err(difference) => Ran { outcome: None, differences: vec![difference] },
    }
}

/// A match that found nothing among the records that the case gives may be why it fails.
fn unfound(sought: &Sought) -> Difference {
    let key = |(field, values): &(String, Vec<String>)| match values.as_slice() {
        [] => format!("{field}: the record has no value for it"),
        values => format!("{field} = {}", values.join(", ")),
    };
    let keys: Vec<String> = sought.keys.iter().map(key).collect();
    Difference::new(format!("matched {}", sought.name), "a record that the keys of the match find", format!("none has {}", keys.join(", or ")))
}

fn outcome(case: &Case, bench: &Bench<'_>) -> Result<(Outcome, Vec<Sought>), Difference> {
    let flow = bench.plan.mapping.flows.iter().find(|flow| flow.name == case.flow).ok_or_else(|| {
        let known: Vec<_> = bench.plan.mapping.flows.iter().map(|flow| flow.name.as_str()).collect();
        Difference::new(
            "flow",
            case.flow.as_str(),
            if known.is_empty() {
                "the project has no flow".to_owned()
            } else {
                format!("there is no such flow: the flows are {}", known.join(", "))
            },
        )
    })?;
    let load = |path: &str| (bench.records)(path).map_err(|reason| Difference::new("given", path, reason));
    let mut records = load(&case.given.record)?;
    if records.is_empty() {
        return Err(Difference::new("given", format!("a record in {}", case.given.record), format!("the file {NO_RECORD}")));
    }
    let schema = |of: &ObjectRef| bench.plan.objects.get(&of.to_string());
    for record in &mut records {
        for (field, node) in &case.given.with {
            given::replace(record, field, node, schema(&flow.source), &schema);
        }
    }
    let mut given = BTreeMap::new();
    for (of, path) in &case.given.matched {
        given.insert(of.clone(), load(path)?);
    }
    // One record is what the match finds; among several it looks by its keys.
    let given = Given::new(flow, given).one_is_found();
    let mut targets = BTreeMap::new();
    if let Some(path) = &case.given.target {
        let target = load(path)?.into_iter().next().unwrap_or(Json::Null);
        targets.extend(flow.writes.iter().map(|write| (write.name.clone(), target.clone())));
    }
    let first = records.first().cloned().unwrap_or(Json::Null);
    let group: &[_] = if flow.group.is_some() { &records } else { &[] };
    let inputs = Inputs { group, targets: &targets, ..Inputs::of(&first, case.given.now.unwrap_or(NOON), bench.names) };
    if case.given.parameters.is_empty() {
        let (matched, sought) = (bench.find)(flow, &inputs, &given);
        return Ok(((bench.map)(flow, &Inputs { matched: &matched, ..inputs }), sought));
    }
    let plan = with_parameters(bench.plan, &case.given.parameters)?;
    let wrong = |reason: &dyn std::fmt::Display| Difference::new("parameters", "a plan with these parameters", reason.to_string());
    let program = Program::new(&plan).map_err(|error| wrong(&error))?;
    let flow = plan.mapping.flows.iter().find(|known| known.name == flow.name).ok_or_else(|| wrong(&"the flow is gone"))?;
    let (matched, sought) = queries::find(&program, flow, &inputs, &given);
    Ok((apply(&program, flow, &Inputs { matched: &matched, ..inputs }), sought))
}

/// The plan as it would be with other values of some parameters.
fn with_parameters(plan: &Plan, parameters: &[(String, String)]) -> Result<Plan, Difference> {
    let mut plan = plan.clone();
    for (name, text) in parameters {
        let known: Vec<String> = plan.mapping.parameters.keys().cloned().collect();
        let Some(parameter) = plan.mapping.parameters.get_mut(name) else {
            let known = if known.is_empty() { "the mapping has no parameter".to_owned() } else { format!("the parameters are {}", known.join(", ")) };
            return Err(Difference::new("parameters", name.as_str(), known));
        };
        parameter.value = parameter_value(text, &parameter.of.kind)
            .map_err(|reason| Difference::new(format!("parameters {name}"), format!("a {}", parameter.of.kind), format!("`{text}`: {reason}")))?;
    }
    Ok(plan)
}

/// In what an outcome is not what was expected.
pub fn compare(expected: &Expected, outcome: &Outcome) -> Vec<Difference> {
    let mut found = Vec::new();
    let said = verdict_said(expected);
    if let Some(said) = said {
        // Where nothing is to go out, a record that is left out is right too.
        let left_out = expected.nothing && outcome.verdict == Verdict::NotEligible;
        if said != outcome.verdict && !left_out {
            let why = outcome.reasons.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>().join("; ");
            let actual = if why.is_empty() { words(outcome.verdict).to_owned() } else { format!("{}: {why}", words(outcome.verdict)) };
            found.push(Difference::new("outcome", words(said), actual));
        }
    } else {
        found.push(Difference::new("expect", "something", "the case says nothing of what must come out"));
    }
    let messages = |reasons: &mut dyn Iterator<Item = &Reason>| reasons.map(|reason| reason.message.clone()).collect();
    let mut list = |at: &str, expected: &Option<Vec<String>>, actual: Vec<String>| {
        if let Some(expected) = expected
            && *expected != actual
        {
            found.push(Difference::new(at, quoted(expected), quoted(&actual)));
        }
    };
    list("rejected", &expected.rejected, messages(&mut outcome.reasons.iter().filter(|reason| !reason.review)));
    list("review", &expected.review, messages(&mut outcome.reasons.iter().filter(|reason| reason.review)));
    list("warned", &expected.warned, messages(&mut outcome.warnings.iter()));
    if expected.nothing && !outcome.payloads.is_empty() {
        let made: Vec<String> = outcome.payloads.iter().map(|payload| format!("{} ({})", payload.object, payload.write)).collect();
        found.push(Difference::new("sent", "nothing", made.join("\n")));
    }
    payloads("sent", &expected.sent, &outcome.payloads, &mut found);
    payloads("follow_ups", &expected.follow_ups, &outcome.follow_ups, &mut found);
    found
}

fn verdict_said(expected: &Expected) -> Option<Verdict> {
    if expected.not_eligible {
        Some(Verdict::NotEligible)
    } else if expected.rejected.is_some() {
        Some(Verdict::Rejected)
    } else if expected.review.is_some() {
        Some(Verdict::Review)
    } else if !expected.sent.is_empty() || expected.warned.is_some() || expected.nothing {
        Some(Verdict::Ready)
    } else {
        None
    }
}

pub fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "sent",
        Verdict::Review => "review",
        Verdict::Rejected => "rejected",
        Verdict::NotEligible => "not eligible",
    }
}

fn quoted(messages: &[String]) -> String {
    if messages.is_empty() { "nothing".to_owned() } else { messages.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join("\n") }
}

fn payloads(word: &str, expected: &[(String, Vec<Node>)], actual: &[Payload], found: &mut Vec<Difference>) {
    for (object, nodes) in expected {
        let bodies: Vec<&Payload> = actual.iter().filter(|payload| payload.object.to_string() == *object).collect();
        if bodies.len() != nodes.len() {
            found.push(Difference::new(format!("{word} {object}"), format!("{} payloads", nodes.len()), format!("{} payloads", bodies.len())));
            continue;
        }
        for (at, (node, payload)) in nodes.iter().zip(bodies).enumerate() {
            let place = if nodes.len() > 1 { format!("{word} {object}[{at}]") } else { format!("{word} {object}") };
            fields(&place, node, Some(&with_key(payload)), found);
        }
    }
}

/// The body, with the key in its field where the body itself does not hold it.
fn with_key(payload: &Payload) -> Json {
    let mut body = payload.body.clone();
    if let (Json::Object(fields), Some(name), Some(key)) = (&mut body, &payload.key_field, &payload.key) {
        fields.entry(name.clone()).or_insert_with(|| Json::String(key.clone()));
    }
    body
}

/// Each leaf that differs, by its path.
fn fields(path: &str, node: &Node, actual: Option<&Json>, found: &mut Vec<Difference>) {
    match (node, actual) {
        (Node::Map(expected), Some(Json::Object(actual))) => {
            for (name, node) in expected {
                fields(&format!("{path} {name}"), node, actual.get(name), found);
            }
        }
        (Node::List(expected), Some(Json::Array(actual))) if expected.len() == actual.len() => {
            for (at, (node, actual)) in expected.iter().zip(actual).enumerate() {
                fields(&format!("{path}[{at}]"), node, Some(actual), found);
            }
        }
        _ if node.matches(actual) => {}
        _ => {
            let shown = actual.map_or_else(|| "nothing".to_owned(), Json::to_string);
            found.push(Difference::new(path, node.to_string(), shown));
        }
    }
}
