//! Redaction: removes what was sent from the text of an answer. Every message of a system passes through here.
//!
//! A system's answer may quote the request that it refuses: a street, a note, a name, a token. A [`Redactor`] knows the personal and
//! secret values of the request, and removes them from the answer in any form: in another case, with other separators, percent-encoded,
//! JSON- or HTML-escaped, in Base64, truncated, or in part. Known forms of secrets, e-mail addresses and telephone numbers are removed
//! whether they were sent or not. Business values (codes, numbers, names of fields) stay readable.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Stands where something was taken out.
pub const HIDDEN: &str = "•••";
/// The longest text that is kept of what a system said, in characters.
const LONGEST: usize = 1_000;
/// What is looked at of a text, in bytes: the rest is dropped.
const LOOKED_AT: usize = 64 << 10;
/// The shortest personal value that is looked for: shorter ones are parts of ordinary words.
const SHORTEST: usize = 3;
/// The shortest word of a personal value that is taken out by itself.
const WORD: usize = 5;
/// So many characters of a personal value in a row are taken out, whatever stands between them.
const PART: usize = 12;
/// So many characters of a secret in a row are taken out.
const SECRET_PART: usize = 8;
/// So many digits in a row are looked for as a telephone number.
const DIGITS: usize = 7;

/// Words that errors are made of. Alone they say nothing of a person, also where one of a person's texts has them.
const ORDINARY: &str = "about above account accepted across active address addresses after again allowed alpha amount another answer apartment \
 apostrophe array attempt authorization avenue back because before being below between body boolean boulevard building cancelled cannot carrier \
 carriers change changed character characters check child choose city class closed code column comma company conflict connection contact contain \
 contains content could country county court create created currency customer customers data date deliver delivered delivery denied deleted desk \
 detail details different digit digits display does domain door drive duplicate during each either email empty enough error errors exceeded \
 exceeds exist existing exists expected expired external failed failure false field fields first floor follow format found front from \
 fulfillment garage gate gift given greater handle have header height hello house http https identifier inside instructions insufficient \
 internal invalid item items large later leave length level limit line list local locked long longer lookup maximum message minimum missing mobile \
 more much must name names need next north note notes null number numbers object only open option order orders other outside package parameter \
 parcel parse party payload permission phone picklist place please porch postal postcode product products property province quantity \
 reached read received record records refused rejected request requested required requires response restricted result right ring road room row \
 same server service services session shipment shipments shipped shipping short should signature size south special state status store street string \
 suite supplied supported telephone text than thank thanks that their there these they this those time timeout token toolong type under unexpected \
 unique unit unknown update updated upper usage user validation valid value values version warehouse weight were west when where which while \
 will with without words work would wrong your";

static ORDINARY_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ORDINARY.split_ascii_whitespace().collect());

/// What is a secret or a person's wherever it stands. The group `v` is taken out, or the whole where there is none.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let shapes = [
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        r"(?i)\b(?:bearer|basic|digest|negotiate)\s+(?P<v>[A-Za-z0-9+/=_.~!:\-]{6,})",
        // A name of a secret and its value, in JSON, a header, a form or a query.
        r#"(?i)(?:authorization|cookie|api[_\- ]?key|api[_\- ]?secret|client[_\- ]?secret|consumer[_\- ]?(?:key|secret)|access[_\- ]?token|refresh[_\- ]?token|session[_\- ]?id|password|passwd|assertion|x-[a-z\-]*token)["'\\]*\s*[:=]\s*["'\\]*(?P<v>(?:(?:bearer|basic)\s+)?[^\s"'&,;<>\\{}\[\]]{3,})"#,
        r"\beyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,2}",
        r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{8,}",
        r"(?i)[a-z0-9._'+\-]+(?:@|%40|&#64;|&#x40;|\\u0040)[a-z0-9\-]+(?:(?:\.|%2e)[a-z0-9\-]+)+",
        r"\+[0-9][0-9 ().\-]{7,18}[0-9]",
        r"\([0-9]{3}\)[ \-]?[0-9]{3}[ \-.][0-9]{4}\b",
        r"\b[0-9]{3}[.\-][0-9]{3}[.\-][0-9]{4}\b",
    ];
    shapes.iter().filter_map(|shape| Regex::new(shape).ok()).collect()
});

