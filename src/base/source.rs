//! The texts that were read, and where their lines begin.

use std::sync::Arc;

use super::{FileId, Span};

/// Line and column as a person counts them: from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// One file's text.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as a person would write it, from the project's folder, with `/`.
    pub name: String,
    pub text: Arc<str>,
    lines: Vec<u32>,
    /// Stretches that hold secrets, which are shown to nobody.
    hidden: Vec<Span>,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(i, _)| u32::try_from(i + 1).unwrap_or(u32::MAX))).collect();
        Source { name: name.into(), text, lines, hidden: Vec::new() }
    }

    /// The text as people are shown it: a `*` stands for each byte of a secret, so that all else stays in its place. `more`: further secrets.
    pub fn shown(&self, more: &[Span]) -> Source {
        let mut shown = self.clone();
        let mut text = String::new();
        for span in self.hidden.iter().chain(more) {
            let (start, end) = (span.start as usize, (span.end as usize).min(self.text.len()));
            let whole = if text.is_empty() { &*self.text } else { text.as_str() };
            let (Some(before), Some(secret), Some(behind)) = (whole.get(..start), whole.get(start..end), whole.get(end..)) else { continue };
            let stars: String = secret.chars().map(|c| if c == '\n' { "\n".to_owned() } else { "*".repeat(c.len_utf8()) }).collect();
            text = format!("{before}{stars}{behind}");
        }
        if !text.is_empty() {
            shown.text = text.into();
        }
        shown
    }

    /// Where the byte stands. A byte past the end stands at the end; one inside a character at its start.
    pub fn position(&self, byte: u32) -> Position {
        let mut byte = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.lines.partition_point(|start| *start as usize <= byte).max(1);
        let start = self.lines[line - 1] as usize;
        let column = self.text[start..byte].chars().count() + 1;
        Position { line: line as u32, column: column as u32 }
    }

    /// Where a line begins, counted from 1.
    pub fn begin(&self, line: u32) -> Option<usize> {
        (line as usize).checked_sub(1).and_then(|i| self.lines.get(i)).map(|start| *start as usize)
    }

    /// Where the text of a line stands (from 1), in bytes: from its first sign to its end.
    pub fn span_of_line(&self, line: u32) -> (usize, usize) {
        let text = self.line(line);
        let begin = self.begin(line).unwrap_or(self.text.len());
        (begin + (text.len() - text.trim_start().len()), begin + text.len())
    }

    /// The text of a line, counted from 1, without its line break.
    pub fn line(&self, line: u32) -> &str {
        let Some(start) = self.begin(line) else { return "" };
        let end = self.lines.get(line as usize).map_or(self.text.len(), |next| *next as usize);
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

/// All texts of one compilation; a [`FileId`] is a place in this list.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    pub fn add(&mut self, source: Source) -> FileId {
        self.files.push(source);
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// Keeps a secret out of all that is shown of its file.
    pub fn hide(&mut self, secret: Span) {
        if let Some(source) = self.files.get_mut(secret.file.0 as usize) {
            source.hidden.push(secret);
        }
    }

    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    pub fn find(&self, name: &str) -> Option<FileId> {
        self.files.iter().position(|f| f.name == name).map(|i| FileId(i as u32))
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text under a span; empty where the span lies outside.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// `orders.dock:12`, for a person.
    pub fn place(&self, span: Span) -> String {
        self.get(span.file).map_or_else(String::new, |f| format!("{}:{}", f.name, f.position(span.start).line))
    }
}
