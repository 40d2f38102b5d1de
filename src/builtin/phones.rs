//! Telephone numbers in E.164 and as they are dialed at home.
//!
//! Calling codes, prefixes, patterns of valid numbers and national forms are Google's libphonenumber's, in `data/phones.tsv` (see
//! `data/README.md`), read as its documentation tells: `parse`, `isValidNumber`, `format`. One territory's patterns are compiled when it is
//! first asked for.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

use super::countries;

/// What is known of one territory's numbers, and the patterns that were needed so far.
struct Territory {
    /// Its ISO code; `001` for numbers that belong to no country (`+800 ...`).
    region: &'static str,
    calling: &'static str,
    /// The first of those that share a calling code: its national forms hold for all of them.
    main: bool,
    /// What is dialed before a calling code (`00`, `011`), a pattern.
    exit: &'static str,
    /// What is dialed before a national number at home, and left out from abroad, a pattern; and what replaces it, where it is not left out.
    trunk: &'static str,
    rewritten: &'static str,
    /// The first digits by which numbers of a shared calling code belong here.
    leading: &'static str,
    general: &'static str,
    /// The patterns of valid numbers and the national forms, a line each.
    lines: &'static str,
    compiled: OnceLock<Option<Patterns>>,
}

struct Patterns {
    exit: Option<Regex>,
    trunk: Option<Regex>,
    leading: Option<Regex>,
    general: Regex,
    valid: Regex,
}

const TEXT: &str = include_str!("data/phones.tsv");

static TERRITORIES: LazyLock<Vec<Territory>> = LazyLock::new(|| {
    let mut found = Vec::new();
    let mut rest = TEXT;
    while !rest.is_empty() {
        let (head, after) = rest.split_once('\n').unwrap_or((rest, ""));
        // The lines that begin with a tab belong to the territory above them.
        let mut end = 0;
        while after.get(end..).is_some_and(|lines| lines.starts_with('\t')) {
            end = after.get(end..).and_then(|lines| lines.find('\n')).map_or(after.len(), |line| end + line + 1);
        }
        let (lines, next) = after.split_at(end);
        rest = next;
        let cells: Vec<&'static str> = head.split('\t').collect();
        if let [region, calling, main, exit, trunk, rewritten, leading, general] = *cells.as_slice() {
            let main = !main.is_empty();
            found.push(Territory { region, calling, main, exit, trunk, rewritten, leading, general, lines, compiled: OnceLock::new() });
        }
    }
    found
});

fn pattern(text: &str, whole: bool) -> Option<Regex> {
    let text = if whole { format!("^(?:{text})$") } else { format!("^(?:{text})") };
    RegexBuilder::new(&text).unicode(false).build().ok()
}

impl Territory {
    fn patterns(&self) -> Option<&Patterns> {
        let make = || {
            let prefix = |text: &str| if text.is_empty() { None } else { pattern(text, false) };
            let valid: Vec<&str> = self.lines.lines().filter_map(|line| line.strip_prefix("\tis\t")).collect();
            Some(Patterns {
                exit: prefix(self.exit),
                trunk: prefix(self.trunk),
                leading: prefix(self.leading),
                general: pattern(self.general, true)?,
                valid: pattern(&valid.join("|"), true)?,
            })
        };
        self.compiled.get_or_init(make).as_ref()
    }

    /// Whether it has such a number.
    fn has(&self, national: &str) -> bool {
        self.patterns().is_some_and(|of| of.general.is_match(national) && of.valid.is_match(national))
    }

    /// The number without what is dialed before it at home.
    fn without_trunk(&self, number: &str) -> String {
        let Some(of) = self.patterns() else { return number.to_owned() };
        let Some(found) = of.trunk.as_ref().and_then(|trunk| trunk.captures(number)) else { return number.to_owned() };
        let end = found.get(0).map_or(0, |all| all.end());
        let kept = number.get(end..).unwrap_or_default();
        let last = found.iter().skip(1).last().flatten();
        let stripped = if self.rewritten.is_empty() || last.is_none() {
            kept.to_owned()
        } else {
            let mut made = String::new();
            found.expand(self.rewritten, &mut made);
            made + kept
        };
        // What is a number as it stands has no prefix.
        if of.general.is_match(number) && !of.general.is_match(&stripped) { number.to_owned() } else { stripped }
    }
}

