//! The final check: a payload against the whole schema of its target.
//!
//! The checker has proved types and presence. Limits on the size of a value (lengths, ranges, decimal places, elements) are checked here,
//! for every payload, before it can be sent.

use regex::Regex;
use rust_decimal::Decimal;

use super::object::{Field, Object, SizeUnit};
use crate::value::{Json, Kind, ObjectRef, WireEncoding, json};

/// One way in which a payload does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `shipTo.street1`, `items[0].sku`
    pub field: String,
    /// What it holds, shortened; empty where it is not there.
    pub value: String,
    /// What is wrong, as a sentence's end: `is longer than 50 characters`.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A whole record: what is required must be there.
    Create,
    /// Some fields: each must be valid by itself.
    Update,
}

/// Everything in which a payload does not fit its target, in the order of the payload.
pub fn fits<'a>(object: &Object, resolve: &dyn Fn(&ObjectRef) -> Option<&'a Object>, payload: &Json, purpose: Purpose) -> Vec<Misfit> {
    let mut found = Vec::new();
    check_object(object, resolve, payload, purpose, "", 0, &mut found);
    found
}

/// Whether a value that is no object, nor a list of objects, fits its field.
pub fn fits_field(field: &Field, value: &Json) -> bool {
    let mut found = Vec::new();
    check_field(field, &|_| None, value, Purpose::Update, "", 0, &mut found);
    found.is_empty()
}

fn misfit(found: &mut Vec<Misfit>, field: &str, value: Option<&Json>, reason: impl Into<String>) {
    let shown = value.map(|value| match value {
        Json::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    });
    let mut shown = shown.unwrap_or_default();
    if shown.chars().count() > 60 {
        shown = shown.chars().take(57).chain("…\"".chars()).collect();
    }
    found.push(Misfit { field: field.to_owned(), value: shown, reason: reason.into() });
}

fn check_object<'a>(
    object: &Object,
    resolve: &dyn Fn(&ObjectRef) -> Option<&'a Object>,
    payload: &Json,
    purpose: Purpose,
    path: &str,
    depth: usize,
    found: &mut Vec<Misfit>,
) {
    let Json::Object(fields) = payload else {
        misfit(found, path, Some(payload), "is no object");
        return;
    };
    if depth > 128 {
        misfit(found, path, None, "is nested deeper than 128 levels");
        return;
    }
    let place = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, value) in fields {
        match object.fields.get(name) {
            None => misfit(found, &place(name), Some(value), format!("is no field of {}", object.name)),
            Some(field) if !field.write.create && !field.write.update => {
                misfit(found, &place(name), Some(value), "cannot be written");
            }
            Some(field) => check_field(field, resolve, value, purpose, &place(name), depth, found),
        }
    }
    // A nested object is sent whole, whatever its parent's purpose.
    if purpose == Purpose::Create || depth > 0 {
        for (name, field) in &object.fields {
            if field.write.required && !fields.contains_key(name) {
                misfit(found, &place(name), None, "is required and not set");
            }
        }
    }
}

fn check_field<'a>(
    field: &Field,
    resolve: &dyn Fn(&ObjectRef) -> Option<&'a Object>,
    value: &Json,
    purpose: Purpose,
    path: &str,
    depth: usize,
    found: &mut Vec<Misfit>,
) {
    if value.is_null() {
        if !field.write.nullable {
            misfit(found, path, None, "cannot be emptied");
        }
        return;
    }
    match (&field.kind, &field.wire) {
        (Kind::List(of), WireEncoding::Separated { by }) => match value {
            Json::String(text) => {
                for part in text.split(by.as_str()) {
                    check_kind(&of.kind, resolve, &Json::String(part.to_owned()), purpose, path, depth, found);
                }
            }
            _ => misfit(found, path, Some(value), "is no text"),
        },
        (Kind::List(of), _) => {
            let Json::Array(items) = value else {
                misfit(found, path, Some(value), "is no list");
                return;
            };
            if let Some(most) = field.max_items.filter(|most| items.len() > *most) {
                misfit(found, path, None, format!("has {} elements and may have {most}", items.len()));
            }
            for (at, item) in items.iter().enumerate() {
                check_kind(&of.kind, resolve, item, purpose, &format!("{path}[{at}]"), depth, found);
            }
        }
        (Kind::Weight, WireEncoding::WeightObject { value: amount, units, words }) => {
            let unit = value.get(units).and_then(Json::as_str);
            let fits = value.get(amount).is_some_and(Json::is_number) && unit.is_some_and(|unit| words.iter().any(|(_, word)| word == unit));
            if !fits {
                misfit(found, path, Some(value), "is no weight");
            }
        }
        (Kind::Money, wire @ WireEncoding::MoneyObject { .. }) => {
            if !json::fits_wire(value, wire) {
                misfit(found, path, Some(value), "is no amount with its currency");
            }
        }
        (Kind::Datetime, WireEncoding::UnixSeconds) => {
            if !value.is_i64() && !value.is_u64() {
                misfit(found, path, Some(value), "is no number of seconds");
            }
        }
        (Kind::Weight | Kind::Length, _) => number(field, value, path, found),
        (Kind::Integer | Kind::Decimal | Kind::Money, WireEncoding::NumberText) => match value.as_str().map(str::parse::<Decimal>) {
            Some(Ok(amount)) => amounts(field, amount, value, path, found),
            _ => misfit(found, path, Some(value), "is no number in a text"),
        },
        (Kind::Integer | Kind::Decimal | Kind::Money, _) => number(field, value, path, found),
        (kind, _) => {
            check_kind(kind, resolve, value, purpose, path, depth, found);
            if let Json::String(text) = value {
                text_limits(field, text, value, path, found);
            }
        }
    }
}

