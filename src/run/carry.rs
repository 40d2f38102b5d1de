//! Carries out one effect of the engine by its connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::connector::{Batch, Changes, Connectors, Find, Item, Receipt, Rider, Source};
use crate::engine::mask::Mask;
use crate::engine::{Ask, Effect, Got, Reply};
use crate::fault::Fault;
use crate::http::{Call, Clock};
use crate::plan::Plan;

/// What effects are carried out with. It is shared by all that are out at once.
#[derive(Clone)]
pub struct Carrier {
    pub plan: Arc<Plan>,
    pub connectors: Connectors,
    pub clock: Arc<dyn Clock>,
    /// Where nothing is to be written: what would be, goes here.
    pub rehearsal: Option<Arc<super::dry::Rehearsal>>,
    /// By flow: paths to fetch beside those that the mapping reads.
    pub also: Arc<Vec<Vec<Vec<String>>>>,
    /// By connection: exchanges are masked here, beside the engine's own work.
    pub masks: Arc<BTreeMap<String, Mask>>,
}

impl Carrier {
    fn source(&self, flow: usize) -> Source<'_> {
        Source {
            plan: &self.plan,
            flow: &self.plan.mapping.flows[flow],
            reads: &self.plan.flows[flow],
            also: self.also.get(flow).map_or(&[], Vec::as_slice),
        }
    }

    /// Carries out an effect; whatever happens, there is a reply.
    pub async fn carry(&self, effect: Effect) -> Reply {
        let call = Call::default();
        let got = self.ask(&call, &effect).await;
        let writes = matches!(effect.ask, Ask::Send { .. });
        let mask = self.masks.get(&effect.connection);
        let exchanges = call.exchanges().into_iter().filter_map(|exchange| Some(mask?.exchange(exchange, writes))).collect();
        Reply { id: effect.id, exchanges, got }
    }

    async fn ask(&self, call: &Call, effect: &Effect) -> Got {
        let Some(connector) = self.connectors.get(&effect.connection) else {
            return Got::Sent(Err(Fault::rejected("connection", format!("there is no connection `{}`", effect.connection), None)));
        };
        match &effect.ask {
            Ask::Changes { flow, stream, cursor, begins, overlap, since } => {
                let ask = Changes {
                    source: self.source(*flow),
                    stream,
                    cursor: cursor.as_deref(),
                    begins: *begins,
                    overlap: *overlap,
                    since: *since,
                    now: self.clock.now(),
                };
                Got::Page(connector.changes(call, &ask).await)
            }
            Ask::Get { flow, ids } => Got::Records(connector.get(call, &self.source(*flow), ids).await),
            Ask::Follow { flow, hint } => Got::Page(connector.follow(call, &self.source(*flow), hint).await),
            Ask::Find { object, field, values, fields } => {
                Got::Found(connector.find(call, &Find { plan: &self.plan, object, field, values, fields }).await)
            }
            Ask::Send { object, op, key_field, items, riders } => {
                if let Some(rehearsal) = &self.rehearsal {
                    let schema = self.plan.objects.get(&object.to_string());
                    let batch = schema.and_then(|schema| connector.write(schema, *op, key_field.as_deref())).map_or(1, |write| write.batch);
                    rehearsal.count(items.len().div_ceil(batch.max(1)));
                    let mut receipts = rehearsal.note(call, &self.plan, &**connector, object, *op, key_field.as_deref(), items).await;
                    if let Some(riders) = riders {
                        let (object, op, key_field) = (&riders.object, riders.op, riders.key_field.as_deref());
                        let items: Vec<Item> = riders.items.iter().map(|rider| with_id(rider, &receipts)).collect();
                        receipts.extend(rehearsal.note(call, &self.plan, &**connector, object, op, key_field, &items).await);
                    }
                    return Got::Sent(Ok(receipts));
                }
                let key_field = key_field.as_deref();
                let batch = Batch { plan: &self.plan, object, op: *op, key_field, items, riders: riders.as_ref(), now: self.clock.now() };
                Got::Sent(connector.send(call, &batch).await)
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
