//! Questions that only read: pages, their order, the lower bound, look-ups.

use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::super::system_new::words;
use super::Probe;
use crate::connector::{LookupRequest, Page, ReadRequest, Selection, State};
use crate::describe::model::{Growth, Object, Paging, Request as Asked, Stream};
use crate::describe::{Filled, Path, Piece};
use crate::fault::Fault;
use crate::http::{Request, Transport as _};
use crate::system::Finding;
use crate::value::Json;

/// How many pages of a stream are read.
const PAGES: usize = 3;
/// A value that no record has.
pub(super) const NOBODY: &str = "crossdock-probe-nobody";

/// The pages of a stream that were read.
#[derive(Default)]
struct Read {
    /// Records as the system printed them, page by page.
    pages: Vec<Vec<Json>>,
    ids: Vec<Vec<String>>,
    more: bool,
    /// The request for the first page.
    first: Option<Request>,
}

pub(super) async fn of(probe: &Probe<'_>, object: &Object) -> IndexMap<String, Finding> {
    let mut found = IndexMap::new();
    let mut sample: Option<(String, Json)> = None;
    for stream in &object.changes {
        let name = |what: &str| if object.changes.len() > 1 { format!("{what} of {}", stream.name.node) } else { what.to_owned() };
        let (read, fault) = pages(probe, object, stream).await;
        found.insert(name("page"), page_found(probe, &read, fault.as_ref()));
        if read.ids.len() > 1 {
            found.insert(name("pages"), follow(&read));
        }
        if let Some(field) = sorted_by(object, stream, &read) {
            found.insert(name("order"), in_order(&read, &field));
        }
        if let Some(finding) = bound(probe, object, stream, &read).await {
            found.insert(name("from"), finding);
        }
        if let Some(stamp) = stream.stamp.as_ref().or(object.stamp.as_ref()) {
            found.insert(name("equal_stamps"), equal(&read, stamp));
        }
        let first = read.ids.first().and_then(|ids| ids.first()).zip(read.pages.first().and_then(|page| page.first()));
        sample = sample.or_else(|| first.map(|(id, record)| (id.clone(), record.clone())));
    }
    let Some((id, record)) = sample else { return found };
    if !object.get.is_empty() {
        found.insert("get".to_owned(), get(probe, object, &id).await);
    }
    for find in &object.find {
        let Some(field) = find.field.as_ref().map(|field| field.node.clone()) else { continue };
        let value = field.split('.').try_fold(&record, |json, name| json.get(name)).and_then(printed);
        let Some(value) = value else { continue };
        found.insert(format!("find {field}"), look_up(probe, object, &field, &value).await);
    }
    found
}

