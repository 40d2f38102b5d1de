//! Paging through a list that changes meanwhile.
//!
//! V1 pages by number: a record that changes while a list is read goes to its end, all behind it
//! move up by one, and the first of the next page is never seen. So a list that V1 sorts by the stamp
//! that is polled is read by the stamp: each page is the first page of what begins at the last page's
//! end. Where more records than a page holds share a second, that second is read by number, closed at
//! its other end, and again from its first page when it has shrunk meanwhile.
//!
//! A list that V1 does not sort by its stamp (voided shipments) is read by number. It only grows, so
//! what moves moves back, and is seen twice.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::time::{Pacific, second, seconds_later};
use super::wire::{Listed, Wire};
use crate::connector::ReadRequest;
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

/// A list that is polled.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// `/orders`
    pub(super) path: &'static str,
    /// The field of the answer that holds the records.
    pub(super) key: &'static str,
    /// The field of a record that is polled by; empty: there is none, and all is read each time.
    pub(super) stamp: &'static str,
    /// The parameters for its bounds.
    pub(super) start: &'static str,
    pub(super) end: &'static str,
    /// `sortBy`.
    pub(super) sort: Option<&'static str>,
    /// Whether `sort` is the stamp.
    pub(super) by_stamp: bool,
    pub(super) more: Vec<(&'static str, String)>,
    pub(super) size: usize,
}

/// Where a poll is. In the checkpoint it is JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The newest stamp so far, as V1 printed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// The lower bound of the request under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime>,
    /// The next page, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// The upper bound, while a second is read that has more records than a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime>,
    /// How many records there were at the last page, while `until` holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// When the poll began, where records come in another order than that of their stamps: one with an older stamp
    /// may have come in behind the page that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<DateTime>,
}

/// What a page of a poll gave.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) records: Vec<Json>,
    pub(super) cursor: String,
    pub(super) more: bool,
}

/// Reads the page that is asked for.
pub(super) async fn poll(wire: &Wire, pacific: &Pacific, call: &Call, ask: &ReadRequest<'_>, list: &List) -> Result<Polled, Fault> {
    let known = match ask.cursor {
        Some(text) => serde_json::from_str::<Cursor>(text)
            .map_err(|error| Fault::rejected("cursor", format!("the checkpoint of `{}` cannot be read: {error}", ask.stream), None))?,
        None => Cursor::default(),
    };
    let at = if ask.begins || ask.cursor.is_none() { begin(pacific, known, ask, list) } else { known };
    let mut query = list.more.clone();
    if let Some(sort) = list.sort {
        query.push(("sortBy", sort.to_owned()));
        query.push(("sortDir", "ASC".to_owned()));
    }
    if let Some(from) = at.from {
        query.push((list.start, Pacific::print(from)));
    }
    if let Some(until) = at.until {
        query.push((list.end, Pacific::print(until)));
    }
    let listed = wire.list(call, list.path, list.key, &query, at.page.unwrap_or(1), list.size).await?;
    let (next, more) = after(pacific, at, &listed, list);
    let cursor = serde_json::to_string(&next).map_err(|error| Fault::transient(format!("the checkpoint cannot be written: {error}")))?;
    Ok(Polled { records: listed.records, cursor, more })
}

/// The first request of a poll.
fn begin(pacific: &Pacific, known: Cursor, ask: &ReadRequest<'_>, list: &List) -> Cursor {
    if list.stamp.is_empty() {
        return Cursor::default();
    }
    // Without anything seen yet, what is asked for begins at `since`, and stays so until something is seen.
    let seen = known.seen.or_else(|| ask.since.map(|since| pacific.local(since).to_string()));
    let overlap = ask.overlap.max(SignedDuration::ZERO);
    let from = seen.as_deref().and_then(Pacific::read).map(|seen| second(pacific.before(seen, overlap)));
    let began = (!list.by_stamp).then(|| second(pacific.local(ask.now)));
    Cursor { seen, from, began, ..Cursor::default() }
}

/// What is asked for after a page, and whether that is now.
fn after(pacific: &Pacific, at: Cursor, listed: &Listed, list: &List) -> (Cursor, bool) {
    let stamps: Vec<DateTime> = listed.records.iter().filter_map(|record| printed(record, list.stamp).and_then(Pacific::read)).collect();
    let newest = listed.records.iter().filter_map(|record| printed(record, list.stamp)).max_by_key(|text| Pacific::read(text));
    let seen = later(at.seen.clone(), newest.map(str::to_owned));
    let page = at.page.unwrap_or(1);
    let by_number = |seen: Option<String>| (Cursor { seen, page: Some(page + 1), ..at.clone() }, true);

    if !list.by_stamp {
        if listed.more {
            return by_number(seen);
        }
        // What is newer than the poll's beginning is read again the next time.
        let began = at.began.map(|began| began.to_string());
        let seen = match (seen, began) {
            (Some(seen), Some(began)) if Pacific::read(&seen) > Pacific::read(&began) => Some(began),
            (seen, _) => seen,
        };
        return (Cursor { seen, ..Cursor::default() }, false);
    }
    if let Some(until) = at.until {
        return match (at.total, listed.total) {
            // Records have left the second, and others moved up: some may not have been seen.
            (Some(before), Some(now)) if now < before => (Cursor { seen, page: None, total: Some(now), ..at }, true),
            _ if listed.more => (Cursor { seen, page: Some(page + 1), total: listed.total, ..at.clone() }, true),
            _ => (Cursor { seen, from: Some(seconds_later(until, -1)), ..Cursor::default() }, true),
        };
    }
    if !listed.more {
        return (Cursor { seen, ..Cursor::default() }, false);
    }
    // In another order than that of the stamps (or of the hour that comes twice) there is nothing to go by.
    let in_order = stamps.len() == listed.records.len() && stamps.is_sorted();
    let Some(last) = stamps.last().copied().filter(|last| in_order && !pacific.twice(*last)) else { return by_number(seen) };
    // V1 says "after the specified date" of some bounds and "on or after" of others: a second earlier is right for both.
    let next = seconds_later(second(last), -1);
    if pacific.twice(next) {
        return by_number(seen);
    }
    match at.from {
        Some(from) if next <= from => {
            let until = seconds_later(second(last).max(from), 2);
            (Cursor { seen, until: Some(until), from: Some(from), ..Cursor::default() }, true)
        }
        _ => (Cursor { seen, from: Some(next), ..Cursor::default() }, true),
    }
}

fn printed<'r>(record: &'r Json, field: &str) -> Option<&'r str> {
    record.get(field).and_then(Json::as_str).filter(|text| Pacific::read(text).is_some())
}

/// The later of two stamps, in V1's own print.
fn later(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if Pacific::read(&other) > Pacific::read(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}
