//! The watchdog: one place defines what "alive" means. Polls are on schedule, connections answer, records and writes make progress,
//! alerts are delivered. Every few seconds the engine checks itself, raises an alert for what has stopped, ends the alert when it
//! works again, and reports the result to `/ready`, the metrics and `crossdock status`.
//!
//! Polls, connections and work that have stopped are reported within five minutes. Time is measured by the monotonic clock, so setting
//! the wall clock neither hides nor causes an alert.

use serde::{Deserialize, Serialize};

use super::alerts::Raise;
use super::connection_health::Trouble;
use super::time::words;
use super::{Engine, Job, records, timers};
use crate::store::{Change, EntryState, Millis, RecordStage, Store, StoreResult, Watched};

/// A poll that is so much later than its schedule says has stopped.
const LATE_POLL: Millis = 3 * 60_000;
/// A connection that has failed for so long is told, if it did not fail often enough before.
const FAILING: Millis = 60_000;
/// The same for one that refuses calls for its limit, which happens for a minute in normal work.
const THROTTLED: Millis = 2 * 60_000;
/// Work that has waited for so long for a connection that gives no answer: told before the polls that are late for it.
const SILENT: Millis = 150_000;
/// A call that carries so many records may take longer.
const LARGE: usize = 2_000;
const SILENT_LARGE: Millis = 30 * 60_000;
/// Work that is there, and nothing has moved for so long.
const STALLED: Millis = 4 * 60_000;
/// A write whose outcome should have been known so long ago.
const UNRESOLVED: Millis = 10 * 60_000;
/// A message that has been under way for so long.
const UNTOLD: Millis = 5 * 60_000;
/// A run says for what it waits after so long.
const WAITED: Millis = 5_000;
/// A run that is to end does not wait longer for a connection that fails.
const PATIENCE: Millis = 60_000;
/// The same for one that is throttled.
const LIMIT_PATIENCE: Millis = 5 * 60_000;
/// How often what is seen is kept in the store, for `crossdock status`.
const KEPT: Millis = 15_000;
/// Under which name the store has what was seen last.
const ALIVE: &str = "alive";

/// What the engine keeps of its looks.
#[derive(Debug, Default)]
pub(crate) struct Dog {
    looked: Option<Millis>,
    /// When a record or a write last moved.
    moved: Option<Millis>,
    /// By connection: since when work waits for it.
    waiting: std::collections::BTreeMap<String, Millis>,
    seen: Alive,
    kept: Option<Millis>,
}

impl Dog {
    /// A commit was made.
    pub(super) fn moved(&mut self, steady: Millis, changes: &[Change]) {
        let work = |change: &Change| {
            matches!(
                change,
                Change::Record(_) | Change::Entry(_) | Change::Sent(_) | Change::DropEntry(_) | Change::Checkpoint(_) | Change::Target(_)
            )
        };
        if changes.iter().any(work) {
            self.moved = Some(steady);
        }
    }
}

/// How a process is doing, as of [`Alive::at`]. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    pub at: Millis,
    pub flows: Vec<FlowAlive>,
    pub connections: Vec<ConnectionAlive>,
    /// When the record was last touched that has waited longest to be fetched or mapped.
    pub oldest_waiting: Option<Millis>,
    /// When the oldest write was sent of which it is not known whether it was done.
    pub oldest_unresolved: Option<Millis>,
    /// Alerts that a channel has not taken at the first try.
    pub alerts_undelivered: u64,
    pub oldest_undelivered: Option<Millis>,
    /// What is not as it should be, each in one sentence.
    pub troubles: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowAlive {
    pub flow: String,
    /// When its last poll ended.
    pub last_poll: Option<Millis>,
    /// When its next poll is due.
    pub next_poll: Option<Millis>,
    /// How much later than its schedule says it is, in milliseconds.
    pub lag: Millis,
    /// A poll is going on.
    pub polling: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionAlive {
    pub connection: String,
    /// When a call last succeeded, in this process.
    pub last_success: Option<Millis>,
    /// Since when none has.
    pub failing_since: Option<Millis>,
    /// `down`, `denied`, `throttled`
    pub trouble: Option<String>,
}

impl Alive {
    /// What the last process saw, as the store has it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn kept(store: &dyn Store) -> StoreResult<Option<Alive>> {
        let kept: Option<Alive> = store.meta(ALIVE)?.and_then(|text| serde_json::from_str(&text).ok());
        let Some(mut alive) = kept else { return Ok(None) };
        // What every commit says is newer than the last look.
        for flow in &mut alive.flows {
            flow.last_poll = super::poll::last_poll(store, &flow.flow)?;
        }
        alive.oldest_waiting = oldest_waiting(store)?;
        alive.oldest_unresolved = store.oldest_doubt()?;
        Ok(Some(alive))
    }
}

