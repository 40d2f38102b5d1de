//! The objects of a draft whose system speaks REST: its lists, single records and writes, as far as an OpenAPI file tells them.

use super::found::{Found, answer, can_be_compared, field, fields, most, parameter, record_in, values};
use super::page::Text;
use super::words::{self, is};
use crate::apispec::{ApiSpec, Method, Operation, Place, Shape, TypeId};
use crate::yaml::{in_quotes, quoted};

/// What is known of one object while its draft is written.
pub(super) struct Rest<'a> {
    pub(super) api: &'a ApiSpec,
    /// What stands before the file's paths and not before the description's.
    pub(super) prefix: &'a str,
}

impl Rest<'_> {
    pub(super) fn object(&self, found: &Found<'_>, out: &mut Text) {
        out.line(2, &format!("{}:", quoted(&found.name)));
        let id = self.id(found);
        match &id {
            Some((id, why)) => out.guess(4, &format!("id: {id}"), why),
            None => out.todo(4, "id: which field tells one record from all others? Look for it in the answer of the list."),
        }
        let stamp = field(self.api, found.item, words::CHANGED);
        match stamp {
            Some(stamp) => out.guess(4, &format!("stamp: {stamp}"), "its name is that of the time of the last change"),
            None => out.todo(4, "stamp: no field looks like the time of a record's last change. Without one each record is compared as a whole."),
        }
        self.changes(found, out);
        self.get(found, out);
        self.find(found, out);
        self.writes(found, id.as_ref().map(|(id, _)| id.as_str()), out);
    }

    fn path(&self, operation: &Operation) -> String {
        operation.path.strip_prefix(self.prefix).unwrap_or(&operation.path).to_owned()
    }

    fn call(&self, operation: &Operation) -> String {
        quoted(&format!("{} {}", operation.method.word(), self.path(operation)))
    }

    /// The field with a record's id, and why it is taken for it.
    fn id(&self, found: &Found<'_>) -> Option<(String, String)> {
        let names: Vec<&String> = fields(self.api, found.item).map(|(name, _)| name).collect();
        let named = |wanted: &str| names.iter().find(|name| words::plain(name) == words::plain(wanted)).map(|name| (*name).clone());
        let object = words::plain(&found.name);
        if let Some((get, _, parameter)) = &found.get {
            let of = if words::plain(parameter) == "id" {
                vec!["id".to_owned(), format!("{object}id")]
            } else {
                vec![parameter.clone(), format!("{object}{parameter}")]
            };
            if let Some(id) = of.iter().find_map(|name| named(name)) {
                return Some((id, format!("`GET {}` takes it", self.path(get))));
            }
        }
        let usual = ["id".to_owned(), format!("{object}id"), format!("{object}key"), "uuid".to_owned(), "key".to_owned(), "number".to_owned()];
        usual.iter().find_map(|name| named(name)).map(|id| (id, "its name".to_owned()))
    }

    fn changes(&self, found: &Found<'_>, out: &mut Text) {
        let list = found.list;
        let body = answer(list);
        let stands = |words: &[&str]| body.and_then(|body| place(self.api, body, words));
        let ended = found.get.as_ref().and_then(|_| self.ended(found));
        out.line(4, "changes:");
        let name = words::plain(found.list.path.rsplit('/').next().unwrap_or("records"));
        out.line(6, &format!("- name: {}", quoted(&name)));
        let (from, to) = (parameter(list, words::CHANGED_FROM), parameter(list, words::CHANGED_TO));
        let made = parameter(list, words::MADE_FROM);
        let size = parameter(list, words::SIZE);
        let mut query: Vec<(String, String)> = Vec::new();
        let mut page = String::new();
        let mut why = String::new();
        let mut more: Vec<String> = Vec::new();
        let mut todo: Vec<String> = Vec::new();
        let each = size.map(|name| (name, most(self.api, list, name).unwrap_or(100).min(500)));
        let token = parameter(list, words::TOKEN).zip(stands(words::NEXT));
        let number = parameter(list, words::PAGE).map(|name| (name, false)).or_else(|| parameter(list, words::OFFSET).map(|name| (name, true)));
        let listed = made.filter(|_| ended.is_some());
        if let Some((to_parameter, next)) = token {
            page = format!("{{ token: {next}, to: {} }}", quoted(&format!("query.{to_parameter}")));
            why = format!("`{to_parameter}` takes what the answer calls `{next}`");
            match (from, to) {
                (Some(from), to) => {
                    query.push((from.to_owned(), "{from}".to_owned()));
                    more.push("overlap: 5 minutes".to_owned());
                    match to {
                        Some(to) => {
                            query.push((to.to_owned(), "{until}".to_owned()));
                            more.push("until: { lag: 1 minute }".to_owned());
                        }
                        None => todo.push("until: no parameter closes the window from above. Does the token keep to what was there when it was given? Look for its page on paging.".to_owned()),
                    }
                }
                (None, _) => match (listed, &ended) {
                    (Some(made), Some(ended)) => {
                        query.push((made.to_owned(), "{from}".to_owned()));
                        more.push(format!("listed: {{ days: 60, ended: '{ended}' }}"));
                    }
                    _ => todo.push("no parameter of the list looks like \"changed since\". Look for one, and send it `{from}`.".to_owned()),
                },
            }
        } else if let Some((to_parameter, records)) = number {
            let to = quoted(&format!("query.{to_parameter}"));
            let counts = if records { ", from: 0, counts: records" } else { ", from: 1" };
            let total = stands(words::TOTAL);
            let ends = stands(words::PAGES).zip(stands(words::PAGE)).filter(|(pages, page)| !pages.contains('-') && !page.contains('-'));
            let ends = ends.map(|(pages, page)| format!(", more: 'body.{page} < body.{pages}'"));
            let size = each.map_or_else(|| ", size: 100".to_owned(), |(_, size)| format!(", size: {size}"));
            let sort = parameter(list, words::SORT);
            let by_made =
                sort.and_then(|sort| values(self.api, list, sort).into_iter().find(|value| is(value, words::MADE)).map(|value| (sort, value)));
            match (listed, &ended, by_made) {
                (Some(made), Some(ended), by_made) if by_made.is_some() || sort.is_none() => {
                    query.push((made.to_owned(), "{from}".to_owned()));
                    if let Some((sort, value)) = by_made {
                        query.push((sort.to_owned(), value.to_owned()));
                        if let Some(direction) = parameter(list, words::DIRECTION) {
                            let up = values(self.api, list, direction)
                                .into_iter()
                                .find(|value| value.to_ascii_lowercase().starts_with("asc"))
                                .unwrap_or("asc");
                            query.push((direction.to_owned(), up.to_owned()));
                        }
                    } else {
                        todo.push("is the list sorted by when a record was made, the oldest first? Pages by number rest on it.".to_owned());
                    }
                    page = format!("{{ number: {{ to: {to}{counts} }}, grows: true{size}{} }}", ends.unwrap_or_default());
                    why = format!("`{made}` and an order by when a record was made: new records come at the end");
                    more.push(format!("listed: {{ days: 60, ended: '{ended}' }}"));
                }
                _ => {
                    let total = total.map_or_else(String::new, |total| format!(", total: {total}"));
                    if total.is_empty() {
                        todo.push("total: where does the answer say how many records there are in all? Pages by number need it: a list that shrinks is read again.".to_owned());
                    }
                    page = format!("{{ number: {{ to: {to}{counts} }}, whole: true{size}{total}{} }}", ends.unwrap_or_default());
                    why = "pages by number, and no order in which nothing moves: the whole list is read each time".to_owned();
                    todo.push(
                        "that is for small lists. Can it be asked for in the order in which records were made, or for those after one?".to_owned(),
                    );
                }
            }
        } else {
            page.push_str("whole");
            why.push_str("no parameter looks like one of paging: the list comes at once");
            if let Some(from) = from {
                todo.push(format!("`{from}` could keep the list short; a list without pages is read whole."));
            }
        }
        if let Some((name, size)) = each.filter(|_| page != "whole") {
            query.push((name.to_owned(), size.to_string()));
        }
        if let Some((to_parameter, _)) = number.filter(|_| page.contains("number:")) {
            query.insert(0, (to_parameter.to_owned(), "{page}".to_owned()));
        }
        self.demanded(list, &mut query, &mut todo);
        out.line(8, &format!("call: {}", self.call(list)));
        if !query.is_empty() {
            let query: Vec<String> = query.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted_value(value))).collect();
            out.line(8, &format!("query: {{ {} }}", query.join(", ")));
        }
        if !found.records.is_empty() {
            out.line(8, &format!("records: {}", found.records));
        }
        out.guess(8, &format!("page: {page}"), &why);
        for one in more {
            let why = match one.split(':').next() {
                Some("overlap") => "how late a change may show is said nowhere",
                Some("until") => "the newest moment is left to the next poll",
                _ => "which status is the last, by its words; and after how many days a record is looked at no more",
            };
            out.guess(8, &one, why);
        }
        todo.iter().for_each(|todo| out.todo(8, todo));
    }

    /// Parameters without which the call is refused.
    fn demanded(&self, operation: &Operation, query: &mut Vec<(String, String)>, todo: &mut Vec<String>) {
        for parameter in operation.demanded().filter(|parameter| parameter.place == Place::Query) {
            if query.iter().any(|(name, _)| *name == parameter.name) {
                continue;
            }
            if is(&parameter.name, words::CHANGED_FROM) || is(&parameter.name, words::MADE_FROM) {
                query.push((parameter.name.clone(), "{from}".to_owned()));
                continue;
            }
            let value = values(self.api, operation, &parameter.name).first().map_or("TODO", |value| *value).to_owned();
            todo.push(format!("the call demands `{}`: which value is right?", parameter.name));
            query.push((parameter.name.clone(), value));
        }
    }

    /// The condition under which a record has ended, by the words of its status.
    fn ended(&self, found: &Found<'_>) -> Option<String> {
        let is_status = |name: &str| {
            is(name, &["status", "orderstatus", "shipmentstatus", "state", "fulfillmentstatus"]) || words::plain(name).ends_with("status")
        };
        fields(self.api, found.item).filter(|(name, _)| is_status(name)).find_map(|(name, field)| {
            let values = self.api.forms(&[field.ty]).into_iter().flat_map(|ty| self.api.ty(ty).values.iter());
            let last: Vec<String> =
                values.filter(|value| is(value, words::ENDED) && can_be_compared(name, value)).map(|value| format!("\"{value}\"")).collect();
            (!last.is_empty()).then(|| format!("record.{name} in ({})", last.join(", ")))
        })
    }

    fn get(&self, found: &Found<'_>, out: &mut Text) {
        let Some((operation, record, parameter)) = &found.get else {
            out.todo(4, "get: no call gives one record by its id.");
            return;
        };
        let call = self.path(operation).replace(&format!("{{{parameter}}}"), "{id}");
        let record = if record.is_empty() { String::new() } else { format!(", record: {record}") };
        // Of a list that does not say what changed, each record is read until it has ended.
        let is_listed = parameter_of(found.list, words::MADE_FROM) && !parameter_of(found.list, words::CHANGED_FROM);
        let ended = self.ended(found).filter(|_| is_listed).map_or_else(String::new, |ended| format!(", ended: '{ended}'"));
        out.line(4, &format!("get: {{ call: {}{record}{ended} }}", quoted(&format!("GET {call}"))));
    }

    fn find(&self, found: &Found<'_>, out: &mut Text) {
        let is_key = |name: &str| {
            let plain = words::plain(name);
            is(name, words::KEYS) || ["number", "key", "sku", "reference", "externalid", "email", "id"].iter().any(|ending| plain.ends_with(ending))
        };
        let text = |ty: TypeId| {
            self.api.ty(ty).shape == Shape::Text && self.api.ty(ty).values.is_empty() && self.api.ty(ty).format.as_deref() != Some("date-time")
        };
        let found_by = fields(self.api, found.item).filter(|(name, field)| is_key(name) && text(field.ty)).filter_map(|(name, _)| {
            let parameter = found
                .list
                .parameters
                .iter()
                .find(|parameter| parameter.place == Place::Query && words::plain(&parameter.name) == words::plain(name))?;
            Some((name, &parameter.name))
        });
        let found_by: Vec<_> = found_by.take(6).collect();
        if found_by.is_empty() {
            out.todo(4, "find: no parameter of the list is a field of its records. By what can a record be looked up?");
            return;
        }
        out.line(4, "find:");
        for (field, parameter) in found_by {
            let records = if found.records.is_empty() { String::new() } else { format!(", records: {}", found.records) };
            let line =
                format!("{field}: {{ call: {}, query: {{ {}: \"{{value}}\" }}{records}, filter: exact }}", self.call(found.list), quoted(parameter));
            out.guess(6, &line, "the list has a parameter of this name");
        }
    }

    fn writes(&self, found: &Found<'_>, id: Option<&str>, out: &mut Text) {
        let create = self.create_call(found);
        let update = found.get.as_ref().and_then(|(get, _, parameter)| {
            let of = |method| self.api.operations.iter().find(|operation| operation.method == method && operation.path == get.path);
            Some((of(Method::Patch).or_else(|| of(Method::Put))?, parameter))
        });
        if create.is_none() && update.is_none() {
            out.todo(4, "writes: no call that makes or changes such a record was recognized.");
            return;
        }
        out.line(4, "writes:");
        if let Some(create) = create {
            self.create(found, &create, id, out);
        }
        if let Some((update, parameter)) = update {
            out.line(6, "update:");
            let call = format!("{} {}", update.method.word(), self.path(update).replace(&format!("{{{parameter}}}"), "{id}"));
            out.line(8, &format!("call: {}", quoted(&call)));
            out.guess(8, "body: \"{item}\"", "the body has the fields of the record");
            if update.method == Method::Put {
                out.todo(
                    8,
                    "are fields lost that a PUT does not send? Then nothing may be changed by it before the record is read: `reads: target`.",
                );
            }
            out.guess(8, "guarantee: { by: set, source: \"the id stands in the path\" }", "values are absolute: nothing is added up");
            self.receipt_of_one(found, update, id, false, out);
        }
    }

    /// The call that makes a record, and for a batch the field of its body with the list.
    fn create_call<'a>(&'a self, found: &Found<'_>) -> Option<Create<'a>> {
        let base = found.list.path.as_str();
        let below = |operation: &&Operation| {
            operation.method == Method::Post
                && (operation.path == base || operation.path.starts_with(&format!("{base}/")))
                && !self.path(operation).contains('{')
        };
        let mut all: Vec<Create<'a>> = self.api.operations.iter().filter(below).filter_map(|operation| self.made_by(operation, found)).collect();
        let rank = |create: &Create<'_>| (create.operation.path != base, create.batch.is_some(), create.operation.path.len());
        all.sort_by_key(rank);
        all.into_iter().next()
    }

    fn made_by<'a>(&self, operation: &'a Operation, found: &Found<'_>) -> Option<Create<'a>> {
        let body = operation.body.as_ref()?.ty;
        let wrong = ["search", "query", "export", "filter", "bulkdelete", "delete", "cancel"];
        if operation.path.rsplit('/').next().is_some_and(|last| wrong.iter().any(|word| words::plain(last).contains(word))) {
            return None;
        }
        let list = |ty: TypeId| match self.api.ty(ty).shape {
            Shape::List(item) => Some((item, self.api.ty(ty).limits.max_items.unwrap_or(50))),
            _ => None,
        };
        if let Some(record) = record_in(self.api, body, found.item) {
            let ty = if record.is_empty() { body } else { fields(self.api, body).find(|(name, _)| **name == record)?.1.ty };
            return Some(Create { operation, at: record, item: ty, batch: None });
        }
        if let Some((item, most)) = list(body) {
            record_in(self.api, item, found.item).filter(String::is_empty)?;
            return Some(Create { operation, at: String::new(), item, batch: Some(most) });
        }
        fields(self.api, body).find_map(|(name, field)| {
            let (item, most) = list(field.ty)?;
            record_in(self.api, item, found.item).filter(String::is_empty)?;
            Some(Create { operation, at: name.clone(), item, batch: Some(most) })
        })
    }

    fn create(&self, found: &Found<'_>, create: &Create<'_>, id: Option<&str>, out: &mut Text) {
        out.line(6, "create:");
        let names: Vec<&str> = fields(self.api, create.item)
            .filter(|(_, field)| !field.read_only && self.api.ty(field.ty).shape == Shape::Text)
            .map(|(name, _)| name.as_str())
            .collect();
        let object = words::plain(&found.name);
        let own = [format!("external{object}id"), format!("{object}key"), format!("{object}number")];
        let key = own
            .iter()
            .map(String::as_str)
            .chain(words::KEYS.iter().copied())
            .find_map(|word| names.iter().copied().find(|name| words::plain(name) == word));
        match key {
            Some(key) => out.guess(8, &format!("key: {key}"), "a field that we choose, by its name"),
            None => out.todo(8, "key: which field of the record do we choose, so that the record is known by it?"),
        }
        out.line(8, &format!("call: {}", self.call(create.operation)));
        let item = if create.batch.is_some() { "{items}" } else { "{item}" };
        for header in create
            .operation
            .demanded()
            .filter(|parameter| parameter.place == Place::Header && !is(&parameter.name, &["authorization", "accept", "contenttype"]))
        {
            if is(&header.name, words::IDEMPOTENCY) {
                let value = match (key, create.batch) {
                    (Some(key), Some(_)) => format!("{{items.0.{key}}} {{now}}"),
                    (Some(key), None) => format!("{{item.{key}}}"),
                    (None, _) => "{now}".to_owned(),
                };
                out.guess(
                    8,
                    &format!("headers: {{ {}: \"{value}\" }}", quoted(&header.name)),
                    "the call demands it; whether it keeps a record from being made twice is said nowhere",
                );
            } else {
                out.todo(8, &format!("headers: the call demands the header `{}`.", header.name));
            }
        }
        let body = if create.at.is_empty() { format!("\"{item}\"") } else { format!("{{ {}: \"{item}\" }}", create.at) };
        out.line(8, &format!("body: {body}"));
        if let Some(most) = create.batch {
            out.line(8, &format!("batch: {most}"));
        }
        out.line(8, "guarantee: { by: none }");
        let key = key.map_or_else(|| "a key".to_owned(), |key| format!("the same `{key}`"));
        out.todo(
            8,
            &format!(
                "what does the system do with a second record with {key}? If its docs say that it is refused: `by: key` with `says` and `source`."
            ),
        );
        out.todo(8, "if only a search finds it again: `by: mark` with `field` and `settle`. `crossdock system probe` tries what is written here.");
        match create.batch {
            None => self.receipt_of_one(found, create.operation, id, true, out),
            Some(_) => self.receipt_of_batch(create, id, out),
        }
    }

    fn receipt_of_one(&self, found: &Found<'_>, operation: &Operation, id: Option<&str>, created: bool, out: &mut Text) {
        let created = if created { ", created: true" } else { "" };
        let Some(body) = answer(operation) else {
            out.guess(8, "receipt: { empty: true }", "the file gives its answer no body");
            return;
        };
        let at = record_in(self.api, body, found.item);
        let inside =
            |at: &str| if at.is_empty() { Some(body) } else { fields(self.api, body).find(|(name, _)| *name == at).map(|(_, field)| field.ty) };
        let has = |ty: TypeId, name: &str| fields(self.api, ty).any(|(known, _)| known == name);
        match (at, id) {
            (Some(at), Some(id)) if inside(&at).is_some_and(|ty| has(ty, id)) => {
                let at = if at.is_empty() { String::new() } else { format!("at: {at}, ") };
                out.line(8, &format!("receipt: {{ {at}id: {id}{created} }}"));
            }
            (None, Some(id)) if has(body, id) => out.line(8, &format!("receipt: {{ id: {id}{created} }}")),
            _ => {
                out.line(8, &format!("receipt: {{ {} }}", created.trim_start_matches(", ")).replace("{  }", "{ at: TODO }"));
                out.todo(8, "receipt: where does the answer have the id of what was written?");
            }
        }
    }

    fn receipt_of_batch(&self, create: &Create<'_>, id: Option<&str>, out: &mut Text) {
        let body = answer(create.operation);
        let list = body.and_then(|body| {
            fields(self.api, body).find_map(|(name, field)| match self.api.ty(field.ty).shape {
                Shape::List(item) if fields(self.api, item).count() > 1 => Some((name.clone(), item)),
                _ => None,
            })
        });
        let Some((at, item)) = list else {
            out.todo(8, "receipt: where does the answer say what became of each item? `receipt: { items: …, match: […], ok: …, id: … }`");
            return;
        };
        let matched: Vec<&String> = fields(self.api, item)
            .map(|(name, _)| name)
            .filter(|name| fields(self.api, create.item).any(|(known, _)| known == *name))
            .filter(|name| is(name, words::KEYS))
            .collect();
        out.line(8, "receipt:");
        out.line(10, &format!("items: {at}"));
        match matched.first() {
            Some(field) => out.guess(10, &format!("match: [{field}]"), "results and items have this field"),
            None => out.todo(10, "match: which field of a result is that of its item? Not its place alone."),
        }
        let status = fields(self.api, item).find(|(_, field)| !self.api.ty(field.ty).values.is_empty());
        let word = |words: &[&str]| {
            status.and_then(|(name, field)| {
                self.api.ty(field.ty).values.iter().find(|value| is(value, words) && can_be_compared(name, value)).map(|value| (name, value))
            })
        };
        match word(&["created", "success", "succeeded", "accepted", "ok", "done"]) {
            Some((name, value)) => out.guess(10, &format!("ok: 'item.{name} == \"{value}\"'"), "the words of its values"),
            None => out.todo(10, "ok: by what is a result a success?"),
        }
        if let Some((name, value)) = word(&["rejected", "failed", "error", "refused", "invalid", "failure"]) {
            out.guess(10, &format!("refused: 'item.{name} == \"{value}\"'"), "the words of its values");
        }
        if let Some(error) = super::head::error_of(self.api, item) {
            out.guess(10, &format!("error: {error}"), "names of fields");
        }
        if let Some(id) = id.filter(|id| fields(self.api, item).any(|(name, _)| name == id)) {
            out.line(10, &format!("id: {id}"));
        }
        out.line(10, "created: true");
    }
}

