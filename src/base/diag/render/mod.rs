//! How diagnostics look: on a terminal, as JSON, as SARIF, as GitHub annotations.
//!
//! All forms say the same things in the same order; only the terminal's is made for eyes, and
//! only it may change from version to version.

mod frame;
mod github;
mod json;
mod proposal;
mod sarif;
mod terminal;

pub use github::github;
pub use json::{JSON_VERSION, json};
pub use sarif::sarif;
pub use terminal::{Look, summary, terminal};

use super::{Diagnostic, Severity};
use crate::base::{FileId, Position, Sources, Span};

/// What the forms read from: the texts, and what stands before their names so that a reader
/// outside the project's folder finds them (`clients/acme/`).
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub sources: &'a Sources,
    pub prefix: &'a str,
}

impl<'a> View<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        View { sources, prefix: "" }
    }

    /// The file's name as a reader finds it; empty for a place in no file.
    fn name(self, file: FileId) -> String {
        self.sources.get(file).map_or_else(String::new, |source| format!("{}{}", self.prefix, source.name))
    }

    /// Where a stretch begins and ends; a place in no file is at the beginning.
    fn ends(self, span: Span) -> (Position, Position) {
        let origin = Position { line: 1, column: 1 };
        self.sources.get(span.file).map_or((origin, origin), |s| (s.position(span.start), s.position(span.end)))
    }
}

/// In the order of files and text, without repetitions.
pub fn sorted(mut diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let name = |d: &Diagnostic| sources.get(d.primary.span.file).map_or("", |s| s.name.as_str());
    diagnostics.sort_by(|a, b| {
        let place = |d: &Diagnostic| (d.primary.span.start, d.severity, d.code, d.primary.span.end);
        name(a).cmp(name(b)).then_with(|| place(a).cmp(&place(b))).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
    diagnostics
}

/// How many of a severity there are.
pub fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|d| d.severity == severity).count()
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests;
