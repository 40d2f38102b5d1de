//! `salesforce-shiphero`: what people do in a day at Salesforce and in ShipHero's warehouse, and what has to be true afterwards.

mod acts;
mod laws;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub(super) use self::acts::{at_the_warehouse, schedule};
use self::laws::{Hero, Line};
use super::check::Finding;
use super::history::{Past, text};
use super::process::Sim;
use super::sides::{hero_asked, hero_token};
use super::wire::{Shared, locked};
use crate::sandbox::{Act, Effect};
use crate::value::Json;

fn shown(system: &Shared, subject: &str, now: Timestamp) -> Option<Json> {
    let show = Act { verb: "show".to_owned(), subject: subject.to_owned(), settings: Json::Null };
    locked(system).system.act(&show, now).ok()
}

/// ShipHero's orders by their `partner_order_id`, as they are now.
pub(super) fn targets(wms: &Shared, now: Timestamp) -> BTreeMap<String, Json> {
    let made: Vec<(String, String)> = {
        let wms = locked(wms);
        let made = wms.system.effects().iter().filter(|effect| effect.kind == "created" && effect.object == "Order");
        made.filter_map(|effect| Some((effect.key.clone()?, effect.id.clone()))).collect()
    };
    made.into_iter().filter_map(|(key, id)| Some((key, shown(wms, &id, now)?))).collect()
}

/// Whether a replay only says again what it finds now. `stopped`: records that waited for a person before it; `voided`: keys of orders
/// of which a label was voided.
pub(super) fn is_told_anew(effect: &Effect, stopped: &BTreeSet<String>, voided: &BTreeSet<String>) -> bool {
    let only = |names: &[&str]| effect.fields.as_object().is_some_and(|fields| fields.keys().all(|name| names.contains(&name.as_str())));
    match effect.object.as_str() {
        // It changes with the orders that wait, and no list says when.
        "Stock__c" => only(&["Backorder__c"]),
        // A record that was stopped is tried again. Somebody who activates a shipped order is answered. An order that shows no parcel, since
        // its newest one was voided, shows an older one that stands.
        "Order" => {
            only(&["Fulfilment_Error__c"]) && stopped.contains(&effect.id)
                // Its list does not tell that an order was deleted.
                || only(&["Fulfilment_Status__c"]) && effect.fields["Fulfilment_Status__c"] == "Gone from ShipHero"
                || only(&["Status"]) && effect.fields["Status"] == "Shipped"
                || only(&["Carrier__c", "Service__c", "Tracking_Number__c", "Shipped_At__c"]) && voided.contains(&format!("sf-{}", effect.id))
        }
        _ => false,
    }
}

/// Everything in a day that must not be.
pub(super) fn judge(sim: &Sim<'_>, past: Past) -> Vec<Finding> {
    let now = sim.clock.truth();
    let lines = past.after.iter().map(|(id, order)| (id.clone(), lines(&sim.wire.crm, text(order, "OrderNumber"), now))).collect();
    // Beyond what a list shows late.
    let stock = stock(&sim.wire.wms, now + SignedDuration::from_mins(10));
    laws::judge(&Hero::new(past, lines, stock))
}

/// The lines of an order at Salesforce: with the code of the product of each.
fn lines(crm: &Shared, order: &str, now: Timestamp) -> Vec<Line> {
    let mut all = Vec::new();
    while let Some(line) = shown(crm, &format!("{order}/{}", all.len() + 1), now) {
        let product = shown(crm, text(&line, "Product2Id"), now).unwrap_or_default();
        let quantity = super::history::decimal(&line, "Quantity");
        all.push(Line { id: text(&line, "Id").to_owned(), code: text(&product, "ProductCode").to_owned(), quantity });
    }
    all
}

/// What lies in ShipHero's own warehouses, by warehouse and SKU.
fn stock(wms: &Shared, now: Timestamp) -> BTreeMap<String, Json> {
    let document = "query($after: String) { warehouse_products { data(first: 100, after: $after) { pageInfo { hasNextPage endCursor } \
                    edges { node { sku account_id warehouse_identifier on_hand allocated available backorder } } } } }";
    let token = hero_token(wms, now);
    let (mut all, mut after, mut at) = (BTreeMap::new(), Json::Null, now);
    for _ in 0..1_000 {
        let answer = hero_asked(wms, &token, document, &json!({"after": after}), at);
        at += SignedDuration::from_secs(30);
        let page = &answer["data"]["warehouse_products"]["data"];
        for node in page["edges"].as_array().into_iter().flatten().map(|edge| &edge["node"]) {
            if text(node, "account_id") == laws::OWN_ACCOUNT {
                all.insert(format!("{}/{}", text(node, "warehouse_identifier"), text(node, "sku")), node.clone());
            }
        }
        if page["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    all
}