fn number(field: &Field, value: &Json, path: &str, found: &mut Vec<Misfit>) {
    match value {
        Json::Number(digits) => match digits.to_string().parse::<Decimal>() {
            Ok(amount) => amounts(field, amount, value, path, found),
            Err(_) => misfit(found, path, Some(value), "has more than 28 digits"),
        },
        _ => misfit(found, path, Some(value), "is no number"),
    }
}

fn amounts(field: &Field, amount: Decimal, value: &Json, path: &str, found: &mut Vec<Misfit>) {
    let plain = amount.normalize();
    if field.kind == Kind::Integer && plain.scale() > 0 {
        misfit(found, path, Some(value), "is no whole number");
    } else if let Some(places) = field.places.filter(|places| plain.scale() > *places) {
        misfit(found, path, Some(value), format!("has more than {places} decimal places"));
    }
    if let Some(least) = field.minimum.filter(|least| amount < *least) {
        misfit(found, path, Some(value), format!("is less than {least}"));
    }
    if let Some(most) = field.maximum.filter(|most| amount > *most) {
        misfit(found, path, Some(value), format!("is more than {most}"));
    }
    if let Some(digits) = field.digits {
        let whole = digits.saturating_sub(field.places.unwrap_or(0));
        let limit = (0..whole.min(28)).try_fold(Decimal::ONE, |limit, _| limit.checked_mul(Decimal::TEN));
        if limit.is_some_and(|limit| amount.abs() >= limit) {
            misfit(found, path, Some(value), format!("has more than {whole} digits before the point"));
        }
    }
}

fn text_limits(field: &Field, text: &str, value: &Json, path: &str, found: &mut Vec<Misfit>) {
    if let Some(size) = field.size {
        let (length, unit) = match size.unit {
            SizeUnit::Characters => (text.chars().count(), "characters"),
            SizeUnit::Bytes => (text.len(), "bytes"),
            SizeUnit::Utf16 => (text.encode_utf16().count(), "UTF-16 units"),
        };
        if length > size.max {
            misfit(found, path, Some(value), format!("is longer than {} {unit}", size.max));
        } else if length < size.min {
            misfit(found, path, Some(value), format!("is shorter than {} {unit}", size.min));
        }
    }
    if let Some(pattern) = &field.pattern {
        // A pattern that is no regular expression was refused when the schema was read.
        if Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text)) {
            misfit(found, path, Some(value), format!("does not match `{pattern}`"));
        }
    }
}

fn check_kind<'a>(
    kind: &Kind,
    resolve: &dyn Fn(&ObjectRef) -> Option<&'a Object>,
    value: &Json,
    purpose: Purpose,
    path: &str,
    depth: usize,
    found: &mut Vec<Misfit>,
) {
    let fits = match kind {
        Kind::Text | Kind::Date | Kind::Time | Kind::Datetime => value.is_string(),
        Kind::Integer | Kind::Decimal | Kind::Money => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Reference(_) => value.is_number() || value.is_string(),
        Kind::Enumeration(of) => match value {
            Json::String(text) if of.open || of.names().any(|known| known == text) => true,
            Json::String(_) => {
                misfit(found, path, Some(value), format!("is no value of {}", of.name));
                return;
            }
            _ => false,
        },
        Kind::Object(of) => match resolve(of) {
            Some(object) => return check_object(object, resolve, value, purpose, path, depth + 1, found),
            None => value.is_object(),
        },
        Kind::List(of) => match value {
            Json::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    check_kind(&of.kind, resolve, item, purpose, &format!("{path}[{at}]"), depth + 1, found);
                }
                return;
            }
            _ => false,
        },
        Kind::Duration | Kind::Weight | Kind::Length | Kind::Row(_) | Kind::Json | Kind::Any => true,
    };
    if !fits {
        misfit(found, path, Some(value), format!("is no {kind}"));
    }
}
