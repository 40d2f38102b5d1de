//! What a flow reads of its source, in the words in which a system is asked.

use super::{FlowPlan, Plan, pushdown};
use crate::ir::Flow;
use crate::schema::Selection;

impl Plan {
    /// What a flow reads of its source: the fields, and the conditions that the source applies itself.
    ///
    /// `also`: paths to read beside those of the mapping, such as the fields that its follow-ups write.
    pub fn selection<'a>(&'a self, flow: &'a Flow, reads: &'a FlowPlan, also: &'a [Vec<String>]) -> Selection<'a> {
        let filter = reads.pushed_down.iter().filter_map(|at| flow.filter.get(*at));
        Selection {
            object: &flow.source,
            schemas: &self.objects,
            projection: reads.reads.iter().chain(also).map(Vec::as_slice).collect(),
            filter: filter.filter_map(|conjunct| pushdown::condition(conjunct, &self.mapping)).collect(),
            stamps: &flow.changed,
        }
    }

    /// The same for a flow by its place.
    pub fn selection_of<'a>(&'a self, flow: usize, also: &'a [Vec<String>]) -> Selection<'a> {
        self.selection(&self.mapping.flows[flow], &self.flows[flow], also)
    }
}
