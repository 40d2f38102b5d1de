//! Values of the wrong kind for their place.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{Builtin, Param, Takes};
use crate::check::checker::TypedExpr;
use crate::check::error::names::some;
use crate::ir::Arithmetic;
use crate::syntax::tree::Name;
use crate::value::{Enumeration, Kind, ObjectRef};

/// A kind in a sentence: `a text`, `an integer`, `a value of crm.Order.Status`.
pub(in crate::check) fn a(kind: &Kind) -> String {
    match kind {
        Kind::Enumeration(of) => format!("a value of `{}`", of.name),
        Kind::Integer => "an integer".to_owned(),
        Kind::Money => "money".to_owned(),
        Kind::Json => "json".to_owned(),
        Kind::Object(of) => format!("a record of `{of}`"),
        Kind::Reference(_) => kind.to_string(),
        Kind::Datetime => "a datetime".to_owned(),
        Kind::Any => "a value".to_owned(),
        other => format!("a {other}"),
    }
}

pub(in crate::check) fn mismatch(span: Span, found: &Kind, wanted: &Kind) -> Diagnostic {
    Diagnostic::new(Code::TypeMismatch, span, format!("this is {}, and {} is wanted", a(found), a(wanted))).help(format!("give {}", a(wanted)))
}

/// A value into a target field of another kind.
pub(in crate::check) fn mismatch_into(span: Span, found: &Kind, wanted: &Kind, path: &str, text: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::TypeMismatch, span, format!("`{path}` takes {}, and this is {}", a(wanted), a(found)))
        .why("no value is converted silently");
    match (found, wanted) {
        (Kind::Object(_) | Kind::Row(_) | Kind::List(_), _) => diagnostic,
        (Kind::Money, Kind::Text) => diagnostic.help(format!("write the amount as text:   {text} | amount | text")),
        (_, Kind::Text) => diagnostic.mend("write it as text", span, format!("{} | text", bracketed(text))),
        (Kind::Text | Kind::Json, Kind::Integer | Kind::Decimal | Kind::Boolean | Kind::Date | Kind::Datetime) => {
            diagnostic.help(format!("convert it, which may fail:   {} | {wanted}", bracketed(text)))
        }
        (Kind::Datetime, Kind::Date) => diagnostic.help(format!("say whose day is meant:   {} | date_in \"Europe/London\"", bracketed(text))),
        (Kind::Integer | Kind::Decimal, Kind::Boolean) => diagnostic.help(format!("compare it:   {text} != 0")),
        (Kind::Text, Kind::Money) => {
            diagnostic.help(format!("map a field that holds an amount, or convert it, which may fail:   {} | decimal", bracketed(text)))
        }
        _ => diagnostic.help(format!("map a field that holds {}", a(wanted))),
    }
}

pub(super) fn bracketed(text: &str) -> String {
    let low = [" and ", " or ", " == ", " < ", " > ", "if "].iter().any(|word| text.contains(word));
    if low { format!("({text})") } else { text.to_owned() }
}

pub(in crate::check) fn branches_differ(left: &TypedExpr, right: &TypedExpr) -> Diagnostic {
    Diagnostic::new(Code::TypeMismatch, right.span, format!("this is {}, and the other value is {}", a(&right.kind), a(&left.kind)))
        .other(left.span, format!("this is {}", a(&left.kind)))
        .why("whichever is taken goes to the same place, so both are of one kind")
        .help(format!("make this {} too", a(&left.kind)))
}

pub(in crate::check) fn not_printable(typed: &TypedExpr) -> Diagnostic {
    Diagnostic::new(Code::TypeMismatch, typed.span, format!("{} cannot stand in a text", a(&typed.kind)))
        .help("take one of its fields, or join a list:   … | join \", \"")
}

/// `a or b`, as Python and JavaScript write a fallback.
pub(in crate::check) fn or_for_a_fallback(kind: &Kind, span: Span, first: &str, second: &str) -> Diagnostic {
    Diagnostic::new(Code::NotACondition, span, format!("`or` joins conditions, and these are values: {}", a(kind)))
        .why("a fallback for a value that is missing is written `??`")
        .mend(format!("write `{first} ?? {second}`"), span, format!("{first} ?? {second}"))
}

