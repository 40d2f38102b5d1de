//! Every example of every function is run; no function panics, whatever it is given.

use std::collections::HashSet;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::value::{Json, LengthUnit, MAX_ITEMS, MAX_TEXT, Money, Reference, Value, WeightUnit};

fn context() -> Context {
    Context { now: "2026-03-01T12:00:00Z".parse().expect("an instant"), zone: jiff::tz::TimeZone::UTC }
}

/// Reads the notation of the examples: `name(arg, arg)`.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn call(text: &'a str) -> (&'a str, Vec<Value>) {
        let open = text.find('(').expect("a call has brackets");
        let mut reader = Reader { rest: &text[open + 1..] };
        let mut values = Vec::new();
        while !reader.eat(")") {
            values.push(reader.value());
            reader.eat(",");
        }
        assert!(reader.rest.is_empty(), "{text}: {} is left over", reader.rest);
        (&text[..open], values)
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Value {
        self.rest = self.rest.trim_start();
        if self.eat("[") {
            let mut items = Vec::new();
            while !self.eat("]") {
                items.push(self.value());
                self.eat(",");
            }
            return Value::list(items);
        }
        if self.rest.starts_with('{') {
            let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<Json>();
            let json = stream.next().expect("an object").expect("a JSON object");
            self.rest = &self.rest[stream.byte_offset()..];
            return Value::Json(std::sync::Arc::new(json));
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').expect("a closed text");
            self.rest = rest;
            return Value::text(text);
        }
        if self.rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let text = stream.next().expect("a text").expect("a closed text");
            self.rest = &self.rest[stream.byte_offset()..];
            return Value::text(text);
        }
        let end = self.rest.find([',', ')', ']']).unwrap_or(self.rest.len());
        let word = self.rest[..end].trim();
        self.rest = &self.rest[end..];
        bare(word)
    }
}

/// A literal without quotes, or words.
fn bare(word: &str) -> Value {
    if let Ok(date) = word.parse::<Date>()
        && word.len() == 10
    {
        return Value::Date(date);
    }
    if let Ok(instant) = word.parse::<jiff::Timestamp>() {
        return Value::DateTime(instant);
    }
    if word.contains(':')
        && let Ok(time) = word.parse::<Time>()
    {
        return Value::Time(time);
    }
    if let Ok(number) = word.parse::<Decimal>() {
        return Value::Number(number);
    }
    if word.starts_with(|c: char| c.is_ascii_digit())
        && let Some((number, unit)) = word.split_once(' ')
        && let Ok(number) = number.parse::<Decimal>()
    {
        if let Some(unit) = WeightUnit::parse(unit) {
            return Value::Weight(number, unit);
        }
        if let Some(unit) = LengthUnit::parse(unit) {
            return Value::Length(number, unit);
        }
        if unit.len() == 3 && unit.chars().all(|c| c.is_ascii_uppercase()) {
            return Value::Money(Money { amount: number, currency: Some(unit.into()) });
        }
        // Durations, by their words.
        let words: Vec<&str> = word.split(' ').collect();
        let seconds: i64 = words
            .chunks(2)
            .map(|pair| {
                let number: i64 = pair[0].parse().expect("a number of a duration");
                number
                    * match pair[1].trim_end_matches('s') {
                        "day" => 86_400,
                        "hour" => 3600,
                        "minute" => 60,
                        "second" => 1,
                        other => unreachable!("`{other}` is no unit of an example"),
                    }
            })
            .sum();
        return Value::Duration(SignedDuration::from_secs(seconds));
    }
    match word {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        "missing" => Value::ABSENT,
        words => Value::text(words),
    }
}

