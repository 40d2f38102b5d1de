//! The objects of a draft whose system speaks GraphQL: connections, single records by id, mutations.

use super::found::fields;
use super::page::Text;
use super::words::{self, is};
use crate::apispec::{ApiSpec, Method, Operation, Place, Shape, TypeId};
use crate::yaml::quoted;

/// A query that gives records page by page.
pub(super) struct Connection<'a> {
    pub(super) name: String,
    pub(super) query: &'a Operation,
    /// The field of the answer that is the connection; empty where the answer is one.
    at: String,
    item: TypeId,
    /// The connection takes `first` and `after` itself, and not the query.
    inside: bool,
}

/// The queries of an API that give connections.
pub(super) fn connections(api: &ApiSpec) -> Vec<Connection<'_>> {
    let queries = api.operations.iter().filter(|operation| operation.method == Method::Query);
    let mut found: Vec<Connection<'_>> = Vec::new();
    for query in queries {
        let Some(body) = query.answers.get("200").and_then(|answer| answer.body) else { continue };
        let own = node(api, body).map(|item| (String::new(), item, false));
        let below = || {
            fields(api, body)
                .find_map(|(name, field)| Some((name.clone(), node(api, field.ty)?, field.arguments.iter().any(|argument| argument.name == "after"))))
        };
        let Some((at, item, inside)) = own.or_else(below) else { continue };
        let name = api.ty(item).name.clone().unwrap_or_else(|| words::object_name(&query.name));
        let one = Connection { name, query, at, item, inside };
        match found.iter_mut().find(|known| known.name == one.name) {
            Some(known) if known.query.name.len() <= one.query.name.len() => {}
            Some(known) => *known = one,
            None => found.push(one),
        }
    }
    found
}

/// What a connection's edges lead to.
fn node(api: &ApiSpec, ty: TypeId) -> Option<TypeId> {
    let edges = fields(api, ty).find(|(name, _)| *name == "edges")?.1.ty;
    let Shape::List(edge) = api.ty(edges).shape else { return None };
    fields(api, edge).find(|(name, _)| *name == "node").map(|(_, field)| field.ty)
}

pub(super) fn object(api: &ApiSpec, found: &Connection<'_>, out: &mut Text) {
    let dot = |at: &str, rest: &str| if at.is_empty() { rest.to_owned() } else { format!("{at}.{rest}") };
    let has = |name: &str| fields(api, found.item).any(|(known, _)| known == name);
    out.line(2, &format!("{}:", quoted(&found.name)));
    if has("id") {
        out.line(4, "id: id");
    } else {
        out.todo(4, "id: which field tells one record from all others?");
    }
    match super::found::field(api, found.item, words::CHANGED) {
        Some(stamp) => out.guess(4, &format!("stamp: {stamp}"), "its name is that of the time of the last change"),
        None => out.todo(4, "stamp: no field looks like the time of a record's last change."),
    }
    let argument = |words: &[&str]| super::found::parameter(found.query, words).map(str::to_owned);
    let (from, to) = (argument(words::CHANGED_FROM), argument(words::CHANGED_TO));
    out.line(4, "changes:");
    out.line(6, &format!("- name: {}", words::plain(&found.query.name)));
    out.line(8, &format!("query: {}", found.query.name));
    let mut arguments: Vec<String> = Vec::new();
    arguments.extend(from.iter().map(|name| format!("{name}: \"{{from}}\"")));
    arguments.extend(to.iter().map(|name| format!("{name}: \"{{until}}\"")));
    if !arguments.is_empty() {
        out.guess(8, &format!("arguments: {{ {} }}", arguments.join(", ")), "the names of the arguments");
    }
    if !found.at.is_empty() {
        out.line(8, &format!("connection: {}", found.at));
    }
    out.line(8, &format!("records: {}", dot(&found.at, "edges.*.node")));
    let (to_after, first) = if found.inside { (dot(&found.at, "after"), dot(&found.at, "first")) } else { ("after".to_owned(), "first".to_owned()) };
    let page = format!(
        "page: {{ token: {}, more: {}, to: {to_after}, size: {first}, most: 50 }}",
        dot(&found.at, "pageInfo.endCursor"),
        dot(&found.at, "pageInfo.hasNextPage")
    );
    out.line(8, &page);
    if to.is_some() {
        out.guess(8, "until: { lag: 1 minute }", "the newest moment is left to the next poll");
    } else {
        out.todo(8, "until: no argument closes the window from above. Does a cursor keep to what was there when it was given?");
    }
    match from {
        Some(_) => out.guess(8, "overlap: 5 minutes", "how late a change may show is said nowhere"),
        None => out.todo(8, "no argument of the query looks like \"changed since\". Is there a filter that can be sent `{from}`?"),
    }
    single(api, found, out);
    find(api, found, &dot(&found.at, "edges.*.node"), out);
    writes(api, found, has("id"), out);
}

