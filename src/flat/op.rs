//! What a flow is lowered to: operations in one list, that refer to each other by their places in it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::bytes::Regex;
use rust_decimal::RoundingStrategy;
use rustc_hash::{FxHashMap, FxHashSet};

use super::number::Number;
use super::shape::{NodeId, Shape, hash};
use crate::builtin::BuiltinRef;
use crate::check::typed::{Arithmetic, Compare, Place as SourcePlace};
use crate::schema::Field;
use crate::value::{LengthUnit, Missing, Reference, WeightUnit};

/// The place of an operation.
pub(crate) type At = u32;

/// A value while a record is mapped. It borrows from the record, the plan, or what is made for this record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum V<'r> {
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
    /// A named thing, by its place in [`Lowered::references`].
    Named(u32),
    /// An object of the record: its node, and where its row begins.
    Record(NodeId, u32),
    /// A list of such: their rows in [`super::scan::Slots::rows`].
    Rows {
        node: NodeId,
        first: u32,
        count: u32,
    },
    List(&'r [V<'r>]),
    /// A row of a table.
    Row(&'r [V<'r>]),
}

/// The code of a currency by its place in the record; of no length where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Currency {
    pub(crate) start: u32,
    pub(crate) length: u8,
}

const _: () = assert!(size_of::<V<'_>>() == 24, "values are copied all the time");

impl V<'_> {
    pub(crate) const ABSENT: V<'static> = V::Missing(Missing::Absent);

    #[inline]
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, V::Missing(_))
    }
}

/// Where a field stands in each of the objects that it may be read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) of: NodeId,
    pub(crate) slot: u32,
    pub(crate) node: NodeId,
}

/// How a field of the record is read.
#[derive(Debug)]
pub(crate) enum Decode<'p> {
    Text,
    /// The texts that are known; none where any is taken.
    Enumeration(Option<Words<'p>>),
    Integer {
        text: bool,
    },
    Decimal {
        text: bool,
    },
    Money {
        text: bool,
        currency: Box<[Place]>,
    },
    Boolean,
    Date,
    Instant(Option<TimeZone>),
    Weight(WeightUnit),
    Length(LengthUnit),
    Object,
    Rows,
}

