//! Between JSON and values, one field at a time.
//!
//! [`decode`] reads a field of a record as its schema describes it; what does not fit is a
//! [`Misread`] that names what was found. [`encode`] writes a value as the target field takes it.
//! Which fields an object has is not known here: objects come in as [`Value::Record`] and are read
//! field by field, and are put together by whoever has the schemas.

use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use thiserror::Error;

use super::money_object;
use super::{Json, Kind, MAX_ITEMS, MAX_TEXT, Missing, Money, Reference, Value, WeightUnit, WireEncoding};

/// A value of a record that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Misread {
    #[error("{found} where {wanted} is expected")]
    Kind { wanted: String, found: String },
    #[error("`{value}` is none of the known values of {of}")]
    Unknown { value: String, of: String },
    #[error("{found} has more than 28 digits")]
    Digits { found: String },
    #[error("a text is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("a list has more than {limit} elements")]
    TooMany { limit: usize },
}

/// A value that its target field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    #[error("{found} where {wanted} is taken")]
    Kind { wanted: String, found: String },
    #[error("{found} is no whole number")]
    Fraction { found: String },
    #[error("a number is too large")]
    TooLarge,
    #[error("`{zone}` is no time zone")]
    Zone { zone: String },
    #[error("the amount is in {found}, and the field takes {fixed} only")]
    Currency { found: String, fixed: String },
}

/// A source field's value. Null and blank text are missing; a field that the record does not have
/// is for the caller to give as [`Value::ABSENT`]. Money comes without a currency.
pub fn decode(json: &Json, kind: &Kind, wire: &WireEncoding) -> Result<Value, Misread> {
    match json {
        Json::Null => return Ok(Value::Missing(Missing::Null)),
        Json::String(text) if text.trim().is_empty() => return Ok(Value::Missing(Missing::Blank)),
        Json::String(text) if text.len() > MAX_TEXT => return Err(Misread::TooLong { limit: MAX_TEXT }),
        _ => {}
    }
    match kind {
        Kind::Text => text_of(json, kind).map(Value::text),
        Kind::Enumeration(of) => {
            let text = text_of(json, kind)?;
            if of.open || of.values.iter().any(|known| known.value == text) {
                Ok(Value::text(text))
            } else {
                Err(Misread::Unknown { value: clip(text), of: of.name.clone() })
            }
        }
        Kind::Integer => {
            let number = number_of(json, kind, wire)?;
            if number.fract().is_zero() { Ok(Value::Number(number.trunc().normalize())) } else { Err(wrong(kind, json)) }
        }
        Kind::Decimal => number_of(json, kind, wire).map(Value::Number),
        Kind::Money => match money_names(wire) {
            Some(names) => money_object::decode(json, names),
            None => number_of(json, kind, wire).map(|amount| Value::Money(Money { amount, currency: None })),
        },
        Kind::Boolean => json.as_bool().map(Value::Boolean).ok_or_else(|| wrong(kind, json)),
        Kind::Date => {
            let text = text_of(json, kind)?.trim();
            date_of(text).map(Value::Date).ok_or_else(|| wrong(kind, json))
        }
        Kind::Time => {
            let text = text_of(json, kind)?.trim().trim_end_matches(['Z', 'z']);
            Time::from_str(text).map(Value::Time).map_err(|_| wrong(kind, json))
        }
        Kind::Datetime if *wire == WireEncoding::UnixSeconds => {
            let seconds = number_of(json, kind, &WireEncoding::NumberText)?;
            let milliseconds = seconds.checked_mul(Decimal::ONE_THOUSAND).and_then(|ms| i64::try_from(ms.trunc()).ok());
            milliseconds.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(Value::DateTime).ok_or_else(|| wrong(kind, json))
        }
        Kind::Datetime => {
            let text = text_of(json, kind)?.trim();
            instant_of(text, wire).map(Value::DateTime).ok_or_else(|| wrong(kind, json))
        }
        Kind::Duration => {
            let text = text_of(json, kind)?;
            SignedDuration::from_str(text.trim()).map(Value::Duration).map_err(|_| wrong(kind, json))
        }
        Kind::Weight => decode_weight(json, kind, wire),
        Kind::Length => match wire {
            WireEncoding::LengthNumber { unit } => Ok(Value::Length(number_of(json, kind, wire)?, *unit)),
            _ => Err(wrong(kind, json)),
        },
        Kind::Reference(_) => match json {
            // The name stands in the connection's snapshot; until it is looked up the id is its name.
            Json::String(text) => Ok(reference(text, json)),
            Json::Number(number) => Ok(reference(&number.to_string(), json)),
            _ => Err(wrong(kind, json)),
        },
        Kind::List(of) => decode_list(json, kind, &of.kind, wire),
        Kind::Object(_) => match json {
            Json::Object(_) => Ok(Value::Record(Arc::new(json.clone()))),
            _ => Err(wrong(kind, json)),
        },
        Kind::Row(_) | Kind::Json | Kind::Any => Ok(Value::Json(Arc::new(json.clone()))),
    }
}

