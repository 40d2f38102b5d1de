//! The compiled flow: a record's bytes are read once into registers, operations run over them one after the other, and payloads are
//! written straight to bytes. The author's own rules, routes and value maps report here why they stop a record. Records that need a
//! built-in reason, and uncommon ones, go to the reference evaluator [`crate::eval`]. Both give the same bytes, and tests check that.
//!
//! It maps single records: flows over files that look nothing up.

mod body;
mod bytes;
mod code;
mod compiler;
mod conditions;
mod emit;
mod eval;
mod functions;
mod jump_threading;
mod key_cache;
mod memo;
mod number;
mod numbers;
mod op;
mod peephole;
mod projection;
mod quote;
mod read;
mod reader;
mod reg;
mod row;
mod scan;
mod simd;
pub mod slice;
mod stopped;
mod tables;
mod texts;
mod token;
mod values;
mod visit;

use std::collections::BTreeMap;
use std::sync::Arc;

use bumpalo::Bump;
use jiff::Timestamp;

use self::bytes::Bytes;
use self::eval::{Eval, Leave, Ran};
use self::memo::Memos;
use self::op::Compiled;
use self::quote::quote;
use self::reader::{Reader as _, Reference, Scanning};
use self::reg::{RECORD, Reg, RegValue};
use self::row::Write;
use self::scan::Slots;
pub use self::stopped::Stopped;
use crate::base::bounds;
use crate::builtin::Context;
use crate::ir::Flow;
use crate::plan::Plan;
use crate::schema::Names;
use crate::value::{Missing, ObjectRef};

/// A flow, ready to map records. It is shared by threads, each with a [`Worker`] of its own.
pub struct CompiledFlow<'p> {
    compiled: Compiled<'p>,
    context: Context,
}

/// What one thread keeps from record to record.
pub struct Worker<'f, 'p> {
    flow: &'f CompiledFlow<'p>,
    /// None where records are read by serde_json.
    scanning: Option<Scanning>,
    /// Memory for the next record.
    slots: Slots<'static>,
    bump: Bump,
    memos: Memos,
    first: Bytes,
    /// A payload while it is written.
    payload: Bytes,
    marks: Vec<usize>,
    /// The objects of the payloads of this record.
    made: Vec<usize>,
    stopped: Stopped<'p>,
}

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The body alone, as the target system takes it.
    Body,
    /// With the write, its operation and key around it.
    Envelope,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapStatus {
    /// Its payloads were written. `warned`: the author's rules have something to say of it.
    Ready {
        warned: bool,
    },
    NotEligible,
    /// No payload was written: [`Worker::stopped`] says why.
    Stopped {
        warned: bool,
    },
    /// Nothing was written: the reference has to look at it.
    Bailout,
}

impl<'p> CompiledFlow<'p> {
    /// Compiles a flow. `now` is the run's own.
    ///
    /// # Errors
    /// What the flow has that only the reference does, in a few words.
    pub fn new(plan: &'p Plan, flow: &'p Flow, names: &'p BTreeMap<ObjectRef, Arc<Names>>, now: Timestamp) -> Result<Self, &'static str> {
        let compiled = compiler::compile(plan, flow, names, now).map_err(|why| why.0)?;
        let zone = jiff::tz::TimeZone::get(&plan.time_zone).map_err(|_| "its zone is unknown")?;
        Ok(CompiledFlow { compiled, context: Context { now, zone } })
    }

    /// The objects that payloads are written to (`wms.Order`), in the order of [`Worker::map`]'s buffers.
    pub fn objects(&self) -> &[String] {
        &self.compiled.objects
    }

    pub fn worker(&self) -> Worker<'_, 'p> {
        self.reading(false)
    }

    /// A worker whose records are read by serde_json: slower, and what the other one is held to.
    pub fn reference_worker(&self) -> Worker<'_, 'p> {
        self.reading(true)
    }

    fn reading(&self, by_reference: bool) -> Worker<'_, 'p> {
        let memos = Memos::of(&self.compiled);
        Worker {
            flow: self,
            scanning: (!by_reference).then(Scanning::default),
            slots: Slots::default(),
            bump: Bump::new(),
            memos,
            first: Bytes::default(),
            payload: Bytes::default(),
            marks: Vec::new(),
            made: Vec::new(),
            stopped: Stopped::default(),
        }
    }
}

impl<'p> Worker<'_, 'p> {
    /// What is said of the record that was stopped last.
    pub fn stopped(&self) -> &Stopped<'p> {
        &self.stopped
    }

    /// Maps the text of one record, and appends its payloads, a line each, to the buffers of their objects. `count` is
    /// told each payload's object.
    pub fn map(&mut self, record: &str, form: Form, out: &mut [Vec<u8>], count: impl FnMut(usize)) -> MapStatus {
        let Worker { flow, scanning, slots, bump, memos, first, payload, marks, made, stopped } = self;
        let CompiledFlow { compiled, context } = flow;
        bump.reset();
        let mut read: Slots<'_> = std::mem::take(slots).again();
        let plain = match scanning {
            Some(scanning) => scanning.read(&compiled.projection, record, &mut read, bump),
            None => Reference.read(&compiled.projection, record, &mut read, bump),
        };
        if plain.is_err() {
            *slots = read.again();
            return MapStatus::Bailout;
        }
        marks.clear();
        marks.extend(out.iter().map(Vec::len));
        made.clear();
        let mut eval = Eval::new(compiled, context, record.as_bytes(), read, bump, memos, first);
        let way = through(&mut eval, form, payload, out, made, stopped);
        *slots = eval.slots.again();
        if !matches!(way, Ok(MapStatus::Ready { .. })) {
            made.clear();
            out.iter_mut().zip(marks).for_each(|(buffer, mark)| buffer.truncate(*mark));
        }
        match way {
            Ok(way) => {
                made.iter().copied().for_each(count);
                way
            }
            Err(Leave) => MapStatus::Bailout,
        }
    }
}

