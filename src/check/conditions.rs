//! Conditions: what they test, and what is known where they hold.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{self, BuiltinRef, Family};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{asked, coerce};
use crate::check::facts::{Refinement, both};
use crate::check::key::{self, Fact, Key, Term};
use crate::ir::{Compare, Expr, Pattern};
use crate::syntax::habits;
use crate::syntax::tree::{self, BinaryOp, ExprKind};
use crate::value::{Kind, Literal};

impl Checker<'_> {
    // ---- conditions

    /// An expression that must be true or false. What may be missing counts as false.
    pub(super) fn condition(&mut self, expr: &tree::Expr) -> TypedExpr {
        let typed = self.expr(expr, None);
        match &typed.kind {
            Kind::Boolean => if_true_present(typed),
            Kind::Any => {
                self.poisoned = true;
                typed
            }
            other => {
                self.poisoned = true;
                self.report(error::types::not_a_condition(&typed, other, &self.text(typed.span)));
                TypedExpr::erroneous(expr.span)
            }
        }
    }

    /// A rule's `X`: true, or, of what is no boolean, present.
    pub(super) fn rule_condition(&mut self, expr: &tree::Expr) -> TypedExpr {
        let typed = self.expr(expr, None);
        match &typed.kind {
            Kind::Boolean => if_true_present(typed),
            Kind::Any => {
                self.poisoned = true;
                typed
            }
            _ => presence_of(typed, expr.span),
        }
    }

    pub(super) fn is_present(&mut self, value: &tree::Expr, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        if value.is_erroneous() {
            return TypedExpr::erroneous(span);
        }
        presence_of(value, span)
    }

    pub(super) fn junction(&mut self, op: BinaryOp, left: &tree::Expr, right: &tree::Expr, span: Span) -> TypedExpr {
        if op == BinaryOp::Or
            && let Some(kind) = self.fallback_by_or(left, right)
        {
            let (first, second) = (self.text(left.span), self.text(right.span));
            self.report(error::types::or_for_a_fallback(&kind, span, &first, &second));
            self.poisoned = true;
            return TypedExpr::erroneous(span);
        }
        let left = self.condition(left);
        let known = if op == BinaryOp::And { left.refinement.if_true.clone() } else { left.refinement.if_false.clone() };
        let right = self.with_facts(&known, |checker| checker.condition(right));
        if left.is_erroneous() || right.is_erroneous() {
            return TypedExpr::erroneous(span);
        }
        let (a, b) = (&left.refinement, &right.refinement);
        let union = |x: &[Fact], y: &[Fact]| x.iter().chain(y).cloned().collect::<Vec<_>>();
        let truths = if op == BinaryOp::And {
            Refinement {
                if_true: union(&a.if_true, &b.if_true),
                if_false: both(&a.if_false, &b.if_false),
                presence_only: a.presence_only && b.presence_only,
            }
        } else {
            Refinement { if_true: both(&a.if_true, &b.if_true), if_false: union(&a.if_false, &b.if_false), presence_only: false }
        };
        let form = if op == BinaryOp::And { "and" } else { "or" };
        let key = Key::form(form, [left.key(), right.key()]);
        let mut parts = Vec::new();
        for side in [left.expr, right.expr] {
            match (op, side) {
                (BinaryOp::And, Expr::And(inner)) | (BinaryOp::Or, Expr::Or(inner)) => parts.extend(inner),
                (_, other) => parts.push(other),
            }
        }
        let expr = if op == BinaryOp::And { Expr::And(parts) } else { Expr::Or(parts) };
        let mut typed = TypedExpr::new(expr, Kind::Boolean, vec![key], span);
        typed.refinement = truths;
        typed
    }

    /// `a or b` of two values that are no conditions: the fallback of other languages.
    fn fallback_by_or(&mut self, left: &tree::Expr, right: &tree::Expr) -> Option<Kind> {
        let is_value = |expr: &tree::Expr| matches!(expr.kind.as_ref(), ExprKind::Field { .. } | ExprKind::Name(_) | ExprKind::Text(_));
        if !is_value(left) || !is_value(right) {
            return None;
        }
        let mut kind = |expr: &tree::Expr| self.silently(|checker| checker.expr(expr, None)).kind;
        let (first, second) = (kind(left), kind(right));
        let texts = |kind: &Kind| matches!(kind, Kind::Text | Kind::Enumeration(_));
        (texts(&first) && texts(&second) || first == second && !matches!(first, Kind::Boolean | Kind::Any | Kind::Object(_))).then_some(first)
    }

    pub(super) fn compare(&mut self, op: Compare, left: &tree::Expr, right: &tree::Expr, span: Span) -> TypedExpr {
        for (nothing, other) in [(right, left), (left, right)] {
            if let ExprKind::Name(name) = nothing.kind.as_ref()
                && habits::is_nothing(name)
                && self.find(name).is_none()
                && matches!(op, Compare::Equal | Compare::NotEqual)
            {
                let text = habits::bracketed(&self.text(other.span));
                self.expr(other, None);
                self.report(error::names::compared_with_nothing(name, nothing.span, span, &text, op == Compare::Equal));
                return TypedExpr::erroneous(span);
            }
        }
        // What stands on the other side gives a bare name or a text its meaning.
        let (left, right) = if self.wants_other_side(left) && !self.wants_other_side(right) {
            let right = self.expr(right, None);
            let left = self.expr(left, Some(&right.kind));
            (left, right)
        } else {
            let left = self.expr(left, None);
            let right = self.expr(right, Some(&left.kind));
            (left, right)
        };
        self.compare_typed(op, left, right, span)
    }

    pub(super) fn wants_other_side(&self, expr: &tree::Expr) -> bool {
        match expr.kind.as_ref() {
            ExprKind::Text(text) => text.plain().is_some(),
            ExprKind::Name(name) => {
                self.find(name).is_none()
                    && !self.context.parameters.contains_key(name)
                    && !self.context_vars.iter().any(|word| word.name == name)
                    && !matches!(name.as_str(), "index" | "target")
            }
            ExprKind::Paren(inner) => self.wants_other_side(inner),
            _ => false,
        }
    }

    pub(super) fn compare_typed(&mut self, op: Compare, left: TypedExpr, right: TypedExpr, span: Span) -> TypedExpr {
        let Some((left, right)) = self.comparable(left, right, span) else { return TypedExpr::erroneous(span) };
        let ordered = !matches!(op, Compare::Equal | Compare::NotEqual);
        if ordered && matches!(left.kind, Kind::Boolean | Kind::Enumeration(_) | Kind::Reference(_)) {
            self.report(error::types::no_order(&left, span));
            return TypedExpr::erroneous(span);
        }
        if left.kind == Kind::Money {
            self.currency_beside(&left, &right, span);
            self.currency_beside(&right, &left, span);
        }
        let truths = comparison_truths(op, &left, &right);
        let key = Key::new(Term::Compare(op, left.key(), right.key()));
        let expr = Expr::Compare { op, left: Box::new(left.expr), right: Box::new(right.expr) };
        let mut typed = TypedExpr::new(expr, Kind::Boolean, vec![key], span);
        typed.refinement = truths;
        typed
    }

    /// Both sides under one kind, or the report that they have none.
    pub(super) fn comparable(&mut self, left: TypedExpr, right: TypedExpr, span: Span) -> Option<(TypedExpr, TypedExpr)> {
        if left.is_erroneous() || right.is_erroneous() {
            return None;
        }
        let is_number = |typed: &TypedExpr| matches!(typed.kind, Kind::Integer | Kind::Decimal);
        let pair = match (&left.kind, &right.kind) {
            (Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json, _) | (_, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) => {
                None
            }
            (a, b) if a == b => Some((left.clone(), right.clone())),
            (Kind::Text | Kind::Enumeration(_), Kind::Text | Kind::Enumeration(_)) => Some((left.clone(), right.clone())),
            _ if is_number(&left) && is_number(&right) => Some((left.clone(), right.clone())),
            (Kind::Money, _) if is_number(&right) && right.literal_value().is_some() => Some((left.clone(), coerce(right.clone(), &Kind::Money))),
            (_, Kind::Money) if is_number(&left) && left.literal_value().is_some() => Some((coerce(left.clone(), &Kind::Money), right.clone())),
            _ => None,
        };
        if pair.is_none() {
            let texts = [(left.span, self.text(left.span)), (right.span, self.text(right.span))];
            self.report(error::types::not_comparable(&left, &right, span, &texts));
        }
        pair
    }

    pub(super) fn is_in(&mut self, value: &tree::Expr, list: &[tree::Expr], negated: bool, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let mut items = Vec::new();
        let mut keys = Vec::new();
        let mut failed = value.is_erroneous();
        for item in list {
            let typed = self.expr(item, Some(&value.kind));
            // A list from elsewhere stands for its elements.
            match self.comparable(value.clone(), typed, item.span) {
                Some((_, item)) => {
                    keys.push(item.key());
                    items.push(item.expr);
                }
                None => failed = true,
            }
        }
        if failed {
            return TypedExpr::erroneous(span);
        }
        let key = Key::new(Term::In(value.key(), keys));
        let known = value.known_if_present();
        let expr = Expr::In { value: Box::new(value.expr), list: items };
        let truths = Refinement { if_true: known, ..Refinement::default() };
        let (expr, truths, key) = if negated { (Expr::Not(Box::new(expr)), truths.not(), Key::form("not", [key])) } else { (expr, truths, key) };
        let mut typed = TypedExpr::new(expr, Kind::Boolean, vec![key], span);
        typed.refinement = truths;
        typed
    }

    pub(super) fn matches(&mut self, value: &tree::Expr, pattern: &tree::Expr, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let Some((lowered, form)) = self.pattern(pattern) else { return TypedExpr::erroneous(span) };
        if !matches!(value.kind, Kind::Text | Kind::Enumeration(_) | Kind::Any) {
            self.report(error::types::mismatch(value.span, &value.kind, &Kind::Text));
            return TypedExpr::erroneous(span);
        }
        let mut known = value.known_if_present();
        known.push(Fact::HasForm(value.key()));
        let truths = Refinement { if_true: known, ..Refinement::default() };
        let key = Key::new(Term::Matches(value.key(), form));
        let expr = Expr::Matches { value: Box::new(value.expr), pattern: lowered };
        let mut typed = TypedExpr::new(expr, Kind::Boolean, vec![key], span);
        typed.refinement = truths;
        typed
    }

    fn pattern(&mut self, pattern: &tree::Expr) -> Option<(Pattern, key::Pattern)> {
        let bad = |text: &str| Diagnostic::new(Code::BadPattern, pattern.span, text.to_owned());
        let (name, arguments) = match pattern.kind.as_ref() {
            ExprKind::Text(text) => {
                let Some(regex) = text.plain() else {
                    self.report(bad("a pattern is a literal, never a record's text").help("write the pattern in `'…'`"));
                    return None;
                };
                if let Err(reason) = regex::Regex::new(&regex) {
                    let reason = reason.to_string();
                    let last = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                    self.report(
                        bad("this pattern cannot be read").why(last).help("a sign that is meant as itself stands behind a `\\`: `\\[`, `\\.`, `\\(`"),
                    );
                    return None;
                }
                return Some((Pattern::Regex(regex.clone()), key::Pattern::Regex(regex)));
            }
            ExprKind::Paren(inner) => return self.pattern(inner),
            ExprKind::Name(name) => (name.clone(), &[][..]),
            ExprKind::Call { function, arguments } if function.len() == 1 => (function[0].node.clone(), arguments.as_slice()),
            ExprKind::Broken => return None,
            _ => {
                self.report(
                    bad("a pattern is a literal or one of the patterns that the language has").help("write it in `'…'`, as in `matches '[0-9]{5}'`"),
                );
                return None;
            }
        };
        let Some(builtin) = builtin::find(&name).filter(|builtin| builtin.family == Family::Patterns) else {
            let known: Vec<&str> = builtin::all().filter(|b| b.family == Family::Patterns).map(|b| b.name).collect();
            self.report(
                bad(&format!("there is no pattern `{name}`"))
                    .did_you_mean(&name, pattern.span, known.iter().copied())
                    .help(format!("the patterns are {}", known.join(", "))),
            );
            return None;
        };
        let arguments = self.arguments(builtin, 1, arguments, pattern.span)?;
        let form = key::Pattern::Builtin(builtin.name, arguments.iter().map(TypedExpr::key).collect());
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        Some((Pattern::Builtin { function: BuiltinRef(builtin), arguments }, form))
    }
}

