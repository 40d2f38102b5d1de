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

/// Where V2 tells of tracking.
#[derive(Debug, Clone)]
pub(super) struct TrackHook {
    id: i64,
    url: String,
    /// What is sent along: names and values.
    headers: Vec<(String, String)>,
}

impl TrackHook {
    fn print(&self) -> Json {
        let headers: Vec<Json> = self.headers.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        json!({"webhook_id": format!("se-{}", self.id), "url": self.url, "event": "track", "headers": headers})
    }
}

/// The described path of a request.
///
/// # Errors
/// The sandbox does not imitate the operation, or nobody knows it.
fn described(method: &str, path: &str) -> Result<&'static str, Refused> {
    if path.starts_with("/v1/") {
        return Err(not_imitated("ShipEngine's own API (/v1/); ShipStation's API V2 is below /v2/"));
    }
    let asked: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |known: &str| {
        let known: Vec<&str> = known.split('/').collect();
        known.len() == asked.len() && known.iter().zip(&asked).all(|(known, part)| known.starts_with('{') && !part.is_empty() || known == part)
    };
    // What is named goes before what stands for any id: `/v2/rates/estimate`.
    let plain = |path: &&str| path.matches('{').count();
    let operations = description()["operations"].as_array().into_iter().flatten();
    let ours =
        operations.filter(|known| known["method"] == method).filter_map(|known| known["path"].as_str()).filter(|known| fits(known)).min_by_key(plain);
    let others = description()["others"].as_array().into_iter().flatten().filter_map(|known| known.as_str()?.split_once(' '));
    let theirs = others.filter(|(known, _)| *known == method).map(|(_, path)| path).filter(|known| fits(known)).min_by_key(plain);
    match (ours, theirs) {
        (Some(ours), theirs) if theirs.is_none_or(|theirs| plain(&ours) <= plain(&theirs)) => Ok(ours),
        (_, Some(theirs)) => Err(not_imitated(&format!("{method} {theirs}"))),
        _ => Err(not_found("The resource")),
    }
}

fn not_imitated(what: &str) -> Refused {
    Refused(501, "unspecified", format!("the sandbox does not imitate {what}"))
}

