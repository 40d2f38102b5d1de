//! Update actions of an order.

use jiff::Timestamp;
use serde_json::json;

use super::{Commercetools, Refused, printed};
use crate::value::Json;

/// A part that an action made, or a step that it took: what the log of effects tells beside the order itself.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) kind: &'static str,
    pub(super) object: &'static str,
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) fields: Json,
}

impl Made {
    fn new(kind: &'static str, object: &'static str, of: &Json) -> Self {
        let text = |name: &str| of[name].as_str().map(str::to_owned);
        Made { kind, object, id: text("id").unwrap_or_default(), key: text("key"), fields: of.clone() }
    }
}

/// Takes fields away that have no value: the API does not print them.
pub(super) fn tidy(of: &mut Json) {
    if let Some(fields) = of.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
}

/// The deliveries of an order: of its shipping, or of each of its shippings.
fn deliveries(order: &mut Json) -> Vec<&mut Json> {
    let Some(fields) = order.as_object_mut() else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in fields.iter_mut() {
        match name.as_str() {
            "shippingInfo" => found.extend(value.get_mut("deliveries").and_then(Json::as_array_mut).into_iter().flatten()),
            "shipping" => {
                for shipping in value.as_array_mut().into_iter().flatten() {
                    let info = shipping.get_mut("shippingInfo").and_then(|info| info.get_mut("deliveries"));
                    found.extend(info.and_then(Json::as_array_mut).into_iter().flatten());
                }
            }
            _ => {}
        }
    }
    found
}

/// The one of a list that an action names by its id or its key.
fn named<'j>(list: Vec<&'j mut Json>, action: &Json, what: &str) -> Result<&'j mut Json, Refused> {
    let (id, key) = (action[format!("{what}Id")].as_str(), action[format!("{what}Key")].as_str());
    let is = |one: &Json| id.map_or_else(|| key.is_some() && one["key"].as_str() == key, |id| one["id"].as_str() == Some(id));
    let word = id.or(key).unwrap_or_default().to_owned();
    list.into_iter().find(|one| is(one)).ok_or_else(|| Refused::operation(format!("The order has no {what} '{word}'.")))
}

/// Sets the custom type of a resource, with the fields that come with it; without a type there are none.
pub(super) fn set_custom(shop: &Commercetools, of: &mut Json, ty: &Json, fields: Option<&Json>) -> Result<(), Refused> {
    if ty.is_null() {
        if let Some(whole) = of.as_object_mut() {
            whole.remove("custom");
        }
        return Ok(());
    }
    let ty = shop.referenced("types", "type", ty)?;
    let given = fields.and_then(Json::as_object).cloned().unwrap_or_default();
    let mut kept = serde_json::Map::new();
    for (name, value) in given {
        shop.custom_value(&ty, &name, &value)?;
        if !value.is_null() {
            kept.insert(name, value);
        }
    }
    of["custom"] = json!({"type": ty, "fields": kept});
    Ok(())
}

impl Commercetools {
    /// A reference to a resource that is named by its id or its key.
    pub(super) fn referenced(&self, kind: &str, word: &str, named: &Json) -> Result<Json, Refused> {
        let (id, key) = (named["id"].as_str(), named["key"].as_str());
        let found = match id {
            Some(id) => self.resource(kind, id),
            None => key.and_then(|key| self.by(kind, "key", key)),
        };
        let found = found.ok_or_else(|| Refused::reference(word, id.or(key).unwrap_or_default()))?;
        Ok(json!({"typeId": word, "id": found["id"]}))
    }

    /// Whether a type has a custom field, and takes the value.
    fn custom_value(&self, ty: &Json, name: &str, value: &Json) -> Result<(), Refused> {
        let ty = self.resource("types", ty["id"].as_str().unwrap_or_default());
        let field = ty.and_then(|ty| ty["fieldDefinitions"].as_array()?.iter().find(|field| field["name"].as_str() == Some(name)));
        let Some(field) = field else {
            let key = ty.map_or("", |ty| ty["key"].as_str().unwrap_or_default());
            return Err(Refused::new(400, "InvalidField", format!("The type '{key}' has no field '{name}'.")).with_field(name, value));
        };
        let kind = field["type"]["name"].as_str().unwrap_or_default();
        let fits = match kind {
            "String" => value.is_string(),
            "Boolean" => value.is_boolean(),
            "Number" => value.is_number(),
            "DateTime" => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            "Enum" => field["type"]["values"].as_array().into_iter().flatten().any(|known| known["key"] == *value),
            _ => true,
        };
        if fits || value.is_null() {
            return Ok(());
        }
        Err(Refused::new(400, "InvalidField", format!("The value '{value}' is not valid for field '{name}': a {kind} is expected."))
            .with_field(name, value))
    }

