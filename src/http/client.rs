//! One system's address behind one credential: limit, transport, and the note of each exchange.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Answer, Broken, Call, Clock, Exchange, Limit, Request, Response, Transport};
use crate::base::bounds;
use crate::fault::Fault;

/// Sends requests when the limit allows it, and notes what went over the wire.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    limit: Arc<Limit>,
}

impl Client {
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, limit: Arc<Limit>) -> Self {
        Client { transport, clock, limit }
    }

    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn sleep(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// Sends a request and notes it. It waits where the limit is used up: the engine asks before it
    /// begins, so this holds only for the second and later requests of one call.
    ///
    /// # Errors
    /// [`Fault::Transient`] where nothing was sent, else [`Fault::Ambiguous`].
    pub async fn send(&self, call: &Call, request: Request) -> Result<Response, Fault> {
        self.carry(Some(call), request).await
    }

    /// The same for sign-ins, of which nothing is noted.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_unseen(&self, mut request: Request) -> Result<Response, Fault> {
        request.extensions_mut().insert(Answer::SignIn);
        self.carry(None, request).await
    }

    async fn carry(&self, call: Option<&Call>, request: Request) -> Result<Response, Fault> {
        loop {
            let now = self.clock.now();
            let ready = self.limit.ready_at(now);
            if ready <= now {
                break;
            }
            let wait = ready.duration_since(now);
            self.clock.sleep(wait.try_into().unwrap_or(Duration::from_secs(1))).await;
        }
        let crate::http::Moment { wall: at, steady: began, .. } = self.clock.moment();
        self.limit.take(at);
        let mut note = Exchange {
            at,
            method: request.method().clone(),
            path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            request: request.body().clone(),
            status: None,
            response: bytes::Bytes::new(),
            broken: None,
            took: Duration::ZERO,
        };
        let bulk = matches!(request.extensions().get::<Answer>(), Some(Answer::Echo(_)));
        let answer = match (self.transport.send(request).await, call) {
            (Ok(response), Some(call)) if !bulk && !call.takes(response.body().len()) => Err(Broken::TooLong(bounds::CALL_ANSWERS)),
            (answer, _) => answer,
        };
        note.took = Duration::from_millis(self.clock.moment().steady.saturating_sub(began).unsigned_abs());
        match &answer {
            Ok(response) => {
                note.status = Some(response.status().as_u16());
                note.response = response.body().clone();
            }
            Err(broken) => note.broken = Some(broken.to_string()),
        }
        if let Some(call) = call {
            call.note(note);
            if matches!(answer, Err(Broken::TooLong(_))) {
                call.note_too_long();
            }
        }
        answer.map_err(|broken| match broken {
            Broken::NotSent(_) => Fault::transient(broken.to_string()),
            Broken::Lost(_) | Broken::TooLong(_) => Fault::ambiguous(broken.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use async_trait::async_trait;
    use bytes::Bytes;

    use super::*;
    use crate::http::SystemClock;

    /// Answers everything with so many bytes.
    struct Long(Bytes);

    #[async_trait]
    impl Transport for Long {
        async fn send(&self, _: Request) -> Result<Response, Broken> {
            Ok(http::Response::new(self.0.clone()))
        }
    }

    async fn sent(client: &Client, call: &Call) -> Result<Response, Fault> {
        client.send(call, http::Request::get("http://x/").body(Bytes::new()).unwrap()).await
    }

    fn client() -> Client {
        Client::new(Arc::new(Long(vec![b'x'; 8 << 20].into())), Arc::new(SystemClock), Arc::new(Limit::new(None)))
    }

    #[tokio::test]
    async fn the_answers_of_one_call_are_bounded_together() {
        let (client, call) = (client(), Call::default());
        for _ in 0..32 {
            sent(&client, &call).await.unwrap();
        }
        assert!(!call.was_too_long());
        assert!(sent(&client, &call).await.is_err());
        assert!(call.was_too_long() && !call.was_too_long(), "it is told once");
        sent(&client, &Call::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_long_call_does_not_hold_its_bodies() {
        let (client, call) = (client(), Call::default());
        for _ in 0..6 {
            sent(&client, &call).await.unwrap();
        }
        let lengths: Vec<usize> = call.exchanges().iter().map(|exchange| exchange.response.len() >> 20).collect();
        assert_eq!(lengths, [8, 8, 0, 0, 0, 0]);
    }
}
