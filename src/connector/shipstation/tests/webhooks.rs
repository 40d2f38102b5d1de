//! Hints of webhooks, and the named things of an account.

use super::*;

#[tokio::test]
async fn a_hint_is_followed_to_the_connections_own_address() {
    let mut plan = plan("Shipment", "it.status");
    plan.flows[0].reads.push(vec!["shipmentItems".into(), "sku".into()]);
    let bench = Bench::new([shipments(&[shipment(1, &json!({}))])]);
    let body =
        r#"{"resource_url":"https://ssapi.shipstation.com/shipments?batchId=12&includeShipmentItems=False&url=x","resource_type":"SHIP_NOTIFY"}"#;
    let hint = posted(&bench.shipstation, body.as_bytes()).unwrap();
    let page = bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.unwrap();
    assert_eq!((ids(&page.changes), page.more), (vec!["1"], false));
    assert_eq!(bench.asked(), ["GET /shipments?batchId=12&includeShipmentItems=true&page=1&pageSize=500"]);
}

#[tokio::test]
async fn a_hint_of_a_shipment_names_the_order_that_changed() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([shipments(&[shipment(1, &json!({})), shipment(2, &json!({}))])]);
    let hint = Hint { event: "SHIP_NOTIFY".into(), parameters: [("batchId".to_owned(), "12".to_owned())].into() };
    let page = bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.unwrap();
    assert_eq!(page.changes, [Change { id: "55".into(), stamp: None, state: State::Touched }]);
    // What was kept may have been changed on the way.
    for (name, value) in [("batchId", "1&x=2"), ("storeID", "1"), ("path", "/stores")] {
        let hint = Hint { event: "SHIP_NOTIFY".into(), parameters: [(name.to_owned(), value.to_owned())].into() };
        assert!(bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn the_named_things_have_the_kinds_of_the_snapshot() {
    let carriers = || ok(json!([{ "name": "UPS", "code": "ups" }, { "name": "UPS 2", "code": "ups" }]));
    let bench = Bench::new([
        ok(json!([{ "storeId": 300101, "storeName": "Amazon US" }])),
        ok(json!([{ "warehouseId": 4401, "warehouseName": "Reno DC" }])),
        carriers(),
        carriers(),
        ok(json!([{ "carrierCode": "ups", "code": "ups_ground", "name": "UPS Ground" }])),
        ok(json!([{ "tagId": 8362, "name": "Backorder" }])),
    ]);
    let names = bench.shipstation.reference_data(&bench.call, &std::collections::BTreeSet::new()).await.unwrap();
    let said: Vec<String> = names.iter().map(|(kind, names)| format!("{kind} {}={}", names[0].name, names[0].id)).collect();
    assert_eq!(
        said,
        ["Carrier ups=\"ups\"", "Service UPS Ground=\"ups_ground\"", "Store Amazon US=300101", "Tag Backorder=8362", "Warehouse Reno DC=4401"]
    );
    assert!(bench.asked().contains(&"GET /carriers/listservices?carrierCode=ups".to_owned()));
}

#[tokio::test]
async fn services_of_two_carriers_with_one_code_are_two_records() {
    let mut plan = plan("Order", "\"x\"");
    plan.mapping.flows[0].source = ObjectRef::new("wms", "Service");
    let service = |carrier: &str| json!([{ "carrierCode": carrier, "code": "ups_ground", "name": "UPS Ground" }]);
    let bench = Bench::new([ok(json!([{ "code": "ups" }, { "code": "ups_walleted" }])), ok(service("ups")), ok(service("ups_walleted"))]);
    let found = page(&bench, &plan, "services", None, true).await.unwrap();
    assert_eq!((ids(&found.changes), found.more), (vec!["ups/ups_ground", "ups_walleted/ups_ground"], false));
}
