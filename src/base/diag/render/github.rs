//! For GitHub Actions: workflow commands that become annotations on the changed lines.

use std::fmt::Write as _;

use super::proposal::proposal;
use super::{View, word};
use crate::base::diag::Diagnostic;

/// One `::error …::` or `::warning …::` a diagnostic, each on its line.
pub fn github(diagnostics: &[Diagnostic], view: View<'_>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let (start, end) = view.ends(diagnostic.primary.span);
        let title = format!("{}: {}", diagnostic.code, diagnostic.message);
        let _ = write!(text, "::{} ", word(diagnostic.severity));
        let file = view.name(diagnostic.primary.span.file);
        if !file.is_empty() {
            let _ = write!(text, "file={},line={},", property(&file), start.line);
            // GitHub drops a column that does not lie on the one line it marks.
            if start.line == end.line {
                let _ = write!(text, "col={},endColumn={},", start.column, end.column);
            } else {
                let _ = write!(text, "endLine={},", end.line);
            }
        }
        let _ = writeln!(text, "title={}::{}", property(&title), data(&said(diagnostic, view)));
    }
    text
}

fn said(diagnostic: &Diagnostic, view: View<'_>) -> String {
    let mut lines = Vec::new();
    if !diagnostic.primary.text.is_empty() {
        lines.push(diagnostic.primary.text.clone());
    }
    for label in &diagnostic.others {
        lines.push(format!("{}:{}: {}", view.name(label.span.file), view.ends(label.span).0.line, label.text));
    }
    lines.extend(diagnostic.why.iter().map(|why| format!("why: {why}")));
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {}", proposal(help, diagnostic.primary.span, view))));
    if lines.is_empty() { diagnostic.message.clone() } else { lines.join("\n") }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
