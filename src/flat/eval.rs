//! Runs operations over one record.
//!
//! It gives a value, or gives up: whatever would be a reason, and whatever is not common enough to be written twice,
//! is for the reference evaluator, which then has the whole record.

use std::cmp::Ordering;

use bumpalo::Bump;
use bumpalo::collections::{String as Built, Vec as List};

use super::memo::{Memos, kept, push_key, recalled};
use super::number::Number;
use super::op::{At, Currency, Decode, Loop, Lowered, Op, Piece, Quick, Rule, Text, Treat, V};
use super::scan::{Raw, Slots};
use crate::builtin::{Args, BuiltinRef, Context};
use crate::check::typed::{Arithmetic, Compare};
use crate::value::{MAX_ITEMS, MAX_TEXT, Missing, Money, Value};

/// The record is left to the reference evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave;

pub(crate) type Ran<T> = Result<T, Leave>;

/// Elements that all loops over one record may visit together.
const MOST_STEPS: u32 = 100_000;
pub(crate) struct Eval<'r, 'p> {
    pub(crate) flat: &'r Lowered<'p>,
    pub(crate) context: &'r Context,
    pub(crate) text: &'r str,
    pub(crate) slots: &'r Slots,
    pub(crate) bump: &'r Bump,
    pub(crate) frame: &'r mut [Option<V<'r>>],
    pub(crate) memos: &'r mut Memos,
    pub(crate) warned: bool,
    pub(crate) steps: u32,
}

