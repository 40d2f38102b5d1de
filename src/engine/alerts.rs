//! Alerts: messages to people, with an outbox of their own.
//!
//! Alerts are grouped by their **cause** (a connection that is down, the orders that one rule rejects). Each cause is one row of the
//! store, written in the same commit as the event that it reports. A cause sends at most one message a minute, with the number of
//! times that it has happened, and one more when it has ended. Before a message is sent, the time of the next one is made durable: if
//! the process dies in between, the message is sent again, but not within the minute. A channel that fails is retried until it
//! accepts the message.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Engine;
use crate::store::{Alert, Change, Millis, StoreResult};

/// Between two messages of one cause, at least: a minute, and what a message may take on its way.
const APART: Millis = 61_000;
/// How long the first message of a group waits for others of its kind.
const LINGER: Millis = 2_000;
/// Messages that are out at once, at most.
const MOST_OUT: usize = 4;
/// Records that a message names.
const NAMED: usize = 5;
/// Causes that are kept, at most: what goes beyond is told together.
const MOST_CAUSES: usize = 500;
/// The longest text of a record that is kept with a cause, in characters.
const LONGEST: usize = 500;

/// Something happened that somebody should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raise {
    /// What makes alerts one: they are told together, and end together.
    pub cause: String,
    /// `expectation`, `exception`, `connection`, `cannot_look_up`, `budget`, `schema`, `clock`, `poll`, `stalled`, `write`
    pub kind: &'static str,
    /// What people call the record, or the connection.
    pub subject: String,
    /// Masked.
    pub message: String,
    pub owner: Option<String>,
    pub before: Option<Millis>,
    /// It lasts until [`Engine::resolve`]; otherwise it has happened, and that is all.
    pub lasting: bool,
}

/// One message about a cause, as the channels get it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Message {
    /// Names the cause for as long as it lasts: messages of one id are about one thing.
    pub id: i64,
    pub cause: String,
    pub kind: String,
    /// `open` the first time, `update` after that, `resolved` at the end.
    pub status: &'static str,
    pub subject: String,
    /// Masked.
    pub message: String,
    pub owner: Option<String>,
    /// How often it has happened since it began.
    pub count: u64,
    /// When it began. RFC 3339
    pub since: String,
    /// By when somebody has to act. RFC 3339
    pub before: Option<String>,
    /// All of it in one line, as chat tools show it.
    pub text: String,
    /// The channels that have not taken it yet; absent: all.
    #[serde(skip)]
    pub left: Option<Vec<String>>,
}

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub cause: String,
    /// Channels that did not take it.
    pub left: Vec<String>,
    /// None of these can have got it: nothing was sent, so it may go again at once.
    pub unsent: bool,
}

/// When a message is due. Only the first one of a cause waits for others: between two of them is a minute.
fn due_at(alert: &Alert, ahead: Millis) -> Millis {
    if alert.told_at.is_none() { alert.due - ahead } else { alert.due }
}

