//! Requests, limits, refusals.

use super::*;

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
        (answer(302, &body), "denied", "ambiguous"),
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
