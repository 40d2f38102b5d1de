//! Masking: personal and secret values never reach the audit trail, a log, or the output.
//!
//! Fields are classified by the schemas of the connection's objects, each in its place. A name that no schema has counts as personal,
//! except for the words of the systems' envelopes. Quoted values are removed from the words of an answer: everything that comes back
//! from a system passes through [`Quotes`].

mod quotes;

use std::collections::{BTreeMap, BTreeSet};

use crate::http::redact::{self, Redactor};
use crate::plan::Plan;
use crate::schema::Class;
use crate::store::{Entry, RecordState, Store, StoreResult};
use crate::value::{Json, Kind, ObjectRef};

pub use quotes::{MaskedPart, Quotes};

pub const MASKED: &str = redact::HIDDEN;
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
/// Words of an error: a system may quote in them what it was sent.
const WORDS: &[&str] = &["message", "errorMessage", "Message", "ExceptionMessage", "sf__Error", "error_description", "error"];
/// Texts with fewer digits are no telephone numbers.
const SHORTEST_TELEPHONE: usize = 7;
/// Numbers with fewer digits are no telephone numbers or the like.
const SHORTEST_NUMBER: usize = 5;
/// Records that one has to do with, whose values are looked for in its words.
const MOST_LINKED: usize = 10;
/// Longer texts in a body are kept by their length: a label's PDF.
const LONGEST_TEXT: usize = 2_000;

/// How the fields of one connection are classed.
#[derive(Debug, Default, Clone)]
pub struct Mask {
    /// By object, by field.
    objects: BTreeMap<String, BTreeMap<String, Field>>,
    /// Names that are business in every object that has them.
    shown: BTreeSet<String>,
    /// Names that are personal in some object.
    hidden: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    shown: bool,
    /// The object that stands in it, or whose records do.
    of: Option<String>,
}

/// An exchange of which nothing is left that is personal. Only [`Quotes`] makes one.
#[derive(Debug, Clone)]
pub struct Masked {
    pub(super) at: jiff::Timestamp,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: Option<u16>,
    pub(super) took: std::time::Duration,
    pub(super) broken: Option<String>,
    /// What was sent and answered, cut by the items of the batch.
    pub(super) parts: Vec<MaskedPart>,
}

impl Mask {
    /// The classes of the fields of a connection's objects.
    pub fn of(plan: &Plan, connection: &str) -> Self {
        let mut mask = Mask::default();
        let mut classes: BTreeMap<String, bool> = BTreeMap::new();
        let prefix = format!("{connection}.");
        for (name, object) in &plan.objects {
            let Some(name) = name.strip_prefix(&prefix) else { continue };
            let mut fields = BTreeMap::new();
            for (name, field) in &object.fields {
                let shown = matches!(field.class, Class::Public | Class::Business);
                let known = classes.entry(name.clone()).or_insert(shown);
                *known &= shown;
                fields.insert(name.clone(), Field { shown, of: behind(&field.kind) });
            }
            mask.objects.insert(name.to_owned(), fields);
        }
        let (shown, hidden): (Vec<_>, Vec<_>) = classes.into_iter().partition(|(_, shown)| *shown);
        let names = |list: Vec<(String, bool)>| list.into_iter().map(|(name, _)| name).collect();
        (mask.shown, mask.hidden) = (names(shown), names(hidden));
        mask
    }

    /// The masks of all connections that a plan has objects of.
    pub fn all(plan: &Plan) -> BTreeMap<String, Mask> {
        let connections: BTreeSet<&str> = plan.objects.keys().filter_map(|name| Some(name.split_once('.')?.0)).collect();
        connections.into_iter().map(|connection| (connection.to_owned(), Mask::of(plan, connection))).collect()
    }

