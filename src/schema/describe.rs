//! A Salesforce describe (`/sobjects/Order/describe`) as it is, to an [`Object`].
//!
//! What a describe says and what is made of it:
//! - a picklist is closed if it is restricted; values that are not active are left out;
//! - a create must have what is `createable`, not `nillable` and not `defaultedOnCreate`;
//! - on read a field may be missing if it is `nillable`; a parent always may, since its reference may;
//! - `currency` is money, in the record's `CurrencyIsoCode` where the org has several;
//! - child relationships are lists, wrapped as a query's answer wraps them.

use std::sync::Arc;

use indexmap::IndexMap;

use super::error::SchemaError;
use super::object::{Access, Field, Object, Size, SizeUnit, Write};
use crate::system::Guarantee;
use crate::system::{self, Describe};
use crate::value::{Enumeration, Json, Kind, Known, ObjectRef, Type, WireEncoding};

pub(super) fn is_describe(json: &Json) -> bool {
    json.get("fields").is_some_and(Json::is_array) && json.get("name").is_some_and(Json::is_string)
}

/// # Errors
/// A field has no name or no type.
pub(super) fn object(json: &Json, connection: &str) -> Result<Object, SchemaError> {
    let (system, title) = system::that_describes(Describe::Sobject).map_or(("", ""), |(name, manifest)| (name, manifest.title.as_str()));
    let name = text(json, "name");
    let empty = Vec::new();
    let described = json.get("fields").and_then(Json::as_array).unwrap_or(&empty);
    let currency = described.iter().any(|field| text(field, "name") == "CurrencyIsoCode");
    let mut object = Object {
        system: system.into(),
        name: name.clone(),
        source: format!("{title} describe"),
        doc: text(json, "label"),
        fields: IndexMap::new(),
        access: Access {
            read: json.get("queryable").and_then(Json::as_bool).unwrap_or(true),
            create: flag(json, "createable"),
            update: flag(json, "updateable"),
            upsert: flag(json, "createable") && flag(json, "updateable"),
        },
        id: Some("Id".to_owned()),
        keys: Vec::new(),
        searchable: Vec::new(),
        stamp: None,
        name_field: None,
        parent: None,
        otherwise: Guarantee::Searchable,
        events: Vec::new(),
    };
    let mut relations = Vec::new();
    for (at, described) in described.iter().enumerate() {
        let field_name = text(described, "name");
        if field_name.is_empty() || text(described, "type").is_empty() {
            return Err(SchemaError::form(format!("/fields/{at}"), "a described field has a `name` and a `type`"));
        }
        if flag(described, "externalId") || flag(described, "idLookup") {
            object.searchable.push(field_name.clone());
        }
        if flag(described, "nameField") {
            object.name_field = Some(field_name.clone());
        }
        if flag(described, "externalId") && flag(described, "unique") {
            object.keys.push(field_name.clone());
        }
        let field = field(described, &name, connection, currency);
        let relation = text(described, "relationshipName");
        let targets = described.get("referenceTo").and_then(Json::as_array);
        if let (false, Some([target])) = (relation.is_empty(), targets.map(Vec::as_slice))
            && let Some(target) = target.as_str()
        {
            relations.push((relation, parent(ObjectRef::new(connection, target), &field)));
        }
        object.fields.insert(field_name, field);
    }
    for (name, field) in relations {
        object.fields.entry(name).or_insert(field);
    }
    if object.fields.contains_key("SystemModstamp") {
        object.stamp = Some("SystemModstamp".to_owned());
    }
    for child in json.get("childRelationships").and_then(Json::as_array).into_iter().flatten() {
        let (relation, target) = (text(child, "relationshipName"), text(child, "childSObject"));
        if !relation.is_empty() && !target.is_empty() {
            object.fields.entry(relation).or_insert_with(|| children(ObjectRef::new(connection, target)));
        }
    }
    Ok(object)
}

