//! `/composite`: up to 25 requests in one, later ones referring to the answers of earlier ones.

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::json;

use super::Salesforce;
use super::refusal::Refusal;
use super::wire::{Answer, Ask};
use crate::value::Json;

const MOST: usize = 25;

struct Done {
    reference: String,
    status: u16,
    body: Json,
    location: Option<String>,
}

impl Salesforce {
    pub(super) fn composite(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["POST"])?;
        let body = ask.json()?;
        let all = body.get("allOrNone").and_then(Json::as_bool).unwrap_or(false);
        let Some(Json::Array(parts)) = body.get("compositeRequest") else {
            return Err(Refusal::new("JSON_PARSER_ERROR", "The request needs a compositeRequest"));
        };
        if parts.len() > MOST {
            return Err(Refusal::new("LIMIT_EXCEEDED", format!("The request can't contain more than {MOST} operations.")));
        }
        let (answers, _) = self.all_parts(parts, all, &ask.version, now)?;
        Ok(Answer::json(200, &json!({ "compositeResponse": answers })))
    }

    /// The answers to requests that go one after the other, and whether one of them failed.
    pub(super) fn all_parts(&mut self, parts: &[Json], all: bool, version: &str, now: Timestamp) -> Result<(Vec<Json>, bool), Refusal> {
        let mut known: BTreeMap<String, (u16, Json)> = BTreeMap::new();
        let mut done: Vec<Done> = Vec::new();
        let noted = self.effects.len();
        self.store.begin();
        for part in parts {
            let reference = part.get("referenceId").and_then(Json::as_str).unwrap_or("").to_owned();
            if reference.is_empty() || known.contains_key(&reference) {
                self.store.roll_back();
                self.effects.truncate(noted);
                return Err(Refusal::new("INVALID_INPUT", format!("referenceId is missing or used twice: '{reference}'")));
            }
            let halted = all && done.iter().any(|done| done.status >= 400);
            let (status, body, location) = if halted { (400, processing_halted(), None) } else { self.part(part, &known, version, now) };
            known.insert(reference.clone(), (status, body.clone()));
            done.push(Done { reference, status, body, location });
        }
        let failed = done.iter().any(|done| done.status >= 400);
        if all && failed {
            self.store.roll_back();
            self.effects.truncate(noted);
            for done in done.iter_mut().filter(|done| done.status < 400) {
                (done.status, done.body, done.location) = (400, processing_halted(), None);
            }
        } else {
            self.store.commit();
        }
        let answers = done.into_iter().map(|done| {
            let body = if done.status == 204 { Json::Null } else { done.body };
            let headers = done.location.map_or_else(|| json!({}), |location| json!({ "Location": location }));
            json!({ "body": body, "httpHeaders": headers, "httpStatusCode": done.status, "referenceId": done.reference })
        });
        Ok((answers.collect(), failed))
    }

    fn part(&mut self, part: &Json, known: &BTreeMap<String, (u16, Json)>, version: &str, now: Timestamp) -> (u16, Json, Option<String>) {
        match self.answer_part(part, known, version, now) {
            Ok(answer) => (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Json::Null), answer.header("location").map(str::to_owned)),
            Err(refusal) => (refusal.status, refusal.body(), None),
        }
    }

    fn answer_part(&mut self, part: &Json, known: &BTreeMap<String, (u16, Json)>, version: &str, now: Timestamp) -> Result<Answer, Refusal> {
        let text = |name: &str| part.get(name).and_then(Json::as_str).unwrap_or("");
        let url = filled(text("url"), known)?;
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let mut body = part.get("body").cloned().unwrap_or(Json::Null);
        fill(&mut body, known)?;
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let method = Method::from_bytes(text("method").as_bytes()).map_err(|_| Refusal::new("INVALID_INPUT", "a subrequest needs a method"))?;
        let headers = HeaderMap::new();
        let ask = Ask::of(method, path, query, &headers, &body)?;
        if ask.version != version {
            return Err(Refusal::new("INVALID_INPUT", "the API version of a subrequest is that of the request"));
        }
        match ask.steps.first().map(String::as_str) {
            Some("sobjects" | "query" | "queryAll") => self.carry_out(&ask, now),
            Some("composite") if ask.steps.len() > 1 => self.carry_out(&ask, now),
            _ => Err(Refusal::new("INVALID_INPUT", format!("{path} is no resource that a composite request takes"))),
        }
    }
}

fn processing_halted() -> Json {
    Refusal::new("PROCESSING_HALTED", "The transaction was rolled back since another operation in the same transaction failed.").body()
}

/// Puts in what `@{ref.path}` stands for.
fn filled(text: &str, known: &BTreeMap<String, (u16, Json)>) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("@{") {
        let Some((inner, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        // `made[0].id` of a list, `made.records[0].Id` of an object.
        let (reference, path) = inner.split_at(inner.find(['.', '[']).unwrap_or(inner.len()));
        let missing = || {
            let message = format!("Invalid reference specified. No value for {inner} found in {reference}.");
            Refusal::new("PROCESSING_HALTED", message)
        };
        let (_, body) = known.get(reference).filter(|(status, _)| *status < 400).ok_or_else(missing)?;
        // `records[0].Id` is a path of `records`, `0`, `Id`.
        let pointer: String = path.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(|step| format!("/{step}")).collect();
        match body.pointer(&pointer).ok_or_else(missing)? {
            Json::String(text) => out.push_str(text),
            Json::Null | Json::Array(_) | Json::Object(_) => return Err(missing()),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn fill(json: &mut Json, known: &BTreeMap<String, (u16, Json)>) -> Result<(), Refusal> {
    match json {
        Json::String(text) if text.contains("@{") => *text = filled(text, known)?,
        Json::Array(items) => items.iter_mut().try_for_each(|item| fill(item, known))?,
        Json::Object(fields) => fields.values_mut().try_for_each(|value| fill(value, known))?,
        _ => {}
    }
    Ok(())
}
