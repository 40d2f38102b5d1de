//! What people do in the warehouse, and in the account.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::graphql::FORMS;
use super::shipments::Parcel;
use super::state::{Goods, HOLDS, Handled, OWN, Order};
use super::{ShipHero, ids, print, time};
use crate::base::nearest;
use crate::sandbox::Act;
use crate::sandbox::kit::graphql::Problem;
use crate::sandbox::user_actions::{self, SHIPHERO};
use crate::value::Json;

fn text<'s>(settings: &'s Json, name: &str) -> Option<&'s str> {
    settings.get(name).and_then(Json::as_str)
}

impl ShipHero {
    pub(super) fn carry_act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let act = &user_actions::given(act, "ShipHero", &SHIPHERO)?;
        let settings = &act.settings;
        match act.verb.as_str() {
            "create" => self.imported(&act.subject, settings, now),
            "restock" => self.restocked(&act.subject, settings, now),
            "backorder" => self.lost_goods(&act.subject, now),
            "product" => self.new_product(&act.subject, settings, now),
            "expire" => {
                self.tokens.end();
                Ok(json!({}))
            }
            "rotate" => {
                self.options.password = text(settings, "password").ok_or("say the new password: --set password=…")?.to_owned();
                if let Some(token) = text(settings, "refresh_token") {
                    self.options.refresh_token = token.to_owned();
                }
                self.tokens.end();
                Ok(json!({}))
            }
            "drain" => {
                self.credits.drain(now);
                Ok(json!({"credits_remaining": 0}))
            }
            "ship_all" => {
                let open: Vec<i64> =
                    self.state.orders.values().map(|seen| seen.newest()).filter(|order| is_ready(order)).map(|order| order.id).collect();
                let shipped: Vec<Json> = open.into_iter().filter_map(|id| self.ship_whole(id, settings, now).ok()).collect();
                Ok(Json::Array(shipped))
            }
            verb @ ("show" | "change" | "pick" | "pack" | "ship" | "parcel" | "void" | "hold" | "release" | "cancel" | "tag" | "status"
            | "delete") => {
                let id = self.found(&act.subject)?;
                self.on_order(verb, id, settings, now)
            }
            other => Err(user_actions::no_act(other, "ShipHero", &SHIPHERO)),
        }
    }

    fn on_order(&mut self, verb: &str, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let Some(order) = self.state.order(id).map(|order| (**order).clone()) else { return Err("there is no such order".to_owned()) };
        let mut named = settings.as_object().cloned().unwrap_or_default();
        named.insert("order_id".to_owned(), ids::json(ids::ORDER, id));
        if order.account != OWN {
            named.insert("customer_account_id".to_owned(), ids::json(ids::ACCOUNT, order.account));
        }
        match verb {
            "show" => Ok(print::order(&order)),
            "pick" => self.picked(&order, now),
            "pack" => self.packed(&order, now),
            "ship" => self.ship_whole(id, settings, now),
            "parcel" => self.ship_some(&order, settings, now),
            "void" => {
                let open = order.shipments.iter().rev().find(|id| self.state.shipment(**id).is_some_and(|shipment| !shipment.voided)).copied();
                self.void(open.ok_or("the order has no valid label")?, now)
            }
            "hold" | "release" => {
                let which = text(settings, "hold").unwrap_or("operator_hold");
                if !HOLDS.contains(&which) {
                    return Err(format!("there is no {which}; there are: {}", HOLDS.join(", ")));
                }
                let mut holds: Map<String, Json> = named.into_iter().filter(|(name, _)| name.ends_with("_id")).collect();
                if verb == "release" && text(settings, "hold").is_none() {
                    holds.extend(HOLDS.map(|name| (name.to_owned(), Json::Bool(false))));
                } else {
                    holds.insert(which.to_owned(), Json::Bool(verb == "hold"));
                }
                self.order_update_holds(&holds, false, now).map_err(|refused| refused.message)
            }
            "cancel" => self.order_cancel(&named, false, now).map_err(|refused| refused.message),
            "tag" => {
                let tag = text(settings, "tag").ok_or("name the tag: --set tag=VIP")?;
                let mut order = order;
                let mut tags = order.fields.get("tags").and_then(Json::as_array).cloned().unwrap_or_default();
                tags.push(Json::from(tag));
                order.fields.insert("tags".to_owned(), Json::Array(tags.clone()));
                Ok(self.changed(order, "tagged", false, json!({"tags": tags}), now))
            }
            "status" => {
                let status = text(settings, "status").ok_or("name the status: --set status=Tomorrow")?;
                let mut order = order;
                order.fields.insert("fulfillment_status".to_owned(), Json::from(status));
                Ok(self.changed(order, "status", false, json!({"fulfillment_status": status}), now))
            }
            "delete" => self.deleted(order, now),
            _ => self.edited(order, settings, now),
        }
    }

    /// An order that a shop of the account imports.
    fn imported(&mut self, number: &str, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let number = if number.is_empty() { format!("shop-{}", self.state.id()) } else { number.to_owned() };
        let mut order = json!({
            "order_number": number, "partner_order_id": number, "shop_name": "shop", "email": "sam@example.com", "currency": "USD",
            "subtotal": "25.00", "total_price": "25.00",
            "shipping_address": {
                "first_name": "Sam", "last_name": "Shopper", "address1": "1 Main Street", "city": "Springfield", "state": "IL", "zip": "62701",
                "country": "US", "phone": "+1 217 555 0100",
            },
            "shipping_lines": {"title": "Ground", "price": "0.00", "carrier": "ups", "method": "ups_ground"},
            "line_items": [{"sku": "CUP-01", "partner_line_item_id": "1", "quantity": 2, "price": "12.50"}],
        });
        if let (Json::Object(order), Some(settings)) = (&mut order, settings.as_object()) {
            order.extend(settings.clone());
        }
        let data = order.as_object().cloned().unwrap_or_default();
        is_an_order(&data)?;
        let made = self.order_create(&data, false, now).map_err(|refused| refused.message)?;
        Ok(made["order"].clone())
    }

    fn edited(&mut self, mut order: Order, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let given = settings.as_object().cloned().unwrap_or_default();
        if given.is_empty() {
            return Ok(print::order(&order));
        }
        for (name, value) in &given {
            match name.split_once('.') {
                Some((part, name)) => {
                    let form = PARTS.iter().find(|(known, _)| *known == part).map(|(_, form)| *form);
                    if form.is_none_or(|form| FORMS.field(form, name).is_none()) {
                        return Err(format!("an order of ShipHero has no field `{part}.{name}`"));
                    }
                    let mut inner = order.fields.get(part).and_then(Json::as_object).cloned().unwrap_or_default();
                    inner.insert(name.to_owned(), value.clone());
                    order.fields.insert(part.to_owned(), Json::Object(inner));
                }
                None if order.fields.contains_key(name) => {
                    order.fields.insert(name.clone(), value.clone());
                }
                None => {
                    let near = nearest(name, order.fields.keys().map(String::as_str)).map(|near| format!(": did you mean `{near}`?"));
                    return Err(format!("an order of ShipHero has no field `{name}`{}", near.unwrap_or_default()));
                }
            }
        }
        self.note(&mut order, "Edited", now);
        Ok(self.changed(order, "updated", false, Json::Object(given), now))
    }

    /// Nobody sees an order any more.
    fn deleted(&mut self, mut order: Order, now: Timestamp) -> Result<Json, String> {
        let (id, account) = (order.id, order.account);
        let free = self.release(&mut order, true, now);
        order.fields.insert("fulfillment_status".to_owned(), Json::from("canceled"));
        self.commit(order.clone(), now);
        self.state.orders.remove(&id);
        self.state.by_updated.retain(|(_, known)| *known != id);
        self.state.by_number.retain(|(_, known)| *known != id);
        self.state.by_partner.retain(|(_, known)| *known != id);
        let key = Some(order.text("partner_order_id").to_owned()).filter(|key| !key.is_empty());
        self.effect(now, "deleted", "Order", &ids::printed(ids::ORDER, id), key, false, json!({"order_number": order.text("order_number")}));
        self.serve_waiting(account, &free, now);
        Ok(json!({"id": ids::printed(ids::ORDER, id)}))
    }

    fn picked(&mut self, order: &Order, now: Timestamp) -> Result<Json, String> {
        ready(order)?;
        for line in order.lines.iter().filter(|line| line.allocated > 0) {
            let id = self.state.id();
            let warehouse = line.warehouse.unwrap_or_default();
            let at = time::whole(now);
            self.state.picks.push(Handled { id, order: order.id, line: Some(line.id), quantity: line.allocated, at, warehouse, shipment: None });
        }
        self.tell_packed("Tote Complete", order);
        let mut order = order.clone();
        self.note(&mut order, "Order picked", now);
        Ok(self.changed(order, "picked", false, json!({"picked": true}), now))
    }

    fn packed(&mut self, order: &Order, now: Timestamp) -> Result<Json, String> {
        ready(order)?;
        let id = self.state.id();
        let quantity = order.lines.iter().map(|line| line.allocated).sum();
        let warehouse = order.lines.iter().find_map(|line| line.warehouse).unwrap_or_default();
        self.state.packs.push(Handled { id, order: order.id, line: None, quantity, at: time::whole(now), warehouse, shipment: None });
        self.tell_packed("Order Packed Out", order);
        let mut order = order.clone();
        self.note(&mut order, "Order packed", now);
        Ok(self.changed(order, "packed", false, json!({"packed": true}), now))
    }

    /// Everything that an order still needs, in one package for each warehouse that has it.
    pub(super) fn ship_whole(&mut self, id: i64, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let Some(order) = self.state.order(id).map(|order| (**order).clone()) else { return Err("there is no such order".to_owned()) };
        ready(&order)?;
        let mut warehouses: Vec<i64> = order.lines.iter().filter(|line| line.allocated > 0).filter_map(|line| line.warehouse).collect();
        warehouses.sort_unstable();
        warehouses.dedup();
        let mut last = Json::Null;
        for warehouse in warehouses {
            let Some(order) = self.state.order(id).map(|order| (**order).clone()) else { break };
            let here = order.lines.iter().filter(|line| line.warehouse == Some(warehouse) && line.allocated > 0);
            let lines = here.map(|line| (line.id, line.allocated)).collect();
            last = self.send(&order, warehouse, lines, settings, now)?;
        }
        Ok(last)
    }

    /// A part of an order: `sku` with `quantity`, or its first line.
    fn ship_some(&mut self, order: &Order, settings: &Json, now: Timestamp) -> Result<Json, String> {
        ready(order)?;
        let sku = text(settings, "sku");
        let line = order.lines.iter().find(|line| line.allocated > 0 && sku.is_none_or(|sku| sku == line.sku)).ok_or("nothing of it is set aside")?;
        let quantity = settings.get("quantity").and_then(Json::as_i64).unwrap_or(line.allocated);
        self.send(order, line.warehouse.unwrap_or_default(), vec![(line.id, quantity)], settings, now)
    }

    fn send(&mut self, order: &Order, warehouse: i64, lines: Vec<(i64, i64)>, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let line = |name: &str| order.fields.get("shipping_lines").and_then(|lines| lines.get(name)).and_then(Json::as_str);
        let carrier = text(settings, "carrier").or_else(|| line("carrier")).unwrap_or("ups").to_owned();
        let method = text(settings, "method").or_else(|| line("method")).unwrap_or("ups_ground").to_owned();
        let tracking = text(settings, "tracking_number").map_or_else(|| format!("1Z{:016}", self.rng.below(10_000_000_000_000_000)), str::to_owned);
        let label = json!({
            "carrier": carrier, "shipping_name": method, "shipping_method": method, "cost": "7.45", "tracking_number": tracking,
            "dimensions": {"weight": "1.0", "height": "4.0", "width": "8.0", "length": "10.0"},
        });
        let to = |name: &str| order.fields.get("shipping_address").and_then(|address| address.get(name)).cloned().unwrap_or_default();
        let name = format!("{} {}", to("first_name").as_str().unwrap_or_default(), to("last_name").as_str().unwrap_or_default());
        let address = json!({
            "name": name.trim(), "address1": to("address1"), "address2": to("address2"), "city": to("city"), "state": to("state"),
            "country": to("country"), "zip": to("zip"), "phone": to("phone"),
        });
        let inside = lines.iter().map(|(line, _)| *line).collect();
        let labels = vec![(label.as_object().cloned().unwrap_or_default(), inside)];
        let parcel = Parcel { warehouse, lines, labels, address, off_shiphero: false };
        let id = self.ship(order, parcel, false, now).map_err(|refused| refused.message)?;
        Ok(self.state.shipment(id).map(|shipment| print::shipment(shipment)).unwrap_or_default())
    }

    /// `sku` of an account, in a warehouse: `--set account=…`, `--set warehouse=…`
    fn place(&self, settings: &Json) -> Result<(i64, i64), String> {
        let account = settings.get("account").and_then(Json::as_i64).unwrap_or(OWN);
        let named = text(settings, "warehouse");
        let is_it = |of: &&super::state::Warehouse| named.is_none_or(|name| name == of.identifier || name.parse() == Ok(of.id));
        let warehouse = self.state.warehouses_of(account).find(is_it).map(|warehouse| warehouse.id);
        let there_are = || self.state.warehouses_of(account).map(|one| one.identifier.clone()).collect::<Vec<_>>().join(", ");
        Ok((account, warehouse.ok_or_else(|| format!("the account {account} has no such warehouse; there are: {}", there_are()))?))
    }

    fn restocked(&mut self, sku: &str, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let (account, warehouse) = self.place(settings)?;
        let quantity = settings.get("quantity").and_then(Json::as_i64).unwrap_or(100);
        let Some(id) = self.state.stock_at(account, sku, warehouse).map(|stock| stock.id) else { return Err(format!("there is no product {sku}")) };
        self.move_stock(account, sku, warehouse, quantity, "Restocked", now);
        self.effect(
            now,
            "stock",
            "WarehouseProduct",
            &ids::printed(ids::STOCK, id),
            Some(sku.to_owned()),
            false,
            json!({"sku": sku, "by": quantity}),
        );
        self.serve_waiting(account, &[sku.to_owned()], now);
        Ok(self.state.stock.get(&id).map(|seen| self.print_stock(seen.newest())).unwrap_or_default())
    }

    /// What is set aside for an order is found to be gone: its lines are on backorder.
    fn lost_goods(&mut self, subject: &str, now: Timestamp) -> Result<Json, String> {
        let id = self.found(subject)?;
        let Some(mut order) = self.state.order(id).map(|order| (**order).clone()) else { return Err("there is no such order".to_owned()) };
        let gone: Vec<(String, i64, i64)> = order
            .lines
            .iter()
            .filter_map(|line| Some((line.sku.clone(), line.warehouse?, line.allocated)))
            .filter(|(.., quantity)| *quantity > 0)
            .collect();
        self.release(&mut order, true, now);
        for (sku, ..) in &gone {
            // Nothing is left in any warehouse: otherwise it would be set aside from there.
            for warehouse in self.state.warehouses_of(order.account).map(|warehouse| warehouse.id).collect::<Vec<_>>() {
                let left = self.state.stock_at(order.account, sku, warehouse).map_or(0, |stock| stock.on_hand - stock.allocated);
                if left > 0 {
                    self.move_stock(order.account, sku, warehouse, -left, "Cycle count", now);
                }
            }
        }
        self.tell_allocated("Order Deallocated", &order);
        self.note(&mut order, "Order is on backorder", now);
        Ok(self.changed(order, "backordered", false, json!({"skus": gone.iter().map(|(sku, ..)| sku.clone()).collect::<Vec<_>>()}), now))
    }

    fn new_product(&mut self, sku: &str, settings: &Json, now: Timestamp) -> Result<Json, String> {
        if sku.is_empty() {
            return Err("name the product's SKU".to_owned());
        }
        let account = settings.get("account").and_then(Json::as_i64).unwrap_or(OWN);
        if self.state.account(account).is_none() || self.state.products.contains_key(&(account, sku.to_owned())) {
            return Err(format!("{sku} cannot be added to the account {account}"));
        }
        let number = |name: &str, usual: i64| settings.get(name).and_then(Json::as_i64).unwrap_or(usual);
        let is = |name: &str| settings.get(name) == Some(&Json::Bool(true));
        let mut goods = Goods::new(sku, text(settings, "name").unwrap_or(sku), number("grams", 500), number("on_hand", 0));
        (goods.has_lots, goods.has_serials) = (is("lots"), is("serials"));
        for part in settings.get("parts").and_then(Json::as_object).into_iter().flatten() {
            goods.parts.push((part.0.clone(), part.1.as_i64().unwrap_or(1)));
        }
        self.state.add_product(account, &goods, now);
        self.serve_waiting(account, &[sku.to_owned()], now);
        Ok(self.state.products.get(&(account, sku.to_owned())).map(print::product).unwrap_or_default())
    }

    /// The order of a number, a partner's number or an id.
    fn found(&self, subject: &str) -> Result<i64, String> {
        let keyed = |index: &std::collections::BTreeSet<(String, i64)>| {
            index.range((subject.to_owned(), i64::MIN)..).next().filter(|(known, _)| known == subject).map(|(_, id)| *id)
        };
        let by_id = || ids::read(ids::ORDER, subject).or_else(|| subject.parse().ok()).filter(|id| self.state.orders.contains_key(id));
        let found = if subject.is_empty() { None } else { keyed(&self.state.by_number).or_else(|| keyed(&self.state.by_partner)).or_else(by_id) };
        found.ok_or_else(|| format!("there is no order `{subject}` in ShipHero: name one by its number, key or id"))
    }
}

