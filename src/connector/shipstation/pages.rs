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
//!
//! A poll begins an overlap before the newest stamp that was seen, since a commit may show late. Once a poll has begun more than
//! the overlap after that stamp and has seen nothing newer, everything up to the stamp was seen, and later polls begin behind it.
//! Otherwise an account in which nothing changes would have its last minutes read again for ever. The time since the stamp is
//! measured by this machine's steady clock from when the stamp was read: V1's clock showed at least the stamp then, and what this
//! machine's wall clock shows does not matter.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::ShipStation;
use super::time::{Pacific, second, seconds_later};
use super::wire::Listed;
use crate::connector::ReadRequest;
use crate::fault::Fault;
use crate::http::{Call, Moment};
use crate::value::Json;

/// How much longer than the overlap nothing may have come before polls begin behind the newest stamp: V1 may print a stamp to
/// the minute only.
const GRAIN: SignedDuration = SignedDuration::from_mins(1);
/// How far behind the newest stamp such a poll begins, in seconds: less than the grain, and more than the second that V1 may
/// leave out or take in at a bound.
const BEHIND: i64 = 30;

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
    /// When `seen` was first read.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    /// How long after `told` the poll under way began, in milliseconds at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<i64>,
    /// Everything up to `seen` was seen, if commits show within so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<i64>,
}

/// When a stamp was read, by the steady clock of this machine: V1's clock showed at least the stamp then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    steady: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<u64>,
}

impl Told {
    fn at(moment: &Moment) -> Self {
        Told { steady: moment.steady, boot: moment.boot }
    }

    /// How long ago that was at least; nothing where the steady clock was another one.
    fn ago(&self, now: &Moment) -> Option<i64> {
        (self.boot == now.boot).then(|| now.steady.saturating_sub(self.steady)).filter(|passed| *passed >= 0)
    }
}

/// The newest stamp of each list and when it was first read, so that flows that read it at different times have one cursor, and
/// share their reads.
#[derive(Debug, Default)]
pub(super) struct Heard(std::sync::Mutex<BTreeMap<(&'static str, &'static str), (String, Told)>>);

impl Heard {
    fn first(&self, list: &List, stamp: &str, now: &Moment) -> Told {
        let mut heard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match heard.get(&(list.path, list.stamp)) {
            Some((known, told)) if known == stamp => *told,
            _ => {
                heard.insert((list.path, list.stamp), (stamp.to_owned(), Told::at(now)));
                Told::at(now)
            }
        }
    }
}

/// What a page of a poll gave.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) records: Vec<Json>,
    pub(super) cursor: String,
    pub(super) more: bool,
}

impl ShipStation {
    /// Reads the page that is asked for.
    pub(super) async fn poll(&self, call: &Call, ask: &ReadRequest<'_>, list: &List) -> Result<Polled, Fault> {
        let known = match ask.cursor {
            Some(text) => serde_json::from_str::<Cursor>(text)
                .map_err(|error| Fault::rejected("cursor", format!("the checkpoint of `{}` cannot be read: {error}", ask.stream), None))?,
            None => Cursor::default(),
        };
        let now = self.wire.client.moment();
        let at = if ask.begins || ask.cursor.is_none() { begin(&self.pacific, known, ask, list, &now) } else { known };
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
        let listed = self.wire.list(call, list.path, list.key, &query, at.page.unwrap_or(1), list.size).await?;
        // Only now V1's clock is known to show what the page says.
        let read = self.wire.client.moment();
        let told = |stamp: &str| self.heard.first(list, stamp, &read);
        let (next, more) = after(&self.pacific, at, &listed, list, ask.overlap, told);
        let cursor = serde_json::to_string(&next).map_err(|error| Fault::transient(format!("the checkpoint cannot be written: {error}")))?;
        Ok(Polled { records: listed.records, cursor, more })
    }
}

/// The first request of a poll.
fn begin(pacific: &Pacific, known: Cursor, ask: &ReadRequest<'_>, list: &List, now: &Moment) -> Cursor {
    if list.stamp.is_empty() {
        return Cursor::default();
    }
    let overlap = ask.overlap.max(SignedDuration::ZERO);
    let behind = |stamp: DateTime| {
        let from = seconds_later(second(stamp), BEHIND);
        // Around the hours that come twice or are left out, clocks do not tell what is later.
        let plain = !pacific.twice(stamp) && !pacific.twice(from) && pacific.moment(from).is_some_and(|at| pacific.local(at) == from);
        plain.then_some(from)
    };
    let settled = known.settled.filter(|by| *by >= millis(overlap));
    let behind = settled.and_then(|_| behind(known.seen.as_deref().and_then(Pacific::read)?));
    let quiet = known.told.and_then(|told| told.ago(now));
    // Without anything seen yet, what is asked for begins at `since`, and stays so until something is seen.
    let seen = known.seen.or_else(|| ask.since.map(|since| pacific.local(since).to_string()));
    let from = behind.or_else(|| seen.as_deref().and_then(Pacific::read).map(|seen| second(pacific.before(seen, overlap))));
    let began = (!list.by_stamp).then(|| second(pacific.local(ask.now)));
    Cursor { seen, from, began, told: known.told, quiet, settled, ..Cursor::default() }
}

