//! What the system says no with: `[{"message": …, "errorCode": …, "fields": […]}]`.

use crate::value::Json;
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<String>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let status = match code {
            "NOT_FOUND" | "ENTITY_IS_DELETED" | "INVALID_QUERY_LOCATOR" => 404,
            "METHOD_NOT_ALLOWED" => 405,
            "INVALID_SESSION_ID" => 401,
            "REQUEST_LIMIT_EXCEEDED" => 403,
            "URI_TOO_LONG" => 414,
            "UNSUPPORTED_MEDIA_TYPE" => 415,
            "NOT_IMITATED" => 501,
            _ => 400,
        };
        Refusal { status, code, message: message.into(), fields: Vec::new() }
    }

    pub(super) fn of(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    pub(super) fn not_found() -> Self {
        Refusal::new("NOT_FOUND", "The requested resource does not exist")
    }

    /// Salesforce has it, the sandbox has not.
    pub(super) fn not_imitated(what: &str) -> Self {
        Refusal::new("NOT_IMITATED", format!("{what} is not imitated by the sandbox"))
    }

    /// As the body of an answer.
    pub(super) fn body(&self) -> Json {
        let mut error = json!({ "message": self.message, "errorCode": self.code });
        if !self.fields.is_empty() {
            error["fields"] = json!(self.fields);
        }
        json!([error])
    }

    /// As a row's result has it.
    pub(super) fn row(&self) -> Json {
        json!({ "statusCode": self.code, "message": self.message, "fields": self.fields })
    }

    /// As a bulk job's results have it.
    pub(super) fn csv(&self) -> String {
        format!("{}:{}:{} --", self.code, self.message, self.fields.join(","))
    }
}
