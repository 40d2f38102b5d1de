//! Which registers an operation reads and writes, and where it continues.

use super::op::{Argument, At, Decode, Element, Op, Piece, Test};
use super::reg::Reg;
use super::row::Write;
use super::tables::Columns;

impl Op<'_> {
    /// Where the one value goes that it computes; none for what has more to do.
    pub(super) fn dst(&mut self) -> Option<&mut u32> {
        match self {
            Op::Load { dst, .. }
            | Op::Copy { dst, .. }
            | Op::Or { dst, .. }
            | Op::OrElse { dst, .. }
            | Op::FirstOf { dst, .. }
            | Op::Element { dst, .. }
            | Op::Pick { dst, .. }
            | Op::Decode { dst, .. }
            | Op::Quick { dst, .. }
            | Op::Call { dst, .. }
            | Op::Cell { dst, .. }
            | Op::Values { dst, .. }
            | Op::Template { dst, .. }
            | Op::Arithmetic { dst, .. }
            | Op::Weigh { dst, .. }
            | Op::Measure { dst, .. }
            | Op::Coerce { dst, .. }
            | Op::Reasons { dst } => Some(dst),
            Op::Look { to, .. } | Op::Rows { to, .. } => Some(&mut to.first),
            _ => None,
        }
    }

    /// It computes the same value as another, wherever the value goes. What does more than to compute one is the same as nothing.
    pub(super) fn computes_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Op::Load { value, dst: _ }, Op::Load { value: b, dst: _ }) => value == b,
            (Op::Copy { of, dst: _ }, Op::Copy { of: b, dst: _ }) => of == b,
            (Op::Or { of, or, dst: _ }, Op::Or { of: b, or: c, dst: _ }) => (of, or) == (b, c),
            (Op::OrElse { of, or, dst: _ }, Op::OrElse { of: b, or: c, dst: _ }) => (of, or) == (b, c),
            (Op::FirstOf { of, dst: _ }, Op::FirstOf { of: b, dst: _ }) => of == b,
            (Op::Element { base, node, dst: _ }, Op::Element { base: b, node: c, dst: _ }) => (base, node) == (b, c),
            (Op::Pick { of, places, dst: _ }, Op::Pick { of: b, places: c, dst: _ }) => (of, places) == (b, c),
            (Op::Decode { of, decode, dst: _ }, Op::Decode { of: b, decode: c, dst: _ }) => (of, decode) == (b, c),
            (Op::Quick { quick, of, dst: _ }, Op::Quick { quick: b, of: c, dst: _ }) => (quick, of) == (b, c),
            (Op::Call { call, memo: _, dst: _ }, Op::Call { call: b, memo: _, dst: _ }) => call == b,
            (Op::Cell { table, key, column, dst: _ }, Op::Cell { table: b, key: c, column: d, dst: _ }) => (table, key, column) == (b, c, d),
            (Op::Values { map, of, dst: _ }, Op::Values { map: b, of: c, dst: _ }) => (map, of) == (b, c),
            (Op::Template { pieces, message, dst: _ }, Op::Template { pieces: b, message: c, dst: _ }) => (pieces, message) == (b, c),
            (Op::Arithmetic { op, left, right, dst: _ }, Op::Arithmetic { op: b, left: c, right: d, dst: _ }) => (op, left, right) == (b, c, d),
            (Op::Weigh { of, unit, dst: _ }, Op::Weigh { of: b, unit: c, dst: _ }) => (of, unit) == (b, c),
            (Op::Measure { of, unit, dst: _ }, Op::Measure { of: b, unit: c, dst: _ }) => (of, unit) == (b, c),
            (Op::Coerce { of, how, dst: _ }, Op::Coerce { of: b, how: c, dst: _ }) => (of, how) == (b, c),
            (Op::Reasons { dst: _ }, Op::Reasons { dst: _ }) => true,
            (Op::Look { table, key, to }, Op::Look { table: b, key: c, to: d }) => (table, key, to.count, to.read) == (b, c, d.count, d.read),
            (Op::Rows { table, keys, to }, Op::Rows { table: b, keys: c, to: d }) => (table, keys, to.count, to.read) == (b, c, d.count, d.read),
            _ => false,
        }
    }

    /// Registers that it fills or changes.
    pub(super) fn fills(&mut self, with: &mut impl FnMut(&mut u32)) {
        if let Some(dst) = self.dst() {
            with(dst);
        }
        match self {
            Op::Each { element, index, .. } | Op::Next { element, index, .. } | Op::NextItem { element, index, .. } => {
                element_fills(element, index, with)
            }
            Op::AddProducts(products) => {
                with(&mut products.dst);
                element_fills(&mut products.element, &mut products.index, with);
            }
            Op::StreetLine { dst, .. }
            | Op::Map { dst, .. }
            | Op::Take { dst, .. }
            | Op::Add { dst, .. }
            | Op::AddProduct { dst, .. }
            | Op::Sum { dst, .. }
            | Op::Listed { dst } => with(dst),
            _ => {}
        }
    }

    /// Where it may go on.
    pub(super) fn to(&mut self) -> Option<&mut At> {
        match self {
            Op::Jump(to)
            | Op::Each { end: to, .. }
            | Op::Next { begin: to, .. }
            | Op::NextItem { begin: to, .. }
            | Op::Holds { to, .. }
            | Op::Present { to, .. }
            | Op::IsWord { to, .. }
            | Op::InWords { to, .. }
            | Op::CompareNumber { to, .. }
            | Op::Compare { to, .. }
            | Op::Test { to, .. }
            | Op::StreetLine { to, .. }
            | Op::Map { to, .. }
            | Op::Take { to, .. }
            | Op::Rests { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Registers that it reads; not what it adds to.
    pub(super) fn reads(&mut self, with: &mut impl FnMut(&mut Reg)) {
        match self {
            Op::Each { list: of, .. }
            | Op::Holds { of, .. }
            | Op::Present { of, .. }
            | Op::IsWord { of, .. }
            | Op::InWords { of, .. }
            | Op::CompareNumber { of, .. }
            | Op::Copy { of, .. }
            | Op::Take { of, .. }
            | Op::OrElse { of, .. }
            | Op::Pick { of, .. }
            | Op::Quick { of, .. }
            | Op::Values { of, .. }
            | Op::Map { of, .. }
            | Op::StreetLine { street: of, .. }
            | Op::Look { key: of, .. }
            | Op::Cell { key: of, .. }
            | Op::Add { of, .. }
            | Op::Weigh { of, .. }
            | Op::Measure { of, .. }
            | Op::Coerce { of, .. }
            | Op::Push(of)
            | Op::WriteText { of, .. }
            | Op::WriteShaped { of, .. }
            | Op::WriteNumber { of, .. }
            | Op::WriteRounded { of, .. }
            | Op::WriteWeight { of, .. }
            | Op::WriteValue { of, .. } => with(of),
            Op::Compare { left: one, right: other, .. }
            | Op::Arithmetic { left: one, right: other, .. }
            | Op::AddProduct { of: one, by: other, .. }
            | Op::Or { of: one, or: other, .. } => {
                with(one);
                with(other);
            }
            Op::FirstOf { of, .. } | Op::WriteFirst { of, .. } => of.iter_mut().for_each(with),
            Op::AddProducts(products) => {
                with(&mut products.of);
                with(&mut products.by);
            }
            Op::WriteProduct { row } => {
                with(&mut row.1.of);
                with(&mut row.1.by);
            }
            Op::Decode { of, decode, .. } => {
                with(of);
                if let Decode::Money { currency: Some(currency), .. } = &mut **decode {
                    with(currency);
                }
            }
            Op::Test { test, .. } => match &mut **test {
                Test::In(of, items) => {
                    with(of);
                    items.iter_mut().for_each(with);
                }
                Test::Matches(of, _) | Test::Email(of) => with(of),
                Test::WasSent(way) => way.iter_mut().for_each(with),
            },
            Op::Rows { keys, .. } => keys.iter_mut().for_each(with),
            Op::Call { call, .. } => call.arguments.iter_mut().for_each(|argument| match argument {
                Argument::Value(reg) => with(reg),
                Argument::Constant(_) => {}
            }),
            Op::Template { pieces, .. } | Op::WriteTemplate { pieces, .. } => pieces.iter_mut().for_each(|piece| match piece {
                Piece::Value(reg) => with(reg),
                Piece::Text(_) => {}
            }),
            Op::Tell(told) => {
                with(&mut told.message);
                told.before.iter_mut().for_each(with);
            }
            Op::Jump(_)
            | Op::Done
            | Op::Skip
            | Op::Next { .. }
            | Op::NextItem { .. }
            | Op::Load { .. }
            | Op::Element { .. }
            | Op::Sum { .. }
            | Op::List
            | Op::PushRow { .. }
            | Op::Listed { .. }
            | Op::Reasons { .. }
            | Op::Leave
            | Op::Rests { .. }
            | Op::Failed { .. }
            | Op::Warned
            | Op::Unfinished
            | Op::Open { .. }
            | Op::First
            | Op::Close { .. }
            | Op::OpenList { .. }
            | Op::Item { .. }
            | Op::OpenItem { .. }
            | Op::EndItem { .. }
            | Op::CloseItem { .. }
            | Op::CloseList { .. }
            | Op::Required
            | Op::Write(_) => {}
        }
    }
}

fn element_fills(element: &mut Element, index: &mut Option<u32>, with: &mut impl FnMut(&mut u32)) {
    if let Element::Columns(Columns { first: dst, .. }) | Element::Value(dst) = element {
        with(dst);
    }
    index.iter_mut().for_each(with);
}

impl Write<'_> {
    /// Registers that it reads by itself.
    pub(super) fn reads(&mut self, with: &mut impl FnMut(&mut Reg)) {
        self.key.iter_mut().map(|(key, _)| key).chain(&mut self.id).for_each(with);
    }
}
