//! Forms of a REST API from the vendor's OpenAPI file: which calls there are, and whether a JSON text is what a call takes.

use crate::apispec::{ApiSpec, Operation, Others, Place, Shape, TypeId};
use crate::value::Json;

/// The vendor's file, as a sandbox asks it.
#[derive(Debug)]
pub struct Forms {
    api: ApiSpec,
}

/// What is not as the vendor's file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The path of the value: `actions.0.items`
    pub at: String,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A field that has to be there is not.
    Missing,
    /// The file has no such field. Whether the vendor refuses it is not said by the file.
    Unknown,
    /// Another kind of value, or none of the values that there are.
    Wrong(String),
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            Why::Missing => write!(f, "{}: a value is required", self.at),
            Why::Unknown => write!(f, "{}: there is no such field", self.at),
            Why::Wrong(why) => write!(f, "{}: {why}", self.at),
        }
    }
}

impl Forms {
    /// # Errors
    /// The text is no OpenAPI description.
    pub fn read(text: &str) -> Result<Forms, String> {
        let document: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(Forms { api: ApiSpec::openapi(&document).map_err(|error| error.to_string())? })
    }

    /// A named form.
    pub fn named(&self, name: &str) -> Option<TypeId> {
        self.api.named_type(name)
    }

    /// The form of a field; of a list, or of what has any name, that of what is in it.
    pub fn field(&self, of: TypeId, name: &str) -> Option<TypeId> {
        match &self.api.ty(of).shape {
            Shape::List(element) => self.field(*element, name),
            Shape::Object(fields) => {
                let own = fields.fields.get(name).map(|field| field.ty);
                let other = || if let Others::Of(ty) = fields.others { Some(ty) } else { None };
                own.or_else(|| fields.variants.iter().find_map(|form| self.field(*form, name))).or_else(other)
            }
            Shape::OneOf(forms) => forms.iter().find_map(|form| self.field(*form, name)),
            Shape::Any => Some(of),
            _ => None,
        }
    }

    /// The operation of a call, with the values of its path.
    pub fn operation(&self, method: &str, path: &str) -> Option<(&Operation, Vec<(String, String)>)> {
        let fits = |operation: &&Operation| operation.method.word() == method;
        let found = self.api.operations.iter().filter(fits).filter_map(|operation| Some((operation, in_path(&operation.path, path)?)));
        // `/orders/import` is no `/orders/{ID}`: the one with the fewest values of its own.
        found.min_by_key(|(_, values)| values.len())
    }

