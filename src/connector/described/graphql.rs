//! GraphQL: a document made from a call, from what a mapping reads, and from the paths that the description names.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::base::Spanned;
use crate::describe::model::{Ask, Object, Request};
use crate::describe::{Filled, Path, PathStep};
use crate::schema::{self, FieldPath};
use crate::value::{Json, Kind};
use crate::vm::slice;

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

    /// Gives a field an argument: `data.after`, where the field is asked for.
    pub(super) fn argument(&mut self, to: &str, value: Json) {
        let (path, name) = to.rsplit_once('.').unwrap_or(("", to));
        let mut fields = self;
        let mut names = path.split('.').filter(|name| !name.is_empty()).peekable();
        while let Some(step) = names.next() {
            let field = fields.0.entry(step.to_owned()).or_default();
            if names.peek().is_none() {
                field.arguments.retain(|(known, _)| known != name);
                field.arguments.push((name.to_owned(), value));
                return;
            }
            fields = &mut field.below;
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

    fn read(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, path: &[String]) {
        let Some((name, rest)) = path.split_first() else { return };
        let kind = schema.and_then(|schema| schema.fields.get(name)).map(|field| field.gives.as_ref().unwrap_or(&field.kind));
        let inner = kind.and_then(|kind| inner(kind, schemas));
        let below = self.nested(object, name);
        if rest.is_empty() {
            if let Some(inner) = inner {
                below.all(object, Some(inner), schemas, 1);
            }
        } else {
            below.read(object, inner, schemas, rest);
        }
    }

    /// All that an object has without going deep.
    fn all(&mut self, object: &Object, schema: Option<&schema::Object>, schemas: Schemas<'_>, depth: usize) {
        for (name, field) in schema.into_iter().flat_map(|schema| &schema.fields).filter(|(_, field)| field.readable) {
            match inner(field.gives.as_ref().unwrap_or(&field.kind), schemas) {
                None => {
                    self.nested(object, name);
                }
                Some(inner) if depth < DEEPEST => self.nested(object, name).all(object, Some(inner), schemas, depth + 1),
                Some(_) => {}
            }
        }
    }

    /// The fields below a field: those of its nodes, where it is a connection.
    fn nested(&mut self, object: &Object, name: &str) -> &mut Fields {
        let field = self.0.entry(name.to_owned()).or_default();
        let Some(arguments) = connection(object, name) else { return &mut field.below };
        if field.arguments.is_empty() {
            field.arguments = arguments;
        }
        field.below.field("edges").field("node")
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

/// The arguments of a connection's field; none where it is a list or an object.
fn connection(object: &Object, name: &str) -> Option<Vec<(String, Json)>> {
    let (_, said) = object.selection.iter().find(|(known, _)| known.node == name)?;
    let Filled::Map(fields) = said else { return None };
    let fixed = |(name, value): &(Spanned<String>, Filled)| match value {
        Filled::Json(value) => Some((name.node.clone(), value.clone())),
        _ => None,
    };
    let arguments: Vec<_> = fields.iter().filter_map(fixed).collect();
    (!arguments.is_empty()).then_some(arguments)
}

fn inner<'s>(kind: &Kind, schemas: Schemas<'s>) -> Option<&'s schema::Object> {
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

/// A record's text with its connections as plain lists: `edges.node` is taken out. Nothing else is changed.
pub(super) fn flattened(record: &str, object: &Object) -> String {
    let mut text = record.to_owned();
    for (name, _) in &object.selection {
        if connection(object, &name.node).is_none() {
            continue;
        }
        let Some(value) = slice::value_at(&text, &[&name.node]) else { continue };
        let Some(edges) = slice::value_at(value, &["edges"]).and_then(slice::elements) else { continue };
        let nodes: Vec<String> = edges.into_iter().filter_map(|edge| slice::value_at(edge, &["node"])).map(|node| flattened(node, object)).collect();
        // A slice of the text stands somewhere in it.
        let start = value.as_ptr() as usize - text.as_ptr() as usize;
        let end = start + value.len();
        text = format!("{}[{}]{}", &text[..start], nodes.join(","), &text[end..]);
    }
    text
}
