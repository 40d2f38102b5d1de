//! Evaluates expressions over one record.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::arithmetic;
use super::program::Program;
use super::reasons::{currencies, limit, located, refused};
use super::text::words;
use super::trace::{Mark, Tracer};
use super::{Inputs, Met, Reason};
use crate::base::bounds;
use crate::builtin::{Args, BuiltinRef, Context, Refusal};
use crate::ir::{Compare, ContextVar, Expr, Flow, Let, Row, RowValue, Slot};
use crate::value::{Kind, Literal, Missing, Money, Value, compare};

/// Why an expression gave no value: a reason that the author wrote, or one of the closed list.
pub(super) type EvalError = Box<Reason>;
pub(super) type Evaluated = Result<Value, EvalError>;

/// Expressions inside each other, functions' bodies included: far more than a person writes, and
/// small enough for the stack of a worker.
const DEEPEST: u32 = 256;

/// Elements that all loops over one record may visit together, so that no mapping runs away.
const MOST_STEPS: u32 = bounds::STEPS as u32;

/// One record on its way through a flow.
pub(super) struct Evaluator<'a> {
    pub(super) program: &'a Program<'a>,
    pub(super) flow: &'a Flow,
    pub(super) inputs: &'a Inputs<'a>,
    /// The records of a grouped flow that its `where` keeps.
    pub(super) group: Arc<Vec<Value>>,
    frame: Vec<Option<Evaluated>>,
    /// Where the value of a slot comes from, for reasons and traces.
    pub(super) origins: Vec<Option<Origin<'a>>>,
    pub(super) lets: BTreeMap<Slot, &'a Let>,
    pub(super) context: Context,
    pub(super) met: BTreeSet<Met>,
    pub(super) tracer: Option<Tracer>,
    /// What the words of a place stand for while it is evaluated.
    pub(super) words: ContextValues,
    /// Reasons of elements and rows behind the first one: a list with two mistakes gives two reasons.
    pub(super) more: Vec<Reason>,
    depth: u32,
    steps: u32,
    /// Bytes of the long texts that were made for this record.
    made: usize,
    /// Bytes of the texts that stand in its payloads.
    pub(super) paid: Cell<usize>,
}

