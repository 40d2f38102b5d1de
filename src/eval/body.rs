//! From writes to payloads: keys, rows, nested objects, the final check.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluator::EvalError;
use super::reasons::{built_in, located};
use super::record::Run;
use super::trace::Tracer;
use super::{Answer, Decided, Decision, Payload};
use crate::base::bounds;
use crate::ir::print;
use crate::ir::{Body, Expr, Operation, Place, Policy, Repeat, RowValue, Write, walk};
use crate::plan::dependent_writes;
use crate::schema::gate::{self, Purpose};
use crate::schema::{Field, Object};
use crate::value::MAX_DEPTH;
use crate::value::json::{encode, to_json};
use crate::value::{Json, Kind, Missing, ObjectRef, Value};

impl<'a> Run<'a> {
    pub(super) fn writes(&mut self, writes: &'a [Write]) -> Vec<Payload> {
        let mut payloads = Vec::new();
        for write in writes {
            if let Err(halt) = self.write(write, &mut payloads) {
                self.unfinished(halt);
            }
        }
        payloads
    }

    fn write(&mut self, write: &'a Write, payloads: &mut Vec<Payload>) -> Result<(), EvalError> {
        if let (Some(slot), Some(result)) = (write.result, self.machine.inputs.results.get(&write.name)) {
            self.machine.set(slot, Value::Record(Arc::new(result.clone())));
        }
        match &write.repeat {
            None => self.once(write, payloads),
            Some(Repeat::Each { generators }) => {
                let mut elements = Vec::new();
                self.machine.loop_over(generators, None, &mut |machine, _| {
                    elements.push(machine.bindings(generators));
                    Ok(())
                })?;
                for bindings in elements {
                    self.machine.bind(bindings);
                    self.once(write, payloads)?;
                }
                Ok(())
            }
            Some(Repeat::Split { generator, by, part }) => {
                let parts = self.machine.group(generator.slot, &generator.list, by, "lines")?;
                for element in parts.as_list() {
                    self.machine.set(*part, element.clone());
                    self.once(write, payloads)?;
                }
                Ok(())
            }
        }
    }

    fn once(&mut self, write: &'a Write, payloads: &mut Vec<Payload>) -> Result<(), EvalError> {
        if let Some(when) = &write.when
            && !self.holds_of(Decided::Write, when, &write.place)?
        {
            return Ok(());
        }
        let Some(milestones) = &write.milestones else { return self.payload(write, payloads) };
        let value = self.machine.eval(&milestones.value)?;
        for threshold in &milestones.thresholds {
            let threshold = threshold.to_value();
            let order = crate::value::compare::compare(&value, &threshold);
            if matches!(order, Ok(Some(std::cmp::Ordering::Greater | std::cmp::Ordering::Equal))) {
                self.machine.words.reached = Some(threshold);
                let made = self.payload(write, payloads);
                self.machine.words.reached = None;
                made?;
            }
        }
        Ok(())
    }

    /// Asks the condition of a write or a nested object, and notes what it said where a trace is kept.
    fn holds_of(&mut self, what: Decided, when: &'a Expr, place: &Place) -> Result<bool, EvalError> {
        let mark = self.machine.tracer.as_mut().map(Tracer::mark);
        let held = self.machine.holds(when);
        if let (Some(tracer), Some(mark)) = (&mut self.machine.tracer, mark) {
            let reads = tracer.seen(mark);
            let answer = match &held {
                Ok(true) => Answer::Holds,
                Ok(false) => Answer::DoesNotHold,
                Err(halt) => Answer::Unknown(halt.message.clone()),
            };
            let condition = print::within(&self.machine.program.plan.mapping, when);
            tracer.decisions.push(Decision { what, condition, answer, place: place.clone(), element: Vec::new(), reads, behind: Vec::new() });
        }
        held
    }

