//! `credits`: a call has to be affordable at what it may cost, and pays what it did cost.

use jiff::Timestamp;

/// What is left of an account's credits.
#[derive(Debug, Clone)]
pub struct Credits {
    most: i64,
    each_second: i64,
    /// In thousandths of a credit.
    left: i64,
    at: Option<Timestamp>,
}

/// Why a call is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    pub required: i64,
    pub remaining: i64,
    /// Seconds until there is enough; none where there never is.
    pub wait: Option<i64>,
}

impl Credits {
    pub fn new(most: i64, each_second: i64) -> Self {
        Credits { most, each_second: each_second.max(1), left: most.saturating_mul(1000), at: None }
    }

    fn refill(&mut self, now: Timestamp) {
        let passed = self.at.map_or(0, |at| i64::try_from(now.duration_since(at).as_millis()).unwrap_or(i64::MAX).max(0));
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.left = self.left.saturating_add(passed.saturating_mul(self.each_second)).min(self.most.saturating_mul(1000));
    }

    /// Whole credits that are left.
    pub fn remaining(&mut self, now: Timestamp) -> i64 {
        self.refill(now);
        self.left.div_euclid(1000)
    }

    pub fn most(&self) -> i64 {
        self.most
    }

    pub fn each_second(&self) -> i64 {
        self.each_second
    }

    /// Whether a call is affordable that may cost so much.
    ///
    /// # Errors
    /// It is not.
    pub fn ask(&mut self, required: i64, now: Timestamp) -> Result<(), Short> {
        let remaining = self.remaining(now);
        if required <= remaining {
            return Ok(());
        }
        let lacks = required - remaining;
        let wait = (required <= self.most).then(|| (lacks + self.each_second - 1).div_euclid(self.each_second));
        Err(Short { required, remaining, wait })
    }

    /// Takes what a call did cost.
    pub fn pay(&mut self, cost: i64, now: Timestamp) {
        self.refill(now);
        self.left = self.left.saturating_sub(cost.saturating_mul(1000)).max(0);
    }

    /// Takes everything: somebody else uses the same account.
    pub fn drain(&mut self, now: Timestamp) {
        self.refill(now);
        self.left = 0;
    }
}