/// Takes the values that it was told out of texts.
#[derive(Debug, Default, Clone)]
pub struct Redactor {
    /// Values as words, by their first word.
    whole: BTreeMap<String, Vec<Vec<String>>>,
    /// Words that go by themselves.
    words: BTreeSet<String>,
    /// Words that stay: they stand in what is business, too.
    shown: BTreeSet<String>,
    /// Hashes of the parts of personal values, without what stands between their words.
    parts: HashSet<u64>,
    /// Hashes of the parts of secrets.
    secrets: HashSet<u64>,
    /// The ends of telephone numbers.
    digits: BTreeSet<String>,
}

impl Redactor {
    /// A value of a person. `words`: its words are taken out one by one, too.
    pub fn personal(&mut self, value: &str, words: bool) {
        let value = value.trim();
        if value.chars().count() < SHORTEST {
            return;
        }
        let found: Vec<String> = words_of(&plain(value)).into_iter().map(|word| word.text).collect();
        let Some(first) = found.first() else { return };
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        let joined: Vec<char> = found.concat().chars().collect();
        if digits.len() >= DIGITS && digits.len() * 3 >= joined.len() * 2 {
            self.digits.insert(digits[digits.len().saturating_sub(10)..].to_owned());
        }
        if words {
            let word = |word: &&String| word.chars().count() >= WORD && !ORDINARY_WORDS.contains(word.as_str());
            self.words.extend(found.iter().filter(word).cloned());
        }
        self.parts.extend(joined.windows(PART).map(hash));
        let known = self.whole.entry(first.clone()).or_default();
        if !known.contains(&found) {
            known.push(found);
        }
        if value.len() >= 6 {
            self.encoded(value);
        }
    }

    /// A secret: a token, a password, the value of a header that signs in.
    pub fn secret(&mut self, value: &str) {
        let value = value.trim();
        let chars: Vec<char> = folded(&plain(value)).into_iter().map(|c| c.c).collect();
        if chars.len() < SECRET_PART {
            return;
        }
        self.secrets.extend(chars.windows(SECRET_PART).map(hash));
        self.encoded(value);
        // `Basic …` holds a name and a password, in Base64.
        if let Some((_, coded)) = value.split_once(' ')
            && let Some(inner) = unbase64(coded)
        {
            inner.split(':').for_each(|part| {
                if part.len() >= SECRET_PART {
                    let chars: Vec<char> = part.chars().map(fold).collect();
                    self.secrets.extend(chars.windows(SECRET_PART).map(hash));
                }
            });
        }
    }

    /// A value that everybody may see: its words stay, also where a person's text has them.
    pub fn business(&mut self, value: &str) {
        self.shown.extend(words_of(&plain(value)).into_iter().map(|word| word.text));
    }

    /// A value as Base64 has it, wherever it begins in what was encoded.
    fn encoded(&mut self, value: &str) {
        for skipped in 0..3 {
            let mut bytes = vec![0; skipped];
            bytes.extend_from_slice(value.as_bytes());
            let coded = base64(&bytes);
            // The first characters depend on what stands before, the last ones on what follows.
            let from = if skipped == 0 { 0 } else { 4 };
            let to = coded.len() - if bytes.len() % 3 == 0 { 0 } else { 4 };
            let core: Vec<char> = coded.get(from..to).unwrap_or_default().chars().map(fold).collect();
            if core.len() < SECRET_PART {
                continue;
            }
            self.secrets.extend(core.windows(SECRET_PART).map(hash));
            if core.iter().any(|c| matches!(c, '+' | '/')) {
                let url: Vec<char> = core
                    .iter()
                    .map(|c| {
                        if *c == '+' {
                            '-'
                        } else if *c == '/' {
                            '_'
                        } else {
                            *c
                        }
                    })
                    .collect();
                self.secrets.extend(url.windows(SECRET_PART).map(hash));
            }
        }
    }

    /// A text as it may be kept and shown: without what is personal or secret, in one piece, and no longer than people read.
    pub fn text(&self, text: &str) -> String {
        let clean = self.taken_out(text);
        if clean.chars().count() <= LONGEST { clean } else { clean.chars().take(LONGEST).chain("…".chars()).collect() }
    }

