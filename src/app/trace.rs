//! The history of one record, through both systems, as a timeline.

use std::collections::BTreeSet;

use serde::Serialize;

use super::audit::{self, Call};
use super::time::{Rfc3339, UtcTime};
use super::{Access, Context, Failure, VERSION};
use crate::builtin::phone_spellings;
use crate::engine::{group_key, mask};
use crate::store::{Event, Millis, RecordStage, RecordState, Store, Watched};

/// Records that are searched for by one name, at most.
const MOST_FOUND: usize = 50;
/// Records that are told together, at most.
const MOST_TOLD: usize = 200;
/// Records that have nothing to do with each other, above which they are only listed.
pub const MOST_SEPARATE: usize = 5;

/// The records of a name, those that belong to them, and what has happened to all of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    pub version: u32,
    pub records: Vec<Traced>,
    /// What people decided about them.
    pub decisions: Vec<Decision>,
    /// In the order of time.
    pub events: Vec<Happened>,
    /// How many of the records are called so: the first ones.
    #[serde(skip)]
    pub named: usize,
    /// How many of those have nothing to do with each other. Up to [`MOST_SEPARATE`] it is just how many are called so.
    #[serde(skip)]
    pub separate: usize,
}

/// A record, and where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Traced {
    pub flow: String,
    pub key: String,
    pub label: Option<String>,
    pub state: RecordStage,
    /// The hash of the plan that mapped it last.
    pub plan: Option<String>,
    /// When it is taken up, where it is not settled.
    pub due: Option<UtcTime>,
    /// What was kept of it was erased.
    #[serde(skip)]
    pub erased: bool,
    #[serde(skip)]
    pub updated: UtcTime,
    /// It is not taken up before [`Traced::due`], which is still to come.
    #[serde(skip)]
    pub postponed: bool,
    /// The numbers of its open exceptions.
    #[serde(skip)]
    pub exceptions: Vec<i64>,
    /// Its deadlines that are still to come.
    #[serde(skip)]
    pub watches: Vec<(Watched, UtcTime)>,
}

/// What a person decided about an exception.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    pub exception: i64,
    pub flow: String,
    pub key: String,
    pub what: String,
    pub by: Option<String>,
    pub reason: Option<String>,
    pub at: Rfc3339,
}

/// A line of history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happened {
    pub at: UtcTime,
    pub flow: String,
    pub key: String,
    pub kind: String,
    /// Masked.
    pub text: String,
    /// The number of the call that it belongs to.
    pub exchange: Option<i64>,
    /// That call, with what it sent and answered of this record, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Call>,
}

