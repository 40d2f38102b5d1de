//! Compiles writes: the rows of their bodies in the target's form, and the checks of each row.

use std::sync::Arc;

use regex::bytes::Regex;
use rust_decimal::Decimal;

use super::code::Label;
use super::compiler::{Compiler, Found, Unsupported};
use super::number::Number;
use super::op::{Op, StringSet};
use super::projection::ROOT;
use super::reg::{RECORD, Reg};
use super::row::{self, Empty, Form, Key, KeyField, Out, Unit, Write};
use super::values::{As, number};
use crate::ir::walk;
use crate::ir::{self, Body, Event, Expr, Flow, Otherwise, Policy, Row, RowValue};
use crate::schema::{Field, Object, gate};
use crate::value::{Kind, Literal, MAX_TEXT, Value, WeightUnit, WireEncoding, encode};

impl<'p> Compiler<'p> {
    pub(super) fn writes(&mut self) -> Found<()> {
        let flow = self.flow;
        let results: Vec<_> = flow.writes.iter().filter_map(|write| write.result).collect();
        for write in &flow.writes {
            let mut reads = false;
            walk::write(write, &mut |expr| reads |= matches!(expr, Expr::Slot { slot, .. } if results.contains(slot)));
            if reads {
                return Err(Unsupported("a write that reads the result of another"));
            }
            let compiled = self.write(write)?;
            self.out.writes.push(compiled);
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
                return Err(Unsupported("names of a follow-up"));
            }
            for write in &after.writes {
                found.push(self.write(write)?);
            }
        }
        Ok(found)
    }

    fn write(&mut self, write: &'p ir::Write) -> Found<Write<'p>> {
        if write.repeat.is_some() || write.milestones.is_some() {
            return Err(Unsupported("a write for each of several"));
        }
        let object = self.object(&write.object).ok_or(Unsupported("a target without a schema"))?;
        let name = write.object.to_string();
        let place = self.out.objects.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.out.objects.push(name);
            self.out.objects.len() - 1
        });
        if write.of.is_some() && looks(&write.body) {
            return Err(Unsupported("a row that looks at what the record holds"));
        }
        // Whether the one before was made is not known.
        self.scoped(|compiler| {
            let (begin, not) = (compiler.here(), compiler.label());
            if let Some(when) = &write.when {
                compiler.branch(when, false, not)?;
            }
            let key = write.key.as_ref().map(|key| compiler.key(key, &write.body, object)).transpose()?;
            let id = match write.of {
                None => None,
                Some(Flow::RECORD) => Some(compiler.record_id(object)?),
                Some(_) => return Err(Unsupported("a write to what was matched")),
            };
            compiler.push(Op::Done);
            compiler.place(not);
            compiler.push(Op::Skip);
            let body = compiler.here();
            let create = write.op != ir::Operation::Update;
            let key_name = write.key.as_ref().and_then(|key| key.field.as_deref());
            let mark = compiler.mark()?;
            compiler.push(Op::Open { mark, key: None });
            compiler.push(Op::First);
            compiler.body(mark, &write.body, object, create, Empty::Written, key_name)?;
            compiler.unmark();
            compiler.push(Op::Done);
            Ok(Write { object: place, op: write.op.word(), begin, key, id, body })
        })
    }

    fn key(&mut self, key: &'p ir::Key, body: &'p Body, object: &'p Object) -> Found<(Reg, Option<KeyField<'p>>)> {
        let value = self.value(&key.value)?;
        let Some(name) = &key.field else { return Ok((value, None)) };
        if body.rows.iter().any(|row| row.name == *name) {
            return Err(Unsupported("a key that is a row too"));
        }
        let field = object.fields.get(name).ok_or(Unsupported("a key whose field is not known"))?;
        if !matches!((&field.kind, &field.wire), (Kind::Text, WireEncoding::Plain)) || !(field.write.create || field.write.update) {
            return Err(Unsupported("a key in a field that is no text"));
        }
        Ok((value, Some(KeyField { name: quoted(name), field })))
    }

    /// Where the id of the source's record stands, as its schema names it.
    fn record_id(&mut self, object: &'p Object) -> Found<Reg> {
        let name = object.id.as_deref().unwrap_or("id");
        let field = object.fields.get(name).ok_or(Unsupported("an id whose field is not known"))?;
        if field.kind != Kind::Text {
            return Err(Unsupported("an id that is no text"));
        }
        let at = self.out.projection.scalar(ROOT, name).ok_or(Unsupported("a field that is read in two ways"))?;
        Ok(Reg::new(RECORD, at))
    }

    /// The rows of a write's body, or of an object in it, which was begun. `whole`: what has to be there is asked for.
    fn body(&mut self, mark: u8, body: &'p Body, object: &'p Object, whole: bool, empty: Empty, key: Option<&str>) -> Found<()> {
        for row in &body.rows {
            if row.policy == Policy::Clear {
                return Err(Unsupported("a row that is cleared"));
            }
            self.row(row, object, whole, true)?;
        }
        self.close(mark, &body.rows, object, whole, empty, key);
        Ok(())
    }

    /// The end of an object, which has these rows.
    fn close(&mut self, mark: u8, rows: &[Row], object: &Object, whole: bool, empty: Empty, key: Option<&str>) {
        let is_set = |name: &str| Some(name) == key || rows.iter().any(|row| row.name == *name);
        if whole && object.fields.iter().any(|(name, field)| field.write.required && !is_set(name)) {
            self.push(Op::Required);
        }
        self.push(Op::Close { mark, empty });
    }

    /// `top`: the row of a body, and not of an object that an expression builds.
    fn row(&mut self, row: &'p Row, object: &'p Object, whole: bool, top: bool) -> Found<()> {
        let field = object.fields.get(&row.name).ok_or(Unsupported("a row whose field is not known"))?;
        if !field.write.create && !field.write.update {
            return Err(Unsupported("a row whose field cannot be written"));
        }
        let required = whole && field.write.required;
        let key = [b",", &*quoted(&row.name)].concat();
        match &row.value {
            RowValue::Clear => return Err(Unsupported("a row that is cleared")),
            RowValue::Expr(expr) => {
                let empty = if top && !field.write.required { Empty::LeftOut } else { Empty::Written };
                self.written(expr, To { field, kind: &field.kind, key: Some(&key), empty, required })?;
            }
            RowValue::Object { when, optional, body } => {
                let Kind::Object(of) = &field.kind else { return Err(Unsupported("an object in a field that takes none")) };
                if *of != body.object {
                    return Err(Unsupported("an object of another kind than its field's"));
                }
                let inner = self.object(of).ok_or(Unsupported("an object without a schema"))?;
                let (not, behind) = (self.label(), self.label());
                if let Some(when) = when {
                    self.branch(when, false, not)?;
                }
                let empty = match (*optional, required) {
                    (false, _) => Empty::Written,
                    (true, false) => Empty::LeftOut,
                    (true, true) => Empty::Required,
                };
                self.scoped(|compiler| {
                    let mark = compiler.mark()?;
                    compiler.push(Op::Open { mark, key: Some(Box::new(Key::new(&key))) });
                    compiler.body(mark, body, inner, true, empty, None)
                })?;
                self.jump(behind);
                self.place(not);
                if required && when.is_some() {
                    self.push(Op::Required);
                }
                self.place(behind);
            }
        }
        Ok(())
    }

    /// A row's expression in its field's form.
    fn written(&mut self, expr: &'p Expr, to: To<'p, '_>) -> Found<()> {
        // What is nested here counts as it does in the reference.
        self.depth += 1;
        let written = self.nested(expr, to);
        self.depth -= 1;
        written
    }

    fn nested(&mut self, expr: &'p Expr, to: To<'p, '_>) -> Found<()> {
        let begun = to.key.map(|key| Box::new(Key::new(key)));
        match (expr, to.kind) {
            (Expr::Bind { slot, value, body, .. }, _) if builds(body) => {
                let held = self.held(value, As::Itself)?;
                self.bind(*slot, held);
                self.written(body, to)
            }
            (Expr::If { condition, then, otherwise }, _) if builds(then) || builds(otherwise) => {
                let (not, end) = (self.label(), self.label());
                self.branch(condition, false, not)?;
                self.scoped(|compiler| compiler.written(then, to))?;
                self.jump(end);
                self.place(not);
                self.scoped(|compiler| compiler.written(otherwise, to))?;
                self.place(end);
                Ok(())
            }
            (Expr::Coerce { value, .. }, Kind::Object(_) | Kind::List(_)) if builds(value) => self.written(value, to),
            (Expr::Object { rows, .. }, Kind::Object(of)) => {
                let object = self.object(of).ok_or(Unsupported("an object without a schema"))?;
                let mark = self.mark()?;
                self.push(Op::Open { mark, key: begun });
                for row in rows {
                    self.row(row, object, true, false)?;
                }
                self.close(mark, rows, object, true, to.empty, None);
                self.unmark();
                Ok(())
            }
            (Expr::Each { generators, condition, body }, Kind::List(of))
                if matches!(of.kind, Kind::Object(_)) && to.field.wire == WireEncoding::Plain =>
            {
                let mark = self.mark()?;
                self.push(Op::OpenList { mark, key: begun });
                self.looped(generators, condition.as_deref(), |compiler| {
                    compiler.push(Op::Item { mark });
                    compiler.written(body, To { kind: &of.kind, key: None, empty: Empty::Written, required: false, ..to })?;
                    compiler.push(Op::EndItem { mark });
                    Ok(())
                })?;
                self.push(Op::CloseList { mark, max_items: to.field.max_items.unwrap_or(usize::MAX) });
                self.unmark();
                Ok(())
            }
            (Expr::Literal(Literal::Missing), _) => {
                if to.required {
                    self.push(Op::Required);
                }
                Ok(())
            }
            (Expr::Object { .. } | Expr::Each { .. }, _) => Err(Unsupported("a list or an object in a form that is not written here")),
            (_, Kind::Object(_) | Kind::List(_) | Kind::Json | Kind::Any | Kind::Row(_)) => Err(Unsupported("an object that is passed on whole")),
            _ => self.scalar(expr, to.field, to.key.ok_or(Unsupported("a list of texts or numbers"))?, to.required),
        }
    }

    fn scalar(&mut self, expr: &'p Expr, field: &'p Field, key: &[u8], required: bool) -> Found<()> {
        let out = Box::new(self.form(field)?);
        let most = u32::try_from(out.most).unwrap_or(u32::MAX).min(MAX_TEXT as u32);
        if let Expr::Literal(Literal::Text(text)) = expr
            && out.takes_at_once(text.as_bytes())
        {
            // The same in every record: it joins the key.
            self.push(Op::Write(Box::new(Key::and_text(key, text.as_bytes()))));
            return Ok(());
        }
        let is_number = matches!(out.form, Form::Integer { text: false } | Form::Decimal { text: false });
        let (of, behind) = match expr {
            Expr::Values { map, back: false, value } => self.mapped(*map, value)?,
            expr if is_number => (self.number(expr)?, None),
            expr => (self.value(expr)?, None),
        };
        let most_places = match &out.form {
            Form::Integer { .. } => Some(0),
            Form::Decimal { .. } => Some(field.places.and_then(|places| i8::try_from(places).ok()).unwrap_or(i8::MAX)),
            _ => None,
        };
        let (places, (negative, bound)) = most_places.zip(bound(&out)).unwrap_or((-1, (false, 0)));
        let row = |key: &[u8], out| Box::new(row::Row { key: Key::new(key), required, places, negative, bound, out });
        self.push(match &out.form {
            Form::Text(None) if most > 0 => Op::WriteText { of, most, row: row(&[key, b"\""].concat(), out) },
            _ if is_number => Op::WriteNumber { of, row: row(key, out) },
            _ => Op::WriteValue { of, row: row(key, out) },
        });
        if let Some(behind) = behind {
            self.place(behind);
        }
        Ok(())
    }

    /// A value through a value map. Where none of its rows fits, its author may say why the record is stopped: the row is
    /// left out then, and it goes on at the label.
    fn mapped(&mut self, map: usize, value: &'p Expr) -> Found<(Reg, Option<Label>)> {
        let of = self.value(value)?;
        let (place, dst) = (u32::try_from(map).unwrap_or(u32::MAX), self.room(1));
        let (found, behind) = (self.label(), self.label());
        self.push(Op::Map { map: place, of, dst, to: found.to() });
        match self.plan.mapping.values.get(map).map(|map| &map.otherwise) {
            Some(Otherwise::Stop(stop)) => {
                self.given = Some(of);
                self.tell("value_map", stop.review, &stop.message, stop.owner.as_deref(), stop.before.as_ref(), &stop.place);
                self.given = None;
                self.push(Op::Unfinished);
                self.jump(behind);
            }
            _ => self.push(Op::Leave),
        }
        self.place(found);
        Ok((Reg::computed(dst), Some(behind)))
    }

    fn form(&mut self, field: &'p Field) -> Found<Out<'p>> {
        let text = field.wire == WireEncoding::NumberText;
        if matches!(field.wire, WireEncoding::MoneyObject { .. } | WireEncoding::UnixSeconds) {
            return Err(Unsupported("an amount in an object, or an instant in seconds"));
        }
        let form = match &field.kind {
            Kind::Text => Form::Text(None),
            Kind::Enumeration(of) => Form::Text((!of.open).then(|| StringSet::of(of.names()))),
            Kind::Integer => Form::Integer { text },
            Kind::Money if self.currencies && matches!(field.wire, WireEncoding::Amount { currency: Some(_), .. }) => {
                return Err(Unsupported("an amount whose currency is fixed"));
            }
            Kind::Decimal | Kind::Money => Form::Decimal { text },
            Kind::Boolean => Form::Boolean,
            Kind::Date => Form::Date,
            Kind::Datetime => {
                let zone = match &field.wire {
                    WireEncoding::Zoned { zone, pattern } => {
                        Some((jiff::tz::TimeZone::get(zone).map_err(|_| Unsupported("a zone that is unknown"))?, pattern.as_str()))
                    }
                    _ => None,
                };
                Form::Instant { zone, memo: self.memo() }
            }
            Kind::Weight => weights(&field.wire).map_or(Form::Other, Form::Weight),
            // They are not all known yet.
            Kind::Reference(_) => Form::Named(Vec::new()),
            _ => Form::Other,
        };
        // A limit that no number here reaches is none.
        let far = Decimal::from(100_000_000_000_000_000_i64);
        let pattern = field.pattern.as_ref().map(|pattern| Regex::new(pattern)).transpose();
        let limit = field.digits.map(|digits| digits.saturating_sub(field.places.unwrap_or(0)).min(28));
        // No number here has more digits than 17 before the point.
        let limit = limit.filter(|whole| *whole <= 17).map(|whole| number(Decimal::from(10_i64.pow(whole))));
        let pattern = pattern.map_err(|_| Unsupported("a pattern that is none"))?;
        let most = match field.size {
            _ if pattern.is_some() => 0,
            None => usize::MAX,
            Some(size) if size.min == 0 => size.max,
            Some(_) => 0,
        };
        let minimum = field.minimum.filter(|least| *least > -far).map(number).transpose()?;
        let maximum = field.maximum.filter(|most| *most < far).map(number).transpose()?;
        let limit = limit.transpose()?;
        let any_number = field.places.is_none() && minimum.is_none() && maximum.is_none() && limit.is_none();
        Ok(Out { form, field, pattern, most, minimum, maximum, limit, any_number })
    }

    /// Writes named things down, as fields take them.
    pub(super) fn name(&mut self) {
        let references = &self.out.references;
        for op in &mut self.code.ops {
            if let Op::WriteValue { row, .. } = op
                && let Out { form: Form::Named(texts), field, .. } = &mut *row.out
            {
                texts.extend(references.iter().map(|of| {
                    let json = encode(&Value::Reference(Arc::new(of.clone())), &field.kind, &field.wire).ok()?;
                    gate::fits_field(field, &json).then(|| json.to_string().into_bytes().into())
                }));
            }
        }
    }
}

