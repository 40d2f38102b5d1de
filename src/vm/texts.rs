//! Texts: reading, converting and joining them.

use bumpalo::collections::Vec as List;
use wide::u8x32;

use super::bytes::Bytes;
use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::op::{Piece, Quick};
use super::read::{ends_no_blank, string};
use super::reg::RegValue;
use super::simd::{WIDTH, load};
use super::token::begins_no_blank;
use crate::base::bounds::LONG_TEXT;

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// A text by a function that gives another one.
    pub(super) fn shaped(&self, quick: Quick, text: &'r [u8]) -> Ran<&'r [u8]> {
        let made = match quick {
            Quick::Trim => trimmed(text)?,
            Quick::Truncate(most) => {
                let most = most as usize;
                if text.len() <= most {
                    trimmed(text)?
                } else {
                    let begun = string(text)?.trim_start();
                    let cut = if begun.len() <= most { begun } else { begun.char_indices().nth(most).map_or(begun, |(end, _)| &begun[..end]) };
                    cut.trim_end().as_bytes()
                }
            }
            // All are looked at: that needs no jumps.
            Quick::Lower if !text.iter().fold(false, |any, byte| any | byte.is_ascii_uppercase() | !byte.is_ascii()) => text,
            Quick::Upper if !text.iter().fold(false, |any, byte| any | byte.is_ascii_lowercase() | !byte.is_ascii()) => text,
            Quick::Lower => self.bump.alloc_str(&string(text)?.to_lowercase()).as_bytes(),
            Quick::Upper => self.bump.alloc_str(&string(text)?.to_uppercase()).as_bytes(),
            _ => return Err(Leave),
        };
        // Long texts are counted, which the reference evaluator does.
        if made.len() > LONG_TEXT { Err(Leave) } else { Ok(made) }
    }

    /// None where a part is missing.
    pub(super) fn template(&self, pieces: &'r [Piece<'p>], message: bool) -> Ran<Option<&'r [u8]>> {
        let mut built = List::with_capacity_in(64, self.bump);
        for piece in pieces {
            match piece {
                Piece::Text(text) => built.extend_from_slice_copy(text),
                Piece::Value(reg) => match *self.get(*reg) {
                    RegValue::Missing(_) if message => built.extend_from_slice_copy(b"(none)"),
                    RegValue::Missing(_) => return Ok(None),
                    RegValue::Text(text) => built.extend_from_slice_copy(text),
                    value => self.print(value, &mut built)?,
                },
            }
            // Long texts are counted, which the reference evaluator does.
            if built.len() > LONG_TEXT {
                return Err(Leave);
            }
        }
        Ok(Some(built.into_bump_slice()))
    }

    /// Appends a value as a template prints it.
    pub(super) fn print(&self, value: RegValue<'r>, out: &mut List<'r, u8>) -> Ran<()> {
        let digits = |number: Number, out: &mut List<'r, u8>| {
            let mut digits = Bytes::default();
            number.print(&mut digits);
            out.extend_from_slice_copy(&digits);
        };
        match value {
            RegValue::Text(text) => out.extend_from_slice_copy(text),
            RegValue::Number(number) => digits(number, out),
            RegValue::Money(amount, currency) => {
                digits(amount, out);
                if let Some(currency) = self.code(currency) {
                    out.push(b' ');
                    out.extend_from_slice_copy(currency);
                }
            }
            RegValue::Boolean(truth) => out.extend_from_slice_copy(if truth { b"true" } else { b"false" }),
            RegValue::Date(date) => out.extend_from_slice_copy(date.to_string().as_bytes()),
            RegValue::Instant(instant) => out.extend_from_slice_copy(instant.to_string().as_bytes()),
            RegValue::Named(named) => out.extend_from_slice_copy(self.compiled.references.get(named as usize).ok_or(Leave)?.name.as_bytes()),
            _ => return Err(Leave),
        }
        Ok(())
    }
}

/// Whether a street is one line, written as [`crate::builtin`] would write it: no white space but single blanks between
/// words, no comma at its end. Where a letter's first byte might begin a blank of another script it is not told here.
/// `record`: where it mostly is a part of.
pub(super) fn is_one_line(street: &[u8], record: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b' ' && *byte != b',');
    if !ends(street.last()) || street.first() == Some(&b' ') {
        return false;
    }
    // What stands behind it in the record is looked at too, and left out of account.
    let start = (street.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
    if let Some(window) = load(record, start)
        && street.len() <= WIDTH
    {
        let part = u32::MAX >> (WIDTH - street.len());
        let (blank, odd) = blanks(window);
        return (odd | blank & (blank << 1)) & part == 0;
    }
    let mut blank_before = 0;
    street.chunks(WIDTH).all(|chunk| {
        // What is not there is no blank.
        let mut window = [b'-'; WIDTH];
        match window.get_mut(..chunk.len()) {
            Some(begin) => begin.copy_from_slice(chunk),
            None => return false,
        }
        let (blank, odd) = blanks(u8x32::new(window));
        let two = blank & (blank << 1 | blank_before);
        blank_before = blank >> (WIDTH - 1);
        odd | two == 0
    })
}

