//! Cuts a text into statements and blocks by its lines, brackets and quotes alone.
//!
//! A statement is a head, perhaps a block of statements behind it, and perhaps a tail behind the
//! block. That a head is no sentence of the language does not matter here: so each broken one is
//! reported by itself, and the rest of the file is still read.

mod stretch;

use std::borrow::Cow;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span, bounds};

pub(super) use stretch::expression;
use stretch::too_deep;

/// Blocks inside each other.
pub(super) const DEEPEST: usize = bounds::NESTING;

/// A statement, by byte ranges of the file's text.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// The `##` lines above it.
    pub doc: Option<String>,
    pub head: Range,
    pub block: Option<Block>,
    /// What stands behind the block, up to the end of the statement.
    pub tail: Range,
    /// A mistake in it was reported already.
    pub broken: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub open: usize,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub start: usize,
    pub end: usize,
}

impl Range {
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn span(self, file: FileId) -> Span {
        Span::new(file, self.start, self.end)
    }
}

/// A text, cut.
pub(super) struct Outline<'t> {
    pub statements: Vec<Statement>,
    /// The text as the grammar takes it: comments in statements are blanks, and so is all white space but line ends. Each
    /// byte is where it was.
    pub text: Cow<'t, str>,
}

/// Cuts the text. Mistakes of brackets and quotes are reported here.
pub(super) fn outline<'t>(file: FileId, text: &'t str, found: &mut Vec<Diagnostic>) -> Outline<'t> {
    let mut said = Vec::new();
    let (mut statements, mut blanks) = cut(file, text, &mut said, false);
    // Where a block is not closed, the lines' margins tell which. It counts if that explains the whole file.
    if said.iter().any(is_of_blocks) {
        let mut closer = Vec::new();
        let by_margin = cut(file, text, &mut closer, true);
        if closer.iter().filter(|one| is_of_blocks(one)).count() == 1 {
            (statements, blanks) = by_margin;
            said = closer;
        }
    }
    found.extend(said);
    Outline { statements, text: blanked(text, &blanks) }
}

fn cut(file: FileId, text: &str, found: &mut Vec<Diagnostic>, by_margin: bool) -> (Vec<Statement>, Vec<Range>) {
    let mut cutter = Cutter::new(file, text, found);
    cutter.by_margin = by_margin;
    let statements = cutter.all();
    (statements, std::mem::take(&mut cutter.blanks))
}

const OPEN_BLOCK: &str = "a block is not closed";
const STRAY_BRACE: &str = "a `}` closes nothing";

/// Whether a mistake is one of a block's braces, which hides where what follows belongs.
pub(super) fn is_of_blocks(found: &Diagnostic) -> bool {
    found.code == Code::Unclosed && (found.message == OPEN_BLOCK || found.message == STRAY_BRACE)
}

fn blanked<'t>(text: &'t str, blanks: &[Range]) -> Cow<'t, str> {
    if blanks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for blank in blanks {
        made.push_str(text.get(at..blank.start).unwrap_or_default());
        made.extend(std::iter::repeat_n(' ', blank.end - blank.start));
        at = blank.end;
    }
    made.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(made)
}

struct Cutter<'a> {
    file: FileId,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    found: &'a mut Vec<Diagnostic>,
    /// An item begins here although blocks are still open: they are taken as closed.
    resync: bool,
    /// Where the blocks around were opened.
    opens: Vec<usize>,
    /// A line that stands no further in than the one that opened its block ends the block.
    by_margin: bool,
    /// Where the text of the last statement ends.
    last_end: usize,
    /// The last brace that closed an item, and the first one that did so too early.
    closed: Option<usize>,
    early: Option<usize>,
    /// Comments in statements, and white space that is neither a blank nor a line end, in their order.
    blanks: Vec<Range>,
}

impl<'a> Cutter<'a> {
    fn new(file: FileId, text: &'a str, found: &'a mut Vec<Diagnostic>) -> Self {
        Cutter {
            file,
            text,
            bytes: text.as_bytes(),
            at: 0,
            found,
            resync: false,
            opens: Vec::new(),
            by_margin: false,
            last_end: 0,
            closed: None,
            early: None,
            blanks: Vec::new(),
        }
    }

