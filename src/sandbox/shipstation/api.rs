//! The API description, and requests held against it.

use std::fmt::Write as _;
use std::sync::OnceLock;

use super::time;
use crate::base::nearest;
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
    /// Parts of the body do not fit: where, and how.
    Invalid {
        path: String,
        wrong: Vec<(String, String)>,
    },
    NoPath,
    NoMethod,
}

/// What the body of an operation is called in a refusal.
pub(super) fn about(path: &str) -> &'static str {
    match path.to_ascii_lowercase().as_str() {
        "/orders/createorder" => "apiOrder",
        "/orders/createorders" => "apiOrders",
        _ => "request",
    }
}

/// Finds the operation of a request. Its query and body get the described names: the vendor takes them in letters of any
/// case, and values in every form of their type. What the description does not know is noted: the vendor ignores it, so a
/// caller that relies on it is wrong.
pub(super) fn meant(request: &Request, query: &mut [(String, String)], body: &mut Json, complaints: &mut Vec<String>) -> Meant {
    let asked = parts(request.uri().path());
    let fits = |operation: &&Operation| {
        operation.path.len() == asked.len()
            && operation.path.iter().zip(&asked).all(|(known, part)| known.eq_ignore_ascii_case(part) || known.starts_with('{'))
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
        match known(&operation.query, name) {
            Some((described, _)) if described == name => {}
            Some((described, _)) => described.clone_into(name),
            None => complaints.push(format!("{} {} has no parameter `{name}`", operation.method, request.uri().path())),
        }
    }
    let path = format!("/{}", operation.path.join("/"));
    if let Some(shape) = &operation.body {
        let mut reading = Reading { path: &path, at: about(&path).to_owned(), name: "", complaints, wrong: Vec::new() };
        reading.fit(body, shape);
        if !reading.wrong.is_empty() {
            return Meant::Invalid { wrong: reading.wrong, path };
        }
    }
    let values = operation.path.iter().zip(asked).filter(|(known, _)| known.starts_with('{')).map(|(_, part)| part).collect();
    Meant::Operation { path, values }
}

/// Fields of an order as somebody names them, also `shipTo.city`: each is one of the description and holds what it says.
///
/// # Errors
/// There is no such field, or it holds something else.
pub(super) fn of_an_order(fields: &Json) -> Result<serde_json::Map<String, Json>, String> {
    let found = operations().iter().find(|operation| operation.path == ["orders", "createorder"]);
    let Some((path, shape)) = found.and_then(|operation| Some(("/orders/createorder", operation.body.as_ref()?))) else {
        return Ok(serde_json::Map::new());
    };
    let mut read = serde_json::Map::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let (outer, inner) = name.split_once('.').map_or((name.as_str(), None), |(outer, inner)| (outer, Some(inner)));
        let mut body = match inner {
            Some(inner) => serde_json::json!({ outer: { inner: value } }),
            None => serde_json::json!({ outer: value }),
        };
        let mut complaints = Vec::new();
        let mut reading = Reading { path, at: about(path).to_owned(), name: "", complaints: &mut complaints, wrong: Vec::new() };
        reading.fit(&mut body, shape);
        if let Some((_, why)) = reading.wrong.into_iter().next() {
            return Err(why);
        }
        let held = inner.map_or_else(|| body.get(outer), |inner| body.get(outer).and_then(|outer| outer.get(inner)));
        match held {
            Some(held) if complaints.is_empty() => read.insert(name.clone(), held.clone()),
            _ => return Err(format!("an order of ShipStation has no field `{name}`{}", near(shape, name))),
        };
    }
    Ok(read)
}

/// What was meant by a name that no field of an order has.
fn near(shape: &Json, name: &str) -> String {
    let names = shape.as_object().into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
    nearest(name, names).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}

/// A described name, as it is written or in other letters.
fn known<'d>(described: &'d serde_json::Map<String, Json>, name: &str) -> Option<(&'d String, &'d Json)> {
    described.get_key_value(name).or_else(|| described.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
}

fn element(shape: &Json) -> Option<&Json> {
    shape.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("items"))
}

/// Reads a body by its described shape.
struct Reading<'r> {
    path: &'r str,
    /// Where it is: `apiOrder.items[0].quantity`
    at: String,
    /// The member's own name.
    name: &'r str,
    complaints: &'r mut Vec<String>,
    wrong: Vec<(String, String)>,
}

impl<'r> Reading<'r> {
    fn fit(&mut self, value: &mut Json, shape: &'r Json) {
        match shape {
            _ if value.is_null() => {}
            Json::String(kind) => self.scalar(value, kind),
            shape if element(shape).is_some() => {
                let inner = element(shape).unwrap_or(shape);
                match value {
                    Json::Array(items) => {
                        let length = self.at.len();
                        for (index, item) in items.iter_mut().enumerate() {
                            // Writing to memory does not fail.
                            let _ = write!(self.at, "[{index}]");
                            self.fit(item, inner);
                            self.at.truncate(length);
                        }
                    }
                    _ => self.unfit(value, "array"),
                }
            }
            Json::Object(described) => match value {
                Json::Object(fields) => self.members(fields, described),
                _ => self.unfit(value, "object"),
            },
            _ => {}
        }
    }

