//! Who may call routes other than webhooks: no browser pages, and no requests under a foreign host name.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Uri};

use crate::http::{Secret, caller};

/// What requests are held against.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// The address that is listened on, as bound.
    pub(super) listened: SocketAddr,
    /// Set: `/ready` and `/metrics` need it.
    pub(super) token: Option<Secret>,
}

/// Lets a request pass, or refuses it with HTTP 403. Webhooks are held to the secret in their path instead.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/hook/") || guard.allows(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    tracing::debug!("a request was refused: its Host, Origin, Sec-Fetch-Site or token is wrong");
    (http::StatusCode::FORBIDDEN, "refused\n").into_response()
}

impl Guard {
    fn allows(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        if caller::from_a_page(headers) {
            return false;
        }
        let named = || caller::names_us(self.listened, uri, headers);
        let Some(token) = &self.token else { return named() };
        let given = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        // Probes of a load balancer know neither the token nor our name: it says nothing but that we are here.
        let probe = uri.path() == "/health" && (!self.listened.ip().is_loopback() || named());
        probe || given.is_some_and(|given| token.is(given))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn guard(listened: &str, token: Option<&str>) -> Guard {
        Guard { listened: listened.parse().unwrap(), token: token.map(Secret::new) }
    }

    fn allows(guard: &Guard, uri: &str, headers: &HeaderMap) -> bool {
        guard.allows(&uri.parse().unwrap(), headers)
    }

    #[test]
    fn only_our_own_name_is_answered() {
        let guard = guard("127.0.0.1:8460", None);
        for path in ["/health", "/ready", "/metrics", "/", "/other"] {
            for host in ["127.0.0.1:8460", "localhost:8460", "LocalHost:8460"] {
                assert!(allows(&guard, path, &headers(&[("host", host)])), "{path} {host}");
            }
            let foreign = ["evil.example", "evil.example:8460", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.2:8460", "[::1]:8460"];
            for host in foreign.iter().chain(&["localhost.evil.example:8460", "127.0.0.1:8460.evil.example", "user@127.0.0.1:8460", ""]) {
                assert!(!allows(&guard, path, &headers(&[("host", host)])), "{path} {host}");
            }
        }
        assert!(!allows(&guard, "/health", &headers(&[])), "no host");
        assert!(!allows(&guard, "/health", &headers(&[("host", "127.0.0.1:8460"), ("host", "evil.example")])), "two hosts");
        assert!(!allows(&guard, "http://evil.example/health", &headers(&[("host", "127.0.0.1:8460")])), "another in the request line");
    }

    #[test]
    fn no_page_of_a_browser_is_answered() {
        let ours = ("host", "127.0.0.1:8460");
        let guard = guard("127.0.0.1:8460", None);
        assert!(allows(&guard, "/metrics", &headers(&[ours, ("sec-fetch-site", "none")])));
        for (name, value) in [("origin", "http://127.0.0.1:8460"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            assert!(!allows(&guard, "/metrics", &headers(&[ours, (name, value)])), "{name}: {value}");
        }
        for site in ["same-site", "same-origin"] {
            assert!(!allows(&guard, "/health", &headers(&[ours, ("sec-fetch-site", site)])), "{site}");
        }
    }

    #[test]
    fn with_a_token_it_is_needed_and_a_probe_may_ask_for_health() {
        let open = guard("0.0.0.0:8460", Some("abc"));
        let host = ("host", "10.0.0.7:8460");
        assert!(allows(&open, "/health", &headers(&[host])));
        assert!(!allows(&open, "/metrics", &headers(&[host])) && !allows(&open, "/ready", &headers(&[host])));
        assert!(!allows(&open, "/metrics", &headers(&[host, ("authorization", "Bearer abd")])));
        assert!(allows(&open, "/metrics", &headers(&[host, ("authorization", "Bearer abc")])));
        assert!(!allows(&open, "/health", &headers(&[host, ("origin", "https://evil.example")])));
        let local = guard("127.0.0.1:8460", Some("abc"));
        assert!(!allows(&local, "/health", &headers(&[("host", "evil.example")])));
        assert!(allows(&local, "/health", &headers(&[("host", "evil.example"), ("authorization", "Bearer abc")])));
        assert!(!allows(&local, "/ready", &headers(&[("host", "127.0.0.1:8460")])));
    }
}
