//! What may stand behind each word of a schema. A value of another form would be read as if the word were not there.

use super::error::SchemaError;
use super::node::Node;
use crate::base::nearest;

/// The forms of values.
enum Form {
    Text,
    /// A name that is not empty.
    Name,
    Names,
    Flag,
    Whole,
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// The types of JSON Schema: one, or a list of them.
    Type,
    /// A guarantee class.
    Class,
    /// Flags by these names.
    Flags(&'static [&'static str]),
}

const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object", "null"];

/// What has to stand behind a word; `None` where anything may, or where its reader checks it.
fn form_of(word: &str) -> Option<Form> {
    Some(match word {
        "title" | "description" | "format" | "pattern" | "x-source" | "x-common" | "x-kind" | "x-zone" | "x-pattern" | "x-separated" => Form::Text,
        "x-id"
        | "x-stamp"
        | "x-name-field"
        | "x-parent"
        | "x-reference"
        | "x-names"
        | "x-unit"
        | "x-currency"
        | "x-currency-field"
        | "x-amount-field"
        | "x-minor-digits-field"
        | "x-value-field"
        | "x-units-field" => Form::Name,
        "x-keys" | "x-searchable" | "x-events" | "x-units" | "x-values" => Form::Names,
        "readOnly" | "writeOnly" | "x-nullable" | "x-create" | "x-update" => Form::Flag,
        "minLength" | "maxLength" | "maxItems" | "x-places" | "x-digits" => Form::Whole,
        "minimum" | "maximum" => Form::Number,
        "x-data-class" => Form::OneOf(&["public", "business", "personal", "secret"]),
        "x-length-unit" => Form::OneOf(&["characters", "bytes", "utf16"]),
        "x-wire" => Form::OneOf(&["records", "connection"]),
        "type" => Form::Type,
        "x-class" => Form::Class,
        "x-access" => Form::Flags(&["read", "create", "update", "upsert"]),
        _ => return None,
    })
}

