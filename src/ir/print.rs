//! An expression in one line, as an author would write it, shortened: for people.

use super::{Arithmetic, Expr, Mapping, Part, Pattern, ValueMap};
use crate::value::{Literal, Value};

// How tightly the forms of the language bind (docs/language.md, "Precedence"), loosest first.
/// `if`, of which the last part goes on as far as it can.
const CHOICE: u8 = 0;
/// `each`, `sort`, `group`
const LISTING: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
/// A comparison, `in`, `matches`, `is present`, `was sent`.
const TEST: u8 = 4;
/// `|` and `??`
const PIPE: u8 = 5;
const SUM: u8 = 6;
const PRODUCT: u8 = 7;
/// `as kg`
const UNIT: u8 = 8;
const MINUS: u8 = 9;
/// A path, a call, a constant.
const PATH: u8 = 10;

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
        let at = |least: u8, expr: &Expr| self.at(least, expr);
        let list = |parts: &[Expr], between: &str| parts.iter().map(|part| self.of(part)).collect::<Vec<_>>().join(between);
        let joined = |parts: &[Expr], least: u8, word: &str| parts.iter().map(|part| self.at(least, part)).collect::<Vec<_>>().join(word);
        match expr {
            Expr::Literal(found) => literal(found),
            Expr::Slot { name, .. } => name.to_string(),
            Expr::ContextVar(found) => found.name().to_owned(),
            Expr::Parameter(name) => name.clone(),
            Expr::Field { base, name, .. } => format!("{}.{name}", at(PATH, base)),
            Expr::Bind { body, .. } => of(body),
            Expr::Call { function, arguments } => format!("{}({})", function.0.name, list(arguments, ", ")),
            Expr::Values { map, back, value } => match self.values(*map) {
                Some(map) => format!("{} | {}{}", at(PIPE, value), map.name, if *back { " back" } else { "" }),
                None => of(value),
            },
            Expr::Coerce { value, .. } => of(value),
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
            // Beside `??` the language wants brackets around a sum and a product.
            Expr::Fallback { value, fallback } => {
                let least = if self.rank(value) == PIPE { PIPE } else { UNIT };
                format!("{} ?? {}", at(least, value), at(UNIT, fallback))
            }
            Expr::Arithmetic { op, left, right } => {
                let rank = self.rank(expr);
                format!("{} {} {}", at(rank, left), op.sign(), at(rank + 1, right))
            }
            Expr::Negate(inner) => format!("-{}", at(PATH, inner)),
            Expr::Compare { op, left, right } => format!("{} {} {}", at(PIPE, left), op.sign(), at(PIPE, right)),
            Expr::And(parts) => joined(parts, NOT, " and "),
            Expr::Or(parts) => format!("({})", joined(parts, AND, " or ")),
            Expr::Not(inner) => match &**inner {
                Expr::IsPresent(inner) => format!("{} is missing", at(PIPE, inner)),
                // It has brackets of its own.
                Expr::Or(_) => format!("not {}", of(inner)),
                inner => format!("not ({})", of(inner)),
            },
            Expr::In { value, list: items } => format!("{} in ({})", at(PIPE, value), list(items, ", ")),
            Expr::Matches { value, pattern } => match pattern {
                Pattern::Regex(pattern) => format!("{} matches '{pattern}'", at(PIPE, value)),
                Pattern::Builtin { function, arguments } if arguments.is_empty() => format!("{} matches {}", at(PIPE, value), function.0.name),
                Pattern::Builtin { function, arguments } => format!("{} matches {}({})", at(PIPE, value), function.0.name, list(arguments, ", ")),
            },
            Expr::IsPresent(inner) => format!("{} is present", at(PIPE, inner)),
            Expr::WasSent(inner) => format!("{} was sent", at(PIPE, inner)),
            Expr::If { condition, then, otherwise } => {
                let begin = format!("if {} then {}", of(condition), at(LISTING, then));
                if matches!(**otherwise, Expr::Literal(Literal::Missing)) { begin } else { format!("{begin} else {}", of(otherwise)) }
            }
            Expr::JsonPath { value, path } => format!("{} $ \"{path}\"", at(PATH, value)),
            Expr::Named { name, .. } => format!("\"{name}\""),
            Expr::LookUpName { of: object, value } => format!("{} | {} of {}", at(PIPE, value), object.object.to_lowercase(), object.connection),
            Expr::List(items) => format!("({})", list(items, ", ")),
            Expr::Weigh { value, unit } => format!("{} as {}", at(MINUS, value), unit.word()),
            Expr::Measure { value, unit } => format!("{} as {}", at(MINUS, value), unit.word()),
            Expr::Sort { list, .. } => format!("sort {}", at(PIPE, list)),
            Expr::Each { generators, .. } => match generators.first() {
                Some(first) => format!("each {} in {}", first.name, at(PIPE, &first.list)),
                None => "a list".to_owned(),
            },
            Expr::Group { list, by, .. } => format!("group {} by {}", at(PIPE, list), of(by)),
            Expr::Grouped { function, value, .. } => format!("{}({})", function.0.name, value.as_deref().map(of).unwrap_or_default()),
            Expr::Object { .. } => "{ … }".to_owned(),
        }
    }

    /// In brackets where it binds less tightly than its place asks for.
    fn at(&self, least: u8, expr: &Expr) -> String {
        let text = self.of(expr);
        if self.rank(expr) < least { format!("({text})") } else { text }
    }

    /// How tightly an expression holds together as it is printed.
    fn rank(&self, expr: &Expr) -> u8 {
        match expr {
            Expr::Bind { body: inner, .. } | Expr::Coerce { value: inner, .. } => self.rank(inner),
            Expr::Values { map, value, .. } if self.values(*map).is_none() => self.rank(value),
            Expr::If { .. } => CHOICE,
            Expr::Each { .. } | Expr::Sort { .. } | Expr::Group { .. } => LISTING,
            Expr::And(_) => AND,
            Expr::Not(inner) if !matches!(**inner, Expr::IsPresent(_)) => NOT,
            Expr::Not(_) | Expr::Compare { .. } | Expr::In { .. } | Expr::Matches { .. } | Expr::IsPresent(_) | Expr::WasSent(_) => TEST,
            Expr::Fallback { .. } | Expr::Values { .. } | Expr::LookUpName { .. } => PIPE,
            Expr::Arithmetic { op: Arithmetic::Add | Arithmetic::Subtract, .. } => SUM,
            Expr::Arithmetic { op: Arithmetic::Multiply | Arithmetic::Divide, .. } => PRODUCT,
            Expr::Weigh { .. } | Expr::Measure { .. } => UNIT,
            Expr::Negate(_) => MINUS,
            Expr::Literal(found) if literal(found).starts_with('-') => MINUS,
            // `or` and a list have brackets of their own.
            _ => PATH,
        }
    }

    fn values(&self, map: usize) -> Option<&ValueMap> {
        self.mapping.and_then(|mapping| mapping.values.get(map))
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
    match expr.uncoerced() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Slot;

    fn slot(at: u32) -> Expr {
        Expr::Slot { slot: Slot(at), name: format!("x{at}").into() }
    }

    #[test]
    fn an_expression_is_printed_as_it_is_written() {
        let list = Expr::List(vec![slot(3), Expr::Template { parts: vec![Part::Text("-".into()), Part::Expr(slot(4))], message: false }]);
        let whole = Expr::If {
            condition: Box::new(Expr::Not(Box::new(Expr::IsPresent(Box::new(slot(0)))))),
            then: Box::new(Expr::Sort { slot: Slot(9), list: Box::new(slot(1)), by: Box::new(slot(2)), descending: false }),
            otherwise: Box::new(list),
        };
        assert_eq!(of(&whole), "if x0 is missing then sort x1 else (x3, \"-{x4}\")");
    }

    /// A value map has no name without its mapping: what is printed for it is the value, which then needs its own brackets.
    #[test]
    fn a_value_map_without_its_name_keeps_the_brackets_of_its_value() {
        let sum = Expr::Arithmetic { op: Arithmetic::Add, left: Box::new(slot(1)), right: Box::new(slot(2)) };
        let map = Expr::Values { map: 0, back: false, value: Box::new(sum) };
        let product = Expr::Arithmetic { op: Arithmetic::Multiply, left: Box::new(map), right: Box::new(slot(3)) };
        assert_eq!(of(&product), "(x1 + x2) * x3");
    }
}
