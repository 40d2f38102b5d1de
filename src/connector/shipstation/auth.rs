//! Where an account is, and who asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::connector::registry::{Settings, Unusable};
use crate::http::{Secret, address};

/// An account's address and its credential.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) url: Url,
    /// The value of `Authorization`.
    pub(super) authorization: Secret,
    /// The value of `x-partner`.
    pub(super) partner: Option<Secret>,
    /// Hosts other than its own that a webhook may name. Nothing is ever sent to them.
    pub(super) webhook_hosts: Vec<String>,
}

impl Account {
    /// Settings: `api_key`, `api_secret`; optional `url`, `partner`, `webhook_hosts`.
    pub(super) fn new(settings: &Settings) -> Result<Self, Unusable> {
        let unusable = |message: String, hint: &str| Unusable {
            connection: settings.name.clone(),
            message,
            hint: format!("{hint} under `connections.{}`", settings.name),
        };
        let key = settings.need("api_key")?.reveal().trim();
        let secret = settings.need("api_secret")?.reveal().trim();
        for (name, value) in [("api_key", key), ("api_secret", secret)] {
            if value.is_empty() || value.contains(char::is_control) {
                return Err(unusable(
                    format!("has an `{name}` that is empty or has a line break in it"),
                    &format!("put the `{name}` of the account"),
                ));
            }
        }
        // RFC 7617: the first colon ends the name.
        if key.contains(':') {
            return Err(unusable("has an `api_key` with a colon in it".to_owned(), "put the API key alone into `api_key`"));
        }
        let partner = match settings.get("partner").map(str::trim) {
            Some(value) if http::HeaderValue::from_str(value).is_err() => {
                return Err(unusable("has a `partner` that no header can hold".to_owned(), "put the partner key as it was given"));
            }
            other => other.filter(|value| !value.is_empty()).map(Secret::new),
        };
        let given = settings.or_default("url").trim();
        let url = address(given)
            .map_err(|why| unusable(format!("has a `url` that {why}"), &format!("leave `url` out, or put `{}`", settings.usual("url"))))?;
        let hosts = settings.get("webhook_hosts").unwrap_or_default();
        let webhook_hosts = hosts.split(',').map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty()).collect();
        Ok(Account { url, authorization: Secret::new(format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")))), partner, webhook_hosts })
    }

    /// The address without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

    use super::*;

    fn account(options: &[(&str, &str)]) -> Result<Account, Unusable> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        Account::new(&Settings { name: "wms".into(), system: "shipstation".into(), options })
    }

    #[test]
    fn the_header_is_that_of_basic_authentication() {
        let account = account(&[("api_key", "key\n"), ("api_secret", "secret")]).unwrap();
        assert_eq!(account.authorization.reveal(), "Basic a2V5OnNlY3JldA==");
        assert_eq!(account.base(), "https://ssapi.shipstation.com");
        assert!(!format!("{account:?}").contains("a2V5"));
    }

    #[test]
    fn settings_that_cannot_work_are_refused_without_showing_them() {
        for (options, said) in [
            (vec![("api_key", "k")], "has no `api_secret`"),
            (vec![("api_key", " "), ("api_secret", "s3cret")], "empty"),
            (vec![("api_key", "a:b"), ("api_secret", "s3cret")], "colon"),
            (vec![("api_key", "k"), ("api_secret", "s3cret"), ("url", "http://ssapi.shipstation.com")], "in the clear"),
            (vec![("api_key", "k"), ("api_secret", "s3cret"), ("url", "https://a:b@ssapi.shipstation.com")], "more than an address"),
            (vec![("api_key", "k"), ("api_secret", "s3cret"), ("url", "ssapi")], "cannot be read"),
            (vec![("api_key", "k"), ("api_secret", "s3cret"), ("partner", "a\u{7f}b")], "no header"),
        ] {
            let error = account(&options).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
        assert!(account(&[("api_key", "k"), ("api_secret", "s"), ("url", "http://127.0.0.1:4010")]).is_ok());
    }
}
