//! Times in arguments and in output: one parser for every argument, and ages for tables.

use std::str::FromStr;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::store::Millis;

/// A point of time in an argument: `2h` (so long ago), `2026-11-01`, `2026-11-01T08:00`, `2026-11-01T08:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Ago(SignedDuration),
    At(Timestamp),
}

impl When {
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            When::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
            When::At(at) => at,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let local = |at: civil::DateTime| at.to_zoned(TimeZone::UTC).map(|at| at.timestamp());
        if let Ok(time) = lasting(text) {
            return Ok(When::Ago(time));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(When::At(at));
        }
        // Without a zone: UTC, as every time that is printed. A date is its beginning.
        let at = text.parse::<civil::DateTime>().or_else(|_| text.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0)));
        match at.and_then(local) {
            Ok(at) => Ok(When::At(at)),
            Err(_) => Err(format!("`{text}` is not a time: write 2h, 7d, 2026-11-01 or 2026-11-01T08:00:00Z")),
        }
    }
}

/// A length of time in an argument: `30m`, `2h`, `7d`, `1h 30m`, `2 days`. A day has 24 hours, a week 7 days.
///
/// # Errors
/// It is no length of time, or not longer than nothing.
pub(super) fn lasting(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` is not a length of time: write 30m, 2h or 7d");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if time.is_positive() { Ok(time) } else { Err(format!("`{text}` is not more than zero: write 30m, 2h or 7d")) }
}

/// How long something is: `now`, `12 min`, `5 h`, `3 days`.
pub(super) fn age(millis: Millis) -> String {
    let minutes = millis / 60_000;
    match minutes {
        ..1 => "now".to_owned(),
        1..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// When a deadline is, seen from now: `in 5 h`, `12 min late`.
pub(super) fn until(before: Millis, now: Millis) -> String {
    if before >= now {
        match age(before - now).as_str() {
            "now" => "now".to_owned(),
            age => format!("in {age}"),
        }
    } else {
        match age(now - before).as_str() {
            "now" => "now".to_owned(),
            age => format!("{age} late"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn lengths_and_points_of_time_are_read_by_one_parser() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (text, at) in [
            ("2h", "2026-11-20T10:00:00Z"),
            ("7d", "2026-11-13T12:00:00Z"),
            ("1w", "2026-11-13T12:00:00Z"),
            ("90m", "2026-11-20T10:30:00Z"),
            ("1h 30m", "2026-11-20T10:30:00Z"),
            ("2 days", "2026-11-18T12:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T08:00", "2026-11-01T08:00:00Z"),
            ("2026-11-01 08:00:00", "2026-11-01T08:00:00Z"),
            ("2026-11-01T08:00:00+02:00", "2026-11-01T06:00:00Z"),
        ] {
            assert_eq!(text.parse::<When>().unwrap().at(now).to_string(), at, "{text}");
        }
        for text in ["", "soon", "-2h", "0m", "2026-13-01", "7", "1 month"] {
            let error = text.parse::<When>().unwrap_err();
            assert!(error.contains("write 2h, 7d"), "{text}: {error}");
        }
    }

    #[test]
    fn ages_are_short() {
        let minute = 60_000;
        for (millis, text) in
            [(0, "now"), (59_000, "now"), (minute, "1 min"), (119 * minute, "119 min"), (120 * minute, "2 h"), (72 * 60 * minute, "3 days")]
        {
            assert_eq!(age(millis), text);
        }
        assert_eq!((until(5 * minute, 0), until(0, 5 * minute), until(0, 0)), ("in 5 min".into(), "5 min late".into(), "now".into()));
    }
}