/// `x is present`, with what it tells.
pub(super) fn presence_of(value: TypedExpr, span: Span) -> TypedExpr {
    let key = Key::form("is present", [value.key()]);
    let mut known = value.known_if_present();
    if matches!(value.kind, Kind::List(_)) {
        known.push(Fact::NonEmpty(value.key()));
    }
    // A text that is not there has no wrong form: `x is missing or x matches …` holds `x` to the form.
    let if_false = if value.kind == Kind::Text { vec![Fact::HasForm(value.key())] } else { Vec::new() };
    let mut typed = TypedExpr::new(Expr::IsPresent(Box::new(asked(value.expr))), Kind::Boolean, vec![key], span);
    typed.refinement = Refinement { if_true: known, if_false, presence_only: true };
    typed
}

/// What a comparison says of its sides: present where it holds, and of a number, that it is not 0
/// and a counted list that it is not empty.
fn comparison_truths(op: Compare, left: &TypedExpr, right: &TypedExpr) -> Refinement {
    let mut truths = Refinement::default();
    let sides = [(left, right, op), (right, left, op.mirrored())];
    for (one, other, op) in sides {
        let mut known = Vec::new();
        match op {
            Compare::Equal | Compare::NotEqual if other.presence.is_always() => known = one.known_if_present(),
            Compare::Equal | Compare::NotEqual => {}
            _ => known = one.known_if_present(),
        }
        match op {
            Compare::NotEqual => truths.if_false.extend(known),
            _ => truths.if_true.extend(known),
        }
        let Some(Literal::Number(limit) | Literal::Money(limit)) = other.literal_value() else { continue };
        bounds_of(op, one, *limit, &mut truths);
        let zero = limit.is_zero();
        let excludes_zero = match op {
            Compare::Equal => !zero,
            Compare::NotEqual => zero,
            Compare::Greater => !limit.is_sign_negative() || zero,
            Compare::GreaterOrEqual => limit.is_sign_positive() && !zero,
            Compare::Less => limit.is_sign_negative() || zero,
            Compare::LessOrEqual => limit.is_sign_negative() && !zero,
        };
        let found = |out: &mut Vec<Fact>| {
            out.push(Fact::NonZero(one.key()));
            if let Some(list) = one.key().argument_of("count") {
                out.push(Fact::NonEmpty(list.clone()));
            }
        };
        if excludes_zero {
            found(&mut truths.if_true);
        } else if op == Compare::Equal && zero {
            found(&mut truths.if_false);
        }
    }
    truths
}

