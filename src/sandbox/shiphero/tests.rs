#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod behavior;
mod recorded;
mod worlds;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Held, LAWS, Options, ShipHero};
use crate::sandbox::{Act, System as _};
use crate::value::Json;

/// An account with a client that is signed in.
struct Shop {
    hero: ShipHero,
    now: Timestamp,
    token: String,
}

impl Shop {
    fn new() -> Self {
        Shop::under(LAWS.held())
    }

    fn under(laws: Held) -> Self {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let hero = ShipHero::new(Options { laws, start: now - SignedDuration::from_hours(24), ..Options::default() });
        let mut shop = Shop { hero, now, token: String::new() };
        shop.sign_in();
        shop
    }

    fn sign_in(&mut self) {
        let (status, told) = self.post("/auth/token", &json!({"username": "sandbox@example.com", "password": "sandbox"}));
        assert_eq!(status, 200, "{told}");
        self.token = told["access_token"].as_str().unwrap().to_owned();
    }

    fn post(&mut self, path: &str, body: &Json) -> (u16, Json) {
        let request = http::Request::post(format!("https://public-api.shiphero.com{path}")).header("authorization", format!("Bearer {}", self.token));
        let answer = self.hero.handle(&request.body(body.to_string().into()).unwrap(), self.now);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    /// A document whose request is taken: its whole answer.
    fn ask(&mut self, query: &str, variables: Json) -> Json {
        let (status, told) = self.post("/graphql", &json!({"query": query, "variables": variables}));
        assert_eq!(status, 200, "{query}: {told}");
        told
    }

    /// What `data` has, of an answer without errors.
    fn data(&mut self, query: &str, variables: Json) -> Json {
        let told = self.ask(query, variables);
        assert!(told.get("errors").is_none(), "{query}: {told}");
        told["data"].clone()
    }

    /// The error of an answer that has one.
    fn refusal(&mut self, query: &str, variables: Json) -> (i64, String) {
        let told = self.ask(query, variables);
        let error = told["errors"].get(0).unwrap_or_else(|| panic!("{query}: {told}"));
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    fn act(&mut self, verb: &str, subject: &str, settings: Json) -> Result<Json, String> {
        self.hero.act(&Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }, self.now)
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Makes an order, and gives its id.
    fn order(&mut self, number: &str, lines: &[(&str, i64)]) -> String {
        let made = self.data(CREATE, json!({"data": order(number, lines)}));
        made["order_create"]["order"]["id"].as_str().unwrap().to_owned()
    }

    fn show(&mut self, id: &str) -> Json {
        self.data(SHOW, json!({"id": id}))["order"]["data"].clone()
    }

    fn found(&mut self, arguments: &str) -> Vec<String> {
        let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
        let query = format!("{{ orders{arguments} {{ data(first: 50) {{ edges {{ node {{ order_number }} }} }} }} }}");
        let told = self.data(&query, json!({}));
        let edges = told["orders"]["data"]["edges"].as_array().cloned().unwrap_or_default();
        edges.iter().map(|edge| edge["node"]["order_number"].as_str().unwrap().to_owned()).collect()
    }

    fn kinds(&self) -> Vec<&str> {
        self.hero.effects().iter().map(|effect| effect.kind.as_str()).collect()
    }
}

const CREATE: &str = "mutation($data: CreateOrderInput!) { order_create(data: $data) { request_id complexity order { id legacy_id order_number } } }";
const SHOW: &str = "query($id: String!) { order(id: $id) { data { id order_number partner_order_id fulfillment_status updated_at email tags packing_note \
    shipping_address { first_name city zip address2 } holds { operator_hold fraud_hold } shipments { id } allocations { warehouse_id } \
    line_items(first: 20) { edges { node { id sku quantity partner_line_item_id quantity_pending_fulfillment quantity_shipped quantity_allocated \
    backorder_quantity fulfillment_status warehouse serial_numbers { serial_number } shipped_line_item_lots { lot_name } } } } } } }";

fn order(number: &str, lines: &[(&str, i64)]) -> Json {
    let line = |(at, (sku, quantity)): (usize, &(&str, i64))| json!({"sku": sku, "partner_line_item_id": format!("{number}-{at}"), "quantity": quantity, "price": "12.50"});
    json!({
        "order_number": number, "partner_order_id": format!("p-{number}"), "shop_name": "crm", "email": "ada@example.com",
        "shipping_address": {"first_name": "Ada", "city": "Leeds", "zip": "LS1 4DY", "country": "GB"},
        "line_items": lines.iter().enumerate().map(line).collect::<Vec<_>>(),
    })
}

fn lines(order: &Json) -> Vec<Json> {
    order["line_items"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}
