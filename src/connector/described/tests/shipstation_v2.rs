//! ShipStation V2, as it is described, against answers that are written down here: each test says what is asked and what comes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::json;

use super::super::DescribedSystem;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, answer, ok, posted};
use crate::connector::{Change, Connector, LookupRequest, Page, ReadRequest, State};
use crate::describe;
use crate::fault::Fault;
use crate::http::{Broken, Call, Response, Secret};
use crate::plan::Plan;
use crate::project::{Options, Texts, compile};
use crate::value::{Json, ObjectRef};

struct Bench {
    script: Arc<Script>,
    v2: DescribedSystem,
    call: Call,
}

fn settings(more: &[(&str, &str)]) -> Settings {
    let options = [("api_key", "k3y")].iter().chain(more).map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    Settings { name: "tracking".into(), system: "shipstation-v2".into(), options }
}

fn described() -> &'static Arc<describe::Described> {
    describe::known("shipstation-v2").unwrap().described.as_ref().unwrap()
}

impl Bench {
    fn new(answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let v2 = DescribedSystem::new(described(), &settings(&[("tracking_days", "30")]), script.clone(), clock).unwrap();
        Bench { script, v2, call: Call::default() }
    }

    fn asked(&self) -> Vec<String> {
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        let requests = self.script.requests.lock().unwrap();
        assert!(requests.iter().all(|request| request.headers()["api-key"] == "k3y" && request.headers()["api-key"].is_sensitive()));
        requests.iter().map(|request| format!("{} {}", request.method(), request.uri().path_and_query().unwrap())).collect()
    }
}

