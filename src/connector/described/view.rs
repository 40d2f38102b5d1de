//! Answers looked at without a tree: what a path leads to, and the part of a text that expressions read.

use crate::describe::{Formula, Path, PathStep};
use crate::value::Json;
use crate::vm::slice;

/// The texts of the values that a path leads to; none where it leads nowhere. A path that ends at lists gives their elements where
/// `flat` says so.
pub(super) fn slices<'t>(text: &'t str, path: &Path) -> Option<Vec<&'t str>> {
    let mut found = vec![slice::value_at(text, &[])?];
    let mut names: Vec<&str> = Vec::new();
    let down = |found: Vec<&'t str>, names: &[&str]| -> Vec<&'t str> {
        if names.is_empty() { found } else { found.into_iter().filter_map(|value| slice::value_at(value, names)).collect() }
    };
    let numbers: Vec<String> = path.steps.iter().map(|step| if let PathStep::At(at) = step { at.to_string() } else { String::new() }).collect();
    for (at, step) in path.steps.iter().enumerate() {
        match step {
            PathStep::Name(name) => names.push(name),
            PathStep::At(place) => {
                found = down(found, &names);
                names.clear();
                let of = |value: &'t str| match slice::elements(value) {
                    Some(items) => items.get(*place).copied(),
                    None => slice::value_at(value, &[&numbers[at]]),
                };
                found = found.into_iter().filter_map(of).collect();
            }
            PathStep::Each => {
                found = down(found, &names);
                names.clear();
                found = found.into_iter().filter_map(slice::elements).flatten().collect();
            }
        }
    }
    let is_many = path.is_many();
    let found = down(found, &names);
    if found.is_empty() && !is_many { None } else { Some(found) }
}

/// The records of a list: `records` leads to the list, or to each record of it.
pub(super) fn records<'t>(text: &'t str, path: Option<&Path>) -> Option<Vec<&'t str>> {
    let Some(path) = path else { return slice::elements(text) };
    if let Some(before) = path.steps.iter().position(|step| *step == PathStep::Each) {
        // A list that is not there is no list, though each of its elements is.
        let list = Path { steps: path.steps[..before].to_vec(), span: path.span };
        let list = slices(text, &list)?;
        list.first().and_then(|list| slice::elements(list))?;
        let found = slices(text, path)?;
        // Lists in a list are one list.
        let nested = found.iter().any(|value| value.starts_with('['));
        return Some(if nested { found.into_iter().filter_map(slice::elements).flatten().collect() } else { found });
    }
    slices(text, path)?.first().and_then(|list| slice::elements(list))
}

/// The text that a path leads to, or all of it where there is no path; the first, where it leads to several.
pub(super) fn at<'t>(text: &'t str, path: Option<&Path>) -> Option<&'t str> {
    match path {
        Some(path) => slices(text, path)?.first().copied(),
        None => Some(text),
    }
}

/// The value that a path leads to; the first, where it leads to several.
pub(super) fn json_at(text: &str, path: &Path) -> Option<Json> {
    slices(text, path)?.first().and_then(|value| serde_json::from_str(value).ok())
}

/// The value that a path leads to, as a text: a string's own, a number's digits.
pub(super) fn text_at(text: &str, path: &Path) -> Option<String> {
    let found = slices(text, path)?;
    let value = found.first()?;
    match slice::string(value) {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text.into_owned()),
        None => (!value.starts_with(['{', '[']) && *value != "null").then(|| (*value).to_owned()),
    }
}

/// The part of a JSON text that expressions read below a name: its fields that they name, or all of it where one takes it whole.
pub(super) fn seen<'f>(text: &str, root: &str, formulas: impl IntoIterator<Item = &'f Formula>) -> Json {
    let mut names: Vec<&str> = Vec::new();
    for path in formulas.into_iter().flat_map(|formula| &formula.reads).filter(|path| path.root() == root) {
        match path.steps.get(1) {
            Some(PathStep::Name(name)) => names.push(name),
            _ => return serde_json::from_str(text).unwrap_or_default(),
        }
    }
    let field = |name: &&str| {
        let value = slice::value_at(text, &[name])?;
        Some(((*name).to_owned(), serde_json::from_str(value).ok()?))
    };
    names.sort_unstable();
    names.dedup();
    Json::Object(names.iter().filter_map(field).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::base::Span;

    fn path(text: &str) -> Path {
        Path::parse(text, Span::default()).unwrap()
    }

    #[test]
    fn records_are_found_where_they_stand() {
        let text = r#"{"data":{"edges":[{"node":{"id":"1"}},{"node":{"id":"2"}}],"none":[]},"lists":[{"of":[1,2]},{"of":[3]}],"n":null}"#;
        let found = |at: &str| records(text, Some(&path(at)));
        assert_eq!(found("data.edges.*.node"), Some(vec![r#"{"id":"1"}"#, r#"{"id":"2"}"#]));
        assert_eq!(found("data.none"), Some(vec![]));
        assert_eq!(found("data.none.*.node"), Some(vec![]));
        assert_eq!(found("lists.*.of"), Some(vec!["1", "2", "3"]));
        for at in ["data", "no", "n", "no.*.node", "data.no.*.node", "n.*.a"] {
            assert_eq!(found(at), None, "{at}");
        }
        assert_eq!(records("[1]", None), Some(vec!["1"]));
        assert_eq!(records("{}", None), None);
        assert_eq!((text_at(text, &path("lists.1.of.0")).as_deref(), text_at(text, &path("n"))), (Some("3"), None));
    }
}
