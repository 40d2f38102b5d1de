//! The readers of a record: the scanner, and the reference reader (serde_json), which tests compare it with.

use std::borrow::Cow;
use std::fmt;

use bumpalo::Bump;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::key_cache::ExpectedKeys;
use super::number::Number;
use super::projection::{Holds, NodeId, Projection, ROOT};
use super::reg::RegValue;
use super::scan::{self, NotPlain, Slots};
use crate::value::{Json, MAX_ITEMS, MAX_TEXT, Missing};

/// Reads the text of a record, one JSON object, into the slots of a projection.
pub(crate) trait Reader {
    /// # Errors
    /// It cannot be read by this reader: it is no record, or not one that is written plainly.
    fn read<'r>(&mut self, projection: &Projection, text: &'r str, slots: &mut Slots<'r>, bump: &'r Bump) -> Result<(), NotPlain>;
}

/// Looks at each byte once.
#[derive(Debug, Default)]
pub(crate) struct Scanning {
    expected_keys: ExpectedKeys,
}

impl Reader for Scanning {
    #[inline]
    fn read<'r>(&mut self, projection: &Projection, text: &'r str, slots: &mut Slots<'r>, bump: &'r Bump) -> Result<(), NotPlain> {
        scan::scan(projection, text, slots, &mut self.expected_keys, bump)
    }
}

/// What serde_json says: of keys that stand twice the last one counts, escaped keys are what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Reference;

impl Reader for Reference {
    fn read<'r>(&mut self, projection: &Projection, text: &'r str, slots: &mut Slots<'r>, bump: &'r Bump) -> Result<(), NotPlain> {
        // All of it has to be JSON, also what is not read.
        if !serde_json::from_str::<Json>(text).is_ok_and(|json| json.is_object()) || u32::try_from(text.len()).is_err() {
            return Err(NotPlain);
        }
        slots.clear(projection);
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| NotPlain)?;
        Filling { projection, slots, bump }.object(ROOT, whole.get(), 0)
    }
}

struct Filling<'s, 'r> {
    projection: &'s Projection,
    slots: &'s mut Slots<'r>,
    bump: &'r Bump,
}

