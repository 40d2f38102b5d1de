//! Reads paths: only the last field of a path is decoded, by its schema.

use std::sync::Arc;

use super::evaluator::{EvalError, Evaluated, Evaluator, Origin};
use super::reasons::{BLANK, built_in};
use super::text::words;
use crate::ir::Expr;
use crate::value::json::{Misread, decode};
use crate::value::{Json, Kind, Missing, Money, Value, WireEncoding};

/// Names that stand for names.
const DEEPEST_NAMES: usize = 32;

impl<'a> Evaluator<'a> {
    /// Reads a path: the record is asked for the last field only, and the trace shows the whole path.
    pub(super) fn field(&mut self, expr: &'a Expr) -> Evaluated {
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
        let mut start = expr;
        while let Expr::Field { base, .. } = start {
            start = base;
        }
        let value = self.eval(start)?;
        match &value {
            Value::Record(json) | Value::Json(json) => self.in_json(expr, json),
            Value::Object(_) => self.in_object(expr, &value),
            Value::Missing(missing) => Ok(Value::Missing(*missing)),
            _ => Ok(Value::ABSENT),
        }
    }

    /// The last field of a path, from the record that the path begins with. Nothing on the way is copied.
    fn in_json(&self, expr: &Expr, record: &Json) -> Evaluated {
        let Expr::Field { base, name, kind, wire, .. } = expr else { return Ok(Value::ABSENT) };
        match self.holder(base, record)? {
            Ok(holder) => self.of_record(holder, name, kind, wire, expr),
            Err(missing) => Ok(Value::Missing(missing)),
        }
    }

    /// The object that a path leads to, or why there is none.
    fn holder<'j>(&self, expr: &Expr, record: &'j Json) -> Result<Result<&'j Json, Missing>, EvalError> {
        let Expr::Field { base, name, kind, wire, held } = expr else { return Ok(Ok(record)) };
        let holder = match self.holder(base, record)? {
            Ok(holder) => holder,
            missing => return Ok(missing),
        };
        match holder.get(&**name) {
            None => Ok(Err(Missing::Absent)),
            Some(Json::Null) if *held => Err(self.blank(expr)),
            Some(Json::String(text)) if *held && text.trim().is_empty() => Err(self.blank(expr)),
            Some(Json::Null) => Ok(Err(Missing::Null)),
            Some(Json::String(text)) if text.trim().is_empty() => Ok(Err(Missing::Blank)),
            Some(found @ Json::Object(_)) => Ok(Ok(found)),
            // No object: the schema says what is wrong with it.
            Some(found) => self.decoded(found, kind, wire, expr).map(|_| Err(Missing::Absent)),
        }
    }

    /// A path that begins with a table row or with what the mapping built.
    fn in_object(&self, expr: &Expr, start: &Value) -> Evaluated {
        let Expr::Field { base, name, kind, wire, .. } = expr else { return Ok(start.clone()) };
        match self.in_object(base, start)? {
            Value::Object(fields) => Ok(fields.get(&**name).cloned().unwrap_or(Value::ABSENT)),
            Value::Record(json) | Value::Json(json) => self.of_record(&json, name, kind, wire, expr),
            Value::Missing(missing) => Ok(Value::Missing(missing)),
            _ => Ok(Value::ABSENT),
        }
    }

    fn of_record(&self, record: &Json, name: &str, kind: &Kind, wire: &WireEncoding, expr: &Expr) -> Evaluated {
        let Some(found) = record.get(name) else { return Ok(Value::ABSENT) };
        if self.flow.keep_blank
            && let (Json::String(text), Kind::Text) = (found, kind)
        {
            return Ok(Value::text(text.as_str()));
        }
        let value = self.decoded(found, kind, wire, expr)?;
        if let (Value::Missing(Missing::Null | Missing::Blank), Expr::Field { held: true, .. }) = (&value, expr) {
            return Err(self.blank(expr));
        }
        match (value, wire) {
            (Value::Money(money), WireEncoding::Amount { currency: Some(fixed), .. }) => {
                Ok(Value::Money(Money { currency: Some(Arc::from(fixed.as_str())), ..money }))
            }
            (Value::Money(money), WireEncoding::Amount { currency_field: Some(field), .. }) => {
                let currency = record.get(field.as_str()).and_then(Json::as_str).filter(|code| !code.is_empty());
                Ok(Value::Money(Money { currency: currency.map(Arc::from), ..money }))
            }
            (value, _) => Ok(value),
        }
    }

    /// A field without a value that the schema says is always there.
    fn blank(&self, expr: &Expr) -> EvalError {
        let path = self.path_text(expr);
        built_in("source_misfit", format!("{path}: {BLANK}"), Some(path))
    }

    fn decoded(&self, json: &Json, kind: &Kind, wire: &WireEncoding, expr: &Expr) -> Evaluated {
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
        self.path_from(expr, 0)
    }

    fn path_from(&self, expr: &Expr, depth: usize) -> String {
        match expr {
            Expr::Field { base, name, .. } => format!("{}.{name}", self.path_from(base, depth)),
            Expr::Slot { slot, name } if depth < DEEPEST_NAMES => {
                let plain = |expr: &Expr| matches!(expr, Expr::Field { .. } | Expr::Slot { .. });
                match self.origins.get(slot.0 as usize).copied().flatten() {
                    Some(Origin::Element(list, at)) => format!("{}[{at}]", self.path_from(list, depth + 1)),
                    Some(Origin::OfGroup(at)) => format!("{name}[{at}]"),
                    Some(Origin::Path(path)) if plain(path) => self.path_from(path, depth + 1),
                    _ => match self.lets.get(slot) {
                        Some(found) if plain(&found.value) => self.path_from(&found.value, depth + 1),
                        _ => name.to_string(),
                    },
                }
            }
            Expr::Coerce { value, .. } => self.path_from(value, depth),
            other => words(other),
        }
    }
}