pub(in crate::check) fn not_a_condition(typed: &TypedExpr, kind: &Kind, text: &str) -> Diagnostic {
    Diagnostic::new(Code::NotACondition, typed.span, format!("a condition is true or false, and this is {}", a(kind))).mend(
        "ask whether it is there",
        typed.span,
        format!("{text} is present"),
    )
}

/// A date as somebody wrote it, in quotes or without, as `date` or `datetime` reads it.
fn date_text(text: &str, function: &str) -> Option<String> {
    let plain = text.trim().trim_matches(['"', '\'']);
    let day: jiff::civil::Date = plain.replace(' ', "").get(..10)?.parse().ok()?;
    let rest = plain.replace(' ', "").get(10..)?.to_owned();
    match (function, rest.as_str()) {
        ("date", "") => Some(day.to_string()),
        ("datetime", "") => Some(format!("{day}T00:00:00Z")),
        ("datetime", rest) => Some(format!("{day}{rest}")).filter(|text| text.parse::<jiff::Timestamp>().is_ok()),
        _ => None,
    }
}

/// `dates`: both sides with their texts.
pub(in crate::check) fn not_comparable(left: &TypedExpr, right: &TypedExpr, span: Span, dates: &[(Span, String)]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NotComparable, span, format!("{} cannot be compared with {}", a(&left.kind), a(&right.kind)))
        .other(left.span, a(&left.kind))
        .other(right.span, a(&right.kind));
    for (date, other) in [(left, right), (right, left)] {
        let function = match date.kind {
            Kind::Date => "date",
            Kind::Datetime => "datetime",
            _ => continue,
        };
        if let Some(text) = dates.iter().find(|(span, _)| *span == other.span).and_then(|(_, text)| date_text(text, function)) {
            let write = format!("{function}(\"{text}\")");
            return diagnostic.mend(format!("write `{write}`"), other.span, write);
        }
    }
    match (&left.kind, &right.kind) {
        (Kind::Json, _) | (_, Kind::Json) => diagnostic.help("convert the json first:   … | text"),
        (Kind::Date, Kind::Datetime) | (Kind::Datetime, Kind::Date) => {
            diagnostic.help("make the date an instant first:   … | start_of_day \"Europe/London\"")
        }
        (Kind::Money, Kind::Integer | Kind::Decimal) | (Kind::Integer | Kind::Decimal, Kind::Money) => {
            diagnostic.help("take the amount of the money:   … | amount")
        }
        (Kind::Reference(of), Kind::Text) | (Kind::Text, Kind::Reference(of)) => {
            diagnostic.help(format!("look the text up first:   … | {} of {}", of.object.to_lowercase(), of.connection))
        }
        (Kind::List(_), _) | (_, Kind::List(_)) => diagnostic.help("ask for any element:   any(x == … for x in …)"),
        (Kind::Text, Kind::Integer | Kind::Decimal) => {
            diagnostic.help("write the number in quotes, or convert the text, which may fail:   … | decimal")
        }
        _ => diagnostic.help(format!("compare it with {}", a(&left.kind))),
    }
}

pub(in crate::check) fn no_order(left: &TypedExpr, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotComparable, span, format!("{} has no order", a(&left.kind))).help("compare it by `==`, `!=` or `in ( … )`")
}

pub(in crate::check) fn no_arithmetic(op: Arithmetic, left: &TypedExpr, right: &TypedExpr, span: Span) -> Diagnostic {
    let word = match op {
        Arithmetic::Add => "added",
        Arithmetic::Subtract => "subtracted",
        Arithmetic::Multiply => "multiplied",
        Arithmetic::Divide => "divided",
    };
    let money = matches!((&left.kind, &right.kind), (Kind::Money, Kind::Integer | Kind::Decimal) | (Kind::Integer | Kind::Decimal, Kind::Money));
    let code = if money { Code::MoneyMismatch } else { Code::TypeMismatch };
    Diagnostic::new(code, span, format!("{} and {} cannot be {word}", a(&left.kind), a(&right.kind)))
        .other(left.span, a(&left.kind))
        .other(right.span, a(&right.kind))
}