/// The nodes of a GraphQL connection: `{"edges": [{"node": …}], "pageInfo": …}`. An edge without a node is one that the caller may not see.
/// `None`: it is none.
pub fn connection_nodes(json: &Json) -> Option<Vec<&Json>> {
    let fields = json.as_object().filter(|fields| fields.keys().all(|name| matches!(name.as_str(), "edges" | "pageInfo" | "totalCount")))?;
    let edges = fields.get("edges")?.as_array()?;
    Some(edges.iter().filter_map(|edge| edge.get("node")).filter(|node| !node.is_null()).collect())
}

/// The elements of a list in whatever envelope it comes: none, Salesforce's `records`, the nodes of a GraphQL connection. `None`: it is no
/// list.
pub fn list_elements(json: &Json) -> Option<Vec<&Json>> {
    match json {
        Json::Array(items) => Some(items.iter().collect()),
        Json::Object(fields) => match fields.get("records") {
            Some(Json::Array(records)) => Some(records.iter().collect()),
            _ => connection_nodes(json),
        },
        _ => None,
    }
}

fn decode_weight(json: &Json, kind: &Kind, wire: &WireEncoding) -> Result<Value, Misread> {
    match wire {
        WireEncoding::WeightNumber { unit } => Ok(Value::Weight(number_of(json, kind, wire)?, *unit)),
        WireEncoding::WeightObject { value, units, words } => {
            let Json::Object(fields) = json else { return Err(wrong(kind, json)) };
            let (Some(amount), Some(word)) = (fields.get(value), fields.get(units)) else {
                return Ok(Value::Missing(Missing::Null));
            };
            if amount.is_null() || word.is_null() {
                return Ok(Value::Missing(Missing::Null));
            }
            let amount = number_of(amount, kind, wire)?;
            let word = text_of(word, kind)?;
            let unit = words
                .iter()
                .find(|(_, known)| known.eq_ignore_ascii_case(word))
                .map(|(unit, _)| *unit)
                .or_else(|| WeightUnit::parse(word))
                .ok_or_else(|| Misread::Unknown { value: clip(word), of: "the units of a weight".to_owned() })?;
            Ok(Value::Weight(amount, unit))
        }
        _ => Err(wrong(kind, json)),
    }
}

fn decode_list(json: &Json, kind: &Kind, of: &Kind, wire: &WireEncoding) -> Result<Value, Misread> {
    let items = match (wire, json) {
        (WireEncoding::Separated { by }, Json::String(text)) => {
            let parts: Vec<&str> = text.split(by.as_str()).map(str::trim).filter(|part| !part.is_empty()).collect();
            if parts.len() > MAX_ITEMS {
                return Err(Misread::TooMany { limit: MAX_ITEMS });
            }
            let mut values = Vec::with_capacity(parts.len());
            for part in parts {
                values.push(decode(&Json::from(part), of, &WireEncoding::Plain)?);
            }
            return Ok(Value::list(values));
        }
        (WireEncoding::Connection, Json::Object(fields)) => match fields.get("edges") {
            Some(Json::Array(edges)) if edges.len() > MAX_ITEMS => return Err(Misread::TooMany { limit: MAX_ITEMS }),
            Some(Json::Array(edges)) => {
                // An edge without a node is one that the caller may not see.
                let nodes = edges.iter().filter_map(|edge| edge.get("node")).filter(|node| !node.is_null());
                return nodes.map(|node| decode(node, of, &WireEncoding::Plain)).collect::<Result<Vec<_>, _>>().map(Value::list);
            }
            Some(Json::Null) | None => return Ok(Value::list(Vec::new())),
            Some(_) => return Err(wrong(kind, json)),
        },
        (WireEncoding::Records, Json::Object(fields)) => match fields.get("records") {
            Some(Json::Array(items)) => items,
            Some(Json::Null) | None => return Ok(Value::list(Vec::new())),
            Some(_) => return Err(wrong(kind, json)),
        },
        // Records made by hand (fixtures) may leave the envelope away.
        (_, Json::Array(items)) => items,
        _ => return Err(wrong(kind, json)),
    };
    if items.len() > MAX_ITEMS {
        return Err(Misread::TooMany { limit: MAX_ITEMS });
    }
    let inner = match wire {
        WireEncoding::Records | WireEncoding::Connection | WireEncoding::Separated { .. } => &WireEncoding::Plain,
        other => other,
    };
    let values: Result<Vec<Value>, Misread> = items.iter().map(|item| decode(item, of, inner)).collect();
    values.map(Value::list)
}

