//! Parts of a JSON text as slices of it: the elements of a list, the value of a field. Nothing is made into a tree.
//!
//! Brackets and quotes are looked for thirty-two bytes at a time; what stands between them is not looked at. A text that is cut, or whose
//! brackets do not fit, has no parts; whether a number or a word in it is valid JSON is seen by who reads it.

use std::borrow::Cow;

use wide::u8x32;

use super::simd::{WIDTH, load, special};

/// Objects and lists inside each other.
const DEEPEST: usize = 128;

/// The value that a path of names leads to, as its own text.
pub fn value_at<'t>(text: &'t str, names: &[&str]) -> Option<&'t str> {
    let mut value = whole(text)?;
    for name in names {
        value = field(value, name)?;
    }
    Some(value)
}

/// The elements of a list, as their own texts; none where it is no list.
pub fn elements(list: &str) -> Option<Vec<&str>> {
    let bytes = list.as_bytes();
    let mut at = space(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let mut found = Vec::new();
    at = space(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return ends(bytes, at + 1).then_some(found);
    }
    loop {
        let end = behind(bytes, at)?;
        found.push(list.get(at..end)?);
        at = space(bytes, end);
        match bytes.get(at)? {
            b',' => at = space(bytes, at + 1),
            b']' => return ends(bytes, at + 1).then_some(found),
            _ => return None,
        }
    }
}

/// The text of a string; none where the value is another.
pub fn string(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(value).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// One value, without the space around it; none where something else stands beside it.
fn whole(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let start = space(bytes, 0);
    let end = behind(bytes, start)?;
    if ends(bytes, end) { text.get(start..end) } else { None }
}

/// The value of an object's field. `object` begins with its brace.
fn field<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let bytes = object.as_bytes();
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut at = space(bytes, 1);
    if bytes.get(at) == Some(&b'}') {
        return None;
    }
    loop {
        let end = behind_string(bytes, at)?;
        let key = object.get(at..end)?;
        at = space(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = space(bytes, at + 1);
        let end = behind(bytes, at)?;
        if string(key).is_some_and(|key| key == name) {
            return object.get(at..end);
        }
        at = space(bytes, end);
        match bytes.get(at)? {
            b',' => at = space(bytes, at + 1),
            _ => return None,
        }
    }
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn ends(bytes: &[u8], at: usize) -> bool {
    space(bytes, at) == bytes.len()
}

/// The place behind the value that begins here.
fn behind(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => behind_string(bytes, at),
        b'{' | b'[' => behind_brackets(bytes, at),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
            let rest = bytes.get(at..)?;
            let length = rest.iter().position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')).unwrap_or(rest.len());
            Some(at + length)
        }
        _ => None,
    }
}

/// The place behind the string that begins here.
fn behind_string(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match load(bytes, at).map(special) {
            Some(0) => at += WIDTH,
            Some(found) => at += found.trailing_zeros() as usize,
            None => {
                let rest = bytes.get(at..)?;
                at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\') || *byte < 0x20)?;
            }
        }
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            0..0x20 => return None,
            // The window had no sign: the next one is looked at.
            _ => {}
        }
    }
}

/// The place behind the object or list that begins here.
fn behind_brackets(bytes: &[u8], start: usize) -> Option<usize> {
    let mut open = [0_u8; DEEPEST];
    let mut depth = 0;
    let mut at = start;
    loop {
        at = next_sign(bytes, at)?;
        match bytes.get(at)? {
            b'"' => {
                at = behind_string(bytes, at)?;
                continue;
            }
            sign @ (b'{' | b'[') => {
                // `{` and `}` differ by two, as do `[` and `]`.
                *open.get_mut(depth)? = sign + 2;
                depth += 1;
            }
            sign => {
                depth -= 1;
                if open.get(depth) != Some(sign) {
                    return None;
                }
                if depth == 0 {
                    return Some(at + 1);
                }
            }
        }
        at += 1;
    }
}

/// The next quote or bracket.
fn next_sign(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let Some(window) = load(bytes, at) else {
            let rest = bytes.get(at..)?;
            return rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')).map(|found| at + found);
        };
        // With this bit set a bracket and its brace are the same byte.
        let brackets = window | u8x32::splat(0x20);
        let found = window.simd_eq(u8x32::splat(b'"')) | brackets.simd_eq(u8x32::splat(b'{')) | brackets.simd_eq(u8x32::splat(b'}'));
        match found.to_bitmask() {
            0 => at += WIDTH,
            found => return Some(at + found.trailing_zeros() as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn parts_are_slices_of_the_text() {
        let text = r#" {"a": {"b [": [ {"id": "1"}, "x\"]}" , 3.5e-1, [], null ]}, "a\u0062": true} "#;
        let list = value_at(text, &["a", "b ["]).unwrap_or_default();
        assert_eq!(elements(list), Some(vec![r#"{"id": "1"}"#, r#""x\"]}""#, "3.5e-1", "[]", "null"]));
        assert_eq!(value_at(text, &["ab"]), Some("true"));
        assert_eq!(value_at(text, &["a", "c"]), None);
        assert_eq!((elements("[]"), elements(" [ ] ")), (Some(vec![]), Some(vec![])));
        assert_eq!(string(r#""x\"]}""#).as_deref(), Some("x\"]}"));
        assert_eq!((string("12"), string("\"a\"").as_deref()), (None, Some("a")));
    }

    #[test]
    fn what_is_cut_or_does_not_fit_has_no_parts() {
        let text =
            json!({"labels": [{"id": "se-1", "note": "a long note with \"quotes\" and [brackets] in it".repeat(3)}, {"id": "se-2"}], "page": 1})
                .to_string();
        for end in 0..text.len() {
            assert_eq!(value_at(&text[..end], &["labels"]).and_then(elements), None, "{end}");
        }
        assert_eq!(value_at(&text, &["labels"]).and_then(elements).map(|found| found.len()), Some(2));
        for wrong in ["", "x", "[1 2]", "[1,]", "{\"a\": [}", "[{]}", "[1] 2", "{\"a\" 1}", "{a: 1}", "[\"a\n\"]", "\"", &"[".repeat(1000)] {
            assert!(elements(wrong).is_none() && value_at(wrong, &["a"]).is_none(), "{wrong}");
        }
    }

    proptest::proptest! {
        /// The same parts as those of a tree.
        #[test]
        fn parts_are_those_that_a_tree_has(texts in proptest::collection::vec("[ -~é\"\\\\{}\\[\\]]{0,80}", 0..6), numbers in proptest::collection::vec(-1e9_f64..1e9, 0..4)) {
            let items: Vec<Json> = texts.iter().map(|text| json!({"text": text, text.as_str(): [text, {"n": numbers}]})).collect();
            for text in [json!({"before": texts, "data": {"items": items}}).to_string(), serde_json::to_string_pretty(&json!({"data": {"items": items}})).unwrap_or_default()] {
                let found = value_at(&text, &["data", "items"]).and_then(elements).unwrap_or_default();
                let read: Vec<Json> = found.iter().map(|item| serde_json::from_str(item).unwrap_or_default()).collect();
                proptest::prop_assert_eq!(&read, &items);
                for (item, text) in found.iter().zip(&texts) {
                    let value = value_at(item, &["text"]).and_then(string);
                    let expected = serde_json::from_str::<Json>(item).ok().and_then(|item| item["text"].as_str().map(str::to_owned));
                    proptest::prop_assert_eq!(value.as_deref(), expected.as_deref(), "{}", text);
                }
            }
        }
    }
}
