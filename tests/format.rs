//! The laws of the formatter: a second time changes nothing, the meaning stays, no comment is lost.
//! Held over the corpus, the template, and both with their white space changed at random.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crate::common::orders::Dice;
use crossdock::base::FileId;
use crossdock::syntax::{format, read};
use regex::Regex;

struct Laws {
    spans: Regex,
}

impl Laws {
    fn new() -> Self {
        // `node@3..9` and `Span { … }` in what a tree prints.
        Laws { spans: Regex::new(r"@\d+\.\.\d+|Span \{[^}]*\}").unwrap() }
    }

    /// The tree without places.
    fn meaning(&self, text: &str) -> String {
        let (tree, found) = read(FileId(0), text);
        assert!(found.iter().all(|found| !found.is_error()), "{text}\n{found:#?}");
        self.spans.replace_all(&format!("{tree:?}"), "").into_owned()
    }

    /// Whether the text could be formatted, and so was held.
    fn hold(&self, text: &str) -> bool {
        let Ok(once) = format(text) else { return false };
        let twice = format(&once).unwrap_or_else(|found| panic!("what was formatted cannot be read: {found:#?}\n{once}"));
        assert_eq!(once, twice, "a second time changes it again, from\n{text}");
        assert_eq!(self.meaning(text), self.meaning(&once), "the meaning has changed, from\n{text}\nto\n{once}");
        assert_eq!(comments(text), comments(&once), "comments differ, from\n{text}\nto\n{once}");
        true
    }
}

/// Of two spellings of the same thing one is written.
#[test]
fn what_has_two_spellings_is_written_in_one() {
    let laws = Laws::new();
    let text = "edition 1\n\nvalues status: crm.Order.Status -> wms.Order.orderStatus {\n  \"Draft\" -> on_hold\n  else -> review \"no {value}\"\n}\n\nflow a {\n  from \
                crm.Order as order { every 5 minutes }\n\n  route store {\n    when order.Name == \"lookup\" -> \"a\"\n    else -> \"b\"\n  }\n\n  create crm.Task key \
                Key__c = \"x{order.Id}\" in doubt lookup { Subject = store }\n}\n";
    let wanted = text.replace("else -> review", "else review").replace("in doubt lookup", "in doubt look up");
    assert!(laws.hold(text));
    let formatted = format(text).unwrap();
    assert!(formatted.contains("  else review \"no {value}\"\n") && formatted.contains("in doubt look up {"), "{formatted}");
    // A route needs its arrow, and a text stays as it is.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&formatted), words(&wanted));
}

/// The comments of a text: a `#` outside of quotes up to the end of its line.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let (mut quote, mut holes, mut escaped) = (None::<char>, Vec::new(), false);
        for (at, c) in line.char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some('"'), '\\') => escaped = true,
                (Some('"'), '{') => {
                    holes.push('"');
                    quote = None;
                }
                (None, '}') if !holes.is_empty() => quote = holes.pop(),
                (Some(open), _) if open == c => quote = None,
                (None, '"' | '\'' | '`') => quote = Some(c),
                (None, '#') => {
                    found.push(line[at..].trim_end().to_owned());
                    break;
                }
                _ => {}
            }
        }
    }
    found
}

fn texts() -> Vec<(String, String)> {
    let mut texts = crate::common::files(&crate::common::root().join("tests/corpus"));
    texts.extend(crate::common::files(&crate::common::root().join("mappings")));
    texts.retain(|(name, _)| name.ends_with(".dock"));
    texts
}

#[test]
fn every_mapping_file_keeps_the_laws() {
    let laws = Laws::new();
    let held = texts().iter().filter(|(_, text)| laws.hold(text)).count();
    assert!(held > 90, "{held} files were formatted");
}

#[test]
fn the_template_is_in_the_standard_form() {
    for (name, text) in crate::common::files(&crate::common::root().join("mappings")).iter().filter(|(name, _)| name.ends_with(".dock")) {
        assert_eq!(format(text).as_deref(), Ok(text.as_str()), "{name}");
    }
}

/// Other white space and more comments, where they say nothing.
fn respaced(dice: &mut Dice, text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let plain = line.trim_start();
        // A line that the one before runs on into keeps its place.
        match dice.below(8) {
            0 => out.push_str("\n\n\n"),
            1 => out.push_str("   # a remark in between\n"),
            _ => {}
        }
        // Item words at the beginning of a line begin an item; inside a block they are never there.
        let indented = line.len() > plain.len();
        out.push_str(&" ".repeat(if indented { 1 + dice.below(12) } else { 0 }));
        if !plain.contains(['"', '\'', '#', '`']) && dice.once_in(3) {
            out.push_str(&plain.split(' ').collect::<Vec<_>>().join("  "));
        } else {
            out.push_str(plain);
        }
        if !plain.contains('#') && dice.once_in(6) {
            out.push_str("  # and one behind");
        }
        if dice.once_in(10) {
            out.push_str("   ");
        }
        out.push_str(if dice.once_in(20) { "\r\n" } else { "\n" });
    }
    out
}

#[test]
fn white_space_at_random_keeps_the_laws() {
    let laws = Laws::new();
    let mut dice = Dice::new(11);
    let texts = texts();
    let mut held = 0;
    for n in 0..400 {
        held += usize::from(laws.hold(&respaced(&mut dice, &texts[n % texts.len()].1)));
    }
    assert!(held > 300, "{held} texts were formatted");
}

#[test]
fn mutated_files_keep_the_laws_or_are_refused() {
    let laws = Laws::new();
    let mut dice = Dice::new(12);
    let texts = texts();
    let mut held = 0;
    for n in 0..600 {
        let mut text: Vec<char> = texts[n % texts.len()].1.chars().collect();
        for _ in 0..1 + dice.below(3) {
            let at = dice.below(text.len().max(1));
            match dice.below(3) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.insert(at.min(text.len()), ['{', '}', '(', ')', '"', '|', '\n', '#', ' ', '=', '-', '.'][dice.below(12)]),
                _ => {
                    let end = (at + dice.below(60)).min(text.len());
                    let copy = text[at.min(end)..end].to_vec();
                    text.splice(end..end, copy);
                }
            }
        }
        held += usize::from(laws.hold(&text.into_iter().collect::<String>()));
    }
    assert!((50..600).contains(&held), "{held} of the mutated files were formatted");
}
