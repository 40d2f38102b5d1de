//! Carries out one effect of the engine with its connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::shared::{PageKey, RecordKey, SharedReads};
use crate::connector::{Change, Connector, Connectors, Item, LookupRequest, Page, ReadRequest, Receipt, Rider, Selection, WriteRequest};
use crate::engine::mask::{Mask, Quotes};
use crate::engine::{CallRequest, CallResponse, Effect, Reply};
use crate::fault::Fault;
use crate::http::{Call, Clock};
use crate::plan::Plan;
use crate::value::ObjectRef;

/// What effects are carried out with. It is shared by all that are out at once.
#[derive(Clone)]
pub struct Executor {
    pub plan: Arc<Plan>,
    pub connectors: Connectors,
    pub clock: Arc<dyn Clock>,
    /// Where nothing is to be written: what would be, goes here.
    pub rehearsal: Option<Arc<super::rehearsal::Rehearsal>>,
    /// By flow: paths to fetch beside those that the mapping reads.
    pub also: Arc<Vec<Vec<Vec<String>>>>,
    /// By connection: exchanges are masked here, beside the engine's own work.
    pub masks: Arc<BTreeMap<String, Mask>>,
    /// What flows of one object read once for all of them.
    pub shared: SharedReads,
    /// What a system says is told without what it quotes of the request: see [`crate::engine::Safety::scrub`].
    pub scrub: bool,
}

