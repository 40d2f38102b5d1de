//! Orders out, labels and shipments back: what people do in a day.

use jiff::{SignedDuration, Timestamp};

use super::scenario::Scenario;
use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::value::Json;

pub(super) fn minutes(dice: &mut Rng, below: u64) -> SignedDuration {
    SignedDuration::from_millis(dice.below(below * 60_000) as i64)
}

/// What people do, in order: when, at which system, what.
pub(super) fn schedule(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let mut acts = Vec::new();
    if scenario.hazards.restless {
        return changes(dice, scenario, start);
    }
    if scenario.hazards.hasty {
        return second_thoughts(dice, scenario, start);
    }
    for _ in 0..scenario.acts {
        let at = start + minutes(dice, scenario.minutes - 5);
        // Seeded orders are numbered from 1.
        let order = format!("{:08}", 1 + dice.below(scenario.orders.max(1) as u64));
        let act = |verb: &str, subject: &str, settings: Json| Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
        let (to_crm, act) = match dice.below(12) {
            0 | 1 => (true, act("create", "", Json::Null)),
            2 | 3 => (true, act("change", &order, serde_json::json!({"Package_Notes__c": format!("note {}", dice.below(1_000))}))),
            4 => (true, act("change", &order, serde_json::json!({"ShippingCity": format!("Town {}", dice.below(1_000))}))),
            5 => (true, act("change", &format!("{order}/1"), serde_json::json!({"Quantity": 1 + dice.below(5)}))),
            6 => (true, act("cancel", &order, Json::Null)),
            7 => (true, act("change", &order, serde_json::json!({"Status": "On Hold"}))),
            8 => (true, act("activate", &order, Json::Null)),
            9 => (true, act("fix", &order, Json::Null)),
            10 => (false, act("void", &order, Json::Null)),
            _ => (true, act("delete", &order, Json::Null)),
        };
        acts.push((at, to_crm, act));
    }
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

/// Orders that are made, and most of them cancelled some minutes later.
fn second_thoughts(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let act = |verb: &str, subject: &str| Act { verb: verb.to_owned(), subject: subject.to_owned(), settings: Json::Null };
    let mut made: Vec<Timestamp> = (0..scenario.acts / 2).map(|_| start + minutes(dice, scenario.minutes - 10)).collect();
    made.sort();
    let mut acts = Vec::new();
    for (at, made) in made.into_iter().enumerate() {
        acts.push((made, true, act("create", "")));
        // Created orders are numbered behind those that were there.
        let number = format!("{:08}", scenario.orders + at + 1);
        acts.push((made + SignedDuration::from_mins(1) + minutes(dice, 5), true, act("cancel", &number)));
    }
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

/// Orders that are on hold, so that nothing locks them, and change again and again.
fn changes(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let act = |order: u64, settings: Json| Act { verb: "change".to_owned(), subject: format!("{order:08}"), settings };
    let orders = scenario.orders.max(1) as u64;
    let mut acts: Vec<(Timestamp, bool, Act)> =
        (1..=orders).map(|order| (start, true, act(order, serde_json::json!({"Status": "On Hold"})))).collect();
    for change in 0..scenario.acts {
        let settings = match dice.below(3) {
            0 => serde_json::json!({"ShippingCity": format!("Town {change}")}),
            _ => serde_json::json!({"Package_Notes__c": format!("note {change}")}),
        };
        acts.push((start + minutes(dice, scenario.minutes - 5), true, act(1 + dice.below(orders), settings)));
    }
    acts.sort_by_key(|(at, ..)| *at);
    acts
}
