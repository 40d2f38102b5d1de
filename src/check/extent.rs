//! What is known of a value's size: how long a text can be, between which numbers it lies, how many decimal
//! places it has and in which unit. It goes along with a value through functions, so that [`super::limits`] can
//! tell at the target field whether the value may not fit.

use rust_decimal::Decimal;

use crate::check::checker::TypedExpr;
use crate::ir::Arithmetic;
use crate::value::{Kind, LengthUnit, Literal, WeightUnit};

/// More decimal places than any field keeps: what a division leaves, or a conversion of units.
pub(super) const ENDLESS: u32 = 28;

/// What is known beside [`TypedExpr`]'s own `longest` and `places`. Nothing is known by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Extent {
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
    /// It is computed by a subtraction: it may lie below 0 whatever its parts are.
    pub signed: bool,
    /// A text without a limit: a list joined together, free text of a person, a field of a file.
    pub open: Option<Open>,
    pub unit: Option<Unit>,
    /// A row of a table, or one of its columns.
    pub table: Option<(usize, Option<usize>)>,
}

/// Why a text may have any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// As many texts as there are, put together.
    Joined,
    /// What a person writes: notes, a description.
    Prose,
    /// A field of a file, which has no limit of its own.
    File,
    /// A value of JSON.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Weight(WeightUnit),
    Length(LengthUnit),
}

impl Unit {
    pub(super) fn parse(word: &str) -> Option<Unit> {
        WeightUnit::parse(word).map(Unit::Weight).or_else(|| LengthUnit::parse(word).map(Unit::Length))
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Unit::Weight(unit) => unit.word(),
            Unit::Length(unit) => unit.word(),
        }
    }

    /// A number of `places` decimal places in this unit, written in another: how many places it has then.
    pub(super) fn places_in(self, places: Option<u32>, to: Unit) -> Option<u32> {
        if self == to {
            return places;
        }
        let one = match (self, to) {
            (Unit::Weight(from), Unit::Weight(to)) => from.convert(Decimal::ONE, to)?,
            (Unit::Length(from), Unit::Length(to)) => from.convert(Decimal::ONE, to)?,
            _ => return None,
        };
        // 1 kg is 1000 g, and no number of ounces that ends.
        match one.scale() {
            0 => {
                let zeros = one.to_string().chars().rev().take_while(|digit| *digit == '0').count();
                places.map(|places| places.saturating_sub(u32::try_from(zeros).unwrap_or(0)))
            }
            scale if scale >= 20 => Some(ENDLESS),
            scale => Some(places.unwrap_or(0) + scale),
        }
    }
}

impl Extent {
    pub(super) fn exactly(number: Decimal) -> Self {
        Extent { low: Some(number), high: Some(number), ..Extent::default() }
    }

    pub(super) fn from(low: impl Into<Decimal>) -> Self {
        Extent { low: Some(low.into()), ..Extent::default() }
    }

    pub(super) fn opened(open: Open) -> Self {
        Extent { open: Some(open), ..Extent::default() }
    }

    /// One or the other.
    pub(super) fn either(&self, other: &Extent) -> Extent {
        Extent {
            low: self.low.zip(other.low).map(|(a, b)| a.min(b)),
            high: self.high.zip(other.high).map(|(a, b)| a.max(b)),
            signed: self.signed || other.signed,
            open: self.open.or(other.open),
            unit: self.unit.filter(|unit| other.unit == Some(*unit)),
            table: None,
        }
    }

    pub(super) fn negated(&self) -> Extent {
        Extent { low: self.high.map(|high| -high), high: self.low.map(|low| -low), signed: true, unit: self.unit, ..Extent::default() }
    }

