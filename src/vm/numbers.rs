//! Numbers and amounts: computed and compared.

use std::cmp::Ordering;

use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::reg::{Reg, RegValue};
use crate::ir::{Arithmetic, Compare};
use crate::value::Missing;

impl<'r, 'p: 'r> Eval<'r, 'p> {
    pub(super) fn sum(&self, items: &[RegValue<'r>]) -> Ran<RegValue<'r>> {
        let Some((first, rest)) = items.split_first() else { return Ok(RegValue::Number(Number::ZERO)) };
        let mut total = match first {
            RegValue::Number(_) | RegValue::Money(..) | RegValue::Weight(..) | RegValue::Length(..) => *first,
            RegValue::Missing(_) => return Ok(RegValue::ABSENT),
            _ => return Err(Leave),
        };
        for item in rest {
            total = match (total, *item) {
                (_, RegValue::Missing(_)) => return Ok(RegValue::ABSENT),
                (RegValue::Weight(..), RegValue::Number(_))
                | (RegValue::Number(_), RegValue::Weight(..))
                | (RegValue::Length(..), RegValue::Number(_))
                | (RegValue::Number(_), RegValue::Length(..)) => {
                    return Err(Leave);
                }
                (total, item) => self.arithmetic(Arithmetic::Add, total, item)?,
            };
        }
        Ok(total)
    }

    /// Adds to a sum: of no element yet where it is null, of one that is missing where it is absent.
    #[inline(always)]
    pub(super) fn add(&mut self, dst: u32, of: RegValue<'r>) -> Ran<()> {
        let sum = match (self.computed(dst), of) {
            (RegValue::Number(sum), RegValue::Number(of) | RegValue::Money(of, _)) => Some(sum.add(of).ok_or(Leave)?),
            (RegValue::Missing(Missing::Null), RegValue::Number(of) | RegValue::Money(of, _)) => Some(of),
            (RegValue::Number(_) | RegValue::Missing(_), RegValue::Missing(_))
            | (RegValue::Missing(_), RegValue::Number(_) | RegValue::Money(..)) => None,
            _ => return Err(Leave),
        };
        self.put(dst, sum.map_or(RegValue::ABSENT, RegValue::Number));
        Ok(())
    }

    /// Two factors that are plain numbers. `or`: where the second one is missing.
    #[inline(always)]
    pub(super) fn factors(&self, of: Reg, by: Reg, or: Option<Number>) -> Option<(Number, Number)> {
        match (self.get(of), self.get(by)) {
            (RegValue::Number(a), RegValue::Number(b)) => Some((*a, *b)),
            (RegValue::Number(a), RegValue::Missing(_)) => or.map(|b| (*a, b)),
            _ => None,
        }
    }

    /// Adds a product to a sum.
    #[inline(never)]
    pub(super) fn add_product(&mut self, of: Reg, by: Reg, or: Option<Number>, dst: u32) -> Ran<()> {
        let product = match self.factors(of, by, or) {
            Some((a, b)) => RegValue::Number(a.times(b).ok_or(Leave)?),
            None => self.odd_product(of, by, or)?,
        };
        self.add(dst, product)
    }

    /// The product of what is no plain number.
    #[inline(never)]
    pub(super) fn odd_product(&self, of: Reg, by: Reg, or: Option<Number>) -> Ran<RegValue<'r>> {
        let by = match (*self.get(by), or) {
            (RegValue::Missing(_), Some(or)) => RegValue::Number(or),
            (by, _) => by,
        };
        self.arithmetic(Arithmetic::Multiply, *self.get(of), by)
    }

    pub(super) fn arithmetic(&self, op: Arithmetic, left: RegValue<'r>, right: RegValue<'r>) -> Ran<RegValue<'r>> {
        if left.is_missing() || right.is_missing() {
            return Ok(RegValue::ABSENT);
        }
        match op {
            Arithmetic::Add | Arithmetic::Subtract => {
                let add = |a: Number, b: Number| if op == Arithmetic::Add { a.add(b) } else { a.subtract(b) }.ok_or(Leave);
                Ok(match (left, right) {
                    (RegValue::Number(a), RegValue::Number(b)) => RegValue::Number(add(a, b)?),
                    (RegValue::Money(a, one), RegValue::Money(b, other)) => {
                        let currency = self.common(one, other)?;
                        RegValue::Money(add(a, b)?, currency)
                    }
                    (RegValue::Money(a, currency), RegValue::Number(b)) | (RegValue::Number(a), RegValue::Money(b, currency)) => {
                        RegValue::Money(add(a, b)?, currency)
                    }
                    (RegValue::Weight(a, unit), RegValue::Weight(b, other)) if unit == other => RegValue::Weight(add(a, b)?, unit),
                    (RegValue::Length(a, unit), RegValue::Length(b, other)) if unit == other => RegValue::Length(add(a, b)?, unit),
                    _ => return Err(Leave),
                })
            }
            Arithmetic::Multiply => {
                let times = |a: Number, b: Number| a.times(b).ok_or(Leave);
                Ok(match (left, right) {
                    (RegValue::Number(a), RegValue::Number(b)) => RegValue::Number(times(a, b)?),
                    (RegValue::Money(a, currency), RegValue::Number(b)) | (RegValue::Number(b), RegValue::Money(a, currency)) => {
                        RegValue::Money(times(a, b)?, currency)
                    }
                    (RegValue::Weight(a, unit), RegValue::Number(b)) | (RegValue::Number(b), RegValue::Weight(a, unit)) => {
                        RegValue::Weight(times(a, b)?, unit)
                    }
                    (RegValue::Length(a, unit), RegValue::Number(b)) | (RegValue::Number(b), RegValue::Length(a, unit)) => {
                        RegValue::Length(times(a, b)?, unit)
                    }
                    _ => return Err(Leave),
                })
            }
            Arithmetic::Divide => {
                let divide = |a: Number, b: Number| if b.is_zero() { Err(Leave) } else { a.divide(b).ok_or(Leave) };
                Ok(match (left, right) {
                    (RegValue::Number(a), RegValue::Number(b)) => RegValue::Number(divide(a, b)?),
                    (RegValue::Money(a, currency), RegValue::Number(b)) => RegValue::Money(divide(a, b)?, currency),
                    _ => return Err(Leave),
                })
            }
        }
    }

    pub(super) fn compare(&self, op: Compare, left: RegValue<'r>, right: RegValue<'r>) -> Ran<bool> {
        let order = match (left, right) {
            (RegValue::Text(a), RegValue::Text(b)) => {
                if op == Compare::Equal || op == Compare::NotEqual {
                    return Ok((a == b) == (op == Compare::Equal));
                }
                a.cmp(b)
            }
            (RegValue::Missing(_), _) | (_, RegValue::Missing(_)) => {
                let equal = left.is_missing() && right.is_missing();
                return Ok(match op {
                    Compare::Equal => equal,
                    Compare::NotEqual => !equal,
                    _ => false,
                });
            }
            (RegValue::Number(a), RegValue::Number(b)) => a.order(b),
            (RegValue::Money(a, one), RegValue::Money(b, other)) => {
                self.common(one, other)?;
                a.order(b)
            }
            (RegValue::Money(a, _), RegValue::Number(b)) | (RegValue::Number(a), RegValue::Money(b, _)) => a.order(b),
            (RegValue::Date(a), RegValue::Date(b)) => a.cmp(&b),
            (RegValue::Instant(a), RegValue::Instant(b)) => a.cmp(&b),
            (RegValue::Weight(a, one), RegValue::Weight(b, other)) if one == other => a.order(b),
            (RegValue::Length(a, one), RegValue::Length(b, other)) if one == other => a.order(b),
            (RegValue::Boolean(a), RegValue::Boolean(b)) if matches!(op, Compare::Equal | Compare::NotEqual) => a.cmp(&b),
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
