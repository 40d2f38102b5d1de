//! Signatures over parts of a message: HMAC (RFC 2104), as a value. A request is signed by it, and a webhook is verified by it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use ring::hmac;
use thiserror::Error;

use super::{Request, Secret};

/// How a signature is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    pub digest: Digest,
    pub key: Secret,
    /// What is signed: these, one directly after the other.
    pub over: Vec<Part>,
    pub print: Print,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Only where a vendor still has nothing else.
    Sha1,
    Sha256,
    Sha512,
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Print {
    /// In lower case; both cases are read.
    Hex,
    /// With padding.
    Base64,
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// A text that may not be printed, where a vendor has the key in what is signed as well.
    Secret(Secret),
    Method,
    /// Without the host and the query.
    Path,
    /// As it stands behind the `?`.
    Query,
    /// The parameters of the query, decoded and sorted by name, as `name` and `value` without anything between; without those that
    /// are named.
    SortedParameters {
        without: Vec<String>,
    },
    /// Its value; a message without it, or with two, is not signed.
    Header(HeaderName),
    Body,
}

/// What is signed: a request of ours, or a webhook that came in.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    /// Still encoded; empty where there is none.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    pub fn of(request: &'a Request) -> Self {
        let uri = request.uri();
        Message {
            method: request.method(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: request.headers(),
            body: request.body(),
        }
    }

    /// The value of a header that stands there once.
    pub fn header(&self, name: &HeaderName) -> Option<&'a [u8]> {
        let mut values = self.headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).map(HeaderValue::as_bytes)
    }
}

/// Why a message has no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unsignable {
    #[error("it has no single header `{0}`, which is signed")]
    Header(HeaderName),
    #[error("its signature cannot be put into its address")]
    Address,
}

impl Hmac {
    /// The signature of a message, printed.
    ///
    /// # Errors
    /// A header that is signed is missing.
    pub fn sign(&self, message: &Message<'_>) -> Result<String, Unsignable> {
        let tag = hmac::sign(&self.ring_key(), &self.signed(message)?);
        Ok(match self.print {
            Print::Hex => tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
            Print::Base64 => STANDARD.encode(tag),
        })
    }

    /// Whether a signature is that of a message. How long it takes does not depend on where they differ.
    pub fn verify(&self, message: &Message<'_>, given: &str) -> bool {
        let tag = match self.print {
            Print::Hex => from_hex(given),
            Print::Base64 => STANDARD.decode(given).ok(),
        };
        let (Some(tag), Ok(signed)) = (tag, self.signed(message)) else { return false };
        hmac::verify(&self.ring_key(), &signed, &tag).is_ok()
    }

    fn ring_key(&self) -> hmac::Key {
        let algorithm = match self.digest {
            Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => hmac::HMAC_SHA256,
            Digest::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::Key::new(algorithm, self.key.reveal().as_bytes())
    }

    fn signed(&self, message: &Message<'_>) -> Result<Vec<u8>, Unsignable> {
        let mut signed = Vec::with_capacity(message.body.len() + 256);
        for part in &self.over {
            match part {
                Part::Text(text) => signed.extend_from_slice(text.as_bytes()),
                Part::Secret(secret) => signed.extend_from_slice(secret.reveal().as_bytes()),
                Part::Method => signed.extend_from_slice(message.method.as_str().as_bytes()),
                Part::Path => signed.extend_from_slice(message.path.as_bytes()),
                Part::Query => signed.extend_from_slice(message.query.as_bytes()),
                Part::SortedParameters { without } => {
                    let mut parameters: Vec<_> = form_urlencoded::parse(message.query.as_bytes()).collect();
                    parameters.retain(|(name, _)| !without.iter().any(|one| one == name));
                    parameters.sort();
                    for (name, value) in parameters {
                        signed.extend_from_slice(name.as_bytes());
                        signed.extend_from_slice(value.as_bytes());
                    }
                }
                Part::Header(name) => signed.extend_from_slice(message.header(name).ok_or_else(|| Unsignable::Header(name.clone()))?),
                Part::Body => signed.extend_from_slice(message.body),
            }
        }
        Ok(signed)
    }
}

/// Where a request's signature goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    Header(HeaderName),
    /// A parameter of the query, behind the others. It is no part of what is signed.
    Parameter(String),
}

/// A signature that requests carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub hmac: Hmac,
    pub to: To,
}

