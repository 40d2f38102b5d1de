//! What an API's description says of one kind of records: its list, its single record, how they are written.

use super::words::{self, is};
use crate::apispec::{ApiSpec, Method, Operation, Place, Property, Shape, TypeId};
use crate::describe::is_object_name;

/// A list of records, and the calls around it.
pub(super) struct Found<'a> {
    /// `Order`
    pub(super) name: String,
    pub(super) list: &'a Operation,
    /// Where the records stand in the answer; empty where the answer is the list.
    pub(super) records: String,
    pub(super) item: TypeId,
    /// One record by its id, where the record stands in the answer, and the parameter.
    pub(super) get: Option<(&'a Operation, String, String)>,
}

/// The body of a success.
pub(super) fn answer(operation: &Operation) -> Option<TypeId> {
    ["200", "201", "202", "2XX", "default"].iter().find_map(|status| operation.answers.get(*status)?.body)
}

/// All lists of records, one for each kind: the shortest path gives it.
pub(super) fn lists(api: &ApiSpec) -> Vec<Found<'_>> {
    let mut found: Vec<Found<'_>> = Vec::new();
    let prefix = prefix(api);
    for operation in api.operations.iter().filter(|operation| operation.method == Method::Get) {
        let rest = operation.path.strip_prefix(&prefix).unwrap_or(&operation.path);
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        // A list below one record is a part of that one.
        if parts.iter().any(|part| part.contains('{')) {
            continue;
        }
        let Some(last) = parts.last() else { continue };
        let Some((records, item)) = answer(operation).and_then(|body| list_in(api, body, last)) else { continue };
        let name = api.ty(item).name.clone().filter(|name| fits(name, last)).unwrap_or_else(|| words::object_name(last));
        let get = single(api, operation, item);
        if !is_object_name(&words::object_name(&name)) {
            continue;
        }
        let one = Found { name: words::object_name(&name), list: operation, records, item, get };
        match found.iter_mut().find(|known| known.name == one.name) {
            Some(known) if known.list.path.len() <= one.list.path.len() => {}
            Some(known) => *known = one,
            None => found.push(one),
        }
    }
    found
}

/// Whether the name of a type is that of a thing, and not of a form of the API: `OrderListItemDTO`.
fn fits(name: &str, segment: &str) -> bool {
    let (name, thing) = (words::plain(name), words::plain(&words::object_name(segment)));
    name == thing || name.ends_with(&thing) && name.len() <= thing.len() + 6 || thing.ends_with(&name)
}

/// Leading parts of paths that all calls have: `/{projectKey}`.
pub(super) fn prefix(api: &ApiSpec) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for operation in &api.operations {
        let first = operation.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if !first.starts_with('{') || operation.path.trim_start_matches('/') == first {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == first) {
            Some((_, count)) => *count += 1,
            None => counts.push((first, 1)),
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| count * 5 >= api.operations.len() * 4).map_or_else(String::new, |(first, _)| format!("/{first}"))
}

/// The list of records in an answer: where it stands, and what its elements are.
fn list_in(api: &ApiSpec, body: TypeId, segment: &str) -> Option<(String, TypeId)> {
    if let Some(item) = list_of(api, body) {
        return Some((String::new(), item));
    }
    let mut best: Option<(u8, String, TypeId)> = None;
    let mut see = |path: String, name: &str, ty: TypeId, depth: u8| {
        let Some(item) = list_of(api, ty) else { return };
        let (name, wanted) = (words::plain(name), words::plain(segment));
        let rank = match () {
            () if name == wanted || words::singular(&name) == words::singular(&wanted) => 0,
            () if wanted.ends_with(&name) || name.ends_with(&wanted) => 1,
            () if words::RECORDS.contains(&name.as_str()) => 2,
            // Links, errors and filters are lists, too.
            () if ["links", "errors", "warnings", "messages", "filters", "facets", "sorts"].contains(&name.as_str()) => return,
            () => 4,
        } + depth;
        if best.as_ref().is_none_or(|(known, _, _)| rank < *known) {
            best = Some((rank, path, item));
        }
    };
    for (name, field) in fields(api, body) {
        see(name.clone(), name, field.ty, 0);
        if !matches!(api.ty(field.ty).shape, Shape::List(_)) {
            for (inner, below) in fields(api, field.ty) {
                see(format!("{name}.{inner}"), inner, below.ty, 1);
            }
        }
    }
    best.map(|(_, path, item)| (path, item))
}

