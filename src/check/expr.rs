//! Expressions: names, paths, operators. Each gets a kind, a formula of when it is present, and its
//! place in the typed tree. Calls and lists stand in `calls` and `lists`.

use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, bounds};
use crate::builtin::{self};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::extent::{ENDLESS, Extent, Open, Unit};
use crate::check::facts::{Presence, Why};
use crate::check::key::{self, Key, Step, Tail, Term};
use crate::ir::{Compare, Expr, Part};
use crate::syntax::habits;
use crate::syntax::tree::{self, BinaryOp, ExprKind, TextPart};
use crate::value::{Enumeration, Kind, LengthUnit, Literal, ObjectRef, WeightUnit, seconds_of};

/// Levels of expressions inside expressions, those of called functions counted in.
const DEEPEST: usize = bounds::EXPRESSION_DEPTH;

impl Checker<'_> {
    /// Checks an expression. `want` is the kind that its place takes, which gives bare names and
    /// literals their meaning; whether the kind fits is for the caller.
    pub(super) fn expr(&mut self, expr: &tree::Expr, want: Option<&Kind>) -> TypedExpr {
        if self.depth >= DEEPEST {
            self.out.push(
                Diagnostic::new(Code::TooDeep, expr.span, format!("this is nested deeper than {DEEPEST} levels"))
                    .help("name the inner part by a `let`"),
            );
            return TypedExpr::erroneous(expr.span);
        }
        self.visited += 1;
        if self.visited > bounds::EXPRESSIONS {
            return self.too_large(expr.span);
        }
        self.depth += 1;
        let typed = self.expr_of(expr, want);
        self.depth -= 1;
        typed
    }

    /// What names and functions stand for has multiplied beyond what is taken. It is told once.
    pub(super) fn too_large(&mut self, span: Span) -> TypedExpr {
        if !std::mem::replace(&mut self.too_large, true) {
            let at = self.calls.first().copied().unwrap_or(span);
            self.out.push(error::types::too_large(at));
        }
        TypedExpr::erroneous(span)
    }

    fn expr_of(&mut self, expr: &tree::Expr, want: Option<&Kind>) -> TypedExpr {
        let span = expr.span;
        match expr.kind.as_ref() {
            ExprKind::Name(name) => self.name(name, span, want),
            ExprKind::Field { base, field } => self.field(base, field, span),
            ExprKind::Text(text) => self.text_literal(text, span, want),
            ExprKind::Number(number) => number_literal(*number, span),
            ExprKind::Boolean(truth) => TypedExpr::literal(Literal::Boolean(*truth), Kind::Boolean, span),
            ExprKind::Time(time) => TypedExpr::literal(Literal::Time(*time), Kind::Time, span),
            ExprKind::Quantity { number, unit } => self.quantity(*number, unit, span),
            ExprKind::Call { function, arguments } => self.call(function, None, arguments, span, want),
            ExprKind::Pipe { value, function, arguments } => self.call(function, Some(value), arguments, span, want),
            ExprKind::Fallback { value, fallback } => self.fallback(value, fallback, span, want),
            ExprKind::JsonPath { value, path } => self.json_path(value, path, span),
            ExprKind::Unit { value, unit } => self.unit(value, unit, span),
            ExprKind::Negate(value) => self.negate(value, span),
            ExprKind::Not(value) => self.not(value, span),
            ExprKind::Binary { op, left, right } => match op.node {
                BinaryOp::And | BinaryOp::Or => self.junction(op.node, left, right, span),
                BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Add | BinaryOp::Subtract => self.arithmetic(op, left, right, span),
                BinaryOp::Equal => self.compare(Compare::Equal, left, right, span),
                BinaryOp::NotEqual => self.compare(Compare::NotEqual, left, right, span),
                BinaryOp::Less => self.compare(Compare::Less, left, right, span),
                BinaryOp::LessOrEqual => self.compare(Compare::LessOrEqual, left, right, span),
                BinaryOp::Greater => self.compare(Compare::Greater, left, right, span),
                BinaryOp::GreaterOrEqual => self.compare(Compare::GreaterOrEqual, left, right, span),
            },
            ExprKind::In { value, list, negated } => self.is_in(value, list, *negated, span),
            ExprKind::Matches { value, pattern } => self.matches(value, pattern, span),
            ExprKind::IsPresent(value) => self.is_present(value, span),
            ExprKind::IsMissing(value) => self.is_missing(value, span),
            ExprKind::WasSent(value) => self.was_sent(value, span),
            ExprKind::Reaches { .. } => self.reaches_nowhere(span),
            ExprKind::If { condition, then, otherwise } => self.branch(condition, then, otherwise.as_ref(), span, want),
            ExprKind::Each { generators, condition, rows } => self.each(generators, condition.as_ref(), rows.as_deref(), span, want),
            ExprKind::Aggregate { function, value, generators, condition, arguments } => {
                self.aggregate(function, value, generators, condition.as_ref(), arguments, span)
            }
            ExprKind::Group { list, by } => self.group(list, by, span),
            ExprKind::Sort { list, by, descending } => self.sort(list, by.as_ref(), *descending, span),
            ExprKind::Distinct(list) => self.list_call("distinct", list, span),
            ExprKind::Flatten(list) => self.list_call("flatten", list, span),
            ExprKind::Object(rows) => self.object_literal(rows, span, want),
            ExprKind::List(items) => self.list_literal(items, span, want),
            ExprKind::Paren(inner) => self.brackets(inner, span, want),
            ExprKind::Broken => TypedExpr::erroneous(span),
        }
    }

    fn brackets(&mut self, inner: &tree::Expr, span: Span, want: Option<&Kind>) -> TypedExpr {
        let mut typed = self.expr(inner, want);
        typed.span = span;
        typed
    }

    fn not(&mut self, value: &tree::Expr, span: Span) -> TypedExpr {
        let value = self.condition(value);
        let key = Key::form("not", [value.key()]);
        let mut typed = TypedExpr::new(Expr::Not(Box::new(value.expr)), Kind::Boolean, vec![key], span);
        typed.refinement = value.refinement.not();
        typed.present_if(value.presence)
    }

    fn is_missing(&mut self, value: &tree::Expr, span: Span) -> TypedExpr {
        let present = self.is_present(value, span);
        let key = Key::form("not", [present.key()]);
        let mut typed = TypedExpr::new(Expr::Not(Box::new(present.expr)), Kind::Boolean, vec![key], span);
        typed.refinement = present.refinement.not();
        typed
    }

    fn was_sent(&mut self, value: &tree::Expr, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let key = Key::form("was sent", [value.key()]);
        TypedExpr::new(Expr::WasSent(Box::new(value.expr)), Kind::Boolean, vec![key], span)
    }

    fn reaches_nowhere(&mut self, span: Span) -> TypedExpr {
        self.report(
            Diagnostic::new(Code::BadMilestone, span, "`reaches` stands only in the `when` of a create")
                .help("write `create … when count() reaches (10, 50)`"),
        );
        TypedExpr::erroneous(span)
    }

    // ---- literals

    fn text_literal(&mut self, text: &tree::TextLiteral, span: Span, want: Option<&Kind>) -> TypedExpr {
        let Some(plain) = text.plain() else {
            self.looks_like_shell(text, span);
            return self.template(text, span, false);
        };
        match want {
            Some(Kind::Enumeration(of)) => match of.resolve(&plain) {
                Some(value) => TypedExpr::literal(Literal::Text(value.to_owned()), Kind::Enumeration(Arc::clone(of)), span),
                None if of.open => {
                    self.report(error::names::not_known_value(&plain, span, of));
                    TypedExpr::literal(Literal::Text(plain), Kind::Enumeration(Arc::clone(of)), span)
                }
                None => {
                    self.report(error::names::unknown_value(&plain, span, of, None));
                    TypedExpr::erroneous(span)
                }
            },
            Some(Kind::Reference(of)) => self.named(&plain, of, span),
            _ => {
                self.looks_like_code(text, &plain, span);
                TypedExpr::literal(Literal::Text(plain), Kind::Text, span)
            }
        }
    }

    /// A named thing of a connection by a constant name, looked up in the snapshot.
    pub(super) fn named(&mut self, name: &str, of: &ObjectRef, span: Span) -> TypedExpr {
        if let Some(names) = self.context.environment.names(of) {
            match names.names.iter().filter(|known| known.name == name).count() {
                1 => {}
                0 => {
                    self.report(error::names::unknown_reference(name, span, of, &names));
                    return TypedExpr::erroneous(span);
                }
                _ => {
                    self.report(error::names::two_of_a_name(name, span, of));
                    return TypedExpr::erroneous(span);
                }
            }
        } else if self.context.environment.has_names(&of.connection) {
            self.report(error::names::no_names_of_kind(name, span, of));
            return TypedExpr::erroneous(span);
        }
        let expr = Expr::Named { of: of.clone(), name: name.to_owned() };
        TypedExpr::new(expr, Kind::Reference(of.clone()), vec![Key::new(Term::Named(of.clone(), name.to_owned()))], span)
    }

    /// Text with expressions in it. In a message a missing part prints as `(none)`.
    pub(super) fn template(&mut self, text: &tree::TextLiteral, span: Span, message: bool) -> TypedExpr {
        let mut parts = Vec::new();
        let mut presence = Vec::new();
        let (mut said, mut longest, mut open) = (Vec::new(), Some(0_usize), None);
        for part in &text.parts {
            match part {
                TextPart::Text(text) => {
                    said.push(key::Part::Text(text.clone()));
                    longest = longest.map(|sum| sum.saturating_add(text.chars().count()));
                    parts.push(Part::Text(text.clone()));
                }
                TextPart::Expr(expr) => {
                    let typed = self.expr(expr, None);
                    if matches!(typed.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_)) {
                        self.report(error::types::not_printable(&typed));
                    }
                    said.push(key::Part::Value(typed.key()));
                    longest = longest.zip(typed.longest).map(|(sum, more)| sum.saturating_add(more));
                    // Of several texts together nobody has said how long they are; of one, its own field has.
                    open = open.or(typed.extent.open.filter(|open| *open != Open::File));
                    presence.push(typed.presence);
                    parts.push(Part::Expr(typed.expr));
                }
            }
        }
        if let [Part::Text(text)] = parts.as_slice() {
            return TypedExpr::literal(Literal::Text(text.clone()), Kind::Text, span);
        }
        let presence = if message { Presence::Always } else { Presence::all(presence) };
        let mut typed =
            TypedExpr::new(Expr::Template { parts, message }, Kind::Text, vec![Key::new(Term::Template(said))], span).present_if(presence);
        (typed.longest, typed.extent.open) = (longest, open);
        typed
    }

    /// A message for people: any value that prints, never missing.
    pub(super) fn message(&mut self, expr: &tree::Expr) -> Expr {
        if let ExprKind::Text(text) = expr.kind.as_ref() {
            if let Some(plain) = text.plain().filter(|_| text.raw) {
                self.looks_like_code(text, &plain, expr.span);
            }
            return self.template(text, expr.span, true).expr;
        }
        let typed = self.expr(expr, None);
        if !matches!(typed.kind, Kind::Text | Kind::Any | Kind::Enumeration(_)) {
            self.report(error::types::mismatch(typed.span, &typed.kind, &Kind::Text));
        }
        Expr::Template { parts: vec![Part::Expr(typed.expr)], message: true }
    }

    fn quantity(&mut self, number: rust_decimal::Decimal, unit: &tree::Name, span: Span) -> TypedExpr {
        if let Some(duration) = duration(number, &unit.node) {
            return TypedExpr::literal(Literal::Duration(duration), Kind::Duration, span);
        }
        if let Some(unit) = WeightUnit::parse(&unit.node) {
            return TypedExpr::literal(Literal::Weight(number, unit), Kind::Weight, span);
        }
        if let Some(unit) = LengthUnit::parse(&unit.node) {
            return TypedExpr::literal(Literal::Length(number, unit), Kind::Length, span);
        }
        // Codes are written in capitals, so that `5 all` is no amount in Albanian lek.
        let code = builtin::currency_code(&unit.node).filter(|_| unit.node.bytes().all(|byte| byte.is_ascii_uppercase()));
        if let Some(code) = code {
            return TypedExpr::literal(Literal::Amount(number, code.to_string()), Kind::Money, span);
        }
        self.report(error::names::unknown_unit(unit));
        TypedExpr::erroneous(span)
    }

    fn unit(&mut self, value: &tree::Expr, unit: &tree::Name, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let weight = WeightUnit::parse(&unit.node);
        let length = LengthUnit::parse(&unit.node);
        if weight.is_none() && length.is_none() {
            match habits::type_word(&unit.node) {
                Some(of) => {
                    let write = self.in_place(span, &format!("{} | {of}", self.text(value.span)));
                    self.report(
                        Diagnostic::new(Code::UnknownUnit, unit.span, format!("`{}` is no unit: a value is converted by a function", unit.node))
                            .mend(format!("write `{write}`"), span, write),
                    );
                }
                None => self.report(error::names::unknown_unit(unit)),
            }
            return TypedExpr::erroneous(span);
        }
        let kind = if weight.is_some() { Kind::Weight } else { Kind::Length };
        self.unit_by_name(&value, unit);
        match &value.kind {
            Kind::Integer | Kind::Decimal => {}
            Kind::Any => return TypedExpr::erroneous(span),
            Kind::Weight | Kind::Length => {
                self.report(error::types::has_a_unit(&value, &unit.node, kind == value.kind));
                return TypedExpr::erroneous(span);
            }
            other => {
                self.report(error::types::mismatch(value.span, other, &Kind::Decimal));
                return TypedExpr::erroneous(span);
            }
        }
        let keys = value.keys.iter().map(|key| key.then(Step::Unit(unit.node.clone()))).collect();
        let boxed = Box::new(value.expr);
        let expr = match (weight, length) {
            (Some(unit), _) => Expr::Weigh { value: boxed, unit },
            (None, Some(unit)) => Expr::Measure { value: boxed, unit },
            // One of them is some: told above.
            (None, None) => return TypedExpr::erroneous(span),
        };
        let mut typed = TypedExpr::new(expr, kind, keys, span).present_if(value.presence);
        (typed.places, typed.extent) = (value.places, Extent { unit: Unit::parse(&unit.node), ..value.extent });
        typed
    }

    fn negate(&mut self, value: &tree::Expr, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        match &value.kind {
            Kind::Any => return value,
            Kind::Integer | Kind::Decimal | Kind::Money | Kind::Duration | Kind::Weight | Kind::Length => {}
            other => {
                self.report(error::types::mismatch(value.span, other, &Kind::Decimal));
                return TypedExpr::erroneous(span);
            }
        }
        if let Some(Literal::Number(number)) = value.literal_value() {
            return TypedExpr::literal(Literal::Number(-*number), value.kind.clone(), span);
        }
        let keys = value.keys.iter().cloned().map(|key| Key::form("negate", [key])).collect();
        let mut typed = TypedExpr::new(Expr::Negate(Box::new(value.expr)), value.kind, keys, span).present_if(value.presence);
        (typed.places, typed.extent) = (value.places, value.extent.negated());
        typed
    }

    fn json_path(&mut self, value: &tree::Expr, path: &tree::Name, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        match jsonpath_rust::parser::parse_json_path(&path.node) {
            Err(reason) => {
                self.report(Diagnostic::new(Code::BadJsonPath, path.span, "this JSONPath cannot be read").why(reason.to_string()));
                return TypedExpr::erroneous(span);
            }
            Ok(parsed) => {
                if let Some(of) = super::json_path::refused(&parsed) {
                    self.report(Diagnostic::new(Code::BadJsonPath, path.span, of.what).help(of.help));
                    return TypedExpr::erroneous(span);
                }
            }
        }
        if !matches!(value.kind, Kind::Json | Kind::Any | Kind::Object(_)) {
            self.report(Diagnostic::new(
                Code::BadJsonPath,
                value.span,
                format!("a JSONPath reads `json`, and this is {}", error::types::a(&value.kind)),
            ));
            return TypedExpr::erroneous(span);
        }
        let keys: Vec<Key> = value.keys.iter().map(|key| key.then(Step::JsonPath(path.node.clone()))).collect();
        let kind = Kind::List(Box::new(crate::value::Type::some(Kind::Json)));
        let expr = Expr::JsonPath { value: Box::new(value.expr), path: path.node.clone() };
        let elements = keys.iter().map(Key::elements).collect();
        TypedExpr::new(expr, kind, keys, span).with_elements(elements, Vec::new(), Presence::Always)
    }

    // ---- choices

    fn fallback(&mut self, value: &tree::Expr, fallback: &tree::Expr, span: Span, want: Option<&Kind>) -> TypedExpr {
        let left = self.expr(value, want);
        self.brackets_wanted(value, fallback, &left, span);
        let hint = want.cloned().or_else(|| hint(&left.kind, fallback));
        let right = self.expr(fallback, hint.as_ref());
        // A field that is always there by its schema may be blank all the same in what no system holds to it.
        let promised = self.is_only_promised(&left.expr);
        if !left.is_erroneous() && left.presence.open(&self.facts).is_none() && !matches!(left.kind, Kind::List(_)) && !self.lenient && !promised {
            self.report(error::types::useless_fallback(&left, fallback.span, &self.text(left.span)));
        }
        let Some((left, right, kind)) = self.unify(left, right) else { return TypedExpr::erroneous(span) };
        let own = Key::form("fallback", [left.key(), right.key()]);
        let presence = if right.presence.is_always() || left.presence.is_always() {
            Presence::Always
        } else {
            Presence::any(vec![left.presence.clone(), right.presence.clone()]).named(vec![own.clone()])
        };
        let expr = Expr::Fallback { value: Box::new(asked(left.expr.clone())), fallback: Box::new(right.expr.clone()) };
        let mut typed = TypedExpr::new(expr, kind, vec![own.clone()], span).present_if(presence);
        typed.longest = left.longest.zip(right.longest).map(|(a, b)| a.max(b));
        typed.places = more_places(left.places, right.places);
        typed.extent = left.extent.either(&right.extent);
        if matches!(typed.kind, Kind::List(_)) {
            typed = typed.with_elements(vec![own.elements()], Vec::new(), Presence::all([left.element_presence(), right.element_presence()]));
        }
        typed
    }

    /// A field that its schema says is always there, of records that no system holds to their schema (files), or whose schema was inferred.
    fn is_only_promised(&self, expr: &Expr) -> bool {
        let mut expr = expr;
        while let Expr::Coerce { value, .. } = expr {
            expr = value;
        }
        let Expr::Field { base, held: true, .. } = expr else { return false };
        let of = match base.as_ref() {
            Expr::Field { kind: Kind::Object(of), .. } => Some(of),
            Expr::Slot { slot, .. } => self.names.iter().find_map(|binding| match (&binding.value.expr, &binding.value.kind) {
                (Expr::Slot { slot: own, .. }, Kind::Object(of)) if own == slot => Some(of),
                _ => None,
            }),
            _ => None,
        };
        of.and_then(|of| self.object(of)).is_some_and(|object| object.system == "files" || object.source.contains("inferred"))
    }

    fn branch(&mut self, condition: &tree::Expr, then: &tree::Expr, otherwise: Option<&tree::Expr>, span: Span, want: Option<&Kind>) -> TypedExpr {
        if let Some(nothing) = otherwise
            && let ExprKind::Name(name) = nothing.kind.as_ref()
            && habits::is_nothing(name)
            && self.find(name).is_none()
        {
            let tail = Span::new(span.file, then.span.end as usize, nothing.span.end as usize);
            self.report(error::names::nothing(name, nothing.span).mend("leave the `else` out", tail, ""));
            return TypedExpr::erroneous(span);
        }
        let condition = self.condition(condition);
        self.always_alike(&condition, "the other branch is never taken");
        let (yes, no) = (condition.refinement.if_true.clone(), condition.refinement.if_false.clone());
        let then = self.with_facts(&yes, |checker| {
            let mut typed = checker.expr(then, want);
            typed.presence = typed.presence.under(&checker.facts);
            typed
        });
        let hint = want.cloned().or_else(|| hint(&then.kind, otherwise?));
        let other = match otherwise {
            Some(otherwise) => self.with_facts(&no, |checker| {
                let mut typed = checker.expr(otherwise, hint.as_ref());
                typed.presence = typed.presence.under(&checker.facts);
                typed
            }),
            None => {
                let gap = Presence::gap(Vec::new(), span, Why::Declared);
                TypedExpr::new(Expr::Literal(Literal::Missing), then.kind.clone(), vec![Key::new(Term::Literal(Literal::Missing))], span)
                    .present_if(gap)
            }
        };
        let Some((then, other, kind)) = self.unify(then, other) else { return TypedExpr::erroneous(span) };
        let key = Key::form("if", [condition.key(), then.key(), other.key()]);
        let parts = Presence::all([then.presence.clone(), other.presence.clone()]);
        let presence = parts.named(vec![key.clone()]);
        let longest = then.longest.zip(other.longest).map(|(a, b)| a.max(b));
        let (longest, places, extent) = match otherwise {
            Some(_) => (longest, more_places(then.places, other.places), then.extent.either(&other.extent)),
            None => (then.longest, then.places, then.extent.clone()),
        };
        let elements = Presence::all([then.element_presence(), other.element_presence()]);
        let expr = Expr::If { condition: Box::new(condition.expr), then: Box::new(then.expr), otherwise: Box::new(other.expr) };
        let mut typed = TypedExpr::new(expr, kind, vec![key.clone()], span).present_if(presence);
        (typed.longest, typed.places, typed.extent) = (longest, places, extent);
        if matches!(typed.kind, Kind::List(_)) {
            typed = typed.with_elements(vec![key.elements()], Vec::new(), elements);
            typed.presence = Presence::Always;
        }
        typed
    }

    /// Two branches of one value under one kind.
    fn unify(&mut self, left: TypedExpr, right: TypedExpr) -> Option<(TypedExpr, TypedExpr, Kind)> {
        if left.is_erroneous() || right.is_erroneous() {
            return None;
        }
        if left.kind == right.kind {
            let kind = left.kind.clone();
            return Some((left, right, kind));
        }
        let kind = match (&left.kind, &right.kind) {
            (Kind::Integer, Kind::Decimal) | (Kind::Decimal, Kind::Integer) => Kind::Decimal,
            (Kind::Money, Kind::Integer | Kind::Decimal) if right.literal_value().is_some() => Kind::Money,
            (Kind::Integer | Kind::Decimal, Kind::Money) if left.literal_value().is_some() => Kind::Money,
            (Kind::Text | Kind::Enumeration(_), Kind::Text | Kind::Enumeration(_)) => Kind::Text,
            (Kind::Row(_), Kind::Object(of)) | (Kind::Object(of), Kind::Row(_)) => Kind::Object(of.clone()),
            (Kind::List(a), Kind::List(b)) if fits(&b.kind, &a.kind) => left.kind.clone(),
            (Kind::List(a), Kind::List(b)) if fits(&a.kind, &b.kind) => right.kind.clone(),
            _ => {
                self.report(error::types::branches_differ(&left, &right));
                return None;
            }
        };
        Some((coerce(left, &kind), coerce(right, &kind), kind))
    }
}

