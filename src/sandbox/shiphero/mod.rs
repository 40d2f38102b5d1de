//! ShipHero's public API: GraphQL over one address, with the vendor's schema, and the behavior that `sandbox/shiphero/laws.yaml` tells.
//!
//! Accounts with orders, goods in warehouses that are set aside for them, shipments with labels, webhooks that are signed; a warehouse
//! for others, with customers of its own; credits. A part of the schema that is not carried out is refused by its name.

mod graphql;
mod hooks;
mod ids;
mod lists;
mod orders;
mod print;
mod resolve;
mod shipments;
mod state;
mod stock;
#[cfg(test)]
mod tests;
mod time;
mod user_actions;

use std::sync::LazyLock;

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub use self::state::Goods;
use self::state::State;
use super::kit::laws::{Credits, Held, Law, Laws, Outbox, Tokens, Window};
use super::rng::Rng;
use super::{Act, Delivery, Effect, System};
use crate::http::{Request, Response};
use crate::value::Json;

/// The laws of the system, as its file has them.
pub static LAWS: LazyLock<Laws> = LazyLock::new(|| {
    // The text is part of the program, and a test reads it.
    Laws::read(include_str!("../../../sandbox/shiphero/laws.yaml")).unwrap_or_else(|error| unreachable!("ShipHero's laws cannot be read: {error}"))
});

#[derive(Debug, Clone)]
pub struct Options {
    pub username: String,
    pub password: String,
    /// Taken at `/auth/refresh`, also where nobody signed in before.
    pub refresh_token: String,
    /// The laws of one world.
    pub laws: Held,
    /// Whether the account keeps the goods of customers.
    pub is_3pl: bool,
    /// Without credits and other limits.
    pub no_limits: bool,
    pub goods: Vec<Goods>,
    pub seed: u64,
    /// When the goods came: no time of them is later.
    pub start: Timestamp,
    /// After so long the warehouse ships an order by itself, if nothing holds it.
    pub autoship: Option<SignedDuration>,
}

impl Default for Options {
    fn default() -> Self {
        let goods = [("CUP-01", "Stoneware cup", 350, 1_000), ("POT-01", "Stoneware tea pot", 900, 500), ("LAMP-9", "Reading lamp", 1_850, 100)];
        let mut goods: Vec<Goods> = goods.map(|(sku, name, grams, on_hand)| Goods::new(sku, name, grams, on_hand)).into();
        let parts = vec![("CUP-01".to_owned(), 4), ("POT-01".to_owned(), 1)];
        goods.push(Goods { parts, ..Goods::new("KIT-TEA", "Tea set, 4 cups and pot", 2_300, 0) });
        Options {
            username: "sandbox@example.com".to_owned(),
            password: "sandbox".to_owned(),
            refresh_token: "sandbox".to_owned(),
            laws: LAWS.held(),
            is_3pl: true,
            no_limits: false,
            goods,
            seed: 1,
            start: Timestamp::UNIX_EPOCH,
            autoship: None,
        }
    }
}

/// An account with everything in it.
pub struct ShipHero {
    options: Options,
    laws: Held,
    rng: Rng,
    state: State,
    tokens: Tokens,
    credits: Credits,
    window: Option<Window>,
    outbox: Outbox<state::Hook>,
    effects: Vec<Effect>,
    complaints: Vec<String>,
    calls: u64,
    requests: u64,
}

/// Why an operation is not carried out: the API's number, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    code: i64,
    message: String,
}

type Answered = Result<Json, Refused>;

impl Refused {
    /// An argument that cannot be taken.
    fn bad(message: impl Into<String>) -> Self {
        Refused { code: 3, message: message.into() }
    }

    /// A record that there is not.
    fn missing(message: impl Into<String>) -> Self {
        Refused { code: 5, message: message.into() }
    }
}

impl ShipHero {
    pub fn new(options: Options) -> Self {
        let laws = options.laws.clone();
        let (most, each_second) = match laws.law("graphql", "credits") {
            Some(Law::Credits { most, each_second, .. }) if !options.no_limits => (*most, *each_second),
            // Without a limit it says one that nobody reaches: a client goes by it.
            _ => (1_000_000_000, 1_000_000),
        };
        let window = match laws.law("graphql", "window") {
            Some(Law::Window { calls, seconds }) if !options.no_limits => Some(Window::new(*calls, *seconds)),
            _ => None,
        };
        let keep = laws.holds("/auth/token", "token_ends").then(|| laws.seconds("/auth/token", "token_ends"));
        let events = match laws.law("webhooks", "delivers") {
            Some(Law::Delivers { events }) => events.clone(),
            _ => Vec::new(),
        };
        ShipHero {
            rng: Rng::new(options.seed),
            state: State::new(&options.username, options.is_3pl, &options.goods, options.start),
            tokens: Tokens::new(keep),
            credits: Credits::new(most, each_second),
            window,
            outbox: Outbox::new(&events),
            effects: Vec::new(),
            complaints: Vec::new(),
            calls: 0,
            requests: 0,
            laws,
            options,
        }
    }

