//! How postal codes look, country by country, and how they are written.
//!
//! Shapes are after the Universal Postal Union's addressing guides and Google's libaddressinput, whose examples they are held against
//! (`tests/published/postal.tsv`); a country that is not here has no postal codes. `n` is a digit, `a` a letter,
//! `x` either, all else stands as it is. Codes are compared without spaces, hyphens and a country prefix, in
//! capital letters; the first shape is the one in which they are written.

use super::countries;

static SHAPES: &[(&str, &[&str])] = &[
    ("AD", &["ADnnn"]),
    ("AF", &["nnnn"]),
    ("AI", &["AI-2640", "2640"]),
    ("AL", &["nnnn"]),
    ("AM", &["nnnn", "nnnnnn"]),
    ("AR", &["nnnn", "annnnaaa"]),
    ("AS", &["nnnnn", "nnnnn-nnnn"]),
    ("AT", &["nnnn"]),
    ("AU", &["nnnn"]),
    ("AX", &["nnnnn"]),
    ("AZ", &["AZ nnnn", "nnnn"]),
    ("BA", &["nnnnn"]),
    ("BB", &["BBnnnnn"]),
    ("BD", &["nnnn"]),
    ("BE", &["nnnn"]),
    ("BG", &["nnnn"]),
    ("BH", &["nnn", "nnnn"]),
    ("BL", &["nnnnn"]),
    ("BM", &["aa nn", "aa aa"]),
    ("BN", &["aannnn"]),
    ("BR", &["nnnnn-nnn"]),
    ("BT", &["nnnnn"]),
    ("BY", &["nnnnnn"]),
    ("CA", &["ana nan"]),
    ("CC", &["nnnn"]),
    ("CH", &["nnnn"]),
    ("CL", &["nnnnnnn"]),
    ("CN", &["nnnnnn"]),
    ("CO", &["nnnnnn"]),
    ("CR", &["nnnnn", "nnnn"]),
    ("CU", &["nnnnn"]),
    ("CV", &["nnnn"]),
    ("CX", &["nnnn"]),
    ("CY", &["nnnn"]),
    ("CZ", &["nnn nn"]),
    ("DE", &["nnnnn"]),
    ("DK", &["nnnn"]),
    ("DO", &["nnnnn"]),
    ("DZ", &["nnnnn"]),
    ("EC", &["nnnnnn"]),
    ("EE", &["nnnnn"]),
    ("EG", &["nnnnn", "nnnnnnn"]),
    ("EH", &["nnnnn"]),
    ("ES", &["nnnnn"]),
    ("ET", &["nnnn"]),
    ("FI", &["nnnnn"]),
    ("FK", &["FIQQ 1ZZ"]),
    ("FM", &["nnnnn", "nnnnn-nnnn"]),
    ("FO", &["nnn"]),
    ("FR", &["nnnnn"]),
    ("GB", &["an naa", "ann naa", "aan naa", "aann naa", "ana naa", "aana naa", "GIR 0AA", "BFPO n", "BFPO nn", "BFPO nnn", "BFPO nnnn"]),
    ("GE", &["nnnn"]),
    ("GF", &["nnnnn"]),
    ("GG", &["aan naa", "aann naa"]),
    ("GI", &["GXnn naa"]),
    ("GL", &["nnnn"]),
    ("GN", &["nnn"]),
    ("GP", &["nnnnn"]),
    ("GR", &["nnn nn"]),
    ("GS", &["SIQQ 1ZZ"]),
    ("GT", &["nnnnn"]),
    ("GU", &["nnnnn", "nnnnn-nnnn"]),
    ("GW", &["nnnn"]),
    ("HM", &["nnnn"]),
    ("HN", &["nnnnn"]),
    ("HR", &["nnnnn"]),
    ("HT", &["nnnn"]),
    ("HU", &["nnnn"]),
    ("ID", &["nnnnn"]),
    ("IE", &["ann xxxx", "D6W xxxx"]),
    ("IL", &["nnnnnnn", "nnnnn"]),
    ("IM", &["aan naa", "aann naa"]),
    ("IN", &["nnnnnn"]),
    ("IO", &["BBND 1ZZ"]),
    ("IQ", &["nnnnn"]),
    ("IR", &["nnnnn-nnnnn"]),
    ("IS", &["nnn"]),
    ("IT", &["nnnnn"]),
    ("JE", &["aan naa", "aann naa"]),
    ("JO", &["nnnnn"]),
    ("JP", &["nnn-nnnn"]),
    ("KE", &["nnnnn"]),
    ("KG", &["nnnnnn"]),
    ("KH", &["nnnnnn", "nnnnn"]),
    ("KR", &["nnnnn"]),
    ("KW", &["nnnnn"]),
    ("KY", &["KYn-nnnn"]),
    ("KZ", &["nnnnnn", "annanan"]),
    ("LA", &["nnnnn"]),
    ("LB", &["nnnn", "nnnn nnnn"]),
    ("LC", &["LCnn nnn"]),
    ("LI", &["nnnn"]),
    ("LK", &["nnnnn"]),
    ("LR", &["nnnn"]),
    ("LS", &["nnn"]),
    ("LT", &["nnnnn"]),
    ("LU", &["nnnn"]),
    ("LV", &["LV-nnnn", "nnnn"]),
    ("MA", &["nnnnn"]),
    ("MC", &["nnnnn"]),
    ("MD", &["nnnn"]),
    ("ME", &["nnnnn"]),
    ("MF", &["nnnnn"]),
    ("MG", &["nnn"]),
    ("MH", &["nnnnn", "nnnnn-nnnn"]),
    ("MK", &["nnnn"]),
    ("MM", &["nnnnn"]),
    ("MN", &["nnnnn", "nnnnnn"]),
    ("MP", &["nnnnn", "nnnnn-nnnn"]),
    ("MQ", &["nnnnn"]),
    ("MS", &["MSR nnnn"]),
    ("MT", &["aaa nnnn", "aaa nn"]),
    ("MU", &["nnnnn"]),
    ("MV", &["nnnnn"]),
    ("MX", &["nnnnn"]),
    ("MY", &["nnnnn"]),
    ("MZ", &["nnnn"]),
    ("NA", &["nnnnn"]),
    ("NC", &["nnnnn"]),
    ("NE", &["nnnn"]),
    ("NF", &["nnnn"]),
    ("NG", &["nnnnnn"]),
    ("NI", &["nnnnn"]),
    ("NL", &["nnnn aa"]),
    ("NO", &["nnnn"]),
    ("NP", &["nnnnn"]),
    ("NZ", &["nnnn"]),
    ("OM", &["nnn"]),
    ("PE", &["nnnnn", "LIMA n", "LIMA nn", "CALLAO n", "CALLAO nn"]),
    ("PF", &["nnnnn"]),
    ("PG", &["nnn"]),
    ("PH", &["nnnn"]),
    ("PK", &["nnnnn"]),
    ("PL", &["nn-nnn"]),
    ("PM", &["nnnnn"]),
    ("PN", &["PCRN 1ZZ"]),
    ("PR", &["nnnnn", "nnnnn-nnnn"]),
    ("PT", &["nnnn-nnn"]),
    ("PW", &["nnnnn", "nnnnn-nnnn"]),
    ("PY", &["nnnn", "nnnnnn"]),
    ("RE", &["nnnnn"]),
    ("RO", &["nnnnnn"]),
    ("RS", &["nnnnn", "nnnnnn"]),
    ("RU", &["nnnnnn"]),
    ("SA", &["nnnnn", "nnnnn-nnnn"]),
    ("SD", &["nnnnn"]),
    ("SE", &["nnn nn"]),
    ("SG", &["nnnnnn"]),
    ("SH", &["STHL 1ZZ", "ASCN 1ZZ", "TDCU 1ZZ"]),
    ("SI", &["nnnn"]),
    ("SJ", &["nnnn"]),
    ("SK", &["nnn nn"]),
    ("SM", &["nnnnn"]),
    ("SN", &["nnnnn"]),
    ("SO", &["aa nnnnn"]),
    ("SV", &["CP nnnn", "nnnn"]),
    ("SZ", &["annn"]),
    ("TC", &["TKCA 1ZZ"]),
    ("TH", &["nnnnn"]),
    ("TJ", &["nnnnnn"]),
    ("TM", &["nnnnnn"]),
    ("TN", &["nnnn"]),
    ("TR", &["nnnnn"]),
    ("TW", &["nnnnnn", "nnn", "nnnnn"]),
    ("TZ", &["nnnnn", "nnnn"]),
    ("UA", &["nnnnn"]),
    ("UM", &["nnnnn"]),
    ("US", &["nnnnn", "nnnnn-nnnn"]),
    ("UY", &["nnnnn"]),
    ("UZ", &["nnnnnn"]),
    ("VA", &["nnnnn"]),
    ("VC", &["VCnnnn"]),
    ("VE", &["nnnn"]),
    ("VG", &["VGnnnn"]),
    ("VI", &["nnnnn", "nnnnn-nnnn"]),
    ("VN", &["nnnnn", "nnnnnn"]),
    ("WF", &["nnnnn"]),
    ("XK", &["nnnnn"]),
    ("YT", &["nnnnn"]),
    ("ZA", &["nnnn"]),
    ("ZM", &["nnnnn"]),
];

