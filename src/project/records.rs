//! Records in files: a JSON object or array, JSONL, or CSV, told by the name's ending.

use serde_json::value::RawValue;

use super::Library;
use super::config::Config;
use crate::base::Delimited;
use crate::value::Json;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RecordFault {
    /// From 1; 0 where no line is known.
    pub line: usize,
    pub message: String,
}

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    JsonLines,
    Csv,
}

impl Form {
    pub fn of(name: &str) -> Form {
        Form::told(name).unwrap_or(Form::Json)
    }

    /// The form that the ending of a name tells.
    fn told(name: &str) -> Option<Form> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "json" => Some(Form::Json),
            "jsonl" | "ndjson" => Some(Form::JsonLines),
            "csv" | "tsv" => Some(Form::Csv),
            _ => None,
        }
    }
}

/// Reads all records of a text. A JSON file may hold one record, a list, or a query's answer
/// (`{"records": […]}`).
///
/// # Errors
/// The first record that cannot be read, with its line.
pub fn read(name: &str, text: &str) -> Result<Vec<Json>, RecordFault> {
    read_by(name, text, None)
}

/// The same, where it is said what stands between the cells of a CSV file.
///
/// # Errors
/// As [`read`].
pub fn read_by(name: &str, text: &str, separator: Option<u8>) -> Result<Vec<Json>, RecordFault> {
    let text = unmarked(text);
    match Form::of(name) {
        Form::Json if text.trim().is_empty() => Ok(Vec::new()),
        Form::Json => whole(text).map_err(|mut fault| {
            if Form::told(name).is_none() {
                fault.message.push_str(
                    "; the name's ending does not tell its form: name it .jsonl or .ndjson (a record on each line), .json (a list), .csv or .tsv",
                );
            }
            fault
        }),
        Form::JsonLines => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(at, line)| record(line, at + 1)).collect()
        }
        Form::Csv => rows(text, separator)?.into_iter().collect(),
    }
}

/// The records of a file of the project, as a test case names it.
///
/// # Errors
/// It is not in the project, or holds something else than records: in words, for a message that names the file.
pub fn fixture(library: &dyn Library, config: &Config, name: &str) -> Result<Vec<Json>, String> {
    let form = config.csv(name);
    let text = match form.charset {
        Some(charset) => library.read_in(name, charset),
        None => library.read(name),
    };
    let text = text.map_err(|absence| absence.to_string())?;
    read_by(name, &text, form.separator).map_err(|fault| format!("line {}: {fault}", fault.line))
}

/// A text without the byte order mark that some programs write before it.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// One record of a JSONL file.
///
/// # Errors
/// It is no JSON object.
pub fn record(line: &str, number: usize) -> Result<Json, RecordFault> {
    let fault = |message: String| RecordFault { line: number, message };
    let json: Json = serde_json::from_str(line).map_err(|error| fault(format!("this is no JSON: {error}")))?;
    if json.is_object() { Ok(json) } else { Err(fault("a record is a JSON object `{ … }`".to_owned())) }
}

fn whole(text: &str) -> Result<Vec<Json>, RecordFault> {
    let fault = |line: usize, message: String| RecordFault { line, message };
    let json: Json = serde_json::from_str(text).map_err(|error| fault(error.line(), format!("this is no JSON: {error}")))?;
    let records = match json {
        Json::Array(items) => items,
        Json::Object(mut fields) => {
            let answer = !fields.contains_key("Id");
            match fields.get_mut("records") {
                Some(Json::Array(records)) if answer => std::mem::take(records),
                _ => vec![Json::Object(fields)],
            }
        }
        _ => return Err(fault(1, "a file of records holds a JSON object or a list of them".to_owned())),
    };
    match records.iter().position(|record| !record.is_object()) {
        Some(at) => {
            Err(fault(line_of(text, at).unwrap_or(0), format!("item {} of the list is no record: a record is a JSON object `{{ … }}`", at + 1)))
        }
        None => Ok(records),
    }
}