/// The query that gives one record by its id.
fn single(api: &ApiSpec, found: &Connection<'_>, out: &mut Text) {
    let one = api.operations.iter().filter(|operation| operation.method == Method::Query).find_map(|operation| {
        let by = operation.parameters.iter().find(|parameter| parameter.place == Place::Argument && parameter.name == "id")?;
        let body = operation.answers.get("200")?.body?;
        let record = if body == found.item { String::new() } else { fields(api, body).find(|(_, field)| field.ty == found.item)?.0.clone() };
        Some((operation, by, record))
    });
    match one {
        Some((operation, by, record)) => {
            let record = if record.is_empty() { String::new() } else { format!(", record: {record}") };
            out.line(4, &format!("get: {{ query: {}, arguments: {{ {}: \"{{id}}\" }}{record} }}", operation.name, by.name));
        }
        None => out.todo(4, "get: no query gives one record by its id."),
    }
}

fn find(api: &ApiSpec, found: &Connection<'_>, records: &str, out: &mut Text) {
    let text = |ty: TypeId| api.ty(ty).shape == Shape::Text && api.ty(ty).values.is_empty() && api.ty(ty).format.is_none();
    let of: Vec<&String> = fields(api, found.item)
        .filter(|(name, field)| *name != "id" && text(field.ty))
        .map(|(name, _)| name)
        .filter(|name| found.query.parameters.iter().any(|parameter| parameter.name == **name))
        .take(6)
        .collect();
    if of.is_empty() {
        out.todo(4, "find: no argument of the query is a field of its records. By what can a record be looked up?");
        return;
    }
    out.line(4, "find:");
    let connection = if found.at.is_empty() { String::new() } else { format!(", connection: {}", found.at) };
    for name in of {
        let line = format!(
            "{name}: {{ query: {}, arguments: {{ {name}: \"{{value}}\" }}{connection}, first: 10, records: {records}, filter: exact }}",
            found.query.name
        );
        out.guess(6, &line, "the query has an argument of this name");
    }
}

fn writes(api: &ApiSpec, found: &Connection<'_>, has_id: bool, out: &mut Text) {
    let object = words::plain(&found.name);
    let mutation = |verbs: &[&str]| {
        let named = |operation: &&Operation| {
            let name = words::plain(&operation.name);
            operation.method == Method::Mutation && verbs.iter().any(|verb| name == format!("{object}{verb}") || name == format!("{verb}{object}"))
        };
        api.operations.iter().find(named)
    };
    let (create, update) = (mutation(&["create"]), mutation(&["update"]));
    if create.is_none() && update.is_none() {
        out.todo(4, "writes: no mutation that makes or changes such a record was recognized.");
        return;
    }
    out.line(4, "writes:");
    // The argument with the record: the one that is an object.
    let input = |operation: &Operation| {
        let is_object = |ty: TypeId| fields(api, ty).count() > 0;
        operation.parameters.iter().find(|parameter| is_object(parameter.ty)).map(|parameter| (parameter.name.clone(), parameter.ty))
    };
    let receipt = |operation: &Operation, created: &str, out: &mut Text| {
        let body = operation.answers.get("200").and_then(|answer| answer.body);
        let at = body
            .filter(|body| *body != found.item)
            .and_then(|body| fields(api, body).find(|(_, field)| field.ty == found.item).map(|(name, _)| name.clone()));
        match (at, has_id) {
            (Some(at), true) => out.line(8, &format!("receipt: {{ at: {at}, id: id{created} }}")),
            (None, true) if body == Some(found.item) => out.line(8, &format!("receipt: {{ id: id{created} }}")),
            _ => out.todo(8, "receipt: where does the answer have the id of what was written? `receipt: { at: …, id: id }`"),
        }
    };
    if let Some(create) = create {
        out.line(6, "create:");
        let key_of =
            words::KEYS.iter().find_map(|word| fields(api, input(create)?.1).map(|(name, _)| name).find(|name| words::plain(name) == *word).cloned());
        match key_of {
            Some(key) => out.guess(8, &format!("key: {key}"), "a field that we choose, by its name"),
            None => out.todo(8, "key: which field of the record do we choose, so that the record is known by it?"),
        }
        out.line(8, &format!("mutation: {}", create.name));
        if let Some((name, _)) = input(create) {
            out.line(8, &format!("arguments: {{ {name}: \"{{item}}\" }}"));
        }
        out.line(8, "guarantee: { by: none }");
        out.todo(8, "what does the system do with a second record with the same key? If its docs say that it is refused: `by: key`; if a search finds it again: `by: mark`.");
        receipt(create, ", created: true", out);
    }
    if let Some(update) = update {
        out.line(6, "update:");
        out.line(8, &format!("mutation: {}", update.name));
        let arguments = input(update).and_then(|(name, ty)| {
            let id = fields(api, ty).map(|(name, _)| name.clone()).find(|name| is(name, &["id", &format!("{object}id")]))?;
            Some(format!("arguments: {{ {name}: {{ {id}: \"{{id}}\", \"...\": \"{{item}}\" }} }}"))
        });
        match arguments {
            Some(arguments) => {
                out.guess(8, &arguments, "the field with the id, by its name");
                out.guess(8, "guarantee: { by: set, source: \"the call names the record\" }", "values are absolute: nothing is added up");
            }
            None => {
                out.line(8, "guarantee: { by: none }");
                out.todo(
                    8,
                    "arguments: where do the id and the record go? `arguments: { data: { id: \"{id}\", \"...\": \"{item}\" } }`, with `by: set`",
                );
            }
        }
        receipt(update, "", out);
    }
}
