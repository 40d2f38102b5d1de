//! Schemas of a described system's objects, derived from the vendor's files: a field can be read where an answer has it, and written
//! where a request has it; what a create demands is required.

mod kinds;

use std::collections::VecDeque;

use indexmap::IndexMap;

use super::Described;
use super::against::{Form, ObjectForms, Sink, Survey};
use super::model::{IdForm, Means};
use crate::apispec::{ApiSpec, TypeId};
use crate::schema::{Access, Class, Field, Object, Size, SizeUnit, Write, class_of_field};
use crate::system::Guarantee;
use crate::value::{Kind, ObjectRef, Type, WireEncoding};
use kinds::Kinds;

/// How deep objects stand in each other; what is deeper is JSON.
const DEPTH: usize = 4;

/// One field, as it is gathered.
#[derive(Default)]
struct Draft<'a> {
    read: Form<'a>,
    /// Each form in which the object is read has it, and never as null.
    always: bool,
    create: Option<Form<'a>>,
    update: Option<Form<'a>>,
    required: bool,
    clears: bool,
    description: String,
}

/// One object, as it is gathered. Objects inside of others are known by their types' names.
#[derive(Default)]
struct Part<'a> {
    depth: usize,
    read: Form<'a>,
    create: Form<'a>,
    update: Form<'a>,
    /// Fields that a call takes by themselves: the field, what takes it, whether it is demanded, by a create.
    single: Vec<(String, Form<'a>, bool, bool)>,
    /// Fields that the call gives otherwise.
    except: Vec<String>,
}

/// Derives the schemas of all objects of a description, and of the objects inside them, by name.
pub fn schemas(described: &Described, survey: &Survey<'_>, source: &str) -> Vec<Object> {
    let system = &described.system.node;
    let mut parts: IndexMap<String, Part<'_>> = IndexMap::new();
    let mut waiting: VecDeque<String> = VecDeque::new();
    for forms in &survey.objects {
        let part = parts.entry(forms.object.schema.clone()).or_default();
        part.read.add_all(&forms.read);
        for write in &forms.writes {
            let create = matches!(write.write.name.node.as_str(), "create" | "upsert");
            write.sinks.iter().for_each(|sink| taken(part, sink, create, &forms.read));
            // Where a part is made (`orderId`, `deliveryKey`) is said each time it is written, and is none of its own fields.
            let place = |sink: &&Sink<'_>| sink.root == "item" && matches!(sink.path.as_slice(), [field] if forms.read.below(field).is_err());
            for sink in write.sinks.iter().filter(|_| create && forms.object.part_of.is_some()).filter(place) {
                part.single.push((sink.path[0].clone(), sink.form.clone(), false, false));
            }
        }
        waiting.push_back(forms.object.schema.clone());
    }
    let kinds = Kinds { system, time: &described.time };
    let mut done: IndexMap<String, (Object, [usize; 4])> = IndexMap::new();
    while let Some(name) = waiting.pop_front() {
        let Some(part) = parts.get(&name) else { continue };
        let size = [part.read.types.len(), part.create.types.len(), part.update.types.len(), part.single.len()];
        if done.get(&name).is_some_and(|(_, known)| *known == size) {
            continue;
        }
        let (mut fields, mut inner) = (IndexMap::new(), Vec::new());
        for (field, draft) in drafts(part) {
            let made = kinds.field(&name, &field, &draft, part.depth < DEPTH, &mut inner);
            fields.insert(field, made);
        }
        let depth = part.depth + 1;
        for (inside, [read, create, update]) in inner {
            let known = parts.entry(inside.clone()).or_insert_with(|| Part { depth, ..Part::default() });
            known.read.add_all(&read);
            known.create.add_all(&create);
            known.update.add_all(&update);
            waiting.push_back(inside);
        }
        done.insert(name.clone(), (nested(system, &name, source, fields), size));
    }
    let mut objects: Vec<Object> = done.into_values().map(|(object, _)| object).collect();
    for forms in &survey.objects {
        if let Some(object) = objects.iter_mut().find(|object| object.name == forms.object.schema) {
            top(object, forms, described);
        }
    }
    for named in &described.names {
        for field in named.fields.iter().filter_map(|field| field.node.split_once('.')) {
            let known = objects.iter_mut().find(|object| object.name == field.0).and_then(|object| object.fields.get_mut(field.1));
            if let Some(known) = known {
                known.names = Some(ObjectRef::new(system, named.kind.node.as_str()));
            }
        }
    }
    objects.sort_by(|a, b| a.name.cmp(&b.name));
    objects
}

/// What a value of the item says of the object's fields.
fn taken<'a>(part: &mut Part<'a>, sink: &Sink<'a>, create: bool, read: &Form<'a>) {
    match (sink.root, sink.path.as_slice()) {
        ("item", []) => {
            let form = if create { &mut part.create } else { &mut part.update };
            form.add_all(&sink.form);
            part.except.extend(sink.except.iter().cloned());
        }
        ("item" | "value" | "lines", [field]) => part.single.push((field.clone(), sink.form.clone(), sink.required && create, create)),
        // A field below it is written: it is written as it is read.
        ("item" | "value", [field, ..]) => {
            if let Ok(form) = read.below(field) {
                part.single.push((field.clone(), form, false, create));
            }
        }
        _ => {}
    }
}

