//! Code under construction: operations, labels, registers, and the facts that are known at a place in it.
//!
//! Common subexpressions are computed once, if the first computation is certain to have run before. So code that may be skipped, or
//! that runs for each element of a list, has a scope of its own.

use super::compiler::{Compiler, Found, Unsupported};
use super::jump_threading::shorten;
use super::op::{At, LOOPS, MARKS, Op};
use super::peephole::optimize;
use super::projection::NodeId;
use super::reg::{BASES, Reg};
use super::row::Write;
use crate::ir::Slot;

/// A place that is jumped to. Until the code is complete operations have it instead of the place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label(At);

/// Where a value is.
#[derive(Debug, Clone)]
pub(super) enum Held {
    In(Reg),
    /// An object of the record: its fields stand at a base.
    Object {
        node: NodeId,
        base: u8,
    },
    /// One of several objects, which a register tells.
    Either(Reg, Vec<NodeId>),
    /// A list of such.
    Rows(Reg, Vec<NodeId>),
    /// A row of a table, and its columns behind it.
    Row {
        first: u32,
        table: usize,
    },
    TableRows(Reg, usize),
}

#[derive(Debug, Default)]
pub(super) struct Code<'p> {
    pub(super) ops: Vec<Op<'p>>,
    labels: Vec<At>,
    /// Registers for what is computed.
    pub(super) computed: u32,
    /// Operations of which each computed a value, by their places, and where the value is.
    made: Vec<(usize, u32)>,
    known: Vec<(Slot, Held)>,
    bases: u8,
    nests: u8,
    marks: u8,
}

/// How far code was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    ops: usize,
    made: usize,
    known: usize,
    bases: u8,
    nests: u8,
    marks: u8,
}

impl<'p> Compiler<'p> {
    // ---- operations ----

    pub(super) fn push(&mut self, op: Op<'p>) {
        self.code.ops.push(op);
    }

    pub(super) fn here(&self) -> At {
        self.code.ops.len() as At
    }

    pub(super) fn label(&mut self) -> Label {
        self.code.labels.push(At::MAX);
        Label(self.code.labels.len() as At - 1)
    }

    pub(super) fn place(&mut self, label: Label) {
        let here = self.here();
        if let Some(place) = self.code.labels.get_mut(label.0 as usize) {
            *place = here;
        }
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.push(Op::Jump(to.0));
    }

    /// Registers for so many values.
    pub(super) fn room(&mut self, count: u32) -> u32 {
        self.code.computed += count;
        self.code.computed - count
    }

    /// Computes a value; what was computed before is taken from there.
    pub(super) fn compute(&mut self, op: Op<'p>) -> Reg {
        Reg::computed(self.compute_some(op, 1))
    }

    /// The same of an operation that fills several registers; gives the first.
    pub(super) fn compute_some(&mut self, mut op: Op<'p>, count: u32) -> u32 {
        let is_same = |(made, _): &&(usize, u32)| self.code.ops.get(*made).is_some_and(|made| made.computes_as(&op));
        if let Some((_, known)) = self.code.made.iter().find(is_same) {
            return *known;
        }
        let to = self.room(count);
        if let Some(dst) = op.dst() {
            *dst = to;
        }
        if let Op::Call { memo, .. } = &mut op {
            *memo = self.memo();
        }
        self.code.made.push((self.code.ops.len(), to));
        self.push(op);
        to
    }

    /// Lets the operation that was made last, which nothing else knows of, compute into another register.
    pub(super) fn redirect(&mut self, since: Point, of: Reg, to: u32) -> bool {
        let Some(of) = of.as_computed() else { return false };
        let is = |reg: &Reg| reg.as_computed() == Some(of);
        let known = self.code.known.iter().any(|(_, held)| matches!(held, Held::In(reg) | Held::Either(reg, _) if is(reg)));
        // What several operations compute, on one way or another, is not among what was made.
        let alone = self.code.made.last().is_some_and(|(_, made)| *made == of);
        if known || !alone || self.code.ops.len() <= since.ops {
            return false;
        }
        match self.code.ops.last_mut() {
            // It fills more than one.
            None | Some(Op::Look { .. } | Op::Rows { .. }) => false,
            Some(op) => match op.dst() {
                Some(dst) if *dst == of => {
                    *dst = to;
                    self.code.made.pop();
                    true
                }
                _ => false,
            },
        }
    }

