//! Templates that follow parcels: what happens to parcels in a day, and what has to be true of Salesforce afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::check::Finding;
use super::crm::text;
use super::orders::minutes;
use super::scenario::Scenario;
use super::wire::{Wire, locked};
use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::value::Json;

pub(super) const TEMPLATES: [&str; 2] = ["crm-delivered", "crm-exceptions"];

/// Parcels of orders that Salesforce has, and what their carriers say of them: some are late, some come back, some
/// are voided before they leave.
pub(super) fn schedule(dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let act = |verb: &str, subject: &str, settings: Json| Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
    let mut acts = Vec::new();
    // Each is of an order that Salesforce has.
    for number in 1..=scenario.orders {
        let (name, parcel) = (format!("W-{number}"), format!("T{number:09}"));
        let made = start + minutes(dice, 15 * scenario.minutes / 60);
        // The executor has written the number back before the carrier says a word.
        acts.push((start, true, act("change", &format!("{number:08}"), json!({"Tracking_Number__c": parcel}))));
        acts.push((made, false, act("create", &name, Json::Null)));
        acts.push((made, false, act("ship", &name, json!({"trackingNumber": parcel}))));
        let mut at = made;
        for _ in 0..dice.below(6) {
            at += minutes(dice, 12 * scenario.minutes / 60);
            let verb = ["scan", "delay", "fail", "lose", "return", "deliver", "deliver", "deliver", "void"][dice.below(9) as usize];
            acts.push((at, false, act(verb, &name, Json::Null)));
        }
    }
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

/// The last word of each parcel that was not voided, by its label.
fn parcels(wire: &Wire) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    for effect in locked(&wire.wms).system.effects().iter().filter(|effect| effect.object == "Shipment") {
        let label = format!("se-{}", effect.id);
        match effect.kind.as_str() {
            "voided" => {
                words.remove(&label);
            }
            // Others are of orders that Salesforce does not have.
            "tracked" | "delivered" if effect.fields["trackingNumber"].as_str().is_some_and(|number| number.starts_with('T')) => {
                words.insert(label, effect.fields["status_detail_code"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    words
}

/// What has to be true after such a day. `records`: those of the org, as its log leaves them.
pub(super) fn check(template: &str, wire: &Wire, records: &BTreeMap<(String, String), Map<String, Json>>, found: &mut Vec<Finding>) {
    let of = |object: &'static str, key: &str| -> Vec<&Map<String, Json>> {
        records.iter().filter(|((kind, _), record)| kind == object && text(record, "Crossdock_Key__c") == key).map(|(_, record)| record).collect()
    };
    for (label, word) in parcels(wire) {
        match template {
            "crm-delivered" => {
                let tasks = of("Task", &format!("delivered/{label}"));
                if tasks.len() > 1 {
                    found.push(Finding::new("one effect", format!("{label} has {} tasks", tasks.len())));
                }
                if word == "DELIVERED" && tasks.is_empty() {
                    found.push(Finding::new("lost", format!("{label} was delivered, and there is no task")));
                }
                if tasks.iter().any(|task| text(task, "WhatId").is_empty() || text(task, "OwnerId").is_empty()) {
                    found.push(Finding::new("task", format!("{label}: its task is nobody's")));
                }
            }
            _ => {
                let cases = of("Case", &format!("parcel/{label}"));
                if cases.len() > 1 {
                    found.push(Finding::new("one effect", format!("{label} has {} cases", cases.len())));
                }
                let incident = match word.as_str() {
                    "CARRIER_DELAYS" => "Delayed",
                    "PARCEL_LOST" => "Lost",
                    "RETURN_TO_SENDER" => "Returned",
                    "ATTEMPTED_DELIVERY" => "Failed delivery",
                    _ => "",
                };
                match cases.first() {
                    None if !incident.is_empty() => found.push(Finding::new("lost", format!("{label} is {incident}, and there is no case"))),
                    Some(case) if !incident.is_empty() => {
                        if text(case, "Incident__c") != incident || text(case, "Status") == "Closed" {
                            let told = (text(case, "Incident__c"), text(case, "Status"));
                            found.push(Finding::new("case", format!("{label} is {incident}, and its case says {told:?}")));
                        }
                        if text(case, "AccountId").is_empty() || text(case, "OwnerId").is_empty() {
                            found.push(Finding::new("case", format!("{label}: its case has no account, or no queue")));
                        }
                    }
                    Some(case) if word == "DELIVERED" && text(case, "Status") != "Closed" => {
                        found.push(Finding::new("case", format!("{label} was delivered, and its case is {}", text(case, "Status"))));
                    }
                    _ => {}
                }
            }
        }
    }
}
