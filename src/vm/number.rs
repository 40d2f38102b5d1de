//! Exact numbers in one machine word: a coefficient and its decimal places, as [`Decimal`] has them, with trailing zeros. Larger numbers
//! go to the reference evaluator, so nothing is rounded here.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use super::bytes::Bytes;

/// `coefficient / 10^places`: the coefficient in the upper 58 bits, the places in the lower six.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(i64);

/// Places that a number here may have.
const MOST_PLACES: u8 = 18;
const SHIFT: u32 = 6;
/// What a coefficient is below.
const LIMIT: i64 = 1 << (63 - SHIFT);

const POWERS: [i64; 19] = {
    let mut powers = [1_i64; 19];
    let mut at = 1;
    while at < 19 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decimal())
    }
}

impl Number {
    pub(crate) const ZERO: Number = Number(0);

    #[inline]
    pub(crate) fn new(coefficient: i64, places: u8) -> Option<Self> {
        (-LIMIT < coefficient && coefficient < LIMIT && places <= MOST_PLACES).then_some(Number((coefficient << SHIFT) | i64::from(places)))
    }

    /// A count: elements of a list, characters of a text. There are never as many as do not fit.
    pub(crate) fn count(count: usize) -> Self {
        i64::try_from(count).ok().and_then(|count| Number::new(count, 0)).unwrap_or(Number::ZERO)
    }

    #[inline]
    pub(crate) fn coefficient(self) -> i64 {
        self.0 >> SHIFT
    }

    #[inline]
    pub(crate) fn places(self) -> u8 {
        (self.0 & ((1 << SHIFT) - 1)) as u8
    }

    /// What tells it from every other number that is written in another way.
    pub(crate) fn to_bits(self) -> i64 {
        self.0
    }

