//! Streams of changes: one page of a list at a time, and where the next begins.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::find::Reads;
use super::open::Link;
use super::whole::id_of;
use super::{ENDED, view};
use crate::connector::{Change, Page, ReadRequest, State};
use crate::describe::model::{Gone, Limit, Number, Paging, Pick, Request, Stream, Zone};
use crate::describe::{Formula, Path, printed};
use crate::fault::Fault;
use crate::value::{Json, RawRecord};

use super::ask::{Answer, Parts};
use super::graphql::Fields;

/// Where a poll is. In the checkpoint it is JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The lower bound of this poll: an instant.
    #[serde(default)]
    from: String,
    /// The upper bound of this poll, where it has one; the next poll begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The number of the next page.
    #[serde(default, skip_serializing_if = "is_zero")]
    page: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The latest stamp that was read, by the system's own clock: where nothing closes the window, the next poll begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// The last record of the page before, as its fields are printed: the next page begins behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    behind: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Link {
    /// An instant as the system prints it, as a text that sorts: RFC 3339 in UTC.
    pub(super) fn instant(&self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.ends_with('Z') && text.parse::<Timestamp>().is_ok() {
            return Some(text.to_owned());
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at.to_string());
        }
        if let Ok(seconds) = text.parse::<i64>() {
            return Timestamp::from_second(seconds).ok().map(|at| at.to_string());
        }
        let local: DateTime = text.replace(' ', "T").parse().ok()?;
        let zone = match (&self.of.time.zone, &self.of.time.without_offset) {
            (Zone::WallClock(zone), _) => jiff::tz::TimeZone::get(&zone.node).ok()?,
            (Zone::Utc, Some(zone)) => jiff::tz::TimeZone::get(&zone.node).ok()?,
            (Zone::Utc, None) => jiff::tz::TimeZone::UTC,
        };
        local.to_zoned(zone).ok().map(|at| at.timestamp().to_string())
    }

    /// An instant as the system takes it. It is never later than the instant itself.
    fn bound(&self, at: Timestamp) -> Json {
        let time = &self.of.time;
        let print = time.print.as_ref().map(|print| print.node.as_str());
        if print == Some("unix s") {
            return Json::from(at.as_second());
        }
        let zone = match &time.zone {
            Zone::WallClock(zone) => jiff::tz::TimeZone::get(&zone.node).unwrap_or(jiff::tz::TimeZone::UTC),
            Zone::Utc => jiff::tz::TimeZone::UTC,
        };
        match print {
            Some(print) => Json::from(at.to_zoned(zone).strftime(print).to_string()),
            None => Json::from(at.to_string()),
        }
    }
}

