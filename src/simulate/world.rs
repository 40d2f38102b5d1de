//! The scheduler: virtual time, two sandboxes, people who work, a process that dies.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::check::{self, Finding};
use super::time::Virtual;
use super::{crm, parcels};
use crate::apply::Program;
use crate::check::typed::Schedule;
use crate::connector::registry::{self, Settings as Connection};
use crate::connector::{Connectors, Hint};
use crate::engine::queue::Decision;
use crate::engine::{Effect, Engine, Reply, Safety, Settings, World};
use crate::http::{Broken, Clock, Request, Response, Secret, Transport};
use crate::plan::Plan;
use crate::project::{self, Options, compile};
use crate::run::carry::Carrier;
use crate::sandbox::faults::{Dice, FaultKit, Faults, Faulty, Seen};
use crate::sandbox::{Act, Delivery, salesforce, shipstation};
use crate::schema::Names;
use crate::store::sqlite::Sqlite;
use crate::value::{Json, ObjectRef};

/// Where the two systems answer.
const CRM: &str = "https://crm.salesforce.com";
const WMS: &str = "https://ssapi.shipstation.com";
const TRACKING: &str = "https://api.shipstation.com";
/// After so much virtual time a run that is not quiet has failed to come to rest.
const LONGEST: SignedDuration = SignedDuration::from_hours(14);

/// Turns of the scheduler after which a run that has not come to rest never will.
const MOST_TURNS: u64 = 300_000;

/// Acts above which a scenario is of volume.
const VOLUME: usize = 1_000;

/// One mechanism of safety, switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    Settle,
    Overlap,
    Dedupe,
    Intents,
    LookUp,
    Lanes,
    Checkpoints,
    Fencing,
}

impl Off {
    pub const ALL: [Off; 8] = [Off::Settle, Off::Overlap, Off::Dedupe, Off::Intents, Off::LookUp, Off::Lanes, Off::Checkpoints, Off::Fencing];

    fn safety(off: Option<Off>) -> Safety {
        let mut safety = Safety::default();
        match off {
            Some(Off::Settle) => safety.settle = false,
            Some(Off::Overlap) => safety.overlap = false,
            Some(Off::Dedupe) => safety.dedupe = false,
            Some(Off::Intents) => safety.intents = false,
            Some(Off::LookUp) => safety.look_up = false,
            Some(Off::Lanes) => safety.lanes = false,
            Some(Off::Checkpoints) => safety.checkpoints = false,
            Some(Off::Fencing) | None => {}
        }
        safety
    }
}

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub seed: u64,
    /// Orders that are there at the beginning.
    pub orders: usize,
    /// What people do while the faults are on.
    pub acts: usize,
    pub faults: Faults,
    /// Deaths of the process.
    pub kills: usize,
    pub off: Option<Off>,
    /// Calls a minute of ShipStation.
    pub per_minute: Option<u32>,
    /// Seconds between two polls of the orders, instead of the mapping's five minutes.
    pub poll: Option<i64>,
    /// Tell each record's way in the report.
    pub story: bool,
}

impl Scenario {
    /// A small world on a bad day.
    pub fn small(seed: u64) -> Self {
        Scenario { seed, orders: 6, acts: 14, faults: Faults::BAD_DAY, kills: 4, off: None, per_minute: Some(40), poll: None, story: false }
    }

    /// Orders of [`Scenario::large`].
    pub const LARGE: u64 = 500;

    /// Many orders on a bad day, ShipStation's limit out of the way: batches, pages and queues are full.
    pub fn large(seed: u64) -> Self {
        Scenario { orders: 500, acts: 125, per_minute: None, ..Scenario::small(seed) }
    }

    /// So many shipments of many shoppers on a bad day, for templates that sum them up.
    pub fn volume(seed: u64, shipments: usize) -> Self {
        Scenario { acts: shipments, per_minute: None, ..Scenario::small(seed) }
    }

    /// Few orders, each changed often, over a network that delays and loses: where a mechanism of safety that is
    /// missing shows soonest.
    pub fn rough(seed: u64) -> Self {
        let faults = Faults { late: 150, late_seconds: 290, lost_reply: 80, slow: 50, ..Faults::default() };
        Scenario { seed, orders: 3, acts: 60, faults, kills: 8, off: None, per_minute: Some(40), poll: Some(45), story: false }
    }
}

/// The template, compiled once for all runs.
pub struct Setup {
    pub(super) template: String,
    pub(super) plan: Plan,
    pub(super) names: BTreeMap<ObjectRef, Arc<Names>>,
}

impl Setup {
    /// Orders out, labels and shipments back.
    ///
    /// # Errors
    /// As [`Setup::of`].
    pub fn new() -> Result<Self, String> {
        Setup::of("salesforce-shipstation")
    }

