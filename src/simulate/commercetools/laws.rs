//! The history of a day, judged by what commercetools and ShipStation noted themselves.
//!
//! The laws say what the page of `commercetools-shipstation` promises. They know nothing of the engine, its store, or the mapping.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;

use crate::simulate::check::Finding;
use crate::simulate::history::{Follows, Past, as_it_is, in_order, text};
use crate::value::Json;

const FOLLOWED: [Follows; 2] = [
    Follows { target: "/customerNotes", source: "/custom/fields/deliveryInstructions", turned: as_it_is },
    Follows { target: "/shipTo/city", source: "/shippingAddress/city", turned: as_it_is },
];

/// The custom fields that the template writes.
const OWN_FIELDS: [&str; 5] = ["fulfillmentError", "fulfillmentStatus", "fulfillmentOrder", "addressStatus", "addressMessage"];
/// What it may change of an order beside them.
const OWN: [&str; 5] = ["shipmentState", "state", "custom", "syncInfo", "shippingInfo"];

const LAWS: [fn(&Past, &mut Vec<Finding>); 9] = [
    one_order_for_one_part,
    nothing_is_lost,
    versions_in_order,
    as_the_shop_says,
    lines_as_they_were_ordered,
    nothing_else_is_written,
    labels_are_deliveries_once,
    states_are_those_of_the_parcels,
    marks_and_addresses,
];

/// Everything in a history that must not be.
pub(in crate::simulate) fn judge(past: &Past) -> Vec<Finding> {
    let mut found = Vec::new();
    for law in LAWS {
        law(past, &mut found);
    }
    found
}

/// Where a line is packed: by the supply channel that it has its stock of.
fn location(line: &Json) -> Option<&'static str> {
    let locations = include_str!("../../../mappings/commercetools-shipstation/tables/locations.csv");
    let channel = line.pointer("/supplyChannel/id")?.as_str()?;
    locations.lines().find_map(|row| row.strip_prefix(channel)?.strip_prefix(','))
}

/// The parts of an order, by their keys: the lines that each has.
fn parts<'o>(id: &str, order: &'o Json) -> BTreeMap<String, Vec<&'o Json>> {
    let mut parts: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
    for line in order["lineItems"].as_array().into_iter().flatten() {
        if let Some(location) = location(line) {
            parts.entry(format!("ct-{id}/{location}")).or_default().push(line);
        }
    }
    parts
}

fn field<'o>(order: &'o Json, name: &str) -> &'o str {
    order.pointer("/custom/fields").map(|fields| text(fields, name)).unwrap_or_default()
}

/// Somebody knows of it: an alert since it changed, an error at the order, a decision.
fn known(past: &Past, id: &str, order: &Json) -> bool {
    !field(order, "fulfillmentError").is_empty() || past.was_told_of(id, text(order, "orderNumber")) || past.decided.contains(id)
}

/// Somebody was told of it at any time.
fn told(past: &Past, id: &str, order: &Json) -> bool {
    known(past, id, order) || past.told.contains_key(text(order, "orderNumber")) || past.told.contains_key(id)
}

/// People in the warehouse took a part into their own hands.
fn in_hand(past: &Past, key: &str) -> bool {
    let by_people = ["cancelled", "deleted", "reopened", "combined", "split"];
    past.of_key(key).any(|effect| !effect.by_api && by_people.contains(&effect.kind.as_str()))
        || past.wms.iter().any(|effect| effect.kind == "restored")
}

fn is_plain(order: &Json) -> bool {
    text(order, "orderState") == "Confirmed" && order["totalPrice"]["centAmount"].as_i64().is_some_and(|cents| cents <= 2_000_000)
}

/// A part of an order is at most one order at ShipStation at a time.
fn one_order_for_one_part(past: &Past, found: &mut Vec<Finding>) {
    let mut there: BTreeMap<&str, &str> = BTreeMap::new();
    for effect in &past.wms {
        if effect.kind == "restored" {
            there.clear();
        }
        let Some(key) = effect.key.as_deref().filter(|key| effect.object == "Order" && key.starts_with("ct-")) else { continue };
        match effect.kind.as_str() {
            "created" => {
                if let Some(first) = there.insert(key, &effect.id) {
                    found.push(Finding::new("history: one order", format!("{key} was created as {first} and again as {}", effect.id)));
                }
            }
            "deleted" => {
                there.remove(key);
            }
            _ => {}
        }
    }
}

