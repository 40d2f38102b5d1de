//! Compiles expressions: values into registers.

use std::sync::Arc;

use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use rustc_hash::FxHashMap;

use super::code::Held;
use super::compiler::{Compiler, Found, Unsupported};
use super::number::Number;
use super::op::{Argument, Call, Coerce, Decode, Element, Op, Piece, Place, Quick, StringSet, ValueMap};
use super::projection::{Holds, NodeId, ROOT};
use super::reg::{Currency, Reg, RegValue};
use super::tables::Columns;
use crate::builtin::BuiltinRef;
use crate::ir::{self, ContextVar, Expr, Part, Slot};
use crate::schema::Named;
use crate::value::{Kind, Literal, Missing, ObjectRef, Reference, WireEncoding};

/// Expressions inside each other, with those of the names that they read: fewer than the reference goes into.
const DEEPEST: u32 = 200;

/// What a value is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// What it is.
    Itself,
    /// A number: of an amount whose currency nobody knows it is no more.
    Number,
}

impl<'p> Compiler<'p> {
    /// A value, in a register.
    pub(super) fn value(&mut self, expr: &'p Expr) -> Found<Reg> {
        self.reg(expr, As::Itself)
    }

    pub(super) fn number(&mut self, expr: &'p Expr) -> Found<Reg> {
        self.reg(expr, As::Number)
    }

    fn reg(&mut self, expr: &'p Expr, taken: As) -> Found<Reg> {
        let held = self.held(expr, taken)?;
        Ok(self.reg_of(&held))
    }

    fn reg_of(&mut self, held: &Held) -> Reg {
        match held {
            Held::In(reg) | Held::Either(reg, _) | Held::Rows(reg, _) | Held::TableRows(reg, _) => *reg,
            Held::Row { first, .. } => Reg::computed(*first),
            Held::Object { node, base } if self.is_row(*node) => self.compute(Op::Element { base: *base, node: *node, dst: 0 }),
            Held::Object { node, base } => Reg::new(*base, self.out.projection.node(*node).map_or(0, |of| of.slot)),
        }
    }

    /// Whether a node's objects are elements of a list.
    fn is_row(&self, node: NodeId) -> bool {
        self.out.projection.node(node).is_none_or(|of| matches!(of.holds, Holds::Rows { .. }))
    }

    /// A value, wherever it is.
    pub(super) fn held(&mut self, expr: &'p Expr, taken: As) -> Found<Held> {
        self.deeper(expr, |compiler| compiler.compiled(expr, taken))
    }

    /// The reference counts what is nested, and refuses the record.
    pub(super) fn deeper<T>(&mut self, expr: &'p Expr, compile: impl FnOnce(&mut Self) -> Found<T>) -> Found<T> {
        self.depth += 1;
        let within = match expr {
            Expr::Slot { slot, .. } => self.lets.get(slot).copied().unwrap_or(0),
            _ => 0,
        };
        self.deepest = self.deepest.max(self.depth + within);
        let compiled = if self.deepest > DEEPEST { Err(Unsupported("an expression that is nested too deeply")) } else { compile(self) };
        self.depth -= 1;
        compiled
    }

    /// What a name stands for.
    pub(super) fn named(&mut self, slot: Slot) -> Found<Held> {
        if let Some(known) = self.known(slot) {
            return Ok(known.clone());
        }
        let Some(found) = self.flow.lets.iter().find(|found| found.slot == slot) else {
            return Err(Unsupported("a name that is read before it is given"));
        };
        let outside = (std::mem::take(&mut self.depth), std::mem::take(&mut self.deepest));
        let held = self.held(&found.value, As::Itself);
        self.lets.insert(slot, self.deepest);
        self.depth = outside.0;
        self.deepest = outside.1.max(self.depth + self.deepest);
        let held = held?;
        self.bind(slot, held.clone());
        Ok(held)
    }

