//! Records of files, and what they are called.

use std::io;
use std::path::{Path, PathBuf};

use super::folder::unreadable;
use super::{Failure, Folder, LoadedProject};
use crate::base::bounds;
use crate::fault::file;
use crate::project::CsvForm;
use crate::project::config::Config;
use crate::project::records::{self, Form};
use crate::value::Json;

/// A file of records that a command names.
#[derive(Debug, Clone)]
pub struct RecordsFile {
    /// As it was named; messages name it so, and its ending says the form of the records.
    pub name: String,
    pub place: PathBuf,
    /// How it is written, if it is a CSV file of which `crossdock.yaml` says so.
    pub form: CsvForm,
}

impl RecordsFile {
    /// Finds a file that the command line names: from the current folder, else from the project's folder. Every command
    /// searches in this order.
    pub fn find(project: &LoadedProject, name: &str) -> Self {
        Self::find_in(project.folder(), &project.compiled.config, name)
    }

    /// The same in a project that need not be without errors.
    pub fn find_in(folder: &Folder, config: &Config, name: &str) -> Self {
        let here = Path::new(name);
        let there = folder.root().join(name);
        // One that is nowhere is told as it was named.
        let place = if here.exists() || !there.exists() { here.to_owned() } else { there };
        Self::placed(folder, config, name, place)
    }

    /// A file whose place is known.
    pub fn at(project: &LoadedProject, name: &str, place: PathBuf) -> Self {
        Self::placed(project.folder(), &project.compiled.config, name, place)
    }

    fn placed(folder: &Folder, config: &Config, name: &str, place: PathBuf) -> Self {
        let inside = place.canonicalize().ok().and_then(|place| folder.name(&place));
        let form = config.csv(inside.as_deref().unwrap_or(name));
        RecordsFile { name: name.to_owned(), place, form }
    }

    /// Its text, read whole.
    ///
    /// # Errors
    /// It is not there, is longer than 256 MiB, or is no text.
    pub fn text(&self) -> Result<String, Failure> {
        let read = match self.form.charset {
            Some(charset) => file::read_text_in(&self.place, bounds::WHOLE_FILE, charset),
            None => file::read_text(&self.place, bounds::WHOLE_FILE),
        };
        read.map_err(|error| {
            let failure = self.unreadable(&error);
            let other = error.kind() == io::ErrorKind::FileTooLarge && Form::of(&self.name) != Form::JsonLines;
            if other { failure.hint("use JSONL for large files: one record in each line") } else { failure }
        })
    }

    /// The records of its text.
    ///
    /// # Errors
    /// One cannot be read; the message says its line.
    pub fn parse(&self, text: &str) -> Result<Vec<Json>, Failure> {
        records::read_by(&self.name, text, self.form.separator)
            .map_err(|fault| Failure::usage(format!("{}:{}: {}", self.name, fault.line, fault.message)))
    }

    pub(super) fn unreadable(&self, error: &io::Error) -> Failure {
        unreadable(&self.place, error)
    }
}

impl LoadedProject {
    /// The records of a file that the command line names.
    ///
    /// # Errors
    /// It cannot be read, or holds something else than records.
    pub fn records(&self, name: &str) -> Result<Vec<Json>, Failure> {
        let file = RecordsFile::find(self, name);
        file.parse(&file.text()?)
    }

    /// The records of a file of the project, as a test case names it. The error is in words, for the case's report.
    ///
    /// # Errors
    /// It is not in the project, or holds something else than records.
    pub fn fixture(&self, name: &str) -> Result<Vec<Json>, String> {
        records::fixture(self.folder(), &self.compiled.config, name)
    }
}

/// The first of some fields that holds a text or a number. Salesforce's ids are texts, ShipStation's are numbers.
pub fn first_of(record: &Json, fields: &[&str]) -> Option<String> {
    fields.iter().find_map(|field| text(record.get(field)?))
}

/// Whether one of some fields holds this text, or a number that is written so.
pub fn has(record: &Json, fields: &[&str], wanted: &str) -> bool {
    fields.iter().any(|field| record.get(field).and_then(text).is_some_and(|value| value == wanted))
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_known_by_a_number_too() {
        let order = json!({"Id": null, "orderId": 5, "orderNumber": "00000005"});
        assert_eq!(first_of(&order, &["Id", "orderId", "orderNumber"]).as_deref(), Some("5"));
        assert_eq!(first_of(&order, &["Id", "id"]), None);
        assert!(has(&order, &["orderId"], "5") && has(&order, &["orderNumber"], "00000005") && !has(&order, &["orderNumber"], "5"));
    }
}
