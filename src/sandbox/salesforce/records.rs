//! `/sobjects/{T}…`, one record a call, and `/composite/sobjects…`, up to 200.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::Salesforce;
use super::beyond;
use super::cell::id_text;
use super::given::{self, Given};
use super::id::{self, Id};
use super::refusal::Refusal;
use super::soql::bind::{Out, member};
use super::soql::run::Printer;
use super::wire::{Answer, Ask};
use super::write::Writer;
use crate::value::Json;

/// Records of one collections call.
const MOST: usize = 200;
/// Changes of the object from record to record, and one.
const MOST_CHUNKS: usize = 10;

/// How an upsert found its record.
enum Match {
    None,
    One(Id),
    Many(Vec<Id>),
}

impl Salesforce {
    pub(super) fn table(&self, name: &str) -> Result<usize, Refusal> {
        self.store.catalog.find(name).ok_or_else(|| match beyond::object(name) {
            Some(name) => Refusal::not_imitated(&format!("the object {name}")),
            None => Refusal::not_found(),
        })
    }

    /// `rest` is what stands behind `/sobjects/{T}`.
    pub(super) fn records(&mut self, ask: &Ask<'_>, of: &str, rest: &[&str], now: Timestamp) -> Result<Answer, Refusal> {
        let table = self.table(of)?;
        match rest {
            [] => {
                ask.only(&["GET", "POST"])?;
                if ask.method == http::Method::GET {
                    return Ok(Answer::json(200, &json!({ "objectDescribe": self.described_in_short(table, &ask.version), "recentItems": [] })));
                }
                let given = given::read(&self.store, table, &ask.json()?, &[])?;
                let id = self.create(table, &given, by_api(now, None))?;
                Ok(self.made(id, &ask.version))
            }
            ["updated"] => self.replicated(ask, table, false, now),
            ["deleted"] => self.replicated(ask, table, true, now),
            ["describe", ..] => Err(Refusal::not_imitated(&format!("the layouts of {of}"))),
            ["listviews" | "quickActions" | "defaultValues" | "suggestedArticles" | "richTextImageFields", ..] => {
                Err(Refusal::not_imitated(&format!("/sobjects/{of}/{}", rest.join("/"))))
            }
            [id] => self.record(ask, table, id, now),
            [id, relation] if id::read(id).is_some() => {
                let id = self.path_id(table, id)?;
                self.related(ask, id, relation, now)
            }
            [field, value] => self.by_external_id(ask, table, field, value, now),
            _ => Err(Refusal::not_found()),
        }
    }

    fn made(&self, id: Id, version: &str) -> Answer {
        let text = id_text(&self.store.catalog, id);
        let at = format!("/services/data/v{version}/sobjects/{}/{text}", self.store.catalog.types[usize::from(id.table)].name);
        Answer::json(201, &json!({ "id": text, "success": true, "errors": [] })).with("location", at)
    }

    /// An id in a path or a row. `None`: there is no such record.
    fn row_id(&self, table: usize, text: &str) -> Result<Option<Id>, Refusal> {
        let of = &self.store.catalog.types[table];
        let (prefix, number) = id::read(text)
            .filter(|(prefix, _)| *prefix == of.prefix)
            .ok_or_else(|| Refusal::new("MALFORMED_ID", format!("{} ID: id value of incorrect type: {text}", of.label)).of("Id"))?;
        let _ = prefix;
        let id = number.and_then(|row| Some(Id { table: u16::try_from(table).ok()?, row }));
        Ok(id.filter(|id| self.store.newest(*id).is_some()))
    }

    /// The record that a path names by its id.
    fn path_id(&self, table: usize, text: &str) -> Result<Id, Refusal> {
        let id_shaped = matches!(text.len(), 15 | 18) && text.bytes().all(|letter| letter.is_ascii_alphanumeric());
        let Some((prefix, number)) = id::read(text) else {
            return Err(match id_shaped {
                true => Refusal::new("MALFORMED_ID", format!("malformed id {text}")),
                // A word where the id belongs is taken for a field.
                false => Refusal::new("NOT_FOUND", format!("Provided external ID field does not exist or is not accessible: {text}")),
            });
        };
        let id =
            number.and_then(|row| Some(Id { table: u16::try_from(table).ok()?, row })).filter(|_| prefix == self.store.catalog.types[table].prefix);
        id.filter(|id| self.store.newest(*id).is_some()).ok_or_else(Refusal::not_found)
    }