    /// The same, however long it is.
    pub fn taken_out(&self, text: &str) -> String {
        let mut end = text.len().min(LOOKED_AT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = end < text.len();
        let text = &text[..end];
        let mut found: Vec<Range<usize>> = Vec::new();
        for shape in SHAPES.iter() {
            found.extend(shape.captures_iter(text).filter_map(|hit| hit.name("v").or_else(|| hit.get(0))).map(|hit| hit.range()));
        }
        if !self.is_empty() {
            let chars = plain(text);
            self.in_words(&chars, &mut found);
            self.in_parts(&chars, &mut found);
            self.in_digits(&chars, &mut found);
        }
        if found.is_empty() {
            return if cut { format!("{text}…") } else { text.to_owned() };
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            if range.end <= at {
                continue;
            }
            if range.start > at || at == 0 {
                let between = &text[at.min(range.start)..range.start];
                // What lies between two parts of one value is none of the words around it.
                let joins = at > 0 && between.chars().count() <= 2 && !between.chars().any(char::is_alphanumeric) && out.ends_with(HIDDEN);
                if !joins {
                    out.push_str(between);
                    out.push_str(HIDDEN);
                }
            }
            at = range.end;
        }
        out.push_str(&text[at..]);
        if cut {
            out.push('…');
        }
        out
    }

    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.secrets.is_empty()
    }

    fn in_words(&self, chars: &[Char], found: &mut Vec<Range<usize>>) {
        let words = words_of(chars);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let mut most = 0;
            for value in self.whole.get(&word.text).into_iter().flatten() {
                let same = value.iter().zip(&words[at..]).take_while(|(value, word)| **value == word.text).count();
                let whole = same == value.len();
                // A value that was cut off ends within a word.
                let cut = !whole && words.get(at + same).is_some_and(|word| word.text.chars().count() >= 2 && value[same].starts_with(&word.text));
                let reach = same + usize::from(cut);
                let length: usize = value[..same].iter().map(|word| word.chars().count()).sum();
                let telling = || value[..same].iter().any(|word| word.chars().count() >= SHORTEST && !ORDINARY_WORDS.contains(word.as_str()));
                if whole || (reach >= 2 && length >= WORD && telling()) {
                    most = most.max(reach);
                }
            }
            if most == 0 && self.words.contains(&word.text) && !self.shown.contains(&word.text) {
                most = 1;
            }
            if let Some(last) = words.get((at + most).saturating_sub(1)).filter(|_| most > 0) {
                found.push(word.range.start..last.range.end);
            }
            at += most.max(1);
        }
    }

    fn in_parts(&self, chars: &[Char], found: &mut Vec<Range<usize>>) {
        let mut look = |stream: &[Char], length: usize, known: &HashSet<u64>| {
            if known.is_empty() {
                return;
            }
            let mut buffer = Vec::with_capacity(length);
            for window in stream.windows(length) {
                buffer.clear();
                buffer.extend(window.iter().map(|c| c.c));
                if known.contains(&hash(&buffer)) {
                    found.push(window[0].start..window[length - 1].end);
                }
            }
        };
        let folded = folded(chars);
        let letters: Vec<Char> = folded.iter().filter(|c| c.c.is_alphanumeric()).copied().collect();
        look(&letters, PART, &self.parts);
        look(&folded, SECRET_PART, &self.secrets);
    }

    fn in_digits(&self, chars: &[Char], found: &mut Vec<Range<usize>>) {
        if self.digits.is_empty() {
            return;
        }
        let mut run: Vec<Char> = Vec::new();
        let mut ends = |run: &mut Vec<Char>| {
            let digits: Vec<Char> = run.drain(..).filter(|c| c.c.is_ascii_digit()).collect();
            let text: String = digits.iter().map(|c| c.c).collect();
            if let (true, [first, .., last]) = (self.digits.iter().any(|known| text.contains(known.as_str())), digits.as_slice()) {
                found.push(first.start..last.end);
            }
        };
        for c in chars {
            if c.c.is_ascii_digit() || (!run.is_empty() && matches!(c.c, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}')) {
                run.push(*c);
            } else {
                ends(&mut run);
            }
        }
        ends(&mut run);
    }
}

