//! Numbers and amounts: read, computed, compared.

use std::cmp::Ordering;

use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::op::{At, Decode, Loop, Op, Quick, Treat, V};
use super::scan::Raw;
use super::shape::ROOT;
use crate::check::typed::{Arithmetic, Compare};
use crate::value::MAX_ITEMS;

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// A number, or an amount whose currency is not asked for; none where it is missing.
    #[inline]
    pub(crate) fn number_of(&mut self, at: At) -> Option<Number> {
        let flat = self.flat;
        match flat.ops.get(at as usize) {
            Some(Op::RootPath { raw, decode, whole, .. }) => {
                let slots = self.slots;
                self.raw_number(slots.raw.get(*raw as usize), decode, *whole)
            }
            Some(Op::RowPath { slot, place, decode, whole }) => {
                let raw = self.row(*slot, place);
                self.raw_number(raw, decode, *whole)
            }
            _ => self.other_number(at),
        }
    }

    #[inline(never)]
    fn other_number(&mut self, at: At) -> Option<Number> {
        let flat = self.flat;
        let number = match flat.ops.get(at as usize) {
            Some(Op::ColumnOf { slot, column }) => {
                let value = self.column(*slot, *column);
                return self.plain_number(value);
            }
            Some(Op::Const(V::Number(number) | V::Money(number, _))) => Some(*number),
            Some(Op::Fallback(value, fallback)) => match self.number_of(*value) {
                Some(number) => Some(number),
                None => return self.number_of(*fallback),
            },
            Some(Op::Treat(value, Treat::Number | Treat::Money)) => return self.number_of(*value),
            Some(Op::Quick(Quick::Round(places, how), value)) => self.number_of(*value)?.round(*places, *how),
            Some(Op::Arithmetic(op, left, right)) if !flat.currencies => {
                let (left, right) = (self.number_of(*left), self.number_of(*right));
                let (left, right) = (left?, right?);
                match op {
                    Arithmetic::Add => left.add(right),
                    Arithmetic::Subtract => left.subtract(right),
                    Arithmetic::Multiply => left.times(right),
                    Arithmetic::Divide if right.is_zero() => None,
                    Arithmetic::Divide => left.divide(right),
                }
            }
            Some(Op::Sum { of, body, .. }) if !flat.currencies => return self.sum_of(of, *body),
            _ => {
                let value = self.eval(at);
                return self.plain_number(value);
            }
        };
        self.left |= number.is_none();
        number
    }

    fn plain_number(&mut self, value: V<'r>) -> Option<Number> {
        match value {
            V::Number(number) | V::Money(number, _) => Some(number),
            V::Missing(_) => None,
            _ => {
                self.left = true;
                None
            }
        }
    }

    /// What a slot has for a number.
    #[inline(always)]
    fn raw_number(&mut self, raw: Option<&Raw>, decode: &'r Decode<'p>, whole: At) -> Option<Number> {
        if let Some(Raw::Number { start, end }) = raw
            && let Some(digits) = self.text.get(*start as usize..*end as usize)
            && let Some(number) = Number::parse(digits)
        {
            match decode {
                Decode::Decimal { .. } | Decode::Money { .. } => return Some(number),
                Decode::Integer { .. } if number.is_whole() => return Some(number.whole()),
                _ => {}
            }
        }
        self.odd_number(raw, decode, whole)
    }

    #[inline(never)]
    fn odd_number(&mut self, raw: Option<&Raw>, decode: &'r Decode<'p>, whole: At) -> Option<Number> {
        let value = match raw {
            None | Some(Raw::Absent) => self.eval(whole),
            // Where it stands is asked for by amounts that have a currency alone: they are no such path.
            Some(raw) => self.decoded(*raw, ROOT, (ROOT, 0), decode).unwrap_or_else(|Leave| self.leave()),
        };
        self.plain_number(value)
    }

    /// The sum of what a loop gives; missing where one of them is.
    pub(super) fn sum_of(&mut self, of: &'r Loop, body: At) -> Option<Number> {
        let (mut total, mut count) = (None, 0);
        self.each(of, &mut |eval| {
            count += 1;
            let item = eval.number_of(body);
            total = match (total, item) {
                _ if count == 1 => item,
                (Some(total), Some(item)) => {
                    let sum = Number::add(total, item);
                    eval.left |= sum.is_none();
                    sum
                }
                _ => None,
            };
        });
        self.left |= count > MAX_ITEMS;
        if count == 0 { Some(Number::ZERO) } else { total }
    }

    pub(super) fn sum(&self, items: &[V<'r>]) -> Ran<V<'r>> {
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

    pub(super) fn arithmetic(&self, op: Arithmetic, left: V<'r>, right: V<'r>) -> Ran<V<'r>> {
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

    pub(super) fn compare(&self, op: Compare, left: V<'r>, right: V<'r>) -> Ran<bool> {
        let order = match (left, right) {
            (V::Text(a), V::Text(b)) => {
                if op == Compare::Equal || op == Compare::NotEqual {
                    return Ok((a == b) == (op == Compare::Equal));
                }
                a.cmp(b)
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
        Ok(is(op, order))
    }
}

pub(super) fn is(op: Compare, order: Ordering) -> bool {
    match op {
        Compare::Equal => order == Ordering::Equal,
        Compare::NotEqual => order != Ordering::Equal,
        Compare::Less => order == Ordering::Less,
        Compare::LessOrEqual => order != Ordering::Greater,
        Compare::Greater => order == Ordering::Greater,
        Compare::GreaterOrEqual => order != Ordering::Less,
    }
}