    fn compiled(&mut self, expr: &'p Expr, taken: As) -> Found<Held> {
        let op = match expr {
            Expr::Literal(literal) => Op::Load { value: constant(literal)?, dst: 0 },
            Expr::Slot { slot, .. } => return self.named(*slot),
            Expr::ContextVar(word) => {
                let value = match word {
                    ContextVar::Value if let Some(given) = self.given => return Ok(Held::In(given)),
                    ContextVar::Now => RegValue::Instant(self.now),
                    ContextVar::Today => RegValue::Date(self.now.to_zoned(self.zone.clone()).date()),
                    // Nothing was read of the target.
                    ContextVar::Target => RegValue::ABSENT,
                    ContextVar::Reasons if self.rejected => return Ok(Held::In(self.compute(Op::Reasons { dst: 0 }))),
                    _ => return Err(Unsupported("a word of a message")),
                };
                Op::Load { value, dst: 0 }
            }
            Expr::Parameter(name) => {
                let Some(parameter) = self.plan.mapping.parameters.get(name) else { return Err(Unsupported("a parameter that is not there")) };
                match (&parameter.of.kind, &parameter.value) {
                    (Kind::Reference(of), Literal::Text(name)) => return Ok(self.named_thing(of, name)),
                    (_, value) => Op::Load { value: constant(value)?, dst: 0 },
                }
            }
            Expr::Named { of, name } => return Ok(self.named_thing(of, name)),
            Expr::Field { base, name, kind, wire, held } => return self.field(base, name, (kind, wire), *held, taken),
            Expr::Bind { slot, value, body, .. } => {
                let held = self.held(value, As::Itself)?;
                self.bind(*slot, held);
                return self.held(body, taken);
            }
            Expr::Call { function, arguments } => return self.call(*function, arguments, taken),
            Expr::Values { map, back: false, value } => Op::Values { map: u32::try_from(*map).unwrap_or(u32::MAX), of: self.value(value)?, dst: 0 },
            Expr::Table { table, keys } => return self.table(*table, keys),
            Expr::Template { parts, message } => {
                let mut pieces = Vec::with_capacity(parts.len());
                for part in parts {
                    pieces.push(match part {
                        Part::Text(text) => Piece::Text(text.as_bytes()),
                        Part::Expr(inner) => Piece::Value(self.value(inner)?),
                    });
                }
                Op::Template { pieces: pieces.into(), message: *message, dst: 0 }
            }
            Expr::Fallback { value, fallback } => return self.fallback(value, fallback, taken),
            Expr::Arithmetic { op, left, right } => Op::Arithmetic { op: *op, left: self.reg(left, taken)?, right: self.reg(right, taken)?, dst: 0 },
            Expr::If { condition, then, otherwise } => return self.choice(condition, then, otherwise, taken),
            Expr::Each { generators, condition, body } => {
                self.push(Op::List);
                let element = self.looped(generators, condition.as_deref(), |compiler| {
                    let held = compiler.held(body, As::Itself)?;
                    match &held {
                        Held::Object { node, base } if compiler.is_row(*node) => compiler.push(Op::PushRow { base: *base, node: *node }),
                        held => {
                            let reg = compiler.reg_of(held);
                            compiler.push(Op::Push(reg));
                        }
                    }
                    Ok(held)
                })?;
                let dst = self.room(1);
                self.push(Op::Listed { dst });
                let list = Reg::computed(dst);
                return Ok(match element {
                    Held::Object { node, .. } => Held::Rows(list, vec![node]),
                    Held::Either(_, nodes) => Held::Rows(list, nodes),
                    Held::Row { table, .. } => Held::TableRows(list, table),
                    _ => Held::In(list),
                });
            }
            Expr::Weigh { value, unit } => Op::Weigh { of: self.value(value)?, unit: *unit, dst: 0 },
            Expr::Measure { value, unit } => Op::Measure { of: self.value(value)?, unit: *unit, dst: 0 },
            Expr::Coerce { value, kind: Kind::Reference(of) } => {
                let map = self.things_of(of);
                Op::Values { map, of: self.value(value)?, dst: 0 }
            }
            Expr::Coerce { value, kind } => {
                let how = match kind {
                    Kind::Decimal | Kind::Integer => Coerce::Number,
                    Kind::Money => Coerce::Money,
                    // It is one.
                    Kind::Text if matches!(**value, Expr::Field { kind: Kind::Text | Kind::Enumeration(_), .. }) => return self.held(value, taken),
                    Kind::Text => Coerce::Text,
                    _ => return self.held(value, taken),
                };
                let of = self.reg(value, if how == Coerce::Text { As::Itself } else { taken })?;
                if how != Coerce::Text && taken == As::Number {
                    return Ok(Held::In(of));
                }
                Op::Coerce { of, how, dst: 0 }
            }
            condition if condition.is_condition() => return self.truth(condition),
            // The rest is left to `eval`.
            _ => return Err(Unsupported("a form of expression that is not compiled")),
        };
        Ok(Held::In(self.compute(op)))
    }

