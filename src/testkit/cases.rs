//! Test cases: files (`cases/*.yaml`) and the `test` items of mappings, in one form.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Deserialize;

use super::node::{Node, Raw};
use crate::base::Source;
use crate::ir;
use crate::value::Json;
use crate::yaml;

/// What is given to a flow, and what must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    pub flow: String,
    /// The file that it stands in, and its line there.
    pub file: Arc<str>,
    pub line: u32,
    pub given: Given,
    pub expected: Expected,
    /// The line of its `expect:`, where it can be rewritten by `--accept`.
    pub expect_line: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    /// The record's file, from the project's folder.
    pub record: String,
    /// Fields that replace those of the record; a dotted name goes inside.
    pub with: IndexMap<String, Node>,
    /// What each `match` finds: files of a record or a list of records.
    pub matched: Vec<(String, String)>,
    /// The record as the target holds it.
    pub target: Option<String>,
    /// Parameters that have another value in this case, as `crossdock.yaml` would write it.
    pub parameters: Vec<(String, String)>,
    pub now: Option<Timestamp>,
}

/// What must come out. What is not said is not looked at, but a case that says nothing of a
/// rejection expects none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// By `connection.Object`, in order: fields of each payload.
    pub sent: Vec<(String, Vec<Node>)>,
    /// `sent: nothing`: no payload goes out.
    pub nothing: bool,
    pub rejected: Option<Vec<String>>,
    pub review: Option<Vec<String>>,
    pub warned: Option<Vec<String>>,
    pub not_eligible: bool,
    /// Writes that the rejection causes.
    pub follow_ups: Vec<(String, Vec<Node>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    flow: Option<String>,
    now: Option<String>,
    cases: Vec<serde_yaml::Spanned<CaseEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    name: String,
    flow: Option<String>,
    given: GivenEntry,
    expect: Option<serde_yaml::Spanned<ExpectEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenEntry {
    record: String,
    #[serde(default)]
    with: IndexMap<String, Raw>,
    #[serde(default)]
    matched: IndexMap<String, String>,
    target: Option<String>,
    #[serde(default)]
    parameters: IndexMap<String, Raw>,
    now: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectEntry {
    /// Payloads by object, or the word `nothing`.
    sent: Option<Raw>,
    rejected: Option<Vec<String>>,
    review: Option<Vec<String>>,
    warned: Option<Vec<String>>,
    #[serde(default)]
    not_eligible: bool,
    #[serde(default)]
    follow_ups: IndexMap<String, Raw>,
}

/// Why a case file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CaseFault {
    pub message: String,
    /// From 1; 0 where no place is known.
    pub line: u32,
    pub column: u32,
}

/// Reads a case file. Paths in it are from the file's own folder if the record is there, else from
/// the project's; `exists` tells.
///
/// # Errors
/// The file is no YAML of the expected form, or a time cannot be read.
pub fn read(file: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Vec<Case>, CaseFault> {
    let parsed: CaseFile = yaml::typed(text).map_err(|fault| {
        let at = Source::new(file, text).position(u32::try_from(fault.at).unwrap_or(0));
        CaseFault { message: fault.message, line: at.line, column: at.column }
    })?;
    let name: Arc<str> = file.into();
    let mut cases = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for entry in parsed.cases {
        let line = u32::try_from(entry.referenced.line()).unwrap_or(0);
        let fault = |message: String| CaseFault { message, line, column: 1 };
        let case = entry.value;
        let flow = case
            .flow
            .or_else(|| parsed.flow.clone())
            .ok_or_else(|| fault(format!("the case \"{}\" names no flow: write `flow: name` at the top of the file", case.name)))?;
        let now = case.given.now.as_ref().or(parsed.now.as_ref());
        let now =
            now.map(|text| text.parse::<Timestamp>()).transpose().map_err(|_| fault("`now` is a time such as 2026-03-01T12:00:00Z".to_owned()))?;
        let expect_line = case.expect.as_ref().and_then(|expect| {
            let at = u32::try_from(expect.referenced.line()).ok()?;
            expect_key_line(&lines, at)
        });
        let node = |raw: &Raw| raw.node(text);
        let mut parameters = Vec::new();
        for (name, raw) in &case.given.parameters {
            let value = node(raw);
            let value = value.as_text().ok_or_else(|| fault(format!("the parameter `{name}` is one value: write `{name}: value`")))?;
            parameters.push((name.clone(), value.to_owned()));
        }
        let payloads = |of: &IndexMap<String, Raw>| {
            of.iter()
                .map(|(object, raw)| match node(raw) {
                    Node::List(nodes) => (object.clone(), nodes),
                    one => (object.clone(), vec![one]),
                })
                .collect::<Vec<_>>()
        };
        let said = case.expect.as_ref().and_then(|expect| expect.value.sent.as_ref()).map(node);
        let (nothing, sent) = match said {
            None => (false, Vec::new()),
            Some(Node::Plain(word) | Node::Text(word)) if word == "nothing" => (true, Vec::new()),
            Some(Node::Map(objects)) => {
                let each = objects.into_iter().map(|(object, one)| match one {
                    Node::List(nodes) => (object, nodes),
                    one => (object, vec![one]),
                });
                (false, each.collect())
            }
            Some(_) => return Err(fault(format!("`sent` of the case \"{}\" names payloads by their object, or says `nothing`", case.name))),
        };
        let expected = case.expect.map(|expect| expect.value).map_or_else(Expected::default, |expect| Expected {
            nothing,
            sent,
            rejected: expect.rejected,
            review: expect.review,
            warned: expect.warned,
            not_eligible: expect.not_eligible,
            follow_ups: payloads(&expect.follow_ups),
        });
        let beside = |path: &str| beside(file, path, exists);
        cases.push(Case {
            name: case.name,
            flow,
            file: Arc::clone(&name),
            line,
            given: Given {
                record: beside(&case.given.record),
                with: case.given.with.iter().map(|(field, raw)| (field.clone(), node(raw))).collect(),
                matched: case.given.matched.iter().map(|(of, path)| (of.clone(), beside(path))).collect(),
                target: case.given.target.as_deref().map(beside),
                parameters,
                now,
            },
            expected,
            expect_line,
        });
    }
    Ok(cases)
}

/// The line of the `expect:` whose value begins at or below it.
fn expect_key_line(lines: &[&str], value_line: u32) -> Option<u32> {
    let from = (value_line as usize).min(lines.len());
    (0..from).rev().take(20).find(|at| lines[*at].trim_start().trim_start_matches("- ").starts_with("expect:")).map(|at| at as u32 + 1)
}

/// A path as a file names it: from its own folder if there is such a file, else from the project's.
pub(super) fn beside(file: &str, path: &str, exists: &dyn Fn(&str) -> bool) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if !parts.is_empty() => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if exists(&joined) { joined } else { path.trim_start_matches("./").to_owned() }
}

/// The case of a `test` item.
pub fn of_item(test: &ir::Test, exists: &dyn Fn(&str) -> bool) -> Case {
    let mut expected = Expected::default();
    for said in &test.expected {
        match said {
            ir::Expected::Sent { object, fields } => {
                let node = of_json(&Json::Object(fields.clone()));
                let name = object.to_string();
                match expected.sent.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, nodes)) => nodes.push(node),
                    None => expected.sent.push((name, vec![node])),
                }
            }
            ir::Expected::Nothing => expected.nothing = true,
            ir::Expected::Rejected(reasons) => expected.rejected = Some(reasons.clone()),
            ir::Expected::Review(reasons) => expected.review = Some(reasons.clone()),
            ir::Expected::Warned(reasons) => expected.warned = Some(reasons.clone()),
            ir::Expected::NotEligible => expected.not_eligible = true,
        }
    }
    Case {
        name: test.name.clone(),
        flow: test.flow.clone(),
        file: Arc::clone(&test.place.file),
        line: test.place.line,
        given: Given {
            record: beside(&test.file, &test.given, exists),
            with: test.with.iter().map(|(field, value)| (field.clone(), of_json(value))).collect(),
            matched: test.matched.iter().map(|(of, path)| (of.clone(), beside(&test.file, path, exists))).collect(),
            target: test.target.as_deref().map(|path| beside(&test.file, path, exists)),
            parameters: Vec::new(),
            now: test.now.as_deref().and_then(|text| text.parse().ok()),
        },
        expected,
        expect_line: None,
    }
}

