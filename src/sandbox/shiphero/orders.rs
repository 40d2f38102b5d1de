//! Orders: made, changed, held, canceled.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::{HOLDS, Line, Order, fresh_order};
use super::{Answered, Refused, ShipHero, ids, print, time};
use crate::sandbox::kit::laws::{self, Law, Seen};
use crate::value::Json;

/// Fields that are times, and fields that are amounts.
const TIMES: [&str; 3] = ["order_date", "required_ship_date", "hold_until_date"];
const AMOUNTS: [&str; 4] = ["total_tax", "subtotal", "total_discounts", "total_price"];
/// Objects within an order.
const PARTS: [&str; 3] = ["shipping_address", "billing_address", "shipping_lines"];

fn text<'d>(data: &'d Map<String, Json>, name: &str) -> &'d str {
    data.get(name).and_then(Json::as_str).unwrap_or_default()
}

impl ShipHero {
    /// The account that a mutation is for.
    pub(super) fn acting(&self, data: &Map<String, Json>) -> Result<i64, Refused> {
        let Some(given) = data.get("customer_account_id").and_then(Json::as_str) else { return Ok(super::state::OWN) };
        let id = self.id(ids::ACCOUNT, given)?;
        self.state.account(id).map(|account| account.id).ok_or_else(|| Refused::missing("Account not found"))
    }

    /// The order that a mutation names. A customer's order is found for that customer only.
    fn target(&self, data: &Map<String, Json>) -> Result<Order, Refused> {
        let account = self.acting(data)?;
        let id = self.id(ids::ORDER, text(data, "order_id"))?;
        let order = self.state.order(id).filter(|order| order.account == account);
        order.map(|order| (**order).clone()).ok_or_else(|| Refused::missing("Order not found"))
    }

    /// `lock`: what is done is not edited.
    fn unlocked(&self, order: &Order) -> Result<(), Refused> {
        match self.laws.law("orders", "lock") {
            Some(Law::Lock { field, values, refuses }) if values.iter().any(|value| value == order.text(field)) => Err(Refused::bad(refuses)),
            _ => Ok(()),
        }
    }

    /// `unique`, where the account keeps numbers apart.
    fn is_free(&self, order: &Order) -> Result<(), Refused> {
        for (field, index) in [("order_number", &self.state.by_number), ("partner_order_id", &self.state.by_partner)] {
            let Some(Law::Unique { refuses }) = self.laws.law(&format!("orders.{field}"), "unique") else { continue };
            let value = order.text(field).to_owned();
            let others = index.range((value.clone(), i64::MIN)..).take_while(|(known, _)| *known == value).map(|(_, id)| *id);
            let same_account = |id: &i64| *id != order.id && self.state.order(*id).is_some_and(|other| other.account == order.account);
            if !value.is_empty() && others.into_iter().any(|id| same_account(&id)) {
                return Err(Refused::bad(refuses));
            }
        }
        Ok(())
    }

    /// Keeps an order as it is now.
    pub(super) fn commit(&mut self, mut order: Order, now: Timestamp) {
        let hidden = self.laws.seconds("orders", "lag");
        let (id, account) = (order.id, order.account);
        order.updated = time::whole(now);
        let key = |order: &Order, field: &str| (order.text(field).to_owned(), order.id);
        if let Some(old) = self.state.order(id).cloned() {
            self.state.by_updated.remove(&(old.updated, id));
            self.state.by_number.remove(&key(&old, "order_number"));
            self.state.by_partner.remove(&key(&old, "partner_order_id"));
            for sku in self.wanted(&old) {
                if let Some(waiting) = self.state.waiting.get_mut(&(account, sku)) {
                    waiting.remove(&id);
                }
            }
        }
        self.state.by_updated.insert((order.updated, id));
        self.state.by_number.insert(key(&order, "order_number"));
        self.state.by_partner.insert(key(&order, "partner_order_id"));
        for sku in self.wanted(&order) {
            self.state.waiting.entry((account, sku)).or_default().insert(id);
        }
        for line in &order.lines {
            self.state.order_of_line.insert(line.id, id);
        }
        let order = Arc::new(order);
        match self.state.orders.get_mut(&id) {
            Some(seen) => seen.change(order, now, hidden),
            None => {
                self.state.orders.insert(id, Seen::new(order, now, hidden));
            }
        }
    }

