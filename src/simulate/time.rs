//! Virtual time: a clock that stands still until everything that can happen has happened, and then jumps.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::http::{Clock, Moment};

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// What the caller's clock shows beside the truth.
    skew: SignedDuration,
    wakes: BTreeSet<Timestamp>,
    /// The steady clock is the wall clock.
    unsteady: bool,
}

/// The one clock of a simulation.
#[derive(Debug, Clone)]
pub struct Virtual(Arc<Mutex<State>>);

impl Virtual {
    pub fn new(start: Timestamp) -> Self {
        Virtual(Arc::new(Mutex::new(State { now: start, skew: SignedDuration::ZERO, wakes: BTreeSet::new(), unsteady: false })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The true time, as the systems have it.
    pub fn truth(&self) -> Timestamp {
        self.state().now
    }

    pub fn set(&self, now: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(now);
        let now = state.now;
        state.wakes.retain(|wake| *wake > now);
    }

    /// Sets the clock of this machine wrong by some time.
    pub fn skew(&self, by: SignedDuration) {
        self.state().skew = by;
    }

    /// From here on the steady clock is the wall clock: the mistake that a simulation has to find.
    pub fn unsteady(&self) {
        self.state().unsteady = true;
    }

    /// The next moment that somebody sleeps for.
    pub fn next(&self) -> Option<Timestamp> {
        self.state().wakes.first().copied()
    }

    /// Nobody waits any more: all sleepers died.
    pub fn forget(&self) {
        self.state().wakes.clear();
    }

    pub fn until(&self, at: Timestamp) -> Sleep {
        Sleep { clock: self.clone(), at }
    }
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let state = self.state();
        state.now.saturating_add(state.skew).unwrap_or(state.now)
    }

    /// The steady clock tells the true time, whatever the wall clock is set to.
    fn moment(&self) -> Moment {
        let steady = if self.state().unsteady { self.now() } else { self.truth() };
        Moment { wall: self.now(), steady: steady.as_millisecond(), boot: Some(1) }
    }

    async fn sleep(&self, time: Duration) {
        let at = self.truth().saturating_add(SignedDuration::try_from(time).unwrap_or(SignedDuration::from_secs(1))).unwrap_or(Timestamp::MAX);
        self.until(at).await;
    }
}

/// Waits for a moment of the true time.
pub struct Sleep {
    clock: Virtual,
    at: Timestamp,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        // Tasks are polled whenever the time has moved, so nobody has to be woken.
        state.wakes.insert(self.at);
        Poll::Pending
    }
}
