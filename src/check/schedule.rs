//! When a flow runs: `every 5 minutes`, `every day at 02:00 in "Europe/London"`, a cron string.

use jiff::civil::Time;
use rust_decimal::Decimal;

use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::syntax::tree::{Expr, ExprKind, FromClause, FromClauseKind};

use super::error::schedules as error;
use crate::ir::Schedule;

/// Words for stretches of time, with their milliseconds. A month has no fixed length and is none.
const UNITS: [(&str, i64); 14] = [
    ("second", 1_000),
    ("seconds", 1_000),
    ("minute", 60_000),
    ("minutes", 60_000),
    ("hour", 3_600_000),
    ("hours", 3_600_000),
    ("day", 86_400_000),
    ("days", 86_400_000),
    ("week", 604_800_000),
    ("weeks", 604_800_000),
    ("min", 60_000),
    ("mins", 60_000),
    ("h", 3_600_000),
    ("s", 1_000),
];

const DAYS: [&str; 8] = ["day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The longest stretch of time that a schedule, an overlap, a delay or a deadline takes: a year, as that of a leap year.
pub const LONGEST: i64 = 366 * 86_400_000;

/// Whether a word is a unit of time.
fn is_unit(word: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == word)
}

/// `3 days` in milliseconds; `None` where the word is no unit of time or the number is too large.
pub(super) fn milliseconds(number: Decimal, unit: &str) -> Option<i64> {
    let (_, one) = UNITS.iter().find(|(word, _)| *word == unit)?;
    let exact = number.checked_mul(Decimal::from(*one))?;
    if exact.fract().is_zero() { i64::try_from(exact.normalize().mantissa()).ok().filter(|_| exact.normalize().scale() == 0) } else { None }
}

/// A literal duration such as an overlap, in milliseconds; what is wrong is reported.
pub(super) fn duration(expr: &Expr, what: &str, diags: &mut Vec<Diagnostic>) -> Option<i64> {
    let found = match expr.kind.as_ref() {
        ExprKind::Paren(inner) => return duration(inner, what, diags),
        ExprKind::Quantity { number, unit } => match milliseconds(*number, &unit.node) {
            Some(found) if found <= LONGEST => Some(found),
            Some(_) => {
                diags.push(error::too_long(what, expr.span));
                return None;
            }
            // The unit is known, and the number too large. (A part of a millisecond is no stretch either, and is small.)
            None if is_unit(&unit.node) && *number > Decimal::ONE_HUNDRED => {
                diags.push(error::too_long(what, expr.span));
                return None;
            }
            None => {
                diags.push(error::no_unit_of_time(what, expr.span, unit));
                return None;
            }
        },
        _ => None,
    };
    match found {
        Some(found) if found > 0 => Some(found),
        Some(_) => {
            diags.push(error::not_above_zero(what, expr.span));
            None
        }
        None => {
            diags.push(error::no_duration(what, expr.span));
            None
        }
    }
}

/// A schedule of a `from` block; `None` for a clause that is none, or one that was reported.
pub(super) fn check(clause: &FromClause, project_zone: &jiff::tz::TimeZone, diags: &mut Vec<Diagnostic>) -> Option<Schedule> {
    match &clause.kind {
        FromClauseKind::EveryDuration(expr) => duration(expr, "a schedule", diags).map(Schedule::Every),
        FromClauseKind::EveryDay { day, at, zone } => {
            let zone = zone_name(zone.as_ref(), project_zone, diags);
            let word = day.node.to_lowercase();
            if !DAYS.contains(&word.as_str()) {
                diags.push(error::no_day(day, &DAYS));
                return None;
            }
            let Some(at) = time_of_day(at) else {
                if !matches!(*at.kind, crate::syntax::tree::ExprKind::Broken) {
                    diags.push(error::no_time(at.span));
                }
                return None;
            };
            Some(Schedule::Daily { day: word, at, zone: zone? })
        }
        FromClauseKind::EveryCron { cron, zone } => {
            let zone = zone_name(zone.as_ref(), project_zone, diags);
            match self::cron(&cron.node) {
                Ok(cron) => Some(Schedule::Cron { cron, zone: zone? }),
                Err(wrong) => {
                    diags.push(error::bad_cron(cron.span, &wrong));
                    None
                }
            }
        }
        _ => None,
    }
}

/// The zone's own spelling; the project's where none is written.
fn zone_name(zone: Option<&Spanned<String>>, project: &jiff::tz::TimeZone, diags: &mut Vec<Diagnostic>) -> Option<String> {
    match zone {
        None => Some(project.iana_name().unwrap_or("UTC").to_owned()),
        Some(zone) => known_zone(&zone.node, zone.span, diags),
    }
}

/// A time zone by its name; an unknown one is reported with the nearest.
pub(super) fn known_zone(name: &str, at: Span, diags: &mut Vec<Diagnostic>) -> Option<String> {
    match jiff::tz::TimeZone::get(name) {
        Ok(zone) => Some(zone.iana_name().unwrap_or(name).to_owned()),
        Err(_) => {
            let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
            diags.push(error::no_zone(name, at, &known));
            None
        }
    }
}

fn time_of_day(expr: &Expr) -> Option<Time> {
    match expr.kind.as_ref() {
        ExprKind::Time(time) => Some(*time),
        ExprKind::Paren(inner) => time_of_day(inner),
        _ => None,
    }
}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day of the month", least: 1, most: 31, words: &[] },
    Field { name: "month", least: 1, most: 12, words: MONTHS },
    Field { name: "weekday", least: 0, most: 7, words: WEEKDAYS },
];

