//! Text of a query to tokens.

use super::Trouble;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A number, a date, an instant: everything bare that begins with a digit or a sign.
    Bare(String),
    Text(String),
    Sign(&'static str),
    End,
}

impl Token {
    /// As it is named in a refusal.
    pub(super) fn named(&self) -> String {
        match self {
            Token::Word(word) | Token::Bare(word) => word.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::End => "<EOF>".to_owned(),
        }
    }
}

/// Tokens with where they begin, in characters.
pub(super) fn tokens(query: &str) -> Result<Vec<(Token, usize)>, Trouble> {
    let letters: Vec<char> = query.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let begin = at;
        let next = letters.get(at + 1).copied();
        if letter.is_whitespace() {
            at += 1;
            continue;
        }
        let token = match letter {
            '\'' => {
                let (text, behind) = text(&letters, at)?;
                at = behind;
                Token::Text(text)
            }
            '0'..='9' | '+' | '-' | '.' if letter != '.' || next.is_some_and(|next| next.is_ascii_digit()) => {
                at += 1;
                while letters.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+')) {
                    at += 1;
                }
                Token::Bare(letters[begin..at].iter().collect())
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                while letters.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    at += 1;
                }
                Token::Word(letters[begin..at].iter().collect())
            }
            _ => {
                let sign = match (letter, next) {
                    ('!', Some('=')) | ('<', Some('>')) => "!=",
                    ('<', Some('=')) => "<=",
                    ('>', Some('=')) => ">=",
                    ('=', _) => "=",
                    ('<', _) => "<",
                    ('>', _) => ">",
                    ('(', _) => "(",
                    (')', _) => ")",
                    (',', _) => ",",
                    ('.', _) => ".",
                    (':', _) => ":",
                    // Only bind variables have them.
                    ('[', _) => "[",
                    (']', _) => "]",
                    _ => return Err(Trouble::malformed(format!("line {}:{at} no viable alternative at character '{letter}'", 1), begin)),
                };
                at += if matches!(sign, "!=" | "<=" | ">=") { 2 } else { 1 };
                Token::Sign(sign)
            }
        };
        tokens.push((token, begin));
    }
    tokens.push((Token::End, letters.len()));
    Ok(tokens)
}

/// A text between single quotes, with its escapes read. `\%` and `\_` stay as they are: they are for `LIKE`.
fn text(letters: &[char], begin: usize) -> Result<(String, usize), Trouble> {
    let mut text = String::new();
    let mut at = begin + 1;
    loop {
        match (letters.get(at), letters.get(at + 1)) {
            (None, _) => return Err(Trouble::malformed("unterminated string literal", begin)),
            (Some('\''), _) => return Ok((text, at + 1)),
            (Some('\\'), Some(escaped)) => {
                match escaped {
                    'n' | 'N' => text.push('\n'),
                    'r' | 'R' => text.push('\r'),
                    't' | 'T' => text.push('\t'),
                    'b' | 'B' => text.push('\u{8}'),
                    'f' | 'F' => text.push('\u{c}'),
                    '"' | '\'' | '\\' => text.push(*escaped),
                    '%' | '_' => text.extend(['\\', *escaped]),
                    'u' => {
                        let code: String = letters.iter().skip(at + 2).take(4).collect();
                        let read = (code.len() == 4).then(|| u32::from_str_radix(&code, 16).ok()).flatten().and_then(char::from_u32);
                        text.push(read.ok_or_else(|| Trouble::malformed("Invalid string literal: Illegal unicode escape", at))?);
                        at += 4;
                    }
                    other => {
                        return Err(Trouble::malformed(
                            format!("Invalid string literal '\\{other}'. Illegal character sequence '\\{other}' in string literal."),
                            at,
                        ));
                    }
                }
                at += 2;
            }
            (Some('\\'), None) => return Err(Trouble::malformed("unterminated string literal", begin)),
            (Some(letter), _) => {
                text.push(*letter);
                at += 1;
            }
        }
    }
}
