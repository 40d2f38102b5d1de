//! The driver: runs the engine in real time, with real connectors.
//!
//! The engine runs on the thread that calls [`drive`]. Effects are carried out on the runtime's threads, and their results come back
//! through a channel. No decisions are made here.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::alerts::Alerts;
use super::executor::Executor;
use crate::connector::Hint;
use crate::engine::operator_commands::{Answer, Signed};
use crate::engine::{Engine, Polled, Raise, Reply, Told};
use crate::store::{StoreFault, StoreResult};

/// What reaches a running engine from outside.
pub enum Message {
    Reply(Box<Reply>),
    /// A webhook that was read: it is answered when it is durable.
    Hints {
        connection: String,
        hints: Vec<Hint>,
        kept: oneshot::Sender<bool>,
    },
    Decide {
        signed: Signed,
        answer: oneshot::Sender<Answer>,
    },
    /// What became of an alert.
    Told(Told),
    /// Something outside of the engine is to be told, or has ended.
    Alert {
        raise: Raise,
        ended: bool,
    },
    /// To the end of what is out, and no further.
    Stop,
}

/// The way into a running engine.
#[derive(Clone)]
pub struct Door(Sender<Message>);

impl Door {
    /// # Errors
    /// The engine has ended.
    pub fn send(&self, message: Message) -> Result<(), Box<Message>> {
        self.0.send(message).map_err(|refused| Box::new(refused.0))
    }
}

/// A door, and where the engine listens.
pub fn door() -> (Door, Receiver<Message>) {
    let (sender, receiver) = channel();
    (Door(sender), receiver)
}

/// How long a stop waits for what is out. What is left is in doubt, and taken up at the next start.
const GRACE: Duration = Duration::from_secs(30);

/// How a drive has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All that could be done is done.
    Done,
    /// Somebody asked for it before that.
    Stopped,
}

/// Runs the engine until it is done (in a run that is to end), or until it is stopped.
///
/// # Errors
/// The store refused; nothing that was promised is lost by it.
pub fn drive(
    engine: &mut Engine<'_>,
    executor: &Executor,
    handle: &Handle,
    doors: (&Door, &Receiver<Message>),
    alerts: &Alerts,
    once: bool,
    seen: &mut dyn FnMut(&Engine<'_>),
) -> StoreResult<Ended> {
    let (door, listen) = doors;
    let mut messages: Vec<Message> = Vec::new();
    let mut stop_by: Option<std::time::Instant> = None;
    let mut stopped = false;
    loop {
        // Before anything is taken as durable: what goes into a file without a name is lost when this process ends.
        engine.store().is_in_place()?;
        let mut replies = Vec::new();
        for message in messages.drain(..).chain(listen.try_iter()) {
            match message {
                Message::Reply(reply) => replies.push(*reply),
                Message::Hints { connection, hints, kept } => {
                    let now = executor.clock.now().as_millisecond();
                    // Where only some are kept, the sender repeats the webhook: following a hint twice changes nothing.
                    let done = hints.iter().try_for_each(|hint| {
                        let body = serde_json::to_value(hint).unwrap_or_default();
                        engine.store_mut().hint(&connection, &hint.event, &body, now)
                    });
                    // Whoever asked may have gone: it is durable all the same.
                    let _ = kept.send(done.is_ok());
                    done?;
                }
                Message::Decide { signed, answer } => {
                    let _ = answer.send(engine.decide(&signed.decision, &signed.signature)?);
                }
                Message::Told(told) => engine.told(told)?,
                Message::Alert { raise, ended } => engine.note_alert(raise, ended)?,
                Message::Stop => {
                    stopped |= !engine.done();
                    engine.stop();
                    stop_by.get_or_insert_with(|| std::time::Instant::now() + GRACE);
                }
            }
        }
        let step = engine.step(replies, executor.clock.moment())?;
        if !step.effects.is_empty() {
            engine.store().is_in_place()?;
        }
        for effect in step.effects {
            let (executor, door) = (executor.clone(), door.clone());
            handle.spawn(async move {
                let reply = executor.execute(effect).await;
                // An engine that has ended takes it up at its next start.
                let _ = door.send(Message::Reply(Box::new(reply)));
            });
        }
        if !step.alerts.is_empty() {
            let (alerts, door) = (alerts.clone(), door.clone());
            // In their order: a channel takes one at a time anyway.
            handle.spawn(async move {
                for message in step.alerts {
                    let told = alerts.tell(&message).await;
                    // An engine that has ended tells it again at its next start.
                    let _ = door.send(Message::Told(told));
                }
            });
        }
        step.polls.iter().for_each(log);
        seen(engine);
        let ended = match stop_by {
            Some(by) => (engine.quiet() && !engine.telling()) || std::time::Instant::now() >= by,
            None => once && engine.done(),
        };
        if ended {
            engine.last_look()?;
            return Ok(if stopped { Ended::Stopped } else { Ended::Done });
        }
        let most = Duration::from_millis(500);
        let wait = step.wake.map_or(most, |wake| Duration::try_from(wake).unwrap_or(Duration::ZERO)).min(most);
        match listen.recv_timeout(wait) {
            Ok(message) => messages.push(message),
            Err(RecvTimeoutError::Timeout) => {}
            // This thread holds a sender itself.
            Err(RecvTimeoutError::Disconnected) => return Err(StoreFault::Io("the driver's channel is closed".into())),
        }
    }
}

/// One line for each poll.
fn log(poll: &Polled) {
    let Polled { flow, read, new, unchanged, listed, calls, took, failed } = poll;
    match failed {
        None => tracing::info!(flow, read, new, unchanged, listed, calls, took, "polled `{flow}`: {read} read, {new} new, {unchanged} unchanged"),
        Some(why) => tracing::warn!(flow, read, new, unchanged, listed, calls, took, "polled `{flow}` in part: {why}"),
    }
}
