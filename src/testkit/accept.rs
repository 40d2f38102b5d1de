//! Writes what came out as a case's new expectation, leaving the rest of the file as it stands.

use super::Node;
use super::cases::Expected;
use crate::eval::{Outcome, Payload, Reason, Verdict};
use crate::value::Json;

/// How much of an outcome is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What the case asserted before, with the values that came out.
    Kept,
    /// All of it.
    Whole,
}

/// The file's text with the `expect:` of the case at `line` (of the word `expect:`, from 1) replaced.
/// `None` where there is no such line.
pub fn rewrite(text: &str, line: u32, expected: &Expected, outcome: &Outcome, size: Size) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = (line as usize).checked_sub(1)?;
    let head = lines.get(at)?;
    let begin = head.find("expect:")?;
    let end = (at + 1..lines.len())
        .find(|next| {
            let line = lines[*next];
            !line.trim().is_empty() && line.len() - line.trim_start().len() <= begin
        })
        .unwrap_or(lines.len());
    let wanted = match size {
        Size::Whole => whole(outcome),
        Size::Kept => kept(expected, outcome),
    };
    let mut out: Vec<String> = lines[..at].iter().map(|line| (*line).to_owned()).collect();
    // What stood on one line stays on one, where there is room for it.
    let on_one = head[begin..].trim_start_matches("expect:").trim_start().starts_with('{');
    let flow = format!("{}expect: {}", &head[..begin], flow_style(&wanted));
    if on_one && flow.chars().count() <= WIDEST {
        out.push(flow);
    } else {
        out.push(format!("{}expect:", &head[..begin]));
        out.extend(block_style(&wanted).into_iter().map(|line| format!("{}{line}", " ".repeat(begin + 2))));
    }
    // Blank lines and comments between this case and the next stay where they were.
    let kept = (at + 1..end).rev().take_while(|line| {
        let line = lines[*line].trim();
        line.is_empty() || line.starts_with('#')
    });
    out.extend(lines[end - kept.count()..].iter().map(|line| (*line).to_owned()));
    let mut text = out.join("\n");
    text.push('\n');
    Some(text)
}

/// Columns that an expectation on one line may have.
const WIDEST: usize = 140;

/// An expectation: each word with what it says, as JSON.
type Wanted = Vec<(&'static str, Json)>;

/// All of an outcome.
fn whole(outcome: &Outcome) -> Wanted {
    let mut wanted = verdict(outcome);
    if !outcome.warnings.is_empty() {
        wanted.push(("warned", messages(outcome.warnings.iter())));
    }
    if outcome.verdict == Verdict::Ready && outcome.payloads.is_empty() {
        wanted.push(("sent", Json::from("nothing")));
    } else if outcome.verdict != Verdict::Rejected {
        by_object(&mut wanted, "sent", &outcome.payloads);
    }
    by_object(&mut wanted, "follow_ups", &outcome.follow_ups);
    wanted
}

/// What a case asserted, with what came out; and how it ended, where that is another end.
fn kept(expected: &Expected, outcome: &Outcome) -> Wanted {
    let mut wanted = verdict(outcome);
    if expected.warned.is_some() {
        wanted.push(("warned", messages(outcome.warnings.iter())));
    }
    let goes_out = matches!(outcome.verdict, Verdict::Ready | Verdict::Review);
    if outcome.verdict == Verdict::Ready && outcome.payloads.is_empty() {
        wanted.push(("sent", Json::from("nothing")));
    } else if goes_out && !expected.sent.is_empty() {
        asserted(&mut wanted, "sent", &expected.sent, &outcome.payloads);
    } else if outcome.verdict == Verdict::Ready && expected.warned.is_none() {
        // The case said nothing of payloads: which there are, by their keys.
        let mut keys = Vec::new();
        for payload in &outcome.payloads {
            let field = match (&payload.key_field, &payload.key) {
                (Some(field), Some(key)) => Json::Object([(field.clone(), Json::String(key.clone()))].into_iter().collect()),
                _ => Json::Object(serde_json::Map::new()),
            };
            keys.push((payload.object.to_string(), field));
        }
        wanted.push(("sent", grouped(keys)));
    }
    if !expected.follow_ups.is_empty() {
        asserted(&mut wanted, "follow_ups", &expected.follow_ups, &outcome.follow_ups);
    }
    wanted
}

fn verdict(outcome: &Outcome) -> Wanted {
    let reasons = |review: bool| messages(outcome.reasons.iter().filter(move |reason| reason.review == review));
    match outcome.verdict {
        Verdict::NotEligible => vec![("not_eligible", Json::Bool(true))],
        Verdict::Rejected => vec![("rejected", reasons(false))],
        Verdict::Review => vec![("review", reasons(true))],
        Verdict::Ready => Vec::new(),
    }
}

fn messages<'r>(reasons: impl Iterator<Item = &'r Reason>) -> Json {
    reasons.map(|reason| Json::String(reason.message.clone())).collect()
}

fn by_object(wanted: &mut Wanted, word: &'static str, payloads: &[Payload]) {
    if !payloads.is_empty() {
        wanted.push((word, grouped(payloads.iter().map(|payload| (payload.object.to_string(), fields(payload))).collect())));
    }
}

