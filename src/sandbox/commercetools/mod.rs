//! commercetools' HTTP API: a project with orders, stock, customers, carts, channels, stores, states and types. What a request has to be
//! comes from the vendor's file (`sandbox/commercetools/api.json`), the behavior from `sandbox/commercetools/laws.yaml`.
//!
//! Every resource is JSON, as the vendor prints it. An update's actions are carried out all or not at all, under the version of the resource.

mod actions;
mod import;
mod predicate;
mod query;
mod seed;
mod stock;
#[cfg(test)]
mod tests;
mod user_actions;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::kit::laws::{Held, Laws, Seen, Tokens, is_current};
use super::kit::rest::{Forms, Why};
use super::rng::Rng;
use super::{Act, Delivery, Effect, System};
use crate::http::{Request, Response};
use crate::value::Json;

/// The laws of the system, as its file has them.
pub static LAWS: LazyLock<Laws> = LazyLock::new(|| {
    // The text is part of the program, and a test reads it.
    Laws::read(include_str!("../../../sandbox/commercetools/laws.yaml"))
        .unwrap_or_else(|error| unreachable!("the laws of commercetools cannot be read: {error}"))
});

/// The vendor's file.
static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    Forms::read(include_str!("../../../sandbox/commercetools/api.json"))
        .unwrap_or_else(|error| unreachable!("the forms of commercetools cannot be read: {error}"))
});

/// The kinds of resources: in paths, and the form of one.
const KINDS: [(&str, &str); 8] = [
    ("orders", "Order"),
    ("inventory", "InventoryEntry"),
    ("customers", "Customer"),
    ("carts", "Cart"),
    ("channels", "Channel"),
    ("stores", "Store"),
    ("states", "State"),
    ("types", "Type"),
];

/// Actions of one update.
const MOST_ACTIONS: usize = 500;

#[derive(Debug, Clone)]
pub struct Options {
    pub project: String,
    pub client_id: String,
    pub client_secret: String,
    /// The laws of one world.
    pub laws: Held,
    /// Orders at the start.
    pub orders: usize,
    pub seed: u64,
    pub start: Timestamp,
    /// SKU, name, grams: what the shop sells.
    pub goods: Vec<(String, String, i64)>,
}

impl Default for Options {
    fn default() -> Self {
        let goods = [("CUP-01", "Stoneware cup", 350), ("POT-01", "Stoneware tea pot", 900), ("LAMP-9", "Reading lamp", 1_850)];
        Options {
            project: "sandbox".to_owned(),
            client_id: "sandbox".to_owned(),
            client_secret: "sandbox".to_owned(),
            laws: LAWS.held(),
            orders: 0,
            seed: 1,
            start: Timestamp::UNIX_EPOCH,
            goods: goods.map(|(sku, name, grams)| (sku.to_owned(), name.to_owned(), grams)).into(),
        }
    }
}

/// A project with everything in it.
pub struct Commercetools {
    options: Options,
    rng: Rng,
    /// By kind and id.
    resources: BTreeMap<&'static str, BTreeMap<String, Seen<Json>>>,
    tokens: Tokens,
    effects: Vec<Effect>,
    complaints: Vec<String>,
    calls: u64,
    /// Ids of orders by their numbers.
    numbers: BTreeMap<String, String>,
    /// How many orders there were, for their numbers.
    numbered: usize,
}

/// Why a request is not carried out: the status, and the errors of the body.
#[derive(Debug, Clone, PartialEq)]
struct Refused {
    status: u16,
    code: &'static str,
    message: String,
    more: Json,
}

type Answered = Result<(u16, Json), Refused>;

impl Refused {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refused { status, code, message: message.into(), more: Json::Null }
    }

    fn input(message: impl Into<String>) -> Self {
        Refused::new(400, "InvalidInput", message)
    }

    fn operation(message: impl Into<String>) -> Self {
        Refused::new(400, "InvalidOperation", message)
    }

    fn json(why: impl std::fmt::Display) -> Self {
        let mut refused = Refused::new(400, "InvalidJsonInput", "Request body does not contain valid JSON.");
        refused.more = json!({"detailedErrorMessage": why.to_string()});
        refused
    }

    fn missing(kind: &str, id: &str) -> Self {
        Refused::new(404, "ResourceNotFound", format!("The Resource with ID '{id}' was not found in {kind}."))
    }

    fn reference(kind: &str, id: &str) -> Self {
        let mut refused =
            Refused::new(400, "ReferencedResourceNotFound", format!("The referenced object of type '{kind}' with identifier '{id}' was not found."));
        refused.more = json!({"typeId": kind, "id": id});
        refused
    }

    fn duplicate(field: &str, value: &str) -> Self {
        let mut refused = Refused::new(400, "DuplicateField", format!("A duplicate value '\"{value}\"' exists for field '{field}'."));
        refused.more = json!({"field": field, "duplicateValue": value});
        refused
    }

    fn conflict(of: &str, id: &str, given: &Json, current: u64) -> Self {
        let message = format!("Object {id} has a different version than expected. Expected: {given} - Actual: {current}.");
        let mut refused = Refused::new(409, "ConcurrentModification", message);
        refused.more = json!({"currentVersion": current, "typeId": of});
        refused
    }

    fn body(&self) -> Json {
        let mut error = json!({"code": self.code, "message": self.message});
        if let (Some(error), Json::Object(more)) = (error.as_object_mut(), &self.more) {
            error.extend(more.clone());
        }
        let mut body = json!({"statusCode": self.status, "message": self.message, "errors": [error]});
        if self.status == 401 || self.status == 403 {
            body["error"] = Json::from(self.code);
            body["error_description"] = Json::from(self.message.as_str());
        }
        body
    }
}

