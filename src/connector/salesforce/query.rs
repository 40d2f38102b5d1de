//! Reading: pages by key, records by id, look-ups by value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::Ordering;

use form_urlencoded::byte_serialize;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::{Salesforce, soql, wire};
use crate::builtin::{phone_key, same_phone};
use crate::connector::{Change, Found, LookupRequest, Page, ReadRequest, Selection, State, part};
use crate::fault::Fault;
use crate::http::Call;
use crate::schema::{Object, Spelling};
use crate::value::{Json, Kind, RawRecord};

/// Records in a page. Salesforce gives up to 2,000 in one answer.
pub(super) const PAGE: usize = 2_000;
/// Bytes of a query in a URL. Salesforce takes 16,384 for the whole of it.
const URL: usize = 14_000;
/// A `Date` header has whole seconds, and several machines of an org answer.
const DATED: SignedDuration = SignedDuration::from_secs(30);
/// Queries that go in one composite call, at most.
const QUERIES: usize = 5;

/// Where a stream is: the last record's stamp, as Salesforce printed it, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    stamp: String,
    id: String,
}

/// The answer to a query, its records still text.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    records: Option<Vec<&'a serde_json::value::RawValue>>,
    done: Option<bool>,
    #[serde(rename = "nextRecordsUrl")]
    next: Option<String>,
}

/// The answer to several requests in one.
#[derive(Deserialize)]
struct Composite<'a> {
    #[serde(borrow, rename = "compositeResponse")]
    parts: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    body: &'a serde_json::value::RawValue,
    #[serde(rename = "httpStatusCode")]
    status: u16,
}

/// Takes the rows of an answer, one after the other.
type Keep<'a> = dyn FnMut(Row<'_>) -> Result<(), Fault> + Send + 'a;

/// A row of an answer.
enum Row<'a> {
    Text(&'a str),
    Tree(Json),
}

fn tree(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::transient(format!("a record is no JSON: {error}")))
}

impl Row<'_> {
    fn tree(self) -> Result<Json, Fault> {
        match self {
            Row::Text(text) => tree(text),
            Row::Tree(row) => Ok(row),
        }
    }

    /// The texts of some fields; nothing for one that is absent or holds no text.
    fn fields<const N: usize>(&self, names: &[&str; N]) -> Result<[Option<String>; N], Fault> {
        Ok(match self {
            Row::Tree(row) => names.map(|name| row.get(name).and_then(Json::as_str).map(str::to_owned)),
            Row::Text(text) => {
                let wrong = |error: serde_json::Error| Fault::transient(format!("a record is no JSON: {error}"));
                let fields: HashMap<Cow<'_, str>, &serde_json::value::RawValue> = serde_json::from_str(text).map_err(wrong)?;
                names.map(|name| fields.get(name).and_then(|value| serde_json::from_str(value.get()).ok()))
            }
        })
    }

    /// The record as it is kept: its text, as it came where nothing was added to it.
    fn body(self) -> RawRecord {
        match self {
            Row::Text(text) => RawRecord::text_of(text),
            Row::Tree(row) => RawRecord::of(&row),
        }
    }
}

