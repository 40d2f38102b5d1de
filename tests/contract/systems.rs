//! The systems that the contract is held over: how each is set up, what people do in it, what is written to it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crossdock::connector::{Operation, Selection};
use crossdock::sandbox::kit::laws::Law;
use crossdock::sandbox::{System, commercetools, salesforce, shiphero, shipstation};
use crossdock::schema::{FieldPath, Object, read, standard};
use crossdock::value::Json;
use serde_json::json;

pub use crossdock::connector::Item;

use super::world::{BEGIN, Setup, World};

pub struct Subject {
    pub name: &'static str,
    pub system: &'static str,
    pub options: &'static [(&'static str, &'static str)],
    pub sandbox: fn(Setup) -> Box<dyn System>,
    pub reads: Reads,
    pub writes: &'static [Write],
    pub hooks: Option<Hooks>,
    /// Seconds that the body of a refusal for the limit names; none where it names none.
    pub refused_until: Option<i64>,
}

/// An object that is read.
pub struct Reads {
    pub object: &'static str,
    projection: &'static [&'static str],
    stamp: Option<&'static str>,
    /// Makes a record, and gives its id.
    pub make: fn(&World, usize) -> String,
    /// Changes a record's content.
    pub touch: fn(&World, &str, &str),
    pub remove: fn(&World, &str),
    /// The stream that tells of records that were removed; none where the system tells nothing of them.
    pub tells_gone: Option<&'static str>,
    /// What [`Reads::touch`] changes.
    pub content: fn(&Json) -> String,
    /// A change may show after another with a later stamp, and is missed without the overlap of the stream.
    pub is_late: bool,
    /// The act that ends the session.
    pub expire: Option<&'static str>,
}

/// A write that the system takes.
pub struct Write {
    pub name: &'static str,
    pub object: &'static str,
    pub operation: Operation,
    pub key_field: Option<&'static str>,
    /// An item, and what has to be there for it.
    pub item: fn(&World, usize) -> Item,
    /// Makes of an item one that the system refuses.
    pub refused: fn(&mut Item),
    /// How often what the item asks for was done.
    pub done: fn(&World, &Item) -> usize,
    /// By what the effect is searched for; none where it cannot be.
    pub searched: Option<fn(&Item) -> (&'static str, String)>,
    /// The list of an answer that tells of each item: a JSON pointer.
    pub results: &'static str,
    /// An answer's list may come in another order, and is told by its keys.
    pub by_key: bool,
}

/// Webhooks of a system.
pub struct Hooks {
    /// Subscribes an address.
    pub subscribe: fn(&World),
    /// Makes something happen that is told, and gives the record's id.
    pub happens: fn(&World) -> String,
    /// Bodies that are not this system's, or point elsewhere.
    pub forged: &'static [&'static str],
    /// Deliveries prove their sender.
    pub signed: bool,
}