    pub(super) fn set_custom_field(&self, of: &mut Json, action: &Json) -> Result<(), Refused> {
        let name = action["name"].as_str().unwrap_or_default();
        if of["custom"].is_null() {
            return Err(Refused::operation(format!("The custom field '{name}' cannot be set: the resource has no custom type.")));
        }
        self.custom_value(&of["custom"]["type"], name, &action["value"])?;
        of["custom"]["fields"][name] = action["value"].clone();
        tidy(&mut of["custom"]["fields"]);
        Ok(())
    }

    /// Carries one action out on an order.
    pub(super) fn on_order(&mut self, order: &mut Json, action: &Json, done: &mut Vec<Made>, now: Timestamp) -> Result<(), Refused> {
        let word = action["action"].as_str().unwrap_or_default();
        let set = |order: &mut Json, field: &str, value: &Json| order[field] = value.clone();
        match word {
            "changeOrderState" => set(order, "orderState", &action["orderState"]),
            "changeShipmentState" => set(order, "shipmentState", &action["shipmentState"]),
            "changePaymentState" => set(order, "paymentState", &action["paymentState"]),
            "setPurchaseOrderNumber" => set(order, "purchaseOrderNumber", &action["purchaseOrderNumber"]),
            "setCustomerEmail" => set(order, "customerEmail", &action["email"]),
            "setShippingAddress" => set(order, "shippingAddress", &action["address"]),
            "setBillingAddress" => set(order, "billingAddress", &action["address"]),
            "setOrderNumber" => {
                let number = action["orderNumber"].as_str().unwrap_or_default();
                let other = self.by("orders", "orderNumber", number).filter(|other| other["id"] != order["id"]);
                if other.is_some() && self.laws().holds("orders.orderNumber", "unique") {
                    return Err(Refused::duplicate("orderNumber", number));
                }
                set(order, "orderNumber", &action["orderNumber"]);
            }
            "transitionState" => {
                let to = self.referenced("states", "state", &action["state"])?;
                self.may_go(&order["state"], &to, "OrderState", action["force"] == Json::Bool(true))?;
                order["state"] = to;
            }
            "transitionLineItemState" => self.line_state(order, action)?,
            "setCustomType" => set_custom(self, order, &action["type"], action.get("fields"))?,
            "setCustomField" => self.set_custom_field(order, action)?,
            "updateSyncInfo" => self.sync_info(order, action, done, now)?,
            "addReturnInfo" => self.return_info(order, action, done, now)?,
            _ => self.on_delivery(word, order, action, done, now)?,
        }
        tidy(order);
        Ok(())
    }

    /// Whether a state may follow on another.
    fn may_go(&self, from: &Json, to: &Json, kind: &str, forced: bool) -> Result<(), Refused> {
        let state = |reference: &Json| self.resource("states", reference["id"].as_str().unwrap_or_default());
        let Some(next) = state(to) else { return Err(Refused::reference("state", to["id"].as_str().unwrap_or_default())) };
        if next["type"].as_str() != Some(kind) {
            return Err(Refused::operation(format!("The state '{}' is no {kind}.", next["key"].as_str().unwrap_or_default())));
        }
        let Some(before) = state(from) else { return Ok(()) };
        let allowed = before["transitions"].as_array();
        let may = allowed.is_none_or(|allowed| allowed.iter().any(|state| state["id"] == next["id"]));
        if may || forced || before["id"] == next["id"] || !self.laws().does("states", "holds_transitions") {
            return Ok(());
        }
        let (from, to) = (before["key"].as_str().unwrap_or_default(), next["key"].as_str().unwrap_or_default());
        Err(Refused::operation(format!("The transition from state '{from}' to state '{to}' is not allowed.")))
    }

    fn line_state(&self, order: &mut Json, action: &Json) -> Result<(), Refused> {
        let (from, to) = (self.referenced("states", "state", &action["fromState"])?, self.referenced("states", "state", &action["toState"])?);
        self.may_go(&from, &to, "LineItemState", action["force"] == Json::Bool(true))?;
        let quantity = action["quantity"].as_i64().unwrap_or(0);
        let lines = order["lineItems"].as_array_mut().into_iter().flatten().collect();
        let line = named(lines, action, "lineItem")?;
        let Some(states) = line["state"].as_array_mut() else { return Err(Refused::operation("The line has no states.")) };
        let Some(held) = states.iter_mut().find(|state| state["state"]["id"] == from["id"]) else {
            return Err(Refused::operation(format!("The line has nothing in the state '{}'.", from["id"].as_str().unwrap_or_default())));
        };
        let left = held["quantity"].as_i64().unwrap_or(0) - quantity;
        if left < 0 || quantity <= 0 {
            return Err(Refused::operation(format!("The line has no {quantity} in this state.")));
        }
        held["quantity"] = Json::from(left);
        match states.iter_mut().find(|state| state["state"]["id"] == to["id"]) {
            Some(state) => state["quantity"] = Json::from(state["quantity"].as_i64().unwrap_or(0) + quantity),
            None => states.push(json!({"quantity": quantity, "state": to})),
        }
        states.retain(|state| state["quantity"].as_i64() != Some(0));
        Ok(())
    }

