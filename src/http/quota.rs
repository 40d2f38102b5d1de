//! Limits that hold beside each other: windows and buckets, of all calls or of one operation.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::limit::{Window, add};

/// What a call costs. It is an extension of the request; without one a call costs one unit, and is of no operation in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The operation that a limit may be of: `orders`.
    pub operation: Cow<'static, str>,
    /// In the units of the system's credits. Windows and buckets count calls, whatever they cost.
    pub units: u32,
}

impl Cost {
    /// One call of no operation in particular.
    pub const CALL: Cost = Cost { operation: Cow::Borrowed(""), units: 1 };
}

/// A limit of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The operation that it is of; absent: of all calls.
    pub operation: Option<String>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// So many calls until it begins anew: a minute, a day.
    Window(Window),
    /// It holds `burst` calls, and gets one back each `refill`.
    Bucket { burst: u32, refill: SignedDuration },
    /// It holds `most` units, of which a call takes as many as it [costs](Cost), and gets one back each `refill`. What is left is
    /// [told](super::Limit::told) by the answers.
    Credits { most: u32, refill: SignedDuration },
}

impl Kind {
    /// Of what fills again: how much it holds, and how long one of it takes. `None`: it is a window.
    fn fills(self) -> Option<(u32, SignedDuration)> {
        match self {
            Kind::Window(_) => None,
            Kind::Bucket { burst: most, refill } | Kind::Credits { most, refill } => Some((most, refill)),
        }
    }
}

/// How far a rule is used up.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    rule: Rule,
    /// Of a window: what is left of it, and when it ends; absent before its first call.
    left: u32,
    ends: Option<Timestamp>,
    /// Of what fills again: when it is full.
    full: Option<Timestamp>,
}

impl Quota {
    pub(super) fn new(rule: Rule) -> Self {
        let left = match rule.kind {
            Kind::Window(window) => window.calls,
            Kind::Bucket { .. } | Kind::Credits { .. } => 0,
        };
        Quota { rule, left, ends: None, full: None }
    }

    /// How much a call takes of it.
    fn taken(&self, cost: &Cost) -> u32 {
        if matches!(self.rule.kind, Kind::Credits { .. }) { cost.units } else { 1 }
    }

    fn is_of(&self, cost: &Cost) -> bool {
        self.rule.operation.as_deref().is_none_or(|operation| operation == cost.operation)
    }

    /// When a call of this cost may go out: `now`, or later.
    pub(super) fn ready_at(&self, now: Timestamp, cost: &Cost) -> Timestamp {
        if !self.is_of(cost) {
            return now;
        }
        match self.rule.kind.fills() {
            None => self.ends.filter(|ends| self.left == 0 && *ends > now).unwrap_or(now),
            Some((most, refill)) => {
                // A call that costs more than it ever holds goes when it is full.
                let spare = refill.saturating_mul(i32::try_from(most.saturating_sub(self.taken(cost))).unwrap_or(i32::MAX));
                self.full.map_or(now, |full| full.saturating_sub(spare).unwrap_or(now)).max(now)
            }
        }
    }

    /// How many calls of one unit may go out now.
    pub(super) fn left(&self, now: Timestamp) -> u32 {
        if self.rule.operation.is_some() {
            return u32::MAX;
        }
        match self.rule.kind {
            Kind::Window(window) => self.ends.filter(|ends| *ends > now).map_or(window.calls, |_| self.left),
            Kind::Bucket { burst: most, refill } | Kind::Credits { most, refill } => {
                let empty = self.full.map_or(SignedDuration::ZERO, |full| full.duration_since(now)).max(SignedDuration::ZERO);
                let refill = refill.as_millis().max(1);
                let used = (empty.as_millis() + refill - 1) / refill;
                most.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
            }
        }
    }

    /// A call goes out.
    pub(super) fn take(&mut self, now: Timestamp, cost: &Cost) {
        if !self.is_of(cost) {
            return;
        }
        match self.rule.kind {
            Kind::Window(window) => {
                if self.ends.is_none_or(|ends| ends <= now) {
                    (self.left, self.ends) = (window.calls, Some(add(now, window.length)));
                }
                self.left = self.left.saturating_sub(1);
            }
            Kind::Bucket { refill, .. } | Kind::Credits { refill, .. } => {
                let full = self.full.map_or(now, |full| full.max(now));
                self.full = Some(add(full, refill.saturating_mul(i32::try_from(self.taken(cost)).unwrap_or(i32::MAX))));
            }
        }
    }

    /// The system said how many credits are left of those of an operation. What it says counts, also where it is more than was thought: a
    /// call may have cost less than was expected. Limits on calls are another matter.
    pub(super) fn told(&mut self, now: Timestamp, operation: Option<&str>, left: u32) {
        if self.rule.operation.as_deref() != operation {
            return;
        }
        if let Kind::Credits { most, refill } = self.rule.kind {
            let used = most.saturating_sub(left);
            self.full = Some(add(now, refill.saturating_mul(i32::try_from(used).unwrap_or(i32::MAX))));
        }
    }

