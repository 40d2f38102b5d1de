//! Each law is seen by what a client observes: switched off, or turned the other way that it could be, something differs.

use serde_json::{Map, json};

use super::*;
use crate::sandbox::kit::laws::Law;

/// What a client observes of everything that a law is about.
fn observed(laws: Held) -> Json {
    let mut shop = Shop::under(laws);
    let mut seen = Map::new();
    let mut see = |name: &str, what: Json| {
        seen.insert(name.to_owned(), what);
    };
    let create = "mutation($data: CreateOrderInput!) { order_create(data: $data) { order { id } } }";
    let first = shop.ask(create, json!({"data": order("A", &[("CUP-01", 1)])}));
    let id = first["data"]["order_create"]["order"]["id"].clone();
    see("search at once", json!(shop.found("partner_order_id: \"p-A\"")));
    let products = "{ warehouse_products(customer_account_id: \"QWNjb3VudDo0MDg3\", sku: \"CUP-01\", warehouse_id: \"V2FyZWhvdXNlOjcxNDU=\") { data(first: 9) { edges { node { allocated legacy_id } } } } }";
    see("goods at once", shop.ask(products, json!({}))["data"]["warehouse_products"]["data"]["edges"][0]["node"]["allocated"].clone());
    shop.wait(100);
    let mut again = order("A", &[("CUP-01", 1)]);
    again["partner_order_id"] = json!("other");
    see("a number twice", shop.ask(create, json!({"data": again}))["errors"][0]["message"].clone());
    let mut again = order("B", &[("CUP-01", 1)]);
    again["partner_order_id"] = json!("p-A");
    see("a partner's number twice", shop.ask(create, json!({"data": again}))["errors"][0]["message"].clone());
    see("an unknown product", shop.ask(create, json!({"data": order("C", &[("NONE", 1)])}))["errors"][0]["message"].clone());
    let mut theirs = order("D", &[("CUP-01", 1)]);
    theirs["customer_account_id"] = json!("QWNjb3VudDo0MjIy");
    shop.ask(create, json!({"data": theirs}));
    shop.wait(100);
    see("all orders", json!(shop.found("")));
    let listed = "{ warehouse_products(sku: \"CUP-01\") { data(first: 9) { edges { node { warehouse_identifier account_id } } } } }";
    see("all goods", shop.ask(listed, json!({}))["data"].clone());
    see("a number as an id", shop.ask("{ order(id: \"555300001\") { data { id } } }", json!({}))["errors"][0]["message"].clone());

    let update = "mutation($data: UpdateOrderInput!) { order_update(data: $data) { order { id } } }";
    shop.ask(update, json!({"data": {"order_id": id, "packing_note": "x", "shipping_address": {"city": "York"}}}));
    see("after an update", shop.show(id.as_str().unwrap()));
    let tags = "mutation($data: UpdateTagsInput!) { order_update_tags(data: $data) { order { tags } } }";
    shop.ask(tags, json!({"data": {"order_id": id, "tags": ["a"]}}));
    see("tags", shop.ask(tags, json!({"data": {"order_id": id, "tags": ["b"]}}))["data"].clone());
    let add = "mutation($data: AddLineItemsInput!) { order_add_line_items(data: $data) { order { line_items { edges { node { sku } } } } } }";
    let line = json!({"sku": "CUP-01", "partner_line_item_id": "A-0", "quantity": 1, "price": "1"});
    see("a line twice", shop.ask(add, json!({"data": {"order_id": id, "line_items": [line]}}))["data"].clone());

    let hook = "mutation { webhook_create(data: {name: \"Shipment Update\", url: \"https://a.example\", shop_name: \"a\"}) { webhook { name } } }";
    see("a webhook", shop.ask(hook, json!({}))["data"].clone());
    see("a webhook twice", shop.ask(hook, json!({}))["errors"][0]["message"].clone());
    shop.act("ship", "A", json!({})).unwrap();
    let now = shop.now;
    see("deliveries", shop.hero.deliveries(now).iter().map(|sent| json!(sent.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())).collect());
    let shipments = "{ shipments { data(first: 9) { edges { node { order { order_number } } } } } }";
    see("shipments at once", shop.ask(shipments, json!({}))["data"].clone());
    shop.act("ship", "B", json!({})).unwrap_or_default();
    shop.act("ship", "D", json!({})).unwrap();
    shop.wait(100);
    see("shipments", shop.ask(shipments, json!({}))["data"].clone());
    see("what is shipped is edited", shop.ask(update, json!({"data": {"order_id": id, "packing_note": "y"}}))["errors"][0]["message"].clone());

    let both = "mutation { a: order_cancel(data: {order_id: \"T3JkZXI6MQ==\"}) { request_id } b: order_cancel(data: {order_id: \"T3JkZXI6MQ==\"}) { request_id } }";
    see("two at once", json!(shop.ask(both, json!({}))["errors"].as_array().unwrap().len()));
    let analyzed = shop.ask("{ orders(analyze: true) { complexity data { edges { node { id } } } } }", json!({}));
    see("a page without a number", analyzed["data"]["orders"]["complexity"].clone());
    let large = "{ orders { data(first: 5000) { edges { node { id } } } } }";
    see("too much at once", shop.ask(large, json!({}))["errors"][0]["code"].clone());
    shop.wait(3_600);
    let mut refused = 0;
    for _ in 0..7_001 {
        refused += i32::from(shop.post("/auth/token", &json!({})).0 == 429);
    }
    see("calls", json!(refused));
    shop.wait(30 * 24 * 3_600);
    see("an old token", json!(shop.post("/graphql", &json!({"query": "{ me { data { email } } }"})).0));
    Json::Object(seen)
}

#[test]
fn a_law_that_is_switched_off_is_noticed() {
    let laws = LAWS.held();
    let usual = observed(laws.clone());
    let mut unseen = Vec::new();
    for (at, (of, law)) in laws.iter().enumerate() {
        // What is shown at once is shown at once without a law too; the other world has it.
        if *law == (Law::Lag { seconds: 0 }) {
            continue;
        }
        if observed(laws.without(at)) == usual {
            unseen.push(format!("{of}: {law:?}"));
        }
    }
    assert!(unseen.is_empty(), "without these nothing differs: {unseen:#?}");
}

#[test]
fn each_other_world_is_noticed() {
    let mut worlds = LAWS.worlds().into_iter();
    let usual = observed(worlds.next().unwrap().1);
    let unseen: Vec<String> = worlds.filter(|(_, laws)| observed(laws.clone()) == usual).map(|(name, _)| name).collect();
    assert!(unseen.is_empty(), "in these nothing differs: {unseen:#?}");
}
