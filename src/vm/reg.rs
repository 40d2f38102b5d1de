//! Registers and their values.

use jiff::Timestamp;
use jiff::civil::Date;

use super::number::Number;
use super::projection::NodeId;
use crate::value::{LengthUnit, Missing, WeightUnit};

/// A register: of the record's own row, of what is computed, or of the row that an element of a list has.
///
/// The first two are told by their places. Those of rows have the highest bit, and the next ones for the base that they
/// are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reg(u32);

/// The base of the record's own row.
pub(crate) const RECORD: u8 = 0;
/// Bases: one for each loop around an operation, beside the record's own.
pub(crate) const BASES: usize = 16;

impl Reg {
    const OF_ROW: u32 = 1 << 31;
    const COMPUTED: u32 = 1 << 30;
    const BASE: u32 = 24;

    pub(crate) fn new(base: u8, at: u32) -> Self {
        Reg(if base == RECORD { at } else { Self::OF_ROW | u32::from(base) << Self::BASE | at })
    }

    /// What is computed. Its place is known when it is known how wide the record's own row is: [`Reg::settle`].
    pub(crate) fn computed(at: u32) -> Self {
        Reg(Self::COMPUTED | at)
    }

    /// The number of what is computed.
    pub(crate) fn as_computed(self) -> Option<u32> {
        (self.0 & (Self::OF_ROW | Self::COMPUTED) == Self::COMPUTED).then_some(self.0 & !Self::COMPUTED)
    }

    /// So many registers behind it.
    pub(crate) fn behind(self, count: u32) -> Self {
        Reg(self.0 + count)
    }

    /// `places`: of what is computed.
    pub(crate) fn relocate(&mut self, places: &[u32]) {
        if let Some(at) = self.as_computed() {
            self.0 = places.get(at as usize).copied().unwrap_or_default();
        }
    }

    /// Where it is.
    #[inline(always)]
    pub(crate) fn place(self, bases: &[u32; BASES]) -> usize {
        if self.0 & Self::OF_ROW == 0 {
            return self.0 as usize;
        }
        let base = bases[(self.0 >> Self::BASE) as usize % BASES];
        base.wrapping_add(self.0 & ((1 << Self::BASE) - 1)) as usize
    }
}

/// A value while a record is mapped. It borrows from the record, the plan, or what is made for this record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RegValue<'r> {
    Missing(Missing),
    Boolean(bool),
    Number(Number),
    Money(Number, Currency),
    /// UTF-8. The record's bytes were looked at before, so that slices of them need not be.
    Text(&'r [u8]),
    Date(Date),
    Instant(Timestamp),
    Weight(Number, WeightUnit),
    Length(Number, LengthUnit),
    /// A named thing, by its place in [`super::op::Compiled::references`].
    Named(u32),
    /// An object of the record: its node, and where the row begins that it stands in.
    Record(NodeId, u32),
    /// A list of objects: their rows in [`super::scan::Slots::rows`].
    Rows {
        node: NodeId,
        first: u32,
        count: u32,
    },
    List(&'r [RegValue<'r>]),
    /// A row of a table.
    Row(&'r [RegValue<'r>]),
}

/// The code of a currency by its place in the record; of no length where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Currency {
    pub(crate) start: u32,
    pub(crate) length: u8,
}

const _: () = assert!(size_of::<RegValue<'_>>() == 24, "values are copied all the time");

impl RegValue<'_> {
    pub(crate) const ABSENT: RegValue<'static> = RegValue::Missing(Missing::Absent);

    #[inline]
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, RegValue::Missing(_))
    }
}
