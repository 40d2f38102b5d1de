//! Secrets that do not print.

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

/// A password, a key, a token. It has no `Display`, its `Debug` says nothing of it, it cannot be
/// serialised, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is this secret. How long it takes does not depend on where they differ.
    pub fn is(&self, given: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
        let tag = hmac::sign(&key, self.0.as_bytes());
        hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_whole() {
        let is = |secret: &str, given: &str| Secret::new(secret).is(given);
        assert!(is("abc", "abc"));
        assert!(!is("abc", "abd") && !is("abc", "ab") && !is("", "a"));
    }
}