/// The elements of a list of objects.
fn list_of(api: &ApiSpec, ty: TypeId) -> Option<TypeId> {
    let Shape::List(item) = api.ty(ty).shape else { return None };
    (fields(api, item).count() > 1).then_some(item)
}

/// The fields of an object, those of all its forms. A name that no path of a description can have (`hydra:member`) is left out.
pub(super) fn fields(api: &ApiSpec, ty: TypeId) -> impl Iterator<Item = (&String, &Property)> {
    let all = api.forms(&[ty]).into_iter().filter_map(|form| api.fields(form)).flat_map(|fields| fields.fields.iter());
    all.filter(|(name, _)| is_name(name))
}

/// Whether a name can stand in a path, and in YAML without quotes.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    begins && !name.eq_ignore_ascii_case("null") && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

/// Whether a field of that name and a value of it can stand in an expression.
pub(super) fn can_be_compared(name: &str, value: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

pub(super) fn field<'a>(api: &'a ApiSpec, ty: TypeId, words: &[&str]) -> Option<&'a str> {
    fields(api, ty).map(|(name, _)| name.as_str()).find(|name| is(name, words))
}

/// The call that gives one record by its id: its path is that of the list, and a parameter behind it.
fn single<'a>(api: &'a ApiSpec, list: &Operation, item: TypeId) -> Option<(&'a Operation, String, String)> {
    let of = |operation: &&Operation| operation.method == Method::Get;
    api.operations.iter().filter(of).find_map(|operation| {
        let last = operation.path.strip_prefix(&list.path)?.strip_prefix('/')?;
        let parameter = last.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.contains(['{', '/']))?;
        let body = answer(operation)?;
        let record = record_in(api, body, item)?;
        Some((operation, record, parameter.to_owned()))
    })
}

/// Where one record stands in an answer: the answer itself, or a field of it.
pub(super) fn record_in(api: &ApiSpec, body: TypeId, item: TypeId) -> Option<String> {
    let names = |ty: TypeId| fields(api, ty).map(|(name, _)| name.as_str()).collect::<std::collections::BTreeSet<&str>>();
    let of = names(item);
    // What is sent has fewer fields than what is given: those of the smaller one count.
    let alike = |ty: TypeId| {
        let own = names(ty);
        let shared = own.intersection(&of).count();
        ty == item || shared > 1 && shared * 2 >= own.len().min(of.len())
    };
    if alike(body) {
        return Some(String::new());
    }
    fields(api, body).find(|(_, field)| alike(field.ty)).map(|(name, _)| name.clone())
}

/// A parameter of the query by its words.
pub(super) fn parameter<'a>(operation: &'a Operation, words: &[&str]) -> Option<&'a str> {
    let of = operation.parameters.iter().filter(|parameter| matches!(parameter.place, Place::Query | Place::Argument));
    let mut names = of.map(|parameter| parameter.name.as_str());
    names.find(|name| is(name, words))
}

/// The values that a parameter takes, where the file lists them.
pub(super) fn values<'a>(api: &'a ApiSpec, operation: &Operation, name: &str) -> Vec<&'a str> {
    let parameter = operation.parameters.iter().find(|parameter| parameter.name == name);
    let Some(parameter) = parameter else { return Vec::new() };
    let ty = match api.ty(parameter.ty).shape {
        Shape::List(item) => item,
        _ => parameter.ty,
    };
    api.ty(ty).values.iter().map(String::as_str).collect()
}

/// The greatest number that a parameter takes.
pub(super) fn most(api: &ApiSpec, operation: &Operation, name: &str) -> Option<u64> {
    let parameter = operation.parameters.iter().find(|parameter| parameter.name == name)?;
    api.ty(parameter.ty).limits.maximum.as_ref()?.parse::<f64>().ok().filter(|most| *most >= 1.0).map(|most| most as u64)
}
