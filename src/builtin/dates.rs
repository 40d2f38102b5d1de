//! Dates, instants and time zones. A date becomes an instant only with a zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan, Zoned};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::call::Outcome;
use super::signature::{day, given, integer, optional, text, zone};
use super::{Args, Builtin, Example, Family, Gives, Refusal, Takes};
use crate::value::{Kind, Value, duration_text};

/// No calendar goes further, and larger numbers need not be tried.
const MOST_DAYS: i64 = 8_000_000;

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "start_of_day",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Datetime),
        says: "The instant at which a day begins in a time zone (by default the project's).",
        examples: &[
            Example { call: r#"start_of_day(2026-03-01, "America/Los_Angeles")"#, gives: "2026-03-01T08:00:00Z" },
            Example { call: "start_of_day(2026-03-01)", gives: "2026-03-01T00:00:00Z" },
            Example { call: "start_of_day(missing)", gives: "missing" },
        ],
        run: |args| {
            let zone = zone_of(args, 1, "start_of_day")?;
            let date = date_of(args, 0, &zone, "start_of_day")?;
            Ok(Value::DateTime(start(date, &zone)?.timestamp()))
        },
    },
    Builtin {
        name: "end_of_day",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Datetime),
        says: "The last second of a day in a time zone (by default the project's).",
        examples: &[
            Example { call: r#"end_of_day(2026-03-01, "Europe/Berlin")"#, gives: "2026-03-01T22:59:59Z" },
            Example { call: "end_of_day(missing)", gives: "missing" },
        ],
        run: |args| {
            let zone = zone_of(args, 1, "end_of_day")?;
            let next = date_of(args, 0, &zone, "end_of_day")?.tomorrow().map_err(|_| Refusal::TooLarge)?;
            let end = start(next, &zone)?.timestamp() - SignedDuration::from_secs(1);
            Ok(Value::DateTime(end))
        },
    },
    Builtin {
        name: "at_time",
        family: Family::Dates,
        takes: &[given("date", Takes::Kind(Kind::Date)), given("time", Takes::Kind(Kind::Time)), zone()],
        gives: Gives::Kind(Kind::Datetime),
        says: "The instant of a date and a time of day in a time zone (by default the project's). If the clocks skip this time, it is the time after the gap; if they repeat it, it is the first one.",
        examples: &[
            Example { call: r#"at_time(2026-03-01, 14:30, "Europe/London")"#, gives: "2026-03-01T14:30:00Z" },
            Example { call: r#"at_time(2026-03-29, 01:30, "Europe/London")"#, gives: "2026-03-29T01:30:00Z" },
            Example { call: "at_time(missing, 14:30)", gives: "missing" },
        ],
        run: |args| {
            let (Value::Date(date), Value::Time(time)) = (args.get(0), args.get(1)) else {
                return Err(args.unchecked(1, "at_time"));
            };
            let zone = zone_of(args, 2, "at_time")?;
            let zoned = zone.to_zoned(date.to_datetime(*time)).map_err(|_| Refusal::TooLarge)?;
            Ok(Value::DateTime(zoned.timestamp()))
        },
    },
    Builtin {
        name: "date_in",
        family: Family::Dates,
        takes: &[given("instant", Takes::Kind(Kind::Datetime)), zone()],
        gives: Gives::Kind(Kind::Date),
        says: "The date of an instant in a time zone (by default the project's).",
        examples: &[
            Example { call: r#"date_in(2026-03-01T02:00:00Z, "America/Los_Angeles")"#, gives: "2026-02-28" },
            Example { call: "date_in(2026-03-01T02:00:00Z)", gives: "2026-03-01" },
        ],
        run: |args| Ok(Value::Date(date_of(args, 0, &zone_of(args, 1, "date_in")?, "date_in")?)),
    },
    Builtin {
        name: "time_in",
        family: Family::Dates,
        takes: &[given("instant", Takes::Kind(Kind::Datetime)), zone()],
        gives: Gives::Kind(Kind::Time),
        says: "The time of day of an instant in a time zone (by default the project's).",
        examples: &[
            Example { call: r#"time_in(2026-07-01T12:00:00Z, "Europe/Berlin")"#, gives: "14:00:00" },
            Example { call: "time_in(missing)", gives: "missing" },
        ],
        run: |args| match args.get(0) {
            Value::DateTime(instant) => Ok(Value::Time(instant.to_zoned(zone_of(args, 1, "time_in")?).time())),
            _ => Err(args.unchecked(0, "time_in")),
        },
    },
    Builtin {
        name: "add_days",
        family: Family::Dates,
        takes: &[day("date"), integer("days"), zone()],
        gives: Gives::First,
        says: "The date or instant that many days later; earlier for a negative number. An instant keeps its time of day in the time zone, also when the clocks change.",
        examples: &[
            Example { call: "add_days(2026-02-27, 3)", gives: "2026-03-02" },
            Example { call: r#"add_days(2026-03-28T12:00:00Z, 1, "Europe/London")"#, gives: "2026-03-29T11:00:00Z" },
            Example { call: "add_days(missing, 3)", gives: "missing" },
        ],
        run: |args| {
            let days = days(args, 1, "add_days")?;
            later(args, days.days(), "add_days")
        },
    },
    Builtin {
        name: "add_months",
        family: Family::Dates,
        takes: &[day("date"), integer("months"), zone()],
        gives: Gives::First,
        says: "The same day that many months later; the last day of the month if it has no such day.",
        examples: &[
            Example { call: "add_months(2026-01-31, 1)", gives: "2026-02-28" },
            Example { call: "add_months(2026-03-15, -3)", gives: "2025-12-15" },
        ],
        run: |args| {
            let months = args.whole(1, 0, "add_months")?;
            if months.abs() > 200_000 {
                return Err(Refusal::TooLarge);
            }
            later(args, months.months(), "add_months")
        },
    },
    Builtin {
        name: "add_business_days",
        family: Family::Dates,
        takes: &[given("date", Takes::Kind(Kind::Date)), integer("days")],
        gives: Gives::Kind(Kind::Date),
        says: "The date that many working days later; Saturdays and Sundays do not count. Public holidays are not known.",
        examples: &[
            Example { call: "add_business_days(2026-11-20, 1)", gives: "2026-11-23" },
            Example { call: "add_business_days(2026-11-21, 1)", gives: "2026-11-23" },
            Example { call: "add_business_days(2026-11-23, -1)", gives: "2026-11-20" },
        ],
        run: |args| match args.get(0) {
            Value::Date(date) => business_days_later(*date, days(args, 1, "add_business_days")?).map(Value::Date),
            _ => Err(args.unchecked(0, "add_business_days")),
        },
    },
    Builtin {
        name: "days_between",
        family: Family::Dates,
        takes: &[day("from"), day("until"), zone()],
        gives: Gives::Kind(Kind::Integer),
        says: "The number of midnights between the two; negative if the second comes first.",
        examples: &[
            Example { call: "days_between(2026-02-27, 2026-03-01)", gives: "2" },
            Example { call: "days_between(2026-03-01, 2026-02-27)", gives: "-2" },
        ],
        run: |args| {
            let zone = zone_of(args, 2, "days_between")?;
            let from = date_of(args, 0, &zone, "days_between")?;
            Ok(Value::integer(day_number(date_of(args, 1, &zone, "days_between")?) - day_number(from)))
        },
    },
    Builtin {
        name: "business_days_between",
        family: Family::Dates,
        takes: &[given("from", Takes::Kind(Kind::Date)), given("until", Takes::Kind(Kind::Date))],
        gives: Gives::Kind(Kind::Integer),
        says: "The number of working days after the first date, up to and including the second; Saturdays and Sundays do not count.",
        examples: &[
            Example { call: "business_days_between(2026-11-20, 2026-11-23)", gives: "1" },
            Example { call: "business_days_between(2026-11-20, 2026-11-22)", gives: "0" },
            Example { call: "business_days_between(2026-11-23, 2026-11-20)", gives: "-1" },
        ],
        run: |args| match (args.get(0), args.get(1)) {
            (Value::Date(from), Value::Date(until)) => Ok(Value::integer(business_days_until(*until) - business_days_until(*from))),
            _ => Err(args.unchecked(1, "business_days_between")),
        },
    },
    Builtin {
        name: "weekday",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Text),
        says: "The English name of the day of the week.",
        examples: &[Example { call: "weekday(2026-03-01)", gives: r#""Sunday""# }, Example { call: "weekday(missing)", gives: "missing" }],
        run: |args| {
            let date = date_of(args, 0, &zone_of(args, 1, "weekday")?, "weekday")?;
            Ok(Value::text(match date.weekday() {
                Weekday::Monday => "Monday",
                Weekday::Tuesday => "Tuesday",
                Weekday::Wednesday => "Wednesday",
                Weekday::Thursday => "Thursday",
                Weekday::Friday => "Friday",
                Weekday::Saturday => "Saturday",
                Weekday::Sunday => "Sunday",
            }))
        },
    },
    Builtin {
        name: "year",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Integer),
        says: "The year of a date, or of an instant in a time zone.",
        examples: &[
            Example { call: "year(2026-03-01)", gives: "2026" },
            Example { call: r#"year(2027-01-01T00:00:00Z, "America/New_York")"#, gives: "2026" },
        ],
        run: |args| Ok(Value::integer(date_of(args, 0, &zone_of(args, 1, "year")?, "year")?.year().into())),
    },
    Builtin {
        name: "month",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Integer),
        says: "The month of a date, 1 to 12.",
        examples: &[Example { call: "month(2026-03-01)", gives: "3" }, Example { call: "month(missing)", gives: "missing" }],
        run: |args| Ok(Value::integer(date_of(args, 0, &zone_of(args, 1, "month")?, "month")?.month().into())),
    },
    Builtin {
        name: "day",
        family: Family::Dates,
        takes: &[day("date"), zone()],
        gives: Gives::Kind(Kind::Integer),
        says: "The day of the month, 1 to 31.",
        examples: &[Example { call: "day(2026-03-01)", gives: "1" }, Example { call: "day(missing)", gives: "missing" }],
        run: |args| Ok(Value::integer(date_of(args, 0, &zone_of(args, 1, "day")?, "day")?.day().into())),
    },
    Builtin {
        name: "format_date",
        family: Family::Dates,
        takes: &[day("date"), text("pattern"), zone()],
        gives: Gives::Kind(Kind::Text),
        says: "The date as a text, by a pattern: `%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, `%S` second, `%B` month name, `%A` weekday.",
        examples: &[
            Example { call: r#"format_date(2026-03-01, "%d/%m/%Y")"#, gives: r#""01/03/2026""# },
            Example { call: r#"format_date(2026-03-01T20:00:00Z, "%H:%M", "Asia/Tokyo")"#, gives: r#""05:00""# },
        ],
        run: |args| {
            let zone = zone_of(args, 2, "format_date")?;
            let zoned = match args.get(0) {
                Value::DateTime(instant) => instant.to_zoned(zone),
                _ => start(date_of(args, 0, &zone, "format_date")?, &zone)?,
            };
            let text = jiff::fmt::strtime::format(args.text(1), &zoned);
            text.map(Value::text).map_err(|_| args.unchecked(1, "format_date"))
        },
    },
    Builtin {
        name: "iso",
        family: Family::Dates,
        takes: &[given("date", Takes::OneOf(&[Kind::Date, Kind::Time, Kind::Datetime])), zone()],
        gives: Gives::Kind(Kind::Text),
        says: "The date, time or instant in ISO 8601. An instant is in UTC, or with the offset of a time zone if one is said.",
        examples: &[
            Example { call: "iso(2026-03-01)", gives: r#""2026-03-01""# },
            Example { call: "iso(2026-03-01T12:00:00Z)", gives: r#""2026-03-01T12:00:00Z""# },
            Example { call: r#"iso(2026-03-01T12:00:00Z, "Europe/Berlin")"#, gives: r#""2026-03-01T13:00:00+01:00""# },
        ],
        run: |args| match args.get(0) {
            Value::DateTime(instant) if args.has(1) => {
                let zoned = instant.to_zoned(zone_of(args, 1, "iso")?);
                Ok(Value::text(instant.display_with_offset(zoned.offset()).to_string()))
            }
            value @ (Value::Date(_) | Value::Time(_) | Value::DateTime(_)) => Ok(Value::text(value.to_string())),
            _ => Err(args.unchecked(0, "iso")),
        },
    },
    Builtin {
        name: "ago",
        family: Family::Dates,
        takes: &[day("date")],
        gives: Gives::Kind(Kind::Text),
        says: "How long ago that was, for a message, in its largest unit.",
        examples: &[
            Example { call: "ago(2026-02-28T21:00:00Z)", gives: r#""15 hours ago""# },
            Example { call: "ago(2026-03-03T12:00:00Z)", gives: r#""in 2 days""# },
            Example { call: "ago(2026-03-01T12:00:00Z)", gives: r#""just now""# },
        ],
        run: |args| {
            let instant = match args.get(0) {
                Value::DateTime(instant) => *instant,
                _ => {
                    let zone = &args.context.zone;
                    start(date_of(args, 0, zone, "ago")?, zone)?.timestamp()
                }
            };
            Ok(Value::text(ago(args.context.now.duration_since(instant))))
        },
    },
    Builtin {
        name: "days",
        family: Family::Dates,
        takes: &[given("number", Takes::OneOf(&[Kind::Integer, Kind::Decimal]))],
        gives: Gives::Kind(Kind::Duration),
        says: "A duration of that many days of 24 hours.",
        examples: &[Example { call: "days(2)", gives: "2 days" }, Example { call: "days(0.5)", gives: "12 hours" }],
        run: |args| duration(args, 86_400, "days"),
    },
    Builtin {
        name: "hours",
        family: Family::Dates,
        takes: &[given("number", Takes::OneOf(&[Kind::Integer, Kind::Decimal]))],
        gives: Gives::Kind(Kind::Duration),
        says: "A duration of that many hours.",
        examples: &[Example { call: "hours(1.5)", gives: "1 hour 30 minutes" }, Example { call: "hours(missing)", gives: "missing" }],
        run: |args| duration(args, 3600, "hours"),
    },
    Builtin {
        name: "minutes",
        family: Family::Dates,
        takes: &[given("number", Takes::OneOf(&[Kind::Integer, Kind::Decimal]))],
        gives: Gives::Kind(Kind::Duration),
        says: "A duration of that many minutes.",
        examples: &[Example { call: "minutes(90)", gives: "1 hour 30 minutes" }, Example { call: "minutes(missing)", gives: "missing" }],
        run: |args| duration(args, 60, "minutes"),
    },
    Builtin {
        name: "from_epoch",
        family: Family::Dates,
        takes: &[given("number", Takes::Kind(Kind::Integer)), optional("unit", Takes::Words(&["seconds", "milliseconds"]))],
        gives: Gives::Maybe(Kind::Datetime),
        says: "The instant that many seconds (or `milliseconds`) after the beginning of 1970. Missing if it is beyond the calendar.",
        examples: &[
            Example { call: "from_epoch(1772366400)", gives: "2026-03-01T12:00:00Z" },
            Example { call: "from_epoch(1772366400000, milliseconds)", gives: "2026-03-01T12:00:00Z" },
            Example { call: "from_epoch(1772366400000000)", gives: "missing" },
        ],
        run: |args| {
            let Some(number) = args.need_number(0, "from_epoch")?.trunc().to_i64() else { return Ok(Value::ABSENT) };
            let instant = match args.words(1, "seconds") {
                "milliseconds" => Timestamp::from_millisecond(number),
                _ => Timestamp::from_second(number),
            };
            Ok(Value::optional(instant.ok().map(Value::DateTime)))
        },
    },
    Builtin {
        name: "epoch",
        family: Family::Dates,
        takes: &[given("instant", Takes::Kind(Kind::Datetime)), optional("unit", Takes::Words(&["seconds", "milliseconds"]))],
        gives: Gives::Kind(Kind::Integer),
        says: "The whole seconds (or `milliseconds`) from the beginning of 1970 to the instant.",
        examples: &[Example { call: "epoch(2026-03-01T12:00:00Z)", gives: "1772366400" }, Example { call: "epoch(missing)", gives: "missing" }],
        run: |args| match args.get(0) {
            Value::DateTime(instant) => Ok(Value::integer(match args.words(1, "seconds") {
                "milliseconds" => instant.as_millisecond(),
                _ => instant.as_second(),
            })),
            _ => Err(args.unchecked(0, "epoch")),
        },
    },
];

/// Whether a name is one of the time zones that come with the program.
pub fn is_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// Whether a pattern of `format_date` can be followed.
pub fn is_date_pattern(pattern: &str) -> bool {
    let noon = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format(pattern, &noon).is_ok()
}

/// An instant as a pattern writes it, to see whether the pattern reads it again. `None` if it cannot be followed.
pub fn date_sample(pattern: &str) -> Option<String> {
    let sample = Timestamp::from_second(1_772_604_366).ok()?.to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format(pattern, &sample).ok()
}

/// A pattern of other systems (`dd.MM.yyyy`) as it is written here. `None` where it is none, or has a part that is not known.
pub(super) fn translated(pattern: &str) -> Option<String> {
    const PARTS: &[(&str, &str)] = &[
        ("yyyy", "%Y"),
        ("YYYY", "%Y"),
        ("yy", "%y"),
        ("YY", "%y"),
        ("MMMM", "%B"),
        ("MMM", "%b"),
        ("MM", "%m"),
        ("M", "%-m"),
        ("EEEE", "%A"),
        ("dddd", "%A"),
        ("EEE", "%a"),
        ("ddd", "%a"),
        ("dd", "%d"),
        ("DD", "%d"),
        ("d", "%-d"),
        ("D", "%-d"),
        ("HH", "%H"),
        ("H", "%-H"),
        ("hh", "%I"),
        ("h", "%-I"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("SSS", "%3f"),
        ("XXX", "%:z"),
        ("xxx", "%:z"),
        ("zzz", "%:z"),
        ("ZZ", "%:z"),
        ("Z", "%z"),
        ("tt", "%p"),
        ("a", "%p"),
        ("A", "%p"),
    ];
    let mut out = String::new();
    let mut rest = pattern;
    let mut parts = 0;
    while let Some(letter) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (text, behind) = quoted.split_once('\'')?;
            out.push_str(text);
            rest = behind;
        } else if let Some((part, written)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
            out.push_str(written);
            rest = &rest[part.len()..];
            parts += 1;
        } else if letter == 'T' || !letter.is_alphabetic() {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            return None;
        }
    }
    (parts > 0 && is_date_pattern(&out)).then_some(out)
}

/// The zone of an argument, the project's where it is left out.
pub(super) fn zone_of(args: &Args<'_>, at: usize, function: &'static str) -> Result<TimeZone, Refusal> {
    if !args.has(at) {
        return Ok(args.context.zone.clone());
    }
    TimeZone::get(args.text(at)).map_err(|_| args.unchecked(at, function))
}

fn date_of(args: &Args<'_>, at: usize, zone: &TimeZone, function: &'static str) -> Result<Date, Refusal> {
    match args.get(at) {
        Value::Date(date) => Ok(*date),
        Value::DateTime(instant) => Ok(instant.to_zoned(zone.clone()).date()),
        _ => Err(args.unchecked(at, function)),
    }
}

fn start(date: Date, zone: &TimeZone) -> Result<Zoned, Refusal> {
    zone.to_zoned(date.at(0, 0, 0, 0)).and_then(|zoned| zoned.start_of_day()).map_err(|_| Refusal::TooLarge)
}

fn days(args: &Args<'_>, at: usize, function: &'static str) -> Result<i64, Refusal> {
    let days = args.whole(at, 0, function)?;
    if days.abs() > MOST_DAYS / 2 { Err(Refusal::TooLarge) } else { Ok(days) }
}

fn later(args: &Args<'_>, span: Span, function: &'static str) -> Outcome {
    match args.get(0) {
        Value::Date(date) => date.checked_add(span).map(Value::Date).map_err(|_| Refusal::TooLarge),
        Value::DateTime(instant) => {
            let zoned = instant.to_zoned(zone_of(args, 2, function)?).checked_add(span);
            zoned.map(|zoned| Value::DateTime(zoned.timestamp())).map_err(|_| Refusal::TooLarge)
        }
        _ => Err(args.unchecked(0, function)),
    }
}

/// Days since Monday, 5 January 1970.
fn day_number(date: Date) -> i64 {
    date.duration_since(jiff::civil::date(1970, 1, 5)).as_hours() / 24
}

/// Working days from Monday, 5 January 1970 up to and with a date.
fn business_days_until(date: Date) -> i64 {
    let day = day_number(date);
    day.div_euclid(7) * 5 + (day.rem_euclid(7) + 1).min(5)
}

fn business_days_later(date: Date, days: i64) -> Result<Date, Refusal> {
    // Count from the working day that the date is, or that it comes after (going on) or before
    // (going back).
    let weekday = day_number(date).rem_euclid(7);
    let from = match (weekday, days) {
        (5 | 6, 0) => return Ok(date),
        (5 | 6, 1..) => day_number(date) - (weekday - 4),
        (5 | 6, _) => day_number(date) + (7 - weekday),
        _ => day_number(date),
    };
    let working = from.div_euclid(7) * 5 + from.rem_euclid(7) + days;
    let day = working.div_euclid(5) * 7 + working.rem_euclid(5);
    let span = Span::new().try_days(day).map_err(|_| Refusal::TooLarge)?;
    jiff::civil::date(1970, 1, 5).checked_add(span).map_err(|_| Refusal::TooLarge)
}

fn ago(gone: SignedDuration) -> String {
    let seconds = gone.as_secs().unsigned_abs();
    let unit = [86_400, 3600, 60].into_iter().find(|unit| seconds >= *unit);
    let Some(unit) = unit else { return "just now".to_owned() };
    let whole = i64::try_from(seconds - seconds % unit).unwrap_or(i64::MAX);
    let text = duration_text(SignedDuration::from_secs(whole));
    if gone.is_negative() { format!("in {text}") } else { format!("{text} ago") }
}

fn duration(args: &Args<'_>, seconds: i64, function: &'static str) -> Outcome {
    let number = args.need_number(0, function)?;
    let total = number.checked_mul(Decimal::from(seconds)).and_then(|total| total.trunc().to_i64());
    Ok(Value::Duration(SignedDuration::from_secs(total.ok_or(Refusal::TooLarge)?)))
}
