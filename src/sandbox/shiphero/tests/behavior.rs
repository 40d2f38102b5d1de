use serde_json::json;

use super::*;
use crate::sandbox::kit::laws::signature;

#[test]
fn one_signs_in_with_a_password_or_a_refresh_token() {
    let mut shop = Shop::new();
    let (status, told) = shop.post("/auth/refresh", &json!({"refresh_token": "sandbox"}));
    assert_eq!((status, &told["expires_in"], &told["token_type"]), (200, &json!(2_419_200), &json!("Bearer")));
    assert_eq!(shop.post("/auth/token", &json!({"username": "sandbox@example.com", "password": "wrong"})).0, 403);
    assert_eq!(shop.post("/auth/refresh", &json!({"refresh_token": "wrong"})).0, 403);
    shop.wait(28 * 24 * 3_600 - 1);
    shop.data("{ me { data { email } } }", json!({}));
    shop.wait(1);
    assert_eq!(shop.post("/graphql", &json!({"query": "{ me { data { email } } }"})).0, 401);
    shop.sign_in();
    shop.act("expire", "", json!({})).unwrap();
    assert_eq!(shop.post("/graphql", &json!({"query": "{ me { data { email } } }"})).0, 401);
    shop.act("rotate", "", json!({"password": "new"})).unwrap();
    assert_eq!(shop.post("/auth/token", &json!({"username": "sandbox@example.com", "password": "sandbox"})).0, 403);
}

#[test]
fn an_order_is_made_found_changed_and_canceled() {
    let mut shop = Shop::new();
    let id = shop.order("N-1", &[("CUP-01", 2), ("LAMP-9", 1)]);
    for arguments in [
        "order_number: \"N-1\"",
        "partner_order_id: \"p-N-1\"",
        "sku: \"LAMP-9\"",
        "email: \"ada@example.com\"",
        "updated_from: \"2026-03-02T08:00:00\"",
        "shop_name: \"crm\", fulfillment_status: \"pending\"",
    ] {
        assert_eq!(shop.found(arguments), ["N-1"], "{arguments}");
    }
    for arguments in [
        "order_number: \"N\"",
        "updated_from: \"2026-03-02T08:00:01\"",
        "updated_to: \"2026-03-02T07:59:59\"",
        "sku: \"POT-01\"",
        "fulfillment_status: \"fulfilled\"",
    ] {
        assert!(shop.found(arguments).is_empty(), "{arguments}");
    }
    shop.wait(60);
    let update = "mutation($data: UpdateOrderInput!) { order_update(data: $data) { order { id } } }";
    shop.data(update, json!({"data": {"order_id": id, "packing_note": "Fragile", "shipping_address": {"city": "York"}}}));
    let shown = shop.show(&id);
    assert_eq!(
        (&shown["packing_note"], &shown["email"], &shown["updated_at"]),
        (&json!("Fragile"), &json!("ada@example.com"), &json!("2026-03-02T08:01:00"))
    );
    assert_eq!(shown["shipping_address"], json!({"first_name": null, "city": "York", "zip": null, "address2": null}), "an address is replaced");
    assert_eq!(shop.found("updated_from: \"2026-03-02T08:00:30\""), ["N-1"]);

    let cancel = "mutation($id: String!) { order_cancel(data: {order_id: $id, reason: \"changed their mind\"}) { order { fulfillment_status } } }";
    assert_eq!(shop.data(cancel, json!({"id": id}))["order_cancel"]["order"]["fulfillment_status"], "canceled");
    assert_eq!(
        shop.refusal(update, json!({"data": {"order_id": id, "packing_note": "x"}})),
        (3, "The order is already fulfilled or canceled".to_owned())
    );
    assert_eq!(shop.kinds(), ["created", "updated", "canceled"]);
    assert_eq!(shop.hero.effects()[0].key.as_deref(), Some("p-N-1"));
}

