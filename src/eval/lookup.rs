//! Names of a connection, value maps, tables, parameters.

use std::sync::Arc;

use super::Met;
use super::evaluator::{Evaluated, Evaluator};
use super::reasons::built_in;
use crate::ir::{Expr, Otherwise, Place};
use crate::value::{Kind, Literal, ObjectRef, Reference, Value, compare};

impl<'a> Evaluator<'a> {
    pub(super) fn parameter(&mut self, name: &str) -> Evaluated {
        let Some(parameter) = self.program.plan.mapping.parameters.get(name) else { return Ok(Value::ABSENT) };
        self.step_at(|| format!("parameter `{name}` is {}", parameter.value.to_value()), Some(parameter.place.clone()));
        match (&parameter.of.kind, &parameter.value) {
            (Kind::Reference(of), Literal::Text(name)) => self.named(of, name),
            (_, value) => Ok(value.to_value()),
        }
    }

    pub(super) fn named(&mut self, of: &ObjectRef, name: &str) -> Evaluated {
        self.look_up(of, name).ok_or_else(|| {
            let noun = of.object.to_lowercase();
            built_in("name_gone", format!("{} has no {noun} called \"{name}\" any more", of.connection), None)
        })
    }

    pub(super) fn look_up(&self, of: &ObjectRef, name: &str) -> Option<Value> {
        let names = self.inputs.names.get(of)?;
        let found = names.names.iter().find(|known| known.name == name)?;
        Some(Value::Reference(Arc::new(Reference { name: Arc::from(name), id: found.id.clone() })))
    }

    /// A thing as rows of tables and value maps name it: by its name, where a record holds its id.
    fn by_name(&self, key: &Value, of: &Kind) -> Value {
        let (Value::Reference(reference), Kind::Reference(of)) = (key, of) else { return key.clone() };
        let known = self.inputs.names.get(of).and_then(|names| names.names.iter().find(|known| known.id == reference.id));
        Value::text(known.map_or(&*reference.name, |known| known.name.as_str()))
    }

    pub(super) fn value_map(&mut self, map: usize, back: bool, value: &'a Expr) -> Evaluated {
        let given = self.eval(value)?;
        let Some(found) = self.program.plan.mapping.values.get(map) else { return Ok(Value::ABSENT) };
        if !given.is_missing()
            && let Some((row, result)) = self.program.map_row(map, back, &self.by_name(&given, if back { &found.to } else { &found.from }))
        {
            self.met.insert(Met::ValueRow { map, row: *row, back });
            if self.tracer.is_some() {
                let rows = if back { &found.back } else { &found.rows };
                let place = rows.get(*row).map(|row| row.place.clone());
                self.step_at(|| format!("row {given} of `{}` gives {result}", found.name), place);
            }
            return Ok(result.clone());
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

    pub(super) fn table(&mut self, table: usize, keys: &'a [Expr]) -> Evaluated {
        let Some(found) = self.program.plan.mapping.tables.get(table) else { return Ok(Value::ABSENT) };
        let keys: Vec<Value> = self.all(keys)?.iter().zip(&found.columns).map(|(key, column)| self.by_name(key, &column.of.kind)).collect();
        let missing = keys.iter().any(Value::is_missing);
        let rows = if missing { &[] } else { self.program.table_rows(table, &keys) };
        if self.tracer.is_some() {
            let said = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let is_it =
                |row: &&(usize, &Vec<Literal>)| row.1.iter().zip(&keys).all(|(cell, key)| compare::equal(&cell.to_value(), key).unwrap_or(false));
            let row = found.rows.iter().enumerate().find(|row| is_it(&row)).filter(|_| !missing);
            let line = row.and_then(|(at, _)| found.lines.get(at).copied());
            let place = line.map(|line| Place::line(found.path.as_str(), line));
            self.step_at(
                || {
                    format!(
                        "table `{}` has {} for {said}",
                        found.name,
                        if rows.len() == 1 { "a row".to_owned() } else { format!("{} rows", rows.len()) }
                    )
                },
                place,
            );
        }
        Ok(if found.many { Value::list(rows.to_vec()) } else { rows.first().cloned().unwrap_or(Value::ABSENT) })
    }
}