    fn payload(&mut self, write: &'a Write, payloads: &mut Vec<Payload>) -> Result<(), EvalError> {
        if let Some(tracer) = &mut self.machine.tracer {
            tracer.write.clone_from(&write.name);
            tracer.here.clear();
        }
        let inputs = self.machine.inputs;
        let object = self.machine.program.object(&write.object);
        let key = match write.key.as_ref().map(|key| self.machine.eval(&key.value)) {
            Some(Ok(value)) => value.printed(),
            Some(Err(halt)) => {
                self.unfinished(halt);
                None
            }
            None => None,
        };
        let key_field = write.key.as_ref().and_then(|key| key.field.clone());
        let bound = write.of.map(|slot| self.machine.bound(slot));
        let id = bound.as_ref().and_then(|record| id_of(record, object));
        let named = key.as_deref().or(id.as_deref()).and_then(|key| inputs.targets.get(&super::target_of(&write.name, key)));
        let read = named.or_else(|| inputs.targets.get(&write.name)).map(|target| Arc::new(target.clone()));
        // The record that it writes to was found by a match, or is the source's own: that is what the target holds.
        let target = read.or_else(|| match bound {
            Some(Value::Record(record)) if id.is_some() => Some(record),
            _ => None,
        });
        self.machine.words.target = Some(target.clone().map_or(Value::ABSENT, Value::Record));
        let mut made = Made { policies: BTreeMap::new(), target };
        let body = self.body(&write.body, object, "", &mut made);
        let target = made.target;
        let waits_for = self.waits_for(write);
        // A target of which nothing was read is one that nothing would be sent to: there is nothing to guard.
        if target.as_ref().is_some_and(|target| target.as_object().is_none_or(|fields| !fields.is_empty())) {
            self.guards(write);
        }
        self.machine.words.target = None;
        let mut payload = Payload {
            write: write.name.clone(),
            op: write.op,
            object: write.object.clone(),
            key,
            key_field,
            id,
            body: Json::Object(body),
            policies: made.policies,
            waits_for,
            rides: None,
        };
        // Where the record is refused already, what is missing in its payload has been said.
        let refused = self.reasons.iter().any(|reason| !reason.review && reason.kind != "target_misfit");
        // A record that is new can go with what it belongs to; of one that is there already what differs has to be found.
        if !payload.waits_for.is_empty() && payload.id.is_none() && target.is_none() {
            let program = self.machine.program;
            payload.rides = dependent_writes::ride(self.machine.flow, write, |of| program.object(of)?.id.as_deref());
        }
        if !refused && let Some(ride) = &payload.rides {
            // It is held to its schema before anything of the record is sent, with an id in the place of the one to come.
            let fields = ride.fields.clone();
            self.lend(&fields, object, &mut payload, |run, payload| run.gate(write, object, false, payload));
        } else if payload.waits_for.is_empty() && !refused {
            self.gate(write, object, target.is_some(), &mut payload);
        }
        payloads.push(payload);
        Ok(())
    }

    /// Lets a payload be looked at with an id in some fields.
    fn lend(&mut self, fields: &[String], object: Option<&Object>, payload: &mut Payload, look: impl FnOnce(&mut Self, &mut Payload)) {
        let number = |name: &String| object.and_then(|object| object.fields.get(name)).is_some_and(|field| field.kind == Kind::Integer);
        let lent = |name: &String| if number(name) { Json::from(1) } else { Json::String("000000000000000AAA".to_owned()) };
        if let Json::Object(body) = &mut payload.body {
            body.extend(fields.iter().map(|name| (name.clone(), lent(name))));
        }
        look(self, payload);
        if let Json::Object(body) = &mut payload.body {
            fields.iter().for_each(|name| {
                body.shift_remove(name);
            });
        }
    }

    /// Writes whose results this one reads and that have not been sent yet.
    fn waits_for(&self, write: &Write) -> Vec<String> {
        let mut waits: Vec<String> = Vec::new();
        let earlier = self.machine.flow.writes.iter().filter_map(|other| Some((other.result?, &other.name)));
        let earlier: Vec<_> = earlier.filter(|(_, name)| !self.machine.inputs.results.contains_key(*name)).collect();
        if earlier.is_empty() {
            return waits;
        }
        walk::write(write, &mut |expr| {
            if let Expr::Slot { slot, .. } = expr {
                for (result, name) in &earlier {
                    if slot == result && !waits.contains(name) && **name != write.name {
                        waits.push((*name).clone());
                    }
                }
            }
        });
        waits
    }

