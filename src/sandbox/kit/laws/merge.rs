//! `set`, `replace`, `upsert` and `appends_lines`: what a write leaves of the record that is there.

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

/// `upsert`: the record of a key, or where there is none what is to be made.
pub fn upsert<'r, R>(records: impl IntoIterator<Item = &'r mut R>, is_it: impl Fn(&R) -> bool) -> Option<&'r mut R> {
    records.into_iter().find(|record| is_it(record))
}

/// `appends_lines`: the lines of a write come behind those that are there, also one that is there already.
pub fn append_lines(lines: &mut Vec<Json>, given: &[Json]) {
    lines.extend(given.iter().cloned());
}
