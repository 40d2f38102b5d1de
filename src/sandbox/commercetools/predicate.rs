//! Query predicates: `lastModifiedAt >= "2026-…" and shippingInfo(deliveries(key = "a"))`, as the vendor's page on them has them.

use jiff::Timestamp;

use crate::apispec::TypeId;
use crate::sandbox::kit::rest::Forms;
use crate::value::Json;

/// What has to hold of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Of one that is in the field, or of one of its elements.
    Within(String, Box<Predicate>),
    Compare(String, Sign, Json),
    In(String, Vec<Json>, bool),
    Contains(String, Vec<Json>, bool),
    Defined(String, bool),
    Empty(String, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

/// The deepest nesting that is read.
const DEEPEST: u32 = 32;

impl Predicate {
    /// Reads a predicate on records of a form.
    ///
    /// # Errors
    /// It cannot be read, or names a field that there is not: the vendor's sentence about it.
    pub(super) fn read(text: &str, forms: &Forms, of: Option<TypeId>) -> Result<Predicate, String> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let read = reader.any().and_then(|found| if reader.rest().is_empty() { Ok(found) } else { Err(reader.unexpected("end of input")) });
        let read = read.map_err(|why| format!("Malformed parameter: where: {why}"))?;
        if let Some(of) = of {
            read.known(forms, of).map_err(|field| format!("Malformed parameter: where: The field '{field}' does not exist."))?;
        }
        Ok(read)
    }

    /// The first field that there is not.
    fn known(&self, forms: &Forms, of: TypeId) -> Result<(), String> {
        let field = |name: &str| forms.field(of, name).ok_or_else(|| name.to_owned());
        match self {
            Predicate::All(all) | Predicate::Any(all) => all.iter().try_for_each(|one| one.known(forms, of)),
            Predicate::Not(one) => one.known(forms, of),
            Predicate::Within(name, one) => one.known(forms, field(name)?),
            Predicate::Compare(name, ..)
            | Predicate::In(name, ..)
            | Predicate::Contains(name, ..)
            | Predicate::Defined(name, _)
            | Predicate::Empty(name, _) => field(name).map(|_| ()),
        }
    }

    pub(super) fn holds(&self, record: &Json) -> bool {
        // Of a list each element is asked.
        if let Some(items) = record.as_array() {
            return items.iter().any(|item| self.holds(item));
        }
        let value = |name: &str| record.get(name).filter(|value| !value.is_null());
        match self {
            Predicate::All(all) => all.iter().all(|one| one.holds(record)),
            Predicate::Any(all) => all.iter().any(|one| one.holds(record)),
            Predicate::Not(one) => !one.holds(record),
            Predicate::Within(name, one) => value(name).is_some_and(|inner| one.holds(inner)),
            Predicate::Compare(name, sign, with) => value(name).is_some_and(|value| compare(value, *sign, with)),
            Predicate::In(name, all, is) => value(name).is_some_and(|value| all.iter().any(|one| same(value, one)) == *is),
            Predicate::Contains(name, all, every) => value(name).and_then(Json::as_array).is_some_and(|items| {
                let has = |one: &Json| items.iter().any(|item| same(item, one));
                if *every { all.iter().all(has) } else { all.iter().any(has) }
            }),
            Predicate::Defined(name, is) => value(name).is_some() == *is,
            Predicate::Empty(name, is) => value(name).and_then(Json::as_array).is_none_or(Vec::is_empty) == *is,
        }
    }
}

fn same(value: &Json, other: &Json) -> bool {
    compare(value, Sign::Is, other)
}

