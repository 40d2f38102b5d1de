//! Parameters: their types, and the value of this environment or the default.

use std::str::FromStr;

use indexmap::IndexMap;
use rust_decimal::Decimal;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{CheckContext, Checker};
use crate::check::error;
use crate::check::expr::{duration, fits};
use crate::ir;
use crate::syntax::tree;
use crate::value::{Kind, LengthUnit, Literal, Type, WeightUnit};

/// Checks one declaration; the same name in several files is one parameter.
pub(super) fn check(
    context: &CheckContext<'_>,
    unit: usize,
    written: &tree::Parameter,
    into: &mut IndexMap<String, ir::Parameter>,
    out: &mut Vec<Diagnostic>,
) {
    let mut checker = Checker::new(context, unit);
    let of = checker.type_expr(&written.of);
    let name = written.name.node.as_str();
    let setting = context.environment.parameter(name);
    let value = match (&setting, &written.default) {
        (Some(setting), _) => match checker.setting(&setting.text, &of.kind, setting.span) {
            Ok(literal) => Some(literal),
            Err(reason) => {
                if reason.is_empty() {
                    None
                } else {
                    let said = Diagnostic::new(
                        Code::ParameterValue,
                        setting.span,
                        format!("`{}` is no {} for the parameter `{name}`", setting.text, of.kind),
                    )
                    .other(written.of.span, "the type of the parameter")
                    .why(reason);
                    checker.report(with_right_form(said, &setting.text, setting.span, &of.kind));
                    None
                }
            }
        },
        (None, Some(default)) => checker.default(default, &of),
        (None, None) if of.nullable => Some(Literal::Missing),
        (None, None) => {
            if of.kind != Kind::Any {
                checker.report(
                    Diagnostic::new(Code::ParameterUnset, written.name.span, format!("the parameter `{name}` has no value"))
                        .label("no default, and not set in crossdock.yaml")
                        .help(format!("set it under `parameters:` in crossdock.yaml, or give it a default: `parameter {name}: … = …`")),
                );
            }
            None
        }
    };
    if let Some(default) = written.default.as_ref().filter(|_| setting.is_some()) {
        let _ = checker.default(default, &of);
    }
    let value = value.unwrap_or(Literal::Missing);
    let place = checker.place(written.name.span);
    out.append(&mut checker.out);
    into.entry(name.to_owned()).or_insert(ir::Parameter { of, value, place });
}

/// The same value as the language writes it, where that can be told.
fn with_right_form(said: Diagnostic, text: &str, span: Span, kind: &Kind) -> Diagnostic {
    let right = match kind {
        Kind::Integer | Kind::Decimal | Kind::Money => {
            let found = crate::syntax::habits::mend(text, &|text| Decimal::from_str(text).is_ok());
            found.and_then(|found| found.edit).map(|(at, write)| format!("\"{}{write}{}\"", &text[..at.start], &text[at.end..]))
        }
        Kind::Boolean => match text.to_lowercase().as_str() {
            "yes" | "on" | "1" | "true" => Some("true".to_owned()),
            "no" | "off" | "0" | "false" => Some("false".to_owned()),
            _ => None,
        },
        _ => None,
    };
    match (right, kind) {
        (Some(right), _) => said.mend(format!("write `{right}`"), span, right),
        (None, Kind::Boolean) => said.help("write `true` or `false`"),
        (None, Kind::Date) => said.help("write the date as year, month and day: \"2026-03-01\""),
        (None, kind) => said.help(format!("write {}", error::types::a(kind))),
    }
}

impl Checker<'_> {
    fn default(&mut self, default: &tree::Expr, of: &Type) -> Option<Literal> {
        if let (Kind::Reference(reference), tree::ExprKind::Text(text)) = (&of.kind, default.kind.as_ref()) {
            let name = text.plain()?;
            let typed = self.named(&name, reference, default.span);
            return (!typed.is_erroneous()).then_some(Literal::Text(name));
        }
        let typed = self.expr(default, Some(&of.kind));
        if typed.is_erroneous() {
            return None;
        }
        if !fits(&typed.kind, &of.kind) && !matches!((&typed.kind, &of.kind), (Kind::Integer | Kind::Decimal, Kind::Money)) {
            self.report(error::types::mismatch(default.span, &typed.kind, &of.kind));
            return None;
        }
        match typed.literal_value() {
            Some(literal) => Some(literal.clone()),
            None => {
                self.report(Diagnostic::new(Code::ParameterValue, default.span, "a default is a literal value"));
                None
            }
        }
    }

    /// The value of a text in crossdock.yaml. An empty reason: it was told.
    fn setting(&mut self, text: &str, kind: &Kind, span: Span) -> Result<Literal, String> {
        if let Kind::Reference(of) = kind
            && self.named(text, &of.clone(), span).is_erroneous()
        {
            return Err(String::new());
        }
        parameter_value(text, kind)
    }
}

/// The value that a text gives to a parameter of a kind. A name of something (a store, a warehouse) is taken as it is.
///
/// # Errors
/// It is no such value: how one is written.
pub fn parameter_value(text: &str, kind: &Kind) -> Result<Literal, String> {
    let wrong = |what: &str| Err(format!("write it as {what}"));
    match kind {
        Kind::Text | Kind::Any | Kind::Reference(_) => Ok(Literal::Text(text.to_owned())),
        Kind::Boolean => match text {
            "true" => Ok(Literal::Boolean(true)),
            "false" => Ok(Literal::Boolean(false)),
            _ => wrong("`true` or `false`"),
        },
        Kind::Integer | Kind::Decimal => match Decimal::from_str(text) {
            Ok(number) if *kind == Kind::Decimal || number.fract().is_zero() => Ok(Literal::Number(number)),
            _ => wrong("a number, such as `12`"),
        },
        Kind::Money => amount(text).map_or_else(|| wrong("an amount, such as `12.50` or `12.50 EUR`"), Ok),
        Kind::Date => text.parse().map(Literal::Date).or_else(|_| wrong("`2026-03-01`")),
        Kind::Time => text.parse().map(Literal::Time).or_else(|_| wrong("`02:00`")),
        Kind::Datetime => text.parse().map(Literal::Datetime).or_else(|_| wrong("`2026-03-01T02:00:00Z`")),
        Kind::Duration | Kind::Weight | Kind::Length => {
            let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
            let Ok(number) = Decimal::from_str(number) else { return wrong("a number and its unit, such as `3 days`") };
            let literal = match kind {
                Kind::Duration => duration(number, unit).map(Literal::Duration),
                Kind::Weight => WeightUnit::parse(unit).map(|unit| Literal::Weight(number, unit)),
                _ => LengthUnit::parse(unit).map(|unit| Literal::Length(number, unit)),
            };
            literal.ok_or_else(|| "write it as a number and its unit, such as `3 days`".to_owned())
        }
        Kind::Enumeration(of) => match of.resolve(text) {
            Some(value) => Ok(Literal::Text(value.to_owned())),
            None if of.open => Ok(Literal::Text(text.to_owned())),
            None => Err(format!("the values are {}", of.names().collect::<Vec<_>>().join(", "))),
        },
        Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json => Err("a parameter is one value".to_owned()),
    }
}

/// `12.50`, or `12.50 EUR`.
fn amount(text: &str) -> Option<Literal> {
    match text.trim().split_once(' ') {
        None => Decimal::from_str(text.trim()).ok().map(Literal::Money),
        Some((number, code)) => {
            let code = crate::builtin::currency_code(code)?;
            Some(Literal::Amount(Decimal::from_str(number).ok()?, code.to_string()))
        }
    }
}
