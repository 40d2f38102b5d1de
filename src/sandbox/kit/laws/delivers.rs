//! `delivers`: who asked for an event is told of it, once. What the network then does is the fault kit's matter.

use std::collections::VecDeque;

/// A webhook that is to go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent<T> {
    pub to: T,
    pub event: String,
    pub body: Vec<u8>,
    /// What tells this one from its doubles.
    pub number: u64,
}

/// Webhooks on their way.
#[derive(Debug, Clone)]
pub struct Outbox<T> {
    events: Vec<String>,
    waiting: VecDeque<Sent<T>>,
    number: u64,
}

impl<T: Clone> Outbox<T> {
    /// `events` are those that the system has.
    pub fn new(events: &[String]) -> Self {
        Outbox { events: events.to_vec(), waiting: VecDeque::new(), number: 0 }
    }

    pub fn knows(&self, event: &str) -> bool {
        self.events.iter().any(|known| known == event)
    }

    /// Tells each of those who asked for an event.
    pub fn tell(&mut self, event: &str, body: &[u8], to: impl IntoIterator<Item = T>) {
        if !self.knows(event) {
            return;
        }
        for to in to {
            self.number += 1;
            self.waiting.push_back(Sent { to, event: event.to_owned(), body: body.to_vec(), number: self.number });
        }
    }

    /// What goes out now.
    pub fn take(&mut self) -> Vec<Sent<T>> {
        self.waiting.drain(..).collect()
    }
}
