//! What is said about descriptions.

use super::text::Place;
use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};

/// The text is no YAML, or a value has not the form that its key asks for.
pub(super) fn bad_form(span: Span, what: &str, wanted: &str, found: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, format!("`{what}` is {wanted}")).label(format!("{found} stands here"))
}

pub(super) fn no_yaml(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, "the description is no YAML").label(message)
}

/// A value of the right form that says something that cannot be.
pub(super) fn bad_value(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, message).help(help)
}

pub(super) fn unknown_key(key: &str, span: Span, block: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::UnknownKey, span, format!("{block} has no `{key}`")).why("what it says would not be heeded");
    match crate::base::nearest(key, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("it may have: {}", listed(known))),
    }
}

pub(super) fn unknown_word(word: &str, span: Span, key: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::UnknownWord, span, format!("`{key}` cannot be `{word}`"));
    match crate::base::nearest(word, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("it is one of: {}", listed(known))),
    }
}

pub(super) fn needs_key(key: &str, span: Span, block: &str, why: &str) -> Diagnostic {
    Diagnostic::new(Code::NeedsKey, span, format!("{block} has no `{key}`")).why(why).help(format!("add `{key}`"))
}

pub(super) fn not_provided(path: &str, root: &str, span: Span, place: Place, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::NotProvided, span, format!("`{path}` is not known {}", place.noun()));
    match crate::base::nearest(root, known.iter().copied()) {
        Some(near) if near != root => {
            let end = span.start.saturating_add(u32::try_from(root.len()).unwrap_or(0)).min(span.end);
            said.mend(format!("did you mean `{near}`?"), Span { end, ..span }, near)
        }
        _ if known.is_empty() => said.help("nothing is provided here but `setting` and `session`"),
        _ => said.help(format!("provided here are: {}", listed(known))),
    }
}

pub(super) fn no_setting(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::NotProvided, span, format!("there is no setting `{name}`"));
    match crate::base::nearest(name, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `setting.{near}`?"), span, format!("setting.{near}")),
        None => said.help(format!("add it under `settings`; there are: {}", listed(known))),
    }
}

pub(super) fn unreadable(span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::BadExpression, span, "this cannot be read").label(why)
}

pub(super) fn no_function(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::BadExpression, span, format!("there is no function `{name}`"));
    match crate::base::nearest(name, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help("a description calls the functions of the mapping language: see the reference of functions"),
    }
}

/// `a`, `b`, `c`: not more than a reader takes in.
fn listed(known: &[&str]) -> String {
    const MOST: usize = 14;
    let mut shown: Vec<String> = known.iter().take(MOST).map(|word| format!("`{word}`")).collect();
    if known.len() > MOST {
        shown.push(format!("and {} more", known.len() - MOST));
    }
    shown.join(", ")
}