/// The history of what is called so: a number, a key, an id, or the value of a group. `requests`: with the calls.
///
/// # Errors
/// Nothing is called so, or the store cannot be opened or read.
pub fn trace(context: &Context, name: &str, requests: bool) -> Result<Trace, Failure> {
    let opened = context.open_store(Access::Read)?;
    let store: &dyn Store = &*opened;
    let mut lanes = called(context, store, name)?;
    if lanes.is_empty() {
        return Err(Failure::usage(format!("no record is called {}", mask::key(name, true)))
            .hint("name it by its number, its id, or its key at the other system"));
    }
    let named = lanes.len();
    add_linked(store, &mut lanes)?;
    let mut events: Vec<Event> = Vec::new();
    for lane in &lanes {
        events.extend(store.events(&lane.flow, &lane.key)?);
    }
    events.sort_by_key(|event| event.at);
    let separate = separate(store, &lanes[..named])?;
    let mut decisions = Vec::new();
    for lane in &lanes {
        for one in store.decisions_of(&lane.flow, &lane.key)? {
            let Some(decided) = one.decided else { continue };
            decisions.push(Decision {
                exception: one.id,
                flow: one.flow,
                key: one.lane,
                what: decided.what,
                by: decided.by,
                reason: decided.why,
                at: Rfc3339(decided.at),
            });
        }
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let records = lanes.into_iter().map(|lane| record(store, lane, now)).collect::<Result<_, _>>()?;
    let events = events.into_iter().map(|event| happened(store, event, requests)).collect::<Result<_, _>>()?;
    Ok(Trace { version: VERSION, records, decisions, events, named, separate })
}

fn record(store: &dyn Store, lane: RecordState, now: Millis) -> Result<Traced, Failure> {
    let watches = store.watches_of(&lane.flow, &lane.key)?;
    let exceptions = store.exceptions_of(&lane.flow, &lane.key)?;
    Ok(Traced {
        erased: lane.is_erased(),
        due: (!lane.state.settled() && lane.due > 0).then_some(UtcTime(lane.due)),
        postponed: matches!(lane.state, RecordStage::Waiting | RecordStage::Fetch) && lane.due > now,
        updated: UtcTime(lane.updated),
        exceptions: exceptions.iter().map(|one| one.id).collect(),
        watches: watches.into_iter().map(|watch| (watch.what, UtcTime(watch.due))).collect(),
        flow: lane.flow,
        key: lane.key,
        label: lane.label,
        state: lane.state,
        plan: lane.plan,
    })
}

fn happened(store: &dyn Store, event: Event, requests: bool) -> Result<Happened, Failure> {
    let exchange = event.exchange.filter(|_| requests).map(|id| store.exchange(id)).transpose()?.flatten();
    let request = exchange.map(|exchange| audit::call(exchange, &|part| part.flow == event.flow && part.lane == event.lane));
    Ok(Happened { at: UtcTime(event.at), flow: event.flow, key: event.lane, kind: event.kind, text: event.text, exchange: event.exchange, request })
}

/// The records that are called so. A group is known by its value: an e-mail address, an account.
fn called(context: &Context, store: &dyn Store, name: &str) -> Result<Vec<RecordState>, Failure> {
    let mut lanes = store.search(name, MOST_FOUND)?;
    for name in std::iter::once(name.to_owned()).chain(phone_spellings(name)) {
        let group = group_key(&name, &|value| store.fingerprint(value));
        for flow in context.project.plan()?.mapping.flows.iter().filter(|flow| flow.group.is_some()) {
            lanes.extend(store.record(&flow.name, &group)?);
        }
    }
    Ok(lanes)
}

/// Adds what belongs to some records through what was matched and written.
fn add_linked(store: &dyn Store, lanes: &mut Vec<RecordState>) -> Result<(), Failure> {
    let mut known: BTreeSet<(String, String)> = lanes.iter().map(|lane| (lane.flow.clone(), lane.key.clone())).collect();
    let mut at = 0;
    while at < lanes.len() && lanes.len() < MOST_TOLD {
        for (flow, key) in store.linked(&lanes[at].flow, &lanes[at].key, None, MOST_TOLD - lanes.len())? {
            if known.insert((flow.clone(), key.clone()))
                && let Some(lane) = store.record(&flow, &key)?
            {
                lanes.push(lane);
            }
        }
        at += 1;
    }
    Ok(())
}

/// How many of some records have nothing to do with each other; of so few that all are told, how many there are.
fn separate(store: &dyn Store, hits: &[RecordState]) -> Result<usize, Failure> {
    if hits.len() <= MOST_SEPARATE {
        return Ok(hits.len());
    }
    let name = |lane: &RecordState| (lane.flow.clone(), lane.key.clone());
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut count = 0;
    for hit in hits {
        if seen.contains(&name(hit)) {
            continue;
        }
        count += 1;
        let mut next = vec![name(hit)];
        while let Some(one) = next.pop().filter(|_| seen.len() < 1_000) {
            if seen.insert(one.clone()) {
                next.extend(store.linked(&one.0, &one.1, None, MOST_TOLD)?);
            }
        }
    }
    Ok(count)
}