impl Subject {
    /// Everything of a selection but its object.
    pub fn selection(&'static self) -> Selection<'static> {
        static NONE: OnceLock<crossdock::value::ObjectRef> = OnceLock::new();
        static STAMPS: OnceLock<BTreeMap<&'static str, Vec<FieldPath>>> = OnceLock::new();
        static PATHS: OnceLock<BTreeMap<&'static str, Vec<FieldPath>>> = OnceLock::new();
        let each = |of: fn(&'static Subject) -> Vec<FieldPath>| ALL.iter().map(|subject| (subject.name, of(subject))).collect();
        let stamps = STAMPS.get_or_init(|| each(|subject| subject.reads.stamp.iter().map(|name| vec![(*name).to_owned()]).collect()));
        let paths = PATHS.get_or_init(|| each(|subject| subject.reads.projection.iter().map(|name| vec![(*name).to_owned()]).collect()));
        Selection {
            object: NONE.get_or_init(|| crossdock::value::ObjectRef::new("c", "")),
            schemas: self.schemas(),
            projection: paths[self.name].iter().map(Vec::as_slice).collect(),
            filter: Vec::new(),
            stamps: &stamps[self.name],
        }
    }

    pub fn schemas(&self) -> &'static BTreeMap<String, Object> {
        static READ: OnceLock<BTreeMap<&'static str, BTreeMap<String, Object>>> = OnceLock::new();
        let all = READ.get_or_init(|| {
            let org = [
                ("Account", include_str!("../../src/sandbox/salesforce/org/Account.json")),
                ("Task", include_str!("../../src/sandbox/salesforce/org/Task.json")),
            ];
            let org = org.map(|(name, text)| (format!("c.{name}"), read(text, "salesforce", name, "c").unwrap()));
            let known = |system: &str| -> BTreeMap<String, Object> {
                standard::objects(system).map(|name| (format!("c.{name}"), standard::object(system, name, "c").unwrap().unwrap())).collect()
            };
            let described = ["commercetools", "shiphero", "shipstation", "shipstation-v2"].map(|system| (system, known(system)));
            described.into_iter().chain([("salesforce", org.into())]).collect()
        });
        &all[self.system]
    }
}

pub static ALL: [&Subject; 5] = [&COMMERCETOOLS, &SALESFORCE, &SHIPHERO, &SHIPSTATION, &SHIPSTATION_V2];

fn text(record: &Json, field: &str) -> String {
    match &record[field] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What was done to a system that a test counts.
fn effects(world: &World, is: impl Fn(&crossdock::sandbox::Effect) -> bool) -> usize {
    world.wire.system.lock().unwrap().effects().iter().filter(|effect| is(effect)).count()
}

fn keyed(key: String, body: Json) -> Item {
    Item { key: Some(key), id: None, body }
}

// ---- commercetools ----

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

// ---- Salesforce ----

pub static SALESFORCE: Subject = Subject {
    name: "salesforce",
    system: "salesforce",
    options: &[("login", "https://crm.salesforce.com"), ("client_id", "sandbox"), ("client_secret", "sandbox")],
    sandbox: |setup| {
        Box::new(salesforce::Salesforce::new(salesforce::Options {
            base_url: "https://crm.salesforce.com".to_owned(),
            orders: 0,
            start: BEGIN.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(48),
            late_commit: setup.lag,
            ..salesforce::Options::default()
        }))
    },
    reads: Reads {
        object: "Account",
        projection: &["Id", "Name", "SystemModstamp"],
        stamp: Some("SystemModstamp"),
        make: |world, n| text(&world.act("make", "Account", json!({"Name": format!("n-{n}")})), "id"),
        touch: |world, id, content| {
            world.act("change", id, json!({"Name": content}));
        },
        remove: |world, id| {
            world.act("delete", id, json!({}));
        },
        tells_gone: Some("deleted"),
        content: |record| text(record, "Name"),
        is_late: true,
        expire: Some("expire"),
    },
    writes: &[
        Write {
            name: "upsert by a key that the org keeps to one record",
            object: "Account",
            operation: Operation::Upsert,
            key_field: Some("Crossdock_Key__c"),
            item: |_, n| keyed(format!("k-{n}"), json!({"Name": format!("a-{n}")})),
            refused: too_long,
            done: |world, item| {
                let key = item.key.clone().unwrap();
                effects(world, |effect| effect.kind == "created" && effect.object == "Account" && effect.fields["Crossdock_Key__c"] == *key)
            },
            searched: Some(|item| ("Crossdock_Key__c", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "update of a record that is named",
            object: "Account",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let id = text(&world.act("make", "Account", json!({"Name": format!("old-{n}")})), "id");
                Item { key: None, id: Some(id), body: json!({"Name": format!("new-{n}")}) }
            },
            refused: too_long,
            done: |world, item| usize::from(world.act("show", item.id.as_deref().unwrap(), json!({}))["Name"] == item.body["Name"]),
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "create under a key that is only searched by",
            object: "Task",
            operation: Operation::Create,
            key_field: Some("Crossdock_Key__c"),
            item: |_, n| keyed(format!("t-{n}"), json!({"Subject": format!("s-{n}")})),
            refused: |item| item.body["Subject"] = json!("x".repeat(300)),
            done: |world, item| {
                let key = item.key.clone().unwrap();
                effects(world, |effect| effect.kind == "created" && effect.object == "Task" && effect.fields["Crossdock_Key__c"] == *key)
            },
            searched: Some(|item| ("Crossdock_Key__c", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "create without a key",
            object: "Account",
            operation: Operation::Create,
            key_field: None,
            item: |_, n| Item { key: None, id: None, body: json!({"Name": format!("free-{n}")}) },
            refused: too_long,
            done: |world, item| {
                effects(world, |effect| effect.kind == "created" && effect.object == "Account" && effect.fields["Name"] == item.body["Name"])
            },
            searched: None,
            results: "",
            by_key: false,
        },
    ],
    hooks: None,
    refused_until: None,
};

fn too_long(item: &mut Item) {
    item.body["Name"] = json!("x".repeat(300));
}

// ---- ShipHero ----

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

// ---- ShipStation, API V1 ----

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

// ---- ShipStation, API V2 ----

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