/// A value as its target field takes it; a missing one is `null`, which the caller leaves out or
/// sends. Lists of scalars are written whole; an object that a mapping built is written as it is.
pub fn encode(value: &Value, kind: &Kind, wire: &WireEncoding) -> Result<Json, Unfit> {
    let unfit = || Unfit::Kind { wanted: kind.to_string(), found: value.noun().to_owned() };
    if value.is_missing() {
        return Ok(Json::Null);
    }
    match kind {
        Kind::Text | Kind::Enumeration(_) => match value {
            Value::Text(text) => Ok(Json::from(&**text)),
            Value::Reference(reference) => match &reference.id {
                Json::String(id) => Ok(Json::from(id.as_str())),
                other => Ok(Json::from(other.to_string())),
            },
            _ => Err(unfit()),
        },
        Kind::Integer => match value {
            Value::Number(number) if number.fract().is_zero() => Ok(number_in(number.trunc().normalize(), wire)),
            Value::Number(number) => Err(Unfit::Fraction { found: number.to_string() }),
            Value::Reference(reference) => Ok(reference.id.clone()),
            _ => Err(unfit()),
        },
        Kind::Decimal | Kind::Money => match value {
            Value::Number(number) if let Some(names) = money_names(wire) => money_object::encode(&Money { amount: *number, currency: None }, names),
            Value::Number(number) => Ok(number_in(*number, wire)),
            Value::Money(money) if let Some(names) = money_names(wire) => money_object::encode(money, names),
            Value::Money(money) => match (&money.currency, wire) {
                (Some(found), WireEncoding::Amount { currency: Some(fixed), .. }) if **found != **fixed => {
                    Err(Unfit::Currency { found: found.to_string(), fixed: fixed.clone() })
                }
                _ => Ok(number_in(money.amount, wire)),
            },
            _ => Err(unfit()),
        },
        Kind::Boolean => value.as_bool().map(Json::Bool).ok_or_else(unfit),
        Kind::Date => match value {
            Value::Date(date) => Ok(Json::from(date.to_string())),
            _ => Err(unfit()),
        },
        Kind::Time => match value {
            Value::Time(time) => Ok(Json::from(time.to_string())),
            _ => Err(unfit()),
        },
        Kind::Datetime => match value {
            Value::DateTime(instant) if *wire == WireEncoding::UnixSeconds => Ok(Json::from(instant.as_second())),
            Value::DateTime(instant) => instant_text(*instant, wire).map(Json::from),
            _ => Err(unfit()),
        },
        Kind::Duration => match value {
            Value::Duration(duration) => Ok(Json::from(duration.to_string())),
            _ => Err(unfit()),
        },
        Kind::Weight => match value {
            Value::Weight(amount, unit) => encode_weight(*amount, *unit, wire).unwrap_or_else(|| Err(unfit())),
            // The sum of no weights has no unit.
            Value::Number(zero) if zero.is_zero() => encode_weight(Decimal::ZERO, WeightUnit::Gram, wire).unwrap_or_else(|| Err(unfit())),
            _ => Err(unfit()),
        },
        Kind::Length => match (value, wire) {
            (Value::Length(amount, from), WireEncoding::LengthNumber { unit }) => {
                let amount = from.convert(*amount, *unit).ok_or(Unfit::TooLarge)?;
                Ok(number_json(without_noise(amount)))
            }
            (Value::Number(zero), WireEncoding::LengthNumber { .. }) if zero.is_zero() => Ok(number_json(Decimal::ZERO)),
            _ => Err(unfit()),
        },
        Kind::Reference(_) => match value {
            Value::Reference(reference) => Ok(reference.id.clone()),
            _ => Err(unfit()),
        },
        Kind::List(of) => {
            let Value::List(values) = value else { return Err(unfit()) };
            if let WireEncoding::Separated { by } = wire {
                let texts: Vec<String> = values.iter().filter_map(Value::printed).collect();
                return Ok(Json::from(texts.join(by)));
            }
            let inner = if matches!(wire, WireEncoding::Records | WireEncoding::Connection) { &WireEncoding::Plain } else { wire };
            values.iter().map(|value| encode(value, &of.kind, inner)).collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        Kind::Object(_) => match value {
            Value::Object(_) | Value::Record(_) => Ok(to_json(value)),
            _ => Err(unfit()),
        },
        Kind::Row(_) | Kind::Json | Kind::Any => Ok(to_json(value)),
    }
}

/// `None` where the wire is none of a weight. The value's own unit is taken where the system
/// takes it, then one of the same family, so that the conversion is exact; then the preferred one.
fn encode_weight(amount: Decimal, unit: WeightUnit, wire: &WireEncoding) -> Option<Result<Json, Unfit>> {
    match wire {
        WireEncoding::WeightNumber { unit: to } => Some(converted(amount, unit, *to).map(number_json)),
        WireEncoding::WeightObject { value, units, words } => {
            let (to, word) = words
                .iter()
                .find(|(to, _)| *to == unit)
                .or_else(|| words.iter().find(|(to, _)| to.is_metric() == unit.is_metric()))
                .or_else(|| words.first())?;
            Some(converted(amount, unit, *to).map(|amount| {
                let mut fields = serde_json::Map::new();
                fields.insert(value.clone(), number_json(amount));
                fields.insert(units.clone(), Json::from(word.as_str()));
                Json::Object(fields)
            }))
        }
        _ => None,
    }
}

fn converted(amount: Decimal, from: WeightUnit, to: WeightUnit) -> Result<Decimal, Unfit> {
    let converted = from.convert(amount, to).ok_or(Unfit::TooLarge)?;
    Ok(if from.is_metric() == to.is_metric() { converted } else { without_noise(converted) })
}

/// A quotient that does not end keeps six places: a millionth of an ounce weighs nothing.
fn without_noise(amount: Decimal) -> Decimal {
    if amount.scale() > 12 { amount.round_dp(6).normalize() } else { amount }
}

/// A value in the plain form of its kind, whatever field it goes to: for traces, expectations and
/// fields of kind `json`.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Missing(_) => Json::Null,
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Number(number) => number_json(*number),
        Value::Money(money) => number_json(money.amount),
        Value::Reference(reference) => reference.id.clone(),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Record(json) | Value::Json(json) => (**json).clone(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_missing())
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Text(_) | Value::Date(_) | Value::Time(_) | Value::DateTime(_) | Value::Duration(_) | Value::Weight(..) | Value::Length(..) => {
            Json::from(value.to_string())
        }
    }
}

