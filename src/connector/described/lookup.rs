//! Records by the value of a field: one value in a call, several in one list, or several as fields of one document.
//!
//! What is found is compared with the values: a list may hold more than was asked for. That a value is not found is only said where the
//! answer is whole.

use super::ask::Parts;
use super::connection::has_more;
use super::find::{Beside, Reads, Unsaid, is_null, together};
use super::graphql::Fields;
use super::view;
use super::whole::{id_of, is_id};
use crate::base::Spanned;
use crate::connector::{Found, LookupRequest};
use crate::describe::model::{Ask, Batched, Find, IdForm, Look, Object, Page, Paging, Pick, Request};
use crate::describe::{Formula, Path, PathStep, Scope, Template};
use crate::fault::Fault;
use crate::value::Json;

/// A look-up by a call.
struct Search<'s> {
    field: &'s str,
    at: Path,
    ask: &'s Ask,
    put: &'s [(Spanned<String>, Template)],
    only: Option<&'s Formula>,
    then_get: bool,
    brings: Option<&'s str>,
}

/// Which of the values a record holds.
#[derive(Clone, Copy)]
enum Held<'v> {
    Value(&'v str),
    /// None of them.
    Other,
    /// It has no such field.
    Unknown,
}

impl<'s> Search<'s> {
    /// None where the field is not looked up by a call.
    fn of(look: &'s Look, field: &'s str, object: &Object) -> Option<Self> {
        let Look::Ask { ask, put, only, then_get, brings, .. } = look else { return None };
        let at = Path::parse(field, object.span).ok()?;
        Some(Search { field, at, ask, put, only: only.as_ref(), then_get: *then_get, brings: brings.as_ref().map(|name| name.node.as_str()) })
    }

    /// What a GraphQL document asks for beside the records' own fields: what is compared, and whether the list goes on.
    fn asks(&self, ask: &Ask, fields: &mut Fields) {
        let record = match ask.records.as_ref().or(ask.record.as_ref()) {
            Some(base) => fields.path(base),
            None => &mut *fields,
        };
        record.path(&self.at);
        if let Some(next) = next_page(ask) {
            fields.path(&next);
        }
    }

    fn held<'v>(&self, ask: &Ask, record: &str, values: &[&'v str]) -> Held<'v> {
        // What the call itself names is that of what it answers.
        if let [value] = values
            && (asks_in_path(ask, "value") || self.put.iter().any(|(name, _)| name.node == self.field))
        {
            return Held::Value(value);
        }
        if view::slices(record, &self.at).is_none_or(|found| found.is_empty()) {
            return Held::Unknown;
        }
        let text = view::text_at(record, &self.at);
        values.iter().find(|value| text.as_deref() == Some(**value)).map_or(Held::Other, |value| Held::Value(value))
    }
}

/// How many values of a field one look-up takes.
pub(super) fn batch_of(object: &Object, field: &[String]) -> usize {
    match find_of(object, field) {
        Some(find) if find.of_several().is_some() => together(find.batch),
        Some(Find { look: Look::Get, .. }) => by_id_at_once(object),
        Some(_) => 1,
        None if is_the_id(object, &field.join(".")) => by_id_at_once(object),
        None => 1,
    }
}

/// How many ids go into one call, whatever kind they are of. Without such a call the lists are gone through once for many.
pub(super) fn by_id_at_once(object: &Object) -> usize {
    object.get.iter().map(|get| together(get.batch)).min().unwrap_or(super::listed::TOGETHER)
}

/// How records are found by a field.
fn find_of<'o>(object: &'o Object, field: &[String]) -> Option<&'o Find> {
    let name = field.join(".");
    let named = object.find.iter().find(|find| find.field.as_ref().is_some_and(|field| field.node == name));
    named.or_else(|| object.find.iter().find(|find| find.field.is_none()))
}

fn is_the_id(object: &Object, field: &str) -> bool {
    matches!(&object.id.form, IdForm::At(path) if path.to_string() == field)
}

