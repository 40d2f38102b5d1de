//! HTTP as values: requests and answers, what carries them, limits, and secrets that do not print.
//!
//! A connector makes [`Request`]s and reads [`Response`]s; [`Transport`] carries them. The real one
//! is [`net::Net`] (reqwest, rustls); the simulator and the sandbox's own tests have theirs.

mod address;
mod call;
pub mod caller;
mod client;
mod clock;
pub mod limit;
pub mod net;
mod quota;
pub mod redact;
mod secret;
pub mod server;
pub mod sign;
pub mod verify;

pub use address::address;
pub use call::{Call, Exchange, date};
pub use client::{Client, SecretParameters};
pub use clock::{Clock, Moment, SystemClock};
pub use limit::{Limit, Window};
pub use quota::{Cost, Kind as LimitKind, Rule};
pub use secret::Secret;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use crate::base::bounds;

pub type Request = http::Request<Bytes>;
pub type Response = http::Response<Bytes>;

/// Carries one request to where its URL points and brings the answer. No redirects are followed and
/// nothing is retried: what a failure means is for those who asked.
#[async_trait]
pub trait Transport: Send + Sync {
    async fn send(&self, request: Request) -> Result<Response, Broken>;
}

/// What an answer may be: how long, and how long it may take. It is an extension of the request; without one it goes by the
/// request's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A token, or an error.
    SignIn,
    /// A page of records, a description.
    Read,
    /// What became of the items of a write.
    Write,
    /// So many bytes went out. They take longer.
    Upload,
    /// Results that repeat what was sent: so many bytes.
    Echo(usize),
}

impl Answer {
    fn of(method: &http::Method) -> Self {
        if method == http::Method::GET { Answer::Read } else { Answer::Write }
    }

    /// The longest body that is taken, in bytes.
    pub fn most(self) -> usize {
        match self {
            Answer::SignIn => bounds::SIGN_IN_ANSWER,
            Answer::Read => bounds::READ_ANSWER,
            Answer::Write | Answer::Upload => bounds::WRITE_ANSWER,
            // Each value comes back with quotes, and with what became of it.
            Answer::Echo(sent) => sent.saturating_mul(3).saturating_add(bounds::ECHO_ANSWER),
        }
    }

    /// The longest that the whole call may take, where others take `usual`.
    fn time(self, usual: Duration) -> Duration {
        match self {
            Answer::SignIn => usual.min(bounds::SIGN_IN_TIME),
            Answer::Read | Answer::Write => usual,
            Answer::Upload | Answer::Echo(_) => usual.max(bounds::BULK_TIME),
        }
    }
}

/// How a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Not a byte of it went out: the name did not resolve, the connection or its TLS was refused.
    #[error("it could not be sent: {0}")]
    NotSent(String),
    /// It went out, in whole or in part, and no whole answer came: it may have been done.
    #[error("no answer came: {0}")]
    Lost(String),
    /// The answer is longer than is taken. It was done.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}