    /// A template that comes with the program.
    ///
    /// # Errors
    /// There is none of that name, or it does not pass `check`: the words of its first mistake.
    pub fn of(template: &str) -> Result<Self, String> {
        let texts = project::templates::project(template).ok_or_else(|| format!("there is no template `{template}`"))?;
        let compiled = compile(&texts, &Options::default());
        let first = compiled.diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(|diagnostic| diagnostic.message.clone());
        match compiled.plan {
            Some(plan) => Ok(Setup { template: template.to_owned(), plan, names: compiled.names }),
            None => Err(first.unwrap_or_else(|| "the template has no plan".to_owned())),
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// SHA-256 over the whole way of the run.
    pub trace: String,
    /// Records that were delivered.
    pub delivered: u64,
    /// Calls of both systems.
    pub calls: u64,
    /// How much virtual time it took.
    pub took: SignedDuration,
    pub deaths: u32,
    /// Each record's way, for people who look for a mistake.
    pub story: String,
}

pub(super) type Shared = Arc<Mutex<Faulty>>;

pub(super) fn locked(system: &Shared) -> std::sync::MutexGuard<'_, Faulty> {
    system.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries requests to the sandboxes, at the true time.
pub(super) struct Wire {
    pub(super) clock: Virtual,
    pub(super) crm: Shared,
    pub(super) wms: Shared,
    /// What went over it, for the trace.
    pub(super) seen: Mutex<Sha256>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let system = match host.as_str() {
            "crm.salesforce.com" => &self.crm,
            "ssapi.shipstation.com" | "api.shipstation.com" => &self.wms,
            other => return Err(Broken::NotSent(format!("{other} is no host here"))),
        };
        let now = self.clock.truth();
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.update(format!("{now} {} {}\n", request.method(), request.uri()));
            seen.update(request.body());
        }
        let answer = locked(system).receive(request, now);
        match answer {
            Seen::Answer { response, after } => {
                self.clock.until(now.saturating_add(after).unwrap_or(now)).await;
                Ok(response)
            }
            Seen::Nothing { after } => {
                self.clock.until(now.saturating_add(after).unwrap_or(now)).await;
                Err(Broken::Lost("the connection was lost".to_owned()))
            }
        }
    }
}

type Task = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A process: an engine with what it has out.
struct Process<'p> {
    engine: Engine<'p>,
    carrier: Carrier,
    tasks: Vec<Task>,
    wake: Option<Timestamp>,
}

impl Process<'_> {
    /// Lets everything that is out go on as far as it can.
    fn replies(&mut self) -> Vec<Reply> {
        let mut context = Context::from_waker(Waker::noop());
        let mut replies = Vec::new();
        self.tasks.retain_mut(|task| match task.as_mut().poll(&mut context) {
            Poll::Ready(reply) => {
                replies.push(reply);
                false
            }
            Poll::Pending => true,
        });
        replies
    }

    fn spawn(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let carrier = self.carrier.clone();
            self.tasks.push(Box::pin(async move { carrier.carry(effect).await }));
        }
    }

    fn step(&mut self, now: Timestamp) -> Result<bool, crate::store::StoreFault> {
        let replies = self.replies();
        let due = self.wake.is_none_or(|wake| wake <= now);
        if replies.is_empty() && !due {
            return Ok(false);
        }
        let step = self.engine.step(replies, now)?;
        self.wake = step.wake;
        let moved = !step.effects.is_empty();
        self.spawn(step.effects);
        Ok(moved)
    }
}

/// Waits for a future that needs nothing but time.
pub(super) fn finish<T>(clock: &Virtual, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        clock.set(clock.next()?);
    }
}

pub(super) fn connectors(wire: &Arc<Wire>, clock: &Virtual) -> Connectors {
    let connection = |name: &str, system: &str, options: &[(&str, &str)]| Connection {
        name: name.to_owned(),
        system: system.to_owned(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
    };
    let settings = [
        connection("crm", "salesforce", &[("login", CRM), ("client_id", "sandbox"), ("client_secret", "sandbox")]),
        connection("wms", "shipstation", &[("url", WMS), ("api_key", "sandbox"), ("api_secret", "sandbox")]),
        connection("tracking", "shipstation-v2", &[("url", TRACKING), ("api_key", "sandbox")]),
    ];
    let mut all = Connectors::new();
    for settings in settings {
        let transport: Arc<dyn Transport> = Arc::clone(wire) as Arc<dyn Transport>;
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        if let Ok(connector) = registry::open(&settings, transport, clock) {
            all.insert(settings.name.clone(), connector);
        }
    }
    all
}

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
        _ if own => schedule(&mut dice, scenario, start),
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

/// Every record's way, and what was done to the systems.
fn story(engine: &Engine<'_>, crm: &Shared, wms: &Shared) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for state in crate::store::LaneState::ALL {
        for lane in engine.store().in_state(None, state, 1_000).unwrap_or_default() {
            line(format!("{} {} {:?} is {}", lane.flow, lane.key, lane.label, state.word()));
            for event in engine.store().events(&lane.flow, &lane.key).unwrap_or_default() {
                let at = Timestamp::from_millisecond(event.at).unwrap_or_default();
                line(format!("    {at} {} {}", event.kind, event.text));
            }
        }
    }
    for system in [crm, wms] {
        for effect in locked(system).system.effects() {
            let who = if effect.by_api { "api" } else { "person" };
            line(format!(
                "{} {who} {} {} {} {:?} {}",
                effect.at,
                effect.kind,
                effect.object,
                effect.id,
                effect.key,
                effect.fields.to_string().chars().take(200).collect::<String>()
            ));
        }
    }
    out
}

