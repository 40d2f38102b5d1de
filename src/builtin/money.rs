//! Money: amounts and their currencies. No function converts one currency into another.

use std::sync::Arc;

use super::conversions::read_number;
use super::signature::{given, text};
use super::{Builtin, Example, Family, Gives, Takes};
use crate::value::{Kind, Money, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "money",
        family: Family::Money,
        takes: &[given("amount", Takes::OneOf(&[Kind::Integer, Kind::Decimal, Kind::Text, Kind::Money])), text("currency")],
        gives: Gives::Maybe(Kind::Money),
        says: "An amount in a currency, by its ISO 4217 code. Missing if the text is not a number, the currency does not exist, or the amount has another currency.",
        examples: &[
            Example { call: r#"money(12.50, "eur")"#, gives: "12.50 EUR" },
            Example { call: r#"money("12.50", "EUR")"#, gives: "12.50 EUR" },
            Example { call: r#"money(12.50, "EURO")"#, gives: "missing" },
            Example { call: r#"money("free", "EUR")"#, gives: "missing" },
        ],
        run: |args| {
            let amount = match args.get(0) {
                Value::Number(number) => Some(*number),
                Value::Money(money) => Some(money.amount),
                Value::Text(text) => read_number(text, None),
                _ => return Err(args.unchecked(0, "money")),
            };
            let Some(code) = currency(args.text(1)) else { return Ok(Value::ABSENT) };
            if let Value::Money(Money { currency: Some(own), .. }) = args.get(0)
                && *own != code
            {
                return Ok(Value::ABSENT);
            }
            Ok(Value::optional(amount.map(|amount| Value::Money(Money { amount, currency: Some(code) }))))
        },
    },
    Builtin {
        name: "amount",
        family: Family::Money,
        takes: &[given("money", Takes::OneOf(&[Kind::Money, Kind::Decimal, Kind::Integer]))],
        gives: Gives::Kind(Kind::Decimal),
        says: "The number of an amount, without its currency.",
        examples: &[Example { call: "amount(12.50 EUR)", gives: "12.50" }, Example { call: "amount(missing)", gives: "missing" }],
        run: |args| match args.get(0) {
            Value::Money(money) => Ok(Value::Number(money.amount)),
            Value::Number(number) => Ok(Value::Number(*number)),
            _ => Err(args.unchecked(0, "amount")),
        },
    },
    Builtin {
        name: "currency",
        family: Family::Money,
        takes: &[given("money", Takes::Kind(Kind::Money))],
        gives: Gives::Maybe(Kind::Text),
        says: "The ISO 4217 code of an amount's currency. Missing if the source does not say it.",
        examples: &[Example { call: "currency(12.50 EUR)", gives: r#""EUR""# }, Example { call: "currency(12.50)", gives: "missing" }],
        run: |args| match args.get(0) {
            Value::Money(money) => Ok(Value::optional(money.currency.clone().map(Value::Text))),
            Value::Number(_) => Ok(Value::ABSENT),
            _ => Err(args.unchecked(0, "currency")),
        },
    },
    Builtin {
        name: "currency_places",
        family: Family::Money,
        takes: &[text("currency")],
        gives: Gives::Maybe(Kind::Integer),
        says: "How many decimal places the amounts of a currency have: 2 for most, 0 for JPY, 3 for KWD.",
        examples: &[Example { call: r#"currency_places("JPY")"#, gives: "0" }, Example { call: r#"currency_places("XXY")"#, gives: "missing" }],
        run: |args| {
            let known = iso_currency::Currency::from_code(&args.need_text(0, "currency_places")?.to_uppercase());
            Ok(Value::optional(known.and_then(|known| known.exponent()).map(|places| Value::integer(places.into()))))
        },
    },
];

/// The code of a currency as ISO 4217 has it.
pub fn currency(code: &str) -> Option<Arc<str>> {
    let code = code.trim().to_uppercase();
    iso_currency::Currency::from_code(&code).map(|known| known.code().into())
}