/// The parts of an order whose fields are named behind a dot, and their forms.
const PARTS: [(&str, &str); 4] =
    [("shipping_address", "OrderAddress"), ("billing_address", "OrderAddress"), ("shipping_lines", "ShippingLines"), ("holds", "OrderHolds")];

/// Whether an order that a shop imports is what `order_create` takes.
fn is_an_order(data: &Map<String, Json>) -> Result<(), String> {
    const CREATE: &str = "mutation ($data: CreateOrderInput!) { order_create(data: $data) { request_id } }";
    let said = |problem: Problem| format!("an order cannot be like that: {}", problem.message);
    let document = FORMS.document(CREATE).map_err(|problems| problems.into_iter().next().map_or_else(String::new, said))?;
    let given = Map::from_iter([("data".to_owned(), Json::Object(data.clone()))]);
    document.operation(None).and_then(|operation| FORMS.variables(operation, &given)).map(|_| ()).map_err(said)
}

fn is_ready(order: &Order) -> bool {
    ready(order).is_ok()
}

/// Whether the warehouse packs an order.
fn ready(order: &Order) -> Result<(), String> {
    let number = order.text("order_number");
    if !order.is_open() {
        return Err(format!("the order {number} is {}", order.status()));
    }
    if order.is_held() {
        return Err(format!("the order {number} is on hold"));
    }
    if order.lines.iter().all(|line| line.allocated == 0) {
        return Err(format!("nothing is set aside for the order {number}"));
    }
    let partial = order.fields.get("allow_partial") == Some(&Json::Bool(true));
    if !partial && order.lines.iter().any(|line| line.backorder() > 0) {
        return Err(format!("the order {number} is on backorder, and may not be shipped in parts"));
    }
    Ok(())
}
