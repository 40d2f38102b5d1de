//! API V2, as far as it tells where parcels are: labels, their tracking, and the webhook `track`.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::OnceLock;

use super::{Delivery, ShipStation, Shipment, get};
use crate::http::{Request, Response};
use crate::value::Json;

/// `v2.json`, made by `derive.py` beside it.
const DESCRIPTION: &str = include_str!("v2.json");
/// What the description gives for a page of which no size is asked for.
const PAGE: usize = 25;

pub(super) fn description() -> &'static Json {
    static READ: OnceLock<Json> = OnceLock::new();
    // It comes with the program, and a test reads it.
    READ.get_or_init(|| serde_json::from_str(DESCRIPTION).unwrap_or_default())
}

/// A refusal: the status, the error's code, and its words.
struct Refused(u16, &'static str, String);

type Answered = Result<Json, Refused>;

fn not_found(what: &str) -> Refused {
    Refused(404, "invalid_identifier", format!("{what} was not found."))
}

/// `se-100042`
fn label_id(shipment: &Shipment) -> String {
    format!("se-{}", shipment.id)
}

impl ShipStation {
    pub(super) fn handle_v2(&mut self, request: &Request, now: Timestamp) -> Response {
        let refused = self.v2_limited(now);
        let answered = match refused {
            Some(seconds) => Err((seconds, Refused(429, "rate_limit_exceeded", "You have exceeded the rate limit.".to_owned()))),
            None => self.answer_v2(request, now).map_err(|refused| (0, refused)),
        };
        let (status, wait, body) = match answered {
            Ok(body) => (200, 0, body),
            Err((wait, Refused(status, code, message))) => {
                let error = json!({"error_source": "ShipStation", "error_type": if status == 401 { "security" } else { "validation" }, "error_code": code, "message": message});
                (status, wait, json!({"request_id": "00000000-0000-4000-8000-000000000000", "errors": [error]}))
            }
        };
        let mut response = http::Response::new(Bytes::from(if body.is_null() { String::new() } else { body.to_string() }));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        if wait > 0 {
            response.headers_mut().insert("retry-after", http::HeaderValue::from(wait));
        }
        response
    }

    /// Seconds to wait, where the minute's calls are used up.
    fn v2_limited(&mut self, now: Timestamp) -> Option<i64> {
        let most = self.options.v2_per_minute?;
        let minute = SignedDuration::from_secs(60);
        if self.v2_window.0.is_none_or(|began| now.duration_since(began) >= minute) {
            self.v2_window = (Some(now), 0);
        }
        self.v2_window.1 += 1;
        let passed = now.duration_since(self.v2_window.0.unwrap_or(now));
        (self.v2_window.1 > most).then(|| (minute - passed).as_secs().max(1))
    }

    fn answer_v2(&mut self, request: &Request, now: Timestamp) -> Answered {
        let given = request.headers().get("api-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if given != self.options.v2_key {
            return Err(Refused(401, "unauthorized", "The API key is invalid.".to_owned()));
        }
        let query: Vec<(String, String)> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let (method, path) = (request.method().as_str(), request.uri().path());
        let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
        let described = match (method, parts.as_slice()) {
            ("GET", ["labels"]) => "/v2/labels",
            ("GET", ["labels", _]) => "/v2/labels/{label_id}",
            ("GET", ["labels", _, "track"]) => "/v2/labels/{label_id}/track",
            ("GET" | "POST", ["environment", "webhooks"]) => "/v2/environment/webhooks",
            ("DELETE", ["environment", "webhooks", _]) => "/v2/environment/webhooks/{webhook_id}",
            _ => return Err(not_found("The resource")),
        };
        let operations = description()["operations"].as_array().into_iter().flatten();
        let operation = operations.filter(|operation| operation["path"] == described).find(|operation| operation["method"] == method);
        for (name, _) in &query {
            if !operation.is_some_and(|operation| operation["query"].as_array().is_some_and(|names| names.iter().any(|known| known == name))) {
                self.complaints.push(format!("{method} {path} has no parameter `{name}`"));
            }
        }
        match (method, parts.as_slice()) {
            ("GET", ["labels"]) => self.list_labels(&query, now),
            ("GET", ["labels", id]) => self.label_of(id).map(|shipment| self.print_label(shipment)),
            ("GET", ["labels", id, "track"]) => self.label_of(id).map(Shipment::tracking),
            ("GET", _) => Ok(self.track_hook.iter().map(|(id, url)| hook(*id, url)).collect()),
            ("POST", _) => self.hook_up(request),
            (_, parts) => match self.track_hook.take_if(|(id, _)| parts.last() == Some(&format!("se-{id}").as_str())) {
                Some(_) => Ok(Json::Null),
                None => Err(not_found("The webhook")),
            },
        }
    }

    fn label_of(&self, id: &str) -> Result<&Shipment, Refused> {
        let number: Option<i64> = id.strip_prefix("se-").and_then(|id| id.parse().ok());
        number.and_then(|id| self.shipments.get(&id)).filter(|shipment| shipment.label).ok_or_else(|| not_found("The label"))
    }

    fn list_labels(&self, query: &[(String, String)], now: Timestamp) -> Answered {
        let bad = |name: &str| Refused(400, "invalid_field_value", format!("{name} is invalid."));
        let time = |name: &str| match get(query, name) {
            "" => Ok(None),
            text => text.parse::<Timestamp>().map(Some).map_err(|_| bad(name)),
        };
        let number = |name: &str, usual: usize| match get(query, name) {
            "" => Ok(usual),
            text => text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| bad(name)),
        };
        let (from, to, page, size) = (time("created_at_start")?, time("created_at_end")?, number("page", 1)?, number("page_size", PAGE)?);
        let (wanted, status, service) = (get(query, "tracking_number"), get(query, "label_status"), get(query, "service_code"));
        let lag = self.options.search_lag;
        let is = |shipment: &Shipment, name: &str, wanted: &str| wanted.is_empty() || shipment.body.get(name).and_then(Json::as_str) == Some(wanted);
        let keeps = |shipment: &&Shipment| {
            shipment.label
                && shipment.created <= now - lag
                && from.is_none_or(|from| shipment.created >= from)
                && to.is_none_or(|to| shipment.created <= to)
                && is(shipment, "trackingNumber", wanted)
                && is(shipment, "serviceCode", service)
                && (status.is_empty() || status == if shipment.voided.is_some() { "voided" } else { "completed" })
                // Nothing here was made by a batch, by a rate, or by a warehouse of V2's.
                && ["batch_id", "rate_id", "warehouse_id", "carrier_id"].iter().all(|name| get(query, name).is_empty())
                && [String::new(), label_id(shipment)].iter().any(|id| get(query, "shipment_id") == id)
        };
        let first = (from.unwrap_or(Timestamp::MIN), i64::MIN);
        let mut found: Vec<&Shipment> = self.by_created.range(first..).filter_map(|(_, id)| self.shipments.get(id)).filter(keeps).collect();
        if get(query, "sort_dir") != "asc" {
            found.reverse();
        }
        let pages = found.len().div_ceil(size);
        let link = |page: usize| json!({"href": format!("{}/v2/labels?page={page}", self.options.v2_url)});
        let at = |there: bool, page: usize| if there { link(page) } else { json!({}) };
        let links = json!({"first": link(1), "last": link(pages.max(1)), "prev": at(page > 1, page - 1), "next": at(page < pages, page + 1)});
        let labels: Vec<Json> = found.iter().skip((page - 1) * size).take(size).map(|shipment| self.print_label(shipment)).collect();
        Ok(json!({"labels": labels, "total": found.len(), "page": page, "pages": pages, "links": links}))
    }

    fn print_label(&self, shipment: &Shipment) -> Json {
        let text = |name: &str| shipment.body.get(name).cloned().unwrap_or_default();
        let order = self.orders.get(&shipment.order);
        let money = |name: &str| json!({"currency": "usd", "amount": text(name)});
        json!({
            "label_id": label_id(shipment), "status": if shipment.voided.is_some() { "voided" } else { "completed" }, "shipment_id": label_id(shipment),
            "external_shipment_id": null, "external_order_id": order.map(|order| order.number.clone()), "ship_date": text("shipDate"),
            "created_at": shipment.created.to_string(), "shipment_cost": money("shipmentCost"), "insurance_cost": money("insuranceCost"),
            "tracking_number": text("trackingNumber"), "is_return_label": false, "rma_number": null, "is_international": false,
            "carrier_id": "se-1", "service_code": text("serviceCode"), "package_code": text("packageCode"), "voided": shipment.voided.is_some(),
            "voided_at": shipment.voided.map(|at| at.to_string()), "trackable": true, "carrier_code": text("carrierCode"),
            "tracking_status": shipment.tracking_status(),
        })
    }

    fn hook_up(&mut self, request: &Request) -> Answered {
        let body: Json = serde_json::from_slice(request.body()).unwrap_or_default();
        let event = body["event"].as_str().unwrap_or_default();
        let Some(url) = body["url"].as_str().filter(|url| !url.is_empty()) else {
            return Err(Refused(400, "field_value_required", "url is required.".to_owned()));
        };
        if event != "track" {
            return Err(Refused(400, "invalid_field_value", format!("the sandbox tells of `track`, and not of `{event}`")));
        }
        if self.track_hook.is_some() {
            return Err(Refused(409, "webhook_event_type_conflict", "There is a webhook of this event already.".to_owned()));
        }
        self.next += 1;
        self.track_hook = Some((self.next, url.to_owned()));
        Ok(hook(self.next, url))
    }

    pub(super) fn tell_tracking(&mut self, shipment: i64, tracking: &Json) {
        let Some((_, url)) = &self.track_hook else { return };
        let resource = format!("{}/v2/labels/se-{shipment}/track", self.options.v2_url);
        let body = json!({"resource_url": resource, "resource_type": "TRACK_EVENT_V2", "data": tracking});
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.outgoing.push(Delivery { url: url.clone(), headers, body: body.to_string().into_bytes() });
    }
}

fn hook(id: i64, url: &str) -> Json {
    json!({"webhook_id": format!("se-{id}"), "url": url, "event": "track"})
}
