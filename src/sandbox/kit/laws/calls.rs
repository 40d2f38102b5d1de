//! `window`: how many calls are taken.

use jiff::{SignedDuration, Timestamp};

/// So many calls within a window, which begins with the first call after the last one.
#[derive(Debug, Clone)]
pub struct Window {
    calls: u32,
    length: SignedDuration,
    began: Option<Timestamp>,
    made: u32,
    most: u32,
}

impl Window {
    pub fn new(calls: u32, seconds: i64) -> Self {
        Window { calls, length: SignedDuration::from_secs(seconds), began: None, made: 0, most: 0 }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// It is one too many: how long the window is still open.
    pub fn call(&mut self, now: Timestamp) -> Result<(), SignedDuration> {
        if self.began.is_none_or(|began| now.duration_since(began) >= self.length) {
            (self.began, self.made) = (Some(now), 0);
        }
        self.made += 1;
        self.most = self.most.max(self.made);
        let open = self.length - now.duration_since(self.began.unwrap_or(now));
        if self.made > self.calls { Err(open) } else { Ok(()) }
    }

    /// The most calls that were made in one window.
    pub fn most(&self) -> u32 {
        self.most
    }
}