    fn members(&mut self, fields: &mut serde_json::Map<String, Json>, described: &'r serde_json::Map<String, Json>) {
        if fields.keys().any(|name| !described.contains_key(name) && known(described, name).is_some()) {
            let renamed = std::mem::take(fields)
                .into_iter()
                .map(|(name, value)| (known(described, &name).map_or(name.clone(), |(name, _)| name.clone()), value));
            *fields = renamed.collect();
        }
        let (length, outer) = (self.at.len(), self.name);
        for (name, value) in fields.iter_mut() {
            match described.get_key_value(name) {
                Some((name, inner)) => {
                    self.at.push('.');
                    self.at.push_str(name);
                    self.name = name;
                    self.fit(value, inner);
                    self.at.truncate(length);
                }
                None if self.complaints.len() < 100 => {
                    let place = self.at.strip_prefix(about(self.path)).unwrap_or_default();
                    self.complaints.push(format!("{}{place} has no `{name}`", self.path));
                }
                None => {}
            }
        }
        self.name = outer;
    }

    fn scalar(&mut self, value: &mut Json, kind: &str) {
        let read = match (kind, &*value) {
            ("string", Json::String(text)) if self.name.ends_with("Date") => match time::read(text) {
                _ if text.trim().is_empty() => Some(Json::Null),
                // Days have no time in what the vendor prints.
                Some(at) if self.name == "shipDate" => Some(Json::String(time::date(at))),
                Some(at) => Some(Json::String(time::printed(at))),
                None => None,
            },
            ("string", Json::String(_)) => return,
            ("string", Json::Number(number)) if !self.name.ends_with("Date") => Some(Json::String(number.to_string())),
            ("string", Json::Bool(truth)) if !self.name.ends_with("Date") => Some(Json::String(truth.to_string())),
            ("number" | "integer", Json::String(text)) if text.trim().is_empty() => Some(Json::Null),
            ("number", Json::Number(_)) | ("boolean", Json::Bool(_)) => return,
            ("number", Json::String(text)) => text.trim().parse::<serde_json::Number>().ok().map(Json::Number),
            ("integer", Json::Number(number)) => whole(&number.to_string()),
            ("integer", Json::String(text)) => whole(text.trim()),
            ("boolean", Json::String(text)) => text.trim().to_ascii_lowercase().parse().ok().map(Json::Bool),
            ("boolean", Json::Number(number)) => Some(Json::Bool(number.as_f64() != Some(0.0))),
            ("string" | "number" | "integer" | "boolean", _) => None,
            _ => return,
        };
        match read {
            Some(read) => *value = read,
            None => {
                let kind = match kind {
                    "string" if self.name.ends_with("Date") => "DateTime",
                    "number" => "decimal",
                    kind => kind,
                };
                self.unfit(value, kind);
            }
        }
    }

    fn unfit(&mut self, value: &Json, kind: &str) {
        let shown: String = value.as_str().map_or_else(|| value.to_string(), str::to_owned).chars().take(80).collect();
        let path = self.at.split_once('.').map_or("", |(_, path)| path);
        let message = format!("Could not convert {} to {kind}: {shown}. Path '{path}'.", if value.is_string() { "string" } else { "value" });
        self.wrong.push((self.at.clone(), message));
    }
}

/// A number without a fraction: `2`, `2.0`.
fn whole(text: &str) -> Option<Json> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then(|| digits.parse::<i64>().ok().map(Json::from)).flatten()
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

    /// What a body is read as, or where it does not fit.
    fn read(path: &str, mut body: Json) -> Result<Json, Vec<String>> {
        let request = http::Request::post(format!("https://sandbox{path}")).body(bytes::Bytes::new()).unwrap();
        match meant(&request, &mut [], &mut body, &mut Vec::new()) {
            Meant::Operation { .. } => Ok(body),
            Meant::Invalid { wrong, .. } => Err(wrong.into_iter().map(|(at, _)| at).collect()),
            Meant::NoPath | Meant::NoMethod => Err(Vec::new()),
        }
    }

    #[test]
    fn wrong_types_are_found() {
        let order = |quantity: Json| serde_json::json!({"orderNumber": "1", "items": [{"sku": "a", "quantity": quantity}]});
        assert_eq!(read("/orders/createorder", order(serde_json::json!(2))), Ok(order(serde_json::json!(2))));
        assert_eq!(read("/orders/createorder", order(serde_json::json!("two"))), Err(vec!["apiOrder.items[0].quantity".into()]));
        assert_eq!(read("/orders/createorders", serde_json::json!([{"billTo": "x"}])), Err(vec!["apiOrders[0].billTo".into()]));
        assert_eq!(
            read("/orders/createorder", serde_json::json!({"orderDate": "soon", "shipByDate": 5, "gift": "perhaps"})),
            Err(vec!["apiOrder.orderDate".into(), "apiOrder.shipByDate".into(), "apiOrder.gift".into()])
        );
    }

    #[test]
    fn values_and_names_are_read_in_each_of_their_forms() {
        let given = serde_json::json!({
            "ORDERNUMBER": 17, "OrderDate": "11/20/2026", "items": [{"Sku": "a", "quantity": "2", "unitPrice": "2.50"}], "Gift": "True", "amountPaid": "",
        });
        let read = read("/Orders/CreateOrder", given).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "orderNumber": "17", "orderDate": "2026-11-20T00:00:00.0000000",
                "items": [{"sku": "a", "quantity": 2, "unitPrice": "2.50".parse::<serde_json::Number>().unwrap()}], "gift": true, "amountPaid": null,
            })
        );
    }
}
