//! `sorted`: the order of a list.

use std::cmp::Ordering;

use crate::value::Json;

/// A field that a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub field: String,
    pub is_descending: bool,
}

impl Order {
    /// `updated_at`, or `-updated_at` for the greatest first; `custom.fields.rank` for one inside of another
    pub fn read(text: &str) -> Order {
        let field = text.trim();
        match field.strip_prefix('-') {
            Some(field) => Order { field: field.to_owned(), is_descending: true },
            None => Order { field: field.to_owned(), is_descending: false },
        }
    }
}

/// How two records stand to each other. Nothing comes before everything else.
pub fn order(by: &[Order], one: &Json, other: &Json) -> Ordering {
    for order in by {
        let found = compare(inside(one, &order.field), inside(other, &order.field));
        if found != Ordering::Equal {
            return if order.is_descending { found.reverse() } else { found };
        }
    }
    Ordering::Equal
}

fn inside<'j>(record: &'j Json, path: &str) -> Option<&'j Json> {
    path.split('.').try_fold(record, |at, name| at.get(name))
}

fn compare(one: Option<&Json>, other: Option<&Json>) -> Ordering {
    let number = |json: &Json| json.as_f64();
    match (one.filter(|json| !json.is_null()), other.filter(|json| !json.is_null())) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(Json::Number(_)), Some(Json::Number(_))) => {
            let (one, other) = (one.and_then(number), other.and_then(number));
            one.partial_cmp(&other).unwrap_or(Ordering::Equal)
        }
        (Some(Json::String(one)), Some(Json::String(other))) => one.cmp(other),
        (Some(one), Some(other)) => one.to_string().cmp(&other.to_string()),
    }
}
