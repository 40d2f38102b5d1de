//! What an act is given: which settings there are, and what each holds. What no act knows is refused, never ignored.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Map;

use super::{Known, verbs};
use crate::base::nearest;
use crate::sandbox::Act;
use crate::value::Json;

/// The settings of an act.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Fields of a record, in these words: the system says which there are.
    Fields(&'static str),
    /// These, and no other.
    Settings(&'static [Setting]),
}

/// A setting of an act.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub name: &'static str,
    pub holds: Holds,
    /// What the book says of it; empty if its name says enough.
    pub note: &'static str,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    Text,
    /// A whole number that is not below this one.
    Number(i64),
    /// `2026-11-29`
    Day,
    /// `2026-11-29T20:00:00Z`
    Instant,
    Truth,
    /// An object of whole numbers above 0.
    Counts,
}

impl fmt::Display for Takes {
    /// As the book has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Takes::Fields(words) => f.write_str(words),
            Takes::Settings(all) => {
                for (at, setting) in all.iter().enumerate() {
                    let (comma, colon) = (if at == 0 { "" } else { ", " }, if setting.note.is_empty() { "" } else { ": " });
                    write!(f, "{comma}`{}`{colon}{}", setting.name, setting.note)?;
                }
                Ok(())
            }
        }
    }
}

impl Holds {
    /// A value as the act reads it: in JSON, or as the text that was typed.
    fn read(self, value: &Json) -> Result<Json, String> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let wrong = |is: &str| Err(format!("`{text}` is no {is}"));
        match self {
            Holds::Text if text.trim().is_empty() => Err("it is empty".to_owned()),
            Holds::Text if value.is_array() || value.is_object() => wrong("text"),
            Holds::Text => Ok(Json::String(text)),
            Holds::Number(least) => match text.trim().parse::<i64>() {
                Ok(number) if number >= least => Ok(Json::from(number)),
                Ok(_) => Err(format!("`{text}` is below {least}")),
                Err(_) => wrong("whole number"),
            },
            Holds::Day if text.parse::<Date>().is_ok() => Ok(Json::String(text)),
            Holds::Day => wrong("day such as 2026-11-29"),
            Holds::Instant if text.parse::<Timestamp>().is_ok() => Ok(Json::String(text)),
            Holds::Instant => wrong("instant such as 2026-11-29T20:00:00Z"),
            Holds::Truth => text.parse::<bool>().map(Json::Bool).or_else(|_| wrong("`true` or `false`")),
            Holds::Counts => {
                let read = value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone());
                let counts = read.as_object().is_some_and(|all| !all.is_empty() && all.values().all(|one| one.as_i64().is_some_and(|one| one > 0)));
                if counts { Ok(read) } else { wrong("object of numbers above 0, such as {\"CUP-01\": 2}") }
            }
        }
    }
}

/// An act with its settings as it reads them.
///
/// # Errors
/// The system has no such act, the act is done to nothing that is named, or a setting is not one of it or holds something else: in one
/// sentence, with what there is.
pub fn given(act: &Act, title: &str, of: &[Known]) -> Result<Act, String> {
    let verb = &act.verb;
    let known = of.iter().find(|known| known.verb == verb);
    let known = known.ok_or_else(|| no_act(verb, title, of))?;
    if known.to.is_empty() && !act.subject.is_empty() {
        return Err(format!("`{verb}` is done to nothing in particular: leave out `{}`", act.subject));
    }
    let settings = match &act.settings {
        Json::Null => &Map::new(),
        Json::Object(settings) => settings,
        _ => return Err("the settings of an act are names with values".to_owned()),
    };
    let mut read = Map::new();
    for (name, value) in settings {
        let value = match known.takes {
            Takes::Fields(_) => value.clone(),
            Takes::Settings(all) => {
                let setting = all.iter().find(|setting| setting.name == name).ok_or_else(|| unknown(verb, name, all))?;
                setting.holds.read(value).map_err(|why| format!("`{name}` of `{verb}`: {why}"))?
            }
        };
        read.insert(name.clone(), value);
    }
    Ok(Act { verb: verb.clone(), subject: act.subject.clone(), settings: Json::Object(read) })
}

