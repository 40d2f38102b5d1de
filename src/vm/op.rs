//! The operations of a compiled flow: one list; each reads and writes registers.

use jiff::tz::TimeZone;
use regex::bytes::Regex;
use rust_decimal::RoundingStrategy;
use rustc_hash::{FxHashMap, FxHashSet};

use super::number::Number;
use super::projection::{NodeId, PerfectHash, Projection, same};
use super::reg::{Reg, RegValue};
use super::row::{Empty, Key, Product, Row, Write};
use super::tables::{Columns, Table};
use crate::builtin::BuiltinRef;
use crate::ir::{Arithmetic, Compare, Place as SourcePlace};
use crate::value::{LengthUnit, Reference, WeightUnit};

/// A place in the list of operations.
pub(crate) type At = u32;

/// Loops inside each other.
pub(crate) const LOOPS: usize = 8;
/// Objects and lists inside each other, as they are written.
pub(crate) const MARKS: usize = 16;

/// Where a field stands in each of the objects that it may be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) of: NodeId,
    pub(crate) slot: u32,
}

/// How a field of the record is read. Texts and numbers need no more than stands in their registers.
#[derive(Debug, PartialEq)]
pub(crate) enum Decode<'p> {
    /// The texts that are known.
    Enumeration(StringSet<'p>),
    /// A number without a fraction; `text`: it may be written as a text.
    Integer {
        text: bool,
    },
    /// A number that is written as a text.
    Decimal,
    /// An amount; its currency stands in a register beside it, where it says one.
    Money {
        text: bool,
        currency: Option<Reg>,
    },
    Boolean,
    Date,
    Instant(Option<TimeZone>),
    Weight(WeightUnit),
    Length(LengthUnit),
}

/// A set of texts.
#[derive(Debug)]
pub(crate) enum StringSet<'p> {
    Few(Box<[&'p [u8]]>, PerfectHash),
    Many(FxHashSet<&'p [u8]>),
}

/// Texts that have places of their own.
const FEW: usize = 64;

/// The same texts, in whatever places.
impl PartialEq for StringSet<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (StringSet::Few(one, _), StringSet::Few(other, _)) => one == other,
            (StringSet::Many(one), StringSet::Many(other)) => one == other,
            _ => false,
        }
    }
}

impl<'p> StringSet<'p> {
    pub(crate) fn of(words: impl Iterator<Item = &'p str>) -> Self {
        let words: FxHashSet<&[u8]> = words.map(str::as_bytes).collect();
        if words.len() <= FEW {
            let few: Box<[&[u8]]> = words.iter().copied().collect();
            if let Some(places) = PerfectHash::of(few.iter().copied()) {
                return StringSet::Few(few, places);
            }
        }
        StringSet::Many(words)
    }

    #[inline]
    pub(crate) fn has(&self, text: &[u8]) -> bool {
        match self {
            StringSet::Few(words, places) => places.find(text).and_then(|at| words.get(at)).is_some_and(|word| same(word, text)),
            StringSet::Many(words) => words.contains(text),
        }
    }
}

/// Functions that need no copy of their text, or are called for every line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quick {
    Trim,
    Lower,
    Upper,
    Truncate(u32),
    Length,
    Count,
    Sum,
    Round(u32, RoundingStrategy),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'p> {
    Text(&'p [u8]),
    Value(Reg),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Call<'p> {
    pub(crate) function: BuiltinRef,
    pub(crate) arguments: Box<[Argument<'p>]>,
    /// Those of them that are not the same at each call; known when all registers are.
    pub(crate) given: Box<[Reg]>,
    /// Without the first of these there is no result.
    pub(crate) strict: bool,
}

impl<'p> Call<'p> {
    pub(crate) fn new(function: BuiltinRef, arguments: Vec<Argument<'p>>) -> Self {
        let strict = matches!(arguments.first(), Some(Argument::Value(_))) && function.0.takes.first().is_some_and(|param| !param.nullable);
        Call { function, arguments: arguments.into(), given: Box::default(), strict }
    }

    /// Its registers have their places.
    pub(crate) fn relocated(&mut self) {
        let given = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Value(reg) => Some(*reg),
            Argument::Constant(_) => None,
        });
        self.given = given.collect();
    }
}

/// An argument of a function.
#[derive(Debug, PartialEq)]
pub(crate) enum Argument<'p> {
    /// The same at each call.
    Constant(RegValue<'p>),
    Value(Reg),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coerce {
    Number,
    Money,
    Text,
}

/// Where an element of a list goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Element {
    /// An object of the record: its fields are read from a base.
    Row { base: u8, node: NodeId },
    /// A row of a table, and its columns behind it.
    Columns(Columns),
    /// A value.
    Value(u32),
}

/// What a condition asks for. A missing value fits none of them.
#[derive(Debug)]
pub(crate) enum Test {
    In(Reg, Box<[Reg]>),
    Matches(Reg, Box<Regex>),
    /// An address that hardly ever comes twice.
    Email(Reg),
    /// Whether the record says something of a field: on its way first.
    WasSent(Box<[Reg]>),
}

