//! Shipments and fulfillments: what was shipped by a label of ShipStation, and what was marked as shipped.
//!
//! V1 keeps them apart, and a mapping that reads `Shipment` wants both, so a fulfillment is also
//! given as a shipment, as far as its fields correspond.

use std::collections::{BTreeMap, BTreeSet};

use super::ShipStation;
use super::lists::{FULFILLMENTS, PAGE, SHIPMENTS};
use super::orders::{field, tidy};
use super::pages::List;
use super::wire::{is_id, text};
use crate::connector::{Change, Found, LookupRequest, Page, ReadRequest, Reading, Selection, State};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

/// Marks the id of a fulfillment among those of shipments: V1 numbers each on its own.
const FULFILLMENT: &str = "fulfillment-";
/// Records on a page where the orders of each are fetched: with them a page takes most of a minute's calls.
const PAGE_WITH_ORDERS: usize = 25;

/// What a flow wants of a shipment that costs more calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wants {
    items: bool,
    /// `customerEmail`, `orderTotal`: of the order.
    order: bool,
    /// `orders`: the order and those that were merged into it.
    orders: bool,
    /// `orderKey`: a fulfillment has none of its own.
    key: bool,
}

impl Wants {
    pub(super) fn of(of: &Selection<'_>) -> Self {
        Self::paths(of.projection.iter().copied())
    }

    fn paths<'p>(paths: impl Iterator<Item = &'p [String]>) -> Self {
        let mut wants = Wants::default();
        for path in paths {
            match path.first().map(String::as_str) {
                Some("shipmentItems") => wants.items = true,
                Some("customerEmail" | "orderTotal") => wants.order = true,
                Some("orders") => wants.orders = true,
                Some("orderKey") => wants.key = true,
                Some(_) => {}
                None => wants = Wants { items: true, order: true, orders: true, key: true },
            }
        }
        wants
    }

    fn size(self, fulfillments: bool) -> usize {
        if self.order || self.orders || (self.key && fulfillments) { PAGE_WITH_ORDERS } else { PAGE }
    }

    /// What reading costs: an order's call for each shipment, where the mapping reads of the order.
    pub(super) fn reading(self) -> Reading {
        Reading { page: self.size(false), each: usize::from(self.order || self.orders) }
    }

    pub(super) fn items(self) -> bool {
        self.items
    }

    fn query(self) -> Vec<(&'static str, String)> {
        if self.items { vec![("includeShipmentItems", "true".to_owned())] } else { Vec::new() }
    }
}

pub(super) fn fulfillments(size: usize) -> List {
    List {
        path: "/fulfillments",
        key: "fulfillments",
        stamp: "createDate",
        start: "createDateStart",
        end: "createDateEnd",
        sort: Some("CreateDate"),
        by_stamp: true,
        more: Vec::new(),
        size,
    }
}