#[test]
fn an_order_that_cannot_be_is_refused_with_its_reason() {
    let mut shop = Shop::new();
    let with = |name: &str, value: Json| {
        let mut order = order("W-1", &[("CUP-01", 1)]);
        order[name] = value;
        order
    };
    for (data, why) in [
        (with("required_ship_date", json!("soon")), "Invalid date for required_ship_date: soon"),
        (with("total_price", json!("twelve")), "Invalid amount for total_price: twelve"),
        (order("W-1", &[("CUP-01", 0)]), "quantity of CUP-01 must be greater than 0"),
        (order("W-1", &[("", 1)]), "sku can't be empty"),
        (
            with("line_items", json!([{"sku": "CUP-01", "partner_line_item_id": "1", "quantity": 1, "price": "a lot"}])),
            "Invalid amount for price: a lot",
        ),
    ] {
        assert_eq!(shop.refusal(CREATE, json!({"data": data})), (3, why.to_owned()));
    }
    assert_eq!(shop.refusal(CREATE, json!({"data": with("customer_account_id", json!("nobody"))})), (3, "Invalid id nobody".to_owned()));
    let update = "mutation { order_update(data: {order_id: \"T3JkZXI6MQ==\"}) { order { id } } }";
    let told = shop.ask(update, json!({}));
    assert_eq!(
        (&told["errors"][0]["message"], &told["errors"][0]["field"], &told["data"]),
        (&json!("Order not found"), &json!("order_update"), &json!({"order_update": null}))
    );
    assert!(shop.kinds().is_empty());
}

#[test]
fn lines_are_added_changed_and_removed() {
    let mut shop = Shop::new();
    let id = shop.order("L-1", &[("CUP-01", 2)]);
    let add = "mutation($data: AddLineItemsInput!) { order_add_line_items(data: $data) { order { id } } }";
    shop.data(add, json!({"data": {"order_id": id, "line_items": [{"sku": "POT-01", "partner_line_item_id": "b", "quantity": 1, "price": "45"}]}}));
    let held = lines(&shop.show(&id));
    let update = "mutation($data: UpdateLineItemsInput!) { order_update_line_items(data: $data) { order { id } } }";
    shop.data(update, json!({"data": {"order_id": id, "line_items": [{"id": held[0]["id"], "quantity": 5}]}}));
    let remove = "mutation($data: RemoveLineItemsInput!) { order_remove_line_items(data: $data) { order { id } } }";
    shop.data(remove, json!({"data": {"order_id": id, "line_item_ids": [held[1]["id"]]}}));
    let left = lines(&shop.show(&id));
    assert_eq!((left.len(), &left[0]["quantity"], &left[0]["quantity_allocated"]), (1, &json!(5), &json!(5)));
    assert_eq!(shop.refusal(remove, json!({"data": {"order_id": id, "line_item_ids": [held[1]["id"]]}})).0, 5, "it is gone already");
    let stock = shop.data("{ warehouse_products(sku: \"POT-01\") { data(first: 9) { edges { node { allocated } } } } }", json!({}));
    let edges = stock["warehouse_products"]["data"]["edges"].as_array().unwrap().clone();
    assert!(edges.iter().all(|edge| edge["node"]["allocated"] == 0), "{edges:?}");
}

#[test]
fn holds_and_tags_are_set() {
    let mut shop = Shop::new();
    let id = shop.order("H-1", &[("CUP-01", 1)]);
    let holds = "mutation($data: UpdateOrderHoldsInput!) { order_update_holds(data: $data) { order { holds { operator_hold fraud_hold } } } }";
    shop.data(holds, json!({"data": {"order_id": id, "operator_hold": true}}));
    assert_eq!(shop.act("ship", "H-1", json!({})).unwrap_err(), "the order H-1 is on hold");
    shop.act("hold", "H-1", json!({"hold": "fraud_hold"})).unwrap();
    assert_eq!(shop.show(&id)["holds"], json!({"operator_hold": true, "fraud_hold": true}));
    shop.act("release", "H-1", json!({})).unwrap();
    assert_eq!(shop.show(&id)["holds"], json!({"operator_hold": false, "fraud_hold": false}));
    let tags = "mutation($data: UpdateTagsInput!) { order_update_tags(data: $data) { order { tags } } }";
    shop.data(tags, json!({"data": {"order_id": id, "tags": ["a", "b"]}}));
    let told = shop.data(tags, json!({"data": {"order_id": id, "tags": ["c"]}}));
    assert_eq!(told["order_update_tags"]["order"]["tags"], json!(["c"]));
    let add = tags.replace("order_update_tags", "order_add_tags");
    assert_eq!(shop.data(&add, json!({"data": {"order_id": id, "tags": ["d", "c"]}}))["order_add_tags"]["order"]["tags"], json!(["c", "d"]));
    assert_eq!(shop.kinds(), ["created", "held", "held", "released", "tagged", "tagged", "tagged"]);
}