    /// The parameters of a query that the operation does not have.
    pub fn strange_parameters<'q>(&self, operation: &Operation, names: impl Iterator<Item = &'q str>) -> Vec<&'q str> {
        let known = |name: &str| operation.parameters.iter().any(|parameter| parameter.place == Place::Query && parameter.name == name);
        names.filter(|name| !known(name)).collect()
    }

    /// Holds a value against a form. A field that is `null` is one that is left out.
    pub fn mismatches(&self, of: TypeId, value: &Json) -> Vec<Mismatch> {
        let mut found = Vec::new();
        self.hold(of, value, "", &mut found);
        found
    }

    fn hold(&self, of: TypeId, value: &Json, at: &str, found: &mut Vec<Mismatch>) {
        let ty = self.api.ty(of);
        let wrong = |why: String| Mismatch { at: at.to_owned(), why: Why::Wrong(why) };
        let is_it = match &ty.shape {
            Shape::Any => true,
            Shape::Text => value.is_string(),
            Shape::Integer => value.is_i64() || value.is_u64(),
            Shape::Number => value.is_number(),
            Shape::Boolean => value.is_boolean(),
            Shape::List(element) => {
                let Some(items) = value.as_array() else { return found.push(wrong("a list is expected".to_owned())) };
                items.iter().enumerate().for_each(|(place, item)| self.hold(*element, item, &below(at, &place.to_string()), found));
                return;
            }
            Shape::OneOf(forms) => {
                let fits = forms.iter().any(|form| self.mismatches(*form, value).is_empty());
                if !fits {
                    found.push(wrong("it has none of the forms that there are".to_owned()));
                }
                return;
            }
            Shape::Object(_) => return self.hold_object(of, value, at, found),
        };
        if !is_it {
            found.push(wrong(format!("`{value}` is of another kind")));
        } else if let Some(text) = value.as_str().filter(|text| !ty.values.is_empty() && !ty.values.iter().any(|known| known == text)) {
            found.push(wrong(format!("`{text}` is none of {}", ty.values.join(", "))));
        }
    }

    fn hold_object(&self, of: TypeId, value: &Json, at: &str, found: &mut Vec<Mismatch>) {
        let Shape::Object(fields) = &self.api.ty(of).shape else { return };
        let wrong = |why: String| Mismatch { at: at.to_owned(), why: Why::Wrong(why) };
        let Some(given) = value.as_object() else { return found.push(wrong("an object is expected".to_owned())) };
        if let Some(discriminator) = &fields.discriminator {
            let word = given.get(&discriminator.field).and_then(Json::as_str);
            match word.and_then(|word| discriminator.forms.get(word)) {
                Some(form) if *form != of => return self.hold(*form, value, at, found),
                Some(_) => {}
                None if word.is_none() => return found.push(Mismatch { at: below(at, &discriminator.field), why: Why::Missing }),
                None => return found.push(wrong(format!("there is no {} `{}`", discriminator.field, word.unwrap_or_default()))),
            }
        }
        for (name, field) in &fields.fields {
            match given.get(name).filter(|value| !value.is_null()) {
                Some(value) => self.hold(field.ty, value, &below(at, name), found),
                None if field.required => found.push(Mismatch { at: below(at, name), why: Why::Missing }),
                None => {}
            }
        }
        for (name, value) in given.iter().filter(|(name, _)| !fields.fields.contains_key(*name)) {
            match fields.others {
                Others::Of(ty) => self.hold(ty, value, &below(at, name), found),
                _ if fields.variants.iter().any(|form| self.field(*form, name).is_some()) => {}
                _ if fields.fields.is_empty() && fields.variants.is_empty() => {}
                _ => found.push(Mismatch { at: below(at, name), why: Why::Unknown }),
            }
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// The values of a path template's names, where a path is one of it.
fn in_path(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (mut forms, mut texts) = (template.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    let mut values = Vec::new();
    loop {
        match (forms.next(), texts.next()) {
            (None, None) => return Some(values),
            (Some(form), Some(text)) => match form.split_once('{').and_then(|(before, name)| Some((before, name.strip_suffix('}')?))) {
                Some((before, name)) => {
                    let value = text.strip_prefix(before).filter(|value| !value.is_empty())?;
                    // `order-number=7` is no id.
                    if before.is_empty() && value.contains('=') {
                        return None;
                    }
                    values.push((name.to_owned(), value.to_owned()));
                }
                None if form == text => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use serde_json::json;

    const TEXT: &str = r##"{"openapi":"3.0.0","info":{"title":"T","version":"1"},"paths":{
      "/{p}/orders":{"get":{"parameters":[{"name":"limit","in":"query","schema":{"type":"number"}}],"responses":{}}},
      "/{p}/orders/import":{"post":{"responses":{}}},
      "/{p}/orders/{ID}":{"get":{"responses":{}},"post":{"responses":{}}},
      "/{p}/orders/key={key}":{"get":{"responses":{}}}},
     "components":{"schemas":{
      "Update":{"type":"object","required":["version","actions"],"properties":{"version":{"type":"integer"},"actions":{"type":"array","items":{"$ref":"#/components/schemas/Action"}}}},
      "Action":{"type":"object","discriminator":{"propertyName":"action","mapping":{"set":"#/components/schemas/Set","clear":"#/components/schemas/Clear"}},"required":["action"],"properties":{"action":{"type":"string"}}},
      "Set":{"allOf":[{"$ref":"#/components/schemas/Action"},{"type":"object","required":["state"],"properties":{"action":{"type":"string"},"state":{"type":"string","enum":["A","B"]},"note":{"type":"string"}}}]},
      "Clear":{"allOf":[{"$ref":"#/components/schemas/Action"},{"type":"object","properties":{"action":{"type":"string"},"any":{}}}]}}}}"##;

    #[test]
    fn calls_are_told_apart_by_their_paths() {
        let forms = Forms::read(TEXT).unwrap();
        let of = |method: &str, path: &str| forms.operation(method, path).map(|(operation, values)| (operation.path.clone(), values));
        let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(of("POST", "/x/orders/import"), Some(("/{p}/orders/import".to_owned(), vec![value("p", "x")])));
        assert_eq!(of("GET", "/x/orders/key=a"), Some(("/{p}/orders/key={key}".to_owned(), vec![value("p", "x"), value("key", "a")])));
        assert_eq!(of("GET", "/x/orders/7"), Some(("/{p}/orders/{ID}".to_owned(), vec![value("p", "x"), value("ID", "7")])));
        assert_eq!((of("DELETE", "/x/orders/7"), of("GET", "/x/orders/7/8"), of("GET", "/x/nothing")), (None, None, None));
        let (list, _) = forms.operation("GET", "/x/orders").unwrap();
        assert_eq!(forms.strange_parameters(list, ["limit", "limits"].into_iter()), ["limits"]);
    }

    #[test]
    fn a_text_is_held_to_its_form() {
        let forms = Forms::read(TEXT).unwrap();
        let update = forms.named("Update").unwrap();
        let of = |value: Json| forms.mismatches(update, &value).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            of(json!({"version": 1, "actions": [{"action": "set", "state": "A", "note": null}, {"action": "clear", "any": [1]}]})),
            [] as [&str; 0]
        );
        assert_eq!(of(json!({"actions": [{"action": "set"}]})), ["version: a value is required", "actions.0.state: a value is required"]);
        assert_eq!(of(json!({"version": "1", "actions": {}})), ["version: `\"1\"` is of another kind", "actions: a list is expected"]);
        assert_eq!(
            of(json!({"version": 1, "actions": [{"action": "juggle"}, {}]})),
            ["actions.0: there is no action `juggle`", "actions.1.action: a value is required"]
        );
        assert_eq!(
            of(json!({"version": 1, "actions": [{"action": "set", "state": "C", "not": 1}]})),
            ["actions.0.state: `C` is none of A, B", "actions.0.not: there is no such field"]
        );
        assert_eq!(of(json!([])), ["an object is expected"].map(|text| format!(": {text}")));
    }
}
