//! YAML, read so that no text is lost. The one module that knows the YAML library.
//!
//! Untyped YAML turns `01234` into a number and `NO` into `false`. Here a scalar keeps the text
//! that stands in the file, and whoever reads it says what it is: a parameter is held to its
//! type by `check`, and [`Node::json`] takes for a number only what JSON itself would.

mod layout;
mod mistake;
mod told;
mod write;

pub use mistake::{Mistake, mistake};
pub use told::{NotYaml, mistaken, not_yaml};
pub use write::{in_quotes, quoted};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy};

use crate::value::Json;

/// A piece of a YAML text, with its place in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub shape: Shape,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// `null`, `~`, or nothing behind the colon.
    Nothing,
    /// A scalar's text; `quoted` if it is text whatever it looks like.
    Scalar {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; no key stands twice.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    /// Where the key stands.
    pub start: usize,
    pub end: usize,
    pub value: Node,
}

/// Why a text is no YAML, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    pub message: String,
    pub at: usize,
    /// A name stands twice in its block.
    pub duplicate: bool,
}

impl Node {
    pub fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.shape {
            Shape::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn elements(&self) -> Option<&[Node]> {
        match &self.shape {
            Shape::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// What it is, for a message.
    pub fn noun(&self) -> &'static str {
        match self.shape {
            Shape::Nothing => "nothing",
            Shape::Scalar { .. } => "a text",
            Shape::List(_) => "a list",
            Shape::Map(_) => "a block of names and values",
        }
    }

    /// As JSON: a bare scalar is a number, `true`, `false` or `null` only if JSON writes it so,
    /// and text otherwise; so `01234`, `NO` and `1_000` stay text and `1.10` keeps its digits.
    pub fn json(&self) -> Json {
        match &self.shape {
            Shape::Nothing => Json::Null,
            Shape::Scalar { text, quoted: true } => Json::String(text.clone()),
            Shape::Scalar { text, quoted: false } => match serde_json::from_str::<Json>(text) {
                Ok(value @ (Json::Number(_) | Json::Bool(_) | Json::Null)) => value,
                _ => Json::String(text.clone()),
            },
            Shape::List(nodes) => nodes.iter().map(Node::json).collect(),
            Shape::Map(entries) => entries.iter().map(|e| (e.key.clone(), e.value.json())).collect(),
        }
    }
}

/// Reads one YAML document. An empty text is [`Shape::Nothing`].
///
/// # Errors
/// The text is no YAML, holds a key twice, or goes past the library's limits (depth, aliases).
pub fn read(text: &str) -> Result<Node, Unreadable> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Node { shape: Shape::Nothing, start: 0, end: 0 });
    }
    let placed: serde_yaml::Spanned<Raw> = typed(text)?;
    Ok(node(placed, text))
}

/// Reads one YAML document into a type of its own.
///
/// # Errors
/// As [`read`], and where the document has not the type's form.
pub fn typed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let words = error.to_string();
        let at = error.location().map(|l| bytes(l, text).0).filter(|at| *at > 0).or_else(|| told(&words, text)).unwrap_or(0);
        Unreadable { message: plain(&words), at, duplicate: words.contains("duplicate") }
    })
}

/// What is wrong with a text that is no YAML, and a change with which the reader comes further: what a line shows by itself, else
/// the smallest change of layout. `findings` counts what is wrong with a text that is YAML.
pub fn mend(text: &str, fault: &Unreadable, findings: &dyn Fn(&str) -> usize) -> Option<Mistake> {
    let shown = mistake(text);
    let helps = |shown: &Mistake| {
        let mended = shown.mended(text);
        read(&mended).map_or_else(|left| left.at > fault.at.max(shown.replace.1), |_| true)
    };
    match shown {
        Some(shown) if helps(&shown) => Some(shown),
        _ => layout::nearest_readable(text, fault, findings),
    }
}

/// The place that the library's words name: `line 4, column 7`.
fn told(words: &str, text: &str) -> Option<usize> {
    let number = |word: &str| {
        let behind = &words[words.find(word)? + word.len()..];
        behind.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok()
    };
    let line = number("line ")?;
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let column = number("column ").unwrap_or(1);
    let rest = text.get(start..)?.lines().next().unwrap_or("");
    Some(start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at))
}

/// The library's words without the place that it puts behind them.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or("");
    let line = line.split(" at line ").next().unwrap_or(line);
    let line = line.strip_prefix("error: ").unwrap_or(line);
    // What the library says of its own options and counters is nothing that a reader of the file knows.
    if line.contains("budget") {
        return "it nests too deeply, repeats its anchors too often, or is too large".to_owned();
    }
    if line.contains("multiple YAML documents") {
        return "a second document begins here, and a file holds one".to_owned();
    }
    for (said, meant) in [
        ("mapping values are not allowed", "a second `name: ` on one line"),
        ("did not find expected '-' indicator", "an item of the list above, `- …`, is expected here"),
        ("did not find expected key", "a `name:`, indented as those above it, is expected here"),
        ("simple key expected ':'", "a `:` is missing behind this name"),
        ("cannot deserialize null into string", "a name is missing before the colon"),
    ] {
        if line.contains(said) {
            return meant.to_owned();
        }
    }
    match line.find("DuplicateKeyPolicy") {
        Some(at) => line[..at].trim_end_matches("set ").trim_end_matches([' ', ',', ';', ':', '(', '.']).to_owned(),
        None => line.to_owned(),
    }
}

