//! What is said about descriptions.

use super::text::Place;
use super::unsupported::{self, Unsupported};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Span, Spanned};
use crate::yaml::{self, NotYaml, not_yaml};

/// The text is no YAML, or a value has not the form that its key asks for.
pub(super) fn bad_form(span: Span, what: &str, wanted: &str, found: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, format!("{} takes {wanted}", named(what))).label(format!("this is {found}"))
}

/// A key, or a block by the words of its messages: `page`, "the write `create`".
fn named(what: &str) -> String {
    if what.contains('`') || what.contains(' ') { what.to_owned() } else { format!("`{what}`") }
}

pub(super) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, "the description is larger than 1 MiB")
}

pub(super) fn no_yaml(file: FileId, text: &str, fault: &yaml::Unreadable) -> Diagnostic {
    let said = NotYaml { code: Code::BadDescription, file, message: "the description is not readable as YAML" };
    not_yaml(&said, text, fault, &|_| 0)
}

/// A value of the right form that says something that cannot be.
pub(super) fn bad_value(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, message).help(help)
}

/// The name of an object or a schema: a mapping writes it, and the file of the schema has it.
pub(super) fn no_object_name(name: &str, span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, format!("`{name}` is no name of {what}"))
        .why("a mapping writes the name, and the file of the schema is called by it")
        .help("write a letter first, then letters, digits and `_`: `SalesOrder`")
}

pub(crate) fn no_field_of_names(field: &str, span: Span) -> Diagnostic {
    bad_value(span, format!("no schema has the field `{field}`"), "write an object and its field: `LineItem.warehouse_id`")
}

pub(super) fn unknown_key(key: &str, span: Span, block: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::UnknownKey, span, format!("unknown key `{key}` in {}", named(block))).why("it would have no effect");
    if let Some((_, place)) = ELSEWHERE.iter().find(|(known, _)| *known == key).filter(|_| block == "the description") {
        return said.help(format!("`{key}` stands under {place}"));
    }
    match crate::base::nearest(key, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("it may have: {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))),
    }
}

/// Keys that are looked for at the top and stand deeper.
const ELSEWHERE: &[(&str, &str)] = &[
    ("changes", "an object: `objects: { Order: { changes: [ … ] } }`"),
    ("get", "an object: `objects: { Order: { get: { … } } }`"),
    ("find", "an object: `objects: { Order: { find: { … } } }`"),
    ("writes", "an object: `objects: { Order: { writes: { create: { … } } } }`"),
    ("with", "an object: `objects: { Order: { with: { … } } }`"),
    ("id", "an object: `objects: { Order: { id: number } }`"),
    ("stamp", "an object: `objects: { Order: { stamp: updated_at } }`"),
    ("receipt", "a write: `writes: { create: { receipt: { … } } }`"),
    ("guarantee", "a write: `writes: { create: { guarantee: { … } } }`"),
    ("page", "a stream of `changes`, or a list of `names`"),
    ("openapi", "`specs`: `specs: [{ openapi: api.yaml }]`"),
];

pub(super) fn unknown_word(word: &str, span: Span, key: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::UnknownWord, span, format!("`{key}` cannot be `{word}`"));
    match crate::base::nearest(word, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("it is one of: {}", listed(known))),
    }
}

pub(super) fn unknown_signed_part(word: &str, span: Span) -> Diagnostic {
    const PARTS: &[&str] = &["body", "path", "query", "method", "header.", "setting."];
    let said = Diagnostic::new(Code::UnknownWord, span, format!("`{word}` is no part of what is signed"));
    match crate::base::nearest(word, PARTS.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("it is one of: {}; a fixed text is `{{ text: \"{word}\" }}`", listed(PARTS))),
    }
}

/// The description has another name than its folder.
pub(super) fn other_name(system: &Spanned<String>, folder: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, system.span, format!("the system is called `{}`, and its folder `{folder}`", system.node))
        .why("a system is known by its folder")
        .mend(format!("write `system: {folder}`, or rename the folder"), system.span, folder)
}

/// A file that a description names does not lie beside it.
pub(crate) fn no_such_file(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, format!("there is no file `{name}` beside the description"))
        .why("what it would correct is taken as the vendor's file has it")
        .help("name a file in the folder of the description: `corrections: corrections.yaml`; or leave it out")
}

/// A call or `auth` names a sign-in that there is not.
pub(super) fn no_sign_in(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::NotProvided, span, format!("there is no sign-in `{name}`"));
    match crate::base::nearest(name, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None if known.is_empty() => said.help("`auth` has one sign-in without a name: leave `as` out"),
        None => said.help(format!("`auth` has: {}", listed(known))),
    }
}

