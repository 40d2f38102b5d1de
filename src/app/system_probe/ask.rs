//! The way to the system: each call is shown to a person before it is sent, and what went back and forth is kept for the questions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::base::locked;
use crate::connector::registry::Settings;
use crate::describe::model::{Request as Asked, SignIn};
use crate::describe::{Described, Scope, Template};
use crate::http::{Broken, Request, Response, Transport};
use crate::system;
use crate::value::Json;

/// A call as it is shown: without headers, which hold the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub method: String,
    /// Without values of the query that could be credentials.
    pub url: String,
    /// Its body, as far as it is shown; empty where it has none.
    pub body: String,
    pub kind: Asks,
}

/// What a call asks for. What is not known to be harmless counts as a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// `GET`, `HEAD`, or a query of GraphQL.
    Reads,
    /// The description's own call for a token.
    SignsIn,
    /// It may change something.
    Writes,
}

/// Whether a call may be sent.
pub type Consent = Box<dyn Fn(&Shown) -> bool + Send + Sync>;

/// How much of a body is shown.
const SHOWN: usize = 400;

/// What a description and its settings say of calls, whatever is in them.
#[derive(Debug, Default)]
pub(super) struct KnownCalls {
    /// Calls for a token: the method, and the address without its query.
    sign_ins: Vec<(http::Method, String)>,
    /// The address that takes GraphQL.
    graphql: Option<String>,
    /// Values that nobody is shown.
    secrets: Vec<String>,
}

impl KnownCalls {
    pub(super) fn of(described: &Described, settings: &Settings) -> Self {
        let values = described.values(&|name| settings.get(name).map(str::to_owned));
        let is_secret = |name: &String| described.settings.iter().any(|setting| setting.secret && setting.name.node == *name);
        let secret = |(name, value): (&String, &Json)| value.as_str().filter(|_| is_secret(name)).map(str::to_owned);
        let secrets = values.as_object().into_iter().flatten().filter_map(secret).collect();
        let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("setting", &values);
        let own = described.address(&values).unwrap_or_default();
        let other = settings.get(system::URL).map(str::trim).filter(|url| url.trim_end_matches('/') != own.trim_end_matches('/'));
        let base = url::Url::parse(other.unwrap_or(&own)).map(String::from).unwrap_or_default();
        let base = base.trim_end_matches('/');
        let address = |path: &str| {
            let path = path.split('?').next().unwrap_or_default();
            if path.starts_with('/') {
                return Some(format!("{base}{path}"));
            }
            let url = url::Url::parse(path).ok()?;
            // Another address stands for all hosts of its system.
            Some(if other.is_some() { format!("{base}{}", url.path()) } else { url.into() })
        };
        let filled = |template: &Template| template.text(&scope).ok().flatten().and_then(|path| address(&path));
        let mut sign_ins = Vec::new();
        for (_, sign_in) in &described.auth.sign_ins {
            match sign_in {
                SignIn::OAuth { token, .. } => sign_ins.extend(filled(token).map(|address| (http::Method::POST, address))),
                SignIn::Token { call, again, .. } => {
                    for call in std::iter::once(call).chain(again) {
                        if let Asked::Rest { method, path, .. } = &call.request {
                            sign_ins.extend(filled(path).map(|address| (method.clone(), address)));
                        }
                    }
                }
                SignIn::Basic { .. } | SignIn::Header(_) | SignIn::Query(_) => {}
            }
        }
        let graphql = described.graphql.as_ref().and_then(|path| address(&path.node));
        KnownCalls { sign_ins, graphql, secrets }
    }

    fn kind(&self, request: &Request, address: &str) -> Asks {
        let method = request.method();
        if self.sign_ins.iter().any(|(known, at)| known == method && at == address) {
            return Asks::SignsIn;
        }
        let is_query = || {
            let body: Json = serde_json::from_slice(request.body()).unwrap_or_default();
            body["query"].as_str().is_some_and(|document| {
                let document = document.trim_start();
                let named = document.strip_prefix("query").is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
                named && !document.contains("mutation")
            })
        };
        match method.as_str() {
            "GET" | "HEAD" => Asks::Reads,
            "POST" if self.graphql.as_deref() == Some(address) && is_query() => Asks::Reads,
            _ => Asks::Writes,
        }
    }

    /// A text without the secrets in it, also as a form and as JSON have them.
    fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            let json = Json::from(secret.as_str()).to_string();
            let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for written in [secret.as_str(), json.trim_matches('"'), form.as_str(), form.replace('+', "%20").as_str()] {
                text = text.replace(written, "…");
            }
        }
        text
    }

    fn shown(&self, request: &Request) -> Shown {
        let uri = request.uri();
        let address = format!("{}://{}{}", uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |host| host.as_str()), uri.path());
        let pair = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=…"),
            _ => pair.to_owned(),
        };
        let query = uri.query().map(|query| format!("?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))).unwrap_or_default();
        let kind = self.kind(request, &address);
        // The body of a sign-in holds a password.
        let body = match kind {
            Asks::SignsIn => String::new(),
            Asks::Reads | Asks::Writes => self.without_secrets(&String::from_utf8_lossy(request.body())).chars().take(SHOWN).collect(),
        };
        Shown { method: request.method().to_string(), url: self.without_secrets(&format!("{address}{query}")), body, kind }
    }
}

pub(super) struct Asking {
    inner: Arc<dyn Transport>,
    known: KnownCalls,
    consent: Consent,
    declined: AtomicBool,
    count: AtomicUsize,
    /// The last request, and the body of its answer.
    last: Mutex<Option<(Request, Json)>>,
    /// The last request that may have changed something.
    last_write: Mutex<Option<Request>>,
}