#[test]
fn goods_are_set_aside_shipped_and_missed() {
    let mut shop = Shop::new();
    // 1,000 cups in each of two warehouses.
    let first = shop.order("S-1", &[("CUP-01", 900)]);
    let second = shop.order("S-2", &[("CUP-01", 900)]);
    let third = shop.order("S-3", &[("CUP-01", 900)]);
    let places: Vec<Json> = [&first, &second, &third].map(|id| lines(&shop.show(id))[0].clone()).into();
    assert_eq!((&places[0]["warehouse"], &places[1]["warehouse"]), (&json!("Primary"), &json!("Leeds")));
    assert_eq!((&places[2]["quantity_allocated"], &places[2]["backorder_quantity"]), (&json!(100), &json!(800)));
    assert!(shop.act("ship", "S-3", json!({})).unwrap_err().contains("backorder"));
    let shipped = shop.act("ship", "S-1", json!({"tracking_number": "1Z-A", "carrier": "ups"})).unwrap();
    assert_eq!(shipped["shipping_labels"][0]["tracking_number"], "1Z-A");
    let shown = shop.show(&first);
    assert_eq!((&shown["fulfillment_status"], &lines(&shown)[0]["quantity_shipped"]), (&json!("fulfilled"), &json!(900)));
    // Canceling the second gives its goods to the third; they are in the other warehouse.
    shop.act("restock", "CUP-01", json!({"quantity": 800, "warehouse": "Primary"})).unwrap();
    assert_eq!(lines(&shop.show(&third))[0]["backorder_quantity"], 0);
    shop.act("backorder", "S-3", json!({})).unwrap();
    assert_eq!(lines(&shop.show(&third))[0]["backorder_quantity"], 900);
    shop.act("cancel", "S-2", json!({})).unwrap();
    assert_eq!(lines(&shop.show(&third))[0]["quantity_allocated"], 900, "what was canceled is free");
    // A label that is void brings its goods back.
    shop.act("void", "S-1", json!({})).unwrap();
    let shown = shop.show(&first);
    assert_eq!((&shown["fulfillment_status"], &lines(&shown)[0]["quantity_pending_fulfillment"]), (&json!("pending"), &json!(900)));
}

#[test]
fn kits_take_their_parts_and_goods_have_lots_and_serials() {
    let mut shop = Shop::new();
    let kit = shop.order("K-1", &[("KIT-TEA", 2)]);
    assert_eq!(lines(&shop.show(&kit))[0]["quantity_allocated"], 2);
    shop.act("ship", "K-1", json!({})).unwrap();
    let stock = shop.data("{ product(sku: \"CUP-01\") { data { kit warehouse_products { on_hand warehouse_identifier } } } }", json!({}));
    assert_eq!(stock["product"]["data"]["warehouse_products"][0], json!({"on_hand": 992, "warehouse_identifier": "Primary"}));
    shop.act("product", "MED-1", json!({"on_hand": 10, "lots": true, "serials": true})).unwrap();
    let order = shop.order("K-2", &[("MED-1", 2)]);
    shop.act("ship", "K-2", json!({})).unwrap();
    let line = &lines(&shop.show(&order))[0];
    assert_eq!((line["serial_numbers"].as_array().unwrap().len(), line["shipped_line_item_lots"].as_array().unwrap().len()), (2, 1));
}

