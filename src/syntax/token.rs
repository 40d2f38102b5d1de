//! A text cut into words, texts, signs and comments, for the formatter. It keeps every character
//! but white space.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    /// A number or a time of day.
    Number,
    /// `"…"` with its templates, `'…'`.
    Text,
    Sign,
    Comment,
    Break,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub at: usize,
}

/// Signs of more than one character, longest first.
const SIGNS: &[&str] = &["<->", "->", "==", "!=", "<=", ">=", "??"];
const RESERVED: &[&str] = &[
    "and", "or", "not", "in", "is", "was", "as", "if", "then", "else", "when", "where", "for", "before", "by", "key", "each", "once", "clear",
    "matches", "reaches", "unless", "within", "overlap", "after", "with",
];

impl Token<'_> {
    pub(super) fn opens(&self) -> bool {
        matches!(self.text, "(" | "[" | "{")
    }

    pub(super) fn closes(&self) -> bool {
        matches!(self.text, ")" | "]" | "}")
    }

    pub(super) fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.text)
    }

    /// A value can end here, so a `-` behind it is a subtraction.
    pub(super) fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Number | Kind::Text => true,
            Kind::Name => !self.is_reserved(),
            Kind::Sign => matches!(self.text, ")" | "]" | "}"),
            Kind::Comment | Kind::Break => false,
        }
    }
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let (kind, length) = match first {
            '\n' => (Some(Kind::Break), 1),
            '#' => {
                let line = rest.split('\n').next().unwrap_or(rest);
                (Some(Kind::Comment), line.trim_end().len())
            }
            '"' => (Some(Kind::Text), quoted(rest)),
            '\'' => (Some(Kind::Text), plain(rest, '\'')),
            '`' => (Some(Kind::Name), plain(rest, '`')),
            c if c.is_whitespace() || c == '\u{feff}' => (None, c.len_utf8()),
            c if c.is_ascii_digit() => (Some(Kind::Number), number(rest)),
            c if c.is_alphabetic() || c == '_' => (Some(Kind::Name), rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())),
            c => (Some(Kind::Sign), SIGNS.iter().find(|s| rest.starts_with(**s)).map_or(c.len_utf8(), |s| s.len())),
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: &rest[..length], at });
        }
        at += length;
    }
    tokens
}

/// The length of `12`, `5.00`, `02:00`.
fn number(text: &str) -> usize {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(text);
    while let Some(b'.' | b':') = text.as_bytes().get(length) {
        match digits(&text[length + 1..]) {
            0 => break,
            more => length += 1 + more,
        }
    }
    length
}

fn plain(text: &str, mark: char) -> usize {
    text[1..].find([mark, '\n']).map_or(text.len(), |end| if text[1 + end..].starts_with(mark) { end + 2 } else { end + 1 })
}

/// The length of a `"…"`, whose templates may hold texts again.
fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    // For each open text: how many braces are open in it.
    let mut open: Vec<usize> = vec![0];
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'\n' {
        let holes = open.last().copied().unwrap_or(0);
        match bytes[at] {
            b'\\' if holes == 0 => at += 1,
            b'"' if holes == 0 => {
                open.pop();
                if open.is_empty() {
                    return at + 1;
                }
            }
            b'"' => open.push(0),
            b'\'' if holes > 0 => {
                if let Some(end) = text[at + 1..].find(['\'', '\n']).filter(|end| bytes[at + 1 + end] == b'\'') {
                    at += end + 1;
                }
            }
            b'{' => *open.last_mut().unwrap_or(&mut 0) += 1,
            b'}' if holes > 0 => *open.last_mut().unwrap_or(&mut 0) -= 1,
            _ => {}
        }
        at += 1;
    }
    let mut end = at.min(bytes.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_but_white_space_is_kept() {
        let text = "a.b ?? \"x{f(\"{y}\", '}')} \\\" z\" 12 5.00 02:00 `odd name` <-> 'raw \"' é_1 # end\n-> 3.x";
        let all: String = tokens(text).iter().map(|t| t.text).collect();
        let dense = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        assert_eq!(dense(&all), dense(text));
        let texts: Vec<&str> = tokens(text).iter().filter(|t| t.kind == Kind::Text).map(|t| t.text).collect();
        assert_eq!(texts, ["\"x{f(\"{y}\", '}')} \\\" z\"", "'raw \"'"]);
        let numbers: Vec<&str> = tokens(text).iter().filter(|t| t.kind == Kind::Number).map(|t| t.text).collect();
        assert_eq!(numbers, ["12", "5.00", "02:00", "3"]);
    }

    #[test]
    fn a_text_that_does_not_end_ends_with_its_line() {
        assert_eq!(tokens("\"ab\nc").len(), 3);
        assert_eq!(tokens("\"a\\").len(), 1);
        assert_eq!(tokens("'é").len(), 1);
    }
}
