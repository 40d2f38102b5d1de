//! From a schema file to an [`Object`]: JSON Schema with `x-` annotations (see `docs/schema-format.md`).

use std::fmt::Display;
use std::sync::Arc;

use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::error::SchemaError;
use super::node::Node;
use super::object::{Access, Class, Field, Object, Size, SizeUnit, Write};
use super::{classify, describe, form};
use crate::base::nearest;
use crate::system::{Guarantee, SystemRef};
use crate::value::{Enumeration, Json, Kind, Known, LengthUnit, ObjectRef, Type, WeightUnit, WireEncoding};

/// Reads a schema file, or a Salesforce describe as it is. References to other objects are of the
/// same `connection`.
///
/// # Errors
/// The text is no JSON, or not of the form; the error says where.
pub fn read(text: &str, system: impl Into<SystemRef>, name: &str, connection: &str) -> Result<Object, SchemaError> {
    let not_json = |error: serde_json::Error| SchemaError::NotJson { message: error.to_string(), line: error.line(), column: error.column() };
    let json: Node<'_> = serde_json::from_str(text).map_err(not_json)?;
    if json.get("properties").is_none() {
        let json: Json = serde_json::from_str(text).map_err(not_json)?;
        if describe::is_describe(&json) {
            return describe::object(&json, connection);
        }
    }
    object(&json, system.into(), name, connection)
}

/// Lays what a person knows of fields over an object that was described by its system: the unit of a number, the data class, a label.
/// `text` is an object with `properties`, as in a schema file; a property says only what differs.
///
/// # Errors
/// The text is no JSON, names a field that the object does not have, or gives a kind that there is none.
pub fn lay_over(object: &mut Object, text: &str, connection: &str) -> Result<(), SchemaError> {
    let not_json = |error: serde_json::Error| SchemaError::NotJson { message: error.to_string(), line: error.line(), column: error.column() };
    let json: Node<'_> = serde_json::from_str(text).map_err(not_json)?;
    let Some(properties) = json.get("properties").and_then(Node::as_object) else {
        return Err(SchemaError::form("/properties", "what is laid over an object has `properties`"));
    };
    let whole = format!("{connection}.{}", object.name);
    for (name, property) in properties {
        let at = format!("/properties/{name}");
        let Some(known) = object.fields.get_mut(&**name) else {
            return Err(SchemaError::form(at, format!("`{whole}` has no field `{name}`")));
        };
        let said = |word: &str| property.get(word).is_some();
        let read = field(property, false, &at, &format_args!("{whole}.{name}"), connection)?;
        // What says how the value is to be understood.
        if ["type", "$ref", "x-kind", "x-unit", "x-reference", "enum", "x-values", "format"].iter().any(|word| said(word)) {
            (known.kind, known.wire) = (read.kind, read.wire);
        }
        if said("x-data-class") {
            known.class = read.class;
        }
        if said("x-nullable") {
            known.nullable = read.nullable;
        }
        if said("maxLength") || said("minLength") {
            known.size = read.size;
        }
        for (word, own, new) in [("title", &mut known.label, read.label), ("description", &mut known.doc, read.doc)] {
            if said(word) {
                *own = new;
            }
        }
        for (word, own, new) in [("minimum", &mut known.minimum, read.minimum), ("maximum", &mut known.maximum, read.maximum)] {
            if said(word) {
                *own = new;
            }
        }
        if said("x-names") {
            known.names = read.names;
        }
        if said("pattern") {
            known.pattern = read.pattern;
        }
    }
    Ok(())
}

