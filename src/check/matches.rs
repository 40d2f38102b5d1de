//! Records that a flow looks up: by which field, what happens if none or several are found, and who is asked.

use std::sync::Arc;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::facts::{Presence, Why, present};
use crate::check::flow::Building;
use crate::check::key::Key;
use crate::ir::{self, ContextVar, Expr, MatchOutcome, Stop};
use crate::syntax::tree::{self, ExprKind, MatchClauseKind, SectionKind, StopKind};
use crate::value::{Column, Kind, Type};

impl Checker<'_> {
    pub(super) fn match_section(&mut self, written: &tree::Match, building: &mut Building<'_>) {
        let Some(each) = &written.each else { return self.match_one(written, None, building) };
        if let Some(group) = &building.flow.group {
            let told = format!("`{}` groups records, and looks up for a whole group", building.flow.name);
            self.report(
                Diagnostic::new(Code::SectionOrder, each.generator.span, told)
                    .why(format!("the elements of single records are not at hand where records are grouped by `{}`", group.name))
                    .help("look up once for the group: leave `for each …` away"),
            );
            return;
        }
        let Some(rows) = &each.rows else {
            let name = &written.name.node;
            self.report(
                Diagnostic::new(Code::FlowIncomplete, each.generator.span, "a match for each element gives rows, and they have no name")
                    .why(format!("each row holds the element as `{}` and what was found for it as `{name}`", each.generator.name.node))
                    .help(format!("name them: `for {} as found`, and read `each one in found {{ … one.{name}.… }}`", self.text(each.generator.span))),
            );
            return;
        };
        // The element and the record are known by these names only here; the rows are from here on.
        let (mark, names) = (building.flow.matches.len(), self.names.len());
        let facts = self.facts.mark();
        let index = self.index;
        let generator = self.generators(std::slice::from_ref(&each.generator)).pop();
        let element = self.find(&each.generator.name.node).map(|binding| binding.value.kind.clone());
        self.match_one(written, generator.as_ref(), building);
        let found = self.find(&written.name.node).map(|binding| (binding.value.kind.clone(), binding.value.presence.open(&self.facts).is_some()));
        self.names.truncate(names);
        self.facts.reset(facts);
        self.index = index;
        let (Some(generator), Some(element), Some((kind, nullable))) = (generator, element, found) else { return };
        let slot = self.slot();
        let columns = vec![
            Column { name: generator.name.clone(), of: Type::some(element) },
            Column { name: written.name.node.clone(), of: Type { kind, nullable } },
        ];
        let key = Key::slot(slot);
        let kind = Kind::List(Box::new(Type::some(Kind::Row(Arc::new(columns)))));
        let value = TypedExpr::new(Expr::Slot { slot, name: rows.node.as_str().into() }, kind, vec![key.clone()], rows.span).with_elements(
            vec![key.elements()],
            Vec::new(),
            Presence::Always,
        );
        self.bind(&rows.node, rows.span, slot, value);
        if let Some(found) = building.flow.matches.get_mut(mark) {
            found.each = Some(ir::MatchEach { generator, rows: slot, rows_name: rows.node.clone() });
        }
    }

    /// One look-up: for the record, or for an element that stands in a name.
    fn match_one(&mut self, written: &tree::Match, each: Option<&ir::Generator>, building: &mut Building<'_>) {
        let of = self.object_path(&written.object);
        if let Some(of) = &of
            && self.object(of).is_some_and(|object| !object.access.read)
        {
            self.report(Diagnostic::new(
                Code::ObjectNotWritable,
                written.object.span,
                format!("`{of}` is a part of other records and cannot be looked up"),
            ));
        }
        let slot = self.slot();
        let name = written.name.node.as_str();
        let kind = of.clone().map_or(Kind::Any, Kind::Object);
        let own = vec![Key::slot(slot)];
        let record = TypedExpr::new(Expr::Slot { slot, name: name.into() }, kind, own.clone(), written.name.span);
        let mut by = Vec::new();
        let (mut none, mut many) = (None, None);
        let names = self.names.len();
        self.bind(name, written.name.span, slot, record.clone());
        for clause in &written.clauses {
            if let MatchClauseKind::By(expr) = &clause.kind {
                by.extend(self.match_key(expr, name));
            }
        }
        self.names.truncate(names);
        for clause in &written.clauses {
            match &clause.kind {
                MatchClauseKind::By(_) => {}
                MatchClauseKind::None(stop) => none = Some((self.match_outcome(stop), stop)),
                MatchClauseKind::Many(stop) if matches!(stop.kind, StopKind::Create | StopKind::Continue) => {
                    let told = error::sections::misplaced(stop.span, "of several records, which one is meant is not known");
                    self.report(told.help("let a person decide:   many -> review \"{count} records match\"").help("or leave it:   many -> skip"));
                }
                MatchClauseKind::Many(stop) => {
                    let words = [(ContextVar::Count, "count", Kind::Integer)];
                    many = Some(self.with_context_vars(&words, |checker| checker.match_outcome(stop)));
                }
            }
        }
        let place = self.place(written.name.span);
        if by.is_empty() && !written.clauses.iter().any(|clause| matches!(clause.kind, MatchClauseKind::By(_))) {
            self.report(
                Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`match {name}` does not say by what"))
                    .help(format!("add `by {name}.… == …`")),
            );
        }
        let mut value = record;
        let none = match none {
            Some((MatchOutcome::Create, stop)) if each.is_some() => {
                let told = error::sections::misplaced(stop.span, "what is found for each element cannot be made by a write");
                self.report(told.help("let a person decide:   none -> review \"…\"").help("or go on without it:   none -> continue"));
                MatchOutcome::Continue
            }
            Some((outcome, _)) => outcome,
            None => {
                self.report(
                    Diagnostic::new(Code::FlowIncomplete, written.name.span, format!("`match {name}` does not say what happens where there is none"))
                        .help("add `none -> review \"…\"`, `none -> skip`, `none -> reject \"…\"`, `none -> create` or `none -> continue`"),
                );
                MatchOutcome::Skip
            }
        };
        if matches!(none, MatchOutcome::Create | MatchOutcome::Continue) {
            value.presence = Presence::gap_of(present(&own), name, written.name.span, Why::Match);
        }
        if none == MatchOutcome::Create {
            let upserts = building.written.sections.iter().any(|section| {
                matches!(&section.kind, SectionKind::Write(write) if write.op.node == tree::WriteOp::Upsert && write.of.as_ref().is_some_and(|of| of.node == name))
            });
            if !upserts {
                let clause = written.clauses.iter().find(|clause| matches!(clause.kind, MatchClauseKind::None(_)));
                let at = clause.map_or(written.name.span, |clause| clause.span);
                self.report(
                    Diagnostic::new(Code::CreateNeedsUpsert, at, format!("`none -> create` needs a write that creates `{name}`"))
                        .help(format!("write `upsert {}.{} of {name} key … {{ … }}`", written.object.connection.node, written.object.object.node))
                        .help("or go on without it:   none -> continue"),
                );
            }
        }
        let many = many.unwrap_or_else(|| {
            let text = format!("{{count}} {} records match", of.as_ref().map_or_else(String::new, ToString::to_string));
            let tail = text.trim_start_matches("{count}").to_owned();
            MatchOutcome::Stop(Stop {
                review: true,
                message: Expr::Template { parts: vec![ir::Part::Expr(Expr::ContextVar(ContextVar::Count)), ir::Part::Text(tail)], message: true },
                owner: None,
                before: None,
                place: place.clone(),
            })
        });
        self.bind(name, written.name.span, slot, value);
        if let Some(object) = of {
            building.flow.matches.push(ir::Match { name: name.to_owned(), slot, object, each: None, by, none, many, place });
        }
    }

    /// `order.OrderNumber == shipment.orderNumber`: one side is a field of the record that is looked for.
    fn match_key(&mut self, expr: &tree::Expr, name: &str) -> Option<ir::MatchKey> {
        let bad = |checker: &mut Self, span: Span, text: String| {
            checker.report(
                Diagnostic::new(Code::NotAKey, span, text)
                    .why("a match is looked up by one field and the value that it must have")
                    .help(format!("write `by {name}.… == …`")),
            );
            None
        };
        let ExprKind::Binary { op, left, right } = expr.kind.as_ref() else {
            if matches!(expr.kind.as_ref(), ExprKind::Broken) {
                return None;
            }
            return bad(self, expr.span, "`by` compares a field of the record that is looked for".to_owned());
        };
        if op.node != tree::BinaryOp::Equal {
            return bad(self, op.span, "`by` looks for equal values".to_owned());
        }
        let (field, other) = match (path_of(left, name), path_of(right, name)) {
            (Some(path), None) => ((left, path), right),
            (None, Some(path)) => ((right, path), left),
            (Some(_), Some(_)) => return bad(self, expr.span, format!("both sides are fields of `{name}`")),
            (None, None) => return bad(self, expr.span, format!("neither side is a field of `{name}`")),
        };
        let found = self.expr(field.0, None);
        let value = self.expr(other, Some(&found.kind));
        let (_, value) = self.comparable(found, value, expr.span)?;
        self.can_be_searched(&field.1, name, field.0.span);
        Some(ir::MatchKey { field: field.1, equals: value.expr, place: self.place(expr.span) })
    }

    fn match_outcome(&mut self, stop: &tree::Stop) -> MatchOutcome {
        match stop.kind {
            StopKind::Skip => MatchOutcome::Skip,
            StopKind::Create => MatchOutcome::Create,
            StopKind::Continue => MatchOutcome::Continue,
            _ => self.stop(stop).map_or(MatchOutcome::Skip, MatchOutcome::Stop),
        }
    }

    /// A review or a rejection.
    pub(super) fn stop(&mut self, stop: &tree::Stop) -> Option<Stop> {
        let review = match stop.kind {
            StopKind::Review => true,
            StopKind::Reject => false,
            StopKind::Skip | StopKind::Create | StopKind::Continue | StopKind::Alert => {
                self.report(error::sections::misplaced(stop.span, "here stands `review \"…\"` or `reject \"…\"`"));
                return None;
            }
        };
        let message = match &stop.message {
            Some(message) => self.message(message),
            None => {
                self.report(error::sections::misplaced(stop.span, "a review or a rejection needs a message for the person who reads it"));
                return None;
            }
        };
        let before = stop.before.as_ref().and_then(|before| self.deadline(before));
        Some(Stop { review, message, owner: stop.owner.as_ref().map(|owner| owner.node.clone()), before, place: self.place(stop.span) })
    }

    /// An instant by which somebody should have looked.
    pub(super) fn deadline(&mut self, before: &tree::Expr) -> Option<Expr> {
        let typed = self.expr(before, Some(&Kind::Datetime));
        match typed.kind {
            Kind::Datetime => Some(typed.expr),
            Kind::Any => None,
            Kind::Date => {
                let text = self.text(before.span);
                self.report(error::types::date_needs_time(before.span, "a deadline", &text));
                None
            }
            other => {
                self.report(error::types::mismatch(before.span, &other, &Kind::Datetime));
                None
            }
        }
    }
}

/// `name.a.b` as its names behind `name`.
fn path_of(expr: &tree::Expr, name: &str) -> Option<Vec<String>> {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => path_of(inner, name),
        ExprKind::Field { base, field } => {
            if matches!(base.kind.as_ref(), ExprKind::Name(written) if written == name) {
                return Some(vec![field.node.clone()]);
            }
            let mut path = path_of(base, name)?;
            path.push(field.node.clone());
            Some(path)
        }
        _ => None,
    }
}