/// A number by its digits, trailing zeros kept.
pub fn number_json(number: Decimal) -> Json {
    // A decimal prints as a JSON number; the text form is for the case that it ever should not.
    let text = number.to_string();
    serde_json::from_str::<serde_json::Number>(&text).map_or(Json::String(text), Json::Number)
}

/// The exact decimal of a number's digits (`12.50`, `1e3`); `None` past 28 digits.
pub fn digits(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        // Beyond this the decimal cannot hold it, and its reader need not try.
        let exponent: i64 = text.split(['e', 'E']).nth(1)?.parse().ok()?;
        if !(-40..=40).contains(&exponent) {
            return None;
        }
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok()
}

fn number_in(number: Decimal, wire: &WireEncoding) -> Json {
    match wire {
        WireEncoding::NumberText => Json::from(number.to_string()),
        _ => number_json(number),
    }
}

fn money_names(wire: &WireEncoding) -> Option<money_object::Names<'_>> {
    let WireEncoding::MoneyObject { amount, currency, minor_digits, text } = wire else { return None };
    Some(money_object::Names { amount, currency, minor_digits: minor_digits.as_deref(), text: *text })
}

/// Whether a value has the form of money in an object; true for other encodings.
pub fn fits_wire(json: &Json, wire: &WireEncoding) -> bool {
    money_names(wire).is_none_or(|names| money_object::fits(json, names))
}