    /// The result of an operation on two numbers.
    pub(super) fn of_arithmetic(op: Arithmetic, left: &TypedExpr, right: &TypedExpr) -> Extent {
        let (a, b) = (&left.extent, &right.extent);
        let zero = Decimal::ZERO;
        let not_below = |extent: &Extent| extent.low.is_some_and(|low| low >= zero);
        let mut out = Extent { signed: a.signed || b.signed, unit: a.unit.or(b.unit), ..Extent::default() };
        match op {
            Arithmetic::Add => {
                out.low = a.low.zip(b.low).and_then(|(a, b)| a.checked_add(b));
                out.high = a.high.zip(b.high).and_then(|(a, b)| a.checked_add(b));
            }
            Arithmetic::Subtract => {
                out.low = a.low.zip(b.high).and_then(|(a, b)| a.checked_sub(b));
                out.high = a.high.zip(b.low).and_then(|(a, b)| a.checked_sub(b));
                out.signed = true;
            }
            Arithmetic::Multiply if not_below(a) && not_below(b) => {
                out.low = a.low.zip(b.low).and_then(|(a, b)| a.checked_mul(b));
                out.high = a.high.zip(b.high).and_then(|(a, b)| a.checked_mul(b));
            }
            Arithmetic::Multiply => {}
            Arithmetic::Divide => {
                if not_below(a) && not_below(b) {
                    out.low = Some(zero);
                }
                // What divides a measure by a measure has no unit.
                out.unit = a.unit.filter(|_| b.unit.is_none());
            }
        }
        out
    }

    /// What a function makes of its first argument.
    pub(super) fn of_call(name: &str, given: &[TypedExpr]) -> Extent {
        let Some(first) = given.first() else { return Extent::default() };
        let number = |at: usize| match given.get(at).and_then(TypedExpr::literal_value) {
            Some(Literal::Number(number) | Literal::Money(number)) => Some(*number),
            _ => None,
        };
        let kept = || Extent { table: None, ..first.extent.clone() };
        match name {
            "count" | "length" => Extent::from(0),
            "round" | "floor" | "ceiling" | "first" | "last" | "min" | "max" | "most_common" | "average" | "amount" | "decimal" | "distinct"
            | "flatten" | "take" | "reverse" => kept(),
            "abs" => Extent { low: Some(Decimal::ZERO), signed: false, ..kept() },
            "sum" => {
                let low = first.extent.low.filter(|low| *low >= Decimal::ZERO).map(|_| Decimal::ZERO);
                Extent { low, high: None, ..kept() }
            }
            "clamp" => Extent { low: number(1), high: number(2), signed: false, ..kept() },
            "max_of" => {
                let other = given.get(1).map(|other| other.extent.clone()).unwrap_or_default();
                let low = [first.extent.low, other.low].into_iter().flatten().max();
                Extent { low, high: first.extent.high.zip(other.high).map(|(a, b)| a.max(b)), signed: low.is_none() && first.extent.signed, ..kept() }
            }
            "min_of" => {
                let other = given.get(1).map(|other| other.extent.clone()).unwrap_or_default();
                let high = [first.extent.high, other.high].into_iter().flatten().min();
                Extent { high, low: first.extent.low.zip(other.low).map(|(a, b)| a.min(b)), ..kept() }
            }
            "to" => {
                let unit = match given.get(1).and_then(TypedExpr::literal_value) {
                    Some(Literal::Text(word)) => Unit::parse(word),
                    _ => None,
                };
                Extent { unit, low: first.extent.low.filter(Decimal::is_zero), ..Extent::default() }
            }
            "join" => Extent::opened(Open::Joined),
            "text" if first.kind == Kind::Json => Extent::opened(Open::Json),
            "trim" | "lower" | "upper" | "title" | "collapse" | "without" | "replace" | "text_before" | "text_after" | "sort" => {
                Extent { open: first.extent.open, ..Extent::default() }
            }
            _ => Extent::default(),
        }
    }
}

/// Decimal places of a quotient: those that end are counted, all others go on.
pub(super) fn places_of_quotient(left: Option<u32>, divisor: Option<&Literal>) -> Option<u32> {
    let Some(Literal::Number(divisor) | Literal::Money(divisor)) = divisor else { return Some(ENDLESS) };
    let one = Decimal::ONE.checked_div(*divisor)?.normalize();
    if one.scale() >= 20 { Some(ENDLESS) } else { left.map(|left| left + one.scale()) }
}

/// A field that holds what people write.
pub(super) fn is_prose(name: &str) -> bool {
    let name = name.to_lowercase();
    ["note", "description", "message", "comment", "instruction", "remark"].iter().any(|word| name.contains(word))
}