impl Reads<'_> {
    /// One page of a stream.
    pub(super) async fn changes(&self, stream: &Stream, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let known = ask.cursor.map(|cursor| {
            serde_json::from_str::<Cursor>(cursor)
                .map_err(|error| Fault::rejected("cursor", format!("the checkpoint of `{}` cannot be read: {error}", stream.name.node), None))
        });
        let known = known.transpose()?;
        let mut cursor = match known {
            Some(known) if !ask.begins => known,
            known => self.begin(stream, ask, known)?,
        };
        let (from, until) = (self.bounds(&cursor.from, true), cursor.until.as_deref().map(|until| self.bounds(until, false)));
        let mut scope = self.link.scope().with("from", &from).and("page", Json::from(cursor.page));
        // Where nothing closes the window it ends now.
        scope = scope.and("until", until.unwrap_or_else(|| self.link.bound(ask.now)));
        let paging = stream.page.as_ref().map(|page| &page.paging);
        let size = self.page_size(stream);
        let asks = |fields: &mut Fields| {
            let Some(Paging::Token { token, to, size: size_to, sort, .. }) = paging else { return };
            fields.path(token);
            match stream.page.as_ref().and_then(|page| page.more.as_ref()) {
                Some(Pick::Path(more)) => {
                    fields.path(more);
                }
                Some(Pick::Formula(more)) => {
                    for path in more.reads.iter().filter(|path| path.root() == "body") {
                        fields.path(&path.rest());
                    }
                }
                None => {}
            }
            if let (Some(to), Some(size)) = (size_to, size) {
                fields.argument(&to.node, Json::from(size));
            }
            if let Some(token) = &cursor.token {
                fields.argument(&to.node, Json::from(token.as_str()));
            }
            if let Some(sort) = sort {
                // Beside the token's own place.
                let at = to.node.rsplit_once('.').map_or_else(|| "sort".to_owned(), |(field, _)| format!("{field}.sort"));
                fields.argument(&at, Json::from(sort.node.as_str()));
            }
        };
        let mut parts = self.parts(&stream.ask, &scope, Some(&asks))?;
        match (paging, &cursor.token) {
            (Some(Paging::Token { to, alone, .. }), Some(token)) if matches!(stream.ask.request, Request::Rest { .. }) => {
                if *alone {
                    parts.without_query();
                }
                parts.put(&to.node, Json::from(token.as_str()));
            }
            (Some(Paging::Number { number, .. }), _) => parts.put_number(number, cursor.page),
            (Some(Paging::Keyset { fields, asks }), _) if !cursor.behind.is_empty() => {
                let mut scope = scope.clone();
                // `stamp` is the first of them, `id` the last.
                let last = |at: usize| cursor.behind.get(at).map_or(Json::Null, |text| Json::from(text.as_str()));
                scope = scope.and("id", last(fields.len().saturating_sub(1)));
                if fields.len() > 1 {
                    scope = scope.and("stamp", last(0));
                }
                for (to, value) in asks {
                    if let Some(value) = value.fill(&scope).map_err(super::ask::incomplete)? {
                        parts.put(&to.node, value);
                    }
                }
            }
            (Some(Paging::ByStamp { .. } | Paging::Window { .. }), _) => {
                return Err(Fault::rejected("page", format!("the pages of `{}` are not carried out yet", stream.name.node), None));
            }
            _ => {}
        }
        let answer = self.link.read_parts(self.call, &self.object.name.node, &stream.ask, &parts).await?;
        // A list that is not there is not an empty one.
        let answer = answer.ok_or_else(|| self.link.not_understood(&parts))?;
        let records = self.link.records(&stream.ask, &parts, &answer)?;
        let mut changes = Vec::with_capacity(records.len());
        for record in &records {
            changes.extend(self.change(stream, record).ok_or_else(|| self.link.not_understood(&parts))?);
        }
        let latest = changes.iter().filter_map(|change: &Change| change.stamp.as_deref()).filter_map(|stamp| stamp.parse::<Timestamp>().ok()).max();
        let seen = cursor.seen.as_deref().and_then(|seen| seen.parse::<Timestamp>().ok());
        cursor.seen = latest.max(seen).map(|seen| seen.to_string());
        let mut more = false;
        let result = answer.result(&stream.ask).unwrap_or_default();
        if let Some(page) = stream.page.as_ref().filter(|_| !records.is_empty()) {
            match &page.paging {
                Paging::Number { number, .. } => {
                    more = self.more(page.more.as_ref(), result, &answer, records.len()).unwrap_or(false);
                    if more {
                        cursor.page += if number.records { records.len() as u64 } else { 1 };
                    }
                }
                Paging::Token { token, .. } => {
                    let next = view::text_at(result, token);
                    more = next.is_some() && self.more(page.more.as_ref(), result, &answer, records.len()).unwrap_or(true);
                    cursor.token = next.filter(|_| more);
                }
                Paging::Keyset { fields, .. } => {
                    self.in_order(fields, &cursor.behind, &records)?;
                    more = page.size.is_none_or(|size| records.len() as u64 >= size);
                    cursor.behind = records.last().map(|last| place_of(fields, last)).unwrap_or_default();
                }
                Paging::ByStamp { .. } | Paging::Window { .. } | Paging::Whole => {}
            }
        }
        if !more {
            (cursor.token, cursor.behind) = (None, Vec::new());
        }
        let cursor = serde_json::to_string(&cursor).map_err(|error| Fault::transient(error.to_string()))?;
        Ok(Page { changes, cursor: Some(cursor), more })
    }

    /// Records of a page: as many as may be, and no more than the account's credits are good for.
    fn page_size(&self, stream: &Stream) -> Option<u64> {
        let Some(Paging::Token { most, .. }) = stream.page.as_ref().map(|page| &page.paging) else { return None };
        let most = (*most)?;
        let credits = self.link.of.limits.iter().find_map(|limit| if let Limit::Credits(credits) = limit { Some(credits) } else { None });
        let Some(credits) = credits else { return Some(most) };
        let each = self.cost_of_one(&stream.ask).max(1);
        let budget = (credits.most as f64 * credits.page_at_most) as u64;
        Some(most.min(budget / each).max(1))
    }

    /// The first page of a poll.
    fn begin(&self, stream: &Stream, ask: &ReadRequest<'_>, known: Option<Cursor>) -> Result<Cursor, Fault> {
        let page = match stream.page.as_ref().map(|page| &page.paging) {
            Some(Paging::Number { number, .. }) => number.from,
            _ => 0,
        };
        let before = |time: SignedDuration| ask.now.saturating_sub(time).unwrap_or(ask.now);
        let oldest = match (&stream.listed, stream.oldest) {
            (Some(listed), _) => {
                let days = listed.days.text(&self.link.scope()).ok().flatten().and_then(|days| days.parse::<i64>().ok()).unwrap_or(1);
                ask.now.saturating_sub((days.clamp(1, 3650) * 24).hours()).unwrap_or(ask.now)
            }
            (None, Some(oldest)) => before(oldest),
            (None, None) => Timestamp::UNIX_EPOCH,
        };
        let until = stream.until.as_ref().map(|until| before(until.lag));
        // A list that does not say what changed is gone through from its beginning each time.
        let last =
            known.filter(|_| stream.listed.is_none()).and_then(|known| known.until.or(known.seen).unwrap_or(known.from).parse::<Timestamp>().ok());
        let from = match last {
            Some(last) => last.saturating_sub(ask.overlap).unwrap_or(last),
            None => ask.since.unwrap_or(oldest),
        };
        let from = from.max(oldest);
        let until = until.map(|until| until.max(from));
        Ok(Cursor { from: from.to_string(), until: until.map(|until| until.to_string()), page, ..Cursor::default() })
    }

    /// A bound of the cursor as the system takes it.
    fn bounds(&self, at: &str, lower: bool) -> Json {
        let Ok(at) = at.parse::<Timestamp>() else { return Json::from(at) };
        // Whether "after" means "from" is not known: a grain earlier is right for both.
        let at = if lower && self.link.of.time.bound_unknown { at.saturating_sub(self.link.of.time.grain).unwrap_or(at) } else { at };
        self.link.bound(at)
    }

    /// A page that is not in the order that was asked for is never gone on from: what moved behind its last record would be lost.
    fn in_order(&self, fields: &[Path], behind: &[String], records: &[&str]) -> Result<(), Fault> {
        let mut last = behind.to_vec();
        for record in records {
            let here = place_of(fields, record);
            if !last.is_empty() && is_before(&here, &last) {
                let why = format!(
                    "the list of {} does not come in the order that it was asked for: {} stands behind {}",
                    self.object.name.node,
                    here.join(" "),
                    last.join(" ")
                );
                return Err(Fault::rejected("page", why, None));
            }
            last = here;
        }
        Ok(())
    }

    /// Whether there is another page; `None` where the page does not say.
    fn more(&self, more: Option<&Pick>, result: &str, answer: &Answer, count: usize) -> Option<bool> {
        match more? {
            Pick::Path(path) => view::json_at(result, path).and_then(|more| more.as_bool()),
            Pick::Formula(formula) => {
                let mut scope = self.link.scope().and("body", view::seen(result, "body", [formula]));
                if formula.reads.iter().any(|path| path.root() == "records") {
                    scope = scope.and("records", Json::Array(vec![Json::Null; count]));
                }
                if formula.reads.iter().any(|path| path.root() == "header") {
                    scope = scope.and("header", answer.headers());
                }
                Some(formula.holds(&scope))
            }
        }
    }

    /// What a record of a list says. `Some(None)`: it is none of the object's; `None`: it has not the form that the description gives.
    fn change(&self, stream: &Stream, record: &str) -> Option<Option<Change>> {
        let id = id_of(self.object, record)?;
        if let Some(gone) = stream.gone.as_ref().or(self.object.gone.as_ref())
            && self.is_gone(gone, record)
        {
            return Some(Some(self.gone(&id, gone, record)));
        }
        if stream.skip.as_ref().is_some_and(|skip| self.of_record(skip, record)) {
            return Some(None);
        }
        if let Some(listed) = &stream.listed {
            let ended = listed.ended.as_ref().is_some_and(|ended| self.of_record(ended, record));
            return Some(Some(Change { id, stamp: ended.then(|| ENDED.to_owned()), state: State::Listed }));
        }
        let stamp = stream.stamp.as_ref().or(self.object.stamp.as_ref());
        let stamp = stamp.and_then(|stamp| view::text_at(record, stamp)).and_then(|stamp| self.link.instant(&stamp));
        let state = if self.link.of.time.without_offset.is_some() {
            let mut whole: Json = serde_json::from_str(record).ok()?;
            self.link.dated(&mut whole, self.of, self.schemas);
            RawRecord::of(&whole)
        } else {
            RawRecord::text_of(record)
        };
        Some(Some(Change { id, stamp, state: State::Upserted(state) }))
    }

    fn of_record(&self, condition: &Formula, record: &str) -> bool {
        condition.holds(&self.link.scope().and("record", view::seen(record, "record", [condition])))
    }

    fn is_gone(&self, gone: &Gone, record: &str) -> bool {
        gone.when.as_ref().is_none_or(|when| self.of_record(when, record))
    }

    /// The change that says that a record is gone.
    pub(super) fn gone(&self, id: &str, gone: &Gone, record: &str) -> Change {
        let stamp = gone.stamp.as_ref().and_then(|stamp| view::text_at(record, stamp)).and_then(|stamp| self.link.instant(&stamp));
        Change { id: id.to_owned(), stamp, state: State::Gone }
    }
}