    /// The number of an id that a caller gives.
    fn id(&self, kind: &str, text: &str) -> Result<i64, Refused> {
        let legacy = || text.parse().ok().filter(|_| self.laws.does("ids", "takes_legacy_ids"));
        ids::read(kind, text).or_else(legacy).ok_or_else(|| Refused::bad(format!("Invalid id {text}")))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an effect")]
    fn effect(&mut self, now: Timestamp, kind: &str, object: &str, id: &str, key: Option<String>, by_api: bool, fields: Json) {
        self.effects.push(Effect { at: now, kind: kind.to_owned(), object: object.to_owned(), id: id.to_owned(), key, by_api, fields });
    }

    /// `/auth/token` and `/auth/refresh`
    fn sign_in(&mut self, path: &str, body: &[u8], now: Timestamp) -> (u16, Json) {
        let given: Json = serde_json::from_slice(body).unwrap_or_default();
        let is = |name: &str, value: &str| given.get(name).and_then(Json::as_str) == Some(value);
        let right = match path {
            "/auth/token" => {
                (is("username", &self.options.username) || is("email", &self.options.username)) && is("password", &self.options.password)
            }
            _ => is("refresh_token", &self.options.refresh_token),
        };
        if !right {
            return (403, json!({"error": "invalid_grant", "error_description": "Wrong email or password."}));
        }
        let keep = self.laws.seconds("/auth/token", "token_ends").as_secs();
        let ends = if keep > 0 { keep } else { 315_360_000 };
        let seed = self.options.seed;
        let token = self.tokens.give(now, |number| {
            let part = |json: Json| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string());
            let claims = json!({"iss": "https://shiphero.auth0.com/", "sub": "auth0|sandbox", "jti": format!("{seed}-{number}")});
            format!("{}.{}.sandbox-{seed}-{number}", part(json!({"typ": "JWT", "alg": "RS256"})), part(claims))
        });
        let mut answer = json!({"access_token": token, "expires_in": ends, "scope": "openid profile offline_access", "token_type": "Bearer"});
        if path == "/auth/token" {
            answer["refresh_token"] = Json::from(self.options.refresh_token.clone());
        }
        (200, answer)
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> (u16, Json) {
        if let Some(window) = &mut self.window
            && let Err(open) = window.call(now)
        {
            let message = format!("Too many requests: try again in {} seconds", open.as_secs().max(1));
            return (429, json!({"errors": [{"message": message}]}));
        }
        match (request.method().as_str(), request.uri().path()) {
            ("POST", path @ ("/auth/token" | "/auth/refresh")) => self.sign_in(path, request.body(), now),
            ("POST", "/graphql" | "/graphql/") => {
                let header = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
                let token = header.strip_prefix("Bearer ").unwrap_or_default();
                if token.is_empty() {
                    let body = json!({"code": "authorization_header_missing", "description": "Authorization header is expected"});
                    return (401, body);
                }
                if !self.tokens.is_taken(token, now) {
                    return (401, json!({"code": "token_expired", "description": "token is expired"}));
                }
                self.graphql(request.body(), now)
            }
            (_, "/auth/token" | "/auth/refresh" | "/graphql" | "/graphql/") => {
                (405, json!({"errors": [{"message": "GraphQL only supports POST requests."}]}))
            }
            (_, path) => (404, json!({"errors": [{"message": format!("there is no {path}")}]})),
        }
    }

    /// Lets the warehouse work by itself up to now.
    fn settle(&mut self, now: Timestamp) {
        let Some(after) = self.options.autoship else { return };
        let due: Vec<i64> = self
            .state
            .orders
            .values()
            .map(super::kit::laws::Seen::newest)
            .filter(|order| order.is_open() && !order.is_held() && now.duration_since(order.created) >= after)
            .filter(|order| !order.lines.is_empty() && order.lines.iter().all(|line| line.backorder() == 0))
            .map(|order| order.id)
            .collect();
        for id in due {
            // An order that cannot be shipped stays as it is.
            let _ = self.ship_whole(id, &Json::Null, now);
        }
    }
}

impl System for ShipHero {
    fn name(&self) -> &'static str {
        "shiphero"
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.calls += 1;
        self.settle(now);
        let (status, body) = self.answer(request, now);
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        response
    }

    fn act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        self.settle(now);
        self.carry_act(act, now)
    }

    fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.settle(now);
        self.outgoing()
    }

    fn error(&self, words: &str) -> Json {
        json!({"errors": [{"message": words, "operation": null, "field": null, "request_id": "000000000000000000000000", "code": 1}], "data": null})
    }

    fn throttled(&self) -> (u16, Json, &'static [(&'static str, &'static str)]) {
        (200, ShipHero::drained(), &[])
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
        self.window.as_ref().map_or(0, Window::most)
    }
}
