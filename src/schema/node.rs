//! JSON as it stands in a text, for reading it once: nothing is copied, and keys are compared, not hashed. A schema is
//! read by every command.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'t> {
    Null,
    Boolean(bool),
    /// Its digits.
    Number(Cow<'t, str>),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Object(Vec<(Cow<'t, str>, Node<'t>)>),
}

impl<'t> Node<'t> {
    /// The value of a key; of a key that stands twice the last one.
    pub(super) fn get(&self, name: &str) -> Option<&Node<'t>> {
        self.as_object()?.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn as_object(&self) -> Option<&[(Cow<'t, str>, Node<'t>)]> {
        match self {
            Node::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Node<'t>]> {
        match self {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Node::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The digits of a number.
    pub(super) fn digits(&self) -> Option<&str> {
        match self {
            Node::Number(digits) => Some(digits),
            _ => None,
        }
    }

    pub(super) fn as_u64(&self) -> Option<u64> {
        self.digits()?.parse().ok()
    }
}

/// What serde_json calls the only field of a number whose digits it keeps (its feature `arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Node::Boolean(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Node::Number(number.to_string().into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Node::List(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let value: Node<'de> = map.next_value()?;
            match value {
                Node::Text(digits) if key == NUMBER && found.is_empty() => return Ok(Node::Number(digits)),
                value => found.push((key, value)),
            }
        }
        Ok(Node::Object(found))
    }
}

/// A key that is borrowed where it has no escapes.
struct Key<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Reading)? {
            Node::Text(text) => Ok(Key(text)),
            _ => Err(serde::de::Error::custom("a key is a text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;

    fn plain(node: &Node<'_>) -> Json {
        match node {
            Node::Null => Json::Null,
            Node::Boolean(truth) => Json::Bool(*truth),
            Node::Number(digits) => serde_json::from_str(digits).unwrap(),
            Node::Text(text) => Json::from(&**text),
            Node::List(items) => Json::Array(items.iter().map(plain).collect()),
            Node::Object(fields) => Json::Object(fields.iter().map(|(key, value)| (key.to_string(), plain(value))).collect()),
        }
    }

    #[test]
    fn it_is_what_serde_json_reads() {
        for text in [r#"{"a": [1, -2.50, 1e3, 99999999999999999999, true, null, "x\n\u00e9", {}], "b\t": {"c": ""}, "a": 0.10}"#, "[]", "\"\"", "12"]
        {
            let node: Node<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(plain(&node), serde_json::from_str::<Json>(text).unwrap(), "{text}");
        }
        let node: Node<'_> = serde_json::from_str(r#"{"a": 1, "a": 0.10}"#).unwrap();
        assert_eq!(node.get("a").and_then(Node::digits), Some("0.10"));
        assert!(serde_json::from_str::<Node<'_>>("{\"a\": }").is_err());
    }
}
