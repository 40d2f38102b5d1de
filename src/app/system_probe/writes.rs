//! Questions that write: what one key that is sent twice becomes, and how soon what was written can be read.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::json;

use super::Probe;
use super::reads::having;
use crate::connector::{Done, Item, Selection, State, WriteRequest};
use crate::describe::model::{Means, Object, Write};
use crate::fault::Fault;
use crate::http::Transport as _;
use crate::schema;
use crate::system::{Operation, ProbedWrite, fingerprint};
use crate::value::{Json, Kind};

/// For how long a record that was written is looked for.
const READABLE: Duration = Duration::from_secs(60);
const EACH: Duration = Duration::from_millis(500);

/// `said`: the object's description; `record`: what is sent, where a person gives it.
pub(super) async fn of(
    probe: &Probe<'_>,
    object: &Object,
    said: &Json,
    record: Option<&Json>,
    left_behind: &mut Vec<String>,
) -> IndexMap<String, ProbedWrite> {
    let mut found = IndexMap::new();
    let mut made: Option<Made> = None;
    for write in object.writes.iter().filter(|write| write.name.node.starts_with("create") || write.name.node.starts_with("upsert")) {
        let (finding, record) = create(probe, object, write, record, left_behind).await;
        made = made.or(record);
        found.insert(write.name.node.clone(), finding);
    }
    for write in object.writes.iter().filter(|write| write.name.node.starts_with("update")) {
        found.insert(write.name.node.clone(), update(probe, object, write, made.as_ref()).await);
    }
    for (name, finding) in &mut found {
        finding.described = fingerprint(said, name);
    }
    found
}

/// A record that the probe made.
struct Made {
    id: Option<String>,
    key: String,
    body: Json,
}

fn unclear(found: impl Into<String>) -> ProbedWrite {
    told(None, found)
}

fn told(holds: Option<bool>, found: impl Into<String>) -> ProbedWrite {
    ProbedWrite { described: String::new(), holds, found: found.into(), readable_after: None }
}

async fn send(probe: &Probe<'_>, object: &Object, operation: Operation, key_field: Option<&str>, item: Item) -> Result<Done, Fault> {
    let of = probe.of(&object.name.node);
    let items = [item];
    let ask = WriteRequest { object: &of, schemas: probe.schemas, operation, key_field, items: &items, riders: None, now: probe.clock.now() };
    let receipts = probe.connector.send(&probe.call, &ask).await?;
    receipts.into_iter().next().map_or_else(|| Err(Fault::Ambiguous { reason: "no receipt came".to_owned() }), |receipt| receipt.outcome)
}