    fn record(&mut self, ask: &Ask<'_>, table: usize, text: &str, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["GET", "PATCH", "DELETE"])?;
        let id = self.path_id(table, text)?;
        match ask.method {
            http::Method::GET => self.fetched(ask, id),
            http::Method::DELETE => {
                self.delete(id, by_api(now, None))?;
                Ok(Answer::empty(204))
            }
            _ => {
                let body = ask.json()?;
                if body.keys().any(|key| key.eq_ignore_ascii_case("Id")) {
                    return Err(Refusal::new("INVALID_FIELD", "The Id field should not be specified in the sobject data."));
                }
                let given = given::read(&self.store, table, &body, &[])?;
                self.update(id, &given, by_api(now, None)).map_err(|refusal| match refusal.code {
                    "INVALID_CROSS_REFERENCE_KEY" if refusal.fields.is_empty() => Refusal::not_found(),
                    _ => refusal,
                })?;
                Ok(Answer::empty(204))
            }
        }
    }

    pub(super) fn fetched(&self, ask: &Ask<'_>, id: Id) -> Result<Answer, Refusal> {
        let row = self.store.row(id).ok_or_else(Refusal::not_found)?;
        if row.deleted {
            return Err(Refusal::new("ENTITY_IS_DELETED", "entity is deleted"));
        }
        let members = self.members(usize::from(id.table), ask.parameter("fields"))?;
        let mut body = Vec::with_capacity(4096);
        Printer { store: &self.store, version: &ask.version, deleted: false }.record(id, row, &members, &mut body);
        Ok(Answer::printed(200, body))
    }

