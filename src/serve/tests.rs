//! What becomes of a webhook, by what its connector makes of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use async_trait::async_trait;

use super::*;
use crate::connector::{
    Change, Connector, Found, Hint, LookupRequest, Page, ReadRequest, Reading, Receipt, Selection, Stream, WebhookRefusal, WriteRequest,
};
use crate::fault::Fault;
use crate::http::sign::{Digest, Hmac, Part, Print};
use crate::http::verify::Verification;
use crate::http::{Call, Limit};
use crate::run::live;
use crate::schema::Named;
use crate::value::{Json, ObjectRef};

#[test]
fn only_loopback_is_listened_on_without_a_token() {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap_or(SocketAddr::from(([1, 1, 1, 1], 1)));
    assert!(may_listen(address("127.0.0.1:80"), false, false).is_ok());
    assert!(may_listen(address("[::1]:80"), false, false).is_ok());
    assert!(may_listen(address("0.0.0.0:80"), true, false).is_err());
    assert!(may_listen(address("0.0.0.0:80"), false, true).is_err());
    assert!(may_listen(address("0.0.0.0:80"), true, true).is_ok());
}

/// A system that signs its webhooks, tells of several records in one, and asks before it sends any.
struct Signing {
    limit: Limit,
    verification: Verification,
}

fn nothing<T>() -> Result<T, Fault> {
    Err(Fault::transient("nothing is read here"))
}

#[async_trait]
impl Connector for Signing {
    fn system(&self) -> &'static str {
        "signing"
    }

    fn limit(&self) -> &Limit {
        &self.limit
    }

    fn streams(&self, _: &Selection<'_>) -> Vec<Stream> {
        Vec::new()
    }

    async fn changes(&self, _: &Call, _: &ReadRequest<'_>) -> Result<Page, Fault> {
        nothing()
    }

    async fn fetch_by_id(&self, _: &Call, _: &Selection<'_>, _: &[String]) -> Result<Vec<Change>, Fault> {
        nothing()
    }

    fn fetch_batch(&self, _: &Selection<'_>) -> usize {
        1
    }

    fn read_cost(&self, _: &Selection<'_>) -> Reading {
        Reading { page: 1, each: 0 }
    }

    async fn lookup(&self, _: &Call, _: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        nothing()
    }

    fn lookup_batch(&self, _: &ObjectRef, _: &[String]) -> usize {
        1
    }

    async fn send(&self, _: &Call, _: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        nothing()
    }

    fn webhook(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        if request.method == http::Method::GET {
            let body = request.parameter("challenge").ok_or("it asks nothing")?;
            return Ok(WebhookReply::Challenge { content_type: "text/plain", body });
        }
        request.posted()?;
        self.verification.check(&request.message())?;
        let ids: Vec<u64> = serde_json::from_slice(request.body).map_err(|_| "it is no list of ids")?;
        let hint = |id: u64| Hint { event: "changed".into(), parameters: [("id".to_owned(), id.to_string())].into() };
        Ok(WebhookReply::Hints(ids.into_iter().map(hint).collect()))
    }

    async fn resolve_webhook(&self, _: &Call, _: &Selection<'_>, _: &Hint) -> Result<Page, Fault> {
        nothing()
    }

    async fn reference_data(&self, _: &Call, _: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        nothing()
    }

    async fn describe(&self, _: &Call, _: &str) -> Result<Option<Json>, Fault> {
        nothing()
    }

    async fn check_connection(&self, _: &Call) -> Result<String, Fault> {
        nothing()
    }
}

fn signature() -> Hmac {
    Hmac { digest: Digest::Sha256, key: Secret::new("k3y"), over: vec![Part::Body], print: Print::Base64 }
}

fn shared() -> (Shared, Receiver<Message>) {
    let verification = Verification::Signature { header: "x-signature".parse().unwrap(), prefix: String::new(), hmac: signature() };
    let connector: Arc<dyn Connector> = Arc::new(Signing { limit: Limit::new(None), verification });
    let (door, listen) = live::door();
    let shared = Shared {
        door,
        connectors: [("shop".to_owned(), connector)].into(),
        secrets: [("shop".to_owned(), Secret::new("path"))].into(),
        token: None,
        seen: Arc::default(),
        counts: Arc::default(),
    };
    (shared, listen)
}

async fn ask(shared: &Shared, method: &str, query: &str, signed: Option<&str>, body: &str) -> (u16, String) {
    let mut request = http::Request::builder().method(method).uri(format!("/hook/shop/path{query}"));
    if let Some(signed) = signed {
        request = request.header("x-signature", signed);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = hook(State(shared.clone()), Path(("shop".to_owned(), "path".to_owned())), request).await;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn sign(body: &str) -> String {
    let headers = http::HeaderMap::new();
    let request = WebhookRequest { method: &http::Method::POST, headers: &headers, query: "", body: body.as_bytes() };
    signature().sign(&request.message()).unwrap()
}

#[tokio::test]
async fn a_signed_webhook_gives_all_its_hints_and_is_known_when_it_comes_again() {
    let (shared, listen) = shared();
    let engine = std::thread::spawn(move || {
        let Ok(Message::Hints { connection, hints, kept }) = listen.recv() else { panic!("no hints came") };
        kept.send(true).unwrap();
        (connection, hints.into_iter().map(|hint| hint.parameters["id"].clone()).collect::<Vec<_>>(), listen)
    });
    assert_eq!(ask(&shared, "POST", "", Some(&sign("[7,8]")), "[7,8]").await.0, 200);
    let (connection, ids, listen) = engine.join().unwrap();
    assert_eq!((connection.as_str(), ids), ("shop", vec!["7".to_owned(), "8".to_owned()]));
    assert_eq!(ask(&shared, "POST", "", Some(&sign("[7,8]")), "[7,8]").await.0, 200, "what comes again is answered");
    assert!(listen.try_recv().is_err(), "and changes nothing");
    assert_eq!(shared.counts.taken.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_forged_malformed_or_not_posted_is_refused_and_goes_no_further() {
    let (shared, listen) = shared();
    let wrong = sign("[7]");
    for (method, signed, body, status) in [
        ("POST", None, "[7,8]", 401),
        ("POST", Some(wrong.as_str()), "[7,8]", 401),
        ("POST", Some("no signature"), "[7,8]", 401),
        ("POST", Some(sign("{}").as_str()), "{}", 400),
        ("PUT", Some(sign("[7]").as_str()), "[7]", 405),
        ("GET", None, "", 400),
    ] {
        let (got, said) = ask(&shared, method, "", signed, body).await;
        assert_eq!((got, said.as_str()), (status, "refused"), "{method} {body}: nothing tells why");
    }
    assert_eq!(shared.counts.refused.load(Ordering::Relaxed), 6);
    assert!(listen.try_recv().is_err());
}

#[tokio::test]
async fn a_challenge_is_answered_each_time_and_reaches_no_engine() {
    let (shared, listen) = shared();
    for _ in 0..2 {
        assert_eq!(ask(&shared, "GET", "?challenge=a%20b", None, "").await, (200, "a b".to_owned()));
    }
    assert!(listen.try_recv().is_err());
}
