//! Records by id.

use std::collections::BTreeMap;

use super::answer::{Asked, Outcome};
use super::ask::{Answer, Parts, put_below};
use super::graphql::{self, Fields};
use super::open::Link;
use super::stamp::sortable;
use super::whole::{Schemas, id_of, is_id};
use super::{ENDED, needs, view};
use crate::connector::{Change, Found, State};
use crate::describe::model::{Ask, Batched, Destination, Get, Gone, IdForm, Look, Object, Request, Stream, With, WithOf};
use crate::describe::{Formula, Path, PathStep, Scope, printed};
use crate::fault::Fault;
use crate::http::Call;
use crate::schema::FieldPath;
use crate::value::{Json, ObjectRef, RawRecord};

/// A record that was made whole, or why it could not be: the fault is this record's alone.
pub(super) type Whole = Result<Json, Fault>;

/// What is wanted of a record beside itself, by name: read already, or to be read.
pub(super) type Beside = BTreeMap<String, Option<Json>>;

/// What a request for records is made with.
pub(super) struct Reads<'a> {
    pub(super) link: &'a Link,
    pub(super) call: &'a Call,
    pub(super) object: &'a Object,
    /// As mappings know it.
    pub(super) of: &'a ObjectRef,
    pub(super) schemas: Schemas<'a>,
    /// What is read of a record, where the system can be asked for some of it. Empty: all of it.
    pub(super) wanted: Vec<FieldPath>,
    /// Records are looked at before they are written.
    pub(super) writes: bool,
    /// What is written is known to have one effect.
    pub(super) proven: bool,
}