fn text_of<'a>(json: &'a Json, kind: &Kind) -> Result<&'a str, Misread> {
    json.as_str().ok_or_else(|| wrong(kind, json))
}

fn number_of(json: &Json, kind: &Kind, wire: &WireEncoding) -> Result<Decimal, Misread> {
    let text = match (json, wire) {
        (Json::Number(number), _) => number.to_string(),
        (Json::String(text), WireEncoding::NumberText) => {
            let text = text.trim();
            if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
                return Err(wrong(kind, json));
            }
            text.to_owned()
        }
        _ => return Err(wrong(kind, json)),
    };
    digits(&text).ok_or_else(|| match text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        true => Misread::Digits { found: clip(&text) },
        false => wrong(kind, json),
    })
}

/// A date, alone or at midnight; a time of day in it would be lost, so it is no date.
fn date_of(text: &str) -> Option<Date> {
    if text.len() <= 10 {
        return Date::from_str(text).ok();
    }
    let (date, time) = text.split_once(['T', ' '])?;
    let at_midnight = time.chars().all(|c| matches!(c, '0' | ':' | '.' | 'Z' | '+'));
    if at_midnight { Date::from_str(date).ok() } else { None }
}

fn instant_of(text: &str, wire: &WireEncoding) -> Option<Timestamp> {
    if let Ok(instant) = Timestamp::from_str(text) {
        return Some(instant);
    }
    let WireEncoding::Zoned { zone, pattern } = wire else { return None };
    let local = DateTime::from_str(text).or_else(|_| DateTime::strptime(pattern, text)).ok()?;
    let zoned = TimeZone::get(zone).ok()?.to_zoned(local).ok()?;
    Some(zoned.timestamp())
}

fn instant_text(instant: Timestamp, wire: &WireEncoding) -> Result<String, Unfit> {
    match wire {
        WireEncoding::Zoned { zone, pattern } => {
            let zone = TimeZone::get(zone).map_err(|_| Unfit::Zone { zone: zone.clone() })?;
            let zoned = instant.to_zoned(zone);
            jiff::fmt::strtime::format(pattern, &zoned)
                .map_err(|_| Unfit::Kind { wanted: format!("an instant as `{pattern}`"), found: instant.to_string() })
        }
        _ => Ok(instant.to_string()),
    }
}

fn reference(name: &str, id: &Json) -> Value {
    Value::Reference(Arc::new(Reference { name: name.into(), id: id.clone() }))
}

fn wrong(kind: &Kind, json: &Json) -> Misread {
    let found = match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Number(number) => format!("the number {}", clip(&number.to_string())),
        Json::String(text) => format!("the text \"{}\"", clip(text)),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(_) => "an object".to_owned(),
    };
    let wanted = match kind {
        Kind::Integer => "an integer".to_owned(),
        Kind::Object(of) => format!("an object ({of})"),
        Kind::Money | Kind::Json | Kind::Any | Kind::Reference(_) => kind.to_string(),
        Kind::Enumeration(of) => format!("a value of {}", of.name),
        _ => format!("a {kind}"),
    };
    Misread::Kind { wanted, found }
}

