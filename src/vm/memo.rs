//! Cache of function results, by their arguments: a record usually has the same countries, carriers and days as the previous one.

use bumpalo::Bump;
use jiff::Timestamp;
use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::eval::{Leave, Ran};
use super::number::Number;
use super::op::Compiled;
use super::projection::{self, TWO_ENDS, first_and_last};
use super::reg::RegValue;
use crate::value::{Missing, Value};

/// Results that are kept of one function: of three that fall into one place and the one beside it the last one stays.
const PLACES: usize = 1_024;
/// Results of one function whose arguments are long.
const MOST_LONG: usize = 1_024;
/// Bytes of the arguments of such.
const LONGEST: usize = 256;

/// What one thread has kept, by function.
#[derive(Debug, Default)]
pub(crate) struct Memos {
    by_function: Vec<Memo>,
}

#[derive(Debug)]
struct Memo {
    places: Vec<Place>,
    /// Of arguments that are more than two, or long: by what they are found by. Of two that are found by the same the
    /// last one stays.
    long: FxHashMap<u64, Long>,
}

#[derive(Debug)]
struct Long {
    key: Box<[u8]>,
    result: Kept,
}

/// A result with its arguments, in one line of the cache.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Place {
    given: Given,
    /// None where nothing is kept.
    result: Option<Kept>,
}

const _: () = assert!(size_of::<Place>() == 64);

/// What tells at most two arguments from all others.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    /// Of a text the first and the last bytes: all that it has.
    words: [[u64; 2]; 2],
    /// What they are, and how long a text is; 0 where there is none.
    kinds: [u8; 2],
}

#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Missing,
    Boolean(bool),
    /// So many bytes of a text.
    Short(u8, [u8; SHORT]),
    Text(Box<str>),
    Number(Number),
    Date(Date),
    Instant(Timestamp),
}

/// Bytes of a text that is kept where its arguments are.
const SHORT: usize = 22;

impl Kept {
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Kept::Short(length, short)
            }
            _ => Kept::Text(text.into()),
        }
    }

    /// A text; none where it is none.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Kept::Short(length, bytes) => bytes.get(..usize::from(*length)),
            Kept::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

impl Memos {
    pub(crate) fn of(compiled: &Compiled<'_>) -> Self {
        let free = Place { given: Default::default(), result: None };
        let memo = |_| Memo { places: vec![free.clone(); PLACES], long: FxHashMap::default() };
        Memos { by_function: (0..compiled.memos).map(memo).collect() }
    }

    /// The result for some arguments.
    #[inline(always)]
    pub(crate) fn get<'v, 'r: 'v>(&self, memo: u32, arguments: impl Iterator<Item = &'v RegValue<'r>> + Clone) -> Option<&Kept> {
        let memo = self.by_function.get(memo as usize)?;
        let Some(given) = Given::of(arguments.clone()) else { return memo.long(arguments) };
        let at = given.place();
        [at, at ^ 1].into_iter().find_map(|at| memo.places.get(at).filter(|place| place.given.is(&given))?.result.as_ref())
    }

    /// Keeps a result; that of arguments which are very long, or no plain values, is not.
    pub(crate) fn keep<'v, 'r: 'v>(&mut self, memo: u32, arguments: impl Iterator<Item = &'v RegValue<'r>> + Clone, result: Kept) {
        let Some(Memo { places, long }) = self.by_function.get_mut(memo as usize) else { return };
        match Given::of(arguments.clone()) {
            Some(given) => {
                let at = given.place();
                let is_free = |at: usize| places.get(at).is_some_and(|place| place.result.is_none());
                // The first of both is looked at first.
                let beside = !is_free(at) && is_free(at ^ 1);
                if let Some(place) = places.get_mut(if beside { at ^ 1 } else { at }) {
                    *place = Place { given, result: Some(result) };
                }
            }
            None => {
                if let Some((hash, key)) = hash(arguments.clone()).zip(key(arguments)) {
                    if long.len() >= MOST_LONG {
                        long.clear();
                    }
                    long.insert(hash, Long { key: key.into(), result });
                }
            }
        }
    }
}

impl Memo {
    #[cold]
    #[inline(never)]
    fn long<'v, 'r: 'v>(&self, mut arguments: impl Iterator<Item = &'v RegValue<'r>> + Clone) -> Option<&Kept> {
        let Long { key, result } = self.long.get(&hash(arguments.clone())?)?;
        let rest = arguments.try_fold(&**key, |rest, argument| match argument {
            RegValue::Text(text) => rest.strip_prefix(&head(text))?.strip_prefix(*text),
            other => rest.strip_prefix(&told(other)?),
        })?;
        rest.is_empty().then_some(result)
    }
}

impl Given {
    /// None where there are more, or none, or one is long.
    #[inline(always)]
    fn of<'v, 'r: 'v>(mut arguments: impl Iterator<Item = &'v RegValue<'r>>) -> Option<Self> {
        let (first, kind) = words(arguments.next()?)?;
        let (second, other) = match arguments.next() {
            Some(second) => words(second)?,
            None => ([0, 0], 0),
        };
        arguments.next().is_none().then_some(Given { words: [first, second], kinds: [kind, other] })
    }

    /// Whether they are the same. They are compared a word at a time: what was just made in parts is not at once there to
    /// be read as a whole.
    #[inline(always)]
    fn is(&self, other: &Given) -> bool {
        let [[first, last], [second, end]] = self.words;
        let [[other_first, other_last], [other_second, other_end]] = other.words;
        self.kinds == other.kinds && first == other_first && last == other_last && second == other_second && end == other_end
    }

    /// Where the result for them is kept, or beside it.
    #[inline(always)]
    fn place(&self) -> usize {
        let all = self.words.iter().zip(self.kinds).fold(0_u64, |all, ([first, last], kind)| {
            (all.rotate_left(23) ^ first ^ last.rotate_left(27) ^ u64::from(kind)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        });
        (all >> (u64::BITS - PLACES.trailing_zeros())) as usize
    }
}