impl TypedExpr {
    /// A cell of a table, or what a value map gives: it holds the name of a thing, and the thing itself is meant.
    #[must_use]
    pub(super) fn thing_of_its_name(mut self) -> Self {
        if matches!(self.kind, Kind::Reference(_)) {
            self.expr = Expr::Coerce { value: Box::new(self.expr), kind: self.kind.clone() };
        }
        self
    }

    #[must_use]
    pub(super) fn with_elements(mut self, keys: Vec<Key>, facts: Vec<Tail>, presence: Presence) -> Self {
        self.elements = Some(std::sync::Arc::new(crate::check::checker::Elements { keys, facts, presence, sources: Vec::new() }));
        self
    }

    pub(super) fn element_presence(&self) -> Presence {
        self.elements.as_ref().map_or(Presence::Always, |elements| elements.presence.clone())
    }
}

/// What the kind of one branch makes of the other; a text that is no value of an enumeration is text.
fn hint(kind: &Kind, other: &tree::Expr) -> Option<Kind> {
    match (kind, other.kind.as_ref()) {
        (Kind::Enumeration(of), ExprKind::Text(text)) if text.plain().is_none_or(|text| of.resolve(&text).is_none()) => None,
        (Kind::Enumeration(_) | Kind::Reference(_), _) => Some(kind.clone()),
        _ => None,
    }
}

