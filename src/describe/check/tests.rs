//! The rules within a description, each with what keeps it and what does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::check;

/// What is said of a description within itself: the codes, in the order of their places. `more` stands beside the object `Order`.
fn checked(more: &str, order: &str) -> Vec<String> {
    let head = "system: shop\nsettings: { key: { secret: true } }\nhosts: [api.shop.example]\nbase: https://api.shop.example\n";
    let auth = if more.contains("auth:") { "" } else { "auth: { header: { api-key: \"{setting.key}\" } }\n" };
    let text = format!("{head}{auth}{more}objects:\n  Order: {order}\n");
    let (described, mut found) = crate::describe::read(crate::base::FileId::default(), &text);
    found.extend(check(&described.unwrap()));
    found.into_iter().filter(crate::base::diag::Diagnostic::is_error).map(|fault| fault.code.number().to_owned()).collect()
}

/// D2: each of these would let a write be sent again that was done, or lose one that was not.
#[test]
fn an_answer_is_called_no_better_than_it_may_be() {
    let rule = |when: &str, more: &str| checked(&format!("answers: [{{ when: '{when}', {more} }}]\n"), "{}");
    let refresh = |when: &str| checked(&format!("auth: {{ header: {{ api-key: \"{{setting.key}}\" }}, refresh: {{ when: '{when}' }} }}\n"), "{}");
    let mut wrong = Vec::new();
    for (when, more, is_told) in [
        ("status == 503", "is: ok", true),
        ("status > 0", "is: ok", true),
        ("body.done == true", "is: ok", true),
        ("status == 503", "is: ok, nothing_done: yes", true),
        ("status == 404", "is: ok", true),
        ("status == 200 and body.done == true", "is: ok", false),
        ("status < 300 and status >= 200", "is: ok", false),
        ("status == 500", "is: expired", true),
        ("error.code == 7", "is: expired", true),
        ("status == 401", "is: expired", false),
        ("status == 502", "is: denied", true),
        ("status == 302", "is: denied", true),
        ("status == 307", "is: rejected", true),
        ("status >= 300 and status < 400", "is: ambiguous", false),
        ("status == 200", "is: conflict", true),
        ("status == 408", "is: conflict", true),
        ("status == 409", "is: conflict", false),
        ("status != 409", "is: conflict", true),
        ("status in (409, 412)", "is: conflict", false),
        ("status not in (409, 412)", "is: conflict", true),
        ("status >= 400 and status < 500", "is: denied", true),
        ("status >= 400 and status < 408", "is: denied", false),
        ("status == 200", "is: conflict, nothing_done: yes", false),
        ("status == 200 and asked == read", "is: conflict", false),
        ("status == 200 and not (asked == write)", "is: conflict", false),
        ("status == 503", "is: rejected", true),
        ("status == 408", "is: absent", true),
        ("error.code == 3", "is: rejected", false),
        ("status == 200 and error.code == 3", "is: rejected", false),
        ("status == 503", "is: ambiguous", false),
    ] {
        let said = rule(when, more);
        if said != if is_told { vec!["E0612"] } else { vec![] } {
            wrong.push(format!("{when} {more}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        (refresh("status == 401"), refresh("status == 500"), refresh("error.code == 7")),
        (vec![], vec!["E0612".to_owned()], vec!["E0612".to_owned()])
    );
}

#[test]
fn a_write_has_what_its_means_needs() {
    let find = "find: { note: { call: GET /orders, query: { note: \"{value}\" }, records: orders, filter: exact }, number: { call: GET /orders, query: { number: \"{value}\" }, records: orders } }";
    let write = |name: &str, write: &str| checked("", &format!("{{ {find}, writes: {{ {name}: {{ {write} }} }} }}"));
    let post = "call: POST /orders, body: \"{item}\"";
    let put = "call: \"POST /orders/{id}\", body: { v: \"{target.v}\" }, reads: target, receipt: { id: id }";
    let mark =
        |key: &str, more: &str| format!("key: {key}, {post}, guarantee: {{ by: mark, settle: 5 minutes, source: x, {more} }}, receipt: {{ id: id }}");
    let none = "guarantee: { by: none }, receipt: { id: id }";
    let set = "guarantee: { by: set, source: x }, receipt: { id: id }";
    let step = "{ covers: [tags], call: \"POST /orders/{id}/tags\", body: \"{item}\" }";
    let add =
        "{ covers: [lines], lines: { key: sku }, add: { call: \"POST /orders/{id}/lines\", body: \"{lines}\", once: \'line.sku is present\' } }";
    let batch =
        |receipt: &str| format!("key: note, call: POST /orders, body: \"{{items}}\", batch: 9, guarantee: {{ by: none }}, receipt: {{ {receipt} }}");
    let mut wrong = Vec::new();
    for (name, text, codes) in [
        // D1: what tells a conflict is a rule.
        ("update", format!("{put}, guarantee: {{ by: version, source: x }}"), vec!["E0611"]),
        // D3: it is looked for by its own key, and nothing else tells which of several it is.
        ("create", mark("note", "field: note"), vec![]),
        ("create", mark("number", "field: note"), vec!["E0613"]),
        ("create", mark("[number, note]", "field: note"), vec![]),
        ("create", mark("number", "field: number"), vec!["E0613"]),
        // D4: a result says whether it is a refusal, and a success without a body names no record.
        ("create", batch("items: orders, match: [note]"), vec!["E0614"]),
        ("create", batch("items: orders, match: [note], refused: \'item.bad == true\'"), vec![]),
        ("create", batch("failures: errors, match: [note]"), vec![]),
        ("create", batch("failures: errors, match: [note], id: id"), vec!["E0614"]),
        ("create", format!("key: note, {post}, guarantee: {{ by: none }}, receipt: {{ empty: true, id: id }}"), vec!["E0614"]),
        ("create", format!("key: note, {post}, guarantee: {{ by: none }}, receipt: {{ empty: true, id: key }}"), vec![]),
        // D7: steps are of an update, and absolute.
        ("update", format!("steps: [{step}, {add}], {set}"), vec![]),
        ("create", format!("key: note, steps: [{step}], guarantee: {{ by: none }}, receipt: {{ id: id }}"), vec!["E0617"]),
        ("upsert", format!("key: note, steps: [{step}], guarantee: {{ by: key, source: x }}, receipt: {{ id: id }}"), vec!["E0617", "E0617"]),
        ("update", format!("steps: [{{ covers: [tags] }}], {none}"), vec!["E0617"]),
        ("update", format!("steps: [{}], {none}", add.replace("lines: { key: sku }, ", "")), vec!["E0617"]),
    ] {
        let mut said = write(name, &text);
        said.sort();
        if said != codes {
            wrong.push(format!("{name} {text}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let same = mark("note", "field: number, same: 'found.a == sent.a'");
    assert!(write("create", &same).contains(&"E0613".to_owned()), "what tells several apart makes no look-up exact");
    let conflict = format!("{{ {find}, writes: {{ update: {{ {put}, guarantee: {{ by: version, source: x }} }} }} }}");
    assert_eq!(checked("answers: [{ when: 'status == 409', is: conflict }]\n", &conflict), Vec::<String>::new());
    assert_eq!(checked("answers: [{ when: 'status == 409', is: conflict, on: [Label] }]\n", &conflict), ["E0611"]);
}
