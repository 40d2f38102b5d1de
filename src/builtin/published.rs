//! The functions held against what is published: the numbers of each test are rates over `tests/published/`, which
//! `data/generate.py` makes from the sources that `data/README.md` names.

use super::{countries, phones, postal, tracking};

/// The cells of a table of `tests/published/`.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split('\t').collect())
}

/// Fails if fewer than `least` of a hundred are right, and names those that are not.
fn rate(what: &str, least: f64, found: impl Iterator<Item = (String, bool)>) {
    let (mut all, mut right, mut wrong) = (0_u32, 0_u32, Vec::new());
    for (name, fits) in found {
        all += 1;
        if fits {
            right += 1;
        } else {
            wrong.push(name);
        }
    }
    let percent = f64::from(right) * 100.0 / f64::from(all);
    println!("{what}: {right} of {all}, {percent:.2} %");
    assert!(all > 100 && percent >= least, "{what}: {right} of {all}, {percent:.2} %:\n{}", wrong.join("\n"));
}

/// Every example number of libphonenumber, by territory and type, as it is written abroad, at home, and in E.164.
#[test]
fn phones_are_those_of_the_published_metadata() {
    let text = include_str!("../../tests/published/phones.tsv");
    let all = rows(text).flat_map(|row| {
        let [region, kind, expected, home, abroad] = row[..] else { panic!("{row:?}") };
        let of = move |country: &str, written: &str| {
            let found = phones::e164(written, country);
            (format!("{region} {kind}: {written} is {expected}, not {found:?}"), found.as_deref() == Some(expected))
        };
        let anywhere = [of(region, expected), of("US", abroad), of("DE", abroad)];
        let at_home = (region != "001").then(|| of(region, home));
        anywhere.into_iter().chain(at_home).collect::<Vec<_>>()
    });
    rate("phones in E.164", 99.0, all);
    let at_home = rows(text).filter(|row| row[0] != "001").map(|row| {
        let [region, kind, number, home, _] = row[..] else { panic!("{row:?}") };
        let digits: String = home.chars().filter(char::is_ascii_digit).collect();
        let found = phones::national(number, region);
        (format!("{region} {kind}: {number} at home is {digits}, not {found:?}"), found.as_deref() == Some(&digits))
    });
    rate("phones at home", 99.0, at_home);
}

#[test]
fn countries_are_known_by_the_names_of_cldr_and_iso() {
    let text = include_str!("../../tests/published/countries.tsv");
    rate("names of countries", 99.0, rows(text).map(|row| (row.join(" "), countries::code_of(row[1]) == Some(row[0]))));
}

#[test]
fn subdivisions_are_known_by_the_names_of_cldr_and_iso() {
    let text = include_str!("../../tests/published/subdivisions.tsv");
    for source in ["ISO", "CLDR"] {
        let found = rows(text).filter(|row| row[1] == source).map(|row| {
            let (country, code) = row[0].split_once('-').expect("a code of ISO 3166-2");
            let found = countries::subdivision(row[2], country).map(|(code, _)| code);
            (format!("{} {}: {found:?}", row[0], row[2]), found == Some(code))
        });
        rate(&format!("names of subdivisions by {source}"), 99.0, found);
    }
}

/// What a subdivision is called has no mark of a footnote, and its code is found again.
#[test]
fn subdivisions_have_plain_names() {
    for row in rows(include_str!("../../tests/published/subdivisions.tsv")) {
        let (country, code) = row[0].split_once('-').expect("a code of ISO 3166-2");
        let (found, name) = countries::subdivision(code, country).unwrap_or_else(|| panic!("{} is not known", row[0]));
        assert_eq!(found, code);
        assert!(!name.contains(['\u{b2}', '\u{b3}', '\u{2020}', '|']), "{} {name}", row[0]);
    }
}

#[test]
fn postal_codes_are_those_of_the_published_examples() {
    for row in rows(include_str!("../../tests/published/postal.tsv")) {
        let [country, pattern, examples] = row[..] else { panic!("{row:?}") };
        if countries::code_of(country).is_none() {
            continue;
        }
        // Saint Lucia and Montserrat have codes by the Universal Postal Union's guides.
        let known = !pattern.is_empty() || matches!(country, "LC" | "MS");
        assert_eq!(postal::has(country), Some(known), "{country}");
        for example in examples.split(',').filter(|example| !example.is_empty()) {
            assert_eq!(postal::fits(example, country), Some(true), "{country} {example}");
            let written = postal::written(example, country).unwrap_or_default();
            assert_eq!(postal::written(&written, country).as_deref(), Some(written.as_str()), "{country} {example}");
        }
    }
}

/// Test numbers of `jkeen/tracking_number_data`: valid ones are their carrier's, invalid ones are not.
#[test]
fn tracking_numbers_are_told_by_their_carriers() {
    let text = include_str!("../../tests/published/tracking.tsv");
    let ours = |carrier: &str, form: &str| match carrier {
        "dhl" if form.contains("E-Commerce") => "dhl_ecommerce".to_owned(),
        "landmark" => "landmark_global".to_owned(),
        "speedee" => "spee_dee".to_owned(),
        other => other.to_owned(),
    };
    let valid = rows(text).filter(|row| row[2] == "valid").map(|row| {
        let (found, carrier) = (tracking::carrier_of(row[3]), ours(row[0], row[1]));
        let right = if carrier == "s10" { found.is_some() } else { found == Some(&carrier) && tracking::fits(row[3], &carrier) == Some(true) };
        (format!("{} {}: {found:?}", row[1], row[3]), right)
    });
    rate("tracking numbers", 95.0, valid);
    for row in rows(text).filter(|row| row[2] == "invalid" && row[1] != "USPS IMpb C" && row[1] != "Purolator (alpha + 9)") {
        let carrier = ours(row[0], row[1]);
        let found = tracking::carrier_of(row[3]);
        assert!(found != Some(&carrier), "{} {} is invalid, and taken for {found:?}", row[1], row[3]);
    }
}
