//! Gathers the history of a day from the systems themselves.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::check::targets;
use super::history::Past;
use super::process::Sim;
use super::wire::{Shared, Wire, locked};
use crate::engine::Engine;
use crate::sandbox::Act;
use crate::value::Json;

/// The orders of the commerce side by their ids, as a person there sees them.
pub(super) fn orders(wire: &Wire, now: Timestamp) -> BTreeMap<String, Json> {
    let mut all = BTreeMap::new();
    let mut crm = locked(&wire.crm);
    // Numbers are given without a gap; a few are skipped where orders were deleted.
    let (mut number, mut missing) = (1, 0);
    while missing < 200 {
        let show = Act { verb: "show".to_owned(), subject: wire.sides.number(number), settings: Json::Null };
        match crm.system.act(&show, now) {
            Ok(order) => {
                missing = 0;
                if let Some(id) = order.get("Id").or_else(|| order.get("id")).and_then(Json::as_str) {
                    all.insert(id.to_owned(), order.clone());
                }
            }
            Err(_) => missing += 1,
        }
        number += 1;
    }
    all
}

/// All that is known of a day without the engine.
pub(super) fn of(sim: &Sim<'_>, engine: &Engine<'_>, before: BTreeMap<String, Json>) -> Past {
    let now = sim.clock.truth();
    let after = orders(&sim.wire, now);
    let mut decided: BTreeSet<String> = sim.decided.iter().map(|(_, lane)| lane.clone()).collect();
    // A person was asked which side is right, and has not answered: until then the target's value stays.
    let asked = engine.store().exceptions(true, 10_000).unwrap_or_default();
    decided.extend(asked.into_iter().filter(|one| one.code == "differs").map(|one| one.lane));
    // What was damaged is told in one message, and the queue names each record.
    let mut told = sim.told.clone();
    for one in
        engine.store().exceptions(true, 10_000).unwrap_or_default().into_iter().filter(|one| ["damaged", "in_doubt"].contains(&one.code.as_str()))
    {
        let opened = Timestamp::from_millisecond(one.opened).unwrap_or(now);
        for name in one.label.into_iter().chain([one.lane]) {
            told.entry(name).and_modify(|at| *at = opened.max(*at)).or_insert(opened);
        }
    }
    let target = targets(&sim.wire, now);
    let noted = |system: &Shared| locked(system).system.effects().to_vec();
    let (crm, wms) = (noted(&sim.wire.crm), noted(&sim.wire.wms));
    let late = locked(&sim.wire.wms).carried_out_late().clone();
    Past { crm, wms, late, before, after, target, told, decided }
}
