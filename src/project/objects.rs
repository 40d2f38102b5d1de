//! Where object schemas come from: the client's snapshot, the system's standard, or sample data.

use super::{columns, records};
use crate::schema::{self, Object, SchemaError};
use crate::system::SystemRef;

/// Samples beyond this teach nothing new.
const SAMPLES: usize = 1_000;

/// Why a schema cannot be used, and the byte of its text where that shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Bad {
    pub at: usize,
    pub message: String,
    /// How many bytes stand there that should be another text.
    pub near: Option<(usize, String)>,
}

/// A schema's file: our form, or a Salesforce describe as it is.
pub(super) fn read(text: &str, system: &SystemRef, name: &str, connection: &str) -> Result<Object, Bad> {
    schema::read(text, system, name, connection).map_err(|error| bad(text, &error))
}

/// Lays a person's own knowledge of fields over an object.
pub(super) fn lay_over(object: &mut Object, text: &str, connection: &str) -> Result<(), Bad> {
    schema::lay_over(object, text, connection).map_err(|error| bad(text, &error))
}

/// What is wrong with a schema's file, at its place in the text.
fn bad(text: &str, error: &SchemaError) -> Bad {
    let at = match error {
        SchemaError::NotJson { line, column, .. } => offset(text, *line, *column),
        SchemaError::Form { at, .. } | SchemaError::Misspelt { at, .. } => pointed(text, at),
    };
    match error {
        SchemaError::Misspelt { reason, name, near, .. } => {
            // The name itself, without its quotes.
            let at = text.get(at..).and_then(|rest| rest.find(name.as_str())).map_or(at, |behind| at + behind);
            Bad { at, message: reason.clone(), near: Some((name.len(), near.clone())) }
        }
        _ => Bad { at, message: error.to_string(), near: None },
    }
}

/// What sample records look like: the object, and those inside its records.
///
/// # Errors
/// The samples cannot be read, or there is none.
pub fn infer(path: &str, text: &str, separator: Option<u8>, name: &str, connection: &str) -> Result<Vec<Object>, Bad> {
    learned(path, text, separator, name, connection, schema::Reading::AsItIs)
}

/// The same as a draft that a person goes on with: it claims no more than samples can say.
///
/// # Errors
/// As [`infer`].
pub fn draft(path: &str, text: &str, separator: Option<u8>, name: &str, connection: &str) -> Result<Vec<Object>, Bad> {
    if let Some(wrong) = columns::one_heading(path, text, separator) {
        let (words, helps) = wrong.words();
        return Err(Bad { at: 0, message: format!("it {words}: {}", helps.join("; ")), near: None });
    }
    let texts = records::Form::of(path) == records::Form::Csv;
    learned(path, text, separator, name, connection, if texts { schema::Reading::DraftOfTexts } else { schema::Reading::Draft })
}

fn learned(path: &str, text: &str, separator: Option<u8>, name: &str, connection: &str, reading: schema::Reading) -> Result<Vec<Object>, Bad> {
    let records = records::read_by(path, text, separator).map_err(|fault| Bad {
        at: offset(text, fault.line, 1),
        message: fault.message.clone(),
        near: None,
    })?;
    if records.is_empty() {
        return Err(Bad { at: 0, message: "there is no record in it to learn from".into(), near: None });
    }
    Ok(schema::infer(records.iter().take(SAMPLES), name, connection, reading))
}

/// The byte of a line and column (both from 1), as readers of JSON count them.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where a JSON pointer leads, as near as its names tell.
fn pointed(text: &str, pointer: &str) -> usize {
    pointer.split('/').filter(|part| !part.is_empty()).fold(0, |at, part| {
        let name = format!("\"{}\"", part.replace("~1", "/").replace("~0", "~"));
        text.get(at..).and_then(|rest| rest.find(&name)).map_or(at, |found| at + found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_the_names_it_holds() {
        let text = r#"{ "a": { "kind": 1 }, "b": { "kind": 2 } }"#;
        assert_eq!(pointed(text, "/b/kind"), text.rfind("\"kind\"").unwrap());
        assert_eq!(pointed(text, "/nowhere"), 0);
        assert_eq!(offset("ab\ncd\n", 2, 2), 4);
        assert_eq!(offset("é", 1, 2), 0);
    }

    #[test]
    fn a_text_that_is_no_json_is_said_where_it_breaks() {
        let bad = read("{ \"properties\": ]", &"salesforce".into(), "Order", "crm").unwrap_err();
        assert!(bad.at >= 14, "{bad:?}");
    }
}
