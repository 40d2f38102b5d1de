//! What one call of a connector did on the wire, for the audit trail.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

/// One request and its answer, unmasked: it is masked before it is kept or printed anywhere.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub at: Timestamp,
    pub method: http::Method,
    /// Path and query, without the host.
    pub path: String,
    pub request: Bytes,
    /// Absent where no answer came.
    pub status: Option<u16>,
    pub response: Bytes,
    /// Why no answer came.
    pub broken: Option<String>,
    pub took: Duration,
}

/// Collects the exchanges of one call. Sign-ins are not among them: they hold nothing but secrets.
#[derive(Debug, Default)]
pub struct Call {
    exchanges: Mutex<Vec<Exchange>>,
}

impl Call {
    pub fn note(&self, exchange: Exchange) {
        self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(exchange);
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