/// What to do where two values cannot be computed with.
pub(in crate::check) fn with_arithmetic_help(diagnostic: Diagnostic, op: Arithmetic, left: &TypedExpr, right: &TypedExpr) -> Diagnostic {
    let money = diagnostic.code == Code::MoneyMismatch;
    match (&left.kind, &right.kind) {
        (Kind::Text | Kind::Enumeration(_), _) | (_, Kind::Text | Kind::Enumeration(_)) if op == Arithmetic::Add => {
            diagnostic.help("put texts together in a template:   \"{…} {…}\"")
        }
        (Kind::Date | Kind::Datetime, Kind::Integer) => diagnostic.help("say the unit:   … + 3 days"),
        _ if money => diagnostic.help("take the amount of the money:   … | amount"),
        (Kind::Text, _) | (_, Kind::Text) => diagnostic.help("take a number, or convert the text, which may fail:   … | decimal"),
        _ => diagnostic.help("compute with values of one kind"),
    }
}

pub(in crate::check) fn useless_fallback(left: &TypedExpr, fallback: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UselessFallback, fallback, "this fallback is never taken")
        .label("never read")
        .other(left.span, format!("`{text}` is always there"))
}

pub(in crate::check) fn has_a_unit(typed: &TypedExpr, unit: &str, same: bool) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::WrongUnit, typed.span, format!("this is {} and has a unit already", a(&typed.kind)));
    if same { diagnostic.help(format!("convert it:   … | to {unit}")) } else { diagnostic.why(format!("`{unit}` measures something else")) }
}

pub(in crate::check) fn not_a_list(typed: &TypedExpr, text: &str) -> Diagnostic {
    Diagnostic::new(Code::ListMismatch, typed.span, format!("`{text}` is no list but {}", a(&typed.kind)))
        .help("name a list, such as `order.OrderItems`; one value alone needs no `each`")
}

// ---- calls

pub(in crate::check) fn needs_argument(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NeedsArgument, span, format!("`{name}` needs a value to work on")).help(format!("write `… | {name}`, or `{name}(…)`"))
}

pub(in crate::check) fn argument_count(name: &str, takes: usize, given: usize, span: Span) -> Diagnostic {
    let s = if takes == 1 { "" } else { "s" };
    Diagnostic::new(Code::WrongArguments, span, format!("`{name}` takes {takes} argument{s}, and is given {given}")).help(if given > takes {
        "leave out what is too many"
    } else {
        "give what is missing"
    })
}

pub(in crate::check) fn argument_missing(name: &str, parameter: &str, given: usize, span: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongArguments, span, format!("`{name}` needs its `{parameter}`"))
        .label(format!("{given} given"))
        .help(format!("write it in the brackets:   {name}({parameter}: …)"))
}

pub(in crate::check) fn unknown_argument(function: &str, name: &Name, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownArgument, name.span, format!("`{function}` has no argument `{}`", name.node)).did_you_mean(
        &name.node,
        name.span,
        known.iter().copied(),
    );
    if diagnostic.help.is_empty() && !known.is_empty() { diagnostic.help(format!("it has {}", known.join(", "))) } else { diagnostic }
}

pub(in crate::check) fn unknown_word(function: &str, word: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::WrongArgument, span, format!("`{function}` does not know `{word}`")).did_you_mean(word, span, known.iter().copied());
    if diagnostic.help.is_empty() { diagnostic.help(format!("it takes {}", some(known, 10))) } else { diagnostic }
}

pub(in crate::check) fn wrong_argument(builtin: &Builtin, param: &Param, typed: &TypedExpr, text: &str) -> Diagnostic {
    let wants = match &param.takes {
        Takes::Kind(kind) => a(kind),
        Takes::OneOf(kinds) => kinds.iter().map(a).collect::<Vec<_>>().join(" or "),
        Takes::Any => "any value".to_owned(),
        Takes::List => "a list".to_owned(),
        Takes::ListOf(kinds) => format!("a list of {}", kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")),
        Takes::Words(words) => some(words, 8),
        Takes::Pattern => "a pattern".to_owned(),
    };
    let code = match (&param.takes, &typed.kind) {
        (Takes::List | Takes::ListOf(_), kind) if !matches!(kind, Kind::List(_)) => Code::ListMismatch,
        (Takes::Kind(_) | Takes::OneOf(_), Kind::List(_)) => Code::ListMismatch,
        _ => Code::WrongArgument,
    };
    let diagnostic = Diagnostic::new(code, typed.span, format!("`{}` takes {wants}, and this is {}", builtin.name, a(&typed.kind)));
    match (&param.takes, &typed.kind) {
        (Takes::Kind(Kind::Text), Kind::Json | Kind::Integer | Kind::Decimal | Kind::Boolean) => {
            diagnostic.help(format!("make it a text first:   {text} | text"))
        }
        (Takes::Kind(_) | Takes::OneOf(_), Kind::List(_)) => diagnostic.help("take one of its elements:   first(…)"),
        _ => diagnostic.help(format!("give it {wants}")),
    }
}

pub(in crate::check) fn wrong_function_argument(function: &str, parameter: &Name, wants: &Kind, typed: &TypedExpr, text: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::WrongArgument,
        typed.span,
        format!("`{function}` takes {} as `{}`, and `{text}` is {}", a(wants), parameter.node, a(&typed.kind)),
    );
    diagnostic.other(parameter.span, "the parameter").help(format!("give it {}", a(wants)))
}

