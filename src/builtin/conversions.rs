//! Conversions between kinds. What can fail on good records gives nothing instead, so that the
//! author decides. Of a `json` every conversion may give nothing.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;

use super::call::{Outcome, text_if_any};
use super::dates::zone_of;
use super::signature::{given, optional, zone};
use super::{Args, Builtin, Example, Family, Gives, Takes};
use crate::value::{Json, Kind, MAX_TEXT, Value, json};

static TEXTS: &[Kind] = &[Kind::Text, Kind::Json];

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "text",
        family: Family::Conversions,
        takes: &[given("value", Takes::Any)],
        gives: Gives::Kind(Kind::Text),
        says: "The value as text: a number by its digits, a date in ISO 8601, money with its currency if it has one, a list joined by `, `. The text of a `json` value may be missing.",
        examples: &[
            Example { call: "text(12.50)", gives: r#""12.50""# },
            Example { call: "text(2026-03-01)", gives: r#""2026-03-01""# },
            Example { call: "text(missing)", gives: "missing" },
        ],
        run: |args| {
            if let Value::Json(json) = args.get(0)
                && json.is_null()
            {
                return Ok(Value::ABSENT);
            }
            Ok(match args.get(0) {
                Value::Text(text) => Value::Text(text.clone()),
                value @ Value::Json(_) => text_if_any(value.to_string()),
                value => Value::text(value.to_string()),
            })
        },
    },
    Builtin {
        name: "integer",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(&[Kind::Text, Kind::Decimal, Kind::Integer, Kind::Json]))],
        gives: Gives::Maybe(Kind::Integer),
        says: "The value as a whole number. Missing if it is not one: use `round` for a decimal.",
        examples: &[
            Example { call: r#"integer(" 12 ")"#, gives: "12" },
            Example { call: "integer(12.00)", gives: "12" },
            Example { call: "integer(12.5)", gives: "missing" },
            Example { call: r#"integer("12 pcs")"#, gives: "missing" },
        ],
        run: |args| {
            let number = number_of(args, None);
            let whole = number.filter(|number| number.fract().is_zero()).map(|number| number.trunc().normalize());
            Ok(Value::optional(whole.map(Value::Number)))
        },
    },
    Builtin {
        name: "decimal",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(&[Kind::Text, Kind::Integer, Kind::Decimal, Kind::Json])), optional("point", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Decimal),
        says: "The value as an exact number. In a text the decimal point is `.`; with `decimal \",\"` it is a comma, and points, spaces or apostrophes between thousands are ignored. Missing if the number is written in another way.",
        examples: &[
            Example { call: r#"decimal("12.50")"#, gives: "12.50" },
            Example { call: r#"decimal("1.234,50", ",")"#, gives: "1234.50" },
            Example { call: r#"decimal("1,234.50")"#, gives: "missing" },
            Example { call: r#"decimal("2,468.10", ",")"#, gives: "missing" },
        ],
        run: |args| {
            let point = args.has(1).then(|| args.text(1));
            Ok(Value::optional(number_of(args, point).map(Value::Number)))
        },
    },
    Builtin {
        name: "boolean",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(&[Kind::Text, Kind::Integer, Kind::Boolean, Kind::Json]))],
        gives: Gives::Maybe(Kind::Boolean),
        says: "True for `true`, `yes`, `y`, `on`, `1`; false for `false`, `no`, `n`, `off`, `0`; in upper or lower case. Missing for everything else.",
        examples: &[
            Example { call: r#"boolean("Yes")"#, gives: "true" },
            Example { call: "boolean(0)", gives: "false" },
            Example { call: r#"boolean("maybe")"#, gives: "missing" },
        ],
        run: |args| {
            let truth = match args.get(0) {
                Value::Boolean(truth) => Some(*truth),
                Value::Json(json) if json.is_boolean() => json.as_bool(),
                value => match value.to_string().trim().to_ascii_lowercase().as_str() {
                    "true" | "yes" | "y" | "on" | "1" => Some(true),
                    "false" | "no" | "n" | "off" | "0" => Some(false),
                    _ => None,
                },
            };
            Ok(Value::optional(truth.map(Value::Boolean)))
        },
    },
    Builtin {
        name: "date",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(TEXTS)), optional("pattern", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Date),
        says: "The date in a text: as `2026-03-01`, or by a pattern (`date \"%d/%m/%Y\"`). Of an instant, `date_in` gives the date.",
        examples: &[
            Example { call: r#"date("2026-03-01")"#, gives: "2026-03-01" },
            Example { call: r#"date("01/03/2026", "%d/%m/%Y")"#, gives: "2026-03-01" },
            Example { call: r#"date("2026-02-30")"#, gives: "missing" },
            Example { call: r#"date("soon")"#, gives: "missing" },
        ],
        run: |args| {
            let Some(text) = text_of(args) else { return Ok(Value::ABSENT) };
            let date = match args.has(1) {
                true => Date::strptime(args.text(1), text).ok(),
                // A text with a time of day is an instant; its date depends on a zone.
                false if text.len() == 10 => Date::from_str(text).ok(),
                false => None,
            };
            Ok(Value::optional(date.map(Value::Date)))
        },
    },
    Builtin {
        name: "datetime",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(TEXTS)), zone(), optional("pattern", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Datetime),
        says: "The instant in a text: in ISO 8601, or by a pattern. A text without an offset is read in the time zone; without a time zone, the result is missing.",
        examples: &[
            Example { call: r#"datetime("2026-03-01T13:00:00+01:00")"#, gives: "2026-03-01T12:00:00Z" },
            Example { call: r#"datetime("2026-03-01 04:00", "America/Los_Angeles")"#, gives: "2026-03-01T12:00:00Z" },
            Example { call: r#"datetime("3/1/2026 12:00", "UTC", "%m/%d/%Y %H:%M")"#, gives: "2026-03-01T12:00:00Z" },
            Example { call: r#"datetime("2026-03-01 04:00")"#, gives: "missing" },
        ],
        run: datetime,
    },
    Builtin {
        name: "time",
        family: Family::Conversions,
        takes: &[given("value", Takes::OneOf(TEXTS)), optional("pattern", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Time),
        says: "The time of day in a text: as `14:30`, or by a pattern (`time \"%I:%M %p\"`).",
        examples: &[
            Example { call: r#"time("14:30")"#, gives: "14:30:00" },
            Example { call: r#"time("2:30 PM", "%I:%M %p")"#, gives: "14:30:00" },
            Example { call: r#"time("25:00")"#, gives: "missing" },
        ],
        run: |args| {
            let Some(text) = text_of(args) else { return Ok(Value::ABSENT) };
            let time = match args.has(1) {
                true => Time::strptime(args.text(1), text).ok(),
                false if text.contains(':') => Time::from_str(text).ok(),
                false => None,
            };
            Ok(Value::optional(time.map(Value::Time)))
        },
    },
];

fn datetime(args: &Args<'_>) -> Outcome {
    let Some(text) = text_of(args) else { return Ok(Value::ABSENT) };
    let local = if args.has(2) {
        let pattern = args.text(2);
        if let Ok(instant) = Timestamp::strptime(pattern, text) {
            return Ok(Value::DateTime(instant));
        }
        DateTime::strptime(pattern, text)
    } else {
        if let Ok(instant) = Timestamp::from_str(text) {
            return Ok(Value::DateTime(instant));
        }
        // A date alone has no time of day: `start_of_day` says which is meant.
        if text.len() <= 10 {
            return Ok(Value::ABSENT);
        }
        DateTime::from_str(text)
    };
    let (Ok(local), true) = (local, args.has(1)) else { return Ok(Value::ABSENT) };
    let zoned = zone_of(args, 1, "datetime")?.to_zoned(local);
    Ok(Value::optional(zoned.ok().map(|zoned| Value::DateTime(zoned.timestamp()))))
}

/// The text to convert; what is none gives nothing.
fn text_of<'a>(args: &'a Args<'_>) -> Option<&'a str> {
    args.need_text(0, "").ok().map(str::trim).filter(|text| !text.is_empty() && text.len() <= MAX_TEXT)
}

fn number_of(args: &Args<'_>, point: Option<&str>) -> Option<Decimal> {
    match args.get(0) {
        Value::Number(number) => Some(*number),
        Value::Json(json) if json.is_number() => json::digits(&json.to_string()),
        Value::Json(json) if !matches!(&**json, Json::String(_)) => None,
        _ => text_of(args).and_then(|text| read_number(text, point)),
    }
}

/// A number in a text: an optional sign, digits, one decimal point. No exponents; between thousands stands nothing unless the
/// decimal point is said.
pub(super) fn read_number(text: &str, point: Option<&str>) -> Option<Decimal> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match point {
        None => digits.split_once('.').unwrap_or((digits, "")),
        Some(",") => digits.split_once(',').unwrap_or((digits, "")),
        Some(_) => digits.split_once('.').unwrap_or((digits, "")),
    };
    let separator = match point {
        None => None,
        Some(",") => whole.chars().find(|c| matches!(c, '.' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}')),
        Some(_) => whole.chars().find(|c| matches!(c, ',' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}')),
    };
    let whole = match separator {
        None => whole.to_owned(),
        Some(separator) => {
            // Thousands are groups of three behind the first, all set apart by the same sign.
            let mut groups = whole.split(separator);
            let first = groups.next().unwrap_or_default();
            if !(1..=3).contains(&first.len()) || groups.any(|group| group.len() != 3) {
                return None;
            }
            whole.split(separator).collect()
        }
    };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !number(&whole) || !number(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    json::digits(&format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A separator counts only before the decimal point, with groups of three behind it: else a file that mixes both ways of writing
    /// would lose a factor of 100 or 1000.
    #[test]
    fn separators_stand_between_thousands_only() {
        for (text, point, expected) in [
            ("2,468.10", ",", None),
            ("-5.00", ",", None),
            ("1.2.3", ",", None),
            ("12.345.67", ",", None),
            ("1'234.50", ",", None),
            ("1.234.567,8", ",", Some("1234567.8")),
            ("1.234 567", ",", None),
            ("1,5,5", ",", None),
            ("1.234,567.8", ",", None),
            (".234", ",", None),
            ("2.468,10", ",", Some("2468.10")),
            ("1 234,56", ",", Some("1234.56")),
            ("1.234", ",", Some("1234")),
            ("-1.234,50", ",", Some("-1234.50")),
            ("12,5", ",", Some("12.5")),
            ("1234,5", ",", Some("1234.5")),
            ("1234.567,5", ",", None),
            ("2.468,10", ".", None),
            ("2,468.10", ".", Some("2468.10")),
            ("1'234.50", ".", Some("1234.50")),
            ("5,00", ".", None),
            ("1,2,3", ".", None),
        ] {
            let expected: Option<Decimal> = expected.map(|number| number.parse().unwrap());
            assert_eq!(read_number(text, Some(point)), expected, "{text} with {point}");
        }
        assert_eq!(read_number("1,234.50", None), None);
        assert_eq!(read_number("12.50", None), Some("12.50".parse().unwrap()));
    }
}
