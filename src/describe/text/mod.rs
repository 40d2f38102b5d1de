//! The three forms of text in a description that mean more than themselves: paths, expressions and templates.

mod formula;
mod path;
mod pattern;
mod place;
mod template;

pub use formula::{Formula, Scope};
pub use path::{Path, Step};
pub use pattern::Pattern;
pub use place::Place;
pub use template::{Filled, Filter, Missing, Piece, Template};

use crate::value::Json;

/// A value as it stands in a query, a header or a path: a text without its quotes, anything else as JSON prints it.
pub fn printed(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
