//! A client for one address and one credential: rate limit, transport, and the record of each exchange.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::redact::{HIDDEN, Redactor};
use super::{Answer, Broken, Call, Clock, Cost, Exchange, Limit, Request, Response, Transport};
use crate::base::bounds;
use crate::fault::Fault;
use crate::value::Json;

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

    /// The same, once it has followed the clock where that was set meanwhile.
    pub fn limit_now(&self) -> &Limit {
        self.limit.follow(&self.clock.moment());
        &self.limit
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time by both clocks.
    pub fn moment(&self) -> crate::http::Moment {
        self.clock.moment()
    }

    /// Milliseconds by the clock that nobody sets: to measure how long something took.
    pub fn steady(&self) -> i64 {
        self.clock.moment().steady
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
        let _place = self.limit.room().await;
        let cost = request.extensions().get::<Cost>().cloned().unwrap_or(Cost::CALL);
        loop {
            let now = self.clock.now();
            let ready = self.limit_now().ready_for(now, &cost);
            if ready <= now {
                break;
            }
            let wait = ready.duration_since(now);
            self.clock.sleep(wait.try_into().unwrap_or(Duration::from_secs(1))).await;
        }
        let crate::http::Moment { wall: at, steady: began, .. } = self.clock.moment();
        self.limit_now().take_for(at, &cost);
        let mut asked = Asked { client: self, done: false };
        let mut note = Exchange {
            at,
            method: request.method().clone(),
            path: path_of(&request),
            request: request.body().clone(),
            status: None,
            response: bytes::Bytes::new(),
            broken: None,
            took: Duration::ZERO,
        };
        let secrets = Secrets::of(&request, call.is_none());
        let bulk = matches!(request.extensions().get::<Answer>(), Some(Answer::Echo(_)));
        let answer = match (self.transport.send(request).await, call) {
            (Ok(response), Some(call)) if !bulk && !call.takes(response.body().len()) => Err(Broken::TooLong(bounds::CALL_ANSWERS)),
            (answer, _) => answer.map(|answer| secrets.taken_out(answer)),
        };
        asked.done = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
        drop(asked);
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
            Broken::NotSent(_) => Fault::unsent(broken.to_string()),
            Broken::Lost(_) | Broken::TooLong(_) => Fault::ambiguous(broken.to_string()),
        })
    }
}

/// A request that is out: the limit hears of its end, also where nobody waits for it any more.
struct Asked<'c> {
    client: &'c Client,
    done: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.client.limit_now().answered(self.client.clock.now(), self.done);
    }
}

/// Parameters of the query that are credentials. They go to the system and stand in no record of the exchange.
#[derive(Debug, Clone, Default)]
pub struct SecretParameters(pub Vec<String>);

/// The path and the query of a request, without the values of its secret parameters.
fn path_of(request: &Request) -> String {
    let uri = request.uri();
    let Some(SecretParameters(secret)) = request.extensions().get::<SecretParameters>().filter(|secret| !secret.0.is_empty()) else {
        return uri.path_and_query().map_or_else(String::new, ToString::to_string);
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let shown = if secret.iter().any(|known| *known == name) { HIDDEN } else { &*value };
        query.append_pair(&name, shown);
    }
    format!("{}?{}", uri.path(), query.finish())
}

/// Headers that say nothing of who asks.
const PLAIN_HEADERS: &[&str] =
    &["accept", "accept-encoding", "accept-language", "content-encoding", "content-length", "content-type", "host", "user-agent"];
/// The shortest secret that is looked for in an answer.
const SHORTEST: usize = 8;

/// What a request signs in with: an answer may quote it, and nobody above may see that.
struct Secrets {
    values: Vec<String>,
    sign_in: bool,
}

impl Secrets {
    fn of(request: &Request, sign_in: bool) -> Self {
        let mut values: Vec<String> = Vec::new();
        let headers = request.headers().iter().filter(|(name, _)| !PLAIN_HEADERS.contains(&name.as_str()));
        for value in headers.filter_map(|(_, value)| std::str::from_utf8(value.as_bytes()).ok()) {
            values.push(value.to_owned());
            // The token alone, without its scheme.
            values.extend(value.split_once(' ').map(|(_, token)| token.to_owned()));
        }
        let kept = |name: &str| matches!(name, "grant_type" | "scope" | "response_type");
        let secret = request.extensions().get::<SecretParameters>().map(|secret| secret.0.as_slice()).unwrap_or_default();
        let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        let is_secret = |name: &str| secret.iter().any(|known| known == name) || (sign_in && !kept(name));
        values.extend(query.filter(|(name, _)| is_secret(name)).map(|(_, value)| value.into_owned()));
        if sign_in {
            match serde_json::from_slice::<Json>(request.body()) {
                Ok(Json::Object(fields)) => fields.iter().filter(|(name, _)| !kept(name)).for_each(|(_, value)| texts(value, &mut values)),
                _ => values.extend(form_urlencoded::parse(request.body()).filter(|(name, _)| !kept(name)).map(|(_, value)| value.into_owned())),
            }
        }
        values.retain(|value| value.len() >= SHORTEST);
        Secrets { values, sign_in }
    }

