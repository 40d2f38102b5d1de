//! Reads a record's bytes once, into slots. What the mapping does not read is passed over, and still has to be JSON.
//!
//! Whatever is not plain is left to the reference reader: it decides what it is, and what to say of it. So this one
//! never tells why; it gives up.

use wide::u8x32;

use super::guess::{Guess, LONGEST_GUESS, MOST_GUESSES, MOST_OF_ALL, Meaning};
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
    /// By node: the keys of its object in the last records, in their order.
    guesses: Vec<Vec<Guess>>,
    /// How many keys are guessed.
    guessed: usize,
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
        let read = self.fields(Some(node), base, &mut guesses);
        if let Some(place) = self.guesses.get_mut(usize::from(id)) {
            *place = guesses;
        }
        read
    }

    /// `node`: none for an object of which nothing is read.
    #[inline(always)]
    fn fields(&mut self, node: Option<&Node>, base: u32, guesses: &mut Vec<Guess>) -> Read<()> {
        if !self.begins(b'{', b'}')? {
            return Ok(());
        }
        let bytes = self.bytes;
        let mut rest = bytes.get(self.at..).unwrap_or_default();
        let mut next = 0;
        loop {
            if let Some(guess) = guesses.get(next)
                && let Some(behind) = self.expected(guess, rest, base)
            {
                rest = behind;
                next += 1;
            } else {
                self.at = bytes.len() - rest.len();
                self.member(node, base, guesses, &mut next)?;
                rest = bytes.get(self.at..).unwrap_or_default();
            }
            // Mostly nothing stands between.
            if let Some((b",", behind)) = rest.split_first_chunk()
                && behind.first() == Some(&b'"')
            {
                rest = behind;
                continue;
            }
            self.at = bytes.len() - rest.len();
            if !self.goes_on(b'}')? {
                return Ok(());
            }
            rest = bytes.get(self.at..).unwrap_or_default();
        }
    }

    /// What stands behind a member whose key is the one that is guessed, with a value of a common form.
    #[inline(always)]
    fn expected<'b>(&mut self, guess: &Guess, rest: &'b [u8], base: u32) -> Option<&'b [u8]> {
        let rest = guess.key.behind(rest)?;
        let first = *rest.first()?;
        let (slot, raw, behind) = match guess.meaning {
            Meaning::Unread => {
                return match first {
                    b'"' => Some(behind_text(rest)?.1),
                    b'{' | b'[' => guess.value.as_ref()?.behind(rest),
                    b'-' | b'0'..=b'9' => rest.get(number(rest)?..),
                    _ => rest.get(word(rest)?..),
                };
            }
            Meaning::Scalar(slot) => {
                let start = (self.bytes.len() - rest.len()) as u32;
                match first {
                    b'"' => {
                        let (length, behind) = behind_text(rest)?;
                        (slot, Raw::Text { start: start + 1, end: start + 1 + length, escaped: false }, behind)
                    }
                    b'-' | b'0'..=b'9' => {
                        let length = number(rest)?;
                        (slot, Raw::Number { start, end: start + length as u32 }, rest.get(length..)?)
                    }
                    b'n' => (slot, Raw::Null, rest.get(word(rest)?..)?),
                    _ => return None,
                }
            }
            Meaning::Inner(_) => return None,
        };
        let place = self.slots.raw.get_mut((base + slot) as usize)?;
        // A key that stands twice.
        if *place != Raw::Absent {
            return None;
        }
        *place = raw;
        Some(behind)
    }

    /// A member of any form.
    #[inline(never)]
    fn member(&mut self, node: Option<&Node>, base: u32, guesses: &mut Vec<Guess>, next: &mut usize) -> Read<()> {
        let meaning = self.key(guesses, node, next)?;
        self.space();
        match meaning {
            Meaning::Scalar(slot) => self.scalar(base + slot),
            Meaning::Inner(id) => self.inner(id, base),
            Meaning::Unread => self.unwanted(guesses.get_mut(next.wrapping_sub(1))),
        }
    }

    /// The value of a key that is not read. `guess`: the key's, by which the value is guessed. One that was made for
    /// another key does no harm: the same bytes are the same value.
    fn unwanted(&mut self, guess: Option<&mut Guess>) -> Read<()> {
        let begun = self.at;
        let Some(guess) = guess else { return self.skip(None) };
        self.skip(Some(&mut guess.inside))?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if guess.value.is_none() && read.len() <= LONGEST_GUESS && matches!(read.first(), Some(b'{' | b'[')) {
            guess.value = Some(Box::new(Word::new(read)));
        }
        Ok(())
    }

    /// A key with its colon, and what it means. `next`: its place in the object, by which it is guessed.
    fn key(&mut self, guesses: &mut Vec<Guess>, node: Option<&Node>, next: &mut usize) -> Read<Meaning> {
        // One that is not there this time is passed over.
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for (place, guess) in guesses.iter().enumerate().skip(*next).take(2) {
            if let Some(behind) = guess.key.behind(rest) {
                *next = place + 1;
                self.at = self.bytes.len() - behind.len();
                return Ok(guess.meaning);
            }
        }
        let begun = self.at;
        let (start, end, escaped) = self.string()?;
        if escaped && node.is_some() {
            // It may be one of the keys that are read.
            return Err(NotPlain);
        }
        let child = node.zip(self.bytes.get(start..end)).and_then(|(node, key)| node.find(key));
        let meaning = match child.and_then(|id| Some((id, self.shape.node(id)?))) {
            Some((_, Node { holds: Holds::Scalar, slot, .. })) => Meaning::Scalar(*slot),
            Some((id, _)) => Meaning::Inner(id),
            None => Meaning::Unread,
        };
        self.space();
        self.expect(b':')?;
        let read = self.bytes.get(begun..self.at).unwrap_or_default();
        if guesses.len() == *next && *next < MOST_GUESSES && self.slots.guessed < MOST_OF_ALL {
            guesses.push(Guess { key: Word::new(read), meaning, value: None, inside: Vec::new() });
            self.slots.guessed += 1;
            *next += 1;
        } else if let Some(known) = guesses.iter().position(|guess| *guess.key.bytes() == *read) {
            // Some before it are not there this time.
            *next = known + 1;
        }
        Ok(meaning)
    }

    /// A key that stands twice: the last one counts, and what belongs to the first has to be forgotten.
    fn once(&self, slot: u32) -> Read<()> {
        if self.slots.raw.get(slot as usize) == Some(&Raw::Absent) { Ok(()) } else { Err(NotPlain) }
    }

    /// A text, a number or a boolean that is read.
    fn scalar(&mut self, slot: u32) -> Read<()> {
        self.once(slot)?;
        let raw = match self.peek() {
            b'"' => {
                let (start, end, escaped) = self.string()?;
                Raw::Text { start: start as u32, end: end as u32, escaped }
            }
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                self.number()?;
                Raw::Number { start: start as u32, end: self.at as u32 }
            }
            first @ (b'n' | b't' | b'f') => {
                self.word()?;
                if first == b'n' { Raw::Null } else { Raw::Boolean(first == b't') }
            }
            _ => return Err(NotPlain),
        };
        self.put(slot, raw);
        Ok(())
    }

    /// An object or a list of which something is read.
    fn inner(&mut self, id: NodeId, base: u32) -> Read<()> {
        let shape = self.shape;
        let node = shape.node(id).ok_or(NotPlain)?;
        let slot = base + node.slot;
        self.once(slot)?;
        let raw = match (self.peek(), &node.holds) {
            (b'{', Holds::Object) => {
                // What is in it may be met again only after it was noted.
                self.put(slot, Raw::Object);
                return self.object(id, base);
            }
            (b'{', Holds::Rows { width, envelope: true }) => self.envelope(id, *width)?,
            (b'[', Holds::Rows { width, .. }) => self.rows(id, *width)?,
            (b'n', _) => {
                self.word()?;
                Raw::Null
            }
            _ => return Err(NotPlain),
        };
        self.put(slot, raw);
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, slot: u32, raw: Raw) {
        if let Some(place) = self.slots.raw.get_mut(slot as usize) {
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

    /// A value that is not read. `inside`: the keys that are guessed in it.
    fn skip(&mut self, mut inside: Option<&mut Vec<Guess>>) -> Read<()> {
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'{' => match inside {
                Some(guesses) => self.fields(None, 0, guesses),
                None => {
                    // Such are not kept.
                    let kept = self.slots.guessed;
                    let read = self.fields(None, 0, &mut Vec::new());
                    self.slots.guessed = kept;
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

/// The length of a text, and what stands behind its last quote, where it is no longer than a window and has nothing
/// escaped in it. `rest` begins with its first quote.
#[inline(always)]
fn behind_text(rest: &[u8]) -> Option<(u32, &[u8])> {
    let text = rest.get(1..)?;
    // Where nothing in the window is special, what stands behind it decides.
    let length = special(u8x32::new(*text.first_chunk::<WIDTH>()?)).trailing_zeros();
    match text.get(length as usize..)? {
        [b'"', behind @ ..] => Some((length, behind)),
        _ => None,
    }
}

/// The length of `null`, `true` or `false`; none where nothing of them stands there.
#[inline(always)]
fn word(rest: &[u8]) -> Option<usize> {
    match rest.first_chunk::<4>()? {
        b"null" | b"true" => Some(4),
        b"fals" if rest.get(4) == Some(&b'e') => Some(5),
        _ => None,
    }
}

/// The length of a number; none where there is none.
#[inline]
fn number(rest: &[u8]) -> Option<usize> {
    let is = |at: usize, byte: u8| rest.get(at) == Some(&byte);
    let digits = |at: usize| {
        let mut end = at;
        while rest.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        (end > at).then_some(end)
    };
    let mut at = usize::from(is(0, b'-'));
    at = if is(at, b'0') { at + 1 } else { digits(at)? };
    if is(at, b'.') {
        at = digits(at + 1)?;
    }
    if is(at, b'e') || is(at, b'E') {
        at += 1;
        at = digits(at + usize::from(is(at, b'+') || is(at, b'-')))?;
    }
    Some(at)
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
