//! Mistakes about when things happen.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::syntax::tree::Name;

pub(in crate::check) fn no_unit_of_time(what: &str, at: Span, unit: &Name) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, format!("{what} has no stretch of time: `{}` is no unit of time", unit.node))
        .label("seconds, minutes, hours, days or weeks, in whole milliseconds")
        .did_you_mean(&unit.node, unit.span, ["seconds", "minutes", "hours", "days", "weeks"])
}

pub(in crate::check) fn too_long(what: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, format!("{what} takes at most a year"))
        .label("is longer than 366 days")
        .why("it would not end while the project lives: this is a number in another unit, or a typing error")
        .help("write such as   10 minutes")
}

pub(in crate::check) fn not_above_zero(what: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, format!("{what} needs a stretch of time above 0"))
        .label("takes no time at all")
        .help("write such as   5 minutes")
}

pub(in crate::check) fn no_duration(what: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, format!("{what} needs a stretch of time"))
        .label("this is none")
        .why("it is fixed before the first record is fetched, so it cannot be computed")
        .help("write a number and a unit, such as   10 minutes")
}

pub(in crate::check) fn no_day(day: &Name, days: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, day.span, format!("`{}` is no day that a flow could run on", day.node))
        .label("`day` or a weekday")
        .did_you_mean(&day.node, day.span, days.iter().copied())
}

pub(in crate::check) fn no_time(at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, "a daily schedule needs a time of day").label("this is none").help("write such as   02:00")
}

pub(in crate::check) fn no_zone(name: &str, at: Span, known: &[String]) -> Diagnostic {
    let d = Diagnostic::new(Code::BadSchedule, at, format!("there is no time zone \"{name}\""))
        .label("not a name of the time zone database")
        .why("without its zone nobody can say when a time of day is");
    // People write a city (`London`) or a zone's old short name.
    let by_city = known.iter().find(|zone| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name.replace(' ', "_"))));
    match by_city.map(String::as_str).or_else(|| crate::base::nearest(name, known.iter().map(String::as_str))) {
        Some(near) => d.mend(format!("did you mean \"{near}\"?"), at, format!("\"{near}\"")),
        None => d.help("write a region and a city, such as   \"Europe/London\""),
    }
}

pub(in crate::check) fn bad_cron(at: Span, wrong: &str) -> Diagnostic {
    Diagnostic::new(Code::BadSchedule, at, "a cron string cannot be read")
        .label(wrong.to_owned())
        .why("the flow would never run, or not when it is meant to")
        .help("write minute, hour, day of the month, month and weekday:   \"0 6 * * 1-5\" is at 06:00 from Monday to Friday")
}
