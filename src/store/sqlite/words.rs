//! Texts with few different values, and records of flows, each stored as a number.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;

use super::fault;
use crate::store::{StoreFault, StoreResult};

/// What is known of the tables `word` and `record`. Both only grow.
#[derive(Default)]
pub(super) struct Words {
    numbers: RefCell<FxHashMap<String, i64>>,
    texts: RefCell<FxHashMap<i64, String>>,
}

impl Words {
    /// The number of a text; it is made where there is none.
    pub(super) fn make(&self, db: &Connection, text: &str) -> StoreResult<i64> {
        if let Some(known) = self.number(db, text)? {
            return Ok(known);
        }
        db.prepare_cached("INSERT INTO word (text) VALUES (?1)").and_then(|mut put| put.execute([text])).map_err(fault)?;
        let number = db.last_insert_rowid();
        self.numbers.borrow_mut().insert(text.to_owned(), number);
        Ok(number)
    }

    /// The number of a text, if it has one.
    pub(super) fn number(&self, db: &Connection, text: &str) -> StoreResult<Option<i64>> {
        if let Some(known) = self.numbers.borrow().get(text) {
            return Ok(Some(*known));
        }
        let found: Option<i64> = db
            .prepare_cached("SELECT id FROM word WHERE text = ?1")
            .and_then(|mut query| query.query_row([text], |row| row.get(0)).optional())
            .map_err(fault)?;
        if let Some(number) = found {
            self.numbers.borrow_mut().insert(text.to_owned(), number);
        }
        Ok(found)
    }

    /// The text of a number.
    pub(super) fn text(&self, db: &Connection, number: i64) -> StoreResult<String> {
        if let Some(known) = self.texts.borrow().get(&number) {
            return Ok(known.clone());
        }
        let found: Option<Vec<u8>> = db
            .prepare_cached("SELECT CAST(text AS BLOB) FROM word WHERE id = ?1")
            .and_then(|mut query| query.query_row([number], |row| row.get(0)).optional())
            .map_err(fault)?;
        let text = found.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| StoreFault::Damaged(format!("word {number} cannot be read")))?;
        self.texts.borrow_mut().insert(number, text.clone());
        Ok(text)
    }

    /// What was made in a transaction that was not committed is not there.
    pub(super) fn forget(&self) {
        self.numbers.borrow_mut().clear();
        self.texts.borrow_mut().clear();
    }

    /// The number of a flow's record, if it has one.
    pub(super) fn record(&self, db: &Connection, flow: &str, key: &str) -> StoreResult<Option<i64>> {
        let Some(flow) = self.number(db, flow)? else { return Ok(None) };
        db.prepare_cached("SELECT id FROM record WHERE key = ?1 AND flow = ?2")
            .and_then(|mut query| query.query_row(params![key, flow], |row| row.get(0)).optional())
            .map_err(fault)
    }

    /// The number of a flow's record; it is made where there is none.
    pub(super) fn make_record(&self, db: &Connection, flow: &str, key: &str) -> StoreResult<i64> {
        if let Some(known) = self.record(db, flow, key)? {
            return Ok(known);
        }
        let flow = self.make(db, flow)?;
        db.prepare_cached("INSERT INTO record (flow, key) VALUES (?1, ?2)").and_then(|mut put| put.execute(params![flow, key])).map_err(fault)?;
        Ok(db.last_insert_rowid())
    }
}