/// What a name stands for, besides its value.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// An element of a list, and its place.
    Element(&'a Expr, usize),
    /// Another path.
    Path(&'a Expr),
    /// A record of the group, and its place.
    OfGroup(usize),
}

#[derive(Default)]
pub(super) struct ContextValues {
    pub target: Option<Value>,
    pub value: Option<Value>,
    pub count: Option<usize>,
    pub reasons: Vec<String>,
    pub reached: Option<Value>,
    pub difference: Option<Value>,
    pub sent_at: Option<jiff::Timestamp>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Self {
        let mut frame: Vec<Option<Evaluated>> = Vec::new();
        frame.resize_with(flow.slots as usize, || None);
        let mut lets: BTreeMap<Slot, &Let> = flow.lets.iter().map(|found| (found.slot, found)).collect();
        lets.extend(flow.follow_ups.iter().flat_map(|after| &after.lets).map(|found| (found.slot, found)));
        let context = Context { now: inputs.now, zone: program.zone.clone() };
        let mut machine = Evaluator {
            program,
            flow,
            inputs,
            group: Arc::default(),
            frame,
            origins: vec![None; flow.slots as usize],
            lets,
            context,
            met: BTreeSet::new(),
            tracer: inputs.trace.then(Tracer::default),
            words: ContextValues::default(),
            more: Vec::new(),
            depth: 0,
            steps: 0,
            made: 0,
            paid: Cell::new(0),
        };
        if flow.group.is_none() {
            // The one copy of a record: everything read of it afterwards is shared.
            machine.set(Flow::RECORD, Value::Record(Arc::new(inputs.record.clone())));
        }
        machine
    }

    pub(super) fn set(&mut self, slot: Slot, value: Value) {
        if let Some(place) = self.frame.get_mut(slot.0 as usize) {
            *place = Some(Ok(value));
        }
    }

    pub(super) fn came_from(&mut self, slot: Slot, origin: Origin<'a>) {
        if let Some(place) = self.origins.get_mut(slot.0 as usize) {
            *place = Some(origin);
        }
    }

    /// What a slot holds now, without evaluating anything.
    pub(super) fn bound(&self, slot: Slot) -> Value {
        match self.frame.get(slot.0 as usize) {
            Some(Some(Ok(value))) => value.clone(),
            _ => Value::ABSENT,
        }
    }

    fn slot(&mut self, slot: Slot) -> Evaluated {
        if let Some(Some(known)) = self.frame.get(slot.0 as usize) {
            if let Some(tracer) = &mut self.tracer {
                tracer.replay(slot);
            }
            return known.clone();
        }
        let Some(found) = self.lets.get(&slot).copied() else { return Ok(Value::ABSENT) };
        let mark: Option<Mark> = self.tracer.as_mut().map(Tracer::mark);
        let value = self.eval(&found.value).map_err(|halt| located(halt, &found.name));
        if let (Some(tracer), Some(mark)) = (&mut self.tracer, mark) {
            // A name says nothing of its own; the line that gives it may be the one that was edited.
            tracer.step(String::new(), Some(found.place.clone()));
            tracer.remember(slot, mark);
        }
        if let Some(place) = self.frame.get_mut(slot.0 as usize) {
            *place = Some(value.clone());
        }
        value
    }

    /// Whether a condition holds; a missing one does not.
    pub(super) fn holds(&mut self, condition: &'a Expr) -> Result<bool, EvalError> {
        Ok(matches!(self.eval(condition)?, Value::Boolean(true)))
    }

    pub(super) fn eval(&mut self, expr: &'a Expr) -> Evaluated {
        if self.depth >= DEEPEST {
            return Err(limit("expressions are nested too deeply"));
        }
        self.depth += 1;
        let value = self.evaluate(expr);
        self.depth -= 1;
        value
    }

    /// Counts one element of a loop.
    pub(super) fn tick(&mut self) -> Result<(), EvalError> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(limit(format!("the lists of this record have more than {MOST_STEPS} combinations")));
        }
        Ok(())
    }

    /// Counts a text that was made. One bound on each text alone would let a mapping make thousands of the longest.
    pub(super) fn made(&mut self, value: Value) -> Evaluated {
        if let Value::Text(text) = &value
            && text.len() > bounds::LONG_TEXT
        {
            self.made += text.len();
            if self.made > bounds::RECORD_TEXTS {
                let most = bounds::RECORD_TEXTS >> 20;
                return Err(limit(format!("the long texts that are made for this record are together longer than {most} MB")));
            }
        }
        Ok(value)
    }

    fn evaluate(&mut self, expr: &'a Expr) -> Evaluated {
        match expr {
            Expr::Literal(literal) => Ok(literal.to_value()),
            Expr::Slot { slot, .. } => self.slot(*slot),
            Expr::ContextVar(word) => Ok(self.word(*word)),
            Expr::Parameter(name) => self.parameter(name),
            Expr::Field { .. } => self.field(expr),
            Expr::Bind { slot, value, body, .. } => {
                let given = self.eval(value)?;
                self.came_from(*slot, Origin::Path(value));
                self.set(*slot, given);
                self.eval(body)
            }
            Expr::Call { function, arguments } => {
                let values = self.all(arguments)?;
                let result = self.call(*function, &values)?;
                if self.tracer.is_some()
                    && let Some(given) = values.first()
                    && !matches!(result, Value::List(_) | Value::Object(_) | Value::Record(_))
                {
                    let given = match given {
                        Value::List(items) => format!("{} elements", items.len()),
                        other => other.to_string(),
                    };
                    self.step(|| format!("{}: {given} -> {result}", function.0.name));
                }
                Ok(result)
            }
            Expr::Values { map, back, value } => self.value_map(*map, *back, value),
            Expr::Table { table, keys } => self.table(*table, keys),
            Expr::Template { parts, message } => self.template(parts, *message),
            Expr::Fallback { value, fallback } => {
                let first = self.eval(value)?;
                if !first.is_missing() {
                    return Ok(first);
                }
                self.step(|| format!("{} is missing: the fallback {} was taken", words(value), words(fallback)));
                self.eval(fallback)
            }
            Expr::Arithmetic { op, left, right } => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                arithmetic::apply(*op, &left, &right).map_err(refused)
            }
            Expr::Negate(inner) => {
                let value = self.eval(inner)?;
                arithmetic::negate(&value).map_err(refused)
            }
            Expr::Compare { op, left: left_of, right } => {
                let left = self.eval(left_of)?;
                // The most frequent comparison needs no value of its own.
                if let (Value::Text(text), Expr::Literal(Literal::Text(other)), Compare::Equal | Compare::NotEqual) = (&left, &**right, op) {
                    return Ok(Value::Boolean((**text == **other) == (*op == Compare::Equal)));
                }
                let fixed = is_fixed(right) || is_fixed(left_of);
                let right = self.eval(right)?;
                // An amount that the mapping names in a currency says something of that currency only.
                if fixed
                    && let (Value::Money(Money { currency: Some(one), .. }), Value::Money(Money { currency: Some(other), .. })) = (&left, &right)
                    && one != other
                {
                    return Ok(Value::Boolean(*op == Compare::NotEqual));
                }
                compared(*op, &left, &right).map(Value::Boolean)
            }
            Expr::And(parts) => {
                for part in parts {
                    if !self.holds(part)? {
                        return Ok(Value::Boolean(false));
                    }
                }
                Ok(Value::Boolean(true))
            }
            Expr::Or(parts) => {
                for part in parts {
                    if self.holds(part)? {
                        return Ok(Value::Boolean(true));
                    }
                }
                Ok(Value::Boolean(false))
            }
            Expr::Not(inner) => Ok(Value::Boolean(!self.holds(inner)?)),
            Expr::In { value, list } => {
                let value = self.eval(value)?;
                if value.is_missing() {
                    return Ok(Value::Boolean(false));
                }
                for item in list {
                    if let (Value::Text(text), Expr::Literal(Literal::Text(other))) = (&value, item) {
                        if **text == **other {
                            return Ok(Value::Boolean(true));
                        }
                        continue;
                    }
                    let item = self.eval(item)?;
                    if !item.is_missing() && compare::equal(&value, &item).map_err(currencies)? {
                        return Ok(Value::Boolean(true));
                    }
                }
                Ok(Value::Boolean(false))
            }
            Expr::Matches { value, pattern } => self.matches(value, pattern),
            Expr::IsPresent(inner) => Ok(Value::Boolean(!self.eval(inner)?.is_missing())),
            Expr::WasSent(inner) => Ok(Value::Boolean(!matches!(self.eval(inner)?, Value::Missing(Missing::Absent)))),
            Expr::If { condition, then, otherwise } => {
                let holds = self.holds(condition)?;
                self.step(|| format!("{} {}", words(condition), if holds { "holds" } else { "does not hold" }));
                self.eval(if holds { then } else { otherwise })
            }
            Expr::Each { generators, condition, body } => self.each(generators, condition.as_deref(), body),
            Expr::Object { rows, .. } => self.object(rows),
            Expr::Group { slot, list, by } => self.group(*slot, list, by, "items"),
            Expr::Sort { slot, list, by, descending } => self.sort(*slot, list, by, *descending),
            Expr::Grouped { function, value, condition, arguments } => self.grouped(*function, value.as_deref(), condition.as_deref(), arguments),
            Expr::JsonPath { value, path } => self.json_path(value, path),
            Expr::Weigh { value, unit } => {
                let given = self.eval(value)?;
                let result = match &given {
                    Value::Number(number) => Value::Weight(*number, *unit),
                    Value::Weight(amount, from) => Value::Weight(from.convert(*amount, *unit).ok_or_else(|| refused(Refusal::TooLarge))?, *unit),
                    _ => return Ok(given),
                };
                self.step(|| format!("{given} is {result}"));
                Ok(result)
            }
            Expr::Measure { value, unit } => {
                let given = self.eval(value)?;
                let result = match &given {
                    Value::Number(number) => Value::Length(*number, *unit),
                    Value::Length(amount, from) => Value::Length(from.convert(*amount, *unit).ok_or_else(|| refused(Refusal::TooLarge))?, *unit),
                    _ => return Ok(given),
                };
                self.step(|| format!("{given} is {result}"));
                Ok(result)
            }
            Expr::Named { of, name } => self.named(of, name),
            Expr::LookUpName { of, value } => {
                let value = self.eval(value)?;
                let Value::Text(name) = &value else { return Ok(Value::ABSENT) };
                Ok(self.look_up(of, name).unwrap_or(Value::ABSENT))
            }
            Expr::Coerce { value, kind: Kind::Reference(of) } => match self.eval(value)? {
                Value::Text(name) => self.named(of, &name),
                value => Ok(value),
            },
            Expr::Coerce { value, kind } => Ok(coerced(self.eval(value)?, kind)),
            Expr::List(items) => self.all(items).map(Value::list),
        }
    }

    pub(super) fn all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Value>, EvalError> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    pub(super) fn call(&mut self, function: BuiltinRef, values: &[Value]) -> Evaluated {
        let result = function.0.call(&Args { values, context: &self.context }).map_err(refused)?;
        self.made(result)
    }

    fn word(&self, word: ContextVar) -> Value {
        let of = |value: &Option<Value>| value.clone().unwrap_or(Value::ABSENT);
        match word {
            ContextVar::Target => of(&self.words.target),
            ContextVar::Now => Value::DateTime(self.inputs.now),
            ContextVar::Today => Value::Date(self.inputs.now.to_zoned(self.context.zone.clone()).date()),
            ContextVar::Value => of(&self.words.value),
            ContextVar::Count => self.words.count.map_or(Value::ABSENT, |count| Value::integer(count as i64)),
            ContextVar::Reasons => Value::list(self.words.reasons.iter().map(|reason| Value::text(reason.as_str())).collect()),
            ContextVar::Reached => of(&self.words.reached),
            ContextVar::Difference => of(&self.words.difference),
            ContextVar::SentAt => self.words.sent_at.map_or(Value::ABSENT, Value::DateTime),
        }
    }

    /// An object of rows. All rows are evaluated, so that each mistake in them is told.
    fn object(&mut self, rows: &'a [Row]) -> Evaluated {
        let mut fields = IndexMap::with_capacity(rows.len());
        let mut first: Option<EvalError> = None;
        let here = self.tracer.as_ref().map(|tracer| tracer.here.clone());
        for row in rows {
            if let (Some(tracer), Some(here)) = (&mut self.tracer, &here) {
                tracer.enter(here, &row.name);
            }
            let value = match self.row_value(&row.value) {
                Ok(value) => value,
                Err(halt) => {
                    self.keep(&mut first, halt);
                    Value::ABSENT
                }
            };
            if let Some(tracer) = &mut self.tracer {
                tracer.leave(&value, &row.place);
            }
            // A row that says `clear` is sent as null, what is only missing is not sent.
            if !value.is_missing() || matches!(row.value, RowValue::Clear) {
                fields.insert(row.name.clone(), value);
            }
        }
        if let (Some(tracer), Some(here)) = (&mut self.tracer, here) {
            tracer.here = here;
        }
        first.map_or_else(|| Ok(Value::Object(Arc::new(fields))), Err)
    }

    fn row_value(&mut self, row: &'a RowValue) -> Evaluated {
        match row {
            RowValue::Expr(value) => self.eval(value),
            RowValue::Clear => Ok(Value::Missing(Missing::Null)),
            RowValue::Object { when, optional, body } => {
                let wanted = match when {
                    Some(when) => self.holds(when)?,
                    None => true,
                };
                if !wanted {
                    return Ok(Value::ABSENT);
                }
                Ok(match self.object(&body.rows)? {
                    Value::Object(fields) if *optional && fields.is_empty() => Value::ABSENT,
                    object => object,
                })
            }
        }
    }

    /// Keeps a reason: the first is the result of the whole, the others stand beside it.
    pub(super) fn keep(&mut self, first: &mut Option<EvalError>, halt: EvalError) {
        if first.is_none() {
            *first = Some(halt);
        } else if !self.more.contains(&halt) {
            self.more.push(*halt);
        }
    }

    pub(super) fn step(&mut self, text: impl FnOnce() -> String) {
        self.step_at(text, None);
    }

    pub(super) fn step_at(&mut self, text: impl FnOnce() -> String, place: Option<crate::ir::Place>) {
        if let Some(tracer) = &mut self.tracer {
            tracer.step(text(), place);
        }
    }
}

