//! Values that may be missing where they must not.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::facts::{Told, Why};

/// What says that the value may be missing.
fn reason(gap: &Told<'_>) -> String {
    let text = &gap.text;
    match gap.why {
        Why::Field(field) => format!("`{text}` may be missing: `{field}` is optional"),
        Why::Target => format!("`{text}` may be missing: there may be no record in the target yet, or the field is empty"),
        Why::TableRow(table) => format!("`{text}` may be missing: the table `{table}` may have no such row"),
        Why::Values(map) => format!("`{text}` may be missing: `{map}` has no `else`, and gives nothing where it has no row"),
        Why::Function(name) => format!("`{text}` may be missing: `{name}` may give nothing"),
        Why::Division => format!("`{text}` is missing where it divides by 0"),
        Why::Empty => format!("`{text}` is missing where the list is empty"),
        Why::Match => format!("`{text}` may be missing: its match may find none and create it"),
        Why::Result => format!("`{text}` may be missing: its write has a `when`"),
        Why::Element => format!("`{text}` may be missing"),
        Why::Declared => format!("`{text}` may be missing"),
    }
}

fn code(gap: &Told<'_>) -> Code {
    if *gap.why == Why::Result { Code::ResultMayBeMissing } else { Code::MayBeMissing }
}

/// A value that may be missing into a required field.
pub(in crate::check) fn assigned(path: &str, at: Span, field: Span, fallback: Fallback, gap: &Told<'_>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code(gap), at, format!("`{path}` is required, and this may be missing"))
        .label(reason(gap))
        .other(field, "required here")
        .why(format!("a record without `{}` would be sent without `{path}`, and be refused", gap.text));
    diagnostic = require(diagnostic, gap);
    or_fallback(diagnostic, fallback)
}

/// A value with a fallback, and where it stands.
type Fallback = Option<(Span, String)>;

fn or_fallback(diagnostic: Diagnostic, fallback: Fallback) -> Diagnostic {
    match fallback {
        Some((at, write)) => diagnostic.mend(format!("or give a fallback:   {write}"), at, write),
        None => diagnostic.help("or give a fallback behind it:   … ?? …"),
    }
}

/// The rule that closes a gap, to write into `validate`.
fn require(diagnostic: Diagnostic, gap: &Told<'_>) -> Diagnostic {
    let text = &gap.text;
    match gap.why {
        Why::Declared if text.ends_with(".key") => diagnostic.help("name the part of what has no value:   split … by … ?? \"none\" as …"),
        Why::Target | Why::Division | Why::Empty | Why::Result | Why::Match => {
            diagnostic.help(format!("test it first:   if {text} is present then … else …"))
        }
        _ if text.contains('|') || text.contains(' ') => diagnostic.help(format!("require it in `validate`:   require ({text}) \"… is missing\"")),
        _ => {
            let word = text.rsplit('.').next().unwrap_or(text);
            let rule = format!("require {text} \"{} is missing\"", spoken(word));
            let words = format!("require it in `validate`:   {rule}");
            match &gap.ways.require {
                Some((at, before, behind)) => diagnostic.mend(words, *at, format!("{before}{rule}{behind}")),
                None => diagnostic.help(words),
            }
        }
    }
}

/// `postalCode` as `the postal code`.
pub(in crate::check) fn spoken(field: &str) -> String {
    let field = field.trim_end_matches("__c");
    let mut out = String::from("the ");
    for (at, letter) in field.chars().enumerate() {
        if letter == '_' {
            out.push(' ');
        } else if letter.is_uppercase() && at > 0 {
            out.push(' ');
            out.extend(letter.to_lowercase());
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

pub(in crate::check) fn argument(function: &str, parameter: &str, at: Span, fallback: Fallback, gap: &Told<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(code(gap), at, format!("`{function}` needs its `{parameter}`, and this may be missing"))
        .label(reason(gap))
        .why("only the first argument may be missing, and then so is the result");
    or_fallback(require(diagnostic, gap), fallback)
}

pub(in crate::check) fn elements(function: &str, at: Span, gap: &Told<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::MissingElements, at, format!("`{function}` runs over elements that may be missing"))
        .label(reason(gap))
        .why("it would leave them out silently, and the result would look whole");
    let inside = gap.span.filter(|gap| gap.file == at.file && at.start <= gap.start && gap.end <= at.end);
    let write = format!("({} ?? 0)", gap.text);
    let words = format!("say what a missing one counts as:   {write}");
    match inside {
        Some(span) => diagnostic.mend(words, span, write),
        None => diagnostic.help(words),
    }
    .help(format!("or leave them out by name:   … where {} is present", gap.text))
}

pub(in crate::check) fn list_elements(path: &str, at: Span, gap: &Told<'_>) -> Diagnostic {
    Diagnostic::new(Code::MayBeMissing, at, format!("`{path}` takes a list of values that are there, and elements of this one may be missing"))
        .label(reason(gap))
        .help(format!("leave them out:   … where {} is present", gap.text))
}

pub(in crate::check) fn function_result(function: &str, at: Span, gap: &Told<'_>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(code(gap), at, format!("the result of `{function}` may be missing, and its type says it is not")).label(reason(gap));
    require(diagnostic, gap).help(format!("or let `{function}` give a type with `?`"))
}

pub(in crate::check) fn key(at: Span, gap: &Told<'_>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(if *gap.why == Why::Result { Code::ResultMayBeMissing } else { Code::KeyMayBeMissing }, at, "the key may be missing")
            .label(reason(gap))
            .why("a record without a key could be sent twice");
    require(diagnostic, gap)
}

pub(in crate::check) fn reconciled(at: Span, text: &str, gap: &Told<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(code(gap), at, "what is reconciled may be missing")
        .label(reason(gap))
        .why("a missing amount cannot be compared with another");
    require(diagnostic, gap).help(format!("or say what it counts as:   ({text} ?? 0)"))
}
