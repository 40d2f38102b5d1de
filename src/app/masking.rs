//! Masks what a view of records shows: by the data classes of the systems' fields, as the audit trail and the queue do.

use std::collections::BTreeMap;

use crate::engine::mask::{self, MASKED, Mask};
use crate::eval::{Outcome, Payload};
use crate::http::redact::Redactor;
use crate::ir::Flow;
use crate::plan::Plan;
use crate::value::{Json, ObjectRef};

/// What is known of the persons in the records that are shown.
pub struct Masking {
    masks: BTreeMap<String, Mask>,
    redactor: Redactor,
}

impl Masking {
    pub fn of(plan: &Plan) -> Self {
        Masking { masks: Mask::all(plan), redactor: Redactor::default() }
    }

    /// Learns the values of persons in a record.
    pub fn learn(&mut self, of: &ObjectRef, record: &Json) {
        if let Some(mask) = self.masks.get(&of.connection) {
            mask.tell(Some(&of.object), record, true, &mut self.redactor);
        }
    }

    /// Learns what a flow reads for one record: the record itself, and what its matches have found.
    pub fn learn_read(&mut self, flow: &Flow, record: &Json, matched: &BTreeMap<String, Vec<Json>>) {
        self.learn(&flow.source, record);
        for found in &flow.matches {
            for record in matched.get(&found.name).into_iter().flatten() {
                self.learn(&found.object, record);
            }
        }
    }

    /// Learns what an outcome writes.
    pub fn learn_written(&mut self, outcome: &Outcome) {
        outcome.payloads.iter().chain(&outcome.follow_ups).for_each(|payload| self.learn(&payload.object, &payload.body));
    }

    /// Learns what an outcome writes, and masks its payloads.
    pub fn outcome(&mut self, outcome: &mut Outcome) {
        self.learn_written(outcome);
        outcome.payloads.iter_mut().chain(&mut outcome.follow_ups).for_each(|payload| self.payload(payload));
    }

    fn payload(&self, payload: &mut Payload) {
        let Some(mask) = self.masks.get(&payload.object.connection) else { return };
        let object = payload.object.object.as_str();
        let of_person = |key: &String| mask.is_of_person(Some(object), &payload.body, key);
        let shown = payload.key_field.as_ref().is_none_or(|field| mask.shows(object, std::slice::from_ref(field)));
        payload.key = payload.key.as_ref().map(|key| mask::key(key, shown && !of_person(key)));
        payload.body = mask.json(Some(object), &payload.body);
    }

    /// The value of a field, named with its object (`wms.Order.shipTo.city`), as it may be shown.
    pub fn value(&self, name: &str, value: &Json) -> Json {
        let mut parts = name.split('.').map(|part| part.split('[').next().unwrap_or(part).to_owned());
        let (connection, object) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let path: Vec<String> = parts.collect();
        match self.masks.get(&connection) {
            Some(mask) if !mask.shows(&object, &path) => Json::String(MASKED.to_owned()),
            _ => value.clone(),
        }
    }

    /// Takes what was learned out of words.
    pub fn into_redactor(self) -> Redactor {
        self.redactor
    }
}
