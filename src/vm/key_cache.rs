//! Key-order cache: predicts the next key from the previous record, since records of one source have the same keys in the same order,
//! and often the same values.

use super::projection::NodeId;
use super::reg::RegValue;
use super::simd::{Expected, Prefix};
use super::token::{begins_no_blank, blank_or, number, number_of, text_of, word};
use crate::value::Missing;

/// A key that is expected next. It is looked at for each member of each record, so it fills one line of the cache.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct ExpectedKey {
    /// `,"name":`, and without the comma that of the first in its object.
    prefix: Prefix,
    pub(super) meaning: Meaning,
    pub(super) length: Length,
    pub(super) more: Box<More>,
}

/// What is needed of a key less often.
#[derive(Debug)]
pub(super) struct More {
    key: Box<[u8]>,
    /// Of a key that is not read: an object or a list that was its value. Many such are the same in every record.
    pub(super) value: Option<Expected>,
    /// The same: the keys of the objects in it.
    pub(super) inside: Vec<ExpectedKey>,
}

/// How long the texts of a key are: ids and times are all of one length, and then what comes behind one need not wait
/// for its end to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Unknown,
    Steady(u8),
    Different,
}

const _: () = assert!(size_of::<ExpectedKey>() == 64);

impl ExpectedKey {
    pub(super) fn new(key: &[u8], meaning: Meaning) -> Self {
        let more = Box::new(More { key: key.into(), value: None, inside: Vec::new() });
        ExpectedKey { prefix: Prefix::new(key), meaning, length: Length::Unknown, more }
    }

    /// `"name":`
    pub(super) fn name(&self) -> &[u8] {
        self.more.key.strip_prefix(b",").unwrap_or(&self.more.key)
    }

    /// What stands behind the key; none where something else begins there.
    #[inline(always)]
    pub(super) fn behind<'b>(&self, rest: &'b [u8]) -> Option<&'b [u8]> {
        self.prefix.behind(rest, || &self.more.key)
    }
}

/// What a key is to the projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Unread,
    /// A text, and its slot.
    Text(u32),
    Number(u32),
    /// A text, a number or a boolean.
    Scalar(u32),
    /// An object, or a list of such.
    Inner(NodeId),
}

/// The keys of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Keys(pub(super) Vec<ExpectedKey>);

/// What one thread has learned of the records that it has read.
#[derive(Debug, Default)]
pub(crate) struct ExpectedKeys {
    /// By node: the keys of its object in the last records, in their order. None while it is read.
    pub(super) by_node: Vec<Option<Box<Keys>>>,
    /// How many keys are expected.
    pub(super) count: usize,
}

/// Bytes of a value that is expected.
pub(super) const LONGEST_EXPECTED: usize = 64;
/// Keys of one object that are expected.
pub(super) const MOST_EXPECTED: usize = 512;
/// Keys that are expected altogether.
pub(super) const MOST_OF_ALL: usize = 16 * 1024;

/// Passes over members whose keys are the ones that are expected, with values of a common form: how many, and what stands
/// behind them. `row`: where their slots are.
#[inline(always)]
pub(super) fn as_expected<'r>(expected_keys: &mut [ExpectedKey], mut rest: &'r [u8], row: &mut [RegValue<'r>]) -> (usize, &'r [u8]) {
    let all = expected_keys.len();
    let mut left = expected_keys.iter_mut();
    while let Some(key) = left.next() {
        match expected(key, rest, row) {
            Some(behind) => rest = behind,
            None => return (all - left.len() - 1, rest),
        }
    }
    (all, rest)
}

/// What stands behind a member whose key is the one that is expected.
#[inline(always)]
fn expected<'r>(key: &mut ExpectedKey, rest: &'r [u8], row: &mut [RegValue<'r>]) -> Option<&'r [u8]> {
    let rest = key.behind(rest)?;
    let first = *rest.first()?;
    // A text or a number is written where it goes as soon as it is known, a word at a time.
    match key.meaning {
        Meaning::Unread => match first {
            b'"' => Some(text_of(rest, &mut key.length)?.1),
            b'{' | b'[' => key.more.value.as_ref()?.behind(rest),
            b'-' | b'0'..=b'9' => rest.get(number(rest)?..),
            _ => rest.get(word(rest)?..),
        },
        Meaning::Text(slot) | Meaning::Scalar(slot) if first == b'"' => {
            let (text, behind) = text_of(rest, &mut key.length)?;
            let place = free(row, slot)?;
            if text.first().is_some_and(begins_no_blank) {
                *place = RegValue::Text(text);
            } else {
                *place = blank_or(text);
            }
            Some(behind)
        }
        Meaning::Number(slot) | Meaning::Scalar(slot) if matches!(first, b'-' | b'0'..=b'9') => {
            let (number, behind) = number_of(rest)?;
            *free(row, slot)? = RegValue::Number(number);
            Some(behind)
        }
        Meaning::Text(slot) | Meaning::Number(slot) | Meaning::Scalar(slot) if first == b'n' => {
            let behind = rest.get(word(rest)?..)?;
            *free(row, slot)? = RegValue::Missing(Missing::Null);
            Some(behind)
        }
        Meaning::Scalar(slot) if matches!(first, b't' | b'f') => {
            let behind = rest.get(word(rest)?..)?;
            *free(row, slot)? = RegValue::Boolean(first == b't');
            Some(behind)
        }
        _ => None,
    }
}

/// The place of a slot; none where its key stands twice.
#[inline(always)]
fn free<'v, 'r>(row: &'v mut [RegValue<'r>], slot: u32) -> Option<&'v mut RegValue<'r>> {
    row.get_mut(slot as usize).filter(|place| matches!(place, RegValue::Missing(Missing::Absent)))
}
