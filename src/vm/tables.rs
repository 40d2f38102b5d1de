//! Rows of tables, by their keys.

use std::cmp::Ordering;
use std::hash::Hasher as _;

use rustc_hash::{FxHashMap, FxHasher};

use super::eval::{Eval, Leave, Ran};
use super::projection::{self, same};
use super::reg::{Reg, RegValue};

/// A table, as it is looked up.
#[derive(Debug)]
pub(crate) struct Table<'p> {
    /// Cells, one row behind the other; rows of the same keys stand together. A row's first cells are its keys.
    cells: Vec<RegValue<'p>>,
    pub(super) columns: u16,
    /// All rows of the same keys are one value.
    pub(super) many: bool,
    hashed: Hashed,
    /// By the upper bits of the keys' hash, or behind the place that they give. At least half of them are free.
    places: Vec<Group>,
    shift: u32,
}

/// Rows of the same keys: their cells. A free place has none.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    hash: u64,
    from: u32,
    to: u32,
}

/// What of a text its hash is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hashed {
    /// Its ends and its length: most keys are told by them.
    Ends,
    All,
}

/// Keys of one hash that are compared one by one.
const MOST_ALIKE: usize = 4;

/// Registers that a row of a table fills: its own, and one for each column behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) first: u32,
    pub(crate) count: u16,
    /// A bit for each of them that is read, from the lowest on; of more than there are bits for all are filled.
    pub(crate) read: u16,
}

impl Columns {
    pub(crate) fn new(first: u32, count: u16) -> Self {
        Columns { first, count, read: 0 }.reading(|_| true)
    }

    /// The one column that is read, and its register; none where others are too.
    pub(crate) fn one(&self) -> Option<(u16, u32)> {
        let at = self.read.trailing_zeros() as u16;
        (self.read.is_power_of_two() && (1..=self.count).contains(&at) && u32::from(self.count) < u16::BITS)
            .then(|| (at - 1, self.first + u32::from(at)))
    }

    /// Leaves out what nothing reads.
    pub(crate) fn reading(self, is_read: impl Fn(u32) -> bool) -> Self {
        let all = (0..=u32::from(self.count)).take(u16::BITS as usize);
        Columns { read: all.filter(|at| is_read(self.first + at)).fold(0, |read, at| read | 1 << at), ..self }
    }
}

impl<'p> Table<'p> {
    /// `rows`: each as long as there are columns. None where a table is larger than what is held here.
    pub(super) fn new(rows: &[Vec<RegValue<'p>>], columns: usize, keys: usize, many: bool) -> Option<Self> {
        u32::try_from(rows.len() * columns).ok()?;
        let columns = u16::try_from(columns).ok()?;
        let (hashed, by_hash) = match grouped(rows, keys, Hashed::Ends, MOST_ALIKE) {
            Some(by_hash) => (Hashed::Ends, by_hash),
            None => (Hashed::All, grouped(rows, keys, Hashed::All, usize::MAX)?),
        };
        let count: usize = by_hash.values().map(Vec::len).sum();
        let bits = (2 * count).next_power_of_two().trailing_zeros().max(1);
        let (mut cells, mut places, shift) = (Vec::new(), vec![Group::default(); 1 << bits], u64::BITS - bits);
        for (hash, alike) in by_hash {
            for rows in alike {
                let from = cells.len() as u32;
                cells.extend(rows.into_iter().flatten());
                let mut at = (hash >> shift) as usize;
                while places[at].to > 0 {
                    at = (at + 1) % places.len();
                }
                places[at] = Group { hash, from, to: cells.len() as u32 };
            }
        }
        Some(Table { cells, columns, many, hashed, places, shift })
    }

    /// The cells of all rows of some keys.
    #[inline(always)]
    fn get<'v, 'r: 'v>(&self, keys: impl Iterator<Item = &'v RegValue<'r>> + Clone) -> Ran<&[RegValue<'p>]> {
        let Some(wanted) = hash(keys.clone(), self.hashed)? else { return Ok(&[]) };
        let mut at = (wanted >> self.shift) as usize;
        while let Some(Group { hash, from, to: to @ 1.. }) = self.places.get(at) {
            if *hash == wanted {
                let cells = self.cells.get(*from as usize..*to as usize).unwrap_or_default();
                if agree(keys.clone(), cells) {
                    return Ok(cells);
                }
            }
            at = if at + 1 == self.places.len() { 0 } else { at + 1 };
        }
        Ok(&[])
    }
}

