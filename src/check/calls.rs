//! Calls: builtins, value maps, tables, and functions, which are inlined and checked at each call.

use std::sync::Arc;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{self, Args, Builtin, BuiltinRef, Context, Family, Gives, Takes};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits};
use crate::check::extent::{ENDLESS, Extent, Unit};
use crate::check::facts::{Presence, Why, present};
use crate::check::items::What;
use crate::check::key::{Fact, Key, Step, Term};
use crate::ir::{Expr, Otherwise};
use crate::syntax::habits;
use crate::syntax::tree::{self, Argument, ExprKind};
use crate::value::{Column, Kind, Literal, Money, ObjectRef, Type, Value, WireEncoding};

impl Checker<'_> {
    /// `f(x, y)`, or `piped | f y`.
    pub(super) fn call(
        &mut self,
        function: &[tree::Name],
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
        want: Option<&Kind>,
    ) -> TypedExpr {
        let Some(name) = function.last() else { return TypedExpr::erroneous(span) };
        match self.context.items.find(self.unit, function) {
            Some(What::Function(id)) => return self.inline(id, piped, arguments, span, want),
            Some(What::Values(id)) => return self.value_map(id, piped, arguments, span),
            Some(What::Table(id)) => return self.table_call(id, piped, arguments, span),
            _ => {}
        }
        // `x | store of wms`
        if let (Some(value), [of, connection, ..]) = (piped, arguments)
            && let (ExprKind::Name(word), ExprKind::Name(connection)) = (of.value.kind.as_ref(), connection.value.kind.as_ref())
            && word == "of"
        {
            return self.look_up_name(value, name, connection, span);
        }
        let Some(builtin) = builtin::find(&name.node).filter(|_| function.len() == 1) else {
            // Its arguments may hold mistakes of their own, which come first.
            let before = self.out.len();
            let first = piped.or(arguments.first().map(|argument| &argument.value)).map(|value| self.expr(value, None));
            if self.out.len() == before {
                let list = first.is_some_and(|first| matches!(first.kind, Kind::List(_)));
                let diagnostic = self.unknown_function(function, piped, arguments, span, list);
                self.report(diagnostic);
            }
            return TypedExpr::erroneous(span);
        };
        if self.grouped
            && is_aggregate(builtin.name)
            && let Some(typed) = self.grouped_call(builtin, piped, arguments, span)
        {
            return typed;
        }
        if builtin.takes.is_empty() {
            return self.builtin(builtin, Vec::new(), span);
        }
        let mut given = Vec::new();
        let mut from = 0;
        if let Some(value) = piped {
            let typed = self.expr(value, wanted_by(&builtin.takes[0].takes));
            match self.argument_fits(builtin, 0, typed) {
                Some(typed) => given.push(typed),
                None => {
                    let _ = self.arguments(builtin, 1, arguments, span);
                    return TypedExpr::erroneous(span);
                }
            }
            from = 1;
        } else if builtin.takes.iter().all(|p| !p.optional) && arguments.is_empty() {
            self.report(error::types::needs_argument(builtin.name, span));
            return TypedExpr::erroneous(span);
        }
        let Some(rest) = self.arguments(builtin, from, arguments, span) else { return TypedExpr::erroneous(span) };
        given.extend(rest);
        self.builtin(builtin, given, span)
    }

    fn unknown_function(
        &mut self,
        function: &[tree::Name],
        piped: Option<&tree::Expr>,
        arguments: &[Argument],
        span: Span,
        list: bool,
    ) -> Diagnostic {
        let name = function.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(".");
        let at = function.iter().map(|name| name.span).reduce(Span::to).unwrap_or_default();
        let mut known = self.context.items.names(self.unit);
        known.extend(builtin::all().map(|builtin| builtin.name));
        // The same name but for its capital letters is nearer than a habit.
        let same = known.iter().any(|known| known.eq_ignore_ascii_case(&name));
        let texts: Vec<String> = piped
            .into_iter()
            .chain(arguments.iter().map(|argument| &argument.value))
            .map(|value| self.context.sources.text(value.span).trim().to_owned())
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        // It takes no such call where it has fewer arguments.
        let fits = builtin::find(&name.to_lowercase()).is_none_or(|builtin| texts.len() <= builtin.takes.len());
        let Some(call) = habits::call(&name, &texts).filter(|call| !same || !fits && call.write.is_some()) else {
            let diagnostic = error::names::unknown_function(function, &known);
            return match self.in_unused_file(&name) {
                Some((path, place)) => error::names::in_unused_file(Diagnostic { help: Vec::new(), ..diagnostic }, &name, &path, place),
                None => diagnostic,
            };
        };
        let said = error::names::foreign_function(&name, at, call.words);
        let Some(write) = call.write else { return said.help(call.words) };
        let write = if list && write.starts_with("length(") { write.replacen("length(", "count(", 1) } else { write };
        // `x | lowercase` keeps its form: only the name is another.
        let renamed =
            write.split_once('(').filter(|(ours, rest)| piped.is_some() && known.contains(ours) && rest.strip_suffix(')') == Some(&texts.join(", ")));
        if let Some((ours, _)) = renamed {
            return said.mend(format!("write `{ours}`"), at, ours);
        }
        if let (Some(value), Some(number)) =
            (arguments.first().filter(|_| piped.is_none()), write.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')))
            && texts == [number]
            && matches!(self.silently(|check| check.expr(&value.value, None)).kind, Kind::Money | Kind::Decimal | Kind::Integer)
        {
            let write = self.in_place(span, number);
            return said.mend(format!("it is a number already: write `{write}`"), span, write);
        }
        let write = self.in_place(span, &write);
        said.mend(format!("write `{write}`"), span, write)
    }

    /// A file of the project that has an item of this name and is not used here: its path from this file, and where a `use`
    /// can be written.
    pub(super) fn in_unused_file(&self, name: &str) -> Option<(String, Span)> {
        let files = self.context.items.scope.files();
        let here = files.get(self.unit)?;
        let has = |merged: &crate::check::overlay::Merged| {
            merged.items.iter().any(|item| {
                let kind = matches!(
                    item.kind,
                    tree::ItemKind::Parameter(_) | tree::ItemKind::Values(_) | tree::ItemKind::Table(_) | tree::ItemKind::Function(_)
                );
                kind && crate::check::overlay::item_name(&item.kind) == name
            })
        };
        let other = files.iter().enumerate().find(|(at, merged)| *at != self.unit && has(merged))?.1;
        let source = self.context.sources.get(here.file)?;
        let path = from_file(&source.name, &self.context.sources.get(other.file)?.name);
        // Behind the first line, which says the edition.
        let end = source.text.find('\n').unwrap_or(source.text.len());
        source.text.starts_with("edition").then(|| (path, Span::new(here.file, end, end)))
    }

    /// A replacement for what stands at a place, in brackets where its neighbors would take a part of it.
    pub(super) fn in_place(&self, span: Span, write: &str) -> String {
        let text = self.context.sources.get(span.file).map_or("", |source| &*source.text);
        habits::in_place(text, span.start as usize..span.end as usize, write)
    }

    /// A text of the record as the name of a thing: missing where there is none of that name.
    fn look_up_name(&mut self, value: &tree::Expr, object: &tree::Name, connection: &str, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let Some(of) = self.reference(&object.node, connection) else {
            self.report(error::names::unknown_connection(connection, span, self.context.environment));
            return TypedExpr::erroneous(span);
        };
        if !matches!(value.kind, Kind::Text | Kind::Enumeration(_) | Kind::Any) {
            self.report(error::types::mismatch(value.span, &value.kind, &Kind::Text));
            return TypedExpr::erroneous(span);
        }
        if let Some(Literal::Text(name)) = value.literal_value() {
            let name = name.clone();
            return self.named(&name, &of, value.span);
        }
        self.cells_are_names(&value, &of);
        let key = value.key().then(Step::NameOf(of.clone()));
        let own = Presence::gap(vec![Fact::Present(key.clone())], span, Why::Function(format!("{} of {connection}", object.node)));
        let presence = Presence::all([value.presence, own]);
        TypedExpr::new(Expr::LookUpName { of: of.clone(), value: Box::new(value.expr) }, Kind::Reference(of), vec![key], span).present_if(presence)
    }

    /// `store of wms`: the object of the connection whose names are meant.
    pub(super) fn reference(&self, object: &str, connection: &str) -> Option<ObjectRef> {
        if !self.context.environment.connections().iter().any(|known| known.name == connection) {
            return None;
        }
        let plain = |name: &str| name.to_lowercase().replace('_', "");
        let known = self.context.environment.objects(connection).into_iter().find(|name| plain(name) == plain(object));
        let name = known.unwrap_or_else(|| {
            let mut letters = object.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        });
        Some(ObjectRef::new(connection, name))
    }

    // ---- builtins

    /// The arguments from parameter `from` on, in the order of the parameters; one that was left out
    /// is missing.
    pub(super) fn arguments(&mut self, builtin: &'static Builtin, from: usize, arguments: &[Argument], span: Span) -> Option<Vec<TypedExpr>> {
        let mut slots: Vec<Option<TypedExpr>> = vec![None; builtin.takes.len()];
        let mut next = from;
        let mut failed = false;
        let mut at = 0;
        while at < arguments.len() {
            let argument = &arguments[at];
            at += 1;
            let place = match &argument.name {
                Some(name) => match builtin.takes.iter().position(|param| param.name == name.node) {
                    Some(place) if place >= from => place,
                    _ => {
                        let known: Vec<&str> = builtin.takes.iter().skip(from).map(|param| param.name).collect();
                        self.report(error::types::unknown_argument(builtin.name, name, &known));
                        failed = true;
                        continue;
                    }
                },
                None => {
                    // A bare word may skip an optional parameter that takes none.
                    let is_word = matches!(argument.value.kind.as_ref(), ExprKind::Name(_))
                        && self.wants_other_side(&argument.value)
                        && builtin.takes.iter().skip(next).any(|param| matches!(param.takes, Takes::Words(_)));
                    while is_word
                        && next < builtin.takes.len()
                        && builtin.takes[next].optional
                        && !matches!(builtin.takes[next].takes, Takes::Words(_))
                    {
                        next += 1;
                    }
                    next += 1;
                    next - 1
                }
            };
            let Some(param) = builtin.takes.get(place) else {
                self.report(error::types::argument_count(builtin.name, builtin.takes.len(), arguments.len() + from, span));
                return None;
            };
            if let Takes::Words(words) = param.takes {
                let mut written = vec![word_of(&argument.value)];
                let mut end = argument.value.span;
                while argument.name.is_none() && at < arguments.len() && arguments[at].name.is_none() {
                    let Some(more) = word_of(&arguments[at].value) else { break };
                    let joined = written.iter().flatten().chain([&more]).cloned().collect::<Vec<_>>().join(" ");
                    if !words.iter().any(|word| *word == joined || word.starts_with(&format!("{joined} "))) {
                        break;
                    }
                    end = arguments[at].value.span;
                    written.push(Some(more));
                    at += 1;
                }
                let mut joined = written.into_iter().flatten().collect::<Vec<_>>().join(" ");
                while !words.contains(&joined.as_str()) && at < arguments.len() && arguments[at].name.is_none() {
                    let Some(more) = word_of(&arguments[at].value) else { break };
                    joined = format!("{joined} {more}");
                    end = arguments[at].value.span;
                    at += 1;
                }
                if words.contains(&joined.as_str()) {
                    slots[place] = Some(TypedExpr::literal(Literal::Text(joined), Kind::Text, argument.value.span));
                } else {
                    self.report(error::types::unknown_word(builtin.name, &joined, argument.value.span.to(end), words));
                    failed = true;
                }
                continue;
            }
            let typed = self.expr(&argument.value, wanted_by(&param.takes));
            match self.argument_fits(builtin, place, typed) {
                Some(typed) => slots[place] = Some(typed),
                None => failed = true,
            }
        }
        let mut out = Vec::new();
        for (place, slot) in slots.into_iter().enumerate().skip(from) {
            let param = &builtin.takes[place];
            match slot {
                Some(typed) => out.push(typed),
                None if param.optional => out.push(TypedExpr::literal(Literal::Missing, Kind::Any, span)),
                None if failed => return None,
                None => {
                    let given = arguments.len() + from;
                    self.report(error::types::argument_missing(builtin.name, param.name, given, span));
                    return None;
                }
            }
        }
        (!failed).then_some(out)
    }

    /// Whether a value fits a parameter; it may have to be there, too.
    fn argument_fits(&mut self, builtin: &'static Builtin, place: usize, typed: TypedExpr) -> Option<TypedExpr> {
        let param = &builtin.takes[place];
        if typed.is_erroneous() {
            return None;
        }
        if place > 0 && !param.nullable && !param.optional {
            let span = typed.span;
            let fallback = self.with_fallback(span, None, &typed.kind);
            self.require_present(&typed.presence, |gap| error::presence::argument(builtin.name, param.name, span, fallback, gap));
        }
        if let (Some(Literal::Text(text)), false) = (typed.literal_value(), matches!(param.takes, Takes::Words(_) | Takes::Pattern))
            && let Some(wrong) = builtin.misuse(place, text)
        {
            let better = builtin.better_pattern(place, text);
            let help = match param.name {
                "pattern" if matches!(builtin.family, Family::Dates | Family::Conversions) => {
                    "a pattern is written with `%`: `%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, `%S` second, `%:z` offset"
                }
                "zone" => "zones are named as in \"Europe/London\", \"America/Los_Angeles\", \"UTC\"",
                "country" => "countries are named by two letters, as in \"GB\"",
                "currency" => "currencies are named by three letters, as in \"EUR\"",
                _ => "write one that is known; `docs/reference/functions.md` has them",
            };
            let told = Diagnostic::new(Code::WrongArgument, typed.span, wrong).why("the result would be wrong or missing for every record");
            self.report(match better {
                Some(better) => told.mend(format!("write it as   \"{better}\""), typed.span, format!("\"{better}\"")),
                None => told.help(help),
            });
            return None;
        }
        let number = match &typed.expr {
            Expr::Literal(Literal::Number(number)) => Some(*number),
            Expr::Negate(inner) => match inner.as_ref() {
                Expr::Literal(Literal::Number(number)) => Some(-*number),
                _ => None,
            },
            _ => None,
        };
        if let Some(wrong) = number.and_then(|number| builtin.misuse_of_number(place, number)) {
            let why = "it would be so for every record";
            self.report(Diagnostic::new(Code::WrongArgument, typed.span, wrong).why(why).help("write a whole number above 0"));
            return None;
        }
        if builtin.wants_literal(place) && typed.literal_value().is_none() {
            self.report(
                Diagnostic::new(
                    Code::WrongArgument,
                    typed.span,
                    format!("`{}` takes its `{}` as a text that stands in the mapping", builtin.name, param.name),
                )
                .why("what a record brings could be anything")
                .help("write it in quotes"),
            );
            return None;
        }
        let taken = match &param.takes {
            Takes::Any => Some(typed.clone()),
            Takes::Kind(kind) => fits(&typed.kind, kind).then(|| coerce(typed.clone(), kind)),
            Takes::OneOf(kinds) => {
                let exact = kinds.contains(&typed.kind);
                if exact { Some(typed.clone()) } else { kinds.iter().find(|kind| fits(&typed.kind, kind)).map(|kind| coerce(typed.clone(), kind)) }
            }
            Takes::List => matches!(typed.kind, Kind::List(_)).then(|| typed.clone()),
            Takes::ListOf(kinds) => match &typed.kind {
                Kind::List(of) => kinds.iter().any(|kind| fits(&of.kind, kind)).then(|| typed.clone()),
                _ => None,
            },
            Takes::Words(words) => match typed.literal_value() {
                Some(Literal::Text(text)) if words.contains(&text.as_str()) => Some(typed.clone()),
                _ => None,
            },
            Takes::Pattern => match typed.literal_value() {
                Some(Literal::Text(text)) => match regex::Regex::new(text) {
                    Ok(_) => Some(typed.clone()),
                    Err(_) => {
                        self.report(
                            Diagnostic::new(Code::BadPattern, typed.span, "this pattern cannot be read")
                                .help("a sign that is meant as itself stands behind a `\\`"),
                        );
                        return None;
                    }
                },
                _ => {
                    self.report(Diagnostic::new(Code::BadPattern, typed.span, "a pattern is a literal, never a record's text"));
                    return None;
                }
            },
        };
        let Some(taken) = taken else {
            self.report(error::types::wrong_argument(builtin, param, &typed, &self.text(typed.span)));
            return None;
        };
        Some(taken)
    }

    /// A record may name a currency although its snapshot knows no field for it: it was pulled before the account had several.
    fn currency_of_record(&self, expr: &mut Expr) {
        let Expr::Field { base, wire: WireEncoding::Amount { currency_field: field @ None, unlisted, currency: None }, .. } = expr else { return };
        let of = self.object_of(base).and_then(|of| self.object(&of));
        *field = of.and_then(|of| of.unlisted_currency().map(str::to_owned));
        *unlisted = field.is_some();
    }

    fn builtin(&mut self, builtin: &'static Builtin, mut given: Vec<TypedExpr>, span: Span) -> TypedExpr {
        if builtin.name == "currency" {
            given.iter_mut().for_each(|amount| self.currency_of_record(&mut amount.expr));
        }
        let first = given.first();
        let element = first.and_then(|first| match &first.kind {
            Kind::List(of) => Some(of.kind.clone()),
            _ => None,
        });
        if let (Some(first), true) = (first, refuses_missing_elements(builtin)) {
            let presence = first.element_presence();
            let (at, name) = (first.span, builtin.name);
            self.require_present(&presence, |gap| error::presence::elements(name, at, gap));
        }
        let first_kind = || first.map_or(Kind::Any, |first| first.kind.clone());
        let element_kind = || match &element {
            Some(Kind::Integer) if builtin.name == "average" => Kind::Decimal,
            Some(kind) => kind.clone(),
            None => Kind::Any,
        };
        let (kind, maybe) = match &builtin.gives {
            Gives::Kind(kind) => (kind.clone(), first.is_some_and(|first| builtin.may_give_nothing(&first.kind))),
            Gives::Maybe(kind) => (kind.clone(), true),
            Gives::First => (first_kind(), false),
            Gives::MaybeFirst => (first_kind(), true),
            Gives::Element => (element_kind(), false),
            Gives::MaybeElement => (element_kind(), true),
            Gives::List(kind) => (Kind::List(Box::new(Type::some(kind.clone()))), false),
        };
        if let (Some(first), Some(Literal::Text(unit)), "to" | "number_in") = (first, given.get(1).and_then(TypedExpr::literal_value), builtin.name)
            && !builtin::unit_measures(unit, &first.kind)
        {
            self.report(Diagnostic::new(Code::WrongUnit, given[1].span, format!("`{unit}` does not measure {}", error::types::a(&first.kind))));
            return TypedExpr::erroneous(span);
        }
        if !self.pattern_can_fit(builtin, &given, span) {
            return TypedExpr::erroneous(span);
        }
        // A conversion of a literal is decided here.
        if maybe
            && matches!(builtin.family, Family::Conversions | Family::Dates | Family::Text)
            && !given.is_empty()
            && let Some(decided) = self.decide(builtin, &given, &kind, span)
        {
            return decided;
        }
        let keys: Vec<Key> = (0..first.map_or(1, |first| first.keys.len().max(1)))
            .map(|i| {
                let said = given.iter().filter(|given| !matches!(given.expr, Expr::Literal(Literal::Missing)));
                Key::call(builtin.name, said.map(|given| given.keys.get(i).cloned().unwrap_or_else(|| given.key())).collect())
            })
            .collect();
        let mut presence = Vec::new();
        if let Some(first) = first
            && !builtin.takes.first().is_some_and(|param| param.nullable)
            && !matches!(first.kind, Kind::List(_))
        {
            presence.push(first.presence.clone());
        }
        if maybe {
            let mut closed_by = present(&keys);
            let mut why = Why::Function(builtin.name.to_owned());
            if let Some(first) = first.filter(|first| matches!(first.kind, Kind::List(_))) {
                let sources = first.elements.iter().flat_map(|elements| &elements.sources);
                closed_by.extend(first.keys.iter().chain(sources).cloned().map(Fact::NonEmpty));
                why = Why::Empty;
            }
            presence.push(Presence::gap(closed_by, span, why));
        }
        let mut typed =
            TypedExpr::new(Expr::Call { function: BuiltinRef(builtin), arguments: given.iter().map(|g| g.expr.clone()).collect() }, kind, keys, span)
                .present_if(Presence::all(presence));
        let number = |at: usize| match given.get(at).and_then(TypedExpr::literal_value) {
            Some(Literal::Number(number)) => number.to_string().parse::<usize>().ok(),
            _ => None,
        };
        match builtin.name {
            "truncate" | "first_chars" | "last_chars" => typed.longest = number(1),
            "trim" | "lower" | "upper" | "title" | "collapse" | "without" | "digits_only" | "extract" | "text_before" | "text_after" => {
                typed.longest = first.and_then(|first| first.longest);
            }
            "round" => {
                // None said is none kept.
                let left_out = matches!(given.get(1).map(|places| &places.expr), Some(Expr::Literal(Literal::Missing)) | None);
                typed.places = if left_out { Some(0) } else { number(1).and_then(|places| u32::try_from(places).ok()) };
            }
            "sum" | "min" | "max" | "first" | "last" | "most_common" | "abs" | "amount" | "decimal" => {
                typed.places = first.and_then(|first| first.places);
            }
            "max_of" | "min_of" | "clamp" => {
                typed.places = given.iter().map(|one| one.places).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
            }
            "count" | "length" | "floor" | "ceiling" => typed.places = Some(0),
            "average" => typed.places = Some(ENDLESS),
            "to" | "number_in" => {
                let to = given.get(1).and_then(TypedExpr::literal_value);
                let to = if let Some(Literal::Text(word)) = to { Unit::parse(word) } else { None };
                typed.places = first.and_then(|first| first.extent.unit?.places_in(first.places, to?));
            }
            _ => {}
        }
        typed.extent = Extent::of_call(builtin.name, &given);
        if matches!(typed.kind, Kind::Text) && matches!(builtin.name, "first" | "last" | "min" | "max" | "most_common") {
            typed.longest = first.and_then(|first| first.longest);
        }
        if matches!(typed.kind, Kind::List(_)) {
            // What holds of all elements holds of fewer of them, and in another order.
            let same = matches!(builtin.gives, Gives::First);
            let inherited = first.filter(|_| same).and_then(|first| first.elements.clone());
            let own = typed.keys.iter().map(Key::elements);
            typed = match inherited {
                Some(inherited) => {
                    let keys = own.chain(inherited.keys.iter().cloned()).collect();
                    typed.clone().with_elements(keys, inherited.facts.clone(), inherited.presence.clone())
                }
                None => typed.clone().with_elements(own.collect(), Vec::new(), Presence::Always),
            };
            typed.presence = Presence::Always;
        }
        typed
    }

    fn decide(&mut self, builtin: &'static Builtin, given: &[TypedExpr], kind: &Kind, span: Span) -> Option<TypedExpr> {
        let mut values = Vec::new();
        for argument in given {
            match &argument.expr {
                Expr::Literal(literal) => values.push(literal.to_value()),
                _ => return None,
            }
        }
        let context = Context { now: jiff::Timestamp::UNIX_EPOCH, zone: self.context.environment.time_zone() };
        let result = (builtin.run)(&Args { values: &values, context: &context });
        let literal = match result {
            Ok(value) if value.is_missing() => None,
            Ok(value) => Some(literal_of(&value)?),
            Err(_) => None,
        };
        match literal {
            Some(literal) => Some(TypedExpr::literal(literal, kind.clone(), span)),
            None => {
                self.report(error::types::bad_conversion(builtin.name, given[0].span, &self.text(given[0].span), kind));
                Some(TypedExpr::erroneous(span))
            }
        }
    }

    // ---- value maps and tables

    fn value_map(&mut self, id: usize, piped: Option<&tree::Expr>, arguments: &[Argument], span: Span) -> TypedExpr {
        let context = self.context;
        let Some(map) = context.maps.get(id) else { return TypedExpr::erroneous(span) };
        let name = map.map.name.clone();
        let mut rest = arguments;
        let value = match (piped, arguments) {
            (Some(value), _) => value,
            (None, [first, more @ ..]) => {
                rest = more;
                &first.value
            }
            (None, []) => {
                self.report(error::types::needs_argument(&name, span));
                return TypedExpr::erroneous(span);
            }
        };
        let back = match rest {
            [] => false,
            [word] if word_of(&word.value).as_deref() == Some("back") => true,
            [other, ..] => {
                self.report(
                    Diagnostic::new(Code::WrongArguments, other.value.span, format!("`{name}` is a value map and takes one value"))
                        .help("behind a value map stands at most the word `back`"),
                );
                return TypedExpr::erroneous(span);
            }
        };
        if back && !map.both_ways {
            self.report(
                Diagnostic::new(Code::WrongArgument, span, format!("`{name}` goes one way only"))
                    .help("write `<->` between its sides to use it both ways"),
            );
            return TypedExpr::erroneous(span);
        }
        let (from, to, total) = if back { (&map.to, &map.from, map.total_back) } else { (&map.from, &map.to, map.total) };
        let typed = self.expr(value, Some(from));
        if typed.is_erroneous() {
            return TypedExpr { kind: to.clone(), span, ..TypedExpr::erroneous(span) };
        }
        let taken = match (&typed.kind, from) {
            (Kind::Text, Kind::Enumeration(of)) => of.open || total,
            (Kind::Enumeration(a), Kind::Enumeration(b)) => a == b || b.open || a.names().all(|name| b.names().any(|known| known == name)),
            (kind, from) => fits(kind, from),
        };
        if !taken {
            self.report(error::types::wrong_map_argument(&name, from, &typed, &self.text(typed.span)));
            return TypedExpr::erroneous(span);
        }
        if !back && !self.is_the_maps_own(&map.map, &typed) {
            self.rows_can_match(&map.map, &typed);
        }
        let key = Key::new(Term::Values { map: id, back, value: typed.key() });
        // What comes from elsewhere than the map's own source may be no value of it.
        let own_source = typed.kind == *from || !matches!(from, Kind::Enumeration(_));
        let stops = !back && matches!(map.map.otherwise, Otherwise::Stop(_) | Otherwise::Value { .. });
        // Its `else` is met by a missing value, too.
        let mut presence = if stops { Vec::new() } else { vec![typed.presence.clone()] };
        if !(total && (own_source || stops)) {
            presence.push(Presence::gap(vec![Fact::Present(key.clone())], span, Why::Values(name)));
        }
        let mut out = TypedExpr::new(Expr::Values { map: id, back, value: Box::new(typed.expr) }, to.clone(), vec![key], span)
            .present_if(Presence::all(presence));
        if let Kind::Enumeration(of) = to {
            out.longest = of.names().map(|name| name.chars().count()).max().filter(|_| !of.open);
        } else if *to == Kind::Text && !back {
            let otherwise = if let Otherwise::Value { to, .. } = &map.map.otherwise { Some(to) } else { None };
            let texts = map.map.rows.iter().map(|row| &row.to).chain(otherwise);
            out.longest = texts.map(|to| if let Literal::Text(text) = to { text.chars().count() } else { 0 }).max();
        }
        out
    }

    fn table_call(&mut self, id: usize, piped: Option<&tree::Expr>, arguments: &[Argument], span: Span) -> TypedExpr {
        let context = self.context;
        let Some(table) = context.tables.get(id) else { return TypedExpr::erroneous(span) };
        let wanted: Vec<(String, Type)> = table.keys.iter().zip(&table.columns).map(|(name, column)| (name.clone(), column.of.clone())).collect();
        let values: Vec<&tree::Expr> = piped.into_iter().chain(arguments.iter().map(|argument| &argument.value)).collect();
        if values.len() != wanted.len() {
            self.report(error::types::argument_count(&table.name, wanted.len(), values.len(), span));
            return TypedExpr::erroneous(span);
        }
        let mut keys = Vec::new();
        let mut names = Vec::new();
        let mut presence = Vec::new();
        let mut given = Vec::new();
        for (value, (name, of)) in values.iter().zip(&wanted) {
            let typed = self.expr(value, Some(&of.kind));
            if typed.is_erroneous() {
                return TypedExpr::erroneous(span);
            }
            if !fits(&typed.kind, &of.kind) {
                self.report(error::types::wrong_key(&table.name, name, &of.kind, &typed));
                return TypedExpr::erroneous(span);
            }
            names.push(typed.key());
            presence.push(typed.presence.clone());
            given.push(typed.clone());
            keys.push(coerce(typed, &of.kind).expr);
        }
        self.keys_are_there(table, &given);
        let columns: Vec<Column> = table.columns.iter().map(|column| Column { name: column.name.clone(), of: column.of.clone() }).collect();
        let row = Kind::Row(Arc::new(columns));
        let key = Key::new(Term::Table(id, names));
        let expr = Expr::Table { table: id, keys };
        if table.many {
            let elements = vec![key.elements()];
            let mut rows = TypedExpr::new(expr, Kind::List(Box::new(Type::some(row))), vec![key], span);
            rows.extent.table = Some((id, None));
            return rows.with_elements(elements, Vec::new(), Presence::Always);
        }
        let own = Presence::gap(vec![Fact::Present(key.clone())], span, Why::TableRow(table.name.clone()));
        presence.push(own);
        let mut typed = TypedExpr::new(expr, row, vec![key], span).present_if(Presence::all(presence));
        typed.extent.table = Some((id, None));
        typed
    }
}

