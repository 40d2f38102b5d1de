//! V1's time: what a clock on a wall in Los Angeles shows, without an offset.
//!
//! Once a year an hour is shown twice, and nothing in an answer says which of the two is meant. So a
//! time in it is taken for the hour's very beginning: then no change looks older than one that was
//! made before it, and a poll that begins in the hour begins before both.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// The zone that V1's requirements page names as PST/PDT.
const ZONE: &str = "America/Los_Angeles";

#[derive(Debug, Clone)]
pub(super) struct Pacific(TimeZone);

impl Pacific {
    pub(super) fn new() -> Result<Self, jiff::Error> {
        TimeZone::get(ZONE).map(Pacific)
    }

    /// A time as V1 prints it: `2015-06-29T08:46:27.0000000`, `2014-10-03T06:51:33.627`.
    pub(super) fn read(text: &str) -> Option<DateTime> {
        let text = text.trim();
        // A date alone stands for no moment.
        text.contains(['T', ' ']).then(|| text.parse().ok()).flatten()
    }

    /// A time as V1's filters take it; fractions of a second are cut off.
    pub(super) fn print(local: DateTime) -> String {
        format!("{} {:02}:{:02}:{:02}", local.date(), local.hour(), local.minute(), local.second())
    }

    /// The earliest moment that a time can stand for.
    pub(super) fn moment(&self, local: DateTime) -> Option<Timestamp> {
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(hour(local)).ok(),
            _ => self.0.to_ambiguous_timestamp(local).compatible().ok(),
        }
    }

    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        at.to_zoned(self.0.clone()).datetime()
    }

    /// Whether the clock shows this time twice.
    pub(super) fn twice(&self, local: DateTime) -> bool {
        matches!(self.0.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Fold { .. })
    }

    /// RFC 3339 in UTC, with as many digits each time, so that texts sort as moments do.
    pub(super) fn stamp(&self, text: &str) -> Option<String> {
        Some(format!("{:.9}", self.moment(Self::read(text)?)?))
    }

    /// Where a poll begins that goes on from `seen`: the overlap earlier, and before the hour that is shown twice
    /// where either lies in it. What is sent to V1 is never in that hour itself, since V1 might take it for the later.
    pub(super) fn before(&self, seen: DateTime, overlap: SignedDuration) -> DateTime {
        let early = self.moment(seen).and_then(|at| at.checked_sub(overlap).ok()).map_or(seen, |at| self.local(at));
        self.once(early)
    }

    /// The time itself, or the last one before the hour that is shown twice.
    pub(super) fn once(&self, local: DateTime) -> DateTime {
        if self.twice(local) { seconds_later(hour(local), -1) } else { local }
    }
}

/// Los Angeles goes back from 02:00 to 01:00, so what is shown twice is a whole hour.
fn hour(local: DateTime) -> DateTime {
    DateTime::from_parts(local.date(), jiff::civil::Time::constant(local.hour(), 0, 0, 0))
}

/// The second that a time lies in.
pub(super) fn second(local: DateTime) -> DateTime {
    DateTime::from_parts(local.date(), jiff::civil::Time::constant(local.hour(), local.minute(), local.second(), 0))
}

pub(super) fn seconds_later(local: DateTime, seconds: i64) -> DateTime {
    local.saturating_add(seconds.seconds())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

    use super::*;

    fn stamp(text: &str) -> String {
        Pacific::new().unwrap().stamp(text).unwrap()
    }

    fn before(seen: &str, minutes: i64) -> String {
        let pacific = Pacific::new().unwrap();
        Pacific::print(pacific.before(Pacific::read(seen).unwrap(), SignedDuration::from_mins(minutes)))
    }

    #[test]
    fn summer_and_winter_have_their_offsets() {
        assert_eq!(stamp("2015-06-29T08:46:27.0000000"), "2015-06-29T15:46:27.000000000Z");
        assert_eq!(stamp("2014-12-03 06:51:33.627"), "2014-12-03T14:51:33.627000000Z");
        assert!(Pacific::read("2014-12-03").is_none() && Pacific::read("yesterday T").is_none());
    }

    #[test]
    fn stamps_sort_as_moments_do() {
        assert!(stamp("2015-06-29T08:46:27") < stamp("2015-06-29T08:46:27.5"));
    }

    #[test]
    fn in_the_hour_that_comes_twice_no_change_looks_older_than_one_before_it() {
        // 01:50 in summer time, and twenty minutes later 01:10 in winter time.
        assert_eq!(stamp("2026-11-01T01:50:00"), "2026-11-01T08:00:00.000000000Z");
        assert!(stamp("2026-11-01T01:10:00") >= stamp("2026-11-01T01:50:00"));
        assert!(stamp("2026-11-01T00:59:59.9") < stamp("2026-11-01T01:10:00"));
        assert!(stamp("2026-11-01T01:59:59") < stamp("2026-11-01T02:00:00"));
        assert_eq!(stamp("2026-11-01T02:00:00"), "2026-11-01T10:00:00.000000000Z");
    }

    #[test]
    fn a_poll_begins_before_both_hours() {
        assert_eq!(before("2026-11-01T01:50:00", 5), "2026-11-01 00:55:00");
        assert_eq!(before("2026-11-01T01:50:00", 0), "2026-11-01 00:59:59");
        assert_eq!(before("2026-11-01T02:03:00", 5), "2026-11-01 00:59:59");
        assert_eq!(before("2026-11-01T02:10:00", 5), "2026-11-01 02:05:00");
        assert_eq!(before("2026-07-01T00:02:00", 5), "2026-06-30 23:57:00");
    }

    #[test]
    fn the_hour_that_is_left_out_in_march_does_not_stop_a_poll() {
        assert_eq!(before("2026-03-08T03:02:00", 5), "2026-03-08 01:57:00");
        assert_eq!(stamp("2026-03-08T02:30:00"), "2026-03-08T10:30:00.000000000Z");
    }
}
