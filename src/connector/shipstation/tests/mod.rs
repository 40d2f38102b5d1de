//! The connector against answers that are written down here: each test says what is asked and what comes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod lookup;
mod polling;
mod requests;
mod shipments;
mod webhooks;
mod writes;

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
