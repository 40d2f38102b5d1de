//! Where object schemas come from: the client's snapshot, the system's standard, sample data.

use std::sync::Arc;

use crate::schema::Object;

/// Why a schema cannot be used, and where in its text.
pub(super) struct Bad {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

/// A schema's file, in our form.
pub(super) fn read(_connection: &str, _system: &str, _name: &str, text: &str) -> Result<Object, Bad> {
    serde_json::from_str(text).map_err(|e| Bad { line: e.line(), column: e.column(), message: e.to_string() })
}

/// The system's own, as it is before a client adds fields.
pub(super) fn standard(_connection: &str, _system: &str, _name: &str) -> Option<Arc<Object>> {
    None
}

/// The names of all standard objects of a system.
pub(super) fn standard_names(_system: &str) -> Vec<String> {
    Vec::new()
}

/// What sample records look like.
pub(super) fn infer(_connection: &str, _name: &str, path: &str, _text: &str) -> Result<Object, Bad> {
    Err(Bad { line: 1, column: 1, message: format!("`{path}` needs a `schema` beside its `path`") })
}