#[test]
fn an_order_is_shipped_in_parts_through_the_api() {
    let mut shop = Shop::new();
    let id = shop.order("P-1", &[("CUP-01", 3), ("POT-01", 1)]);
    let held = lines(&shop.show(&id));
    let create = "mutation($data: CreateShipmentInput!) { shipment_create(data: $data) { shipment { id shipping_labels { tracking_number shipment_line_items { edges { node { quantity } } } } line_items { edges { node { quantity line_item { sku } } } } } } }";
    let dimensions = json!({"weight": "1", "height": "1", "width": "1", "length": "1"});
    let label = json!({
        "carrier": "ups", "shipping_name": "Ground", "shipping_method": "ups_ground", "cost": "7.45", "address": {"name": "Ada"},
        "dimensions": dimensions, "label": {}, "line_item_ids": [held[0]["id"]], "tracking_number": "1Z-B",
    });
    let data = |quantity: i64| {
        json!({"data": {
            "order_id": id, "warehouse_id": "V2FyZWhvdXNlOjcxNDU=", "address": {"name": "Ada"}, "labels": [label],
            "line_items": [{"line_item_id": held[0]["id"], "quantity": quantity}],
        }})
    };
    assert_eq!(shop.refusal(create, data(4)).1, "4 of CUP-01 can't be shipped: 3 are pending");
    let made = shop.data(create, data(2));
    let shipment = &made["shipment_create"]["shipment"];
    assert_eq!(
        (&shipment["shipping_labels"][0]["tracking_number"], &shipment["line_items"]["edges"][0]["node"]),
        (&json!("1Z-B"), &json!({"quantity": 2, "line_item": {"sku": "CUP-01"}}))
    );
    assert_eq!(shop.show(&id)["fulfillment_status"], "pending");
    shop.act("parcel", "P-1", json!({"sku": "POT-01"})).unwrap();
    shop.act("ship", "P-1", json!({})).unwrap();
    let shown = shop.show(&id);
    assert_eq!((&shown["fulfillment_status"], shown["shipments"].as_array().unwrap().len()), (&json!("fulfilled"), 3));
    let list = shop.data(
        "{ shipments(date_from: \"2026-03-02\") { data(first: 10) { edges { node { order { order_number } warehouse { identifier } } } } } }",
        json!({}),
    );
    assert_eq!(list["shipments"]["data"]["edges"].as_array().unwrap().len(), 3);
}

#[test]
fn webhooks_are_signed_and_told_once() {
    let mut shop = Shop::new();
    let create = "mutation($data: CreateWebhookInput!) { webhook_create(data: $data) { webhook { id shared_signature_secret } } }";
    let told = shop.data(create, json!({"data": {"name": "Shipment Update", "url": "https://crossdock.example/hook", "shop_name": "a"}}));
    let secret = told["webhook_create"]["webhook"]["shared_signature_secret"].as_str().unwrap().to_owned();
    assert_eq!(
        shop.refusal(create, json!({"data": {"name": "Shipment", "url": "https://crossdock.example/hook"}})).1,
        "Invalid webhook name: Shipment"
    );
    let list = "{ webhooks { data { edges { node { name url shared_signature_secret } } } } }";
    assert_eq!(shop.data(list, json!({}))["webhooks"]["data"]["edges"][0]["node"]["shared_signature_secret"], Json::Null, "it is told once");
    shop.order("W-1", &[("CUP-01", 1)]);
    shop.act("ship", "W-1", json!({"tracking_number": "1Z-C"})).unwrap();
    let now = shop.now;
    let sent = shop.hero.deliveries(now);
    assert_eq!(sent.len(), 1);
    let header = |name: &str| sent[0].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(header("x-shiphero-hmac-sha256"), signature("hmac-sha256", "base64", &secret, &sent[0].body));
    assert!(header("x-shiphero-message-id").is_some());
    let body: Json = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(
        (&body["webhook_type"], &body["fulfillment"]["order_number"], &body["packages"][0]["tracking_number"]),
        (&json!("Shipment Update"), &json!("W-1"), &json!("1Z-C"))
    );
    assert_eq!(
        (&body["fulfillment"]["line_items"][0]["id"], &body["fulfillment"]["line_items"][0]["package"]),
        (&json!("W-1-0"), &json!("Package #1"))
    );
    assert!(shop.hero.deliveries(now).is_empty());
    shop.data("mutation { webhook_delete(data: {name: \"Shipment Update\", shop_name: \"a\"}) { request_id } }", json!({}));
    shop.act("void", "W-1", json!({})).unwrap();
    shop.act("ship", "W-1", json!({})).unwrap();
    assert!(shop.hero.deliveries(now).is_empty(), "nobody asks any more");
}

