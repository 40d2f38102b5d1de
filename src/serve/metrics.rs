//! Metrics in Prometheus' text form.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::engine::{Alive, Engine};
use crate::store::Counts;

/// What the server knows of the engine, as of its last step.
#[derive(Debug, Default)]
pub struct Seen {
    pub at: Option<Instant>,
    pub counts: Counts,
    pub exceptions: u64,
    pub calls: u64,
    pub moved: u64,
    /// By connection: used and in all of the day's budget.
    pub budgets: Vec<(String, u64, u64)>,
    /// By owner and code.
    pub by_owner: Vec<(Option<String>, String, u64)>,
    /// How the engine is doing, as of its last look.
    pub alive: Alive,
    counted: Option<Instant>,
}

impl Seen {
    /// Looks at the engine. Counting is the dearer part, and is done every other second.
    pub fn look(&mut self, engine: &Engine<'_>) {
        self.at = Some(Instant::now());
        self.calls = engine.calls();
        self.moved = engine.moved();
        self.alive.clone_from(engine.alive());
        if self.counted.is_some_and(|at| at.elapsed().as_millis() < 2_000) {
            return;
        }
        self.counted = Some(Instant::now());
        if let Ok(counts) = engine.store().counts() {
            self.counts = counts;
        }
        if let Ok(open) = engine.store().open_exceptions() {
            self.exceptions = open;
        }
        if let Ok(by_owner) = engine.store().open_by_owner() {
            self.by_owner = by_owner;
        }
        let budget = |(name, connector): (&String, &std::sync::Arc<dyn crate::connector::Connector>)| {
            connector.budget().map(|(used, all)| (name.clone(), used, all))
        };
        self.budgets = engine.connectors().iter().filter_map(budget).collect();
    }

    /// How long ago the engine took its last step; `None`: it has not begun.
    pub(super) fn still(&self) -> Option<Duration> {
        self.at.map(|at| at.elapsed())
    }

    pub(super) fn exposition(&self, taken: u64, refused: u64) -> String {
        let mut out = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            // Writing to a text does not fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let records: Vec<(String, u64)> =
            self.counts.iter().map(|((flow, state), count)| (format!("{{flow=\"{flow}\",state=\"{}\"}}", state.word()), *count)).collect();
        metric("crossdock_records", "gauge", "Records by flow and state", &records);
        metric("crossdock_exceptions_open", "gauge", "Open exceptions", &[(String::new(), self.exceptions)]);
        let by_owner: Vec<(String, u64)> = self
            .by_owner
            .iter()
            .map(|(owner, code, count)| (format!("{{owner=\"{}\",code=\"{}\"}}", quoted(owner.as_deref().unwrap_or("")), quoted(code)), *count))
            .collect();
        metric("crossdock_exceptions", "gauge", "Open exceptions by owner and code", &by_owner);
        self.liveness(&mut metric);
        metric("crossdock_calls_total", "counter", "Calls to the systems since the start", &[(String::new(), self.calls)]);
        metric("crossdock_delivered_total", "counter", "Records delivered since the start", &[(String::new(), self.moved)]);
        metric("crossdock_webhooks_taken_total", "counter", "Webhooks stored and answered", &[(String::new(), taken)]);
        metric("crossdock_webhooks_refused_total", "counter", "Webhooks refused", &[(String::new(), refused)]);
        let label = |name: &str| format!("{{connection=\"{name}\"}}");
        let used: Vec<(String, u64)> = self.budgets.iter().map(|(name, used, _)| (label(name), *used)).collect();
        let all: Vec<(String, u64)> = self.budgets.iter().map(|(name, _, all)| (label(name), *all)).collect();
        metric("crossdock_budget_used", "gauge", "API calls of the daily budget that were used", &used);
        metric("crossdock_budget", "gauge", "API calls of the daily budget in total", &all);
        out
    }

    /// What has moved when. Times are seconds since 1970, ages are seconds.
    fn liveness(&self, metric: &mut impl FnMut(&str, &str, &str, &[(String, u64)])) {
        let alive = &self.alive;
        let seconds = |millis: i64| u64::try_from(millis / 1_000).unwrap_or(0);
        let age = |at: Option<i64>| vec![(String::new(), at.map_or(0, |at| seconds(alive.at - at)))];
        let flow = |name: &str| format!("{{flow=\"{}\"}}", quoted(name));
        let polls: Vec<(String, u64)> = alive.flows.iter().filter_map(|of| Some((flow(&of.flow), seconds(of.last_poll?)))).collect();
        metric("crossdock_flow_last_poll_timestamp_seconds", "gauge", "When the last poll of a flow ended", &polls);
        let lags: Vec<(String, u64)> = alive.flows.iter().map(|of| (flow(&of.flow), seconds(of.lag))).collect();
        metric("crossdock_flow_lag_seconds", "gauge", "How late a flow's poll is", &lags);
        metric(
            "crossdock_oldest_waiting_seconds",
            "gauge",
            "Age of the oldest record that waits to be fetched or mapped",
            &age(alive.oldest_waiting),
        );
        metric("crossdock_oldest_unresolved_write_seconds", "gauge", "Age of the oldest write of unknown outcome", &age(alive.oldest_unresolved));
        let connection = |name: &str| format!("{{connection=\"{}\"}}", quoted(name));
        let successes: Vec<(String, u64)> =
            alive.connections.iter().filter_map(|of| Some((connection(&of.connection), seconds(of.last_success?)))).collect();
        metric("crossdock_connection_last_success_timestamp_seconds", "gauge", "When a call of a connection last succeeded", &successes);
        let failing: Vec<(String, u64)> = alive
            .connections
            .iter()
            .map(|of| (connection(&of.connection), of.failing_since.map_or(0, |since| seconds(alive.at - since).max(1))))
            .collect();
        metric("crossdock_connection_failing_seconds", "gauge", "How long no call of a connection has succeeded; 0: it works", &failing);
        metric("crossdock_alerts_undelivered", "gauge", "Alerts that a channel has not accepted", &[(String::new(), alive.alerts_undelivered)]);
        metric("crossdock_alerts_undelivered_oldest_seconds", "gauge", "Age of the oldest of them", &age(alive.oldest_undelivered));
    }
}

/// A label's value as the form wants it.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