/// `to` of a condition: where it goes on if the condition is what `when` says. `dst`: what is computed.
///
/// The tag is a byte of its own: it is looked at for each operation of each record. Fields lie in the order they are named
/// in.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Op<'p> {
    // ---- ways ----
    Jump(At),
    /// The end of a piece of code.
    Done,
    /// The record is not for this flow; the write is not made.
    Skip,
    /// The first element of a list, or on to `end`.
    Each {
        nest: u8,
        /// Without elements what is inside runs once, and the element is missing.
        optional: bool,
        list: Reg,
        element: Element,
        index: Option<u32>,
        end: At,
    },
    /// The next one.
    Next {
        nest: u8,
        element: Element,
        index: Option<u32>,
        begin: At,
    },

    // ---- conditions ----
    /// A truth that was computed.
    Holds {
        of: Reg,
        when: bool,
        to: At,
    },
    Present {
        of: Reg,
        when: bool,
        to: At,
    },
    /// `x == "word"`
    IsWord {
        of: Reg,
        word: &'p [u8],
        when: bool,
        to: At,
    },
    InWords {
        of: Reg,
        words: Box<StringSet<'p>>,
        when: bool,
        to: At,
    },
    /// With a number that is the same for every record.
    CompareNumber {
        of: Reg,
        op: Compare,
        number: Number,
        when: bool,
        to: At,
    },
    Compare {
        left: Reg,
        op: Compare,
        right: Reg,
        when: bool,
        to: At,
    },
    Test {
        test: Box<Test>,
        when: bool,
        to: At,
    },

    // ---- values ----
    Load {
        dst: u32,
        value: RegValue<'p>,
    },
    Copy {
        of: Reg,
        dst: u32,
    },
    /// The first of two that is there.
    Or {
        of: Reg,
        or: Reg,
        dst: u32,
    },
    /// The same of three.
    FirstOf {
        of: [Reg; 3],
        dst: u32,
    },
    /// Copies what is there, and goes on at `to`; a missing one too, and goes on behind.
    Take {
        of: Reg,
        dst: u32,
        to: At,
    },
    /// The first of two, of which the other one is the same for every record.
    OrElse {
        of: Reg,
        or: Box<RegValue<'p>>,
        dst: u32,
    },
    /// An element of a list, as a value.
    Element {
        base: u8,
        node: NodeId,
        dst: u32,
    },
    /// A field of one of several objects.
    Pick {
        of: Reg,
        places: Box<[Place]>,
        dst: u32,
    },
    Decode {
        of: Reg,
        decode: Box<Decode<'p>>,
        dst: u32,
    },
    Quick {
        quick: Quick,
        of: Reg,
        dst: u32,
    },
    Call {
        call: Box<Call<'p>>,
        /// Its results are kept: it gives the same for the same texts.
        memo: u32,
        dst: u32,
    },
    /// A line of a street that is written in one goes on at `to`; of others the call behind it tells.
    StreetLine {
        street: Reg,
        first: bool,
        dst: u32,
        to: At,
    },
    Values {
        map: u32,
        of: Reg,
        dst: u32,
    },
    /// The same; where a row fits it goes on at `to`.
    Map {
        map: u32,
        of: Reg,
        dst: u32,
        to: At,
    },
    /// A row of a table, and its columns behind it.
    Look {
        table: u32,
        key: Reg,
        to: Columns,
    },
    /// One column of such a row.
    Cell {
        table: u32,
        key: Reg,
        column: u16,
        dst: u32,
    },
    /// A row by several keys, or the list of all such rows.
    Rows {
        table: u32,
        keys: Box<[Reg]>,
        to: Columns,
    },
    Template {
        pieces: Box<[Piece<'p>]>,
        message: bool,
        dst: u32,
    },
    Arithmetic {
        op: Arithmetic,
        left: Reg,
        right: Reg,
        dst: u32,
    },
    /// Adds to a sum: of no element yet where it is null, of one that is missing where it is absent.
    Add {
        of: Reg,
        dst: u32,
    },
    /// Adds a product to a sum. `or`: where the second factor is missing.
    AddProduct {
        of: Reg,
        by: Reg,
        dst: u32,
        or: Option<Number>,
    },
    /// The same for each element of a list that is left.
    AddProducts(Box<Products>),
    /// The sum that was added up.
    Sum {
        money: bool,
        dst: u32,
    },
    Weigh {
        of: Reg,
        unit: WeightUnit,
        dst: u32,
    },
    Measure {
        of: Reg,
        unit: LengthUnit,
        dst: u32,
    },
    Coerce {
        of: Reg,
        how: Coerce,
        dst: u32,
    },
    /// A list begins.
    List,
    Push(Reg),
    /// The same of an element of another list.
    PushRow {
        base: u8,
        node: NodeId,
    },
    Listed {
        dst: u32,
    },
    /// Why the record is rejected: the reasons' messages.
    Reasons {
        dst: u32,
    },
    /// What only the reference evaluator tells.
    Leave,

    // ---- rules ----
    /// A rule is silent where one that it rests on has failed: on to `to`.
    Rests {
        on: &'p [u32],
        to: At,
    },
    /// A rule has failed, in so many loops.
    Failed {
        id: u32,
        inside: u32,
    },
    Tell(Box<Told<'p>>),
    /// A row that has to be there may be missing.
    Unfinished,
    Warned,

    // ---- payloads ----
    /// An object, with the key that it stands behind.
    Open {
        mark: u8,
        key: Option<Box<Key>>,
    },
    /// What stands before the rows of a payload.
    First,
    Close {
        mark: u8,
        empty: Empty,
    },
    OpenList {
        mark: u8,
        key: Option<Box<Key>>,
    },
    Item {
        mark: u8,
    },
    EndItem {
        mark: u8,
    },
    CloseList {
        mark: u8,
        max_items: usize,
    },
    /// An item that is an object, which begins.
    OpenItem {
        list: u8,
        mark: u8,
    },
    /// And ends.
    CloseItem {
        list: u8,
        mark: u8,
    },
    /// The same, and on with the next element.
    NextItem {
        list: u8,
        mark: u8,
        nest: u8,
        element: Element,
        index: Option<u32>,
        begin: At,
    },
    /// A row that has to be there is not.
    Required,
    /// A row that is the same in every record.
    Write(Box<Key>),
    /// A text of at most so many bytes, in any other case as its form has it.
    WriteText {
        of: Reg,
        most: u32,
        row: Box<Row<'p>>,
    },
    /// The same of the first that is there.
    WriteFirst {
        of: [Reg; 3],
        most: u32,
        row: Box<Row<'p>>,
    },
    /// The same of a text that a function gives.
    WriteShaped {
        quick: Quick,
        of: Reg,
        most: u32,
        row: Box<Row<'p>>,
    },
    /// The same of a text that is put together; what is the same in each record stands in JSON as it is.
    WriteTemplate {
        most: u32,
        pieces: Box<[Piece<'p>]>,
        row: Box<Row<'p>>,
    },
    WriteNumber {
        of: Reg,
        row: Box<Row<'p>>,
    },
    WriteRounded {
        of: Reg,
        places: u32,
        how: RoundingStrategy,
        row: Box<Row<'p>>,
    },
    WriteProduct {
        row: Box<(Row<'p>, Product)>,
    },
    WriteWeight {
        of: Reg,
        unit: WeightUnit,
        row: Box<Row<'p>>,
    },
    WriteValue {
        of: Reg,
        row: Box<Row<'p>>,
    },
}

const _: () = assert!(size_of::<Op<'_>>() == 32, "all operations of a flow are passed over for each record");

/// Products of the elements of a list, which are added to a sum.
#[derive(Debug)]
pub(crate) struct Products {
    pub(crate) of: Reg,
    pub(crate) by: Reg,
    pub(crate) or: Option<Number>,
    pub(crate) dst: u32,
    pub(crate) nest: u8,
    pub(crate) element: Element,
    pub(crate) index: Option<u32>,
}

/// What is said of a record that is stopped.
#[derive(Debug)]
pub(crate) struct Told<'p> {
    pub(crate) message: Reg,
    pub(crate) kind: &'static str,
    pub(crate) review: bool,
    pub(crate) owner: Option<&'p str>,
    pub(crate) before: Option<Reg>,
    pub(crate) at: &'p SourcePlace,
}

#[derive(Debug)]
pub(crate) struct ValueMap<'p> {
    pub(crate) texts: FxHashMap<&'p [u8], RegValue<'p>>,
    /// What is given where no row fits; none where the record is stopped.
    pub(crate) otherwise: Option<RegValue<'p>>,
    /// A missing value stays what it is, and meets no `else`.
    pub(crate) keeps_missing: bool,
    /// All rows are held here.
    pub(crate) is_whole: bool,
}

/// A flow, compiled.
pub(crate) struct Compiled<'p> {
    pub(crate) projection: Projection,
    /// It begins with filter, rules and routes.
    pub(crate) code: Vec<Op<'p>>,
    pub(crate) writes: Vec<Write<'p>>,
    /// What a rejection causes; none where the reference has to say what.
    pub(crate) follow_ups: Option<Vec<Write<'p>>>,
    /// A review causes writes: the reference has to say which.
    pub(crate) on_review: bool,
    /// Slots that may hold the record's id, the first that is there; none where they are read as something else.
    pub(crate) ids: Option<[u32; 2]>,
    pub(crate) objects: Vec<String>,
    pub(crate) maps: Vec<ValueMap<'p>>,
    pub(crate) tables: Vec<Table<'p>>,
    pub(crate) references: Vec<Reference>,
    pub(crate) memos: u32,
}
