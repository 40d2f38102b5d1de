//! Date literals (`TODAY`, `LAST_N_DAYS:7`) and date functions (`CALENDAR_YEAR`), as the SOQL reference defines them.
//!
//! The org's users are in UTC, their weeks begin on Sunday, and the fiscal year is the calendar's.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

use crate::sandbox::salesforce::cell::Cell;

/// A range of days, named by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct DateLiteral {
    /// What its borders are borders of.
    unit: Unit,
    /// The first and the last of these units, counted from the present one.
    first: i64,
    last: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The units whose words take a number, in plural.
const UNITS: &[(&str, Unit)] = &[
    ("DAYS", Unit::Day),
    ("WEEKS", Unit::Week),
    ("MONTHS", Unit::Month),
    ("QUARTERS", Unit::Quarter),
    ("YEARS", Unit::Year),
    ("FISCAL_QUARTERS", Unit::Quarter),
    ("FISCAL_YEARS", Unit::Year),
];

impl DateLiteral {
    /// Whether a word takes a number behind a colon; `None`: it is no date literal.
    pub(super) fn takes_number(word: &str) -> Option<bool> {
        let word = word.to_ascii_uppercase();
        match DateLiteral::plain(&word) {
            Some(_) => Some(false),
            None => DateLiteral::counted(&word, 1).map(|_| true),
        }
    }

    pub(super) fn read(word: &str, number: Option<i64>) -> Option<DateLiteral> {
        let word = word.to_ascii_uppercase();
        match number {
            None => DateLiteral::plain(&word),
            Some(number) => DateLiteral::counted(&word, number),
        }
    }

    fn plain(word: &str) -> Option<DateLiteral> {
        let of = |unit, first, last| Some(DateLiteral { unit, first, last });
        match word {
            "YESTERDAY" => return of(Unit::Day, -1, -1),
            "TODAY" => return of(Unit::Day, 0, 0),
            "TOMORROW" => return of(Unit::Day, 1, 1),
            // Today is one of them.
            "LAST_90_DAYS" => return of(Unit::Day, -90, 0),
            "NEXT_90_DAYS" => return of(Unit::Day, 1, 90),
            _ => {}
        }
        let (which, unit) = word.split_once('_')?;
        let unit = UNITS.iter().find(|(plural, _)| plural.strip_suffix('S') == Some(unit) && *plural != "DAYS").map(|(_, unit)| *unit)?;
        match which {
            "LAST" => of(unit, -1, -1),
            "THIS" => of(unit, 0, 0),
            "NEXT" => of(unit, 1, 1),
            _ => None,
        }
    }

    fn counted(word: &str, number: i64) -> Option<DateLiteral> {
        let unit = |name: &str| UNITS.iter().find(|(plural, _)| *plural == name).map(|(_, unit)| *unit);
        if let Some(name) = word.strip_prefix("LAST_N_") {
            let unit = unit(name)?;
            // `LAST_N_DAYS:1` is yesterday and today; the other units end with the one before this.
            let last = if unit == Unit::Day { 0 } else { -1 };
            return Some(DateLiteral { unit, first: -number, last });
        }
        if let Some(name) = word.strip_prefix("NEXT_N_") {
            return Some(DateLiteral { unit: unit(name)?, first: 1, last: number });
        }
        let name = word.strip_prefix("N_")?.strip_suffix("_AGO")?;
        Some(DateLiteral { unit: unit(name)?, first: -number, last: -number })
    }

    /// The first day, and the first day after it. `None`: it is out of the calendar.
    pub(super) fn days(self, now: Timestamp) -> Option<(Date, Date)> {
        let today = Offset::UTC.to_datetime(now).date();
        Some((self.unit.begin(today, self.first)?, self.unit.begin(today, self.last.checked_add(1)?)?))
    }
}

impl Unit {
    /// The first day of the unit so many after the one that `today` is in.
    fn begin(self, today: Date, by: i64) -> Option<Date> {
        let month = |month: i64, by: i64| {
            let whole = i64::from(today.year()).checked_mul(12)?.checked_add(month)?.checked_add(by)?;
            Date::new(i16::try_from(whole.div_euclid(12)).ok()?, i8::try_from(whole.rem_euclid(12) + 1).ok()?, 1).ok()
        };
        let this = i64::from(today.month()) - 1;
        let days = |from: Date, days: i64| from.checked_add(Span::new().try_days(days).ok()?).ok();
        match self {
            Unit::Day => days(today, by),
            Unit::Week => days(today, by.checked_mul(7)?.checked_sub(i64::from(today.weekday().to_sunday_zero_offset()))?),
            Unit::Month => month(this, by),
            Unit::Quarter => month(this / 3 * 3, by.checked_mul(3)?),
            Unit::Year => month(0, by.checked_mul(12)?),
        }
    }
}

