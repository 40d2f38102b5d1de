//! Times as V1 prints and reads them: Pacific, without an offset.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Refused;

fn pacific() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    // The zone tables come with the program.
    ZONE.get_or_init(|| TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC))
}

/// `2026-11-20T08:46:27.1230000`: seven digits, of which the vendor keeps three.
pub(super) fn printed(at: Timestamp) -> String {
    let civil = at.to_zoned(pacific().clone()).datetime();
    format!("{}.{:03}0000", civil.strftime("%Y-%m-%dT%H:%M:%S"), civil.millisecond())
}

pub(super) fn date(at: Timestamp) -> String {
    at.to_zoned(pacific().clone()).date().to_string()
}

/// A time as callers may write it; of the hour that comes twice the first is meant. With an offset it is what it says,
/// without one it is Pacific.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let american_dashes = text.as_bytes().iter().position(|byte| *byte == b'-').is_some_and(|at| at <= 2);
    let civil = if text.contains('/') || american_dashes { american(text)? } else { return iso(text) };
    civil.to_zoned(pacific().clone()).ok().map(|zoned| zoned.timestamp())
}

/// `2026-11-20`, `2026-11-20 08:46:27`, `2026-11-20T08:46:27.1230000`, `2026-11-20T16:46:27Z`, `…-08:00`
fn iso(text: &str) -> Option<Timestamp> {
    let digits = |at: std::ops::Range<usize>| text.get(at).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !(digits(0..4) && digits(5..7) && digits(8..10)) {
        return None;
    }
    let local = |civil: DateTime| civil.to_zoned(pacific().clone()).ok().map(|zoned| zoned.timestamp());
    let Some(clock) = text.get(10..).filter(|clock| !clock.is_empty()) else {
        return local(text.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()));
    };
    // A plus that was not escaped in an address came as a blank.
    let clock = clock.strip_prefix(['T', ' '])?.replace(' ', "+");
    let text = format!("{}T{clock}", text.get(..10)?);
    if clock.contains(['Z', 'z', '+', '-']) { text.parse().ok() } else { local(text.parse().ok()?) }
}

/// `11/20/2026`, `11-20-2026`, `11/20/2026 8:46:27 AM`
fn american(text: &str) -> Option<DateTime> {
    let (day, clock) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = day.splitn(3, ['/', '-']).map(|part| part.parse::<i16>().ok().filter(|_| part.len() <= 4));
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(|_| year >= 1000)?;
    if clock.is_empty() {
        return Some(date.to_datetime(jiff::civil::Time::midnight()));
    }
    let (clock, half) = clock.split_once(' ').unwrap_or((clock, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let hour = match half.to_ascii_uppercase().as_str() {
        "" => hour,
        "AM" if (1..=12).contains(&hour) => hour % 12,
        "PM" if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    Some(date.to_datetime(jiff::civil::Time::new(hour, minute, second, 0).ok()?))
}

/// A time that a list is narrowed by.
pub(super) fn asked(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = text else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| Refused::of(name, format!("The value '{text}' is not valid for {name}.")))
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

    #[test]
    fn times_are_read_in_the_forms_that_the_vendor_takes() {
        for (text, meant) in [
            ("2026-11-20", "2026-11-20T08:00:00Z"),
            ("2026-11-20 08:46", "2026-11-20T16:46:00Z"),
            ("2026-11-20T08:46:27.1230000", "2026-11-20T16:46:27.123Z"),
            ("2026-11-20T16:46:27Z", "2026-11-20T16:46:27Z"),
            ("2026-11-20T16:46:27.5+01:00", "2026-11-20T15:46:27.5Z"),
            ("2026-11-20T16:46:27 01:00", "2026-11-20T15:46:27Z"),
            ("2026-11-20T08:46:27-08:00", "2026-11-20T16:46:27Z"),
            ("11/20/2026", "2026-11-20T08:00:00Z"),
            ("6/29/2026 8:46:27 AM", "2026-06-29T15:46:27Z"),
            ("12/8/2026 12:00:00 AM", "2026-12-08T08:00:00Z"),
            ("12/8/2026 1:05 PM", "2026-12-08T21:05:00Z"),
        ] {
            assert_eq!(read(text).map(|at| at.to_string()).as_deref(), Some(meant), "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "20/11/2026",
            "1/2/26",
            "2026-11-20T25:00",
            "2026-11-20T08:46:27Q",
            "1795166787",
            "13:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