    pub(super) fn note(&mut self, order: &mut Order, words: impl Into<String>, now: Timestamp) {
        let id = self.state.id();
        order.history.push((id, time::whole(now), words.into()));
    }

    /// Fields of an input, read into an order.
    fn read_fields(&self, order: &mut Order, data: &Map<String, Json>, is_new: bool) -> Result<(), Refused> {
        let known = fresh_order(order.account);
        let mut given = Map::new();
        for (name, value) in data {
            match name.as_str() {
                "customer_account_id" | "order_id" | "line_items" | "holds" | "history_entry" | "ready_to_ship" => {}
                name if TIMES.contains(&name) => {
                    given.insert(name.to_owned(), at(name, value)?);
                }
                name if AMOUNTS.contains(&name) => {
                    amount(name, value)?;
                    given.insert(name.to_owned(), value.clone());
                }
                name if PARTS.contains(&name) && !is_new && !value.is_null() && !self.laws.holds("order_update.address", "replace") => {
                    let mut part = order.fields.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
                    laws::set(&mut part, value.as_object().unwrap_or(&Map::new()));
                    given.insert(name.to_owned(), Json::Object(part));
                }
                name if known.contains_key(name) => {
                    given.insert(name.to_owned(), value.clone());
                }
                // What the schema takes and does not show again.
                name => {
                    given.insert(format!("#{name}"), value.clone());
                }
            }
        }
        if !is_new && !self.laws.holds("order_update", "set") {
            let lost: Vec<String> = known.keys().filter(|name| !matches!(name.as_str(), "account_id" | "holds")).cloned().collect();
            let kept = order.fields.clone();
            laws::replace(&mut order.fields, &given, &lost, "account_id");
            for (name, value) in known {
                order.fields.entry(name).or_insert(value);
            }
            order.fields.insert("fulfillment_status".to_owned(), kept.get("fulfillment_status").cloned().unwrap_or_default());
            return Ok(());
        }
        laws::set(&mut order.fields, &given);
        Ok(())
    }

