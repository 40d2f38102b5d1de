//! What the checker can know of a call before any record is there.

use rust_decimal::Decimal;

use super::{Builtin, Family, Gives, Takes, countries, dates, money};
use crate::value::Kind;

impl Builtin {
    /// Whether an argument has to stand in the mapping itself: words, patterns, time zones. A
    /// record that brought a wrong one could not be told from a defect.
    pub fn wants_literal(&self, at: usize) -> bool {
        self.takes.get(at).is_some_and(|param| {
            matches!(param.takes, Takes::Words(_) | Takes::Pattern)
                || param.name == "zone"
                || (param.name == "pattern" && matches!(self.family, Family::Dates | Family::Conversions))
        })
    }

    /// What is wrong with a text that a mapping gives for a parameter; `None` if nothing is.
    pub fn misuse(&self, at: usize, literal: &str) -> Option<String> {
        let param = self.takes.get(at)?;
        match (&param.takes, param.name) {
            (Takes::Words(words), _) if !words.contains(&literal) => Some(format!("`{literal}` is none of: {}", words.join(", "))),
            (Takes::Pattern, _) => regex::Regex::new(literal).err().map(|why| why.to_string()),
            (_, "zone") if literal.contains('%') => {
                Some(format!("`{literal}` is a pattern, and a time zone stands here: the zone goes before the pattern, or write `pattern: …`"))
            }
            (_, "zone") if !dates::is_zone(literal) => Some(format!("`{literal}` is no time zone")),
            (_, "pattern") if matches!(self.family, Family::Dates | Family::Conversions) && !literal.contains('%') => {
                Some(format!("`{literal}` is no pattern of a date here: it has no `%`, and stands for just these letters"))
            }
            (_, "pattern") if self.family == Family::Dates && !dates::is_date_pattern(literal) => {
                Some(format!("`{literal}` is no pattern of a date"))
            }
            (_, "country") if at > 0 && countries::code_of(literal).is_none() && !matches!(literal, "EL" | "XI") => {
                Some(format!("`{literal}` is no country"))
            }
            (_, "currency") if at > 0 && money::currency(literal).is_none() => Some(format!("`{literal}` is no currency of ISO 4217")),
            _ => None,
        }
    }

    /// What is wrong with a number that a mapping gives for a parameter: a length, a count or a place of 0 or below. `None` if
    /// nothing is.
    pub fn misuse_of_number(&self, at: usize, literal: Decimal) -> Option<String> {
        let param = self.takes.get(at)?;
        if at == 0 || !matches!(param.takes, Takes::Kind(Kind::Integer)) || literal >= Decimal::ONE {
            return None;
        }
        let called = self.name;
        match (param.name, called) {
            ("characters", "pad_left" | "pad_right") => Some(format!("`{called}` to {literal} characters does nothing")),
            ("characters" | "bytes", _) => Some(format!("`{called}` with {literal} {} leaves nothing of a text", param.name)),
            ("elements", "drop") => Some(format!("`{called}` with {literal} elements does nothing")),
            ("elements", _) => Some(format!("`{called}` with {literal} elements leaves nothing of a list")),
            ("number", _) => Some(format!("`{called}` counts from 1, and {literal} is below")),
            ("places", _) if literal.is_sign_negative() && !literal.is_zero() => Some(format!("`{called}` cannot keep {literal} decimal places")),
            _ => None,
        }
    }

    /// What is meant by a literal that [`Builtin::misuse`] refuses, where that can be told.
    pub fn better_pattern(&self, at: usize, literal: &str) -> Option<String> {
        let param = self.takes.get(at)?;
        let pattern = param.name == "pattern" && matches!(self.family, Family::Dates | Family::Conversions);
        (pattern && !literal.contains('%')).then(|| dates::translated(literal)).flatten()
    }

    /// Whether the result may be missing though no argument was, for a first argument of a kind: a
    /// conversion of a `json` may always fail.
    pub fn may_give_nothing(&self, first: &Kind) -> bool {
        matches!(self.gives, Gives::Maybe(_) | Gives::MaybeFirst | Gives::MaybeElement)
            || (self.family == Family::Conversions && *first == Kind::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn function(name: &str) -> &'static Builtin {
        find(name).expect("a function")
    }

    #[test]
    fn wrong_literals_are_told_before_the_first_record() {
        for (name, at, right, wrong) in [
            ("start_of_day", 1, "Europe/London", "Europe/Lodon"),
            ("format_date", 1, "%d/%m/%Y", "%d/%!"),
            ("postal_code", 1, "GB", "Atlantis"),
            ("money", 1, "EUR", "EURO"),
            ("without", 1, "prefix", "prefixes"),
            ("extract", 1, "[0-9]+", "[0-9"),
        ] {
            assert_eq!(function(name).misuse(at, right), None, "{name}");
            assert!(function(name).misuse(at, wrong).is_some(), "{name}");
        }
        assert_eq!(function("trim").misuse(0, "anything"), None);
        assert_eq!(function("trim").misuse(7, "anything"), None);
    }

    /// Every length, count and place of the table is refused below 1, under whatever function it stands.
    #[test]
    fn lengths_and_places_below_one_are_told() {
        let mut told = 0;
        for function in super::super::all() {
            for (at, param) in function.takes.iter().enumerate().skip(1) {
                let counts = matches!(param.takes, Takes::Kind(Kind::Integer)) && ["characters", "bytes", "elements", "number"].contains(&param.name);
                assert_eq!(function.misuse_of_number(at, Decimal::ZERO).is_some(), counts, "{} {}", function.name, param.name);
                assert_eq!(function.misuse_of_number(at, -Decimal::TEN).is_some(), counts || param.name == "places", "{}", function.name);
                assert_eq!(function.misuse_of_number(at, Decimal::ONE), None, "{}", function.name);
                told += usize::from(counts);
            }
        }
        assert!(told > 8, "{told}");
    }

    #[test]
    fn zones_and_words_have_to_be_literals() {
        assert!(function("start_of_day").wants_literal(1));
        assert!(function("round").wants_literal(2));
        assert!(!function("postal_code").wants_literal(1));
    }

    #[test]
    fn a_conversion_of_json_may_fail() {
        assert!(function("text").may_give_nothing(&Kind::Json));
        assert!(!function("text").may_give_nothing(&Kind::Integer));
        assert!(function("integer").may_give_nothing(&Kind::Text));
    }
}
