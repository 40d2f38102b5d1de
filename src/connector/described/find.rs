//! Records by id, and by the value of a field.

use std::collections::BTreeMap;

use super::open::Link;
use super::whole::{Schemas, id_of, is_id};
use super::{ENDED, view};
use crate::connector::{Change, Found, LookupRequest, State};
use crate::describe::model::{Batched, Find, Get, Look, Object, With, WithOf};
use crate::describe::{Path, Scope, printed};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::{Json, ObjectRef, RawRecord};

/// What is wanted of a record beside itself, by name: read already, or to be read.
pub(super) type Beside = BTreeMap<String, Option<Json>>;

/// What a request for records is made with.
#[derive(Clone, Copy)]
pub(super) struct Reads<'a> {
    pub(super) link: &'a Link,
    pub(super) call: &'a Call,
    pub(super) object: &'a Object,
    /// As mappings know it.
    pub(super) of: &'a ObjectRef,
    pub(super) schemas: Schemas<'a>,
}

impl<'a> Reads<'a> {
    fn name(&self) -> &'a str {
        &self.object.name.node
    }

    /// How an id is read.
    fn get_of(&self, id: &str) -> Option<&'a Get> {
        let by_prefix = |get: &&Get| get.prefix.as_ref().is_some_and(|prefix| id.starts_with(prefix.as_str()));
        self.object.get.iter().find(by_prefix).or_else(|| self.object.get.iter().find(|get| get.prefix.is_none()))
    }

    /// Records by id; one that is not there is absent.
    pub(super) async fn by_id(&self, ids: &[String], beside: &Beside) -> Result<Vec<Change>, Fault> {
        let mut found = Vec::new();
        for id in ids {
            if let Some((record, get)) = self.one(id, beside.clone()).await? {
                found.push(self.arrived(id, &record, get));
            }
        }
        Ok(found)
    }

    /// One record, whole.
    async fn one(&self, id: &str, beside: Beside) -> Result<Option<(Json, Option<&'a Get>)>, Fault> {
        if !is_id(&self.object.id, id) {
            return Ok(None);
        }
        let Some(get) = self.get_of(id) else {
            return Err(Fault::rejected("get", format!("{} has no {} by its id", self.link.of.title, self.name()), None));
        };
        let Look::Ask { ask, put, .. } = &get.look else {
            return Err(Fault::rejected("get", format!("{} cannot be read by its id in this way yet", self.name()), None));
        };
        let value = Json::from(id);
        let scope = self.link.scope().with("id", &value).with("value", &value);
        let Some(answer) = self.link.read(self.call, self.name(), ask, &scope).await? else { return Ok(None) };
        let path = self.link.parts(ask, &scope)?;
        let mut record: Json = if ask.records.is_some() {
            let records = self.link.records(ask, &path, &answer)?;
            match records.into_iter().find(|record| id_of(self.object, record).as_deref() == Some(id)) {
                Some(record) => serde_json::from_str(record).map_err(|_| self.link.not_understood(&path))?,
                None => return Ok(None),
            }
        } else {
            let record = self.link.record(ask, path.path(), &answer)?;
            serde_json::from_str(record).map_err(|_| self.link.not_understood(&path))?
        };
        self.link.put(&mut record, put, &scope)?;
        self.with(&mut record, &scope, beside).await?;
        self.link.dated(&mut record, self.of, self.schemas);
        Ok(Some((record, Some(get))))
    }

    /// Reads what is wanted beside a record.
    async fn with(&self, record: &mut Json, scope: &Scope<'_>, beside: Beside) -> Result<(), Fault> {
        for (name, known) in beside {
            let read = match known {
                Some(known) => Some(known),
                None => match self.object.with.iter().find(|with| with.name.node == name) {
                    Some(with) => self.beside(with, scope).await?,
                    None => None,
                },
            };
            if let (Some(read), Json::Object(fields)) = (read, &mut *record) {
                fields.insert(name, read);
            }
        }
        Ok(())
    }

    /// What one call more brings.
    pub(super) async fn beside(&self, with: &With, scope: &Scope<'_>) -> Result<Option<Json>, Fault> {
        let WithOf::Ask(ask) = &with.of else {
            return Err(Fault::rejected("with", format!("`{}` of {} cannot be read in this way yet", with.name.node, self.name()), None));
        };
        let Some(answer) = self.link.read(self.call, self.name(), ask, scope).await? else { return Ok(None) };
        let path = self.link.parts(ask, scope)?;
        let record = self.link.record(ask, path.path(), &answer)?;
        serde_json::from_str(record).map(Some).map_err(|_| self.link.not_understood(&path))
    }

    /// A record with its stamp: where it is one of a list that does not say what changed, whether it has ended.
    fn arrived(&self, id: &str, record: &Json, get: Option<&Get>) -> Change {
        let ended = get.and_then(|get| get.ended.as_ref());
        let stamp = match (ended, &self.object.stamp) {
            (Some(ended), _) => ended.holds(&self.link.scope().with("record", record)).then(|| ENDED.to_owned()),
            (None, Some(stamp)) => stamp.get(record).and_then(|stamp| self.link.instant(&printed(stamp))),
            (None, None) => None,
        };
        Change { id: id.to_owned(), stamp, state: State::Upserted(RawRecord::of(record)) }
    }

    /// Records that were looked up, as changes.
    pub(super) fn found_changes(&self, found: Vec<Found>) -> Vec<Change> {
        let change = |found: Found| {
            let id = id_of(self.object, &found.record.to_string())?;
            let get = self.get_of(&id);
            Some(self.arrived(&id, &found.record, get))
        };
        found.into_iter().filter_map(change).collect()
    }

    /// How records are found by a field.
    pub(super) fn find_of(&self, field: &[String]) -> Option<&'a Find> {
        let name = field.join(".");
        let named = self.object.find.iter().find(|find| find.field.as_ref().is_some_and(|field| field.node == name));
        named.or_else(|| self.object.find.iter().find(|find| find.field.is_none()))
    }

    /// Records in which a field has one of the values, exactly.
    pub(super) async fn lookup(&self, ask: &LookupRequest<'_>, beside: &Beside) -> Result<Vec<Found>, Fault> {
        let field = ask.field.join(".");
        let look = match self.find_of(ask.field) {
            Some(find) => &find.look,
            None if self.is_the_id(&field) => &Look::Get,
            None => return Err(self.cannot_search(&field)),
        };
        let mut found = Vec::new();
        for value in ask.values {
            found.extend(self.found(look, &field, value, beside).await?.into_iter().map(|record| Found { value: value.clone(), record }));
        }
        Ok(found)
    }

    fn cannot_search(&self, field: &str) -> Fault {
        Fault::rejected("find", format!("{} cannot search {} by `{field}`", self.link.of.title, self.name()), None)
    }

    fn is_the_id(&self, field: &str) -> bool {
        matches!(&self.object.id.form, crate::describe::model::IdForm::At(path) if path.to_string() == field)
    }

    async fn found(&self, look: &Look, field: &str, value: &str, beside: &Beside) -> Result<Vec<Json>, Fault> {
        let Look::Ask { ask, exact, put, only, then_get, brings, form, .. } = look else {
            return match look {
                Look::Get => Ok(self.one(value, beside.clone()).await?.map(|(record, _)| record).into_iter().collect()),
                _ => Err(self.cannot_search(field)),
            };
        };
        if form.as_ref().is_some_and(|form| form.node == "digits" && !value.bytes().all(|byte| byte.is_ascii_digit())) {
            return Ok(Vec::new());
        }
        let (given, name) = (Json::from(value), Json::from(field));
        let scope = self.link.scope().with("value", &given).with("field", &name).and("values", Json::from(vec![value]));
        let parts = self.link.parts(ask, &scope)?;
        let Some(answer) = self.link.read_parts(self.call, self.name(), ask, &parts).await? else {
            // A list that is not there is not an empty one.
            return if ask.records.is_some() { Err(self.link.not_understood(&parts)) } else { Ok(Vec::new()) };
        };
        let records =
            if ask.records.is_some() { self.link.records(ask, &parts, &answer)? } else { vec![self.link.record(ask, parts.path(), &answer)?] };
        let at = Path::parse(field, self.object.span).map_err(|_| self.cannot_search(field))?;
        let mut found = Vec::new();
        for record in records {
            if *exact && view::text_at(record, &at).as_deref() != Some(value) {
                continue;
            }
            let of_record = only.as_ref().is_none_or(|only| only.holds(&self.link.scope().and("record", view::seen(record, "record", [only]))));
            if !of_record {
                continue;
            }
            if *then_get {
                let id = id_of(self.object, record).ok_or_else(|| self.link.not_understood(&parts))?;
                let mut beside = beside.clone();
                if let Some(known) = brings.as_ref().and_then(|brings| beside.get_mut(&brings.node)) {
                    *known = serde_json::from_str(record).ok();
                }
                found.extend(self.one(&id, beside).await?.map(|(record, _)| record));
                continue;
            }
            let mut record: Json = serde_json::from_str(record).map_err(|_| self.link.not_understood(&parts))?;
            self.link.put(&mut record, put, &scope)?;
            self.with(&mut record, &scope, beside.clone()).await?;
            self.link.dated(&mut record, self.of, self.schemas);
            found.push(record);
        }
        Ok(found)
    }
}

/// How many ids or values go into one call.
pub(super) fn together(batch: Batched) -> usize {
    usize::try_from(batch.most()).unwrap_or(1)
}
