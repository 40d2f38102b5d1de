//! Masking: what is personal or secret never reaches the audit trail, a log, or the output.
//!
//! Fields are classed by the schemas of the connection's objects; a name that no schema knows counts as
//! personal, but for the words that the systems' envelopes are made of.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Plan;
use crate::schema::Class;
use crate::value::Json;

pub const MASKED: &str = "•••";
/// Parts of batches, pages and errors: they describe the call, not a person.
const ENVELOPE: &[&str] = &[
    "attributes",
    "type",
    "url",
    "records",
    "results",
    "hasErrors",
    "success",
    "created",
    "id",
    "Id",
    "errors",
    "statusCode",
    "errorCode",
    "fields",
    "allOrNone",
    "orders",
    "shipments",
    "fulfillments",
    "total",
    "page",
    "pages",
    "done",
    "totalSize",
    "state",
    "operation",
    "object",
    "jobId",
];
/// Words of an error: a system may quote in them whatever it holds. They are kept sealed, with the exception.
const WORDS: &[&str] = &["message", "errorMessage", "Message", "ExceptionMessage", "sf__Error", "error_description"];
/// The shortest personal value that is looked for in words: shorter ones are parts of ordinary words.
const SHORTEST: usize = 3;

/// How the fields of one connection are classed.
#[derive(Debug, Default, Clone)]
pub struct Mask {
    shown: BTreeSet<String>,
    hidden: BTreeSet<String>,
}

/// An exchange of which nothing is left that is personal. Only a mask makes one.
#[derive(Debug, Clone)]
pub struct Masked {
    pub(super) at: jiff::Timestamp,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: Option<u16>,
    pub(super) took: std::time::Duration,
    pub(super) request: Option<String>,
    pub(super) response: Option<String>,
    pub(super) broken: Option<String>,
}

impl Mask {
    /// An exchange as it may be kept. `bodies`: with what was sent and answered.
    pub fn exchange(&self, exchange: crate::http::Exchange, bodies: bool) -> Masked {
        let body = |body: &[u8]| if bodies { self.body(body) } else { None };
        Masked {
            at: exchange.at,
            method: exchange.method.to_string(),
            path: path(&exchange.path),
            status: exchange.status,
            took: exchange.took,
            request: body(&exchange.request),
            response: body(&exchange.response),
            broken: exchange.broken,
        }
    }

    /// The most careful class of each field's name over all objects of a connection.
    pub fn of(plan: &Plan, connection: &str) -> Self {
        let mut classes: BTreeMap<String, bool> = BTreeMap::new();
        let prefix = format!("{connection}.");
        for object in plan.objects.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, object)| object) {
            for (name, field) in &object.fields {
                let shown = matches!(field.class, Class::Public | Class::Business);
                let known = classes.entry(name.clone()).or_insert(shown);
                *known &= shown;
            }
        }
        let (shown, hidden): (Vec<_>, Vec<_>) = classes.into_iter().partition(|(_, shown)| *shown);
        let names = |list: Vec<(String, bool)>| list.into_iter().map(|(name, _)| name).collect();
        Mask { shown: names(shown), hidden: names(hidden) }
    }

    fn shows(&self, name: &str) -> bool {
        self.shown.contains(name) || (ENVELOPE.contains(&name) && !self.hidden.contains(name))
    }

    /// A body with only what may be kept.
    pub fn json(&self, json: &Json) -> Json {
        self.under(json, true)
    }

    fn under(&self, json: &Json, shown: bool) -> Json {
        match json {
            Json::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| {
                        let value = match value {
                            Json::String(_) if WORDS.contains(&name.as_str()) => Json::String(MASKED.to_owned()),
                            value => self.under(value, self.shows(name)),
                        };
                        (name.clone(), value)
                    })
                    .collect(),
            ),
            Json::Array(items) => Json::Array(items.iter().map(|item| self.under(item, shown)).collect()),
            Json::Null | Json::Bool(_) => json.clone(),
            _ if shown => json.clone(),
            _ => Json::String(MASKED.to_owned()),
        }
    }

    /// The bytes of a body as they may be kept: JSON masked, anything else by its length only.
    pub fn body(&self, body: &[u8]) -> Option<String> {
        if body.is_empty() {
            return None;
        }
        Some(match serde_json::from_slice::<Json>(body) {
            Ok(json) => self.json(&json).to_string(),
            Err(_) => format!("({} bytes that are no JSON)", body.len()),
        })
    }

    /// The personal values of a body.
    pub fn personal(&self, json: &Json, found: &mut BTreeSet<String>) {
        self.gather(json, true, found);
    }

    fn gather(&self, json: &Json, shown: bool, found: &mut BTreeSet<String>) {
        match json {
            Json::Object(fields) => fields.iter().for_each(|(name, value)| self.gather(value, self.shows(name), found)),
            Json::Array(items) => items.iter().for_each(|item| self.gather(item, shown, found)),
            Json::String(text) if !shown && text.trim().chars().count() >= SHORTEST => {
                found.insert(text.trim().to_owned());
            }
            _ => {}
        }
    }
}