fn clip(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::{Enumeration, Known, LengthUnit, Type};

    fn ounces() -> WireEncoding {
        WireEncoding::WeightObject {
            value: "value".into(),
            units: "units".into(),
            words: vec![(WeightUnit::Ounce, "ounces".into()), (WeightUnit::Gram, "grams".into())],
        }
    }

    fn pacific() -> WireEncoding {
        WireEncoding::Zoned { zone: "America/Los_Angeles".into(), pattern: "%Y-%m-%dT%H:%M:%S.0000000".into() }
    }

    fn read(json: Json, kind: Kind, wire: WireEncoding) -> String {
        match decode(&json, &kind, &wire) {
            Ok(value) => value.to_string(),
            Err(misread) => misread.to_string(),
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let amount = serde_json::from_str::<Json>("12.50").expect("a number");
        assert_eq!(read(amount.clone(), Kind::Decimal, WireEncoding::Plain), "12.50");
        let money = decode(&amount, &Kind::Money, &WireEncoding::Amount { currency_field: None, unlisted: false, currency: None }).expect("fits");
        assert_eq!(encode(&money, &Kind::Money, &WireEncoding::Plain), Ok(amount));
        assert_eq!(read(json!("12.50"), Kind::Decimal, WireEncoding::NumberText), "12.50");
        assert_eq!(read(serde_json::from_str("1e3").expect("a number"), Kind::Integer, WireEncoding::Plain), "1000");
        assert_eq!(read(json!("12.50"), Kind::Decimal, WireEncoding::Plain), "the text \"12.50\" where a decimal is expected");
        let long = serde_json::from_str("1.00000000000000000000000000000000001").expect("a number");
        assert!(matches!(decode(&long, &Kind::Decimal, &WireEncoding::Plain), Err(Misread::Digits { .. })));
        assert!(decode(&json!("x"), &Kind::Decimal, &WireEncoding::NumberText).is_err());
    }

    #[test]
    fn three_ways_of_not_being_there() {
        assert_eq!(decode(&Json::Null, &Kind::Text, &WireEncoding::Plain), Ok(Value::Missing(Missing::Null)));
        assert_eq!(decode(&json!("  "), &Kind::Date, &WireEncoding::Plain), Ok(Value::Missing(Missing::Blank)));
    }

    #[test]
    fn a_new_value_of_a_closed_enumeration_is_a_misread() {
        let kind = |open| {
            Kind::Enumeration(Arc::new(Enumeration {
                name: "crm.Order.Status".into(),
                values: vec![Known { value: "Draft".into(), label: None }],
                open,
            }))
        };
        assert_eq!(read(json!("Draft"), kind(false), WireEncoding::Plain), "Draft");
        assert_eq!(read(json!("Held"), kind(false), WireEncoding::Plain), "`Held` is none of the known values of crm.Order.Status");
        assert_eq!(read(json!("Held"), kind(true), WireEncoding::Plain), "Held");
    }

    #[test]
    fn instants_come_in_many_spellings() {
        for text in ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000+0000", "2026-03-01T13:00:00+01:00"] {
            assert_eq!(read(json!(text), Kind::Datetime, WireEncoding::Plain), "2026-03-01T12:00:00Z");
        }
        for text in ["2026-03-01T04:00:00.0000000", "2026-03-01 04:00:00", "2026-03-01T04:00:00"] {
            assert_eq!(read(json!(text), Kind::Datetime, pacific()), "2026-03-01T12:00:00Z");
        }
        assert!(decode(&json!("2026-03-01T04:00:00"), &Kind::Datetime, &WireEncoding::Plain).is_err());
        let noon = Value::DateTime("2026-03-01T12:00:00Z".parse().expect("an instant"));
        assert_eq!(encode(&noon, &Kind::Datetime, &pacific()), Ok(json!("2026-03-01T04:00:00.0000000")));
        assert_eq!(encode(&noon, &Kind::Datetime, &WireEncoding::Plain), Ok(json!("2026-03-01T12:00:00Z")));
    }

    #[test]
    fn a_date_with_a_time_of_day_is_no_date() {
        assert_eq!(read(json!("2026-03-01"), Kind::Date, WireEncoding::Plain), "2026-03-01");
        assert_eq!(read(json!("2026-03-01T00:00:00.000Z"), Kind::Date, WireEncoding::Plain), "2026-03-01");
        assert!(decode(&json!("2026-03-01T08:30:00Z"), &Kind::Date, &WireEncoding::Plain).is_err());
    }

    #[test]
    fn weights_are_written_in_a_unit_of_their_family() {
        let kilograms = Value::Weight(Decimal::new(25, 1), WeightUnit::Kilogram);
        assert_eq!(encode(&kilograms, &Kind::Weight, &ounces()).map(|json| json.to_string()), Ok(r#"{"value":2500,"units":"grams"}"#.to_owned()));
        let pounds = Value::Weight(Decimal::ONE, WeightUnit::Pound);
        assert_eq!(encode(&pounds, &Kind::Weight, &ounces()).map(|json| json.to_string()), Ok(r#"{"value":16,"units":"ounces"}"#.to_owned()));
        let back = decode(&json!({"value": 16, "units": "ounces"}), &Kind::Weight, &ounces());
        assert_eq!(back, Ok(Value::Weight(Decimal::from(16), WeightUnit::Ounce)));
        let empty = decode(&json!({"value": null, "units": "ounces"}), &Kind::Weight, &ounces());
        assert!(empty.is_ok_and(|value| value.is_missing()));
        let feet = Value::Length(Decimal::ONE, LengthUnit::Foot);
        let inches = WireEncoding::LengthNumber { unit: LengthUnit::Inch };
        assert_eq!(encode(&feet, &Kind::Length, &inches).map(|json| json.to_string()), Ok("12".to_owned()));
    }

    #[test]
    fn lists_come_in_an_envelope_or_separated() {
        let texts = Kind::List(Box::new(Type::some(Kind::Text)));
        let by = WireEncoding::Separated { by: ";".into() };
        assert_eq!(read(json!("A;B"), texts.clone(), by.clone()), "A, B");
        let back = Value::list(vec![Value::text("A"), Value::text("B")]);
        assert_eq!(encode(&back, &texts, &by), Ok(json!("A;B")));
        let objects = Kind::List(Box::new(Type::some(Kind::Object(crate::value::ObjectRef::new("crm", "OrderItem")))));
        let lines = json!({"totalSize": 1, "done": true, "records": [{"Id": "1"}]});
        let decoded = decode(&lines, &objects, &WireEncoding::Records).expect("fits");
        assert_eq!(decoded.as_list().len(), 1);
        assert!(decode(&json!(5), &objects, &WireEncoding::Records).is_err());
    }

    #[test]
    fn a_fraction_is_no_integer() {
        let half = Value::Number(Decimal::new(5, 1));
        assert_eq!(encode(&half, &Kind::Integer, &WireEncoding::Plain), Err(Unfit::Fraction { found: "0.5".into() }));
        let five = Value::Number(Decimal::new(50, 1));
        assert_eq!(encode(&five, &Kind::Integer, &WireEncoding::Plain).map(|json| json.to_string()), Ok("5".to_owned()));
    }

    #[test]
    fn a_connection_is_a_list_and_is_written_as_one() {
        let kind = Kind::List(Box::new(crate::value::Type::some(Kind::Text)));
        let given = json!({ "edges": [{ "node": "a", "cursor": "1" }, { "node": null }, {}, { "node": "b" }], "pageInfo": {} });
        let value = decode(&given, &kind, &WireEncoding::Connection).expect("fits");
        assert_eq!(value, Value::list(vec![Value::text("a"), Value::text("b")]));
        assert_eq!(encode(&value, &kind, &WireEncoding::Connection).expect("fits"), json!(["a", "b"]));
        for empty in [json!({ "edges": [] }), json!({ "edges": null }), json!({})] {
            assert_eq!(decode(&empty, &kind, &WireEncoding::Connection).expect("fits"), Value::list(Vec::new()));
        }
        assert!(decode(&json!({ "edges": 5 }), &kind, &WireEncoding::Connection).is_err());
        assert!(decode(&json!(5), &kind, &WireEncoding::Connection).is_err());
    }

    #[test]
    fn seconds_since_1970_are_instants() {
        let instant: Timestamp = "2021-06-14T08:44:24Z".parse().expect("an instant");
        for given in [json!(1_623_660_264), json!("1623660264")] {
            assert_eq!(decode(&given, &Kind::Datetime, &WireEncoding::UnixSeconds), Ok(Value::DateTime(instant)));
        }
        assert_eq!(encode(&Value::DateTime(instant), &Kind::Datetime, &WireEncoding::UnixSeconds), Ok(json!(1_623_660_264)));
        for wrong in [json!("2021-06-14T08:44:24Z"), json!(true), json!(99_999_999_999_999_i64)] {
            assert!(decode(&wrong, &Kind::Datetime, &WireEncoding::UnixSeconds).is_err(), "{wrong}");
        }
    }
}
