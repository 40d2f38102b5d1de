//! What people do in a day.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::simulate::orders::{self, minutes};
use crate::simulate::scenario::Scenario;
use crate::value::Json;

fn act(verb: &str, subject: &str, settings: Json) -> Act {
    Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }
}

/// What people do, in order: when, at Salesforce or not, what.
pub(in crate::simulate) fn schedule(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    if scenario.hazards.restless || scenario.hazards.hasty {
        return orders::schedule(dice, scenario, start);
    }
    let mut acts = Vec::new();
    let mut ticked = BTreeSet::new();
    for _ in 0..scenario.acts {
        let at = start + minutes(dice, scenario.minutes - 5);
        let order = format!("{:08}", 1 + dice.below(scenario.orders.max(1) as u64));
        let (to_crm, act) = match dice.below(20) {
            0 | 1 => (true, act("create", "", Json::Null)),
            2 | 3 => (true, act("change", &order, json!({"Package_Notes__c": format!("note {}", dice.below(1_000))}))),
            4 => (true, act("change", &order, json!({"ShippingCity": format!("Town {}", dice.below(1_000))}))),
            5 | 6 => (true, act("change", &format!("{order}/1"), json!({"Quantity": 1 + dice.below(5)}))),
            7 => (true, act("cancel", &order, Json::Null)),
            8 => (true, act("change", &order, json!({"Status": "On Hold"}))),
            9 => (true, act("activate", &order, Json::Null)),
            10 => (true, act("fix", &order, Json::Null)),
            // Once for each order.
            11 if ticked.insert(order.clone()) => (true, act("change", &order, json!({"Fulfilment_Retry__c": true}))),
            12 => (true, act("delete", &order, Json::Null)),
            13 => (false, act("pick", &order, Json::Null)),
            14 => (false, act("pack", &order, Json::Null)),
            15 => (false, act("parcel", &order, json!({"quantity": 1}))),
            16 => (false, act("void", &order, Json::Null)),
            17 => (false, act("backorder", &order, Json::Null)),
            18 => {
                let skus = crate::sandbox::salesforce::products().map(|(sku, ..)| sku).collect::<Vec<_>>();
                (false, act("restock", skus[dice.below(skus.len() as u64) as usize], json!({"quantity": 1 + dice.below(50)})))
            }
            _ => (false, act("ship", &order, Json::Null)),
        };
        acts.push((at, to_crm, act));
    }
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

/// What others do to an order at ShipHero.
pub(in crate::simulate) fn at_the_warehouse(dice: &mut Rng, order: &str) -> Act {
    match dice.below(13) {
        0 | 1 => act("hold", order, json!({"hold": "operator_hold"})),
        2 => act("hold", order, json!({"hold": "fraud_hold"})),
        3 | 4 => act("release", order, json!({"hold": "operator_hold"})),
        5 => act("release", order, Json::Null),
        6 => act("change", order, json!({"packing_note": format!("by hand {}", dice.below(1_000))})),
        7 => act("change", order, json!({"box_name": format!("box {}", dice.below(1_000))})),
        8 => act("status", order, json!({"status": "Tomorrow"})),
        9 => act("tag", order, json!({"tag": format!("tag-{}", dice.below(1_000))})),
        10 => act("cancel", order, Json::Null),
        11 => act("delete", order, Json::Null),
        _ => act("ship", order, Json::Null),
    }
}