/// Values of persons that were met, as hashes: a system's words about one record may quote another one.
#[derive(Debug, Default)]
pub struct Met {
    values: HashSet<u64>,
    /// The most words that one of them has.
    longest: usize,
}

impl Met {
    /// So many are remembered; then it begins anew.
    const MOST: usize = 200_000;
    /// Values of more words are texts, which nobody quotes whole.
    const WORDS: usize = 8;

    pub fn add(&mut self, value: &str) {
        let words: Vec<String> = words_of(&plain(value)).into_iter().map(|word| word.text).collect();
        // One short or ordinary word tells nobody from another.
        let telling = words.len() > 1 || words.first().is_some_and(|word| word.chars().count() >= WORD && !ORDINARY_WORDS.contains(word.as_str()));
        if words.is_empty() || words.len() > Self::WORDS || !telling {
            return;
        }
        if self.values.len() >= Self::MOST {
            self.values.clear();
        }
        self.longest = self.longest.max(words.len());
        self.values.insert(Self::hash(&words));
    }

    fn hash<S: AsRef<str>>(words: &[S]) -> u64 {
        let mut hasher = DefaultHasher::new();
        words.iter().for_each(|word| word.as_ref().hash(&mut hasher));
        hasher.finish()
    }

    /// A text without the values that were met.
    pub fn taken_out(&self, text: &str) -> String {
        if self.values.is_empty() {
            return text.to_owned();
        }
        let words = words_of(&plain(text));
        let (mut out, mut from, mut at) = (String::with_capacity(text.len()), 0, 0);
        while at < words.len() {
            let most = self.longest.min(words.len() - at);
            let texts: Vec<&str> = words[at..at + most].iter().map(|word| word.text.as_str()).collect();
            let Some(count) = (1..=most).rev().find(|count| self.values.contains(&Self::hash(&texts[..*count]))) else {
                at += 1;
                continue;
            };
            let range = words[at].range.start..words[at + count - 1].range.end;
            out.push_str(&text[from..range.start.max(from)]);
            out.push_str(HIDDEN);
            from = range.end;
            at += count;
        }
        out.push_str(&text[from..]);
        out
    }
}

/// Takes known shapes out of a text of which no request is known.
pub fn shapes(text: &str) -> String {
    Redactor::default().text(text)
}

/// A character as it is meant, and where it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Char {
    c: char,
    start: usize,
    end: usize,
}

struct Word {
    text: String,
    range: Range<usize>,
}

fn hash(chars: &[char]) -> u64 {
    let mut hasher = DefaultHasher::new();
    chars.hash(&mut hasher);
    hasher.finish()
}

fn fold(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn folded(chars: &[Char]) -> Vec<Char> {
    chars.iter().map(|c| Char { c: fold(c.c), ..*c }).collect()
}

/// The words of a text: what letters and digits stand together, in small letters.
fn words_of(chars: &[Char]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for c in chars {
        if !c.c.is_alphanumeric() {
            open = false;
        } else if let (true, Some(word)) = (open, words.last_mut()) {
            word.text.push(fold(c.c));
            word.range.end = c.end;
        } else {
            words.push(Word { text: fold(c.c).to_string(), range: c.start..c.end });
            open = true;
        }
    }
    words
}

/// A text without percent-encoding and the escapes of JSON and HTML, also where one is laid over another.
fn plain(text: &str) -> Vec<Char> {
    let mut chars: Vec<Char> = text.char_indices().map(|(at, c)| Char { c, start: at, end: at + c.len_utf8() }).collect();
    for _ in 0..3 {
        if !chars.iter().any(|c| matches!(c.c, '%' | '\\' | '&')) {
            break;
        }
        let next = unescaped(&chars);
        if next.len() == chars.len() {
            break;
        }
        chars = next;
    }
    chars
}

fn unescaped(chars: &[Char]) -> Vec<Char> {
    let mut out = Vec::with_capacity(chars.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let meant = match c.c {
            '%' => percent(&chars[at..]),
            '\\' => backslash(&chars[at..]),
            '&' => entity(&chars[at..]),
            _ => None,
        };
        match meant {
            Some((meant, length)) => {
                let end = chars.get(at + length - 1).map_or(c.end, |last| last.end);
                out.extend(meant.map(|meant| Char { c: meant, start: c.start, end }));
                at += length;
            }
            None => {
                out.push(*c);
                at += 1;
            }
        }
    }
    out
}

fn hex(chars: &[Char], from: usize, count: usize) -> Option<u32> {
    let digits = chars.get(from..from + count)?;
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + digit.c.to_digit(16)?))
}

