//! Numbers: rounding, limits, how they print. Everything is exact; what leaves 28 digits is refused.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use super::call::{Outcome, within_text};
use super::signature::{given, optional};
use super::{Args, Builtin, Example, Family, Gives, Refusal, Takes};
use crate::value::{Kind, Money, Value, compare};

static NUMBERS: &[Kind] = &[Kind::Integer, Kind::Decimal, Kind::Money];
static MEASURES: &[Kind] = &[Kind::Integer, Kind::Decimal, Kind::Money, Kind::Weight, Kind::Length];
static ORDERED: &[Kind] =
    &[Kind::Integer, Kind::Decimal, Kind::Money, Kind::Date, Kind::Time, Kind::Datetime, Kind::Duration, Kind::Weight, Kind::Length];

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "round",
        family: Family::Numbers,
        takes: &[
            given("number", Takes::OneOf(MEASURES)),
            optional("places", Takes::Kind(Kind::Integer)),
            optional("how", Takes::Words(&["half up", "half even", "half down", "up", "down"])),
        ],
        gives: Gives::First,
        says: "The number with the given decimal places (by default none). `half up` (the default) rounds 0.5 away from zero; `half even` to the even neighbor; `down` cuts, `up` rounds away from zero.",
        examples: &[
            Example { call: "round(2.345, 2)", gives: "2.35" },
            Example { call: "round(2.345, 2, half even)", gives: "2.34" },
            Example { call: "round(2.341, 2, up)", gives: "2.35" },
            Example { call: "round(-2.5)", gives: "-3" },
            Example { call: "round(missing, 2)", gives: "missing" },
        ],
        run: |args| {
            let how = match args.words(2, "half up") {
                "half even" => RoundingStrategy::MidpointNearestEven,
                "half down" => RoundingStrategy::MidpointTowardZero,
                "up" => RoundingStrategy::AwayFromZero,
                "down" => RoundingStrategy::ToZero,
                _ => RoundingStrategy::MidpointAwayFromZero,
            };
            let places = args.count(1, 0, "round")?.min(28) as u32;
            each_number(args, "round", |number| Some(number.round_dp_with_strategy(places, how)))
        },
    },
    Builtin {
        name: "floor",
        family: Family::Numbers,
        takes: &[given("number", Takes::OneOf(&[Kind::Decimal, Kind::Integer]))],
        gives: Gives::Kind(Kind::Integer),
        says: "The largest whole number that is not above it.",
        examples: &[Example { call: "floor(2.9)", gives: "2" }, Example { call: "floor(-2.1)", gives: "-3" }],
        run: |args| Ok(Value::Number(args.need_number(0, "floor")?.floor())),
    },
    Builtin {
        name: "ceiling",
        family: Family::Numbers,
        takes: &[given("number", Takes::OneOf(&[Kind::Decimal, Kind::Integer]))],
        gives: Gives::Kind(Kind::Integer),
        says: "The smallest whole number that is not below it.",
        examples: &[Example { call: "ceiling(2.1)", gives: "3" }, Example { call: "ceiling(2)", gives: "2" }],
        run: |args| Ok(Value::Number(args.need_number(0, "ceiling")?.ceil())),
    },
    Builtin {
        name: "abs",
        family: Family::Numbers,
        takes: &[given("number", Takes::OneOf(MEASURES))],
        gives: Gives::First,
        says: "The number without its sign.",
        examples: &[Example { call: "abs(-2.50)", gives: "2.50" }, Example { call: "abs(missing)", gives: "missing" }],
        run: |args| each_number(args, "abs", |number| Some(number.abs())),
    },
    Builtin {
        name: "min_of",
        family: Family::Numbers,
        takes: &[given("one", Takes::OneOf(ORDERED)), given("other", Takes::OneOf(ORDERED))],
        gives: Gives::First,
        says: "The smaller of two values. `min` finds the smallest of a list.",
        examples: &[
            Example { call: "min_of(3, 2.5)", gives: "2.5" },
            Example { call: "min_of(2.5 kg, 90 oz)", gives: "2.5 kg" },
            Example { call: "min_of(missing, 2)", gives: "missing" },
        ],
        run: |args| one_of_two(args, Ordering::Less, "min_of"),
    },
    Builtin {
        name: "max_of",
        family: Family::Numbers,
        takes: &[given("one", Takes::OneOf(ORDERED)), given("other", Takes::OneOf(ORDERED))],
        gives: Gives::First,
        says: "The larger of two values. `max` finds the largest of a list.",
        examples: &[Example { call: "max_of(3, 2.5)", gives: "3" }, Example { call: "max_of(missing, 2)", gives: "missing" }],
        run: |args| one_of_two(args, Ordering::Greater, "max_of"),
    },
    Builtin {
        name: "clamp",
        family: Family::Numbers,
        takes: &[given("number", Takes::OneOf(NUMBERS)), given("least", Takes::OneOf(NUMBERS)), given("most", Takes::OneOf(NUMBERS))],
        gives: Gives::First,
        says: "The number, limited to the range from the least to the most.",
        examples: &[
            Example { call: "clamp(120, 1, 99)", gives: "99" },
            Example { call: "clamp(5, 1, 99)", gives: "5" },
            Example { call: "clamp(0, 1, 99)", gives: "1" },
        ],
        run: |args| {
            let value = args.get(0);
            let bound = |at, cut| Ok::<_, Refusal>(compare(value, args.get(at))? == Some(cut));
            let held = if bound(1, Ordering::Less)? {
                args.get(1)
            } else if bound(2, Ordering::Greater)? {
                args.get(2)
            } else {
                value
            };
            Ok(as_first(value, held))
        },
    },
    Builtin {
        name: "remainder",
        family: Family::Numbers,
        takes: &[given("number", Takes::OneOf(&[Kind::Integer, Kind::Decimal])), given("divisor", Takes::OneOf(&[Kind::Integer, Kind::Decimal]))],
        gives: Gives::MaybeFirst,
        says: "The remainder of a division. Missing if the divisor is 0.",
        examples: &[Example { call: "remainder(17, 5)", gives: "2" }, Example { call: "remainder(17, 0)", gives: "missing" }],
        run: |args| {
            let number = args.need_number(0, "remainder")?;
            Ok(Value::optional(number.checked_rem(args.need_number(1, "remainder")?).map(Value::Number)))
        },
    },
    Builtin {
        name: "format_number",
        family: Family::Numbers,
        takes: &[
            given("number", Takes::OneOf(NUMBERS)),
            optional("places", Takes::Kind(Kind::Integer)),
            optional("thousands", Takes::Kind(Kind::Text)),
            optional("decimal", Takes::Kind(Kind::Text)),
        ],
        gives: Gives::Kind(Kind::Text),
        says: "The number as a text for people: with the given decimal places (rounded half up), a separator between thousands, and another before the decimals.",
        examples: &[
            Example { call: r#"format_number(1234567.5, 2, ",")"#, gives: r#""1,234,567.50""# },
            Example { call: r#"format_number(-1234.5, 2, ".", ",")"#, gives: r#""-1.234,50""# },
            Example { call: "format_number(0.5)", gives: r#""0.5""# },
        ],
        run: |args| {
            let number = match args.get(0) {
                Value::Number(number) => *number,
                Value::Money(money) => money.amount,
                _ => return Err(args.unchecked(0, "format_number")),
            };
            format_number(args, number)
        },
    },
];

/// Applies to a number, an amount, a weight or a length and keeps what it is.
fn each_number(args: &Args<'_>, function: &'static str, of: impl Fn(Decimal) -> Option<Decimal>) -> Outcome {
    let of = |number: &Decimal| of(*number).ok_or(Refusal::TooLarge);
    Ok(match args.get(0) {
        Value::Number(number) => Value::Number(of(number)?),
        Value::Money(money) => Value::Money(Money { amount: of(&money.amount)?, currency: money.currency.clone() }),
        Value::Weight(amount, unit) => Value::Weight(of(amount)?, *unit),
        Value::Length(amount, unit) => Value::Length(of(amount)?, *unit),
        _ => return Err(args.unchecked(0, function)),
    })
}

fn one_of_two(args: &Args<'_>, wanted: Ordering, function: &'static str) -> Outcome {
    let (one, other) = (args.get(0), args.get(1));
    match compare(one, other)? {
        Some(order) if order == wanted || order == Ordering::Equal => Ok(one.clone()),
        Some(_) => Ok(as_first(one, other)),
        None => Err(args.unchecked(1, function)),
    }
}

/// A plain number beside money is an amount in its currency.
fn as_first(first: &Value, value: &Value) -> Value {
    match (first, value) {
        (Value::Money(money), Value::Number(amount)) => Value::Money(Money { amount: *amount, currency: money.currency.clone() }),
        _ => value.clone(),
    }
}

fn format_number(args: &Args<'_>, number: Decimal) -> Outcome {
    let digits = if args.has(1) {
        let places = args.count(1, 0, "format_number")?.min(28);
        let rounded = number.round_dp_with_strategy(places as u32, RoundingStrategy::MidpointAwayFromZero);
        format!("{rounded:.places$}")
    } else {
        number.to_string()
    };
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let (whole, places) = digits.split_once('.').map_or((digits, None), |(whole, places)| (whole, Some(places)));
    let (thousands, decimal) = (args.words(2, ""), args.words(3, "."));
    within_text(digits.len() * (thousands.len() + 1) + decimal.len())?;
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push_str(thousands);
        }
        out.push(digit);
    }
    if let Some(places) = places {
        out.push_str(decimal);
        out.push_str(places);
    }
    Ok(Value::text(out))
}