    /// The fields of a record that are asked for by name, or all.
    pub(super) fn members(&self, table: usize, names: Option<&str>) -> Result<Vec<Out>, Refusal> {
        let of = &self.store.catalog.types[table];
        let Some(names) = names else {
            return Ok((0..of.fields.len()).filter(|field| !of.fields[*field].is_gone()).map(|field| member(of, field)).collect());
        };
        let mut fields: Vec<usize> = of.stamps.id.into_iter().collect();
        for name in names.split(',').map(str::trim) {
            let unknown = || Refusal::new("INVALID_FIELD", format!("No such column '{name}' on entity '{}'", of.name));
            let field = of.field(name).ok_or_else(unknown)?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(fields.into_iter().map(|field| member(of, field)).collect())
    }

    fn matched(&self, table: usize, field: usize, value: &str) -> Match {
        let rows = self.store.texted(table, field, value).unwrap_or_default();
        let id = |row: &u32| Id { table: u16::try_from(table).unwrap_or_default(), row: *row };
        let live: Vec<Id> = rows.iter().map(id).filter(|id| self.store.row(*id).is_some_and(|row| !row.deleted)).collect();
        match live.as_slice() {
            [] => Match::None,
            [one] => Match::One(*one),
            _ => Match::Many(live),
        }
    }

    fn external(&self, table: usize, name: &str) -> Result<usize, Refusal> {
        let of = &self.store.catalog.types[table];
        let field = of.field(name).filter(|field| of.fields[*field].lookup);
        field.ok_or_else(|| Refusal::new("NOT_FOUND", format!("Provided external ID field does not exist or is not accessible: {name}")))
    }

    fn by_external_id(&mut self, ask: &Ask<'_>, table: usize, name: &str, value: &str, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["GET", "PATCH", "DELETE"])?;
        if name.eq_ignore_ascii_case("Id") {
            return self.record(ask, table, value, now);
        }
        let field = self.external(table, name)?;
        let found = self.matched(table, field, value);
        if let Match::Many(ids) = &found {
            let of = &self.store.catalog.types[table].name;
            let url = |id: &Id| json!(format!("/services/data/v{}/sobjects/{of}/{}", ask.version, id_text(&self.store.catalog, *id)));
            return Ok(Answer::json(300, &Json::Array(ids.iter().map(url).collect())));
        }
        match (&ask.method, found) {
            (&http::Method::GET, Match::One(id)) => self.fetched(ask, id),
            (&http::Method::DELETE, Match::One(id)) => {
                self.delete(id, by_api(now, Some(value)))?;
                Ok(Answer::empty(204))
            }
            (&http::Method::PATCH, found) => {
                let body = ask.json()?;
                let own = &self.store.catalog.types[table].fields[field].name;
                if let Some(name) = body.keys().find(|key| key.eq_ignore_ascii_case("Id") || key.eq_ignore_ascii_case(own)) {
                    return Err(Refusal::new("INVALID_FIELD", format!("The {name} field should not be specified in the sobject data.")));
                }
                let given = given::read(&self.store, table, &body, &[])?;
                let only_update = ask.parameter("updateOnly").is_some_and(|truth| truth.eq_ignore_ascii_case("true"));
                if only_update && matches!(found, Match::None) {
                    return Err(Refusal::not_found());
                }
                let (id, created) = self.upsert(table, field, value, given, now)?;
                let body = json!({ "id": id_text(&self.store.catalog, id), "success": true, "errors": [], "created": created });
                Ok(Answer::json(if created { 201 } else { 200 }, &body))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// The record and whether it is new.
    pub(super) fn upsert(&mut self, table: usize, field: usize, value: &str, mut given: Vec<Given>, now: Timestamp) -> Result<(Id, bool), Refusal> {
        match self.matched(table, field, value) {
            Match::One(id) => {
                self.update(id, &given, by_api(now, Some(value)))?;
                Ok((id, false))
            }
            Match::None => {
                let key = Json::String(value.to_owned());
                let name = self.store.catalog.types[table].fields[field].name.clone();
                given.extend(given::read(&self.store, table, &Map::from_iter([(name, key)]), &[])?);
                Ok((self.create(table, &given, by_api(now, Some(value)))?, true))
            }
            Match::Many(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| id_text(&self.store.catalog, *id)).collect();
                let name = &self.store.catalog.types[table].fields[field].name;
                let message = format!("{name}: more than one record found for external id field: [{}]", ids.join(", "));
                Err(Refusal::new("DUPLICATE_EXTERNAL_ID", message).of(name))
            }
        }
    }

    /// `rest` is what stands behind `/composite/sobjects`.
    pub(super) fn collection(&mut self, ask: &Ask<'_>, rest: &[&str], now: Timestamp) -> Result<Answer, Refusal> {
        match (ask.method.as_str(), rest) {
            ("POST" | "PATCH", []) => {
                let (all, rows) = rows_of(ask)?;
                let mut work = Vec::with_capacity(rows.len());
                let types: Vec<usize> = rows.iter().map(|row| self.type_of(row)).collect::<Result<_, _>>()?;
                chunked(&types)?;
                for (row, table) in rows.iter().zip(types) {
                    let given = given::read(&self.store, table, row, if ask.method == "POST" { &[] } else { &["Id"] })?;
                    let id = row.iter().find(|(key, _)| key.eq_ignore_ascii_case("Id")).and_then(|(_, id)| id.as_str()).map(str::to_owned);
                    work.push((table, id, given));
                }
                let create = ask.method == "POST";
                Ok(self.all(all, work, |org, (table, id, given)| {
                    if create {
                        return Ok((org.create(table, &given, by_api(now, None))?, None));
                    }
                    let id = id.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", "Id not specified in an update call"))?;
                    let dead = || Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
                    let id = org.row_id(table, &id)?.ok_or_else(dead)?;
                    org.update(id, &given, by_api(now, None))?;
                    Ok((id, None))
                }))
            }
            ("DELETE", []) => {
                let ids: Vec<String> = ask.parameter("ids").unwrap_or("").split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
                limited(ids.len())?;
                chunked(&ids.iter().map(|id| id::read(id).map_or("", |(prefix, _)| prefix)).collect::<Vec<_>>())?;
                let all = ask.parameter("allOrNone").is_some_and(|truth| truth.eq_ignore_ascii_case("true"));
                Ok(self.all(all, ids, |org, text| {
                    let table = id::read(&text).and_then(|(prefix, _)| org.store.catalog.of_prefix(prefix));
                    let table = table.ok_or_else(|| Refusal::new("MALFORMED_ID", format!("malformed id {text}")))?;
                    let dead = || Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
                    let id = org.row_id(table, &text)?.ok_or_else(dead)?;
                    org.delete(id, by_api(now, None))?;
                    Ok((id, None))
                }))
            }
            ("PATCH", [of, name]) => {
                let (all, rows) = rows_of(ask)?;
                let table = self.table(of)?;
                if name.eq_ignore_ascii_case("Id") {
                    return Err(Refusal::new("NOT_FOUND", "an upsert by Id is not known here: update the collection"));
                }
                let field = self.external(table, name)?;
                let mut work = Vec::with_capacity(rows.len());
                for row in &rows {
                    if self.type_of(row)? != table {
                        return Err(Refusal::new("INVALID_TYPE", format!("Each record's attributes type must be {of}")));
                    }
                    let key = row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, key)| key.as_str()).map(str::to_owned);
                    work.push((key, given::read(&self.store, table, row, &[name])?));
                }
                let keys: Vec<String> = work.iter().filter_map(|(key, _)| key.as_ref().map(|key| key.to_lowercase())).collect();
                let name = (*name).to_owned();
                Ok(self.all(all, work, |org, (key, given)| {
                    let key = key.filter(|key| !key.is_empty());
                    let key = key.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", format!("{name} not specified")).of(&name))?;
                    if keys.iter().filter(|known| **known == key.to_lowercase()).count() > 1 {
                        return Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate external id specified: {key}")));
                    }
                    org.upsert(table, field, &key, given, now).map(|(id, created)| (id, Some(created)))
                }))
            }
            ("GET", [of]) => {
                let (table, wanted) = (self.table(of)?, ask.parameter("ids").unwrap_or(""));
                let ids: Vec<String> = wanted.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
                self.fetched_all(ask, table, &ids, ask.parameter("fields"))
            }
            ("POST", [of]) => {
                let (table, body) = (self.table(of)?, ask.json()?);
                let texts = |name: &str| -> Vec<String> {
                    body.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
                };
                let (ids, fields) = (texts("ids"), texts("fields").join(","));
                self.fetched_all(ask, table, &ids, Some(&fields))
            }
            _ => Err(Refusal::new("METHOD_NOT_ALLOWED", format!("HTTP Method '{}' not allowed", ask.method))),
        }
    }

    /// Records by id, `null` where there is none.
    fn fetched_all(&self, ask: &Ask<'_>, table: usize, ids: &[String], fields: Option<&str>) -> Result<Answer, Refusal> {
        if ids.len() > 2000 {
            return Err(Refusal::new("EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 2000 records into this call"));
        }
        let fields = fields.filter(|fields| !fields.is_empty()).ok_or_else(|| Refusal::new("MISSING_ARGUMENT", "fields are not specified"))?;
        let members = self.members(table, Some(fields))?;
        let mut body = b"[".to_vec();
        for (at, text) in ids.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            let id = self.row_id(table, text)?;
            match id.and_then(|id| Some((id, self.store.row(id).filter(|row| !row.deleted)?))) {
                Some((id, row)) => Printer { store: &self.store, version: &ask.version, deleted: false }.record(id, row, &members, &mut body),
                None => body.extend_from_slice(b"null"),
            }
        }
        body.push(b']');
        Ok(Answer::printed(200, body))
    }

