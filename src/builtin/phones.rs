//! Telephone numbers in E.164: calling codes, trunk prefixes, lengths of national numbers.
//!
//! A number is held to its country's length, not to its list of area codes: those change too often
//! to be right in a table.

use super::countries;

struct Plan {
    country: &'static str,
    calling: &'static str,
    /// What is dialled before a national number at home, and left out from abroad.
    trunk: &'static str,
    /// Digits of a national number.
    shortest: usize,
    longest: usize,
}

const fn plan(country: &'static str, calling: &'static str, trunk: &'static str, shortest: usize, longest: usize) -> Plan {
    Plan { country, calling, trunk, shortest, longest }
}

/// Of the countries that share a calling code, the largest stands first.
static PLANS: &[Plan] = &[
    plan("US", "1", "1", 10, 10),
    plan("CA", "1", "1", 10, 10),
    plan("AG", "1", "1", 10, 10),
    plan("AI", "1", "1", 10, 10),
    plan("AS", "1", "1", 10, 10),
    plan("BB", "1", "1", 10, 10),
    plan("BM", "1", "1", 10, 10),
    plan("BS", "1", "1", 10, 10),
    plan("DM", "1", "1", 10, 10),
    plan("DO", "1", "1", 10, 10),
    plan("GD", "1", "1", 10, 10),
    plan("GU", "1", "1", 10, 10),
    plan("JM", "1", "1", 10, 10),
    plan("KN", "1", "1", 10, 10),
    plan("KY", "1", "1", 10, 10),
    plan("LC", "1", "1", 10, 10),
    plan("MP", "1", "1", 10, 10),
    plan("MS", "1", "1", 10, 10),
    plan("PR", "1", "1", 10, 10),
    plan("SX", "1", "1", 10, 10),
    plan("TC", "1", "1", 10, 10),
    plan("TT", "1", "1", 10, 10),
    plan("VC", "1", "1", 10, 10),
    plan("VG", "1", "1", 10, 10),
    plan("VI", "1", "1", 10, 10),
    plan("EG", "20", "0", 8, 10),
    plan("ZA", "27", "0", 9, 9),
    plan("GR", "30", "", 10, 10),
    plan("NL", "31", "0", 9, 9),
    plan("BE", "32", "0", 8, 9),
    plan("FR", "33", "0", 9, 9),
    plan("ES", "34", "", 9, 9),
    plan("HU", "36", "06", 8, 9),
    plan("IT", "39", "", 6, 11),
    plan("VA", "39", "", 6, 11),
    plan("RO", "40", "0", 9, 9),
    plan("CH", "41", "0", 9, 9),
    plan("AT", "43", "0", 4, 13),
    plan("GB", "44", "0", 9, 10),
    plan("GG", "44", "0", 9, 10),
    plan("IM", "44", "0", 9, 10),
    plan("JE", "44", "0", 9, 10),
    plan("DK", "45", "", 8, 8),
    plan("SE", "46", "0", 7, 10),
    plan("NO", "47", "", 8, 8),
    plan("SJ", "47", "", 8, 8),
    plan("PL", "48", "", 9, 9),
    plan("DE", "49", "0", 5, 12),
    plan("PE", "51", "0", 8, 9),
    plan("MX", "52", "", 10, 10),
    plan("CU", "53", "0", 6, 8),
    plan("AR", "54", "0", 10, 11),
    plan("BR", "55", "0", 10, 11),
    plan("CL", "56", "", 9, 9),
    plan("CO", "57", "", 8, 10),
    plan("VE", "58", "0", 10, 10),
    plan("MY", "60", "0", 8, 10),
    plan("AU", "61", "0", 9, 9),
    plan("CC", "61", "0", 9, 9),
    plan("CX", "61", "0", 9, 9),
    plan("ID", "62", "0", 8, 12),
    plan("PH", "63", "0", 8, 10),
    plan("NZ", "64", "0", 8, 10),
    plan("SG", "65", "", 8, 8),
    plan("TH", "66", "0", 8, 9),
    plan("RU", "7", "8", 10, 10),
    plan("KZ", "7", "8", 10, 10),
    plan("JP", "81", "0", 9, 10),
    plan("KR", "82", "0", 8, 10),
    plan("VN", "84", "0", 9, 10),
    plan("CN", "86", "0", 10, 11),
    plan("TR", "90", "0", 10, 10),
    plan("IN", "91", "0", 10, 10),
    plan("PK", "92", "0", 9, 10),
    plan("AF", "93", "0", 9, 9),
    plan("LK", "94", "0", 9, 9),
    plan("MM", "95", "0", 7, 10),
    plan("IR", "98", "0", 10, 10),
    plan("MA", "212", "0", 9, 9),
    plan("DZ", "213", "0", 8, 9),
    plan("TN", "216", "", 8, 8),
    plan("LY", "218", "0", 8, 9),
    plan("GM", "220", "", 7, 7),
    plan("SN", "221", "", 9, 9),
    plan("ML", "223", "", 8, 8),
    plan("CI", "225", "", 10, 10),
    plan("BF", "226", "", 8, 8),
    plan("NE", "227", "", 8, 8),
    plan("TG", "228", "", 8, 8),
    plan("BJ", "229", "", 8, 10),
    plan("MU", "230", "", 7, 8),
    plan("LR", "231", "0", 7, 9),
    plan("GH", "233", "0", 9, 9),
    plan("NG", "234", "0", 8, 10),
    plan("CM", "237", "", 9, 9),
    plan("CV", "238", "", 7, 7),
    plan("AO", "244", "", 9, 9),
    plan("RW", "250", "0", 9, 9),
    plan("ET", "251", "0", 9, 9),
    plan("KE", "254", "0", 9, 9),
    plan("TZ", "255", "0", 9, 9),
    plan("UG", "256", "0", 9, 9),
    plan("MZ", "258", "", 8, 9),
    plan("ZM", "260", "0", 9, 9),
    plan("MG", "261", "0", 9, 9),
    plan("RE", "262", "0", 9, 9),
    plan("YT", "262", "0", 9, 9),
    plan("ZW", "263", "0", 8, 10),
    plan("NA", "264", "0", 8, 9),
    plan("MW", "265", "0", 7, 9),
    plan("BW", "267", "", 7, 8),
    plan("AW", "297", "", 7, 7),
    plan("FO", "298", "", 6, 6),
    plan("GL", "299", "", 6, 6),
    plan("GI", "350", "", 8, 8),
    plan("PT", "351", "", 9, 9),
    plan("LU", "352", "", 4, 11),
    plan("IE", "353", "0", 7, 9),
    plan("IS", "354", "", 7, 9),
    plan("AL", "355", "0", 8, 9),
    plan("MT", "356", "", 8, 8),
    plan("CY", "357", "", 8, 8),
    plan("FI", "358", "0", 5, 12),
    plan("AX", "358", "0", 5, 12),
    plan("BG", "359", "0", 7, 9),
    plan("LT", "370", "0", 8, 8),
    plan("LV", "371", "", 8, 8),
    plan("EE", "372", "", 7, 8),
    plan("MD", "373", "0", 8, 8),
    plan("AM", "374", "0", 8, 8),
    plan("BY", "375", "8", 9, 9),
    plan("AD", "376", "", 6, 9),
    plan("MC", "377", "", 8, 9),
    plan("SM", "378", "", 6, 10),
    plan("UA", "380", "0", 9, 9),
    plan("RS", "381", "0", 8, 9),
    plan("ME", "382", "0", 8, 8),
    plan("HR", "385", "0", 8, 9),
    plan("SI", "386", "0", 8, 8),
    plan("BA", "387", "0", 8, 9),
    plan("MK", "389", "0", 8, 8),
    plan("CZ", "420", "", 9, 9),
    plan("SK", "421", "0", 9, 9),
    plan("LI", "423", "", 7, 9),
    plan("BZ", "501", "", 7, 7),
    plan("GT", "502", "", 8, 8),
    plan("SV", "503", "", 8, 8),
    plan("HN", "504", "", 8, 8),
    plan("NI", "505", "", 8, 8),
    plan("CR", "506", "", 8, 8),
    plan("PA", "507", "", 7, 8),
    plan("HT", "509", "", 8, 8),
    plan("GP", "590", "0", 9, 9),
    plan("MF", "590", "0", 9, 9),
    plan("BL", "590", "0", 9, 9),
    plan("BO", "591", "0", 8, 8),
    plan("GY", "592", "", 7, 7),
    plan("EC", "593", "0", 8, 9),
    plan("GF", "594", "0", 9, 9),
    plan("PY", "595", "0", 8, 9),
    plan("MQ", "596", "0", 9, 9),
    plan("SR", "597", "", 6, 7),
    plan("UY", "598", "0", 8, 8),
    plan("CW", "599", "", 7, 8),
    plan("BN", "673", "", 7, 7),
    plan("PG", "675", "", 7, 8),
    plan("FJ", "679", "", 7, 7),
    plan("NC", "687", "", 6, 6),
    plan("PF", "689", "", 8, 8),
    plan("HK", "852", "", 8, 8),
    plan("MO", "853", "", 8, 8),
    plan("KH", "855", "0", 8, 9),
    plan("LA", "856", "0", 8, 10),
    plan("BD", "880", "0", 8, 10),
    plan("TW", "886", "0", 8, 9),
    plan("MV", "960", "", 7, 7),
    plan("LB", "961", "0", 7, 8),
    plan("JO", "962", "0", 8, 9),
    plan("SY", "963", "0", 8, 9),
    plan("IQ", "964", "0", 8, 10),
    plan("KW", "965", "", 7, 8),
    plan("SA", "966", "0", 8, 9),
    plan("YE", "967", "0", 7, 9),
    plan("OM", "968", "", 7, 8),
    plan("PS", "970", "0", 8, 9),
    plan("AE", "971", "0", 8, 9),
    plan("IL", "972", "0", 8, 9),
    plan("BH", "973", "", 8, 8),
    plan("QA", "974", "", 7, 8),
    plan("BT", "975", "", 7, 8),
    plan("MN", "976", "0", 8, 8),
    plan("NP", "977", "0", 8, 10),
    plan("TJ", "992", "", 9, 9),
    plan("TM", "993", "8", 8, 8),
    plan("AZ", "994", "0", 9, 9),
    plan("GE", "995", "0", 9, 9),
    plan("KG", "996", "0", 9, 9),
    plan("UZ", "998", "", 9, 9),
];

