//! Evaluates expressions over one record.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use jsonpath_rust::query::js_path_process;

use super::arithmetic;
use super::program::{Path, Program, Step as PathStep};
use super::trace::Tracer;
use super::{Inputs, Met, Reason};
use crate::builtin::{Args, BuiltinRef, Context, Refusal};
use crate::check::typed::{Compare, Expr, Flow, Generator, Let, Otherwise, Part, Pattern, Row, RowValue, Slot, Stop, Word};
use crate::value::json::{Misread, decode};
use crate::value::{Json, Kind, MAX_ITEMS, MAX_TEXT, Missing, Money, ObjectRef, Reference, Value, Wire, compare};

/// Why an expression gave no value: a reason that the author wrote, or one of the closed list.
pub(super) type Halt = Box<Reason>;
pub(super) type Evaluated = Result<Value, Halt>;

/// Expressions inside each other, functions' bodies included.
const DEEPEST: u32 = 1024;

/// One record on its way through a flow.
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program<'a>,
    pub(super) flow: &'a Flow,
    pub(super) inputs: &'a Inputs<'a>,
    frame: Vec<Option<Evaluated>>,
    lets: BTreeMap<Slot, &'a Let>,
    pub(super) context: Context,
    pub(super) met: BTreeSet<Met>,
    pub(super) tracer: Option<Tracer>,
    /// What the words of a place stand for while it is evaluated.
    pub(super) words: Words,
    depth: Cell<u32>,
}

