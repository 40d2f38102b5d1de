//! commercetools, as it is described, against answers that are written down here: pages by key, actions, and a version.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::DescribedSystem;
use crate::base::FileId;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, answer, ok};
use crate::connector::{Connector, Item, LookupRequest, Operation, Page, ReadRequest, Selection, WriteRequest};
use crate::describe::Described;
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::value::{Json, ObjectRef};

static DESCRIBED: LazyLock<Arc<Described>> = LazyLock::new(|| {
    let text = include_str!("../../../../systems/commercetools/system.yaml");
    Arc::new(crate::describe::read(FileId::default(), text).0.unwrap())
});

struct Bench {
    script: Arc<Script>,
    system: DescribedSystem,
    call: Call,
}

impl Bench {
    fn new(answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let token = ok(json!({"access_token": "t0k3n-of-a-test", "expires_in": 172_800}));
        let script = Arc::new(Script { answers: Mutex::new(std::iter::once(token).chain(answers).collect()), ..Script::default() });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let options = [("region", "europe-west1.gcp"), ("project", "shop"), ("client_id", "id"), ("client_secret", "s3cret-of-a-test")];
        let options = options.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let settings = Settings { name: "shop".into(), system: "commercetools".into(), options: BTreeMap::from(options) };
        let system = DescribedSystem::new(&DESCRIBED, &settings, script.clone(), clock).unwrap();
        Bench { script, system, call: Call::default() }
    }

    /// What was asked, with the sign-in first: method, address without the query, parameters, body.
    fn asked(&self) -> Vec<(String, BTreeMap<String, Vec<String>>, Json)> {
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        let requests = self.script.requests.lock().unwrap();
        let of = |request: &http::Request<bytes::Bytes>| {
            let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
                query.entry(name.into_owned()).or_default().push(value.into_owned());
            }
            let address = format!("{} {}{}", request.method(), request.uri().host().unwrap(), request.uri().path());
            (address, query, serde_json::from_slice(request.body()).unwrap_or_default())
        };
        requests.iter().map(of).collect()
    }

    async fn poll(&self, cursor: Option<&str>, begins: bool) -> Result<Page, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let schemas = BTreeMap::new();
        let id = vec!["id".to_owned()];
        let selection = Selection { object: &of, schemas: &schemas, projection: vec![&id], filter: Vec::new(), stamps: &[] };
        let now: Timestamp = NOW.parse().unwrap();
        let ask = ReadRequest { selection: &selection, stream: "orders", cursor, begins, overlap: SignedDuration::from_mins(1), since: None, now };
        self.system.changes(&self.call, &ask).await
    }

    async fn update(&self, body: Json) -> Result<Option<String>, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let schemas = BTreeMap::new();
        let items = [Item { key: None, id: Some("o1".to_owned()), body }];
        let now = NOW.parse().unwrap();
        let batch = WriteRequest { object: &of, schemas: &schemas, operation: Operation::Update, key_field: None, items: &items, riders: None, now };
        self.system.send(&self.call, &batch).await?.remove(0).outcome.map(|done| done.id)
    }
}

fn order(n: usize, second: usize) -> Json {
    json!({"id": format!("o{n:04}"), "version": 3, "lastModifiedAt": format!("2026-11-18T08:00:{second:02}.000Z")})
}