/// A text or a number as a text.
fn printed(value: &Json) -> Option<String> {
    match value {
        Json::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

async fn pages(probe: &Probe<'_>, object: &Object, stream: &Stream) -> (Read, Option<Fault>) {
    let of = probe.of(&object.name.node);
    let selection = Selection { object: &of, schemas: probe.schemas, projection: Vec::new(), filter: Vec::new(), stamps: &[] };
    let mut read = Read::default();
    let mut cursor: Option<String> = None;
    for at in 0..PAGES {
        let ask = ReadRequest {
            selection: &selection,
            stream: &stream.name.node,
            cursor: cursor.as_deref(),
            begins: at == 0,
            overlap: jiff::SignedDuration::ZERO,
            since: None,
            now: probe.clock.now(),
        };
        let Page { changes, cursor: next, more } = match probe.connector.changes(&probe.call, &ask).await {
            Ok(page) => page,
            Err(fault) => return (read, Some(fault)),
        };
        if at == 0 {
            read.first = probe.asking.request();
        }
        read.pages.push(probe.asking.answer().map(|answer| records(stream, &answer)).unwrap_or_default());
        read.ids.push(changes.into_iter().map(|change| change.id).collect());
        (cursor, read.more) = (next, more);
        if !more {
            break;
        }
    }
    (read, None)
}

/// The records of an answer, as the system printed them.
fn records(stream: &Stream, answer: &Json) -> Vec<Json> {
    let result = match &stream.ask.request {
        Asked::Rest { .. } => answer,
        // Of GraphQL the result stands below the name of the query.
        Asked::GraphQl { .. } => answer["data"].as_object().and_then(|data| data.values().next()).unwrap_or(&Json::Null),
    };
    let found: Vec<&Json> = stream.ask.records.as_ref().map_or_else(|| vec![result], |path| path.all(result));
    match found.as_slice() {
        [Json::Array(list)] => list.clone(),
        many => many.iter().map(|json| (*json).clone()).collect(),
    }
}

fn page_found(probe: &Probe<'_>, read: &Read, fault: Option<&Fault>) -> Finding {
    if let Some(fault) = fault {
        return Finding { holds: probe.told_by(fault), found: fault.to_string() };
    }
    let counts: Vec<String> = read.ids.iter().map(|ids| ids.len().to_string()).collect();
    let more = if read.more { "; there are more" } else { "; that is all" };
    Finding { holds: Some(true), found: format!("records by page: {}{more}", counts.join(", ")) }
}

/// Whether the second page is another than the first, and no record is on both.
fn follow(read: &Read) -> Finding {
    let (first, second) = (&read.ids[0], &read.ids[1]);
    if !first.is_empty() && first == second {
        return Finding {
            holds: Some(false),
            found: "the second page has the same records as the first: what says which page is wanted is ignored".to_owned(),
        };
    }
    let twice = second.iter().filter(|id| first.contains(id)).count();
    if twice > 0 {
        return Finding { holds: Some(false), found: format!("{twice} records are on the first page and on the second") };
    }
    Finding { holds: Some(true), found: "no record is on two pages".to_owned() }
}

/// The field by which a stream's pages have to be in order.
fn sorted_by(object: &Object, stream: &Stream, read: &Read) -> Option<String> {
    let first = read.pages.iter().flatten().next()?.as_object()?;
    let paging = &stream.page.as_ref()?.paging;
    match paging {
        Paging::Keyset { fields, .. } => return fields.first().map(ToString::to_string),
        Paging::Number { growth: Growth::Whole, .. } | Paging::Whole => return None,
        _ => {}
    }
    // What the call says itself: `sort: created_at`.
    if let Asked::Rest { query, .. } = &stream.ask.request {
        let constant = |filled: &Filled| match filled {
            Filled::Template(template) => match template.pieces.as_slice() {
                [Piece::Text(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        let named = query
            .iter()
            .filter_map(|(_, value)| constant(value))
            .find_map(|word| first.keys().find(|name| words::plain(name) == words::plain(&word)));
        if let Some(name) = named {
            return Some(name.clone());
        }
    }
    match paging {
        Paging::Number { .. } => first.keys().find(|name| words::is(name, words::MADE)).cloned(),
        _ => stream.stamp.as_ref().or(object.stamp.as_ref()).map(ToString::to_string),
    }
}

fn values<'r>(read: &'r Read, field: &str) -> Vec<&'r Json> {
    read.pages.iter().flatten().filter_map(|record| field.split('.').try_fold(record, |json, name| json.get(name))).collect()
}

/// What the order of records is told by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(Decimal),
    Instant(jiff::Timestamp),
    Text(String),
}

/// Numbers by their size, instants by their time, all else as it is printed.
fn key(value: &Json) -> Key {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if value.is_number() || digits { text.parse().or_else(|_| Decimal::from_scientific(&text)).ok() } else { None };
    match (number, text.parse()) {
        (Some(number), _) => Key::Number(number),
        (None, Ok(at)) => Key::Instant(at),
        (None, Err(_)) => Key::Text(text),
    }
}

/// Where a record stands before one that should come before it.
fn disorder<K: Ord>(keys: &[K]) -> Option<usize> {
    keys.windows(2).position(|two| two[0] > two[1])
}

fn in_order(read: &Read, field: &str) -> Finding {
    let values = values(read, field);
    let keys: Vec<Key> = values.iter().map(|value| key(value)).collect();
    let distinct = keys.windows(2).any(|two| two[0] != two[1]);
    // Texts of digits may stand in the order of texts: `1000` before `998`.
    let texts: Option<Vec<&str>> = values.iter().map(|value| value.as_str()).collect();
    let digits = keys.iter().all(|key| matches!(key, Key::Number(_)));
    let as_texts = digits && texts.is_some_and(|texts| disorder(&texts).is_none());
    match disorder(&keys).filter(|_| !as_texts) {
        _ if keys.len() < 2 || !distinct => Finding { holds: None, found: format!("too few records differ in `{field}` to see an order") },
        None => Finding { holds: Some(true), found: format!("{} records are in the order of `{field}`", keys.len()) },
        Some(at) => {
            Finding { holds: Some(false), found: format!("record {} comes before an older one in `{field}`: the list is not in its order", at + 1) }
        }
    }
}

/// How many records have the same stamp: a page's end may lie between them.
fn equal(read: &Read, stamp: &Path) -> Finding {
    let mut counts: std::collections::BTreeMap<Key, usize> = std::collections::BTreeMap::new();
    for record in read.pages.iter().flatten() {
        if let Some(value) = stamp.get(record) {
            *counts.entry(key(value)).or_default() += 1;
        }
    }
    let (all, most) = (counts.values().sum::<usize>(), counts.values().max().copied().unwrap_or(0));
    let found = match all {
        0 => format!("no record has `{stamp}`"),
        _ => format!("of {all} records up to {most} share one `{stamp}`"),
    };
    Finding { holds: if all == 0 && !read.pages.iter().all(Vec::is_empty) { Some(false) } else { None }, found }
}

/// Whether older records stay away where the call names a lower bound: the first page is asked for again, from the middle of what came.
async fn bound(probe: &Probe<'_>, object: &Object, stream: &Stream, read: &Read) -> Option<Finding> {
    let Asked::Rest { query, .. } = &stream.ask.request else { return None };
    let reads_from = |filled: &Filled| {
        let mut found = false;
        filled.templates(&mut |template| found |= template.values().any(|value| value.reads.iter().any(|path| path.root() == "from")));
        found
    };
    let parameter = query.iter().find(|(_, value)| reads_from(value)).map(|(name, _)| name.node.clone())?;
    let first = read.pages.iter().flatten().next()?.as_object()?;
    let made = words::is(&parameter, words::MADE_FROM) || stream.listed.is_some();
    let field = if made { first.keys().find(|name| words::is(name, words::MADE)).cloned() } else { None };
    let field = field.or_else(|| stream.stamp.as_ref().or(object.stamp.as_ref()).map(ToString::to_string))?;
    let mut known: Vec<&Json> = values(read, &field);
    known.sort_by_key(|value| key(value));
    let unclear = |found: String| Some(Finding { holds: None, found });
    let (Some(oldest), Some(middle)) = (known.first(), known.get(known.len() / 2)) else { return unclear(format!("no record has `{field}`")) };
    if key(oldest) == key(middle) {
        return unclear(format!("too few records differ in `{field}` to see whether `{parameter}` is honored"));
    }
    let answer = again(probe, read.first.as_ref()?, &parameter, middle.as_str()?).await?;
    let answered = records(stream, &answer);
    if answered.is_empty() {
        return unclear(format!("`{parameter}` with the time of a record gave no record"));
    }
    let given = Read { pages: vec![answered], ..Read::default() };
    let older = values(&given, &field).into_iter().filter(|value| key(value) < key(middle)).count();
    Some(if older > 0 {
        Finding { holds: Some(false), found: format!("{older} records came that are older by `{field}` than `{parameter}` asked for: it is ignored") }
    } else {
        Finding { holds: Some(true), found: format!("`{parameter}` keeps older records away") }
    })
}

/// The first page again, with another value of one parameter.
async fn again(probe: &Probe<'_>, first: &Request, parameter: &str, value: &str) -> Option<Json> {
    let answer = probe.asking.send(with(first, parameter, value)?).await.ok()?;
    answer.status().is_success().then(|| serde_json::from_slice(answer.body()).ok()).flatten()
}

/// A request with another value of one parameter.
fn with(request: &Request, parameter: &str, value: &str) -> Option<Request> {
    let mut url = url::Url::parse(&request.uri().to_string()).ok()?;
    let pairs: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let pairs = pairs.into_iter().map(|(name, old)| if name == parameter { (name, value.to_owned()) } else { (name, old) });
    url.query_pairs_mut().clear().extend_pairs(pairs);
    let mut anew = request.clone();
    *anew.uri_mut() = url.as_str().parse().ok()?;
    Some(anew)
}

async fn get(probe: &Probe<'_>, object: &Object, id: &str) -> Finding {
    let of = probe.of(&object.name.node);
    let selection = Selection { object: &of, schemas: probe.schemas, projection: Vec::new(), filter: Vec::new(), stamps: &[] };
    match probe.connector.fetch_by_id(&probe.call, &selection, &[id.to_owned()]).await {
        Ok(found) => match found.iter().find(|change| change.id == id).map(|change| &change.state) {
            Some(State::Refused(fault)) => Finding { holds: Some(false), found: fault.to_string() },
            Some(State::Gone) | None => Finding { holds: Some(false), found: "a record of the list is not found by its id".to_owned() },
            Some(_) => Finding { holds: Some(true), found: "a record of the list is found by its id".to_owned() },
        },
        Err(fault) => Finding { holds: probe.told_by(&fault), found: fault.to_string() },
    }
}

/// The records that have a value in a field.
///
/// # Errors
/// The look-up failed.
pub(super) async fn having(probe: &Probe<'_>, object: &Object, field: &str, value: &str) -> Result<Vec<Json>, Fault> {
    let of = probe.of(&object.name.node);
    let (path, values) = (field.split('.').map(str::to_owned).collect::<Vec<_>>(), [value.to_owned()]);
    let ask = LookupRequest { object: &of, schemas: probe.schemas, field: &path, values: &values, companions: &[], projection: &[] };
    let found = probe.connector.lookup(&probe.call, &ask).await?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

async fn look_up(probe: &Probe<'_>, object: &Object, field: &str, value: &str) -> Finding {
    let found = match having(probe, object, field, value).await {
        Ok(found) => found,
        Err(fault) => return Finding { holds: probe.told_by(&fault), found: fault.to_string() },
    };
    if found.is_empty() {
        return Finding { holds: Some(false), found: format!("a record of the list is not found by its `{field}`") };
    }
    match having(probe, object, field, NOBODY).await {
        Ok(nobody) if nobody.is_empty() => {
            Finding { holds: Some(true), found: format!("a record of the list is found by its `{field}`, and nothing by a value that none has") }
        }
        Ok(nobody) => Finding { holds: Some(false), found: format!("{} records came for a value of `{field}` that none has", nobody.len()) },
        // A refusal of a value that there is not says that there is none.
        Err(Fault::Rejected(_)) => {
            Finding { holds: Some(true), found: format!("a record of the list is found by its `{field}`; a value that none has is refused") }
        }
        Err(fault) => Finding { holds: None, found: fault.to_string() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use serde_json::json;

    use super::*;

    fn holds(ids: &[Json]) -> Option<bool> {
        let records = ids.iter().map(|id| json!({ "id": id })).collect();
        in_order(&Read { pages: vec![records], ..Read::default() }, "id").holds
    }

    #[test]
    fn numbers_are_in_order_by_their_size_and_texts_as_they_stand() {
        for (ids, wanted) in [
            (vec![json!(9), json!(10)], Some(true)),
            (vec![json!(10), json!(9)], Some(false)),
            (vec![json!(9.5), json!(10)], Some(true)),
            (vec![json!(-2), json!(1)], Some(true)),
            (vec![json!("998"), json!("1000")], Some(true)),
            (vec![json!("1000"), json!("998")], Some(true)),
            (vec![json!("1000"), json!("998"), json!("1001")], Some(false)),
            (vec![json!("B"), json!("A")], Some(false)),
            (vec![json!("2026-01-02T00:00:00Z"), json!("2026-01-02T00:30:00+02:00")], Some(false)),
            (vec![json!(9), json!(9)], None),
        ] {
            assert_eq!(holds(&ids), wanted, "{ids:?}");
        }
    }

    /// Whatever the paging is by: the page that is asked for again is the first.
    #[test]
    fn the_first_request_is_sent_again_with_another_bound() {
        let first = http::Request::get("https://api.example/orders?since=2026-01-01&limit=50&cursor=&page=0").body(Vec::new().into()).unwrap();
        let again = with(&first, "since", "2026-02-01T00:00:00Z").unwrap();
        assert_eq!(again.uri().query(), Some("since=2026-02-01T00%3A00%3A00Z&limit=50&cursor=&page=0"));
    }
}
