//! Orders, labels and marks that are written.

use super::*;

#[tokio::test]
async fn results_are_matched_by_key_wherever_they_stand() {
    let items = [keyed("a"), keyed("b"), keyed("c")];
    let refused = json!({ "orderId": null, "orderKey": "b", "success": false, "errorMessage": "Order is shipped and cannot be modified" });
    let receipts = upsert(&items, ok(json!({ "hasErrors": true, "results": [taken("c", 3), refused, taken("a", 1)] }))).await.unwrap();
    let said: Vec<String> = receipts.iter().map(words).collect();
    assert_eq!(said, ["1 a", "rejected: Order is shipped and cannot be modified", "3 c"]);
}

#[tokio::test]
async fn an_item_that_the_answer_leaves_out_is_in_doubt() {
    let items = [keyed("a"), keyed("b"), keyed("c")];
    for (results, said) in [
        (json!([taken("a", 1), taken("c", 3)]), ["1 a", "ambiguous", "3 c"]),
        (json!([]), ["ambiguous", "ambiguous", "ambiguous"]),
        (json!(null), ["ambiguous", "ambiguous", "ambiguous"]),
        (json!([taken("a", 1), taken("x", 9), taken("c", 3)]), ["1 a", "ambiguous", "3 c"]),
        // Shuffled, so the place says nothing of one without a key.
        (json!([taken("c", 3), { "success": false, "errorMessage": "no" }, taken("a", 1)]), ["1 a", "ambiguous", "3 c"]),
        (json!([taken("a", 1), { "success": false, "errorMessage": "no" }, taken("c", 3)]), ["1 a", "rejected", "3 c"]),
        (json!([taken("a", 1), { "success": true, "orderId": 2 }, taken("c", 3)]), ["1 a", "ambiguous", "3 c"]),
        (json!([taken("a", 1), { "orderKey": "b" }, taken("c", 3)]), ["1 a", "ambiguous", "3 c"]),
    ] {
        let receipts = upsert(&items, ok(json!({ "hasErrors": true, "results": results }))).await.unwrap();
        let got: Vec<String> = receipts.iter().map(|receipt| words(receipt).split(": ").next().unwrap().to_owned()).collect();
        assert_eq!(got, said, "{results}");
    }
}

#[tokio::test]
async fn one_key_twice_in_a_batch_has_a_result_each() {
    let receipts = upsert(&[keyed("a"), keyed("a")], ok(json!({ "results": [taken("a", 1), taken("a", 1)] }))).await.unwrap();
    assert!(receipts.iter().all(|receipt| receipt.outcome.is_ok()));
    let receipts = upsert(&[keyed("a"), keyed("a")], ok(json!({ "results": [taken("a", 1)] }))).await.unwrap();
    assert!(matches!(receipts[1].outcome, Err(Fault::Ambiguous { .. })));
}

#[tokio::test]
async fn a_refusal_that_speaks_of_the_moment_may_be_sent_again() {
    for (message, class) in [
        ("Transaction was DEADLOCKed on lock resources", "transient"),
        ("Execution Timeout Expired", "transient"),
        ("Please try again later", "transient"),
        ("cancelled orders cannot be updated", "rejected"),
    ] {
        let result = json!({ "orderKey": "a", "success": false, "errorMessage": message });
        let receipts = upsert(&[keyed("a")], ok(json!({ "results": [result] }))).await.unwrap();
        assert_eq!(words(&receipts[0]), format!("{class}: {message}"));
    }
}

#[tokio::test]
async fn an_order_is_never_sent_without_its_key() {
    let unkeyed = Item { key: None, id: None, body: json!({ "orderNumber": "1" }) };
    let bench = Bench::new([]);
    let receipts = send(&bench, "Order", Operation::Upsert, Some("orderKey"), std::slice::from_ref(&unkeyed)).await.unwrap();
    assert!(words(&receipts[0]).starts_with("rejected: it has no `orderKey`"));

    let bench = Bench::new([ok(json!({ "results": [taken("a", 1)] }))]);
    let given = Item { key: Some("a".into()), ..unkeyed };
    send(&bench, "Order", Operation::Upsert, Some("orderKey"), &[given]).await.unwrap();
    assert_eq!(bench.body(0)[0]["orderKey"], "a");
}

