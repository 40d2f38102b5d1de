//! Runs the operations over one record.
//!
//! The result is payloads, or a bailout: records that need a built-in reason, or something too uncommon to implement twice, go to the
//! reference evaluator as a whole.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;

use super::bytes::Bytes;
use super::memo::Memos;
use super::number::Number;
use super::numbers::is;
use super::op::{At, Compiled, Element, LOOPS, MARKS, Op, Products, Quick, Test, Told};
use super::projection::{NodeId, same};
use super::read::string;
use super::reg::{BASES, Currency, Reg, RegValue};
use super::scan::Slots;
use super::stopped::Reason;
use super::texts::{is_one_line, is_short_email};
use crate::builtin::{Context, is_email};
use crate::ir::{Arithmetic, Compare};
use crate::value::{MAX_ITEMS, Missing};

/// The record is left to the reference evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave;

pub(crate) type Ran<T> = Result<T, Leave>;

/// Elements that all loops over one record may visit together.
const MOST_STEPS: u32 = 100_000;

/// A loop that is under way: over items, or else over rows of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Nest<'r> {
    items: Option<&'r [RegValue<'r>]>,
    node: NodeId,
    first: u32,
    at: u32,
    count: u32,
}

/// An object or a list that is being written: places in what was written so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    /// Before its key.
    pub(super) before: usize,
    pub(super) begin: usize,
    /// Where the row or the item at hand begins.
    pub(super) row: usize,
    /// Items, or rows that have to be there and are.
    pub(super) count: usize,
}

/// One record while it is mapped.
pub(crate) struct Eval<'r, 'p> {
    pub(crate) compiled: &'r Compiled<'p>,
    pub(crate) context: &'r Context,
    pub(crate) text: &'r [u8],
    pub(crate) slots: Slots<'r>,
    pub(crate) bump: &'r Bump,
    pub(crate) memos: &'r mut Memos,
    /// What stands before the rows of a payload: its key's field.
    pub(crate) first: &'r mut Bytes,
    pub(crate) warned: bool,
    /// Why the record is stopped.
    pub(crate) reasons: Vec<Reason<'p>>,
    /// What a payload needs is not there, and was told.
    pub(crate) unfinished: bool,
    /// Rules that have failed, and in how many loops.
    failed: Vec<(u32, u32)>,
    steps: u32,
    bases: [u32; BASES],
    nests: [Nest<'r>; LOOPS],
    /// The street that was last seen to be one line: its further lines are asked for next.
    one_line: Option<&'r [u8]>,
    /// Lists that are being made.
    lists: List<'r, List<'r, RegValue<'r>>>,
    pub(super) marks: [Mark; MARKS],
}

impl<'r, 'p: 'r> Eval<'r, 'p> {
    pub(crate) fn new(
        compiled: &'r Compiled<'p>,
        context: &'r Context,
        text: &'r [u8],
        slots: Slots<'r>,
        bump: &'r Bump,
        memos: &'r mut Memos,
        first: &'r mut Bytes,
    ) -> Self {
        Eval {
            compiled,
            context,
            text,
            slots,
            bump,
            memos,
            first,
            warned: false,
            reasons: Vec::new(),
            unfinished: false,
            failed: Vec::new(),
            steps: 0,
            bases: [0; BASES],
            nests: [Nest::default(); LOOPS],
            one_line: None,
            lists: List::new_in(bump),
            marks: [Mark::default(); MARKS],
        }
    }

    // ---- registers ----

