//! Shipments: goods that left, in packages with labels.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::{Label, Order, Shipment, Shipped};
use super::{Answered, Refused, ShipHero, ids, print, time};
use crate::sandbox::kit::laws::Seen;
use crate::value::Json;

/// What goes into one shipment.
pub(super) struct Parcel {
    pub(super) warehouse: i64,
    /// Lines with how many of each.
    pub(super) lines: Vec<(i64, i64)>,
    /// Fields of each label, with the lines that are in its package; none: all of them.
    pub(super) labels: Vec<(Map<String, Json>, Vec<i64>)>,
    pub(super) address: Json,
    pub(super) off_shiphero: bool,
}

impl ShipHero {
    pub(super) fn shipment_create(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let account = self.acting(data)?;
        let text = |data: &Map<String, Json>, name: &str| data.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let id = self.id(ids::ORDER, &text(data, "order_id"))?;
        let order = self.state.order(id).filter(|order| order.account == account).cloned().ok_or_else(|| Refused::missing("Order not found"))?;
        let warehouse = self.id(ids::WAREHOUSE, &text(data, "warehouse_id"))?;
        if !self.state.warehouses_of(account).any(|known| known.id == warehouse) {
            return Err(Refused::missing("Warehouse not found"));
        }
        let list = |name: &str| data.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object);
        let mut lines = Vec::new();
        for line in list("line_items") {
            let id = self.id(ids::LINE, &text(line, "line_item_id"))?;
            lines.push((id, line.get("quantity").and_then(Json::as_i64).unwrap_or_default()));
        }
        let mut labels = Vec::new();
        for label in list("labels") {
            let mut inside = Vec::new();
            for id in label.get("line_item_ids").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
                inside.push(self.id(ids::LINE, id)?);
            }
            let mut fields = label.clone();
            fields.remove("line_item_ids");
            labels.push((fields, inside));
        }
        let off_shiphero = data.get("shipped_off_shiphero") == Some(&Json::Bool(true));
        let parcel = Parcel { warehouse, lines, labels, address: data.get("address").cloned().unwrap_or_default(), off_shiphero };
        let shipment = self.ship(&order, parcel, true, now)?;
        Ok(json!({"shipment": self.state.shipment(shipment).map(|shipment| print::shipment(shipment))}))
    }

    /// Sends goods of an order off.
    pub(super) fn ship(&mut self, order: &Order, parcel: Parcel, by_api: bool, now: Timestamp) -> Result<i64, Refused> {
        if !order.is_open() {
            return Err(Refused::bad(format!("The order {} is {}", order.text("order_number"), order.status())));
        }
        if parcel.lines.is_empty() {
            return Err(Refused::bad("A shipment needs line items"));
        }
        for (id, quantity) in &parcel.lines {
            let line = order.lines.iter().find(|line| line.id == *id).ok_or_else(|| Refused::missing("Line item not found"))?;
            let twice: i64 = parcel.lines.iter().filter(|(other, _)| other == id).map(|(_, quantity)| quantity).sum();
            if *quantity <= 0 || twice > line.pending() {
                let message = format!("{quantity} of {} can't be shipped: {} are pending", line.sku, line.pending());
                return Err(Refused::bad(message));
            }
        }
        let (id, at) = (self.state.id(), time::whole(now));
        let mut order = order.clone();
        let mut shipment = Shipment {
            id,
            order: order.id,
            warehouse: parcel.warehouse,
            created: at,
            address: parcel.address,
            lines: Vec::new(),
            labels: Vec::new(),
            voided: false,
            off_shiphero: parcel.off_shiphero,
        };
        let (number, account) = (order.text("order_number").to_owned(), order.account);
        let warehouse = self.state.warehouse(parcel.warehouse).map(|warehouse| warehouse.identifier.clone());
        let mut inside: Vec<(i64, Vec<i64>)> = Vec::new();
        for (mut fields, lines) in parcel.labels {
            let label = self.state.id();
            fields.insert("order_number".to_owned(), Json::from(number.clone()));
            fields.insert("order_account_id".to_owned(), Json::from(account.to_string()));
            fields.insert("account_id".to_owned(), ids::json(ids::ACCOUNT, super::state::OWN));
            fields.insert("warehouse".to_owned(), warehouse.clone().map_or(Json::Null, Json::String));
            inside.push((label, lines));
            shipment.labels.push(Label { id: label, fields });
        }
        for (line_id, quantity) in parcel.lines {
            let shipped = self.state.id();
            let own = inside.iter().find(|(_, lines)| lines.contains(&line_id)).or(inside.first()).map(|(label, _)| *label);
            shipment.lines.push(Shipped { id: shipped, line: line_id, label: own, quantity });
            let Some(place) = order.lines.iter().position(|line| line.id == line_id) else { continue };
            let mut line = order.lines[place].clone();
            self.take_shipped(account, &mut line, parcel.warehouse, quantity, now);
            line.shipped += quantity;
            line.updated = at;
            self.trace_goods(account, &mut line, quantity, now);
            order.lines[place] = line;
        }
        if order.lines.iter().all(|line| line.pending() == 0) {
            order.fields.insert("fulfillment_status".to_owned(), Json::from("fulfilled"));
        }
        order.shipments.push(id);
        self.note(&mut order, format!("Order shipped from {}", warehouse.unwrap_or_default()), now);
        let hidden = self.laws.seconds("shipments", "lag");
        let told = of_effect(&shipment, &order);
        self.tell_shipped(&shipment, &order);
        self.state.shipped_at.insert((at, id));
        self.state.shipments.insert(id, Seen::new(Arc::new(shipment), now, hidden));
        let key = Some(order.text("partner_order_id").to_owned()).filter(|key| !key.is_empty());
        let kind = if told["tracking_numbers"].as_array().is_some_and(|all| !all.is_empty()) { "label" } else { "shipped" };
        self.effect(now, kind, "Shipment", &ids::printed(ids::SHIPMENT, id), key, by_api, told);
        let status = order.fields.get("fulfillment_status").cloned();
        self.changed(order, "shipped", by_api, json!({"fulfillment_status": status, "shipment_id": ids::printed(ids::SHIPMENT, id)}), now);
        Ok(id)
    }

    /// Lots and serial numbers of what was packed, where the product has them.
    fn trace_goods(&mut self, account: i64, line: &mut super::state::Line, quantity: i64, now: Timestamp) {
        let product = self.state.products.get(&(account, line.sku.clone())).map(|product| (product.has_lots, product.has_serials));
        let (has_lots, has_serials) = product.unwrap_or_default();
        if has_lots {
            let (id, lot) = (self.state.id(), self.state.id());
            line.lots.push(json!({
                "id": ids::printed("ShippedLineItemLot", id), "legacy_id": id, "line_item_id": ids::printed(ids::LINE, line.id),
                "lot_id": ids::printed("Lot", lot), "lot_name": format!("LOT-{lot}"),
                "lot_expiration_date": time::json(now.saturating_add(jiff::SignedDuration::from_hours(24 * 365)).unwrap_or(now)),
            }));
        }
        for _ in 0..if has_serials { quantity } else { 0 } {
            let serial = self.state.id();
            line.serials.push(format!("SN-{serial}"));
        }
    }

    /// A label is void: its goods are back, and the order is open again.
    pub(super) fn void(&mut self, id: i64, now: Timestamp) -> Result<Json, String> {
        let Some(shipment) = self.state.shipment(id).cloned() else { return Err("there is no such shipment".to_owned()) };
        if shipment.voided {
            return Err("its label is void already".to_owned());
        }
        let Some(mut order) = self.state.order(shipment.order).map(|order| (**order).clone()) else { return Err("its order is gone".to_owned()) };
        let mut void = (*shipment).clone();
        void.voided = true;
        for label in &mut void.labels {
            label.fields.insert("status".to_owned(), Json::from("voided"));
            label.fields.insert("refunded".to_owned(), Json::Bool(true));
        }
        for shipped in &shipment.lines {
            if let Some(line) = order.lines.iter_mut().find(|line| line.id == shipped.line) {
                line.shipped -= shipped.quantity;
                line.updated = time::whole(now);
                let sku = line.sku.clone();
                self.move_stock(order.account, &sku, shipment.warehouse, shipped.quantity, "Label voided", now);
            }
        }
        if order.status() == "fulfilled" {
            order.fields.insert("fulfillment_status".to_owned(), Json::from("pending"));
        }
        self.note(&mut order, "Label voided", now);
        let hidden = self.laws.seconds("shipments", "lag");
        let printed = print::shipment(&void);
        if let Some(seen) = self.state.shipments.get_mut(&id) {
            seen.change(Arc::new(void), now, hidden);
        }
        let key = Some(order.text("partner_order_id").to_owned()).filter(|key| !key.is_empty());
        self.effect(now, "voided", "Shipment", &ids::printed(ids::SHIPMENT, id), key, false, json!({"order_number": order.text("order_number")}));
        self.changed(order, "reopened", false, json!({"fulfillment_status": "pending"}), now);
        Ok(printed)
    }
}

fn of_effect(shipment: &Shipment, order: &Order) -> Json {
    let tracking: Vec<Json> = shipment.labels.iter().filter_map(|label| label.fields.get("tracking_number").cloned()).collect();
    let lines: Vec<Json> = shipment
        .lines
        .iter()
        .map(|shipped| {
            let sku = order.lines.iter().find(|line| line.id == shipped.line).map(|line| line.sku.clone());
            json!({"sku": sku, "quantity": shipped.quantity})
        })
        .collect();
    json!({
        "order_id": ids::printed(ids::ORDER, order.id), "order_number": order.text("order_number"), "warehouse_id": shipment.warehouse,
        "tracking_numbers": tracking, "line_items": lines, "account": order.account,
    })
}
