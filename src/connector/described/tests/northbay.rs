//! The example of the book, a 3PL's warehouse, carried out as it is printed there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use jiff::Timestamp;
use serde_json::json;

use super::super::DescribedSystem;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, ok};
use crate::connector::{Connector, Item, Operation, ReadRequest, Selection, State, WriteRequest};
use crate::describe::Known;
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::value::{Json, ObjectRef};

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let page = include_str!("../../../../docs/reference/descriptions.md");
    let from = page.split("```yaml systems/northbay/system.yaml\n").nth(1).unwrap();
    Known::of(from.split("```").next().unwrap())
});

fn opened(answers: Vec<Result<Response, Broken>>) -> (Arc<Script>, DescribedSystem) {
    assert!(KNOWN.errors.is_empty(), "{:?}", KNOWN.errors);
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
    let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
    let options = BTreeMap::from([("token".to_owned(), Secret::new("t0k3n-of-a-test"))]);
    let settings = Settings { name: "wms".into(), system: "northbay".into(), options };
    let system = DescribedSystem::new(KNOWN.described.as_ref().unwrap(), &settings, script.clone(), clock).unwrap();
    (script, system)
}

#[tokio::test]
async fn its_list_is_gone_through_by_pages_and_what_is_at_an_end_is_told() {
    let order = |number: &str, status: &str| json!({"number": number, "status": status, "created_at": "2026-11-10T08:00:00Z"});
    let page = |page: u64, orders: Vec<Json>| ok(json!({"orders": orders, "page": page, "pages": 2}));
    let (script, system) = opened(vec![page(1, vec![order("N-1", "open"), order("N-2", "shipped")]), page(2, vec![order("N-3", "open")])]);
    let (of, schemas) = (ObjectRef::new("wms", "Order"), BTreeMap::new());
    let selection = Selection { object: &of, schemas: &schemas, projection: Vec::new(), filter: Vec::new(), stamps: &[] };
    let (mut cursor, mut found, mut begins) = (None::<String>, Vec::new(), true);
    loop {
        let ask = ReadRequest {
            selection: &selection,
            stream: "orders",
            cursor: cursor.as_deref(),
            begins,
            now: NOW.parse().unwrap(),
            overlap: jiff::SignedDuration::ZERO,
            since: None::<Timestamp>,
        };
        let page = system.changes(&Call::default(), &ask).await.unwrap();
        found.extend(page.changes.into_iter().map(|change| (change.id, matches!(change.state, State::Listed), change.stamp.is_some())));
        (cursor, begins) = (page.cursor, false);
        if !page.more {
            break;
        }
    }
    let expected = [("N-1", true, false), ("N-2", true, true), ("N-3", true, false)].map(|(id, listed, ended)| (id.to_owned(), listed, ended));
    assert_eq!(found, expected);
    let requests = script.requests.lock().unwrap();
    let query = |at: usize| requests[at].uri().query().unwrap().to_owned();
    assert!(query(0).contains("page=1") && query(1).contains("page=2"), "{} {}", query(0), query(1));
    assert_eq!(requests[0].headers()["authorization"], "Bearer t0k3n-of-a-test");
}

#[tokio::test]
async fn each_order_of_a_batch_is_told_by_itself() {
    let results = json!({"results": [
        {"number": "N-2", "status": "rejected", "error": {"code": "unknown_sku", "message": "sku A-9 is not known"}},
        {"number": "N-1", "status": "created"},
    ]});
    let (script, system) = opened(vec![ok(results)]);
    let of = ObjectRef::new("wms", "Order");
    let schemas = BTreeMap::new();
    let item = |number: &str| Item { key: Some(number.to_owned()), id: None, body: json!({"number": number, "lines": []}) };
    let items = [item("N-1"), item("N-2"), item("N-3")];
    let ask = WriteRequest {
        object: &of,
        schemas: &schemas,
        operation: Operation::Create,
        key_field: Some("number"),
        items: &items,
        riders: None,
        now: NOW.parse().unwrap(),
    };
    let receipts = system.send(&Call::default(), &ask).await.unwrap();
    assert!(matches!(&receipts[0].outcome, Ok(done) if done.id.as_deref() == Some("N-1")), "{:?}", receipts[0]);
    assert!(
        matches!(&receipts[1].outcome, Err(Fault::Rejected(why)) if why.code == "unknown_sku" && why.message.contains("A-9")),
        "{:?}",
        receipts[1]
    );
    // Of the third nothing is said.
    assert!(matches!(&receipts[2].outcome, Err(Fault::Ambiguous { .. })), "{:?}", receipts[2]);
    let requests = script.requests.lock().unwrap();
    assert!(!requests[0].headers()["idempotency-key"].is_empty());
    assert_eq!(serde_json::from_slice::<Json>(requests[0].body()).unwrap()["orders"][2]["number"], "N-3");
}