/// A cron text as mappings and `crossdock.yaml` may have it: five fields as every cron reads them, and a day that comes. It is given with
/// one space between its fields.
///
/// # Errors
/// Why it is none, to stand behind its name.
pub fn cron(text: &str) -> Result<String, String> {
    cron_fields(text)?;
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The library that finds the next time is the last to judge.
    plain.parse::<croner::Cron>().map_err(|error| error.to_string())?;
    Ok(plain)
}

/// Five fields: `*`, numbers, names, ranges, lists and steps.
fn cron_fields(cron: &str) -> Result<(), String> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("it has {} fields, not 5 (minute, hour, day of the month, month, weekday)", fields.len()));
    }
    let mut sets = Vec::new();
    for (text, field) in fields.iter().zip(&FIELDS) {
        sets.push(cron_field(text, field).map_err(|wrong| format!("the {} `{text}`: {wrong}", field.name))?);
    }
    // A day that none of the months has would never come (the weekday is then a second way in).
    let longest = sets[3]
        .iter()
        .map(|month| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        })
        .max()
        .unwrap_or(31);
    if fields[4] == "*" && sets[2].iter().all(|day| *day > longest) {
        return Err("it never comes: no month that is named has this day".to_owned());
    }
    Ok(())
}

fn cron_field(text: &str, field: &Field) -> Result<Vec<u32>, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0).ok_or("a step is a number above 0")?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (field.least, field.most),
            Some((from, to)) => (cron_number(from, field)?, cron_number(to, field)?),
            None => {
                let one = cron_number(range, field)?;
                (one, if step.is_some() { field.most } else { one })
            }
        };
        if from > to {
            return Err(format!("{range} runs backwards"));
        }
        all.extend((from..=to).step_by(step.unwrap_or(1) as usize));
    }
    Ok(all)
}

fn cron_number(text: &str, field: &Field) -> Result<u32, String> {
    if let Some(at) = field.words.iter().position(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(field.least + at as u32);
    }
    let number = text.parse::<u32>().map_err(|_| "is no number".to_owned())?;
    if (field.least..=field.most).contains(&number) { Ok(number) } else { Err(format!("must lie between {} and {}", field.least, field.most)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax::tree::{ItemKind, SectionKind};

    fn read(clause: &str) -> (Option<Schedule>, Vec<Diagnostic>) {
        let text = format!("edition 1\nflow f {{\n  from crm.Order as order {{\n    {clause}\n  }}\n}}\n");
        let (tree, found) = crate::syntax::read(FileId(0), &text);
        assert!(found.is_empty(), "{found:#?}");
        let ItemKind::Flow(flow) = &tree.items[0].kind else { panic!("a flow") };
        let SectionKind::From(from) = &flow.sections[0].kind else { panic!("a from") };
        let mut diags = Vec::new();
        let zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
        (check(&from.clauses[0], &zone, &mut diags), diags)
    }

    fn said(clause: &str) -> String {
        let (schedule, diags) = read(clause);
        assert!(schedule.is_none());
        diags.iter().map(|d| format!("{}: {} {}", d.message, d.primary.text, d.help.first().map_or("", |h| h.text.as_str()))).collect()
    }

    #[test]
    fn stretches_days_and_crons_are_read() {
        assert_eq!(read("every 5 minutes").0, Some(Schedule::Every(300_000)));
        let london = "Europe/London".to_owned();
        assert_eq!(
            read("every day at 02:00").0,
            Some(Schedule::Daily { day: "day".into(), at: jiff::civil::time(2, 0, 0, 0), zone: london.clone() })
        );
        assert_eq!(
            read("every monday at 02:00 in \"Europe/Berlin\"").0,
            Some(Schedule::Daily { day: "monday".into(), at: jiff::civil::time(2, 0, 0, 0), zone: "Europe/Berlin".into() })
        );
        assert_eq!(read("every \"*/15 6-20 * * MON-FRI\"").0, Some(Schedule::Cron { cron: "*/15 6-20 * * MON-FRI".into(), zone: london }));
    }

    #[test]
    fn what_cannot_come_is_said() {
        assert!(said("every \"0 25 * * *\"").contains("hour `25`: must lie between 0 and 23"));
        assert!(said("every \"0 2 * *\"").contains("it has 4 fields"));
        assert!(said("every \"0 2 30 2 *\"").contains("no month"));
        assert!(said("every day at 02:00 in \"Europe/Londn\"").contains("Europe/London"));
        assert!(said("every 0 minutes").contains("above 0"));
        for long in ["99999999999999 minutes", "367 days", "9999999999999999999999999999 weeks", "8785 hours"] {
            assert!(said(&format!("every {long}")).contains("at most a year"), "{long}: {}", said(&format!("every {long}")));
        }
        assert!(read("every 366 days").0.is_some());
    }

    #[test]
    fn a_stretch_is_exact() {
        assert_eq!(milliseconds(Decimal::new(15, 1), "hours"), Some(5_400_000));
        assert_eq!(milliseconds(Decimal::TEN, "days"), Some(864_000_000));
        assert_eq!(milliseconds(Decimal::ONE, "months"), None);
    }
}
