//! The HTTP server: webhooks, health, metrics.
//!
//! It listens on loopback, unless a token is set and a proxy provides TLS. Webhooks are received at `/hook/<connection>/<secret>`.
//! ShipStation V1 signs nothing, so the secret in the path is the only thing that a stranger cannot know: it is compared in constant
//! time and never logged. A webhook is parsed as untrusted input, stored durably in the inbox, and answered. The record that it points
//! to is read later, from an address built of known parts.

mod guard;
pub mod hooks;
mod metrics;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use axum::routing::get;
use tokio::sync::oneshot;

use guard::Guard;
pub use metrics::Seen;

use crate::base::bounds::{DOOR_BODY, DOOR_BODY_TIME};
use crate::connector::{Connectors, WebhookReply, WebhookRequest};
use crate::http::Secret;
use crate::http::server::Bounds;
use crate::run::live::{Door, Message};

/// How long a webhook is remembered, so that the same one again is answered and changes nothing.
const REMEMBERED: usize = 10_000;

/// What the server answers from.
#[derive(Clone)]
pub struct Shared {
    pub door: Door,
    pub connectors: Connectors,
    /// By connection: the secret part of its hooks' path.
    pub secrets: BTreeMap<String, Secret>,
    /// Where other than loopback is listened on: what every request but webhooks has to bring.
    pub token: Option<Secret>,
    pub seen: Arc<Mutex<Seen>>,
    pub counts: Arc<Counts>,
}

/// What came in.
#[derive(Debug, Default)]
pub struct Counts {
    pub taken: AtomicU64,
    pub refused: AtomicU64,
    remembered: Mutex<std::collections::VecDeque<u64>>,
}

/// Serves until the process ends.
///
/// # Errors
/// The listener has no address.
pub async fn serve(listener: tokio::net::TcpListener, shared: Shared) -> std::io::Result<()> {
    let guard = Guard { listened: listener.local_addr()?, token: shared.token.clone() };
    let router = Router::new()
        .route("/hook/{connection}/{secret}", get(hook).post(hook))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics_page))
        .with_state(shared)
        .layer(axum::middleware::from_fn_with_state(Arc::new(guard), guard::check));
    crate::http::server::serve(listener, router, Bounds::of_door()).await;
    Ok(())
}

/// Whether an address may be listened on: loopback always, others only with a token.
///
/// # Errors
/// Why not, in one sentence.
pub fn may_listen(address: SocketAddr, token: bool, behind_tls: bool) -> Result<(), String> {
    if address.ip().is_loopback() || (token && behind_tls) {
        return Ok(());
    }
    Err(format!("{address} can be reached from other machines: set CROSSDOCK_TOKEN, put a proxy with TLS in front, and add --behind-tls"))
}

type Answer = axum::response::Response;

fn refuse(shared: &Shared, status: http::StatusCode, why: &str) -> Answer {
    shared.counts.refused.fetch_add(1, Ordering::Relaxed);
    tracing::warn!("a webhook was refused: {why}");
    (status, "refused").into_response()
}