    fn named_thing(&mut self, of: &ObjectRef, name: &str) -> Held {
        let found = self.names.get(of).and_then(|names| names.names.iter().find(|known| known.name == name));
        let Some(found) = found else {
            self.push(Op::Leave);
            return Held::In(Reg::computed(0));
        };
        let value = self.reference(found);
        Held::In(self.compute(Op::Load { value, dst: 0 }))
    }

    fn reference(&mut self, of: &Named) -> RegValue<'p> {
        let known = self.out.references.iter().position(|known| *known.name == *of.name && known.id == of.id);
        let place = known.unwrap_or_else(|| {
            self.out.references.push(Reference { name: Arc::from(of.name.as_str()), id: of.id.clone() });
            self.out.references.len() - 1
        });
        RegValue::Named(place as u32)
    }

    /// The map of the things of a kind by their names. A name that is none of them is left to the reference.
    fn things_of(&mut self, of: &ObjectRef) -> u32 {
        if let Some(known) = self.things.get(of) {
            return *known;
        }
        let mut texts = FxHashMap::default();
        let all = self.names;
        for named in all.get(of).into_iter().flat_map(|names| &names.names) {
            let thing = self.reference(named);
            // Of two of one name the first is found.
            texts.entry(named.name.as_bytes()).or_insert(thing);
        }
        let place = u32::try_from(self.out.maps.len()).unwrap_or(u32::MAX);
        self.out.maps.push(ValueMap { texts, otherwise: None, keeps_missing: true, is_whole: true });
        self.things.insert(of.clone(), place);
        place
    }

    // ---- what is chosen ----

    /// The first of two that is there.
    fn fallback(&mut self, value: &'p Expr, fallback: &'p Expr, taken: As) -> Found<Held> {
        let one = self.held(value, taken)?;
        let of = self.reg_of(&one);
        if let Expr::Literal(literal) = fallback {
            return Ok(Held::In(self.compute(Op::OrElse { of, or: Box::new(constant(literal)?), dst: 0 })));
        }
        let (point, end) = (self.point(), self.label());
        let dst = self.into(&one, None);
        self.push(Op::Present { of, when: true, to: end.to() });
        let choice = self.point();
        let (other, or, alone) = self.scoped(|compiler| {
            let other = compiler.held(fallback, taken)?;
            let or = compiler.reg_of(&other);
            let alone = !compiler.is_longer(choice);
            if !compiler.redirect(choice, or, dst) {
                compiler.into(&other, Some(dst));
            }
            Ok((other, or, alone))
        })?;
        let columns = matches!(one, Held::Row { .. });
        if alone && !columns {
            // Nothing has to be computed for it.
            self.take_back(point);
            let dst = self.compute_some(Op::Or { of, or, dst: 0 }, 1);
            return either(one, other, dst);
        }
        self.place(end);
        either(one, other, dst)
    }

    fn choice(&mut self, condition: &'p Expr, then: &'p Expr, otherwise: &'p Expr, taken: As) -> Found<Held> {
        let (not, end) = (self.label(), self.label());
        self.branch(condition, false, not)?;
        let (one, dst) = self.scoped(|compiler| compiler.given(then, taken, None))?;
        self.jump(end);
        self.place(not);
        let (other, _) = self.scoped(|compiler| compiler.given(otherwise, taken, Some(dst)))?;
        self.place(end);
        either(one, other, dst)
    }

    /// Computes a value into registers of its own. It is for the end of a scope: what is made last is known by nobody else.
    pub(super) fn given(&mut self, expr: &'p Expr, taken: As, dst: Option<u32>) -> Found<(Held, u32)> {
        let point = self.point();
        let held = self.held(expr, taken)?;
        let of = self.reg_of(&held);
        if let (Held::In(_), to) = (&held, dst.unwrap_or_else(|| self.room(1)))
            && self.redirect(point, of, to)
        {
            return Ok((held, to));
        }
        let dst = self.into(&held, dst);
        Ok((held, dst))
    }

    /// Copies a value into registers of its own; gives the first.
    fn into(&mut self, held: &Held, dst: Option<u32>) -> u32 {
        let of = self.reg_of(held);
        let count = match held {
            Held::Row { table, .. } => 1 + u32::from(self.columns(*table)),
            _ => 1,
        };
        let dst = dst.unwrap_or_else(|| self.room(count));
        for at in 0..count {
            self.push(Op::Copy { of: of.behind(at), dst: dst + at });
        }
        dst
    }

    // ---- fields ----

    fn field(&mut self, base: &'p Expr, name: &str, (kind, wire): (&'p Kind, &'p WireEncoding), held: bool, taken: As) -> Found<Held> {
        let of = self.held(base, As::Itself)?;
        if let Held::Row { first, table } = of {
            let columns = self.plan.mapping.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
            let column = columns.iter().position(|column| column.name == name).ok_or(Unsupported("a column that is not there"))?;
            return Ok(Held::In(Reg::computed(first + 1 + column as u32)));
        }
        let holds = holds(kind, wire).ok_or(Unsupported("a field of a form that is not read here"))?;
        let (reg, nodes) = self.place_of(&of, name, &holds)?;
        if held {
            // What is said to be always there and is not is told by the reference.
            let there = self.label();
            self.push(Op::Present { of: reg, when: true, to: there.to() });
            self.push(Op::Leave);
            self.place(there);
        }
        match (&holds, of) {
            (Holds::Object, Held::Object { base, .. }) => Ok(Held::Object { node: nodes.first().copied().unwrap_or(ROOT), base }),
            (Holds::Object, _) => Ok(Held::Either(reg, nodes)),
            (Holds::Rows { .. }, _) => Ok(Held::Rows(reg, nodes)),
            (_, of) => {
                let currency = match (kind, wire) {
                    (Kind::Money, WireEncoding::Amount { currency: Some(_), .. }) => return Err(Unsupported("an amount whose currency is fixed")),
                    (Kind::Money, WireEncoding::Amount { currency_field: Some(field), .. }) => Some(self.place_of(&of, field, &Holds::Text)?.0),
                    _ => None,
                };
                let Some(decode) = decode(kind, wire, currency, taken)? else { return Ok(Held::In(reg)) };
                Ok(Held::In(self.compute(Op::Decode { of: reg, decode: Box::new(decode), dst: 0 })))
            }
        }
    }

    /// Where a field of an object stands, and its nodes.
    pub(super) fn place_of(&mut self, of: &Held, name: &str, holds: &Holds) -> Found<(Reg, Vec<NodeId>)> {
        let mut child = |node: NodeId| {
            let projection = &mut self.out.projection;
            let child = projection.child(node, name, holds).map_err(|_| Unsupported("a field that is read in two ways"))?;
            Ok((child, projection.node(child).map_or(0, |node| node.slot)))
        };
        match of {
            Held::Object { node, base } => {
                let (node, at) = child(*node)?;
                Ok((Reg::new(*base, at), vec![node]))
            }
            Held::Either(reg, nodes) => {
                let mut places = Vec::with_capacity(nodes.len());
                let mut children = Vec::with_capacity(nodes.len());
                for node in nodes {
                    let (child, slot) = child(*node)?;
                    places.push(Place { of: *node, slot });
                    children.push(child);
                }
                Ok((self.compute(Op::Pick { of: *reg, places: places.into(), dst: 0 }), children))
            }
            _ => Err(Unsupported("a field of what the mapping built")),
        }
    }

    // ---- functions, tables and lists ----

    fn call(&mut self, function: BuiltinRef, arguments: &'p [Expr], taken: As) -> Found<Held> {
        // An argument that was left out is missing.
        let given = |at: usize| arguments.get(at).filter(|argument| !matches!(argument, Expr::Literal(Literal::Missing)));
        let whole = |at: usize| match given(at) {
            Some(Expr::Literal(Literal::Number(number))) => usize::try_from(number.mantissa()).ok().filter(|_| number.scale() == 0),
            _ => None,
        };
        let words = |at: usize| given(at).map(literal_text);
        let quick = match (function.0.name, arguments.len()) {
            ("trim", 1) => Some(Quick::Trim),
            ("lower", 1) => Some(Quick::Lower),
            ("upper", 1) => Some(Quick::Upper),
            ("truncate", 2) => whole(1).and_then(|most| u32::try_from(most).ok()).map(Quick::Truncate),
            ("length", 1) => Some(Quick::Length),
            ("count", 1) => Some(Quick::Count),
            ("sum", 1) => Some(Quick::Sum),
            ("round", 1..=3) => {
                let places = if given(1).is_none() { Some(0) } else { whole(1) };
                let how = match words(2) {
                    None | Some(Some("half up")) => Some(RoundingStrategy::MidpointAwayFromZero),
                    Some(Some("half even")) => Some(RoundingStrategy::MidpointNearestEven),
                    _ => None,
                };
                places.zip(how).map(|(places, how)| Quick::Round(places.min(28) as u32, how))
            }
            _ => None,
        };
        if let (Some(Quick::Sum), Some(Expr::Each { generators, condition, body })) = (quick, arguments.first())
            && let ([_], Some(money), false) = (generators.as_slice(), numeric(body), self.currencies)
        {
            let dst = self.room(1);
            self.push(Op::Load { value: RegValue::Missing(Missing::Null), dst });
            self.looped(generators, condition.as_deref(), |compiler| {
                let of = compiler.number(body)?;
                compiler.push(Op::Add { of, dst });
                Ok(())
            })?;
            self.push(Op::Sum { money: money && taken == As::Itself, dst });
            return Ok(Held::In(Reg::computed(dst)));
        }
        if let ("street_line", [street, ..], None, Some(line @ 1..)) = (function.0.name, arguments, given(2), whole(1)) {
            let street = self.value(street)?;
            let (dst, end) = (self.room(1), self.label());
            self.push(Op::StreetLine { street, first: line == 1, dst, to: end.to() });
            self.scoped(|compiler| {
                let line = compiler.called(function, arguments)?;
                compiler.push(Op::Copy { of: line, dst });
                Ok(())
            })?;
            self.place(end);
            return Ok(Held::In(Reg::computed(dst)));
        }
        if let (Some(quick), Some(first)) = (quick, arguments.first()) {
            let taken = if matches!(quick, Quick::Round(..)) { taken } else { As::Itself };
            let of = self.reg(first, taken)?;
            return Ok(Held::In(self.compute(Op::Quick { quick, of, dst: 0 })));
        }
        Ok(Held::In(self.called(function, arguments)?))
    }

    fn called(&mut self, function: BuiltinRef, arguments: &'p [Expr]) -> Found<Reg> {
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(match argument {
                Expr::Literal(literal) => Argument::Constant(constant(literal)?),
                argument => Argument::Value(self.value(argument)?),
            });
        }
        Ok(self.compute(Op::Call { call: Box::new(Call::new(function, given)), memo: 0, dst: 0 }))
    }

    pub(super) fn columns(&self, table: usize) -> u16 {
        self.out.tables.get(table).map_or(0, |table| table.columns)
    }

    fn table(&mut self, table: usize, keys: &'p [Expr]) -> Found<Held> {
        let keys: Vec<Reg> = keys.iter().map(|key| self.value(key)).collect::<Found<_>>()?;
        let found = self.out.tables.get(table).ok_or(Unsupported("a table that is not there"))?;
        let (many, columns) = (found.many, found.columns);
        let place = u32::try_from(table).unwrap_or(u32::MAX);
        match keys.as_slice() {
            [key] if !many => {
                let op = Op::Look { table: place, key: *key, to: Columns::new(0, columns) };
                Ok(Held::Row { first: self.compute_some(op, 1 + u32::from(columns)), table })
            }
            keys => {
                let op = Op::Rows { table: place, keys: keys.into(), to: Columns::new(0, columns) };
                if many {
                    return Ok(Held::TableRows(self.compute(op), table));
                }
                Ok(Held::Row { first: self.compute_some(op, 1 + u32::from(columns)), table })
            }
        }
    }

    /// What is inside of a loop.
    pub(super) fn looped<T>(
        &mut self,
        generators: &'p [ir::Generator],
        condition: Option<&'p Expr>,
        inside: impl FnOnce(&mut Self) -> Found<T>,
    ) -> Found<T> {
        self.scoped(|compiler| {
            let (mut nests, next) = (Vec::with_capacity(generators.len()), compiler.label());
            for generator in generators {
                let list = compiler.held(&generator.list, As::Itself)?;
                let reg = compiler.reg_of(&list);
                let (element, held) = match list {
                    Held::Rows(_, nodes) => match nodes.as_slice() {
                        [node] => {
                            let base = compiler.base()?;
                            (Element::Row { base, node: *node }, Held::Object { node: *node, base })
                        }
                        _ => {
                            let dst = compiler.room(1);
                            (Element::Value(dst), Held::Either(Reg::computed(dst), nodes))
                        }
                    },
                    Held::TableRows(_, table) => {
                        let count = compiler.columns(table);
                        let first = compiler.room(1 + u32::from(count));
                        (Element::Columns(Columns::new(first, count)), Held::Row { first, table })
                    }
                    _ => {
                        let dst = compiler.room(1);
                        (Element::Value(dst), Held::In(Reg::computed(dst)))
                    }
                };
                let index = generator.index.filter(|slot| compiler.reads.contains(slot)).map(|slot| {
                    let dst = compiler.room(1);
                    compiler.bind(slot, Held::In(Reg::computed(dst)));
                    dst
                });
                compiler.bind(generator.slot, held);
                let (nest, begin, end) = (compiler.nest()?, compiler.label(), compiler.label());
                compiler.push(Op::Each { list: reg, nest, element, optional: generator.optional, index, end: end.to() });
                compiler.place(begin);
                nests.push((Op::Next { nest, element, index, begin: begin.to() }, end));
            }
            if let Some(condition) = condition {
                compiler.branch(condition, false, next)?;
            }
            let made = inside(compiler)?;
            compiler.place(next);
            for (op, end) in nests.into_iter().rev() {
                compiler.push(op);
                compiler.place(end);
            }
            Ok(made)
        })
    }
}

