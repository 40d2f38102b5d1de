//! SARIF 2.1.0, for code-scanning services: the part of the format that a checker needs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{View, word};
use crate::base::Span;
use crate::base::diag::{Code, Diagnostic, Edit, Label};

/// A whole log with one run.
pub fn sarif(diagnostics: &[Diagnostic], view: View<'_>) -> serde_json::Value {
    let codes: Vec<Code> = diagnostics.iter().map(|d| d.code).collect::<BTreeSet<_>>().into_iter().collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "crossdock",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: codes.iter().map(|code| Rule::of(*code)).collect(),
                },
            },
            // Ours count characters, not UTF-16 units.
            column_kind: "unicodeCodePoints",
            results: diagnostics.iter().map(|d| result(d, &codes, view)).collect(),
        }],
    };
    // Texts and numbers only: nothing in it can fail to be JSON.
    serde_json::to_value(log).unwrap_or_default()
}

fn result(diagnostic: &Diagnostic, codes: &[Code], view: View<'_>) -> SarifResult {
    let mut text = diagnostic.message.clone();
    for more in [Some(&diagnostic.primary.text).filter(|t| !t.is_empty()), diagnostic.why.as_ref()].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    for help in &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(&help.text);
    }
    SarifResult {
        rule_id: diagnostic.code.number(),
        rule_index: codes.iter().position(|code| *code == diagnostic.code),
        level: word(diagnostic.severity),
        message: Message { text },
        locations: vec![Location::of(&diagnostic.primary, view)],
        related_locations: diagnostic.others.iter().map(|label| Location::of(label, view)).collect(),
        fixes: diagnostic.help.iter().filter_map(|help| Some(Fix::of(&help.text, help.edit.as_ref()?, view))).collect(),
    }
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    help: Help,
    default_configuration: Configuration,
}

impl Rule {
    fn of(code: Code) -> Rule {
        Rule {
            id: code.number(),
            short_description: Message { text: code.title().to_owned() },
            help: Help { text: code.page(), markdown: code.page() },
            default_configuration: Configuration { level: word(code.severity()) },
        }
    }
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

impl Location {
    fn of(label: &Label, view: View<'_>) -> Location {
        Location {
            physical_location: Physical { artifact_location: Artifact::of(label.span, view), region: Region::of(label.span, view) },
            message: Some(&label.text).filter(|t| !t.is_empty()).map(|text| Message { text: text.clone() }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

impl Artifact {
    fn of(span: Span, view: View<'_>) -> Artifact {
        let mut uri = String::new();
        for byte in view.name(span.file).bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        Artifact { uri }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

impl Region {
    fn of(span: Span, view: View<'_>) -> Region {
        let (start, end) = view.ends(span);
        Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    description: Message,
    artifact_changes: [Change; 1],
}

impl Fix {
    fn of(text: &str, edit: &Edit, view: View<'_>) -> Fix {
        Fix {
            description: Message { text: text.to_owned() },
            artifact_changes: [Change {
                artifact_location: Artifact::of(edit.span, view),
                replacements: [Replacement {
                    deleted_region: Region::of(edit.span, view),
                    inserted_content: Message { text: edit.replacement.clone() },
                }],
            }],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: [Replacement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Message,
}
