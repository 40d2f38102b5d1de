//! ShipStation, API V2: where parcels are, by the tracking of their labels.
//!
//! Orders, shipments and labels are V1's ([`super::shipstation`]); V2 has no orders, and V1 no tracking.
//! `README.md` in this folder says what can be read, and where each is known from.

#[cfg(test)]
mod tests;
mod webhook;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::connector::registry::{Settings, Unusable};
use crate::connector::{
    Change, Connector, Found, Hint, LookupRequest, Page, ReadRequest, Reading, Receipt, Selection, State, Stream, WebhookRefusal, WebhookReply,
    WebhookRequest, WriteRequest,
};
use crate::fault::Fault;
use crate::http::{Call, Client, Clock, Limit, Transport};
use crate::schema::Named;
use crate::value::{Json, ObjectRef, RawRecord};

/// The system's name in `crossdock.yaml`.
pub(super) const SYSTEM: &str = "shipstation-v2";

/// # Errors
/// As [`ShipStationV2::new`].
pub(super) fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    Ok(Arc::new(ShipStationV2::new(settings, transport, clock)?))
}

/// Labels of one page. The description names no largest size.
const PAGE: usize = 100;
/// The stamp of what was delivered: a poll reads it no more. What comes after that is told by the webhook, or seen
/// when the list no longer says so.
const ENDED: &str = "delivered";
/// The object that a flow reads.
const TRACKING: &str = "Tracking";

/// A ShipStation account, by its key of V2.
pub struct ShipStationV2 {
    wire: wire::Wire,
    days: i64,
}

/// Where a poll has got to in the list of labels.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The oldest label of this poll.
    from: String,
    page: u64,
}

impl ShipStationV2 {
    /// Settings: `api_key`; optional `url`, `tracking_days` (see `README.md`).
    ///
    /// # Errors
    /// A setting is missing or cannot be used.
    pub fn new(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let account = wire::Account::new(settings)?;
        let text = settings.or_default("tracking_days").trim();
        let days = text.parse().ok().filter(|days| (1..=365).contains(days)).ok_or_else(|| Unusable {
            connection: settings.name.clone(),
            message: format!("has `tracking_days: {text}`"),
            hint: "put a number of days from 1 to 365".to_owned(),
        })?;
        let client = Client::new(transport, clock, Arc::new(settings.limit()));
        Ok(ShipStationV2 { wire: wire::Wire { client, account }, days })
    }

    /// The tracking of one label, in the form that the schema names. `None`: there is no such label.
    async fn tracked(&self, call: &Call, id: &str, label: Label) -> Result<Option<Json>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        let Some(Json::Object(mut tracking)) = self.wire.get(call, &format!("/v2/labels/{id}/track"), &[]).await? else { return Ok(None) };
        tracking.insert("label_id".to_owned(), Json::String(id.to_owned()));
        for name in ["ship_date", "estimated_delivery_date", "actual_delivery_date"] {
            if let Some(value) = tracking.get_mut(name) {
                zoned(value);
            }
        }
        for event in tracking.get_mut("events").and_then(Json::as_array_mut).into_iter().flatten() {
            for name in ["occurred_at", "carrier_occurred_at"] {
                if let Some(value) = event.get_mut(name) {
                    zoned(value);
                }
            }
        }
        let label = match label {
            Label::Unread => None,
            Label::Known(label) => Some(label),
            Label::Wanted => self.wire.get(call, &format!("/v2/labels/{id}"), &[]).await?,
        };
        if let Some(mut label) = label {
            if let Some(Json::String(date)) = label.get_mut("ship_date") {
                // A date, which may have a time of midnight with it.
                date.truncate(date.char_indices().nth(10).map_or(date.len(), |(at, _)| at));
            }
            tracking.insert("label".to_owned(), label);
        }
        Ok(Some(Json::Object(tracking)))
    }

    /// Labels that a number is of.
    async fn labels(&self, call: &Call, number: &str) -> Result<Vec<Json>, Fault> {
        let query = [("tracking_number", number.to_owned()), ("page_size", PAGE.to_string())];
        let listed = self.wire.get(call, "/v2/labels", &query).await?.ok_or_else(|| not_understood("/v2/labels"))?;
        let labels = listed.get("labels").and_then(Json::as_array).ok_or_else(|| not_understood("/v2/labels"))?;
        Ok(labels.iter().filter(|label| text(label, "tracking_number") == Some(number)).cloned().collect())
    }
}

