//! Functions over values: some have a faster implementation here, all others use that of the reference.

use bumpalo::collections::Vec as List;

use super::eval::{Eval, Leave, Ran};
use super::memo::{kept, recall};
use super::number::Number;
use super::op::{Argument, Call, Coerce, Quick};
use super::read::string;
use super::reg::{Reg, RegValue};
use crate::base::bounds::LONG_TEXT;
use crate::builtin::{Args, BuiltinRef};
use crate::value::{Money, Value};

impl<'r, 'p: 'r> Eval<'r, 'p> {
    pub(super) fn coerced(&mut self, value: RegValue<'r>, how: Coerce) -> Ran<RegValue<'r>> {
        Ok(match (value, how) {
            (RegValue::Money(amount, _), Coerce::Number) => RegValue::Number(amount),
            (RegValue::Number(amount), Coerce::Money) => RegValue::Money(amount, Default::default()),
            (RegValue::Named(named), Coerce::Text) => {
                let reference = self.compiled.references.get(named as usize).ok_or(Leave)?;
                RegValue::Text(reference.name.as_bytes())
            }
            (RegValue::Missing(_) | RegValue::Text(_), _) => value,
            (_, Coerce::Text) => {
                let mut built = List::new_in(self.bump);
                self.print(value, &mut built)?;
                RegValue::Text(built.into_bump_slice())
            }
            (value, _) => value,
        })
    }

    pub(super) fn quick(&mut self, quick: Quick, value: RegValue<'r>) -> Ran<RegValue<'r>> {
        let text = match (quick, value) {
            (Quick::Sum, RegValue::List(items)) => return self.sum(items),
            (Quick::Sum, RegValue::Missing(_)) => return Ok(RegValue::Number(Number::ZERO)),
            (_, RegValue::Missing(_)) => return Ok(RegValue::ABSENT),
            (Quick::Round(places, how), value) => {
                let round = |number: Number| number.round(places, how).ok_or(Leave);
                return Ok(match value {
                    RegValue::Number(number) => RegValue::Number(round(number)?),
                    RegValue::Money(amount, currency) => RegValue::Money(round(amount)?, currency),
                    RegValue::Weight(amount, unit) => RegValue::Weight(round(amount)?, unit),
                    RegValue::Length(amount, unit) => RegValue::Length(round(amount)?, unit),
                    _ => return Err(Leave),
                });
            }
            (_, RegValue::Text(text)) => text,
            _ => return Err(Leave),
        };
        Ok(match quick {
            Quick::Length => RegValue::Number(Number::count(text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count())),
            _ => RegValue::Text(self.shaped(quick, text)?),
        })
    }

    #[inline(never)]
    pub(super) fn call(&mut self, call: &'r Call<'p>, memo: u32, dst: u32) -> Ran<()> {
        let Call { function, arguments, given, strict } = call;
        if *strict && given.first().is_some_and(|first| self.get(*first).is_missing()) {
            self.put(dst, RegValue::ABSENT);
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
    fn called(&mut self, function: BuiltinRef, arguments: &'r [Argument<'p>], given: &'r [Reg], memo: u32) -> Ran<RegValue<'r>> {
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
        let mut recalled = RegValue::ABSENT;
        recall(&result, self.bump, &mut recalled);
        let values: Vec<RegValue<'r>> = given.iter().map(|reg| *self.get(*reg)).collect();
        self.memos.keep(memo, values.iter(), result);
        Ok(recalled)
    }

    /// A value as the reference has it.
    pub(crate) fn value(&self, value: RegValue<'r>) -> Ran<Value> {
        Ok(match value {
            RegValue::Missing(missing) => Value::Missing(missing),
            RegValue::Boolean(truth) => Value::Boolean(truth),
            RegValue::Number(number) => Value::Number(number.decimal()),
            RegValue::Money(amount, currency) => {
                Value::Money(Money { amount: amount.decimal(), currency: self.code(currency).map(|code| string(code).map(Into::into)).transpose()? })
            }
            RegValue::Text(text) => Value::text(string(text)?),
            RegValue::Date(date) => Value::Date(date),
            RegValue::Instant(instant) => Value::DateTime(instant),
            RegValue::Weight(amount, unit) => Value::Weight(amount.decimal(), unit),
            RegValue::Length(amount, unit) => Value::Length(amount.decimal(), unit),
            RegValue::Named(named) => Value::Reference(std::sync::Arc::new(self.compiled.references.get(named as usize).ok_or(Leave)?.clone())),
            RegValue::List(items) => Value::list(items.iter().map(|item| self.value(*item)).collect::<Ran<_>>()?),
            RegValue::Record(..) | RegValue::Rows { .. } | RegValue::Row(_) => return Err(Leave),
        })
    }
}