impl Executor {
    fn source(&self, flow: usize) -> Selection<'_> {
        self.plan.selection_of(flow, self.also.get(flow).map_or(&[], Vec::as_slice))
    }

    fn lookup<'a>(
        &'a self,
        object: &'a ObjectRef,
        field: &'a [String],
        values: &'a [String],
        companions: &'a [Option<String>],
        projection: &'a [Vec<String>],
    ) -> LookupRequest<'a> {
        LookupRequest { object, schemas: &self.plan.objects, field, values, companions, projection }
    }

    /// Carries out an effect; whatever happens, there is a reply. Nothing of it quotes what the request held of persons.
    pub async fn execute(&self, effect: Effect) -> Reply {
        let call = Arc::new(Call::default());
        let mut got = self.ask(&call, &effect).await;
        // A connection that no schema is known of shows nothing.
        let unknown = Mask::default();
        let quotes = Quotes::of(self.masks.get(&effect.connection).unwrap_or(&unknown), &effect.ask);
        if self.scrub {
            quotes.clean(&mut got);
        }
        let exchanges = quotes.exchanges(call.exchanges(), &got);
        Reply { id: effect.id, exchanges, got }
    }

    /// A page of a flow's source, which may be one that another flow of the same object asked for.
    async fn page(&self, call: &Arc<Call>, connector: &Arc<dyn Connector>, ask: &CallRequest) -> Result<Page, Fault> {
        let CallRequest::Changes { flow, stream, cursor, begins, overlap, since } = ask else {
            return Err(Fault::rejected("ask", "it requests no page", None));
        };
        let source = self.source(*flow);
        let now = self.clock.now();
        let key = connector.form(&source).map(|form| PageKey {
            connection: source.object.connection.clone(),
            object: source.object.object.clone(),
            form,
            stream: stream.clone(),
            cursor: cursor.clone(),
            begins: *begins,
            overlap: *overlap,
            since: *since,
        });
        let read = {
            let (executor, call, connector) = (self.clone(), Arc::clone(call), Arc::clone(connector));
            let (flow, stream, cursor, begins, overlap, since) = (*flow, stream.clone(), cursor.clone(), *begins, *overlap, *since);
            async move {
                let cursor = cursor.as_deref();
                let selection = &executor.source(flow);
                connector.changes(&call, &ReadRequest { selection, stream: &stream, cursor, begins, overlap, since, now }).await
            }
        };
        match key {
            Some(key) => self.shared.page(key, *flow, now, read).await,
            None => read.await,
        }
    }

    /// Records of a flow's source by id, some of which another flow of the same object may have read since they were asked for.
    async fn records(&self, call: &Call, connector: &dyn Connector, flow: usize, ids: &[String], asked: Timestamp) -> Result<Vec<Change>, Fault> {
        let source = self.source(flow);
        let form = connector.form(&source).filter(|_| self.shared.has_others(flow));
        let Some(form) = form else { return connector.fetch_by_id(call, &source, ids).await };
        let of = source.object;
        let key = |id: &String| -> RecordKey { (of.connection.clone(), of.object.clone(), form.clone(), id.clone()) };
        let began = self.clock.now();
        let known = self.shared.records(&ids.iter().map(key).collect::<Vec<_>>(), asked, began);
        let left: Vec<String> = ids.iter().filter(|id| !known.contains_key(&key(id))).cloned().collect();
        let mut found: Vec<Change> = known.into_values().flatten().collect();
        if !left.is_empty() {
            let read = connector.fetch_by_id(call, &source, &left).await?;
            let of = |id: &String| (key(id), read.iter().find(|change| change.id == *id).cloned());
            self.shared.note(left.iter().map(of), began);
            found.extend(read);
        }
        Ok(found)
    }

    async fn ask(&self, call: &Arc<Call>, effect: &Effect) -> CallResponse {
        let Some(connector) = self.connectors.get(&effect.connection) else {
            return CallResponse::Sent(Err(Fault::rejected("connection", format!("there is no connection `{}`", effect.connection), None)));
        };
        match &effect.ask {
            ask @ CallRequest::Changes { .. } => CallResponse::Page(self.page(call, connector, ask).await),
            CallRequest::Get { flow, ids, asked } => CallResponse::Records(self.records(call, &**connector, *flow, ids, *asked).await),
            CallRequest::Follow { flow, hint } => CallResponse::Page(connector.resolve_webhook(call, &self.source(*flow), hint).await),
            CallRequest::Find { object, field, values, companions, fields } => {
                CallResponse::Found(connector.lookup(call, &self.lookup(object, field, values, companions, fields)).await)
            }
            CallRequest::Present { object, field, values, fields, bodies } => {
                CallResponse::Found(connector.present(call, &self.lookup(object, field, values, &[], fields), bodies).await)
            }
            CallRequest::Send { object, op, key_field, items, riders } => {
                if let Some(rehearsal) = &self.rehearsal {
                    let schema = self.plan.objects.get(&object.to_string());
                    let batch = schema.and_then(|schema| connector.write(schema, *op, key_field.as_deref())).map_or(1, |write| write.batch);
                    rehearsal.count(items.len().div_ceil(batch.max(1)));
                    let mut receipts = rehearsal.note(call, &self.plan, &**connector, object, *op, key_field.as_deref(), items).await;
                    if let Some(riders) = riders {
                        let (object, op, key_field) = (&riders.object, riders.operation, riders.key_field.as_deref());
                        let items: Vec<Item> = riders.items.iter().map(|rider| with_id(rider, &receipts)).collect();
                        receipts.extend(rehearsal.note(call, &self.plan, &**connector, object, op, key_field, &items).await);
                    }
                    return CallResponse::Sent(Ok(receipts));
                }
                let key_field = key_field.as_deref();
                let (schemas, riders, now) = (&self.plan.objects, riders.as_ref(), self.clock.now());
                let batch = WriteRequest { object, schemas, operation: *op, key_field, items, riders, now };
                CallResponse::Sent(connector.send(call, &batch).await)
            }
        }
    }
}

/// What a rider would send, with the id that the rehearsal gave its record.
fn with_id(rider: &Rider, receipts: &[Receipt]) -> Item {
    let mut item = rider.item.clone();
    let id = receipts.get(rider.on).and_then(|receipt| receipt.outcome.as_ref().ok()?.record.as_object()?.values().next().cloned());
    if let (Some(id), crate::value::Json::Object(body)) = (id, &mut item.body) {
        body.extend(rider.fields.iter().map(|name| (name.clone(), id.clone())));
    }
    item
}
