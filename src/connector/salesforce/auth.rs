//! Signing in: OAuth 2.0, JWT bearer (RFC 7523) or client credentials. The token lives in memory only.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::wire;
use crate::connector::registry::{Settings, Unusable};
use crate::fault::Fault;
use crate::http::{Client, Secret};
use crate::system;

/// How long an assertion holds; Salesforce takes up to 5 minutes.
const ASSERTION: i64 = 180;

pub(super) struct SignIn {
    login: Url,
    way: Way,
    client_id: String,
    /// One sign-in at a time, however many calls wait for it.
    token: Mutex<Option<Token>>,
}

enum Way {
    Jwt { key: Box<RsaKeyPair>, user: String },
    Credentials { secret: Secret },
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) secret: Secret,
    /// Scheme and host that calls go to.
    pub(super) instance: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    instance_url: String,
}

impl SignIn {
    pub(super) fn new(settings: &Settings) -> Result<Self, Unusable> {
        let wrong = |message: String, hint: &str| Unusable { connection: settings.name.clone(), message, hint: hint.to_owned() };
        let login = Url::parse(settings.need("login")?.reveal())
            .map_err(|error| wrong(format!("has a `login` that is no URL: {error}"), "write: login: https://login.salesforce.com"))?;
        if login.scheme() != "https" && !loopback(&login) {
            return Err(wrong("has a `login` without TLS".to_owned(), "write: login: https://login.salesforce.com"));
        }
        let client_id = settings.need("client_id")?.reveal().to_owned();
        let way = if let Some(pem) = settings.get("private_key") {
            let key = key(pem).ok_or_else(|| {
                wrong("has a `private_key` that is no RSA key in PEM form".to_owned(), "make one: openssl genrsa -out crm.pem 2048")
            })?;
            Way::Jwt { key: Box::new(key), user: settings.need("username")?.reveal().to_owned() }
        } else {
            Way::Credentials { secret: settings.need("client_secret")?.clone() }
        };
        Ok(SignIn { login, way, client_id, token: Mutex::new(None) })
    }

    pub(super) async fn token(&self, client: &Client) -> Result<Token, Fault> {
        let mut held = self.token.lock().await;
        if let Some(token) = &*held {
            return Ok(token.clone());
        }
        let token = self.sign_in(client).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    /// Drops a token that was refused, unless another call has renewed it already.
    pub(super) async fn forget(&self, token: &Token) {
        let mut held = self.token.lock().await;
        if held.as_ref() == Some(token) {
            *held = None;
        }
    }

    /// The body of the request for a token.
    fn form(&self, now: i64) -> Result<String, Fault> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match &self.way {
            Way::Jwt { key, user } => {
                let assertion = self.assertion(key, user, now)?;
                form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer").append_pair("assertion", &assertion);
            }
            Way::Credentials { secret } => {
                form.append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", &self.client_id)
                    .append_pair("client_secret", secret.reveal());
            }
        }
        Ok(form.finish())
    }

    async fn sign_in(&self, client: &Client) -> Result<Token, Fault> {
        let form = self.form(client.now().as_second())?;
        let url = self.login.join("/services/oauth2/token").map_err(|error| Fault::Denied { reason: error.to_string() })?;
        let request = http::Request::post(url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into())
            .map_err(|error| Fault::Denied { reason: error.to_string() })?;
        // A sign-in has no effect that could be doubled: without an answer it is tried again.
        let response = client.send_unseen(request).await.map_err(wire::passing)?;
        if response.status().is_server_error() {
            return Err(Fault::transient(format!("the sign-in answered {}", response.status())));
        }
        if !response.status().is_success() {
            let told: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
            let reason = ["error", "error_description"].iter().filter_map(|name| told.get(*name)?.as_str()).collect::<Vec<_>>().join(": ");
            return Err(Fault::Denied { reason: if reason.is_empty() { response.status().to_string() } else { reason } });
        }
        let granted: Granted = serde_json::from_slice(response.body()).map_err(|error| match error.is_eof() {
            true => Fault::transient("the answer to the sign-in was cut short"),
            false => Fault::Denied { reason: "its answer holds no token".to_owned() },
        })?;
        let instance = self
            .instance(&granted.instance_url)
            .ok_or_else(|| Fault::Denied { reason: "its answer points to a host that is none of Salesforce's".to_owned() })?;
        Ok(Token { secret: Secret::new(granted.access_token), instance })
    }

    /// Where calls go: the host of the login, or one of Salesforce's domains, over TLS; on this machine only where the
    /// login is there too.
    fn instance(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?;
        let known = system::manifest(super::SYSTEM).is_some_and(|manifest| manifest.is_host(host));
        let fits = (url.scheme() == "https" && (known || Some(host) == self.login.host_str())) || (loopback(&url) && loopback(&self.login));
        fits.then(|| url.origin().ascii_serialization())
    }

    fn assertion(&self, key: &RsaKeyPair, user: &str, now: i64) -> Result<String, Fault> {
        let audience = self.login.origin().ascii_serialization();
        let claims = serde_json::json!({"iss": self.client_id, "sub": user, "aud": audience, "exp": now + ASSERTION});
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Fault::Denied { reason: "the private key cannot sign".to_owned() })?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An RSA key of a PEM text: PKCS#8, or PKCS#1.
fn key(pem: &str) -> Option<RsaKeyPair> {
    let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).ok()?;
    RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    /// Made for this test, and used nowhere else.
    const TEST_KEY: &str = include_str!("test-key.pem");

    fn settings(options: &[(&str, &str)]) -> Settings {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        Settings { name: "crm".into(), system: "salesforce".into(), options }
    }

    #[test]
    fn an_assertion_is_signed_by_the_key() {
        let sign_in = SignIn::new(&settings(&[
            ("login", "https://test.salesforce.com"),
            ("client_id", "abc"),
            ("private_key", TEST_KEY),
            ("username", "u@x.org"),
        ]))
        .unwrap();
        let Way::Jwt { key, user } = &sign_in.way else { unreachable!() };
        let jwt = sign_in.assertion(key, user, 1_000).unwrap();
        let parts: Vec<&str> = jwt.split('.').collect();
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(claims, serde_json::json!({"iss": "abc", "sub": "u@x.org", "aud": "https://test.salesforce.com", "exp": 1_180}));
        let public = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, key.public());
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        assert!(public.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).is_ok());
    }

    #[test]
    fn calls_go_to_salesforce_only() {
        let sign_in = SignIn::new(&settings(&[("login", "https://login.salesforce.com"), ("client_id", "abc"), ("client_secret", "s")])).unwrap();
        assert_eq!(sign_in.instance("https://acme.my.salesforce.com/x").as_deref(), Some("https://acme.my.salesforce.com"));
        for foreign in ["https://acme.my.salesforce.com.evil.org", "http://acme.my.salesforce.com", "https://evil.org", "http://127.0.0.1:80", "x"] {
            assert_eq!(sign_in.instance(foreign), None, "{foreign}");
        }
        assert!(SignIn::new(&settings(&[("login", "http://login.salesforce.com"), ("client_id", "a"), ("client_secret", "s")])).is_err());
        assert!(
            SignIn::new(&settings(&[("login", "https://login.salesforce.com"), ("client_id", "a"), ("private_key", "no key"), ("username", "u")]))
                .is_err()
        );
    }
}
