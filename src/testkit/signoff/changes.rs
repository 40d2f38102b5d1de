//! What a mapping does otherwise than the one that was signed last.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Document, FORM, RoutePart};

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
    let (was, mut is) = (said(old), said(new));
    if old.version < FORM {
        // What that form did not have is said once, as a whole.
        is.retain(|(at, _)| !at.starts_with(TABLE) && !at.starts_with(PROMISE) && !at.contains(SETTING));
        let rows: usize = new.tables.iter().map(|table| table.rows.len()).sum();
        if rows > 0 {
            let tables = new.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
            is.push(("lookup tables".to_owned(), format!("{tables}: {rows} rows, which were no part of what was signed then")));
        }
        if !new.promises.is_empty() {
            let promises = new.promises.iter().map(|promise| promise.name.as_str()).collect::<Vec<_>>().join(", ");
            is.push(("promises".to_owned(), format!("{promises}, which were no part of what was signed then")));
        }
    }
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
    found.extend(orders(old, new));
    // Nothing goes by unseen: what the document has no words for is said as that.
    if found.is_empty() && old.version == FORM && old.meaning != new.meaning {
        let hash = |of: &Document| Some(format!("the mapping {}", of.meaning.get(..12).unwrap_or_default()));
        found.push(Change {
            at: "something that this page does not show (`crossdock plan --format json` has all of it)".to_owned(),
            was: hash(old),
            is: hash(new),
        });
    }
    found
}

/// Rows of a route that stand in another order: the first that fits wins, so that is a change. Rows that only one state has are
/// told as rows; but where they are put counts, too.
fn orders(old: &Document, new: &Document) -> Vec<Change> {
    let mut found = Vec::new();
    for flow in &new.flows {
        let Some(before) = old.flows.iter().find(|before| before.name == flow.name) else { continue };
        for route in &flow.routes {
            let Some(was) = before.routes.iter().find(|was| was.results == route.results) else { continue };
            let common = |of: &RoutePart, other: &RoutePart| -> Vec<String> {
                of.rows.iter().filter(|row| other.rows.iter().any(|known| known.0 == row.0)).map(|row| row.0.clone()).collect()
            };
            let (was_order, is_order) = (common(was, route), common(route, was));
            if was_order != is_order {
                let at = format!("{} · route {} · order of the rows", flow.name, route.results.join(", "));
                found.push(Change { at, was: Some(was_order.join(", then ")), is: Some(is_order.join(", then ")) });
            }
        }
    }
    found
}

/// With what the places of tables, promises and settings begin.
const TABLE: &str = "table ";
const PROMISE: &str = "promise ";
const SETTING: &str = " · setting · ";

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
        for one in &flow.settings {
            say(format!("{name}{SETTING}{}", one.word), one.is.clone());
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
            let head: Vec<String> = head.into_iter().flatten().chain(write.repeat.clone()).chain([write.guarantee.clone()]).collect();
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
    for table in &document.tables {
        say(format!("{TABLE}{} · columns", table.name), table.columns.join(", "));
        for row in &table.rows {
            let (key, rest) = row.split_at(table.keys.min(row.len()));
            let columns = table.columns.iter().skip(table.keys);
            let cells: Vec<String> =
                columns.zip(rest).map(|(column, cell)| format!("{column} {}", if cell.is_empty() { "(none)" } else { cell })).collect();
            say(format!("{TABLE}{} · {}", table.name, key.join(", ")), cells.join(", "));
        }
    }
    for promise in &document.promises {
        let owner = promise.owner.as_ref().map(|owner| format!(", for {owner}")).unwrap_or_default();
        say(format!("{PROMISE}{}", promise.name), format!("{}: {}{owner}", promise.is, promise.message));
    }
    said
}