/// Between which numbers a value lies where a comparison holds, or where it does not; of `length(x)`, how long `x` is.
fn bounds_of(op: Compare, one: &TypedExpr, limit: rust_decimal::Decimal, truths: &mut Refinement) {
    let whole = one.kind == Kind::Integer;
    let step = rust_decimal::Decimal::ONE;
    let below = if whole { limit - step } else { limit };
    let above = if whole { limit + step } else { limit };
    let key = one.key();
    let least = match op {
        Compare::Equal | Compare::GreaterOrEqual => Some((true, limit)),
        Compare::Greater => Some((true, above)),
        Compare::Less => Some((false, limit)),
        Compare::LessOrEqual => Some((false, above)),
        Compare::NotEqual => None,
    };
    let most = match op {
        Compare::Equal | Compare::LessOrEqual => Some((true, limit)),
        Compare::Less => Some((true, below)),
        Compare::Greater => Some((false, limit)),
        Compare::GreaterOrEqual => Some((false, below)),
        Compare::NotEqual => None,
    };
    if let Some((holds, most)) = most {
        let facts = if holds { &mut truths.if_true } else { &mut truths.if_false };
        facts.push(Fact::AtMost(key.clone(), most));
        if let Some(text) = key.argument_of("length") {
            facts.push(Fact::Short(text.clone(), most));
        }
    }
    if let Some((holds, least)) = least {
        let facts = if holds { &mut truths.if_true } else { &mut truths.if_false };
        facts.push(Fact::AtLeast(key.clone(), least));
    }
}

/// What is true is also there.
fn if_true_present(mut typed: TypedExpr) -> TypedExpr {
    let mut if_true = typed.known_if_present();
    if_true.append(&mut typed.refinement.if_true);
    typed.refinement.if_true = if_true;
    typed
}
