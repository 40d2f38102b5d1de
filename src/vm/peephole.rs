//! Peephole pass: fuses adjacent operations into one, if each passes its value to the next. This saves the register between them and
//! the step to the next operation.

use super::number::Number;
use super::op::{At, Element, Op, Piece, Products, Quick};
use super::quote;
use super::reg::{Reg, RegValue};
use super::row::{Empty, Form, Product, Write};
use crate::ir::Arithmetic::Multiply;

/// Joins operations. Jumps go on at their places as before, and so do writes. Gives the registers too of what is computed
/// no more.
pub(super) fn optimize<'p>(mut ops: Vec<Op<'p>>, writes: &mut [&mut Write<'p>]) -> (Vec<Op<'p>>, Vec<u32>) {
    let mut unused = Vec::new();
    let count = ops.len();
    let uses = Uses::of(&mut ops, writes);
    let mut entered = vec![false; count + 1];
    ops.iter_mut().filter_map(Op::to).for_each(|to| enter(&mut entered, *to));
    for write in &*writes {
        enter(&mut entered, write.begin);
        enter(&mut entered, write.body);
    }

    for op in &mut ops {
        if let Op::Look { to, .. }
        | Op::Rows { to, .. }
        | Op::Each { element: Element::Columns(to), .. }
        | Op::Next { element: Element::Columns(to), .. } = op
        {
            *to = to.reading(|at| uses.any(at));
        }
        if let Op::Look { table, key, to } = op
            && let Some((column, dst)) = to.one()
        {
            unused.extend((to.first..=to.first + u32::from(to.count)).filter(|at| *at != dst));
            *op = Op::Cell { table: *table, key: *key, column, dst };
        }
    }

    // What is joined, and whether it may be jumped to.
    let mut made: Vec<(Op<'p>, bool)> = Vec::with_capacity(count);
    let mut places: Vec<At> = Vec::with_capacity(count + 1);
    let mut is_entered = false;
    for (at, op) in ops.into_iter().enumerate() {
        is_entered |= entered.get(at) == Some(&true);
        if matches!(op, Op::Jump(to) if to as usize == at + 1) {
            places.push(made.len() as At);
            continue;
        }
        let mut op = op;
        if let Op::Next { begin, .. } = op
            && !is_entered
            && places.get(begin as usize).is_some_and(|place| *place as usize + 1 == made.len())
            && let Some((Op::AddProduct { .. }, _)) = made.last()
            && let Some((before, was_entered)) = made.pop()
        {
            // It is a loop around this alone.
            (op, is_entered) = (products(before, op), was_entered);
        }
        while !is_entered && let Some((mut before, was_entered)) = made.pop() {
            let dst = before.dst().copied();
            match uses.join(before, op) {
                Ok(joined) => {
                    (op, is_entered) = (joined, was_entered);
                    let mut is_filled = false;
                    op.fills(&mut |place| is_filled |= Some(*place) == dst);
                    unused.extend(dst.filter(|_| !is_filled));
                }
                Err(two) => {
                    made.push((two.0, was_entered));
                    op = two.1;
                    break;
                }
            }
        }
        places.push(made.len() as At);
        made.push((op, is_entered));
        is_entered = false;
    }
    places.push(made.len() as At);

    let moved = |to: &mut At| *to = places.get(*to as usize).copied().unwrap_or(At::MAX);
    for write in writes {
        moved(&mut write.begin);
        moved(&mut write.body);
    }
    let mut ops: Vec<_> = made.into_iter().map(|(op, _)| op).collect();
    ops.iter_mut().filter_map(Op::to).for_each(moved);
    (ops, unused)
}

/// The products of a loop's elements.
fn products<'p>(add: Op<'p>, next: Op<'p>) -> Op<'p> {
    match (add, next) {
        (Op::AddProduct { of, by, or, dst }, Op::Next { nest, element, index, .. }) => {
            Op::AddProducts(Box::new(Products { of, by, or, dst, nest, element, index }))
        }
        (_, next) => next,
    }
}

fn enter(entered: &mut [bool], at: At) {
    if let Some(place) = entered.get_mut(at as usize) {
        *place = true;
    }
}

/// How often each register of what is computed is read.
#[derive(Default)]
pub(super) struct Uses(Vec<u32>);

impl Uses {
    pub(super) fn of<'p>(ops: &mut [Op<'p>], writes: &mut [&mut Write<'p>]) -> Self {
        let mut uses = Uses::default();
        ops.iter_mut().for_each(|op| op.reads(&mut |reg| uses.note(reg)));
        writes.iter_mut().for_each(|write| write.reads(&mut |reg| uses.note(reg)));
        uses
    }

    fn note(&mut self, reg: &Reg) {
        if let Some(at) = reg.as_computed() {
            let at = at as usize;
            if self.0.len() <= at {
                self.0.resize(at + 1, 0);
            }
            self.0[at] += 1;
        }
    }

    fn any(&self, dst: u32) -> bool {
        self.0.get(dst as usize).is_some_and(|count| *count > 0)
    }

    /// Whether what was computed here is read there and nowhere else.
    pub(super) fn only(&self, dst: u32, reg: Reg) -> bool {
        reg.as_computed() == Some(dst) && self.0.get(dst as usize) == Some(&1)
    }

    /// One operation that does what two do, or the two again.
    fn join<'p>(&self, before: Op<'p>, op: Op<'p>) -> Result<Op<'p>, (Op<'p>, Op<'p>)> {
        Ok(match (before, op) {
            (Op::Or { of, or, dst }, Op::Or { of: other, or: last, dst: to }) if self.only(dst, other) => Op::FirstOf { of: [of, or, last], dst: to },
            (Op::Or { of, or, dst }, Op::WriteText { of: other, most, row }) if self.only(dst, other) => {
                Op::WriteFirst { of: [of, or, or], most, row }
            }
            (Op::FirstOf { of, dst }, Op::WriteText { of: other, most, row }) if self.only(dst, other) => Op::WriteFirst { of, most, row },
            (Op::Copy { of, dst }, Op::Present { of: other, when: true, to }) if other == of || other.as_computed() == Some(dst) => {
                Op::Take { of, dst, to }
            }

            (Op::Template { pieces, message: false, dst }, Op::WriteText { of, most, row }) if self.only(dst, of) && pieces.iter().all(is_plain) => {
                Op::WriteTemplate { pieces, most, row }
            }
            (
                Op::Quick { quick: quick @ (Quick::Trim | Quick::Truncate(_) | Quick::Lower | Quick::Upper), of, dst },
                Op::WriteText { of: other, most, row },
            ) if self.only(dst, other) => Op::WriteShaped { quick, of, most, row },
            (Op::Quick { quick: Quick::Round(places, how), of, dst }, Op::WriteNumber { of: other, row }) if self.only(dst, other) => {
                Op::WriteRounded { of, places, how, row }
            }
            (Op::Weigh { of, unit, dst }, Op::WriteValue { of: other, row }) if self.only(dst, other) && matches!(row.out.form, Form::Weight(_)) => {
                Op::WriteWeight { of, unit, row }
            }

            (Op::Arithmetic { op: Multiply, left, right, dst }, Op::WriteRounded { of, places, how, row }) if self.only(dst, of) => {
                Op::WriteProduct { row: Box::new((*row, Product { of: left, by: right, or: None, places, how })) }
            }
            (Op::Arithmetic { op: Multiply, left, right, dst }, Op::Add { of, dst: sum }) if self.only(dst, of) => {
                Op::AddProduct { of: left, by: right, or: None, dst: sum }
            }
            (Op::OrElse { of: reg, or, dst }, Op::WriteProduct { mut row })
                if is_number(&or) && row.1.or.is_none() && self.either(dst, row.1.of, row.1.by) =>
            {
                let product = &mut row.1;
                (product.of, product.by, product.or) = (other(dst, product.of, product.by), reg, number(&or));
                Op::WriteProduct { row }
            }
            (Op::OrElse { of: reg, or, dst }, Op::AddProduct { of, by, or: None, dst: sum }) if is_number(&or) && self.either(dst, of, by) => {
                Op::AddProduct { of: other(dst, of, by), by: reg, or: number(&or), dst: sum }
            }

            (Op::Cell { table, key, column, dst }, Op::Copy { of, dst: to }) if self.only(dst, of) => Op::Cell { table, key, column, dst: to },

            (Op::CloseItem { list, mark }, Op::Next { nest, element, index, begin }) => Op::NextItem { list, mark, nest, element, index, begin },
            (Op::Item { mark: list }, Op::Open { mark, key: None }) => Op::OpenItem { list, mark },
            (Op::Close { mark, empty: Empty::Written }, Op::EndItem { mark: list }) => Op::CloseItem { list, mark },
            two => return Err(two),
        })
    }

    /// Whether one of two factors is what was computed here.
    fn either(&self, dst: u32, one: Reg, other: Reg) -> bool {
        self.only(dst, one) || self.only(dst, other)
    }
}

fn is_plain(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Text(text) => quote::is_plain(text),
        Piece::Value(_) => true,
    }
}

/// The factor that was not computed here.
fn other(dst: u32, one: Reg, other: Reg) -> Reg {
    if one.as_computed() == Some(dst) { other } else { one }
}

fn number(value: &RegValue<'_>) -> Option<Number> {
    match value {
        RegValue::Number(number) => Some(*number),
        _ => None,
    }
}

fn is_number(value: &RegValue<'_>) -> bool {
    number(value).is_some()
}