/// What one of two values is.
fn either(one: Held, other: Held, dst: u32) -> Found<Held> {
    let nodes = |held: &Held| match held {
        Held::Object { node, .. } => Some(vec![*node]),
        Held::Either(_, nodes) => Some(nodes.clone()),
        _ => None,
    };
    let union = |mut one: Vec<NodeId>, other: Vec<NodeId>| {
        let more: Vec<NodeId> = other.into_iter().filter(|node| !one.contains(node)).collect();
        one.extend(more);
        one
    };
    if let (Some(one), Some(other)) = (nodes(&one), nodes(&other)) {
        return Ok(Held::Either(Reg::computed(dst), union(one, other)));
    }
    Ok(match (one, other) {
        (Held::Rows(_, one), Held::Rows(_, other)) => Held::Rows(Reg::computed(dst), union(one, other)),
        (Held::Row { table, .. }, Held::Row { table: same, .. }) if table == same => Held::Row { first: dst, table },
        (Held::TableRows(_, table), Held::TableRows(_, same)) if table == same => Held::TableRows(Reg::computed(dst), table),
        (Held::Row { .. }, _) | (_, Held::Row { .. }) => return Err(Unsupported("a row of a table, or something else")),
        _ => Held::In(Reg::computed(dst)),
    })
}

