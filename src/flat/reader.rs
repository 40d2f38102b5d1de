//! Who reads a record into slots: the scanner, or the reference, which is serde_json and serves as its oracle.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::{self, NotPlain, Raw, Slots};
use super::shape::{Holds, NodeId, ROOT, Shape};
use crate::value::Json;

/// Reads the text of a record, one JSON object, into the slots of a shape.
pub(crate) trait Reader {
    /// # Errors
    /// It cannot be read by this reader: it is no record, or not one that is written plainly.
    fn read(&mut self, shape: &Shape, text: &str, slots: &mut Slots) -> Result<(), NotPlain>;
}

/// Looks at each byte once.
#[derive(Debug, Default)]
pub(crate) struct Scanning;

impl Reader for Scanning {
    #[inline]
    fn read(&mut self, shape: &Shape, text: &str, slots: &mut Slots) -> Result<(), NotPlain> {
        scan::scan(shape, text, slots)
    }
}

/// What serde_json says: of keys that stand twice the last one counts, escaped keys are what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Reference;

impl Reader for Reference {
    fn read(&mut self, shape: &Shape, text: &str, slots: &mut Slots) -> Result<(), NotPlain> {
        // All of it has to be JSON, also what is not read.
        if !serde_json::from_str::<Json>(text).is_ok_and(|json| json.is_object()) || u32::try_from(text.len()).is_err() {
            return Err(NotPlain);
        }
        slots.clear(shape);
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| NotPlain)?;
        Filling { shape, text, slots }.object(ROOT, whole.get(), 0)
    }
}

struct Filling<'s> {
    shape: &'s Shape,
    text: &'s str,
    slots: &'s mut Slots,
}

impl<'s> Filling<'s> {
    /// Where a part of the text begins in it.
    fn place(&self, part: &str) -> u32 {
        // It is a part of a text that is shorter than 4 GiB.
        (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize) as u32
    }

    fn object(&mut self, id: NodeId, text: &'s str, base: u32) -> Result<(), NotPlain> {
        let node = self.shape.node(id).ok_or(NotPlain)?;
        let fields = fields(text)?;
        for (name, child) in &node.children {
            let Some((_, value)) = fields.iter().rev().find(|(key, _)| **key == **name) else { continue };
            let raw = self.value(*child, value.get(), base)?;
            let slot = base + self.shape.node(*child).ok_or(NotPlain)?.slot;
            *self.slots.raw.get_mut(slot as usize).ok_or(NotPlain)? = raw;
        }
        Ok(())
    }

    fn value(&mut self, id: NodeId, text: &'s str, base: u32) -> Result<Raw, NotPlain> {
        let holds = &self.shape.node(id).ok_or(NotPlain)?.holds;
        let start = self.place(text);
        let end = start + text.len() as u32;
        Ok(match (text.as_bytes().first(), holds) {
            (Some(b'n'), _) => Raw::Null,
            (Some(b't'), Holds::Scalar) => Raw::Boolean(true),
            (Some(b'f'), Holds::Scalar) => Raw::Boolean(false),
            (Some(b'"'), Holds::Scalar) => Raw::Text { start: start + 1, end: end - 1, escaped: text.contains('\\') },
            (Some(b'-' | b'0'..=b'9'), Holds::Scalar) => Raw::Number { start, end },
            (Some(b'{'), Holds::Object) => {
                self.object(id, text, base)?;
                Raw::Object
            }
            (Some(b'['), Holds::Rows { width, .. }) => self.rows(id, text, *width)?,
            (Some(b'{'), Holds::Rows { width, envelope: true }) => {
                let found = fields(text)?;
                match found.iter().rev().find(|(key, _)| key == "records").map(|(_, list)| list.get()) {
                    None | Some("null") => Raw::Rows { first: 0, count: 0 },
                    Some(list) if list.starts_with('[') => self.rows(id, list, *width)?,
                    Some(_) => return Err(NotPlain),
                }
            }
            _ => return Err(NotPlain),
        })
    }

