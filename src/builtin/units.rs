//! Weights and lengths in the unit that is wanted.

use super::signature::given;
use super::{Args, Builtin, Example, Family, Gives, Refusal, Takes};
use crate::value::{Kind, LengthUnit, Value, WeightUnit};

static MEASURES: &[Kind] = &[Kind::Weight, Kind::Length];

static UNITS: &[&str] = &[
    "g",
    "grams",
    "kg",
    "kilograms",
    "oz",
    "ounces",
    "lb",
    "pounds",
    "mm",
    "millimetres",
    "cm",
    "centimetres",
    "m",
    "metres",
    "inches",
    "ft",
    "feet",
];

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "to",
        family: Family::Units,
        takes: &[given("measure", Takes::OneOf(MEASURES)), given("unit", Takes::Words(UNITS))],
        gives: Gives::First,
        says: "The weight or length in another unit. Between grams and kilograms, or ounces and pounds, this is exact; otherwise use `round` to choose the decimal places.",
        examples: &[
            Example { call: "to(2.5 kg, grams)", gives: "2500 g" },
            Example { call: "to(1 lb, ounces)", gives: "16 oz" },
            Example { call: "to(missing, ounces)", gives: "missing" },
        ],
        run: |args| converted(args, "to"),
    },
    Builtin {
        name: "number_in",
        family: Family::Units,
        takes: &[given("measure", Takes::OneOf(MEASURES)), given("unit", Takes::Words(UNITS))],
        gives: Gives::Kind(Kind::Decimal),
        says: "The weight or length in a unit, as a plain number.",
        examples: &[Example { call: "number_in(2.5 kg, grams)", gives: "2500" }, Example { call: "number_in(1 ft, inches)", gives: "12" }],
        run: |args| match converted(args, "number_in")? {
            Value::Weight(amount, _) | Value::Length(amount, _) => Ok(Value::Number(amount)),
            other => Ok(other),
        },
    },
];

/// Whether a unit's word measures values of a kind: `inches` is no unit of a weight.
pub fn unit_measures(word: &str, kind: &Kind) -> bool {
    match kind {
        Kind::Weight => WeightUnit::parse(word).is_some(),
        Kind::Length => LengthUnit::parse(word).is_some(),
        _ => true,
    }
}

fn converted(args: &Args<'_>, function: &'static str) -> Result<Value, Refusal> {
    let word = args.text(1);
    match args.get(0) {
        Value::Weight(amount, unit) => {
            let to = WeightUnit::parse(word).ok_or_else(|| args.unchecked(1, function))?;
            unit.convert(*amount, to).map(|amount| Value::Weight(amount, to)).ok_or(Refusal::TooLarge)
        }
        Value::Length(amount, unit) => {
            let to = LengthUnit::parse(word).ok_or_else(|| args.unchecked(1, function))?;
            unit.convert(*amount, to).map(|amount| Value::Length(amount, to)).ok_or(Refusal::TooLarge)
        }
        _ => Err(args.unchecked(0, function)),
    }
}
