//! What a case file says a record holds, with each scalar's own text.
//!
//! YAML that is read untyped turns `01234` into a number. A case speaks of post codes and order
//! numbers, so a plain scalar stays text until it meets the value that it is compared with.

use std::fmt;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use crate::value::Json;

/// A value in a case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `null`, `~` or nothing.
    Null,
    /// Written without quotes: what it is depends on what it meets.
    Plain(String),
    /// Written in quotes or as a block: text.
    Text(String),
    List(Vec<Node>),
    Map(IndexMap<String, Node>),
}

impl Node {
    /// Whether an actual value is what the node says. An object may have more fields than the node
    /// names; a field that the node says is null may also be left out.
    pub fn matches(&self, actual: Option<&Json>) -> bool {
        match (self, actual) {
            (Node::Null, None | Some(Json::Null)) => true,
            (_, None) => false,
            (Node::Plain(text), Some(Json::String(actual))) => text == actual,
            (Node::Plain(text), Some(Json::Number(number))) => same_number(text, &number.to_string()),
            (Node::Plain(text), Some(Json::Bool(truth))) => text == if *truth { "true" } else { "false" },
            (Node::Text(text), Some(Json::String(actual))) => text == actual,
            (Node::List(nodes), Some(Json::Array(actual))) => {
                nodes.len() == actual.len() && nodes.iter().zip(actual).all(|(node, actual)| node.matches(Some(actual)))
            }
            (Node::Map(fields), Some(Json::Object(actual))) => fields.iter().all(|(name, node)| node.matches(actual.get(name))),
            _ => false,
        }
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Plain(text) | Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON, where nothing says what a plain scalar is: `true`, `false` and what reads as a number
    /// and loses nothing by it (`01234` would) are that, all else is text.
    pub fn to_json(&self) -> Json {
        match self {
            Node::Null => Json::Null,
            Node::Text(text) => Json::String(text.clone()),
            Node::Plain(text) => plain_json(text),
            Node::List(nodes) => Json::Array(nodes.iter().map(Node::to_json).collect()),
            Node::Map(fields) => Json::Object(fields.iter().map(|(name, node)| (name.clone(), node.to_json())).collect()),
        }
    }
}

fn plain_json(text: &str) -> Json {
    match text {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let zip = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
            let numeric = digits.chars().next().is_some_and(|c| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
            match text.parse::<serde_json::Number>() {
                Ok(number) if numeric && !zip => Json::Number(number),
                _ => Json::String(text.to_owned()),
            }
        }
    }
}

fn same_number(left: &str, right: &str) -> bool {
    match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}

impl fmt::Display for Node {
    /// On one line, as YAML writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Null => f.write_str("null"),
            Node::Plain(text) => f.write_str(text),
            Node::Text(text) => write!(f, "{}", Json::String(text.clone())),
            Node::List(nodes) => {
                f.write_str("[")?;
                for (at, node) in nodes.iter().enumerate() {
                    write!(f, "{}{node}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Node::Map(fields) => {
                f.write_str("{ ")?;
                for (at, (name, node)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {node}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str(" }")
            }
        }
    }
}

/// A node as YAML gives it: scalars typed by guess, but each with its place, from which [`Raw::node`]
/// takes the text back.
#[derive(Debug, Clone)]
pub(super) struct Raw(Spanned<Guess>);

#[derive(Debug, Clone)]
enum Guess {
    Null,
    Scalar(String),
    List(Vec<Raw>),
    Map(Vec<(String, Raw)>),
}

impl Raw {
    /// The node, with the texts of the file that it was read from.
    pub(super) fn node(&self, file: &str) -> Node {
        match &self.0.value {
            Guess::Null => Node::Null,
            Guess::List(items) => Node::List(items.iter().map(|item| item.node(file)).collect()),
            Guess::Map(entries) => Node::Map(entries.iter().map(|(name, value)| (name.clone(), value.node(file))).collect()),
            Guess::Scalar(guess) => match self.written(file) {
                Some(text) if !text.starts_with(['"', '\'', '|', '>']) && !text.contains('\n') => Node::Plain(text.to_owned()),
                _ => Node::Text(guess.clone()),
            },
        }
    }

    /// What stands in the file; of an alias, what it stands for.
    fn written<'f>(&self, file: &'f str) -> Option<&'f str> {
        let span = self.0.defined.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        file.get(start..start.checked_add(length)?)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for Guess {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GuessVisitor)
    }
}

struct GuessVisitor;

impl<'de> Visitor<'de> for GuessVisitor {
    type Value = Guess;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Guess, E> {
        Ok(Guess::Null)
    }

    fn visit_none<E>(self) -> Result<Guess, E> {
        Ok(Guess::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Guess, E> {
        Ok(Guess::Scalar(text.to_owned()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Guess, E> {
        Ok(Guess::Scalar(truth.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Guess, E> {
        Ok(Guess::Scalar(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Guess, E> {
        Ok(Guess::Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Guess, E> {
        Ok(Guess::Scalar(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Guess, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Guess::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Guess, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Guess::Map(map))
    }
}