/// A number in E.164 (`+442079460018`), as it would be dialled in a country; `None` where it is no
/// number of its plan.
pub(super) fn e164(number: &str, country: &str) -> Option<String> {
    let (plan, national) = parsed(number, country)?;
    Some(format!("+{}{national}", plan.calling))
}

/// A number as it is dialled within its own country, digits only.
pub(super) fn national(number: &str, country: &str) -> Option<String> {
    let (plan, national) = parsed(number, country)?;
    // In North America the prefix is for long distance, not part of how a number is written.
    let trunk = if plan.calling == "1" { "" } else { plan.trunk };
    Some(format!("{trunk}{national}"))
}

fn parsed(number: &str, country: &str) -> Option<(&'static Plan, String)> {
    if number.len() > 64 {
        return None;
    }
    let number = without_extension(number);
    let mut digits = String::with_capacity(number.len());
    let mut international = false;
    let trimmed = number.trim().strip_prefix("tel:").unwrap_or(number.trim());
    for (at, c) in trimmed.char_indices() {
        match c {
            '+' | '＋' if at == 0 || digits.is_empty() => international = true,
            c if c.is_ascii_digit() => digits.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}'..='\u{2013}' => {}
            _ => return None,
        }
    }
    // "+44 (0)20 7946 0018": the bracketed prefix is for those who dial at home.
    let doubled = international && trimmed.contains("(0)");
    let home = countries::code_of(country).and_then(|code| PLANS.iter().find(|plan| plan.country == code));
    if !international {
        let exit = match home.map(|plan| plan.calling) {
            Some("1") => "011",
            Some("61") => "0011",
            _ => "00",
        };
        if let Some(rest) = digits.strip_prefix(exit) {
            digits = rest.to_owned();
            international = true;
        }
    }
    let (plan, national) = if international {
        let plan = home
            .filter(|plan| digits.starts_with(plan.calling))
            .or_else(|| PLANS.iter().filter(|plan| digits.starts_with(plan.calling)).max_by_key(|plan| plan.calling.len()).map(first_of))?;
        let national = digits.get(plan.calling.len()..)?;
        let national = if doubled { national.strip_prefix('0').unwrap_or(national) } else { national };
        (plan, national)
    } else {
        let plan = home?;
        let at_home = digits.strip_prefix(plan.trunk).filter(|rest| rest.len() >= plan.shortest);
        (plan, at_home.unwrap_or(&digits))
    };
    let fits = (plan.shortest..=plan.longest).contains(&national.len());
    // Neither an area code nor an exchange of North America begins with 0 or 1.
    let dialled = plan.calling != "1" || (national.starts_with(|c| c > '1') && national.get(3..).is_some_and(|rest| rest.starts_with(|c| c > '1')));
    (fits && dialled && plan.calling.len() + national.len() <= 15).then(|| (plan, national.to_owned()))
}

