//! Writes that take the ids of others' records, in one call: the composite resource with two collections, of which
//! the second refers to the results of the first.
//!
//! <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm>:
//! the whole counts as one call; what depends on a subrequest that failed is not executed, and a reference to the
//! id of a record that was not made fails the subrequest that it stands in.

use super::{Salesforce, wire, write};
use crate::connector::{Item, Receipt, Rider, Riders, WriteRequest};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

/// What the first collection is referred to by.
const MADE: &str = "made";

impl Salesforce {
    pub(super) async fn with_riders(&self, call: &Call, batch: &WriteRequest<'_>, riders: &Riders) -> Result<Vec<Receipt>, Fault> {
        let fits = batch.items.len() <= super::COLLECTION && riders.items.len() <= super::COLLECTION;
        let items = || batch.items.iter().chain(riders.items.iter().map(|rider| &rider.item));
        // In a composite request any text with `@{` is taken for a reference.
        if !fits || items().any(|item| refers(&item.body) || item.key.as_ref().is_some_and(|key| key.contains("@{"))) {
            let mut receipts = self.in_collections(call, &WriteRequest { riders: None, ..*batch }).await?;
            receipts.extend(riders.items.iter().map(|_| not_done("it cannot go in the call of what it belongs to")));
            return Ok(receipts);
        }
        let following = WriteRequest {
            object: &riders.object,
            operation: riders.operation,
            key_field: riders.key_field.as_deref(),
            items: &[],
            riders: None,
            schemas: batch.schemas,
            now: batch.now,
        };
        let part = |batch: &WriteRequest<'_>, name: &str, records: Json| {
            let (method, path) = write::resource(batch);
            serde_json::json!({"method": method.as_str(), "url": self.data(&path), "referenceId": name, "body": records})
        };
        let first = part(batch, MADE, write::collected(batch.items.iter().map(|item| write::record(batch, item))));
        let second = part(&following, "riders", write::collected(riders.items.iter().map(|rider| referring(&following, rider))));
        let body = serde_json::json!({"allOrNone": false, "collateSubrequests": false, "compositeRequest": [first, second]});
        let path = self.data("composite");
        let response = self.send(call, http::Method::POST, &path, "application/json", body.to_string().into_bytes()).await?;
        let response = self.accepted(response, wire::Kind::Write)?;
        let answer: Json = serde_json::from_slice(response.body()).map_err(|_| Fault::ambiguous("the answer is no JSON"))?;
        let parts = answer.get("compositeResponse").and_then(Json::as_array).map(Vec::as_slice);
        let Some([first, second]) = parts else { return Err(Fault::ambiguous("the answer has not two parts")) };
        let mut receipts = write::results(batch, &told(first)?, batch.items.iter())?;
        let rode: Vec<&Item> = riders.items.iter().map(|rider| &rider.item).collect();
        receipts.extend(match told(second).and_then(|second| write::results(&following, &second, rode.iter().copied())) {
            Ok(receipts) => receipts,
            Err(fault @ Fault::Ambiguous { .. }) => rode.iter().map(|_| Receipt { outcome: Err(fault.clone()) }).collect(),
            // One reference of it leads nowhere, or it was refused as a whole: none of it was carried out.
            Err(fault) => rode.iter().map(|_| not_done(&fault.to_string())).collect(),
        });
        Ok(receipts)
    }
}

/// The body of a subrequest's answer, or the fault that it means.
fn told(part: &Json) -> Result<Json, Fault> {
    let status = part.get("httpStatusCode").and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
    let body = part.get("body").cloned().unwrap_or_default();
    match status.and_then(|status| http::StatusCode::from_u16(status).ok()) {
        Some(status) if status.is_success() => Ok(body),
        Some(status) => {
            let mut response = http::Response::new(body.to_string().into_bytes().into());
            *response.status_mut() = status;
            Err(wire::refusal(&response, wire::Kind::Write))
        }
        None => Err(Fault::ambiguous("a part of the answer has no status")),
    }
}

/// A rider's record, with references in the fields that get an id.
fn referring(batch: &WriteRequest<'_>, rider: &Rider) -> Json {
    let mut record = write::record(batch, &rider.item);
    if let Json::Object(fields) = &mut record {
        let id = format!("@{{{MADE}[{}].id}}", rider.on);
        fields.extend(rider.fields.iter().map(|name| (name.clone(), Json::String(id.clone()))));
    }
    record
}

/// Whether a text in it would be taken for a reference.
fn refers(body: &Json) -> bool {
    match body {
        Json::String(text) => text.contains("@{"),
        Json::Array(items) => items.iter().any(refers),
        Json::Object(fields) => fields.values().any(refers),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

fn not_done(reason: &str) -> Receipt {
    Receipt { outcome: Err(Fault::transient(reason)) }
}
