//! Goods: what lies where, what is set aside for orders, and what is missing.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::{Order, Stock, StockChange};
use super::{Answered, Refused, ShipHero, ids, print, time};
use crate::value::Json;

impl ShipHero {
    /// What a product takes of the shelves: itself, or the parts of a kit.
    fn needs(&self, account: i64, sku: &str) -> Vec<(String, i64)> {
        match self.state.products.get(&(account, sku.to_owned())) {
            Some(product) if !product.parts.is_empty() => product.parts.clone(),
            Some(_) => vec![(sku.to_owned(), 1)],
            None => Vec::new(),
        }
    }

    /// How many of a product could be set aside in a warehouse.
    fn available(&self, account: i64, sku: &str, warehouse: i64) -> i64 {
        let needs = self.needs(account, sku);
        let of = |(sku, each): &(String, i64)| {
            self.state.stock_at(account, sku, warehouse).map_or(0, |stock| (stock.on_hand - stock.allocated) / each.max(&1))
        };
        needs.iter().map(of).min().unwrap_or(0).max(0)
    }

    fn change_stock(&mut self, id: i64, now: Timestamp, change: impl FnOnce(&mut Stock)) {
        let hidden = self.laws.seconds("warehouse_products", "lag");
        let Some(seen) = self.state.stock.get_mut(&id) else { return };
        let mut stock = seen.newest().clone();
        self.state.stock_updated.remove(&(stock.updated, id));
        change(&mut stock);
        stock.updated = time::whole(now);
        self.state.stock_updated.insert((stock.updated, id));
        seen.change(stock, now, hidden);
    }

    /// Sets goods of a product aside, or gives them back.
    fn set_aside(&mut self, account: i64, sku: &str, warehouse: i64, by: i64, now: Timestamp) {
        for (part, each) in self.needs(account, sku) {
            if let Some(id) = self.state.stock_at(account, &part, warehouse).map(|stock| stock.id) {
                self.change_stock(id, now, |stock| stock.allocated = (stock.allocated + by * each).max(0));
            }
        }
    }

    /// Goods come or go. Who asked for it is told.
    pub(super) fn move_stock(&mut self, account: i64, sku: &str, warehouse: i64, by: i64, reason: &str, now: Timestamp) {
        for (part, each) in self.needs(account, sku) {
            let Some((id, before)) = self.state.stock_at(account, &part, warehouse).map(|stock| (stock.id, stock.on_hand)) else { continue };
            self.change_stock(id, now, |stock| stock.on_hand += by * each);
            let change = by * each;
            let at = time::whole(now);
            self.state.stock_changes.push(StockChange { account, warehouse, sku: part.clone(), before, change, reason: reason.to_owned(), at });
            self.tell_stock(account, &part, warehouse, before, change, reason, now);
        }
    }

    /// Sets aside what an order still needs, where there is enough of it. Whether anything changed.
    pub(super) fn allocate(&mut self, order: &mut Order, now: Timestamp) -> bool {
        if !order.is_open() {
            return false;
        }
        let account = order.account;
        let warehouses: Vec<i64> = match order.warehouse {
            Some(warehouse) => vec![warehouse],
            None => self.state.warehouses_of(account).map(|warehouse| warehouse.id).collect(),
        };
        // One warehouse for the whole order, where one has everything.
        let has_all = |warehouse: &&i64| {
            order.lines.iter().all(|line| line.backorder() <= 0 || self.available(account, &line.sku, **warehouse) >= line.backorder())
        };
        let whole = warehouses.iter().find(has_all).copied();
        let mut changed = false;
        for line in &mut order.lines {
            if line.backorder() <= 0 {
                continue;
            }
            let locked = line.fields.get("locked_to_warehouse_id").and_then(Json::as_str).and_then(|id| ids::read(ids::WAREHOUSE, id));
            let most = || warehouses.iter().copied().max_by_key(|warehouse| (self.available(account, &line.sku, *warehouse), -warehouse));
            let place = line.warehouse.filter(|_| line.allocated > 0).or(locked).or(whole).or_else(most);
            let Some(place) = place else { continue };
            let take = line.backorder().min(self.available(account, &line.sku, place));
            if take > 0 {
                self.set_aside(account, &line.sku, place, take, now);
                line.allocated += take;
                line.warehouse = Some(place);
                let name = self.state.warehouse(place).map(|warehouse| warehouse.identifier.clone());
                line.fields.insert("warehouse".to_owned(), name.map_or(Json::Null, Json::String));
                line.updated = time::whole(now);
                changed = true;
            }
        }
        changed
    }

    /// Gives back what is set aside for an order's lines that need it no more. Gives the products that are free again.
    pub(super) fn release(&mut self, order: &mut Order, all: bool, now: Timestamp) -> Vec<String> {
        let mut free = Vec::new();
        for line in &mut order.lines {
            let over = if all { line.allocated } else { line.allocated - line.pending() };
            if let (Some(warehouse), true) = (line.warehouse, over > 0) {
                self.set_aside(order.account, &line.sku, warehouse, -over, now);
                line.allocated -= over;
                free.push(line.sku.clone());
            }
        }
        free
    }

