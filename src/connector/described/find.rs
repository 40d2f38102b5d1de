//! Records by id, and by the value of a field.

use std::collections::BTreeMap;

use super::answer::{Asked, Outcome};
use super::ask::{Answer, Parts};
use super::graphql::{self, Fields};
use super::open::Link;
use super::whole::{Schemas, id_of, is_id};
use super::{ENDED, view};
use crate::connector::{Change, Found, LookupRequest, State};
use crate::describe::model::{Ask, Batched, Find, Get, IdForm, Look, Object, Page, Paging, Pick, Request, Stream, With, WithOf};
use crate::describe::{Path, PathStep, Scope, printed};
use crate::fault::Fault;
use crate::http::Call;
use crate::schema::FieldPath;
use crate::value::{Json, ObjectRef, RawRecord};

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
}

impl<'a> Reads<'a> {
    fn name(&self) -> &'a str {
        &self.object.name.node
    }

    /// What a call for records is made of. Of GraphQL it asks for what is wanted of them.
    pub(super) fn parts(&self, ask: &Ask, scope: &Scope<'_>, paging: Option<&dyn Fn(&mut Fields)>) -> Result<Parts, Fault> {
        if matches!(ask.request, Request::Rest { .. }) {
            return self.link.parts(ask, scope);
        }
        let mut fields = self.fields(ask);
        if let Some(paging) = paging {
            paging(&mut fields);
        }
        self.link.document(ask, &[(None, self.link.arguments(ask, scope)?)], &fields)
    }

    /// The fields that a GraphQL call for records asks for.
    fn fields(&self, ask: &Ask) -> Fields {
        let mut fields = Fields::default();
        let schema = self.schemas.get(&self.of.to_string());
        let record = match ask.records.as_ref().or(ask.record.as_ref()) {
            Some(path) => fields.path(path),
            None => &mut fields,
        };
        record.record(self.object, schema, self.schemas, &self.wanted);
        for path in self.known_by() {
            record.path(&path);
        }
        record.with_arguments(self.object);
        for path in &ask.select {
            fields.path(path);
        }
        fields
    }

    /// What one record costs: the lists in it.
    pub(super) fn cost_of_one(&self, ask: &Ask) -> u64 {
        let mut fields = Fields::default();
        fields.record(self.object, self.schemas.get(&self.of.to_string()), self.schemas, &self.wanted);
        fields.with_arguments(self.object);
        if matches!(ask.request, Request::Rest { .. }) { 1 } else { fields.cost() }
    }

    /// What the description itself reads of a record.
    fn known_by(&self) -> Vec<Path> {
        let object = self.object;
        let mut paths: Vec<Path> = object.stamp.iter().chain(&object.version).cloned().collect();
        if let IdForm::At(id) = &object.id.form {
            paths.push(id.clone());
        }
        let gone = object.changes.iter().filter_map(|stream| stream.gone.as_ref()).chain(&object.gone);
        let conditions = gone.filter_map(|gone| gone.when.as_ref()).chain(object.changes.iter().filter_map(|stream| stream.skip.as_ref()));
        let ended = object.changes.iter().filter_map(|stream| stream.listed.as_ref()?.ended.as_ref());
        let ended = ended.chain(object.get.iter().filter_map(|get| get.ended.as_ref()));
        paths.extend(conditions.chain(ended).flat_map(|formula| &formula.reads).filter(|path| path.root() == "record").map(Path::rest));
        paths
    }

    /// How an id is read.
    fn get_of(&self, id: &str) -> Option<&'a Get> {
        let by_prefix = |get: &&Get| get.prefix.as_ref().is_some_and(|prefix| id.starts_with(prefix.as_str()));
        self.object.get.iter().find(by_prefix).or_else(|| self.object.get.iter().find(|get| get.prefix.is_none()))
    }

    /// Records by id; one that is not there is absent.
    pub(super) async fn by_id(&self, ids: &[String], beside: &Beside) -> Result<Vec<Change>, Fault> {
        let mut found = Vec::new();
        if let Some(Get { look: Look::Ask { ask, .. }, batch: Batched::Aliases(_), .. }) = ids.first().and_then(|id| self.get_of(id))
            && beside.is_empty()
        {
            return self.by_alias(ask, ids).await;
        }
        if let Some(get @ Get { look: Look::Ask { ask, put, .. }, batch: Batched::Together(2..), .. }) = ids.first().and_then(|id| self.get_of(id))
            && ask.records.is_some()
            && put.is_empty()
            && beside.is_empty()
        {
            return self.listed(get, ask, ids).await;
        }
        for id in ids {
            if let Some((record, get)) = self.one(id, beside.clone()).await? {
                found.push(self.arrived(id, &record, get));
            }
        }
        Ok(found)
    }

    /// Records by id, of one list.
    async fn listed(&self, get: &Get, ask: &Ask, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| is_id(&self.object.id, id)).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let values = Json::from(ids.clone());
        let scope = self.link.scope().with("ids", &values).with("values", &values);
        let parts = self.parts(ask, &scope, None)?;
        let answer = self.link.read_parts(self.call, self.name(), ask, &parts).await?;
        // A list that is not there is not an empty one.
        let answer = answer.ok_or_else(|| self.link.not_understood(&parts))?;
        let mut found = Vec::new();
        for record in self.link.records(ask, &parts, &answer)? {
            let id = id_of(self.object, record).ok_or_else(|| self.link.not_understood(&parts))?;
            if ids.contains(&id.as_str()) {
                let mut record: Json = serde_json::from_str(record).map_err(|_| self.link.not_understood(&parts))?;
                self.link.dated(&mut record, self.of, self.schemas);
                found.push(self.arrived(&id, &record, Some(get)));
            }
        }
        Ok(found)
    }

    /// Records by id, as fields of one document.
    async fn by_alias(&self, ask: &Ask, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let ids: Vec<&String> = ids.iter().filter(|id| is_id(&self.object.id, id)).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut fields = Vec::with_capacity(ids.len());
        for (at, id) in ids.iter().enumerate() {
            let id = Json::from(id.as_str());
            fields.push((Some(graphql::alias(at)), self.link.arguments(ask, &self.link.scope().with("id", &id).with("value", &id))?));
        }
        let parts = self.link.document(ask, &fields, &self.fields(ask))?;
        let asked = Asked { object: self.name(), write: false, aliases: true, several: false };
        let answer = match self.link.carried_out(self.call, asked, ask, &parts).await? {
            Outcome::Done(answer) => answer,
            Outcome::Absent => return Ok(Vec::new()),
            // An error says nothing of which of them it is: each is asked for by itself.
            Outcome::Refused(Fault::Rejected(_)) if ids.len() > 1 => {
                let mut found = Vec::new();
                for id in ids {
                    if let Some((record, get)) = self.one(id, Beside::new()).await? {
                        found.push(self.arrived(id, &record, get));
                    }
                }
                return Ok(found);
            }
            Outcome::Refused(fault) | Outcome::Expired(fault) => return Err(fault),
        };
        let mut found = Vec::new();
        for (at, id) in ids.into_iter().enumerate() {
            let Some(result) = answer.aliased(at) else {
                match answer.error_of(at).map(|error| self.link.meaning_of_error(asked, &answer, &error)) {
                    // There is no such record.
                    None | Some(Outcome::Absent | Outcome::Done(_) | Outcome::Refused(Fault::Rejected(_))) => continue,
                    Some(Outcome::Refused(fault) | Outcome::Expired(fault)) => return Err(fault),
                }
            };
            let record = match &ask.record {
                Some(path) => view::slices(result, path).and_then(|found| found.first().copied()),
                None => Some(result),
            };
            let Some(record) = record.filter(|record| record.starts_with('{')) else { continue };
            let record: Json = serde_json::from_str(record).map_err(|_| self.link.not_understood(&parts))?;
            found.push(self.arrived(id, &record, self.get_of(id)));
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
        let ids = Json::from(vec![id]);
        let scope = self.link.scope().with("id", &value).with("value", &value).with("ids", &ids);
        let path = self.parts(ask, &scope, None)?;
        let Some(answer) = self.link.read_parts(self.call, self.name(), ask, &path).await? else { return Ok(None) };
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

    /// A record as it is now, before it is written: by the call that names it, where there is one. A list of several may still show what
    /// was before.
    pub(super) async fn fresh(&self, id: &str) -> Result<Option<Json>, Fault> {
        let names_it = |find: &&Find| match (&find.field, &find.look) {
            (Some(field), Look::Ask { ask, .. }) => self.is_the_id(&field.node) && ask.records.is_none(),
            _ => false,
        };
        if let Some(Find { field: Some(field), look, .. }) = self.object.find.iter().find(names_it).filter(|_| is_id(&self.object.id, id)) {
            return Ok(self.found(look, &field.node, id, &Beside::new()).await?.into_iter().next());
        }
        let found = self.by_id(&[id.to_owned()], &Beside::new()).await?;
        Ok(found.into_iter().next().and_then(|change| if let State::Upserted(record) = change.state { Some(RawRecord::read(&record)) } else { None }))
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
        matches!(&self.object.id.form, IdForm::At(path) if path.to_string() == field)
    }

    async fn found(&self, look: &Look, field: &str, value: &str, beside: &Beside) -> Result<Vec<Json>, Fault> {
        let Look::Ask { ask, put, only, then_get, brings, form, .. } = look else {
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
        let at = Path::parse(field, self.object.span).map_err(|_| self.cannot_search(field))?;
        let base = ask.records.as_ref().or(ask.record.as_ref());
        let searched = |fields: &mut Fields| {
            let record = match base {
                Some(base) => fields.path(base),
                None => fields,
            };
            record.path(&at);
            if let Some(ask) = next_page(ask) {
                fields.path(&ask);
            }
        };
        let parts = self.parts(ask, &scope, Some(&searched))?;
        let Some(answer) = self.link.read_parts(self.call, self.name(), ask, &parts).await? else {
            // A list that is not there is not an empty one.
            return if ask.records.is_some() { Err(self.link.not_understood(&parts)) } else { Ok(Vec::new()) };
        };
        let records =
            if ask.records.is_some() { self.link.records(ask, &parts, &answer)? } else { vec![self.link.record(ask, parts.path(), &answer)?] };
        if ask.records.is_some() && self.is_cut(ask, &parts, &answer, records.len(), &scope)? {
            let why = format!("{} has more {} for this `{field}` than one page: which there are is not known", self.link.of.title, self.name());
            return Err(Fault::rejected("find", why, None));
        }
        // What the call itself names is that of what it answers.
        let is_named = asks_in_path(ask, "value") || put.iter().any(|(name, _)| name.node == field);
        let is_it = |record: &str| if is_named { Some(true) } else { is_held(record, &at, value) };
        let unknown = || {
            let why = format!("the answer of {} has no `{field}` of {}, so that it cannot be compared", self.link.of.title, self.name());
            Fault::rejected("find", why, None)
        };
        let mut found = Vec::new();
        for record in records {
            if is_it(record) == Some(false) {
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
                // A list that does not say it is answered by the record itself.
                let is_listed = is_it(record) == Some(true);
                if let Some((record, _)) = self.one(&id, beside).await?
                    && (is_listed || is_it(&record.to_string()).ok_or_else(unknown)?)
                {
                    found.push(record);
                }
                continue;
            }
            is_it(record).ok_or_else(unknown)?;
            let mut record: Json = serde_json::from_str(record).map_err(|_| self.link.not_understood(&parts))?;
            self.link.put(&mut record, put, &scope)?;
            self.with(&mut record, &scope, beside.clone()).await?;
            self.link.dated(&mut record, self.of, self.schemas);
            found.push(record);
        }
        Ok(found)
    }
}

impl Reads<'_> {
    /// Whether an answer to a look-up may be one page of several: it says so, or it has as many records as were asked for at most.
    fn is_cut(&self, ask: &Ask, parts: &Parts, answer: &Answer, records: usize, scope: &Scope<'_>) -> Result<bool, Fault> {
        let result = answer.result(ask).unwrap_or_default();
        let says = |path: &Path| view::text_at(result, path).is_some_and(|text| text != "false");
        if next_page(ask).is_some_and(|next| says(&next)) {
            return Ok(true);
        }
        // A list that is paged where it is read for changes has the same answer here.
        let same = |stream: &&Stream| match (&stream.ask.request, &ask.request) {
            (Request::Rest { method, path, .. }, Request::Rest { method: of, path: like, .. }) => method == of && path.pieces == like.pieces,
            (Request::GraphQl { field, .. }, Request::GraphQl { field: like, .. }) => field.node == like.node,
            _ => false,
        };
        let goes_on = |page: &Page| match (&page.more, &page.paging) {
            (Some(Pick::Path(more)), _) => says(more),
            (None, Paging::Token { token, .. }) => says(token),
            _ => false,
        };
        let is_more = |page: &Page| {
            let total = page.total.as_ref().and_then(|total| view::text_at(result, total)?.parse::<usize>().ok());
            goes_on(page) || total.is_some_and(|total| total > records)
        };
        if self.object.changes.iter().filter(same).filter_map(|stream| stream.page.as_ref()).any(is_more) {
            return Ok(true);
        }
        let given = self.link.arguments(ask, scope)?;
        let most = parts.most().or_else(|| given.as_ref().and_then(super::ask::most));
        Ok(most.is_some_and(|most| records as u64 >= most))
    }
}

/// Whether a value that is looked for stands in the path of a call.
fn asks_in_path(ask: &Ask, name: &str) -> bool {
    matches!(&ask.request, Request::Rest { path, .. } if path.values().any(|value| value.reads.iter().any(|read| read.root() == name)))
}

/// Where a connection of GraphQL says whether it goes on.
fn next_page(ask: &Ask) -> Option<Path> {
    let records = ask.records.as_ref()?;
    let edges = records.steps.iter().position(|step| *step == PathStep::Name("edges".to_owned()))?;
    let beside = ["pageInfo", "hasNextPage"].map(|name| PathStep::Name(name.to_owned()));
    Some(Path { steps: records.steps[..edges].iter().cloned().chain(beside).collect(), span: records.span })
}

/// Whether a record holds a value in a field; none where it has no such field.
fn is_held(record: &str, at: &Path, value: &str) -> Option<bool> {
    let found = view::slices(record, at)?;
    (!found.is_empty()).then(|| view::text_at(record, at).as_deref() == Some(value))
}

/// How many ids or values go into one call.
pub(super) fn together(batch: Batched) -> usize {
    usize::try_from(batch.most()).unwrap_or(1)
}
