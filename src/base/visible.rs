//! Signs that nobody sees, written out: what is printed is what is there.

use std::borrow::Cow;

/// Whether a sign turns the direction of what is behind it: on a screen, a text is then another than the one that is there
/// (<https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>).
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a sign is not seen, or takes a line for itself that is none.
fn unseen(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2007}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || turns(c)
        || c.is_control() && !matches!(c, '\n' | '\t')
}

/// A text in which signs that nobody sees are written out: `<U+200B>`.
pub fn visible(text: String) -> String {
    if text.is_ascii() && !text.contains(|c: char| c.is_ascii_control() && c != '\n') || !text.contains(unseen) {
        return text;
    }
    text.chars().map(|c| if unseen(c) { code(c) } else { c.to_string() }).collect()
}

/// A text for a terminal: signs that would turn its direction, move the cursor or erase what stands there are written out:
/// `<U+202E>`. Colors (`ESC [ … m`), tabs and line breaks stay.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    let acts = |c: char| turns(c) || c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\u{1b}' => colour(rest).unwrap_or(0),
            '\r' if rest[1..].starts_with('\n') => 1,
            c if acts(c) => 0,
            c => c.len_utf8(),
        };
        let (taken, behind) = rest.split_at(if length == 0 { c.len_utf8() } else { length });
        if length == 0 {
            out.push_str(&code(c))
        } else {
            out.push_str(taken)
        }
        rest = behind;
    }
    Cow::Owned(out)
}

/// JSON for a terminal: the same signs inside of its texts, in the escapes of JSON, so it stays the same data.
pub fn json_for_terminal(json: &str) -> Cow<'_, str> {
    // What JSON itself escapes is escaped already.
    let acts = |c: char| turns(c) || matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.chars().map(|c| if acts(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() }).collect())
}

fn code(c: char) -> String {
    format!("<U+{:04X}>", c as u32)
}

/// How many bytes a change of color at the beginning of a text has.
fn colour(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let length = inner.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    inner[length..].starts_with('m').then_some(length + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_written_out() {
        for (text, shown) in [
            ("plain, Zoë \u{a0}x", "plain, Zoë \u{a0}x"),
            ("a\tb\r\nc\n", "a\tb\r\nc\n"),
            ("\u{1b}[1;31merror\u{1b}[0m", "\u{1b}[1;31merror\u{1b}[0m"),
            ("x\u{202e}gpj.exe", "x<U+202E>gpj.exe"),
            ("\u{2066}a\u{2069}\u{61c}\u{200f}", "<U+2066>a<U+2069><U+061C><U+200F>"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "<U+001B>[2J<U+001B>]0;x<U+0007>"),
            ("ok\rBAD", "ok<U+000D>BAD"),
            ("\u{9b}31m\u{8}", "<U+009B>31m<U+0008>"),
            ("\u{1b}", "<U+001B>"),
        ] {
            assert_eq!(for_terminal(text), shown, "{text:?}");
        }
        let json = serde_json::json!({"name": "a\u{202e}b\u{9b}c\u{1b}"}).to_string();
        let shown = json_for_terminal(&json);
        assert_eq!(shown, r#"{"name":"a\u202eb\u009bc\u001b"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), serde_json::from_str(&json).ok());
    }

    #[test]
    fn what_a_message_quotes_is_seen() {
        assert_eq!(visible("a\u{200b}b\u{2067}".to_owned()), "a<U+200B>b<U+2067>");
        assert_eq!(visible("Zoë\tx\n".to_owned()), "Zoë\tx\n");
    }
}
