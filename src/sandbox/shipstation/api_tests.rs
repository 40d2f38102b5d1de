//! V1 held against what the vendor's clients expect: each described operation is answered or named as not imitated; dates,
//! names and numbers in each of their forms; refusals in .NET's form. And V2's operations, one by one.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::{Options, ShipStation, api, v2};
use crate::sandbox::{Act, System};
use crate::value::Json;

fn account() -> ShipStation {
    ShipStation::new(Options { per_minute: None, v2_per_minute: None, ..Options::default() })
}

fn ask(account: &mut ShipStation, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = http::Request::builder().method(method).uri(format!("https://sandbox{path}"));
    let request = request.header("authorization", "Basic c2FuZGJveDpzYW5kYm94").header("api-key", "sandbox").body(body).unwrap();
    let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let answer = account.handle(&request, now);
    (answer.status().as_u16(), if answer.body().is_empty() { Json::Null } else { serde_json::from_slice(answer.body()).unwrap() })
}

fn order(more: Json) -> Json {
    let mut order = json!({
        "orderNumber": "D-1", "orderKey": "d-1", "orderDate": "2026-11-20", "orderStatus": "awaiting_shipment", "billTo": {"name": "Ada"},
        "shipTo": {"name": "Grace", "country": "US"},
    });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

#[test]
fn each_operation_of_v1_is_carried_out_or_named() {
    let mut account = account();
    let described = api::described();
    assert_eq!(described.len(), 48, "the description has so many");
    let mut carried_out = Vec::new();
    for operation in &described {
        let (method, path) = (operation["method"].as_str().unwrap(), operation["path"].as_str().unwrap());
        let asked: String = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        let (status, told) = ask(&mut account, method, &asked, &operation.get("example").cloned().unwrap_or_default());
        if status == 501 {
            assert_eq!(told["message"], format!("the sandbox does not imitate {method} {path}"));
        } else {
            assert!(matches!(status, 200 | 400) || (status == 404 && !told.to_string().contains("HTTP")), "{method} {path}: {status} {told}");
            carried_out.push(format!("{method} {path}"));
        }
    }
    let mut known: Vec<&str> = super::CARRIED_OUT.to_vec();
    known.sort_unstable();
    carried_out.sort_unstable();
    assert_eq!(carried_out, known);
    for (method, path, status) in [("GET", "/nonsense", 404), ("GET", "/orders/1/nonsense", 404), ("PATCH", "/orders", 405)] {
        let (found, told) = ask(&mut account, method, path, &Json::Null);
        assert!(found == status && told["Message"].as_str().is_some_and(|message| message.contains("HTTP")), "{path}: {told}");
    }
}

#[test]
fn each_operation_of_v2_is_carried_out_or_named() {
    let mut account = account();
    account.act(&Act { verb: "create".into(), subject: "A-1".into(), settings: json!({}) }, Timestamp::UNIX_EPOCH).unwrap();
    let ours =
        v2::description()["operations"].as_array().unwrap().iter().map(|known| (known["method"].as_str().unwrap(), known["path"].as_str().unwrap()));
    let others = v2::description()["others"].as_array().unwrap().iter().map(|known| known.as_str().unwrap().split_once(' ').unwrap());
    let (ours, others): (Vec<_>, Vec<_>) = (ours.collect(), others.collect());
    assert_eq!(ours.len() + others.len(), 71, "the description has so many");
    let asked = |path: &str| path.split('/').map(|part| if part.starts_with('{') { "se-1" } else { part }).collect::<Vec<_>>().join("/");
    for (method, path) in ours {
        let (status, told) = ask(&mut account, method, &asked(path), &Json::Null);
        assert!(status != 501 && !told.to_string().contains("The resource"), "{method} {path}: {status} {told}");
    }
    let refusal = jsonschema::validator_for(&v2::description()["refusal"]).unwrap();
    for (method, path) in others {
        let (status, told) = ask(&mut account, method, &asked(path), &Json::Null);
        assert_eq!((status, told["errors"][0]["message"].as_str()), (501, Some(format!("the sandbox does not imitate {method} {path}").as_str())));
        assert!(refusal.is_valid(&told), "{told}");
    }
    let (status, told) = ask(&mut account, "GET", "/v1/carriers", &Json::Null);
    assert!(status == 501 && told.to_string().contains("ShipEngine"), "{told}");
    assert_eq!(ask(&mut account, "GET", "/v2/nonsense", &Json::Null).0, 404);
}

#[test]
fn dates_are_read_in_each_form_and_printed_in_the_vendors() {
    let mut account = account();
    for (given, printed) in [
        ("2026-11-20", "2026-11-20T00:00:00.0000000"),
        ("11/20/2026 8:05:00 PM", "2026-11-20T20:05:00.0000000"),
        ("11-20-2026", "2026-11-20T00:00:00.0000000"),
        ("2026-11-20 08:46:27", "2026-11-20T08:46:27.0000000"),
        ("2026-11-20T08:46:27.1234567", "2026-11-20T08:46:27.1230000"),
        ("2026-11-20T16:46:27Z", "2026-11-20T08:46:27.0000000"),
        ("2026-07-01T12:00:00+02:00", "2026-07-01T03:00:00.0000000"),
    ] {
        let dates = json!({"orderDate": given, "paymentDate": given, "shipByDate": given});
        let (status, told) = ask(&mut account, "POST", "/orders/createorder", &order(dates));
        assert_eq!(status, 200, "{given}: {told}");
        for name in ["orderDate", "paymentDate", "shipByDate"] {
            assert_eq!(told[name], printed, "{given}");
        }
    }
    for wrong in ["soon", "2026-02-30", "20.11.2026", "13/13/2026", "2026"] {
        let (status, told) = ask(&mut account, "POST", "/orders/createorder", &order(json!({"orderDate": wrong})));
        assert_eq!((status, told["Message"].as_str()), (400, Some("The request is invalid.")), "{wrong}");
        assert!(told["ModelState"]["apiOrder.orderDate"][0].as_str().unwrap().contains(wrong), "{told}");
        let (status, told) = ask(&mut account, "POST", "/orders/createorders", &json!([order(json!({})), order(json!({"shipByDate": wrong}))]));
        assert!(status == 400 && told["ModelState"]["apiOrders[1].shipByDate"].is_array(), "{told}");
    }
    let (_, told) = ask(&mut account, "POST", "/orders/createorder", &order(json!({"paymentDate": "", "shipByDate": null})));
    assert_eq!((&told["paymentDate"], &told["shipByDate"]), (&Json::Null, &Json::Null));
}

#[test]
fn what_happened_to_an_order_has_the_vendors_dates() {
    let mut account = account();
    let (_, made) = ask(&mut account, "POST", "/orders/createorder", &order(json!({})));
    let id = made["orderId"].clone();
    let (status, told) = ask(&mut account, "POST", "/orders/holduntil", &json!({"orderId": id}));
    assert!(status == 400 && told["ModelState"]["holdUntilDate"].is_array(), "{told}");
    assert_eq!(ask(&mut account, "POST", "/orders/holduntil", &json!({"orderId": id, "holdUntilDate": "12/1/2026"})).0, 200);
    let (_, held) = ask(&mut account, "GET", &format!("/orders/{id}"), &Json::Null);
    assert_eq!((held["orderStatus"].as_str(), held["holdUntilDate"].as_str()), (Some("on_hold"), Some("2026-12-01T00:00:00.0000000")));
    assert_eq!(ask(&mut account, "POST", "/orders/restorefromhold", &json!({"orderId": id.to_string()})).0, 200);
    let shipped = json!({"orderId": id, "carrierCode": "ups", "shipDate": "3/5/2026", "trackingNumber": 17});
    assert_eq!(ask(&mut account, "POST", "/orders/markasshipped", &shipped).0, 200);
    let (_, told) = ask(&mut account, "GET", &format!("/orders/{id}"), &Json::Null);
    assert_eq!((told["shipDate"].as_str(), &told["holdUntilDate"]), (Some("2026-03-05"), &Json::Null));
    let (_, told) = ask(&mut account, "GET", "/fulfillments", &Json::Null);
    let told = &told["fulfillments"][0];
    assert_eq!((told["shipDate"].as_str(), told["createDate"].as_str()), (Some("2026-03-05T00:00:00.0000000"), Some("2026-03-02T00:00:00.0000000")));
    assert_eq!(told["trackingNumber"], "17");
}

#[test]
fn a_filter_reads_a_date_as_what_it_says() {
    let mut account = account();
    ask(&mut account, "POST", "/orders/createorder", &order(json!({"orderDate": "2026-11-20T10:00:00"})));
    for (query, found) in [
        ("orderDateStart=2026-11-20T10:00:00", 1),
        ("orderDateStart=2026-11-20T10:00:01", 0),
        ("orderDateStart=2026-11-20T18:00:00Z", 1),
        ("orderDateStart=2026-11-20T18:00:01Z", 0),
        ("orderDateStart=2026-11-20T19:00:00%2B01:00", 1),
        ("orderDateStart=2026-11-20T19:00:01+01:00", 0),
        ("orderDateEnd=11/20/2026", 0),
        ("orderDateEnd=11/21/2026", 1),
        ("ORDERDATEEND=11/20/2026", 0),
        ("OrderNumber=D-1", 1),
        ("OrderNumber=other", 0),
        ("ordernumber=other", 0),
        ("PageSize=1&PAGE=2", 0),
    ] {
        let (status, told) = ask(&mut account, "GET", &format!("/orders?{query}"), &Json::Null);
        assert_eq!((status, told["orders"].as_array().map(Vec::len)), (200, Some(found)), "{query}: {told}");
    }
    for (query, about) in [("createDateStart=soon", "createDateStart"), ("Page=first", "page"), ("storeId=x", "storeId"), ("sortBy=Colour", "sortBy")]
    {
        let (status, told) = ask(&mut account, "GET", &format!("/orders?{query}"), &Json::Null);
        assert_eq!((status, told["Message"].as_str()), (400, Some("The request is invalid.")), "{query}");
        assert!(told["ModelState"][about].is_array(), "{query}: {told}");
    }
    assert!(account.protocol_violations().is_empty(), "other letters are no other names: {:?}", account.protocol_violations());
    for path in ["/Shipments?RecipientName=x", "/FULFILLMENTS?OrderId=1", "/Orders/ListByTag?orderstatus=shipped&TAGID=501"] {
        assert_eq!(ask(&mut account, "GET", path, &Json::Null).0, 200, "{path}");
    }
}

#[test]
fn members_and_values_come_in_each_form() {
    let mut account = account();
    let given = json!({
        "OrderNumber": 5, "ORDERKEY": "n-5", "orderdate": "2026-11-20", "OrderStatus": "awaiting_shipment", "BillTo": {"Name": "Ada"},
        "shipto": {"NAME": "Grace", "Country": "US", "postalCode": 10001}, "AmountPaid": "12.50", "gift": "true",
        "Items": [{"SKU": "a", "Quantity": "2", "UnitPrice": "1.25"}, {"sku": "b", "quantity": 1.0, "unitPrice": 2}],
        "AdvancedOptions": {"StoreId": "300102"},
    });
    let (status, told) = ask(&mut account, "POST", "/orders/createorder", &given);
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        (told["orderNumber"].as_str(), told["orderKey"].as_str(), told["shipTo"]["postalCode"].as_str()),
        (Some("5"), Some("n-5"), Some("10001"))
    );
    assert_eq!(
        (told["items"][0]["quantity"].as_i64(), told["items"][1]["quantity"].as_i64(), told["orderTotal"].as_f64()),
        (Some(2), Some(1), Some(4.5))
    );
    assert_eq!((&told["gift"], told["amountPaid"].as_f64(), told["advancedOptions"]["storeId"].as_i64()), (&json!(true), Some(12.5), Some(300_102)));
    assert!(account.protocol_violations().is_empty(), "{:?}", account.protocol_violations());
    for (more, about) in [
        (json!({"items": [{"quantity": "two"}]}), "apiOrder.items[0].quantity"),
        (json!({"items": [{"quantity": 1.5}]}), "apiOrder.items[0].quantity"),
        (json!({"amountPaid": "free"}), "apiOrder.amountPaid"),
        (json!({"gift": "perhaps"}), "apiOrder.gift"),
        (json!({"shipTo": "here"}), "apiOrder.shipTo"),
        (json!({"items": {}}), "apiOrder.items"),
        (json!({"orderStatus": "nonsense"}), "apiOrder.orderStatus"),
        (json!({"orderNumber": null}), "apiOrder.orderNumber"),
        (json!({"weight": {"value": 1, "units": "stones"}}), "apiOrder.weight.units"),
    ] {
        let (status, told) = ask(&mut account, "POST", "/orders/createorder", &order(more));
        assert_eq!((status, told["Message"].as_str()), (400, Some("The request is invalid.")), "{about}: {told}");
        assert!(told["ModelState"][about].is_array(), "{about}: {told}");
    }
    let request = http::Request::post("https://sandbox/orders/createorder").header("authorization", "Basic c2FuZGJveDpzYW5kYm94");
    let answer = account.handle(&request.body(Bytes::from("{")).unwrap(), Timestamp::UNIX_EPOCH);
    let told: Json = serde_json::from_slice(answer.body()).unwrap();
    assert!(answer.status() == 400 && told["ModelState"]["apiOrder"].is_array(), "{told}");
}