#[tokio::test]
async fn pages_go_on_behind_the_last_record_and_the_next_poll_by_the_systems_own_clock() {
    let full: Vec<Json> = (0..500).map(|n| order(n, n / 10)).collect();
    let bench = Bench::new([ok(json!({"results": full})), ok(json!({"results": [order(500, 51)]})), ok(json!({"results": []}))]);
    let first = bench.poll(None, true).await.unwrap();
    let second = bench.poll(first.cursor.as_deref(), false).await.unwrap();
    assert_eq!((first.changes.len(), first.more, second.changes.len(), second.more), (500, true, 1, false));
    bench.poll(second.cursor.as_deref(), true).await.unwrap();
    let asked = bench.asked();
    assert_eq!(asked[0].0, "POST auth.europe-west1.gcp.commercetools.com/oauth/token");
    let of = |at: usize| (asked[at].0.as_str(), asked[at].1["where"][0].as_str());
    let path = "GET api.europe-west1.gcp.commercetools.com/shop/orders";
    assert_eq!(of(1), (path, r#"lastModifiedAt >= "1970-01-01T00:00:00.000Z""#));
    let behind = r#"lastModifiedAt > "2026-11-18T08:00:49.000Z" or (lastModifiedAt = "2026-11-18T08:00:49.000Z" and id > "o0499")"#;
    assert_eq!(of(2), (path, behind));
    assert_eq!(of(3), (path, r#"lastModifiedAt >= "2026-11-18T07:59:51.000Z""#));
    assert_eq!(asked[1].1["sort"], ["lastModifiedAt asc", "id asc"]);
}

#[tokio::test]
async fn a_page_in_another_order_is_not_gone_on_from() {
    let bench = Bench::new([ok(json!({"results": [order(2, 9), order(1, 3)]}))]);
    let fault = bench.poll(None, true).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.message.contains("order that it was asked for")), "{fault:?}");
}

#[tokio::test]
async fn changed_fields_become_actions_under_the_version_that_was_read() {
    let read = || ok(json!({"id": "o1", "version": 7, "lastModifiedAt": "2026-11-18T08:00:00.000Z"}));
    let conflict =
        answer(409, &json!({"statusCode": 409, "message": "changed", "errors": [{"code": "ConcurrentModification", "message": "changed"}]}));
    let bench = Bench::new([read(), ok(json!({"id": "o1", "version": 9})), read(), conflict, read()]);
    let body = json!({"orderState": "Confirmed", "custom": {"fields": {"note": "x"}}});
    assert_eq!(bench.update(body.clone()).await, Ok(Some("o1".to_owned())));
    assert!(matches!(bench.update(body).await, Err(Fault::Conflict { .. })));
    let fault = bench.update(json!({"orderState": "Confirmed", "origin": "x"})).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.field.as_deref() == Some("origin")), "{fault:?}");
    let asked = bench.asked();
    assert_eq!(asked[2].0, "POST api.europe-west1.gcp.commercetools.com/shop/orders/o1");
    let actions = json!([{"action": "changeOrderState", "orderState": "Confirmed"}, {"action": "setCustomField", "name": "note", "value": "x"}]);
    assert_eq!(asked[2].2, json!({"version": 7, "actions": actions}));
}

impl Bench {
    async fn upsert(&self, object: &str, id: Option<&str>, key: &str, body: Json) -> Result<Option<String>, Fault> {
        let of = ObjectRef::new("shop", object);
        let schemas = BTreeMap::new();
        let items = [Item { key: Some(key.to_owned()), id: id.map(str::to_owned), body }];
        let now = NOW.parse().unwrap();
        let (operation, key_field) = (Operation::Upsert, Some("key"));
        let batch = WriteRequest { object: &of, schemas: &schemas, operation, key_field, items: &items, riders: None, now };
        self.system.send(&self.call, &batch).await?.remove(0).outcome.map(|done| done.id)
    }

    fn sent(&self) -> Vec<Json> {
        self.asked()
            .into_iter()
            .filter(|(address, _, _)| address.starts_with("POST") && address.contains("/orders/"))
            .map(|(_, _, body)| body)
            .collect()
    }
}

fn with_deliveries(version: u64, deliveries: &Json) -> Json {
    json!({"id": "o1", "version": version, "lastModifiedAt": "2026-11-18T08:00:00.000Z", "shippingInfo": {"deliveries": deliveries}})
}

fn conflict() -> Result<Response, Broken> {
    answer(
        409,
        &json!({"statusCode": 409, "message": "changed", "errors": [{"code": "ConcurrentModification", "message": "changed", "currentVersion": 8}]}),
    )
}

#[tokio::test]
async fn a_part_is_made_once_by_an_action_on_what_it_is_part_of() {
    let items = json!([{"id": "l1", "quantity": 2}]);
    let parcels = |number: &str| json!([{"key": "ss-1", "trackingData": {"trackingId": number, "carrier": "UPS"}}]);
    let held =
        |number: &str| json!([{"id": "d9", "key": "ss-1", "createdAt": "2026-11-18T08:00:00.000Z", "items": items, "parcels": parcels(number)}]);
    let body = |number: &str| json!({"key": "ss-1", "orderId": "o1", "items": items, "parcels": parcels(number)});
    let done = Ok(Some("o1/ss-1".to_owned()));
    // It is not there: it is added under the version that was read.
    let bench = Bench::new([ok(with_deliveries(7, &json!([]))), ok(json!({"id": "o1", "version": 9}))]);
    assert_eq!(bench.upsert("Delivery", None, "ss-1", body("1Z1")).await, done);
    let add = json!({"action": "addDelivery", "deliveryKey": "ss-1", "items": items, "parcels": parcels("1Z1")});
    assert_eq!(bench.sent(), [json!({"version": 7, "actions": [add]})]);
    // It is there already, since an answer was lost: nothing is sent again.
    let bench = Bench::new([ok(with_deliveries(9, &held("1Z1")))]);
    assert_eq!(bench.upsert("Delivery", None, "ss-1", body("1Z1")).await, done);
    assert_eq!(bench.sent(), [] as [Json; 0]);
    // Somebody else wrote the order between reading and writing: it is read again, and what is there by then is not added.
    let bench = Bench::new([ok(with_deliveries(7, &json!([]))), conflict(), ok(with_deliveries(8, &held("1Z1")))]);
    assert_eq!(bench.upsert("Delivery", None, "ss-1", body("1Z1")).await, done);
    assert_eq!(bench.sent().len(), 1);
    // What changed of it becomes actions. Of which order it is part says its id.
    let bench = Bench::new([ok(with_deliveries(9, &held("1Z1"))), ok(json!({"id": "o1", "version": 10}))]);
    assert_eq!(bench.upsert("Delivery", Some("o1/ss-1"), "ss-1", json!({"key": "ss-1", "parcels": parcels("1Z2")})).await, done);
    let set = json!({"action": "setParcelTrackingData", "parcelKey": "ss-1", "trackingData": {"trackingId": "1Z2", "carrier": "UPS"}});
    assert_eq!(bench.sent(), [json!({"version": 9, "actions": [set]})]);
    // A field that no action changes is a refusal, and what is part of nothing is one too.
    let bench = Bench::new([ok(with_deliveries(9, &held("1Z1")))]);
    let fault = bench.upsert("Delivery", None, "ss-1", json!({"key": "ss-1", "orderId": "o1", "custom": {"x": 1}})).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.field.as_deref() == Some("custom.x")), "{fault:?}");
    let fault = Bench::new([]).upsert("Delivery", None, "ss-1", json!({"key": "ss-1"})).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.field.as_deref() == Some("orderId")), "{fault:?}");
}

