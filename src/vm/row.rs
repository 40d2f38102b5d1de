//! What a flow writes: payloads, and the rows of their objects.

use jiff::tz::TimeZone;
use regex::bytes::Regex;
use rust_decimal::RoundingStrategy;

use super::bytes::Bytes;
use super::number::Number;
use super::op::{At, StringSet};
use super::quote::quote;
use super::reg::Reg;
use super::simd::WIDTH;
use crate::schema::Field;
use crate::value::{MAX_TEXT, WeightUnit};

/// What becomes of an object in which nothing is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Written,
    LeftOut,
    /// Left out, where it has to be there.
    Required,
}

/// A product that is rounded. `or`: where the second factor is missing.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) of: Reg,
    pub(crate) by: Reg,
    pub(crate) or: Option<Number>,
    pub(crate) places: u32,
    pub(crate) how: RoundingStrategy,
}

/// Bytes that are written often. Short ones are copied in one piece of a fixed length, and cut.
#[derive(Debug)]
pub(crate) struct Key {
    pub(super) short: [u8; WIDTH],
    whole: Box<[u8]>,
}

impl Key {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut short = [0; WIDTH];
        short.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Key { short, whole: bytes.into() }
    }

    /// With a text behind it, as JSON has it.
    pub(super) fn and_text(key: &[u8], text: &[u8]) -> Self {
        let mut whole = Bytes::default();
        whole.extend_from_slice(key);
        quote(text, &mut whole);
        Key::new(&whole)
    }

    pub(super) fn whole(&self) -> &[u8] {
        &self.whole
    }

    #[inline(always)]
    pub(super) fn length(&self) -> usize {
        self.whole.len()
    }

    #[inline(always)]
    pub(super) fn push(&self, out: &mut Bytes) {
        if self.whole.len() <= WIDTH {
            out.with(|place| {
                *place = self.short;
                self.whole.len()
            });
        } else {
            out.extend_from_slice(&self.whole);
        }
    }
}

/// A row of a payload: what common values need of it fills one line of the cache.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Row<'p> {
    pub(crate) key: Key,
    /// It has to be there.
    pub(crate) required: bool,
    /// Numbers with at most as many places, and a coefficient of at most this size, are written as they are; places below 0:
    /// none are.
    pub(crate) places: i8,
    /// Those below 0 too.
    pub(crate) negative: bool,
    pub(crate) bound: u32,
    pub(crate) out: Box<Out<'p>>,
}

const _: () = assert!(size_of::<Row<'_>>() == 64);

/// How a target field takes a value, and what it is held to.
#[derive(Debug)]
pub(crate) struct Out<'p> {
    pub(crate) form: Form<'p>,
    pub(crate) field: &'p Field,
    pub(crate) pattern: Option<Regex>,
    /// Bytes of a text that is short enough in any case.
    pub(crate) most: usize,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    /// An amount has to be below it.
    pub(crate) limit: Option<Number>,
    /// Nothing of a number is held to anything.
    pub(crate) any_number: bool,
}

impl Out<'_> {
    /// Whether a text that is the same in every record may stand there; what is near a bound is told for each record.
    pub(super) fn takes_at_once(&self, text: &[u8]) -> bool {
        matches!(&self.form, Form::Text(words) if words.as_ref().is_none_or(|words| words.has(text))) && text.len() <= self.most.min(MAX_TEXT)
    }
}

#[derive(Debug)]
pub(crate) enum Form<'p> {
    Text(Option<StringSet<'p>>),
    Integer {
        text: bool,
    },
    Decimal {
        text: bool,
    },
    Boolean,
    Date,
    Instant {
        zone: Option<(TimeZone, &'p str)>,
        memo: u32,
    },
    /// In an object, by its unit.
    Weight(Box<[Unit]>),
    /// A named thing, as each of [`super::op::Compiled::references`] is written; none for one that does not fit.
    Named(Vec<Option<Box<[u8]>>>),
    /// By the reference's own encoding.
    Other,
}

/// How a weight of a unit is written.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) of: WeightUnit,
    /// 0 where the target has the same unit.
    pub(crate) factor: Number,
    /// What stands before and behind the amount.
    pub(crate) before: Key,
    pub(crate) behind: Key,
}

#[derive(Debug)]
pub(crate) struct Write<'p> {
    /// The place of its object among those that the flow writes.
    pub(crate) object: usize,
    pub(crate) op: &'static str,
    /// Code that says whether it is made, and computes key and id.
    pub(crate) begin: At,
    pub(crate) key: Option<(Reg, Option<KeyField<'p>>)>,
    /// Of the source's record.
    pub(crate) id: Option<Reg>,
    /// Code that writes its body.
    pub(crate) body: At,
}

#[derive(Debug)]
pub(crate) struct KeyField<'p> {
    /// `"orderKey":`
    pub(crate) name: Box<[u8]>,
    pub(crate) field: &'p Field,
}