impl<'a> Reads<'a> {
    pub(super) fn name(&self) -> &'a str {
        &self.object.name.node
    }

    /// What a call for records is made of. Of GraphQL it asks for what is wanted of them, and for `more`.
    pub(super) fn parts(&self, ask: &Ask, scope: &Scope<'_>, more: &dyn Fn(&mut Fields)) -> Result<Parts, Fault> {
        match &ask.request {
            Request::Rest { .. } => self.link.parts(ask, scope),
            Request::GraphQl { .. } => self.document(ask, scope, Vec::new(), more),
        }
    }

    /// A GraphQL document for records, with what paging puts into it.
    pub(super) fn document(&self, ask: &Ask, scope: &Scope<'_>, puts: Vec<(Destination, Json)>, more: &dyn Fn(&mut Fields)) -> Result<Parts, Fault> {
        let mut fields = self.fields(ask, self.record_fields());
        more(&mut fields);
        let mut arguments = self.link.arguments(ask, scope)?;
        for (to, value) in puts {
            match to {
                Destination::Argument(names) => put_below(arguments.get_or_insert(Json::Null), &names, value),
                Destination::Field { field, argument } => fields.argument(&field, &argument, value),
                Destination::Query(_) | Destination::Header(_) | Destination::Body(_) => {}
            }
        }
        self.link.document(ask, &[(None, arguments)], &fields)
    }

    /// The fields that a GraphQL call for records asks for: those of a record where the records stand, and what the call itself names.
    pub(super) fn fields(&self, ask: &Ask, record: Fields) -> Fields {
        let mut fields = Fields::default();
        match ask.records.as_ref().or(ask.record.as_ref()) {
            Some(path) => *fields.path(path) = record,
            None => fields = record,
        }
        for path in &ask.select {
            fields.path(path);
        }
        if let Request::GraphQl { connection: Some(connection), first: Some(first), .. } = &ask.request {
            let names: Vec<String> =
                connection.steps.iter().filter_map(|step| if let PathStep::Name(name) = step { Some(name.clone()) } else { None }).collect();
            fields.argument(&names, "first", Json::from(*first));
        }
        fields
    }

    /// What is asked for of a record: what mappings read, and what the connector does.
    pub(super) fn record_fields(&self) -> Fields {
        let mut record = Fields::default();
        let schema = self.schemas.get(&self.of.to_string());
        record.record(self.object, schema, self.schemas, &self.wanted);
        let mut own = needs::of_record(self.object);
        if self.writes {
            own.extend(needs::of_target(&self.link.of, self.object));
        }
        // What a call more brings stands in no record.
        let is_beside = |path: &&Path| self.object.with.iter().any(|with| with.name.node == path.root());
        own.iter().filter(|path| !is_beside(path)).for_each(|path| record.own(self.object, schema, self.schemas, path));
        record.with_arguments(self.object);
        record
    }

    /// What one record costs: the lists in it.
    pub(super) fn cost_of_one(&self, ask: &Ask) -> u64 {
        if matches!(ask.request, Request::Rest { .. }) { 1 } else { self.record_fields().cost() }
    }

    /// By what a record is known, and told from what it was before.
    pub(super) fn known_by(&self) -> Vec<Path> {
        let object = self.object;
        let id = match &object.id.form {
            IdForm::At(id) => vec![id.clone()],
            IdForm::Of(template) => template.values().flat_map(|value| &value.reads).cloned().collect(),
        };
        object.stamp.iter().chain(&object.version).cloned().chain(id).collect()
    }

    /// How an id is read.
    pub(super) fn get_of(&self, id: &str) -> Result<&'a Get, Fault> {
        let by_prefix = |get: &&Get| get.prefix.as_ref().is_some_and(|prefix| id.starts_with(prefix.as_str()));
        let get = self.object.get.iter().find(by_prefix).or_else(|| self.object.get.iter().find(|get| get.prefix.is_none()));
        get.ok_or_else(|| Fault::rejected("get", format!("{} has no {} by its id", self.link.of.title, self.name()), None))
    }

    /// What records by id say; one that is not there is absent.
    pub(super) async fn by_id(&self, ids: &[String], beside: &Beside) -> Result<Vec<Change>, Fault> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut changes = Vec::with_capacity(ids.len());
        for (id, read) in self.records_by_id(&ids, beside).await? {
            changes.extend(self.arrived(&id, read, self.get_of(&id).ok())?);
        }
        Ok(changes)
    }

    /// A record by its id, be it gone or not, for who writes it.
    pub(super) async fn record(&self, id: &str) -> Result<Option<Json>, Fault> {
        self.records_by_id(&[id], &Beside::new()).await?.pop().map(|(_, read)| read).transpose()
    }

    pub(super) async fn records_by_id(&self, ids: &[&str], beside: &Beside) -> Result<Vec<(String, Whole)>, Fault> {
        // Ids of one kind go together.
        let mut kinds: Vec<(&'a Get, Vec<&str>)> = Vec::new();
        for id in ids.iter().filter(|id| is_id(&self.object.id, id)) {
            let get = self.get_of(id)?;
            match kinds.iter_mut().find(|(known, _)| std::ptr::eq(*known, get)) {
                Some((_, ids)) => ids.push(id),
                None => kinds.push((get, vec![id])),
            }
        }
        let mut found = Vec::with_capacity(ids.len());
        for (get, ids) in kinds {
            match (&get.look, get.batch) {
                (Look::Ask { ask, .. }, Batched::Aliases(2..)) if beside.is_empty() => found.extend(self.by_alias(get, ask, &ids).await?),
                (Look::Ask { ask, .. }, Batched::Together(2..)) if beside.is_empty() && ask.records.is_some() => {
                    found.extend(self.listed(get, ask, &ids).await?);
                }
                _ => found.extend(self.separately(get, &ids, beside).await?),
            }
        }
        Ok(found)
    }

    /// Records by id, each by itself.
    async fn separately(&self, get: &'a Get, ids: &[&str], beside: &Beside) -> Result<Vec<(String, Whole)>, Fault> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match self.one(get, id, beside).await {
                Ok(Some(read)) => found.push(((*id).to_owned(), read)),
                Ok(None) => {}
                // What one of them is refused for does not stop the others.
                Err(fault @ Fault::Rejected(_)) => found.push(((*id).to_owned(), Err(fault))),
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// What a call by ids reads.
    fn scope_of<'s>(&'s self, id: &str, ids: &[&str]) -> Scope<'s> {
        let (id, ids) = (Json::from(id), Json::from(ids.to_vec()));
        self.link.scope().and("id", id.clone()).and("value", id).and("ids", ids.clone()).and("values", ids)
    }

    /// Records by id, of one list.
    async fn listed(&self, get: &'a Get, ask: &Ask, ids: &[&str]) -> Result<Vec<(String, Whole)>, Fault> {
        let parts = self.parts(ask, &self.scope_of(ids[0], ids), &|_| {})?;
        let answer = self.link.read_parts(self.call, self.name(), ask, &parts).await?;
        // A list that is not there is not an empty one.
        let answer = answer.ok_or_else(|| self.link.no_list(ask, &parts))?;
        let mut found = Vec::new();
        for record in self.link.records(ask, &parts, &answer)? {
            let id = id_of(self.object, record).ok_or_else(|| self.no_id(&parts))?;
            if ids.contains(&id.as_str()) {
                let read = self.whole(get, &id, record, &parts, &Beside::new()).await?;
                found.push((id, read));
            }
        }
        Ok(found)
    }

    /// Records by id, as fields of one document.
    async fn by_alias(&self, get: &'a Get, ask: &Ask, ids: &[&str]) -> Result<Vec<(String, Whole)>, Fault> {
        let arguments = ids.iter().map(|id| self.link.arguments(ask, &self.scope_of(id, &[id]))).collect::<Result<_, _>>()?;
        let document = match self.ask_by_aliases(ask, arguments, &self.fields(ask, self.record_fields())).await? {
            Ok(document) => document,
            Err(Unsaid::Absent) if ids.len() == 1 => return Ok(Vec::new()),
            Err(Unsaid::Absent | Unsaid::Rejected) => return self.separately(get, ids, &Beside::new()).await,
        };
        let mut found = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            match document.result(self.link, ask, at) {
                Ok(None) => {}
                Ok(Some(result)) => {
                    let record = self.link.record(ask, &document.parts, Some(result))?;
                    found.push(((*id).to_owned(), self.whole(get, id, record, &document.parts, &Beside::new()).await?));
                }
                Err(fault @ Fault::Rejected(_)) => found.push(((*id).to_owned(), Err(fault))),
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// Asks by a document with a field for each of several arguments. The inner error: the document is answered as a whole, so that
    /// each is asked for by itself.
    pub(super) async fn ask_by_aliases(&self, ask: &Ask, arguments: Vec<Option<Json>>, below: &Fields) -> Result<Result<Aliased<'a>, Unsaid>, Fault> {
        let fields: Vec<_> = arguments.into_iter().enumerate().map(|(at, given)| (Some(graphql::alias(at)), given)).collect();
        let parts = self.link.document(ask, &fields, below)?;
        let asked = Asked { object: self.name(), write: false, aliases: true, several: false, proven: false };
        match self.link.carried_out(self.call, asked, ask, &parts).await? {
            Outcome::Done(answer) => Ok(Ok(Aliased { parts, answer, asked })),
            Outcome::Absent => Ok(Err(Unsaid::Absent)),
            Outcome::Refused(Fault::Rejected(_)) => Ok(Err(Unsaid::Rejected)),
            Outcome::Refused(fault) | Outcome::Expired(fault) => Err(fault),
        }
    }

    /// One record, whole; `None`: it is not there.
    pub(super) async fn one(&self, get: &'a Get, id: &str, beside: &Beside) -> Result<Option<Whole>, Fault> {
        let Some((record, parts)) = self.text(get, id, None).await? else { return Ok(None) };
        self.whole(get, id, &record, &parts, beside).await.map(Some)
    }

    /// The text of one record as its system gives it, with some of its fields only where they are named; `None`: it is not there.
    pub(super) async fn text(&self, get: &'a Get, id: &str, only: Option<Fields>) -> Result<Option<(String, Parts)>, Fault> {
        let Look::Ask { ask, .. } = &get.look else {
            return Err(Fault::rejected("get", format!("{} cannot be read by its id in this way yet", self.name()), None));
        };
        let scope = self.scope_of(id, &[id]);
        let parts = match only {
            Some(only) => self.link.document(ask, &[(None, self.link.arguments(ask, &scope)?)], &self.fields(ask, only))?,
            None => self.parts(ask, &scope, &|_| {})?,
        };
        let Some(answer) = self.link.read_parts(self.call, self.name(), ask, &parts).await? else { return Ok(None) };
        let record = if ask.records.is_some() {
            let records = self.link.records(ask, &parts, &answer)?;
            records.into_iter().find(|record| id_of(self.object, record).as_deref() == Some(id)).map(str::to_owned)
        } else if answer.result(ask).is_some_and(|result| is_null(ask, result)) {
            None
        } else {
            Some(self.link.record(ask, &parts, answer.result(ask))?.to_owned())
        };
        Ok(record.map(|record| (record, parts)))
    }

    /// A record made whole: with the rest of its connections, what its answer lacks, what is read beside it, and instants with their
    /// offset.
    async fn whole(&self, get: &'a Get, id: &str, record: &str, parts: &Parts, beside: &Beside) -> Result<Whole, Fault> {
        let mut record = self.json(record, parts)?;
        if let Err(refusal) = self.complete(get, id, &mut record).await? {
            return Ok(Err(refusal));
        }
        let scope = self.scope_of(id, &[id]);
        if let Look::Ask { put, .. } = &get.look {
            self.link.put(&mut record, put, &scope)?;
        }
        self.with(&mut record, &scope, beside).await?;
        self.link.dated(&mut record, self.of, self.schemas);
        Ok(Ok(record))
    }

    pub(super) fn json(&self, record: &str, parts: &Parts) -> Result<Json, Fault> {
        let why = || format!("a {} in the answer of {} to `{}` is no JSON", self.name(), self.link.of.title, parts.path());
        serde_json::from_str(record).map_err(|_| Fault::transient(why()))
    }

    /// A record of a list without an id, or with none of the form that ids have.
    pub(super) fn no_id(&self, parts: &Parts) -> Fault {
        let at = match &self.object.id.form {
            IdForm::At(path) => format!("`{path}`"),
            IdForm::Of(_) => "its fields".to_owned(),
        };
        let (name, title) = (self.name(), &self.link.of.title);
        Fault::transient(format!("a {name} in the answer of {title} to `{}` has no id at {at} as the key `id` of {name} describes it", parts.path()))
    }

    /// Reads what is wanted beside a record.
    pub(super) async fn with(&self, record: &mut Json, scope: &Scope<'_>, beside: &Beside) -> Result<(), Fault> {
        for (name, known) in beside {
            let read = match known {
                Some(known) => Some(known.clone()),
                None => match self.object.with.iter().find(|with| with.name.node == *name) {
                    Some(with) => self.beside(with, scope).await?,
                    None => None,
                },
            };
            if let (Some(read), Json::Object(fields)) = (read, &mut *record) {
                fields.insert(name.clone(), read);
            }
        }
        Ok(())
    }

    /// What one call more brings.
    pub(super) async fn beside(&self, with: &With, scope: &Scope<'_>) -> Result<Option<Json>, Fault> {
        let WithOf::Ask(ask) = &with.of else {
            return Err(Fault::rejected("with", format!("`{}` of {} cannot be read in this way yet", with.name.node, self.name()), None));
        };
        let parts = match &ask.request {
            Request::Rest { .. } => self.link.parts(ask, scope)?,
            Request::GraphQl { .. } => {
                self.link.document(ask, &[(None, self.link.arguments(ask, scope)?)], &self.fields(ask, self.beside_fields(with)))?
            }
        };
        let Some(answer) = self.link.read_parts(self.call, self.name(), ask, &parts).await? else { return Ok(None) };
        let record = self.link.record(ask, &parts, answer.result(ask))?;
        self.json(record, &parts).map(Some)
    }

    /// What is asked for of what stands beside a record: what mappings read of it, and what conditions do.
    fn beside_fields(&self, with: &With) -> Fields {
        let name = with.name.node.as_str();
        let mut fields = Fields::default();
        for path in self.wanted.iter().filter(|path| path.first().is_some_and(|first| first == name)) {
            path[1..].iter().fold(&mut fields, |fields, name| fields.field(name));
        }
        let hints = self.link.of.webhooks.iter().flat_map(|webhooks| &webhooks.hints);
        let hints = hints.filter(|hint| hint.first.as_ref().is_some_and(|first| first.node == name));
        let asked = needs::of_hints(hints, name);
        let own = needs::of_record(self.object).into_iter().filter(|path| path.root() == name).map(|path| path.rest());
        for path in own.chain(asked) {
            fields.path(&path);
        }
        fields
    }

    /// What a record that was read says: with its stamp, and where it is one of a list that does not say what changed, whether it has
    /// ended. `None`: it is none of the object's.
    fn arrived(&self, id: &str, read: Whole, get: Option<&Get>) -> Result<Option<Change>, Fault> {
        let change = |stamp: Option<String>, state| Ok(Some(Change { id: id.to_owned(), stamp, state }));
        let record = match read {
            Ok(record) => record,
            Err(fault) => return change(None, State::Refused(fault)),
        };
        if let Some(gone) = self.gone_of(&record) {
            return change(self.stamp_of(&record, gone.stamp.as_ref(), id)?, State::Gone);
        }
        if self.is_skipped(&record) {
            return Ok(None);
        }
        let stamp = match get.and_then(|get| get.ended.as_ref()) {
            Some(ended) => ended.holds(&self.link.scope().with("record", &record)).then(|| ENDED.to_owned()),
            None => self.stamp_of(&record, self.object.stamp.as_ref(), id)?,
        };
        change(stamp, State::Upserted(RawRecord::of(&record)))
    }

    fn stamp_of(&self, record: &Json, at: Option<&Path>, id: &str) -> Result<Option<String>, Fault> {
        let printed = at.and_then(|at| at.get(record)).map(printed).filter(|text| !text.trim().is_empty());
        Ok(self.stamp_as(printed, at, id)?.map(sortable))
    }

    /// By which condition a record is gone. Those of a list's records are asked where the record has what they read.
    fn gone_of(&self, record: &Json) -> Option<&'a Gone> {
        let of_streams = self.own_streams().filter_map(|stream| stream.gone.as_ref());
        let of_streams = of_streams.filter(|gone| gone.when.as_ref().is_some_and(|when| has_all(record, when)));
        let mut all = self.object.gone.iter().chain(of_streams);
        all.find(|gone| gone.when.as_ref().is_none_or(|when| when.holds(&self.link.scope().with("record", record))))
    }

    /// Whether each list of the object would leave a record out.
    fn is_skipped(&self, record: &Json) -> bool {
        let skips = |skip: &Formula| has_all(record, skip) && skip.holds(&self.link.scope().with("record", record));
        let mut streams = self.own_streams().peekable();
        streams.peek().is_some() && streams.all(|stream| stream.skip.as_ref().is_some_and(skips))
    }

    /// The lists whose records have the object's own form.
    fn own_streams(&self) -> impl Iterator<Item = &'a Stream> {
        self.object.changes.iter().filter(|stream| stream.shaped.is_empty())
    }

    /// Records that were looked up, as changes.
    pub(super) fn found_changes(&self, found: Vec<Found>) -> Result<Vec<Change>, Fault> {
        let mut changes = Vec::with_capacity(found.len());
        for found in found {
            let Some(id) = id_of(self.object, &found.record.to_string()) else { continue };
            changes.extend(self.arrived(&id, Ok(found.record), self.get_of(&id).ok())?);
        }
        Ok(changes)
    }

    /// One record by its id, for who looked it up.
    pub(super) async fn fetched(&self, id: &str, beside: &Beside) -> Result<Option<Json>, Fault> {
        if !is_id(&self.object.id, id) {
            return Ok(None);
        }
        self.one(self.get_of(id)?, id, beside).await?.transpose()
    }
}