/// Whether a record needs its label, and from where.
enum Label {
    Unread,
    Known(Json),
    Wanted,
}

impl Label {
    fn of(of: &Selection<'_>) -> Self {
        if of.reads("label") { Label::Wanted } else { Label::Unread }
    }
}

#[async_trait]
impl Connector for ShipStationV2 {
    fn system(&self) -> &'static str {
        SYSTEM
    }

    fn limit(&self) -> &Limit {
        self.wire.client.limit()
    }

    fn streams(&self, _of: &Selection<'_>) -> Vec<Stream> {
        vec![Stream { name: "labels".to_owned(), overlap: SignedDuration::ZERO, only_later: false }]
    }

    /// V2 has no list of what was tracked. So a poll goes through the labels of the last days, and each that was not
    /// seen delivered is read again: it brings what no webhook told of.
    async fn changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        let known = ask.cursor.filter(|_| !ask.begins).and_then(|cursor| serde_json::from_str::<Cursor>(cursor).ok());
        let cursor = known.unwrap_or_else(|| {
            let from = ask.now.saturating_sub((self.days * 24).hours()).unwrap_or(ask.now);
            Cursor { from: ask.since.map_or(from, |since| since.max(from)).to_string(), page: 1 }
        });
        let query = [
            ("created_at_start", cursor.from.clone()),
            // By what never changes, the oldest first: what is new comes at the end.
            ("sort_by", "created_at".to_owned()),
            ("sort_dir", "asc".to_owned()),
            ("page", cursor.page.to_string()),
            ("page_size", PAGE.to_string()),
        ];
        let listed = self.wire.get(call, "/v2/labels", &query).await?.ok_or_else(|| not_understood("/v2/labels"))?;
        let labels = listed.get("labels").and_then(Json::as_array).ok_or_else(|| not_understood("/v2/labels"))?;
        let mut changes = Vec::with_capacity(labels.len());
        for label in labels {
            let Some(id) = text(label, "label_id").filter(|id| is_id(id)) else { return Err(not_understood("/v2/labels")) };
            if is(label, "voided") {
                changes.push(gone(id, label));
            } else if is(label, "is_return_label") {
                // It goes to the warehouse, and its delivery is nobody's who ordered.
            } else if text(label, "status") == Some("completed") && text(label, "tracking_number").is_some() {
                let ended = text(label, "tracking_status") == Some("delivered");
                changes.push(Change { id: id.to_owned(), stamp: ended.then(|| ENDED.to_owned()), state: State::Listed });
            }
        }
        let more = listed.get("pages").and_then(Json::as_u64).is_some_and(|pages| cursor.page < pages) && !labels.is_empty();
        let next = Cursor { page: cursor.page + u64::from(more), ..cursor };
        let cursor = serde_json::to_string(&next).map_err(|error| Fault::transient(error.to_string()))?;
        Ok(Page { changes, cursor: Some(cursor), more })
    }

    async fn fetch_by_id(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let mut found = Vec::new();
        for id in ids {
            if let Some(tracking) = self.tracked(call, id, Label::of(of)).await? {
                found.push(arrived(id, &tracking));
            }
        }
        Ok(found)
    }

    fn form(&self, of: &Selection<'_>) -> Option<String> {
        Some(if matches!(Label::of(of), Label::Wanted) { "with its label" } else { "" }.to_owned())
    }

    fn fetch_batch(&self, _of: &Selection<'_>) -> usize {
        1
    }

    fn read_cost(&self, of: &Selection<'_>) -> Reading {
        Reading { page: PAGE, each: if matches!(Label::of(of), Label::Wanted) { 2 } else { 1 } }
    }

    async fn lookup(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let field = ask.field.first().map_or("", String::as_str);
        let wants = || ask.projection.iter().any(|path| path.first().is_none_or(|name| name == "label")) || ask.projection.is_empty();
        let mut found = Vec::new();
        for value in ask.values {
            let labels = match (ask.object.object.as_str(), field) {
                (TRACKING, "tracking_number") => self.labels(call, value).await?,
                (TRACKING, "label_id") => vec![Json::Null],
                (object, field) => return Err(Fault::rejected("find", format!("V2 cannot search {object} by `{field}`"), None)),
            };
            for label in labels {
                let id = text(&label, "label_id").unwrap_or(value).to_owned();
                let label = match (wants(), label) {
                    (false, _) => Label::Unread,
                    (true, Json::Null) => Label::Wanted,
                    (true, label) => Label::Known(label),
                };
                found.extend(self.tracked(call, &id, label).await?.map(|record| Found { value: value.clone(), record }));
            }
        }
        Ok(found)
    }

    fn lookup_batch(&self, _object: &ObjectRef, _field: &[String]) -> usize {
        1
    }

    async fn send(&self, _call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        Err(Fault::rejected("object", format!("V2 is only read: {} is not written", batch.object.object), None))
    }

    fn webhook(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        request.posted()?;
        Ok(WebhookReply::Hints(vec![webhook::hint(&self.wire.account.url, request.body)?]))
    }

    async fn resolve_webhook(&self, call: &Call, of: &Selection<'_>, hint: &Hint) -> Result<Page, Fault> {
        let id = hint.parameters.get(webhook::LABEL).filter(|id| is_id(id));
        let id = id.ok_or_else(|| Fault::rejected("hint", "it names no label", None))?;
        // Its label says what no tracking does: that it was voided, or is that of a return.
        let Some(label) = self.wire.get(call, &format!("/v2/labels/{id}"), &[]).await? else {
            return Ok(Page { changes: Vec::new(), cursor: None, more: false });
        };
        let changes = match (is(&label, "voided"), is(&label, "is_return_label")) {
            (true, _) => vec![gone(id, &label)],
            (_, true) => Vec::new(),
            _ => {
                let known = if matches!(Label::of(of), Label::Wanted) { Label::Known(label) } else { Label::Unread };
                self.tracked(call, id, known).await?.iter().map(|tracking| arrived(id, tracking)).collect()
            }
        };
        Ok(Page { changes, cursor: None, more: false })
    }

    async fn reference_data(&self, _call: &Call, _kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        Ok(BTreeMap::new())
    }

    async fn describe(&self, _call: &Call, _object: &str) -> Result<Option<Json>, Fault> {
        // Its description is a file of the vendor's, and does not differ between accounts.
        Ok(None)
    }

    async fn check_connection(&self, call: &Call) -> Result<String, Fault> {
        let listed = self.wire.get(call, "/v2/labels", &[("page_size", "1".to_owned())]).await?.ok_or_else(|| not_understood("/v2/labels"))?;
        let total = listed.get("total").and_then(Json::as_u64).unwrap_or_default();
        Ok(format!(
            "ShipStation V2 at {}: {total} {}",
            self.wire.account.url.host_str().unwrap_or_default(),
            if total == 1 { "label" } else { "labels" }
        ))
    }
}

