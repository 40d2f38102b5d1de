//! Lowers writes: the rows of their bodies in the target's form, and what each is held to.

use regex::bytes::Regex;
use rust_decimal::Decimal;

use super::lower::{Found, Lowerer, NoWay, number};
use super::number::Number;
use super::op::{Cell, Emit, EmitAt, EmitRow, Form, Key, KeyField, Loop, Op, Out, V, Words, Write};
use super::shape::ROOT;
use crate::check::typed::{self, Body, Event, Expr, Flow, Policy, Row, RowValue};
use crate::plan::walk;
use crate::schema::{Field, Object};
use crate::value::{Kind, Literal, MAX_TEXT, WeightUnit, Wire};

impl<'p> Lowerer<'p> {
    pub(super) fn writes(&mut self) -> Found<()> {
        let flow = self.flow;
        let results: Vec<_> = flow.writes.iter().filter_map(|write| write.result).collect();
        for write in &flow.writes {
            let mut reads = false;
            walk::write(write, &mut |expr| reads |= matches!(expr, Expr::Slot { slot, .. } if results.contains(slot)));
            if reads {
                return Err(NoWay("a write that reads the result of another"));
            }
            let lowered = self.write(write)?;
            self.out.writes.push(lowered);
        }
        Ok(())
    }

