//! The sandbox held against the vendor's description: what answers hold, what examples are answered with, what every
//! parameter does.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Options, ShipStation, api};
use crate::sandbox::{Act, System};
use crate::value::Json;

fn now() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn account(options: Options) -> ShipStation {
    ShipStation::new(Options { per_minute: None, ..options })
}

fn ask_at(account: &mut ShipStation, method: &str, path: &str, body: &Json, at: Timestamp) -> (u16, Json) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = http::Request::builder()
        .method(method)
        .uri(format!("https://sandbox{path}"))
        .header("authorization", "Basic c2FuZGJveDpzYW5kYm94")
        .body(body)
        .unwrap();
    let answer = account.handle(&request, at);
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

fn ask(account: &mut ShipStation, method: &str, path: &str, body: &Json) -> (u16, Json) {
    ask_at(account, method, path, body, now())
}

fn order(number: &str, more: Json) -> Json {
    let mut order = json!({
        "orderNumber": number, "orderKey": format!("k-{number}"), "orderDate": "2026-03-01T10:00:00", "orderStatus": "awaiting_shipment",
        "billTo": {"name": "Ada Bill"}, "shipTo": {"name": "Grace Ship", "country": "US"}, "paymentDate": "2026-03-01T11:00:00",
        "taxAmount": 1.5, "shippingAmount": 4,
        "items": [{"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 3, "unitPrice": 2.25, "options": [{"name": "Size", "value": "Large"}]}],
    });
    if let (Json::Object(order), Json::Object(more)) = (&mut order, more) {
        order.extend(more);
    }
    order
}

fn act(verb: &str, subject: &str) -> Act {
    Act { verb: verb.to_owned(), subject: subject.to_owned(), settings: Json::Null }
}

/// An account in which everything has happened once.
fn lived() -> ShipStation {
    let mut account = account(Options::default());
    for number in ["A-1", "A-2", "A-3"] {
        assert_eq!(ask(&mut account, "POST", "/orders/createorder", &order(number, json!({}))).0, 200);
    }
    account.act(&act("ship", "A-1"), now()).unwrap();
    let second = id(&account, "A-2");
    let (status, _) = ask(&mut account, "POST", "/orders/markasshipped", &json!({"orderId": second, "carrierCode": "ups", "trackingNumber": "1Z"}));
    assert_eq!(status, 200);
    let (status, _) = ask(&mut account, "POST", "/webhooks/subscribe", &json!({"target_url": "http://127.0.0.1/x", "event": "SHIP_NOTIFY"}));
    assert_eq!(status, 200);
    account
}

fn id(account: &ShipStation, number: &str) -> i64 {
    account.account.by_number.iter().find(|(known, _)| known == number).unwrap().1
}

/// Names of the description that are in none of the answer's objects, with where they belong.
fn missing(described: &Json, answer: &Json, at: &str, out: &mut Vec<String>) {
    match (described, answer) {
        (Json::Object(known), answer) if known.len() == 1 && known.contains_key("items") => {
            let Some(first) = answer.as_array().and_then(|list| list.first()) else {
                out.push(format!("{at}: an element"));
                return;
            };
            missing(&known["items"], first, at, out);
        }
        (Json::Object(known), Json::Object(fields)) => {
            for (name, inner) in known {
                match fields.get(name) {
                    None => out.push(format!("{at}.{name}")),
                    Some(Json::Null) => {}
                    Some(Json::Array(list)) if list.is_empty() => {}
                    Some(value) => missing(inner, value, &format!("{at}.{name}"), out),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn answers_hold_every_field_that_the_description_names() {
    let mut account = lived();
    let first = id(&account, "A-1");
    let mut checked = 0;
    for operation in api::described() {
        let (method, path) = (operation["method"].as_str().unwrap(), operation["path"].as_str().unwrap());
        let Some(described) = operation.get("answer").filter(|_| method == "GET") else { continue };
        let asked = match path {
            "/orders/{orderId}" => format!("/orders/{first}"),
            "/orders/listbytag" => "/orders/listbytag?orderStatus=awaiting_shipment&tagId=501".to_owned(),
            "/carriers/getcarrier" => "/carriers/getcarrier?carrierCode=ups".to_owned(),
            "/carriers/listservices" | "/carriers/listpackages" => format!("{path}?carrierCode=ups"),
            "/shipments" => "/shipments?includeShipmentItems=true".to_owned(),
            "/stores/{storeId}" => "/stores/300101".to_owned(),
            "/warehouses/{warehouseId}" => "/warehouses/4401".to_owned(),
            other => other.to_owned(),
        };
        if path == "/orders/listbytag" {
            let third = id(&account, "A-3");
            assert_eq!(ask(&mut account, "POST", "/orders/addtag", &json!({"orderId": third, "tagId": 501})).0, 200);
        }
        let (status, answer) = ask(&mut account, method, &asked, &Json::Null);
        if status == 501 {
            assert!(answer["message"].as_str().unwrap().contains("does not imitate"));
            continue;
        }
        assert_eq!(status, 200, "{asked}: {answer}");
        let mut found = Vec::new();
        missing(described, &answer, path, &mut found);
        // The transcription took the example's words for the schema's; a shipment's weight has two fields.
        found.retain(|name| !name.ends_with("WeightUnits"));
        assert!(found.is_empty(), "{asked} lacks {found:?}");
        checked += 1;
    }
    assert!(checked >= 14, "{checked}");
}

#[test]
fn the_examples_of_the_description_are_understood() {
    let mut account = lived();
    let mut sent = 0;
    for operation in api::described() {
        let (method, path) = (operation["method"].as_str().unwrap(), operation["path"].as_str().unwrap());
        let Some(example) = operation.get("example") else { continue };
        let asked = path.replace("{storeId}", "300101").replace("{warehouseId}", "4401").replace("{productId}", "1");
        let (status, answer) = ask(&mut account, method, &asked, example);
        // The examples' own orders, carriers and tags are not in this account: that is what it says, and nothing else.
        let known =
            matches!(status, 200 | 404 | 501) || ["carrier", "tag", "not found"].iter().any(|why| answer["ModelState"].to_string().contains(why));
        assert!(known, "{path}: {status} {answer}");
        sent += 1;
    }
    assert!(sent > 10, "{sent}");
    // The description's own example of a registration has a field that its schema has not.
    let complaints: Vec<&String> = account.protocol_violations().iter().filter(|told| !told.starts_with("/accounts/registeraccount")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// Every parameter of the two lists narrows them, and is no mere ornament.
#[test]
fn every_parameter_of_a_list_does_something() {
    let mut account = lived();
    let (_, whole) = ask(&mut account, "GET", "/orders", &Json::Null);
    let orders = whole["orders"].as_array().unwrap().len();
    let (_, whole) = ask(&mut account, "GET", "/shipments", &Json::Null);
    let shipments = whole["shipments"].as_array().unwrap().len();
    let (_, whole) = ask(&mut account, "GET", "/fulfillments", &Json::Null);
    let fulfillments = whole["fulfillments"].as_array().unwrap().len();
    assert_eq!((orders, shipments, fulfillments), (3, 1, 1));
    for operation in api::described() {
        let path = operation["path"].as_str().unwrap();
        let list = match (operation["method"].as_str().unwrap(), path) {
            ("GET", "/orders" | "/shipments" | "/fulfillments") => path.trim_start_matches('/'),
            _ => continue,
        };
        for name in operation["query"].as_object().unwrap().keys() {
            let nothing = match name.as_str() {
                "sortBy" | "sortDir" | "includeShipmentItems" => continue,
                "page" => "99",
                "pageSize" => continue,
                name if name.ends_with("Start") => "2030-01-01",
                name if name.ends_with("End") => "2001-01-01",
                "orderStatus" => "cancelled",
                "storeId" => "300102",
                name if name.ends_with("Id") => "1",
                _ => "zzz",
            };
            let (status, answer) = ask(&mut account, "GET", &format!("{path}?{name}={nothing}"), &Json::Null);
            assert_eq!(status, 200, "{path} {name}: {answer}");
            assert_eq!(answer[list], json!([]), "{path} is not narrowed by {name}");
        }
    }
    for (asked, found) in [
        ("/orders?customerName=grace", 3),
        ("/orders?itemKeyword=large", 3),
        ("/orders?orderDateStart=2026-03-01&orderDateEnd=2026-03-02", 3),
        ("/orders?orderNumber=A-", 3),
        ("/orders?orderNumber=A-2", 1),
        ("/shipments?recipientName=Grace&recipientCountryCode=US", 1),
    ] {
        let (_, answer) = ask(&mut account, "GET", asked, &Json::Null);
        assert_eq!(answer["total"], json!(found), "{asked}");
    }
}

#[test]
fn an_order_has_its_total_and_its_defaults() {
    let mut account = lived();
    let id = id(&account, "A-3");
    let (_, order) = ask(&mut account, "GET", &format!("/orders/{id}"), &Json::Null);
    assert_eq!(order["orderTotal"], json!(12.25));
    assert_eq!((order["gift"].clone(), order["confirmation"].clone(), order["shipDate"].clone()), (json!(false), json!("none"), Json::Null));
    assert_eq!(order["weight"], json!({"value": 0, "units": "ounces"}));
    assert_eq!(order["advancedOptions"]["storeId"], json!(300_101));
}

#[test]
fn a_list_shows_what_was_changed_lately_as_it_was_before() {
    let mut account = account(Options { search_lag: SignedDuration::from_secs(30), ..Options::default() });
    ask(&mut account, "POST", "/orders/createorder", &order("L-1", json!({"customerNotes": "first"})));
    let listed = |account: &mut ShipStation, at: Timestamp| {
        let (_, answer) = ask_at(account, "GET", "/orders?orderNumber=L-1", &Json::Null, at);
        answer["orders"].as_array().unwrap().iter().map(|order| order["customerNotes"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut account, after(10)), Vec::<String>::new(), "a new order shows later");
    assert_eq!(listed(&mut account, after(30)), ["first"]);
    ask_at(&mut account, "POST", "/orders/createorder", &order("L-1", json!({"customerNotes": "second"})), after(60));
    ask_at(&mut account, "POST", "/orders/createorder", &order("L-1", json!({"customerNotes": "third"})), after(80));
    assert_eq!(listed(&mut account, after(85)), ["first"]);
    assert_eq!(listed(&mut account, after(95)), ["second"]);
    assert_eq!(listed(&mut account, after(110)), ["third"]);
    let id = id(&account, "L-1");
    let (_, order) = ask_at(&mut account, "GET", &format!("/orders/{id}"), &Json::Null, after(81));
    assert_eq!(order["customerNotes"], "third", "asked for by its id it is there at once");
}

#[test]
fn an_order_may_go_in_several_parcels_and_orders_in_one() {
    let mut account = lived();
    let first = id(&account, "A-1");
    let again = account.act(&act("parcel", "A-1"), now()).unwrap();
    assert_eq!(again["orderId"], first);
    let (_, listed) = ask(&mut account, "GET", &format!("/shipments?orderId={first}"), &Json::Null);
    assert_eq!(listed["total"], 2, "{listed}");
    assert!(account.act(&act("parcel", "A-3"), now()).unwrap_err().contains("`ship` makes the first label"));
    for number in ["C-1", "C-2"] {
        account.act(&act("create", number), now()).unwrap();
    }
    let with = |verb: &str, number: &str, other: &str| Act { settings: json!({"with": other}), ..act(verb, number) };
    assert!(account.act(&act("combine", "C-1"), now()).unwrap_err().contains("--set with="));
    assert!(account.act(&with("combine", "C-1", "A-1"), now()).unwrap_err().contains("only open orders"));
    let (one, other) = (id(&account, "C-1"), id(&account, "C-2"));
    let combined = account.act(&with("combine", "C-1", "C-2"), now()).unwrap();
    assert_eq!((&combined["advancedOptions"]["mergedIds"], combined["items"].as_array().unwrap().len()), (&json!([other]), 2));
    account.act(&act("ship", "C-1"), now()).unwrap();
    for number in [one, other] {
        assert_eq!(ask(&mut account, "GET", &format!("/orders/{number}"), &Json::Null).1["orderStatus"], "shipped");
    }
    let (_, listed) = ask(&mut account, "GET", &format!("/shipments?orderId={other}"), &Json::Null);
    assert_eq!(listed["total"], 0);
}

/// What a person names is a field of an order and holds what the description says, or it is refused.
#[test]
fn fields_that_no_order_has_are_refused() {
    let mut account = ShipStation::new(Options::default());
    let mut said = |verb: &str, settings: Json| account.act(&Act { verb: verb.to_owned(), subject: "F-1".to_owned(), settings }, now());
    said("create", serde_json::json!({"customerNotes": "twice"})).unwrap();
    for (settings, says) in [
        (serde_json::json!({"orderStaus": "cancelled"}), "did you mean `orderStatus`?"),
        (serde_json::json!({"shipTo.town": "Elko"}), "no field `shipTo.town`"),
        (serde_json::json!({"shipTo": "Elko"}), "object"),
        (serde_json::json!({"amountPaid": "much"}), "Could not convert"),
        (serde_json::json!({"shipByDate": "soon"}), "Could not convert"),
    ] {
        for verb in ["create", "change"] {
            let told = said(verb, settings.clone()).unwrap_err();
            assert!(told.contains(says), "{verb} {settings}: {told}");
        }
    }
    let changed = said("change", serde_json::json!({"shipTo.city": "Elko", "amountPaid": "12.5"})).unwrap();
    assert_eq!((&changed["shipTo"]["city"], &changed["amountPaid"]), (&serde_json::json!("Elko"), &serde_json::json!(12.5)));
}
