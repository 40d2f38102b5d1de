//! The difference between a payload and what its target was last confirmed to hold.
//!
//! A payload is compared by its *leaves*: its fields and the fields of nested objects, by path (`shipTo.city`). A list is one leaf. So
//! is an object that has a unit: its number means nothing without the unit.

use std::collections::BTreeMap;

use crate::store::Store;
use crate::value::Json;

/// What stands before the path of a leaf whose value at the target is not known to be ours, in the ledger.
const DISPUTED: char = '~';

/// The leaves of a body.
pub(super) fn leaves(body: &Json) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        gather(name.clone(), value, &mut found);
    }
    found
}

fn gather<'j>(path: String, value: &'j Json, found: &mut Vec<(String, &'j Json)>) {
    match value {
        Json::Object(fields) if !fields.is_empty() && !fields.contains_key("units") => {
            for (name, value) in fields {
                gather(format!("{path}.{name}"), value, found);
            }
        }
        _ => found.push((path, value)),
    }
}

/// The value at a leaf's path.
pub(super) fn at<'j>(record: &'j Json, path: &str) -> Option<&'j Json> {
    path.split('.').try_fold(record, |at, name| at.get(name))
}

/// A body with some of its leaves.
pub(super) fn only(body: &Json, paths: &[String]) -> Json {
    let mut kept = serde_json::Map::new();
    for (path, value) in leaves(body) {
        if !paths.contains(&path) {
            continue;
        }
        let mut at = &mut kept;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                at.insert(name.to_owned(), value.clone());
                break;
            }
            let inner = at.entry(name).or_insert_with(|| Json::Object(serde_json::Map::new()));
            match inner {
                Json::Object(inner) => at = inner,
                // A path goes through objects only.
                _ => break,
            }
        }
    }
    Json::Object(kept)
}

/// Keyed hash of a value, as the ledger keeps it.
pub(super) fn hash(store: &dyn Store, value: &Json) -> String {
    store.fingerprint(value.to_string().as_bytes())
}

/// Notes in a ledger's fields what a target was confirmed to hold.
pub(super) fn confirm(store: &dyn Store, fields: &mut BTreeMap<String, String>, body: &Json) {
    for (path, value) in leaves(body) {
        fields.remove(&format!("{DISPUTED}{path}"));
        if let Some((object, _)) = path.split_once('.') {
            // An older version kept one hash of the whole object.
            fields.remove(object);
        }
        fields.insert(path, hash(store, value));
    }
}

/// Notes that a person has to decide about some leaves.
pub(super) fn dispute(fields: &mut BTreeMap<String, String>, paths: &[String]) {
    for path in paths {
        if let Some((object, _)) = path.split_once('.') {
            fields.remove(object);
        }
        fields.remove(path);
        fields.insert(format!("{DISPUTED}{path}"), String::new());
    }
}

pub(super) fn is_disputed(fields: &BTreeMap<String, String>, path: &str) -> bool {
    fields.contains_key(&format!("{DISPUTED}{path}"))
}

/// Whether a leaf is what the target was confirmed to hold; `None` where nothing is known of it.
pub(super) fn is_confirmed(store: &dyn Store, body: &Json, fields: &BTreeMap<String, String>, path: &str, value: &Json) -> Option<bool> {
    if let Some(known) = fields.get(path) {
        return Some(*known == hash(store, value));
    }
    // As an older version kept it.
    let (object, _) = path.split_once('.')?;
    let whole = body.get(object)?;
    fields.get(object).map(|known| *known == hash(store, whole))
}

/// The ledger forgets what a body has tried.
pub(super) fn forget(fields: &mut BTreeMap<String, String>, body: &Json, but: impl Fn(&str) -> bool) {
    for (path, _) in leaves(body) {
        if !but(&path) {
            if let Some((object, _)) = path.split_once('.') {
                fields.remove(object);
            }
            fields.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_and_back() {
        let body = json!({"a": 1, "to": {"city": "Reno", "zip": null}, "weight": {"value": 2, "units": "grams"}, "items": [{"b": 1}], "none": {}});
        let paths: Vec<String> = leaves(&body).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a", "to.city", "to.zip", "weight", "items", "none"]);
        assert_eq!(only(&body, &paths), body);
        assert_eq!(only(&body, &["to.zip".to_owned(), "a".to_owned()]), json!({"a": 1, "to": {"zip": null}}));
    }
}
