//! `version`: a write is based on a version.

use crate::value::Json;

/// Whether a write may be carried out on a record of this version. One that names none is no write.
pub fn is_current(given: Option<&Json>, held: u64) -> bool {
    given.and_then(Json::as_u64) == Some(held)
}
