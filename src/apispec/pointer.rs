//! JSON pointers (RFC 6901), as references use them.

use std::borrow::Cow;

use crate::value::Json;

/// What `#/a/b` points at; none for another file's reference, and where nothing is.
pub(super) fn get<'d>(document: &'d Json, reference: &str) -> Option<&'d Json> {
    let path = reference.strip_prefix('#')?;
    if path.is_empty() {
        return Some(document);
    }
    let mut node = document;
    for word in path.strip_prefix('/')?.split('/') {
        let word = plain(word);
        node = match node {
            Json::Object(fields) => fields.get(word.as_str())?,
            Json::Array(items) => items.get(word.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

/// A name as a pointer writes it.
pub(super) fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { Cow::Owned(name.replace('~', "~0").replace('/', "~1")) } else { Cow::Borrowed(name) }
}

/// A word of a pointer as the name that it stands for. Within a URI fragment it may be percent-encoded.
pub(super) fn plain(word: &str) -> String {
    let decoded = if word.contains('%') { decoded(word) } else { word.to_owned() };
    decoded.replace("~1", "/").replace("~0", "~")
}

fn decoded(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten().and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| word.to_owned())
}
