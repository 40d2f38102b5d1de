//! `crossdock serve`: runs the flows by schedules and webhooks, until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::project::{context, remark};
use super::{Exit, Failure, Out};
use crate::app::process::variable;
use crate::app::run_connected::{ConnectedRun, open_to_run, run_connected};
use crate::app::schema_watch;
use crate::engine::Settings;
use crate::http::Secret;
use crate::serve::{Counts, Seen, Shared, hooks, may_listen, serve};

const EXAMPLES: &str = "\
Examples:
  crossdock serve
  crossdock serve --env staging --listen 127.0.0.1:9000
  CROSSDOCK_TOKEN=… crossdock serve --listen 0.0.0.0:8460 --behind-tls

Webhooks are received at /hook/<connection>/<secret>. Set the secret in CROSSDOCK_HOOK_<CONNECTION>, with at least 24 \
characters (openssl rand -hex 24). Where a system does not sign its webhooks, the secret is the only protection.

The mapping is read once, at the start. Restart `serve` after an edit. On Ctrl-C or SIGTERM it waits for in-flight requests; \
unresolved ones are resolved at the next start.

Logs go to standard error: as text on a terminal, otherwise as JSON. CROSSDOCK_LOG=debug logs more.";

/// Run the flows by their schedules and by webhooks, until it is stopped
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The address for webhooks, /health, /ready and /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8460")]
    listen: SocketAddr,
    /// Confirm that a proxy with TLS is in front; needed for addresses other than 127.0.0.1
    #[arg(long)]
    behind_tls: bool,
    /// Continue with an older copy of the store, or with a new one after it was lost. Each record is compared with its target
    /// before it is written
    #[arg(long)]
    recover: bool,
    /// Only these flows, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    flow: Vec<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let token = variable("CROSSDOCK_TOKEN").filter(|token| !token.is_empty()).map(Secret::new);
    may_listen(args.listen, token.is_some(), args.behind_tls).map_err(Failure::usage)?;
    logs();
    let context = context(args.path.as_ref(), args.env.as_deref(), out)?;
    let only = context.project.flows_named(&args.flow)?;
    let secrets = hooks::secrets(&context.project)?;
    let (store, recovered) = open_to_run(&context, args.recover, &mut remark(out))?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let counts = Arc::new(Counts::default());
    let (address, watched) = (args.listen, Arc::clone(&seen));
    let settings = Settings { only, seed: u64::from(std::process::id()), recovered, ..Settings::default() };
    let drift = schema_watch::schedule_of(&context.project)?;
    let ran = run_connected(
        &context,
        store,
        ConnectedRun {
            settings,
            rehearsal: None,
            listening: &mut |door, connectors, handle| {
                let listener = handle.block_on(tokio::net::TcpListener::bind(address)).map_err(|error| {
                    Failure::io(format!("{address} cannot be listened on: {error}"))
                        .hint("another process may use it; choose another one: --listen 127.0.0.1:8470")
                })?;
                let bound = listener.local_addr().unwrap_or(address);
                tracing::info!("listening on http://{bound}: /health /ready /metrics, {} webhook paths", secrets.len());
                let shared = Shared {
                    door: door.clone(),
                    connectors: connectors.clone(),
                    secrets: secrets.clone(),
                    token: token.clone(),
                    seen: Arc::clone(&seen),
                    counts: Arc::clone(&counts),
                };
                handle.spawn(async move {
                    if let Err(error) = serve(listener, shared).await {
                        tracing::error!("the listener failed: {error}");
                    }
                });
                if let Some(schedule) = drift.clone() {
                    schema_watch::start(&context, schedule, connectors.clone(), door.clone(), handle.clone())?;
                }
                Ok(())
            },
            seen: &mut |engine| watched.lock().unwrap_or_else(PoisonError::into_inner).look(engine),
        },
        &mut remark(out),
    )?;
    for failure in &ran.failures {
        tracing::error!("{failure}");
    }
    tracing::info!("stopped");
    Ok(Exit::Fine)
}

/// Logs to the standard error: for people on a terminal, as JSON otherwise. The environment can name a level.
fn logs() {
    use std::io::IsTerminal as _;
    let level = variable("CROSSDOCK_LOG").and_then(|level| level.parse().ok()).unwrap_or(tracing::Level::INFO);
    let plain = std::io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).log_internal_errors(false);
    let _ = if plain {
        tracing::subscriber::set_global_default(logs.compact().finish())
    } else {
        tracing::subscriber::set_global_default(logs.json().finish())
    };
}
