//! `crossdock docs`: every template has its sign-off document, and a signed one is what the next is compared with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

use crossdock::project::templates::TEMPLATES;

fn project(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (_, files) = TEMPLATES.iter().find(|(name, _)| *name == template).unwrap();
    for (path, bytes) in *files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn docs(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crossdock"))
        .arg("docs")
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .envs([crate::common::WIDE])
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_template_has_one_in_which_most_fields_have_an_example() {
    for (template, _) in TEMPLATES {
        let folder = project(template);
        let made = docs(&folder, &["--sign", "--date", "2026-11-20"]);
        assert_eq!(made.status.code(), Some(0), "{template}: {}", said(&made));
        let page = std::fs::read_to_string(folder.path().join("signoff/mapping.html")).unwrap();
        assert!(page.contains("Made on 2026-11-20") && page.contains("Signatures"), "{template}");
        let signed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("signoff/signed.json")).unwrap()).unwrap();
        let writes = signed["flows"].as_array().unwrap().iter().flat_map(|flow| flow["writes"].as_array().unwrap());
        // Follow-ups follow what happened at the target, which no case has.
        let fields: Vec<&serde_json::Value> =
            writes.filter(|write| write["after"].is_null()).flat_map(|write| write["fields"].as_array().unwrap()).collect();
        let shown = fields.iter().filter(|field| !field["example"].is_null()).count();
        assert!(!fields.is_empty() && shown * 10 >= fields.len() * 8, "{template}: {shown} of {} fields have an example", fields.len());
    }
}

#[test]
fn an_edit_after_the_signature_is_told() {
    let folder = project("crm-delivered");
    assert!(said(&docs(&folder, &[])).contains("no state is signed yet"));
    let signed = docs(&folder, &["--sign"]);
    assert_eq!(signed.status.code(), Some(0));
    assert!(said(&signed).contains("signed: ") && !said(&signed).contains("no state is signed"), "{}", said(&signed));
    let again = docs(&folder, &[]);
    assert!(said(&again).contains("nothing has changed since the last sign-off"), "{}", said(&again));
    let file = folder.path().join("delivered.dock");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("call_from: money = 500.00", "call_from: money = 250.00")).unwrap();
    let edited = docs(&folder, &[]);
    assert!(said(&edited).contains("parameter call_from\n    - 500.00\n    + 250.00"), "{}", said(&edited));
    std::fs::write(folder.path().join("signoff/signed.json"), "{").unwrap();
    let broken = docs(&folder, &[]);
    assert_eq!(broken.status.code(), Some(2), "{}", said(&broken));
    assert!(said(&broken).contains("is not a signed state"), "{}", said(&broken));
}

/// The rule of each row is the author's own text, also where a row goes on over several lines.
#[test]
fn each_row_is_told_in_the_words_of_its_own_text() {
    let folder = project("crm-delivered");
    let file = folder.path().join("delivered.dock");
    let text = std::fs::read_to_string(&file).unwrap();
    let row = text.lines().find(|line| line.trim_start().starts_with("WhatId = ")).unwrap();
    let edited = text.replace(row, "    WhatId =\n        order.AccountId  # the account");
    assert_ne!(edited, text);
    std::fs::write(&file, edited).unwrap();
    let made = docs(&folder, &["--sign", "--date", "2026-11-20"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let signed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("signoff/signed.json")).unwrap()).unwrap();
    let fields = signed["flows"][0]["writes"][0]["fields"].as_array().unwrap();
    let rule = |name: &str| fields.iter().find(|field| field["field"] == name).unwrap()["rule"].as_str().unwrap().to_owned();
    assert_eq!(rule("WhatId"), "order.AccountId");
    assert!(rule("Subject").starts_with("\"Order {order.OrderNumber} was {how}"), "{}", rule("Subject"));
}