/// All territories with a calling code.
fn sharing(calling: &str) -> impl Iterator<Item = &'static Territory> {
    TERRITORIES.iter().filter(move |territory| territory.calling == calling)
}

fn main_of(calling: &str) -> Option<&'static Territory> {
    sharing(calling).find(|territory| territory.main).or_else(|| sharing(calling).next())
}

/// The digits behind the calling code, and the code; `None` for a code that nobody has.
fn split_calling(digits: &str) -> Option<(&'static str, &str)> {
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((main_of(code)?.calling, national))
    })
}

/// A number in E.164 (`+442079460018`), as it would be dialed in a country; `None` where it is no number of any territory.
pub(super) fn e164(number: &str, country: &str) -> Option<String> {
    let (calling, national) = parsed(number, country)?;
    Some(format!("+{calling}{national}"))
}

/// A number as it is dialed within its own country, digits only.
pub(super) fn national(number: &str, country: &str) -> Option<String> {
    let (calling, national) = parsed(number, country)?;
    let main = main_of(calling)?;
    for line in main.lines.lines() {
        let Some(cells) = line.strip_prefix("\tform\t") else { continue };
        let mut cells = cells.split('\t');
        let (Some(leading), Some(shape), Some(template)) = (cells.next(), cells.next(), cells.next()) else { continue };
        if !leading.is_empty() && !pattern(leading, false).is_some_and(|leading| leading.is_match(&national)) {
            continue;
        }
        if let Some(found) = pattern(shape, true).and_then(|shape| shape.captures(&national).map(|found| filled(template, &found))) {
            return Some(found);
        }
    }
    Some(national)
}

/// `0$1$2` with the groups in their places: each `$` has one digit behind it.
fn filled(template: &str, groups: &regex::Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = template.chars();
    while let Some(c) = rest.next() {
        match c {
            '$' => {
                let group = rest.next().and_then(|digit| digit.to_digit(10)).and_then(|group| groups.get(group as usize));
                out.push_str(group.map_or("", |group| group.as_str()));
            }
            c => out.push(c),
        }
    }
    out
}

/// The first of the digits of each script of Unicode; the other nine follow it.
const ZEROS: &[char] = &[
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}',
    '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}', '\u{ff10}',
];

fn digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

/// What stands between digits, is not seen, or tells where a number begins.
fn separates(c: char) -> bool {
    matches!(
        c,
        ' ' | '-' | '.' | '(' | ')' | '/' | '[' | ']' | '~' | '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{2015}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{2069}'
        | '\u{2212}' | '\u{3000}' | '\u{30fc}' | '\u{feff}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3b}' | '\u{ff3d}' | '\u{ff5e}'
    )
}

/// The calling code and the national number.
fn parsed(number: &str, country: &str) -> Option<(&'static str, String)> {
    if number.len() > 128 {
        return None;
    }
    let number = without_extension(number);
    let mut digits = String::with_capacity(number.len());
    let mut international = false;
    let trimmed = number.trim().strip_prefix("tel:").unwrap_or(number.trim());
    for c in trimmed.chars() {
        match digit(c) {
            Some(digit) => digits.push(digit),
            None if matches!(c, '+' | '\u{ff0b}') && digits.is_empty() => international = true,
            None if separates(c) => {}
            None => return None,
        }
    }
    // Longer than any number with what is dialed before it.
    if digits.len() > 25 {
        return None;
    }
    let home = countries::code_of(country).and_then(|code| TERRITORIES.iter().find(|territory| territory.region == code));
    if international {
        // "+44 (0)20 7946 0018": the bracketed prefix is for those who dial at home.
        let bracketed = ["(0)", "[0]"].iter().any(|mark| trimmed.contains(mark));
        return abroad(&digits, home, bracketed);
    }
    let home = home?;
    let exit = home.patterns()?.exit.as_ref().and_then(|exit| exit.find(&digits)).map(|found| found.end());
    if let Some(rest) = exit.and_then(|end| digits.get(end..)).filter(|rest| !rest.starts_with('0'))
        && let Some(found) = abroad(rest, Some(home), false)
    {
        return Some(found);
    }
    let stripped = home.without_trunk(&digits);
    if let Some(found) = [stripped.as_str(), digits.as_str()].into_iter().find(|number| valid(home.calling, number, Some(home))) {
        return Some((home.calling, found.to_owned()));
    }
    // The calling code without a `+`; two zeros are understood everywhere.
    let coded = digits.strip_prefix(home.calling).and_then(|_| abroad(&digits, Some(home), false));
    coded.or_else(|| digits.strip_prefix("00").filter(|rest| !rest.starts_with('0')).and_then(|rest| abroad(rest, Some(home), false)))
}

