//! Text: cutting, joining, spelling.

use std::sync::{Arc, LazyLock, Mutex};

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::call::{text_if_any, within_text};
use super::signature::{given, integer, optional, text};
use super::{Args, Builtin, Example, Family, Gives, Refusal, Takes};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "trim",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Text),
        says: "The text without white space at its ends.",
        examples: &[Example { call: r#"trim("  Ada ")"#, gives: r#""Ada""# }, Example { call: "trim(missing)", gives: "missing" }],
        run: |args| Ok(Value::text(args.need_text(0, "trim")?.trim())),
    },
    Builtin {
        name: "lower",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Text),
        says: "The text in small letters.",
        examples: &[
            Example { call: r#"lower("ADA@Example.COM")"#, gives: r#""ada@example.com""# },
            Example { call: "lower(missing)", gives: "missing" },
        ],
        run: |args| Ok(Value::text(args.need_text(0, "lower")?.to_lowercase())),
    },
    Builtin {
        name: "upper",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Text),
        says: "The text in capital letters.",
        examples: &[Example { call: r#"upper("sw1a 1aa")"#, gives: r#""SW1A 1AA""# }, Example { call: r#"upper("straße")"#, gives: r#""STRASSE""# }],
        run: |args| Ok(Value::text(args.need_text(0, "upper")?.to_uppercase())),
    },
    Builtin {
        name: "title",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Text),
        says: "Each word with a capital first letter and lower-case letters after it. Names such as McDonald or van Dyke are changed too.",
        examples: &[
            Example { call: r#"title("ADA LOVELACE")"#, gives: r#""Ada Lovelace""# },
            Example { call: r#"title("jean-luc o'neil")"#, gives: r#""Jean-Luc O'Neil""# },
        ],
        run: |args| Ok(Value::text(title(args.need_text(0, "title")?))),
    },
    Builtin {
        name: "collapse",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Text),
        says: "The text on one line: each sequence of white space becomes one space, and white space at the ends is removed. Invisible characters are removed too (see `printable`).",
        examples: &[
            Example { call: r#"collapse("12  High   St\nLeeds ")"#, gives: r#""12 High St Leeds""# },
            Example { call: "collapse(missing)", gives: "missing" },
        ],
        run: |args| {
            let text = printable(args.need_text(0, "collapse")?);
            let words: Vec<&str> = text.split_whitespace().collect();
            Ok(Value::text(words.join(" ")))
        },
    },
    Builtin {
        name: "printable",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text without invisible characters: control characters except line breaks and tabs, and characters without width (U+200B, byte order marks, soft hyphens, marks of direction). Carriers' labels and XML fail on them. White space at the ends is removed.",
        examples: &[
            Example { call: r#"printable("Ada\tLovelace")"#, gives: r#""Ada\tLovelace""# },
            Example { call: "printable(missing)", gives: "missing" },
        ],
        run: |args| Ok(text_if_any(printable(args.need_text(0, "printable")?).trim())),
    },
    Builtin {
        name: "truncate",
        family: Family::Text,
        takes: &[text("text"), integer("characters")],
        gives: Gives::Kind(Kind::Text),
        says: "The first characters of the text, at most the given number. White space at the ends is removed.",
        examples: &[
            Example { call: r#"truncate("Lovelace", 4)"#, gives: r#""Love""# },
            Example { call: r#"truncate("Ada", 30)"#, gives: r#""Ada""# },
            Example { call: r#"truncate("Ada Lovelace", 4)"#, gives: r#""Ada""# },
        ],
        run: |args| {
            let most = args.count(1, 0, "truncate")?;
            Ok(Value::text(first_chars(args.need_text(0, "truncate")?.trim_start(), most).trim_end()))
        },
    },
    Builtin {
        name: "truncate_bytes",
        family: Family::Text,
        takes: &[text("text"), integer("bytes")],
        gives: Gives::Kind(Kind::Text),
        says: "The first bytes of the text in UTF-8, at most the given number, cut between two characters. For systems that count bytes.",
        examples: &[
            Example { call: r#"truncate_bytes("Zoë Weiß", 4)"#, gives: r#""Zoë""# },
            Example { call: r#"truncate_bytes("Weiß", 4)"#, gives: r#""Wei""# },
        ],
        run: |args| {
            let most = args.count(1, 0, "truncate_bytes")?;
            let text = args.need_text(0, "truncate_bytes")?.trim_start();
            let mut end = most.min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Ok(Value::text(text[..end].trim_end()))
        },
    },
    Builtin {
        name: "replace",
        family: Family::Text,
        takes: &[text("text"), text("find"), text("with")],
        gives: Gives::Kind(Kind::Text),
        says: "The text with every occurrence of one text replaced by another.",
        examples: &[
            Example { call: r#"replace("AB-12-X", "-", "")"#, gives: r#""AB12X""# },
            Example { call: r#"replace("AB 12", " ", "_")"#, gives: r#""AB_12""# },
        ],
        run: |args| {
            let text = args.need_text(0, "replace")?;
            let (find, with) = (args.text(1), args.text(2));
            if find.is_empty() {
                return Ok(Value::text(text));
            }
            within_text(text.len() + text.matches(find).count().saturating_mul(with.len()))?;
            Ok(Value::text(text.replace(find, with)))
        },
    },
    Builtin {
        name: "without",
        family: Family::Text,
        takes: &[text("text"), given("end", Takes::Words(&["prefix", "suffix"])), text("part")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text without a part at its beginning (`prefix`) or its end (`suffix`). A text without the part is unchanged. Missing if nothing is left.",
        examples: &[
            Example { call: r#"without("sf-801x0", prefix, "sf-")"#, gives: r#""801x0""# },
            Example { call: r#"without("801x0", prefix, "sf-")"#, gives: r#""801x0""# },
            Example { call: r#"without("sf-", prefix, "sf-")"#, gives: "missing" },
            Example { call: r#"without("report.csv", suffix, ".csv")"#, gives: r#""report""# },
        ],
        run: |args| {
            let text = args.need_text(0, "without")?;
            let part = args.text(2);
            let rest = match args.words(1, "prefix") {
                "suffix" => text.strip_suffix(part),
                _ => text.strip_prefix(part),
            };
            Ok(text_if_any(rest.unwrap_or(text)))
        },
    },
    Builtin {
        name: "starts_with",
        family: Family::Text,
        takes: &[text("text"), text("part")],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether the text begins with the part. Upper and lower case matter.",
        examples: &[
            Example { call: r#"starts_with("sf-801x0", "sf-")"#, gives: "true" },
            Example { call: r#"starts_with("SF-801x0", "sf-")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(args.need_text(0, "starts_with")?.starts_with(args.text(1)))),
    },
    Builtin {
        name: "ends_with",
        family: Family::Text,
        takes: &[text("text"), text("part")],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether the text ends with the part. Upper and lower case matter.",
        examples: &[
            Example { call: r#"ends_with("report.csv", ".csv")"#, gives: "true" },
            Example { call: r#"ends_with("csv", "report.csv")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(args.need_text(0, "ends_with")?.ends_with(args.text(1)))),
    },
    Builtin {
        name: "contains",
        family: Family::Text,
        takes: &[text("text"), text("part")],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether the text contains the part. Upper and lower case matter. For lists, use `contains_item`.",
        examples: &[
            Example { call: r#"contains("leave at the door", "door")"#, gives: "true" },
            Example { call: r#"contains("leave at the door", "Door")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(args.need_text(0, "contains")?.contains(args.text(1)))),
    },
    Builtin {
        name: "length",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Integer),
        says: "How many characters the text has.",
        examples: &[Example { call: r#"length("Zoë")"#, gives: "3" }, Example { call: "length(missing)", gives: "missing" }],
        run: |args| Ok(Value::integer(args.need_text(0, "length")?.chars().count() as i64)),
    },
    Builtin {
        name: "split",
        family: Family::Text,
        takes: &[text("text"), text("separator")],
        gives: Gives::List(Kind::Text),
        says: "The parts between the separators, without white space at their ends. Empty parts are left out.",
        examples: &[
            Example { call: r#"split("red; green;;blue", ";")"#, gives: r#"["red", "green", "blue"]"# },
            Example { call: r#"split("red", ";")"#, gives: r#"["red"]"# },
        ],
        run: |args| {
            let text = args.need_text(0, "split")?;
            let separator = args.text(1);
            Ok(if separator.is_empty() { parts([text].into_iter()) } else { parts(text.split(separator)) })
        },
    },
    Builtin {
        name: "lines",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::List(Kind::Text),
        says: "The lines of the text. Empty ones are left out.",
        examples: &[
            Example { call: r#"lines("12 High St\n\nFlat 3")"#, gives: r#"["12 High St", "Flat 3"]"# },
            Example { call: r#"lines("12 High St")"#, gives: r#"["12 High St"]"# },
        ],
        run: |args| Ok(parts(args.need_text(0, "lines")?.lines())),
    },
    Builtin {
        name: "line",
        family: Family::Text,
        takes: &[text("text"), integer("number")],
        gives: Gives::Maybe(Kind::Text),
        says: "One line of the text, counted from 1. Empty lines do not count.",
        examples: &[
            Example { call: r#"line("12 High St\nFlat 3", 2)"#, gives: r#""Flat 3""# },
            Example { call: r#"line("12 High St", 2)"#, gives: "missing" },
        ],
        run: |args| {
            let number = args.count(1, 0, "line")?;
            let text = args.need_text(0, "line")?;
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(Value::optional(number.checked_sub(1).and_then(|at| lines.nth(at)).map(Value::text)))
        },
    },
    Builtin {
        name: "pad_left",
        family: Family::Text,
        takes: &[text("text"), integer("characters"), optional("with", Takes::Kind(Kind::Text))],
        gives: Gives::Kind(Kind::Text),
        says: "The text filled to a length by another text before it (by default a space).",
        examples: &[
            Example { call: r#"pad_left("1234", 8, "0")"#, gives: r#""00001234""# },
            Example { call: r#"pad_left("123456", 4, "0")"#, gives: r#""123456""# },
        ],
        run: |args| {
            let (text, padding) = padding(args, "pad_left")?;
            Ok(Value::text(padding + text))
        },
    },
    Builtin {
        name: "pad_right",
        family: Family::Text,
        takes: &[text("text"), integer("characters"), optional("with", Takes::Kind(Kind::Text))],
        gives: Gives::Kind(Kind::Text),
        says: "The text filled to a length by another text after it (by default a space).",
        examples: &[
            Example { call: r#"pad_right("AB", 4, ".")"#, gives: r#""AB..""# },
            Example { call: r#"pad_right("ABCD", 2)"#, gives: r#""ABCD""# },
        ],
        run: |args| {
            let (text, padding) = padding(args, "pad_right")?;
            Ok(Value::text(text.to_owned() + &padding))
        },
    },
    Builtin {
        name: "first_chars",
        family: Family::Text,
        takes: &[text("text"), integer("characters")],
        gives: Gives::Maybe(Kind::Text),
        says: "The first characters of the text, unchanged. Missing if they are blank.",
        examples: &[
            Example { call: r#"first_chars("SW1A 1AA", 2)"#, gives: r#""SW""# },
            Example { call: r#"first_chars("  SW1A", 2)"#, gives: "missing" },
        ],
        run: |args| {
            let most = args.count(1, 0, "first_chars")?;
            Ok(text_if_any(first_chars(args.need_text(0, "first_chars")?, most)))
        },
    },
    Builtin {
        name: "last_chars",
        family: Family::Text,
        takes: &[text("text"), integer("characters")],
        gives: Gives::Maybe(Kind::Text),
        says: "The last characters of the text, unchanged. Missing if they are blank.",
        examples: &[
            Example { call: r#"last_chars("4111111111111234", 4)"#, gives: r#""1234""# },
            Example { call: r#"last_chars("12", 4)"#, gives: r#""12""# },
        ],
        run: |args| {
            let text = args.need_text(0, "last_chars")?;
            let most = args.count(1, 0, "last_chars")?;
            let skipped = text.chars().count().saturating_sub(most);
            Ok(text_if_any(text.chars().skip(skipped).collect::<String>()))
        },
    },
    Builtin {
        name: "text_before",
        family: Family::Text,
        takes: &[text("text"), text("separator")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text before the first separator. Missing if the text has no separator.",
        examples: &[
            Example { call: r#"text_before("Smith, Ada", ",")"#, gives: r#""Smith""# },
            Example { call: r#"text_before("Smith", ",")"#, gives: "missing" },
        ],
        run: |args| {
            let text = args.need_text(0, "text_before")?;
            Ok(text.split_once(args.text(1)).map_or(Value::ABSENT, |(before, _)| text_if_any(before.trim())))
        },
    },
    Builtin {
        name: "text_after",
        family: Family::Text,
        takes: &[text("text"), text("separator")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text after the first separator. Missing if the text has no separator.",
        examples: &[
            Example { call: r#"text_after("Smith, Ada", ",")"#, gives: r#""Ada""# },
            Example { call: r#"text_after("Smith,", ",")"#, gives: "missing" },
        ],
        run: |args| {
            let text = args.need_text(0, "text_after")?;
            Ok(text.split_once(args.text(1)).map_or(Value::ABSENT, |(_, after)| text_if_any(after.trim())))
        },
    },
    Builtin {
        name: "digits_only",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Maybe(Kind::Text),
        says: "The digits 0 to 9 of the text. Missing if it has none.",
        examples: &[
            Example { call: r#"digits_only("+1 (555) 010-9999")"#, gives: r#""15550109999""# },
            Example { call: r#"digits_only("none")"#, gives: "missing" },
        ],
        run: |args| {
            let digits: String = args.need_text(0, "digits_only")?.chars().filter(char::is_ascii_digit).collect();
            Ok(text_if_any(digits))
        },
    },
    Builtin {
        name: "extract",
        family: Family::Text,
        takes: &[text("text"), given("pattern", Takes::Pattern)],
        gives: Gives::Maybe(Kind::Text),
        says: "The first part of the text that fits the pattern, or its first group in brackets if it has one.",
        examples: &[
            Example { call: "extract(\"order 4711, urgent\", '[0-9]+')", gives: r#""4711""# },
            Example { call: "extract(\"PO:4711\", 'PO:([0-9]+)')", gives: r#""4711""# },
            Example { call: "extract(\"none\", '[0-9]+')", gives: "missing" },
        ],
        run: |args| {
            let text = args.need_text(0, "extract")?;
            let Some(pattern) = compiled(args.text(1)) else { return Err(args.unchecked(1, "extract")) };
            let found = pattern.captures(text).and_then(|found| found.get(1).or_else(|| found.get(0)));
            Ok(found.map_or(Value::ABSENT, |found| text_if_any(found.as_str())))
        },
    },
    Builtin {
        name: "ascii",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text in plain Latin letters, for carriers that accept no others. Accents are removed, `ß` becomes `ss`, `Ø` becomes `O`, and characters without such a letter are left out.",
        examples: &[
            Example { call: r#"ascii("Łódź, Straße 5")"#, gives: r#""Lodz, Strasse 5""# },
            Example { call: r#"ascii("Ｆｕｌｌ　１２")"#, gives: r#""Full 12""# },
            Example { call: r#"ascii("東京")"#, gives: "missing" },
        ],
        run: |args| Ok(text_if_any(ascii(args.need_text(0, "ascii")?).trim())),
    },
    Builtin {
        name: "slug",
        family: Family::Text,
        takes: &[text("text")],
        gives: Gives::Maybe(Kind::Text),
        says: "The text as a part of a key or a web address: lower-case plain letters and digits, joined by `-`.",
        examples: &[Example { call: r#"slug("Blue Shirt (XL)")"#, gives: r#""blue-shirt-xl""# }, Example { call: r#"slug("!!")"#, gives: "missing" }],
        run: |args| {
            let plain = ascii(args.need_text(0, "slug")?).to_lowercase();
            let words: Vec<&str> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
            Ok(text_if_any(words.join("-")))
        },
    },
];

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    out
}

fn first_chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

fn parts<'a>(parts: impl Iterator<Item = &'a str>) -> Value {
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    // One past the limit is enough for the caller to refuse.
    Value::list(parts.map(Value::text).take(crate::value::MAX_ITEMS + 1).collect())
}

fn padding<'a>(args: &'a Args<'_>, function: &'static str) -> Result<(&'a str, String), Refusal> {
    let text = args.need_text(0, function)?;
    let wanted = args.count(1, 0, function)?;
    let with = args.words(2, " ");
    within_text(wanted)?;
    let lacking = wanted.saturating_sub(text.chars().count());
    Ok((text, with.chars().cycle().take(if with.is_empty() { 0 } else { lacking }).collect()))
}

/// Plain Latin letters, as near as they come.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfd() {
        match c {
            c if is_hidden(c) => {}
            c if c.is_ascii() => out.push(c),
            // Wide letters, and letters of other shapes (ligatures, mathematical letters), are plain ones.
            '\u{3000}' => out.push(' '),
            '\u{ff01}'..='\u{ff5e}' | '\u{fb00}'..='\u{fb06}' | '\u{1d400}'..='\u{1d7ff}' | '\u{2102}'..='\u{2115}' | '\u{211b}'..='\u{2134}' => {
                out.extend(std::iter::once(c).nfkd().filter(char::is_ascii));
            }
            'ß' => out.push_str("ss"),
            'ẞ' => out.push_str("SS"),
            'æ' => out.push_str("ae"),
            'Æ' => out.push_str("AE"),
            'œ' => out.push_str("oe"),
            'Œ' => out.push_str("OE"),
            'ø' => out.push('o'),
            'Ø' => out.push('O'),
            'ł' => out.push('l'),
            'Ł' => out.push('L'),
            'đ' | 'ð' => out.push('d'),
            'Đ' | 'Ð' => out.push('D'),
            'þ' => out.push_str("th"),
            'Þ' => out.push_str("Th"),
            'ħ' => out.push('h'),
            'Ħ' => out.push('H'),
            'ı' => out.push('i'),
            'ŋ' => out.push_str("ng"),
            '‘' | '’' | '‚' | 'ʼ' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '–' | '—' | '‐' | '‑' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            '№' => out.push_str("No"),
            '€' => out.push_str("EUR"),
            '£' => out.push_str("GBP"),
            '\u{a0}' | '\u{2009}' | '\u{202f}' => out.push(' '),
            _ => {}
        }
    }
    out
}

/// Whether a character has no shape and no width, though it is no white space: controls, marks of direction, joiners.
fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{85}' => false,
        c if c.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            true
        }
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        // What is no character.
        '\u{fdd0}'..='\u{fdef}' => true,
        c => matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff),
    }
}

/// The text without characters that nobody sees; lines and tabs stay.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).collect()
}

/// A pattern of the mapping, compiled once. Patterns are literals, so there are few.
pub(super) fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    type Known = Vec<(String, Arc<Regex>)>;
    // A cache: what it gives depends on the pattern alone.
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    const MOST: usize = 256;
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, regex)) = known.iter().find(|(text, _)| text == pattern) {
        return Some(regex.clone());
    }
    let regex = Arc::new(Regex::new(pattern).ok()?);
    if known.len() >= MOST {
        known.clear();
    }
    known.push((pattern.to_owned(), regex.clone()));
    Some(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_dropped_and_lines_stay() {
        for (text, expected) in [
            ("Bad\u{1a}Name", "BadName"),
            ("A\u{0}B", "AB"),
            ("\u{200b}Ada", "Ada"),
            ("\u{feff}Ada\u{ad} L\u{2060}ovelace\u{200e}", "Ada Lovelace"),
            ("12 High St\r\nFlat\t3\u{7f}", "12 High St\r\nFlat\t3"),
            ("東京\u{202a}都\u{9b}", "東京都"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ascii_has_plain_letters_for_letters_of_other_shapes() {
        for (text, expected) in [
            ("Ｆｕｌｌ　Ｗｉｄｔｈ　１２－３", "Full Width 12-3"),
            ("Bad\u{1a}Na\u{200b}me", "BadName"),
            ("oﬃce", "office"),
            ("𝐁𝐨𝐥𝐝", "Bold"),
            ("Łódź", "Lodz"),
            ("½", ""),
        ] {
            assert_eq!(ascii(text), expected, "{text:?}");
        }
    }
}