fn compare(value: &Json, sign: Sign, with: &Json) -> bool {
    let order = match (value, with) {
        // Instants as the API prints them are in the order of their texts.
        (Json::String(one), Json::String(other)) if one.len() == other.len() => one.cmp(other),
        (Json::String(one), Json::String(other)) => match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            _ => one.cmp(other),
        },
        (Json::Number(one), Json::Number(other)) => match one.as_f64().partial_cmp(&other.as_f64()) {
            Some(order) => order,
            None => return false,
        },
        (Json::Bool(one), Json::Bool(other)) => one.cmp(other),
        _ => return sign == Sign::IsNot,
    };
    match sign {
        Sign::Is => order.is_eq(),
        Sign::IsNot => order.is_ne(),
        Sign::Less => order.is_lt(),
        Sign::AtMost => order.is_le(),
        Sign::More => order.is_gt(),
        Sign::AtLeast => order.is_ge(),
    }
}

impl<'t> Reader<'t> {
    fn rest(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn unexpected(&mut self, expected: &str) -> String {
        let rest: String = self.rest().chars().take(12).collect();
        format!("Syntax error while parsing 'where'. Unexpected input '{rest}', expected {expected}.")
    }

    /// Takes a word, in letters of any size.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let fits = rest.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word));
        let ends = !rest[if fits { word.len() } else { 0 }..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if fits && ends {
            self.at += word.len();
        }
        fits && ends
    }

    fn sign(&mut self, sign: &str) -> bool {
        let fits = self.rest().starts_with(sign);
        if fits {
            self.at += sign.len();
        }
        fits
    }

    fn any(&mut self) -> Result<Predicate, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the predicate is nested too deeply".to_owned());
        }
        let mut all = vec![self.all()?];
        while self.word("or") {
            all.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Predicate::Any(all) })
    }

    fn all(&mut self) -> Result<Predicate, String> {
        let mut all = vec![self.one()?];
        while self.word("and") {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Predicate::All(all) })
    }

    fn one(&mut self) -> Result<Predicate, String> {
        if self.word("not") {
            self.need("(")?;
            let inner = self.any()?;
            self.need(")")?;
            return Ok(Predicate::Not(Box::new(inner)));
        }
        if self.sign("(") {
            let inner = self.any()?;
            self.need(")")?;
            return Ok(inner);
        }
        let name = self.name()?;
        if self.sign("(") {
            let inner = self.any()?;
            self.need(")")?;
            return Ok(Predicate::Within(name, Box::new(inner)));
        }
        if self.word("is") {
            let is = !self.word("not");
            return match (self.word("defined"), is) {
                (true, is) => Ok(Predicate::Defined(name, is)),
                (false, is) if self.word("empty") => Ok(Predicate::Empty(name, is)),
                _ => Err(self.unexpected("'defined' or 'empty'")),
            };
        }
        let negated = self.word("not");
        if self.word("in") {
            return Ok(Predicate::In(name, self.values()?, !negated));
        }
        if self.word("contains") {
            let every = self.word("all");
            if !every && !self.word("any") {
                return Err(self.unexpected("'all' or 'any'"));
            }
            return Ok(Predicate::Contains(name, self.values()?, every));
        }
        let signs = [
            ("<>", Sign::IsNot),
            ("!=", Sign::IsNot),
            (">=", Sign::AtLeast),
            ("<=", Sign::AtMost),
            (">", Sign::More),
            ("<", Sign::Less),
            ("=", Sign::Is),
        ];
        let Some((_, sign)) = signs.into_iter().find(|(text, _)| self.sign(text)) else { return Err(self.unexpected("a comparison")) };
        Ok(Predicate::Compare(name, sign, self.value()?))
    }

    fn need(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("'{sign}'"))) }
    }

    fn name(&mut self) -> Result<String, String> {
        if self.sign("`") {
            let rest = &self.text[self.at..];
            let Some((name, _)) = rest.split_once('`') else { return Err(self.unexpected("'`'")) };
            self.at += name.len() + 1;
            return Ok(name.to_owned());
        }
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if length == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.unexpected("a field name"));
        }
        self.at += length;
        Ok(rest[..length].to_owned())
    }

    fn values(&mut self) -> Result<Vec<Json>, String> {
        self.need("(")?;
        let mut all = vec![self.value()?];
        while self.sign(",") {
            all.push(self.value()?);
        }
        self.need(")")?;
        Ok(all)
    }

    fn value(&mut self) -> Result<Json, String> {
        let rest = self.rest();
        if rest.starts_with('"') {
            let mut escaped = false;
            for (at, c) in rest.char_indices().skip(1) {
                match c {
                    '"' if !escaped => {
                        self.at += at + 1;
                        return serde_json::from_str(&rest[..=at]).map_err(|error| format!("Syntax error while parsing 'where': {error}"));
                    }
                    '\\' => escaped = !escaped,
                    _ => escaped = false,
                }
            }
            return Err("Syntax error while parsing 'where'. Unexpected end of input, expected '\"'.".to_owned());
        }
        for (word, value) in [("true", true), ("false", false)] {
            if self.word(word) {
                return Ok(Json::Bool(value));
            }
        }
        let length = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '.' | 'e' | 'E' | '+'))).unwrap_or(rest.len());
        match serde_json::from_str::<Json>(&rest[..length]) {
            Ok(number @ Json::Number(_)) => {
                self.at += length;
                Ok(number)
            }
            _ => Err(self.unexpected("a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::super::FORMS;
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Predicate, String> {
        Predicate::read(text, &FORMS, FORMS.named("Order"))
    }

    #[test]
    fn predicates_hold_as_the_vendors_page_says() {
        let order = json!({
            "id": "b", "orderNumber": "A-\"1\"", "version": 3, "lastModifiedAt": "2026-11-18T08:00:00.000Z", "orderState": "Open",
            "shippingInfo": {"deliveries": [{"key": "d1", "parcels": [{"trackingData": {"carrier": "UPS"}}]}, {"key": "d2", "parcels": []}]},
            "syncInfo": [], "custom": {"fields": {"ship-by": "x"}},
        });
        for (text, holds) in [
            (r#"lastModifiedAt >= "2026-11-18T08:00:00Z""#, true),
            (r#"lastModifiedAt > "2026-11-18T08:00:00.000Z" or (lastModifiedAt = "2026-11-18T08:00:00.000Z" and id > "a")"#, true),
            (r#"lastModifiedAt > "2026-11-18T08:00:00.000Z" or (lastModifiedAt = "2026-11-18T08:00:00.000Z" and id > "b")"#, false),
            (r#"id in ("a", "b")"#, true),
            (r#"id not in ("a", "b")"#, false),
            (r#"orderNumber = "A-\"1\"""#, true),
            (r#"orderState != "Open""#, false),
            (r#"orderState <> "Cancelled" and version < 4"#, true),
            (r#"shippingInfo(deliveries(key = "d2"))"#, true),
            (r#"shippingInfo(deliveries(key = "d3"))"#, false),
            (r#"shippingInfo(deliveries(parcels(trackingData(carrier="UPS"))))"#, true),
            (r#"syncInfo is empty and state is not defined"#, true),
            (r#"purchaseOrderNumber = "x""#, false),
            (r#"not(purchaseOrderNumber = "x")"#, true),
            (r#"custom(fields(`ship-by` = "x"))"#, true),
            (r#"custom(fields(other = "x"))"#, false),
        ] {
            assert_eq!(read(text).map(|predicate| predicate.holds(&order)), Ok(holds), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_the_vendors_words() {
        for text in ["", "id", "id =", "id = x", "id = \"x", "id = \"x\" and", "(id = \"x\"", "id in ()", "id is", "id contains (1)", "1 = 1"] {
            let said = read(text).unwrap_err();
            assert!(said.starts_with("Malformed parameter: where: "), "{text}: {said}");
        }
        assert!(read("orderNumbr = \"1\"").unwrap_err().contains("The field 'orderNumbr' does not exist."));
        assert!(read(&"(".repeat(100_000)).is_err());
    }
}
