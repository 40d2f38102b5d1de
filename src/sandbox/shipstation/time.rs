//! Times as V1 prints and reads them: Pacific, without an offset.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

fn pacific() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    // The zone tables come with the program.
    ZONE.get_or_init(|| TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC))
}

/// `2026-11-20T08:46:27.1230000`
pub(super) fn printed(at: Timestamp) -> String {
    let civil = at.to_zoned(pacific().clone()).datetime();
    format!("{}.{:03}0000", civil.strftime("%Y-%m-%dT%H:%M:%S"), civil.millisecond())
}

pub(super) fn date(at: Timestamp) -> String {
    at.to_zoned(pacific().clone()).date().to_string()
}

/// A time of a filter; of the hour that comes twice the first is meant.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(' ', "T");
    let civil: DateTime =
        if text.contains('T') { text.parse().ok()? } else { text.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()) };
    civil.to_zoned(pacific().clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_pacific() {
        let at: Timestamp = "2026-11-20T16:46:27.123Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        assert_eq!(printed(at), "2026-11-20T08:46:27.1230000");
        assert_eq!(read("2026-11-20 08:46:27.123"), Some(at));
        assert_eq!(read("2026-07-01").map(|at| at.to_string()).as_deref(), Some("2026-07-01T07:00:00Z"));
        assert_eq!(read("soon"), None);
    }
}