impl<'r> Filling<'_, 'r> {
    fn object(&mut self, id: NodeId, text: &'r str, base: u32) -> Result<(), NotPlain> {
        let node = self.projection.node(id).ok_or(NotPlain)?;
        let fields = fields(text)?;
        for (name, child) in &node.children {
            let Some((_, value)) = fields.iter().rev().find(|(key, _)| **key == **name) else { continue };
            let value = self.value(*child, value.get(), base)?;
            let slot = base + self.projection.node(*child).ok_or(NotPlain)?.slot;
            *self.slots.values.get_mut(slot as usize).ok_or(NotPlain)? = value;
        }
        Ok(())
    }

    fn value(&mut self, id: NodeId, text: &'r str, base: u32) -> Result<RegValue<'r>, NotPlain> {
        let holds = &self.projection.node(id).ok_or(NotPlain)?.holds;
        Ok(match (text.as_bytes().first(), holds) {
            (Some(b'n'), _) => RegValue::Missing(Missing::Null),
            (Some(b't'), Holds::Scalar) => RegValue::Boolean(true),
            (Some(b'f'), Holds::Scalar) => RegValue::Boolean(false),
            (Some(b'"'), Holds::Text | Holds::Scalar) => {
                let text: String = serde_json::from_str(text).map_err(|_| NotPlain)?;
                match text.len() {
                    _ if text.trim().is_empty() => RegValue::Missing(Missing::Blank),
                    0..=MAX_TEXT => RegValue::Text(self.bump.alloc_str(&text).as_bytes()),
                    _ => return Err(NotPlain),
                }
            }
            (Some(b'-' | b'0'..=b'9'), Holds::Number | Holds::Scalar) => RegValue::Number(Number::parse(text.as_bytes()).ok_or(NotPlain)?),
            (Some(b'{'), Holds::Object) => {
                self.object(id, text, base)?;
                RegValue::Record(id, base)
            }
            (Some(b'['), Holds::Rows { width, .. }) => self.rows(id, text, *width)?,
            (Some(b'{'), Holds::Rows { width, envelope: true }) => {
                let found = fields(text)?;
                match found.iter().rev().find(|(key, _)| key == "records").map(|(_, list)| list.get()) {
                    None | Some("null") => RegValue::Rows { node: id, first: 0, count: 0 },
                    Some(list) if list.starts_with('[') => self.rows(id, list, *width)?,
                    Some(_) => return Err(NotPlain),
                }
            }
            _ => return Err(NotPlain),
        })
    }

    fn rows(&mut self, id: NodeId, text: &'r str, width: u32) -> Result<RegValue<'r>, NotPlain> {
        let elements: Vec<&'r RawValue> = serde_json::from_str(text).map_err(|_| NotPlain)?;
        let mut bases = Vec::with_capacity(elements.len());
        for element in elements {
            if !element.get().starts_with('{') {
                return Err(NotPlain);
            }
            let base = self.slots.values.len();
            self.slots.values.resize(base + width as usize, RegValue::ABSENT);
            let base = u32::try_from(base).map_err(|_| NotPlain)?;
            self.object(id, element.get(), base)?;
            bases.push(base);
        }
        let first = self.slots.rows.len() as u32;
        self.slots.rows.extend(&bases);
        let count = bases.len() as u32;
        if bases.len() > MAX_ITEMS { Err(NotPlain) } else { Ok(RegValue::Rows { node: id, first, count }) }
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

    fn projection() -> Projection {
        let mut projection = Projection::new();
        let mut add = |of, name: &str, holds: &Holds| projection.child(of, name, holds).unwrap_or_default();
        add(ROOT, "a", &Holds::Scalar);
        let b = add(ROOT, "b", &Holds::Object);
        add(b, "a", &Holds::Scalar);
        add(b, "é", &Holds::Text);
        let rows = add(ROOT, "c", &Holds::Rows { width: 0, envelope: true });
        add(rows, "a", &Holds::Number);
        let inner = add(rows, "b", &Holds::Rows { width: 0, envelope: false });
        add(inner, "c", &Holds::Scalar);
        projection.seal(0);
        projection
    }

    /// What stands in the slots, whatever the order in which rows were made.
    fn seen(projection: &Projection, slots: &Slots<'_>, id: NodeId, base: u32) -> String {
        let node = &projection.nodes[usize::from(id)];
        let fields = node.children.iter().map(|(name, child)| {
            let value = slots.values[(base + projection.nodes[usize::from(*child)].slot) as usize];
            match value {
                RegValue::Record(node, at) if (node, at) == (*child, base) => format!("{name}: {{{}}}", seen(projection, slots, *child, base)),
                RegValue::Rows { node, first, count } if node == *child => {
                    let rows = (first..first + count).map(|row| seen(projection, slots, *child, slots.rows[row as usize]));
                    format!("{name}: [{}]", rows.collect::<Vec<_>>().join("; "))
                }
                value => format!("{name}: {value:?}"),
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
            let projection = projection();
            let (mut scanned, mut filled, bump) = (Slots::default(), Slots::default(), Bump::new());
            let mut scanning = Scanning::default();
            for text in texts.iter().chain(&texts) {
                if scanning.read(&projection, text, &mut scanned, &bump).is_ok() {
                    prop_assert!(Reference.read(&projection, text, &mut filled, &bump).is_ok(), "{}", text);
                    prop_assert_eq!(seen(&projection, &scanned, ROOT, 0), seen(&projection, &filled, ROOT, 0), "{}", text);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// What was learned of one record makes no JSON of a broken one: a byte is missing, or stands twice, or another key
        /// stands first.
        #[test]
        fn what_was_learned_makes_nothing_plain_that_is_none(text in json(), at in any::<proptest::sample::Index>(), how in 0..4) {
            let (projection, mut slots, bump) = (projection(), Slots::default(), Bump::new());
            let mut scanning = Scanning::default();
            let _ = scanning.read(&projection, &text, &mut slots, &bump);
            let mut letters: Vec<char> = text.chars().collect();
            match how {
                0 => drop(letters.remove(at.index(letters.len()))),
                1 => letters.insert(at.index(letters.len()), letters[at.index(letters.len())]),
                _ => {
                    // Behind a brace, with a comma and without one.
                    let braces: Vec<usize> = letters.iter().enumerate().filter(|(_, letter)| **letter == '{').map(|(at, _)| at + 1).collect();
                    let brace = if braces.is_empty() { 0 } else { braces[at.index(braces.len())] };
                    let new = if how == 2 { "\"new\":true," } else { "\"new\":true" };
                    letters.splice(brace..brace, new.chars());
                }
            }
            let broken: String = letters.into_iter().collect();
            if scanning.read(&projection, &broken, &mut slots, &bump).is_ok() {
                prop_assert!(serde_json::from_str::<Json>(&broken).is_ok(), "{}", broken);
            }
        }
    }

    /// The first key of an object is expected without a comma: only where it is the first.
    #[test]
    fn behind_an_unknown_first_key_a_comma_is_needed() {
        let (projection, mut slots, bump) = (projection(), Slots::default(), Bump::new());
        let mut scanning = Scanning::default();
        for (text, plain) in [(r#"{"a":1,"x":2}"#, true), (r#"{"new":true"a":1,"x":2}"#, false), (r#"{"new":true,"a":1,"x":2}"#, true)] {
            assert_eq!(scanning.read(&projection, text, &mut slots, &bump).is_ok(), plain, "{text}");
        }
    }

    #[test]
    fn of_two_the_last_one_counts() {
        let (projection, mut slots, bump) = (projection(), Slots::default(), Bump::new());
        let text = r#"{"a": 1, "\u0061": 22, "b": {"a": 3}, "b": {}}"#;
        assert!(Reference.read(&projection, text, &mut slots, &bump).is_ok());
        assert_eq!(seen(&projection, &slots, ROOT, 0), "a: Number(22), b: {a: Missing(Absent), é: Missing(Absent)}, c: Missing(Absent)");
    }
}
