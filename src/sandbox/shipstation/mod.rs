//! ShipStation's API V1, with the semantics of its pages: `orderKey`, locked states, updates that replace, labels,
//! fulfilments, voids, 40 calls a minute, webhooks that carry nothing. And of V2 what V1 has not: where parcels are.

mod api;
#[cfg(test)]
mod api_tests;
mod lists;
mod orders;
mod print;
mod shipments;
#[cfg(test)]
mod tests;
mod time;
mod tracking;
mod user_actions;
mod v2;
#[cfg(test)]
mod v2_tests;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use self::api::Meant;
pub use self::lists::Lists;
use super::rng::Rng;
use super::{Act, Delivery, Effect, System};
use crate::http::{Request, Response};
use crate::value::Json;

#[derive(Debug, Clone)]
pub struct Options {
    pub api_key: String,
    pub api_secret: String,
    /// The key of V2.
    pub v2_key: String,
    /// Calls a minute; `None`: as many as come.
    pub per_minute: Option<u32>,
    /// The same for V2.
    pub v2_per_minute: Option<u32>,
    /// How long until what was changed shows in lists. Asked for by its id it is there at once.
    pub search_lag: SignedDuration,
    /// After so long the warehouse ships an order by itself.
    pub autoship: Option<SignedDuration>,
    /// So long after a call has made a label another call gets a second one: the vendor promises no idempotency here.
    pub label_race: SignedDuration,
    /// What `resource_url`s begin with, and those of V2.
    pub base_url: String,
    pub v2_url: String,
    pub seed: u64,
    /// Stores, warehouses, carriers with their services, tags.
    pub lists: Lists,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            api_key: "sandbox".to_owned(),
            api_secret: "sandbox".to_owned(),
            v2_key: "sandbox".to_owned(),
            per_minute: Some(40),
            v2_per_minute: Some(200),
            search_lag: SignedDuration::ZERO,
            autoship: None,
            label_race: SignedDuration::ZERO,
            base_url: "https://ssapi.shipstation.com".to_owned(),
            v2_url: "https://api.shipstation.com".to_owned(),
            seed: 1,
            lists: Lists::default(),
        }
    }
}

/// An order as it is kept: what is printed, and what it is found by.
#[derive(Debug, Clone)]
struct Order {
    id: i64,
    key: String,
    number: String,
    status: &'static str,
    store: i64,
    created: Timestamp,
    modified: Timestamp,
    body: serde_json::Map<String, Json>,
    /// Versions that lists may still show, the oldest first.
    older: Vec<Order>,
}

#[derive(Debug, Clone)]
struct Shipment {
    id: i64,
    order: i64,
    created: Timestamp,
    voided: Option<Timestamp>,
    batch: i64,
    by_api: bool,
    /// A label; otherwise it was marked as shipped, and is told as a fulfilment.
    label: bool,
    /// What the carrier said of it, in the order that it said it.
    scans: Vec<tracking::Scan>,
    body: serde_json::Map<String, Json>,
}

#[derive(Debug, Clone)]
struct Hook {
    id: i64,
    event: String,
    url: String,
    name: Option<String>,
    store: Option<i64>,
}

/// What an account holds.
#[derive(Debug, Clone, Default)]
struct Account {
    orders: BTreeMap<i64, Order>,
    by_key: BTreeMap<String, i64>,
    by_number: BTreeSet<(String, i64)>,
    by_modified: BTreeSet<(Timestamp, i64)>,
    shipments: BTreeMap<i64, Shipment>,
    by_created: BTreeSet<(Timestamp, i64)>,
    by_voided: BTreeSet<(Timestamp, i64)>,
    of_order: BTreeMap<i64, Vec<i64>>,
    to_ship: BTreeSet<(Timestamp, i64)>,
    next: i64,
}

pub struct ShipStation {
    options: Options,
    dice: Rng,
    account: Account,
    hooks: Vec<Hook>,
    /// Where tracking events are told: V2 has one place for each event.
    track_hook: Option<v2::TrackHook>,
    outgoing: Vec<Delivery>,
    effects: Vec<Effect>,
    complaints: Vec<String>,
    calls: u64,
    /// The account as it was backed up.
    backup: Option<Account>,
    window: (Option<Timestamp>, u32),
    v2_window: (Option<Timestamp>, u32),
    most_in_window: u32,
    /// Calls of the present window that the network brought long after they were made.
    late_in_window: u32,
    is_late: bool,
}

fn get<'q>(query: &'q [(String, String)], name: &str) -> &'q str {
    query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The described operations that are carried out: the others say that they are not, whatever is sent.