    /// The writes that a rejection of the record causes.
    pub(super) fn follow_ups(&mut self) -> Found<Vec<Write<'p>>> {
        let flow = self.flow;
        let mut found = Vec::new();
        for after in &flow.follow_ups {
            let names_a_write = after.write.as_ref().is_some_and(|name| flow.writes.iter().any(|write| write.name == *name));
            if !(names_a_write && after.events.contains(&Event::IsRejected)) {
                continue;
            }
            if !after.lets.is_empty() {
                return Err(NoWay("names of a follow-up"));
            }
            for write in &after.writes {
                found.push(self.write(write)?);
            }
        }
        Ok(found)
    }

    fn write(&mut self, write: &'p typed::Write) -> Found<Write<'p>> {
        if write.repeat.is_some() || write.milestones.is_some() {
            return Err(NoWay("a write for each of several"));
        }
        let object = self.object(&write.object).ok_or(NoWay("a target without a schema"))?;
        let name = write.object.to_string();
        let place = self.out.objects.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.out.objects.push(name);
            self.out.objects.len() - 1
        });
        let when = write.when.as_ref().map(|when| self.expr(when)).transpose()?;
        let has_row = |name: &str| write.body.rows.iter().any(|row| row.name == name);
        let key = match &write.key {
            None => None,
            Some(key) => {
                let value = self.expr(&key.value)?;
                let field = match &key.field {
                    Some(name) if has_row(name) => return Err(NoWay("a key that is a row too")),
                    Some(name) => {
                        let field = object.fields.get(name).ok_or(NoWay("a key whose field is not known"))?;
                        if !matches!((&field.kind, &field.wire), (Kind::Text, Wire::Plain)) || !(field.write.create || field.write.update) {
                            return Err(NoWay("a key in a field that is no text"));
                        }
                        Some(KeyField { name: quoted(name), field })
                    }
                    None => None,
                };
                Some((value, field))
            }
        };
        let id = match write.of {
            None => None,
            Some(Flow::RECORD) => Some(self.record_id(object)?),
            Some(_) => return Err(NoWay("a write to what was matched")),
        };
        if write.of.is_some() && looks(&write.body) {
            return Err(NoWay("a row that looks at what the record holds"));
        }
        let create = write.op != typed::Op::Update;
        let key_name = write.key.as_ref().and_then(|key| key.field.as_deref());
        let body = self.body(&write.body, object, create, false, None, key_name)?;
        let op = match write.op {
            typed::Op::Create => "create",
            typed::Op::Update => "update",
            typed::Op::Upsert => "upsert",
        };
        Ok(Write { object: place, op, when, key, id, body })
    }

    /// Reads the id of the source's record, as its schema names it.
    fn record_id(&mut self, object: &'p Object) -> Found<u32> {
        let name = object.id.as_deref().unwrap_or("id");
        let field = object.fields.get(name).ok_or(NoWay("an id whose field is not known"))?;
        if field.kind != Kind::Text {
            return Err(NoWay("an id that is no text"));
        }
        let holds = super::shape::Holds::Scalar;
        let child = self.out.shape.child(ROOT, name, &holds).map_err(|_| NoWay("a field that is read in two ways"))?;
        let slot = self.out.shape.node(child).map_or(0, |node| node.slot);
        let base = self.op(Op::Const(V::Record(ROOT, 0)));
        let places = [super::op::Place { of: ROOT, slot, node: child }].into();
        Ok(self.op(Op::Read { base, places, decode: super::op::Decode::Text }))
    }

    fn emits(&mut self, emit: Emit<'p>) -> EmitAt {
        self.out.emits.push(emit);
        self.out.emits.len() as EmitAt - 1
    }

    /// The rows of a write's body, or of an object in it.
    fn body(&mut self, body: &'p Body, object: &'p Object, whole: bool, omit_empty: bool, when: Option<u32>, key: Option<&str>) -> Found<EmitAt> {
        let mut rows = Vec::with_capacity(body.rows.len());
        for row in &body.rows {
            if row.policy == Policy::Clear {
                return Err(NoWay("a row that is cleared"));
            }
            rows.push(self.row(row, object, whole, true)?);
        }
        let required = required(object, whole, key)?;
        Ok(self.emits(Emit::Object { when, omit_empty, rows: rows.into(), required }))
    }

    /// `top`: the row of a body, and not of an object that an expression builds.
    fn row(&mut self, row: &'p Row, object: &'p Object, whole: bool, top: bool) -> Found<EmitRow> {
        let field = object.fields.get(&row.name).ok_or(NoWay("a row whose field is not known"))?;
        if !field.write.create && !field.write.update {
            return Err(NoWay("a row whose field cannot be written"));
        }
        let value = match &row.value {
            RowValue::Clear => return Err(NoWay("a row that is cleared")),
            RowValue::Expr(expr) => self.value(expr, field, &field.kind, top && !field.write.required)?,
            RowValue::Object { when, optional, body } => {
                let when = when.as_ref().map(|when| self.expr(when)).transpose()?;
                let Kind::Object(of) = &field.kind else { return Err(NoWay("an object in a field that takes none")) };
                if *of != body.object {
                    return Err(NoWay("an object of another kind than its field's"));
                }
                let inner = self.object(of).ok_or(NoWay("an object without a schema"))?;
                self.body(body, inner, true, *optional, when, None)?
            }
        };
        let mut key = [b",", &*quoted(&row.name)].concat();
        let value = self.cell(value, &mut key);
        Ok(EmitRow { key: Key::new(&key), value, required: whole && field.write.required })
    }

    /// How a row's value is written, where there is a short way. What is the same in every record joins the key.
    fn cell(&self, value: EmitAt, key: &mut Vec<u8>) -> Cell {
        let Some(Emit::Scalar { at, out }) = self.out.emits.get(value as usize) else { return Cell::Other(value) };
        let Form::Text(words) = &out.form else { return Cell::Scalar(value) };
        let most = u32::try_from(out.most).unwrap_or(u32::MAX).min(MAX_TEXT as u32);
        match self.out.ops.get(*at as usize) {
            Some(Op::Const(V::Text(text))) if text.len() <= out.most && words.as_ref().is_none_or(|words| words.has(text)) => {
                super::emit::quote(text, key);
                Cell::Constant
            }
            Some(Op::RootText { raw, .. }) if words.is_none() && most > 0 => Cell::Copy { raw: *raw, most, or: value },
            Some(Op::RowText { slot, place, .. }) if words.is_none() && most > 0 => Cell::CopyOfRow { slot: *slot, place: *place, most, or: value },
            _ if words.is_none() && most > 0 => Cell::Text { at: *at, most, or: value },
            _ => Cell::Scalar(value),
        }
    }

    /// A row's expression in its field's form. `omit_empty`: an object in which nothing is set is left out.
    fn value(&mut self, expr: &'p Expr, field: &'p Field, kind: &'p Kind, omit_empty: bool) -> Found<EmitAt> {
        // What is nested here counts as it does in the reference.
        self.depth += 1;
        let value = self.nested(expr, field, kind, omit_empty);
        self.depth -= 1;
        value
    }

    fn nested(&mut self, expr: &'p Expr, field: &'p Field, kind: &'p Kind, omit_empty: bool) -> Found<EmitAt> {
        let emit = match (expr, kind) {
            (Expr::Bind { slot, value, body, .. }, _) if builds(body) => {
                let bound = self.bound(*slot, value)?;
                Emit::Bind { slot: slot.0, value: bound, body: self.value(body, field, kind, omit_empty)? }
            }
            (Expr::If { condition, then, otherwise }, _) if builds(then) || builds(otherwise) => {
                let condition = self.expr(condition)?;
                let then = self.value(then, field, kind, omit_empty)?;
                Emit::If { condition, then, otherwise: self.value(otherwise, field, kind, omit_empty)? }
            }
            (Expr::Treat { value, .. }, Kind::Object(_) | Kind::List(_)) if builds(value) => return self.value(value, field, kind, omit_empty),
            (Expr::Object { rows, .. }, Kind::Object(of)) => {
                let object = self.object(of).ok_or(NoWay("an object without a schema"))?;
                let mut made = Vec::with_capacity(rows.len());
                for row in rows {
                    made.push(self.row(row, object, true, false)?);
                }
                Emit::Object { when: None, omit_empty, rows: made.into(), required: required(object, true, None)? }
            }
            (Expr::Each { generators, condition, body }, Kind::List(of)) if matches!(of.kind, Kind::Object(_)) && field.wire == Wire::Plain => {
                let of_loop: Loop = self.looped(generators, condition.as_deref())?;
                let max_items = field.max_items.unwrap_or(usize::MAX);
                Emit::Each { of: of_loop, body: self.value(body, field, &of.kind, false)?, max_items }
            }
            (Expr::Literal(Literal::Missing), _) => Emit::Nothing,
            (Expr::Object { .. } | Expr::Each { .. }, _) => return Err(NoWay("a list or an object in a form that is not written here")),
            _ if matches!(kind, Kind::Object(_) | Kind::List(_) | Kind::Json | Kind::Any | Kind::Row(_)) => {
                return Err(NoWay("an object that is passed on whole"));
            }
            _ => {
                let at = self.expr(expr)?;
                Emit::Scalar { at, out: Box::new(self.form(field)?) }
            }
        };
        Ok(self.emits(emit))
    }

    fn form(&mut self, field: &'p Field) -> Found<Out<'p>> {
        let text = field.wire == Wire::NumberText;
        let form = match &field.kind {
            Kind::Text => Form::Text(None),
            Kind::Enumeration(of) => Form::Text((!of.open).then(|| Words::of(of.names()))),
            Kind::Integer => Form::Integer { text },
            Kind::Decimal | Kind::Money => Form::Decimal { text },
            Kind::Boolean => Form::Boolean,
            Kind::Date => Form::Date,
            Kind::Datetime => {
                let zone = match &field.wire {
                    Wire::Zoned { zone, pattern } => {
                        Some((jiff::tz::TimeZone::get(zone).map_err(|_| NoWay("a zone that is unknown"))?, pattern.as_str()))
                    }
                    _ => None,
                };
                Form::Instant { zone, memo: self.memo() }
            }
            Kind::Weight => weights(&field.wire).map_or(Form::Other, Form::Weight),
            _ => Form::Other,
        };
        // A limit that no number here reaches is none.
        let far = Decimal::from(100_000_000_000_000_000_i64);
        let pattern = field.pattern.as_ref().map(|pattern| Regex::new(pattern)).transpose();
        let limit = field.digits.map(|digits| digits.saturating_sub(field.places.unwrap_or(0)).min(28));
        // No number here has more digits than 17 before the point.
        let limit = limit.filter(|whole| *whole <= 17).map(|whole| number(Decimal::from(10_i64.pow(whole))));
        let pattern = pattern.map_err(|_| NoWay("a pattern that is none"))?;
        let most = match field.size {
            _ if pattern.is_some() => 0,
            None => usize::MAX,
            Some(size) if size.min == 0 => size.max,
            Some(_) => 0,
        };
        Ok(Out {
            form,
            field,
            pattern,
            most,
            minimum: field.minimum.filter(|least| *least > -far).map(number).transpose()?,
            maximum: field.maximum.filter(|most| *most < far).map(number).transpose()?,
            limit: limit.transpose()?,
        })
    }
}