impl Reads<'_> {
    /// A record as it is now, before it is written: by the call that names it, where there is one. A list of several may still show what
    /// was before.
    pub(super) async fn fresh(&self, id: &str) -> Result<Option<Json>, Fault> {
        let names_it = |find: &&Find| match (&find.field, &find.look) {
            (Some(field), Look::Ask { ask, .. }) => is_the_id(self.object, &field.node) && ask.records.is_none(),
            _ => false,
        };
        let find = self.object.find.iter().find(names_it).filter(|_| is_id(&self.object.id, id));
        let search = find.and_then(|find| Search::of(&find.look, &find.field.as_ref()?.node, self.object));
        match search {
            Some(search) => Ok(self.one_value(&search, id, &Beside::new()).await?.into_iter().next().map(|found| found.record)),
            None => self.record(id).await,
        }
    }

    /// Records in which a field has one of the values, exactly.
    pub(super) async fn lookup(&self, ask: &LookupRequest<'_>, beside: &Beside) -> Result<Vec<Found>, Fault> {
        let field = ask.field.join(".");
        let find = find_of(self.object, ask.field);
        let cannot = || Fault::rejected("find", format!("{} cannot search {} by `{field}`", self.link.of.title, self.name()), None);
        let mut values: Vec<&str> = ask.values.iter().map(String::as_str).collect();
        match find.map(|find| &find.look) {
            Some(Look::Get) => return self.by_ids(&values, beside).await,
            None if is_the_id(self.object, &field) => return self.by_ids(&values, beside).await,
            Some(Look::Ask { form: Some(form), .. }) if form.node == "digits" => {
                values.retain(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
            }
            _ => {}
        }
        let find = find.ok_or_else(cannot)?;
        let search = Search::of(&find.look, &field, self.object).ok_or_else(cannot)?;
        match (find.of_several(), find.batch) {
            (Some(several), Batched::Together(_)) if values.len() > 1 => {
                let mut found = self.listed_by(&search, several, &values, beside).await?;
                // A list may show late what is there and what was just written: the call for one record says it.
                if find.several.is_some() {
                    found.retain(|found| {
                        let id = id_of(self.object, &found.record.to_string());
                        id.is_some_and(|id| !self.link.is_just_written(self.object, &id))
                    });
                    let missing: Vec<&str> = values.into_iter().filter(|value| !found.iter().any(|found| found.value == *value)).collect();
                    found.extend(self.each_value(&search, &missing, beside).await?);
                }
                Ok(found)
            }
            (Some(_), Batched::Aliases(_)) if values.len() > 1 => self.aliases_of(&search, &values, beside).await,
            _ => self.each_value(&search, &values, beside).await,
        }
    }

    /// Where the value is the id.
    async fn by_ids(&self, ids: &[&str], beside: &Beside) -> Result<Vec<Found>, Fault> {
        let read = self.records_by_id(ids, beside).await?;
        read.into_iter().map(|(value, record)| Ok(Found { value, record: record? })).collect()
    }

    /// Each value by a call of its own.
    async fn each_value(&self, search: &Search<'_>, values: &[&str], beside: &Beside) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        for value in values {
            found.extend(self.one_value(search, value, beside).await?);
        }
        Ok(found)
    }

    async fn one_value(&self, search: &Search<'_>, value: &str, beside: &Beside) -> Result<Vec<Found>, Fault> {
        self.searched(search, search.ask, &[value], beside).await?.ok_or_else(|| self.not_whole(search))
    }

    /// Several values by one call. One that is refused, or whose answer is not whole, is asked again for half of them.
    async fn listed_by(&self, search: &Search<'_>, ask: &Ask, values: &[&str], beside: &Beside) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        let mut left = vec![values];
        while let Some(values) = left.pop() {
            if let [value] = values
                && !std::ptr::eq(ask, search.ask)
            {
                found.extend(self.one_value(search, value, beside).await?);
                continue;
            }
            match self.searched(search, ask, values, beside).await {
                Ok(Some(records)) => found.extend(records),
                Ok(None) | Err(Fault::Rejected(_)) if values.len() > 1 => {
                    let (first, rest) = values.split_at(values.len() / 2);
                    left.extend([rest, first]);
                }
                Ok(None) => return Err(self.not_whole(search)),
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// Several values as fields of one document.
    async fn aliases_of(&self, search: &Search<'_>, values: &[&str], beside: &Beside) -> Result<Vec<Found>, Fault> {
        let ask = search.ask;
        let arguments =
            values.iter().map(|value| self.link.arguments(ask, &self.scope_of_values(search.field, &[value]))).collect::<Result<_, _>>()?;
        let mut below = self.fields(ask, self.record_fields());
        search.asks(ask, &mut below);
        let document = match self.ask_by_aliases(ask, arguments, &below).await? {
            Ok(document) => document,
            Err(Unsaid::Absent | Unsaid::Rejected) => return self.each_value(search, values, beside).await,
        };
        let mut found = Vec::new();
        for (at, value) in values.iter().enumerate() {
            match document.result(self.link, ask, at)? {
                Some(result) => {
                    let records = self.found_in(search, ask, &[value], result, &document.parts, beside).await?;
                    found.extend(records.ok_or_else(|| self.not_whole(search))?);
                }
                // A list that is not there is not an empty one.
                None if ask.records.is_some() => return Err(self.link.no_list(ask, &document.parts)),
                None => {}
            }
        }
        Ok(found)
    }

    /// What a call by values reads.
    fn scope_of_values(&self, field: &str, values: &[&str]) -> Scope<'_> {
        let scope = self.link.scope().and("field", Json::from(field)).and("values", Json::from(values.to_vec()));
        if let [value] = values { scope.and("value", Json::from(*value)) } else { scope }
    }

    /// What one call finds of some values; `None`: its answer is one page of several.
    async fn searched(&self, search: &Search<'_>, ask: &Ask, values: &[&str], beside: &Beside) -> Result<Option<Vec<Found>>, Fault> {
        let parts = self.parts(ask, &self.scope_of_values(search.field, values), &|fields| search.asks(ask, fields))?;
        let answer = self.link.read_parts(self.call, self.name(), ask, &parts).await?;
        match answer {
            Some(answer) => {
                let result = answer.result(ask).ok_or_else(|| self.link.no_record(ask, &parts))?;
                self.found_in(search, ask, values, result, &parts, beside).await
            }
            // A list that is not there is not an empty one.
            None if ask.records.is_some() => Err(self.link.no_list(ask, &parts)),
            None => Ok(Some(Vec::new())),
        }
    }

    /// The records of a result that hold one of the values; `None`: it is one page of several.
    async fn found_in(
        &self,
        search: &Search<'_>,
        ask: &Ask,
        values: &[&str],
        result: &str,
        parts: &Parts,
        beside: &Beside,
    ) -> Result<Option<Vec<Found>>, Fault> {
        let records = match &ask.records {
            Some(at) => view::records(result, Some(at)).ok_or_else(|| self.link.no_list(ask, parts))?,
            None if is_null(ask, result) => Vec::new(),
            None => vec![self.link.record(ask, parts, Some(result))?],
        };
        if ask.records.is_some() && self.is_cut(ask, parts, result, records.len(), &self.scope_of_values(search.field, values))? {
            return Ok(None);
        }
        let unknown = || {
            let why = format!("the answer of {} has no `{}` of {}, so that it cannot be compared", self.link.of.title, search.field, self.name());
            Fault::rejected("find", why, None)
        };
        let mut found = Vec::new();
        for record in records {
            let held = search.held(ask, record, values);
            if matches!(held, Held::Other) || search.only.is_some_and(|only| !self.of_record(only, record)) {
                continue;
            }
            // A record whose connections were not given whole is read by itself.
            if search.then_get || has_more(record) {
                let id = id_of(self.object, record).ok_or_else(|| self.no_id(parts))?;
                let mut beside = beside.clone();
                if let Some(known) = search.brings.and_then(|brings| beside.get_mut(brings)) {
                    *known = serde_json::from_str(record).ok();
                }
                let Some(record) = self.fetched(&id, &beside).await? else { continue };
                // A list that does not say it is answered by the record itself.
                let held = if let Held::Unknown = held { search.held(ask, &record.to_string(), values) } else { held };
                match held {
                    Held::Value(value) => found.push(Found { value: value.to_owned(), record }),
                    Held::Other => {}
                    Held::Unknown => return Err(unknown()),
                }
                continue;
            }
            let Held::Value(value) = held else { return Err(unknown()) };
            let mut record = self.json(record, parts)?;
            let scope = self.scope_of_values(search.field, &[value]);
            self.link.put(&mut record, search.put, &scope)?;
            self.with(&mut record, &scope, beside).await?;
            self.link.dated(&mut record, self.of, self.schemas);
            found.push(Found { value: value.to_owned(), record });
        }
        Ok(Some(found))
    }

    fn not_whole(&self, search: &Search<'_>) -> Fault {
        let (title, name, field) = (&self.link.of.title, self.name(), search.field);
        Fault::rejected("find", format!("{title} has more {name} for this `{field}` than one page: which there are is not known"), None)
    }

    /// Whether an answer to a look-up may be one page of several: it says so, or it has as many records as were asked for at most.
    fn is_cut(&self, ask: &Ask, parts: &Parts, result: &str, records: usize, scope: &Scope<'_>) -> Result<bool, Fault> {
        let says = |path: &Path| view::text_at(result, path).is_some_and(|text| text != "false");
        if next_page(ask).is_some_and(|next| says(&next)) {
            return Ok(true);
        }
        // A list that is paged where it is read for changes has the same answer here.
        let same = |of: &Ask| match (&of.request, &ask.request) {
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
        if self.object.changes.iter().filter(|stream| same(&stream.ask)).filter_map(|stream| stream.page.as_ref()).any(is_more) {
            return Ok(true);
        }
        let most = match parts.most() {
            Some(most) => Some(most),
            None => self.link.arguments(ask, scope)?.as_ref().and_then(super::ask::most),
        };
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
