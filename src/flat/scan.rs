//! Reads a record's bytes once, into slots. What the mapping does not read is passed over, and still has to be JSON.
//!
//! Whatever is not plain is left to the reference reader: it decides what it is, and what to say of it. So this one
//! never tells why; it gives up.

use super::shape::{Holds, Node, NodeId, ROOT, Shape};
use super::window::{WIDTH, Word, special, window};

/// What stands in a slot: texts and numbers by their place in the record's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Raw {
    #[default]
    Absent,
    Null,
    Boolean(bool),
    Number {
        start: u32,
        end: u32,
    },
    /// Without its quotes. `escaped`: it has to be decoded.
    Text {
        start: u32,
        end: u32,
        escaped: bool,
    },
    Object,
    /// The elements' rows: where they begin in [`Slots::rows`], and how many.
    Rows {
        first: u32,
        count: u32,
    },
}

/// One record, read. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    pub(crate) raw: Vec<Raw>,
    /// Where rows of elements begin in `raw`.
    pub(crate) rows: Vec<u32>,
    open: Vec<u32>,
    /// By node: the keys of its object in the last records, in their order. Records of one source have the same order.
    guesses: Vec<Vec<Guess>>,
}

impl Slots {
    /// Makes room for another record.
    pub(super) fn clear(&mut self, shape: &Shape) {
        self.raw.clear();
        self.raw.resize(shape.width as usize, Raw::Absent);
        self.rows.clear();
        self.open.clear();
    }
}

/// A key that is expected next.
#[derive(Debug)]
struct Guess {
    /// `"name":`
    key: Word,
    child: Option<Child>,
    /// Of a key that is not read: its value in the record before, where that was no text and no number. Many such are
    /// `null`, or the same small object in every record.
    value: Option<Word>,
}

/// What a key that is read is to the shape.
#[derive(Debug, Clone, Copy)]
struct Child {
    id: NodeId,
    slot: u32,
    /// It holds a text, a number or a boolean.
    scalar: bool,
}

/// Bytes of a value that is guessed.
const LONGEST_GUESS: usize = 64;
/// Keys of one object that are guessed.
const MOST_GUESSES: usize = 512;

/// The record is not plain: the reference reader has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPlain;

type Read<T> = Result<T, NotPlain>;

/// Objects and lists inside each other.
const DEEPEST: u32 = 100;

/// Reads a record: the text of one JSON object.
pub(crate) fn scan(shape: &Shape, text: &str, slots: &mut Slots) -> Read<()> {
    if u32::try_from(text.len()).is_err() {
        return Err(NotPlain);
    }
    slots.clear(shape);
    slots.guesses.resize_with(shape.nodes.len(), Vec::new);
    let mut guesses = std::mem::take(&mut slots.guesses);
    let read = {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, shape, slots, guesses: &mut guesses, depth: 0 };
        scanner.record()
    };
    slots.guesses = guesses;
    read
}

struct Scanner<'s> {
    bytes: &'s [u8],
    at: usize,
    shape: &'s Shape,
    slots: &'s mut Slots,
    guesses: &'s mut [Vec<Guess>],
    depth: u32,
}

