//! Money as an object: `{"value": "12.50", "currency": "EUR"}`, or counted in the currency's smallest unit,
//! `{"centAmount": 1250, "currencyCode": "EUR"}`.

use rust_decimal::Decimal;

use super::json::{Misread, Unfit, digits, number_json};
use super::{Json, Missing, Money, Value};

/// The names of the object's fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'w> {
    pub(super) amount: &'w str,
    pub(super) currency: &'w str,
    /// Where it says how many digits the smallest unit stands for; then the amount counts that unit.
    pub(super) minor_digits: Option<&'w str>,
    /// The amount is a text of digits.
    pub(super) text: bool,
}

/// An amount without its parts is missing.
pub(super) fn decode(json: &Json, names: Names<'_>) -> Result<Value, Misread> {
    let wrong = |found: &Json| Misread::Kind { wanted: format!("an amount with `{}` and `{}`", names.amount, names.currency), found: noun(found) };
    let Json::Object(fields) = json else { return Err(wrong(json)) };
    let Some(written) = fields.get(names.amount).filter(|written| !written.is_null()) else { return Ok(Value::Missing(Missing::Null)) };
    let text = match written {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        other => return Err(wrong(other)),
    };
    let mut amount = digits(&text).ok_or_else(|| wrong(written))?;
    let currency = fields.get(names.currency).and_then(Json::as_str).filter(|code| !code.trim().is_empty());
    if let Some(field) = names.minor_digits {
        let said = fields.get(field).and_then(Json::as_u64).and_then(|said| u32::try_from(said).ok());
        // By the currency: of commercetools' highPrecision money `fractionDigits` belongs to another amount.
        let places = currency.and_then(places).or(said).unwrap_or(2);
        let scale = amount.scale().checked_add(places).filter(|scale| *scale <= Decimal::MAX_SCALE);
        amount.set_scale(scale.ok_or_else(|| wrong(written))?).map_err(|_| wrong(written))?;
    }
    Ok(Value::Money(Money { amount, currency: currency.map(Into::into) }))
}

pub(super) fn encode(money: &Money, names: Names<'_>) -> Result<Json, Unfit> {
    let Some(currency) = &money.currency else {
        return Err(Unfit::Kind { wanted: "an amount with its currency".to_owned(), found: format!("{}, without a currency,", money.amount) });
    };
    let amount = match names.minor_digits {
        None => money.amount,
        Some(_) => {
            let unit = Decimal::from(10_u64.pow(places(currency).unwrap_or(2)));
            let counted = money.amount.checked_mul(unit).ok_or(Unfit::TooLarge)?.normalize();
            if !counted.fract().is_zero() {
                return Err(Unfit::Fraction { found: format!("{} {currency} in its smallest unit", money.amount) });
            }
            counted
        }
    };
    let mut fields = serde_json::Map::new();
    fields.insert(names.amount.to_owned(), if names.text { Json::from(amount.to_string()) } else { number_json(amount) });
    fields.insert(names.currency.to_owned(), Json::from(&**currency));
    Ok(Json::Object(fields))
}

/// Whether a value has the form.
pub(super) fn fits(json: &Json, names: Names<'_>) -> bool {
    let amount = json.get(names.amount);
    let written = match amount {
        Some(Json::Number(number)) => !names.text && (names.minor_digits.is_none() || !number.to_string().contains(['.', 'e', 'E'])),
        Some(Json::String(text)) => names.text && digits(text).is_some(),
        _ => false,
    };
    written && json.get(names.currency).is_some_and(Json::is_string)
}

/// Digits behind the point of a currency (ISO 4217); none for codes that are no currency, or have no unit.
fn places(code: &str) -> Option<u32> {
    iso_currency::Currency::from_code(code)?.exponent().map(u32::from)
}

fn noun(json: &Json) -> String {
    match json {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::String(_) => "a text".to_owned(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CENTS: Names<'_> = Names { amount: "centAmount", currency: "currencyCode", minor_digits: Some("fractionDigits"), text: false };
    const TEXTS: Names<'_> = Names { amount: "value", currency: "currency", minor_digits: None, text: true };

    fn money(amount: &str, currency: Option<&str>) -> Money {
        Money { amount: amount.parse().unwrap(), currency: currency.map(Into::into) }
    }

    #[test]
    fn cents_count_the_smallest_unit_of_their_currency() {
        for (cents, code, digits, amount) in [
            (1250, "EUR", 2, "12.50"),
            (1250, "JPY", 0, "1250"),
            (1250, "KWD", 3, "1.250"),
            (-5, "USD", 2, "-0.05"),
            (1250, "EUR", 7, "12.50"),
            (7, "XQZ", 1, "0.7"),
        ] {
            let json = json!({ "type": "centPrecision", "centAmount": cents, "currencyCode": code, "fractionDigits": digits });
            assert_eq!(decode(&json, CENTS), Ok(Value::Money(money(amount, Some(code)))), "{json}");
        }
        assert_eq!(encode(&money("12.50", Some("EUR")), CENTS).unwrap(), json!({ "centAmount": 1250, "currencyCode": "EUR" }));
        assert_eq!(encode(&money("12.50", Some("JPY")), CENTS).unwrap_err().to_string(), "12.50 JPY in its smallest unit is no whole number");
        assert_eq!(encode(&money("12", Some("JPY")), CENTS).unwrap(), json!({ "centAmount": 12, "currencyCode": "JPY" }));
        assert!(encode(&money("12", None), CENTS).is_err());
    }

    #[test]
    fn texts_of_digits_stay_texts() {
        assert_eq!(decode(&json!({ "value": "12.50", "currency": "USD" }), TEXTS), Ok(Value::Money(money("12.50", Some("USD")))));
        assert_eq!(decode(&json!({ "value": 12.5, "currency": "USD" }), TEXTS), Ok(Value::Money(money("12.5", Some("USD")))));
        assert_eq!(encode(&money("12.50", Some("USD")), TEXTS).unwrap(), json!({ "value": "12.50", "currency": "USD" }));
        assert!(fits(&json!({ "value": "12.50", "currency": "USD" }), TEXTS) && !fits(&json!({ "value": 12.5, "currency": "USD" }), TEXTS));
        assert!(
            fits(&json!({ "centAmount": 5, "currencyCode": "USD" }), CENTS) && !fits(&json!({ "centAmount": 5.5, "currencyCode": "USD" }), CENTS)
        );
    }

    #[test]
    fn what_is_no_amount_says_so() {
        assert_eq!(decode(&json!({ "currencyCode": "EUR" }), CENTS), Ok(Value::Missing(Missing::Null)));
        assert_eq!(decode(&json!(5), CENTS).unwrap_err().to_string(), "`5` where an amount with `centAmount` and `currencyCode` is expected");
        assert!(decode(&json!({ "centAmount": "many", "currencyCode": "EUR" }), CENTS).is_err());
        assert!(decode(&json!({ "centAmount": [], "currencyCode": "EUR" }), CENTS).is_err());
    }
}