/// A bearer token is a header.
pub(super) fn bearer(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownKey, span, "unknown key `bearer` in `auth`")
        .why("it would have no effect")
        .help("a bearer token is a header: `auth: { header: { Authorization: \"Bearer {setting.token}\" } }`")
}

/// Several sign-ins, and none of them is the usual one.
pub(super) fn no_usual_sign_in(span: Span, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::NeedsKey, span, "`auth` has several sign-ins and needs `as`")
        .why("nothing says which of them a call has that names none")
        .help(format!("add `as:` with one of: {}", listed(known)))
}

pub(super) fn needs_key(key: &str, span: Span, block: &str, why: &str) -> Diagnostic {
    Diagnostic::new(Code::NeedsKey, span, format!("{} needs `{key}`", named(block))).why(why).help(format!("add `{key}`"))
}

pub(super) fn not_provided(path: &str, root: &str, span: Span, place: Place, known: &[&str], settings: &[String]) -> Diagnostic {
    let said = Diagnostic::new(Code::NotProvided, span, format!("`{path}` is not known {}", place.noun()));
    if settings.iter().any(|setting| setting == path) {
        return said.mend(format!("did you mean `setting.{path}`?"), span, format!("setting.{path}"));
    }
    match crate::base::nearest(root, known.iter().copied()) {
        Some(near) if near != root => {
            let end = span.start.saturating_add(u32::try_from(root.len()).unwrap_or(0)).min(span.end);
            said.mend(format!("did you mean `{near}`?"), Span { end, ..span }, near)
        }
        _ if known.is_empty() => said.help("nothing is provided here but `setting`"),
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

/// An expression that gives something else than true or false.
pub(super) fn no_condition(span: Span, what: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::BadExpression, span, format!("{} takes a condition, and `{text}` is never true or false", named(what)))
        .why("what is no condition never holds")
        .help("compare it: `status == 409`, `item.code in (\"A\", \"B\")`, `record.ended is present`")
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

/// A write whose name says no operation: nothing would ever use it.
pub(super) fn unknown_write(name: &str, span: Span) -> Diagnostic {
    const KNOWN: &[&str] = &["create", "update", "upsert"];
    let said = Diagnostic::new(Code::UnknownWord, span, format!("`{name}` is no write"))
        .why("a mapping creates, updates or upserts, and nothing would use it");
    match crate::base::nearest(name.trim_end_matches('_'), KNOWN.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help("it is `create`, `update` or `upsert`, or one of these with a suffix: `create_without_key`"),
    }
}

/// A name that has a value only where one item is sent, or only where several are.
pub(super) fn of_batch(path: &str, span: Span, several: bool) -> Diagnostic {
    let said = Diagnostic::new(
        Code::NotProvided,
        span,
        format!("`{path}` has no value in a write of {}", if several { "several items" } else { "one item" }),
    );
    if several {
        said.help("with `batch` a call has all of its items: `items` is their list, and `ids` that of their ids")
    } else {
        said.help("without `batch` a call has one item: `item`, with its `id` and `key`")
    }
}

/// What is read record by record, and is said to be one.
pub(super) fn of_a_list(span: Span, what: &str) -> Diagnostic {
    bad_value(span, format!("{what} is a list, and `record` leads to one record"), "write `records` with the path to the list")
}

/// Two keys that say where the answer's records stand.
pub(super) fn record_and_records(span: Span) -> Diagnostic {
    bad_value(span, "the answer is one record or a list of them, and both are named".to_owned(), "leave `record` or `records` out")
}

/// A list that has to name something.
pub(super) fn none_named(key: &str, span: Span, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::NeedsKey, span, format!("`{key}` is empty")).why(why).help(help)
}

/// A name that has a value only where one record is asked for, or only where several are.
pub(super) fn of_several(path: &str, span: Span, several: bool) -> Diagnostic {
    let of = if several { "several values" } else { "one value" };
    let said = Diagnostic::new(Code::NotProvided, span, format!("`{path}` has no value in a call for {of}"));
    if several {
        said.help("with `batch` a call has all of them: `values` is their list, and `ids` that of the ids of a `get`")
    } else {
        said.help("this call is for one `value`, and that under `batch` for several")
    }
}

/// The list of what is asked for, in a call that is made for each by itself.
pub(super) fn of_one(path: &str, span: Span) -> Diagnostic {
    let one = if path == "ids" { "id" } else { "value" };
    Diagnostic::new(Code::NotProvided, span, format!("`{path}` is a list of several, and this call is made for each by itself"))
        .why("each record costs a call of its own")
        .help(format!("add `batch` with the number that one call takes: `batch: 50`; or send `{{{one}}}`"))
}

/// What is read beside a record, by a name that `with` does not have.
pub(super) fn no_with(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::new(Code::NotProvided, span, format!("`with` has no `{name}`"));
    match crate::base::nearest(name, known.iter().copied()) {
        Some(near) => said.mend(format!("did you mean `{near}`?"), span, near),
        None => said.help(format!("add it: `with: {{ {name}: {{ call: \"GET /orders/{{id}}/{name}\" }} }}`")),
    }
}

/// A setting that stands for a number, and may be any text.
pub(super) fn no_number(setting: &str, span: Span) -> Diagnostic {
    bad_value(
        span,
        format!("`days` is a number, and the setting `{setting}` may be any text"),
        &format!("write `{setting}: {{ type: integer, from: 1, to: 365 }}` under `settings`"),
    )
}

/// A write that sends nothing of what it writes.
pub(super) fn sends_nothing(write: &str, is_graphql: bool, span: Span) -> Diagnostic {
    let (key, example) = if is_graphql { ("arguments", "arguments: { data: \"{item}\" }") } else { ("body", "body: \"{item}\"") };
    needs_key(key, span, &format!("the write `{write}`"), "the call sends nothing of the record, and each call would be the same")
        .help(format!("for example `{example}`"))
}

/// What is a success by one condition and a refusal by another.
pub(super) fn both_done_and_refused(span: Span, what: &str) -> Diagnostic {
    bad_value(
        span,
        format!("`ok` and `refused` hold of the same result: {what}"),
        "let `ok` hold of what was done, and `refused` of what was not; leave one of them out if the other says it all",
    )
    .why("what is refused would be a success too")
}

/// A credential that is written out.
pub(super) fn written_out(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("{what} is written out in the description"))
        .why("a description is read by everybody who reads the project, and is no place for a secret")
        .help("make it a setting, `settings: { key: { secret: true } }`, and write `{setting.key}` under `auth`")
        .hide(span)
}

