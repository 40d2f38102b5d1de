//! Fields that do not stand in a record as it is printed: lists, and what belongs to it.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::state::Handled;
use super::{ShipHero, ids, print, time};
use crate::sandbox::kit::graphql::{Page, Resolver, page};
use crate::sandbox::kit::laws::{Law, Order as By, Seen};
use crate::value::Json;

/// What a request sees.
pub(super) struct View<'a> {
    pub(super) of: &'a ShipHero,
    pub(super) now: Timestamp,
}

fn number(body: &Json, name: &str) -> Option<i64> {
    body.get(name).and_then(Json::as_i64)
}

impl Resolver for View<'_> {
    fn field(&self, of: &str, body: &Json, field: &str, arguments: &Map<String, Json>) -> Result<Json, String> {
        let state = &self.of.state;
        let by_id = |kind: &str, name: &str| body.get(name).and_then(Json::as_str).and_then(|id| ids::read(kind, id));
        let found = match (of, field) {
            (_, "data") if body.get("#of").is_some() => return self.list(body, arguments),
            ("Order", "line_items") | ("Shipment", "line_items") | ("ShippingLabel", "shipment_line_items") => {
                let lines = body.get("#lines").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                return self.page(lines, arguments, Json::clone);
            }
            ("Order", "shipments") => {
                let all = body.get("#shipments").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_i64);
                Some(all.filter_map(|id| state.shipment(id)).map(|shipment| print::shipment(shipment)).collect())
            }
            ("LineItem", "product") => {
                let sku = body.get("sku").and_then(Json::as_str).unwrap_or_default();
                number(body, "#account").and_then(|account| state.products.get(&(account, sku.to_owned()))).map(print::product)
            }
            ("WarehouseProduct", "product") => {
                let sku = body.get("sku").and_then(Json::as_str).unwrap_or_default();
                number(body, "#account").and_then(|account| state.products.get(&(account, sku.to_owned()))).map(print::product)
            }
            ("Shipment" | "WarehouseProduct", "warehouse") => number(body, "#warehouse").and_then(|id| state.warehouse(id)).map(print::warehouse),
            ("WarehouseProduct", "inbounds" | "locations") => return self.page(&[], arguments, Json::clone),
            ("Shipment" | "ShippingLabel" | "OrderHistory" | "Pick" | "Package", "order") => {
                number(body, "#order").and_then(|id| state.order(id)).map(|order| print::order(order))
            }
            ("Pick" | "ShipmentLineItem", "line_item") => {
                let order = number(body, "#order").and_then(|id| state.order(id));
                order.and_then(|order| order.lines.iter().find(|line| Some(line.id) == number(body, "#line")).map(|line| print::line(line, order)))
            }
            ("Package", "shipment") => number(body, "#shipment").and_then(|id| state.shipment(id)).map(|shipment| print::shipment(shipment)),
            ("Product", "warehouse_products") => {
                let sku = body.get("sku").and_then(Json::as_str).unwrap_or_default().to_owned();
                let all = number(body, "#account").and_then(|account| state.stock_of.get(&(account, sku)));
                let seen = all.into_iter().flatten().filter_map(|id| state.stock.get(id));
                Some(seen.map(|seen| self.of.print_stock(seen.newest())).collect())
            }
            ("Account", "warehouses") => {
                let account = by_id(ids::ACCOUNT, "id").unwrap_or_default();
                Some(state.warehouses_of(account).map(print::warehouse).collect())
            }
            ("Account", "customers") => {
                let account = by_id(ids::ACCOUNT, "id");
                let all: Vec<_> = state.accounts.iter().filter(|known| known.parent.is_some() && known.parent == account).collect();
                return self.page(&all, arguments, |account| print::account(account, false));
            }
            ("Warehouse", "products") => {
                let all: Vec<_> = state.products.values().collect();
                return self.page(&all, arguments, |product| print::product(product));
            }
            _ => body.get(field).cloned(),
        };
        Ok(found.unwrap_or_default())
    }
}

