//! What simulations do to a store: restore copies, flip bits, and switch checks off.

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::{Sqlite, fault};
use crate::store::StoreResult;

/// A store in memory that stays as long as this does.
pub struct Anchor(Connection);

/// Tables of which a bit is flipped: the columns that name a row, and those that may be changed.
const TABLES: [(&str, &[&str], &[&str]); 5] = [
    ("lane", &["flow", "key"], &["state", "version", "stamp", "delivered", "due"]),
    ("entry", &["id"], &["class", "state", "due", "sent", "doubted"]),
    ("ledger", &["connection", "object", "key"], &["id", "fields"]),
    ("checkpoint", &["flow", "stream"], &["cursor", "at"]),
    ("watch", &["name", "flow", "lane"], &["due"]),
];

impl Sqlite {
    /// Checksums of rows are not looked at: the mistake that a simulation has to find.
    pub fn unchecked(&mut self) {
        self.seal.unchecked();
    }

    /// Keeps a store in memory, whether it is there or not yet, without opening it.
    ///
    /// # Errors
    /// SQLite cannot do it.
    pub fn anchor(name: &str) -> StoreResult<Anchor> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(format!("file:{name}?mode=memory&cache=shared"), flags).map(Anchor).map_err(fault)
    }
}

impl Anchor {
    /// Copies the store, as it is now, to one of another name. The copy stays as long as what is given back, or another
    /// connection to it.
    ///
    /// # Errors
    /// SQLite cannot do it.
    pub fn copy(&self, name: &str) -> StoreResult<Anchor> {
        let copy = Sqlite::anchor(name)?;
        self.0.execute("VACUUM INTO ?1", [format!("file:{name}?mode=memory&cache=shared")]).map_err(fault)?;
        Ok(copy)
    }

    /// Flips one bit of a row that something is decided by, as a disk that fails does; gives where. `roll` gives numbers at
    /// random. `None`: there was nothing to flip.
    ///
    /// # Errors
    /// SQLite cannot do it.
    pub fn flip_bit(&self, roll: &mut dyn FnMut() -> u64) -> StoreResult<Option<String>> {
        let mut pick = |count: usize| (roll() % count.max(1) as u64) as usize;
        let (table, keys, columns) = TABLES[pick(TABLES.len())];
        let column = columns[pick(columns.len())];
        let sql = format!("SELECT {column}, {} FROM {table} ORDER BY {}", keys.join(", "), keys.join(", "));
        let mut query = self.0.prepare(&sql).map_err(fault)?;
        let rows = query.query_map([], |row| (0..=keys.len()).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()).map_err(fault)?;
        let mut rows: Vec<Vec<Value>> = rows.collect::<Result<_, _>>().map_err(fault)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let row = rows.swap_remove(pick(rows.len()));
        let changed = match &row[0] {
            Value::Integer(number) => Value::Integer(number ^ (1 << pick(40))),
            // It stays text: a digit or a letter that became another one is what nobody sees.
            Value::Text(text) if !text.is_empty() && text.is_ascii() => {
                let mut bytes = text.clone().into_bytes();
                let at = pick(bytes.len());
                bytes[at] ^= 1 << pick(3);
                Value::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => return Ok(None),
        };
        let of = keys.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", at + 2)).collect::<Vec<_>>().join(" AND ");
        let told = format!("{table}.{column} of {:?}: {:?} is {changed:?}", &row[1..], row[0]);
        let values: Vec<Value> = std::iter::once(changed).chain(row.into_iter().skip(1)).collect();
        // Nobody counts what a disk does.
        self.0.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map_err(fault)?;
        self.0.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {of}"), params_from_iter(values)).map_err(fault)?;
        Ok(Some(told))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::store::{Change, RecordState, Store as _};

    fn lane(key: &str) -> Change {
        Change::Record(RecordState { version: "abc".to_owned(), ..RecordState::new("f", key, 7) })
    }

    #[test]
    fn a_copy_is_what_the_store_was() {
        let mut store = Sqlite::in_memory("trials").unwrap();
        store.commit(&[lane("a")]).unwrap();
        let copy = Sqlite::anchor("trials").unwrap().copy("trials2").unwrap();
        store.commit(&[lane("b")]).unwrap();
        drop(store);
        let old = Sqlite::in_memory("trials2").unwrap();
        drop(copy);
        assert!(old.record("f", "a").unwrap().is_some() && old.record("f", "b").unwrap().is_none());
    }

    #[test]
    fn a_flipped_bit_is_found_unless_nobody_looks() {
        for looks in [true, false] {
            let mut store = Sqlite::in_memory(&format!("flip{looks}")).unwrap();
            store.commit(&[lane("a")]).unwrap();
            if !looks {
                store.unchecked();
            }
            let mut seed = 0_u64;
            let mut roll = || {
                seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                seed >> 33
            };
            let anchor = Sqlite::anchor(&format!("flip{looks}")).unwrap();
            while anchor.flip_bit(&mut roll).unwrap().is_none_or(|told| !told.starts_with("lane.version")) {}
            let read = store.record("f", "a").unwrap().unwrap();
            assert_eq!(store.damages().is_empty(), !looks, "{read:?}");
        }
    }
}