/// A path with its query as they may be kept: what is compared in a query is taken out.
pub fn path(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let kept = ["page", "pageSize", "sortBy", "sortDir", "orderStatus", "includeShipmentItems", "storeId", "orderId"];
    let mut out = format!("{path}?");
    for (at, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
        if at > 0 {
            out.push('&');
        }
        out.push_str(&name);
        out.push('=');
        if name == "q" {
            out.push_str(&quoted(&value));
        } else if kept.contains(&&*name) || name.ends_with("DateStart") || name.ends_with("DateEnd") {
            out.push_str(&value);
        } else {
            out.push_str(MASKED);
        }
    }
    out
}

/// A query in which no literal text stands.
fn quoted(query: &str) -> String {
    let (mut out, mut inside, mut chars) = (String::new(), false, query.chars());
    while let Some(c) = chars.next() {
        match (c, inside) {
            ('\\', true) => {
                chars.next();
            }
            ('\'', false) => {
                inside = true;
                out.push_str("'•••");
            }
            ('\'', true) => {
                inside = false;
                out.push('\'');
            }
            (_, true) => {}
            (c, false) => out.push(c),
        }
    }
    const LONGEST: usize = 400;
    if out.chars().count() > LONGEST { out.chars().take(LONGEST).chain("…".chars()).collect() } else { out }
}

/// Words without the personal values that they repeat.
pub fn scrub(words: &str, personal: &BTreeSet<String>) -> String {
    let mut out = words.to_owned();
    let mut longest: Vec<&String> = personal.iter().collect();
    longest.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in longest {
        if out.contains(value.as_str()) {
            out = out.replace(value.as_str(), MASKED);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_known_names_are_shown() {
        let mask = Mask { shown: ["orderKey".to_owned()].into(), hidden: ["name".to_owned()].into() };
        let body = json!([{"orderKey": "sf-1", "shipTo": {"name": "Jo Bloggs", "new": 7}, "items": [{"name": "Mug"}]}]);
        let mut personal = BTreeSet::new();
        mask.personal(&body, &mut personal);
        assert_eq!(mask.json(&body).to_string(), r#"[{"orderKey":"sf-1","shipTo":{"name":"•••","new":"•••"},"items":[{"name":"•••"}]}]"#);
        let answer = json!({"message": "Jo Bloggs is no name", "errorCode": "X"});
        assert_eq!(mask.json(&answer).to_string(), r#"{"message":"•••","errorCode":"X"}"#);
        assert_eq!(mask.body(b"<html>Jo").unwrap_or_default(), "(8 bytes that are no JSON)");
    }

    #[test]
    fn a_query_keeps_its_shape() {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("q", r"SELECT Id FROM Contact WHERE Email IN ('jo@x.org','o\'b@x.org') LIMIT 5")
            .finish();
        assert_eq!(
            path(&format!("/services/data/query?{query}")),
            "/services/data/query?q=SELECT Id FROM Contact WHERE Email IN ('•••','•••') LIMIT 5"
        );
        assert_eq!(path("/orders?orderNumber=SO-1&page=2"), "/orders?orderNumber=•••&page=2");
    }
}