    /// The number of some digits (`-12.50`); none where it does not fit, or has an exponent.
    pub(crate) fn parse(digits: &[u8]) -> Option<Self> {
        let (negative, digits) = match digits.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, digits),
        };
        // As many fit, with a point among them.
        if digits.is_empty() || digits.len() > 18 {
            return None;
        }
        let (mut coefficient, mut places, mut point) = (0_i64, 0, false);
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                coefficient = coefficient.wrapping_mul(10).wrapping_add(i64::from(digit));
                places += u8::from(point);
            } else if *byte == b'.' && !point {
                point = true;
            } else {
                return None;
            }
        }
        if negative && coefficient == 0 {
            return None;
        }
        Number::new(if negative { -coefficient } else { coefficient }, places)
    }

    pub(crate) fn of(decimal: Decimal) -> Option<Self> {
        let coefficient = i64::try_from(decimal.mantissa()).ok()?;
        let places = u8::try_from(decimal.scale()).ok()?;
        // Zero has a sign there.
        if coefficient == 0 && decimal.is_sign_negative() { None } else { Number::new(coefficient, places) }
    }

    pub(crate) fn decimal(self) -> Decimal {
        Decimal::new(self.coefficient(), u32::from(self.places()))
    }

    /// Both coefficients in the larger number of places.
    #[inline]
    fn aligned(self, other: Self) -> Option<(i64, i64, u8)> {
        let scaled = |number: Number, places: u8| number.coefficient().checked_mul(*POWERS.get(usize::from(places - number.places()))?);
        match self.places().cmp(&other.places()) {
            Ordering::Equal => Some((self.coefficient(), other.coefficient(), self.places())),
            Ordering::Less => Some((scaled(self, other.places())?, other.coefficient(), other.places())),
            Ordering::Greater => Some((self.coefficient(), scaled(other, self.places())?, self.places())),
        }
    }

    /// A sum or a product. In the reference 0 has rules of its own for its sign and places.
    #[inline]
    fn near(coefficient: i64, places: u8) -> Option<Self> {
        if coefficient == 0 { None } else { Number::new(coefficient, places) }
    }

    #[inline]
    fn sum(self, other: Self, of: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        if self.coefficient() == 0 || other.coefficient() == 0 {
            return None;
        }
        let (a, b, places) = self.aligned(other)?;
        Number::near(of(a, b)?, places)
    }

    #[inline(always)]
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        if self.coefficient() == 0 || other.coefficient() == 0 {
            return self.odd_times(other);
        }
        let places = self.places() + other.places();
        Number::near(self.coefficient().checked_mul(other.coefficient())?, places)
    }

    #[cold]
    #[inline(never)]
    fn odd_times(self, other: Self) -> Option<Self> {
        Number::of(self.decimal().checked_mul(other.decimal())?)
    }

    #[inline]
    pub(crate) fn add(self, other: Self) -> Option<Self> {
        match self.sum(other, i64::checked_add) {
            Some(sum) => Some(sum),
            None => self.odd_add(other),
        }
    }

    #[cold]
    #[inline(never)]
    fn odd_add(self, other: Self) -> Option<Self> {
        Number::of(self.decimal().checked_add(other.decimal())?)
    }

    #[inline]
    pub(crate) fn subtract(self, other: Self) -> Option<Self> {
        match self.sum(other, i64::checked_sub) {
            Some(difference) => Some(difference),
            None => Number::of(self.decimal().checked_sub(other.decimal())?),
        }
    }

    /// None where the divisor is 0, which is for the caller to ask first, or the quotient is too long.
    pub(crate) fn divide(self, other: Self) -> Option<Self> {
        Number::of(self.decimal().checked_div(other.decimal())?)
    }

    #[inline]
    pub(crate) fn is_zero(self) -> bool {
        self.coefficient() == 0
    }

    #[inline(always)]
    pub(crate) fn round(self, places: u32, how: RoundingStrategy) -> Option<Self> {
        if u32::from(self.places()) <= places { Some(self) } else { self.rounded(places, how) }
    }

    /// The same where there are more places.
    #[inline(never)]
    fn rounded(self, places: u32, how: RoundingStrategy) -> Option<Self> {
        let up: fn(i64, i64, i64) -> bool = match how {
            RoundingStrategy::MidpointAwayFromZero => |_, rest, half| rest >= half,
            RoundingStrategy::MidpointNearestEven => |whole, rest, half| rest > half || (rest == half && whole % 2 == 1),
            _ => return Number::of(self.decimal().round_dp_with_strategy(places, how)),
        };
        let power = *POWERS.get(usize::from(self.places()) - places as usize)?;
        let size = self.coefficient().abs();
        let (whole, rest) = (size / power, size % power);
        let whole = whole + i64::from(up(whole, rest, power / 2));
        // In the reference 0 keeps the sign of what it was.
        if whole == 0 {
            return Number::of(self.decimal().round_dp_with_strategy(places, how));
        }
        Number::new(if self.coefficient() < 0 { -whole } else { whole }, places as u8)
    }

    #[inline]
    pub(crate) fn is_whole(self) -> bool {
        self.places() == 0 || POWERS.get(usize::from(self.places())).is_some_and(|power| self.coefficient() % power == 0)
    }

    /// A whole number without its places.
    #[inline]
    pub(crate) fn whole(self) -> Self {
        POWERS.get(usize::from(self.places())).map_or(Number::ZERO, |power| Number((self.coefficient() / power) << SHIFT))
    }

    /// Without trailing zeros.
    pub(crate) fn normal(self) -> Self {
        let (mut coefficient, mut places) = (self.coefficient(), self.places());
        if coefficient == 0 {
            return Number::ZERO;
        }
        while places > 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            places -= 1;
        }
        Number((coefficient << SHIFT) | i64::from(places))
    }

    /// Without its sign.
    pub(crate) fn size(self) -> Self {
        Number((self.coefficient().abs() << SHIFT) | i64::from(self.places()))
    }

    #[inline]
    pub(crate) fn order(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((a, b, _)) => a.cmp(&b),
            None => self.decimal().cmp(&other.decimal()),
        }
    }

    /// Its one digit, where it has no more.
    #[inline(always)]
    pub(super) fn digit(self) -> Option<u8> {
        const TEN: u64 = 10 << SHIFT;
        // One with places has some of the lower bits, and a negative one the highest.
        (self.0 as u64 & ((1 << SHIFT) - 1) == 0 && (self.0 as u64) < TEN).then(|| b'0' + (self.0 >> SHIFT) as u8)
    }

    /// Its digits, where there are few; none for others.
    #[inline(always)]
    pub(super) fn short(self) -> Option<Short> {
        let size = self.coefficient().unsigned_abs();
        (size < EIGHT_DIGITS && self.places() <= 7).then_some(Short { size: size as u32, places: self.places(), negative: self.coefficient() < 0 })
    }

    /// Appends its digits.
    #[inline(never)]
    pub(super) fn print(self, out: &mut Bytes) {
        match self.short() {
            Some(short) => out.with(|place| short.print(place)),
            None => print_long(self.coefficient().unsigned_abs(), self.places(), self.coefficient() < 0, out),
        }
    }
}

/// Bytes that the digits of a short number are written into.
pub(super) const SHORT: usize = 24;

/// A number of at most eight digits, of which one stands before the point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    size: u32,
    places: u8,
    negative: bool,
}

