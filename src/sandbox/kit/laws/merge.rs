//! `set` and `replace`: what a write leaves of the record that is there.

use serde_json::Map;

use crate::value::Json;

/// `set`: fields that are given are set, the others stay. Nothing is a value too.
pub fn set(record: &mut Map<String, Json>, given: &Map<String, Json>) {
    for (name, value) in given {
        record.insert(name.clone(), value.clone());
    }
}

/// `replace`: of these fields (without any, of all) what is not given is lost. An id stays.
pub fn replace(record: &mut Map<String, Json>, given: &Map<String, Json>, fields: &[String], id: &str) {
    let is_replaced = |name: &str| name != id && (fields.is_empty() || fields.iter().any(|field| field == name));
    record.retain(|name, _| !is_replaced(name));
    set(record, given);
}
