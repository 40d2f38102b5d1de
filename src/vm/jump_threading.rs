//! Jump threading: skips tests whose result is known on this path, and values that were already written on it.

use super::op::{At, Op};
use super::peephole::Uses;
use super::reg::RegValue;
use super::row::{Key, Write};
use crate::value::Missing;

/// Lays jumps past operations that have nothing to do there. What each does and where it stands stays.
pub(super) fn shorten<'p>(ops: &mut [Op<'p>], writes: &mut [&mut Write<'p>]) {
    let uses = Uses::of(ops, writes);
    // From behind, so that one leads on to the next.
    let mut is_short = vec![false; ops.len()];
    for at in (0..ops.len()).rev() {
        if let Some(to) = past_street_lines(ops, at, &is_short, &uses)
            && let Some(Op::StreetLine { to: place, .. }) = ops.get_mut(at)
        {
            (*place, is_short[at]) = (to, true);
        }
        if let Some(to) = past_what_is_missing(ops, at, &uses) {
            ops[at] = Op::Jump(to);
        }
        written_at_once(ops, at, &uses);
    }
    // And past jumps: their own ways are short by now.
    for at in 0..ops.len() {
        if let Some(to) = ops[at].to().copied()
            && let Some(Op::Jump(on)) = ops.get(to as usize)
        {
            let on = *on;
            ops[at].to().into_iter().for_each(|to| *to = on);
        }
    }
}

/// Where it goes on behind a row that nothing is written of: its value is missing in every record that comes here.
fn past_what_is_missing(ops: &[Op<'_>], at: usize, uses: &Uses) -> Option<At> {
    let Op::Load { value: RegValue::Missing(Missing::Absent), dst } = ops.get(at)? else { return None };
    let place = match ops.get(at + 1)? {
        Op::Jump(to) => *to as usize,
        _ => at + 1,
    };
    let (Op::WriteText { of, row, .. }
    | Op::WriteShaped { of, row, .. }
    | Op::WriteNumber { of, row }
    | Op::WriteRounded { of, row, .. }
    | Op::WriteWeight { of, row, .. }
    | Op::WriteValue { of, row }) = ops.get(place)?
    else {
        return None;
    };
    (!row.required && uses.only(*dst, *of)).then_some(place as At + 1)
}

/// Where it goes on behind the further lines of a street that has one: rows in which nothing would stand.
fn past_street_lines(ops: &[Op<'_>], at: usize, is_short: &[bool], uses: &Uses) -> Option<At> {
    let Op::StreetLine { street, first: false, dst, to } = ops.get(at)? else { return None };
    let Op::WriteText { of, row, .. } = ops.get(*to as usize)? else { return None };
    if row.required || !uses.only(*dst, *of) {
        return None;
    }
    let behind = *to as usize + 1;
    match ops.get(behind) {
        Some(Op::StreetLine { street: other, first: false, to, .. }) if other == street && is_short.get(behind) == Some(&true) => Some(*to),
        _ => Some(behind as At),
    }
}

/// A text that is the same in every record, and written where the code jumps to, is written as it is.
fn written_at_once<'p>(ops: &mut [Op<'p>], at: usize, uses: &Uses) {
    let [Op::Load { value: RegValue::Text(text), dst }, Op::Jump(to)] = &ops[at..(at + 2).min(ops.len())] else { return };
    let (text, dst, to) = (*text, *dst, *to);
    let Some(Op::WriteValue { of, row }) = ops.get(to as usize) else { return };
    // Others may be written there too; then it is read there alone all the same.
    if !uses.only(dst, *of) {
        return;
    }
    if !row.out.takes_at_once(text) {
        return;
    }
    ops[at] = Op::Write(Box::new(Key::and_text(row.key.whole(), text)));
    ops[at + 1] = Op::Jump(to + 1);
}
