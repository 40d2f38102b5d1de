//! Countries and their subdivisions by any of the names that systems send.
//!
//! Names and codes are ISO 3166-1 and -2 as Unicode CLDR has them (see `data/README.md`).

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use super::text::ascii;

pub(super) struct Country {
    pub(super) alpha2: &'static str,
    pub(super) alpha3: &'static str,
    pub(super) numeric: &'static str,
    /// In English.
    pub(super) name: &'static str,
}

struct Countries {
    all: Vec<Country>,
    /// By every code and name, folded.
    named: HashMap<String, usize>,
}

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| {
    let mut all = Vec::new();
    let mut named = HashMap::new();
    let mut others = Vec::new();
    for line in include_str!("data/countries.tsv").lines() {
        let mut cells = line.split('\t');
        let (Some(alpha2), Some(alpha3), Some(numeric), Some(names)) = (cells.next(), cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        for code in [alpha2, alpha3, numeric] {
            named.insert(folded(code), all.len());
        }
        others.push(names);
        all.push(Country { alpha2, alpha3, numeric, name: names.split('|').next().unwrap_or(alpha2) });
    }
    // A code wins over another country's name.
    for (at, names) in others.into_iter().enumerate() {
        for name in names.split('|') {
            named.entry(folded(name)).or_insert(at);
        }
    }
    Countries { all, named }
});

/// A state, province or region: its code (`CA` of `US-CA`) and its English name.
type Subdivision = (&'static str, &'static str);

/// The subdivisions of one country; its index is made when it is first asked for.
struct Subdivisions {
    lines: Vec<(&'static str, &'static str)>,
    named: OnceLock<HashMap<String, Subdivision>>,
}

static SUBDIVISIONS: LazyLock<HashMap<&'static str, Subdivisions>> = LazyLock::new(|| {
    let mut all: HashMap<&'static str, Subdivisions> = HashMap::new();
    for line in include_str!("data/subdivisions.tsv").lines() {
        let Some((full, names)) = line.split_once('\t') else { continue };
        let Some((country, code)) = full.split_once('-') else { continue };
        let of = all.entry(country).or_insert_with(|| Subdivisions { lines: Vec::new(), named: OnceLock::new() });
        of.lines.push((code, names));
    }
    all
});

impl Subdivisions {
    fn named(&self, country: &str) -> &HashMap<String, Subdivision> {
        self.named.get_or_init(|| {
            let mut named = HashMap::new();
            let all = || self.lines.iter().map(|(code, names)| (*code, names.split('|').next().unwrap_or(code)));
            // A code wins over another subdivision's name.
            for (code, name) in all() {
                named.insert(folded(code), (code, name));
                named.insert(folded(&format!("{country}-{code}")), (code, name));
            }
            for ((code, name), (_, names)) in all().zip(&self.lines) {
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
    let known = &*COUNTRIES;
    known.named.get(&folded(text)).and_then(|at| known.all.get(*at))
}

pub(super) fn code_of(text: &str) -> Option<&'static str> {
    country(text).map(|country| country.alpha2)
}

/// The code and the English name of a state, province or region of a country.
pub(super) fn subdivision(text: &str, country: &str) -> Option<Subdivision> {
    let country = code_of(country)?;
    SUBDIVISIONS.get(country)?.named(country).get(&folded(text)).copied()
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
        assert_eq!(COUNTRIES.all.len(), 249);
        for country in &COUNTRIES.all {
            for name in [country.alpha2, country.alpha3, country.numeric, country.name] {
                assert_eq!(code_of(name), Some(country.alpha2), "{name}");
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