    fn sync_info(&self, order: &mut Json, action: &Json, done: &mut Vec<Made>, now: Timestamp) -> Result<(), Refused> {
        let channel = self.referenced("channels", "channel", &action["channel"])?;
        let roles = self.resource("channels", channel["id"].as_str().unwrap_or_default()).map(|channel| channel["roles"].clone()).unwrap_or_default();
        if !roles.as_array().is_some_and(|roles| roles.iter().any(|role| matches!(role.as_str(), Some("OrderExport" | "OrderImport")))) {
            return Err(Refused::new(400, "MissingRoleOnChannel", "The channel misses the role OrderExport or OrderImport.")
                .with_more(json!({"channel": channel, "missingRole": "OrderExport"})));
        }
        let mark = json!({"channel": channel, "externalId": action["externalId"], "syncedAt": printed(now)});
        let Some(marks) = order["syncInfo"].as_array_mut() else { return Ok(()) };
        if self.laws().holds("orders.syncInfo", "upsert") {
            marks.retain(|known| known["channel"]["id"] != channel["id"]);
        }
        marks.push(mark.clone());
        let key = action["externalId"].as_str().map(str::to_owned);
        done.push(Made { kind: "synced", object: "SyncInfo", id: key.clone().unwrap_or_default(), key, fields: mark });
        Ok(())
    }

    fn return_info(&mut self, order: &mut Json, action: &Json, done: &mut Vec<Made>, now: Timestamp) -> Result<(), Refused> {
        let at = printed(now);
        let mut items = Vec::new();
        for draft in action["items"].as_array().into_iter().flatten() {
            let (kind, field) =
                if draft["lineItemId"].is_string() { ("LineItemReturnItem", "lineItemId") } else { ("CustomLineItemReturnItem", "customLineItemId") };
            let list = if field == "lineItemId" { "lineItems" } else { "customLineItems" };
            let id = draft[field].as_str().unwrap_or_default();
            if !order[list].as_array().into_iter().flatten().any(|line| line["id"].as_str() == Some(id)) {
                return Err(Refused::operation(format!("The order has no line '{id}'.")));
            }
            let mut item = json!({
                "id": self.id(), "type": kind, "quantity": draft["quantity"], "shipmentState": draft["shipmentState"], "paymentState": "Initial",
                "createdAt": at, "lastModifiedAt": at, "comment": draft["comment"],
            });
            item[field] = draft[field].clone();
            tidy(&mut item);
            items.push(item);
        }
        let mut info = json!({"items": items, "returnTrackingId": action["returnTrackingId"], "returnDate": action["returnDate"]});
        tidy(&mut info);
        let key = action["returnTrackingId"].as_str().map(str::to_owned);
        done.push(Made { kind: "returned", object: "ReturnInfo", id: key.clone().unwrap_or_default(), key, fields: info.clone() });
        match order["returnInfo"].as_array_mut() {
            Some(all) => all.push(info),
            None => order["returnInfo"] = json!([info]),
        }
        Ok(())
    }

    fn on_delivery(&mut self, word: &str, order: &mut Json, action: &Json, done: &mut Vec<Made>, now: Timestamp) -> Result<(), Refused> {
        match word {
            "addDelivery" => return self.add_delivery(order, action, done, now),
            "removeDelivery" => {
                let delivery = named(deliveries(order), action, "delivery")?.clone();
                done.push(Made::new("removed", "Delivery", &delivery));
                let gone = |list: &mut Json| {
                    if let Some(list) = list.get_mut("deliveries").and_then(Json::as_array_mut) {
                        list.retain(|known| known["id"] != delivery["id"]);
                    }
                };
                gone(&mut order["shippingInfo"]);
                for shipping in order["shipping"].as_array_mut().into_iter().flatten() {
                    gone(&mut shipping["shippingInfo"]);
                }
            }
            "setDeliveryItems" => {
                self.holds_items(order, &action["items"])?;
                named(deliveries(order), action, "delivery")?["items"] = action["items"].clone();
            }
            "setDeliveryAddress" => {
                let delivery = named(deliveries(order), action, "delivery")?;
                delivery["address"] = action["address"].clone();
                tidy(delivery);
            }
            "addParcelToDelivery" => {
                let parcel = self.parcel(action, action["parcelKey"].as_str(), now);
                let delivery = named(deliveries(order), action, "delivery")?;
                if let Some(parcels) = delivery["parcels"].as_array_mut() {
                    parcels.push(parcel.clone());
                }
                done.push(Made::new("created", "Parcel", &parcel));
            }
            "removeParcelFromDelivery" | "setParcelTrackingData" | "setParcelMeasurements" | "setParcelItems" => {
                let parcels = deliveries(order).into_iter().filter_map(|delivery| delivery["parcels"].as_array_mut()).flatten().collect();
                let parcel = named(parcels, action, "parcel")?;
                if let Some(field) = changed_of_a_parcel(word) {
                    parcel[field] = action[field].clone();
                    tidy(parcel);
                    done.push(Made::new("changed", "Parcel", parcel));
                    return Ok(());
                }
                let id = parcel["id"].clone();
                for parcels in deliveries(order).into_iter().filter_map(|delivery| delivery["parcels"].as_array_mut()) {
                    parcels.retain(|known| known["id"] != id);
                }
            }
            other => return Err(Refused::operation(format!("The sandbox does not carry `{other}` of orders out."))),
        }
        Ok(())
    }

