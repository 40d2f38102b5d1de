//! What people do in ShipStation: the warehouse ships, somebody cancels, edits, voids.

use jiff::Timestamp;

use super::orders::{HELD, integer, one_of};
use super::{ShipStation, api};
use crate::sandbox::Act;
use crate::sandbox::user_actions::{self, SHIPSTATION};
use crate::value::Json;

/// A status that people can give an order.
fn moved_to(status: &Json) -> Result<&'static str, String> {
    match status.as_str().and_then(|status| one_of(status, &HELD)) {
        Some("shipped") => Err("`ship` makes its label; `mark` says that it was shipped elsewhere".to_owned()),
        Some(status) => Ok(status),
        None => Err(format!("{status} is no status of an order; there are: {}", HELD.join(", "))),
    }
}

impl ShipStation {
    pub(super) fn acted(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let act = &user_actions::given(act, "ShipStation", &SHIPSTATION)?;
        if act.verb == "ship_all" {
            let open: Vec<i64> = self.account.orders.values().filter(|order| order.status == "awaiting_shipment").map(|order| order.id).collect();
            for id in &open {
                self.ship_one(*id, &Json::Null, now)?;
            }
            return Ok(serde_json::json!({"shipped": open.len()}));
        }
        if act.verb == "deliver_all" {
            let out: Vec<i64> =
                self.account.shipments.values().filter(|one| one.label && one.voided.is_none() && !one.delivered()).map(|one| one.id).collect();
            for id in &out {
                self.scanned(*id, "deliver", &Json::Null, now)?;
            }
            return Ok(serde_json::json!({"delivered": out.len()}));
        }
        match act.verb.as_str() {
            "create" => return self.imported(act, now),
            "backup" => {
                self.backup = Some(self.account.clone());
                return Ok(serde_json::json!({"orders": self.account.orders.len()}));
            }
            "restore" => return self.restored(now),
            _ => {}
        }
        let id = self.found(&act.subject)?;
        let (key, status) = self.account.orders.get(&id).map(|order| (order.key.clone(), order.status)).unwrap_or_default();
        let shipment = self
            .account
            .of_order
            .get(&id)
            .and_then(|all| all.iter().rev().find(|id| self.account.shipments.get(id).is_some_and(|s| s.voided.is_none())).copied());
        match act.verb.as_str() {
            "ship" => self.ship_one(id, &act.settings, now),
            "parcel" => match status {
                // The rest of an order that goes in several parcels: each has a label of its own.
                "shipped" => self.label_one(id, &act.settings, now),
                _ => Err(format!("it is {status}: `ship` makes the first label")),
            },
            "split" => self.split(id, now),
            "combine" => self.combined(id, &act.settings, now),
            "cancel" => {
                if status == "shipped" {
                    return Err("it is shipped: void its label first".to_owned());
                }
                self.change(id, now, |order| order.status = "cancelled");
                self.effect(now, "cancelled", "Order", id, Some(key), false, Json::Null);
                self.order(&id.to_string()).map_err(|refused| refused.message)
            }
            "delete" => self.delete_by(id, false, now).map_err(|refused| refused.message),
            "reopen" => {
                if status != "cancelled" {
                    return Err("it is not cancelled".to_owned());
                }
                self.change(id, now, |order| order.status = "awaiting_shipment");
                self.effect(now, "reopened", "Order", id, Some(key), false, serde_json::json!({"orderStatus": "awaiting_shipment"}));
                self.order(&id.to_string()).map_err(|refused| refused.message)
            }
            "hold" | "release" => {
                let (from, to) = if act.verb == "hold" { ("awaiting_shipment", "on_hold") } else { ("on_hold", "awaiting_shipment") };
                if status != from {
                    return Err(format!("it is {status}"));
                }
                // Who holds an order says until when; it is a day, told with the time at which it begins.
                let until = match (act.verb.as_str(), act.settings.get("until").and_then(Json::as_str)) {
                    ("release", _) => Json::Null,
                    (_, Some(until)) => {
                        super::time::read(until).map(super::time::date).map(Json::from).ok_or_else(|| format!("{until} is no date"))?
                    }
                    (_, None) => Json::from(super::time::date(now + jiff::SignedDuration::from_hours(7 * 24))),
                };
                let fields = serde_json::json!({"orderStatus": to, "holdUntilDate": until});
                self.change(id, now, |order| {
                    order.status = to;
                    order.body.insert("holdUntilDate".to_owned(), until);
                });
                self.effect(now, "updated", "Order", id, Some(key), false, fields);
                self.order(&id.to_string()).map_err(|refused| refused.message)
            }
            "mark" => self.marked(id, &act.settings, now),
            "change" => {
                let fields = api::of_an_order(&act.settings)?;
                let moved = fields.get("orderStatus").map(moved_to).transpose()?;
                self.change(id, now, |order| {
                    order.status = moved.unwrap_or(order.status);
                    for (name, value) in &fields {
                        match name.strip_prefix("shipTo.") {
                            Some(inner) => {
                                if let Some(Json::Object(address)) = order.body.get_mut("shipTo") {
                                    address.insert(inner.to_owned(), value.clone());
                                }
                            }
                            None => {
                                order.body.insert(name.clone(), value.clone());
                            }
                        }
                    }
                });
                self.effect(now, "updated", "Order", id, Some(key), false, Json::Object(fields));
                self.order(&id.to_string()).map_err(|refused| refused.message)
            }
            "void" => {
                let shipment = shipment.ok_or("it has no label")?;
                self.voided(shipment, false, now)?;
                Ok(serde_json::json!({"voided": shipment}))
            }
            _ => {
                let shipment = shipment.ok_or("it was not shipped")?;
                self.scanned(shipment, &act.verb, &act.settings, now)
            }
        }
    }

