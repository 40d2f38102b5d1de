//! `route`: the kind of each result, and the rows.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits};
use crate::check::facts::{Presence, Why};
use crate::check::flow::Building;
use crate::check::key::{Fact, Key, Term};
use crate::ir::{Expr, Route, RouteOutcome, RouteResult, RouteRow};
use crate::syntax::tree::{self, ExprKind, FieldRow, RowValue, SectionKind};
use crate::value::{Kind, ObjectRef, Type};

impl Checker<'_> {
    pub(super) fn route(&mut self, written: &tree::Route, span: Span, building: &mut Building<'_>) {
        let mut kinds: Vec<Option<Kind>> = Vec::new();
        for (at, name) in written.names.iter().enumerate() {
            let declared = name.of.as_ref().map(|of| self.type_expr(of).kind).filter(|kind| *kind != Kind::Any);
            let kind = declared.or_else(|| self.fed_by(&name.name.node, building.written)).or_else(|| self.kind_from_rows(written, at));
            kinds.push(kind);
        }
        if self.swapped_results(written, &kinds) {
            // What reads the results would only repeat it.
            for name in &written.names {
                let slot = self.slot();
                self.bind(&name.name.node, name.name.span, slot, TypedExpr::erroneous(name.name.span));
            }
            return;
        }
        let mut presences: Vec<Vec<Presence>> = vec![Vec::new(); written.names.len()];
        let mut rows = Vec::new();
        let mut known_false: Vec<Fact> = Vec::new();
        for row in &written.rows {
            let mark = self.facts.mark();
            self.facts.extend(&known_false);
            let condition = row.condition.as_ref().map(|condition| self.condition(condition));
            if let Some(condition) = &condition {
                self.facts.extend(&condition.refinement.if_true);
            }
            let outcome = match &row.outcome {
                tree::RouteOutcome::Stop(stop) => self.stop(stop).map(RouteOutcome::Stop),
                tree::RouteOutcome::Results(results) => self.results(written, row, results, &mut kinds, &mut presences),
            };
            self.facts.reset(mark);
            let text = row.condition.as_ref().map_or_else(|| "else".to_owned(), |condition| self.text(condition.span));
            let failed = condition.as_ref().is_some_and(TypedExpr::is_erroneous);
            if let Some(condition) = &condition {
                known_false.extend(condition.refinement.if_false.iter().cloned());
            }
            if let (Some(outcome), false) = (outcome, failed) {
                rows.push(RouteRow { condition: condition.map(|c| c.expr), text, outcome, place: self.place(row.span) });
            }
        }
        let mut results = Vec::new();
        for ((name, kind), presence) in written.names.iter().zip(kinds).zip(presences) {
            let slot = self.slot();
            let kind = kind.unwrap_or(Kind::Any);
            let key = Key::slot(slot);
            let open = Presence::all(presence).open(&self.facts).is_some();
            let mut value = TypedExpr::erroneous(name.name.span);
            value.kind = kind.clone();
            value.keys = vec![key.clone()];
            if open {
                value.presence = Presence::gap_of(vec![Fact::Present(key)], name.name.node.as_str(), name.name.span, Why::Declared);
            }
            self.bind(&name.name.node, name.name.span, slot, value);
            results.push(RouteResult { name: name.name.node.clone(), slot, of: Type { kind, nullable: open } });
        }
        let route = Route { results, rows, place: self.place(span) };
        self.reachability(written, &route, span);
        building.flow.routes.push(route);
    }

    /// Two results that stand in each other's place: in all rows, or in one. It is told once.
    fn swapped_results(&mut self, written: &tree::Route, kinds: &[Option<Kind>]) -> bool {
        let named = |expr: &tree::Expr| match expr.kind.as_ref() {
            ExprKind::Text(text) => text.plain(),
            _ => None,
        };
        let knows = |checker: &Self, kind: &Option<Kind>, name: &str| match kind {
            Some(Kind::Reference(of)) => checker.context.environment.names(of).map(|names| names.names.iter().any(|known| known.name == name)),
            _ => None,
        };
        let pairs = (0..kinds.len()).flat_map(|a| (a + 1..kinds.len()).map(move |b| (a, b)));
        for (a, b) in pairs {
            let mut wrong: Vec<(&tree::Expr, &tree::Expr)> = Vec::new();
            let mut right = 0;
            for row in &written.rows {
                let tree::RouteOutcome::Results(results) = &row.outcome else { continue };
                let (Some(first), Some(second)) = (results.get(a), results.get(b)) else { continue };
                // A result that is no text may stand anywhere.
                let misfits = |expr: &tree::Expr, own: &Option<Kind>, other: &Option<Kind>| {
                    named(expr).map(|name| knows(self, own, &name) == Some(false) && knows(self, other, &name) == Some(true))
                };
                match (misfits(first, &kinds[a], &kinds[b]), misfits(second, &kinds[b], &kinds[a])) {
                    (Some(true), Some(true) | None) | (None, Some(true)) => wrong.push((first, second)),
                    _ => right += 1,
                }
            }
            let Some((first, second)) = wrong.first().copied() else { continue };
            let (names, texts) = ((&written.names[a].name, &written.names[b].name), (self.text(first.span), self.text(second.span)));
            if right == 0 {
                self.report(error::routes::names_swapped(names.0, names.1));
                return true;
            }
            if wrong.len() == 1 {
                self.report(error::routes::results_swapped(names.0, names.1, first.span.to(second.span), (&texts.0, &texts.1)));
                return true;
            }
        }
        false
    }

    fn results(
        &mut self,
        written: &tree::Route,
        row: &tree::RouteRow,
        results: &[tree::Expr],
        kinds: &mut [Option<Kind>],
        presences: &mut [Vec<Presence>],
    ) -> Option<RouteOutcome> {
        if results.len() != written.names.len() {
            let (wants, has) = (written.names.len(), results.len());
            let span = results.iter().map(|result| result.span).reduce(Span::to).unwrap_or(row.span);
            let names: Vec<&str> = written.names.iter().map(|name| name.name.node.as_str()).collect();
            self.report(
                Diagnostic::new(Code::RouteArity, span, format!("this row gives {has} of {wants} results"))
                    .help(format!("give one for each of {}", names.join(", "))),
            );
            return None;
        }
        let mut out: Vec<Expr> = Vec::new();
        let mut failed = false;
        for (((result, name), kind), presence) in results.iter().zip(&written.names).zip(kinds).zip(presences) {
            let typed = self.expr(result, kind.as_ref());
            if typed.is_erroneous() {
                failed = true;
                continue;
            }
            presence.push(typed.presence.under(&self.facts));
            match kind {
                None => {
                    *kind = Some(typed.kind.clone());
                    out.push(typed.expr);
                }
                Some(Kind::Reference(of)) if matches!(typed.kind, Kind::Text) => {
                    let text = self.text(result.span);
                    self.report(error::types::text_into_reference(result.span, &name.name.node, &text, of));
                    failed = true;
                }
                Some(kind) if fits(&typed.kind, kind) => out.push(coerce(typed, kind).expr),
                Some(kind) => {
                    let text = self.text(result.span);
                    self.report(error::types::mismatch_into(result.span, &typed.kind, kind, &name.name.node, &text));
                    failed = true;
                }
            }
        }
        (!failed).then_some(RouteOutcome::Results(out))
    }

    /// The kind of the target field that a row `x = name` feeds. Where it feeds several, a store goes
    /// by the name `store`: that one of them is wrong is then said where it is.
    fn fed_by(&self, name: &str, written: &tree::Flow) -> Option<Kind> {
        let targets = written.sections.iter().filter_map(|section| match &section.kind {
            SectionKind::Write(write) => Some(write.object.connection.node.as_str()),
            _ => None,
        });
        for connection in targets {
            let objects = self.context.environment.objects(connection);
            if let Some(object) = objects.iter().find(|object| object.eq_ignore_ascii_case(name)) {
                let of = ObjectRef::new(connection, object.as_str());
                if self.context.environment.names(&of).is_some() {
                    return Some(Kind::Reference(of));
                }
            }
        }
        self.fed_first(name, written)
    }

    fn fed_first(&self, name: &str, written: &tree::Flow) -> Option<Kind> {
        written.sections.iter().find_map(|section| match &section.kind {
            SectionKind::Write(write) => {
                let of = ObjectRef::new(write.object.connection.node.as_str(), write.object.object.node.as_str());
                self.fed_in(name, &of, &write.rows)
            }
            _ => None,
        })
    }

    fn fed_in(&self, name: &str, of: &ObjectRef, rows: &[FieldRow]) -> Option<Kind> {
        let is_name = |expr: &tree::Expr| matches!(expr.kind.as_ref(), ExprKind::Name(written) if written == name);
        rows.iter().find_map(|row| match &row.value {
            RowValue::Expr(value) if is_name(value) => self.field_kind(of, &row.place),
            RowValue::Expr(value) => match (value.kind.as_ref(), self.field_kind(of, &row.place)?) {
                (ExprKind::Fallback { value, fallback }, kind) if is_name(value) || is_name(fallback) => Some(kind),
                (ExprKind::Each { rows: Some(rows), .. }, Kind::List(element)) => match &element.kind {
                    Kind::Object(of) => self.fed_in(name, of, rows),
                    _ => None,
                },
                _ => None,
            },
            RowValue::Object { rows, .. } => match self.field_kind(of, &row.place)? {
                Kind::Object(of) => self.fed_in(name, &of, rows),
                _ => None,
            },
            RowValue::Clear | RowValue::Remove => None,
        })
    }

    /// The kind of the first result that is more than a literal: a parameter's, a field's.
    fn kind_from_rows(&mut self, written: &tree::Route, at: usize) -> Option<Kind> {
        written.rows.iter().find_map(|row| match &row.outcome {
            tree::RouteOutcome::Results(results) => {
                let result = results.get(at)?;
                if self.wants_other_side(result) {
                    return None;
                }
                let kind = self.silently(|checker| checker.expr(result, None).kind);
                (kind != Kind::Any).then_some(kind)
            }
            tree::RouteOutcome::Stop(_) => None,
        })
    }

    fn reachability(&mut self, written: &tree::Route, route: &Route, span: Span) {
        let mut said = Vec::new();
        crate::check::route::check(written, route, span, &|expr| self.always_there(expr), &mut said);
        said.into_iter().for_each(|one| self.report(one));
    }

    /// A path that no record leaves out here.
    fn always_there(&self, expr: &Expr) -> bool {
        self.path_key(expr).is_some_and(|(_, there)| there)
    }

    fn path_key(&self, expr: &Expr) -> Option<(Key, bool)> {
        match expr {
            Expr::Slot { slot, .. } => {
                let binding = self.names.iter().find(|binding| matches!(&binding.value.expr, Expr::Slot { slot: known, .. } if known == slot))?;
                Some((binding.value.key(), binding.value.presence.open(&self.facts).is_none()))
            }
            Expr::Parameter(name) => {
                Some((Key::new(Term::Parameter(name.clone())), self.context.parameters.get(name).is_some_and(|p| !p.of.nullable)))
            }
            Expr::Coerce { value, .. } => self.path_key(value),
            Expr::Field { base, name, .. } => {
                let (key, there) = self.path_key(base)?;
                let key = key.field(name);
                let of = match base.as_ref() {
                    Expr::Field { kind: Kind::Object(of), .. } => Some(of.clone()),
                    Expr::Slot { slot, .. } => self.names.iter().find_map(|binding| match (&binding.value.expr, &binding.value.kind) {
                        (Expr::Slot { slot: known, .. }, Kind::Object(of)) if known == slot => Some(of.clone()),
                        _ => None,
                    }),
                    _ => None,
                };
                let field_there = of.and_then(|of| self.object(&of)).and_then(|object| object.fields.get(name.as_ref()).map(|field| !field.nullable));
                let there = self.facts.has(&key) || (there && field_there.unwrap_or(false));
                Some((key, there))
            }
            _ => None,
        }
    }
}
