//! Rows of tables, by their keys.

use bumpalo::collections::Vec as List;

use super::eval::{Eval, Leave, Ran};
use super::op::{Reg, V};

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
        let found = flat.tables.get(table as usize).ok_or(Leave)?;
        let texts = found.texts.as_ref().ok_or(Leave)?;
        let rows = self.text_of(key)?.and_then(|key| texts.get(key));
        self.put_row(dst, found.columns, rows.and_then(|rows| rows.first()).map(Vec::as_slice));
        Ok(())
    }

    #[inline(never)]
    pub(super) fn rows(&mut self, table: u32, keys: &'r [Reg], dst: u32) -> Ran<()> {
        let flat = self.flat;
        let found = flat.tables.get(table as usize).ok_or(Leave)?;
        let rows: Option<&'r Vec<Vec<V<'p>>>> = match (&found.texts, keys) {
            (Some(texts), [key]) => self.text_of(*key)?.and_then(|key| texts.get(key)),
            _ => {
                let mut key = List::with_capacity_in(64, self.bump);
                let mut missing = false;
                for (at, of) in keys.iter().enumerate() {
                    let value = *self.get(*of);
                    missing |= value.is_missing();
                    if at > 0 {
                        key.push(0x1f);
                    }
                    push_table_key(value, &mut key)?;
                }
                if missing { None } else { found.rows.get(key.as_slice()) }
            }
        };
        let rows = rows.map(Vec::as_slice).unwrap_or_default();
        if found.many {
            let rows = self.bump.alloc_slice_fill_iter(rows.iter().map(|row| V::Row(row)));
            self.put(dst, V::List(rows));
        } else {
            self.put_row(dst, found.columns, rows.first().map(Vec::as_slice));
        }
        Ok(())
    }
}

/// Appends a value as tables are keyed ([`crate::value::key`]).
fn push_table_key(value: V<'_>, key: &mut List<'_, u8>) -> Ran<()> {
    match value {
        V::Missing(_) => key.push(b'-'),
        V::Text(text) => {
            key.push(b't');
            key.extend_from_slice(text);
        }
        V::Number(number) => {
            key.push(b'n');
            let mut digits = Vec::with_capacity(24);
            number.normal().print(&mut digits);
            key.extend_from_slice(&digits);
        }
        _ => return Err(Leave),
    }
    Ok(())
}