/// Each part of an order that may go is at ShipStation, or somebody knows of it.
fn nothing_is_lost(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders().filter(|(_, order)| is_plain(order)) {
        for key in parts(id, order).into_keys() {
            if !past.target.contains_key(&key) && !known(past, id, order) && !in_hand(past, &key) {
                let number = text(order, "orderNumber");
                found.push(Finding::new("history: lost", format!("the part {key} of {number} is not at ShipStation, and nobody was told")));
            }
        }
    }
}

fn versions_in_order(past: &Past, found: &mut Vec<Finding>) {
    in_order(past, "ct-", &FOLLOWED, found);
}

/// Parts that are at ShipStation, are not shipped, and are in nobody's hands: the order's id, the order, the key, the target.
fn open_parts(past: &Past) -> impl Iterator<Item = (&String, &Json, String, &Json)> {
    past.orders().flat_map(move |(id, order)| {
        parts(id, order).into_keys().filter_map(move |key| {
            let target = past.target.get(&key).filter(|target| text(target, "orderStatus") != "shipped" && !in_hand(past, &key))?;
            Some((id, order, key, target))
        })
    })
}

/// After the day ShipStation holds what the shop says, where nobody was told otherwise.
fn as_the_shop_says(past: &Past, found: &mut Vec<Finding>) {
    for (id, order, key, target) in open_parts(past) {
        if known(past, id, order) {
            continue;
        }
        let status = match (text(order, "orderState"), text(order, "paymentState")) {
            ("Cancelled", _) => "cancelled",
            ("Confirmed", "Paid") => "awaiting_shipment",
            ("Confirmed", _) => "awaiting_payment",
            // Open again: nobody packs it.
            ("Open", _) => "on_hold",
            _ => continue,
        };
        let is = text(target, "orderStatus");
        // Where it was never sent as it is open now, it stays as it was.
        if is != status && !past.is_of_people(&key, "/orderStatus") && !(status == "on_hold" && is == "cancelled") {
            found.push(Finding::new("history: stale", format!("{key} is {is}, and the shop says {status}")));
        }
        if status == "on_hold" || status == "cancelled" {
            continue;
        }
        for of in &FOLLOWED {
            let Some(says) = of.says(order).filter(|_| !past.is_of_people(&key, of.target)) else { continue };
            if target.pointer(of.target) != Some(&says) {
                let is = target.pointer(of.target).cloned().unwrap_or_default();
                found.push(Finding::new("history: stale", format!("{key}: {} is {is}, and the shop says {says}", of.target)));
            }
        }
        let number = text(order, "orderNumber");
        let named = if parts(id, order).len() == 1 { number.to_owned() } else { key.replace(&format!("ct-{id}/"), &format!("{number}-")) };
        if text(target, "orderNumber") != named {
            found.push(Finding::new("history: stale", format!("{key} is called {}, not {named}", text(target, "orderNumber"))));
        }
    }
}

/// Each line is in one part, with its pieces, at the price that the customer pays.
fn lines_as_they_were_ordered(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders().filter(|(id, order)| is_plain(order) && !known(past, id, order)) {
        for (key, lines) in parts(id, order) {
            let Some(target) = past.target.get(&key).filter(|_| !in_hand(past, &key)) else { continue };
            let wanted: BTreeMap<&str, i64> = lines.iter().map(|line| (text(line, "id"), line["quantity"].as_i64().unwrap_or(0))).collect();
            let items = || target["items"].as_array().into_iter().flatten();
            let is: BTreeMap<&str, i64> = items().map(|item| (text(item, "lineItemKey"), item["quantity"].as_i64().unwrap_or(0))).collect();
            if wanted != is || items().count() != is.len() {
                found.push(Finding::new("history: lines", format!("{key} was ordered as {wanted:?}, and is {is:?} at ShipStation")));
            }
        }
    }
}

