//! Texts, numbers and words in JSON, read from their first byte.

use wide::u8x32;

use super::key_cache::Length;
use super::number::Number;
use super::reg::RegValue;
use super::simd::{WIDTH, special};
use crate::value::Missing;

/// A text, and what stands behind its last quote, where it is no longer than a window and has nothing escaped in it.
/// `rest` begins with its first quote.
#[inline(always)]
pub(super) fn text_of<'r>(rest: &'r [u8], length: &mut Length) -> Option<(&'r [u8], &'r [u8])> {
    let text = rest.get(1..)?;
    let special = special(u8x32::new(*text.first_chunk::<WIDTH>()?));
    if let Length::Steady(steady) = *length {
        let end = 1_u32 << (steady % WIDTH as u8);
        // It ends there, and not before.
        if special & (end ^ (end - 1)) == end {
            return ended(text, usize::from(steady % WIDTH as u8));
        }
        *length = Length::Different;
    }
    // Where nothing in the window is special, what stands behind it decides.
    let found = ended(text, special.trailing_zeros() as usize)?;
    if *length == Length::Unknown {
        *length = u8::try_from(found.0.len()).ok().filter(|length| usize::from(*length) < WIDTH).map_or(Length::Different, Length::Steady);
    }
    Some(found)
}

/// A text of some length, and what stands behind its last quote.
#[inline(always)]
fn ended(text: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    match text.split_at_checked(length)? {
        (text, [b'"', behind @ ..]) => Some((text, behind)),
        _ => None,
    }
}

/// A text that a field has: of white space alone it is none.
#[inline(always)]
pub(super) fn said(text: &[u8]) -> RegValue<'_> {
    if text.first().is_some_and(begins_no_blank) { RegValue::Text(text) } else { blank_or(text) }
}

#[inline(never)]
pub(super) fn blank_or(text: &[u8]) -> RegValue<'_> {
    // It is a part of a text, cut between characters.
    let blank = simdutf8::basic::from_utf8(text).is_ok_and(|text| text.trim_start().is_empty());
    if blank { RegValue::Missing(Missing::Blank) } else { RegValue::Text(text) }
}

/// Whether a character that is no white space begins with a byte. Those of other scripts begin with 0xC2 (U+0085, U+00A0),
/// 0xE1 (U+1680), 0xE2 (U+2000 and its like) and 0xE3 (U+3000).
#[inline(always)]
pub(super) fn begins_no_blank(byte: &u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xC3..=0xE0 | 0xE4..=0xFF)
}

/// The length of `null`, `true` or `false`; none where nothing of them stands there.
#[inline(always)]
pub(super) fn word(rest: &[u8]) -> Option<usize> {
    match rest.first_chunk::<4>()? {
        b"null" | b"true" => Some(4),
        b"fals" if rest.get(4) == Some(&b'e') => Some(5),
        _ => None,
    }
}

/// The length of a number; none where there is none.
#[inline]
pub(super) fn number(rest: &[u8]) -> Option<usize> {
    let is = |at: usize, byte: u8| rest.get(at) == Some(&byte);
    let digits = |at: usize| {
        let mut end = at;
        while rest.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        (end > at).then_some(end)
    };
    let mut at = usize::from(is(0, b'-'));
    at = if is(at, b'0') { at + 1 } else { digits(at)? };
    if is(at, b'.') {
        at = digits(at + 1)?;
    }
    if is(at, b'e') || is(at, b'E') {
        at += 1;
        at = digits(at + usize::from(is(at, b'+') || is(at, b'-')))?;
    }
    Some(at)
}

/// A number that fits, and what stands behind it: one with an exponent, or a zero with a sign, is for the reference.
#[inline]
pub(super) fn number_of(rest: &[u8]) -> Option<(Number, &[u8])> {
    let (negative, digits) = match rest {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut coefficient = 0_u64;
    let mut read = |digits: &[u8]| {
        let mut count = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            coefficient = coefficient.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        }
        count
    };
    let whole = read(digits);
    if whole == 0 || (whole > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    let (mut behind, mut places) = (digits.get(whole..)?, 0);
    if let [b'.', rest @ ..] = behind {
        places = read(rest);
        behind = rest.get(places..)?;
        if places == 0 {
            return None;
        }
    }
    // As many digits do not overflow.
    if whole + places > 18 || (negative && coefficient == 0) || matches!(behind.first(), Some(b'e' | b'E')) {
        return None;
    }
    let coefficient = coefficient as i64;
    Some((Number::new(if negative { -coefficient } else { coefficient }, places as u8)?, behind))
}