/// The line of an item of the text's list of records, from 1.
fn line_of(text: &str, item: usize) -> Option<usize> {
    #[derive(serde::Deserialize)]
    struct Answer<'t> {
        #[serde(borrow)]
        records: Vec<&'t RawValue>,
    }
    let items = serde_json::from_str(text).or_else(|_| serde_json::from_str(text).map(|Answer { records }| records)).ok()?;
    let item: &&RawValue = items.get(item)?;
    // A raw value is a part of the text that it was read from.
    let start = (item.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(text.get(..start)?.matches('\n').count() + 1)
}

/// The headings of a CSV text; `None` if it has no line that could be read as such.
pub fn headings(text: &str, separator: Option<u8>) -> Option<Vec<String>> {
    let Delimited { text, separator, .. } = Delimited::of(text, separator);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().ok()?.iter().map(str::to_owned).collect();
    (!headings.is_empty()).then_some(headings)
}

/// The rows of a CSV text, one by one, as objects of texts; an empty cell is an empty text, which reads as missing. A row that cannot be
/// read does not stop the others. Cells are separated as [`Delimited::of`] says.
///
/// # Errors
/// The header cannot be read.
pub fn rows(text: &str, separator: Option<u8>) -> Result<Vec<Result<Json, RecordFault>>, RecordFault> {
    let Delimited { text, separator, before } = Delimited::of(text, separator);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let line = |at: Option<&csv::Position>| at.map_or(0, |at| usize::try_from(at.line()).unwrap_or(0) + usize::from(before));
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return Err(RecordFault { line: line(error.position()), message: format!("this is no CSV: {error}") }),
    };
    let read = |row: csv::Result<csv::StringRecord>| {
        let row = row.map_err(|error| RecordFault { line: line(error.position()), message: format!("this is no CSV: {error}") })?;
        if row.len() != headers.len() {
            return Err(RecordFault { line: line(row.position()), message: cells(row.len(), headers.len()) });
        }
        Ok(Json::Object(headers.iter().zip(row.iter()).map(|(name, cell)| (name.to_owned(), cell.into())).collect()))
    };
    Ok(reader.records().map(read).collect())
}