const CARRIED_OUT: &[&str] = &[
    "GET /accounts/listtags",
    "GET /carriers",
    "GET /carriers/getcarrier",
    "GET /carriers/listpackages",
    "GET /carriers/listservices",
    "GET /fulfillments",
    "GET /orders",
    "GET /orders/listbytag",
    "GET /orders/{orderId}",
    "DELETE /orders/{orderId}",
    "POST /orders/addtag",
    "POST /orders/createlabelfororder",
    "POST /orders/createorder",
    "POST /orders/createorders",
    "POST /orders/holduntil",
    "POST /orders/markasshipped",
    "POST /orders/removetag",
    "POST /orders/restorefromhold",
    "GET /shipments",
    "POST /shipments/voidlabel",
    "GET /stores",
    "GET /stores/{storeId}",
    "GET /warehouses",
    "GET /warehouses/{warehouseId}",
    "GET /webhooks",
    "POST /webhooks/subscribe",
    "DELETE /webhooks/{webhookId}",
];

/// A refusal in the vendor's form.
#[derive(Debug)]
struct Refused {
    status: u16,
    message: String,
    /// What a 400 is about: `apiOrder.orderDate`, `pageSize`.
    about: String,
}

type Answered = Result<Json, Refused>;

/// Why a request is not carried out.
enum Wrong {
    Refused(Refused),
    /// Its parts do not fit: where, and how.
    Invalid(Vec<(String, String)>),
}

impl Refused {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Refused { status, message: message.into(), about: String::new() }
    }

    /// A value that is missing or wrong.
    fn of(about: &str, message: impl Into<String>) -> Self {
        Refused { status: 400, message: message.into(), about: about.to_owned() }
    }

    fn body(self) -> Json {
        match self.status {
            400 => invalid([(self.about, self.message)]),
            404 | 405 if self.message.contains("HTTP") => serde_json::json!({"Message": self.message}),
            _ => serde_json::json!({"message": self.message}),
        }
    }
}

/// What .NET makes of a request that does not fit: the places, and what is wrong at each.
fn invalid(wrong: impl IntoIterator<Item = (String, String)>) -> Json {
    let mut state = serde_json::Map::new();
    for (about, message) in wrong {
        if let Json::Array(messages) = state.entry(about).or_insert_with(|| Json::Array(Vec::new())) {
            messages.push(Json::String(message));
        }
    }
    serde_json::json!({"Message": "The request is invalid.", "ModelState": state})
}

fn is_carried_out(method: &str, path: &str) -> bool {
    CARRIED_OUT.iter().any(|known| known.split_once(' ') == Some((method, path)))
}

fn not_imitated(method: &str, path: &str) -> Refused {
    Refused::new(501, format!("the sandbox does not imitate {method} {path}"))
}

fn bad<T>(message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::new(400, message))
}

impl ShipStation {
    pub fn new(options: Options) -> Self {
        ShipStation {
            dice: Rng::new(options.seed),
            options,
            account: Account { next: 100_000, ..Account::default() },
            hooks: Vec::new(),
            track_hook: None,
            outgoing: Vec::new(),
            effects: Vec::new(),
            complaints: Vec::new(),
            calls: 0,
            backup: None,
            window: (None, 0),
            v2_window: (None, 0),
            most_in_window: 0,
            late_in_window: 0,
            is_late: false,
        }
    }

    /// What callers sent that the vendor does not know, and would ignore.
    pub fn protocol_violations(&self) -> &[String] {
        &self.complaints
    }

