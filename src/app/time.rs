//! Times in views: milliseconds since 1970 that are written as text.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::store::Millis;

/// A time that is written in UTC, to the second: `2026-11-20 08:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime(pub Millis);

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{}", at.strftime("%Y-%m-%d %H:%M:%SZ")),
            Err(_) => f.write_str("-"),
        }
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time that is written as RFC 3339 has it: `2026-11-20T08:00:00Z`. One that no calendar has is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rfc3339(pub Millis);

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Timestamp::from_millisecond(self.0) {
            Ok(at) => serializer.collect_str(&at),
            Err(_) => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn times_are_written_as_text_and_what_is_no_time_is_told() {
        let at = 1_795_000_000_123;
        assert_eq!(serde_json::to_string(&(UtcTime(at), Rfc3339(at))).unwrap(), r#"["2026-11-18 11:06:40Z","2026-11-18T11:06:40.123Z"]"#);
        assert_eq!(serde_json::to_string(&(UtcTime(i64::MAX), Rfc3339(i64::MAX))).unwrap(), r#"["-",null]"#);
    }
}
