//! Countries and their subdivisions by any of the names that systems send.
//!
//! Names and codes are ISO 3166-1 and -2 as Unicode CLDR has them (see `data/README.md`).

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use memchr::memmem;

use super::text::ascii;

pub(super) struct Country {
    pub(super) alpha2: &'static str,
    pub(super) alpha3: &'static str,
    pub(super) numeric: &'static str,
    /// In English.
    pub(super) name: &'static str,
}

/// The cells of the lines of countries.
fn lines() -> impl Iterator<Item = [&'static str; 4]> {
    include_str!("data/countries.tsv").lines().filter_map(|line| {
        let mut cells = line.split('\t');
        Some([cells.next()?, cells.next()?, cells.next()?, cells.next()?])
    })
}

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let country =
        |[alpha2, alpha3, numeric, names]: [&'static str; 4]| Country { alpha2, alpha3, numeric, name: names.split('|').next().unwrap_or(alpha2) };
    lines().map(country).collect()
});

/// Places in [`COUNTRIES`] by every code and name, folded. It takes longer to make than one command has; most records give
/// codes, which are found without it.
static NAMED: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    let mut named = HashMap::new();
    for (at, [alpha2, alpha3, numeric, _]) in lines().enumerate() {
        for code in [alpha2, alpha3, numeric] {
            named.insert(folded(code), at);
        }
    }
    // A code wins over another country's name.
    for (at, [.., names]) in lines().enumerate() {
        for name in names.split('|') {
            named.entry(folded(&without_article(name))).or_insert(at);
        }
    }
    // What has no letter is no name.
    named.remove("");
    named
});

/// A state, province or region: its code (`CA` of `US-CA`) and its English name.
type Subdivision = (&'static str, &'static str);

/// The subdivisions of one country: each part is made when it is first asked for.
struct Subdivisions {
    /// Its lines of the file.
    text: OnceLock<&'static str>,
    named: OnceLock<HashMap<String, Subdivision>>,
    bare: OnceLock<HashMap<String, Option<Subdivision>>>,
}

const SUBDIVISIONS_TEXT: &str = include_str!("data/subdivisions.tsv");

/// In the order of [`COUNTRIES`], with room for those to come.
static SUBDIVISIONS: [Subdivisions; 300] = [const { Subdivisions { text: OnceLock::new(), named: OnceLock::new(), bare: OnceLock::new() } }; 300];

impl Subdivisions {
    /// Each line of one country begins with its code and a hyphen, and they stand together.
    fn text(&self, country: &str) -> &'static str {
        self.text.get_or_init(|| {
            let (text, mark) = (SUBDIVISIONS_TEXT, format!("\n{country}-"));
            let own = mark.trim_start();
            let first = if text.starts_with(own) { Some(0) } else { memmem::find(text.as_bytes(), mark.as_bytes()).map(|at| at + 1) };
            let Some(first) = first else { return "" };
            let last = memmem::rfind(text.as_bytes(), mark.as_bytes()).map_or(first, |at| at + 1);
            let end = text.get(last..).and_then(|rest| rest.find('\n')).map_or(text.len(), |line| last + line + 1);
            text.get(first..end).unwrap_or_default()
        })
    }

    /// The code of each, without its country's, and its names.
    fn lines(&self, country: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text(country).lines().filter_map(|line| {
            let (full, names) = line.split_once('\t')?;
            Some((full.split_once('-')?.1, names))
        })
    }

    /// By its code as it is written, for which no index is needed.
    fn coded(&self, country: &str, code: &str) -> Option<Subdivision> {
        let (code, names) = self.lines(country).find(|(known, _)| known.eq_ignore_ascii_case(code))?;
        Some((code, names.split('|').next().unwrap_or(code)))
    }

    fn named(&self, country: &str) -> &HashMap<String, Subdivision> {
        self.named.get_or_init(|| {
            let mut named = HashMap::new();
            let lines = || self.lines(country);
            let all = || lines().map(|(code, names)| (code, names.split('|').next().unwrap_or(code)));
            // A code wins over another subdivision's name.
            for (code, name) in all() {
                named.insert(folded(code), (code, name));
                named.insert(folded(&format!("{country}-{code}")), (code, name));
            }
            for ((code, name), (_, names)) in all().zip(lines()) {
                for one in names.split('|') {
                    named.entry(folded(one)).or_insert((code, name));
                }
            }
            named
        })
    }

    /// By names without words such as `County`; `None` for one that several subdivisions have then.
    fn bare(&self, country: &str) -> &HashMap<String, Option<Subdivision>> {
        self.bare.get_or_init(|| {
            let mut bare: HashMap<String, Option<Subdivision>> = HashMap::new();
            for (code, names) in self.lines(country) {
                let shown = names.split('|').next().unwrap_or(code);
                for name in names.split('|').filter_map(without_kind) {
                    let one = bare.entry(folded(&name)).or_insert(Some((code, shown)));
                    if one.is_some_and(|(known, _)| known != code) {
                        *one = None;
                    }
                }
            }
            bare
        })
    }
}

