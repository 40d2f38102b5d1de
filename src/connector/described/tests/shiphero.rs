//! ShipHero, as it is described, against answers that are written down here: GraphQL, credits, a password's token.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::DescribedSystem;
use crate::base::FileId;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, answer, ok};
use crate::connector::{Connector, Item, LookupRequest, Operation, Page, ReadRequest, Selection, State, WebhookReply, WebhookRequest, WriteRequest};
use crate::describe::Described;
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::schema::FieldPath;
use crate::value::{Json, ObjectRef};

static DESCRIBED: LazyLock<Arc<Described>> = LazyLock::new(|| {
    let text = include_str!("../../../../tests/corpus/descriptions/shiphero.yaml");
    Arc::new(crate::describe::read(FileId::default(), text).0.unwrap())
});

struct Bench {
    script: Arc<Script>,
    system: DescribedSystem,
    call: Call,
}

/// An answer with what is left of the account's credits.
fn said(data: Json) -> Result<Response, Broken> {
    ok(
        json!({"data": data, "extensions": {"throttling": {"cost": 1, "user_quota": {"credits_remaining": 4001, "max_available": 4004, "increment_rate": 60}}}}),
    )
}

fn token() -> Result<Response, Broken> {
    ok(json!({"access_token": "t0k3n-of-a-test", "refresh_token": "r3fr3sh-of-a-test", "expires_in": 2_419_200}))
}

impl Bench {
    fn new(answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let answers = std::iter::once(token()).chain(answers).collect();
        Bench::bare(answers)
    }

    fn bare(answers: Vec<Result<Response, Broken>>) -> Self {
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let options = [("username", "w@example.com"), ("password", "passw0rd")].map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let settings = Settings { name: "wms".into(), system: "shiphero".into(), options: BTreeMap::from(options) };
        let system = DescribedSystem::new(&DESCRIBED, &settings, script.clone(), clock).unwrap();
        Bench { script, system, call: Call::default() }
    }

