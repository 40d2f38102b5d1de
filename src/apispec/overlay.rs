//! Corrections of a vendor's file, as an OpenAPI Overlay 1.0: a list of actions, each with a target and a reason.
//!
//! ```yaml
//! overlay: 1.0.0
//! info: { title: What the vendor's file has wrong, version: 1.0.0 }
//! actions:
//!   - target: $.components.schemas.Webhook.required
//!     description: the answer of 2026-03-01 has no friendly_name
//!     remove: true
//! ```
//!
//! Source: <https://spec.openapis.org/overlay/v1.0.0.html>. Beyond it a reason (`description`) is demanded of each action, and a
//! target that finds nothing is an error: the vendor has mended the file, or the target is misspelt.

use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;

use super::error::SpecError;
use super::openapi::{text, truth};
use crate::base::nearest;
use crate::value::Json;

/// Changes a document as an overlay says.
///
/// # Errors
/// The overlay has not the form of one, an action has no reason, or its target finds nothing.
pub(super) fn apply(document: &mut Json, overlay: &Json) -> Result<(), SpecError> {
    match overlay.get("overlay") {
        Some(version) if version.as_str().is_some_and(|version| version.starts_with("1.")) || version.is_number() => {}
        Some(version) => {
            return Err(
                SpecError::new("/overlay", format!("this is version {version} of the Overlay specification")).help("version 1.0.0 can be read")
            );
        }
        None => return Err(SpecError::new("/", "it does not begin with `overlay: 1.0.0`").help("corrections are written as an OpenAPI Overlay 1.0")),
    }
    known(overlay, &["overlay", "info", "extends", "actions"], "")?;
    let Some(actions) = overlay.get("actions").and_then(Json::as_array) else {
        return Err(SpecError::new("/actions", "an overlay has a list of `actions`"));
    };
    for (number, action) in actions.iter().enumerate() {
        let at = format!("/actions/{number}");
        known(action, &["target", "description", "update", "remove"], &at)?;
        let target =
            text(action, "target").ok_or_else(|| SpecError::new(&at, "an action names its `target`, a JSONPath such as `$.paths['/orders'].get`"))?;
        if text(action, "description").is_none_or(|reason| reason.trim().is_empty()) {
            return Err(SpecError::new(&at, format!("the correction of `{target}` has no reason"))
                .help("say in `description` what shows that the vendor's file is wrong here"));
        }
        let query = parse_json_path(target).map_err(|_| SpecError::new(format!("{at}/target"), format!("`{target}` is no JSONPath")))?;
        let found = js_path_process(&query, document).map_err(|_| SpecError::new(format!("{at}/target"), format!("`{target}` is no JSONPath")))?;
        let mut places: Vec<Vec<String>> = found.into_iter().map(|hit| words(&hit.path())).collect();
        if places.is_empty() {
            return Err(SpecError::new(format!("{at}/target"), format!("`{target}` finds nothing in the vendor's file"))
                .help("take the action away if the vendor has mended it, or correct the target"));
        }
        if truth(action, "remove") {
            // From the back: what is removed from a list moves what stands behind it.
            places.sort_by(|a, b| order(b, a));
            for place in &places {
                remove(document, place);
            }
        } else if let Some(update) = action.get("update") {
            for place in &places {
                if let Some(node) = at_place(document, place) {
                    merge(node, update);
                }
            }
        } else {
            return Err(SpecError::new(&at, "an action says `update` or `remove: true`"));
        }
    }
    Ok(())
}

fn known(node: &Json, words: &[&str], at: &str) -> Result<(), SpecError> {
    let Some(fields) = node.as_object() else { return Err(SpecError::new(at, "a block of names and values is expected here")) };
    match fields.keys().find(|word| !words.contains(&word.as_str()) && !word.starts_with("x-")) {
        None => Ok(()),
        Some(word) => {
            let error = SpecError::new(format!("{at}/{word}"), format!("an overlay has no `{word}` here"));
            Err(match nearest(word, words.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("it has {}", words.join(", "))),
            })
        }
    }
}