/// A number that begins with a calling code.
fn abroad(digits: &str, home: Option<&'static Territory>, bracketed: bool) -> Option<(&'static str, String)> {
    let (calling, national) = split_calling(digits)?;
    let main = main_of(calling)?;
    let of = home.filter(|home| home.calling == calling).unwrap_or(main);
    let mut tried = vec![national.to_owned(), of.without_trunk(national)];
    if bracketed {
        tried.extend(national.strip_prefix('0').map(str::to_owned));
    }
    tried.into_iter().find(|national| valid(calling, national, home)).map(|national| (calling, national))
}

/// Whether any territory of a calling code has the number.
fn valid(calling: &str, national: &str, home: Option<&Territory>) -> bool {
    let begins = |of: &Territory| of.patterns().and_then(|of| of.leading.as_ref()).is_none_or(|leading| leading.is_match(national));
    home.filter(|home| home.calling == calling).is_some_and(|home| home.has(national)) || sharing(calling).any(|of| begins(of) && of.has(national))
}

/// Whether two numbers dial the same telephone, however they are written: with a calling code or without, with what is dialed
/// before a number at home, an extension, any separators. Two without a calling code are taken to be of one country.
pub fn same_phone(a: &str, b: &str) -> bool {
    match (dialed(a), dialed(b)) {
        (Some((a, true)), Some((b, true))) | (Some((a, false)), Some((b, false))) => a == b,
        (Some((abroad, true)), Some((home, false))) | (Some((home, false)), Some((abroad, true))) => {
            // North Americans write their calling code without a `+`, too.
            let calling = abroad.strip_suffix(home.as_str());
            abroad == home || calling.is_some_and(|calling| main_of(calling).is_some())
        }
        _ => false,
    }
}

/// What all spellings of a number have in common: its last seven digits. `None` for what is too short to be one.
pub fn phone_key(number: &str) -> Option<String> {
    dialed(number).and_then(|(digits, _)| digits.get(digits.len() - 7..).map(str::to_owned))
}

/// The national digits of a text that is written as a telephone number is: with a `+` or separators, without letters. `None` for any
/// other text, also for plain digits, which may be any number.
pub fn phone_home(text: &str) -> Option<String> {
    let text = text.trim();
    let marks = |c: char| " -().+/\u{a0}".contains(c);
    let count = text.chars().filter(char::is_ascii_digit).count();
    let written = (text.starts_with('+') || text.chars().any(marks)) && text.chars().all(|c| c.is_ascii_digit() || marks(c));
    if !written || !(7..=15).contains(&count) {
        return None;
    }
    home(text)
}

/// The national digits of a number that is a telephone's.
fn home(number: &str) -> Option<String> {
    let (digits, abroad) = dialed(number)?;
    let national = match digits.strip_prefix('1') {
        _ if abroad => split_calling(&digits).map(|(_, national)| national).unwrap_or(&digits),
        // North Americans write their calling code without a `+`, too.
        Some(national) if national.len() == 10 => national,
        _ => &digits,
    };
    (national.len() >= 5).then(|| national.trim_start_matches('0').to_owned())
}