    /// The documents that were asked for, after the sign-in.
    fn documents(&self) -> Vec<String> {
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        let requests = self.script.requests.lock().unwrap();
        let graphql = requests.iter().filter(|request| request.uri().path() == "/graphql");
        graphql
            .map(|request| {
                assert!(request.headers()["authorization"].is_sensitive() && request.uri().host() == Some("public-api.shiphero.com"));
                serde_json::from_slice::<Json>(request.body()).unwrap()["query"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    async fn poll(&self, object: &str, stream: &str, projection: &[&[&str]], cursor: Option<&str>, begins: bool) -> Result<Page, Fault> {
        let of = ObjectRef::new("wms", object);
        let paths: Vec<FieldPath> = projection.iter().map(|path| path.iter().map(|name| (*name).to_owned()).collect()).collect();
        let schemas = BTreeMap::new();
        let selection =
            Selection { object: &of, schemas: &schemas, projection: paths.iter().map(Vec::as_slice).collect(), filter: Vec::new(), stamps: &[] };
        let since = Some("2026-11-01T00:00:00Z".parse().unwrap());
        let now: Timestamp = NOW.parse().unwrap();
        let ask = ReadRequest { selection: &selection, stream, cursor, begins, overlap: SignedDuration::from_mins(5), since, now };
        self.system.changes(&self.call, &ask).await
    }

    async fn send(
        &self,
        object: &str,
        operation: Operation,
        key_field: Option<&str>,
        items: &[Item],
    ) -> Result<Vec<Result<Option<String>, Fault>>, Fault> {
        let of = ObjectRef::new("wms", object);
        let schemas = BTreeMap::new();
        let batch = WriteRequest { object: &of, schemas: &schemas, operation, key_field, items, riders: None, now: NOW.parse().unwrap() };
        let receipts = self.system.send(&self.call, &batch).await?;
        Ok(receipts.into_iter().map(|receipt| receipt.outcome.map(|done| done.id)).collect())
    }
}

#[tokio::test]
async fn a_poll_reads_a_closed_window_by_its_token_and_asks_for_what_is_read() {
    let node =
        |id: &str, sku: &str| json!({"node": {"id": id, "updated_at": "2026-11-18T19:58:00", "line_items": {"edges": [{"node": {"sku": sku}}]}}});
    let page = |nodes: Vec<Json>, next: Option<&str>| {
        said(json!({"orders": {"data": {"pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}, "edges": nodes}}}))
    };
    let bench = Bench::new([page(vec![node("T1", "a"), node("T2", "b")], Some("c1")), page(vec![node("T3", "c")], None), page(vec![], None)]);
    let wanted: &[&[&str]] = &[&["order_number"], &["line_items", "sku"]];
    let first = bench.poll("Order", "orders", wanted, None, true).await.unwrap();
    let second = bench.poll("Order", "orders", wanted, first.cursor.as_deref(), false).await.unwrap();
    assert_eq!((first.more, second.more, first.changes.len(), second.changes.len()), (true, false, 2, 1));
    let State::Upserted(record) = &first.changes[0].state else { panic!("{first:?}") };
    assert_eq!(record.read()["line_items"], json!({"edges": [{"node": {"sku": "a"}}]}), "a connection is handed over as it came");
    assert_eq!(first.changes[0].stamp.as_deref(), Some("2026-11-18T19:58:00.000000Z"));
    // The next poll begins an overlap before where this one ended.
    bench.poll("Order", "orders", wanted, second.cursor.as_deref(), true).await.unwrap();
    let node = "edges { node { order_number line_items(first: 50) { edges { node { sku } } pageInfo { hasNextPage endCursor } } updated_at id fulfillment_status } }";
    let node = node.replace(" fulfillment_status", "");
    let document = |from: &str, until: &str, after: &str| {
        let window = format!(r#"updated_from: "{from}", updated_to: "{until}""#);
        format!(r#"query {{ orders({window}) {{ data(first: 40, {after}sort: "updated_at") {{ {node} pageInfo {{ endCursor hasNextPage }} }} }} }}"#)
    };
    let expected = [
        document("2026-11-01T00:00:00", "2026-11-18T19:59:30", ""),
        document("2026-11-01T00:00:00", "2026-11-18T19:59:30", r#"after: "c1", "#),
        document("2026-11-18T19:54:30", "2026-11-18T19:59:30", ""),
    ];
    assert_eq!(bench.documents(), expected);
}

#[tokio::test]
async fn a_token_is_renewed_once_and_a_password_that_is_wrong_is_told() {
    let empty = || said(json!({"orders": {"data": {"edges": [], "pageInfo": {"hasNextPage": false}}}}));
    let renewed = ok(json!({"access_token": "t0k3n-number-two"}));
    let bench = Bench::new([answer(401, &json!({"message": "expired"})), renewed, empty()]);
    bench.poll("Order", "orders", &[&["id"]], None, true).await.unwrap();
    let paths: Vec<String> = bench.script.requests.lock().unwrap().iter().map(|request| request.uri().path().to_owned()).collect();
    // By what renews it, which is kept though the token is refused.
    assert_eq!(paths, ["/auth/token", "/graphql", "/auth/refresh", "/graphql"]);
    let body = String::from_utf8_lossy(bench.script.requests.lock().unwrap()[2].body()).into_owned();
    assert_eq!(body, r#"{"refresh_token":"r3fr3sh-of-a-test"}"#);
    // What renews it is refused too: by the password.
    let again = ok(json!({"access_token": "t0k3n-number-three"}));
    let bench = Bench::new([answer(401, &json!({"message": "expired"})), answer(401, &json!({"message": "unknown"})), again, empty()]);
    bench.poll("Order", "orders", &[&["id"]], None, true).await.unwrap();
    let paths: Vec<String> = bench.script.requests.lock().unwrap().iter().map(|request| request.uri().path().to_owned()).collect();
    assert_eq!(paths, ["/auth/token", "/graphql", "/auth/refresh", "/auth/token", "/graphql"]);
    let wrong = Bench::bare(vec![answer(401, &json!({"message": "wrong user or password"}))]);
    let fault = wrong.poll("Order", "orders", &[&["id"]], None, true).await.unwrap_err();
    assert!(matches!(&fault, Fault::Denied { reason } if reason == "wrong user or password"), "{fault:?}");
}

/// Nobody was refused: the next try may get the whole answer. A page of something else is no token.
#[tokio::test]
async fn a_sign_in_whose_answer_was_cut_short_is_tried_again() {
    for (answered, class) in [(r#"{"access_token": "t0k3n"#, "transient"), ("", "transient"), ("<html>sign in</html>", "denied"), ("{}", "denied")] {
        let cut = http::Response::builder().status(200).body(answered.into()).unwrap();
        let fault = Bench::bare(vec![Ok(cut)]).poll("Order", "orders", &[&["id"]], None, true).await.unwrap_err();
        assert_eq!(fault.class(), class, "{answered}: {fault}");
    }
}

/// As they were recorded: an error has a code, and no path.
#[tokio::test]
async fn credits_that_are_used_up_are_waited_for_and_a_query_that_is_too_dear_is_refused() {
    let refused = |required: u64, time: &str| {
        let error = json!({"code": 30, "message": "There are not enough credits", "operation": "orders", "required_credits": required, "remaining_credits": 3, "time_remaining": time});
        ok(
            json!({"errors": [error], "data": {"orders": null}, "extensions": {"throttling": {"user_quota": {"credits_remaining": 3, "max_available": 4004, "increment_rate": 60}}}}),
        )
    };
    let bench = Bench::new([refused(2000, "34 seconds"), refused(1_000_001, "0")]);
    let fault = bench.poll("Order", "orders", &[&["id"]], None, true).await.unwrap_err();
    let until = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(34);
    assert!(matches!(fault, Fault::Throttled { until: Some(at), .. } if at == until), "{fault:?}");
    let fault = bench.poll("Order", "orders", &[&["id"]], None, true).await.unwrap_err();
    assert!(matches!(&fault, Fault::Rejected(refusal) if refusal.code == "30" && refusal.message.contains("dearer")), "{fault:?}");
}

#[tokio::test]
async fn an_order_is_made_and_what_nobody_says_is_in_doubt() {
    let order = |number: &str| Item {
        key: Some(number.to_owned()),
        id: None,
        body: json!({"partner_order_id": number, "line_items": [{"sku": "a \"b\"", "quantity": 2}]}),
    };
    let error = |code: i64| ok(json!({"errors": [{"code": code, "message": "no such SKU", "field": "sku"}], "data": {"order_create": null}}));
    let made = said(json!({"order_create": {"order": {"id": "T9", "legacy_id": 9, "order_number": "A-1", "partner_order_id": "P1"}}}));
    let bench = Bench::new([
        made,
        error(3),
        error(77),
        said(json!({"order_create": null})),
        said(json!({"order_create": {"order": {}}})),
        answer(502, &json!({})),
    ]);
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(match bench.send("Order", Operation::Create, Some("partner_order_id"), &[order("P1")]).await {
            Ok(mut receipts) => receipts.remove(0),
            Err(fault) => Err(fault),
        });
    }
    assert_eq!(outcomes[0], Ok(Some("T9".to_owned())));
    assert!(
        matches!(&outcomes[1], Err(Fault::Rejected(refusal)) if refusal.code == "3" && refusal.field.as_deref() == Some("sku")),
        "{:?}",
        outcomes[1]
    );
    for outcome in &outcomes[2..] {
        assert!(matches!(outcome, Err(Fault::Ambiguous { .. })), "{outcome:?}");
    }
    let told = "{ order { id legacy_id order_number partner_order_id } }";
    let body = r#"data: {partner_order_id: "P1", line_items: [{sku: "a \"b\"", quantity: 2}]}"#;
    let sent = bench.documents().remove(0);
    // The order of a body's fields is that of its map.
    let body_sorted = r#"data: {line_items: [{quantity: 2, sku: "a \"b\""}], partner_order_id: "P1"}"#;
    assert!([body, body_sorted].iter().any(|body| sent == format!("mutation {{ order_create({body}) {told} }}")), "{sent}");
}

#[tokio::test]
async fn an_update_sends_only_the_steps_whose_fields_differ() {
    let done = |name: &str| said(json!({name: {"order": {"id": "T9", "order_number": "A-1"}}}));
    let bench = Bench::new([done("order_update_holds"), done("order_update")]);
    let item = Item { key: None, id: Some("T9".to_owned()), body: json!({"holds": {"payment_hold": true}, "packing_note": "x"}) };
    assert_eq!(bench.send("Order", Operation::Update, None, &[item]).await.unwrap(), [Ok(Some("T9".to_owned()))]);
    let told = "{ order { id order_number } }";
    let expected = [
        format!(r#"mutation {{ order_update_holds(data: {{order_id: "T9", payment_hold: true}}) {told} }}"#),
        format!(r#"mutation {{ order_update(data: {{order_id: "T9", packing_note: "x"}}) {told} }}"#),
    ];
    assert_eq!(bench.documents(), expected);
}

#[tokio::test]
async fn stock_goes_ten_to_a_document_and_each_is_told_by_its_alias() {
    let item = |sku: &str| Item { key: None, id: None, body: json!({"sku": sku, "warehouse_id": "W1", "on_hand": 5}) };
    let errors = json!([{"code": 3, "message": "no such product", "path": ["a1"]}]);
    let answered = ok(json!({"data": {"a0": {"warehouse_product": {"id": "S0"}}, "a1": null, "a2": null}, "errors": errors}));
    let bench = Bench::new([answered]);
    let receipts = bench.send("Stock", Operation::Update, None, &["a", "b", "c"].map(item)).await.unwrap();
    assert_eq!(receipts[0], Ok(Some("S0".to_owned())));
    assert!(matches!(&receipts[1], Err(Fault::Rejected(refusal)) if refusal.message == "no such product"), "{receipts:?}");
    assert!(matches!(&receipts[2], Err(Fault::Ambiguous { .. })), "{receipts:?}");
    let document = bench.documents().remove(0);
    assert!(
        document.starts_with(r#"mutation { a0: inventory_replace(data: {"#) && document.contains(r#" a2: inventory_replace(data: {"#),
        "{document}"
    );
}

/// What ShipHero gives in lists only is looked for in them: a record that changes meanwhile is not taken for one that is gone.
#[tokio::test]
async fn a_record_that_is_not_read_by_its_id_is_found_in_its_list() {
    let node = |id: &str| json!({"node": {"id": id, "updated_at": "2026-11-18T19:00:00"}});
    let page = |ids: [&str; 2], more: bool| {
        let info = json!({"hasNextPage": more, "endCursor": format!("after {}", ids[1])});
        said(json!({"warehouse_products": {"data": {"edges": ids.map(node), "pageInfo": info}}}))
    };
    let bench = Bench::new([page(["P1", "P2"], true), page(["P3", "P4"], false)]);
    let of = ObjectRef::new("wms", "Stock");
    let (schemas, id) = (BTreeMap::new(), vec!["id".to_owned()]);
    let selection = Selection { object: &of, schemas: &schemas, projection: vec![&id], filter: Vec::new(), stamps: &[] };
    let got = bench.system.fetch_by_id(&bench.call, &selection, &["P3".into(), "P1".into(), "P9".into()]).await.unwrap();
    assert_eq!(got.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["P1", "P3"]);
    assert_eq!(bench.system.fetch_batch(&selection), 1_000);
    assert!(bench.documents()[1].contains("after P2"));
}

/// The lines of an order stand in a connection of GraphQL: they are compared with what is sent as the list that they are.
#[test]
fn a_connection_holds_what_its_nodes_are() {
    let bench = Bench::new([]);
    let (of, held) = (ObjectRef::new("wms", "Order"), json!({"edges": [{"node": {"id": "L1", "sku": "CUP-01", "quantity": 2}}]}));
    let holds = |sent: Json| bench.system.holds(&of, "line_items", Some(&held), &sent);
    assert!(holds(json!([{"sku": "CUP-01", "quantity": 2}])));
    assert!(!holds(json!([{"sku": "CUP-01", "quantity": 3}])) && !holds(json!([])));
}

#[tokio::test]
async fn orders_are_found_exactly_and_fetched_by_alias() {
    let node = |id: &str, number: &str| json!({"node": {"id": id, "order_number": number}});
    let found = said(json!({"orders": {"data": {"edges": [node("T1", "A-1"), node("T2", "A-10")]}}}));
    let fetched = said(json!({"a0": {"data": {"id": "T1", "updated_at": "2026-11-18T19:00:00"}}, "a1": {"data": null}}));
    let bench = Bench::new([found, fetched]);
    let of = ObjectRef::new("wms", "Order");
    let schemas = BTreeMap::new();
    let (field, values, projection) = (["order_number".to_owned()], ["A-1".to_owned()], [vec!["email".to_owned()]]);
    let ask = LookupRequest { object: &of, schemas: &schemas, field: &field, values: &values, companions: &[], projection: &projection };
    let found = bench.system.lookup(&bench.call, &ask).await.unwrap();
    assert_eq!(found.iter().map(|found| found.record["id"].as_str().unwrap()).collect::<Vec<_>>(), ["T1"]);
    let id = vec!["id".to_owned()];
    let selection = Selection { object: &of, schemas: &schemas, projection: vec![&id], filter: Vec::new(), stamps: &[] };
    let got = bench.system.fetch_by_id(&bench.call, &selection, &["T1".into(), "T2".into()]).await.unwrap();
    assert_eq!(got.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["T1"]);
    assert_eq!(bench.system.fetch_batch(&selection), 10);
    let documents = bench.documents();
    assert_eq!(
        documents[0],
        r#"query { orders(order_number: "A-1") { data { edges { node { email updated_at id order_number } } pageInfo { hasNextPage } } } }"#
    );
    assert_eq!(documents[1], r#"query { a0: order(id: "T1") { data { id updated_at } } a1: order(id: "T2") { data { id updated_at } } }"#);
}

#[tokio::test]
async fn a_connection_is_said_hello_to_and_its_warehouses_are_known() {
    let account = || said(json!({"account": {"data": {"email": "w@example.com", "warehouses": [{"id": "W1", "identifier": "Reno"}]}}}));
    let bench = Bench::new([account(), account()]);
    assert_eq!(bench.system.check_connection(&bench.call).await.unwrap(), "ShipHero account w@example.com: 1 warehouse");
    let names = bench.system.reference_data(&bench.call, &["Warehouse".to_owned()].into()).await.unwrap();
    assert_eq!((names["Warehouse"][0].name.as_str(), &names["Warehouse"][0].id), ("Reno", &json!("W1")));
    let documents = bench.documents();
    assert_eq!(documents[0], "query { account { data { email warehouses { id } } } }");
    assert_eq!(documents[1], "query { account { data { warehouses { identifier id } } } }");
}

#[test]
fn a_webhook_needs_its_secret() {
    let bench = Bench::bare(Vec::new());
    let body = json!({"webhook_type": "Order Canceled", "order_number": "A-1"}).to_string();
    let request = WebhookRequest { method: &http::Method::POST, headers: &http::HeaderMap::new(), query: "", body: body.as_bytes() };
    assert!(bench.system.webhook(&request).is_err(), "nothing proves its sender");
    let signed = Bench::bare(Vec::new());
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s3cret");
    let mut headers = http::HeaderMap::new();
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, ring::hmac::sign(&key, body.as_bytes()).as_ref());
    headers.insert("x-shiphero-hmac-sha256", signature.parse().unwrap());
    let request = WebhookRequest { headers: &headers, ..request };
    let settings = [("username", "w"), ("password", "p"), ("webhook_secret", "s3cret")].map(|(name, value)| (name.to_owned(), Secret::new(value)));
    let settings = Settings { name: "wms".into(), system: "shiphero".into(), options: BTreeMap::from(settings) };
    let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
    let system = DescribedSystem::new(&DESCRIBED, &settings, signed.script.clone(), clock).unwrap();
    let WebhookReply::Hints(hints) = system.webhook(&request).unwrap() else { panic!("it is no challenge") };
    assert_eq!((hints.len(), hints[0].parameters["order_number"].as_str()), (1, "A-1"));
    let forged = body.replace("A-1", "A-2");
    assert!(system.webhook(&WebhookRequest { body: forged.as_bytes(), ..request }).is_err());
}

#[tokio::test]
async fn lines_of_an_order_are_added_changed_and_removed_and_none_is_added_twice() {
    let held = json!([{"node": {"id": "L1", "partner_line_item_id": "p1", "quantity": 1}}, {"node": {"id": "L2", "partner_line_item_id": "p2", "quantity": 2}}]);
    let read = |lines: &Json| said(json!({"a0": {"data": {"id": "T9", "line_items": {"edges": lines}}}}));
    let done = |name: &str| said(json!({name: {"order": {"id": "T9", "order_number": "A-1"}}}));
    let bench =
        Bench::new([read(&held), done("order_add_line_items"), done("order_update_line_items"), done("order_remove_line_items"), read(&held)]);
    let line = |key: &str, quantity: u64| json!({"partner_line_item_id": key, "quantity": quantity});
    let item = |lines: Json| Item { key: None, id: Some("T9".to_owned()), body: json!({"line_items": lines}) };
    let changed = item(json!([line("p1", 5), line("p3", 1)]));
    assert_eq!(bench.send("Order", Operation::Update, None, &[changed]).await.unwrap(), [Ok(Some("T9".to_owned()))]);
    let same = item(json!([line("p1", 1), line("p2", 2)]));
    assert_eq!(bench.send("Order", Operation::Update, None, &[same]).await.unwrap(), [Ok(Some("T9".to_owned()))]);
    let documents = bench.documents();
    assert!(
        documents[0].contains(r#"a0: order(id: "T9") { data { line_items(first: 50) { edges { node { id partner_line_item_id quantity } } pageInfo"#),
        "{}",
        documents[0]
    );
    for (document, lines) in [
        (&documents[1], r#"line_items: [{partner_line_item_id: "p3", quantity: 1}]"#),
        (&documents[2], r#"line_items: [{partner_line_item_id: "p1", quantity: 5, id: "L1"}]"#),
        (&documents[3], r#"line_item_ids: ["L2"]"#),
    ] {
        // The order of an object's fields is that of its map.
        let sorted =
            lines.replace(r#"{partner_line_item_id: "p1", quantity: 5, id: "L1"}"#, r#"{id: "L1", partner_line_item_id: "p1", quantity: 5}"#);
        assert!(document.contains(lines) || document.contains(&sorted), "{document}");
    }
}

/// An error without a path is of the whole document: no record is taken for one that is gone.
#[tokio::test]
async fn errors_of_a_document_that_name_no_field_are_nobodys_in_particular() {
    let error = |code: i64| json!({"code": code, "message": "no", "operation": "order", "required_credits": 9, "time_remaining": "5"});
    let both = |code: i64| {
        ok(json!({"data": {"a0": null, "a1": null}, "errors": [error(code)], "extensions": {"throttling": {"user_quota": {"max_available": 4004}}}}))
    };
    let one = |data: Json| said(json!({"order": {"data": data}}));
    let gone = ok(json!({"data": {"order": null}, "errors": [error(5)]}));
    let bench = Bench::new([both(30), both(3), one(json!({"id": "T1", "updated_at": "2026-11-18T19:00:00"})), gone, both(30)]);
    let of = ObjectRef::new("wms", "Order");
    let (schemas, id) = (BTreeMap::new(), vec!["id".to_owned()]);
    let selection = Selection { object: &of, schemas: &schemas, projection: vec![&id], filter: Vec::new(), stamps: &[] };
    let ids = ["T1".to_owned(), "T2".to_owned()];
    assert!(matches!(bench.system.fetch_by_id(&bench.call, &selection, &ids).await, Err(Fault::Throttled { .. })));
    let got = bench.system.fetch_by_id(&bench.call, &selection, &ids).await.unwrap();
    assert_eq!(got.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["T1"]);
    let stock = ["a", "b"].map(|sku| Item { key: None, id: None, body: json!({"sku": sku, "warehouse_id": "W1", "on_hand": 5}) });
    assert!(matches!(bench.send("Stock", Operation::Update, None, &stock).await, Err(Fault::Throttled { .. })));
}

/// The names of a record's fields are a stranger's, and stand in the document as they are.
#[tokio::test]
async fn a_name_that_is_none_of_graphql_never_gets_into_a_document() {
    let bench = Bench::bare(Vec::new());
    for name in ["x}) { order { id } } evil: order_cancel(data: {reason", "a b", "", "1a", "ü"] {
        let item = Item { key: Some("P1".to_owned()), id: None, body: json!({"partner_order_id": "P1", "tags": [{name: "x"}]}) };
        let receipts = bench.send("Order", Operation::Create, Some("partner_order_id"), &[item]).await;
        let refused = |fault: &Fault| matches!(fault, Fault::Rejected(refusal) if refusal.message.contains("is no name"));
        assert!(receipts.as_ref().map_or_else(refused, |receipts| receipts[0].as_ref().is_err_and(refused)), "{name}: {receipts:?}");
    }
    assert!(bench.script.requests.lock().unwrap().is_empty());
}

/// Lines behind the first page of an order are there: they are not added once more.
#[tokio::test]
async fn lines_behind_the_first_page_are_not_added_again() {
    let edge = |id: &str, key: &str| json!([{"node": {"id": id, "partner_line_item_id": key, "quantity": 1}}]);
    let list = |edges: Json, next: Option<&str>| json!({"edges": edges, "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}});
    let first = |lines: Json| said(json!({"a0": {"data": {"id": "T9", "line_items": lines}}}));
    let rest = said(json!({"order": {"data": {"line_items": list(edge("L2", "p2"), None)}}}));
    let line = |key: &str| json!({"partner_line_item_id": key, "quantity": 1});
    let item = || Item { key: None, id: Some("T9".to_owned()), body: json!({"line_items": [line("p1"), line("p2")]}) };
    let bench = Bench::new([first(list(edge("L1", "p1"), Some("c1"))), rest]);
    assert_eq!(bench.send("Order", Operation::Update, None, &[item()]).await.unwrap(), [Ok(Some("T9".to_owned()))]);
    let documents = bench.documents();
    assert!(documents.len() == 2 && documents.iter().all(|document| document.starts_with("query")), "{documents:?}");
    // Where nothing leads to the rest, nothing is written.
    let blind = json!({"edges": edge("L1", "p1"), "pageInfo": {"hasNextPage": true}});
    let bench = Bench::new([first(blind)]);
    assert!(matches!(bench.send("Order", Operation::Update, None, &[item()]).await.unwrap().remove(0), Err(Fault::Rejected(_))));
    assert_eq!(bench.documents().len(), 1);
}
