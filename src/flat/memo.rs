//! Results of functions, kept by their arguments: a record's countries, carriers and days are mostly those of the one
//! before.

use bumpalo::Bump;
use jiff::Timestamp;
use jiff::civil::Date;

use super::eval::{Leave, Ran};
use super::number::Number;
use super::op::Lowered;
use super::reg::V;
use super::shape::{hash, same};
use crate::value::{Missing, Value};

/// Results that are kept of one function: of three that fall into one place and the one beside it the last one stays.
const PLACES: usize = 1_024;
/// Bytes of the arguments of a result that is kept.
const LONGEST: usize = 39;

/// What one thread has kept, by function.
#[derive(Debug, Default)]
pub(crate) struct Memos {
    by_function: Vec<Vec<Place>>,
}

/// A result with its arguments, in one line of the cache.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Place {
    /// None where nothing is kept.
    result: Option<Kept>,
    length: u8,
    key: [u8; LONGEST],
}

const _: () = assert!(size_of::<Place>() == 64);

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
    pub(crate) fn of(lowered: &Lowered<'_>) -> Self {
        let free = Place { result: None, length: 0, key: [0; LONGEST] };
        Memos { by_function: (0..lowered.memos).map(|_| vec![free.clone(); PLACES]).collect() }
    }

    /// The result for some arguments.
    #[inline]
    pub(crate) fn get<'v, 'r: 'v>(&self, memo: u32, arguments: impl Iterator<Item = &'v V<'r>> + Clone) -> Option<&Kept> {
        let places = self.by_function.get(memo as usize)?;
        let at = place(arguments.clone());
        [at, at ^ 1].into_iter().find_map(|at| {
            let Place { result, length, key } = places.get(at)?;
            let result = result.as_ref()?;
            is_key(key.get(..usize::from(*length))?, arguments.clone()).then_some(result)
        })
    }

    /// Keeps a result; that of arguments which are long, or no plain values, is not.
    pub(crate) fn keep<'v, 'r: 'v>(&mut self, memo: u32, arguments: impl Iterator<Item = &'v V<'r>> + Clone, result: Kept) {
        let mut bytes = Vec::new();
        if arguments.clone().all(|argument| push_key(argument, &mut bytes).is_ok())
            && let Some(places) = self.by_function.get_mut(memo as usize)
            && let at = place(arguments)
            && let free = places.get(at ^ 1).is_some_and(|place| place.result.is_none())
            && let Some(kept) = places.get_mut(if free { at ^ 1 } else { at })
            && let (Some(key), Ok(length)) = (kept.key.get_mut(..bytes.len()), u8::try_from(bytes.len()))
        {
            key.copy_from_slice(&bytes);
            kept.length = length;
            kept.result = Some(result);
        }
    }
}

/// Where the result for some arguments is kept, or beside it. A text is told by its ends: more would cost more than the
/// few results that are lost.
#[inline(always)]
fn place<'v, 'r: 'v>(arguments: impl Iterator<Item = &'v V<'r>>) -> usize {
    let mut all = 0_u64;
    for argument in arguments {
        let of = match argument {
            V::Text(text) => hash(text),
            V::Number(number) => number.coefficient() as u64,
            V::Date(date) => (i64::from(date.year()) * 512 + i64::from(date.month()) * 32 + i64::from(date.day())) as u64,
            V::Instant(instant) => instant.as_second() as u64,
            V::Boolean(truth) => u64::from(*truth),
            _ => 0,
        };
        all = (all.rotate_left(23) ^ of).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (all >> 32) as usize % PLACES
}

/// Whether some arguments are those of a key.
#[inline(always)]
fn is_key<'v, 'r: 'v>(mut key: &[u8], arguments: impl Iterator<Item = &'v V<'r>>) -> bool {
    for argument in arguments {
        let behind = match argument {
            V::Text(text) => match key {
                [3, length, rest @ ..] => rest.split_at_checked(usize::from(*length)).filter(|(kept, _)| same(kept, text)).map(|(_, behind)| behind),
                _ => None,
            },
            V::Missing(_) => key.strip_prefix(&[0]),
            other => part(other).and_then(|part| key.strip_prefix(part.as_slice())),
        };
        match behind {
            Some(behind) => key = behind,
            None => return false,
        }
    }
    key.is_empty()
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
pub(crate) fn recall<'r>(kept: &Kept, bump: &'r Bump, place: &mut V<'r>) {
    *place = match kept {
        Kept::Missing => V::ABSENT,
        Kept::Boolean(truth) => V::Boolean(*truth),
        Kept::Short(length, bytes) => V::Text(bump.alloc(*bytes).get(..usize::from(*length)).unwrap_or_default()),
        Kept::Text(text) => V::Text(bump.alloc_str(text).as_bytes()),
        Kept::Number(number) => V::Number(*number),
        Kept::Date(date) => V::Date(*date),
        Kept::Instant(instant) => V::Instant(*instant),
    }
}

/// Appends what tells an argument from every other.
fn push_key(value: &V<'_>, key: &mut Vec<u8>) -> Ran<()> {
    match value {
        V::Text(text) if text.len() <= LONGEST => {
            key.extend_from_slice(&[3, text.len() as u8]);
            key.extend_from_slice(text);
        }
        V::Text(_) => return Err(Leave),
        other => key.extend_from_slice(part(other).ok_or(Leave)?.as_slice()),
    }
    Ok(())
}

/// What tells an argument that is no text from every other.
struct Part {
    bytes: [u8; 17],
    length: u8,
}

impl Part {
    fn new<const N: usize>(kind: u8, value: [u8; N]) -> Self {
        let mut bytes = [0; 17];
        bytes[0] = kind;
        bytes.iter_mut().skip(1).zip(value).for_each(|(to, from)| *to = from);
        Part { bytes, length: N as u8 + 1 }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

#[inline(always)]
fn part(value: &V<'_>) -> Option<Part> {
    Some(match *value {
        V::Missing(_) => Part::new(0, []),
        V::Boolean(truth) => Part::new(1, [u8::from(truth)]),
        // Coefficient and places are one word.
        V::Number(number) => Part::new(2, number.to_bits().to_le_bytes()),
        V::Date(date) => {
            let [low, high] = date.year().to_le_bytes();
            Part::new(4, [low, high, date.month() as u8, date.day() as u8])
        }
        V::Instant(instant) => Part::new(5, instant.as_nanosecond().to_le_bytes()),
        _ => return None,
    })
}
