//! Backups of the store, and checks of a store for damage.

use std::path::Path;

use serde::Serialize;

use super::stores::{Checked, cannot_be_checked};
use super::{Access, Context, Failure, StoreLocation, VERSION};
use crate::store::Damage;

/// A copy that was made, and read again: one that cannot be read is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Records in it.
    pub records: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Where the key is that opens it: it is not copied.
    pub key: String,
    pub check: StoreCheck,
}

/// Whether a store is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreCheck {
    pub version: u32,
    pub store: String,
    /// Rows that were held against their checksums and seals.
    pub rows: u64,
    pub damaged: Vec<Damaged>,
    /// The file itself is damaged, not only some records.
    #[serde(skip)]
    pub of_pages: bool,
}

/// A row or a page that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    pub table: &'static str,
    pub row: String,
    /// The record that it belongs to.
    pub flow: String,
    pub key: String,
    pub what: String,
    /// All of it in one sentence.
    #[serde(skip)]
    pub told: String,
}

impl StoreCheck {
    /// The view of what a check has found.
    pub fn of(location: &StoreLocation, checked: &Checked) -> Self {
        let damaged = |damage: &Damage| Damaged {
            table: damage.table,
            row: damage.row.clone(),
            flow: damage.flow.clone(),
            key: damage.lane.clone(),
            what: damage.what.clone(),
            told: damage.to_string(),
        };
        StoreCheck {
            version: VERSION,
            store: location.to_string(),
            rows: checked.rows,
            damaged: checked.damages.iter().map(damaged).collect(),
            of_pages: checked.damages.iter().any(Damage::is_of_pages),
        }
    }
}

/// Writes a consistent copy of the project's store, beside a running process too.
///
/// # Errors
/// There is such a file already, or it cannot be written, or what was written cannot be read.
pub fn backup(context: &Context, file: &Path) -> Result<Backup, Failure> {
    let made = context.open_store(Access::Read)?.copy_to(file)?;
    let check = check_copy(context, file)?;
    Ok(Backup { records: made.records, size: made.size, key: context.store.key_location(), check })
}

/// Holds every page, row and sealed value of the project's store against its checksum.
///
/// # Errors
/// The store cannot be opened or read.
pub fn check(context: &Context) -> Result<StoreCheck, Failure> {
    let opened = context.store.open(Access::Read).map_err(cannot_be_checked)?;
    Ok(StoreCheck::of(&context.store, &opened.verify()?))
}

/// The same of a copy.
///
/// # Errors
/// As [`StoreLocation::open_copy`].
pub fn check_copy(context: &Context, file: &Path) -> Result<StoreCheck, Failure> {
    Ok(StoreCheck::of(&StoreLocation::copy(file), &context.store.open_copy(file)?.verify()?))
}