fn millis(time: SignedDuration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A poll that has come to its end. `at`: where it was before its last page.
fn ended(pacific: &Pacific, at: &Cursor, seen: Option<String>, told: Option<Told>, overlap: SignedDuration) -> Cursor {
    let same = at.told.is_some() && at.told == told;
    let enough = millis(overlap.max(SignedDuration::ZERO)).saturating_add(millis(GRAIN));
    let twice = seen.as_deref().and_then(Pacific::read).is_none_or(|seen| pacific.twice(seen));
    let now = at.quiet.filter(|quiet| same && !twice && *quiet >= enough).map(|_| millis(overlap.max(SignedDuration::ZERO)));
    Cursor { seen, told, settled: now.or(at.settled.filter(|_| same)), ..Cursor::default() }
}

/// What is asked for after a page, and whether that is now. `heard`: when a stamp was first read.
fn after(pacific: &Pacific, at: Cursor, listed: &Listed, list: &List, overlap: SignedDuration, heard: impl Fn(&str) -> Told) -> (Cursor, bool) {
    let stamps: Vec<DateTime> = listed.records.iter().filter_map(|record| printed(record, list.stamp).and_then(Pacific::read)).collect();
    let newest = listed.records.iter().filter_map(|record| printed(record, list.stamp)).max_by_key(|text| Pacific::read(text));
    let seen = later(at.seen.clone(), newest.map(str::to_owned));
    // A stamp that is as new, and printed in another way, is none that is known.
    let told = if seen == at.seen && at.told.is_some() { at.told } else { newest.filter(|newest| seen.as_deref() == Some(*newest)).map(heard) };
    let page = at.page.unwrap_or(1);
    let going_on = Cursor { seen, told, quiet: at.quiet, ..Cursor::default() };
    let by_number =
        |going_on: Cursor| (Cursor { page: Some(page + 1), from: at.from, until: at.until, total: at.total, began: at.began, ..going_on }, true);

    if !list.by_stamp {
        if listed.more {
            return by_number(going_on);
        }
        // What is newer than the poll's beginning is read again the next time.
        let began = at.began.map(|began| began.to_string());
        return match (going_on.seen, began) {
            (Some(seen), Some(began)) if Pacific::read(&seen) > Pacific::read(&began) => (Cursor { seen: Some(began), ..Cursor::default() }, false),
            (seen, _) => (ended(pacific, &at, seen, told, overlap), false),
        };
    }
    if let Some(until) = at.until {
        return match (at.total, listed.total) {
            // Records have left the second, and others moved up: some may not have been seen.
            (Some(before), Some(now)) if now < before => {
                (Cursor { from: at.from, until: at.until, began: at.began, page: None, total: Some(now), ..going_on }, true)
            }
            _ if listed.more => {
                let (next, more) = by_number(going_on);
                (Cursor { total: listed.total, ..next }, more)
            }
            _ => (Cursor { from: Some(seconds_later(until, -1)), ..going_on }, true),
        };
    }
    if !listed.more {
        return (ended(pacific, &at, going_on.seen, told, overlap), false);
    }
    // In another order than that of the stamps (or of the hour that comes twice) there is nothing to go by.
    let in_order = stamps.len() == listed.records.len() && stamps.is_sorted();
    let Some(last) = stamps.last().copied().filter(|last| in_order && !pacific.twice(*last)) else { return by_number(going_on) };
    // V1 says "after the specified date" of some bounds and "on or after" of others: a second earlier is right for both.
    let next = seconds_later(second(last), -1);
    if pacific.twice(next) {
        return by_number(going_on);
    }
    match at.from {
        Some(from) if next <= from => {
            let until = seconds_later(second(last).max(from), 2);
            (Cursor { until: Some(until), from: Some(from), ..going_on }, true)
        }
        _ => (Cursor { from: Some(next), ..going_on }, true),
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
