//! Webhooks: one that is right leads to its record; one that is not is refused, and nothing is asked for it.

use crossdock::connector::{Hint, Selection, WebhookRefusal, WebhookReply, WebhookRequest};
use crossdock::sandbox::Delivery;
use http::{HeaderMap, Method};

use super::systems::Subject;
use super::world::{Setup, World};

fn given(world: &World, method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Hint>, WebhookRefusal> {
    match world.connector.webhook(&WebhookRequest { method, headers, query: "", body })? {
        WebhookReply::Hints(hints) => Ok(hints),
        other => panic!("{}: {other:?}", world.subject.name),
    }
}

/// The headers of a delivery: its signature, where it has one.
fn headers(delivery: &Delivery) -> HeaderMap {
    let named = |(name, value): &(String, String)| (http::HeaderName::try_from(name).unwrap(), http::HeaderValue::try_from(value).unwrap());
    delivery.headers.iter().map(named).collect()
}

pub async fn a_webhook_leads_to_its_record(subject: &'static Subject) {
    let world = World::new(subject, Setup::default());
    let Some(hooks) = &subject.hooks else {
        assert!(given(&world, &Method::POST, &HeaderMap::new(), b"{}").is_err(), "{}: it sends none", subject.name);
        return;
    };
    (hooks.subscribe)(&world);
    world.wait(1);
    let id = (hooks.happens)(&world);
    world.wait(1);
    let delivered = world.wire.system.lock().unwrap().deliveries(crossdock::http::Clock::now(&*world.clock));
    let delivered = delivered.last().unwrap_or_else(|| panic!("{}: nothing was delivered", subject.name)).clone();
    let of = crossdock::value::ObjectRef::new("c", subject.reads.object);
    let selection = Selection { object: &of, ..subject.selection() };
    let mut seen = Vec::new();
    // Once, and the same again.
    for _ in 0..2 {
        for hint in given(&world, &Method::POST, &headers(&delivered), &delivered.body).unwrap() {
            let page = world.connector.resolve_webhook(&world.call, &selection, &hint).await.unwrap();
            assert!(page.cursor.is_none() && !page.more, "{}: it moves no checkpoint", subject.name);
            seen.push(page.changes);
        }
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1], "{}: what comes again says the same", subject.name);
    assert!(seen[0].iter().any(|change| change.id == id), "{}: {:?}", subject.name, seen[0]);
    // One that was kept and read again is the same hint.
    let hint = given(&world, &Method::POST, &headers(&delivered), &delivered.body).unwrap().remove(0);
    let kept: Hint = serde_json::from_value(serde_json::to_value(&hint).unwrap()).unwrap();
    assert_eq!(kept, hint);
}

pub async fn what_is_no_webhook_of_the_system_is_refused(subject: &'static Subject) {
    let world = World::new(subject, Setup::default());
    let Some(hooks) = &subject.hooks else { return };
    (hooks.subscribe)(&world);
    (hooks.happens)(&world);
    let delivered = world.wire.system.lock().unwrap().deliveries(crossdock::http::Clock::now(&*world.clock));
    let delivered = delivered.last().unwrap();
    let (good, headers) = (delivered.body.clone(), headers(delivered));
    let given = |world: &World, method: &Method, body: &[u8]| given(world, method, &headers, body);
    assert!(given(&world, &Method::POST, &good).is_ok());
    for body in hooks.forged.iter().map(|body| body.as_bytes()).chain([&b""[..], b"[]", b"null", b"{}", b"\xff\xfe", &good[..good.len() - 2]]) {
        let refused = given(&world, &Method::POST, body);
        assert!(refused.is_err(), "{}: {}", subject.name, String::from_utf8_lossy(body));
    }
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::DELETE] {
        assert_eq!(given(&world, &method, &good).unwrap_err(), WebhookRefusal::Method(method), "{}", subject.name);
    }
    let long: Vec<u8> = good.iter().copied().chain(std::iter::repeat_n(b' ', 1 << 20)).collect();
    assert!(given(&world, &Method::POST, &long).is_err(), "{}: it is too long", subject.name);
    if hooks.signed {
        let unsigned = super::hooks::given(&world, &Method::POST, &HeaderMap::new(), &good);
        assert!(matches!(unsigned, Err(WebhookRefusal::Unverified(_))), "{}: nothing proves its sender: {unsigned:?}", subject.name);
        let changed = String::from_utf8(good.clone()).unwrap().replacen('{', "{ ", 1);
        assert!(matches!(given(&world, &Method::POST, changed.as_bytes()), Err(WebhookRefusal::Unverified(_))), "{}", subject.name);
    }
    assert!(world.wire.asked.lock().unwrap().is_empty(), "{}: nothing is asked for what was only read", subject.name);
}