/// Whether a value stands in the mapping or its parameters, and is not read.
fn is_fixed(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(Literal::Amount(..)) | Expr::Parameter(_) => true,
        Expr::Coerce { value, .. } => is_fixed(value),
        _ => false,
    }
}

fn compared(op: Compare, left: &Value, right: &Value) -> Result<bool, EvalError> {
    use std::cmp::Ordering;
    Ok(match op {
        Compare::Equal => compare::equal(left, right).map_err(currencies)?,
        Compare::NotEqual => !compare::equal(left, right).map_err(currencies)?,
        _ => {
            let order = compare::compare(left, right).map_err(currencies)?;
            match (op, order) {
                (_, None) => false,
                (Compare::Less, Some(order)) => order == Ordering::Less,
                (Compare::LessOrEqual, Some(order)) => order != Ordering::Greater,
                (Compare::Greater, Some(order)) => order == Ordering::Greater,
                (_, Some(order)) => order != Ordering::Less,
            }
        }
    })
}

/// The same value, treated as another kind.
fn coerced(value: Value, kind: &Kind) -> Value {
    match (value, kind) {
        (Value::Money(money), Kind::Decimal | Kind::Integer) => Value::Number(money.amount),
        (Value::Number(amount), Kind::Money) => Value::Money(Money { amount, currency: None }),
        (Value::Reference(reference), Kind::Text) => Value::Text(Arc::clone(&reference.name)),
        (value @ (Value::Missing(_) | Value::Text(_)), _) => value,
        (value, Kind::Text) => Value::text(value.to_string()),
        (value, _) => value,
    }
}
