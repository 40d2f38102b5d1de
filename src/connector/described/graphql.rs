//! GraphQL: a document made from a call, from what a mapping reads, and from the paths that the description names.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::base::Spanned;
use crate::describe::model::{Ask, Object, Request};
use crate::describe::{Filled, Path, PathStep};
use crate::schema::{self, FieldPath};
use crate::value::{Json, Kind, WireEncoding};

use super::whole::Schemas;

/// Objects inside each other that are asked for without being named.
const DEEPEST: usize = 3;
/// Elements of a nested connection where the description names no number: what ShipHero and others take for granted.
const USUAL: u64 = 100;

/// Fields that are asked for, each with its arguments and what is asked for below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fields(IndexMap<String, Field>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Field {
    arguments: Vec<(String, Json)>,
    below: Fields,
}

impl Fields {
    /// Asks for what a path leads to.
    pub(super) fn path(&mut self, path: &Path) -> &mut Fields {
        path.steps.iter().fold(self, |fields, step| match step {
            PathStep::Name(name) => fields.field(name),
            PathStep::Each | PathStep::At(_) => fields,
        })
    }

    pub(super) fn field(&mut self, name: &str) -> &mut Fields {
        &mut self.0.entry(name.to_owned()).or_default().below
    }

    /// Gives a field of several that stand in each other an argument.
    pub(super) fn argument(&mut self, path: &[String], name: &str, value: Json) {
        let Some((first, rest)) = path.split_first() else { return };
        let field = self.0.entry(first.clone()).or_default();
        if rest.is_empty() {
            field.arguments.retain(|(known, _)| known != name);
            field.arguments.push((name.to_owned(), value));
        } else {
            field.below.argument(rest, name, value);
        }
    }

    /// Asks for a record: the paths that are read of it, or all that its schema has at the top.
    pub(super) fn record(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, paths: &[FieldPath]) {
        for path in paths {
            self.read(object, schema, schemas, path);
        }
        if paths.iter().any(Vec::is_empty) || paths.is_empty() {
            self.all(object, schema, schemas, 0);
        }
    }

    /// Asks for what the connector itself reads of a record. A path that names a connection's `edges` goes as it is written.
    pub(super) fn own(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, path: &Path) {
        let names = path.steps.iter().filter_map(|step| if let PathStep::Name(name) = step { Some(name.clone()) } else { None });
        let names: Vec<String> = names.collect();
        if names.iter().any(|name| name == "edges") {
            self.path(path);
        } else {
            self.read(object, schema, schemas, &names);
        }
    }

    fn read(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, path: &[String]) {
        let Some((name, rest)) = path.split_first() else { return };
        let known = schema.and_then(|schema| schema.fields.get(name));
        let inner = known.and_then(|field| inner(field.gives.as_ref().unwrap_or(&field.kind), schemas));
        let below = self.nested(object, known, name);
        if rest.is_empty() {
            if let Some(inner) = inner {
                below.all(object, Some(inner), schemas, 1);
            }
        } else {
            below.read(object, inner, schemas, rest);
        }
    }

    /// All that an object has without going deep. What the description's `selection` names is asked for in the record itself, and no other
    /// connection: one in another costs more than an account has.
    fn all(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, depth: usize) {
        let whole = |(name, field): &(&String, &schema::Field)| {
            let named = !selected(object, name).is_empty();
            field.readable && if named { depth == 0 } else { field.wire != WireEncoding::Connection }
        };
        for (name, field) in schema.into_iter().flat_map(|schema| &schema.fields).filter(whole) {
            match inner(field.gives.as_ref().unwrap_or(&field.kind), schemas) {
                None => {
                    self.nested(object, Some(field), name);
                }
                Some(inner) if depth < DEEPEST => self.nested(object, Some(field), name).all(object, Some(inner), schemas, depth + 1),
                Some(_) => {}
            }
        }
    }