/// Objects are merged field by field, lists get what is new at their end, all else is replaced.
fn merge(node: &mut Json, update: &Json) {
    match (node, update) {
        (Json::Object(fields), Json::Object(new)) => {
            for (name, value) in new {
                match fields.get_mut(name) {
                    Some(known) => merge(known, value),
                    None => {
                        fields.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Json::Array(items), Json::Array(new)) => items.extend(new.iter().cloned()),
        // An update of a list that is no list is one element more.
        (Json::Array(items), one) => items.push(one.clone()),
        (node, update) => *node = update.clone(),
    }
}

fn at_place<'d>(document: &'d mut Json, place: &[String]) -> Option<&'d mut Json> {
    let mut node = document;
    for word in place {
        node = match node {
            Json::Object(fields) => fields.get_mut(word)?,
            Json::Array(items) => items.get_mut(word.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

fn remove(document: &mut Json, place: &[String]) {
    let Some((last, parent)) = place.split_last() else { return };
    match at_place(document, parent) {
        Some(Json::Object(fields)) => {
            fields.shift_remove(last);
        }
        Some(Json::Array(items)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        _ => {}
    }
}

/// Numbers by their size, names by their letters.
fn order(a: &[String], b: &[String]) -> std::cmp::Ordering {
    let number = |word: &String| word.parse::<u64>().ok();
    for (a, b) in a.iter().zip(b) {
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// The words of a normalized path: `$['paths']['/orders'][0]`.
fn words(path: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = path.trim_start_matches('$');
    while let Some(inside) = rest.strip_prefix('[') {
        if let Some(name) = inside.strip_prefix('\'') {
            let mut word = String::new();
            let mut chars = name.char_indices();
            let mut end = name.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => word.extend(chars.next().map(|(_, c)| c)),
                    // A name that holds a quote is written without an escape by this library: it ends where a bracket follows.
                    '\'' if name[at + 1..].starts_with(']') => {
                        end = at + 2;
                        break;
                    }
                    c => word.push(c),
                }
            }
            words.push(word);
            rest = name.get(end..).unwrap_or("");
        } else {
            let end = inside.find(']').unwrap_or(inside.len());
            words.push(inside[..end].to_owned());
            rest = inside.get(end + 1..).unwrap_or("");
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn corrected(actions: Json) -> Result<Json, SpecError> {
        let mut document = json!({
            "paths": { "/a/{b}": { "get": { "parameters": [{ "name": "x" }, { "name": "y" }, { "name": "z" }] } } },
            "components": { "schemas": { "A": { "required": ["a", "b"], "type": "object" }, "it's": { "required": ["c"], "type": "text" } } }
        });
        apply(&mut document, &json!({ "overlay": "1.0.0", "info": {}, "actions": actions })).map(|()| document)
    }

    #[test]
    fn updates_merge_and_removals_remove() {
        let done = corrected(json!([
            { "target": "$.components.schemas[*].required", "description": "wrong", "remove": true },
            { "target": "$.components.schemas['it\\'s']", "description": "wrong", "update": { "type": "string", "enum": ["v"] } },
            { "target": "$.paths['/a/{b}'].get.parameters[?@.name == 'x' || @.name == 'y']", "description": "gone", "remove": true },
            { "target": "$.paths['/a/{b}'].get.parameters", "description": "new", "update": { "name": "w" } },
            { "target": "$.components.schemas.A", "description": "new", "update": { "properties": { "n": { "type": "integer" } } } }
        ]))
        .unwrap();
        assert_eq!(
            done,
            json!({
                "paths": { "/a/{b}": { "get": { "parameters": [{ "name": "z" }, { "name": "w" }] } } },
                "components": { "schemas": { "A": { "type": "object", "properties": { "n": { "type": "integer" } } }, "it's": { "type": "string", "enum": ["v"] } } }
            })
        );
    }

    #[test]
    fn an_action_needs_a_target_that_is_there_a_reason_and_a_change() {
        let said = |action: Json| corrected(json!([action])).unwrap_err();
        assert!(said(json!({ "target": "$.nowhere", "description": "x", "remove": true })).reason.contains("finds nothing"));
        assert!(said(json!({ "target": "$.paths", "remove": true })).reason.contains("no reason"));
        assert!(said(json!({ "target": "$.paths", "description": "x" })).reason.contains("`update` or `remove: true`"));
        assert!(said(json!({ "target": "$.paths[", "description": "x", "remove": true })).reason.contains("no JSONPath"));
        assert!(said(json!({ "target": "$.paths", "description": "x", "removed": true })).help.unwrap().contains("`remove`"));
        assert!(apply(&mut json!({}), &json!({ "actions": [] })).is_err());
        assert!(apply(&mut json!({}), &json!({ "overlay": "2.0.0", "actions": [] })).is_err());
    }
}
