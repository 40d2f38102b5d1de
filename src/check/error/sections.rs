//! Sections of flows: stamps, events, keys, writes, follow-ups.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::error::names::some;
use crate::ir::Operation;
use crate::schema::Object;
use crate::syntax::tree::{Key, Name};
use crate::system::{Claims, Guarantee};
use crate::value::ObjectRef;

pub(in crate::check) fn unknown_event(event: &Name, object: &Object) -> Diagnostic {
    let known: Vec<&str> = object.events.iter().map(String::as_str).collect();
    let diagnostic =
        Diagnostic::new(Code::UnknownEvent, event.span, format!("{} has no webhook event `{}` for `{}`", object.system, event.node, object.name))
            .did_you_mean(&event.node, event.span, known.iter().copied());
    if known.is_empty() {
        diagnostic.help("leave it out: `every …` finds the changes by asking")
    } else if diagnostic.help.is_empty() {
        diagnostic.help(format!("its events are {}", some(&known, 8)))
    } else {
        diagnostic
    }
}

pub(in crate::check) fn not_a_stamp(span: Span, text: &str, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NotAStamp, span, format!("`{text}` is no timestamp of the record: {what}"))
        .why("`changed` asks the system for what was touched since the last run")
        .help("name a field that moves with every change, such as `order.SystemModstamp`")
}

/// A write that the system does not take, whatever its key is. `record`: the name behind `of`.
pub(in crate::check) fn not_writable(op: Operation, of: &ObjectRef, record: Option<&str>, span: Span, object: &Object) -> Diagnostic {
    let system = &object.system;
    let taken: Vec<&str> = Operation::ALL.into_iter().filter(|op| object.takes(*op)).map(Operation::word).collect();
    let refused = if object.takes(op) { Operation::Update } else { op };
    let diagnostic = Diagnostic::new(Code::ObjectNotWritable, span, format!("{system} takes no {} of `{of}`", refused.word()));
    if taken.is_empty() {
        return diagnostic.why("it cannot be written by itself");
    }
    let diagnostic = diagnostic.help(format!("it takes: {}", taken.join(", ")));
    if refused != op {
        return diagnostic.why("an upsert `of` a record that is there is sent as an update").help("leave `of …` out: the key finds the record");
    }
    if op == Operation::Upsert && object.takes(Operation::Create) && object.takes(Operation::Update) {
        let (record, id) = (record.unwrap_or("found"), object.id.as_deref().unwrap_or("id"));
        return diagnostic.help(format!(
            "write two: `create {of} key … when {record}.{id} is missing` and `update {of} of {record} when {record}.{id} is present`, \
             with `none -> continue` in the match that finds `{record}`"
        ));
    }
    diagnostic
}

/// A system takes a write by some keys only.
pub(in crate::check) fn other_key(op: Operation, of: &ObjectRef, key: &Key, object: &Object) -> Diagnostic {
    let fields = object.key_fields(op);
    let named: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let at = key.field.as_ref().map_or(key.value.span, |field| field.span);
    let diagnostic = Diagnostic::new(Code::ObjectNotWritable, at, format!("{} takes no {} of `{of}` by this key", object.system, op.word()))
        .why("after a lost answer it would be looked for by another field, and made twice");
    let help = format!("write the key to {}", named.join(" or "));
    match (&key.field, fields.as_slice()) {
        (Some(_), [field]) => diagnostic.mend(help, at, *field),
        _ => diagnostic.help(help),
    }
}

pub(in crate::check) fn no_key(op: Operation, of: &ObjectRef, head: Span, object: &Object) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::KeyMissing, head, format!("this {} of `{of}` has no key", op.word()))
        .why("after a lost answer or a restart the same record would be written twice");
    match (op, object.keys.first()) {
        (Operation::Update, _) => diagnostic.help(format!("name the record that is updated: `update {of} of …`")),
        (_, Some(key)) => diagnostic.help(format!("add   key {key} = \"…-{{….Id}}\"")),
        (_, None) => diagnostic.help("add   key \"…-{….Id}\""),
    }
}

/// `claims`: its description says that the system keeps the record to one, and no probe has seen it there.
pub(in crate::check) fn doubt_unsaid(head: Span, object: &Object, can_look_up: bool, connection: &str, claims: Option<&Claims>) -> Diagnostic {
    let (system, name) = (&object.system, &object.name);
    let diagnostic = Diagnostic::new(Code::DoubtUnsaid, head, "this write does not say what happens if its answer is lost");
    if let Some(claims) = claims {
        let diagnostic =
            diagnostic.why(format!("no probe has confirmed that {system} prevents a second `{name}` with this key, as its description says"));
        let diagnostic = match claims.host {
            None if !claims.elsewhere.is_empty() => diagnostic.help("give the variables of its connection their values"),
            _ => diagnostic,
        };
        return diagnostic.help("add   in doubt review   (a person looks)").help(format!(
            "or let `crossdock system probe {system} --connection {connection} --writes` try whether it does: its description says so, which {}",
            claims.seen()
        ));
    }
    let diagnostic = diagnostic.why(format!(
        "{system} does not prevent a second `{name}` with this key: after a lost answer nobody knows whether the first one was created"
    ));
    if can_look_up {
        diagnostic.help("add   in doubt look up   (the runtime searches for it)").help("or   in doubt review   (a person looks)")
    } else {
        diagnostic.help("add   in doubt review   (a person looks)")
    }
}

pub(in crate::check) fn doubt_not_searchable(span: Span, object: &Object, field: Option<&str>, guarantee: Guarantee) -> Diagnostic {
    let text = match field {
        _ if guarantee == Guarantee::Unprotected => format!("{} cannot be asked whether a `{}` is there", object.system, object.name),
        Some(field) => format!("a `{}` cannot be searched for by `{field}`", object.name),
        None => format!("a `{}` cannot be searched for by this key", object.name),
    };
    let diagnostic = Diagnostic::new(Code::DoubtNotSearchable, span, text).mend("let a person look", span, "in doubt review");
    match object.searchable.as_slice() {
        [] => diagnostic,
        known if guarantee < Guarantee::Unprotected => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            diagnostic.help(format!("or put the key into a field that can be searched for: {}", some(&known, 6)))
        }
        _ => diagnostic,
    }
}

pub(in crate::check) fn unknown_write(subject: &Name, known: &[&str], record: &str, is_record: bool) -> Diagnostic {
    if is_record {
        return Diagnostic::new(
            Code::UnknownWrite,
            subject.span,
            format!("`{}` is the record, and what succeeds, fails or is late is a write", subject.node),
        )
        .help("name a write by its `as …`, or write `is gone`");
    }
    let diagnostic = Diagnostic::new(Code::UnknownWrite, subject.span, format!("there is no write `{}` above", subject.node)).did_you_mean(
        &subject.node,
        subject.span,
        known.iter().copied(),
    );
    if diagnostic.help.is_empty() {
        match known {
            [] => diagnostic.help(format!("give the write a name: `… as {}`", subject.node)),
            known => diagnostic.help(format!("the writes are {}; the record is `{record}`", some(known, 6))),
        }
    } else {
        diagnostic
    }
}

/// Something stands, or is left out, where the language does not take that.
pub(in crate::check) fn misplaced(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::Misplaced, span, text.to_owned())
}
