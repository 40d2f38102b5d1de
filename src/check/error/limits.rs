//! Values that do not fit the limits of a field, or may not.

use rust_decimal::Decimal;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::error::names::some;
use crate::check::extent::ENDLESS;
use crate::schema::{Size, SizeUnit};

pub(in crate::check) fn literal(at: Span, path: &str, what: &str, limit: &str) -> Diagnostic {
    Diagnostic::new(Code::LiteralMisfit, at, format!("this does not fit `{path}`: {what}"))
        .label(limit.to_owned())
        .why("every record with it would be refused")
}

pub(in crate::check) fn not_a_name(at: Span, path: &str, text: &str, known: &[&str], open: bool) -> Diagnostic {
    let code = if open { Code::NotKnownValue } else { Code::NotInEnumeration };
    let d = Diagnostic::new(code, at, format!("`{path}` does not know \"{text}\"")).label(format!("known: {}", some(known, 6))).why(if open {
        "the target may refuse it, or nobody finds it under this name"
    } else {
        "a record with it would be refused"
    });
    match crate::base::nearest(text, known.iter().copied()) {
        Some(near) => d.help(format!("did you mean \"{near}\"?")),
        None => d.help("write one of the names that the target knows"),
    }
}

pub(in crate::check) fn too_long(at: Span, path: &str, longest: Option<usize>, size: Size, text: &str) -> Diagnostic {
    let label = match longest {
        Some(longest) => format!("up to {longest} characters, and the field takes {}", size.max),
        None => format!("nothing limits its length, and the field takes {}", size.max),
    };
    let cut = match size.unit {
        SizeUnit::Bytes => "truncate_bytes",
        _ => "truncate",
    };
    Diagnostic::new(Code::MayBeTooLong, at, format!("this may be longer than `{path}` takes"))
        .label(label)
        .why("a record with a longer text would be rejected before it is sent")
        .mend("cut it", at, format!("{} | {cut} {}", bracketed(text), size.max))
}

pub(in crate::check) fn may_not_match(at: Span, path: &str, pattern: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::MayNotMatch, at, format!("this may not have the form that `{path}` takes"))
        .label(format!("the field takes texts like `{pattern}`, and nothing holds this text to it"))
        .why("a record with another text would be rejected before it is sent, with a reason that names the pattern only")
        .help(format!(
            "require it in `validate`:   require {} matches '{}' \"{{{text}}} has the wrong form\"",
            bracketed(text),
            pattern.trim_matches(['^', '$'])
        ))
}

pub(in crate::check) fn too_many_places(at: Span, path: &str, has: u32, keeps: u32, text: &str) -> Diagnostic {
    too_many_places_in(at, path, has, keeps, text, "")
}

/// `convert` goes before the rounding: `" | to oz"`.
pub(in crate::check) fn too_many_places_in(at: Span, path: &str, has: u32, keeps: u32, text: &str, convert: &str) -> Diagnostic {
    let label = if has >= ENDLESS {
        format!("most results have many places, and the field keeps {keeps}")
    } else {
        format!("up to {has} places, and the field keeps {keeps}")
    };
    Diagnostic::new(Code::MayNotFit, at, format!("this may have more decimal places than `{path}` keeps"))
        .label(label)
        .why("a record with more places would be rejected before it is sent")
        .mend("round it", at, format!("{}{convert} | round {keeps}", bracketed(text)))
}

pub(in crate::check) fn too_large(at: Span, path: &str, most: Decimal, high: Option<Decimal>, text: &str, least: Option<Decimal>) -> Diagnostic {
    let label = match high {
        Some(high) => format!("up to {high}, and the field takes {most} at most"),
        None => format!("nothing limits it, and the field takes {most} at most"),
    };
    let d = Diagnostic::new(Code::MayNotFit, at, format!("this may be more than `{path}` takes"))
        .label(label)
        .why("a record with a larger number would be rejected before it is sent")
        .help(format!("require it in `validate`:   require {} <= {most} \"… is too large\"", bracketed(text)));
    match least {
        Some(least) => d.help(format!("or hold it between the limits:   {} | clamp {least} {most}", bracketed(text))),
        None => d.help(format!("or take the smaller:   min_of({text}, {most})")),
    }
}

pub(in crate::check) fn too_small(at: Span, path: &str, least: Decimal, low: Option<Decimal>, text: &str) -> Diagnostic {
    let label = match low {
        Some(low) => format!("down to {low}, and the field takes {least} and more"),
        None => format!("a difference may be negative, and the field takes {least} and more"),
    };
    Diagnostic::new(Code::MayNotFit, at, format!("this may be less than `{path}` takes"))
        .label(label)
        .why("a record with a smaller number would be rejected before it is sent")
        .mend("take the larger", at, format!("max_of({text}, {least})"))
        .help(format!("or require it in `validate`:   require {} >= {least} \"… is too small\"", bracketed(text)))
}

/// In brackets, if an operator stands in it that binds less than a pipe.
fn bracketed(text: &str) -> String {
    super::types::bracketed(text)
}
