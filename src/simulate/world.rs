//! The scheduler: virtual time, two sandboxes, people who work, a process that dies.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::check::{self, Finding};
use super::orders::{self, minutes};
use super::process::{Process, Sim, hooked};
use super::scenario::{Report, Scenario, Setup, VOLUME};
use super::story::story;
use super::time::Virtual;
use super::wire::{CRM, Shared, WMS, Wire, locked, subscribe};
use super::{crm, parcels};
use crate::apply::Program;
use crate::engine::Engine;
use crate::engine::queue::Decision;
use crate::http::Clock as _;
use crate::sandbox::faults::{Dice, FaultKit, Faults, Faulty};
use crate::sandbox::{salesforce, shipstation};
use crate::store::sqlite::Sqlite;

/// After so much virtual time a run that is not quiet has failed to come to rest.
const LONGEST: SignedDuration = SignedDuration::from_hours(14);

/// Turns of the scheduler after which a run that has not come to rest never will.
const MOST_TURNS: u64 = 300_000;

/// Runs a scenario to its end, and checks what came of it.
///
/// # Errors
/// The simulation itself cannot be set up.
pub fn run(setup: &Setup, scenario: Scenario) -> Result<Report, String> {
    let program = Program::new(&setup.plan).map_err(|error| error.to_string())?;
    let start: Timestamp = "2026-03-02T08:00:00Z".parse().map_err(|error: jiff::Error| error.to_string())?;
    let clock = Virtual::new(start);
    let mut dice = Dice::new(scenario.seed);
    let crm = salesforce::Salesforce::new(salesforce::Options {
        base_url: CRM.to_owned(),
        orders: scenario.orders,
        seed: scenario.seed,
        start,
        late_commit: SignedDuration::from_secs(90),
        // Few records are many pages; many records are as they come.
        page: if scenario.acts > VOLUME { 2_000 } else { 7 },
        locks_per_mille: if scenario.faults == Faults::default() { 0 } else { 20 },
        ..salesforce::Options::default()
    });
    let wms = shipstation::ShipStation::new(shipstation::Options {
        base_url: WMS.to_owned(),
        per_minute: scenario.per_minute,
        search_lag: SignedDuration::from_secs(20),
        autoship: Some(SignedDuration::from_mins(25)),
        label_race: SignedDuration::from_mins(6),
        seed: scenario.seed,
        ..shipstation::Options::default()
    });
    let kit = |salt| FaultKit::new(scenario.seed ^ salt, scenario.faults);
    let crm: Shared = Arc::new(Mutex::new(Faulty::new(Box::new(crm), kit(1))));
    let wms: Shared = Arc::new(Mutex::new(Faulty::new(Box::new(wms), kit(2))));
    let wire = Arc::new(Wire { clock: clock.clone(), crm: Arc::clone(&crm), wms: Arc::clone(&wms), seen: Mutex::new(Sha256::new()) });
    subscribe(&wms, start);
    let mut sim = Sim {
        setup,
        program: &program,
        scenario,
        clock: clock.clone(),
        wire: Arc::clone(&wire),
        name: format!("sim{}x{}x{:?}", std::process::id(), scenario.seed, scenario.off),
        deaths: 0,
        immortal: false,
    };
    // It keeps the store alive while processes come and go.
    let anchor = Sqlite::in_memory(&sim.name).map_err(|fault| fault.to_string())?;
    let mut process = sim.start(&mut dice)?;
    let mut zombies: Vec<(Process<'_>, Timestamp)> = Vec::new();
    let calm = start + SignedDuration::from_mins(60);
    let own = setup.template == "salesforce-shipstation";
    let acts = match setup.template.as_str() {
        _ if own => orders::schedule(&mut dice, scenario, start),
        template if parcels::TEMPLATES.contains(&template) => parcels::schedule(&mut dice, scenario, start),
        template => crm::schedule(template, &mut dice, scenario, start),
    };
    let mut acts = VecDeque::from(acts);
    let mut kills: Vec<Timestamp> = (0..scenario.kills).map(|_| start + minutes(&mut dice, 58)).collect();
    kills.sort();
    let mut faulty = scenario.faults != Faults::default();
    let mut quiet_since: Option<Timestamp> = None;
    let mut done = 0;
    let mut findings = Vec::new();
    let mut undone = Vec::new();
    let mut turns: u64 = 0;
    loop {
        turns += 1;
        if turns > MOST_TURNS + 20 * scenario.acts as u64 {
            findings.push(Finding::new("quiescence", "it goes round in circles".to_owned()));
            break;
        }
        let now = clock.truth();
        if faulty && now >= calm {
            faulty = false;
            // The last death: who comes now lives.
            kills.insert(0, now);
            sim.immortal = true;
            clock.skew(SignedDuration::ZERO);
            locked(&crm).kit.set(Faults::default());
            locked(&wms).kit.set(Faults::default());
        }
        while let Some((_, to_crm, act)) = acts.pop_front_if(|(at, ..)| *at <= now) {
            // An act that cannot be done now (a label on a cancelled order) is none.
            if let Err(why) = locked(if to_crm { &crm } else { &wms }).system.act(&act, now) {
                undone.push(format!("{now} nobody could {} {}: {why}", act.verb, act.subject));
            }
        }
        let hooks = {
            let mut crm = locked(&crm);
            crm.tick(now);
            let mut wms = locked(&wms);
            wms.tick(now);
            wms.deliveries(now)
        };
        let mut died = false;
        for hook in hooks {
            died |= !hooked(&mut process, &hook, now);
        }
        zombies.retain_mut(|(zombie, until)| zombie.step(now).is_ok() && now < *until && now < calm);
        died |= kills.first().is_some_and(|at| *at <= now);
        let moved = if died { Ok(true) } else { process.step(clock.now()) };
        if died || moved.is_err() {
            if kills.first().is_some_and(|at| *at <= now) {
                kills.remove(0);
            }
            sim.deaths += 1;
            // Some that were thought dead were only paused: they go on beside their successor for a while.
            let old = std::mem::replace(&mut process, sim.start(&mut dice)?);
            if dice.below(3) == 0 && moved.is_ok() {
                zombies.push((old, now + SignedDuration::from_mins(12)));
            } else {
                drop(old);
            }
            if faulty && dice.below(4) == 0 {
                clock.skew(SignedDuration::from_millis(dice.below(120_000) as i64 - 60_000));
            }
            continue;
        }
        if moved.unwrap_or(false) {
            continue;
        }
        let effects = locked(&crm).system.effects().len() + locked(&wms).system.effects().len();
        if effects != done {
            done = effects;
            quiet_since = None;
        }
        let rest = acts.is_empty() && !faulty && zombies.is_empty() && process.engine.quiet() && process.tasks.is_empty();
        // Longer than the warehouse waits before it ships (25 minutes and up to half of that again), so that nothing is
        // under way that a poll still has to bring.
        let long_enough = SignedDuration::from_mins(40);
        match (rest, quiet_since) {
            (true, Some(since)) if now.duration_since(since) > long_enough => break,
            (true, None) => quiet_since = Some(now),
            _ => {}
        }
        if now.duration_since(start) > LONGEST {
            findings.push(Finding::new("quiescence", "it did not come to rest in 14 hours".to_owned()));
            break;
        }
        // A process wakes by the machine's clock, which may be wrong.
        let wrong = clock.now().duration_since(now);
        let next = [
            process.wake.map(|wake| (wake - wrong).max(now + SignedDuration::from_millis(1))),
            clock.next(),
            acts.front().map(|(at, ..)| *at),
            kills.first().copied().filter(|_| faulty),
            locked(&crm).next(),
            locked(&wms).next(),
            (faulty).then_some(calm),
            Some(now + SignedDuration::from_secs(30)),
        ];
        let next = next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(now + SignedDuration::from_secs(1));
        clock.set(next);
    }
    let Process { mut engine, .. } = process;
    let mut story = if scenario.story { undone.join("\n") + "\n" + &story(&engine, &crm, &wms) } else { String::new() };
    findings.extend(check::all(setup, &program, &engine, &wire, &clock, scenario.per_minute));
    // A replay of everything that was delivered changes nothing, and asks nobody anything.
    let waiting = |engine: &Engine<'_>| -> Result<Vec<String>, String> {
        let open = engine.store().exceptions(true, 100_000).map_err(|fault| fault.to_string())?;
        // What a match finds may have been deleted since, and a replay sees that.
        let alone = |name: &str| setup.plan.mapping.flows.iter().any(|flow| flow.name == name && flow.matches.is_empty());
        Ok(open
            .into_iter()
            .filter(|one| alone(&one.flow))
            .map(|one| {
                format!("{} of {} {}: {:?}", one.code, one.flow, one.lane, one.reasons.iter().map(|reason| &reason.message).collect::<Vec<_>>())
            })
            .collect())
    };
    let asked = waiting(&engine)?;
    let flows: Vec<String> = setup.plan.mapping.flows.iter().map(|flow| flow.name.clone()).collect();
    for flow in flows {
        // Of very many records some hundreds: each is fetched by its id.
        let some = if scenario.acts > VOLUME {
            let lanes = engine.store().in_state(Some(&flow), crate::store::LaneState::Delivered, 500).map_err(|fault| fault.to_string())?;
            lanes.into_iter().map(|lane| lane.key).collect()
        } else {
            Vec::new()
        };
        engine.decide(&Decision::Replay { flow, keys: some }).map_err(|fault| fault.to_string())?;
    }
    let carrier = sim.carrier(&engine);
    let mut process = Process { engine, carrier, tasks: Vec::new(), wake: None };
    let replayed_until = clock.truth() + SignedDuration::from_mins(12);
    while clock.truth() < replayed_until {
        if !process.step(clock.now()).map_err(|fault| fault.to_string())? {
            let now = clock.truth();
            let next = [process.wake, clock.next(), Some(now + SignedDuration::from_secs(30))];
            clock.set(next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(replayed_until));
        }
    }
    let after: Vec<String> = [&crm, &wms]
        .iter()
        .flat_map(|system| {
            locked(system)
                .system
                .effects()
                .iter()
                .filter(|effect| effect.by_api && effect.at >= replayed_until - SignedDuration::from_mins(12))
                .map(|effect| format!("{} {} {:?}", effect.kind, effect.object, effect.key))
                .collect::<Vec<_>>()
        })
        .collect();
    let asks: Vec<String> = waiting(&process.engine)?.into_iter().filter(|one| !asked.contains(one)).collect();
    if !asks.is_empty() {
        findings.push(Finding::new("replay", format!("a replay asked a person: {}", asks.join("; "))));
    }
    if !after.is_empty() {
        findings.push(Finding::new("replay", format!("a replay changed something: {}", after.join(", "))));
    }
    let mut trace = wire.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for system in [&crm, &wms] {
        for effect in locked(system).system.effects() {
            trace.update(serde_json::to_vec(effect).unwrap_or_default());
        }
    }
    let counts = process.engine.store().counts().map_err(|fault| fault.to_string())?;
    if scenario.story {
        let told: Vec<String> =
            counts.iter().map(|((flow, state), count)| format!("after a replay: {count} of {flow} are {}", state.word())).collect();
        story.push_str(&told.join("\n"));
        story.push('\n');
    }
    let delivered = counts.iter().filter(|((_, state), _)| matches!(state, crate::store::LaneState::Delivered | crate::store::LaneState::Unchanged));
    let report = Report {
        findings,
        trace: trace.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        delivered: delivered.map(|(_, count)| count).sum(),
        calls: locked(&crm).system.calls() + locked(&wms).system.calls(),
        took: clock.truth().duration_since(start),
        deaths: sim.deaths,
        story,
    };
    drop(process);
    drop(anchor);
    Ok(report)
}