/// One key, sent twice.
async fn create(
    probe: &Probe<'_>,
    object: &Object,
    write: &Write,
    record: Option<&Json>,
    left_behind: &mut Vec<String>,
) -> (ProbedWrite, Option<Made>) {
    let operation = if write.name.node.starts_with("upsert") { Operation::Upsert } else { Operation::Create };
    let means = write.guarantee.as_ref().map_or(Means::None, |guarantee| guarantee.by.node);
    let mark = write.guarantee.as_ref().and_then(|guarantee| guarantee.field.as_ref()).map(|field| field.node.as_str());
    let Some(field) = mark.or(write.key.first().map(|key| key.node.as_str())) else {
        return (unclear("it has no key, so a test record could not be told from others: it was not tried"), None);
    };
    let key = format!("crossdock-probe-{}", probe.clock.now().strftime("%Y%m%d%H%M%S"));
    let of = format!("{}.{}", probe.connection, object.name.node);
    let mut body = match record {
        Some(record) => record.clone(),
        None => match probe.schemas.get(&of) {
            Some(schema) => sample(probe, schema, 0),
            None => return (unclear("no schema says what a record needs, and none was given: pass one with --record"), None),
        },
    };
    put(&mut body, field, &key);
    let item = || Item { key: Some(key.clone()), id: None, body: body.clone() };
    let first = match send(probe, object, operation, Some(field), item()).await {
        Ok(done) => done,
        Err(_) if probe.asking.declined() => return (unclear("it was not allowed"), None),
        Err(fault @ (Fault::Ambiguous { .. } | Fault::Transient { .. } | Fault::Throttled { .. })) => {
            left_behind.push(format!("{} {key} (perhaps)", object.name.node));
            return (unclear(format!("the answer to a test record is not clear: {fault}")), None);
        }
        Err(fault) => {
            return (unclear(format!("the test record was refused: {fault}; pass one that is taken with --record {}=FILE", object.name.node)), None);
        }
    };
    left_behind.push(format!("{} {key}", object.name.node));
    let made = Made { id: first.id.clone(), key: key.clone(), body: body.clone() };
    let readable = readable(probe, object, field, &made).await;
    let after = readable.as_ref().map(|(after, _)| format!("{:.1} s", after.as_secs_f64()));
    if means == Means::Mark {
        return (ProbedWrite { readable_after: after, ..by_mark(write, field, readable) }, Some(made));
    }
    let second = send(probe, object, operation, Some(field), item()).await;
    let word = match &second {
        Ok(_) => "was accepted".to_owned(),
        Err(fault) => format!("was refused ({fault})"),
    };
    // Both are looked for: what was made last shows last.
    if let Some((after, _)) = &readable {
        probe.clock.sleep(*after + EACH).await;
    }
    let count = match having(probe, object, field, &key).await {
        Ok(found) => Some(found.len()),
        Err(_) => None,
    };
    let ids = first.id.as_ref().zip(second.as_ref().ok().and_then(|done| done.id.as_ref())).map(|(one, other)| one == other);
    let count = match (count, ids) {
        // Two ids are two records, whatever a search shows.
        (_, Some(false)) => Some(2),
        (count, _) => count,
    };
    let finding = match (means, count) {
        (_, Some(2..)) => told(
            if means == Means::None { None } else { Some(false) },
            format!("a second {} with the same `{field}` {word}, and now there are two", object.name.node),
        ),
        (Means::None, Some(1)) => {
            unclear(format!("a second {} with the same `{field}` {word}, and there is one: its means could be `by: key`", object.name.node))
        }
        (_, Some(1)) if matches!(second, Ok(_) | Err(Fault::Rejected(_) | Fault::BatchRefused(_) | Fault::Conflict { .. })) => {
            told(Some(true), format!("a second {} with the same `{field}` {word}, and there is one", object.name.node))
        }
        (_, Some(1)) => unclear(format!("a second {} with the same `{field}` {word}", object.name.node)),
        (_, Some(_)) => unclear(format!("a second {} with the same `{field}` {word}; neither is found by it", object.name.node)),
        (_, None) => unclear(format!("a second {} with the same `{field}` {word}; how many there are now cannot be asked", object.name.node)),
    };
    (ProbedWrite { readable_after: after, ..finding }, Some(made))
}

/// What a mark needs: the record is found by it, alone, and before its settle time ends.
fn by_mark(write: &Write, field: &str, readable: Option<(Duration, usize)>) -> ProbedWrite {
    let settle = write.guarantee.as_ref().and_then(|guarantee| guarantee.settle).unwrap_or_default();
    match readable {
        Some((after, 1)) if jiff::SignedDuration::try_from(after).is_ok_and(|after| after <= settle) => {
            told(Some(true), format!("what was made is found by `{field}`, and only that"))
        }
        Some((_, 1)) => told(Some(false), format!("what was made is found by `{field}` after its settle time only")),
        Some((_, count)) => told(Some(false), format!("{count} records are found by the `{field}` of one that was made")),
        None => told(Some(false), format!("what was made is not found by `{field}` within {} s", READABLE.as_secs())),
    }
}

/// After how long a record is found by its key, or by its id, and how many are. None: it was not.
async fn readable(probe: &Probe<'_>, object: &Object, field: &str, made: &Made) -> Option<(Duration, usize)> {
    let began = probe.clock.moment().steady;
    loop {
        let found = match having(probe, object, field, &made.key).await {
            Ok(found) => found.len(),
            Err(_) => by_id(probe, object, made).await,
        };
        if found > 0 {
            return Some((since(probe, began), found));
        }
        if since(probe, began) > READABLE || probe.asking.declined() {
            return None;
        }
        probe.clock.sleep(EACH).await;
    }
}

/// How long it is since a moment of the steady clock.
fn since(probe: &Probe<'_>, began: i64) -> Duration {
    Duration::from_millis(u64::try_from(probe.clock.moment().steady - began).unwrap_or_default())
}

async fn by_id(probe: &Probe<'_>, object: &Object, made: &Made) -> usize {
    let Some(id) = &made.id else { return 0 };
    let of = probe.of(&object.name.node);
    let selection = Selection { object: &of, schemas: probe.schemas, projection: Vec::new(), filter: Vec::new(), stamps: &[] };
    let found = probe.connector.fetch_by_id(&probe.call, &selection, std::slice::from_ref(id)).await.unwrap_or_default();
    found.iter().filter(|change| change.id == *id && !matches!(change.state, State::Gone | State::Refused(_))).count()
}