fn is(label: &Json, field: &str) -> bool {
    label.get(field).and_then(Json::as_bool) == Some(true)
}

fn gone(id: &str, label: &Json) -> Change {
    Change { id: id.to_owned(), stamp: text(label, "voided_at").map(str::to_owned), state: State::Gone }
}

/// A record with its stamp, where it has been delivered.
fn arrived(id: &str, tracking: &Json) -> Change {
    let ended = text(tracking, "status_code") == Some("DE") || tracking.get("actual_delivery_date").is_some_and(Json::is_string);
    Change { id: id.to_owned(), stamp: ended.then(|| ENDED.to_owned()), state: State::Upserted(RawRecord::of(tracking)) }
}

/// Gives an instant its offset where it has none: the vendor's own samples have instants without one, and its
/// description asks for one.
fn zoned(value: &mut Json) {
    let Json::String(text) = value else { return };
    if text.parse::<Timestamp>().is_err() && text.parse::<jiff::civil::DateTime>().is_ok() {
        text.push('Z');
    }
}

fn not_understood(path: &str) -> Fault {
    Fault::transient(format!("V2's answer to `{path}` has not the form that its description gives"))
}

fn text<'j>(record: &'j Json, field: &str) -> Option<&'j str> {
    record.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// The description's `se_id`: `^se(-[a-z0-9]+)+$`, 25 characters at the most.
fn is_id(text: &str) -> bool {
    let mut parts = text.split('-');
    let inner = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= 25 && parts.next() == Some("se") && text.len() > 3 && parts.all(inner)
}