#[test]
fn events_of_the_warehouse_are_told_to_the_customer_whose_they_are() {
    let mut shop = Shop::new();
    let events = ["Inventory Update", "Order Canceled", "Tote Complete", "Order Packed Out", "Order Allocated", "Order Deallocated"];
    let create = "mutation($data: CreateWebhookInput!) { webhook_create(data: $data) { webhook { id } } }";
    for event in events {
        shop.data(create, json!({"data": {"name": event, "url": "https://crossdock.example/hook", "customer_account_id": "QWNjb3VudDo0MjIy"}}));
    }
    shop.order("OWN", &[("CUP-01", 1)]);
    let now = shop.now;
    assert!(shop.hero.deliveries(now).is_empty(), "it is another account's");
    let mut theirs = order("THEIRS", &[("CUP-01", 1)]);
    theirs["customer_account_id"] = json!("QWNjb3VudDo0MjIy");
    shop.data(CREATE, json!({"data": theirs}));
    for verb in ["pick", "pack", "backorder", "cancel"] {
        shop.act(verb, "THEIRS", json!({})).unwrap();
    }
    let told: Vec<String> = shop
        .hero
        .deliveries(now)
        .iter()
        .map(|sent| serde_json::from_slice::<Json>(&sent.body).unwrap()["webhook_type"].as_str().unwrap().to_owned())
        .collect();
    for event in events {
        assert!(told.iter().any(|known| known == event), "{event}: {told:?}");
    }
}

#[test]
fn a_customer_is_worked_for_by_its_id() {
    let mut shop = Shop::new();
    let customer = "QWNjb3VudDo0MjIy";
    let mut theirs = order("C-1", &[("CUP-01", 1)]);
    theirs["customer_account_id"] = json!(customer);
    let id = shop.data(CREATE, json!({"data": theirs}))["order_create"]["order"]["id"].as_str().unwrap().to_owned();
    let update = "mutation($data: UpdateOrderInput!) { order_update(data: $data) { order { account_id } } }";
    assert_eq!(shop.refusal(update, json!({"data": {"order_id": id}})), (5, "Order not found".to_owned()));
    let told = shop.data(update, json!({"data": {"order_id": id, "customer_account_id": customer}}));
    assert_eq!(told["order_update"]["order"]["account_id"], customer);
    shop.order("O-1", &[("CUP-01", 1)]);
    assert_eq!(shop.found(&format!("customer_account_id: \"{customer}\"")), ["C-1"]);
    assert_eq!(shop.found(""), ["O-1", "C-1"]);
    let account =
        shop.data("{ account { data { is_3pl customers(first: 5) { edges { node { id username } } } warehouses { identifier } } } }", json!({}));
    assert_eq!(account["account"]["data"]["customers"]["edges"][0]["node"]["id"], customer);
}

#[test]
fn inventory_is_replaced_and_its_changes_are_listed() {
    let mut shop = Shop::new();
    shop.wait(60);
    let replace = "mutation($data: ReplaceInventoryInput!) { inventory_replace(data: $data) { warehouse_product { sku on_hand available } } }";
    let data =
        |sku: &str, quantity: i64| json!({"data": {"sku": sku, "warehouse_id": "V2FyZWhvdXNlOjcxNDU=", "quantity": quantity, "reason": "count"}});
    let told = shop.data(replace, data("CUP-01", 7));
    assert_eq!(told["inventory_replace"]["warehouse_product"], json!({"sku": "CUP-01", "on_hand": 7, "available": 7}));
    shop.data(replace, data("CUP-01", 7));
    assert_eq!(shop.refusal(replace, data("NONE", 7)).0, 5);
    assert!(shop.refusal(replace, data("KIT-TEA", 7)).1.contains("kit"));
    let updated = shop.data(
        "{ warehouse_products(updated_from: \"2026-03-02T08:00:30\") { data(first: 9) { edges { node { sku warehouse_identifier on_hand } } } } }",
        json!({}),
    );
    assert_eq!(updated["warehouse_products"]["data"]["edges"], json!([{"node": {"sku": "CUP-01", "warehouse_identifier": "Primary", "on_hand": 7}}]));
    let changes = shop.data(
        "{ inventory_changes(sku: \"CUP-01\") { data(first: 9) { edges { node { previous_on_hand change_in_on_hand reason } } } } }",
        json!({}),
    );
    assert_eq!(
        changes["inventory_changes"]["data"]["edges"][0]["node"],
        json!({"previous_on_hand": 1000, "change_in_on_hand": -993, "reason": "count"})
    );
}

