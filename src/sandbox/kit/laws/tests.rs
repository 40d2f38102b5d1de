#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::value::Json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn map(json: Json) -> serde_json::Map<String, Json> {
    json.as_object().cloned().unwrap()
}

#[test]
fn version_takes_the_newest_only() {
    assert!(is_current(Some(&json!(3)), 3));
    for given in [Some(json!(2)), Some(json!(4)), Some(json!("3")), None] {
        assert!(!is_current(given.as_ref(), 3), "{given:?}");
    }
}

#[test]
fn set_keeps_what_is_not_given_and_replace_loses_it() {
    let record = map(json!({"id": 1, "a": 1, "b": 2, "tags": ["x"]}));
    let given = map(json!({"a": null}));
    let mut kept = record.clone();
    set(&mut kept, &given);
    assert_eq!(Json::Object(kept), json!({"id": 1, "a": null, "b": 2, "tags": ["x"]}));
    let mut lost = record.clone();
    replace(&mut lost, &given, &[], "id");
    assert_eq!(Json::Object(lost), json!({"id": 1, "a": null}));
    let mut some = record;
    replace(&mut some, &given, &["tags".to_owned()], "id");
    assert_eq!(Json::Object(some), json!({"id": 1, "a": null, "b": 2}));
}

#[test]
fn tokens_end() {
    let mut tokens = Tokens::new(Some(secs(60)));
    let token = tokens.give(at(0), |number| format!("t-{number}"));
    assert!(tokens.is_taken(&token, at(59)) && !tokens.is_taken(&token, at(60)) && !tokens.is_taken("t-2", at(0)));
    let mut endless = Tokens::new(None);
    let token = endless.give(at(0), |number| format!("t-{number}"));
    assert!(endless.is_taken(&token, at(100_000_000)));
    endless.end();
    assert!(!endless.is_taken(&token, at(0)));
}

#[test]
fn lists_are_sorted_by_several_fields() {
    let by = [Order::read("-at"), Order::read("id")];
    let mut rows = [json!({"id": 2, "at": "b"}), json!({"id": 1, "at": "b"}), json!({"id": 3, "at": "c"}), json!({"id": 10})];
    rows.sort_by(|one, other| order(&by, one, other));
    assert_eq!(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 1, 2, 10]);
    rows.sort_by(|one, other| order(&[Order::read("id")], one, other));
    assert_eq!(rows[3]["id"], 10, "numbers are no texts");
    let mut rows = [json!({"custom": {"rank": 2}}), json!({"custom": {"rank": 1}}), json!({})];
    rows.sort_by(|one, other| order(&[Order::read("custom.rank")], one, other));
    assert_eq!(rows[0], json!({}));
    assert_eq!(rows[1]["custom"]["rank"], 1);
}

#[test]
fn a_change_shows_after_its_lag() {
    let mut record = Seen::new("new", at(0), secs(10));
    assert_eq!((record.shown(at(9)), record.shown(at(10))), (None, Some(&"new")));
    record.change("changed", at(20), secs(10));
    assert_eq!((record.shown(at(29)), record.shown(at(30)), *record.newest()), (Some(&"new"), Some(&"changed"), "changed"));
    // Shown at once, where there is no lag, and never overtaken by an older one.
    record.change("late", at(40), secs(60));
    record.change("now", at(41), SignedDuration::ZERO);
    assert_eq!((record.shown(at(41)), record.shown(at(200))), (Some(&"now"), Some(&"now")));
}

#[test]
fn a_window_takes_so_many_calls() {
    let mut window = Window::new(2, 60);
    assert_eq!((window.call(at(0)), window.call(at(10)), window.call(at(20))), (Ok(()), Ok(()), Err(secs(40))));
    assert_eq!((window.call(at(60)), window.most()), (Ok(()), 3));
}

#[test]
fn credits_are_asked_for_before_and_paid_after() {
    let mut credits = Credits::new(100, 10);
    assert_eq!(credits.ask(101, at(0)), Err(Short { required: 101, remaining: 100, wait: None }), "never enough");
    assert_eq!(credits.ask(90, at(0)), Ok(()));
    credits.pay(30, at(0));
    assert_eq!(credits.remaining(at(0)), 70, "what it did cost, and not what it could have");
    assert_eq!(credits.ask(95, at(0)), Err(Short { required: 95, remaining: 70, wait: Some(3) }));
    assert_eq!(credits.ask(95, at(3)), Ok(()));
    assert_eq!(credits.remaining(at(1_000)), 100);
    credits.drain(at(1_000));
    assert_eq!(credits.remaining(at(1_001)), 10);
}

/// The hash of RFC 4231, test case 2.
#[test]
fn a_body_is_signed() {
    let hex = signature("hmac-sha256", "hex", "Jefe", b"what do ya want for nothing?");
    assert_eq!(hex.as_deref(), Some("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    let base64 = signature("hmac-sha256", "base64", "Jefe", b"what do ya want for nothing?");
    assert_eq!(base64.as_deref(), Some("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="));
    assert_eq!(signature("md5", "hex", "Jefe", b""), None);
}

#[test]
fn events_are_told_once_to_each_who_asked() {
    let mut outbox = Outbox::new(&["Shipment Update".to_owned()]);
    outbox.tell("Shipment Update", b"{}", ["a", "b"]);
    outbox.tell("Never Heard", b"{}", ["a"]);
    let sent = outbox.take();
    assert_eq!(sent.iter().map(|sent| (sent.to, sent.number)).collect::<Vec<_>>(), [("a", 1), ("b", 2)]);
    assert!(outbox.take().is_empty());
}

const FILE: &str = r#"
system: example
forms: [schema.graphql]
laws:
  - { of: graphql, law: { credits: { most: 10, each_second: 1, refuses: "30" } }, says: "Users are given 10 credits.", source: example.com }
assumed:
  - { of: orders, law: { lag: { seconds: 0 } }, also: { lag: { seconds: 90 } }, says: nobody }
  - { of: orders.number, also: { unique: { refuses: "taken" } }, says: nobody }
"#;

#[test]
fn laws_are_read_and_each_assumption_is_a_world() {
    let laws = Laws::read(FILE).unwrap();
    let worlds = laws.worlds();
    assert_eq!(worlds.len(), 3);
    assert_eq!(worlds[0].1, laws.held());
    assert!(!worlds[0].1.holds("orders.number", "unique") && worlds[2].1.holds("orders.number", "unique"));
    assert_eq!((worlds[0].1.seconds("orders", "lag"), worlds[1].1.seconds("orders", "lag")), (secs(0), secs(90)));
    let off = worlds[0].1.without(0);
    assert!(!off.holds("graphql", "credits") && off.holds("orders", "lag"));
    assert_eq!(off.with("orders", Law::Lag { seconds: 5 }).seconds("orders", "lag"), secs(5));
}

#[test]
fn laws_without_a_source_or_another_way_are_refused() {
    for (from, to, why) in [
        (", source: example.com", "", "no `source`"),
        ("\"Users are given 10 credits.\", source: example.com", "nobody", "belongs under `assumed`"),
        ("seconds: 90", "seconds: 0", "one way only"),
        ("most: 10", "mots: 10", "mots"),
    ] {
        let told = Laws::read(&FILE.replace(from, to)).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}
