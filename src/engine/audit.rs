//! The audit trail: each exchange of a write, masked before it is kept.

use super::{Engine, mask};
use crate::http::Exchange;
use crate::store::{self, Change};

impl Engine<'_> {
    /// Keeps the exchanges of a write; gives the number of the last one, which the records' histories name.
    pub(super) fn audit(&mut self, connection: &str, exchanges: &[Exchange], changes: &mut Vec<Change>) -> Option<i64> {
        let mut last = None;
        for exchange in exchanges {
            let id = self.store.next_id();
            let Some(mask) = self.masks.get(connection) else { continue };
            changes.push(Change::Exchange(store::Exchange {
                id,
                at: exchange.at.as_millisecond(),
                connection: connection.to_owned(),
                method: exchange.method.to_string(),
                path: mask::path(&exchange.path),
                status: exchange.status,
                took: i64::try_from(exchange.took.as_millis()).unwrap_or(i64::MAX),
                request: mask.body(&exchange.request),
                response: mask.body(&exchange.response),
                broken: exchange.broken.clone(),
                plan: self.plan_hash.clone(),
            }));
            last = Some(id);
        }
        last
    }
}
