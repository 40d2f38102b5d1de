//! The source of a flow: its object, its stamp, its schedules, and how its records are grouped.

use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::duration;
use crate::check::flow::Building;
use crate::check::key::Key;
use crate::ir::{self, Expr, Schedule};
use crate::syntax::tree::{self, ExprKind, FromClauseKind};
use crate::value::Kind;

impl Checker<'_> {
    pub(super) fn from(&mut self, from: &tree::From, building: &mut Building<'_>) {
        let of = self.object_path(&from.object);
        let default = from.object.object.node.to_lowercase();
        let (name, span) = from.name.as_ref().map_or((default.as_str(), from.object.span), |name| (name.node.as_str(), name.span));
        if let Some(of) = &of {
            if self.object(of).is_some_and(|object| !object.access.read) {
                self.report(Diagnostic::new(
                    Code::ObjectNotWritable,
                    from.object.span,
                    format!("`{of}` is a part of other records and cannot be read by itself"),
                ));
            }
            building.flow.source = of.clone();
        }
        building.flow.source_name = name.to_owned();
        let kind = of.clone().map_or(Kind::Any, Kind::Object);
        let record = TypedExpr::new(Expr::Slot { slot: ir::Flow::RECORD, name: name.into() }, kind, vec![Key::slot(ir::Flow::RECORD)], span);
        self.bind(name, span, ir::Flow::RECORD, record);
        for clause in &from.clauses {
            match &clause.kind {
                FromClauseKind::Where(condition) => {
                    let typed = self.condition(condition);
                    self.facts.extend(&typed.refinement.if_true);
                    match typed.expr {
                        _ if typed.kind == Kind::Any => {}
                        Expr::And(parts) => building.flow.filter.extend(parts),
                        one => building.flow.filter.push(one),
                    }
                }
                FromClauseKind::Changed { stamps, overlap } => {
                    for stamp in stamps {
                        let Some(path) = self.stamp(stamp, name) else {
                            building.bad_stamp = true;
                            continue;
                        };
                        // The stamps of children are no value of the record.
                        if path.len() == 1 && building.stamp.is_none() {
                            building.stamp = Some(self.expr(stamp, None).expr);
                        }
                        building.flow.changed.push(path);
                    }
                    if let Some(overlap) = overlap {
                        building.flow.overlap = self.milliseconds(overlap, "an overlap");
                    }
                }
                FromClauseKind::FirstWhen(condition) => {
                    let typed = self.condition(condition);
                    building.flow.first_when = Some(typed.expr);
                }
                FromClauseKind::EveryDuration(_) | FromClauseKind::EveryDay { .. } | FromClauseKind::EveryCron { .. } => {
                    if let Some(schedule) = self.schedule(clause) {
                        building.flow.schedules.push(schedule);
                    }
                }
                FromClauseKind::Webhook(event) => {
                    let known = of.as_ref().and_then(|of| self.object(of));
                    if let Some(object) = known
                        && !object.events.contains(&event.node)
                    {
                        self.report(error::sections::unknown_event(event, &object));
                    }
                    building.flow.webhooks.push(event.node.clone());
                }
                FromClauseKind::KeepBlank => building.flow.keep_blank = true,
                FromClauseKind::IncludingHistory => building.flow.including_history = true,
            }
        }
    }

    fn schedule(&mut self, clause: &tree::FromClause) -> Option<Schedule> {
        let zone = self.context.environment.time_zone();
        super::schedule::check(clause, &zone, &mut self.out)
    }

    /// `order.OrderItems.SystemModstamp`, through a list of children: a path of an instant.
    fn stamp(&mut self, written: &tree::Expr, record: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut at = written;
        loop {
            match at.kind.as_ref() {
                ExprKind::Field { base, field } => {
                    names.push(field.clone());
                    at = base;
                }
                ExprKind::Name(name) if name == record => break,
                ExprKind::Broken => return None,
                _ => {
                    let text = self.text(written.span);
                    // What is unknown in it was told.
                    if !self.silently(|checker| checker.expr(written, None)).is_erroneous() {
                        self.report(error::sections::not_a_stamp(written.span, &text, "it is no path of the record"));
                    }
                    return None;
                }
            }
        }
        names.reverse();
        let mut kind = self.find(record).map(|binding| binding.value.kind.clone())?;
        for name in &names {
            let of = match &kind {
                Kind::Object(of) => of.clone(),
                Kind::List(element) => match &element.kind {
                    Kind::Object(of) => of.clone(),
                    _ => return None,
                },
                Kind::Any => return None,
                other => {
                    self.report(error::names::no_fields(name, written.span, other));
                    return None;
                }
            };
            let object = self.object(&of)?;
            let Some(field) = object.fields.get(&name.node) else {
                self.report(error::names::unknown_source_field(&of, &object, name, false));
                return None;
            };
            kind = field.kind.clone();
        }
        if kind != Kind::Datetime {
            let text = self.text(written.span);
            self.report(error::sections::not_a_stamp(written.span, &text, &format!("it is {}", error::types::a(&kind))));
            return None;
        }
        self.moves_with_changes(record, &names, written.span);
        Some(names.into_iter().map(|name| name.node).collect())
    }

    /// A literal span of time.
    pub(super) fn milliseconds(&mut self, expr: &tree::Expr, what: &str) -> Option<i64> {
        match expr.kind.as_ref() {
            ExprKind::Paren(inner) => self.milliseconds(inner, what),
            ExprKind::Quantity { number, unit } => match duration(*number, &unit.node) {
                Some(duration) => {
                    let found = i64::try_from(duration.as_millis()).ok().filter(|found| *found <= super::schedule::LONGEST);
                    if found.is_none() {
                        self.report(error::schedules::too_long(what, expr.span));
                    }
                    found
                }
                // The unit is known, and the number too large.
                None if duration(rust_decimal::Decimal::ONE, &unit.node).is_some() => {
                    self.report(error::schedules::too_long(what, expr.span));
                    None
                }
                None => {
                    self.report(error::names::unknown_unit(unit));
                    None
                }
            },
            ExprKind::Broken => None,
            _ => {
                self.report(
                    Diagnostic::new(Code::BadSchedule, expr.span, format!("{what} is a span of time")).help("write it as `10 minutes` or `2 days`"),
                );
                None
            }
        }
    }

    pub(super) fn group_by(&mut self, group: &tree::Group, building: &mut Building<'_>) {
        let by = self.expr(&group.by, None);
        if matches!(by.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) {
            self.report(
                Diagnostic::new(Code::BadGroup, by.span, format!("a group cannot be made by {}", error::types::a(&by.kind)))
                    .help("group by one value, such as an id or an e-mail address"),
            );
        }
        let slot = self.slot();
        let (name, span) = match &group.name {
            Some(name) => (name.node.clone(), name.span),
            None => ("key".to_owned(), group.by.span),
        };
        let window = group.window.as_ref().and_then(|window| self.milliseconds(window, "a window"));
        // A record without the value is not eligible.
        let known = by.known_if_present();
        self.facts.extend(&known);
        let value = TypedExpr::new(by.expr.clone(), by.kind.clone(), vec![Key::slot(slot)], span);
        self.bind(&name, span, slot, value);
        let stamp = building.stamp.clone().filter(|_| window.is_some());
        if let (Some(written), None, false) = (&group.window, &stamp, building.bad_stamp) {
            self.report(
                Diagnostic::new(Code::BadGroup, written.span, "a window needs to know when a record is from".to_owned())
                    .help("say it in the flow's `from`: `changed s.createDate`"),
            );
        }
        building.flow.group = Some(ir::Group { by: by.expr, slot, name, window, stamp });
        if let Some(record) = self.names.first_mut() {
            record.grouped = true;
        }
        self.grouped = true;
    }
}
