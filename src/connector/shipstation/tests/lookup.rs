//! Records that are read by their id or found by a field.

use super::*;

#[tokio::test]
async fn an_order_that_is_not_there_is_absent() {
    let plan = plan("Order", "\"x\"");
    let bench =
        Bench::new([answer(404, &json!({})), ok(json!({ "orderId": 2, "modifyDate": "2026-11-18T08:00:00", "shipDate": "2026-11-18T00:00:00" }))]);
    let wanted = ["1".to_owned(), "../stores".to_owned(), "2".to_owned()];
    let found = bench.shipstation.fetch_by_id(&bench.call, &source(&plan), &wanted).await.unwrap();
    assert_eq!(ids(&found), ["2"]);
    assert_eq!(body(&found[0])["shipDate"], "2026-11-18");
    assert_eq!(bench.asked(), ["GET /orders/1", "GET /orders/2"]);
}

#[tokio::test]
async fn a_search_that_finds_what_begins_so_is_made_exact() {
    let records = json!([{ "orderId": 1, "orderNumber": "10" }, { "orderId": 2, "orderNumber": "100" }, { "orderId": 3, "orderNumber": "10" }]);
    let bench = Bench::new([ok(json!({ "orders": records, "total": 3, "page": 1, "pages": 1 }))]);
    let found = find(&bench, "Order", "orderNumber", &["10"]).await.unwrap();
    assert_eq!(found.iter().map(|found| found.record["orderId"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(bench.asked(), ["GET /orders?orderNumber=10&page=1&pageSize=500"]);
}

#[tokio::test]
async fn a_key_is_looked_for_in_the_whole_list_and_is_not_said_to_be_missing_before_its_end() {
    let list = |records: Json, total: u64, page: u64, pages: u64| ok(json!({ "orders": records, "total": total, "page": page, "pages": pages }));
    let order = |id: u64, key: &str| json!({ "orderId": id, "orderKey": key });
    let bench = Bench::new([list(json!([order(1, "a")]), 9, 1, 9), list(json!([order(2, "b")]), 9, 2, 9)]);
    let found = find(&bench, "Order", "orderKey", &["b", "a"]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(bench.asked()[1], "GET /orders?sortBy=CreateDate&sortDir=DESC&page=2&pageSize=500", "and no further");

    // A record left the list, and what was on the second page moved to the first.
    let bench = Bench::new([list(json!([order(1, "a")]), 3, 1, 3), list(json!([order(3, "c")]), 2, 2, 2), list(json!([order(2, "b")]), 2, 1, 2)]);
    assert_eq!(find(&bench, "Order", "orderKey", &["b"]).await.unwrap().len(), 1);
    assert_eq!(bench.asked().len(), 3);

    let bench = Bench::new((1..=40).map(|page| list(json!([order(page, "x")]), 90_000, page, 180)));
    let fault = find(&bench, "Order", "orderKey", &["b"]).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.message.contains("cannot search")), "{fault:?}");
}

#[tokio::test]
async fn a_label_is_found_by_its_order_where_it_still_counts() {
    let records = [
        shipment(1, &json!({ "voided": true })),
        shipment(2, &json!({ "labelData": "JVBERi0", "trackingNumber": "T" })),
        shipment(3, &json!({ "orderId": 551 })),
        shipment(4, &json!({ "isReturnLabel": true })),
    ];
    let bench = Bench::new([shipments(&records)]);
    let found = find(&bench, "Label", "orderId", &["55", "no number"]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].record["shipmentId"], found[0].record.get("labelData")), (&json!(2), None));
    assert_eq!(bench.asked(), ["GET /shipments?orderId=55&page=1&pageSize=500"]);
}

#[tokio::test]
async fn an_order_counts_as_marked_by_a_fulfillment_or_by_a_status_that_no_label_explains() {
    let shipped = || ok(json!({ "orderId": 55, "orderStatus": "shipped", "carrierCode": "ups" }));
    let bench = Bench::new([fulfillments(&[json!({ "fulfillmentId": 1, "orderId": 55, "voided": false })])]);
    assert_eq!(find(&bench, "ExternalShipment", "orderId", &["55"]).await.unwrap().len(), 1);
    let bench = Bench::new([fulfillments(&[]), shipped(), shipments(&[])]);
    assert_eq!(find(&bench, "ExternalShipment", "orderId", &["55"]).await.unwrap()[0].record["carrierCode"], "ups");
    let bench = Bench::new([fulfillments(&[]), shipped(), shipments(&[shipment(1, &json!({}))])]);
    assert!(find(&bench, "ExternalShipment", "orderId", &["55"]).await.unwrap().is_empty());
    let bench = Bench::new([fulfillments(&[]), ok(json!({ "orderId": 55, "orderStatus": "awaiting_shipment" }))]);
    assert!(find(&bench, "ExternalShipment", "orderId", &["55"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_v1_cannot_search_by_is_said_so() {
    let bench = Bench::new([]);
    assert!(find(&bench, "Shipment", "carrierCode", &["ups"]).await.unwrap_err().to_string().contains("cannot search wms.Shipment by `carrierCode`"));
    assert!(find(&bench, "Unknown", "id", &["1"]).await.unwrap_err().to_string().contains("no list of Unknown"));
}
