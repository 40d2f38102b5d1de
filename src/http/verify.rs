//! By what a webhook proves who sent it, as a value.

use http::HeaderName;
use thiserror::Error;

use super::Secret;
use super::sign::{Hmac, Message};

/// What a webhook has to bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// A signature in a header.
    Signature {
        header: HeaderName,
        /// What stands before it: `sha256=`. Empty: nothing.
        prefix: String,
        hmac: Hmac,
    },
    /// A secret in a header, which both sides know.
    Shared { header: HeaderName, secret: Secret },
}

/// Why a webhook proves nothing. It says nothing of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unverified {
    #[error("it has no single header `{0}`")]
    Missing(HeaderName),
    #[error("its header `{0}` is not what its sender would have set")]
    Wrong(HeaderName),
}

impl Verification {
    /// Verifies a message. How long that takes does not depend on where a signature or a secret differs.
    ///
    /// # Errors
    /// The header is missing, stands there twice, or is wrong.
    pub fn check(&self, message: &Message<'_>) -> Result<(), Unverified> {
        let (Verification::Signature { header, .. } | Verification::Shared { header, .. }) = self;
        let given = message.header(header).ok_or_else(|| Unverified::Missing(header.clone()))?;
        let fits = std::str::from_utf8(given).is_ok_and(|given| match self {
            Verification::Signature { prefix, hmac, .. } => given.strip_prefix(prefix.as_str()).is_some_and(|given| hmac.verify(message, given)),
            Verification::Shared { secret, .. } => secret.is(given),
        });
        if fits { Ok(()) } else { Err(Unverified::Wrong(header.clone())) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use http::{HeaderMap, Method};

    use super::*;
    use crate::http::sign::{Digest, Part, Print};

    fn checked(verification: &Verification, headers: &[(&'static str, &str)], body: &str) -> Result<(), Unverified> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        verification.check(&Message { method: &Method::POST, path: "/", query: "", headers: &map, body: body.as_bytes() })
    }

    /// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>: "Testing the webhook payload validation".
    #[test]
    fn a_signature_of_a_published_example_is_taken() {
        let header: HeaderName = "x-hub-signature-256".parse().unwrap();
        let key = Secret::new("It's a Secret to Everybody");
        let hmac = Hmac { digest: Digest::Sha256, key, over: vec![Part::Body], print: Print::Hex };
        let verification = Verification::Signature { header: header.clone(), prefix: "sha256=".to_owned(), hmac };
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let name = "x-hub-signature-256";
        assert_eq!(checked(&verification, &[(name, right)], "Hello, World!"), Ok(()));
        let wrong = Err(Unverified::Wrong(header.clone()));
        assert_eq!(checked(&verification, &[(name, right)], "Hello, World?"), wrong);
        assert_eq!(checked(&verification, &[(name, &right[7..])], "Hello, World!"), wrong, "without its prefix");
        assert_eq!(checked(&verification, &[(name, "sha256=")], "Hello, World!"), wrong);
        let missing = Err(Unverified::Missing(header));
        assert_eq!(checked(&verification, &[], "Hello, World!"), missing);
        assert_eq!(checked(&verification, &[(name, right), (name, right)], "Hello, World!"), missing);
    }

    #[test]
    fn a_shared_secret_is_compared_whole() {
        let header: HeaderName = "x-token".parse().unwrap();
        let verification = Verification::Shared { header: header.clone(), secret: Secret::new("s3cret") };
        assert_eq!(checked(&verification, &[("x-token", "s3cret")], ""), Ok(()));
        for given in ["", "s3cre", "s3crets", "S3cret"] {
            assert_eq!(checked(&verification, &[("x-token", given)], ""), Err(Unverified::Wrong(header.clone())), "{given}");
        }
        assert!(!format!("{verification:?}").contains("s3cret"));
    }
}
