//! What something can be, by the vendor's files.

use crate::apispec::{ApiSpec, Found, Shape, TypeId, Unknown};
use crate::describe::text::{Path, Step};

/// The types that something can have; none: it is not known, and anything may be said of it.
#[derive(Debug, Clone, Default)]
pub struct Form<'a> {
    pub types: Vec<(&'a ApiSpec, TypeId)>,
}

impl<'a> Form<'a> {
    pub(super) fn of(api: &'a ApiSpec, id: TypeId) -> Self {
        Form { types: vec![(api, id)] }
    }

    pub(super) fn found(api: &'a ApiSpec, found: &Found) -> Self {
        Form { types: found.types.iter().map(|id| (api, *id)).collect() }
    }

    /// Nothing is known of it: no file says, or the file does not.
    pub fn is_unknown(&self) -> bool {
        self.types.is_empty()
    }

    /// Adds the types of another, each once.
    pub fn add_all(&mut self, other: &Form<'a>) {
        self.add(other);
    }

    /// What stands under a name.
    ///
    /// # Errors
    /// Nothing can stand there.
    pub fn below(&self, name: &str) -> Result<Form<'a>, Unknown> {
        self.step(name)
    }

    pub(super) fn add(&mut self, other: &Form<'a>) {
        for (api, id) in &other.types {
            if !self.types.iter().any(|(known, of)| std::ptr::eq(*known, *api) && of == id) {
                self.types.push((*api, *id));
            }
        }
    }

    /// What stands under a word of a path.
    pub(super) fn step(&self, word: &str) -> Result<Form<'a>, Unknown> {
        let mut next = Form::default();
        let mut lost: Option<Unknown> = None;
        for (api, id) in &self.types {
            match api.step(&Found { types: vec![*id], nullable: false }, word) {
                // An object that may hold anything beside its fields: a name that is nearly one of those is a slip.
                Ok(_) if let Some(near) = slip(api, *id, word) => {
                    lost = Some(Unknown { what: "field", name: word.to_owned(), nearest: Some(near), known: Vec::new(), hint: None });
                }
                Ok(found) => next.add(&Form::found(api, &found)),
                Err(unknown) if lost.as_ref().is_none_or(|lost| lost.nearest.is_none()) => lost = Some(unknown),
                Err(_) => {}
            }
        }
        match lost {
            Some(lost) if next.is_unknown() => Err(lost),
            _ => Ok(next),
        }
    }

    pub(super) fn walk(&self, path: &Path) -> Result<Form<'a>, Unknown> {
        let mut form = self.clone();
        for step in &path.steps {
            form = match step {
                Step::Name(name) => form.step(name)?,
                Step::At(at) => form.step(&at.to_string())?,
                Step::Each => form.step("*")?,
            };
        }
        Ok(form)
    }

    /// The elements of a list, or of a connection of GraphQL; what it is itself if it is neither.
    pub(super) fn element(&self) -> Form<'a> {
        let mut element = Form::default();
        for (api, id) in &self.types {
            match &api.ty(*id).shape {
                Shape::List(item) => element.add(&Form::of(api, *item)),
                _ => match api.walk(*id, "edges.*.node") {
                    Ok(found) if matches!(api.ty(*id).shape, Shape::Object(_)) && !found.types.contains(id) => element.add(&Form::found(api, &found)),
                    _ => element.add(&Form::of(api, *id)),
                },
            }
        }
        element
    }

    /// The elements of a list as expressions go over it, and what it is itself if it is none: a connection of GraphQL is an object, with its
    /// list under `edges`.
    pub(super) fn item(&self) -> Form<'a> {
        let mut item = Form::default();
        for (api, id) in &self.types {
            item.add(&Form::of(api, if let Shape::List(of) = &api.ty(*id).shape { *of } else { *id }));
        }
        item
    }

    /// What type it takes, where a single value is of none of its types. `in_text`: it is written into a query, where all is text.
    pub(super) fn refuses(&self, value: &crate::value::Json, in_text: bool) -> Option<&'static str> {
        let mut takes = None;
        for (api, id) in &self.types {
            let mut ty = api.ty(*id);
            if let Shape::List(item) = ty.shape {
                ty = api.ty(item);
            }
            let text = value.as_str();
            let is_whole = |text: &str| text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
            let (fits, what) = match &ty.shape {
                Shape::Integer => (value.is_i64() || value.is_u64() || in_text && text.is_some_and(is_whole), "a whole number"),
                Shape::Number => (value.is_number() || in_text && text.is_some_and(|text| text.parse::<f64>().is_ok()), "a number"),
                Shape::Boolean => (value.is_boolean() || in_text && matches!(text, Some("true" | "false")), "`true` or `false`"),
                Shape::Text => (in_text || value.is_string(), "a text"),
                Shape::Any | Shape::List(_) | Shape::Object(_) | Shape::OneOf(_) => return None,
            };
            if fits || value.is_null() {
                return None;
            }
            takes = Some(what);
        }
        takes
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        self.types.iter().any(|(api, id)| matches!(api.ty(*id).shape, Shape::List(_)))
    }

    /// Whether one of its types takes the value.
    pub(super) fn accepts(&self, value: &str) -> Result<(), Unknown> {
        let mut refused = None;
        for (api, id) in &self.types {
            match api.accepts(*id, value) {
                Ok(()) => return Ok(()),
                Err(unknown) => refused = Some(unknown),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Whether a value is one of those by which `field` tells its forms apart; well where it does not.
    pub(super) fn tells(&self, field: &str, value: &str) -> Result<(), Unknown> {
        let mut refused = None;
        for (api, id) in &self.types {
            if api.discriminator(*id) != Some(field) {
                continue;
            }
            match api.form_of(*id, value) {
                Ok(_) => return Ok(()),
                Err(unknown) => refused = Some(Unknown { what: "value", ..unknown }),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// The names of its fields.
    pub(super) fn names(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        for (api, id) in &self.types {
            for form in api.forms(&[*id]) {
                let Some(fields) = api.fields(form) else { continue };
                for name in fields.fields.keys().map(String::as_str) {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        names
    }

    /// What an item is, as far as its whole goes into a call.
    pub(super) fn item_of(sinks: &[super::Sink<'a>]) -> Form<'a> {
        let mut form = Form::default();
        for sink in sinks.iter().filter(|sink| sink.root == "item" && sink.path.is_empty()) {
            form.add(&sink.form);
        }
        form
    }
}

/// The declared field that was probably meant by a name that no form of an object declares.
fn slip(api: &ApiSpec, id: TypeId, word: &str) -> Option<String> {
    let mut declared: Vec<&str> = Vec::new();
    for form in api.forms(&[id]) {
        declared.extend(api.fields(form).into_iter().flat_map(|fields| fields.fields.keys().map(String::as_str)));
    }
    if word == "*" || word.parse::<usize>().is_ok() || declared.contains(&word) {
        return None;
    }
    crate::base::nearest(word, declared).map(str::to_owned)
}