fn plan(read: &str) -> Plan {
    let config = "connections:\n  tracking: { system: shipstation-v2 }\n  wms: { system: shipstation }\n";
    let mapping = format!(
        r#"edition 1
flow f {{
  from tracking.Tracking as it {{
    every 6 hours
  }}
  upsert wms.Order key orderKey = it.label_id {{
    orderNumber = it.label_id
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

fn tracking(more: Json) -> Json {
    let mut base = json!({"tracking_number": "1Z1", "status_code": "IT", "estimated_delivery_date": "2026-04-30T00:00:00", "events": [{"occurred_at": "2026-04-28T10:00:00"}]});
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

async fn changes(bench: &Bench, plan: &Plan, cursor: Option<&str>) -> Result<Page, Fault> {
    let ask = ReadRequest {
        selection: &plan.selection_of(0, &[]),
        stream: "labels",
        cursor,
        begins: cursor.is_none(),
        overlap: SignedDuration::ZERO,
        since: None,
        now: NOW.parse().unwrap(),
    };
    bench.v2.changes(&bench.call, &ask).await
}

#[tokio::test]
async fn a_poll_goes_through_the_labels_of_the_last_days() {
    let label = |id: u64, status: &str| json!({"label_id": format!("se-{id}"), "status": "completed", "tracking_number": "1", "tracking_status": status, "created_at": format!("2026-11-0{id}T00:00:00Z"), "voided": false});
    let mut voided = label(3, "unknown");
    voided["voided"] = json!(true);
    voided["voided_at"] = json!("2026-11-09T00:00:00Z");
    let mut returned = label(5, "in_transit");
    returned["is_return_label"] = json!(true);
    let mut processing = label(4, "unknown");
    processing["status"] = json!("processing");
    let bench = Bench::new([
        ok(json!({"labels": [label(1, "in_transit"), label(2, "delivered")], "total": 4, "page": 1, "pages": 2})),
        ok(json!({"labels": [voided, processing, returned], "total": 5, "page": 2, "pages": 2})),
    ]);
    let plan = plan("it.tracking_number");
    let first = changes(&bench, &plan, None).await.unwrap();
    let listed = |id: &str, stamp: Option<&str>| Change { id: id.into(), stamp: stamp.map(str::to_owned), state: State::Listed };
    assert_eq!(first.changes, [listed("se-1", None), listed("se-2", Some("delivered"))]);
    assert!(first.more);
    let second = changes(&bench, &plan, first.cursor.as_deref()).await.unwrap();
    assert_eq!(second.changes, [Change { id: "se-3".into(), stamp: Some("2026-11-09T00:00:00.000000Z".into()), state: State::Gone }]);
    assert!(!second.more);
    let from = "created_at_start=2026-10-19T20%3A00%3A00Z&sort_by=created_at&sort_dir=asc";
    assert_eq!(bench.asked(), [1, 2].map(|page| format!("GET /v2/labels?{from}&page={page}&page_size=100")));
}

#[tokio::test]
async fn a_webhook_is_followed_by_its_label_and_instants_get_their_offset() {
    let label = |more: Json| {
        let mut label = json!({"label_id": "se-77", "voided": false, "is_return_label": false});
        label.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ok(label)
    };
    let bench = Bench::new([
        label(json!({})),
        ok(tracking(json!({"status_code": "DE"}))),
        label(json!({"voided": true, "voided_at": "2026-11-09T00:00:00Z"})),
        label(json!({"is_return_label": true})),
    ]);
    let hint = json!({"resource_url": "https://api.shipstation.com/v2/labels/se-77/track", "resource_type": "TRACK_EVENT_V2", "data": {"status_code": "EX"}});
    let hint = posted(&bench.v2, hint.to_string().as_bytes()).unwrap();
    let plan = plan("it.tracking_number");
    let source = plan.selection_of(0, &[]);
    let page = bench.v2.resolve_webhook(&bench.call, &source, &hint).await.unwrap();
    let voided = bench.v2.resolve_webhook(&bench.call, &source, &hint).await.unwrap();
    assert_eq!(voided.changes, [Change { id: "se-77".into(), stamp: Some("2026-11-09T00:00:00.000000Z".into()), state: State::Gone }]);
    assert!(bench.v2.resolve_webhook(&bench.call, &source, &hint).await.unwrap().changes.is_empty(), "a return is nobody's parcel");
    let asked = ["/v2/labels/se-77", "/v2/labels/se-77/track", "/v2/labels/se-77", "/v2/labels/se-77"];
    assert_eq!(bench.asked(), asked.map(|path| format!("GET {path}")));
    let State::Upserted(body) = &page.changes[0].state else { panic!("{page:?}") };
    let record = body.read();
    assert_eq!(
        (record["status_code"].as_str(), record["label_id"].as_str()),
        (Some("DE"), Some("se-77")),
        "nothing of the webhook's own data is taken"
    );
    assert_eq!(record["estimated_delivery_date"], "2026-04-30T00:00:00Z");
    assert_eq!(record["events"][0]["occurred_at"], "2026-04-28T10:00:00Z");
}

#[tokio::test]
async fn a_label_is_fetched_where_it_is_read_and_found_by_its_number() {
    let label = json!({"label_id": "se-5", "ship_date": "2026-11-18T00:00:00Z", "external_order_id": "W-1", "tracking_number": "1Z1"});
    let bench = Bench::new([ok(tracking(json!({}))), ok(label.clone()), ok(json!({"labels": [label]})), ok(tracking(json!({})))]);
    let plan = plan("it.label.external_order_id ?? \"none\"");
    let source = plan.selection_of(0, &[]);
    let got = bench.v2.fetch_by_id(&bench.call, &source, &["se-5".into(), "no id".into()]).await.unwrap();
    let State::Upserted(body) = &got[0].state else { panic!("{got:?}") };
    assert_eq!((got.len(), body.read()["label"]["ship_date"].as_str().map(str::to_owned)), (1, Some("2026-11-18".to_owned())));
    let object = ObjectRef::new("tracking", "Tracking");
    let (field, values, projection) = (["tracking_number".into()], ["1Z1".into()], [vec!["status_code".into()]]);
    let ask = LookupRequest { object: &object, schemas: &plan.objects, field: &field, values: &values, companions: &[], projection: &projection };
    let found = bench.v2.lookup(&bench.call, &ask).await.unwrap();
    assert_eq!((found.len(), found[0].value.as_str()), (1, "1Z1"));
    let asked = ["/v2/labels/se-5/track", "/v2/labels/se-5", "/v2/labels?tracking_number=1Z1&page_size=100", "/v2/labels/se-5/track"];
    assert_eq!(bench.asked(), asked.map(|path| format!("GET {path}")));
}

#[tokio::test]
async fn refusals_are_read_and_a_limit_is_waited_for() {
    let said = |code: &str| json!({"request_id": "x", "errors": [{"error_source": "s", "error_type": "t", "error_code": code, "message": "no"}]});
    let limited = http::Response::builder().status(429).header("retry-after", "7").body(bytes::Bytes::from(said("rate_limit_exceeded").to_string()));
    let bench =
        Bench::new([answer(401, &said("unauthorized")), answer(400, &said("invalid_field_value")), answer(500, &json!({})), Ok(limited.unwrap())]);
    let plan = plan("it.tracking_number");
    assert!(matches!(changes(&bench, &plan, None).await, Err(Fault::Denied { .. })));
    assert!(matches!(changes(&bench, &plan, None).await, Err(Fault::Rejected(refusal)) if refusal.code == "invalid_field_value"));
    assert!(matches!(changes(&bench, &plan, None).await, Err(Fault::Transient { .. })));
    let until = NOW.parse::<jiff::Timestamp>().unwrap() + SignedDuration::from_secs(7);
    assert!(matches!(changes(&bench, &plan, None).await, Err(Fault::Throttled { until: Some(at), .. }) if at == until));
}

#[test]
fn what_is_no_webhook_of_this_account_is_refused() {
    let bench = Bench::new([]);
    let said = |url: &str, event: &str| posted(&bench.v2, json!({"resource_url": url, "resource_type": event}).to_string().as_bytes());
    assert!(said("https://api.shipstation.com/v2/labels/se-1/track", "TRACK_EVENT_V2").is_ok());
    for url in [
        "https://evil.example/v2/labels/se-1/track",
        "http://api.shipstation.com/v2/labels/se-1/track",
        "https://api.shipstation.com@evil.example/v2/labels/se-1/track",
        "https://api.shipstation.com/v2/labels/se-1/../../batches/track",
        "https://api.shipstation.com/v2/labels/se-1%2f..%2fx/track",
        "https://api.shipstation.com/v2/labels//track",
        "https://api.shipstation.com/v2/labels/se-/track",
        "https://api.shipstation.com/v2/labels/SE-1/track",
        "https://api.shipstation.com/v2/labels/se-1/track?x=1",
        "https://api.shipstation.com/v2/labels/se-1234567890123456789012345/track",
        "",
    ] {
        assert!(said(url, "TRACK_EVENT_V2").is_err(), "{url}");
    }
    assert!(said("https://api.shipstation.com/v2/labels/se-1/track", "SHIP_NOTIFY").is_err());
    assert!(posted(&bench.v2, &vec![b' '; 600 << 10]).is_err());
    assert!(posted(&bench.v2, b"[]").is_err());
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_them() {
    let open = |more: &[(&str, &str)]| {
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        DescribedSystem::new(described(), &settings(more), Arc::new(Script::default()), clock).map(|_| ())
    };
    assert!(open(&[("url", "http://127.0.0.1:8462")]).is_ok());
    for more in [("url", "http://api.shipstation.com"), ("tracking_days", "0"), ("tracking_days", "soon"), ("api_key", "a\nb"), ("api_key", " ")] {
        let said = open(&[more]).unwrap_err();
        assert!(!said.to_string().contains("k3y"), "{said}");
    }
}
