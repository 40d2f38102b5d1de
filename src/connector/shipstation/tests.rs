//! The connector against answers that are written down here: each test says what is asked and what comes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::ShipStation;
use crate::connector::registry::{Settings, open};
use crate::connector::scripted::{NOW, Script, Still, answer, ok, posted};
use crate::connector::{
    Change, Connector, Found, Guarantee, Hint, Item, LookupRequest, Operation, Page, ReadRequest, Receipt, Selection, State, WriteRequest,
};
use crate::fault::Fault;
use crate::http::{Broken, Call, Request, Response, Secret, Transport};
use crate::plan::Plan;
use crate::project::{Options, Texts, compile};
use crate::value::{Json, ObjectRef};

struct Bench {
    script: Arc<Script>,
    shipstation: ShipStation,
    call: Call,
}

impl Bench {
    fn new(answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let options: BTreeMap<String, Secret> = [("api_key", "key"), ("api_secret", "secret"), ("partner", "p4rtner")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .collect();
        let settings = Settings { name: "wms".into(), system: "shipstation".into(), options };
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let shipstation = ShipStation::new(&settings, script.clone(), clock).unwrap();
        Bench { script, shipstation, call: Call::default() }
    }

    /// What was asked, with the query decoded: `GET /orders?page=1`.
    fn asked(&self) -> Vec<String> {
        let read = |request: &Request| {
            let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            let query: Vec<String> = query.map(|(name, value)| format!("{name}={value}")).collect();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{} {}{mark}{}", request.method(), request.uri().path(), query.join("&"))
        };
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        self.script.requests.lock().unwrap().iter().map(read).collect()
    }

    fn body(&self, at: usize) -> Json {
        serde_json::from_slice(self.script.requests.lock().unwrap()[at].body()).unwrap()
    }
}

fn limited(status: u16, left: u32, reset: u32) -> Result<Response, Broken> {
    let response = http::Response::builder().status(status);
    let response = response.header("X-Rate-Limit-Limit", "40").header("X-Rate-Limit-Remaining", left.to_string());
    Ok(response.header("X-Rate-Limit-Reset", reset.to_string()).body(Bytes::from(r#"{"message":"Too Many Requests"}"#)).unwrap())
}

fn orders(stamps: &[(u64, &str)], page: u64, pages: u64) -> Result<Response, Broken> {
    let orders: Vec<Json> = stamps.iter().map(|(id, stamp)| json!({ "orderId": id, "modifyDate": stamp })).collect();
    ok(json!({ "orders": orders, "total": 1000, "page": page, "pages": pages }))
}

fn plan(object: &str, read: &str) -> Plan {
    let config = "connections:\n  wms: { system: shipstation }\n  out: { system: shipstation }\n";
    let stamp = if object == "Order" { "modifyDate" } else { "createDate" };
    let mapping = format!(
        r#"edition 1
flow f {{
  from wms.{object} as it {{
    changed it.{stamp}
    every 5 minutes
  }}
  upsert out.Order key orderKey = "k-{{it.orderId}}" {{
    orderNumber = it.orderNumber
    orderDate   = now
    orderStatus = "on_hold"
    billTo.name = {read}
    shipTo.name = "x"
  }}
}}
"#
    );
    let compiled = compile(&Texts::new([("crossdock.yaml", config), ("f.dock", mapping.as_str())]), &Options::default());
    compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn source(plan: &Plan) -> Selection<'_> {
    plan.selection_of(0, &[])
}

async fn page(bench: &Bench, plan: &Plan, stream: &str, cursor: Option<&str>, begins: bool) -> Result<Page, Fault> {
    let (overlap, now) = (SignedDuration::from_mins(5), NOW.parse().unwrap());
    let ask = ReadRequest { selection: &source(plan), stream, cursor, begins, overlap, since: None, now };
    bench.shipstation.changes(&bench.call, &ask).await
}

fn ids(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.id.as_str()).collect()
}

async fn find(bench: &Bench, object: &str, field: &str, values: &[&str]) -> Result<Vec<Found>, Fault> {
    let plan = plan("Order", "\"x\"");
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let of = ObjectRef::new("wms", object);
    let field = [field.to_owned()];
    let ask = LookupRequest { object: &of, schemas: &plan.objects, field: &field, values: &values, companions: &[], projection: &[] };
    bench.shipstation.lookup(&bench.call, &ask).await
}

async fn send(bench: &Bench, object: &str, operation: Operation, key_field: Option<&str>, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
    let plan = plan("Order", "\"x\"");
    let of = ObjectRef::new("wms", object);
    let (schemas, now) = (&plan.objects, NOW.parse().unwrap());
    let batch = WriteRequest { object: &of, schemas, operation, key_field, items, riders: None, now };
    bench.shipstation.send(&bench.call, &batch).await
}

fn keyed(key: &str) -> Item {
    Item { key: Some(key.to_owned()), id: None, body: json!({ "orderKey": key, "orderNumber": format!("n{key}") }) }
}

fn taken(key: &str, id: u64) -> Json {
    json!({ "orderId": id, "orderNumber": format!("n{key}"), "orderKey": key, "success": true, "errorMessage": null })
}

async fn upsert(items: &[Item], answer: Result<Response, Broken>) -> Result<Vec<Receipt>, Fault> {
    let bench = Bench::new([answer]);
    let receipts = send(&bench, "Order", Operation::Upsert, Some("orderKey"), items).await;
    bench.asked();
    receipts
}

fn words(receipt: &Receipt) -> String {
    match &receipt.outcome {
        Ok(done) => format!("{} {}", done.id.as_deref().unwrap_or("-"), done.record["orderKey"].as_str().unwrap_or("-")),
        Err(fault) => format!("{}: {fault}", fault.class()),
    }
}

// ---- requests, limits, refusals ----

#[tokio::test]
async fn a_request_says_who_asks_and_the_answer_says_what_is_left() {
    let bench = Bench::new([limited(200, 7, 20)]);
    // The body is no list of stores, which is for later.
    assert!(matches!(bench.shipstation.check_connection(&bench.call).await, Err(Fault::Transient { .. })));
    let request = bench.script.requests.lock().unwrap()[0].clone();
    assert_eq!(request.headers()["authorization"], "Basic a2V5OnNlY3JldA==");
    assert_eq!(request.headers()["x-partner"], "p4rtner");
    assert_eq!(request.uri(), "https://ssapi.shipstation.com/stores");
    assert_eq!(bench.shipstation.limit().left(NOW.parse().unwrap()), 7);
    assert!(!format!("{:?}", bench.call.exchanges()).contains("a2V5"));
}

#[tokio::test]
async fn a_429_pauses_the_connection_until_the_window_begins_anew() {
    let bench = Bench::new([limited(429, 0, 33)]);
    let until: Timestamp = "2026-11-18T20:00:33Z".parse().unwrap();
    let fault = bench.shipstation.check_connection(&bench.call).await.unwrap_err();
    assert_eq!(fault, Fault::Throttled { until: Some(until), reason: "Too Many Requests".into() });
    assert_eq!(bench.shipstation.limit().ready_at(NOW.parse().unwrap()), until);
}

#[tokio::test]
async fn a_429_without_headers_is_backed_off_from() {
    let bench = Bench::new([answer(429, &json!({}))]);
    assert!(
        matches!(bench.shipstation.check_connection(&bench.call).await, Err(Fault::Throttled { until: Some(until), .. }) if until > NOW.parse().unwrap())
    );
}

#[tokio::test]
async fn what_a_failure_means_depends_on_whether_something_may_have_been_done() {
    let lost = || Err(Broken::Lost("reset".into()));
    let unsent = || Err(Broken::NotSent("no such name".into()));
    let html = || Ok(http::Response::builder().status(200).body(Bytes::from("<html>")).unwrap());
    let body = json!({ "message": "said" });
    for (given, read, write) in [
        (lost(), "transient", "ambiguous"),
        (unsent(), "transient", "transient"),
        (html(), "transient", "ambiguous"),
        (answer(500, &body), "transient", "ambiguous"),
        (answer(503, &body), "transient", "ambiguous"),
        (answer(408, &body), "transient", "ambiguous"),
        (answer(401, &body), "denied", "denied"),
        (answer(403, &body), "denied", "denied"),
        (answer(302, &body), "denied", "denied"),
        (answer(400, &body), "rejected", "rejected"),
    ] {
        let bench = Bench::new([given.clone()]);
        assert_eq!(bench.shipstation.check_connection(&bench.call).await.unwrap_err().class(), read);
        assert_eq!(upsert(&[keyed("a")], given).await.unwrap_err().class(), write);
    }
}

#[tokio::test]
async fn a_refused_batch_blames_nobody_and_a_refused_item_itself() {
    let body = json!({ "Message": "The request is invalid.", "ModelState": { "apiOrders[0].orderDate": ["bad date"] } });
    let two = upsert(&[keyed("a"), keyed("b")], answer(400, &body)).await.unwrap_err();
    assert!(matches!(&two, Fault::BatchRefused(refusal) if refusal.code == "400" && refusal.message.contains("bad date")), "{two:?}");
    let one = upsert(&[keyed("a")], answer(400, &body)).await.unwrap_err();
    assert!(matches!(&one, Fault::Rejected(refusal) if refusal.field.as_deref() == Some("orderDate")), "{one:?}");
}

// ---- polling ----

#[tokio::test]
async fn a_list_is_read_by_the_stamp_and_goes_on_from_the_last_pages_end() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([
        orders(&[(1, "2026-11-18T08:00:00.5"), (2, "2026-11-18T08:00:10")], 1, 2),
        orders(&[(2, "2026-11-18T08:00:10"), (3, "2026-11-18T08:00:20.1230000")], 1, 1),
        orders(&[], 1, 0),
    ]);
    let first = page(&bench, &plan, "orders", None, true).await.unwrap();
    assert!(first.more);
    let second = page(&bench, &plan, "orders", first.cursor.as_deref(), false).await.unwrap();
    assert_eq!((ids(&second.changes), second.more), (vec!["2", "3"], false));
    assert_eq!(second.changes[1].stamp.as_deref(), Some("2026-11-18T16:00:20.123000000Z"));
    let cursor: Json = serde_json::from_str(second.cursor.as_deref().unwrap()).unwrap();
    let read = NOW.parse::<Timestamp>().unwrap().as_millisecond();
    assert_eq!(cursor, json!({ "seen": "2026-11-18T08:00:20.1230000", "told": { "steady": read } }), "in the source's own print");
    let third = page(&bench, &plan, "orders", second.cursor.as_deref(), true).await.unwrap();
    assert_eq!(third.cursor, second.cursor, "nothing new moves nothing");
    assert_eq!(
        bench.asked(),
        [
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&page=1&pageSize=500",
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&modifyDateStart=2026-11-18 08:00:09&page=1&pageSize=500",
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&modifyDateStart=2026-11-18 07:55:20&page=1&pageSize=500",
        ]
    );
}

/// A list of orders that behaves as V1 says, in the test's own words, with small pages.
struct Shelf {
    orders: Mutex<Vec<(u64, String)>>,
    size: usize,
    /// After so many calls, these are modified.
    touch: Mutex<Vec<(usize, u64, String)>>,
    calls: Mutex<usize>,
}

#[async_trait]
impl Transport for Shelf {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let query: BTreeMap<String, String> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let plain = |text: &str| text.replace('T', " ");
        let within = |stamp: &str| {
            let stamp = plain(stamp);
            query.get("modifyDateStart").is_none_or(|start| stamp > *start) && query.get("modifyDateEnd").is_none_or(|end| stamp < *end)
        };
        let mut orders = self.orders.lock().unwrap();
        let mut found: Vec<(u64, String)> = orders.iter().filter(|(_, stamp)| within(stamp)).cloned().collect();
        found.sort_by_key(|(id, stamp)| (plain(stamp), *id));
        let page: usize = query["page"].parse().unwrap();
        let pages = found.len().div_ceil(self.size);
        let shown: Vec<Json> =
            found.iter().skip((page - 1) * self.size).take(self.size).map(|(id, stamp)| json!({ "orderId": id, "modifyDate": stamp })).collect();
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        for (at, id, stamp) in self.touch.lock().unwrap().iter() {
            if at == &*calls {
                orders.retain(|(known, _)| known != id);
                orders.push((*id, stamp.clone()));
            }
        }
        ok(json!({ "orders": shown, "total": found.len(), "page": page, "pages": pages }))
    }
}

/// Polls until there is no more, and gives the ids in the order they were seen, and how many calls it took.
async fn read_all(orders: Vec<(u64, String)>, size: usize, touch: Vec<(usize, u64, String)>) -> (Vec<String>, usize) {
    let shelf = Arc::new(Shelf { orders: Mutex::new(orders), size, touch: Mutex::new(touch), calls: Mutex::new(0) });
    let options = [("api_key", "k"), ("api_secret", "s")].into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    let settings = Settings { name: "wms".into(), system: "shipstation".into(), options };
    let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
    let shipstation = open(&settings, shelf.clone(), clock).unwrap();
    let plan = plan("Order", "\"x\"");
    let (mut seen, mut cursor, mut begins) = (Vec::new(), None::<String>, true);
    for _ in 0..500 {
        let ask = ReadRequest {
            selection: &source(&plan),
            stream: "orders",
            cursor: cursor.as_deref(),
            begins,
            overlap: SignedDuration::from_mins(5),
            since: None,
            now: NOW.parse().unwrap(),
        };
        let page = shipstation.changes(&Call::default(), &ask).await.unwrap();
        seen.extend(page.changes.into_iter().map(|change| change.id));
        (cursor, begins) = (page.cursor, false);
        if !page.more {
            let calls = *shelf.calls.lock().unwrap();
            return (seen, calls);
        }
    }
    panic!("the poll does not end: {cursor:?}");
}

fn missing(seen: &[String], wanted: impl IntoIterator<Item = u64>) -> Vec<u64> {
    wanted.into_iter().filter(|id| !seen.contains(&id.to_string())).collect()
}

/// An account that is polled again and again, by a clock that can be set on.
struct Account {
    shelf: Arc<Shelf>,
    clock: Arc<Still>,
    shipstation: Arc<dyn Connector>,
    cursor: Option<String>,
}

impl Account {
    fn of(orders: Vec<(u64, String)>, size: usize) -> Self {
        let shelf = Arc::new(Shelf { orders: Mutex::new(orders), size, touch: Mutex::new(Vec::new()), calls: Mutex::new(0) });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let shipstation = Self::open(&shelf, &clock);
        Account { shelf, clock, shipstation, cursor: None }
    }

