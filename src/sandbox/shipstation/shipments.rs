//! Labels, orders marked as shipped, voids.

use jiff::{SignedDuration, Timestamp};

use super::orders::{dates, integer, paged, unfit};
use super::print::shipped_item;
use super::{Answered, Order, Refused, ShipStation, Shipment, bad, time};
use crate::value::Json;

impl ShipStation {
    pub(super) fn label(&mut self, body: &Json, now: Timestamp) -> Answered {
        let Some(id) = integer(body.get("orderId")) else { return Err(Refused::of("orderId", "orderId is required.")) };
        let Some(order) = self.account.orders.get(&id) else { return Err(Refused::new(404, "The order was not found.")) };
        let last = self.account.of_order.get(&id).and_then(|all| all.last()).and_then(|id| self.account.shipments.get(id));
        let race = last.is_some_and(|last| last.by_api && last.voided.is_none() && now.duration_since(last.created) < self.options.label_race);
        if order.status != "awaiting_shipment" && !race {
            return bad(format!("The order {} is {}: no label can be made.", order.number, order.status));
        }
        let carrier = body.get("carrierCode").and_then(Json::as_str).unwrap_or_default().to_owned();
        if !self.options.lists.is_carrier(&carrier) {
            return Err(Refused::of("carrierCode", "carrierCode is not one of the account's carriers."));
        }
        let service = body.get("serviceCode").and_then(Json::as_str).unwrap_or_default().to_owned();
        if !self.options.lists.is_service(&carrier, &service) {
            return Err(Refused::of("serviceCode", format!("serviceCode is no service of {carrier}.")));
        }
        let shipment = self.ship(id, &carrier, &service, true, now);
        let mut printed = self.account.shipments.get(&shipment).map(|shipment| self.print_shipment(shipment, true)).unwrap_or_default();
        if let Json::Object(fields) = &mut printed {
            fields.insert("labelData".to_owned(), Json::String("JVBERi0xLjQK".to_owned()));
        }
        Ok(printed)
    }

    /// Ships an order with a label.
    pub(super) fn ship(&mut self, order: i64, carrier: &str, service: &str, by_api: bool, now: Timestamp) -> i64 {
        let id = self.id();
        let batch = self.id();
        let Some(known) = self.account.orders.get(&order).cloned() else { return id };
        let tracking = self.tracking(carrier);
        let items: Vec<Json> = known.body.get("items").and_then(Json::as_array).cloned().unwrap_or_default();
        let items: Vec<Json> = items.iter().map(shipped_item).collect();
        let body = serde_json::json!({
            "shipDate": time::date(now), "shipmentCost": 7.45, "insuranceCost": 0, "trackingNumber": tracking, "isReturnLabel": false,
            "batchNumber": batch.to_string(), "carrierCode": carrier, "serviceCode": service, "packageCode": "package",
            "confirmation": known.body.get("confirmation").cloned().unwrap_or_else(|| Json::String("delivery".into())),
            "warehouseId": known.body.get("advancedOptions").and_then(|options| options.get("warehouseId")).cloned().unwrap_or_default(),
            "marketplaceNotified": false, "notifyErrorMessage": null, "shipTo": known.body.get("shipTo").cloned().unwrap_or_default(),
            "weight": known.body.get("weight").cloned().unwrap_or_default(), "shipmentItems": items,
        });
        self.keep(Shipment {
            id,
            order,
            created: now,
            voided: None,
            batch,
            scans: Vec::new(),
            by_api,
            label: true,
            body: body.as_object().cloned().unwrap_or_default(),
        });
        self.change(order, now, |order| order.status = "shipped");
        // What was combined with it goes in the same parcel.
        let merged = known.body.get("advancedOptions").and_then(|options| options.get("mergedIds")).and_then(Json::as_array).cloned();
        for other in merged.into_iter().flatten().filter_map(|id| id.as_i64()) {
            self.change(other, now, |order| order.status = "shipped");
        }
        self.effect(now, "label", "Shipment", id, Some(known.key.clone()), by_api, serde_json::json!({"trackingNumber": tracking, "orderId": order}));
        self.notify("SHIP_NOTIFY", &format!("/shipments?batchId={batch}&includeShipmentItems=False"), known.store);
        self.notify("ITEM_SHIP_NOTIFY", &format!("/shipments?batchId={batch}&includeShipmentItems=True"), known.store);
        id
    }

    fn keep(&mut self, shipment: Shipment) {
        self.account.by_created.insert((shipment.created, shipment.id));
        self.account.of_order.entry(shipment.order).or_default().push(shipment.id);
        self.account.shipments.insert(shipment.id, shipment);
    }

