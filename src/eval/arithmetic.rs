//! `+ - * /`, exact. A missing operand gives a missing result.

use jiff::{SignedDuration, Span};
use rust_decimal::Decimal;

use crate::builtin::Refusal;
use crate::ir::Arithmetic;
use crate::value::{Money, Value, compare};

const DAY: i64 = 24 * 60 * 60;

pub(super) fn negate(value: &Value) -> Result<Value, Refusal> {
    Ok(match value {
        Value::Number(number) => Value::Number(-*number),
        Value::Money(money) => Value::Money(Money { amount: -money.amount, currency: money.currency.clone() }),
        Value::Weight(amount, unit) => Value::Weight(-*amount, *unit),
        Value::Length(amount, unit) => Value::Length(-*amount, *unit),
        Value::Duration(duration) => Value::Duration(duration.checked_neg().ok_or(Refusal::TooLarge)?),
        Value::Missing(_) => Value::ABSENT,
        other => return Err(unchecked(other)),
    })
}

pub(super) fn apply(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, Refusal> {
    if left.is_missing() || right.is_missing() {
        return Ok(Value::ABSENT);
    }
    match op {
        Arithmetic::Add | Arithmetic::Subtract => sum(op, left, right),
        Arithmetic::Multiply => product(left, right),
        Arithmetic::Divide => quotient(left, right),
    }
}

fn unchecked(value: &Value) -> Refusal {
    Refusal::Unchecked { function: "arithmetic", found: value.noun() }
}

fn add(op: Arithmetic, left: Decimal, right: Decimal) -> Result<Decimal, Refusal> {
    let result = if op == Arithmetic::Add { left.checked_add(right) } else { left.checked_sub(right) };
    result.ok_or(Refusal::TooLarge)
}

fn times(left: Decimal, right: Decimal) -> Result<Decimal, Refusal> {
    left.checked_mul(right).ok_or(Refusal::TooLarge)
}

fn sum(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, Refusal> {
    let subtract = op == Arithmetic::Subtract;
    let signed = |duration: SignedDuration| if subtract { -duration } else { duration };
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Value::Number(add(op, *a, *b)?),
        (Value::Money(a), Value::Money(b)) => Value::Money(Money { amount: add(op, a.amount, b.amount)?, currency: compare::same_currency(a, b)? }),
        (Value::Money(a), Value::Number(b)) => Value::Money(Money { amount: add(op, a.amount, *b)?, currency: a.currency.clone() }),
        (Value::Number(a), Value::Money(b)) => Value::Money(Money { amount: add(op, *a, b.amount)?, currency: b.currency.clone() }),
        (Value::Weight(a, unit), Value::Weight(b, other)) => {
            let b = other.convert(*b, *unit).ok_or(Refusal::TooLarge)?;
            Value::Weight(add(op, *a, b)?, *unit)
        }
        (Value::Length(a, unit), Value::Length(b, other)) => {
            let b = other.convert(*b, *unit).ok_or(Refusal::TooLarge)?;
            Value::Length(add(op, *a, b)?, *unit)
        }
        // The sum of an empty list is a plain 0, whatever it would have summed.
        (Value::Weight(a, unit), Value::Number(b)) => Value::Weight(add(op, *a, *b)?, *unit),
        (Value::Number(a), Value::Weight(b, unit)) => Value::Weight(add(op, *a, *b)?, *unit),
        (Value::Length(a, unit), Value::Number(b)) => Value::Length(add(op, *a, *b)?, *unit),
        (Value::Number(a), Value::Length(b, unit)) => Value::Length(add(op, *a, *b)?, *unit),
        (Value::Duration(a), Value::Duration(b)) => {
            let result = if subtract { a.checked_sub(*b) } else { a.checked_add(*b) };
            Value::Duration(result.ok_or(Refusal::TooLarge)?)
        }
        (Value::DateTime(instant), Value::Duration(duration)) => {
            Value::DateTime(instant.checked_add(signed(*duration)).map_err(|_| Refusal::TooLarge)?)
        }
        (Value::DateTime(a), Value::DateTime(b)) if subtract => Value::Duration(a.duration_since(*b)),
        // The checker lets only whole days go here.
        (Value::Date(date), Value::Duration(duration)) => {
            let days = signed(*duration).as_secs() / DAY;
            let span = Span::new().try_days(days).map_err(|_| Refusal::TooLarge)?;
            Value::Date(date.checked_add(span).map_err(|_| Refusal::TooLarge)?)
        }
        (Value::Date(a), Value::Date(b)) if subtract => Value::Duration(a.duration_since(*b)),
        (Value::Duration(_), Value::Date(_) | Value::DateTime(_)) if !subtract => sum(op, right, left)?,
        (left, _) => return Err(unchecked(left)),
    })
}

