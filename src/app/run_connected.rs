//! Runs the flows of a project between its systems: the engine with its connectors, store, alerts and schedules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::process::{StopRequests, clock, runtime, transport, variable};
use super::{Access, Context, Failure, LoadedProject, Notice, Notices, OpenedStore};
use crate::check::Setting;
use crate::connector::Connectors;
use crate::engine::retention::Retention;
use crate::engine::{Engine, Recovered, Settings, World};
use crate::http::Transport;
use crate::ir::Schedule;
use crate::plan::Plan;
use crate::project::retention::{self, Days, Kind};
use crate::project::schedule;
use crate::run::alerts::Alerts;
use crate::run::connections;
use crate::run::executor::Executor;
use crate::run::live::{Door, Ended, Message, door, drive};
use crate::run::rehearsal::Rehearsal;
use crate::store::StoreFault;

/// How a run between systems is to go.
pub struct ConnectedRun<'a> {
    pub settings: Settings,
    pub rehearsal: Option<Arc<Rehearsal>>,
    /// Called when the engine listens: for a server's webhooks.
    pub listening: &'a mut dyn FnMut(&Door, &Connectors, &tokio::runtime::Handle) -> Result<(), Failure>,
    /// Called after each step.
    pub seen: &'a mut dyn FnMut(&Engine<'_>),
}

/// Where the project's alerts go.
///
/// # Errors
/// A channel's settings are not usable, or it is a program that may not be started.
pub(super) fn alerts(context: &Context, transport: &Arc<dyn Transport>) -> Result<Alerts, Failure> {
    let alerts = Alerts::open(&context.project.compiled.config.alerts, &variable, transport).map_err(Failure::usage)?;
    alerts.placed(|program| context.project.folder().may_start(program))
}

/// The schedules that `crossdock.yaml` gives flows in place of their own.
///
/// # Errors
/// One is none, is of no flow, or needs a variable that is not set.
pub(super) fn schedules(project: &LoadedProject) -> Result<Vec<(String, Schedule)>, Failure> {
    let config = &project.compiled.config;
    let schedule = |(flow, said): (&String, &Setting)| {
        project.flow(Some(flow))?;
        Ok((flow.clone(), schedule_in(&format!("schedules.{flow}"), said, &config.zone)?))
    };
    config.schedules.iter().map(schedule).collect()
}

/// The schedule of a setting.
///
/// # Errors
/// It is none, or needs a variable that is not set.
pub(super) fn schedule_in(what: &str, said: &Setting, zone: &str) -> Result<Schedule, Failure> {
    let text = crate::project::filled(&said.text, &variable)
        .map_err(|unset| Failure::usage(format!("{unset}, and `{what}` needs it")).hint("set it in the environment"))?;
    schedule::read(&text, zone).map_err(|why| Failure::usage(format!("{what}: {why}")))
}

/// What came of a run between systems.
pub struct Ran {
    /// What could not be read or reached, in words.
    pub failures: Vec<String>,
    pub calls: u64,
    pub ended: Ended,
}

/// Runs the flows of a project between its systems.
///
/// # Errors
/// A connection or a setting is not usable, or the store has failed.
pub fn run_connected(context: &Context, store: OpenedStore, run: ConnectedRun<'_>, notices: Notices<'_>) -> Result<Ran, Failure> {
    let plan = context.project.plan()?;
    let program = context.project.program()?;
    let runtime = runtime()?;
    let (transport, clock) = (transport()?, clock());
    let connectors = context.project.connectors(&run.settings.only, &transport, &clock)?;
    let mut names: BTreeMap<_, _> = context.project.compiled.names.clone();
    for (connection, fault) in runtime.block_on(connections::refresh_names(plan, &connectors, &mut names)) {
        notices(&Notice::NamesOfSnapshot { connection, fault: fault.to_string() });
    }
    // A rehearsal tells nobody.
    let alerts = if run.rehearsal.is_some() { Alerts::default() } else { alerts(context, &transport)? };
    let once = run.settings.once;
    let mut settings = run.settings;
    settings.schedules.extend(schedules(&context.project)?.into_iter().map(|(flow, schedule)| (flow, vec![schedule])));
    // A rehearsal drops nothing.
    settings.retention = run.rehearsal.is_none().then(|| retention(context, plan));
    let world = World { plan, program: &program, names: &names, connectors: connectors.clone() };
    let mut engine = Engine::start(world, store.into_store(), settings, clock.moment()).map_err(|error| match error {
        crate::engine::Unrunnable::Store(fault) => store_broke(context, &alerts, &runtime, &fault),
        other => Failure::usage(other.to_string()),
    })?;
    let executor = Executor {
        plan: Arc::new(plan.clone()),
        connectors: connectors.clone(),
        clock,
        rehearsal: run.rehearsal,
        masks: engine.masks(),
        shared: crate::run::shared::SharedReads::between(engine.readers()),
        scrub: true,
        also: Arc::new((0..plan.mapping.flows.len()).map(|flow| engine.also(flow).to_vec()).collect()),
    };
    let (way_in, listen) = door();
    // Before anything listens: whoever sees the port may ask for the end.
    let mut stops = StopRequests::receive(&runtime)?;
    (run.listening)(&way_in, &connectors, runtime.handle())?;
    let stopper = way_in.clone();
    runtime.spawn(async move {
        while stops.next().await {
            if stopper.send(Message::Stop).is_err() {
                break;
            }
        }
    });
    let pulse = Arc::new(Mutex::new(Instant::now()));
    if !once {
        runtime.spawn(hangs(Arc::clone(&pulse), alerts.clone()));
    }
    let mut seen = |engine: &Engine<'_>| {
        *pulse.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        (run.seen)(engine);
    };
    let driven = drive(&mut engine, &executor, runtime.handle(), (&way_in, &listen), &alerts, once, &mut seen);
    let ended = driven.map_err(|fault| store_broke(context, &alerts, &runtime, &fault))?;
    Ok(Ran { failures: engine.failures().map(str::to_owned).collect(), calls: engine.calls(), ended })
}