    fn id(&mut self) -> i64 {
        self.account.next += 1;
        self.account.next
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an effect")]
    fn effect(&mut self, now: Timestamp, kind: &str, object: &str, id: i64, key: Option<String>, by_api: bool, fields: Json) {
        self.effects.push(Effect { at: now, kind: kind.to_owned(), object: object.to_owned(), id: id.to_string(), key, by_api, fields });
    }

    /// A call against the limit: what is left of it, or that it is refused.
    fn limited(&mut self, now: Timestamp) -> Option<(u32, u32, i64, bool)> {
        // Without a limit the headers say one that nobody reaches: a client goes by them.
        let most = self.options.per_minute.unwrap_or(1_000_000);
        let fresh = self.window.0.is_none_or(|began| now.duration_since(began) >= SignedDuration::from_secs(60));
        if fresh {
            self.window = (Some(now), 0);
        }
        let began = self.window.0.unwrap_or(now);
        let resets = 60 - now.duration_since(began).as_secs();
        let refused = self.window.1 >= most;
        self.window.1 += 1;
        self.late_in_window = if fresh { 0 } else { self.late_in_window } + u32::from(self.is_late);
        self.most_in_window = self.most_in_window.max(self.window.1 - self.late_in_window);
        Some((most, most.saturating_sub(self.window.1), resets.max(1), refused))
    }

    /// The body of an answer, or of a refusal with its status.
    fn answer(&mut self, request: &Request, now: Timestamp) -> Result<Json, (u16, Json)> {
        let refused = |refused: Refused| (refused.status, refused.body());
        let (path, values, query, body) = self.understood(request).map_err(|wrong| match wrong {
            Wrong::Refused(why) => refused(why),
            Wrong::Invalid(wrong) => (400, invalid(wrong)),
        })?;
        self.carry_out(request.method().as_str(), &path, &values, &query, &body, now).map_err(refused)
    }

    /// The operation that is meant, the values in its path, its query and its body by the described names.
    fn understood(&mut self, request: &Request) -> Result<(String, Vec<String>, Vec<(String, String)>, Json), Wrong> {
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.options.api_key, self.options.api_secret));
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if given.strip_prefix("Basic ") != Some(expected.as_str()) {
            return Err(Wrong::Refused(Refused::new(401, "Unauthorized")));
        }
        let mut query: Vec<(String, String)> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let mut body = Json::Null;
        if !request.body().is_empty() {
            let read = serde_json::from_slice(request.body());
            body =
                read.map_err(|error| Wrong::Invalid(vec![(api::about(request.uri().path()).to_owned(), format!("The body is no JSON: {error}"))]))?;
        }
        match api::meant(request, &mut query, &mut body, &mut self.complaints) {
            Meant::Invalid { path, .. } | Meant::Operation { path, .. } if !is_carried_out(request.method().as_str(), &path) => {
                Err(Wrong::Refused(not_imitated(request.method().as_str(), &path)))
            }
            Meant::Operation { path, values } => Ok((path, values, query, body)),
            Meant::Invalid { wrong, .. } => Err(Wrong::Invalid(wrong)),
            Meant::NoPath => {
                let message = format!("No HTTP resource was found that matches the request URI '{}'.", request.uri());
                Err(Wrong::Refused(Refused::new(404, message)))
            }
            Meant::NoMethod => {
                let message = format!("The requested resource does not support HTTP method '{}'.", request.method());
                Err(Wrong::Refused(Refused::new(405, message)))
            }
        }
    }

    fn carry_out(&mut self, method: &str, path: &str, values: &[String], query: &[(String, String)], body: &Json, now: Timestamp) -> Answered {
        match (method, path) {
            ("GET", "/orders") => self.list_orders(query, now),
            ("GET", "/orders/listbytag") => self.list_by_tag(query),
            ("GET", "/orders/{orderId}") => self.order(&values[0]),
            ("DELETE", "/orders/{orderId}") => self.delete_order(&values[0], now),
            ("POST", "/orders/createorder") => self.create_order(body, now),
            ("POST", "/orders/createorders") => self.create_orders(body, now),
            ("POST", "/orders/markasshipped") => self.mark_as_shipped(body, now),
            ("POST", "/orders/createlabelfororder") => self.label(body, now),
            ("POST", "/orders/holduntil") => self.hold(body, true, now),
            ("POST", "/orders/restorefromhold") => self.hold(body, false, now),
            ("POST", "/orders/addtag") => self.tag(body, true, now),
            ("POST", "/orders/removetag") => self.tag(body, false, now),
            ("GET", "/shipments") => self.list_shipments(query, now),
            ("GET", "/fulfillments") => self.list_fulfillments(query, now),
            ("POST", "/shipments/voidlabel") => self.void(body, now),
            ("GET", "/stores") => Ok(self.options.lists.stores()),
            ("GET", "/stores/{storeId}") => self.options.lists.store(&values[0]),
            ("GET", "/warehouses") => Ok(self.options.lists.warehouses()),
            ("GET", "/warehouses/{warehouseId}") => lists::one(&self.options.lists.warehouses(), "warehouseId", &values[0]),
            ("GET", "/carriers") => Ok(self.options.lists.carriers()),
            ("GET", "/carriers/getcarrier") => lists::one(&self.options.lists.carriers(), "code", get(query, "carrierCode")),
            ("GET", "/carriers/listservices") => self.options.lists.services(query),
            ("GET", "/carriers/listpackages") => self.options.lists.packages(query),
            ("GET", "/accounts/listtags") => Ok(self.options.lists.tags()),
            ("GET", "/webhooks") => Ok(self.list_hooks()),
            ("POST", "/webhooks/subscribe") => self.subscribe(body),
            ("DELETE", "/webhooks/{webhookId}") => self.unsubscribe(&values[0]),
            _ => Err(not_imitated(method, path)),
        }
    }

    // ---- webhooks ----

    fn list_hooks(&self) -> Json {
        let hook = |hook: &Hook| {
            serde_json::json!({
                "IsLabelAPIHook": false, "WebHookID": hook.id, "SellerID": 100_000, "StoreID": hook.store, "HookType": hook.event,
                "MessageFormat": "Json", "Url": hook.url, "Name": hook.name, "BulkCopyBatchID": null, "BulkCopyRecordID": null, "Active": true,
                "WebhookLogs": [], "Seller": null, "Store": null,
            })
        };
        serde_json::json!({"webhooks": self.hooks.iter().map(hook).collect::<Vec<_>>()})
    }

    fn subscribe(&mut self, body: &Json) -> Answered {
        let text = |name: &str| body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        for name in ["target_url", "event"] {
            if text(name).is_none() {
                return Err(Refused::of(name, format!("The {name} field is required.")));
            }
        }
        let (url, event) = (text("target_url").unwrap_or_default(), text("event").unwrap_or_default());
        let known = ["ORDER_NOTIFY", "ITEM_ORDER_NOTIFY", "SHIP_NOTIFY", "ITEM_SHIP_NOTIFY", "FULFILLMENT_SHIPPED", "FULFILLMENT_REJECTED"];
        if !known.contains(&event) {
            return Err(Refused::of("event", format!("{event} is no event.")));
        }
        let name = text("friendly_name").map(str::to_owned);
        let hook =
            Hook { id: self.account.next + 1, event: event.to_owned(), url: url.to_owned(), name, store: orders::integer(body.get("store_id")) };
        self.account.next += 1;
        let id = hook.id;
        self.hooks.push(hook);
        Ok(serde_json::json!({"id": id}))
    }

    fn unsubscribe(&mut self, id: &str) -> Answered {
        let before = self.hooks.len();
        self.hooks.retain(|hook| hook.id.to_string() != id);
        if self.hooks.len() == before { Err(Refused::new(404, "The webhook was not found.")) } else { Ok(serde_json::json!({"success": true})) }
    }

    fn notify(&mut self, event: &str, resource: &str, store: i64) {
        let url = format!("{}{resource}", self.options.base_url);
        let body = serde_json::json!({"resource_url": url, "resource_type": event}).to_string();
        let hooks = self.hooks.iter().filter(|hook| hook.event == event && hook.store.is_none_or(|wanted| wanted == store));
        let made = hooks.map(|hook| Delivery {
            url: hook.url.clone(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.clone().into_bytes(),
        });
        self.outgoing.extend(made);
    }
}

