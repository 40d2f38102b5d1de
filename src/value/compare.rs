//! Which values are equal, and which comes first.
//!
//! A number beside money stands for an amount in the same currency; weights and lengths compare
//! across their units; a named thing compares with a text by its name. A `json` text or number
//! compares as what it holds.

use std::cmp::Ordering;
use std::sync::Arc;

use rust_decimal::Decimal;
use thiserror::Error;

use super::{Json, Money, Value};

/// Two amounts that have no order: their currencies differ.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{left} and {right} are two currencies")]
pub struct Currencies {
    pub left: String,
    pub right: String,
}

/// The currency that two amounts have in common; one that is not known takes the other's.
pub fn same_currency(left: &Money, right: &Money) -> Result<Option<Arc<str>>, Currencies> {
    match (&left.currency, &right.currency) {
        (Some(a), Some(b)) if a != b => Err(Currencies { left: a.to_string(), right: b.to_string() }),
        (Some(a), _) => Ok(Some(a.clone())),
        (None, b) => Ok(b.clone()),
    }
}

/// What `==` says. A missing value equals a missing value.
pub fn equal(left: &Value, right: &Value) -> Result<bool, Currencies> {
    if left.is_missing() || right.is_missing() {
        return Ok(left.is_missing() && right.is_missing());
    }
    if let Some(order) = compare(left, right)? {
        return Ok(order == Ordering::Equal);
    }
    match (left, right) {
        (Value::Boolean(a), Value::Boolean(b)) => Ok(a == b),
        (Value::Boolean(a), Value::Json(b)) | (Value::Json(b), Value::Boolean(a)) => Ok(b.as_bool() == Some(*a)),
        (Value::Reference(a), Value::Reference(b)) => Ok(a.id == b.id),
        (Value::Reference(a), Value::Text(b)) | (Value::Text(b), Value::Reference(a)) => Ok(*a.name == **b),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(a, b)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (name, a) in a.iter() {
                match b.get(name) {
                    Some(b) if equal(a, b)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Record(a) | Value::Json(a), Value::Record(b) | Value::Json(b)) => Ok(a == b),
        _ => Ok(false),
    }
}

/// What `<` and its kin see. `None` where the two have no order (one is missing, or they are of
/// two kinds): every comparison is then false.
pub fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Currencies> {
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::Money(a), Value::Money(b)) => {
            same_currency(a, b)?;
            Some(a.amount.cmp(&b.amount))
        }
        (Value::Money(a), Value::Number(b)) => Some(a.amount.cmp(b)),
        (Value::Number(a), Value::Money(b)) => Some(a.cmp(&b.amount)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Weight(a, unit), Value::Weight(b, other)) => Some(measured(*a, unit.grams(), *b, other.grams(), unit == other)),
        (Value::Length(a, unit), Value::Length(b, other)) => Some(measured(*a, unit.millimetres(), *b, other.millimetres(), unit == other)),
        (Value::Json(a), b) if is_plain(b) => scalar(a).map_or(Ok(None), |a| compare(&a, b))?,
        (a, Value::Json(b)) if is_plain(a) => scalar(b).map_or(Ok(None), |b| compare(a, &b))?,
        _ => None,
    })
}

/// A total order for `sort`: by kind's own order, missing values last, unordered kinds by their text.
pub fn sort_order(left: &Value, right: &Value) -> Result<Ordering, Currencies> {
    match (left.is_missing(), right.is_missing()) {
        (true, true) => return Ok(Ordering::Equal),
        (true, false) => return Ok(Ordering::Greater),
        (false, true) => return Ok(Ordering::Less),
        (false, false) => {}
    }
    if let (Value::Boolean(a), Value::Boolean(b)) = (left, right) {
        return Ok(a.cmp(b));
    }
    Ok(match compare(left, right)? {
        Some(order) => order,
        None => key(left).cmp(&key(right)),
    })
}

