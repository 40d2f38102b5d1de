//! What the commands of an operations team begin with: a project, its store, its connections.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ready::Ready;
use super::{Failure, Out};
use crate::base::bounds;
use crate::connector::Connectors;
use crate::engine::retention::Retention;
use crate::engine::{Engine, Recovered, Settings, World};
use crate::fault::file;
use crate::http::net::Net;
use crate::http::{Clock, Secret, SystemClock, Transport};
use crate::plan::Plan;
use crate::project::retention::{self, Days, Kind};
use crate::run::alerts::Alerts;
use crate::run::carry::Carrier;
use crate::run::connections;
use crate::run::dry::Rehearsal;
use crate::run::live::{Door, Ended, Message, door, drive};
use crate::store::sqlite::{Mode, Sqlite};
use crate::store::{Store, StoreFault};

/// The environment's name of the key that seals the store.
pub(super) const STORE_KEY: &str = "CROSSDOCK_STORE_KEY";

/// A project with the place of its store.
pub(super) struct Site {
    pub(super) ready: Ready,
    pub(super) store: PathBuf,
}

impl Site {
    pub(super) fn open(path: Option<&PathBuf>, env: Option<&str>, out: &mut Out) -> Result<Self, Failure> {
        let ready = Ready::open(path, env, out)?;
        let name = match &ready.compiled.config.store {
            None => "crossdock.db".to_owned(),
            Some(setting) => {
                let text = connections::filled(&setting.text, &variable)
                    .map_err(|name| Failure::usage(format!("`{name}` is not set, and `store` needs it")))?;
                match text.split_once(':') {
                    Some(("sqlite", path)) => path.to_owned(),
                    Some((kind, _)) if kind.len() > 1 => {
                        return Err(Failure::usage(format!("there is no store of the kind `{kind}`")).hint("write: store: sqlite:crossdock.db"));
                    }
                    _ => text,
                }
            }
        };
        let folder = &ready.opened.folder;
        // What SQLite and we put beside it is written to as well.
        for beside in ["-wal", "-shm", ".key", ".lock"] {
            folder.reach(&format!("{name}{beside}"))?;
        }
        let store = folder.reach(&name)?;
        Ok(Site { ready, store })
    }

    /// The store for writing; with `recover`, also one that is not the newest: then how it goes on is given with it.
    pub(super) fn opened_to_run(&self, recover: bool, out: &mut Out) -> Result<(Sqlite, Option<Recovered>), Failure> {
        if !recover {
            return Ok((opened_or_told(self)?, None));
        }
        let store = recovered_store(&self.store)?;
        let recovered = store.recovered().map(|lost| Recovered { sent: lost.sent, last: lost.last });
        out.note(match recovered {
            Some(_) => "the store was recovered: what it says of the targets is held against them before anything is written",
            None => "the store is the newest one that was here: there is nothing to recover",
        });
        Ok((store, recovered))
    }

    pub(super) fn opened(&self, mode: Mode) -> Result<Sqlite, Failure> {
        open_store(&self.store, mode)
    }

    /// Connectors of the connections that some flows use.
    pub(super) fn connectors(&self, only: &[String], transport: &Arc<dyn Transport>, clock: &Arc<dyn Clock>) -> Result<Connectors, Failure> {
        let used = connections::used(self.ready.plan()?, only);
        connections::open(&self.ready.compiled.config, &used, &secret_file(&self.ready.opened.folder), &variable, transport, clock)
            .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint()))
    }
}

/// The text of a secret's file that a project names.
pub(super) fn secret_file(folder: &super::Folder) -> impl Fn(&str) -> Result<String, String> + '_ {
    |name| {
        let place =
            folder.reach(name).map_err(|failure| [Some(failure.message), failure.hint].into_iter().flatten().collect::<Vec<_>>().join("; "))?;
        file::read_text(&place, bounds::SECRET_FILE).map_err(|error| error.to_string())
    }
}

pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(super) fn open_store(path: &Path, mode: Mode) -> Result<Sqlite, Failure> {
    let key = variable(STORE_KEY).map(Secret::new);
    Sqlite::open(path, key.as_ref(), mode).map_err(|fault| store_failure(&fault))
}

pub(super) fn recovered_store(path: &Path) -> Result<Sqlite, Failure> {
    let key = variable(STORE_KEY).map(Secret::new);
    Sqlite::recover(path, key.as_ref()).map_err(|fault| store_failure(&fault))
}

pub(super) fn store_failure(fault: &StoreFault) -> Failure {
    let failure = Failure::io(fault.to_string());
    match fault {
        StoreFault::InUse { .. } => {
            failure.hint("another `crossdock run` or `serve` has it: stop that one, or ask it (`crossdock status` and `queue` work beside it)")
        }
        StoreFault::OtherKey => failure.hint(format!("set {STORE_KEY} to the key it was made with, or bring back the .key file beside it")),
        StoreFault::Damaged(_) => failure.hint("`crossdock store check` names what is damaged; docs/operations.md says how a copy is brought back"),
        StoreFault::Busy => failure.hint("end the program that has it open (a browser for databases, a copy that hangs), and start again"),
        StoreFault::NotTheNewest { .. } => failure.hint(
            "bring back the newest copy with its -wal file; or, if there is none, start once with `crossdock run --recover` (or `serve --recover`): \
             it looks at the targets before it writes",
        ),
        StoreFault::Full => failure.hint("make room on the disk and start again: nothing that was answered is lost"),
        StoreFault::TooNew { .. } => failure.hint("use the version that wrote it, or a later one"),
        _ => failure,
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::io(format!("no threads could be started: {error}")))
}

pub(super) fn transport() -> Result<Arc<dyn Transport>, Failure> {
    let net = Net::new(bounds::CALL_TIME).map_err(|broken| Failure::io(broken.to_string()))?;
    Ok(Arc::new(net))
}

/// How a live run is to go.
pub(super) struct Live<'a> {
    pub(super) settings: Settings,
    pub(super) rehearsal: Option<Arc<Rehearsal>>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    /// Called when the engine listens: for a server's webhooks, or a test's stop.
    pub(super) listening: &'a mut dyn FnMut(&Door, &Connectors, &tokio::runtime::Handle) -> Result<(), Failure>,
    /// Called after each step.
    pub(super) seen: &'a mut dyn FnMut(&Engine<'_>),
}

/// Where the project's alerts go.
pub(super) fn alerts(site: &Site, transport: &Arc<dyn Transport>) -> Result<Alerts, Failure> {
    let alerts = Alerts::open(&site.ready.compiled.config.alerts, &variable, transport).map_err(Failure::usage)?;
    alerts.programs().try_for_each(|program| site.ready.opened.folder.may_start(program))?;
    Ok(alerts)
}

/// What came of a live run.
pub(super) struct Lived {
    /// What could not be read or reached, in words.
    pub(super) failures: Vec<String>,
    pub(super) calls: u64,
    pub(super) ended: Ended,
}