/// The test record is changed. A change of absolute values is sent twice; one with a version is sent once more as it was, when its
/// version is an old one.
async fn update(probe: &Probe<'_>, object: &Object, write: &Write, made: Option<&Made>) -> ProbedWrite {
    let Some(made) = made else { return unclear("there is no test record to change: no record was created") };
    let Some(id) = &made.id else { return unclear("the id of the test record is not known") };
    let Some(body) = changed(probe, object, made) else { return unclear("nothing of the test record may be changed by itself") };
    let item = || Item { key: None, id: Some(id.clone()), body: body.clone() };
    let means = write.guarantee.as_ref().map_or(Means::None, |guarantee| guarantee.by.node);
    drop(probe.asking.take_write());
    let times = if means == Means::Version { 1 } else { 2 };
    for _ in 0..times {
        match send(probe, object, Operation::Update, None, item()).await {
            Ok(_) => {}
            Err(_) if probe.asking.declined() => return unclear("it was not allowed"),
            Err(fault) => return unclear(format!("a change of the test record was refused: {fault}")),
        }
    }
    let Some(sent) = probe.asking.take_write() else { return unclear("no change was sent: the test record has these values already") };
    match means {
        Means::Set => match by_id(probe, object, made).await {
            1 => told(Some(true), "the same change twice left one record"),
            _ => unclear("the same change twice was accepted, and the record is not found by its id"),
        },
        Means::Version => match probe.asking.send(sent).await {
            Ok(answer) if answer.status().is_success() => {
                told(Some(false), "a change with an old version was accepted: what is sent late writes over what is newer")
            }
            Ok(answer) => told(Some(true), format!("a change with an old version was refused ({})", answer.status())),
            Err(_) => unclear("whether an old version is refused could not be asked"),
        },
        Means::Key | Means::Token | Means::Mark | Means::None => unclear("the same change twice was accepted"),
    }
}

/// What may be changed of a test record by an update, with other numbers.
fn changed(probe: &Probe<'_>, object: &Object, made: &Made) -> Option<Json> {
    let schema = probe.schemas.get(&format!("{}.{}", probe.connection, object.name.node))?;
    let may = |name: &str| schema.fields.get(name).is_some_and(|field| field.write.update);
    let other = |value: &Json| match value.as_i64() {
        Some(number) => Json::from(number.saturating_add(1)),
        None => value.clone(),
    };
    let fields = made.body.as_object()?.iter().filter(|(name, value)| may(name) && value.as_str() != Some(made.key.as_str()));
    let body: serde_json::Map<String, Json> = fields.map(|(name, value)| (name.clone(), other(value))).collect();
    (!body.is_empty()).then(|| Json::Object(body))
}

fn put(body: &mut Json, field: &str, value: &str) {
    let mut at = body;
    let mut names = field.split('.').peekable();
    while let Some(name) = names.next() {
        if !at.is_object() {
            *at = json!({});
        }
        if names.peek().is_none() {
            at[name] = Json::from(value);
            return;
        }
        at = &mut at[name];
    }
}

/// A record with what its schema demands of a create.
fn sample(probe: &Probe<'_>, of: &schema::Object, depth: usize) -> Json {
    let mut out = serde_json::Map::new();
    for (name, field) in of.fields.iter().filter(|(_, field)| field.write.create && field.write.required) {
        out.insert(name.clone(), value(probe, &field.kind, field.size.map(|size| size.max), depth));
    }
    Json::Object(out)
}

fn value(probe: &Probe<'_>, kind: &Kind, longest: Option<usize>, depth: usize) -> Json {
    match kind {
        Kind::Boolean => Json::from(false),
        Kind::Integer | Kind::Decimal | Kind::Money | Kind::Weight | Kind::Length | Kind::Duration => Json::from(1),
        Kind::Date => Json::from(probe.clock.now().strftime("%Y-%m-%d").to_string()),
        Kind::Datetime => Json::from(probe.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        Kind::Enumeration(of) => of.values.first().map_or(Json::Null, |known| Json::from(known.value.as_str())),
        Kind::List(of) => Json::Array(vec![value(probe, &of.kind, None, depth + 1)]),
        Kind::Object(of) if depth < 6 => probe.schemas.get(&of.to_string()).map_or_else(|| json!({}), |schema| sample(probe, schema, depth + 1)),
        _ => Json::from("crossdock-probe".chars().take(longest.unwrap_or(usize::MAX)).collect::<String>()),
    }
}
