//! The scheduler: virtual time, two sandboxes, people who work, a process that dies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::Digest as _;

use super::channel;
use super::check::{self, Finding};
use super::disk::Wear;
use super::hazards::{self, Hazard};
use super::keeping::{self, Copies};
use super::orders::{self, minutes};
use super::process::{Process, Sim, hooked};
use super::replay::replay;
use super::scenario::{Off, Report, Scenario, Setup};
use super::sides::Sides;
use super::story::story;
use super::time::Virtual;
use super::wire::{Shared, Wire, locked};
use super::{commercetools, crm, parcels, shiphero};
use crate::engine::operator_commands::{Decision, Signature};
use crate::engine::{Engine, Message};
use crate::eval::Program;
use crate::sandbox::Act;
use crate::sandbox::faults::Faults;
use crate::sandbox::rng::Rng;
use crate::store::sqlite::Sqlite;
use crate::store::{EntryState, StoreFault};

/// How many days began in this process: each has a store of its own, also where two templates have the same seed.
static DAYS: AtomicU64 = AtomicU64::new(0);

/// After so much virtual time beyond its faults a run that is not quiet has failed to come to rest.
const LONGEST: SignedDuration = SignedDuration::from_hours(13);

/// Turns of the scheduler after which a run that has not come to rest never will.
const MOST_TURNS: u64 = 300_000;

/// A day as it goes on.
struct Day<'p> {
    sim: Sim<'p>,
    process: Process<'p>,
    /// Processes that were thought dead, and until when they go on.
    zombies: Vec<(Process<'p>, Timestamp)>,
    crm: Shared,
    wms: Shared,
    dice: Rng,
    acts: VecDeque<(Timestamp, bool, Act)>,
    /// When people acted last.
    acted: Timestamp,
    hazards: VecDeque<(Timestamp, Hazard)>,
    kills: Vec<Timestamp>,
    /// From then on all is well.
    calm: Timestamp,
    faulty: bool,
    findings: Vec<Finding>,
    /// Acts that could not be done.
    undone: Vec<String>,
    copies: Copies,
    /// What the channel of alerts got, from all processes.
    messages: Vec<(Timestamp, Message)>,
    deaf: bool,
    /// No process works: the store cannot be used, and nobody has come yet.
    down: bool,
}

/// How a day ended.
struct Evening<'p> {
    sim: Sim<'p>,
    engine: Engine<'p>,
    findings: Vec<Finding>,
    undone: Vec<String>,
    messages: Vec<(Timestamp, Message)>,
    /// It keeps the copies of the store.
    copies: Copies,
}