#[test]
fn examples_are_taken_from_records() {
    let folder = project("crm-delivered");
    let wrong = docs(&folder, &["--records", "parcels.json"]);
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("names no flow and file"), "{}", said(&wrong));
    let missing = docs(&folder, &["--records", "delivered=parcels.json"]);
    assert!(missing.status.code() == Some(3) && said(&missing).contains("parcels.json"), "{}", said(&missing));
}

/// The rows of a table are part of what is signed: whatever becomes of one is told, by its key.
#[test]
fn an_edited_table_is_told_row_by_row() {
    let folder = project("salesforce-shipstation");
    assert_eq!(docs(&folder, &["--sign"]).status.code(), Some(0));
    let page = std::fs::read_to_string(folder.path().join("signoff/mapping.html")).unwrap();
    let table = std::fs::read_dir(folder.path().join("tables")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&table).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let last = rows.last().unwrap();
    let key = last.split(',').next().unwrap();
    assert!(page.contains(key), "the page shows the row of {key}");
    // A row that is gone.
    std::fs::write(&table, rows[..rows.len() - 1].join("\n") + "\n").unwrap();
    let told = said(&docs(&folder, &[]));
    assert!(told.contains("1 change since") && told.contains(key) && told.contains("+ (gone)"), "{told}");
    // A row that is new.
    std::fs::write(&table, format!("{}\n{}\n", text.trim_end(), last.replacen(key, "ZZZ", 1))).unwrap();
    let told = said(&docs(&folder, &[]));
    assert!(told.contains("1 change since") && told.contains("ZZZ") && told.contains("- (new)"), "{told}");
    std::fs::write(&table, &text).unwrap();
    assert!(said(&docs(&folder, &[])).contains("nothing has changed"), "and back");
}

/// A state that an earlier version has signed had no tables: that is said once, and not row by row.
#[test]
fn a_state_that_was_signed_without_tables_can_be_compared() {
    let folder = project("salesforce-shipstation");
    assert_eq!(docs(&folder, &["--sign"]).status.code(), Some(0));
    let file = folder.path().join("signoff/signed.json");
    let mut signed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let fields = signed.as_object_mut().unwrap();
    for name in ["tables", "promises", "meaning"] {
        fields.remove(name);
    }
    fields.insert("version".into(), 1.into());
    std::fs::write(&file, signed.to_string()).unwrap();
    let told = said(&docs(&folder, &[]));
    assert!(told.contains("lookup tables") && told.contains("no part of what was signed then"), "{told}");
    assert!(told.lines().count() < 20, "{told}");
}

/// Edits of all parts of a mapping, each of which changes what is done: none of them goes by as "nothing has changed".
#[test]
fn every_kind_of_edit_is_told() {
    let edits = [
        ("salesforce-shipstation", "orders.dock", "overlap 10 minutes", "overlap 20 minutes"),
        ("salesforce-shipstation", "orders.dock", "first when", "# first when"),
        ("salesforce-shipstation", "orders.dock", "else                                                -> \"US store\", \"Reno DC\"", ""),
        ("salesforce-shipstation", "shipments.dock", "within 2 days", "within 3 days"),
        ("crm-milestones", "milestones.dock", "reaches (", "reaches (3, "),
        ("crm-delivered", "delivered.dock", "none -> skip", "none -> continue"),
    ];
    let mut tried = 0;
    for (template, file, from, to) in edits {
        let folder = project(template);
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let edited = text.replacen(from, to, 1);
        if edited == text {
            continue;
        }
        assert_eq!(docs(&folder, &["--sign"]).status.code(), Some(0));
        std::fs::write(&path, edited).unwrap();
        let told = docs(&folder, &[]);
        // An edit that does not pass the check is told by it.
        if told.status.code() == Some(0) {
            tried += 1;
            assert!(said(&told).contains("since the sign-off"), "{template} {from}: {}", said(&told));
        }
    }
    assert!(tried >= 3, "{tried}");
}