/// By object: its one payload, or a list of them.
fn grouped(payloads: Vec<(String, Json)>) -> Json {
    let mut objects: indexmap::IndexMap<String, Vec<Json>> = indexmap::IndexMap::new();
    for (object, fields) in payloads {
        objects.entry(object).or_default().push(fields);
    }
    let one = |mut all: Vec<Json>| if all.len() == 1 { all.remove(0) } else { Json::Array(all) };
    Json::Object(objects.into_iter().map(|(object, all)| (object, one(all))).collect())
}

/// The body with its key first.
fn fields(payload: &Payload) -> Json {
    let mut fields = serde_json::Map::new();
    if let (Some(name), Some(key)) = (&payload.key_field, &payload.key) {
        fields.insert(name.clone(), Json::String(key.clone()));
    }
    if let Json::Object(body) = &payload.body {
        fields.extend(body.clone());
    }
    Json::Object(fields)
}

/// Of the objects that a case named: the fields that it named, with what came out.
fn asserted(wanted: &mut Wanted, word: &'static str, expected: &[(String, Vec<Node>)], payloads: &[Payload]) {
    let mut objects = serde_json::Map::new();
    for (object, nodes) in expected {
        let actual: Vec<Json> = payloads.iter().filter(|payload| payload.object.to_string() == *object).map(fields).collect();
        let told: Vec<Json> = actual
            .iter()
            .enumerate()
            // Where there are more payloads than before, the new ones are told as the last one was.
            .map(|(at, fields)| nodes.get(at).or(nodes.last()).map_or_else(|| fields.clone(), |node| only(node, Some(fields))))
            .collect();
        let told = if told.len() == 1 { told.into_iter().next().unwrap_or(Json::Null) } else { Json::Array(told) };
        objects.insert(object.clone(), told);
    }
    wanted.push((word, Json::Object(objects)));
}

/// What came out, as far as a case asserted it.
fn only(node: &Node, actual: Option<&Json>) -> Json {
    match (node, actual) {
        (Node::Map(named), Some(Json::Object(fields))) => {
            Json::Object(named.iter().map(|(name, inner)| (name.clone(), only(inner, fields.get(name)))).collect())
        }
        (Node::List(items), Some(Json::Array(actual))) if items.iter().any(|item| matches!(item, Node::Map(_))) => actual
            .iter()
            .enumerate()
            .map(|(at, one)| items.get(at).or(items.last()).map_or_else(|| one.clone(), |item| only(item, Some(one))))
            .collect(),
        (_, Some(actual)) => actual.clone(),
        // It is not sent any more.
        (_, None) => Json::Null,
    }
}

fn flow_style(wanted: &Wanted) -> String {
    fn of(json: &Json) -> String {
        match json {
            Json::Object(fields) if fields.is_empty() => "{}".to_owned(),
            Json::Object(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", of(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Json::Array(items) => format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(", ")),
            Json::String(word) if word == "nothing" => word.clone(),
            other => other.to_string(),
        }
    }
    let parts: Vec<String> = wanted.iter().map(|(word, value)| format!("{word}: {}", of(value))).collect();
    format!("{{ {} }}", parts.join(", "))
}

fn block_style(wanted: &Wanted) -> Vec<String> {
    let mut lines = Vec::new();
    for (word, value) in wanted {
        match value {
            Json::Object(objects) => {
                lines.push(format!("{word}:"));
                for (object, payloads) in objects {
                    match payloads {
                        Json::Array(all) if !all.is_empty() => {
                            lines.push(format!("  {object}:"));
                            for one in all {
                                let mut block = Vec::new();
                                yaml(&mut block, one, 0);
                                lines.extend(
                                    block.into_iter().enumerate().map(|(at, line)| format!("    {}{line}", if at == 0 { "- " } else { "  " })),
                                );
                            }
                        }
                        Json::Object(fields) if !fields.is_empty() => {
                            lines.push(format!("  {object}:"));
                            yaml(&mut lines, payloads, 4);
                        }
                        other => lines.push(format!("  {object}: {other}")),
                    }
                }
            }
            Json::Array(messages) if !messages.is_empty() => {
                lines.push(format!("{word}:"));
                lines.extend(messages.iter().map(|message| format!("  - {message}")));
            }
            Json::String(text) if text == "nothing" => lines.push(format!("{word}: nothing")),
            other => lines.push(format!("{word}: {other}")),
        }
    }
    lines
}

/// JSON in YAML's block form; texts always in quotes, so that none turns into something else.
fn yaml(lines: &mut Vec<String>, json: &Json, indent: usize) {
    let pad = " ".repeat(indent);
    let Json::Object(fields) = json else { return };
    if fields.is_empty() {
        lines.push(format!("{pad}{{}}"));
    }
    for (name, value) in fields {
        match value {
            Json::Object(inner) if !inner.is_empty() => {
                lines.push(format!("{pad}{name}:"));
                yaml(lines, value, indent + 2);
            }
            Json::Array(items) if items.iter().any(Json::is_object) => {
                lines.push(format!("{pad}{name}:"));
                for item in items {
                    let mut block = Vec::new();
                    yaml(&mut block, item, 0);
                    for (at, line) in block.into_iter().enumerate() {
                        lines.push(format!("{pad}  {}{line}", if at == 0 { "- " } else { "  " }));
                    }
                }
            }
            // JSON is YAML, written on one line.
            other => lines.push(format!("{pad}{name}: {other}")),
        }
    }
}
