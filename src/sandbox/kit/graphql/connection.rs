//! Connections: pages of a list by cursors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, json};

use crate::value::Json;

/// What is asked of a connection, and how large its pages are without that.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub arguments: &'a Map<String, Json>,
    /// Nodes of a page where neither `first` nor `last` is given.
    pub usual: usize,
}

/// A cursor is a place in the list, as a Relay server over arrays prints it: what is inserted before it moves what follows.
fn cursor(at: usize) -> String {
    STANDARD.encode(format!("arrayconnection:{at}"))
}

fn place(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("arrayconnection:")?.parse().ok()
}

/// A page of a list: `pageInfo` and `edges`, of which only the nodes that are in it are printed.
///
/// # Errors
/// `first` or `last` is negative. A cursor that cannot be read is no error: Relay's servers ignore it.
pub fn page<T>(all: &[T], page: Page<'_>, mut print: impl FnMut(&T) -> Json) -> Result<Json, String> {
    let number = |name: &str| page.arguments.get(name).and_then(Json::as_i64);
    let (first, last) = (number("first"), number("last"));
    if first.is_some_and(|first| first < 0) || last.is_some_and(|last| last < 0) {
        return Err("first and last can't be negative values".to_owned());
    }
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let given = |name: &str| page.arguments.get(name).and_then(Json::as_str).and_then(place);
    let begin = given("after").map_or(0, |at| at.saturating_add(1)).min(all.len());
    let end = given("before").unwrap_or(all.len()).clamp(begin, all.len());
    let (mut from, mut to) = (begin, end);
    if let Some(first) = first {
        to = to.min(from.saturating_add(count(first)));
    }
    if let Some(last) = last {
        from = from.max(to.saturating_sub(count(last)));
    }
    if first.is_none() && last.is_none() {
        to = to.min(from.saturating_add(page.usual));
    }
    let edges: Vec<Json> = (from..to).map(|at| json!({"node": print(&all[at]), "cursor": cursor(at)})).collect();
    let (start, stop) = if edges.is_empty() { (Json::Null, Json::Null) } else { (Json::from(cursor(from)), Json::from(cursor(to - 1))) };
    Ok(json!({
        "pageInfo": {"hasNextPage": to < end, "hasPreviousPage": last.is_some() && from > begin, "startCursor": start, "endCursor": stop},
        "edges": edges,
    }))
}
