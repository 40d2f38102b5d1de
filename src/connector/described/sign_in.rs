//! Signing in: what goes with each request, and the tokens that have to be asked for. A token lives in memory only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::open::Link;
use super::view;
use crate::describe::model::{Client as ClientAt, Grant, Request as Asked, SignIn, TokenCall, Unit};
use crate::describe::{Described, Scope};
use crate::fault::Fault;
use crate::http::Secret;
use crate::value::Json;

/// The tokens of a connection, one for each of its sign-ins.
pub(super) struct SignIns {
    /// One sign-in at a time, however many calls wait for it.
    tokens: Vec<Mutex<Option<Token>>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Token {
    secret: Secret,
    refresh: Option<Secret>,
    /// Afterwards another is asked for.
    ends: Option<Timestamp>,
}

/// What a sign-in adds to a request.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) headers: HeaderMap,
    pub(super) query: Vec<(String, String)>,
    /// The token that was sent, to forget it where it is refused.
    token: Option<(usize, Token)>,
}

impl SignIns {
    /// # Errors
    /// The setting that no header can hold.
    pub(super) fn new(of: &Described, settings: &Json) -> Result<Self, String> {
        let scope = Scope::at(Timestamp::UNIX_EPOCH).with("setting", settings);
        for (_, sign_in) in &of.auth.sign_ins {
            let SignIn::Header(headers) = sign_in else { continue };
            for (name, template) in headers {
                let fits = template.text(&scope).ok().flatten().is_some_and(|text| HeaderValue::from_str(&text).is_ok());
                if !fits {
                    return Err(name.node.clone());
                }
            }
        }
        Ok(SignIns { tokens: of.auth.sign_ins.iter().map(|_| Mutex::new(None)).collect() })
    }
}

