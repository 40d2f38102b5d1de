//! commercetools.

use crossdock::sandbox::commercetools;
use crossdock::sandbox::kit::laws::Law;

use super::*;

pub static COMMERCETOOLS: Subject = Subject {
    name: "commercetools",
    system: "commercetools",
    options: &[("region", "europe-west1.gcp"), ("project", "sandbox"), ("client_id", "sandbox"), ("client_secret", "sandbox")],
    sandbox: |setup| {
        Box::new(commercetools::Commercetools::new(commercetools::Options {
            laws: commercetools::LAWS.held().with("orders", Law::Lag { seconds: setup.lag.as_secs() }),
            start: BEGIN.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(48),
            ..commercetools::Options::default()
        }))
    },
    reads: Reads {
        object: "Order",
        projection: &["id", "orderNumber", "purchaseOrderNumber", "lastModifiedAt"],
        stamp: Some("lastModifiedAt"),
        make: |world, n| text(&world.act("create", &format!("n-{n}"), json!({})), "id"),
        touch: |world, id, content| {
            world.act("change", id, json!({"purchaseOrderNumber": content}));
        },
        remove: |world, id| {
            world.act("delete", id, json!({}));
        },
        tells_gone: None,
        content: |record| text(record, "purchaseOrderNumber"),
        is_late: false,
        expire: Some("expire"),
    },
    writes: &[
        Write {
            name: "a delivery of an order",
            object: "Delivery",
            operation: Operation::Upsert,
            key_field: Some("key"),
            item: |world, n| {
                let order = world.act("create", &format!("d-{n}"), json!({}));
                let items = json!([{"id": order["lineItems"][0]["id"], "quantity": 1}]);
                let parcels = json!([{"key": format!("k-{n}"), "trackingData": {"trackingId": format!("1Z{n}"), "carrier": "UPS"}}]);
                keyed(format!("k-{n}"), json!({"key": format!("k-{n}"), "orderId": order["id"], "items": items, "parcels": parcels}))
            },
            refused: |item| item.body["items"] = json!([{"id": "no-line", "quantity": 1}]),
            done: |world, item| effects(world, |effect| effect.kind == "created" && effect.object == "Delivery" && effect.key == item.key),
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "that an order is known elsewhere",
            object: "SyncInfo",
            operation: Operation::Upsert,
            key_field: Some("externalId"),
            item: |world, n| {
                let order = world.act("create", &format!("s-{n}"), json!({}));
                let channel = json!({"typeId": "channel", "key": "fulfillment"});
                keyed(format!("x-{n}"), json!({"externalId": format!("x-{n}"), "orderId": order["id"], "channel": channel}))
            },
            refused: |item| item.body["channel"] = json!({"typeId": "channel", "key": "nowhere"}),
            done: |world, item| effects(world, |effect| effect.kind == "synced" && effect.key == item.key),
            searched: None,
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
                Item { key: None, id: Some(id), body: json!({"purchaseOrderNumber": format!("new-{n}")}) }
            },
            refused: |item| item.body = json!({"orderState": "Nowhere"}),
            done: |world, item| {
                let order = world.act("show", item.id.as_deref().unwrap(), json!({}));
                usize::from(order["purchaseOrderNumber"] == item.body["purchaseOrderNumber"])
            },
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "stock of an entry that is named",
            object: "InventoryEntry",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let sku = ["CUP-01", "POT-01", "LAMP-9"][n % 3];
                let entry = world.act("stock", sku, json!({"quantity": 1}));
                Item { key: None, id: Some(text(&entry, "id")), body: json!({"quantityOnStock": 700 + n}) }
            },
            refused: |item| item.body = json!({"quantityOnStock": "many"}),
            done: |world, item| {
                effects(world, |effect| {
                    let is = effect.by_api && effect.object == "InventoryEntry" && Some(&effect.id) == item.id.as_ref();
                    is && effect.fields["quantityOnStock"] == item.body["quantityOnStock"]
                })
            },
            searched: None,
            results: "",
            by_key: false,
        },
    ],
    hooks: None,
    refused_until: None,
};