    pub(super) fn mark_as_shipped(&mut self, body: &Json, now: Timestamp) -> Answered {
        let (Some(order), Some(carrier)) = (integer(body.get("orderId")), body.get("carrierCode").and_then(Json::as_str)) else {
            return Err(Refused::of("orderId", "orderId and carrierCode are required."));
        };
        let Some(known) = self.account.orders.get(&order).cloned() else { return Err(Refused::new(404, "The order was not found.")) };
        if matches!(known.status, "shipped" | "cancelled") {
            return bad(format!("The order {} is {} already.", known.number, known.status));
        }
        let id = self.id();
        let batch = self.id();
        let get = |name: &str| body.get(name).cloned().unwrap_or_default();
        let fields = serde_json::json!({
            "shipDate": body.get("shipDate").cloned().unwrap_or_else(|| Json::String(time::date(now))), "trackingNumber": get("trackingNumber"), "carrierCode": carrier,
            "notifyCustomer": get("notifyCustomer"), "marketplaceNotified": get("notifySalesChannel"), "shipTo": known.body.get("shipTo").cloned().unwrap_or_default(),
        });
        self.keep(Shipment {
            id,
            order,
            created: now,
            voided: None,
            batch,
            scans: Vec::new(),
            by_api: true,
            label: false,
            body: fields.as_object().cloned().unwrap_or_default(),
        });
        self.change(order, now, |order| order.status = "shipped");
        self.effect(now, "marked_shipped", "Fulfillment", id, Some(known.key), true, body.clone());
        self.notify("FULFILLMENT_SHIPPED", &format!("/fulfillments?fulfillmentId={id}"), known.store);
        Ok(serde_json::json!({"orderId": order, "orderNumber": known.number}))
    }

    pub(super) fn void(&mut self, body: &Json, now: Timestamp) -> Answered {
        let Some(id) = integer(body.get("shipmentId")) else { return Err(Refused::of("shipmentId", "shipmentId is required.")) };
        match self.voided(id, true, now) {
            Ok(()) => Ok(serde_json::json!({"approved": true, "message": "Label voided successfully"})),
            Err(why) => bad(why),
        }
    }

    pub(super) fn voided(&mut self, id: i64, by_api: bool, now: Timestamp) -> Result<(), String> {
        let Some(shipment) = self.account.shipments.get_mut(&id).filter(|shipment| shipment.label) else {
            return Err("The shipment was not found.".to_owned());
        };
        if shipment.voided.is_some() {
            return Err("The label was voided already.".to_owned());
        }
        shipment.voided = Some(now);
        let order = shipment.order;
        self.account.by_voided.insert((now, id));
        self.change(order, now, |order| order.status = "awaiting_shipment");
        let key = self.account.orders.get(&order).map(|order| order.key.clone());
        self.effect(now, "voided", "Shipment", id, key, by_api, Json::Null);
        Ok(())
    }

    /// A tracking number in the carrier's own form.
    fn tracking(&mut self, carrier: &str) -> String {
        let mut digits = |count: u32| (0..count).map(|_| char::from(b'0' + self.dice.below(10) as u8)).collect::<String>();
        match carrier {
            "ups" => {
                let body = format!("5B{}{}", digits(4), digits(9));
                format!("1Z{body}{}", ups_check(&body))
            }
            "fedex" => digits(12),
            "dhl_express" => digits(10),
            "royal_mail" => format!("QG{}GB", digits(9)),
            _ => format!("94{}", digits(20)),
        }
    }

    pub(super) fn list_shipments(&self, query: &[(String, String)], now: Timestamp) -> Answered {
        let items = query.iter().any(|(name, value)| name == "includeShipmentItems" && value.eq_ignore_ascii_case("true"));
        let (found, page, pages, total) = self.shipped(query, true, now)?;
        let shipments: Vec<Json> = found.iter().map(|shipment| self.print_shipment(shipment, items)).collect();
        Ok(serde_json::json!({"shipments": shipments, "total": total, "page": page, "pages": pages}))
    }

    pub(super) fn list_fulfillments(&self, query: &[(String, String)], now: Timestamp) -> Answered {
        let (found, page, pages, total) = self.shipped(query, false, now)?;
        let fulfillments: Vec<Json> = found.iter().map(|shipment| self.print_fulfillment(shipment)).collect();
        Ok(serde_json::json!({"fulfillments": fulfillments, "total": total, "page": page, "pages": pages}))
    }

