//! Connections of GraphQL in a record: a list that is given page by page. A record whose lists are not whole is never taken as it is.

use super::find::Reads;
use crate::describe::model::{Get, Look, Request};
use crate::describe::{Path, PathStep};
use crate::fault::Fault;
use crate::value::Json;

/// Pages of one connection of one record.
const MOST_PAGES: usize = 1_000;

/// The word under which a connection says that there is more of it.
const MORE: &str = "\"hasNextPage\"";

/// Whether a connection in a record's text says that there is more of it than what was given.
///
/// Inside of a string no quote stands without a backslash before it, so that the word can only be a key.
pub(super) fn has_more(record: &str) -> bool {
    record.match_indices(MORE).any(|(at, word)| {
        let behind = record[at + word.len()..].trim_start().strip_prefix(':').map(str::trim_start);
        behind.is_some_and(|behind| behind.starts_with("true"))
    })
}

/// Where the connections of a record stand that were not given whole. A path with `*` leads to one in each element of a list.
fn cut(json: &Json, at: &mut Vec<PathStep>, found: &mut Vec<Path>) {
    match json {
        Json::Object(fields) => {
            if fields.contains_key("edges") && json["pageInfo"]["hasNextPage"] == Json::Bool(true) {
                found.push(Path { steps: at.clone(), span: crate::base::Span::default() });
            }
            for (name, value) in fields {
                at.push(PathStep::Name(name.clone()));
                cut(value, at, found);
                at.pop();
            }
        }
        Json::Array(items) => {
            at.push(PathStep::Each);
            items.iter().for_each(|item| cut(item, at, found));
            at.pop();
        }
        _ => {}
    }
}

impl<'a> Reads<'a> {
    /// Reads what is left of a record's connections. The inner result is what is wrong with this record alone.
    ///
    /// # Errors
    /// A call that failed, or the record has changed meanwhile: it is read again later.
    pub(super) async fn complete(&self, get: &'a Get, id: &str, record: &mut Json) -> Result<Result<(), Fault>, Fault> {
        let mut found = Vec::new();
        if self.link.of.graphql.is_some() {
            cut(record, &mut Vec::new(), &mut found);
        }
        let refused = |at: &Path, why: &str| {
            let why = format!("`{at}` of {} `{id}` has more elements than one answer gives, and {why}", self.object.name.node);
            Ok(Err(Fault::rejected("incomplete", why, Some(at.to_string()))))
        };
        for at in found {
            if at.is_many() {
                return refused(
                    &at,
                    "they stand in the elements of a list, where they cannot be asked for page by page: give `selection` a larger number",
                );
            }
            if !matches!(&get.look, Look::Ask { ask, .. } if matches!(ask.request, Request::GraphQl { .. })) {
                return refused(&at, "its record is not read by its id");
            }
            for page in 1.. {
                let Some(connection) = at.get(record).filter(|connection| connection["pageInfo"]["hasNextPage"] == Json::Bool(true)) else { break };
                let Some(cursor) = connection["pageInfo"]["endCursor"].as_str().filter(|cursor| !cursor.is_empty()) else {
                    return refused(&at, "no `endCursor` says where the next begin");
                };
                if page > MOST_PAGES {
                    return refused(&at, "there is no end of its pages");
                }
                let mut only = self.record_fields().only(&at, &self.known_by());
                only.argument(&names(&at), "after", Json::from(cursor));
                let Some((text, parts)) = self.text(get, id, Some(only)).await? else {
                    return Err(Fault::transient(format!("{} `{id}` went away while its `{at}` was read", self.object.name.node)));
                };
                let mut next = self.json(&text, &parts)?;
                let stamp = |record: &Json| self.object.stamp.as_ref().and_then(|stamp| stamp.get(record)).cloned();
                if stamp(&next) != stamp(record) {
                    return Err(Fault::transient(format!("{} `{id}` changed while its `{at}` was read", self.object.name.node)));
                }
                let next = names(&at).iter().try_fold(&mut next, |json, name| json.get_mut(name)).map(Json::take).unwrap_or_default();
                let is_new = next["pageInfo"]["hasNextPage"] != Json::Bool(true) || next["pageInfo"]["endCursor"] != *cursor;
                let next = if let Json::Object(mut next) = next { next.remove("edges").zip(next.remove("pageInfo")) } else { None };
                let Some((Json::Array(edges), info)) = next.filter(|_| is_new) else {
                    return Err(Fault::transient(format!("`{at}` of {} `{id}` has no page behind the cursor `{cursor}`", self.object.name.node)));
                };
                let held = names(&at).iter().try_fold(&mut *record, |json, name| json.get_mut(name)).and_then(Json::as_object_mut);
                if let Some(held) = held {
                    if let Some(Json::Array(known)) = held.get_mut("edges") {
                        known.extend(edges);
                    }
                    held.insert("pageInfo".to_owned(), info);
                }
            }
        }
        Ok(Ok(()))
    }
}

/// The names of a path without `*`.
fn names(path: &Path) -> Vec<String> {
    path.steps.iter().filter_map(|step| if let PathStep::Name(name) = step { Some(name.clone()) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_says_that_there_is_more() {
        for cut in [r#"{"a":{"edges":[],"pageInfo":{"hasNextPage":true}}}"#, r#"{"pageInfo":{"hasNextPage" : true}}"#] {
            assert!(has_more(cut), "{cut}");
        }
        for whole in [r#"{"pageInfo":{"hasNextPage":false}}"#, r#"{"a":"\"hasNextPage\":true"}"#, r#"{"a":"hasNextPage","b":true}"#, "{}"] {
            assert!(!has_more(whole), "{whole}");
        }
    }
}
