use super::*;
use crate::base::Source;
use crate::base::diag::Code;

const ORDERS: &str = r#"edition 1

values order_status: crm.Order.Status -> wms.Order.orderStatus {
  "Draft" -> on_hold
}
"#;
const SCHEMA: &str = "{\n  \"pulled\": \"2026-11-18\",\n  \"values\": [\"Draft\", \"Partially Returned\"]\n}\n";

fn texts() -> (Sources, FileId, FileId) {
    let mut sources = Sources::default();
    let orders = sources.add(Source::new("orders.dock", ORDERS));
    let schema = sources.add(Source::new("schemas/crm/Order.json", SCHEMA));
    (sources, orders, schema)
}

fn at(file: FileId, text: &str, part: &str) -> Span {
    let start = text.find(part).expect("the part stands in the text");
    Span::new(file, start, start + part.len())
}

fn uncovered(orders: FileId, schema: FileId) -> Diagnostic {
    let rows = at(orders, ORDERS, "  \"Draft\" -> on_hold\n").after();
    Diagnostic::new(Code::ValuesNotCovered, at(orders, ORDERS, "order_status"), "one Salesforce status has no ShipStation status")
        .label("no row for \"Partially Returned\"")
        .other(at(schema, SCHEMA, "\"Partially Returned\""), "it is new since the last pull")
        .why("an order with it would be sent without orderStatus, which ShipStation requires")
        .mend("add a row", rows, "  \"Partially Returned\" -> on_hold\n")
}

#[test]
fn a_terminal_shows_both_files_why_and_help() {
    let (sources, orders, schema) = texts();
    let text = terminal(&uncovered(orders, schema), View::new(&sources), Look::PLAIN);
    insta::assert_snapshot!(text);
    assert!(text.lines().count() < 12 && !text.contains('\u{1b}'));
}

/// Beside the line stands the number that the place above it says, whatever ends the lines of the file.
#[test]
fn a_line_is_shown_under_its_number_with_each_kind_of_line_break() {
    for (text, part) in [
        ("one\ntwo\nthree\n", "three"),
        ("one\r\ntwo\r\nthree\r\nfour\r\n", "three"),
        ("one\r\ntwo\r\nthree\r\n", "three"),
        ("one\r\ntwo\r\nthree", "three"),
        ("one\r\ntwo\r\nthree \r\r\n", "three"),
    ] {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a.dock", text));
        let said = terminal(&Diagnostic::new(Code::BadProject, at(file, text, part), "it is wrong"), View::new(&sources), Look::PLAIN);
        assert!(said.contains("[a.dock:3:1]") && said.contains(" 3 │ three"), "{text:?}\n{said}");
    }
}

#[test]
fn many_places_become_one_line_each() {
    let (sources, orders, schema) = texts();
    let mut diagnostic = uncovered(orders, schema).help("or give the map an `else`");
    for n in 0..9 {
        diagnostic = diagnostic.other(at(schema, SCHEMA, "pulled"), format!("pulled {n}"));
    }
    let text = terminal(&diagnostic, View::new(&sources), Look::PLAIN);
    assert!(text.contains("   schemas/crm/Order.json:3:23   it is new since the last pull"), "{text}");
    assert!(text.lines().count() <= 12, "{text}");
}

#[test]
fn a_place_in_no_file_still_gives_the_message() {
    let sources = Sources::default();
    let text = terminal(&Diagnostic::new(Code::BadProject, Span::default(), "there is no project"), View::new(&sources), Look::PLAIN);
    assert_eq!(text, "error E0405: there is no project\n");
}

#[test]
fn an_empty_place_at_the_end_of_the_text_is_drawn() {
    let (sources, orders, _) = texts();
    let end = Span::new(orders, ORDERS.len(), ORDERS.len());
    let text = terminal(&Diagnostic::new(Code::Unclosed, end, "the block is not closed").label("here"), View::new(&sources), Look::PLAIN);
    assert!(text.contains("orders.dock:"), "{text}");
}

#[test]
fn colours_are_asked_for() {
    let (sources, orders, schema) = texts();
    let text = terminal(&uncovered(orders, schema), View::new(&sources), Look { colours: true, width: 80 });
    assert!(text.contains("\u{1b}["));
    assert!(!text.contains("\u{1b}]8;;"), "links confuse terminals that do not know them");
}

#[test]
fn long_words_are_broken_between_words() {
    let (sources, ..) = texts();
    let why = "an order ".repeat(20);
    let text = terminal(
        &Diagnostic::new(Code::TypeMismatch, Span { file: FileId(9), start: 0, end: 0 }, "m").why(why.trim()),
        View::new(&sources),
        Look { colours: false, width: 60 },
    );
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}

#[test]
fn json_has_places_in_lines_and_bytes() {
    let (sources, orders, schema) = texts();
    let all = json(&[uncovered(orders, schema)], View::new(&sources));
    insta::assert_snapshot!(serde_json::to_string_pretty(&all).expect("it is JSON"));
}

