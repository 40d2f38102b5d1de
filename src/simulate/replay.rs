//! A replay of everything at the end of a day: it must change nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::check::Finding;
use super::process::{Process, Sim};
use super::scenario::VOLUME;
use super::wire::{Shared, locked};
use crate::engine::Engine;
use crate::engine::operator_commands::{Decision, Signature};

/// Why a record was stopped, written back to it. Where a person sent on what the mapping had stopped, and the target refused it,
/// a replay finds the mapping's reason again.
fn is_reason(effect: &crate::sandbox::Effect) -> bool {
    let fields = effect.fields.as_object();
    effect.object == "Order" && effect.kind == "updated" && fields.is_some_and(|fields| fields.keys().all(|name| name == "Fulfilment_Error__c"))
}

/// What belongs to labels that a replay makes for orders whose label was voided. A store that is lost takes with it that there was one:
/// then the order gets its label when it is mapped again. The names are ids and keys at both systems.
fn labels_again(wms: &Shared, since: Timestamp) -> BTreeSet<String> {
    let wms = locked(wms);
    let effects = wms.system.effects();
    let voided: BTreeSet<&String> = effects.iter().filter(|effect| effect.kind == "voided").filter_map(|effect| effect.key.as_ref()).collect();
    let labels = effects.iter().filter(|effect| effect.kind == "label" && effect.by_api && effect.at >= since);
    labels
        .filter_map(|effect| Some((effect, effect.key.as_ref().filter(|key| voided.contains(key))?)))
        .flat_map(|(effect, key)| [key.clone(), format!("ss-{}", effect.id), key.trim_start_matches("sf-").to_owned()])
        .collect()
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
    let asked = waiting(&engine)?;
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
    let again = if of.older { labels_again(&sim.wire.wms, replay_began) } else { BTreeSet::new() };
    let after: Vec<String> = [&sim.wire.crm, &sim.wire.wms]
        .iter()
        .flat_map(|system| {
            locked(system)
                .system
                .effects()
                .iter()
                .filter(|effect| effect.by_api && effect.at >= replay_began)
                .filter(|effect| !again.contains(&effect.id) && !effect.key.as_ref().is_some_and(|key| again.contains(key)))
                .filter(|effect| !(is_reason(effect) && decided.iter().any(|(_, lane)| *lane == effect.id)))
                .map(|effect| format!("{} {} {:?}", effect.kind, effect.object, effect.key))
                .collect::<Vec<_>>()
        })
        .collect();
    let asks: Vec<String> = waiting(&process.engine)?.into_iter().filter(|one| !asked.contains(one)).collect();
    if !asks.is_empty() && !settles_more {
        findings.push(Finding::new("replay", format!("a replay asked a person: {}", asks.join("; "))));
    }
    if !after.is_empty() && !settles_more {
        findings.push(Finding::new("replay", format!("a replay changed something: {}", after.join(", "))));
    }
    Ok(process)
}
