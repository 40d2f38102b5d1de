//! What an edit of a mapping does to records: the same ones go through both states of a project. Nothing is sent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::masking::Masking;
use super::process::{clock, runtime, transport};
use super::records;
use super::{Failure, LoadedProject, Notice, Notices, VERSION, matched};
use crate::eval::queries::{self, Given};
use crate::eval::{Inputs, Outcome, Program, apply};
use crate::http::redact::Redactor;
use crate::ir::{Flow, Place};
use crate::plan::FlowPlan;
use crate::run::sample::{self, Asked, Sample};
use crate::testkit::compare::{Comparison, Edited};
use crate::value::Json;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub records: Records<'a>,
    /// The flow; none where both states have just one.
    pub flow: Option<&'a str>,
    /// Records of the other side, among which matches look: `NAME=FILE`.
    pub matched: &'a [String],
    /// The run's now.
    pub now: jiff::Timestamp,
    /// Mask personal values, and learn those of all records.
    pub mask: bool,
}

/// Which records go through both states.
#[derive(Debug, Clone, Copy)]
pub enum Records<'a> {
    /// Those of a file.
    File(&'a str),
    /// What has changed at the source since then, read live.
    Since(jiff::Timestamp),
}

/// All that an edit does.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Takes the personal values that were met out of words; none unless they are masked.
    #[serde(skip)]
    pub hidden: Option<Redactor>,
    pub version: u32,
}

/// Sends the same records through two states of a project.
///
/// # Errors
/// There is no such flow, it maps groups, or the records cannot be read.
pub fn compare(old: &LoadedProject, new: &LoadedProject, request: &Request<'_>, notices: Notices<'_>) -> Result<Compared, Failure> {
    let (before, after) = (Side::of(old, request)?, Side::of(new, request)?);
    let files = |path: &str| new.records(path);
    // A match that only one state has is looked up in that one; one that neither has is a mistake.
    let of = |side: &Side<'_>, other: &Side<'_>| -> Vec<String> {
        request.matched.iter().filter(|pair| side.looks_up(pair) || !other.looks_up(pair)).cloned().collect()
    };
    let given_before = matched::given(&of(&before, &after), before.flow, &files)?;
    let given_after = matched::given(&of(&after, &before), after.flow, &files)?;
    let (was, is) = (sources(old)?, sources(new)?);
    let mut edited = Edited::of(&was, &is);
    // A value in crossdock.yaml is an edit of its parameter.
    let (had, has) = (&old.plan()?.mapping.parameters, &new.plan()?.mapping.parameters);
    for (name, now) in has.iter().filter(|(name, now)| had.get(*name).is_some_and(|before| before.value != now.value)) {
        edited.mark(&now.place, value_place(new, name));
    }
    edited.look_for_where((&was, &before.flow.place), (&is, &after.flow.place));
    let now = request.now;
    let mut comparison = Comparison::default();
    let mut masking = if request.mask { Some(Masking::of(new.plan()?)) } else { None };
    let mut look = |side: &Side<'_>, record: &Json, matched: &BTreeMap<String, Vec<Json>>| {
        let outcome = side.outcome(record, matched, now);
        if let Some(masking) = &mut masking {
            masking.learn_read(side.flow, record, matched);
            // The payloads are compared as they are.
            masking.learn_written(&outcome);
        }
        outcome
    };
    match request.records {
        Records::File(path) => {
            let records = new.records(path)?;
            if records.is_empty() {
                // Without any, two states would seem to be the same.
                return Err(Failure::usage(format!("`{path}` holds no record")));
            }
            for (at, record) in records.iter().enumerate() {
                let (had, has) = (before.found(record, &given_before, now), after.found(record, &given_after, now));
                let (was, is) = (look(&before, record, &had), look(&after, record, &has));
                comparison.add(&name(record, at), &was, &is, &edited);
            }
        }
        Records::Since(since) => {
            for (at, Sample { record, matched }) in live(&before, &after, since, now, notices)?.iter().enumerate() {
                let (was, is) = (look(&before, record, matched), look(&after, record, matched));
                comparison.add(&name(record, at), &was, &is, &edited);
            }
        }
    }
    if let Some(masking) = &masking {
        for group in &mut comparison.groups {
            for value in [&mut group.example.was, &mut group.example.is].into_iter().flatten() {
                *value = masking.value(&group.what, value);
            }
        }
    }
    Ok(Compared { comparison, hidden: masking.map(Masking::into_redactor), version: VERSION })
}