#[test]
fn github_escapes_what_it_reads_itself() {
    let (sources, orders, schema) = texts();
    let mut diagnostic = uncovered(orders, schema);
    diagnostic.message = "100% of a, b: c".into();
    let text = github(&[diagnostic], View { sources: &sources, prefix: "clients/acme/" });
    insta::assert_snapshot!(text);
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn sarif_has_what_the_format_requires() {
    let (sources, orders, schema) = texts();
    let log = sarif(&[uncovered(orders, schema)], View { sources: &sources, prefix: "my orders/" });
    let required = serde_json::json!({
        "type": "object", "required": ["version", "runs"],
        "properties": {
            "version": { "enum": ["2.1.0"] },
            "runs": { "type": "array", "items": { "$ref": "#/$defs/run" } }
        },
        "$defs": {
            "run": {
                "type": "object", "required": ["tool"], "properties": {
                    "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                    "tool": { "required": ["driver"], "properties": { "driver": { "required": ["name"], "properties": {
                        "rules": { "items": { "required": ["id"] } } } } } },
                    "results": { "items": { "$ref": "#/$defs/result" } }
                }
            },
            "result": {
                "type": "object", "required": ["message"], "properties": {
                    "ruleIndex": { "type": "integer", "minimum": -1 },
                    "level": { "enum": ["none", "note", "warning", "error"] },
                    "message": { "$ref": "#/$defs/message" },
                    "locations": { "items": { "$ref": "#/$defs/location" } },
                    "relatedLocations": { "items": { "$ref": "#/$defs/location" } },
                    "fixes": { "items": { "required": ["artifactChanges"], "properties": { "artifactChanges": {
                        "minItems": 1, "items": { "required": ["artifactLocation", "replacements"], "properties": { "replacements": {
                            "minItems": 1, "items": { "required": ["deletedRegion"] } } } } } } } }
                }
            },
            "message": { "type": "object", "required": ["text"] },
            "location": { "properties": { "physicalLocation": { "required": ["artifactLocation"], "properties": {
                "artifactLocation": { "properties": { "uri": { "type": "string", "format": "uri-reference" } } },
                "region": { "properties": {
                    "startLine": { "type": "integer", "minimum": 1 }, "startColumn": { "type": "integer", "minimum": 1 } } } } } } }
        }
    });
    let validator = jsonschema::validator_for(&required).expect("the structure is a schema");
    let errors: Vec<String> = validator.iter_errors(&log).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "my%20orders/orders.dock");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "E0207");
}

#[test]
fn sorting_goes_by_file_and_text_and_drops_repetitions() {
    let (sources, orders, schema) = texts();
    let late = Diagnostic::new(Code::Unused, at(orders, ORDERS, "on_hold"), "late");
    let early = Diagnostic::new(Code::Unused, at(orders, ORDERS, "edition"), "early");
    let other = Diagnostic::new(Code::Unused, at(schema, SCHEMA, "pulled"), "other");
    let sorted = sorted(vec![other, late.clone(), early, late], &sources);
    let messages: Vec<&str> = sorted.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages, ["early", "late", "other"]);
}

/// At 80 columns no line of a frame is longer, and each mark still stands under what it marks.
#[test]
fn long_lines_are_cut_around_their_marks() {
    const LONG: &str = "edition 1\n\nflow f {\n  upsert wms.Order key orderKey = \"sf-{order.Id}\" as sent when order.Status in (\"Activated\", \"Ready to Ship\") and order.TotalAmont > 0.00 and order.Channel__c is present {\n  }\n}\n";
    let mut sources = Sources::default();
    let file = sources.add(Source::new("orders.dock", LONG));
    let look = Look { colours: false, width: 80 };
    let diagnostic = Diagnostic::new(Code::UnknownSourceField, at(file, LONG, "TotalAmont"), "`crm.Order` has no field `TotalAmont`")
        .label("a field of this name is neither in the snapshot of the org nor in the standard object, whatever its letters are")
        .mend("did you mean `TotalAmount`?", at(file, LONG, "TotalAmont"), "TotalAmount");
    let text = terminal(&diagnostic, View::new(&sources), look);
    insta::assert_snapshot!(text);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("orders.dock:4:"), "{text}");
    for part in ["upsert", "Activated", "TotalAmont", "Channel__c", "present"] {
        let diagnostic =
            Diagnostic::new(Code::UnknownSourceField, at(file, LONG, part), "a message").label("a label of some length that says what is wrong");
        let text = terminal(&diagnostic, View::new(&sources), look);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        // The mark stands under the word.
        let lines: Vec<&str> = text.lines().collect();
        let word = lines.iter().position(|line| line.contains(part)).unwrap();
        let column = lines[word].find(part).map(|at| lines[word][..at].chars().count()).unwrap();
        let mark: Vec<char> = lines[word + 1].chars().collect();
        assert!(mark[column] == '─' || mark[column] == '┬', "{text}");
    }
}
