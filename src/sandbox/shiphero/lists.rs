//! Queries: what is asked for at the root, as the ids of the records that fit.

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::{OWN, Order};
use super::{Answered, Refused, ShipHero, ids, print, time};
use crate::sandbox::kit::laws::Seen;
use crate::value::Json;

/// The queries that are carried out; the others of the schema are refused by their name.
pub(super) const QUERIES: [&str; 16] = [
    "account",
    "inventory_changes",
    "me",
    "order",
    "order_history",
    "orders",
    "packs_per_day",
    "picks_per_day",
    "product",
    "products",
    "shipment",
    "shipments",
    "user_quota",
    "uuid",
    "warehouse_products",
    "webhooks",
];

/// An argument that is a time.
fn bound(arguments: &Map<String, Json>, name: &str) -> Result<Option<Timestamp>, Refused> {
    match arguments.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => time::read(text).map(Some).ok_or_else(|| Refused::bad(format!("Invalid date for {name}: {text}"))),
        Some(other) => Err(Refused::bad(format!("Invalid date for {name}: {other}"))),
    }
}

/// Both ends are part of it.
#[derive(Clone, Copy)]
struct Between(Option<Timestamp>, Option<Timestamp>);

impl Between {
    fn read(arguments: &Map<String, Json>, from: &str, to: &str) -> Result<Self, Refused> {
        Ok(Between(bound(arguments, from)?, bound(arguments, to)?))
    }

    fn has(self, at: Timestamp) -> bool {
        self.0.is_none_or(|from| from <= at) && self.1.is_none_or(|to| at <= to)
    }

    fn is_open(self) -> bool {
        self.0.is_none() && self.1.is_none()
    }
}

fn text<'a>(arguments: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Json::as_str)
}

/// A list of records, of which `data` answers a page.
fn list(of: &str, ids: Vec<i64>) -> Answered {
    Ok(json!({"#of": of, "#ids": ids}))
}

fn one(body: Option<Json>, missing: &str) -> Answered {
    body.map(|body| json!({"data": body})).ok_or_else(|| Refused::missing(missing))
}

impl ShipHero {
    /// Answers a query at the root.
    pub(super) fn query(&self, name: &str, arguments: &Map<String, Json>, now: Timestamp) -> Answered {
        match name {
            "account" => one(self.state.account(OWN).map(|account| print::account(account, self.options.is_3pl)), "Account not found"),
            "me" => {
                let account = self.state.account(OWN).map(|account| print::account(account, self.options.is_3pl));
                let (id, email) = (ids::printed(ids::USER, 321_759), &self.options.username);
                let me = json!({"id": id, "legacy_id": 321_759, "email": email, "first_name": "Sandbox", "last_name": "User", "account": account});
                Ok(json!({"data": me}))
            }
            "uuid" => self.uuid(arguments),
            "order" => {
                let id = self.id(ids::ORDER, text(arguments, "id").unwrap_or_default())?;
                one(self.state.order(id).map(|order| print::order(order)), "Order not found")
            }
            "orders" => self.orders(arguments, now),
            "order_history" => self.order_history(arguments),
            "shipment" => {
                let id = self.id(ids::SHIPMENT, text(arguments, "id").unwrap_or_default())?;
                one(self.state.shipment(id).map(|shipment| print::shipment(shipment)), "Shipment not found")
            }
            "shipments" => self.shipments(arguments, now),
            "product" => self.product(arguments),
            "products" => {
                let accounts = self.accounts(arguments)?;
                let (created, updated) =
                    (Between::read(arguments, "created_from", "created_to")?, Between::read(arguments, "updated_from", "updated_to")?);
                let sku = text(arguments, "sku");
                let fits = |of: &&super::state::Product| {
                    accounts.contains(&of.account) && sku.is_none_or(|sku| sku == of.sku) && created.has(of.created) && updated.has(of.updated)
                };
                list("products", self.state.products.values().filter(fits).map(|product| product.id).collect())
            }
            "warehouse_products" => self.warehouse_products(arguments, now),
            "inventory_changes" => {
                let between = Between::read(arguments, "date_from", "date_to")?;
                let (sku, warehouse) = (text(arguments, "sku"), self.optional(ids::WAREHOUSE, arguments, "warehouse_id")?);
                let fits = |of: &super::state::StockChange| {
                    between.has(of.at) && sku.is_none_or(|sku| sku == of.sku) && warehouse.is_none_or(|warehouse| warehouse == of.warehouse)
                };
                let all = self.state.stock_changes.iter().enumerate().filter(|(_, change)| fits(change));
                list("inventory_changes", all.map(|(at, _)| at as i64).collect())
            }
            "picks_per_day" | "packs_per_day" => {
                let between = Between::read(arguments, "date_from", "date_to")?;
                let (warehouse, order) =
                    (self.optional(ids::WAREHOUSE, arguments, "warehouse_id")?, self.optional(ids::ORDER, arguments, "order_id")?);
                let all = if name == "picks_per_day" { &self.state.picks } else { &self.state.packs };
                let fits = |of: &super::state::Handled| {
                    between.has(of.at) && warehouse.is_none_or(|warehouse| warehouse == of.warehouse) && order.is_none_or(|order| order == of.order)
                };
                list(name, all.iter().enumerate().filter(|(_, of)| fits(of)).map(|(at, _)| at as i64).collect())
            }
            "webhooks" => {
                let accounts = self.accounts(arguments)?;
                list("webhooks", self.state.hooks.iter().filter(|hook| accounts.contains(&hook.account)).map(|hook| hook.id).collect())
            }
            _ => Err(Refused::bad(format!("the sandbox does not imitate {name}"))),
        }
    }