/// A file as another file names it: `../shared/address.dock`.
fn from_file(here: &str, there: &str) -> String {
    let folders = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (folders(here), folders(there));
    let shared = from[..from.len() - 1].iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - 1 - shared);
    up.chain(to[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// What a parameter makes of a bare word or a text.
fn wanted_by(takes: &'static Takes) -> Option<&'static Kind> {
    match takes {
        Takes::Kind(kind) => Some(kind),
        _ => None,
    }
}

pub(super) fn word_of(expr: &tree::Expr) -> Option<String> {
    match expr.kind.as_ref() {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Text(text) => text.plain(),
        _ => None,
    }
}

pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(name, "count" | "sum" | "average" | "min" | "max" | "first" | "last" | "any" | "all" | "join" | "most_common")
}

fn refuses_missing_elements(builtin: &Builtin) -> bool {
    is_aggregate(builtin.name) || matches!(builtin.takes.first().map(|param| &param.takes), Some(Takes::ListOf(_)))
}

/// A value that can stand in a plan.
pub(super) fn literal_of(value: &Value) -> Option<Literal> {
    Some(match value {
        Value::Missing(_) => Literal::Missing,
        Value::Boolean(truth) => Literal::Boolean(*truth),
        Value::Number(number) => Literal::Number(*number),
        Value::Money(Money { amount, currency: None }) => Literal::Money(*amount),
        Value::Money(Money { amount, currency: Some(currency) }) => Literal::Amount(*amount, currency.to_string()),
        Value::Text(text) => Literal::Text(text.to_string()),
        Value::Date(date) => Literal::Date(*date),
        Value::Time(time) => Literal::Time(*time),
        Value::DateTime(instant) => Literal::Datetime(*instant),
        Value::Duration(duration) => Literal::Duration(*duration),
        Value::Weight(amount, unit) => Literal::Weight(*amount, *unit),
        Value::Length(amount, unit) => Literal::Length(*amount, *unit),
        Value::List(items) => Literal::List(items.iter().map(literal_of).collect::<Option<_>>()?),
        _ => return None,
    })
}
