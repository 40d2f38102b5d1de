//! From a flow of a plan to operations. What has no operation is no fault: the flow then goes by the reference
//! evaluator alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::bytes::Regex;
use rust_decimal::{Decimal, RoundingStrategy};
use rustc_hash::FxHashMap;

use super::number::Number;
use super::op::{
    At, Currency, Decode, Generator, Loop, Lowered, Op, Piece, Place, Quick, Route, RowOutcome, Rule, Table, Told, Treat, V, ValueMap, Words,
};
use super::shape::{Holds, NodeId, ROOT, Shape};
use crate::builtin::BuiltinRef;
use crate::check::typed::{self, Expr, Flow, Otherwise, Part, Pattern, RouteOutcome, RuleKind, Slot, Word};
use crate::plan::Plan;
use crate::schema::{Names, Object};
use crate::value::{Kind, Literal, ObjectRef, Reference, Wire, compare};

/// Expressions inside each other, with those of the names that they read: fewer than the reference goes into.
const DEEPEST: u32 = 200;

/// What a flow has that has no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoWay(pub(crate) &'static str);

pub(crate) type Found<T> = Result<T, NoWay>;

/// What an expression's value is, as far as it has to be known before there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// An object of the record: one of these.
    Record(Vec<NodeId>),
    /// A list of such.
    Rows(Vec<NodeId>),
    /// A row of a table.
    Row(usize),
    TableRows(usize),
    Other,
}

pub(super) struct Lowerer<'p> {
    pub(super) plan: &'p Plan,
    pub(super) flow: &'p Flow,
    names: &'p BTreeMap<ObjectRef, Arc<Names>>,
    zone: TimeZone,
    now: Timestamp,
    seen: HashMap<Slot, Seen>,
    /// How deep the expression at hand is nested, and the deepest of those since it was set to 0.
    pub(super) depth: u32,
    deepest: u32,
    /// What a rejection causes is being lowered: it may read the reasons.
    pub(super) rejected: bool,
    /// By name: how deep its value is nested, with those of the names that it reads.
    lets: HashMap<Slot, u32>,
    pub(super) out: Lowered<'p>,
}

/// Lowers a flow, for records that stand alone: nothing is matched, and nothing read of the target.
pub(super) fn lower<'p>(plan: &'p Plan, flow: &'p Flow, names: &'p BTreeMap<ObjectRef, Arc<Names>>, now: Timestamp) -> Found<Lowered<'p>> {
    if flow.group.is_some() || !flow.matches.is_empty() || flow.keep_blank {
        return Err(NoWay("it looks at more than one record"));
    }
    let zone = TimeZone::get(&plan.time_zone).map_err(|_| NoWay("its zone is unknown"))?;
    let mut lowerer = Lowerer {
        plan,
        flow,
        names,
        zone,
        now,
        seen: HashMap::from([(Flow::RECORD, Seen::Record(vec![ROOT]))]),
        depth: 0,
        deepest: 0,
        rejected: false,
        lets: HashMap::new(),
        out: Lowered {
            shape: Shape::new(),
            ops: Vec::new(),
            emits: Vec::new(),
            lets: vec![None; flow.slots as usize],
            filter: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
            writes: Vec::new(),
            follow_ups: None,
            ids: None,
            objects: Vec::new(),
            maps: Vec::new(),
            tables: Vec::new(),
            references: Vec::new(),
            memos: 0,
            currencies: false,
        },
    };
    lowerer.all()?;
    let mut out = lowerer.out;
    out.shape.seal();
    Ok(out)
}

impl<'p> Lowerer<'p> {
    fn all(&mut self) -> Found<()> {
        let (plan, flow) = (self.plan, self.flow);
        for map in &plan.mapping.values {
            let map = value_map(map);
            self.out.maps.push(map);
        }
        for of in &plan.mapping.tables {
            let table = table(of)?;
            self.out.tables.push(table);
        }
        for found in &flow.lets {
            self.deepest = 0;
            let value = self.expr(&found.value)?;
            self.lets.insert(found.slot, self.deepest);
            if let Some(place) = self.out.lets.get_mut(found.slot.0 as usize) {
                *place = Some(value);
            }
        }
        for condition in &flow.filter {
            let condition = self.expr(condition)?;
            self.out.filter.push(condition);
        }
        self.out.rules = self.rules(&flow.rules)?;
        for route in &flow.routes {
            let route = self.route(route)?;
            self.out.routes.push(route);
        }
        self.writes()?;
        let place = |shape: &mut Shape, name: &str| {
            let id = shape.child(ROOT, name, &Holds::Scalar).ok()?;
            Some(shape.node(id)?.slot)
        };
        let shape = &mut self.out.shape;
        self.out.ids = place(shape, "Id").zip(place(shape, "id")).map(<[u32; 2]>::from);
        self.rejected = true;
        self.out.follow_ups = self.follow_ups().ok();
        Ok(())
    }

