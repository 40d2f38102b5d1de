//! Reads fields of the record from their slots.

use bumpalo::collections::Vec as List;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::op::{Currency, Decode, Place, V};
use super::scan::Raw;
use super::shape::NodeId;
use crate::value::{MAX_ITEMS, MAX_TEXT, Missing};

impl<'r, 'p: 'r> Eval<'r, 'p> {
    #[inline]
    pub(super) fn raw(&self, of: NodeId, base: u32, places: &'r [Place]) -> Ran<(Raw, NodeId)> {
        let place = match places {
            [one] if one.of == of => one,
            many => many.iter().find(|place| place.of == of).ok_or(Leave)?,
        };
        Ok((*self.slots.raw.get((base + place.slot) as usize).ok_or(Leave)?, place.node))
    }

    pub(super) fn read(&mut self, base: V<'r>, places: &'r [Place], decode: &'r Decode<'p>) -> Ran<V<'r>> {
        let (of, at) = match base {
            V::Record(of, at) => (of, at),
            V::Missing(missing) => return Ok(V::Missing(missing)),
            _ => return Err(Leave),
        };
        let (raw, node) = self.raw(of, at, places)?;
        self.decoded(raw, node, (of, at), decode)
    }

    /// `of` and `at`: the object that it stands in.
    #[inline]
    pub(super) fn decoded(&mut self, raw: Raw, node: NodeId, (of, at): (NodeId, u32), decode: &'r Decode<'p>) -> Ran<V<'r>> {
        match raw {
            Raw::Absent => Ok(V::ABSENT),
            Raw::Null => Ok(V::Missing(Missing::Null)),
            Raw::Boolean(truth) => {
                if matches!(decode, Decode::Boolean) {
                    Ok(V::Boolean(truth))
                } else {
                    Err(Leave)
                }
            }
            Raw::Object => {
                if matches!(decode, Decode::Object) {
                    Ok(V::Record(node, at))
                } else {
                    Err(Leave)
                }
            }
            Raw::Rows { first, count } => {
                if matches!(decode, Decode::Rows) && count as usize <= MAX_ITEMS {
                    Ok(V::Rows { node, first, count })
                } else {
                    Err(Leave)
                }
            }
            Raw::Number { start, end } => {
                let digits = self.text.get(start as usize..end as usize).ok_or(Leave)?;
                let number = Number::parse(digits).ok_or(Leave)?;
                self.amount(number, of, at, decode)
            }
            Raw::Text { start, end, escaped } => {
                let Some(text) = self.unblank(start, end, escaped)? else { return Ok(V::Missing(Missing::Blank)) };
                match decode {
                    Decode::Text | Decode::Enumeration(None) => Ok(V::Text(text)),
                    Decode::Enumeration(Some(words)) if words.has(text) => Ok(V::Text(text)),
                    Decode::Date => date(text).map(V::Date),
                    Decode::Instant(zone) => match plain_instant(text) {
                        Some(instant) => Ok(V::Instant(instant)),
                        None => instant(string(text)?, zone.as_ref()).map(V::Instant),
                    },
                    Decode::Integer { text: true } | Decode::Decimal { text: true } | Decode::Money { text: true, .. } => {
                        let digits = string(text)?.trim().as_bytes();
                        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                        if !(ends(digits.last()) && (ends(digits.first()) || digits.first() == Some(&b'-') && ends(digits.get(1)))) {
                            return Err(Leave);
                        }
                        self.amount(Number::parse(digits).ok_or(Leave)?, of, at, decode)
                    }
                    _ => Err(Leave),
                }
            }
        }
    }

    #[inline]
    fn amount(&self, number: Number, of: NodeId, at: u32, decode: &'r Decode<'p>) -> Ran<V<'r>> {
        Ok(match decode {
            Decode::Integer { .. } => {
                if !number.is_whole() {
                    return Err(Leave);
                }
                V::Number(number.whole())
            }
            Decode::Decimal { .. } => V::Number(number),
            Decode::Money { currency, .. } => {
                let mut code = Currency::default();
                if !currency.is_empty() {
                    match self.raw(of, at, currency)?.0 {
                        Raw::Text { start, end, escaped: false } => {
                            code = Currency { start, length: u8::try_from(end - start).map_err(|_| Leave)? };
                        }
                        Raw::Text { escaped: true, .. } => return Err(Leave),
                        _ => {}
                    }
                }
                V::Money(number, code)
            }
            Decode::Weight(unit) => V::Weight(number, *unit),
            Decode::Length(unit) => V::Length(number, *unit),
            _ => return Err(Leave),
        })
    }

    /// A text of the record, without its escapes; none where it is blank.
    #[inline]
    fn unblank(&self, start: u32, end: u32, escaped: bool) -> Ran<Option<&'r [u8]>> {
        let text = if escaped { self.unescaped(start, end)? } else { self.text.get(start as usize..end as usize).ok_or(Leave)? };
        if text.len() > MAX_TEXT {
            return Err(Leave);
        }
        if !text.first().is_some_and(begins_no_blank) && string(text)?.trim_start().is_empty() {
            return Ok(None);
        }
        Ok(Some(text))
    }

    /// What a slot has for a text.
    #[inline(always)]
    pub(super) fn raw_text(&mut self, raw: Option<&Raw>) -> Option<&'r [u8]> {
        match raw {
            Some(&Raw::Text { start, end, escaped: false }) => {
                if let Some(text) = self.text.get(start as usize..end as usize)
                    && text.first().is_some_and(begins_no_blank)
                    && text.len() <= MAX_TEXT
                {
                    return Some(text);
                }
                self.odd_text(start, end, false)
            }
            Some(Raw::Absent | Raw::Null) | None => None,
            Some(&Raw::Text { start, end, escaped }) => self.odd_text(start, end, escaped),
            _ => {
                self.left = true;
                None
            }
        }
    }

    #[inline(never)]
    fn odd_text(&mut self, start: u32, end: u32, escaped: bool) -> Option<&'r [u8]> {
        self.unblank(start, end, escaped).unwrap_or_else(|Leave| {
            self.left = true;
            None
        })
    }

    pub(super) fn code(&self, of: Currency) -> Option<&'r [u8]> {
        let start = of.start as usize;
        self.text.get(start..start + usize::from(of.length)).filter(|code| !code.is_empty())
    }

    /// The currency that two amounts have in common; one that is not known takes the other's.
    pub(super) fn common(&self, one: Currency, other: Currency) -> Ran<Currency> {
        if one.length == 0 || one == other {
            return Ok(other);
        }
        if other.length > 0 && self.code(one) != self.code(other) {
            return Err(Leave);
        }
        Ok(one)
    }

    /// A text without its escapes. The scanner has seen that they are well formed, and none of them half a pair.
    fn unescaped(&self, start: u32, end: u32) -> Ran<&'r [u8]> {
        let mut rest = self.text.get(start as usize..end as usize).ok_or(Leave)?;
        let mut text = List::with_capacity_in(rest.len(), self.bump);
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, behind) = rest.split_at(at);
            text.extend_from_slice_copy(before);
            let mut taken = 2;
            match behind.get(1).ok_or(Leave)? {
                b'b' => text.push(0x08),
                b'f' => text.push(0x0C),
                b'n' => text.push(b'\n'),
                b'r' => text.push(b'\r'),
                b't' => text.push(b'\t'),
                b'u' => {
                    taken = 6;
                    let digits = behind.get(2..taken).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or(Leave)?;
                    let letter = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or(Leave)?;
                    text.extend_from_slice_copy(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                same => text.push(*same),
            }
            rest = behind.get(taken..).ok_or(Leave)?;
        }
        text.extend_from_slice_copy(rest);
        Ok(text.into_bump_slice())
    }
}

