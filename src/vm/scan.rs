//! The scanner: reads a record's bytes once, into slots. Fields that the mapping does not read are skipped, but have to be valid JSON.
//!
//! Anything unusual goes to the reference reader, which decides what it is and has the messages. So the scanner never explains; it
//! bails out.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;

use super::key_cache::{ExpectedKey, ExpectedKeys, Keys, LONGEST_EXPECTED, MOST_EXPECTED, MOST_OF_ALL, Meaning, as_expected};
use super::projection::{Holds, Node, NodeId, Projection, ROOT};
use super::reg::RegValue;
use super::simd::{Expected, WIDTH, load, special};
use super::token::{number, number_of, said, word};
use crate::value::{MAX_ITEMS, MAX_TEXT, Missing};

/// One record, read: its memory is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Slots<'r> {
    /// The record's own row, room for what is computed ([`Shape::blank`]), and a row for each element of a list.
    pub(crate) values: Vec<RegValue<'r>>,
    /// Where rows of elements begin in `values`.
    pub(crate) rows: Vec<u32>,
    open: Vec<u32>,
}

impl Slots<'_> {
    /// The same memory for another record.
    pub(crate) fn again<'n>(self) -> Slots<'n> {
        let Slots { mut values, rows, open } = self;
        values.clear();
        // Collected in place: nothing is there, and the memory stays.
        Slots { values: values.into_iter().map(|_| RegValue::ABSENT).collect(), rows, open }
    }

    /// Makes room for another record.
    pub(super) fn clear(&mut self, projection: &Projection) {
        self.values.clear();
        self.values.extend_from_slice(&projection.blank);
        self.rows.clear();
        self.open.clear();
        if let Some(root) = self.values.first_mut() {
            *root = RegValue::Record(ROOT, 0);
        }
    }
}

/// The record is not plain: the reference reader has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPlain;

pub(super) type Read<T> = Result<T, NotPlain>;

/// Objects and lists inside each other.
const DEEPEST: u32 = 100;

/// Reads a record: the text of one JSON object.
pub(crate) fn scan<'r>(projection: &Projection, text: &'r str, slots: &mut Slots<'r>, expected_keys: &mut ExpectedKeys, bump: &'r Bump) -> Read<()> {
    if u32::try_from(text.len()).is_err() {
        return Err(NotPlain);
    }
    slots.clear(projection);
    let ExpectedKeys { by_node, count } = expected_keys;
    by_node.resize_with(projection.nodes.len(), Option::default);
    Scanner { bytes: text.as_bytes(), at: 0, projection, slots, expected_keys: by_node, expected: count, depth: 0, bump }.record()
}

struct Scanner<'s, 'r> {
    bytes: &'r [u8],
    at: usize,
    projection: &'s Projection,
    slots: &'s mut Slots<'r>,
    expected_keys: &'s mut [Option<Box<Keys>>],
    expected: &'s mut usize,
    depth: u32,
    bump: &'r Bump,
}

