//! Addresses: street lines, countries, states, postal codes.

use super::call::text_if_any;
use super::signature::{integer, optional, text};
use super::{Args, Builtin, Example, Family, Gives, Takes, countries, postal};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "street_line",
        family: Family::Addresses,
        takes: &[text("street"), integer("number"), optional("characters", Takes::Kind(Kind::Integer))],
        gives: Gives::Maybe(Kind::Text),
        says: "One line of a street with several lines, counted from 1. With a length, longer lines are broken between words into lines of at most that many characters. Parts between commas are kept together.",
        examples: &[
            Example { call: r#"street_line("12 High St\nFlat 3", 1)"#, gives: r#""12 High St""# },
            Example { call: r#"street_line("12 High St\nFlat 3", 3)"#, gives: "missing" },
            Example { call: r#"street_line("Old Bakery, 12 Very Long Street", 2, 20)"#, gives: r#""Long Street""# },
        ],
        run: |args| {
            let number = args.count(1, 0, "street_line")?;
            let lines = street_lines(args, 2, "street_line")?;
            Ok(Value::optional(number.checked_sub(1).and_then(|at| lines.into_iter().nth(at)).map(Value::text)))
        },
    },
    Builtin {
        name: "street_rest",
        family: Family::Addresses,
        takes: &[text("street"), integer("number"), optional("characters", Takes::Kind(Kind::Integer))],
        gives: Gives::Maybe(Kind::Text),
        says: "The rest of a street from a line on, counted from 1, with commas between its lines: for the last street line of a target. The lines are those of `street_line` with the same length.",
        examples: &[
            Example { call: r#"street_rest("Acme\nUnit 5\nBuilding 12\nPark Road 1", 3)"#, gives: r#""Building 12, Park Road 1""# },
            Example { call: r#"street_rest("12 High St\nFlat 3", 3)"#, gives: "missing" },
            Example { call: r#"street_rest("Old Bakery, 12 Very Long Street", 2, 20)"#, gives: r#""Long Street""# },
        ],
        run: |args| {
            let number = args.count(1, 0, "street_rest")?;
            let lines = street_lines(args, 2, "street_rest")?;
            let rest = lines.get(number.saturating_sub(1)..).filter(|rest| !rest.is_empty());
            Ok(Value::optional(rest.map(|rest| Value::text(rest.join(", ")))))
        },
    },
    Builtin {
        name: "split_street",
        family: Family::Addresses,
        takes: &[text("street"), integer("characters")],
        gives: Gives::List(Kind::Text),
        says: "A street as lines of at most the given number of characters, broken between words. A single longer word is cut.",
        examples: &[
            Example { call: r#"split_street("Old Bakery, 12 Very Long Street", 20)"#, gives: r#"["Old Bakery, 12 Very", "Long Street"]"# },
            Example { call: r#"split_street("12 High St\nFlat 3", 30)"#, gives: r#"["12 High St", "Flat 3"]"# },
        ],
        run: |args| {
            let lines = street_lines(args, 1, "split_street")?;
            Ok(Value::list(lines.into_iter().take(crate::value::MAX_ITEMS + 1).map(Value::text).collect()))
        },
    },
    Builtin {
        name: "country_code",
        family: Family::Addresses,
        takes: &[text("country"), optional("form", Takes::Words(&["alpha2", "alpha3", "numeric"]))],
        gives: Gives::Maybe(Kind::Text),
        says: "The ISO 3166-1 code of a country given by its name or any of its codes: two letters, or in the given form.",
        examples: &[
            Example { call: r#"country_code("United Kingdom")"#, gives: r#""GB""# },
            Example { call: r#"country_code("usa")"#, gives: r#""US""# },
            Example { call: r#"country_code("Germany", alpha3)"#, gives: r#""DEU""# },
            Example { call: r#"country_code("Atlantis")"#, gives: "missing" },
        ],
        run: |args| {
            let country = countries::country(args.need_text(0, "country_code")?);
            Ok(Value::optional(country.map(|country| {
                Value::text(match args.words(1, "alpha2") {
                    "alpha3" => country.alpha3,
                    "numeric" => country.numeric,
                    _ => country.alpha2,
                })
            })))
        },
    },
    Builtin {
        name: "country_name",
        family: Family::Addresses,
        takes: &[text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "The English name of a country given by any of its codes or names.",
        examples: &[Example { call: r#"country_name("DE")"#, gives: r#""Germany""# }, Example { call: r#"country_name("XX")"#, gives: "missing" }],
        run: |args| {
            let country = countries::country(args.need_text(0, "country_name")?);
            Ok(Value::optional(country.map(|country| Value::text(country.name))))
        },
    },
    Builtin {
        name: "subdivision_code",
        family: Family::Addresses,
        takes: &[text("state"), text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "The code of a state, province or region within its country (the part of ISO 3166-2 after the hyphen), from its name, code or usual abbreviation.",
        examples: &[
            Example { call: r#"subdivision_code("Calif.", "US")"#, gives: r#""CA""# },
            Example { call: r#"subdivision_code("New South Wales", "Australia")"#, gives: r#""NSW""# },
            Example { call: r#"subdivision_code("Calif.", "GB")"#, gives: "missing" },
        ],
        run: |args| {
            let found = countries::subdivision(args.need_text(0, "subdivision_code")?, args.text(1));
            Ok(Value::optional(found.map(|(code, _)| Value::text(code))))
        },
    },
    Builtin {
        name: "subdivision_name",
        family: Family::Addresses,
        takes: &[text("state"), text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "The English name of a state, province or region, from its code, name or usual abbreviation.",
        examples: &[
            Example { call: r#"subdivision_name("CA ", "US")"#, gives: r#""California""# },
            Example { call: r#"subdivision_name("ZZ", "US")"#, gives: "missing" },
        ],
        run: |args| {
            let found = countries::subdivision(args.need_text(0, "subdivision_name")?, args.text(1));
            Ok(Value::optional(found.map(|(_, name)| Value::text(name))))
        },
    },
    Builtin {
        name: "normalize_postal_code",
        family: Family::Addresses,
        takes: &[text("code"), text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "The postal code in its country's format: capital letters, the right spacing. Missing if it is not a postal code of that country; unchanged if the country's format is not known.",
        examples: &[
            Example { call: r#"normalize_postal_code("sw1a1aa", "GB")"#, gives: r#""SW1A 1AA""# },
            Example { call: r#"normalize_postal_code("1012ab", "NL")"#, gives: r#""1012 AB""# },
            Example { call: r#"normalize_postal_code("D-10115", "DE")"#, gives: r#""10115""# },
            Example { call: r#"normalize_postal_code("1234", "US")"#, gives: "missing" },
        ],
        run: |args| {
            let written = postal::written(args.need_text(0, "normalize_postal_code")?, args.text(1));
            Ok(written.map_or(Value::ABSENT, text_if_any))
        },
    },
    Builtin {
        name: "needs_postal_code",
        family: Family::Addresses,
        takes: &[text("country")],
        gives: Gives::Maybe(Kind::Boolean),
        says: "Whether an address of a country (by its code or name) has to have a postal code: false if the country has none, or if the post delivers without one. Missing if the country is not known.",
        examples: &[
            Example { call: r#"needs_postal_code("GB")"#, gives: "true" },
            Example { call: r#"needs_postal_code("Hong Kong")"#, gives: "false" },
            Example { call: r#"needs_postal_code("IE")"#, gives: "false" },
            Example { call: r#"needs_postal_code("Atlantis")"#, gives: "missing" },
        ],
        run: |args| Ok(Value::optional(postal::needed(args.need_text(0, "needs_postal_code")?).map(Value::Boolean))),
    },
    Builtin {
        name: "has_postal_code",
        family: Family::Addresses,
        takes: &[text("country")],
        gives: Gives::Maybe(Kind::Boolean),
        says: "Whether a country (by its code or name) has postal codes at all; `needs_postal_code` says whether an address has to have one. Missing if the country is not known.",
        examples: &[
            Example { call: r#"has_postal_code("IE")"#, gives: "true" },
            Example { call: r#"has_postal_code("Hong Kong")"#, gives: "false" },
            Example { call: r#"has_postal_code("Atlantis")"#, gives: "missing" },
        ],
        run: |args| Ok(Value::optional(postal::has(args.need_text(0, "has_postal_code")?).map(Value::Boolean))),
    },
    Builtin {
        name: "is_po_box",
        family: Family::Addresses,
        takes: &[text("street")],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether a street names a post office box, to which most parcel carriers do not deliver: `PO Box 12`, `P.O. Box`, `Postfach`, `Boîte postale`, `Apartado`.",
        examples: &[
            Example { call: r#"is_po_box("P.O. Box 1234")"#, gives: "true" },
            Example { call: r#"is_po_box("12 Boxwood Lane")"#, gives: "false" },
        ],
        run: |args| Ok(Value::Boolean(is_po_box(args.need_text(0, "is_po_box")?))),
    },
    Builtin {
        name: "is_military",
        family: Family::Addresses,
        takes: &[text("city"), optional("state", Takes::Kind(Kind::Text)), optional("country", Takes::Kind(Kind::Text))],
        gives: Gives::Kind(Kind::Boolean),
        says: "Whether an address is a military or diplomatic one of the United States, by its city (`APO`, `FPO`, `DPO`). Its state (`AA`, `AE`, `AP`) counts only if the country is given: otherwise `AP` may be Andhra Pradesh. An address of another country is not one.",
        examples: &[
            Example { call: r#"is_military("APO", "AE")"#, gives: "true" },
            Example { call: r#"is_military("Camp Humphreys", "AP", "US")"#, gives: "true" },
            Example { call: r#"is_military("Vijayawada", "AP", "IN")"#, gives: "false" },
            Example { call: r#"is_military("Vijayawada", "AP")"#, gives: "false" },
            Example { call: r#"is_military("Apopka", "FL")"#, gives: "false" },
        ],
        run: |args| {
            let word = |text: &str| text.trim().trim_end_matches('.').replace('.', "").to_uppercase();
            let city = word(args.need_text(0, "is_military")?);
            let by_city = city.split(|c: char| !c.is_alphanumeric()).next().is_some_and(|first| matches!(first, "APO" | "FPO" | "DPO"));
            let by_state = matches!(word(args.text(1)).as_str(), "AA" | "AE" | "AP");
            Ok(Value::Boolean(match args.text(2).trim() {
                "" => by_city,
                country => countries::code_of(country) == Some("US") && (by_city || by_state),
            }))
        },
    },
];

fn street_lines(args: &Args<'_>, at: usize, function: &'static str) -> Result<Vec<String>, super::Refusal> {
    let street = args.need_text(0, function)?;
    let most = match args.has(at) {
        true => args.count(at, 0, function)?.max(1),
        false => usize::MAX,
    };
    let mut lines = Vec::new();
    for line in street.lines() {
        let mut current = String::new();
        for word in line.split_whitespace() {
            let length = word.chars().count();
            let held = current.chars().count();
            if held > 0 && held + 1 + length > most {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            if length <= most {
                current.push_str(word);
                continue;
            }
            for c in word.chars() {
                if current.chars().count() == most {
                    lines.push(std::mem::take(&mut current));
                }
                current.push(c);
            }
        }
        if !current.is_empty() {
            lines.push(current.trim_end_matches(',').to_owned());
        }
    }
    Ok(lines)
}

fn is_po_box(street: &str) -> bool {
    let plain: String = super::text::ascii(street).to_lowercase().replace('.', "");
    let words: Vec<&str> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let pairs = words
        .windows(2)
        .any(|pair| matches!(pair, ["po", "box"] | ["pob", _] | ["boite", "postale"] | ["post", "box"] | ["postal", "box"] | ["casella", "postale"]));
    let triples = words.windows(3).any(|three| matches!(three, ["p", "o", "box"] | ["post", "office", "box"] | ["apartado", "de", "correos"]));
    let first = words.first().copied().unwrap_or_default();
    let named = words.iter().any(|word| matches!(*word, "pobox" | "postfach" | "postbus" | "postboks" | "apartado"));
    let bp = first == "bp" && words.get(1).is_some_and(|next| next.bytes().all(|b| b.is_ascii_digit()));
    pairs || triples || named || bp
}