impl Link {
    /// What goes with a request. `by`: the sign-in that it names.
    ///
    /// # Errors
    /// No token is given.
    pub(super) async fn proof(&self, by: Option<&str>) -> Result<Proof, Fault> {
        let auth = &self.of.auth;
        let name = by.or(auth.usual.as_ref().map(|usual| usual.node.as_str()));
        let at = match name {
            Some(name) => auth.sign_ins.iter().position(|(known, _)| known == name),
            None => Some(0),
        };
        let mut proof = Proof::default();
        let Some((at, (_, sign_in))) = at.and_then(|at| Some((at, auth.sign_ins.get(at)?))) else {
            return Err(Fault::Denied { reason: format!("there is no sign-in `{}`", name.unwrap_or_default()) });
        };
        let scope = self.scope();
        match sign_in {
            SignIn::Basic { name, password } => {
                let (name, password) = (filled(name, &scope)?, filled(password, &scope)?);
                proof.header("authorization", &format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))?;
            }
            SignIn::Header(headers) => {
                for (name, value) in headers {
                    proof.header(&name.node, &filled(value, &scope)?)?;
                }
            }
            SignIn::Query(query) => {
                for (name, value) in query {
                    proof.query.push((name.node.clone(), filled(value, &scope)?));
                }
            }
            SignIn::OAuth { .. } | SignIn::Token { .. } => {
                let token = self.token(at, sign_in).await?;
                if auth.send.is_empty() {
                    proof.header("authorization", &format!("Bearer {}", token.secret.reveal()))?;
                }
                proof.token = Some((at, token));
            }
        }
        let token = proof.token.as_ref().map_or(Json::Null, |(_, token)| Json::from(token.secret.reveal()));
        let scope = scope.with("token", &token).and("now", Json::from(self.client.now().to_string()));
        for (to, value) in &auth.send {
            let value = filled(value, &scope)?;
            match to.node.split_once('.') {
                Some(("header", name)) => proof.header(name, &value)?,
                Some(("query", name)) => proof.query.push((name.to_owned(), value)),
                _ => {}
            }
        }
        Ok(proof)
    }

    /// Ends a token that was refused, unless another call has renewed it already. What renews it is kept: a system that gives another one
    /// each time takes the first no more. False: there is none to renew.
    pub(super) async fn forget(&self, proof: &Proof) -> bool {
        let Some((at, token)) = &proof.token else { return false };
        let Some(held) = self.sign_ins.tokens.get(*at) else { return false };
        let mut held = held.lock().await;
        if let Some(refused) = held.as_mut().filter(|held| *held == token) {
            refused.ends = Some(Timestamp::MIN);
        }
        true
    }

    async fn token(&self, at: usize, sign_in: &SignIn) -> Result<Token, Fault> {
        let Some(held) = self.sign_ins.tokens.get(at) else { return Err(Fault::Denied { reason: "there is no sign-in".to_owned() }) };
        let mut held = held.lock().await;
        let now = self.client.now();
        if let Some(token) = held.as_ref().filter(|token| token.ends.is_none_or(|ends| ends > now)) {
            return Ok(token.clone());
        }
        // It stays until there is a new one: a sign-in without an answer is tried again by what renews it.
        let old = held.clone();
        let token = match sign_in {
            SignIn::OAuth { .. } => {
                let known = old.as_ref().and_then(|old| old.refresh.clone());
                match self.granted(sign_in, known.as_ref()).await {
                    // What renewed it is no longer good: the one of the connection may be.
                    Err(Fault::Denied { .. }) if known.is_some() => self.granted(sign_in, None).await?,
                    granted => granted?,
                }
            }
            SignIn::Token { call, again, keep } => {
                let renewed = match (again, old.as_ref().and_then(|old| old.refresh.clone())) {
                    (Some(again), Some(refresh)) => match self.called(again, Some(&refresh)).await {
                        Err(Fault::Denied { .. }) => None,
                        renewed => Some(renewed?),
                    },
                    _ => None,
                };
                let mut token = match renewed {
                    Some(token) => token,
                    None => self.called(call, None).await?,
                };
                token.refresh = token.refresh.or_else(|| old.and_then(|old| old.refresh));
                token.ends = token.ends.or_else(|| keep.and_then(|keep| now.checked_add(keep).ok()));
                token
            }
            SignIn::Basic { .. } | SignIn::Header(_) | SignIn::Query(_) => return Err(no_token()),
        };
        *held = Some(token.clone());
        Ok(token)
    }

    /// A token by OAuth. `refresh` renews one; without it the connection's own settings do.
    async fn granted(&self, sign_in: &SignIn, refresh: Option<&Secret>) -> Result<Token, Fault> {
        let SignIn::OAuth { grant, token, client, scope, refresh_token, client_id, client_secret, .. } = sign_in else { return Err(no_token()) };
        let now = self.client.now();
        let known = self.scope();
        let mut form: Vec<(&str, String)> = Vec::new();
        match grant {
            Grant::ClientCredentials => form.push(("grant_type", "client_credentials".to_owned())),
            Grant::RefreshToken => {
                form.push(("grant_type", "refresh_token".to_owned()));
                let refresh = match (refresh, refresh_token) {
                    (Some(refresh), _) => refresh.reveal().to_owned(),
                    (None, Some(template)) => filled(template, &known)?,
                    (None, None) => return Err(no_token()),
                };
                form.push(("refresh_token", refresh));
            }
            // Said by the check of the description, which is not opened.
            Grant::JwtBearer => return Err(Fault::Denied { reason: "a sign-in by a signed assertion is not supported".to_owned() }),
        }
        if let Some(scope) = scope {
            form.push(("scope", filled(scope, &known)?));
        }
        let (id, secret) = (filled(client_id, &known)?, filled(client_secret, &known)?);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        match client {
            ClientAt::Basic => headers.push(("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))),
            ClientAt::Body => form.extend([("client_id", id), ("client_secret", secret)]),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        let answer = self.sign(http::Method::POST, &filled(token, &known)?, &headers, body).await?;
        let read = |name: &str| answer.get(name).and_then(Json::as_str).map(Secret::new);
        let ends = answer.get("expires_in").and_then(Json::as_i64).and_then(|seconds| soon_before(now, seconds));
        let refresh = read("refresh_token").or_else(|| refresh.cloned());
        Ok(Token { secret: read("access_token").ok_or_else(no_token)?, refresh, ends })
    }

    /// A call that gives a token.
    async fn called(&self, call: &TokenCall, refresh: Option<&Secret>) -> Result<Token, Fault> {
        let refresh = refresh.map_or(Json::Null, |refresh| Json::from(refresh.reveal()));
        let scope = self.scope().with("refresh", &refresh).and("now", Json::from(self.client.now().to_string()));
        let Asked::Rest { method, path, query, body } = &call.request else {
            return Err(Fault::Denied { reason: "a token is asked for by a REST call".to_owned() });
        };
        let mut path = filled(path, &scope)?;
        if !query.is_empty() {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            for (name, value) in query {
                if let Some(value) = value.fill(&scope).map_err(|missing| Fault::Denied { reason: missing.to_string() })? {
                    pairs.append_pair(&name.node, &crate::describe::printed(&value));
                }
            }
            path = format!("{path}?{}", pairs.finish());
        }
        let body = match body {
            Some(body) => body.fill(&scope).map_err(|missing| Fault::Denied { reason: missing.to_string() })?,
            None => None,
        };
        let headers = [("content-type", "application/json".to_owned())];
        let answer = self.sign(method.clone(), &path, &headers, body.map_or_else(String::new, |body| body.to_string())).await?;
        let text = answer.to_string();
        let read = |path| view::text_at(&text, path).map(Secret::new);
        let now = self.client.now();
        let ends = call.ends.as_ref().and_then(|ends| {
            let number: i64 = view::text_at(&text, &ends.path)?.parse().ok()?;
            match ends.unit {
                Unit::UnixSeconds => soon_before(Timestamp::UNIX_EPOCH, number),
                Unit::Milliseconds => soon_before(now, number / 1_000),
                Unit::Seconds | Unit::One => soon_before(now, number),
            }
        });
        Ok(Token { secret: read(&call.token).ok_or_else(no_token)?, refresh: call.refresh.as_ref().and_then(read), ends })
    }

    /// Sends a sign-in. It has no effect that could be doubled: without an answer it is tried again.
    async fn sign(&self, method: http::Method, path: &str, headers: &[(&str, String)], body: String) -> Result<Json, Fault> {
        let denied = |reason: String| Fault::Denied { reason };
        let address = self.address(path).ok_or_else(|| denied(format!("`{path}` is no address of {}", self.of.title)))?;
        let mut request = http::Request::builder().method(method).uri(address).header("accept", "application/json");
        // Nothing of a sign-in is noted; what its query holds is taken out of the answer by the client.
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value).map_err(|error| denied(error.to_string()))?;
            value.set_sensitive(*name == "authorization");
            request = request.header(*name, value);
        }
        let request = request.body(body.into()).map_err(|error| denied(error.to_string()))?;
        let response = self.client.send_unseen(request).await.map_err(|fault| match fault {
            Fault::Ambiguous { reason } => Fault::transient(reason),
            other => other,
        })?;
        let status = response.status();
        let read: Result<Json, _> = serde_json::from_slice(response.body());
        let cut = read.as_ref().is_err_and(serde_json::Error::is_eof);
        let told = read.unwrap_or_default();
        let words = || {
            let words: Vec<&str> = ["error", "error_description", "message"].iter().filter_map(|name| told.get(*name)?.as_str()).collect();
            if words.is_empty() { status.to_string() } else { words.join(": ") }
        };
        match status.as_u16() {
            200..300 if cut => Err(Fault::transient("the answer to the sign-in was cut short")),
            200..300 => Ok(told),
            429 => Err(Fault::Throttled { until: Some(self.client.limit_now().pause(self.client.now(), None)), reason: words() }),
            500.. | 408 => Err(Fault::transient(format!("the sign-in answered {status}"))),
            _ => Err(denied(words())),
        }
    }
}

impl Proof {
    fn header(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let unfit = |error: String| Fault::rejected("request", format!("`{name}` cannot be put into a request: {error}"), None);
        let name: HeaderName = name.parse().map_err(|error: http::header::InvalidHeaderName| unfit(error.to_string()))?;
        let mut value = HeaderValue::from_str(value).map_err(|error| unfit(error.to_string()))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }
}

fn no_token() -> Fault {
    Fault::Denied { reason: "the answer to the sign-in holds no token".to_owned() }
}

/// A moment before the end of so many seconds.
fn soon_before(from: Timestamp, seconds: i64) -> Option<Timestamp> {
    from.checked_add(jiff::SignedDuration::from_secs(seconds.saturating_sub(30).max(1))).ok()
}

fn filled(template: &crate::describe::Template, scope: &Scope<'_>) -> Result<String, Fault> {
    match template.text(scope) {
        Ok(text) => Ok(text.unwrap_or_default()),
        Err(missing) => Err(Fault::Denied { reason: format!("the sign-in cannot be made: {missing}") }),
    }
}