/// A call that makes records.
struct Create<'a> {
    operation: &'a Operation,
    /// Where the record, or the list of them, stands in the body.
    at: String,
    item: TypeId,
    /// How many records it takes, where it takes several.
    batch: Option<u64>,
}

fn parameter_of(operation: &Operation, words: &[&str]) -> bool {
    parameter(operation, words).is_some()
}

/// A value of a query as it stands in YAML.
pub(super) fn quoted_value(value: &str) -> String {
    if value.starts_with('{') || value.parse::<u64>().is_err() && quoted(value) != value { in_quotes(value) } else { value.to_owned() }
}

/// Where a thing stands in an answer: in it, or in an object in it. The first of the words that is there counts.
pub(super) fn place(api: &ApiSpec, body: TypeId, words: &[&str]) -> Option<String> {
    let scalar = |ty: TypeId| matches!(api.ty(ty).shape, Shape::Text | Shape::Integer | Shape::Number | Shape::Boolean | Shape::Any);
    let inside = |ty: TypeId| words.iter().find_map(|word| fields(api, ty).find(|(name, field)| scalar(field.ty) && words::plain(name) == *word));
    if let Some((name, _)) = inside(body) {
        return Some(name.clone());
    }
    fields(api, body).find_map(|(name, field)| inside(field.ty).map(|(below, _)| format!("{name}.{below}")))
}
