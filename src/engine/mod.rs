//! What happens to a record between two systems: inbox, lanes, outbox, intents, exceptions, checkpoints.
//!
//! ```text
//! page / hint -> inbox -> match -> map -> outbox -> intent -> send -> confirmed -> write-backs
//!                  |                 |                          |
//!                  not newer: drop   rejected / review          refused / in doubt
//! ```
//!
//! The engine is a value without threads, clock, network or randomness. [`Engine::step`] takes results of calls and the time, makes
//! its decisions durable in the store, and returns the next effects to carry out. If the process dies between two steps, nothing is
//! lost: [`Engine::start`] continues from the store alone.
//!
//! INVARIANT: an effect that writes is returned only after its intents are committed.

mod alerts;
mod audit;
mod base;
mod batch;
mod budget;
mod connection_health;
mod creations;
mod decide;
mod delta;
mod dependent_writes;
mod doubt;
mod effect;
mod erase;
mod groups;
mod held_off;
mod inbox;
mod look_ups;
mod mapping;
pub mod mask;
mod open_entries;
pub mod operator_commands;
mod outbox;
mod plan_entries;
mod poll;
mod records;
mod recover;
pub mod retention;
mod settings;
mod targets;
mod time;
mod timers;
mod unanswered;
mod undo;
mod version;
mod watchdog;

pub use alerts::{Message, Raise, Told};
pub use effect::{CallRequest, CallResponse, Effect, Polled, Reply, Step};
pub use groups::key_of as group_key;
pub use poll::next_run;
pub use settings::{Recovered, Safety, Settings};
pub use watchdog::{Alive, ConnectionAlive, FlowAlive};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::connector::{Connectors, Selection};
use crate::eval::Program;
use crate::http::Moment;
use crate::ir::{Flow, Operation};
use crate::plan::{FlowPlan, Plan};
use crate::schema::Names;
use crate::store::{Alert, Entry, EntryState, Millis, RecordStage, Store, StoreResult, Watched};
use crate::value::{Kind, ObjectRef};

use batch::Batch;
use connection_health::ConnectionHealth;
use mask::Mask;
use version::{Look, Read};

/// How long a run that is to end waits for what is put off, in milliseconds.
const SOON: Millis = 60_000;

/// What the engine works with, none of which it changes.
pub struct World<'p> {
    pub plan: &'p Plan,
    pub program: &'p Program<'p>,
    pub names: &'p BTreeMap<ObjectRef, Arc<Names>>,
    pub connectors: Connectors,
}

/// Writes that go in one batch: one operation on one object by one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BatchKey {
    connection: String,
    object: String,
    op: String,
    key_field: Option<String>,
}

impl BatchKey {
    fn of(entry: &Entry) -> Self {
        BatchKey { connection: entry.connection.clone(), object: entry.object.clone(), op: entry.op.clone(), key_field: entry.key_field.clone() }
    }

    fn object(&self) -> ObjectRef {
        ObjectRef::new(self.connection.clone(), self.object.clone())
    }

    fn op(&self) -> Operation {
        Operation::of_word(&self.op).unwrap_or(Operation::Upsert)
    }
}

/// What is known of a flow besides its plan.
pub(super) struct FlowState {
    read: Read,
    /// How what is listed is told from what was read.
    look_of: Look,
    /// Paths to fetch beside those that are read: what write-backs to the source itself set.
    also: Vec<Vec<String>>,
    /// The field that people know its records by.
    name: Option<String>,
    streams: Vec<poll::StreamState>,
    /// When it is polled next; `None`: not by itself any more.
    next: Option<Millis>,
    /// When its last poll ended.
    last: Option<Millis>,
    /// When its poll last came further, by the steady clock.
    progress: Millis,
    /// The poll that is going on: since when by the steady clock, and what it came to so far.
    poll: Option<(Millis, Polled)>,
    on: bool,
    /// Lanes may be waiting to be fetched or mapped. Cleared when a look found none.
    fetch: bool,
    map: bool,
    /// Records that arrived and were not mapped yet, as far as this process knows.
    backlog: usize,
    /// Another page of a poll is on its way: what came so far may be looked up together with what it brings.
    gathering: bool,
    /// When to look again for lanes that were put off.
    look: Option<Millis>,
    /// The first poll of a grouped flow has ended, and what it brought is being counted.
    begins: bool,
    /// What its groups give depends on the day.
    by_the_day: bool,
    /// Objects of which it writes records by their key, and records by their id: connection and object.
    by_both: std::collections::BTreeSet<(String, String)>,
}