/// Whether a text is an e-mail address ([`crate::builtin::is_email`]), as far as one window tells: none where it is longer,
/// or has letters that are not common in one. `record`: where it mostly is a part of.
#[inline(always)]
pub(super) fn is_short_email(text: &[u8], record: &[u8]) -> Option<bool> {
    let start = (text.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
    let window = load(record, start).filter(|_| (1..=WIDTH).contains(&text.len()))?;
    // What stands behind it is left out of account.
    let all = u32::MAX >> (WIDTH - text.len());
    let is = |byte: u8| window.simd_eq(u8x32::splat(byte)).to_bitmask();
    let within = |from: u8, to: u8, bytes: u8x32| {
        let above = bytes - u8x32::splat(from);
        above.min(u8x32::splat(to - from)).simd_eq(above).to_bitmask()
    };
    let letters = within(b'a', b'z', window | u8x32::splat(b'a' ^ b'A'));
    let (at, dots, hyphens, line) = (is(b'@') & all, is(b'.'), is(b'-'), is(b'_'));
    if (letters | within(b'0', b'9', window) | dots | hyphens | line | at) & all != all || !at.is_power_of_two() {
        return None;
    }
    let (name, domain) = (at - 1, all & !(at | (at - 1)));
    let (first, last) = (at << 1, 1 << (text.len() - 1));
    // A dot stands between two others, and so does a hyphen in a domain: no dot, and none of its ends.
    let (name_dots, edges) = (dots & name, (dots | hyphens) & domain);
    let name_fits = name != 0 && name_dots & (1 | at >> 1 | name_dots << 1) == 0;
    let (dots, label) = (dots & domain, domain & u32::MAX.checked_shl(u32::BITS - (dots & domain).leading_zeros()).unwrap_or(0));
    let domain_fits = dots != 0 && edges & (first | last | dots << 1 | dots >> 1) == 0 && line & domain == 0;
    Some(name_fits && domain_fits && label.count_ones() >= 2 && letters & label != 0)
}

/// Where blanks stand, and where what is told elsewhere.
#[inline(always)]
fn blanks(window: u8x32) -> (u32, u32) {
    let is = |byte: u8| window.simd_eq(u8x32::splat(byte));
    let control = window.min(u8x32::splat(0x1F)).simd_eq(window);
    let foreign = is(0xC2) | is(0xE1) | is(0xE2) | is(0xE3);
    (is(b' ').to_bitmask(), (control | is(0x7F) | foreign).to_bitmask())
}

impl Quick {
    /// Whether a text is left as it is, as far as that is seen at once.
    #[inline(always)]
    pub(super) fn leaves(self, text: &[u8]) -> bool {
        match self {
            Quick::Trim => has_no_blanks_around(text),
            Quick::Truncate(most) => text.len() <= most as usize && has_no_blanks_around(text),
            Quick::Upper => matches!(text, [one, other] if one.is_ascii_uppercase() && other.is_ascii_uppercase()),
            _ => false,
        }
    }
}

#[inline(always)]
fn has_no_blanks_around(text: &[u8]) -> bool {
    text.first().is_some_and(begins_no_blank) && ends_no_blank(text)
}

/// A text without white space around it: mostly there is none.
fn trimmed(text: &[u8]) -> Ran<&[u8]> {
    if has_no_blanks_around(text) { Ok(text) } else { Ok(string(text)?.trim().as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_address_is_what_the_function_says(text in "[a1.@_é -]{0,12}|[aZ.-]{0,4}@[a-c0-9.-]{0,8}|[a-z.]{1,9}@[a-z-]{1,9}[.][a-z0-9.]{1,5}|[!-~]{0,6}@ab[.]c[!-~]{0,3}", behind in "[a@. -]{0,40}") {
            let record = text.clone() + &behind;
            let part = record.as_bytes().get(..text.len()).unwrap_or_default();
            if let Some(is) = is_short_email(part, record.as_bytes()) {
                prop_assert_eq!(is, crate::builtin::is_email(&text), "{}", text);
            }
        }

        /// A street that is said to be one line is what its words make, and nearly all such are said to be.
        #[test]
        fn one_line_is_its_words(street in "[a ,\\n\u{7f}\u{a0}\u{3000}é語]{0,70}") {
            let words = street.split_whitespace().collect::<Vec<_>>().join(" ");
            let one = words == street && !street.is_empty() && !street.ends_with(',');
            let told = !street.contains(['\u{7f}', '\u{a0}', '\u{3000}']);
            let record = format!("[\"{street}\", \"and  more\\n than a window\"]");
            let part = record.as_bytes().get(2..2 + street.len()).unwrap_or_default();
            for street in [street.as_bytes(), part] {
                prop_assert_eq!(is_one_line(street, record.as_bytes()), one && told, "{:?}", street);
            }
        }
    }

    #[test]
    fn common_addresses_are_told_at_once() {
        for (text, is) in
            [("ada@example.com", true), ("ada.b_c@mail-1.example.co", true), ("ada@example", false), (".a@b.com", false), ("a@b.-om", false)]
        {
            let record = format!("{text}\",\"and more than a window behind it\"");
            let part = record.as_bytes().get(..text.len()).unwrap_or_default();
            assert_eq!(is_short_email(part, record.as_bytes()), Some(is), "{text}");
        }
    }
}