    fn read_lines(&mut self, account: i64, given: Option<&Json>, now: Timestamp) -> Result<Vec<Line>, Refused> {
        let mut lines = Vec::new();
        for data in given.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object) {
            let (sku, quantity) = (text(data, "sku").to_owned(), data.get("quantity").and_then(Json::as_i64).unwrap_or_default());
            if sku.is_empty() {
                return Err(Refused::bad("sku can't be empty"));
            }
            if quantity <= 0 {
                return Err(Refused::bad(format!("quantity of {sku} must be greater than 0")));
            }
            amount("price", data.get("price").unwrap_or(&Json::Null))?;
            let product = self.state.products.get(&(account, sku.clone())).map(|product| product.name.clone());
            if product.is_none() && !self.laws.does("orders.sku", "takes_unknown_products") {
                return Err(Refused::missing(format!("Product {sku} not found")));
            }
            let mut fields = kept_of_line(data);
            if fields.get("product_name").is_none_or(Json::is_null) {
                fields.insert("product_name".to_owned(), product.map_or(Json::Null, Json::String));
            }
            let (id, now) = (self.state.id(), time::whole(now));
            lines.push(Line {
                id,
                fields,
                sku,
                quantity,
                shipped: 0,
                canceled: false,
                allocated: 0,
                warehouse: None,
                created: now,
                updated: now,
                lots: Vec::new(),
                serials: Vec::new(),
            });
        }
        Ok(lines)
    }

    pub(super) fn order_create(&mut self, data: &Map<String, Json>, by_api: bool, now: Timestamp) -> Answered {
        let account = self.acting(data)?;
        let (at, id) = (time::whole(now), self.state.id());
        let mut order = Order {
            id,
            account,
            created: at,
            updated: at,
            fields: fresh_order(account),
            lines: Vec::new(),
            shipments: Vec::new(),
            warehouse: None,
            history: Vec::new(),
        };
        order.fields.insert("order_date".to_owned(), time::json(at));
        self.read_fields(&mut order, data, true)?;
        if let Some(holds) = data.get("holds").and_then(Json::as_object) {
            set_holds(&mut order, holds);
        }
        if order.text("order_number").is_empty() {
            order.fields.insert("order_number".to_owned(), Json::from(format!("MO{id}")));
        }
        self.is_free(&order)?;
        order.lines = self.read_lines(account, data.get("line_items"), now)?;
        self.note(&mut order, "Order created", now);
        if self.allocate(&mut order, now) {
            self.tell_allocated("Order Allocated", &order);
        }
        let told = of_effect(&order);
        let printed = print::order(&order);
        let key = Some(order.text("partner_order_id").to_owned()).filter(|key| !key.is_empty());
        self.commit(order, now);
        self.effect(now, "created", "Order", &ids::printed(ids::ORDER, id), key, by_api, told);
        Ok(json!({"order": printed}))
    }

    /// Carries a change of an order out, and tells it.
    pub(super) fn changed(&mut self, mut order: Order, kind: &str, by_api: bool, fields: Json, now: Timestamp) -> Json {
        let is_done = !order.is_open();
        let free = self.release(&mut order, is_done, now);
        self.allocate(&mut order, now);
        let (id, account) = (order.id, order.account);
        let key = Some(order.text("partner_order_id").to_owned()).filter(|key| !key.is_empty());
        let printed = print::order(&order);
        self.commit(order, now);
        self.effect(now, kind, "Order", &ids::printed(ids::ORDER, id), key, by_api, fields);
        self.serve_waiting(account, &free, now);
        json!({"order": self.state.order(id).map_or(printed, |order| print::order(order))})
    }

    pub(super) fn order_update(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        self.unlocked(&order)?;
        self.read_fields(&mut order, data, false)?;
        self.is_free(&order)?;
        if let Some(entry) = data.get("history_entry").and_then(Json::as_object) {
            let words = text(entry, "message").to_owned();
            self.note(&mut order, words, now);
        }
        let mut fields = data.clone();
        fields.remove("order_id");
        self.note(&mut order, "Order updated", now);
        Ok(self.changed(order, "updated", true, Json::Object(fields), now))
    }

    pub(super) fn order_lines(&mut self, data: &Map<String, Json>, how: &str, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        self.unlocked(&order)?;
        match how {
            "order_add_line_items" => {
                let mut lines = self.read_lines(order.account, data.get("line_items"), now)?;
                if !self.laws.holds("order_add_line_items", "appends_lines") {
                    let known: Vec<Json> = order.lines.iter().filter_map(|line| line.fields.get("partner_line_item_id").cloned()).collect();
                    lines.retain(|line| line.fields.get("partner_line_item_id").is_none_or(|id| !known.contains(id)));
                }
                order.lines.append(&mut lines);
            }
            "order_update_line_items" => {
                for given in data.get("line_items").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object) {
                    let id = self.id(ids::LINE, text(given, "id"))?;
                    let line = order.lines.iter_mut().find(|line| line.id == id).ok_or_else(|| Refused::missing("Line item not found"))?;
                    if let Some(price) = given.get("price") {
                        amount("price", price)?;
                    }
                    if let Some(quantity) = given.get("quantity").and_then(Json::as_i64) {
                        if quantity < line.shipped || quantity < 0 {
                            return Err(Refused::bad(format!("quantity can't be less than what is shipped already, {}", line.shipped)));
                        }
                        line.quantity = quantity;
                    }
                    if let Some(pending) = given.get("quantity_pending_fulfillment").and_then(Json::as_i64) {
                        line.quantity = line.shipped + pending.max(0);
                    }
                    line.canceled = given.get("fulfillment_status").map_or(line.canceled, |status| status == "canceled" || status == "cancelled");
                    laws::set(&mut line.fields, &kept_of_line(given));
                    line.updated = time::whole(now);
                }
            }
            _ => {
                let mut gone = Vec::new();
                for id in data.get("line_item_ids").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
                    let id = self.id(ids::LINE, id)?;
                    let line = order.lines.iter().find(|line| line.id == id).ok_or_else(|| Refused::missing("Line item not found"))?;
                    if line.shipped > 0 {
                        return Err(Refused::bad("A line item that was shipped can't be removed"));
                    }
                    gone.push(id);
                }
                let (mut left, kept): (Vec<Line>, Vec<Line>) = order.lines.into_iter().partition(|line| gone.contains(&line.id));
                left.iter_mut().for_each(|line| line.canceled = true);
                order.lines = left;
                self.release(&mut order, false, now);
                order.lines = kept;
            }
        }
        self.note(&mut order, how.replace('_', " "), now);
        let lines: Json = order.lines.iter().map(|line| json!({"sku": line.sku, "quantity": line.quantity})).collect();
        Ok(self.changed(order, "lines", true, json!({"line_items": lines}), now))
    }

    pub(super) fn order_update_holds(&mut self, data: &Map<String, Json>, by_api: bool, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        self.unlocked(&order)?;
        set_holds(&mut order, data);
        let holds = order.fields.get("holds").cloned().unwrap_or_default();
        let kind = if order.is_held() { "held" } else { "released" };
        self.note(&mut order, "Holds updated", now);
        Ok(self.changed(order, kind, by_api, json!({"holds": holds}), now))
    }

    pub(super) fn order_tags(&mut self, data: &Map<String, Json>, how: &str, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        let given = data.get("tags").and_then(Json::as_array).cloned().unwrap_or_default();
        let mut tags = order.fields.get("tags").and_then(Json::as_array).cloned().unwrap_or_default();
        match how {
            "order_clear_tags" => tags.clear(),
            "order_update_tags" if self.laws.holds("order_update_tags", "replace") => tags = given,
            _ => tags.extend(given),
        }
        let mut once: Vec<Json> = Vec::new();
        tags.into_iter().filter(|tag| !tag.is_null()).for_each(|tag| {
            if !once.contains(&tag) {
                once.push(tag);
            }
        });
        order.fields.insert("tags".to_owned(), Json::Array(once.clone()));
        self.note(&mut order, "Tags updated", now);
        Ok(self.changed(order, "tagged", true, json!({"tags": once}), now))
    }

    pub(super) fn order_status(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let order = self.target(data)?;
        let status = text(data, "fulfillment_status").to_owned();
        if matches!(status.as_str(), "canceled" | "cancelled") {
            return self.order_cancel(data, true, now);
        }
        self.unlocked(&order)?;
        let mut order = order;
        order.fields.insert("fulfillment_status".to_owned(), Json::from(status.clone()));
        if status == "fulfilled" {
            for line in &mut order.lines {
                line.shipped = line.quantity;
            }
        }
        self.note(&mut order, format!("Fulfillment status set to {status}"), now);
        Ok(self.changed(order, "status", true, json!({"fulfillment_status": status}), now))
    }

    pub(super) fn order_cancel(&mut self, data: &Map<String, Json>, by_api: bool, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        if matches!(order.status(), "canceled" | "cancelled") {
            return Ok(json!({"order": print::order(&order)}));
        }
        let shipped = order.lines.iter().any(|line| line.shipped > 0);
        if shipped && data.get("force") != Some(&Json::Bool(true)) {
            return Err(Refused::bad("The order can't be canceled: some of its items were shipped already"));
        }
        order.fields.insert("fulfillment_status".to_owned(), Json::from("canceled"));
        order.lines.iter_mut().for_each(|line| line.canceled = line.shipped < line.quantity);
        let reason = text(data, "reason").to_owned();
        self.note(&mut order, format!("Order canceled: {reason}"), now);
        self.tell_canceled(&order, &reason);
        Ok(self.changed(order, "canceled", by_api, json!({"fulfillment_status": "canceled", "reason": reason}), now))
    }

    pub(super) fn order_change_warehouse(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        self.unlocked(&order)?;
        let warehouse = self.id(ids::WAREHOUSE, text(data, "warehouse_id"))?;
        if !self.state.warehouses_of(order.account).any(|known| known.id == warehouse) {
            return Err(Refused::missing("Warehouse not found"));
        }
        let mut free = self.release(&mut order, true, now);
        order.warehouse = Some(warehouse);
        self.note(&mut order, "Warehouse changed", now);
        let account = order.account;
        let printed = self.changed(order, "moved", true, json!({"warehouse_id": text(data, "warehouse_id")}), now);
        free.dedup();
        self.serve_waiting(account, &free, now);
        Ok(printed)
    }

    pub(super) fn order_add_history_entry(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let mut order = self.target(data)?;
        let words = data.get("history_entry").and_then(|entry| entry.get("message")).and_then(Json::as_str).unwrap_or_default().to_owned();
        self.note(&mut order, words.clone(), now);
        Ok(self.changed(order, "noted", true, json!({"message": words}), now))
    }
}

