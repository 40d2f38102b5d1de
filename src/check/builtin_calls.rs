//! Calls of builtins: which arguments they take, what they give, and what is known of the result.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{self, Args, Builtin, BuiltinRef, Context, Family, Gives, Takes};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits};
use crate::check::extent::{ENDLESS, Extent, Unit};
use crate::check::facts::{Presence, Why, present};
use crate::check::key::{Fact, Key};
use crate::ir::Expr;
use crate::syntax::tree::{self, Argument, ExprKind};
use crate::value::{Kind, Literal, Money, Type, Value, WireEncoding};

impl Checker<'_> {
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
    pub(super) fn argument_fits(&mut self, builtin: &'static Builtin, place: usize, typed: TypedExpr) -> Option<TypedExpr> {
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

    pub(super) fn builtin(&mut self, builtin: &'static Builtin, mut given: Vec<TypedExpr>, span: Span) -> TypedExpr {
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
        let arguments = given.iter().map(|given| passed(given, &kind)).collect();
        let mut typed = TypedExpr::new(Expr::Call { function: BuiltinRef(builtin), arguments }, kind, keys, span).present_if(Presence::all(presence));
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
}

/// What a parameter makes of a bare word or a text.
pub(super) fn wanted_by(takes: &'static Takes) -> Option<&'static Kind> {
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

/// A value as a function takes it. The text of a thing is its name: one that a table or a value map holds is not looked up for it.
fn passed(given: &TypedExpr, gives: &Kind) -> Expr {
    match &given.expr {
        Expr::Coerce { value, kind: Kind::Reference(_) } if *gives == Kind::Text => value.as_ref().clone(),
        expr => expr.clone(),
    }
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