/// Holds the value of a word against the word's form. `at` is a JSON pointer to the word.
///
/// # Errors
/// It has another form.
pub(super) fn check(word: &str, value: &Node<'_>, at: &dyn std::fmt::Display) -> Result<(), SchemaError> {
    let Some(form) = form_of(word) else { return Ok(()) };
    let wants = |what: &str| Err(SchemaError::form(format!("{at}/{word}"), format!("`{word}` is {what}, and this is {}", shown(value))));
    let among = |known: &'static [&'static str], value: &Node<'_>| match value.as_str() {
        Some(text) if known.contains(&text) => Ok(()),
        Some(text) => match nearest(text, known.iter().copied()) {
            Some(near) => Err(SchemaError::Misspelt {
                at: format!("{at}/{word}"),
                reason: format!("`{word}` is one of {}, and `{text}` is none", known.join(", ")),
                name: text.to_owned(),
                near: near.to_owned(),
            }),
            None => wants(&format!("one of {}", known.join(", "))),
        },
        None => wants(&format!("one of {}", known.join(", "))),
    };
    match form {
        Form::Text if value.as_str().is_none() => wants("a text"),
        Form::Name if value.as_str().is_none_or(|text| text.trim().is_empty()) => wants("a name"),
        Form::Names if value.as_array().is_none_or(|items| items.iter().any(|item| item.as_str().is_none())) => wants("a list of texts"),
        Form::Flag if value.as_bool().is_none() => wants("true or false, without quotes"),
        Form::Whole if value.as_u64().is_none() => wants("a whole number, without quotes"),
        Form::Number if value.digits().is_none() => wants("a number, without quotes"),
        Form::OneOf(known) => among(known, value),
        Form::Type => match value {
            Node::List(types) => types.iter().try_for_each(|one| among(TYPES, one)),
            one => among(TYPES, one),
        },
        Form::Class if value.as_u64().is_none_or(|class| class > 3) => wants("a guarantee class: 0, 1, 2 or 3"),
        Form::Flags(known) => {
            let Some(flags) = value.as_object() else { return wants(&format!("an object of true and false, by {}", known.join(", "))) };
            for (name, flag) in flags {
                let at = format!("{at}/{word}");
                if !known.contains(&&**name) {
                    return Err(super::read::misspelt(
                        at,
                        format!("`{word}` has no `{name}`: it has {}", known.join(", ")),
                        name,
                        known.iter().copied(),
                    ));
                }
                if flag.as_bool().is_none() {
                    return Err(SchemaError::form(format!("{at}/{name}"), format!("`{name}` is true or false, without quotes")));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A value in a message.
fn shown(value: &Node<'_>) -> String {
    match value {
        Node::Null => "null".to_owned(),
        Node::Boolean(truth) => truth.to_string(),
        Node::Number(digits) => digits.to_string(),
        Node::Text(text) if text.chars().count() > 40 => "a long text".to_owned(),
        Node::Text(text) => format!("\"{text}\""),
        Node::List(_) => "a list".to_owned(),
        Node::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    /// The error of a schema with one more word, in the object or in its field.
    fn said(word: &str, of_field: bool) -> Result<(), SchemaError> {
        let (own, field) = if of_field { (String::new(), format!(", {word}")) } else { (format!("{word}, "), String::new()) };
        let text = format!("{{ {own}\"properties\": {{ \"id\": {{ \"title\": \"Id\"{field} }} }} }}");
        super::super::read(&text, "salesforce", "Order", "crm").map(|_| ())
    }

    #[test]
    fn a_value_that_would_be_passed_over_is_an_error() {
        for (word, of_field, part) in [
            (r#""x-stamp": "Updated""#, false, "`x-stamp` names no field: `Updated`"),
            (r#""x-id": 7"#, false, "`x-id` is a name, and this is 7"),
            (r#""x-id": "Id""#, false, "`x-id` names no field: `Id`"),
            (r#""x-name-field": """#, false, "`x-name-field` is a name"),
            (r#""x-class": "0""#, false, "0, 1, 2 or 3"),
            (r#""x-class": 4"#, false, "0, 1, 2 or 3"),
            (r#""x-class": true"#, false, "0, 1, 2 or 3"),
            (r#""x-keys": "id""#, false, "a list of texts"),
            (r#""x-keys": ["ide"]"#, false, "`x-keys` names no field: `ide`"),
            (r#""x-access": ["read"]"#, false, "an object of true and false"),
            (r#""x-access": { "raed": true }"#, false, "`x-access` has no `raed`"),
            (r#""x-access": { "read": "yes" }"#, false, "`read` is true or false"),
            (r#""type": "strng""#, true, "`strng` is none"),
            (r#""type": ["string", "nul"]"#, true, "`nul` is none"),
            (r#""type": 1"#, true, "one of string, integer"),
            (r#""x-data-class": "persnal""#, true, "`persnal` is none"),
            (r#""x-length-unit": "signs""#, true, "one of characters, bytes, utf16"),
            (r#""maxLength": "40""#, true, "a whole number, without quotes"),
            (r#""maxLength": 1.5"#, true, "a whole number"),
            (r#""minimum": "0""#, true, "a number, without quotes"),
            (r#""x-nullable": "false""#, true, "true or false, without quotes"),
            (r#""readOnly": "yes""#, true, "true or false, without quotes"),
            (r#""x-values": [1, 2]"#, true, "a list of texts"),
            (r#""x-names": false"#, true, "a name"),
        ] {
            let error = said(word, of_field).map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(part)), "{word}: {error:?}");
        }
    }

    #[test]
    fn what_a_schema_says_is_taken() {
        for (word, of_field) in [
            (r#""x-stamp": "id", "x-id": "id", "x-name-field": "id", "x-class": 2, "x-keys": ["id"], "x-events": []"#, false),
            (r#""x-access": { "read": true, "upsert": false }, "type": "object", "x-source": """#, false),
            (r#""type": ["string", "null"], "maxLength": 40, "minLength": 0, "x-nullable": false, "x-data-class": "public""#, true),
            (r#""type": "number", "minimum": -0.5, "maximum": 1e3, "x-places": 2, "x-digits": 18, "readOnly": true"#, true),
            (r#""type": "string", "x-values": ["a"], "x-vendor-note": 7, "default": null, "example": [1]"#, true),
        ] {
            assert_eq!(said(word, of_field), Ok(()), "{word}");
        }
    }
}