impl ShipStation {
    /// A page of one of the streams of `Shipment`.
    pub(super) async fn shipment_changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let wants = Wants::of(ask.selection);
        let shipments = |stamp, start, end, by_stamp, size| List {
            path: "/shipments",
            key: "shipments",
            stamp,
            start,
            end,
            sort: Some("CreateDate"),
            by_stamp,
            more: wants.query(),
            size,
        };
        let list = match ask.stream {
            "shipments" => shipments("createDate", "createDateStart", "createDateEnd", true, wants.size(false)),
            "voids" => List { more: Vec::new(), ..shipments("voidDate", "voidDateStart", "voidDateEnd", false, PAGE) },
            "fulfillments" => fulfillments(wants.size(true)),
            other => return Err(Fault::rejected("stream", format!("shipments have no stream `{other}`"), None)),
        };
        let polled = self.poll(call, ask, &list).await?;
        let changes = match ask.stream {
            "voids" => polled.records.iter().map(|record| self.void(record)).collect::<Result<_, _>>()?,
            "fulfillments" => self.read_fulfillments(call, polled.records, wants).await?,
            _ => self.read_shipments(call, polled.records, wants).await?,
        };
        Ok(Page { changes, cursor: Some(polled.cursor), more: polled.more })
    }

    /// A voided shipment is gone for the flow, at the moment of its void.
    fn void(&self, record: &Json) -> Result<Change, Fault> {
        let id = text(record, "shipmentId").ok_or_else(|| Fault::transient("V1 gave a Shipment without an id"))?;
        let stamp = record.get("voidDate").and_then(Json::as_str).and_then(|text| self.pacific.stamp(text));
        Ok(Change { id, stamp, state: State::Gone })
    }

    pub(super) async fn read_shipments(&self, call: &Call, records: Vec<Json>, wants: Wants) -> Result<Vec<Change>, Fault> {
        let mut known = BTreeMap::new();
        let mut changes = Vec::new();
        for record in records {
            let record = self.filled(call, shipment(record), wants, &mut known).await?;
            changes.push(self.change("Shipment", record)?);
        }
        Ok(changes)
    }

    pub(super) async fn read_fulfillments(&self, call: &Call, records: Vec<Json>, wants: Wants) -> Result<Vec<Change>, Fault> {
        let mut known = BTreeMap::new();
        let mut changes = Vec::new();
        for record in records {
            let id = text(&record, "fulfillmentId").ok_or_else(|| Fault::transient("V1 gave a Fulfillment without an id"))?;
            let record = self.filled(call, as_shipment(&record), wants, &mut known).await?;
            changes.push(Change { id: format!("{FULFILLMENT}{id}"), ..self.change("Shipment", record)? });
        }
        Ok(changes)
    }

    /// Fills in what the lists lack and the flow reads. What V1 does not give stays absent.
    async fn filled(&self, call: &Call, mut record: Json, wants: Wants, known: &mut BTreeMap<String, Option<Json>>) -> Result<Json, Fault> {
        let lacks = |field: &str| record.get(field).is_none_or(Json::is_null);
        let order = wants.order && (lacks("customerEmail") || lacks("orderTotal"));
        let orders = wants.orders && lacks("orders");
        let key = wants.key && lacks("orderKey");
        let Some(id) = text(&record, "orderId").filter(|_| order || orders || key) else { return Ok(record) };
        let Some(of) = self.known_order(call, &id, known).await? else { return Ok(record) };
        for (wanted, field) in [(order, "customerEmail"), (order, "orderTotal"), (key, "orderKey")] {
            if let (true, Some(value)) = (wanted && record.get(field).is_none_or(Json::is_null), of.get(field)) {
                record[field] = value.clone();
            }
        }
        if orders {
            let merged = of.pointer("/advancedOptions/mergedIds").and_then(Json::as_array).cloned().unwrap_or_default();
            let mut all = vec![of];
            for other in merged.iter().map(|other| other.as_str().map_or_else(|| other.to_string(), str::to_owned)) {
                if other != id {
                    all.extend(self.known_order(call, &other, known).await?);
                }
            }
            record["orders"] = Json::Array(all);
        }
        Ok(record)
    }

    async fn known_order(&self, call: &Call, id: &str, known: &mut BTreeMap<String, Option<Json>>) -> Result<Option<Json>, Fault> {
        if let Some(order) = known.get(id) {
            return Ok(order.clone());
        }
        let order = self.order(call, id).await?.map(tidy);
        known.insert(id.to_owned(), order.clone());
        Ok(order)
    }

    /// V1 has no call for one shipment, so its list is gone through, newest first; it has one for a fulfillment.
    pub(super) async fn get_shipments(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let wants = Wants::of(of);
        let wanted: BTreeSet<&String> = ids.iter().filter(|id| is_id(id)).collect();
        let mut changes = Vec::new();
        if !wanted.is_empty() {
            let found = self.scan(call, &SHIPMENTS, "shipmentId", &wanted, true).await?;
            let mut records = Vec::new();
            for (id, record) in found {
                // The list was gone through without items; those of one order are few.
                let again = match text(&record, "orderId").filter(|_| wants.items) {
                    Some(order) => {
                        self.search(call, true, "orderId", &order).await?.into_iter().find(|other| text(other, "shipmentId").as_ref() == Some(&id))
                    }
                    None => None,
                };
                records.push(again.unwrap_or(record));
            }
            changes = self.read_shipments(call, records, wants).await?;
        }
        for id in ids.iter().filter_map(|id| id.strip_prefix(FULFILLMENT)) {
            let record = self.fulfillment(call, id).await?;
            changes.extend(self.read_fulfillments(call, record.into_iter().collect(), wants).await?);
        }
        Ok(changes)
    }

    pub(super) async fn fulfillment(&self, call: &Call, id: &str) -> Result<Option<Json>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        let found = self.whole(call, &FULFILLMENTS, &[("fulfillmentId", id.to_owned())]).await?;
        Ok(found.into_iter().find(|record| text(record, "fulfillmentId").as_deref() == Some(id)))
    }

    /// Shipments with a field that equals a value exactly.
    pub(super) async fn search(&self, call: &Call, items: bool, field: &'static str, value: &str) -> Result<Vec<Json>, Fault> {
        let mut query = vec![(field, value.to_owned())];
        query.extend(Wants { items, ..Wants::default() }.query());
        let found = self.whole(call, &SHIPMENTS, &query).await?;
        Ok(found.into_iter().filter(|record| text(record, field).as_deref() == Some(value)).collect())
    }

    pub(super) async fn search_fulfillments(&self, call: &Call, field: &'static str, value: &str) -> Result<Vec<Json>, Fault> {
        let found = self.whole(call, &FULFILLMENTS, &[(field, value.to_owned())]).await?;
        Ok(found.into_iter().filter(|record| text(record, field).as_deref() == Some(value)).collect())
    }

    pub(super) async fn find_shipments(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let by = searchable(ask)?;
        let wants = Wants::paths(ask.projection.iter().map(Vec::as_slice));
        let mut found = Vec::new();
        for value in ask.values.iter().filter(|value| by != "orderId" || is_id(value)) {
            let mut shipments = self.search(call, wants.items || ask.projection.is_empty(), by, value).await?;
            // Whoever asks what an order was shipped by means the labels that still count, where there are some.
            if by == "orderId" && !shipments.iter().all(is_voided) {
                shipments.retain(|shipment| !is_voided(shipment));
            }
            let fulfillments = self.search_fulfillments(call, by, value).await?;
            let mut changes = self.read_shipments(call, shipments, wants).await?;
            changes.extend(self.read_fulfillments(call, fulfillments, wants).await?);
            found.extend(changes.into_iter().filter_map(|change| match change.state {
                State::Upserted(record) => Some(Found { value: value.clone(), record: record.json().clone() }),
                _ => None,
            }));
        }
        Ok(found)
    }

    pub(super) async fn find_fulfillments(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let by = match field(ask)? {
            "fulfillmentId" => "fulfillmentId",
            _ => searchable(ask)?,
        };
        let mut found = Vec::new();
        for value in ask.values.iter().filter(|value| !by.ends_with("Id") || is_id(value)) {
            let records = self.search_fulfillments(call, by, value).await?;
            found.extend(records.into_iter().map(|record| Found { value: value.clone(), record: tidy(record) }));
        }
        Ok(found)
    }
}