/// Whether a character that is no white space begins with a byte. Those of other scripts begin with 0xC2 (U+0085, U+00A0),
/// 0xE1 (U+1680), 0xE2 (U+2000 and its like) and 0xE3 (U+3000).
#[inline(always)]
pub(super) fn begins_no_blank(byte: &u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xC3..=0xE0 | 0xE4..=0xFF)
}

/// The same of the byte that a character ends with.
#[inline(always)]
pub(super) fn ends_no_blank(byte: &u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0x8B..=0x9E | 0xA1..=0xA7 | 0xAA..=0xAE | 0xB0..=0xBF)
}

/// A text whose bytes are looked at again: where more than bytes is asked of it.
pub(super) fn string(text: &[u8]) -> Ran<&str> {
    simdutf8::basic::from_utf8(text).map_err(|_| Leave)
}

/// `2026-11-18`; any other spelling is for the reference.
fn date(text: &[u8]) -> Ran<Date> {
    let bytes: &[u8; 10] = text.try_into().map_err(|_| Leave)?;
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(Leave);
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    Date::new(year, month as i8, day as i8).map_err(|_| Leave)
}

/// The number of at most four digits.
fn digits(digits: &[u8]) -> Ran<i16> {
    digits.iter().try_fold(0_i16, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))).ok_or(Leave)
}

