//! The way to the system: each call is shown to a person before it is sent, and what went back and forth is kept for the questions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::base::locked;
use crate::http::{Broken, Request, Response, Transport};
use crate::value::Json;

/// A call as it is shown: without headers, which hold the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub method: String,
    /// Without values of the query that could be credentials.
    pub url: String,
    /// Its body, as far as it is shown; empty where it has none.
    pub body: String,
    /// It may change something.
    pub writes: bool,
}

/// Whether a call may be sent.
pub type Consent = Box<dyn Fn(&Shown) -> bool + Send + Sync>;

/// How much of a body is shown.
const SHOWN: usize = 400;

pub(super) struct Asking {
    inner: Arc<dyn Transport>,
    consent: Consent,
    declined: AtomicBool,
    count: AtomicUsize,
    /// The last request, and the body of its answer.
    last: Mutex<Option<(Request, Json)>>,
    /// The last request that may have changed something.
    last_write: Mutex<Option<Request>>,
    host: Mutex<String>,
}

impl Asking {
    pub(super) fn new(inner: Arc<dyn Transport>, consent: Consent) -> Self {
        Asking {
            inner,
            consent,
            declined: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            last: Mutex::default(),
            last_write: Mutex::default(),
            host: Mutex::default(),
        }
    }

    /// Whether a call was not allowed.
    pub(super) fn declined(&self) -> bool {
        self.declined.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn host(&self) -> String {
        locked(&self.host).clone()
    }

    /// The body of the last answer.
    pub(super) fn answer(&self) -> Option<Json> {
        locked(&self.last).as_ref().map(|(_, body)| body.clone())
    }

    /// The last request that may have changed something, once.
    pub(super) fn take_write(&self) -> Option<Request> {
        locked(&self.last_write).take()
    }

    /// The last request, as it was sent.
    pub(super) fn request(&self) -> Option<Request> {
        locked(&self.last).as_ref().map(|(request, _)| request.clone())
    }
}

/// Names of parameters that hold credentials in some APIs.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "secret", "password", "sign", "auth"].iter().any(|word| name.contains(word))
}

fn shown(request: &Request) -> Shown {
    let uri = request.uri();
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    };
    let query = uri.query().map(|query| format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))).unwrap_or_default();
    let method = request.method().to_string();
    let body = String::from_utf8_lossy(request.body());
    // The body of a sign-in holds a password.
    let credentials = ["token", "auth", "login", "session", "oauth"].iter().any(|word| uri.path().to_ascii_lowercase().contains(word));
    let body = if credentials { String::new() } else { body.chars().take(SHOWN).collect() };
    let writes = method != "GET" && method != "HEAD" && !credentials && !body.trim_start().starts_with("{\"query\":\"query");
    Shown {
        url: format!("{}://{}{}{query}", uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |host| host.as_str()), uri.path()),
        method,
        body,
        writes,
    }
}

#[async_trait]
impl Transport for Asking {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let what = shown(&request);
        if self.declined() || !(self.consent)(&what) {
            self.declined.store(true, Ordering::Relaxed);
            return Err(Broken::NotSent("it was not allowed".to_owned()));
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        *locked(&self.host) = request.uri().host().unwrap_or_default().to_owned();
        let kept = request.clone();
        if what.writes {
            *locked(&self.last_write) = Some(request.clone());
        }
        let answer = self.inner.send(request).await;
        let body = answer.as_ref().ok().and_then(|answer| serde_json::from_slice(answer.body()).ok()).unwrap_or_default();
        *locked(&self.last) = Some((kept, body));
        answer
    }
}