    fn type_of(&self, row: &Map<String, Json>) -> Result<usize, Refusal> {
        let name = row.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Json::as_str);
        let name = name.ok_or_else(|| Refusal::new("INVALID_TYPE", "Each record needs an attributes type"))?;
        let unknown = || Refusal::new("INVALID_TYPE", format!("sObject type '{name}' is not supported."));
        self.store.catalog.find(name).ok_or_else(unknown)
    }

    /// Does one thing for each row in order, and answers for each.
    fn all<T>(&mut self, all_or_none: bool, work: Vec<T>, mut one: impl FnMut(&mut Self, T) -> Result<(Id, Option<bool>), Refusal>) -> Answer {
        let noted = self.effects.len();
        self.store.begin();
        let mut results = Vec::with_capacity(work.len());
        for row in work {
            results.push(one(self, row));
        }
        if all_or_none && results.iter().any(Result::is_err) {
            self.store.roll_back();
            self.effects.truncate(noted);
            for result in &mut results {
                if result.is_ok() {
                    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
                    *result = Err(Refusal::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message));
                }
            }
        } else {
            self.store.commit();
        }
        let printed = results.into_iter().map(|result| match result {
            Ok((id, None)) => json!({ "id": id_text(&self.store.catalog, id), "success": true, "errors": [] }),
            Ok((id, Some(created))) => json!({ "id": id_text(&self.store.catalog, id), "success": true, "errors": [], "created": created }),
            Err(refusal) => json!({ "success": false, "errors": [refusal.row()] }),
        });
        Answer::json(200, &Json::Array(printed.collect()))
    }
}

pub(super) fn by_api(now: Timestamp, key: Option<&str>) -> Writer<'_> {
    Writer { now, by_api: true, commits: None, key }
}

fn limited(rows: usize) -> Result<(), Refusal> {
    if rows > MOST {
        return Err(Refusal::new("EXCEEDED_ID_LIMIT", format!("record limit reached. cannot submit more than {MOST} records into this call")));
    }
    Ok(())
}

/// Records of one object that follow each other are a chunk.
fn chunked<T: PartialEq>(types: &[T]) -> Result<(), Refusal> {
    let chunks = types.chunk_by(|one, next| one == next).count();
    if chunks > MOST_CHUNKS {
        let message = format!("Cannot have more than {MOST_CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking.");
        return Err(Refusal::new("LIMIT_EXCEEDED", message));
    }
    Ok(())
}

/// `{"allOrNone": …, "records": […]}`
fn rows_of(ask: &Ask<'_>) -> Result<(bool, Vec<Map<String, Json>>), Refusal> {
    let mut body = ask.json()?;
    let all = body.get("allOrNone").and_then(Json::as_bool).unwrap_or(false);
    let Some(Json::Array(records)) = body.remove("records") else {
        return Err(Refusal::new("JSON_PARSER_ERROR", "The request needs a list of records"));
    };
    limited(records.len())?;
    let object = |record| match record {
        Json::Object(record) => Ok(record),
        _ => Err(Refusal::new("JSON_PARSER_ERROR", "Each record is a JSON object")),
    };
    Ok((all, records.into_iter().map(object).collect::<Result<_, _>>()?))
}
