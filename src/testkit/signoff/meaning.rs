//! The hash of what a mapping says: two states of a project with one meaning send the same.

use sha2::{Digest as _, Sha256};

use crate::ir::Mapping;
use crate::value::Json;

/// The mapping without what only tells people where a thing stands.
pub(super) fn of(mapping: &Mapping) -> String {
    let mut json = serde_json::to_value(mapping).unwrap_or(Json::Null);
    strip(&mut json);
    Sha256::digest(json.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn strip(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            // A place is an object of a file and a line; a field of that name in a mapping is no key here, but a value.
            fields.retain(|name, value| !(name == "doc" && !value.is_object() || name == "lines" && value.is_array() || is_place(value)));
            fields.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn is_place(json: &Json) -> bool {
    json.as_object().is_some_and(|fields| fields.len() == 2 && fields.contains_key("file") && fields.contains_key("line"))
}
