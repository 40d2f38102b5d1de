//! Lists: loops, groups, sorting, aggregates over a group of records, JSONPath.

use std::sync::Arc;

use indexmap::IndexMap;
use jsonpath_rust::query::js_path_process;

use super::evaluator::{EvalError, Evaluated, Evaluator, Origin};
use super::program::{Path, Step};
use super::reasons::{currencies, limit};
use crate::builtin::BuiltinRef;
use crate::ir::{Expr, Flow, Generator, Slot};
use crate::value::{Json, MAX_ITEMS, Value, compare};

/// What is done for one combination of elements; it is given their places.
pub(super) type Visit<'a, 'v> = dyn FnMut(&mut Evaluator<'a>, &[usize]) -> Result<(), EvalError> + 'v;

/// What a name stood for at one point of a loop.
pub(super) struct Binding<'a> {
    slot: Slot,
    value: Value,
    origin: Option<Origin<'a>>,
}

impl<'a> Evaluator<'a> {
    /// A list of what the body gives for each combination of elements. A mistake in one element does
    /// not hide those of the others.
    pub(super) fn each(&mut self, generators: &'a [Generator], condition: Option<&'a Expr>, body: &'a Expr) -> Evaluated {
        let mut out = Vec::new();
        let mut first = None;
        let here = self.tracer.as_ref().map(|tracer| tracer.here.clone());
        self.loop_over(generators, condition, &mut |machine, _| {
            if out.len() >= MAX_ITEMS {
                return Err(limit(format!("a list has more than {MAX_ITEMS} elements")));
            }
            if let (Some(tracer), Some(here)) = (&mut machine.tracer, &here) {
                tracer.here = format!("{here}[{}]", out.len());
            }
            match machine.eval(body) {
                Ok(value) => out.push(value),
                Err(halt) => machine.keep(&mut first, halt),
            }
            Ok(())
        })?;
        if let (Some(tracer), Some(here)) = (&mut self.tracer, here) {
            tracer.here = here;
        }
        first.map_or_else(|| Ok(Value::list(out)), Err)
    }

    /// Runs `each` for every combination of elements for which the condition holds, with their places.
    pub(super) fn loop_over(&mut self, generators: &'a [Generator], condition: Option<&'a Expr>, each: &mut Visit<'a, '_>) -> Result<(), EvalError> {
        self.nested(generators, condition, &mut Vec::new(), each)
    }

    fn nested(
        &mut self,
        generators: &'a [Generator],
        condition: Option<&'a Expr>,
        places: &mut Vec<usize>,
        each: &mut Visit<'a, '_>,
    ) -> Result<(), EvalError> {
        let Some((generator, rest)) = generators.split_first() else {
            let holds = match condition {
                Some(condition) => self.holds(condition)?,
                None => true,
            };
            return if holds { each(self, places) } else { Ok(()) };
        };
        let list = self.eval(&generator.list)?;
        let elements = elements(list);
        if elements.is_empty() && generator.optional {
            self.set(generator.slot, Value::ABSENT);
            if let Some(index) = generator.index {
                self.set(index, Value::integer(1));
            }
            return self.nested(rest, condition, places, each);
        }
        for (at, element) in elements.iter().enumerate() {
            self.tick()?;
            self.came_from(generator.slot, Origin::Element(&generator.list, at));
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

    /// What the generators' names stand for now, to be set again later.
    pub(super) fn bindings(&self, generators: &[Generator]) -> Vec<Binding<'a>> {
        let slots = generators.iter().flat_map(|generator| std::iter::once(generator.slot).chain(generator.index));
        slots.map(|slot| Binding { slot, value: self.bound(slot), origin: self.origins.get(slot.0 as usize).copied().flatten() }).collect()
    }

    pub(super) fn bind(&mut self, bindings: Vec<Binding<'a>>) {
        for Binding { slot, value, origin } in bindings {
            self.set(slot, value);
            if let Some(origin) = origin {
                self.came_from(slot, origin);
            }
        }
    }

    pub(super) fn group(&mut self, slot: Slot, list: &'a Expr, by: &'a Expr, items: &str) -> Evaluated {
        let source = list;
        let list = self.eval(source)?;
        let mut groups: IndexMap<String, (Value, Vec<Value>)> = IndexMap::new();
        for (at, element) in elements(list).iter().enumerate() {
            self.tick()?;
            self.came_from(slot, Origin::Element(source, at));
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

    pub(super) fn sort(&mut self, slot: Slot, list: &'a Expr, by: &'a Expr, descending: bool) -> Evaluated {
        let source = list;
        let list = self.eval(source)?;
        let mut keyed = Vec::new();
        for (at, element) in elements(list).iter().enumerate() {
            self.tick()?;
            self.came_from(slot, Origin::Element(source, at));
            self.set(slot, element.clone());
            keyed.push((self.eval(by)?, element.clone()));
        }
        let mut fault = None;
        keyed.sort_by(|(left, _), (right, _)| {
            let order = compare::sort_order(left, right).unwrap_or_else(|error| {
                fault = Some(error);
                // Any total order will do: the result is thrown away.
                compare::key(left).cmp(&compare::key(right))
            });
            // A missing key stays last either way.
            if descending && !left.is_missing() && !right.is_missing() { order.reverse() } else { order }
        });
        match fault {
            Some(error) => Err(currencies(error)),
            None => Ok(Value::list(keyed.into_iter().map(|(_, element)| element).collect())),
        }
    }

    pub(super) fn grouped(&mut self, function: BuiltinRef, value: Option<&'a Expr>, condition: Option<&'a Expr>, arguments: &'a [Expr]) -> Evaluated {
        let group = Arc::clone(&self.group);
        let mut values = Vec::with_capacity(group.len());
        for (at, record) in group.iter().enumerate() {
            self.tick()?;
            self.set(Flow::RECORD, record.clone());
            self.came_from(Flow::RECORD, Origin::OfGroup(at));
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

    pub(super) fn json_path(&mut self, value: &'a Expr, path: &'a str) -> Evaluated {
        let value = self.eval(value)?;
        let json = match &value {
            Value::Json(json) | Value::Record(json) => Arc::clone(json),
            _ => return Ok(Value::list(Vec::new())),
        };
        let hits: Vec<Value> = match self.program.path(path) {
            None => Vec::new(),
            Some(Path::Plain(steps)) => {
                let found = steps.iter().try_fold(&*json, |at, step| match step {
                    Step::Name(name) => at.as_object()?.get(name),
                    Step::At(place) => at.as_array()?.get(*place),
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
}

/// The elements of a list; a missing one has none. A list inside `json` counts too.
fn elements(list: Value) -> Arc<Vec<Value>> {
    match list {
        Value::List(values) => values,
        Value::Json(json) => match &*json {
            Json::Array(items) => Arc::new(items.iter().map(|item| Value::Json(Arc::new(item.clone()))).collect()),
            _ => Arc::default(),
        },
        _ => Arc::default(),
    }
}