fn is_voided(shipment: &Json) -> bool {
    shipment.get("voided") == Some(&Json::Bool(true))
}

/// The fields that V1 searches shipments and fulfillments by.
fn searchable(ask: &LookupRequest<'_>) -> Result<&'static str, Fault> {
    Ok(match field(ask)? {
        "orderId" => "orderId",
        "orderNumber" => "orderNumber",
        "trackingNumber" => "trackingNumber",
        other => return Err(Fault::rejected("find", format!("V1 cannot search {} by `{other}`", ask.object), Some(other.to_owned()))),
    })
}

/// A shipment with its status, which V1 does not give: it has no tracking events.
fn shipment(mut record: Json) -> Json {
    let voided = record.get("voided") == Some(&Json::Bool(true));
    record["status"] = Json::from(if voided { "voided" } else { "shipped" });
    record
}

/// A fulfillment as a shipment. Its number is given below zero, where no shipment's is.
fn as_shipment(record: &Json) -> Json {
    let mut out = serde_json::Map::new();
    if let Some(number) = record.get("fulfillmentId").and_then(Json::as_i64) {
        out.insert("shipmentId".to_owned(), Json::from(-number));
    }
    let same = [
        "orderId",
        "userId",
        "orderNumber",
        "customerEmail",
        "createDate",
        "shipDate",
        "trackingNumber",
        "carrierCode",
        "voided",
        "voidDate",
        "marketplaceNotified",
        "notifyErrorMessage",
        "shipTo",
    ];
    for (from, to) in same.iter().map(|name| (*name, *name)).chain([("fulfillmentServiceCode", "serviceCode")]) {
        if let Some(value) = record.get(from) {
            out.insert(to.to_owned(), value.clone());
        }
    }
    let status = if record.get("voided") == Some(&Json::Bool(true)) {
        "voided"
    } else if record.get("deliveryDate").is_some_and(Json::is_string) {
        "delivered"
    } else {
        "shipped"
    };
    out.insert("status".to_owned(), Json::from(status));
    Json::Object(out)
}
