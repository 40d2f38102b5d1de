//! A schema object of OpenAPI to a [`Type`]: references, `allOf` put together, `oneOf` and `anyOf`, the three ways to write `null`.

use indexmap::IndexMap;

use super::error::SpecError;
use super::model::{Discriminator, Fields, Others, Property, Shape, Type, TypeId};
use super::openapi::{Reader, nowhere, text, truth};
use super::pointer;
use crate::base::nearest;
use crate::value::Json;

/// How deep schemas may stand in each other without a name.
const DEPTH: usize = 128;

/// The types of a schema; `file` in version 2 only.
const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object", "null", "file"];

/// A schema and the parts of its `allOf`, put together.
#[derive(Default)]
struct Gathered<'d> {
    ty: Type,
    /// `type`, without `null`.
    words: Vec<&'d str>,
    fields: Fields,
    items: Option<&'d Json>,
    required: Vec<&'d str>,
    variants: Vec<&'d Json>,
    /// Parts so far.
    parts: usize,
}

impl<'d> Reader<'d> {
    /// The type of a schema node: the one behind its reference, or a new one.
    pub(super) fn type_of(&mut self, node: &'d Json, at: &str) -> Result<TypeId, SpecError> {
        if let Some(reference) = alias(node) {
            return self.reference(reference, at);
        }
        let ty = self.schema(node, at)?;
        Ok(self.api.add(ty))
    }

    pub(super) fn schema(&mut self, node: &'d Json, at: &str) -> Result<Type, SpecError> {
        if at.len() > DEPTH * 64 {
            return Err(SpecError::new(at, "schemas nest too deeply here"));
        }
        let mut gathered = Gathered::default();
        self.gather(node, &mut gathered, &mut Vec::new(), at)?;
        let mut ty = gathered.ty;
        let mut variants = Vec::new();
        for variant in gathered.variants {
            if is_null(variant) {
                ty.nullable = true;
            } else {
                let id = self.type_of(variant, at)?;
                if !variants.contains(&id) {
                    variants.push(id);
                }
            }
        }
        let mut fields = gathered.fields;
        for name in gathered.required {
            if let Some(field) = fields.fields.get_mut(name) {
                field.required = true;
            }
        }
        let has_fields = !fields.fields.is_empty() || fields.others != Others::Unstated || fields.discriminator.is_some();
        let word = match gathered.words.as_slice() {
            [] if has_fields => "object",
            [] if gathered.items.is_some() => "array",
            [] => "",
            // `[integer, string]` takes either: nothing is known of it but its values.
            [one] => one,
            [_, ..] if gathered.words.contains(&"object") => "object",
            [_, ..] => "",
        };
        ty.shape = match word {
            "object" => {
                variants.retain(|id| !fields.variants.contains(id));
                fields.variants.extend(variants);
                Shape::Object(fields)
            }
            "array" => Shape::List(match gathered.items {
                Some(items) => self.type_of(items, &format!("{at}/items"))?,
                None => self.api.add(Type::default()),
            }),
            // A single form beside nothing else is that form; its name is kept by whoever refers to it.
            "" if variants.len() == 1 && variants.iter().all(|id| self.api.ty(*id).name.is_none()) => self.api.ty(variants[0]).shape.clone(),
            "" if !variants.is_empty() => Shape::OneOf(variants),
            "string" => Shape::Text,
            "integer" => Shape::Integer,
            "number" => Shape::Number,
            "boolean" => Shape::Boolean,
            "null" => {
                ty.nullable = true;
                Shape::Any
            }
            "" if !ty.values.is_empty() => Shape::Text,
            // `file` of version 2.
            _ => Shape::Any,
        };
        Ok(ty)
    }