impl Engine<'_> {
    /// Notes that something happened. It is told once it is durable.
    pub(super) fn raise(&mut self, raise: Raise, changes: &mut Vec<Change>) -> StoreResult<()> {
        let now = self.millis();
        let mut raise = raise;
        if self.alerts.len() >= MOST_CAUSES && !self.alerts.contains_key(&raise.cause) {
            raise.cause = "many".to_owned();
            raise.kind = "exception";
            raise.message = "there are too many causes of alerts to report each one: crossdock queue list".to_owned();
            (raise.owner, raise.lasting) = (None, false);
        }
        raise.message = raise.message.chars().take(LONGEST).collect();
        let id = self.store.next_id()?;
        let linger = if matches!(raise.kind, "exception" | "expectation" | "cannot_look_up" | "write") { LINGER } else { 0 };
        let alert = self.alerts.entry(raise.cause.clone()).or_insert_with(|| Alert::new(id, &raise.cause, now));
        let fresh = alert.count == 0 || alert.closed.is_some();
        if fresh {
            (alert.id, alert.opened, alert.subjects) = (id, now, Vec::new());
            (alert.count, alert.told, alert.closed) = (0, 0, None);
            alert.before = None;
        }
        alert.kind = raise.kind.to_owned();
        alert.lasting = raise.lasting;
        alert.count += 1;
        alert.updated = now;
        alert.message = raise.message;
        alert.owner = raise.owner;
        alert.before = alert.before.into_iter().chain(raise.before).min();
        if alert.subjects.len() < NAMED && !alert.subjects.contains(&raise.subject) {
            alert.subjects.push(raise.subject);
        }
        if fresh || !alert.pending {
            alert.pending = true;
            alert.left = None;
            alert.attempt = 0;
            alert.due = alert.told_at.map_or(now + linger, |told| (told + APART).max(now + linger));
        }
        changes.push(Change::Alert(alert.clone()));
        Ok(())
    }

    /// A cause has ended: that is told too.
    pub(super) fn resolve(&mut self, cause: &str, changes: &mut Vec<Change>) {
        let now = self.millis();
        let Some(alert) = self.alerts.get_mut(cause).filter(|alert| alert.closed.is_none() && alert.lasting) else { return };
        alert.closed = Some(now);
        alert.updated = now;
        alert.pending = true;
        alert.left = None;
        alert.attempt = 0;
        alert.due = alert.told_at.map_or(now, |told| (told + APART).max(now));
        changes.push(Change::Alert(alert.clone()));
    }

    /// Whether a cause lasts.
    pub(super) fn lasts(&self, cause: &str) -> bool {
        self.alerts.get(cause).is_some_and(|alert| alert.closed.is_none() && alert.lasting)
    }

    /// Raises or ends a cause from outside of the engine: what is watched by others.
    ///
    /// # Errors
    /// The store refused.
    pub fn note_alert(&mut self, raise: Raise, ended: bool) -> StoreResult<()> {
        let mut changes = Vec::new();
        if ended {
            self.resolve(&raise.cause, &mut changes);
        } else if self.lasts(&raise.cause) && self.alerts.get(&raise.cause).is_some_and(|known| known.message == raise.message) {
            // An earlier process has told it.
        } else {
            self.raise(raise, &mut changes)?;
        }
        self.keep(&changes)
    }

    /// The messages whose time has come. That they go out now is durable before they do.
    pub(super) fn due_messages(&mut self) -> StoreResult<Vec<Message>> {
        let now = self.millis();
        let ahead = self.lingers_in_vain();
        let mut changes = Vec::new();
        let mut messages = Vec::new();
        let over =
            |alert: &Alert| !alert.pending && (alert.closed.is_some() || !alert.lasting) && alert.told_at.is_none_or(|told| told + APART <= now);
        let gone: Vec<String> = self.alerts.values().filter(|alert| over(alert)).map(|alert| alert.cause.clone()).collect();
        for cause in gone {
            self.alerts.remove(&cause);
            changes.push(Change::DropAlert(cause));
        }
        let mut due: Vec<(Millis, String)> = self
            .alerts
            .values()
            .filter(|alert| alert.pending && due_at(alert, ahead) <= now && !self.telling.contains_key(&alert.cause))
            .map(|alert| (alert.due, alert.cause.clone()))
            .collect();
        due.sort();
        for (_, cause) in due.into_iter().take(MOST_OUT.saturating_sub(self.telling.len())) {
            let Some(alert) = self.alerts.get_mut(&cause) else { continue };
            alert.attempt += 1;
            alert.due = now + APART;
            alert.told_at = Some(now);
            if !self.settings.safety.outbox {
                (alert.told, alert.pending) = (alert.count, false);
            }
            self.telling.insert(cause, (alert.count, alert.closed));
            changes.push(Change::Alert(alert.clone()));
            messages.push(message(alert));
        }
        self.keep(&changes)?;
        Ok(messages)
    }

    /// Learns what came of a message.
    ///
    /// # Errors
    /// The store refused.
    pub fn told(&mut self, told: Told) -> StoreResult<()> {
        let Some((count, closed)) = self.telling.remove(&told.cause) else { return Ok(()) };
        let now = self.millis();
        let Some(alert) = self.alerts.get_mut(&told.cause) else { return Ok(()) };
        let newer = alert.closed != closed;
        if told.left.is_empty() || !self.settings.safety.outbox {
            if alert.left.is_none() && !newer {
                alert.told = count;
            }
            alert.attempt = 0;
            alert.left = None;
            // What happened meanwhile is told in a minute.
            alert.pending = newer || alert.count > alert.told;
            alert.due = alert.told_at.map_or(now, |told| told + APART);
        } else if !newer {
            if alert.left.is_none() {
                alert.told = count;
            }
            // A message that may have come through does not go again within the minute.
            let wait = if told.unsent { (1_000 << alert.attempt.min(6)).min(APART) } else { APART };
            alert.due = now + wait;
            alert.left = Some(told.left);
        }
        let change = Change::Alert(alert.clone());
        self.keep(&[change])
    }

    /// What the store found damaged was put aside with an exception of its own; somebody is told. The name of a row may be
    /// a key, and a key may be personal: the alert says only how many there are and in which tables.
    pub(super) fn tell_damages(&mut self) -> StoreResult<()> {
        let damages = self.store.damages();
        if damages.is_empty() {
            return Ok(());
        }
        let tables: BTreeSet<&str> = damages.iter().map(|damage| damage.table).collect();
        let tables: Vec<&str> = tables.into_iter().collect();
        let rows = if damages.len() == 1 { "1 row".to_owned() } else { format!("{} rows", damages.len()) };
        let message = format!(
            "{rows} of the store (table {}) did not hold what was written there. The records concerned are stopped, all others go on: crossdock queue \
             list --code damaged names them, crossdock store check looks for more",
            tables.join(", ")
        );
        let mut changes = Vec::new();
        let (cause, subject) = ("damaged".to_owned(), "the store".to_owned());
        self.raise(Raise { cause, kind: "damaged", subject, message, ..Raise::default() }, &mut changes)?;
        self.keep(&changes)
    }

    /// Sources that could not be read, in words: such a run is no success.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().map(String::as_str)
    }

    /// Messages are on their way.
    pub fn telling(&self) -> bool {
        !self.telling.is_empty()
    }

    /// Messages that nobody was tried to be told yet, and that soon will be.
    pub(super) fn tells_soon(&self) -> bool {
        !self.telling.is_empty() || self.alerts.values().any(|alert| alert.pending && alert.attempt == 0 && alert.due <= self.millis() + LINGER)
    }

    /// How many causes have a message that not every channel has taken, and since when the oldest waits.
    pub(super) fn untold(&self) -> (u64, Option<Millis>) {
        let waiting = || self.alerts.values().filter(|alert| alert.pending && alert.attempt > 1);
        (waiting().count() as u64, waiting().map(|alert| alert.updated).min())
    }

    /// How much earlier first messages are told: at the end of a run no more of their kind come.
    fn lingers_in_vain(&self) -> Millis {
        if self.settings.once && self.no_more_comes() { LINGER } else { 0 }
    }

    /// When the next message is due.
    pub(super) fn tells_at(&self) -> Option<Millis> {
        if self.telling.len() >= MOST_OUT {
            return None;
        }
        let ahead = self.lingers_in_vain();
        self.alerts.values().filter(|alert| alert.pending && !self.telling.contains_key(&alert.cause)).map(|alert| due_at(alert, ahead)).min()
    }

    /// Moves what waits by as much as the clock was set.
    pub(super) fn move_alerts(&mut self, off: Millis) {
        for alert in self.alerts.values_mut() {
            alert.due += off;
            alert.told_at = alert.told_at.map(|at| at + off);
        }
    }

    /// The causes that last, by their beginning.
    pub(super) fn lasting(&self, beginning: &str) -> BTreeSet<String> {
        let open = self.alerts.values().filter(|alert| alert.closed.is_none() && alert.lasting && alert.cause.starts_with(beginning));
        open.map(|alert| alert.cause.clone()).collect()
    }
}

