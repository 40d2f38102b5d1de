//! The way to the two systems: the sandboxes behind a network that fails, and the connectors over it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::time::Virtual;
use crate::connector::Connectors;
use crate::connector::registry::{self, Settings as Connection};
use crate::http::{Broken, Clock, Request, Response, Secret, Transport};
use crate::sandbox::faults::{Faulty, Seen};

/// Where the two systems answer.
pub(super) const CRM: &str = "https://crm.salesforce.com";
pub(super) const WMS: &str = "https://ssapi.shipstation.com";
const TRACKING: &str = "https://api.shipstation.com";

pub(super) type Shared = Arc<Mutex<Faulty>>;

pub(super) fn locked(system: &Shared) -> std::sync::MutexGuard<'_, Faulty> {
    system.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries requests to the sandboxes, at the true time.
pub(super) struct Wire {
    pub(super) clock: Virtual,
    pub(super) crm: Shared,
    pub(super) wms: Shared,
    /// What went over it, for the trace.
    pub(super) seen: Mutex<Sha256>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let system = match host.as_str() {
            "crm.salesforce.com" => &self.crm,
            "ssapi.shipstation.com" | "api.shipstation.com" => &self.wms,
            other => return Err(Broken::NotSent(format!("{other} is no host here"))),
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

/// Connectors as they are configured now; `secret` is that of Salesforce.
pub(super) fn connectors(wire: &Arc<Wire>, clock: &Virtual, secret: &str) -> Connectors {
    let connection = |name: &str, system: &str, options: &[(&str, &str)]| Connection {
        name: name.to_owned(),
        system: system.to_owned(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
    };
    let settings = [
        connection("crm", "salesforce", &[("login", CRM), ("client_id", "sandbox"), ("client_secret", secret)]),
        connection("wms", "shipstation", &[("url", WMS), ("api_key", "sandbox"), ("api_secret", "sandbox")]),
        connection("tracking", "shipstation-v2", &[("url", TRACKING), ("api_key", "sandbox")]),
    ];
    let mut all = Connectors::new();
    for settings in settings {
        let transport: Arc<dyn Transport> = Arc::clone(wire) as Arc<dyn Transport>;
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        if let Ok(connector) = registry::open(&settings, transport, clock) {
            all.insert(settings.name.clone(), connector);
        }
    }
    all
}

/// Subscribes this program to what ShipStation tells.
pub(super) fn subscribe(wms: &Shared, now: Timestamp) {
    let first = br#"{"target_url":"https://crossdock.example/hook/wms","event":"SHIP_NOTIFY"}"#;
    let second = br#"{"url":"https://crossdock.example/hook/tracking","event":"track"}"#;
    let first = http::Request::post(format!("{WMS}/webhooks/subscribe")).body(bytes::Bytes::from_static(first));
    let second = http::Request::post(format!("{TRACKING}/v2/environment/webhooks")).body(bytes::Bytes::from_static(second));
    for mut request in [first, second].into_iter().flatten() {
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Basic c2FuZGJveDpzYW5kYm94"));
        request.headers_mut().insert("api-key", http::HeaderValue::from_static("sandbox"));
        locked(wms).system.handle(&request, now);
    }
}