    fn shipped(&self, query: &[(String, String)], labels: bool, now: Timestamp) -> Result<(Vec<Shipment>, usize, usize, usize), Refused> {
        let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        let instant = |name: &str| time::asked(name, get(name));
        let (from, to) = dates(&instant, "createDate")?;
        let (void_from, void_to) = dates(&instant, "voidDate")?;
        let (ship_from, ship_to) = dates(&instant, "shipDate")?;
        let ship_date = |shipment: &Shipment| shipment.body.get("shipDate").and_then(Json::as_str).and_then(time::read);
        let recipient = |shipment: &Shipment, name: &str| {
            let held = shipment.body.get("shipTo").and_then(|address| address.get(name)).and_then(Json::as_str);
            held.map(str::to_lowercase).unwrap_or_default()
        };
        let order = |shipment: &Shipment| self.account.orders.get(&shipment.order);
        let of = |shipment: &Shipment, name: &str| shipment.body.get(name).and_then(Json::as_str).map(str::to_owned);
        let seen = |at: Timestamp| at.saturating_add(self.options.search_lag).is_ok_and(|seen| seen <= now);
        let keeps = |shipment: &&Shipment| {
            shipment.label == labels
                && seen(shipment.created)
                && from.is_none_or(|from| shipment.created >= from)
                && to.is_none_or(|to| shipment.created <= to)
                && void_from.is_none_or(|from| shipment.voided.is_some_and(|at| at >= from && seen(at)))
                && void_to.is_none_or(|to| shipment.voided.is_some_and(|at| at <= to && seen(at)))
                && ship_from.is_none_or(|from| ship_date(shipment).is_some_and(|at| at >= from))
                && ship_to.is_none_or(|to| ship_date(shipment).is_some_and(|at| at <= to))
                && get("recipientName").is_none_or(|name| recipient(shipment, "name").contains(&name.to_lowercase()))
                && get("recipientCountryCode").is_none_or(|code| recipient(shipment, "country") == code.to_lowercase())
                && get("serviceCode").is_none_or(|code| of(shipment, "serviceCode").as_deref() == Some(code))
                && get("batchId").is_none_or(|batch| shipment.batch.to_string() == batch)
                && get("fulfillmentId").is_none_or(|id| shipment.id.to_string() == id)
                && get("orderId").is_none_or(|id| shipment.order.to_string() == id)
                && get("orderNumber").is_none_or(|number| order(shipment).is_some_and(|order: &Order| order.number.starts_with(number)))
                && get("trackingNumber").is_none_or(|number| of(shipment, "trackingNumber").as_deref() == Some(number))
                && get("carrierCode").is_none_or(|code| of(shipment, "carrierCode").as_deref() == Some(code))
                && get("storeId").is_none_or(|store| order(shipment).is_some_and(|order| order.store.to_string() == store))
        };
        let by_order = get("orderId").and_then(|id| id.parse::<i64>().ok()).map(|id| self.account.of_order.get(&id).cloned().unwrap_or_default());
        let mut found: Vec<&Shipment> = match (by_order, void_from, from) {
            (Some(ids), ..) => ids.iter().filter_map(|id| self.account.shipments.get(id)).filter(keeps).collect(),
            (_, Some(from), _) => {
                self.account.by_voided.range((from, i64::MIN)..).filter_map(|(_, id)| self.account.shipments.get(id)).filter(keeps).collect()
            }
            (_, _, Some(from)) => {
                self.account.by_created.range((from, i64::MIN)..).filter_map(|(_, id)| self.account.shipments.get(id)).filter(keeps).collect()
            }
            _ => self.account.by_created.iter().filter_map(|(_, id)| self.account.shipments.get(id)).filter(keeps).collect(),
        };
        match get("sortBy") {
            Some("ShipDate") => found.sort_by(|a, b| (a.body["shipDate"].as_str(), a.id).cmp(&(b.body["shipDate"].as_str(), b.id))),
            Some("CreateDate") | None => found.sort_by_key(|shipment| (shipment.created, shipment.id)),
            Some(other) => return Err(unfit("sortBy", other)),
        }
        if get("sortDir") == Some("DESC") {
            found.reverse();
        }
        let total = found.len();
        let (page, size, pages) = paged(query, total)?;
        // A label that was voided lately shows as it was before.
        let shown = |shipment: &Shipment| Shipment { voided: shipment.voided.filter(|at| seen(*at)), ..shipment.clone() };
        Ok((found.into_iter().skip((page - 1) * size).take(size).map(shown).collect(), page, pages, total))
    }

    // ---- the warehouse's own work ----

    pub(super) fn plan_to_ship(&mut self, id: i64, now: Timestamp) {
        if let Some(after) = self.options.autoship {
            let spread = SignedDuration::from_millis(self.dice.below(after.as_millis().max(1) as u64 / 2 + 1) as i64);
            self.account.to_ship.insert((now.saturating_add(after + spread).unwrap_or(now), id));
        }
    }

    /// Ships what is due, where the warehouse works by itself.
    pub(super) fn ship_by_itself(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.account.to_ship.first().copied().filter(|(at, _)| *at <= now) {
            self.account.to_ship.remove(&(at, id));
            let Some(order) = self.account.orders.get(&id).filter(|order| order.status == "awaiting_shipment") else { continue };
            let text = |name: &str| order.body.get(name).and_then(Json::as_str).map(str::to_owned);
            let (carrier, service) = match (text("carrierCode"), text("serviceCode")) {
                (Some(carrier), Some(service)) => (carrier, service),
                _ => ("stamps_com".to_owned(), "usps_ground_advantage".to_owned()),
            };
            self.ship(id, &carrier, &service, false, at.max(order.modified));
        }
    }
}

/// UPS's check digit: letters count as (code - 63) mod 10, every second place twice.
fn ups_check(body: &str) -> u32 {
    let value = |c: char| c.to_digit(10).unwrap_or((c as u32).wrapping_sub(63) % 10);
    let sum: u32 = body.chars().enumerate().map(|(at, c)| if at % 2 == 1 { value(c) * 2 } else { value(c) }).sum();
    (10 - sum % 10) % 10
}