impl<'r> Scanner<'_, 'r> {
    fn record(&mut self) -> Read<()> {
        self.space();
        self.object(ROOT, 0)?;
        self.space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(NotPlain) }
    }

    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn space(&mut self) {
        while self.peek() <= b' ' && matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek() != byte {
            return Err(NotPlain);
        }
        self.at += 1;
        Ok(())
    }

    /// The beginning of an object or a list. False where it is empty, and read to its end.
    #[inline]
    fn begins(&mut self, open: u8, close: u8) -> Read<bool> {
        self.expect(open)?;
        self.deeper()?;
        self.space();
        if self.peek() != close {
            return Ok(true);
        }
        self.at += 1;
        self.depth -= 1;
        Ok(false)
    }

    /// What stands behind an element: another one, or the end.
    #[inline(always)]
    fn goes_on(&mut self, close: u8) -> Read<bool> {
        // Mostly nothing stands between.
        if self.peek() == b',' && self.bytes.get(self.at + 1).is_some_and(|byte| *byte > b' ') {
            self.at += 1;
            return Ok(true);
        }
        self.space();
        let byte = self.peek();
        if byte != b',' && byte != close {
            return Err(NotPlain);
        }
        self.at += 1;
        if byte == close {
            self.depth -= 1;
            return Ok(false);
        }
        self.space();
        Ok(true)
    }

    fn deeper(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(NotPlain) } else { Ok(()) }
    }

    /// An object, whose keys are those of `id` in the row that begins at `base`.
    fn object(&mut self, id: NodeId, base: u32) -> Read<()> {
        let projection = self.projection;
        let node = projection.node(id).ok_or(NotPlain)?;
        // No object stands in itself: its expected_keys are its own while it is read.
        let mut expected_keys = self.expected_keys.get_mut(usize::from(id)).and_then(Option::take).unwrap_or_default();
        let read = self.fields(Some(node), base, &mut expected_keys.0);
        if let Some(place) = self.expected_keys.get_mut(usize::from(id)) {
            *place = Some(expected_keys);
        }
        read
    }

    /// `node`: none for an object of which nothing is read.
    #[inline(always)]
    fn fields(&mut self, node: Option<&Node>, base: u32, expected_keys: &mut Vec<ExpectedKey>) -> Read<()> {
        if !self.begins(b'{', b'}')? {
            return Ok(());
        }
        let bytes = self.bytes;
        let (mut next, mut first) = (0, true);
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let row = self.slots.values.get_mut(base as usize..).unwrap_or_default();
            let (count, rest) = as_expected(expected_keys.get_mut(next..).unwrap_or_default(), rest, row);
            next += count;
            first &= count == 0;
            self.at = bytes.len() - rest.len();
            if let Some(key @ ExpectedKey { meaning: Meaning::Inner(id), .. }) = expected_keys.get(next)
                && let Some(behind) = key.behind(rest)
            {
                self.at = bytes.len() - behind.len();
                self.space();
                self.inner(*id, base)?;
                next += 1;
            } else {
                if !first && !self.goes_on(b'}')? {
                    return Ok(());
                }
                self.member(node, base, expected_keys, &mut next)?;
            }
            first = false;
            // The first key is expected without a comma: behind another one it has to have one.
            next = next.max(1);
        }
    }

    /// A member of any form.
    #[inline(never)]
    fn member(&mut self, node: Option<&Node>, base: u32, expected_keys: &mut Vec<ExpectedKey>, next: &mut usize) -> Read<()> {
        let meaning = self.key(expected_keys, node, next)?;
        self.space();
        match meaning {
            Meaning::Text(_) if !matches!(self.peek(), b'"' | b'n') => Err(NotPlain),
            Meaning::Number(_) if !matches!(self.peek(), b'-' | b'0'..=b'9' | b'n') => Err(NotPlain),
            Meaning::Text(slot) | Meaning::Number(slot) | Meaning::Scalar(slot) => self.scalar(base + slot),
            Meaning::Inner(id) => self.inner(id, base),
            Meaning::Unread => self.unwanted(expected_keys.get_mut(next.wrapping_sub(1))),
        }
    }

    /// The value of a key that is not read. `key`: the key's, by which the value is expected. One that was made for
    /// another key does no harm: the same bytes are the same value.
    fn unwanted(&mut self, key: Option<&mut ExpectedKey>) -> Read<()> {
        let begun = self.at;
        let Some(key) = key else { return self.skip(None) };
        let more = &mut *key.more;
        self.skip(Some(&mut more.inside))?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if more.value.is_none() && read.len() <= LONGEST_EXPECTED && matches!(read.first(), Some(b'{' | b'[')) {
            more.value = Some(Expected::new(read));
        }
        Ok(())
    }

    /// A key with its colon, and what it means. `next`: its place in the object, by which it is expected.
    fn key(&mut self, expected_keys: &mut Vec<ExpectedKey>, node: Option<&Node>, next: &mut usize) -> Read<Meaning> {
        // One that is not there this time is passed over.
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for (place, key) in expected_keys.iter().enumerate().skip(*next).take(2) {
            if let Some(behind) = rest.strip_prefix(key.name()) {
                *next = place + 1;
                self.at = self.bytes.len() - behind.len();
                return Ok(key.meaning);
            }
        }
        let begun = self.at;
        let (start, end, escaped) = self.string()?;
        if escaped && node.is_some() {
            // It may be one of the keys that are read.
            return Err(NotPlain);
        }
        let child = node.zip(self.bytes.get(start..end)).and_then(|(node, key)| node.find(key));
        let meaning = match child.and_then(|id| Some((id, self.projection.node(id)?))) {
            Some((_, Node { holds: Holds::Text, slot, .. })) => Meaning::Text(*slot),
            Some((_, Node { holds: Holds::Number, slot, .. })) => Meaning::Number(*slot),
            Some((_, Node { holds: Holds::Scalar, slot, .. })) => Meaning::Scalar(*slot),
            Some((id, _)) => Meaning::Inner(id),
            None => Meaning::Unread,
        };
        self.space();
        self.expect(b':')?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if expected_keys.len() == *next && *next < MOST_EXPECTED && *self.expected < MOST_OF_ALL {
            let comma: &[u8] = if expected_keys.is_empty() { b"" } else { b"," };
            expected_keys.push(ExpectedKey::new(&[comma, read].concat(), meaning));
            *self.expected += 1;
            *next += 1;
        } else if let Some(known) = expected_keys.iter().position(|key| key.name() == read) {
            // Some before it are not there this time.
            *next = known + 1;
        }
        Ok(meaning)
    }

    /// A key that stands twice: the last one counts, and what belongs to the first has to be forgotten.
    fn once(&self, slot: u32) -> Read<()> {
        if matches!(self.slots.values.get(slot as usize), Some(RegValue::Missing(Missing::Absent))) { Ok(()) } else { Err(NotPlain) }
    }

    /// A text, a number or a boolean that is read.
    fn scalar(&mut self, slot: u32) -> Read<()> {
        self.once(slot)?;
        let value = match self.peek() {
            b'"' => {
                let (start, end, escaped) = self.string()?;
                let text = self.bytes.get(start..end).ok_or(NotPlain)?;
                if text.len() > MAX_TEXT {
                    return Err(NotPlain);
                }
                said(if escaped { self.unescaped(text)? } else { text })
            }
            b'-' | b'0'..=b'9' => {
                let (number, behind) = self.bytes.get(self.at..).and_then(number_of).ok_or(NotPlain)?;
                self.at = self.bytes.len() - behind.len();
                RegValue::Number(number)
            }
            first @ (b'n' | b't' | b'f') => {
                self.word()?;
                if first == b'n' { RegValue::Missing(Missing::Null) } else { RegValue::Boolean(first == b't') }
            }
            _ => return Err(NotPlain),
        };
        self.put(slot, value);
        Ok(())
    }

    /// A text without its escapes, which are well formed, and none of them half a pair.
    fn unescaped(&self, mut rest: &'r [u8]) -> Read<&'r [u8]> {
        let mut text = List::with_capacity_in(rest.len(), self.bump);
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, behind) = rest.split_at(at);
            text.extend_from_slice_copy(before);
            let mut taken = 2;
            match behind.get(1).ok_or(NotPlain)? {
                b'b' => text.push(0x08),
                b'f' => text.push(0x0C),
                b'n' => text.push(b'\n'),
                b'r' => text.push(b'\r'),
                b't' => text.push(b'\t'),
                b'u' => {
                    taken = 6;
                    let digits = behind.get(2..taken).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or(NotPlain)?;
                    let letter = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or(NotPlain)?;
                    text.extend_from_slice_copy(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                same => text.push(*same),
            }
            rest = behind.get(taken..).ok_or(NotPlain)?;
        }
        text.extend_from_slice_copy(rest);
        Ok(text.into_bump_slice())
    }

    /// An object or a list of which something is read.
    fn inner(&mut self, id: NodeId, base: u32) -> Read<()> {
        let projection = self.projection;
        let node = projection.node(id).ok_or(NotPlain)?;
        let slot = base + node.slot;
        self.once(slot)?;
        let value = match (self.peek(), &node.holds) {
            (b'{', Holds::Object) => {
                // What is in it may be met again only after it was noted.
                self.put(slot, RegValue::Record(id, base));
                return self.object(id, base);
            }
            (b'{', Holds::Rows { width, envelope: true }) => self.envelope(id, *width)?,
            (b'[', Holds::Rows { width, .. }) => self.rows(id, *width)?,
            (b'n', _) => {
                self.word()?;
                RegValue::Missing(Missing::Null)
            }
            _ => return Err(NotPlain),
        };
        self.put(slot, value);
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, slot: u32, value: RegValue<'r>) {
        if let Some(place) = self.slots.values.get_mut(slot as usize) {
            *place = value;
        }
    }

    /// `{"totalSize": 2, "done": true, "records": [ … ]}`
    fn envelope(&mut self, id: NodeId, width: u32) -> Read<RegValue<'r>> {
        let none = RegValue::Rows { node: id, first: 0, count: 0 };
        let (mut found, mut more) = match self.bytes.get(self.at..).and_then(records) {
            Some(list) => {
                self.deeper()?;
                self.at = self.bytes.len() - list.len();
                (Some(self.rows(id, width)?), self.goes_on(b'}')?)
            }
            None => (None, self.begins(b'{', b'}')?),
        };
        while more {
            let (start, end, escaped) = self.string()?;
            let records = self.bytes.get(start..end) == Some(b"records");
            if escaped || (records && found.is_some()) {
                return Err(NotPlain);
            }
            self.space();
            self.expect(b':')?;
            self.space();
            if records {
                found = Some(match self.peek() {
                    b'[' => self.rows(id, width)?,
                    b'n' => {
                        self.word()?;
                        none
                    }
                    _ => return Err(NotPlain),
                });
            } else {
                self.skip(None)?;
            }
            more = self.goes_on(b'}')?;
        }
        Ok(found.unwrap_or(none))
    }

    /// An array of objects, each in a row of its own.
    fn rows(&mut self, id: NodeId, width: u32) -> Read<RegValue<'r>> {
        let mark = self.slots.open.len();
        let mut more = self.begins(b'[', b']')?;
        while more {
            let base = self.slots.values.len();
            self.slots.values.extend_from_slice(self.projection.blank.get(..width as usize).ok_or(NotPlain)?);
            let base = u32::try_from(base).map_err(|_| NotPlain)?;
            self.slots.open.push(base);
            self.object(id, base)?;
            more = self.goes_on(b']')?;
        }
        // Rows of lists inside stand before those of the list that they are in.
        let first = self.slots.rows.len() as u32;
        self.slots.rows.extend(self.slots.open.drain(mark..));
        let count = self.slots.rows.len() as u32 - first;
        if count as usize > MAX_ITEMS { Err(NotPlain) } else { Ok(RegValue::Rows { node: id, first, count }) }
    }

    /// A value that is not read. `inside`: the keys that are expected in it.
    fn skip(&mut self, mut inside: Option<&mut Vec<ExpectedKey>>) -> Read<()> {
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'{' => match inside {
                Some(expected_keys) => self.fields(None, 0, expected_keys),
                None => {
                    // Such are not kept.
                    let kept = *self.expected;
                    let read = self.fields(None, 0, &mut Vec::new());
                    *self.expected = kept;
                    read
                }
            },
            b'[' => {
                let mut more = self.begins(b'[', b']')?;
                while more {
                    self.skip(inside.as_deref_mut())?;
                    more = self.goes_on(b']')?;
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    /// `null`, `true` or `false`.
    fn word(&mut self) -> Read<()> {
        self.at += self.bytes.get(self.at..).and_then(word).ok_or(NotPlain)?;
        Ok(())
    }

    fn number(&mut self) -> Read<()> {
        self.at += self.bytes.get(self.at..).and_then(number).ok_or(NotPlain)?;
        Ok(())
    }

    /// A text from its first quote: where it begins and ends without them, and whether something in it is escaped.
    #[inline(always)]
    fn string(&mut self) -> Read<(usize, usize, bool)> {
        self.expect(b'"')?;
        let start = self.at;
        self.long_string(start)
    }

    #[inline(never)]
    fn long_string(&mut self, start: usize) -> Read<(usize, usize, bool)> {
        let mut escaped = false;
        loop {
            while let Some(window) = load(self.bytes, self.at) {
                let special = special(window);
                if special != 0 {
                    self.at += special.trailing_zeros() as usize;
                    break;
                }
                self.at += WIDTH;
            }
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok((start, self.at - 1, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..=0x1F => return Err(NotPlain),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Read<()> {
        match self.bytes.get(self.at + 1).copied().unwrap_or(0) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let hex = self.bytes.get(self.at + 2..self.at + 6).ok_or(NotPlain)?;
                // Halves of a pair have to stand together: the reference reader knows how.
                let half = matches!(hex[0], b'd' | b'D') && matches!(hex[1], b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F');
                if half || !hex.iter().all(u8::is_ascii_hexdigit) {
                    return Err(NotPlain);
                }
                self.at += 6;
            }
            _ => return Err(NotPlain),
        }
        Ok(())
    }
}

/// The list in an envelope that begins as Salesforce writes it.
#[inline(always)]
fn records(envelope: &[u8]) -> Option<&[u8]> {
    let size = envelope.strip_prefix(b"{\"totalSize\":")?;
    let list = size.get(number(size)?..)?.strip_prefix(b",\"done\":true,\"records\":")?;
    list.starts_with(b"[").then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;
    use proptest::prelude::*;

    fn projection() -> (Projection, Vec<NodeId>) {
        let mut projection = Projection::new();
        let mut add = |of, name: &str, holds: &Holds| projection.child(of, name, holds).unwrap_or_default();
        let a = add(ROOT, "a", &Holds::Scalar);
        let b = add(ROOT, "b", &Holds::Object);
        let c = add(b, "c", &Holds::Scalar);
        let rows = add(ROOT, "rows", &Holds::Rows { width: 0, envelope: true });
        let d = add(rows, "d", &Holds::Scalar);
        let inner = add(rows, "b", &Holds::Rows { width: 0, envelope: false });
        let e = add(inner, "c", &Holds::Scalar);
        projection.seal(0);
        (projection, vec![a, b, c, rows, d, inner, e])
    }

    fn plain(text: &str) -> bool {
        scan(&projection().0, text, &mut Slots::default(), &mut ExpectedKeys::default(), &Bump::new()).is_ok()
    }

    #[test]
    fn what_is_read_stands_in_its_slot() {
        let (projection, ids) = projection();
        let text = r#"{ "x": {"a": [1, {"b": null}]}, "b": {"c": "é", "z": -1.5e3}, "rows": {"done": true, "records": [
            {"d": 1, "b": [{"c": true}, {}]}, {"d": "q\"", "b": []}, {}]}, "a": 0.50 }"#;
        let (mut slots, bump) = (Slots::default(), Bump::new());
        scan(&projection, text, &mut slots, &mut ExpectedKeys::default(), &bump).unwrap_or_else(|_| panic!("it is plain"));
        let get = |base: u32, id: usize| slots.values[(base + projection.nodes[usize::from(ids[id])].slot) as usize];
        let read = |value: RegValue<'_>| match value {
            RegValue::Text(text) => String::from_utf8(text.to_vec()).unwrap_or_default(),
            other => format!("{other:?}"),
        };
        assert_eq!((read(get(0, 0)), read(get(0, 2))), ("Number(0.50)".into(), "é".into()));
        assert_eq!((get(0, 1), slots.values[0]), (RegValue::Record(ids[1], 0), RegValue::Record(ROOT, 0)));
        let RegValue::Rows { first, count: 3, .. } = get(0, 3) else { panic!("{:?}", get(0, 3)) };
        let bases: Vec<u32> = (0..3).map(|at| slots.rows[(first + at) as usize]).collect();
        assert_eq!(bases.iter().map(|base| read(get(*base, 4))).collect::<Vec<_>>(), ["Number(1)", "q\"", "Missing(Absent)"]);
        let RegValue::Rows { first, count: 2, .. } = get(bases[0], 5) else { panic!("{:?}", get(bases[0], 5)) };
        assert_eq!(get(slots.rows[first as usize], 6), RegValue::Boolean(true));
        assert_eq!(get(bases[2], 5), RegValue::ABSENT);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_reference() {
        for text in [
            "",
            "[]",
            "{",
            "{}x",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":+1}",
            "{\"a\":nul}",
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\x\"}",
            "{\"q\":\"\\ud800\"}",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":1}",
            "{\"b\":{\"c\":1,\"c\":2}}",
            "{\"a\":[1]}",
            "{\"a\":-0}",
            "{\"a\":1e2}",
            "{\"a\":1234567890123456789}",
            "{\"rows\":[1]}",
            "{\"b\":\"text\"}",
            "{\"b\":1}",
            "{\"rows\":true}",
            "{\"q\":[1,]}",
            "{\"a\" 1}",
            "{a:1}",
        ] {
            assert!(!plain(text), "{text}");
        }
        assert!(!plain(&format!("{{\"q\":{}{}}}", "[".repeat(200), "]".repeat(200))));
        for text in ["{}", " { } ", "{\"q\":1,\"q\":2}", "{\"q\":\"\\u00e9\\/\"}", "{\"q\":-0}", "{\"q\":[[],{},[{\"q\":1e-9}]]}"] {
            assert!(plain(text), "{text}");
        }
    }

    proptest! {
        /// What it takes for JSON is JSON to the reference reader too, whatever the bytes.
        #[test]
        fn it_takes_nothing_that_the_reference_refuses(text in r#"[{}\[\]",:0-9abcdelnrstu\\ .eE+\-é\x00-\x1f]{0,40}"#) {
            if plain(&text) {
                prop_assert!(serde_json::from_str::<Json>(&text).is_ok(), "{}", text);
            }
        }

        /// And nearly all that the reference takes, where no key stands twice.
        #[test]
        fn it_takes_what_is_written_plainly(keys in proptest::collection::btree_set("[a-z_]{1,20}", 0..20), texts in proptest::collection::vec("\\PC{0,30}", 20)) {
            let record: serde_json::Map<String, Json> = keys.into_iter().zip(texts).map(|(key, text)| (format!("{key}_"), Json::from(text))).collect();
            let text = Json::Object(record).to_string();
            prop_assert!(plain(&text), "{}", text);
        }
    }
}