    /// The wall clock was set: what had half a minute left has it still.
    pub(super) fn moved(&mut self, moved: impl Fn(Timestamp) -> Timestamp) {
        self.ends = self.ends.map(&moved);
        self.full = self.full.map(&moved);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::http::Limit;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn of(operation: &'static str, units: u32) -> Cost {
        Cost { operation: operation.into(), units }
    }

    fn window(operation: Option<&str>, calls: u32, seconds: i64) -> Rule {
        Rule { operation: operation.map(str::to_owned), kind: Kind::Window(Window { calls, length: SignedDuration::from_secs(seconds) }) }
    }

    fn bucket(operation: Option<&str>, burst: u32, refill: i64) -> Rule {
        Rule { operation: operation.map(str::to_owned), kind: Kind::Bucket { burst, refill: SignedDuration::from_secs(refill) } }
    }

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let limit = Limit::of(vec![bucket(None, 3, 10)], None);
        assert_eq!(limit.left(at(0)), 3);
        for _ in 0..3 {
            assert_eq!(limit.ready_at(at(0)), at(0));
            limit.take(at(0));
        }
        assert_eq!((limit.left(at(0)), limit.ready_at(at(0))), (0, at(10)));
        limit.take(at(10));
        assert_eq!((limit.ready_at(at(10)), limit.left(at(19)), limit.left(at(25)), limit.left(at(99))), (at(20), 0, 1, 3));
    }

    #[test]
    fn a_call_that_costs_more_waits_longer_and_what_is_told_counts() {
        let credits = Rule { operation: Some("search".to_owned()), kind: Kind::Credits { most: 10, refill: SignedDuration::from_secs(1) } };
        let limit = Limit::of(vec![credits], None);
        limit.take_for(at(0), &of("search", 8));
        assert_eq!(limit.ready_for(at(0), &of("search", 2)), at(0));
        assert_eq!(limit.ready_for(at(0), &of("search", 5)), at(3));
        assert_eq!(limit.ready_for(at(0), &of("search", 50)), at(8), "more than it ever holds goes when it is full");
        assert_eq!(limit.ready_for(at(0), &of("orders", 5)), at(0), "another operation has its own");
        // It cost less than was expected.
        limit.told(at(1), Some("search"), 9);
        assert_eq!(limit.ready_for(at(1), &of("search", 9)), at(1));
        limit.told(at(1), Some("search"), 0);
        assert_eq!(limit.ready_for(at(1), &of("search", 1)), at(2));
    }

    /// What is left of the credits says nothing of how many calls a day has, or of how many go at once.
    #[test]
    fn credits_that_are_told_leave_limits_on_calls_as_they_are() {
        let credits = Rule { operation: None, kind: Kind::Credits { most: 1_000, refill: SignedDuration::from_secs(1) } };
        let limit = Limit::of(vec![window(None, 3, 86_400), bucket(None, 2, 10), credits], None);
        limit.answered(at(0), true);
        limit.take_for(at(0), &of("", 500));
        limit.take_for(at(0), &of("", 400));
        limit.told(at(0), None, 950);
        assert_eq!(limit.ready_for(at(0), &of("", 900)), at(10), "the bucket is empty, though credits are left");
        limit.take_for(at(10), &of("", 1));
        assert_eq!(limit.ready_for(at(99), &of("", 1)), at(86_400), "the day is used up");
    }

    #[test]
    fn all_limits_hold_together() {
        let limit = Limit::of(vec![window(None, 4, 60), window(None, 5, 86_400), bucket(Some("search"), 1, 30)], None);
        limit.answered(at(0), true);
        limit.take_for(at(0), &of("search", 1));
        assert_eq!((limit.ready_for(at(0), &of("search", 1)), limit.ready_at(at(0))), (at(30), at(0)));
        for _ in 0..3 {
            limit.take(at(1));
        }
        assert_eq!(limit.ready_at(at(2)), at(60), "the minute is used up");
        limit.take(at(60));
        assert_eq!((limit.left(at(60)), limit.ready_at(at(61))), (0, at(86_400)), "and then the day");
    }

    #[test]
    fn a_clock_that_is_set_gives_nothing_back_and_takes_nothing() {
        let limit = Limit::of(vec![bucket(None, 1, 60)], None);
        let follow = |wall: i64, steady: i64| limit.follow(&crate::http::Moment { wall: at(wall), steady: steady * 1_000, boot: None });
        follow(0, 0);
        limit.take(at(0));
        follow(3_610, 10);
        assert_eq!(limit.ready_at(at(3_610)), at(3_660));
        follow(20, 20);
        assert_eq!(limit.ready_at(at(20)), at(60));
    }

    #[tokio::test]
    async fn no_more_calls_are_out_at_once_than_are_allowed() {
        let limit = Limit::of(Vec::new(), Some(2));
        assert_eq!(limit.left(at(0)), 2);
        let (first, second) = (limit.room().await, limit.room().await);
        let third = limit.room();
        let mut third = std::pin::pin!(third);
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(first);
        assert!(futures::poll!(third.as_mut()).is_ready());
        drop(second);
    }
}