#[derive(Default)]
pub(super) struct Words {
    pub target: Option<Value>,
    pub value: Option<Value>,
    pub count: Option<usize>,
    pub reasons: Vec<String>,
    pub reached: Option<Value>,
    pub difference: Option<Value>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program<'a>, flow: &'a Flow, inputs: &'a Inputs<'a>) -> Self {
        let mut frame: Vec<Option<Evaluated>> = Vec::new();
        frame.resize_with(flow.slots as usize, || None);
        let mut lets: BTreeMap<Slot, &Let> = flow.lets.iter().map(|found| (found.slot, found)).collect();
        lets.extend(flow.follow_ups.iter().flat_map(|after| &after.lets).map(|found| (found.slot, found)));
        let context = Context { now: inputs.now, zone: program.zone.clone() };
        let mut machine = Machine {
            program,
            flow,
            inputs,
            frame,
            lets,
            context,
            met: BTreeSet::new(),
            tracer: inputs.trace.then(Tracer::default),
            words: Words::default(),
            depth: Cell::new(0),
        };
        if flow.group.is_none() {
            machine.set(Flow::RECORD, Value::Record(Arc::new(inputs.record.clone())));
        }
        machine
    }

    pub(super) fn set(&mut self, slot: Slot, value: Value) {
        if let Some(place) = self.frame.get_mut(slot.0 as usize) {
            *place = Some(Ok(value));
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
        let mark = self.tracer.as_ref().map(Tracer::mark);
        let value = self.eval(&found.value);
        if let (Some(tracer), Some(mark)) = (&mut self.tracer, mark) {
            tracer.remember(slot, mark);
        }
        if let Some(place) = self.frame.get_mut(slot.0 as usize) {
            *place = Some(value.clone());
        }
        value
    }

    /// Whether a condition holds; a missing one does not.
    pub(super) fn holds(&mut self, condition: &'a Expr) -> Result<bool, Halt> {
        Ok(matches!(self.eval(condition)?, Value::Boolean(true)))
    }

    pub(super) fn eval(&mut self, expr: &'a Expr) -> Evaluated {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return Err(limit("expressions are nested too deeply"));
        }
        self.depth.set(depth + 1);
        let value = self.evaluate(expr);
        self.depth.set(depth);
        value
    }

    fn evaluate(&mut self, expr: &'a Expr) -> Evaluated {
        match expr {
            Expr::Literal(literal) => Ok(literal.to_value()),
            Expr::Slot { slot, .. } => self.slot(*slot),
            Expr::Word(word) => Ok(self.word(*word)),
            Expr::Parameter(name) => self.parameter(name),
            Expr::Field { .. } => self.field(expr),
            Expr::Bind { slot, value, body, .. } => {
                let value = self.eval(value)?;
                self.alias(*slot, expr);
                self.set(*slot, value);
                self.eval(body)
            }
            Expr::Call { function, arguments } => {
                let values = self.all(arguments)?;
                self.call(*function, &values)
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
            Expr::Compare { op, left, right } => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
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
            Expr::Each { generators, condition, body } => {
                let mut out = Vec::new();
                let here = self.tracer.as_ref().map(|tracer| tracer.here.clone());
                self.loop_over(generators, condition.as_deref(), &mut |machine| {
                    if out.len() >= MAX_ITEMS {
                        return Err(limit(format!("a list has more than {MAX_ITEMS} elements")));
                    }
                    if let (Some(tracer), Some(here)) = (&mut machine.tracer, &here) {
                        tracer.here = format!("{here}[{}]", out.len());
                    }
                    out.push(machine.eval(body)?);
                    Ok(())
                })?;
                if let (Some(tracer), Some(here)) = (&mut self.tracer, here) {
                    tracer.here = here;
                }
                Ok(Value::list(out))
            }
            Expr::Object { rows, .. } => self.object(rows),
            Expr::Group { slot, list, by } => self.group(*slot, list, by, "items"),
            Expr::Sort { slot, list, by, descending } => self.sort(*slot, list, by, *descending),
            Expr::Grouped { function, value, condition, arguments } => {
                self.grouped(*function, value.as_deref(), condition.as_deref(), arguments)
            }
            Expr::JsonPath { value, path } => self.json_path(value, path),
            Expr::Weigh { value, unit } => Ok(match self.eval(value)? {
                Value::Number(number) => Value::Weight(number, *unit),
                Value::Weight(amount, from) => {
                    Value::Weight(from.convert(amount, *unit).ok_or_else(|| refused(Refusal::TooLarge))?, *unit)
                }
                other => other,
            }),
            Expr::Measure { value, unit } => Ok(match self.eval(value)? {
                Value::Number(number) => Value::Length(number, *unit),
                Value::Length(amount, from) => {
                    Value::Length(from.convert(amount, *unit).ok_or_else(|| refused(Refusal::TooLarge))?, *unit)
                }
                other => other,
            }),
            Expr::Named { of, name } => self.named(of, name),
            Expr::LookUpName { of, value } => {
                let value = self.eval(value)?;
                let Value::Text(name) = &value else { return Ok(Value::ABSENT) };
                Ok(self.look_up(of, name).unwrap_or(Value::ABSENT))
            }
            Expr::Treat { value, kind } => Ok(treated(self.eval(value)?, kind)),
            Expr::List(items) => self.all(items).map(Value::list),
        }
    }

    fn all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Value>, Halt> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn call(&mut self, function: BuiltinRef, values: &[Value]) -> Evaluated {
        function.0.call(&Args { values, context: &self.context }).map_err(refused)
    }

    fn word(&self, word: Word) -> Value {
        let of = |value: &Option<Value>| value.clone().unwrap_or(Value::ABSENT);
        match word {
            Word::Target => of(&self.words.target),
            Word::Now => Value::DateTime(self.inputs.now),
            Word::Today => Value::Date(self.inputs.now.to_zoned(self.context.zone.clone()).date()),
            Word::Value => of(&self.words.value),
            Word::Count => self.words.count.map_or(Value::ABSENT, |count| Value::integer(count as i64)),
            Word::Reasons => Value::list(self.words.reasons.iter().map(|reason| Value::text(reason.as_str())).collect()),
            Word::Reached => of(&self.words.reached),
            Word::Difference => of(&self.words.difference),
            Word::SentAt => Value::ABSENT,
        }
    }

    fn parameter(&mut self, name: &str) -> Evaluated {
        let Some(parameter) = self.program.plan.mapping.parameters.get(name) else { return Ok(Value::ABSENT) };
        match (&parameter.of.kind, &parameter.value) {
            (Kind::Reference(of), crate::value::Literal::Text(name)) => self.named(of, name),
            (_, value) => Ok(value.to_value()),
        }
    }

    // ---- fields ----

    /// Reads a path: the record is asked for the last field only, and the trace shows the whole path.
    fn field(&mut self, expr: &'a Expr) -> Evaluated {
        let value = self.read(expr)?;
        if self.tracer.is_some() {
            let path = self.path_text(expr);
            if let Some(tracer) = &mut self.tracer {
                tracer.read(path, &value);
            }
        }
        Ok(value)
    }

    fn read(&mut self, expr: &'a Expr) -> Evaluated {
        let Expr::Field { base, name, kind, wire } = expr else { return self.eval(expr) };
        let holder = self.read(base)?;
        match &holder {
            Value::Record(record) => self.of_record(record, name, kind, wire, expr),
            Value::Object(fields) => Ok(fields.get(&**name).cloned().unwrap_or(Value::ABSENT)),
            Value::Json(json) => match json.get(&**name) {
                Some(found) => self.decoded(found, kind, wire, expr),
                None => Ok(Value::ABSENT),
            },
            _ => Ok(Value::ABSENT),
        }
    }

    fn of_record(&self, record: &Json, name: &str, kind: &Kind, wire: &Wire, expr: &Expr) -> Evaluated {
        let Some(found) = record.get(name) else { return Ok(Value::ABSENT) };
        if self.flow.keep_blank {
            if let (Json::String(text), Kind::Text) = (found, kind) {
                return Ok(Value::text(text.as_str()));
            }
        }
        let value = self.decoded(found, kind, wire, expr)?;
        match (value, wire) {
            (Value::Money(money), Wire::Amount { currency_field: Some(field) }) => {
                let currency = record.get(field.as_str()).and_then(Json::as_str).filter(|code| !code.is_empty());
                Ok(Value::Money(Money { currency: currency.map(Arc::from), ..money }))
            }
            (value, _) => Ok(value),
        }
    }

    fn decoded(&self, json: &Json, kind: &Kind, wire: &Wire, expr: &Expr) -> Evaluated {
        decode(json, kind, wire).map_err(|misread| {
            let path = self.path_text(expr);
            let kind = match &misread {
                Misread::TooLong { .. } | Misread::TooMany { .. } => "limit",
                Misread::Digits { .. } => "number_too_large",
                _ => "source_misfit",
            };
            built_in(kind, format!("{path}: {misread}"), Some(path))
        })
    }

    /// A path as the author knows it; elements of lists by their place.
    pub(super) fn path_text(&self, expr: &Expr) -> String {
        match expr {
            Expr::Field { base, name, .. } => format!("{}.{name}", self.path_text(base)),
            Expr::Slot { slot, name } => {
                let alias = self.tracer.as_ref().and_then(|tracer| tracer.aliases.get(slot));
                match (alias, self.lets.get(slot)) {
                    (Some(alias), _) => alias.clone(),
                    (None, Some(found)) if matches!(found.value, Expr::Field { .. } | Expr::Slot { .. }) => {
                        self.path_text(&found.value)
                    }
                    _ => name.to_string(),
                }
            }
            Expr::Word(Word::Target) => "target".to_owned(),
            other => words(other),
        }
    }

    fn alias(&mut self, slot: Slot, bind: &Expr) {
        if self.tracer.is_none() {
            return;
        }
        let Expr::Bind { value, .. } = bind else { return };
        if matches!(**value, Expr::Field { .. } | Expr::Slot { .. }) {
            let text = self.path_text(value);
            if let Some(tracer) = &mut self.tracer {
                tracer.aliases.insert(slot, text);
            }
        }
    }

    // ---- names, maps, tables ----

    fn named(&mut self, of: &ObjectRef, name: &str) -> Evaluated {
        self.look_up(of, name).ok_or_else(|| {
            let noun = of.object.to_lowercase();
            built_in("name_gone", format!("{} has no {noun} called \"{name}\" any more", of.connection), None)
        })
    }

    fn look_up(&self, of: &ObjectRef, name: &str) -> Option<Value> {
        let names = self.inputs.names.get(of)?;
        let found = names.names.iter().find(|known| known.name == name)?;
        Some(Value::Reference(Arc::new(Reference { name: Arc::from(name), id: found.id.clone() })))
    }

    fn value_map(&mut self, map: usize, back: bool, value: &'a Expr) -> Evaluated {
        let given = self.eval(value)?;
        let Some(found) = self.program.plan.mapping.values.get(map) else { return Ok(Value::ABSENT) };
        if !given.is_missing() {
            if let Some((row, result)) = self.program.map_row(map, back, &given) {
                self.met.insert(Met::ValueRow { map, row: *row, back });
                let rows = if back { &found.back } else { &found.rows };
                let place = rows.get(*row).map(|row| row.place.clone());
                self.step_at(|| format!("row {given} of `{}` gives {result}", found.name), place);
                return Ok(result.clone());
            }
        }
        match &found.otherwise {
            Otherwise::Nothing => Ok(Value::ABSENT),
            Otherwise::Value { to, place } => {
                self.met.insert(Met::ValueElse { map });
                self.step_at(|| format!("`else` of `{}` was taken for {given}", found.name), Some(place.clone()));
                Ok(to.to_value())
            }
            Otherwise::Stop(stop) => {
                self.met.insert(Met::ValueElse { map });
                let before = self.words.value.replace(given);
                let reason = self.stopped(stop, "value_map");
                self.words.value = before;
                Err(reason)
            }
        }
    }

    fn table(&mut self, table: usize, keys: &'a [Expr]) -> Evaluated {
        let keys = self.all(keys)?;
        let Some(found) = self.program.plan.mapping.tables.get(table) else { return Ok(Value::ABSENT) };
        let missing = keys.iter().any(Value::is_missing);
        let rows = if missing { &[] } else { self.program.table_rows(table, &keys) };
        self.step(|| {
            let keys = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("table `{}` has {} rows for {keys}", found.name, rows.len())
        });
        Ok(if found.many { Value::list(rows.to_vec()) } else { rows.first().cloned().unwrap_or(Value::ABSENT) })
    }

    // ---- text ----

    fn template(&mut self, parts: &'a [Part], message: bool) -> Evaluated {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Expr(inner) => {
                    let value = self.eval(inner)?;
                    match value.printed() {
                        Some(printed) => text.push_str(&printed),
                        None if message => text.push_str("(none)"),
                        None => return Ok(Value::ABSENT),
                    }
                }
            }
            if text.len() > MAX_TEXT {
                return Err(limit(format!("a text is longer than {MAX_TEXT} bytes")));
            }
        }
        Ok(Value::text(text))
    }

    fn matches(&mut self, value: &'a Expr, pattern: &'a Pattern) -> Evaluated {
        let value = self.eval(value)?;
        if value.is_missing() {
            return Ok(Value::Boolean(false));
        }
        match pattern {
            Pattern::Regex(pattern) => {
                let text = value.to_string();
                Ok(Value::Boolean(self.program.pattern(pattern).is_some_and(|regex| regex.is_match(&text))))
            }
            Pattern::Builtin { function, arguments } => {
                let mut values = vec![value];
                values.extend(self.all(arguments)?);
                Ok(Value::Boolean(matches!(self.call(*function, &values)?, Value::Boolean(true))))
            }
        }
    }

    /// The text of a message; one that cannot be made says why.
    pub(super) fn message(&mut self, message: &'a Expr) -> String {
        match self.eval(message) {
            Ok(value) => value.to_string(),
            Err(reason) => reason.message,
        }
    }

    /// The reason that a review or a rejection of the author's gives.
    pub(super) fn stopped(&mut self, stop: &'a Stop, kind: &'static str) -> Halt {
        let message = self.message(&stop.message);
        let before = stop.before.as_ref().and_then(|before| self.instant(before));
        Box::new(Reason {
            message,
            kind,
            review: stop.review,
            owner: stop.owner.clone(),
            before,
            field: None,
            place: Some(stop.place.clone()),
        })
    }

    /// A deadline; one that is missing or cannot be computed is none.
    pub(super) fn instant(&mut self, expr: &'a Expr) -> Option<jiff::Timestamp> {
        match self.eval(expr) {
            Ok(Value::DateTime(instant)) => Some(instant),
            Ok(Value::Date(date)) => date.to_zoned(self.context.zone.clone()).ok().map(|zoned| zoned.timestamp()),
            _ => None,
        }
    }

    // ---- lists ----

    /// Runs `each` for every combination of elements for which the condition holds.
    pub(super) fn loop_over(
        &mut self,
        generators: &'a [Generator],
        condition: Option<&'a Expr>,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut places = Vec::new();
        self.nested(generators, condition, &mut places, &mut |machine, _| each(machine))
    }

    pub(super) fn nested(
        &mut self,
        generators: &'a [Generator],
        condition: Option<&'a Expr>,
        places: &mut Vec<usize>,
        each: &mut dyn FnMut(&mut Self, &[usize]) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let Some((generator, rest)) = generators.split_first() else {
            let holds = match condition {
                Some(condition) => self.holds(condition)?,
                None => true,
            };
            return if holds { each(self, places) } else { Ok(()) };
        };
        let list = self.eval(&generator.list)?;
        let text = self.tracer.is_some().then(|| self.path_text(&generator.list));
        let elements = elements(&list);
        if elements.is_empty() && generator.optional {
            self.set(generator.slot, Value::ABSENT);
            return self.nested(rest, condition, places, each);
        }
        for (at, element) in elements.iter().enumerate() {
            if let (Some(tracer), Some(text)) = (&mut self.tracer, &text) {
                tracer.aliases.insert(generator.slot, format!("{text}[{at}]"));
            }
            self.set(generator.slot, element.clone());
            if let Some(index) = generator.index {
                self.set(index, Value::integer(at as i64 + 1));
            }
            places.push(at);
            self.nested(rest, condition, places, each)?;
            places.pop();
        }
        Ok(())
    }

    pub(super) fn group(&mut self, slot: Slot, list: &'a Expr, by: &'a Expr, items: &str) -> Evaluated {
        let list = self.eval(list)?;
        let mut groups: IndexMap<String, (Value, Vec<Value>)> = IndexMap::new();
        for element in elements(&list) {
            self.set(slot, element.clone());
            let mut key = self.eval(by)?;
            // A part for a write has a name even where its lines have none.
            if key.is_missing() && items == "lines" {
                key = Value::text("none");
            }
            groups.entry(compare::key(&key)).or_insert_with(|| (key, Vec::new())).1.push(element.clone());
        }
        let row = |(key, elements): (Value, Vec<Value>)| {
            let fields = IndexMap::from([("key".to_owned(), key), (items.to_owned(), Value::list(elements))]);
            Value::Object(Arc::new(fields))
        };
        Ok(Value::list(groups.into_values().map(row).collect()))
    }

    fn sort(&mut self, slot: Slot, list: &'a Expr, by: &'a Expr, descending: bool) -> Evaluated {
        let list = self.eval(list)?;
        let mut keyed = Vec::new();
        for element in elements(&list) {
            self.set(slot, element.clone());
            keyed.push((self.eval(by)?, element.clone()));
        }
        let mut fault = None;
        keyed.sort_by(|(left, _), (right, _)| {
            let order = compare::sort_order(left, right).unwrap_or_else(|error| {
                fault = Some(error);
                std::cmp::Ordering::Equal
            });
            // A missing key stays last either way.
            if descending && !left.is_missing() && !right.is_missing() { order.reverse() } else { order }
        });
        match fault {
            Some(error) => Err(currencies(error)),
            None => Ok(Value::list(keyed.into_iter().map(|(_, element)| element).collect())),
        }
    }

    fn grouped(&mut self, function: BuiltinRef, value: Option<&'a Expr>, condition: Option<&'a Expr>, arguments: &'a [Expr]) -> Evaluated {
        let inputs = self.inputs;
        let mut values = Vec::new();
        for record in inputs.group {
            self.set(Flow::RECORD, Value::Record(Arc::new(record.clone())));
            let counts = match condition {
                Some(condition) => self.holds(condition)?,
                None => true,
            };
            if counts {
                values.push(match value {
                    Some(value) => self.eval(value)?,
                    None => Value::Boolean(true),
                });
            }
        }
        let mut given = vec![Value::list(values)];
        given.extend(self.all(arguments)?);
        self.call(function, &given)
    }

    // ---- objects, json ----

    fn object(&mut self, rows: &'a [Row]) -> Evaluated {
        let mut fields = IndexMap::new();
        let here = self.tracer.as_ref().map(|tracer| tracer.here.clone());
        for row in rows {
            if let (Some(tracer), Some(here)) = (&mut self.tracer, &here) {
                tracer.enter(here, &row.name);
            }
            let value = match &row.value {
                RowValue::Expr(value) => self.eval(value)?,
                RowValue::Clear => Value::Missing(Missing::Null),
                RowValue::Object { when, optional, body } => {
                    let wanted = match when {
                        Some(when) => self.holds(when)?,
                        None => true,
                    };
                    let inner = if wanted { self.object(&body.rows)? } else { Value::ABSENT };
                    match &inner {
                        Value::Object(fields) if *optional && fields.is_empty() => Value::ABSENT,
                        _ => inner,
                    }
                }
            };
            if let Some(tracer) = &mut self.tracer {
                tracer.leave(&value, &row.place);
            }
            if !value.is_missing() {
                fields.insert(row.name.clone(), value);
            }
        }
        if let (Some(tracer), Some(here)) = (&mut self.tracer, here) {
            tracer.here = here;
        }
        Ok(Value::Object(Arc::new(fields)))
    }

    fn json_path(&mut self, value: &'a Expr, path: &'a str) -> Evaluated {
        let value = self.eval(value)?;
        let json = match &value {
            Value::Json(json) | Value::Record(json) => Arc::clone(json),
            _ => return Ok(Value::list(Vec::new())),
        };
        let hits: Vec<Value> = match self.program.path(path) {
            None => Vec::new(),
            Some(Path::Plain(steps)) => {
                let found = steps.iter().try_fold(&*json, |at, step| match step {
                    PathStep::Name(name) => at.as_object()?.get(name),
                    PathStep::At(place) => at.as_array()?.get(*place),
                });
                found.into_iter().map(|hit| Value::Json(Arc::new(hit.clone()))).collect()
            }
            Some(Path::Query(query)) => match js_path_process(query, &*json) {
                Ok(hits) => hits.into_iter().take(MAX_ITEMS + 1).map(|hit| Value::Json(Arc::new(hit.val().clone()))).collect(),
                Err(_) => Vec::new(),
            },
        };
        if hits.len() > MAX_ITEMS {
            return Err(limit(format!("a list has more than {MAX_ITEMS} elements")));
        }
        Ok(Value::list(hits))
    }

    fn step(&mut self, text: impl FnOnce() -> String) {
        self.step_at(text, None);
    }

    fn step_at(&mut self, text: impl FnOnce() -> String, place: Option<crate::check::typed::Place>) {
        if let Some(tracer) = &mut self.tracer {
            tracer.step(text(), place);
        }
    }
}