fn object(json: &Node<'_>, system: SystemRef, name: &str, connection: &str) -> Result<Object, SchemaError> {
    let Some(properties) = json.get("properties").and_then(Node::as_object) else {
        return Err(SchemaError::form("/properties", "an object schema has `properties`"));
    };
    words(json, "")?;
    let required = texts(json, "required");
    if let Some(name) = required.iter().find(|name| !properties.iter().any(|(field, _)| field == *name)) {
        return Err(misspelt(
            "/required".to_owned(),
            format!("`required` names no field: `{name}`"),
            name,
            properties.iter().map(|(field, _)| &**field),
        ));
    }
    let access = json.get("x-access").map_or(Access { read: true, create: false, update: false, upsert: false }, |access| Access {
        read: flag(access, "read"),
        create: flag(access, "create"),
        update: flag(access, "update"),
        upsert: flag(access, "upsert"),
    });
    let by_name = classify::by_name(&system);
    let mut fields = IndexMap::with_capacity(properties.len());
    for (field, property) in properties {
        // They are put together only where something is to be said of the field.
        let (at, whole) = (format_args!("/properties/{field}"), format_args!("{connection}.{name}.{field}"));
        let required = required.iter().any(|name| name == field);
        let mut read = self::field(property, required, &at, &whole, connection)?;
        if by_name && text(property, "x-data-class").is_none() {
            read.class = classify::of_field(name, field, &read);
        }
        fields.insert(field.to_string(), read);
    }
    let named = |word: &str, name: &String| match fields.contains_key(name) {
        true => Ok(()),
        false => Err(misspelt(format!("/{word}"), format!("`{word}` names no field: `{name}`"), name, fields.keys().map(String::as_str))),
    };
    let all = |word: &str| -> Result<Vec<String>, SchemaError> {
        let names = texts(json, word);
        names.iter().try_for_each(|name| named(word, name)).map(|()| names)
    };
    let one = |word: &str| -> Result<Option<String>, SchemaError> {
        let name = text(json, word);
        name.iter().try_for_each(|name| named(word, name)).map(|()| name)
    };
    Ok(Object {
        system,
        name: name.to_owned(),
        source: text(json, "x-source").unwrap_or_default(),
        doc: text(json, "description").unwrap_or_default(),
        access,
        id: one("x-id")?,
        keys: all("x-keys")?,
        searchable: all("x-searchable")?,
        stamp: one("x-stamp")?,
        name_field: one("x-name-field")?,
        parent: text(json, "x-parent"),
        otherwise: json.get("x-class").and_then(Node::as_u64).map_or(Guarantee::Unprotected, Guarantee::of_class),
        events: texts(json, "x-events"),
        fields,
    })
}

fn field(json: &Node<'_>, required: bool, at: &dyn Display, name: &dyn Display, connection: &str) -> Result<Field, SchemaError> {
    words(json, at)?;
    let (kind, wire) = kind(json, at, name, connection)?;
    let read_only = flag(json, "readOnly");
    let clears = types(json).contains(&"null");
    let unit = match text(json, "x-length-unit").as_deref() {
        Some("bytes") => SizeUnit::Bytes,
        Some("utf16") => SizeUnit::Utf16,
        _ => SizeUnit::Characters,
    };
    let number = |name: &str| json.get(name).and_then(Node::as_u64).and_then(|number| usize::try_from(number).ok());
    let small = |name: &str| number(name).and_then(|number| u32::try_from(number).ok());
    let bound = |name: &str| json.get(name).and_then(|bound| bound.digits()?.parse::<Decimal>().ok());
    // Beside a closed list of what it takes, an open one of what it gives.
    let gives = match (&kind, json.get("enum"), json.get("x-values")) {
        (Kind::Enumeration(of), Some(_), Some(list)) => {
            let known =
                |value: &str| of.values.iter().find(|known| known.value == value).cloned().unwrap_or(Known { value: value.to_owned(), label: None });
            let values = list.as_array().into_iter().flatten().filter_map(Node::as_str).map(known).collect();
            Some(Kind::Enumeration(Arc::new(Enumeration { name: of.name.clone(), values, open: true })))
        }
        _ => None,
    };
    Ok(Field {
        kind,
        gives,
        wire,
        readable: !flag(json, "writeOnly"),
        nullable: json.get("x-nullable").and_then(Node::as_bool).unwrap_or(true),
        write: Write {
            required: required && !read_only,
            create: !read_only && json.get("x-create").and_then(Node::as_bool).unwrap_or(true),
            update: !read_only && json.get("x-update").and_then(Node::as_bool).unwrap_or(true),
            nullable: clears,
        },
        size: number("maxLength").map(|max| Size { min: number("minLength").unwrap_or(0), max, unit }),
        pattern: text(json, "pattern"),
        minimum: bound("minimum"),
        maximum: bound("maximum"),
        places: small("x-places"),
        digits: small("x-digits"),
        max_items: number("maxItems"),
        class: match text(json, "x-data-class").as_deref() {
            Some("public") => Class::Public,
            Some("business") => Class::Business,
            Some("secret") => Class::Secret,
            _ => Class::Personal,
        },
        names: text(json, "x-names").map(|object| ObjectRef::new(connection, object)),
        common: text(json, "x-common"),
        label: text(json, "title").unwrap_or_default(),
        doc: text(json, "description").unwrap_or_default(),
    })
}

