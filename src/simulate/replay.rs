//! A replay of everything at the end of a day: it must change nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::check::Finding;
use super::process::{Process, Sim};
use super::scenario::VOLUME;
use super::sides::{Commerce, Warehouse};
use super::wire::{Shared, locked};
use super::{commercetools, shiphero};
use crate::engine::Engine;
use crate::engine::operator_commands::{Decision, Signature};
use crate::sandbox::Effect;

/// Why a record was stopped, written back to it. Where a person sent on what the mapping had stopped, and the target refused it,
/// a replay finds the mapping's reason again.
fn is_reason(effect: &Effect) -> bool {
    let fields = effect.fields.as_object();
    effect.object == "Order" && effect.kind == "updated" && fields.is_some_and(|fields| fields.keys().all(|name| name == "Fulfilment_Error__c"))
}

/// Whether an effect belongs to the label that a replay makes for an order whose label was voided. A store that is lost takes with it
/// that there was one: then the order gets its label when it is mapped again. It is one label for each order, its shipment at
/// Salesforce, and what the order there says of it; anything else that is done to the order, and a second label, is found.
fn is_of_a_label_made_again(effect: &Effect, again: &BTreeMap<String, String>) -> bool {
    let key = effect.key.as_deref().unwrap_or_default();
    match effect.kind.as_str() {
        "label" => again.get(key) == Some(&effect.id),
        _ => again
            .iter()
            .any(|(order, label)| order.strip_prefix("sf-") == Some(effect.id.as_str()) || key.strip_prefix("ss-") == Some(label.as_str())),
    }
}

/// By the key of an order whose label was voided: the first label that a replay has made for it.
fn labels_again(wms: &Shared, since: Timestamp) -> BTreeMap<String, String> {
    let wms = locked(wms);
    let effects = wms.system.effects();
    let voided: BTreeSet<&String> = effects.iter().filter(|effect| effect.kind == "voided").filter_map(|effect| effect.key.as_ref()).collect();
    let mut first = BTreeMap::new();
    for effect in effects.iter().filter(|effect| effect.kind == "label" && effect.by_api && effect.at >= since) {
        if let Some(key) = effect.key.as_ref().filter(|key| voided.contains(key)) {
            first.entry(key.clone()).or_insert_with(|| effect.id.clone());
        }
    }
    first
}

