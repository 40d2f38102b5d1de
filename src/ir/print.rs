//! An expression in one line, as an author would write it, shortened: for people.

use super::{Expr, Mapping, Part, Pattern};
use crate::value::{Literal, Value};

/// The expression in one line, value maps without their names.
pub fn of(expr: &Expr) -> String {
    Printer { mapping: None }.of(expr)
}

/// The expression in one line, as a mapping's author would write it there.
pub fn within(mapping: &Mapping, expr: &Expr) -> String {
    Printer { mapping: Some(mapping) }.of(expr)
}

struct Printer<'m> {
    mapping: Option<&'m Mapping>,
}

impl Printer<'_> {
    fn of(&self, expr: &Expr) -> String {
        let of = |expr: &Expr| self.of(expr);
        let list = |parts: &[Expr], between: &str| parts.iter().map(|part| self.of(part)).collect::<Vec<_>>().join(between);
        match expr {
            Expr::Literal(found) => literal(found),
            Expr::Slot { name, .. } => name.to_string(),
            Expr::Word(found) => found.name().to_owned(),
            Expr::Parameter(name) => name.clone(),
            Expr::Field { base, name, .. } => format!("{}.{name}", of(base)),
            Expr::Bind { body, .. } => of(body),
            Expr::Call { function, arguments } => format!("{}({})", function.0.name, list(arguments, ", ")),
            Expr::Values { map, back, value } => match self.mapping.and_then(|mapping| mapping.values.get(*map)) {
                Some(map) => format!("{} | {}{}", of(value), map.name, if *back { " back" } else { "" }),
                None => of(value),
            },
            Expr::Treat { value, .. } => of(value),
            Expr::Table { table, keys } => match self.mapping.and_then(|mapping| mapping.tables.get(*table)) {
                Some(table) => format!("{}({})", table.name, list(keys, ", ")),
                None => format!("a table's row for {}", list(keys, ", ")),
            },
            Expr::Template { parts, .. } => {
                let inner = parts.iter().map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Expr(inner) => format!("{{{}}}", of(inner)),
                });
                format!("\"{}\"", inner.collect::<String>())
            }
            Expr::Fallback { value, fallback } => format!("{} ?? {}", of(value), of(fallback)),
            Expr::Arithmetic { op, left, right } => format!("{} {} {}", of(left), op.sign(), of(right)),
            Expr::Negate(inner) => format!("-{}", of(inner)),
            Expr::Compare { op, left, right } => format!("{} {} {}", of(left), op.sign(), of(right)),
            Expr::And(parts) => list(parts, " and "),
            Expr::Or(parts) => format!("({})", list(parts, " or ")),
            Expr::Not(inner) => match &**inner {
                Expr::IsPresent(inner) => format!("{} is missing", of(inner)),
                inner => format!("not ({})", of(inner)),
            },
            Expr::In { value, list: items } => format!("{} in ({})", of(value), list(items, ", ")),
            Expr::Matches { value, pattern } => match pattern {
                Pattern::Regex(pattern) => format!("{} matches '{pattern}'", of(value)),
                Pattern::Builtin { function, arguments } if arguments.is_empty() => format!("{} matches {}", of(value), function.0.name),
                Pattern::Builtin { function, arguments } => format!("{} matches {}({})", of(value), function.0.name, list(arguments, ", ")),
            },
            Expr::IsPresent(inner) => format!("{} is present", of(inner)),
            Expr::WasSent(inner) => format!("{} was sent", of(inner)),
            Expr::If { condition, then, otherwise } => format!("if {} then {} else {}", of(condition), of(then), of(otherwise)),
            Expr::JsonPath { value, path } => format!("{} $ \"{path}\"", of(value)),
            Expr::Named { name, .. } => format!("\"{name}\""),
            Expr::LookUpName { of: object, value } => format!("{} | {} of {}", of(value), object.object.to_lowercase(), object.connection),
            Expr::List(items) => format!("({})", list(items, ", ")),
            Expr::Weigh { value, unit } => format!("{} as {}", of(value), unit.word()),
            Expr::Measure { value, unit } => format!("{} as {}", of(value), unit.word()),
            Expr::Sort { list, .. } => format!("sort {}", of(list)),
            Expr::Each { generators, .. } => match generators.first() {
                Some(first) => format!("each {} in {}", first.name, of(&first.list)),
                None => "a list".to_owned(),
            },
            Expr::Group { list, by, .. } => format!("group {} by {}", of(list), of(by)),
            Expr::Grouped { function, value, .. } => format!("{}({})", function.0.name, value.as_deref().map(of).unwrap_or_default()),
            Expr::Object { .. } => "{ … }".to_owned(),
        }
    }
}

/// A constant: a text in quotes.
pub fn literal(found: &Literal) -> String {
    match found.to_value() {
        Value::Text(text) => format!("\"{text}\""),
        value => value.to_string(),
    }
}

/// The path of a field or a name: `order.Status`; `it` for a value that has none.
pub fn path(expr: &Expr) -> String {
    match expr.untreated() {
        Expr::Slot { name, .. } => name.to_string(),
        Expr::Field { base, name, .. } => format!("{}.{name}", path(base)),
        _ => "it".to_owned(),
    }
}

/// A message in quotes, with `{…}` for what it takes from the record.
pub fn message(message: &Expr) -> String {
    let text = match message {
        Expr::Literal(Literal::Text(text)) => text.clone(),
        Expr::Template { parts, .. } => parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Expr(_) => "{…}",
            })
            .collect(),
        _ => "…".to_owned(),
    };
    format!("\"{text}\"")
}
