//! How people are reached: e-mail addresses and telephone numbers.

use super::phones;
use super::signature::text;
use super::{Builtin, Example, Family, Gives};
use crate::value::{Kind, Value};

pub(super) static TABLE: &[Builtin] = &[
    Builtin {
        name: "phone_of",
        family: Family::Contacts,
        takes: &[text("number"), text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "A telephone number in the international form (E.164), read as it is dialled in a country. An extension is left out. Nothing if it has not the digits of a number there.",
        examples: &[
            Example { call: r#"phone_of("(415) 555-2671", "US")"#, gives: r#""+14155552671""# },
            Example { call: r#"phone_of("+44 (0)20 7946 0018", "US")"#, gives: r#""+442079460018""# },
            Example { call: r#"phone_of("12345", "US")"#, gives: "missing" },
            Example { call: r#"phone_of(missing, "US")"#, gives: "missing" },
        ],
        run: |args| {
            let number = phones::e164(args.need_text(0, "phone_of")?, args.text(1));
            Ok(Value::optional(number.map(Value::text)))
        },
    },
    Builtin {
        name: "phone_national",
        family: Family::Contacts,
        takes: &[text("number"), text("country")],
        gives: Gives::Maybe(Kind::Text),
        says: "A telephone number as it is dialled within its own country, digits only.",
        examples: &[
            Example { call: r#"phone_national("+442079460018", "GB")"#, gives: r#""02079460018""# },
            Example { call: r#"phone_national("12345", "US")"#, gives: "missing" },
        ],
        run: |args| {
            let number = phones::national(args.need_text(0, "phone_national")?, args.text(1));
            Ok(Value::optional(number.map(Value::text)))
        },
    },
    Builtin {
        name: "email_of",
        family: Family::Contacts,
        takes: &[text("text")],
        gives: Gives::Maybe(Kind::Text),
        says: "The e-mail address without white space at its ends and with its domain in small letters, also out of `Ada <ada@example.com>`. Nothing if it has not the shape of one.",
        examples: &[
            Example { call: r#"email_of(" ada@Example.COM ")"#, gives: r#""ada@example.com""# },
            Example { call: r#"email_of("Ada <ada@example.com>")"#, gives: r#""ada@example.com""# },
            Example { call: r#"email_of("ada at example.com")"#, gives: "missing" },
        ],
        run: |args| {
            let text = args.need_text(0, "email_of")?.trim();
            let inside = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, inside)| inside);
            let inside = inside.trim();
            if !is_email(inside) {
                return Ok(Value::ABSENT);
            }
            let address = inside.rsplit_once('@').map(|(name, domain)| format!("{name}@{}", domain.to_lowercase()));
            Ok(Value::optional(address.map(Value::text)))
        },
    },
    Builtin {
        name: "email_domain",
        family: Family::Contacts,
        takes: &[text("email")],
        gives: Gives::Maybe(Kind::Text),
        says: "What stands behind the `@` of an e-mail address, in small letters.",
        examples: &[
            Example { call: r#"email_domain("ada@Example.com")"#, gives: r#""example.com""# },
            Example { call: r#"email_domain("ada")"#, gives: "missing" },
        ],
        run: |args| {
            let email = args.need_text(0, "email_domain")?.trim();
            let domain = email.rsplit_once('@').filter(|_| is_email(email)).map(|(_, domain)| domain.to_lowercase());
            Ok(Value::optional(domain.map(Value::text)))
        },
    },
];

/// The shape of an address that systems take: a name, `@`, a domain with a dot, no spaces, no quotes.
/// Whether it exists is not known.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let name_fits = !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.as_bytes().windows(2).any(|two| two == b"..")
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '!' | '#'..='\'' | '*' | '+' | '-'..='/' | '=' | '?' | '^'..='`' | '{'..='~'));
    let domain_fits = domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
        && domain.rsplit_once('.').is_some_and(|(_, last)| last.chars().count() >= 2 && last.chars().any(char::is_alphabetic));
    name_fits && domain_fits
}

/// The same a byte at a time, of ASCII, as nearly all addresses are; none for others.
pub(crate) fn is_plain_email(text: &[u8]) -> Option<bool> {
    if !text.is_ascii() {
        return None;
    }
    let Some(at) = memchr::memrchr(b'@', text) else { return Some(false) };
    let (name, domain) = (&text[..at], &text[at + 1..]);
    let is_in_name = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-'..=b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
    };
    // Nothing stands between two dots, nor before or behind one that stands at an end.
    let mut in_name = 0;
    let name_fits = name.len() <= 64
        && name.iter().all(|byte| {
            let fits = is_in_name(byte) && (*byte != b'.' || in_name > 0);
            in_name = if *byte == b'.' { 0 } else { in_name + 1 };
            fits
        })
        && in_name > 0;
    let (mut labels, mut letters) = (0, false);
    let domain_fits = domain.len() <= 253
        && domain.split(|byte| *byte == b'.').all(|label| {
            labels += 1;
            letters = label.len() >= 2 && label.iter().any(u8::is_ascii_alphabetic);
            matches!(label, [first, ..] if *first != b'-')
                && label.last() != Some(&b'-')
                && label.len() <= 63
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        });
    Some(name_fits && domain_fits && labels > 1 && letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_address_is_one_in_both_ways(name in "[a1.!\\- ]{0,4}|[a.]{60,66}", at in "@{0,2}", domain in "([a1-]{0,3}\\.){0,3}[a1é-]{0,3}|[a-]{61,65}\\.aa") {
            let text = name + &at + &domain;
            if let Some(is) = is_plain_email(text.as_bytes()) {
                prop_assert_eq!(is, is_email(&text), "{}", text);
            }
        }
    }
}
