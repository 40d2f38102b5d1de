//! Functions over values: some have a faster implementation here, all others use that of the reference.

use bumpalo::collections::Vec as List;

use super::eval::{Eval, Leave, Ran};
use super::memo::{kept, recall};
use super::number::Number;
use super::op::{Argument, Call, Quick, Treat};
use super::read::string;
use super::reg::{Reg, V};
use crate::base::bounds::LONG_TEXT;
use crate::builtin::{Args, BuiltinRef};
use crate::value::{Money, Value};

impl<'r, 'p: 'r> Eval<'r, 'p> {
    pub(super) fn treated(&mut self, value: V<'r>, how: Treat) -> Ran<V<'r>> {
        Ok(match (value, how) {
            (V::Money(amount, _), Treat::Number) => V::Number(amount),
            (V::Number(amount), Treat::Money) => V::Money(amount, Default::default()),
            (V::Named(named), Treat::Text) => {
                let reference = self.flat.references.get(named as usize).ok_or(Leave)?;
                V::Text(reference.name.as_bytes())
            }
            (V::Missing(_) | V::Text(_), _) => value,
            (_, Treat::Text) => {
                let mut built = List::new_in(self.bump);
                self.print(value, &mut built)?;
                V::Text(built.into_bump_slice())
            }
            (value, _) => value,
        })
    }

    pub(super) fn quick(&mut self, quick: Quick, value: V<'r>) -> Ran<V<'r>> {
        let text = match (quick, value) {
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
        Ok(match quick {
            Quick::Length => V::Number(Number::count(text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count())),
            _ => V::Text(self.shaped(quick, text)?),
        })
    }

    #[inline(never)]
    pub(super) fn call(&mut self, call: &'r Call<'p>, memo: u32, dst: u32) -> Ran<()> {
        let Call { function, arguments, given, strict } = call;
        if *strict && given.first().is_some_and(|first| self.get(*first).is_missing()) {
            self.put(dst, V::ABSENT);
            return Ok(());
        }
        // What is the same at each call tells none from the other.
        if let Some(kept) = self.memos.get(memo, given.iter().map(|reg| self.get(*reg))) {
            if let Some(place) = self.slots.values.get_mut(dst as usize) {
                recall(kept, self.bump, place);
            }
            return Ok(());
        }
        let result = self.called(*function, arguments, given, memo)?;
        self.put(dst, result);
        Ok(())
    }

    #[inline(never)]
    fn called(&mut self, function: BuiltinRef, arguments: &'r [Argument<'p>], given: &'r [Reg], memo: u32) -> Ran<V<'r>> {
        let value = |argument: &Argument<'p>| match argument {
            Argument::Constant(constant) => *constant,
            Argument::Value(reg) => *self.get(*reg),
        };
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(value(argument))).collect::<Ran<_>>()?;
        let result = function.0.call(&Args { values: &values, context: self.context }).map_err(|_| Leave)?;
        // Long texts are counted, which the reference evaluator does.
        if matches!(&result, Value::Text(text) if text.len() > LONG_TEXT) {
            return Err(Leave);
        }
        let result = kept(&result)?;
        let mut recalled = V::ABSENT;
        recall(&result, self.bump, &mut recalled);
        let values: Vec<V<'r>> = given.iter().map(|reg| *self.get(*reg)).collect();
        self.memos.keep(memo, values.iter(), result);
        Ok(recalled)
    }

    /// A value as the reference has it.
    pub(crate) fn value(&self, value: V<'r>) -> Ran<Value> {
        Ok(match value {
            V::Missing(missing) => Value::Missing(missing),
            V::Boolean(truth) => Value::Boolean(truth),
            V::Number(number) => Value::Number(number.decimal()),
            V::Money(amount, currency) => {
                Value::Money(Money { amount: amount.decimal(), currency: self.code(currency).map(|code| string(code).map(Into::into)).transpose()? })
            }
            V::Text(text) => Value::text(string(text)?),
            V::Date(date) => Value::Date(date),
            V::Instant(instant) => Value::DateTime(instant),
            V::Weight(amount, unit) => Value::Weight(amount.decimal(), unit),
            V::Length(amount, unit) => Value::Length(amount.decimal(), unit),
            V::Named(named) => Value::Reference(std::sync::Arc::new(self.flat.references.get(named as usize).ok_or(Leave)?.clone())),
            V::List(items) => Value::list(items.iter().map(|item| self.value(*item)).collect::<Ran<_>>()?),
            V::Record(..) | V::Rows { .. } | V::Row(_) => return Err(Leave),
        })
    }
}