#[tokio::test]
async fn where_a_part_is_made_is_no_change_of_it() {
    let parcel = json!({"id": "p9", "key": "ss-1", "trackingData": {"trackingId": "1Z1"}});
    let held = json!([{"id": "d9", "key": "ss-1", "items": [], "parcels": [parcel]}]);
    let bench = Bench::new([ok(with_deliveries(9, &held)), ok(json!({"id": "o1", "version": 10}))]);
    let body = json!({"key": "ss-1", "orderId": "o1", "deliveryKey": "ss-1", "trackingData": {"trackingId": "1Z2"}});
    assert_eq!(bench.upsert("Parcel", None, "ss-1", body).await, Ok(Some("o1/ss-1".to_owned())));
    let set = json!({"action": "setParcelTrackingData", "parcelKey": "ss-1", "trackingData": {"trackingId": "1Z2"}});
    assert_eq!(bench.sent(), [json!({"version": 9, "actions": [set]})]);
}

#[tokio::test]
async fn others_who_write_the_same_record_all_the_time_do_not_reject_a_part() {
    let answers = (0..5).flat_map(|version| [ok(with_deliveries(version, &json!([]))), conflict()]);
    let bench = Bench::new(answers);
    let fault = bench.upsert("Delivery", None, "ss-1", json!({"key": "ss-1", "orderId": "o1", "items": []})).await.unwrap_err();
    assert!(matches!(fault, Fault::Transient { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_change_of_half_an_address_keeps_the_other_half() {
    let address = json!({"country": "DE", "city": "Berlin", "streetName": "Weg", "postalCode": "10115"});
    let order = json!({"id": "o1", "version": 7, "lastModifiedAt": "2026-11-18T08:00:00.000Z", "shippingAddress": address});
    let bench = Bench::new([ok(order), ok(json!({"id": "o1", "version": 8}))]);
    assert!(bench.update(json!({"shippingAddress": {"city": "Potsdam"}})).await.is_ok());
    let address = json!({"country": "DE", "city": "Potsdam", "streetName": "Weg", "postalCode": "10115"});
    assert_eq!(bench.sent(), [json!({"version": 7, "actions": [{"action": "setShippingAddress", "address": address}]})]);
}

/// Orders that are looked up by their ids are asked for together.
#[tokio::test]
async fn forty_look_ups_are_one_call() {
    let ids: Vec<String> = (0..40).map(|n| format!("o{n:04}")).collect();
    let found: Vec<Json> = (0..40).map(|n| order(n, n)).collect();
    let bench = Bench::new([ok(json!({"results": found}))]);
    let of = ObjectRef::new("shop", "Order");
    let (schemas, field, projection) = (BTreeMap::new(), ["id".to_owned()], [vec!["version".to_owned()]]);
    assert!(bench.system.lookup_batch(&of, &field) >= 40);
    let ask = LookupRequest { object: &of, schemas: &schemas, field: &field, values: &ids, companions: &[], projection: &projection };
    let found = bench.system.lookup(&bench.call, &ask).await.unwrap();
    assert!(found.len() == 40 && found.iter().all(|found| found.record["id"] == found.value.as_str()), "{found:?}");
    let asked = bench.asked();
    assert_eq!((asked.len(), asked[1].0.as_str()), (2, "GET api.europe-west1.gcp.commercetools.com/shop/orders"));
    assert!(asked[1].1["where"][0].starts_with(r#"id in ("o0000", "o0001", "#), "{:?}", asked[1].1);
}
