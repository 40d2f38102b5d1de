//! ShipStation, API V1: orders, what was shipped, and the account's stores, warehouses and carriers.
//!
//! `README.md` in this folder says what can be read and written and what cannot, and where each is
//! known from.

mod auth;
mod labels;
mod lists;
mod merge;
mod names;
mod orders;
mod pages;
mod shipments;
#[cfg(test)]
mod tests;
mod time;
mod webhook;
mod wire;

pub use merge::merge;
use shipments::Wants;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::connector::registry::{Settings, Unusable};
use crate::connector::{
    Change, Connector, Found, Hint, LookupRequest, Operation, Page, ReadRequest, Reading, Receipt, Selection, Stream, WebhookRefusal, WebhookReply,
    WebhookRequest, Write, WriteRequest, holds,
};
use crate::fault::Fault;
use crate::http::{Call, Client, Clock, Limit, Transport};
use crate::schema::{Named, standard};
use crate::value::{Json, ObjectRef};

/// The system's name in `crossdock.yaml`.
pub(super) const SYSTEM: &str = "shipstation";

/// # Errors
/// As [`ShipStation::new`].
pub(super) fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    Ok(Arc::new(ShipStation::new(settings, transport, clock)?))
}

/// How long what was committed may take to show in a list. V1 says nothing of it.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The stages of an order that follow on each other by themselves.
const STAGES: [&str; 3] = ["awaiting_payment", "awaiting_shipment", "shipped"];

/// What a write to one of the standard objects is held to.
fn writes(object: &str, operation: Operation, key_field: Option<&str>) -> Option<Write> {
    Write::of(&standard::object(SYSTEM, object, "")?.ok()?, operation, key_field)
}

/// A ShipStation account.
pub struct ShipStation {
    wire: wire::Wire,
    pacific: time::Pacific,
    /// The keys of all orders, as they were gone through a moment ago.
    keys: std::sync::Mutex<Option<orders::Keys>>,
    /// When the newest stamps of lists were first read.
    heard: pages::Heard,
}

impl ShipStation {
    /// Settings: `api_key`, `api_secret`; optional `url`, `partner`, `webhook_hosts` (see `README.md`).
    ///
    /// # Errors
    /// A setting is missing or cannot be used.
    pub fn new(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let account = auth::Account::new(settings)?;
        let pacific = time::Pacific::new().map_err(|error| Unusable {
            connection: settings.name.clone(),
            message: format!("needs the time of Los Angeles, which is not known here: {error}"),
            hint: "build the program with its own zone tables".to_owned(),
        })?;
        let client = Client::new(transport, clock, Arc::new(settings.limit()));
        Ok(ShipStation { wire: wire::Wire { client, account }, pacific, keys: std::sync::Mutex::new(None), heard: pages::Heard::default() })
    }
}