impl Salesforce {
    pub(super) async fn page(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let of = ask.selection;
        let object = soql::source(of).ok_or_else(|| Fault::rejected("source", format!("{} is no Salesforce object", of.object), None))?;
        let from = || of.object.object.clone();
        let stamp = object.stamp.clone().unwrap_or_else(|| "SystemModstamp".to_owned());
        let own = ask.stream == of.object.object;
        let (resource, select, from, stamp, parent, mut conditions) = if own {
            ("query", soql::selected(of.schemas, object, of.projection.iter().copied()), from(), stamp, None, soql::pushed(of))
        } else if ask.stream == "deleted" {
            ("queryAll", format!("Id, {stamp}"), from(), stamp, None, vec!["IsDeleted = true".to_owned()])
        } else if ask.stream == "left" {
            // SOQL's NOT is false where a field is null; such a record is seen by the mapping's own `where`, when it is read.
            let filter = soql::pushed(of).join(" AND ");
            ("query", format!("Id, {stamp}"), from(), stamp, None, vec![format!("(NOT ({filter}))")])
        } else {
            let child = soql::children(of).into_iter().find(|child| child.object == ask.stream);
            let child = child.ok_or_else(|| Fault::rejected("stream", format!("there is no stream `{}`", ask.stream), None))?;
            ("query", format!("Id, {}, {}", child.stamp, child.parent), child.object, child.stamp, Some(child.parent), Vec::new())
        };
        let cursor = ask
            .cursor
            .map(serde_json::from_str::<Cursor>)
            .transpose()
            .map_err(|_| Fault::rejected("cursor", "the checkpoint is none of this connector's", None))?;
        match (&cursor, ask.begins) {
            (Some(cursor), true) => {
                let from = instant(&cursor.stamp)?.saturating_sub(ask.overlap).unwrap_or(Timestamp::MIN);
                conditions.push(format!("{stamp} >= {}", literal(from)));
            }
            (Some(cursor), false) => {
                let at = literal(instant(&cursor.stamp)?);
                conditions.push(format!("({stamp} > {at} OR ({stamp} = {at} AND Id > '{}'))", soql::escape(&cursor.id)));
            }
            (None, _) => {
                conditions.extend(ask.since.map(|since| format!("{stamp} >= {}", literal(since.saturating_sub(ask.overlap).unwrap_or(since)))))
            }
        }
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let most = self.rows.load(Ordering::Relaxed).clamp(1, PAGE);
        let mut last = None;
        let mut rows = 0;
        let mut changes = Vec::new();
        let mut asked = None;
        let mut keep = |row: Row<'_>| -> Result<(), Fault> {
            rows += 1;
            if rows > most {
                return Err(Fault::transient(format!("the answer holds more than the {most} records that were asked for")));
            }
            let fields = row.fields(&[&stamp, "Id", parent.as_deref().unwrap_or("Id")])?;
            let [printed, own_id, parent_id] = fields;
            last = printed.clone().zip(own_id.clone()).map(|(stamp, id)| Cursor { stamp, id });
            let Some(id) = parent_id.or_else(|| own_id.clone()) else { return Ok(()) };
            let at = printed.as_deref().map(instant).transpose()?.map(|at| at.to_string());
            let (stamp, state) = match ask.stream {
                _ if own => (at, State::Upserted(row.body())),
                "deleted" => (at, State::Gone),
                "left" => (at, State::LeftFilter),
                // A child's stamp: the record says its own when it is read.
                _ => (None, printed.zip(own_id).map_or(State::Touched, |(stamp, id)| State::Part(part(&id, &stamp)))),
            };
            changes.push(Change { id, stamp, state });
            Ok(())
        };
        let query = format!("SELECT {select} FROM {from}{filter} ORDER BY {stamp}, Id LIMIT {most}");
        if let Err(fault) = self.each_row(call, resource, &query, &mut asked, &mut keep).await {
            // The next try asks for fewer: records with long texts or many children.
            if call.was_too_long() && most > 1 {
                self.rows.store(most.div_ceil(8), Ordering::Relaxed);
            }
            return Err(fault);
        }
        let more = rows >= most;
        // A poll that found nothing new does not go back, so that the overlap does not creep.
        let next = match (&cursor, last) {
            (Some(old), Some(new)) if instant(&new.stamp)? < instant(&old.stamp)? && !more => Some(old.clone()),
            (_, Some(new)) => Some(new),
            (old, None) => old.clone(),
        };
        // What was committed by the time of the last query is behind this poll; what was not shows within the overlap. So the next
        // poll need not read the time since the last change again.
        let next = match (next, asked.filter(|_| !more)) {
            (Some(next), Some(asked)) if instant(&next.stamp)? < asked => Some(Cursor { stamp: literal(asked), id: String::new() }),
            (next, _) => next,
        };
        Ok(Page { changes, cursor: next.and_then(|cursor| serde_json::to_string(&cursor).ok()), more })
    }

    pub(super) async fn records(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let object = soql::source(of).ok_or_else(|| Fault::rejected("source", format!("{} is no Salesforce object", of.object), None))?;
        let select = soql::selected(of.schemas, object, of.projection.iter().copied());
        let query = format!("SELECT {select} FROM {} WHERE Id IN ({})", of.object.object, list(ids));
        let stamp = object.stamp.as_deref().unwrap_or("SystemModstamp");
        let mut changes = Vec::new();
        let mut keep = |row: Row<'_>| -> Result<(), Fault> {
            let [id, at] = row.fields(&["Id", stamp])?;
            let Some(id) = id else { return Ok(()) };
            let at = at.as_deref().map(instant).transpose()?.map(|at| at.to_string());
            changes.push(Change { id, stamp: at, state: State::Upserted(row.body()) });
            Ok(())
        };
        self.each_row(call, "query", &query, &mut None, &mut keep).await?;
        Ok(changes)
    }

    pub(super) async fn found(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        self.found_by(call, ask).await.map_err(of_the_question)
    }

    async fn found_by(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let object = ask.schema();
        let field = ask.field.join(".");
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        // What is no id is nobody's: a query that names it would be refused, and with it those beside it.
        let values: Vec<String> = ask.values.iter().filter(|value| !is_id_field(&field) || is_id(value)).cloned().collect();
        if !plain(&field) || values.is_empty() {
            return Ok(Vec::new());
        }
        let mut paths: Vec<Vec<String>> = if ask.projection.is_empty() { object.map(scalars).unwrap_or_default() } else { ask.projection.to_vec() };
        paths.push(ask.field.to_vec());
        let select = object.map_or_else(|| format!("Id, {field}"), |object| soql::selected(ask.schemas, object, paths.iter().map(Vec::as_slice)));
        let spelling = ask.field.last().and_then(|name| Spelling::of(name));
        let condition = |values: &[String]| condition(&field, spelling, values);
        let statement = |values: &[String]| format!("SELECT {select} FROM {} WHERE {}", ask.object.object, condition(values));
        // Salesforce compares text without case: each value that was asked for and equals it so is answered.
        let mut asked: HashMap<String, Vec<&String>> = HashMap::new();
        for value in &values {
            asked.entry(compared(&field, value)).or_default().push(value);
        }
        let mut found = Vec::new();
        let mut keep = |row: Row<'_>| -> Result<(), Fault> {
            let record = row.tree()?;
            let held = ask.field.iter().try_fold(&record, |at, step| at.get(step));
            let held = held.and_then(|held| held.as_str().map(str::to_owned).or_else(|| held.is_number().then(|| held.to_string())));
            let Some(held) = held else { return Ok(()) };
            // What two telephone numbers have in common is less than what makes them one.
            let meant = |value: &str| spelling != Some(Spelling::Phone) || value.eq_ignore_ascii_case(&held) || same_phone(value, &held);
            for value in asked.get(&compared(&field, &held)).into_iter().flatten().filter(|value| meant(value)) {
                found.push(Found { value: (*value).clone(), record: record.clone() });
            }
            Ok(())
        };
        let alone = |value: &String| match spelling {
            Some(Spelling::Phone) => format!(" OR {}", condition(std::slice::from_ref(value))),
            _ => format!("{}, ", list(std::slice::from_ref(value))),
        };
        let statements: Vec<String> = parts(&values, &statement, &alone).into_iter().map(statement).collect();
        for some in statements.chunks(QUERIES) {
            match some {
                [one] => self.each_row(call, "query", one, &mut None, &mut keep).await?,
                several => self.each_row_of(call, several, &mut keep).await?,
            }
        }
        Ok(found)
    }

    /// The rows of several queries, which go in one call.
    async fn each_row_of(&self, call: &Call, queries: &[String], keep: &mut Keep<'_>) -> Result<(), Fault> {
        let part = |(at, query): (usize, &String)| {
            let encoded: String = byte_serialize(query.as_bytes()).collect();
            serde_json::json!({"method": "GET", "referenceId": format!("q{at}"), "url": self.data(&format!("query?q={encoded}"))})
        };
        let body = serde_json::json!({"allOrNone": false, "compositeRequest": queries.iter().enumerate().map(part).collect::<Vec<_>>()});
        let response = self
            .send(call, http::Method::POST, &self.data("composite"), "application/json", body.to_string().into_bytes())
            .await
            .map_err(wire::passing)?;
        let response = self.accepted(response, wire::Kind::Read)?;
        let unreadable = |error: serde_json::Error| Fault::transient(format!("the answer is no JSON: {error}"));
        let answer: Composite<'_> = serde_json::from_slice(response.body()).map_err(unreadable)?;
        if answer.parts.len() != queries.len() {
            return Err(Fault::transient(format!("{} queries were asked and {} answers came", queries.len(), answer.parts.len())));
        }
        for part in answer.parts {
            if !(200..300).contains(&part.status) {
                let mut refused = http::Response::new(bytes::Bytes::copy_from_slice(part.body.get().as_bytes()));
                *refused.status_mut() = http::StatusCode::from_u16(part.status).unwrap_or(http::StatusCode::BAD_GATEWAY);
                self.accepted(refused, wire::Kind::Read)?;
                return Err(Fault::transient(format!("HTTP {} for one of several queries", part.status)));
            }
            let answer: Answer<'_> = serde_json::from_str(part.body.get()).map_err(unreadable)?;
            let mut chain = Chain::default();
            chain.take(call, part.body.get().len())?;
            if let Some(next) = self.rows_in(call, answer, &mut chain, keep).await? {
                self.rows_from(call, next, &mut chain, keep).await?;
            }
        }
        Ok(())
    }

    /// All rows of a query, its further answers and those of its child queries fetched.
    pub(super) async fn rows(&self, call: &Call, resource: &str, query: &str) -> Result<Vec<Json>, Fault> {
        let mut rows = Vec::new();
        let mut keep = |row: Row<'_>| {
            rows.push(row.tree()?);
            Ok(())
        };
        self.each_row(call, resource, query, &mut None, &mut keep).await?;
        Ok(rows)
    }

    /// Gives the rows of a query one by one, so that never more than one of an answer is a tree. `asked`: when it was asked, by
    /// the org's own clock; nothing where the org does not tell.
    async fn each_row(&self, call: &Call, resource: &str, query: &str, asked: &mut Option<Timestamp>, keep: &mut Keep<'_>) -> Result<(), Fault> {
        let encoded: String = byte_serialize(query.as_bytes()).collect();
        let path = self.data(&format!("{resource}?q={encoded}"));
        let (sent, mut chain) = (self.client.steady(), Chain::default());
        chain.go_on(&path, self.client.now())?;
        let response = self.get(call, &path).await?;
        // By the steady clock: where this machine's other one is set meanwhile, the checkpoint must not follow it.
        let took = SignedDuration::from_millis(self.client.steady() - sent);
        *asked = crate::http::date(response.headers()).and_then(|at| at.checked_sub(took + DATED).ok());
        if let Some(next) = self.rows_of(call, &response, &mut chain, keep).await? {
            self.rows_from(call, next, &mut chain, keep).await?;
        }
        Ok(())
    }

    /// The rows of one answer; gives where it goes on.
    async fn rows_of(&self, call: &Call, response: &crate::http::Response, chain: &mut Chain, keep: &mut Keep<'_>) -> Result<Option<String>, Fault> {
        chain.take(call, response.body().len())?;
        let answer: Answer<'_> =
            serde_json::from_slice(response.body()).map_err(|error| Fault::transient(format!("the answer is no JSON: {error}")))?;
        self.rows_in(call, answer, chain, keep).await
    }

    /// The rows of an answer and of all that follow it.
    async fn rows_from(&self, call: &Call, mut path: String, chain: &mut Chain, keep: &mut Keep<'_>) -> Result<(), Fault> {
        loop {
            chain.go_on(&path, self.client.now())?;
            let response = self.get(call, &path).await?;
            match self.rows_of(call, &response, chain, keep).await? {
                Some(next) => path = next,
                None => return Ok(()),
            }
        }
    }

    /// The rows of one answer; gives where it goes on.
    async fn rows_in(&self, call: &Call, answer: Answer<'_>, chain: &mut Chain, keep: &mut Keep<'_>) -> Result<Option<String>, Fault> {
        let Some(records) = answer.records else {
            return Err(Fault::transient("the answer to a query holds no records"));
        };
        if records.is_empty() && answer.done == Some(false) {
            return Err(Fault::transient("an answer holds no records and says that there are more"));
        }
        for record in records {
            // Only what an answer has cut off is completed, and only that has to be a tree for it.
            if record.get().contains("nextRecordsUrl") {
                let mut row = tree(record.get())?;
                self.complete(call, &mut row, chain).await?;
                keep(Row::Tree(row))?;
            } else {
                keep(Row::Text(record.get()))?;
            }
        }
        further(answer.done.unwrap_or(true), answer.next.as_deref())
    }

    /// Fetches what an answer left out of a row's child records.
    async fn complete(&self, call: &Call, row: &mut Json, chain: &mut Chain) -> Result<(), Fault> {
        let Json::Object(fields) = row else { return Ok(()) };
        for (_, child) in fields.iter_mut() {
            while let Some(path) = next(child)? {
                chain.go_on(&path, self.client.now())?;
                let response = self.get(call, &path).await?;
                chain.take(call, response.body().len())?;
                let mut more: Json =
                    serde_json::from_slice(response.body()).map_err(|error| Fault::transient(format!("the answer is no JSON: {error}")))?;
                let after = next(&more)?;
                if let (Some(Json::Array(known)), Some(Json::Array(new))) = (child.get_mut("records"), more.get_mut("records").map(Json::take)) {
                    known.extend(new);
                }
                if let Json::Object(fields) = child {
                    fields.insert("done".to_owned(), Json::Bool(after.is_none()));
                    match after {
                        Some(after) => fields.insert("nextRecordsUrl".to_owned(), Json::String(after)),
                        None => fields.shift_remove("nextRecordsUrl"),
                    };
                }
            }
        }
        Ok(())
    }
}

