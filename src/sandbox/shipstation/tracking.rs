//! What a carrier says of a parcel on its way.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::v2::stamp;
use super::{ShipStation, Shipment};
use crate::value::Json;

/// How long a parcel takes, as the carrier says when it has it.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(72);
/// How much later it comes once it is late.
const LATE: SignedDuration = SignedDuration::from_hours(48);

/// One word of the carrier.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    at: Timestamp,
    /// One of the description's codes: `DELIVERED`.
    detail: String,
    city: String,
    /// Whether the parcel comes later for it.
    late: bool,
}

/// What an act of a person makes the carrier say, unless it is told a code.
fn said(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "scan" => "IN_TRANSIT",
        "deliver" => "DELIVERED",
        "delay" => "CARRIER_DELAYS",
        "lose" => "PARCEL_LOST",
        "return" => "RETURN_TO_SENDER",
        "fail" => "ATTEMPTED_DELIVERY",
        _ => return None,
    })
}

/// The code of eight for one in detail, and its words.
fn code(detail: &str) -> (&'static str, &'static str) {
    if detail.starts_with("DELIVERED") || matches!(detail, "PARCEL_COLLECTED_FROM_PICKUP_POINT" | "PROOF_OF_DELIVERY") {
        return ("DE", "Delivered");
    }
    if detail.starts_with("ATTEMPTED_DELIVERY") || matches!(detail, "CUSTOMER_CARDED" | "NO_ACCESS_TO_RECIPIENTS_ADDRESS") {
        return ("AT", "Delivery Attempt");
    }
    match detail {
        "ELEC_ADVICE_RECD_BY_CARRIER" | "COLLECTION_MADE" | "RECEIVED_BY_CARRIER" | "DESPATCHED" => ("AC", "Accepted"),
        "CARRIER_DELAYS"
        | "PARCEL_LOST"
        | "PARCEL_DAMAGED"
        | "RETURN_TO_SENDER"
        | "NOT_DELIVERED"
        | "REFUSED_BY_CUSTOMER"
        | "ADDRESS_QUERY"
        | "HELD_BY_CUSTOMS"
        | "MISSORTED"
        | "CUSTOMER_MOVED"
        | "PARCEL_DISPOSED" => ("EX", "Exception"),
        _ => ("IT", "In Transit"),
    }
}

impl Shipment {
    pub(super) fn delivered(&self) -> bool {
        self.scans.last().is_some_and(|scan| code(&scan.detail).0 == "DE")
    }

    /// `unknown`, `in_transit`, `error`, `delivered`: what a list of labels tells.
    pub(super) fn tracking_status(&self) -> &'static str {
        match self.scans.last().map(|scan| code(&scan.detail).0) {
            None => "unknown",
            Some("DE") => "delivered",
            Some("EX") => "error",
            Some(_) => "in_transit",
        }
    }

    /// The answer of `/v2/labels/{label_id}/track`.
    pub(super) fn tracking(&self) -> Json {
        let text = |name: &str| self.body.get(name).cloned().unwrap_or_default();
        let late = self.scans.iter().fold(SignedDuration::ZERO, |late, scan| if scan.late { late + LATE } else { late });
        let last = self.scans.last();
        let (status, words) = last.map_or(("NY", "Not Yet In System"), |scan| code(&scan.detail));
        let events: Vec<Json> = self
            .scans
            .iter()
            .rev()
            .map(|scan| {
                let (status, words) = code(&scan.detail);
                json!({
                    "occurred_at": stamp(scan.at), "carrier_occurred_at": stamp(scan.at), "description": scan.detail.replace('_', " ").to_lowercase(),
                    "city_locality": scan.city, "state_province": "IL", "postal_code": "", "country_code": "US", "company_name": "", "signer": "",
                    "event_code": scan.detail, "carrier_detail_code": "OT", "status_code": status, "status_detail_code": scan.detail,
                    "status_description": words, "status_detail_description": scan.detail.replace('_', " ").to_lowercase(), "carrier_status_code": "1",
                    "carrier_status_description": words,
                })
            })
            .collect();
        json!({
            "tracking_number": text("trackingNumber"), "tracking_url": "", "status_code": status,
            "status_detail_code": last.map(|scan| scan.detail.clone()), "carrier_code": text("carrierCode"), "carrier_id": 1,
            "status_description": words, "status_detail_description": last.map_or_else(String::new, |scan| scan.detail.replace('_', " ").to_lowercase()),
            "carrier_status_code": "1", "carrier_detail_code": "OT", "carrier_status_description": words, "ship_date": stamp(self.created),
            "estimated_delivery_date": stamp(self.created + ON_ITS_WAY + late),
            "actual_delivery_date": last.filter(|_| self.delivered()).map(|scan| stamp(scan.at)),
            "exception_description": if status == "EX" { words } else { "" }, "events": events,
        })
    }
}

impl ShipStation {
    /// The carrier says something of a parcel: `detail` names a code, `city` a place, `at` a time that has passed.
    pub(super) fn scanned(&mut self, id: i64, verb: &str, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let text = |name: &str| settings.get(name).and_then(Json::as_str);
        let detail = text("detail").or_else(|| said(verb)).ok_or_else(|| format!("nobody can `{verb}` a parcel"))?.to_owned();
        let at = match text("at") {
            Some(at) => at.parse().map_err(|error| format!("`at` is no instant: {error}"))?,
            None => now,
        };
        let Some(shipment) = self.account.shipments.get_mut(&id).filter(|shipment| shipment.label) else {
            return Err("it has no label of ShipStation, and is not tracked".to_owned());
        };
        let scan = Scan { at, late: detail.contains("DELAY"), detail, city: text("city").unwrap_or("SPRINGFIELD").to_owned() };
        // A late word is put where it belongs: what the parcel's state is does not go back.
        let place = shipment.scans.partition_point(|known| known.at <= at);
        shipment.scans.insert(place, scan.clone());
        let tracking = shipment.tracking();
        let (order, kind) = (shipment.order, if code(&scan.detail).0 == "DE" { "delivered" } else { "tracked" });
        let key = self.account.orders.get(&order).map(|order| order.key.clone());
        let fields = json!({
            "status_detail_code": scan.detail, "trackingNumber": tracking["tracking_number"], "estimated_delivery_date": tracking["estimated_delivery_date"],
        });
        self.effect(now, kind, "Shipment", id, key, false, fields);
        self.tell_tracking(id, &tracking);
        Ok(tracking)
    }
}