/// The words of JSON Schema and the annotations that a schema may have. Other programs' annotations are left alone, unless one
/// looks like one of these.
fn words(json: &Node<'_>, at: impl Display) -> Result<(), SchemaError> {
    for (word, value) in json.as_object().into_iter().flatten() {
        if is_word(word) {
            form::check(word, value, &at)?;
            continue;
        }
        if let Some(near) = nearest(word, WORDS.iter().copied()) {
            let what = if word.starts_with("x-") { "annotation" } else { "word of a schema" };
            return Err(SchemaError::Misspelt {
                at: format!("{at}/{word}"),
                reason: format!("there is no {what} `{word}`"),
                name: word.to_string(),
                near: near.to_owned(),
            });
        }
    }
    Ok(())
}

/// A name that is none of those that are known, with the nearest of them if there is one.
pub(super) fn misspelt<'n>(at: String, reason: String, name: &str, known: impl Iterator<Item = &'n str>) -> SchemaError {
    match nearest(name, known) {
        Some(near) => SchemaError::Misspelt { at: format!("{at}/{name}"), reason, name: name.to_owned(), near: near.to_owned() },
        None => SchemaError::form(at, reason),
    }
}

macro_rules! words {
    ($($word:literal)*) => {
        const WORDS: &[&str] = &[$($word),*];

        /// One comparison of lengths and letters, since each word of each field is asked.
        fn is_word(word: &str) -> bool {
            matches!(word, $($word)|*)
        }
    };
}

words! {
    "$schema" "$id" "$ref" "$defs" "$comment" "definitions" "title" "description" "type" "format" "enum" "const" "default" "example" "examples"
    "properties" "required" "items" "prefixItems" "additionalProperties" "patternProperties" "propertyNames" "anyOf" "oneOf" "allOf" "not"
    "minLength" "maxLength" "pattern" "minimum" "maximum" "exclusiveMinimum" "exclusiveMaximum" "multipleOf" "minItems" "maxItems" "uniqueItems"
    "minProperties" "maxProperties" "readOnly" "writeOnly" "deprecated" "nullable" "contains" "if" "then" "else" "contentEncoding"
    "contentMediaType" "discriminator" "externalDocs" "xml"
    "x-source" "x-access" "x-id" "x-stamp" "x-name-field" "x-parent" "x-keys" "x-searchable" "x-events" "x-class" "x-nullable" "x-length-unit"
    "x-amount-field" "x-minor-digits-field"
    "x-places" "x-digits" "x-data-class" "x-common" "x-kind" "x-currency-field" "x-currency" "x-zone" "x-pattern" "x-units" "x-value-field" "x-units-field"
    "x-unit" "x-values" "x-labels" "x-reference" "x-names" "x-separated" "x-wire" "x-create" "x-update" "x-partner"
}

