//! A vendor's file cut to the operations that are used: what the program keeps of it.
//!
//! Kept are names, types, limits, enumerations and the first sentence of each description; examples, tags and vendors' own
//! extensions are left out.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use super::error::SpecError;
use super::model::{ApiSpec, Method, Shape, Style, TypeId};
use super::openapi::{nowhere, text};
use super::pointer;
use crate::value::Json;

/// Where a cut file comes from; written into it as `info.x-source` and `info.x-retrieved`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The public address or the repository, path and commit of the whole file.
    pub source: String,
    /// The day, `2026-11-20`.
    pub retrieved: String,
}

/// What is kept.
#[derive(Debug, Clone, Default)]
pub struct Used {
    /// Method and path as the file writes it (of [`super::Operation`]), or the GraphQL field.
    pub operations: BTreeSet<(&'static str, String)>,
    /// Named types that no kept operation reaches: an event's form.
    pub types: BTreeSet<String>,
    /// By the name of a discriminator: the values of it that are used. The forms of others are all kept.
    pub forms: BTreeMap<String, BTreeSet<String>>,
}

impl Used {
    pub fn operation(&mut self, operation: &super::Operation) {
        let name = if matches!(operation.method, Method::Query | Method::Mutation) { &operation.name } else { &operation.path };
        self.operations.insert((operation.method.word(), name.clone()));
    }
}

/// An OpenAPI document with only what is used.
///
/// # Errors
/// A reference leads nowhere.
pub(super) fn openapi(document: &Json, used: &Used, origin: &Origin) -> Result<Json, SpecError> {
    let mut cut = Cut { used, waiting: Vec::new(), taken: IndexSet::new() };
    let mut out = serde_json::Map::new();
    for word in ["swagger", "openapi"] {
        if let Some(version) = document.get(word) {
            out.insert(word.to_owned(), version.clone());
        }
    }
    let info = document.get("info").unwrap_or(&Json::Null);
    let mut kept = serde_json::Map::new();
    for word in ["title", "version"] {
        if let Some(said) = info.get(word) {
            kept.insert(word.to_owned(), said.clone());
        }
    }
    kept.insert("x-source".to_owned(), origin.source.clone().into());
    kept.insert("x-retrieved".to_owned(), origin.retrieved.clone().into());
    out.insert("info".to_owned(), Json::Object(kept));
    for word in ["basePath", "servers"] {
        if let Some(said) = document.get(word) {
            out.insert(word.to_owned(), cut.plain(said));
        }
    }
    let mut paths = serde_json::Map::new();
    for (path, item) in document.get("paths").and_then(Json::as_object).into_iter().flatten() {
        let item = match text(item, "$ref") {
            Some(reference) => pointer::get(document, reference.trim()).ok_or_else(|| nowhere(reference, path))?,
            None => item,
        };
        let kept: Vec<(&String, &Json)> = (item.as_object().into_iter().flatten())
            .filter(|(word, _)| Method::parse(word).is_some_and(|method| used.operations.contains(&(method.word(), path.clone()))))
            .collect();
        if kept.is_empty() {
            continue;
        }
        let mut own = serde_json::Map::new();
        if let Some(parameters) = item.get("parameters") {
            own.insert("parameters".to_owned(), cut.plain(parameters));
        }
        for (word, operation) in kept {
            let mut node = serde_json::Map::new();
            for part in ["operationId", "summary", "description", "consumes", "produces", "parameters", "requestBody", "responses"] {
                if let Some(said) = operation.get(part) {
                    node.insert(part.to_owned(), cut.word(part, said));
                }
            }
            own.insert(word.clone(), Json::Object(node));
        }
        paths.insert(path.clone(), Json::Object(own));
    }
    out.insert("paths".to_owned(), Json::Object(paths));
    let prefix = if document.get("swagger").is_some() { "#/definitions/" } else { "#/components/schemas/" };
    for name in &used.types {
        cut.waiting.push(format!("{prefix}{}", pointer::escaped(name)));
    }
    let mut out = Json::Object(out);
    let mut parts = Vec::new();
    while let Some(reference) = cut.waiting.pop() {
        if !cut.taken.insert(reference.clone()) {
            continue;
        }
        let node = pointer::get(document, &reference).or_else(|| pointer::get(document, reference.trim_end_matches(".yaml")));
        let node = node.ok_or_else(|| nowhere(&reference, "/"))?;
        let node = cut.plain(node);
        parts.push((reference, node));
    }
    // In the order of the names, so that a cut is the same whatever was met first.
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    for (reference, node) in parts {
        put(&mut out, reference.trim_end_matches(".yaml"), node);
    }
    Ok(out)
}

struct Cut<'d> {
    used: &'d Used,
    waiting: Vec<String>,
    taken: IndexSet<String>,
}

