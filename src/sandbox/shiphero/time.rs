//! Times as the API prints and reads them: UTC, without an offset, in whole seconds.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::value::Json;

/// `2025-01-03T00:36:48`
pub(super) fn printed(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn json(at: Timestamp) -> Json {
    Json::String(printed(at))
}

/// A time as callers may write it: with or without an offset, or a day.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // Without an offset; a day alone would be read as one at midnight too, and an offset would be left out.
    let civil = match text.len() {
        10 => text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ if text.get(10..11).is_some_and(|between| between == "T" || between == " ") && !text[11..].contains(['Z', 'z', '+', '-', '[']) => {
            text.replacen(' ', "T", 1).parse::<DateTime>().ok()?
        }
        _ => return None,
    };
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// To the second, as it is kept.
pub(super) fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_without_an_offset() {
        let at: Timestamp = "2025-01-03T00:36:48Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        assert_eq!(printed(at), "2025-01-03T00:36:48");
        for text in ["2025-01-03T00:36:48", "2025-01-03 00:36:48", "2025-01-03T00:36:48Z", "2025-01-03T01:36:48+01:00", "2025-01-03T00:36:48.000"] {
            assert_eq!(read(text), Some(at), "{text}");
        }
        assert_eq!(read("2025-01-03").map(printed).as_deref(), Some("2025-01-03T00:00:00"));
        for text in ["", "soon", "2025-13-01", "2025-01-03T25:00:00", "1735864608", "2025-01-03T00:36:48 Q"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