/// At commercetools the template writes its own fields, and nothing that changes what the customer pays.
fn nothing_else_is_written(past: &Past, found: &mut Vec<Finding>) {
    let mut others: BTreeSet<String> = BTreeSet::new();
    let mut orders: BTreeMap<&str, Json> = past.before.iter().map(|(id, order)| (id.as_str(), order.clone())).collect();
    for effect in &past.crm {
        if effect.object != "Order" {
            let is_part = matches!(effect.object.as_str(), "Delivery" | "Parcel" | "SyncInfo") && effect.kind != "removed";
            if effect.by_api && !is_part {
                others.insert(format!("{} {} was {}", effect.object, effect.id, effect.kind));
            }
            continue;
        }
        let order = orders.entry(&effect.id).or_default();
        let fields = effect.fields.as_object().cloned().unwrap_or_default();
        if effect.by_api {
            others.extend(fields.keys().filter(|name| !OWN.contains(&name.as_str())).map(|name| format!("Order.{name}")));
            let whole = |of: &Json| of.as_object().cloned().unwrap_or_default();
            if let Some(info) = fields.get("shippingInfo") {
                let (mut before, mut after): (Map<String, Json>, Map<String, Json>) = (whole(&order["shippingInfo"]), whole(info));
                before.remove("deliveries");
                after.remove("deliveries");
                if before != after {
                    others.insert("Order.shippingInfo beside its deliveries".to_owned());
                }
            }
            if let Some(custom) = fields.get("custom") {
                let (before, after) = (whole(&order["custom"]["fields"]), whole(&custom["fields"]));
                let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
                others.extend(names.filter(|name| !OWN_FIELDS.contains(&name.as_str())).map(|name| format!("Order.custom.fields.{name}")));
                if custom["type"] != order["custom"]["type"] {
                    others.insert("Order.custom.type".to_owned());
                }
            }
        }
        for (name, value) in fields {
            order[name.as_str()] = value;
        }
    }
    found.extend(others.into_iter().map(|other| Finding::new("ownership", format!("the template wrote what is not its own: {other}"))));
}

/// The order of a key of ShipStation's, which is that of one part of it.
pub(in crate::simulate) fn order_of(key: &str) -> Option<&str> {
    key.strip_prefix("ct-")?.split('/').next()
}

/// Deliveries of an order that the template has made.
fn deliveries(order: &Json) -> Vec<&Json> {
    let all = order["shippingInfo"]["deliveries"].as_array().into_iter().flatten();
    all.filter(|delivery| text(delivery, "key").starts_with("ss-")).collect()
}

/// Each label is a delivery with one parcel, once, and no delivery is without its label.
fn labels_are_deliveries_once(past: &Past, found: &mut Vec<Finding>) {
    let voided: BTreeSet<&str> = past.wms.iter().filter(|effect| effect.kind == "voided").map(|effect| effect.id.as_str()).collect();
    let labels: Vec<_> = past.wms.iter().filter(|effect| effect.kind == "label").collect();
    for (id, order) in past.orders() {
        let number = text(order, "orderNumber");
        let made = deliveries(order);
        let keys: BTreeSet<&str> = made.iter().map(|delivery| text(delivery, "key")).collect();
        if keys.len() != made.len() {
            found.push(Finding::new("one effect", format!("{number} has {} deliveries of {} labels", made.len(), keys.len())));
        }
        let own: Vec<_> = labels.iter().filter(|label| label.key.as_deref().and_then(order_of) == Some(id.as_str())).collect();
        for delivery in &made {
            let Some(label) = own.iter().find(|label| format!("ss-{}", label.id) == text(delivery, "key")) else {
                found.push(Finding::new("promise", format!("{number} has the delivery {} without a label", text(delivery, "key"))));
                continue;
            };
            let parcels = delivery["parcels"].as_array().map(Vec::as_slice).unwrap_or_default();
            let numbers: Vec<&str> = parcels.iter().map(|parcel| text(&parcel["trackingData"], "trackingId")).collect();
            if numbers != [text(&label.fields, "trackingNumber")] && !told(past, id, order) {
                let is = &label.fields["trackingNumber"];
                found.push(Finding::new("promise", format!("the label {} of {number} has the number {is}, and its parcels {numbers:?}", label.id)));
            }
            // What is inside: the lines of its part.
            let part = label.key.as_deref().unwrap_or_default();
            let lines = parts(id, order).remove(part).unwrap_or_default();
            let wanted: BTreeMap<&str, i64> = lines.iter().map(|line| (text(line, "id"), line["quantity"].as_i64().unwrap_or(0))).collect();
            let items = delivery["items"].as_array().into_iter().flatten();
            let is: BTreeMap<&str, i64> = items.map(|item| (text(item, "id"), item["quantity"].as_i64().unwrap_or(0))).collect();
            if wanted != is && !in_hand(past, part) {
                found.push(Finding::new("promise", format!("the label {} of {number} holds {wanted:?}, and its delivery {is:?}", label.id)));
            }
        }
        for label in own.iter().filter(|label| !voided.contains(label.id.as_str()) && !keys.contains(format!("ss-{}", label.id).as_str())) {
            let known = told(past, id, order) || past.told.contains_key(&label.id) || past.decided.contains(&label.id);
            if !known && !in_hand(past, label.key.as_deref().unwrap_or_default()) {
                found.push(Finding::new("history: not tracked", format!("the label {} of {number} is no delivery", label.id)));
            }
        }
    }
}