    pub(super) fn op(&mut self, op: Op<'p>) -> At {
        self.out.ops.push(op);
        self.out.ops.len() as At - 1
    }

    pub(super) fn memo(&mut self) -> u32 {
        self.out.memos += 1;
        self.out.memos - 1
    }

    fn list(&mut self, exprs: &'p [Expr]) -> Found<Box<[At]>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn object(&self, of: &ObjectRef) -> Option<&'p Object> {
        self.plan.objects.get(&of.to_string())
    }

    // ---- rules and routes ----

    fn rules(&mut self, rules: &'p [typed::Rule]) -> Found<Vec<Rule<'p>>> {
        rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &'p typed::Rule) -> Found<Rule<'p>> {
        use super::op::RuleKind as Made;
        let kind = match &rule.kind {
            RuleKind::Require { condition, message, owner } => {
                let condition = self.expr(condition)?;
                Made::Require(condition, self.told("rule", false, message, owner.as_deref(), None, &rule.place))
            }
            RuleKind::Review { condition, message, owner, before } => {
                let condition = self.expr(condition)?;
                Made::Review(condition, self.told("rule", true, message, owner.as_deref(), before.as_ref(), &rule.place))
            }
            RuleKind::Warn { condition, .. } => Made::Warn(self.expr(condition)?),
            RuleKind::Reconcile { .. } => return Err(NoWay("a rule that reconciles")),
            RuleKind::Each { generators, condition, index, rules } => {
                let of = self.looped(generators, condition.as_ref())?;
                Made::Each { of, index: index.0, rules: self.rules(rules)?.into() }
            }
            RuleKind::When { condition, rules } => Made::When(self.expr(condition)?, self.rules(rules)?.into()),
        };
        Ok(Rule { id: rule.id, rests_on: &rule.silent_after, kind })
    }

    fn told(
        &mut self,
        kind: &'static str,
        review: bool,
        message: &'p Expr,
        owner: Option<&'p str>,
        before: Option<&'p Expr>,
        at: &'p typed::Place,
    ) -> Option<Told<'p>> {
        let message = self.expr(message).ok()?;
        let before = before.map(|before| self.expr(before)).transpose().ok()?;
        Some(Told { message, kind, review, owner, before, at })
    }

    fn route(&mut self, route: &'p typed::Route) -> Found<Route<'p>> {
        let mut rows = Vec::with_capacity(route.rows.len());
        for row in &route.rows {
            let condition = row.condition.as_ref().map(|condition| self.expr(condition)).transpose()?;
            let outcome = match &row.outcome {
                RouteOutcome::Results(results) => RowOutcome::Results(self.list(results)?),
                RouteOutcome::Stop(stop) => {
                    RowOutcome::Stop(self.told("route", stop.review, &stop.message, stop.owner.as_deref(), stop.before.as_ref(), &stop.place))
                }
            };
            rows.push((condition, outcome));
        }
        Ok(Route { slots: route.results.iter().map(|result| result.slot.0).collect(), rows: rows.into() })
    }

    pub(super) fn looped(&mut self, generators: &'p [typed::Generator], condition: Option<&'p Expr>) -> Found<Loop> {
        let mut found = Vec::with_capacity(generators.len());
        for generator in generators {
            self.generates(generator);
            let list = self.expr(&generator.list)?;
            found.push(Generator { slot: generator.slot.0, list, optional: generator.optional, index: generator.index.map(|slot| slot.0) });
        }
        let condition = condition.map(|condition| self.expr(condition)).transpose()?;
        Ok(Loop { generators: found.into(), condition })
    }

    /// Notes what the elements of a generator are.
    fn generates(&mut self, generator: &'p typed::Generator) {
        let element = match self.seen(&generator.list) {
            Seen::Rows(nodes) => Seen::Record(nodes),
            Seen::TableRows(table) => Seen::Row(table),
            _ => Seen::Other,
        };
        self.seen.insert(generator.slot, element);
    }

    // ---- what is known of values ----

    fn seen(&mut self, expr: &'p Expr) -> Seen {
        match expr {
            Expr::Slot { slot, .. } => {
                if let Some(known) = self.seen.get(slot) {
                    return known.clone();
                }
                let Some(found) = self.flow.lets.iter().find(|found| found.slot == *slot) else { return Seen::Other };
                let seen = self.seen(&found.value);
                self.seen.insert(*slot, seen.clone());
                seen
            }
            Expr::Field { base, name, kind, wire } => match (self.seen(base), holds(kind, wire)) {
                (Seen::Record(nodes), Some(holds)) if holds != Holds::Scalar => {
                    let children: Option<Vec<NodeId>> = nodes.iter().map(|node| self.out.shape.child(*node, name, &holds).ok()).collect();
                    match (children, holds) {
                        (Some(children), Holds::Object) => Seen::Record(children),
                        (Some(children), _) => Seen::Rows(children),
                        (None, _) => Seen::Other,
                    }
                }
                _ => Seen::Other,
            },
            Expr::Bind { slot, value, body, .. } => {
                let seen = self.seen(value);
                self.seen.insert(*slot, seen);
                self.seen(body)
            }
            Expr::Fallback { value: one, fallback: other } | Expr::If { then: one, otherwise: other, .. } => {
                match (self.seen(one), self.seen(other)) {
                    (Seen::Record(mut one), Seen::Record(other)) => {
                        one.extend(other.into_iter().filter(|node| !one.contains(node)).collect::<Vec<_>>());
                        Seen::Record(one)
                    }
                    (Seen::Rows(mut one), Seen::Rows(other)) => {
                        one.extend(other.into_iter().filter(|node| !one.contains(node)).collect::<Vec<_>>());
                        Seen::Rows(one)
                    }
                    (one, other) if one == other => one,
                    _ => Seen::Other,
                }
            }
            Expr::Each { generators, body, .. } => {
                generators.iter().for_each(|generator| self.generates(generator));
                match self.seen(body) {
                    Seen::Record(nodes) => Seen::Rows(nodes),
                    Seen::Row(table) => Seen::TableRows(table),
                    _ => Seen::Other,
                }
            }
            Expr::Table { table, .. } => match self.plan.mapping.tables.get(*table) {
                Some(found) if found.many => Seen::TableRows(*table),
                Some(_) => Seen::Row(*table),
                None => Seen::Other,
            },
            Expr::Treat { value, .. } => self.seen(value),
            _ => Seen::Other,
        }
    }

    /// A value that is bound to a name.
    pub(super) fn bound(&mut self, slot: Slot, value: &'p Expr) -> Found<At> {
        let seen = self.seen(value);
        self.seen.insert(slot, seen);
        self.expr(value)
    }

    // ---- expressions ----

    pub(super) fn expr(&mut self, expr: &'p Expr) -> Found<At> {
        let within = match expr {
            Expr::Slot { slot, .. } if self.flow.lets.iter().any(|found| found.slot == *slot) => match self.lets.get(slot) {
                Some(depth) => *depth,
                None => return Err(NoWay("a name that is read before it is given")),
            },
            _ => 0,
        };
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth + within);
        // The reference counts what is nested, and refuses the record.
        let lowered = if self.deepest > DEEPEST { Err(NoWay("an expression that is nested too deeply")) } else { self.operation(expr) };
        self.depth -= 1;
        lowered
    }

    fn operation(&mut self, expr: &'p Expr) -> Found<At> {
        let op = match expr {
            Expr::Literal(literal) => Op::Const(constant(literal)?),
            Expr::Slot { slot, .. } => Op::Slot(slot.0),
            Expr::Word(word) => Op::Const(match word {
                Word::Now => V::Instant(self.now),
                Word::Today => V::Date(self.now.to_zoned(self.zone.clone()).date()),
                // Nothing was read of the target.
                Word::Target => V::ABSENT,
                Word::Reasons if self.rejected => return Ok(self.op(Op::Reasons)),
                _ => return Err(NoWay("a word of a message")),
            }),
            Expr::Parameter(name) => {
                let Some(parameter) = self.plan.mapping.parameters.get(name) else { return Err(NoWay("a parameter that is not there")) };
                match (&parameter.of.kind, &parameter.value) {
                    (Kind::Reference(of), Literal::Text(name)) => self.named(of, name),
                    (_, value) => Op::Const(constant(value)?),
                }
            }
            Expr::Named { of, name } => self.named(of, name),
            Expr::Field { base, name, kind, wire } => self.field(base, name, kind, wire)?,
            Expr::Bind { slot, value, body, .. } => {
                let seen = self.seen(value);
                self.seen.insert(*slot, seen);
                Op::Bind { slot: slot.0, value: self.expr(value)?, body: self.expr(body)? }
            }
            Expr::Call { function, arguments } => self.call(*function, arguments)?,
            Expr::Values { map, back: false, value } => Op::Values { map: u32::try_from(*map).unwrap_or(u32::MAX), value: self.expr(value)? },
            Expr::Table { table, keys } => Op::Table { table: u32::try_from(*table).unwrap_or(u32::MAX), keys: self.list(keys)? },
            Expr::Template { parts, message } => {
                let mut pieces = Vec::with_capacity(parts.len());
                for part in parts {
                    pieces.push(match part {
                        Part::Text(text) => Piece::Text(text.as_bytes()),
                        Part::Expr(inner) => Piece::Value(self.expr(inner)?),
                    });
                }
                Op::Template { pieces: pieces.into(), message: *message }
            }
            Expr::Fallback { value, fallback } => Op::Fallback(self.expr(value)?, self.expr(fallback)?),
            Expr::Arithmetic { op, left, right } => Op::Arithmetic(*op, self.expr(left)?, self.expr(right)?),
            Expr::Compare { op: typed::Compare::Equal, left, right } if literal_text(right).is_some() => {
                Op::IsWord(self.expr(left)?, literal_text(right).unwrap_or_default().as_bytes())
            }
            Expr::Compare { op, left, right } if literal_number(right).is_some() => {
                Op::CompareNumber(*op, self.expr(left)?, number(literal_number(right).unwrap_or_default())?)
            }
            Expr::Compare { op, left, right } => Op::Compare(*op, self.expr(left)?, self.expr(right)?),
            Expr::And(parts) => Op::And(self.list(parts)?),
            Expr::Or(parts) => Op::Or(self.list(parts)?),
            Expr::Not(inner) => Op::Not(self.expr(inner)?),
            Expr::In { value, list } => {
                let words: Option<Vec<&'p str>> = list.iter().map(literal_text).collect();
                match words {
                    Some(words) => Op::InWords(self.expr(value)?, Words::of(words.into_iter())),
                    None => Op::In(self.expr(value)?, self.list(list)?),
                }
            }
            Expr::Matches { value, pattern: Pattern::Regex(pattern) } => {
                let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| NoWay("a pattern that is none"))?;
                Op::Matches(self.expr(value)?, Box::new(regex))
            }
            Expr::Matches { value, pattern: Pattern::Builtin { function, arguments } } => {
                let mut all = vec![self.expr(value)?];
                for argument in arguments {
                    all.push(self.expr(argument)?);
                }
                let call = Op::Call { function: *function, arguments: all.into(), memo: self.memo() };
                // What does not match because it is missing is false, not missing.
                let call = self.op(call);
                Op::And([call].into())
            }
            Expr::IsPresent(inner) => Op::IsPresent(self.expr(inner)?),
            Expr::WasSent(inner) => Op::WasSent(self.expr(inner)?),
            Expr::If { condition, then, otherwise } => Op::If(self.expr(condition)?, self.expr(then)?, self.expr(otherwise)?),
            Expr::Each { generators, condition, body } => {
                let of = self.looped(generators, condition.as_deref())?;
                Op::Each(of, self.expr(body)?)
            }
            Expr::Weigh { value, unit } => Op::Weigh(self.expr(value)?, *unit),
            Expr::Measure { value, unit } => Op::Measure(self.expr(value)?, *unit),
            Expr::Treat { value, kind } => {
                let how = match kind {
                    Kind::Decimal | Kind::Integer => Treat::Number,
                    Kind::Money => Treat::Money,
                    Kind::Text => Treat::Text,
                    _ => Treat::As,
                };
                Op::Treat(self.expr(value)?, how)
            }
            Expr::Negate(_) => return Err(NoWay("a number with its sign turned")),
            Expr::Values { back: true, .. } => return Err(NoWay("a value map read backwards")),
            Expr::Object { .. } => return Err(NoWay("an object that is no row's value")),
            Expr::Group { .. } | Expr::Sort { .. } | Expr::Grouped { .. } => return Err(NoWay("a list that is grouped or sorted")),
            Expr::JsonPath { .. } => return Err(NoWay("a JSONPath")),
            Expr::LookUpName { .. } => return Err(NoWay("a name that stands in the record")),
            Expr::List(_) => return Err(NoWay("a list that is written out")),
        };
        Ok(self.op(op))
    }

    fn named(&mut self, of: &ObjectRef, name: &str) -> Op<'p> {
        let found = self.names.get(of).and_then(|names| names.names.iter().find(|known| known.name == name));
        let Some(found) = found else { return Op::Leave };
        self.out.references.push(Reference { name: Arc::from(name), id: found.id.clone() });
        Op::Const(V::Named(self.out.references.len() as u32 - 1))
    }

