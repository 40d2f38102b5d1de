//! Patterns that stand behind `matches`: shapes of codes and addresses.

use super::postal;
use super::signature::text;
use super::{Builtin, Example, Family, Gives};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "postal_code",
        family: Family::Patterns,
        takes: &[text("text"), text("country")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A postal code as a country (by its code or name) writes it; spacing and case of letters do not count. True for a country whose codes have no known shape.",
        examples: &[
            Example { call: r#"postal_code("SW1A 1AA", "GB")"#, gives: "true" },
            Example { call: r#"postal_code("1234", "US")"#, gives: "false" },
            Example { call: r#"postal_code("anything", "AO")"#, gives: "true" },
            Example { call: "postal_code(missing, \"US\")", gives: "missing" },
        ],
        run: |args| {
            let country = args.text(1);
            Ok(Value::Boolean(postal::fits(args.need_text(0, "postal_code")?, country).unwrap_or(true)))
        },
    },
];
