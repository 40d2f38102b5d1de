//! What would be sent for some records. Nothing is sent.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::masking::Masking;
use super::records::{self, RecordsFile};
use super::{Failure, LoadedProject, matched};
use crate::eval::queries::{self, LeftOut, Sought};
use crate::eval::{Inputs, Outcome, Verdict, apply};
use crate::http::redact::Redactor;
use crate::value::Json;

/// Which records are previewed, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// A file of records.
    pub records: &'a str,
    /// The flow; none where the project has just one.
    pub flow: Option<&'a str>,
    /// Only the record with this id, or whose write has this key.
    pub key: Option<&'a str>,
    /// Records of the other side, among which matches look: `NAME=FILE`.
    pub matched: &'a [String],
    /// A file of the record as the target holds it now.
    pub target: Option<&'a str>,
    /// The run's now; the clock's if none is given.
    pub now: Option<jiff::Timestamp>,
    /// Keep how each value came about, and what each condition said.
    pub trace: bool,
    /// Mask personal values in the payloads, and learn those of all records.
    pub mask: bool,
}

/// A record, and all that became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Previewed {
    #[serde(flatten)]
    pub outcome: Outcome,
    pub id: Option<String>,
    /// Why the flow leaves it out.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "left_out_texts")]
    pub left_out: Vec<LeftOut>,
    /// How its matches went among the records that were given.
    #[serde(rename = "matches", skip_serializing_if = "Vec::is_empty", serialize_with = "match_texts")]
    pub sought: Vec<Sought>,
    #[serde(skip)]
    pub record: Json,
}

fn left_out_texts<S: Serializer>(all: &[LeftOut], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(left_out_text))
}

fn match_texts<S: Serializer>(all: &[Sought], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(matched::text))
}

/// What became of the records of a file.
pub struct Preview {
    pub records: Vec<Previewed>,
    /// Takes the personal values that were met out of words; none unless they are masked.
    pub hidden: Option<Redactor>,
}

/// Maps the records of a file and says what became of each. A file without a record gives none.
///
/// # Errors
/// There is no such flow, a file cannot be read, or no record has the key.
pub fn preview(project: &LoadedProject, request: &Request<'_>) -> Result<Preview, Failure> {
    let flow = project.flow(request.flow)?;
    let program = project.program()?;
    let load = |path: &str| project.records(path);
    let file = RecordsFile::find(project, request.records);
    let read = file.text()?;
    project.hold_headings(flow, &file, &read)?;
    let mut records = file.parse(&read)?;
    let none = records.is_empty();
    let mut masking = request.mask.then(|| Masking::of(program.plan()));
    let given = matched::given(request.matched, flow, &load)?;
    let target = request.target.map(load).transpose()?.and_then(|found| found.into_iter().next());
    let targets: BTreeMap<String, Json> =
        target.iter().flat_map(|target| flow.writes.iter().map(|write| (write.name.clone(), target.clone()))).collect();
    let (results, unmatched) = (BTreeMap::new(), BTreeMap::new());
    let group = if flow.group.is_some() { std::mem::take(&mut records) } else { Vec::new() };
    if flow.group.is_some() {
        records = group.first().cloned().into_iter().collect();
    }
    let now = request.now.unwrap_or_else(jiff::Timestamp::now);
    let mut all: Vec<Previewed> = Vec::new();
    for record in records {
        let inputs = Inputs {
            record: &record,
            group: &group,
            was_of_group: None,
            now,
            matched: &unmatched,
            targets: &targets,
            results: &results,
            names: &project.compiled.names,
            // Where nothing is written the conditions of the writes say why.
            trace: true,
        };
        let (matched, sought) = queries::find(&program, flow, &inputs, &given);
        let inputs = Inputs { matched: &matched, ..inputs };
        let mut outcome = apply(&program, flow, &inputs);
        if request.key.is_some_and(|key| !has_key(&record, &outcome, key)) {
            continue;
        }
        if let Some(masking) = &mut masking {
            masking.learn_read(flow, &record, &matched);
            group.iter().for_each(|one| masking.learn(&flow.source, one));
            flow.writes.iter().zip(&target).for_each(|(write, target)| masking.learn(&write.object, target));
            masking.outcome(&mut outcome);
        }
        let left_out = if outcome.verdict == Verdict::NotEligible { queries::left_out(&program, flow, &inputs) } else { Vec::new() };
        if !request.trace {
            outcome.trace.clear();
            outcome.decisions.clear();
        }
        all.push(Previewed {
            outcome,
            id: records::first_of(&record, &["Id", "id", "orderId", "orderNumber", "shipmentId"]),
            left_out,
            sought,
            record,
        });
    }
    if let (Some(key), true, false) = (request.key, all.is_empty(), none) {
        return Err(Failure::usage(format!("no record has the id or key `{key}`")));
    }
    Ok(Preview { records: all, hidden: masking.map(Masking::into_redactor) })
}

fn has_key(record: &Json, outcome: &Outcome, key: &str) -> bool {
    records::has(record, &["Id", "id", "OrderNumber", "orderNumber", "orderId", "shipmentId"], key)
        || outcome.payloads.iter().any(|payload| payload.key.as_deref() == Some(key))
}

/// Why a flow leaves a record out, in one line.
pub fn left_out_text(one: &LeftOut) -> String {
    match one {
        LeftOut::Filter(condition, _) => format!("where {condition}: does not hold"),
        LeftOut::Match(name, _, 0) => format!("match `{name}` found no record, and says `none -> skip`"),
        LeftOut::Match(name, _, count) => format!("match `{name}` found {count} records, and says `many -> skip`"),
        LeftOut::Group => "it has no value for the group".to_owned(),
    }
}