fn read_only(kind: Kind, wire: WireEncoding, nullable: bool) -> Field {
    Field { wire, nullable, write: Write { required: false, create: false, update: false, nullable: false }, ..Field::of(kind) }
}

/// The parent record behind a reference. It may be missing where the reference may.
fn parent(of: ObjectRef, reference: &Field) -> Field {
    read_only(Kind::Object(of), WireEncoding::Plain, reference.nullable)
}

fn children(of: ObjectRef) -> Field {
    read_only(Kind::List(Box::new(Type::some(Kind::Object(of)))), WireEncoding::Records, true)
}

fn field(json: &Json, object: &str, connection: &str, currency: bool) -> Field {
    let name = &format!("{connection}.{object}.{}", text(json, "name"));
    let kind_word = text(json, "type");
    let number = |name: &str| json.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok());
    let (kind, wire) = match kind_word.as_str() {
        "boolean" => (Kind::Boolean, WireEncoding::Plain),
        "int" | "long" => (Kind::Integer, WireEncoding::Plain),
        "double" | "percent" => (Kind::Decimal, WireEncoding::Plain),
        "currency" => {
            (Kind::Money, WireEncoding::Amount { currency_field: currency.then(|| "CurrencyIsoCode".to_owned()), unlisted: false, currency: None })
        }
        "date" => (Kind::Date, WireEncoding::Plain),
        "datetime" => (Kind::Datetime, WireEncoding::Plain),
        "time" => (Kind::Time, WireEncoding::Plain),
        "picklist" => (picklist(json, name), WireEncoding::Plain),
        "multipicklist" => (Kind::List(Box::new(Type::some(picklist(json, name)))), WireEncoding::Separated { by: ";".to_owned() }),
        "address" => (Kind::Object(ObjectRef::new(connection, "Address")), WireEncoding::Plain),
        "location" | "complexvalue" | "anyType" | "json" => (Kind::Json, WireEncoding::Plain),
        _ => (Kind::Text, WireEncoding::Plain),
    };
    let nillable = flag(json, "nillable");
    let create = flag(json, "createable");
    let length = json.get("length").and_then(Json::as_u64).and_then(|length| usize::try_from(length).ok());
    let sized = matches!(kind, Kind::Text) && kind_word != "reference" && kind_word != "id";
    let (digits, places) = match kind_word.as_str() {
        "double" | "percent" | "currency" => (number("precision"), number("scale")),
        "int" => (number("digits"), None),
        _ => (None, None),
    };
    Field {
        wire,
        nullable: nillable,
        write: Write {
            required: create && !nillable && !flag(json, "defaultedOnCreate"),
            create,
            update: flag(json, "updateable"),
            nullable: nillable,
        },
        size: length.filter(|length| sized && *length > 0).map(|max| Size { min: 0, max, unit: SizeUnit::Characters }),
        places,
        digits: digits.filter(|digits| *digits > 0),
        class: super::classify::class(object, &text(json, "name"), &kind_word, flag(json, "autoNumber"), flag(json, "encrypted")),
        label: {
            let label = text(json, "label");
            if label == text(json, "name") { String::new() } else { label }
        },
        doc: match text(json, "inlineHelpText") {
            help if help.is_empty() => text(json, "label"),
            help => help,
        },
        ..Field::of(kind)
    }
}

fn picklist(json: &Json, name: &str) -> Kind {
    let values = json.get("picklistValues").and_then(Json::as_array).into_iter().flatten();
    let values: Vec<Known> = values
        .filter(|value| value.get("active").and_then(Json::as_bool).unwrap_or(true))
        .map(|value| {
            let (value, label) = (text(value, "value"), text(value, "label"));
            Known { label: (label != value && !label.is_empty()).then_some(label), value }
        })
        .collect();
    if values.is_empty() {
        return Kind::Text;
    }
    let open = !flag(json, "restrictedPicklist");
    Kind::Enumeration(Arc::new(Enumeration { name: name.to_owned(), values, open }))
}

fn flag(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).and_then(Json::as_str).unwrap_or("").to_owned()
}
