//! Objects: what is read of them, what is written to them, and that the names of both are there. Here the forms; each part is held to the
//! file in a file of its own.

use super::ask::Answered;
use super::form::Form;
use super::formula::Names;
use super::{Surveyor, error};
use crate::base::{Spanned, nearest};
use crate::describe::model::{Ask, Object, Page, Write};
use crate::describe::text::Path;

/// What is read and written of an object.
#[derive(Debug, Clone)]
pub struct ObjectForms<'a> {
    pub object: &'a Object,
    /// A record as it is read.
    pub read: Form<'a>,
    pub writes: Vec<WriteForms<'a>>,
}

/// What one write takes.
#[derive(Debug, Clone)]
pub struct WriteForms<'a> {
    pub write: &'a Write,
    pub sinks: Vec<Sink<'a>>,
}

/// A value of the item, and what takes it.
#[derive(Debug, Clone)]
pub struct Sink<'a> {
    /// `item`, or `value` of a field that becomes an action, or `lines` of a step (then the path is the field's).
    pub root: &'static str,
    /// The field; empty: the whole item.
    pub path: Vec<String>,
    pub form: Form<'a>,
    /// The call cannot be made without it.
    pub required: bool,
    /// Of the whole item: fields that the call gives otherwise.
    pub except: Vec<String>,
}

impl<'a> Surveyor<'a> {
    pub(super) fn whole(&mut self) -> Vec<ObjectForms<'a>> {
        let described = self.described;
        // What is read first: objects are parts of others, and are looked up in others.
        for object in &described.objects {
            let before = self.found.len();
            let read = self.read_form(object);
            self.found.truncate(before);
            self.records.push((&object.name.node, read));
        }
        for object in described.objects.iter().filter(|object| object.part_of.is_some()) {
            let read = self.part_form(object);
            if let Some((_, known)) = self.records.iter_mut().find(|(name, _)| *name == object.name.node) {
                *known = read;
            }
        }
        let objects: Vec<ObjectForms<'a>> = described.objects.iter().map(|object| self.object(object)).collect();
        self.names();
        self.hello();
        self.webhooks();
        self.answers();
        objects
    }

    pub(super) fn record(&self, name: &str) -> Form<'a> {
        self.records.iter().find(|(known, _)| *known == name).map(|(_, form)| form.clone()).unwrap_or_default()
    }

    /// An object of the description, by a name that stands in it.
    pub(super) fn named(&mut self, name: &Spanned<String>) -> Form<'a> {
        if !self.records.iter().any(|(known, _)| *known == name.node) {
            let near = nearest(&name.node, self.records.iter().map(|(known, _)| *known));
            self.found.push(error::no_object(&name.node, near, name.span));
        }
        self.record(&name.node)
    }

    pub(super) fn read(&mut self, ask: &Ask, page: Option<&Page>, names: &Names<'a>) -> Answered<'a> {
        self.ask(ask, page, &Form::default(), names, &mut Vec::new())
    }

    /// A field by a text, with dots.
    pub(super) fn dotted(&mut self, name: &Spanned<String>, form: &Form<'a>, names: &Names<'a>) {
        if names.also.iter().any(|also| name.node.split('.').next() == Some(also)) {
            return;
        }
        if let Ok(path) = Path::parse(&name.node, name.span) {
            self.leads(form, &path);
        }
    }
}