/// What is said of a row with more or fewer cells than the header.
fn cells(found: usize, wanted: usize) -> String {
    let s = if found == 1 { "" } else { "s" };
    format!("this row has {found} cell{s}, and the header has {wanted}: a comma or a quote is missing, or one is too many")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_answer_gives_its_records() {
        let text = r#"{"totalSize":1,"done":true,"records":[{"Id":"801"}]}"#;
        assert_eq!(read("a.json", text).unwrap(), [json!({"Id": "801"})]);
    }

    #[test]
    fn what_is_no_object_is_no_record() {
        let fault = read("a.json", "[\n  {},\n  7\n]").unwrap_err();
        assert_eq!((fault.line, fault.message.as_str()), (3, "item 2 of the list is no record: a record is a JSON object `{ … }`"));
        assert_eq!(read("a.json", "{\n\"records\":\n[null]}").unwrap_err().line, 3);
        assert!(read("a.json", "7").is_err());
        assert!(read("a.jsonl", "{}\n7\n").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        for (name, text) in [("a.jsonl", "\u{feff}{\"a\":\"1\"}\n"), ("a.json", "\u{feff}[{\"a\":\"1\"}]"), ("a.csv", "\u{feff}a\n1\n")] {
            assert_eq!(read(name, text).unwrap(), [json!({"a": "1"})], "{name}");
        }
    }

    /// What stands in a line that is no record may be a customer's: a message does not repeat it.
    #[test]
    fn a_message_does_not_quote_the_line() {
        for line in ["\u{0}{\u{0}\"Name\u{0}\":\"Ada", "\u{0}3\u{0}Ada", "Ada", "\"Ada\"", "[\"Ada\"]", "{\"Ada\"}", "{\"a\":Ada}"] {
            assert!(!record(line, 1).unwrap_err().message.contains("Ada"), "{line:?}");
        }
    }

    #[test]
    fn amounts_keep_their_digits() {
        let records = read("a.jsonl", "{\"a\": 0.1000000000000000000001}\n\n{\"a\": 2.50}\n").unwrap();
        assert_eq!(records[0]["a"].to_string(), "0.1000000000000000000001");
        assert_eq!(records[1]["a"].to_string(), "2.50");
    }

    #[test]
    fn cells_stay_text() {
        assert_eq!(read("a.csv", "zip,name\n01234,\"a, b\"\n").unwrap(), [json!({"zip": "01234", "name": "a, b"})]);
    }

    #[test]
    fn a_row_with_other_cells_is_told_by_its_line_and_the_others_are_read() {
        let text = "a,b\n1,2\n3\n4,5,6\n7,8\n";
        let found = rows(text, None).unwrap();
        assert_eq!(found[0].as_ref().unwrap(), &json!({"a": "1", "b": "2"}));
        assert_eq!(found[3].as_ref().unwrap(), &json!({"a": "7", "b": "8"}));
        let faults: Vec<(usize, &str)> =
            found.iter().filter_map(|row| row.as_ref().err()).map(|fault| (fault.line, fault.message.as_str())).collect();
        assert_eq!((faults[0].0, faults[1].0), (3, 4));
        assert!(faults[0].1.starts_with("this row has 1 cell, and the header has 2"), "{faults:?}");
        assert_eq!(read("a.csv", text).unwrap_err().line, 3);
    }

    #[test]
    fn cells_are_separated_as_the_header_has_it() {
        for text in ["zip;name\n01234;a, b\n", "zip\tname\n01234\ta, b\n", "zip|name\n01234|a, b\n", "\"zip\",name\n01234,\"a, b\"\n"] {
            assert_eq!(read("a.csv", text).unwrap(), [json!({"zip": "01234", "name": "a, b"})], "{text}");
        }
        assert_eq!(read("a.csv", "name\nAda\n").unwrap(), [json!({"name": "Ada"})]);
        // A spreadsheet says it in a line of its own, which counts as a line.
        for text in ["sep=;\r\nzip;name\r\n01234;a, b\r\n", "\u{feff}sep=;\nzip;name\n01234;a, b\n", "sep=^\nzip^name\n01234^a, b\n"] {
            assert_eq!(read("a.csv", text).unwrap(), [json!({"zip": "01234", "name": "a, b"})], "{text}");
        }
        assert_eq!(read("a.csv", "sep=;\nzip;name\n1\n").unwrap_err().line, 3);
        assert_eq!(read("a.csv", "sep=;\n").unwrap(), [] as [Json; 0]);
    }

    #[test]
    fn a_name_that_does_not_tell_the_form_is_told() {
        for name in ["records.txt", "records", "a.b/records.xlsx"] {
            let fault = read(name, "a,b\n1,2\n").unwrap_err();
            assert!(fault.message.contains(".jsonl") && fault.message.contains(".csv"), "{name}: {fault}");
            // What is JSON is read whatever its name.
            assert_eq!(read(name, "[{}]").unwrap().len(), 1);
        }
        assert!(!read("a.json", "a,b\n").unwrap_err().message.contains(".csv"));
    }

    #[test]
    fn an_empty_file_holds_no_record_in_any_form() {
        for name in ["a.json", "a.jsonl", "a.csv", "a.txt"] {
            assert_eq!(read(name, "").unwrap(), [] as [Json; 0], "{name}");
            assert_eq!(read(name, "\u{feff}\n").unwrap(), [] as [Json; 0], "{name}");
        }
        assert_eq!(read("a.csv", "a,b\n").unwrap(), [] as [Json; 0]);
        assert_eq!(read("a.json", "[]").unwrap(), [] as [Json; 0]);
    }

    #[test]
    fn a_separator_that_is_said_comes_before_what_the_header_looks_like() {
        assert_eq!(read_by("a.csv", "zip^name\n01234^a, b\n", Some(b'^')).unwrap(), [json!({"zip": "01234", "name": "a, b"})]);
        assert_eq!(read_by("a.csv", "a, b;zip\n1;2\n", Some(b';')).unwrap(), [json!({"a, b": "1", "zip": "2"})]);
        assert_eq!(headings("a, b;zip\n", Some(b';')).unwrap(), ["a, b", "zip"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(read("a.jsonl", "{}\n[1]\n").unwrap_err().line, 2);
    }
}
