//! Runs operations over one record.
//!
//! It gives a value, or gives up: a reason that nobody wrote, and whatever is not common enough to be written twice, is
//! for the reference evaluator, which then has the whole record.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;

use super::memo::{Memos, kept, push_key, recalled};
use super::number::Number;
use super::numbers::is;
use super::op::{At, Currency, Decode, Loop, Lowered, Op, Place, Quick, RowOutcome, Rule, RuleKind, Told, Treat, V};
use super::read::string;
use super::scan::{Raw, Slots};
use super::shape::ROOT;
use super::stopped::Reason;
use crate::builtin::{Args, BuiltinRef, Context};
use crate::check::typed::Compare;
use crate::value::{MAX_ITEMS, Missing, Money, Value};

/// The record is left to the reference evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave;

pub(crate) type Ran<T> = Result<T, Leave>;

/// Elements that all loops over one record may visit together.
const MOST_STEPS: u32 = 100_000;

/// One record while it is mapped.
pub(crate) struct Eval<'r, 'p> {
    pub(crate) flat: &'r Lowered<'p>,
    pub(crate) context: &'r Context,
    pub(crate) text: &'r [u8],
    pub(crate) slots: &'r Slots,
    pub(crate) bump: &'r Bump,
    pub(crate) frame: &'r mut [Option<V<'r>>],
    pub(crate) memos: &'r mut Memos,
    pub(crate) warned: bool,
    /// Why the record is stopped.
    pub(crate) reasons: Vec<Reason<'p>>,
    /// Rules that have failed, and in how many loops.
    pub(crate) failed: Vec<(u32, u32)>,
    /// In how many loops the rule at hand stands.
    pub(crate) inside: u32,
    /// The record is left to the reference: what is computed from here on counts for nothing.
    pub(crate) left: bool,
    pub(crate) steps: u32,
}

