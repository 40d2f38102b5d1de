//! Reads on to the end of a stretch: the part of a statement before its block, or behind it. A stretch ends with its line, unless
//! an open bracket, an operator or the next line's first word continues it.

use std::borrow::Cow;

use super::{Cutter, ITEMS, Range, blanked, first_word};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span};

/// Brackets and templates inside each other in one statement: each takes the reader through all the
/// rules of an expression again.
const BRACKETS: usize = 32;

/// An expression by itself, as the grammar takes it.
pub(in crate::syntax) fn expression(file: FileId, text: &str) -> Cow<'_, str> {
    let mut found = Vec::new();
    let mut cutter = Cutter::new(file, text, &mut found);
    while !cutter.done() {
        cutter.stretch(0, 0, "");
        // A line end or a brace, which are looked at by the grammar.
        cutter.at += 1;
    }
    let blanks = std::mem::take(&mut cutter.blanks);
    blanked(text, &blanks)
}

impl Cutter<'_> {
    /// Goes to the end of the statement's text: its line's end, a `{` or `}` of its own level.
    /// `true` if a mistake was reported.
    pub(super) fn stretch(&mut self, statement: usize, from: usize, parent: &str) -> bool {
        let mut open: Vec<usize> = Vec::new();
        let mut braces = 0_usize;
        let mut broken = false;
        // Where the text so far ends without white space and comments.
        let mut end = from;
        // How far it is known that the statement goes on.
        let mut known = 0;
        while !self.done() {
            match self.peek() {
                b'"' => {
                    if let Err(diagnostic) = self.quoted(0) {
                        self.report(&mut broken, diagnostic);
                    }
                    end = self.at;
                    continue;
                }
                quote @ (b'\'' | b'`') => {
                    let begin = self.at;
                    self.at += 1;
                    while !self.done() && self.peek() != quote && self.peek() != b'\n' {
                        self.at += 1;
                    }
                    if self.peek() == quote && !self.done() {
                        self.at += 1;
                    } else {
                        let mark = char::from(quote);
                        let span = self.span(begin, self.at);
                        self.report(&mut broken, unclosed_text(span, mark));
                    }
                    end = self.at;
                    continue;
                }
                b'#' => {
                    let start = self.at;
                    self.skip_line();
                    self.blanks.push(Range { start, end: self.at });
                    continue;
                }
                b'/' | b'-' | b'<' => {
                    if let Some((to, said)) = super::super::foreign::comment(self.file, self.text, self.at) {
                        self.found.push(said);
                        let to = self.text[self.at..to].find('\n').map_or(to, |line| self.at + line);
                        self.blanks.push(Range { start: self.at, end: to });
                        self.at = to;
                        continue;
                    }
                }
                b'(' | b'[' => {
                    open.push(self.at);
                    if open.len() > BRACKETS {
                        let span = self.span(self.at, self.at + 1);
                        self.report(&mut broken, too_deep(span));
                    }
                }
                b')' | b']' if open.pop().is_none() => {
                    let span = self.span(self.at, self.at + 1);
                    let diagnostic = Diagnostic::new(Code::Unclosed, span, "a closing bracket has no opening one").mend(
                        "take it out, or open it with `(`",
                        span,
                        "",
                    );
                    self.report(&mut broken, diagnostic);
                }
                b'{' if open.is_empty() => break,
                b'{' => braces += 1,
                b'}' if open.is_empty() => break,
                b'}' if braces > 0 => braces -= 1,
                b'}' => break,
                b'\n' => {
                    if open.is_empty() && self.at >= known {
                        match self.goes_on(statement, from..end, parent) {
                            Some(until) => known = until,
                            None => break,
                        }
                    }
                    if self.line_begins_anew() {
                        break;
                    }
                    self.at += 1;
                    continue;
                }
                b' ' => {
                    self.at += 1;
                    continue;
                }
                byte if byte.is_ascii_graphic() => {}
                _ => {
                    if let Some(length) = self.blank() {
                        self.at += length;
                        continue;
                    }
                }
            }
            self.at += 1;
            end = self.at;
        }
        if let Some(bracket) = open.pop() {
            let span = self.span(bracket, bracket + 1);
            let diagnostic = Diagnostic::new(Code::Unclosed, span, "a bracket is not closed").label("opened here").help("close it with `)`");
            self.report(&mut broken, diagnostic);
        }
        broken
    }

    pub(super) fn report(&mut self, broken: &mut bool, mut diagnostic: Diagnostic) {
        if diagnostic.code == Code::Unclosed
            && let Some(quotes) = super::super::foreign::quotes(self.file, self.text, diagnostic.primary.span.start as usize)
        {
            diagnostic = quotes;
        }
        if !*broken {
            self.found.push(diagnostic);
        }
        *broken = true;
    }

    /// Passes over a `"…"` with its templates.
    pub(super) fn quoted(&mut self, depth: usize) -> Result<(), Diagnostic> {
        let begin = self.at;
        if depth > BRACKETS {
            let span = self.span(begin, begin + 1);
            self.skip_line();
            return Err(too_deep(span));
        }
        self.at += 1;
        let mut holes: Vec<usize> = Vec::new();
        while !self.done() {
            match self.peek() {
                b'\\' if holes.is_empty() => self.at += 1,
                b'"' if holes.is_empty() => {
                    self.at += 1;
                    return Ok(());
                }
                b'"' => {
                    self.quoted(depth + 1)?;
                    continue;
                }
                b'\'' if !holes.is_empty() => {
                    let rest = &self.bytes[self.at + 1..];
                    let close = rest.iter().position(|b| *b == b'\'' || *b == b'\n');
                    if let Some(close) = close.filter(|close| rest[*close] == b'\'') {
                        self.at += close + 1;
                    }
                }
                b'{' => {
                    holes.push(self.at);
                    if holes.len() > BRACKETS {
                        let span = self.span(self.at, self.at + 1);
                        self.skip_line();
                        return Err(too_deep(span));
                    }
                }
                b'}' => {
                    holes.pop();
                }
                b'\n' => break,
                _ if !holes.is_empty() => {
                    self.blank();
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        let end = self.at;
        if let Some(hole) = holes.first() {
            return Err(Diagnostic::new(Code::BadTemplate, self.span(*hole, *hole + 1), "a `{` in a text is not closed")
                .label("opened here")
                .help("close the expression with `}`, or write `\\{` for the sign itself"));
        }
        // A block that was opened on this line was meant to be closed on it.
        let line = &self.text[begin..end];
        let inline = self.opens.last().is_some_and(|open| !self.text[*open..begin].contains('\n'));
        if inline && line.trim_end().ends_with('}') {
            self.at = begin + line.rfind('}').unwrap_or(0);
            return Err(unclosed_text(self.span(begin, self.at), '"'));
        }
        Err(unclosed_text(self.span(begin, end), '"'))
    }

    /// Where a stretch of text ends without white space and comments at its end.
    fn plain_end(&self, start: usize, end: usize) -> usize {
        let mut end = start + self.text[start..end].trim_end().len();
        for blank in self.blanks.iter().rev() {
            // What stands behind the end was trimmed with the rest.
            if blank.start >= end {
                continue;
            }
            if blank.end < end || blank.start < start {
                break;
            }
            end = start + self.text[start..blank.start].trim_end().len();
        }
        end
    }

    pub(super) fn trimmed(&self, start: usize, end: usize) -> Range {
        let text = &self.text[start..end];
        let text_end = self.plain_end(start, end);
        let leading = text.len() - text.trim_start().len();
        let begin = (start + leading).min(text_end);
        Range { start: begin, end: text_end.max(begin) }
    }

    /// Up to where the statement goes on behind this line break, if it does. `stretch`: its text so far, without white space
    /// and comments at its end.
    fn goes_on(&self, statement: usize, stretch: std::ops::Range<usize>, parent: &str) -> Option<usize> {
        let whole = stretch.start == statement;
        let so_far = &self.text[stretch];
        if ends_open(so_far) && !so_far.is_empty() {
            return Some(self.at + 1);
        }
        let (at, next) = self.next_line()?;
        if next.starts_with("??") || (next.starts_with('|') && !next.starts_with("||")) {
            return Some(at);
        }
        let first = first_word(&self.text[statement..self.at]);
        let word = first_word(next);
        let goes_on = match word {
            "and" | "or" => true,
            "else" => first == "guard",
            "for" | "before" => {
                let stops = ["guard", "else", "when", "none", "many", "require", "review", "warn", "reconcile"];
                parent != "expect" && stops.contains(&first) || parent == "expect" && first == "else" && word == "before"
            }
            "of" | "key" | "as" | "when" | "in" => {
                whole && ["create", "update", "upsert"].contains(&first) && (word != "in" || next.starts_with("in doubt"))
            }
            _ => {
                let rules = ["require", "review", "warn", "reconcile"];
                (next.starts_with('"') || next.starts_with('\'')) && rules.contains(&first)
            }
        };
        goes_on.then_some(at)
    }

    /// The next line that holds more than a comment, and where it begins.
    fn next_line(&self) -> Option<(usize, &str)> {
        let mut at = self.at;
        loop {
            at += memchr::memchr(b'\n', self.bytes.get(at..)?)? + 1;
            let line = self.text.get(at..)?.lines().next()?.trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                return Some((at, line));
            }
        }
    }

    /// Inside an open bracket: the next line clearly begins something new, so the bracket was forgotten.
    fn line_begins_anew(&self) -> bool {
        let Some(line) = self.text.get(self.at + 1..).and_then(|rest| rest.lines().next()) else { return false };
        let word = first_word(line.trim_start());
        let item = !line.starts_with([' ', '\t']) && ITEMS.contains(&word);
        let section = ["from", "let", "validate", "route", "match", "upsert", "update", "create", "guard", "split"].contains(&word)
            && line.trim_start()[word.len()..].starts_with([' ', '\t']);
        let row = line.trim_start()[word.len()..].trim_start();
        let field = !word.is_empty() && row.starts_with('=') && !row.starts_with("==");
        item || section || field || line.trim_start().starts_with('}')
    }
}

/// Whether a line ends in something that needs more: an operator, an arrow, a comma.
fn ends_open(text: &str) -> bool {
    let text = text.trim_end();
    let sign = text.ends_with([',', '+', '*', '/', '<', '=', '|', '('])
        || text.ends_with("->")
        || text.ends_with("<->")
        || text.ends_with("??")
        || text.ends_with("==")
        || text.ends_with("!=")
        || text.ends_with(">=")
        || (text.ends_with('>') && !text.ends_with("->"))
        || (text.ends_with('-') && !text.ends_with("--"));
    sign || ["and", "or", "not", "in", "matches"].contains(&last_word(text))
}

fn last_word(text: &str) -> &str {
    let begin = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let before = text[..begin].chars().next_back();
    // `order.in` ends in a field, not in an operator.
    if before == Some('.') { "" } else { &text[begin..] }
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, span, "this is nested too deeply").help("give parts of it a name with `let` or a `function`")
}

fn unclosed_text(span: Span, mark: char) -> Diagnostic {
    Diagnostic::new(Code::Unclosed, span, "a text is not closed").label("it begins here and the line ends first").mend(
        format!("close it with {mark}"),
        span.after(),
        mark.to_string(),
    )
}