/// `%C3%A9`: the character, and how many characters say it.
fn percent(chars: &[Char]) -> Option<(Option<char>, usize)> {
    let mut bytes = Vec::with_capacity(4);
    while bytes.len() < 4 && chars.get(bytes.len() * 3).is_some_and(|c| c.c == '%') {
        let Some(byte) = hex(chars, bytes.len() * 3 + 1, 2).and_then(|byte| u8::try_from(byte).ok()) else { break };
        bytes.push(byte);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            return Some((text.chars().next(), bytes.len() * 3));
        }
    }
    None
}

/// `\n`, `\"`, `\u00e9`
fn backslash(chars: &[Char]) -> Option<(Option<char>, usize)> {
    let pair = |high: u32| {
        let low = hex(chars, 8, 4).filter(|low| chars.get(6).is_some_and(|c| c.c == '\\') && (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    };
    match chars.get(1)?.c {
        'u' => match hex(chars, 2, 4)? {
            high @ 0xd800..0xdc00 => pair(high).map(|c| (Some(c), 12)),
            code => char::from_u32(code).map(|c| (Some(c), 6)),
        },
        'n' | 'r' | 't' => Some((Some(' '), 2)),
        c @ ('"' | '\\' | '/' | '\'') => Some((Some(c), 2)),
        _ => None,
    }
}

/// `&amp;`, `&#39;`, `&#x27;`
fn entity(chars: &[Char]) -> Option<(Option<char>, usize)> {
    const LONGEST_NAME: usize = 9;
    let end = chars.iter().take(LONGEST_NAME).position(|c| c.c == ';')?;
    let name: String = chars[1..end].iter().map(|c| c.c).collect();
    let c = match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        name => match name.strip_prefix('#')? {
            coded if coded.starts_with(['x', 'X']) => char::from_u32(u32::from_str_radix(&coded[1..], 16).ok()?)?,
            coded => char::from_u32(coded.parse().ok()?)?,
        },
    };
    Some((Some(c), end + 1))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            out.push(if at <= three.len() { char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]) } else { '=' });
        }
    }
    out
}