impl Cut<'_> {
    /// A node without what nobody reads.
    fn plain(&mut self, node: &Json) -> Json {
        match node {
            Json::Object(fields) => {
                let mut kept = serde_json::Map::new();
                for (word, value) in fields {
                    if matches!(word.as_str(), "example" | "examples" | "tags" | "security" | "xml" | "externalDocs" | "title")
                        || (word.starts_with("x-") && word != "x-nullable")
                    {
                        continue;
                    }
                    kept.insert(word.clone(), self.word(word, value));
                }
                Json::Object(kept)
            }
            Json::Array(items) => Json::Array(items.iter().map(|item| self.plain(item)).collect()),
            other => other.clone(),
        }
    }

    fn word(&mut self, word: &str, value: &Json) -> Json {
        match (word, value) {
            ("description" | "summary", Json::String(said)) => sentence(said).into(),
            ("$ref", Json::String(reference)) => {
                let reference = reference.trim().to_owned();
                self.waiting.push(reference.clone());
                reference.into()
            }
            // Each name below is a field's, whatever it is called.
            ("properties" | "schemas" | "headers" | "responses" | "parameters" | "content", Json::Object(fields)) => {
                fields.iter().map(|(name, value)| (name.clone(), self.plain(value))).collect()
            }
            ("discriminator", Json::Object(fields)) => {
                let mut kept = fields.clone();
                let used = fields.get("propertyName").and_then(Json::as_str).and_then(|field| self.used.forms.get(field));
                if let Some(Json::Object(mapping)) = kept.get_mut("mapping") {
                    mapping.retain(|value, _| used.is_none_or(|used| used.contains(value)));
                    for target in mapping.values().filter_map(Json::as_str) {
                        let reference = if target.contains('/') { target.to_owned() } else { format!("#/components/schemas/{target}") };
                        self.waiting.push(reference);
                    }
                }
                Json::Object(kept)
            }
            (_, value) => self.plain(value),
        }
    }
}

fn put(out: &mut Json, reference: &str, node: Json) {
    let mut place = out;
    let words: Vec<String> = reference.trim_start_matches("#/").split('/').map(pointer::plain).collect();
    for word in &words {
        // A reference into a path is in the file already.
        let Json::Object(fields) = place else { return };
        place = fields.entry(word.clone()).or_insert_with(|| Json::Object(serde_json::Map::new()));
    }
    if place.as_object().is_some_and(serde_json::Map::is_empty) {
        *place = node;
    }
}

/// The first sentence of a text.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let line = text.split("\n\n").next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.match_indices(". ").map(|(at, _)| at + 1).find(|at| *at > 20).unwrap_or(line.len());
    line[..end].to_owned()
}

/// A GraphQL schema (SDL) with only the fields of `Query` and `Mutation` that are used, and the types that they reach.
pub(super) fn graphql(api: &ApiSpec, used: &Used, origin: &Origin) -> String {
    let Some(schema) = api.documents.as_ref().filter(|_| api.style == Style::GraphQl) else { return String::new() };
    let mut reached: BTreeSet<TypeId> = BTreeSet::new();
    let mut waiting: Vec<TypeId> = used.types.iter().filter_map(|name| api.named_type(name)).collect();
    for operation in &api.operations {
        if used.operations.contains(&(operation.method.word(), operation.name.clone())) {
            waiting.extend(operation.success());
            waiting.extend(operation.parameters.iter().map(|argument| argument.ty));
        }
    }
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        match &api.ty(id).shape {
            Shape::List(item) => waiting.push(*item),
            Shape::OneOf(forms) => waiting.extend(forms),
            Shape::Object(fields) => {
                for field in fields.fields.values() {
                    waiting.push(field.ty);
                    waiting.extend(field.arguments.iter().map(|argument| argument.ty));
                }
                waiting.extend(&fields.variants);
            }
            _ => {}
        }
    }
    let names: BTreeSet<&str> = reached.iter().filter_map(|id| api.ty(*id).name.as_deref()).collect();
    let mut kept = apollo_compiler::Schema::clone(schema);
    kept.types.retain(|name, ty| ty.is_built_in() || names.contains(name.as_str()) || is_root(schema, name));
    for (method, root) in [(Method::Query, &schema.schema_definition.query), (Method::Mutation, &schema.schema_definition.mutation)] {
        let Some(apollo_compiler::schema::ExtendedType::Object(object)) = root.as_ref().and_then(|root| kept.types.get_mut(&root.name)) else {
            continue;
        };
        object.make_mut().fields.retain(|name, _| used.operations.contains(&(method.word(), name.to_string())));
        if object.fields.is_empty() {
            let name = object.name.clone();
            kept.types.shift_remove(&name);
            let definition = kept.schema_definition.make_mut();
            let root = if method == Method::Mutation { &mut definition.mutation } else { &mut definition.query };
            *root = None;
        }
    }
    // Interfaces that nothing reaches are not implemented any more.
    let there: BTreeSet<String> = kept.types.keys().map(ToString::to_string).collect();
    for ty in kept.types.values_mut() {
        if let apollo_compiler::schema::ExtendedType::Object(object) = ty
            && object.implements_interfaces.iter().any(|name| !there.contains(name.as_str()))
        {
            object.make_mut().implements_interfaces.retain(|name| there.contains(name.as_str()));
        }
    }
    if let Some(subscription) = kept.schema_definition.subscription.as_ref().map(|name| name.name.clone()) {
        kept.types.shift_remove(&subscription);
        kept.schema_definition.make_mut().subscription = None;
    }
    format!("# source: {}\n# retrieved: {}\n\n{kept}", origin.source, origin.retrieved)
}