impl<'r, 'p: 'r> Eval<'r, 'p> {
    // ---- sections ----

    /// Whether all conditions of the flow's `where` hold.
    pub(crate) fn eligible(&mut self) -> bool {
        let flat = self.flat;
        flat.filter.iter().all(|condition| self.holds(*condition))
    }

    /// Goes through rules and routes.
    pub(crate) fn judge(&mut self) {
        let flat = self.flat;
        self.rules(&flat.rules);
        for route in &flat.routes {
            for (condition, outcome) in &route.rows {
                if let Some(condition) = condition
                    && !self.holds(*condition)
                {
                    continue;
                }
                match outcome {
                    RowOutcome::Results(results) => {
                        for (slot, result) in route.slots.iter().zip(results) {
                            let value = self.eval(*result);
                            self.set(*slot, value);
                        }
                    }
                    RowOutcome::Stop(told) => self.tell(told.as_ref()),
                }
                break;
            }
        }
    }

    fn rules(&mut self, rules: &'r [Rule<'p>]) {
        for rule in rules {
            if !self.failed.is_empty() && self.is_silent(rule) {
                continue;
            }
            match &rule.kind {
                RuleKind::Require(condition, told) => {
                    if !self.holds(*condition) {
                        self.failed.push((rule.id, self.inside));
                        self.tell(told.as_ref());
                    }
                }
                RuleKind::Review(condition, told) => {
                    if self.holds(*condition) {
                        self.tell(told.as_ref());
                    }
                }
                RuleKind::Warn(condition) => self.warned |= self.holds(*condition),
                RuleKind::When(condition, rules) => {
                    if self.holds(*condition) {
                        self.rules(rules);
                    }
                }
                RuleKind::Each { of, index, rules } => {
                    let mut count = 0;
                    self.inside += 1;
                    self.each(of, &mut |eval| {
                        count += 1;
                        eval.set(*index, V::Number(Number::count(count)));
                        eval.rules(rules);
                    });
                    self.inside -= 1;
                }
            }
            if self.left {
                return;
            }
        }
    }

    /// Whether a rule that this one rests on has failed. For which elements one has is for the reference to tell.
    #[cold]
    fn is_silent(&mut self, rule: &Rule<'p>) -> bool {
        let mut silent = false;
        for (_, inside) in self.failed.iter().filter(|(id, _)| rule.rests_on.contains(id)) {
            silent |= *inside == 0;
            self.left |= *inside > 0;
        }
        silent
    }

    /// Notes a reason; the same one twice is one.
    #[cold]
    fn tell(&mut self, told: Option<&'r Told<'p>>) {
        let reason = told.ok_or(Leave).and_then(|told| self.reason(told));
        match reason {
            Ok(reason) if !self.reasons.contains(&reason) => self.reasons.push(reason),
            Ok(_) => {}
            Err(Leave) => self.left = true,
        }
    }

    fn reason(&mut self, told: &'r Told<'p>) -> Ran<Reason<'p>> {
        let message = self.text_of(told.message).ok_or(Leave)?;
        let before = match told.before.map(|before| self.eval(before)) {
            None | Some(V::Missing(_)) => None,
            Some(V::Instant(instant)) => Some(instant),
            Some(_) => return Err(Leave),
        };
        Ok(Reason {
            message: string(message)?.to_owned(),
            kind: told.kind,
            review: told.review,
            owner: told.owner,
            before,
            field: None,
            place: told.at,
        })
    }

    /// Runs `each` for every combination of elements for which the condition holds.
    pub(crate) fn each(&mut self, of: &'r Loop, each: &mut dyn FnMut(&mut Self)) {
        self.nested(of, 0, each);
    }

    pub(super) fn nested(&mut self, of: &'r Loop, at: usize, each: &mut dyn FnMut(&mut Self)) {
        let Some(generator) = of.generators.get(at) else {
            if of.condition.is_none_or(|condition| self.holds(condition)) {
                each(self);
            }
            return;
        };
        let list = self.eval(generator.list);
        let count = match list {
            V::Rows { count, .. } => count as usize,
            V::List(items) => items.len(),
            V::Missing(_) => 0,
            _ => {
                self.left = true;
                return;
            }
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
                self.left = true;
            }
            if self.left {
                return;
            }
            let element = match list {
                V::Rows { node, first, .. } => self.slots.rows.get(first as usize + place).map(|row| V::Record(node, *row)),
                V::List(items) => items.get(place).copied(),
                _ => None,
            };
            self.set(generator.slot, element.unwrap_or(V::ABSENT));
            if let Some(index) = generator.index {
                self.set(index, V::Number(Number::count(place + 1)));
            }
            self.nested(of, at + 1, each);
        }
    }

    // ---- values ----

    #[inline]
    pub(crate) fn set(&mut self, slot: u32, value: V<'r>) {
        if let Some(place) = self.frame.get_mut(slot as usize) {
            *place = Some(value);
        }
    }

    /// The value of what cannot be computed here.
    #[cold]
    pub(crate) fn leave(&mut self) -> V<'r> {
        self.left = true;
        V::ABSENT
    }

    /// The same of a condition.
    #[cold]
    pub(crate) fn untold(&mut self) -> bool {
        self.left = true;
        false
    }

    /// Whether a condition holds; a missing one does not. The common ones need no value of their own.
    pub(crate) fn holds(&mut self, condition: At) -> bool {
        let flat = self.flat;
        let Some(op) = flat.ops.get(condition as usize) else { return self.untold() };
        match op {
            Op::And(parts) => parts.iter().all(|part| self.holds(*part)),
            Op::Or(parts) => parts.iter().any(|part| self.holds(*part)),
            Op::Not(inner) => !self.holds(*inner),
            Op::IsPresent(inner) => self.present(*inner),
            Op::IsWord(value, word) => self.text_of(*value).is_some_and(|text| text == *word),
            Op::InWords(value, words) => self.text_of(*value).is_some_and(|text| words.has(text)),
            Op::Compare(op, left, right) => {
                let (left, right) = (self.eval(*left), self.eval(*right));
                self.compare(*op, left, right).unwrap_or_else(|Leave| self.untold())
            }
            Op::CompareNumber(op, left, right) => match self.number_of(*left) {
                Some(left) => is(*op, left.order(*right)),
                None => *op == Compare::NotEqual,
            },
            _ => matches!(self.eval(condition), V::Boolean(true)),
        }
    }

    /// Whether there is a value.
    fn present(&mut self, at: At) -> bool {
        let flat = self.flat;
        match flat.ops.get(at as usize) {
            Some(Op::RootText { .. } | Op::RowText { .. } | Op::PathText { .. }) => self.text_of(at).is_some(),
            Some(
                Op::RootPath { decode: Decode::Integer { .. } | Decode::Decimal { .. } | Decode::Money { .. }, .. }
                | Op::RowPath { decode: Decode::Integer { .. } | Decode::Decimal { .. } | Decode::Money { .. }, .. },
            ) => self.number_of(at).is_some(),
            Some(Op::Fallback(value, fallback)) => self.present(*value) || self.present(*fallback),
            _ => !self.eval(at).is_missing(),
        }
    }

    /// A column of a table's row.
    pub(super) fn cell(&mut self, base: At, column: u32) -> V<'r> {
        let flat = self.flat;
        let row = match flat.ops.get(base as usize) {
            Some(Op::Table { table, keys }) => self.table(*table, keys).unwrap_or_else(|Leave| self.leave()),
            _ => self.eval(base),
        };
        match row {
            V::Row(columns) => columns.get(column as usize).copied().unwrap_or(V::ABSENT),
            V::Missing(missing) => V::Missing(missing),
            _ => self.leave(),
        }
    }

    #[inline(always)]
    pub(super) fn column(&mut self, slot: u32, column: u32) -> V<'r> {
        match self.frame.get(slot as usize) {
            Some(Some(V::Row(columns))) => columns.get(column as usize).copied().unwrap_or(V::ABSENT),
            Some(Some(V::Missing(missing))) => V::Missing(*missing),
            _ => self.leave(),
        }
    }

    /// What stands in a row's slot; none where there is no row.
    #[inline(always)]
    pub(crate) fn row(&mut self, slot: u32, place: &Place) -> Option<&'r Raw> {
        let slots = self.slots;
        match self.frame.get(slot as usize) {
            Some(Some(V::Record(of, at))) if *of == place.of => slots.raw.get((*at + place.slot) as usize),
            Some(Some(V::Missing(_))) => None,
            _ => {
                self.left = true;
                None
            }
        }
    }

    pub(crate) fn eval(&mut self, at: At) -> V<'r> {
        let flat = self.flat;
        match flat.ops.get(at as usize) {
            Some(Op::Const(value)) => *value,
            Some(Op::Slot(slot)) => self.slot(*slot),
            Some(Op::ColumnOf { slot, column }) => self.column(*slot, *column),
            Some(op) => self.other_value(at, op),
            None => self.leave(),
        }
    }

    #[inline(never)]
    fn other_value(&mut self, at: At, op: &'r Op<'p>) -> V<'r> {
        let flat = self.flat;
        match op {
            Op::RootText { whole, .. } | Op::RowText { whole, .. } | Op::PathText { whole, .. } => match self.text_of(at) {
                Some(text) => V::Text(text),
                // It says why it is missing.
                None => self.eval(*whole),
            },
            Op::Fallback(value, fallback) => {
                // Why the first one is missing is not asked for.
                let value = match flat.ops.get(*value as usize) {
                    Some(Op::RootText { .. } | Op::RowText { .. } | Op::PathText { .. }) => self.text_of(*value).map_or(V::ABSENT, V::Text),
                    _ => self.eval(*value),
                };
                if value.is_missing() {
                    return self.eval(*fallback);
                }
                value
            }
            Op::Compare(..) | Op::CompareNumber(..) | Op::And(_) | Op::Or(_) | Op::Not(_) | Op::InWords(..) | Op::IsWord(..) | Op::IsPresent(_) => {
                V::Boolean(self.holds(at))
            }
            Op::Sum { of, body, money } if !flat.currencies => match self.sum_of(of, *body) {
                Some(sum) if *money => V::Money(sum, Currency::default()),
                Some(sum) => V::Number(sum),
                None => V::ABSENT,
            },
            Op::StreetLine { .. } => self.text_of(at).map_or(V::ABSENT, V::Text),
            op => match self.rarer(op) {
                Ok(value) => value,
                Err(Leave) => self.leave(),
            },
        }
    }

    /// The rarer operations: apart, so that the others need no more than they do.
    #[inline(never)]
    fn rarer(&mut self, op: &'r Op<'p>) -> Ran<V<'r>> {
        let flat = self.flat;
        Ok(match op {
            Op::Read { base, places, decode } => {
                let base = self.eval(*base);
                return self.read(base, places, decode);
            }
            Op::RootPath { raw, node, decode, whole } => {
                let raw = *self.slots.raw.get(*raw as usize).ok_or(Leave)?;
                if raw != Raw::Absent {
                    return self.decoded(raw, *node, (ROOT, 0), decode);
                }
                self.eval(*whole)
            }
            Op::RowPath { slot, place, decode, whole } => {
                if let Some(Some(V::Record(of, at))) = self.frame.get(*slot as usize)
                    && *of == place.of
                {
                    let (of, at) = (*of, *at);
                    let raw = *self.slots.raw.get((at + place.slot) as usize).ok_or(Leave)?;
                    if raw != Raw::Absent {
                        return self.decoded(raw, place.node, (of, at), decode);
                    }
                }
                self.eval(*whole)
            }
            Op::Sum { of, body, .. } => {
                let list = self.listed(of, *body);
                return self.quick(Quick::Sum, list);
            }
            Op::Path { slot, places, decode, whole } => {
                if let V::Record(of, at) = self.slot(*slot) {
                    let (raw, node) = self.raw(of, at, places)?;
                    if raw != Raw::Absent {
                        return self.decoded(raw, node, (of, at), decode);
                    }
                }
                self.eval(*whole)
            }
            Op::Quick(quick, argument) => {
                let value = self.eval(*argument);
                return self.quick(*quick, value);
            }
            Op::Column { base, column } => self.cell(*base, *column),
            Op::Bind { slot, value, body } => {
                let value = self.eval(*value);
                self.set(*slot, value);
                self.eval(*body)
            }
            Op::Call { function, arguments, memo } => return self.call(*function, arguments, *memo),
            Op::Values { map, value } => {
                let map = flat.maps.get(*map as usize).ok_or(Leave)?;
                let text = self.text_of(*value);
                text.and_then(|text| map.texts.get(text).copied()).or(map.otherwise).ok_or(Leave)?
            }
            Op::Table { table, keys } => return self.table(*table, keys),
            Op::Template { pieces, message } => return self.template(pieces, *message),
            Op::Arithmetic(op, left, right) => {
                let (left, right) = (self.eval(*left), self.eval(*right));
                self.arithmetic(*op, left, right)?
            }
            Op::In(value, list) => {
                let value = self.eval(*value);
                if value.is_missing() {
                    return Ok(V::Boolean(false));
                }
                for item in list {
                    let item = self.eval(*item);
                    if !item.is_missing() && self.compare(Compare::Equal, value, item)? {
                        return Ok(V::Boolean(true));
                    }
                }
                V::Boolean(false)
            }
            Op::Matches(value, regex) => match self.eval(*value) {
                V::Text(text) => V::Boolean(regex.is_match(text)),
                V::Missing(_) => V::Boolean(false),
                _ => return Err(Leave),
            },
            Op::WasSent(inner) => V::Boolean(!matches!(self.eval(*inner), V::Missing(Missing::Absent))),
            Op::If(condition, then, otherwise) => {
                let taken = if self.holds(*condition) { *then } else { *otherwise };
                self.eval(taken)
            }
            Op::Each(of, body) => self.listed(of, *body),
            Op::Reasons => {
                let texts = self.reasons.iter().map(|reason| V::Text(self.bump.alloc_str(&reason.message).as_bytes()));
                V::List(self.bump.alloc_slice_fill_iter(texts))
            }
            Op::Weigh(value, unit) => match self.eval(*value) {
                V::Number(number) => V::Weight(number, *unit),
                V::Weight(amount, from) if from == *unit => V::Weight(amount, *unit),
                V::Weight(..) => return Err(Leave),
                other => other,
            },
            Op::Measure(value, unit) => match self.eval(*value) {
                V::Number(number) => V::Length(number, *unit),
                V::Length(amount, from) if from == *unit => V::Length(amount, *unit),
                V::Length(..) => return Err(Leave),
                other => other,
            },
            Op::Treat(value, how) => {
                let value = self.eval(*value);
                match (value, how) {
                    (V::Money(amount, _), Treat::Number) => V::Number(amount),
                    (V::Number(amount), Treat::Money) => V::Money(amount, Currency::default()),
                    (V::Named(named), Treat::Text) => {
                        let reference = flat.references.get(named as usize).ok_or(Leave)?;
                        V::Text(reference.name.as_bytes())
                    }
                    (V::Missing(_) | V::Text(_), _) => value,
                    (_, Treat::Text) => {
                        let mut built = List::new_in(self.bump);
                        self.print(value, &mut built)?;
                        V::Text(built.into_bump_slice())
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
            | Op::RootText { .. }
            | Op::RowText { .. }
            | Op::PathText { .. }
            | Op::ColumnOf { .. }
            | Op::StreetLine { .. }
            | Op::CompareNumber(..)
            | Op::Fallback(..)
            | Op::Compare(..)
            | Op::And(_)
            | Op::IsPresent(_) => return Err(Leave),
        })
    }

    fn listed(&mut self, of: &'r Loop, body: At) -> V<'r> {
        let mut found = List::new_in(self.bump);
        self.each(of, &mut |eval| {
            eval.left |= found.len() >= MAX_ITEMS;
            let value = eval.eval(body);
            found.push(value);
        });
        V::List(found.into_bump_slice())
    }

    #[inline]
    pub(super) fn slot(&mut self, slot: u32) -> V<'r> {
        if let Some(Some(known)) = self.frame.get(slot as usize) {
            return *known;
        }
        let Some(Some(found)) = self.flat.lets.get(slot as usize) else { return V::ABSENT };
        self.given(slot, *found)
    }

    /// The value of a name, which is kept.
    #[inline(never)]
    pub(super) fn given(&mut self, slot: u32, found: At) -> V<'r> {
        let value = self.eval(found);
        self.set(slot, value);
        value
    }

    // ---- functions ----

    pub(super) fn quick(&mut self, quick: Quick, value: V<'r>) -> Ran<V<'r>> {
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
        Ok(match quick {
            Quick::Length => V::Number(Number::count(text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count())),
            _ => V::Text(self.shaped(quick, text)?),
        })
    }

    pub(super) fn call(&mut self, function: BuiltinRef, arguments: &'r [At], memo: u32) -> Ran<V<'r>> {
        let mut few = [V::ABSENT; 4];
        let values: &mut [V<'r>] = match few.get_mut(..arguments.len()) {
            Some(values) => values,
            None => self.bump.alloc_slice_fill_copy(arguments.len(), V::ABSENT),
        };
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = self.eval(*argument);
        }
        if values.first().is_some_and(V::is_missing) && !function.0.takes.first().is_none_or(|param| param.nullable) {
            return Ok(V::ABSENT);
        }
        let mut key = std::mem::take(&mut self.memos.key);
        key.clear();
        let flat = self.flat;
        let mut keyed = true;
        for (value, argument) in values.iter().zip(arguments) {
            // What is the same at each call tells none from the other.
            if !matches!(flat.ops.get(*argument as usize), Some(Op::Const(_))) {
                keyed &= push_key(*value, &mut key).is_ok();
            }
        }
        if keyed && let Some(kept) = self.memos.get(memo, &key) {
            let value = recalled(kept, self.bump);
            self.memos.key = key;
            return Ok(value);
        }
        let given: Ran<Vec<Value>> = values.iter().map(|value| self.value(*value)).collect();
        let result = given.and_then(|given| function.0.call(&Args { values: &given, context: self.context }).map_err(|_| Leave));
        let result = result.and_then(|result| kept(&result));
        if let (true, Ok(result)) = (keyed && !self.left, &result) {
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

    pub(super) fn table(&mut self, table: u32, keys: &'r [At]) -> Ran<V<'r>> {
        let flat = self.flat;
        let found = flat.tables.get(table as usize).ok_or(Leave)?;
        if let (Some(texts), [key]) = (&found.texts, keys) {
            let rows = self.text_of(*key).and_then(|key| texts.get(key)).map_or(&[][..], Vec::as_slice);
            return Ok(self.rows(rows, found.many));
        }
        let mut key = List::with_capacity_in(64, self.bump);
        let mut missing = false;
        for (at, of) in keys.iter().enumerate() {
            let value = self.eval(*of);
            missing |= value.is_missing();
            if at > 0 {
                key.push(0x1f);
            }
            push_table_key(value, &mut key)?;
        }
        let rows = if missing { &[][..] } else { found.rows.get(key.as_slice()).map_or(&[][..], Vec::as_slice) };
        Ok(self.rows(rows, found.many))
    }

    pub(super) fn rows(&self, rows: &'r [Vec<V<'p>>], many: bool) -> V<'r> {
        if !many {
            return rows.first().map_or(V::ABSENT, |row| V::Row(row));
        }
        V::List(self.bump.alloc_slice_fill_iter(rows.iter().map(|row| V::Row(row))))
    }
}

/// Appends a value as tables are keyed ([`crate::value::key`]).
fn push_table_key(value: V<'_>, key: &mut List<'_, u8>) -> Ran<()> {
    match value {
        V::Missing(_) => key.push(b'-'),
        V::Text(text) => {
            key.push(b't');
            key.extend_from_slice(text);
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
