//! Metrics in Prometheus' text form.

use std::fmt::Write as _;
use std::time::Instant;

use crate::engine::Engine;
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
    counted: Option<Instant>,
}

impl Seen {
    /// Looks at the engine. Counting is the dearer part, and is done every other second.
    pub fn look(&mut self, engine: &Engine<'_>) {
        self.at = Some(Instant::now());
        self.calls = engine.calls();
        self.moved = engine.moved();
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
        let budget = |(name, connector): (&String, &std::sync::Arc<dyn crate::connector::Connector>)| {
            connector.budget().map(|(used, all)| (name.clone(), used, all))
        };
        self.budgets = engine.connectors().iter().filter_map(budget).collect();
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
        metric("crossdock_exceptions_open", "gauge", "Exceptions that wait for somebody", &[(String::new(), self.exceptions)]);
        metric("crossdock_calls_total", "counter", "Calls to the systems since the start", &[(String::new(), self.calls)]);
        metric("crossdock_delivered_total", "counter", "Records delivered since the start", &[(String::new(), self.moved)]);
        metric("crossdock_webhooks_taken_total", "counter", "Webhooks kept and answered", &[(String::new(), taken)]);
        metric("crossdock_webhooks_refused_total", "counter", "Webhooks refused", &[(String::new(), refused)]);
        let label = |name: &str| format!("{{connection=\"{name}\"}}");
        let used: Vec<(String, u64)> = self.budgets.iter().map(|(name, used, _)| (label(name), *used)).collect();
        let all: Vec<(String, u64)> = self.budgets.iter().map(|(name, _, all)| (label(name), *all)).collect();
        metric("crossdock_budget_used", "gauge", "Calls of the day's budget that are used", &used);
        metric("crossdock_budget", "gauge", "Calls of the day's budget in all", &all);
        out
    }
}
