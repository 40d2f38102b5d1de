//! V2 held against the vendor's description: every answer is one of its schemas, every parameter does something.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::{Options, ShipStation, v2};
use crate::sandbox::{Act, System};
use crate::value::Json;

fn now() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn ask(account: &mut ShipStation, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = http::Request::builder().method(method).uri(format!("https://sandbox{path}")).header("api-key", "sandbox").body(body).unwrap();
    let answer = account.handle(&request, now());
    (answer.status().as_u16(), if answer.body().is_empty() { Json::Null } else { serde_json::from_slice(answer.body()).unwrap() })
}

fn act(account: &mut ShipStation, verb: &str, subject: &str, settings: Json) -> Json {
    account.act(&Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }, now()).unwrap()
}

/// Three parcels: one that nobody has seen yet, one on its way with a delay, one delivered.
fn lived() -> ShipStation {
    let mut account = ShipStation::new(Options { v2_per_minute: None, ..Options::default() });
    for number in ["A-1", "A-2", "A-3"] {
        act(&mut account, "create", number, json!({}));
        act(&mut account, "ship", number, json!({}));
    }
    act(&mut account, "scan", "A-2", json!({"at": "2026-03-02T06:00:00Z"}));
    act(&mut account, "delay", "A-2", json!({"at": "2026-03-02T07:00:00Z"}));
    act(&mut account, "deliver", "A-3", json!({}));
    account
}

fn fits(operation: &str, answer: &Json) {
    let operations = v2::description()["operations"].as_array().unwrap();
    let described = operations.iter().find(|known| known["path"] == operation && known["method"] == "GET").unwrap();
    let validator = jsonschema::validator_for(&described["answer"]).unwrap();
    let wrong: Vec<String> = validator.iter_errors(answer).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(wrong.is_empty(), "{operation}: {wrong:?} {answer}");
}

#[test]
fn answers_are_what_the_description_says() {
    let mut account = lived();
    let (status, listed) = ask(&mut account, "GET", "/v2/labels?sort_dir=asc", &Json::Null);
    assert_eq!((status, listed["total"].as_u64(), listed["pages"].as_u64()), (200, Some(3), Some(1)));
    fits("/v2/labels", &listed);
    let states: Vec<&str> = listed["labels"].as_array().unwrap().iter().map(|label| label["tracking_status"].as_str().unwrap()).collect();
    assert_eq!(states, ["unknown", "error", "delivered"]);
    for label in listed["labels"].as_array().unwrap() {
        let id = label["label_id"].as_str().unwrap();
        let (status, one) = ask(&mut account, "GET", &format!("/v2/labels/{id}"), &Json::Null);
        assert_eq!((status, &one), (200, label));
        fits("/v2/labels/{label_id}", &one);
        let (status, tracking) = ask(&mut account, "GET", &format!("/v2/labels/{id}/track"), &Json::Null);
        assert_eq!(status, 200);
        fits("/v2/labels/{label_id}/track", &tracking);
        assert_eq!(tracking["tracking_number"], label["tracking_number"]);
    }
    let refusal = jsonschema::validator_for(&v2::description()["refusal"]).unwrap();
    for path in ["/v2/labels/se-1", "/v2/labels/se-1/track", "/v2/nothing", "/v2/labels?page=0", "/v2/labels?created_at_start=yesterday"] {
        let (status, said) = ask(&mut account, "GET", path, &Json::Null);
        assert!((400..500).contains(&status) && refusal.is_valid(&said), "{path}: {status} {said}");
    }
    assert!(account.protocol_violations().is_empty(), "{:?}", account.protocol_violations());
    ask(&mut account, "GET", "/v2/labels?modified_at_start=2026-01-01", &Json::Null);
    assert_eq!(account.protocol_violations().len(), 1, "the description has no such parameter of labels");
}

#[test]
fn every_parameter_of_the_list_does_something() {
    let mut account = lived();
    let operations = v2::description()["operations"].as_array().unwrap();
    let names = operations.iter().find(|known| known["path"] == "/v2/labels").unwrap()["query"].as_array().unwrap();
    for name in names.iter().map(|name| name.as_str().unwrap()) {
        let nothing = match name {
            "sort_by" | "sort_dir" | "page_size" => continue,
            "page" => "9",
            "created_at_start" => "2030-01-01T00:00:00Z",
            "created_at_end" => "2001-01-01T00:00:00Z",
            "label_status" => "error",
            _ => "se-9",
        };
        let (_, listed) = ask(&mut account, "GET", &format!("/v2/labels?{name}={nothing}"), &Json::Null);
        assert_eq!(listed["labels"], json!([]), "{name}");
    }
    let (_, listed) = ask(&mut account, "GET", "/v2/labels?page_size=2&page=2", &Json::Null);
    assert_eq!((listed["labels"].as_array().unwrap().len(), listed["pages"].as_u64()), (1, Some(2)));
}

#[test]
fn what_a_carrier_says_late_stands_where_it_belongs_and_is_told() {
    let mut account = lived();
    assert_eq!(ask(&mut account, "POST", "/v2/environment/webhooks", &json!({"event": "track", "url": "http://127.0.0.1/t"})).0, 200);
    assert_eq!(ask(&mut account, "POST", "/v2/environment/webhooks", &json!({"event": "track", "url": "http://127.0.0.1/u"})).0, 409);
    act(&mut account, "scan", "A-3", json!({"at": "2026-03-01T12:00:00Z"}));
    let told = account.deliveries(now());
    let body: Json = serde_json::from_slice(&told.last().unwrap().body).unwrap();
    assert_eq!(body["resource_type"], "TRACK_EVENT_V2");
    assert_eq!((body["data"]["status_code"].as_str(), body["data"]["events"][0]["event_code"].as_str()), (Some("DE"), Some("DELIVERED")));
    let path = body["resource_url"].as_str().unwrap().trim_start_matches("https://api.shipstation.com").to_owned();
    assert_eq!(ask(&mut account, "GET", &path, &Json::Null).1, body["data"]);
    let (_, hooks) = ask(&mut account, "GET", "/v2/environment/webhooks", &Json::Null);
    assert_eq!(ask(&mut account, "DELETE", &format!("/v2/environment/webhooks/{}", hooks[0]["webhook_id"].as_str().unwrap()), &Json::Null).0, 200);
}

#[test]
fn a_key_that_is_wrong_and_calls_that_are_too_many_are_refused() {
    let mut account = ShipStation::new(Options { v2_per_minute: Some(2), ..Options::default() });
    let request = http::Request::get("https://sandbox/v2/labels").header("api-key", "other").body(Bytes::new()).unwrap();
    assert_eq!(account.handle(&request, now()).status(), 401);
    assert_eq!(ask(&mut account, "GET", "/v2/labels", &Json::Null).0, 200);
    assert_eq!(ask(&mut account, "GET", "/v2/labels", &Json::Null).0, 429);
}
