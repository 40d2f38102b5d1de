//! The driver: turns the engine on real time, with real connectors.
//!
//! The engine runs on the thread that calls [`drive`]; effects are carried out on the runtime's threads and
//! come back through a channel. Nothing is decided here.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::alerts::Alerts;
use super::carry::Carrier;
use crate::connector::Hint;
use crate::engine::queue::{Answer, Signed};
use crate::engine::{Engine, Reply};
use crate::store::{Kept, StoreFault};

/// What reaches a running engine from outside.
pub enum Message {
    Reply(Box<Reply>),
    /// A webhook that was read: it is answered when it is durable.
    Hint {
        connection: String,
        hint: Hint,
        kept: oneshot::Sender<bool>,
    },
    Decide {
        signed: Signed,
        answer: oneshot::Sender<Answer>,
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

/// Runs the engine until it is done (in a run that is to end), or until it is stopped.
///
/// # Errors
/// The store refused; nothing that was promised is lost by it.
pub fn drive(
    engine: &mut Engine<'_>,
    carrier: &Carrier,
    handle: &Handle,
    doors: (&Door, &Receiver<Message>),
    alerts: &Alerts,
    once: bool,
    seen: &mut dyn FnMut(&Engine<'_>),
) -> Kept<()> {
    let (door, listen) = doors;
    let mut messages: Vec<Message> = Vec::new();
    let mut stop_by: Option<std::time::Instant> = None;
    loop {
        let mut replies = Vec::new();
        for message in messages.drain(..).chain(listen.try_iter()) {
            match message {
                Message::Reply(reply) => replies.push(*reply),
                Message::Hint { connection, hint, kept } => {
                    let body = serde_json::to_value(&hint).unwrap_or_default();
                    let now = carrier.clock.now().as_millisecond();
                    let done = engine.store_mut().hint(&connection, &hint.event, &body, now);
                    // Whoever asked may have gone: it is durable all the same.
                    let _ = kept.send(done.is_ok());
                    done?;
                }
                Message::Decide { signed, answer } => {
                    let _ = answer.send(engine.decide(&signed.decision, &signed.signature)?);
                }
                Message::Stop => {
                    engine.stop();
                    stop_by.get_or_insert_with(|| std::time::Instant::now() + GRACE);
                }
            }
        }
        let step = engine.step(replies, carrier.clock.now())?;
        for effect in step.effects {
            let (carrier, door) = (carrier.clone(), door.clone());
            handle.spawn(async move {
                let reply = carrier.carry(effect).await;
                // An engine that has ended takes it up at its next start.
                let _ = door.send(Message::Reply(Box::new(reply)));
            });
        }
        for alert in step.alerts {
            let alerts = alerts.clone();
            handle.spawn(async move { alerts.tell(&alert).await });
        }
        seen(engine);
        let ended = match stop_by {
            Some(by) => engine.quiet() || std::time::Instant::now() >= by,
            None => once && engine.done(),
        };
        if ended {
            return Ok(());
        }
        let now = carrier.clock.now();
        let wait = step.wake.map_or(Duration::from_millis(500), |wake| until(now, wake)).min(Duration::from_millis(500));
        match listen.recv_timeout(wait) {
            Ok(message) => messages.push(message),
            Err(RecvTimeoutError::Timeout) => {}
            // This thread holds a sender itself.
            Err(RecvTimeoutError::Disconnected) => return Err(StoreFault::Io("the driver's channel is closed".into())),
        }
    }
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    then.duration_since(now).try_into().unwrap_or(Duration::ZERO)
}