/// The larger number of places; one that does not end is that, whatever the other is.
fn more_places(left: Option<u32>, right: Option<u32>) -> Option<u32> {
    match (left, right) {
        (Some(ENDLESS), _) | (_, Some(ENDLESS)) => Some(ENDLESS),
        (left, right) => left.zip(right).map(|(a, b)| a.max(b)),
    }
}

fn number_literal(number: rust_decimal::Decimal, span: Span) -> TypedExpr {
    let kind = if number.scale() == 0 { Kind::Integer } else { Kind::Decimal };
    TypedExpr::literal(Literal::Number(number), kind, span)
}

/// The length of `3 days`; `None` where the word is no span of time.
pub(super) fn duration(number: rust_decimal::Decimal, unit: &str) -> Option<jiff::SignedDuration> {
    use rust_decimal::prelude::ToPrimitive;
    let milliseconds = number.checked_mul(rust_decimal::Decimal::from(seconds_of(unit)? * 1_000))?.to_i64()?;
    Some(jiff::SignedDuration::from_millis(milliseconds))
}

/// A value of `kind` can stand where `wanted` is taken.
pub(super) fn fits(kind: &Kind, wanted: &Kind) -> bool {
    match (kind, wanted) {
        (Kind::Any, _) | (_, Kind::Any) => true,
        (Kind::Enumeration(_), Kind::Text) | (Kind::Integer, Kind::Decimal) => true,
        (Kind::Enumeration(a), Kind::Enumeration(b)) => a == b || within(a, b),
        (Kind::List(a), Kind::List(b)) => fits(&a.kind, &b.kind),
        (a, b) => a == b,
    }
}

