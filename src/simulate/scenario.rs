//! What a run is: which template, how many records, which faults and hazards, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::check::Finding;
use crate::engine::Safety;
use crate::plan::Plan;
use crate::project::{self, Options, compile};
use crate::sandbox::faults::Faults;
use crate::schema::Names;
use crate::value::ObjectRef;

/// Acts above which a scenario is of volume.
pub(super) const VOLUME: usize = 1_000;

/// One mechanism of safety, switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    Settle,
    Overlap,
    Dedupe,
    Intents,
    LookUp,
    Lanes,
    Checkpoints,
    Fencing,
}

impl Off {
    pub const ALL: [Off; 8] = [Off::Settle, Off::Overlap, Off::Dedupe, Off::Intents, Off::LookUp, Off::Lanes, Off::Checkpoints, Off::Fencing];

    pub(super) fn safety(off: Option<Off>) -> Safety {
        let mut safety = Safety::default();
        match off {
            Some(Off::Settle) => safety.settle = false,
            Some(Off::Overlap) => safety.overlap = false,
            Some(Off::Dedupe) => safety.dedupe = false,
            Some(Off::Intents) => safety.intents = false,
            Some(Off::LookUp) => safety.look_up = false,
            Some(Off::Lanes) => safety.lanes = false,
            Some(Off::Checkpoints) => safety.checkpoints = false,
            Some(Off::Fencing) | None => {}
        }
        safety
    }
}

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub seed: u64,
    /// Orders that are there at the beginning.
    pub orders: usize,
    /// What people do while the faults are on.
    pub acts: usize,
    pub faults: Faults,
    /// Deaths of the process.
    pub kills: usize,
    pub off: Option<Off>,
    /// Calls a minute of ShipStation.
    pub per_minute: Option<u32>,
    /// Seconds between two polls of the orders, instead of the mapping's five minutes.
    pub poll: Option<i64>,
    /// Tell each record's way in the report.
    pub story: bool,
}

impl Scenario {
    /// A small world on a bad day.
    pub fn small(seed: u64) -> Self {
        Scenario { seed, orders: 6, acts: 14, faults: Faults::BAD_DAY, kills: 4, off: None, per_minute: Some(40), poll: None, story: false }
    }

    /// Orders of [`Scenario::large`].
    pub const LARGE: u64 = 500;

    /// Many orders on a bad day, ShipStation's limit out of the way: batches, pages and queues are full.
    pub fn large(seed: u64) -> Self {
        Scenario { orders: 500, acts: 125, per_minute: None, ..Scenario::small(seed) }
    }

    /// So many shipments of many shoppers on a bad day, for templates that sum them up.
    pub fn volume(seed: u64, shipments: usize) -> Self {
        Scenario { acts: shipments, per_minute: None, ..Scenario::small(seed) }
    }

    /// Few orders, each changed often, over a network that delays and loses: where a mechanism of safety that is
    /// missing shows soonest.
    pub fn rough(seed: u64) -> Self {
        let faults = Faults { late: 150, late_seconds: 290, lost_reply: 80, slow: 50, ..Faults::default() };
        Scenario { seed, orders: 3, acts: 60, faults, kills: 8, off: None, per_minute: Some(40), poll: Some(45), story: false }
    }
}

/// The template, compiled once for all runs.
pub struct Setup {
    pub(super) template: String,
    pub(super) plan: Plan,
    pub(super) names: BTreeMap<ObjectRef, Arc<Names>>,
}

impl Setup {
    /// Orders out, labels and shipments back.
    ///
    /// # Errors
    /// As [`Setup::of`].
    pub fn new() -> Result<Self, String> {
        Setup::of("salesforce-shipstation")
    }

    /// A template that comes with the program.
    ///
    /// # Errors
    /// There is none of that name, or it does not pass `check`: the words of its first mistake.
    pub fn of(template: &str) -> Result<Self, String> {
        let texts = project::templates::project(template).ok_or_else(|| format!("there is no template `{template}`"))?;
        let compiled = compile(&texts, &Options::default());
        let first = compiled.diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(|diagnostic| diagnostic.message.clone());
        match compiled.plan {
            Some(plan) => Ok(Setup { template: template.to_owned(), plan, names: compiled.names }),
            None => Err(first.unwrap_or_else(|| "the template has no plan".to_owned())),
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// SHA-256 over the whole way of the run.
    pub trace: String,
    /// Records that were delivered.
    pub delivered: u64,
    /// Calls of both systems.
    pub calls: u64,
    /// How much virtual time it took.
    pub took: SignedDuration,
    pub deaths: u32,
    /// Each record's way, for people who look for a mistake.
    pub story: String,
}
