//! The systems on loopback: each on a port of its own, with a control API beside the vendor's.
//!
//! `/__sandbox/` is the control: `GET effects`, `GET state`, `POST act`, `POST faults`. It is answered on loopback only,
//! and only to requests whose Host is the address that is listened on, so that no web page of elsewhere can reach it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Act;
use super::faults::{Faults, Faulty, Seen};
use crate::http::server::Bounds;
use crate::http::{Clock, Transport, caller};
use crate::value::Json;

/// The longest request that is read, in bytes.
const LONGEST: usize = 32 << 20;

/// Idle connections stay longer than our own client keeps them, so that none is closed under a request.
const BOUNDS: Bounds = Bounds { connections: 512, head_time: Duration::from_secs(120), life: None };

/// A system that is being served. Dropped, it is gone.
pub struct Running {
    /// `http://127.0.0.1:8461`
    pub url: String,
    pub system: Arc<Mutex<Faulty>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Running {
    /// The system, to look at or to act on.
    pub fn locked(&self) -> MutexGuard<'_, Faulty> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port on loopback; 0 for any.
///
/// # Errors
/// The port is taken.
pub async fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

#[derive(Clone)]
struct Shared {
    listened: Option<SocketAddr>,
    system: Arc<Mutex<Faulty>>,
    clock: Arc<dyn Clock>,
}

/// Serves a system until the result is dropped. Webhooks go out by `transport`.
pub fn serve(listener: TcpListener, url: String, faulty: Faulty, clock: Arc<dyn Clock>, transport: Arc<dyn Transport>) -> Running {
    let system = Arc::new(Mutex::new(faulty));
    let shared = Shared { listened: listener.local_addr().ok(), system: Arc::clone(&system), clock: Arc::clone(&clock) };
    let router = Router::new().fallback(answer).with_state(shared);
    let served = tokio::spawn(async move {
        crate::http::server::serve(listener, router, BOUNDS).await;
    });
    let ticked = tokio::spawn(tick(Arc::clone(&system), clock, transport));
    Running { url, system, tasks: vec![served, ticked] }
}

/// Carries out what arrives late, and delivers webhooks.
async fn tick(system: Arc<Mutex<Faulty>>, clock: Arc<dyn Clock>, transport: Arc<dyn Transport>) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = clock.now();
        let due = {
            let mut faulty = system.lock().unwrap_or_else(PoisonError::into_inner);
            faulty.tick(now);
            faulty.deliveries(now)
        };
        for delivery in due {
            let mut request = http::Request::post(&delivery.url);
            for (name, value) in &delivery.headers {
                request = request.header(name, value);
            }
            if let Ok(request) = request.body(Bytes::from(delivery.body)) {
                let transport = Arc::clone(&transport);
                // The vendor does not wait for whoever listens.
                tokio::spawn(async move {
                    let _ = transport.send(request).await;
                });
            }
        }
    }
}

async fn answer(State(shared): State<Shared>, request: axum::extract::Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST).await else {
        return (http::StatusCode::PAYLOAD_TOO_LARGE, "the request is too long").into_response();
    };
    let request = http::Request::from_parts(parts, body);
    if let Some(what) = request.uri().path().strip_prefix("/__sandbox/") {
        return control(&shared, what, &request);
    }
    let now = shared.clock.now();
    let seen = shared.system.lock().unwrap_or_else(PoisonError::into_inner).receive(request, now);
    match seen {
        Seen::Answer { response, after } => {
            // What every answer takes is the network's own here.
            if after > jiff::SignedDuration::from_millis(50) {
                tokio::time::sleep(after.try_into().unwrap_or_default()).await;
            }
            response.map(Body::from)
        }
        Seen::Nothing { after } => {
            tokio::time::sleep(Duration::try_from(after).unwrap_or_default().min(Duration::from_secs(2))).await;
            // A body that breaks off: the connection is closed in the middle of the answer.
            let broken = futures::stream::once(async { Err::<Bytes, io::Error>(io::Error::from(io::ErrorKind::ConnectionReset)) });
            axum::response::Response::new(Body::from_stream(broken))
        }
    }
}

fn control(shared: &Shared, what: &str, request: &http::Request<Bytes>) -> axum::response::Response {
    if caller::from_a_page(request.headers()) || !shared.listened.is_some_and(|ours| caller::names_us(ours, request.uri(), request.headers())) {
        return (http::StatusCode::FORBIDDEN, "the sandbox is controlled from this machine only").into_response();
    }
    let now = shared.clock.now();
    let mut faulty = shared.system.lock().unwrap_or_else(PoisonError::into_inner);
    let done: Result<Json, String> = match (request.method().as_str(), what) {
        ("GET", "effects") => serde_json::to_value(faulty.system.effects()).map_err(|error| error.to_string()),
        ("GET", "state") => Ok(serde_json::json!({
            "system": faulty.system.name(), "calls": faulty.system.calls(), "effects": faulty.system.effects().len(), "complaints": faulty.system.protocol_violations(),
        })),
        ("POST", "act") => {
            serde_json::from_slice::<Act>(request.body()).map_err(|error| error.to_string()).and_then(|act| faulty.system.act(&act, now))
        }
        ("POST", "faults") => {
            serde_json::from_slice::<Faults>(request.body()).map_err(|error| error.to_string()).and_then(Faults::checked).map(|faults| {
                faulty.kit.set(faults);
                serde_json::to_value(faults).unwrap_or_default()
            })
        }
        _ => Err(format!("there is no {what}: effects, state, act, faults")),
    };
    match done {
        Ok(json) => ([("content-type", "application/json")], json.to_string()).into_response(),
        Err(why) => {
            (http::StatusCode::BAD_REQUEST, [("content-type", "application/json")], serde_json::json!({"message": why}).to_string()).into_response()
        }
    }
}
