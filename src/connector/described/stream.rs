//! Streams of changes: one page of a list at a time, and where the next begins.

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::ask::{Answer, Parts};
use super::connection::has_more;
use super::find::{Beside, Reads};
use super::graphql::Fields;
use super::open::Link;
use super::stamp::sortable;
use super::whole::id_of;
use super::{ENDED, view};
use crate::connector::{Change, Page, ReadRequest, State};
use crate::describe::model::{Destination, Gone, Growth, Limit, Page as Paged, Paging, Pick, Request, Stream};
use crate::describe::{Formula, Path, Scope, printed};
use crate::fault::Fault;
use crate::value::{Json, RawRecord};

/// Where a poll is. In the checkpoint it is JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The lower bound of this poll: an instant.
    #[serde(default)]
    from: String,
    /// The upper bound of this poll, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The number of the next page.
    #[serde(default, skip_serializing_if = "is_zero")]
    page: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The latest stamp that this poll has read, by the system's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// The last record of the page before, as its fields are printed: the next page begins behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    behind: Vec<String>,
    /// Of a list that is gone through by its stamp: the page begins at this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// How many records of that stamp the pages by token had so far, and how many they had when they were gone through before.
    #[serde(default, skip_serializing_if = "is_zero")]
    counted: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
    /// The earliest time of this poll by the system's own clock, as its answers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<String>,
    /// How many records there were in all when the page before was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Up to here all was read by the last poll that came to its end. The next one begins an overlap before it; one that breaks off
    /// leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn instant_of(text: Option<&String>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

/// Up to where all is read by a poll that came to its end. Its bounds are times of this machine's clock, which may be ahead: what changes
/// later by the system's own clock is not read yet.
fn read_up_to(cursor: &Cursor) -> Option<Timestamp> {
    let (from, told) = (cursor.from.parse::<Timestamp>().ok(), instant_of(cursor.told.as_ref()));
    let before = instant_of(cursor.read.as_ref());
    if told.is_some_and(|told| from.is_some_and(|from| from > told)) {
        // It began in the future, and has read nothing.
        return before;
    }
    match instant_of(cursor.until.as_ref()) {
        Some(until) => Some(told.map_or(until, |told| until.min(told))),
        None => instant_of(cursor.seen.as_ref()).max(before).or(from),
    }
}

/// A record of a page.
struct Told {
    change: Change,
    /// The stamp by which the list is polled; that of a void is another.
    stamp: Option<Timestamp>,
}

