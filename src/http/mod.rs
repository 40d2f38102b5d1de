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
mod secret;
pub mod server;

pub use address::address;
pub use call::{Call, Exchange};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use limit::{Limit, Window};
pub use secret::Secret;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

pub type Request = http::Request<Bytes>;
pub type Response = http::Response<Bytes>;

/// Carries one request to where its URL points and brings the answer. No redirects are followed and
/// nothing is retried: what a failure means is for those who asked.
#[async_trait]
pub trait Transport: Send + Sync {
    async fn send(&self, request: Request) -> Result<Response, Broken>;
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
