//! Lists and aggregates. A missing list reads as an empty one.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::call::{Outcome, within_text};
use super::signature::{given, integer, list, maybe, optional};
use super::{Args, Builtin, Example, Family, Gives, Refusal, Takes};
use crate::value::{Kind, MAX_ITEMS, Money, Value, compare, equal, key, same_currency};

static SUMMED: &[Kind] = &[Kind::Integer, Kind::Decimal, Kind::Money, Kind::Weight, Kind::Length, Kind::Duration];
static AVERAGED: &[Kind] = &[Kind::Decimal, Kind::Integer, Kind::Money, Kind::Weight, Kind::Length];
static ORDERED: &[Kind] =
    &[Kind::Integer, Kind::Decimal, Kind::Money, Kind::Text, Kind::Date, Kind::Time, Kind::Datetime, Kind::Duration, Kind::Weight, Kind::Length];

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "count",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::Kind(Kind::Integer),
        says: "The number of elements of the list; 0 for a missing list.",
        examples: &[Example { call: r#"count(["a", "b"])"#, gives: "2" }, Example { call: "count(missing)", gives: "0" }],
        run: |args| Ok(Value::integer(args.list(0).len() as i64)),
    },
    Builtin {
        name: "sum",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(SUMMED))],
        gives: Gives::Element,
        says: "All elements added up; 0 for an empty list. Amounts have to be in one currency.",
        examples: &[
            Example { call: "sum([1, 2.50])", gives: "3.50" },
            Example { call: "sum([1 kg, 500 g])", gives: "1.5 kg" },
            Example { call: "sum([])", gives: "0" },
        ],
        run: |args| sum(args, "sum"),
    },
    Builtin {
        name: "average",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(AVERAGED))],
        gives: Gives::MaybeElement,
        says: "The sum divided by the number of elements. Missing for an empty list.",
        examples: &[Example { call: "average([1, 2])", gives: "1.5" }, Example { call: "average([])", gives: "missing" }],
        run: |args| {
            let number = args.list(0).len();
            if number == 0 {
                return Ok(Value::ABSENT);
            }
            let by = |total: Decimal| {
                let mean = total.checked_div(Decimal::from(number)).ok_or(Refusal::TooLarge)?;
                Ok::<_, Refusal>(mean.normalize())
            };
            Ok(match sum(args, "average")? {
                Value::Number(total) => Value::Number(by(total)?),
                Value::Money(total) => Value::Money(Money { amount: by(total.amount)?, currency: total.currency }),
                Value::Weight(total, unit) => Value::Weight(by(total)?, unit),
                Value::Length(total, unit) => Value::Length(by(total)?, unit),
                _ => return Err(args.unchecked(0, "average")),
            })
        },
    },
    Builtin {
        name: "min",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(ORDERED))],
        gives: Gives::MaybeElement,
        says: "The smallest (earliest, lightest) element. Missing for an empty list.",
        examples: &[Example { call: "min([3, 1, 2])", gives: "1" }, Example { call: "min([])", gives: "missing" }],
        run: |args| extreme(args, Ordering::Less, "min"),
    },
    Builtin {
        name: "max",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(ORDERED))],
        gives: Gives::MaybeElement,
        says: "The largest (latest, heaviest) element. Missing for an empty list.",
        examples: &[Example { call: "max([2026-03-01, 2026-04-01])", gives: "2026-04-01" }, Example { call: "max(missing)", gives: "missing" }],
        run: |args| extreme(args, Ordering::Greater, "max"),
    },
    Builtin {
        name: "first",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::MaybeElement,
        says: "The first element. Missing for an empty list.",
        examples: &[Example { call: r#"first(["a", "b"])"#, gives: r#""a""# }, Example { call: "first([])", gives: "missing" }],
        run: |args| Ok(Value::optional(args.list(0).first().cloned())),
    },
    Builtin {
        name: "last",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::MaybeElement,
        says: "The last element. Missing for an empty list.",
        examples: &[Example { call: r#"last(["a", "b"])"#, gives: r#""b""# }, Example { call: "last([])", gives: "missing" }],
        run: |args| Ok(Value::optional(args.list(0).last().cloned())),
    },
    Builtin {
        name: "any",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(&[Kind::Boolean]))],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether at least one element is true; false for an empty list.",
        examples: &[Example { call: "any([false, true])", gives: "true" }, Example { call: "any([])", gives: "false" }],
        run: |args| Ok(Value::Boolean(args.list(0).iter().any(|value| value.as_bool() == Some(true)))),
    },
    Builtin {
        name: "all",
        family: Family::Lists,
        takes: &[maybe("list", Takes::ListOf(&[Kind::Boolean]))],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether every element is true; true for an empty list.",
        examples: &[Example { call: "all([false, true])", gives: "false" }, Example { call: "all([])", gives: "true" }],
        run: |args| Ok(Value::Boolean(args.list(0).iter().all(|value| value.as_bool() == Some(true)))),
    },
    Builtin {
        name: "join",
        family: Family::Lists,
        takes: &[list("list"), optional("separator", Takes::Kind(Kind::Text))],
        gives: Gives::Maybe(Kind::Text),
        says: "The elements as one text with a separator between them (by default `, `). Missing for an empty list.",
        examples: &[
            Example { call: r#"join(["no SKU", "no street"], "; ")"#, gives: r#""no SKU; no street""# },
            Example { call: "join([1, 2])", gives: r#""1, 2""# },
            Example { call: "join([])", gives: "missing" },
        ],
        run: |args| {
            let separator = args.words(1, ", ");
            let mut out = String::new();
            for (at, text) in args.list(0).iter().filter_map(Value::printed).enumerate() {
                if at > 0 {
                    out.push_str(separator);
                }
                out.push_str(&text);
                within_text(out.len())?;
            }
            Ok(super::call::text_if_any(out))
        },
    },
    Builtin {
        name: "most_common",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::MaybeElement,
        says: "The most frequent element; of several, the first one. Missing for an empty list.",
        examples: &[
            Example { call: r#"most_common(["ups", "dhl", "dhl"])"#, gives: r#""dhl""# },
            Example { call: r#"most_common(["ups", "dhl"])"#, gives: r#""ups""# },
            Example { call: "most_common([])", gives: "missing" },
        ],
        run: |args| {
            let mut times: HashMap<String, usize> = HashMap::new();
            for value in present(args) {
                *times.entry(key(value)).or_default() += 1;
            }
            let mut best: Option<(&Value, usize)> = None;
            for value in present(args) {
                let times = times.get(&key(value)).copied().unwrap_or_default();
                if best.is_none_or(|(_, most)| times > most) {
                    best = Some((value, times));
                }
            }
            Ok(Value::optional(best.map(|(value, _)| value.clone())))
        },
    },
    Builtin {
        name: "distinct",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::First,
        says: "The list without repeated elements.",
        examples: &[Example { call: r#"distinct(["a", "b", "a"])"#, gives: r#"["a", "b"]"# }, Example { call: "distinct([])", gives: "[]" }],
        run: |args| {
            let mut seen: HashMap<String, ()> = HashMap::new();
            let mut kept = Vec::new();
            for value in args.list(0) {
                if let Entry::Vacant(new) = seen.entry(key(value)) {
                    new.insert(());
                    kept.push(value.clone());
                }
            }
            Ok(Value::list(kept))
        },
    },
    Builtin {
        name: "flatten",
        family: Family::Lists,
        takes: &[list("lists")],
        gives: Gives::Element,
        says: "The elements of all lists in the list, as one list.",
        examples: &[Example { call: "flatten([[1, 2], [], [3]])", gives: "[1, 2, 3]" }, Example { call: "flatten([])", gives: "[]" }],
        run: |args| {
            let mut all = Vec::new();
            for value in args.list(0) {
                match value {
                    Value::List(items) => all.extend(items.iter().cloned()),
                    Value::Missing(_) => {}
                    other => all.push(other.clone()),
                }
                if all.len() > MAX_ITEMS {
                    return Err(Refusal::TooMany { limit: MAX_ITEMS });
                }
            }
            Ok(Value::list(all))
        },
    },
    Builtin {
        name: "contains_item",
        family: Family::Lists,
        takes: &[list("list"), given("item", Takes::Any)],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether the list contains the element.",
        examples: &[
            Example { call: r#"contains_item(["a", "b"], "b")"#, gives: "true" },
            Example { call: r#"contains_item(missing, "b")"#, gives: "false" },
        ],
        run: |args| {
            for value in args.list(0) {
                if equal(value, args.get(1))? {
                    return Ok(Value::Boolean(true));
                }
            }
            Ok(Value::Boolean(false))
        },
    },
    Builtin {
        name: "reverse",
        family: Family::Lists,
        takes: &[list("list")],
        gives: Gives::First,
        says: "The list in reverse order.",
        examples: &[Example { call: "reverse([1, 2, 3])", gives: "[3, 2, 1]" }, Example { call: "reverse([])", gives: "[]" }],
        run: |args| Ok(Value::list(args.list(0).iter().rev().cloned().collect())),
    },
    Builtin {
        name: "take",
        family: Family::Lists,
        takes: &[list("list"), integer("elements")],
        gives: Gives::First,
        says: "The first elements of the list, at most the given number.",
        examples: &[Example { call: "take([1, 2, 3], 2)", gives: "[1, 2]" }, Example { call: "take([1], 5)", gives: "[1]" }],
        run: |args| {
            let most = args.count(1, 0, "take")?;
            Ok(Value::list(args.list(0).iter().take(most).cloned().collect()))
        },
    },
    Builtin {
        name: "drop",
        family: Family::Lists,
        takes: &[list("list"), integer("elements")],
        gives: Gives::First,
        says: "The list without its first elements, as many as given.",
        examples: &[Example { call: "drop([1, 2, 3], 2)", gives: "[3]" }, Example { call: "drop([1], 5)", gives: "[]" }],
        run: |args| {
            let skipped = args.count(1, 0, "drop")?;
            Ok(Value::list(args.list(0).iter().skip(skipped).cloned().collect()))
        },
    },
];

fn present<'a>(args: &'a Args<'_>) -> impl Iterator<Item = &'a Value> {
    args.list(0).iter().filter(|value| !value.is_missing())
}

/// Elements of one kind added up, in the unit of the first. The checker has made sure that none
/// is missing; a missing one makes the total missing rather than smaller.
fn sum(args: &Args<'_>, function: &'static str) -> Outcome {
    let mut items = args.list(0).iter();
    let Some(first) = items.next() else { return Ok(Value::Number(Decimal::ZERO)) };
    let mut total = match first {
        Value::Number(_) | Value::Money(_) | Value::Weight(..) | Value::Length(..) | Value::Duration(_) => first.clone(),
        Value::Missing(_) => return Ok(Value::ABSENT),
        other => return Err(Refusal::Unchecked { function, found: other.noun() }),
    };
    for item in items {
        if item.is_missing() {
            return Ok(Value::ABSENT);
        }
        total = plus(&total, item)?.ok_or(Refusal::Unchecked { function, found: item.noun() })?;
    }
    Ok(total)
}

/// `Ok(None)` where the two cannot be added.
fn plus(left: &Value, right: &Value) -> Result<Option<Value>, Refusal> {
    let add = |a: Decimal, b: Decimal| a.checked_add(b).ok_or(Refusal::TooLarge);
    Ok(Some(match (left, right) {
        (Value::Number(a), Value::Number(b)) => Value::Number(add(*a, *b)?),
        (Value::Money(a), Value::Money(b)) => Value::Money(Money { currency: same_currency(a, b)?, amount: add(a.amount, b.amount)? }),
        (Value::Money(money), Value::Number(number)) | (Value::Number(number), Value::Money(money)) => {
            Value::Money(Money { amount: add(money.amount, *number)?, currency: money.currency.clone() })
        }
        (Value::Weight(a, unit), Value::Weight(b, other)) => Value::Weight(add(*a, other.convert(*b, *unit).ok_or(Refusal::TooLarge)?)?, *unit),
        (Value::Length(a, unit), Value::Length(b, other)) => Value::Length(add(*a, other.convert(*b, *unit).ok_or(Refusal::TooLarge)?)?, *unit),
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(SignedDuration::checked_add(*a, *b).ok_or(Refusal::TooLarge)?),
        _ => return Ok(None),
    }))
}

fn extreme(args: &Args<'_>, wanted: Ordering, function: &'static str) -> Outcome {
    let mut best: Option<&Value> = None;
    for value in present(args) {
        match best {
            None => best = Some(value),
            Some(held) => match compare(value, held)? {
                Some(order) if order == wanted => best = Some(value),
                Some(_) => {}
                None => return Err(Refusal::Unchecked { function, found: value.noun() }),
            },
        }
    }
    Ok(Value::optional(best.cloned()))
}
