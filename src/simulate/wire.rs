//! The way to the two systems: the sandboxes behind a network that fails, and the connectors over it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::sides::Sides;
use super::time::Virtual;
use crate::connector::{Connectors, registry};
use crate::http::{Broken, Clock, Request, Response, Transport};
use crate::sandbox::faults::{Faulty, Seen};

pub(super) type Shared = Arc<Mutex<Faulty>>;

pub(super) fn locked(system: &Shared) -> std::sync::MutexGuard<'_, Faulty> {
    system.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries requests to the sandboxes, at the true time.
pub(super) struct Wire {
    pub(super) clock: Virtual,
    pub(super) sides: Sides,
    /// Where orders come from: Salesforce, commercetools.
    pub(super) crm: Shared,
    /// Where they are packed: ShipStation, ShipHero.
    pub(super) wms: Shared,
    /// The secrets that webhooks are signed with, with spaces between.
    hooks: String,
    /// What went over it, for the trace.
    pub(super) seen: Mutex<Sha256>,
}

impl Wire {
    /// The way to two systems, which tell this program of what happens from now on.
    pub(super) fn new(clock: Virtual, sides: Sides, crm: Shared, wms: Shared, now: Timestamp) -> Self {
        let hooks = sides.subscribe(&wms, now);
        Wire { clock, sides, crm, wms, hooks, seen: Mutex::new(Sha256::new()) }
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let system = match self.sides.is_commerce(&host) {
            Some(true) => &self.crm,
            Some(false) => &self.wms,
            None => return Err(Broken::NotSent(format!("{host} is no host here"))),
        };
        let now = self.clock.truth();
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.update(format!("{now} {} {}\n", request.method(), request.uri()));
            seen.update(request.body());
        }
        let answer = locked(system).receive(request, now);
        match answer {
            Seen::Answer { response, after } => {
                self.clock.until(now.saturating_add(after).unwrap_or(now)).await;
                Ok(response)
            }
            Seen::Nothing { after } => {
                self.clock.until(now.saturating_add(after).unwrap_or(now)).await;
                Err(Broken::Lost("the connection was lost".to_owned()))
            }
        }
    }
}

/// Waits for a future that needs nothing but time.
pub(super) fn finish<T>(clock: &Virtual, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
        clock.set(clock.next()?);
    }
}

/// Connectors as they are configured now; `secret` is that of the commerce side.
pub(super) fn connectors(wire: &Arc<Wire>, clock: &Virtual, secret: &str) -> Connectors {
    let mut all = Connectors::new();
    for settings in wire.sides.connections(secret, &wire.hooks) {
        let transport: Arc<dyn Transport> = Arc::clone(wire) as Arc<dyn Transport>;
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        if let Ok(connector) = registry::open(&settings, transport, clock) {
            all.insert(settings.name.clone(), connector);
        }
    }
    all
}
