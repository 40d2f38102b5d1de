//! Functions: checked once where they stand, and inlined and checked again at each call with what is
//! known there of their arguments.

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, bounds};
use crate::check::checker::{CheckContext, Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits};
use crate::check::facts::{Presence, Why};
use crate::check::items::What;
use crate::check::key::{self, Fact, Key, Term};
use crate::ir::{Expr, Slot};
use crate::syntax::tree::{self, Argument, ExprKind, Function, TypeExpr, TypeKind};
use crate::syntax::walk;
use crate::value::{Kind, Literal, ObjectRef, Type};

/// Functions that call functions: so deep, and so many in one flow.
const DEEPEST: usize = bounds::CALL_DEPTH;
const MOST: usize = bounds::CALLS;

impl Checker<'_> {
    /// The type that an author wrote.
    pub(super) fn type_expr(&mut self, of: &TypeExpr) -> Type {
        Type { kind: self.type_kind(&of.kind, of.span), nullable: of.nullable }
    }

    fn type_kind(&mut self, kind: &TypeKind, span: Span) -> Kind {
        match kind {
            TypeKind::Word(word) => match simple_kind(&word.node) {
                Some(kind) => kind,
                None => {
                    self.report(error::names::unknown_type(word));
                    Kind::Any
                }
            },
            TypeKind::List(of) => Kind::List(Box::new(self.type_expr(of))),
            TypeKind::Reference { object, connection } => match self.reference(&object.node, &connection.node) {
                Some(of) => Kind::Reference(of),
                None => {
                    self.report(error::names::unknown_connection(&connection.node, connection.span, self.context.environment));
                    Kind::Any
                }
            },
            TypeKind::Path(path) => self.type_path(path, span),
        }
    }

    fn type_path(&mut self, path: &[tree::Name], span: Span) -> Kind {
        let [connection, object, fields @ ..] = path else {
            return path.first().and_then(|word| simple_kind(&word.node)).unwrap_or(Kind::Any);
        };
        let path = tree::ObjectPath { connection: connection.clone(), object: object.clone(), span };
        let Some(mut of) = self.object_path(&path) else { return Kind::Any };
        for (at, name) in fields.iter().enumerate() {
            let Some(object) = self.object(&of) else { return Kind::Any };
            let Some(field) = object.fields.get(&name.node) else {
                self.report(error::names::unknown_source_field(&of, &object, name, false));
                return Kind::Any;
            };
            if at + 1 == fields.len() {
                return field.kind.clone();
            }
            match &field.kind {
                Kind::Object(next) => of = next.clone(),
                Kind::List(next) => match &next.kind {
                    Kind::Object(next) => of = next.clone(),
                    _ => return Kind::Any,
                },
                other => {
                    self.report(error::names::no_fields(&fields[at + 1], name.span, other));
                    return Kind::Any;
                }
            }
        }
        Kind::Object(of)
    }

    /// `crm.Order`, known to its connection.
    pub(super) fn object_path(&mut self, path: &tree::ObjectPath) -> Option<ObjectRef> {
        let (connection, object) = (&path.connection, &path.object);
        if !self.context.environment.connections().iter().any(|known| known.name == connection.node) {
            self.report(error::names::unknown_connection(&connection.node, connection.span, self.context.environment));
            return None;
        }
        let of = ObjectRef::new(connection.node.as_str(), object.node.as_str());
        if self.object(&of).is_none() {
            self.report(error::names::unknown_object(&of, object.span, connection.span.to(object.span), self.context.environment));
            return None;
        }
        Some(of)
    }

    /// A call of a function: its body, with the arguments bound.
    pub(super) fn inline(&mut self, id: usize, piped: Option<&tree::Expr>, arguments: &[Argument], span: Span, want: Option<&Kind>) -> TypedExpr {
        let context = self.context;
        let Some((unit, function)) = context.items.functions.get(id) else { return TypedExpr::erroneous(span) };
        let types: Vec<Type> = {
            let here = std::mem::replace(&mut self.unit, *unit);
            let types = function.parameters.iter().map(|p| self.silently(|checker| checker.type_expr(&p.of))).collect();
            self.unit = here;
            types
        };
        let Some(given) = self.function_arguments(function, &types, piped, arguments, span) else { return TypedExpr::erroneous(span) };
        if self.inside.contains(&id) {
            // Told where the function stands.
            return TypedExpr::erroneous(span);
        }
        self.inlined += 1;
        if self.inside.len() >= DEEPEST || self.inlined > MOST {
            if self.inlined <= MOST + 1 {
                let text = format!("the calls of `{}` and of what it calls are too many", function.name.node);
                self.out.push(
                    Diagnostic::new(Code::Recursion, span, text)
                        .why("each call is worked out by itself, and here they multiply")
                        .help("name what is used often by a `let`"),
                );
            }
            return TypedExpr::erroneous(span);
        }
        let slots: Vec<Slot> = given.iter().map(|_| self.slot()).collect();
        let names = std::mem::take(&mut self.names);
        let words = self.context_vars.split_off(2.min(self.context_vars.len()));
        let outer = (self.unit, self.target.take(), self.index.take(), self.grouped, self.speaks);
        self.unit = *unit;
        self.grouped = false;
        let texts = function.parameters.iter().zip(&given).map(|(p, argument)| (p.name.node.clone(), self.text(argument.span))).collect();
        self.given.push(texts);
        self.calls.push(span);
        self.inside.push(id);
        self.speaks = function.gives.is_none() && matches!(function.body.kind.as_ref(), ExprKind::Object(_)) && self.calls.len() == 1;
        for (((parameter, of), slot), argument) in function.parameters.iter().zip(&types).zip(&slots).zip(&given) {
            let mut value = argument.clone();
            value.kind = if of.kind == Kind::Any { value.kind } else { of.kind.clone() };
            value.span = parameter.name.span;
            if !of.nullable {
                value.presence = Presence::Always;
            }
            if value.elements.is_none() && matches!(value.kind, Kind::List(_)) {
                value = value.with_elements(vec![Key::slot(*slot).elements()], Vec::new(), Presence::Always);
            }
            self.bind_quietly(&parameter.name.node, parameter.name.span, *slot, value, Vec::new());
        }
        let gives = function.gives.as_ref().map(|gives| self.silently(|checker| checker.type_expr(gives)));
        let wanted = gives.as_ref().map(|gives| gives.kind.clone()).filter(|kind| *kind != Kind::Any).or_else(|| want.cloned());
        let first_open = given.first().zip(types.first()).filter(|(given, of)| !of.nullable && !matches!(given.kind, Kind::List(_)));
        let known = first_open.map(|(given, _)| given.known_if_present()).unwrap_or_default();
        let body = self.with_facts(&known, |checker| {
            let body = checker.expr(&function.body, wanted.as_ref());
            if gives.as_ref().is_some_and(|gives| !gives.nullable && !matches!(gives.kind, Kind::List(_))) {
                let (at, name) = (function.body.span, function.name.node.as_str());
                checker.require_present(&body.presence, |gap| error::presence::function_result(name, at, gap));
            }
            TypedExpr { presence: body.presence.under(&checker.facts), ..body }
        });
        self.inside.pop();
        self.calls.pop();
        self.given.pop();
        self.names = names;
        self.context_vars.extend(words);
        (self.unit, self.target, self.index, self.grouped, self.speaks) = outer;
        let kind = match &gives {
            Some(gives) if gives.kind != Kind::Any => gives.kind.clone(),
            _ => body.kind.clone(),
        };
        if body.is_erroneous() {
            return TypedExpr { kind, ..TypedExpr::erroneous(span) };
        }
        let body = coerce(body, &kind);
        let key = Key::new(Term::Call(key::Function::Own(id), given.iter().map(TypedExpr::key).collect()));
        let mut presence = vec![body.presence.clone()];
        let mut expr = body.expr;
        if let (Some((first, _)), Some(slot)) = (first_open, slots.first()) {
            if !first.presence.is_always() {
                let name = function.parameters[0].name.node.as_str();
                expr = Expr::If {
                    condition: Box::new(Expr::Slot { slot: *slot, name: name.into() }.is_present()),
                    then: Box::new(expr),
                    otherwise: Box::new(Expr::Literal(Literal::Missing)),
                };
            }
            presence.push(first.presence.clone());
        }
        for ((parameter, slot), argument) in function.parameters.iter().zip(&slots).zip(given).rev() {
            expr = Expr::Bind { slot: *slot, name: parameter.name.node.as_str().into(), value: Box::new(argument.expr), body: Box::new(expr) };
        }
        let presence = Presence::all(presence);
        let presence = presence.named(vec![key.clone()]);
        let mut typed = TypedExpr::new(expr, kind, vec![key.clone()], span).present_if(presence);
        (typed.longest, typed.places, typed.extent) = (body.longest, body.places, body.extent);
        if matches!(typed.kind, Kind::List(_)) {
            let element = body.elements.as_ref().map_or(Presence::Always, |elements| elements.presence.clone());
            typed = typed.with_elements(vec![key.elements()], Vec::new(), element);
        }
        typed
    }

    fn function_arguments(
        &mut self,
        function: &Function,
        types: &[Type],
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
    ) -> Option<Vec<TypedExpr>> {
        let name = function.name.node.as_str();
        let mut given: Vec<Option<TypedExpr>> = vec![None; function.parameters.len()];
        let mut failed = false;
        let mut next = 0;
        let all = piped.map(|value| (None, value)).into_iter().chain(arguments.iter().map(|a| (a.name.as_ref(), &a.value)));
        for (named, value) in all {
            let place = match named {
                Some(word) => match function.parameters.iter().position(|p| p.name.node == word.node) {
                    Some(place) => place,
                    None => {
                        let known: Vec<&str> = function.parameters.iter().map(|p| p.name.node.as_str()).collect();
                        self.report(error::types::unknown_argument(name, word, &known));
                        failed = true;
                        continue;
                    }
                },
                None => {
                    next += 1;
                    next - 1
                }
            };
            let Some(of) = types.get(place) else {
                let count = arguments.len() + usize::from(piped.is_some());
                self.report(error::types::argument_count(name, types.len(), count, span).other(function.name.span, "the function"));
                return None;
            };
            let parameter = &function.parameters[place];
            let typed = self.expr(value, Some(&of.kind));
            if typed.is_erroneous() {
                failed = true;
                continue;
            }
            if !fits(&typed.kind, &of.kind) {
                self.report(error::types::wrong_function_argument(name, &parameter.name, &of.kind, &typed, &self.text(typed.span)));
                failed = true;
                continue;
            }
            if place > 0 && !of.nullable && !matches!(of.kind, Kind::List(_)) {
                let at = typed.span;
                let owner = parameter.name.clone();
                let fallback = self.with_fallback(at, None, &typed.kind);
                self.require_present(&typed.presence, |gap| {
                    error::presence::argument(name, &owner.node, at, fallback, gap).other(owner.span, "this parameter takes no missing value")
                });
            }
            given[place] = Some(coerce(typed, &of.kind));
        }
        let mut out = Vec::new();
        for ((slot, parameter), of) in given.into_iter().zip(&function.parameters).zip(types) {
            match (slot, &parameter.default) {
                (Some(typed), _) => out.push(typed),
                (None, Some(default)) => {
                    let typed = self.expr(default, Some(&of.kind));
                    out.push(coerce(typed, &of.kind));
                }
                (None, None) if of.nullable => {
                    let missing = TypedExpr::literal(Literal::Missing, of.kind.clone(), span);
                    let gap = Presence::gap_of(Vec::new(), parameter.name.node.as_str(), span, Why::Declared);
                    out.push(missing.present_if(gap));
                }
                (None, None) if failed => return None,
                (None, None) => {
                    let count = arguments.len() + usize::from(piped.is_some());
                    self.report(error::types::argument_missing(name, &parameter.name.node, count, span).other(function.name.span, "the function"));
                    return None;
                }
            }
        }
        (!failed).then_some(out)
    }
}