    fn all(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut strays = false;
        loop {
            let (more, closed) = self.block(0, "");
            // Several in a row are one mistake.
            strays &= more.is_empty();
            statements.extend(more);
            if !closed {
                return statements;
            }
            if std::mem::replace(&mut strays, true) {
                continue;
            }
            // One before it has closed an item too early, where what followed it stands further in.
            let at = self.early.unwrap_or(self.at - 1);
            let brace = self.span(at, at + 1);
            let label = if self.early.is_some() { "what follows it stands in the block that it closes" } else { "no block is open here" };
            self.found.push(Diagnostic::new(Code::Unclosed, brace, STRAY_BRACE).label(label).mend("take it out", brace, ""));
        }
    }

    /// Notes what stands here, if it is white space of a rare kind; how long it is.
    fn blank(&mut self) -> Option<usize> {
        let c = self.text.get(self.at..)?.chars().next()?;
        let blank = !matches!(c, ' ' | '\n') && (c.is_whitespace() || c == '\u{feff}');
        blank.then(|| {
            self.blanks.push(Range { start: self.at, end: self.at + c.len_utf8() });
            c.len_utf8()
        })
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Statements up to a `}` (which is passed over: `true`) or the end of the text.
    fn block(&mut self, depth: usize, parent: &str) -> (Vec<Statement>, bool) {
        let mut statements = Vec::new();
        let mut doc: Vec<String> = Vec::new();
        loop {
            self.space();
            if self.done() {
                return (statements, false);
            }
            if depth > 0 && self.item_begins() {
                self.resync = true;
                return (statements, false);
            }
            if self.by_margin && self.leaves_block() {
                return (statements, false);
            }
            if let Some((end, said)) = super::foreign::comment(self.file, self.text, self.at) {
                self.found.push(said);
                self.at = end;
                continue;
            }
            match self.peek() {
                b'\n' => {
                    self.at += 1;
                    // A blank line parts a comment from what follows.
                    if self.rest_of_line().trim().is_empty() && !doc.is_empty() && self.peek() == b'\n' {
                        doc.clear();
                    }
                }
                b'#' => {
                    let line = self.rest_of_line().trim_end();
                    if let Some(text) = line.strip_prefix("##") {
                        doc.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
                    }
                    self.skip_line();
                }
                b'}' => {
                    if depth == 1 {
                        self.closed = Some(self.at);
                    }
                    self.at += 1;
                    return (statements, true);
                }
                _ => {
                    if depth == 0 && self.early.is_none() && !self.margin_of(self.at).is_empty() {
                        self.early = self.closed;
                    }
                    let doc = if doc.is_empty() { None } else { Some(std::mem::take(&mut doc).join("\n")) };
                    statements.push(self.statement(doc, depth, parent));
                    if self.resync {
                        if depth > 0 {
                            return (statements, false);
                        }
                        self.resync = false;
                    }
                }
            }
        }
    }

    fn statement(&mut self, doc: Option<String>, depth: usize, parent: &str) -> Statement {
        let start = self.at;
        let mut broken = self.stretch(start, start, parent);
        let head = self.trimmed(start, self.at);
        let mut statement = Statement { doc, head, block: None, tail: Range { start: self.at, end: self.at }, broken };
        self.last_end = self.last_end.max(head.end);
        if self.peek() != b'{' || self.done() {
            return statement;
        }
        let open = self.at;
        if let Some((end, said)) = super::foreign::doubled(self.file, self.text, open) {
            let block = said.code == Code::Unclosed;
            self.report(&mut statement.broken, said);
            self.at = end;
            if !block {
                self.skip_line();
                return statement;
            }
            // The block is read as if one brace were there, and its head too.
            statement.broken = broken;
        }
        if depth >= DEEPEST {
            self.found.push(too_deep(self.span(open, open + 1)));
            statement.broken = true;
            self.skip_block();
            return statement;
        }
        self.at += 1;
        let word = first_word(&self.text[head.start..head.end]).to_owned();
        self.opens.push(open);
        let (statements, closed) = self.block(depth + 1, &word);
        self.opens.pop();
        if !closed {
            // One brace was forgotten; the blocks around it are closed with it, without a word.
            if self.found.last().is_none_or(|last| last.code != Code::Unclosed || last.primary.span.start < open as u32) {
                let end = self.last_end.max(open + 1);
                let margin = self.margin_of(open);
                let here = self.span(end, end);
                self.found.push(Diagnostic::new(Code::Unclosed, self.span(open, open + 1), OPEN_BLOCK).label("opened here").mend(
                    "close it with a `}` on a line of its own",
                    here,
                    format!("\n{margin}}}"),
                ));
            }
            statement.block = Some(Block { open, statements });
            statement.broken = broken;
            statement.tail = Range { start: self.at, end: self.at };
            return statement;
        }
        statement.block = Some(Block { open, statements });
        let behind = self.at;
        broken |= self.stretch(start, behind, parent);
        statement.tail = self.trimmed(behind, self.at);
        if self.peek() == b'{' && !self.done() {
            let second = self.at;
            self.skip_block();
            if !broken {
                self.found.push(
                    Diagnostic::new(Code::Misplaced, self.span(second, second + 1), "a second block in one statement")
                        .help("begin a new line for it"),
                );
            }
            broken = true;
        }
        statement.broken = broken;
        self.last_end = self.last_end.max(statement.tail.end).max(behind);
        statement
    }

    /// The white space at the beginning of the line of a place.
    fn margin_of(&self, at: usize) -> &'a str {
        let start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let line = &self.text[start..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Whether this line stands no further in than the one that opened the block around it.
    fn leaves_block(&self) -> bool {
        let Some(open) = self.opens.last() else { return false };
        let start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let begins_line = self.text[start..self.at].trim().is_empty() && start > *open;
        let empty = matches!(self.peek(), b'\n' | b'\r' | b'#');
        begins_line && !empty && {
            let (here, there) = (self.at - start, self.margin_of(*open).len());
            // Its own brace stands as far in as its line; one that stands further out closes a block around it.
            if self.peek() == b'}' { here < there } else { here <= there }
        }
    }

    /// An item's word at the beginning of a line: blocks above it were not closed.
    fn item_begins(&self) -> bool {
        let at_line_start = self.at == 0 || self.bytes[self.at - 1] == b'\n';
        at_line_start && {
            let rest = self.rest_of_line();
            let word = first_word(rest);
            // `when`-like words also begin sections; these begin items only. `test flow …` would be a clause.
            ITEMS.contains(&word) && rest[word.len()..].trim_start().starts_with(|c: char| c.is_alphabetic() || c == '"' || c == '_')
        }
    }

    fn rest_of_line(&self) -> &str {
        self.text.get(self.at..).and_then(|rest| rest.split('\n').next()).unwrap_or("")
    }

    fn skip_line(&mut self) {
        while !self.done() && self.peek() != b'\n' {
            self.at += 1;
        }
    }

    fn space(&mut self) {
        while !self.done() {
            if matches!(self.peek(), b' ' | b'\t' | b'\r') {
                self.at += 1;
            } else if self.text[self.at..].starts_with(['\u{feff}', '\u{a0}']) {
                self.at += if self.peek() == 0xef { 3 } else { 2 };
            } else {
                return;
            }
        }
    }

    /// Passes over a block that is not read, by its braces.
    fn skip_block(&mut self) {
        let mut depth = 0_usize;
        while !self.done() {
            match self.peek() {
                b'"' => {
                    let _ = self.quoted(0);
                    continue;
                }
                b'#' => {
                    self.skip_line();
                    continue;
                }
                b'{' => depth += 1,
                b'}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

const ITEMS: [&str; 12] = ["edition", "use", "extends", "parameter", "values", "table", "function", "flow", "expect", "test", "override", "remove"];

pub(super) fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}
