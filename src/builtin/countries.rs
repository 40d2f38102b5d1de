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
            named.entry(folded(name)).or_insert(at);
        }
    }
    named
});

/// A state, province or region: its code (`CA` of `US-CA`) and its English name.
type Subdivision = (&'static str, &'static str);

/// The subdivisions of one country: each part is made when it is first asked for.
struct Subdivisions {
    /// Its lines of the file.
    text: OnceLock<&'static str>,
    named: OnceLock<HashMap<String, Subdivision>>,
}

const SUBDIVISIONS_TEXT: &str = include_str!("data/subdivisions.tsv");

/// In the order of [`COUNTRIES`], with room for those to come.
static SUBDIVISIONS: [Subdivisions; 300] = [const { Subdivisions { text: OnceLock::new(), named: OnceLock::new() } }; 300];

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
            for (_, code, spellings) in ABBREVIATIONS.iter().filter(|(of, ..)| *of == country) {
                let Some(one) = named.get(&folded(code)).copied() else { continue };
                for spelling in *spellings {
                    named.entry(folded(spelling)).or_insert(one);
                }
            }
            named
        })
    }
}

/// How people abbreviate: the traditional state abbreviations of the United States, and their
/// like in Canada, Australia, Mexico and Great Britain; and names in the country's own language
/// where the English one differs.
static ABBREVIATIONS: &[(&str, &str, &[&str])] = &[
    ("US", "AL", &["Ala"]),
    ("US", "AK", &["Alas"]),
    ("US", "AZ", &["Ariz"]),
    ("US", "AR", &["Ark"]),
    ("US", "CA", &["Calif", "Cal"]),
    ("US", "CO", &["Colo"]),
    ("US", "CT", &["Conn"]),
    ("US", "DE", &["Del"]),
    ("US", "DC", &["Washington DC", "D of C"]),
    ("US", "FL", &["Fla", "Flor"]),
    ("US", "GA", &["Geo"]),
    ("US", "HI", &["Haw"]),
    ("US", "ID", &["Ida"]),
    ("US", "IL", &["Ill", "Ills"]),
    ("US", "IN", &["Ind"]),
    ("US", "KS", &["Kans", "Kan"]),
    ("US", "KY", &["Ken", "Kent"]),
    ("US", "MA", &["Mass"]),
    ("US", "MD", &["Md"]),
    ("US", "MI", &["Mich"]),
    ("US", "MN", &["Minn"]),
    ("US", "MS", &["Miss"]),
    ("US", "MT", &["Mont"]),
    ("US", "NE", &["Neb", "Nebr"]),
    ("US", "NV", &["Nev"]),
    ("US", "NH", &["N Hamp"]),
    ("US", "NJ", &["N Jersey"]),
    ("US", "NM", &["N Mex", "New Mex"]),
    ("US", "NY", &["N York"]),
    ("US", "NC", &["N Car", "North Car"]),
    ("US", "ND", &["N Dak", "No Dak"]),
    ("US", "OK", &["Okla"]),
    ("US", "OR", &["Ore", "Oreg"]),
    ("US", "PA", &["Penn", "Penna"]),
    ("US", "RI", &["R Isl"]),
    ("US", "SC", &["S Car", "South Car"]),
    ("US", "SD", &["S Dak", "So Dak"]),
    ("US", "TN", &["Tenn"]),
    ("US", "TX", &["Tex"]),
    ("US", "VA", &["Virg"]),
    ("US", "WA", &["Wash", "Washington State"]),
    ("US", "WV", &["W Va", "West Va"]),
    ("US", "WI", &["Wis", "Wisc"]),
    ("US", "WY", &["Wyo"]),
    ("CA", "AB", &["Alta"]),
    ("CA", "MB", &["Man"]),
    ("CA", "NL", &["Newfoundland", "Labrador", "Nfld", "NF"]),
    ("CA", "NT", &["NWT"]),
    ("CA", "ON", &["Ont"]),
    ("CA", "PE", &["PEI"]),
    ("CA", "QC", &["Que", "PQ"]),
    ("CA", "SK", &["Sask"]),
    ("CA", "YT", &["Yukon Territory", "YK"]),
    ("AU", "QLD", &["Qld"]),
    ("AU", "TAS", &["Tas"]),
    ("AU", "VIC", &["Vic"]),
    ("MX", "CMX", &["CDMX", "DF", "Distrito Federal", "Mexico DF", "Mexico City"]),
    ("MX", "MEX", &["Edo Mex", "Estado de Mexico", "Edomex"]),
    ("MX", "NLE", &["NL", "N L"]),
    ("GB", "NIR", &["N Ireland", "NI"]),
    ("DE", "BY", &["Bayern", "Freistaat Bayern"]),
    ("DE", "HE", &["Hessen"]),
    ("DE", "MV", &["Mecklenburg-Vorpommern"]),
    ("DE", "NI", &["Niedersachsen"]),
    ("DE", "NW", &["Nordrhein-Westfalen", "NRW"]),
    ("DE", "RP", &["Rheinland-Pfalz"]),
    ("DE", "SN", &["Sachsen"]),
    ("DE", "ST", &["Sachsen-Anhalt"]),
    ("DE", "TH", &["Thüringen"]),
    ("AT", "2", &["Kärnten"]),
    ("AT", "3", &["Niederösterreich"]),
    ("AT", "4", &["Oberösterreich"]),
    ("AT", "6", &["Steiermark"]),
    ("AT", "7", &["Tirol"]),
    ("AT", "9", &["Wien"]),
    ("CH", "BE", &["Bern", "Berne"]),
    ("CH", "GE", &["Genève", "Genf"]),
    ("CH", "LU", &["Luzern"]),
    ("CH", "SG", &["St Gallen", "Sankt Gallen"]),
    ("CH", "TI", &["Ticino", "Tessin"]),
    ("CH", "VD", &["Vaud", "Waadt"]),
    ("CH", "VS", &["Valais", "Wallis"]),
    ("CH", "ZH", &["Zürich", "Zurich"]),
    ("ES", "AN", &["Andalucía"]),
    ("ES", "B", &["Barcelona"]),
    ("ES", "CT", &["Cataluña", "Catalunya"]),
    ("ES", "IB", &["Islas Baleares", "Illes Balears"]),
    ("ES", "PV", &["País Vasco", "Euskadi"]),
    ("ES", "VC", &["Comunidad Valenciana", "Comunitat Valenciana"]),
    ("ES", "SE", &["Sevilla"]),
    ("IT", "FI", &["Firenze"]),
    ("IT", "GE", &["Genova"]),
    ("IT", "MI", &["Milano"]),
    ("IT", "NA", &["Napoli"]),
    ("IT", "RM", &["Roma"]),
    ("IT", "TO", &["Torino"]),
    ("IT", "VE", &["Venezia"]),
    ("NL", "NB", &["Noord-Brabant"]),
    ("NL", "NH", &["Noord-Holland"]),
    ("NL", "ZH", &["Zuid-Holland"]),
    ("BR", "SP", &["São Paulo"]),
    ("JP", "13", &["Tokyo-to", "東京都"]),
];

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
    code.or_else(|| NAMED.get(&folded(text)).copied())
}

pub(super) fn code_of(text: &str) -> Option<&'static str> {
    country(text).map(|country| country.alpha2)
}

/// The code and the English name of a state, province or region of a country.
pub(super) fn subdivision(text: &str, country: &str) -> Option<Subdivision> {
    let place = place(country)?;
    let (country, of) = (COUNTRIES.get(place)?.alpha2, SUBDIVISIONS.get(place)?);
    of.coded(country, text).or_else(|| of.named(country).get(&folded(text)).copied())
}

/// A name as it is compared: small letters without accents, dots and spacing. Scripts without
/// plain letters stay as they are.
fn folded(text: &str) -> String {
    let text = text.trim();
    // No name is longer.
    let text = if text.len() > 200 { "" } else { text };
    let plain = ascii(text);
    let plain = if plain.trim().is_empty() { text } else { &plain };
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
        assert_eq!(COUNTRIES.len(), 249);
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
        ] {
            assert_eq!(subdivision(name, country).map(|(code, _)| code), Some(code), "{name}");
        }
        assert_eq!(subdivision("Calif.", "GB"), None);
        assert_eq!(subdivision("", "US"), None);
    }
}