    /// An order that ShipStation imports from a shop of its own.
    fn imported(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let number = if act.subject.is_empty() { format!("W-{}", self.account.next) } else { act.subject.clone() };
        let mut order = serde_json::json!({
            "orderNumber": number, "orderKey": format!("shop-{number}"), "orderDate": super::time::date(now), "orderStatus": "awaiting_shipment",
            "customerUsername": "shop", "customerEmail": "shopper@example.com", "carrierCode": "stamps_com", "serviceCode": "usps_ground_advantage",
            "billTo": {"name": "Sam Shopper"},
            "shipTo": {
                "name": "Sam Shopper", "street1": "1 Main Street", "city": "Springfield", "state": "IL", "postalCode": "62701", "country": "US",
                "phone": "+1 217 555 0100", "addressVerified": "Address validated successfully",
            },
            "items": [{"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 12.5}],
        });
        let own = api::of_an_order(&act.settings)?;
        if let Some(order) = order.as_object_mut() {
            order.extend(own);
        }
        // What only ShipStation itself sets is set after the order is there.
        let moved = match order["orderStatus"].as_str() {
            Some("shipped") => None,
            _ => Some(moved_to(&order["orderStatus"])?),
        };
        if moved.is_some() {
            order["orderStatus"] = Json::from("awaiting_shipment");
        }
        let id = self.put(&order, now).map_err(|refused| refused.message)?;
        if let Some(effect) = self.effects.last_mut() {
            effect.by_api = false;
        }
        if let Some(order) = self.account.orders.get_mut(&id) {
            order.status = moved.unwrap_or(order.status);
        }
        self.order(&id.to_string()).map_err(|refused| refused.message)
    }

    /// People say that an order was shipped elsewhere.
    fn marked(&mut self, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let mut body = serde_json::json!({"orderId": id, "carrierCode": "other"});
        if let (Json::Object(body), Some(settings)) = (&mut body, settings.as_object()) {
            body.extend(settings.clone());
        }
        self.mark_as_shipped(&body, now).map_err(|refused| refused.message)?;
        if let Some(effect) = self.effects.last_mut() {
            effect.by_api = false;
        }
        self.order(&id.to_string()).map_err(|refused| refused.message)
    }

    fn ship_one(&mut self, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let Some(order) = self.account.orders.get(&id) else { return Err("there is no such order".to_owned()) };
        if order.status != "awaiting_shipment" {
            return Err(format!("the order {} is {}", order.number, order.status));
        }
        self.label_one(id, settings, now)
    }

    /// A label for an order, whatever its state.
    fn label_one(&mut self, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let Some(order) = self.account.orders.get(&id) else { return Err("there is no such order".to_owned()) };
        let text = |name: &str| settings.get(name).or_else(|| order.body.get(name)).and_then(Json::as_str).map(str::to_owned);
        let carrier = text("carrierCode").unwrap_or_else(|| "stamps_com".to_owned());
        let service = text("serviceCode").unwrap_or_else(|| "usps_ground_advantage".to_owned());
        let shipment = self.ship(id, &carrier, &service, false, now);
        // What somebody names, instead of the carrier's number and the day.
        for name in ["trackingNumber", "shipDate"] {
            let (Some(value), Some(shipment)) = (settings.get(name), self.account.shipments.get_mut(&shipment)) else { continue };
            shipment.body.insert(name.to_owned(), value.clone());
            if let Some(Json::Object(fields)) = self.effects.last_mut().map(|effect| &mut effect.fields) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        Ok(self.account.shipments.get(&shipment).map(|shipment| self.print_shipment(shipment, true)).unwrap_or_default())
    }

    /// Orders of one recipient that the warehouse packs together: the lines of the other (`with`) go into this one, which names it
    /// in `mergedIds`; they are shipped together.
    fn combined(&mut self, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let with = settings.get("with").map(|with| with.as_str().map_or_else(|| with.to_string(), str::to_owned));
        let other = self.found(&with.ok_or("name the other order: --set with=00000013")?)?;
        if other == id {
            return Err("an order is not combined with itself".to_owned());
        }
        for id in [id, other] {
            if let Some(order) = self.account.orders.get(&id).filter(|order| !matches!(order.status, "awaiting_shipment" | "on_hold")) {
                return Err(format!("the order {} is {}: only open orders are combined", order.number, order.status));
            }
        }
        let lines = self.account.orders.get(&other).and_then(|order| order.body.get("items")).and_then(Json::as_array).cloned().unwrap_or_default();
        self.change(id, now, |order| {
            if let Some(Json::Array(items)) = order.body.get_mut("items") {
                items.extend(lines);
            }
            let options = order.body.entry("advancedOptions").or_insert_with(|| serde_json::json!({}));
            if let Json::Object(options) = options {
                options.insert("mergedOrSplit".to_owned(), Json::Bool(true));
                if let Json::Array(merged) = options.entry("mergedIds").or_insert_with(|| Json::Array(Vec::new())) {
                    merged.push(Json::from(other));
                }
            }
        });
        self.change(other, now, |order| {
            if let Json::Object(options) = order.body.entry("advancedOptions").or_insert_with(|| serde_json::json!({})) {
                options.insert("mergedOrSplit".to_owned(), Json::Bool(true));
                options.insert("parentId".to_owned(), Json::from(id.to_string()));
            }
        });
        let key = self.account.orders.get(&id).map(|order| order.key.clone());
        self.effect(now, "combined", "Order", id, key, false, serde_json::json!({"mergedIds": [other]}));
        self.order(&id.to_string()).map_err(|refused| refused.message)
    }

    /// The warehouse sends an order in two: its last line goes into an order of its own, under a key of the vendor's.
    fn split(&mut self, id: i64, now: Timestamp) -> Result<Json, String> {
        let Some(order) = self.account.orders.get(&id).cloned() else { return Err("there is no such order".to_owned()) };
        let mut lines = order.body.get("items").and_then(Json::as_array).cloned().unwrap_or_default();
        if !matches!(order.status, "awaiting_shipment" | "on_hold") || lines.len() < 2 {
            return Err(format!(
                "the order {} is {} and has {} lines: only open orders of several lines are split",
                order.number,
                order.status,
                lines.len()
            ));
        }
        let apart = lines.split_off(lines.len() - 1);
        let mut second = order.body.clone();
        second.insert("items".to_owned(), Json::Array(apart));
        second.insert("orderNumber".to_owned(), Json::from(order.number.clone()));
        second.insert("orderKey".to_owned(), Json::from(format!("split-{id}-{}", self.account.next)));
        second.insert("orderStatus".to_owned(), Json::from(order.status));
        let options = second.entry("advancedOptions").or_insert_with(|| serde_json::json!({}));
        if let Json::Object(options) = options {
            options.insert("mergedOrSplit".to_owned(), Json::Bool(true));
            options.insert("parentId".to_owned(), Json::from(id.to_string()));
        }
        let new = self.put(&Json::Object(second), now).map_err(|refused| refused.message)?;
        if let Some(effect) = self.effects.last_mut() {
            effect.by_api = false;
        }
        self.change(id, now, |order| {
            order.body.insert("items".to_owned(), Json::Array(lines));
            if let Json::Object(options) = order.body.entry("advancedOptions").or_insert_with(|| serde_json::json!({})) {
                options.insert("mergedOrSplit".to_owned(), Json::Bool(true));
            }
        });
        self.effect(now, "split", "Order", id, Some(order.key), false, serde_json::json!({"into": new}));
        self.order(&id.to_string()).map_err(|refused| refused.message)
    }

    /// The vendor brings the account back from its backup: what was done since is lost, and the ids of it are given again.
    fn restored(&mut self, now: Timestamp) -> Result<Json, String> {
        let Some(account) = self.backup.clone() else { return Err("there is no backup of it: `backup` makes one".to_owned()) };
        self.account = account;
        self.effect(now, "restored", "Account", 0, None, false, Json::Null);
        Ok(serde_json::json!({"orders": self.account.orders.len()}))
    }

    /// The order of a number, a key or an id.
    fn found(&self, subject: &str) -> Result<i64, String> {
        if let Some(id) = self.account.by_key.get(subject) {
            return Ok(*id);
        }
        let by_number = self.account.by_number.range((subject.to_owned(), i64::MIN)..).next().filter(|(number, _)| number == subject);
        if let Some((_, id)) = by_number {
            return Ok(*id);
        }
        // People name the order of the other system too: its key holds it.
        if let Some(id) = self.account.by_key.get(&format!("sf-{subject}")) {
            return Ok(*id);
        }
        integer(Some(&Json::String(subject.to_owned())))
            .filter(|id| self.account.orders.contains_key(id))
            .ok_or_else(|| format!("there is no order `{subject}` in ShipStation: name one by its number, key or id"))
    }
}