/// `2026-03-02T08:00:00.000Z`
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
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
                let kind = match status {
                    401 => "security",
                    501 => "system",
                    _ => "validation",
                };
                let error = json!({"error_source": "ShipStation", "error_type": kind, "error_code": code, "message": message});
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
        let described = described(method, path)?;
        let operations = description()["operations"].as_array().into_iter().flatten();
        let operation = operations.filter(|operation| operation["path"] == described).find(|operation| operation["method"] == method);
        for (name, _) in &query {
            if !operation.is_some_and(|operation| operation["query"].as_array().is_some_and(|names| names.iter().any(|known| known == name))) {
                self.complaints.push(format!("{method} {path} has no parameter `{name}`"));
            }
        }
        let parts: Vec<&str> = path.trim_start_matches("/v2/").trim_end_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["labels"]) => self.list_labels(&query, now),
            ("GET", ["labels", id]) => self.label_of(id).map(|shipment| self.print_label(shipment)),
            ("GET", ["labels", id, "track"]) => self.label_of(id).map(Shipment::tracking),
            ("GET", ["environment", "webhooks"]) => Ok(self.track_hook.iter().map(TrackHook::print).collect()),
            ("POST", _) => self.hook_up(request),
            (method, ["environment", "webhooks", id]) => self.one_hook(method, id, request),
            _ => Err(not_found("The resource")),
        }
    }

    fn label_of(&self, id: &str) -> Result<&Shipment, Refused> {
        let number: Option<i64> = id.strip_prefix("se-").and_then(|id| id.parse().ok());
        number.and_then(|id| self.account.shipments.get(&id)).filter(|shipment| shipment.label).ok_or_else(|| not_found("The label"))
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
                // Nothing here was made by a rate, or by a warehouse of V2's.
                && ["rate_id", "warehouse_id"].iter().all(|name| get(query, name).is_empty())
                && [String::new(), format!("se-{}", shipment.batch)].iter().any(|id| get(query, "batch_id") == id)
                && ["", "se-1"].contains(&get(query, "carrier_id"))
                && [String::new(), label_id(shipment)].iter().any(|id| get(query, "shipment_id") == id)
        };
        let first = (from.unwrap_or(Timestamp::MIN), i64::MIN);
        let mut found: Vec<&Shipment> =
            self.account.by_created.range(first..).filter_map(|(_, id)| self.account.shipments.get(id)).filter(keeps).collect();
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
        let order = self.account.orders.get(&shipment.order);
        let money = |amount: Json| json!({"currency": "usd", "amount": amount});
        let file = |kind: &str| format!("{}/v2/downloads/1/{}/label.{kind}", self.options.v2_url, shipment.id);
        let files = json!({"href": file("pdf"), "pdf": file("pdf"), "png": file("png"), "zpl": file("zpl")});
        let day = shipment.body.get("shipDate").and_then(Json::as_str).map(|day| format!("{}T00:00:00.000Z", day.get(..10).unwrap_or(day)));
        let weight = |name: &str| shipment.body.get("weight").and_then(|weight| weight.get(name)).cloned().unwrap_or_default();
        let unit = weight("units").as_str().map_or("ounce", |units| units.trim_end_matches('s')).to_owned();
        // The description knows no parcel without a weight.
        let value = Some(weight("value")).filter(|value| value.as_f64().is_some_and(|value| value > 0.0)).unwrap_or_else(|| json!(1));
        let references = json!({"reference1": order.map(|order| &order.number), "reference2": null, "reference3": null});
        let package = json!({
            "package_id": shipment.id % 1_000_000, "package_code": text("packageCode"), "weight": {"value": value, "unit": unit},
            "dimensions": {"unit": "inch", "length": 0, "width": 0, "height": 0}, "insured_value": money(json!(0)),
            "tracking_number": text("trackingNumber"), "label_download": files, "label_messages": references,
            "external_package_id": shipment.id.to_string(), "content_description": null, "sequence": 1, "has_label_documents": true,
            "has_form_documents": false, "has_qr_code_documents": false, "has_paperless_label_documents": false, "alternative_identifiers": [],
        });
        json!({
            "label_id": label_id(shipment), "status": if shipment.voided.is_some() { "voided" } else { "completed" }, "shipment_id": label_id(shipment),
            "external_shipment_id": null, "external_order_id": order.map(|order| order.number.clone()), "ship_date": day,
            "created_at": stamp(shipment.created), "shipment_cost": money(text("shipmentCost")), "insurance_cost": money(text("insuranceCost")),
            "requested_comparison_amount": money(json!(0)), "tracking_number": text("trackingNumber"), "is_return_label": false, "rma_number": null,
            "is_international": false, "batch_id": format!("se-{}", shipment.batch), "carrier_id": "se-1", "charge_event": "carrier_default",
            "service_code": text("serviceCode"), "package_code": text("packageCode"), "voided": shipment.voided.is_some(),
            "voided_at": shipment.voided.map(stamp), "label_format": "pdf", "display_scheme": "label", "label_layout": "4x6", "trackable": true,
            "label_image_id": null, "carrier_code": text("carrierCode"), "confirmation": text("confirmation"),
            "tracking_status": shipment.tracking_status(), "label_download": files, "form_download": null, "qr_code_download": null,
            "paperless_download": null, "insurance_claim": null, "packages": [package], "alternative_identifiers": [], "rate_details": [],
            "tracking_url": null, "ship_to": ship_to(shipment.body.get("shipTo")),
        })
    }

    fn hook_up(&mut self, request: &Request) -> Answered {
        let body: Json =
            serde_json::from_slice(request.body()).map_err(|_| Refused(400, "request_body_required", "The body is no JSON.".to_owned()))?;
        let event = body["event"].as_str().unwrap_or_default();
        for name in ["event", "url"] {
            if body[name].as_str().is_none_or(str::is_empty) {
                return Err(Refused(400, "field_value_required", format!("{name} is required.")));
            }
        }
        let known = description()["operations"].as_array().into_iter().flatten().find(|known| known["method"] == "POST");
        let known = known.and_then(|known| known["body"]["properties"]["event"]["enum"].as_array());
        if known.is_some_and(|known| !known.iter().any(|known| known == event)) {
            return Err(Refused(400, "invalid_field_value", format!("`{event}` is no event.")));
        }
        if event != "track" {
            return Err(not_imitated(&format!("webhooks of `{event}`: it tells of `track`")));
        }
        if self.track_hook.is_some() {
            return Err(Refused(409, "webhook_event_type_conflict", "There is a webhook of this event already.".to_owned()));
        }
        let url = body["url"].as_str().unwrap_or_default().to_owned();
        self.account.next += 1;
        let hook = TrackHook { id: self.account.next, url, headers: headers(&body)? };
        let printed = hook.print();
        self.track_hook = Some(hook);
        Ok(printed)
    }

    /// One webhook by its id.
    fn one_hook(&mut self, method: &str, id: &str, request: &Request) -> Answered {
        let Some(hook) = self.track_hook.as_mut().filter(|hook| id == format!("se-{}", hook.id)) else { return Err(not_found("The webhook")) };
        match method {
            "GET" => Ok(hook.print()),
            "PUT" => {
                let body: Json =
                    serde_json::from_slice(request.body()).map_err(|_| Refused(400, "request_body_required", "The body is no JSON.".to_owned()))?;
                if let Some(url) = body["url"].as_str().filter(|url| !url.is_empty()) {
                    url.clone_into(&mut hook.url);
                }
                if !body["headers"].is_null() {
                    hook.headers = headers(&body)?;
                }
                Ok(Json::Null)
            }
            _ => {
                self.track_hook = None;
                Ok(Json::Null)
            }
        }
    }

    pub(super) fn tell_tracking(&mut self, shipment: i64, tracking: &Json) {
        let Some(hook) = &self.track_hook else { return };
        let resource = format!("{}/v2/labels/se-{shipment}/track", self.options.v2_url);
        let body = json!({"resource_url": resource, "resource_type": "TRACK_EVENT_V2", "data": tracking});
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(hook.headers.iter().cloned());
        self.outgoing.push(Delivery { url: hook.url.clone(), headers, body: body.to_string().into_bytes() });
    }
}