impl Scanner<'_> {
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
        let shape = self.shape;
        let node = shape.node(id).ok_or(NotPlain)?;
        // No object stands in itself: its guesses are its own while it is read.
        let mut guesses = self.guesses.get_mut(usize::from(id)).map(std::mem::take).unwrap_or_default();
        let read = self.fields(node, base, &mut guesses);
        if let Some(place) = self.guesses.get_mut(usize::from(id)) {
            *place = guesses;
        }
        read
    }

    #[inline(always)]
    fn fields(&mut self, node: &Node, base: u32, guesses: &mut Vec<Guess>) -> Read<()> {
        let mut more = self.begins(b'{', b'}')?;
        let mut next = 0;
        while more {
            let child = self.key(guesses, node, &mut next)?;
            self.space();
            match child {
                Some(child) => self.wanted(child, base)?,
                None => self.unwanted(guesses.get_mut(next.wrapping_sub(1)))?,
            }
            more = self.goes_on(b'}')?;
        }
        Ok(())
    }

    /// An object of which nothing is read.
    fn passed(&mut self) -> Read<()> {
        let mut more = self.begins(b'{', b'}')?;
        while more {
            self.string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            self.skip()?;
            more = self.goes_on(b'}')?;
        }
        Ok(())
    }

    /// The value of a key that is not read. `guess`: the key's, by which the value is guessed. One that was made for
    /// another key does no harm: the same bytes are the same value.
    #[inline(always)]
    fn unwanted(&mut self, guess: Option<&mut Guess>) -> Read<()> {
        let begun = self.at;
        if let Some(value) = guess.as_ref().and_then(|guess| guess.value.as_ref())
            && value.stands(self.bytes, begun)
            // It ends there: `null` does, and not a word that begins like it.
            && matches!(self.bytes.get(begun + value.len()), Some(b',' | b'}'))
        {
            self.at = begun + value.len();
            return Ok(());
        }
        if self.peek() == b'"' {
            return self.string().map(|_| ());
        }
        self.skip()?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if matches!(read.first(), Some(b'{' | b'[' | b'n' | b't' | b'f'))
            && read.len() <= LONGEST_GUESS
            && let Some(guess) = guess
            && guess.value.is_none()
        {
            guess.value = Some(Word::new(read));
        }
        Ok(())
    }

    /// A key with its colon, and the child that it is. `next`: its place in the object, by which it is guessed.
    #[inline(always)]
    fn key(&mut self, guesses: &mut Vec<Guess>, node: &Node, next: &mut usize) -> Read<Option<Child>> {
        if let Some(guess) = guesses.get(*next)
            && guess.key.stands(self.bytes, self.at)
        {
            *next += 1;
            self.at += guess.key.len();
            return Ok(guess.child);
        }
        self.other_key(guesses, node, next)
    }

    /// A key that is not the one that was expected.
    #[inline(never)]
    fn other_key(&mut self, guesses: &mut Vec<Guess>, node: &Node, next: &mut usize) -> Read<Option<Child>> {
        // One that is not there this time is passed over.
        if let Some(guess) = guesses.get(*next + 1)
            && guess.key.stands(self.bytes, self.at)
        {
            *next += 2;
            self.at += guess.key.len();
            return Ok(guess.child);
        }
        let begun = self.at;
        let (start, end, escaped) = self.string()?;
        if escaped {
            // It may be one of the keys that are read.
            return Err(NotPlain);
        }
        let child = self.bytes.get(start..end).and_then(|key| node.find(key));
        let child = child.and_then(|id| {
            let node = self.shape.node(id)?;
            Some(Child { id, slot: node.slot, scalar: node.holds == Holds::Scalar })
        });
        self.space();
        self.expect(b':')?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if guesses.len() == *next && *next < MOST_GUESSES {
            guesses.push(Guess { key: Word::new(read), child, value: None });
            *next += 1;
        } else if let Some(known) = guesses.iter().position(|guess| *guess.key.bytes() == *read) {
            // Some before it are not there this time.
            *next = known + 1;
        }
        Ok(child)
    }

    /// A value that is read.
    #[inline(always)]
    fn wanted(&mut self, child: Child, base: u32) -> Read<()> {
        let slot = (base + child.slot) as usize;
        // A key that stands twice: the last one counts, and what belongs to the first has to be forgotten.
        if self.slots.raw.get(slot) != Some(&Raw::Absent) {
            return Err(NotPlain);
        }
        let raw = match self.peek() {
            b'"' if child.scalar => {
                let (start, end, escaped) = self.string()?;
                Raw::Text { start: start as u32, end: end as u32, escaped }
            }
            b'-' | b'0'..=b'9' if child.scalar => {
                let start = self.at;
                self.number()?;
                Raw::Number { start: start as u32, end: self.at as u32 }
            }
            b'n' => {
                self.word(b"null")?;
                Raw::Null
            }
            _ => return self.other(child.id, base, slot),
        };
        self.put(slot, raw);
        Ok(())
    }

    #[inline(never)]
    fn other(&mut self, id: NodeId, base: u32, slot: usize) -> Read<()> {
        let shape = self.shape;
        let holds = &shape.node(id).ok_or(NotPlain)?.holds;
        let raw = match (self.peek(), holds) {
            (b'{', Holds::Object) => {
                // What is in it may be met again only after it was noted.
                self.put(slot, Raw::Object);
                return self.object(id, base);
            }
            (b'{', Holds::Rows { width, envelope: true }) => self.envelope(id, *width)?,
            (b'[', Holds::Rows { width, .. }) => self.rows(id, *width)?,
            (b't', Holds::Scalar) => {
                self.word(b"true")?;
                Raw::Boolean(true)
            }
            (b'f', Holds::Scalar) => {
                self.word(b"false")?;
                Raw::Boolean(false)
            }
            _ => return Err(NotPlain),
        };
        self.put(slot, raw);
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, slot: usize, raw: Raw) {
        if let Some(place) = self.slots.raw.get_mut(slot) {
            *place = raw;
        }
    }

    /// `{"totalSize": 2, "done": true, "records": [ … ]}`
    fn envelope(&mut self, id: NodeId, width: u32) -> Read<Raw> {
        let none = Raw::Rows { first: 0, count: 0 };
        let mut found = None;
        let mut more = self.begins(b'{', b'}')?;
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
                        self.word(b"null")?;
                        none
                    }
                    _ => return Err(NotPlain),
                });
            } else {
                self.skip()?;
            }
            more = self.goes_on(b'}')?;
        }
        Ok(found.unwrap_or(none))
    }

    /// An array of objects, each in a row of its own.
    fn rows(&mut self, id: NodeId, width: u32) -> Read<Raw> {
        let mark = self.slots.open.len();
        let mut more = self.begins(b'[', b']')?;
        while more {
            let base = self.slots.raw.len();
            self.slots.raw.resize(base + width as usize, Raw::Absent);
            let base = u32::try_from(base).map_err(|_| NotPlain)?;
            self.slots.open.push(base);
            self.object(id, base)?;
            more = self.goes_on(b']')?;
        }
        // Rows of lists inside stand before those of the list that they are in.
        let first = self.slots.rows.len() as u32;
        self.slots.rows.extend(self.slots.open.drain(mark..));
        Ok(Raw::Rows { first, count: self.slots.rows.len() as u32 - first })
    }

    /// A value that is not read.
    fn skip(&mut self) -> Read<()> {
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'{' => self.passed(),
            b'[' => {
                let mut more = self.begins(b'[', b']')?;
                while more {
                    self.skip()?;
                    more = self.goes_on(b']')?;
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            _ => self.word(b"false"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Read<()> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(());
        }
        Err(NotPlain)
    }

    fn digits(&mut self) -> Read<()> {
        if !self.peek().is_ascii_digit() {
            return Err(NotPlain);
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Read<()> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// A text from its first quote: where it begins and ends without them, and whether something in it is escaped.
    #[inline(always)]
    fn string(&mut self) -> Read<(usize, usize, bool)> {
        self.expect(b'"')?;
        let start = self.at;
        if let Some(window) = window(self.bytes, start) {
            let special = special(window);
            let end = start + special.trailing_zeros() as usize;
            if special != 0 && self.bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok((start, end, false));
            }
        }
        self.long_string(start)
    }

    #[inline(never)]
    fn long_string(&mut self, start: usize) -> Read<(usize, usize, bool)> {
        let mut escaped = false;
        loop {
            while let Some(window) = window(self.bytes, self.at) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;
    use proptest::prelude::*;

    fn shape() -> (Shape, Vec<NodeId>) {
        let mut shape = Shape::new();
        let mut add = |of, name: &str, holds: &Holds| shape.child(of, name, holds).unwrap_or_default();
        let a = add(ROOT, "a", &Holds::Scalar);
        let b = add(ROOT, "b", &Holds::Object);
        let c = add(b, "c", &Holds::Scalar);
        let rows = add(ROOT, "rows", &Holds::Rows { width: 0, envelope: true });
        let d = add(rows, "d", &Holds::Scalar);
        let inner = add(rows, "b", &Holds::Rows { width: 0, envelope: false });
        let e = add(inner, "c", &Holds::Scalar);
        shape.seal();
        (shape, vec![a, b, c, rows, d, inner, e])
    }

    fn plain(text: &str) -> bool {
        scan(&shape().0, text, &mut Slots::default()).is_ok()
    }

    #[test]
    fn what_is_read_stands_in_its_slot() {
        let (shape, ids) = shape();
        let text = r#"{ "x": {"a": [1, {"b": null}]}, "b": {"c": "é", "z": -1.5e3}, "rows": {"done": true, "records": [
            {"d": 1, "b": [{"c": true}, {}]}, {"d": "q\"", "b": []}, {}]}, "a": 0.50 }"#;
        let mut slots = Slots::default();
        scan(&shape, text, &mut slots).unwrap_or_else(|_| panic!("it is plain"));
        let get = |base: u32, id: usize| slots.raw[(base + shape.nodes[usize::from(ids[id])].slot) as usize];
        let read = |raw: Raw| match raw {
            Raw::Number { start, end } | Raw::Text { start, end, .. } => text[start as usize..end as usize].to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!((read(get(0, 0)), read(get(0, 1)), read(get(0, 2))), ("0.50".into(), "Object".into(), "é".into()));
        let Raw::Rows { first, count: 3 } = get(0, 3) else { panic!("{:?}", get(0, 3)) };
        let bases: Vec<u32> = (0..3).map(|at| slots.rows[(first + at) as usize]).collect();
        assert_eq!(bases.iter().map(|base| read(get(*base, 4))).collect::<Vec<_>>(), ["1", "q\\\"", "Absent"]);
        let Raw::Rows { first, count: 2 } = get(bases[0], 5) else { panic!("{:?}", get(bases[0], 5)) };
        assert_eq!(get(slots.rows[first as usize], 6), Raw::Boolean(true));
        assert_eq!(get(bases[2], 5), Raw::Absent);
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
        for text in ["{}", " { } ", "{\"q\":1,\"q\":2}", "{\"q\":\"\\u00e9\\/\"}", "{\"a\":-0}", "{\"q\":[[],{},[{\"q\":1e-9}]]}"] {
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
