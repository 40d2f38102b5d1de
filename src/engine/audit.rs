//! The audit trail: each call of a write, masked before the engine sees it, and its part for each record.

use super::Engine;
use super::mask::{self, Masked};
use crate::store::{self, Change, StoreResult};

impl Engine<'_> {
    /// Keeps the exchanges of a write; gives the number of the last one, which the records' histories name.
    /// `lanes`: flow and lane of each of the batch's items, then of those that rode on them.
    pub(super) fn audit(
        &mut self,
        connection: &str,
        exchanges: Vec<Masked>,
        lanes: &[(String, String)],
        changes: &mut Vec<Change>,
    ) -> StoreResult<Option<i64>> {
        let mut last = None;
        for exchange in exchanges {
            let id = self.store.next_id()?;
            let part = |part: mask::MaskedPart| {
                let (flow, lane) = lanes.get(part.item)?;
                let body = |text: Option<String>| text.map(|text| self.without_others(text));
                let (request, response) = (body(part.request), body(part.response));
                Some(store::Part { flow: flow.clone(), lane: lane.clone(), request, response })
            };
            let parts = exchange.parts.into_iter().filter_map(part).collect();
            changes.push(Change::Exchange(store::Exchange {
                id,
                at: exchange.at.as_millisecond(),
                connection: connection.to_owned(),
                method: exchange.method,
                path: exchange.path,
                status: exchange.status,
                took: i64::try_from(exchange.took.as_millis()).unwrap_or(i64::MAX),
                request: None,
                response: None,
                broken: exchange.broken,
                plan: self.plan_hash.clone(),
                parts,
            }));
            last = Some(id);
        }
        Ok(last)
    }

    /// A body without what its words say of persons: a system, or a reason that is written back, may quote any record.
    fn without_others(&self, body: String) -> String {
        match serde_json::from_str(&body) {
            Ok(json) => mask::in_words(&json, &|words| self.met.taken_out(words)).to_string(),
            Err(_) => body,
        }
    }
}