/// Runs a scenario to its end, and checks what came of it.
///
/// # Errors
/// The simulation itself cannot be set up.
pub fn run(setup: &Setup, scenario: Scenario) -> Result<Report, String> {
    let program = Program::new(&setup.plan).map_err(|error| error.to_string())?;
    let next = setup.next.as_ref().map(|next| Program::new(&next.plan)).transpose().map_err(|error| error.to_string())?;
    let start = scenario.start;
    let clock = Virtual::new(start);
    let mut dice = Rng::new(scenario.seed);
    let sides = Sides::of(&setup.template);
    let (crm, wms) = sides.begin(setup, &scenario, start);
    let wire = Arc::new(Wire::new(clock.clone(), sides, Arc::clone(&crm), Arc::clone(&wms), start));
    let before = super::past::orders(&wire, start);
    let mut sim = Sim {
        setup,
        program: &program,
        next: next.as_ref(),
        released: false,
        secret: "sandbox".to_owned(),
        scenario,
        clock: clock.clone(),
        wire: Arc::clone(&wire),
        wear: Wear::new(scenario.seed, if scenario.hazards.disk { 50 } else { 0 }),
        name: format!("sim{}x{}", std::process::id(), DAYS.fetch_add(1, Ordering::Relaxed)),
        deaths: 0,
        immortal: false,
        told: BTreeMap::new(),
        decided: BTreeSet::new(),
        recovered: None,
    };
    if scenario.off == Some(Off::Steady) {
        clock.unsteady();
    }
    // It keeps the store alive while processes come and go.
    let anchor = Sqlite::in_memory(&sim.name).map_err(|fault| fault.to_string())?;
    let process = sim.start(&mut dice)?;
    let people = match setup.template.as_str() {
        "salesforce-shipstation" => orders::schedule(&mut dice, scenario, start),
        "commercetools-shipstation" => commercetools::schedule(&mut dice, scenario, start),
        "salesforce-shiphero" => shiphero::schedule(&mut dice, scenario, start),
        template if parcels::TEMPLATES.contains(&template) => parcels::schedule(&mut dice, scenario, start),
        template => crm::schedule(template, &mut dice, scenario, start),
    };
    let mut kills: Vec<Timestamp> = (0..scenario.kills).map(|_| start + minutes(&mut dice, scenario.minutes - 2)).collect();
    kills.sort();
    let (hazards, others) = hazards::timetable(sides, &scenario, start);
    let mut acts: Vec<(Timestamp, bool, Act)> = people.into_iter().chain(others).collect();
    acts.sort_by_key(|(at, ..)| *at);
    let day = Day {
        sim,
        process,
        zombies: Vec::new(),
        crm: Arc::clone(&crm),
        wms: Arc::clone(&wms),
        dice,
        acts: acts.into(),
        acted: start,
        hazards: hazards.into(),
        kills,
        calm: start + SignedDuration::from_mins(scenario.minutes as i64),
        faulty: scenario.faults != Faults::default() || scenario.hazards != super::scenario::Hazards::default(),
        findings: Vec::new(),
        undone: Vec::new(),
        copies: Copies::default(),
        messages: Vec::new(),
        deaf: false,
        down: false,
    };
    let Evening { mut sim, engine, mut findings, undone, messages, copies } = day.pass(start)?;
    findings.extend(channel::check(&sim, &engine, &messages));
    findings.extend(check::all(&sim, &engine, before));
    let process = replay(&mut sim, engine, &mut findings)?;
    let mut story = if scenario.story { undone.join("\n") + "\n" + &story(&process.engine, &crm, &wms) } else { String::new() };
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
    let delivered =
        counts.iter().filter(|((_, state), _)| matches!(state, crate::store::RecordStage::Delivered | crate::store::RecordStage::Unchanged));
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
    drop((anchor, copies));
    Ok(report)
}