/// How long what is kept is kept, by flow and connection.
fn retention(context: &Context, plan: &Plan) -> Retention {
    let config = &context.project.compiled.config;
    let mut all = Retention::default();
    let mut keep = |of: &str, days: Days, of_connection: bool| {
        for (kind, days) in days.into_iter().filter(|(kind, _)| of.is_empty() || kind.is_of_connection() == of_connection) {
            let times = match kind {
                Kind::Requests => &mut all.requests,
                Kind::Bodies => &mut all.bodies,
                Kind::History => &mut all.history,
                Kind::Exceptions => &mut all.exceptions,
                Kind::Links => &mut all.links,
                Kind::Labels => &mut all.labels,
            };
            times.insert(of.to_owned(), days.map(|days| i64::from(days) * 86_400_000));
        }
    };
    // What is of a flow or a connection that is not there any more.
    keep("", retention::of_project(config), true);
    config.connections.keys().for_each(|name| keep(name, retention::of_connection(config, name), true));
    plan.mapping.flows.iter().for_each(|flow| keep(&flow.name, retention::of_flow(config, plan, &flow.name), false));
    all
}

/// An engine that takes no step for so long hangs: a step waits for nothing but the store.
const HANGS: Duration = Duration::from_secs(120);

/// Tells of an engine that hangs, which cannot tell it itself: once for each time.
async fn hangs(pulse: Arc<Mutex<Instant>>, alerts: Alerts) {
    let mut told = false;
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let still = pulse.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if still > HANGS && !told {
            let message = format!("the engine has done nothing for {} seconds: look at the log, and restart crossdock", still.as_secs());
            alerts.tell_at_once("stalled", "crossdock", &message).await;
        }
        told = still > HANGS;
    }
}

/// The store has failed, so nothing can be put into the outbox of alerts: the channels are told here and now.
fn store_broke(context: &Context, alerts: &Alerts, runtime: &tokio::runtime::Runtime, fault: &StoreFault) -> Failure {
    let failure = Failure::from(fault.clone());
    // Another process that goes on is no reason to wake somebody.
    if !matches!(fault, StoreFault::InUse { .. } | StoreFault::Fenced { .. }) {
        let subject = context.store.short_name();
        let hint = failure.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        runtime.block_on(alerts.tell_at_once("store", &subject, &format!("crossdock has ended: {}{hint}", failure.message)));
    }
    failure
}

/// Opens the store for writing. Where that fails, somebody is told: a process that does not start is stopped as well.
/// With `recover`, also a store that is not the newest one: then how to go on is given with it.
///
/// # Errors
/// As [`StoreLocation::open`](super::StoreLocation::open).
pub fn open_to_run(context: &Context, recover: bool, notices: Notices<'_>) -> Result<(OpenedStore, Option<Recovered>), Failure> {
    if !recover {
        return Ok((opened_or_told(context)?, None));
    }
    let store = context.store.recover()?;
    let recovered = store.recovered();
    notices(if recovered.is_some() { &Notice::Recovered } else { &Notice::NothingToRecover });
    Ok((store, recovered))
}

fn opened_or_told(context: &Context) -> Result<OpenedStore, Failure> {
    context.store.open(Access::Write).map_err(|fault| {
        let told = transport().and_then(|transport| Ok((alerts(context, &transport)?, runtime()?)));
        match told {
            Ok((alerts, runtime)) => store_broke(context, &alerts, &runtime, &fault),
            Err(_) => Failure::from(fault),
        }
    })
}
