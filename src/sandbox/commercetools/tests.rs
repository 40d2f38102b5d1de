//! How the sandbox answers: in the vendor's forms, by its laws.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::sandbox::kit::laws::Law;

struct Bench {
    shop: Commercetools,
    token: String,
    now: Timestamp,
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl Bench {
    fn with(laws: Held, orders: usize) -> Self {
        let now: Timestamp = "2026-11-18T08:00:00Z".parse().unwrap();
        let shop = Commercetools::new(Options { laws, orders, start: now, ..Options::default() });
        let mut bench = Bench { shop, token: String::new(), now };
        let (status, answer) = bench.sign_in("sandbox", "sandbox", "client_credentials");
        assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("Bearer"), &json!(172_800)));
        bench.token = answer["access_token"].as_str().unwrap().to_owned();
        bench
    }

    fn new(orders: usize) -> Self {
        Bench::with(LAWS.held(), orders)
    }

    fn sign_in(&mut self, id: &str, secret: &str, grant: &str) -> (u16, Json) {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let request = http::Request::post("http://x/oauth/token").header("authorization", format!("Basic {basic}"));
        let request = request.body(Bytes::from(format!("grant_type={grant}&scope=manage_orders%3Asandbox"))).unwrap();
        self.sent(&request)
    }

    fn sent(&mut self, request: &Request) -> (u16, Json) {
        let response = self.shop.handle(request, self.now);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    fn get(&mut self, path: &str) -> (u16, Json) {
        let request = http::Request::get(format!("http://x/sandbox/{path}")).header("authorization", format!("Bearer {}", self.token));
        let request = request.body(Bytes::new()).unwrap();
        self.sent(&request)
    }

    fn post(&mut self, path: &str, body: &Json) -> (u16, Json) {
        let request = http::Request::post(format!("http://x/sandbox/{path}")).header("authorization", format!("Bearer {}", self.token));
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        self.sent(&request)
    }

    fn list(&mut self, kind: &str, wheres: &str) -> Vec<Json> {
        let (status, answer) = self.get(&format!("{kind}?limit=500&where={}", encoded(wheres)));
        assert_eq!(status, 200, "{answer}");
        answer["results"].as_array().unwrap().clone()
    }

    fn order(&mut self) -> Json {
        self.act("create", "", json!({}))
    }

    fn act(&mut self, verb: &str, subject: &str, settings: Json) -> Json {
        self.shop.act(&Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }, self.now).unwrap()
    }

    /// An update of an order as it is now.
    fn update(&mut self, id: &str, actions: Json) -> (u16, Json) {
        let version = self.shop.resource("orders", id).unwrap()["version"].clone();
        self.post(&format!("orders/{id}"), &json!({"version": version, "actions": actions}))
    }

    fn code(answer: &(u16, Json)) -> (u16, &str) {
        (answer.0, answer.1["errors"][0]["code"].as_str().unwrap_or_default())
    }
}