    fn guards(&mut self, write: &'a Write) {
        for guard in &write.guards {
            match self.machine.holds(&guard.condition) {
                Ok(true) => {}
                Ok(false) => {
                    let halt = self.machine.stopped(&guard.otherwise, "guard");
                    self.reason(halt);
                }
                Err(halt) => self.reason(halt),
            }
        }
    }

    /// The final check, with the key in its field.
    fn gate(&mut self, write: &Write, object: Option<&'a Object>, exists: bool, payload: &mut Payload) {
        let Some(object) = object else { return };
        if write.key.is_some() && payload.key.is_none() && !self.unfinished {
            self.reason(misfit(write, payload.key_field.as_deref().unwrap_or("key"), "the key of this write is missing"));
        }
        if write.op == Operation::Update && payload.id.is_none() && payload.key.is_none() {
            self.reason(misfit(write, object.id.as_deref().unwrap_or("id"), "the record to update has no id"));
        }
        let program = self.machine.program;
        let purpose = if write.op == Operation::Update || exists { Purpose::Update } else { Purpose::Create };
        let resolve = |of: &ObjectRef| program.object(of);
        let mut lent = None;
        if let (Json::Object(fields), Some(name), Some(key)) = (&mut payload.body, &payload.key_field, &payload.key)
            && !fields.contains_key(name)
            && object.fields.contains_key(name)
        {
            fields.insert(name.clone(), Json::String(key.clone()));
            lent = Some(name.clone());
        }
        let misfits = gate::fits(object, &resolve, &payload.body, purpose);
        if let (Json::Object(fields), Some(name)) = (&mut payload.body, lent) {
            fields.shift_remove(&name);
        }
        for found in misfits {
            // Something said why it has no value, so what is missing is no news.
            if self.unfinished && found.value.is_empty() {
                continue;
            }
            let value = if found.value.is_empty() { String::new() } else { format!(" {}", found.value) };
            self.reason(misfit(write, &found.field, &format!("{}{value} {}", found.field, found.reason)));
        }
    }

    // ---- rows ----

    fn body(&mut self, body: &'a Body, object: Option<&'a Object>, path: &str, made: &mut Made) -> serde_json::Map<String, Json> {
        let mut fields = serde_json::Map::new();
        for row in &body.rows {
            let place = if path.is_empty() { row.name.clone() } else { format!("{path}.{}", row.name) };
            let field = object.and_then(|object| object.fields.get(&row.name));
            if row.policy != Policy::Changed {
                made.policies.insert(place.clone(), row.policy);
            }
            if let Some(tracer) = &mut self.machine.tracer {
                tracer.enter(path, &row.name);
            }
            let json = match &row.value {
                RowValue::Clear => Some(Json::Null),
                RowValue::Expr(expr) => self.row(expr, field, &place, row.policy, made),
                RowValue::Object { when, optional, body } => {
                    let wanted = match when.as_ref().map(|when| self.holds_of(Decided::Object, when, &row.place)) {
                        None => true,
                        Some(Ok(holds)) => holds,
                        Some(Err(halt)) => {
                            self.unfinished(halt);
                            false
                        }
                    };
                    if wanted {
                        let inner = self.machine.program.object(&body.object);
                        let fields = self.body(body, inner, &place, made);
                        (!fields.is_empty() || !optional).then_some(Json::Object(fields))
                    } else {
                        None
                    }
                }
            };
            if let Some(tracer) = &mut self.machine.tracer {
                let shown = match &json {
                    // A nested object has its own entries.
                    Some(Json::Object(_)) if matches!(row.value, RowValue::Object { .. }) => Value::Object(Arc::default()),
                    Some(Json::Array(items)) if items.iter().any(Json::is_object) => Value::Object(Arc::default()),
                    Some(Json::Object(_)) if field.is_some_and(|field| matches!(field.kind, Kind::Object(_))) => Value::Object(Arc::default()),
                    Some(json) => Value::Json(Arc::new(json.clone())),
                    None if matches!(row.value, RowValue::Object { .. }) => Value::Object(Arc::default()),
                    None => Value::ABSENT,
                };
                tracer.leave(&shown, &row.place);
            }
            if let Some(json) = json {
                fields.insert(row.name.clone(), json);
            }
        }
        fields
    }

