//! What the notation has and the connector does not support. This is the one list of it: the reader notes each use of it with its place,
//! `crossdock system check` reports it, a connection of such a description is not opened, and the book prints it.

use super::text::Place;
use crate::yaml::{Entry, Node};

/// A key that is read and has no effect.
#[derive(Clone, Copy)]
pub struct Unsupported {
    /// The block that it stands in, as messages call it.
    pub block: &'static str,
    pub key: &'static str,
    /// Whether this use of it is meant: what it holds, and what stands beside it.
    is_meant: fn(&Node, &[Entry]) -> bool,
    /// What it would say.
    pub what: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

const fn all(block: &'static str, key: &'static str, what: &'static str, instead: &'static str) -> Unsupported {
    Unsupported { block, key, is_meant: |_, _| true, what, instead }
}

const fn some(
    block: &'static str,
    key: &'static str,
    is_meant: fn(&Node, &[Entry]) -> bool,
    what: &'static str,
    instead: &'static str,
) -> Unsupported {
    Unsupported { block, key, is_meant, what, instead }
}

/// Leaving it out is all that there is to do.
const LEAVE: &str = "leave it out";
const STREAM: &str = "describe a list of the object's own records, or leave the stream out";
pub(super) const LOOK: &str = "look records up by a call: `{ call: GET /orders, query: { number: \"{value}\" }, records: orders, filter: exact }`";

fn has(entries: &[Entry], key: &str) -> bool {
    entries.iter().any(|entry| entry.key == key)
}

/// A write with a call of its own: that of a part is a list of actions of another object's update.
fn is_called(entries: &[Entry]) -> bool {
    ["call", "mutation", "steps"].iter().any(|key| has(entries, key))
}

fn is(node: &Node, word: &str) -> bool {
    node.text() == Some(word)
}

/// By block, in the order of the book.
pub const KEYS: &[Unsupported] = &[
    // ---- the connection
    some("the description", "session", |_, _| true, "a first call of each session", "sign in by `auth` alone"),
    some(
        "the description",
        "hooks",
        |node, _| node.elements().is_some_and(|items| !items.is_empty()),
        "functions of the program",
        "describe it by calls, or leave it out",
    ),
    all("a file of the vendor", "portal", "a form of API files that is the vendor's own", "turn it into OpenAPI, and name it under `openapi`"),
    all("`auth`", "sign", "signed requests", "a system that demands signatures cannot be connected by a description"),
    all("`auth`", "clock", "how far the clocks may differ", LEAVE),
    all("`auth`", "scoped", "a token for some calls only", "use one sign-in for all calls, or several by name"),
    all("`auth`", "also", "an address that comes with the token", "make it a setting"),
    all("the sign-in", "also", "an address that comes with the token", "make it a setting"),
    some("`auth`", "oauth", |node, _| is(node, "jwt_bearer"), "a sign-in by a signed assertion", "use `client_credentials` or `refresh_token`"),
    some("the sign-in", "oauth", |node, _| is(node, "jwt_bearer"), "a sign-in by a signed assertion", "use `client_credentials` or `refresh_token`"),
    some("the call for a token", "signed", |node, _| !is(node, "false"), "signed requests", LEAVE),
    all("the `told` of a window", "rate", "the rate in an answer", LEAVE),
    all("the `told` of a window", "most", "the most calls in an answer", "name it `calls`"),
    all("the `told` of a window", "each_second", "the rate in an answer", LEAVE),
    all("the `told` of a window", "cost", "the cost of a call in an answer", LEAVE),
    all("the `told` of a bucket", "calls", "the number of calls in an answer", "describe the limit as a `window`"),
    all("the `told` of a bucket", "left", "the calls that are left in an answer", "describe the limit as a `window`"),
    all("the `told` of a bucket", "rate", "the rate in an answer", "write the rate that the account has"),
    all("the `told` of a bucket", "most", "the burst in an answer", "write the burst that the account has"),
    all("the `told` of a bucket", "each_second", "the rate in an answer", "write the rate that the account has"),
    all("the `told` of a bucket", "cost", "the cost of a call in an answer", LEAVE),
    all("the `told` of credits", "calls", "the number of calls in an answer", LEAVE),
    all("the `told` of credits", "resets_in", "when the credits come back", LEAVE),
    all("the `told` of credits", "or", "when the credits come back", LEAVE),
    all("the `told` of credits", "rate", "the rate in an answer", "write the rate that the account has under `each_second`"),
    all("the `told` of credits", "most", "the account's most in an answer", "write the account's most under `most`"),
    all("the `told` of credits", "each_second", "the account's rate in an answer", "write the account's rate under `each_second`"),
    all("the `told` of credits", "cost", "the cost of a call in an answer", LEAVE),
    some(
        "a rule for answers",
        "by",
        |_, entries| entries.iter().any(|entry| entry.key == "is" && is(&entry.value, "exists")),
        "the field whose value exists already",
        "leave it out: a value that exists is a refusal",
    ),
    // ---- calls
    all("a call", "headers", "headers of one GraphQL call", "write them under `headers` of the description"),
    all("a call", "at", "where the record stands inside each element", "let `records` lead there: `records: results.*.order`"),
    all("a call", "as", "records of another list in the object's form", STREAM),
    all("a call", "selection", "values in the arguments of a selection", "write them out: `selection: { lines: { first: 50 } }`"),
    // ---- reading
    all("the object", "derive", "derived fields", "compute them in the mapping"),
    all("the object", "included", "fields that are asked for only where a mapping reads them", "ask for them in the `query` of each call"),
    all("the object", "push", "parts of a flow's `where` that the list takes over", "leave it out: Crossdock applies the flow's `where` itself"),
    all("a stream", "each", "lists of lists", STREAM),
    some("a stream", "as", |node, _| node.entries().is_some(), "records of another list in the object's form", STREAM),
    all("`until`", "open", "a bound that does not belong to what is given", "leave it out, and let `overlap` be longer than `grain`"),
    all("`until`", "say", "the bound that the answer names", LEAVE),
    all("`listed`", "every", "how often the whole list is read", "leave it out: the flow's `every` says it"),
    some(
        "the page",
        "by_stamp",
        |_, entries| !has(entries, "token"),
        "pages by the timestamp without a token",
        "page by `keyset` or `token`; a list that has neither can be read `whole` only",
    ),
    all("the page", "window", "pages by windows of time", "page by `keyset` or `token`; a list that has neither can be read `whole` only"),
    all("`get", "scan", "a whole list that is read through", LOOK),
    all("`get", "all", "several lists that are searched together", LOOK),
    all("`get", "hook", "a function of the program", LOOK),
    all("`get", "in", "a look-up in the object that it is part of", LOOK),
    all("`get", "absent", "which refusals say that there is none", "write a rule under `answers`: `is: absent`"),
    all("`find.", "scan", "a whole list that is read through", LOOK),
    all("`find.", "all", "several lists that are searched together", LOOK),
    all("`find.", "hook", "a function of the program", LOOK),
    all("`find.", "in", "a look-up in the object that it is part of", LOOK),
    all("`find.", "absent", "which refusals say that there is none", "write a rule under `answers`: `is: absent`"),
    all("`with.", "page", "smaller pages where it is read", LEAVE),
    all("`with.", "find", "a look-up beside a record", "read it by a `call`"),
    all("`with.", "hook", "a function of the program", "read it by a `call`"),
    // ---- writing
    all("the write", "needs", "fields that are required beside the key", "mark them as required in `corrections`: the schema then requires them"),
    all("the write", "each", "how the items of a group are put together", "send one item in a call"),
    all("the write", "whole", "parts that have to be sent together", LEAVE),
    all("the write", "resolve", "ids that are looked up before", "look them up in the mapping"),
    some("the write", "reads", |node, _| is(node, "parent"), "the object that it is part of", "write `reads: target`"),
    some(
        "the write",
        "replaces",
        |node, _| !is(node, "false"),
        "records that are replaced whole",
        "write by a call that changes the fields it is given",
    ),
    all("the write", "most", "bounds of one call", "write `batch`"),
    all("the write", "refused", "what the codes of refusals mean", "write `hint` at the rule under `answers`"),
    some(
        "the write",
        "there",
        |node, entries| node.entries().is_some() || is_called(entries),
        "a look at the record after an unknown outcome",
        "leave it out: `guarantee` says what is done after an unknown outcome",
    ),
    some(
        "the write",
        "actions",
        |node, entries| node.elements().is_some() && is_called(entries),
        "a list of actions of a write that has a call",
        "name the fields: `actions: { note: { action: setNote, note: \"{value}\" } }`",
    ),
    some("the write", "batch", |node, _| node.get("group_by").is_some(), "items in groups", "write a number, or `{ aliases: 10 }`"),
    all("`lines`", "list", "where the list of lines stands", "name the list by `covers`"),
    all("`lines`", "by_place", "lines that are identified by their position", "name their `id`, their `key`, or fields that are the `same`"),
    some(
        "the guarantee",
        "by",
        |node, _| is(node, "token"),
        "a token that the system recognizes",
        "use `mark` with a field by which the record is found, or `none`",
    ),
    all("the guarantee", "same", "which of several found records it is", "name a `field` that only one record can have"),
    all("the guarantee", "refused", "the code that means a conflict", "write a rule under `answers`: `is: conflict`"),
    all("the receipt", "warning", "warnings in a success that a person should read", LEAVE),
    // ---- names, webhooks
    all("`names.", "list", "names that are the records of an object", "write the `call` that lists them"),
    all("`names.", "table", "names in a file", "send what the vendor takes, by a value map of the mapping"),
    all("`names.", "else", "names in a file", LEAVE),
    all("`names.", "each", "lists of lists", "leave these names out"),
    some("`names.", "page", |node, _| !is(node, "whole"), "names in pages", "ask for all of them in one call"),
    all("`webhooks`", "once", "how repeated events are recognized", "leave it out: the record is read again, and a repeated event changes nothing"),
    some(
        "`webhooks`",
        "answer",
        |node, _| node.entries().is_none_or(|entries| entries.iter().any(|entry| entry.key != "status" || !is(&entry.value, "200"))),
        "another answer than 200 without a body",
        LEAVE,
    ),
    all("`webhooks`", "secret", "a secret that comes with the registration", "make it a setting with `secret: true`"),
    all("`webhooks`", "register", "how webhooks are registered", "leave it out, and register them in the system's own pages"),
    all("`webhooks`", "challenge", "a call that asks whether the address is Crossdock's", "leave the webhooks out: polls find the same changes"),
    all("`webhooks`", "queue", "events in a queue", "leave the webhooks out: polls find the same changes"),
    all(
        "`verify`",
        "fetched_key",
        "keys that are fetched from the vendor",
        "write `verify: none`: nothing in the event is trusted, and the record is read again",
    ),
    all("`verify`", "bad", "the answer to an event without proof", LEAVE),
    all("what is signed", "url", "the address as part of what is signed", "verify by what else the vendor signs, or write `verify: none`"),
    all(
        "what is signed",
        "query.",
        "a parameter as part of what is signed",
        "write `query` for the whole of it, or `{ parameters: sorted, as: \"{name}{value}\" }`",
    ),
    some("the signed parameters", "as", |node, _| !is(node, "{name}{value}"), "parameters in another form", "write `as: \"{name}{value}\"`"),
    all("the hint", "call", "a list that a webhook points to", "name the record by `id` or `find`"),
    all("the hint", "query", "a list that a webhook points to", "name the record by `id` or `find`"),
    all("`pointer`", "hosts", "other hosts that a webhook may name", LEAVE),
    all("`pointer`", "parameters", "parameters of the URL", "name the record in the `path`: `path: \"/orders/{id}\"`"),
    all("`pointer`", "one_of", "parameters of the URL", "name the record in the `path`: `path: \"/orders/{id}\"`"),
];

/// Words that stand where a block of `find` may stand.
pub const FINDS: &[(&str, &str)] = &[("parts", "a look-up in the object that it is part of"), ("listed", "a look-up in the list of all")];

/// Names that a place knows and that have no value there, each with what it would be.
const NAMES: &[(&[Place], &str, &str)] = &[
    (&[Place::Changes], "read", "which fields a mapping reads"),
    (&[Place::Changes, Place::Get, Place::Find, Place::Write], "included", "what is asked for only where a mapping reads it (the key `included`)"),
    (&[Place::Changes, Place::Get, Place::Find, Place::Names], "of", "the record for which a list is asked (lists of lists: the key `each`)"),
    (&[Place::Changes, Place::Get, Place::Find, Place::There], "record", "the record beside which something is read"),
    (&[Place::Get, Place::Find, Place::Names], "page", "the number of a page, where a look-up goes through several"),
    (&[Place::Get, Place::Find], "kid", "the element of a record's list for which something is looked up"),
    (&[Place::Write, Place::Action], "parent", "the record that a part belongs to, as it was read"),
    (&[Place::Write], "changed", "the fields that differ from the target"),
    (&[Place::Write], "group", "the items of one group (`batch` with `group_by`)"),
    (&[Place::Write], "groups", "all groups of a call (`batch` with `group_by`)"),
    (&[Place::Receipt, Place::There], "found", "the record that was found after an unknown outcome"),
    (&[Place::Receipt], "parts", "the parts of the record that was written"),
    (&[Place::There], "sent", "the fields that were sent"),
    (&[Place::There], "target", "the record as it was read before the write"),
];

/// Names that a place knows and that have no value there.
pub fn names(place: Place) -> Vec<&'static str> {
    NAMES.iter().filter(|(places, ..)| places.contains(&place)).map(|(_, name, _)| *name).collect()
}

