//! Patterns that stand behind `matches`: shapes of codes and addresses.

use super::signature::{optional, text};
use super::{Builtin, Example, Family, Gives, Takes};
use super::{codes, contacts, phones, postal, tracking};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "postal_code",
        family: Family::Patterns,
        takes: &[text("text"), text("country")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A postal code in the format of a country (by its code or name); spacing, upper and lower case do not matter. True if the country's format is not known.",
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
    Builtin {
        name: "email",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A text in the form of an e-mail address. Whether the address exists is not checked.",
        examples: &[Example { call: r#"email("ada@example.com")"#, gives: "true" }, Example { call: r#"email("ada@example")"#, gives: "false" }],
        run: |args| Ok(Value::Boolean(contacts::is_email(args.need_text(0, "email")?))),
    },
    Builtin {
        name: "phone",
        family: Family::Patterns,
        takes: &[text("text"), text("country")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A telephone number that can be dialed in a country, by its digits.",
        examples: &[Example { call: r#"phone("020 7946 0018", "GB")"#, gives: "true" }, Example { call: r#"phone("12345", "US")"#, gives: "false" }],
        run: |args| Ok(Value::Boolean(phones::e164(args.need_text(0, "phone")?, args.text(1)).is_some())),
    },
    Builtin {
        name: "tracking_number",
        family: Family::Patterns,
        takes: &[text("text"), optional("carrier", Takes::Kind(Kind::Text))],
        gives: Gives::Kind(Kind::Boolean),
        says: "A tracking number of a carrier (by default of any), by its form and check digit. True if the form of the carrier's numbers is not known.",
        examples: &[
            Example { call: r#"tracking_number("1Z5R89390357567127", "ups")"#, gives: "true" },
            Example { call: r#"tracking_number("1Z5R89390357567128", "ups")"#, gives: "false" },
            Example { call: r#"tracking_number("A1", "my own van")"#, gives: "true" },
        ],
        run: |args| {
            let number = args.need_text(0, "tracking_number")?;
            Ok(Value::Boolean(match args.has(1) {
                true => tracking::fits(number, args.text(1)).unwrap_or(true),
                false => tracking::carrier_of(number).is_some(),
            }))
        },
    },
    Builtin {
        name: "gtin",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A GTIN (EAN, UPC, ITF-14): 8, 12, 13 or 14 digits with a correct check digit.",
        examples: &[Example { call: r#"gtin("4006381333931")"#, gives: "true" }, Example { call: r#"gtin("4006381333932")"#, gives: "false" }],
        run: |args| Ok(Value::Boolean(codes::is_gtin(args.need_text(0, "gtin")?.trim()))),
    },
    Builtin {
        name: "asin",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "An Amazon product number: ten letters and digits that begin with `B`, or an ISBN-10.",
        examples: &[
            Example { call: r#"asin("B07PGL2N7J")"#, gives: "true" },
            Example { call: r#"asin("0306406152")"#, gives: "true" },
            Example { call: r#"asin("0306406153")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(codes::is_asin(args.need_text(0, "asin")?))),
    },
    Builtin {
        name: "sku",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A stock number that every system accepts: 1 to 40 plain letters, digits, `-`, `_`, `.` and `/`, without spaces.",
        examples: &[Example { call: r#"sku("TS-001/XL")"#, gives: "true" }, Example { call: r#"sku("TS 001")"#, gives: "false" }],
        run: |args| {
            let text = args.need_text(0, "sku")?;
            let fits = (1..=40).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'/'));
            Ok(Value::Boolean(fits))
        },
    },
    Builtin {
        name: "vat",
        family: Family::Patterns,
        takes: &[text("text"), optional("country", Takes::Kind(Kind::Text))],
        gives: Gives::Kind(Kind::Boolean),
        says: "A VAT number in the format of a country, or of its own prefix. Only the form is checked. True if the country's format is not known.",
        examples: &[
            Example { call: r#"vat("DE 123 456 789")"#, gives: "true" },
            Example { call: r#"vat("GB123456789", "United Kingdom")"#, gives: "true" },
            Example { call: r#"vat("12345", "DE")"#, gives: "false" },
        ],
        run: |args| {
            let number = args.need_text(0, "vat")?;
            Ok(Value::Boolean(match args.has(1) {
                true => codes::is_vat(number, args.text(1)).unwrap_or(true),
                false => codes::is_any_vat(number),
            }))
        },
    },
    Builtin {
        name: "ioss",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "A number of the European Union's Import One-Stop Shop: `IM` and ten digits.",
        examples: &[Example { call: r#"ioss("IM2760000742")"#, gives: "true" }, Example { call: r#"ioss("276000074")"#, gives: "false" }],
        run: |args| Ok(Value::Boolean(codes::is_ioss(args.need_text(0, "ioss")?))),
    },
    Builtin {
        name: "eori",
        family: Family::Patterns,
        takes: &[text("text")],
        gives: Gives::Kind(Kind::Boolean),
        says: "An EORI number, which identifies a trader at the customs of the European Union or Great Britain: a country code and the number that the country assigns.",
        examples: &[
            Example { call: r#"eori("DE1234567890123")"#, gives: "true" },
            Example { call: r#"eori("GB123456789000")"#, gives: "true" },
            Example { call: r#"eori("GB123")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(codes::is_eori(args.need_text(0, "eori")?))),
    },
];
