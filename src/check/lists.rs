//! Lists: `each`, aggregates, `group`, `sort`, records of a group.

use std::sync::Arc;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{self, Builtin, BuiltinRef, Gives};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::extent::{ENDLESS, Extent};
use crate::check::facts::{Presence, Why};
use crate::check::key::{Fact, Key, Term};
use crate::ir::{Expr, Generator, Slot};
use crate::syntax::tree::{self, Argument, ExprKind, FieldRow, GroupList};
use crate::syntax::walk;
use crate::value::{Column, Kind, Literal, Type};

impl Checker<'_> {
    /// Gives the names of generators; call it inside [`Checker::scoped`]. The last of them counts for `index`.
    pub(super) fn generators(&mut self, generators: &[tree::Generator]) -> Vec<Generator> {
        let mut out = Vec::new();
        for generator in generators {
            let list = self.expr(&generator.list, None);
            let list = self.need_list(list, &generator.list);
            self.ranged.clone_from(&list.keys);
            let slot = self.slot();
            let index = self.slot();
            let element = self.element(&list, slot, generator);
            self.bind(&generator.name.node, generator.name.span, slot, element);
            self.index = Some((index, false));
            out.push(Generator { slot, name: generator.name.node.clone(), list: list.expr, optional: generator.optional, index: Some(index) });
        }
        out
    }

    fn need_list(&mut self, list: TypedExpr, written: &tree::Expr) -> TypedExpr {
        match list.kind {
            Kind::List(_) | Kind::Any => list,
            _ => {
                let text = self.text(written.span);
                self.report(error::types::not_a_list(&list, &text));
                TypedExpr::erroneous(written.span)
            }
        }
    }

    /// An element of a list, with all that is known of each.
    fn element(&mut self, list: &TypedExpr, slot: Slot, generator: &tree::Generator) -> TypedExpr {
        let own = Key::slot(slot);
        let name = generator.name.node.as_str();
        let kind = match &list.kind {
            Kind::List(of) => of.kind.clone(),
            _ => Kind::Any,
        };
        let mut keys = vec![own.clone()];
        let mut presence = Presence::Always;
        if let Some(elements) = &list.elements {
            for tail in &elements.facts {
                self.facts.add(Fact::Present(tail.from(&own)));
            }
            keys.extend(elements.keys.iter().cloned());
            presence = elements.presence.clone();
        }
        if generator.optional {
            presence = Presence::all([presence, Presence::gap_of(vec![Fact::Present(own)], name, generator.name.span, Why::Element)]);
        } else if !presence.is_always() {
            presence = presence.named(keys.clone());
        }
        let mut element = TypedExpr::new(Expr::Slot { slot, name: name.into() }, kind, keys, generator.name.span).present_if(presence);
        element.extent.clone_from(&list.extent);
        (element.longest, element.places) = (list.longest, list.places);
        element
    }

    /// `each x in xs where c { rows }`, or the elements themselves.
    pub(super) fn each(
        &mut self,
        generators: &[tree::Generator],
        condition: Option<&tree::Expr>,
        rows: Option<&[FieldRow]>,
        span: Span,
        want: Option<&Kind>,
    ) -> TypedExpr {
        let wanted = match want {
            Some(Kind::List(of)) => Some(of.kind.clone()),
            _ => None,
        };
        self.list_of(generators, condition, span, |checker| match rows {
            Some(rows) => checker.object_literal(rows, span, wanted.as_ref()),
            None => checker.elements_themselves(generators, span),
        })
    }

    fn elements_themselves(&mut self, generators: &[tree::Generator], span: Span) -> TypedExpr {
        match generators.last().and_then(|last| self.find(&last.name.node)) {
            Some(binding) => binding.value.clone(),
            None => TypedExpr::erroneous(span),
        }
    }

    fn list_of(
        &mut self,
        generators: &[tree::Generator],
        condition: Option<&tree::Expr>,
        span: Span,
        body: impl FnOnce(&mut Self) -> TypedExpr,
    ) -> TypedExpr {
        self.scoped(|checker| {
            let lowered = checker.generators(generators);
            let mark = checker.facts.mark();
            let condition = condition.map(|condition| {
                let typed = checker.condition(condition);
                checker.always_alike(&typed, "the list holds all elements, or none");
                checker.facts.extend(&typed.refinement.if_true);
                typed
            });
            let last = lowered.last().map(|generator| generator.slot);
            let outer = checker.find_list_keys(&lowered);
            let ranged = std::mem::take(&mut checker.ranged);
            let body = body(checker);
            checker.ranged = ranged;
            if body.is_erroneous() {
                return TypedExpr::erroneous(span);
            }
            let slots = lowered.iter().map(|generator| generator.slot).collect();
            let key = Key::new(Term::Each { slots, condition: condition.as_ref().map(TypedExpr::key), body: body.key() });
            let element = body.presence.under(&checker.facts);
            // The elements themselves keep the names and the facts that they had.
            let themselves = last.is_some_and(|slot| matches!(&body.expr, Expr::Slot { slot: read, .. } if *read == slot));
            let mut keys = vec![key.elements()];
            let mut facts = Vec::new();
            if let (true, Some(slot)) = (themselves, last) {
                let own = Key::slot(slot);
                keys.extend(outer);
                let learned = checker.facts.since(mark).iter().filter_map(|fact| fact.present()?.behind(&own));
                facts.extend(learned.filter(|tail| tail.is_empty() || tail.begins_with_field()));
            }
            let kind = Kind::List(Box::new(Type { kind: body.kind.clone(), nullable: element.open(&checker.facts).is_some() }));
            let (longest, places, extent) = (body.longest, body.places, body.extent.clone());
            let expr = Expr::Each { generators: lowered, condition: condition.map(|c| Box::new(c.expr)), body: Box::new(body.expr) };
            let mut typed = TypedExpr::new(expr, kind, vec![key], span).with_elements(keys, facts, element);
            (typed.longest, typed.places, typed.extent) = (longest, places, extent);
            typed
        })
    }

    /// What the elements of the last generator are called elsewhere.
    fn find_list_keys(&self, generators: &[Generator]) -> Vec<Key> {
        let Some(last) = generators.last() else { return Vec::new() };
        self.find(&last.name).map(|binding| binding.value.keys.iter().skip(1).cloned().collect()).unwrap_or_default()
    }

    /// `sum(e for x in xs where c)`
    pub(super) fn aggregate(
        &mut self,
        function: &tree::Name,
        value: &tree::Expr,
        generators: &[tree::Generator],
        condition: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
    ) -> TypedExpr {
        let Some(builtin) = builtin::find(&function.node) else {
            let known: Vec<&str> = builtin::all().map(|builtin| builtin.name).collect();
            self.report(error::names::unknown_function(std::slice::from_ref(function), &known));
            return TypedExpr::erroneous(span);
        };
        if generators.is_empty() {
            return self.grouped_aggregate(builtin, Some(value), condition, arguments, span);
        }
        let list = self.list_of(generators, condition, span, |checker| checker.expr(value, None));
        let mut list = list;
        list.span = value.span;
        if let (Some(elements), None, [_]) = (&list.elements, condition, generators) {
            // It is as long as the list that it ranges over.
            let mut elements = elements.as_ref().clone();
            elements.sources = std::mem::take(&mut self.ranged);
            list.elements = Some(std::sync::Arc::new(elements));
        }
        if list.is_erroneous() {
            return TypedExpr::erroneous(span);
        }
        self.call_with(builtin, list, arguments, span)
    }

    /// A builtin on a list that was checked already.
    fn call_with(&mut self, builtin: &'static Builtin, list: TypedExpr, arguments: &[Argument], span: Span) -> TypedExpr {
        let slot_names = self.names.len();
        let slot = self.slot();
        // The list stands under a name that no author can write, so the call is checked as any other.
        let name = "each …";
        let (expr, span_of) = (list.expr.clone(), list.span);
        self.bind_quietly(name, span_of, slot, list, Vec::new());
        if let Some(binding) = self.names.last_mut() {
            binding.value.expr = expr;
        }
        let value = tree::Expr::new(ExprKind::Name(name.into()), span_of);
        let typed = self.call(&[tree::Name::new(builtin.name.to_owned(), span)], Some(&value), arguments, span, None);
        self.names.truncate(slot_names);
        typed
    }

    /// Checks something again without saying again what is wrong with it.
    pub(super) fn silently<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let (said, reads) = (self.out.len(), self.reads.len());
        let owed = self.obligations.as_ref().map(Vec::len);
        let out = f(self);
        self.out.truncate(said);
        self.reads.truncate(reads);
        if let (Some(list), Some(length)) = (&mut self.obligations, owed) {
            list.truncate(length);
        }
        out
    }

    pub(super) fn list_call(&mut self, name: &str, list: &tree::Expr, span: Span) -> TypedExpr {
        self.call(&[tree::Name::new(name.to_owned(), span)], Some(list), &[], span, None)
    }

    /// `group x in xs by e`: rows with `key` and `items`.
    pub(super) fn group(&mut self, list: &GroupList, by: &tree::Expr, span: Span) -> TypedExpr {
        let (element, slot, by, source) = match self.over(list, Some(by), span) {
            Some(parts) => parts,
            None => return TypedExpr::erroneous(span),
        };
        let Some(by) = by else { return TypedExpr::erroneous(span) };
        let nullable = by.presence.open(&self.facts).is_some();
        let columns = vec![
            Column { name: "key".into(), of: Type { kind: by.kind.clone(), nullable } },
            Column { name: "items".into(), of: Type::some(Kind::List(Box::new(Type::some(element)))) },
        ];
        let key = Key::form("group", [source.key(), by.key()]);
        let expr = Expr::Group { slot, list: Box::new(source.expr), by: Box::new(by.expr) };
        TypedExpr::new(expr, Kind::List(Box::new(Type::some(Kind::Row(Arc::new(columns))))), vec![key.clone()], span).with_elements(
            vec![key.elements()],
            Vec::new(),
            Presence::Always,
        )
    }

    pub(super) fn sort(&mut self, list: &GroupList, by: Option<&tree::Expr>, descending: bool, span: Span) -> TypedExpr {
        let Some((_, slot, by, source)) = self.over(list, by, span) else { return TypedExpr::erroneous(span) };
        let by_key = by.as_ref().map(TypedExpr::key);
        let by_expr = match by {
            Some(by) => {
                if matches!(by.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) {
                    self.report(error::types::no_order(&by, by.span));
                    return TypedExpr::erroneous(span);
                }
                by.expr
            }
            None => Expr::Slot { slot, name: "it".into() },
        };
        let key = Key::form(if descending { "sort descending" } else { "sort" }, [Key::slot(slot), source.key()].into_iter().chain(by_key));
        let elements = source.elements.clone();
        let expr = Expr::Sort { slot, list: Box::new(source.expr), by: Box::new(by_expr), descending };
        let mut typed = TypedExpr::new(expr, source.kind, vec![key], span);
        typed.elements = elements;
        (typed.longest, typed.places, typed.extent) = (source.longest, source.places, source.extent);
        typed
    }

    /// The element's kind and slot, `by` on it, and the list.
    fn over(&mut self, list: &GroupList, by: Option<&tree::Expr>, span: Span) -> Option<(Kind, Slot, Option<TypedExpr>, TypedExpr)> {
        let source = self.expr(&list.list, None);
        let source = self.need_list(source, &list.list);
        let Kind::List(of) = source.kind.clone() else { return None };
        let slot = self.slot();
        let name = list.name.clone().unwrap_or_else(|| tree::Name::new("it".to_owned(), list.list.span));
        let generator = tree::Generator { name, list: list.list.clone(), optional: false, span };
        let by = self.scoped(|checker| {
            let element = checker.element(&source, slot, &generator);
            checker.bind_quietly(&generator.name.node, generator.name.span, slot, element, Vec::new());
            by.map(|by| {
                let mut typed = checker.expr(by, None);
                typed.presence = typed.presence.under(&checker.facts);
                typed
            })
        });
        if by.as_ref().is_some_and(TypedExpr::is_erroneous) {
            return None;
        }
        Some((of.kind, slot, by, source))
    }

    pub(super) fn list_literal(&mut self, items: &[tree::Expr], span: Span, want: Option<&Kind>) -> TypedExpr {
        let wanted = match want {
            Some(Kind::List(of)) => Some(of.kind.clone()),
            _ => None,
        };
        let mut kind: Option<Kind> = None;
        let mut exprs = Vec::new();
        let mut presence = Vec::new();
        let mut keys = Vec::new();
        for item in items {
            let typed = self.expr(item, wanted.as_ref().or(kind.as_ref()));
            if typed.is_erroneous() {
                return TypedExpr::erroneous(span);
            }
            match &kind {
                Some(kind) if !crate::check::expr::fits(&typed.kind, kind) => {
                    self.report(error::types::mismatch(typed.span, &typed.kind, kind));
                    return TypedExpr::erroneous(span);
                }
                Some(_) => {}
                None => kind = Some(typed.kind.clone()),
            }
            keys.push(typed.key());
            presence.push(typed.presence);
            exprs.push(typed.expr);
        }
        let kind = kind.or(wanted).unwrap_or(Kind::Any);
        let presence = Presence::all(presence);
        let key = Key::form("list", keys);
        let nullable = presence.open(&self.facts).is_some();
        TypedExpr::new(Expr::List(exprs), Kind::List(Box::new(Type { kind, nullable })), vec![key.clone()], span).with_elements(
            vec![key.elements()],
            Vec::new(),
            presence,
        )
    }

    // ---- the records of a group

    /// An aggregate over the records of a group, where its argument reads one; `None` where it
    /// works on a list as anywhere.
    pub(super) fn grouped_call(
        &mut self,
        builtin: &'static Builtin,
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
    ) -> Option<TypedExpr> {
        let (value, rest) = match (piped, arguments) {
            (Some(value), rest) => (Some(value), rest),
            (None, [first, rest @ ..]) => (Some(&first.value), rest),
            (None, []) => (None, arguments),
        };
        if let Some(value) = value {
            let grouped = std::mem::replace(&mut self.grouped, false);
            let kind = self.silently(|checker| checker.expr(value, None).kind);
            self.grouped = grouped;
            let record = self.names.iter().find(|binding| binding.grouped).map(|binding| binding.name.clone());
            let reads = record.is_some_and(|record| mentions(value, &record));
            if !reads || matches!(kind, Kind::List(_)) {
                return None;
            }
        } else if builtin.name != "count" {
            return None;
        }
        Some(self.grouped_aggregate(builtin, value, None, rest, span))
    }

    fn grouped_aggregate(
        &mut self,
        builtin: &'static Builtin,
        value: Option<&tree::Expr>,
        condition: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
    ) -> TypedExpr {
        if !self.grouped {
            self.report(
                Diagnostic::new(Code::WrongArguments, span, format!("`{}` needs a list", builtin.name))
                    .help(format!("write `{}(… for x in …)`", builtin.name)),
            );
            return TypedExpr::erroneous(span);
        }
        self.grouped = false;
        let mark = self.facts.mark();
        let condition = condition.map(|condition| {
            let typed = self.condition(condition);
            self.facts.extend(&typed.refinement.if_true);
            typed
        });
        let value = value.map(|value| self.expr(value, None));
        if let Some(value) = &value {
            let (at, name) = (value.span, builtin.name);
            self.require_present(&value.presence, |gap| error::presence::elements(name, at, gap));
        }
        self.facts.reset(mark);
        self.grouped = true;
        if value.as_ref().is_some_and(TypedExpr::is_erroneous) {
            return TypedExpr::erroneous(span);
        }
        let Some(rest) = self.arguments(builtin, 1, arguments, span) else { return TypedExpr::erroneous(span) };
        let of = value.as_ref().map_or(Kind::Integer, |value| value.kind.clone());
        let taken = match builtin.takes.first().map(|param| &param.takes) {
            Some(builtin::Takes::ListOf(kinds)) => kinds.iter().any(|kind| crate::check::expr::fits(&of, kind)),
            _ => true,
        };
        if !taken {
            if let Some(value) = &value {
                self.report(error::types::wrong_argument(builtin, &builtin.takes[0], value, &self.text(value.span)));
            }
            return TypedExpr::erroneous(span);
        }
        let kind = match &builtin.gives {
            Gives::Kind(kind) | Gives::Maybe(kind) => kind.clone(),
            _ if builtin.name == "average" && of == Kind::Integer => Kind::Decimal,
            _ => of,
        };
        let key = Key::new(Term::Grouped {
            function: builtin.name,
            value: value.as_ref().map(TypedExpr::key),
            condition: condition.as_ref().map(TypedExpr::key),
        });
        // A group has a record at least; of some of them there may be none.
        let maybe = condition.is_some() && matches!(builtin.gives, Gives::Maybe(_) | Gives::MaybeElement);
        let presence = if maybe { Presence::gap(vec![Fact::Present(key.clone())], span, Why::Empty) } else { Presence::Always };
        let places = match (builtin.name, &value) {
            ("average", _) => Some(ENDLESS),
            ("count", _) => Some(0),
            ("sum" | "min" | "max" | "first" | "last" | "most_common", Some(value)) => value.places,
            _ => None,
        };
        let longest = value.as_ref().and_then(|value| value.longest).filter(|_| kind == Kind::Text && builtin.name != "join");
        let extent = match &value {
            Some(value) => Extent::of_call(builtin.name, std::slice::from_ref(value)),
            None => Extent::from(0),
        };
        let expr = Expr::Grouped {
            function: BuiltinRef(builtin),
            value: value.map(|value| Box::new(value.expr)),
            condition: condition.map(|condition| Box::new(condition.expr)),
            arguments: rest.into_iter().map(|argument| argument.expr).filter(|expr| !matches!(expr, Expr::Literal(Literal::Missing))).collect(),
        };
        let mut typed = TypedExpr::new(expr, kind, vec![key], span).present_if(presence);
        (typed.places, typed.longest, typed.extent) = (places, longest, extent);
        typed
    }
}

/// Whether an expression reads a name.
fn mentions(expr: &tree::Expr, name: &str) -> bool {
    let mut found = false;
    walk::expr(expr, &mut |expr| found |= matches!(expr.kind.as_ref(), ExprKind::Name(written) if written == name));
    found
}
