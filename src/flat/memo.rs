//! Results of functions, kept by their arguments: a record's countries, carriers and days are mostly those of the one
//! before.

use std::hash::BuildHasher;

use bumpalo::Bump;
use jiff::Timestamp;
use jiff::civil::Date;
use rustc_hash::FxBuildHasher;

use super::eval::{Leave, Ran};
use super::number::Number;
use super::op::{Lowered, V};
use crate::value::{Missing, Value};

/// Results that are kept of one function: of two that fall into one place the later one stays.
const PLACES: usize = 1_024;
/// Bytes of the arguments of a result that is kept.
const LONGEST_KEPT: usize = 96;

/// What one thread has kept, by function.
#[derive(Debug, Default)]
pub(crate) struct Memos {
    kept: Vec<Vec<Option<(Box<[u8]>, Kept)>>>,
    /// Where the key at hand is put together.
    pub(super) key: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Missing,
    Boolean(bool),
    Text(Box<str>),
    Number(Number),
    Date(Date),
    Instant(Timestamp),
}

impl Memos {
    pub(crate) fn of(lowered: &Lowered<'_>) -> Self {
        Memos { kept: (0..lowered.memos).map(|_| vec![None; PLACES]).collect(), key: Vec::new() }
    }

    #[inline]
    fn place(key: &[u8]) -> usize {
        FxBuildHasher.hash_one(key) as usize % PLACES
    }

    #[inline]
    pub(crate) fn get(&self, memo: u32, key: &[u8]) -> Option<&Kept> {
        let (known, kept) = self.kept.get(memo as usize)?.get(Self::place(key))?.as_ref()?;
        (**known == *key).then_some(kept)
    }

    pub(crate) fn keep(&mut self, memo: u32, key: &[u8], kept: Kept) {
        if let Some(place) = self.kept.get_mut(memo as usize).and_then(|known| known.get_mut(Self::place(key)))
            && key.len() <= LONGEST_KEPT
        {
            *place = Some((key.into(), kept));
        }
    }
}

/// What a result is kept as; none for what is no plain value.
pub(crate) fn kept(value: &Value) -> Ran<Kept> {
    Ok(match value {
        Value::Missing(Missing::Absent) => Kept::Missing,
        Value::Boolean(truth) => Kept::Boolean(*truth),
        Value::Text(text) => Kept::Text((&**text).into()),
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
        Kept::Text(text) => V::Text(bump.alloc_str(text).as_bytes()),
        Kept::Number(number) => V::Number(*number),
        Kept::Date(date) => V::Date(*date),
        Kept::Instant(instant) => V::Instant(*instant),
    }
}

/// Appends what tells an argument from every other.
pub(crate) fn push_key(value: &V<'_>, key: &mut Vec<u8>) -> Ran<()> {
    match *value {
        V::Missing(_) => key.push(0),
        V::Boolean(truth) => key.extend_from_slice(&[1, u8::from(truth)]),
        V::Number(number) => {
            key.extend_from_slice(&[2, number.places()]);
            key.extend_from_slice(&number.coefficient().to_le_bytes());
        }
        V::Text(text) if text.len() <= LONGEST_KEPT => {
            key.extend_from_slice(&[3, text.len() as u8]);
            key.extend_from_slice(text);
        }
        V::Date(date) => {
            key.push(4);
            key.extend_from_slice(&date.year().to_le_bytes());
            key.extend_from_slice(&[date.month() as u8, date.day() as u8]);
        }
        V::Instant(instant) => {
            key.push(5);
            key.extend_from_slice(&instant.as_nanosecond().to_le_bytes());
        }
        _ => return Err(Leave),
    }
    Ok(())
}
