//! A process: an engine with what it has out; how it starts, and how it takes a webhook.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use super::disk::{Disk, Wear};
use super::scenario::{Off, Scenario, Setup, VOLUME};
use super::time::Virtual;
use super::wire::{Wire, connectors};
use crate::connector::{Hint, WebhookReply, WebhookRequest};
use crate::engine::{Effect, Engine, Message, Polled, Recovered, Reply, Settings, Told, World};
use crate::eval::Program;
use crate::http::Clock as _;
use crate::ir::Schedule;
use crate::plan::Plan;
use crate::run::executor::Executor;
use crate::sandbox::Delivery;
use crate::sandbox::rng::Rng;
use crate::schema::Names;
use crate::store::sqlite::Sqlite;
use crate::value::{Json, ObjectRef};

type Task = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A process: an engine with what it has out.
pub(super) struct Process<'p> {
    pub(super) engine: Engine<'p>,
    pub(super) executor: Executor,
    pub(super) tasks: Vec<Task>,
    pub(super) wake: Option<Timestamp>,
    /// What it told people of, and when.
    pub(super) told: BTreeMap<String, Timestamp>,
    /// What somebody was told, and when by the true time.
    pub(super) messages: Vec<(Timestamp, Message)>,
    /// Polls that have ended, and when.
    pub(super) polls: Vec<(Timestamp, Polled)>,
    /// The channel of alerts takes nothing.
    pub(super) deaf: bool,
    /// It dies when it has told something next, before it has noted that.
    pub(super) dies_telling: bool,
}

impl<'p> Process<'p> {
    pub(super) fn new(engine: Engine<'p>, executor: Executor) -> Self {
        Process {
            engine,
            executor,
            tasks: Vec::new(),
            wake: None,
            told: BTreeMap::new(),
            messages: Vec::new(),
            polls: Vec::new(),
            deaf: false,
            dies_telling: false,
        }
    }

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
            let executor = self.executor.clone();
            self.tasks.push(Box::pin(async move { executor.execute(effect).await }));
        }
    }

    /// A message names its first records; whoever gets it finds the others in the queue.
    fn tells(&mut self, message: &Message, now: Timestamp) -> Result<(), crate::store::StoreFault> {
        let open = self.engine.store().exceptions(true, usize::MAX)?;
        let same = open.into_iter().filter(|one| message.cause.starts_with(&format!("exception {} {} {} ", one.flow, one.code, one.cause())));
        self.told.extend(same.map(|one| (one.label.unwrap_or(one.lane), now)));
        self.told.extend(message.subject.split(", ").map(|subject| (subject.to_owned(), now)));
        Ok(())
    }

    /// One step; whether something was begun by it.
    ///
    /// `clock` knows the true time, by which the process waits; its wall clock may be wrong.
    pub(super) fn step(&mut self, clock: &Virtual) -> Result<bool, crate::store::StoreFault> {
        let now = clock.truth();
        let replies = self.replies();
        let due = self.wake.is_none_or(|wake| wake <= now);
        if replies.is_empty() && !due {
            return Ok(false);
        }
        let step = self.engine.step(replies, clock.moment())?;
        self.wake = step.wake.map(|wake| now.saturating_add(wake).unwrap_or(now));
        // The one channel of alerts takes a message at once, or not at all.
        for message in step.alerts {
            let left = if self.deaf { vec!["channel".to_owned()] } else { Vec::new() };
            let cause = message.cause.clone();
            if !self.deaf {
                self.tells(&message, now)?;
                self.messages.push((now, message));
            }
            // It may die now: the channel has the message, and nobody knows.
            if self.dies_telling {
                return Err(crate::store::StoreFault::Io("the process died here".to_owned()));
            }
            self.engine.told(Told { cause, left, unsent: false })?;
        }
        self.polls.extend(step.polls.into_iter().map(|poll| (now, poll)));
        let moved = !step.effects.is_empty();
        self.spawn(step.effects);
        Ok(moved)
    }
}