fn kind(json: &Node<'_>, at: &dyn Display, name: &dyn Display, connection: &str) -> Result<(Kind, WireEncoding), SchemaError> {
    if let Some(target) = reference(json) {
        return Ok((Kind::Object(ObjectRef::new(connection, target)), WireEncoding::Plain));
    }
    if let Some(object) = text(json, "x-reference") {
        return Ok((Kind::Reference(ObjectRef::new(connection, object)), WireEncoding::Plain));
    }
    let plain = types(json).into_iter().find(|word| *word != "null").unwrap_or("");
    let said = text(json, "x-kind");
    let kind_word = said.as_deref().unwrap_or(match (plain, text(json, "format").as_deref()) {
        ("string", Some("date")) => "date",
        ("string", Some("date-time")) => "datetime",
        ("string", Some("time")) => "time",
        ("string", _) => "text",
        ("integer", _) => "integer",
        ("number", _) => "decimal",
        ("boolean", _) => "boolean",
        ("array", _) => "list",
        _ => "json",
    });
    let as_text = plain == "string";
    Ok(match kind_word {
        "text" => match values(json) {
            Some((values, open)) => (Kind::Enumeration(Arc::new(Enumeration { name: name.to_string(), values, open })), WireEncoding::Plain),
            None => (Kind::Text, WireEncoding::Plain),
        },
        "integer" => (Kind::Integer, number_wire(as_text)),
        "decimal" => (Kind::Decimal, number_wire(as_text)),
        "money" if json.get("x-amount-field").is_some() => (Kind::Money, money_wire(json, at)?),
        "money" => {
            (Kind::Money, WireEncoding::Amount { currency_field: text(json, "x-currency-field"), unlisted: false, currency: currency(json, at)? })
        }
        "boolean" => (Kind::Boolean, WireEncoding::Plain),
        "date" => (Kind::Date, WireEncoding::Plain),
        "time" => (Kind::Time, WireEncoding::Plain),
        "datetime" if text(json, "x-pattern").as_deref() == Some("unix s") => (Kind::Datetime, WireEncoding::UnixSeconds),
        "datetime" => match text(json, "x-zone") {
            Some(zone) => {
                let pattern = text(json, "x-pattern").unwrap_or_else(|| "%Y-%m-%dT%H:%M:%S".to_owned());
                (Kind::Datetime, WireEncoding::Zoned { zone, pattern })
            }
            None => (Kind::Datetime, WireEncoding::Plain),
        },
        "weight" => (Kind::Weight, weight_wire(json, at)?),
        "length" => {
            let unit = text(json, "x-unit").and_then(|word| LengthUnit::parse(&word));
            let unit = unit.ok_or_else(|| SchemaError::form(at.to_string(), "a length names its unit in `x-unit`"))?;
            (Kind::Length, WireEncoding::LengthNumber { unit })
        }
        "list" => {
            let items = json.get("items").ok_or_else(|| SchemaError::form(at.to_string(), "an array names its `items`"))?;
            let (of, _) = kind(items, &format_args!("{at}/items"), name, connection)?;
            let wire = match (text(json, "x-wire").as_deref(), text(json, "x-separated")) {
                (Some("records"), _) => WireEncoding::Records,
                (Some("connection"), _) => WireEncoding::Connection,
                (_, Some(by)) => WireEncoding::Separated { by },
                _ => WireEncoding::Plain,
            };
            (Kind::List(Box::new(Type::some(of))), wire)
        }
        "json" => (Kind::Json, WireEncoding::Plain),
        other => {
            let kinds = ["text", "integer", "decimal", "money", "boolean", "date", "time", "datetime", "weight", "length", "list", "json"];
            return Err(misspelt(format!("{at}/x-kind"), format!("there is no kind `{other}`"), other, kinds.into_iter()));
        }
    })
}

/// The one currency of a field, by its ISO 4217 code.
fn currency(json: &Node<'_>, at: &dyn Display) -> Result<Option<String>, SchemaError> {
    let Some(code) = text(json, "x-currency") else { return Ok(None) };
    if iso_currency::Currency::from_code(&code).is_none() {
        return Err(SchemaError::form(format!("{at}/x-currency"), format!("`{code}` is no currency: write its ISO 4217 code, such as `USD`")));
    }
    if json.get("x-currency-field").is_some() {
        return Err(SchemaError::form(
            format!("{at}/x-currency"),
            "the currency is fixed, or stands in the field that `x-currency-field` names, not both",
        ));
    }
    Ok(Some(code))
}

