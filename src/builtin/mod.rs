//! The functions that a mapping may call: one table, by families.
//!
//! A function is one [`Builtin`]: `check` reads what it takes and gives, `eval` calls `run`,
//! hovers and the reference in `docs/` print `says`, and its examples are run as tests.
//!
//! A function never sees a missing first argument: then its result is missing (unless the
//! parameter says `nullable`). Any other argument that may be missing needs a nullable
//! parameter; the checker holds that.

mod addresses;
mod call;
mod codes;
mod contacts;
mod conversions;
mod countries;
mod dates;
mod json;
mod lists;
mod literal;
mod money;
mod numbers;
mod patterns;
mod phones;
mod postal;
mod reference;
mod signature;
mod text;
mod tracking;
mod units;

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

pub use call::{Args, Context, Refusal};
pub(crate) use contacts::is_email;
pub use dates::{date_sample, is_date_pattern, is_zone};
pub use money::currency as currency_code;
pub use phones::{phone_home, phone_key, phone_spellings, same_phone};
pub use reference::{reference, signature};
pub use units::unit_measures;

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Kind;

pub struct Builtin {
    pub name: &'static str,
    pub family: Family,
    pub takes: &'static [Param],
    pub gives: Gives,
    /// One or two sentences for hovers and the reference.
    pub says: &'static str,
    pub examples: &'static [Example],
    pub run: fn(&Args<'_>) -> Result<crate::value::Value, Refusal>,
}

/// Where it stands in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Text,
    Numbers,
    Money,
    Dates,
    Lists,
    Addresses,
    Contacts,
    Units,
    Codes,
    Json,
    /// May give nothing for any `json` ([`Builtin::may_give_nothing`]).
    Conversions,
    /// Tests a text: stands behind `matches` (`matches postal_code(c)`). Its first parameter is the
    /// text that is tested, and it gives a boolean.
    Patterns,
}

pub struct Param {
    pub name: &'static str,
    pub takes: Takes,
    /// It can be left out.
    pub optional: bool,
    /// It takes a missing value.
    pub nullable: bool,
}

/// What a parameter takes.
pub enum Takes {
    Kind(Kind),
    OneOf(&'static [Kind]),
    /// Any value.
    Any,
    /// A list of anything.
    List,
    /// A list whose elements are one of these kinds.
    ListOf(&'static [Kind]),
    /// One of these words, written bare (`half up` is the two words `half` and `up`, joined by a space).
    Words(&'static [&'static str]),
    /// A regular expression in a literal.
    Pattern,
}

/// What the result is, given that no argument was missing.
pub enum Gives {
    Kind(Kind),
    /// It may leave nothing (`text?`).
    Maybe(Kind),
    /// The kind of the first argument.
    First,
    MaybeFirst,
    /// The kind of the elements of the first argument.
    Element,
    MaybeElement,
    List(Kind),
}

/// A call as an author writes it, and what comes out (as an author writes the value; `missing`
/// for nothing).
pub struct Example {
    pub call: &'static str,
    pub gives: &'static str,
}

/// A builtin in a plan: stored by its name.
#[derive(Clone, Copy)]
pub struct BuiltinRef(pub &'static Builtin);

/// Every family's functions, in the order of the reference.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    [
        text::TABLE,
        numbers::TABLE,
        money::TABLE,
        dates::TABLE,
        lists::TABLE,
        addresses::TABLE,
        contacts::TABLE,
        units::TABLE,
        codes::TABLE,
        json::TABLE,
        conversions::TABLE,
        patterns::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// Other spellings of names: what an author may also write, and stored plans may have.
pub const ALIASES: [(&str, &str); 1] = [("normalise_postal_code", "normalize_postal_code")];

/// The function of a name, or of another spelling of it ([`ALIASES`]).
pub fn find(name: &str) -> Option<&'static Builtin> {
    static NAMES: LazyLock<HashMap<&'static str, &'static Builtin>> = LazyLock::new(|| all().map(|builtin| (builtin.name, builtin)).collect());
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    NAMES.get(name).copied()
}

impl fmt::Debug for BuiltinRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for BuiltinRef {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Serialize for BuiltinRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for BuiltinRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        find(&name).map(BuiltinRef).ok_or_else(|| serde::de::Error::custom(format!("there is no function `{name}`")))
    }
}

impl JsonSchema for BuiltinRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Builtin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "the name of a builtin function" })
    }
}
