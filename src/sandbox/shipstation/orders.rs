//! Orders: created and updated by their key, locked when shipped or cancelled.

use jiff::{SignedDuration, Timestamp};

use super::{Answered, Order, Refused, ShipStation, bad, time};
use crate::value::Json;

/// What a caller may send.
const STATUSES: [&str; 5] = ["awaiting_payment", "awaiting_shipment", "shipped", "on_hold", "cancelled"];
/// What lists can be asked for.
const LISTED: [&str; 6] = ["awaiting_payment", "awaiting_shipment", "pending_fulfillment", "shipped", "on_hold", "cancelled"];
/// What an order can have: the last two are set when it is given to a fulfillment provider, and when the provider declines it.
pub(super) const HELD: [&str; 7] =
    ["awaiting_payment", "awaiting_shipment", "shipped", "on_hold", "cancelled", "pending_fulfillment", "rejected_fulfillment"];
const CONFIRMATIONS: [&str; 5] = ["none", "delivery", "signature", "adult_signature", "direct_signature"];
/// Orders in one call.
const MOST: usize = 100;

/// A whole number, also as text.
pub(super) fn integer(value: Option<&Json>) -> Option<i64> {
    match value? {
        Json::Number(number) => number.to_string().parse().ok(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn text<'j>(body: &'j Json, name: &str) -> Option<&'j str> {
    body.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty())
}