/// Where an expression is written to.
#[derive(Clone, Copy)]
struct To<'p, 'k> {
    field: &'p Field,
    /// The field's kind, or that of its list's items.
    kind: &'p Kind,
    /// None for the item of a list.
    key: Option<&'k [u8]>,
    /// Of an object in which nothing is set.
    empty: Empty,
    /// It has to be there.
    required: bool,
}

/// Whether a number may be negative, and the size that its coefficient may have: with decimal places a number is smaller
/// still. None where 0 is out of bounds, or a bound is no whole number.
fn bound(out: &Out<'_>) -> Option<(bool, u32)> {
    let whole = |number: Number| if number.is_whole() { Some(number.whole().coefficient()) } else { None };
    let size = |size: i64| Some(u32::try_from(u64::try_from(size).ok()?).unwrap_or(u32::MAX));
    let mut most = match out.maximum {
        Some(most) => size(whole(most)?)?,
        None => u32::MAX,
    };
    if let Some(limit) = out.limit {
        most = most.min(size(whole(limit)?.checked_sub(1)?)?);
    }
    match out.minimum {
        Some(least) if least.is_zero() => Some((false, most)),
        Some(least) => Some((true, most.min(size(whole(least)?.checked_neg()?)?))),
        None => Some((true, most)),
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
fn weights(wire: &WireEncoding) -> Option<Box<[Unit]>> {
    let WireEncoding::WeightObject { value, units, words } = wire else { return None };
    let mut found = Vec::new();
    for of in [WeightUnit::Gram, WeightUnit::Kilogram, WeightUnit::Ounce, WeightUnit::Pound] {
        let (to, word) = words.iter().find(|(to, _)| *to == of).or_else(|| words.iter().find(|(to, _)| to.is_metric() == of.is_metric()))?;
        let factor = of.grams().checked_div(to.grams())?.normalize();
        if factor.scale() > 0 {
            continue;
        }
        let factor = if *to == of { Number::ZERO } else { Number::of(factor)? };
        let word = serde_json::Value::from(word.as_str());
        let before = [b"{", &*quoted(value)].concat();
        let behind = [b",", &*quoted(units), word.to_string().as_bytes(), b"}"].concat();
        found.push(Unit { of, factor, before: Key::new(&before), behind: Key::new(&behind) });
    }
    Some(found.into())
}

/// Whether an expression builds an object, or a list of such.
fn builds(expr: &Expr) -> bool {
    match expr {
        Expr::Object { .. } | Expr::Each { .. } => true,
        Expr::Bind { body, .. } => builds(body),
        Expr::If { then, otherwise, .. } => builds(then) || builds(otherwise),
        Expr::Coerce { value, .. } => builds(value),
        _ => false,
    }
}

/// `"name":`
fn quoted(name: &str) -> Box<[u8]> {
    let mut key = serde_json::Value::from(name).to_string().into_bytes();
    key.push(b':');
    key.into()
}