    /// What stands in a register. It is looked at where it stands: a value that was just written in parts is not at once
    /// there to be copied as a whole.
    #[inline(always)]
    pub(crate) fn get(&self, reg: Reg) -> &RegValue<'r> {
        match self.slots.values.get(reg.place(&self.bases)) {
            Some(value) => value,
            None => nothing(),
        }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, dst: u32, value: RegValue<'r>) {
        if let Some(place) = self.slots.values.get_mut(dst as usize) {
            *place = value;
        }
    }

    /// What was computed before.
    #[inline(always)]
    pub(super) fn computed(&self, dst: u32) -> &RegValue<'r> {
        match self.slots.values.get(dst as usize) {
            Some(value) => value,
            None => nothing(),
        }
    }

    /// Copies a value; a common one by its parts, which may just have been written.
    #[inline(always)]
    fn copy(&mut self, of: Reg, dst: u32) {
        match *self.get(of) {
            RegValue::Text(text) => self.put(dst, RegValue::Text(text)),
            RegValue::Number(number) => self.put(dst, RegValue::Number(number)),
            RegValue::Missing(missing) => self.put(dst, RegValue::Missing(missing)),
            value => self.put(dst, value),
        }
    }

    /// The first of three that is there, or else the last.
    #[inline(always)]
    fn first_of<'g>(&self, first: &'g Reg, second: &'g Reg, third: &'g Reg) -> &'g Reg {
        if !self.get(*first).is_missing() {
            first
        } else if !self.get(*second).is_missing() {
            second
        } else {
            third
        }
    }

    /// A text; none where it is missing.
    #[inline(always)]
    pub(crate) fn text_of(&self, reg: Reg) -> Ran<Option<&'r [u8]>> {
        match self.get(reg) {
            RegValue::Text(text) => Ok(Some(text)),
            RegValue::Missing(_) => Ok(None),
            _ => Err(Leave),
        }
    }

    // ---- code ----

    /// Runs a piece of code to its end; false where it is skipped.
    pub(crate) fn run(&mut self, begin: At, out: &mut Bytes) -> Ran<bool> {
        let compiled = self.compiled;
        let from = |at: At| compiled.code.get(at as usize..).unwrap_or_default().iter();
        let mut code = from(begin);
        while let Some(op) = code.next() {
            match op {
                Op::Jump(to) => code = from(*to),
                Op::Done => return Ok(true),
                Op::Skip => return Ok(false),

                Op::Holds { of, when, to } => {
                    if matches!(self.get(*of), RegValue::Boolean(true)) == *when {
                        code = from(*to);
                    }
                }
                Op::Present { of, when, to } => {
                    if self.get(*of).is_missing() != *when {
                        code = from(*to);
                    }
                }
                Op::IsWord { of, word, when, to } => {
                    if self.text_of(*of)?.is_some_and(|text| same(text, word)) == *when {
                        code = from(*to);
                    }
                }
                Op::InWords { of, words, when, to } => {
                    if self.text_of(*of)?.is_some_and(|text| words.has(text)) == *when {
                        code = from(*to);
                    }
                }
                Op::CompareNumber { of, op, number, when, to } => {
                    let holds = match *self.get(*of) {
                        RegValue::Number(left) | RegValue::Money(left, _) => is(*op, left.order(*number)),
                        RegValue::Missing(_) => *op == Compare::NotEqual,
                        _ => return Err(Leave),
                    };
                    if holds == *when {
                        code = from(*to);
                    }
                }
                Op::Compare { left, op, right, when, to } => {
                    if self.compare(*op, *self.get(*left), *self.get(*right))? == *when {
                        code = from(*to);
                    }
                }
                Op::Test { test, when, to } => {
                    if self.test(test)? == *when {
                        code = from(*to);
                    }
                }

                Op::Load { value, dst } => self.put(*dst, *value),
                Op::Copy { of, dst } => self.copy(*of, *dst),
                Op::Or { of, or, dst } => {
                    let of = if self.get(*of).is_missing() { or } else { of };
                    self.copy(*of, *dst);
                }
                Op::FirstOf { of: [first, second, third], dst } => {
                    let of = self.first_of(first, second, third);
                    self.copy(*of, *dst);
                }
                Op::Take { of, dst, to } => {
                    self.copy(*of, *dst);
                    if !self.get(*of).is_missing() {
                        code = from(*to);
                    }
                }
                Op::OrElse { of, or, dst } => {
                    if self.get(*of).is_missing() {
                        self.put(*dst, **or);
                    } else {
                        self.copy(*of, *dst);
                    }
                }
                Op::Pick { of, places, dst } => {
                    let value = match *self.get(*of) {
                        RegValue::Record(node, row) => {
                            let place = places.iter().find(|place| place.of == node).ok_or(Leave)?;
                            *self.slots.values.get((row + place.slot) as usize).ok_or(Leave)?
                        }
                        RegValue::Missing(_) => RegValue::ABSENT,
                        _ => return Err(Leave),
                    };
                    self.put(*dst, value);
                }
                Op::Arithmetic { op, left, right, dst } => match (self.get(*left), self.get(*right)) {
                    (RegValue::Number(a), RegValue::Number(b)) if *op == Arithmetic::Multiply => {
                        let product = a.times(*b).ok_or(Leave)?;
                        self.put(*dst, RegValue::Number(product));
                    }
                    (left, right) => {
                        let value = self.arithmetic(*op, *left, *right)?;
                        self.put(*dst, value);
                    }
                },
                Op::Add { of, dst } => self.add(*dst, *self.get(*of))?,
                Op::AddProduct { of, by, or, dst } => self.add_product(*of, *by, *or, *dst)?,
                Op::AddProducts(products) => {
                    let Products { of, by, or, dst, nest, element, index } = &**products;
                    loop {
                        self.add_product(*of, *by, *or, *dst)?;
                        if !self.next(*nest, *element, *index)? {
                            break;
                        }
                    }
                }
                Op::Quick { quick: Quick::Round(places, how), of, dst } => match *self.get(*of) {
                    RegValue::Number(number) => {
                        let number = number.round(*places, *how).ok_or(Leave)?;
                        self.put(*dst, RegValue::Number(number));
                    }
                    _ => self.rarer(op)?,
                },
                Op::Quick { quick: quick @ (Quick::Trim | Quick::Truncate(_) | Quick::Lower | Quick::Upper), of, dst } => match self.text_of(*of)? {
                    // Mostly there is nothing to do.
                    Some(text) if quick.leaves(text) => self.put(*dst, RegValue::Text(text)),
                    Some(text) => {
                        let text = self.shaped(*quick, text)?;
                        self.put(*dst, RegValue::Text(text));
                    }
                    None => self.put(*dst, RegValue::ABSENT),
                },
                Op::Decode { of, decode, dst } => self.decode(*of, decode, *dst)?,
                Op::Call { call, memo, dst } => self.call(call, *memo, *dst)?,
                Op::Weigh { of, unit, dst } => match *self.get(*of) {
                    RegValue::Number(number) => self.put(*dst, RegValue::Weight(number, *unit)),
                    RegValue::Weight(number, from) if from == *unit => self.put(*dst, RegValue::Weight(number, from)),
                    RegValue::Missing(missing) => self.put(*dst, RegValue::Missing(missing)),
                    _ => return Err(Leave),
                },
                Op::Sum { money, dst } => {
                    let sum = match *self.computed(*dst) {
                        RegValue::Number(sum) => sum,
                        RegValue::Missing(Missing::Null) => Number::ZERO,
                        _ => continue,
                    };
                    self.put(*dst, if *money { RegValue::Money(sum, Currency::default()) } else { RegValue::Number(sum) });
                }
                Op::Quick { quick: Quick::Count, of, dst } => {
                    let count = match *self.get(*of) {
                        RegValue::Rows { count, .. } => count as usize,
                        RegValue::List(items) => items.len(),
                        RegValue::Missing(_) => 0,
                        _ => return Err(Leave),
                    };
                    self.put(*dst, RegValue::Number(Number::count(count)));
                }
                Op::Map { map, of, dst, to } => {
                    let map = compiled.maps.get(*map as usize).ok_or(Leave)?;
                    let text = self.text_of(*of)?;
                    match text.and_then(|text| map.texts.get(text).copied()).or(map.otherwise) {
                        Some(value) => {
                            self.put(*dst, value);
                            code = from(*to);
                        }
                        None if !map.is_whole => return Err(Leave),
                        None => {}
                    }
                }
                Op::Rows { table, keys, to } => self.rows(*table, keys, *to)?,
                Op::Cell { table, key, column, dst } => self.cell(*table, *key, *column, *dst)?,
                Op::Look { table, key, to } => self.look(*table, *key, *to)?,
                Op::StreetLine { street, first, dst, to } => {
                    if self.street_line(*street, *first, *dst)? {
                        code = from(*to);
                    }
                }

                Op::Each { list, nest, element, optional, index, end } => {
                    let of = match *self.get(*list) {
                        RegValue::Rows { node, first, count } => Nest { items: None, node, first, at: 0, count },
                        RegValue::List(items) => Nest { items: Some(items), count: items.len() as u32, ..Nest::default() },
                        RegValue::Missing(_) => Nest::default(),
                        _ => return Err(Leave),
                    };
                    let count = of.count;
                    if let Some(nest) = self.nests.get_mut(usize::from(*nest)) {
                        *nest = of;
                    }
                    if count > 0 {
                        self.step(*nest, *element, *index)?;
                    } else if *optional {
                        self.nothing(*element, *index);
                    } else {
                        code = from(*end);
                    }
                }
                Op::Next { nest, element, index, begin } => {
                    if self.next(*nest, *element, *index)? {
                        code = from(*begin);
                    }
                }

                Op::Rests { on, to } => {
                    if !self.failed.is_empty() && self.is_silent(on)? {
                        code = from(*to);
                    }
                }
                Op::Failed { id, inside } => self.failed.push((*id, *inside)),
                Op::Tell(told) => self.tell(told)?,
                Op::Warned => self.warned = true,
                Op::Unfinished => self.unfinished = true,
                Op::Leave => return Err(Leave),

                Op::Open { mark, key } => self.open(*mark, key.as_deref(), out),
                Op::First => {
                    if !self.first.is_empty() {
                        out.push(b',');
                        out.extend_from_slice(self.first);
                    }
                }
                Op::Close { mark, empty } => self.close(*mark, *empty, out)?,
                Op::OpenItem { list, mark } => {
                    self.item(*list, out);
                    self.open(*mark, None, out);
                }
                Op::CloseItem { list, mark } => self.close_item(*list, *mark, out),
                Op::NextItem { list, mark, nest, element, index, begin } => {
                    self.close_item(*list, *mark, out);
                    if self.next(*nest, *element, *index)? {
                        code = from(*begin);
                    }
                }
                Op::Required => self.required()?,
                Op::OpenList { mark, key } => {
                    self.open(*mark, key.as_deref(), out);
                    out.push(b'[');
                }
                Op::Item { mark } => self.item(*mark, out),
                Op::EndItem { mark } => self.end_item(*mark, out),
                Op::CloseList { mark, max_items } => {
                    let items = self.marks[usize::from(*mark) % MARKS].count;
                    if items > *max_items || items > MAX_ITEMS {
                        return Err(Leave);
                    }
                    out.push(b']');
                }
                Op::Write(key) => key.push(out),
                Op::WriteText { of, most, row } => self.write_text(*of, *most, row, out)?,
                Op::WriteFirst { of: [first, second, third], most, row } => {
                    let of = self.first_of(first, second, third);
                    self.write_text(*of, *most, row, out)?;
                }
                Op::WriteShaped { quick, of, most, row } => self.write_shaped(*quick, *of, *most, row, out)?,
                Op::WriteTemplate { pieces, most, row } => self.write_template(pieces, *most, row, out)?,
                Op::WriteNumber { of, row } => self.write_amount(self.get(*of), row, out)?,
                Op::WriteRounded { of, places, how, row } => self.write_rounded(*of, *places, *how, row, out)?,
                Op::WriteProduct { row } => self.write_product(row, out)?,
                Op::WriteWeight { of, unit, row } => self.write_weight(*of, *unit, row, out)?,
                Op::WriteValue { of, row } => self.write_value(*of, row, out)?,

                Op::List => self.lists.push(List::with_capacity_in(8, self.bump)),
                Op::Push(of) => {
                    let value = *self.get(*of);
                    self.push(value)?;
                }
                Op::PushRow { base, node } => {
                    let row = self.bases[usize::from(*base) % BASES];
                    let there = row != compiled.projection.nothing;
                    self.push(if there { RegValue::Record(*node, row) } else { RegValue::ABSENT })?;
                }
                Op::Listed { dst } => {
                    let list = self.lists.pop().ok_or(Leave)?;
                    self.put(*dst, RegValue::List(list.into_bump_slice()));
                }
                Op::Element { base, node, dst } => {
                    let row = self.bases[usize::from(*base) % BASES];
                    let there = row != compiled.projection.nothing;
                    self.put(*dst, if there { RegValue::Record(*node, row) } else { RegValue::ABSENT });
                }
                Op::Quick { quick: Quick::Length | Quick::Sum, .. }
                | Op::Values { .. }
                | Op::Template { .. }
                | Op::Measure { .. }
                | Op::Coerce { .. }
                | Op::Reasons { .. } => self.rarer(op)?,
            }
        }
        Err(Leave)
    }

    /// A line of a street that is written in one, or of none; false where it has more.
    #[inline(never)]
    fn street_line(&mut self, street: Reg, first: bool, dst: u32) -> Ran<bool> {
        let street = self.text_of(street)?;
        if let Some(street) = street
            && !self.one_line.is_some_and(|known| std::ptr::eq(known, street))
        {
            if !is_one_line(street, self.text) {
                return Ok(false);
            }
            self.one_line = Some(street);
        }
        match street {
            Some(street) if first => self.put(dst, RegValue::Text(street)),
            _ => self.put(dst, RegValue::ABSENT),
        }
        Ok(true)
    }

    /// The rarer operations: apart, so that the others need no more than they do.
    #[inline(never)]
    fn rarer(&mut self, op: &'r Op<'p>) -> Ran<()> {
        let compiled = self.compiled;
        let (value, dst) = match op {
            Op::Quick { quick, of, dst } => (self.quick(*quick, *self.get(*of))?, dst),
            Op::Values { map, of, dst } => {
                let map = compiled.maps.get(*map as usize).ok_or(Leave)?;
                let text = self.text_of(*of)?;
                let found = match text {
                    None if map.keeps_missing => Some(*self.get(*of)),
                    text => text.and_then(|text| map.texts.get(text).copied()).or(map.otherwise),
                };
                (found.ok_or(Leave)?, dst)
            }
            Op::Template { pieces, message, dst } => {
                let text = self.template(pieces, *message)?;
                self.put(*dst, text.map_or(RegValue::ABSENT, RegValue::Text));
                return Ok(());
            }
            Op::Measure { of, unit, dst } => {
                match *self.get(*of) {
                    RegValue::Number(number) => self.put(*dst, RegValue::Length(number, *unit)),
                    RegValue::Length(number, from) if from == *unit => self.put(*dst, RegValue::Length(number, from)),
                    RegValue::Missing(missing) => self.put(*dst, RegValue::Missing(missing)),
                    _ => return Err(Leave),
                }
                return Ok(());
            }
            Op::Coerce { of, how, dst } => (self.coerced(*self.get(*of), *how)?, dst),
            Op::Reasons { dst } => {
                let texts = self.reasons.iter().map(|reason| RegValue::Text(self.bump.alloc_str(&reason.message).as_bytes()));
                (RegValue::List(self.bump.alloc_slice_fill_iter(texts)), dst)
            }
            _ => return Err(Leave),
        };
        self.put(*dst, value);
        Ok(())
    }

    // ---- loops ----

    /// Goes on to the next element; false where there is none.
    #[inline(always)]
    fn next(&mut self, nest: u8, element: Element, index: Option<u32>) -> Ran<bool> {
        let Some(of) = self.nests.get_mut(usize::from(nest)) else { return Err(Leave) };
        of.at += 1;
        if of.at >= of.count {
            return Ok(false);
        }
        self.step(nest, element, index)?;
        Ok(true)
    }

    /// Sets what stands for the element at hand.
    #[inline(always)]
    fn step(&mut self, nest: u8, element: Element, index: Option<u32>) -> Ran<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Leave);
        }
        // Mostly it is an object of the record, or out of a list that was made.
        if let Element::Row { base, node } = element
            && let Some(Nest { items, node: of, first, at, .. }) = self.nests.get(usize::from(nest))
        {
            let (at, found) = match items {
                Some(items) => match items.get(*at as usize) {
                    Some(RegValue::Record(of, row)) => (*at, Some((*of, *row))),
                    _ => (*at, None),
                },
                None => (*at, self.slots.rows.get((first + at) as usize).map(|row| (*of, *row))),
            };
            if let Some((of, row)) = found
                && of == node
            {
                self.bases[usize::from(base) % BASES] = row;
                if let Some(index) = index {
                    self.put(index, RegValue::Number(Number::count(at as usize + 1)));
                }
                return Ok(());
            }
        }
        self.any_step(nest, element, index)
    }

    /// The same of what is no object of the one kind that is expected.
    #[inline(never)]
    fn any_step(&mut self, nest: u8, element: Element, index: Option<u32>) -> Ran<()> {
        let Some(Nest { items, node: of, first, at, .. }) = self.nests.get(usize::from(nest)).copied() else { return Err(Leave) };
        let item = match items {
            Some(items) => Some(items.get(at as usize).ok_or(Leave)?),
            None => None,
        };
        let row = match item {
            Some(RegValue::Record(node, row)) => Some((*node, *row)),
            Some(_) => None,
            None => Some((of, *self.slots.rows.get((first + at) as usize).ok_or(Leave)?)),
        };
        match (element, row, item) {
            (Element::Columns(to), None, Some(RegValue::Row(columns))) => self.put_row(to, Some(columns)),
            (Element::Value(dst), Some((of, row)), _) => self.put(dst, RegValue::Record(of, row)),
            (Element::Value(dst), None, Some(item)) => self.put(dst, *item),
            _ => return Err(Leave),
        }
        if let Some(index) = index {
            self.put(index, RegValue::Number(Number::count(at as usize + 1)));
        }
        Ok(())
    }

    /// The same where there is no element.
    fn nothing(&mut self, element: Element, index: Option<u32>) {
        match element {
            Element::Row { base, .. } => self.bases[usize::from(base) % BASES] = self.compiled.projection.nothing,
            Element::Columns(to) => self.put_row(to, None),
            Element::Value(dst) => self.put(dst, RegValue::ABSENT),
        }
        if let Some(index) = index {
            self.put(index, RegValue::Number(Number::count(1)));
        }
    }

    // ---- rules ----

    /// Whether a rule that this one rests on has failed. For which elements one has is for the reference to tell.
    #[cold]
    fn is_silent(&self, rests_on: &[u32]) -> Ran<bool> {
        let mut silent = false;
        for (_, inside) in self.failed.iter().filter(|(id, _)| rests_on.contains(id)) {
            if *inside > 0 {
                return Err(Leave);
            }
            silent = true;
        }
        Ok(silent)
    }

    /// Notes a reason; the same one twice is one.
    #[cold]
    fn tell(&mut self, told: &'r Told<'p>) -> Ran<()> {
        let message = string(self.text_of(told.message)?.ok_or(Leave)?)?.to_owned();
        let before = match told.before.map(|before| *self.get(before)) {
            None | Some(RegValue::Missing(_)) => None,
            Some(RegValue::Instant(instant)) => Some(instant),
            Some(_) => return Err(Leave),
        };
        let reason = Reason { message, kind: told.kind, review: told.review, owner: told.owner, before, field: None, place: told.at };
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
        Ok(())
    }

    /// The rarer conditions.
    #[inline(never)]
    fn test(&mut self, test: &'r Test) -> Ran<bool> {
        Ok(match test {
            Test::In(of, items) => {
                let value = *self.get(*of);
                if value.is_missing() {
                    return Ok(false);
                }
                for item in items {
                    let item = *self.get(*item);
                    if !item.is_missing() && self.compare(Compare::Equal, value, item)? {
                        return Ok(true);
                    }
                }
                false
            }
            Test::Email(of) => match self.text_of(*of)? {
                Some(text) => match is_short_email(text, self.text) {
                    Some(is) => is,
                    None => is_email(string(text)?),
                },
                None => false,
            },
            Test::Matches(of, regex) => self.text_of(*of)?.is_some_and(|text| regex.is_match(text)),
            Test::WasSent(way) => {
                let missing = way.iter().find_map(|reg| match self.get(*reg) {
                    RegValue::Missing(missing) => Some(*missing),
                    _ => None,
                });
                missing != Some(Missing::Absent)
            }
        })
    }

    /// Another element of the list that is being made.
    #[inline]
    fn push(&mut self, value: RegValue<'r>) -> Ran<()> {
        let list = self.lists.last_mut().filter(|list| list.len() < MAX_ITEMS).ok_or(Leave)?;
        list.push(value);
        Ok(())
    }
}

/// A register that there is not: code has none of its like.
#[cold]
fn nothing<'v, 'r>() -> &'v RegValue<'r> {
    &RegValue::ABSENT
}
