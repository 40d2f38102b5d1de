//! Records in files: a JSON object or array, JSONL, or CSV, told by the name's ending.

use serde_json::value::RawValue;

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
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Form::JsonLines,
            "csv" => Form::Csv,
            _ => Form::Json,
        }
    }
}

/// Reads all records of a text. A JSON file may hold one record, a list, or a query's answer
/// (`{"records": […]}`).
///
/// # Errors
/// The first record that cannot be read, with its line.
pub fn read(name: &str, text: &str) -> Result<Vec<Json>, RecordFault> {
    match Form::of(name) {
        Form::Json => whole(text),
        Form::JsonLines => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(at, line)| record(line, at + 1)).collect()
        }
        Form::Csv => table(text),
    }
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

/// CSV rows as objects of texts; an empty cell is an empty text, which reads as missing.
fn table(text: &str) -> Result<Vec<Json>, RecordFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let fault = |error: &csv::Error| RecordFault {
        line: error.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0)),
        message: format!("this is no CSV: {error}"),
    };
    let headers = reader.headers().map_err(|error| fault(&error))?.clone();
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| fault(&error))?;
        let fields = headers.iter().zip(row.iter());
        records.push(Json::Object(fields.map(|(name, cell)| (name.to_owned(), cell.into())).collect()));
    }
    Ok(records)
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
    fn a_bad_line_is_named() {
        assert_eq!(read("a.jsonl", "{}\n[1]\n").unwrap_err().line, 2);
    }
}
