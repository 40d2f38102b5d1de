//! One call of V1: its request, its limit, and what its answer means.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use super::auth::Account;
use crate::fault::{Fault, Refusal};
use crate::http::{Call, Client, Request, Response};
use crate::value::Json;

/// The longest text of a refusal that is kept, in characters.
const LONGEST_REFUSAL: usize = 2000;

/// V1's address behind one account.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) account: Account,
}

/// What was asked for: only a write can be in doubt.
#[derive(Clone, Copy)]
enum Asked {
    Read,
    /// So many items in one call.
    Write(usize),
}

/// One page of a list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) records: Vec<Json>,
    pub(super) total: Option<u64>,
    pub(super) more: bool,
}

impl Wire {
    /// `None`: there is no such thing (a 404).
    pub(super) async fn get(&self, call: &Call, path: &str, query: &[(&str, String)]) -> Result<Option<Json>, Fault> {
        let mut target = format!("{}{path}", self.account.base());
        if !query.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            target = format!("{target}?{query}");
        }
        let request = self.request(Method::GET, &target, Bytes::new())?;
        let answer = self.client.send(call, request).await.map_err(|fault| match fault {
            // A read that got no answer changed nothing.
            Fault::Ambiguous { reason } => Fault::transient(reason),
            other => other,
        })?;
        self.read(&answer, Asked::Read)
    }

    /// Sends `items` items in one call.
    pub(super) async fn post(&self, call: &Call, path: &str, body: &Json, items: usize) -> Result<Json, Fault> {
        let request = self.request(Method::POST, &format!("{}{path}", self.account.base()), Bytes::from(body.to_string()))?;
        let answer = self.client.send(call, request).await?;
        self.read(&answer, Asked::Write(items))?.ok_or_else(|| Fault::rejected("404", format!("V1 has no `{path}`"), None))
    }

    /// A page of `{"orders": […], "total": …, "page": …, "pages": …}`.
    pub(super) async fn list(&self, call: &Call, path: &str, key: &str, query: &[(&str, String)], page: u64, size: usize) -> Result<Listed, Fault> {
        let mut query = query.to_vec();
        query.push(("page", page.to_string()));
        query.push(("pageSize", size.to_string()));
        let answer = self.get(call, path, &query).await?.ok_or_else(|| Fault::transient(format!("V1 says there is no `{path}`")))?;
        let Json::Object(mut fields) = answer else { return Err(not_understood(path)) };
        let pages = fields.get("pages").and_then(Json::as_u64);
        let total = fields.get("total").and_then(Json::as_u64);
        let records = match fields.remove(key) {
            Some(Json::Array(records)) => records,
            // V1 gives null for an empty list.
            Some(Json::Null) => Vec::new(),
            _ => return Err(not_understood(path)),
        };
        if !records.iter().all(Json::is_object) {
            return Err(not_understood(path));
        }
        // The vendor's own example of a list has 2 records on 0 pages, so a full page is asked behind too.
        let more = !records.is_empty() && (pages.is_some_and(|pages| page < pages) || (pages.unwrap_or(0) == 0 && records.len() >= size));
        Ok(Listed { records, total, more })
    }

    /// A list that comes whole: `[…]`.
    pub(super) async fn array(&self, call: &Call, path: &str, query: &[(&str, String)]) -> Result<Vec<Json>, Fault> {
        match self.get(call, path, query).await? {
            Some(Json::Array(records)) if records.iter().all(Json::is_object) => Ok(records),
            None => Ok(Vec::new()),
            Some(_) => Err(not_understood(path)),
        }
    }

    fn request(&self, method: Method, target: &str, body: Bytes) -> Result<Request, Fault> {
        let unsent = |error: http::Error| Fault::rejected("request", format!("it cannot be put into a request: {error}"), None);
        let mut authorization = HeaderValue::from_str(self.account.authorization.reveal()).map_err(|error| unsent(error.into()))?;
        authorization.set_sensitive(true);
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, "application/json");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(partner) = &self.account.partner {
            let mut partner = HeaderValue::from_str(partner.reveal()).map_err(|error| unsent(error.into()))?;
            partner.set_sensitive(true);
            request = request.header("x-partner", partner);
        }
        request.body(body).map_err(unsent)
    }

    /// What an answer means. `None`: a 404.
    fn read(&self, answer: &Response, asked: Asked) -> Result<Option<Json>, Fault> {
        let now = self.client.now();
        let reset = self.limits(answer.headers(), now);
        let status = answer.status();
        match status {
            _ if status.is_success() => match (serde_json::from_slice(answer.body()), asked) {
                (Ok(json), _) => Ok(Some(json)),
                (Err(_), Asked::Read) => Err(Fault::transient(format!("V1 answered {status} with what is no JSON"))),
                (Err(_), Asked::Write(_)) => Err(Fault::ambiguous(format!("V1 answered {status} with what is no JSON"))),
            },
            StatusCode::TOO_MANY_REQUESTS => {
                let until = self.client.limit_now().pause(now, reset);
                Err(Fault::Throttled { until: Some(until), reason: refusal(status, answer.body()).message })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Fault::Denied { reason: refusal(status, answer.body()).message }),
            // No redirect is followed: the credentials would go with it. It is told after a write as well as before.
            _ if status.is_redirection() => Err(match asked {
                Asked::Read => Fault::Denied { reason: format!("V1 answered {status}: the connection's `url` is not where it is") },
                Asked::Write(_) => {
                    Fault::ambiguous(format!("V1 answered {status}; it may have been done, and the connection's `url` may not be where it is"))
                }
            }),
            StatusCode::NOT_FOUND => match asked {
                Asked::Read => Ok(None),
                Asked::Write(items) => Err(refused(refusal(status, answer.body()), items)),
            },
            _ if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => match asked {
                Asked::Read => Err(Fault::Rejected(refusal(status, answer.body()))),
                Asked::Write(items) => Err(refused(refusal(status, answer.body()), items)),
            },
            _ => {
                let reason = format!("V1 answered {}: {}", status.as_u16(), refusal(status, answer.body()).message);
                Err(match asked {
                    Asked::Read => Fault::transient(reason),
                    Asked::Write(_) => Fault::ambiguous(reason),
                })
            }
        }
    }

    /// Tells the limit what an answer's headers say, and when the window begins anew.
    fn limits(&self, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        // The window is a minute; what says more than a day is no number of seconds.
        let seconds = number("x-rate-limit-reset").or_else(|| number("retry-after")).filter(|seconds| *seconds <= 86_400);
        let reset = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds.max(1))));
        if let (Some(calls), Some(left), Some(reset)) = (number("x-rate-limit-limit"), number("x-rate-limit-remaining"), reset) {
            self.client.limit_now().seen(now, calls, left, reset);
        }
        reset.and_then(|reset| now.checked_add(reset).ok())
    }
}