pub(super) fn one_of(value: &str, known: &[&'static str]) -> Option<&'static str> {
    known.iter().copied().find(|known| *known == value)
}

impl Order {
    /// As lists show it: what was changed lately shows as it was before.
    fn seen(&self, now: Timestamp, lag: SignedDuration) -> Option<&Order> {
        std::iter::once(self).chain(self.older.iter().rev()).find(|version| version.shows(now, lag))
    }

    fn shows(&self, now: Timestamp, lag: SignedDuration) -> bool {
        self.modified.saturating_add(lag).is_ok_and(|seen| seen <= now)
    }

    /// Keeps the present version for lists that do not show the next one yet.
    fn remember(&mut self, now: Timestamp, lag: SignedDuration) {
        if lag.is_zero() {
            return;
        }
        let shown = self.older.iter().rposition(|version| version.shows(now, lag)).unwrap_or(0);
        self.older.drain(..shown);
        let present = Order { older: Vec::new(), ..self.clone() };
        self.older.push(present);
    }
}

impl ShipStation {
    pub(super) fn list_by_tag(&self, query: &[(String, String)]) -> Answered {
        let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let Some(status) = get("orderStatus").and_then(|status| one_of(status, &LISTED)) else {
            return Err(Refused::of("orderStatus", "orderStatus is required."));
        };
        let Some(tag) = get("tagId").and_then(|tag| tag.parse::<i64>().ok()) else { return Err(Refused::of("tagId", "tagId is required.")) };
        let has = |order: &&Order| {
            let tags = order.body.get("tagIds").and_then(Json::as_array);
            order.status == status && tags.is_some_and(|tags| tags.iter().any(|known| known.as_i64() == Some(tag)))
        };
        let found: Vec<&Order> = self.account.orders.values().filter(has).collect();
        let (page, size, pages) = paged(query, found.len())?;
        let orders: Vec<Json> = found.iter().skip((page - 1) * size).take(size).map(|order| self.print(order)).collect();
        Ok(serde_json::json!({"orders": orders, "total": found.len(), "page": page, "pages": pages}))
    }

    pub(super) fn create_order(&mut self, body: &Json, now: Timestamp) -> Answered {
        let id = self.put(body, now)?;
        self.order(&id.to_string())
    }

    pub(super) fn create_orders(&mut self, body: &Json, now: Timestamp) -> Answered {
        let Json::Array(orders) = body else { return Err(Refused::of("apiOrders", "An array of orders is expected.")) };
        if orders.is_empty() || orders.len() > MOST {
            return Err(Refused::of("apiOrders", format!("Between 1 and {MOST} orders may be sent in one request, not {}.", orders.len())));
        }
        let mut errors = false;
        let results: Vec<Json> = orders
            .iter()
            .map(|order| {
                let result = self.put(order, now);
                errors |= result.is_err();
                let (id, error) = match result {
                    Ok(id) => (Json::from(id), Json::Null),
                    Err(refused) => (Json::Null, Json::String(refused.message)),
                };
                let key = match (&id, order.get("orderKey")) {
                    (Json::Number(id), _) => id.as_i64().and_then(|id| self.account.orders.get(&id)).map_or(Json::Null, |order| Json::String(order.key.clone())),
                    (_, key) => key.cloned().unwrap_or_default(),
                };
                serde_json::json!({"orderId": id, "orderNumber": order.get("orderNumber"), "orderKey": key, "success": error.is_null(), "errorMessage": error})
            })
            .collect();
        Ok(serde_json::json!({"hasErrors": errors, "results": results}))
    }

    /// Creates an order, or replaces the one of its key.
    pub(super) fn put(&mut self, body: &Json, now: Timestamp) -> Result<i64, Refused> {
        let Json::Object(fields) = body else { return Err(Refused::of("apiOrder", "An order is expected.")) };
        let wrong = |name: &str, message: String| Err(Refused::of(&format!("apiOrder.{name}"), message));
        let required = |name: &str| wrong(name, format!("{name} is required."));
        for name in ["orderNumber", "orderDate", "orderStatus"] {
            if text(body, name).is_none() {
                return required(name);
            }
        }
        for name in ["billTo", "shipTo"] {
            if !body.get(name).is_some_and(Json::is_object) {
                return required(name);
            }
        }
        if body.pointer("/shipTo/name").is_none_or(|name| name.as_str().is_none_or(|name| name.trim().is_empty())) {
            return required("shipTo.name");
        }
        let asked = text(body, "orderStatus").unwrap_or_default();
        let known = text(body, "orderKey").and_then(|key| self.account.by_key.get(key)).and_then(|id| self.account.orders.get(id));
        // An update is of the whole order, so it says the status again that the order has.
        let kept = known.map(|order| order.status).filter(|status| *status == asked);
        let Some(status) = one_of(asked, &STATUSES).or(kept) else {
            return wrong("orderStatus", "orderStatus has no such value.".to_owned());
        };
        if let Some(found) = text(body, "confirmation")
            && one_of(found, &CONFIRMATIONS).is_none()
        {
            return wrong("confirmation", "confirmation has no such value.".to_owned());
        }
        if let Some(carrier) = text(body, "carrierCode")
            && !self.options.lists.is_carrier(carrier)
        {
            return wrong("carrierCode", format!("The carrier {carrier} is not one of the account's."));
        }
        if let Some(units) = body.pointer("/weight/units").and_then(Json::as_str)
            && one_of(units, &["pounds", "ounces", "grams"]).is_none()
        {
            return wrong("weight.units", "weight.units has no such value.".to_owned());
        }
        for (pointer, known) in [
            ("/internationalOptions/contents", &["merchandise", "documents", "gift", "returned_goods", "sample"][..]),
            ("/internationalOptions/nonDelivery", &["return_to_sender", "treat_as_abandoned"][..]),
        ] {
            if let Some(found) = body.pointer(pointer).and_then(Json::as_str)
                && one_of(found, known).is_none()
            {
                let place = pointer.trim_start_matches('/').replace('/', ".");
                return wrong(&place, format!("{place} has no such value."));
            }
        }
        let option = |name: &str| integer(body.pointer(&format!("/advancedOptions/{name}")));
        if let Some(warehouse) = option("warehouseId")
            && !self.options.lists.is_warehouse(warehouse)
        {
            return wrong("advancedOptions.warehouseId", format!("There is no warehouse {warehouse}."));
        }
        let store = option("storeId");
        if let Some(store) = store
            && !self.options.lists.is_store(store)
        {
            return wrong("advancedOptions.storeId", format!("There is no store {store}."));
        }
        let key = text(body, "orderKey").map(str::to_owned);
        match key.as_ref().and_then(|key| self.account.by_key.get(key).copied()) {
            Some(id) => self.replace(id, fields, status, now),
            None => Ok(self.create(key, fields, status, store, now)),
        }
    }

    fn create(
        &mut self,
        key: Option<String>,
        fields: &serde_json::Map<String, Json>,
        status: &'static str,
        store: Option<i64>,
        now: Timestamp,
    ) -> i64 {
        let id = self.id();
        // Without a key it is always a new order, under a key of the vendor's own.
        let key = key.unwrap_or_else(|| format!("generated-{id}"));
        // A store can be named at creation only; otherwise it is the first manual one.
        let store = store.unwrap_or_else(|| self.options.lists.usual_store());
        let mut body = fields.clone();
        self.number_lines(&mut body, None);
        let number = fields.get("orderNumber").and_then(Json::as_str).unwrap_or_default().to_owned();
        let order = Order { id, key: key.clone(), number, status, store, created: now, modified: now, body, older: Vec::new() };
        self.account.by_key.insert(key.clone(), id);
        self.index(&order);
        self.account.orders.insert(id, order);
        self.effect(now, "created", "Order", id, Some(key), true, Json::Object(fields.clone()));
        self.notify("ORDER_NOTIFY", &format!("/orders?importBatch={id}"), store);
        self.plan_to_ship(id, now);
        id
    }

    fn replace(&mut self, id: i64, fields: &serde_json::Map<String, Json>, status: &'static str, now: Timestamp) -> Result<i64, Refused> {
        let Some(known) = self.account.orders.get(&id) else { return bad("The order was deleted.") };
        if matches!(known.status, "shipped" | "cancelled") {
            return bad(format!("The order {} is {} and cannot be updated.", known.number, known.status));
        }
        let (key, old) = (known.key.clone(), known.body.clone());
        // What is not sent is lost; until when people hold an order cannot be sent.
        let mut body = fields.clone();
        if let Some(until) = old.get("holdUntilDate") {
            body.insert("holdUntilDate".to_owned(), until.clone());
        }
        self.number_lines(&mut body, Some(&old));
        let number = fields.get("orderNumber").and_then(Json::as_str).unwrap_or_default().to_owned();
        self.change(id, now, |order| {
            order.body = body;
            order.number = number;
            order.status = status;
        });
        let kind = if status == "cancelled" { "cancelled" } else { "updated" };
        self.effect(now, kind, "Order", id, Some(key), true, Json::Object(fields.clone()));
        self.plan_to_ship(id, now);
        Ok(id)
    }

    /// Lines and customs lines get ids. A line is known by its `lineItemKey` or `orderItemId`; a customs line that is sent
    /// without its id is a new one beside those that are there.
    fn number_lines(&mut self, body: &mut serde_json::Map<String, Json>, old: Option<&serde_json::Map<String, Json>>) {
        let known: Vec<Json> = old.and_then(|old| old.get("items")).and_then(Json::as_array).cloned().unwrap_or_default();
        if let Some(Json::Array(items)) = body.get_mut("items") {
            let mut taken = vec![false; known.len()];
            for item in items {
                let Json::Object(line) = item else { continue };
                let by = |old: &Json, name: &str| line.get(name).is_some_and(|value| !value.is_null() && old.get(name) == Some(value));
                // Parts of a kit have one key: each line is one of them, the one with its SKU if there is one.
                let ways: [&dyn Fn(&Json) -> bool; 3] =
                    [&|old| by(old, "orderItemId"), &|old| by(old, "lineItemKey") && by(old, "sku"), &|old| by(old, "lineItemKey")];
                let same = ways.iter().find_map(|way| (0..known.len()).find(|at| !taken[*at] && way(&known[*at])));
                if let Some(at) = same {
                    taken[at] = true;
                }
                let id = same.and_then(|at| known[at].get("orderItemId").cloned()).unwrap_or_else(|| {
                    self.account.next += 1;
                    Json::from(self.account.next)
                });
                line.insert("orderItemId".to_owned(), id);
            }
        }
        let before: Vec<Json> = old
            .and_then(|old| old.get("internationalOptions"))
            .and_then(|options| options.get("customsItems"))
            .and_then(Json::as_array)
            .cloned()
            .unwrap_or_default();
        if let Some(Json::Array(lines)) = body.get_mut("internationalOptions").and_then(|options| options.get_mut("customsItems")) {
            let mut all = before;
            for mut line in std::mem::take(lines) {
                match integer(line.get("customsItemId")) {
                    Some(id) => match all.iter_mut().find(|old| integer(old.get("customsItemId")) == Some(id)) {
                        Some(old) => *old = line,
                        None => all.push(line),
                    },
                    None => {
                        self.account.next += 1;
                        if let Json::Object(fields) = &mut line {
                            fields.insert("customsItemId".to_owned(), Json::from(self.account.next));
                        }
                        all.push(line);
                    }
                }
            }
            *lines = all;
        }
    }

    pub(super) fn index(&mut self, order: &Order) {
        self.account.by_number.insert((order.number.clone(), order.id));
        self.account.by_modified.insert((order.modified, order.id));
    }

    /// Changes an order and moves its stamp.
    pub(super) fn change(&mut self, id: i64, now: Timestamp, what: impl FnOnce(&mut Order)) {
        let lag = self.options.search_lag;
        let Some(order) = self.account.orders.get_mut(&id) else { return };
        order.remember(now, lag);
        self.account.by_number.remove(&(order.number.clone(), id));
        self.account.by_modified.remove(&(order.modified, id));
        what(order);
        order.modified = now;
        let order = order.clone();
        self.index(&order);
    }

    pub(super) fn order(&self, id: &str) -> Answered {
        let order = id.parse().ok().and_then(|id: i64| self.account.orders.get(&id));
        order.map(|order| self.print(order)).ok_or_else(|| Refused::new(404, "The order was not found."))
    }

    pub(super) fn delete_order(&mut self, id: &str, now: Timestamp) -> Answered {
        self.delete_by(id.parse().unwrap_or(0), true, now)
    }

    pub(super) fn delete_by(&mut self, id: i64, by_api: bool, now: Timestamp) -> Answered {
        let Some(order) = self.account.orders.remove(&id) else {
            return Err(Refused::new(404, "The order was not found."));
        };
        self.account.by_number.remove(&(order.number.clone(), order.id));
        self.account.by_modified.remove(&(order.modified, order.id));
        self.account.by_key.remove(&order.key);
        self.effect(now, "deleted", "Order", order.id, Some(order.key), by_api, Json::Null);
        Ok(serde_json::json!({"success": true, "message": "The requested order has been deleted."}))
    }

    pub(super) fn list_orders(&self, query: &[(String, String)], now: Timestamp) -> Answered {
        let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        let instant = |name: &str| time::asked(name, get(name));
        let (from, to) = dates(&instant, "modifyDate")?;
        let (made_from, made_to) = dates(&instant, "createDate")?;
        if let Some(status) = get("orderStatus")
            && one_of(status, &LISTED).is_none()
        {
            return Err(Refused::of("orderStatus", format!("The value '{status}' is not valid for orderStatus.")));
        }
        let store: Option<i64> = get("storeId").map(|store| store.parse().map_err(|_| unfit("storeId", store))).transpose()?;
        let dates = Dates { order: dates(&instant, "orderDate")?, payment: dates(&instant, "paymentDate")? };
        let keeps = |order: &&Order| {
            get("orderStatus").is_none_or(|status| order.status == status)
                && store.is_none_or(|store| order.store == store)
                && from.is_none_or(|from| order.modified >= from)
                && to.is_none_or(|to| order.modified <= to)
                && made_from.is_none_or(|from| order.created >= from)
                && made_to.is_none_or(|to| order.created <= to)
                && get("importBatch").is_none_or(|batch| order.id.to_string() == batch)
                && get("orderNumber").is_none_or(|number| order.number.starts_with(number))
                && get("customerName").is_none_or(|name| is_named(order, name))
                && get("itemKeyword").is_none_or(|word| has_item(order, word))
                && dates.hold(order)
        };
        let seen = |id: &i64| self.account.orders.get(id).and_then(|order| order.seen(now, self.options.search_lag));
        let mut found: Vec<&Order> = match (get("orderNumber"), from) {
            // It begins with what is asked for.
            (Some(number), _) => self
                .account
                .by_number
                .range((number.to_owned(), i64::MIN)..)
                .take_while(|(known, _)| known.starts_with(number))
                .filter_map(|(_, id)| seen(id))
                .filter(keeps)
                .collect(),
            (None, Some(from)) => self.account.by_modified.range((from, i64::MIN)..).filter_map(|(_, id)| seen(id)).filter(keeps).collect(),
            (None, None) => self.account.orders.keys().filter_map(seen).filter(keeps).collect(),
        };
        match get("sortBy") {
            Some("ModifyDate") => found.sort_by_key(|order| (order.modified, order.id)),
            Some("CreateDate") => found.sort_by_key(|order| (order.created, order.id)),
            Some("OrderDate") => found.sort_by(|a, b| (a.body["orderDate"].as_str(), a.id).cmp(&(b.body["orderDate"].as_str(), b.id))),
            None => found.sort_by_key(|order| order.id),
            Some(other) => return Err(unfit("sortBy", other)),
        }
        if get("sortDir") == Some("DESC") {
            found.reverse();
        }
        let (page, size, pages) = paged(query, found.len())?;
        let orders: Vec<Json> = found.iter().skip((page - 1) * size).take(size).map(|order| self.print(order)).collect();
        Ok(serde_json::json!({"orders": orders, "total": found.len(), "page": page, "pages": pages}))
    }

    pub(super) fn hold(&mut self, body: &Json, hold: bool, now: Timestamp) -> Answered {
        let Some(id) = integer(body.get("orderId")) else { return Err(Refused::of("orderId", "orderId is required.")) };
        let until = body.get("holdUntilDate").filter(|until| !until.is_null()).cloned();
        if hold && until.is_none() {
            return Err(Refused::of("holdUntilDate", "holdUntilDate is required."));
        }
        let Some(order) = self.account.orders.get(&id) else { return Err(Refused::new(404, "The order was not found.")) };
        let (from, to) = if hold { ("awaiting_shipment", "on_hold") } else { ("on_hold", "awaiting_shipment") };
        if order.status != from {
            return bad(format!("The order is {}.", order.status));
        }
        let key = order.key.clone();
        self.change(id, now, |order| {
            order.status = to;
            order.body.insert("holdUntilDate".to_owned(), until.unwrap_or_default());
        });
        self.effect(now, "updated", "Order", id, Some(key), true, serde_json::json!({"orderStatus": to}));
        Ok(serde_json::json!({"success": true, "message": "The requested order has been updated."}))
    }

    pub(super) fn tag(&mut self, body: &Json, add: bool, now: Timestamp) -> Answered {
        let (Some(id), Some(tag)) = (integer(body.get("orderId")), integer(body.get("tagId"))) else {
            return Err(Refused::of("orderId", "orderId and tagId are required."));
        };
        if !self.options.lists.is_tag(tag) {
            return Err(Refused::of("tagId", "There is no such tag."));
        }
        if !self.account.orders.contains_key(&id) {
            return Err(Refused::new(404, "The order was not found."));
        }
        self.change(id, now, |order| {
            let mut tags = order.body.get("tagIds").and_then(Json::as_array).cloned().unwrap_or_default();
            tags.retain(|known| known.as_i64() != Some(tag));
            if add {
                tags.push(Json::from(tag));
            }
            order.body.insert("tagIds".to_owned(), Json::Array(tags));
        });
        let key = self.account.orders.get(&id).map(|order| order.key.clone());
        self.effect(now, "updated", "Order", id, key, true, serde_json::json!({"tagId": tag, "added": add}));
        Ok(serde_json::json!({"success": true, "message": "The requested order has been updated."}))
    }
}

/// Ranges of dates that a list of orders is asked for.
struct Dates {
    order: (Option<Timestamp>, Option<Timestamp>),
    payment: (Option<Timestamp>, Option<Timestamp>),
}

impl Dates {
    fn hold(&self, order: &Order) -> bool {
        let within = |(from, to): &(Option<Timestamp>, Option<Timestamp>), name: &str| {
            if from.is_none() && to.is_none() {
                return true;
            }
            let at = order.body.get(name).and_then(Json::as_str).and_then(time::read);
            at.is_some_and(|at| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to))
        };
        within(&self.order, "orderDate") && within(&self.payment, "paymentDate")
    }
}

/// `orderDateStart` and `orderDateEnd`.
pub(super) fn dates(
    instant: &impl Fn(&str) -> Result<Option<Timestamp>, Refused>,
    name: &str,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Refused> {
    Ok((instant(&format!("{name}Start"))?, instant(&format!("{name}End"))?))
}

fn is_named(order: &Order, name: &str) -> bool {
    let held = |address: &str| order.body.get(address).and_then(|address| address.get("name")).and_then(Json::as_str);
    [held("billTo"), held("shipTo")].into_iter().flatten().any(|held| held.to_lowercase().contains(&name.to_lowercase()))
}

/// Searched are SKU, description (the name), options.
fn has_item(order: &Order, word: &str) -> bool {
    let word = word.to_lowercase();
    let has = |value: Option<&Json>| value.and_then(Json::as_str).is_some_and(|text| text.to_lowercase().contains(&word));
    let items = order.body.get("items").and_then(Json::as_array);
    items.into_iter().flatten().any(|item| {
        let options = item.get("options").and_then(Json::as_array);
        has(item.get("sku")) || has(item.get("name")) || options.into_iter().flatten().any(|option| has(option.get("value")))
    })
}

/// A value of a query that cannot be read.
pub(super) fn unfit(name: &str, value: &str) -> Refused {
    Refused::of(name, format!("The value '{value}' is not valid for {name}."))
}

/// Page, its size, and how many there are.
pub(super) fn paged(query: &[(String, String)], total: usize) -> Result<(usize, usize, usize), Refused> {
    let number = |name: &str, default: usize| match query.iter().find(|(known, _)| known == name) {
        None => Ok(default),
        Some((_, text)) => text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| unfit(name, text)),
    };
    let size = number("pageSize", 100)?.min(500);
    Ok((number("page", 1)?, size, total.div_ceil(size)))
}