/// What is said of an act that a system does not have.
pub fn no_act(verb: &str, title: &str, of: &[Known]) -> String {
    format!("{title}'s sandbox has no act `{verb}`; there are: {}", verbs(of))
}

fn unknown(verb: &str, name: &str, all: &[Setting]) -> String {
    let names: Vec<&str> = all.iter().map(|setting| setting.name).collect();
    match nearest(name, names.iter().copied()) {
        _ if names.is_empty() => format!("`{verb}` takes no settings, and so no `{name}`"),
        Some(near) => format!("`{verb}` has no setting `{name}`: did you mean `{near}`? There are: {}", names.join(", ")),
        None => format!("`{verb}` has no setting `{name}`; there are: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{SHIPHERO, SHIPSTATION};
    use super::*;

    fn read(verb: &str, of: &[Known], settings: Json) -> Result<Json, String> {
        let subject = if of.iter().any(|known| known.verb == verb && known.to.is_empty()) { "" } else { "A-1" };
        given(&Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }, "The system", of).map(|act| act.settings)
    }

    #[test]
    fn settings_are_read_as_what_they_hold() {
        assert_eq!(read("ship", &SHIPSTATION, json!({"trackingNumber": 12345})), Ok(json!({"trackingNumber": "12345"})));
        assert_eq!(read("combine", &SHIPSTATION, json!({"with": "00000013"})), Ok(json!({"with": "00000013"})));
        assert_eq!(read("restock", &SHIPHERO, json!({"quantity": "12"})), Ok(json!({"quantity": 12})));
        assert_eq!(read("product", &SHIPHERO, json!({"lots": "true", "parts": "{\"A\": 2}"})), Ok(json!({"lots": true, "parts": {"A": 2}})));
        assert_eq!(read("cancel", &SHIPSTATION, Json::Null), Ok(json!({})));
        assert_eq!(read("change", &SHIPSTATION, json!({"gift": true})), Ok(json!({"gift": true})), "the system says which fields there are");
    }

    #[test]
    fn what_no_act_knows_is_refused_with_what_there_is() {
        for (verb, of, settings, says) in [
            ("ship", &SHIPSTATION[..], json!({"trackingnumber": "1"}), "did you mean `trackingNumber`?"),
            ("ship", &SHIPSTATION, json!({"color": "red"}), "there are: trackingNumber, shipDate, carrierCode, serviceCode"),
            ("ship", &SHIPSTATION, json!({"shipDate": "soon"}), "`soon` is no day such as"),
            ("ship", &SHIPSTATION, json!({"trackingNumber": ""}), "it is empty"),
            ("ship", &SHIPSTATION, json!(["a"]), "names with values"),
            ("cancel", &SHIPSTATION, json!({"reason": "late"}), "takes no settings"),
            ("scan", &SHIPSTATION, json!({"at": "12:00"}), "`12:00` is no instant"),
            ("restock", &SHIPHERO, json!({"quantity": 0}), "`0` is below 1"),
            ("restock", &SHIPHERO, json!({"quantity": 1.5}), "`1.5` is no whole number"),
            ("product", &SHIPHERO, json!({"lots": "perhaps"}), "is no `true` or `false`"),
            ("product", &SHIPHERO, json!({"parts": {"A": 0}}), "object of numbers above 0"),
            ("juggle", &SHIPHERO, Json::Null, "has no act `juggle`; there are: create, "),
        ] {
            let said = read(verb, of, settings.clone()).unwrap_err();
            assert!(said.contains(says), "{verb} {settings}: {said}");
        }
        let named = Act { verb: "expire".to_owned(), subject: "A-1".to_owned(), settings: Json::Null };
        assert!(given(&named, "The system", &SHIPHERO).unwrap_err().contains("leave out `A-1`"));
    }
}
