//! `window` and `bucket`: how many calls are taken.

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

/// So many calls at once, and one more each so often.
#[derive(Debug, Clone)]
pub struct Bucket {
    burst: i64,
    refill: i64,
    /// What is left, in milliseconds of refilling.
    left: i64,
    at: Option<Timestamp>,
}

impl Bucket {
    pub fn new(burst: u32, refill_ms: i64) -> Self {
        let refill = refill_ms.max(1);
        Bucket { burst: i64::from(burst), refill, left: i64::from(burst) * refill, at: None }
    }

    /// Takes a call out.
    ///
    /// # Errors
    /// It is empty: how long until there is one again.
    pub fn call(&mut self, now: Timestamp) -> Result<(), SignedDuration> {
        let passed = self.at.map_or(0, |at| i64::try_from(now.duration_since(at).as_millis()).unwrap_or(i64::MAX).max(0));
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.left = self.left.saturating_add(passed).min(self.burst * self.refill);
        if self.left < self.refill {
            return Err(SignedDuration::from_millis(self.refill - self.left));
        }
        self.left -= self.refill;
        Ok(())
    }
}
