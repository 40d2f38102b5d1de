//! Shipments, fulfillments and what is read with them.

use super::*;

#[tokio::test]
async fn a_shipment_has_a_status_and_items_only_where_they_are_read() {
    let plain = plan("Shipment", "it.status");
    let bench = Bench::new([shipments(&[shipment(1, &json!({})), shipment(2, &json!({ "voided": true }))])]);
    let found = page(&bench, &plain, "shipments", None, true).await.unwrap();
    assert_eq!((body(&found.changes[0])["status"].as_str(), body(&found.changes[1])["status"].as_str()), (Some("shipped"), Some("voided")));
    assert_eq!(bench.asked(), ["GET /shipments?sortBy=CreateDate&sortDir=ASC&page=1&pageSize=500"], "and no order is fetched");

    let mut with_items = plain;
    with_items.flows[0].reads.push(vec!["shipmentItems".into(), "sku".into()]);
    let bench = Bench::new([shipments(&[])]);
    page(&bench, &with_items, "shipments", None, true).await.unwrap();
    assert_eq!(bench.asked(), ["GET /shipments?includeShipmentItems=true&sortBy=CreateDate&sortDir=ASC&page=1&pageSize=500"]);
}

#[tokio::test]
async fn what_is_of_the_order_is_fetched_once_an_order() {
    let mut plan = plan("Shipment", "it.customerEmail");
    plan.flows[0].reads.push(vec!["orders".into(), "orderNumber".into()]);
    let order = |id: u64, merged: Json| json!({ "orderId": id, "customerEmail": "a@example.com", "orderTotal": serde_json::from_str::<Json>("12.50").unwrap(), "advancedOptions": { "mergedIds": merged } });
    let bench = Bench::new([
        shipments(&[shipment(1, &json!({})), shipment(2, &json!({})), shipment(3, &json!({ "orderId": 57 }))]),
        ok(order(55, json!([56]))),
        ok(order(56, json!(null))),
        answer(404, &json!({ "message": "no" })),
    ]);
    let found = page(&bench, &plan, "shipments", None, true).await.unwrap();
    for change in &found.changes[..2] {
        assert_eq!(body(change)["customerEmail"], "a@example.com");
        assert_eq!(body(change)["orderTotal"].to_string(), "12.50");
        assert_eq!(body(change)["orders"].as_array().unwrap().len(), 2);
    }
    assert!(body(&found.changes[2]).get("orders").is_none() && body(&found.changes[2]).get("customerEmail").is_none());
    let asked = bench.asked();
    assert!(asked[0].ends_with("pageSize=25"), "{asked:?}");
    assert_eq!(asked[1..], ["GET /orders/55", "GET /orders/56", "GET /orders/57"]);
}

#[tokio::test]
async fn voids_are_gone_and_their_poll_goes_on_no_later_than_it_began() {
    let plan = plan("Shipment", "\"x\"");
    let void = |id: u64, at: &str| shipment(id, &json!({ "voided": true, "voidDate": at }));
    let list = |records: &[Json], page: u64| ok(json!({ "shipments": records, "total": 3, "page": page, "pages": 2 }));
    let bench =
        Bench::new([list(&[void(1, "2026-11-18T11:30:00"), void(2, "2026-11-18T10:00:00.25")], 1), list(&[void(3, "2026-11-18T12:00:30")], 2)]);
    let first = page(&bench, &plan, "voids", Some(r#"{"seen":"2026-11-18T09:00:00"}"#), true).await.unwrap();
    assert_eq!((ids(&first.changes), first.more), (vec!["1", "2"], true));
    assert_eq!(first.changes[0], Change { id: "1".into(), stamp: Some("2026-11-18T19:30:00.000000000Z".into()), state: State::Gone });
    let second = page(&bench, &plan, "voids", first.cursor.as_deref(), false).await.unwrap();
    assert!(!second.more);
    // The poll began at 12:00:00 in Los Angeles; a void of 12:00:10 may stand on a page that was read before it.
    assert_eq!(second.cursor.as_deref(), Some(r#"{"seen":"2026-11-18T12:00:00"}"#));
    let from = "GET /shipments?sortBy=CreateDate&sortDir=ASC&voidDateStart=2026-11-18 08:55:00";
    assert_eq!(bench.asked(), [format!("{from}&page=1&pageSize=500"), format!("{from}&page=2&pageSize=500")]);
}

#[tokio::test]
async fn what_was_marked_as_shipped_comes_as_a_shipment_with_a_number_of_its_own() {
    let plan = plan("Shipment", "it.orderKey");
    let record = json!({ "fulfillmentId": 1, "orderId": 55, "orderNumber": "n", "trackingNumber": "T", "createDate": "2026-11-18T08:00:00",
        "shipDate": "2026-11-18T00:00:00", "deliveryDate": "2026-11-19T00:00:00", "carrierCode": "USPS", "voided": false, "fulfillmentFee": 3 });
    let bench = Bench::new([fulfillments(&[record]), ok(json!({ "orderId": 55, "orderKey": "sf-1" }))]);
    let found = page(&bench, &plan, "fulfillments", None, true).await.unwrap();
    assert_eq!(ids(&found.changes), ["fulfillment-1"]);
    let body = body(&found.changes[0]);
    assert_eq!(
        (&body["shipmentId"], &body["shipDate"], &body["status"], &body["orderKey"]),
        (&json!(-1), &json!("2026-11-18"), &json!("delivered"), &json!("sf-1"))
    );
    assert!(body.get("fulfillmentFee").is_none());
}

#[tokio::test]
async fn a_shipment_is_got_from_the_list_and_a_fulfillment_by_its_number() {
    let plan = plan("Shipment", "\"x\"");
    let bench = Bench::new([
        shipments(&[shipment(9, &json!({})), shipment(1, &json!({}))]),
        fulfillments(&[json!({ "fulfillmentId": 1, "createDate": "2026-11-18T08:00:00" })]),
    ]);
    let wanted = ["1".to_owned(), "404".to_owned(), "fulfillment-1".to_owned(), "nonsense".to_owned()];
    let found = bench.shipstation.fetch_by_id(&bench.call, &source(&plan), &wanted).await.unwrap();
    assert_eq!(ids(&found), ["1", "fulfillment-1"]);
    assert_eq!(
        bench.asked(),
        ["GET /shipments?sortBy=CreateDate&sortDir=DESC&page=1&pageSize=500", "GET /fulfillments?fulfillmentId=1&page=1&pageSize=500"]
    );
}