impl<'p> Day<'p> {
    /// To the evening: until all has come to rest.
    fn pass(mut self, start: Timestamp) -> Result<Evening<'p>, String> {
        let scenario = self.sim.scenario;
        let clock = self.sim.clock.clone();
        let mut quiet_since: Option<Timestamp> = None;
        let mut done = 0;
        let mut turns: u64 = 0;
        let most = MOST_TURNS + 20 * scenario.acts as u64 + 400 * scenario.minutes;
        loop {
            turns += 1;
            if turns > most {
                self.findings.push(Finding::new("quiescence", "it goes round in circles".to_owned()));
                break;
            }
            let now = clock.truth();
            if self.faulty && now >= self.calm {
                self.calms_down(now);
            }
            self.people_act(now);
            let mut died = self.befalls(now)?;
            let hooks = {
                locked(&self.crm).tick(now);
                let mut wms = locked(&self.wms);
                wms.tick(now);
                wms.deliveries(now)
            };
            for hook in hooks.into_iter().filter(|_| !self.down) {
                died |= !hooked(&mut self.process, &hook, now);
            }
            let calm = self.calm;
            for zombie in self.zombies.iter_mut().map(|(zombie, _)| zombie) {
                self.messages.append(&mut zombie.messages);
            }
            self.zombies.retain_mut(|(zombie, until)| zombie.step(&clock).is_ok() && now < *until && now < calm);
            self.process.deaf = self.deaf;
            died |= self.kills.first().is_some_and(|at| *at <= now);
            let moved = match (self.down, died) {
                (true, _) => Ok(false),
                (false, true) => Ok(true),
                (false, false) => self.process.step(&clock),
            };
            // By the true time: the machine's clock may be wrong.
            self.messages.append(&mut self.process.messages);
            self.sim.told.extend(std::mem::take(&mut self.process.told).into_keys().map(|subject| (subject, now)));
            if self.sim.wear.is_torn() && (died || moved.is_err()) {
                // The process ends, and none starts until a person has put another store in its place.
                self.down = true;
            } else if died || moved.is_err() {
                self.dies(now, moved.err())?;
                continue;
            }
            if moved.unwrap_or(false) {
                continue;
            }
            let effects = locked(&self.crm).system.effects().len() + locked(&self.wms).system.effects().len();
            if effects != done {
                done = effects;
                quiet_since = None;
            }
            let over = self.acts.is_empty() && self.hazards.is_empty() && !self.faulty && self.zombies.is_empty();
            let rest = over && self.process.engine.quiet() && self.process.tasks.is_empty();
            // Longer than the warehouse waits before it ships (25 minutes and up to half of that again), so that nothing is
            // under way that a poll still has to bring.
            let long_enough = SignedDuration::from_mins(40);
            match (rest, quiet_since) {
                (true, Some(since)) if now.duration_since(since) > long_enough => break,
                (true, None) => quiet_since = Some(now),
                _ => {}
            }
            if now.duration_since(self.acted.max(start + SignedDuration::from_mins(scenario.minutes as i64))) > LONGEST {
                self.findings.push(Finding::new("quiescence", "it did not come to rest in 13 hours after the faults".to_owned()));
                break;
            }
            clock.set(self.next(now));
        }
        let Day { sim, process, findings, undone, messages, copies, .. } = self;
        Ok(Evening { sim, engine: process.engine, findings, undone, messages, copies })
    }

    /// When something happens next.
    fn next(&self, now: Timestamp) -> Timestamp {
        let clock = &self.sim.clock;
        let next = [
            self.process.wake.filter(|_| !self.down).map(|wake| wake.max(now + SignedDuration::from_millis(1))),
            clock.next(),
            self.acts.front().map(|(at, ..)| *at),
            self.hazards.front().map(|(at, _)| *at),
            self.kills.first().copied().filter(|_| self.faulty),
            locked(&self.crm).next(),
            locked(&self.wms).next(),
            self.faulty.then_some(self.calm),
            Some(now + SignedDuration::from_secs(30)),
        ];
        next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(now + SignedDuration::from_secs(1))
    }

    /// The faults end. The last death: who comes now lives.
    fn calms_down(&mut self, now: Timestamp) {
        self.faulty = false;
        self.kills.insert(0, now);
        self.sim.immortal = true;
        self.deaf = false;
        self.sim.wear.mended();
        self.sim.clock.skew(SignedDuration::ZERO);
        locked(&self.crm).kit.set(Faults::default());
        locked(&self.wms).kit.set(Faults::default());
    }

    fn people_act(&mut self, now: Timestamp) {
        while let Some((_, to_crm, act)) = self.acts.pop_front_if(|(at, ..)| *at <= now) {
            self.acted = now;
            // An act that cannot be done now (a label on a cancelled order) is none.
            let system = if to_crm { &self.crm } else { &self.wms };
            if let Err(why) = locked(system).system.act(&act, now) {
                self.undone.push(format!("{now} nobody could {} {}: {why}", act.verb, act.subject));
            }
        }
    }

    /// What befalls the process now; whether it dies of it.
    fn befalls(&mut self, now: Timestamp) -> Result<bool, String> {
        let mut died = false;
        while let Some((_, hazard)) = self.hazards.pop_front_if(|(at, _)| *at <= now) {
            if self.sim.scenario.story {
                self.undone.push(format!("{now} {hazard:?}"));
            }
            match hazard {
                Hazard::Clock { off, restart } => {
                    if self.faulty {
                        self.sim.clock.skew(off);
                    }
                    self.process.wake = None;
                    died |= restart;
                }
                Hazard::People(number) => match hazards::decide(&mut self.process.engine, &mut Rng::new(number), now) {
                    Ok(about) => {
                        self.process.wake = None;
                        self.sim.decided.extend(about);
                    }
                    Err(_) => died = true,
                },
                Hazard::Release => {
                    self.sim.released = true;
                    let flows: Vec<String> = self.sim.setup.plan.mapping.flows.iter().map(|flow| flow.name.clone()).collect();
                    self.dies(now, None)?;
                    for flow in flows {
                        died |= self.process.engine.decide(&Decision::Replay { flow, keys: Vec::new(), since: None }, &Signature::default()).is_err();
                    }
                }
                Hazard::Secret(secret) => {
                    self.sim.secret = secret;
                    died = true;
                }
                // In the midst of work: a copy of a store that has nothing out is no trial, and no more is a limit without calls.
                Hazard::Copy if self.sim.wear.is_torn() => {}
                Hazard::Copy | Hazard::Limits(true) if !self.is_sending()? && self.faulty => {
                    self.hazards.push_back((now + SignedDuration::from_millis(200), hazard));
                    self.hazards.make_contiguous().sort_by_key(|(at, _)| *at);
                }
                Hazard::Copy => self.copies.copy(&self.sim)?,
                Hazard::Tear => self.sim.wear.tear(self.faulty),
                Hazard::Older => {
                    self.sim.wear.tear(false);
                    self.down = false;
                    // Whoever puts another store there has ended what worked with the one before.
                    self.zombies.clear();
                    self.copies.bring_back(&mut self.sim)?;
                    self.restarts(now)?;
                }
                Hazard::Flip(number) if self.faulty => {
                    let flipped = keeping::flip(&self.sim, number)?;
                    self.undone.push(format!("{now} flipped: {flipped}"));
                }
                Hazard::Flip(_) => {}
                Hazard::Deaf(on) => {
                    self.deaf = on && self.faulty;
                    for (zombie, _) in &mut self.zombies {
                        zombie.deaf = self.deaf;
                    }
                }
                Hazard::Limits(on) => {
                    let usual = if self.faulty { self.sim.scenario.faults } else { Faults::default() };
                    let faults = if on && self.faulty { Faults { throttled: 1_000, ..Faults::default() } } else { usual };
                    // On half of the days only ShipStation refuses: what Salesforce gives waits for it.
                    if self.sim.scenario.seed.is_multiple_of(2) {
                        locked(&self.crm).kit.set(faults);
                    }
                    locked(&self.wms).kit.set(faults);
                }
            }
        }
        Ok(died)
    }

    /// Whether a write of an order is on its way.
    fn is_sending(&self) -> Result<bool, String> {
        let open = self.process.engine.store().open_entries().map_err(|fault| fault.to_string())?;
        Ok(open.iter().any(|entry| entry.after.is_none() && !matches!(entry.state, EntryState::Parked | EntryState::Refused)))
    }

    /// The process is ended, and another one started in its place.
    fn restarts(&mut self, now: Timestamp) -> Result<(), String> {
        self.sim.deaths += 1;
        self.process = self.sim.start(&mut self.dice)?;
        self.sim.told.extend(std::mem::take(&mut self.process.told).into_keys().map(|subject| (subject, now)));
        Ok(())
    }

    /// The process ends, and the next one comes up.
    fn dies(&mut self, now: Timestamp, fault: Option<StoreFault>) -> Result<(), String> {
        let killed = self.kills.first().is_some_and(|at| *at <= now);
        if killed {
            self.kills.remove(0);
        }
        // The mistake that the simulation has to find: it goes on with what it believes after its store has failed.
        let ended = matches!(&fault, Some(StoreFault::Fenced { .. })) || matches!(&fault, Some(StoreFault::Io(words)) if words.contains("died here"));
        if self.sim.scenario.off == Some(Off::Restart) && fault.is_some() && !killed && !ended {
            return Ok(());
        }
        self.sim.deaths += 1;
        let next = self.sim.start(&mut self.dice)?;
        let old = std::mem::replace(&mut self.process, next);
        // Some that were thought dead were only paused: they go on beside their successor for a while.
        let paused = if self.sim.scenario.hazards.zombies { self.dice.below(3) > 0 } else { self.dice.below(3) == 0 };
        if paused && fault.is_none() {
            self.zombies.push((old, now + SignedDuration::from_mins(12)));
        }
        if self.faulty && !self.sim.scenario.hazards.clocks && !self.sim.scenario.hazards.deaf && self.dice.below(4) == 0 {
            self.sim.clock.skew(SignedDuration::from_millis(self.dice.below(120_000) as i64 - 60_000));
        }
        Ok(())
    }
}
