//! `+ - * /`: which kinds go together, and when the result may be missing.

use crate::base::Span;
use crate::base::Spanned;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::coerce;
use crate::check::extent::{ENDLESS, Extent, places_of_quotient};
use crate::check::facts::{Presence, Why};
use crate::check::key::{Fact, Key, Term};
use crate::ir::{Arithmetic, Expr};
use crate::syntax::tree::{self, BinaryOp};
use crate::value::{Kind, Literal};

impl Checker<'_> {
    pub(super) fn arithmetic(&mut self, op: &Spanned<BinaryOp>, left: &tree::Expr, right: &tree::Expr, span: Span) -> TypedExpr {
        let left = self.expr(left, None);
        let right = self.expr(right, None);
        if left.is_erroneous() || right.is_erroneous() {
            return TypedExpr::erroneous(span);
        }
        let arithmetic = match op.node {
            BinaryOp::Add => Arithmetic::Add,
            BinaryOp::Subtract => Arithmetic::Subtract,
            BinaryOp::Multiply => Arithmetic::Multiply,
            _ => Arithmetic::Divide,
        };
        let Some((left, right, kind)) = sides(arithmetic, left.clone(), right.clone()) else {
            let said = error::types::no_arithmetic(arithmetic, &left, &right, span);
            let said = match self.joined(arithmetic, &left, &right, span) {
                Some((whole, write)) => said.mend(format!("put texts together in one text:   {write}"), whole, write),
                None => error::types::with_arithmetic_help(said, arithmetic, &left, &right),
            };
            self.report(said);
            return TypedExpr::erroneous(span);
        };
        let key = Key::new(Term::Arithmetic(arithmetic, left.key(), right.key()));
        let mut presence = vec![left.presence.clone(), right.presence.clone()];
        if arithmetic == Arithmetic::Divide {
            match right.literal_value() {
                Some(Literal::Number(number)) if number.is_zero() => {
                    self.report(
                        Diagnostic::new(Code::DivisionByZero, right.span, "this divides by zero")
                            .why("the result would be missing for every record")
                            .help("divide by another number, or take the division out"),
                    );
                    return TypedExpr::erroneous(span);
                }
                Some(_) => {}
                None => {
                    let closed_by = vec![Fact::Present(key.clone()), Fact::NonZero(right.key())];
                    presence.push(Presence::gap(closed_by, span, Why::Division));
                }
            }
        }
        let places = match arithmetic {
            Arithmetic::Add | Arithmetic::Subtract => match (left.places, right.places) {
                (Some(ENDLESS), _) | (_, Some(ENDLESS)) => Some(ENDLESS),
                (a, b) => a.zip(b).map(|(a, b)| a.max(b)),
            },
            Arithmetic::Multiply => match (left.places, right.places) {
                (Some(a), Some(b)) => Some(a.saturating_add(b)),
                // An amount has two places, where its schema does not say, and a part of it has more.
                (None, Some(more)) if left.kind == Kind::Money && more > 0 => Some(2 + more),
                (Some(more), None) if right.kind == Kind::Money && more > 0 => Some(2 + more),
                _ => None,
            },
            Arithmetic::Divide => places_of_quotient(left.places, right.literal_value()),
        };
        let extent = Extent::of_arithmetic(arithmetic, &left, &right);
        let expr = Expr::Arithmetic { op: arithmetic, left: Box::new(left.expr), right: Box::new(right.expr) };
        let mut typed = TypedExpr::new(expr, kind, vec![key], span).present_if(Presence::all(presence));
        (typed.places, typed.extent) = (places, extent);
        typed
    }
}

impl Checker<'_> {
    /// The whole row of `+` that puts texts together, and the same as one text.
    fn joined(&self, op: Arithmetic, left: &TypedExpr, right: &TypedExpr, span: Span) -> Option<(Span, String)> {
        let is_text = |typed: &TypedExpr| matches!(typed.kind, Kind::Text | Kind::Enumeration(_));
        if op != Arithmetic::Add || !(is_text(left) || is_text(right)) {
            return None;
        }
        // What follows on the same line belongs to the same row of texts.
        let source = self.context.sources.get(span.file)?;
        let behind = source.text.get(span.end as usize..)?.lines().next()?;
        let mut end = span.end as usize;
        let pattern = r#"^\s*\+\s*("[^"]*"|'[^']*'|[\w.]+(?:\([^()]*\))?)"#;
        let next = regex::Regex::new(pattern).ok()?;
        let mut rest = behind;
        while let Some(more) = next.find(rest) {
            end += more.end();
            rest = &rest[more.end()..];
        }
        let whole = Span::new(span.file, span.start as usize, end);
        let parts = crate::syntax::habits::summands(self.context.sources.text(whole));
        Some((whole, crate::syntax::habits::template(&parts)?))
    }
}

/// Both sides as the operation takes them, and the kind of its result.
fn sides(op: Arithmetic, left: TypedExpr, right: TypedExpr) -> Option<(TypedExpr, TypedExpr, Kind)> {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    use Kind::{Date, Datetime, Decimal, Duration, Integer, Length, Money, Weight};
    let literal = |typed: &TypedExpr| typed.literal_value().is_some();
    let kind = match (op, &left.kind, &right.kind) {
        (Divide, Integer | Decimal, Integer | Decimal) => Decimal,
        (_, Integer, Integer) => Integer,
        (_, Integer | Decimal, Integer | Decimal) => Decimal,
        (Add | Subtract, Money, Money) => Money,
        (Add | Subtract, Money, Integer | Decimal) if literal(&right) => {
            return Some((left, coerce(right, &Money), Money));
        }
        (Add | Subtract, Integer | Decimal, Money) if literal(&left) => {
            return Some((coerce(left, &Money), right, Money));
        }
        (Multiply | Divide, Money, Integer | Decimal) | (Multiply, Integer | Decimal, Money) => Money,
        (Divide, Money, Money) => Decimal,
        (Add | Subtract, Date, Duration) | (Add, Duration, Date) => Date,
        (Add | Subtract, Datetime, Duration) | (Add, Duration, Datetime) => Datetime,
        (Subtract, Date, Date) | (Subtract, Datetime, Datetime) | (Add | Subtract, Duration, Duration) => Duration,
        (Multiply | Divide, Duration, Integer | Decimal) | (Multiply, Integer | Decimal, Duration) => Duration,
        (Divide, Duration, Duration) | (Divide, Weight, Weight) | (Divide, Length, Length) => Decimal,
        (Add | Subtract, Weight, Weight) | (Multiply | Divide, Weight, Integer | Decimal) | (Multiply, Integer | Decimal, Weight) => Weight,
        (Add | Subtract, Length, Length) | (Multiply | Divide, Length, Integer | Decimal) | (Multiply, Integer | Decimal, Length) => Length,
        _ => return None,
    };
    Some((left, right, kind))
}
