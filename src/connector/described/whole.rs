//! Records made whole: what their answer lacks, what is read beside them, instants with their offset.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::open::Link;
use crate::base::Spanned;
use crate::describe::model::{Id, IdForm, Object};
use crate::describe::{Scope, Template, printed};
use crate::fault::Fault;
use crate::schema;
use crate::value::{Json, Kind, ObjectRef};

use super::view;

/// Schemas by `connection.Object`, as far as they are known.
pub(super) type Schemas<'a> = &'a BTreeMap<String, schema::Object>;

impl Link {
    /// Puts into a record what its answer lacks.
    pub(super) fn put(&self, record: &mut Json, put: &[(Spanned<String>, Template)], scope: &Scope<'_>) -> Result<(), Fault> {
        let Json::Object(fields) = record else { return Ok(()) };
        for (name, value) in put {
            if let Some(value) = value.fill(scope).map_err(super::ask::incomplete)? {
                fields.insert(name.node.clone(), value);
            }
        }
        Ok(())
    }

    /// Gives instants their offset where the system prints them without one, and dates no time of day.
    pub(super) fn dated(&self, record: &mut Json, of: &ObjectRef, schemas: Schemas<'_>) {
        if self.of.time.without_offset.is_some()
            && let Some(object) = schemas.get(&of.to_string())
        {
            dated(record, object, schemas, &self.zone, 0);
        }
    }
}

fn dated(record: &mut Json, object: &schema::Object, schemas: Schemas<'_>, zone: &jiff::tz::TimeZone, depth: usize) {
    // Records hold no more levels than their schemas have.
    let Some(fields) = record.as_object_mut().filter(|_| depth < crate::value::MAX_DEPTH) else { return };
    for (name, value) in fields {
        if let Some(field) = object.fields.get(name) {
            of_kind(value, field.gives.as_ref().unwrap_or(&field.kind), schemas, zone, depth);
        }
    }
}

fn of_kind(value: &mut Json, kind: &Kind, schemas: Schemas<'_>, zone: &jiff::tz::TimeZone, depth: usize) {
    match (value, kind) {
        (Json::String(text), Kind::Datetime) => {
            if text.parse::<Timestamp>().is_err()
                && let Ok(local) = text.parse::<DateTime>()
            {
                if *zone == jiff::tz::TimeZone::UTC {
                    text.push('Z');
                } else if let Ok(at) = local.to_zoned(zone.clone()) {
                    *text = at.timestamp().to_string();
                }
            }
        }
        // A date, which may have a time of midnight with it.
        (Json::String(text), Kind::Date) => text.truncate(text.char_indices().nth(10).map_or(text.len(), |(at, _)| at)),
        (Json::Array(items), Kind::List(of)) => items.iter_mut().for_each(|item| of_kind(item, &of.kind, schemas, zone, depth)),
        // A connection of GraphQL: the list stands in it.
        (Json::Object(connection), Kind::List(of)) => {
            let edges = connection.get_mut("edges").and_then(Json::as_array_mut).into_iter().flatten();
            edges.filter_map(|edge| edge.get_mut("node")).for_each(|node| of_kind(node, &of.kind, schemas, zone, depth));
        }
        (value @ Json::Object(_), Kind::Object(of)) => {
            if let Some(object) = schemas.get(&of.to_string()) {
                dated(value, object, schemas, zone, depth + 1);
            }
        }
        _ => {}
    }
}

/// Whether a text can be a record's id: nothing else is put into a path.
pub(super) fn is_id(id: &Id, text: &str) -> bool {
    let is_short = id.longest.is_none_or(|longest| text.chars().count() as u64 <= longest);
    !text.is_empty() && is_short && id.pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
}

/// The id of a record, from its text.
pub(super) fn id_of(object: &Object, record: &str) -> Option<String> {
    let id = match &object.id.form {
        IdForm::At(path) => view::text_at(record, path)?,
        IdForm::Of(template) => {
            let json: Json = serde_json::from_str(record).ok()?;
            let scope = json.as_object()?.iter().fold(Scope::default(), |scope, (name, value)| scope.with(name, value));
            printed(&template.fill(&scope).ok()??)
        }
    };
    is_id(&object.id, &id).then_some(id)
}
