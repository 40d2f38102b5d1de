//! The connector of systems that are described: it carries out what a description (`systems/<system>/system.yaml`) says.
//!
//! It knows no system by name. What a page, an answer, a webhook means is read in the description; the parts of an answer are looked at
//! as slices of its text, and a record becomes a tree only where the description changes it.

mod answer;
mod ask;
mod connection;
mod find;
mod graphql;
mod lines;
mod listed;
mod lookup;
mod names;
mod needs;
mod open;
mod parts;
mod receipt;
mod sign_in;
mod stamp;
mod stream;
#[cfg(test)]
mod tests;
mod view;
mod webhook;
mod whole;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use self::find::{Beside, Reads};
use self::open::Link;
use super::registry::{Settings, Unusable};
use super::{
    Change, Connector, Found, Hint, LookupRequest, Page, ReadRequest, Reading, Receipt, Selection, State, Stream, WebhookRefusal, WebhookReply,
    WebhookRequest, WriteRequest, holds,
};
use crate::describe::model::{Object, Paging};
use crate::describe::{self, Described, Known};
use crate::fault::Fault;
use crate::http::{Call, Clock, Limit, Transport};
use crate::schema::{FieldPath, Named};
use crate::system::Guarantee;
use crate::value::{Json, ObjectRef};

/// The stamp of a record that has ended, in a list that does not say what changed: it is read no more. The word is the one that stores of
/// earlier versions have.
const ENDED: &str = "delivered";

/// A connection of a described system.
pub struct DescribedSystem {
    link: Link,
}

/// # Errors
/// There is no description of the system, it has errors, or a setting is missing or cannot be used.
pub(super) fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    let of = open::usable(describe::known(&settings.system), settings)?;
    Ok(Arc::new(DescribedSystem::new(of, settings, transport, clock)?))
}