#[test]
fn an_order_that_is_with_a_fulfillment_provider_is_listed_and_updated() {
    let mut account = account();
    let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let act = |account: &mut ShipStation, verb: &str, settings: Json| {
        account.act(&crate::sandbox::Act { verb: verb.to_owned(), subject: "D-1".to_owned(), settings }, now)
    };
    assert_eq!(ask(&mut account, "POST", "/orders/createorder", &order(json!({"orderStatus": "pending_fulfillment"}))).0, 400, "nobody sends it so");
    assert_eq!(ask(&mut account, "POST", "/orders/createorder", &order(json!({}))).0, 200);
    act(&mut account, "change", json!({"orderStatus": "pending_fulfillment", "tagIds": [501]})).unwrap();
    for list in ["/orders?orderStatus=pending_fulfillment", "/orders/listbytag?orderStatus=pending_fulfillment&tagId=501"] {
        let (status, told) = ask(&mut account, "GET", list, &Json::Null);
        assert_eq!((status, told["orders"][0]["orderStatus"].as_str()), (200, Some("pending_fulfillment")), "{list}: {told}");
    }
    // An update says the whole order again, its status too.
    let (status, told) =
        ask(&mut account, "POST", "/orders/createorder", &order(json!({"orderStatus": "pending_fulfillment", "customerNotes": "now"})));
    assert_eq!((status, told["orderStatus"].as_str(), told["customerNotes"].as_str()), (200, Some("pending_fulfillment"), Some("now")), "{told}");
    act(&mut account, "change", json!({"orderStatus": "rejected_fulfillment"})).unwrap();
    assert_eq!(ask(&mut account, "GET", "/orders", &Json::Null).1["orders"][0]["orderStatus"], "rejected_fulfillment");
    for status in ["shipped", "nonsense"] {
        assert!(act(&mut account, "change", json!({"orderStatus": status})).is_err(), "{status}");
    }
    // Shipped by hand: no label, and the order is shipped.
    act(&mut account, "change", json!({"orderStatus": "awaiting_shipment"})).unwrap();
    let told = act(&mut account, "mark", json!({"trackingNumber": "T-1"})).unwrap();
    assert_eq!(told["orderStatus"], "shipped");
    let told = ask(&mut account, "GET", "/fulfillments?orderNumber=D-1", &Json::Null).1;
    assert_eq!((told["total"].as_i64(), told["fulfillments"][0]["trackingNumber"].as_str()), (Some(1), Some("T-1")), "{told}");
    assert!(account.effects().last().is_some_and(|effect| !effect.by_api && effect.kind == "marked_shipped"));
}

