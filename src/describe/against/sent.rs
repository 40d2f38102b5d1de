//! What is sent: bodies, arguments and actions against the types that take them.

use super::form::Form;
use super::formula::Names;
use super::object::Sink;
use super::{Surveyor, error};
use crate::apispec::{Shape, Unknown};
use crate::base::Span;
use crate::describe::text::{Filled, Filter, Piece, Template};

/// Where a value goes.
#[derive(Clone, Copy)]
pub(super) struct To<'t, 'a> {
    /// What takes it.
    pub(super) form: &'t Form<'a>,
    /// The name under which it goes, and where that stands.
    pub(super) name: Option<&'t str>,
    pub(super) span: Span,
    pub(super) required: bool,
    /// The object whose item it is.
    pub(super) object: &'t Form<'a>,
}

impl<'a> Surveyor<'a> {
    pub(super) fn sent(&mut self, filled: &Filled, to: To<'_, 'a>, names: &Names<'a>, sinks: &mut Vec<Sink<'a>>) {
        match filled {
            Filled::Template(template) => self.sent_text(template, to, names, sinks),
            Filled::Json(value) => {
                // A number has no place of its own: its name has.
                if let (Some(takes), Some(name)) = (to.form.refuses(value, false), to.name) {
                    self.found.push(error::other_type(&format!("`{name}`"), takes, &value.to_string(), to.span));
                }
            }
            Filled::List(items) => {
                let element = to.form.element();
                for item in items {
                    self.sent(item, To { form: &element, ..to }, names, sinks);
                }
            }
            Filled::Map(fields) => self.sent_map(fields, to, names, sinks),
        }
    }

    /// A list of items, or a number, that is more than the vendor's file takes.
    pub(super) fn within(&mut self, number: u64, most: Option<u64>, what: &str, span: Span) {
        if let Some(most) = most.filter(|most| number > *most) {
            self.found.push(error::too_many(number, most, what, span));
        }
    }

    fn sent_text(&mut self, template: &Template, to: To<'_, 'a>, names: &Names<'a>, sinks: &mut Vec<Sink<'a>>) {
        if let Some(word) = template.plain() {
            if let Err(unknown) = to.form.accepts(word) {
                self.found.push(error::not_in_file(&unknown, template.span));
            } else if let Some(takes) = to.form.refuses(&word.into(), false) {
                let what = to.name.map_or_else(|| "it".to_owned(), |name| format!("`{name}`"));
                self.found.push(error::other_type(&what, takes, word, template.span));
            }
            return;
        }
        for piece in &template.pieces {
            let Piece::Value { value, optional, filter } = piece else { continue };
            // Fields that a filter names are those of what takes it.
            let kept: &[String] = match filter {
                Some(Filter::Only(names)) => names,
                Some(Filter::EachAs(name)) => std::slice::from_ref(name),
                _ => &[],
            };
            for name in kept.iter().filter(|_| !to.form.is_unknown()) {
                if let Err(unknown) = to.form.element().step(name) {
                    self.found.push(error::not_in_file(&unknown, value.span));
                }
            }
            let Some(path) = value.path() else {
                self.formula(value, names);
                continue;
            };
            let rest: Vec<String> = path
                .steps
                .iter()
                .skip(1)
                .map(|step| match step {
                    crate::describe::text::Step::Name(name) => name.clone(),
                    crate::describe::text::Step::At(at) => at.to_string(),
                    crate::describe::text::Step::Each => "*".to_owned(),
                })
                .collect();
            match path.root() {
                "item" => {
                    self.item_read(&rest, to.name, to.object, names, value.span);
                    if let [_] = template.pieces.as_slice() {
                        sinks.push(Sink { root: "item", path: rest, form: to.form.clone(), required: to.required && !optional, except: Vec::new() });
                    }
                }
                "value" if rest.is_empty() => {
                    sinks.push(Sink { root: "value", path: rest, form: to.form.clone(), required: false, except: Vec::new() })
                }
                "items" if rest.is_empty() => {
                    sinks.push(Sink { root: "item", path: rest, form: to.form.element(), required: to.required, except: Vec::new() })
                }
                "lines" if rest.is_empty() => {
                    sinks.push(Sink { root: "lines", path: rest, form: to.form.clone(), required: false, except: Vec::new() })
                }
                _ => self.formula(value, names),
            }
        }
    }