    // ---- what is known ----

    pub(super) fn bind(&mut self, slot: Slot, held: Held) {
        self.code.known.push((slot, held));
    }

    pub(super) fn known(&self, slot: Slot) -> Option<&Held> {
        self.code.known.iter().rev().find(|(known, _)| *known == slot).map(|(_, held)| held)
    }

    pub(super) fn point(&self) -> Point {
        let Code { ops, made, known, bases, nests, marks, .. } = &self.code;
        Point { ops: ops.len(), made: made.len(), known: known.len(), bases: *bases, nests: *nests, marks: *marks }
    }

    /// Forgets what was made known since.
    fn forget(&mut self, since: Point) {
        self.code.made.truncate(since.made);
        self.code.known.truncate(since.known);
        self.code.bases = since.bases;
        self.code.nests = since.nests;
        self.code.marks = since.marks;
    }

    /// Takes back what was made since.
    pub(super) fn take_back(&mut self, since: Point) {
        self.code.ops.truncate(since.ops);
        self.forget(since);
    }

    /// Whether operations were made since.
    pub(super) fn is_longer(&self, since: Point) -> bool {
        self.code.ops.len() > since.ops
    }

    /// Code that may be passed over, or comes more than once.
    pub(super) fn scoped<T>(&mut self, make: impl FnOnce(&mut Self) -> Found<T>) -> Found<T> {
        let point = self.point();
        let made = make(self);
        self.forget(point);
        made
    }

    /// A base for the rows of a list's elements.
    pub(super) fn base(&mut self) -> Found<u8> {
        self.code.bases += 1;
        if usize::from(self.code.bases) < BASES { Ok(self.code.bases) } else { Err(Unsupported("loops that are nested too deeply")) }
    }

    pub(super) fn nest(&mut self) -> Found<u8> {
        self.code.nests += 1;
        if usize::from(self.code.nests) <= LOOPS { Ok(self.code.nests - 1) } else { Err(Unsupported("loops that are nested too deeply")) }
    }

    pub(super) fn mark(&mut self) -> Found<u8> {
        self.code.marks += 1;
        if usize::from(self.code.marks) <= MARKS { Ok(self.code.marks - 1) } else { Err(Unsupported("objects that are nested too deeply")) }
    }

    pub(super) fn unmark(&mut self) {
        self.code.marks -= 1;
    }
}

impl Label {
    /// As operations have it until the code is complete.
    pub(super) fn to(self) -> At {
        self.0
    }
}

impl<'p> Code<'p> {
    /// The operations, with the places that they go on at, and those of what is computed: behind a record's row of this
    /// width. `writes` go on at the same operations. Gives how many registers are needed for what is computed too.
    pub(super) fn complete<'w>(self, width: u32, writes: impl Iterator<Item = &'w mut Write<'p>>) -> (Vec<Op<'p>>, u32)
    where
        'p: 'w,
    {
        let Code { mut ops, labels, computed, .. } = self;
        for op in &mut ops {
            if let Some(to) = op.to() {
                // A label that was never placed leads behind the end, where the record is left to the reference.
                *to = labels.get(*to as usize).copied().unwrap_or(At::MAX);
            }
        }
        let mut writes: Vec<_> = writes.collect();
        let (mut ops, unused) = optimize(ops, &mut writes);
        shorten(&mut ops, &mut writes);
        let mut next = width;
        let places: Vec<u32> = (0..computed)
            .map(|at| {
                let place = next;
                next += u32::from(!unused.contains(&at));
                place
            })
            .collect();
        for op in &mut ops {
            op.reads(&mut |reg| reg.relocate(&places));
            op.fills(&mut |dst| *dst = places.get(*dst as usize).copied().unwrap_or_default());
            if let Op::Call { call, .. } = op {
                call.relocated();
            }
        }
        for write in writes {
            write.reads(&mut |reg| reg.relocate(&places));
        }
        (ops, next - width)
    }
}