    /// An id that may be left out.
    fn optional(&self, kind: &str, arguments: &Map<String, Json>, name: &str) -> Result<Option<i64>, Refused> {
        text(arguments, name).map(|id| self.id(kind, id)).transpose()
    }

    /// The accounts whose records a query is about.
    fn accounts(&self, arguments: &Map<String, Json>) -> Result<Vec<i64>, Refused> {
        match self.optional(ids::ACCOUNT, arguments, "customer_account_id")? {
            Some(id) => match self.state.account(id) {
                Some(_) => Ok(vec![id]),
                None => Err(Refused::missing("Account not found")),
            },
            None if self.laws.does("customer_account_id", "lists_all_customers_without_it") => {
                Ok(self.state.accounts.iter().map(|account| account.id).collect())
            }
            None => Ok(vec![OWN]),
        }
    }

    fn uuid(&self, arguments: &Map<String, Json>) -> Answered {
        let id = arguments.get("legacy_id").and_then(Json::as_i64).unwrap_or_default();
        let entity = text(arguments, "entity").unwrap_or_default();
        let kind = match entity {
            "Product" => ids::PRODUCT,
            "Account" => ids::ACCOUNT,
            "LineItem" => ids::LINE,
            "Order" => ids::ORDER,
            "Shipment" => ids::SHIPMENT,
            "ShippedLineItem" => ids::SHIPPED_LINE,
            "User" => ids::USER,
            "Warehouse" => ids::WAREHOUSE,
            "WarehouseProduct" => ids::STOCK,
            other => return Err(Refused::bad(format!("the sandbox does not imitate ids of {other}"))),
        };
        Ok(json!({"data": {"legacy_id": id, "id": ids::printed(kind, id)}}))
    }

    fn orders(&self, arguments: &Map<String, Json>, now: Timestamp) -> Answered {
        let accounts = self.accounts(arguments)?;
        let updated = Between::read(arguments, "updated_from", "updated_to")?;
        let dates = Between::read(arguments, "order_date_from", "order_date_to")?;
        let warehouse = self.optional(ids::WAREHOUSE, arguments, "warehouse_id")?;
        let allocated = self.optional(ids::WAREHOUSE, arguments, "allocated_warehouse_id")?;
        let given = |name: &str| text(arguments, name).filter(|value| !value.is_empty());
        let fits = |order: &Order| {
            let same = |name: &str| given(name).is_none_or(|value| order.text(name) == value);
            let in_warehouse =
                |warehouse: i64| order.warehouse == Some(warehouse) || order.lines.iter().any(|line| line.warehouse == Some(warehouse));
            accounts.contains(&order.account)
                && updated.has(order.updated)
                && (dates.is_open() || time::read(order.text("order_date")).is_some_and(|at| dates.has(at)))
                && ["order_number", "partner_order_id", "shop_name", "fulfillment_status", "email"].into_iter().all(same)
                && given("sku").is_none_or(|sku| order.lines.iter().any(|line| line.sku == sku))
                && warehouse.is_none_or(in_warehouse)
                && allocated.is_none_or(|warehouse| order.lines.iter().any(|line| line.allocated > 0 && line.warehouse == Some(warehouse)))
        };
        let keyed = |index: &std::collections::BTreeSet<(String, i64)>, value: &str| -> Vec<i64> {
            index.range((value.to_owned(), i64::MIN)..).take_while(|(known, _)| known == value).map(|(_, id)| *id).collect()
        };
        let candidates: Vec<i64> = match (given("order_number"), given("partner_order_id"), updated.0) {
            (Some(number), _, _) => keyed(&self.state.by_number, number),
            (_, Some(partner), _) => keyed(&self.state.by_partner, partner),
            // The newest version of what is shown is no older.
            (_, _, Some(from)) => self.state.by_updated.range((from, i64::MIN)..).map(|(_, id)| *id).collect(),
            _ => self.state.orders.keys().copied().collect(),
        };
        let shown = |id: &i64| self.state.orders.get(id).and_then(|seen| seen.shown(now)).is_some_and(|order| fits(order));
        list("orders", candidates.into_iter().filter(shown).collect())
    }

