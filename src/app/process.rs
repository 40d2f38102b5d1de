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

/// The name that the person at this terminal is known by: their own, also where they run the command as another user by `sudo`.
pub fn login() -> Option<String> {
    login_by(&variable)
}

fn login_by(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    ["SUDO_USER", "LOGNAME", "USER", "USERNAME"].into_iter().filter_map(variable).find(|name| !name.trim().is_empty())
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

/// Requests to end the process: Ctrl-C, or SIGTERM. From when this is made, none of them ends the process by itself.
pub struct StopRequests {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(not(unix))]
    interrupt: tokio::signal::windows::CtrlC,
}

impl StopRequests {
    /// Receives them from now on.
    ///
    /// # Errors
    /// The machine lets no signal be handled.
    pub fn receive(runtime: &tokio::runtime::Runtime) -> Result<Self, Failure> {
        // A handler belongs to the runtime that it is made in.
        let _within = runtime.enter();
        let refused = |error: std::io::Error| Failure::io(format!("signals cannot be handled: {error}"));
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let of = |kind| signal(kind).map_err(refused);
            Ok(StopRequests { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
        }
        #[cfg(not(unix))]
        Ok(StopRequests { interrupt: tokio::signal::windows::ctrl_c().map_err(refused)? })
    }

    /// Waits for the next one. `false`: none can come any more.
    pub async fn next(&mut self) -> bool {
        #[cfg(unix)]
        {
            tokio::select! {
                asked = self.terminate.recv() => asked.is_some(),
                asked = self.interrupt.recv() => asked.is_some(),
            }
        }
        #[cfg(not(unix))]
        {
            self.interrupt.recv().await.is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_command_is_named_and_not_the_user_that_it_runs_as() {
        let by = |known: &[(&str, &str)]| login_by(&|name| known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()));
        assert_eq!(by(&[("USER", "crossdock"), ("LOGNAME", "crossdock"), ("SUDO_USER", "ada")]).as_deref(), Some("ada"));
        assert_eq!(by(&[("USER", "ada")]).as_deref(), Some("ada"));
        assert_eq!(by(&[("SUDO_USER", " "), ("LOGNAME", ""), ("USERNAME", "grace")]).as_deref(), Some("grace"));
        assert_eq!(by(&[]), None);
    }
}