fn drafts<'a>(part: &Part<'a>) -> IndexMap<String, Draft<'a>> {
    let mut drafts: IndexMap<String, Draft<'a>> = IndexMap::new();
    let forms = each_form(&part.read);
    for (number, (api, id)) in forms.iter().enumerate() {
        let Some(fields) = api.fields(*id) else { continue };
        for (name, field) in fields.fields.iter().filter(|(_, field)| !field.write_only) {
            let new = !drafts.contains_key(name);
            let draft = drafts.entry(name.clone()).or_default();
            draft.read.add_all(&Form { types: vec![(api, field.ty)] });
            let always = field.required && !field.nullable && !api.ty(field.ty).nullable;
            draft.always = always && if new { number == 0 } else { draft.always };
            described_by(draft, api, &field.description, field.ty);
        }
        for draft in drafts.iter_mut().filter(|(name, _)| !fields.fields.contains_key(*name)).map(|(_, draft)| draft) {
            draft.always = false;
        }
    }
    for (form, create) in [(&part.create, true), (&part.update, false)] {
        let forms = each_form(form);
        for (api, id) in &forms {
            let Some(fields) = api.fields(*id) else { continue };
            let writable = fields.fields.iter().filter(|(name, field)| !field.read_only && !part.except.contains(name));
            for (name, field) in writable {
                let draft = drafts.entry(name.clone()).or_default();
                let slot = if create { &mut draft.create } else { &mut draft.update };
                slot.get_or_insert_default().add_all(&Form { types: vec![(api, field.ty)] });
                draft.required |= create && field.required && forms.len() == 1;
                draft.clears |= field.nullable && api.style == crate::apispec::Style::OpenApi;
                described_by(draft, api, &field.description, field.ty);
            }
        }
    }
    for (name, form, required, create) in &part.single {
        let draft = drafts.entry(name.clone()).or_default();
        let slot = if *create { &mut draft.create } else { &mut draft.update };
        slot.get_or_insert_default().add_all(form);
        draft.required |= *required;
    }
    drafts
}

fn described_by(draft: &mut Draft<'_>, api: &ApiSpec, said: &str, ty: TypeId) {
    if draft.description.is_empty() {
        let said = if said.is_empty() && api.ty(ty).name.is_none() { &api.ty(ty).description } else { said };
        draft.description = said.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// The object types that a form can have; the common base first.
fn each_form<'a>(form: &Form<'a>) -> Vec<(&'a ApiSpec, TypeId)> {
    let mut all = Vec::new();
    for (api, id) in &form.types {
        all.extend(api.forms(&[*id]).into_iter().map(|id| (*api, id)));
    }
    all
}

/// An object that stands in others.
fn nested(system: &str, name: &str, source: &str, fields: IndexMap<String, Field>) -> Object {
    Object {
        system: system.into(),
        name: name.to_owned(),
        source: source.to_owned(),
        doc: String::new(),
        fields,
        access: Access { read: false, create: false, update: false, upsert: false },
        id: None,
        keys: Vec::new(),
        searchable: Vec::new(),
        stamp: None,
        name_field: None,
        parent: None,
        otherwise: Guarantee::Unprotected,
        events: Vec::new(),
    }
}

/// What the description says of an object as a whole.
fn top(object: &mut Object, forms: &ObjectForms<'_>, described: &Described) {
    let said = forms.object;
    let write = |name: &str| said.writes.iter().find(|write| write.name.node == name);
    object.access = Access {
        read: said.part_of.is_none() && (!said.changes.is_empty() || !said.get.is_empty() || !said.find.is_empty()),
        create: write("create").is_some(),
        update: write("update").is_some(),
        upsert: write("upsert").is_some(),
    };
    let known = |name: &str| object.fields.contains_key(name);
    let only = |path: Option<&str>| path.filter(|name| known(name)).map(str::to_owned);
    let id = match &said.id.form {
        IdForm::At(path) => only(path.only()),
        IdForm::Of(_) => None,
    };
    let stamp = only(said.stamp.as_ref().and_then(super::Path::only));
    let means = |name: &str| write(name).and_then(|write| Some((write, write.guarantee.as_ref()?.by.node)));
    let made = means("create").or_else(|| means("upsert"));
    // The writes of a part are those of what it is part of: by its version.
    let part = said.part_of.is_some() && (write("create").or_else(|| write("upsert"))).is_some();
    let otherwise = match made {
        Some((_, means)) => means.guarantee(),
        None if part => Guarantee::Idempotent,
        None => Guarantee::Unprotected,
    };
    let keys = made.filter(|(write, means)| *means == Means::Key && write.key.len() == 1).map(|(write, _)| write.key[0].node.clone());
    let keys: Vec<String> = keys.into_iter().filter(|name| known(name)).collect();
    let searchable: Vec<String> =
        said.find.iter().filter_map(|find| find.field.as_ref()).map(|field| field.node.clone()).filter(|name| known(name)).collect();
    let hints = described.webhooks.as_ref().map(|webhooks| webhooks.hints.as_slice()).unwrap_or_default();
    let events = hints.iter().filter(|hint| hint.object.node == said.name.node).map(|hint| hint.event.node.clone()).collect();
    (object.id, object.stamp, object.otherwise, object.keys, object.searchable, object.events) = (id, stamp, otherwise, keys, searchable, events);
}

fn field_of(kind: Kind, wire: WireEncoding) -> Field {
    Field { wire, ..Field::of(kind) }
}
