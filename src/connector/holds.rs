//! Whether a target's record holds what a write sends, however each of them prints it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;

use crate::value::Json;

/// Whether a value of the target's record is what is sent. Fields of the target that are not sent do not count.
///
/// Numbers are compared by value, times by the moment (a time without an offset by what the clock shows), texts without the
/// space around them. Missing, null, blank, `false` and an empty list or object are the same. Lists are compared by their
/// elements, in any order.
pub fn same(held: Option<&Json>, sent: &Json) -> bool {
    let Some(held) = held.filter(|held| !is_blank(held)) else { return is_blank(sent) };
    match (held, sent) {
        (_, sent) if is_blank(sent) => false,
        (Json::Object(held), Json::Object(sent)) => sent.iter().all(|(name, sent)| same(held.get(name), sent)),
        (Json::Array(held), Json::Array(sent)) => held.len() == sent.len() && all_there(held, sent),
        (Json::Object(_) | Json::Array(_), _) | (_, Json::Object(_) | Json::Array(_)) => false,
        (Json::Bool(held), Json::Bool(sent)) => held == sent,
        (held, sent) => {
            let (held, sent) = (printed(held), printed(sent));
            held == sent || as_numbers(&held, &sent) || as_times(&held, &sent)
        }
    }
}

/// Nothing that anybody has entered.
pub fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(is_blank),
        Json::Bool(true) | Json::Number(_) => false,
    }
}

/// Each element that is sent has one of its own at the target: at its own place, or at another.
fn all_there(held: &[Json], sent: &[Json]) -> bool {
    let mut taken: Vec<bool> = held.iter().zip(sent).map(|(held, sent)| same(Some(held), sent)).collect();
    let missing: Vec<usize> = (0..sent.len()).filter(|at| !taken[*at]).collect();
    missing.into_iter().all(|at| {
        let place = (0..held.len()).find(|place| !taken[*place] && same(Some(&held[*place]), &sent[at]));
        place.is_some_and(|place| !std::mem::replace(&mut taken[place], true))
    })
}

fn printed(value: &Json) -> String {
    match value {
        Json::String(text) => text.trim().replace("\r\n", "\n"),
        other => other.to_string(),
    }
}

fn as_numbers(held: &str, sent: &str) -> bool {
    let number = |text: &str| text.parse::<Decimal>().ok();
    matches!((number(held), number(sent)), (Some(held), Some(sent)) if held == sent)
}

/// A moment with its offset, or what a clock shows.
fn as_times(held: &str, sent: &str) -> bool {
    let moment = |text: &str| {
        // Salesforce prints `+0000`, without a colon.
        let text = match text.len().checked_sub(5).and_then(|at| text.is_char_boundary(at).then(|| text.split_at(at))) {
            Some((front, back)) if back.starts_with(['+', '-']) && front.contains('T') => format!("{front}{}:{}", &back[..3], &back[3..]),
            _ => text.to_owned(),
        };
        text.parse::<Timestamp>().ok()
    };
    match (moment(held), moment(sent)) {
        (Some(held), Some(sent)) => held == sent,
        (held_at, sent_at) => {
            let shown = |text: &str, at: Option<Timestamp>| {
                // The offset is left out: what its clock shows is left.
                let text = if at.is_some() { text.get(..19).unwrap_or(text) } else { text };
                text.parse::<DateTime>()
                    .ok()
                    .or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.to_datetime(jiff::civil::Time::midnight())))
            };
            matches!((shown(held, held_at), shown(sent, sent_at)), (Some(held), Some(sent)) if held == sent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same;
    use serde_json::json;

    #[test]
    fn forms_do_not_count_and_values_do() {
        for (held, sent) in [
            (json!("Reno "), json!("Reno")),
            (json!(1.50), json!("1.5")),
            (json!("2026-03-02T08:00:00.000+0000"), json!("2026-03-02T08:00:00Z")),
            (json!("2026-03-02T00:00:00.0000000"), json!("2026-03-02T00:00:00-08:00")),
            (json!("2026-03-02T00:00:00.0000000"), json!("2026-03-02")),
            (json!({"a": 1, "b": 2}), json!({"a": 1.0, "c": null})),
            (json!([{"k": 2, "id": 7}, {"k": 1, "id": 8}]), json!([{"k": 1}, {"k": 2}])),
        ] {
            assert!(same(Some(&held), &sent), "{held} {sent}");
        }
        assert!(same(None, &json!(null)) && same(None, &json!("")) && same(None, &json!(false)));
        for (held, sent) in [
            (json!("Reno"), json!("Elko")),
            (json!("x"), json!(null)),
            (json!("2026-03-02T08:00:00Z"), json!("2026-03-02T09:00:00Z")),
            (json!([{"k": 1}, {"k": 1}]), json!([{"k": 1}, {"k": 2}])),
            (json!([{"k": 1}]), json!([{"k": 1}, {"k": 1}])),
            (json!({"a": 1}), json!({"a": 2})),
            (json!(true), json!(false)),
            (json!("12345é"), json!("1234567")),
        ] {
            assert!(!same(Some(&held), &sent), "{held} {sent}");
        }
        assert!(!same(None, &json!("x")));
    }
}