/// Which work a look at the waiting calls and writes is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// What a mapping marks `first when`, and what it takes to know of it.
    First,
    All,
}

/// What an effect that is out belongs to.
#[derive(Debug)]
pub(super) enum Job {
    Poll {
        flow: usize,
        stream: usize,
        begins: bool,
    },
    Fetch {
        flow: usize,
        ids: Vec<String>,
    },
    Follow {
        flow: usize,
        hint: i64,
    },
    /// `first`: the batch goes before all other work. `values`: what the call looks for.
    Match {
        batch: u64,
        first: bool,
        values: Vec<String>,
    },
    Target {
        batch: u64,
        first: bool,
        values: Vec<String>,
    },
    /// `riders`: entries that went in the same call, riding on some of those that are `out`.
    Send {
        lot: BatchKey,
        out: open_entries::Out,
        riders: Vec<Entry>,
    },
    LookUp {
        entries: Vec<Entry>,
    },
    /// The targets of updates that go again.
    Base {
        ids: Vec<i64>,
    },
}

pub struct Engine<'p> {
    pub(super) world: World<'p>,
    pub(super) store: Box<dyn Store + 'p>,
    pub(super) settings: Settings,
    pub(super) masks: Arc<BTreeMap<String, Mask>>,
    pub(super) flows: Vec<FlowState>,
    /// Entries that are not done, without their bodies.
    pub(super) open_entries: open_entries::OpenEntries,
    /// Entries that can be sent now: those of lanes that go first, then in the order in which they were made.
    pub(super) ready: BTreeMap<BatchKey, BTreeSet<(bool, i64)>>,
    /// Entries that wait for their time.
    pub(super) later: BTreeSet<(Millis, i64)>,
    /// Halves of batches that were refused as a whole.
    pub(super) bisected: VecDeque<(BatchKey, Vec<i64>)>,
    /// Ledger rows up to then are of a store that was lost since: they are true once they were held against their target.
    pub(super) unverified: Option<Millis>,
    /// When that store sent.
    pub(super) lost: Recovered,
    /// So much waits to be sent or is out that nothing more is mapped now.
    pub(super) full: bool,
    /// When a call in bulk came back last, by the steady clock.
    pub(super) bulk_back: Option<Millis>,
    /// Updates whose targets were read anew before they go.
    pub(super) based: BTreeMap<i64, base::Base>,
    /// The first entry that this process makes. When the targets of earlier ones were read is not known.
    own_entries: i64,
    /// By flow and record: reads that it waits for and that failed one after the other.
    unanswered: BTreeMap<(String, String), unanswered::Unanswered>,
    /// Target records with a write on its way.
    pub(super) in_flight_targets: BTreeSet<open_entries::Place>,
    /// Target records with a write that is not done, and how many.
    pub(super) writing: BTreeMap<open_entries::Place, u32>,
    /// Of them, those whose write waits for a time, and until when.
    pub(super) held_off: BTreeMap<open_entries::Place, Millis>,
    /// Records that wait for them.
    waiters: held_off::Waiters,
    /// By the value that it is found by: what records are about to create.
    creating: BTreeMap<String, creations::Creation>,
    /// Target records that a late request may still change, and until when.
    pub(super) unsettled: BTreeMap<open_entries::Target, Millis>,
    /// Lanes in a mapping batch.
    pub(super) leased: BTreeSet<(usize, String)>,
    pub(super) batches: BTreeMap<u64, Batch>,
    pub(super) connections: BTreeMap<String, ConnectionHealth>,
    /// Calls that wait for their connection, by connection.
    pub(super) pending_calls: BTreeMap<String, VecDeque<(CallRequest, Job)>>,
    pub(super) jobs: BTreeMap<u64, (String, Job)>,
    pub(super) next_job: u64,
    /// What somebody should know, by its cause: as the store has it.
    pub(super) alerts: BTreeMap<String, Alert>,
    /// Messages that are on their way: the count that they tell, and whether it had ended.
    pub(super) telling: BTreeMap<String, (u64, Option<Millis>)>,
    /// Polls that have ended, for the log.
    pub(super) polls: Vec<Polled>,
    pub(super) time: time::Time,
    pub(super) dog: watchdog::Dog,
    /// Hints that are being followed.
    pub(super) following: BTreeSet<i64>,
    pub(super) now: Timestamp,
    /// Which plan: the beginning of its hash.
    pub(super) plan_hash: String,
    pub(super) controls_at: Millis,
    pub(super) watch_at: Option<Millis>,
    pub(super) stopping: bool,
    pass_of_retention: retention::Pass,
    /// Values of persons that this process has met: a system may quote them in words about another record.
    met: crate::http::redact::Met,
    /// Calls that went out, and records that went through, of this process.
    pub(super) calls: u64,
    pub(super) moved: u64,
    /// Sources that could not be read, in words.
    pub(super) failures: BTreeSet<String>,
    /// What a run without [`Safety::checkpoints`] has not committed yet.
    pub(super) unsafe_later: Vec<Vec<crate::store::Change>>,
}

