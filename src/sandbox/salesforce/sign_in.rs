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
/// What the users of the org sign in with, where a client sends a password.
const PASSWORD: &str = "sandbox";

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
            // The security token, where there is one, stands behind the password.
            Some("password") => match self.by_secret(field("client_id").unwrap_or(""), field("client_secret").unwrap_or("")) {
                Ok(()) if self.is_user(field("username").unwrap_or("")) && field("password").is_some_and(|word| word.starts_with(PASSWORD)) => Ok(()),
                Ok(()) => Err(Denied("invalid_grant", "authentication failure")),
                Err(denied) => Err(denied),
            },
            Some("authorization_code" | "refresh_token" | "urn:ietf:params:oauth:grant-type:device_code" | "hybrid_token") => {
                Err(Denied("unsupported_grant_type", "this grant is not imitated by the sandbox: use client_credentials, password or a JWT"))
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
        let (id, issued) = (self.identity_url(), now.as_millisecond().to_string());
        // Signed with the client's secret: whoever knows it can tell that the answer is Salesforce's.
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.options.client_secret.as_deref().unwrap_or("").as_bytes());
        let signature = STANDARD.encode(ring::hmac::sign(&key, format!("{id}{issued}").as_bytes()));
        Answer::json(
            200,
            &json!({
                "access_token": token, "signature": signature, "scope": "api", "instance_url": self.options.base_url, "id": id,
                "token_type": "Bearer", "issued_at": issued,
            }),
        )
    }

    /// `/services/oauth2/revoke`
    pub(super) fn revoke(&mut self, request: &Request) -> Answer {
        let query = request.uri().query().unwrap_or("").as_bytes();
        let token = [query, request.body()].into_iter().flat_map(form_urlencoded::parse).find(|(name, _)| name == "token");
        match token.and_then(|(_, token)| self.tokens.given.remove(token.as_ref())) {
            Some(_) => Answer::empty(200),
            None => Answer::json(400, &json!({ "error": "unsupported_token_type", "error_description": "this token type is not supported" })),
        }
    }

    /// Who the API's user is: an address that tells more.
    pub(super) fn identity_url(&self) -> String {
        format!("{}/id/{ORG}/{}", self.options.base_url, id_text(&self.store.catalog, self.user))
    }

    fn is_user(&self, name: &str) -> bool {
        let catalog = &self.store.catalog;
        let known = catalog.find("User").and_then(|table| Some((table, catalog.types[table].field("Username")?)));
        known.is_some_and(|(table, field)| {
            self.store.live(table).any(|(_, row)| row.cell(field).as_text().is_some_and(|known| known.eq_ignore_ascii_case(name)))
        })
    }

    /// `/id/{org}/{user}`
    pub(super) fn identity(&self, rest: &str, now: Timestamp) -> Answer {
        let user = id_text(&self.store.catalog, self.user);
        if rest.trim_end_matches('/').split_once('/').is_none_or(|(org, id)| !ORG.starts_with(org) || org.len() < 15 || id != user) {
            return Answer::refused(&super::refusal::Refusal { status: 403, ..super::refusal::Refusal::new("FORBIDDEN", "Bad_Id") }, false);
        }
        let base = &self.options.base_url;
        Answer::json(
            200,
            &json!({
                "id": self.identity_url(), "asserted_user": true, "user_id": user, "organization_id": ORG,
                "username": "integration@sandbox.example.com", "nick_name": "integration", "display_name": "Integration User",
                "email": "integration@sandbox.example.com", "email_verified": true, "first_name": "Integration", "last_name": "User",
                "timezone": "UTC", "photos": {}, "addr_street": null, "addr_city": null, "addr_state": null, "addr_country": null, "addr_zip": null,
                "mobile_phone": null, "mobile_phone_verified": false, "is_lightning_login_user": false,
                "status": { "created_date": null, "body": null }, "urls": self.urls(), "active": true, "user_type": "STANDARD", "language": "en_US",
                "locale": "en_US", "utcOffset": 0, "last_modified_date": super::cell::stamp(self.options.start), "is_app_installed": true,
                "asserted_at": super::cell::stamp(now), "instance_url": base,
            }),
        )
    }

    /// Where the APIs are; `{version}` is for the caller to fill in.
    fn urls(&self) -> Json {
        let base = &self.options.base_url;
        let at = |path: &str| format!("{base}/services/data/v{{version}}/{path}");
        json!({
            "rest": at(""), "sobjects": at("sobjects/"), "query": at("query/"), "search": at("search/"), "recent": at("recent/"),
            "enterprise": format!("{base}/services/Soap/c/{{version}}/{}", &ORG[..15]), "partner": format!("{base}/services/Soap/u/{{version}}/{}", &ORG[..15]),
            "metadata": format!("{base}/services/Soap/m/{{version}}/{}", &ORG[..15]), "tooling_rest": at("tooling/"),
            "profile": format!("{base}/{}", id_text(&self.store.catalog, self.user)), "custom_domain": base,
        })
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
        Answer::json(
            200,
            &json!({
                "sub": self.identity_url(), "user_id": id_text(&self.store.catalog, self.user), "organization_id": ORG,
                "preferred_username": "integration@sandbox.example.com", "nickname": "integration", "name": "Integration User",
                "email": "integration@sandbox.example.com", "email_verified": true, "given_name": "Integration", "family_name": "User",
                "zoneinfo": "UTC", "photos": {}, "profile": format!("{}/{}", self.options.base_url, id_text(&self.store.catalog, self.user)),
                "picture": null, "address": {}, "is_salesforce_integration_user": true, "urls": self.urls(), "active": true, "user_type": "STANDARD",
                "language": "en_US", "locale": "en_US", "utcOffset": 0, "updated_at": super::cell::stamp(self.options.start),
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
