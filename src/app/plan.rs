//! What the flows will do, step by step, and in how many calls.

use serde::Serialize;

use super::Failure;
use crate::connector::{Connectors, registry};
use crate::ir::{Flow, Place};
use crate::plan::{Plan, show};
use crate::project::config::{Config, Connection};
use crate::run::cost_estimate::{self, Calls};

/// New events that calls are told for.
pub const EVENTS: usize = 1_000;
/// Changed records that calls are told for.
pub const CHANGED: usize = 100;

/// What a flow will do.
#[derive(Debug, Clone, Serialize)]
pub struct Steps {
    pub flow: String,
    pub place: Place,
    /// What the author says of it.
    pub doc: Option<String>,
    /// The steps, one a line, in the order in which a record meets them.
    pub steps: String,
    /// The calls for [`EVENTS`] new events.
    pub new: Vec<Calls>,
    /// The calls for [`CHANGED`] changed records; empty where a change costs what a new event does.
    pub changed: Vec<Calls>,
}

/// The steps of a plan's flows; with `only`, of one flow.
pub fn steps(plan: &Plan, config: &Config, only: Option<&str>) -> Vec<Steps> {
    let paper = |(name, connection): (&String, &Connection)| {
        let connector = match &connection.described {
            Some(known) => registry::offline_own(name, &connection.system, known),
            None => registry::offline(name, &connection.system),
        };
        Some((name.clone(), connector?))
    };
    let connectors: Connectors = config.connections.iter().filter_map(paper).collect();
    let flows = plan.mapping.flows.iter().filter(|flow| only.is_none_or(|only| flow.name == only));
    flows.filter_map(|flow| steps_of(plan, flow, &connectors)).collect()
}

fn steps_of(plan: &Plan, flow: &Flow, connectors: &Connectors) -> Option<Steps> {
    let reads = plan.flows.iter().find(|reads| reads.flow == flow.name)?;
    let queries = connectors.get(&flow.source.connection).map(|connector| connector.queries(&plan.selection(flow, reads, &[])));
    let queries = queries.unwrap_or_default();
    let mut changed = cost_estimate::of_changes(plan, flow, reads, connectors, CHANGED);
    // Where a change costs what a new event does, saying it once is enough.
    if !changed.iter().any(|calls| calls.what.ends_with("before its update")) {
        changed.clear();
    }
    Some(Steps {
        flow: flow.name.clone(),
        place: flow.place.clone(),
        doc: flow.doc.clone(),
        steps: show::flow(plan, flow, reads, queries.records.as_deref(), &queries.children),
        new: cost_estimate::predicted(plan, flow, reads, connectors, EVENTS),
        changed,
    })
}

/// Leaves one flow in a plan; its hash stays that of the whole.
///
/// # Errors
/// There is no such flow.
pub fn only(plan: &mut Plan, flow: &str) -> Result<(), Failure> {
    has_flow(plan, flow)?;
    // The hash is the whole plan's, whatever is shown of it.
    plan.hash();
    plan.mapping.flows.retain(|known| known.name == flow);
    plan.flows.retain(|known| known.flow == flow);
    Ok(())
}

/// # Errors
/// There is no such flow.
pub fn has_flow(plan: &Plan, flow: &str) -> Result<(), Failure> {
    let mut names = plan.mapping.flows.iter().map(|known| known.name.as_str());
    if names.any(|name| name == flow) {
        return Ok(());
    }
    Err(Failure::unknown("flow", flow, plan.mapping.flows.iter().map(|known| known.name.as_str())))
}