/// The same of a system that the project of the connection describes.
///
/// # Errors
/// As [`open`].
pub(super) fn open_own(
    known: &Known,
    settings: &Settings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Connector>, Unusable> {
    let of = open::usable(Some(known), settings)?;
    Ok(Arc::new(DescribedSystem::new(of, settings, transport, clock)?))
}

impl DescribedSystem {
    /// # Errors
    /// A setting is missing or cannot be used.
    pub fn new(of: &Arc<Described>, settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        Ok(DescribedSystem { link: Link::new(Arc::clone(of), settings, transport, clock)? })
    }

    /// # Errors
    /// The description has no such object.
    fn object(&self, of: &ObjectRef) -> Result<&Object, Fault> {
        let unknown = || Fault::rejected("object", format!("{} has no object {}", self.link.of.title, of.object), None);
        self.link.of.object(&of.object).ok_or_else(unknown)
    }

    fn reads<'a>(&'a self, call: &'a Call, of: &'a ObjectRef, schemas: whole::Schemas<'a>, wanted: Vec<FieldPath>) -> Result<Reads<'a>, Fault> {
        Ok(Reads { link: &self.link, call, object: self.object(of)?, of, schemas, wanted, writes: false, proven: false })
    }

    fn reads_of<'a>(&'a self, call: &'a Call, of: &'a Selection<'a>) -> Result<Reads<'a>, Fault> {
        self.reads(call, of.object, of.schemas, of.projection.iter().map(|path| path.to_vec()).collect())
    }

    /// What a flow reads beside the record itself, and what conditions do.
    fn beside(&self, of: &Selection<'_>) -> Beside {
        let Some(object) = self.link.of.object(&of.object.object) else { return Beside::new() };
        let wanted = |name: &str| of.reads(name) || needs::reads_beside(object, name);
        object.with.iter().filter(|with| wanted(&with.name.node)).map(|with| (with.name.node.clone(), None)).collect()
    }
}

/// Whether a projection has a field, or is of the whole record.
fn has(projection: &[FieldPath], field: &str) -> bool {
    projection.is_empty() || projection.iter().any(|path| path.first().is_none_or(|name| name == field))
}

#[async_trait]
impl Connector for DescribedSystem {
    fn system(&self) -> &str {
        &self.link.of.system.node
    }

    fn limit(&self) -> &Limit {
        self.link.client.limit()
    }

    fn streams(&self, of: &Selection<'_>) -> Vec<Stream> {
        let object = self.link.of.object(&of.object.object);
        let streams = object.map(|object| object.changes.as_slice()).unwrap_or_default();
        streams.iter().map(|stream| Stream { name: stream.name.node.clone(), overlap: stream.overlap, only_later: stream.only_later }).collect()
    }

    async fn changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let reads = self.reads_of(call, ask.selection)?;
        let stream = reads.object.changes.iter().find(|stream| stream.name.node == ask.stream);
        let stream =
            stream.ok_or_else(|| Fault::rejected("stream", format!("{} has no stream `{}`", ask.selection.object.object, ask.stream), None))?;
        reads.changes(stream, ask, &self.beside(ask.selection)).await
    }

    async fn fetch_by_id(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let reads = self.reads_of(call, of)?;
        if reads.object.get.is_empty() {
            return reads.listed_by_id(of, ids, self.link.client.now(), &self.beside(of)).await;
        }
        reads.by_id(ids, &self.beside(of)).await
    }

    fn form(&self, of: &Selection<'_>) -> Option<String> {
        let mut form: Vec<String> = self.beside(of).into_keys().collect();
        // Of GraphQL a flow asks for what it reads, and another may read more.
        if self.link.of.graphql.is_some() {
            let mut read: Vec<String> = of.projection.iter().map(|path| path.join(".")).collect();
            read.sort_unstable();
            read.dedup();
            form.push(format!("of {}", read.join(" ")));
        }
        Some(form.join(", "))
    }

    fn fetch_batch(&self, of: &Selection<'_>) -> usize {
        self.link.of.object(&of.object.object).map_or(1, lookup::by_id_at_once)
    }

    fn read_cost(&self, of: &Selection<'_>) -> Reading {
        let Some(object) = self.link.of.object(&of.object.object) else { return Reading { page: 1, each: 0 } };
        let page = object.changes.first().and_then(|stream| stream.page.as_ref());
        let size = page.and_then(|page| {
            page.size.or(match &page.paging {
                Paging::Token { most, .. } => *most,
                _ => None,
            })
        });
        let beside = self.beside(of).len();
        let each = beside + usize::from(beside > 0 || object.changes.iter().any(|stream| stream.listed.is_some()));
        Reading { page: size.and_then(|size| usize::try_from(size).ok()).unwrap_or(100), each }
    }

    async fn lookup(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let reads = self.reads(call, ask.object, ask.schemas, ask.projection.to_vec())?;
        let wanted = reads.object.with.iter().filter(|with| has(ask.projection, &with.name.node));
        let beside = wanted.map(|with| (with.name.node.clone(), None)).collect();
        reads.lookup(ask, &beside).await
    }

    fn lookup_batch(&self, object: &ObjectRef, field: &[String]) -> usize {
        self.link.of.object(&object.object).map_or(1, |object| lookup::batch_of(object, field))
    }

    /// A connection of GraphQL is the list of its nodes.
    fn holds(&self, _object: &ObjectRef, _path: &str, held: Option<&Json>, sent: &Json) -> bool {
        let edges = held.and_then(|held| held.get("edges")).and_then(Json::as_array).filter(|_| sent.is_array());
        match edges {
            Some(edges) => holds::same(Some(&edges.iter().filter_map(|edge| edge.get("node").cloned()).collect()), sent),
            None => holds::same(held, sent),
        }
    }

    fn repeat_adds(&self, object: &ObjectRef, body: &Json) -> bool {
        // Lines that are added: a late call would add them again, behind the one that read what is there.
        let writes = self.link.of.object(&object.object).map(|object| object.writes.as_slice()).unwrap_or_default();
        let adding = writes.iter().flat_map(|write| &write.steps).filter(|step| step.add.is_some());
        adding.flat_map(|step| &step.covers).any(|field| body.get(&field.node).is_some())
    }

    async fn send(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        // A record that is read before it is written is read whole.
        let reads = self.reads(call, batch.object, batch.schemas, Vec::new())?;
        let rule = batch.schema().and_then(|schema| schema.write_rule(batch.operation, batch.key_field));
        let proven = rule.is_some_and(|rule| rule.guarantee < Guarantee::Unprotected);
        Reads { writes: true, proven, ..reads }.write(batch).await
    }

    fn webhook(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        self.link.hints(request)
    }

    async fn resolve_webhook(&self, call: &Call, of: &Selection<'_>, hint: &Hint) -> Result<Page, Fault> {
        let reads = self.reads_of(call, of)?;
        let page = |changes| Ok(Page { changes, cursor: None, more: false });
        let known = self.link.of.webhooks.iter().flat_map(|webhooks| &webhooks.hints);
        let described = known.into_iter().find(|known| known.event.node == hint.event && known.object.node == of.object.object);
        let mut beside = self.beside(of);
        let Some((field, value)) = hint.parameters.first_key_value() else { return Err(Fault::rejected("hint", "it names no record", None)) };
        if *field != webhook::id_name(reads.object) {
            let field = [field.clone()];
            let values = [value.clone()];
            let ask = LookupRequest { object: of.object, schemas: of.schemas, field: &field, values: &values, companions: &[], projection: &[] };
            return page(reads.found_changes(reads.lookup(&ask, &beside).await?)?);
        }
        if !whole::is_id(&reads.object.id, value) {
            return Err(Fault::rejected("hint", format!("it names no {}", of.object.object), None));
        }
        // What tells whether the record is gone, or none of the object's, is read before it.
        let first = described.and_then(|described| Some((described, described.first.as_ref()?)));
        let first = first.and_then(|(described, first)| Some((described, reads.object.with.iter().find(|with| with.name.node == first.node)?)));
        if let Some((described, with)) = first {
            let id = Json::from(value.as_str());
            let scope = self.link.scope().with("id", &id).with("value", &id);
            let Some(read) = reads.beside(with, &scope).await? else { return page(Vec::new()) };
            let name = with.name.node.as_str();
            let holds = |condition| stream::holds_of(&self.link, condition, name, &read);
            if let Some(gone) = described.gone.as_ref().filter(|gone| gone.when.as_ref().is_none_or(holds)) {
                let stamp = stream::stamp_of(&self.link, gone, &read);
                return page(vec![Change { id: value.clone(), stamp, state: State::Gone }]);
            }
            if described.skip.as_ref().is_some_and(holds) {
                return page(Vec::new());
            }
            if let Some(known) = beside.get_mut(name) {
                *known = Some(read);
            }
        }
        page(reads.by_id(std::slice::from_ref(value), &beside).await?)
    }

    async fn reference_data(&self, call: &Call, kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        self.link.named(call, kinds).await
    }

    async fn describe(&self, _call: &Call, _object: &str) -> Result<Option<Json>, Fault> {
        // Its schemas come from a file of the vendor's, and do not differ between accounts.
        Ok(None)
    }

    async fn check_connection(&self, call: &Call) -> Result<String, Fault> {
        let Some(hello) = &self.link.of.hello else { return Ok(format!("{} at {}: nothing is asked", self.link.of.title, self.link.host())) };
        let scope = self.link.scope();
        let mut ask = hello.ask.clone();
        // Of GraphQL what is said of it is asked for.
        ask.select.extend(hello.say.values().flat_map(|value| value.asks("body")));
        ask.select.extend(hello.say.values().flat_map(|value| value.asks("data")).map(|path| path.below("data")));
        let parts = self.link.parts(&ask, &scope)?;
        let answer = self.link.read_parts(call, "", &hello.ask, &parts).await?;
        let no_record = || self.link.no_record(&hello.ask, &parts);
        let answer = answer.ok_or_else(no_record)?;
        let result: Json = answer.result(&hello.ask).and_then(|result| serde_json::from_str(result).ok()).ok_or_else(no_record)?;
        let scope = scope.with("body", &result).and("host", Json::from(self.link.host())).and("header", answer.headers());
        let scope = scope.and("data", result.get("data").cloned().unwrap_or_default());
        let said = hello.say.text(&scope).ok().flatten();
        Ok(said.unwrap_or_else(|| format!("{} at {} answers", self.link.of.title, self.link.host())))
    }
}
