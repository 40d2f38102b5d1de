//! Records as a live run would read them, with the records that their matches find: for commands that send nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::connector::{Connectors, LookupRequest, ReadRequest, State};
use crate::eval::{Inputs, Program, queries};
use crate::fault::Fault;
use crate::http::Call;
use crate::ir::Flow;
use crate::plan::{FlowPlan, Plan};
use crate::schema::Names;
use crate::value::{Json, ObjectRef};

/// Records that are read at most: somebody waits for the answer.
pub const MOST: usize = 10_000;

/// A record and what its matches find.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub record: Json,
    pub matched: BTreeMap<String, Vec<Json>>,
}

/// What is to be read.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub plan: &'a Plan,
    pub program: &'a Program<'a>,
    pub flow: &'a Flow,
    pub reads: &'a FlowPlan,
    /// Another state of the same flow, whose fields are read as well.
    pub other: &'a FlowPlan,
    pub names: &'a BTreeMap<ObjectRef, std::sync::Arc<Names>>,
    pub since: Timestamp,
    pub now: Timestamp,
}

/// Reads the records of a flow's source that have changed since a moment, at most [`MOST`], and whether there are more.
///
/// # Errors
/// A system could not be read.
pub async fn since(asked: &Asked<'_>, connectors: &Connectors) -> Result<(Vec<Sample>, bool), Fault> {
    let missing = |connection: &str| Fault::rejected("connection", format!("the connection `{connection}` is not open"), None);
    let connector = connectors.get(&asked.flow.source.connection).ok_or_else(|| missing(&asked.flow.source.connection))?;
    let source = asked.plan.selection(asked.flow, asked.reads, &asked.other.reads);
    let Some(stream) = connector.streams(&source).into_iter().next() else { return Ok((Vec::new(), false)) };
    let call = Call::default();
    let mut samples: Vec<Sample> = Vec::new();
    let mut cursor: Option<String> = None;
    let more = loop {
        let ask = ReadRequest {
            selection: &source,
            stream: &stream.name,
            cursor: cursor.as_deref(),
            begins: cursor.is_none(),
            overlap: SignedDuration::ZERO,
            since: Some(asked.since),
            now: asked.now,
        };
        let page = connector.changes(&call, &ask).await?;
        let (mut bodies, mut listed) = (Vec::new(), Vec::new());
        for change in page.changes {
            match change.state {
                State::Upserted(body) => bodies.push(body),
                State::Touched | State::Listed | State::Part(_) | State::LeftFilter | State::Refused(_) => listed.push(change.id),
                State::Gone => {}
            }
        }
        listed.truncate(MOST.saturating_sub(samples.len() + bodies.len()));
        for ids in listed.chunks(connector.fetch_batch(&source).max(1)) {
            let got = connector.fetch_by_id(&call, &source, ids).await?;
            bodies.extend(got.into_iter().filter_map(|change| if let State::Upserted(body) = change.state { Some(body) } else { None }));
        }
        samples.extend(bodies.into_iter().map(|body| Sample { record: body.read(), matched: BTreeMap::new() }));
        cursor = page.cursor;
        if !page.more || samples.len() >= MOST {
            break page.more;
        }
    };
    samples.truncate(MOST);
    find(asked, connectors, &mut samples).await?;
    Ok((samples, more))
}

async fn find(asked: &Asked<'_>, connectors: &Connectors, samples: &mut [Sample]) -> Result<(), Fault> {
    for (at, found) in asked.flow.matches.iter().enumerate() {
        let Some(connector) = connectors.get(&found.object.connection) else { continue };
        let reads = |plan: &FlowPlan| plan.match_reads.get(&found.name).cloned().unwrap_or_default();
        let fields: BTreeSet<Vec<String>> = reads(asked.reads).into_iter().chain(reads(asked.other)).collect();
        let fields: Vec<Vec<String>> = fields.into_iter().collect();
        for (key, by) in found.by.iter().enumerate() {
            let wanted: Vec<Vec<String>> = samples
                .iter()
                .map(|sample| {
                    if found.each.is_none() && sample.matched.get(&found.name).is_some_and(|known| !known.is_empty()) {
                        return Vec::new();
                    }
                    let inputs = Inputs { matched: &sample.matched, ..Inputs::of(&sample.record, asked.now, asked.names) };
                    let wanted = queries::wanted(asked.program, asked.flow, &inputs);
                    wanted.get(at).and_then(|wanted| wanted.keys.get(key)).map(|(_, values)| values.clone()).unwrap_or_default()
                })
                .collect();
            let values: BTreeSet<String> = wanted.iter().flatten().cloned().collect();
            let values: Vec<String> = values.into_iter().collect();
            let mut by_value: BTreeMap<String, Vec<Json>> = BTreeMap::new();
            for values in values.chunks(connector.lookup_batch(&found.object, &by.field).max(1)) {
                let (object, schemas) = (&found.object, &asked.plan.objects);
                let ask = LookupRequest { object, schemas, field: &by.field, values, companions: &[], projection: &fields };
                for hit in connector.lookup(&Call::default(), &ask).await? {
                    by_value.entry(hit.value).or_default().push(hit.record);
                }
            }
            for (sample, wanted) in samples.iter_mut().zip(wanted) {
                let known = sample.matched.entry(found.name.clone()).or_default();
                for hit in wanted.iter().filter_map(|value| by_value.get(value)).flatten() {
                    if found.each.is_none() || !known.contains(hit) {
                        known.push(hit.clone());
                    }
                }
            }
        }
    }
    Ok(())
}
