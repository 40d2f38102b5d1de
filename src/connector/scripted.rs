//! For tests of connectors: answers that are written down, and a clock that stands.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Connector, Hint, WebhookRefusal, WebhookReply, WebhookRequest};
use crate::http::{Broken, Clock, Request, Response, Transport};
use crate::value::Json;

/// Answers in the order they are given, and the requests that came.
#[derive(Default)]
pub(super) struct Script {
    pub(super) answers: Mutex<VecDeque<Result<Response, Broken>>>,
    pub(super) requests: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let asked = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| panic!("nobody expected {asked}"))
    }
}

/// A clock that stands, and goes on only by sleeping.
pub(super) struct Still(pub(super) Mutex<Timestamp>);

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn moment(&self) -> crate::http::Moment {
        let wall = self.now();
        crate::http::Moment { wall, steady: wall.as_millisecond(), boot: None }
    }

    async fn sleep(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::try_from(time).unwrap()).unwrap();
    }
}

pub(super) const NOW: &str = "2026-11-18T20:00:00Z";

pub(super) fn answer(status: u16, body: &Json) -> Result<Response, Broken> {
    Ok(http::Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap())
}

pub(super) fn ok(body: Json) -> Result<Response, Broken> {
    answer(200, &body)
}

/// The one hint of a webhook that is posted.
pub(super) fn posted(connector: &dyn Connector, body: &[u8]) -> Result<Hint, WebhookRefusal> {
    let request = WebhookRequest { method: &http::Method::POST, headers: &http::HeaderMap::new(), query: "", body };
    match connector.webhook(&request)? {
        WebhookReply::Hints(mut hints) if hints.len() == 1 => Ok(hints.remove(0)),
        other => panic!("{other:?}"),
    }
}
