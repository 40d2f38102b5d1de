//! Values that no schema describes. `$` reads inside them; conversions make values of other kinds.

use std::sync::Arc;

use super::signature::{given, text};
use super::{Builtin, Example, Family, Gives, Takes};
use crate::value::{Json, Kind, MAX_TEXT, Value, to_json};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "json_text",
        family: Family::Json,
        takes: &[given("value", Takes::Any)],
        gives: Gives::Kind(Kind::Text),
        says: "The value written as JSON.",
        examples: &[
            Example { call: r#"json_text({"a": [1, 2.50]})"#, gives: r#""{\"a\":[1,2.50]}""# },
            Example { call: "json_text(missing)", gives: "missing" },
        ],
        run: |args| Ok(Value::text(to_json(args.get(0)).to_string())),
    },
    Builtin {
        name: "json",
        family: Family::Json,
        takes: &[given("value", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Json),
        says: "The JSON in a text. Missing if the text is not valid JSON, or is `null`.",
        examples: &[Example { call: r#"json("{\"a\": 1}")"#, gives: r#"{"a": 1}"# }, Example { call: r#"json("{")"#, gives: "missing" }],
        run: |args| {
            let text = args.need_text(0, "json")?;
            if text.len() > MAX_TEXT {
                return Ok(Value::ABSENT);
            }
            let json = serde_json::from_str::<Json>(text).ok().filter(|json| !json.is_null());
            Ok(Value::optional(json.map(|json| Value::Json(Arc::new(json)))))
        },
    },
    Builtin {
        name: "keys",
        family: Family::Json,
        takes: &[given("value", Takes::Kind(Kind::Json))],
        gives: Gives::List(Kind::Text),
        says: "The names of the fields of a JSON object, in its order; an empty list if it is not an object.",
        examples: &[Example { call: r#"keys({"a": 1, "b": 2})"#, gives: r#"["a", "b"]"# }, Example { call: "keys(missing)", gives: "missing" }],
        run: |args| {
            let names = match args.get(0) {
                Value::Json(json) | Value::Record(json) => {
                    json.as_object().map(|fields| fields.keys().take(crate::value::MAX_ITEMS + 1).map(|name| Value::text(name.as_str())).collect())
                }
                _ => None,
            };
            Ok(Value::list(names.unwrap_or_default()))
        },
    },
    Builtin {
        name: "has_key",
        family: Family::Json,
        takes: &[given("value", Takes::Kind(Kind::Json)), text("name")],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether a JSON object has a field of that name, also one that is `null`.",
        examples: &[Example { call: r#"has_key({"a": null}, "a")"#, gives: "true" }, Example { call: r#"has_key({"a": 1}, "b")"#, gives: "false" }],
        run: |args| match args.get(0) {
            Value::Json(json) | Value::Record(json) => Ok(Value::Boolean(json.get(args.text(1)).is_some())),
            _ => Ok(Value::Boolean(false)),
        },
    },
];
