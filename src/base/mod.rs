//! Words that every room shares: places in a text, the texts themselves, names that are near
//! each other, and what is said to an author about a mistake.

pub mod bounds;
mod charset;
mod delimited;
pub mod diag;
mod nearest;
mod parallel;
mod source;
mod span;
mod visible;

pub use charset::{CHARSETS, Charset};
pub use delimited::{Delimited, separator_help, separators};
pub use nearest::nearest;
pub use parallel::{Spread, each, each_light, locked};
pub use source::{Position, Source, Sources};
pub use span::{FileId, Span, Spanned};
pub use visible::{for_terminal, json_for_terminal, visible};
