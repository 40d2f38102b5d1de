//! What the process provides: environment variables, a clock, the network, threads.

use std::sync::Arc;

use super::Failure;
use crate::base::bounds;
use crate::http::net::Net;
use crate::http::{Clock, SystemClock, Transport};

/// A variable of the environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The name that the person at this terminal is known by.
pub fn login() -> Option<String> {
    ["LOGNAME", "USER", "USERNAME"].into_iter().find_map(variable).filter(|name| !name.trim().is_empty())
}

/// Threads for calls to systems.
///
/// # Errors
/// The machine gives none.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::io(format!("no threads could be started: {error}")))
}

/// The network.
///
/// # Errors
/// The machine's certificates cannot be used.
pub fn transport() -> Result<Arc<dyn Transport>, Failure> {
    let net = Net::new(bounds::CALL_TIME).map_err(|broken| Failure::io(broken.to_string()))?;
    Ok(Arc::new(net))
}

/// The machine's clock.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Waits for the process to be asked to end: Ctrl-C, or SIGTERM.
pub(super) async fn stopped() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut term) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.is_ok() };
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.is_ok(),
            ended = term.recv() => ended.is_some(),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
