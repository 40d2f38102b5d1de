//! A record that the author's rules stop: its reasons.

use jiff::Timestamp;
use serde::Serialize;

use super::bytes::Bytes;
use crate::ir::Place;

/// As [`crate::eval::Reason`] is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reason<'p> {
    pub(crate) message: String,
    pub(crate) kind: &'static str,
    pub(crate) review: bool,
    pub(crate) owner: Option<&'p str>,
    pub(crate) before: Option<Timestamp>,
    /// Built-in reasons alone name one, and those are the reference's.
    pub(crate) field: Option<&'p str>,
    pub(crate) place: &'p Place,
}

/// The last record that was stopped.
#[derive(Debug, Default)]
pub struct Stopped<'p> {
    pub(super) reasons: Vec<Reason<'p>>,
    /// As JSON.
    pub(super) id: Bytes,
    /// Of a review what would be sent, of a rejection what it causes: in their envelopes, with commas between them.
    pub(super) writes: Bytes,
}

impl Stopped<'_> {
    /// The author's words.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(|reason| reason.message.as_str())
    }

    /// Whether a person has to look; otherwise the record is rejected.
    pub fn is_review(&self) -> bool {
        self.reasons.iter().all(|reason| reason.review)
    }

    /// Appends the line that tells of it. `number`: the record's line in its file.
    pub fn write(&self, number: usize, out: &mut Vec<u8>) {
        let (outcome, writes) = if self.is_review() { ("review", "payloads") } else { ("rejected", "follow_ups") };
        out.extend_from_slice(format!("{{\"line\":{number},\"outcome\":\"{outcome}\",\"id\":").as_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(b",\"reasons\":");
        // Texts and places are written to memory, which does not fail.
        let _ = serde_json::to_writer(&mut *out, &self.reasons);
        if !self.writes.is_empty() {
            out.extend_from_slice(format!(",\"{writes}\":[").as_bytes());
            out.extend_from_slice(&self.writes);
            out.push(b']');
        }
        out.extend_from_slice(b"}\n");
    }
}
