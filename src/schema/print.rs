//! From an [`Object`] to its schema file. [`super::read`] reads it back the same.

use serde_json::{Map, json};

use super::object::{Class, Field, Object, SizeUnit};
use crate::value::{Json, Kind, WireEncoding};

/// The schema file's JSON. Its plain JSON Schema part holds payloads by itself: what a create must
/// have, the closed enumerations, the limits.
pub fn to_json(object: &Object) -> Json {
    let mut out = Map::new();
    let mut put = |name: &str, value: Json| {
        out.insert(name.to_owned(), value);
    };
    put("$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    put("title", json!(object.name));
    for (name, text) in [("description", &object.doc), ("x-source", &object.source)] {
        if !text.is_empty() {
            put(name, json!(text));
        }
    }
    put(
        "x-access",
        json!({
            "read": object.access.read, "create": object.access.create, "update": object.access.update, "upsert": object.access.upsert,
        }),
    );
    for (name, value) in [("x-id", &object.id), ("x-stamp", &object.stamp), ("x-name-field", &object.name_field), ("x-parent", &object.parent)] {
        if let Some(value) = value {
            put(name, json!(value));
        }
    }
    for (name, list) in [("x-keys", &object.keys), ("x-searchable", &object.searchable), ("x-events", &object.events)] {
        if !list.is_empty() {
            put(name, json!(list));
        }
    }
    put("x-class", json!(object.otherwise.class()));
    put("type", json!("object"));
    let required: Vec<&String> = object.fields.iter().filter(|(_, f)| f.write.required).map(|(name, _)| name).collect();
    put("required", json!(required));
    let properties: Map<String, Json> = object.fields.iter().map(|(name, f)| (name.clone(), property(object, name, f))).collect();
    put("properties", Json::Object(properties));
    put("additionalProperties", json!(false));
    Json::Object(out)
}

fn property(object: &Object, name: &str, field: &Field) -> Json {
    let mut out = shape(&field.kind, &field.wire, field.write.nullable);
    let mut put = |name: &str, value: Json| {
        out.insert(name.to_owned(), value);
    };
    if !field.write.create && !field.write.update {
        put("readOnly", json!(true));
    } else {
        for (name, can) in [("x-create", field.write.create), ("x-update", field.write.update)] {
            if !can {
                put(name, json!(false));
            }
        }
    }
    if !field.readable {
        put("writeOnly", json!(true));
    }
    if let Some(Kind::Enumeration(of)) = &field.gives {
        put("x-values", json!(of.names().collect::<Vec<_>>()));
    }
    if !field.nullable {
        put("x-nullable", json!(false));
    }
    if let Some(size) = field.size {
        if size.min > 0 {
            put("minLength", json!(size.min));
        }
        put("maxLength", json!(size.max));
        match size.unit {
            SizeUnit::Characters => {}
            SizeUnit::Bytes => put("x-length-unit", json!("bytes")),
            SizeUnit::Utf16 => put("x-length-unit", json!("utf16")),
        }
    }
    for (name, bound) in [("minimum", field.minimum), ("maximum", field.maximum)] {
        if let Some(number) = bound.and_then(|bound| bound.to_string().parse::<serde_json::Number>().ok()) {
            put(name, Json::Number(number));
        }
    }
    if let Some(pattern) = &field.pattern {
        put("pattern", json!(pattern));
    }
    for (name, number) in [("x-places", field.places), ("x-digits", field.digits)] {
        if let Some(number) = number {
            put(name, json!(number));
        }
    }
    if let Some(most) = field.max_items {
        put("maxItems", json!(most));
    }
    match field.class {
        // Said where it would be taken for something else.
        Class::Personal if super::classify::by_name(&object.system) && super::classify::of_field(&object.name, name, field) != Class::Personal => {
            put("x-data-class", json!("personal"));
        }
        Class::Personal => {}
        Class::Public => put("x-data-class", json!("public")),
        Class::Business => put("x-data-class", json!("business")),
        Class::Secret => put("x-data-class", json!("secret")),
    }
    if let Some(names) = &field.names {
        put("x-names", json!(names.object));
    }
    if let Some(common) = &field.common {
        put("x-common", json!(common));
    }
    if !field.label.is_empty() {
        put("title", json!(field.label));
    }
    if !field.doc.is_empty() {
        put("description", json!(field.doc));
    }
    Json::Object(out)
}

fn shape(kind: &Kind, wire: &WireEncoding, clears: bool) -> Map<String, Json> {
    let word = |word: &str| if clears { json!([word, "null"]) } else { json!(word) };
    let made = match (kind, wire) {
        (Kind::Text, _) => json!({ "type": word("string") }),
        (Kind::Integer, WireEncoding::NumberText) => json!({ "type": word("string"), "x-kind": "integer" }),
        (Kind::Integer, _) => json!({ "type": word("integer") }),
        (Kind::Decimal, WireEncoding::NumberText) => json!({ "type": word("string"), "x-kind": "decimal" }),
        (Kind::Decimal, _) => json!({ "type": word("number") }),
        (Kind::Money, WireEncoding::Amount { currency: Some(currency), .. }) => {
            json!({ "type": word("number"), "x-kind": "money", "x-currency": currency })
        }
        (Kind::Money, WireEncoding::Amount { currency_field: Some(field), .. }) => {
            json!({ "type": word("number"), "x-kind": "money", "x-currency-field": field })
        }
        (Kind::Money, WireEncoding::MoneyObject { amount, currency, minor_digits, text }) => {
            let number = if *text { "string" } else { "number" };
            let mut made = json!({
                "type": word("object"), "x-kind": "money", "x-amount-field": amount, "x-currency-field": currency,
                "properties": { (amount): { "type": number }, (currency): { "type": "string" } }, "required": [amount, currency],
            });
            if let Some(field) = minor_digits {
                made["x-minor-digits-field"] = json!(field);
            }
            made
        }
        (Kind::Money, _) => json!({ "type": word("number"), "x-kind": "money" }),
        (Kind::Boolean, _) => json!({ "type": word("boolean") }),
        (Kind::Date, _) => json!({ "type": word("string"), "format": "date" }),
        (Kind::Time, _) => json!({ "type": word("string"), "format": "time" }),
        (Kind::Datetime, WireEncoding::Zoned { zone, pattern }) => {
            json!({ "type": word("string"), "x-kind": "datetime", "x-zone": zone, "x-pattern": pattern })
        }
        (Kind::Datetime, WireEncoding::UnixSeconds) => json!({ "type": word("integer"), "x-kind": "datetime", "x-pattern": "unix s" }),
        (Kind::Datetime, _) => json!({ "type": word("string"), "format": "date-time" }),
        (Kind::Weight, WireEncoding::WeightObject { value, units, words }) => {
            let words: Vec<&String> = words.iter().map(|(_, word)| word).collect();
            json!({
                "type": word("object"), "x-kind": "weight", "x-units": words, "x-value-field": value, "x-units-field": units,
                "properties": { (value): { "type": "number" }, (units): { "enum": words } }, "required": [value, units],
            })
        }
        (Kind::Weight, WireEncoding::WeightNumber { unit }) => json!({ "type": word("number"), "x-kind": "weight", "x-unit": unit.word() }),
        (Kind::Length, WireEncoding::LengthNumber { unit }) => json!({ "type": word("number"), "x-kind": "length", "x-unit": unit.word() }),
        (Kind::Enumeration(of), _) => {
            let values: Vec<&str> = of.names().collect();
            let labels: Map<String, Json> = of.values.iter().filter_map(|known| Some((known.value.clone(), json!(known.label.as_ref()?)))).collect();
            let mut made = Map::new();
            made.insert("type".to_owned(), word("string"));
            if of.open {
                made.insert("x-values".to_owned(), json!(values));
            } else {
                let mut values: Vec<Json> = values.into_iter().map(Json::from).collect();
                if clears {
                    values.push(Json::Null);
                }
                made.insert("enum".to_owned(), Json::Array(values));
            }
            if !labels.is_empty() {
                made.insert("x-labels".to_owned(), Json::Object(labels));
            }
            return made;
        }
        (Kind::Reference(of), _) => {
            json!({ "type": if clears { json!(["integer", "string", "null"]) } else { json!(["integer", "string"]) }, "x-reference": of.object })
        }
        (Kind::Object(of), _) if clears => json!({ "anyOf": [{ "$ref": format!("{}.json", of.object) }, { "type": "null" }] }),
        (Kind::Object(of), _) => json!({ "$ref": format!("{}.json", of.object) }),
        (Kind::List(of), WireEncoding::Separated { by }) => {
            json!({ "type": word("string"), "x-kind": "list", "x-separated": by, "items": shape(&of.kind, &WireEncoding::Plain, false) })
        }
        (Kind::List(of), wire) => {
            let mut made = json!({ "type": word("array"), "items": shape(&of.kind, &WireEncoding::Plain, false) });
            match wire {
                WireEncoding::Records => made["x-wire"] = json!("records"),
                WireEncoding::Connection => made["x-wire"] = json!("connection"),
                _ => {}
            }
            made
        }
        _ => json!({ "x-kind": "json" }),
    };
    match made {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::read;

    #[test]
    fn forms_of_money_instants_and_lists_are_read_back_the_same() {
        let text = r#"{ "title": "Order", "x-access": { "read": true, "create": true, "update": false, "upsert": false }, "type": "object", "properties": {
            "total": { "type": "object", "x-kind": "money", "x-amount-field": "centAmount", "x-currency-field": "currencyCode", "x-minor-digits-field": "fractionDigits" },
            "fee": { "type": ["object", "null"], "x-kind": "money", "x-amount-field": "value", "x-currency-field": "currency", "properties": { "value": { "type": "string" } } },
            "made": { "type": "integer", "x-kind": "datetime", "x-pattern": "unix s" },
            "lines": { "type": "array", "items": { "$ref": "Line.json" }, "x-wire": "connection" } } }"#;
        let object = read(text, "shop", "Order", "shop").unwrap();
        let wire = |name: &str| object.fields[name].wire.clone();
        let money = |amount: &str, currency: &str, minor: Option<&str>, text| WireEncoding::MoneyObject {
            amount: amount.to_owned(),
            currency: currency.to_owned(),
            minor_digits: minor.map(str::to_owned),
            text,
        };
        assert_eq!(wire("total"), money("centAmount", "currencyCode", Some("fractionDigits"), false));
        assert_eq!(wire("fee"), money("value", "currency", None, true));
        assert!(object.fields["fee"].write.nullable);
        assert_eq!((wire("made"), wire("lines")), (WireEncoding::UnixSeconds, WireEncoding::Connection));
        let printed = to_json(&object).to_string();
        assert_eq!(read(&printed, "shop", "Order", "shop").unwrap(), object);
        let nameless = r#"{ "title": "O", "type": "object", "properties": { "t": { "type": "object", "x-kind": "money", "x-amount-field": "a" } } }"#;
        assert!(read(nameless, "shop", "O", "shop").unwrap_err().to_string().contains("x-currency-field"));
    }
}
