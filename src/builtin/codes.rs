//! Codes of goods, parcels and taxes: their shapes and check digits.

use super::signature::text;
use super::{Builtin, Example, Family, Gives, countries, tracking};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "carrier_of",
        family: Family::Codes,
        takes: &[text("tracking_number")],
        gives: Gives::Maybe(Kind::Text),
        says: "The carrier that a tracking number belongs to, by its form and check digit: `ups`, `usps`, `fedex`, `dhl`, `royal_mail` and so on. A guess if several carriers have the same form; missing if none has it.",
        examples: &[
            Example { call: r#"carrier_of("1Z5R89390357567127")"#, gives: r#""ups""# },
            Example { call: r#"carrier_of("9400 1112 0108 0805 4830 16")"#, gives: r#""usps""# },
            Example { call: r#"carrier_of("1Z5R89390357567128")"#, gives: "missing" },
        ],
        run: |args| {
            let carrier = tracking::carrier_of(args.need_text(0, "carrier_of")?);
            Ok(Value::optional(carrier.map(Value::text)))
        },
    },
    Builtin {
        name: "gtin_of",
        family: Family::Codes,
        takes: &[text("code")],
        gives: Gives::Maybe(Kind::Text),
        says: "A GTIN (EAN, UPC, ITF-14) without spaces and hyphens. Missing if its length or check digit is wrong.",
        examples: &[
            Example { call: r#"gtin_of("4 006381 333931")"#, gives: r#""4006381333931""# },
            Example { call: r#"gtin_of("4006381333932")"#, gives: "missing" },
        ],
        run: |args| {
            let plain = without_separators(args.need_text(0, "gtin_of")?);
            Ok(Value::optional(is_gtin(&plain).then(|| Value::text(plain))))
        },
    },
    Builtin {
        name: "check_digit",
        family: Family::Codes,
        takes: &[text("digits")],
        gives: Gives::Maybe(Kind::Text),
        says: "The GS1 check digit for these digits (of a GTIN, an SSCC). Missing if the text is not all digits.",
        examples: &[
            Example { call: r#"check_digit("400638133393")"#, gives: r#""1""# },
            Example { call: r#"check_digit("40063813339X")"#, gives: "missing" },
        ],
        run: |args| {
            let digits = without_separators(args.need_text(0, "check_digit")?);
            let fits = !digits.is_empty() && digits.len() <= 40 && digits.bytes().all(|c| c.is_ascii_digit());
            Ok(Value::optional(fits.then(|| Value::text(tracking::gs1_digit(digits.as_bytes()).to_string()))))
        },
    },
];

/// 8, 12, 13 or 14 digits with the GS1 check digit.
pub(super) fn is_gtin(code: &str) -> bool {
    matches!(code.len(), 8 | 12 | 13 | 14) && tracking::gs1(code)
}

/// Ten capital letters and digits. Books have their ISBN-10 for it, with its check character; what
/// Amazon gave out itself begins with `B`.
pub(super) fn is_asin(code: &str) -> bool {
    let code = code.trim().as_bytes();
    let [first, .., last] = code else { return false };
    if code.len() != 10 {
        return false;
    }
    if *first == b'B' {
        return code.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    }
    let body = &code[..9];
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = body.iter().zip((2..=10).rev()).map(|(c, weight)| u32::from(c - b'0') * weight).sum();
    match (11 - sum % 11) % 11 {
        10 => *last == b'X',
        check => last.is_ascii_digit() && u32::from(last - b'0') == check,
    }
}

/// Shapes of VAT numbers behind the country's prefix, as VIES and the tax offices write them: `n` a
/// digit, `a` a letter, `x` either.
static VAT: &[(&str, &str, &[&str])] = &[
    ("AT", "AT", &["Unnnnnnnn"]),
    ("BE", "BE", &["0nnnnnnnnn", "1nnnnnnnnn"]),
    ("BG", "BG", &["nnnnnnnnn", "nnnnnnnnnn"]),
    ("CH", "CHE", &["nnnnnnnnn", "nnnnnnnnnMWST", "nnnnnnnnnTVA", "nnnnnnnnnIVA"]),
    ("CY", "CY", &["nnnnnnnna"]),
    ("CZ", "CZ", &["nnnnnnnn", "nnnnnnnnn", "nnnnnnnnnn"]),
    ("DE", "DE", &["nnnnnnnnn"]),
    ("DK", "DK", &["nnnnnnnn"]),
    ("EE", "EE", &["nnnnnnnnn"]),
    ("ES", "ES", &["xnnnnnnnx"]),
    ("FI", "FI", &["nnnnnnnn"]),
    ("FR", "FR", &["xxnnnnnnnnn"]),
    ("GB", "GB", &["nnnnnnnnn", "nnnnnnnnnnnn", "GDnnn", "HAnnn"]),
    ("GR", "EL", &["nnnnnnnnn"]),
    ("HR", "HR", &["nnnnnnnnnnn"]),
    ("HU", "HU", &["nnnnnnnn"]),
    ("IE", "IE", &["nxnnnnna", "nnnnnnnaa"]),
    ("IT", "IT", &["nnnnnnnnnnn"]),
    ("LT", "LT", &["nnnnnnnnn", "nnnnnnnnnnnn"]),
    ("LU", "LU", &["nnnnnnnn"]),
    ("LV", "LV", &["nnnnnnnnnnn"]),
    ("MT", "MT", &["nnnnnnnn"]),
    ("NL", "NL", &["nnnnnnnnnBnn"]),
    ("NO", "NO", &["nnnnnnnnn", "nnnnnnnnnMVA"]),
    ("PL", "PL", &["nnnnnnnnnn"]),
    ("PT", "PT", &["nnnnnnnnn"]),
    ("RO", "RO", &["nn", "nnn", "nnnn", "nnnnn", "nnnnnn", "nnnnnnn", "nnnnnnnn", "nnnnnnnnn", "nnnnnnnnnn"]),
    ("SE", "SE", &["nnnnnnnnnn01"]),
    ("SI", "SI", &["nnnnnnnn"]),
    ("SK", "SK", &["nnnnnnnnnn"]),
    ("XI", "XI", &["nnnnnnnnn", "nnnnnnnnnnnn", "GDnnn", "HAnnn"]),
];

/// Whether a VAT number has the shape of a country's, with its prefix or without; `None` for a
/// country whose numbers have no known shape.
pub(super) fn is_vat(number: &str, country: &str) -> Option<bool> {
    let asked = country.trim().to_uppercase();
    let code = match asked.as_str() {
        "EL" => "GR",
        "XI" => "XI",
        _ => countries::code_of(country)?,
    };
    let (_, prefix, shapes) = VAT.iter().find(|(of, ..)| *of == code)?;
    let plain = without_separators(number).to_uppercase();
    let bare = plain.strip_prefix(prefix).unwrap_or(&plain);
    Some(shapes.iter().any(|shape| shaped(bare, shape)))
}

/// Whether a VAT number has the shape that its own prefix asks for.
pub(super) fn is_any_vat(number: &str) -> bool {
    let plain = without_separators(number).to_uppercase();
    VAT.iter().any(|(_, prefix, shapes)| plain.strip_prefix(prefix).is_some_and(|bare| shapes.iter().any(|shape| shaped(bare, shape))))
}

/// `IM` and ten digits: three for the member state, six, and one to check.
pub(super) fn is_ioss(number: &str) -> bool {
    shaped(&without_separators(number).to_uppercase(), "IMnnnnnnnnnn")
}

/// The member states of the European Union.
static EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO",
    "SE", "SI", "SK",
];

/// A member state of the European Union and up to 15 letters and digits; for Great Britain twelve or fifteen digits.
pub(super) fn is_eori(number: &str) -> bool {
    let plain = without_separators(number).to_uppercase();
    let Some((country, rest)) = plain.split_at_checked(2) else { return false };
    let known = matches!(country, "GB" | "XI") || EU.contains(&country);
    let lengths = if matches!(country, "GB" | "XI") {
        matches!(rest.len(), 12 | 15) && rest.bytes().all(|c| c.is_ascii_digit())
    } else {
        (1..=15).contains(&rest.len()) && rest.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    known && lengths
}

fn shaped(code: &str, shape: &str) -> bool {
    code.len() == shape.len()
        && code.bytes().zip(shape.bytes()).all(|(c, place)| match place {
            b'n' => c.is_ascii_digit(),
            b'a' => c.is_ascii_uppercase(),
            b'x' => c.is_ascii_alphanumeric(),
            other => c == other,
        })
}

fn without_separators(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.')).collect()
}