/// Every value of `inner` is one of `outer`.
pub(super) fn within(inner: &Enumeration, outer: &Enumeration) -> bool {
    outer.open || (!inner.open && inner.names().all(|name| outer.names().any(|known| known == name)))
}

/// The value under another kind that it fits.
pub(super) fn coerce(mut typed: TypedExpr, kind: &Kind) -> TypedExpr {
    if typed.kind == *kind || typed.is_erroneous() {
        return typed;
    }
    let scalar = !matches!(kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Any);
    match (&typed.expr, kind) {
        (Expr::Literal(Literal::Number(number)), Kind::Money) => typed.expr = Expr::Literal(Literal::Money(*number)),
        (Expr::Literal(_), _) => {}
        _ if scalar => typed.expr = Expr::Coerce { value: Box::new(typed.expr), kind: kind.clone() },
        _ => {}
    }
    typed.kind = kind.clone();
    typed
}

/// An expression of which the mapping asks whether it is there: what stands on the way to it may be blank, whatever the schema says.
pub(super) fn asked(mut expr: Expr) -> Expr {
    fn ask(expr: &mut Expr) {
        match expr {
            Expr::Field { base, held, .. } => {
                *held = false;
                ask(base);
            }
            Expr::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(|expr| ask(expr)),
            Expr::Coerce { .. }
            | Expr::Negate(_)
            | Expr::Values { .. }
            | Expr::JsonPath { .. }
            | Expr::Weigh { .. }
            | Expr::Measure { .. }
            | Expr::LookUpName { .. }
            | Expr::Call { .. }
            | Expr::Table { .. }
            | Expr::Bind { .. }
            | Expr::Fallback { .. }
            | Expr::Arithmetic { .. }
            | Expr::Template { .. } => expr.parts_mut(&mut ask),
            _ => {}
        }
    }
    ask(&mut expr);
    expr
}
