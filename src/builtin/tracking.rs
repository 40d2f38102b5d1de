//! Which carrier a tracking number belongs to, by its shape and its check digit.
//!
//! A number that fits several carriers (12 to 22 digits alone say little) belongs to the first
//! whose check digit holds, in the order of this table: from the shapes that only one carrier
//! has to those that several share.

/// One way in which a carrier writes its numbers.
struct Form {
    /// By the code that shipping systems use.
    carrier: &'static str,
    /// `n` is a digit, `a` a letter, `x` either, `[ACD]` one of these; all else stands as it is.
    shape: &'static str,
    check: Check,
}

/// How the last digit follows from those before it.
#[derive(Clone, Copy)]
enum Check {
    /// The shape alone tells it.
    Shape,
    /// GS1: from the right 3, 1, 3, …, and what is missing to ten. What is skipped is a routing code.
    Gs1 { skip: usize },
    /// As `Gs1`, for a number written without its application identifier.
    Gs1Behind { prefix: &'static str },
    /// Luhn: every second digit from the right twice, and the digits of what comes out added; what is missing to ten.
    Luhn,
    /// Every second character twice, letters as `(code - 3) mod 10`; what is missing to ten.
    Ups { skip: usize },
    /// Weights 1, 3, 7 from the right over the digits before, modulo 11, then 10. What stands behind the check digit is routing.
    FedexExpress { skip: usize, behind: usize },
    /// The shape tells it, and a GTIN of 14 digits it is not.
    NoGtin,
    /// The whole number modulo 7.
    Seven,
    /// The eight digits of UPU S10 with the weights 8 6 4 2 3 5 9 7, modulo 11.
    S10,
    /// ISO/IEC 7064, MOD 37,36, over all characters.
    Iso7064,
}

static FORMS: &[Form] = &[
    form("ups", "1Zxxxxxxxxxxxxxxxx", Check::Ups { skip: 2 }),
    form("ups", "[AHJKTV]nnnnnnnnnn", Check::Ups { skip: 1 }),
    form("amazon", "TB[ACM]nnnnnnnnnnnn", Check::Shape),
    form("amazon", "[AFC]nnnnnnnnnn", Check::Shape),
    form("yodel", "JJDnnnnnnnnnnnnnnnn", Check::Shape),
    form("yodel", "JDnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl", "JDnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl", "JJDnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl", "J[JV]Dnnnnnnnnnn", Check::Shape),
    form("dhl", "JVGLnnnnnnnnnn", Check::Shape),
    form("dhl_ecommerce", "GMnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl_ecommerce", "GMnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl_ecommerce", "GMnnnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("dhl_ecommerce", "GMnxxxxxxxxxxxxxxxxxxx", Check::Shape),
    form("postnl", "3Saaaannnnnnnnn", Check::Shape),
    form("postnl", "3Saaaannnnnnn", Check::Shape),
    form("postnl", "3Saaaannnnnnnn", Check::Shape),
    form("postnl", "3Saaaannnnnnnnnnn", Check::Shape),
    form("postnl", "3Saaannnnnnnnnn", Check::Shape),
    form("australia_post", "nnaaannnnnnn", Check::Shape),
    form("australia_post", "nnaaannnnnnnnnnnnnnnnnn", Check::Shape),
    form("australia_post", "xaannnnnnnnnnnnnnnnnn", Check::Shape),
    form("australia_post", "aaannnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("ontrac", "Cnnnnnnnnnnnnnn", Check::Ups { skip: 0 }),
    form("ontrac", "Dnnnnnnnnnnnnnn", Check::Ups { skip: 0 }),
    form("lasership", "L[AIEHNX][123]nnnnnnn", Check::Shape),
    form("lasership", "1LS7[12]nnnnnnnnnn", Check::Shape),
    form("lasership", "1LS7[12]nn01[1234]nnnnnn1", Check::Shape),
    form("lasership", "1LSCXxxxxxxxxxx", Check::Shape),
    form("canpar", "[CDKLSUXZ]nnnnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("gofo", "GFUSnnnnnnnnnnnnnn", Check::Shape),
    form("landmark_global", "LTNnnnnnnnnN1", Check::Shape),
    form("spee_dee", "SPnnnnnnnnnnnnnnnnnn", Check::Shape),
    form("yunexpress", "YTnnnnnnnnnnnnnnnn", Check::Shape),
    form("purolator", "aaannnnnnnnn", Check::Shape),
    form("s10", "aannnnnnnnnaa", Check::S10),
    form("dpd", "nnnnnnnnnnnnnnnnnnnnnnnnnnnx", Check::Iso7064),
    form("fedex", "96nnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 7 }),
    form("fedex", "96nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", Check::FedexExpress { skip: 20, behind: 0 }),
    form("fedex", "92612nnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("usps", "420nnnnn9[12345]nnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 8 }),
    form("usps", "420nnnnn9[2345]nnnnnnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 8 }),
    form("usps", "420nnnnnnnnn9[12345]nnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 12 }),
    form("fedex", "[012345678]nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", Check::FedexExpress { skip: 20, behind: 0 }),
    form("fedex", "3nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", Check::FedexExpress { skip: 16, behind: 4 }),
    form("usps", "9[12345]nnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("usps", "9[2345]nnnnnnnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("usps", "7nnnnnnnnnnnnnnnnnnn", Check::Gs1Behind { prefix: "91" }),
    form("usps", "03nnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("usps", "7nnnnnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("fedex", "00nnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("fedex", "61nnnnnnnnnnnnnnnnnn", Check::Gs1Behind { prefix: "92" }),
    form("canada_post", "nnnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("fedex", "nnnnnnnnnnnnnnn", Check::Gs1 { skip: 0 }),
    form("dpd", "nnnnnnnnnnnnnnx", Check::Iso7064),
    form("fedex", "nnnnnnnnnnnn", Check::FedexExpress { skip: 0, behind: 0 }),
    form("purolator", "[012345]nnnnnnnnnnn", Check::Luhn),
    form("old_dominion", "77[78]nnnnnnnn", Check::Luhn),
    form("old_dominion", "072nnnnnnnn", Check::Luhn),
    form("old_dominion", "780nnnnnnnn", Check::Luhn),
    form("old_dominion", "80nnnnnnnnn", Check::Luhn),
    form("dhl", "nnnnnnnnnn", Check::Seven),
    form("dhl", "nnnnnnnnnnn", Check::Seven),
    form("dhl_ecommerce", "[56]nnnnnnnnnnnnn", Check::NoGtin),
];

/// Posts that shipping systems know by a code, by the country at the end of an S10 number.
static POSTS: &[(&str, &str)] = &[
    ("AT", "austrian_post"),
    ("AU", "australia_post"),
    ("BE", "bpost"),
    ("BR", "correios"),
    ("CA", "canada_post"),
    ("CH", "swiss_post"),
    ("CN", "china_post"),
    ("DE", "deutsche_post"),
    ("DK", "postnord"),
    ("ES", "correos"),
    ("FI", "posti"),
    ("FR", "la_poste"),
    ("GB", "royal_mail"),
    ("HK", "hongkong_post"),
    ("IE", "an_post"),
    ("IN", "india_post"),
    ("IT", "poste_italiane"),
    ("JP", "japan_post"),
    ("KR", "korea_post"),
    ("NL", "postnl"),
    ("NO", "posten"),
    ("NZ", "nz_post"),
    ("PL", "poczta_polska"),
    ("PT", "ctt"),
    ("SE", "postnord"),
    ("SG", "singapore_post"),
    ("US", "usps"),
];

const fn form(carrier: &'static str, shape: &'static str, check: Check) -> Form {
    Form { carrier, shape, check }
}

/// The carrier's code; `None` where no carrier has such numbers or the check digit is wrong.
pub(super) fn carrier_of(number: &str) -> Option<&'static str> {
    let number = plain(number)?;
    let form = FORMS.iter().find(|form| form.holds(&number))?;
    if form.carrier != "s10" {
        return Some(form.carrier);
    }
    let country = number.get(11..)?;
    POSTS.iter().find(|(code, _)| *code == country).map(|(_, carrier)| *carrier)
}

/// Whether a carrier has such numbers; `None` for a carrier whose numbers are not known.
pub(super) fn fits(number: &str, carrier: &str) -> Option<bool> {
    let carrier = known(carrier)?;
    let Some(number) = plain(number) else { return Some(false) };
    let own = FORMS.iter().any(|form| form.carrier == carrier && form.holds(&number));
    let post = POSTS.iter().filter(|(_, post)| *post == carrier).any(|(country, _)| number.ends_with(country));
    Some(own || (post && FORMS.iter().any(|form| form.carrier == "s10" && form.holds(&number))))
}

/// The code that this table has for the carrier's codes of shipping systems (`stamps_com`, `ups_walleted`).
fn known(carrier: &str) -> Option<&'static str> {
    let carrier = carrier.trim().to_lowercase().replace([' ', '-'], "_");
    let carrier = match carrier.as_str() {
        "stamps_com" | "endicia" | "express_1" | "usps_marketplace" => "usps",
        "dhl_express" | "dhl_express_worldwide" => "dhl",
        "dhl_global_mail" => "dhl_ecommerce",
        "amazon_shipping" | "amazon_logistics" => "amazon",
        "hermes" | "evri" => return None,
        other => other.strip_suffix("_walleted").unwrap_or(other),
    };
    let own = FORMS.iter().map(|form| form.carrier).find(|known| *known == carrier);
    own.or_else(|| POSTS.iter().map(|(_, post)| *post).find(|known| *known == carrier))
}

/// In capital letters, without spaces and hyphens; `None` for what is longer than any number.
fn plain(number: &str) -> Option<String> {
    if number.len() > 128 {
        return None;
    }
    let plain: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    plain.is_ascii().then_some(plain)
}

impl Form {
    fn holds(&self, number: &str) -> bool {
        self.shaped(number) && number.bytes().any(|c| c != b'0') && self.check.holds(number)
    }

    fn shaped(&self, number: &str) -> bool {
        let mut shape = self.shape;
        for c in number.bytes() {
            let Some((place, rest)) = shape.as_bytes().split_first() else { return false };
            let (fits, next) = match place {
                b'n' => (c.is_ascii_digit(), rest.len()),
                b'a' => (c.is_ascii_uppercase(), rest.len()),
                b'x' => (c.is_ascii_digit() || c.is_ascii_uppercase(), rest.len()),
                b'[' => {
                    let end = rest.iter().position(|end| *end == b']').unwrap_or(rest.len());
                    (rest.iter().take(end).any(|one| *one == c), rest.len().saturating_sub(end + 1))
                }
                other => (c == *other, rest.len()),
            };
            if !fits {
                return false;
            }
            shape = shape.get(shape.len() - next..).unwrap_or_default();
        }
        shape.is_empty()
    }
}

impl Check {
    fn holds(self, number: &str) -> bool {
        match self {
            Check::Shape => true,
            Check::Gs1 { skip } => number.get(skip..).is_some_and(gs1),
            Check::Gs1Behind { prefix } => gs1(&format!("{prefix}{number}")),
            Check::Ups { skip } => number.get(skip..).is_some_and(ups),
            Check::FedexExpress { skip, behind } => number.get(skip..number.len().saturating_sub(behind)).is_some_and(fedex_express),
            Check::NoGtin => !gs1(number),
            Check::Luhn => luhn(number),
            Check::Seven => seven(number),
            Check::S10 => number.get(2..11).is_some_and(s10),
            Check::Iso7064 => iso7064(number),
        }
    }
}

fn digit(c: u8) -> u32 {
    u32::from(c.wrapping_sub(b'0'))
}

/// The last digit is the GS1 check digit of those before it (also of GTIN and SSCC).
pub(super) fn gs1(number: &str) -> bool {
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    number.bytes().all(|c| c.is_ascii_digit()) && !rest.is_empty() && gs1_digit(rest) == digit(*last)
}

/// The GS1 check digit that belongs behind these digits.
pub(super) fn gs1_digit(digits: &[u8]) -> u32 {
    let sum: u32 = digits.iter().rev().zip([3, 1].into_iter().cycle()).map(|(c, weight)| digit(*c) * weight).sum();
    (10 - sum % 10) % 10
}

fn ups(number: &str) -> bool {
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    // OnTrac counts the letter before its numbers by the same rule: C is 4, D is 5.
    let sum: u32 = rest
        .iter()
        .enumerate()
        .map(|(at, c)| {
            let value = if c.is_ascii_digit() { digit(*c) } else { (u32::from(*c) + 7) % 10 };
            if at % 2 == 1 { value * 2 } else { value }
        })
        .sum();
    last.is_ascii_digit() && (10 - sum % 10) % 10 == digit(*last)
}

fn fedex_express(number: &str) -> bool {
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    let sum: u32 = rest.iter().rev().zip([1, 3, 7].into_iter().cycle()).map(|(c, weight)| digit(*c) * weight).sum();
    sum % 11 % 10 == digit(*last)
}

fn luhn(number: &str) -> bool {
    let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
    let sum: u32 = number.bytes().rev().enumerate().map(|(at, c)| if at % 2 == 1 { doubled(digit(c)) } else { digit(c) }).sum();
    number.bytes().all(|c| c.is_ascii_digit()) && sum.is_multiple_of(10)
}

fn seven(number: &str) -> bool {
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    rest.iter().fold(0, |left, c| (left * 10 + digit(*c)) % 7) == digit(*last)
}

fn s10(number: &str) -> bool {
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    let sum: u32 = rest.iter().zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(c, weight)| digit(*c) * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        check => check,
    };
    check == digit(*last)
}

/// ISO/IEC 7064, MOD 37,36, as DPD's 28 characters have it.
fn iso7064(number: &str) -> bool {
    let value = |c: u8| if c.is_ascii_digit() { digit(c) } else { u32::from(c.wrapping_sub(b'A')) + 10 };
    let Some((last, rest)) = number.as_bytes().split_last() else { return false };
    let mut held = 36;
    for c in rest {
        held += value(*c);
        if held > 36 {
            held -= 36;
        }
        held *= 2;
        if held >= 37 {
            held -= 37;
        }
    }
    (held + value(*last)) % 36 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_numbers_belong_to_their_carriers() {
        for (number, carrier) in [
            ("1Z5R89390357567127", "ups"),
            ("1Z879E930346834440", "ups"),
            ("1Z410E7W0392751591", "ups"),
            ("986578788855", "fedex"),
            ("477179081230", "fedex"),
            ("1001921334250001000300779017972697", "fedex"),
            ("61299998820821171811", "fedex"),
            ("9261292700768711948021", "fedex"),
            ("0414 4176 0228 964", "fedex"),
            ("9611020987654312345672", "fedex"),
            ("9622001900000000000000776632517510", "fedex"),
            ("9405803699300124287899", "usps"),
            ("9400 1112 0108 0805 4830 16", "usps"),
            ("420 22153 9101026837331000039521", "usps"),
            ("4201002334249200190132607600833457", "usps"),
            ("7196 9010 7560 0307 7385", "usps"),
            ("0307 1790 0005 2348 3741", "usps"),
            ("92748931507708513018050063", "usps"),
            ("3318810025", "dhl"),
            ("73891051146", "dhl"),
            ("GM2951173225174494", "dhl_ecommerce"),
            ("RB123456785GB", "royal_mail"),
            ("RB123456785US", "usps"),
            ("TBA502887274000", "amazon"),
            ("0073938000549297", "canada_post"),
            ("C11031500001879", "ontrac"),
            ("D10011354453707", "ontrac"),
            ("008182709980000020033350276C", "dpd"),
        ] {
            assert_eq!(carrier_of(number), Some(carrier), "{number}");
            assert_eq!(fits(number, carrier), Some(true), "{number}");
        }
    }

    #[test]
    fn a_wrong_check_digit_is_no_number() {
        for number in [
            "1Z5R89390357567128",
            "996578788855",
            "3318810010",
            "RB123456786GB",
            "9405803699300124287890",
            "008182709980000020033350276A",
            "0073938000549292",
            "hello",
            "",
        ] {
            assert_eq!(carrier_of(number), None, "{number}");
        }
        assert_eq!(fits("1Z5R89390357567128", "ups_walleted"), Some(false));
        assert_eq!(fits("1Z5R89390357567128", "my own van"), None);
    }
}