/// Where the rest of an answer is: always a path of this org's API.
fn next(answer: &Json) -> Result<Option<String>, Fault> {
    further(answer.get("done").and_then(Json::as_bool).unwrap_or(true), answer.get("nextRecordsUrl").and_then(Json::as_str))
}

fn further(done: bool, next: Option<&str>) -> Result<Option<String>, Fault> {
    if done {
        return Ok(None);
    }
    match next {
        Some(path) if path.starts_with("/services/data/") => Ok(Some(path.to_owned())),
        _ => Err(Fault::transient("an answer is cut off and does not say where it goes on")),
    }
}

/// `'a', 'b'`
fn list(values: &[String]) -> String {
    values.iter().map(|value| format!("'{}'", soql::escape(value))).collect::<Vec<_>>().join(",")
}

/// Digits at the end of a telephone number that are searched for: what stands before them may be written in several ways.
const PHONE_DIGITS: usize = 7;

/// `Id IN ('a', 'b')`. Telephone numbers are asked for by the order of their last digits, whatever stands between them; which of
/// those that are found are meant is decided here.
fn condition(field: &str, spelling: Option<Spelling>, values: &[String]) -> String {
    if spelling != Some(Spelling::Phone) {
        let trimmed: Vec<String> = values.iter().map(|value| if spelling.is_some() { value.trim().to_owned() } else { value.clone() }).collect();
        return format!("{field} IN ({})", list(&trimmed));
    }
    let pattern = |value: &String| {
        let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
        let last = digits.len().checked_sub(PHONE_DIGITS).map(|from| &digits[from..])?;
        Some(format!("{field} LIKE '{}%'", last.iter().map(|digit| format!("%{digit}")).collect::<String>()))
    };
    let exact: Vec<String> = values.iter().filter(|value| pattern(value).is_none()).cloned().collect();
    let mut alternatives: Vec<String> = values.iter().filter_map(pattern).collect();
    if !exact.is_empty() || alternatives.is_empty() {
        alternatives.push(format!("{field} IN ({})", list(&exact)));
    }
    format!("({})", alternatives.join(" OR "))
}