    /// Whether everybody may see a field of an object, and the object that stands in it.
    fn field<'s>(&'s self, object: Option<&'s str>, name: &str) -> (bool, Option<&'s str>) {
        match object.and_then(|object| self.objects.get(object)?.get(name)) {
            Some(field) => (field.shown, field.of.as_deref()),
            // A list as Salesforce gives it: its records are what the field is of.
            None if name == "records" => (true, object),
            // The same of GraphQL. Their own texts are not the list's.
            None if object.is_some() && matches!(name, "edges" | "node") => (false, object),
            None => (self.shown.contains(name) || (ENVELOPE.contains(&name) && !self.hidden.contains(name)), None),
        }
    }

    /// Whether everybody may see what stands at a path of an object.
    pub fn shows(&self, object: &str, path: &[String]) -> bool {
        let mut at = Some(object);
        let mut shown = true;
        for name in path {
            (shown, at) = self.field(at, name);
        }
        shown
    }

    /// A record of an object with only what everybody may see.
    pub fn json(&self, object: Option<&str>, json: &Json) -> Json {
        self.without_own(object, json, self.under(object, json, true, None))
    }

    /// A masked record without texts that hold an address or a number of its own person: a key may be made of one.
    fn without_own(&self, object: Option<&str>, json: &Json, masked: Json) -> Json {
        let own = self.identifiers(object, json);
        if own.is_empty() { masked } else { without_texts(masked, &|text| own.iter().any(|value| holds(text, value))) }
    }

    /// Whether a text holds an address or a number of the person that a record is about.
    pub fn is_of_person(&self, object: Option<&str>, json: &Json, text: &str) -> bool {
        self.identifiers(object, json).iter().any(|value| holds(text, value))
    }

    /// The addresses and telephone numbers of a record's person.
    fn identifiers(&self, object: Option<&str>, json: &Json) -> Vec<String> {
        let mut found = Vec::new();
        self.persons(object, json, &mut |value| {
            if value.contains('@') || digits(value).len() >= SHORTEST_TELEPHONE {
                found.push(value.trim().to_owned());
            }
        });
        found
    }

    /// The same of a system's answer: its words are kept without what they quote.
    fn answer(&self, object: Option<&str>, json: &Json, quoted: &dyn Fn(&str) -> String) -> Json {
        self.without_own(object, json, self.under(object, json, true, Some(quoted)))
    }

    fn under(&self, object: Option<&str>, json: &Json, shown: bool, quoted: Option<&dyn Fn(&str) -> String>) -> Json {
        match json {
            Json::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| {
                        let value = match (value, quoted) {
                            (Json::String(words), Some(quoted)) if WORDS.contains(&name.as_str()) => Json::String(quoted(words)),
                            (Json::String(_), None) if WORDS.contains(&name.as_str()) && object.is_none() => Json::String(MASKED.to_owned()),
                            (Json::String(url), Some(quoted)) if name == "url" => Json::String(quoted(url)),
                            (value, _) => {
                                let (shown, of) = self.field(object, name);
                                self.under(of, value, shown, quoted)
                            }
                        };
                        (name.clone(), value)
                    })
                    .collect(),
            ),
            Json::Array(items) => Json::Array(items.iter().map(|item| self.under(object, item, shown, quoted)).collect()),
            Json::Null | Json::Bool(_) => json.clone(),
            Json::String(text) if shown && text.len() > LONGEST_TEXT => Json::String(format!("({} characters)", text.chars().count())),
            // A key of the mapping's own may be made of an address.
            Json::String(text) if shown && text.contains('@') => Json::String(redact::shapes(text)),
            _ if shown => json.clone(),
            _ => Json::String(MASKED.to_owned()),
        }
    }

    /// Tells a redactor the values of a record: those of persons and those that everybody may see. `words`: with the
    /// words that they are made of.
    pub fn tell(&self, object: Option<&str>, json: &Json, words: bool, to: &mut Redactor) {
        let own = self.identifiers(object, json);
        self.gather(object, json, true, words, &own, to);
    }

    /// Each value of a person in a record.
    pub fn persons(&self, object: Option<&str>, json: &Json, each: &mut dyn FnMut(&str)) {
        self.each(object, json, true, each);
    }

    fn each(&self, object: Option<&str>, json: &Json, shown: bool, to: &mut dyn FnMut(&str)) {
        match json {
            Json::Object(fields) => {
                for (name, value) in fields {
                    let (shown, of) = self.field(object, name);
                    self.each(of, value, shown, to);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.each(object, item, shown, to)),
            Json::String(text) if !shown => to(text),
            _ => {}
        }
    }

    /// `own`: a text that everybody may see and that holds one of these is a person's all the same.
    fn gather(&self, object: Option<&str>, json: &Json, shown: bool, words: bool, own: &[String], to: &mut Redactor) {
        match json {
            Json::Object(fields) => {
                for (name, value) in fields {
                    let (shown, of) = self.field(object, name);
                    if words {
                        to.business(name);
                    }
                    self.gather(of, value, shown, words, own, to);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.gather(object, item, shown, words, own, to)),
            Json::String(text) if shown && own.iter().any(|value| holds(text, value)) => to.personal(text, words),
            Json::String(text) if shown => {
                if words {
                    to.business(text);
                }
            }
            Json::String(text) => to.personal(text, words),
            Json::Number(number) if !shown && number.to_string().len() >= SHORTEST_NUMBER => to.personal(&number.to_string(), words),
            Json::Number(_) | Json::Bool(_) | Json::Null => {}
        }
    }
}

/// A body with its words changed: what an error says, and every text of several words. All else stays.
pub(super) fn in_words(answer: &Json, change: &dyn Fn(&str) -> String) -> Json {
    match answer {
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| match value {
                    Json::String(words) if WORDS.contains(&name.as_str()) => (name.clone(), Json::String(change(words))),
                    value => (name.clone(), in_words(value, change)),
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(|item| in_words(item, change)).collect()),
        Json::String(text) if text.contains(char::is_whitespace) => Json::String(change(text)),
        other => other.clone(),
    }
}

/// Whether a text holds a value of a person: an address in whatever letters, a telephone number however it is written.
pub fn holds(text: &str, value: &str) -> bool {
    let number = digits(value);
    let telephone = !value.chars().any(char::is_alphabetic) && number.len() >= SHORTEST_TELEPHONE;
    (telephone && digits(text).contains(&number[number.len().saturating_sub(10)..]))
        || (!value.is_empty() && text.to_lowercase().contains(&value.to_lowercase()))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A body whose texts of some kind are hidden.
fn without_texts(json: Json, hide: &dyn Fn(&str) -> bool) -> Json {
    match json {
        Json::Object(fields) => Json::Object(fields.into_iter().map(|(name, value)| (name, without_texts(value, hide))).collect()),
        Json::Array(items) => Json::Array(items.into_iter().map(|item| without_texts(item, hide)).collect()),
        Json::String(text) if text != MASKED && hide(&text) => Json::String(MASKED.to_owned()),
        other => other,
    }
}

/// The object that stands in a field, or whose records do.
fn behind(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Object(of) => Some(of.object.clone()),
        Kind::List(item) => behind(&item.kind),
        _ => None,
    }
}

/// What words about a record may quote: the values of the record, of those that it has to do with, and of what is
/// written of it. Texts that hold the words are left out: they are what an earlier write-back has put there.
pub fn of_record(masks: &BTreeMap<String, Mask>, plan: &Plan, lanes: &[RecordState], entries: &[Entry], words: &str) -> Redactor {
    let mut redactor = Redactor::default();
    let mut tell = |object: &ObjectRef, record: &Json| {
        if let Some(mask) = masks.get(&object.connection) {
            mask.tell(Some(&object.object), &without(record, words), true, &mut redactor);
        }
    };
    for lane in lanes {
        let Some(flow) = plan.mapping.flows.iter().find(|flow| flow.name == lane.flow) else { continue };
        lane.record().into_iter().for_each(|record| tell(&flow.source, record));
        for found in &flow.matches {
            lane.matched.iter().filter_map(|matched| matched.get(&found.name)).for_each(|records| tell(&found.object, records));
        }
    }
    for entry in entries {
        let object = ObjectRef::new(entry.connection.clone(), entry.object.clone());
        tell(&object, &entry.body);
        entry.held.iter().for_each(|held| tell(&object, held));
    }
    redactor
}

/// A record's lane and those that it has to do with, whose records a system may quote when it speaks of this one.
///
/// # Errors
/// The store cannot be read.
pub fn quotable(store: &dyn Store, lane: &RecordState) -> StoreResult<Vec<RecordState>> {
    let mut lanes = vec![lane.clone()];
    for (flow, key) in store.linked(&lane.flow, &lane.key, None, MOST_LINKED)? {
        lanes.extend(store.record(&flow, &key)?);
    }
    Ok(lanes)
}

/// A record without the texts that hold some words.
fn without(json: &Json, words: &str) -> Json {
    match json {
        Json::Object(fields) => Json::Object(fields.iter().map(|(name, value)| (name.clone(), without(value, words))).collect()),
        Json::Array(items) => Json::Array(items.iter().map(|item| without(item, words)).collect()),
        Json::String(text) if !words.is_empty() && (text.contains(words) || (text.len() > 40 && words.contains(text.as_str()))) => Json::Null,
        other => other.clone(),
    }
}

/// A key as people may see it in a history: one that is an e-mail address, a telephone number or a text in words says
/// who it is of, so only its first character is kept.
pub fn key(key: &str, shown: bool) -> String {
    let telephone = key.starts_with('+') && key.chars().filter(char::is_ascii_digit).count() >= 7;
    if shown && !telephone && !key.contains('@') && !key.contains(char::is_whitespace) {
        return key.to_owned();
    }
    let first: String = key.chars().take(1).filter(|c| c.is_alphanumeric()).collect();
    if key.contains('@') { format!("{first}{MASKED}@{MASKED}") } else { format!("{first}{MASKED}") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    pub(super) fn mask() -> Mask {
        let field = |shown: bool, of: Option<&str>| Field { shown, of: of.map(str::to_owned) };
        let order = [
            ("orderKey", field(true, None)),
            ("carrierCode", field(true, None)),
            ("shipTo", field(true, Some("Address"))),
            ("items", field(true, Some("Item"))),
            ("notes", field(false, None)),
        ];
        let address = [("name", field(false, None)), ("street1", field(false, None)), ("phone", field(false, None))];
        let item = [("name", field(true, None)), ("sku", field(true, None))];
        let named = |fields: &[(&str, Field)]| fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect();
        Mask {
            objects: [("Order".to_owned(), named(&order)), ("Address".to_owned(), named(&address)), ("Item".to_owned(), named(&item))].into(),
            shown: ["orderKey".to_owned(), "sku".to_owned(), "carrierCode".to_owned()].into(),
            hidden: ["name".to_owned(), "notes".to_owned()].into(),
        }
    }

    #[test]
    fn each_field_is_shown_by_the_class_of_its_own_object() {
        let body = json!([{"orderKey": "sf-1", "shipTo": {"name": "Jo Bloggs", "new": 7}, "items": [{"name": "Mug", "sku": "M-1"}]}]);
        assert_eq!(
            mask().json(Some("Order"), &body).to_string(),
            r#"[{"orderKey":"sf-1","shipTo":{"name":"•••","new":"•••"},"items":[{"name":"Mug","sku":"M-1"}]}]"#
        );
        let connection = json!({"items": {"edges": [{"node": {"name": "Mug", "to": "Jo"}}, {"node": "Jo"}]}});
        assert_eq!(mask().json(Some("Order"), &connection).to_string(), r#"{"items":{"edges":[{"node":{"name":"Mug","to":"•••"}},{"node":"•••"}]}}"#);
        let key = json!({"orderKey": "ss-jo@example.com/10"});
        assert!(!mask().json(Some("Order"), &key).to_string().contains("example"));
        let key = json!({"orderKey": "ss/15128675309", "shipTo": {"phone": "+1 (512) 867-5309"}, "carrierCode": "ups"});
        assert_eq!(mask().json(Some("Order"), &key).to_string(), r#"{"orderKey":"•••","shipTo":{"phone":"•••"},"carrierCode":"ups"}"#);
        assert!(mask().is_of_person(Some("Order"), &key, "ss/512-867-5309") && !mask().is_of_person(Some("Order"), &key, "ss/5128675308"));
        // Where the object is not known, the most careful class of a name counts.
        assert_eq!(mask().json(None, &json!({"sku": "M-1", "name": "Mug"})).to_string(), r#"{"sku":"M-1","name":"•••"}"#);
        assert!(mask().shows("Order", &["items".to_owned(), "name".to_owned()]));
        assert!(!mask().shows("Order", &["shipTo".to_owned(), "name".to_owned()]));
        assert!(!mask().shows("Order", &["unknown".to_owned()]));
    }

    #[test]
    fn words_of_an_answer_are_kept_without_what_they_quote() {
        let mut redactor = Redactor::default();
        mask().tell(Some("Order"), &json!({"carrierCode": "foo", "shipTo": {"name": "Jo Bloggs", "phone": 15125550199i64}}), true, &mut redactor);
        let answer = json!({"message": "carrier code 'foo' is not valid for JO BLOGGS at 512-555-0199", "errorCode": "X"});
        assert_eq!(
            mask().answer(None, &answer, &|text| redactor.text(text)).to_string(),
            r#"{"message":"carrier code 'foo' is not valid for ••• at •••","errorCode":"X"}"#
        );
    }

    #[test]
    fn only_the_words_of_an_answer_are_changed() {
        let answer = json!([{"success": false, "errors": [{"message": "Quxborough is closed", "fields": ["Quxborough"]}]}, {"id": "Quxborough"}]);
        assert_eq!(
            in_words(&answer, &|words| words.replace("Quxborough", MASKED)),
            json!([{"success": false, "errors": [{"message": "••• is closed", "fields": ["Quxborough"]}]}, {"id": "Quxborough"}])
        );
    }

    #[test]
    fn what_was_written_back_does_not_hide_the_reason() {
        let reason = "no row of carriers has the service Overnight";
        let record = json!({"Fulfillment_Error__c": reason, "Name": "Jo Bloggs", "Longer__c": format!("rejected: {reason}")});
        let mut redactor = Redactor::default();
        Mask::default().tell(None, &without(&record, reason), true, &mut redactor);
        assert_eq!(redactor.text(&format!("{reason} for Jo Bloggs")), format!("{reason} for •••"));
    }

    #[test]
    fn keys_of_persons_are_masked() {
        assert_eq!(key("jo@example.com", true), "j•••@•••");
        assert_eq!(key("+15125550199", true), "•••");
        assert_eq!(key("Jo Bloggs", true), "J•••");
        assert_eq!(key("5125550199", false), "5•••");
        assert_eq!(key("8015g0000000068AAA", true), "8015g0000000068AAA");
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