    /// Puts a schema and, before it, the parts of its `allOf` into one.
    fn gather(&mut self, node: &'d Json, into: &mut Gathered<'d>, seen: &mut Vec<&'d str>, at: &str) -> Result<(), SpecError> {
        if let Some(reference) = text(node, "$ref") {
            let reference = reference.trim();
            if seen.contains(&reference) {
                return Ok(());
            }
            seen.push(reference);
            let target = pointer::get(self.document, reference).ok_or_else(|| nowhere(reference, at))?;
            self.gather(target, into, seen, at)?;
        }
        into.parts += 1;
        if into.parts > 10_000 {
            return Err(SpecError::new(at, "`allOf` puts too many schemas together here"));
        }
        for part in node.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            let forms = (into.fields.discriminator.take(), std::mem::take(&mut into.fields.variants));
            self.gather(part, into, seen, at)?;
            // The forms of a base are no forms of what stands on it: it is one of them itself.
            if text(part, "$ref").is_some() || into.fields.discriminator.is_none() {
                (into.fields.discriminator, into.fields.variants) = forms;
            }
        }
        self.own(node, into, at)
    }

    /// What a schema says by itself, over what its parts said.
    fn own(&mut self, node: &'d Json, into: &mut Gathered<'d>, at: &str) -> Result<(), SpecError> {
        match node.get("type") {
            Some(Json::String(word)) => into.words = vec![word.as_str()],
            Some(Json::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
                into.ty.nullable |= words.contains(&"null");
                into.words = words.into_iter().filter(|word| *word != "null").collect();
            }
            _ => {}
        }
        if let Some(stranger) = into.words.iter().find(|word| !TYPES.contains(word)) {
            let said = match nearest(stranger, TYPES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("types are: {}", TYPES.join(", ")),
            };
            let help = format!("{said} Correct it in the file, or by an overlay in `corrections.yaml` beside the description");
            return Err(SpecError::new(format!("{at}/type"), format!("there is no type `{stranger}`")).help(help));
        }
        if into.words == ["null"] {
            into.ty.nullable = true;
        }
        into.ty.nullable |= truth(node, "nullable") || truth(node, "x-nullable");
        into.ty.read_only |= truth(node, "readOnly");
        into.ty.write_only |= truth(node, "writeOnly");
        into.ty.deprecated |= truth(node, "deprecated");
        let own = |name: &str, slot: &mut Option<String>| {
            if let Some(said) = text(node, name) {
                *slot = Some(said.to_owned());
            }
        };
        own("format", &mut into.ty.format);
        own("pattern", &mut into.ty.limits.pattern);
        if let Some(said) = text(node, "description") {
            said.trim().clone_into(&mut into.ty.description);
        }
        for (name, slot) in [("minimum", &mut into.ty.limits.minimum), ("maximum", &mut into.ty.limits.maximum)] {
            if let Some(Json::Number(number)) = node.get(name) {
                *slot = Some(number.to_string());
            }
        }
        let limits = &mut into.ty.limits;
        for (name, slot) in [("minLength", &mut limits.min_length), ("maxLength", &mut limits.max_length), ("maxItems", &mut limits.max_items)] {
            if let Some(number) = node.get(name).and_then(Json::as_u64) {
                *slot = Some(number);
            }
        }
        let values = node.get("enum").and_then(Json::as_array).map(Vec::as_slice).or_else(|| node.get("const").map(std::slice::from_ref));
        if let Some(values) = values {
            into.ty.nullable |= values.iter().any(Json::is_null);
            into.ty.values = values.iter().filter_map(word).collect();
        }
        if let Some(items) = node.get("items") {
            into.items = Some(items);
        }
        into.required.extend(node.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str));
        for (name, property) in node.get("properties").and_then(Json::as_object).into_iter().flatten() {
            // commercetools writes rules for names as `/^[a-z]+$/`.
            let at = format!("{at}/properties/{}", pointer::escaped(name));
            let ty = self.type_of(property, &at)?;
            if name.len() > 1 && name.starts_with('/') && name.ends_with('/') {
                into.fields.others = Others::Of(ty);
                continue;
            }
            let behind = self.api.ty(ty);
            let field = Property {
                nullable: truth(property, "nullable") || truth(property, "x-nullable") || behind.nullable,
                read_only: truth(property, "readOnly") || behind.read_only,
                write_only: truth(property, "writeOnly") || behind.write_only,
                description: text(property, "description").map(|said| said.trim().to_owned()).unwrap_or_default(),
                ..Property::of(ty)
            };
            into.fields.fields.insert(name.clone(), field);
        }
        match node.get("additionalProperties") {
            Some(Json::Bool(false)) => into.fields.others = Others::Closed,
            Some(Json::Bool(true)) => into.fields.others = Others::Of(self.api.add(Type::default())),
            Some(others @ Json::Object(_)) => into.fields.others = Others::Of(self.type_of(others, &format!("{at}/additionalProperties"))?),
            _ => {}
        }
        for word in ["oneOf", "anyOf"] {
            into.variants.extend(node.get(word).and_then(Json::as_array).into_iter().flatten());
        }
        self.discriminator(node, into, at)
    }

    fn discriminator(&mut self, node: &'d Json, into: &mut Gathered<'d>, at: &str) -> Result<(), SpecError> {
        // Version 2 writes the field's name alone.
        let Some(said) = node.get("discriminator") else { return Ok(()) };
        let Some(field) = said.as_str().or_else(|| text(said, "propertyName")) else { return Ok(()) };
        let mut forms = IndexMap::new();
        for (value, target) in said.get("mapping").and_then(Json::as_object).into_iter().flatten() {
            let Some(target) = target.as_str() else { continue };
            let reference = if target.contains('/') { target.to_owned() } else { format!("#/components/schemas/{target}") };
            let id = self.reference(&reference, at)?;
            forms.insert(value.clone(), id);
            if !into.fields.variants.contains(&id) {
                into.fields.variants.push(id);
            }
        }
        into.fields.discriminator = Some(Discriminator { field: field.to_owned(), forms });
        Ok(())
    }
}

/// The reference that a schema is, beside which nothing else is said of its form.
fn alias(node: &Json) -> Option<&str> {
    let says = |word: &str| {
        !matches!(
            word,
            "description"
                | "title"
                | "example"
                | "examples"
                | "deprecated"
                | "nullable"
                | "x-nullable"
                | "readOnly"
                | "writeOnly"
                | "default"
                | "xml"
                | "externalDocs"
        )
    };
    let fields = node.as_object()?;
    let alone = |of: &str| fields.keys().all(|word| word == of || !says(word) || (word.starts_with("x-") && word != "x-nullable"));
    if let Some(reference) = text(node, "$ref") {
        return alone("$ref").then_some(reference);
    }
    for word in ["allOf", "oneOf", "anyOf"] {
        if let Some([one]) = node.get(word).and_then(Json::as_array).map(Vec::as_slice)
            && alone(word)
        {
            return alias(one);
        }
    }
    // `anyOf: [{ $ref }, { type: null }]` is the reference, or null.
    for word in ["oneOf", "anyOf"] {
        if let Some([a, b]) = node.get(word).and_then(Json::as_array).map(Vec::as_slice)
            && alone(word)
            && is_null(a) != is_null(b)
        {
            return alias(if is_null(a) { b } else { a });
        }
    }
    None
}

fn is_null(node: &Json) -> bool {
    text(node, "type") == Some("null")
        || node.get("enum").and_then(Json::as_array).is_some_and(|values| !values.is_empty() && values.iter().all(Json::is_null))
}

fn word(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
