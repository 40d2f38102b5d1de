//! ShipHero.

use crossdock::sandbox::kit::laws::Law;
use crossdock::sandbox::shiphero;

use super::*;

/// The secret that its sandbox gives the first webhook.
const HERO_SECRET: &str = "910a2dec89025cc1beeb8da1658eec67";

pub static SHIPHERO: Subject = Subject {
    name: "shiphero",
    system: "shiphero",
    options: &[("username", "sandbox@example.com"), ("password", "sandbox"), ("webhook_secret", HERO_SECRET)],
    sandbox: |setup| {
        let mut laws = shiphero::LAWS.held();
        for list in ["orders", "shipments", "warehouse_products"] {
            laws = laws.with(list, Law::Lag { seconds: setup.lag.as_secs() });
        }
        if let Some(calls) = setup.per_minute {
            laws = laws.with("graphql", Law::Window { calls, seconds: 60 });
        }
        Box::new(shiphero::ShipHero::new(shiphero::Options { laws, ..shiphero::Options::default() }))
    },
    reads: Reads {
        object: "Order",
        projection: &["id", "order_number", "packing_note", "updated_at"],
        stamp: Some("updated_at"),
        make: |world, n| text(&world.act("create", &format!("n-{n}"), json!({})), "id"),
        touch: |world, id, content| {
            world.act("change", id, json!({"packing_note": content}));
        },
        remove: |world, id| {
            world.act("delete", id, json!({}));
        },
        tells_gone: None,
        content: |record| text(record, "packing_note"),
        is_late: true,
        expire: Some("expire"),
    },
    writes: &[
        Write {
            name: "create under a partner_order_id that is only searched by",
            object: "Order",
            operation: Operation::Create,
            key_field: Some("partner_order_id"),
            item: |_, n| keyed(format!("k-{n}"), hero_order(&format!("k-{n}"))),
            refused: |item| item.body["line_items"][0]["quantity"] = json!(0),
            done: |world, item| effects(world, |effect| effect.kind == "created" && effect.object == "Order" && effect.key == item.key),
            searched: Some(|item| ("partner_order_id", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "update of an order that is named",
            object: "Order",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let id = text(&world.act("create", &format!("u-{n}"), json!({})), "id");
                Item { key: None, id: Some(id), body: json!({"packing_note": format!("new-{n}")}) }
            },
            refused: |item| item.body["required_ship_date"] = json!("tomorrow"),
            done: |world, item| usize::from(world.act("show", item.id.as_deref().unwrap(), json!({}))["packing_note"] == item.body["packing_note"]),
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "update of an order's lines",
            object: "Order",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let id = text(&world.act("create", &format!("l-{n}"), json!({})), "id");
                let line =
                    |key: &str, sku: &str, quantity: u32| json!({"partner_line_item_id": key, "sku": sku, "quantity": quantity, "price": "12.50"});
                Item { key: None, id: Some(id), body: json!({"line_items": [line("1", "CUP-01", 2), line("2", "POT-01", 1)]}) }
            },
            refused: |item| item.body["line_items"][1]["quantity"] = json!(-1),
            done: |world, item| {
                let shown = world.act("show", item.id.as_deref().unwrap(), json!({}));
                usize::from(shown["#lines"].as_array().is_some_and(|lines| lines.iter().filter(|line| line["sku"] == "POT-01").count() == 1))
            },
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "stock of one SKU in one warehouse",
            object: "WarehouseProduct",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                world.act("product", &format!("SKU-{n}"), json!({}));
                let body = json!({"sku": format!("SKU-{n}"), "warehouse_id": "V2FyZWhvdXNlOjcxNDU=", "on_hand": 40 + n});
                Item { key: None, id: None, body }
            },
            refused: |item| item.body["on_hand"] = json!(-1),
            done: |world, item| {
                effects(world, |effect| {
                    effect.kind == "stock" && effect.fields["sku"] == item.body["sku"] && effect.fields["on_hand"] == item.body["on_hand"]
                })
                .min(1)
            },
            searched: None,
            results: "/data",
            by_key: true,
        },
        Write {
            name: "a shipment that was made elsewhere",
            object: "Shipment",
            operation: Operation::Create,
            key_field: None,
            item: |world, n| {
                let order = world.act("create", &format!("s-{n}"), json!({}));
                let address = json!({"name": "Sam Shopper", "address1": "1 Main Street", "city": "Springfield", "state": "IL", "zip": "62701", "country": "US"});
                let body = json!({
                    "order_id": order["id"], "warehouse_id": "V2FyZWhvdXNlOjcxNDU=", "address": address, "shipped_off_shiphero": true,
                    "line_items": [{"line_item_id": order["#lines"][0]["id"], "quantity": 1}],
                });
                Item { key: None, id: None, body }
            },
            refused: |item| item.body["line_items"][0]["quantity"] = json!(99),
            done: |world, item| effects(world, |effect| effect.object == "Shipment" && effect.fields["order_id"] == item.body["order_id"]),
            searched: None,
            results: "",
            by_key: false,
        },
    ],
    hooks: Some(Hooks {
        subscribe: |world| {
            let ask = |path: &str, token: &str, body: Json| -> Json {
                let request =
                    http::Request::post(format!("https://public-api.shiphero.com{path}")).header("authorization", format!("Bearer {token}"));
                let request = request.body(body.to_string().into()).unwrap();
                let answer = world.wire.system.lock().unwrap().handle(&request, BEGIN.parse().unwrap());
                serde_json::from_slice(answer.body()).unwrap()
            };
            let token = ask("/auth/token", "", json!({"username": "sandbox@example.com", "password": "sandbox"}));
            let document = "mutation { webhook_create(data: {name: \"Order Canceled\", url: \"https://crossdock.example/hook\", shop_name: \"api\"}) \
                            { webhook { shared_signature_secret } } }";
            let made = ask("/graphql", token["access_token"].as_str().unwrap(), json!({"query": document}));
            assert_eq!(made["data"]["webhook_create"]["webhook"]["shared_signature_secret"], HERO_SECRET, "{made}");
        },
        happens: |world| {
            let id = text(&world.act("create", "h-1", json!({})), "id");
            world.act("cancel", "h-1", json!({}));
            id
        },
        forged: &[r#"{"webhook_type":"Order Canceled","order_number":"h-2"}"#, r#"{"webhook_type":"Delete All","order_number":"h-1"}"#],
        signed: true,
    }),
    refused_until: Some(2),
};

fn hero_order(key: &str) -> Json {
    json!({
        "order_number": key, "partner_order_id": key, "shop_name": "crm", "currency": "USD", "total_price": "12.50",
        "shipping_address": {"first_name": "Ada", "last_name": "L", "address1": "1 Main Street", "city": "Springfield", "state": "IL", "zip": "62701", "country": "US"},
        "shipping_lines": {"title": "Ground", "price": "0.00", "carrier": "ups", "method": "ups_ground"},
        "line_items": [{"sku": "CUP-01", "partner_line_item_id": "1", "quantity": 1, "price": "12.50"}],
    })
}
