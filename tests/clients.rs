//! What real clients asked of the sandboxes, and what they were answered, sent again: `clients/README.md` says how it was recorded.
//!
//! Refusals are held to the word. Of other answers the members and the kinds of their values are held; a member that was
//! empty may hold something.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use crossdock::sandbox::{System, salesforce, shiphero, shipstation};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

/// The kind of a value as the recorder names it.
fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "truth",
        Json::Number(_) => "number",
        Json::String(_) => "text",
        Json::Array(_) => "list",
        Json::Object(_) => "object",
    }
}

/// Where an answer does not fit the recorded shape.
fn misfit(shape: &Json, answer: &Json, at: &str) -> Option<String> {
    match (shape, answer) {
        (Json::Object(members), Json::Object(found)) => members.iter().find_map(|(name, shape)| match found.get(name) {
            Some(value) => misfit(shape, value, &format!("{at}.{name}")),
            None => Some(format!("{at}.{name} is not there")),
        }),
        (Json::Array(shapes), Json::Array(found)) => match (shapes.first(), found.first()) {
            (Some(shape), Some(first)) => misfit(shape, first, &format!("{at}[0]")),
            (Some(_), None) => Some(format!("{at} is empty")),
            (None, _) => None,
        },
        (Json::String(wanted), found) if wanted == kind(found) || wanted == "nothing" => None,
        (shape, found) => Some(format!("{at} is a {}, not {shape}", kind(found))),
    }
}

/// Instants and what is signed anew each time, made the same.
fn steady(text: &str) -> String {
    let stamps = regex::Regex::new(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+0000)?)?").unwrap();
    // The recorder stood between: its address is in some messages.
    let places = regex::Regex::new(r"https?://[^/'\x22 ]+").unwrap();
    places.replace_all(&stamps.replace_all(text, "DATE"), "PLACE").into_owned()
}

fn replayed(name: &str, recorded: &str) -> usize {
    let all: Vec<Json> = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |one: &Json| one["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let start = at(&all[0]) - SignedDuration::from_secs(2);
    let mut crm = salesforce::Salesforce::new(salesforce::Options { orders: 50, seed: 7, start, ..salesforce::Options::default() });
    let mut wms =
        shipstation::ShipStation::new(shipstation::Options { per_minute: None, v2_per_minute: None, seed: 7, ..shipstation::Options::default() });
    let goods = salesforce::products().map(|(sku, name, grams)| shiphero::Goods::new(sku, name, grams, 1_000)).collect();
    let mut hero = shiphero::ShipHero::new(shiphero::Options { goods, no_limits: true, seed: 7, start, ..shiphero::Options::default() });
    let mut wrong = Vec::new();
    for one in &all {
        let path = one["path"].as_str().unwrap();
        let mut request = http::Request::builder().method(one["method"].as_str().unwrap()).uri(format!("http://127.0.0.1{path}"));
        for (header, value) in one["headers"].as_object().unwrap() {
            request = request.header(header, value.as_str().unwrap());
        }
        let request = request.body(Bytes::from(one["body"].as_str().unwrap().to_owned())).unwrap();
        let system: &mut dyn System = match one["system"].as_str() {
            Some("salesforce") => &mut crm,
            Some("shiphero") => &mut hero,
            _ => &mut wms,
        };
        let answer = system.handle(&request, at(one));
        let read = || serde_json::from_slice::<Json>(answer.body()).unwrap_or_default();
        let status = u64::from(answer.status().as_u16());
        let why = if Some(status) != one["status"].as_u64() {
            Some(format!("{status} in place of {}: {}", one["status"], String::from_utf8_lossy(answer.body())))
        } else if let Some(refused) = one.get("refused") {
            (steady(&read().to_string()) != steady(&refused.to_string())).then(|| format!("{} in place of {refused}", read()))
        } else {
            one.get("shape").and_then(|shape| misfit(shape, &read(), "answer"))
        };
        wrong.extend(why.map(|why| format!("{} {path}: {why}", one["method"].as_str().unwrap())));
    }
    assert!(wrong.is_empty(), "{name}: {} of {} answers differ:\n{}", wrong.len(), all.len(), wrong[..wrong.len().min(20)].join("\n"));
    all.len()
}

#[test]
fn clients_are_answered_as_they_were_when_they_were_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/recorded");
    let mut sent = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            sent += replayed(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        }
    }
    assert!(sent > 300, "{sent}");
}
