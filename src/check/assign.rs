//! A value into a target field: does its kind fit, is it there, is it among the field's values.

use std::sync::Arc;

use crate::base::Span;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits, within};
use crate::ir::Expr;
use crate::schema::Field;
use crate::syntax::tree::{self, ExprKind};
use crate::value::{Kind, Literal, ObjectRef, WireEncoding};

/// The field that is written, for checks and for messages.
pub(super) struct Target<'t> {
    pub object: &'t ObjectRef,
    pub name: &'t str,
    pub field: &'t Field,
    pub span: Span,
    /// A payload without it is refused.
    pub required: bool,
}

impl Target<'_> {
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.object, self.name)
    }
}

impl Checker<'_> {
    pub(super) fn assign(&mut self, value: &tree::Expr, target: &Target<'_>) -> Option<Expr> {
        let typed = match &target.field.names {
            Some(of) => self.by_name(value, of, &target.field.kind),
            None => self.expr(value, Some(&target.field.kind)),
        };
        self.assign_typed(typed, value, target)
    }

    /// A value for a field whose texts are ids of named things: a literal may be an id, or a name, of which the id is sent.
    fn by_name(&mut self, value: &tree::Expr, of: &ObjectRef, kind: &Kind) -> TypedExpr {
        let mut texts = Vec::new();
        let whole = literals(value, &mut texts);
        if texts.is_empty() {
            return self.expr(value, Some(kind));
        }
        let Some(names) = self.context.environment.names(of) else {
            // Without names of this kind there is nothing to compare with, and no name is known whose id could be sent.
            if self.context.environment.has_names(&of.connection) {
                for (text, span) in &texts {
                    self.report(error::names::not_compared(text, *span, of));
                }
            }
            return self.expr(value, Some(kind));
        };
        let is_id = |text: &str| names.names.iter().any(|known| known.id.as_str() == Some(text));
        if whole && texts.iter().all(|(text, _)| !is_id(text)) {
            return self.expr(value, Some(&Kind::Reference(of.clone())));
        }
        for (text, span) in texts.iter().filter(|(text, _)| !is_id(text)) {
            match names.names.iter().find(|known| known.name == *text).and_then(|known| known.id.as_str()) {
                // Beside a value that is an id, a name is none.
                Some(id) => self.report(error::names::name_beside_ids(text, *span, of, id)),
                None => self.report(error::names::unknown_reference(text, *span, of, &names)),
            }
        }
        self.expr(value, Some(kind))
    }

    pub(super) fn assign_typed(&mut self, typed: TypedExpr, value: &tree::Expr, target: &Target<'_>) -> Option<Expr> {
        if typed.is_erroneous() {
            return None;
        }
        if target.required && !matches!(typed.kind, Kind::List(_)) {
            let path = target.path();
            let (at, place) = (value.span, target.span);
            let gap = typed.presence.open(&self.facts).map(|gap| gap.span);
            let kind =
                if matches!(typed.kind, Kind::Text) && matches!(target.field.kind, Kind::Enumeration(_)) { &target.field.kind } else { &typed.kind };
            let fallback = gap.and_then(|gap| self.with_fallback(at, Some(gap), kind));
            self.require_present(&typed.presence, |gap| error::presence::assigned(&path, at, place, fallback, gap));
        }
        let fitted = self.fit(typed, value, target)?;
        self.limits(&fitted, value, target);
        self.assigned(&fitted, value, target);
        Some(fitted.expr)
    }

    /// The value under the target's kind, or the report that it does not go there.
    fn fit(&mut self, typed: TypedExpr, value: &tree::Expr, target: &Target<'_>) -> Option<TypedExpr> {
        let wanted = &target.field.kind;
        let text = self.text(value.span);
        let number = |kind: &Kind| matches!(kind, Kind::Integer | Kind::Decimal);
        let literal = typed.literal_value().cloned();
        match (&typed.kind, wanted) {
            (_, Kind::Any | Kind::Json) => Some(typed),
            (Kind::Enumeration(from), Kind::Enumeration(to)) => {
                if from == to || literal.is_some() || within(from, to) {
                    if to.open && from != to && !from.names().all(|name| to.names().any(|known| known == name)) && literal.is_none() {
                        self.report(error::types::passed_through(from, to, value.span, &target.path()));
                    }
                    return Some(coerce(typed, wanted));
                }
                self.report(error::types::enumeration_differs(from, to, value.span, &target.path(), &text));
                None
            }
            (Kind::Text, Kind::Enumeration(to)) => {
                if to.open {
                    return Some(coerce(typed, wanted));
                }
                self.report(error::types::text_into_enumeration(to, value.span, &target.path(), &text));
                None
            }
            (Kind::Money, Kind::Decimal | Kind::Integer) => {
                if matches!(target.field.wire, WireEncoding::Amount { .. }) {
                    return Some(coerce(typed, wanted));
                }
                self.report(error::types::money_into_number(value.span, &target.path(), &text));
                None
            }
            (kind, Kind::Money) if number(kind) && matches!(target.field.wire, WireEncoding::MoneyObject { .. }) => {
                self.report(error::types::currency_needed(value.span, &target.path(), &text, literal.is_some()));
                None
            }
            (kind, Kind::Money) if number(kind) => Some(coerce(typed, wanted)),
            (Kind::Decimal, Kind::Integer) => {
                match literal {
                    Some(Literal::Number(number)) if number.fract().is_zero() => {}
                    Some(Literal::Number(number)) => {
                        self.report(error::types::literal_misfit(
                            value.span,
                            &target.path(),
                            &format!("{number} has decimal places"),
                            "the field takes whole numbers",
                        ));
                        return None;
                    }
                    _ if typed.places == Some(0) => {}
                    _ => self.report(error::types::may_not_be_whole(value.span, &target.path(), &text)),
                }
                Some(coerce(typed, wanted))
            }
            (Kind::Date, Kind::Datetime) => {
                self.report(error::types::date_needs_time(value.span, &target.path(), &text));
                None
            }
            (kind, Kind::Weight | Kind::Length) if number(kind) => {
                self.report(error::types::unit_needed(value.span, &target.path(), &text, wanted));
                None
            }
            (Kind::Weight, Kind::Length) | (Kind::Length, Kind::Weight) => {
                self.report(error::types::wrong_unit(value.span, &target.path(), &typed.kind, wanted));
                None
            }
            // The id is sent.
            (Kind::Reference(of), Kind::Text) if target.field.names.as_ref() == Some(of) => Some(typed),
            (Kind::Text | Kind::Enumeration(_), Kind::Reference(of)) => {
                self.report(error::types::text_into_reference(value.span, &target.path(), &text, of));
                None
            }
            (Kind::List(_), Kind::List(to)) => {
                let Kind::List(from) = &typed.kind else { return None };
                if let Kind::Object(_) = &to.kind
                    && matches!(from.kind, Kind::Row(_))
                {
                    self.report(error::types::row_into_object(value.span, &target.path(), wanted));
                    return None;
                }
                let elements = match (&from.kind, &to.kind) {
                    (Kind::Text, Kind::Enumeration(of)) => of.open,
                    (from, to) => fits(from, to),
                };
                if !elements {
                    self.report(error::types::mismatch_into(value.span, &typed.kind, wanted, &target.path(), &text));
                    return None;
                }
                if !to.nullable {
                    let (presence, at, path) = (typed.element_presence(), value.span, target.path());
                    self.require_present(&presence, |gap| error::presence::list_elements(&path, at, gap));
                }
                Some(coerce(typed, wanted))
            }
            (Kind::List(of), _) => {
                let number_of = fits(&of.kind, wanted);
                self.report(error::types::list_into_one(value.span, &target.path(), &text, number_of));
                None
            }
            (_, Kind::List(_)) => {
                self.report(error::types::one_into_list(value.span, &target.path(), &text));
                None
            }
            (Kind::Row(_), Kind::Object(_)) => {
                self.report(error::types::row_into_object(value.span, &target.path(), wanted));
                None
            }
            (kind, wanted) if fits(kind, wanted) => Some(coerce(typed, wanted)),
            (kind, wanted) => {
                self.report(error::types::mismatch_into(value.span, kind, wanted, &target.path(), &text));
                None
            }
        }
    }

    /// The kind that a target field takes, found by its path.
    pub(super) fn field_kind(&self, object: &ObjectRef, path: &[tree::Name]) -> Option<Kind> {
        let (first, rest) = path.split_first()?;
        let object: Arc<crate::schema::Object> = self.object(object)?;
        let field = object.fields.get(&first.node)?;
        match (&field.kind, rest) {
            (kind, []) => Some(kind.clone()),
            (Kind::Object(of), rest) => self.field_kind(of, rest),
            _ => None,
        }
    }
}

/// The literal texts that an expression can give; whether it can give nothing else.
fn literals(value: &tree::Expr, found: &mut Vec<(String, Span)>) -> bool {
    match value.kind.as_ref() {
        ExprKind::Paren(inner) => literals(inner, found),
        ExprKind::Text(text) => match text.plain() {
            Some(plain) => {
                found.push((plain, value.span));
                true
            }
            None => false,
        },
        ExprKind::If { then, otherwise, .. } => {
            let then = literals(then, found);
            otherwise.as_ref().is_none_or(|otherwise| literals(otherwise, found)) && then
        }
        ExprKind::Fallback { value, fallback } => {
            let value = literals(value, found);
            literals(fallback, found) && value
        }
        _ => false,
    }
}
