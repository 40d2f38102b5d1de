//! Rows of tables, by their keys.

use std::hash::Hasher as _;

use rustc_hash::{FxHashMap, FxHasher};

use super::eval::{Eval, Leave, Ran};
use super::reg::{Reg, V};
use super::shape::same;

/// A table, as it is looked up.
#[derive(Debug)]
pub(crate) struct Table<'p> {
    /// Cells, one row behind the other; rows of the same keys stand together. A row's first cells are its keys.
    cells: Vec<V<'p>>,
    pub(super) columns: u32,
    /// All rows of the same keys are one value.
    pub(super) many: bool,
    /// By the hash of the keys.
    found: FxHashMap<u64, Group>,
    /// Those whose hash is another's.
    more: Vec<Group>,
}

/// Rows of the same keys: their cells.
#[derive(Debug, Clone, Copy)]
struct Group {
    from: u32,
    to: u32,
    next: Option<u32>,
}

impl<'p> Table<'p> {
    /// `rows`: each as long as there are columns. None where a table is larger than what is held here.
    pub(super) fn new(rows: &[Vec<V<'p>>], columns: usize, keys: usize, many: bool) -> Option<Self> {
        let mut table = Table { cells: Vec::new(), columns: u32::try_from(columns).ok()?, many, found: FxHashMap::default(), more: Vec::new() };
        u32::try_from(rows.len() * columns).ok()?;
        // A row that no key finds is left out.
        let mut groups: Vec<Vec<&Vec<V<'p>>>> = Vec::new();
        let mut by_hash: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        for row in rows {
            let Ok(Some(hash)) = hash(row.iter().take(keys)) else { continue };
            let known = by_hash.entry(hash).or_default();
            match known.iter().find(|group| groups[**group].first().is_some_and(|first| agree(first.iter().take(keys), row))) {
                Some(group) => groups[*group].push(row),
                None => {
                    known.push(groups.len());
                    groups.push(vec![row]);
                }
            }
        }
        for (hash, places) in by_hash {
            let mut next = None;
            for (at, place) in places.iter().enumerate() {
                let from = table.cells.len() as u32;
                table.cells.extend(groups[*place].iter().copied().flatten());
                let group = Group { from, to: table.cells.len() as u32, next };
                if at + 1 == places.len() {
                    table.found.insert(hash, group);
                } else {
                    next = Some(table.more.len() as u32);
                    table.more.push(group);
                }
            }
        }
        Some(table)
    }

    /// The cells of all rows of some keys.
    #[inline]
    fn get<'v, 'r: 'v>(&self, keys: impl Iterator<Item = &'v V<'r>> + Clone) -> Ran<&[V<'p>]> {
        let Some(hash) = hash(keys.clone())? else { return Ok(&[]) };
        let mut group = self.found.get(&hash);
        while let Some(Group { from, to, next }) = group {
            let cells = self.cells.get(*from as usize..*to as usize).unwrap_or_default();
            if agree(keys.clone(), cells) {
                return Ok(cells);
            }
            group = next.and_then(|next| self.more.get(next as usize));
        }
        Ok(&[])
    }
}

/// What keys are found by; none where one is missing, which finds nothing.
#[inline(always)]
fn hash<'v, 'r: 'v>(keys: impl Iterator<Item = &'v V<'r>>) -> Ran<Option<u64>> {
    let mut hasher = FxHasher::default();
    for key in keys {
        match key {
            V::Text(text) => hasher.write(text),
            V::Number(number) => {
                let number = number.normal();
                hasher.write_i64(number.coefficient());
                hasher.write_u8(number.places());
            }
            V::Missing(_) => return Ok(None),
            _ => return Err(Leave),
        }
    }
    Ok(Some(hasher.finish()))
}

/// Whether keys are those of a row, as tables are keyed ([`crate::value::key`]).
#[inline(always)]
fn agree<'v, 'r: 'v, 'p>(mut keys: impl Iterator<Item = &'v V<'r>>, row: &[V<'p>]) -> bool {
    let mut cells = row.iter();
    keys.all(|key| match (key, cells.next()) {
        (V::Text(one), Some(V::Text(other))) => same(one, other),
        (V::Number(one), Some(V::Number(other))) => one.normal() == other.normal(),
        _ => false,
    })
}

impl<'r, 'p: 'r> Eval<'r, 'p> {
    /// A row, and its columns behind it.
    #[inline]
    pub(super) fn put_row(&mut self, first: u32, count: u32, row: Option<&'r [V<'r>]>) {
        let begin = first as usize;
        let Some([place, columns @ ..]) = self.slots.values.get_mut(begin..begin + count as usize + 1) else { return };
        match row {
            Some(row) => {
                *place = V::Row(row);
                columns.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            }
            None => {
                *place = V::ABSENT;
                columns.fill(V::ABSENT);
            }
        }
    }

    #[inline(never)]
    pub(super) fn look(&mut self, table: u32, key: Reg, dst: u32) -> Ran<()> {
        let flat = self.flat;
        let table = flat.tables.get(table as usize).ok_or(Leave)?;
        let rows = table.get(std::iter::once(self.get(key)))?;
        self.put_row(dst, table.columns, rows.get(..table.columns as usize));
        Ok(())
    }

    #[inline(never)]
    pub(super) fn rows(&mut self, table: u32, keys: &'r [Reg], dst: u32) -> Ran<()> {
        let flat = self.flat;
        let table = flat.tables.get(table as usize).ok_or(Leave)?;
        let rows = table.get(keys.iter().map(|key| self.get(*key)))?;
        let columns = table.columns as usize;
        if table.many {
            let rows = self.bump.alloc_slice_fill_iter(rows.chunks_exact(columns.max(1)).map(V::Row));
            self.put(dst, V::List(rows));
        } else {
            self.put_row(dst, table.columns, rows.get(..columns));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::Number;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Of some keys all rows are found, in their order, and no others.
        #[test]
        fn rows_are_found_by_their_keys(rows in proptest::collection::vec(("[ab]{0,3}", 0..3_i64), 0..20), text in "[ab]{0,3}", number in 0..3_i64) {
            let cells: Vec<Vec<V<'_>>> = rows
                .iter()
                .enumerate()
                .map(|(at, (text, number))| vec![V::Text(text.as_bytes()), V::Number(Number::new(*number * 10, 1).unwrap_or(Number::ZERO)), V::Number(Number::count(at))])
                .collect();
            let table = Table::new(&cells, 3, 2, true);
            let keys = [V::Text(text.as_bytes()), V::Number(Number::new(number, 0).unwrap_or(Number::ZERO))];
            let found = table.as_ref().and_then(|table| table.get(keys.iter()).ok()).unwrap_or_default();
            let wanted: Vec<V<'_>> = rows.iter().zip(&cells).filter(|(row, _)| **row == (text.clone(), number)).flat_map(|(_, cells)| cells.clone()).collect();
            prop_assert_eq!(found, wanted.as_slice());
            let missing = table.as_ref().map(|table| table.get([V::ABSENT, V::ABSENT].iter()).map(<[_]>::len));
            prop_assert_eq!(missing, Some(Ok(0)));
        }
    }
}
