//! Doubts, each with what would happen to a record.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};

pub(in crate::check) fn unused(what: &str, name: &str, at: Span, whole: Span) -> Diagnostic {
    Diagnostic::new(Code::Unused, at, format!("{what} `{name}` is not used"))
        .label("nothing reads it")
        .why("either it can go, or the place where it was meant to be used was forgotten")
        .mend("take it out", whole, "")
}

pub(in crate::check) fn unused_import(path: &str, at: Span, whole: Span) -> Diagnostic {
    Diagnostic::new(Code::Unused, at, format!("nothing of \"{path}\" is used")).label("brought in for nothing").mend("take the line out", whole, "")
}

pub(in crate::check) fn row_never_met(map: &str, value: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::UnusedRow, at, format!("the row \"{value}\" of `{map}` is never met"))
        .label("no flow fetches a record with this value")
        .why("the `where` of every flow that uses the map leaves such records out")
        .help(format!("take the row out, or let the flow's `where` take \"{value}\" in"))
}

pub(in crate::check) fn mapped_twice(source: &str, targets: (&str, &str), meant: &str, at: Span, first: Option<Span>, object: &str) -> Diagnostic {
    let mut d = Diagnostic::new(Code::MappedTwice, at, format!("{source} goes into both {} and {} of {object}", targets.0, targets.1))
        .label("the same field again");
    if let Some(first) = first {
        d = d.other(first, "first here");
    }
    d.why(format!("the target would hold one value in two fields, and nothing reads {meant}"))
        .help(format!("did you mean   {} = {meant} ?", targets.1))
}

pub(in crate::check) fn commonly_needed(write: &str, object: &str, missing: &[(&str, &str)], at: Span) -> Diagnostic {
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let message = match names.as_slice() {
        [one] => format!("{one} of {object} is commonly needed and not mapped"),
        many => format!("{} fields of {object} are commonly needed and not mapped: {}", many.len(), many.join(", ")),
    };
    let mut d =
        Diagnostic::new(Code::CommonlyNeeded, at, message).label(format!("`{write}` does not set {}", if names.len() == 1 { "it" } else { "them" }));
    if let Some((name, why)) = missing.first() {
        d = d.why(if names.len() == 1 { (*why).to_owned() } else { format!("{name}: {why}") });
    }
    d.help(format!("add such as   {} = …", names[0]))
}

pub(in crate::check) fn never_runs(write: &str, at: Span, with: Option<Span>) -> Diagnostic {
    let d = Diagnostic::new(Code::NeverRuns, at, format!("`{write}` never runs")).label("this is true for no record");
    match with {
        Some(flow) => d
            .other(flow, "the flow fetches no record for which it holds")
            .why("the flow's `where` and this condition contradict each other, so nothing is ever written")
            .help("widen the flow's `where`, or mend the condition"),
        None => d.why("its parts contradict each other, so nothing is ever written").help("mend the condition, or take the write out"),
    }
}

pub(in crate::check) fn passed_through(source: &str, field: &str, list: &str, known: &[&str], at: Span) -> Diagnostic {
    Diagnostic::new(Code::PassedThrough, at, format!("{source} is passed through to {field}, which has names of its own"))
        .label(format!("{list} knows {}, …", quoted(known)))
        .why("a name that the target does not know is refused there, or is not found by those who look for its own")
        .help(format!("map the names with a `values` map to {list}"))
}

pub(in crate::check) fn group_case(name: &str, place: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::GroupCase, at, format!("groups of `{name}` that differ by case only arrive at one record"))
        .label("`Ada@Example.com` and `ada@example.com` are two groups")
        .why(format!("{place}: each group updates the same record, and the last one wins"))
        .mend("group without case", at.after(), " | lower")
}

/// An amount that has no currency, where it is sent with one.
pub(in crate::check) fn no_currency(field: &str, object: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::TypeMismatch, at, format!("`{object}.{field}` is sent an amount with its currency, and this may have none"))
        .label("the source does not say its currency, or it is written without one")
        .why("such a record would be rejected: which currency is meant is never guessed")
        .help("say the currency of each amount, for example   12.50 EUR   or   … | money \"EUR\"")
}

pub(in crate::check) fn other_currency(field: &str, object: &str, fixed: &str, from: &str, known: bool, at: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::OtherCurrency, at, format!("{object}.{field} takes amounts in {fixed} only"))
        .label(from)
        .why("an amount is sent as a bare number: in another currency it would be declared many times too high or too low");
    if known {
        diagnostic.help(format!("map an amount in {fixed}, or leave the field out"))
    } else {
        diagnostic.help(format!(
            "ask for the currency in `validate`, for example   review when currency(…) != \"{fixed}\" \"…\" , or say it   … | money \"{fixed}\""
        ))
    }
}

pub(in crate::check) fn stamp_missing(record: &str, children: &str, stamp: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::StampMissing, at, format!("a change of {record}.{children} alone is not seen"))
        .label(format!("moves with {record}, not with its {children}"))
        .why(format!("the mapping reads {record}.{children}; when only one of them changes, the record is not fetched again"))
        .mend(format!("add the timestamp of the children:   , {record}.{children}.{stamp}"), at.after(), format!(", {record}.{children}.{stamp}"))
}

pub(in crate::check) fn gone_unhandled(record: &str, at: Span, end: Option<Span>) -> Diagnostic {
    let d = Diagnostic::new(Code::GoneUnhandled, at, format!("nothing says what happens when {record} is gone"))
        .label("a record that was sent may leave this later, or be deleted")
        .why("what was sent stays at the target, and each such record becomes an exception that a person has to close");
    let text = format!("when {record} is gone {{ … }}");
    match end {
        Some(end) => d
            .other(end.after(), format!("a section   {text}   would go here"))
            .help("write what is to be done there, such as setting a status to cancelled"),
        None => d.help(format!("add a section   {text}")),
    }
}

pub(in crate::check) fn lists_differ(source: &str, at: Span, other: Span, without: bool) -> Diagnostic {
    Diagnostic::new(Code::ListsDiffer, at, format!("two lists over {source} do not hold the same elements"))
        .label(if without { "all of them" } else { "under this condition" })
        .other(other, "those under another condition")
        .why("totals and elements would speak of different things: a line that is left out here is counted there")
        .help(format!("give the list that is meant a name,   let lines = each line in {source} where … ,   and use it in both places"))
}

pub(in crate::check) fn constant(truth: bool, at: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::ConstantCondition, at, format!("this condition is always {truth}"))
        .label("does not depend on the record")
        .why(what.to_owned())
        .help(if truth { "take the condition out, or mend it" } else { "if either of two values is meant, write `or`, or   in (…)" })
}

pub(in crate::check) fn fallback_in_many_words(at: Span, value: &str, other: &str) -> Diagnostic {
    Diagnostic::new(Code::Deprecated, at, "there is a shorter way to write this").label("a value, or another where it is missing").mend(
        format!("write   {value} ?? {other}"),
        at,
        format!("{value} ?? {other}"),
    )
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