/// What subdivisions are called in addresses, beside their names.
const KINDS: &[&str] = &[
    "co",
    "county",
    "contae",
    "province",
    "prov",
    "provincia",
    "provincie",
    "provins",
    "state",
    "estado",
    "etat",
    "region",
    "regione",
    "regiao",
    "prefecture",
    "pref",
    "ken",
    "fu",
    "to",
    "do",
    "si",
    "district",
    "distrikt",
    "department",
    "departamento",
    "departement",
    "dept",
    "dep",
    "oblast",
    "oblasti",
    "obl",
    "kraj",
    "krai",
    "kray",
    "okrug",
    "republic",
    "respublika",
    "canton",
    "kanton",
    "cantone",
    "comunidad",
    "comunitat",
    "autonomous",
    "community",
    "governorate",
    "municipality",
    "municipio",
    "emirate",
    "parish",
    "zupanija",
    "judet",
    "judetul",
    "megye",
    "maakunta",
    "lan",
    "fylke",
    "wojewodztwo",
    "voivodeship",
    "woj",
    "territory",
    "sheng",
    "shi",
    "il",
    "ili",
    "lansi",
    "vilayet",
    "apskritis",
    "maakond",
    "free",
];

/// Words that only tie a kind to its name: `Province of Madrid`, `Estado de México`.
const TIES: &[&str] = &["of", "de", "di", "do", "da", "del", "della", "dell", "des", "du", "d", "la", "le", "the"];

/// The name without the words that tell what it is; `None` where nothing else is left, or no name is needed to be cut.
fn without_kind(name: &str) -> Option<String> {
    if name.len() > 200 {
        return None;
    }
    let plain = ascii(name);
    let plain = if plain.trim().is_empty() { name } else { &plain };
    let lower = plain.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let kind = |word: &&str| KINDS.contains(word);
    let first = words.iter().position(|word| !kind(word))?;
    let last = words.iter().rposition(|word| !kind(word))?;
    let mut kept = words.get(first..=last)?;
    if first > 0 {
        while let [tie, rest @ ..] = kept
            && TIES.contains(tie)
            && !rest.is_empty()
        {
            kept = rest;
        }
    }
    Some(kept.join(" "))
}

/// The country of a code or a name, in any case, with or without accents and dots.
pub(super) fn country(text: &str) -> Option<&'static Country> {
    COUNTRIES.get(place(text)?)
}

fn place(text: &str) -> Option<usize> {
    let code = match text.as_bytes() {
        // They stand in the order of these codes.
        [a, b] => {
            let upper = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
            COUNTRIES.binary_search_by(|country| country.alpha2.as_bytes().cmp(&upper)).ok()
        }
        [_, _, _] => COUNTRIES.iter().position(|country| country.alpha3.eq_ignore_ascii_case(text) || country.numeric == text),
        _ => None,
    };
    code.or_else(|| NAMED.get(&folded(&without_article(text))).copied())
}

