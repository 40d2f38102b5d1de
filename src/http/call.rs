//! What one call of a connector did on the wire, for the audit trail.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::base::bounds;

/// When an answer was made, by the clock of the system that made it (RFC 9110, 6.6.1), to the second.
pub fn date(headers: &http::HeaderMap) -> Option<Timestamp> {
    let text = headers.get(http::header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp())
}

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
    /// Bytes of bodies that are noted.
    noted: AtomicUsize,
    /// Bytes of all answers.
    answered: AtomicUsize,
    too_long: AtomicBool,
}

impl Call {
    /// Notes an exchange. Beyond [`bounds::NOTED`] bytes of a call the bodies are left out: a long chain of answers is not to
    /// be held until its end.
    pub fn note(&self, mut exchange: Exchange) {
        let length = exchange.request.len() + exchange.response.len();
        if self.noted.fetch_add(length, Ordering::Relaxed) + length > bounds::NOTED {
            (exchange.request, exchange.response) = (Bytes::new(), Bytes::new());
        }
        self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(exchange);
    }

    /// Counts the bytes of an answer. `false`: those of this call are more than is taken.
    pub fn takes(&self, bytes: usize) -> bool {
        self.answered.fetch_add(bytes, Ordering::Relaxed) + bytes <= bounds::CALL_ANSWERS
    }

    /// Bytes of all answers so far.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// An answer was longer than is taken: asking for less may help.
    pub fn note_too_long(&self) {
        self.too_long.store(true, Ordering::Relaxed);
    }

    /// Whether an answer was longer than is taken since this was asked last.
    pub fn was_too_long(&self) -> bool {
        self.too_long.swap(false, Ordering::Relaxed)
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