fn unbase64(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREET: &str = "77 Zanzibar Plantation Way";

    fn redactor() -> Redactor {
        let mut redactor = Redactor::default();
        for value in [STREET, "Wilhelmina Plumtree", "Jo", "Ivo", "wil@plum-tree.example", "+1 (512) 555-0199", "Ünter \"den\" <Linden> 5", "78701"]
        {
            redactor.personal(value, true);
        }
        redactor.personal("please leave the fedex parcel behind the hydrangeas", true);
        redactor.secret("Basic cGxhbnRlZC1rZXk6cGxhbnRlZC1zZWNyZXQtNDcxMQ==");
        redactor.business("fedex");
        redactor.business("SF-00000104");
        redactor
    }

    #[test]
    fn a_quoted_value_is_taken_out_in_every_form() {
        let redactor = redactor();
        let b64 = base64(format!("x{STREET}").as_bytes());
        let quoted = [
            format!("cannot take {STREET}."),
            STREET.to_uppercase(),
            STREET.replace(' ', "%20"),
            STREET.replace(' ', "+"),
            "77%2520Zanzibar%2520Plantation%2520Way".to_owned(),
            "77 Zanzibar Plantat".to_owned(),
            "…bar Plantation Way, Austin".replace("bar", "zibar"),
            "near zanzibar,".to_owned(),
            "ZanzibarPlantationWay".to_owned(),
            format!("raw body: {b64}"),
            "<b>Wilhelmina&nbsp;Plumtree</b>".to_owned(),
            "{\\\"n\\\":\\\"Wilhelmina Plumtree\\\"}".to_owned(),
            "\\u0057ilhelmina is no name".to_owned(),
            "WIL@PLUM-TREE.EXAMPLE is taken".to_owned(),
            "wil%40plum-tree.example".to_owned(),
            "number 5125550199 or 512.555.0199 or 15125550199".to_owned(),
            "&#220;nter &quot;den&quot; &lt;Linden&gt; 5".to_owned(),
            "zip 78701 unknown".to_owned(),
            "Ivo".to_owned(),
            "behind the hydrangeas".to_owned(),
            "Authorization: Basic cGxhbnRlZC1rZXk6cGxhbnRlZC1zZWNyZXQtNDcxMQ==".to_owned(),
            "header cGxhbnRlZC1rZXk6cGxhbnR".to_owned(),
            "user planted-key with planted-secret-4711".to_owned(),
            "PLANTED-SECRET".to_owned(),
        ];
        for text in quoted {
            let out = redactor.text(&text);
            let bare: String = out.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            let left =
                ["zanzi", "plantat", "wilhel", "plumtree", "linden", "5550199", "78701", "ivo", "hydrang", "plantedkey", "plantedsecret", "cgxhb"];
            assert!(out.contains(HIDDEN) && !left.iter().any(|left| bare.contains(left)), "{text} -> {out}");
            assert!(!out.contains(&b64[8..24]), "{out}");
        }
    }

    #[test]
    fn business_stays_readable() {
        let redactor = redactor();
        for text in [
            "carrier code 'fedex' is not valid for order SF-00000104",
            "Shipping Street: value too large (max length=40)",
            "leave the field empty, please",
            "the parcel's weight must be greater than 0",
            "duplicate value found: Order_Key__c duplicates value on record with id: 8015g0000000068AAA",
            "Jo",
        ] {
            assert_eq!(redactor.text(text), text);
        }
        assert_eq!(redactor.text(&format!("{STREET} is no street for fedex")), format!("{HIDDEN} is no street for fedex"));
    }

    #[test]
    fn shapes_go_without_a_request() {
        for text in [
            "Bearer 00D5g000000abcd!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL_QJWwYMfAbUeeG7c1E6LYUfiDUkWe6H34r1AAwOR8B8fLEz6n04NPGRrq0FM",
            "{\"access_token\": \"abc123def\"}",
            "client_secret=hunter22&x=1",
            "jo.bloggs@example.co.uk is taken",
            "call +44 20 7946 0958 now",
            "token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        ] {
            let out = shapes(text);
            assert!(out.contains(HIDDEN), "{text} -> {out}");
            for left in ["AQcAQH", "abc123def", "hunter22", "bloggs", "7946", "eyJ", "MIIE"] {
                assert!(!out.contains(left), "{text} -> {out}");
            }
        }
        assert_eq!(shapes("Session expired or invalid (INVALID_SESSION_ID)"), "Session expired or invalid (INVALID_SESSION_ID)");
        assert_eq!(
            shapes("2026-11-28T10:00:00Z: order 00000104, tracking 1Z999AA10123456784"),
            "2026-11-28T10:00:00Z: order 00000104, tracking 1Z999AA10123456784"
        );
        assert!(shapes(&"x ".repeat(5_000)).chars().count() <= 1_001);
    }

    #[test]
    fn what_was_met_elsewhere_is_taken_out_too() {
        let mut met = Met::default();
        ["Quxborough", "77 Zanzibar Way", "field", "TX", "Jo"].into_iter().for_each(|value| met.add(value));
        assert_eq!(met.taken_out("quxborough is closed: field TX, 77%20Zanzibar Way, Jo"), "••• is closed: field TX, •••, Jo");
        assert_eq!(Met::default().taken_out("Quxborough"), "Quxborough");
    }

    #[test]
    fn base64_is_read_and_written() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(unbase64(&base64(text.as_bytes())).as_deref(), Some(text));
        }
        assert_eq!(base64(b"planted-key:planted-secret-4711"), "cGxhbnRlZC1rZXk6cGxhbnRlZC1zZWNyZXQtNDcxMQ==");
    }
}
