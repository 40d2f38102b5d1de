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
        says: "A telephone number in the international form (E.164), read as it is dialed in a country. An extension is left out. Missing if it is not a number of that country.",
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
        says: "A telephone number as it is dialed within its own country, digits only.",
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
        says: "The e-mail address without white space at its ends and with its domain in lower case, also from `Ada <ada@example.com>`. Missing if it is not an e-mail address.",
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
        says: "The part after the `@` of an e-mail address, in lower case.",
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