/// Spellings without separators of a text that may be a telephone number: national and international digits. The text itself is not
/// among them; none where it is no number.
pub fn phone_spellings(text: &str) -> Vec<String> {
    let plain = text.trim();
    let Some(national) =
        phone_home(plain).or_else(|| (plain.len() >= 10 && plain.chars().all(|c| c.is_ascii_digit())).then(|| home(plain)).flatten())
    else {
        return Vec::new();
    };
    let (digits, abroad) = dialed(plain).unwrap_or_default();
    let codes: std::collections::BTreeSet<&str> = match split_calling(&digits) {
        Some((code, _)) if abroad => [code].into(),
        _ => TERRITORIES.iter().map(|territory| territory.calling).collect(),
    };
    let mut found = vec![national.clone(), format!("0{national}"), format!("1{national}")];
    for code in codes {
        found.extend([format!("+{code}{national}"), format!("{code}{national}"), format!("00{code}{national}")]);
    }
    found.retain(|spelling| spelling != text);
    found.sort();
    found.dedup();
    found
}

/// The digits of a number without what is dialed before it at home, and whether they begin with a calling code. `None` where there
/// are too few to know a telephone by.
fn dialed(number: &str) -> Option<(String, bool)> {
    let number = without_extension(number.get(..64).unwrap_or(number)).trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let mut digits: String = number.replace("(0)", "").chars().filter_map(digit).collect();
    let mut abroad = number.starts_with(['+', '\u{ff0b}']);
    if !abroad && let Some(rest) = digits.strip_prefix("00") {
        digits = rest.to_owned();
        abroad = true;
    }
    if !abroad {
        digits = digits.strip_prefix('0').unwrap_or(&digits).to_owned();
    }
    (digits.len() >= 7).then_some((digits, abroad))
}