fn is_root(schema: &apollo_compiler::Schema, name: &apollo_compiler::Name) -> bool {
    let definition = &schema.schema_definition;
    [&definition.query, &definition.mutation].into_iter().flatten().any(|root| root.name == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apispec::cut_openapi;

    fn origin() -> Origin {
        Origin { source: "vendor/api, commit 1".to_owned(), retrieved: "2026-11-20".to_owned() }
    }

    #[test]
    fn a_cut_has_the_operations_used_and_what_they_refer_to() {
        let whole: Json = serde_json::from_str(
            r##"{ "openapi": "3.0.0", "info": { "title": "T", "version": "1", "contact": {} }, "tags": [], "paths": {
                "/a": { "parameters": [{ "$ref": "#/components/parameters/p" }],
                  "get": { "tags": ["x"], "description": "What it lists, at length. And more.", "responses": { "200": { "content": { "application/json": { "example": {}, "schema": { "$ref": "#/components/schemas/A" } } } } } },
                  "post": { "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Unused" } } } }, "responses": {} } },
                "/b": { "get": { "responses": {} } } },
              "components": { "parameters": { "p": { "name": "p", "in": "query", "schema": { "type": "string" } } }, "schemas": {
                "A": { "type": "object", "properties": { "title": { "type": "string", "example": 1 }, "tags": { "type": "array", "items": { "$ref": "#/components/schemas/Action" } }, "self": { "$ref": "#/components/schemas/A" } } },
                "Action": { "type": "object", "properties": { "kind": { "type": "string" } }, "discriminator": { "propertyName": "kind", "mapping": { "one": "#/components/schemas/One", "two": "#/components/schemas/Unused" } } },
                "One": { "allOf": [{ "$ref": "#/components/schemas/Action" }] }, "Unused": { "type": "object" } } } }"##,
        )
        .unwrap();
        let mut used = Used::default();
        used.operation(ApiSpec::openapi(&whole).unwrap().call(Method::Get, "/a", "").unwrap());
        used.forms.insert("kind".to_owned(), BTreeSet::from(["one".to_owned()]));
        let cut = cut_openapi(&whole, &used, &origin()).unwrap();
        let schemas: Vec<&String> = cut["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(schemas, ["A", "Action", "One"]);
        assert!(cut["paths"]["/a"]["get"].get("tags").is_none() && cut["paths"]["/a"].get("post").is_none() && cut["paths"].get("/b").is_none());
        assert_eq!(cut["paths"]["/a"]["get"]["description"], "What it lists, at length.");
        assert_eq!(cut["components"]["schemas"]["A"]["properties"].as_object().unwrap().len(), 3, "names of fields are kept, whatever they are");
        assert_eq!(cut["info"]["x-retrieved"], "2026-11-20");
        let api = ApiSpec::openapi(&cut).unwrap();
        let list = api.call(Method::Get, "/a", "").unwrap();
        assert!(api.walk(list.success().unwrap(), "self.tags.*.kind").is_ok());
        assert_eq!(cut_openapi(&cut, &used, &origin()).unwrap(), cut, "a cut of a cut is the cut");
    }

    #[test]
    fn a_cut_of_graphql_is_a_schema() {
        let api = ApiSpec::graphql(&[(
            "a",
            "interface Node { id: ID! } type Query { a: A b: B } type Mutation { m(i: In): B } type A implements Node { id: ID! c: C } type B { x: Int } enum C { ONE } input In { y: Int }",
        )])
        .unwrap();
        let mut used = Used::default();
        used.operation(api.field(Method::Query, "a").unwrap());
        let cut = api.cut_graphql(&used, &origin());
        let again = ApiSpec::graphql(&[("cut", &cut)]).unwrap();
        assert!(again.field(Method::Query, "a").is_ok() && again.field(Method::Query, "b").is_err() && again.field(Method::Mutation, "m").is_err());
        assert!(again.named_type("C").is_some() && again.named_type("In").is_none() && again.named_type("B").is_none(), "{cut}");
    }
}
