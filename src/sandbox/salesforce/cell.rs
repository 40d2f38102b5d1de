//! What one field of one record holds, how it compares, and how it is printed.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use rust_decimal::Decimal;

use super::catalog::Catalog;
use super::id::{self, Id};

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Cell {
    #[default]
    Null,
    Bool(bool),
    /// Keeps its digits: `50.00` stays `50.00`.
    Number(Decimal),
    Text(Box<str>),
    Date(Date),
    Time(Timestamp),
    Id(Id),
}

impl Cell {
    pub(super) fn text(text: &str) -> Cell {
        if text.is_empty() { Cell::Null } else { Cell::Text(text.into()) }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_id(&self) -> Option<Id> {
        match self {
            Cell::Id(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<Decimal> {
        match self {
            Cell::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// How two values stand to each other; `None` where one is missing or they are of different kinds.
    /// Texts compare without case, ids with it.
    pub(super) fn compare(&self, other: &Cell) -> Option<Ordering> {
        match (self, other) {
            (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(b)),
            (Cell::Number(a), Cell::Number(b)) => Some(a.cmp(b)),
            (Cell::Text(a), Cell::Text(b)) => Some(without_case(a, b)),
            (Cell::Date(a), Cell::Date(b)) => Some(a.cmp(b)),
            (Cell::Time(a), Cell::Time(b)) => Some(a.cmp(b)),
            (Cell::Id(a), Cell::Id(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// As JSON.
    pub(super) fn print(&self, catalog: &Catalog, out: &mut Vec<u8>) {
        match self {
            Cell::Null => out.extend_from_slice(b"null"),
            Cell::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Cell::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Cell::Text(text) => quote(text, out),
            Cell::Date(_) | Cell::Time(_) | Cell::Id(_) => {
                out.push(b'"');
                out.extend_from_slice(self.plain(catalog).as_bytes());
                out.push(b'"');
            }
        }
    }

    /// As bare text, for CSV and messages.
    pub(super) fn plain(&self, catalog: &Catalog) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Bool(truth) => truth.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.to_string(),
            Cell::Date(date) => date.to_string(),
            Cell::Time(time) => stamp(*time),
            Cell::Id(id) => id_text(catalog, *id),
        }
    }
}

/// The eighteen characters of a record's id.
pub(super) fn id_text(catalog: &Catalog, id: Id) -> String {
    id::text(catalog.types.get(usize::from(id.table)).map_or("000", |of| of.prefix), id.row)
}

/// `2026-11-20T10:00:00.000+0000`
pub(super) fn stamp(time: Timestamp) -> String {
    let at = Offset::UTC.to_datetime(time);
    let mut text = String::with_capacity(28);
    let mut digits = |number: i32, width: u32, behind: char| {
        for place in (0..width).rev() {
            text.push(char::from(b'0' + u8::try_from(number / 10_i32.pow(place) % 10).unwrap_or(0)));
        }
        text.push(behind);
    };
    digits(i32::from(at.year()), 4, '-');
    digits(i32::from(at.month()), 2, '-');
    digits(i32::from(at.day()), 2, 'T');
    digits(i32::from(at.hour()), 2, ':');
    digits(i32::from(at.minute()), 2, ':');
    digits(i32::from(at.second()), 2, '.');
    digits(at.subsec_nanosecond() / 1_000_000, 3, '+');
    text.push_str("0000");
    text
}

/// Stamps have milliseconds and nothing finer.
pub(super) fn to_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

pub(super) fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

pub(super) fn without_case(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    a.chars().flat_map(char::to_lowercase).cmp(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_printed_as_salesforce_does() {
        assert_eq!("2026-11-20T10:00:00.0429Z".parse().map(stamp).ok(), Some("2026-11-20T10:00:00.042+0000".to_owned()));
    }

    #[test]
    fn texts_compare_without_case() {
        assert_eq!(Cell::text("Straße ÄB").compare(&Cell::text("straße äb")), Some(Ordering::Equal));
        assert_eq!(Cell::text("a").compare(&Cell::text("B")), Some(Ordering::Less));
        assert_eq!(Cell::Null.compare(&Cell::text("B")), None);
    }
}