impl View<'_> {
    fn page<T>(&self, all: &[T], arguments: &Map<String, Json>, print: impl FnMut(&T) -> Json) -> Result<Json, String> {
        let usual = self.of.usual_page();
        page(all, Page { arguments, usual }, print)
    }

    /// A page of a list that was asked for at the root.
    fn list(&self, body: &Json, arguments: &Map<String, Json>) -> Result<Json, String> {
        let state = &self.of.state;
        let of = body.get("#of").and_then(Json::as_str).unwrap_or_default();
        let listed = body.get("#ids").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut all: Vec<i64> = listed.iter().filter_map(Json::as_i64).collect();
        self.sort(of, &mut all, arguments.get("sort").and_then(Json::as_str))?;
        let handled = |of: &[Handled], at: i64| usize::try_from(at).ok().and_then(|at| of.get(at)).cloned();
        match of {
            "orders" => self.page(&all, arguments, |id| {
                state.orders.get(id).and_then(|seen| seen.shown(self.now)).map(|order| print::order(order)).unwrap_or_default()
            }),
            "shipments" => self.page(&all, arguments, |id| {
                state.shipments.get(id).and_then(|seen| seen.shown(self.now)).map(|shipment| print::shipment(shipment)).unwrap_or_default()
            }),
            "warehouse_products" => self.page(&all, arguments, |id| {
                state.stock.get(id).and_then(|seen| seen.shown(self.now)).map(|stock| self.of.print_stock(stock)).unwrap_or_default()
            }),
            "products" => {
                let by_id: std::collections::BTreeMap<i64, _> = state.products.values().map(|product| (product.id, product)).collect();
                self.page(&all, arguments, |id| by_id.get(id).map(|product| print::product(product)).unwrap_or_default())
            }
            "webhooks" => self.page(&all, arguments, |id| state.hooks.iter().find(|hook| hook.id == *id).map(print::hook).unwrap_or_default()),
            "inventory_changes" => self.page(&all, arguments, |at| {
                usize::try_from(*at).ok().and_then(|at| state.stock_changes.get(at)).map(print::stock_change).unwrap_or_default()
            }),
            "picks_per_day" => self.page(&all, arguments, |at| {
                let pick = handled(&state.picks, *at);
                pick.and_then(|pick| Some(print::pick(&pick, state.order(pick.order)?))).unwrap_or_default()
            }),
            "packs_per_day" => self.page(&all, arguments, |at| {
                let pack = handled(&state.packs, *at);
                pack.and_then(|pack| Some(print::pack(&pack, state.order(pack.order)?))).unwrap_or_default()
            }),
            _ => {
                let entry = |pair: &Json| {
                    let order = state.order(pair.get(0)?.as_i64()?)?;
                    let id = pair.get(1)?.as_i64()?;
                    let printed = print::order(order);
                    printed["order_history"].as_array()?.iter().find(|entry| entry["legacy_id"] == json!(id)).cloned()
                };
                self.page(listed, arguments, |pair| entry(pair).unwrap_or_default())
            }
        }
    }

    /// The order of a list: what is asked for, or the one that it has by itself.
    fn sort(&self, of: &str, all: &mut Vec<i64>, asked: Option<&str>) -> Result<(), String> {
        let usual = match self.of.laws.law(of, "sorted") {
            Some(Law::Sorted { by }) => by.clone(),
            _ => vec!["legacy_id".to_owned()],
        };
        let by: Vec<By> = match asked.filter(|asked| !asked.trim().is_empty()) {
            Some(asked) => asked.split(',').map(By::read).collect(),
            None => usual.iter().map(|by| By::read(by)).collect(),
        };
        let mut keyed: Vec<(Vec<Json>, i64)> = Vec::with_capacity(all.len());
        for id in all.iter() {
            let key = by.iter().map(|by| self.key(of, *id, &by.field).ok_or_else(|| format!("Invalid sort field: {}", by.field)));
            keyed.push((key.collect::<Result<_, _>>()?, *id));
        }
        keyed.sort_by(|(one, one_id), (other, other_id)| {
            for (by, (one, other)) in by.iter().zip(one.iter().zip(other)) {
                let found = compare(one, other);
                if found != Ordering::Equal {
                    return if by.is_descending { found.reverse() } else { found };
                }
            }
            one_id.cmp(other_id)
        });
        *all = keyed.into_iter().map(|(_, id)| id).collect();
        Ok(())
    }

    /// What a record is sorted by; none where a list is not sorted by that.
    fn key(&self, of: &str, id: i64, field: &str) -> Option<Json> {
        let state = &self.of.state;
        if matches!(field, "id" | "legacy_id") {
            return Some(Json::from(id));
        }
        match of {
            "orders" => {
                let order = state.orders.get(&id).and_then(|seen| seen.shown(self.now))?;
                match field {
                    "updated_at" => Some(time::json(order.updated)),
                    "created_at" => Some(time::json(order.created)),
                    "order_date" | "order_number" | "partner_order_id" | "required_ship_date" | "fulfillment_status" => {
                        Some(Json::from(order.text(field)))
                    }
                    _ => None,
                }
            }
            "shipments" => (field == "created_date").then(|| state.shipment(id).map(|shipment| time::json(shipment.created)).unwrap_or_default()),
            "warehouse_products" => {
                let stock = state.stock.get(&id).map(Seen::newest)?;
                match field {
                    "updated_at" => Some(time::json(stock.updated)),
                    "created_at" => Some(time::json(stock.created)),
                    "sku" => Some(Json::from(stock.sku.clone())),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn compare(one: &Json, other: &Json) -> Ordering {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_str().unwrap_or_default().cmp(other.as_str().unwrap_or_default()),
    }
}
