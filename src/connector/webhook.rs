//! Webhooks: what comes in, and what a connector makes of it.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, StatusCode};
use thiserror::Error;

use crate::http::sign::Message;
use crate::http::verify::Unverified;

/// A webhook as it came in. Nothing of it is trusted.
#[derive(Debug, Clone, Copy)]
pub struct WebhookRequest<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    /// What stands behind the `?` of its address, still encoded; empty where there is nothing.
    pub query: &'a str,
    pub body: &'a [u8],
}

impl WebhookRequest<'_> {
    /// What a [verification](crate::http::verify::Verification) is made over. Its path holds the secret of our own address, which
    /// no sender signs.
    pub fn message(&self) -> Message<'_> {
        Message { method: self.method, path: "", query: self.query, headers: self.headers, body: self.body }
    }

    /// The value of a parameter of its address, decoded; none where it is absent or stands there twice.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut values = form_urlencoded::parse(self.query.as_bytes()).filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        values.next().filter(|_| values.next().is_none())
    }

    /// Refuses a notification that was not posted.
    ///
    /// # Errors
    /// [`WebhookRefusal::Method`].
    pub fn posted(&self) -> Result<(), WebhookRefusal> {
        if self.method == Method::POST { Ok(()) } else { Err(WebhookRefusal::Method(self.method.clone())) }
    }
}

/// What a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookReply {
    /// Something has changed: where to look, one hint for each place. None where it is of no concern.
    Hints(Vec<Hint>),
    /// The system asks whether this address is ours before it sends anything: this is the answer that it waits for.
    Challenge { content_type: &'static str, body: String },
}

/// Why a webhook is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookRefusal {
    /// It is not this system's, or points elsewhere.
    #[error("{0}")]
    Malformed(String),
    /// What proves its sender is missing or wrong.
    #[error("{0}")]
    Unverified(String),
    #[error("it came by {0}")]
    Method(Method),
}

impl WebhookRefusal {
    /// The status by which it is refused.
    pub fn status(&self) -> StatusCode {
        match self {
            WebhookRefusal::Malformed(_) => StatusCode::BAD_REQUEST,
            WebhookRefusal::Unverified(_) => StatusCode::UNAUTHORIZED,
            WebhookRefusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

impl From<Unverified> for WebhookRefusal {
    fn from(why: Unverified) -> Self {
        WebhookRefusal::Unverified(why.to_string())
    }
}

impl From<String> for WebhookRefusal {
    fn from(reason: String) -> Self {
        WebhookRefusal::Malformed(reason)
    }
}

impl From<&str> for WebhookRefusal {
    fn from(reason: &str) -> Self {
        WebhookRefusal::Malformed(reason.to_owned())
    }
}

/// Where a webhook points. It holds nothing of the webhook but known words and checked values.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hint {
    /// `SHIP_NOTIFY`
    pub event: String,
    /// Known parameters with their checked values: `batchId` → `123`.
    pub parameters: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_read_decoded_and_once() {
        let request = |query| WebhookRequest { method: &Method::GET, headers: &HeaderMap::new(), query, body: &[] }.parameter("a");
        assert_eq!(request("b=1&a=x%20y+z").as_deref(), Some("x y z"));
        assert_eq!(request("a=1&a=2"), None);
        assert_eq!(request(""), None);
    }
}