/// A replay of everything that was delivered changes nothing, and asks nobody anything.
pub(super) fn replay<'p>(sim: &mut Sim<'p>, mut engine: Engine<'p>, findings: &mut Vec<Finding>) -> Result<Process<'p>, String> {
    let (setup, scenario, clock) = (sim.setup, sim.scenario, sim.clock.clone());
    // What a person decided is asked again where somebody replays it.
    let decided = sim.decided.clone();
    let waiting = |engine: &Engine<'_>| -> Result<Vec<String>, String> {
        let open = engine.store().exceptions(true, 100_000).map_err(|fault| fault.to_string())?;
        // What a match finds may have been deleted since, and a replay sees that.
        let alone = |name: &str| setup.plan.mapping.flows.iter().any(|flow| flow.name == name && flow.matches.is_empty());
        Ok(open
            .into_iter()
            .filter(|one| alone(&one.flow) && !decided.contains(&(one.flow.clone(), one.lane.clone())))
            .map(|one| {
                format!("{} of {} {}: {:?}", one.code, one.flow, one.lane, one.reasons.iter().map(|reason| &reason.message).collect::<Vec<_>>())
            })
            .collect())
    };
    // What was stopped by a refusal that means nothing, or by damage, goes through when it is asked for again; and ids that an
    // account gives twice are told apart only by reading.
    let of = scenario.hazards;
    let settles_more = of.quotes || of.flips || of.target;
    // commercetools tells of no order that is deleted: a replay is the first to see it.
    let deleted: BTreeSet<String> = if sim.wire.sides.commerce == Commerce::Commercetools {
        let shop = locked(&sim.wire.crm);
        shop.system.effects().iter().filter(|effect| effect.object == "Order" && effect.kind == "deleted").map(|effect| effect.id.clone()).collect()
    } else {
        BTreeSet::new()
    };
    let asked = waiting(&engine)?;
    let open = engine.store().exceptions(true, 100_000).map_err(|fault| fault.to_string())?;
    let stopped: BTreeSet<String> = open.into_iter().map(|one| one.lane).collect();
    let is_hero = sim.wire.sides.warehouse == Warehouse::ShipHero;
    let voided: BTreeSet<String> = {
        let wms = locked(&sim.wire.wms);
        wms.system.effects().iter().filter(|effect| effect.kind == "voided").filter_map(|effect| effect.key.clone()).collect()
    };
    let flows: Vec<String> = setup.plan.mapping.flows.iter().map(|flow| flow.name.clone()).collect();
    for flow in flows {
        // Of very many records some hundreds: each is fetched by its id.
        let some = if scenario.acts > VOLUME {
            let lanes = engine.store().in_state(Some(&flow), crate::store::RecordStage::Delivered, 500).map_err(|fault| fault.to_string())?;
            lanes.into_iter().map(|lane| lane.key).collect()
        } else {
            Vec::new()
        };
        engine.decide(&Decision::Replay { flow, keys: some, since: None }, &Signature::default()).map_err(|fault| fault.to_string())?;
    }
    let executor = sim.executor(&engine);
    let mut process = Process::new(engine, executor);
    let replayed_until = clock.truth() + SignedDuration::from_mins(12);
    while clock.truth() < replayed_until {
        if !process.step(&clock).map_err(|fault| fault.to_string())? {
            let now = clock.truth();
            let next = [process.wake, clock.next(), Some(now + SignedDuration::from_secs(30))];
            clock.set(next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(replayed_until));
        }
    }
    let replay_began = replayed_until - SignedDuration::from_mins(12);
    let again = if of.older { labels_again(&sim.wire.wms, replay_began) } else { BTreeMap::new() };
    let after: Vec<String> = [&sim.wire.crm, &sim.wire.wms]
        .iter()
        .flat_map(|system| {
            locked(system)
                .system
                .effects()
                .iter()
                .filter(|effect| effect.by_api && effect.at >= replay_began)
                .filter(|effect| !is_of_a_label_made_again(effect, &again))
                .filter(|effect| effect.key.as_deref().and_then(commercetools::order_of).is_none_or(|order| !deleted.contains(order)))
                .filter(|effect| !(is_hero && shiphero::is_told_anew(effect, &stopped, &voided)))
                .filter(|effect| !(is_reason(effect) && decided.iter().any(|(_, lane)| *lane == effect.id)))
                .map(|effect| {
                    let fields: String = effect.fields.to_string().chars().take(120).collect();
                    format!("{} {} {} {:?} {fields}", effect.kind, effect.object, effect.id, effect.key)
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let of_deleted = |one: &String| deleted.iter().any(|order| one.contains(order.as_str()));
    let asks: Vec<String> = waiting(&process.engine)?.into_iter().filter(|one| !asked.contains(one) && !of_deleted(one)).collect();
    if !asks.is_empty() && !settles_more {
        findings.push(Finding::new("replay", format!("a replay asked a person: {}", asks.join("; "))));
    }
    if !after.is_empty() && !settles_more {
        findings.push(Finding::new("replay", format!("a replay changed something: {}", after.join(", "))));
    }
    Ok(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_label_of_an_order_is_found() {
        let effect = |kind: &str, object: &str, id: &str, key: Option<&str>| Effect {
            at: Timestamp::UNIX_EPOCH,
            kind: kind.to_owned(),
            object: object.to_owned(),
            id: id.to_owned(),
            key: key.map(str::to_owned),
            by_api: true,
            fields: serde_json::json!({}),
        };
        let again = BTreeMap::from([("sf-801".to_owned(), "7".to_owned())]);
        let is = |effect: &Effect| is_of_a_label_made_again(effect, &again);
        assert!(is(&effect("label", "Shipment", "7", Some("sf-801"))) && is(&effect("updated", "Order", "801", None)));
        assert!(is(&effect("created", "Shipment__c", "a01", Some("ss-7"))));
        assert!(!is(&effect("label", "Shipment", "8", Some("sf-801"))) && !is(&effect("updated", "Order", "55", Some("sf-801"))));
        assert!(!is(&effect("created", "Shipment__c", "a02", Some("ss-8"))) && !is(&effect("updated", "Order", "802", None)));
    }
}