impl Reads<'_> {
    /// One page of a stream. `beside`: what a flow reads beside its records.
    pub(super) async fn changes(&self, stream: &Stream, ask: &ReadRequest<'_>, beside: &Beside) -> Result<Page, Fault> {
        let known = ask.cursor.map(|cursor| {
            serde_json::from_str::<Cursor>(cursor)
                .map_err(|error| Fault::rejected("cursor", format!("the checkpoint of `{}` cannot be read: {error}", stream.name.node), None))
        });
        let known = known.transpose()?;
        let mut cursor = match known {
            Some(known) if !ask.begins => known,
            known => self.begin(stream, ask, known.as_ref()),
        };
        let parts = self.page_parts(stream, ask, &cursor)?;
        let answer = self.link.read_parts(self.call, &self.object.name.node, &stream.ask, &parts).await?;
        // A list that is not there is not an empty one.
        let answer = answer.ok_or_else(|| self.link.no_list(&stream.ask, &parts))?;
        let records = self.link.records(&stream.ask, &parts, &answer)?;
        let mut changes = Vec::with_capacity(records.len());
        let mut seen = instant_of(cursor.seen.as_ref());
        for record in &records {
            if let Some(told) = self.in_list(stream, record, &parts, beside)? {
                seen = seen.max(told.stamp);
                changes.push(told.change);
            }
        }
        // A record that is dated ahead would hide what comes before it.
        cursor.seen = seen.map(|seen| seen.min(ask.now).to_string());
        cursor.told = instant_of(cursor.told.as_ref()).into_iter().chain(crate::http::date(&answer.headers)).min().map(|told| told.to_string());
        let result = answer.result(&stream.ask).unwrap_or_default();
        let more = self.next(stream, &mut cursor, result, &answer, &records)?;
        if !more {
            let read = read_up_to(&cursor);
            cursor = Cursor { from: cursor.from, read: read.map(|read| read.to_string()), ..Cursor::default() };
        }
        let cursor = serde_json::to_string(&cursor).map_err(|error| Fault::transient(error.to_string()))?;
        Ok(Page { changes, cursor: Some(cursor), more })
    }

    /// What the call for a page is made of.
    fn page_parts(&self, stream: &Stream, ask: &ReadRequest<'_>, cursor: &Cursor) -> Result<Parts, Fault> {
        let (from, until) =
            (self.bounds(cursor.at.as_ref().unwrap_or(&cursor.from), true), cursor.until.as_deref().map(|until| self.bounds(until, false)));
        let mut scope = self.link.scope().with("from", &from).and("page", Json::from(cursor.page));
        // Where nothing closes the window it ends now.
        scope = scope.and("until", until.unwrap_or_else(|| self.link.bound(ask.now)));
        let puts = self.puts(stream, cursor, &scope)?;
        if matches!(stream.ask.request, Request::GraphQl { .. }) {
            let asks = |fields: &mut Fields| {
                stream.page.iter().flat_map(Paged::reads).for_each(|path| {
                    fields.path(&path);
                })
            };
            return self.document(&stream.ask, &scope, puts, &asks);
        }
        let mut parts = self.link.parts(&stream.ask, &scope)?;
        if let (Some(Paging::Token { alone: true, .. }), Some(_)) = (stream.page.as_ref().map(|page| &page.paging), &cursor.token) {
            parts.without_query();
        }
        for (to, value) in puts {
            parts.put(&to, value);
        }
        Ok(parts)
    }

    /// What paging puts into a call, and where.
    fn puts(&self, stream: &Stream, cursor: &Cursor, scope: &Scope<'_>) -> Result<Vec<(Destination, Json)>, Fault> {
        let Some(page) = &stream.page else { return Ok(Vec::new()) };
        let request = &stream.ask.request;
        let place = |to: &str| {
            Destination::parse(to, request)
                .ok_or_else(|| Fault::rejected("page", format!("`{to}` is no place in the call of `{}`", stream.name.node), None))
        };
        let mut puts = Vec::new();
        match &page.paging {
            Paging::Token { to, alone, size: size_to, sort, .. } => {
                let to = place(&to.node)?;
                if let (Some(size_to), Some(size)) = (size_to, self.page_size(stream))
                    && !(*alone && cursor.token.is_some())
                {
                    puts.push((place(&size_to.node)?, Json::from(size)));
                }
                // Beside the token's own place.
                let sort = sort.as_ref().and_then(|sort| match &to {
                    Destination::Field { field, .. } => {
                        Some((Destination::Field { field: field.clone(), argument: "sort".to_owned() }, Json::from(sort.node.as_str())))
                    }
                    _ => None,
                });
                puts.extend(cursor.token.as_ref().map(|token| (to, Json::from(token.as_str()))));
                puts.extend(sort);
            }
            Paging::Number { number, .. } => {
                let to = place(&number.to.node)?;
                // Where the call has it as `{page}` already it keeps its place.
                if !to.value(request).is_some_and(|value| reads(value, "page")) {
                    puts.push((to, Json::from(cursor.page)));
                }
            }
            Paging::Keyset { fields, asks } if !cursor.behind.is_empty() => {
                // `stamp` is the first of them, `id` the last.
                let last = |at: usize| cursor.behind.get(at).map_or(Json::Null, |text| Json::from(text.as_str()));
                let mut scope = scope.clone().and("id", last(fields.len().saturating_sub(1)));
                if fields.len() > 1 {
                    scope = scope.and("stamp", last(0));
                }
                for (to, value) in asks {
                    if let Some(value) = value.fill(&scope).map_err(super::ask::incomplete)? {
                        puts.push((place(&to.node)?, value));
                    }
                }
            }
            Paging::Keyset { .. } | Paging::Whole => {}
            Paging::ByStamp { .. } | Paging::Window { .. } => {
                return Err(Fault::rejected("page", format!("the pages of `{}` are not supported yet", stream.name.node), None));
            }
        }
        Ok(puts)
    }

    /// Whether there is another page, and where it begins.
    fn next(&self, stream: &Stream, cursor: &mut Cursor, result: &str, answer: &Answer, records: &[&str]) -> Result<bool, Fault> {
        let Some(page) = &stream.page else { return Ok(false) };
        let count = records.len() as u64;
        let said = self.more(page.more.as_ref(), result, answer, records.len());
        let is_full = || page.size.map_or(count > 0, |size| count >= size);
        match &page.paging {
            Paging::Number { number, growth } => {
                let total = page.total.as_ref().and_then(|total| view::text_at(result, total)?.parse().ok());
                let fell = matches!((total, cursor.total), (Some(now), Some(before)) if now < before);
                cursor.total = total.or(cursor.total);
                if *growth == Growth::Whole && fell {
                    // What was taken out has moved others over the end of a page: it is read again.
                    cursor.page = number.from;
                    return Ok(true);
                }
                let more = said.unwrap_or_else(is_full) && count > 0;
                if more {
                    cursor.page += if number.records { count } else { 1 };
                }
                Ok(more)
            }
            Paging::Token { token, by_stamp, .. } => {
                let next = view::text_at(result, token).filter(|_| said.unwrap_or(true));
                // An empty page may have others behind it.
                if next.is_some() && next == cursor.token && count == 0 {
                    let why =
                        format!("`{}` gives an empty page with the token by which it was asked for, so that there is no way on", stream.name.node);
                    return Err(Fault::transient(why));
                }
                match by_stamp {
                    Some(stamp) => self.behind_stamp(stamp, cursor, next, records),
                    None => {
                        cursor.token = next;
                        Ok(cursor.token.is_some())
                    }
                }
            }
            Paging::Keyset { fields, .. } => {
                self.in_order(stream, fields, &cursor.behind, records)?;
                let more = said.unwrap_or_else(is_full) && count > 0;
                if let Some(last) = records.last().filter(|_| more) {
                    cursor.behind = place_of(fields, last);
                    if let Some(lacking) = fields.iter().zip(&cursor.behind).find(|(_, text)| text.is_empty()) {
                        let id = id_of(self.object, last).unwrap_or_default();
                        let why = format!("{} `{id}` has no `{}`, and the next page begins behind it", self.object.name.node, lacking.0);
                        return Err(Fault::rejected("page", why, None));
                    }
                }
                Ok(more)
            }
            Paging::ByStamp { .. } | Paging::Window { .. } | Paging::Whole => Ok(false),
        }
    }

    /// Where the next page of a list begins that is sorted by the stamp: at the last one of this page. So a record that changes, and goes to
    /// the end of the list, moves no other over the end of a page. Records of one stamp that fill a page are gone through by token, and
    /// once more while they become fewer: one that left may have moved another.
    fn behind_stamp(&self, stamp: &Path, cursor: &mut Cursor, next: Option<String>, records: &[&str]) -> Result<bool, Fault> {
        let mut stamps: Vec<Timestamp> = Vec::with_capacity(records.len());
        for record in records {
            let id = id_of(self.object, record).unwrap_or_default();
            stamps.extend(self.stamp_in(record, Some(stamp), &id)?);
        }
        let last = stamps.last().copied().filter(|_| stamps.len() == records.len() && stamps.is_sorted());
        let at = instant_of(cursor.at.as_ref());
        let ends_empty = records.is_empty() && next.is_none() && at.is_some();
        let last = last.filter(|_| at.is_some() || cursor.token.is_none());
        // A list that is not in the order of its stamps is gone through by token.
        if last.is_none() && !ends_empty {
            cursor.token = next;
            return Ok(cursor.token.is_some());
        }
        // Where "from" may mean "after", the page begins a grain earlier: its records up to that stamp are gone through in the same way.
        let counted = cursor.counted + stamps.iter().filter(|stamp| at.is_some_and(|at| **stamp <= at)).count() as u64;
        if last.is_some_and(|last| at.is_some_and(|at| last <= at)) && next.is_some() {
            (cursor.token, cursor.counted) = (next, counted);
            return Ok(true);
        }
        let of_several = cursor.token.take().is_some();
        cursor.counted = 0;
        if of_several && cursor.before != Some(counted) {
            cursor.before = Some(counted);
            return Ok(true);
        }
        cursor.before = None;
        if let Some(last) = last.filter(|_| next.is_some()) {
            cursor.at = Some(last.to_string());
        }
        Ok(next.is_some())
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
    fn begin(&self, stream: &Stream, ask: &ReadRequest<'_>, known: Option<&Cursor>) -> Cursor {
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
        // A list that does not say what changed is gone through from its beginning each time.
        let known = known.filter(|_| stream.listed.is_none());
        let read = known.and_then(|known| instant_of(known.read.as_ref()));
        // Of a poll that broke off nothing is known to be whole: it begins where it began, if no clock that was ahead said so.
        let broken_off = known.and_then(|known| known.from.parse::<Timestamp>().ok()).filter(|from| *from <= ask.now);
        let from = match read {
            Some(read) => read.saturating_sub(ask.overlap).unwrap_or(read),
            None => broken_off.or(ask.since).unwrap_or(oldest),
        };
        let from = from.max(oldest);
        let until = stream.until.as_ref().map(|until| before(until.lag).max(from).to_string());
        Cursor { from: from.to_string(), until, page, read: read.map(|read| read.to_string()), ..Cursor::default() }
    }

    /// A bound of the cursor as the system takes it.
    fn bounds(&self, at: &str, lower: bool) -> Json {
        let Ok(at) = at.parse::<Timestamp>() else { return Json::from(at) };
        // Whether "after" means "from" is not known: a grain earlier is right for both.
        let at = if lower && self.link.of.time.bound_unknown { at.saturating_sub(self.link.of.time.grain).unwrap_or(at) } else { at };
        self.link.bound(at)
    }

    /// A page that is not in the order that was asked for is never gone on from: what moved behind its last record would be lost. Only
    /// what has an order of its own is compared, stamps and numbers: how a system sorts texts is not known.
    fn in_order(&self, stream: &Stream, fields: &[Path], behind: &[String], records: &[&str]) -> Result<(), Fault> {
        let stamp = stream.stamp.as_ref().or(self.object.stamp.as_ref());
        let is_number = |field: &Path| {
            records.first().and_then(|record| view::slices(record, field)?.first().copied()).is_some_and(|value| !value.starts_with('"'))
        };
        let orders: Vec<Order> = fields
            .iter()
            .map(|field| match () {
                () if stamp.is_some_and(|stamp| stamp.steps == field.steps) => Order::Time,
                () if is_number(field) => Order::Number,
                () => Order::Unknown,
            })
            .collect();
        let mut last = behind.to_vec();
        for record in records {
            let here = place_of(fields, record);
            if !last.is_empty() && self.is_before(&orders, &here, &last) {
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

    /// Whether one place is known to stand before another.
    fn is_before(&self, orders: &[Order], one: &[String], other: &[String]) -> bool {
        for (order, (one, other)) in orders.iter().zip(one.iter().zip(other)) {
            let compared = match order {
                Order::Time => self.link.instant(one).zip(self.link.instant(other)).map(|(one, other)| one.cmp(&other)),
                Order::Number => one.parse::<i128>().ok().zip(other.parse::<i128>().ok()).map(|(one, other)| one.cmp(&other)),
                Order::Unknown => (one == other).then_some(std::cmp::Ordering::Equal),
            };
            match compared {
                Some(std::cmp::Ordering::Equal) => {}
                Some(order) => return order.is_lt(),
                None => return false,
            }
        }
        false
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

    /// What a record of a list says; `None`: it is none of the object's.
    ///
    /// # Errors
    /// It has not the form that the description gives.
    fn in_list(&self, stream: &Stream, record: &str, parts: &Parts, beside: &Beside) -> Result<Option<Told>, Fault> {
        let id = id_of(self.object, record).ok_or_else(|| self.no_id(parts))?;
        let stamp = self.stamp_in(record, stream.stamp.as_ref().or(self.object.stamp.as_ref()), &id)?;
        let told = |change| Ok(Some(Told { change, stamp }));
        if let Some(gone) = stream.gone.as_ref().or(self.object.gone.as_ref())
            && gone.when.as_ref().is_none_or(|when| self.of_record(when, record))
        {
            let stamp = self.stamp_in(record, gone.stamp.as_ref(), &id)?;
            return told(Change { id, stamp: stamp.map(sortable), state: State::Gone });
        }
        if stream.skip.as_ref().is_some_and(|skip| self.of_record(skip, record)) {
            return Ok(None);
        }
        if let Some(listed) = &stream.listed {
            let ended = listed.ended.as_ref().is_some_and(|ended| self.of_record(ended, record));
            return told(Change { id, stamp: ended.then(|| ENDED.to_owned()), state: State::Listed });
        }
        // What the list does not bring is read with the record by itself, and so is the rest of a connection that was not given whole.
        if !beside.is_empty() || has_more(record) {
            return told(Change { id, stamp: None, state: State::Listed });
        }
        let state = if self.link.of.time.without_offset.is_some() {
            let mut whole = self.json(record, parts)?;
            self.link.dated(&mut whole, self.of, self.schemas);
            RawRecord::of(&whole)
        } else {
            RawRecord::text_of(record)
        };
        told(Change { id, stamp: stamp.map(sortable), state: State::Upserted(state) })
    }

    /// The instant at a path of a record; none where it has none.
    ///
    /// # Errors
    /// What stands there is no instant: what came later could not be told from what came before.
    pub(super) fn stamp_in(&self, record: &str, at: Option<&Path>, id: &str) -> Result<Option<Timestamp>, Fault> {
        self.stamp_as(at.and_then(|at| view::text_at(record, at)), at, id)
    }

    /// The same of the text that stands there.
    ///
    /// # Errors
    /// As [`Reads::stamp_in`].
    pub(super) fn stamp_as(&self, text: Option<String>, at: Option<&Path>, id: &str) -> Result<Option<Timestamp>, Fault> {
        let (Some(text), Some(at)) = (text, at) else { return Ok(None) };
        self.link.instant(&text).map(Some).ok_or_else(|| {
            let why = format!("`{at}` of {} `{id}` is `{text}`, which is no instant", self.object.name.node);
            Fault::rejected("stamp", why, Some(at.to_string()))
        })
    }

    pub(super) fn of_record(&self, condition: &Formula, record: &str) -> bool {
        condition.holds(&self.link.scope().and("record", view::seen(record, "record", [condition])))
    }
}

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Time,
    Number,
    Unknown,
}

/// What a record is sorted by, as it is printed.
fn place_of(fields: &[Path], record: &str) -> Vec<String> {
    fields.iter().map(|field| view::text_at(record, field).unwrap_or_default()).collect()
}

/// Whether a value of a call reads a name.
fn reads(value: &crate::describe::Filled, name: &str) -> bool {
    let mut found = false;
    value.templates(&mut |template| found |= template.values().any(|value| value.reads.iter().any(|path| path.root() == name)));
    found
}

/// Used by webhooks: whether a condition holds of what was read first.
pub(super) fn holds_of(link: &Link, condition: &Formula, name: &str, read: &Json) -> bool {
    condition.holds(&link.scope().with("record", read).with(name, read))
}

/// The text of a stamp in something that was read.
pub(super) fn stamp_of(link: &Link, gone: &Gone, read: &Json) -> Option<String> {
    gone.stamp.as_ref().and_then(|stamp| stamp.get(read)).and_then(|stamp| link.instant(&printed(stamp))).map(sortable)
}