fn printed(millis: Millis) -> String {
    Timestamp::from_millisecond(millis).map_or_else(|_| "-".to_owned(), |at| at.to_string())
}

fn message(alert: &Alert) -> Message {
    let status = match (alert.closed, alert.told) {
        (Some(_), _) => "resolved",
        (None, 0) => "open",
        (None, _) => "update",
    };
    let named = alert.subjects.join(", ");
    let more = alert.count.saturating_sub(alert.subjects.len() as u64);
    let several = alert.subjects.len() > 1 && more > 0;
    let subject = if several { format!("{named} and {more} more") } else { named };
    let times = if alert.count > 1 { format!(", {} times since {}", alert.count, printed(alert.opened)) } else { String::new() };
    let owner = alert.owner.as_ref().map(|owner| format!(" (owner: {owner})")).unwrap_or_default();
    let before = alert.before.map(|before| format!(", before {}", printed(before))).unwrap_or_default();
    let head = if status == "resolved" { "resolved: " } else { "" };
    Message {
        id: alert.id,
        cause: alert.cause.clone(),
        kind: alert.kind.clone(),
        status,
        text: format!("{head}{}: {subject}: {}{times}{before}{owner}", alert.kind, alert.message),
        subject,
        message: alert.message.clone(),
        owner: alert.owner.clone(),
        count: alert.count,
        since: printed(alert.opened),
        before: alert.before.map(printed),
        left: alert.left.clone(),
    }
}