    /// The answer without them. What a sign-in gives is what was asked for.
    fn taken_out(&self, answer: Response) -> Response {
        if self.sign_in && answer.status().is_success() {
            return answer;
        }
        if answer.status().is_success() {
            // Records may be many: only a secret as it is, which is quick to look for.
            let held = |value: &&String| memchr::memmem::find(answer.body(), value.as_bytes()).is_some();
            let Some(found) = self.values.iter().find(held) else { return answer };
            let rest = Secrets { values: self.values.iter().filter(|value| *value != found).cloned().collect(), sign_in: self.sign_in };
            let found = found.clone();
            return rest.taken_out(answer.map(|body| String::from_utf8_lossy(&body).replace(&found, HIDDEN).into()));
        }
        let mut redactor = Redactor::default();
        self.values.iter().for_each(|value| redactor.secret(value));
        answer.map(|body| if body.is_empty() { body } else { redactor.taken_out(&String::from_utf8_lossy(&body)).into() })
    }
}

/// All texts in a JSON value.
fn texts(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) => found.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
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

#[cfg(test)]
mod secret_tests {
    use super::*;

    fn request(body: &str) -> Request {
        let request =
            http::Request::post("https://x.example/").header("authorization", "Bearer planted-token-4711").header("accept", "application/json");
        request.body(body.to_owned().into()).unwrap_or_default()
    }

    fn answer(status: u16, body: &str) -> Response {
        let mut answer = http::Response::new(bytes::Bytes::from(body.to_owned()));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        answer
    }

    #[test]
    fn no_answer_gives_a_secret_back() {
        let secrets = Secrets::of(&request(""), false);
        for (status, body) in [
            (401, r#"{"Message":"refused: authorization = Bearer planted-token-4711"}"#),
            (500, "<pre>planted%2Dtoken%2D4711</pre>"),
            (200, r#"[{"success":false,"errors":[{"message":"seen planted-token-4711"}]}]"#),
        ] {
            let out = secrets.taken_out(answer(status, body));
            let text = String::from_utf8_lossy(out.body()).into_owned();
            assert!(text.contains(HIDDEN) && !text.contains("4711") && !text.contains("planted"), "{text}");
            assert_eq!(serde_json::from_str::<crate::value::Json>(body).is_ok(), serde_json::from_str::<crate::value::Json>(&text).is_ok());
        }
        let signing = Secrets::of(&request("grant_type=client_credentials&client_secret=planted-secret-0815"), true);
        let refused = signing.taken_out(answer(400, r#"{"error_description":"client_secret planted-secret-0815 is wrong"}"#));
        assert!(!String::from_utf8_lossy(refused.body()).contains("0815"));
        let token = r#"{"access_token":"abcdefghijk"}"#;
        assert_eq!(signing.taken_out(answer(200, token)).body(), token, "what a sign-in gives is needed");
    }
    #[test]
    fn a_sign_in_by_json_and_credentials_in_the_query_are_taken_out_too() {
        let body = r#"{"grant_type":"password-grant","user":{"name":"planted-name-0815"},"password":"planted-secret-0815"}"#;
        let signing = Secrets::of(&request(body), true);
        let refused = signing.taken_out(answer(401, r#"{"message":"planted-name-0815 with planted-secret-0815: no password-grant"}"#));
        let text = String::from_utf8_lossy(refused.body()).into_owned();
        assert!(!text.contains("0815") && text.contains("password-grant"), "{text}");
        let mut request = http::Request::get("https://x.example/orders?page=2&api_key=planted%2Dkey%2D0815").body(bytes::Bytes::new()).unwrap();
        assert!(path_of(&request).contains("0815"), "nothing says that it is one");
        request.extensions_mut().insert(SecretParameters(vec!["api_key".to_owned()]));
        assert_eq!(
            path_of(&request),
            "/orders?page=2&api_key=%5Bhidden%5D".replace("%5Bhidden%5D", &form_urlencoded::byte_serialize(HIDDEN.as_bytes()).collect::<String>())
        );
        let seen = Secrets::of(&request, false).taken_out(answer(200, r#"{"next":"/orders?page=3&api_key=planted-key-0815"}"#));
        assert!(!String::from_utf8_lossy(seen.body()).contains("0815"));
    }
}