/// Money as an object: its amount's field, its currency's, and where it counts the smallest unit that of the unit's digits.
fn money_wire(json: &Node<'_>, at: &dyn Display) -> Result<WireEncoding, SchemaError> {
    let needed = |word: &str| {
        text(json, word).ok_or_else(|| SchemaError::form(at.to_string(), format!("an amount in an object names its fields: `{word}` is missing")))
    };
    let amount = needed("x-amount-field")?;
    let written = json.get("properties").and_then(|fields| fields.get(&amount));
    let as_text = written.is_some_and(|field| types(field).contains(&"string"));
    Ok(WireEncoding::MoneyObject { currency: needed("x-currency-field")?, minor_digits: text(json, "x-minor-digits-field"), text: as_text, amount })
}

fn number_wire(as_text: bool) -> WireEncoding {
    if as_text { WireEncoding::NumberText } else { WireEncoding::Plain }
}

fn weight_wire(json: &Node<'_>, at: &dyn Display) -> Result<WireEncoding, SchemaError> {
    let unit = |word: &str| WeightUnit::parse(word).ok_or_else(|| SchemaError::form(at.to_string(), format!("`{word}` is no unit of weight")));
    if let Some(word) = text(json, "x-unit") {
        return Ok(WireEncoding::WeightNumber { unit: unit(&word)? });
    }
    let words = texts(json, "x-units");
    if words.is_empty() {
        return Err(SchemaError::form(at.to_string(), "a weight names its unit in `x-unit`, or the words it takes in `x-units`"));
    }
    let words = words.into_iter().map(|word| Ok((unit(&word)?, word))).collect::<Result<_, SchemaError>>()?;
    let part = |name: &str, usual: &str| text(json, name).unwrap_or_else(|| usual.to_owned());
    Ok(WireEncoding::WeightObject { value: part("x-value-field", "value"), units: part("x-units-field", "units"), words })
}

/// `enum` is closed; `x-values` are known values of an open set. A value may have a label.
fn values(json: &Node<'_>) -> Option<(Vec<Known>, bool)> {
    let (list, open) = match (json.get("enum"), json.get("x-values")) {
        (Some(list), _) => (list, false),
        (None, Some(list)) => (list, true),
        (None, None) => return None,
    };
    let labels = json.get("x-labels");
    let values = list.as_array()?.iter().filter_map(Node::as_str);
    let known =
        |value: &str| Known { value: value.to_owned(), label: labels.and_then(|labels| labels.get(value)).and_then(Node::as_str).map(str::to_owned) };
    Some((values.map(known).collect(), open))
}

/// The object that a `$ref` names: `"Address.json"`, alone or beside `null`.
fn reference(json: &Node<'_>) -> Option<String> {
    let direct = |json: &Node<'_>| {
        let target = json.get("$ref")?.as_str()?;
        Some(target.strip_suffix(".json").unwrap_or(target).to_owned())
    };
    direct(json).or_else(|| json.get("anyOf")?.as_array()?.iter().find_map(direct))
}

fn types<'n>(json: &'n Node<'_>) -> Vec<&'n str> {
    match json.get("type") {
        Some(Node::Text(word)) => vec![word],
        Some(Node::List(words)) => words.iter().filter_map(Node::as_str).collect(),
        _ if json.get("anyOf").is_some() => vec!["null"],
        _ => Vec::new(),
    }
}

fn flag(json: &Node<'_>, name: &str) -> bool {
    json.get(name).and_then(Node::as_bool).unwrap_or(false)
}

fn text(json: &Node<'_>, name: &str) -> Option<String> {
    json.get(name).and_then(Node::as_str).map(str::to_owned)
}

fn texts(json: &Node<'_>, name: &str) -> Vec<String> {
    let list = json.get(name).and_then(Node::as_array);
    list.into_iter().flatten().filter_map(Node::as_str).map(str::to_owned).collect()
}