/// The number without `ext. 12` and its like.
fn without_extension(number: &str) -> &str {
    let lower = number.to_ascii_lowercase();
    let end = ["ext", "x", "#", ";", "\u{ff58}", "\u{ff03}", "\u{434}\u{43e}\u{431}"].iter().filter_map(|mark| lower.find(mark)).min();
    end.filter(|end| *end > 5).and_then(|end| number.get(..end)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_telephone_have_their_national_digits_in_common() {
        for text in ["+15125550199", "(512) 555-0199", "+1 512 555 0199", "512.555.0199", "001 512 555 0199", "1-512-555-0199"] {
            assert_eq!(phone_home(text).as_deref(), Some("5125550199"), "{text}");
        }
        assert_eq!(phone_home("+49 (0)30 901820"), phone_home("030 901820"));
        for text in ["5125550199", "W-1", "sf-8015g0000000001AAA", "+1 512", "ada@example.com", "12-34", "2026-11-20T10:00:00", "1234567890123456"] {
            assert_eq!(phone_home(text), None, "{text}");
        }
        for (typed, kept) in [
            ("(512) 555-0199", "+15125550199"),
            ("+1 512 555 0199", "5125550199"),
            ("5125550199", "+15125550199"),
            ("030 901820", "+4930901820"),
            ("+49 30 901820", "030901820"),
        ] {
            assert!(phone_spellings(typed).iter().any(|spelling| spelling == kept), "{typed} finds {kept}");
        }
        assert!(phone_spellings("00000104").is_empty() && phone_spellings("94113592").is_empty());
    }

    #[test]
    fn one_telephone_in_several_spellings() {
        for spelling in [
            "(512) 555-0199",
            "512.555.0199",
            "512 555 01 99",
            "+1 512-555-0199",
            "1 512 555 0199",
            "001 512 555 0199",
            "tel:+15125550199",
            "(512) 555-0199 ext. 4",
        ] {
            assert!(same_phone(spelling, "+15125550199") && same_phone("+1 (512) 555-0199", spelling), "{spelling}");
        }
        assert!(same_phone("020 7946 0018", "+44 (0)20 7946 0018") && same_phone("12345678", "+45 12 34 56 78"));
        for (a, b) in [
            ("(512) 555-0199", "+1 612 555 0199"),
            ("+44 20 7946 0018", "+49 20 7946 0018"),
            ("", "12"),
            ("110", "110"),
            ("5550199", "+1 512 555 0199"),
        ] {
            assert!(!same_phone(a, b), "{a} {b}");
        }
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (number, country, expected) in [
            ("(415) 555-2671", "US", Some("+14155552671")),
            ("1-415-555-2671", "US", Some("+14155552671")),
            ("415.555.2671 ext. 12", "USA", Some("+14155552671")),
            ("020 7946 0018", "GB", Some("+442079460018")),
            ("+44 (0)20 7946 0018", "US", Some("+442079460018")),
            ("0044 20 7946 0018", "DE", Some("+442079460018")),
            ("011 44 20 7946 0018", "US", Some("+442079460018")),
            ("030 901820", "DE", Some("+4930901820")),
            ("06 1234 5678", "IT", Some("+390612345678")),
            ("06 12345678", "NL", Some("+31612345678")),
            ("8 (495) 123-45-67", "RU", Some("+74951234567")),
            ("12345", "US", None),
            ("115-555-2671", "US", None),
            ("call me", "US", None),
            ("", "US", None),
            ("020 7946 0018", "Atlantis", None),
            ("+4420794600181234567", "GB", None),
        ] {
            assert_eq!(e164(number, country).as_deref(), expected, "{number} in {country}");
        }
        assert_eq!(national("+442079460018", "US").as_deref(), Some("02079460018"));
        assert_eq!(national("+14155552671", "US").as_deref(), Some("4155552671"));
    }

    /// Wide digits, marks that nobody sees, mobiles that are dialed otherwise from abroad.
    #[test]
    fn numbers_in_other_shapes() {
        for (number, country, expected) in [
            ("０３－１２３４－５６７８", "JP", Some("+81312345678")),
            ("\u{202d}+1 415 555 2671\u{202c}", "DE", Some("+14155552671")),
            ("٠٥٠ ١٢٣ ٤٥٦٧", "AE", Some("+971501234567")),
            ("011 15-2345-6789", "AR", Some("+5491123456789")),
            ("0800 12 3456", "BR", Some("+55800123456")),
            ("1800 123 456", "AU", Some("+611800123456")),
            ("+383 44 123 456", "US", Some("+38344123456")),
            ("044 123 456", "XK", Some("+38344123456")),
            ("+49 (0)30 901820", "FR", Some("+4930901820")),
            ("+34 (0)912 345 678", "FR", Some("+34912345678")),
            ("49 30 901820", "DE", Some("+4930901820")),
            ("+999 123 456", "US", None),
            ("030 901820 ext. 12", "DE", Some("+4930901820")),
        ] {
            assert_eq!(e164(number, country).as_deref(), expected, "{number} in {country}");
        }
        assert_eq!(national("+8613123456789", "CN").as_deref(), Some("13123456789"));
        assert_eq!(national("+5491123456789", "AR").as_deref(), Some("0111523456789"));
    }

    #[test]
    fn every_pattern_can_be_used() {
        for territory in TERRITORIES.iter() {
            assert!(territory.region == "001" || matches!(territory.region, "AC" | "TA") || countries::code_of(territory.region).is_some());
            let patterns = territory.patterns().unwrap_or_else(|| panic!("{}", territory.region));
            for (text, made) in [(territory.exit, &patterns.exit), (territory.trunk, &patterns.trunk), (territory.leading, &patterns.leading)] {
                assert_eq!(text.is_empty(), made.is_none(), "{} {text}", territory.region);
            }
            for line in territory.lines.lines().filter_map(|line| line.strip_prefix("\tform\t")) {
                let cells: Vec<&str> = line.split('\t').collect();
                assert!(matches!(cells[..], [leading, shape, _] if pattern(leading, false).is_some() && pattern(shape, true).is_some()), "{line}");
            }
            assert!(main_of(territory.calling).is_some());
        }
        assert_eq!(TERRITORIES.len(), 254);
    }
}
