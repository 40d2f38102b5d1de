//! The real transport: reqwest over rustls with ring.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;

use super::{Broken, Request, Response, Transport};

/// The longest answer that is taken, in bytes.
const LONGEST: usize = 256 << 20;

/// A client that follows no redirects, verifies certificates always, and retries nothing.
#[derive(Debug, Clone)]
pub struct Net {
    client: reqwest::Client,
}

impl Net {
    /// `timeout` is for a whole call: what has no answer by then may still be done.
    ///
    /// # Errors
    /// The machine's certificates cannot be used.
    pub fn new(timeout: Duration) -> Result<Self, Broken> {
        // Installed once a process; a second time changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("crossdock/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Broken::NotSent(chain(&error)))?;
        Ok(Net { client })
    }
}

#[async_trait]
impl Transport for Net {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let request = reqwest::Request::try_from(request).map_err(|error| Broken::NotSent(chain(&error)))?;
        let mut answer = self.client.execute(request).await.map_err(|error| broken(&error))?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = bytes::BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| Broken::Lost(chain(&error)))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Broken::TooLong(LONGEST));
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body.freeze()).map_err(|error| Broken::Lost(error.to_string()))
    }
}

/// A connection that never stood carried nothing; anything later may have been done.
fn broken(error: &reqwest::Error) -> Broken {
    if error.is_connect() || error.is_builder() { Broken::NotSent(chain(error)) } else { Broken::Lost(chain(error)) }
}

/// An error with its causes; never its URL, which may hold what is secret.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "it took too long".to_owned() } else { "the connection failed".to_owned() };
    let mut cause = error.source();
    while let Some(found) = cause {
        text = format!("{text}: {found}");
        cause = found.source();
    }
    text
}