/// An instant as the API prints it.
fn printed(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn version(of: &Json) -> u64 {
    of["version"].as_u64().unwrap_or(1)
}

impl Commercetools {
    pub fn new(options: Options) -> Self {
        let keep = options.laws.holds("/oauth/token", "token_ends").then(|| options.laws.seconds("/oauth/token", "token_ends"));
        let mut shop = Commercetools {
            rng: Rng::new(options.seed ^ 0xc0_77ee),
            resources: KINDS.iter().map(|(kind, _)| (*kind, BTreeMap::new())).collect(),
            tokens: Tokens::new(keep),
            effects: Vec::new(),
            complaints: Vec::new(),
            calls: 0,
            numbers: BTreeMap::new(),
            numbered: 0,
            options,
        };
        shop.plant();
        shop
    }

    fn laws(&self) -> &Held {
        &self.options.laws
    }

    /// A new id: a UUID of the sandbox's own dice.
    fn id(&mut self) -> String {
        let (one, two) = (self.rng.roll(), self.rng.roll());
        uuid(one, two)
    }

    /// The newest state of a resource.
    fn resource(&self, kind: &str, id: &str) -> Option<&Json> {
        self.resources.get(kind)?.get(id).map(Seen::newest)
    }

    /// All resources of a kind, as they are.
    fn all<'s>(&'s self, kind: &str) -> impl Iterator<Item = &'s Json> + use<'s> {
        self.resources.get(kind).into_iter().flatten().map(|(_, seen)| seen.newest())
    }

    /// The resource in which a field has a value.
    fn by(&self, kind: &str, field: &str, value: &str) -> Option<&Json> {
        if (kind, field) == ("orders", "orderNumber") {
            return self.resource(kind, self.numbers.get(value)?);
        }
        self.all(kind).find(|resource| resource[field].as_str() == Some(value))
    }

    /// Keeps a new resource, and gives it as it is kept.
    fn put(&mut self, kind: &'static str, mut resource: Json, now: Timestamp) -> Json {
        let id = resource["id"].as_str().map_or_else(|| self.id(), str::to_owned);
        let at = printed(now);
        for (name, value) in [
            ("id", Json::from(id.as_str())),
            ("version", Json::from(1)),
            ("createdAt", Json::from(at.as_str())),
            ("lastModifiedAt", Json::from(at.as_str())),
        ] {
            if resource[name].is_null() {
                resource[name] = value;
            }
        }
        self.number(kind, &resource);
        let hidden = self.hidden(kind);
        let of_kind = self.resources.entry(kind).or_default();
        of_kind.insert(id, Seen::new(resource.clone(), now, hidden));
        resource
    }

    /// Notes under which number an order is found.
    fn number(&mut self, kind: &str, resource: &Json) {
        if let (true, Some(number), Some(id)) = (kind == "orders", resource["orderNumber"].as_str(), resource["id"].as_str()) {
            self.numbers.insert(number.to_owned(), id.to_owned());
        }
    }

    fn hidden(&self, kind: &str) -> SignedDuration {
        self.laws().seconds(kind, "lag")
    }

    /// Keeps what became of a resource, under its next version.
    fn change(&mut self, kind: &'static str, mut resource: Json, raise: u64, now: Timestamp) -> Json {
        resource["version"] = Json::from(version(&resource) + raise.max(1));
        resource["lastModifiedAt"] = Json::from(printed(now));
        let hidden = self.hidden(kind);
        let id = resource["id"].as_str().unwrap_or_default().to_owned();
        let before = self.resource(kind, &id).and_then(|before| before["orderNumber"].as_str()).map(str::to_owned);
        if let Some(before) = before.filter(|_| kind == "orders") {
            self.numbers.remove(&before);
        }
        self.number(kind, &resource);
        if let Some(seen) = self.resources.get_mut(kind).and_then(|of_kind| of_kind.get_mut(&id)) {
            seen.change(resource.clone(), now, hidden);
        }
        resource
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an effect")]
    fn effect(&mut self, now: Timestamp, kind: &str, object: &str, id: &str, key: Option<&str>, by_api: bool, fields: Json) {
        let key = key.map(str::to_owned);
        self.effects.push(Effect { at: now, kind: kind.to_owned(), object: object.to_owned(), id: id.to_owned(), key, by_api, fields });
    }

    /// `POST /oauth/token`, in the way of client credentials.
    fn sign_in(&mut self, request: &Request, now: Timestamp) -> (u16, Json) {
        let refused = |code: &'static str, status: u16, message: &str| {
            (
                status,
                json!({"statusCode": status, "message": message, "errors": [{"code": code, "message": message}], "error": code, "error_description": message}),
            )
        };
        let form = |name: &str| {
            let query = request.uri().query().unwrap_or_default();
            let of = |text: &[u8]| form_urlencoded::parse(text).find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
            of(request.body()).or_else(|| of(query.as_bytes()))
        };
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let basic = header.strip_prefix("Basic ").and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        let expected = format!("{}:{}", self.options.client_id, self.options.client_secret);
        if basic.as_deref() != Some(expected.as_bytes()) {
            return refused("invalid_client", 401, "Please provide valid client credentials using HTTP Basic Authentication.");
        }
        if form("grant_type").as_deref() != Some("client_credentials") {
            return refused("unsupported_grant_type", 400, "Invalid or missing grant_type.");
        }
        let scope = form("scope").unwrap_or_else(|| format!("manage_project:{}", self.options.project));
        if let Some(wrong) = scope.split_whitespace().find(|scope| !scope.ends_with(&format!(":{}", self.options.project))) {
            return refused("invalid_scope", 400, &format!("Malformed parameter: scope: Invalid scope: '{wrong}'."));
        }
        let ends = self.laws().seconds("/oauth/token", "token_ends").as_secs();
        let seed = self.options.seed;
        let token = self.tokens.give(now, |number| format!("sandbox-{seed}-{number}"));
        (200, json!({"access_token": token, "token_type": "Bearer", "expires_in": if ends > 0 { ends } else { 172_800 }, "scope": scope}))
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> (u16, Json) {
        let path = request.uri().path().to_owned();
        if request.method() == http::Method::POST && path.ends_with("/oauth/token") {
            return self.sign_in(request, now);
        }
        match self.carried_out(request, &path, now) {
            Ok(answered) => answered,
            Err(refused) => (refused.status, refused.body()),
        }
    }

    fn carried_out(&mut self, request: &Request, path: &str, now: Timestamp) -> Answered {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !header.strip_prefix("Bearer ").is_some_and(|token| self.tokens.is_taken(token, now)) {
            return Err(Refused::new(401, "invalid_token", "invalid_token"));
        }
        let decoded = decoded(path);
        let not_found = || Refused::new(404, "ResourceNotFound", format!("URI not found: {decoded}"));
        let method = request.method().as_str();
        let (operation, values) = FORMS.operation(method, &decoded).ok_or_else(not_found)?;
        let value = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        if value("projectKey").as_deref() != Some(self.options.project.as_str()) {
            return Err(Refused::new(403, "insufficient_scope", "The token is of another project."));
        }
        let query: Vec<(String, String)> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let strange = FORMS.strange_parameters(operation, query.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("var.")));
        self.complaints.extend(strange.iter().map(|name| format!("{method} {}: there is no parameter `{name}`", operation.path)));
        let kind = decoded.trim_matches('/').split('/').nth(1).unwrap_or_default();
        let (kind, form) = KINDS.into_iter().find(|(known, _)| *known == kind).ok_or_else(not_found)?;
        if method == "GET" && values.len() == 1 {
            return self.list(kind, form, &query, now).map(|body| (200, body));
        }
        if method == "POST" && values.len() == 1 {
            let draft = self.body(request, operation)?;
            return match kind {
                "orders" => self.import(&draft, now).map(|body| (201, body)),
                _ => self.new_entry(&draft, now).map(|body| (201, body)),
            };
        }
        // One resource, by its id or by another name of it.
        let named = values.iter().find(|(name, _)| name != "projectKey").ok_or_else(not_found)?;
        let (name, text) = (named.0.as_str(), named.1.as_str());
        let found = if name == "ID" { self.resource(kind, text) } else { self.by(kind, name, text) };
        let found = found.cloned().ok_or_else(|| Refused::missing(kind, text))?;
        if method == "GET" {
            return Ok((200, found));
        }
        let update = self.body(request, operation)?;
        self.update(kind, found, &update, now).map(|body| (200, body))
    }

    /// The body of a request, held to its form.
    fn body(&mut self, request: &Request, operation: &crate::apispec::Operation) -> Result<Json, Refused> {
        let body: Json = serde_json::from_slice(request.body()).map_err(Refused::json)?;
        let Some(form) = &operation.body else { return Ok(body) };
        for mismatch in FORMS.mismatches(form.ty, &body) {
            match mismatch.why {
                // The API reads the fields that it knows.
                Why::Unknown => self.complaints.push(format!("{} {}: {mismatch}", operation.method.word(), operation.path)),
                Why::Missing | Why::Wrong(_) => return Err(Refused::json(mismatch)),
            }
        }
        Ok(body)
    }

    /// Carries the actions of an update out, all or none.
    fn update(&mut self, kind: &'static str, before: Json, update: &Json, now: Timestamp) -> Result<Json, Refused> {
        let id = before["id"].as_str().unwrap_or_default().to_owned();
        if self.laws().holds(kind, "version") && !is_current(update.get("version"), version(&before)) {
            return Err(Refused::conflict(kind, &id, &update["version"], version(&before)));
        }
        let actions = update["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        if actions.len() > MOST_ACTIONS {
            return Err(Refused::input(format!("An update may have {MOST_ACTIONS} actions.")));
        }
        let mut after = before.clone();
        let mut done = Vec::new();
        for action in actions {
            match kind {
                "orders" => self.on_order(&mut after, action, &mut done, now)?,
                _ => self.on_entry(&mut after, action)?,
            }
        }
        if after == before && self.laws().does("orders", "keeps_the_version_where_nothing_changes") {
            return Ok(before);
        }
        let raise = if self.laws().does("orders", "raises_the_version_by_each_action") { actions.len() as u64 } else { 1 };
        let after = self.change(kind, after, raise, now);
        self.told(kind, &before, &after, &done, true, now);
        Ok(after)
    }

    /// Notes what an update did: the fields that it changed, and each part that it made.
    fn told(&mut self, kind: &str, before: &Json, after: &Json, done: &[actions::Made], by_api: bool, now: Timestamp) {
        let object = KINDS.iter().find(|(known, _)| *known == kind).map_or(kind, |(_, form)| *form);
        let unstamped = ["version", "lastModifiedAt"];
        let fields: serde_json::Map<String, Json> = after
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, value)| before.get(name.as_str()) != Some(value) && !unstamped.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let (id, number) = (after["id"].as_str().unwrap_or_default().to_owned(), after["orderNumber"].clone());
        let key = after["orderNumber"].as_str().or_else(|| after["key"].as_str()).map(str::to_owned);
        self.effect(now, "updated", object, &id, key.as_deref(), by_api, Json::Object(fields));
        for made in done {
            let mut fields = made.fields.clone();
            fields["orderId"] = Json::from(id.as_str());
            fields["orderNumber"] = number.clone();
            self.effect(now, made.kind, made.object, &made.id, made.key.as_deref(), by_api, fields);
        }
    }
}

