//! Requests taken apart, answers put together.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::refusal::Refusal;
use crate::http::Response;
use crate::value::Json;

const JSON: &str = "application/json;charset=UTF-8";

/// A request below `/services/data/vNN.N/`.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// `62.0`
    pub(super) version: String,
    /// The path's steps behind the version, decoded.
    pub(super) steps: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl<'a> Ask<'a> {
    /// # Errors
    /// There is no such version, or the path is no text.
    pub(super) fn of(method: Method, path: &str, query: &str, headers: &'a HeaderMap, body: &'a [u8]) -> Result<Self, Refusal> {
        let rest = path.strip_prefix("/services/data/v").ok_or_else(Refusal::not_found)?;
        let mut steps = rest.trim_end_matches('/').split('/');
        let version = steps.next().filter(|version| is_version(version)).ok_or_else(Refusal::not_found)?.to_owned();
        let steps = steps.map(|step| decoded(step).ok_or_else(Refusal::not_found)).collect::<Result<_, _>>()?;
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // `_HttpMethod` is for clients that know only GET and POST.
        let method = match query.iter().find(|(name, _)| name == "_HttpMethod") {
            Some((_, word)) if method == Method::POST => Method::from_bytes(word.as_bytes()).unwrap_or(method),
            _ => method,
        };
        Ok(Ask { method, version, steps, query, headers, body })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// The method is not among those that the resource knows.
    pub(super) fn only(&self, methods: &[&str]) -> Result<(), Refusal> {
        if methods.contains(&self.method.as_str()) {
            return Ok(());
        }
        Err(Refusal::new("METHOD_NOT_ALLOWED", format!("HTTP Method '{}' not allowed. Allowed are {}", self.method, methods.join(","))))
    }

    /// # Errors
    /// The body is no JSON object.
    pub(super) fn json(&self) -> Result<serde_json::Map<String, Json>, Refusal> {
        if let Some(kind) = self.headers.get(http::header::CONTENT_TYPE)
            && !kind.to_str().is_ok_and(|kind| kind.starts_with("application/json"))
        {
            let message = "Content-Type header specified in HTTP request is not supported. Specify a supported content type such as application/json";
            return Err(Refusal::new("UNSUPPORTED_MEDIA_TYPE", message));
        }
        match serde_json::from_slice(self.body) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(Refusal::new("JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")),
            Err(error) if self.body.is_empty() => {
                let _ = error;
                Err(Refusal::new("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."))
            }
            Err(error) => Err(Refusal::new("JSON_PARSER_ERROR", format!("The request body is no JSON: {error}"))),
        }
    }
}

/// Versions that are served: the oldest that is not retired, and the one of Winter '27.
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=68;

/// `62.0`: one of [`VERSIONS`].
fn is_version(version: &str) -> bool {
    let number = version.strip_suffix(".0").filter(|number| number.len() == 2);
    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| VERSIONS.contains(&number))
}

/// `/services/data`: the versions with their releases, three a year from Winter '11 (20.0) on.
pub(super) fn versions() -> Answer {
    let one = |number: u32| {
        let (season, year) = (["Winter", "Spring", "Summer"][(number as usize - 20) % 3], 11 + (number - 20) / 3);
        json!({ "label": format!("{season} '{year}"), "url": format!("/services/data/v{number}.0"), "version": format!("{number}.0") })
    };
    Answer::json(200, &Json::Array(VERSIONS.map(one).collect()))
}

/// A step of a path with its `%` escapes read.
fn decoded(step: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(step.len());
    let mut rest = step.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    kind: &'static str,
    pub(super) body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Json) -> Self {
        Answer::printed(status, body.to_string().into_bytes())
    }

    /// JSON that is printed already.
    pub(super) fn printed(status: u16, body: Vec<u8>) -> Self {
        Answer { status, kind: JSON, body, headers: Vec::new() }
    }

    pub(super) fn csv(body: Vec<u8>) -> Self {
        Answer { status: 200, kind: "text/csv", body, headers: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Answer { status, kind: "", body: Vec::new(), headers: Vec::new() }
    }

    /// `fields`: writes name the fields even where there are none.
    pub(super) fn refused(refusal: &Refusal, fields: bool) -> Self {
        let mut body = refusal.body();
        if fields && refusal.fields.is_empty() && !matches!(refusal.status, 401 | 403 | 405 | 414 | 415) {
            body[0]["fields"] = json!([]);
        }
        Answer::json(refusal.status, &body)
    }

    /// Adds a header.
    pub(super) fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Bytes::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !self.kind.is_empty() {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// What stands below a version, and who asks.
pub(super) fn resources(version: &str, identity: &str) -> Answer {
    let at = |name: &str| format!("/services/data/v{version}/{name}");
    Answer::json(
        200,
        &json!({
            "sobjects": at("sobjects"), "query": at("query"), "queryAll": at("queryAll"), "composite": at("composite"),
            "jobs": at("jobs"), "limits": at("limits"), "identity": identity,
        }),
    )
}

pub(super) fn limits(max: u64, left: u64) -> Answer {
    Answer::json(
        200,
        &json!({
            "DailyApiRequests": { "Max": max, "Remaining": left },
            "DailyBulkApiBatches": { "Max": 15_000, "Remaining": 15_000 },
            "DailyBulkV2QueryJobs": { "Max": 10_000, "Remaining": 10_000 },
            "DataStorageMB": { "Max": 1024, "Remaining": 1024 },
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_not_retired_are_known() {
        assert!(is_version("31.0") && is_version("62.0") && is_version("68.0"));
        assert!(!is_version("30.0") && !is_version("69.0") && !is_version("62") && !is_version("62.1") && !is_version("x.0"));
        let listed: Json = serde_json::from_slice(&versions().body).unwrap_or_default();
        let label = |version: &str| listed.as_array()?.iter().find(|one| one["version"] == version)?["label"].as_str().map(str::to_owned);
        assert_eq!((label("62.0").as_deref(), label("63.0").as_deref(), label("69.0")), (Some("Winter '25"), Some("Spring '25"), None));
    }

    #[test]
    fn a_step_is_decoded_after_it_is_cut() {
        assert_eq!(decoded("a%2Fb+c%C3%A4"), Some("a/b+cä".to_owned()));
        assert_eq!(decoded("%zz"), None);
        assert_eq!(decoded("%ff"), None, "no UTF-8");
    }
}
