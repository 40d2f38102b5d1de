//! Numbers and amounts: computed and compared.

use std::cmp::Ordering;

use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::reg::{Reg, V};
use crate::ir::{Arithmetic, Compare};
use crate::value::Missing;

impl<'r, 'p: 'r> Eval<'r, 'p> {
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

    /// Adds to a sum: of no element yet where it is null, of one that is missing where it is absent.
    #[inline(always)]
    pub(super) fn add(&mut self, dst: u32, of: V<'r>) -> Ran<()> {
        let sum = match (self.computed(dst), of) {
            (V::Number(sum), V::Number(of) | V::Money(of, _)) => Some(sum.add(of).ok_or(Leave)?),
            (V::Missing(Missing::Null), V::Number(of) | V::Money(of, _)) => Some(of),
            (V::Number(_) | V::Missing(_), V::Missing(_)) | (V::Missing(_), V::Number(_) | V::Money(..)) => None,
            _ => return Err(Leave),
        };
        self.put(dst, sum.map_or(V::ABSENT, V::Number));
        Ok(())
    }

    /// Two factors that are plain numbers. `or`: where the second one is missing.
    #[inline(always)]
    pub(super) fn factors(&self, of: Reg, by: Reg, or: Option<Number>) -> Option<(Number, Number)> {
        match (self.get(of), self.get(by)) {
            (V::Number(a), V::Number(b)) => Some((*a, *b)),
            (V::Number(a), V::Missing(_)) => or.map(|b| (*a, b)),
            _ => None,
        }
    }

    /// Adds a product to a sum.
    #[inline(never)]
    pub(super) fn add_product(&mut self, of: Reg, by: Reg, or: Option<Number>, dst: u32) -> Ran<()> {
        let product = match self.factors(of, by, or) {
            Some((a, b)) => V::Number(a.times(b).ok_or(Leave)?),
            None => self.odd_product(of, by, or)?,
        };
        self.add(dst, product)
    }

    /// The product of what is no plain number.
    #[inline(never)]
    pub(super) fn odd_product(&self, of: Reg, by: Reg, or: Option<Number>) -> Ran<V<'r>> {
        let by = match (*self.get(by), or) {
            (V::Missing(_), Some(or)) => V::Number(or),
            (by, _) => by,
        };
        self.arithmetic(Arithmetic::Multiply, *self.get(of), by)
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
