//! Writing in collections: up to 200 records a call, each with its own result.

use super::{Salesforce, wire};
use crate::connector::{Done, Item, Operation, Receipt, WriteRequest};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

impl Salesforce {
    pub(super) async fn in_collections(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let mut receipts = Vec::with_capacity(batch.items.len());
        for items in batch.items.chunks(super::COLLECTION) {
            match self.collection(call, batch, items).await {
                Ok(part) => receipts.extend(part),
                Err(fault) if receipts.is_empty() && items.len() == batch.items.len() => return Err(fault),
                // A later call of a long batch: its items alone are told.
                Err(fault) => receipts.extend(items.iter().map(|_| Receipt { outcome: Err(fault.clone()) })),
            }
        }
        Ok(receipts)
    }

    async fn collection(&self, call: &Call, batch: &WriteRequest<'_>, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let (method, path) = resource(batch);
        let body = collected(items.iter().map(|item| record(batch, item)));
        let response = self.send(call, method, &self.data(&path), "application/json", body.to_string().into_bytes()).await?;
        let response = self.accepted(response, wire::Kind::Write)?;
        let answer: Json = serde_json::from_slice(response.body()).map_err(|_| Fault::ambiguous("the answer is no JSON"))?;
        results(batch, &answer, items.iter())
    }
}

/// The collections resource that a batch goes to.
pub(super) fn resource(batch: &WriteRequest<'_>) -> (http::Method, String) {
    match (batch.operation, native(batch)) {
        (Operation::Update, _) => (http::Method::PATCH, "composite/sobjects".to_owned()),
        (_, Some(field)) => (http::Method::PATCH, format!("composite/sobjects/{}/{field}", batch.object.object)),
        (_, None) => (http::Method::POST, "composite/sobjects".to_owned()),
    }
}

/// The body of a call of the collections resource: each record has its own result.
pub(super) fn collected(records: impl Iterator<Item = Json>) -> Json {
    serde_json::json!({"allOrNone": false, "records": records.collect::<Vec<Json>>()})
}

/// What the collections resource says of each record.
pub(super) fn results<'i>(batch: &WriteRequest<'_>, answer: &Json, items: impl ExactSizeIterator<Item = &'i Item>) -> Result<Vec<Receipt>, Fault> {
    let Json::Array(results) = answer else { return Err(Fault::ambiguous("the answer is no list of results")) };
    // Results are in the order of the records. A list of another length says of none which it means.
    if results.len() != items.len() {
        return Err(Fault::ambiguous(format!("{} records were sent and {} results came", items.len(), results.len())));
    }
    Ok(results.iter().zip(items).map(|(result, item)| Receipt { outcome: outcome(batch, result, item) }).collect())
}

/// The field by which Salesforce itself keeps a record to one, if the write's key is in such a field.
pub(super) fn native<'b>(batch: &WriteRequest<'b>) -> Option<&'b str> {
    let object = batch.schema()?;
    batch.key_field.filter(|field| batch.operation != Operation::Update && object.keys.iter().any(|key| key == field))
}

pub(super) fn record(batch: &WriteRequest<'_>, item: &Item) -> Json {
    let mut fields = serde_json::Map::new();
    fields.insert("attributes".to_owned(), serde_json::json!({"type": batch.object.object}));
    if let (Operation::Update, Some(id)) = (batch.operation, &item.id) {
        fields.insert("Id".to_owned(), Json::String(id.clone()));
    }
    if let Json::Object(body) = &item.body {
        fields.extend(body.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if let (true, Some(field), Some(key)) = (batch.operation != Operation::Update, batch.key_field, &item.key) {
        fields.insert(field.to_owned(), Json::String(key.clone()));
    }
    Json::Object(fields)
}

fn outcome(batch: &WriteRequest<'_>, result: &Json, item: &Item) -> Result<Done, Fault> {
    match result.get("success").and_then(Json::as_bool) {
        Some(true) => {
            let id = result.get("id").and_then(Json::as_str).map(str::to_owned).or_else(|| item.id.clone());
            let created = result.get("created").and_then(Json::as_bool).or(match batch.operation {
                Operation::Create => Some(true),
                Operation::Update => Some(false),
                Operation::Upsert => None,
            });
            Ok(Done { record: done(item, id.as_deref()), id, created })
        }
        Some(false) => {
            let error = result.get("errors").and_then(Json::as_array).and_then(|errors| errors.first()).cloned().unwrap_or_default();
            Err(wire::row(&error))
        }
        None => Err(Fault::ambiguous("a result does not say whether it succeeded")),
    }
}

/// What later writes may read of it: what was sent, with its id.
pub(super) fn done(item: &Item, id: Option<&str>) -> Json {
    let mut record = item.body.as_object().cloned().unwrap_or_default();
    if let Some(id) = id {
        record.insert("Id".to_owned(), Json::String(id.to_owned()));
    }
    Json::Object(record)
}
