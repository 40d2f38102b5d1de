//! The files of tables, each read and cut into cells once, however many tables take it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::{CheckEnvironment, TableFault};
use crate::base::{Delimited, FileId, locked};

/// A table's file, cut into cells.
#[derive(Debug)]
pub(super) struct Sheet {
    /// From the project's folder.
    pub name: String,
    /// What it says, or what is wrong with it as a file of cells.
    pub cells: Result<Cells, String>,
}

#[derive(Debug)]
pub(super) struct Cells {
    pub headers: Vec<String>,
    /// With the line of each, from 1. Lines in which all cells are blank are no rows.
    pub rows: Vec<(u64, csv::StringRecord)>,
}

type Found = Arc<Result<Sheet, TableFault>>;

/// The files that were asked for so far, by the folder of the mapping file and the path as it names it.
#[derive(Debug, Default)]
pub(super) struct Sheets(Mutex<HashMap<(String, String), Arc<OnceLock<Found>>>>);

impl Sheets {
    /// The file `path`, as the mapping file `from` of this name names it.
    pub(super) fn of(&self, environment: &dyn CheckEnvironment, from: FileId, name: &str, path: &str) -> Found {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = locked(&self.0).entry((folder.to_owned(), path.to_owned())).or_default().clone();
        // Who comes first reads it; the others wait for it, and not for each other's files.
        place
            .get_or_init(|| {
                Arc::new(environment.table(from, path).map(|(name, text)| Sheet { cells: cut(&text, environment.separator(&name)), name }))
            })
            .clone()
    }
}

fn cut(text: &str, separator: Option<u8>) -> Result<Cells, String> {
    let Delimited { text, separator, before } = Delimited::of(text, separator);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|fault| fault.to_string())?.iter().map(|cell| cell.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|fault| fault.to_string())?;
        if !record.iter().all(|cell| cell.trim().is_empty()) {
            rows.push((record.position().map_or(0, csv::Position::line) + u64::from(before), record));
        }
    }
    Ok(Cells { headers, rows })
}