/// Whether two numbers dial the same telephone, however they are written: with a calling code or without, with what is dialed
/// before a number at home, an extension, any separators. Two without a calling code are taken to be of one country.
pub fn same_phone(a: &str, b: &str) -> bool {
    match (dialed(a), dialed(b)) {
        (Some((a, true)), Some((b, true))) | (Some((a, false)), Some((b, false))) => a == b,
        (Some((abroad, true)), Some((home, false))) | (Some((home, false)), Some((abroad, true))) => {
            // North Americans write their calling code without a `+`, too.
            let calling = abroad.strip_suffix(home.as_str());
            abroad == home || calling.is_some_and(|calling| PLANS.iter().any(|plan| plan.calling == calling))
        }
        _ => false,
    }
}

/// What all spellings of a number have in common: its last seven digits. `None` for what is too short to be one.
pub fn phone_key(number: &str) -> Option<String> {
    dialed(number).and_then(|(digits, _)| digits.get(digits.len() - 7..).map(str::to_owned))
}

/// The digits of a number without what is dialed before it at home, and whether they begin with a calling code. `None` where there
/// are too few to know a telephone by.
fn dialed(number: &str) -> Option<(String, bool)> {
    let number = without_extension(number.get(..64).unwrap_or(number)).trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let mut digits: String = number.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    let mut abroad = number.starts_with(['+', '＋']);
    if !abroad && let Some(rest) = digits.strip_prefix("00") {
        digits = rest.to_owned();
        abroad = true;
    }
    if !abroad {
        digits = digits.strip_prefix('0').unwrap_or(&digits).to_owned();
    }
    (digits.len() >= 7).then_some((digits, abroad))
}

/// The first country of those with the same calling code.
fn first_of(plan: &'static Plan) -> &'static Plan {
    PLANS.iter().find(|first| first.calling == plan.calling).unwrap_or(plan)
}

/// The number without `ext. 12` and its like.
fn without_extension(number: &str) -> &str {
    let lower = number.to_ascii_lowercase();
    let end = ["ext", "x", "#", ";"].iter().filter_map(|mark| lower.find(mark)).min();
    end.filter(|end| *end > 5).and_then(|end| number.get(..end)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn every_plan_is_of_a_country() {
        for plan in PLANS {
            assert_eq!(countries::code_of(plan.country), Some(plan.country), "{}", plan.country);
            assert!(plan.shortest <= plan.longest);
            assert!(plan.calling.len() + plan.shortest <= 15);
        }
    }
}