/// Rows of the same keys by the hash of these; none where more keys than `most` have the same one. A row that no key finds
/// is left out.
fn grouped<'t, 'p>(
    rows: &'t [Vec<RegValue<'p>>],
    keys: usize,
    hashed: Hashed,
    most: usize,
) -> Option<FxHashMap<u64, Vec<Vec<&'t Vec<RegValue<'p>>>>>> {
    let mut by_hash: FxHashMap<u64, Vec<Vec<&Vec<RegValue<'p>>>>> = FxHashMap::default();
    for row in rows {
        let Ok(Some(hash)) = hash(row.iter().take(keys), hashed) else { continue };
        let alike = by_hash.entry(hash).or_default();
        let count = alike.len();
        match alike.iter_mut().find(|group| group.first().is_some_and(|first| agree(first.iter().take(keys), row))) {
            Some(group) => group.push(row),
            None if count >= most => return None,
            None => alike.push(vec![row]),
        }
    }
    Some(by_hash)
}

/// What keys are found by; none where one is missing, which finds nothing.
#[inline(always)]
fn hash<'v, 'r: 'v>(keys: impl Iterator<Item = &'v RegValue<'r>>, hashed: Hashed) -> Ran<Option<u64>> {
    let mut all = 0_u64;
    for key in keys {
        let one = match key {
            RegValue::Text(text) if hashed == Hashed::Ends => projection::hash(text),
            RegValue::Missing(_) => return Ok(None),
            other => hash_of(other)?,
        };
        all = (all.rotate_left(23) ^ one).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    Ok(Some(all))
}

#[inline(never)]
fn hash_of(key: &RegValue<'_>) -> Ran<u64> {
    match key {
        RegValue::Text(text) => {
            let mut hasher = FxHasher::default();
            hasher.write(text);
            Ok(hasher.finish())
        }
        RegValue::Number(number) => {
            let number = number.normal();
            Ok(number.coefficient() as u64 ^ u64::from(number.places()).rotate_right(6))
        }
        _ => Err(Leave),
    }
}