#[test]
fn what_is_not_imitated_is_refused_by_its_name_and_a_wrong_document_as_a_whole() {
    let mut shop = Shop::new();
    let ask = |shop: &mut Shop, query: &str| shop.post("/graphql", &json!({"query": query}));
    let (status, told) = ask(&mut shop, "{ purchase_orders { data(first: 1) { edges { node { id } } } } me { data { email } } }");
    assert_eq!((status, &told["errors"][0]["message"]), (501, &json!("the sandbox does not imitate purchase_orders")));
    let (status, told) = ask(&mut shop, "mutation { kit_clear(data: {sku: \"a\"}) { request_id } }");
    assert_eq!((status, &told["errors"][0]["message"]), (501, &json!("the sandbox does not imitate kit_clear")));
    assert_eq!(ask(&mut shop, "{ __schema { types { name } } }").0, 501);
    let (status, told) = ask(&mut shop, "{ orders { data(first: 1) { edges { node { ordernumber } } } } }");
    assert!(status == 400 && told["errors"][0]["message"].as_str().unwrap().contains("ordernumber"), "{told}");
    assert_eq!(told["errors"][0]["locations"][0]["line"], 1);
    assert_eq!(shop.post("/graphql", &json!({"mutation": "x"})).0, 400);
    assert_eq!(shop.post("/other", &json!({})).0, 404);
    assert_eq!(shop.hero.protocol_violations().len(), 3);
}

#[test]
fn people_do_what_the_table_says() {
    let mut shop = Shop::new();
    shop.act("create", "SHOP-1", json!({"tags": ["x"]})).unwrap();
    shop.act("change", "SHOP-1", json!({"packing_note": "Door", "shipping_address.city": "York"})).unwrap();
    shop.act("tag", "SHOP-1", json!({"tag": "VIP"})).unwrap();
    shop.act("status", "SHOP-1", json!({"status": "Tomorrow"})).unwrap();
    let shown = shop.act("show", "SHOP-1", json!({})).unwrap();
    assert_eq!(
        (&shown["tags"], &shown["fulfillment_status"], &shown["shipping_address"]["city"]),
        (&json!(["x", "VIP"]), &json!("Tomorrow"), &json!("York"))
    );
    assert_eq!(shop.act("ship_all", "", json!({})).unwrap().as_array().unwrap().len(), 1);
    assert_eq!(shop.act("cancel", "SHOP-1", json!({})).unwrap_err(), "The order can't be canceled: some of its items were shipped already");
    shop.act("create", "SHOP-2", json!({})).unwrap();
    shop.act("delete", "SHOP-2", json!({})).unwrap();
    assert!(shop.act("show", "SHOP-2", json!({})).is_err());
    assert!(shop.hero.effects().iter().all(|effect| !effect.by_api));
    shop.act("drain", "", json!({})).unwrap();
    assert_eq!(shop.refusal("{ orders { data(first: 100) { edges { node { id } } } } }", json!({})).0, 30);
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let run = || {
        let mut shop = Shop::new();
        shop.order("D-1", &[("CUP-01", 1)]);
        shop.act("ship", "D-1", json!({})).unwrap();
        (
            shop.ask("{ shipments { request_id data(first: 1) { edges { node { id shipping_labels { tracking_number } } } } } }", json!({})),
            shop.hero.effects().to_vec(),
        )
    };
    assert_eq!(run(), run());
}

/// What a person names is a field of an order, or it is refused.
#[test]
fn fields_that_no_order_has_are_refused() {
    let mut shop = Shop::new();
    shop.act("create", "R-1", json!({})).unwrap();
    for (verb, settings, says) in [
        ("create", json!({"packing_notes": "twice"}), "packing_notes"),
        ("create", json!({"line_items": [{"sku": "CUP-01", "partner_line_item_id": "1", "price": "1.00", "quantity": "many"}]}), "quantity"),
        ("change", json!({"packing_notes": "twice"}), "did you mean `packing_note`?"),
        ("change", json!({"shipping_address.town": "Elko"}), "no field `shipping_address.town`"),
        ("change", json!({"address.city": "Elko"}), "no field `address.city`"),
        ("restock", json!({"warehouse": "Nowhere"}), "there are: Primary"),
        ("hold", json!({"hold": "my_hold"}), "there are: "),
    ] {
        let subject = match verb {
            "create" => "R-2",
            "restock" => "CUP-01",
            _ => "R-1",
        };
        let said = shop.act(verb, subject, settings.clone()).unwrap_err();
        assert!(said.contains(says), "{verb} {settings}: {said}");
    }
    shop.act("change", "R-1", json!({"shipping_address.city": "Elko", "packing_note": "twice"})).unwrap();
}