pub(in crate::check) fn wrong_map_argument(name: &str, from: &Kind, typed: &TypedExpr, text: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::WrongArgument, typed.span, format!("`{name}` maps {}, and `{text}` is {}", a(from), a(&typed.kind)));
    match (&typed.kind, from) {
        (Kind::Text, Kind::Enumeration(_)) => diagnostic.help("give the map an `else`, so that it says what happens to any other text"),
        _ => diagnostic,
    }
}

pub(in crate::check) fn wrong_key(table: &str, key: &str, wants: &Kind, typed: &TypedExpr) -> Diagnostic {
    Diagnostic::new(Code::WrongArgument, typed.span, format!("`{table}` is looked up by its `{key}`, {}, and this is {}", a(wants), a(&typed.kind)))
}

pub(in crate::check) fn bad_conversion(function: &str, span: Span, text: &str, kind: &Kind) -> Diagnostic {
    Diagnostic::new(Code::BadConversion, span, format!("{text} is no {kind}")).why(format!("`{function}` would give nothing for every record")).help(
        match kind {
            Kind::Date => "write the date as year, month and day: \"2026-03-01\"".to_owned(),
            Kind::Datetime => "write the instant with its offset: \"2026-03-01T12:00:00Z\"".to_owned(),
            other => format!("write {}, or take the conversion out", a(other)),
        },
    )
}

// ---- fields

pub(in crate::check) fn enumeration_differs(from: &Enumeration, to: &Enumeration, span: Span, path: &str, text: &str) -> Diagnostic {
    let other: Vec<&str> = from.names().filter(|name| !to.names().any(|known| known == *name)).collect();
    let mut diagnostic = Diagnostic::new(Code::NotInEnumeration, span, format!("`{path}` does not accept every value of `{}`", from.name));
    if !other.is_empty() {
        diagnostic = diagnostic.label(format!("not accepted: {}", some(&other, 6)));
    } else if from.open {
        diagnostic = diagnostic.label("this field may hold other values than those known");
    }
    diagnostic
        .why("a record with such a value would be refused")
        .help(format!("map them:   values …: {} -> {path} {{ … }}   and   {text} | …", from.name))
}

pub(in crate::check) fn text_into_enumeration(to: &Enumeration, span: Span, path: &str, text: &str) -> Diagnostic {
    let known: Vec<&str> = to.names().collect();
    Diagnostic::new(Code::NotInEnumeration, span, format!("`{path}` accepts only its own values, and this is any text"))
        .label(format!("accepted: {}", some(&known, 6)))
        .why("a record with any other text would be refused")
        .help(format!("map the texts:   values …: text -> {path} {{ … else review \"…\" }}   and   {text} | …"))
}

pub(in crate::check) fn passed_through(from: &Enumeration, to: &Enumeration, span: Span, path: &str) -> Diagnostic {
    Diagnostic::new(Code::PassedThrough, span, format!("values of `{}` go into `{path}` as they are", from.name))
        .why(format!("the known values of `{}` are others: {}", to.name, some(&to.names().collect::<Vec<_>>(), 6)))
        .help("map them with a `values` map")
}

pub(in crate::check) fn money_into_number(span: Span, path: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::MoneyMismatch, span, format!("`{path}` is a plain number, and this is money"))
        .why("the currency would be lost without a word")
        .mend("say that only the amount is meant", span, format!("{} | amount", bracketed(text)))
}

