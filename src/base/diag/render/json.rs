//! For programs: our own form, with a version that changes when a reader would have to.

use serde_json::{Value, json};

use super::{View, count, word};
use crate::base::Span;
use crate::base::diag::{Diagnostic, Severity};

/// Raised when a field changes its meaning or goes; a new field does not raise it.
pub const JSON_VERSION: u32 = 1;

/// All diagnostics: lines and columns from 1 (columns in characters, `end_column` just behind the
/// last), offsets in bytes from 0.
pub fn json(diagnostics: &[Diagnostic], view: View<'_>) -> Value {
    json!({
        "version": JSON_VERSION,
        "errors": count(diagnostics, Severity::Error),
        "warnings": count(diagnostics, Severity::Warning),
        "diagnostics": diagnostics.iter().map(|d| one(d, view)).collect::<Vec<_>>(),
    })
}

fn one(diagnostic: &Diagnostic, view: View<'_>) -> Value {
    let mut value = json!({
        "code": diagnostic.code.number(),
        "severity": word(diagnostic.severity),
        "title": diagnostic.code.title(),
        "message": diagnostic.message,
    });
    place(&mut value, diagnostic.primary.span, view);
    value["label"] = json!(Some(&diagnostic.primary.text).filter(|t| !t.is_empty()));
    value["labels"] = diagnostic
        .others
        .iter()
        .map(|label| {
            let mut value = json!({ "text": label.text });
            place(&mut value, label.span, view);
            value
        })
        .collect();
    value["why"] = json!(diagnostic.why);
    value["help"] = diagnostic
        .help
        .iter()
        .map(|help| {
            let edit = help.edit.as_ref().map(|edit| {
                let mut value = json!({ "replacement": edit.replacement });
                place(&mut value, edit.span, view);
                value
            });
            json!({ "text": help.text, "edit": edit })
        })
        .collect();
    value
}

fn place(value: &mut Value, span: Span, view: View<'_>) {
    let (start, end) = view.ends(span);
    value["file"] = json!(view.name(span.file));
    value["line"] = json!(start.line);
    value["column"] = json!(start.column);
    value["end_line"] = json!(end.line);
    value["end_column"] = json!(end.column);
    value["start"] = json!(span.start);
    value["end"] = json!(span.end);
}
