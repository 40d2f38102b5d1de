//! From a flow of a plan to operations. An expression without an operation is not an error: the flow then uses the reference evaluator
//! alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::code::{Code, Held};
use super::number::Number;
use super::op::{Compiled, Op, Told, ValueMap};
use super::projection::{Projection, ROOT};
use super::reg::{RECORD, Reg, RegValue};
use super::tables::Table;
use super::values::{As, constant};
use crate::ir::{self, Expr, Flow, Otherwise, RouteOutcome, RuleKind, Slot, walk};
use crate::plan::Plan;
use crate::schema::{Names, Object};
use crate::value::{Kind, Literal, Missing, ObjectRef, WireEncoding};

/// What a flow has that has no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) &'static str);

pub(crate) type Found<T> = Result<T, Unsupported>;

pub(super) struct Compiler<'p> {
    pub(super) plan: &'p Plan,
    pub(super) flow: &'p Flow,
    pub(super) names: &'p BTreeMap<ObjectRef, Arc<Names>>,
    /// The maps that give a thing of a kind by its name.
    pub(super) things: HashMap<ObjectRef, u32>,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
    /// How deep the expression at hand is nested, and the deepest of those since it was set to 0.
    pub(super) depth: u32,
    pub(super) deepest: u32,
    /// By name: how deep its value is nested, with those of the names that it reads.
    pub(super) lets: HashMap<Slot, u32>,
    /// What a rejection causes is being compiled: it may read the reasons.
    pub(super) rejected: bool,
    /// What a value map was given, while its message is compiled.
    pub(super) given: Option<Reg>,
    /// Amounts have currencies, which have to agree.
    pub(super) currencies: bool,
    /// Names that are read anywhere.
    pub(super) reads: HashSet<Slot>,
    pub(super) code: Code<'p>,
    pub(super) out: Compiled<'p>,
}

/// An amount of a record that has a field for its currency.
fn names_currency(expr: &Expr) -> bool {
    matches!(expr, Expr::Field { kind: Kind::Money, wire: WireEncoding::Amount { currency_field: Some(_), .. }, .. })
}

/// Compiles a flow, for records that stand alone: nothing is matched, and nothing read of the target.
pub(super) fn compile<'p>(plan: &'p Plan, flow: &'p Flow, names: &'p BTreeMap<ObjectRef, Arc<Names>>, now: Timestamp) -> Found<Compiled<'p>> {
    if flow.group.is_some() || !flow.matches.is_empty() || flow.keep_blank {
        return Err(Unsupported("it looks at more than one record"));
    }
    let zone = TimeZone::get(&plan.time_zone).map_err(|_| Unsupported("its zone is unknown"))?;
    // Amounts whose currency may go with them: not those of which only the currency is asked.
    let (mut currencies, mut reads) = (0_i64, HashSet::new());
    walk::flow_exprs(flow, &mut |expr| {
        if let Expr::Slot { slot, .. } = expr {
            reads.insert(*slot);
        }
        currencies += match expr {
            expr if names_currency(expr) => 1,
            Expr::Call { function, arguments } if function.0.name == "currency" => -i64::from(arguments.first().is_some_and(names_currency)),
            Expr::Call { function, .. } => i64::from(function.0.name == "money"),
            _ => 0,
        };
    });
    let mut compiler = Compiler {
        plan,
        flow,
        names,
        things: HashMap::new(),
        zone,
        now,
        depth: 0,
        deepest: 0,
        lets: HashMap::new(),
        rejected: false,
        given: None,
        currencies: currencies > 0,
        reads,
        code: Code::default(),
        out: Compiled {
            projection: Projection::new(),
            code: Vec::new(),
            writes: Vec::new(),
            follow_ups: None,
            on_review: flow.follow_ups.iter().any(|after| after.events.contains(&ir::Event::IsInReview)),
            ids: None,
            objects: Vec::new(),
            maps: Vec::new(),
            tables: Vec::new(),
            references: Vec::new(),
            memos: 0,
        },
    };
    compiler.all()?;
    let Compiler { code, mut out, .. } = compiler;
    let (code, computed) = code.complete(out.projection.width, out.writes.iter_mut().chain(out.follow_ups.iter_mut().flatten()));
    out.code = code;
    out.projection.seal(computed);
    Ok(out)
}

impl<'p> Compiler<'p> {
    fn all(&mut self) -> Found<()> {
        let plan = self.plan;
        self.out.maps = plan.mapping.values.iter().map(value_map).collect();
        self.out.tables = plan.mapping.tables.iter().map(table).collect::<Found<_>>()?;
        self.bind(Flow::RECORD, Held::Object { node: ROOT, base: RECORD });
        self.compile_rules()?;
        self.writes()?;
        let projection = &mut self.out.projection;
        self.out.ids = projection.scalar(ROOT, "Id").zip(projection.scalar(ROOT, "id")).map(<[u32; 2]>::from);
        self.rejected = true;
        let point = self.point();
        match self.follow_ups() {
            Ok(writes) => self.out.follow_ups = Some(writes),
            Err(_) => self.take_back(point),
        }
        self.name();
        Ok(())
    }

    pub(super) fn memo(&mut self) -> u32 {
        self.out.memos += 1;
        self.out.memos - 1
    }