/// Whether a country has postal codes; `None` for a country that is not known.
pub(super) fn has(country: &str) -> Option<bool> {
    countries::code_of(country).map(|code| shapes(code).is_some())
}

/// Whether an address of a country has to have a postal code; `None` for a country that is not known. In Ireland, posts deliver
/// without one.
pub(super) fn needed(country: &str) -> Option<bool> {
    countries::code_of(country).map(|code| code != "IE" && shapes(code).is_some())
}

/// Whether a code has a shape of the country's; `None` for a country without a known shape, or
/// one that is not known.
pub(super) fn fits(code: &str, country: &str) -> Option<bool> {
    let country = countries::code_of(country)?;
    let shapes = shapes(country)?;
    Some(shaped(code, country, shapes).is_some())
}

/// The code as the country writes it; `None` where it has none of its shapes.
pub(super) fn written(code: &str, country: &str) -> Option<String> {
    let country = countries::code_of(country)?;
    match shapes(country) {
        Some(shapes) => shaped(code, country, shapes),
        None => Some(code.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn shapes(country: &str) -> Option<&'static [&'static str]> {
    let at = SHAPES.binary_search_by_key(&country, |(country, _)| country).ok()?;
    SHAPES.get(at).map(|(_, shapes)| *shapes)
}

fn shaped(code: &str, country: &str, shapes: &[&str]) -> Option<String> {
    // Longer than any code there is.
    if code.len() > 32 {
        return None;
    }
    let plain: String = code.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.')).flat_map(char::to_uppercase).collect();
    // Letter writers put the country before the code: `DE-10115`, `D-10115`.
    let sign = match country {
        "AT" => "A",
        "BE" => "B",
        "DE" => "D",
        "ES" => "E",
        "FR" => "F",
        "HU" => "H",
        "IT" => "I",
        "LU" => "L",
        "NO" => "N",
        "PT" => "P",
        "SE" => "S",
        "FI" => "FIN",
        _ => country,
    };
    [Some(plain.as_str()), plain.strip_prefix(country), plain.strip_prefix(sign)]
        .into_iter()
        .flatten()
        .find_map(|code| shapes.iter().find_map(|shape| fill(shape, code)))
}

/// The plain code in the spacing of a shape.
fn fill(shape: &str, plain: &str) -> Option<String> {
    let mut rest = plain.chars();
    let mut out = String::with_capacity(shape.len());
    for place in shape.chars() {
        if matches!(place, ' ' | '-') {
            out.push(place);
            continue;
        }
        let c = rest.next()?;
        let fits = match place {
            'n' => c.is_ascii_digit(),
            'a' => c.is_ascii_uppercase(),
            'x' => c.is_ascii_alphanumeric(),
            other => c == other,
        };
        if !fits {
            return None;
        }
        out.push(c);
    }
    rest.next().is_none().then_some(out)
}