async fn hook(State(shared): State<Shared>, Path((connection, secret)): Path<(String, String)>, request: axum::extract::Request) -> Answer {
    let known = shared.secrets.get(&connection).is_some_and(|expected| expected.is(&secret));
    if !known {
        // As if there were nothing here: who guesses learns nothing.
        return refuse(&shared, http::StatusCode::NOT_FOUND, "its path is unknown");
    }
    let (parts, body) = request.into_parts();
    let long = parts.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if long.is_some_and(|long| long > DOOR_BODY) {
        return refuse(&shared, http::StatusCode::PAYLOAD_TOO_LARGE, "it is too long");
    }
    let body = tokio::time::timeout(DOOR_BODY_TIME, axum::body::to_bytes(body, DOOR_BODY)).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refuse(&shared, http::StatusCode::PAYLOAD_TOO_LARGE, "it is too long, or is incomplete"),
        Err(_) => return refuse(&shared, http::StatusCode::REQUEST_TIMEOUT, "it took longer than 10 seconds"),
    };
    let Some(connector) = shared.connectors.get(&connection) else {
        return refuse(&shared, http::StatusCode::NOT_FOUND, "its connection does not exist");
    };
    let query = parts.uri.query().unwrap_or_default();
    let asked = WebhookRequest { method: &parts.method, headers: &parts.headers, query, body: &body };
    let hints = match connector.webhook(&asked) {
        Ok(WebhookReply::Hints(hints)) => hints,
        Ok(WebhookReply::Challenge { content_type, body }) => {
            return ([("content-type", content_type), ("x-content-type-options", "nosniff")], body).into_response();
        }
        Err(why) => return refuse(&shared, why.status(), &why.to_string()),
    };
    let mark = mark(&connection, query, &body);
    {
        let mut remembered = shared.counts.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.contains(&mark) {
            tracing::info!(connection, "a webhook was received again");
            return http::StatusCode::OK.into_response();
        }
        remembered.push_back(mark);
        if remembered.len() > REMEMBERED {
            remembered.pop_front();
        }
    }
    let (kept, told) = oneshot::channel();
    if shared.door.send(Message::Hints { connection: connection.clone(), hints, kept }).is_err() {
        return (http::StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    match tokio::time::timeout(Duration::from_secs(10), told).await {
        Ok(Ok(true)) => {
            shared.counts.taken.fetch_add(1, Ordering::Relaxed);
            http::StatusCode::OK.into_response()
        }
        // It is not durable: the sender is to try again, and the next poll finds it all the same.
        _ => {
            shared.counts.remembered.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| *known != mark);
            (http::StatusCode::SERVICE_UNAVAILABLE, "not kept").into_response()
        }
    }
}

fn mark(connection: &str, query: &str, body: &[u8]) -> u64 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::new().chain_update(connection).chain_update([0]).chain_update(query).chain_update([0]).chain_update(body).finalize();
    u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

/// An engine that has not taken a step for so long hangs: `/health` says so, and whoever restarts processes by it does.
const HANGS: Duration = Duration::from_secs(120);
/// An engine that has not taken a step for so long is not ready.
const STILL: Duration = Duration::from_secs(30);

/// Whether the process is alive: its engine takes steps.
async fn health(State(shared): State<Shared>) -> Answer {
    let still = shared.seen.lock().unwrap_or_else(PoisonError::into_inner).still();
    match still {
        Some(still) if still > HANGS => {
            (http::StatusCode::SERVICE_UNAVAILABLE, format!("the engine has done nothing for {} seconds\n", still.as_secs())).into_response()
        }
        _ => "ok".into_response(),
    }
}

/// Whether it does its work: 503 with the reasons where it does not.
async fn ready(State(shared): State<Shared>) -> Answer {
    let seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let moving = seen.still().is_some_and(|still| still <= STILL);
    let mut reasons = seen.alive.troubles.clone();
    if !moving {
        reasons.push(match seen.still() {
            Some(still) => format!("the engine has done nothing for {} seconds", still.as_secs()),
            None => "the engine has not started".to_owned(),
        });
    }
    let status = if reasons.is_empty() { http::StatusCode::OK } else { http::StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "ready": reasons.is_empty(), "moving": moving, "reasons": reasons, "exceptions": seen.exceptions, "calls": seen.calls,
        "flows": seen.alive.flows, "connections": seen.alive.connections,
    });
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn metrics_page(State(shared): State<Shared>) -> Answer {
    let seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let text = seen.exposition(shared.counts.taken.load(Ordering::Relaxed), shared.counts.refused.load(Ordering::Relaxed));
    axum::response::Response::builder().header("content-type", "text/plain; version=0.0.4").body(Body::from(text)).unwrap_or_default()
}