/// Checks every function where it stands: all but what may be missing, which its calls tell.
pub(super) fn check(context: &CheckContext<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (id, (unit, function)) in context.items.functions.iter().enumerate() {
        if let Some(cycle) = cycle(context, id) {
            // A circle is said once, at the function of it that stands first.
            if cycle.iter().any(|other| *other < id) {
                continue;
            }
            let names: Vec<&str> = cycle.iter().map(|id| context.items.functions[*id].1.name.node.as_str()).collect();
            out.push(error::names::recursion(&function.name, &names));
            continue;
        }
        let mut checker = Checker::new(context, *unit);
        checker.lenient = true;
        checker.inside.push(id);
        for parameter in &function.parameters {
            let of = checker.type_expr(&parameter.of);
            let slot = checker.slot();
            let key = Key::slot(slot);
            let mut value = TypedExpr::erroneous(parameter.name.span);
            value.kind = of.kind.clone();
            value.keys = vec![key.clone()];
            if of.nullable {
                value.presence = Presence::gap_of(vec![Fact::Present(key.clone())], parameter.name.node.as_str(), parameter.name.span, Why::Declared);
            }
            if matches!(of.kind, Kind::List(_)) {
                value = value.with_elements(vec![key.elements()], Vec::new(), Presence::Always);
            }
            if let Some(default) = &parameter.default {
                let typed = checker.expr(default, Some(&of.kind));
                if !fits(&typed.kind, &of.kind) {
                    checker.report(error::types::mismatch(typed.span, &typed.kind, &of.kind));
                }
            }
            checker.bind(&parameter.name.node, parameter.name.span, slot, value);
        }
        let gives = function.gives.as_ref().map(|gives| checker.type_expr(gives));
        let body = checker.expr(&function.body, gives.as_ref().map(|gives| &gives.kind));
        if let Some(gives) = gives
            && !fits(&body.kind, &gives.kind)
        {
            let given = function.gives.as_ref().map_or(function.name.span, |gives| gives.span);
            checker.report(error::types::mismatch(body.span, &body.kind, &gives.kind).other(given, "the type that the function gives"));
        }
        out.append(&mut checker.out);
    }
    out
}