    fn sent_map(&mut self, fields: &[(crate::base::Spanned<String>, Filled)], to: To<'_, 'a>, names: &Names<'a>, sinks: &mut Vec<Sink<'a>>) {
        let mut form = to.form.clone();
        // Which of several forms it is: commercetools' `action`.
        for (key, value) in fields {
            let Filled::Template(template) = value else { continue };
            let (Some(word), Some((api, id))) = (template.plain(), form.types.first().copied()) else { continue };
            if form.types.len() == 1 && api.discriminator(id) == Some(key.node.as_str()) {
                match api.form_of(id, word) {
                    Ok(one) => {
                        self.use_form(api, &key.node, word);
                        form = Form::of(api, one);
                    }
                    Err(unknown) => {
                        let what = if key.node == "action" { "action" } else { "form" };
                        self.found.push(error::not_in_file(&Unknown { what, ..unknown }, template.span));
                        form = Form::default();
                    }
                }
            }
        }
        let spread = fields.iter().any(|(key, _)| key.node == "...");
        let required: Vec<&str> = match form.types.as_slice() {
            [(api, id)] => api.required(*id),
            _ => Vec::new(),
        };
        for (key, value) in fields {
            if key.node == "..." {
                let given: Vec<&str> = fields.iter().map(|(key, _)| key.node.as_str()).collect();
                if let Filled::Template(_) = value {
                    let except = given.into_iter().filter(|name| *name != "...").map(str::to_owned).collect();
                    sinks.push(Sink { root: "item", path: Vec::new(), form: form.clone(), required: false, except });
                }
                continue;
            }
            let below = if form.is_unknown() { Ok(Form::default()) } else { form.step(&key.node) };
            match below {
                Ok(below) => {
                    let demanded = to.required && required.contains(&key.node.as_str());
                    self.sent(value, To { form: &below, name: Some(&key.node), span: key.span, required: demanded, object: to.object }, names, sinks);
                }
                Err(unknown) => self.found.push(error::not_in_file(&unknown, key.span)),
            }
        }
        if spread {
            return;
        }
        let span = fields.first().map_or(Span::default(), |(key, _)| key.span);
        for name in required {
            if !fields.iter().any(|(key, _)| key.node == name) {
                let of = form
                    .types
                    .first()
                    .and_then(|(api, id)| api.ty(*id).name.clone())
                    .map_or_else(|| "the body".to_owned(), |name| format!("`{name}`"));
                self.found.push(error::demanded("field", name, &of, span));
            }
        }
    }

    /// What takes one value in a query: an enumeration takes its words only.
    pub(super) fn asked_value(&mut self, filled: &Filled, form: &Form<'a>, names: &Names<'a>) {
        match filled {
            Filled::Template(template) => match template.plain() {
                Some(word) => {
                    if let Err(unknown) = form.accepts(word) {
                        self.found.push(error::not_in_file(&unknown, template.span));
                    } else if let Some(takes) = form.refuses(&word.into(), true) {
                        self.found.push(error::other_type("this parameter", takes, word, template.span));
                    }
                }
                None => self.template(template, names),
            },
            Filled::List(items) => {
                let list = form.types.iter().any(|(api, id)| matches!(api.ty(*id).shape, Shape::List(_)));
                let element = if list { form.element() } else { form.clone() };
                items.iter().for_each(|item| self.asked_value(item, &element, names));
            }
            Filled::Map(fields) => fields.iter().for_each(|(_, value)| self.asked_value(value, &Form::default(), names)),
            Filled::Json(_) => {}
        }
    }

    /// The forms of what `field` tells apart that a value is one of: the others need not be kept.
    pub(super) fn use_forms(&mut self, form: &Form<'a>, field: &str, value: &str) {
        for (api, id) in form.types.clone() {
            if api.discriminator(id) == Some(field) {
                self.use_form(api, field, value);
            }
        }
    }

    fn use_form(&mut self, api: &crate::apispec::ApiSpec, field: &str, value: &str) {
        for (file, used) in self.files.iter().zip(&mut self.used) {
            if std::ptr::eq(file.api, api) {
                used.forms.entry(field.to_owned()).or_default().insert(value.to_owned());
            }
        }
    }
}
