//! Short ways to write down what a function takes.

use super::{Param, Takes};
use crate::value::Kind;

/// A parameter that has to be given, and be there.
pub(super) const fn given(name: &'static str, takes: Takes) -> Param {
    Param { name, takes, optional: false, nullable: false }
}

/// A parameter that can be left out.
pub(super) const fn optional(name: &'static str, takes: Takes) -> Param {
    Param { name, takes, optional: true, nullable: false }
}

/// A parameter that takes a missing value.
pub(super) const fn maybe(name: &'static str, takes: Takes) -> Param {
    Param { name, takes, optional: false, nullable: true }
}

pub(super) const fn text(name: &'static str) -> Param {
    given(name, Takes::Kind(Kind::Text))
}

pub(super) const fn integer(name: &'static str) -> Param {
    given(name, Takes::Kind(Kind::Integer))
}

/// A list; a missing one reads as empty.
pub(super) const fn list(name: &'static str) -> Param {
    maybe(name, Takes::List)
}

/// A date or an instant.
pub(super) const fn day(name: &'static str) -> Param {
    given(name, Takes::OneOf(&[Kind::Date, Kind::Datetime]))
}

/// The name of a time zone; the project's where it is left out.
pub(super) const fn zone() -> Param {
    optional("zone", Takes::Kind(Kind::Text))
}