/// What processes are made of, and how many have died.
pub(super) struct Sim<'p> {
    pub(super) setup: &'p Setup,
    pub(super) program: &'p Program<'p>,
    /// Of the next version of the mapping, and whether it is released.
    pub(super) next: Option<&'p Program<'p>>,
    pub(super) released: bool,
    /// The secret of the commerce side's connection.
    pub(super) secret: String,
    pub(super) scenario: Scenario,
    pub(super) clock: Virtual,
    pub(super) wire: Arc<Wire>,
    pub(super) wear: Wear,
    pub(super) name: String,
    pub(super) deaths: u32,
    pub(super) immortal: bool,
    /// What people were told of, by what they call it, and when last.
    pub(super) told: BTreeMap<String, Timestamp>,
    /// Records about which a person decided what is sent: flow and key.
    pub(super) decided: BTreeSet<(String, String)>,
    /// The store is not the newest one that there was, and no process has taken that up yet.
    pub(super) recovered: Option<Recovered>,
}

impl<'p> Sim<'p> {
    /// The mapping as it is released now.
    pub(super) fn plan(&self) -> &'p Plan {
        match &self.setup.next {
            Some(next) if self.released => &next.plan,
            _ => &self.setup.plan,
        }
    }

    pub(super) fn program(&self) -> &'p Program<'p> {
        self.next.filter(|_| self.released).unwrap_or(self.program)
    }

    pub(super) fn names(&self) -> &'p BTreeMap<ObjectRef, Arc<Names>> {
        match &self.setup.next {
            Some(next) if self.released => &next.names,
            _ => &self.setup.names,
        }
    }

    pub(super) fn executor(&self, engine: &Engine<'_>) -> Executor {
        Executor {
            plan: Arc::new(self.plan().clone()),
            connectors: engine.connectors().clone(),
            clock: Arc::new(self.clock.clone()),
            rehearsal: None,
            masks: engine.masks(),
            shared: crate::run::shared::SharedReads::between(engine.readers()),
            scrub: self.scenario.off != Some(Off::Scrub),
            also: Arc::new((0..self.plan().mapping.flows.len()).map(|flow| engine.also(flow).to_vec()).collect()),
        }
    }

    /// A process as it starts: with the store as the last one left it.
    pub(super) fn start(&mut self, dice: &mut Rng) -> Result<Process<'p>, String> {
        loop {
            let mut store = Sqlite::in_memory(&self.name).map_err(|fault| fault.to_string())?;
            if self.scenario.off == Some(Off::Fencing) {
                store.unfenced();
            }
            if self.scenario.off == Some(Off::Checksums) {
                store.unchecked();
            }
            let mut store = Disk::new(store, self.wear.clone());
            if self.scenario.kills > 0 && !self.immortal && self.deaths < 40 && dice.below(3) == 0 {
                // It will die in the midst of a commit, some time.
                store.dies_after(5 + dice.below(80) as u32);
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
                // Each look is a turn; what it raises has minutes.
                look: 60_000,
                recovered: self.recovered,
                ..Settings::default()
            };
            let connectors = connectors(&self.wire, &self.clock, &self.secret);
            let world = World { plan: self.plan(), program: self.program(), names: self.names(), connectors };
            match Engine::start(world, Box::new(store), settings, self.clock.moment()) {
                Ok(engine) => {
                    self.recovered = None;
                    let executor = self.executor(&engine);
                    return Ok(Process::new(engine, executor));
                }
                // It died while it started; the next one does not at once.
                Err(crate::engine::Unrunnable::Store(_)) if self.deaths < 200 => self.deaths += 1,
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// A webhook arrives at the process. False where it died of it.
pub(super) fn hooked(process: &mut Process<'_>, hook: &Delivery, now: Timestamp) -> bool {
    let name = hook.url.rsplit('/').next().unwrap_or_default();
    let Some(connector) = process.engine.connectors().get(name).cloned() else { return true };
    let mut headers = http::HeaderMap::new();
    for (name, value) in &hook.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name.as_bytes()), http::HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let request = WebhookRequest { method: &http::Method::POST, headers: &headers, query: "", body: &hook.body };
    let Ok(WebhookReply::Hints(hints)) = connector.webhook(&request) else { return true };
    hints.iter().all(|hint| {
        let json: Json = serde_json::to_value::<&Hint>(hint).unwrap_or_default();
        process.wake = None;
        process.engine.store_mut().hint(name, &hint.event, &json, now.as_millisecond()).is_ok()
    })
}