    /// Each item has to be a line of the order.
    fn holds_items(&self, order: &Json, items: &Json) -> Result<(), Refused> {
        let lines = || ["lineItems", "customLineItems"].into_iter().flat_map(|list| order[list].as_array().into_iter().flatten());
        for item in items.as_array().into_iter().flatten() {
            let Some(line) = lines().find(|line| line["id"] == item["id"]) else {
                return Err(Refused::operation(format!("The order has no line '{}'.", item["id"].as_str().unwrap_or_default())));
            };
            if !self.laws().does("deliveries.items", "refuses_more_than_was_ordered") {
                continue;
            }
            let mut copy = order.clone();
            let of = |delivery: &&mut Json| -> i64 {
                let items = delivery["items"].as_array().into_iter().flatten();
                items.filter(|known| known["id"] == item["id"]).filter_map(|known| known["quantity"].as_i64()).sum()
            };
            let delivered: i64 = deliveries(&mut copy).iter().map(of).sum();
            if delivered + item["quantity"].as_i64().unwrap_or(0) > line["quantity"].as_i64().unwrap_or(0) {
                return Err(Refused::operation("More is delivered of a line than was ordered."));
            }
        }
        Ok(())
    }

    fn parcel(&mut self, draft: &Json, key: Option<&str>, now: Timestamp) -> Json {
        let mut parcel = json!({
            "id": self.id(), "key": key, "createdAt": printed(now), "measurements": draft["measurements"], "trackingData": draft["trackingData"],
            "items": draft["items"],
        });
        tidy(&mut parcel);
        parcel
    }

    fn add_delivery(&mut self, order: &mut Json, action: &Json, done: &mut Vec<Made>, now: Timestamp) -> Result<(), Refused> {
        self.holds_items(order, &action["items"])?;
        if let Some(key) = action["deliveryKey"].as_str()
            && self.laws().holds("deliveries.key", "unique")
            && deliveries(order).iter().any(|delivery| delivery["key"].as_str() == Some(key))
        {
            return Err(Refused::duplicate("deliveryKey", key));
        }
        let drafts = action["parcels"].as_array().cloned().unwrap_or_default();
        let parcels: Vec<Json> = drafts.iter().map(|draft| self.parcel(draft, draft["key"].as_str(), now)).collect();
        let items = action["items"].as_array().cloned().unwrap_or_default();
        let mut delivery = json!({"id": self.id(), "key": action["deliveryKey"], "createdAt": printed(now), "items": items, "parcels": parcels, "address": action["address"]});
        tidy(&mut delivery);
        let info = match action["shippingKey"].as_str() {
            Some(key) => order["shipping"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .find(|shipping| shipping["shippingKey"].as_str() == Some(key))
                .map(|shipping| &mut shipping["shippingInfo"]),
            None => order.get_mut("shippingInfo"),
        };
        let Some(info) = info.filter(|info| info.is_object()) else {
            return Err(Refused::operation("A delivery cannot be added: the order has no shipping information."));
        };
        match info["deliveries"].as_array_mut() {
            Some(all) => all.push(delivery.clone()),
            None => info["deliveries"] = json!([delivery]),
        }
        done.push(Made::new("created", "Delivery", &delivery));
        Ok(())
    }
}

/// The field of a parcel that an action sets.
fn changed_of_a_parcel(word: &str) -> Option<&'static str> {
    match word {
        "setParcelTrackingData" => Some("trackingData"),
        "setParcelMeasurements" => Some("measurements"),
        "setParcelItems" => Some("items"),
        _ => None,
    }
}

impl Refused {
    fn with_field(self, field: &str, value: &Json) -> Self {
        self.with_more(json!({"field": field, "invalidValue": value}))
    }

    fn with_more(mut self, more: Json) -> Self {
        self.more = more;
        self
    }
}