/// How far an order is: counted over its deliveries. A voided label takes it back, until there is another one.
fn states_are_those_of_the_parcels(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders() {
        let number = text(order, "orderNumber");
        let voids = past.wms.iter().any(|effect| effect.kind == "voided" && effect.key.as_deref().and_then(order_of) == Some(id.as_str()));
        let deliveries = deliveries(order);
        if deliveries.is_empty() || told(past, id, order) {
            continue;
        }
        let pieces = |lines: &Json| lines.as_array().into_iter().flatten().filter_map(|line| line["quantity"].as_i64()).sum::<i64>();
        let packed: i64 = deliveries.iter().map(|delivery| pieces(&delivery["items"])).sum();
        let wanted = if packed >= pieces(&order["lineItems"]) { "Shipped" } else { "Partial" };
        let is = text(order, "shipmentState");
        if is != wanted && !(voids && is == "Ready") {
            found.push(Finding::new("promise", format!("{number} has {packed} pieces packed, and is {is:?}, not {wanted}")));
        }
    }
}

/// The mark of an order that ShipStation has, once; and what ShipStation says of its address.
fn marks_and_addresses(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders() {
        let (number, marks) = (text(order, "orderNumber"), order["syncInfo"].as_array().map(Vec::as_slice).unwrap_or_default());
        if marks.len() > 1 || marks.iter().any(|mark| text(mark, "externalId") != format!("ct-{id}")) {
            found.push(Finding::new("one effect", format!("{number} has the marks {marks:?}")));
        }
        let keys: Vec<String> = parts(id, order).into_keys().collect();
        let is_there = !keys.is_empty() && keys.iter().all(|key| past.target.contains_key(key));
        if is_there && marks.is_empty() && is_plain(order) && !told(past, id, order) && !keys.iter().any(|key| in_hand(past, key)) {
            found.push(Finding::new("promise", format!("{number} is at ShipStation, and has no mark")));
        }
        let said: BTreeSet<&str> = keys
            .iter()
            .filter_map(|key| past.target.get(key)?.pointer("/shipTo/addressVerified")?.as_str())
            .filter(|said| !said.is_empty())
            .collect();
        let verdict = |said: &str| match said.to_lowercase() {
            said if said.contains("success") => "verified",
            said if said.contains("warning") => "warning",
            _ => "failed",
        };
        let is = field(order, "addressStatus");
        // Where its parts are told differently, the last one counts.
        if !said.is_empty() && !said.iter().any(|said| verdict(said) == is) && !told(past, id, order) {
            found.push(Finding::new("promise", format!("ShipStation says {said:?} of the address of {number}, and it shows {is:?}")));
        }
    }
}