/// What the record holds in a field; none for forms that only the reference reads.
pub(super) fn holds(kind: &Kind, wire: &WireEncoding) -> Option<Holds> {
    if matches!(wire, WireEncoding::MoneyObject { .. } | WireEncoding::UnixSeconds | WireEncoding::Connection) {
        return None;
    }
    match kind {
        Kind::Text | Kind::Enumeration(_) | Kind::Date | Kind::Datetime => Some(Holds::Text),
        Kind::Integer | Kind::Decimal | Kind::Money if *wire == WireEncoding::NumberText => Some(Holds::Scalar),
        Kind::Integer | Kind::Decimal | Kind::Money => Some(Holds::Number),
        Kind::Boolean => Some(Holds::Scalar),
        Kind::Weight if matches!(wire, WireEncoding::WeightNumber { .. }) => Some(Holds::Number),
        Kind::Length if matches!(wire, WireEncoding::LengthNumber { .. }) => Some(Holds::Number),
        Kind::Object(_) => Some(Holds::Object),
        Kind::List(of) if matches!(of.kind, Kind::Object(_)) => Some(Holds::Rows { width: 0, envelope: *wire == WireEncoding::Records }),
        _ => None,
    }
}

/// How a field is read that does not stand in its register as it is.
fn decode<'p>(kind: &'p Kind, wire: &'p WireEncoding, currency: Option<Reg>, taken: As) -> Found<Option<Decode<'p>>> {
    let text = *wire == WireEncoding::NumberText;
    Ok(Some(match kind {
        Kind::Text => return Ok(None),
        Kind::Enumeration(of) if of.open => return Ok(None),
        Kind::Enumeration(of) => Decode::Enumeration(StringSet::of(of.names())),
        Kind::Integer => Decode::Integer { text },
        Kind::Decimal if !text => return Ok(None),
        Kind::Decimal => Decode::Decimal,
        Kind::Money if !text && currency.is_none() && taken == As::Number => return Ok(None),
        Kind::Money => Decode::Money { text, currency },
        Kind::Boolean => Decode::Boolean,
        Kind::Date => Decode::Date,
        Kind::Datetime => Decode::Instant(match wire {
            WireEncoding::Zoned { zone, .. } => Some(TimeZone::get(zone).map_err(|_| Unsupported("a zone that is unknown"))?),
            _ => None,
        }),
        Kind::Weight => match wire {
            WireEncoding::WeightNumber { unit } => Decode::Weight(*unit),
            _ => return Err(Unsupported("a weight in an object")),
        },
        Kind::Length => match wire {
            WireEncoding::LengthNumber { unit } => Decode::Length(*unit),
            _ => return Err(Unsupported("a length without a unit")),
        },
        _ => return Err(Unsupported("a field of a form that is not read here")),
    }))
}

pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// Whether an expression gives a number (false), or an amount (true); none where it may be something else.
fn numeric(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(Literal::Number(_)) => Some(false),
        Expr::Literal(Literal::Money(_)) => Some(true),
        Expr::Field { kind: Kind::Integer | Kind::Decimal, .. } | Expr::Coerce { kind: Kind::Integer | Kind::Decimal, .. } => Some(false),
        Expr::Field { kind: Kind::Money, .. } | Expr::Coerce { kind: Kind::Money, .. } => Some(true),
        Expr::Arithmetic { op: ir::Arithmetic::Divide, left, right } => numeric(left).filter(|_| numeric(right) == Some(false)),
        Expr::Arithmetic { left, right, .. } => Some(numeric(left)? | numeric(right)?),
        Expr::Fallback { value, fallback } => numeric(value).filter(|kind| numeric(fallback) == Some(*kind)),
        _ => None,
    }
}

pub(super) fn number(decimal: Decimal) -> Found<Number> {
    Number::of(decimal).ok_or(Unsupported("a constant of more than 18 digits"))
}

pub(super) fn constant(literal: &Literal) -> Found<RegValue<'_>> {
    Ok(match literal {
        Literal::Missing => RegValue::ABSENT,
        Literal::Boolean(truth) => RegValue::Boolean(*truth),
        Literal::Number(decimal) => RegValue::Number(number(*decimal)?),
        Literal::Money(amount) => RegValue::Money(number(*amount)?, Currency::default()),
        Literal::Text(text) => RegValue::Text(text.as_bytes()),
        Literal::Date(date) => RegValue::Date(*date),
        Literal::Datetime(instant) => RegValue::Instant(*instant),
        Literal::Weight(amount, unit) => RegValue::Weight(number(*amount)?, *unit),
        Literal::Length(amount, unit) => RegValue::Length(number(*amount)?, *unit),
        Literal::Amount(..) | Literal::Time(_) | Literal::Duration(_) | Literal::List(_) => {
            return Err(Unsupported("a constant of a form that is not held here"));
        }
    })
}
