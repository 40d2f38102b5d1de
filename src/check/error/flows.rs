//! Mistakes of promises and tests: flows that are not there, fields that a record cannot have.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::syntax::tree::Name;

pub(in crate::check) fn no_flow(name: &Name, flows: &[&str]) -> Diagnostic {
    let d = Diagnostic::new(Code::UnknownFlow, name.span, format!("there is no flow `{}`", name.node))
        .label("no flow of the project has this name")
        .did_you_mean(&name.node, name.span, flows.iter().copied());
    if d.help.is_empty() && !flows.is_empty() {
        let few: Vec<String> = flows.iter().take(6).map(|flow| format!("`{flow}`")).collect();
        return d.help(format!("the project's flows are {}", few.join(", ")));
    }
    d
}

pub(in crate::check) fn expect_incomplete(name: &Name, missing: &[&str]) -> Diagnostic {
    let words: Vec<String> = missing.iter().map(|word| format!("`{word}`")).collect();
    Diagnostic::new(Code::FlowIncomplete, name.span, format!("promise `{}` lacks {}", name.node, words.join(" and ")))
        .label("not complete")
        .why("a promise says of which flow's records it speaks, by which flow they are seen and by when, and what happens else")
        .help("write   for …   seen … within 2 days   else alert \"…\"   on lines of their own")
}

pub(in crate::check) fn expect_else(at: Span) -> Diagnostic {
    Diagnostic::new(Code::Misplaced, at, "a promise that is not kept ends in an alert or a review")
        .label("not here")
        .why("the record was sent long ago: there is nothing left to reject or to skip")
        .help("write   else alert \"…\"   or   else review \"…\"")
}

pub(in crate::check) fn test_without_flow(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadTest, at, format!("test \"{name}\" names no flow")).label("not complete").help("add a line such as   flow export_orders")
}

pub(in crate::check) fn test_without_record(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadTest, at, format!("test \"{name}\" is given no record"))
        .label("not complete")
        .help("add a line such as   given \"fixtures/order.json\"")
}

pub(in crate::check) fn test_without_outcome(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadTest, at, format!("test \"{name}\" expects nothing"))
        .label("can never fail")
        .help("say what must come out:   sent wms.Order { … }   or   rejected \"…\"")
}

pub(in crate::check) fn no_such_match(name: &Name, flow: &str, matches: &[&str]) -> Diagnostic {
    let d = Diagnostic::new(Code::BadTest, name.span, format!("flow `{flow}` has no match `{}`", name.node))
        .label("a matched record of it is given here");
    d.did_you_mean(&name.node, name.span, matches.iter().copied())
}

pub(in crate::check) fn never_sent(object: &str, flow: &str, at: Span, sent: &[String]) -> Diagnostic {
    let d = Diagnostic::new(Code::BadTest, at, format!("flow `{flow}` never writes {object}")).label("the test asks for one");
    match crate::base::nearest(object, sent.iter().map(String::as_str)) {
        Some(near) => d.mend(format!("did you mean {near}?"), at, near.to_owned()),
        None if sent.is_empty() => d.help("the flow has no write"),
        None => d.help(format!("it writes {}", sent.join(", "))),
    }
}

/// A field of a record that is given or must come out.
pub(in crate::check) fn no_field(name: &Name, object: &str, source: bool, fields: &[&str]) -> Diagnostic {
    let code = if source { Code::UnknownSourceField } else { Code::UnknownTargetField };
    let why = if source { "the flow would never read what the test puts there" } else { "no payload can hold it, so the test could never pass" };
    Diagnostic::new(code, name.span, format!("{object} has no field {}", name.node)).label("not in the schema").why(why).did_you_mean(
        &name.node,
        name.span,
        fields.iter().copied(),
    )
}

pub(in crate::check) fn no_constant(at: Span) -> Diagnostic {
    Diagnostic::new(Code::BadTest, at, "a test says values, not how to compute them")
        .label("not a plain value")
        .why("a test that computes what it expects proves the computation by itself")
        .help("write the value:   \"Cancelled\", 12, true, cancelled, (…) for a list, { … } for an object")
}

pub(in crate::check) fn not_a_value(written: &str, field: &str, at: Span, known: &[&str]) -> Diagnostic {
    let d = Diagnostic::new(Code::NotInEnumeration, at, format!("\"{written}\" is no value of {field}")).label("the field knows other values");
    d.did_you_mean(written, at, known.iter().copied())
}

pub(in crate::check) fn no_thing(written: &str, kind: &str, connection: &str, at: Span, known: &[&str]) -> Diagnostic {
    let d = Diagnostic::new(Code::UnknownReference, at, format!("{connection} has no {kind} \"{written}\"")).label("not in the snapshot");
    match crate::base::nearest(written, known.iter().copied()) {
        Some(near) => d.mend(format!("did you mean \"{near}\"?"), at, format!("\"{near}\"")),
        None => d,
    }
}