/// What tells an argument from all others of its kind, and the kind.
#[inline(always)]
fn words(value: &RegValue<'_>) -> Option<([u64; 2], u8)> {
    Some(match *value {
        RegValue::Text(text) if text.len() > TWO_ENDS => return None,
        RegValue::Text(text) => {
            let (first, last) = first_and_last(text);
            ([first, last], 32 + text.len() as u8)
        }
        RegValue::Missing(_) => ([0, 0], 1),
        RegValue::Boolean(truth) => ([u64::from(truth), 0], 2),
        // Coefficient and places are one word.
        RegValue::Number(number) => ([number.to_bits() as u64, 0], 3),
        RegValue::Date(date) => ([(i64::from(date.year()) * 512 + i64::from(date.month()) * 32 + i64::from(date.day())) as u64, 0], 4),
        RegValue::Instant(instant) => ([instant.as_second() as u64, instant.subsec_nanosecond() as u64], 5),
        _ => return None,
    })
}

/// What a result is kept as; none for what is no plain value.
pub(crate) fn kept(value: &Value) -> Ran<Kept> {
    Ok(match value {
        Value::Missing(Missing::Absent) => Kept::Missing,
        Value::Boolean(truth) => Kept::Boolean(*truth),
        Value::Text(text) => Kept::of(text),
        Value::Number(number) => Kept::Number(Number::of(*number).ok_or(Leave)?),
        Value::Date(date) => Kept::Date(*date),
        Value::DateTime(instant) => Kept::Instant(*instant),
        _ => return Err(Leave),
    })
}

/// Puts a result where it goes.
#[inline]
pub(crate) fn recall<'r>(kept: &Kept, bump: &'r Bump, place: &mut RegValue<'r>) {
    *place = match kept {
        Kept::Missing => RegValue::ABSENT,
        Kept::Boolean(truth) => RegValue::Boolean(*truth),
        Kept::Short(length, bytes) => RegValue::Text(bump.alloc(*bytes).get(..usize::from(*length)).unwrap_or_default()),
        Kept::Text(text) => RegValue::Text(bump.alloc_str(text).as_bytes()),
        Kept::Number(number) => RegValue::Number(*number),
        Kept::Date(date) => RegValue::Date(*date),
        Kept::Instant(instant) => RegValue::Instant(*instant),
    }
}

/// What some arguments are found by; none where one is no plain value.
fn hash<'v, 'r: 'v>(mut arguments: impl Iterator<Item = &'v RegValue<'r>>) -> Option<u64> {
    arguments.try_fold(0_u64, |all, argument| {
        let one = match argument {
            RegValue::Text(text) => projection::hash(text),
            other => {
                let ([first, last], kind) = words(other)?;
                first ^ last.rotate_left(27) ^ u64::from(kind)
            }
        };
        Some((all.rotate_left(23) ^ one).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    })
}

/// What tells some arguments from all others; none where one is no plain value, or they are very long.
fn key<'v, 'r: 'v>(arguments: impl Iterator<Item = &'v RegValue<'r>>) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for argument in arguments {
        match argument {
            RegValue::Text(text) if text.len() <= LONGEST => {
                key.extend_from_slice(&head(text));
                key.extend_from_slice(text);
            }
            RegValue::Text(_) => return None,
            other => key.extend_from_slice(&told(other)?),
        }
    }
    Some(key)
}

/// What stands before a text in a key.
fn head(text: &[u8]) -> [u8; 3] {
    [0, (text.len() >> 8) as u8, text.len() as u8]
}

/// What tells another argument in a key.
fn told(value: &RegValue<'_>) -> Option<[u8; 17]> {
    let (words, kind) = words(value)?;
    let mut told = [kind; 17];
    let (_, places) = told.split_first_mut()?;
    places.chunks_exact_mut(8).zip(words).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<(u8, String)>> {
        proptest::collection::vec((0_u8..5, "[ab\\x00\"é]{0,20}"), 0..4)
    }

    fn value((kind, text): &(u8, String)) -> RegValue<'_> {
        match kind {
            0 => RegValue::ABSENT,
            1 => RegValue::Boolean(text.is_empty()),
            2 => RegValue::Number(Number::count(text.len())),
            _ => RegValue::Text(text.as_bytes()),
        }
    }

    proptest! {
        /// The result that is kept is that of the same arguments, and no other's.
        #[test]
        fn a_result_is_that_of_its_arguments(one in values(), other in values()) {
            let memo = Memo { places: vec![Place { given: Default::default(), result: None }; PLACES], long: FxHashMap::default() };
            let mut memos = Memos { by_function: vec![memo] };
            let (one, other): (Vec<RegValue<'_>>, Vec<RegValue<'_>>) = (one.iter().map(value).collect(), other.iter().map(value).collect());
            memos.keep(0, one.iter(), Kept::of("one"));
            let found = |values: &[RegValue<'_>]| memos.get(0, values.iter()).and_then(Kept::text).map(<[u8]>::to_vec);
            prop_assert_eq!(found(&one), Some(b"one".to_vec()));
            prop_assert_eq!(found(&other).is_some(), one == other);
        }
    }
}