/// A path without its percent signs.
fn decoded(path: &str) -> String {
    let text = format!("p={}", path.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A UUID of random bits, as version 4 prints them.
fn uuid(one: u64, two: u64) -> String {
    let (a, b, c) = ((one >> 32) as u32, (one >> 16) as u16, (one as u16 & 0x0fff) | 0x4000);
    let (d, e) = (((two >> 48) as u16 & 0x3fff) | 0x8000, two & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

impl System for Commercetools {
    fn name(&self) -> &'static str {
        "commercetools"
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.calls += 1;
        let (status, body) = self.answer(request, now);
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }

    fn act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        self.carry_act(act, now)
    }

    /// Its events go to queues of a cloud, and to no address.
    fn deliveries(&mut self, _now: Timestamp) -> Vec<Delivery> {
        Vec::new()
    }

    fn error(&self, words: &str) -> Json {
        json!({"statusCode": 500, "message": words, "errors": [{"code": "General", "message": words}]})
    }

    fn throttled(&self) -> (u16, Json, &'static [(&'static str, &'static str)]) {
        let words = "The service is currently unavailable. Please try again later.";
        (429, json!({"statusCode": 429, "message": words, "errors": [{"code": "OverCapacity", "message": words}]}), &[])
    }

    fn effects(&self) -> &[Effect] {
        &self.effects
    }

    fn calls(&self) -> u64 {
        self.calls
    }

    fn protocol_violations(&self) -> Vec<String> {
        self.complaints.clone()
    }
}