/// Where a parameter's value stands in the project's file.
fn value_place(side: &LoadedProject, parameter: &str) -> Option<Place> {
    let span = side.compiled.config.parameters.get(parameter)?.span;
    let source = side.compiled.sources.get(span.file)?;
    Some(Place::line(source.name.as_str(), source.position(span.start).line))
}

/// The texts that an edit may be in: mapping files and the tables that they read.
fn sources(side: &LoadedProject) -> Result<BTreeMap<String, String>, Failure> {
    let mut texts = side.mappings()?;
    for table in &side.plan()?.mapping.tables {
        texts.insert(table.path.clone(), side.text(&table.path)?.to_string());
    }
    Ok(texts)
}

/// One state of the project, ready to map.
struct Side<'p> {
    project: &'p LoadedProject,
    program: Program<'p>,
    flow: &'p Flow,
}

impl<'p> Side<'p> {
    fn of(project: &'p LoadedProject, request: &Request<'_>) -> Result<Self, Failure> {
        let flow = project.flow(request.flow)?;
        if flow.group.is_some() {
            return Err(Failure::usage(format!("`{}` maps groups of records, and not single records", flow.name))
                .hint("name another flow, or preview one group: crossdock preview"));
        }
        Ok(Side { project, program: project.program()?, flow })
    }

    /// Whether a pair of `--matched` is about a match of this state.
    fn looks_up(&self, pair: &str) -> bool {
        pair.split_once('=').is_some_and(|(name, _)| self.flow.matches.iter().any(|found| found.name == name))
    }

    /// What a record's matches find among the records that were given.
    fn found(&self, record: &Json, given: &Given, now: jiff::Timestamp) -> BTreeMap<String, Vec<Json>> {
        let inputs = Inputs::of(record, now, &self.project.compiled.names);
        queries::find(&self.program, self.flow, &inputs, given).0
    }

    fn outcome(&self, record: &Json, matched: &BTreeMap<String, Vec<Json>>, now: jiff::Timestamp) -> Outcome {
        let inputs = Inputs { matched, trace: true, ..Inputs::of(record, now, &self.project.compiled.names) };
        apply(&self.program, self.flow, &inputs)
    }

    fn reads(&self) -> Result<FlowPlan, Failure> {
        let plan = self.project.plan()?;
        plan.flows.iter().find(|reads| reads.flow == self.flow.name).cloned().ok_or_else(|| Failure::usage("the flow has no plan"))
    }
}

/// Records as the source has them today, read for both states.
fn live(before: &Side<'_>, after: &Side<'_>, since: jiff::Timestamp, now: jiff::Timestamp, notices: Notices<'_>) -> Result<Vec<Sample>, Failure> {
    let (project, flow) = (after.project, after.flow);
    let connectors = project.connectors(std::slice::from_ref(&flow.name), &transport()?, &clock())?;
    let (other, own) = (before.reads()?, after.reads()?);
    let asked =
        Asked { plan: project.plan()?, program: &after.program, flow, reads: &own, other: &other, names: &project.compiled.names, since, now };
    let read = runtime()?.block_on(sample::since(&asked, &connectors));
    let (samples, more) =
        read.map_err(|fault| Failure::io(format!("the records could not be read: {fault}")).hint("crossdock doctor checks each connection"))?;
    if more {
        notices(&Notice::MoreRecords { compared: samples.len() });
    }
    Ok(samples)
}

/// What people call a record.
fn name(record: &Json, at: usize) -> String {
    let known = ["OrderNumber", "orderNumber", "Name", "Id", "id", "orderId", "shipmentId"];
    records::first_of(record, &known).unwrap_or_else(|| format!("record {}", at + 1))
}