/// A flow that this engine cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrunnable {
    #[error("the flow `{flow}` reads `{connection}`, which has no connector")]
    NoConnector { flow: String, connection: String },
    #[error(transparent)]
    Store(#[from] crate::store::StoreFault),
}

impl<'p> Engine<'p> {
    /// Takes up work from a store: whatever was being sent when the last process ended is in doubt.
    ///
    /// # Errors
    /// A flow cannot run here, or the store cannot be used.
    pub fn start(world: World<'p>, store: Box<dyn Store + 'p>, settings: Settings, moment: Moment) -> Result<Self, Unrunnable> {
        let now = Timestamp::from_millisecond(moment.wall.as_millisecond()).unwrap_or(moment.wall);
        let set = time::set_meanwhile(&*store, &moment)?;
        let mut masks = BTreeMap::new();
        for connection in world.connectors.keys() {
            masks.insert(connection.clone(), Mask::of(world.plan, connection));
        }
        let lines = world.connectors.keys().map(|name| (name.clone(), ConnectionHealth::default())).collect();
        let mut engine = Engine {
            plan_hash: world.plan.short_hash().to_owned(),
            world,
            store,
            settings,
            masks: Arc::new(masks),
            flows: Vec::new(),
            open_entries: open_entries::OpenEntries::default(),
            ready: BTreeMap::new(),
            later: BTreeSet::new(),
            bisected: VecDeque::new(),
            unverified: None,
            lost: Recovered { sent: 0, last: 0 },
            full: false,
            bulk_back: None,
            based: BTreeMap::new(),
            own_entries: 0,
            unanswered: BTreeMap::new(),
            in_flight_targets: BTreeSet::new(),
            writing: BTreeMap::new(),
            held_off: BTreeMap::new(),
            waiters: held_off::Waiters::default(),
            creating: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            leased: BTreeSet::new(),
            batches: BTreeMap::new(),
            connections: lines,
            pending_calls: BTreeMap::new(),
            jobs: BTreeMap::new(),
            next_job: 1,
            alerts: BTreeMap::new(),
            telling: BTreeMap::new(),
            polls: Vec::new(),
            time: time::Time::new(&moment),
            dog: watchdog::Dog::default(),
            following: BTreeSet::new(),
            now,
            controls_at: 0,
            watch_at: None,
            stopping: false,
            pass_of_retention: retention::Pass::default(),
            met: crate::http::redact::Met::default(),
            calls: 0,
            moved: 0,
            failures: BTreeSet::new(),
            unsafe_later: Vec::new(),
        };
        engine.alerts = engine.store.alerts()?.into_iter().map(|alert| (alert.cause.clone(), alert)).collect();
        if set != 0 {
            engine.move_alerts(set);
            engine.clock_was_set(set, engine.millis().saturating_sub(set))?;
        }
        for at in 0..engine.world.plan.mapping.flows.len() {
            let state = engine.flow_state(at)?;
            engine.flows.push(state);
        }
        engine.recover()?;
        engine.take_up_budgets(set)?;
        engine.meet_again()?;
        engine.take_up()?;
        engine.watch_at = engine.store.next_watch().map_err(Unrunnable::Store)?;
        engine.begin_dropping()?;
        Ok(engine)
    }