/// What two values of a field have in common that Salesforce takes for equal: text has no case, and an id of 15
/// characters is the first part of that of 18.
fn compared(field: &str, value: &str) -> String {
    let id = is_id_field(field);
    match value.get(..15) {
        Some(short) if id && value.len() <= 18 => short.to_owned(),
        _ if id => value.to_owned(),
        _ => match Spelling::of(field) {
            Some(Spelling::Email) => value.trim().to_lowercase(),
            Some(Spelling::Phone) => phone_key(value).unwrap_or_else(|| value.to_lowercase()),
            None => value.to_lowercase(),
        },
    }
}

/// Standard references end so; a custom one (`Order__c`) is told by nobody here, and asked as it is.
fn is_id_field(field: &str) -> bool {
    field.ends_with("Id")
}

/// A refusal of what is asked, such as a field that the org does not have: it is none of the values.
fn of_the_question(fault: Fault) -> Fault {
    match fault {
        Fault::Rejected(refusal) if matches!(refusal.code.as_str(), "INVALID_FIELD" | "INVALID_TYPE" | "MALFORMED_QUERY") => {
            Fault::BatchRefused(refusal)
        }
        other => other,
    }
}

/// 15 characters, or 18 with their check characters.
fn is_id(value: &str) -> bool {
    matches!(value.len(), 15 | 18) && value.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Values in parts whose statements fit into a URL.
///
/// `alone`: one value as it stands in the statement.
fn parts<'v>(values: &'v [String], statement: &dyn Fn(&[String]) -> String, alone: &dyn Fn(&String) -> String) -> Vec<&'v [String]> {
    let length = |text: &str| byte_serialize(text.as_bytes()).map(str::len).sum::<usize>();
    let empty = length(&statement(&[]));
    let mut out = Vec::new();
    let (mut from, mut used) = (0, empty);
    for (at, value) in values.iter().enumerate() {
        // With what stands between it and the one before.
        let needs = length(&alone(value));
        if at > from && used + needs > URL {
            out.push(&values[from..at]);
            (from, used) = (at, empty);
        }
        used += needs;
    }
    out.push(&values[from..]);
    out
}

