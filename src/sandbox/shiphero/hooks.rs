//! Webhooks: who asked for which event, what they are told, and how it is signed.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::{Hook, Order, Shipment};
use super::{Answered, Refused, ShipHero, ids, print};
use crate::sandbox::Delivery;
use crate::sandbox::kit::laws::{Law, signature};
use crate::value::Json;

impl ShipHero {
    pub(super) fn webhook_create(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let account = self.acting(data)?;
        let text = |name: &str| data.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let (name, url, shop) = (text("name"), text("url"), text("shop_name"));
        if !self.outbox.knows(&name) {
            return Err(Refused::bad(format!("Invalid webhook name: {name}")));
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Refused::bad(format!("Invalid url: {url}")));
        }
        let is_it = |hook: &&Hook| hook.account == account && hook.name == name && hook.shop == shop;
        if let (Some(Law::Unique { refuses }), true) = (self.laws.law("webhooks", "unique"), self.state.hooks.iter().any(|hook| is_it(&hook))) {
            return Err(Refused::bad(refuses));
        }
        let id = self.state.id();
        let secret = format!("{:016x}{:016x}", self.rng.roll(), self.rng.roll());
        let hook = Hook { id, account, name: name.clone(), shop, url: url.clone(), secret: secret.clone() };
        let mut printed = print::hook(&hook);
        // Only now: no later answer has it.
        printed["shared_signature_secret"] = Json::String(secret);
        self.state.hooks.push(hook);
        self.effect(now, "subscribed", "Webhook", &ids::printed(ids::WEBHOOK, id), None, true, json!({"name": name, "url": url}));
        Ok(json!({"webhook": printed}))
    }

    pub(super) fn webhook_delete(&mut self, data: &Map<String, Json>, now: Timestamp) -> Answered {
        let account = self.acting(data)?;
        let text = |name: &str| data.get(name).and_then(Json::as_str).unwrap_or_default();
        let (name, shop) = (text("name"), text("shop_name"));
        let is_it = |hook: &Hook| hook.account == account && hook.name == name && (shop.is_empty() || hook.shop == shop);
        let Some(id) = self.state.hooks.iter().find(|hook| is_it(hook)).map(|hook| hook.id) else {
            return Err(Refused::missing("Webhook not found"));
        };
        self.state.hooks.retain(|hook| !is_it(hook));
        self.effect(now, "unsubscribed", "Webhook", &ids::printed(ids::WEBHOOK, id), None, true, json!({"name": name}));
        Ok(json!({}))
    }

    /// Tells an event to those of an account who asked for it.
    fn tell(&mut self, event: &str, account: i64, body: &Json) {
        let to: Vec<Hook> = self.state.hooks.iter().filter(|hook| hook.account == account && hook.name == event).cloned().collect();
        self.outbox.tell(event, body.to_string().as_bytes(), to);
    }

    /// What goes out now, signed.
    pub(super) fn outgoing(&mut self) -> Vec<Delivery> {
        let law = self.laws.law("webhooks", "signed").cloned();
        let sent = self.outbox.take().into_iter().map(|sent| {
            let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            headers.push((
                "x-shiphero-message-id".to_owned(),
                format!("{:08x}-{:04x}-4000-8000-{:012x}", self.options.seed as u32, sent.to.id % 65_536, sent.number),
            ));
            if let Some(Law::Signed { header, hash, print }) = &law {
                headers.extend(signature(hash, print, &sent.to.secret, &sent.body).map(|signed| (header.clone(), signed)));
            }
            Delivery { url: sent.to.url, headers, body: sent.body }
        });
        sent.collect()
    }

    pub(super) fn tell_shipped(&mut self, shipment: &Shipment, order: &Order) {
        let warehouse = self.state.warehouse(shipment.warehouse).map(|warehouse| warehouse.identifier.clone());
        let total = shipment.labels.len();
        let name = |label: Option<i64>| {
            let place = shipment.labels.iter().position(|known| Some(known.id) == label).unwrap_or(0);
            format!("Package #{}", place + 1)
        };
        let line = |shipped: &super::state::Shipped| {
            let line = order.lines.iter().find(|line| line.id == shipped.line);
            let lot = line.and_then(|line| line.lots.last());
            json!({
                "id": line.and_then(|line| line.fields.get("partner_line_item_id").cloned()), "shiphero_id": shipped.line,
                "quantity": shipped.quantity, "sku": line.map(|line| line.sku.clone()), "serial_numbers": line.map(|line| line.serials.clone()),
                "customs_description": null, "package": name(shipped.label), "lot_id": lot.map(|lot| lot["lot_id"].clone()),
                "lot_name": lot.map(|lot| lot["lot_name"].clone()), "lot_expiration": lot.map(|lot| lot["lot_expiration_date"].clone()),
            })
        };
        let of_label =
            |label: Option<&super::state::Label>, field: &str| label.and_then(|label| label.fields.get(field)).cloned().unwrap_or_default();
        let packages: Vec<Json> = shipment
            .labels
            .iter()
            .map(|label| {
                let inside = shipment.lines.iter().filter(|line| line.label == Some(label.id));
                json!({
                    "name": name(Some(label.id)), "line_items": inside.map(&line).collect::<Vec<_>>(),
                    "tracking_number": of_label(Some(label), "tracking_number"), "shipping_carrier": of_label(Some(label), "carrier"),
                    "shipping_method": of_label(Some(label), "shipping_method"),
                    "shipping_label": {
                        "tracking_number": of_label(Some(label), "tracking_number"), "carrier": of_label(Some(label), "carrier"),
                        "shipping_method": of_label(Some(label), "shipping_method"), "cost": of_label(Some(label), "cost"),
                    },
                })
            })
            .collect();
        let first = shipment.labels.first();
        let body = json!({
            "test": "0", "webhook_type": "Shipment Update",
            "fulfillment": {
                "shipment_id": shipment.id, "shipment_uuid": ids::printed(ids::SHIPMENT, shipment.id), "warehouse": warehouse,
                "warehouse_id": shipment.warehouse, "warehouse_uuid": ids::printed(ids::WAREHOUSE, shipment.warehouse),
                "webhook_type": "Shipment Update", "partner_order_id": order.text("partner_order_id"), "order_number": order.text("order_number"),
                "order_uuid": ids::printed(ids::ORDER, order.id), "tracking_number": of_label(first, "tracking_number"),
                "line_items": shipment.lines.iter().map(line).collect::<Vec<_>>(), "custom_tracking_url": "", "package_number": 1,
                "total_packages": total, "shipping_method": of_label(first, "shipping_method"), "shipping_carrier": of_label(first, "carrier"),
                "completed": true, "created_at": super::time::printed(shipment.created).replace('T', " "),
                "account_id": order.account, "account_uuid": ids::printed(ids::ACCOUNT, order.account),
            },
            "total_packages": total, "packages": packages,
        });
        self.tell("Shipment Update", order.account, &body);
    }

    pub(super) fn tell_canceled(&mut self, order: &Order, reason: &str) {
        let body = json!({
            "webhook_type": "Order Canceled", "account_id": order.account, "account_uuid": ids::printed(ids::ACCOUNT, order.account),
            "order_id": order.id, "order_uuid": ids::printed(ids::ORDER, order.id), "order_number": order.text("order_number"),
            "partner_order_id": order.text("partner_order_id"), "reason": reason,
        });
        self.tell("Order Canceled", order.account, &body);
    }

    pub(super) fn tell_allocated(&mut self, event: &str, order: &Order) {
        let line = |line: &super::state::Line| json!({"id": ids::printed(ids::LINE, line.id), "sku": line.sku, "quantity_allocated": line.allocated});
        let body = json!({
            "webhook_type": event, "account_id": order.account, "account_uuid": ids::printed(ids::ACCOUNT, order.account),
            "order_id": order.id, "order_uuid": ids::printed(ids::ORDER, order.id), "order_number": order.text("order_number"),
            "partner_order_id": order.text("partner_order_id"), "line_items": order.lines.iter().map(line).collect::<Vec<_>>(),
            "ready_to_ship": !order.is_held() && order.lines.iter().all(|line| line.backorder() == 0),
        });
        self.tell(event, order.account, &body);
    }

    pub(super) fn tell_packed(&mut self, event: &str, order: &Order) {
        let item = |line: &super::state::Line| json!({"order_id": order.id, "line_item_id": line.id, "sku": line.sku, "quantity": line.quantity});
        let body = json!({
            "webhook_type": event, "account_id": order.account, "account_uuid": ids::printed(ids::ACCOUNT, order.account), "order_id": order.id,
            "order_uuid": ids::printed(ids::ORDER, order.id), "order_number": order.text("order_number"),
            "partner_order_id": order.text("partner_order_id"), "items": order.lines.iter().map(item).collect::<Vec<_>>(),
        });
        self.tell(event, order.account, &body);
    }

    #[expect(clippy::too_many_arguments, reason = "what a movement of goods is")]
    pub(super) fn tell_stock(&mut self, account: i64, sku: &str, warehouse: i64, before: i64, change: i64, reason: &str, now: Timestamp) {
        let warehouses = self.state.warehouses_of(account).filter_map(|place| self.state.stock_at(account, sku, place.id));
        let (on_hand, allocated) = warehouses.fold((0, 0), |(hand, aside), stock| (hand + stock.on_hand, aside + stock.allocated));
        let (here, aside) = self.state.stock_at(account, sku, warehouse).map_or((0, 0), |stock| (stock.on_hand, stock.allocated));
        let backorder = self.backorder(account, sku).to_string();
        let identifier = self.state.warehouse(warehouse).map(|warehouse| warehouse.identifier.clone());
        let place = json!({
            "warehouse_id": warehouse, "warehouse_uuid": ids::printed(ids::WAREHOUSE, warehouse), "identifier": identifier,
            "inventory": (here - aside).to_string(), "backorder_quantity": backorder, "on_hand": here.to_string(),
        });
        let update = json!({
            "account_id": account, "account_uuid": ids::printed(ids::ACCOUNT, account), "webhook_type": "Inventory Update",
            "inventory": [{
                "sku": sku, "inventory": (on_hand - allocated).to_string(), "backorder_quantity": backorder, "on_hand": on_hand.to_string(),
                "virtual": false, "updated_warehouse": place,
            }],
        });
        self.tell("Inventory Update", account, &update);
        let change = json!({
            "account_id": account, "account_uuid": ids::printed(ids::ACCOUNT, account), "webhook_type": "Inventory Change", "sku": sku,
            "warehouse_id": warehouse, "warehouse_uuid": ids::printed(ids::WAREHOUSE, warehouse), "previous_on_hand": before,
            "change_in_on_hand": change, "reason": reason, "timestamp": super::time::printed(now),
        });
        self.tell("Inventory Change", account, &change);
    }
}