/// Runs the flows of a project between its systems.
pub(super) fn live(site: &Site, store: Box<dyn Store>, live: Live<'_>, out: &mut Out) -> Result<Lived, Failure> {
    let plan = site.ready.plan()?;
    let program = site.ready.program()?;
    let runtime = runtime()?;
    let connectors = site.connectors(&live.settings.only, &live.transport, &live.clock)?;
    let mut names: BTreeMap<_, _> = site.ready.compiled.names.clone();
    for (connection, fault) in runtime.block_on(connections::refresh_names(plan, &connectors, &mut names)) {
        out.note(format!("names of {connection} are as of their snapshot: {fault}"));
    }
    // A rehearsal tells nobody.
    let alerts = if live.rehearsal.is_some() { Alerts::default() } else { alerts(site, &live.transport)? };
    let once = live.settings.once;
    let mut settings = live.settings;
    for (flow, text) in &site.ready.compiled.config.schedules {
        site.ready.flow(Some(flow))?;
        let schedule = crate::project::schedule::read(&text.text, &site.ready.compiled.config.zone)
            .map_err(|why| Failure::usage(format!("schedules.{flow}: {why}")))?;
        settings.schedules.insert(flow.clone(), vec![schedule]);
    }
    // A rehearsal drops nothing.
    settings.retention = live.rehearsal.is_none().then(|| retention(site, plan));
    let world = World { plan, program: &program, names: &names, connectors: connectors.clone() };
    let mut engine = Engine::start(world, store, settings, live.clock.moment()).map_err(|error| match error {
        crate::engine::Unrunnable::Store(fault) => store_broke(site, &alerts, &runtime, &fault),
        other => Failure::usage(other.to_string()),
    })?;
    let carrier = Carrier {
        plan: Arc::new(plan.clone()),
        connectors: connectors.clone(),
        clock: Arc::clone(&live.clock),
        rehearsal: live.rehearsal,
        masks: engine.masks(),
        shared: crate::run::shared::SharedReads::between(engine.readers()),
        scrub: true,
        also: Arc::new((0..plan.mapping.flows.len()).map(|flow| engine.also(flow).to_vec()).collect()),
    };
    let (way_in, listen) = door();
    (live.listening)(&way_in, &connectors, runtime.handle())?;
    let stopper = way_in.clone();
    runtime.spawn(async move {
        while stopped().await {
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
        (live.seen)(engine);
    };
    let driven = drive(&mut engine, &carrier, runtime.handle(), (&way_in, &listen), &alerts, once, &mut seen);
    let ended = driven.map_err(|fault| store_broke(site, &alerts, &runtime, &fault))?;
    Ok(Lived { failures: engine.failures().map(str::to_owned).collect(), calls: engine.calls(), ended })
}

/// How long what is kept is kept, by flow and connection.
fn retention(site: &Site, plan: &Plan) -> Retention {
    let config = &site.ready.compiled.config;
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
            let message = format!("the engine has taken no step for {} seconds: look at the log, and start crossdock again", still.as_secs());
            alerts.tell_at_once("stalled", "crossdock", &message).await;
        }
        told = still > HANGS;
    }
}

/// The store has failed, so nothing can be put into the outbox of alerts: the channels are told here and now.
fn store_broke(site: &Site, alerts: &Alerts, runtime: &tokio::runtime::Runtime, fault: &StoreFault) -> Failure {
    let failure = store_failure(fault);
    // Another process that goes on is no reason to wake somebody.
    if !matches!(fault, StoreFault::InUse { .. } | StoreFault::Fenced { .. }) {
        let subject = site.store.file_name().map_or_else(|| "the store".to_owned(), |name| name.to_string_lossy().into_owned());
        let hint = failure.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        runtime.block_on(alerts.tell_at_once("store", &subject, &format!("crossdock has ended: {}{hint}", failure.message)));
    }
    failure
}

/// Opens the store for writing. Where that fails, somebody is told: a process that does not start is stopped as well.
fn opened_or_told(site: &Site) -> Result<Sqlite, Failure> {
    let key = variable(STORE_KEY).map(Secret::new);
    Sqlite::open(&site.store, key.as_ref(), Mode::Write).map_err(|fault| {
        let told = transport().and_then(|transport| Ok((alerts(site, &transport)?, runtime()?)));
        match told {
            Ok((alerts, runtime)) => store_broke(site, &alerts, &runtime, &fault),
            Err(_) => store_failure(&fault),
        }
    })
}

/// Waits for the process to be asked to end: Ctrl-C, or SIGTERM.
async fn stopped() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut term) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.is_ok() };
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.is_ok(),
            ended = term.recv() => ended.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
