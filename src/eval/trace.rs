//! Collects why each field has its value.

use std::collections::BTreeMap;

use super::{Decision, Read, Step, Trace};
use crate::ir::{Place, Slot};
use crate::value::{Json, Missing, Value, json};

/// What is being collected. It exists only where a trace was asked for.
#[derive(Default)]
pub(super) struct Tracer {
    /// The write whose fields are built.
    pub write: String,
    /// The field that is built: `items[0].sku`.
    pub here: String,
    pub done: Vec<Trace>,
    pub decisions: Vec<Decision>,
    open: Vec<(usize, usize)>,
    reads: Vec<Read>,
    steps: Vec<Step>,
    /// Where what is collected for the innermost field or `let` begins: a path is shown once in it.
    floors: Vec<usize>,
    /// What a `let` read and decided, for every field that uses it.
    lets: BTreeMap<Slot, (Vec<Read>, Vec<Step>)>,
}

/// A point in what was collected.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize, usize);

impl Tracer {
    /// Begins a `let`; [`Tracer::remember`] ends it.
    pub(super) fn mark(&mut self) -> Mark {
        self.floors.push(self.reads.len());
        Mark(self.reads.len(), self.steps.len())
    }

    /// Keeps what was collected since the mark as the way of a `let`.
    pub(super) fn remember(&mut self, slot: Slot, mark: Mark) {
        let way = (self.reads[mark.0..].to_vec(), self.steps[mark.1..].to_vec());
        self.lets.insert(slot, way);
        self.floors.pop();
    }

    /// Keeps what was collected since the mark as the way of the results of a route.
    pub(super) fn remember_all(&mut self, slots: impl Iterator<Item = Slot>, mark: Mark) {
        let way = (self.reads.split_off(mark.0.min(self.reads.len())), self.steps.split_off(mark.1.min(self.steps.len())));
        slots.for_each(|slot| {
            self.lets.insert(slot, way.clone());
        });
        self.floors.pop();
    }

    /// What was read since the mark, taken out again.
    pub(super) fn take(&mut self, mark: Mark) -> Vec<Read> {
        self.floors.pop();
        self.steps.truncate(mark.1);
        self.reads.split_off(mark.0.min(self.reads.len()))
    }

    /// The lines that were gone through since the mark.
    pub(super) fn behind(&self, mark: Mark) -> Vec<Place> {
        self.steps.iter().skip(mark.1).filter_map(|step| step.place.clone()).collect()
    }

    /// What was read since the mark, which stays a part of what is collected around it.
    pub(super) fn seen(&mut self, mark: Mark) -> Vec<Read> {
        self.floors.pop();
        let reads = self.reads.split_off(mark.0.min(self.reads.len()));
        reads.iter().for_each(|read| self.note(read.clone()));
        reads
    }

    pub(super) fn replay(&mut self, slot: Slot) {
        if let Some((reads, steps)) = self.lets.get(&slot) {
            let (reads, steps) = (reads.clone(), steps.clone());
            reads.into_iter().for_each(|read| self.note(read));
            self.steps.extend(steps);
        }
    }

    pub(super) fn read(&mut self, path: String, value: &Value) {
        let missing = match value {
            Value::Missing(Missing::Absent) => Some("absent"),
            Value::Missing(Missing::Null) => Some("null"),
            Value::Missing(Missing::Blank) => Some("blank"),
            _ => None,
        };
        let value = match value {
            Value::Record(_) | Value::Object(_) => Json::String("{…}".to_owned()),
            Value::List(items) => Json::String(format!("[{} elements]", items.len())),
            other => json::to_json(other),
        };
        self.note(Read { path, value, missing });
    }

    fn note(&mut self, read: Read) {
        let floor = self.floors.last().copied().unwrap_or(0).min(self.reads.len());
        if !self.reads[floor..].contains(&read) {
            self.reads.push(read);
        }
    }

    pub(super) fn step(&mut self, text: String, place: Option<Place>) {
        self.steps.push(Step { text, place });
    }

    /// Begins a field.
    pub(super) fn enter(&mut self, parent: &str, name: &str) {
        self.here = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        self.open.push((self.reads.len(), self.steps.len()));
        self.floors.push(self.reads.len());
    }

    /// Ends the field that was begun last. What holds other fields has no entry of its own.
    pub(super) fn leave(&mut self, value: &Value, place: &Place) {
        let (reads, steps) = self.open.pop().unwrap_or_default();
        self.floors.pop();
        let (reads, steps) = (self.reads.split_off(reads), self.steps.split_off(steps));
        let holds_fields = match value {
            Value::Object(_) => true,
            Value::List(items) => items.iter().any(|item| matches!(item, Value::Object(_))),
            _ => false,
        };
        if !holds_fields {
            let value = (!value.is_missing()).then(|| json::to_json(value));
            self.done.push(Trace { write: self.write.clone(), field: self.here.clone(), value, place: place.clone(), reads, steps });
        }
        self.here = self.here.rsplit_once('.').map_or_else(String::new, |(parent, _)| parent.to_owned());
    }
}