    fn field(&mut self, base: &'p Expr, name: &str, kind: &'p Kind, wire: &'p Wire) -> Found<Op<'p>> {
        match self.seen(base) {
            Seen::Record(nodes) => {
                let (places, decode) = self.read(&nodes, name, kind, wire)?;
                let read = Op::Read { base: self.expr(base)?, places, decode };
                // An amount's currency stands beside it, and is looked for there.
                let beside = matches!(&read, Op::Read { decode: Decode::Money { currency, .. }, .. } if !currency.is_empty());
                let Some((slot, steps)) = self.chain(base).filter(|_| !beside) else { return Ok(read) };
                let Some(Seen::Record(starts)) = self.seen.get(&slot).cloned() else { return Ok(read) };
                let whole = self.op(read);
                let mut places = Vec::with_capacity(starts.len());
                for start in starts {
                    let mut node = start;
                    for step in &steps {
                        node = self.out.shape.child(node, step, &Holds::Object).map_err(|_| NoWay("a field that is read in two ways"))?;
                    }
                    let (last, _) = self.read(&[node], name, kind, wire)?;
                    places.extend(last.iter().map(|place| Place { of: start, ..*place }));
                }
                let (_, decode) = self.read(&nodes, name, kind, wire)?;
                let any_text = matches!(decode, Decode::Text | Decode::Enumeration(None));
                match places.as_slice() {
                    [one] if slot == Flow::RECORD && any_text => return Ok(Op::RootText { raw: one.slot, whole }),
                    [one] if slot == Flow::RECORD => return Ok(Op::RootPath { raw: one.slot, node: one.node, decode, whole }),
                    // The element of a list, or a name whose value is not looked up.
                    [one] if any_text && self.out.lets.get(slot.0 as usize).is_some_and(Option::is_none) => {
                        return Ok(Op::RowText { slot: slot.0, place: *one, whole });
                    }
                    [one] if self.out.lets.get(slot.0 as usize).is_some_and(Option::is_none) => {
                        return Ok(Op::RowPath { slot: slot.0, place: *one, decode, whole });
                    }
                    _ if any_text => return Ok(Op::PathText { slot: slot.0, places: places.into(), whole }),
                    _ => {}
                }
                Ok(Op::Path { slot: slot.0, places: places.into(), decode, whole })
            }
            Seen::Row(table) => {
                let columns = self.plan.mapping.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
                let column = columns.iter().position(|column| column.name == name).ok_or(NoWay("a column that is not there"))?;
                match base {
                    // The element of a list: its slot is always set.
                    Expr::Slot { slot, .. } if self.out.lets.get(slot.0 as usize).is_some_and(Option::is_none) => {
                        Ok(Op::ColumnOf { slot: slot.0, column: column as u32 })
                    }
                    _ => Ok(Op::Column { base: self.expr(base)?, column: column as u32 }),
                }
            }
            _ => Err(NoWay("a field of what the mapping built")),
        }
    }

    /// A path through objects, as the name that it begins with and its steps. A name that is given such a path is no more
    /// than that path.
    fn chain(&self, expr: &'p Expr) -> Option<(Slot, Vec<&'p str>)> {
        match expr {
            Expr::Slot { slot, .. } => {
                let given = self.flow.lets.iter().find(|found| found.slot == *slot);
                Some(given.and_then(|found| self.chain(&found.value)).unwrap_or((*slot, Vec::new())))
            }
            Expr::Field { base, name, kind: Kind::Object(_), .. } => {
                let (slot, mut steps) = self.chain(base)?;
                steps.push(name);
                Some((slot, steps))
            }
            _ => None,
        }
    }

    /// Where a field stands in some objects, and how it is read.
    fn read(&mut self, nodes: &[NodeId], name: &str, kind: &'p Kind, wire: &'p Wire) -> Found<(Box<[Place]>, Decode<'p>)> {
        let holds = holds(kind, wire).ok_or(NoWay("a field of a form that is not read here"))?;
        let places = self.places(nodes, name, &holds)?;
        let text = *wire == Wire::NumberText;
        let decode = match kind {
            Kind::Text => Decode::Text,
            Kind::Enumeration(of) => Decode::Enumeration((!of.open).then(|| Words::of(of.names()))),
            Kind::Integer => Decode::Integer { text },
            Kind::Decimal => Decode::Decimal { text },
            Kind::Money => {
                let currency = match wire {
                    Wire::Amount { currency_field: Some(field) } => self.places(nodes, field, &Holds::Scalar)?,
                    _ => Box::default(),
                };
                self.out.currencies |= !currency.is_empty();
                Decode::Money { text, currency }
            }
            Kind::Boolean => Decode::Boolean,
            Kind::Date => Decode::Date,
            Kind::Datetime => Decode::Instant(match wire {
                Wire::Zoned { zone, .. } => Some(TimeZone::get(zone).map_err(|_| NoWay("a zone that is unknown"))?),
                _ => None,
            }),
            Kind::Weight => match wire {
                Wire::WeightNumber { unit } => Decode::Weight(*unit),
                _ => return Err(NoWay("a weight in an object")),
            },
            Kind::Length => match wire {
                Wire::LengthNumber { unit } => Decode::Length(*unit),
                _ => return Err(NoWay("a length without a unit")),
            },
            Kind::Object(_) => Decode::Object,
            Kind::List(_) => Decode::Rows,
            _ => return Err(NoWay("a field of a form that is not read here")),
        };
        Ok((places, decode))
    }

    fn places(&mut self, nodes: &[NodeId], name: &str, holds: &Holds) -> Found<Box<[Place]>> {
        let place = |node: &NodeId| {
            let child = self.out.shape.child(*node, name, holds).map_err(|_| NoWay("a field that is read in two ways"))?;
            let slot = self.out.shape.node(child).map_or(0, |node| node.slot);
            Ok(Place { of: *node, slot, node: child })
        };
        nodes.iter().map(place).collect()
    }

    fn call(&mut self, function: BuiltinRef, arguments: &'p [Expr]) -> Found<Op<'p>> {
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
            ("truncate", 2) => whole(1).map(Quick::Truncate),
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
            && let Some(money) = numeric(body)
        {
            let of = self.looped(generators, condition.as_deref())?;
            return Ok(Op::Sum { of, body: self.expr(body)?, money });
        }
        if let ("street_line", [street, ..], None, Some(line @ 1..)) = (function.0.name, arguments, given(2), whole(1)) {
            let call = Op::Call { function, arguments: self.list(arguments)?, memo: self.memo() };
            let call = self.op(call);
            return Ok(Op::StreetLine { street: self.expr(street)?, first: line == 1, call });
        }
        match (quick, arguments.first()) {
            (Some(quick), Some(first)) => Ok(Op::Quick(quick, self.expr(first)?)),
            _ => Ok(Op::Call { function, arguments: self.list(arguments)?, memo: self.memo() }),
        }
    }
}

/// What the record holds in a field; none for forms that only the reference reads.
fn holds(kind: &Kind, wire: &Wire) -> Option<Holds> {
    match kind {
        Kind::Text | Kind::Enumeration(_) | Kind::Integer | Kind::Decimal | Kind::Money | Kind::Boolean | Kind::Date | Kind::Datetime => {
            Some(Holds::Scalar)
        }
        Kind::Weight if matches!(wire, Wire::WeightNumber { .. }) => Some(Holds::Scalar),
        Kind::Length if matches!(wire, Wire::LengthNumber { .. }) => Some(Holds::Scalar),
        Kind::Object(_) => Some(Holds::Object),
        Kind::List(of) if matches!(of.kind, Kind::Object(_)) => Some(Holds::Rows { width: 0, envelope: *wire == Wire::Records }),
        _ => None,
    }
}

fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

fn literal_number(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::Literal(Literal::Number(number) | Literal::Money(number)) => Some(*number),
        _ => None,
    }
}

/// Whether an expression gives a number (false), or an amount (true); none where it may be something else.
fn numeric(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(Literal::Number(_)) => Some(false),
        Expr::Literal(Literal::Money(_)) => Some(true),
        Expr::Field { kind: Kind::Integer | Kind::Decimal, .. } | Expr::Treat { kind: Kind::Integer | Kind::Decimal, .. } => Some(false),
        Expr::Field { kind: Kind::Money, .. } | Expr::Treat { kind: Kind::Money, .. } => Some(true),
        Expr::Arithmetic { op: typed::Arithmetic::Divide, left, right } => numeric(left).filter(|_| numeric(right) == Some(false)),
        Expr::Arithmetic { left, right, .. } => Some(numeric(left)? | numeric(right)?),
        Expr::Fallback { value, fallback } => numeric(value).filter(|kind| numeric(fallback) == Some(*kind)),
        _ => None,
    }
}