    /// Takes shipped goods out of what was set aside for a line. What another warehouse sent was not set aside there.
    pub(super) fn take_shipped(&mut self, account: i64, line: &mut super::state::Line, warehouse: i64, quantity: i64, now: Timestamp) {
        if line.warehouse == Some(warehouse) {
            let aside = line.allocated.min(quantity);
            self.set_aside(account, &line.sku, warehouse, -aside, now);
            line.allocated -= aside;
        }
        self.move_stock(account, &line.sku, warehouse, -quantity, "Order shipped", now);
    }

    /// Gives goods that are free to the orders that wait for them, the oldest first.
    pub(super) fn serve_waiting(&mut self, account: i64, skus: &[String], now: Timestamp) {
        for sku in skus {
            let mut parts: Vec<String> = self.needs(account, sku).into_iter().map(|(part, _)| part).collect();
            parts.push(sku.clone());
            for part in parts {
                let waiting: Vec<i64> = self.state.waiting.get(&(account, part)).into_iter().flatten().copied().collect();
                for id in waiting {
                    let Some(mut order) = self.state.order(id).map(|order| (**order).clone()) else { continue };
                    if !self.allocate(&mut order, now) {
                        continue;
                    }
                    self.tell_allocated("Order Allocated", &order);
                    self.commit(order, now);
                }
            }
        }
    }

    /// Under which products an order waits.
    pub(super) fn wanted(&self, order: &Order) -> Vec<String> {
        let open = order.is_open();
        let lacking = order.lines.iter().filter(|line| open && line.backorder() > 0);
        lacking.flat_map(|line| self.needs(order.account, &line.sku)).map(|(sku, _)| sku).collect()
    }

    /// How many of a product orders wait for.
    pub(super) fn backorder(&self, account: i64, sku: &str) -> i64 {
        let waiting = self.state.waiting.get(&(account, sku.to_owned())).into_iter().flatten();
        let of = |order: &std::sync::Arc<Order>| {
            let lines = order.lines.iter().filter(|line| line.backorder() > 0);
            let each =
                |line: &super::state::Line| self.needs(account, &line.sku).iter().filter(|(part, _)| part == sku).map(|(_, each)| each).sum::<i64>();
            lines.map(|line| line.backorder() * each(line)).sum::<i64>()
        };
        waiting.filter_map(|id| self.state.order(*id)).map(of).sum()
    }

    pub(super) fn print_stock(&self, of: &Stock) -> Json {
        let name = self.state.warehouse(of.warehouse).map(|warehouse| warehouse.identifier.as_str()).unwrap_or_default();
        print::stock(of, self.backorder(of.account, &of.sku), name)
    }

    /// `inventory_replace`, `inventory_add`, `inventory_remove`, `inventory_subtract`
    pub(super) fn inventory(&mut self, data: &Map<String, Json>, how: &str, now: Timestamp) -> Answered {
        let account = self.acting(data)?;
        let text = |name: &str| data.get(name).and_then(Json::as_str).unwrap_or_default();
        let sku = text("sku").to_owned();
        let warehouse = self.id(ids::WAREHOUSE, text("warehouse_id"))?;
        let Some((id, held)) = self.state.stock_at(account, &sku, warehouse).map(|stock| (stock.id, stock.on_hand)) else {
            return Err(Refused::missing(format!("Product {sku} not found in warehouse {}", text("warehouse_id"))));
        };
        if self.state.products.get(&(account, sku.clone())).is_some_and(|product| !product.parts.is_empty()) {
            return Err(Refused::bad(format!("{sku} is a kit: its inventory is that of its components")));
        }
        let quantity = data.get("quantity").and_then(Json::as_i64).unwrap_or_default();
        if quantity < 0 {
            return Err(Refused::bad("quantity can't be negative"));
        }
        let by = match how {
            "inventory_replace" => quantity - held,
            "inventory_add" => quantity,
            _ => -quantity,
        };
        let reason = data.get("reason").and_then(Json::as_str).unwrap_or("Changed by the public API").to_owned();
        self.move_stock(account, &sku, warehouse, by, &reason, now);
        let key = Some(sku.clone());
        let fields = json!({"sku": sku, "warehouse_id": text("warehouse_id"), "on_hand": held + by, "account": account});
        self.effect(now, "stock", "WarehouseProduct", &ids::printed(ids::STOCK, id), key, true, fields);
        self.serve_waiting(account, &[sku], now);
        let printed = self.state.stock.get(&id).map(|seen| self.print_stock(seen.newest())).unwrap_or_default();
        Ok(json!({"warehouse_product": printed}))
    }
}
