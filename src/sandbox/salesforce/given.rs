//! What a caller gives for fields, read by their kinds. What cannot be read is the whole request's fault.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Map;

use super::catalog::{Field, Holds, Text, Type};
use super::cell::{Cell, to_millisecond};
use super::refusal::Refusal;
use super::store::Store;
use crate::value::Json;

/// A field of an object with its new value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) field: usize,
    pub(super) value: New,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum New {
    Cell(Cell),
    /// An id as it was written: whether there is such a record is the row's matter.
    Id(String),
    /// `"Account": {"Crossdock_Key__c": "x"}`: the record of a table whose field has the text.
    By {
        table: usize,
        field: usize,
        text: String,
    },
}

/// Reads the fields of a record; `attributes` and what `apart` names are left out.
///
/// # Errors
/// `INVALID_FIELD` where there is no such field, `JSON_PARSER_ERROR` where a value is not of its kind.
pub(super) fn read(store: &Store, table: usize, body: &Map<String, Json>, apart: &[&str]) -> Result<Vec<Given>, Refusal> {
    let of = &store.catalog.types[table];
    let mut given: Vec<Given> = Vec::with_capacity(body.len());
    for (name, json) in body {
        if name == "attributes" || apart.iter().any(|apart| apart.eq_ignore_ascii_case(name)) {
            continue;
        }
        let read = one(store, of, name, json)?;
        match given.iter_mut().find(|known| known.field == read.field) {
            Some(known) => *known = read,
            None => given.push(read),
        }
    }
    Ok(given)
}

fn one(store: &Store, of: &Type, name: &str, json: &Json) -> Result<Given, Refusal> {
    if let Some(field) = of.field(name) {
        return Ok(Given { field, value: value(&of.fields[field], json)? });
    }
    let missing = || Refusal::new("INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", of.name));
    let parent = of.parents.get(&name.to_lowercase()).ok_or_else(missing)?;
    if json.is_null() {
        return Ok(Given { field: parent.field, value: New::Cell(Cell::Null) });
    }
    let target = &store.catalog.types[parent.table];
    let mut by = json.as_object().into_iter().flatten().filter(|(key, _)| *key != "attributes");
    let (Some((key, value)), None) = (by.next(), by.next()) else {
        return Err(Refusal::new("JSON_PARSER_ERROR", format!("The relationship '{name}' takes an object with one external id")));
    };
    let field = target.field(key).filter(|field| target.fields[*field].lookup);
    let Some(field) = field else {
        return Err(Refusal::new("INVALID_FIELD", format!("{key} is no external ID or indexed field for {}", target.name)).of(key));
    };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(Given { field: parent.field, value: New::By { table: parent.table, field, text } })
}

fn value(field: &Field, json: &Json) -> Result<New, Refusal> {
    let wants = match &field.holds {
        Holds::Id | Holds::Reference(_) => "reference",
        Holds::Text(..) | Holds::Picklist { .. } => "string",
        Holds::Boolean => "boolean",
        Holds::Integer => "int",
        Holds::Decimal => "double",
        Holds::Currency => "currency",
        Holds::Date => "date",
        Holds::Datetime => "datetime",
        Holds::Address(_) => "address",
    };
    let wrong = || {
        let (token, shown) = match json {
            Json::Null => ("VALUE_NULL", "null".to_owned()),
            Json::Bool(truth) => (if *truth { "VALUE_TRUE" } else { "VALUE_FALSE" }, truth.to_string()),
            Json::Number(number) => (if number.to_string().contains('.') { "VALUE_NUMBER_FLOAT" } else { "VALUE_NUMBER_INT" }, number.to_string()),
            Json::String(text) => ("VALUE_STRING", text.clone()),
            Json::Array(_) => ("START_ARRAY", "[".to_owned()),
            Json::Object(_) => ("START_OBJECT", "{".to_owned()),
        };
        Refusal::new(
            "JSON_PARSER_ERROR",
            format!("Cannot deserialize instance of {wants} from {token} value {shown} or request may be missing a required field: {}", field.name),
        )
    };
    let cell = match (&field.holds, json) {
        (Holds::Boolean, Json::Null) => return Err(wrong()),
        (_, Json::Null) => Cell::Null,
        (Holds::Id | Holds::Reference(_), Json::String(text)) if text.is_empty() => Cell::Null,
        (Holds::Id | Holds::Reference(_), Json::String(text)) => return Ok(New::Id(text.clone())),
        (Holds::Text(Text::Area, _), Json::String(text)) => Cell::text(text.trim_end()),
        // Salesforce takes white space off both ends.
        (Holds::Text(..) | Holds::Picklist { .. }, Json::String(text)) => Cell::text(text.trim()),
        (Holds::Boolean, Json::Bool(truth)) => Cell::Bool(*truth),
        (Holds::Boolean, Json::String(text)) => Cell::Bool(text.parse().map_err(|_| wrong())?),
        (Holds::Integer | Holds::Decimal | Holds::Currency, Json::Number(number)) => {
            Cell::Number(self::number(&number.to_string()).ok_or_else(wrong)?)
        }
        (Holds::Integer | Holds::Decimal | Holds::Currency, Json::String(text)) => Cell::Number(self::number(text).ok_or_else(wrong)?),
        // A time behind the day is cut off.
        (Holds::Date, Json::String(text)) => Cell::Date(day(text).ok_or_else(wrong)?),
        (Holds::Datetime, Json::String(text)) => Cell::Time(instant(text).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    match (&field.holds, &cell) {
        (Holds::Integer, Cell::Number(number)) if !number.fract().is_zero() => Err(wrong()),
        _ => Ok(New::Cell(cell)),
    }
}

fn number(text: &str) -> Option<Decimal> {
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

fn day(text: &str) -> Option<Date> {
    let behind = text.get(10..)?;
    if !behind.is_empty() && instant(text).is_none() {
        return None;
    }
    text.get(..10)?.parse().ok()
}

fn instant(text: &str) -> Option<Timestamp> {
    if !text.contains('T') {
        return None;
    }
    let zoned = text.parse().ok();
    // Without an offset it is UTC.
    zoned.or_else(|| format!("{text}Z").parse().ok()).map(to_millisecond)
}