/// A number, or money that has no currency, where an amount is sent with its currency.
pub(in crate::check) fn currency_needed(span: Span, path: &str, text: &str, literal: bool) -> Diagnostic {
    let help = if literal {
        format!("write its currency, for example   {text} EUR")
    } else {
        format!("say its currency, for example   {} | money \"EUR\"", bracketed(text))
    };
    Diagnostic::new(Code::TypeMismatch, span, format!("`{path}` is sent an amount with its currency, and this has none"))
        .why("each record would be rejected: which currency is meant is never guessed")
        .help(help)
}

pub(in crate::check) fn date_needs_time(span: Span, path: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::DateNeedsTime, span, format!("`{path}` is a datetime, and a date is none by itself"))
        .why("which instant a day begins at depends on the place")
        .help(format!("say the time and the zone:   {} | start_of_day \"America/Los_Angeles\"", bracketed(text)))
}

pub(in crate::check) fn unit_needed(span: Span, path: &str, text: &str, wanted: &Kind) -> Diagnostic {
    let unit = if *wanted == Kind::Weight { "kg" } else { "cm" };
    let number = if text.contains(' ') && !text.starts_with('(') { format!("({text})") } else { text.to_owned() };
    Diagnostic::new(Code::UnitNeeded, span, format!("`{path}` is {}, and this is a bare number", a(wanted)))
        .why("whether it means kilograms or pounds, centimetres or inches is not said")
        .mend("say its unit", span, format!("{number} as {unit}"))
}

pub(in crate::check) fn wrong_unit(span: Span, path: &str, found: &Kind, wanted: &Kind) -> Diagnostic {
    Diagnostic::new(Code::WrongUnit, span, format!("`{path}` is {}, and this is {}", a(wanted), a(found))).help(if *wanted == Kind::Weight {
        "say a unit of weight: `as kg`, `as g`, `as lb` or `as oz`"
    } else {
        "say a unit of length: `as cm`, `as m` or `as inches`"
    })
}

pub(in crate::check) fn text_into_reference(span: Span, path: &str, text: &str, of: &ObjectRef) -> Diagnostic {
    let what = of.object.to_lowercase();
    Diagnostic::new(Code::TypeMismatch, span, format!("`{path}` takes a {what} of `{}`, and this is a text", of.connection)).help(format!(
        "look it up by its name, which may fail:   {} | {what} of {}",
        bracketed(text),
        of.connection
    ))
}

pub(in crate::check) fn row_into_object(span: Span, path: &str, wanted: &Kind) -> Diagnostic {
    Diagnostic::new(Code::TypeMismatch, span, format!("`{path}` takes {}, and this is a record of the mapping's own", a(wanted)))
        .help("write its rows here:   each x in … { field = x.… }")
}

pub(in crate::check) fn list_into_one(span: Span, path: &str, text: &str, fits: bool) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::ListMismatch, span, format!("`{path}` takes one value, and this is a list"));
    if fits {
        diagnostic.help(format!("take one of them:   first({text})")).help("or put them together:   … | join \", \"")
    } else {
        diagnostic.help(format!("take a field of one of them:   first({text}).…"))
    }
}

pub(in crate::check) fn one_into_list(span: Span, path: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::ListMismatch, span, format!("`{path}` takes a list, and this is one value")).mend(
        format!("make it a list of one:   ({text},)"),
        span,
        format!("({text},)"),
    )
}

pub(in crate::check) fn literal_misfit(span: Span, path: &str, what: &str, limit: &str) -> Diagnostic {
    Diagnostic::new(Code::LiteralMisfit, span, format!("this does not fit `{path}`: {what}"))
        .label(limit.to_owned())
        .why("every record would be refused")
        .help("write a value that fits")
}

pub(in crate::check) fn may_not_be_whole(span: Span, path: &str, text: &str) -> Diagnostic {
    Diagnostic::new(Code::MayNotFit, span, format!("`{path}` takes whole numbers, and this is a decimal"))
        .why("a record with a fraction here would be rejected before it is sent")
        .mend("round it, or require it to be whole", span, format!("{} | round 0", bracketed(text)))
}

/// Names that stand for names multiply.
pub(crate) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::new(Code::Multiplies, span, "what this stands for is too large to be checked")
        .why("each name brings along all that it is made of, and here they multiply")
        .help("make it of fewer names, or of each of them once")
}