/// What a record is sorted by, as it is printed.
fn place_of(fields: &[Path], record: &str) -> Vec<String> {
    fields.iter().map(|field| view::text_at(record, field).unwrap_or_default()).collect()
}

/// Whether one place stands before another: numbers by their value, texts as texts.
fn is_before(one: &[String], other: &[String]) -> bool {
    let order = |(one, other): (&String, &String)| match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.cmp(other),
    };
    one.iter().zip(other).map(order).find(|order| order.is_ne()).is_some_and(std::cmp::Ordering::is_lt)
}

impl Parts {
    fn put_number(&mut self, number: &Number, page: u64) {
        // Where the query has it already it keeps its place.
        if !self.has(&number.to.node) {
            self.put(&number.to.node, Json::from(page));
        }
    }
}

/// Used by webhooks: whether a condition holds of what was read first.
pub(super) fn holds_of(link: &Link, condition: &Formula, name: &str, read: &Json) -> bool {
    condition.holds(&link.scope().with("record", read).with(name, read))
}

/// The text of a stamp in something that was read.
pub(super) fn stamp_of(link: &Link, gone: &Gone, read: &Json) -> Option<String> {
    gone.stamp.as_ref().and_then(|stamp| stamp.get(read)).and_then(|stamp| link.instant(&printed(stamp)))
}