fn product(left: &Value, right: &Value) -> Result<Value, Refusal> {
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Value::Number(times(*a, *b)?),
        (Value::Money(money), Value::Number(n)) | (Value::Number(n), Value::Money(money)) => {
            Value::Money(Money { amount: times(money.amount, *n)?, currency: money.currency.clone() })
        }
        (Value::Weight(amount, unit), Value::Number(n)) | (Value::Number(n), Value::Weight(amount, unit)) => {
            Value::Weight(times(*amount, *n)?, *unit)
        }
        (Value::Length(amount, unit), Value::Number(n)) | (Value::Number(n), Value::Length(amount, unit)) => {
            Value::Length(times(*amount, *n)?, *unit)
        }
        (Value::Duration(duration), Value::Number(n)) | (Value::Number(n), Value::Duration(duration)) => {
            let millis = Decimal::from_i128_with_scale(duration.as_millis(), 0);
            Value::Duration(millis_of(times(millis, *n)?)?)
        }
        (left, _) => return Err(unchecked(left)),
    })
}

fn millis_of(millis: Decimal) -> Result<SignedDuration, Refusal> {
    let whole: i64 = millis.round().try_into().map_err(|_| Refusal::TooLarge)?;
    Ok(SignedDuration::from_millis(whole))
}

/// Missing where the divisor is 0.
fn quotient(left: &Value, right: &Value) -> Result<Value, Refusal> {
    let divide = |a: Decimal, b: Decimal| -> Result<Option<Decimal>, Refusal> {
        if b.is_zero() { Ok(None) } else { a.checked_div(b).map(Some).ok_or(Refusal::TooLarge) }
    };
    Ok(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Value::optional(divide(*a, *b)?.map(Value::Number)),
        (Value::Money(a), Value::Number(b)) => {
            let money = |amount| Value::Money(Money { amount, currency: a.currency.clone() });
            Value::optional(divide(a.amount, *b)?.map(money))
        }
        (Value::Money(a), Value::Money(b)) => {
            compare::same_currency(a, b)?;
            Value::optional(divide(a.amount, b.amount)?.map(Value::Number))
        }
        (Value::Weight(a, unit), Value::Number(b)) => Value::optional(divide(*a, *b)?.map(|amount| Value::Weight(amount, *unit))),
        (Value::Weight(a, unit), Value::Weight(b, other)) => {
            let b = other.convert(*b, *unit).ok_or(Refusal::TooLarge)?;
            Value::optional(divide(*a, b)?.map(Value::Number))
        }
        (Value::Length(a, unit), Value::Number(b)) => Value::optional(divide(*a, *b)?.map(|amount| Value::Length(amount, *unit))),
        (Value::Length(a, unit), Value::Length(b, other)) => {
            let b = other.convert(*b, *unit).ok_or(Refusal::TooLarge)?;
            Value::optional(divide(*a, b)?.map(Value::Number))
        }
        (left, _) => return Err(unchecked(left)),
    })
}