/// Whether a record has all that a condition reads of it, be it null.
fn has_all(record: &Json, condition: &Formula) -> bool {
    let mut reads = condition.reads.iter().filter(|path| path.root() == "record").map(Path::rest);
    reads.all(|path| path.steps.is_empty() || path.get(record).is_some())
}

/// Whether a result says that there is no such record: it is null, as it is of GraphQL.
pub(super) fn is_null(ask: &Ask, result: &str) -> bool {
    result == "null" || view::at(result, ask.record.as_ref()) == Some("null")
}

/// How many ids or values go into one call.
pub(super) fn together(batch: Batched) -> usize {
    usize::try_from(batch.most()).unwrap_or(1)
}

/// The answer to a document with several fields by alias.
pub(super) struct Aliased<'a> {
    pub(super) parts: Parts,
    answer: Answer,
    asked: Asked<'a>,
}

/// A document was answered as a whole, which says nothing of which of its fields it is.
pub(super) enum Unsaid {
    Absent,
    Rejected,
}

impl Aliased<'_> {
    /// The result of a field by its place; `None`: there is no such thing.
    ///
    /// # Errors
    /// What the field's own error means.
    pub(super) fn result(&self, link: &Link, ask: &Ask, at: usize) -> Result<Option<&str>, Fault> {
        let result = self.answer.field(at);
        let value = result.and_then(|result| if result == "null" { Some(result) } else { view::at(result, ask.record.as_ref()) });
        if value.is_some_and(|value| value != "null") {
            return Ok(result);
        }
        match (self.answer.error_of(at).map(|error| link.meaning_of_error(self.asked, &self.answer, &error)), value) {
            (Some(Outcome::Absent), _) | (None, Some(_)) => Ok(None),
            (Some(Outcome::Refused(fault) | Outcome::Expired(fault)), _) => Err(fault),
            (Some(Outcome::Done(_)) | None, _) => Err(link.no_record(ask, &self.parts)),
        }
    }
}