/// Midnight, where the org's users are.
pub(super) fn midnight(day: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DateFunction {
    Month,
    Quarter,
    Year,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    Hour,
    WeekInMonth,
    WeekInYear,
}

impl DateFunction {
    pub(super) fn of(word: &str) -> Option<DateFunction> {
        Some(match word.to_ascii_uppercase().as_str() {
            "CALENDAR_MONTH" | "FISCAL_MONTH" => DateFunction::Month,
            "CALENDAR_QUARTER" | "FISCAL_QUARTER" => DateFunction::Quarter,
            "CALENDAR_YEAR" | "FISCAL_YEAR" => DateFunction::Year,
            "DAY_IN_MONTH" => DateFunction::DayInMonth,
            "DAY_IN_WEEK" => DateFunction::DayInWeek,
            "DAY_IN_YEAR" => DateFunction::DayInYear,
            "DAY_ONLY" => DateFunction::DayOnly,
            "HOUR_IN_DAY" => DateFunction::Hour,
            "WEEK_IN_MONTH" => DateFunction::WeekInMonth,
            "WEEK_IN_YEAR" => DateFunction::WeekInYear,
            _ => return None,
        })
    }

    /// Of instants only, not of days.
    pub(super) fn needs_time(self) -> bool {
        matches!(self, DateFunction::Hour | DateFunction::DayOnly)
    }

    /// What it makes of a day or an instant; nothing of nothing.
    pub(super) fn apply(self, cell: &Cell) -> Cell {
        let at: DateTime = match cell {
            Cell::Date(day) => day.to_datetime(jiff::civil::Time::midnight()),
            Cell::Time(time) => Offset::UTC.to_datetime(*time),
            _ => return Cell::Null,
        };
        let (month, day) = (i64::from(at.month()), i64::from(at.day()));
        let of_year = i64::from(at.date().day_of_year());
        let number = match self {
            DateFunction::DayOnly => return Cell::Date(at.date()),
            DateFunction::Month => month,
            DateFunction::Quarter => (month - 1) / 3 + 1,
            DateFunction::Year => i64::from(at.year()),
            DateFunction::DayInMonth => day,
            DateFunction::DayInWeek => i64::from(at.weekday().to_sunday_one_offset()),
            DateFunction::DayInYear => of_year,
            DateFunction::Hour => i64::from(at.hour()),
            // Weeks of seven days from the first.
            DateFunction::WeekInMonth => (day - 1) / 7 + 1,
            DateFunction::WeekInYear => (of_year - 1) / 7 + 1,
        };
        Cell::Number(Decimal::from(number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn literals_are_the_days_of_the_reference() {
        // A Wednesday.
        let now: Timestamp = "2026-11-18T15:30:00Z".parse().unwrap();
        for (word, number, from, to) in [
            ("TODAY", None, "2026-11-18", "2026-11-19"),
            ("YESTERDAY", None, "2026-11-17", "2026-11-18"),
            ("tomorrow", None, "2026-11-19", "2026-11-20"),
            ("LAST_WEEK", None, "2026-11-08", "2026-11-15"),
            ("THIS_WEEK", None, "2026-11-15", "2026-11-22"),
            ("NEXT_WEEK", None, "2026-11-22", "2026-11-29"),
            ("LAST_MONTH", None, "2026-10-01", "2026-11-01"),
            ("NEXT_MONTH", None, "2026-12-01", "2027-01-01"),
            ("THIS_QUARTER", None, "2026-10-01", "2027-01-01"),
            ("NEXT_FISCAL_QUARTER", None, "2027-01-01", "2027-04-01"),
            ("LAST_YEAR", None, "2025-01-01", "2026-01-01"),
            ("THIS_FISCAL_YEAR", None, "2026-01-01", "2027-01-01"),
            ("LAST_90_DAYS", None, "2026-08-20", "2026-11-19"),
            ("NEXT_90_DAYS", None, "2026-11-19", "2027-02-17"),
            ("LAST_N_DAYS", Some(1), "2026-11-17", "2026-11-19"),
            ("NEXT_N_DAYS", Some(2), "2026-11-19", "2026-11-21"),
            ("N_DAYS_AGO", Some(3), "2026-11-15", "2026-11-16"),
            ("LAST_N_WEEKS", Some(2), "2026-11-01", "2026-11-15"),
            ("N_WEEKS_AGO", Some(2), "2026-11-01", "2026-11-08"),
            ("LAST_N_MONTHS", Some(2), "2026-09-01", "2026-11-01"),
            ("NEXT_N_QUARTERS", Some(2), "2027-01-01", "2027-07-01"),
            ("N_FISCAL_YEARS_AGO", Some(1), "2025-01-01", "2026-01-01"),
        ] {
            let (first, behind) = DateLiteral::read(word, number).unwrap().days(now).unwrap();
            assert_eq!((first.to_string().as_str(), behind.to_string().as_str()), (from, to), "{word}");
            assert_eq!(DateLiteral::takes_number(word), Some(number.is_some()), "{word}");
        }
        for word in ["SOMEDAY", "LAST_DAYS", "THIS_DAY", "LAST_N_DECADES", "N_AGO"] {
            assert_eq!(DateLiteral::takes_number(word), None, "{word}");
        }
        assert_eq!(DateLiteral::read("LAST_N_YEARS", Some(i64::MAX)).unwrap().days(now), None, "out of the calendar");
    }

    #[test]
    fn functions_are_those_of_the_reference() {
        let cell = Cell::Time("2026-11-20T17:05:00Z".parse().unwrap());
        for (word, number) in [
            ("CALENDAR_YEAR", 2026),
            ("CALENDAR_QUARTER", 4),
            ("calendar_month", 11),
            ("FISCAL_YEAR", 2026),
            ("DAY_IN_MONTH", 20),
            ("DAY_IN_WEEK", 6),
            ("DAY_IN_YEAR", 324),
            ("HOUR_IN_DAY", 17),
            ("WEEK_IN_MONTH", 3),
            ("WEEK_IN_YEAR", 47),
        ] {
            assert_eq!(DateFunction::of(word).unwrap().apply(&cell), Cell::Number(Decimal::from(number)), "{word}");
        }
        assert_eq!(DateFunction::DayOnly.apply(&cell), Cell::Date("2026-11-20".parse().unwrap()));
        assert_eq!(DateFunction::Year.apply(&Cell::Null), Cell::Null);
    }
}
