//! Reads fields of the record that are neither a text nor a number.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::eval::{Eval, Leave, Ran};
use super::number::Number;
use super::op::Decode;
use super::reg::{Currency, Reg, RegValue};

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// Puts what stands in a register where it goes, as its field's kind has it.
    #[inline(never)]
    pub(super) fn decode(&mut self, of: Reg, decode: &'r Decode<'p>, dst: u32) -> Ran<()> {
        match (decode, self.get(of)) {
            (_, &RegValue::Missing(missing)) => self.put(dst, RegValue::Missing(missing)),
            (Decode::Enumeration(words), &RegValue::Text(text)) if words.has(text) => self.put(dst, RegValue::Text(text)),
            (Decode::Boolean, &RegValue::Boolean(truth)) => self.put(dst, RegValue::Boolean(truth)),
            (Decode::Date, &RegValue::Text(text)) => self.put(dst, RegValue::Date(date(text)?)),
            (Decode::Instant(zone), &RegValue::Text(text)) => {
                let instant = match plain_instant(text) {
                    Some(instant) => instant,
                    None => instant(string(text)?, zone.as_ref())?,
                };
                self.put(dst, RegValue::Instant(instant));
            }
            (
                Decode::Integer { .. } | Decode::Decimal | Decode::Money { .. } | Decode::Weight(_) | Decode::Length(_),
                &(RegValue::Number(number) | RegValue::Money(number, _)),
            ) => self.amount(number, decode, dst)?,
            (Decode::Integer { text: true } | Decode::Decimal | Decode::Money { text: true, .. }, &RegValue::Text(text)) => {
                let digits = string(text)?.trim().as_bytes();
                let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                if !(ends(digits.last()) && (ends(digits.first()) || digits.first() == Some(&b'-') && ends(digits.get(1)))) {
                    return Err(Leave);
                }
                self.amount(Number::parse(digits).ok_or(Leave)?, decode, dst)?;
            }
            _ => return Err(Leave),
        }
        Ok(())
    }

    #[inline]
    fn amount(&mut self, number: Number, decode: &Decode<'p>, dst: u32) -> Ran<()> {
        match decode {
            Decode::Integer { .. } if number.is_whole() => self.put(dst, RegValue::Number(number.whole())),
            Decode::Decimal => self.put(dst, RegValue::Number(number)),
            Decode::Money { currency, .. } => {
                let code = currency.map(|reg| self.text_of(reg)).transpose()?.flatten();
                let code = code.map(|code| self.currency(code)).transpose()?.unwrap_or_default();
                self.put(dst, RegValue::Money(number, code));
            }
            Decode::Weight(unit) => self.put(dst, RegValue::Weight(number, *unit)),
            Decode::Length(unit) => self.put(dst, RegValue::Length(number, *unit)),
            _ => return Err(Leave),
        }
        Ok(())
    }

    /// Where a currency's code stands in the record.
    fn currency(&self, code: &[u8]) -> Ran<Currency> {
        let start = (code.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        match (u32::try_from(start), u8::try_from(code.len())) {
            (Ok(place), Ok(length)) if start < self.text.len() => Ok(Currency { start: place, length }),
            _ => Err(Leave),
        }
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
}

/// Whether a text ends with no white space, as far as its last bytes tell. In that of other scripts 0xC2, 0x80, 0x81 or
/// 0x9A stands before the last byte.
#[inline(always)]
pub(super) fn ends_no_blank(text: &[u8]) -> bool {
    match text {
        [.., b'!'..=b'~'] => true,
        [.., before, 0x80..=0xFF] => !matches!(before, 0xC2 | 0x80 | 0x81 | 0x9A),
        _ => false,
    }
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
    use super::super::token::begins_no_blank;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_begins_and_ends_with_bytes_of_its_own() {
        for blank in ('\0'..=char::MAX).filter(|c| c.is_whitespace()) {
            let mut bytes = [0; 4];
            let bytes = blank.encode_utf8(&mut bytes).as_bytes();
            assert!(!bytes.first().is_some_and(begins_no_blank) && !ends_no_blank(bytes), "{:x}", u32::from(blank));
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
