//! Constants of a mapping: values that can be written down, stored and hashed.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LengthUnit, Money, Value, WeightUnit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    Missing,
    Boolean(bool),
    Number(#[schemars(with = "String")] Decimal),
    /// An amount in the currency of what it stands beside.
    Money(#[schemars(with = "String")] Decimal),
    /// An amount in a currency of its own: `500.00 EUR`.
    Amount(#[schemars(with = "String")] Decimal, String),
    Text(String),
    Date(#[schemars(with = "String")] Date),
    Time(#[schemars(with = "String")] Time),
    Datetime(#[schemars(with = "String")] Timestamp),
    Duration(#[schemars(with = "String")] SignedDuration),
    Weight(#[schemars(with = "String")] Decimal, WeightUnit),
    Length(#[schemars(with = "String")] Decimal, LengthUnit),
    List(Vec<Literal>),
}

impl Literal {
    pub fn to_value(&self) -> Value {
        match self {
            Literal::Missing => Value::ABSENT,
            Literal::Boolean(truth) => Value::Boolean(*truth),
            Literal::Number(number) => Value::Number(*number),
            Literal::Money(amount) => Value::Money(Money { amount: *amount, currency: None }),
            Literal::Amount(amount, currency) => Value::Money(Money { amount: *amount, currency: Some(currency.as_str().into()) }),
            Literal::Text(text) => Value::text(text.as_str()),
            Literal::Date(date) => Value::Date(*date),
            Literal::Time(time) => Value::Time(*time),
            Literal::Datetime(instant) => Value::DateTime(*instant),
            Literal::Duration(duration) => Value::Duration(*duration),
            Literal::Weight(amount, unit) => Value::Weight(*amount, *unit),
            Literal::Length(amount, unit) => Value::Length(*amount, *unit),
            Literal::List(items) => Value::list(items.iter().map(Literal::to_value).collect()),
        }
    }
}