#[test]
fn a_webhook_of_v1_has_its_name_and_one_of_v2_its_headers() {
    let mut account = account();
    let asked = json!({"target_url": "http://127.0.0.1/x", "event": "ORDER_NOTIFY", "store_id": "300101", "friendly_name": "My hook"});
    assert_eq!(ask(&mut account, "POST", "/webhooks/subscribe", &asked).0, 200);
    let (_, told) = ask(&mut account, "GET", "/webhooks", &Json::Null);
    let told = &told["webhooks"][0];
    assert_eq!((told["Name"].as_str(), told["StoreID"].as_i64(), told["HookType"].as_str()), (Some("My hook"), Some(300_101), Some("ORDER_NOTIFY")));
    for (body, about) in [(json!({"event": "ORDER_NOTIFY"}), "target_url"), (json!({"target_url": "http://127.0.0.1/x", "event": "X"}), "event")] {
        assert!(ask(&mut account, "POST", "/webhooks/subscribe", &body).1["ModelState"][about].is_array());
    }
    let headers = json!([{"key": "x-secret", "value": "s"}]);
    let (status, made) =
        ask(&mut account, "POST", "/v2/environment/webhooks", &json!({"event": "track", "url": "http://127.0.0.1/t", "headers": headers}));
    assert_eq!((status, &made["headers"]), (200, &headers));
    let path = format!("/v2/environment/webhooks/{}", made["webhook_id"].as_str().unwrap());
    assert_eq!(ask(&mut account, "GET", &path, &Json::Null).1, made);
    assert_eq!(ask(&mut account, "PUT", &path, &json!({"url": "http://127.0.0.1/u"})).0, 200);
    for verb in ["create", "ship", "deliver"] {
        account.act(&Act { verb: verb.into(), subject: "A-1".into(), settings: json!({}) }, "2026-03-02T08:00:00Z".parse().unwrap()).unwrap();
    }
    let told = account.deliveries("2026-03-02T08:00:00Z".parse().unwrap());
    let told = told.iter().find(|told| told.url.ends_with("/u")).unwrap();
    assert!(told.headers.contains(&("x-secret".to_owned(), "s".to_owned())));
    let (status, told) = ask(&mut account, "POST", "/v2/environment/webhooks", &json!({"event": "batch", "url": "http://127.0.0.1/t"}));
    assert!(status == 501 && told.to_string().contains("does not imitate webhooks of `batch`"), "{told}");
    assert_eq!(ask(&mut account, "POST", "/v2/environment/webhooks", &json!({"event": "other", "url": "http://127.0.0.1/t"})).0, 400);
}