    pub(super) fn object(&self, of: &ObjectRef) -> Option<&'p Object> {
        self.plan.objects.get(&of.to_string())
    }

    /// Whether a record is for this flow, and what its rules and routes say of it.
    fn compile_rules(&mut self) -> Found<()> {
        let flow = self.flow;
        let not = self.label();
        for condition in &flow.filter {
            self.branch(condition, false, not)?;
        }
        // What has a name is mostly read more than once: it is computed where everything behind it may read it.
        for found in &flow.lets {
            let point = self.point();
            if self.named(found.slot).is_err() {
                // It reads what is not there yet, or is told where it is read.
                self.take_back(point);
            }
        }
        self.rules(&flow.rules, 0)?;
        for route in &flow.routes {
            self.route(route)?;
        }
        self.push(Op::Done);
        self.place(not);
        self.push(Op::Skip);
        Ok(())
    }

    // ---- rules and routes ----

    /// `inside`: in how many loops.
    fn rules(&mut self, rules: &'p [ir::Rule], inside: u32) -> Found<()> {
        for rule in rules {
            if rule.silent_after.is_empty() {
                self.rule(rule, inside)?;
                continue;
            }
            let behind = self.label();
            self.push(Op::Rests { on: &rule.silent_after, to: behind.to() });
            self.scoped(|compiler| compiler.rule(rule, inside))?;
            self.place(behind);
        }
        Ok(())
    }

    fn rule(&mut self, rule: &'p ir::Rule, inside: u32) -> Found<()> {
        let behind = self.label();
        match &rule.kind {
            RuleKind::Require { condition, message, owner } => {
                self.branch(condition, true, behind)?;
                self.push(Op::Failed { id: rule.id, inside });
                self.tell("rule", false, message, owner.as_deref(), None, &rule.place);
            }
            RuleKind::Review { condition, message, owner, before } => {
                self.branch(condition, false, behind)?;
                self.tell("rule", true, message, owner.as_deref(), before.as_ref(), &rule.place);
            }
            RuleKind::Warn { condition, .. } => {
                self.branch(condition, false, behind)?;
                self.push(Op::Warned);
            }
            RuleKind::Reconcile { .. } => return Err(Unsupported("a rule that reconciles")),
            RuleKind::Each { generators, condition, index, rules } => {
                let counted = self.reads.contains(index).then(|| (self.room(1), self.room(1)));
                if let Some((count, one)) = counted {
                    self.push(Op::Load { value: RegValue::Missing(Missing::Null), dst: count });
                    self.push(Op::Load { value: RegValue::Number(Number::count(1)), dst: one });
                }
                self.looped(generators, condition.as_ref(), |compiler| {
                    if let Some((count, one)) = counted {
                        // Of several lists each combination counts.
                        compiler.push(Op::Add { of: Reg::computed(one), dst: count });
                        compiler.bind(*index, Held::In(Reg::computed(count)));
                    }
                    compiler.rules(rules, inside + 1)
                })?;
            }
            RuleKind::When { condition, rules } => {
                self.branch(condition, false, behind)?;
                self.scoped(|compiler| compiler.rules(rules, inside))?;
            }
        }
        self.place(behind);
        Ok(())
    }

    /// Says why a record is stopped; what there is no operation for, the reference says.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        review: bool,
        message: &'p Expr,
        owner: Option<&'p str>,
        before: Option<&'p Expr>,
        at: &'p ir::Place,
    ) {
        let point = self.point();
        let told = self.scoped(|compiler| {
            let message = compiler.value(message)?;
            let before = before.map(|before| compiler.value(before)).transpose()?;
            compiler.push(Op::Tell(Box::new(Told { message, kind, review, owner, before, at })));
            Ok(())
        });
        if told.is_err() {
            self.take_back(point);
            self.push(Op::Leave);
        }
    }

    fn route(&mut self, route: &'p ir::Route) -> Found<()> {
        let (first, end) = (self.room(route.results.len() as u32), self.label());
        for row in &route.rows {
            let next = self.label();
            self.scoped(|compiler| {
                if let Some(condition) = &row.condition {
                    compiler.branch(condition, false, next)?;
                }
                match &row.outcome {
                    RouteOutcome::Results(results) => {
                        for (dst, result) in (first..).zip(results) {
                            compiler.given(result, As::Itself, Some(dst))?;
                        }
                    }
                    RouteOutcome::Stop(stop) => {
                        compiler.tell("route", stop.review, &stop.message, stop.owner.as_deref(), stop.before.as_ref(), &stop.place);
                    }
                }
                Ok(())
            })?;
            if row.condition.is_some() {
                self.jump(end);
            }
            self.place(next);
        }
        self.place(end);
        for (dst, result) in (first..).zip(&route.results) {
            self.bind(result.slot, Held::In(Reg::computed(dst)));
        }
        Ok(())
    }
}

/// A map whose rows cannot all be held here has none: every value is left to the reference.
fn value_map(map: &ir::ValueMap) -> ValueMap<'_> {
    let rows = map.rows.iter().rev().map(|row| match (&row.from, constant(&row.to)) {
        (Literal::Text(from), Ok(to)) => Some((from.as_bytes(), to)),
        _ => None,
    });
    let texts: Option<_> = rows.collect();
    let otherwise = match (&texts, &map.otherwise) {
        (None, _) | (_, Otherwise::Stop(_)) => None,
        (_, Otherwise::Nothing) => Some(RegValue::ABSENT),
        (_, Otherwise::Value { to, .. }) => constant(to).ok(),
    };
    ValueMap { is_whole: texts.is_some(), texts: texts.unwrap_or_default(), otherwise, keeps_missing: false }
}

fn table(of: &ir::Table) -> Found<Table<'_>> {
    let rows: Vec<Vec<RegValue<'_>>> = of.rows.iter().map(|row| row.iter().map(constant).collect()).collect::<Found<_>>()?;
    Table::new(&rows, of.columns.len(), of.keys.len(), of.many).ok_or(Unsupported("a table that is too large"))
}