/// `2026-11-18T09:30:00.000+0000` and its like in UTC, to the millisecond; none where it is written in another way.
fn plain_instant(text: &[u8]) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.split_first_chunk::<9>()?;
    let (millis, zone) = match rest.split_first_chunk::<4>() {
        Some(([b'.', millis @ ..], zone)) => (digits(millis).ok()?, zone),
        _ => (0, rest),
    };
    if !matches!(zone, b"Z" | b"+0000" | b"+00:00") || time[0] != b'T' || time[3] != b':' || time[6] != b':' {
        return None;
    }
    let (hour, minute, second) = (digits(&time[1..3]).ok()?, digits(&time[4..6]).ok()?, digits(&time[7..]).ok()?);
    // A leap second is for the calendar to tell.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    const EPOCH: Date = Date::constant(1970, 1, 1);
    let days = i64::from((date(day).ok()? - EPOCH).get_days());
    let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Timestamp::new(seconds, i32::from(millis) * 1_000_000).ok()
}

/// `2026-11-18T09:30:00.000+0000`, and without an offset where the system has a zone.
fn instant(text: &str, zone: Option<&TimeZone>) -> Ran<Timestamp> {
    let local = text.get(19..).is_none_or(|rest| !rest.contains(['Z', 'z', '+', '-']));
    match zone {
        _ if !local => text.trim().parse().map_err(|_| Leave),
        Some(zone) => {
            let local: DateTime = text.trim().parse().map_err(|_| Leave)?;
            Ok(zone.to_zoned(local).map_err(|_| Leave)?.timestamp())
        }
        None => Err(Leave),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_begins_and_ends_with_bytes_of_its_own() {
        for blank in ('\0'..=char::MAX).filter(|c| c.is_whitespace()) {
            let mut bytes = [0; 4];
            let bytes = blank.encode_utf8(&mut bytes).as_bytes();
            assert!(!bytes.first().is_some_and(begins_no_blank) && !bytes.last().is_some_and(ends_no_blank), "{:x}", u32::from(blank));
        }
    }

    proptest! {
        #[test]
        fn an_instant_is_what_the_calendar_says(second in -62_135_596_800_i64..253_402_300_799, millis in 0..1_000_i32, zone in "Z|\\+0000|\\+00:00", short in any::<bool>()) {
            let millis = if short { 0 } else { millis };
            let instant = Timestamp::new(second, if second < 0 { 0 } else { millis * 1_000_000 }).unwrap_or_default();
            let text = instant.strftime(if short { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S.%3f" }).to_string() + &zone;
            prop_assert_eq!(plain_instant(text.as_bytes()), Some(instant), "{}", text);
        }

        #[test]
        fn what_is_no_instant_is_none(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?(Z|\\+0000)") {
            if let Some(instant) = plain_instant(text.as_bytes()) {
                prop_assert_eq!(Some(instant), text.parse().ok(), "{}", text);
            }
        }
    }
}