    fn flow_state(&self, at: usize) -> Result<FlowState, Unrunnable> {
        let (flow, reads) = self.flow(at);
        let on = self.settings.only.is_empty() || self.settings.only.contains(&flow.name);
        let read = Read::of(flow, reads);
        let child_id = |list: &str| {
            let objects = &self.world.plan.objects;
            let Kind::List(of) = &objects.get(&flow.source.to_string())?.fields.get(list)?.kind else { return None };
            let Kind::Object(of) = &of.kind else { return None };
            objects.get(&of.to_string())?.id.clone()
        };
        let name = self.world.plan.objects.get(&flow.source.to_string()).and_then(version::name_field);
        let mut also = self.written_back(flow);
        also.extend(name.iter().map(|name| vec![name.clone()]).filter(|path| !reads.reads.contains(path)));
        also.sort();
        also.dedup();
        let mut state = FlowState {
            look_of: Look::of(flow, &read, child_id),
            read,
            also,
            name,
            streams: Vec::new(),
            next: None,
            last: None,
            progress: self.steady(),
            poll: None,
            on,
            fetch: true,
            map: true,
            backlog: 0,
            gathering: false,
            look: None,
            begins: false,
            by_the_day: groups::by_the_day(flow),
            by_both: plan_entries::by_both(flow),
        };
        if !on {
            return Ok(state);
        }
        let needed = std::iter::once(&flow.source).chain(flow.matches.iter().map(|found| &found.object)).chain(self.writes_of(flow));
        for object in needed {
            if !self.world.connectors.contains_key(&object.connection) {
                return Err(Unrunnable::NoConnector { flow: flow.name.clone(), connection: object.connection.clone() });
            }
        }
        self.poll_state(at, &mut state)?;
        Ok(state)
    }

    fn empty_state(&self) -> FlowState {
        FlowState {
            read: Read::default(),
            look_of: Look::default(),
            also: Vec::new(),
            name: None,
            streams: Vec::new(),
            next: None,
            last: None,
            progress: self.steady(),
            poll: None,
            on: false,
            fetch: false,
            map: false,
            backlog: 0,
            gathering: false,
            look: None,
            begins: false,
            by_the_day: false,
            by_both: std::collections::BTreeSet::new(),
        }
    }

