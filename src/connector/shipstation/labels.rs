//! What ships an order: a label that is bought, or word that it was shipped elsewhere. Neither has a
//! key, and either done twice costs money or confuses a customer, so what was done is looked for in
//! shipments and fulfillments of the order.

use super::ShipStation;
use super::orders::{field, passing};
use super::wire::{is_id, text};
use crate::connector::{Done, Found, LookupRequest, Receipt, WriteRequest};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

/// Documents in an answer: they show names and addresses, and are worth money.
const DOCUMENTS: [&str; 2] = ["labelData", "formData"];

impl ShipStation {
    pub(super) async fn write_labels(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let path = if batch.object.object == "Label" { "/orders/createlabelfororder" } else { "/orders/markasshipped" };
        let mut receipts = Vec::new();
        for item in batch.items {
            let outcome = self.wire.post(call, path, &item.body, 1).await.map_err(eased).and_then(|answer| match batch.object.object.as_str() {
                "Label" => label(&item.body, answer),
                _ => marked(&item.body, &answer),
            });
            match outcome {
                // Of the only item, a fault is the call's.
                Err(fault) if batch.items.len() == 1 => return Err(fault),
                outcome => receipts.push(Receipt { outcome }),
            }
        }
        Ok(receipts)
    }

    /// Labels of an order that still count: not voided, and not for a return.
    pub(super) async fn find_labels(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        self.by_order(ask)?;
        let mut found = Vec::new();
        for value in ask.values.iter().filter(|value| is_id(value)) {
            let records = self.search(call, false, "orderId", value).await?;
            found.extend(records.into_iter().filter(counts).map(|record| Found { value: value.clone(), record: bare(record) }));
        }
        Ok(found)
    }

    /// Whether an order was marked as shipped: a fulfillment says so, or its status does where no label explains it.
    pub(super) async fn find_marked(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        self.by_order(ask)?;
        let mut found = Vec::new();
        for value in ask.values.iter().filter(|value| is_id(value)) {
            let records = self.search_fulfillments(call, "orderId", value).await?;
            let before = found.len();
            found.extend(records.into_iter().filter(counts).map(|record| Found { value: value.clone(), record: super::orders::tidy(record) }));
            if found.len() > before {
                continue;
            }
            let Some(order) = self.order(call, value).await?.filter(|order| text(order, "orderStatus").as_deref() == Some("shipped")) else {
                continue;
            };
            if !self.search(call, false, "orderId", value).await?.iter().any(counts) {
                let kept = ["orderId", "orderNumber", "carrierCode", "shipDate"];
                let record = kept.iter().filter_map(|name| Some(((*name).to_owned(), order.get(*name)?.clone()))).collect();
                found.push(Found { value: value.clone(), record: super::orders::tidy(Json::Object(record)) });
            }
        }
        Ok(found)
    }

    fn by_order(&self, ask: &LookupRequest<'_>) -> Result<(), Fault> {
        match field(ask)? {
            "orderId" => Ok(()),
            other => Err(Fault::rejected("find", format!("{} is found by `orderId`, not by `{other}`", ask.object), Some(other.to_owned()))),
        }
    }
}

fn counts(record: &Json) -> bool {
    record.get("voided") != Some(&Json::Bool(true)) && record.get("isReturnLabel") != Some(&Json::Bool(true))
}

/// A refusal that speaks of a time-out may hide a label that the carrier has made: it is looked for before it is asked for again.
fn eased(fault: Fault) -> Fault {
    match fault {
        Fault::Rejected(refusal) if passing(&refusal.message) => Fault::ambiguous(refusal.message),
        other => other,
    }
}

fn bare(mut record: Json) -> Json {
    if let Json::Object(fields) = &mut record {
        fields.retain(|name, _| !DOCUMENTS.contains(&name.as_str()));
    }
    record
}

/// The label that was made. An answer that names none says nothing of whether there is one.
fn label(asked: &Json, answer: Json) -> Result<Done, Fault> {
    let mut record = bare(answer);
    if let (Json::Object(fields), Some(order)) = (&mut record, asked.get("orderId")) {
        fields.entry("orderId").or_insert_with(|| order.clone());
    }
    let id = text(&record, "shipmentId").ok_or_else(|| Fault::ambiguous("the answer names no label"))?;
    Ok(Done { id: Some(id), created: Some(true), record })
}

fn marked(asked: &Json, answer: &Json) -> Result<Done, Fault> {
    if text(answer, "orderId") != text(asked, "orderId") {
        return Err(Fault::ambiguous("the answer does not name the order"));
    }
    let mut record = serde_json::Map::new();
    for (name, from) in [("orderId", asked), ("orderNumber", answer), ("carrierCode", asked), ("trackingNumber", asked), ("shipDate", asked)] {
        if let Some(value) = from.get(name) {
            record.insert(name.to_owned(), value.clone());
        }
    }
    // V1 does not give the fulfillment's number.
    Ok(Done { id: text(asked, "orderId"), created: Some(true), record: Json::Object(record) })
}
