//! What became of writes: never is an outcome taken to be better than it is known. A small description for each case.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::json;

use super::super::DescribedSystem;
use crate::base::FileId;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, answer, ok};
use crate::connector::{Connector, Done, Item, LookupRequest, Operation, WriteRequest};
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::value::{Json, ObjectRef};

/// A shop with one object.
const HEAD: &str = "system: shop
settings: { key: { secret: true } }
hosts: [\"api.shop.example\"]
base: \"https://api.shop.example\"
auth: { header: { api-key: \"{setting.key}\" } }
error: { each: errors, code: code, message: message }
";

struct Bench {
    script: Arc<Script>,
    system: DescribedSystem,
    call: Call,
}

impl Bench {
    /// `more`: what the description says beside the object `Order`; `order`: what it says of it, as one line of YAML.
    fn new(more: &str, order: &str, answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        Bench::of(HEAD, more, order, answers)
    }

    fn of(head: &str, more: &str, order: &str, answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let text = format!("{head}{more}objects:\n  Order: {order}\n");
        let (described, found) = crate::describe::read(FileId::default(), &text);
        let errors: Vec<_> = found.iter().filter(|fault| fault.is_error()).map(|fault| &fault.message).collect();
        assert!(errors.is_empty(), "{errors:?} in {text}");
        let described = Arc::new(described.unwrap());
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let options = BTreeMap::from([("key".to_owned(), Secret::new("k3y"))]);
        let settings = Settings { name: "shop".into(), system: "shop".into(), options };
        let system = DescribedSystem::new(&described, &settings, script.clone(), clock).unwrap();
        Bench { script, system, call: Call::default() }
    }

    /// How many requests were made; every answer was asked for.
    fn asked(&self) -> usize {
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        self.script.requests.lock().unwrap().len()
    }

    /// The body of a request, by its number.
    fn body(&self, at: usize) -> Json {
        serde_json::from_slice(self.script.requests.lock().unwrap()[at].body()).unwrap_or_default()
    }

    /// What became of each item; the fault of a whole call is that of each.
    async fn send(&self, operation: Operation, key_field: Option<&str>, items: &[Item]) -> Vec<Result<Done, Fault>> {
        let of = ObjectRef::new("shop", "Order");
        let schemas = BTreeMap::new();
        let now = NOW.parse().unwrap();
        let batch = WriteRequest { object: &of, schemas: &schemas, operation, key_field, items, riders: None, now };
        match self.system.send(&self.call, &batch).await {
            Ok(receipts) => receipts.into_iter().map(|receipt| receipt.outcome).collect(),
            Err(fault) => items.iter().map(|_| Err(fault.clone())).collect(),
        }
    }

    async fn create(&self, items: &[Item]) -> Vec<Result<Done, Fault>> {
        self.send(Operation::Create, Some("number"), items).await
    }

    async fn look_up(&self, field: &str, value: &str) -> Result<Vec<Json>, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let schemas = BTreeMap::new();
        let (field, values) = ([field.to_owned()], [value.to_owned()]);
        let ask = LookupRequest { object: &of, schemas: &schemas, field: &field, values: &values, companions: &[], projection: &[] };
        Ok(self.system.lookup(&self.call, &ask).await?.into_iter().map(|found| found.record).collect())
    }
}

fn item(number: &str) -> Item {
    Item { key: Some(number.to_owned()), id: None, body: json!({"number": number}) }
}

fn text(status: u16, body: &str) -> Result<Response, Broken> {
    Ok(http::Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap())
}

fn is_in_doubt(outcome: &Result<Done, Fault>) -> bool {
    matches!(outcome, Err(Fault::Ambiguous { .. }))
}

fn is_refused(outcome: &Result<Done, Fault>) -> bool {
    matches!(outcome, Err(Fault::Rejected(_)))
}

/// A create of one item, with this receipt.
fn one(receipt: &str) -> String {
    format!("{{ writes: {{ create: {{ key: number, call: POST /orders, body: \"{{item}}\", receipt: {receipt} }} }} }}")
}

/// A create of ten items, with this receipt.
fn ten(receipt: &str) -> String {
    format!("{{ writes: {{ create: {{ key: number, call: POST /orders, body: {{ orders: \"{{items}}\" }}, batch: 10, receipt: {receipt} }} }} }}")
}

#[tokio::test]
async fn an_answer_without_its_list_of_failures_says_nothing_of_any_item() {
    let items = [item("a"), item("b")];
    let bodies = ["", "{}", r#"{"message":"queued"}"#, r#"{"errors":"two"}"#, r#"{"errors":{"number":"a"}}"#];
    for body in bodies {
        let bench = Bench::new("", &ten("{ failures: errors, match: [number] }"), [text(200, body)]);
        let outcomes = bench.create(&items).await;
        assert!(outcomes.iter().all(is_in_doubt), "{body}: {outcomes:?}");
    }
    // Where the vendor says so, a list that is not there is an empty one: still not what is no list, nor an answer without any word.
    for (body, are_done) in [("{}", true), (r#"{"errors":null}"#, true), ("", false), (r#"{"errors":"two"}"#, false), ("[]", false)] {
        let bench = Bench::new("", &ten("{ failures: errors, match: [number], absent: ok }"), [text(200, body)]);
        let outcomes = bench.create(&items).await;
        assert!(outcomes.iter().all(|outcome| if are_done { outcome.is_ok() } else { is_in_doubt(outcome) }), "{body}: {outcomes:?}");
    }
    let told = json!({"errors": [{"number": "b", "code": "bad", "message": "no"}]});
    let bench = Bench::new("", &ten("{ failures: errors, match: [number] }"), [ok(told)]);
    let outcomes = bench.create(&items).await;
    assert!(outcomes[0].is_ok() && is_refused(&outcomes[1]), "{outcomes:?}");
}

#[tokio::test]
async fn a_success_without_a_body_has_none() {
    let of = |body: &str, receipt: &str| (body.to_owned(), receipt.to_owned());
    for ((body, receipt), is_done) in [
        (of("", "{ empty: true }"), true),
        (of(" \n", "{ empty: true }"), true),
        (of(r#"{"errors":[{"code":"full"}]}"#, "{ empty: true }"), false),
        (of("{}", "{ empty: true }"), false),
        (of(r#"{"state":"done"}"#, "{ empty: true, ok: 'body.state == \"done\"' }"), true),
        (of(r#"{"state":"queued"}"#, "{ empty: true, ok: 'body.state == \"done\"' }"), false),
    ] {
        let bench = Bench::new("", &one(&receipt), [text(200, &body)]);
        let outcome = bench.create(&[item("a")]).await.remove(0);
        assert!(if is_done { outcome.is_ok() } else { is_in_doubt(&outcome) }, "{body} by {receipt}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_receipt_reads_the_error_of_its_item() {
    let refused = "{ id: id, refused: 'error.code == \"DUPLICATE\"' }";
    let told = json!({"id": "1", "errors": [{"code": "DUPLICATE", "message": "there already"}]});
    let bench = Bench::new("", &one(refused), [ok(told.clone()), ok(json!({"id": "1"}))]);
    let (first, second) = (bench.create(&[item("a")]).await.remove(0), bench.create(&[item("a")]).await.remove(0));
    assert!(is_refused(&first) && second.is_ok(), "{first:?} {second:?}");
    let bench = Bench::new("", &one("{ id: id, ok: 'error is missing' }"), [ok(told), ok(json!({"id": "1"}))]);
    let (first, second) = (bench.create(&[item("a")]).await.remove(0), bench.create(&[item("a")]).await.remove(0));
    assert!(is_in_doubt(&first) && second.is_ok(), "{first:?} {second:?}");
    // Each item of a batch has its own; an error of the whole answer lets none of them pass for done, and refuses none.
    let receipt = "{ items: orders, match: [number], ok: 'error is missing', refused: 'error.code == \"bad\"', error: { each: faults, code: code, message: message } }";
    let told = json!({"orders": [{"number": "b", "faults": [{"code": "bad", "message": "no"}]}, {"number": "a"}]});
    let bench = Bench::new("", &ten(receipt), [ok(told)]);
    let outcomes = bench.create(&[item("a"), item("b")]).await;
    assert!(outcomes[0].is_ok() && is_refused(&outcomes[1]), "{outcomes:?}");
    let receipt = "{ items: orders, match: [number], ok: 'error is missing', refused: 'error.code == \"bad\"' }";
    let told = json!({"orders": [{"number": "b"}, {"number": "a"}], "errors": [{"code": "bad", "message": "no"}]});
    let bench = Bench::new("", &ten(receipt), [ok(told)]);
    let outcomes = bench.create(&[item("a"), item("b")]).await;
    assert!(outcomes.iter().all(is_in_doubt), "{outcomes:?}");
}

#[tokio::test]
async fn an_answer_names_the_record_that_was_written() {
    let update = "{ writes: { update: { call: \"POST /orders/{id}\", body: \"{item}\", receipt: { id: id } } } }";
    let known = Item { key: None, id: Some("7".to_owned()), body: json!({"note": "x"}) };
    for (told, is_done) in [(json!({"id": "7"}), true), (json!({"id": 7}), true), (json!({"id": "8"}), false), (json!({}), false)] {
        let bench = Bench::new("", update, [ok(told.clone())]);
        let outcome = bench.send(Operation::Update, None, std::slice::from_ref(&known)).await.remove(0);
        assert!(if is_done { outcome.is_ok() } else { is_in_doubt(&outcome) }, "{told}: {outcome:?}");
    }
}

#[tokio::test]
async fn one_result_is_none_of_several_items() {
    let bench = Bench::new("", &ten("{ id: id }"), [ok(json!({"id": "1"}))]);
    let outcomes = bench.create(&[item("a"), item("b")]).await;
    assert!(outcomes.iter().all(is_in_doubt), "{outcomes:?}");
}

#[tokio::test]
async fn a_rule_makes_no_outcome_of_a_write_better_than_the_vendor_says() {
    let of = |status: u16, is: &str| (status, format!("answers: [{{ when: 'status == {status}', is: {is} }}]\n"));
    let said = |status: u16, is: &str| (status, format!("answers: [{{ when: 'status == {status}', is: {is}, nothing_done: \"it says so\" }}]\n"));
    let any = |status: u16| (status, "answers: [{ when: 'status > 0', is: ok }]\n".to_owned());
    for (status, rules) in [
        of(503, "ok"),
        any(503),
        any(408),
        any(404),
        said(503, "ok"),
        of(500, "expired"),
        of(200, "expired"),
        of(408, "expired"),
        of(502, "denied"),
        of(200, "denied"),
        of(200, "conflict"),
        of(500, "conflict"),
        of(200, "throttled"),
        of(503, "throttled"),
        of(503, "transient"),
        of(500, "rejected"),
        of(500, "exists"),
        of(500, "absent"),
        (500, "auth: { header: { api-key: \"{setting.key}\" }, refresh: { when: status == 500 } }\n".to_owned()),
        (200, "auth: { header: { api-key: \"{setting.key}\" }, refresh: { when: status == 200 } }\n".to_owned()),
    ] {
        let head = if rules.starts_with("auth") {
            HEAD.lines().filter(|line| !line.starts_with("auth")).collect::<Vec<_>>().join("\n") + "\n"
        } else {
            HEAD.to_owned()
        };
        let bench = Bench::of(&head, &rules, &one("{ id: id }"), [answer(status, &json!({"id": "1"}))]);
        let outcome = bench.create(&[item("a")]).await.remove(0);
        assert!(is_in_doubt(&outcome), "{status} under {rules}: {outcome:?}");
        assert_eq!(bench.asked(), 1, "{status} under {rules}: it is not sent again at once");
    }
    let outcome = |status: u16, rules: String| async move {
        let bench = Bench::new(&rules, &one("{ id: id }"), [answer(status, &json!({"id": "1"}))]);
        bench.create(&[item("a")]).await.remove(0)
    };
    let (status, rules) = said(503, "throttled");
    assert!(matches!(outcome(status, rules).await, Err(Fault::Throttled { .. })));
    let (status, rules) = said(200, "conflict");
    assert!(matches!(outcome(status, rules).await, Err(Fault::Conflict { .. })));
    let (status, rules) = of(409, "conflict");
    assert!(matches!(outcome(status, rules).await, Err(Fault::Conflict { .. })));
    let (status, rules) = of(423, "transient");
    assert!(matches!(outcome(status, rules).await, Err(Fault::Transient { .. })));
    let (status, rules) = of(200, "rejected");
    assert!(is_refused(&outcome(status, rules).await));
    let (status, rules) = any(201);
    assert!(outcome(status, rules).await.is_ok());
}

/// Many systems answer a form with a redirect when it was taken: a redirect says nothing of what was done, whoever says that it does.
#[tokio::test]
async fn a_redirect_of_a_write_is_no_refusal() {
    for status in [301, 302, 303, 307, 308] {
        for rules in ["", "answers: [{ when: 'status < 400', is: rejected }]\n", "answers: [{ when: 'status < 400', is: throttled }]\n"] {
            let bench = Bench::new(rules, &one("{ id: id }"), [answer(status, &json!({}))]);
            let outcome = bench.create(&[item("a")]).await.remove(0);
            assert!(is_in_doubt(&outcome), "{status} under {rules}: {outcome:?}");
            let told = outcome.unwrap_err().to_string();
            assert!(told.contains("the connection's `url`"), "{told}");
            assert_eq!(bench.asked(), 1, "it is not sent again at once");
            let bench = Bench::new(rules, &ten("{ items: orders, match: [number], id: id }"), [answer(status, &json!({}))]);
            let outcomes = bench.create(&[item("a"), item("b")]).await;
            assert!(outcomes.iter().all(is_in_doubt), "{status} under {rules}: {outcomes:?}");
        }
    }
    // A read has changed nothing, and a rule with the vendor's words is believed.
    let find = "{ find: { number: { call: GET /orders, query: { number: \"{value}\" }, records: orders, filter: exact } } }";
    let bench = Bench::new("", find, [answer(302, &json!({}))]);
    assert!(matches!(bench.look_up("number", "a").await, Err(Fault::Denied { .. })));
    let rules = "answers: [{ when: 'status == 302', is: denied, nothing_done: \"the sign-in page\" }]\n";
    let bench = Bench::new(rules, &one("{ id: id }"), [answer(302, &json!({}))]);
    assert!(matches!(bench.create(&[item("a")]).await.remove(0), Err(Fault::Denied { .. })));
}

/// Nobody has seen how this system takes several items: what it refuses without a word of the description may be done in part.
#[tokio::test]
async fn several_items_that_no_rule_speaks_of_are_not_sent_again_after_a_refusal() {
    let receipt = ten("{ items: orders, match: [number], id: id }");
    let outcomes = |rules: &'static str, status: u16, items: &'static [&'static str]| {
        let bench = Bench::new(rules, &receipt, [answer(status, &json!({"errors": [{"code": "bad", "message": "one of them"}]}))]);
        async move {
            let items: Vec<Item> = items.iter().map(|number| item(number)).collect();
            let outcomes = bench.create(&items).await;
            assert_eq!(bench.asked(), 1, "it is not sent again at once");
            outcomes
        }
    };
    for status in [400, 403, 404, 409, 413, 422, 429] {
        let told = outcomes("", status, &["a", "b"]).await;
        assert!(told.iter().all(is_in_doubt), "{status}: {told:?}");
        let told = told.into_iter().next().unwrap().unwrap_err().to_string();
        assert!(told.contains("one of them") && told.contains("`nothing_done`"), "{told}");
    }
    // One item by itself is refused or not.
    assert!(outcomes("", 400, &["a"]).await.iter().all(is_refused));
    // Without a sign-in nothing is looked at.
    assert!(matches!(outcomes("", 401, &["a", "b"]).await[0], Err(Fault::Denied { .. })));
    // The description says what it means.
    let ruled = "answers: [{ when: 'status == 400', is: rejected, nothing_done: \"all or none\" }]\n";
    assert!(outcomes(ruled, 400, &["a", "b"]).await.iter().all(|outcome| matches!(outcome, Err(Fault::BatchRefused(_)))));
    let ruled = "answers: [{ when: 'status == 429', is: throttled }]\n";
    assert!(outcomes(ruled, 429, &["a", "b"]).await.iter().all(|outcome| matches!(outcome, Err(Fault::Throttled { .. }))));
}

/// A refusal of the whole at success: what stands beside it may have been done, so no part of the batch is sent again.
#[tokio::test]
async fn a_refusal_at_success_does_not_begin_a_batch_anew() {
    let rules = "answers: [{ when: 'error.code == \"bad\"', is: rejected }]\n";
    let told = json!({"orders": [{"number": "a", "id": "1"}], "errors": [{"code": "bad", "message": "one of them"}]});
    let receipt = "{ items: orders, match: [number], id: id }";
    let bench = Bench::new(rules, &ten(receipt), [ok(told.clone()), answer(400, &told)]);
    let outcomes = bench.create(&[item("a"), item("b")]).await;
    assert!(outcomes.iter().all(is_in_doubt), "{outcomes:?}");
    // Refused as a whole, it is halved until the one to blame is found.
    let outcomes = bench.create(&[item("a"), item("b")]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Fault::BatchRefused(_)))), "{outcomes:?}");
}

/// A token that a write was refused with is renewed for the next call, though the write itself is not sent again.
#[tokio::test]
async fn a_token_that_ends_at_success_is_renewed_and_the_write_is_in_doubt() {
    let head = HEAD.lines().filter(|line| !line.starts_with("auth")).collect::<Vec<_>>().join("\n");
    let auth = "\nauth: { token: { call: POST /token, token: token }, refresh: { when: 'error.code == \"ended\"' } }\n";
    let token = |text: &str| ok(json!({"token": text}));
    let ended = ok(json!({"errors": [{"code": "ended", "message": "sign in"}]}));
    let bench = Bench::of(&head, auth, &one("{ id: id }"), [token("t0k3n-one"), ended, token("t0k3n-two"), ok(json!({"id": "1"}))]);
    let (first, second) = (bench.create(&[item("a")]).await.remove(0), bench.create(&[item("a")]).await.remove(0));
    assert!(is_in_doubt(&first) && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(bench.asked(), 4);
}

const GRAPHQL: &str = "graphql: /graphql\n";

fn thing(sku: Option<&str>) -> Item {
    let sku = sku.map_or(Json::Null, Json::from);
    Item { key: None, id: None, body: if sku.is_null() { json!({"count": 1}) } else { json!({"sku": sku, "count": 1}) } }
}

const STOCK: &str = "{ writes: { update: { key: [sku], mutation: set, arguments: { sku: \"{item.sku}\" }, batch: { aliases: 10 }, receipt: { at: thing, id: id } } } }";

#[tokio::test]
async fn an_item_that_lacks_a_value_is_refused_by_itself_and_the_others_go() {
    let made = |id: &str| json!({"thing": {"id": id}});
    let bench = Bench::new(GRAPHQL, STOCK, [ok(json!({"data": {"a0": made("1"), "a1": made("3")}}))]);
    let outcomes = bench.send(Operation::Update, None, &[thing(Some("a")), thing(None), thing(Some("c"))]).await;
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().ok().and_then(|done| done.id.as_deref())).collect();
    assert_eq!(ids, [Some("1"), None, Some("3")]);
    assert!(is_refused(&outcomes[1]), "{outcomes:?}");
    let document = bench.body(0)["query"].as_str().unwrap().to_owned();
    assert_eq!(document, r#"mutation { a0: set(sku: "a") { thing { id } } a1: set(sku: "c") { thing { id } } }"#);
    let none = Bench::new(GRAPHQL, STOCK, []);
    assert!(none.send(Operation::Update, None, &[thing(None), thing(None)]).await.iter().all(is_refused));
    assert_eq!(none.asked(), 0);
    // One call for all of them is refused as a whole, to be halved.
    let together = "{ writes: { create: { key: number, call: \"POST /orders/{items.1.number}\", body: \"{items}\", batch: 10, receipt: { items: orders, match: [number], id: id } } } }";
    let bench = Bench::new("", together, []);
    let outcomes = bench.create(&[item("a"), Item { key: None, id: None, body: json!({}) }]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Fault::BatchRefused(_)))), "{outcomes:?}");
}

/// The error of one field of a document is judged by the rules that are for its object and for what was asked.
#[tokio::test]
async fn an_error_of_one_field_is_judged_by_the_same_rules() {
    let outcomes = |rule: &str| {
        let rules = format!("{GRAPHQL}answers: [{{ {rule} }}]\n");
        async move {
            let error = json!({"code": 3, "message": "no", "wait": 45, "path": ["a1"]});
            let bench = Bench::new(&rules, STOCK, [answer(207, &json!({"data": {"a0": {"thing": {"id": "1"}}, "a1": null}, "errors": [error]}))]);
            let mut outcomes = bench.send(Operation::Update, None, &[thing(Some("a")), thing(Some("b"))]).await;
            assert!(outcomes[0].is_ok(), "{outcomes:?}");
            outcomes.remove(1)
        }
    };
    assert!(is_refused(&outcomes("when: 'error.code == 3', is: rejected").await));
    assert!(is_refused(&outcomes("when: 'error.code == 3 and status == 207', is: rejected").await), "the status is that of the answer");
    assert!(is_in_doubt(&outcomes("when: 'error.code == 3', is: rejected, on: [Label]").await), "the rule is for another object");
    assert!(is_in_doubt(&outcomes("when: 'error.code == 3 and asked == \"read\"', is: rejected").await));
    assert!(is_in_doubt(&outcomes("when: 'error.code == 3', is: conflict").await), "success may have been done");
    assert!(is_in_doubt(&outcomes("when: 'error.code == 3', is: expired").await));
    let told = outcomes("when: 'error.code == 3', is: conflict, nothing_done: yes").await;
    assert!(matches!(told, Err(Fault::Conflict { .. })), "{told:?}");
    let until = "2026-11-18T20:00:45Z".parse().unwrap();
    let told = outcomes("when: 'error.code == 3', is: throttled, for: error.wait, nothing_done: yes").await;
    assert!(matches!(told, Err(Fault::Throttled { until: Some(at), .. }) if at == until), "{told:?}");
}

/// A refusal beside a result: the record was made, and a corrected one would be a second.
#[tokio::test]
async fn an_error_beside_a_result_refuses_nothing() {
    let create = "{ writes: { create: { key: number, mutation: make, arguments: { data: \"{item}\" }, receipt: { at: order, id: id } } } }";
    let rules = format!("{GRAPHQL}answers: [{{ when: 'error.code == 3', is: rejected }}]\n");
    let told = |result: Json| ok(json!({"data": {"make": result}, "errors": [{"code": 3, "message": "no"}]}));
    let bench = Bench::new(&rules, create, [told(json!({"order": {"id": "1"}})), told(Json::Null)]);
    assert!(is_in_doubt(&bench.create(&[item("a")]).await.remove(0)));
    assert!(is_refused(&bench.create(&[item("a")]).await.remove(0)));
}

#[tokio::test]
async fn a_read_of_several_hears_the_rules_of_reads_only() {
    let order = "{ get: { query: order, arguments: { id: \"{id}\" }, batch: { aliases: 10 } } }";
    let rules = format!(
        "{GRAPHQL}answers: [{{ when: 'error.code == 5 and asked == \"write\"', is: rejected }}, {{ when: 'error.code == 5', is: throttled, for: 9 }}]\n"
    );
    let error = json!({"code": 5, "message": "later", "path": ["a1"]});
    let bench = Bench::new(&rules, order, [ok(json!({"data": {"a0": {"id": "1"}, "a1": null}, "errors": [error]}))]);
    let of = ObjectRef::new("shop", "Order");
    let (schemas, id) = (BTreeMap::new(), vec!["id".to_owned()]);
    let selection = crate::connector::Selection { object: &of, schemas: &schemas, projection: vec![&id], filter: Vec::new(), stamps: &[] };
    let read = bench.system.fetch_by_id(&bench.call, &selection, &["1".to_owned(), "2".to_owned()]).await;
    assert!(matches!(read, Err(Fault::Throttled { .. })), "{read:?}");
}

#[tokio::test]
async fn only_an_update_has_steps() {
    let steps =
        "steps: [{ covers: [number], call: POST /orders, body: \"{item}\" }, { covers: [tags], call: \"POST /orders/{id}/tags\", body: \"{item}\" }]";
    let bench = Bench::new("", &format!("{{ writes: {{ create: {{ key: number, {steps}, receipt: {{ id: id }} }} }} }}"), []);
    let tagged = Item { body: json!({"number": "a", "tags": ["x"]}), ..item("a") };
    assert!(is_refused(&bench.create(&[tagged]).await.remove(0)));
    assert_eq!(bench.asked(), 0, "nothing was made");
}

#[tokio::test]
async fn a_field_that_no_step_writes_is_refused_before_anything_is_sent() {
    let steps = "steps: [{ covers: [tags], call: \"POST /orders/{id}/tags\", body: \"{item}\" }, { covers: [note], call: \"POST /orders/{id}\", body: \"{item}\" }]";
    let update = format!("{{ writes: {{ update: {{ {steps}, receipt: {{ id: id }} }} }} }}");
    let known = |body: Json| Item { key: Some("a".to_owned()), id: Some("7".to_owned()), body };
    let bench = Bench::new("", &update, []);
    let outcome = bench.send(Operation::Update, None, &[known(json!({"tags": ["x"], "email": "e"}))]).await.remove(0);
    assert!(matches!(&outcome, Err(Fault::Rejected(refusal)) if refusal.field.as_deref() == Some("email")), "{outcome:?}");
    assert_eq!(bench.asked(), 0);
    // The field by which the record was found is no change of it.
    let bench = Bench::new("", &update, [ok(json!({"id": "7"}))]);
    let outcome = bench.send(Operation::Update, Some("number"), &[known(json!({"number": "a", "note": "x"}))]).await.remove(0);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(bench.body(0), json!({"note": "x"}));
}

#[tokio::test]
async fn what_is_half_done_is_gone_on_with_and_never_called_undone() {
    let steps = "steps: [{ covers: [tags], call: \"POST /orders/{id}/tags\", body: \"{item}\" }, { covers: [note], call: \"POST /orders/{id}\", body: { note: \"{item.note.text}\" } }]";
    let update = format!("{{ writes: {{ update: {{ {steps}, receipt: {{ id: id }} }} }} }}");
    let item = |note: Json| Item { key: None, id: Some("7".to_owned()), body: json!({"tags": ["x"], "note": note}) };
    let done = || ok(json!({"id": "7"}));
    let busy = || answer(429, &json!({}));
    let send = |answers: Vec<Result<Response, Broken>>, note: Json| {
        let bench = Bench::new("", &update, answers);
        async move {
            let outcome = bench.send(Operation::Update, None, &[item(note)]).await.remove(0);
            (outcome, bench.asked())
        }
    };
    let text = json!({"text": "x"});
    let (outcome, calls) = send(vec![done(), busy(), done()], text.clone()).await;
    assert!(outcome.is_ok() && calls == 3, "{outcome:?}");
    let (outcome, calls) = send(vec![done(), busy(), busy(), busy(), busy()], text.clone()).await;
    assert!(is_in_doubt(&outcome) && calls == 5, "{outcome:?}");
    let (outcome, calls) = send(vec![done(), answer(403, &json!({}))], text.clone()).await;
    assert!(is_in_doubt(&outcome) && calls == 2, "{outcome:?}");
    // A refusal says whether it is one of the whole.
    let refused = || answer(400, &json!({}));
    let (outcome, _) = send(vec![done(), refused()], text.clone()).await;
    assert!(matches!(&outcome, Err(Fault::Rejected(refusal)) if refusal.partly), "{outcome:?}");
    let changed = || answer(409, &json!({}));
    let rules = "answers: [{ when: 'status == 409', is: conflict }]\n";
    for (answers, is_partly) in [(vec![done(), changed()], true), (vec![changed()], false)] {
        let bench = Bench::new(rules, &update, answers);
        let outcome = bench.send(Operation::Update, None, &[item(text.clone())]).await.remove(0);
        assert!(matches!(outcome, Err(Fault::Conflict { partly, .. }) if partly == is_partly), "{outcome:?}");
    }
    let (outcome, _) = send(vec![refused()], text.clone()).await;
    assert!(matches!(&outcome, Err(Fault::Rejected(refusal)) if !refusal.partly), "{outcome:?}");
    // Nothing was done yet.
    let (outcome, calls) = send(vec![busy()], text).await;
    assert!(matches!(outcome, Err(Fault::Throttled { .. })) && calls == 1, "{outcome:?}");
    // A call that cannot be made is told before another goes out.
    let (outcome, calls) = send(vec![], json!({})).await;
    assert!(is_refused(&outcome) && calls == 0, "{outcome:?}");
}

/// Lines that an answer lacks are not lines that are not there: they would be added once more.
#[tokio::test]
async fn lines_that_are_not_told_are_not_added_again() {
    let step = "{ covers: [lines], lines: { key: sku }, add: { call: \"POST /orders/{id}/lines\", body: \"{lines}\", once: 'not any(l.sku == line.sku for l in target.lines)' } }";
    let order = format!("{{ get: {{ call: \"GET /orders/{{id}}\" }}, writes: {{ update: {{ steps: [{step}], receipt: {{ id: id }} }} }} }}");
    for held in [json!({"id": "7"}), json!({"id": "7", "lines": null}), json!({"id": "7", "lines": {"count": 3}})] {
        let bench = Bench::new("", &order, [ok(held.clone())]);
        let item = Item { key: None, id: Some("7".to_owned()), body: json!({"lines": [{"sku": "a", "n": 1}]}) };
        let outcome = bench.send(Operation::Update, None, &[item]).await.remove(0);
        assert!(matches!(outcome, Err(Fault::Transient { .. })), "{held}: {outcome:?}");
        assert_eq!(bench.asked(), 1, "{held}");
    }
}

#[tokio::test]
async fn a_line_that_no_call_changes_or_removes_is_refused_before_anything_is_sent() {
    let add = "add: { call: \"POST /orders/{id}/lines\", body: \"{lines}\", once: 'not any(l.sku == line.sku for l in target.lines)' }";
    let get = "get: { call: \"GET /orders/{id}\" }";
    let of = |more: &str| {
        let steps = format!("steps: [{{ covers: [lines], lines: {{ key: sku }}, {add}{more} }}]");
        format!("{{ {get}, writes: {{ update: {{ {steps}, receipt: {{ id: id }} }} }} }}")
    };
    let change = ", change: { call: \"PUT /orders/{id}/lines\", body: \"{lines}\" }";
    let remove = ", remove: { call: \"DELETE /orders/{id}/lines\", body: \"{lines}\" }";
    let held = || ok(json!({"id": "7", "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 1}]}));
    let line = |sku: &str, n: u64| json!({"sku": sku, "n": n});
    for (more, lines, calls) in [
        ("", json!([line("a", 1), line("b", 1), line("c", 1)]), Some(2)),
        ("", json!([line("a", 2), line("b", 1), line("c", 1)]), None),
        ("", json!([line("a", 1), line("c", 1)]), None),
        (change, json!([line("a", 2), line("b", 1), line("c", 1)]), Some(3)),
        (remove, json!([line("a", 1), line("c", 1)]), Some(3)),
    ] {
        let answers = std::iter::once(held()).chain((1..calls.unwrap_or(1)).map(|_| ok(json!({"id": "7"}))));
        let bench = Bench::new("", &of(more), answers);
        let item = Item { key: None, id: Some("7".to_owned()), body: json!({"lines": lines}) };
        let outcome = bench.send(Operation::Update, None, &[item]).await.remove(0);
        assert!(if calls.is_some() { outcome.is_ok() } else { is_refused(&outcome) }, "{more}: {outcome:?}");
        assert_eq!(bench.asked(), calls.unwrap_or(1), "{more}");
    }
}

/// What is made is looked for by its key: a flow with another key is none of the write's.
#[tokio::test]
async fn a_flow_with_another_key_is_not_taken() {
    let order = "{ find: { number: { call: GET /orders, query: { number: \"{value}\" }, records: orders, filter: exact } }, writes: { create: { key: number, call: POST /orders, body: \"{item}\", guarantee: { by: mark, field: number, settle: 5 minutes, source: x }, receipt: { id: id } } } }";
    let bench = Bench::new("", order, [ok(json!({"id": "1"}))]);
    let outcome = bench.send(Operation::Create, Some("email"), &[item("a")]).await.remove(0);
    assert!(matches!(&outcome, Err(Fault::Rejected(refusal)) if refusal.code == "object"), "{outcome:?}");
    assert!(bench.create(&[item("a")]).await.remove(0).is_ok());
    assert_eq!(bench.asked(), 1);
}

#[test]
fn a_flow_with_another_key_is_told_when_it_is_checked() {
    let config = "connections:\n  shop: { system: commercetools }\n  wms: { system: shipstation }\n";
    let told = |field: &str| {
        let mapping = format!(
            "edition 1\nflow f {{\n  from wms.Order as o {{\n    every 6 hours\n  }}\n  create shop.InventoryEntry key {field} = \"a-{{o.orderNumber}}\" {{\n    quantityOnStock = 1\n    sku = \"x\"\n  }}\n}}\n"
        );
        let texts = crate::project::Texts::new([("crossdock.yaml", config), ("f.dock", mapping.as_str())]);
        let compiled = crate::project::compile(&texts, &crate::project::Options::default());
        let of_key = compiled.diagnostics.into_iter().filter(|fault| fault.message.contains("by this key"));
        of_key.map(|fault| fault.help.first().map(|help| help.text.clone()).unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(told("sku"), ["write the key to `key`"]);
    assert_eq!(told("key"), Vec::<String>::new());
}

#[tokio::test]
async fn a_look_up_finds_what_has_the_value_and_nothing_else() {
    let list = |query: &str, more: &str| format!("{{ find: {{ number: {{ call: GET /orders, query: {{ {query} }}, records: orders{more} }} }} }}");
    let order = |number: &str| json!({"id": "1", "number": number});
    let any = list("number: \"{value}\"", "");
    let bench = Bench::new(
        "",
        &any,
        [ok(json!({"orders": [order("A-10"), order("A-1")]})), ok(json!({"orders": [order("A-10")]})), ok(json!({"orders": [{"id": "1"}]}))],
    );
    assert_eq!(bench.look_up("number", "A-1").await, Ok(vec![order("A-1")]), "the search is by how it begins");
    assert_eq!(bench.look_up("number", "A-1").await, Ok(vec![]));
    assert!(matches!(bench.look_up("number", "A-1").await, Err(Fault::Rejected(_))), "what cannot be compared is not known");
    // The record by itself says what its list does not.
    let by_id = "{ get: { call: \"GET /orders/{id}\" }, find: { number: { call: GET /orders, query: { number: \"{value}\" }, records: orders, then: get } } }";
    let bench =
        Bench::new("", by_id, [ok(json!({"orders": [{"id": "1"}, {"id": "2"}]})), ok(order("A-10")), ok(json!({"id": "2", "number": "A-1"}))]);
    assert_eq!(bench.look_up("number", "A-1").await, Ok(vec![json!({"id": "2", "number": "A-1"})]));
    // The path names it.
    let path = "{ find: { number: { call: \"GET /orders/number={value}\" } } }";
    let bench = Bench::new("", path, [ok(json!({"id": "1"}))]);
    assert_eq!(bench.look_up("number", "A-1").await, Ok(vec![json!({"id": "1"})]));
}

#[tokio::test]
async fn a_look_up_of_which_one_page_was_read_is_not_known() {
    let order = |number: &str| json!({"id": "1", "number": number});
    let others = vec![order("A-10"), order("A-11")];
    let find = |query: &str| {
        format!("find: {{ number: {{ call: GET /orders, query: {{ number: \"{{value}}\"{query} }}, records: orders, filter: exact }} }}")
    };
    let stream =
        |page: &str| format!("changes: [{{ name: orders, call: GET /orders, query: {{ since: \"{{from}}\" }}, records: orders, page: {page} }}], ");
    let token = stream("{ token: next, to: query.token }");
    let more = stream("{ token: next, more: left, to: query.token }");
    let total = stream("{ number: { to: query.page }, total: total, grows: true, more: left }");
    for (order, answer, is_known) in [
        (format!("{{ {} }}", find(", limit: 2")), json!({"orders": others}), false),
        (format!("{{ {} }}", find(", limit: 3")), json!({"orders": others}), true),
        (format!("{{ {} }}", find("")), json!({"orders": others}), true),
        (format!("{{ {token}{} }}", find("")), json!({"orders": others, "next": "t"}), false),
        (format!("{{ {token}{} }}", find("")), json!({"orders": others, "next": null}), true),
        (format!("{{ {more}{} }}", find("")), json!({"orders": others, "next": "t", "left": true}), false),
        (format!("{{ {more}{} }}", find("")), json!({"orders": others, "next": "t", "left": false}), true),
        (format!("{{ {total}{} }}", find("")), json!({"orders": others, "total": 3}), false),
        (format!("{{ {total}{} }}", find("")), json!({"orders": others, "total": 2}), true),
    ] {
        let bench = Bench::new("", &order, [ok(answer.clone())]);
        let found = bench.look_up("number", "A-1").await;
        assert!(if is_known { found == Ok(vec![]) } else { matches!(found, Err(Fault::Rejected(_))) }, "{answer} of {order}: {found:?}");
    }
    let connection = "{ find: { number: { query: orders, arguments: { number: \"{value}\" }, records: data.edges.*.node, filter: exact } } }";
    let page = |next: bool| ok(json!({"data": {"orders": {"data": {"edges": [{"node": order("A-10")}], "pageInfo": {"hasNextPage": next}}}}}));
    let bench = Bench::new(GRAPHQL, connection, [page(true), page(false)]);
    assert!(matches!(bench.look_up("number", "A-1").await, Err(Fault::Rejected(_))));
    assert_eq!(bench.look_up("number", "A-1").await, Ok(vec![]));
    assert!(bench.body(0)["query"].as_str().unwrap().contains("pageInfo { hasNextPage }"), "{}", bench.body(0));
}
