//! ShipStation, by both of its APIs.

use crossdock::sandbox::shipstation;

use super::*;

pub static SHIPSTATION: Subject = Subject {
    name: "shipstation",
    system: "shipstation",
    options: &[("api_key", "sandbox"), ("api_secret", "sandbox")],
    sandbox: account,
    reads: Reads {
        object: "Order",
        projection: &["orderId", "orderNumber", "customerNotes", "modifyDate"],
        stamp: Some("modifyDate"),
        make: |world, n| text(&world.act("create", &format!("n-{n}"), json!({})), "orderId"),
        touch: |world, id, content| {
            world.act("change", id, json!({"customerNotes": content}));
        },
        remove: |world, id| {
            world.act("delete", id, json!({}));
        },
        tells_gone: None,
        content: |record| text(record, "customerNotes"),
        is_late: false,
        expire: None,
    },
    writes: &[
        Write {
            name: "upsert by orderKey",
            object: "Order",
            operation: Operation::Upsert,
            key_field: Some("orderKey"),
            item: |_, n| keyed(format!("k-{n}"), order(&format!("o-{n}"), Some(&format!("k-{n}")))),
            refused: |item| item.body["orderStatus"] = json!("nowhere"),
            done: |world, item| effects(world, |effect| effect.kind == "created" && effect.object == "Order" && effect.key == item.key),
            searched: Some(|item| ("orderKey", item.key.clone().unwrap())),
            results: "/results",
            by_key: true,
        },
        Write {
            name: "update of an order that is named",
            object: "Order",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let id = text(&world.act("create", &format!("u-{n}"), json!({})), "orderId");
                let mut body = order(&format!("u-{n}"), Some(&format!("shop-u-{n}")));
                body["customerNotes"] = json!(format!("new-{n}"));
                Item { key: None, id: Some(id), body }
            },
            refused: |item| item.body["orderStatus"] = json!("nowhere"),
            done: |world, item| {
                let shown = world.act("change", item.id.as_deref().unwrap(), json!({}));
                usize::from(shown["customerNotes"] == item.body["customerNotes"])
            },
            searched: None,
            results: "/results",
            by_key: true,
        },
        Write {
            name: "create of an order without a key",
            object: "Order",
            operation: Operation::Create,
            key_field: Some("orderNumber"),
            item: |_, n| keyed(format!("f-{n}"), order(&format!("f-{n}"), None)),
            refused: |item| item.body["orderStatus"] = json!("nowhere"),
            done: |world, item| {
                effects(world, |effect| {
                    effect.kind == "created" && effect.object == "Order" && effect.fields["orderNumber"] == item.body["orderNumber"]
                })
            },
            searched: Some(|item| ("orderNumber", text(&item.body, "orderNumber"))),
            results: "/results",
            by_key: true,
        },
        Write {
            name: "label",
            object: "Label",
            operation: Operation::Create,
            key_field: Some("orderId"),
            item: |world, n| {
                let id = text(&world.act("create", &format!("l-{n}"), json!({})), "orderId");
                let body = json!({
                    "orderId": id.parse::<u64>().unwrap(), "carrierCode": "stamps_com", "serviceCode": "usps_ground_advantage",
                    "packageCode": "package", "confirmation": "delivery", "shipDate": "2026-11-18",
                });
                keyed(id, body)
            },
            refused: |item| item.body["carrierCode"] = json!("nobody"),
            done: |world, item| effects(world, |effect| effect.kind == "label" && effect.fields["orderId"] == item.body["orderId"]),
            searched: Some(|item| ("orderId", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "marked as shipped elsewhere",
            object: "ExternalShipment",
            operation: Operation::Create,
            key_field: Some("orderId"),
            item: |world, n| {
                let id = text(&world.act("create", &format!("m-{n}"), json!({})), "orderId");
                let body = json!({"orderId": id.parse::<u64>().unwrap(), "carrierCode": "ups", "shipDate": "2026-11-18", "trackingNumber": "1Z"});
                keyed(id, body)
            },
            refused: |item| item.body["orderId"] = json!(1),
            done: |world, item| effects(world, |effect| effect.kind == "marked_shipped" && effect.fields["orderId"] == item.body["orderId"]),
            searched: Some(|item| ("orderId", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
    ],
    hooks: Some(Hooks {
        subscribe: |world| {
            let body = json!({"target_url": "https://crossdock.example/hook", "event": "ORDER_NOTIFY"}).to_string();
            let request =
                http::Request::post("https://ssapi.shipstation.com/webhooks/subscribe").header("authorization", "Basic c2FuZGJveDpzYW5kYm94");
            let now = BEGIN.parse().unwrap();
            assert!(world.wire.system.lock().unwrap().handle(&request.body(body.into()).unwrap(), now).status().is_success());
        },
        happens: |world| text(&world.act("create", "h-1", json!({})), "orderId"),
        forged: &[
            r#"{"resource_url":"https://evil.example/orders?importBatch=1","resource_type":"ORDER_NOTIFY"}"#,
            r#"{"resource_url":"http://ssapi.shipstation.com/orders?importBatch=1","resource_type":"ORDER_NOTIFY"}"#,
            r#"{"resource_url":"https://ssapi.shipstation.com/accounts/listtags?importBatch=1","resource_type":"ORDER_NOTIFY"}"#,
            r#"{"resource_url":"https://ssapi.shipstation.com/orders?importBatch=1","resource_type":"DELETE_ALL"}"#,
        ],
        signed: false,
    }),
    refused_until: None,
};

fn account(setup: Setup) -> Box<dyn System> {
    Box::new(shipstation::ShipStation::new(shipstation::Options {
        per_minute: setup.per_minute,
        v2_per_minute: setup.per_minute,
        search_lag: setup.lag,
        ..shipstation::Options::default()
    }))
}

fn order(number: &str, key: Option<&str>) -> Json {
    let mut order = json!({
        "orderNumber": number, "orderDate": "2026-11-18T01:00:00", "orderStatus": "awaiting_shipment", "billTo": {"name": "Ada"},
        "shipTo": {"name": "Ada", "street1": "1 Main Street", "city": "Springfield", "state": "IL", "postalCode": "62701", "country": "US"},
        "items": [{"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 1, "unitPrice": 1}],
    });
    if let Some(key) = key {
        order["orderKey"] = json!(key);
    }
    order
}

pub static SHIPSTATION_V2: Subject = Subject {
    name: "shipstation_v2",
    system: "shipstation-v2",
    options: &[("api_key", "sandbox")],
    sandbox: account,
    reads: Reads {
        object: "Tracking",
        projection: &["label_id", "status_detail_code"],
        stamp: None,
        make: |world, n| {
            world.act("create", &format!("n-{n}"), json!({}));
            let shipped = world.act("ship", &format!("n-{n}"), json!({}));
            format!("se-{}", text(&shipped, "shipmentId"))
        },
        touch: |world, id, content| {
            let number = number_of(world, id);
            world.act("scan", &number, json!({"detail": content}));
        },
        remove: |world, id| {
            let number = number_of(world, id);
            world.act("void", &number, json!({}));
        },
        tells_gone: Some("labels"),
        content: |record| text(record, "status_detail_code"),
        is_late: false,
        expire: None,
    },
    writes: &[],
    hooks: Some(Hooks {
        subscribe: |world| {
            let body = json!({"url": "https://crossdock.example/hook", "event": "track"}).to_string();
            let request = http::Request::post("https://api.shipstation.com/v2/environment/webhooks").header("api-key", "sandbox");
            let now = BEGIN.parse().unwrap();
            assert!(world.wire.system.lock().unwrap().handle(&request.body(body.into()).unwrap(), now).status().is_success());
        },
        happens: |world| {
            let id = (SHIPSTATION_V2.reads.make)(world, 1);
            (SHIPSTATION_V2.reads.touch)(world, &id, "DELIVERED");
            id
        },
        forged: &[
            r#"{"resource_url":"https://evil.example/v2/labels/se-1/track","resource_type":"TRACK_EVENT_V2"}"#,
            r#"{"resource_url":"https://api.shipstation.com/v2/labels/se-1/../track","resource_type":"TRACK_EVENT_V2"}"#,
            r#"{"resource_url":"https://api.shipstation.com/v2/labels/se-1/track","resource_type":"SHIP_NOTIFY"}"#,
        ],
        signed: false,
    }),
    refused_until: None,
};

/// The order of a label: by the log of what was shipped.
fn number_of(world: &World, id: &str) -> String {
    let system = world.wire.system.lock().unwrap();
    let label = system.effects().iter().find(|effect| effect.kind == "label" && format!("se-{}", effect.id) == id).expect("a label");
    label.key.clone().unwrap()
}
