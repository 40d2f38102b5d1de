//! How a value prints in a template, a message, a trace.
//!
//! Numbers by their digits, money with its currency where it has one, dates and instants in
//! ISO 8601, named things by their name.

use std::fmt;

use jiff::SignedDuration;

use super::{Json, Value};

impl fmt::Display for Value {
    /// A missing value prints as `(none)`, as in a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing(_) => f.write_str("(none)"),
            Value::Boolean(truth) => write!(f, "{truth}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Money(money) => match &money.currency {
                Some(currency) => write!(f, "{} {currency}", money.amount),
                None => write!(f, "{}", money.amount),
            },
            Value::Text(text) => f.write_str(text),
            Value::Date(date) => write!(f, "{date}"),
            Value::Time(time) => write!(f, "{time}"),
            Value::DateTime(instant) => write!(f, "{instant}"),
            Value::Duration(duration) => f.write_str(&duration_text(*duration)),
            Value::Weight(amount, unit) => write!(f, "{amount} {}", unit.word()),
            Value::Length(amount, unit) => write!(f, "{amount} {}", unit.word()),
            Value::Reference(reference) => f.write_str(&reference.name),
            Value::List(values) => {
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                Ok(())
            }
            Value::Json(json) => match &**json {
                Json::String(text) => f.write_str(text),
                other => write!(f, "{other}"),
            },
            Value::Record(json) => write!(f, "{json}"),
            Value::Object(_) => write!(f, "{}", super::json::to_json(self)),
        }
    }
}

impl Value {
    /// The text that a template puts in its place; `None` where the value is missing, and so is
    /// the template.
    pub fn printed(&self) -> Option<String> {
        (!self.is_missing()).then(|| self.to_string())
    }

    /// What it is, for a message about a wrong one: `text`, `a list`.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Missing(_) => "a missing value",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Money(_) => "money",
            Value::Text(_) => "a text",
            Value::Date(_) => "a date",
            Value::Time(_) => "a time",
            Value::DateTime(_) => "a datetime",
            Value::Duration(_) => "a duration",
            Value::Weight(..) => "a weight",
            Value::Length(..) => "a length",
            Value::Reference(_) => "a named thing",
            Value::List(_) => "a list",
            Value::Record(_) | Value::Object(_) => "an object",
            Value::Json(_) => "json",
        }
    }
}

/// `2 days 3 hours`, as an author writes it; the parts that are 0 are left out.
pub fn duration_text(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let parts = [(seconds / 86_400, "day"), (seconds % 86_400 / 3600, "hour"), (seconds % 3600 / 60, "minute"), (seconds % 60, "second")];
    let mut text = String::new();
    for (number, unit) in parts.into_iter().filter(|(number, _)| *number > 0) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{number} {unit}{}", if number == 1 { "" } else { "s" }));
    }
    match (text.is_empty(), duration.is_negative()) {
        (true, _) => "0 seconds".to_owned(),
        (false, true) => format!("-{text}"),
        (false, false) => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rust_decimal::Decimal;

    use super::*;
    use crate::value::{Money, WeightUnit};

    #[test]
    fn values_print_as_an_author_reads_them() {
        let euros = Value::Money(Money { amount: Decimal::new(1250, 2), currency: Some("EUR".into()) });
        assert_eq!(euros.to_string(), "12.50 EUR");
        assert_eq!(Value::Weight(Decimal::new(25, 1), WeightUnit::Kilogram).to_string(), "2.5 kg");
        assert_eq!(Value::Date(jiff::civil::date(2026, 3, 1)).to_string(), "2026-03-01");
        assert_eq!(Value::list(vec![Value::integer(1), Value::text("b")]).to_string(), "1, b");
        assert_eq!(Value::Json(Arc::new(Json::from("plain"))).to_string(), "plain");
        assert_eq!(Value::ABSENT.to_string(), "(none)");
        assert_eq!(Value::ABSENT.printed(), None);
    }

    #[test]
    fn durations_leave_out_what_is_zero() {
        assert_eq!(duration_text(SignedDuration::from_secs(86_400 * 2 + 3600)), "2 days 1 hour");
        assert_eq!(duration_text(SignedDuration::from_secs(-60)), "-1 minute");
        assert_eq!(duration_text(SignedDuration::ZERO), "0 seconds");
    }
}
