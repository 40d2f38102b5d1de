//! Values of fields against literals: which values fit, and what the comparison tests.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Trouble;
use super::bind::{Part, Set, Test};
use super::dates::{DateLiteral, midnight};
use super::tree::{Compare, Literal};
use crate::sandbox::salesforce::catalog::{Catalog, Holds};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::id::{self, Id};
use crate::sandbox::salesforce::store::small;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind<'a> {
    pub(super) name: &'a str,
    pub(super) holds: &'a Holds,
    pub(super) filterable: bool,
}

/// The type's name in Salesforce's messages.
pub(super) fn wants(holds: &Holds) -> &'static str {
    match holds {
        Holds::Id | Holds::Reference(_) => "reference",
        Holds::Text(..) | Holds::Picklist { .. } | Holds::Address(_) => "string",
        Holds::Boolean => "boolean",
        Holds::Integer => "int",
        Holds::Decimal | Holds::Currency => "double",
        Holds::Date => "date",
        Holds::Datetime => "dateTime",
    }
}

fn wrong(kind: &Kind<'_>, at: usize) -> Trouble {
    let wants = wants(kind.holds);
    let quotes = if wants == "string" || wants == "reference" { "should be enclosed in quotes" } else { "should not be enclosed in quotes" };
    Trouble::new("INVALID_FIELD", format!("value of filter criterion for field '{}' must be of type {wants} and {quotes}", kind.name), at)
}

/// An id in a condition: a record of the org, or where it would stand.
enum Meant {
    Record(Id),
    Elsewhere(String),
}

fn meant(catalog: &Catalog, text: &str) -> Result<Meant, Trouble> {
    let Some((prefix, number)) = id::read(text) else {
        return Err(Trouble::plain("INVALID_QUERY_FILTER_OPERATOR", format!("invalid ID field: {text}")));
    };
    let record = || Some(Id { table: u16::try_from(catalog.of_prefix(prefix)?).ok()?, row: number.filter(|number| *number > 0)? });
    Ok(record().map_or_else(|| Meant::Elsewhere(text.get(..15).unwrap_or(text).to_owned()), Meant::Record))
}

fn value(kind: &Kind<'_>, literal: &Literal, at: usize) -> Result<Cell, Trouble> {
    let found = match (literal, wants(kind.holds)) {
        (Literal::Text(text), "string") => Some(Cell::Text(text.as_str().into())),
        (Literal::Bool(truth), "boolean") => Some(Cell::Bool(*truth)),
        (Literal::Bare(text), "int" | "double") => {
            let text = text.strip_prefix('+').unwrap_or(text);
            text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok().map(Cell::Number)
        }
        (Literal::Bare(text), "date") => (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(Cell::Date),
        (Literal::Bare(text), "dateTime") => text.contains('T').then(|| text.parse::<Timestamp>().ok()).flatten().map(Cell::Time),
        _ => None,
    };
    found.ok_or_else(|| wrong(kind, at))
}

/// A comparison with the days that a word means: equal is within them.
fn days<W: Clone>(kind: &Kind<'_>, what: W, op: Compare, literal: DateLiteral, (now, at): (Timestamp, usize)) -> Result<Test<W>, Trouble> {
    let outside = || Trouble::malformed("the date literal is out of the calendar", at);
    let (first, behind) = literal.days(now).ok_or_else(outside)?;
    let cell = |day: Date| match kind.holds {
        Holds::Date => Ok(Cell::Date(day)),
        Holds::Datetime => midnight(day).map(Cell::Time).ok_or_else(outside),
        _ => Err(wrong(kind, at)),
    };
    let (first, behind) = (cell(first)?, cell(behind)?);
    let test = |op: Compare, cell: Cell| Test::Compare(what.clone(), op, cell);
    let within = |first, behind| Test::And(vec![test(Compare::GreaterOrEqual, first), test(Compare::Less, behind)]);
    Ok(match op {
        Compare::Equal => within(first, behind),
        Compare::NotEqual => Test::Not(Box::new(within(first, behind))),
        Compare::Less => test(Compare::Less, first),
        Compare::LessOrEqual => test(Compare::Less, behind),
        Compare::Greater => test(Compare::GreaterOrEqual, behind),
        Compare::GreaterOrEqual => test(Compare::GreaterOrEqual, first),
    })
}

pub(super) fn compare<W: Clone>(
    catalog: &Catalog,
    kind: &Kind<'_>,
    what: W,
    op: Compare,
    literal: &Literal,
    (now, at): (Timestamp, usize),
) -> Result<Test<W>, Trouble> {
    let not = |test: Test<W>| Test::Not(Box::new(test));
    Ok(match (kind.holds, literal, op) {
        (_, Literal::Null, Compare::Equal) => Test::IsNull(what),
        (_, Literal::Null, Compare::NotEqual) => not(Test::IsNull(what)),
        (_, Literal::Null, _) => Test::Always(false),
        (_, Literal::Date(literal), _) => days(kind, what, op, *literal, (now, at))?,
        (Holds::Boolean, _, Compare::Less | Compare::LessOrEqual | Compare::Greater | Compare::GreaterOrEqual) => {
            return Err(Trouble::new("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean field".to_owned(), at));
        }
        (Holds::Id | Holds::Reference(_), Literal::Text(text), _) => match (meant(catalog, text)?, op) {
            (Meant::Record(id), Compare::NotEqual) => not(Test::Compare(what, Compare::Equal, Cell::Id(id))),
            // Ids of different objects sort by their text.
            (Meant::Record(_), _) if is_order(op) => Test::BesideId(what, op, text.get(..15).unwrap_or(text).to_owned()),
            (Meant::Record(id), _) => Test::Compare(what, op, Cell::Id(id)),
            (Meant::Elsewhere(_), Compare::Equal) => Test::Always(false),
            (Meant::Elsewhere(_), Compare::NotEqual) => Test::Always(true),
            (Meant::Elsewhere(text), _) => Test::BesideId(what, op, text),
        },
        // A missing value is not equal to any, so it passes.
        (_, _, Compare::NotEqual) => not(Test::Compare(what, Compare::Equal, value(kind, literal, at)?)),
        _ => Test::Compare(what, op, value(kind, literal, at)?),
    })
}

fn is_order(op: Compare) -> bool {
    !matches!(op, Compare::Equal | Compare::NotEqual)
}

pub(super) fn set(catalog: &Catalog, kind: &Kind<'_>, literals: &[&Literal], at: usize) -> Result<Set, Trouble> {
    let mut set = Set::default();
    for literal in literals {
        match (kind.holds, literal) {
            (_, Literal::Null) => set.null = true,
            (Holds::Id | Holds::Reference(_), Literal::Text(text)) => {
                if let Meant::Record(id) = meant(catalog, text)? {
                    set.ids.insert(id);
                }
            }
            _ => match value(kind, literal, at)? {
                Cell::Text(text) => {
                    set.texts.insert(small(&text));
                }
                other => set.others.push(other),
            },
        }
    }
    Ok(set)
}

pub(super) fn parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => parts.push(Part::Any),
            '_' => parts.push(Part::One),
            // The reader leaves a backslash only before these two.
            '\\' => match letters.next() {
                Some(escaped @ ('%' | '_')) => parts.push(Part::Letter(escaped)),
                Some(other) => parts.extend([Part::Letter('\\'), Part::Letter(other)]),
                None => parts.push(Part::Letter('\\')),
            },
            letter => parts.extend(letter.to_lowercase().map(Part::Letter)),
        }
    }
    parts
}