fn not_understood(path: &str) -> Fault {
    Fault::transient(format!("V1's answer to `{path}` has not the form that its reference gives"))
}

/// A whole call was refused: with several items nobody says which is to blame.
fn refused(refusal: Refusal, items: usize) -> Fault {
    if items > 1 { Fault::BatchRefused(refusal) } else { Fault::Rejected(refusal) }
}

/// The words of a refusal. V1 has two forms: `{"message": …}`, and .NET's
/// `{"Message": …, "ExceptionMessage": …, "ModelState": {"apiOrder.orderDate": […]}}`.
fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let mut words: Vec<String> = Vec::new();
    let mut field = None;
    let mut say = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && !words.iter().any(|known| known == text) {
            words.push(text.to_owned());
        }
    };
    if let Ok(Json::Object(fields)) = serde_json::from_slice::<Json>(body) {
        for (name, value) in &fields {
            match (name.to_ascii_lowercase().as_str(), value) {
                ("message" | "exceptionmessage" | "error" | "errormessage", Json::String(text)) => say(text),
                ("modelstate", Json::Object(state)) => {
                    for (place, texts) in state {
                        let place = place.split_once('.').map(|(_, place)| place);
                        field = field.or_else(|| place.map(str::to_owned));
                        for text in texts.as_array().into_iter().flatten().filter_map(Json::as_str) {
                            say(&place.map_or_else(|| text.to_owned(), |place| format!("{place}: {text}")));
                        }
                    }
                }
                _ => {}
            }
        }
    } else {
        // An HTML page of a proxy says nothing that helps.
        let text = String::from_utf8_lossy(body);
        if !text.trim_start().starts_with('<') {
            say(&text);
        }
    }
    let message = if words.is_empty() { status.canonical_reason().unwrap_or("no words").to_owned() } else { words.join("; ") };
    Refusal { code: status.as_u16().to_string(), message: message.chars().take(LONGEST_REFUSAL).collect(), field, partly: false }
}

/// A field as text, the way ids and keys are compared: a text as it is, a number by its digits.
pub(super) fn text(record: &Json, field: &str) -> Option<String> {
    match record.get(field)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a text is an id of V1's: digits, and not more than an id can have.
pub(super) fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_refusals_are_read_and_a_page_is_not_kept() {
        let said = |body: &str| refusal(StatusCode::BAD_REQUEST, body.as_bytes());
        assert_eq!(said(r#"{"message":"Order is locked"}"#).message, "Order is locked");
        let state = said(r#"{"Message":"The request is invalid.","ModelState":{"apiOrder.orderDate":["An error has occurred."]}}"#);
        assert_eq!(
            (state.message.as_str(), state.field.as_deref()),
            ("The request is invalid.; orderDate: An error has occurred.", Some("orderDate"))
        );
        assert_eq!(said("<html>bad gateway</html>").message, "Bad Request");
        assert_eq!(said("").code, "400");
        assert_eq!(said(&"x".repeat(5000)).message.len(), LONGEST_REFUSAL);
    }
}