/// The way from a function back to itself.
fn cycle(context: &CheckContext<'_>, start: usize) -> Option<Vec<usize>> {
    fn walk(context: &CheckContext<'_>, at: usize, start: usize, path: &mut Vec<usize>, seen: &mut Vec<usize>) -> bool {
        path.push(at);
        seen.push(at);
        let (unit, function) = &context.items.functions[at];
        for next in called(context, *unit, &function.body) {
            if next == start {
                return true;
            }
            if !seen.contains(&next) && walk(context, next, start, path, seen) {
                return true;
            }
        }
        path.pop();
        false
    }
    let mut path = Vec::new();
    walk(context, start, start, &mut path, &mut Vec::new()).then_some(path)
}

/// The functions that an expression calls.
fn called(context: &CheckContext<'_>, unit: usize, body: &tree::Expr) -> Vec<usize> {
    let mut out = Vec::new();
    walk::expr(body, &mut |expr| {
        if let ExprKind::Call { function, .. } | ExprKind::Pipe { function, .. } = expr.kind.as_ref()
            && let Some(What::Function(id)) = context.items.find(unit, function)
        {
            out.push(id);
        }
    });
    out
}

fn simple_kind(word: &str) -> Option<Kind> {
    Some(match word {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "decimal" => Kind::Decimal,
        "money" => Kind::Money,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date,
        "time" => Kind::Time,
        "datetime" => Kind::Datetime,
        "duration" => Kind::Duration,
        "weight" => Kind::Weight,
        "length" => Kind::Length,
        "json" => Kind::Json,
        _ => return None,
    })
}