pub(super) fn number(decimal: Decimal) -> Found<Number> {
    Number::of(decimal).ok_or(NoWay("a constant of more than 18 digits"))
}

fn constant(literal: &Literal) -> Found<V<'_>> {
    Ok(match literal {
        Literal::Missing => V::ABSENT,
        Literal::Boolean(truth) => V::Boolean(*truth),
        Literal::Number(decimal) => V::Number(number(*decimal)?),
        Literal::Money(amount) => V::Money(number(*amount)?, Currency::default()),
        Literal::Text(text) => V::Text(text.as_bytes()),
        Literal::Date(date) => V::Date(*date),
        Literal::Datetime(instant) => V::Instant(*instant),
        Literal::Weight(amount, unit) => V::Weight(number(*amount)?, *unit),
        Literal::Length(amount, unit) => V::Length(number(*amount)?, *unit),
        Literal::Time(_) | Literal::Duration(_) | Literal::List(_) => return Err(NoWay("a constant of a form that is not held here")),
    })
}

/// A map whose rows cannot all be held here has none: every value is left to the reference.
fn value_map(map: &typed::ValueMap) -> ValueMap<'_> {
    let rows = map.rows.iter().rev().map(|row| match (&row.from, constant(&row.to)) {
        (Literal::Text(from), Ok(to)) => Some((from.as_bytes(), to)),
        _ => None,
    });
    let texts: Option<_> = rows.collect();
    let otherwise = match (&texts, &map.otherwise) {
        (None, _) | (_, Otherwise::Stop(_)) => None,
        (_, Otherwise::Nothing) => Some(V::ABSENT),
        (_, Otherwise::Value { to, .. }) => constant(to).ok(),
    };
    ValueMap { texts: texts.unwrap_or_default(), otherwise }
}

fn table(of: &typed::Table) -> Found<Table<'_>> {
    let mut rows: FxHashMap<Box<[u8]>, Vec<Vec<V<'_>>>> = FxHashMap::default();
    for row in &of.rows {
        let keys: Vec<String> = row.iter().take(of.keys.len()).map(|cell| compare::key(&cell.to_value())).collect();
        let columns: Found<Vec<V<'_>>> = row.iter().map(constant).collect();
        rows.entry(keys.join("\u{1f}").into_bytes().into()).or_default().push(columns?);
    }
    let mut texts: FxHashMap<&[u8], Vec<Vec<V<'_>>>> = FxHashMap::default();
    for row in of.rows.iter().filter(|_| of.keys.len() == 1) {
        if let Some(Literal::Text(key)) = row.first() {
            texts.entry(key.as_bytes()).or_default().push(row.iter().map(constant).collect::<Found<_>>()?);
        }
    }
    let alone = texts.values().map(Vec::len).sum::<usize>() == of.rows.len() && of.keys.len() == 1;
    Ok(Table { rows, texts: alone.then_some(texts), many: of.many })
}