    /// The fields below a field: those of its nodes, where its schema says that it is a connection. Of what no schema is known, what is
    /// asked for with arguments is one.
    fn nested(&mut self, object: &Object, known: Option<&schema::Field>, name: &str) -> &mut Fields {
        let is_connection = known.map_or_else(|| !selected(object, name).is_empty(), |field| field.wire == WireEncoding::Connection);
        let below = self.field(name);
        if is_connection { below.field("edges").field("node") } else { below }
    }

    /// Gives the fields that the description's `selection` names their arguments, wherever they stand in a record, and asks each connection
    /// whether there is more of it.
    pub(super) fn with_arguments(&mut self, object: &Object) {
        for (name, field) in &mut self.0 {
            if field.arguments.is_empty() {
                field.arguments = selected(object, name);
            }
            field.below.with_arguments(object);
            // Whether a connection was given whole, and where the rest of it begins (Relay's specification of cursor connections).
            if field.below.0.contains_key("edges") {
                let info = field.below.field("pageInfo");
                info.field("hasNextPage");
                info.field("endCursor");
            }
        }
    }

    /// What is asked for at one path, and what the others lead to.
    pub(super) fn only(&self, at: &Path, others: &[Path]) -> Fields {
        let mut only = Fields::default();
        for path in others {
            only.path(path);
        }
        only.take(self, &at.steps);
        only
    }

    /// Takes what another asks for at a path.
    fn take(&mut self, from: &Fields, at: &[PathStep]) {
        match at.split_first() {
            None => *self = from.clone(),
            Some((PathStep::Name(name), rest)) => {
                if let Some(known) = from.0.get(name) {
                    let field = self.0.entry(name.clone()).or_default();
                    field.arguments.clone_from(&known.arguments);
                    field.below.take(&known.below, rest);
                }
            }
            Some((PathStep::Each | PathStep::At(_), rest)) => self.take(from, rest),
        }
    }

    /// How much a document costs: elements of a list, times those of the lists in each.
    pub(super) fn cost(&self) -> u64 {
        let each = |field: &Field| {
            let first = field.arguments.iter().find(|(name, _)| name == "first").and_then(|(_, first)| first.as_u64());
            let is_list = first.is_some() || field.below.0.contains_key("edges");
            let below = field.below.cost();
            if is_list { first.unwrap_or(USUAL).saturating_mul(below.max(1)) } else { below }
        };
        self.0.values().map(each).sum()
    }

    fn write(&self, out: &mut String) {
        if self.0.is_empty() {
            return;
        }
        out.push_str(" {");
        for (name, field) in &self.0 {
            let _ = write!(out, " {name}");
            arguments(&field.arguments, out);
            field.below.write(out);
        }
        out.push_str(" }");
    }
}

/// The arguments with which a nested field is asked for.
fn selected(object: &Object, name: &str) -> Vec<(String, Json)> {
    let said = object.selection.iter().find(|(known, _)| known.node == name);
    let Some((_, Filled::Map(fields))) = said else { return Vec::new() };
    let fixed = |(name, value): &(Spanned<String>, Filled)| match value {
        Filled::Json(value) => Some((name.node.clone(), value.clone())),
        _ => None,
    };
    fields.iter().filter_map(fixed).collect()
}

/// The object that a kind holds, itself or in a list.
pub(super) fn inner<'s>(kind: &Kind, schemas: Schemas<'s>) -> Option<&'s schema::Object> {
    match kind {
        Kind::Object(of) => schemas.get(&of.to_string()),
        Kind::List(of) => inner(&of.kind, schemas),
        _ => None,
    }
}

/// The name of a field of a document by its place.
pub(super) fn alias(at: usize) -> String {
    format!("a{at}")
}