impl Short {
    /// Writes the digits; gives how many bytes they have.
    #[inline(always)]
    pub(super) fn print(self, place: &mut [u8; SHORT]) -> usize {
        let digits = eight_digits(self.size);
        let places = u32::from(self.places.min(7));
        // One digit stands before the point in any case.
        let zeros = (digits.trailing_zeros() / 8).min(7 - places);
        // At most eight: so the compiler knows that they fit.
        let whole = (8 - zeros - places) as usize % 16;
        let digits = (digits >> (8 * zeros)) | 0x3030_3030_3030_3030;
        place[0] = b'-';
        let sign = usize::from(self.negative);
        let mut write = |at: usize, bytes: u64| {
            if let Some(to) = place.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                *to = bytes.to_le_bytes();
            }
        };
        write(sign, digits);
        if places == 0 {
            return sign + whole;
        }
        // At least one of the eight stands behind the point.
        write(sign + whole, digits >> (8 * (whole % 8)) << 8 | u64::from(b'.'));
        sign + whole + 1 + places as usize
    }
}

/// What a number of eight digits is below.
const EIGHT_DIGITS: u64 = 100_000_000;

/// The eight digits of a number, the first one in the lowest byte: those of four, of two and of one side by side.
/// <https://johnnylee-sde.github.io/Fast-unsigned-integer-to-string/>
#[inline]
fn eight_digits(number: u32) -> u64 {
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    // A multiplication and a shift divide exactly where numbers are as small.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - tens * 10) << 8
}

#[cold]
fn print_long(size: u64, places: u8, negative: bool, out: &mut Bytes) {
    use std::io::Write as _;
    let power = POWERS.get(usize::from(places)).map_or(1, |power| power.unsigned_abs());
    let (whole, fraction) = (size / power, size % power);
    if negative {
        out.push(b'-');
    }
    // Writing to memory does not fail.
    let _ = match places {
        0 => write!(out, "{whole}"),
        places => write!(out, "{whole}.{fraction:0width$}", width = usize::from(places)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(number: Number) -> String {
        let mut out = Bytes::default();
        number.print(&mut out);
        String::from_utf8(out.to_vec()).unwrap_or_default()
    }

    fn number() -> impl Strategy<Value = Number> {
        let coefficient = prop_oneof![Just(0_i64), -1_000..1_000_i64, -1_000_000_000..1_000_000_000_i64, -LIMIT + 1..LIMIT];
        (coefficient, 0..=MOST_PLACES).prop_filter_map("it fits", |(coefficient, places)| Number::new(coefficient, places))
    }

    proptest! {
        /// Each result is the reference's, digit by digit, or there is none.
        #[test]
        fn it_computes_what_the_decimal_does(a in number(), b in number(), places in 0..6_u32) {
            let (x, y) = (a.decimal(), b.decimal());
            prop_assert_eq!(printed(a), x.to_string());
            prop_assert_eq!(Number::of(x), Some(a));
            prop_assert_eq!(Number::parse(x.to_string().as_bytes()).map_or(x, Number::decimal).to_string(), x.to_string());
            let same = |mine: Option<Number>, theirs: Option<Decimal>| mine.is_none_or(|mine| theirs.is_some_and(|theirs| printed(mine) == theirs.to_string()));
            prop_assert!(same(a.add(b), x.checked_add(y)), "{} + {}: {:?}", x, y, a.add(b));
            prop_assert!(same(a.subtract(b), x.checked_sub(y)), "{} - {}: {:?}", x, y, a.subtract(b));
            prop_assert!(same(a.times(b), x.checked_mul(y)), "{} * {}: {:?}", x, y, a.times(b));
            if !b.is_zero() {
                prop_assert!(same(a.divide(b), x.checked_div(y)));
            }
            for how in [RoundingStrategy::MidpointAwayFromZero, RoundingStrategy::MidpointNearestEven, RoundingStrategy::ToZero] {
                prop_assert!(same(a.round(places, how), Some(x.round_dp_with_strategy(places, how))));
            }
            prop_assert_eq!(printed(a.normal()), x.normalize().to_string());
            prop_assert_eq!(a.order(b), x.cmp(&y));
            prop_assert_eq!(a.is_whole(), x.fract().is_zero());
            if a.is_whole() {
                prop_assert_eq!(printed(a.whole()), x.trunc().normalize().to_string());
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        for digits in ["", "-", "1e3", "99999999999999999999", "-0", "-0.00", "1.2.3"] {
            assert_eq!(Number::parse(digits.as_bytes()), None, "{digits}");
        }
        assert_eq!(Number::parse(b"0.50").map(printed), Some("0.50".to_owned()));
    }
}