#[test]
fn every_example_gives_what_it_says() {
    let context = context();
    let mut wrong = Vec::new();
    for builtin in all() {
        for example in builtin.examples {
            let (name, values) = Reader::call(example.call);
            assert_eq!(name, builtin.name, "an example of another function");
            let expected = Reader { rest: example.gives }.value();
            let given = builtin.call(&Args { values: &values, context: &context });
            let fits = match &given {
                Ok(given) => given.noun() == expected.noun() && given.to_string() == expected.to_string(),
                Err(_) => false,
            };
            if !fits {
                let given = given.map_or_else(|refusal| refusal.to_string(), |given| given.to_string());
                wrong.push(format!("{} gives {given}, not {}", example.call, example.gives));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_whole() {
    let mut names = HashSet::new();
    for builtin in all() {
        assert!(names.insert(builtin.name), "`{}` is there twice", builtin.name);
        assert!(builtin.examples.len() >= 2, "`{}` has too few examples", builtin.name);
        assert!(builtin.says.ends_with(['.', '`']), "`{}` says no sentence", builtin.name);
        assert!(!builtin.takes.is_empty(), "`{}` takes nothing", builtin.name);
        let mut left_out = false;
        for param in builtin.takes {
            assert!(param.optional || !left_out, "`{}` has `{}` behind an optional one", builtin.name, param.name);
            left_out = param.optional;
        }
        if builtin.family == Family::Patterns {
            assert!(matches!(builtin.gives, Gives::Kind(Kind::Boolean)), "`{}` is no test", builtin.name);
        }
    }
    assert!(find("trim").is_some());
    assert!(find("trimm").is_none());
}

#[test]
fn no_function_has_a_reserved_name() {
    let reserved = "and or not in is was as if then else when where for before by key each once clear matches reaches";
    for word in reserved.split(' ') {
        assert!(find(word).is_none(), "{word}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let context = context();
    let call = |name: &str, values: &[Value]| find(name).expect("a function").call(&Args { values, context: &context });
    let wide = Value::integer(MAX_TEXT as i64 + 1);
    assert_eq!(call("pad_left", &[Value::text("a"), wide]), Err(Refusal::TooLong { limit: MAX_TEXT }));
    let many = Value::text("a;".repeat(MAX_ITEMS + 1));
    assert_eq!(call("split", &[many, Value::text(";")]), Err(Refusal::TooMany { limit: MAX_ITEMS }));
    let most = Value::Number(Decimal::MAX);
    assert_eq!(call("sum", &[Value::list(vec![most.clone(), most])]), Err(Refusal::TooLarge));
    let money = |currency: &str| Value::Money(Money { amount: Decimal::ONE, currency: Some(currency.into()) });
    assert!(matches!(call("sum", &[Value::list(vec![money("EUR"), money("USD")])]), Err(Refusal::Currencies { .. })));
    assert_eq!(call("add_days", &[Value::Date(Date::MAX), Value::integer(1)]), Err(Refusal::TooLarge));
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::ABSENT),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::integer),
        (-50_i64..50).prop_map(Value::integer),
        (any::<i64>(), 0_u32..28).prop_map(|(digits, scale)| Value::Number(Decimal::new(digits, scale))),
        Just(Value::Number(Decimal::MAX)),
        Just(Value::Number(Decimal::MIN)),
        any::<i64>().prop_map(|digits| Value::Money(Money { amount: Decimal::new(digits, 2), currency: None })),
        "\\PC{0,24}".prop_map(Value::text),
        "[A-Z]{0,2}[0-9 +-]{0,20}[A-Z]{0,2}".prop_map(Value::text),
        Just(Value::text("Europe/London")),
        Just(Value::text("%Y-%m-%dT%H:%M:%S%z")),
        prop_oneof![Just("US"), Just("GB"), Just("DE"), Just("KZ")].prop_map(Value::text),
        prop_oneof![Just(Date::MIN), Just(Date::MAX), Just(jiff::civil::date(2026, 3, 29))].prop_map(Value::Date),
        Just(Value::Time(jiff::civil::time(1, 30, 0, 0))),
        prop_oneof![Just(jiff::Timestamp::MIN), Just(jiff::Timestamp::MAX), Just(jiff::Timestamp::UNIX_EPOCH)].prop_map(Value::DateTime),
        prop_oneof![Just(SignedDuration::MIN), Just(SignedDuration::MAX)].prop_map(Value::Duration),
        any::<i64>().prop_map(|digits| Value::Weight(Decimal::new(digits, 3), WeightUnit::Ounce)),
        Just(Value::Length(Decimal::MAX, LengthUnit::Foot)),
        Just(Value::Json(std::sync::Arc::new(serde_json::json!({ "a": [1, null, "x"] })))),
        Just(Value::Json(std::sync::Arc::new(Json::Null))),
        Just(Value::Reference(std::sync::Arc::new(Reference { name: "Reno DC".into(), id: Json::from(1) }))),
    ];
    scalar.prop_recursive(2, 12, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::list))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2000 }))]
    #[test]
    fn no_function_panics(values in prop::collection::vec(any_value(), 0..5)) {
        let context = context();
        for builtin in all() {
            let args = Args { values: &values, context: &context };
            if let Ok(Value::Text(text)) = builtin.call(&args) {
                prop_assert!(text.len() <= MAX_TEXT);
            }
            // Also past the look at the first argument.
            let _ = (builtin.run)(&args);
        }
    }
}

#[test]
fn another_spelling_of_a_name_finds_the_same_function() {
    for (alias, name) in ALIASES {
        assert_eq!(find(alias).map(|found| found.name), Some(name));
        assert!(all().all(|builtin| builtin.name != alias), "{alias} is a function of its own");
        // A plan that was stored under the old name can still be read.
        let stored: BuiltinRef = serde_json::from_str(&format!("\"{alias}\"")).expect("a stored name");
        assert_eq!(stored.0.name, name);
    }
}
