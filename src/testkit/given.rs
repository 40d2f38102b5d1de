//! The record that a case gives: a fixture with some fields replaced.

use crate::schema::Object;
use crate::value::{Json, Kind};

use super::node::Node;

/// Looks an object's schema up by its reference.
pub(super) type Schema<'a> = &'a dyn Fn(&crate::value::ObjectRef) -> Option<&'a Object>;

/// Puts the fields of a case's `with` into a record. `Account.Name` and a nested mapping go inside.
/// What a plain scalar is, is said by the field's kind where the schema knows it.
///
/// A component of a compound address (`ShippingPostalCode`) is put into the compound
/// (`ShippingAddress.postalCode`) too, as the system would.
pub(super) fn replace(record: &mut Json, field: &str, node: &Node, object: Option<&Object>, schema: Schema<'_>) {
    let (head, rest) = match field.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (field, None),
    };
    let Json::Object(fields) = record else { return };
    let known = object.and_then(|object| object.fields.get(head));
    let inner = known.and_then(|field| element(&field.kind)).and_then(schema);
    match (rest, node) {
        (Some(rest), _) => {
            let inside = fields.entry(head).or_insert_with(|| Json::Object(serde_json::Map::new()));
            if inside.is_null() {
                *inside = Json::Object(serde_json::Map::new());
            }
            replace(inside, rest, node, inner, schema);
        }
        (None, Node::Map(entries)) if !matches!(known.map(|field| &field.kind), Some(Kind::Json)) => {
            let inside = fields.entry(head).or_insert_with(|| Json::Object(serde_json::Map::new()));
            if !inside.is_object() {
                *inside = Json::Object(serde_json::Map::new());
            }
            for (name, node) in entries {
                replace(inside, name, node, inner, schema);
            }
        }
        (None, _) => {
            fields.insert(head.to_owned(), as_field(node, known.map(|field| &field.kind)));
            if let Some(object) = object {
                compound(fields, head, node, object);
            }
        }
    }
}

fn element(kind: &Kind) -> Option<&crate::value::ObjectRef> {
    match kind {
        Kind::Object(of) => Some(of),
        Kind::List(of) => element(&of.kind),
        _ => None,
    }
}

fn as_field(node: &Node, kind: Option<&Kind>) -> Json {
    match (node, kind) {
        (Node::Plain(text), Some(Kind::Text | Kind::Enumeration(_) | Kind::Date | Kind::Datetime | Kind::Time)) => Json::String(text.clone()),
        _ => node.to_json(),
    }
}

/// Writes `ShippingPostalCode` into `ShippingAddress`, where the record has one.
fn compound(fields: &mut serde_json::Map<String, Json>, name: &str, node: &Node, object: &Object) {
    for (known, field) in &object.fields {
        let Kind::Object(of) = &field.kind else { continue };
        if of.object != "Address" {
            continue;
        }
        let Some(part) = known.strip_suffix("Address").and_then(|prefix| name.strip_prefix(prefix)) else { continue };
        let mut letters = part.chars();
        let Some(first) = letters.next() else { continue };
        let part: String = first.to_lowercase().chain(letters).collect();
        let parts = ["street", "city", "state", "stateCode", "postalCode", "country", "countryCode"];
        if let (true, Some(Json::Object(address))) = (parts.contains(&part.as_str()), fields.get_mut(known)) {
            address.insert(part, as_field(node, Some(&Kind::Text)));
        }
    }
}