/// What an input says of a line that has no place of its own.
fn kept_of_line(data: &Map<String, Json>) -> Map<String, Json> {
    let own = ["id", "sku", "quantity", "quantity_pending_fulfillment", "fulfillment_status", "warehouse_id"];
    let mut fields: Map<String, Json> =
        data.iter().filter(|(name, _)| !own.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(warehouse) = data.get("warehouse_id") {
        fields.insert("locked_to_warehouse_id".to_owned(), warehouse.clone());
    }
    fields
}

fn set_holds(order: &mut Order, given: &Map<String, Json>) {
    if let Some(Json::Object(holds)) = order.fields.get_mut("holds") {
        for name in HOLDS {
            if let Some(hold @ Json::Bool(_)) = given.get(name) {
                holds.insert(name.to_owned(), hold.clone());
            }
        }
    }
}

fn at(name: &str, value: &Json) -> Result<Json, Refused> {
    match value {
        Json::Null => Ok(Json::Null),
        Json::String(text) => time::read(text).map(time::json).ok_or_else(|| Refused::bad(format!("Invalid date for {name}: {text}"))),
        other => Err(Refused::bad(format!("Invalid date for {name}: {other}"))),
    }
}

fn amount(name: &str, value: &Json) -> Result<(), Refused> {
    match value {
        Json::Null => Ok(()),
        Json::String(text) if text.is_empty() || text.parse::<rust_decimal::Decimal>().is_ok() => Ok(()),
        other => Err(Refused::bad(format!("Invalid amount for {name}: {}", other.as_str().unwrap_or_default()))),
    }
}

/// What the log of effects tells of a new order.
fn of_effect(order: &Order) -> Json {
    let lines: Vec<Json> = order.lines.iter().map(|line| json!({"sku": line.sku, "quantity": line.quantity})).collect();
    json!({
        "order_number": order.text("order_number"), "partner_order_id": order.text("partner_order_id"), "fulfillment_status": order.status(),
        "account": order.account, "tags": order.fields.get("tags"), "shop_name": order.text("shop_name"), "line_items": lines,
        "shipping_address": order.fields.get("shipping_address"), "packing_note": order.fields.get("packing_note"), "holds": order.fields.get("holds"),
    })
}
