//! Texts as YAML writes them. What comes from outside is a value or a name, whatever it looks like.

/// A text as YAML: as it is where it can mean nothing else, else in quotes.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '=');
    let lower = text.to_ascii_lowercase();
    let word = matches!(lower.as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let safe = begins && text.chars().all(plain) && !text.ends_with(' ') && !word;
    if safe { text.to_owned() } else { in_quotes(text) }
}

/// A text in quotes, in one line.
pub fn in_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // What YAML takes for the end of a line, for nothing, or for no character at all.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{Node, read, typed};
    use super::*;

    /// A text comes back as it was, as a value, as a name and in a list on one line, for both readers.
    fn comes_back(text: &str) {
        for written in [quoted(text), in_quotes(text)] {
            assert_eq!(written.lines().count().max(1), 1, "{written}");
            let yaml = format!("# a\nvalue: {written}\n{written}: 1\nlist: [{written}, {{ {written}: {written} }}]   # a remark\n");
            let node = read(&yaml).unwrap_or_else(|error| panic!("{text:?} as {written}: {error}\n{yaml}"));
            let entries = node.entries().unwrap();
            assert_eq!(entries[0].value.json(), text, "{yaml}");
            assert_eq!(entries[1].key, text, "{yaml}");
            let list = entries[2].value.elements().unwrap();
            assert_eq!((list[0].json(), list[1].json()), (text.into(), serde_json::json!({ text: text })), "{yaml}");
            assert!(list.iter().all(|node: &Node| node.start < node.end));
            let read: BTreeMap<String, Vec<String>> = typed(&format!("{written}: [{written}]\n")).unwrap();
            assert_eq!(read, BTreeMap::from([(text.to_owned(), vec![text.to_owned()])]));
        }
    }

    #[test]
    fn awkward_texts_come_back() {
        for text in [
            "",
            " ",
            "no",
            "No",
            "1e3",
            "0x1F",
            "01",
            "1_000",
            "null",
            "Null",
            "NULL",
            "~",
            "true",
            "a: b",
            "a:",
            "#x",
            "a #x",
            "- a",
            "-",
            "?",
            "? a",
            "%a",
            "@a",
            "`a`",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "'",
            "\"",
            "\\",
            "{a}",
            "[a]",
            "a, b",
            "a\nb",
            "\n",
            "a\r\nb",
            "\ta",
            "a ",
            "--- a",
            "...",
            "é ü ß",
            "日本",
            "🚚",
            "\u{85}",
            "a\u{2028}b",
            "\u{feff}",
            "\u{7f}",
            "\u{0}",
            "=",
            "<<",
            "2026-11-30",
            "12:30:00",
            ".inf",
            ".nan",
            "y",
            "N",
            "GET /orders/{id}",
            "https://x.example/?a=b&c#d",
        ] {
            comes_back(text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            prop_assume!(!["value", "list"].contains(&text.as_str()));
            comes_back(&text);
        }
    }
}
