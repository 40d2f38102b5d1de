//! Salesforce's answers: limits, refusals, records.

use crate::fault::{Fault, Refusal};
use crate::http::Response;
use crate::value::Json;

/// Whether a call may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// `api-usage=18/5000`
pub(super) fn usage(header: &str) -> Option<(u64, u64)> {
    let (used, budget) = header.split(';').find_map(|part| part.trim().strip_prefix("api-usage="))?.split_once('/')?;
    Some((used.trim().parse().ok()?, budget.trim().parse().ok()?))
}

/// A read that got no answer has done nothing.
pub(super) fn passing(fault: Fault) -> Fault {
    match fault {
        Fault::Ambiguous { reason } => Fault::transient(reason),
        fault => fault,
    }
}

/// What an answer that is no success means. Its body is a list of `{message, errorCode, fields}`.
pub(super) fn refusal(response: &Response, kind: Kind) -> Fault {
    let status = response.status().as_u16();
    let told: Json = serde_json::from_slice(response.body()).unwrap_or_default();
    let first = told.as_array().and_then(|list| list.first()).unwrap_or(&told);
    let refusal = refused(first, &format!("HTTP {status}"));
    match (status, refusal.code.as_str()) {
        (401, _) | (_, "INVALID_SESSION_ID" | "API_DISABLED_FOR_ORG" | "INSUFFICIENT_ACCESS") => Fault::Denied { reason: refusal.message },
        (_, "REQUEST_LIMIT_EXCEEDED") | (429, _) => Fault::Throttled { until: None, reason: refusal.message },
        (_, "UNABLE_TO_LOCK_ROW" | "QUERY_TIMEOUT" | "SERVER_UNAVAILABLE") if status < 500 => Fault::transient(refusal.message),
        (403, _) => Fault::Denied { reason: refusal.message },
        // No redirect is followed: the credentials would go with it. It is told after a write as well as before.
        (300..=399, _) if kind == Kind::Write => Fault::ambiguous(format!("HTTP {status}: the org may not be where the sign-in said")),
        (300..=399, _) => Fault::Denied { reason: format!("HTTP {status}: the org is not where the sign-in said") },
        (500.., _) if kind == Kind::Write => Fault::ambiguous(format!("HTTP {status}: {}", refusal.message)),
        (500.., _) => Fault::transient(format!("HTTP {status}: {}", refusal.message)),
        // A request time-out of a gateway: it may be on its way still.
        (408, _) if kind == Kind::Write => Fault::ambiguous(format!("HTTP {status}")),
        (408, _) => Fault::transient(format!("HTTP {status}")),
        _ if kind == Kind::Write => Fault::BatchRefused(refusal),
        _ => Fault::Rejected(refusal),
    }
}

/// What the error of one row means.
pub(super) fn row(error: &Json) -> Fault {
    let refusal = refused(error, "UNKNOWN");
    match refusal.code.as_str() {
        "UNABLE_TO_LOCK_ROW" | "SERVER_UNAVAILABLE" | "QUERY_TIMEOUT" | "REQUEST_RUNNING_TOO_LONG" | "ALL_OR_NONE_OPERATION_ROLLED_BACK" => {
            Fault::transient(refusal.message)
        }
        "REQUEST_LIMIT_EXCEEDED" => Fault::Throttled { until: None, reason: refusal.message },
        "INSUFFICIENT_ACCESS_OR_READONLY" | "INVALID_SESSION_ID" => Fault::Rejected(refusal),
        _ => Fault::Rejected(refusal),
    }
}

fn refused(error: &Json, otherwise: &str) -> Refusal {
    let text = |name: &str| error.get(name).and_then(Json::as_str).map(str::to_owned);
    let code = text("errorCode").or_else(|| text("statusCode")).unwrap_or_else(|| otherwise.to_owned());
    let field = error.get("fields").and_then(Json::as_array).and_then(|fields| fields.first()).and_then(Json::as_str).map(str::to_owned);
    Refusal { message: text("message").unwrap_or_else(|| code.clone()), code, field, partly: false }
}

/// The parts of a describe that a schema is read from; the rest is layout.
pub(super) fn snapshot(described: &Json) -> Json {
    let pick = |from: &Json, names: &[&str]| {
        let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), from.get(*name)?.clone())));
        Json::Object(fields.collect())
    };
    let list = |name: &str, names: &[&str]| {
        let items = described.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        Json::Array(items.iter().map(|item| pick(item, names)).collect())
    };
    let mut out = pick(described, &["name", "label", "queryable", "createable", "updateable", "keyPrefix"]);
    let field = [
        "name",
        "label",
        "type",
        "length",
        "byteLength",
        "precision",
        "scale",
        "digits",
        "nillable",
        "createable",
        "updateable",
        "defaultedOnCreate",
        "externalId",
        "unique",
        "idLookup",
        "nameField",
        "autoNumber",
        "restrictedPicklist",
        "picklistValues",
        "referenceTo",
        "relationshipName",
        "calculated",
        "filterable",
        "compoundFieldName",
        "inlineHelpText",
        "encrypted",
        "autoNumber",
    ];
    if let Json::Object(fields) = &mut out {
        fields.insert("fields".to_owned(), list("fields", &field));
        fields.insert("childRelationships".to_owned(), list("childRelationships", &["childSObject", "field", "relationshipName"]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        let mut response = http::Response::new(bytes::Bytes::from(body.to_owned()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        response
    }

    #[test]
    fn each_refusal_has_its_class() {
        let error = |code: &str| format!(r#"[{{"message":"m","errorCode":"{code}","fields":["X"]}}]"#);
        let cases = [
            (401, error("INVALID_SESSION_ID"), Kind::Read, "denied"),
            (403, error("REQUEST_LIMIT_EXCEEDED"), Kind::Write, "throttled"),
            (400, error("MALFORMED_QUERY"), Kind::Read, "rejected"),
            (400, error("JSON_PARSER_ERROR"), Kind::Write, "rejected"),
            (302, String::new(), Kind::Read, "denied"),
            (307, String::new(), Kind::Write, "ambiguous"),
            (503, "<html>".to_owned(), Kind::Write, "ambiguous"),
            (503, "<html>".to_owned(), Kind::Read, "transient"),
        ];
        for (status, body, kind, class) in cases {
            assert_eq!(refusal(&answer(status, &body), kind).class(), class, "{status} {body}");
        }
        assert_eq!(row(&serde_json::json!({"statusCode": "UNABLE_TO_LOCK_ROW", "message": "m"})).class(), "transient");
        assert_eq!(row(&serde_json::json!({"statusCode": "STRING_TOO_LONG", "message": "m"})).class(), "rejected");
        assert_eq!(usage("api-usage=18/5000; per-app-api-usage=1/2"), Some((18, 5000)));
        assert_eq!(usage("x"), None);
    }
}