/// "The Netherlands", "Bahamas (the)", as ISO lists them: without the article.
fn without_article(name: &str) -> String {
    let word = |word: &&str| !word.trim_matches(['(', ')', ',']).eq_ignore_ascii_case("the");
    name.split(' ').filter(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn code_of(text: &str) -> Option<&'static str> {
    country(text).map(|country| country.alpha2)
}

/// The code and the English name of a state, province or region of a country.
pub(super) fn subdivision(text: &str, country: &str) -> Option<Subdivision> {
    let place = place(country)?;
    let (country, of) = (COUNTRIES.get(place)?.alpha2, SUBDIVISIONS.get(place)?);
    let named = |text: &str| of.coded(country, text).or_else(|| of.named(country).get(&folded(text)).copied());
    named(text).or_else(|| {
        // "County Kerry", "Osaka Prefecture", "Provincia di Padova": the name without what it is.
        let bare = without_kind(text)?;
        of.named(country).get(&folded(&bare)).copied().filter(|_| bare.len() > 3).or_else(|| of.bare(country).get(&folded(&bare)).copied().flatten())
    })
}

/// A name as it is compared: small letters without accents, dots and spacing. Scripts without
/// plain letters stay as they are.
fn folded(text: &str) -> String {
    let text = text.trim();
    // No name is longer.
    let text = if text.len() > 200 { "" } else { text };
    let plain = ascii(text);
    let plain = if plain.contains(|c: char| c.is_ascii_alphanumeric()) { &plain } else { text };
    let lower = plain.to_lowercase();
    let words: String = lower
        .replace('&', " and ")
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "st" | "st'" => "saint".to_owned(),
            word => word.replace('\'', ""),
        })
        .collect();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_countries_are_there_by_all_their_codes() {
        // The 249 of ISO 3166-1, and Kosovo.
        assert_eq!(COUNTRIES.len(), 250);
        for country in &*COUNTRIES {
            for name in [country.alpha2, country.alpha3, country.numeric, country.name] {
                assert_eq!(code_of(name), Some(country.alpha2), "{name}");
            }
        }
    }

    #[test]
    fn the_lines_of_a_country_stand_together() {
        assert!(COUNTRIES.len() <= SUBDIVISIONS.len());
        let of = |(country, of): (&Country, &'static Subdivisions)| {
            assert!(of.text(country.alpha2).lines().all(|line| line.starts_with(country.alpha2)), "{}", country.alpha2);
            of.lines(country.alpha2).count()
        };
        assert_eq!(COUNTRIES.iter().zip(&SUBDIVISIONS).map(of).sum::<usize>(), SUBDIVISIONS_TEXT.lines().count());
    }

    /// What is found without the index is what the index has.
    #[test]
    fn a_code_is_the_same_subdivision_by_both_ways() {
        for (country, of) in COUNTRIES.iter().zip(&SUBDIVISIONS) {
            for (code, _) in of.lines(country.alpha2) {
                for code in [code.to_owned(), code.to_lowercase()] {
                    let indexed = of.named(country.alpha2).get(&folded(&code)).copied();
                    assert_eq!(of.coded(country.alpha2, &code), indexed, "{} {code}", country.alpha2);
                }
            }
        }
    }

    #[test]
    fn countries_by_the_names_that_systems_send() {
        for (name, code) in [
            ("usa", "US"),
            ("U.S.A.", "US"),
            ("UK", "GB"),
            ("england", "GB"),
            ("Deutschland", "DE"),
            ("Cote d'Ivoire", "CI"),
            ("Côte d’Ivoire", "CI"),
            ("Viet Nam", "VN"),
            ("St. Lucia", "LC"),
            ("Bosnia & Herzegovina", "BA"),
            ("日本", "JP"),
            ("Österreich", "AT"),
            ("Kosovo", "XK"),
            ("XKK", "XK"),
            ("Bolivia (Plurinational State of)", "BO"),
            ("Plurinational State of Bolivia", "BO"),
            ("Korea, Republic of", "KR"),
            ("Republic of Korea", "KR"),
            ("Korea (the Democratic People's Republic of)", "KP"),
            ("Congo, The Democratic Republic of the", "CD"),
            ("the United Kingdom of Great Britain and Northern Ireland", "GB"),
            ("Federal Republic of Germany", "DE"),
            ("Russian Federation", "RU"),
            ("The Netherlands", "NL"),
        ] {
            assert_eq!(code_of(name), Some(code), "{name}");
        }
        assert_eq!(code_of("Atlantis"), None);
        assert_eq!(code_of(""), None);
    }

    #[test]
    fn states_by_the_names_that_marketplaces_send() {
        for (name, country, code) in [
            ("Calif.", "US", "CA"),
            ("CA ", "USA", "CA"),
            ("california", "United States", "CA"),
            ("US-CA", "US", "CA"),
            ("N.Y.", "US", "NY"),
            ("NSW", "AU", "NSW"),
            ("New South Wales", "Australia", "NSW"),
            ("Québec", "CA", "QC"),
            ("Quebec", "CA", "QC"),
            ("Bayern", "DE", "BY"),
            ("Bavaria", "DE", "BY"),
            ("Puerto Rico", "US", "PR"),
            ("AE", "US", "AE"),
            // Withdrawn codes and names lead to what holds the area now.
            ("Mexico City", "MX", "CMX"),
            ("Distrito Federal", "MX", "CMX"),
            ("DIF", "MX", "CMX"),
            ("Telangana", "IN", "TS"),
            ("CT", "IN", "CG"),
            ("UT", "IN", "UK"),
            ("TG", "IN", "TS"),
            ("IN-TG", "IN", "TS"),
            ("Buenos Aires", "AR", "B"),
            ("CABA", "AR", "C"),
            // A province and a community share the name: an address names the province.
            ("Madrid", "ES", "M"),
            ("Comunidad de Madrid", "ES", "MD"),
            ("Provincia de Madrid", "ES", "M"),
            ("Vizcaya", "ES", "BI"),
            ("Baleares", "ES", "PM"),
            ("Co. Cork", "IE", "CO"),
            ("County Kerry", "IE", "KY"),
            ("Co Mayo", "Ireland", "MO"),
            ("County Down", "GB", "NIR"),
            ("DOW", "GB", "NMD"),
            ("大阪府", "JP", "27"),
            ("東京都", "JP", "13"),
            ("Osaka Prefecture", "JP", "27"),
            ("Hokkaido", "JP", "01"),
            ("México", "MX", "MEX"),
            ("Estado de México", "MX", "MEX"),
            ("Inner Mongolia", "CN", "NM"),
            ("Guangdong Province", "CN", "GD"),
            ("Padova", "IT", "PD"),
            ("Provincia di Padova", "IT", "PD"),
            ("Trento", "IT", "TN"),
            ("Thessaloniki", "GR", "B"),
            ("Ｃａｌｉｆｏｒｎｉａ", "US", "CA"),
        ] {
            assert_eq!(subdivision(name, country).map(|(code, _)| code), Some(code), "{name}");
        }
        assert_eq!(subdivision("Calif.", "GB"), None);
        assert_eq!(subdivision("County", "IE"), None);
        assert_eq!(subdivision("State of", "US"), None);
        assert_eq!(subdivision("IDF", "FR"), Some(("IDF", "Île-de-France")));
        assert_eq!(subdivision("801", "MK"), Some(("801", "Aerodrom")));
        assert_eq!(subdivision("", "US"), None);
    }
}