/// The list as a page of the book.
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Written from the program's own list: CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference:: -->\n\n\
         # What is not supported in descriptions\n\n\
         The notation of [descriptions](descriptions.md) has more than the connector supports. `crossdock system check` reports each use of what is\n\
         listed here (E0619), and a connection of a system whose description has one is not opened.\n\n\
         | in | key | what it says | instead |\n| --- | --- | --- | --- |\n",
    );
    let cell = |text: &str| if text == LOOK { "a look-up by a call (1)".to_owned() } else { text.replace('|', "\\|") };
    for row in KEYS {
        let block = row.block.replace('`', "");
        let block = block.trim_end_matches('.');
        page.push_str(&format!("| {block} | `{}` | {} | {} |\n", row.key.trim_end_matches('.'), cell(row.what), cell(row.instead)));
    }
    for (word, what) in FINDS {
        page.push_str(&format!("| find | a field that is `{word}` | {what} | {} |\n", cell(LOOK)));
    }
    page.push_str(&format!("\n(1) {LOOK}\n"));
    page.push_str("\nNames that are known at a place and have no value there:\n\n| name | place | what it would be |\n| --- | --- | --- |\n");
    for (places, name, what) in NAMES {
        let places: Vec<&str> = places.iter().map(|place| place.noun()).collect();
        page.push_str(&format!("| `{name}` | {} | {what} |\n", places.join(", ")));
    }
    page
}

/// The row of a key that is noted where it is read, since its block can be any.
pub(super) fn row(block: &str, key: &str) -> Option<&'static Unsupported> {
    KEYS.iter().find(|row| row.block == block && row.key == key)
}

/// What is not supported in a block: by the words that messages call it, and its entries.
pub(super) fn of_block<'e>(block: &str, entries: &'e [Entry]) -> Vec<(&'e Entry, &'static Unsupported)> {
    let is_block = |row: &&Unsupported| match block.strip_prefix(row.block) {
        // "the write `create`", "`find.number`", "`get`" and "`get.else`".
        Some(rest) => rest.is_empty() || rest.starts_with(" `") || row.block.ends_with('.') || row.block == "`get",
        None => false,
    };
    let mut found = Vec::new();
    for row in KEYS.iter().filter(is_block) {
        found.extend(entries.iter().filter(|entry| entry.key == row.key && (row.is_meant)(&entry.value, entries)).map(|entry| (entry, row)));
    }
    found
}