impl<'r, 'p: 'r> Eval<'r, 'p> {
    // ---- sections ----

    /// Whether all conditions of the flow's `where` hold.
    pub(crate) fn eligible(&mut self) -> Ran<bool> {
        let flat = self.flat;
        for condition in &flat.filter {
            if !self.holds(*condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through rules and routes: a reason of any of them is for the reference.
    pub(crate) fn judge(&mut self) -> Ran<()> {
        let flat = self.flat;
        self.rules(&flat.rules)?;
        for route in &flat.routes {
            for (condition, results) in &route.rows {
                if let Some(condition) = condition
                    && !self.holds(*condition)?
                {
                    continue;
                }
                let results = results.as_ref().ok_or(Leave)?;
                for (slot, result) in route.slots.iter().zip(results) {
                    let value = self.eval(*result)?;
                    self.set(*slot, value);
                }
                break;
            }
        }
        Ok(())
    }

    fn rules(&mut self, rules: &'r [Rule]) -> Ran<()> {
        for rule in rules {
            match rule {
                Rule::Holds(condition) => {
                    if !self.holds(*condition)? {
                        return Err(Leave);
                    }
                }
                Rule::HoldsNot(condition) => {
                    if self.holds(*condition)? {
                        return Err(Leave);
                    }
                }
                Rule::Warns(condition) => self.warned |= self.holds(*condition)?,
                Rule::When(condition, rules) => {
                    if self.holds(*condition)? {
                        self.rules(rules)?;
                    }
                }
                Rule::Each { of, index, rules } => {
                    let mut count = 0;
                    self.each(of, &mut |eval| {
                        count += 1;
                        eval.set(*index, V::Number(Number::count(count)));
                        eval.rules(rules)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Runs `each` for every combination of elements for which the condition holds.
    pub(crate) fn each(&mut self, of: &'r Loop, each: &mut dyn FnMut(&mut Self) -> Ran<()>) -> Ran<()> {
        self.nested(of, 0, each)
    }

    fn nested(&mut self, of: &'r Loop, at: usize, each: &mut dyn FnMut(&mut Self) -> Ran<()>) -> Ran<()> {
        let Some(generator) = of.generators.get(at) else {
            if let Some(condition) = of.condition
                && !self.holds(condition)?
            {
                return Ok(());
            }
            return each(self);
        };
        let list = self.eval(generator.list)?;
        let count = match list {
            V::Rows { count, .. } => count as usize,
            V::List(items) => items.len(),
            V::Missing(_) => 0,
            _ => return Err(Leave),
        };
        if count == 0 && generator.optional {
            self.set(generator.slot, V::ABSENT);
            if let Some(index) = generator.index {
                self.set(index, V::Number(Number::count(1)));
            }
            return self.nested(of, at + 1, each);
        }
        for place in 0..count {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err(Leave);
            }
            let element = match list {
                V::Rows { node, first, .. } => V::Record(node, *self.slots.rows.get(first as usize + place).ok_or(Leave)?),
                V::List(items) => *items.get(place).ok_or(Leave)?,
                _ => return Err(Leave),
            };
            self.set(generator.slot, element);
            if let Some(index) = generator.index {
                self.set(index, V::Number(Number::count(place + 1)));
            }
            self.nested(of, at + 1, each)?;
        }
        Ok(())
    }

    // ---- values ----

    #[inline]
    pub(crate) fn set(&mut self, slot: u32, value: V<'r>) {
        if let Some(place) = self.frame.get_mut(slot as usize) {
            *place = Some(value);
        }
    }

    /// Whether a condition holds; a missing one does not. The common ones need no value of their own.
    pub(crate) fn holds(&mut self, condition: At) -> Ran<bool> {
        let flat = self.flat;
        Ok(match flat.ops.get(condition as usize).ok_or(Leave)? {
            Op::And(parts) => {
                for part in parts {
                    if !self.holds(*part)? {
                        return Ok(false);
                    }
                }
                true
            }
            Op::Or(parts) => {
                for part in parts {
                    if self.holds(*part)? {
                        return Ok(true);
                    }
                }
                false
            }
            Op::Not(inner) => !self.holds(*inner)?,
            Op::IsPresent(inner) => !self.eval(*inner)?.is_missing(),
            Op::IsWord(value, word) => match self.eval(*value)? {
                V::Text(text) => text.text == *word,
                V::Missing(_) => false,
                _ => return Err(Leave),
            },
            Op::InWords(value, words) => match self.eval(*value)? {
                V::Text(text) => words.has(text.text),
                V::Missing(_) => false,
                _ => return Err(Leave),
            },
            Op::Compare(op, left, right) => {
                let (left, right) = (self.eval(*left)?, self.eval(*right)?);
                self.compare(*op, left, right)?
            }
            _ => matches!(self.eval(condition)?, V::Boolean(true)),
        })
    }

    pub(crate) fn eval(&mut self, at: At) -> Ran<V<'r>> {
        let flat = self.flat;
        let op = flat.ops.get(at as usize).ok_or(Leave)?;
        Ok(match op {
            Op::Const(value) => *value,
            Op::Slot(slot) => return self.slot(*slot),
            Op::Path { slot, places, decode, whole } => {
                let base = match self.frame.get(*slot as usize) {
                    Some(Some(known)) => *known,
                    _ => self.slot(*slot)?,
                };
                if let V::Record(of, at) = base {
                    let (raw, node) = self.raw(of, at, places)?;
                    // Most of what is read is a text without escapes, in a field of texts.
                    if let (Raw::Text { start, end, escaped: false }, Decode::Text) = (raw, decode)
                        && let Some(text) = self.text.get(start as usize..end as usize)
                        && text.as_bytes().first().is_some_and(u8::is_ascii_graphic)
                        && text.len() <= MAX_TEXT
                    {
                        return Ok(V::Text(Text { text, plain: true }));
                    }
                    if raw != Raw::Absent {
                        return self.decoded(raw, node, (of, at), decode);
                    }
                }
                return self.eval(*whole);
            }
            Op::Fallback(value, fallback) => {
                let value = self.eval(*value)?;
                if value.is_missing() {
                    return self.eval(*fallback);
                }
                value
            }
            Op::Compare(..) | Op::And(_) | Op::Or(_) | Op::Not(_) | Op::InWords(..) | Op::IsWord(..) | Op::IsPresent(_) => {
                V::Boolean(self.holds(at)?)
            }
            Op::Quick(quick, argument) => {
                let value = self.eval(*argument)?;
                return self.quick(*quick, value);
            }
            op => return self.rarer(op),
        })
    }

    /// The rarer operations: apart, so that the others need no more than they do.
    #[inline(never)]
    fn rarer(&mut self, op: &'r Op<'p>) -> Ran<V<'r>> {
        let flat = self.flat;
        Ok(match op {
            Op::Read { base, places, decode } => {
                let base = self.eval(*base)?;
                return self.read(base, places, decode);
            }
            Op::Column { base, column } => match self.eval(*base)? {
                V::Row(columns) => columns.get(*column as usize).copied().unwrap_or(V::ABSENT),
                V::Missing(missing) => V::Missing(missing),
                _ => return Err(Leave),
            },
            Op::Bind { slot, value, body } => {
                let value = self.eval(*value)?;
                self.set(*slot, value);
                return self.eval(*body);
            }
            Op::Call { function, arguments, memo } => return self.call(*function, arguments, *memo),
            Op::Values { map, value } => {
                let map = flat.maps.get(*map as usize).ok_or(Leave)?;
                match self.eval(*value)? {
                    V::Text(text) => map.texts.get(text.text).copied().or(map.otherwise).ok_or(Leave)?,
                    V::Missing(_) => map.otherwise.ok_or(Leave)?,
                    _ => return Err(Leave),
                }
            }
            Op::Table { table, keys } => return self.table(*table, keys),
            Op::Template { pieces, message } => return self.template(pieces, *message),
            Op::Arithmetic(op, left, right) => {
                let (left, right) = (self.eval(*left)?, self.eval(*right)?);
                self.arithmetic(*op, left, right)?
            }
            Op::In(value, list) => {
                let value = self.eval(*value)?;
                if value.is_missing() {
                    return Ok(V::Boolean(false));
                }
                for item in list {
                    let item = self.eval(*item)?;
                    if !item.is_missing() && self.compare(Compare::Equal, value, item)? {
                        return Ok(V::Boolean(true));
                    }
                }
                V::Boolean(false)
            }
            Op::Matches(value, regex) => match self.eval(*value)? {
                V::Text(text) => V::Boolean(regex.is_match(text.text)),
                V::Missing(_) => V::Boolean(false),
                _ => return Err(Leave),
            },
            Op::WasSent(inner) => V::Boolean(!matches!(self.eval(*inner)?, V::Missing(Missing::Absent))),
            Op::If(condition, then, otherwise) => {
                let taken = if self.holds(*condition)? { *then } else { *otherwise };
                return self.eval(taken);
            }
            Op::Each(of, body) => {
                let mut found = List::new_in(self.bump);
                self.each(of, &mut |eval| {
                    if found.len() >= MAX_ITEMS {
                        return Err(Leave);
                    }
                    let value = eval.eval(*body)?;
                    found.push(value);
                    Ok(())
                })?;
                V::List(found.into_bump_slice())
            }
            Op::Weigh(value, unit) => match self.eval(*value)? {
                V::Number(number) => V::Weight(number, *unit),
                V::Weight(amount, from) if from == *unit => V::Weight(amount, *unit),
                V::Weight(..) => return Err(Leave),
                other => other,
            },
            Op::Measure(value, unit) => match self.eval(*value)? {
                V::Number(number) => V::Length(number, *unit),
                V::Length(amount, from) if from == *unit => V::Length(amount, *unit),
                V::Length(..) => return Err(Leave),
                other => other,
            },
            Op::Treat(value, how) => {
                let value = self.eval(*value)?;
                match (value, how) {
                    (V::Money(amount, _), Treat::Number) => V::Number(amount),
                    (V::Number(amount), Treat::Money) => V::Money(amount, Currency::default()),
                    (V::Named(named), Treat::Text) => {
                        let reference = flat.references.get(named as usize).ok_or(Leave)?;
                        V::Text(Text { text: &reference.name, plain: false })
                    }
                    (V::Missing(_) | V::Text(_), _) => value,
                    (_, Treat::Text) => {
                        let mut built = Built::new_in(self.bump);
                        self.print(value, &mut built)?;
                        V::Text(Text { text: built.into_bump_str(), plain: false })
                    }
                    (value, _) => value,
                }
            }
            Op::Leave
            | Op::Or(_)
            | Op::Not(_)
            | Op::InWords(..)
            | Op::IsWord(..)
            | Op::Const(_)
            | Op::Slot(_)
            | Op::Path { .. }
            | Op::Fallback(..)
            | Op::Compare(..)
            | Op::And(_)
            | Op::IsPresent(_)
            | Op::Quick(..) => return Err(Leave),
        })
    }

    #[inline]
    fn slot(&mut self, slot: u32) -> Ran<V<'r>> {
        if let Some(Some(known)) = self.frame.get(slot as usize) {
            return Ok(*known);
        }
        let Some(Some(found)) = self.flat.lets.get(slot as usize) else { return Ok(V::ABSENT) };
        let value = self.eval(*found)?;
        self.set(slot, value);
        Ok(value)
    }

    // ---- functions ----

    fn quick(&mut self, quick: Quick, value: V<'r>) -> Ran<V<'r>> {
        let text = match (quick, value) {
            (Quick::Count, V::Rows { count, .. }) => return Ok(V::Number(Number::count(count as usize))),
            (Quick::Count, V::List(items)) => return Ok(V::Number(Number::count(items.len()))),
            (Quick::Count, V::Missing(_)) => return Ok(V::Number(Number::ZERO)),
            (Quick::Sum, V::List(items)) => return self.sum(items),
            (Quick::Sum, V::Missing(_)) => return Ok(V::Number(Number::ZERO)),
            (_, V::Missing(_)) => return Ok(V::ABSENT),
            (Quick::Round(places, how), value) => {
                let round = |number: Number| number.round(places, how).ok_or(Leave);
                return Ok(match value {
                    V::Number(number) => V::Number(round(number)?),
                    V::Money(amount, currency) => V::Money(round(amount)?, currency),
                    V::Weight(amount, unit) => V::Weight(round(amount)?, unit),
                    V::Length(amount, unit) => V::Length(round(amount)?, unit),
                    _ => return Err(Leave),
                });
            }
            (_, V::Text(text)) => text,
            _ => return Err(Leave),
        };
        let part = |part: &'r str| V::Text(Text { text: part, plain: text.plain });
        Ok(match quick {
            Quick::Trim => part(trimmed(text.text)),
            Quick::Length => V::Number(Number::count(text.text.chars().count())),
            Quick::Truncate(most) => {
                if text.text.len() <= most {
                    return Ok(part(trimmed(text.text)));
                }
                let begun = text.text.trim_start();
                let cut = if begun.len() <= most { begun } else { begun.char_indices().nth(most).map_or(begun, |(end, _)| &begun[..end]) };
                part(cut.trim_end())
            }
            Quick::Lower if !text.text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) => part(text.text),
            Quick::Upper if !text.text.bytes().any(|byte| byte.is_ascii_lowercase() || !byte.is_ascii()) => part(text.text),
            Quick::Lower => part(self.bump.alloc_str(&text.text.to_lowercase())),
            Quick::Upper => part(self.bump.alloc_str(&text.text.to_uppercase())),
            Quick::Count | Quick::Sum | Quick::Round(..) => return Err(Leave),
        })
    }

    fn call(&mut self, function: BuiltinRef, arguments: &'r [At], memo: u32) -> Ran<V<'r>> {
        let mut values = List::with_capacity_in(arguments.len(), self.bump);
        for argument in arguments {
            values.push(self.eval(*argument)?);
        }
        if values.first().is_some_and(V::is_missing) && !function.0.takes.first().is_none_or(|param| param.nullable) {
            return Ok(V::ABSENT);
        }
        let mut key = std::mem::take(&mut self.memos.key);
        key.clear();
        let keyed = values.iter().all(|value| push_key(*value, &mut key).is_ok());
        if keyed && let Some(kept) = self.memos.get(memo, &key) {
            let value = recalled(kept, self.bump);
            self.memos.key = key;
            return Ok(value);
        }
        let given: Ran<Vec<Value>> = values.iter().map(|value| self.value(*value)).collect();
        let result = given.and_then(|given| function.0.call(&Args { values: &given, context: self.context }).map_err(|_| Leave));
        let result = result.and_then(|result| kept(&result));
        if let (true, Ok(result)) = (keyed, &result) {
            self.memos.keep(memo, &key, result.clone());
        }
        self.memos.key = key;
        result.map(|result| recalled(&result, self.bump))
    }

    /// A value as the reference has it.
    pub(crate) fn value(&self, value: V<'r>) -> Ran<Value> {
        Ok(match value {
            V::Missing(missing) => Value::Missing(missing),
            V::Boolean(truth) => Value::Boolean(truth),
            V::Number(number) => Value::Number(number.decimal()),
            V::Money(amount, currency) => Value::Money(Money { amount: amount.decimal(), currency: self.code(currency).map(Into::into) }),
            V::Text(text) => Value::text(text.text),
            V::Date(date) => Value::Date(date),
            V::Instant(instant) => Value::DateTime(instant),
            V::Weight(amount, unit) => Value::Weight(amount.decimal(), unit),
            V::Length(amount, unit) => Value::Length(amount.decimal(), unit),
            V::Named(named) => Value::Reference(std::sync::Arc::new(self.flat.references.get(named as usize).ok_or(Leave)?.clone())),
            V::List(items) => Value::list(items.iter().map(|item| self.value(*item)).collect::<Ran<_>>()?),
            V::Record(..) | V::Rows { .. } | V::Row(_) => return Err(Leave),
        })
    }

    fn table(&mut self, table: u32, keys: &'r [At]) -> Ran<V<'r>> {
        let flat = self.flat;
        let found = flat.tables.get(table as usize).ok_or(Leave)?;
        if let (Some(texts), [key]) = (&found.texts, keys) {
            let rows = match self.eval(*key)? {
                V::Text(key) => texts.get(key.text).map_or(&[][..], Vec::as_slice),
                V::Missing(_) => &[],
                _ => return Err(Leave),
            };
            return Ok(self.rows(rows, found.many));
        }
        let mut key = List::with_capacity_in(64, self.bump);
        let mut missing = false;
        for (at, of) in keys.iter().enumerate() {
            let value = self.eval(*of)?;
            missing |= value.is_missing();
            if at > 0 {
                key.push(0x1f);
            }
            push_table_key(value, &mut key)?;
        }
        let rows = if missing { &[][..] } else { found.rows.get(key.as_slice()).map_or(&[][..], Vec::as_slice) };
        Ok(self.rows(rows, found.many))
    }

    fn rows(&self, rows: &'r [Vec<V<'p>>], many: bool) -> V<'r> {
        if !many {
            return rows.first().map_or(V::ABSENT, |row| V::Row(row));
        }
        V::List(self.bump.alloc_slice_fill_iter(rows.iter().map(|row| V::Row(row))))
    }

    fn template(&mut self, pieces: &'r [Piece<'p>], message: bool) -> Ran<V<'r>> {
        let mut built = Built::new_in(self.bump);
        let mut plain = true;
        for piece in pieces {
            match piece {
                Piece::Text(text, is_plain) => {
                    plain &= is_plain;
                    built.push_str(text);
                }
                Piece::Value(at) => match self.eval(*at)? {
                    V::Missing(_) if message => built.push_str("(none)"),
                    V::Missing(_) => return Ok(V::ABSENT),
                    V::Text(text) => {
                        plain &= text.plain;
                        built.push_str(text.text);
                    }
                    value => {
                        plain &= matches!(value, V::Number(_) | V::Date(_) | V::Boolean(_));
                        self.print(value, &mut built)?;
                    }
                },
            }
            if built.len() > MAX_TEXT {
                return Err(Leave);
            }
        }
        Ok(V::Text(Text { text: built.into_bump_str(), plain }))
    }

    /// Appends a value as a template prints it.
    fn print(&self, value: V<'r>, out: &mut Built<'r>) -> Ran<()> {
        use std::fmt::Write as _;
        let digits = |number: Number, out: &mut Built<'r>| {
            let mut digits = Vec::with_capacity(24);
            number.print(&mut digits);
            out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
        };
        match value {
            V::Text(text) => out.push_str(text.text),
            V::Number(number) => digits(number, out),
            V::Money(amount, currency) => {
                digits(amount, out);
                if let Some(currency) = self.code(currency) {
                    out.push(' ');
                    out.push_str(currency);
                }
            }
            V::Boolean(truth) => out.push_str(if truth { "true" } else { "false" }),
            V::Date(date) => write!(out, "{date}").map_err(|_| Leave)?,
            V::Instant(instant) => write!(out, "{instant}").map_err(|_| Leave)?,
            V::Named(named) => out.push_str(&self.flat.references.get(named as usize).ok_or(Leave)?.name),
            _ => return Err(Leave),
        }
        Ok(())
    }

    fn sum(&self, items: &[V<'r>]) -> Ran<V<'r>> {
        let Some((first, rest)) = items.split_first() else { return Ok(V::Number(Number::ZERO)) };
        let mut total = match first {
            V::Number(_) | V::Money(..) | V::Weight(..) | V::Length(..) => *first,
            V::Missing(_) => return Ok(V::ABSENT),
            _ => return Err(Leave),
        };
        for item in rest {
            total = match (total, *item) {
                (_, V::Missing(_)) => return Ok(V::ABSENT),
                (V::Weight(..), V::Number(_)) | (V::Number(_), V::Weight(..)) | (V::Length(..), V::Number(_)) | (V::Number(_), V::Length(..)) => {
                    return Err(Leave);
                }
                (total, item) => self.arithmetic(Arithmetic::Add, total, item)?,
            };
        }
        Ok(total)
    }

    fn arithmetic(&self, op: Arithmetic, left: V<'r>, right: V<'r>) -> Ran<V<'r>> {
        if left.is_missing() || right.is_missing() {
            return Ok(V::ABSENT);
        }
        match op {
            Arithmetic::Add | Arithmetic::Subtract => {
                let add = |a: Number, b: Number| if op == Arithmetic::Add { a.add(b) } else { a.subtract(b) }.ok_or(Leave);
                Ok(match (left, right) {
                    (V::Number(a), V::Number(b)) => V::Number(add(a, b)?),
                    (V::Money(a, one), V::Money(b, other)) => {
                        let currency = self.common(one, other)?;
                        V::Money(add(a, b)?, currency)
                    }
                    (V::Money(a, currency), V::Number(b)) | (V::Number(a), V::Money(b, currency)) => V::Money(add(a, b)?, currency),
                    (V::Weight(a, unit), V::Weight(b, other)) if unit == other => V::Weight(add(a, b)?, unit),
                    (V::Length(a, unit), V::Length(b, other)) if unit == other => V::Length(add(a, b)?, unit),
                    _ => return Err(Leave),
                })
            }
            Arithmetic::Multiply => {
                let times = |a: Number, b: Number| a.times(b).ok_or(Leave);
                Ok(match (left, right) {
                    (V::Number(a), V::Number(b)) => V::Number(times(a, b)?),
                    (V::Money(a, currency), V::Number(b)) | (V::Number(b), V::Money(a, currency)) => V::Money(times(a, b)?, currency),
                    (V::Weight(a, unit), V::Number(b)) | (V::Number(b), V::Weight(a, unit)) => V::Weight(times(a, b)?, unit),
                    (V::Length(a, unit), V::Number(b)) | (V::Number(b), V::Length(a, unit)) => V::Length(times(a, b)?, unit),
                    _ => return Err(Leave),
                })
            }
            Arithmetic::Divide => {
                let divide = |a: Number, b: Number| if b.is_zero() { Err(Leave) } else { a.divide(b).ok_or(Leave) };
                Ok(match (left, right) {
                    (V::Number(a), V::Number(b)) => V::Number(divide(a, b)?),
                    (V::Money(a, currency), V::Number(b)) => V::Money(divide(a, b)?, currency),
                    _ => return Err(Leave),
                })
            }
        }
    }

    fn compare(&self, op: Compare, left: V<'r>, right: V<'r>) -> Ran<bool> {
        let order = match (left, right) {
            (V::Text(a), V::Text(b)) => {
                if op == Compare::Equal || op == Compare::NotEqual {
                    return Ok((a.text == b.text) == (op == Compare::Equal));
                }
                a.text.cmp(b.text)
            }
            (V::Missing(_), _) | (_, V::Missing(_)) => {
                let equal = left.is_missing() && right.is_missing();
                return Ok(match op {
                    Compare::Equal => equal,
                    Compare::NotEqual => !equal,
                    _ => false,
                });
            }
            (V::Number(a), V::Number(b)) => a.order(b),
            (V::Money(a, one), V::Money(b, other)) => {
                self.common(one, other)?;
                a.order(b)
            }
            (V::Money(a, _), V::Number(b)) | (V::Number(a), V::Money(b, _)) => a.order(b),
            (V::Date(a), V::Date(b)) => a.cmp(&b),
            (V::Instant(a), V::Instant(b)) => a.cmp(&b),
            (V::Weight(a, one), V::Weight(b, other)) if one == other => a.order(b),
            (V::Length(a, one), V::Length(b, other)) if one == other => a.order(b),
            (V::Boolean(a), V::Boolean(b)) if matches!(op, Compare::Equal | Compare::NotEqual) => a.cmp(&b),
            _ => return Err(Leave),
        };
        Ok(match op {
            Compare::Equal => order == Ordering::Equal,
            Compare::NotEqual => order != Ordering::Equal,
            Compare::Less => order == Ordering::Less,
            Compare::LessOrEqual => order != Ordering::Greater,
            Compare::Greater => order == Ordering::Greater,
            Compare::GreaterOrEqual => order != Ordering::Less,
        })
    }
}

/// A text without white space around it: mostly there is none.
fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    let graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if graphic(bytes.first()) && graphic(bytes.last()) { text } else { text.trim() }
}

/// Appends a value as tables are keyed ([`crate::value::key`]).
fn push_table_key(value: V<'_>, key: &mut List<'_, u8>) -> Ran<()> {
    match value {
        V::Missing(_) => key.push(b'-'),
        V::Text(text) => {
            key.push(b't');
            key.extend_from_slice(text.text.as_bytes());
        }
        V::Number(number) => {
            key.push(b'n');
            let mut digits = Vec::with_capacity(24);
            number.normal().print(&mut digits);
            key.extend_from_slice(&digits);
        }
        _ => return Err(Leave),
    }
    Ok(())
}