/// The fields of an object that hold one value.
fn scalars(object: &Object) -> Vec<Vec<String>> {
    let single = |kind: &Kind| !matches!(kind, Kind::Object(_) | Kind::List(_));
    object.fields.iter().filter(|(_, field)| field.readable && single(&field.kind)).map(|(name, _)| vec![name.clone()]).collect()
}

/// `2026-11-20T10:00:00.000+0000`, as Salesforce prints it.
fn instant(text: &str) -> Result<Timestamp, Fault> {
    let wrong = || Fault::transient(format!("`{text}` is no time"));
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let (civil, offset) = text.split_at_checked(text.len().saturating_sub(5)).ok_or_else(wrong)?;
    let (hours, minutes) = offset.split_at_checked(3).ok_or_else(wrong)?;
    format!("{civil}{hours}:{minutes}").parse().map_err(|_| wrong())
}

/// A time in a query.
fn literal(at: Timestamp) -> String {
    at.round(jiff::TimestampRound::new().smallest(jiff::Unit::Millisecond).mode(jiff::RoundMode::Floor))
        .unwrap_or(at)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn times_go_both_ways() {
        let at = instant("2026-11-20T10:00:00.123+0000").unwrap();
        assert_eq!(literal(at), "2026-11-20T10:00:00.123Z");
        assert_eq!(literal("2026-11-20T10:00:00.1239Z".parse().unwrap()), "2026-11-20T10:00:00.123Z");
        assert!(instant("yesterday").is_err() && instant("é").is_err());
    }

    #[test]
    fn an_id_of_15_characters_is_that_of_18() {
        let same = |field, a, b| compared(field, a) == compared(field, b);
        assert!(same("Id", "801x0000000abcd", "801x0000000abcdAAA"));
        assert!(!same("Id", "801x0000000abcd", "801x0000000abcDAAA"));
        assert!(same("Email", "Jo@X.org", "jo@x.ORG"));
        assert!(!same("Email", "jo@x.org", "jo@x.orgs"));
        assert!(!same("AccountId", "é", "É"));
    }

    #[test]
    fn each_value_is_asked_once_and_no_url_is_too_long() {
        let statement = |values: &[String]| format!("SELECT Id FROM Order WHERE Id IN ({})", list(values));
        for (count, width) in [(1, 18), (499, 18), (2_000, 18), (300, 400), (3, 20_000)] {
            let values: Vec<String> = (0..count).map(|n| format!("{n:0width$}")).collect();
            let parts = parts(&values, &statement, &|value| format!("{}, ", list(std::slice::from_ref(value))));
            assert_eq!(parts.concat(), values);
            for part in parts {
                let url: String = byte_serialize(statement(part).as_bytes()).collect();
                assert!(url.len() <= URL || part.len() == 1, "{} bytes for {} values", url.len(), part.len());
            }
        }
    }

    #[test]
    fn telephones_are_asked_for_by_their_last_digits() {
        let ask = |values: &[&str]| condition("Phone", Some(Spelling::Phone), &values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        assert_eq!(ask(&["+1 (512) 555-0199"]), "(Phone LIKE '%5%5%5%0%1%9%9%')");
        assert_eq!(ask(&["+1 (512) 555-0199", "110'"]), r"(Phone LIKE '%5%5%5%0%1%9%9%' OR Phone IN ('110\''))");
        assert_eq!(condition("Email", Some(Spelling::Email), &[" Ada@x.org ".to_owned()]), "Email IN ('Ada@x.org')");
        assert_eq!(condition("Name", None, &[" a".to_owned()]), "Name IN (' a')");
    }

    proptest::proptest! {
        #[test]
        fn no_value_ends_its_literal(values in proptest::collection::vec(".{0,40}", 1..4)) {
            let text = list(&values);
            // Read back as SOQL does: outside of a literal stand commas only.
            let (mut inside, mut chars, mut outside) = (false, text.chars(), String::new());
            while let Some(c) = chars.next() {
                match (c, inside) {
                    ('\\', true) => { chars.next(); }
                    ('\'', _) => inside = !inside,
                    (_, false) => outside.push(c),
                    _ => {}
                }
            }
            proptest::prop_assert!(!inside);
            proptest::prop_assert_eq!(outside, ",".repeat(values.len() - 1));
        }
    }
}