/// Holds an answer against the vendor's file, by an independent validator, and without any field that the file does not have.
fn is_of_its_form(form: &str, answer: &Json) {
    let mut document: Json = serde_json::from_str(include_str!("../../../sandbox/commercetools/api.json")).unwrap();
    document["$ref"] = json!(format!("#/components/schemas/{form}"));
    let validator = jsonschema::draft7::new(&document).unwrap();
    let wrong: Vec<String> = validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{form}: {wrong:#?}");
    let unknown = FORMS.mismatches(FORMS.named(form).unwrap(), answer);
    assert!(unknown.is_empty(), "{form}: {unknown:#?}");
}

fn some_line(order: &Json) -> String {
    order["lineItems"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_answer_has_the_vendors_form() {
    let mut bench = Bench::new(60);
    for (kind, form) in KINDS {
        let (status, page) = bench.get(&format!("{kind}?limit=500"));
        assert_eq!(status, 200);
        let results = page["results"].as_array().unwrap().clone();
        assert!(!results.is_empty() && page["count"] == page["total"], "{kind}");
        for one in &results {
            let mut one = one.clone();
            // A custom field's value may be anything, and is held by its type.
            if let Some(custom) = one.get_mut("custom") {
                assert!(custom["fields"].is_object());
            }
            is_of_its_form(form, &one);
        }
        let paged = match kind {
            "inventory" => "InventoryPagedQueryResponse".to_owned(),
            _ => format!("{form}PagedQueryResponse"),
        };
        is_of_its_form(&paged, &page);
        let id = results[0]["id"].as_str().unwrap();
        assert_eq!(bench.get(&format!("{kind}/{id}")), (200, results[0].clone()));
        let missing = bench.get(&format!("{kind}/00000000-0000-4000-8000-000000000000"));
        assert_eq!(Bench::code(&missing), (404, "ResourceNotFound"));
        is_of_its_form("ErrorResponse", &missing.1);
    }
    assert_eq!(bench.shop.protocol_violations(), [] as [&str; 0]);
    // What is written answers in the form of what is read.
    let order = bench.order();
    let id = order["id"].as_str().unwrap();
    let actions = json!([
        {"action": "addDelivery", "deliveryKey": "d1", "items": [{"id": some_line(&order), "quantity": 1}],
         "parcels": [{"key": "p1", "measurements": {"weightInGram": 500}, "trackingData": {"trackingId": "1Z", "carrier": "UPS", "isReturn": false}}]},
        {"action": "updateSyncInfo", "channel": {"typeId": "channel", "key": "fulfillment"}, "externalId": "9"},
        {"action": "addReturnInfo", "returnTrackingId": "r1", "items": [{"quantity": 1, "lineItemId": some_line(&order), "shipmentState": "Advised"}]},
        {"action": "transitionState", "state": {"typeId": "state", "key": "shipped"}, "force": true},
        {"action": "changeShipmentState", "shipmentState": "Shipped"},
        {"action": "setCustomField", "name": "fulfillmentStatus", "value": "shipped"},
    ]);
    let (status, after) = bench.update(id, actions);
    assert_eq!(status, 200, "{after}");
    is_of_its_form("Order", &after);
    assert_eq!(after["shippingInfo"]["deliveries"][0]["parcels"][0]["trackingData"]["trackingId"], "1Z");
    let draft = json!({
        "orderNumber": "I-1", "totalPrice": {"currencyCode": "EUR", "centAmount": 990}, "customerEmail": "a@example.com",
        "lineItems": [{"name": {"en": "Cup"}, "variant": {"id": 1, "sku": "CUP-01"}, "quantity": 1, "price": {"value": {"currencyCode": "EUR", "centAmount": 990}}}],
        "shippingInfo": {"shippingMethodName": "Standard", "price": {"currencyCode": "EUR", "centAmount": 0}, "shippingRate": {"price": {"currencyCode": "EUR", "centAmount": 0}}},
    });
    let (status, imported) = bench.post("orders/import", &draft);
    assert_eq!(status, 201, "{imported}");
    is_of_its_form("Order", &imported);
    let entry = json!({"sku": "NEW-1", "key": "new-1", "quantityOnStock": 4, "supplyChannel": {"typeId": "channel", "key": "warehouse-eu"}});
    let (status, entry) = bench.post("inventory", &entry);
    assert_eq!(status, 201, "{entry}");
    is_of_its_form("InventoryEntry", &entry);
}

#[test]
fn refusals_have_the_vendors_codes_and_nothing_of_the_request_is_done() {
    let mut bench = Bench::new(3);
    let order = bench.order();
    let id = order["id"].as_str().unwrap().to_owned();
    let line = some_line(&order);
    let path = format!("orders/{id}");
    let effects = bench.shop.effects().len();
    let first = json!({"action": "changeOrderState", "orderState": "Complete"});
    for (body, code) in [
        (json!({"version": 99, "actions": [first]}), (409, "ConcurrentModification")),
        (json!({"actions": [first]}), (400, "InvalidJsonInput")),
        (json!({"version": 1, "actions": [first, {"action": "juggle"}]}), (400, "InvalidJsonInput")),
        (json!({"version": 1, "actions": [first, {"action": "changeShipmentState", "shipmentState": "Bogus"}]}), (400, "InvalidJsonInput")),
        (json!({"version": 1, "actions": [first, {"action": "setOrderNumber", "orderNumber": "CT-00001"}]}), (400, "DuplicateField")),
        (
            json!({"version": 1, "actions": [first, {"action": "transitionState", "state": {"typeId": "state", "key": "nowhere"}}]}),
            (400, "ReferencedResourceNotFound"),
        ),
        (
            json!({"version": 1, "actions": [first, {"action": "transitionState", "state": {"typeId": "state", "key": "delivered"}}]}),
            (400, "InvalidOperation"),
        ),
        (
            json!({"version": 1, "actions": [first, {"action": "transitionState", "state": {"typeId": "state", "key": "line-shipped"}}]}),
            (400, "InvalidOperation"),
        ),
        (json!({"version": 1, "actions": [first, {"action": "setCustomField", "name": "nothing", "value": "x"}]}), (400, "InvalidField")),
        (json!({"version": 1, "actions": [first, {"action": "setCustomField", "name": "shipBy", "value": "soon"}]}), (400, "InvalidField")),
        (
            json!({"version": 1, "actions": [first, {"action": "addDelivery", "items": [{"id": "no-line", "quantity": 1}]}]}),
            (400, "InvalidOperation"),
        ),
        (
            json!({"version": 1, "actions": [first, {"action": "updateSyncInfo", "channel": {"typeId": "channel", "key": "web"}}]}),
            (400, "MissingRoleOnChannel"),
        ),
        (json!({"version": 1, "actions": [first, {"action": "setParcelTrackingData", "parcelKey": "p"}]}), (400, "InvalidOperation")),
        (json!({"version": 1, "actions": [first, {"action": "setStore"}]}), (400, "InvalidOperation")),
        (json!({"version": 1, "actions": vec![first.clone(); 501]}), (400, "InvalidInput")),
    ] {
        let answer = bench.post(&path, &body);
        assert_eq!(Bench::code(&answer), code, "{body}: {}", answer.1);
        is_of_its_form("ErrorResponse", &answer.1);
    }
    assert_eq!(bench.shop.resource("orders", &id).unwrap(), &order);
    assert_eq!(bench.shop.effects().len(), effects);
    let conflict = bench.post(&path, &json!({"version": 7, "actions": []}));
    assert_eq!(conflict.1["errors"][0]["currentVersion"], 1);
    // An order without shipping information takes no delivery.
    let bare = bench.post("orders/import", &json!({"orderNumber": "bare", "totalPrice": {"currencyCode": "EUR", "centAmount": 1}})).1;
    let answer = bench.update(bare["id"].as_str().unwrap(), json!([{"action": "addDelivery", "items": []}]));
    assert_eq!(Bench::code(&answer), (400, "InvalidOperation"));
    let again = bench.post("orders/import", &json!({"orderNumber": "bare", "totalPrice": {"currencyCode": "EUR", "centAmount": 1}}));
    assert_eq!((Bench::code(&again), &again.1["errors"][0]["field"]), ((400, "DuplicateField"), &json!("orderNumber")));
    // A field that the API does not know is read over, and told to who wrote the caller.
    let (status, _) = bench.update(&id, json!([{"action": "changeOrderState", "orderState": "Open", "reason": "x"}]));
    assert_eq!(status, 200);
    assert_eq!(bench.shop.protocol_violations(), ["POST /{projectKey}/orders/{ID}: actions.0.reason: there is no such field"]);
    let _ = line;
}

#[test]
fn lists_are_asked_as_the_vendor_says() {
    let mut bench = Bench::new(45);
    let (_, page) = bench.get("orders");
    assert_eq!((&page["limit"], &page["offset"], &page["count"], &page["total"]), (&json!(20), &json!(0), &json!(20), &json!(45)));
    let (_, page) = bench.get("orders?limit=500&offset=40&withTotal=false&sort=orderNumber%20desc");
    let numbers: Vec<&str> = page["results"].as_array().unwrap().iter().map(|order| order["orderNumber"].as_str().unwrap()).collect();
    assert_eq!((numbers, page.get("total")), (vec!["CT-00005", "CT-00004", "CT-00003", "CT-00002", "CT-00001"], None));
    // Behind the last one, until there is none: each once.
    let mut seen = Vec::new();
    let mut wheres = r#"lastModifiedAt >= "1970-01-01T00:00:00.000Z""#.to_owned();
    loop {
        let asked = format!("orders?limit=7&sort=lastModifiedAt%20asc&sort=id%20asc&where={}", encoded(&wheres));
        let (_, page) = bench.get(&asked);
        let Some(last) = page["results"].as_array().unwrap().last() else { break };
        let (stamp, id) = (last["lastModifiedAt"].as_str().unwrap(), last["id"].as_str().unwrap());
        wheres = format!("lastModifiedAt > \"{stamp}\" or (lastModifiedAt = \"{stamp}\" and id > \"{id}\")");
        seen.extend(page["results"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()));
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((all, seen.len()), (45, 45));
    assert_eq!(bench.get("orders/order-number=CT-00007").1["orderNumber"], "CT-00007");
    for (query, words) in [
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("offset=10001", "offset"),
        ("withTotal=maybe", "withTotal"),
        ("sort=nothing", "sort"),
        ("sort=id%20up", "sort"),
        ("where=id", "where"),
        ("where=nothing%3D1", "nothing"),
    ] {
        let answer = bench.get(&format!("orders?{query}"));
        assert_eq!(Bench::code(&answer), (400, "InvalidInput"), "{query}");
        assert!(answer.1["message"].as_str().unwrap().contains(words), "{answer:?}");
        is_of_its_form("ErrorResponse", &answer.1);
    }
    bench.get("orders?page=2");
    assert_eq!(bench.shop.protocol_violations(), ["GET /{projectKey}/orders: there is no parameter `page`"]);
}

#[test]
fn nobody_is_answered_without_a_token_of_the_project() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.sign_in("sandbox", "wrong", "client_credentials").0, 401);
    assert_eq!(bench.sign_in("sandbox", "sandbox", "password").0, 400);
    let token = std::mem::take(&mut bench.token);
    let answer = bench.get("orders");
    assert_eq!((Bench::code(&answer), &answer.1["error"]), ((401, "invalid_token"), &json!("invalid_token")));
    bench.token = token;
    assert_eq!(bench.get("orders").0, 200);
    let request = http::Request::get("http://x/other/orders").header("authorization", format!("Bearer {}", bench.token)).body(Bytes::new()).unwrap();
    assert_eq!(Bench::code(&bench.sent(&request)), (403, "insufficient_scope"));
    bench.act("expire", "", json!({}));
    assert_eq!(bench.get("orders").0, 401);
    let (_, answer) = bench.sign_in("sandbox", "sandbox", "client_credentials");
    bench.token = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.get("orders").0, 200);
    bench.now += SignedDuration::from_secs(172_800);
    assert_eq!(bench.get("orders").0, 401);
}

/// Switched off, each law changes what an observer sees. What no observation notices is a law that says nothing.
#[test]
fn each_law_is_noticed_when_it_is_switched_off() {
    /// Everything that laws decide, as a text.
    fn observed(laws: Held) -> String {
        let mut bench = Bench::with(laws, 25);
        let order = bench.order();
        let id = order["id"].as_str().unwrap().to_owned();
        let line = some_line(&order);
        let mut seen = Vec::new();
        let found = |bench: &mut Bench, at: i64| {
            bench.now += SignedDuration::from_secs(at);
            bench.list("orders", &format!("id = \"{id}\"")).len()
        };
        seen.push(json!([found(&mut bench, 0), found(&mut bench, 60), found(&mut bench, 60)]));
        let stale = bench.post(&format!("orders/{id}"), &json!({"version": 77, "actions": [{"action": "changeOrderState", "orderState": "Open"}]}));
        seen.push(json!(stale.0));
        let delivery = json!({"action": "addDelivery", "deliveryKey": "d1", "items": [{"id": line, "quantity": 1}]});
        for actions in [
            json!([{"action": "changeOrderState", "orderState": "Open"}]),
            json!([{"action": "changeOrderState", "orderState": "Open"}]),
            json!([{"action": "changeOrderState", "orderState": "Complete"}, {"action": "setCustomerEmail", "email": "b@example.com"}]),
            json!([delivery]),
            json!([delivery]),
            json!([{"action": "addDelivery", "deliveryKey": "d2", "items": [{"id": line, "quantity": 99}]}]),
            json!([{"action": "changeOrderState", "orderState": "Cancelled"}, {"action": "setOrderNumber", "orderNumber": "CT-00001"}]),
            json!([{"action": "transitionState", "state": {"typeId": "state", "key": "delivered"}}]),
            json!([{"action": "updateSyncInfo", "channel": {"typeId": "channel", "key": "fulfillment"}, "externalId": "1"}]),
            json!([{"action": "updateSyncInfo", "channel": {"typeId": "channel", "key": "fulfillment"}, "externalId": "2"}]),
        ] {
            let (status, answer) = bench.update(&id, actions);
            let marks = answer["syncInfo"].as_array().map(Vec::len);
            let state = bench.shop.resource("orders", &id).unwrap()["orderState"].clone();
            seen.push(json!([status, answer["version"], marks, state, answer["errors"][0]["code"]]));
        }
        let entry = json!({"sku": "NEW", "key": "k", "quantityOnStock": 1});
        for entry in [entry.clone(), entry.clone(), json!({"sku": "NEW", "key": "other", "quantityOnStock": 1})] {
            let answer = bench.post("inventory", &entry);
            seen.push(json!([answer.0, answer.1["errors"][0]["field"]]));
        }
        let known = bench.list("inventory", "sku = \"CUP-01\"");
        let stale = bench.post(
            &format!("inventory/{}", known[0]["id"].as_str().unwrap()),
            &json!({"version": 77, "actions": [{"action": "changeQuantity", "quantity": 1}]}),
        );
        seen.push(json!(stale.0));
        let made = bench.post("inventory", &json!({"sku": "LATE", "quantityOnStock": 1})).0;
        seen.push(json!([made, bench.list("inventory", "sku = \"LATE\"").len()]));
        let draft = json!({"orderNumber": "CT-00002", "totalPrice": {"currencyCode": "EUR", "centAmount": 1}});
        seen.push(json!(bench.post("orders/import", &draft).0));
        seen.push(json!(bench.get("orders").1["results"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect::<Vec<_>>()));
        seen.push(json!(bench.get("orders?offset=10001").0));
        bench.now += SignedDuration::from_secs(200_000);
        seen.push(json!(bench.get("orders").0));
        seen.iter().map(|one| format!("{one}\n")).collect()
    }
    let held = LAWS.held();
    let as_is = observed(held.clone());
    for (at, (of, law)) in held.iter().enumerate() {
        // A request's actions are carried out together by how the sandbox is made, and no lag is what there is without a law of it.
        if matches!(law, Law::AllOrNone {} | Law::Lag { seconds: 0 }) {
            continue;
        }
        assert_ne!(as_is, observed(held.without(at)), "{} of {of} is noticed by nothing", law.name());
    }
    for (name, world) in LAWS.worlds().into_iter().skip(1) {
        assert_ne!(as_is, observed(world), "the other world is as this one: {name}");
    }
}

#[test]
fn a_line_goes_from_state_to_state_in_part_and_stock_is_absolute() {
    let mut bench = Bench::new(0);
    let mut order = bench.order();
    let id = order["id"].as_str().unwrap().to_owned();
    bench.act("change", &id, json!({"lineItems.0.quantity": 3, "lineItems.0.state.0.quantity": 3}));
    let line = some_line(&order);
    let go = |quantity: i64| {
        let state = |key: &str| json!({"typeId": "state", "key": key});
        json!([{"action": "transitionLineItemState", "lineItemId": line, "quantity": quantity, "fromState": state("Initial"), "toState": state("line-shipped")}])
    };
    order = bench.update(&id, go(2)).1;
    let quantities: Vec<i64> = order["lineItems"][0]["state"].as_array().unwrap().iter().map(|state| state["quantity"].as_i64().unwrap()).collect();
    assert_eq!(quantities, [1, 2]);
    assert_eq!(Bench::code(&bench.update(&id, go(2))), (400, "InvalidOperation"));
    let entry = bench.list("inventory", "sku = \"CUP-01\"").remove(0);
    let path = format!("inventory/{}", entry["id"].as_str().unwrap());
    let update =
        json!({"version": entry["version"], "actions": [{"action": "changeQuantity", "quantity": 7}, {"action": "addQuantity", "quantity": 2}]});
    assert_eq!(bench.post(&path, &update).1["availableQuantity"], 9);
    bench.act("stock", "CUP-01", json!({"quantity": 3, "channel": "warehouse-west"}));
    assert_eq!(bench.list("inventory", "sku = \"CUP-01\" and quantityOnStock = 3").len(), 1);
}

/// What a person makes of an order stays one: the requests after it find what they count on.
#[test]
fn an_act_that_makes_no_order_of_an_order_is_refused() {
    let mut bench = Bench::new(1);
    let mut act = |verb: &str, settings: Json| {
        let act = Act { verb: verb.to_owned(), subject: "CT-00001".to_owned(), settings };
        bench.shop.act(&act, bench.now).unwrap_err()
    };
    for (path, at) in [("custom", "custom"), ("custom.fields", "custom.fields"), ("shippingAddress", "shippingAddress"), ("lineItems", "lineItems")] {
        let said = act("change", json!({ path: "x" }));
        assert!(said.contains("an order cannot be like that") && said.contains(at), "{path}: {said}");
    }
    assert!(act("address", json!({"city": 7})).contains("shippingAddress.city"));
    let said = act("state", json!({"to": "nowhere"}));
    assert!(said.contains("there are: ") && said.contains("ready-to-ship"), "{said}");
    assert!(act("change", json!({"color": "red"})).contains("color: there is no such field"));
    assert!(act("address", json!({"town": "Portland"})).contains("shippingAddress.town: there is no such field"));
    let made = Act { verb: "create".to_owned(), subject: "CT-9".to_owned(), settings: json!({"custom": "x"}) };
    assert!(bench.shop.act(&made, bench.now).unwrap_err().contains("custom"));
}
