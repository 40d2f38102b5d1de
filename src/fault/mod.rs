//! Faults: how an external system fails, and what each kind means for the request.
//!
//! A connector turns the answers of a system into faults; no code above it looks at a status code. The main question is whether the
//! system may have acted: only then is a write in doubt.

pub mod file;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a call, or one item of a batch, did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The system asked to wait. Nothing was done, and it costs the record no attempt.
    #[error("the limit of calls is reached: {reason}")]
    Throttled {
        /// Where the system said when.
        until: Option<Timestamp>,
        reason: String,
    },
    /// Nothing was done, and the same may succeed later: a name that did not resolve, a refused
    /// connection, a locked row, a system that says it is down before it acts.
    #[error("{reason}")]
    Transient {
        reason: String,
        /// No byte of the request went out: no request reaches the system.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsent: bool,
    },
    /// The record has changed at the target since it was read: read it again, map it again.
    #[error("the record was changed meanwhile: {reason}")]
    Conflict {
        reason: String,
        /// As of a [`Refusal`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partly: bool,
    },
    /// The target will not take this, however often it is sent. Its own words are kept.
    #[error("{0}")]
    Rejected(Refusal),
    /// The credentials are wrong or expired, or may not do this. Everything on the connection waits.
    #[error("the sign-in was refused: {reason}")]
    Denied { reason: String },
    /// It was sent, and whether it was done is not known: a lost connection after the first byte, a
    /// time-out, a 5xx, an item that is missing from a batch's answer.
    #[error("the outcome is not known: {reason}")]
    Ambiguous { reason: String },
    /// The whole batch was refused as a whole (a 4xx): one of its items is to blame, which one is not said.
    #[error("the batch was refused: {0}")]
    BatchRefused(Refusal),
}

/// The target's own words.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// The system's code, or the HTTP status where it has none.
    pub code: String,
    pub message: String,
    /// The field that it names.
    pub field: Option<String>,
    /// A write takes several calls, and some were carried out before this refusal: what its record holds is not known.
    #[serde(default)]
    pub partly: bool,
}

impl Fault {
    pub fn transient(reason: impl Into<String>) -> Self {
        Fault::Transient { reason: reason.into(), unsent: false }
    }

    /// The request was not sent: the name did not resolve, the connection or its TLS was refused.
    pub fn unsent(reason: impl Into<String>) -> Self {
        Fault::Transient { reason: reason.into(), unsent: true }
    }

    pub fn ambiguous(reason: impl Into<String>) -> Self {
        Fault::Ambiguous { reason: reason.into() }
    }

    pub fn rejected(code: impl Into<String>, message: impl Into<String>, field: Option<String>) -> Self {
        Fault::Rejected(Refusal { code: code.into(), message: message.into(), field, partly: false })
    }

    pub fn conflict(reason: impl Into<String>) -> Self {
        Fault::Conflict { reason: reason.into(), partly: false }
    }

    /// Whether a read that failed so may go through when it is asked again.
    pub fn may_pass(&self) -> bool {
        matches!(self, Fault::Throttled { .. } | Fault::Transient { .. } | Fault::Ambiguous { .. } | Fault::Denied { .. })
    }

    /// The class by its word, as logs and metrics have it.
    pub fn class(&self) -> &'static str {
        match self {
            Fault::Throttled { .. } => "throttled",
            Fault::Transient { .. } => "transient",
            Fault::Conflict { .. } => "conflict",
            Fault::Rejected(_) | Fault::BatchRefused(_) => "rejected",
            Fault::Denied { .. } => "denied",
            Fault::Ambiguous { .. } => "ambiguous",
        }
    }
}