#[async_trait]
impl Connector for ShipStation {
    fn system(&self) -> &'static str {
        SYSTEM
    }

    fn limit(&self) -> &Limit {
        self.wire.client.limit()
    }

    fn streams(&self, of: &Selection<'_>) -> Vec<Stream> {
        let stream = |name: &str, only_later| Stream { name: name.to_owned(), overlap: OVERLAP, only_later };
        match of.object.object.as_str() {
            "Order" => vec![stream("orders", false)],
            "Shipment" => vec![stream("shipments", false), stream("fulfillments", false), stream("voids", true)],
            "Fulfillment" => vec![stream("fulfillments", false)],
            object => lists::stream(object).map(|name| stream(name, false)).into_iter().collect(),
        }
    }

    async fn changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let object = ask.selection.object.object.as_str();
        let list = match object {
            "Shipment" => return self.shipment_changes(call, ask).await,
            "Order" => orders::list(),
            "Fulfillment" => shipments::fulfillments(lists::PAGE),
            _ => match lists::book(object) {
                Some(book) => book.each_time(),
                None => {
                    let records = self.all(call, object).await?;
                    let changes = records.into_iter().map(|record| self.change(object, record)).collect::<Result<_, _>>()?;
                    // Read whole each time: there is no place to go on from.
                    return Ok(Page { changes, cursor: Some("{}".to_owned()), more: false });
                }
            },
        };
        let polled = self.poll(call, ask, &list).await?;
        let changes = polled.records.into_iter().map(|record| self.change(object, record)).collect::<Result<_, _>>()?;
        Ok(Page { changes, cursor: Some(polled.cursor), more: polled.more })
    }

    async fn fetch_by_id(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let object = of.object.object.as_str();
        let mut found = Vec::new();
        match object {
            "Shipment" => return self.get_shipments(call, of, ids).await,
            "Order" => {
                for id in ids {
                    found.extend(self.order(call, id).await?);
                }
            }
            "Fulfillment" => {
                for id in ids {
                    found.extend(self.fulfillment(call, id).await?);
                }
            }
            _ => return self.get_listed(call, object, ids).await,
        }
        found.into_iter().map(|record| self.change(object, record)).collect()
    }

    fn form(&self, of: &Selection<'_>) -> Option<String> {
        Some(match of.object.object.as_str() {
            "Shipment" => format!("{:?}", Wants::of(of)),
            _ => String::new(),
        })
    }

    fn fetch_batch(&self, of: &Selection<'_>) -> usize {
        match of.object.object.as_str() {
            // Whatever the number, a list is gone through once.
            "Shipment" => 20,
            "Carrier" | "Service" | "Package" | "Tag" => 1000,
            _ => 1,
        }
    }

    fn read_cost(&self, of: &Selection<'_>) -> Reading {
        match of.object.object.as_str() {
            "Shipment" => Wants::of(of).reading(),
            _ => Reading { page: lists::PAGE, each: 0 },
        }
    }

    async fn lookup(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        match ask.object.object.as_str() {
            "Order" => self.find_orders(call, ask).await,
            "Shipment" => self.find_shipments(call, ask).await,
            "Fulfillment" => self.find_fulfillments(call, ask).await,
            "Label" => self.find_labels(call, ask).await,
            "ExternalShipment" => self.find_marked(call, ask).await,
            object if lists::stream(object).is_some() => self.find_listed(call, ask).await,
            object => Err(lists::unreadable(object)),
        }
    }

    fn lookup_batch(&self, object: &ObjectRef, field: &[String]) -> usize {
        let field = field.first().map_or("", String::as_str);
        match (object.object.as_str(), field) {
            ("Order", "orderId" | "orderNumber") | ("Product", "sku") => 1,
            ("Shipment" | "Fulfillment" | "Label" | "ExternalShipment", _) => 1,
            // A list is gone through once, whatever the number.
            _ => 1000,
        }
    }

    fn companion(&self, object: &ObjectRef, field: &[String]) -> Option<&'static str> {
        orders::companion(&object.object, field)
    }

    fn lookup_groups(&self, object: &ObjectRef, field: &[String], values: &[String], companions: &[Option<String>]) -> Vec<Vec<usize>> {
        if orders::companion(&object.object, field).is_some() && companions.len() == values.len() {
            return orders::neighbors(companions).into_iter().map(|together| together.places).collect();
        }
        let places: Vec<usize> = (0..values.len()).collect();
        places.chunks(self.lookup_batch(object, field).max(1)).map(<[usize]>::to_vec).collect()
    }

    async fn send(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let object = batch.object.object.as_str();
        let described = batch.schema();
        let write = match described {
            Some(described) => self.write(described, batch.operation, batch.key_field),
            None => writes(object, batch.operation, batch.key_field),
        };
        let Some(write) = write else {
            return Err(Fault::rejected("object", format!("V1 takes no such write of {object}"), None));
        };
        if batch.items.is_empty() {
            return Ok(Vec::new());
        }
        if batch.items.len() > write.batch {
            let message = format!("{} takes {} at once, and {} were to be sent", write.call, write.batch, batch.items.len());
            return Err(Fault::BatchRefused(crate::fault::Refusal { code: "batch".to_owned(), message, field: None, partly: false }));
        }
        match object {
            "Order" => self.write_orders(call, batch).await,
            _ => self.write_labels(call, batch).await,
        }
    }

    fn webhook(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        request.posted()?;
        Ok(WebhookReply::Hints(vec![webhook::hint(&self.wire.account, request.body)?]))
    }

    async fn resolve_webhook(&self, call: &Call, of: &Selection<'_>, hint: &Hint) -> Result<Page, Fault> {
        self.follow_hint(call, of, hint).await
    }

    async fn reference_data(&self, call: &Call, kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        self.named(call, kinds).await
    }

    async fn describe(&self, _call: &Call, _object: &str) -> Result<Option<Json>, Fault> {
        // V1 has no description of itself.
        Ok(None)
    }

    async fn check_connection(&self, call: &Call) -> Result<String, Fault> {
        let stores = self.all(call, "Store").await?;
        let host = self.wire.account.url.host_str().unwrap_or_default();
        Ok(format!("ShipStation V1 at {host}: {} {}", stores.len(), if stores.len() == 1 { "store" } else { "stores" }))
    }

    fn repeat_adds(&self, object: &ObjectRef, body: &Json) -> bool {
        object.object == "Order" && merge::adds_lines(body)
    }

    fn merge(&self, object: &ObjectRef, target: &Json, changes: &Json) -> Json {
        if object.object == "Order" { merge::merge(target, changes) } else { changes.clone() }
    }

    fn holds(&self, object: &ObjectRef, path: &str, held: Option<&Json>, sent: &Json) -> bool {
        let stage = |value: Option<&Json>| value.and_then(Json::as_str).and_then(|status| STAGES.iter().position(|known| *known == status));
        let went_on = || matches!((stage(held), stage(Some(sent))), (Some(held), Some(sent)) if held >= sent);
        let time = || {
            // A time with an offset, and what a clock in Los Angeles shows.
            let sent = sent.as_str()?.parse::<jiff::Timestamp>().ok()?;
            let held = time::Pacific::read(held?.as_str()?)?;
            Some(self.pacific.local(sent) == held)
        };
        let declared = || held.is_some_and(|held| holds::same(Some(&merge::declared(held)), &merge::declared(sent)));
        let order = || (path == "orderStatus" && went_on()) || (path == "internationalOptions.customsItems" && declared()) || time() == Some(true);
        holds::same(held, sent) || (object.object == "Order" && order())
    }

    async fn present(&self, call: &Call, ask: &LookupRequest<'_>, bodies: &[Json]) -> Result<Vec<Found>, Fault> {
        match (ask.object.object.as_str(), ask.field) {
            ("Order", [field]) if field == "orderKey" => self.present_orders(call, ask, bodies).await,
            _ => self.lookup(call, ask).await,
        }
    }

    fn present_batch(&self, object: &ObjectRef, field: &[String]) -> usize {
        match (object.object.as_str(), field) {
            ("Order", [field]) if field == "orderKey" => orders::KEYS,
            _ => self.lookup_batch(object, field),
        }
    }
}