impl Signer {
    /// Signs a request that is otherwise ready to be sent.
    ///
    /// # Errors
    /// A header that is signed is missing, or the address takes no parameter.
    pub fn apply(&self, mut request: Request) -> Result<Request, Unsignable> {
        let signature = self.hmac.sign(&Message::of(&request))?;
        match &self.to {
            To::Header(name) => {
                let mut value = HeaderValue::from_str(&signature).map_err(|_| Unsignable::Header(name.clone()))?;
                value.set_sensitive(true);
                request.headers_mut().insert(name, value);
            }
            To::Parameter(name) => {
                let uri = request.uri();
                let added = form_urlencoded::Serializer::new(String::new()).append_pair(name, &signature).finish();
                let mark = if uri.query().is_some() { '&' } else { '?' };
                let signed = format!("{uri}{mark}{added}");
                *request.uri_mut() = signed.parse::<Uri>().map_err(|_| Unsignable::Address)?;
            }
        }
        Ok(request)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(byte).collect::<Option<_>>())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use bytes::Bytes;

    use super::*;

    fn of(body: &'static str, address: &str) -> Request {
        http::Request::post(address).header("x-at", "17").body(Bytes::from(body)).unwrap()
    }

    fn hmac(digest: Digest, key: &str, over: Vec<Part>, print: Print) -> Hmac {
        Hmac { digest, key: Secret::new(key), over, print }
    }

    /// RFC 2202 and RFC 4231, test case 2, with the key "Jefe".
    #[test]
    fn signatures_are_those_of_the_standards() {
        let request = of("what do ya want for nothing?", "https://x.example/");
        let expected = [
            (Digest::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Digest::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Digest::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (digest, expected) in expected {
            let hex = hmac(digest, "Jefe", vec![Part::Body], Print::Hex);
            assert_eq!(hex.sign(&Message::of(&request)).unwrap(), expected);
            assert!(hex.verify(&Message::of(&request), expected) && hex.verify(&Message::of(&request), &expected.to_uppercase()));
        }
        let base64 = hmac(Digest::Sha256, "Jefe", vec![Part::Body], Print::Base64);
        assert_eq!(base64.sign(&Message::of(&request)).unwrap(), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }

    #[test]
    fn only_the_whole_signature_of_the_same_message_fits() {
        let signer = hmac(Digest::Sha256, "key", vec![Part::Method, Part::Path, Part::Header("x-at".parse().unwrap()), Part::Body], Print::Hex);
        let request = of("body", "https://x.example/path?b=1");
        let signature = signer.sign(&Message::of(&request)).unwrap();
        let fits = |request: &Request, given: &str| signer.verify(&Message::of(request), given);
        assert!(fits(&request, &signature));
        for given in ["", "zz", "é", &signature[..62], &format!("{signature}00"), &signature.replace(char::is_numeric, "0")] {
            assert!(!fits(&request, given), "{given}");
        }
        assert!(!fits(&of("Body", "https://x.example/path?b=1"), &signature));
        assert!(!fits(&of("body", "https://x.example/paths?b=1"), &signature));
        let mut later = of("body", "https://x.example/path?b=1");
        later.headers_mut().insert("x-at", "18".parse().unwrap());
        assert!(!fits(&later, &signature));
        later.headers_mut().append("x-at", "17".parse().unwrap());
        assert_eq!(signer.sign(&Message::of(&later)), Err(Unsignable::Header("x-at".parse().unwrap())), "which of two is not known");
        assert!(!fits(&later, &signature));
    }

    /// The form of TikTok Shop: the key, the path, the parameters by name, the body, the key.
    /// <https://partner.tiktokshop.com/docv2/page/sign-your-api-request>
    #[test]
    fn parameters_are_signed_by_name_and_the_signature_is_one_more() {
        let secret = || Part::Secret(Secret::new("k"));
        let without = vec!["sign".to_owned(), "access_token".to_owned()];
        let over = vec![secret(), Part::Path, Part::SortedParameters { without }, Part::Body, secret()];
        let signer = Signer { hmac: hmac(Digest::Sha256, "k", over, Print::Hex), to: To::Parameter("sign".to_owned()) };
        let plain = hmac(Digest::Sha256, "k", vec![Part::Text("k/ordersapp_key7shop a b{}k".to_owned())], Print::Hex);
        let request = of("{}", "https://x.example/orders?shop=+a%20b&access_token=t&app_key=7");
        let expected = plain.sign(&Message::of(&request)).unwrap();
        let signed = signer.apply(request).unwrap();
        assert_eq!(signed.uri().query().unwrap(), format!("shop=+a%20b&access_token=t&app_key=7&sign={expected}"));
        assert!(signer.hmac.verify(&Message::of(&signed), &expected), "its own parameter is no part of what is signed");
        let alone = signer.apply(of("{}", "https://x.example/orders")).unwrap();
        assert!(alone.uri().query().unwrap().starts_with("sign="));
    }

    #[test]
    fn a_signature_in_a_header_is_not_printed() {
        let signer = Signer { hmac: hmac(Digest::Sha256, "k", vec![Part::Body], Print::Base64), to: To::Header("x-signature".parse().unwrap()) };
        let signed = signer.apply(of("{}", "https://x.example/")).unwrap();
        assert!(signed.headers()["x-signature"].is_sensitive());
    }
}