impl Asking {
    pub(super) fn new(inner: Arc<dyn Transport>, known: KnownCalls, consent: Consent) -> Self {
        Asking {
            inner,
            known,
            consent,
            declined: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            last: Mutex::default(),
            last_write: Mutex::default(),
        }
    }

    /// Whether a call was not allowed.
    pub(super) fn declined(&self) -> bool {
        self.declined.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
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

#[async_trait]
impl Transport for Asking {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let what = self.known.shown(&request);
        if self.declined() || !(self.consent)(&what) {
            self.declined.store(true, Ordering::Relaxed);
            return Err(Broken::NotSent("it was not allowed".to_owned()));
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let kept = request.clone();
        if what.kind == Asks::Writes {
            *locked(&self.last_write) = Some(request.clone());
        }
        let answer = self.inner.send(request).await;
        let body = answer.as_ref().ok().and_then(|answer| serde_json::from_slice(answer.body()).ok()).unwrap_or_default();
        *locked(&self.last) = Some((kept, body));
        answer
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::describe::Known;
    use crate::http::Secret;

    const HEAD: &str = "system: wms\nsettings: { id: { secret: true }, key: { secret: true }, region: { values: { eu: west } } }\n\
                        hosts: [\"auth.wms.example\", \"api.wms.example\"]\nbase: \"https://api.wms.example/oauth-api\"\n";

    fn known(auth: &str, url: Option<&str>) -> KnownCalls {
        let known = Known::of(&format!("{HEAD}{auth}objects: {{ Order: {{}} }}\n"));
        let described = known.described.as_ref().unwrap();
        let mut options: BTreeMap<String, Secret> =
            [("id", "me"), ("key", "pass word"), ("region", "eu")].map(|(name, value)| (name.to_owned(), Secret::new(value))).into();
        options.extend(url.map(|url| ("url".to_owned(), Secret::new(url))));
        KnownCalls::of(described, &Settings { name: "wms".to_owned(), system: "wms".to_owned(), options })
    }

    fn shown(known: &KnownCalls, method: &str, url: &str, body: &str) -> Shown {
        known.shown(&http::Request::builder().method(method).uri(url).body(body.to_owned().into()).unwrap())
    }

    /// Nothing in the words of a path or a body makes a write look like something else.
    #[test]
    fn what_is_not_known_to_read_is_told_as_a_write() {
        let oauth = "graphql: /graphql\nauth: { oauth: client_credentials, token: \"https://auth.wms.example/{setting.region}/token\", client: body, \
                     client_id: \"{setting.id}\", client_secret: \"{setting.key}\" }\n";
        let known = known(oauth, None);
        let base = "https://api.wms.example/oauth-api";
        for (method, path, body) in [
            ("POST", "/authors", "{}"),
            ("POST", "/sessions/7/orders", "{}"),
            ("PUT", "/login", "{}"),
            ("DELETE", "/orders/7", ""),
            ("PATCH", "/tokens/7", "{}"),
            ("POST", "/orders", "{\"query\":\"query { orders }\"}"),
            ("POST", "/graphql", "{\"query\":\"mutation { order_create }\"}"),
            ("POST", "/graphql", "{\"query\":\"query { orders } mutation { order_create }\"}"),
            ("POST", "/graphql", "{\"query\":\"query_of_my_own\"}"),
            ("POST", "/graphql", "[]"),
        ] {
            let shown = shown(&known, method, &format!("{base}{path}"), body);
            assert_eq!((shown.kind, shown.body.as_str()), (Asks::Writes, body), "{method} {path}");
        }
        for (method, path, body) in [
            ("GET", "/orders?page=1", ""),
            ("HEAD", "/orders", ""),
            ("POST", "/graphql", "{\"query\":\"query { orders }\"}"),
            ("POST", "/graphql", "{ \"query\": \" query Orders { orders }\" }"),
        ] {
            assert_eq!(shown(&known, method, &format!("{base}{path}"), body).kind, Asks::Reads, "{method} {path}");
        }
        let sign_in = shown(&known, "POST", "https://auth.wms.example/west/token", "client_secret=pass+word");
        assert_eq!((sign_in.kind, sign_in.body.as_str()), (Asks::SignsIn, ""));
        assert_eq!(shown(&known, "POST", &format!("{base}/west/token"), "{}").kind, Asks::Writes);
    }

    #[test]
    fn a_sign_in_is_the_call_that_the_description_names() {
        let call = "auth: { token: { call: POST /sign/in, body: { name: \"{setting.id}\", password: \"{setting.key}\" }, token: token } }\n";
        let own = known(call, None);
        assert_eq!(shown(&own, "POST", "https://api.wms.example/oauth-api/sign/in", "{}").kind, Asks::SignsIn);
        assert_eq!(shown(&own, "PUT", "https://api.wms.example/oauth-api/sign/in", "{}").kind, Asks::Writes);
        // Another address stands for all hosts.
        let moved = known(call, Some("http://127.0.0.1:9/"));
        assert_eq!(shown(&moved, "POST", "http://127.0.0.1:9/sign/in", "{}").kind, Asks::SignsIn);
        assert_eq!(shown(&moved, "POST", "https://api.wms.example/oauth-api/sign/in", "{}").kind, Asks::Writes);
        // No secret is shown, wherever it stands.
        let other = shown(&own, "POST", "https://api.wms.example/x?sig=me&p=pass%20word&q=pass+word", "{\"a\": \"pass word\", \"b\": \"me\"}");
        assert!(!other.body.contains("pass") && !other.url.contains("pass") && !other.url.contains("=me"), "{other:?}");
    }
}
