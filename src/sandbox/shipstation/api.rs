//! The API description, and requests held against it.

use std::sync::OnceLock;

use crate::http::Request;
use crate::value::Json;

/// `api.json`, made by `derive.py` beside it.
const DESCRIPTION: &str = include_str!("api.json");

struct Operation {
    method: String,
    /// `/orders/{orderId}` in parts.
    path: Vec<String>,
    query: serde_json::Map<String, Json>,
    body: Option<Json>,
}

fn operations() -> &'static [Operation] {
    static READ: OnceLock<Vec<Operation>> = OnceLock::new();
    READ.get_or_init(|| {
        // It comes with the program, and a test reads it.
        let all: Vec<Json> = serde_json::from_str(DESCRIPTION).unwrap_or_default();
        all.iter()
            .map(|operation| Operation {
                method: operation["method"].as_str().unwrap_or_default().to_owned(),
                path: parts(operation["path"].as_str().unwrap_or_default()),
                query: operation["query"].as_object().cloned().unwrap_or_default(),
                body: operation.get("body").cloned(),
            })
            .collect()
    })
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What a request is, by the description.
pub(super) enum Meant {
    /// The path as described, and the values of its parameters.
    Operation {
        path: String,
        values: Vec<String>,
    },
    NoPath,
    NoMethod,
}

/// Finds the operation of a request, and notes what the description does not know about it: the vendor ignores
/// that, so a caller that relies on it is wrong.
pub(super) fn meant(request: &Request, query: &[(String, String)], body: Option<&Json>, complaints: &mut Vec<String>) -> Meant {
    let asked = parts(request.uri().path());
    let fits = |operation: &&Operation| {
        operation.path.len() == asked.len() && operation.path.iter().zip(&asked).all(|(known, part)| known == part || known.starts_with('{'))
    };
    let mut found: Vec<&Operation> = operations().iter().filter(fits).collect();
    // `/orders/createorder` is also an `/orders/{orderId}`: what is named goes first.
    found.sort_by_key(|operation| operation.path.iter().filter(|part| part.starts_with('{')).count());
    let fewest = found.first().map(|operation| operation.path.iter().filter(|part| part.starts_with('{')).count());
    found.retain(|operation| Some(operation.path.iter().filter(|part| part.starts_with('{')).count()) == fewest);
    if found.is_empty() {
        return Meant::NoPath;
    }
    let Some(operation) = found.into_iter().find(|operation| operation.method == request.method().as_str()) else { return Meant::NoMethod };
    for (name, _) in query {
        if !operation.query.contains_key(name) {
            complaints.push(format!("{} {} has no parameter `{name}`", operation.method, request.uri().path()));
        }
    }
    let path = format!("/{}", operation.path.join("/"));
    if let (Some(body), Some(shape)) = (body, &operation.body) {
        unknown(body, shape, &path, complaints);
    }
    let values = operation.path.iter().zip(asked).filter(|(known, _)| known.starts_with('{')).map(|(_, part)| part).collect();
    Meant::Operation { path, values }
}

fn element(shape: &Json) -> Option<&Json> {
    shape.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("items"))
}

fn unknown(body: &Json, shape: &Json, at: &str, complaints: &mut Vec<String>) {
    match (body, shape) {
        (Json::Array(items), shape) => {
            if let Some(inner) = element(shape) {
                items.iter().for_each(|item| unknown(item, inner, at, complaints));
            }
        }
        (Json::Object(fields), Json::Object(known)) => {
            for (name, value) in fields {
                match known.get(name) {
                    Some(inner) => unknown(value, inner, &format!("{at}.{name}"), complaints),
                    None if complaints.len() < 100 => complaints.push(format!("{at} has no `{name}`")),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// The first value of a body that is not of its described type: where, and what is wanted.
pub(super) fn misfit(body: &Json, path: &str) -> Option<(String, String)> {
    let operation = operations().iter().find(|operation| format!("/{}", operation.path.join("/")) == path && operation.body.is_some())?;
    let shape = operation.body.as_ref()?;
    wrong(body, element(shape).filter(|_| !body.is_array()).unwrap_or(shape), "")
}

fn wrong(value: &Json, shape: &Json, at: &str) -> Option<(String, String)> {
    let place = || if at.is_empty() { "the request".to_owned() } else { at.to_owned() };
    match shape {
        _ if value.is_null() => None,
        Json::String(kind) => {
            let fits = match kind.as_str() {
                "string" => value.is_string() || value.is_number(),
                "number" => value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
                "integer" => {
                    let whole = |text: &str| text.parse::<f64>().is_ok_and(|number| number.fract() == 0.0);
                    value.as_number().is_some_and(|number| whole(&number.to_string())) || value.as_str().is_some_and(whole)
                }
                "boolean" => value.is_boolean(),
                _ => true,
            };
            (!fits).then(|| (place(), kind.clone()))
        }
        shape if element(shape).is_some() => match value {
            Json::Array(items) => {
                let inner = element(shape)?;
                items.iter().enumerate().find_map(|(index, item)| wrong(item, inner, &format!("{at}[{index}]")))
            }
            _ => Some((place(), "array".to_owned())),
        },
        Json::Object(known) => match value {
            Json::Object(fields) => fields.iter().find_map(|(name, value)| {
                let inner = known.get(name)?;
                wrong(value, inner, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") })
            }),
            _ => Some((place(), "object".to_owned())),
        },
        _ => None,
    }
}

/// The descriptions of all operations: for tests that hold answers and examples against them.
#[cfg(test)]
pub(super) fn described() -> Vec<Json> {
    serde_json::from_str(DESCRIPTION).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_read() {
        assert!(operations().len() > 40);
        assert!(operations().iter().any(|operation| operation.path == ["orders", "createorders"] && operation.body.is_some()));
    }

    #[test]
    fn wrong_types_are_found() {
        let order = |quantity: Json| serde_json::json!({"orderNumber": "1", "items": [{"sku": "a", "quantity": quantity}]});
        assert_eq!(misfit(&order(serde_json::json!(2)), "/orders/createorder"), None);
        assert_eq!(misfit(&order(serde_json::json!("two")), "/orders/createorder"), Some(("items[0].quantity".into(), "integer".into())));
        assert_eq!(misfit(&serde_json::json!({"billTo": "x"}), "/orders/createorders").map(|(at, _)| at), Some("billTo".into()));
    }
}