    fn writes_of<'f>(&self, flow: &'f Flow) -> impl Iterator<Item = &'f ObjectRef> {
        flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)).map(|write| &write.object)
    }

    /// Fields of the source's own record that follow-ups write.
    fn written_back(&self, flow: &Flow) -> Vec<Vec<String>> {
        let back = flow.follow_ups.iter().flat_map(|after| &after.writes).filter(|write| write.of == Some(Flow::RECORD));
        let mut paths: Vec<Vec<String>> = back.flat_map(|write| write.body.rows.iter().map(|row| vec![row.name.clone()])).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// What was on its way when the last process ended.
    fn take_up(&mut self) -> StoreResult<()> {
        let now = self.millis();
        let mut changes = Vec::new();
        let mut lanes = BTreeSet::new();
        for watch in self.store.watches(Millis::MAX, usize::MAX)? {
            if watch.what == Watched::Settle {
                self.unsettled.extend(timers::target_of(&watch));
            }
        }
        for mut entry in self.store.open_entries()? {
            lanes.insert((entry.flow.clone(), entry.lane.clone()));
            self.own_entries = self.own_entries.max(entry.id + 1);
            if entry.state == EntryState::Sending {
                self.doubt(&mut entry, now);
                self.settles(&entry, &mut changes);
                changes.push(self.in_doubt(&entry, "the process ended while the request was in flight", None));
                changes.push(outbox::moved(&entry));
            }
            self.note(&entry);
        }
        if !changes.is_empty() {
            self.keep(&changes)?;
        }
        for (flow, lane) in &lanes {
            self.take_up_creation(flow, lane)?;
        }
        // The outcome of an entry and what follows of it are one commit, but for lanes whose last write was
        // decided by a person beside a process that died.
        for (flow, lane) in lanes {
            if let Some(at) = self.flow_named(&flow)
                && let Some(lane) = self.store.record(&flow, &lane)?
                && lane.state == RecordStage::Sending
            {
                self.settle(at, lane, Vec::new(), Vec::new())?;
            }
        }
        Ok(())
    }

    /// One step: takes what came back, decides, makes it durable, and gives what to do next.
    ///
    /// # Errors
    /// The store refused: nothing of the step that failed is done, and this engine must not be used again.
    pub fn step(&mut self, replies: Vec<Reply>, moment: Moment) -> StoreResult<Step> {
        self.advance_to(&moment)?;
        for reply in replies {
            self.reply(reply)?;
        }
        self.controls()?;
        self.timers()?;
        let mut effects = Vec::new();
        if !self.stopping && !self.settings.idle {
            self.poll()?;
            self.hints()?;
            self.fetch()?;
            self.wake_waiters()?;
            self.map()?;
        }
        // What goes first takes what its connection allows before all other work, of whatever flow.
        for pass in [Pass::First, Pass::All] {
            self.start_wants(pass, &mut effects);
            if !self.stopping && !self.settings.idle {
                self.send(pass, &mut effects)?;
            }
        }
        // What has to be read before something goes again.
        self.start_wants(Pass::All, &mut effects);
        self.drop_old()?;
        self.note_budgets()?;
        self.tell_damages()?;
        let alerts = if self.settings.idle { Vec::new() } else { self.due_messages()? };
        Ok(Step { effects, alerts, polls: std::mem::take(&mut self.polls), wake: self.wake()? })
    }

    fn reply(&mut self, reply: Reply) -> StoreResult<()> {
        self.calls += reply.exchanges.len() as u64;
        let Some((connection, job)) = self.jobs.remove(&reply.id) else { return Ok(()) };
        if let Some(line) = self.connections.get_mut(&connection) {
            line.out = line.out.saturating_sub(1);
        }
        if let Job::Poll { flow, .. } = &job
            && let Some((_, poll)) = &mut self.flows[*flow].poll
        {
            poll.calls += reply.exchanges.len() as u64;
        }
        self.heard(&connection, &reply.got)?;
        match (job, reply.got) {
            (Job::Poll { flow, stream, begins }, CallResponse::Page(page)) => self.page(flow, stream, begins, page),
            (Job::Follow { flow, hint }, CallResponse::Page(page)) => self.followed(flow, hint, page),
            (Job::Fetch { flow, ids }, CallResponse::Records(records)) => self.fetched(flow, &ids, records),
            (Job::Match { batch, values, .. }, CallResponse::Found(found)) => self.matched(batch, values, found),
            (Job::Target { batch, values, .. }, CallResponse::Found(found)) => self.target_read(batch, values, found),
            (Job::Send { lot, out, riders }, CallResponse::Sent(sent)) => self.sent(&lot, out, riders, sent, reply.exchanges),
            (Job::LookUp { entries }, CallResponse::Found(found)) => self.looked_up(entries, found),
            (Job::Base { ids }, CallResponse::Found(found)) => self.bases_read(&ids, found),
            // A driver answers each effect in its own kind.
            _ => Ok(()),
        }
    }

    // ---- small things that every part uses ----

    /// Makes changes durable, and follows them in memory.
    pub(super) fn keep(&mut self, changes: &[crate::store::Change]) -> StoreResult<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.commit(changes)?;
        self.note_changes(changes);
        self.dog.moved(self.time.now, changes);
        Ok(())
    }

    pub(super) fn millis(&self) -> Millis {
        self.now.as_millisecond()
    }

    pub(super) fn flow(&self, at: usize) -> (&'p Flow, &'p FlowPlan) {
        (&self.world.plan.mapping.flows[at], &self.world.plan.flows[at])
    }

    pub(super) fn flow_named(&self, name: &str) -> Option<usize> {
        self.world.plan.mapping.flows.iter().position(|flow| flow.name == name)
    }

    pub(super) fn source<'a>(&'a self, at: usize) -> Selection<'a> {
        self.world.plan.selection_of(at, self.also(at))
    }

    /// The paths that a flow fetches beside those that it reads.
    pub fn also(&self, flow: usize) -> &[Vec<String>] {
        self.flows.get(flow).map_or(&[], |state| &state.also)
    }

    /// For each flow: how many flows of this run read the same records in the same form, itself included.
    pub fn readers(&self) -> Vec<usize> {
        let form = |at: usize| {
            let source = self.source(at);
            let form = self.world.connectors.get(&source.object.connection)?.form(&source)?;
            self.flows.get(at)?.on.then(|| (source.object.clone(), form))
        };
        let forms: Vec<_> = (0..self.world.plan.mapping.flows.len()).map(form).collect();
        forms.iter().map(|form| forms.iter().filter(|other| form.is_some() && *other == form).count().max(1)).collect()
    }

    /// Calls that went over the wire since this process began.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Records that were delivered since this process began.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    pub fn connectors(&self) -> &Connectors {
        &self.world.connectors
    }

    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub fn store_mut(&mut self) -> &mut dyn Store {
        &mut *self.store
    }

    /// Gives the store back, for a process that goes on without this engine.
    pub fn into_store(self) -> Box<dyn Store + 'p> {
        self.store
    }

    /// No new work is begun; what is out is waited for.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Nothing is out, and nothing waits that could go now.
    pub fn quiet(&self) -> bool {
        let waiting = self.pending_calls.values().any(|queue| !queue.is_empty());
        let polling = self.flows.iter().any(|flow| flow.on && flow.streams.iter().any(poll::StreamState::running));
        let sends = |(lot, set): (&BatchKey, &BTreeSet<(bool, i64)>)| !set.is_empty() && !self.given_up(&lot.connection);
        let now = self.millis();
        // One of which a part waits for its time is not sent before then.
        let due = |half: &[i64]| half.iter().filter_map(|id| self.open_entries.get(*id)).all(|entry| entry.due <= now);
        let halves = self.bisected.iter().any(|(lot, half)| !half.is_empty() && due(half) && !self.given_up(&lot.connection));
        let open = !self.stopping && (halves || self.flows.iter().any(|flow| flow.on && (flow.map || flow.fetch)) || self.ready.iter().any(sends));
        self.jobs.is_empty() && (self.stopping || !(waiting || polling || open))
    }

    /// Nothing is left to be done soon: a run that is to end can end. What waits longer (a settle time, a target that
    /// is down) is in the store, and the next run carries it on.
    pub fn done(&self) -> bool {
        self.no_more_comes() && !self.tells_soon()
    }

    /// All that can be done soon is done, but for messages.
    fn no_more_comes(&self) -> bool {
        let soon = self.millis() + SOON;
        let waits = |state: &FlowState| state.on && (state.look.is_some_and(|look| look <= soon) || (state.next.is_some() && self.settings.once));
        // What goes to a connection that is given up waits for the next run.
        let dead = |id: &i64| self.open_entries.get(*id).is_some_and(|entry| self.given_up(&entry.lot.connection));
        let put_off = self.later.iter().take_while(|(due, _)| *due <= soon).any(|(_, id)| !dead(id));
        self.quiet() && !self.drops() && !put_off && !self.flows.iter().any(waits)
    }

    /// Writes that wait for their time: in doubt, or put off.
    pub fn waiting(&self) -> usize {
        self.later.len()
    }

    /// By connection: what hides personal values of what goes over its wire.
    pub fn masks(&self) -> Arc<BTreeMap<String, Mask>> {
        Arc::clone(&self.masks)
    }

    /// Reads what changed at a flow's source as soon as its connection allows it.
    pub fn poll_soon(&mut self, flow: &str) {
        let now = self.millis();
        if let Some(state) = self.flow_named(flow).and_then(|at| self.flows.get_mut(at)) {
            state.next = Some(now);
        }
    }
}