#[tokio::test]
async fn an_update_goes_by_the_targets_own_key() {
    let update = |id: &str| Item { key: None, id: Some(id.to_owned()), body: json!({ "orderStatus": "on_hold" }) };
    let target = json!({ "orderId": 7, "orderKey": "own", "orderNumber": "n", "createDate": "x", "items": [{ "orderItemId": 1, "sku": "S" }] });
    let bench = Bench::new([ok(target), answer(404, &json!({})), ok(json!({ "results": [taken("own", 7)] }))]);
    let receipts = send(&bench, "Order", Operation::Update, None, &[update("7"), update("8")]).await.unwrap();
    assert_eq!(receipts.iter().map(words).collect::<Vec<_>>(), ["7 own", "rejected: there is no order 8"]);
    assert_eq!(bench.asked(), ["GET /orders/7", "GET /orders/8", "POST /orders/createorders"]);
    assert_eq!(
        bench.body(2),
        json!([{ "orderKey": "own", "orderNumber": "n", "items": [{ "sku": "S", "orderItemId": 1 }], "orderStatus": "on_hold" }])
    );
}

#[tokio::test]
async fn more_than_a_batch_is_not_sent() {
    let items: Vec<Item> = (0..101).map(|at| keyed(&at.to_string())).collect();
    let bench = Bench::new([]);
    assert!(matches!(send(&bench, "Order", Operation::Upsert, Some("orderKey"), &items).await, Err(Fault::BatchRefused(_))));
}

#[tokio::test]
async fn a_label_is_bought_and_its_document_is_not_passed_on() {
    let item = Item { key: Some("55".into()), id: None, body: json!({ "orderId": 55, "carrierCode": "ups", "testLabel": true }) };
    let bench =
        Bench::new([ok(json!({ "shipmentId": 9, "shipmentCost": 7.30, "trackingNumber": "T", "labelData": "JVBERi0", "formData": "JVBERi0" }))]);
    let receipts = send(&bench, "Label", Operation::Create, Some("orderId"), std::slice::from_ref(&item)).await.unwrap();
    let done = receipts[0].outcome.as_ref().unwrap();
    assert_eq!((done.id.as_deref(), done.created), (Some("9"), Some(true)));
    assert_eq!(done.record, json!({ "shipmentId": 9, "shipmentCost": 7.30, "trackingNumber": "T", "orderId": 55 }));
    assert_eq!(bench.asked(), ["POST /orders/createlabelfororder"]);
    assert_eq!(bench.body(0), item.body);

    // The carrier may have made it all the same.
    let bench = Bench::new([answer(400, &json!({ "message": "The carrier timed out" }))]);
    assert!(matches!(send(&bench, "Label", Operation::Create, Some("orderId"), &[item]).await, Err(Fault::Ambiguous { .. })));
}

#[tokio::test]
async fn an_order_is_marked_as_shipped() {
    let item = Item { key: Some("55".into()), id: None, body: json!({ "orderId": 55, "carrierCode": "usps", "trackingNumber": "T" }) };
    let bench = Bench::new([ok(json!({ "orderId": 55, "orderNumber": "n" }))]);
    let receipts = send(&bench, "ExternalShipment", Operation::Create, Some("orderId"), &[item]).await.unwrap();
    let done = receipts[0].outcome.as_ref().unwrap();
    assert_eq!(done.record, json!({ "orderId": 55, "orderNumber": "n", "carrierCode": "usps", "trackingNumber": "T" }));
    assert_eq!(bench.asked(), ["POST /orders/markasshipped"]);
}

#[test]
fn each_write_says_what_it_is_held_to() {
    let write = |object: &str, operation, key| crate::connector::shipstation::writes(object, operation, key);
    let order = write("Order", Operation::Upsert, Some("orderKey")).unwrap();
    assert_eq!((order.guarantee, order.batch, order.replaces, order.found_by.as_deref()), (Guarantee::Idempotent, 100, true, Some("orderId")));
    assert_eq!(write("Order", Operation::Update, None).unwrap().guarantee, Guarantee::Idempotent);
    let unkeyed = write("Order", Operation::Create, None).unwrap();
    assert_eq!((unkeyed.guarantee, unkeyed.batch, unkeyed.found_by.as_deref()), (Guarantee::Searchable, 1, Some("orderNumber")));
    for object in ["Label", "ExternalShipment"] {
        let write = write(object, Operation::Create, Some("orderId")).unwrap();
        assert_eq!((write.guarantee, write.batch, write.found_by.as_deref()), (Guarantee::Searchable, 1, Some("orderId")));
    }
    assert!(write("Label", Operation::Update, None).is_none() && write("Shipment", Operation::Create, None).is_none());
    assert!(write("Order", Operation::Upsert, Some("orderNumber")).is_none(), "V1 keeps no order number to one order");
}