/// A set of texts: of a few, what most tell apart is compared one by one.
#[derive(Debug)]
pub(crate) enum Words<'p> {
    Few(Box<[(u64, &'p [u8])]>),
    Many(FxHashSet<&'p [u8]>),
}

impl<'p> Words<'p> {
    pub(crate) fn of(words: impl Iterator<Item = &'p str>) -> Self {
        let words: Vec<&[u8]> = words.map(str::as_bytes).collect();
        if words.len() <= 8 {
            Words::Few(words.into_iter().map(|word| (hash(word), word)).collect())
        } else {
            Words::Many(words.into_iter().collect())
        }
    }

    pub(crate) fn has(&self, text: &[u8]) -> bool {
        match self {
            Words::Few(words) => {
                let known = hash(text);
                words.iter().any(|(hash, word)| *hash == known && *word == text)
            }
            Words::Many(words) => words.contains(text),
        }
    }
}

/// Functions that need no copy of their text, or are called for every line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quick {
    Trim,
    Lower,
    Upper,
    Truncate(usize),
    Length,
    Count,
    Sum,
    Round(u32, RoundingStrategy),
}

#[derive(Debug)]
pub(crate) enum Piece<'p> {
    Text(&'p [u8]),
    Value(At),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Treat {
    Number,
    Money,
    Text,
    As,
}

/// The tag is a byte of its own: it is looked at for each operation of each record.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Op<'p> {
    Const(V<'p>),
    Slot(u32),
    /// A text of the record itself, or of an object in it. Where it is not there, it is missing: the scanner leaves a
    /// record with anything but objects on the way.
    RootText {
        raw: u32,
        whole: At,
    },
    /// A text in a row: of an element of a list.
    RowText {
        slot: u32,
        place: Place,
        whole: At,
    },
    /// A text in one of several objects.
    PathText {
        slot: u32,
        places: Box<[Place]>,
        whole: At,
    },
    Read {
        base: At,
        places: Box<[Place]>,
        decode: Decode<'p>,
    },
    /// The same for a path through objects from a name: its last field is looked at first, and only where there is none
    /// what is on the way.
    Path {
        slot: u32,
        places: Box<[Place]>,
        decode: Decode<'p>,
        whole: At,
    },
    /// A path of the record itself: it stands in one place.
    RootPath {
        raw: u32,
        node: NodeId,
        decode: Decode<'p>,
        whole: At,
    },
    /// A path in a row, that stands in one place.
    RowPath {
        slot: u32,
        place: Place,
        decode: Decode<'p>,
        whole: At,
    },
    /// A column of a table's row.
    Column {
        base: At,
        column: u32,
    },
    /// The same of a row that has a name.
    ColumnOf {
        slot: u32,
        column: u32,
    },
    Bind {
        slot: u32,
        value: At,
        body: At,
    },
    Quick(Quick, At),
    Call {
        function: BuiltinRef,
        arguments: Box<[At]>,
        /// Its results are kept: it gives the same for the same texts.
        memo: u32,
    },
    Values {
        map: u32,
        value: At,
    },
    Table {
        table: u32,
        keys: Box<[At]>,
    },
    Template {
        pieces: Box<[Piece<'p>]>,
        message: bool,
    },
    Fallback(At, At),
    Arithmetic(Arithmetic, At, At),
    /// The sum of numbers or amounts, one for each element.
    Sum {
        of: Loop,
        body: At,
        money: bool,
    },
    /// A line of a street that is written in one; of others the call tells.
    StreetLine {
        street: At,
        first: bool,
        call: At,
    },
    Compare(Compare, At, At),
    /// With a number that is the same for every record.
    CompareNumber(Compare, At, Number),
    And(Box<[At]>),
    Or(Box<[At]>),
    Not(At),
    In(At, Box<[At]>),
    InWords(At, Words<'p>),
    /// `x == "word"`
    IsWord(At, &'p [u8]),
    Matches(At, Box<Regex>),
    IsPresent(At),
    WasSent(At),
    If(At, At, At),
    Each(Loop, At),
    Weigh(At, WeightUnit),
    Measure(At, LengthUnit),
    Treat(At, Treat),
    /// Why the record is rejected: the reasons' messages.
    Reasons,
    /// What only the reference evaluator tells.
    Leave,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) generators: Box<[Generator]>,
    pub(crate) condition: Option<At>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Generator {
    pub(crate) slot: u32,
    pub(crate) list: At,
    pub(crate) optional: bool,
    pub(crate) index: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Rule<'p> {
    pub(crate) id: u32,
    /// Rules that it rests on: it is silent where one of them has failed.
    pub(crate) rests_on: &'p [u32],
    pub(crate) kind: RuleKind<'p>,
}

#[derive(Debug)]
pub(crate) enum RuleKind<'p> {
    /// It has to hold.
    Require(At, Option<Told<'p>>),
    /// Where it holds a person has to look.
    Review(At, Option<Told<'p>>),
    /// A warning is only counted.
    Warn(At),
    Each {
        of: Loop,
        index: u32,
        rules: Box<[Rule<'p>]>,
    },
    When(At, Box<[Rule<'p>]>),
}

/// What is said of a record that is stopped; where there is no operation for it, the reference says it.
#[derive(Debug)]
pub(crate) struct Told<'p> {
    pub(crate) message: At,
    pub(crate) kind: &'static str,
    pub(crate) review: bool,
    pub(crate) owner: Option<&'p str>,
    pub(crate) before: Option<At>,
    pub(crate) at: &'p SourcePlace,
}

#[derive(Debug)]
pub(crate) struct Route<'p> {
    pub(crate) slots: Box<[u32]>,
    /// Conditions, none for `else`, and what comes of each.
    pub(crate) rows: Box<[(Option<At>, RowOutcome<'p>)]>,
}

#[derive(Debug)]
pub(crate) enum RowOutcome<'p> {
    Results(Box<[At]>),
    /// The row stops the record.
    Stop(Option<Told<'p>>),
}

/// What is written of a value.
#[derive(Debug)]
pub(crate) enum Emit<'p> {
    Nothing,
    Scalar {
        at: At,
        out: Box<Out<'p>>,
    },
    Object {
        when: Option<At>,
        /// Left out where nothing is set in it.
        omit_empty: bool,
        rows: Box<[EmitRow]>,
        /// Rows that have to be there.
        required: usize,
    },
    Bind {
        slot: u32,
        value: At,
        body: EmitAt,
    },
    If {
        condition: At,
        then: EmitAt,
        otherwise: EmitAt,
    },
    Each {
        of: Loop,
        body: EmitAt,
        max_items: usize,
    },
}

pub(crate) type EmitAt = u32;

/// Bytes that are written often. Short ones are copied in one piece of a fixed length, and cut.
#[derive(Debug)]
pub(crate) struct Key {
    short: [u8; 32],
    whole: Box<[u8]>,
}

impl Key {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut short = [0; 32];
        short.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Key { short, whole: bytes.into() }
    }

    #[inline(always)]
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        if self.whole.len() <= self.short.len() {
            let end = out.len() + self.whole.len();
            out.extend_from_slice(&self.short);
            out.truncate(end);
        } else {
            out.extend_from_slice(&self.whole);
        }
    }
}

#[derive(Debug)]
pub(crate) struct EmitRow {
    /// `,"name":`, and with it what is the same in every record.
    pub(crate) key: Key,
    pub(crate) value: Cell,
    pub(crate) required: bool,
}

/// What is written behind a row's key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    /// Nothing more: the value stands with the key.
    Constant,
    /// A text of the record that goes over as it stands, with its quotes. `most`: bytes that the field takes in any case.
    Copy {
        raw: u32,
        most: u32,
        or: EmitAt,
    },
    /// The same out of a row.
    CopyOfRow {
        slot: u32,
        place: Place,
        most: u32,
        or: EmitAt,
    },
    /// Any text.
    Text {
        at: At,
        most: u32,
        or: EmitAt,
    },
    Scalar(EmitAt),
    Other(EmitAt),
}

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
}

#[derive(Debug)]
pub(crate) enum Form<'p> {
    Text(Option<Words<'p>>),
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
    /// In an object: the unit's factor where it is a whole one, and what stands before and behind the amount.
    Weight(Box<[(WeightUnit, Number, Box<[u8]>, Box<[u8]>)]>),
    /// By the reference's own encoding.
    Other,
}

#[derive(Debug)]
pub(crate) struct Write<'p> {
    /// The place of its object among those that the flow writes.
    pub(crate) object: usize,
    pub(crate) op: &'static str,
    pub(crate) when: Option<At>,
    pub(crate) key: Option<(At, Option<KeyField<'p>>)>,
    /// Of the source's record: the operation that reads its id.
    pub(crate) id: Option<At>,
    pub(crate) body: EmitAt,
}

#[derive(Debug)]
pub(crate) struct KeyField<'p> {
    /// `"orderKey":`
    pub(crate) name: Box<[u8]>,
    pub(crate) field: &'p Field,
}

#[derive(Debug)]
pub(crate) struct ValueMap<'p> {
    pub(crate) texts: FxHashMap<&'p [u8], V<'p>>,
    /// What is given where no row fits; none where the record is stopped.
    pub(crate) otherwise: Option<V<'p>>,
}

#[derive(Debug)]
pub(crate) struct Table<'p> {
    /// By the keys' own texts ([`crate::value::key`]), joined.
    pub(crate) rows: FxHashMap<Box<[u8]>, Vec<Vec<V<'p>>>>,
    /// The same, where the only key is a text.
    pub(crate) texts: Option<FxHashMap<&'p [u8], Vec<Vec<V<'p>>>>>,
    pub(crate) many: bool,
}

/// A flow, lowered.
pub(crate) struct Lowered<'p> {
    pub(crate) shape: Shape,
    pub(crate) ops: Vec<Op<'p>>,
    pub(crate) emits: Vec<Emit<'p>>,
    /// By slot: the operation of its `let`.
    pub(crate) lets: Vec<Option<At>>,
    pub(crate) filter: Vec<At>,
    pub(crate) rules: Vec<Rule<'p>>,
    pub(crate) routes: Vec<Route<'p>>,
    pub(crate) writes: Vec<Write<'p>>,
    /// What a rejection causes; none where the reference has to say what.
    pub(crate) follow_ups: Option<Vec<Write<'p>>>,
    /// Slots that may hold the record's id, the first that is there; none where they are read as something else.
    pub(crate) ids: Option<[u32; 2]>,
    pub(crate) objects: Vec<String>,
    pub(crate) maps: Vec<ValueMap<'p>>,
    pub(crate) tables: Vec<Table<'p>>,
    pub(crate) references: Vec<Reference>,
    pub(crate) memos: u32,
    /// Amounts have currencies, which have to agree.
    pub(crate) currencies: bool,
}
