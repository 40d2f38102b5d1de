//! `/services/oauth2/token`: a JWT or a client's secret for an access token.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Salesforce;
use super::cell::id_text;
use super::wire::Answer;
use crate::http::Request;
use crate::value::Json;

/// How long an access token is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(2);
const ORG: &str = "00D5g0000000001EAA";

#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// To when they were given.
    given: BTreeMap<String, Timestamp>,
    made: u64,
}

impl Tokens {
    pub(super) fn is_good(&self, token: &str, now: Timestamp) -> bool {
        self.given.get(token).is_some_and(|since| now.duration_since(*since) < GOOD_FOR)
    }

    /// All of them end.
    pub(super) fn expire(&mut self) {
        self.given.clear();
    }
}

/// `{"error": …, "error_description": …}`, which is all that sign-in ever says.
struct Denied(&'static str, &'static str);

impl Salesforce {
    pub(super) fn sign_in(&mut self, request: &Request, now: Timestamp) -> Answer {
        let denied = |Denied(error, description): Denied| Answer::json(400, &json!({ "error": error, "error_description": description }));
        if request.method() != http::Method::POST {
            return denied(Denied("invalid_request", "must use HTTP POST"));
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
        let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let allowed = match field("grant_type") {
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => self.by_jwt(field("assertion").unwrap_or(""), now),
            Some("client_credentials") => {
                let basic = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(basic);
                let (id, secret) = match (field("client_id"), basic) {
                    (Some(id), _) => (id.to_owned(), field("client_secret").unwrap_or("").to_owned()),
                    (None, Some(basic)) => basic,
                    (None, None) => (String::new(), String::new()),
                };
                self.by_secret(&id, &secret)
            }
            _ => Err(Denied("unsupported_grant_type", "grant type not supported")),
        };
        if let Err(reason) = allowed {
            return denied(reason);
        }
        self.tokens.made += 1;
        let seed = Sha256::digest(format!("{}/{}", self.options.seed, self.tokens.made));
        let token = format!("{}!AQ{}", &ORG[..15], URL_SAFE_NO_PAD.encode(seed));
        self.tokens.given.retain(|_, since| now.duration_since(*since) < GOOD_FOR);
        self.tokens.given.insert(token.clone(), now);
        let base = &self.options.base_url;
        Answer::json(
            200,
            &json!({
                "access_token": token, "scope": "api", "instance_url": base, "id": format!("{base}/id/{ORG}/{}", id_text(&self.store.catalog, self.user)),
                "token_type": "Bearer", "issued_at": now.as_millisecond().to_string(),
            }),
        )
    }

    fn by_secret(&self, id: &str, secret: &str) -> Result<(), Denied> {
        if self.options.client_id.as_deref() != Some(id) {
            return Err(Denied("invalid_client_id", "client identifier invalid"));
        }
        if self.options.client_secret.as_deref() != Some(secret) {
            return Err(Denied("invalid_client", "invalid client credentials"));
        }
        Ok(())
    }

    fn by_jwt(&self, assertion: &str, now: Timestamp) -> Result<(), Denied> {
        let wrong = || Denied("invalid_grant", "invalid assertion");
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(wrong)?;
        let (header, claims) = signed.split_once('.').ok_or_else(wrong)?;
        let part = |text: &str| -> Option<Json> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok() };
        let (header, claims) = (part(header).ok_or_else(wrong)?, part(claims).ok_or_else(wrong)?);
        if header.get("alg").and_then(Json::as_str) != Some("RS256") {
            return Err(wrong());
        }
        let claim = |name: &str| claims.get(name).and_then(Json::as_str).unwrap_or("");
        if self.options.client_id.as_deref().is_some_and(|id| id != claim("iss")) {
            return Err(Denied("invalid_client_id", "client identifier invalid"));
        }
        if let Some(pem) = &self.options.public_key {
            let key = public_key(pem).ok_or(Denied("invalid_grant", "the public key of the sandbox cannot be read"))?;
            let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| wrong())?;
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(signed.as_bytes(), &signature).map_err(|_| wrong())?;
        }
        if claim("sub").is_empty() {
            return Err(Denied("invalid_grant", "user hasn't approved this consumer"));
        }
        if claim("aud").is_empty() {
            return Err(Denied("invalid_grant", "audience is invalid"));
        }
        let expires = claims.get("exp").and_then(Json::as_i64).or_else(|| claim("exp").parse().ok());
        if expires.is_none_or(|expires| expires <= now.as_second()) {
            return Err(Denied("invalid_grant", "assertion is expired"));
        }
        Ok(())
    }

    pub(super) fn user_info(&self) -> Answer {
        let id = id_text(&self.store.catalog, self.user);
        Answer::json(
            200,
            &json!({
                "sub": format!("{}/id/{ORG}/{id}", self.options.base_url), "user_id": id, "organization_id": ORG,
                "preferred_username": "integration@sandbox.example.com", "name": "Integration User", "email": "integration@sandbox.example.com",
            }),
        )
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The `RSAPublicKey` in a PEM, bare or wrapped as a `SubjectPublicKeyInfo`, which is how ring takes it.
fn public_key(pem: &str) -> Option<Vec<u8>> {
    let wrapped = pem.contains("BEGIN PUBLIC KEY");
    let inner: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(inner).ok()?;
    if !wrapped {
        return Some(der);
    }
    let (outer, _) = element(&der, 0x30)?;
    let (_, rest) = element(outer, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    // The first byte of a bit string says how many bits of the last are not used: none.
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// The content of a DER element of a kind, and what is behind it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let bytes = usize::from(long & 0x7f);
            let (digits, rest) = rest.split_at_checked(bytes).filter(|_| bytes <= 4)?;
            (digits.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    (*first == kind).then_some((content, rest))
}