/// A setting that proves who asks, and may be printed.
pub(super) fn no_secret(setting: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("the setting `{setting}` is a credential, and not `secret`"))
        .why("what is not secret stands in logs and in the audit trail")
        .help(format!("write `{setting}: {{ secret: true }}` under `settings`"))
}

/// A credential beside `auth`.
pub(super) fn credential_elsewhere(header: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("`{header}` is a credential, and stands outside of `auth`"))
        .why("what is sent in a call stands in logs and in the audit trail")
        .help(format!("write it under `auth`: `auth: {{ header: {{ {header}: \"{{setting.key}}\" }} }}`"))
}

/// A call for several records that sends none of what they are asked for by.
pub(super) fn asks_for_none(all: &str, most: u64, span: Span) -> Diagnostic {
    bad_value(
        span,
        format!("a call for {most} records does not send `{{{all}}}`"),
        &format!("send it (`query: {{ {all}: \"{{{all}}}\" }}`), or leave `batch` out"),
    )
    .why("those that it does not ask for would count as not there")
}

/// Aliases are fields of a GraphQL document.
pub(super) fn aliases_of_rest(span: Span) -> Diagnostic {
    bad_value(span, "only a GraphQL document has aliases".to_owned(), "write the number alone, with `{values}` in the call: `batch: 50`")
}

/// A list that is gone on from behind its last record, and a call that does not say so.
pub(super) fn keyset_unused(span: Span, name: &str, first: &str) -> Diagnostic {
    Diagnostic::new(Code::PagesMayLose, span, format!("the next page is not asked for by `{{{name}}}`"))
        .why("each page would be the first one")
        .help(format!("say in the page what is asked for behind the last record: `page: {{ keyset: [{first}], query.after: \"{{{name}}}\" }}`"))
}

/// A default that the setting itself does not take.
pub(super) fn bad_default(name: &str, default: &str, span: Span, takes: &str) -> Diagnostic {
    Diagnostic::new(Code::BadDescription, span, format!("the default `{default}` is none of the values of `{name}`"))
        .help(format!("it takes {takes}"))
}

pub(super) fn no_guarantee(write: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::MeansLacks, span, format!("the write `{write}` has no `guarantee`"))
        .why("nobody could tell whether it may be sent again after a lost answer")
        .help("add `guarantee: { by: … }` with `key`, `set`, `version`, `token` or `mark`; `none`: a person decides after doubt")
}