    fn open(shelf: &Arc<Shelf>, clock: &Arc<Still>) -> Arc<dyn Connector> {
        let options = [("api_key", "k"), ("api_secret", "s")].into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
        let settings = Settings { name: "wms".into(), system: "shipstation".into(), options };
        open(&settings, shelf.clone(), clock.clone()).unwrap()
    }

    /// A process begins.
    fn opened(&mut self) {
        self.shipstation = Self::open(&self.shelf, &self.clock);
    }

    /// Some minutes later.
    fn later(&self, minutes: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    }

    fn add(&self, id: u64, stamp: &str) {
        self.shelf.orders.lock().unwrap().push((id, stamp.to_owned()));
    }

    /// A poll to its end: the ids, and how many calls it took.
    async fn poll(&mut self, overlap: i64) -> (Vec<String>, usize) {
        let plan = plan("Order", "\"x\"");
        let (before, mut seen, mut begins) = (*self.shelf.calls.lock().unwrap(), Vec::new(), true);
        loop {
            let now = *self.clock.0.lock().unwrap();
            let overlap = SignedDuration::from_mins(overlap);
            let ask = ReadRequest { selection: &source(&plan), stream: "orders", cursor: self.cursor.as_deref(), begins, overlap, since: None, now };
            let page = self.shipstation.changes(&Call::default(), &ask).await.unwrap();
            seen.extend(page.changes.into_iter().map(|change| change.id));
            (self.cursor, begins) = (page.cursor, false);
            if !page.more {
                return (seen, *self.shelf.calls.lock().unwrap() - before);
            }
        }
    }
}

/// The clock of V1 shows 12:00 at the beginning.
#[tokio::test]
async fn an_account_in_which_nothing_changes_is_read_in_one_call() {
    let orders = (1..=60).map(|id| (id, format!("2026-11-18T11:59:{:02}", id - 1))).collect();
    let mut account = Account::of(orders, 10);
    assert!(account.poll(5).await.0.len() >= 60);
    // Within the overlap something may show late.
    account.later(4);
    account.add(61, "2026-11-18T11:59:30.5");
    let (seen, calls) = account.poll(5).await;
    assert!(seen.contains(&"61".to_owned()) && calls > 5, "{calls}");
    account.later(1);
    assert!(account.poll(5).await.1 > 5, "the overlap and a minute have not passed");
    account.later(1);
    assert!(account.poll(5).await.1 > 5, "this one is the last");
    account.later(5);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    // The process ends and begins again; what it knew is in its checkpoint.
    account.opened();
    account.later(5);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    // 12:17. What shows late by less than the overlap is older than the last poll, and is seen.
    account.add(62, "2026-11-18T12:12:30");
    account.later(1);
    assert_eq!(account.poll(5).await.0, ["62"]);
    account.add(63, "2026-11-18T12:15:00");
    account.add(64, "2026-11-18T12:11:00");
    account.later(1);
    assert_eq!(account.poll(5).await.0, ["64", "62", "63"], "after something new, the overlap is read again");
    // Whoever asks for a longer overlap gets it.
    account.later(30);
    account.poll(5).await;
    account.later(30);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    let (seen, _) = account.poll(10).await;
    assert_eq!(seen, ["64", "62", "63"]);
}

/// Stamps to the minute only, and a change in the minute of the newest one.
#[tokio::test]
async fn a_coarse_stamp_hides_nothing() {
    let mut account = Account::of(vec![(1, "2026-11-18T11:59:00".to_owned())], 10);
    for minute in 0..20 {
        let stamp = format!("2026-11-18T12:{minute:02}:00");
        // Half a minute behind the poll before, with the stamp of the minute that it lies in.
        account.add(100 + minute, &stamp);
        let (seen, _) = account.poll(1).await;
        assert!(seen.contains(&(100 + minute).to_string()), "{minute}: {seen:?}");
        account.add(200 + minute, &stamp);
        account.later(1);
        let (seen, _) = account.poll(1).await;
        assert!(seen.contains(&(200 + minute).to_string()), "{minute}: {seen:?}");
    }
}

/// In the night in which an hour comes twice, the second one's changes have stamps that look older.
#[tokio::test]
async fn the_hour_that_comes_twice_is_not_left_out() {
    let mut account = Account::of(vec![(1, "2026-11-01T01:50:00".to_owned())], 10);
    for _ in 0..4 {
        account.poll(5).await;
        account.later(5);
    }
    account.add(2, "2026-11-01T01:10:00");
    assert!(account.poll(5).await.0.contains(&"2".to_owned()));
}

#[tokio::test]
async fn records_of_one_second_are_all_seen() {
    let mut orders: Vec<(u64, String)> = (1..=12).map(|id| (id, "2026-11-18T08:00:10".to_owned())).collect();
    orders.extend((13..=16).map(|id| (id, format!("2026-11-18T08:00:{id}"))));
    let (seen, calls) = read_all(orders, 3, Vec::new()).await;
    assert_eq!(missing(&seen, 1..=16), Vec::<u64>::new());
    assert!(calls < 30, "{calls}");
}

#[tokio::test]
async fn records_that_change_while_they_are_read_hide_no_others() {
    // After each of the first calls a record that was already seen goes to the end, and all behind it move up.
    for spread in [false, true] {
        let stamp = |id: u64| if spread { format!("2026-11-18T08:{:02}:00", id) } else { "2026-11-18T08:00:10".to_owned() };
        let orders: Vec<(u64, String)> = (1..=20).map(|id| (id, stamp(id))).collect();
        let touch = (1..=6).map(|at| (at, at as u64, format!("2026-11-18T09:00:{at:02}"))).collect();
        let (seen, _) = read_all(orders, 3, touch).await;
        assert_eq!(missing(&seen, 1..=20), Vec::<u64>::new(), "spread: {spread}");
    }
}

#[tokio::test]
async fn the_hour_that_comes_twice_hides_no_records() {
    let stamps = ["00:59:59", "01:10:00", "01:10:00", "01:20:00", "01:50:00", "01:59:59", "02:00:00", "02:00:01", "02:30:00"];
    let orders: Vec<(u64, String)> = (1..).zip(stamps).map(|(id, time)| (id, format!("2026-11-01T{time}"))).collect();
    let (seen, _) = read_all(orders, 2, Vec::new()).await;
    assert_eq!(missing(&seen, 1..=9), Vec::<u64>::new());

    // A poll that ended in the first of the two begins before both.
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([orders_of_none()]);
    page(&bench, &plan, "orders", Some(r#"{"seen":"2026-11-01T01:50:00"}"#), true).await.unwrap();
    assert!(bench.asked()[0].contains("modifyDateStart=2026-11-01 00:55:00"), "{:?}", bench.asked());
}

fn orders_of_none() -> Result<Response, Broken> {
    orders(&[], 1, 0)
}

#[tokio::test]
async fn a_full_page_is_asked_behind_where_v1_does_not_count_its_pages() {
    let plan = plan("Order", "\"x\"");
    let all: Vec<(u64, &str)> = (1..=500).map(|id| (id, "2026-11-18T08:00:10")).collect();
    let bench = Bench::new([orders(&all, 1, 0)]);
    assert!(page(&bench, &plan, "orders", None, true).await.unwrap().more);
}

#[tokio::test]
async fn a_checkpoint_that_is_none_is_said_so() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([]);
    let fault = page(&bench, &plan, "orders", Some("yesterday"), true).await.unwrap_err();
    assert!(fault.to_string().contains("checkpoint of `orders`"), "{fault}");
}

#[tokio::test]
async fn a_flow_that_never_ran_asks_for_nothing_older_than_it() {
    let plan = plan("Shipment", "\"x\"");
    let bench = Bench::new([ok(json!({ "shipments": [], "total": 0, "page": 1, "pages": 0 }))]);
    let ask = ReadRequest {
        selection: &source(&plan),
        stream: "voids",
        cursor: None,
        begins: true,
        overlap: SignedDuration::from_mins(5),
        since: Some("2026-11-18T19:00:00Z".parse().unwrap()),
        now: NOW.parse().unwrap(),
    };
    let page = bench.shipstation.changes(&bench.call, &ask).await.unwrap();
    assert_eq!(page.cursor.as_deref(), Some(r#"{"seen":"2026-11-18T11:00:00"}"#));
    assert_eq!(bench.asked(), ["GET /shipments?sortBy=CreateDate&sortDir=ASC&voidDateStart=2026-11-18 10:55:00&page=1&pageSize=500"]);
}

// ---- shipments ----

fn shipment(id: u64, more: &Json) -> Json {
    let mut shipment =
        json!({ "shipmentId": id, "orderId": 55, "orderNumber": "n", "orderKey": "k", "createDate": "2026-11-18T08:00:00", "voided": false });
    for (name, value) in more.as_object().unwrap() {
        shipment[name] = value.clone();
    }
    shipment
}

fn shipments(records: &[Json]) -> Result<Response, Broken> {
    ok(json!({ "shipments": records, "total": records.len(), "page": 1, "pages": 1 }))
}

fn fulfillments(records: &[Json]) -> Result<Response, Broken> {
    ok(json!({ "fulfillments": records, "total": records.len(), "page": 1, "pages": 0 }))
}

fn body(change: &Change) -> &Json {
    match &change.state {
        State::Upserted(body) => body.json(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_shipment_has_a_status_and_items_only_where_they_are_read() {
    let plain = plan("Shipment", "it.status");
    let bench = Bench::new([shipments(&[shipment(1, &json!({})), shipment(2, &json!({ "voided": true }))])]);
    let found = page(&bench, &plain, "shipments", None, true).await.unwrap();
    assert_eq!((body(&found.changes[0])["status"].as_str(), body(&found.changes[1])["status"].as_str()), (Some("shipped"), Some("voided")));
    assert_eq!(bench.asked(), ["GET /shipments?sortBy=CreateDate&sortDir=ASC&page=1&pageSize=500"], "and no order is fetched");

    let mut with_items = plain;
    with_items.flows[0].reads.push(vec!["shipmentItems".into(), "sku".into()]);
    let bench = Bench::new([shipments(&[])]);
    page(&bench, &with_items, "shipments", None, true).await.unwrap();
    assert_eq!(bench.asked(), ["GET /shipments?includeShipmentItems=true&sortBy=CreateDate&sortDir=ASC&page=1&pageSize=500"]);
}

#[tokio::test]
async fn what_is_of_the_order_is_fetched_once_an_order() {
    let mut plan = plan("Shipment", "it.customerEmail");
    plan.flows[0].reads.push(vec!["orders".into(), "orderNumber".into()]);
    let order = |id: u64, merged: Json| json!({ "orderId": id, "customerEmail": "a@example.com", "orderTotal": serde_json::from_str::<Json>("12.50").unwrap(), "advancedOptions": { "mergedIds": merged } });
    let bench = Bench::new([
        shipments(&[shipment(1, &json!({})), shipment(2, &json!({})), shipment(3, &json!({ "orderId": 57 }))]),
        ok(order(55, json!([56]))),
        ok(order(56, json!(null))),
        answer(404, &json!({ "message": "no" })),
    ]);
    let found = page(&bench, &plan, "shipments", None, true).await.unwrap();
    for change in &found.changes[..2] {
        assert_eq!(body(change)["customerEmail"], "a@example.com");
        assert_eq!(body(change)["orderTotal"].to_string(), "12.50");
        assert_eq!(body(change)["orders"].as_array().unwrap().len(), 2);
    }
    assert!(body(&found.changes[2]).get("orders").is_none() && body(&found.changes[2]).get("customerEmail").is_none());
    let asked = bench.asked();
    assert!(asked[0].ends_with("pageSize=25"), "{asked:?}");
    assert_eq!(asked[1..], ["GET /orders/55", "GET /orders/56", "GET /orders/57"]);
}

#[tokio::test]
async fn voids_are_gone_and_their_poll_goes_on_no_later_than_it_began() {
    let plan = plan("Shipment", "\"x\"");
    let void = |id: u64, at: &str| shipment(id, &json!({ "voided": true, "voidDate": at }));
    let list = |records: &[Json], page: u64| ok(json!({ "shipments": records, "total": 3, "page": page, "pages": 2 }));
    let bench =
        Bench::new([list(&[void(1, "2026-11-18T11:30:00"), void(2, "2026-11-18T10:00:00.25")], 1), list(&[void(3, "2026-11-18T12:00:30")], 2)]);
    let first = page(&bench, &plan, "voids", Some(r#"{"seen":"2026-11-18T09:00:00"}"#), true).await.unwrap();
    assert_eq!((ids(&first.changes), first.more), (vec!["1", "2"], true));
    assert_eq!(first.changes[0], Change { id: "1".into(), stamp: Some("2026-11-18T19:30:00.000000000Z".into()), state: State::Gone });
    let second = page(&bench, &plan, "voids", first.cursor.as_deref(), false).await.unwrap();
    assert!(!second.more);
    // The poll began at 12:00:00 in Los Angeles; a void of 12:00:10 may stand on a page that was read before it.
    assert_eq!(second.cursor.as_deref(), Some(r#"{"seen":"2026-11-18T12:00:00"}"#));
    let from = "GET /shipments?sortBy=CreateDate&sortDir=ASC&voidDateStart=2026-11-18 08:55:00";
    assert_eq!(bench.asked(), [format!("{from}&page=1&pageSize=500"), format!("{from}&page=2&pageSize=500")]);
}

#[tokio::test]
async fn what_was_marked_as_shipped_comes_as_a_shipment_with_a_number_of_its_own() {
    let plan = plan("Shipment", "it.orderKey");
    let record = json!({ "fulfillmentId": 1, "orderId": 55, "orderNumber": "n", "trackingNumber": "T", "createDate": "2026-11-18T08:00:00",
        "shipDate": "2026-11-18T00:00:00", "deliveryDate": "2026-11-19T00:00:00", "carrierCode": "USPS", "voided": false, "fulfillmentFee": 3 });
    let bench = Bench::new([fulfillments(&[record]), ok(json!({ "orderId": 55, "orderKey": "sf-1" }))]);
    let found = page(&bench, &plan, "fulfillments", None, true).await.unwrap();
    assert_eq!(ids(&found.changes), ["fulfillment-1"]);
    let body = body(&found.changes[0]);
    assert_eq!(
        (&body["shipmentId"], &body["shipDate"], &body["status"], &body["orderKey"]),
        (&json!(-1), &json!("2026-11-18"), &json!("delivered"), &json!("sf-1"))
    );
    assert!(body.get("fulfillmentFee").is_none());
}

#[tokio::test]
async fn a_shipment_is_got_from_the_list_and_a_fulfillment_by_its_number() {
    let plan = plan("Shipment", "\"x\"");
    let bench = Bench::new([
        shipments(&[shipment(9, &json!({})), shipment(1, &json!({}))]),
        fulfillments(&[json!({ "fulfillmentId": 1, "createDate": "2026-11-18T08:00:00" })]),
    ]);
    let wanted = ["1".to_owned(), "404".to_owned(), "fulfillment-1".to_owned(), "nonsense".to_owned()];
    let found = bench.shipstation.fetch_by_id(&bench.call, &source(&plan), &wanted).await.unwrap();
    assert_eq!(ids(&found), ["1", "fulfillment-1"]);
    assert_eq!(
        bench.asked(),
        ["GET /shipments?sortBy=CreateDate&sortDir=DESC&page=1&pageSize=500", "GET /fulfillments?fulfillmentId=1&page=1&pageSize=500"]
    );
}

// ---- reading and finding ----

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

// ---- writing ----

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
    let write = |object: &str, operation, key| super::writes(object, operation, key);
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

// ---- hints, names ----

#[tokio::test]
async fn a_hint_is_followed_to_the_connections_own_address() {
    let mut plan = plan("Shipment", "it.status");
    plan.flows[0].reads.push(vec!["shipmentItems".into(), "sku".into()]);
    let bench = Bench::new([shipments(&[shipment(1, &json!({}))])]);
    let body =
        r#"{"resource_url":"https://ssapi.shipstation.com/shipments?batchId=12&includeShipmentItems=False&url=x","resource_type":"SHIP_NOTIFY"}"#;
    let hint = posted(&bench.shipstation, body.as_bytes()).unwrap();
    let page = bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.unwrap();
    assert_eq!((ids(&page.changes), page.more), (vec!["1"], false));
    assert_eq!(bench.asked(), ["GET /shipments?batchId=12&includeShipmentItems=true&page=1&pageSize=500"]);
}

#[tokio::test]
async fn a_hint_of_a_shipment_names_the_order_that_changed() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([shipments(&[shipment(1, &json!({})), shipment(2, &json!({}))])]);
    let hint = Hint { event: "SHIP_NOTIFY".into(), parameters: [("batchId".to_owned(), "12".to_owned())].into() };
    let page = bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.unwrap();
    assert_eq!(page.changes, [Change { id: "55".into(), stamp: None, state: State::Touched }]);
    // What was kept may have been changed on the way.
    for (name, value) in [("batchId", "1&x=2"), ("storeID", "1"), ("path", "/stores")] {
        let hint = Hint { event: "SHIP_NOTIFY".into(), parameters: [(name.to_owned(), value.to_owned())].into() };
        assert!(bench.shipstation.resolve_webhook(&bench.call, &source(&plan), &hint).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn the_named_things_have_the_kinds_of_the_snapshot() {
    let carriers = || ok(json!([{ "name": "UPS", "code": "ups" }, { "name": "UPS 2", "code": "ups" }]));
    let bench = Bench::new([
        ok(json!([{ "storeId": 300101, "storeName": "Amazon US" }])),
        ok(json!([{ "warehouseId": 4401, "warehouseName": "Reno DC" }])),
        carriers(),
        carriers(),
        ok(json!([{ "carrierCode": "ups", "code": "ups_ground", "name": "UPS Ground" }])),
        ok(json!([{ "tagId": 8362, "name": "Backorder" }])),
    ]);
    let names = bench.shipstation.reference_data(&bench.call, &std::collections::BTreeSet::new()).await.unwrap();
    let said: Vec<String> = names.iter().map(|(kind, names)| format!("{kind} {}={}", names[0].name, names[0].id)).collect();
    assert_eq!(
        said,
        ["Carrier ups=\"ups\"", "Service UPS Ground=\"ups_ground\"", "Store Amazon US=300101", "Tag Backorder=8362", "Warehouse Reno DC=4401"]
    );
    assert!(bench.asked().contains(&"GET /carriers/listservices?carrierCode=ups".to_owned()));
}

#[tokio::test]
async fn services_of_two_carriers_with_one_code_are_two_records() {
    let mut plan = plan("Order", "\"x\"");
    plan.mapping.flows[0].source = ObjectRef::new("wms", "Service");
    let service = |carrier: &str| json!([{ "carrierCode": carrier, "code": "ups_ground", "name": "UPS Ground" }]);
    let bench = Bench::new([ok(json!([{ "code": "ups" }, { "code": "ups_walleted" }])), ok(service("ups")), ok(service("ups_walleted"))]);
    let found = page(&bench, &plan, "services", None, true).await.unwrap();
    assert_eq!((ids(&found.changes), found.more), (vec!["ups/ups_ground", "ups_walleted/ups_ground"], false));
}
