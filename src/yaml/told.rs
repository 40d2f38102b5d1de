//! What is said of a file that is no YAML, or that is YAML and something else than was meant.

use super::{Mistake, Unreadable};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span};

/// How a file that is no YAML is told.
pub struct NotYaml<'a> {
    pub code: Code,
    pub file: FileId,
    pub message: &'a str,
}

/// A file that is no YAML: what is wrong, told from its text where the reader's words would not lead there. `findings` counts what
/// is wrong with a text that is YAML.
pub fn not_yaml(said: &NotYaml<'_>, text: &str, fault: &Unreadable, findings: &dyn Fn(&str) -> usize) -> Diagnostic {
    if let Some(mistake) = super::mend(text, fault, findings) {
        return mistaken(said, mistake);
    }
    // A mistake that a line shows, and of which the change alone does not help.
    if let Some(Mistake { at, words, help, .. }) = super::mistake(text).filter(|_| !fault.duplicate) {
        return Diagnostic::new(said.code, Span::new(said.file, at.start, at.end), said.message).label(words).help(help);
    }
    let end = text.get(fault.at..).and_then(|rest| rest.chars().next()).map_or(fault.at, |c| fault.at + c.len_utf8());
    let help = if fault.duplicate {
        "a name stands once in its block: keep one of the two"
    } else {
        "write `name: value`, with a space behind the colon; indent what belongs together equally; put texts with special characters in quotes"
    };
    Diagnostic::new(said.code, Span::new(said.file, fault.at, end), said.message).label(fault.message.clone()).help(help)
}

/// What is wrong with a text as YAML, where that shows.
pub fn mistaken(said: &NotYaml<'_>, mistake: Mistake) -> Diagnostic {
    let Mistake { at, words, help, replace: (start, end), with } = mistake;
    Diagnostic::new(said.code, Span::new(said.file, at.start, at.end), said.message).label(words).mend(help, Span::new(said.file, start, end), with)
}