pub(super) fn means_lacks(means: &str, what: &str, span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::MeansLacks, span, format!("the means `{means}` needs `{what}`"))
        .why(why)
        .help(format!("add `{what}`, or name another means"))
}

pub(super) fn claims_more(class: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ClaimsMore, span, format!("nothing says that a write was not done when this is called `{class}`"))
        .why("it may also be the answer to a write that took effect: that write would be sent again, or count as refused")
        .help("add `nothing_done` with the vendor's words, or `asked == read` to the condition, or call it `ambiguous`")
}

pub(super) fn claims_success(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ClaimsMore, span, "an answer that is no success may be called `ok`")
        .why("a write that had no effect would count as done, and be lost")
        .help("add `status in (200, 201)` to the condition, or name what the answer is: `is: rejected`")
}

pub(super) fn renews_after_done(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ClaimsMore, span, "a token is renewed after an answer that may also follow a write that took effect")
        .why("the write is not sent again with the new token: its outcome is in doubt")
        .help("name the status of a refused token: `status == 401`; or write a rule under `answers` with `is: expired` and `nothing_done`")
}

pub(super) fn mark_unsure(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::MarkUnsure, span, message).why("after a lost answer it would be made twice, or another record be taken for it").help(help)
}

pub(super) fn batch_unmatched(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BatchUnmatched, span, message).why("a refusal or a success could be put to another record's account").help(help)
}

pub(super) fn pages_may_lose(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::PagesMayLose, span, message).help(help)
}

pub(super) fn late_records(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::LateRecords, span, message).help(help)
}

pub(super) fn not_repeatable(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::NotRepeatable, span, message).why("after a lost answer the step is sent again").help(help)
}

pub(super) fn secret_elsewhere(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("the secret `{path}` stands outside of `auth`"))
        .why("what is sent in a call stands in logs and in the audit trail")
        .help("send it by `auth` (a header, a parameter, the body of a call for a token); what proves a webhook stands in `verify`")
}

pub(super) fn no_host(host: &str, span: Span, hosts: &[String]) -> Diagnostic {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    Diagnostic::new(Code::SecretOrHost, span, format!("`{host}` is none of the hosts"))
        .why("nothing is sent to a host that is not named")
        .help(if hosts.is_empty() { format!("write `hosts: [\"{host}\"]`") } else { format!("add it to `hosts`; there are: {}", listed(&hosts)) })
}

/// An address that is neither below the base nor a whole one.
pub(super) fn no_https(address: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("`{address}` does not begin with `https://`"))
        .why("credentials go with each request, and anybody on the way could read them")
        .help("write the whole address: `https://api.shop.example`; a sandbox without TLS is given by a connection's own `url`")
}

/// A host with more than its name.
pub(super) fn no_bare_host(host: &str, span: Span) -> Diagnostic {
    let name = host.split("://").last().unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
    Diagnostic::new(Code::SecretOrHost, span, format!("`{host}` is more than the name of a host")).mend(
        format!("write `{name}`: the scheme is always https"),
        span,
        name,
    )
}

pub(super) fn unknown_object(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::NotProvided, span, format!("there is no object `{name}`")).did_you_mean(name, span, known.iter().copied())
}

pub(super) fn id_without_pattern(object: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretOrHost, span, format!("an id of {object} is taken from a webhook that nothing proves"))
        .why("anybody could put any text into the path of a call")
        .help("give the id a form: `id: { at: …, pattern: '[0-9]+' }`")
}

pub(super) fn assumed(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::RestsOnAssumption, span, "this is still to be confirmed")
        .label(text)
        .help("confirm it with the vendor or by a probe, and take the mark away")
}

/// A key that is read and has no effect.
pub(super) fn unsupported(key: &str, span: Span, row: &Unsupported) -> Diagnostic {
    Diagnostic::new(Code::NotCarriedOut, span, format!("`{key}` is not supported: {}", row.what))
        .why("the connector would leave it out, so no connection of this system is opened")
        .help(row.instead)
}

/// A word that is read and has no effect.
pub(super) fn unsupported_word(word: &str, span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NotCarriedOut, span, format!("`{word}` is not supported: {what}"))
        .why("the connector would leave it out, so no connection of this system is opened")
        .help(unsupported::LOOK)
}

/// A name that the notation has here, and that has no value yet.
pub(super) fn unsupported_name(path: &str, span: Span, place: Place) -> Diagnostic {
    Diagnostic::new(Code::NotCarriedOut, span, format!("`{path}` has no value {} yet", place.noun()))
        .why("what reads it would be left out, so no connection of this system is opened")
        .help(format!("provided here are: {}", listed(place.provides())))
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