fn node(placed: serde_yaml::Spanned<Raw>, text: &str) -> Node {
    let (start, end) = bytes(placed.referenced, text);
    let shape = match placed.value {
        Raw::Nothing => Shape::Nothing,
        Raw::Text(value) => {
            let written = text.get(start..end).unwrap_or("");
            let quoted = written.starts_with(['"', '\'', '|', '>', '&', '*', '!']);
            Shape::Scalar { text: value, quoted }
        }
        // A number or a boolean to YAML; what stands there is what counts.
        Raw::Bare => {
            let (from, to) = bytes(placed.defined, text);
            Shape::Scalar { text: text.get(from..to).unwrap_or("").trim().to_owned(), quoted: false }
        }
        Raw::List(list) => Shape::List(list.into_iter().map(|n| node(n, text)).collect()),
        Raw::Map(entries) => Shape::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let (start, end) = bytes(key.referenced, text);
                    Entry { key: key.value, start, end, value: node(value, text) }
                })
                .collect(),
        ),
    };
    Node { shape, start, end }
}

/// Where a place begins and ends, in bytes within the text.
fn bytes(location: Location, text: &str) -> (usize, usize) {
    let span = location.span();
    let start = span.byte_offset().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(text.len());
    let length = span.byte_len().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut end = (start + length).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text.get(start..end).map_or(0, |t| t.trim_end().len());
    (start, start + kept)
}

enum Raw {
    Nothing,
    Text(String),
    Bare,
    List(Vec<serde_yaml::Spanned<Raw>>),
    Map(Vec<(serde_yaml::Spanned<String>, serde_yaml::Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Bare)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Json {
        read(&format!("v: {text}\n")).expect("it is YAML").json()["v"].take()
    }

    #[test]
    fn scalars_that_other_readers_eat_stay_text() {
        for text in ["01234", "00501", "NO", "no", "on", "1_000", "0x1F", "0o17", ".5", "12:30", "2026-03-01", "+5"] {
            assert_eq!(get(text), Json::String(text.into()), "{text}");
        }
    }

    #[test]
    fn what_json_calls_a_number_keeps_its_digits() {
        for text in ["1.10", "4411", "-3", "0.30000000000000000004", "123456789012345678901234"] {
            let value = get(text);
            assert!(value.is_number(), "{text}");
            assert_eq!(value.to_string(), text);
        }
        assert_eq!(get("true"), Json::Bool(true));
        assert_eq!(get("null"), Json::Null);
        assert_eq!(get(""), Json::Null);
    }

    #[test]
    fn quoted_is_text_whatever_it_looks_like() {
        for text in ["\"12\"", "'true'", "\"null\""] {
            assert_eq!(get(text), Json::String(text.trim_matches(['"', '\'']).into()));
        }
    }

    #[test]
    fn a_parameter_keeps_the_text_of_the_file() {
        let node = read("parameters:\n  rate: 1.10   # per kg\n  zip: 01234\n").unwrap();
        let parameters = node.get("parameters").unwrap();
        assert_eq!(parameters.get("rate").unwrap().text(), Some("1.10"));
        assert_eq!(parameters.get("zip").unwrap().text(), Some("01234"));
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let text = "été: \"é\"\nconnections:\n  crm: { system: salesforce }\n";
        let node = read(text).unwrap();
        let crm = &node.get("connections").unwrap().entries().unwrap()[0];
        assert_eq!(&text[crm.start..crm.end], "crm");
        let system = crm.value.get("system").unwrap();
        assert_eq!(&text[system.start..system.end], "salesforce");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_where_it_stands() {
        let text = "a: 1\nb: 2\na: 3\n";
        let error = read(text).unwrap_err();
        assert_eq!(&text[error.at..=error.at], "a");
        assert!(error.at > 5 && error.message.contains("duplicate"), "{error:?}");
    }

    #[test]
    fn broken_and_empty_texts() {
        assert!(read("a: [1, 2\nb: }").is_err());
        assert_eq!(read("# nothing\n\n").unwrap().shape, Shape::Nothing);
        assert_eq!(read("").unwrap().json(), Json::Null);
    }

    #[test]
    fn an_alias_gives_what_its_anchor_holds() {
        assert_eq!(read("a: &z 01234\nb: *z\n").unwrap().json()["b"], Json::String("01234".into()));
    }
}
