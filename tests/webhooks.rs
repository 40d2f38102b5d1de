//! What strangers send to `serve`: refused, logged, nothing fetched for it, and the service goes on.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossdock::sandbox::faults::Faults;
use serde_json::json;

use crate::live::{SECRET, World};

fn post(world: &World, path: &str, body: impl Into<Bytes>) -> Result<(u16, String), String> {
    world.ask(http::Request::post(world.url(path)).header("content-type", "application/json").body(body.into()).unwrap())
}

fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_stranger_changes_nothing() {
    let world = World::start_with(3, Faults::default(), "10 minutes");
    let mut serve = world.serve();
    world.listening();
    // The first polls, and the labels that follow from them.
    std::thread::sleep(Duration::from_secs(4));
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    foreign.set_nonblocking(true).unwrap();
    let there = foreign.local_addr().unwrap();
    let before = world.calls();
    let good = format!("/hook/wms/{SECRET}");
    let hint = |url: &str| json!({"resource_url": url, "resource_type": "SHIP_NOTIFY"}).to_string();
    let wms = &world.wms.url;
    let host = wms.trim_start_matches("http://");
    let refused: Vec<(String, String)> = vec![
        ("/hook/wms/guessed".to_owned(), hint(&format!("{wms}/shipments?batchId=1"))),
        ("/hook/crm/guessed".to_owned(), hint(&format!("{wms}/shipments?batchId=1"))),
        (good.clone(), "no json".to_owned()),
        (good.clone(), "{}".to_owned()),
        (good.clone(), hint(&format!("http://{there}/shipments?batchId=1"))),
        (good.clone(), hint(&format!("http://{host}@{there}/shipments?batchId=1"))),
        (good.clone(), hint(&format!("ftp://{host}/shipments?batchId=1"))),
        (good.clone(), hint(&format!("{wms}/../secrets?batchId=1"))),
        (good.clone(), hint(&format!("{wms}/accounts/registeraccount?batchId=1"))),
    ];
    for (path, body) in refused {
        let (status, _) = post(&world, &path, body.clone()).unwrap();
        assert!((400..500).contains(&status), "{path} {body}: {status}");
    }
    let held = memory(serve.id());
    match post(&world, &good, vec![b'x'; 50 << 20]) {
        Ok((status, _)) => assert_eq!(status, 413),
        // It hangs up in the midst of it, which is as well.
        Err(why) => assert!(why.contains("no answer") || why.contains("sent"), "{why}"),
    }
    assert!(memory(serve.id()) < held + 20_000, "50 MB were taken in");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(world.calls(), before, "a call went out for a webhook that was refused");
    assert!(foreign.accept().is_err(), "somebody called the stranger");
    assert_eq!(world.ask(http::Request::get(world.url("/health")).body(Bytes::new()).unwrap()).unwrap().0, 200);
    let log = world.log();
    assert!(log.contains("a webhook was refused"), "{log}");
    assert!(!log.contains(SECRET), "the secret part of the path was logged");
    // What is not for everybody is not for web pages.
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let request = http::Request::get(world.url("/metrics")).header(name, value).body(Bytes::new()).unwrap();
        assert_eq!(world.ask(request).unwrap().0, 403, "{name}");
    }
    let (status, metrics) = world.ask(http::Request::get(world.url("/metrics")).body(Bytes::new()).unwrap()).unwrap();
    assert!(status == 200 && metrics.contains("crossdock_webhooks_refused_total"), "{metrics}");

    // A good one brings the shipment at once, and the same again brings nothing.
    world.crm_act("create", "", json!({})).unwrap();
    let shipped = world.wms_act("ship_all", "").unwrap();
    let _ = shipped;
    let label = world.wms_effects().into_iter().find(|effect| effect.kind == "label").expect("a label");
    let number = label.fields["trackingNumber"].as_str().unwrap().to_owned();
    let day = json!({"resource_url": format!("{wms}/shipments?batchId={}&includeShipmentItems=False", batch(&world, &number)), "resource_type": "SHIP_NOTIFY"});
    assert_eq!(post(&world, &good, day.to_string()).unwrap().0, 200);
    let back = || {
        world.crm_effects().iter().filter(|effect| effect.fields.get("Tracking_Number__c").and_then(|held| held.as_str()) == Some(&number)).count()
    };
    let until = Instant::now() + Duration::from_secs(15);
    while back() == 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(200));
    }
    let times = back();
    assert!(times >= 1, "the tracking number did not come back: {}", world.log());
    assert_eq!(post(&world, &good, day.to_string()).unwrap().0, 200);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(back(), times, "a webhook that came again had an effect");
    world.terminate(&mut serve);
}

/// The batch of a shipment, as the vendor prints it.
fn batch(world: &World, number: &str) -> String {
    let request = http::Request::get(format!("https://ssapi.shipstation.com/shipments?trackingNumber={number}"))
        .header(
            "authorization",
            format!(
                "Basic {}",
                base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("sandbox:{}", crate::live::PLANTED_SECRET))
            ),
        )
        .body(Bytes::new())
        .unwrap();
    let answer = world.wms.locked().system.handle(&request, jiff::Timestamp::now());
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    body["shipments"][0]["batchNumber"].as_str().unwrap().to_owned()
}
