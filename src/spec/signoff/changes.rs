//! What a mapping does otherwise than the one that was signed last.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Document;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `export_orders · upsert wms.Order · shipTo.city`
    pub at: String,
    /// Absent: it is new.
    pub was: Option<String>,
    /// Absent: it is gone.
    pub is: Option<String>,
}

/// All differences that matter to who signs, in the order of the new document; what is gone comes last. Examples and
/// lines of files are none.
pub fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let (was, is) = (said(old), said(new));
    let known: BTreeMap<&str, &str> = was.iter().map(|(at, text)| (at.as_str(), text.as_str())).collect();
    let mut found = Vec::new();
    for (at, text) in &is {
        let before = known.get(at.as_str()).copied();
        if before != Some(text.as_str()) {
            found.push(Change { at: at.clone(), was: before.map(str::to_owned), is: Some(text.clone()) });
        }
    }
    let left: BTreeMap<&str, ()> = is.iter().map(|(at, _)| (at.as_str(), ())).collect();
    for (at, text) in was.iter().filter(|(at, _)| !left.contains_key(at.as_str())) {
        found.push(Change { at: at.clone(), was: Some(text.clone()), is: None });
    }
    found
}

/// All that a document says, by where it says it.
fn said(document: &Document) -> Vec<(String, String)> {
    let mut said: Vec<(String, String)> = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut say = |at: String, text: String| {
        // The same place twice (two writes of one object) is told apart by its number.
        let count = counts.entry(at.clone()).or_default();
        *count += 1;
        said.push((if *count > 1 { format!("{at} ({count})") } else { at }, text));
    };
    say("time zone".to_owned(), document.time_zone.clone());
    for parameter in &document.parameters {
        say(format!("parameter {}", parameter.name), parameter.is.clone());
    }
    for flow in &document.flows {
        let name = &flow.name;
        say(format!("{name} · from"), flow.source.clone());
        say(format!("{name} · when"), flow.when.join("; "));
        say(format!("{name} · which records"), flow.eligible.join(" and "));
        for one in &flow.matches {
            say(format!("{name} · match {}", one.name), one.is.clone());
        }
        for one in &flow.lets {
            say(format!("{name} · {}", one.name), one.is.clone());
        }
        for route in &flow.routes {
            for (condition, results) in &route.rows {
                say(format!("{name} · route {} · {condition}", route.results.join(", ")), results.join(", "));
            }
        }
        for write in &flow.writes {
            let after = write.after.as_ref().map(|after| format!("when {after} · ")).unwrap_or_default();
            let at = format!("{name} · {after}{}", write.name);
            let head = [write.condition.as_ref().map(|when| format!("when {when}")), write.key.as_ref().map(|key| format!("key {key}"))];
            let head: Vec<String> = head.into_iter().flatten().chain([write.guarantee.clone()]).collect();
            say(at.clone(), head.join("; "));
            for field in &write.fields {
                say(format!("{at} · {}", field.field), format!("{} (empty: {})", field.rule, field.empty));
            }
        }
        for reason in &flow.reasons {
            let owner = reason.owner.as_ref().map(|owner| format!(", for {owner}")).unwrap_or_default();
            say(format!("{name} · {} · {}", reason.what, reason.when), format!("{}{owner}", reason.message));
        }
    }
    for map in &document.values {
        for (from, to) in &map.rows {
            say(format!("values {} · {from}", map.name), to.clone());
        }
        say(format!("values {} · anything else", map.name), map.otherwise.clone());
    }
    said
}