/// The elements of a list; a missing one has none. A list inside `json` counts too.
fn elements(list: &Value) -> Vec<Value> {
    match list {
        Value::List(values) => values.to_vec(),
        Value::Json(json) => match &**json {
            Json::Array(items) => items.iter().map(|item| Value::Json(Arc::new(item.clone()))).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn compared(op: Compare, left: &Value, right: &Value) -> Result<bool, Halt> {
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
fn treated(value: Value, kind: &Kind) -> Value {
    match (value, kind) {
        (Value::Money(money), Kind::Decimal | Kind::Integer) => Value::Number(money.amount),
        (Value::Number(amount), Kind::Money) => Value::Money(Money { amount, currency: None }),
        (Value::Reference(reference), Kind::Text) => Value::Text(Arc::clone(&reference.name)),
        (value @ (Value::Missing(_) | Value::Text(_)), _) => value,
        (value, Kind::Text) => Value::text(value.to_string()),
        (value, _) => value,
    }
}

/// An expression in a few words, for the trace.
pub(super) fn words(expr: &Expr) -> String {
    match expr {
        Expr::Literal(literal) => match literal.to_value() {
            Value::Text(text) => format!("\"{text}\""),
            value => value.to_string(),
        },
        Expr::Slot { name, .. } => format!("`{name}`"),
        Expr::Field { .. } => format!("`{}`", plain_path(expr)),
        Expr::Call { function, arguments } => {
            let inner = arguments.first().map(words).unwrap_or_default();
            format!("{}({inner})", function.0.name)
        }
        Expr::Parameter(name) => format!("`{name}`"),
        Expr::Template { .. } => "the text".to_owned(),
        Expr::Bind { body, .. } => words(body),
        Expr::Fallback { value, fallback } => format!("{} ?? {}", words(value), words(fallback)),
        Expr::Compare { op, left, right } => {
            let sign = match op {
                Compare::Equal => "==",
                Compare::NotEqual => "!=",
                Compare::Less => "<",
                Compare::LessOrEqual => "<=",
                Compare::Greater => ">",
                Compare::GreaterOrEqual => ">=",
            };
            format!("{} {sign} {}", words(left), words(right))
        }
        Expr::IsPresent(inner) => format!("{} is present", words(inner)),
        Expr::Named { name, .. } => format!("\"{name}\""),
        Expr::Treat { value, .. } => words(value),
        _ => "the value".to_owned(),
    }
}

fn plain_path(expr: &Expr) -> String {
    match expr {
        Expr::Field { base, name, .. } => format!("{}.{name}", plain_path(base)),
        Expr::Slot { name, .. } => name.to_string(),
        Expr::Word(Word::Target) => "target".to_owned(),
        _ => "…".to_owned(),
    }
}

// ---- built-in reasons ----

pub(super) fn built_in(kind: &'static str, message: impl Into<String>, field: Option<String>) -> Halt {
    Box::new(Reason { message: message.into(), kind, review: false, owner: None, before: None, field, place: None })
}

pub(super) fn limit(message: impl Into<String>) -> Halt {
    built_in("limit", message, None)
}

pub(super) fn refused(refusal: Refusal) -> Halt {
    let kind = match &refusal {
        Refusal::TooLarge => "number_too_large",
        Refusal::TooLong { .. } | Refusal::TooMany { .. } => "limit",
        Refusal::Currencies { .. } => "currencies",
        Refusal::Unchecked { .. } => "defect",
    };
    built_in(kind, refusal.to_string(), None)
}

fn currencies(error: compare::Currencies) -> Halt {
    refused(error.into())
}