impl Trouble {
    fn word(self) -> &'static str {
        match self {
            Trouble::Down => "down",
            Trouble::Denied => "denied",
            Trouble::Throttled => "throttled",
        }
    }
}

impl Engine<'_> {
    /// How this process is doing, as of its last look.
    pub fn alive(&self) -> &Alive {
        &self.dog.seen
    }

    /// In how long the engine wants to look at itself again.
    pub(super) fn looks_in(&self) -> Millis {
        self.dog.looked.map_or(0, |looked| (looked + self.settings.look - self.steady()).max(0))
    }

    /// Looks at what should move, every few seconds.
    pub(super) fn look_around(&mut self) -> StoreResult<()> {
        let steady = self.steady();
        if self.settings.idle || self.dog.looked.is_some_and(|looked| steady < looked + self.settings.look) {
            return Ok(());
        }
        self.dog.looked = Some(steady);
        let mut changes = Vec::new();
        self.ended_causes(&mut changes)?;
        let connections: Vec<String> = self.connections.keys().cloned().collect();
        for connection in connections {
            self.look_at_connection(&connection, &mut changes)?;
        }
        if self.settings.once {
            self.give_up_what_is_down();
        } else {
            for at in 0..self.flows.len() {
                self.look_at_poll(at, &mut changes)?;
            }
        }
        self.look_at_writes(&mut changes)?;
        self.look_at_reads(&mut changes)?;
        self.look_at_work(&mut changes)?;
        self.dog.seen = self.seen()?;
        if self.dog.kept.is_none_or(|kept| steady >= kept + KEPT) {
            self.dog.kept = Some(steady);
            // Texts and numbers only: it is always JSON.
            let value = serde_json::to_string(&self.dog.seen).unwrap_or_default();
            changes.push(Change::Meta { name: ALIVE.to_owned(), value });
        }
        self.note_time(&mut changes);
        self.keep(&changes)
    }

    /// Keeps what is seen at the end of a process: what was wrong at its last look may have passed since.
    ///
    /// # Errors
    /// The store refused.
    pub fn last_look(&mut self) -> StoreResult<()> {
        if self.settings.idle {
            return Ok(());
        }
        self.dog.seen = self.seen()?;
        let value = serde_json::to_string(&self.dog.seen).unwrap_or_default();
        self.keep(&[Change::Meta { name: ALIVE.to_owned(), value }])
    }

    /// Causes whose records are all done.
    fn ended_causes(&mut self, changes: &mut Vec<Change>) -> StoreResult<()> {
        for cause in self.lasting(records::EXCEPTION) {
            let Some((flow, code, id)) = records::parts_of(&cause) else { continue };
            if self.store.open_of_cause(flow, code, id)? == 0 {
                self.resolve(&cause, changes);
            }
        }
        for cause in self.lasting(timers::EXPECTATION) {
            let name = cause.strip_prefix(timers::EXPECTATION).unwrap_or_default();
            if self.store.watching(&Watched::Unmet(name.to_owned()))? == 0 {
                self.resolve(&cause, changes);
            }
        }
        Ok(())
    }

    // ---- connections ----

    /// A connection has failed often enough to be told.
    pub(super) fn connection_fails(&mut self, connection: &str) -> StoreResult<()> {
        let mut changes = Vec::new();
        self.tell_of_connection(connection, &mut changes)?;
        self.keep(&changes)
    }

    /// A call has succeeded.
    pub(super) fn works_again(&mut self, connection: &str) -> StoreResult<()> {
        self.dog.waiting.remove(connection);
        let mut changes = Vec::new();
        self.resolve(&cause_of(connection), &mut changes);
        self.keep(&changes)
    }

    fn tell_of_connection(&mut self, connection: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        if self.lasts(&cause_of(connection)) {
            return Ok(());
        }
        let Some(line) = self.connections.get(connection) else { return Ok(()) };
        let Some((trouble, reason)) = line.trouble.clone() else { return Ok(()) };
        let (kind, what) = match trouble {
            Trouble::Down => ("connection", "it cannot be used now; its reads and writes wait"),
            Trouble::Denied => ("connection", "the sign-in was refused; its reads and writes wait"),
            Trouble::Throttled => ("budget", "its rate limit is reached, and no call has succeeded since; its reads and writes wait"),
        };
        self.tell(kind, cause_of(connection), connection, format!("{what}: {reason}"), changes)
    }

    fn tell(&mut self, kind: &'static str, cause: String, subject: &str, message: String, changes: &mut Vec<Change>) -> StoreResult<()> {
        if !self.lasts(&cause) {
            self.raise(Raise { cause, kind, subject: subject.to_owned(), message, lasting: true, ..Raise::default() }, changes)?;
        }
        Ok(())
    }

    fn look_at_connection(&mut self, connection: &str, changes: &mut Vec<Change>) -> StoreResult<()> {
        let steady = self.steady();
        let Some(line) = self.connections.get(connection) else { return Ok(()) };
        let failing = line.failing.map_or(0, |since| steady - since);
        let patience = match line.trouble {
            Some((Trouble::Throttled, _)) => THROTTLED,
            _ => FAILING,
        };
        if line.trouble.is_some() && failing >= patience {
            self.tell_of_connection(connection, changes)?;
            return Ok(());
        }
        let out = line.out > 0;
        let asks = self.pending_calls.get(connection).is_some_and(|queue| !queue.is_empty());
        let sends = self.ready.iter().any(|(lot, ready)| lot.connection == connection && !ready.is_empty());
        if !(out || asks || sends) {
            self.dog.waiting.remove(connection);
            return Ok(());
        }
        let since = *self.dog.waiting.entry(connection.to_owned()).or_insert(steady);
        let large = |job: &(String, Job)| matches!(&job.1, Job::Send { out, .. } if job.0 == connection && out.len() > LARGE);
        let silent = if self.jobs.values().any(large) { SILENT_LARGE } else { SILENT };
        if steady - since < silent {
            return Ok(());
        }
        let opens = self.world.connectors.get(connection).map(|connector| connector.limit().ready_at(self.now)).filter(|at| *at > self.now);
        let (kind, message) = match opens {
            Some(at) => ("budget", format!("its rate limit is used up until {at}; its reads and writes wait")),
            None => ("connection", format!("no call has been answered for {}; its reads and writes wait", words(steady - since))),
        };
        self.tell(kind, cause_of(connection), connection, message, changes)
    }

    // ---- polls ----

    /// What a flow reads cannot be read: told until a page of it comes.
    pub(super) fn cannot_read(&mut self, at: usize, message: String) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let mut changes = Vec::new();
        // A connection that is told of already is the cause of it.
        if !self.lasts(&cause_of(&flow.source.connection)) {
            self.tell("connection", reading(&flow.name), &flow.source.connection, message, &mut changes)?;
        }
        self.keep(&changes)
    }

    /// What a flow's look-ups ask is refused, or gets no answer again and again: it is told, and its records wait. `subject`: the flow, or
    /// the record.
    pub(super) fn cannot_look_up(&mut self, at: usize, subject: &str, message: String) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        self.failures.insert(message.clone());
        let mut changes = Vec::new();
        let cause = looking_up(&flow.name);
        let is_told = self.alerts.get(&cause).is_some_and(|alert| self.lasts(&cause) && alert.subjects.iter().any(|told| told == subject));
        if !is_told {
            self.raise(
                Raise { cause, kind: "cannot_look_up", subject: subject.to_owned(), message, lasting: true, ..Raise::default() },
                &mut changes,
            )?;
        }
        self.keep(&changes)
    }

    /// The look-ups of a flow are answered.
    pub(super) fn can_look_up(&mut self, at: usize) -> StoreResult<()> {
        let flow = &self.flow(at).0.name;
        let cause = looking_up(flow);
        if !self.lasts(&cause) || self.waits_for_reads(flow) {
            return Ok(());
        }
        let mut changes = Vec::new();
        self.resolve(&cause, &mut changes);
        self.keep(&changes)
    }

    /// A page of a flow's source has come.
    pub(super) fn can_read(&mut self, at: usize, changes: &mut Vec<Change>) {
        let (flow, _) = self.flow(at);
        self.resolve(&reading(&flow.name), changes);
    }

    /// How much later than its schedule a flow is, while nothing of its poll comes.
    fn lag(&self, at: usize) -> Millis {
        let state = &self.flows[at];
        if !state.on || self.settings.once {
            return 0;
        }
        let still = self.steady() - state.progress;
        let due = state.last.map_or(still, |last| self.millis() - self.next_poll(at, Some(last)));
        // A poll that waits for its records to be mapped comes further by those.
        let mapped = if state.backlog > 0 { self.dog.moved.map_or(Millis::MAX, |moved| self.steady() - moved) } else { Millis::MAX };
        due.min(still).min(mapped).max(0)
    }

    fn look_at_poll(&mut self, at: usize, changes: &mut Vec<Change>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let cause = format!("poll {}", flow.name);
        let lag = self.lag(at);
        if lag < LATE_POLL {
            self.resolve(&cause, changes);
        } else if !self.lasts(&cause_of(&flow.source.connection)) && !self.lasts(&reading(&flow.name)) {
            let message = format!("`{}` should have been polled {} ago", flow.name, words(lag));
            self.tell("poll", cause, &flow.name, message, changes)?;
        }
        Ok(())
    }

    // ---- writes and records ----

    fn unresolved(&self) -> impl Iterator<Item = &super::open_entries::OpenEntry> {
        self.open_entries.all().filter(|entry| {
            matches!(entry.state, EntryState::Sending | EntryState::Ambiguous) || (entry.state == EntryState::Planned && entry.doubted.is_some())
        })
    }

    fn look_at_writes(&mut self, changes: &mut Vec<Change>) -> StoreResult<()> {
        let now = self.millis();
        let overdue = self.unresolved().filter(|entry| entry.due.max(entry.sent.unwrap_or(0)) + UNRESOLVED < now);
        let mut late: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        overdue.for_each(|entry| *late.entry(entry.lot.connection.clone()).or_default() += 1);
        let connections: Vec<String> = self.connections.keys().cloned().collect();
        for connection in connections {
            let cause = format!("writes {connection}");
            match late.get(&connection) {
                None => self.resolve(&cause, changes),
                Some(_) if self.lasts(&cause_of(&connection)) => {}
                Some(count) => {
                    let message = format!("the outcome of {count} writes should have been known {} ago", words(UNRESOLVED));
                    self.tell("write", cause, &connection, message, changes)?;
                }
            }
        }
        Ok(())
    }

    fn look_at_work(&mut self, changes: &mut Vec<Change>) -> StoreResult<()> {
        const CAUSE: &str = "stalled";
        let steady = self.steady();
        let work = self.flows.iter().any(|flow| flow.on && (flow.map || flow.fetch)) || self.ready.values().any(|ready| !ready.is_empty());
        if !work {
            self.dog.moved = Some(steady);
        }
        let still = steady - *self.dog.moved.get_or_insert(steady);
        let explained = !self.lasting(CONNECTION).is_empty();
        if still < STALLED {
            self.resolve(CAUSE, changes);
        } else if !explained {
            self.tell("stalled", CAUSE.to_owned(), "crossdock", format!("there is work, and there was no progress for {}", words(still)), changes)?;
        }
        Ok(())
    }

    // ---- what is seen from outside ----

    fn seen(&self) -> StoreResult<Alive> {
        let (now, steady) = (self.millis(), self.steady());
        let wall = |at: Millis| now - (steady - at);
        let mut troubles: Vec<String> = Vec::new();
        let watched = [CONNECTION, READING, LOOKING_UP, "poll ", "writes ", "stalled"];
        for alert in self.alerts.values().filter(|alert| alert.closed.is_none() && alert.lasting) {
            if watched.iter().any(|beginning| alert.cause.starts_with(beginning)) {
                troubles.push(format!("{}: {}", alert.subjects.join(", "), alert.message));
            }
        }
        let (alerts_undelivered, oldest_undelivered) = self.untold();
        if oldest_undelivered.is_some_and(|oldest| oldest + UNTOLD < now) {
            troubles.push(format!("{alerts_undelivered} alerts could not be delivered for {}", words(now - oldest_undelivered.unwrap_or(now))));
        }
        let flow = |at: usize| {
            let state = &self.flows[at];
            FlowAlive {
                flow: self.flow(at).0.name.clone(),
                last_poll: state.last,
                next_poll: state.next,
                lag: self.lag(at),
                polling: state.streams.iter().any(super::poll::StreamState::running),
            }
        };
        let connection = |(name, line): (&String, &super::connection_health::ConnectionHealth)| ConnectionAlive {
            connection: name.clone(),
            last_success: line.succeeded.map(wall),
            failing_since: line.failing.map(wall),
            trouble: line.trouble.as_ref().map(|(trouble, _)| trouble.word().to_owned()),
        };
        Ok(Alive {
            at: now,
            flows: (0..self.flows.len()).filter(|at| self.flows[*at].on).map(flow).collect(),
            connections: self.connections.iter().map(connection).collect(),
            oldest_waiting: oldest_waiting(&*self.store)?,
            oldest_unresolved: self.unresolved().filter_map(|entry| entry.sent).min(),
            alerts_undelivered,
            oldest_undelivered,
            troubles,
        })
    }

    // ---- a run that is to end ----

    /// Whether a run does not wait for a connection any more.
    pub(super) fn given_up(&self, connection: &str) -> bool {
        self.connections.get(connection).is_some_and(|line| line.given_up)
    }

    /// The connections that a run waits for, and why.
    pub fn waits_for(&self) -> Vec<String> {
        let steady = self.steady();
        let failing = self.connections.iter().filter(|(_, line)| !line.given_up && line.failing.is_some_and(|since| steady - since >= WAITED));
        failing.filter_map(|(name, line)| Some(format!("{name} is waited for: {}", line.trouble.as_ref()?.1))).collect()
    }

    fn give_up_what_is_down(&mut self) {
        let (now, steady) = (self.millis(), self.steady());
        let hopeless = |line: &super::connection_health::ConnectionHealth| {
            let failing = line.failing.map_or(0, |since| steady - since);
            match line.trouble {
                Some((Trouble::Denied, _)) => line.failures >= 2 || failing >= PATIENCE,
                Some((Trouble::Down, _)) => failing >= PATIENCE,
                Some((Trouble::Throttled, _)) => failing >= LIMIT_PATIENCE || line.paused > now + LIMIT_PATIENCE,
                None => false,
            }
        };
        let down: Vec<String> = self.connections.iter().filter(|(_, line)| !line.given_up && hopeless(line)).map(|(name, _)| name.clone()).collect();
        for connection in down {
            let Some(line) = self.connections.get_mut(&connection) else { continue };
            line.given_up = true;
            let (what, reason) = match &line.trouble {
                Some((Trouble::Denied, reason)) => ("refuses the sign-in", reason.clone()),
                Some((Trouble::Throttled, reason)) => ("has no calls left", reason.clone()),
                Some((Trouble::Down, reason)) => ("cannot be reached", reason.clone()),
                None => continue,
            };
            self.failures.insert(format!("{connection} {what}: {reason}; the rest waits for the next run"));
            for (_, job) in self.pending_calls.remove(&connection).into_iter().flatten() {
                self.dropped(&job);
            }
        }
    }

    /// A call that is not made in this run. What it was for stays in the store as it is.
    pub(super) fn dropped(&mut self, job: &Job) {
        if let Job::Poll { flow, stream, .. } = job {
            self.flows[*flow].streams[*stream].give_up();
            self.flows[*flow].poll = None;
        }
    }
}

fn oldest_waiting(store: &dyn Store) -> StoreResult<Option<Millis>> {
    Ok([store.oldest_in(RecordStage::Waiting)?, store.oldest_in(RecordStage::Fetch)?].into_iter().flatten().min())
}

const CONNECTION: &str = "connection ";
const READING: &str = "read ";

pub(super) fn cause_of(connection: &str) -> String {
    format!("{CONNECTION}{connection}")
}

const LOOKING_UP: &str = "look up ";

pub(super) fn looking_up(flow: &str) -> String {
    format!("{LOOKING_UP}{flow}")
}

fn reading(flow: &str) -> String {
    format!("{READING}{flow}")
}