/// Whether keys are those of a row, as tables are keyed ([`crate::value::key`]).
#[inline(always)]
fn agree<'v, 'r: 'v, 'p>(keys: impl Iterator<Item = &'v RegValue<'r>>, row: &[RegValue<'p>]) -> bool {
    let mut cells = row.iter();
    for key in keys {
        let is_same = match (key, cells.next()) {
            (RegValue::Text(one), Some(RegValue::Text(other))) => same(one, other),
            (RegValue::Number(one), Some(RegValue::Number(other))) => one.order(*other) == Ordering::Equal,
            _ => false,
        };
        if !is_same {
            return false;
        }
    }
    true
}

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// A row, and its columns behind it, as far as they are read.
    #[inline(always)]
    pub(super) fn put_row(&mut self, to: Columns, row: Option<&'r [RegValue<'r>]>) {
        if u32::from(to.count) >= u16::BITS {
            return self.put_all(to, row);
        }
        let mut read = to.read;
        if read & 1 == 1 {
            self.put(to.first, row.map_or(RegValue::ABSENT, RegValue::Row));
            read -= 1;
        }
        while read != 0 {
            let at = read.trailing_zeros();
            match row.and_then(|row| row.get(at as usize - 1)) {
                Some(cell) => self.put(to.first + at, *cell),
                None => self.put(to.first + at, RegValue::ABSENT),
            }
            read &= read - 1;
        }
    }

    #[inline(never)]
    fn put_all(&mut self, to: Columns, row: Option<&'r [RegValue<'r>]>) {
        self.put(to.first, row.map_or(RegValue::ABSENT, RegValue::Row));
        for at in 0..to.count {
            let cell = row.and_then(|row| row.get(usize::from(at)));
            self.put(to.first + 1 + u32::from(at), cell.copied().unwrap_or(RegValue::ABSENT));
        }
    }

    #[inline(never)]
    pub(super) fn look(&mut self, table: u32, key: Reg, to: Columns) -> Ran<()> {
        let compiled = self.compiled;
        let table = compiled.tables.get(table as usize).ok_or(Leave)?;
        let rows = table.get(std::iter::once(self.get(key)))?;
        self.put_row(to, rows.get(..usize::from(to.count)));
        Ok(())
    }

    #[inline(never)]
    pub(super) fn cell(&mut self, table: u32, key: Reg, column: u16, dst: u32) -> Ran<()> {
        let compiled = self.compiled;
        let table = compiled.tables.get(table as usize).ok_or(Leave)?;
        let rows = table.get(std::iter::once(self.get(key)))?;
        // The first row's cells stand first.
        match rows.get(usize::from(column)) {
            Some(cell) => self.put(dst, *cell),
            None => self.put(dst, RegValue::ABSENT),
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn rows(&mut self, table: u32, keys: &'r [Reg], to: Columns) -> Ran<()> {
        let compiled = self.compiled;
        let table = compiled.tables.get(table as usize).ok_or(Leave)?;
        let rows = match keys {
            [key] => table.get(std::iter::once(self.get(*key)))?,
            keys => table.get(keys.iter().map(|key| self.get(*key)))?,
        };
        let columns = usize::from(table.columns);
        if table.many {
            let rows = self.bump.alloc_slice_fill_iter(rows.chunks_exact(columns.max(1)).map(RegValue::Row));
            self.put(to.first, RegValue::List(rows));
        } else {
            self.put_row(to, rows.get(..columns));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::Number;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_whose_ends_are_the_same_are_told_apart() {
        let keys: Vec<String> = (0..400).map(|at| format!("PREFIX-{at:04}-and-SUFFIX")).collect();
        let rows: Vec<Vec<RegValue<'_>>> =
            keys.iter().enumerate().map(|(at, key)| vec![RegValue::Text(key.as_bytes()), RegValue::Number(Number::count(at))]).collect();
        let table = Table::new(&rows, 2, 1, false).unwrap_or_else(|| panic!("it is not too large"));
        assert_eq!(table.hashed, Hashed::All);
        for row in &rows {
            assert_eq!(table.get(row.iter().take(1)), Ok(row.as_slice()));
        }
        assert_eq!(table.get([RegValue::Text(b"PREFIX-0400-and-SUFFIX")].iter()), Ok([].as_slice()));
    }

    proptest! {
        /// Of some keys all rows are found, in their order, and no others.
        #[test]
        fn rows_are_found_by_their_keys(rows in proptest::collection::vec(("[ab]{0,3}", 0..3_i64), 0..20), text in "[ab]{0,3}", number in 0..3_i64) {
            let cells: Vec<Vec<RegValue<'_>>> = rows
                .iter()
                .enumerate()
                .map(|(at, (text, number))| vec![RegValue::Text(text.as_bytes()), RegValue::Number(Number::new(*number * 10, 1).unwrap_or(Number::ZERO)), RegValue::Number(Number::count(at))])
                .collect();
            let table = Table::new(&cells, 3, 2, true);
            let keys = [RegValue::Text(text.as_bytes()), RegValue::Number(Number::new(number, 0).unwrap_or(Number::ZERO))];
            let found = table.as_ref().and_then(|table| table.get(keys.iter()).ok()).unwrap_or_default();
            let wanted: Vec<RegValue<'_>> = rows.iter().zip(&cells).filter(|(row, _)| **row == (text.clone(), number)).flat_map(|(_, cells)| cells.clone()).collect();
            prop_assert_eq!(found, wanted.as_slice());
            let missing = table.as_ref().map(|table| table.get([RegValue::ABSENT, RegValue::ABSENT].iter()).map(<[_]>::len));
            prop_assert_eq!(missing, Some(Ok(0)));
        }
    }
}
