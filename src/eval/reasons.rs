//! Built-in reasons: the closed list of reasons for which a record is rejected without a rule of the author.

use super::Reason;
use super::evaluator::EvalError;
use crate::builtin::Refusal;
use crate::value::compare;

pub(super) fn built_in(kind: &'static str, message: impl Into<String>, field: Option<String>) -> EvalError {
    Box::new(Reason { message: message.into(), kind, review: false, owner: None, before: None, field, place: None })
}

/// What is said of a field that its schema says is always there.
pub(super) const BLANK: &str = "is blank, and the schema says that it is always there";

/// Whether a reason tells that a field is blank which may not be.
pub(super) fn is_blank(reason: &Reason) -> bool {
    reason.kind == "source_misfit" && reason.message.ends_with(BLANK)
}

pub(super) fn limit(message: impl Into<String>) -> EvalError {
    built_in("limit", message, None)
}

pub(super) fn refused(refusal: Refusal) -> EvalError {
    let kind = match &refusal {
        Refusal::TooLarge => "number_too_large",
        Refusal::TooLong { .. } | Refusal::TooMany { .. } => "limit",
        Refusal::Currencies { .. } => "currencies",
        Refusal::Unchecked { .. } => "defect",
    };
    built_in(kind, refusal.to_string(), None)
}

pub(super) fn currencies(error: compare::Currencies) -> EvalError {
    refused(error.into())
}

/// Says where a computation went wrong, if its reason does not say it yet.
pub(super) fn located(mut halt: EvalError, name: &str) -> EvalError {
    if halt.field.is_none() && matches!(halt.kind, "number_too_large" | "currencies" | "limit" | "defect") {
        halt.message = format!("{name}: {}", halt.message);
        halt.field = Some(name.to_owned());
    }
    halt
}
