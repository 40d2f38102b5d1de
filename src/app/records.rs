//! Records of files, and what they are called.

use crate::project::records;
use crate::value::Json;

use super::Failure;

/// The records in the text of a file. The ending of its name says their form.
///
/// # Errors
/// The text holds something else than records; the place in the file is named.
pub fn parse(name: &str, text: &str) -> Result<Vec<Json>, Failure> {
    records::read(name, text).map_err(|fault| Failure::usage(format!("{name}:{}: {}", fault.line, fault.message)))
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