fn of_json(json: &Json) -> Node {
    match json {
        Json::Null => Node::Null,
        Json::Bool(truth) => Node::Plain(truth.to_string()),
        Json::Number(number) => Node::Plain(number.to_string()),
        Json::String(text) => Node::Text(text.clone()),
        Json::Array(items) => Node::List(items.iter().map(of_json).collect()),
        Json::Object(fields) => Node::Map(fields.iter().map(|(name, value)| (name.clone(), of_json(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "flow: export\ncases:\n  - name: a UK order\n    given:\n      record: fixtures/uk.json\n      with: { ShippingPostalCode: 01234, Note: ~, Zip: \"00501\" }\n    expect:\n      sent:\n        wms.Order: { orderKey: sf-801x0, price: 1.10, country: NO }\n  - name: none\n    given: { record: a.json }\n    expect: { rejected: [\"the postal code is missing\"] }\n";

    #[test]
    fn scalars_keep_their_text() {
        let cases = read("cases/orders.yaml", FILE, &|_| false).unwrap();
        assert_eq!(cases[0].given.with["ShippingPostalCode"], Node::Plain("01234".into()));
        assert_eq!(cases[0].given.with["Note"], Node::Null);
        assert_eq!(cases[0].given.with["Zip"], Node::Text("00501".into()));
        let Node::Map(fields) = &cases[0].expected.sent[0].1[0] else { panic!("a mapping") };
        assert_eq!(fields["price"], Node::Plain("1.10".into()));
        assert!(fields["price"].matches(Some(&serde_json::json!(1.1))));
        assert!(fields["country"].matches(Some(&serde_json::json!("NO"))));
        assert_eq!(cases[1].expected.rejected.as_deref(), Some(&["the postal code is missing".to_owned()][..]));
        assert_eq!(cases[0].expect_line, Some(7));
        assert_eq!(cases[1].expect_line, Some(12));
    }

    #[test]
    fn a_misspelt_word_is_refused_with_its_line() {
        let fault = read("c.yaml", "flow: a\ncases:\n  - name: x\n    givn: {}\n", &|_| false).unwrap_err();
        assert!(fault.message.contains("givn"), "{}", fault.message);
        assert!(fault.line >= 3, "{fault:?}");
    }

    #[test]
    fn a_zip_code_stays_text_as_json() {
        assert_eq!(Node::Plain("01234".into()).to_json(), serde_json::json!("01234"));
        assert_eq!(Node::Plain("12.50".into()).to_json().to_string(), "12.50");
        assert_eq!(Node::Plain("2026-03-01".into()).to_json(), serde_json::json!("2026-03-01"));
    }
}