fn through<'r, 'p: 'r>(
    eval: &mut Eval<'r, 'p>,
    form: Form,
    written: &mut Bytes,
    out: &mut [Vec<u8>],
    made: &mut Vec<usize>,
    stopped: &mut Stopped<'p>,
) -> Ran<MapStatus> {
    // Rules write nothing.
    if !eval.run(0, written)? {
        return Ok(MapStatus::NotEligible);
    }
    if !eval.reasons.is_empty() {
        return stop(eval, stopped);
    }
    let compiled = eval.compiled;
    let mut length = 0;
    for write in &compiled.writes {
        let buffer = out.get_mut(write.object).ok_or(Leave)?;
        written.clear();
        if payload(eval, write, form, written)? {
            // What is so long is counted, which the reference evaluator does.
            length += written.len();
            if length > LONG_PAYLOADS {
                return Err(Leave);
            }
            written.push(b'\n');
            buffer.extend_from_slice(written);
            made.push(write.object);
        }
    }
    // A value map may refuse what a payload needs.
    if eval.reasons.is_empty() { Ok(MapStatus::Ready { warned: eval.warned }) } else { stop(eval, stopped) }
}

/// Ends a record that has reasons: whether there are more of them its payloads have to show.
#[cold]
fn stop<'r, 'p: 'r>(eval: &mut Eval<'r, 'p>, stopped: &mut Stopped<'p>) -> Ran<MapStatus> {
    let compiled = eval.compiled;
    if compiled.on_review && eval.reasons.iter().all(|reason| reason.review) {
        return Err(Leave);
    }
    stopped.id.clear();
    id(eval, &mut stopped.id)?;
    envelopes(eval, &compiled.writes, &mut stopped.writes)?;
    if eval.reasons.iter().any(|reason| !reason.review) {
        envelopes(eval, compiled.follow_ups.as_ref().ok_or(Leave)?, &mut stopped.writes)?;
    }
    stopped.reasons = std::mem::take(&mut eval.reasons);
    Ok(MapStatus::Stopped { warned: eval.warned })
}

fn envelopes<'r, 'p: 'r>(eval: &mut Eval<'r, 'p>, writes: &'r [Write<'p>], out: &mut Bytes) -> Ran<()> {
    out.clear();
    eval.unfinished = false;
    for write in writes {
        let before = out.len();
        if before > 0 {
            out.push(b',');
        }
        if !payload(eval, write, Form::Envelope, out)? {
            out.truncate(before);
        }
    }
    Ok(())
}

/// The record's id, as JSON.
fn id(eval: &Eval<'_, '_>, out: &mut Bytes) -> Ran<()> {
    let values = eval.compiled.ids.ok_or(Leave)?.map(|at| *eval.get(Reg::new(RECORD, at)));
    match values.into_iter().find(|value| *value != RegValue::ABSENT) {
        Some(RegValue::Text(text)) => quote(text, out),
        Some(RegValue::Number(number)) if number.places() == 0 => number.print(out),
        None | Some(RegValue::Missing(Missing::Null)) => out.extend_from_slice(b"null"),
        _ => return Err(Leave),
    }
    Ok(())
}

/// Bytes of one record's payloads that are written here: so long that what the reference evaluator counts is not reached.
const LONG_PAYLOADS: usize = bounds::RECORD_TEXTS / 4;

/// Writes one payload; false where it is not made.
fn payload<'r, 'p: 'r>(eval: &mut Eval<'r, 'p>, write: &'r Write<'p>, form: Form, out: &mut Bytes) -> Ran<bool> {
    if !eval.run(write.begin, out)? {
        return Ok(false);
    }
    let object = eval.compiled.objects.get(write.object).ok_or(Leave)?;
    eval.first.clear();
    let mut key = None;
    if let Some((value, field)) = &write.key {
        // The checker has made sure that a key is there; a record without one has a reason.
        let text = eval.text_of(*value)?.ok_or(Leave)?;
        if let Some(field) = field {
            if !emit::fits(text, field.field) || field.field.pattern.is_some() {
                return Err(Leave);
            }
            eval.first.extend_from_slice(&field.name);
            quote(text, eval.first);
        }
        key = Some(text);
    }
    let id = write.id.map(|id| eval.text_of(id)).transpose()?.flatten();
    if write.op == "update" && key.is_none() && id.is_none() {
        return Err(Leave);
    }
    if form == Form::Envelope {
        let text = |name: &str, text: Option<&[u8]>, out: &mut Bytes| {
            out.extend_from_slice(name.as_bytes());
            match text {
                Some(text) => quote(text, out),
                None => out.extend_from_slice(b"null"),
            }
        };
        text("{\"op\":", Some(write.op.as_bytes()), out);
        text(",\"object\":", Some(object.as_bytes()), out);
        text(",\"key\":", key, out);
        text(",\"id\":", id, out);
        out.extend_from_slice(b",\"body\":");
    }
    if !eval.run(write.body, out)? {
        return Err(Leave);
    }
    if form == Form::Envelope {
        out.push(b'}');
    }
    if out.len() > LONG_PAYLOADS {
        return Err(Leave);
    }
    Ok(true)
}
