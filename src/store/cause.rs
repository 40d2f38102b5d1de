//! Causes: what exceptions have in common. Exceptions of one cause are shown in one line and decided together.
//!
//! A cause consists of a flow, a code, and for each reason its rule (the line of the mapping). A reason without a line counts by its
//! words, without the parts that differ between records: numbers, ids, quoted values, addresses.

use sha2::{Digest as _, Sha256};

use super::Reason;

/// What stands for a part of a reason that differs from record to record.
pub const VARIES: char = '…';

/// The id of a cause: eight hex digits. The same in every store.
pub fn id(flow: &str, code: &str, reasons: &[Reason]) -> String {
    let mut parts: Vec<String> = reasons
        .iter()
        .map(|reason| {
            let words = if reason.place.is_some() { String::new() } else { general(&reason.message) };
            [&reason.kind, reason.place.as_deref().unwrap_or(""), reason.field.as_deref().unwrap_or(""), &words].join("\u{1}")
        })
        .collect();
    // A record that breaks a rule for two of its lines has the same cause as one that breaks it for one.
    parts.sort();
    parts.dedup();
    let text = [flow, code, &parts.join("\u{2}")].join("\u{3}");
    Sha256::digest(text.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The words of a reason without what differs from record to record.
pub fn general(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in quotes_out(message).split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != VARIES);
        let differs = core.chars().any(|c| c.is_ascii_digit() || c == '@' || c == VARIES);
        let word = if differs { word.replace(core, &VARIES.to_string()) } else { word.to_owned() };
        // A list of values is as general as one value.
        let repeats = |last: &String| last.contains(VARIES) && word.contains(VARIES);
        if !words.last().is_some_and(repeats) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// A text with each quoted part (`'…'`, `"…"`, `` `…` ``) as one mark. An apostrophe inside a word quotes nothing.
fn quotes_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let (before, from) = rest.split_at(at);
        let mut chars = from.chars();
        let quote = chars.next().unwrap_or('"');
        let inside = chars.as_str();
        let opens = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        out.push_str(before);
        match inside.find(quote).filter(|_| opens) {
            Some(end) => {
                out.push(VARIES);
                rest = &inside[end + quote.len_utf8()..];
            }
            None => {
                out.push(quote);
                rest = inside;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(kind: &str, message: &str, place: Option<&str>) -> Reason {
        Reason { kind: kind.into(), message: message.into(), field: None, place: place.map(str::to_owned), owner: None, before: None, review: false }
    }

    #[test]
    fn what_differs_from_record_to_record_is_left_out() {
        for (one, other) in [
            ("upsert wms.Order sf-8015g01: the field is missing (INVALID)", "upsert wms.Order sf-8015g77: the field is missing (INVALID)"),
            ("'Atlantis' is no country", "'North Narnia' is no country"),
            ("No such column 'A__c' on entity Order", "No such column 'B__c' on entity Order"),
            ("ada@example.com is a duplicate", "grace@example.org is a duplicate"),
            ("the items 1, 2 and 3 are gone", "the items 4, 5 and 6 are gone"),
        ] {
            assert_eq!(general(one), general(other));
        }
        assert_ne!(general("the street is missing"), general("the city is missing"));
        assert_eq!(general("it's the customer's choice"), "it's the customer's choice");
        assert_eq!(general("it costs \"12"), "it costs \"…");
        assert_eq!(general(""), "");
    }

    #[test]
    fn a_rule_is_one_cause_whatever_its_words_say_of_a_record() {
        let id = |reasons: &[Reason]| super::id("f", "rejected", reasons);
        let (one, two) = (reason("rule", "Ada has no street", Some("a.dock:4")), reason("rule", "Bob has no street", Some("a.dock:4")));
        let other = reason("rule", "Ada has no street", Some("a.dock:9"));
        assert_eq!(id(std::slice::from_ref(&one)), id(std::slice::from_ref(&two)));
        assert_eq!(id(&[one.clone(), two.clone()]), id(&[two]));
        assert_ne!(id(std::slice::from_ref(&one)), id(&[one.clone(), other.clone()]));
        assert_eq!(id(&[one.clone(), other.clone()]), id(&[other, one.clone()]));
        assert_ne!(super::id("f", "rejected", std::slice::from_ref(&one)), super::id("g", "rejected", std::slice::from_ref(&one)));
        assert_ne!(super::id("f", "rejected", std::slice::from_ref(&one)), super::id("f", "review", &[one]));
    }
}
