//! Schedules of the project's file, which replace those of the mapping: `5 minutes`, `02:00`, a cron text.

use crate::check::{LONGEST_STRETCH as LONGEST, cron};
use crate::ir::Schedule;

/// Reads a schedule. Times and cron texts are in the project's zone.
///
/// # Errors
/// What cannot be understood, in one sentence.
pub fn read(text: &str, zone: &str) -> Result<Schedule, String> {
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [count, unit] = words.as_slice()
        && let Ok(count) = count.parse::<i64>()
    {
        let seconds = match unit.trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            _ => return Err(format!("`{unit}` is no unit of time: seconds, minutes, hours, days")),
        };
        return match count.checked_mul(seconds * 1_000) {
            Some(every) if every > 0 && every <= LONGEST => Ok(Schedule::Every(every)),
            _ if count > 0 => Err(format!("`{text}` is longer than a year (366 days)")),
            _ => Err(format!("`{text}` is no time to wait")),
        };
    }
    if let [time] = words.as_slice() {
        let at = time.parse().map_err(|_| format!("`{time}` is no time of day: write 02:00"))?;
        return Ok(Schedule::Daily { day: "day".to_owned(), at, zone: zone.to_owned() });
    }
    let cron = cron(text).map_err(|wrong| format!("`{text}` is no cron text: {wrong}"))?;
    Ok(Schedule::Cron { cron, zone: zone.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read() {
        assert_eq!(read("2 seconds", "UTC"), Ok(Schedule::Every(2_000)));
        assert_eq!(read("1 day", "UTC"), Ok(Schedule::Every(86_400_000)));
        assert!(matches!(read("02:00", "UTC"), Ok(Schedule::Daily { .. })));
        assert!(matches!(read("*/5 * * * *", "UTC"), Ok(Schedule::Cron { .. })));
        for long in ["99999999999999 minutes", "367 days", "9223372036854775807 days"] {
            assert!(read(long, "UTC").unwrap_err().contains("longer than a year"), "{long}");
        }
        for never in ["0 0 30 2 *", "0 0 31 4,6,9 *", "0 0 0 1 1 *", "0 0 L * *", "0 24 * * *"] {
            assert!(read(never, "UTC").is_err(), "{never}");
        }
        for comes in ["0 0 29 2 *", "0 0 31 2,3 *", "0 0 30 2 mon", "*/15 6-20 * * MON-FRI", "0  6 1 * *"] {
            assert!(read(comes, "UTC").is_ok(), "{comes}");
        }
        for wrong in ["", "soon", "5 moons", "0 minutes", "25:00", "a b c d e"] {
            assert!(read(wrong, "UTC").is_err(), "{wrong}");
        }
    }
}
