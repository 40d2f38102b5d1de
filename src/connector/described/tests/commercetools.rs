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
use crate::connector::{Connector, Item, Operation, Page, ReadRequest, Selection, WriteRequest};
use crate::describe::Described;
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::value::{Json, ObjectRef};

static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
    let text = include_str!("../../../../tests/corpus/descriptions/commercetools.yaml");
    crate::describe::read(FileId::default(), text).0.unwrap()
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
    let read = || ok(json!({"results": [{"id": "o1", "version": 7, "lastModifiedAt": "2026-11-18T08:00:00.000Z"}]}));
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