/// A text that two values share just when they are equal: for grouping, `distinct`, table keys.
pub fn key(value: &Value) -> String {
    match value {
        Value::Missing(_) => "-".to_owned(),
        Value::Boolean(truth) => format!("b{truth}"),
        Value::Number(number) => format!("n{}", number.normalize()),
        Value::Money(money) => format!("m{} {}", money.amount.normalize(), money.currency.as_deref().unwrap_or("")),
        Value::Text(text) => format!("t{text}"),
        Value::Date(date) => format!("d{date}"),
        Value::Time(time) => format!("h{time}"),
        Value::DateTime(instant) => format!("i{instant}"),
        Value::Duration(duration) => format!("p{}", duration.as_nanos()),
        Value::Weight(amount, unit) => format!("w{}", in_base(*amount, unit.grams(), unit.word())),
        Value::Length(amount, unit) => format!("l{}", in_base(*amount, unit.millimetres(), unit.word())),
        Value::Reference(reference) => format!("r{}", reference.id),
        Value::List(values) => {
            let mut all = String::from("[");
            for value in values.iter() {
                let one = key(value);
                all.push_str(&format!("{}:{one}", one.len()));
            }
            all
        }
        Value::Record(json) => format!("j{json}"),
        Value::Json(json) => scalar(json).map_or_else(|| format!("j{json}"), |value| key(&value)),
        Value::Object(fields) => {
            let mut all = String::from("{");
            for (name, value) in fields.iter() {
                let one = key(value);
                all.push_str(&format!("{}:{name}{}:{one}", name.len(), one.len()));
            }
            all
        }
    }
}

fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Number(_) | Value::Money(_) | Value::Text(_) | Value::Json(_))
}

/// A text or a number of a `json`.
fn scalar(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::text(text.as_str())),
        Json::Number(number) => super::json::digits(&number.to_string()).map(Value::Number),
        _ => None,
    }
}

fn measured(a: Decimal, of_a: Decimal, b: Decimal, of_b: Decimal, same_unit: bool) -> Ordering {
    if same_unit {
        return a.cmp(&b);
    }
    match (a.checked_mul(of_a), b.checked_mul(of_b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // Past 28 digits in the base unit: the bigger unit count decides by quotient.
        _ => match (a.checked_div(of_b), b.checked_div(of_a)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.cmp(&b),
        },
    }
}

fn in_base(amount: Decimal, factor: Decimal, word: &str) -> String {
    amount.checked_mul(factor).map_or_else(|| format!("{} {word}", amount.normalize()), |base| base.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::WeightUnit;

    fn money(amount: i64, currency: &str) -> Value {
        Value::Money(Money { amount: Decimal::from(amount), currency: Some(currency.into()) })
    }

    #[test]
    fn trailing_zeros_and_units_make_no_difference() {
        let plain = Value::Number(Decimal::new(5, 0));
        let padded = Value::Number(Decimal::new(500, 2));
        assert_eq!(equal(&plain, &padded), Ok(true));
        assert_eq!(key(&plain), key(&padded));
        let kilogram = Value::Weight(Decimal::ONE, WeightUnit::Kilogram);
        let grams = Value::Weight(Decimal::from(1000), WeightUnit::Gram);
        assert_eq!(equal(&kilogram, &grams), Ok(true));
        assert_eq!(key(&kilogram), key(&grams));
    }

    #[test]
    fn two_currencies_have_no_order() {
        assert!(equal(&money(5, "EUR"), &money(5, "USD")).is_err());
        assert_eq!(compare(&money(5, "EUR"), &Value::integer(6)), Ok(Some(Ordering::Less)));
    }

    #[test]
    fn missing_equals_missing_only_and_sorts_last() {
        assert_eq!(equal(&Value::ABSENT, &Value::Missing(super::super::Missing::Null)), Ok(true));
        assert_eq!(equal(&Value::ABSENT, &Value::text("")), Ok(false));
        assert_eq!(sort_order(&Value::ABSENT, &Value::text("")), Ok(Ordering::Greater));
        assert_eq!(compare(&Value::ABSENT, &Value::integer(1)), Ok(None));
    }

    #[test]
    fn a_json_text_compares_as_its_text() {
        let json = Value::Json(Arc::new(Json::from("IOSS")));
        assert_eq!(equal(&json, &Value::text("IOSS")), Ok(true));
        assert_eq!(equal(&json, &Value::integer(1)), Ok(false));
        assert_eq!(equal(&json, &json), Ok(true));
    }

    #[test]
    fn keys_of_lists_do_not_run_together() {
        let one = Value::list(vec![Value::text("a"), Value::text("b")]);
        let other = Value::list(vec![Value::text("a3:tb")]);
        assert_ne!(key(&one), key(&other));
    }
}