    fn row(&mut self, expr: &'a Expr, field: Option<&'a Field>, place: &str, policy: Policy, made: &Made) -> Option<Json> {
        let value = match self.machine.eval(expr) {
            Ok(value) => value,
            Err(halt) => {
                self.unfinished(located(halt, place));
                return None;
            }
        };
        let held = made.target.as_deref().and_then(|target| place.split('.').try_fold(target, |at, name| at.get(name)));
        let held = held.is_some_and(|held| !held.is_null() && held.as_str().is_none_or(|text| !text.trim().is_empty()));
        if (policy == Policy::Once && made.target.is_some()) || (policy == Policy::IfEmpty && held) {
            return None;
        }
        if let Value::Missing(missing) = value {
            let empty = policy == Policy::Clear && (missing != Missing::Absent || self.was_read(expr));
            return empty.then_some(Json::Null);
        }
        // The checker lets no other field through; the gate refuses it with its name.
        let Some(field) = field else { return Some(to_json(&value)) };
        match self.encoded(&value, &field.kind, field, 0) {
            Ok(Json::Object(fields)) if fields.is_empty() && !field.write.required && matches!(field.kind, Kind::Object(_)) => None,
            Ok(json) => Some(json),
            Err(reason) => {
                self.unfinished(built_in("target_misfit", format!("{place}: {reason}"), Some(place.to_owned())));
                None
            }
        }
    }

    /// Whether all that an expression reads was sent by the source: what was not sent is not empty.
    fn was_read(&mut self, expr: &'a Expr) -> bool {
        let mut fields = Vec::new();
        walk::expr(expr, &mut |found| {
            if matches!(found, Expr::Field { .. }) {
                fields.push(found);
            }
        });
        // A path that cannot be read has its own reason.
        let more = self.machine.more.len();
        let read = fields.into_iter().all(|field| !matches!(self.machine.eval(field), Ok(Value::Missing(Missing::Absent))));
        self.machine.more.truncate(more);
        read
    }

    /// A value in its field's form; what a mapping built is walked with its object's schema.
    fn encoded(&self, value: &Value, kind: &Kind, field: &Field, depth: usize) -> Result<Json, String> {
        if depth > MAX_DEPTH {
            return Err(format!("is nested deeper than {MAX_DEPTH} levels"));
        }
        match (value, kind) {
            (Value::Object(fields), Kind::Object(of)) => {
                let object = self.machine.program.object(of);
                let mut out = serde_json::Map::new();
                for (name, value) in fields.iter() {
                    // Missing stands here only where the mapping says `clear`.
                    let json = match object.and_then(|object| object.fields.get(name)) {
                        Some(inner) => self.encoded(value, &inner.kind, inner, depth + 1).map_err(|reason| format!("{name}: {reason}"))?,
                        None => to_json(value),
                    };
                    out.insert(name.clone(), json);
                }
                Ok(Json::Object(out))
            }
            (Value::List(items), Kind::List(of)) if matches!(of.kind, Kind::Object(_) | Kind::List(_)) => {
                let items = items.iter().filter(|item| !item.is_missing());
                items.map(|item| self.encoded(item, &of.kind, field, depth + 1)).collect::<Result<Vec<_>, _>>().map(Json::Array)
            }
            _ => {
                let json = encode(value, kind, &field.wire).map_err(|unfit| unfit.to_string())?;
                let paid = &self.machine.paid;
                paid.set(paid.get() + json.as_str().map_or(0, str::len));
                if paid.get() > bounds::RECORD_TEXTS {
                    return Err(format!("makes the payloads of this record longer than {} MB", bounds::RECORD_TEXTS >> 20));
                }
                Ok(json)
            }
        }
    }
}

/// What belongs to one payload while its rows are mapped.
struct Made {
    policies: BTreeMap<String, Policy>,
    /// The record as the target holds it, where it was read.
    target: Option<Arc<Json>>,
}

/// The id of a matched or source record, as its schema names it.
fn id_of(record: &Value, object: Option<&Object>) -> Option<String> {
    let Value::Record(json) = record else { return None };
    let field = object.and_then(|object| object.id.as_deref()).unwrap_or("id");
    match json.get(field)? {
        Json::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn misfit(write: &Write, field: &str, message: &str) -> EvalError {
    let mut halt = built_in("target_misfit", message, Some(field.to_owned()));
    halt.place = Some(write.place.clone());
    halt
}
