//! Writes what came out as a case's new expectation, leaving the rest of the file as it stands.

use super::judge;
use crate::apply::{Outcome, Payload, Verdict};
use crate::value::Json;

/// The file's text with the `expect:` of the case at `line` (of the word `expect:`, from 1) replaced.
/// `None` where there is no such line.
pub fn rewrite(text: &str, line: u32, outcome: &Outcome) -> Option<String> {
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
    let mut out: Vec<String> = lines[..at].iter().map(|line| (*line).to_owned()).collect();
    out.push(format!("{}expect:", &head[..begin]));
    out.extend(expectation(outcome).into_iter().map(|line| format!("{}{line}", " ".repeat(begin + 2))));
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

/// An outcome as the lines of an `expect:`.
pub fn expectation(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    let list = |lines: &mut Vec<String>, word: &str, messages: Vec<&str>| {
        lines.push(format!("{word}:"));
        lines.extend(messages.into_iter().map(|message| format!("  - {}", quote(message))));
    };
    match outcome.verdict {
        Verdict::NotEligible => lines.push("not_eligible: true".to_owned()),
        Verdict::Rejected => {
            list(&mut lines, "rejected", outcome.reasons.iter().filter(|r| !r.review).map(|r| r.message.as_str()).collect());
        }
        Verdict::Review => {
            list(&mut lines, "review", outcome.reasons.iter().filter(|r| r.review).map(|r| r.message.as_str()).collect());
        }
        Verdict::Ready => {}
    }
    if !outcome.warnings.is_empty() {
        list(&mut lines, "warned", outcome.warnings.iter().map(|r| r.message.as_str()).collect());
    }
    if outcome.verdict != Verdict::Rejected {
        sent(&mut lines, "sent", &outcome.payloads);
    }
    sent(&mut lines, "follow_ups", &outcome.follow_ups);
    if lines.is_empty() {
        lines.push(format!("{{}} # {}", judge::words(outcome.verdict)));
    }
    lines
}

fn sent(lines: &mut Vec<String>, word: &str, payloads: &[Payload]) {
    if payloads.is_empty() {
        return;
    }
    lines.push(format!("{word}:"));
    let mut objects: Vec<String> = Vec::new();
    for payload in payloads {
        let object = payload.object.to_string();
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    for object in objects {
        let of: Vec<&Payload> = payloads.iter().filter(|payload| payload.object.to_string() == object).collect();
        lines.push(format!("  {object}:"));
        for payload in &of {
            let mut fields = serde_json::Map::new();
            if let (Some(name), Some(key)) = (&payload.key_field, &payload.key) {
                fields.insert(name.clone(), Json::String(key.clone()));
            }
            if let Json::Object(body) = &payload.body {
                fields.extend(body.clone());
            }
            let mut block = Vec::new();
            yaml(&mut block, &Json::Object(fields), 0);
            let many = of.len() > 1;
            for (at, line) in block.into_iter().enumerate() {
                let mark = if !many {
                    ""
                } else if at == 0 {
                    "- "
                } else {
                    "  "
                };
                lines.push(format!("    {mark}{line}"));
            }
        }
    }
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

fn quote(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}