struct Sim<'p> {
    setup: &'p Setup,
    program: &'p Program<'p>,
    scenario: Scenario,
    clock: Virtual,
    wire: Arc<Wire>,
    name: String,
    deaths: u32,
    immortal: bool,
}

impl<'p> Sim<'p> {
    fn carrier(&self, engine: &Engine<'_>) -> Carrier {
        Carrier {
            plan: Arc::new(self.setup.plan.clone()),
            connectors: engine.connectors().clone(),
            clock: Arc::new(self.clock.clone()),
            rehearsal: None,
            masks: engine.masks(),
            also: Arc::new((0..self.setup.plan.mapping.flows.len()).map(|flow| engine.also(flow).to_vec()).collect()),
        }
    }

    /// A process as it starts: with the store as the last one left it.
    fn start(&mut self, dice: &mut Dice) -> Result<Process<'p>, String> {
        loop {
            let mut store = Sqlite::in_memory(&self.name).map_err(|fault| fault.to_string())?;
            if self.scenario.kills > 0 && !self.immortal && self.deaths < 40 && dice.below(3) == 0 {
                // It will die in the midst of a commit, some time.
                store.dies_after(5 + dice.below(80) as u32);
            }
            if self.scenario.off == Some(Off::Fencing) {
                store.unfenced();
            }
            let polls = self.scenario.poll.map(|seconds| ("export_orders".to_owned(), vec![Schedule::Every(seconds * 1_000)]));
            // What no webhook told of is found by a poll, and a day is summed up; within the hours that are simulated.
            let parcels = ["delivered", "incidents", "estimated_delivery", "daily_summary"]
                .map(|flow| (flow.to_owned(), vec![Schedule::Every(20 * 60 * 1_000)]));
            let settings = Settings {
                schedules: polls.into_iter().chain(parcels).collect(),
                seed: self.scenario.seed,
                safety: Off::safety(self.scenario.off),
                step: if self.scenario.acts > VOLUME { Settings::default().step } else { 50 },
                controls: 600_000,
                ..Settings::default()
            };
            let connectors = connectors(&self.wire, &self.clock);
            let world = World { plan: &self.setup.plan, program: self.program, names: &self.setup.names, connectors };
            match Engine::start(world, Box::new(store), settings, self.clock.now()) {
                Ok(engine) => {
                    let carrier = self.carrier(&engine);
                    return Ok(Process { engine, carrier, tasks: Vec::new(), wake: None });
                }
                // It died while it started; the next one does not at once.
                Err(crate::engine::Unrunnable::Store(_)) if self.deaths < 200 => self.deaths += 1,
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// A webhook arrives at the process. False where it died of it.
fn hooked(process: &mut Process<'_>, hook: &Delivery, now: Timestamp) -> bool {
    let name = hook.url.rsplit('/').next().unwrap_or_default();
    let Some(connector) = process.engine.connectors().get(name).cloned() else { return true };
    match connector.hint(&hook.body) {
        Ok(hint) => {
            let json: Json = serde_json::to_value::<&Hint>(&hint).unwrap_or_default();
            process.wake = None;
            process.engine.store_mut().hint(name, &hint.event, &json, now.as_millisecond()).is_ok()
        }
        Err(_) => true,
    }
}

fn subscribe(wms: &Shared, now: Timestamp) {
    let first = br#"{"target_url":"https://crossdock.example/hook/wms","event":"SHIP_NOTIFY"}"#;
    let second = br#"{"url":"https://crossdock.example/hook/tracking","event":"track"}"#;
    let first = http::Request::post(format!("{WMS}/webhooks/subscribe")).body(bytes::Bytes::from_static(first));
    let second = http::Request::post(format!("{TRACKING}/v2/environment/webhooks")).body(bytes::Bytes::from_static(second));
    for mut request in [first, second].into_iter().flatten() {
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Basic c2FuZGJveDpzYW5kYm94"));
        request.headers_mut().insert("api-key", http::HeaderValue::from_static("sandbox"));
        locked(wms).system.handle(&request, now);
    }
}

pub(super) fn minutes(dice: &mut Dice, below: u64) -> SignedDuration {
    SignedDuration::from_millis(dice.below(below * 60_000) as i64)
}

/// What people do, in order: when, at which system, what.
fn schedule(dice: &mut Dice, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let mut acts = Vec::new();
    for _ in 0..scenario.acts {
        let at = start + minutes(dice, 55);
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