/// Whether a row is written only where its field is empty, or only once.
fn looks(body: &Body) -> bool {
    body.rows
        .iter()
        .any(|row| matches!(row.policy, Policy::Once | Policy::IfEmpty) || matches!(&row.value, RowValue::Object { body, .. } if looks(body)))
}

/// Each unit of weight in the form of an object, as [`crate::value::encode`] chooses it; none where an amount would have
/// to be divided.
fn weights(wire: &Wire) -> Option<Box<[(WeightUnit, Number, Box<[u8]>, Box<[u8]>)]>> {
    let Wire::WeightObject { value, units, words } = wire else { return None };
    let mut found = Vec::new();
    for unit in [WeightUnit::Gram, WeightUnit::Kilogram, WeightUnit::Ounce, WeightUnit::Pound] {
        let (to, word) = words.iter().find(|(to, _)| *to == unit).or_else(|| words.iter().find(|(to, _)| to.is_metric() == unit.is_metric()))?;
        let factor = unit.grams().checked_div(to.grams())?.normalize();
        if factor.scale() > 0 {
            continue;
        }
        let factor = if *to == unit { Number::ZERO } else { Number::of(factor)? };
        let word = serde_json::Value::from(word.as_str());
        let before = [b"{", &*quoted(value)].concat();
        let behind = [b",", &*quoted(units), word.to_string().as_bytes(), b"}"].concat();
        found.push((unit, factor, before.into(), behind.into()));
    }
    Some(found.into())
}

/// How many fields of an object have to be set, without the key's.
fn required(object: &Object, whole: bool, key: Option<&str>) -> Found<usize> {
    if !whole {
        return Ok(0);
    }
    Ok(object.fields.iter().filter(|(name, field)| field.write.required && Some(name.as_str()) != key).count())
}

/// Whether an expression builds an object, or a list of such.
fn builds(expr: &Expr) -> bool {
    match expr {
        Expr::Object { .. } | Expr::Each { .. } => true,
        Expr::Bind { body, .. } => builds(body),
        Expr::If { then, otherwise, .. } => builds(then) || builds(otherwise),
        Expr::Treat { value, .. } => builds(value),
        _ => false,
    }
}

/// `"name":`
fn quoted(name: &str) -> Box<[u8]> {
    let mut key = serde_json::Value::from(name).to_string().into_bytes();
    key.push(b':');
    key.into()
}