#[test]
fn a_label_of_v2_has_each_described_member_and_stamps_with_milliseconds() {
    let mut account = account();
    let now: Timestamp = "2026-03-02T07:59:59.5Z".parse().unwrap();
    for (verb, settings) in [("create", json!({"weight": {"value": 2, "units": "pounds"}})), ("ship", Json::Null), ("void", Json::Null)] {
        account.act(&Act { verb: verb.into(), subject: "A-1".into(), settings }, now).unwrap();
    }
    let (_, listed) = ask(&mut account, "GET", "/v2/labels", &Json::Null);
    let label = &listed["labels"][0];
    let operations = v2::description()["operations"].as_array().unwrap();
    let described = &operations.iter().find(|known| known["path"] == "/v2/labels/{label_id}").unwrap()["answer"]["properties"];
    let missing: Vec<&String> = described.as_object().unwrap().keys().filter(|name| label.get(*name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!((label["created_at"].as_str(), label["voided_at"].as_str()), (Some("2026-03-02T07:59:59.500Z"), Some("2026-03-02T07:59:59.500Z")));
    assert_eq!((label["ship_date"].as_str(), label["ship_to"]["city_locality"].as_str()), (Some("2026-03-01T00:00:00.000Z"), Some("Springfield")));
    assert_eq!(label["packages"][0]["weight"], json!({"value": 2, "unit": "pound"}));
    let batch = label["batch_id"].as_str().unwrap();
    assert_eq!(ask(&mut account, "GET", &format!("/v2/labels?batch_id={batch}"), &Json::Null).1["total"], 1);
    assert_eq!(ask(&mut account, "GET", "/v2/labels?batch_id=se-1", &Json::Null).1["total"], 0);
}
