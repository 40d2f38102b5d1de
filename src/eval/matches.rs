//! The records found for each `match`, and what happens if there is none or more than one.

use std::sync::Arc;

use indexmap::IndexMap;

use super::record::Run;
use crate::builtin::same_phone;
use crate::ir::{Match, MatchEach, MatchKey, MatchOutcome};
use crate::schema::Spelling;
use crate::value::{Json, Value};

/// How the matches of a record went.
pub(super) enum Found {
    /// Each name stands for a record, or for one that is still to be created.
    All,
    /// One says `skip`.
    Skip,
    /// One says `review` or `reject`: what would be mapped is not known.
    Stopped,
}

impl<'a> Run<'a> {
    pub(super) fn matches(&mut self) -> Found {
        let flow = self.machine.flow;
        let inputs = self.machine.inputs;
        let mut result = Found::All;
        for found in &flow.matches {
            let records = inputs.matched.get(&found.name).map_or(&[][..], Vec::as_slice);
            if let Some(each) = &found.each {
                if !self.rows_of(found, each, records, true) {
                    result = Found::Stopped;
                }
                continue;
            }
            let outcome = match records {
                [one] => {
                    self.machine.set(found.slot, Value::Record(Arc::new(one.clone())));
                    continue;
                }
                [] => &found.none,
                _ => &found.many,
            };
            match outcome {
                MatchOutcome::Skip => return Found::Skip,
                MatchOutcome::Create | MatchOutcome::Continue => self.machine.set(found.slot, Value::ABSENT),
                MatchOutcome::Stop(stop) => {
                    self.machine.words.count = Some(records.len());
                    let halt = self.machine.stopped(stop, "match");
                    self.machine.words.count = None;
                    self.reason(halt);
                    result = Found::Stopped;
                }
            }
        }
        result
    }

    /// The rows of a match for each element: each with its element and what was found for it. An element that says `skip` is left
    /// out. False where an element was stopped; `told`: with its reasons.
    pub(super) fn rows_of(&mut self, found: &'a Match, each: &'a MatchEach, records: &[Json], told: bool) -> bool {
        let generators = std::slice::from_ref(&each.generator);
        let mut elements = Vec::new();
        let gathered = self.machine.loop_over(generators, None, &mut |machine, _| {
            elements.push(machine.bindings(generators));
            Ok(())
        });
        let mut fine = true;
        if let Err(halt) = gathered {
            fine = false;
            if told {
                self.unfinished(halt);
            }
        }
        let mut rows = Vec::with_capacity(elements.len());
        for bindings in elements {
            self.machine.bind(bindings);
            let mut hits: Vec<&Json> = Vec::new();
            for key in &found.by {
                let Some(value) = self.key_value(key) else { continue };
                hits = records.iter().filter(|record| holds(record, &key.field, &value)).collect();
                if !hits.is_empty() {
                    break;
                }
            }
            let outcome = match hits.as_slice() {
                [] => &found.none,
                [_] => &MatchOutcome::Continue,
                _ => &found.many,
            };
            match outcome {
                MatchOutcome::Skip => continue,
                MatchOutcome::Create | MatchOutcome::Continue => {}
                MatchOutcome::Stop(stop) => {
                    fine = false;
                    if told {
                        self.machine.words.count = Some(hits.len());
                        let halt = self.machine.stopped(stop, "match");
                        self.machine.words.count = None;
                        self.reason(halt);
                    }
                    continue;
                }
            }
            let record = hits.first().map_or(Value::ABSENT, |record| Value::Record(Arc::new((*record).clone())));
            let element = self.machine.bound(each.generator.slot);
            rows.push(Value::Object(Arc::new(IndexMap::from([(each.generator.name.clone(), element), (found.name.clone(), record)]))));
        }
        self.machine.set(each.rows, Value::list(rows));
        fine
    }

    /// What a key looks for; nothing where the record or the element has no such value.
    pub(super) fn key_value(&mut self, key: &'a MatchKey) -> Option<String> {
        self.machine.eval(&key.equals).ok().and_then(|value| value.printed()).filter(|text| !text.trim().is_empty())
    }
}

/// The value of a field as text.
pub(super) fn held(record: &Json, field: &[String]) -> Option<String> {
    match field.iter().try_fold(record, |at, name| at.get(name))? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Whether a record has a field, be it empty.
pub(super) fn has(record: &Json, field: &[String]) -> bool {
    field.iter().try_fold(record, |at, name| at.get(name)).is_some()
}

/// Whether a record of the other side has a value in a field, as the systems compare: without letter case, telephone numbers by
/// what is dialed.
pub(super) fn holds(record: &Json, field: &[String], value: &str) -> bool {
    let Some(held) = held(record, field) else { return false };
    if held.trim().eq_ignore_ascii_case(value.trim()) || held.to_lowercase() == value.to_lowercase() {
        return true;
    }
    // Ids that a system gives in a short form too: the first 15 of 18 characters, letter case counting.
    if (held.len() == 18 && value.len() == 15 && held.starts_with(value)) || (held.len() == 15 && value.len() == 18 && value.starts_with(&held)) {
        return true;
    }
    match field.last().and_then(|name| Spelling::of(name)) {
        Some(Spelling::Phone) => same_phone(&held, value),
        // `5` and `5.0` are one number.
        _ => {
            matches!((held.parse::<rust_decimal::Decimal>(), value.parse::<rust_decimal::Decimal>()), (Ok(a), Ok(b)) if a == b && held.contains('.') != value.contains('.'))
        }
    }
}