/// A document with one field for each alias; one field alone has no alias.
pub(super) fn document(ask: &Ask, fields: &[(Option<String>, Option<Json>)], below: &Fields) -> String {
    let Request::GraphQl { mutation, field, .. } = &ask.request else { return String::new() };
    let mut out = String::from(if *mutation { "mutation {" } else { "query {" });
    for (alias, given) in fields {
        out.push(' ');
        if let Some(alias) = alias {
            let _ = write!(out, "{alias}: ");
        }
        out.push_str(&field.node);
        if let Some(Json::Object(given)) = given {
            arguments(&given.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>(), &mut out);
        }
        below.write(&mut out);
    }
    out.push_str(" }");
    out
}

/// The first name in a value that is none of GraphQL (specification of October 2021, 2.1.9).
pub(super) fn no_name(value: &Json) -> Option<&str> {
    let is_name = |name: &str| {
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match value {
        Json::Object(fields) => fields.iter().find_map(|(name, value)| if is_name(name) { no_name(value) } else { Some(name) }),
        Json::Array(items) => items.iter().find_map(no_name),
        _ => None,
    }
}

fn arguments(given: &[(String, Json)], out: &mut String) {
    if given.is_empty() {
        return;
    }
    out.push('(');
    for (at, (name, value)) in given.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        let _ = write!(out, "{name}: ");
        literal(value, out);
    }
    out.push(')');
}

/// A value as GraphQL writes it: as JSON, but names of fields have no quotes.
fn literal(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                literal(item, out);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{name}: ");
                literal(value, out);
            }
            out.push('}');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use std::collections::BTreeMap;

    use super::*;

    fn schema(name: &str, properties: &str) -> schema::Object {
        let text = format!(r#"{{ "title": "{name}", "type": "object", "properties": {{ {properties} }} }}"#);
        schema::read(&text, "shop", name, "shop").unwrap()
    }

    /// What stands in a connection is told by the schema, and not by who asks for it with arguments.
    #[test]
    fn a_nested_field_is_asked_for_as_its_schema_has_it() {
        let text = "system: shop\nhosts: [x.example]\nbase: https://x.example\ngraphql: /graphql\nobjects:\n  Order:\n    selection: { boxes: { first: 5 } }\n";
        let described = crate::describe::read(crate::base::FileId::default(), text).0.unwrap();
        let object = &described.objects[0];
        let list = |name: &str, of: &str, wire: &str| format!(r#""{name}": {{ "type": "array", "items": {{ "$ref": "{of}.json" }}{wire} }}"#);
        let order = [list("lines", "Line", r#", "x-wire": "connection""#), list("boxes", "Line", "")].join(", ");
        let line = [r#""sku": { "type": "string" }"#.to_owned(), list("serials", "Serial", r#", "x-wire": "connection""#)].join(", ");
        let schemas: BTreeMap<String, schema::Object> = [
            ("shop.Order".to_owned(), schema("Order", &order)),
            ("shop.Line".to_owned(), schema("Line", &line)),
            ("shop.Serial".to_owned(), schema("Serial", r#""code": { "type": "string" }"#)),
        ]
        .into();
        let asked = |paths: &[&[&str]]| {
            let paths: Vec<FieldPath> = paths.iter().map(|path| path.iter().map(|name| (*name).to_owned()).collect()).collect();
            let mut fields = Fields::default();
            fields.record(object, schemas.get("shop.Order"), &schemas, &paths);
            fields.with_arguments(object);
            let mut out = String::new();
            fields.write(&mut out);
            out
        };
        // A connection is asked whether there is more of it.
        let info = "pageInfo { hasNextPage endCursor }";
        assert_eq!(
            asked(&[&["lines", "sku"], &["boxes", "sku"]]),
            format!(" {{ lines {{ edges {{ node {{ sku }} }} {info} }} boxes(first: 5) {{ sku }} }}")
        );
        assert_eq!(
            asked(&[&["lines", "serials", "code"]]),
            format!(" {{ lines {{ edges {{ node {{ serials {{ edges {{ node {{ code }} }} {info} }} }} }} {info} }} }}")
        );
        assert_eq!(asked(&[&["boxes"]]), " { boxes(first: 5) { sku } }", "what is read whole is asked for without the connections in it");
    }
}