    fn rows(&mut self, id: NodeId, text: &'s str, width: u32) -> Result<Raw, NotPlain> {
        let elements: Vec<&'s RawValue> = serde_json::from_str(text).map_err(|_| NotPlain)?;
        let mut bases = Vec::with_capacity(elements.len());
        for element in elements {
            if !element.get().starts_with('{') {
                return Err(NotPlain);
            }
            let base = self.slots.raw.len();
            self.slots.raw.resize(base + width as usize, Raw::Absent);
            let base = u32::try_from(base).map_err(|_| NotPlain)?;
            self.object(id, element.get(), base)?;
            bases.push(base);
        }
        let first = self.slots.rows.len() as u32;
        self.slots.rows.extend(&bases);
        Ok(Raw::Rows { first, count: bases.len() as u32 })
    }
}

/// An object's keys and the texts of their values, in their order, each as often as it stands there.
fn fields(text: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, NotPlain> {
    struct Fields;

    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            // A key with escapes is no part of the text.
            while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                found.push((Cow::Owned(key), value));
            }
            Ok(found)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Fields).map_err(|_| NotPlain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape() -> Shape {
        let mut shape = Shape::new();
        let mut add = |of, name: &str, holds: &Holds| shape.child(of, name, holds).unwrap_or_default();
        add(ROOT, "a", &Holds::Scalar);
        let b = add(ROOT, "b", &Holds::Object);
        add(b, "a", &Holds::Scalar);
        add(b, "é", &Holds::Scalar);
        let rows = add(ROOT, "c", &Holds::Rows { width: 0, envelope: true });
        add(rows, "a", &Holds::Scalar);
        let inner = add(rows, "b", &Holds::Rows { width: 0, envelope: false });
        add(inner, "c", &Holds::Scalar);
        shape.seal();
        shape
    }

    /// What stands in the slots, whatever the order in which rows were made.
    fn seen(shape: &Shape, slots: &Slots, id: NodeId, base: u32) -> String {
        let node = &shape.nodes[usize::from(id)];
        let fields = node.children.iter().map(|(name, child)| {
            let raw = slots.raw[(base + shape.nodes[usize::from(*child)].slot) as usize];
            match raw {
                Raw::Object => format!("{name}: {{{}}}", seen(shape, slots, *child, base)),
                Raw::Rows { first, count } => {
                    let rows = (first..first + count).map(|row| seen(shape, slots, *child, slots.rows[row as usize]));
                    format!("{name}: [{}]", rows.collect::<Vec<_>>().join("; "))
                }
                raw => format!("{name}: {raw:?}"),
            }
        });
        fields.collect::<Vec<_>>().join(", ")
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            "\"[ -!#-\\[\\]-~é🎂]{0,40}\"",
            Just("\"\\u00e9\\n\\ud83c\\udf82\"".to_owned()),
            Just("\"\\ud800\"".to_owned()),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = prop_oneof![Just("a"), Just("b"), Just("c"), Just("é"), Just("x"), Just("records"), Just("\\u0061")];
            let space = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
            let field = (key, space, inner.clone()).prop_map(|(key, space, value)| format!("\"{key}\":{space}{value}"));
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(","))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// One after the other with one scanner: what it has learned of one record is not true of the next.
        #[test]
        fn both_readers_see_the_same(texts in proptest::collection::vec(json(), 1..6)) {
            let shape = shape();
            let (mut scanned, mut filled) = (Slots::default(), Slots::default());
            for text in texts.iter().chain(&texts) {
                if Scanning.read(&shape, text, &mut scanned).is_ok() {
                    prop_assert!(Reference.read(&shape, text, &mut filled).is_ok(), "{}", text);
                    prop_assert_eq!(seen(&shape, &scanned, ROOT, 0), seen(&shape, &filled, ROOT, 0), "{}", text);
                }
            }
        }
    }

    #[test]
    fn of_two_the_last_one_counts() {
        let (shape, mut slots) = (shape(), Slots::default());
        let text = r#"{"a": 1, "\u0061": 22, "b": {"a": 3}, "b": {}}"#;
        assert!(Reference.read(&shape, text, &mut slots).is_ok());
        assert_eq!(seen(&shape, &slots, ROOT, 0), "a: Number { start: 19, end: 21 }, b: {a: Absent, é: Absent}, c: Absent");
    }
}
