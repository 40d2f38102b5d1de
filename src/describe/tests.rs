//! Descriptions read: those of the program, drafts of others, and texts with one mistake each.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use super::{check, read};
use crate::base::FileId;
use crate::base::diag::Code;
use crate::base::diag::render::{Look, View, terminal};
use crate::base::{Source, Sources};

/// The descriptions of `systems/`, and the drafts that no system stands behind yet.
fn texts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["tests/corpus/descriptions", "systems"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries.flatten() {
            let path = if entry.path().is_dir() { entry.path().join("system.yaml") } else { entry.path() };
            // A system whose schemas are imported already, and whose description is a draft yet, has none.
            if path.extension().is_some_and(|extension| extension == "yaml") && path.is_file() {
                found.push((path.clone(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn shown(name: &str, text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add(Source::new(name, text));
    let (described, found) = read(file, text);
    let mut out: String = found.iter().map(|fault| terminal(fault, View::new(&sources), Look::PLAIN)).collect();
    if described.is_none() && found.is_empty() {
        out.push_str("nothing was read, and nothing said");
    }
    out
}

#[test]
fn every_description_is_read_without_a_word() {
    let texts = texts();
    assert!(texts.len() >= 7, "{}", texts.len());
    let said: String = texts.iter().map(|(path, text)| shown(&path.display().to_string(), text)).collect();
    assert!(said.is_empty(), "{said}");
}

const BASE: &str = "system: shop
settings: { key: { secret: true }, days: { type: integer, from: 1, to: 9, default: 4 } }
hosts: [\"api.shop.example\"]
base: \"https://api.shop.example\"
auth: { header: { api-key: \"{setting.key}\" } }
objects:
  Order:
    changes:
      - { name: orders, call: GET /orders, query: { since: \"{from}\" }, records: orders, page: whole }
";

/// A description with a bit of everything that is carried out, and nothing wrong in it.
const WHOLE: &str = include_str!("../../tests/corpus/descriptions/whole.yaml");

/// What the rules say of a description with one mistake: the code, and what stands under the mark.
fn checked(from: &str, to: &str) -> Vec<(String, String)> {
    assert!(from.is_empty() || WHOLE.contains(from), "{from}");
    // Without `from` it is another description.
    let text = if from.is_empty() { to.to_owned() } else { WHOLE.replacen(from, to, 1) };
    let mut sources = Sources::default();
    let file = sources.add(Source::new("system.yaml", text.as_str()));
    let (described, mut found) = read(file, &text);
    found.extend(described.iter().flat_map(check));
    let at = |span: crate::base::Span| text[span.start as usize..span.end as usize].to_owned();
    found.into_iter().filter(crate::base::diag::Diagnostic::is_error).map(|fault| (fault.code.number().to_owned(), at(fault.primary.span))).collect()
}

/// Each change and the one error that it gives: its code, and what stands under the mark.
fn each_gives(cases: &[(&str, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (from, to, code, place) in cases {
        let said = checked(from, to);
        if said != [((*code).to_owned(), (*place).to_owned())] {
            wrong.push(format!("{to}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_whole_description_has_no_error() {
    assert_eq!(checked("", WHOLE), []);
}

#[test]
fn what_is_not_supported_is_an_error_at_its_place() {
    let code = "E0619";
    each_gives(&[
        ("edition: 1", "edition: 1\nsession: { cipher: { call: GET /shops } }", code, "session"),
        ("edition: 1", "edition: 1\nhooks: [{ name: a }]", code, "hooks"),
        ("auth: { header:", "auth: { clock: { back: 1 minute, ahead: 1 s }, header:", code, "clock"),
        ("left: header.x-left", "cost: header.x-left", code, "cost"),
        ("    stamp: updated_at\n", "    stamp: updated_at\n    push: { status: status }\n", code, "push"),
        ("until: { lag: 30 s }", "until: { lag: 30 s, open: true }", code, "open"),
        ("{ token: next, to: query.cursor, more: body.next is present }", "{ window: [query.from, query.to] }", code, "window"),
        ("batch: 50 }\n    find", "absent: status == 404, batch: 50 }\n    find", code, "absent"),
        ("    find:\n", "    find:\n      other: listed\n", code, "listed"),
        ("    find:\n", "    find:\n      other: { all: [{ call: GET /orders, records: orders }] }\n", code, "all"),
        ("key: number\n", "key: number\n        needs: [sku]\n", code, "needs"),
        ("by: key,", "by: key, refused: A,", code, "refused"),
        ("created: true", "created: true, warning: warning", code, "warning"),
        (
            "{ when: status == 409, is: conflict }",
            "{ when: status == 409, is: conflict }\n  - { when: status == 422, is: exists, by: error.field }",
            code,
            "by",
        ),
        ("names:\n", "names:\n  Carrier: { table: carriers.csv }\n", code, "table"),
        ("page: whole, name", "page: { token: next, to: query.cursor }, name", code, "page"),
        ("  event: type\n", "  event: type\n  once: header.x-id\n", code, "once"),
        ("over: [body]", "over: [url, body]", code, "url"),
        ("over: [body]", "over: [query.a, body]", code, "query.a"),
        ("{from}\"", "{from}\", fields: \"{read.lines?}\"", code, "read.lines"),
        ("id: number, created", "id: found.number, created", code, "found.number"),
        ("records: orders, page: {", "records: orders, as: orders, page: {", code, "orders"),
        ("records: orders, page: {", "records: orders, at: order, page: {", code, "order"),
    ]);
}

/// Numbers that let nothing through, and lists that name nothing.
#[test]
fn a_bound_is_above_nothing() {
    let (code, page) = ("E0601", "{ token: next, to: query.cursor, more: body.next is present }");
    each_gives(&[
        ("calls: 100,", "calls: 0,", code, "0"),
        ("length: 1 minute", "length: 0 s", code, "0 s"),
        ("at_once: 4", "at_once: 0", code, "0"),
        ("  - at_once: 4\n", "  - daily: { calls: 0 }\n", code, "0"),
        ("  - at_once: 4\n", "  - bucket: { rate: 0, burst: 5 }\n", code, "0"),
        ("  - at_once: 4\n", "  - bucket: { rate: 2, burst: 0 }\n", code, "0"),
        ("  - at_once: 4\n", "  - credits: { most: 0, each_second: 5 }\n", code, "0"),
        ("  - at_once: 4\n", "  - credits: { most: 9, each_second: 0 }\n", code, "0"),
        ("batch: 50 }", "batch: 0 }", code, "0"),
        ("batch: 50 }", "batch: -3 }", code, "-3"),
        (page, "{ keyset: [number], size: -5, query.after: \"{id}\" }", code, "-5"),
        (page, "{ keyset: [number], size: 0, query.after: \"{id}\" }", code, "0"),
        (page, "{ keyset: [number], size: many, query.after: \"{id}\" }", code, "many"),
        (page, "{ token: next, to: query.cursor, size: 1.5, more: body.next is present }", code, "1.5"),
        (page, "{ token: next, to: query.cursor, most: 0, more: body.next is present }", code, "0"),
        (page, "{ keyset: [], query.after: \"{id}\" }", "E0604", "["),
        ("hosts: [\"api.shop.example\"]", "hosts: []", "E0604", "["),
    ]);
}

#[test]
fn a_condition_is_true_or_not() {
    let receipt = "receipt: { id: number, created: true }";
    let rule = "when: status == 409, is: conflict";
    each_gives(&[
        (receipt, "receipt: { id: number, created: true, ok: 5 }", "E0606", "5"),
        (receipt, "receipt: { id: number, created: true, refused: '\"no\"' }", "E0606", "\"no\""),
        (receipt, "receipt: { id: number, created: true, ok: 'status + 1' }", "E0606", "status + 1"),
        ("{ when: 'status == 403 and asked == read',", "{ when: 5,", "E0606", "5"),
        ("gone: 'record.status == \"deleted\"'", "gone: 'count(record.lines)'", "E0606", "count(record.lines)"),
        ("gone: 'record.status == \"deleted\"'", "gone: 12", "E0606", "12"),
        // What is a success and a refusal at once.
        (receipt, "receipt: { id: number, created: true, ok: item.a == x, refused: 'item.a  == x' }", "E0601", "item.a  == x"),
        (receipt, "receipt: { id: number, created: true, ok: 'item.a in (x, y)', refused: item.a == y }", "E0601", "item.a == y"),
    ]);
    for (from, to) in [
        (receipt, "receipt: { id: number, created: true, ok: item.done }"),
        (receipt, "receipt: { id: number, created: true, ok: 'item.a == x', refused: 'item.a == y' }"),
        (rule, "when: \"status == 409 and (error.code matches '^E' or not (error.code in (a, b)))\", is: conflict"),
        ("gone: 'record.status == \"deleted\"'", "gone: 'count(record.lines) == 0 and any(l.a == x for l in record.lines)'"),
        ("gone: 'record.status == \"deleted\"'", "gone: record.deleted"),
    ] {
        assert_eq!(checked(from, to), [], "{to}");
    }
}

#[test]
fn what_a_call_needs_is_sent_and_what_is_answered_is_told() {
    let stream = "query: { since: \"{from}\", before: \"{until}\" }, records: orders";
    let create = "        call: POST /orders\n        body: \"{item}\"\n";
    each_gives(&[
        ("        receipt: { id: number, created: true }\n", "", "E0604", "create"),
        ("        body: \"{item}\"\n        guarantee: { by: key", "        guarantee: { by: key", "E0604", "create"),
        (", source: \"page on orders\" }", " }", "E0611", "key"),
        (stream, "query: { since: \"{from}\" }, records: orders", "E0615", "orders"),
        (stream, "query: { since: \"{from}\", before: \"{until}\" }, record: orders", "E0601", "orders"),
        ("names:\n  Warehouse: { call: GET /warehouses, records:", "names:\n  Warehouse: { call: GET /warehouses, record:", "E0601", "warehouses"),
        ("records: orders, batch: 50 }", "records: orders, record: order, batch: 50 }", "E0601", "order"),
        ("records: orders, batch: 50 }", "records: orders }", "E0605", "ids"),
        ("records: orders, filter: exact }", "records: orders, filter: exact, then: get, brings: nosuch }", "E0605", "nosuch"),
        ("reference: \"{value}\"", "reference: \"{values}\"", "E0605", "values"),
        // Names are fields and never templates.
        ("key: number\n", "key: \"{\"\n", "E0606", "{"),
        ("key: number\n", "key: [\"{item.number}\"]\n", "E0606", "{item.number}"),
        ("id: number, created", "id: number, keep: [\"a b\"], created", "E0606", "a b"),
        (create, "        call: POST /orders\n        body: { \"{\": \"{item}\" }\n", "E0606", "\"{\""),
        ("headers: { x-account: ", "headers: { \"x-{setting.account}\": ", "E0606", "\"x-{setting.account}\""),
    ]);
    let listed = "call: GET /orders, query: { since: \"{from}\", before: \"{until}\" }, records: orders, page: { token: next, to: query.cursor, more: body.next is present }, until: { lag: 30 s }, overlap: 5 minutes }";
    let days = |days: &str| checked(listed, &listed.replace("overlap: 5 minutes", &format!("listed: {{ days: {days} }}")));
    for (given, place) in [("abc", "abc"), ("0", "0"), ("-4", "-4"), ("1.5", "1.5"), ("\"{setting.account}\"", "setting.account")] {
        assert_eq!(days(given), [("E0601".to_owned(), place.to_owned())], "{given}");
    }
    assert_eq!((days("21"), days("\"{setting.days}\"")), (vec![], vec![]));
}

/// What proves who asks is a secret setting, and stands under `auth`.
#[test]
fn a_credential_is_a_secret_setting() {
    let (auth, key) = ("auth: { header: { api-key: \"{setting.key}\" } }", "  key: { secret: true }\n");
    each_gives(&[
        (auth, "auth: { header: { Authorization: \"Bearer abc123\" } }", "E0618", "Bearer abc123"),
        (auth, "auth: { basic: { name: shop, password: geheim } }", "E0618", "geheim"),
        (auth, "auth: { query: { api_key: abc123 } }", "E0618", "abc123"),
        (auth, "auth: { password: { call: POST /token, body: { user: shop, password: geheim }, token: token } }", "E0618", "shop"),
        ("headers: { x-account: \"{setting.account}\" }", "headers: { Authorization: \"Bearer abc123\" }", "E0618", "Bearer abc123"),
        ("headers: { x-account: \"{setting.account}\" }", "headers: { X-Api-Key: \"{setting.account}\" }", "E0618", "X-Api-Key"),
        ("query: { reference: \"{value}\" }", "query: { reference: \"{value}\", access_token: abc123 }", "E0618", "abc123"),
        (key, "  key: {}\n", "E0618", "setting.key"),
        (key, "  key: { secret: false }\n", "E0618", "setting.key"),
    ]);
    for fine in [
        "auth: { basic: { name: \"{setting.key}\", password: x } }",
        "auth: { header: { Authorization: \"Bearer {setting.key}\", x-tenant: \"{setting.account}\" } }",
        "auth: { token: { call: POST /token, body: { user: \"{setting.account}\", key: \"{setting.key}\" }, token: token }, send: { header.authorization: \"Bearer {token}\" } }",
    ] {
        assert_eq!(checked(auth, fine), [], "{fine}");
    }
}

/// A call for several records that asks for some of them only would take the others for gone.
#[test]
fn a_call_for_several_records_sends_what_they_are_asked_for_by() {
    let (get, find) = (
        "query: { numbers: \"{ids | joined ','}\" }, records: orders, batch: 50 }",
        "query: { reference: \"{value}\" }, records: orders, filter: exact }",
    );
    let list = "query: { references: \"{values | joined ','}\" }, records: orders";
    each_gives(&[
        (get, "query: { number: \"{id}\" }, records: orders, batch: 50 }", "E0605", "id"),
        (get, "query: { limit: 50 }, records: orders, batch: 50 }", "E0601", "{"),
        (get, "query: { numbers: \"{ids | joined ','}\" }, batch: 50 }", "E0604", "{"),
        (get, "query: { numbers: \"{ids | joined ','}\" }, records: orders, batch: { aliases: 10 } }", "E0601", "{"),
        (find, "query: { reference: \"{value}\" }, records: orders, filter: exact, batch: 10 }", "E0605", "value"),
        (find, &format!("{list}, batch: {{ most: 10, call: GET /orders, {list} }} }}"), "E0605", "values"),
        (find, "query: { reference: \"{value}\" }, records: orders, batch: { most: 10 } }", "E0604", "{"),
    ]);
    assert_eq!(checked(find, &format!("{list}, batch: 10 }}")), []);
    assert_eq!(
        checked(find, &format!("query: {{ reference: \"{{value}}\" }}, records: orders, batch: {{ most: 10, call: GET /orders, {list} }} }}")),
        []
    );
}

#[test]
fn each_row_of_what_is_not_supported_can_be_met() {
    // A row whose block no reader knows would never be told.
    let blocks: Vec<&str> = super::unsupported::KEYS.iter().map(|row| row.block).collect();
    let sources = include_str!("model/auth.rs").to_owned()
        + include_str!("model/answers.rs")
        + include_str!("model/connection.rs")
        + include_str!("model/find.rs")
        + include_str!("model/limits.rs")
        + include_str!("model/names.rs")
        + include_str!("model/object.rs")
        + include_str!("model/page.rs")
        + include_str!("model/receipt.rs")
        + include_str!("model/stream.rs")
        + include_str!("model/webhooks.rs")
        + include_str!("model/write.rs")
        + include_str!("model/call.rs")
        + include_str!("check/connection.rs");
    for (block, row) in blocks.iter().zip(super::unsupported::KEYS) {
        assert!(sources.contains(&format!("\"{block}")), "no reader has the block {block}");
        assert!(sources.contains(&format!("\"{}\"", row.key)), "no reader has the key {} of {block}", row.key);
    }
}

#[test]
fn a_write_is_one_that_mappings_have_and_reads_what_is_there() {
    let create = "        call: POST /orders\n        body: \"{item}\"\n";
    let set = "guarantee: { by: set, source: \"page on orders\" }";
    let key = "guarantee: { by: key, says: \"a number that exists is refused\", source: \"page on orders\" }";
    each_gives(&[
        ("      create:\n", "      craete:\n", "E0603", "craete"),
        ("      create:\n", "      upsert_:\n", "E0603", "upsert_"),
        (create, "", "E0604", "create"),
        ("        call: POST /orders\n        body: \"{item}\"\n", "        call: POST /orders\n        body: \"{items}\"\n", "E0605", "items"),
        ("        key: number\n", "", "E0611", "key"),
        (key, set, "E0611", "set"),
        (key, "guarantee: { by: token, to: header.Idempotency-Key, hours: 24, source: \"page\" }", "E0619", "by"),
        ("  - { when: status == 409, is: conflict }\n", "", "E0611", "version"),
    ]);
    let batch = "        call: POST /orders/batch\n        body: { orders: \"{items}\" }\n        batch: 50\n";
    let receipt =
        ("        receipt: { id: number, created: true }", "        receipt: { items: results, match: [number], id: number, created: true }");
    let whole = WHOLE.replacen(create, batch, 1).replacen(receipt.0, receipt.1, 1);
    assert_eq!(checked("", &whole), []);
    assert_eq!(checked("", &whole.replace("\"{items}\"", "\"{item}\"")), [("E0605".to_owned(), "item".to_owned())]);
    // A batch that makes records sets no values of records that are named.
    assert_eq!(checked("", &whole.replacen(key, set, 1)), [("E0611".to_owned(), "set".to_owned())]);
}

#[test]
fn a_list_in_pages_is_read_to_its_end() {
    let page = "{ token: next, to: query.cursor, more: body.next is present }";
    each_gives(&[
        (page, "{ number: { to: query.page }, more: body.next is present }", "E0615", "{"),
        (page, "{ number: { to: query.page }, grows: true }", "E0615", "{"),
        (page, "{ keyset: [updated_at, number] }", "E0615", "{"),
        (page, "{ keyset: [updated_at, number], query.since: \"{stamp}\" }", "E0615", "{"),
    ]);
    for page_of in [
        "{ number: { to: query.page }, grows: true, more: 'body.page < body.pages' }",
        "{ keyset: [updated_at, number], query.since: \"{stamp}\", query.after: \"{id}\" }",
        "{ keyset: [number], query.after: \"{id}\" }",
    ] {
        assert_eq!(checked(page, page_of), [], "{page_of}");
    }
}

#[test]
fn a_rule_calls_no_answer_better_than_it_is() {
    let rule = "{ when: status == 409, is: conflict }\n";
    let with = |more: &str| format!("{rule}  - {more}\n");
    for (more, place) in [
        ("{ when: status == 409, is: ok }", "status == 409"),
        ("{ when: status > 0, is: ok }", "status > 0"),
        ("{ when: status >= 500, is: expired }", "status >= 500"),
        ("{ when: 'status in (502, 503)', is: denied }", "status in (502, 503)"),
        ("{ when: status == 200, is: conflict }", "status == 200"),
        ("{ when: status == 408, is: rejected }", "status == 408"),
        ("{ when: status < 300, is: transient }", "status < 300"),
    ] {
        assert_eq!(checked(rule, &with(more)), [("E0612".to_owned(), place.to_owned())], "{more}");
    }
    for fine in [
        "{ when: 'status >= 200 and status < 300', is: ok }",
        "{ when: 'status == 503', is: throttled, nothing_done: \"page on limits\" }",
        "{ when: 'status == 503 and asked == read', is: throttled }",
        "{ when: 'status == 200 and error.code == \"A\"', is: rejected }",
        "{ when: 'status == 200 and body.code == 0', is: ok }",
    ] {
        assert_eq!(checked(rule, &with(fine)), [], "{fine}");
    }
}

/// The first message of a description with one change, as it is printed in one line, and its first help.
fn words(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    let text = WHOLE.replacen(from, to, 1);
    let mut sources = Sources::default();
    let file = sources.add(Source::new("system.yaml", text.as_str()));
    let (described, mut found) = read(file, &text);
    found.extend(described.iter().flat_map(check));
    let errors: Vec<_> = found.iter().filter(|fault| fault.is_error()).collect();
    let [error] = errors.as_slice() else { return format!("{} errors: {errors:#?}", errors.len()) };
    let label = error.primary.text.as_str();
    format!("{} | {label} | {}", error.message, error.help.first().map(|help| help.text.as_str()).unwrap_or_default())
}

#[test]
fn a_message_says_what_is_wrong_and_what_to_write_once() {
    let page = "{ token: next, to: query.cursor, more: body.next is present }";
    let shown: Vec<String> = [
        ("records: orders, page", "recrods: orders, page"),
        ("edition: 1", "edition: 1\nwarehouse: 3"),
        ("edition: 1", "edition: 1\nget: { call: GET /orders }"),
        ("auth: { header: { api-key: \"{setting.key}\" } }", "auth: { bearer: \"{setting.key}\" }"),
        ("auth: { header: { api-key: \"{setting.key}\" } }", "auth: { header: abc }"),
        ("window: { calls: 100, length: 1 minute }", "window: 100"),
        ("calls: 100, length", "calls: many, length"),
        ("by: key,", "by: idempotency,"),
        (page, "{ number: page }"),
        ("overlap: 5 minutes", "overlap: 5min"),
        ("hosts: [\"api.shop.example\"]", "hosts: https://api.shop.example"),
        ("base: \"https://api.shop.example\"", "base: \"https://other.example\""),
        ("api-key: \"{setting.key}\"", "api-key: \"{key}\""),
        ("to: 30, default: 14", "to: 9, default: 20"),
        ("pattern: '[0-9]+' }", "pattern: '[0-9]+', default: abc }"),
        ("  event: type\n", ""),
        ("title: Shop\n", "title: Shop\n\tedition: 2\n"),
    ]
    .iter()
    .map(|(from, to)| words(from, to))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_book_names_what_each_place_provides() {
    use super::Place;
    let places = [
        Place::Token,
        Place::Sent,
        Place::Changes,
        Place::Keyset,
        Place::Page,
        Place::Get,
        Place::Find,
        Place::Write,
        Place::Action,
        Place::Line,
        Place::There,
        Place::Receipt,
        Place::Record,
        Place::Answer,
        Place::Hello,
    ];
    let row = |place: Place| {
        let names: Vec<String> = place.provides().iter().map(|name| format!("`{name}`")).collect();
        format!("| {} | {} |\n", place.noun(), names.join(", "))
    };
    let table = format!("| place | names |\n| --- | --- |\n{}", places.map(row).concat());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/descriptions.md");
    let page = std::fs::read_to_string(&path).unwrap();
    if std::env::var_os("CROSSDOCK_ACCEPT").is_some() && page.contains("@NAMES@\n") {
        std::fs::write(&path, page.replace("@NAMES@\n", &format!("{table}\n"))).unwrap();
        return;
    }
    assert!(page.contains(&table), "docs/reference/descriptions.md names other names:\n{table}");
    // Each name has a row that says what it is.
    let rows = page.split("What each name is:").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let first_cells: String = rows.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect::<Vec<_>>().join(" ");
    let names = places.iter().chain(&[Place::Signature, Place::Webhook]).flat_map(|place| place.provides());
    let unexplained: Vec<&&str> = names.filter(|name| !first_cells.contains(&format!("`{name}`"))).collect();
    assert!(unexplained.is_empty(), "docs/reference/descriptions.md does not say what these are: {unexplained:?}");
}

#[test]
fn the_legend_of_marks_is_no_assumption() {
    let warned = |text: &str| {
        let (described, _) = read(crate::base::FileId::default(), text);
        check(&described.unwrap()).iter().filter(|fault| !fault.is_error()).count()
    };
    assert_eq!(warned(&format!("# Sources: [D] the vendor's pages, [K] to be confirmed.\n\n{WHOLE}")), 0);
    assert_eq!(warned(&WHOLE.replace("overlap: 5 minutes }", "overlap: 5 minutes }   # [K] nobody says")), 1);
}

#[test]
fn a_sign_in_that_is_named_is_there() {
    each_gives(&[
        ("auth: { header:", "auth: { as: nosuch, header:", "E0605", "nosuch"),
        ("hello: { call: GET /orders,", "hello: { call: GET /orders, as: nosuch,", "E0605", "nosuch"),
        (
            "auth: { header: { api-key: \"{setting.key}\" } }",
            "auth: { shop: { header: { a: \"{setting.key}\" } }, app: { header: { b: \"{setting.key}\" } } }",
            "E0604",
            "{",
        ),
    ]);
}

#[test]
fn a_secret_stands_nowhere_but_in_the_sign_in() {
    let at = "setting.key";
    let code = "E0618";
    each_gives(&[
        ("base: \"https://api.shop.example\"", "base: \"https://api.shop.example/{setting.key}\"", code, at),
        ("headers: { x-account: \"{setting.account}\" }", "headers: { x-account: \"{setting.key}\" }", code, at),
        ("since: \"{from}\"", "since: \"{from}\", key: \"{setting.key}\"", code, at),
        ("more: body.next is present", "more: body.next == setting.key", code, at),
        ("'record.status == \"deleted\"'", "'record.status == setting.key'", code, at),
        ("{ids | joined ','}", "{setting.key}{ids | joined ','}", code, at),
        ("filter: exact }", "filter: exact, put: { key: \"{setting.key}\" } }", code, at),
        ("id: number, created", "id: setting.key, created", code, at),
        ("call: GET /warehouses,", "call: GET /warehouses, query: { key: \"{setting.key}\" },", code, at),
        ("status == 409, is", "status == 409 and message == setting.key, is", code, at),
        ("{body.total} orders", "{setting.key} orders", code, at),
        ("  event: type", "  for: { key: setting.key }\n  event: type", code, at),
        ("version: \"{target.version}\"", "version: \"{target.version}{setting.key}\"", code, at),
    ]);
}

#[test]
fn nothing_is_sent_to_a_host_that_is_not_named() {
    let code = "E0618";
    each_gives(&[
        ("call: POST /orders", "call: POST https://evil.example/orders", code, "https://evil.example/orders"),
        (
            "hello: { call: GET /orders",
            "hello: { call: GET https://api.shop.example@evil.example/orders",
            code,
            "https://api.shop.example@evil.example/orders",
        ),
        ("call: GET /warehouses", "call: GET https://evil.example/warehouses", code, "https://evil.example/warehouses"),
        ("base: \"https://api.shop.example\"", "base: \"http://api.shop.example\"", code, "http://api.shop.example"),
        ("hosts: [\"api.shop.example\"]", "hosts: [\"api.shop.example\", \"https://a.example/\"]", code, "https://a.example/"),
    ]);
    let listed = checked("hosts: [\"api.shop.example\"]", "hosts: https://api.shop.example");
    assert_eq!(listed.first().map(|(code, at)| (code.as_str(), at.as_str())), Some(("E0601", "https://api.shop.example")));
    // A whole address of a host that is named, and of GraphQL.
    assert_eq!(checked("call: POST /orders", "call: POST https://api.shop.example:443/orders"), []);
    each_gives(&[("edition: 1", "edition: 1\ngraphql: https://evil.example/graphql", code, "https://evil.example/graphql")]);
}

#[test]
fn a_sign_in_has_all_of_its_credentials() {
    let basic = "auth: { header: { api-key: \"{setting.key}\" } }";
    let oauth = "auth: { oauth: client_credentials, token: \"https://api.shop.example/token\"";
    let refresh = "auth: { oauth: refresh_token, token: \"/token\", client_id: \"{setting.account}\", client_secret: \"{setting.key}\" }";
    let whole = format!("{oauth}, client_id: \"{{setting.account}}\", client_secret: \"{{setting.key}}\" }}");
    assert_eq!(checked(basic, &whole), []);
    let said = checked(basic, &format!("{oauth}, client_id: \"{{setting.account}}\" }}"));
    assert_eq!(said, [("E0604".to_owned(), "{".to_owned())]);
    assert_eq!(checked(basic, refresh), [("E0604".to_owned(), "{".to_owned())]);
    // What is signed is named, not guessed.
    each_gives(&[
        ("over: [body]", "over: [bdoy]", "E0603", "bdoy"),
        ("over: [body]", "over: [timestamp, body]", "E0603", "timestamp"),
        ("key: \"{setting.hook_secret}\"", "key: \"{secret}\"", "E0605", "secret"),
        ("over: [body]", "over: [{ parameters: sorted, as: \"{name}={value}\" }, body]", "E0619", "as"),
        ("api-key: \"{setting.key}\"", "api-key: \"{token}\"", "E0605", "token"),
    ]);
    assert_eq!(checked("over: [body]", "over: [header.x-time, \".\", { text: v0 }, query, { parameters: sorted, as: \"{name}{value}\" }, body]"), []);
}

/// What is said of a description with one mistake: the line, and what stands under the mark.
fn said_of(from: &str, to: &str) -> Vec<(String, String)> {
    assert!(BASE.contains(from), "{from}");
    let text = BASE.replace(from, to);
    let mut sources = Sources::default();
    let file = sources.add(Source::new("system.yaml", text.as_str()));
    let (_, found) = read(file, &text);
    found
        .into_iter()
        .map(|fault| (fault.code.number().to_owned(), text[fault.primary.span.start as usize..fault.primary.span.end as usize].to_owned()))
        .collect()
}

#[test]
fn each_mistake_is_told_at_its_place() {
    let mut wrong = Vec::new();
    for (from, to, code, place) in [
        ("system: shop", "system: [a]", "E0601", "["),
        ("records: orders", "recrods: orders", "E0602", "recrods"),
        ("auth: { header:", "auth: { haeder:", "E0604", "{"),
        ("{from}", "{form}", "E0605", "form"),
        ("{from}", "{from", "E0606", "{"),
        ("{setting.key}", "{setting.kye}", "E0605", "setting.kye"),
        ("records: orders", "records: a..b", "E0606", "a..b"),
        ("GET /orders", "FETCH /orders", "E0601", "FETCH /orders"),
        ("GET /orders", "GET orders", "E0601", "GET orders"),
        ("page: whole", "page: hole", "E0603", "hole"),
        ("page: whole", "page: { token: next }", "E0604", "{"),
        ("page: whole", "page: whole, overlap: 5", "E0601", "5"),
        ("page: whole", "page: whole, skip: 'record.a = 1'", "E0606", "="),
        ("type: integer", "type: int", "E0603", "int"),
        ("call: GET /orders, ", "", "E0604", "{"),
        // A file is called by the name of an object and of its schema.
        ("  Order:", "  ../../../Order:", "E0601", "../../../Order"),
        ("  Order:", "  Sales Order:", "E0601", "Sales Order"),
        ("  Order:", "  3PL:", "E0601", "3PL"),
        ("  Order:\n", "  Order:\n    schema: ../../../Order\n", "E0601", "../../../Order"),
        ("  Order:\n", "  Order:\n    schema: Bestellungsübersicht\n", "E0601", "Bestellungsübersicht"),
    ] {
        let said = said_of(from, to);
        if said.first().map(|(code, place)| (code.as_str(), place.as_str())) != Some((code, place)) {
            wrong.push(format!("{to}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(said_of("system: shop", "system: shop"), []);
}

#[test]
fn a_text_that_is_no_description_is_told_and_nothing_panics() {
    let mut sources = Sources::default();
    let file = sources.add(Source::new("system.yaml", ""));
    for text in ["", "a", "[]", "a: [", "system: x\nobjects: 3\n", "{}", "system: {}\nauth: 1\nlimits: {a: 1}\nhosts: x\n", "\u{feff}system: é\n"] {
        let (described, found) = read(file, text);
        assert!(described.is_none() && !found.is_empty() && found.iter().all(crate::base::diag::Diagnostic::is_error), "{text}: {found:?}");
    }
    // One line left out.
    for (path, text) in texts() {
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).step_by(5) {
            let without: String = lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| format!("{line}\n")).collect();
            let (described, found) = read(file, &without);
            assert!(described.is_some() || !found.is_empty(), "{}: {at}", path.display());
        }
    }
}

#[test]
fn what_comes_with_the_program_keeps_the_rules_and_drafts_are_told_what_they_lack() {
    let mut out = String::new();
    for (path, text) in texts() {
        let mut sources = Sources::default();
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
        let file = sources.add(Source::new(name.as_str(), text.as_str()));
        let found = check(&read(file, &text).0.unwrap());
        let errors: Vec<_> = found.iter().filter(|fault| fault.is_error()).collect();
        assert!(!name.starts_with("systems") || errors.is_empty(), "{name}: {errors:#?}");
        for fault in errors {
            let line = sources.get(file).unwrap().position(fault.primary.span.start).line;
            out.push_str(&format!("{}:{line} {} {}\n", path.file_stem().unwrap().to_string_lossy(), fault.code, fault.message));
        }
    }
    insta::assert_snapshot!(out);
}

/// The manifest is known before anything is read of a description as a whole, and says the same of its writes.
#[test]
fn the_manifest_says_of_writes_what_the_description_says() {
    let mut compared = 0;
    for (path, text) in texts() {
        let described = read(crate::base::FileId::default(), &text).0.unwrap();
        let writes = described.objects.iter().flat_map(|object| object.writes.iter().map(|write| described.said(object, write)));
        let rules: Vec<_> = writes.filter_map(|write| write.rule()).collect();
        let manifest = crate::system::Manifest::of_description(crate::yaml::read(&text).unwrap().json()).unwrap();
        assert_eq!(manifest.writes, rules, "{}", path.display());
        compared += rules.len();
    }
    assert!(compared > 20, "{compared}");
}

/// What a mapping may change by its schema is what an action or a step writes: else each such change would be refused by the connector.
#[test]
fn each_field_that_can_be_changed_has_an_action_or_a_step_that_does_it() {
    use super::model::{Actions, Write};
    use super::text::Step;
    let covers = |write: &Write, field: &str| {
        let by_action = match &write.actions {
            Some(Actions::Fields(fields)) => fields.iter().any(|action| matches!(action.path.steps.first(), Some(Step::Name(name)) if name == field)),
            Some(Actions::List(_)) | None => false,
        };
        let by_step = write.steps.iter().any(|step| step.covers.is_empty() || step.covers.iter().any(|name| name.node == field));
        by_action || by_step
    };
    let (mut compared, mut wrong) = (0, Vec::new());
    for (system, text) in crate::system::descriptions() {
        let described = read(crate::base::FileId::default(), text).0.unwrap();
        for object in &described.objects {
            let Some(Ok(schema)) = crate::schema::standard::object(system, &object.schema, "c") else { continue };
            let by = object.part_of.as_ref().and_then(|part| part.by.as_ref()).map(|by| by.node.as_str());
            let updates = object.writes.iter().filter(|write| write.name.node == "update");
            for write in updates.filter(|write| write.actions.is_some() || !write.steps.is_empty()) {
                for (name, _) in schema.fields.iter().filter(|(name, field)| field.write.update && by != Some(name.as_str())) {
                    compared += 1;
                    // The key says which record it is.
                    let is_key = object.writes.iter().flat_map(|write| &write.key).any(|key| key.node == *name);
                    // So does what says where a part is made; it is said when the part is made, and is no change of it.
                    let of_making = object.writes.iter().filter_map(|write| described.said(object, write).part).flatten().any(|field| field == *name);
                    if !is_key && !of_making && !covers(write, name) {
                        wrong.push(format!("{system}: {}.{name}", object.name.node));
                    }
                }
            }
        }
    }
    assert!(compared > 10, "{compared}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A list that is paged by number says where it ends, and one that is read again when it shrinks says how long it is.
#[test]
fn pages_by_number_say_where_they_end() {
    let said = |page: &str| {
        let text = format!(
            "system: shop\nhosts: [x.example]\nbase: https://x.example\nauth: {{ header: {{ x-key: key }} }}\nobjects:\n  Order:\n    changes:\n      - {{ name: orders, call: GET /o, query: {{ from: '{{from}}' }}, records: rows, overlap: 1 minute, page: {page} }}\n"
        );
        let described = read(FileId::default(), &text).0.unwrap();
        check(&described).into_iter().filter(|found| found.code == Code::PagesMayLose).map(|found| found.help[0].text.clone()).collect::<Vec<_>>()
    };
    let number = "number: { to: query.page }";
    assert_eq!(said(&format!("{{ {number}, grows: true, size: 50 }}")), Vec::<String>::new());
    assert_eq!(said(&format!("{{ {number}, grows: true, more: 'body.page < body.pages' }}")), Vec::<String>::new());
    assert!(said(&format!("{{ {number}, grows: true }}"))[0].starts_with("add `size`"));
    assert!(said(&format!("{{ {number}, whole: true, size: 50 }}"))[0].starts_with("add `total`"));
    assert_eq!(said(&format!("{{ {number}, whole: true, size: 50, total: total }}")), Vec::<String>::new());
}