    fn order_history(&self, arguments: &Map<String, Json>) -> Answered {
        let between = Between::read(arguments, "date_from", "date_to")?;
        let order = self.optional(ids::ORDER, arguments, "order_id")?;
        let number = text(arguments, "order_number");
        let orders = self.state.orders.values().map(Seen::newest);
        let fits = |of: &&std::sync::Arc<Order>| order.is_none_or(|id| id == of.id) && number.is_none_or(|number| number == of.text("order_number"));
        let entries =
            orders.filter(fits).flat_map(|order| order.history.iter().filter(|(_, at, _)| between.has(*at)).map(|(id, ..)| (order.id, *id)));
        let all: Vec<Json> = entries.map(|(order, id)| json!([order, id])).collect();
        Ok(json!({"#of": "order_history", "#ids": all}))
    }

    fn shipments(&self, arguments: &Map<String, Json>, now: Timestamp) -> Answered {
        let created = Between::read(arguments, "date_from", "date_to")?;
        let dates = Between::read(arguments, "order_date_from", "order_date_to")?;
        let order = self.optional(ids::ORDER, arguments, "order_id")?;
        let order_fits = |id: i64| {
            let date = self.state.order(id).and_then(|order| time::read(order.text("order_date")));
            dates.is_open() || date.is_some_and(|at| dates.has(at))
        };
        let candidates: Vec<i64> = match (order.and_then(|id| self.state.order(id)), order) {
            (Some(order), _) => order.shipments.clone(),
            (None, Some(_)) => Vec::new(),
            _ => self.state.shipped_at.range((created.0.unwrap_or(Timestamp::MIN), i64::MIN)..).map(|(_, id)| *id).collect(),
        };
        let shown = |id: &i64| {
            self.state.shipments.get(id).and_then(|seen| seen.shown(now)).is_some_and(|of| created.has(of.created) && order_fits(of.order))
        };
        list("shipments", candidates.into_iter().filter(shown).collect())
    }

    fn product(&self, arguments: &Map<String, Json>) -> Answered {
        let id = self.optional(ids::PRODUCT, arguments, "id")?;
        let sku = text(arguments, "sku");
        let found = self.state.products.values().find(|product| match (id, sku) {
            (Some(id), _) => product.id == id,
            (None, Some(sku)) => product.account == OWN && product.sku == sku,
            _ => false,
        });
        one(found.map(print::product), "Product not found")
    }

    fn warehouse_products(&self, arguments: &Map<String, Json>, now: Timestamp) -> Answered {
        let accounts = self.accounts(arguments)?;
        let updated = Between::read(arguments, "updated_from", "updated_to")?;
        let created = Between::read(arguments, "created_from", "created_to")?;
        let (sku, warehouse) = (text(arguments, "sku"), self.optional(ids::WAREHOUSE, arguments, "warehouse_id")?);
        let is_active = arguments.get("active").and_then(Json::as_bool).unwrap_or(true);
        let candidates: Vec<i64> = match (sku, updated.0) {
            (Some(sku), _) => accounts.iter().flat_map(|account| self.state.stock_of.get(&(*account, sku.to_owned()))).flatten().copied().collect(),
            (None, Some(from)) => self.state.stock_updated.range((from, i64::MIN)..).map(|(_, id)| *id).collect(),
            _ => self.state.stock.keys().copied().collect(),
        };
        let fits = |of: &super::state::Stock| {
            accounts.contains(&of.account)
                && updated.has(of.updated)
                && created.has(of.created)
                && warehouse.is_none_or(|warehouse| warehouse == of.warehouse)
        };
        let shown = |id: &i64| is_active && self.state.stock.get(id).and_then(|seen| seen.shown(now)).is_some_and(fits);
        list("warehouse_products", candidates.into_iter().filter(shown).collect())
    }
}
