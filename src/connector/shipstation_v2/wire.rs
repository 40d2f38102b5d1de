//! One call of V2: its request, its limit, and what its answer means.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::connector::registry::{Settings, Unusable};
use crate::fault::{Fault, Refusal};
use crate::http::{Call, Client, Response, Secret, address};
use crate::value::Json;

/// The longest text of a refusal that is kept, in characters.
const LONGEST_REFUSAL: usize = 2000;

/// An account's address and its credential.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) url: Url,
    /// The value of `api-key`.
    key: Secret,
}

impl Account {
    /// Settings: `api_key`; optional `url`.
    pub(super) fn new(settings: &Settings) -> Result<Self, Unusable> {
        let unusable = |message: String, hint: &str| Unusable {
            connection: settings.name.clone(),
            message,
            hint: format!("{hint} under `connections.{}`", settings.name),
        };
        let key = settings.need("api_key")?.reveal().trim();
        if key.is_empty() || HeaderValue::from_str(key).is_err() {
            return Err(unusable("has an `api_key` that no header can hold".to_owned(), "put the account's API key of V2"));
        }
        let (given, usual) = (settings.or_default("url").trim(), settings.usual("url"));
        let url = address(given).map_err(|why| unusable(format!("has a `url` that {why}"), &format!("leave `url` out, or put `{usual}`")))?;
        Ok(Account { url, key: Secret::new(key) })
    }

    /// The address without a slash at its end.
    fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

/// V2's address behind one account.
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) account: Account,
}

impl Wire {
    /// `None`: there is no such thing (a 404).
    pub(super) async fn get(&self, call: &Call, path: &str, query: &[(&str, String)]) -> Result<Option<Json>, Fault> {
        let mut target = format!("{}{path}", self.account.base());
        if !query.is_empty() {
            target = format!("{target}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        }
        let unsent = |error: http::Error| Fault::rejected("request", format!("it cannot be put into a request: {error}"), None);
        let mut key = HeaderValue::from_str(self.account.key.reveal()).map_err(|error| unsent(error.into()))?;
        key.set_sensitive(true);
        let request = http::Request::get(&target).header("api-key", key).header(header::ACCEPT, "application/json");
        let request = request.body(Bytes::new()).map_err(unsent)?;
        let answer = self.client.send(call, request).await.map_err(|fault| match fault {
            // A read that got no answer changed nothing.
            Fault::Ambiguous { reason } => Fault::Transient { reason },
            other => other,
        })?;
        self.read(&answer)
    }

    fn read(&self, answer: &Response) -> Result<Option<Json>, Fault> {
        let status = answer.status();
        match status {
            _ if status.is_success() => match serde_json::from_slice(answer.body()) {
                Ok(json) => Ok(Some(json)),
                Err(_) => Err(Fault::transient(format!("V2 answered {status} with what is no JSON"))),
            },
            StatusCode::TOO_MANY_REQUESTS => {
                let until = self.client.limit_now().pause(self.client.now(), retry_after(answer.headers(), self.client.now()));
                Err(Fault::Throttled { until: Some(until), reason: refusal(status, answer.body()).message })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Fault::Denied { reason: refusal(status, answer.body()).message }),
            // No redirect is followed: the credential would go with it.
            _ if status.is_redirection() => Err(Fault::Denied { reason: format!("V2 answered {status}: the connection's `url` is not where it is") }),
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => Err(Fault::Rejected(refusal(status, answer.body()))),
            _ => Err(Fault::transient(format!("V2 answered {}: {}", status.as_u16(), refusal(status, answer.body()).message))),
        }
    }
}

/// The vendor's page on limits: `Retry-After` in seconds. What says more than a day is no number of seconds.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let seconds: i64 = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    now.checked_add(SignedDuration::from_secs(seconds.clamp(1, 86_400))).ok()
}

/// The words of `{"request_id": …, "errors": [{"error_code", "message", "field_name"?}]}`.
fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let answer: Json = serde_json::from_slice(body).unwrap_or_default();
    let errors: Vec<&Json> = answer.get("errors").and_then(Json::as_array).into_iter().flatten().collect();
    let text = |error: &Json, name: &str| error.get(name).and_then(Json::as_str).map(str::to_owned);
    let words: Vec<String> = errors.iter().filter_map(|error| text(error, "message")).collect();
    let message = if words.is_empty() { status.canonical_reason().unwrap_or("no words").to_owned() } else { words.join("; ") };
    Refusal {
        code: errors.iter().find_map(|error| text(error, "error_code")).unwrap_or_else(|| status.as_u16().to_string()),
        message: message.chars().take(LONGEST_REFUSAL).collect(),
        field: errors.iter().find_map(|error| text(error, "field_name")),
    }
}