impl System for ShipStation {
    fn name(&self) -> &'static str {
        "shipstation"
    }

    fn error(&self, words: &str) -> Json {
        serde_json::json!({"Message": words, "message": words, "ExceptionMessage": words})
    }

    fn throttled(&self) -> (u16, Json, &'static [(&'static str, &'static str)]) {
        let headers = &[("x-rate-limit-limit", "40"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "10")];
        (429, serde_json::json!({"message": "Too Many Requests"}), headers)
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.calls += 1;
        self.ship_by_itself(now);
        if ["/v1/", "/v2/"].iter().any(|version| request.uri().path().starts_with(version)) {
            return self.handle_v2(request, now);
        }
        let limit = self.limited(now);
        let (status, body) = if limit.is_some_and(|(.., refused)| refused) {
            (429, serde_json::json!({"message": "Too Many Requests"}))
        } else {
            match self.answer(request, now) {
                Ok(body) => (200, body),
                Err(refused) => refused,
            }
        };
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        if let Some((most, left, resets, _)) = limit {
            for (name, value) in
                [("x-rate-limit-limit", i64::from(most)), ("x-rate-limit-remaining", i64::from(left)), ("x-rate-limit-reset", resets)]
            {
                response.headers_mut().insert(name, http::HeaderValue::from(value));
            }
        }
        response
    }

    fn act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        self.acted(act, now)
    }

    fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.ship_by_itself(now);
        std::mem::take(&mut self.outgoing)
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

    fn most_in_window(&self) -> u32 {
        self.most_in_window
    }

    fn handle_late(&mut self, request: &Request, now: Timestamp) -> Response {
        self.is_late = true;
        let response = self.handle(request, now);
        self.is_late = false;
        response
    }
}