/// The headers that a webhook is to be sent with.
fn headers(body: &Json) -> Result<Vec<(String, String)>, Refused> {
    let wrong = || Refused(400, "invalid_field_value", "headers is a list of objects with key and value.".to_owned());
    if body["headers"].is_null() {
        return Ok(Vec::new());
    }
    let given = body["headers"].as_array().ok_or_else(wrong)?;
    given.iter().map(|one| Some((one["key"].as_str()?.to_owned(), one["value"].as_str()?.to_owned()))).collect::<Option<_>>().ok_or_else(wrong)
}

/// V1's address in V2's words.
fn ship_to(address: Option<&Json>) -> Json {
    let held = |name: &str| address.and_then(|address| address.get(name)).and_then(Json::as_str).filter(|text| !text.is_empty());
    let residential = address.and_then(|address| address.get("residential")).and_then(Json::as_bool);
    json!({
        "name": held("name").unwrap_or_default(), "phone": held("phone").unwrap_or_default(), "email": null, "company_name": held("company"),
        "address_line1": held("street1").unwrap_or_default(), "address_line2": held("street2"), "address_line3": held("street3"),
        "city_locality": held("city").unwrap_or_default(), "state_province": held("state").unwrap_or_default(),
        "postal_code": held("postalCode").unwrap_or_default(), "country_code": held("country").unwrap_or_default(),
        "address_residential_indicator": residential.map_or("unknown", |residential| if residential { "yes" } else { "no" }), "instructions": null,
        "geolocation": [],
    })
}
