//! Holds the snapshots against their systems while a project runs, by a schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::run_connected::schedule_in;
use super::{Context, Failure, LoadedProject};
use crate::connector::Connectors;
use crate::engine::{Raise, next_run};
use crate::ir::Schedule;
use crate::plan::uses;
use crate::project::Keeper;
use crate::run::live::{Door, Message};
use crate::run::schemas;

/// In milliseconds.
const A_DAY: i64 = 86_400_000;

/// How often the snapshots are held against their systems: once a day, where the project says nothing else; never, where
/// it says `off`.
///
/// # Errors
/// The setting is no schedule.
pub fn schedule_of(project: &LoadedProject) -> Result<Option<Schedule>, Failure> {
    let config = &project.compiled.config;
    match &config.schema_drift {
        None => Ok(Some(Schedule::Every(A_DAY))),
        Some(said) if said.text == "off" => Ok(None),
        Some(said) => schedule_in("schema_drift", said, &config.zone).map(Some),
    }
}

/// Holds the snapshots against their systems by a schedule, first at the start, and alerts of what touches the
/// mapping. The same is told once. A thread of its own: it shares nothing with the engine but the limits.
///
/// # Errors
/// The machine gives no thread.
pub fn start(context: &Context, schedule: Schedule, connectors: Connectors, door: Door, handle: tokio::runtime::Handle) -> Result<(), Failure> {
    let project = &context.project;
    let uses = uses(project.plan()?);
    let (folder, config, sources) = (project.folder().clone(), project.compiled.config.clone(), project.compiled.sources.clone());
    let look = move || {
        let mut told: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let now = jiff::Timestamp::now().as_millisecond();
            let (found, faults) = {
                // Read anew each time: somebody may have pulled meanwhile.
                let keeper = Keeper::new(&folder, &config, &sources);
                handle.block_on(schemas::watch(&connectors, &keeper, &folder, &uses))
            };
            let all = faults.is_empty();
            for (connection, fault) in faults {
                tracing::warn!(connection, "its schemas could not be compared: {fault}");
            }
            // What was compared and does not differ any more has ended.
            let differs: BTreeMap<String, (String, String)> =
                found.into_iter().map(|(object, message)| (format!("schema {object}"), (object.to_string(), message))).collect();
            let mut alerts: Vec<(Raise, bool)> = Vec::new();
            for (cause, (subject, message)) in &differs {
                if told.get(cause) != Some(message) {
                    let raise = Raise {
                        cause: cause.clone(),
                        kind: "schema",
                        subject: subject.clone(),
                        message: message.clone(),
                        lasting: true,
                        ..Raise::default()
                    };
                    alerts.push((raise, false));
                }
            }
            if all {
                // An earlier process may have told of what has ended since.
                let objects: BTreeSet<String> = uses.iter().map(|used| format!("schema {}", used.object)).collect();
                let ended = objects.into_iter().filter(|cause| !differs.contains_key(cause));
                alerts.extend(ended.map(|cause| (Raise { cause, ..Raise::default() }, true)));
                told.retain(|cause, _| differs.contains_key(cause));
            }
            for (raise, ended) in alerts {
                if !ended {
                    told.insert(raise.cause.clone(), raise.message.clone());
                }
                if door.send(Message::Alert { raise, ended }).is_err() {
                    return;
                }
            }
            let next = next_run(std::slice::from_ref(&schedule), Some(now), now);
            let wait = u64::try_from(next - jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
            std::thread::sleep(Duration::from_millis(wait.max(1_000)));
        }
    };
    let started = std::thread::Builder::new().name("schemas".to_owned()).spawn(look);
    started.map(|_| ()).map_err(|error| Failure::io(format!("no thread could be started: {error}")))
}
